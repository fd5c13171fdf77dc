//! `aside batch submit`: plan, say what it costs, ask, send.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::terminal::{self, BOLD, DIM};
use super::super::{Invocation, exit, runtime};
use super::{SubmitArgs, bar, books, connections, known, show, until_interrupted, warn};
use crate::actions;
use crate::claude::words::{amount, dollars};
use crate::config::Options;
use crate::error::{Error, ErrorKind};
use crate::jobs::Connections;
use crate::jobs::batch::{self, Asked, Books, Draft, Estimate, Items, LeftOut};

/// So many things that were left out are named.
const NAMED: usize = 10;

pub(super) fn run(args: &SubmitArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    // Before anything is read: who cannot be asked must have answered.
    let asks = !args.yes && !args.dry_run;
    if asks && (args.json || !std::io::stdin().is_terminal()) {
        return Err(Error::new(ErrorKind::Config, "Nobody is there to confirm what this costs.")
            .hint("`--yes` sends it without asking; `--dry-run` only says what it would cost.")
            .into());
    }
    runtime()?.block_on(submit(args, invocation, asks))
}

async fn submit(args: &SubmitArgs, invocation: &Invocation, asks: bool) -> anyhow::Result<ExitCode> {
    let connections = connections(invocation, args.simulate);
    let progress = bar(0, "planning");
    let mut told = |done: usize, all: usize| {
        progress.set_length(all as u64);
        progress.set_position(done as u64);
    };
    let planned = match &args.retry {
        None => new(args, invocation, &mut told),
        Some(id) => again(id, args, invocation, &connections, &mut told).await,
    };
    progress.finish_and_clear();
    let (books, mut draft) = planned?;
    if args.dry_run {
        say(args, &draft, draft.estimate())?;
        return Ok(ExitCode::SUCCESS);
    }
    let connection = connections.get(&books.settings).await?;
    draft.count(&connection).await?;
    let estimate = draft.estimate();
    if !args.json {
        say(args, &draft, estimate)?;
    }
    if asks && !confirmed()? {
        writeln!(terminal::stderr(), "Nothing was sent.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let submitted = batch::submit(&books, &connection, &draft).await?;
    warn(&books)?;
    let left_out = std::mem::take(&mut draft.left_out);
    let (items, files) = (draft.items(), draft.files());
    // What was planned takes room that nobody needs while waiting.
    drop(draft);
    let batch = submitted.batch;
    if !args.json {
        let what = format!("{BOLD}{}{BOLD:#}: {} of {items} items were submitted.", batch.id, submitted.accepted);
        writeln!(terminal::stdout(), "{what}")?;
    }
    // A simulator that ends with this process is not there later.
    if args.wait || args.simulate {
        if until_interrupted(show::wait(&books, &connection, &batch)).await?.is_none() {
            writeln!(terminal::stderr(), "It goes on without you: `aside batch show {} --wait`.", batch.id)?;
            return Ok(ExitCode::from(exit::INTERRUPTED));
        }
        if !args.json {
            show::print(&books, &batch, &[])?;
        }
    } else if !args.json {
        writeln!(
            terminal::stdout(),
            "{DIM}The answers come within a day, mostly within an hour; nothing has to run meanwhile.{DIM:#}\n\
             aside batch show {}     # how far it is\n\
             aside batch apply {}    # what the answers change",
            batch.id,
            batch.id
        )?;
    }
    if args.json {
        let mut value = show::json(&books, &batch, &[])?;
        if let Value::Object(fields) = &mut value {
            fields.insert(
                "submitted".to_owned(),
                json!({"items": items, "files": files, "accepted": submitted.accepted}),
            );
            fields.insert("leftOut".to_owned(), json!(left_out));
            fields.insert("estimate".to_owned(), json!(estimate));
            if let Some(error) = &submitted.error {
                fields.insert("error".to_owned(), json!(error));
            }
        }
        terminal::print_json(&value)?;
    }
    match submitted.error {
        Some(error) if !args.json => Err(error.into()),
        Some(_) => Ok(ExitCode::from(exit::FAILED)),
        None => Ok(ExitCode::SUCCESS),
    }
}

type Told<'a> = &'a mut dyn FnMut(usize, usize);

/// A new batch.
fn new(args: &SubmitArgs, invocation: &Invocation, told: Told<'_>) -> Result<(Books, Draft), Error> {
    let action = actions::find(args.action.as_deref().unwrap_or_default())?.clone();
    if !batch::ACTIONS.contains(&action.id.as_ref()) {
        return Err(Error::new(ErrorKind::Config, format!("`{}` is not for batches.", action.id))
            .hint(format!("These are: {}.", batch::ACTIONS.join(", "))));
    }
    let root = invocation.workspace_root(None).unwrap_or_else(|| invocation.current_dir.clone());
    let flags = Options { model: args.model.clone(), ..Options::default() };
    let books = books(invocation, Some(&root), &flags, None)?;
    let found = batch::find(&args.files, &invocation.current_dir, &root, &books.settings.privacy.exclude, &action)?;
    let asked = Asked { action, items: args.items.into(), prompt: args.prompt.clone(), root, simulated: args.simulate };
    let draft = Draft::new(&books, asked, &found.files, found.left_out, told)?;
    Ok((books, draft))
}

/// What of a batch has no answer that can be used.
async fn again(
    id: &str,
    args: &SubmitArgs,
    invocation: &Invocation,
    connections: &Connections,
    told: Told<'_>,
) -> Result<(Books, Draft), Error> {
    let (books, batch) = known(invocation, id)?;
    if batch.simulated != args.simulate {
        let (kind, hint) = if batch.simulated {
            ("simulated", "Add `--simulate`.")
        } else {
            ("not simulated", "Leave `--simulate` out.")
        };
        return Err(Error::new(ErrorKind::Config, format!("The batch {} was {kind}.", batch.id)).hint(hint));
    }
    show::look(&books, &batch, connections).await?;
    let (targets, left_out) = {
        let alone = batch::alone(&books, &mut show::others).await;
        batch::retried(&books, &batch, args.kept, &alone).await?
    };
    if targets.is_empty() {
        let error = Error::new(ErrorKind::Config, format!("Nothing of the batch {} can be asked for again.", batch.id));
        return Err(match left_out.first() {
            Some(LeftOut { path, reason, .. }) => error.hint(format!("{path} {reason}.")),
            None => error.hint(format!("`aside batch show {}` says how far it is.", batch.id)),
        });
    }
    let asked = Asked {
        action: actions::find(&batch.action)?.clone(),
        items: Items::ALL.into_iter().find(|items| items.word() == batch.items).unwrap_or_default(),
        prompt: batch.prompt.clone(),
        root: batch::root_of(&batch),
        simulated: batch.simulated,
    };
    let draft = Draft::again(&books, &batch, asked, targets, left_out, told)?;
    Ok((books, draft))
}

/// Says what would be sent and what it would cost.
fn say(args: &SubmitArgs, draft: &Draft, estimate: Estimate) -> anyhow::Result<()> {
    if args.json {
        return terminal::print_json(&json!({
            "dryRun": true,
            "action": draft.asked.action.id,
            "model": draft.model,
            "itemKind": draft.asked.items.word(),
            "items": draft.items(),
            "files": draft.files(),
            "repairs": draft.repairs(),
            "leftOut": draft.left_out,
            "withheld": draft.withheld.sentence(),
            "estimate": estimate,
            "simulated": draft.asked.simulated,
        }));
    }
    let mut out = terminal::stdout();
    let files = counted(draft.files(), "file", "files");
    let what = match draft.asked.items {
        Items::Files => files,
        Items::Functions => format!("{} in {files}", counted(draft.items(), "function", "functions")),
        Items::Classes => format!("{} in {files}", counted(draft.items(), "class", "classes")),
        Items::All => format!("{} in {files}", counted(draft.items(), "item", "items")),
    };
    writeln!(out, "{BOLD}{}{BOLD:#} · {what} · {}", draft.asked.action.id, terminal::visible(&draft.model))?;
    match draft.repairs() {
        0 => {}
        1 => writeln!(out, "one of them was answered: the model is shown that, and told what is wrong with it")?,
        repairs => writeln!(
            out,
            "{repairs} of them were answered: the model is shown its answers, and told what is wrong with them"
        )?,
    }
    writeln!(
        out,
        "about {} tokens of input and {} of output",
        amount(estimate.input_tokens),
        amount(estimate.output_tokens)
    )?;
    match (estimate.cost_usd, estimate.live_cost_usd) {
        (Some(usd), Some(live)) => {
            writeln!(out, "about {BOLD}{}{BOLD:#} as a batch; one by one it would be {}", dollars(usd), dollars(live))?;
            if live < usd {
                writeln!(
                    out,
                    "{DIM}one by one each request finds in the cache what those before it wrote; in a batch only some do{DIM:#}"
                )?;
            }
        }
        _ => {
            writeln!(out, "the price of {} is not known, so no budget holds it back", terminal::visible(&draft.model))?;
        }
    }
    if let Some(sentence) = draft.withheld.sentence() {
        writeln!(out, "{sentence}")?;
    }
    for LeftOut { path, item, reason } in draft.left_out.iter().take(NAMED) {
        let item = item.as_ref().map(|item| format!(" `{item}`")).unwrap_or_default();
        writeln!(out, "{DIM}left out: {}{DIM:#}", terminal::visible(&format!("{path}{item} {reason}")))?;
    }
    if let Some(more) = draft.left_out.len().checked_sub(NAMED).filter(|more| *more > 0) {
        writeln!(out, "{DIM}left out: {more} more{DIM:#}")?;
    }
    Ok(())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Whether the user says yes.
fn confirmed() -> std::io::Result<bool> {
    let mut out = terminal::stdout();
    write!(out, "Send it? [y/N] ")?;
    out.flush()?;
    drop(out);
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

//! `aside act follow-up`: the next question about an explanation that an editor showed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::tz::TimeZone;
use url::Url;

use super::super::place::{Input, Place};
use super::super::{Invocation, terminal};
use super::host::TerminalHost;
use super::{ActArgs, context, dry_run, ended, until_interrupted};
use crate::actions::Action;
use crate::claude::models::Model;
use crate::error::{Error, ErrorKind};
use crate::jobs::{self, Order, Outcome, Report, Thread, new_job_id, no_question, plan_follow_up};
use crate::ledger::Ledger;
use crate::output::conversation::{Asked, grow, question};
use crate::output::edit::apply;
use crate::output::explanation::{Turn, id_in};
use crate::workspace::Span;
use crate::workspace::content::read_text;
use crate::workspace::roots::normalized;
use crate::workspace::write::replace_file;

/// The explanation's file, where there is one, and the question in it.
struct Page {
    path: PathBuf,
    text: String,
    written: Option<Span>,
}

/// Answers the next question; with `--write` the explanation's file grows by it.
pub(super) fn run(args: &ActArgs, invocation: &Invocation, action: &Arc<Action>) -> anyhow::Result<ExitCode> {
    let ledger = Ledger::lazy(invocation.paths.ledger());
    let (thread, page) = find(args, invocation, &ledger)?;
    let asked = args.prompt.clone().filter(|prompt| !prompt.trim().is_empty());
    let written = page.as_ref().and_then(|page| page.text.get(page.written.clone()?)).map(str::to_owned);
    let prompt = asked.clone().or(written).ok_or_else(no_question)?;
    let snapshot = thread.document();
    let root = thread.root(&snapshot).or_else(|| invocation.workspace_root(snapshot.path.as_deref()));
    let resolved = invocation.resolve(root.as_deref(), &args.flags());
    resolved.usable()?;
    terminal::warn_problems(&resolved.problems);
    let order = Order {
        job: new_job_id(),
        model: resolved.settings.model_for(&action.id).to_owned(),
        action: action.clone(),
        snapshot,
        selection: 0..0,
        subject: Some(thread.first.title.replace('`', "")),
        root,
        diagnostics: Vec::new(),
        prompt: Some(prompt),
        settings: Arc::new(resolved.settings),
        simulated: args.simulate,
    };
    let context = context(args, invocation);
    if args.dry_run {
        let planned = |model: &Model| plan_follow_up(&context, &order, &thread, model);
        return dry_run(args, invocation, &context, &order, planned);
    }
    let host = TerminalHost::new(&order, false, false, !args.json);
    let running = until_interrupted(|cancel| {
        let (context, order, thread, host) = (&context, &order, &thread, &host);
        async move { jobs::follow_up(context, order, thread, host, &cancel).await }
    });
    let report = super::super::runtime()?.block_on(running);
    if let (true, Some(page)) = (args.write, page) {
        let written = page.written.clone().filter(|_| asked.is_none());
        write(&page, written, &order, &report)?;
    }
    ended(args, &context, &order, &host, report)
}

/// The conversation that is named: by its file, its id, the file that it is about, or as the last one of the project.
fn find(args: &ActArgs, invocation: &Invocation, ledger: &Ledger) -> Result<(Thread, Option<Page>), Error> {
    let Some(place) = args.place.as_deref().filter(|place| *place != "last") else {
        let root = invocation.workspace_root(None).unwrap_or_else(|| invocation.current_dir.clone());
        let uri = Url::from_directory_path(&root).map(String::from).unwrap_or_default();
        let thread = last(ledger, &uri, false)?;
        return Ok((thread.ok_or_else(|| nothing(&root.display().to_string()))?, None));
    };
    let path = invocation.current_dir.join(place);
    let name = Path::new(place).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(thread) = Thread::load(ledger, id_in(name).unwrap_or(place))? {
        let page = page(&path, &thread)?;
        return Ok((thread, page));
    }
    let Ok(Place { input: Input::File(file), .. }) = Place::parse(place, &invocation.current_dir) else {
        return Err(unknown(place));
    };
    let file = normalized(&invocation.current_dir.join(file));
    if !file.is_file() {
        return Err(unknown(place));
    }
    let uri = Url::from_file_path(&file).map(String::from).unwrap_or_default();
    Ok((last(ledger, &uri, true)?.ok_or_else(|| nothing(place))?, None))
}

/// The last conversation about a document, or about those in a folder. Who named no more than that is told which it is.
fn last(ledger: &Ledger, uri: &str, exact: bool) -> Result<Option<Thread>, Error> {
    let Some(found) = ledger.last_conversation(uri, exact)? else { return Ok(None) };
    let thread = Thread::load(ledger, &found.id)?;
    if let Some(thread) = &thread {
        let shown = thread.explanation();
        let begun = thread.first.created.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
        let line = format!("On: {} — {} ({begun})", shown.title().replace('`', ""), shown.place);
        let _ = writeln!(terminal::stderr(), "{}", terminal::visible(&line));
    }
    Ok(thread)
}

fn unknown(place: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{place} is no explanation of Aside's."))
        .hint("Name the Markdown file that an editor showed, its id, or a file that was explained; without any it is the last one of this project.")
}

fn nothing(place: &str) -> Error {
    Error::new(ErrorKind::Config, format!("Nothing was explained, asked or reviewed in {place} yet."))
        .hint("Begin with `aside act explain FILE`, or with `ask` or `review`.")
}

fn page(path: &Path, thread: &Thread) -> Result<Option<Page>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = read_text(path)?;
    let written = question(&text, &thread.explanation());
    Ok(Some(Page { path: path.to_owned(), text, written }))
}

/// Puts the turn into the explanation's file.
fn write(page: &Page, written: Option<Span>, order: &Order, report: &Report) -> Result<(), Error> {
    let Some(answer) = report.explanation.as_ref().filter(|_| report.outcome == Outcome::Shown) else { return Ok(()) };
    let turn = Turn {
        question: order.prompt.clone().unwrap_or_default(),
        markdown: answer.markdown.clone(),
        model: answer.model.clone(),
        usage: answer.usage.clone(),
        simulated: answer.simulated,
        thinking: answer.thinking.clone(),
    };
    let edits = grow(&page.text, &written.map_or(Asked::Elsewhere, Asked::Written), &turn);
    replace_file(&page.path, &page.text, &apply(&page.text, &edits))
}

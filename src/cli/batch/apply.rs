//! `aside batch apply`: what the answers change, to look at, or into the files.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::terminal::{self, DIM, WARNING};
use super::super::{Invocation, exit, runtime};
use super::{ApplyArgs, connections, known, show, warn};
use crate::error::{Error, ErrorKind};
use crate::jobs::batch::{self, FileLanding, ItemLanding};
use crate::ledger::batches::ItemState;
use crate::output::explanation;

pub(super) fn run(args: &ApplyArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let (books, stored) = known(invocation, &args.id)?;
    let connections = connections(invocation, false);
    let mut said =
        Said { args, folder: invocation.paths.explanations(), files: Vec::new(), diffs: 0, trouble: Vec::new() };
    let cancel = CancellationToken::new();
    let on_interrupt = cancel.clone();
    let landed = runtime()?.block_on(async {
        // Between two files, so that none is left half done.
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                on_interrupt.cancel();
            }
        });
        let notes = show::looked(&books, &stored, &connections).await?;
        let mut each = |file| said.take(&file);
        let landed = if args.write {
            let mut others = show::others;
            let alone = tokio::select! {
                alone = batch::alone(&books, &mut others) => alone,
                () = cancel.cancelled() => return Ok((notes, batch::Landed::default())),
            };
            batch::land(&books, &stored, Some(&alone), &cancel, &mut each).await?
        } else {
            batch::land(&books, &stored, None, &cancel, &mut each).await?
        };
        Ok::<_, Error>((notes, landed))
    });
    let (notes, landed) = landed?;
    warn(&books)?;
    let interrupted = cancel.is_cancelled();
    let counts = books.ledger.batch_counts(&stored.id)?;
    if args.json {
        let mut value = json!({
            "batch": stored.id,
            "action": stored.action,
            "written": args.write,
            "applied": landed.applied,
            "unchanged": landed.unchanged,
            "kept": landed.kept,
            "unusable": landed.unusable,
            "files": said.files,
            "simulated": stored.simulated,
        });
        if let Value::Object(fields) = &mut value
            && !notes.is_empty()
        {
            fields.insert("notes".to_owned(), json!(notes));
        }
        terminal::print_json(&value)?;
    } else {
        let mut err = terminal::stderr();
        for note in &notes {
            writeln!(err, "{WARNING}warning{WARNING:#}: {}", terminal::visible(note))?;
        }
        for item in &said.trouble {
            writeln!(err, "{}", terminal::visible(item))?;
        }
        let all = landed.applied + landed.unchanged + landed.kept;
        if all == 0 {
            writeln!(err, "There is nothing to apply: {}.", show::in_words(&counts))?;
        } else if args.write {
            writeln!(err, "{} of {all} answers were applied{}.", landed.applied, others(&landed))?;
        } else {
            writeln!(
                err,
                "{} of {all} answers would be applied{}. Nothing was changed; `--write` applies them.",
                landed.applied,
                others(&landed)
            )?;
        }
        if args.write && landed.kept > landed.unusable {
            writeln!(err, "{DIM}aside batch show {} lists what was kept{DIM:#}", stored.id)?;
        }
        if landed.unusable > 0 {
            let simulate = if stored.simulated { " --simulate" } else { "" };
            writeln!(
                err,
                "{DIM}aside batch submit --retry {}{simulate} has the model mend what cannot be used{DIM:#}",
                stored.id
            )?;
        }
    }
    Ok(ExitCode::from(match (interrupted, landed.kept) {
        (true, _) => exit::INTERRUPTED,
        (false, 0) => 0,
        (false, _) => exit::FAILED,
    }))
}

/// What became of those that were not applied.
fn others(landed: &batch::Landed) -> String {
    let parts = [
        (landed.unchanged, "with nothing to change"),
        (landed.kept - landed.unusable, "kept"),
        (landed.unusable, "of no use"),
    ];
    let there = parts.into_iter().filter(|(count, _)| *count > 0);
    there.fold(String::new(), |said, (count, what)| format!("{said}, {count} {what}"))
}

/// What is printed, file by file.
struct Said<'a> {
    args: &'a ApplyArgs,
    folder: PathBuf,
    files: Vec<Value>,
    diffs: usize,
    trouble: Vec<String>,
}

impl Said<'_> {
    fn take(&mut self, file: &FileLanding) -> Result<(), Error> {
        let mut paths = Vec::new();
        if self.args.write {
            for explanation in &file.explanations {
                let path = self.folder.join(explanation::file_name(explanation));
                std::fs::create_dir_all(&self.folder)
                    .and_then(|()| std::fs::write(&path, explanation::document(explanation)))
                    .map_err(|error| {
                        Error::new(ErrorKind::Config, format!("{} could not be written: {error}.", path.display()))
                    })?;
                paths.push(path);
            }
        }
        if self.args.json {
            let edits = file.edits.iter().map(|edit| json!({"path": edit.path, "diff": edit.diff}));
            let explanations =
                file.explanations.iter().map(|it| json!({"id": it.id, "place": it.place, "markdown": it.markdown}));
            self.files.push(json!({
                "path": file.path,
                "items": file.items,
                "edits": edits.collect::<Vec<_>>(),
                "explanations": explanations.collect::<Vec<_>>(),
                "written": paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            }));
            return Ok(());
        }
        self.trouble.extend(file.items.iter().filter(|item| is_trouble(item)).map(line));
        // A reader who went away, as with `| head`, is no reason to leave a file half done.
        let _ = self.print(file, &paths);
        self.diffs += file.edits.len();
        Ok(())
    }

    fn print(&self, file: &FileLanding, paths: &[PathBuf]) -> std::io::Result<()> {
        let is_seen = std::io::stdout().is_terminal();
        let shown = |text: &str| if is_seen { terminal::visible(text).into_owned() } else { text.to_owned() };
        let mut out = terminal::stdout();
        for edit in &file.edits {
            if self.args.write {
                writeln!(out, "{}", shown(&edit.path))?;
            } else {
                terminal::print_diff(&mut out, &shown(&edit.diff))?;
            }
        }
        for path in paths {
            writeln!(out, "{}", path.display())?;
        }
        if !self.args.write {
            for (index, explanation) in file.explanations.iter().enumerate() {
                let gap = if index > 0 { "\n" } else { "" };
                writeln!(out, "{gap}{}", shown(&explanation::document(explanation)))?;
            }
        }
        Ok(())
    }
}

fn is_trouble(item: &ItemLanding) -> bool {
    !matches!(item.state, ItemState::Applied | ItemState::Unchanged)
}

fn line(item: &ItemLanding) -> String {
    let name = item.name.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
    let reason = item.reason.as_deref().unwrap_or("the answer was kept");
    format!("{} (item {}){name}: {}", item.place, item.item, reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

//! `aside actions`: what there is to run.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::Invocation;
use super::terminal::{self, DIM, NAME, WARNING};
use crate::actions::{Action, Applies, Folders, Loaded, Origin};
use crate::config::{Options, Settings};
use crate::error::{Error, ErrorKind};
use crate::workspace::{Language, language};

/// Arguments of `aside actions`.
#[derive(Debug, Args)]
pub struct ActionsArgs {
    /// Only those for a language, by its LSP id (python) or a file's ending (py)
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists the actions.
pub fn run(args: &ActionsArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let language = args.language.as_deref().map(find_language).transpose()?;
    let root = invocation.workspace_root(None);
    let settings = Arc::new(invocation.resolve(root.as_deref(), &Options::default()).settings);
    let loaded = Folders::new(&invocation.paths, root.as_deref()).load();
    let waiting = loaded.catalogue.waiting();
    let all = loaded.catalogue.actions().iter().chain(waiting);
    let actions: Vec<_> = all.filter(|action| language.is_none_or(|language| action.applies_in(language))).collect();
    if args.json {
        let rows: Vec<Value> = actions.iter().map(|action| row(action, &settings, !waiting.contains(action))).collect();
        terminal::print_json(&rows)?;
        warn(&loaded);
        return Ok(ExitCode::SUCCESS);
    }
    let width = actions.iter().map(|action| action.id.len()).max().unwrap_or_default();
    let mut out = terminal::stdout();
    for action in actions {
        let off = match () {
            () if waiting.contains(action) => " (not allowed yet: `aside config trust`)",
            () if !action.enabled(&settings) => " (switched off)",
            () => "",
        };
        writeln!(out, "{NAME}{:width$}{NAME:#}  {}{DIM}{off}{DIM:#}", action.id, action.summary)?;
        writeln!(out, "{:width$}  {DIM}{}; {}{DIM:#}", "", offered(action), action.kind)?;
    }
    drop(out);
    warn(&loaded);
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong with files of own actions.
fn warn(loaded: &Loaded) {
    let mut err = terminal::stderr();
    for file in &loaded.files {
        for problem in &file.problems {
            let place = format!("{}:{}:{}", file.path.display(), problem.line + 1, problem.columns.start + 1);
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(err, "{WARNING}warning{WARNING:#}: {}: {}", terminal::visible(&place), problem.message);
        }
    }
}

fn row(action: &Action, settings: &Arc<Settings>, allowed: bool) -> Value {
    let settings = action.settings(settings);
    let custom = action.custom.as_ref();
    json!({
        "id": action.id,
        "title": action.title,
        "summary": action.summary,
        "kind": action.kind,
        "result": action.result.as_str(),
        "offered": offered(action),
        "enabled": action.enabled(&settings),
        "model": settings.model_for(&action.id),
        "origin": custom.map_or("aside", |custom| match custom.origin {
            Origin::User => "user",
            Origin::Workspace => "workspace",
        }),
        "file": custom.map(|custom| custom.file.display().to_string()),
        "allowed": allowed,
    })
}

fn offered(action: &Action) -> Cow<'static, str> {
    if let Some(custom) = action.custom.as_ref().filter(|custom| !custom.languages.is_empty()) {
        return custom.languages.join(", ").into();
    }
    if action.custom.is_some() && action.kind.starts_with("quickfix.") {
        return "where other tools report an error or a warning".into();
    }
    Cow::Borrowed(match action.applies {
        Applies::Always => "always",
        Applies::OptionalTypes => "languages with optional types",
        Applies::Programming => "programming languages",
        Applies::Unfinished => "comments, stubs and signatures",
        Applies::Reported => "errors and warnings of other tools",
        Applies::Prompted => "with a prompt, or on a comment",
        Applies::Explanations => "in an explanation",
        Applies::Pictured => "links to pictures",
        Applies::WhileRunning => "while something runs",
    })
}

/// By id, or by a file's ending, since that is what people know.
fn find_language(name: &str) -> Result<&'static Language, Error> {
    let name = name.to_lowercase();
    let by_id = language::by_id(&name);
    let by_ending = language::by_path(Path::new(&format!("file.{}", name.trim_start_matches('.'))));
    let known =
        |found: &&'static Language| !std::ptr::eq::<Language>(*found, &raw const language::PLAIN) || name == found.id;
    if let Some(found) = [by_id, by_ending].into_iter().find(known) {
        return Ok(found);
    }
    let ids = || language::all().iter().map(|language| language.id);
    let nearest = ids().max_by(|a, b| strsim::jaro_winkler(a, &name).total_cmp(&strsim::jaro_winkler(b, &name)));
    let error =
        Error::new(ErrorKind::Config, format!("There is no language `{}` in Aside's table.", name.escape_debug()));
    Err(match nearest.filter(|id| strsim::jaro_winkler(id, &name) > 0.8) {
        Some(id) => error.hint(format!("Did you mean `{id}`?")),
        None => error.hint(format!("It knows {}.", ids().collect::<Vec<_>>().join(", "))),
    })
}

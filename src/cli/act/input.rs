//! What an action works on: a file and a place in it, or standard input.

use std::io::Read as _;
use std::path::Path;

use ropey::Rope;
use url::Url;

use super::super::Invocation;
use super::super::place::{self, Place};
use super::ActArgs;
use crate::error::{Error, ErrorKind};
use crate::workspace::{Snapshot, Span, content, language, selection};

/// What an action works on.
pub(super) struct Input {
    pub(super) snapshot: Snapshot,
    pub(super) selection: Span,
    pub(super) subject: Option<String>,
    /// What was named of the text, before the item around it was looked for.
    pub(super) place: Span,
    pub(super) from_stdin: bool,
}

/// Reads what the arguments name.
pub(super) fn read(args: &ActArgs, invocation: &Invocation) -> Result<Input, Error> {
    let place = Place::parse(args.place()?, &invocation.current_dir)?;
    let from_stdin = place.input == place::Input::Stdin;
    if from_stdin && args.write && args.action != "write-tests" {
        return Err(Error::new(ErrorKind::Config, "Standard input can't be written to.")
            .hint("Leave `--write` out: the edit is printed as a diff; `--json` prints the whole new text."));
    }
    let snapshot = match &place.input {
        place::Input::File(file) => {
            if args.stdin_path.is_some() {
                return Err(Error::new(ErrorKind::Config, "`--stdin-path` goes with `-`.")
                    .hint("Leave it out: the file's own name is used."));
            }
            Snapshot::read_any(&invocation.current_dir.join(file))?
        }
        place::Input::Stdin => standard_input(args.stdin_path.as_deref(), &invocation.current_dir)?,
    };
    snapshot.check()?;
    let text = snapshot.text.to_string();
    if text.trim().is_empty() {
        return Err(Error::new(ErrorKind::Config, format!("{} has no code in it.", snapshot.name())));
    }
    let point = place.resolve(&text)?;
    let (selection, subject) = selection::resolve(&snapshot, point.clone());
    Ok(Input { snapshot, selection, subject, place: point, from_stdin })
}

fn standard_input(path: Option<&Path>, current_dir: &Path) -> Result<Snapshot, Error> {
    let name = "standard input";
    let mut bytes = Vec::new();
    let limit = crate::workspace::content::MAX_DOCUMENT_BYTES as u64 + 1;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Config, format!("Standard input could not be read: {error}.")))?;
    let text = content::text_from(name, bytes)?;
    let path = path.map(|path| current_dir.join(path));
    let uri = match &path {
        Some(path) => Url::from_file_path(path).ok(),
        None => Url::parse("untitled:stdin").ok(),
    };
    let uri = uri.ok_or_else(|| Error::new(ErrorKind::Config, "`--stdin-path` is no path."))?;
    let language = path.as_deref().map_or_else(|| language::by_id("plaintext"), language::by_path);
    Ok(Snapshot::new(uri, path, language, None, Rope::from_str(&text)))
}

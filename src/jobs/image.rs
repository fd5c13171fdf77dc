//! What a picture shows: its alternative text as an edit of the link, or a description where a link has no such text.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use url::Url;

use super::ask::on_blocking_thread;
use super::lander::{Fate, Lander, Step};
use super::order::Order;
use super::report::Outcome;
use super::run::{Run, Stop};
use crate::actions::{Action, ResultForm};
use crate::claude::images::{MAX_FILE_BYTES, Picture};
use crate::claude::models::Model;
use crate::error::{Error, ErrorKind};
use crate::output::answer::{BadAnswer, edit_answer_or_removal};
use crate::prompt::{self, Plan, Scale};
use crate::workspace::access::Access;
use crate::workspace::pictures::{PictureLink, link_at};
use crate::workspace::roots::{normalized, relative};
use crate::workspace::{Snapshot, Span};

/// A longer alternative text is no alternative.
const LONGEST_TEXT: usize = 600;

/// The link that an action on pictures is about. Fails with `config` when there is none, or more than one.
pub fn picture_at(snapshot: &Snapshot, place: &Span) -> Result<PictureLink, Error> {
    link_at(snapshot.language, snapshot.uri.path(), &snapshot.text, place).ok_or_else(|| {
        Error::new(ErrorKind::Config, "There is no picture at this place, or there are several.").hint(
            "Put the cursor into a link such as `![…](picture.png)`, `<img src=\"…\">`, or in a style sheet `url(…)`.",
        )
    })
}

/// The action for a link: where it can have no alternative text, a description to read.
pub fn action_for(action: &Arc<Action>, link: &PictureLink) -> Arc<Action> {
    static EXPLAINING: LazyLock<String> =
        LazyLock::new(|| include_str!("../actions/builtin/explain-image.md").to_owned());
    if link.alternative.is_some() {
        return action.clone();
    }
    let explaining =
        Action { result: ResultForm::Explanation, instruction: EXPLAINING.clone(), ..Action::clone(action) };
    Arc::new(explaining)
}

/// What would be sent about the picture of an order.
pub(super) fn plan(order: &Order, model: &Model, scale: Scale) -> Result<Plan, Error> {
    order.permitted(None)?;
    let link = picture_at(&order.snapshot, &order.selection)?;
    plan_of(order, &picture(order, &link)?, model, scale)
}

fn plan_of(order: &Order, picture: &Picture, model: &Model, scale: Scale) -> Result<Plan, Error> {
    let text = order.snapshot.text.to_string();
    let input = prompt::Input {
        family: prompt::Family::Document,
        action: &order.action,
        settings: &order.settings,
        model,
        language: order.snapshot.language,
        document: order.snapshot.uri.as_str(),
        path: &order.shown_path(),
        text: &text,
        selection: order.selection.clone(),
        rules: &[],
        project: None,
        prompt: order.prompt.as_deref(),
        tests: None,
        context: None,
        scale,
    };
    prompt::picture(&input, picture)
}

impl Run<'_> {
    /// Looks at the picture that is linked to in the selection.
    pub(super) async fn describe(&mut self) -> Result<Outcome, Stop> {
        let order = self.order;
        order.permitted(None)?;
        let link = picture_at(&order.snapshot, &order.selection)?;
        let (reading, read) = (order.clone(), link.clone());
        let picture = on_blocking_thread(move || picture(&reading, &read)).await?;
        let connection = self.connect().await?;
        self.learn_of_model(&connection).await?;
        let mut plan = self.plan_picture(&picture)?;
        let whole = match self.ask_whole(&plan, &plan.request).await {
            Err(Stop::Failed(error)) if self.turns_to_another(&error) => {
                plan = self.plan_picture(&picture)?;
                self.ask_whole(&plan, &plan.request).await?
            }
            Err(Stop::Failed(error)) if takes_no_pictures(&error) => {
                let message = format!("{} takes no pictures here: {}", self.model.id, error.message);
                return Err(Error { message, ..error }
                    .hint("Set `actions.describe-image.model` to a model of this server that does.")
                    .into());
            }
            whole => whole?,
        };
        if link.alternative.is_none() {
            return self.explain(&plan, &whole);
        }
        let mut text = self.complete(&plan, whole)?;
        let described = match described(order, &link, &text) {
            Ok(described) => described,
            Err(bad) => {
                let request = prompt::repair(&plan, &text, &bad.reason);
                let whole = self.ask_whole(&plan, &request).await?;
                text = self.complete(&plan, whole)?;
                match described(order, &link, &text) {
                    Ok(described) => described,
                    Err(bad) => return self.conclude(&text, Fate::Unreadable(bad.reason)),
                }
            }
        };
        // A replacement of the whole link, which lands as all edits do.
        let mut lander = Lander::new(order, self.host, self.cancel, Step::Selection);
        let fate = lander.land(&described).await;
        self.notes.append(&mut lander.notes);
        self.edits.append(&mut lander.edits);
        self.conclude(&text, fate)
    }
}

impl Run<'_> {
    fn plan_picture(&mut self, picture: &Picture) -> Result<Plan, Error> {
        let scale = self.context.estimates.scale(&self.model.id);
        let plan = plan_of(self.order, picture, &self.model, scale)?;
        self.asked.clone_from(&plan.request.messages);
        Ok(plan)
    }
}

/// Whether a server turned the request away because of its picture, which not every one takes.
fn takes_no_pictures(error: &Error) -> bool {
    error.kind == ErrorKind::Config && error.message.to_lowercase().contains("image input")
}

/// The answer that replaces the link by one with the alternative text of `answer`.
fn described(order: &Order, link: &PictureLink, answer: &str) -> Result<String, BadAnswer> {
    let answer = edit_answer_or_removal(answer)?;
    let words: Vec<&str> = answer
        .replacement
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    if text.chars().count() > LONGEST_TEXT {
        return Err(BadAnswer::new(format!(
            "The alternative text has {} characters; one or two sentences are wanted.",
            text.chars().count()
        )));
    }
    let whole = order.snapshot.text.to_string();
    let written = link.described(&whole, &text).unwrap_or_default();
    let fence = "`".repeat(written.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
    let note = answer.note.map(|note| format!("\n\n{note}")).unwrap_or_default();
    Ok(format!("{fence}\n{written}\n{fence}{note}"))
}

/// The picture that a link leads to: fetched by the API, or read here.
fn picture(order: &Order, link: &PictureLink) -> Result<Picture, Error> {
    let target = link.target.trim();
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).filter(|scheme| {
        // A single letter is a drive.
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    match scheme.as_deref() {
        _ if target.starts_with("//") => Ok(Picture::at(&format!("https:{target}"))),
        Some("https") => Ok(Picture::at(target)),
        Some("http") => Err(wrong(target, "is fetched by the API, which takes addresses of `https` only")
            .hint("Link to it with https, or to a file of the workspace.")),
        Some("data") => {
            Err(wrong("The picture", "stands in the text itself").hint("Keep it in a file and link to that."))
        }
        Some("attachment") => {
            Err(wrong(target, "is kept inside of the notebook").hint("Keep it in a file and link to that."))
        }
        None | Some("file") => read(order, target),
        Some(other) => Err(wrong(target, &format!("has an address of a kind that is not known here (`{other}:`)"))
            .hint("A file of the workspace, or an address that begins with https.")),
    }
}

fn wrong(target: &str, what: &str) -> Error {
    let target: String = target.chars().take(200).collect();
    Error::new(ErrorKind::Config, format!("{target} {what}."))
}

/// Reads a file of the workspace, as far as it may be read.
fn read(order: &Order, target: &str) -> Result<Picture, Error> {
    let document = document_path(order)?;
    let folder = document.parent().unwrap_or(Path::new("/"));
    let root = order.root.as_deref().unwrap_or(folder);
    let path = resolve(&document, root, target)?;
    let name = relative(&path, root);
    if !path.starts_with(normalized(root)) {
        return Err(outside(target));
    }
    if !path.exists() {
        return Err(wrong(&name, "is not there").hint("The link is taken from the document's folder on."));
    }
    let access = Access::of(root, &order.settings.privacy);
    if !access.may_read(&path) {
        let leads_out =
            path.canonicalize().is_ok_and(|real| root.canonicalize().is_ok_and(|root| !real.starts_with(root)));
        if leads_out {
            return Err(outside(target));
        }
        return Err(Error::new(ErrorKind::Excluded, format!("{name} is excluded from what leaves this machine."))
            .hint("`privacy.exclude`, `.aside/ignore` or `.gitignore` names it, or it is a file that holds keys by custom."));
    }
    let metadata = path.metadata().map_err(|error| wrong(&name, &format!("can't be read: {error}")))?;
    if !metadata.is_file() {
        return Err(wrong(&name, "is no file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        let megabytes = metadata.len() / 1024 / 1024;
        return Err(wrong(&name, &format!("is too large: {megabytes} MB, and pictures of up to 32 MB are read")));
    }
    let bytes = std::fs::read(&path).map_err(|error| wrong(&name, &format!("can't be read: {error}")))?;
    Picture::of_bytes(&name, &bytes)
}

fn outside(target: &str) -> Error {
    let target: String = target.chars().take(200).collect();
    Error::new(ErrorKind::Excluded, format!("{target} leads out of the workspace, and nothing there is read."))
        .hint("Copy the picture into the workspace and link to that.")
}

/// The path of the file that a document is, or, for a notebook's cell, is in.
fn document_path(order: &Order) -> Result<PathBuf, Error> {
    if let Some(path) = &order.snapshot.path {
        return Ok(path.clone());
    }
    let uri = &order.snapshot.uri;
    let of_cell = (uri.scheme() == "vscode-notebook-cell").then(|| Url::parse(&format!("file://{}", uri.path())).ok());
    of_cell.flatten().and_then(|uri| uri.to_file_path().ok()).ok_or_else(|| {
        Error::new(ErrorKind::Config, "This document has no file yet, so its links lead nowhere.")
            .hint("Save it, then run the action again.")
    })
}

/// The path that a link leads to: from the document's folder on, or from the workspace's when it begins with `/`, as sites
/// have it.
fn resolve(document: &Path, root: &Path, target: &str) -> Result<PathBuf, Error> {
    let no_path = || wrong(target, "is no path");
    let (base, target) = match target.strip_prefix('/') {
        Some(rest) => (root.join("-"), rest),
        None => (document.to_owned(), target),
    };
    let base = Url::from_file_path(&base).map_err(|()| no_path())?;
    // What a link says is encoded as in a URL, by custom; a name with a `%` of its own is not.
    let joined = base.join(target).map_err(|_| no_path())?.to_file_path().map_err(|()| no_path())?;
    Ok(normalized(&joined))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_paths_from_the_document_or_the_root() {
        let (document, root) = (Path::new("/w/docs/a.md"), Path::new("/w"));
        for (target, expected) in [
            ("img/a.png", "/w/docs/img/a.png"),
            ("../a%20b.png", "/w/a b.png"),
            ("a b.png?raw=1#top", "/w/docs/a b.png"),
            ("/img/é.png", "/w/img/é.png"),
            ("./x/../y.png", "/w/docs/y.png"),
            ("../../etc/a.png", "/etc/a.png"),
            ("file:///etc/a.png", "/etc/a.png"),
        ] {
            assert_eq!(resolve(document, root, target).unwrap(), Path::new(expected), "{target}");
        }
    }
}

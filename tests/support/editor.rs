//! The editor's side of the protocol: open documents, what came from the server, and answers to the server's requests.
//! By default a model editor; [`Behaviour`] scripts the ways in which real ones differ from it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::positions;

/// What the editor does with `workspace/applyEdit`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnEdit {
    /// Changes the text, then answers `true` and reports the change: most editors.
    Apply,
    /// Reports the change first and answers afterwards: Helix.
    ReportFirst,
    /// Answers `applied: false` with this reason.
    Refuse(&'static str),
    /// Answers with an error.
    Fail,
    /// Answers `true` and changes nothing: Neovim with an outdated version.
    Pretend,
    /// Never answers: ALE.
    Silence,
}

/// How the editor treats what the server asks of it.
#[derive(Clone, Debug)]
pub(crate) struct Behaviour {
    pub(crate) on_edit: OnEdit,
    /// What `window/showDocument` answers.
    pub(crate) shows_documents: bool,
    /// The title that is chosen in `window/showMessageRequest`; none is `null`.
    pub(crate) choice: Option<&'static str>,
    /// What `workspace/configuration` answers for every item.
    pub(crate) configuration: Value,
    /// Whether `window/workDoneProgress/create` succeeds.
    pub(crate) allows_progress: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            on_edit: OnEdit::Apply,
            shows_documents: true,
            choice: None,
            configuration: Value::Null,
            allows_progress: true,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OpenDocument {
    pub(crate) version: i64,
    pub(crate) text: String,
    /// Every text there was, oldest first, as an editor's undo has it.
    pub(crate) history: Vec<String>,
}

/// The life of one work-done progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) begin: Option<Value>,
    pub(crate) reports: Vec<Value>,
    pub(crate) end: Option<Value>,
}

#[derive(Default)]
pub(crate) struct Editor {
    pub(crate) encoding: String,
    pub(crate) behaviour: Behaviour,
    pub(crate) documents: BTreeMap<String, OpenDocument>,
    /// Answers to the editor's own requests, by id.
    pub(crate) responses: HashMap<i64, Value>,
    /// What a test has to read: everything but progress, streams, status and logs.
    pub(crate) unread: VecDeque<Value>,
    /// Nobody minds what comes unread from now on.
    pub(crate) heedless: bool,
    pub(crate) progress: BTreeMap<String, Progress>,
    pub(crate) stream: Vec<Value>,
    pub(crate) status: Vec<Value>,
    /// Why nothing more will come.
    pub(crate) ended: Option<String>,
    /// Requests of the server that were left without an answer on purpose.
    pub(crate) unanswered: Vec<Value>,
}

impl Editor {
    /// Takes in one message; `send` is called with what the editor says in return.
    pub(crate) fn receive(&mut self, message: Value, send: &mut dyn FnMut(Value)) {
        let Some(method) = message["method"].as_str().map(str::to_owned) else {
            let id = message["id"].as_i64().unwrap_or(-1);
            assert!(self.responses.insert(id, message).is_none(), "two answers to request {id}");
            return;
        };
        let params = message["params"].clone();
        if message.get("id").is_none() {
            match method.as_str() {
                "$/progress" => self.progress(&params),
                "aside/stream" => self.stream.push(params),
                "aside/status" => self.status.push(params),
                "window/logMessage" | "$/logTrace" | "telemetry/event" => {}
                _ => self.unread.push_back(message),
            }
            return;
        }
        let id = message["id"].clone();
        let mut answer = |result: Value| send(json!({"jsonrpc": "2.0", "id": id, "result": result}));
        match method.as_str() {
            "window/workDoneProgress/create" if self.behaviour.allows_progress => {
                let token = token_name(&params["token"]);
                assert!(self.progress.insert(token.clone(), Progress::default()).is_none(), "token {token} used twice");
                answer(Value::Null);
            }
            "workspace/configuration" => {
                let items = params["items"].as_array().unwrap();
                answer(items.iter().map(|_| self.behaviour.configuration.clone()).collect());
            }
            "workspace/workspaceFolders" | "client/registerCapability" => answer(Value::Null),
            "workspace/codeLens/refresh" | "workspace/textDocumentContent/refresh" => {
                answer(Value::Null);
                self.unread.push_back(message);
            }
            "window/showDocument" => {
                answer(json!({"success": self.behaviour.shows_documents}));
                self.unread.push_back(message);
            }
            "window/showMessageRequest" => {
                answer(self.behaviour.choice.map_or(Value::Null, |title| json!({"title": title})));
                self.unread.push_back(message);
            }
            "workspace/applyEdit" => {
                self.apply_edit(&message, send);
                self.unread.push_back(message);
            }
            _ => send(json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "method not found"}})),
        }
    }

    fn progress(&mut self, params: &Value) {
        let token = token_name(&params["token"]);
        let value = params["value"].clone();
        let progress = self.progress.get_mut(&token).unwrap_or_else(|| panic!("progress for unknown token {token}"));
        assert!(progress.end.is_none(), "progress {token} goes on after its end: {value}");
        match value["kind"].as_str() {
            Some("begin") => assert!(progress.begin.replace(value).is_none(), "progress {token} began twice"),
            Some(kind) => {
                assert!(progress.begin.is_some(), "progress {token} has a {kind} before its begin");
                if kind == "end" {
                    progress.end = Some(value);
                } else {
                    progress.reports.push(value);
                }
            }
            None => panic!("progress without a kind: {value}"),
        }
    }

    fn apply_edit(&mut self, message: &Value, send: &mut dyn FnMut(Value)) {
        let response = |body: (&str, Value)| json!({"jsonrpc": "2.0", "id": message["id"], body.0: body.1});
        let applied = response(("result", json!({"applied": true})));
        match self.behaviour.on_edit.clone() {
            OnEdit::Refuse(reason) => send(response(("result", json!({"applied": false, "failureReason": reason})))),
            OnEdit::Fail => send(response(("error", json!({"code": -32603, "message": "the editor is confused"})))),
            OnEdit::Pretend => send(applied),
            OnEdit::Silence => self.unanswered.push(message["id"].clone()),
            kind @ (OnEdit::Apply | OnEdit::ReportFirst) => match self.change_documents(&message["params"]["edit"]) {
                Err(reason) => send(response(("result", json!({"applied": false, "failureReason": reason})))),
                Ok(reports) if kind == OnEdit::Apply => std::iter::once(applied).chain(reports).for_each(send),
                Ok(reports) => reports.into_iter().chain([applied]).for_each(send),
            },
        }
    }

    /// Makes all changes of a `WorkspaceEdit` or none, and gives the notifications that report them.
    fn change_documents(&mut self, edit: &Value) -> Result<Vec<Value>, String> {
        let mut reports = Vec::new();
        let mut edits: Vec<(String, Value, Vec<Value>)> = Vec::new();
        for change in edit["documentChanges"].as_array().into_iter().flatten() {
            match change["kind"].as_str() {
                Some("create") => create_file(change)?,
                Some(kind) => return Err(format!("this editor does not {kind} files")),
                None => {
                    let document = &change["textDocument"];
                    assert!(document.get("version").is_some(), "textDocument.version must be there: {document}");
                    let list = change["edits"].as_array().unwrap().clone();
                    edits.push((document["uri"].as_str().unwrap().to_owned(), document["version"].clone(), list));
                }
            }
        }
        for (uri, list) in edit["changes"].as_object().into_iter().flatten() {
            edits.push((uri.clone(), Value::Null, list.as_array().unwrap().clone()));
        }
        for (uri, version, list) in edits {
            if !self.documents.contains_key(&uri) {
                let text = std::fs::read_to_string(file_of(&uri)).map_err(|error| error.to_string())?;
                reports.push(self.open(&uri, "plaintext", &text));
            }
            let document = &self.documents[&uri];
            if version.as_i64().is_some_and(|version| version != document.version) {
                return Err(format!("version {version} is not the current {}", document.version));
            }
            let text = positions::apply(&document.text, &self.encoding, &list);
            reports.push(self.replace(&uri, text));
        }
        Ok(reports)
    }

    /// Opens a document and gives the notification that says so.
    pub(crate) fn open(&mut self, uri: &str, language: &str, text: &str) -> Value {
        let document = OpenDocument { version: 1, text: text.to_owned(), history: Vec::new() };
        self.documents.insert(uri.to_owned(), document);
        notification(
            "textDocument/didOpen",
            json!({"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}}),
        )
    }

    /// Replaces a document's text and gives the notification, with the part that differs as its one change.
    pub(crate) fn replace(&mut self, uri: &str, text: String) -> Value {
        let document = self.documents.get_mut(uri).unwrap();
        let (span, inserted) = difference(&document.text, &text);
        let change = json!({"range": positions::range(&document.text, &self.encoding, span), "text": inserted});
        document.version += 1;
        document.history.push(std::mem::replace(&mut document.text, text));
        notification(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": document.version}, "contentChanges": [change]}),
        )
    }
}

pub(crate) fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// A token as the name it is kept under. Zed takes strings only, so a number is an error already here.
pub(crate) fn token_name(token: &Value) -> String {
    token.as_str().unwrap_or_else(|| panic!("a progress token must be a string: {token}")).to_owned()
}

fn file_of(uri: &str) -> PathBuf {
    url::Url::parse(uri).unwrap().to_file_path().unwrap_or_else(|()| panic!("not a file: {uri}"))
}

fn create_file(change: &Value) -> Result<(), String> {
    let path = file_of(change["uri"].as_str().unwrap());
    let option = |name: &str| change["options"][name] == json!(true);
    if path.exists() && !option("overwrite") {
        return if option("ignoreIfExists") { Ok(()) } else { Err(format!("{} is there already", path.display())) };
    }
    std::fs::create_dir_all(path.parent().unwrap()).map_err(|error| error.to_string())?;
    std::fs::write(path, "").map_err(|error| error.to_string())
}

/// The smallest single replacement that makes `new` of `old`. Never cuts a character or a `\r\n` in two.
fn difference<'a>(old: &str, new: &'a str) -> (std::ops::Range<usize>, &'a str) {
    let common = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let whole = |text: &str, at: usize| {
        text.is_char_boundary(at) && !(text[..at].ends_with('\r') && text[at..].starts_with('\n'))
    };
    let mut head = common(&mut old.bytes().zip(new.bytes()));
    while !(whole(old, head) && whole(new, head)) {
        head -= 1;
    }
    let room = old.len().min(new.len()) - head;
    let mut tail = common(&mut old.bytes().rev().zip(new.bytes().rev())).min(room);
    while !(whole(old, old.len() - tail) && whole(new, new.len() - tail)) {
        tail -= 1;
    }
    (head..old.len() - tail, &new[head..new.len() - tail])
}

//! A scripted editor on the pipes of the real program.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::editor::{Behaviour, Editor, Progress, notification};
use super::traffic::{Traffic, read_frame, write_frame};
use super::{Sandbox, positions};

/// Far longer than anything takes: a limit for what hangs, not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// How an editor starts and introduces itself.
#[derive(Clone)]
pub(crate) struct ClientOptions {
    /// What follows `aside` on the command line.
    pub(crate) arguments: Vec<String>,
    /// Variables on top of the sandbox's.
    pub(crate) environment: Vec<(String, String)>,
    /// The parameters of `initialize`; the sandbox's workspace is the root.
    pub(crate) initialize: Value,
    pub(crate) behaviour: Behaviour,
    /// The client breaks the protocol on purpose: what it says is not held against the server.
    pub(crate) rude: bool,
    /// What a shell does before it becomes the server, such as `ulimit`.
    pub(crate) prelude: Option<&'static str>,
}

impl Default for ClientOptions {
    /// A modern editor with everything, in front of `serve --simulate`.
    fn default() -> Self {
        Self {
            arguments: vec!["serve".into(), "--simulate".into()],
            environment: Vec::new(),
            initialize: json!({"capabilities": capable()}),
            behaviour: Behaviour::default(),
            rude: false,
            prelude: None,
        }
    }
}

impl ClientOptions {
    /// In front of an API at `url`, with a key it accepts.
    pub(crate) fn with_api(url: &str) -> Self {
        Self {
            arguments: vec!["serve".into()],
            environment: vec![
                ("ANTHROPIC_BASE_URL".into(), url.into()),
                ("ANTHROPIC_API_KEY".into(), "sk-ant-test".into()),
            ],
            ..Self::default()
        }
    }

    /// Offers these position encodings, in this order.
    pub(crate) fn encodings(mut self, encodings: &[&str]) -> Self {
        self.initialize["capabilities"]["general"]["positionEncodings"] = json!(encodings);
        self
    }

    /// Changes what the client announces, by JSON pointer below `capabilities`.
    pub(crate) fn announce(mut self, pointer: &str, value: Value) -> Self {
        let (parents, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        let mut place = &mut self.initialize["capabilities"];
        for parent in parents.split('/').filter(|parent| !parent.is_empty()) {
            place = &mut place[parent];
        }
        if !value.is_null() {
            place[key] = value;
        } else if let Some(announced) = place.as_object_mut() {
            announced.remove(key);
        }
        self
    }
}

/// What a capable client announces.
pub(crate) fn capable() -> Value {
    let kinds = ["", "quickfix", "refactor", "refactor.rewrite", "source"];
    json!({
        "workspace": {
            "applyEdit": true,
            "configuration": true,
            "workspaceFolders": true,
            "workspaceEdit": {"documentChanges": true, "resourceOperations": ["create", "rename", "delete"]},
        },
        "textDocument": {
            "synchronization": {"didSave": true},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": kinds}},
                "dataSupport": true,
                "isPreferredSupport": true,
                "resolveSupport": {"properties": ["edit", "command"]},
            },
        },
        "window": {
            "workDoneProgress": true,
            "showDocument": {"support": true},
            "showMessage": {"messageActionItem": {"additionalPropertiesSupport": true}},
        },
        "general": {"positionEncodings": ["utf-16"]},
        "experimental": {"aside": {"stream": true, "status": true}},
    })
}

struct Shared {
    editor: Mutex<Editor>,
    changed: Condvar,
    stdin: Mutex<Option<ChildStdin>>,
    traffic: Traffic,
    /// Whether the client reads what the server says.
    reads: Mutex<bool>,
    reads_on: Condvar,
}

impl Shared {
    fn send(&self, message: &Value) {
        let mut stdin = self.stdin.lock().unwrap();
        self.traffic.note("c2s", message);
        // A server that is gone is found by whoever waits for its answer.
        if let Some(stdin) = stdin.as_mut() {
            let _ = write_frame(stdin, message);
        }
    }
}

/// An editor with the server as its child. When dropped it shuts the server down as the protocol says, and fails the
/// test if the server died, did not end with 0, left a request or a progress open, or said something nobody read.
pub(crate) struct Client {
    child: Child,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    stderr: Arc<Mutex<String>>,
    next_id: i64,
    closed: bool,
    /// The result of `initialize`.
    pub(crate) initialized: Value,
}

impl Client {
    /// Starts the server and goes through `initialize` and `initialized`.
    pub(crate) fn start(sandbox: &Sandbox, options: ClientOptions) -> Self {
        let mut client = Self::spawn(sandbox, &options);
        let mut params = options.initialize;
        let root = sandbox.uri("");
        let root = root.trim_end_matches('/');
        for (key, value) in [
            ("processId", Value::Null),
            ("rootUri", json!(root)),
            ("workspaceFolders", json!([{"uri": root, "name": "workspace"}])),
        ] {
            if params.get(key).is_none() {
                params[key] = value;
            }
        }
        client.initialized = client.request("initialize", params).expect("initialize succeeds");
        let encoding = client.initialized["capabilities"]["positionEncoding"].as_str().unwrap_or("utf-16").to_owned();
        client.editor().encoding = encoding;
        client.notify("initialized", json!({}));
        client
    }

    /// Starts the server and says nothing yet.
    pub(crate) fn spawn(sandbox: &Sandbox, options: &ClientOptions) -> Self {
        let mut command = match options.prelude {
            Some(prelude) => sandbox.aside_after(prelude),
            None => sandbox.aside(),
        };
        command.args(&options.arguments).envs(options.environment.iter().cloned()).stdin(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let shared = Arc::new(Shared {
            editor: Mutex::new(Editor {
                encoding: "utf-16".into(),
                behaviour: options.behaviour.clone(),
                ..Editor::default()
            }),
            changed: Condvar::new(),
            stdin: Mutex::new(child.stdin.take()),
            traffic: Traffic::new(options.rude),
            reads: Mutex::new(true),
            reads_on: Condvar::new(),
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let (mut pipe, text) = (child.stderr.take().unwrap(), Arc::clone(&stderr));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        let (mut stdout, reading) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&shared));
        let reader = std::thread::spawn(move || {
            let ended = loop {
                drop(reading.reads_on.wait_while(reading.reads.lock().unwrap(), |reads| !*reads).unwrap());
                match read_frame(&mut stdout) {
                    Ok(Some(message)) => {
                        reading.traffic.note("s2c", &message);
                        let mut editor = reading.editor.lock().unwrap();
                        editor.receive(message, &mut |answer| reading.send(&answer));
                    }
                    Ok(None) => break "the server closed its output".to_owned(),
                    Err(error) => break format!("not a frame on stdout: {error}"),
                }
                reading.changed.notify_all();
            };
            reading.editor.lock().unwrap().ended = Some(ended);
            reading.changed.notify_all();
        });
        let reader = Some(reader);
        Self { child, shared, reader, stderr, next_id: 0, closed: false, initialized: Value::Null }
    }

    /// The editor's state, locked: keep it short.
    pub(crate) fn editor(&self) -> MutexGuard<'_, Editor> {
        self.shared.editor.lock().expect("the editor understood everything the server said")
    }

    /// Waits until `find` finds something; `what` says what was waited for when it never comes.
    pub(crate) fn wait_for<T>(&self, what: &str, mut find: impl FnMut(&mut Editor) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut editor = self.editor();
        loop {
            if let Some(found) = find(&mut editor) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let trouble = match &editor.ended {
                Some(ended) => ended.clone(),
                None if left.is_zero() => "nothing came".into(),
                None => {
                    editor = self.shared.changed.wait_timeout(editor, left).expect("the editor understood").0;
                    continue;
                }
            };
            let (unread, progress) = (editor.unread.clone(), editor.progress.clone());
            drop(editor);
            panic!("waited for {what}: {trouble}\nunread: {unread:#?}\nprogress: {progress:#?}\n{}", self.stderr());
        }
    }

    /// What the server wrote to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        format!("--- stderr ---\n{}", self.stderr.lock().unwrap())
    }

    /// Sends a request without waiting for its answer.
    pub(crate) fn begin_request(&mut self, method: &str, params: Value) -> i64 {
        self.next_id += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": self.next_id, "method": method});
        // Some methods have no params, and `null` is no value that JSON-RPC knows for them.
        if !params.is_null() {
            message["params"] = params;
        }
        self.shared.send(&message);
        self.next_id
    }

    /// Waits for the answer to a request: its result, or its error object.
    pub(crate) fn response(&self, id: i64) -> Result<Value, Value> {
        let message = self.wait_for(&format!("the answer to request {id}"), |editor| editor.responses.remove(&id));
        match message.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(message["result"].clone()),
        }
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.begin_request(method, params);
        self.response(id)
    }

    pub(crate) fn notify(&self, method: &str, params: Value) {
        self.shared.send(&notification(method, params));
    }

    /// Opens a document that the editor may or may not have on disk.
    pub(crate) fn open(&self, uri: &str, language: &str, text: &str) {
        let mut editor = self.editor();
        let message = editor.open(uri, language, text);
        self.shared.send(&message);
    }

    pub(crate) fn close_document(&self, uri: &str) {
        let mut editor = self.editor();
        editor.documents.remove(uri);
        self.shared.send(&notification("textDocument/didClose", json!({"textDocument": {"uri": uri}})));
    }

    /// Types `text` over the bytes `span`, as a user does.
    pub(crate) fn edit(&self, uri: &str, span: Range<usize>, text: &str) {
        let mut editor = self.editor();
        let mut new = editor.documents[uri].text.clone();
        new.replace_range(span, text);
        let message = editor.replace(uri, new);
        self.shared.send(&message);
    }

    pub(crate) fn text(&self, uri: &str) -> String {
        self.editor().documents[uri].text.clone()
    }

    pub(crate) fn version(&self, uri: &str) -> i64 {
        self.editor().documents[uri].version
    }

    /// A protocol range for bytes of the document as it is now.
    pub(crate) fn range(&self, uri: &str, span: Range<usize>) -> Value {
        let editor = self.editor();
        positions::range(&editor.documents[uri].text, &editor.encoding, span)
    }

    /// `workspace/executeCommand` with one argument object.
    pub(crate) fn execute(&mut self, command: &str, argument: Value) -> Result<Value, Value> {
        let arguments = if argument.is_null() { json!([]) } else { json!([argument]) };
        self.request("workspace/executeCommand", json!({"command": command, "arguments": arguments}))
    }

    /// Starts an action on the bytes `span` and gives its job.
    pub(crate) fn run(&mut self, action: &str, uri: &str, span: Range<usize>) -> String {
        let range = self.range(uri, span);
        let version = self.version(uri);
        let answer = self
            .execute("aside.run", json!({"action": action, "uri": uri, "range": range, "version": version}))
            .unwrap_or_else(|error| panic!("aside.run {action}: {error}"));
        answer["job"].as_str().unwrap_or_else(|| panic!("no job in {answer}")).to_owned()
    }

    /// Runs an action on the bytes `span` and waits for its end: the whole result.
    pub(crate) fn run_to_end(&mut self, action: &str, uri: &str, span: Range<usize>) -> Value {
        let argument = self.run_argument(action, uri, span);
        self.execute("aside.run", argument).unwrap_or_else(|error| panic!("aside.run {action}: {error}"))
    }

    /// The argument of an `aside.run` that waits.
    pub(crate) fn run_argument(&self, action: &str, uri: &str, span: Range<usize>) -> Value {
        let range = self.range(uri, span);
        json!({"action": action, "uri": uri, "range": range, "version": self.version(uri), "wait": true})
    }

    /// What `aside/stream` told about a job so far.
    pub(crate) fn stream(&self, job: &str) -> Vec<Value> {
        self.editor().stream.iter().filter(|event| event["job"] == job).cloned().collect()
    }

    /// Waits for the `end` of a job's stream.
    pub(crate) fn stream_end(&self, job: &str) -> Value {
        self.wait_for(&format!("the end of job {job}"), |editor| {
            editor.stream.iter().find(|event| event["job"] == job && event["kind"] == "end").cloned()
        })
    }

    /// Waits until a job's stream has brought some of its answer.
    pub(crate) fn first_text(&self, job: &str) {
        self.wait_for(&format!("the first text of job {job}"), |editor| {
            editor.stream.iter().find(|event| event["job"] == job && event["kind"] == "text").map(drop)
        });
    }

    /// Waits until `count` progresses have ended and gives all there are.
    pub(crate) fn ended_progress(&self, count: usize) -> Vec<Progress> {
        self.wait_for(&format!("{count} ended progresses"), |editor| {
            let ended = editor.progress.values().filter(|progress| progress.end.is_some()).count();
            (ended >= count).then(|| editor.progress.values().cloned().collect())
        })
    }

    /// Waits for the next message of a method that the server sent, and counts it as read: its params.
    pub(crate) fn next(&self, method: &str) -> Value {
        self.wait_for(method, |editor| {
            let at = editor.unread.iter().position(|message| message["method"] == method)?;
            Some(editor.unread.remove(at)?["params"].clone())
        })
    }

    /// Waits until the server has taken in all that it was told: notifications are applied in their order, and in front of any
    /// request behind them.
    pub(crate) fn settle(&mut self) {
        let command = json!({"command": "aside.settle"});
        let unknown = self.request("workspace/executeCommand", command).expect_err("there is no such command");
        assert_eq!(unknown["code"], -32602);
    }

    /// Gives what was not read so far, and does not mind what comes unread later: for tests that look elsewhere.
    pub(crate) fn read_all(&self) -> Vec<Value> {
        let mut editor = self.editor();
        editor.heedless = true;
        editor.unread.drain(..).collect()
    }

    /// From now on the client reads nothing, or everything again. What it reads at this moment it reads to the end.
    pub(crate) fn reads(&self, reads: bool) {
        *self.shared.reads.lock().unwrap() = reads;
        self.shared.reads_on.notify_all();
    }

    /// The server's memory in use, in kilobytes, and its open descriptors.
    #[cfg(target_os = "linux")]
    pub(crate) fn footprint(&self) -> (u64, usize) {
        let process = std::path::PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(process.join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it runs");
        let kilobytes = line.trim().trim_end_matches(" kB").parse().unwrap();
        (kilobytes, std::fs::read_dir(process.join("fd")).unwrap().count())
    }

    /// The server's process, to send it a signal.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Closes the server's input and nothing else.
    pub(crate) fn close_input(&mut self) {
        self.shared.stdin.lock().unwrap().take();
    }

    /// Waits for the process to end.
    pub(crate) fn exit_status(&mut self) -> ExitStatus {
        self.exit_status_within(PATIENCE)
    }

    /// Waits for the process to end, for so long.
    pub(crate) fn exit_status_within(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        self.closed = true;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends the session in order and checks that nothing is left over. Called by `drop`.
    fn close(&mut self) {
        let late: Vec<_> = std::mem::take(&mut self.editor().unanswered);
        for id in late {
            let error = json!({"code": -32603, "message": "too late"});
            self.shared.send(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
        self.wait_for("all progress to end", |editor| {
            editor.progress.values().all(|progress| progress.begin.is_none() || progress.end.is_some()).then_some(())
        });
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null), "shutdown answers null");
        self.shared.send(&json!({"jsonrpc": "2.0", "method": "exit"}));
        let status = self.exit_status();
        assert!(status.success(), "ends with {status} after shutdown and exit\n{}", self.stderr());
        self.reader.take().unwrap().join().expect("the editor understood everything the server said");
        let editor = self.editor();
        assert!(editor.heedless || editor.unread.is_empty(), "nobody read {:#?}", editor.unread);
        assert!(editor.responses.is_empty(), "answers nobody asked for: {:#?}", editor.responses);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else if !self.closed {
            self.close();
        }
    }
}

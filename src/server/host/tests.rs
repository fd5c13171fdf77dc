use std::future::Future;
use std::sync::Mutex;

use lsp_types::DidChangeTextDocumentParams;
use serde_json::{from_value, json};
use tower_lsp::jsonrpc::Request;

use super::super::backend::Backend;
use super::super::capabilities::Capabilities;
use super::super::feed::Channel;
use super::super::feed::tests::work;
use super::super::handlers::text_sync;
use super::super::test_client::{TestClient, TestSession, params};
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::actions;
use crate::config::Settings;
use crate::jobs::{self, EAGER, Fate, Lander, REST};
use crate::output::edit::TextEdit;
use crate::workspace::Snapshot;

const BEFORE: &str = "def a(x):\n    return x\n";
const AFTER: &str = "def a(x: int):\n    return x\n";

/// A job on an open document, or on a file, with a scripted editor at the other end.
struct Fixture {
    backend: Backend,
    order: Order,
    host: EditorHost,
    client: TestClient,
    folder: tempfile::TempDir,
    cancel: CancellationToken,
}

impl Fixture {
    async fn new(text: &str) -> Self {
        let it = TestSession::new("").await;
        let uri = it.uri("a.py");
        let TestSession { backend, client, folder } = it;
        let session = backend.session.clone();
        let (snapshot, track): (Snapshot, _) = {
            let mut state = session.state();
            state.capabilities.apply_edit = true;
            state.capabilities.create_file = true;
            let document = state.documents.open(uri, "python", 1, text);
            (document.snapshot(), document.track(0..text.len()))
        };
        let order = Order {
            job: "job".to_owned(),
            action: actions::find("add-type-hints").expect("it is in the catalogue").clone(),
            selection: 0..text.len(),
            snapshot,
            subject: None,
            root: Some(folder.path().to_owned()),
            diagnostics: Vec::new(),
            prompt: None,
            model: "model".to_owned(),
            settings: Arc::new(Settings::default()),
            simulated: false,
        };
        let (job, work) = (order.job.clone(), work(&order.title()));
        let outlet = session.outlet.clone();
        let channel = Channel { client: session.client.clone(), job, work, progress: None, outlet, stream: false };
        let cancel = CancellationToken::new();
        let host = EditorHost::new(session, Feed::start(channel).0, &order, track, cancel.clone());
        Self { backend, order, host, client, folder, cancel }
    }

    fn session(&self) -> &Session {
        &self.backend.session
    }

    /// From now on edits wait for the user's word, in the way of a client that can do this.
    fn preview(&self, can: impl Fn(&mut Capabilities)) {
        let mut state = self.session().state();
        can(&mut state.capabilities);
        Arc::make_mut(&mut state.settings).edits.confirm = Confirm::Preview;
    }

    /// The edit from `BEFORE` to `AFTER` of the open document.
    fn change(&self) -> Change {
        let (base, _) = self.host.selection().expect("the document is open");
        Self::change_of(Target::Document, base)
    }

    fn change_of(target: Target, base: Current) -> Change {
        let edits = vec![TextEdit { span: 7..7, text: ": int".to_owned() }];
        Change { target, base, edits, label: "Aside: add type hints".to_owned() }
    }

    /// The same edit of a file that is not open.
    fn file_change(&self, name: &str, text: Option<&str>) -> Change {
        let path = self.folder.path().join(name);
        let base = Current { text: Rope::from_str(text.unwrap_or_default()), version: None };
        let create = text.is_none();
        let edits = if create { vec![TextEdit { span: 0..0, text: AFTER.to_owned() }] } else { self.change().edits };
        Change { edits, ..Self::change_of(Target::File { path, create }, base) }
    }
}

/// What the editor says or does, one after the other.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Answers `applied`.
    Answers(bool),
    /// Answers with an error.
    Fails,
    /// Answers with this error.
    Says(&'static str),
    /// Reports that the document has this text by now.
    Reports(&'static str),
    /// Lets seconds pass.
    Waits(u64),
    /// Writes the file `b.py`.
    Saves(&'static str),
    /// Waits for another edit.
    Receives,
}

/// Applies the change in front of an editor that goes through `steps`; and how long that took.
async fn apply(it: &mut Fixture, change: Change, steps: &[Step]) -> (Landing, Duration) {
    let begun = Instant::now();
    let Fixture { backend, host, client, folder, .. } = it;
    let mut version = 1;
    let editor = async {
        let mut request = next_edit(client).await;
        for step in steps {
            match *step {
                Step::Answers(applied) => client.answer(&request, json!({"applied": applied})).await,
                Step::Fails => client.refuse(&request).await,
                Step::Says(error) => client.refuse_because(&request, error).await,
                Step::Receives => request = next_edit(client).await,
                Step::Waits(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                Step::Saves(text) => std::fs::write(folder.path().join("b.py"), text).expect("it is written"),
                Step::Reports(text) => {
                    version += 1;
                    report(backend, version, text).await;
                }
            }
        }
        std::future::pending::<()>().await;
    };
    let landing = ending(editor, host.apply(&change)).await;
    (landing, begun.elapsed())
}

async fn ending<T>(editor: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    tokio::select! {
        result = work => result,
        () = editor => unreachable!("the editor waits for ever"),
    }
}

async fn next_edit(client: &mut TestClient) -> Request {
    loop {
        let message = client.next().await;
        if message.method() == "workspace/applyEdit" {
            return message;
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// Someone types a minute long, ten keys a second, into an editor that refuses edits for a text that it has no longer; and
/// the edits that came meanwhile.
async fn typist(backend: &Backend, client: &mut TestClient, edits: &Mutex<u32>) {
    let over = Instant::now() + MINUTE;
    let mut keys = tokio::time::interval(Duration::from_millis(100));
    let (mut typed, mut version) = (String::new(), 1);
    loop {
        tokio::select! {
            _ = keys.tick(), if Instant::now() < over => {
                typed.push('a');
                version += 1;
                report(backend, version, &format!("# {typed}\n{BEFORE}")).await;
            }
            request = next_edit(client) => {
                let is_over = Instant::now() >= over;
                client.answer(&request, json!({"applied": is_over})).await;
                if is_over {
                    version += 1;
                    report(backend, version, &format!("# {typed}\n{AFTER}")).await;
                } else {
                    *edits.lock().unwrap() += 1;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_types_on_and_on_has_the_edit_at_the_first_pause() {
    let mut it = Fixture::new(BEFORE).await;
    let begun = Instant::now();
    let Fixture { backend, order, host, client, cancel, .. } = &mut it;
    let edits = Mutex::new(0);
    let mut lander = Lander::new(order, host, cancel, jobs::Step::Selection);
    let answer = format!("```python\n{AFTER}```\n");
    let fate = ending(typist(backend, client, &edits), lander.land(&answer)).await;
    assert!(matches!(fate, Fate::Applied), "{fate:?}");
    let after = begun.elapsed().checked_sub(MINUTE).expect("not while they typed");
    assert!(after <= REST * 2, "{after:?}");
    assert_eq!(*edits.lock().unwrap(), EAGER + 1, "after that they are left alone");
}

#[tokio::test(start_paused = true)]
async fn who_types_on_and_on_can_cancel_the_edit() {
    let mut it = Fixture::new(BEFORE).await;
    let Fixture { backend, order, host, client, cancel, .. } = &mut it;
    let edits = Mutex::new(0);
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(MINUTE / 2).await;
        stop.cancel();
    });
    let mut lander = Lander::new(order, host, cancel, jobs::Step::Selection);
    let answer = format!("```python\n{AFTER}```\n");
    let fate = ending(typist(backend, client, &edits), lander.land(&answer)).await;
    assert!(matches!(fate, Fate::Cancelled), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_in_a_text_that_had_moved_on_is_taken_back() {
    use Step::{Answers, Receives, Reports};
    const TYPED: &str = "# typed\ndef a(x):\n    return x\n";
    const ASTRAY: &str = "# typed: int\ndef a(x):\n    return x\n";
    const BELOW: &str = "def a(x):\n    return x\n# typed\n";
    const WITH_BELOW: &str = "def a(x: int):\n    return x\n# typed\n";
    let undo =
        Landing::Refused("the editor put the edit into a text that had moved on; please undo it there".to_owned());
    let table: Vec<(&[Step], Landing)> = vec![
        (&[Reports(TYPED), Reports(ASTRAY), Receives, Reports(TYPED)], Landing::Stale),
        (&[Answers(true), Reports(TYPED), Reports(ASTRAY), Receives, Answers(true), Reports(TYPED)], Landing::Stale),
        // It may be in the right place all the same.
        (&[Reports(BELOW), Reports(WITH_BELOW)], Landing::Landed),
        (&[Reports(TYPED), Reports(ASTRAY), Receives, Answers(false)], undo),
    ];
    for (steps, expected) in table {
        let mut it = Fixture::new(BEFORE).await;
        let change = it.change();
        assert_eq!(apply(&mut it, change, steps).await.0, expected, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_editor_that_confirms_changes_is_asked_to() {
    use Step::{Answers, Fails, Reports, Waits};
    let rejected = Landing::Rejected("it was not confirmed".to_owned());
    let table: Vec<(&[Step], Landing)> = vec![
        // Users take their time.
        (&[Waits(600), Answers(true), Reports(AFTER)], Landing::Landed),
        (&[Waits(600), Reports(AFTER), Answers(true)], Landing::Landed),
        (&[Answers(false)], rejected.clone()),
        (&[Fails], rejected.clone()),
        // So says Neovim when its user says no.
        (&[Answers(true)], rejected),
        (&[Reports("# typed\n"), Answers(true)], Landing::Overtaken),
        (&[Answers(false), Reports("# typed\n")], Landing::Overtaken),
    ];
    for (steps, expected) in table {
        let mut it = Fixture::new(BEFORE).await;
        it.preview(|capabilities| capabilities.confirms_changes = true);
        let change = it.change();
        assert_eq!(apply(&mut it, change, steps).await.0, expected, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_to_confirm_says_what_it_is() {
    for (create, description) in [(false, "one place in a.py"), (true, "a new file, tests/b.py")] {
        let mut it = Fixture::new(BEFORE).await;
        it.preview(|capabilities| capabilities.confirms_changes = true);
        let change = if create { it.file_change("tests/b.py", None) } else { it.change() };
        let Fixture { host, client, .. } = &mut it;
        let look = async {
            let edit = params(&next_edit(client).await)["edit"].clone();
            let annotation = json!({
                "label": "Aside: add type hints", "needsConfirmation": true, "description": description,
            });
            assert_eq!(edit["changeAnnotations"], json!({ "aside": annotation }));
            for change in edit["documentChanges"].as_array().expect("changes") {
                let parts = change["edits"].as_array().cloned().unwrap_or_else(|| vec![change.clone()]);
                assert!(parts.iter().all(|part| part["annotationId"] == "aside"), "{change}");
            }
        };
        tokio::select! {
            _ = host.apply(&change) => unreachable!("nobody answers"),
            () = look => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clients_own_preview_outranks_annotations() {
    let mut it = Fixture::new(BEFORE).await;
    it.preview(|capabilities| {
        capabilities.confirms_changes = true;
        capabilities.preview = true;
    });
    let change = it.change();
    let Fixture { host, client, .. } = &mut it;
    tokio::select! {
        _ = host.apply(&change) => unreachable!("nobody decides"),
        message = client.next() => assert_eq!(message.method(), "aside/proposal"),
    }
}

#[tokio::test(start_paused = true)]
async fn neovim_gets_a_version_that_it_looks_at() {
    for (name, version, sent) in [("Neovim", 0, 1), ("Neovim", 3, 3), ("helix", 0, 0)] {
        let mut it = Fixture::new(BEFORE).await;
        {
            let mut state = it.session().state();
            state.capabilities = state.capabilities.clone().of_client(name);
            state.documents.get_mut(&it.host.uri).expect("it is open").set_version(version);
        }
        let change = it.change();
        let Fixture { host, client, .. } = &mut it;
        let look = async {
            let edit = params(&next_edit(client).await)["edit"].clone();
            assert_eq!(edit["documentChanges"][0]["textDocument"]["version"], sent, "{name} {version}");
        };
        tokio::select! {
            _ = host.apply(&change) => unreachable!("nobody answers"),
            () = look => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_was_opened_again_is_told_by_its_text() {
    let it = Fixture::new(BEFORE).await;
    let change = it.change();
    {
        let mut state = it.session().state();
        state.documents.close(&it.host.uri);
        state.documents.open(it.host.uri.clone(), "python", 1, "# other\n");
    }
    assert_eq!(it.host.apply(&change).await, Landing::Stale);
}

async fn report(backend: &Backend, version: i32, text: &str) {
    let uri = backend.session.state().documents.iter().next().map(|document| document.uri().clone());
    let change = json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]});
    let change: DidChangeTextDocumentParams = from_value(change).expect("params");
    text_sync::did_change(backend, change).await;
}

/// As Emacs says it, which reports what was typed half a second after the last key.
const OUTDATED: &str = "Edits on `a.py' require version 1, you have 4";

#[tokio::test(start_paused = true)]
async fn the_text_proves_the_edit_whatever_the_editor_says() {
    use Step::{Answers, Fails, Reports, Says, Waits};
    let landed = Landing::Landed;
    let refused = |why: &str| Landing::Refused(why.to_owned());
    let declined = |why: &str| Landing::Declined(why.to_owned());
    let silent = refused("the editor did not answer for 5 s");
    let table: Vec<(&[Step], Landing, u64)> = vec![
        (&[Answers(true), Reports(AFTER)], landed.clone(), 0),
        (&[Answers(true), Waits(1), Reports(AFTER)], landed.clone(), 1),
        (&[Reports(AFTER), Answers(true)], landed.clone(), 0),
        (&[Reports(AFTER), Answers(false)], landed.clone(), 0),
        (&[Reports(AFTER)], landed.clone(), 0),
        (&[Waits(3), Reports(AFTER)], landed.clone(), 3),
        (&[Reports("def a(x: int):\r\n    return x\r\n")], landed.clone(), 0),
        (&[Answers(true), Reports("def a(x: i):\n    return x\n"), Reports(AFTER)], landed, 0),
        (&[Answers(false)], declined("the editor refused the edit"), 0),
        (&[Fails], declined("the editor refused the edit: Method not found"), 0),
        (&[], silent.clone(), 5),
        (&[Waits(6), Reports(AFTER)], silent, 5),
        (&[Answers(true)], refused("the editor accepted the edit, but the text did not change"), 5),
        (&[Answers(false), Reports("# typed\n")], Landing::Stale, 0),
        (&[Reports("# typed\n"), Answers(true)], Landing::Stale, 0),
        (&[Reports("# typed\n"), Answers(false)], Landing::Stale, 0),
        (&[Answers(true), Reports("# typed\n")], Landing::Stale, 0),
        (&[Says(OUTDATED), Waits(3), Reports("# typed\n")], Landing::Stale, 3),
        (&[Says(OUTDATED)], declined("the editor refused the edit: Edits on `a.py' require version 1, you have 4"), 60),
        (&[Says("read-only"), Waits(3), Reports("# typed\n")], declined("the editor refused the edit: read-only"), 0),
    ];
    for (steps, expected, seconds) in table {
        let mut it = Fixture::new(BEFORE).await;
        let change = it.change();
        let (landing, time) = apply(&mut it, change, steps).await;
        assert_eq!(landing, expected, "{steps:?}");
        assert_eq!(time.as_secs(), seconds, "{steps:?} took {time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_edit_for_another_text_is_not_sent() {
    let it = Fixture::new(BEFORE).await;
    let change = it.change();
    report(&it.backend, 2, "# typed\n").await;
    assert_eq!(it.host.apply(&change).await, Landing::Stale);
    for (name, on_disk, base) in [
        ("b.py", None, Some(BEFORE)),
        ("c.py", Some("# other\n"), Some(BEFORE)),
        ("d.py", Some("# here first\n"), None),
    ] {
        if let Some(text) = on_disk {
            std::fs::write(it.folder.path().join(name), text).expect("it is written");
        }
        assert_eq!(it.host.apply(&it.file_change(name, base)).await, Landing::Stale, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_open_is_proved_by_the_disk_or_the_editors_word() {
    use Step::{Answers, Saves};
    let declined = Landing::Declined("the editor refused the edit".to_owned());
    let table: Vec<(&[Step], Option<&str>, Landing)> = vec![
        (&[Answers(true)], Some(BEFORE), Landing::Landed),
        (&[Answers(true)], None, Landing::Landed),
        (&[Saves(AFTER), Answers(false)], Some(BEFORE), Landing::Landed),
        (&[Saves(AFTER)], None, Landing::Landed),
        (&[Answers(false)], Some(BEFORE), declined),
    ];
    for (steps, base, expected) in table {
        let mut it = Fixture::new(BEFORE).await;
        if let Some(text) = base {
            std::fs::write(it.folder.path().join("b.py"), text).expect("it is written");
        }
        let change = it.file_change("b.py", base);
        assert_eq!(apply(&mut it, change, steps).await.0, expected, "{steps:?} {base:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_created_here_where_the_editor_does_not() {
    let it = Fixture::new(BEFORE).await;
    it.session().state().capabilities.create_file = false;
    assert_eq!(it.host.apply(&it.file_change("tests/b.py", None)).await, Landing::Landed);
    assert_eq!(std::fs::read_to_string(it.folder.path().join("tests/b.py")).expect("it is there"), AFTER);
    let outside = it.host.apply(&it.file_change("../b.py", None)).await;
    assert!(matches!(&outside, Landing::Refused(why) if why.contains("not in the workspace")), "{outside:?}");
}

#[tokio::test]
async fn an_open_file_is_found_however_the_editor_spells_its_uri() {
    let it = Fixture::new(BEFORE).await;
    let path = it.folder.path().join("b@c.py");
    let spelled: Uri = file_uri(&path).expect("a path").to_string().replace('@', "%40").parse().expect("a URI");
    it.session().state().documents.open(spelled.clone(), "python", 7, "open\n");
    let current = it.host.file(&path).expect("it can be read").expect("it is open");
    assert_eq!((current.text.to_string().as_str(), current.version), ("open\n", Some(7)));
    assert_eq!(it.host.uri_of(&path).expect("a path"), spelled);
}

#[tokio::test(start_paused = true)]
async fn a_preview_waits_for_the_users_word() {
    for (accept, expected) in [
        (Some(true), Landing::Landed),
        (Some(false), Landing::Rejected("it was rejected".to_owned())),
        (None, Landing::Cancelled),
    ] {
        let mut it = Fixture::new(BEFORE).await;
        it.preview(|capabilities| capabilities.preview = true);
        let change = it.change();
        let Fixture { backend, host, client, cancel, .. } = &mut it;
        let editor = async {
            let proposal = params(&client.next().await);
            assert_eq!(proposal["job"], "job");
            assert!(proposal["diff"].as_str().is_some_and(|diff| diff.contains("--- a/a.py")), "{proposal}");
            match accept {
                Some(accept) => assert!(backend.session.state().proposals.decide(Some("job"), accept)),
                None => cancel.cancel(),
            }
            let request = next_edit(client).await;
            client.answer(&request, json!({"applied": true})).await;
            report(backend, 2, AFTER).await;
            std::future::pending::<()>().await;
        };
        let landing = ending(editor, host.apply(&change)).await;
        assert_eq!(landing, expected);
        assert!(it.session().state().proposals.list().is_empty());
    }
}

#[tokio::test]
async fn nothing_is_followed_any_more_when_the_job_is_over() {
    let it = Fixture::new(BEFORE).await;
    let (uri, track) = (it.host.uri.clone(), it.host.track);
    assert!(it.session().state().documents.tracked(&uri, track).is_some());
    let Fixture { host, backend, .. } = it;
    drop(host);
    assert!(backend.session.state().documents.tracked(&uri, track).is_none());
}

//! Edits that wait for the user's word, in an editor that shows them itself.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox};

const PYTHON: &str = "def area(width=2.0, height=1):\n    return width * height\n";

/// A client that previews edits, a document, and what is proposed for it.
fn proposed(sandbox: &Sandbox) -> (Client, String, Value) {
    let mut options = ClientOptions::default().announce("experimental/aside/preview", json!(true));
    options.initialize["initializationOptions"] = json!({"edits": {"confirm": "preview"}});
    let mut client = Client::start(sandbox, options);
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", PYTHON);
    client.run("add-type-hints", &uri, 0..PYTHON.len());
    let proposal = client.next("aside/proposal");
    assert_eq!(client.text(&uri), PYTHON, "nothing is changed before the user says so");
    assert!(proposal["diff"].as_str().unwrap().contains("+def area(width: float = 2.0"), "{proposal}");
    (client, uri, proposal)
}

#[test]
fn who_said_no_is_not_told_so() {
    let sandbox = Sandbox::new();
    let (mut client, uri, proposal) = proposed(&sandbox);
    let job = proposal["job"].as_str().unwrap().to_owned();
    client.execute("aside.reject", json!({"job": job})).expect("it waits");
    assert_eq!(client.stream_end(&job)["outcome"], "kept");
    client.ended_progress(1);
    assert_eq!(client.text(&uri), PYTHON);
    // Neither a warning nor a document; what is not read here fails the test.
    let said = client.read_all();
    let shown: Vec<_> = said
        .iter()
        .filter(|message| message["method"].as_str().is_some_and(|it| it.starts_with("window/show")))
        .collect();
    assert!(shown.is_empty(), "{shown:#?}");
    let again = client.execute("aside.showExplanation", json!({"id": job})).expect("the answer is not lost");
    assert_eq!(again["id"], json!(job));
    client.next("window/showDocument");
    client.read_all();
}

#[test]
fn who_said_yes_gets_the_edit() {
    let sandbox = Sandbox::new();
    let (mut client, uri, proposal) = proposed(&sandbox);
    let job = proposal["job"].as_str().unwrap().to_owned();
    client.execute("aside.accept", json!({"job": job})).expect("it waits");
    assert_eq!(client.stream_end(&job)["outcome"], "applied");
    assert!(client.text(&uri).starts_with("def area(width: float = 2.0"), "{}", client.text(&uri));
    client.read_all();
}

//! Where an explanation is read: the ladder from a virtual document to a message, and hover.

use serde_json::{Value, json};

use crate::support::{Client, ClientOptions, Sandbox, Simulator};

const TEXT: &str = "def one():\n    return 1\n\n\ndef two():\n    return 2\n";

fn scenario() -> &'static str {
    "[[step]]\ntimes = \"always\"\nanswer = 'Gives the number **one**, always.'\n"
}

fn start(options: impl FnOnce(ClientOptions) -> ClientOptions) -> (Sandbox, Simulator, Client, String) {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, Some(scenario()), None);
    let client = Client::start(&sandbox, options(ClientOptions::with_api(simulator.url.as_str())));
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", TEXT);
    (sandbox, simulator, client, uri)
}

#[test]
fn a_virtual_document_where_the_client_has_them() {
    let (_sandbox, _simulator, mut client, uri) =
        start(|options| options.announce("workspace/textDocumentContent", json!({"dynamicRegistration": false})));
    let schemes = &client.initialized["capabilities"]["workspace"]["textDocumentContent"]["schemes"];
    assert_eq!(*schemes, json!(["aside-explain"]));
    client.run_to_end("explain", &uri, 0..24);
    let shown = client.next("window/showDocument");
    let virtual_uri = shown["uri"].as_str().unwrap();
    assert!(virtual_uri.starts_with("aside-explain:"), "{virtual_uri}");
    let content = client.request("workspace/textDocumentContent", json!({"uri": virtual_uri})).unwrap();
    assert!(content["text"].as_str().unwrap().contains("Gives the number **one**, always."), "{content}");
    let gone = client.request("workspace/textDocumentContent", json!({"uri": "aside-explain:/no-such-thing.md"}));
    assert!(gone.is_err(), "{gone:?}");
}

#[test]
fn a_message_where_there_is_nothing_else() {
    let (_sandbox, _simulator, mut client, uri) =
        start(|options| options.announce("window/showDocument", json!({"support": false})));
    client.run_to_end("explain", &uri, 0..24);
    let message = client.next("window/showMessage");
    let text = message["message"].as_str().unwrap();
    assert!(text.contains("Gives the number"), "the beginning: {text}");
    assert!(text.contains("explanations") && text.contains(".md"), "and the file's path: {text}");
}

#[test]
fn a_message_where_the_client_cannot_show_the_file() {
    let (_sandbox, _simulator, mut client, uri) = start(|options| options);
    client.editor().behaviour.shows_documents = false;
    client.run_to_end("explain", &uri, 0..24);
    client.next("window/showDocument");
    let message = client.next("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains(".md"), "{message}");
}

fn hover(client: &mut Client, uri: &str, at: usize) -> Value {
    let position = client.range(uri, at..at)["start"].clone();
    client.request("textDocument/hover", json!({"textDocument": {"uri": uri}, "position": position})).unwrap()
}

#[test]
fn hover_shows_what_was_explained_and_asks_nobody() {
    let (_sandbox, simulator, mut client, uri) = start(|options| options);
    assert_eq!(hover(&mut client, &uri, 6), Value::Null, "nothing was explained yet");
    client.run_to_end("explain", &uri, 0..24);
    client.next("window/showDocument");
    let shown = hover(&mut client, &uri, 6);
    let markup = &shown["contents"];
    assert_eq!(markup["kind"], "markdown", "{shown}");
    assert!(markup["value"].as_str().unwrap().contains("Gives the number **one**"), "{shown}");
    let other = TEXT.find("two").unwrap();
    assert_eq!(hover(&mut client, &uri, other), Value::Null, "only for exactly the explained code");
    // Moved code is still the same code; changed code is not.
    client.edit(&uri, 0..0, "# moved\n");
    assert!(!hover(&mut client, &uri, 6 + 8).is_null());
    let at = client.text(&uri).find("return 1").unwrap();
    client.edit(&uri, at..at + 8, "return 3");
    assert_eq!(hover(&mut client, &uri, 6 + 8), Value::Null);
    assert_eq!(simulator.account()["requests"].as_array().unwrap().len(), 1, "hover costs nothing");
}

#[test]
fn hover_is_plain_text_where_the_client_knows_no_markdown() {
    let (_sandbox, _simulator, mut client, uri) =
        start(|options| options.announce("textDocument/hover", json!({"contentFormat": ["plaintext"]})));
    client.run_to_end("explain", &uri, 0..24);
    client.next("window/showDocument");
    assert_eq!(hover(&mut client, &uri, 6)["contents"]["kind"], "plaintext");
}

#[test]
fn hover_knows_explanations_of_an_earlier_session() {
    let (sandbox, simulator, mut client, uri) = start(|options| options);
    client.run_to_end("explain", &uri, 0..24);
    client.next("window/showDocument");
    drop(client);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    client.open(&uri, "python", TEXT);
    assert!(hover(&mut client, &uri, 6).to_string().contains("Gives the number"));
}

#[test]
fn hover_that_asks_uses_the_fast_model_and_remembers() {
    let sandbox = Sandbox::new();
    sandbox.configure("[hover]\nmode = \"ask\"\n");
    let simulator = Simulator::start(&sandbox, Some(scenario()), None);
    let mut client = Client::start(&sandbox, ClientOptions::with_api(simulator.url.as_str()));
    let uri = sandbox.uri("one.py");
    client.open(&uri, "python", TEXT);
    let shown = client.wait_for_hover(&uri, 6);
    assert!(shown.to_string().contains("Gives the number"), "{shown}");
    let again = hover(&mut client, &uri, 6);
    assert!(again.to_string().contains("Gives the number"), "{again}");
    let account = simulator.account();
    assert_eq!(account["requests"].as_array().unwrap().len(), 1, "the second hover is free: {account}");
    assert_eq!(account["requests"][0]["model"], "claude-haiku-5-5", "{account}");
}

impl Client {
    /// Hovers until there is something: an answer that is late comes with the next hover.
    fn wait_for_hover(&mut self, uri: &str, at: usize) -> Value {
        for _ in 0..20 {
            let shown = hover(self, uri, at);
            if !shown.is_null() && shown.to_string().contains("Gives") {
                return shown;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("no hover came");
    }
}

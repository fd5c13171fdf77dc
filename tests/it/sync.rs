//! Documents kept in step, in all three position encodings. What the server believes to be the text is seen in what it
//! sends to the API, and in where its edits land.

use serde_json::{Value, json};

use crate::support::http::Recorder;
use crate::support::{Client, ClientOptions, Sandbox, Simulator, positions};

const ENCODINGS: [&str; 3] = ["utf-8", "utf-16", "utf-32"];

/// Everything that is wider than it looks, and everything that looks like a line end and is none.
const TRICKY: &str = "# 👩🏽‍🚀 e\u{301}é 漢字 \u{2028} \u{2029} \u{85} \u{b} \u{c} end\r\n\
                      x = \"𝒳\u{1F1E9}\u{1F1EA}\"\rdef größe(a, b=\"ß→💥\"):\n\treturn a + b # 👨‍👩‍👧‍👦\u{200d}\r\n\r\n\
                      y = größe(1, \"\u{feff}z\")";

/// A small generator, so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    /// A place where an editor's cursor can be: between characters, and never inside a `\r\n`.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.next(text.len() + 1);
        while !text.is_char_boundary(at) || (text[..at].ends_with('\r') && text[at..].starts_with('\n')) {
            at -= 1;
        }
        at
    }
}

fn start(encoding: &str) -> (Sandbox, Simulator, Recorder, Client) {
    let sandbox = Sandbox::new();
    let simulator = Simulator::start(&sandbox, None, None);
    let recorder = Recorder::start(&simulator.url);
    let client =
        Client::start(&sandbox, ClientOptions::with_api(recorder.url.as_str()).encodings(&[encoding, "utf-16"]));
    assert_eq!(client.initialized["capabilities"]["positionEncoding"], encoding);
    (sandbox, simulator, recorder, client)
}

/// All text of the messages of a request.
fn prompt(request: &Value) -> String {
    let mut out = String::new();
    for message in request["messages"].as_array().unwrap() {
        for block in message["content"].as_array().unwrap() {
            out += block["text"].as_str().unwrap_or_default();
            out.push('\n');
        }
    }
    out
}

#[test]
fn thousands_of_changes_end_in_the_same_text() {
    for encoding in ENCODINGS {
        for seed in 1..=3 {
            let (sandbox, _simulator, recorder, mut client) = start(encoding);
            let uri = sandbox.uri("tricky.py");
            client.open(&uri, "python", TRICKY);
            let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
            for _ in 0..700 {
                let text = client.text(&uri);
                let (a, b) = (random.place(&text), random.place(&text));
                // Long deletions would leave nothing to work on.
                let span = a.min(b)..if random.next(3) == 0 { a.max(b).min(a.min(b) + 12) } else { a.min(b) };
                let span = span.start..ceil(&text, span.end);
                let piece =
                    ["a", "👩🏽‍🚀", "\r\n", "\r", "\n", "\u{2028}", "漢", "e\u{301}", "", "  x = 1\n"][random.next(10)];
                // A carriage return in front of a line feed would make one line end of two: no editor's cursor is there.
                if piece.ends_with('\r') && text[span.end..].starts_with('\n')
                    || piece.starts_with('\n') && text[..span.start].ends_with('\r')
                    || piece.is_empty() && text[..span.start].ends_with('\r') && text[span.end..].starts_with('\n')
                {
                    continue;
                }
                client.edit(&uri, span, piece);
            }
            client.edit(&uri, 0..0, "# the first line\n");
            let text = client.text(&uri);
            let result = client.run_to_end("explain", &uri, 0..text.len());
            assert_eq!(result["outcome"], "shown", "{encoding} {seed}: {result}");
            client.read_all();
            drop(client);
            let exchanges = recorder.exchanges(1);
            let sent = prompt(&exchanges.last().unwrap().request);
            assert!(
                sent.contains(text.trim_end()),
                "{encoding}, seed {seed}\n--- sent ---\n{sent}\n--- text ---\n{text}"
            );
        }
    }
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) || (text[..at].ends_with('\r') && text[at..].starts_with('\n')) {
        at += 1;
    }
    at
}

#[test]
fn a_selection_is_what_the_editor_shows_as_selected() {
    for encoding in ENCODINGS {
        let (sandbox, _simulator, recorder, mut client) = start(encoding);
        let uri = sandbox.uri("tricky.py");
        client.open(&uri, "python", TRICKY);
        for (count, selected) in
            ["größe(a, b=\"ß→💥\")", "a + b # 👨‍👩‍👧‍👦", "漢字 \u{2028} \u{2029}", "\u{feff}z"].into_iter().enumerate()
        {
            let start = TRICKY.find(selected).unwrap();
            client.run_to_end("explain", &uri, start..start + selected.len());
            client.read_all();
            let exchanges = recorder.exchanges(count + 1);
            let sent = prompt(&exchanges.last().unwrap().request);
            let block = sent.split_once("<selection ").expect("a block with the selection").1;
            let (_, inside) = block.split_once(">\n").unwrap();
            let (inside, _) = inside.split_once("\n</selection>").unwrap();
            assert_eq!(inside, selected, "{encoding}");
        }
    }
}

#[test]
fn edits_land_where_the_text_is_wide() {
    let answer = "[[step]]\ntimes = \"always\"\nanswer = '''```python\ndef größe(a: int, b: str = \"ß→💥\") -> str:\n\t\
                  return a + b # 👨‍👩‍👧‍👦\u{200d}\n```'''\n";
    for encoding in ENCODINGS {
        let sandbox = Sandbox::new();
        let simulator = Simulator::start(&sandbox, Some(answer), None);
        let options = ClientOptions::with_api(simulator.url.as_str()).encodings(&[encoding]);
        let mut client = Client::start(&sandbox, options);
        let uri = sandbox.uri("tricky.py");
        client.open(&uri, "python", TRICKY);
        let start = TRICKY.find("def").unwrap();
        let end = TRICKY.find("\u{200d}\r\n\r\n").unwrap() + "\u{200d}".len();
        let result = client.run_to_end("add-type-hints", &uri, start..end);
        assert_eq!(result["outcome"], "applied", "{encoding}: {result}");
        let expected = TRICKY.replace("def größe(a, b=\"ß→💥\"):", "def größe(a: int, b: str = \"ß→💥\") -> str:");
        assert_eq!(client.text(&uri), expected, "{encoding}");
        client.next("workspace/applyEdit");
    }
}

#[test]
fn positions_past_the_end_are_clamped_as_the_protocol_says() {
    let (sandbox, _simulator, recorder, mut client) = start("utf-16");
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", "one\ntwo\n");
    // A change at a column past the line's end is at the line's end; a line past the last is the end of the text.
    let change = |version: i32, start: (u32, u32), end: (u32, u32), text: &str| {
        json!({
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{
                "range": {
                    "start": {"line": start.0, "character": start.1},
                    "end": {"line": end.0, "character": end.1},
                },
                "text": text,
            }],
        })
    };
    client.notify("textDocument/didChange", change(2, (0, 99), (0, 99), "!"));
    client.notify("textDocument/didChange", change(3, (9, 0), (9, 9), "three\n"));
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let argument = json!({"action": "explain", "uri": uri, "range": range, "version": 3, "wait": true});
    let result = client.execute("aside.run", argument);
    // A selection past the end of the document is the user's to know about, or is the whole document: never a crash.
    drop(result);
    let range = json!({"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}});
    let argument = json!({"action": "explain", "uri": uri, "range": range, "version": 3, "wait": true});
    let result = client.execute("aside.run", argument).unwrap();
    assert_eq!(result["outcome"], "shown", "{result}");
    client.read_all();
    let sent = prompt(&recorder.exchanges(1).last().unwrap().request);
    assert!(sent.contains("one!\ntwo\nthree\n"), "{sent}");
}

#[test]
fn several_changes_in_one_notification_count_in_order() {
    let (sandbox, _simulator, recorder, mut client) = start("utf-8");
    let uri = sandbox.uri("a.py");
    client.open(&uri, "python", "abc\n");
    let at = |from: u32, to: u32| json!({"start": {"line": 0, "character": from}, "end": {"line": 0, "character": to}});
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": 2}, "contentChanges": [
            {"range": at(0, 1), "text": "XYZ"},
            {"range": at(3, 4), "text": "-"},
            {"text": "whole = 'new'\n"},
            {"range": at(9, 12), "text": "newer"},
        ]}),
    );
    {
        let mut editor = client.editor();
        let document = editor.documents.get_mut(&uri).unwrap();
        document.version = 2;
        document.text = "whole = 'newer'\n".into();
    }
    client.run_to_end("explain", &uri, 0..15);
    client.read_all();
    let sent = prompt(&recorder.exchanges(1).last().unwrap().request);
    assert!(sent.contains("whole = 'newer'"), "{sent}");
}

#[test]
fn the_model_of_positions_is_right_about_itself() {
    let text = "a👩🏽‍🚀é\r\n\u{2028}x\ry\n";
    assert_eq!(positions::lines(text).len(), 4);
    for encoding in ENCODINGS {
        for (at, _) in text.char_indices().filter(|(at, c)| !(*c == '\n' && text[..*at].ends_with('\r'))) {
            assert_eq!(
                positions::offset(text, encoding, &positions::position(text, encoding, at)),
                at,
                "{encoding} {at}"
            );
        }
    }
    assert_eq!(positions::position("👩🏽‍🚀x", "utf-16", "👩🏽‍🚀".len()), json!({"line": 0, "character": 7}));
    assert_eq!(positions::position("👩🏽‍🚀x", "utf-32", "👩🏽‍🚀".len()), json!({"line": 0, "character": 4}));
    assert_eq!(positions::position("👩🏽‍🚀x", "utf-8", "👩🏽‍🚀".len()), json!({"line": 0, "character": 15}));
}

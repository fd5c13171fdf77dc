use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::*;

fn frame(body: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// What comes out of `input` when it arrives in pieces of at most `piece` bytes: the bodies, and what is left at the end.
fn bodies(input: &[u8], piece: usize) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (out, end) = runtime.block_on(async {
        let (mut editor, server) = tokio::io::duplex(piece);
        let end = CancellationToken::new();
        let mut frames = Frames::new(server, end.clone());
        let input = input.to_vec();
        let write = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut editor, &input).await.expect("it is read");
        });
        let mut out = String::new();
        frames.read_to_string(&mut out).await.expect("text");
        write.await.expect("no panic");
        (out, end.is_cancelled())
    });
    assert!(end, "the end of the input is noticed");
    let mut bodies = Vec::new();
    let mut rest = out.as_str();
    while let Some((header, after)) = rest.split_once("\r\n\r\n") {
        let length: usize = header.strip_prefix("Content-Length: ").expect("one header").parse().expect("a number");
        bodies.push(after[..length].to_owned());
        rest = &after[length..];
    }
    assert_eq!(rest, "", "nothing but frames");
    bodies
}

fn check(input: &str, expected: &[&str]) {
    for piece in [1, 7, 1 << 20] {
        assert_eq!(bodies(input.as_bytes(), piece), expected, "{input:?} in pieces of {piece}");
    }
}

const GOOD: &str = r#"{"jsonrpc":"2.0","method":"a","params":{"text":"μ"}}"#;
const NO_JSON_BODY: &str = r#"{"jsonrpc":"2.0","id":null,"method":"$/aside/noJson"}"#;
const NO_MESSAGE_BODY: &str = r#"{"jsonrpc":"2.0","id":null,"method":"$/aside/noMessage"}"#;

#[test]
fn what_can_not_be_read_is_replaced_and_the_rest_goes_on() {
    for bad in ["{not json", "\u{1}", "{\"jsonrpc\":\"2.0\",", &"[".repeat(100_000)] {
        check(&(frame(GOOD) + &frame(bad) + &frame(GOOD)), &[GOOD, NO_JSON_BODY, GOOD]);
    }
    // What nobody looks at is read all the same, to the last.
    for odd in [r#""\uZZZZ""#, r#""\q""#, "1e999", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
        let bad = GOOD.replacen('{', &format!("{{\"other\":{odd},"), 1);
        check(&(frame(&bad) + &frame(GOOD)), &[NO_JSON_BODY, GOOD]);
    }
    let half = GOOD.replacen('{', "{\"other\":\"\\ud83d\",", 1);
    check(&(frame(&half) + &frame(GOOD)), &[&half.replace("\\ud83d", "\\uFFFD"), GOOD]);
    for bad in [
        "[]",
        "1",
        r#"{"method":"a"}"#,
        r#"{"jsonrpc":"1.0"}"#,
        r#"{"jsonrpc":"2.0","id":1.5}"#,
        r#"{"jsonrpc":"2.0","method":7}"#,
    ] {
        check(&(frame(bad) + &frame(GOOD)), &[NO_MESSAGE_BODY, GOOD]);
    }
    let latin = [b"Content-Length: 3\r\n\r\n\"\xE9\"", frame(GOOD).as_bytes()].concat();
    assert_eq!(bodies(&latin, 64), [NO_JSON_BODY, GOOD]);
}

#[test]
fn headers_may_be_written_in_any_way() {
    let length = GOOD.len();
    for headers in [
        format!("content-length: {length}\r\n"),
        format!("Content-Length:{length}\r\nContent-Type: application/vscode-jsonrpc\r\n"),
        format!(
            "A: 1\r\nB: 2\r\nC: 3\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {length}\r\n"
        ),
    ] {
        check(&format!("{headers}\r\n{GOOD}"), &[GOOD]);
    }
    for headers in
        ["Content-Length: many\r\n", "Length: 3\r\n", "Content-Length: 99999999999\r\n", "Content-Length: -1\r\n"]
    {
        check(&format!("{headers}\r\n{}", frame(GOOD)), &[NO_JSON_BODY, GOOD]);
    }
    let endless = "x".repeat(MAX_HEADERS + 1);
    assert_eq!(bodies(endless.as_bytes(), 1 << 20), [NO_JSON_BODY]);
    // What stands behind it is found, in whatever pieces it came.
    check(&(endless + &frame(GOOD) + &frame(GOOD)), &[NO_JSON_BODY, GOOD, GOOD]);
    let long = format!("A: {}\r\n{}", "x".repeat(MAX_HEADERS), frame(GOOD));
    check(&long, &[NO_JSON_BODY, GOOD]);
}

#[test]
fn a_frame_that_is_cut_off_is_left_out() {
    let half = frame(GOOD);
    check(&(frame(GOOD) + &half[..half.len() - 1]), &[GOOD]);
    check(&half[..10], &[]);
    check("", &[]);
}

#[test]
fn half_of_a_pair_is_one_unit_of_something_else() {
    for (escaped, expected) in [
        (r"\ud83e\uddee", "🧮"),
        (r"a\ud83eb", "a\u{FFFD}b"),
        (r"\uddee\ud83e", "\u{FFFD}\u{FFFD}"),
        (r"\ud83e\ud83e\uddee", "\u{FFFD}🧮"),
        (r"\\ud83e\ud83e", "\\ud83e\u{FFFD}"),
        (r"\n\ud83e\n", "\n\u{FFFD}\n"),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"a","params":{{"text":"{escaped}"}}}}"#);
        let [checked] = bodies(frame(&body).as_bytes(), 64).try_into().expect("one frame");
        let value: Value = serde_json::from_str(&checked).expect("JSON");
        assert_eq!(value["params"]["text"], json!(expected), "{escaped}");
    }
}

proptest! {
    #[test]
    fn messages_pass_unchanged_and_in_order(texts in proptest::collection::vec("\\PC*", 0..8), piece in 1..40_usize) {
        let sent: Vec<String> = texts
            .iter()
            .enumerate()
            .map(|(id, text)| json!({"jsonrpc": "2.0", "id": id, "method": text, "params": {text: [text, null, 1.5, true]}}).to_string())
            .collect();
        let input: String = sent.iter().map(|body| frame(body)).collect();
        prop_assert_eq!(bodies(input.as_bytes(), piece), sent);
    }

    #[test]
    fn no_bytes_panic_or_hang(input in proptest::collection::vec(any::<u8>(), 0..200), piece in 1..40_usize) {
        bodies(&[b"Content-Length: 20\r\n\r\n".as_slice(), &input].concat(), piece);
    }
}

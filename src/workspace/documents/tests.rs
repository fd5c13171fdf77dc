use std::path::Path;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::workspace::positions::{self, Encoding, Position};

fn uri(path: &str) -> Url {
    Url::parse(path).unwrap()
}

fn document(text: &str) -> Document {
    Document::new(uri("file:///p/a.py"), "python", 1, text)
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{0,4}", "[\r\n]{0,3}", Just("é👍🏽漢\u{2028}".to_owned())]
}

proptest! {
    /// The same changes, by position, to a rope and to a plain string.
    #[test]
    fn changes_do_what_they_do_to_a_string(
        start in prop::collection::vec(piece(), 0..60),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, piece()), 1..40),
    ) {
        let mut model: Vec<char> = start.concat().chars().collect();
        let mut document = document(&start.concat());
        for (at, removed, new) in changes {
            let from = at.index(model.len() + 1);
            let to = (from + removed).min(model.len());
            let bytes = |chars: &[char]| chars.iter().map(|c| c.len_utf8()).sum::<usize>();
            let span = bytes(&model[..from])..bytes(&model[..to]);
            document.apply(Change::Span(span, new.clone()));
            model.splice(from..to, new.chars());
            prop_assert_eq!(document.text().to_string(), model.iter().collect::<String>());
        }
    }

    #[test]
    fn no_span_panics(text in ".{0,30}", a in 0_usize..60, b in 0_usize..60, new in ".{0,3}") {
        let mut document = document(&text);
        let id = document.track(b..a);
        document.apply(Change::Span(a..b, new));
        prop_assert!(document.tracked(id).unwrap().span.end <= document.text().len_bytes());
    }
}

#[test]
fn a_document_of_two_megabytes_takes_twenty_thousand_changes() {
    let mut document = document(&"0123456789\n".repeat(190_000));
    let id = document.track(1_000_000..1_000_100);
    let mut expected = document.text().to_string();
    for n in 0..20_000_usize {
        let position = Position::new(u32::try_from(n * 7 % 190_000).unwrap(), 3);
        let at = positions::offset(document.text(), Encoding::Utf16, position);
        document.apply(Change::Span(at..at, "x".to_owned()));
    }
    let typed = document.text().chars().filter(|c| *c == 'x').count();
    assert_eq!(typed, 20_000);
    expected.retain(|c| c != 'x');
    assert_eq!(document.text().to_string().replace('x', ""), expected);
    assert!(document.tracked(id).is_some());
}

#[test]
fn the_language_is_the_one_named_or_the_one_the_path_tells() {
    let language = |path: &str, id: &str| Document::new(uri(path), id, 1, "").language().id;
    assert_eq!(language("file:///a/b.py", "ruby"), "ruby");
    assert_eq!(language("file:///a/b.py", "something-new"), "python");
    assert_eq!(language("file:///a/b.tsx", ""), "typescriptreact");
    assert_eq!(language("untitled:Untitled-1", "go"), "go");
    assert_eq!(language("untitled:Untitled-1", "what"), "plaintext");
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let mut document = document("one");
    let before = document.snapshot();
    document.apply(Change::Full("two".to_owned()));
    document.set_version(2);
    assert_eq!((before.text.to_string().as_str(), before.version), ("one", Some(1)));
    assert_eq!(document.snapshot().text, "two");
}

#[test]
fn ranges_are_followed_through_close_and_open() {
    let mut documents = Documents::default();
    let name = uri("file:///p/a.py");
    let document = documents.open(name.clone(), "python", 1, "one\ntwo\nthree\n");
    let id = document.track(4..7);
    assert!(documents.close(&name));
    assert!(documents.get(&name).is_none());
    assert_eq!(documents.tracked(&name, id).unwrap().span, 4..7);
    documents.open(name.clone(), "python", 1, "zero\none\ntwo\nthree, four\n");
    let tracked = documents.tracked(&name, id).unwrap();
    assert_eq!((tracked.span, tracked.touched), (9..12, false));
    documents.untrack(&name, id);
    documents.close(&name);
    assert!(documents.parked.is_empty());
}

#[test]
fn what_cannot_be_worked_on_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let message = |path: &Path| Snapshot::read(path).unwrap_err().message;
    assert!(message(&write("a.bin", b"\x7fELF\0\0")).contains("is a binary file"));
    assert!(message(&write("a.py", b"caf\xe9")).contains("is not UTF-8 text (byte 3)"));
    assert!(message(&write("big.py", &vec![b'a'; MAX_DOCUMENT_BYTES + 1])).contains("too large: 9 MiB"));
    assert!(message(folder.path()).contains("is a directory"));
    assert!(message(&folder.path().join("none.py")).contains("does not exist"));
    assert!(message(Path::new("relative.py")).contains("not an absolute path"));
    #[cfg(unix)]
    assert!(message(Path::new("/dev/zero")).contains("is not a file"));
    let read = Snapshot::read(&write("ok.rs", "fn µ() {}\r\n".as_bytes())).unwrap();
    assert_eq!((read.text.to_string().as_str(), read.version, read.language.id), ("fn µ() {}\r\n", None, "rust"));

    let mut open = document(&"a".repeat(MAX_DOCUMENT_BYTES));
    assert!(!open.too_large() && open.snapshot().check().is_ok());
    open.apply(Change::Span(0..0, "a".to_owned()));
    assert!(open.too_large());
    assert!(open.snapshot().check().unwrap_err().message.contains("a.py is too large"));
    open.apply(Change::Full("a\0".to_owned()));
    assert!(open.snapshot().check().unwrap_err().message.contains("binary"));
}

#[test]
fn a_snapshot_is_parsed_once_for_all_who_ask() {
    let mut snapshot = document("def f():\n    pass\n").snapshot();
    let first = snapshot.syntax().unwrap();
    // The root is each clone's own, what is in it is shared.
    let function = |syntax: &Syntax| syntax.tree().root_node().child(0).unwrap().id();
    let is_first = |snapshot: &Snapshot| function(&snapshot.syntax().unwrap()) == function(&first);
    let other = snapshot.clone();
    assert!(is_first(&snapshot) && is_first(&other), "clones share it");
    other.forget_tree();
    assert!(!is_first(&snapshot), "all let go of it together");
    let ahead = other.parsed_ahead();
    assert!(ahead.now("def f():\n    pass\n").is_parsed(), "it was parsed already");
    assert!(!other.parsed_ahead().now("def f():\n    pass\n").is_parsed(), "and taken away");
    assert!(snapshot.syntax().is_some());
    snapshot.text = Rope::from_str("class C:\n    pass\n");
    assert_eq!(snapshot.syntax().unwrap().items()[0].name, "C", "a tree is of one text");
    snapshot.language = language::by_id("plaintext");
    assert!(snapshot.syntax().is_none() && !snapshot.parsed_ahead().now("class C:\n    pass\n").is_parsed());
}

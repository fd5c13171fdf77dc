use lsp_types::{Position, TextDocumentIdentifier, TextDocumentPositionParams, WorkDoneProgressParams};

use super::super::super::test_client::TestSession;
use super::*;

const TEXT: &str = "def one():\n    return 1\n\n\ndef two():\n    return 2\n";
const ONE: u32 = 0;
const TWO: u32 = 4;

async fn start(scenario: &str) -> (TestSession, Uri) {
    let it = TestSession::new(scenario).await;
    {
        let mut state = it.session().state();
        Arc::make_mut(&mut state.settings).hover.mode = HoverMode::Ask;
    }
    let uri = it.open("a.py", TEXT);
    (it, uri)
}

/// What a hover over a line shows.
async fn hover_over(it: &TestSession, uri: &Uri, line: u32) -> Option<String> {
    let place = TextDocumentPositionParams {
        text_document: TextDocumentIdentifier { uri: uri.clone() },
        position: Position { line, character: 5 },
    };
    let params = HoverParams {
        text_document_position_params: place,
        work_done_progress_params: WorkDoneProgressParams::default(),
    };
    let shown = hover(&it.backend, params).await.expect("hovers do not fail")?;
    match shown.contents {
        Contents::MarkupContent(content) => Some(content.value),
        _ => panic!("hovers are markup"),
    }
}

fn requests(it: &TestSession) -> u64 {
    it.session().totals().attempts
}

#[test]
fn a_long_explanation_is_cut_with_its_fences_closed_and_loads_nothing() {
    let explained = |markdown: String| Explained { id: "ID".to_owned(), code: String::new(), markdown };
    assert_eq!(shortened(&explained("a\nb\n".to_owned())), "a\nb");
    let exactly = vec!["line"; MAX_LINES].join("\n");
    assert_eq!(shortened(&explained(exactly.clone())), exactly);
    let long = format!("````py\n{}````\n", "```\n".repeat(MAX_LINES));
    let shown = shortened(&explained(long));
    assert!(shown.ends_with("\n````\n\n… the whole: `aside.showExplanation ID`"), "{shown}");
    let image = shortened(&explained("![x](https://example.com/x.png)".to_owned()));
    assert!(!image.contains("!["), "{image}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_once_and_shows_the_answer_from_then_on() {
    let (it, uri) = start("[[step]]\ntimes = \"always\"\nanswer = 'Gives one.'\n").await;
    let (a, b) = tokio::join!(hover_over(&it, &uri, ONE), hover_over(&it, &uri, ONE));
    assert_eq!((a.as_deref(), b.as_deref()), (Some("Gives one."), Some("Gives one.")));
    assert_eq!(hover_over(&it, &uri, ONE).await.as_deref(), Some("Gives one."));
    assert_eq!(requests(&it), 1);
    assert_eq!(hover_over(&it, &uri, TWO).await.as_deref(), Some("Gives one."));
    assert_eq!(hover_over(&it, &uri, ONE).await.as_deref(), Some("Gives one."), "it is remembered");
    assert_eq!(requests(&it), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_does_not_stick() {
    let failing = "[[step]]\nstatus = 400\n[[step]]\ntimes = \"always\"\nanswer = 'Gives one.'\n";
    let (it, uri) = start(failing).await;
    assert_eq!(hover_over(&it, &uri, ONE).await, None);
    assert_eq!(hover_over(&it, &uri, ONE).await.as_deref(), Some("Gives one."));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_place_wins_and_another_hover_is_not_held_up() {
    let scenario = "[[step]]\nmatch = { text = 'return 3' }\nstall = { at = 'first_event' }\n\
                    [[step]]\ntimes = \"always\"\nanswer = 'An answer.'\n";
    let (it, uri) = start(scenario).await;
    let slow = it.open("b.py", "def three():\n    return 3\n");
    let (first, second) = tokio::join!(biased;
        async {
            let begun = Instant::now();
            (hover_over(&it, &slow, ONE).await, begun.elapsed() < PATIENCE)
        },
        async {
            while it.session().state().asking.is_none() {
                tokio::task::yield_now().await;
            }
            hover_over(&it, &uri, TWO).await
        }
    );
    assert_eq!(second.as_deref(), Some("An answer."));
    assert_eq!(first, (None, true), "it ends when a later one takes its place");
    assert!(it.session().state().asking.is_some(), "the end of the first is not the end of the second");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_comes_with_the_next_hover() {
    let whole = "A word. ".repeat(50);
    let whole = whole.trim();
    let scenario = format!("[[step]]\nstall = {{ at = 'delta', deltas = 3, ms = 2500 }}\nanswer = '{whole}'\n");
    let (it, uri) = start(&scenario).await;
    let first = hover_over(&it, &uri, ONE).await.expect("what there is");
    assert!(first.ends_with(" …") && first.len() < whole.len(), "{first}");
    it.session().jobs.close();
    it.session().jobs.wait().await;
    assert_eq!(hover_over(&it, &uri, ONE).await.as_deref(), Some(whole));
    assert_eq!(requests(&it), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_hover_does_not_take_the_place_of_a_later_one() {
    let (it, uri) = start("[[step]]\ntimes = \"always\"\nstall = { at = 'headers' }\n").await;
    let question = |number| {
        let state = it.session().state();
        let snapshot = state.documents.get(&uri).expect("it is open").snapshot();
        Question { number, deadline: Instant::now(), offset: 0, snapshot, settings: state.settings.clone() }
    };
    let (one, two) = (0..24, TEXT.find("def two").expect("it is there")..TEXT.len());
    assert!(answer_for(it.session(), question(2), &two, None).is_some());
    assert!(answer_for(it.session(), question(1), &one, None).is_none());
    assert!(answer_for(it.session(), question(1), &two, None).is_some(), "the same place is welcome");
    assert!(answer_for(it.session(), question(3), &one, None).is_some());
    it.session().state().unusable = Some(Error::new(crate::error::ErrorKind::Config, "Wrong."));
    assert!(answer_for(it.session(), question(4), &one, None).is_none(), "nothing is sent under wrong settings");
    it.session().end.cancel();
}

#[tokio::test]
async fn explanations_made_while_the_ledger_is_read_are_not_missed() {
    let (it, uri) = start("").await;
    assert!(explanations(it.session(), &uri).await.is_empty());
    assert!(it.session().state().explained.contains_key(&uri), "read once");
    it.session().state().explained.clear();
    it.session().state().explanations += 1;
    let kept = |made_before| {
        keep(it.session(), &uri, &Arc::default(), made_before);
        it.session().state().explained.remove(&uri).is_some()
    };
    assert!(!kept(0), "the next hover reads again");
    assert!(kept(1));
    it.session().state().documents.close(&uri);
    assert!(!kept(1), "nothing is kept for documents that are closed");
}

use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::claude::client::Progress;
use crate::claude::types::Message;

fn random(length: usize) -> String {
    "k7Qp2Xv9Zt4Lm8Rw3Yb6Nc1Hd5Jf0Gs".chars().cycle().take(length).collect()
}

fn token() -> String {
    format!("ghp_{}", random(36))
}

fn gate() -> (tempfile::TempDir, Gate) {
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(folder.path().to_path_buf());
    (folder, gate)
}

fn turn(role: Role, texts: &[&str]) -> Message {
    Message { role, content: texts.iter().map(|text| ContentBlock::text(*text)).collect() }
}

fn request(messages: Vec<Message>) -> MessageRequest {
    MessageRequest { model: "m".into(), messages, ..MessageRequest::default() }
}

fn texts(request: &MessageRequest) -> Vec<String> {
    let mut request = request.clone();
    request.messages.iter_mut().flat_map(|it| &mut it.content).flat_map(texts_of).map(|it| it.clone()).collect()
}

fn answer(content: &[ContentBlock]) -> MessageResponse {
    serde_json::from_value(json!({ "id": "msg_1", "content": content, "stop_reason": "end_turn" })).unwrap()
}

#[test]
fn a_secret_goes_out_as_a_placeholder_and_comes_back() {
    let (folder, gate) = gate();
    let text = format!("let t = \"{}\"; // and password = \"hunter2!\"", token());
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&text])]), true);
    let sent = texts(sealed.request()).concat();
    assert!(!sent.contains("ghp_") && !sent.contains("hunter2"), "{sent}");
    assert_eq!(sent.matches(STEM).count(), 2, "{sent}");
    assert_eq!(sealed.opening().text(&sent), text);
    assert_eq!(
        sealed.withheld().sentence().unwrap(),
        "2 secrets were kept back (GitHub token; password): placeholders stand in their places."
    );
    // Another process makes the same ones, another installation others.
    let again = Gate::new(folder.path().to_path_buf()).seal(&request(vec![turn(Role::User, &[&text])]), true);
    assert_eq!(again.request(), sealed.request());
    let (_other, elsewhere) = self::gate();
    assert_ne!(elsewhere.seal(&request(vec![turn(Role::User, &[&text])]), true).request(), sealed.request());
    // Who wants none of it gets none of it.
    let plain = request(vec![turn(Role::User, &[&text])]);
    let open = gate.seal(&plain, false);
    assert_eq!((open.request(), open.withheld().sentence()), (&plain, None));
}

#[test]
fn what_one_block_tells_of_is_replaced_in_all_of_the_turn() {
    let (_folder, gate) = gate();
    let value = random(20);
    let bare = format!("connect(host, \"{value}\")");
    let telling = format!("API_TOKEN = \"{value}\"");
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&bare, &telling])]), true);
    assert!(texts(sealed.request()).iter().all(|text| text.contains(STEM) && !text.contains(&value)));
}

#[test]
fn a_conversation_that_grows_keeps_its_beginning() {
    let (_folder, gate) = gate();
    let (early, late) = (token(), random(22));
    let first = turn(Role::User, &[&format!("a = \"{early}\"; b(\"{late}\")")]);
    let said = turn(Role::Assistant, &[&format!("`{early}` is a token, {late} is none")]);
    let told = turn(Role::User, &[&format!("secret_key = \"{late}\", and {early}")]);
    let short = gate.seal(&request(vec![first.clone()]), true);
    let long = gate.seal(&request(vec![first, said, told]), true);
    let (short, long) = (texts(short.request()), texts(long.request()));
    assert_eq!(short[0], long[0]);
    assert!(long[0].contains(&late), "what was sent before is not called back: {}", long[0]);
    assert!(long[1].contains(STEM) && !long[1].contains(&early) && long[1].contains(&late), "{}", long[1]);
    assert!(!long[2].contains(&late) && !long[2].contains(&early), "{}", long[2]);
}

#[test]
fn a_secret_behind_a_word_stays_behind_in_all_turns() {
    let (_folder, gate) = gate();
    let token = token();
    let asked = turn(Role::User, &[&format!("x = \"{token}\"")]);
    let said = turn(Role::Assistant, &[&format!("Call it pre{token}.")]);
    let sealed = gate.seal(&request(vec![asked, said, turn(Role::User, &[&format!("Not old_{token}?")])]), true);
    let sent = texts(sealed.request());
    assert!(sent.iter().all(|text| text.contains(STEM) && !text.contains(&token)), "{sent:?}");
    assert_eq!(sealed.opening().text(&sent[1]), format!("Call it pre{token}."));
}

#[test]
fn tools_are_sealed_and_opened_and_thinking_goes_back_as_it_came() {
    let (_folder, gate) = gate();
    let token = token();
    let found: Message = serde_json::from_value(json!({ "role": "user", "content": [
        { "type": "tool_result", "tool_use_id": "t1", "content": format!("x = \"{token}\"") },
        { "type": "tool_result", "tool_use_id": "t2", "content": [
            { "type": "text", "text": format!("y = \"{token}\"") },
            { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": token } },
        ]},
    ]}))
    .unwrap();
    let sealed = gate.seal(&request(vec![found.clone()]), true);
    let placeholder = sealed.opening().placeholder(&token).unwrap().to_owned();
    let sent = serde_json::to_string(sealed.request()).unwrap();
    assert_eq!((sent.matches(&token).count(), sent.matches(&placeholder).count()), (1, 2), "{sent}");
    let thinking = ContentBlock::Thinking { thinking: format!("that is {placeholder}"), signature: "s".into() };
    let call = |value: &str| ContentBlock::ToolUse {
        id: "t3".into(),
        name: "search".into(),
        input: json!({ "query": [format!("\"{value}\"")] }),
        cache_control: None,
    };
    let mut message = answer(&[thinking.clone(), call(&placeholder)]);
    sealed.opening().message(&mut message);
    assert_eq!(message.content, [thinking.clone(), call(&token)]);
    // The history has the true arguments; on the way out they are what the model said.
    let history = request(vec![found, Message { role: Role::Assistant, content: message.content }]);
    let again = gate.seal(&history, true);
    assert_eq!(again.request().messages[1].content, [thinking, call(&placeholder)]);
}

#[test]
fn placeholders_of_other_requests_and_altered_ones_mean_nothing() {
    let (_folder, gate) = gate();
    let other = gate.seal(&request(vec![turn(Role::User, &[&format!("a = \"{}\"", token())])]), true);
    let stolen = texts(other.request()).concat();
    let text = format!("password = \"hunter2!\"; {stolen}");
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&text])]), true);
    let placeholder = sealed.opening().placeholder("hunter2!").unwrap().to_owned();
    assert_eq!(sealed.opening().text(&stolen), stolen);
    let lower = placeholder.to_lowercase();
    let cut = &placeholder[..placeholder.len() - 2];
    let longer = format!("{placeholder}7");
    let dashed = placeholder.replace('_', "-");
    for altered in [lower.as_str(), cut, &longer, &dashed] {
        let mut message = answer(&[ContentBlock::text(format!("p = \"{altered}\" and {stolen}"))]);
        sealed.opening().message(&mut message);
        assert_eq!(sealed.altered(&message), [altered]);
    }
    let mut message = answer(&[ContentBlock::text(format!("p = \"{placeholder}\"; {stolen}"))]);
    sealed.opening().message(&mut message);
    assert_eq!(sealed.altered(&message), [""; 0]);
}

#[test]
fn a_secret_in_front_of_letters_is_put_back() {
    let (_folder, gate) = gate();
    let text = format!("a = \"{}\"", token());
    let quoted = format!("{}elsewhere", token());
    let turns = vec![turn(Role::User, &[&text]), turn(Role::Assistant, &[&quoted]), turn(Role::User, &["And?"])];
    let sealed = gate.seal(&request(turns), true);
    let sent = texts(sealed.request());
    assert!(!sent[1].contains(&token()) && sent[1].ends_with("elsewhere"), "{sent:?}");
    assert_eq!(sealed.opening().text(&sent[1]), quoted);
    assert_eq!(gate.opening([text.as_str(), &quoted]).text(&sent[1]), quoted);
}

#[test]
fn an_answer_is_understood_where_only_the_text_is_left() {
    let (_folder, gate) = gate();
    let text = format!("a = \"{}\"", token());
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&text])]), true);
    let sent = texts(sealed.request()).concat();
    assert_eq!(gate.opening([text.as_str()]).text(&sent), text);
}

#[test]
fn nothing_of_a_secret_is_in_what_is_printed() {
    let (_folder, gate) = gate();
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&format!("a = \"{}\"", token())])]), true);
    assert!(!format!("{sealed:?}").contains("ghp_"));
}

/// What a sink is told of a text that comes in pieces.
fn streamed(sealed: &Sealed, pieces: &[&str], as_json: bool) -> String {
    streamed_until(sealed, pieces, as_json, false)
}

fn streamed_until(sealed: &Sealed, pieces: &[&str], as_json: bool, cut: bool) -> String {
    let told = Mutex::new(String::new());
    let mut sink = |progress: Progress<'_>| match progress {
        Progress::Text(text) | Progress::ToolInput { json: text, .. } => told.lock().unwrap().push_str(text),
        _ => {}
    };
    let mut passing = Passing::new(sealed);
    for piece in pieces {
        let progress = if as_json { Progress::ToolInput { index: 1, json: piece } } else { Progress::Text(piece) };
        passing.pass(progress, &mut sink);
    }
    if !as_json {
        passing.pass(Progress::BlockFinished(&ContentBlock::text("")), &mut sink);
    }
    passing.end(cut, &mut sink);
    told.into_inner().unwrap()
}

/// The limit of tokens knows no placeholders. Whoever goes on would write the other half, and nobody would know the two.
#[test]
fn a_placeholder_that_was_cut_is_written_anew() {
    let (_folder, gate) = gate();
    let text = format!("password = \"{}\"", token());
    let sealed = gate.seal(&request(vec![turn(Role::User, &[&text])]), true);
    let placeholder = sealed.opening().placeholder(&token()).unwrap().to_owned();
    let ended = |text: &str, stop_reason: &str| {
        let message = json!({ "id": "msg_1", "content": [ContentBlock::text(text)], "stop_reason": stop_reason });
        let message: MessageResponse = serde_json::from_value(message).unwrap();
        let answer = sealed.opened(Answer {
            message,
            request_id: None,
            attempts: 1,
            tokens: crate::claude::usage::Tokens::default(),
            time_to_first_token: None,
            rate: crate::claude::rate::RateHeaders::default(),
            abandoned: Vec::new(),
        });
        let cut = is_cut(&answer);
        (texts_of(&mut answer.message.content[0].clone())[0].clone(), streamed_until(&sealed, &[text], false, cut))
    };
    for cut in [1, 5, STEM.len(), STEM.len() + 1, placeholder.len() - 1] {
        let text = format!("It is {}", &placeholder[..cut]);
        assert_eq!(ended(&text, "max_tokens"), ("It is ".to_owned(), "It is ".to_owned()), "{cut}");
        assert_eq!(ended(&text, "end_turn"), (text.clone(), text), "{cut}");
    }
    let whole = (format!("It is {}", token()), format!("It is {}", token()));
    assert_eq!(ended(&format!("It is {placeholder}"), "max_tokens"), whole);
    let failure = Failure {
        error: crate::error::Error::new(crate::error::ErrorKind::Network, "It broke off."),
        attempts: 1,
        partial: Some(Partial { text: format!("It is {}", &placeholder[..20]), ..Partial::default() }),
        abandoned: Vec::new(),
    };
    assert_eq!(sealed.opened_failure(failure).partial.unwrap().text, "It is ");
}

#[test]
fn arguments_that_stream_stay_json() {
    let (_folder, gate) = gate();
    let text = "password = 'qu\"o\\te7'";
    let sealed = gate.seal(&request(vec![turn(Role::User, &[text])]), true);
    let value = sealed.opening().values().next().unwrap().to_owned();
    assert!(value.contains('"'), "{value}");
    let placeholder = sealed.opening().placeholder(&value).unwrap();
    let json = streamed(&sealed, &["{\"q\": \"", &placeholder[..7], &placeholder[7..], "\"}"], true);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!({ "q": value }));
}

proptest! {
    /// However an answer is cut into pieces, what is streamed is the whole answer with its secrets put back.
    #[test]
    fn a_stream_in_any_pieces_is_the_whole(
        words in proptest::collection::vec(prop_oneof![
            Just(0_usize), Just(1), Just(2), Just(3), Just(4), Just(5), Just(6), Just(7)
        ], 0..12),
        cuts in proptest::collection::vec(0_usize..400, 0..40),
    ) {
        let (_folder, gate) = gate();
        let text = format!("a = \"{}\"; password = \"hunter2!\"", token());
        let sealed = gate.seal(&request(vec![turn(Role::User, &[&text])]), true);
        let placeholders: Vec<String> = sealed.opening().values().map(|it| sealed.opening().placeholder(it).unwrap().to_owned()).collect();
        let choices = [placeholders[0].as_str(), &placeholders[1], "ASIDE_", "ASIDE_SECRET_", "é \"", "7", "ASIDE_SECRET_ABC", " x_"];
        let answer: String = words.iter().map(|word| choices[*word]).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| answer.is_char_boundary(*cut)).collect();
        cuts.push(answer.len());
        cuts.sort_unstable();
        let mut from = 0;
        let pieces: Vec<&str> = cuts.iter().map(|cut| { let piece = &answer[from..*cut]; from = *cut; piece }).collect();
        prop_assert_eq!(streamed(&sealed, &pieces, false), sealed.opening().text(&answer).into_owned());
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::claude::types::StopReason;

fn fold(events: &[Value]) -> Result<Fold, OutOfOrder> {
    let mut fold = Fold::default();
    for event in events {
        fold.apply(serde_json::from_value(event.clone()).unwrap())?;
    }
    Ok(fold)
}

fn start(usage: &Value) -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage}})
}

fn block(index: usize, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: usize, kind: &str, key: &str, value: &str) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, key: value}})
}

fn stop(index: usize) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end() -> Value {
    json!({"type": "message_stop"})
}

fn content(events: &[Value]) -> Value {
    let all = [&[start(&json!({}))], events, &[end()]].concat();
    serde_json::to_value(fold(&all).unwrap().finish().unwrap().content).unwrap()
}

#[test]
fn thinking_text_and_tools() {
    let events = [
        block(0, &json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, "thinking_delta", "thinking", "Let me "),
        delta(0, "thinking_delta", "thinking", "see."),
        delta(0, "signature_delta", "signature", "sig=="),
        stop(0),
        block(1, &json!({"type": "redacted_thinking", "data": "opaque"})),
        stop(1),
        block(2, &json!({"type": "text", "text": ""})),
        delta(2, "text_delta", "text", "It "),
        json!({"type": "ping"}),
        delta(2, "text_delta", "text", "adds."),
        stop(2),
        block(3, &json!({"type": "tool_use", "id": "toolu_1", "name": "report", "input": {}})),
        delta(3, "input_json_delta", "partial_json", ""),
        delta(3, "input_json_delta", "partial_json", "{\"line\": 4"),
        delta(3, "input_json_delta", "partial_json", "1}"),
        stop(3),
    ];
    assert_eq!(
        content(&events),
        json!([
            {"type": "thinking", "thinking": "Let me see.", "signature": "sig=="},
            {"type": "redacted_thinking", "data": "opaque"},
            {"type": "text", "text": "It adds."},
            {"type": "tool_use", "id": "toolu_1", "name": "report", "input": {"line": 41}},
        ])
    );
}

#[test]
fn arguments_are_guarded() {
    for (pieces, expected) in [
        (&[][..], json!({})),
        (&["", " "], json!({})),
        (&["{\"a\":", "[1,2]}"], json!({"a": [1, 2]})),
        (&["{\"a\": \"cut of"], json!({"INVALID_JSON": "{\"a\": \"cut of"})),
        (&["[1]"], json!({"INVALID_JSON": "[1]"})),
    ] {
        let mut events = vec![block(0, &json!({"type": "tool_use", "id": "t", "name": "n", "input": {}}))];
        events.extend(pieces.iter().map(|piece| delta(0, "input_json_delta", "partial_json", piece)));
        for closed in [true, false] {
            let closing = if closed { vec![stop(0)] } else { vec![] };
            let content = content(&[events.clone(), closing].concat());
            assert_eq!(content[0]["input"], expected, "{pieces:?}");
            let invalid = invalid_arguments(&content[0]["input"]);
            assert_eq!(invalid.is_some(), expected.get(INVALID_JSON).is_some());
        }
    }
    assert_eq!(invalid_arguments(&json!({"INVALID_JSON": "x", "more": 1})), None);
}

#[test]
fn what_is_unknown_is_kept_or_passed_over() {
    let events = [
        block(0, &json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
        delta(0, "input_json_delta", "partial_json", "{\"query\":\"rust\"}"),
        stop(0),
        block(1, &json!({"type": "hologram", "data": [1]})),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "hologram_delta", "data": 2}}),
        stop(1),
        block(2, &json!({"type": "text", "text": ""})),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "citations_delta", "citation": {}}}),
        delta(2, "text_delta", "text", "ok"),
        stop(2),
        json!({"type": "weather", "sunny": true}),
        stop(9),
        delta(9, "signature_delta", "signature", "x"),
    ];
    assert_eq!(
        content(&events),
        json!([
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "rust"}},
            {"type": "hologram", "data": [1]},
            {"type": "text", "text": "ok"},
        ])
    );
}

#[test]
fn blocks_are_in_the_order_of_their_indexes() {
    let events = [delta(2, "text_delta", "text", "c"), delta(0, "thinking_delta", "thinking", "a")];
    let content = content(&events);
    assert_eq!((&content[0]["thinking"], &content[1]["text"]), (&json!("a"), &json!("c")));
}

#[test]
fn usage_is_cumulative_and_null_changes_nothing() {
    let events = [
        start(&json!({
            "input_tokens": 10, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 4000, "output_tokens": 1,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
        })),
        json!({"type": "message_delta", "delta": {"stop_reason": null}, "usage": {"output_tokens": 5, "input_tokens": null}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"}, "usage": {
            "input_tokens": 12, "cache_read_input_tokens": null, "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 8},
        }}),
        json!({"type": "message_delta", "delta": {}, "usage": null}),
        end(),
    ];
    let fold = fold(&events).unwrap();
    let expected =
        Tokens { input: 12, cache_read: 4000, cache_write_5m: 100, cache_write_1h: 200, output: 20, thinking: 8 };
    assert_eq!(fold.tokens(), expected);
    let message = fold.finish().unwrap();
    assert_eq!(message.stop_reason, Some(StopReason::StopSequence));
    assert_eq!(message.stop_sequence.as_deref(), Some("END"));
}

#[test]
fn refusals_and_new_stop_reasons() {
    let delta = json!({"type": "message_delta", "delta": {"stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": null}}, "usage": {"output_tokens": 1}});
    let message = fold(&[start(&json!({})), delta, end()]).unwrap().finish().unwrap();
    assert_eq!(message.stop_reason, Some(StopReason::Refusal));
    assert_eq!(message.stop_details.unwrap().category.as_deref(), Some("cyber"));

    let delta = json!({"type": "message_delta", "delta": {"stop_reason": "bored"}, "usage": {}});
    let message = fold(&[start(&json!({})), delta, end()]).unwrap().finish().unwrap();
    assert_eq!(message.stop_reason, Some(StopReason::Other("bored".to_owned())));
}

#[test]
fn diagnostics_stay() {
    let mut first = start(&json!({}));
    first["message"]["diagnostics"] = json!({"cache_miss_reason": {"type": "system_changed"}});
    let message = fold(&[first, end()]).unwrap().finish().unwrap();
    assert_eq!(message.diagnostics.unwrap()["cache_miss_reason"]["type"], "system_changed");
}

#[test]
fn order_matters() {
    let text = delta(0, "text_delta", "text", "x");
    for events in [
        vec![text.clone()],
        vec![end()],
        vec![start(&json!({})), start(&json!({}))],
        vec![start(&json!({})), end(), text.clone()],
        vec![start(&json!({})), delta(0, "input_json_delta", "partial_json", "{}")],
    ] {
        assert!(fold(&events).is_err(), "{events:?}");
    }
    let cut = fold(&[start(&json!({})), text]).unwrap();
    assert_eq!((cut.text().as_str(), cut.has_content(), cut.is_complete()), ("x", true, false));
    assert_eq!(cut.finish(), None);
}

#[test]
fn content_is_what_a_user_could_have_seen() {
    let tool = json!({"type": "tool_use", "id": "t", "name": "n", "input": {}});
    for (events, has) in [
        (vec![], false),
        (vec![block(0, &json!({"type": "text", "text": ""})), delta(0, "text_delta", "text", "")], false),
        (vec![block(0, &tool)], false),
        (vec![block(0, &tool), delta(0, "input_json_delta", "partial_json", "{")], true),
        (vec![block(0, &json!({"type": "text", "text": "Hi"}))], true),
        (vec![delta(0, "thinking_delta", "thinking", "Hm")], true),
    ] {
        let all = [vec![start(&json!({}))], events].concat();
        assert_eq!(fold(&all).unwrap().has_content(), has, "{all:?}");
    }
}

proptest! {
    /// However a text is cut into deltas, and however blocks interleave, every block has its whole text.
    #[test]
    fn pieces_add_up(
        texts in prop::collection::vec("\\PC{0,20}", 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let mut rest: Vec<std::vec::IntoIter<char>> = texts.iter().map(|t| t.chars().collect::<Vec<_>>().into_iter()).collect();
        let mut events: Vec<Value> = (0..texts.len()).map(|at| block(at, &json!({"type": "text", "text": ""}))).collect();
        for pick in order {
            let at = pick.index(rest.len());
            let piece: String = rest[at].by_ref().take(2).collect();
            events.push(delta(at, "text_delta", "text", &piece));
        }
        for (at, rest) in rest.into_iter().enumerate() {
            events.push(delta(at, "text_delta", "text", &rest.collect::<String>()));
            events.push(stop(at));
        }
        let content = content(&events);
        let found: Vec<&str> = content.as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect();
        prop_assert_eq!(found, texts);
    }
}

#![allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

const DAY: jiff::civil::Date = jiff::civil::date(2026, 11, 23);

fn base() -> Value {
    json!({"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": "Hello"}]})
}

fn with(changes: Value) -> Value {
    let mut body = base();
    for (key, value) in changes.as_object().unwrap() {
        if value == "(remove)" {
            body.as_object_mut().unwrap().shift_remove(key);
        } else {
            body[key] = value.clone();
        }
    }
    body
}

fn verdict_for(body: &Value, purpose: Purpose, new_version: bool) -> Result<(), (u16, String)> {
    let checked = check(body, Context { purpose, new_version, today: DAY, resumes: false });
    checked.map(drop).map_err(|failure| (failure.status.as_u16(), failure.error.message))
}

fn verdict(changes: Value) -> Result<(), (u16, String)> {
    verdict_for(&with(changes), Purpose::Message, false)
}

fn accept(changes: Value) {
    let shown = changes.to_string();
    assert_eq!(verdict(changes), Ok(()), "{shown}");
}

fn refuse(changes: Value, message: &str) {
    let shown = changes.to_string();
    let (status, said) = verdict(changes).expect_err(&shown);
    assert_eq!(status, 400, "{shown}");
    assert!(said.starts_with(message), "{shown}\n  said: {said}\n  want: {message}");
}

fn user(content: Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

#[test]
fn accepts_what_the_api_accepts() {
    accept(json!({}));
    accept(
        json!({"system": "Be brief.", "stop_sequences": ["END"], "metadata": {"user_id": "u"}, "service_tier": "auto"}),
    );
    accept(
        json!({"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}),
    );
    accept(json!({"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}}));
    accept(json!({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}));
    accept(json!({"max_tokens": 0}));
    accept(
        json!({"stream": true, "cache_control": {"type": "ephemeral"}, "diagnostics": {"previous_message_id": null}}),
    );
    accept(json!({"model": "claude-haiku-4-5-20251001", "temperature": 0.5, "top_k": 3}));
    accept(
        json!({"model": "claude-sonnet-4-6", "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}),
    );
    accept(json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}));
    accept(user(json!([{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}])));
    accept(user(
        json!([{"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lGODlhAQABAAAAACw="}}]),
    ));
    accept(user(json!([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}])));
}

#[test]
fn names_the_place_of_what_it_does_not_know() {
    refuse(json!({"foo": 1}), "foo: Extra inputs are not permitted");
    refuse(json!({"messages": [{"role": "user", "content": "a", "name": "x"}]}), "messages.0.name: Extra inputs");
    let second = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b", "foo": 1}]);
    refuse(user(second), "messages.0.content.1.foo: Extra inputs are not permitted");
    let image = json!([{"type": "image", "source": {"type": "url", "url": "https://a.b", "data": ""}}]);
    refuse(user(image), "messages.0.content.0.source.data: Extra inputs are not permitted");
    let control = json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "scope": "x"}}]);
    refuse(user(control), "messages.0.content.0.cache_control.scope: Extra inputs");
    refuse(json!({"system": [{"type": "text", "text": "a", "role": "x"}]}), "system.0.role: Extra inputs");
    refuse(json!({"metadata": {"name": "x"}}), "metadata.name: Extra inputs");
    refuse(json!({"thinking": {"type": "adaptive", "budget_tokens": 2000}}), "thinking.budget_tokens: Extra inputs");
    refuse(json!({"output_config": {"verbosity": "low"}}), "output_config.verbosity: Extra inputs");
    refuse(json!({"diagnostics": {"id": "x"}}), "diagnostics.id: Extra inputs");
    refuse(
        json!({"tools": [{"name": "a", "input_schema": {"type": "object"}, "foo": 1}]}),
        "tools.0.foo: Extra inputs",
    );
    refuse(json!({"speed": "fast"}), "speed: known to the API, but not to this simulator");
}

#[test]
fn names_the_place_of_a_wrong_type() {
    refuse(json!({"model": 5}), "model: Input should be a valid string");
    refuse(json!({"max_tokens": "5"}), "max_tokens: Input should be a valid integer");
    refuse(json!({"max_tokens": -5}), "max_tokens: Input should be greater than or equal to 0");
    refuse(json!({"max_tokens": "(remove)"}), "max_tokens: Field required");
    refuse(json!({"messages": "(remove)"}), "messages: Field required");
    refuse(json!({"messages": {}}), "messages: Input should be a valid list");
    refuse(json!({"messages": []}), "messages: at least one message is required");
    refuse(json!({"messages": [{"role": "user"}]}), "messages.0.content: Field required");
    refuse(json!({"messages": [{"content": "a"}]}), "messages.0.role: Field required");
    refuse(
        json!({"messages": [{"role": "system", "content": "a"}]}),
        "messages.0.role: Input should be 'user' or 'assistant'",
    );
    refuse(
        json!({"messages": [{"role": "assistant", "content": "a"}]}),
        "messages: first message must use the \"user\" role",
    );
    refuse(json!({"stream": "yes"}), "stream: Input should be a valid boolean");
    refuse(json!({"system": 5}), "system: Input should be");
    refuse(json!({"service_tier": "fast"}), "service_tier: Input should be 'auto' or 'standard_only'");
    refuse(json!({"stop_sequences": [5]}), "stop_sequences.0: Input should be a valid string");
    refuse(json!({"stop_sequences": [" "]}), "stop_sequences: each stop sequence must contain non-whitespace");
    refuse(user(json!([{"type": "video"}])), "messages.0.content.0: Input tag 'video' found using 'type'");
    refuse(user(json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}])), "messages.0.content.0: Input tag");
    refuse(user(json!([])), "messages.0: all messages must have non-empty content");
}

#[test]
fn refuses_empty_text() {
    refuse(user(json!("")), "messages.0: user messages must have non-empty content");
    refuse(user(json!([{"type": "text", "text": ""}])), "messages: text content blocks must be non-empty");
    refuse(json!({"system": [{"type": "text", "text": ""}]}), "system: text content blocks must be non-empty");
    let cached = json!([{"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}]);
    refuse(user(cached), "messages.0.content.0.text: cache_control cannot be set for empty text blocks");
}

#[test]
fn minds_breakpoints() {
    let block = |ttl: &str| json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": ttl}});
    accept(user(json!([block("1h"), block("1h"), block("5m"), block("5m")])));
    refuse(
        user(json!([block("5m"), block("5m"), block("5m"), block("5m"), block("5m")])),
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    );
    refuse(
        user(json!([block("5m"), block("1h")])),
        "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block",
    );
    refuse(user(json!([block("2h")])), "messages.0.content.0.cache_control.ttl: Input should be '5m' or '1h'");
    refuse(
        user(json!([{"type": "text", "text": "a", "cache_control": {}}])),
        "messages.0.content.0.cache_control.type: Field",
    );
    let mut system = user(json!([block("1h")]));
    system["system"] = json!([block("5m")]);
    refuse(system, "messages.0.content.0.cache_control.ttl: a ttl='1h'");
    let mut automatic =
        user(json!([block("5m"), block("5m"), block("5m"), block("5m"), {"type": "text", "text": "end"}]));
    automatic["cache_control"] = json!({"type": "ephemeral"});
    refuse(automatic, "A maximum of 4 blocks with cache_control may be provided. Found 5.");
    let mut other = user(json!([block("5m")]));
    other["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
    refuse(other, "cache_control: messages.0.content.0 has a cache_control with another ttl");
    let mut same = user(json!([block("5m"), block("5m"), block("5m"), block("5m")]));
    same["cache_control"] = json!({"type": "ephemeral"});
    accept(same);
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "", "cache_control": {"type": "ephemeral"}});
    let messages = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": [thinking]}]);
    refuse(json!({"messages": messages}), "messages.1.content.0.cache_control: Extra inputs are not permitted");
    let inner = json!([{"type": "tool_result", "tool_use_id": "a", "content": [block("5m")]}]);
    refuse(user(inner), "messages.0.content.0.content.0.cache_control: only blocks of a message itself");
}

#[test]
fn minds_what_each_model_takes() {
    refuse(json!({"temperature": 1.0}), "`temperature` is deprecated for this model.");
    refuse(json!({"model": "claude-opus-4-7", "top_k": 1}), "`top_k` is deprecated for this model.");
    refuse(json!({"model": "claude-haiku-4-5", "temperature": 1.5}), "temperature: range: 0..1");
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    refuse(
        json!({"thinking": thinking, "max_tokens": 2000}),
        "\"thinking.type.enabled\" is not supported for this model. Use",
    );
    refuse(
        json!({"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}}),
        "adaptive thinking is not supported",
    );
    refuse(json!({"thinking": {"type": "disabled"}}), "\"thinking.type.disabled\" is not supported for this model.");
    accept(json!({"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}}));
    accept(json!({"thinking": {"type": "between_tools"}}));
    refuse(json!({"model": "claude-opus-5", "thinking": {"type": "between_tools"}}), "\"thinking.type.between_tools\"");
    let small = json!({"type": "enabled", "budget_tokens": 1000});
    refuse(
        json!({"model": "claude-haiku-4-5", "thinking": small}),
        "thinking.enabled.budget_tokens: Input should be greater",
    );
    refuse(json!({"model": "claude-haiku-4-5", "thinking": thinking}), "`max_tokens` must be greater than");
    let hot = json!({"model": "claude-haiku-4-5", "thinking": thinking, "max_tokens": 2000, "temperature": 0.5});
    refuse(hot, "`temperature` may only be set to 1 when thinking is enabled.");
    refuse(
        json!({"model": "claude-haiku-4-5", "output_config": {"effort": "low"}}),
        "This model does not support the effort",
    );
    refuse(json!({"output_config": {"effort": "huge"}}), "output_config.effort: Input should be 'low'");
    refuse(json!({"max_tokens": 9_000_000}), "max_tokens: 9000000 >");
    let prefill = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "Sure:"}]);
    refuse(json!({"messages": prefill}), "This model does not support assistant message prefill.");
    refuse(
        json!({"model": "claude-sonnet-4-6", "messages": prefill}),
        "This model does not support assistant message prefill.",
    );
    accept(json!({"model": "claude-haiku-4-5", "messages": prefill}));
    let space = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "Sure: "}]);
    refuse(
        json!({"model": "claude-haiku-4-5", "messages": space}),
        "messages: final assistant content cannot end with",
    );
}

#[test]
fn models_that_are_gone_or_never_were_are_not_found() {
    for model in ["claude-sonnet-4-20250514", "claude-3-5-haiku-latest", "claude-opus-4-1", "gpt-4", ""] {
        assert_eq!(verdict(json!({"model": model})), Err((404, format!("model: {model}"))));
    }
    let today = jiff::civil::date(2026, 12, 1);
    let after = Context { purpose: Purpose::Message, new_version: false, today, resumes: false };
    let body = with(json!({"model": "claude-sonnet-4-5"}));
    assert_eq!(check(&body, after).unwrap_err().status.as_u16(), 404);
    accept(json!({"model": "claude-sonnet-4-5"}));
}

#[test]
fn the_new_version_knows_no_sampling() {
    let body = with(json!({"model": "claude-haiku-4-5", "temperature": 1.0}));
    assert!(verdict_for(&body, Purpose::Message, false).is_ok());
    let (status, message) = verdict_for(&body, Purpose::Message, true).unwrap_err();
    assert_eq!((status, message.as_str()), (400, "temperature: Extra inputs are not permitted"));
}

#[test]
fn minds_what_excludes_a_prewarm() {
    refuse(json!({"max_tokens": 0, "stream": true}), "max_tokens: 0 is not allowed together with stream");
    let format = json!({"format": {"type": "json_schema", "schema": {}}});
    refuse(
        json!({"max_tokens": 0, "output_config": format}),
        "max_tokens: 0 is not allowed together with output_config.format",
    );
    let tools = json!([{"name": "a", "input_schema": {"type": "object"}}]);
    let forced = json!({"model": "claude-opus-5", "max_tokens": 0, "tools": tools, "tool_choice": {"type": "any"}});
    refuse(forced, "max_tokens: 0 is not allowed together with a forced tool_choice");
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let enabled = json!({"model": "claude-haiku-4-5", "max_tokens": 0, "thinking": thinking});
    refuse(enabled, "max_tokens: 0 is not allowed together with thinking.enabled");
    let (_, batch) = verdict_for(&with(json!({"max_tokens": 0})), Purpose::Batch, false).unwrap_err();
    assert!(batch.starts_with("max_tokens: Input should be greater than or equal to 1"), "{batch}");
    let (_, stream) = verdict_for(&with(json!({"stream": true})), Purpose::Batch, false).unwrap_err();
    assert!(stream.starts_with("stream: "), "{stream}");
}

#[test]
fn minds_tools_and_their_results() {
    let tools = json!([{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}]);
    let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]});
    let result =
        |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]});
    let ask = json!({"role": "user", "content": "a"});
    let conversation = |messages: Value| json!({"tools": tools, "messages": messages});
    accept(conversation(json!([ask, call, result("t1")])));
    refuse(conversation(json!([ask, call, ask])), "messages.1: `tool_use` ids were found without `tool_result` blocks");
    refuse(
        conversation(json!([ask, call, result("t2")])),
        "messages.2: unexpected `tool_use_id` found in `tool_result` blocks: t2",
    );
    refuse(conversation(json!([result("t1")])), "messages.0: unexpected `tool_use_id`");
    refuse(conversation(json!([ask, call])), "messages.1: `tool_use` ids were found without");
    accept(conversation(json!([ask, call, result("t1"), ask])));
    refuse(
        json!({"messages": [ask, call, result("t1")]}),
        "Requests which include `tool_use` or `tool_result` blocks must define",
    );
    let late = json!({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "t1"}]});
    refuse(
        conversation(json!([ask, call, late])),
        "messages.2: `tool_result` blocks must come before all other content",
    );

    refuse(
        json!({"tools": tools, "tool_choice": {"type": "any"}}),
        "tool_choice.type: 'any' is not supported for this model",
    );
    let named = json!({"type": "tool", "name": "look"});
    refuse(json!({"tools": tools, "tool_choice": named}), "tool_choice.type: 'tool' is not supported for this model");
    accept(json!({"model": "claude-opus-5", "tools": tools, "tool_choice": named}));
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    let thinking = json!({"model": "claude-haiku-4-5", "max_tokens": 2000, "tools": tools, "tool_choice": named, "thinking": enabled});
    refuse(thinking, "Thinking may not be enabled when tool_choice forces tool use.");
    refuse(
        json!({"tool_choice": {"type": "auto"}}),
        "tool_choice: tool_choice may only be specified while providing tools",
    );
    refuse(
        json!({"tools": tools, "tool_choice": {"type": "tool", "name": "hear"}}),
        "tool_choice: Tool 'hear' not found",
    );
    refuse(
        json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
        "tools.0.name: String should match",
    );
    refuse(json!({"tools": [{"name": "a", "input_schema": {}}]}), "tools.0.input_schema.type: Field required");
    refuse(json!({"tools": [{"name": "a"}]}), "tools.0.input_schema: Field required");
    let twice =
        json!([{"name": "a", "input_schema": {"type": "object"}}, {"name": "a", "input_schema": {"type": "object"}}]);
    refuse(json!({"tools": twice}), "tools: Tool names must be unique.");
}

#[test]
fn thinking_goes_back_unchanged() {
    let tools = json!([{"name": "look", "input_schema": {"type": "object"}}]);
    let call = json!({"type": "tool_use", "id": "t1", "name": "look", "input": {}});
    let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1"}]});
    let ask = json!({"role": "user", "content": "a"});
    let request = |model: &str, thinking: Value, first: Vec<Value>| {
        let content = [first, vec![call.clone()]].concat();
        let turn = json!({"role": "assistant", "content": content});
        json!({"model": model, "max_tokens": 2000, "tools": tools, "thinking": thinking, "messages": [ask, turn, result]})
    };
    let signature = crate::simulator::reply::signature("why");
    let true_one = json!({"type": "thinking", "thinking": "why", "signature": signature});
    let changed = json!({"type": "thinking", "thinking": "how", "signature": signature});
    let enabled = json!({"type": "enabled", "budget_tokens": 1024});
    accept(request("claude-haiku-4-5", enabled.clone(), vec![true_one]));
    let adaptive = json!({"type": "adaptive"});
    refuse(
        request("claude-opus-5", adaptive, vec![changed]),
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    );
    refuse(request("claude-haiku-4-5", enabled, vec![]), "messages.1.content.0.type: Expected `thinking` or");
}

#[test]
fn minds_pictures() {
    let image = |source: Value| user(json!([{"type": "image", "source": source}]));
    refuse(
        image(json!({"type": "url", "url": "http://example.com/a.png"})),
        "messages.0.content.0.source.url: Only HTTPS",
    );
    let base64 = |kind: &str, data: &str| json!({"type": "base64", "media_type": kind, "data": data});
    refuse(
        image(base64("image/bmp", "R0lGODlh")),
        "messages.0.content.0.source.media_type: Input should be 'image/jpeg'",
    );
    refuse(
        image(base64("image/png", "R0lGODlh")),
        "messages.0.content.0.source: The image was specified using the image/png",
    );
    refuse(image(base64("image/png", "####")), "messages.0.content.0.source.data: invalid base64 data");
    refuse(image(base64("image/png", "aGVsbG8=")), "messages.0.content.0.source: Could not process image");
}

#[test]
fn counting_takes_fewer_fields() {
    let mut body = base();
    assert_eq!(
        verdict_for(&body, Purpose::CountTokens, false).unwrap_err().1,
        "max_tokens: Extra inputs are not permitted"
    );
    body.as_object_mut().unwrap().shift_remove("max_tokens");
    assert_eq!(verdict_for(&body, Purpose::CountTokens, false), Ok(()));
}

proptest! {
    /// A key that nobody knows is refused wherever it is, and its place is named.
    #[test]
    fn an_unknown_key_is_found_anywhere(key in "[a-z]{3,8}_unknown", place in 0..9usize) {
        let mut body = json!({
            "model": "claude-sonnet-5-5", "max_tokens": 10,
            "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
            "tools": [{"name": "t", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"},
            "metadata": {}, "output_config": {"effort": "low"},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "b"}]}],
        });
        let pointers = ["", "/system/0", "/system/0/cache_control", "/tools/0", "/tool_choice", "/metadata", "/output_config",
            "/messages/0", "/messages/0/content/0"];
        body.pointer_mut(pointers[place]).unwrap()[&key] = json!(1);
        let said = verdict_for(&body, Purpose::Message, false).unwrap_err().1;
        let expected = format!("{}/{key}", pointers[place]).trim_start_matches('/').replace('/', ".");
        prop_assert_eq!(said, format!("{expected}: Extra inputs are not permitted"));
    }
}

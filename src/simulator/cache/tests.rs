use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::claude::models;

const MINUTE: Duration = Duration::from_secs(60);

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// About so many tokens of text that no other number gives.
fn text(seed: usize, tokens: usize) -> String {
    let mut text = format!("seed {seed}");
    for word in 0..tokens {
        text.push_str(if (word + seed).is_multiple_of(3) { " alpha" } else { " beta" });
    }
    text
}

/// Blocks of a message: the text's seed and its breakpoint.
fn body(blocks: &[(usize, Option<&str>)]) -> Value {
    body_of(blocks, 600)
}

fn body_of(blocks: &[(usize, Option<&str>)], words: usize) -> Value {
    let blocks: Vec<Value> = blocks
        .iter()
        .map(|(seed, ttl)| match ttl {
            Some(ttl) => {
                json!({"type": "text", "text": text(*seed, words), "cache_control": {"type": "ephemeral", "ttl": ttl}})
            }
            None => json!({"type": "text", "text": text(*seed, words)}),
        })
        .collect();
    json!({"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": blocks}]})
}

fn prompt(body: &Value) -> Prompt {
    Prompt::new(body, models::find(body["model"].as_str().unwrap()).unwrap())
}

/// A request whose answer begins at once.
fn charge(cache: &mut Accounting, body: &Value, now: Timestamp) -> Tokens {
    charge_key(cache, "key", body, now)
}

fn charge_key(cache: &mut Accounting, key: &str, body: &Value, now: Timestamp) -> Tokens {
    let charge = cache.begin(key, &prompt(body), now);
    let tokens = charge.tokens;
    cache.answered(charge);
    tokens
}

/// Tokens up to and including a block.
fn up_to(body: &Value, block: usize) -> u64 {
    prompt(body).positions[block].tokens
}

#[test]
fn the_second_request_reads_what_the_first_wrote() {
    let mut cache = Accounting::new();
    let request = body(&[(1, Some("5m")), (2, None)]);
    let first = charge(&mut cache, &request, noon());
    assert_eq!((first.cache_read, first.cache_write_1h), (0, 0));
    assert_eq!(first.cache_write_5m, up_to(&request, 0));
    let second = charge(&mut cache, &body(&[(1, Some("5m")), (3, None)]), noon());
    assert_eq!((second.cache_read, second.cache_write()), (first.cache_write_5m, 0));
    assert!(second.input > 0);
}

#[test]
fn nothing_is_written_without_a_breakpoint() {
    let mut cache = Accounting::new();
    let request = body(&[(1, None), (2, None)]);
    for _ in 0..2 {
        let tokens = charge(&mut cache, &request, noon());
        assert_eq!((tokens.cache_read, tokens.cache_write()), (0, 0));
    }
    // The first block was sent before, but nobody wrote an entry at its end.
    let longer = charge(&mut cache, &body(&[(1, None), (2, Some("5m"))]), noon());
    assert_eq!(longer.cache_read, 0);
    let shorter = charge(&mut cache, &body(&[(1, Some("5m"))]), noon());
    assert_eq!(shorter.cache_read, 0, "a prefix of an entry is not an entry");
}

#[test]
fn a_breakpoint_looks_back_over_twenty_positions_and_no_more() {
    for (between, hit) in [(18, true), (19, false)] {
        let mut cache = Accounting::new();
        charge(&mut cache, &body(&[(1, Some("5m"))]), noon());
        let mut blocks = vec![(1, None)];
        blocks.extend((0..between).map(|seed| (seed + 10, None)));
        blocks.push((9, Some("5m")));
        let tokens = charge(&mut cache, &body(&blocks), noon());
        assert_eq!(tokens.cache_read > 0, hit, "{between} blocks in between");
    }
}

#[test]
fn entries_live_from_the_start_of_the_last_request_that_used_them() {
    for (ttl, life) in [("5m", 5 * MINUTE), ("1h", 60 * MINUTE)] {
        let request = body(&[(1, Some(ttl))]);
        let just = |times: u32| life.saturating_sub(Duration::from_secs(1)) * times;
        let mut cache = Accounting::new();
        charge(&mut cache, &request, noon());
        // Just in time, which refreshes it, and in time again.
        assert!(charge(&mut cache, &request, later(noon(), just(1))).cache_read > 0);
        assert!(charge(&mut cache, &request, later(noon(), just(2))).cache_read > 0);
        assert_eq!(charge(&mut cache, &request, later(noon(), just(2) + life)).cache_read, 0, "{ttl}");
    }
}

#[test]
fn a_slow_answer_does_not_lengthen_a_life() {
    let mut cache = Accounting::new();
    let request = body(&[(1, Some("5m"))]);
    let slow = cache.begin("key", &prompt(&request), noon());
    // The answer begins four minutes later; five minutes count from the start all the same.
    cache.answered(slow);
    assert_eq!(charge(&mut cache, &request, later(noon(), 5 * MINUTE)).cache_read, 0);
}

#[test]
fn an_entry_is_not_there_before_its_answer_begins() {
    let mut cache = Accounting::new();
    let request = body(&[(1, Some("5m"))]);
    let first = cache.begin("key", &prompt(&request), noon());
    let parallel = cache.begin("key", &prompt(&request), noon());
    assert_eq!(parallel.tokens.cache_read, 0);
    assert_eq!(parallel.tokens.cache_write_5m, first.tokens.cache_write_5m);
    cache.answered(first);
    assert!(cache.begin("key", &prompt(&request), noon()).tokens.cache_read > 0);
    // A request that fails before its answer begins writes nothing.
    let failed = cache.begin("key", &prompt(&body(&[(2, Some("5m"))])), noon());
    drop(failed);
    assert_eq!(charge(&mut cache, &body(&[(2, Some("5m"))]), noon()).cache_read, 0);
}

#[test]
fn keys_do_not_share_entries() {
    let mut cache = Accounting::new();
    let request = body(&[(1, Some("5m"))]);
    charge_key(&mut cache, "a", &request, noon());
    assert_eq!(charge_key(&mut cache, "b", &request, noon()).cache_read, 0);
    assert!(charge_key(&mut cache, "a", &request, noon()).cache_read > 0);
}

#[test]
fn prefixes_below_the_minimum_are_silently_not_cached() {
    for model in models::all() {
        let (minimum, dense) = (model.cache_minimum, model.dense_tokenizer);
        for (words, cached) in [(minimum * 6 / 10, false), (minimum * 11 / 10, true)] {
            let words = usize::try_from(if dense { words * 10 / 13 } else { words }).unwrap();
            let control = json!({"type": "ephemeral"});
            let request = json!({"model": model.id, "max_tokens": 5, "messages": [{"role": "user", "content": [
                {"type": "text", "text": text(1, words), "cache_control": control}]}]});
            let mut cache = Accounting::new();
            let tokens = charge(&mut cache, &request, noon());
            assert_eq!(tokens.cache_write() > 0, cached, "{} {}", model.id, tokens.total_input());
            assert_eq!(charge(&mut cache, &request, noon()).cache_read > 0, cached, "{}", model.id);
        }
    }
}

#[test]
fn both_lives_are_billed_as_documented() {
    let mut cache = Accounting::new();
    charge(&mut cache, &body(&[(1, Some("1h"))]), noon());
    let request = body(&[(1, Some("1h")), (2, Some("1h")), (3, Some("5m")), (4, None)]);
    let tokens = charge(&mut cache, &request, noon());
    assert_eq!(tokens.cache_read, up_to(&request, 0));
    assert_eq!(tokens.cache_write_1h, up_to(&request, 1) - up_to(&request, 0));
    assert_eq!(tokens.cache_write_5m, up_to(&request, 2) - up_to(&request, 1));
    assert_eq!(tokens.input, prompt(&request).tokens - up_to(&request, 2));
    // Ten minutes later the five-minute entry is gone and the hour's is not.
    let tokens = charge(&mut cache, &request, later(noon(), 10 * MINUTE));
    assert_eq!((tokens.cache_read, tokens.cache_write_1h), (up_to(&request, 1), 0));
    assert_eq!(tokens.cache_write_5m, up_to(&request, 2) - up_to(&request, 1));
}

#[test]
fn what_is_lost_by_what() {
    let tools = json!([{"name": "t", "description": text(5, 700), "input_schema": {"type": "object"},
        "cache_control": {"type": "ephemeral"}}]);
    let base = json!({"model": "claude-opus-5", "max_tokens": 2000, "tools": tools,
        "system": [{"type": "text", "text": text(1, 600), "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": text(2, 600), "cache_control": {"type": "ephemeral"}}]}]});
    let whole = prompt(&base);
    let (tools_end, system_end) = (whole.positions[0].tokens, whole.positions[1].tokens);
    let all = whole.positions[2].tokens;
    let image = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}});
    let effort = |effort: &str| json!({"effort": effort});
    let cases = [
        ("nothing", "/max_tokens", json!(1), all),
        ("a default, spelled out", "/thinking", json!({"type": "adaptive"}), all),
        ("the default effort", "/output_config", effort("high"), all),
        ("the default tool_choice", "/tool_choice", json!({"type": "auto"}), all),
        ("the model", "/model", json!("claude-opus-5-5"), 0),
        ("the tools", "/tools/0/name", json!("u"), 0),
        ("the system prompt", "/system/0/text", json!(text(9, 600)), tools_end),
        ("the tool_choice", "/tool_choice", json!({"type": "none"}), system_end),
        ("a picture", "/messages/0/content/1", image, system_end),
        ("the effort", "/output_config", effort("low"), 0),
        ("the format", "/output_config", json!({"format": {"type": "json_schema", "schema": {}}}), 0),
    ];
    for (what, pointer, value, kept) in cases {
        let mut cache = Accounting::new();
        charge(&mut cache, &base, noon());
        let mut changed = base.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match changed.pointer_mut(parent).unwrap() {
            Value::Array(list) => list.push(value),
            object => object[key] = value,
        }
        assert_eq!(charge(&mut cache, &changed, noon()).cache_read, kept, "{what}");
    }
}

#[test]
fn where_the_breakpoint_sits_is_not_part_of_the_key() {
    let mut cache = Accounting::new();
    charge(&mut cache, &body(&[(1, Some("5m")), (2, None)]), noon());
    let moved = charge(&mut cache, &body(&[(1, None), (2, Some("5m"))]), noon());
    assert!(moved.cache_read > 0 && moved.cache_write_5m > 0);
    // A bare string is the same as one text block, and an alias the same model.
    let block = json!([{"type": "text", "text": text(7, 600), "cache_control": {"type": "ephemeral"}}]);
    let mut request = json!({"model": "claude-haiku-5-5", "max_tokens": 5, "system": block,
        "messages": [{"role": "user", "content": "a"}]});
    charge(&mut cache, &request, noon());
    request["model"] = json!("claude-haiku-5-5-20260901");
    request["cache_control"] = json!({"type": "ephemeral"});
    request["system"] = json!(text(7, 600));
    assert!(charge(&mut cache, &request, noon()).cache_read > 0);
}

#[test]
fn the_automatic_breakpoint_moves_with_the_conversation() {
    let mut cache = Accounting::new();
    let turn = |role: &str, seed| json!({"role": role, "content": text(seed, 600)});
    let request = |messages: Value| json!({"model": "claude-sonnet-5-5", "max_tokens": 5, "cache_control": {"type": "ephemeral"}, "messages": messages});
    let first = charge(&mut cache, &request(json!([turn("user", 1)])), noon());
    assert!(first.cache_write_5m > 0);
    let second = charge(&mut cache, &request(json!([turn("user", 1), turn("assistant", 2), turn("user", 3)])), noon());
    assert_eq!(second.cache_read, first.cache_write_5m);
    assert!(second.cache_write_5m > 0);
}

#[test]
fn charges_typed_requests_and_refuses_bad_ones() {
    let mut cache = Accounting::new();
    let request: MessageRequest = serde_json::from_value(body(&[(1, Some("5m"))])).unwrap();
    let first = cache.charge("key", &request, noon()).unwrap();
    assert_eq!(cache.charge("key", &request, noon()).unwrap().cache_read, first.cache_write_5m);
    let retired = MessageRequest { model: "claude-opus-4-1".to_owned(), ..request };
    assert!(cache.charge("key", &retired, noon()).is_err());
}

/// A conversation of blocks out of a small alphabet, some with breakpoints, 1h before 5m.
fn blocks() -> impl Strategy<Value = Vec<(usize, Option<&'static str>)>> {
    let block = (0..3usize, prop::bool::weighted(0.3));
    (prop::collection::vec(block, 1..30), 0..30usize).prop_map(|(blocks, hours)| {
        let mut left = 4;
        let mut result = Vec::new();
        for (place, (seed, marked)) in blocks.into_iter().enumerate() {
            let ttl = (marked && left > 0).then_some(if place < hours { "1h" } else { "5m" });
            left -= usize::from(ttl.is_some());
            result.push((seed, ttl));
        }
        result
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_token_is_billed_once(requests in prop::collection::vec((blocks(), 0..400u64), 1..6)) {
        let mut cache = Accounting::new();
        let mut now = noon();
        for (blocks, pause) in requests {
            now = later(now, Duration::from_secs(pause));
            let request = body_of(&blocks, 150);
            let tokens = charge(&mut cache, &request, now);
            prop_assert_eq!(tokens.total_input(), prompt(&request).tokens);
            // At once again: what has a breakpoint is all read now.
            let again = charge(&mut cache, &request, now);
            prop_assert_eq!(again.cache_write(), 0);
            prop_assert_eq!(again.cache_read, tokens.cache_read + tokens.cache_write());
            prop_assert_eq!(again.input, tokens.input);
        }
    }

    /// The engine against a plain reading of the rules: a list of entries, searched anew each time.
    #[test]
    fn agrees_with_a_naive_model(requests in prop::collection::vec((blocks(), 0..2000u64), 1..8)) {
        let mut cache = Accounting::new();
        let mut entries: Vec<(Hash, Timestamp, Duration)> = Vec::new();
        let mut now = noon();
        for (blocks, pause) in requests {
            now = later(now, Duration::from_secs(pause));
            let request = body_of(&blocks, 150);
            let prompt = prompt(&request);
            let mut read = 0;
            let mut touched = Vec::new();
            for (index, position) in prompt.positions.iter().enumerate() {
                if position.breakpoint.is_none() { continue; }
                for back in 0..LOOK_BACK.min(index + 1) {
                    let candidate = &prompt.positions[index - back];
                    if let Some(found) = entries.iter().position(|(hash, used, life)| {
                        *hash == candidate.hash && later(*used, *life) > now
                    }) {
                        touched.push(found);
                        read = read.max(candidate.tokens);
                        break;
                    }
                }
            }
            for found in touched { entries[found].1 = now; }
            for position in &prompt.positions {
                let Some(ttl) = position.breakpoint else { continue };
                if position.tokens < prompt.minimum { continue; }
                match entries.iter_mut().find(|(hash, ..)| *hash == position.hash) {
                    Some(entry) if later(entry.1, entry.2) > now => {}
                    Some(entry) => *entry = (position.hash, now, ttl.duration()),
                    None => entries.push((position.hash, now, ttl.duration())),
                }
            }
            prop_assert_eq!(charge(&mut cache, &request, now).cache_read, read);
        }
    }
}

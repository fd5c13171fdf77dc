use super::*;

#[test]
fn the_table_is_sound() {
    assert!(date().parse::<jiff::civil::Date>().is_ok());
    assert!(source().starts_with("https://"));
    for model in all() {
        let prices = model.prices.unwrap();
        // The pricing page gives writes as 1.25 and 2 times the input price; a slip of the pen breaks one of them.
        for prices in [Some(prices), model.long_prompt.and_then(|long| long.prices)].into_iter().flatten() {
            assert!((prices.cache_write_5m - 1.25 * prices.input).abs() < 1e-9, "{}", model.id);
            assert!((prices.cache_write_1h - 2.0 * prices.input).abs() < 1e-9, "{}", model.id);
            assert!((prices.output - 5.0 * prices.input).abs() < 1e-9, "{}", model.id);
            assert!(prices.cache_read > 0.0 && prices.cache_read <= 0.1 * prices.input + 1e-9, "{}", model.id);
        }
        assert!([512, 1024, 2048, 4096].contains(&model.cache_minimum), "{}", model.id);
        if let Some(day) = &model.retires {
            assert!(day.parse::<jiff::civil::Date>().is_ok(), "{}", model.id);
        }
        if model.lifecycle != Lifecycle::Active {
            let successor = find(model.successor.as_deref().unwrap()).unwrap();
            assert_eq!(successor.lifecycle, Lifecycle::Active, "{}", model.id);
        }
        assert_eq!(all().iter().filter(|other| other.id == model.id || other.aliases.contains(&model.id)).count(), 1);
        let thinking = model.thinking;
        assert_eq!(thinking.effort, thinking.adaptive, "{}", model.id);
        assert_eq!(thinking.effort, thinking.default_effort.is_some(), "{}", model.id);
        assert_eq!(thinking.xhigh, model.dense_tokenizer, "{}", model.id);
        assert!(model.max_output_tokens.is_none_or(|most| most >= 8192), "{}", model.id);
    }
}

#[test]
fn ids_with_dates_and_aliases_are_found() {
    for (asked, id) in [
        ("claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-sonnet-4-0", "claude-sonnet-4"),
        ("claude-opus-4-0", "claude-opus-4"),
        ("claude-opus-4-1-20250805", "claude-opus-4-1"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-3-5-haiku-20241022", "claude-haiku-3-5"),
        ("claude-3-5-haiku-latest", "claude-haiku-3-5"),
    ] {
        assert_eq!(find(asked).map(|model| model.id.as_str()), Some(id), "{asked}");
    }
    for unknown in ["", "claude", "claude-sonnet-5-5-2025", "claude-sonnet-5-5x", "claude-sonnet-6", "-20250514"] {
        assert_eq!(find(unknown), None, "{unknown}");
    }
}

#[test]
fn an_unknown_model_is_handled_with_care() {
    let model = lookup("llama-4");
    assert_eq!(model.id, "llama-4");
    assert_eq!((model.prices, model.cache_minimum), (None, 4096));
    assert!(!model.is_known());
    assert!(!model.thinking.adaptive && !model.thinking.enabled && !model.thinking.effort);
    assert_eq!(model.sampling, Sampling::OldVersionOnly, "what is not Anthropic's takes it in general");
    assert_eq!(lookup("us.anthropic.claude-next-9").sampling, Sampling::Never);
}

#[test]
fn a_model_ends_on_its_day() {
    let sonnet = find("claude-sonnet-4-5").unwrap();
    assert!(!sonnet.is_retired("2026-11-29".parse().unwrap()));
    assert!(sonnet.is_retired("2026-11-30".parse().unwrap()));
    assert!(find("claude-opus-4-1").unwrap().is_retired("2026-01-01".parse().unwrap()));
    assert!(!find("claude-opus-5-5").unwrap().is_retired("2030-01-01".parse().unwrap()));
}

#[test]
fn nearest_ids_are_served_ones() {
    for (asked, first) in [
        ("claude-sonet-5-5", "claude-sonnet-5-5"),
        ("sonnet-5.5", "claude-sonnet-5-5"),
        ("claude-opus-55", "claude-opus-5-5"),
        ("Claude-Haiku-5.5", "claude-haiku-5-5"),
    ] {
        assert_eq!(nearest(asked).first().copied(), Some(first), "{asked}: {:?}", nearest(asked));
    }
    assert!(nearest("gpt-oss:20b").is_empty(), "{:?}", nearest("gpt-oss:20b"));
    assert!(!nearest("claude-sonnet-4-20250514").contains(&"claude-sonnet-4"));
}

#[test]
fn the_server_knows_better_about_abilities() {
    let info: ModelInfo = serde_json::from_value(serde_json::json!({
        "id": "claude-next-1", "lifecycle": "deprecated", "retires_at": "2027-03-01T00:00:00Z",
        "max_input_tokens": 1_000_000, "max_tokens": 64_000,
        "capabilities": {
            "effort": {"supported": true, "low": {"supported": true}},
            "thinking": {"supported": true, "types": {"adaptive": {"supported": true}, "disabled": true, "enabled": {}}},
        },
    }))
    .unwrap();
    let model = lookup("claude-next-1").into_owned().with_info(&info);
    assert_eq!((model.max_input_tokens, model.max_output_tokens), (Some(1_000_000), Some(64_000)));
    assert_eq!(model.retires.as_deref(), Some("2027-03-01"));
    assert_eq!(model.lifecycle, Lifecycle::Deprecated);
    assert!(model.thinking.adaptive && model.thinking.effort && model.thinking.can_disable && !model.thinking.enabled);
    assert_eq!(model.prices, None);

    let bare: ModelInfo = serde_json::from_value(serde_json::json!({"id": "claude-sonnet-5-5"})).unwrap();
    let known = find("claude-sonnet-5-5").unwrap();
    assert_eq!(&known.clone().with_info(&bare), known);
}

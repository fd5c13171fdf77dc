//! Fields of a request that not every server knows: which of them a refusal is about, and what it is without them. Pure.

use super::types::{ContentBlock, MessageRequest, SystemBlock};

/// A field that can be left out, at the price of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Optional {
    /// `diagnostics`.
    Diagnostics,
    /// `cache_control`, wherever it is.
    Caching,
    /// `thinking`.
    Thinking,
    /// `output_config`: the effort.
    Effort,
    /// `service_tier`.
    ServiceTier,
    /// `metadata`.
    Metadata,
    /// `temperature`.
    Temperature,
    /// `top_p`.
    TopP,
    /// `top_k`.
    TopK,
    /// `stop_sequences`.
    StopSequences,
    /// `tools` and `tool_choice`.
    Tools,
}

/// All of them.
pub const ALL: [Optional; 11] = [
    Optional::Diagnostics,
    Optional::Caching,
    Optional::Thinking,
    Optional::Effort,
    Optional::ServiceTier,
    Optional::Metadata,
    Optional::Temperature,
    Optional::TopP,
    Optional::TopK,
    Optional::StopSequences,
    Optional::Tools,
];

/// How servers say that they do not know, or do not take, something.
const REFUSALS: [&str; 13] = [
    "extra input",
    "not permitted",
    "not allowed",
    "unknown",
    "unrecognized",
    "unrecognised",
    "unexpected",
    "unsupported",
    "not supported",
    "not support",
    "additional propert",
    "no such",
    "deprecated",
];

impl Optional {
    /// The words that a server may name it by.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Diagnostics => &["diagnostics"],
            Self::Caching => &["cache_control"],
            Self::Thinking => &["thinking"],
            Self::Effort => &["output_config", "effort"],
            Self::ServiceTier => &["service_tier"],
            Self::Metadata => &["metadata"],
            Self::Temperature => &["temperature"],
            Self::TopP => &["top_p"],
            Self::TopK => &["top_k"],
            Self::StopSequences => &["stop_sequences"],
            Self::Tools => &["tools", "tool_choice", "tool"],
        }
    }

    /// Whether a request has it.
    pub fn is_in(self, request: &MessageRequest) -> bool {
        match self {
            Self::Diagnostics => request.diagnostics.is_some(),
            Self::Caching => {
                let mut copy = request.clone();
                self.take_from(&mut copy);
                copy != *request
            }
            Self::Thinking => request.thinking.is_some(),
            Self::Effort => request.output_config.is_some(),
            Self::ServiceTier => request.service_tier.is_some(),
            Self::Metadata => request.metadata.is_some(),
            Self::Temperature => request.temperature.is_some(),
            Self::TopP => request.top_p.is_some(),
            Self::TopK => request.top_k.is_some(),
            Self::StopSequences => !request.stop_sequences.is_empty(),
            Self::Tools => !request.tools.is_empty() || request.tool_choice.is_some(),
        }
    }

    /// Takes it out of a request.
    pub fn take_from(self, request: &mut MessageRequest) {
        match self {
            Self::Diagnostics => request.diagnostics = None,
            Self::Caching => take_breakpoints(request),
            Self::Thinking => request.thinking = None,
            Self::Effort => request.output_config = None,
            Self::ServiceTier => request.service_tier = None,
            Self::Metadata => request.metadata = None,
            Self::Temperature => request.temperature = None,
            Self::TopP => request.top_p = None,
            Self::TopK => request.top_k = None,
            Self::StopSequences => request.stop_sequences.clear(),
            Self::Tools => {
                request.tools.clear();
                request.tool_choice = None;
            }
        }
    }

    /// What the user is told when `host` does not take it.
    pub fn word(self, host: &str) -> String {
        let without = |what: &str, so: &str| format!("{host} does not take {what}, so {so}.");
        match self {
            Self::Diagnostics => format!(
                "{host} does not know `diagnostics`, so it is not asked why the cache was missed; \
                 `cache.diagnostics = false` says so for good."
            ),
            Self::Caching => without("`cache_control`", "nothing is cached and every action pays for its whole prompt"),
            Self::Thinking => without("`thinking`", "the model thinks as it likes, and what it thought is not shown"),
            Self::Effort => without("an effort", "`thinking.effort` is left out"),
            Self::ServiceTier => without("`service_tier`", "`parameters.service_tier` is left out"),
            Self::Metadata => without("`metadata`", "`parameters.user_id` is left out"),
            Self::Temperature => without("`temperature`", "`parameters.temperature` is left out"),
            Self::TopP => without("`top_p`", "`parameters.top_p` is left out"),
            Self::TopK => without("`top_k`", "`parameters.top_k` is left out"),
            Self::StopSequences => without("`stop_sequences`", "`parameters.stop_sequences` is left out"),
            Self::Tools => without("tools", "the model answers from the prompt alone"),
        }
    }
}

/// The fields of a request that a server's refusal is about: those that it names, or all that can be left out when it only
/// says that it does not know something. None when the refusal is about something else.
pub fn refused(request: &MessageRequest, message: &str) -> Vec<Optional> {
    let message = message.to_ascii_lowercase();
    if !REFUSALS.iter().any(|words| message.contains(words)) {
        return Vec::new();
    }
    let there: Vec<Optional> = ALL.into_iter().filter(|field| field.is_in(request)).collect();
    let mut words = message.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let named: Vec<Optional> =
        there.iter().copied().filter(|field| words.clone().any(|word| field.names().contains(&word))).collect();
    if !named.is_empty() {
        return named;
    }
    // What it names is something that every request has, or that this one has not.
    let is_about_else = words.any(|word| {
        ["model", "messages", "max_tokens", "stream", "system", "content", "role", "image", "version", "prefill"]
            .contains(&word)
            || ALL.iter().any(|field| field.names().contains(&word))
    });
    if is_about_else { Vec::new() } else { there }
}

fn take_breakpoints(request: &mut MessageRequest) {
    request.cache_control = None;
    for tool in &mut request.tools {
        tool.cache_control = None;
    }
    for SystemBlock::Text { cache_control, .. } in &mut request.system {
        *cache_control = None;
    }
    for block in request.messages.iter_mut().flat_map(|message| &mut message.content) {
        match block {
            ContentBlock::Text { cache_control, .. }
            | ContentBlock::Image { cache_control, .. }
            | ContentBlock::ToolUse { cache_control, .. }
            | ContentBlock::ToolResult { cache_control, .. } => *cache_control = None,
            ContentBlock::Thinking { .. } | ContentBlock::RedactedThinking { .. } | ContentBlock::Other(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A request that has everything.
    fn everything() -> MessageRequest {
        let control = json!({"type": "ephemeral"});
        serde_json::from_value(json!({
            "model": "m", "max_tokens": 9, "stream": true,
            "tools": [{"name": "t", "description": "d", "input_schema": {"type": "object"}, "cache_control": control}],
            "tool_choice": {"type": "auto"},
            "system": [{"type": "text", "text": "s", "cache_control": control}],
            "messages": [{"role": "user", "content": [
                {"type": "image", "source": {"type": "url", "url": "https://a.example/a.png"}, "cache_control": control},
                {"type": "text", "text": "t", "cache_control": control},
            ]}],
            "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}, "stop_sequences": ["END"],
            "metadata": {"user_id": "u"}, "service_tier": "auto", "cache_control": control,
            "diagnostics": {"previous_message_id": null}, "temperature": 0.5, "top_p": 0.5, "top_k": 5,
        }))
        .unwrap()
    }

    #[test]
    fn without_all_of_them_a_request_is_what_every_server_knows() {
        let mut request = everything();
        for field in ALL {
            assert!(field.is_in(&request), "{field:?}");
            field.take_from(&mut request);
            assert!(!field.is_in(&request), "{field:?}");
        }
        assert_eq!(
            serde_json::to_value(&request).unwrap(),
            json!({
                "model": "m", "max_tokens": 9, "stream": true, "system": [{"type": "text", "text": "s"}],
                "messages": [{"role": "user", "content": [
                    {"type": "image", "source": {"type": "url", "url": "https://a.example/a.png"}},
                    {"type": "text", "text": "t"},
                ]}],
            })
        );
    }

    #[test]
    fn a_refusal_is_about_what_it_names() {
        use Optional::{Caching, Diagnostics, Effort, Temperature, Thinking, Tools};
        for (message, fields) in [
            (
                "localhost:8080 refuses the request (status 400): thinking: Extra inputs are not permitted.",
                vec![Thinking],
            ),
            ("messages.0.content.1.cache_control: Extra inputs are not permitted", vec![Caching]),
            ("unknown field `diagnostics`, expected one of `model`, `messages`", vec![Diagnostics]),
            ("This model does not support the effort parameter.", vec![Effort]),
            ("`temperature` is deprecated for this model.", vec![Temperature]),
            ("registry.ollama.ai/library/gemma:2b does not support tools", vec![Tools]),
            ("thinking and output_config are not supported", vec![Thinking, Effort]),
            // Nothing that could be left out.
            ("max_tokens: 200000 > 8192, which is the maximum allowed number of output tokens", vec![]),
            ("prompt is too long: 9 tokens > 8 maximum", vec![]),
            ("Unknown model: gpt-9", vec![]),
            ("`max_tokens` must be greater than `thinking.budget_tokens`", vec![]),
            ("This model does not support assistant message prefill.", vec![]),
            ("messages: image input is not supported", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(refused(&everything(), message), fields, "{message}");
        }
        assert_eq!(refused(&everything(), "Unrecognized request argument supplied"), ALL, "whichever it is");
        assert_eq!(refused(&MessageRequest::default(), "thinking is not supported"), [], "it was not asked for");
    }

    #[test]
    fn each_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<String> = ALL.iter().map(|field| field.word("h")).collect();
        assert_eq!(words.len(), ALL.len());
    }
}

//! Everything that is neither a message nor a tool: lengths, thinking, sampling, and what goes together.

use super::super::failure::Failure;
use super::object::Object;
use super::{Context, Purpose};
use crate::claude::models::{Model, Sampling, ThinkingDefault};

/// What a request may ask for at most when the model's own limit is not published.
const MOST_OUTPUT_TOKENS: u64 = 128_000;

/// The most tokens of the answer; needless only where tokens are counted.
pub(super) fn max_tokens(request: &Object<'_>, context: Context) -> Result<u64, Failure> {
    if context.purpose == Purpose::CountTokens {
        return Ok(0);
    }
    request.required("max_tokens")?;
    let most = request.optional_integer("max_tokens", 0)?.unwrap_or_default();
    if most == 0 && context.purpose == Purpose::Batch {
        return Err(request.error("max_tokens", "Input should be greater than or equal to 1"));
    }
    Ok(most)
}

/// Fields whose form is the same for every model.
pub(super) fn plain_fields(request: &Object<'_>) -> Result<(), Failure> {
    for (number, sequence) in request.optional_list("stop_sequences")?.unwrap_or_default().iter().enumerate() {
        let place = format!("stop_sequences.{number}");
        let text =
            sequence.as_str().ok_or_else(|| Failure::invalid(format!("{place}: Input should be a valid string")))?;
        if text.trim().is_empty() {
            return Err(Failure::invalid("stop_sequences: each stop sequence must contain non-whitespace"));
        }
    }
    if let Some(metadata) = request.get("metadata") {
        let metadata = Object::new(metadata, "metadata", &["user_id"])?;
        if metadata.nullable_string("user_id")?.is_some_and(|id| id.chars().count() > 256) {
            return Err(metadata.error("user_id", "String should have at most 256 characters"));
        }
    }
    request.optional_word("service_tier", &["auto", "standard_only"])?;
    if let Some(diagnostics) = request.nullable("diagnostics") {
        Object::new(diagnostics, "diagnostics", &["previous_message_id"])?.nullable_string("previous_message_id")?;
    }
    for field in ["container", "inference_geo", "speed"] {
        if request.nullable(field).is_some() {
            return Err(request.error(field, "known to the API, but not to this simulator"));
        }
    }
    Ok(())
}

/// Fields whose form depends on the model, and fields that exclude each other.
pub(super) fn for_model(
    request: &Object<'_>,
    model: &Model,
    context: Context,
    max_tokens: u64,
    stream: bool,
) -> Result<(), Failure> {
    let limit = model.max_output_tokens.unwrap_or(MOST_OUTPUT_TOKENS);
    if max_tokens > limit {
        return Err(Failure::invalid(format!(
            "max_tokens: {max_tokens} > {limit}, which is the maximum allowed number of output tokens for {}",
            model.id
        )));
    }
    let thinking = thinking(request, model)?;
    let format = output_config(request, model)?;
    sampling(request, model, context, thinking)?;
    if let (Some(Thinking::Enabled { budget }), Purpose::Message | Purpose::Batch) = (thinking, context.purpose)
        && budget >= max_tokens
        && max_tokens > 0
    {
        return Err(Failure::invalid("`max_tokens` must be greater than `thinking.budget_tokens`"));
    }
    if context.purpose == Purpose::Message && max_tokens == 0 {
        prewarm(request, stream, thinking, format)?;
    }
    Ok(())
}

/// What may not go with `max_tokens: 0`, which only warms the cache.
fn prewarm(request: &Object<'_>, stream: bool, thinking: Option<Thinking>, format: bool) -> Result<(), Failure> {
    let choice = request.get("tool_choice").and_then(|choice| choice.get("type")).and_then(|kind| kind.as_str());
    let excluded = [
        (stream, "stream"),
        (matches!(thinking, Some(Thinking::Enabled { .. })), "thinking.enabled"),
        (format, "output_config.format"),
        (matches!(choice, Some("any" | "tool")), "a forced tool_choice"),
    ];
    match excluded.into_iter().find(|(is_there, _)| *is_there) {
        Some((_, what)) => Err(Failure::invalid(format!("max_tokens: 0 is not allowed together with {what}"))),
        None => Ok(()),
    }
}

/// A form of `thinking` that the request spells out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thinking {
    Adaptive,
    BetweenTools,
    Disabled,
    Enabled { budget: u64 },
}

fn thinking(request: &Object<'_>, model: &Model) -> Result<Option<Thinking>, Failure> {
    let Some(value) = request.get("thinking") else { return Ok(None) };
    let config = Object::any(value, "thinking")?;
    let display = |config: &Object<'_>| {
        let said = config.nullable("display").is_some();
        if said { config.optional_word("display", &["summarized", "omitted"]).map(drop) } else { Ok(()) }
    };
    let rule = &model.thinking;
    let unsupported = |kind: &str, instead: &str| {
        Failure::invalid(format!("\"thinking.type.{kind}\" is not supported for this model.{instead}"))
    };
    let form = match config.tag(&["adaptive", "between_tools", "disabled", "enabled"])? {
        "adaptive" => {
            config.only(&["type", "display"])?;
            display(&config)?;
            if !rule.adaptive {
                return Err(Failure::invalid("adaptive thinking is not supported on this model"));
            }
            Thinking::Adaptive
        }
        "between_tools" => {
            config.only(&["type"])?;
            if !rule.between_tools {
                return Err(unsupported("between_tools", ""));
            }
            Thinking::BetweenTools
        }
        "disabled" => {
            config.only(&["type"])?;
            if !rule.can_disable && rule.default == ThinkingDefault::On {
                return Err(unsupported("disabled", ""));
            }
            Thinking::Disabled
        }
        _ => {
            config.only(&["type", "budget_tokens", "display"])?;
            display(&config)?;
            config.required("budget_tokens")?;
            let budget = config.optional_integer("budget_tokens", 0)?.unwrap_or_default();
            if budget < 1024 {
                return Err(Failure::invalid(
                    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
                ));
            }
            if !rule.enabled {
                let instead = if rule.adaptive {
                    " Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior."
                } else {
                    ""
                };
                return Err(unsupported("enabled", instead));
            }
            Thinking::Enabled { budget }
        }
    };
    Ok(Some(form))
}

/// Checks `output_config`; true when it asks for a format.
fn output_config(request: &Object<'_>, model: &Model) -> Result<bool, Failure> {
    let Some(value) = request.get("output_config") else { return Ok(false) };
    let config = Object::new(value, "output_config", &["effort", "format"])?;
    if config.nullable("effort").is_some() {
        config.optional_word("effort", &["low", "medium", "high", "xhigh", "max"])?;
        if !model.thinking.effort {
            return Err(Failure::invalid("This model does not support the effort parameter."));
        }
    }
    let Some(format) = config.nullable("format") else { return Ok(false) };
    let format = Object::new(format, "output_config.format", &["type", "schema"])?;
    format.tag(&["json_schema"])?;
    Object::any(format.required("schema")?, "output_config.format.schema")?;
    Ok(true)
}

fn sampling(request: &Object<'_>, model: &Model, context: Context, thinking: Option<Thinking>) -> Result<(), Failure> {
    let temperature = request.optional_share("temperature")?;
    let top_p = request.optional_share("top_p")?;
    request.optional_integer("top_k", 0)?;
    let Some(given) = ["temperature", "top_p", "top_k"].into_iter().find(|name| request.get(name).is_some()) else {
        return Ok(());
    };
    if context.new_version {
        return Err(request.error(given, "Extra inputs are not permitted"));
    }
    if model.sampling == Sampling::Never {
        return Err(Failure::invalid(format!("`{given}` is deprecated for this model.")));
    }
    if matches!(thinking, Some(Thinking::Enabled { .. } | Thinking::Adaptive)) {
        #[expect(clippy::float_cmp, reason = "exactly 1 is what the API asks for")]
        let changed = temperature.is_some_and(|temperature| temperature != 1.0);
        if changed {
            return Err(Failure::invalid("`temperature` may only be set to 1 when thinking is enabled."));
        }
        if request.get("top_k").is_some() {
            return Err(Failure::invalid("`top_k` must be unset when thinking is enabled."));
        }
        if top_p.is_some_and(|top_p| top_p < 0.95) {
            return Err(Failure::invalid(
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.",
            ));
        }
    }
    Ok(())
}

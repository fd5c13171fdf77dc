//! What of the user's wishes about thinking and sampling a model takes, and in which form. Pure.
//!
//! What is the model's default anyway is left out: it means the same, and servers other than the API's own know fewer
//! fields. What the model does not take is left out with a note, for the user to be told once.

use super::{
    models::{Model, Sampling, ThinkingDefault},
    types::{Display, Effort, MessageRequest, OutputConfig, Thinking},
};

/// The version from which on no model takes sampling parameters.
const WITHOUT_SAMPLING: &str = "2026-10-21";
/// The smallest thinking budget there is, in tokens.
const SMALLEST_BUDGET: u32 = 1024;

/// What the user set; `None` leaves it to the model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wishes {
    /// `thinking.effort`.
    pub effort: Option<Effort>,
    /// `thinking.budget_tokens`; 0 asks for no thinking.
    pub budget_tokens: Option<u32>,
    /// `thinking.show`: what was thought is to be seen.
    pub show: bool,
    /// From 0 to 1.
    pub temperature: Option<f64>,
    /// From 0 to 1.
    pub top_p: Option<f64>,
    /// At least 1.
    pub top_k: Option<u32>,
}

/// What is sent of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    /// Left out when it is the model's default.
    pub thinking: Option<Thinking>,
    /// `output_config.effort`.
    pub effort: Option<Effort>,
    /// Only for models and versions that take it.
    pub temperature: Option<f64>,
    /// Only for models and versions that take it.
    pub top_p: Option<f64>,
    /// Only for models and versions that take it.
    pub top_k: Option<u32>,
    /// What was left out or changed, and why; one sentence each.
    pub notes: Vec<String>,
}

/// The parameters for a request to `model` under the given `anthropic-version` with so many `max_tokens`.
pub fn params(model: &Model, version: &str, max_tokens: u32, wishes: &Wishes) -> Params {
    let mut params = Params::default();
    params.think(model, max_tokens, wishes);
    params.sample(model, version, wishes);
    params
}

impl Params {
    /// Sets the parameters on a request; an output format that is there stays.
    pub fn apply(&self, request: &mut MessageRequest) {
        request.thinking.clone_from(&self.thinking);
        request.temperature = self.temperature;
        request.top_p = self.top_p;
        request.top_k = self.top_k;
        let format = request.output_config.take().and_then(|config| config.format);
        if self.effort.is_some() || format.is_some() {
            request.output_config = Some(OutputConfig { effort: self.effort, format });
        }
    }

    /// Whether the request thinks in the older form, with which a forced `tool_choice` is refused.
    pub fn has_enabled_thinking(&self) -> bool {
        matches!(self.thinking, Some(Thinking::Enabled { .. }))
    }

    fn think(&mut self, model: &Model, max_tokens: u32, wishes: &Wishes) {
        let (id, rule) = (&model.id, model.thinking);
        match wishes.effort {
            Some(Effort::Xhigh) if rule.effort && !rule.xhigh => {
                self.effort = Some(Effort::High);
                self.note(format!("`thinking.effort` is lowered to high: {id} has no xhigh."));
            }
            Some(effort) if rule.effort => self.effort = Some(effort),
            Some(_) if rule.enabled => self.note(format!(
                "`thinking.effort` is left out: {id} does not know it, set `thinking.budget_tokens` instead."
            )),
            Some(_) => self.note(format!("`thinking.effort` is left out: {id} is not known to take it.")),
            None => {}
        }
        match wishes.budget_tokens {
            Some(0) => self.do_not_think(model),
            Some(budget) if rule.enabled => self.think_within(model, budget, max_tokens),
            Some(_) if rule.effort => {
                self.note(format!(
                    "`thinking.budget_tokens` is left out: {id} decides itself how much to think, `thinking.effort` steers it."
                ));
                self.think_adaptively(model);
            }
            Some(_) => self.note(format!("`thinking.budget_tokens` is left out: {id} is not known to take it.")),
            None if self.effort.is_some() => self.think_adaptively(model),
            None => {}
        }
        if wishes.show {
            self.show(model, wishes);
        }
        if self.effort == rule.default_effort {
            self.effort = None;
        }
    }

    /// The older form shows what was thought by itself; the newer one has to be asked.
    fn show(&mut self, model: &Model, wishes: &Wishes) {
        let rule = model.thinking;
        match &mut self.thinking {
            Some(Thinking::Adaptive { display }) => *display = Some(Display::Summarized),
            None if rule.adaptive && rule.default == ThinkingDefault::On => {
                self.thinking = Some(Thinking::Adaptive { display: Some(Display::Summarized) });
            }
            None if wishes.budget_tokens != Some(0) && (rule.adaptive || rule.enabled) => {
                let key = if rule.effort { "thinking.effort" } else { "thinking.budget_tokens" };
                self.note(format!("`thinking.show` has nothing to show: {} thinks only with `{key}`.", model.id));
            }
            _ => {}
        }
    }

    fn do_not_think(&mut self, model: &Model) {
        match model.thinking.default {
            ThinkingDefault::Off => {}
            ThinkingDefault::On if model.thinking.can_disable => {
                self.thinking = Some(Thinking::Disabled);
                if matches!(self.effort, Some(Effort::Xhigh | Effort::Max)) {
                    self.effort = Some(Effort::High);
                    self.note("`thinking.effort` is lowered to high, the most there is without thinking.".to_owned());
                }
            }
            ThinkingDefault::On if model.thinking.between_tools => self.thinking = Some(Thinking::BetweenTools),
            ThinkingDefault::On => {
                self.note(format!(
                    "{} thinks in any case: `thinking.effort = \"low\"` makes it think least.",
                    model.id
                ));
            }
        }
    }

    /// A model that thinks by default does so adaptively; to one that does not it must be said.
    fn think_adaptively(&mut self, model: &Model) {
        if model.thinking.adaptive && model.thinking.default == ThinkingDefault::Off {
            self.thinking = Some(Thinking::Adaptive { display: None });
        }
    }

    fn think_within(&mut self, model: &Model, budget: u32, max_tokens: u32) {
        if max_tokens <= SMALLEST_BUDGET {
            self.note(format!(
                "`thinking.budget_tokens` is left out: it is at least {SMALLEST_BUDGET}, and the answer may have only {max_tokens} tokens in all."
            ));
            return;
        }
        let mut budget_tokens = budget.max(SMALLEST_BUDGET);
        if budget_tokens != budget {
            self.note(format!("`thinking.budget_tokens` is raised to {budget_tokens}, the least {} takes.", model.id));
        }
        if budget_tokens >= max_tokens {
            // The budget is part of `max_tokens`; half of it leaves room for the answer itself.
            budget_tokens = (max_tokens / 2).max(SMALLEST_BUDGET);
            self.note(format!(
                "`thinking.budget_tokens` is lowered to {budget_tokens}, so that an answer fits into {max_tokens} tokens."
            ));
        }
        self.thinking = Some(Thinking::Enabled { budget_tokens });
    }

    fn sample(&mut self, model: &Model, version: &str, wishes: &Wishes) {
        let set = [
            ("temperature", wishes.temperature.is_some()),
            ("top_p", wishes.top_p.is_some()),
            ("top_k", wishes.top_k.is_some()),
        ];
        let names: Vec<&str> = set.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect();
        if names.is_empty() {
            return;
        }
        let thinks = !matches!(self.thinking, None | Some(Thinking::Disabled));
        // Versions are dates, so they sort as text.
        let reason = if model.sampling == Sampling::Never {
            format!("{} does not take it", model.id)
        } else if version >= WITHOUT_SAMPLING {
            format!("nothing takes it under version {version}")
        } else if thinks {
            "it cannot be combined with thinking".to_owned()
        } else {
            (self.temperature, self.top_p, self.top_k) = (wishes.temperature, wishes.top_p, wishes.top_k);
            return;
        };
        self.note(format!("{} is left out: {reason}.", names.join(", ")));
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    /// One line that says it all, to be compared with the table of cases.
    fn sent(id: &str, max_tokens: u32, wishes: Wishes) -> String {
        let params = params(&models::lookup(id), "2023-06-01", max_tokens, &wishes);
        let mut request = MessageRequest::default();
        params.apply(&mut request);
        let json = serde_json::to_value(&request).unwrap();
        let mut line: Vec<String> = ["thinking", "output_config", "temperature", "top_p", "top_k"]
            .iter()
            .filter_map(|key| Some(format!("{key} {}", json.get(key)?)))
            .collect();
        line.extend(params.notes.iter().map(|note| format!("note: {note}")));
        line.join(" | ")
    }

    const NONE: Wishes =
        Wishes { effort: None, budget_tokens: None, show: false, temperature: None, top_p: None, top_k: None };

    #[test]
    fn without_wishes_nothing_is_sent() {
        for model in models::all() {
            assert_eq!(sent(&model.id, 16_000, NONE), "", "{}", model.id);
        }
        assert_eq!(sent("qwen3", 16_000, NONE), "");
    }

    #[test]
    fn effort() {
        let low = Wishes { effort: Some(Effort::Low), ..NONE };
        for (id, expected) in [
            ("claude-sonnet-5-5", r#"output_config {"effort":"low"}"#),
            ("claude-opus-4-8", r#"thinking {"type":"adaptive"} | output_config {"effort":"low"}"#),
            ("claude-opus-4-6", r#"thinking {"type":"adaptive"} | output_config {"effort":"low"}"#),
            (
                "claude-haiku-4-5",
                "note: `thinking.effort` is left out: claude-haiku-4-5 does not know it, set `thinking.budget_tokens` instead.",
            ),
            ("qwen3", "note: `thinking.effort` is left out: qwen3 is not known to take it."),
        ] {
            assert_eq!(sent(id, 16_000, low), expected, "{id}");
        }
    }

    #[test]
    fn the_default_effort_is_left_out() {
        let wish = |effort| Wishes { effort: Some(effort), ..NONE };
        assert_eq!(sent("claude-sonnet-5-5", 16_000, wish(Effort::High)), "");
        assert_eq!(sent("claude-opus-5-5", 16_000, wish(Effort::Medium)), "");
        assert_eq!(sent("claude-opus-5-5", 16_000, wish(Effort::High)), r#"output_config {"effort":"high"}"#);
        assert_eq!(sent("claude-opus-4-8", 16_000, wish(Effort::High)), r#"thinking {"type":"adaptive"}"#);
        assert_eq!(
            sent("claude-sonnet-4-6", 16_000, wish(Effort::Xhigh)),
            r#"thinking {"type":"adaptive"} | note: `thinking.effort` is lowered to high: claude-sonnet-4-6 has no xhigh."#
        );
        let calm = Wishes { effort: Some(Effort::Max), budget_tokens: Some(0), ..NONE };
        assert_eq!(
            sent("claude-haiku-5-5", 16_000, calm),
            r#"thinking {"type":"disabled"} | output_config {"effort":"high"} | note: `thinking.effort` is lowered to high, the most there is without thinking."#
        );
    }

    #[test]
    fn budget() {
        let budget = |tokens| Wishes { budget_tokens: Some(tokens), ..NONE };
        for (id, tokens, max, expected) in [
            ("claude-sonnet-4-5", 4000, 16_000, r#"thinking {"type":"enabled","budget_tokens":4000}"#),
            ("claude-sonnet-4-20250514", 1024, 1025, r#"thinking {"type":"enabled","budget_tokens":1024}"#),
            ("claude-opus-4-6", 4000, 16_000, r#"thinking {"type":"enabled","budget_tokens":4000}"#),
            ("claude-sonnet-5", 0, 16_000, r#"thinking {"type":"disabled"}"#),
            ("claude-sonnet-5-5", 0, 16_000, r#"thinking {"type":"between_tools"}"#),
            ("claude-opus-4-8", 0, 16_000, ""),
            ("qwen3", 0, 16_000, ""),
        ] {
            assert_eq!(sent(id, max, budget(tokens)), expected, "{id}");
        }
        for (id, tokens, max, form, note) in [
            ("claude-sonnet-4-5", 10, 16_000, r#""budget_tokens":1024"#, "raised to 1024"),
            ("claude-sonnet-4-5", 16_000, 16_000, r#""budget_tokens":8000"#, "lowered to 8000"),
            ("claude-sonnet-4-5", 4000, 1024, "", "at least 1024"),
            ("claude-sonnet-5-5", 4000, 16_000, "", "decides itself"),
            ("claude-opus-4-7", 4000, 16_000, r#"{"type":"adaptive"}"#, "decides itself"),
            ("claude-opus-5-5", 0, 16_000, "", "thinks in any case"),
            ("claude-haiku-3-5", 4000, 16_000, "", "not known to take it"),
        ] {
            let line = sent(id, max, budget(tokens));
            assert!(line.contains(form) && line.contains(note), "{id}: {line}");
            assert_eq!(line.contains("thinking {"), !form.is_empty(), "{id}: {line}");
        }
    }

    #[test]
    fn what_was_thought_is_asked_for_where_it_is_not_shown_anyway() {
        let show = Wishes { show: true, ..NONE };
        let summarized = r#"thinking {"type":"adaptive","display":"summarized"}"#;
        let low = Wishes { effort: Some(Effort::Low), ..show };
        let budget = |tokens| Wishes { budget_tokens: Some(tokens), ..show };
        for (id, wishes, expected) in [
            ("claude-sonnet-5-5", show, summarized.to_owned()),
            ("claude-fable-5-2", low, format!(r#"{summarized} | output_config {{"effort":"low"}}"#)),
            ("claude-opus-4-8", low, format!(r#"{summarized} | output_config {{"effort":"low"}}"#)),
            ("claude-sonnet-4-5", budget(2000), r#"thinking {"type":"enabled","budget_tokens":2000}"#.to_owned()),
            ("claude-sonnet-5-5", budget(0), r#"thinking {"type":"between_tools"}"#.to_owned()),
            ("claude-haiku-5-5", budget(0), r#"thinking {"type":"disabled"}"#.to_owned()),
            ("claude-opus-4-8", budget(0), String::new()),
            (
                "claude-opus-4-8",
                show,
                "note: `thinking.show` has nothing to show: claude-opus-4-8 thinks only with `thinking.effort`.".to_owned(),
            ),
            (
                "claude-haiku-4-5",
                show,
                "note: `thinking.show` has nothing to show: claude-haiku-4-5 thinks only with `thinking.budget_tokens`."
                    .to_owned(),
            ),
            ("qwen3", show, String::new()),
        ] {
            assert_eq!(sent(id, 16_000, wishes), expected, "{id}");
        }
    }

    #[test]
    fn sampling() {
        let cool = Wishes { temperature: Some(0.2), top_k: Some(5), ..NONE };
        assert_eq!(sent("claude-sonnet-4-5", 16_000, cool), "temperature 0.2 | top_k 5");
        assert_eq!(sent("claude-sonnet-4-20250514", 16_000, cool), "temperature 0.2 | top_k 5");
        assert_eq!(
            sent("claude-sonnet-5-5", 16_000, cool),
            "note: temperature, top_k is left out: claude-sonnet-5-5 does not take it."
        );
        // No model of Anthropic's: servers of others take it in general, and the one that does not says so.
        assert_eq!(sent("qwen3", 16_000, cool), "temperature 0.2 | top_k 5");
        assert_eq!(
            sent("claude-next-9", 16_000, cool),
            "note: temperature, top_k is left out: claude-next-9 does not take it."
        );
        let thinking = Wishes { budget_tokens: Some(2000), ..cool };
        assert!(sent("claude-sonnet-4-5", 16_000, thinking).contains("cannot be combined with thinking"));
        let newer = params(&models::lookup("claude-sonnet-4-5"), "2026-10-21", 16_000, &cool);
        assert_eq!((newer.temperature, newer.notes.len()), (None, 1));
    }

    #[test]
    fn an_output_format_stays() {
        let format = serde_json::json!({"type": "json_schema", "schema": {}});
        let config = OutputConfig { effort: None, format: Some(format.clone()) };
        let mut request = MessageRequest { output_config: Some(config), ..MessageRequest::default() };
        let wishes = Wishes { effort: Some(Effort::Max), ..NONE };
        params(&models::lookup("claude-opus-5-5"), "2023-06-01", 9000, &wishes).apply(&mut request);
        assert_eq!(request.output_config, Some(OutputConfig { effort: Some(Effort::Max), format: Some(format) }));
    }
}

//! What an error answer says, whoever wrote it: the API, a gateway in its own JSON, a proxy in HTML, or nobody.

use serde_json::Value;

use crate::claude::types::ApiError;

/// The longest text of somebody else's that goes into a message, in characters.
const LONGEST: usize = 300;

/// The readable part of an error answer's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Such as `rate_limit_error`; empty when the body is not the API's.
    pub kind: String,
    /// In somebody's words, one line; empty when there are none.
    pub message: String,
    /// `error.details.error_code`.
    pub code: Option<String>,
    /// The body's `request_id`.
    pub request_id: Option<String>,
    /// Whether the body is a page for people, as proxies and sign-in walls send it.
    pub html: bool,
}

impl Fault {
    /// Reads a body of any kind.
    pub fn from_body(body: &[u8]) -> Self {
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            return Self::from_json(&value);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
        let html = text.trim_start().starts_with('<');
        let message = if html { title(&text) } else { one_line(&text) };
        Self { message, html, ..Self::default() }
    }

    /// Reads the `error` of a stream's event.
    pub fn from_event(error: &ApiError) -> Self {
        Self {
            kind: error.kind.clone(),
            message: one_line(&error.message),
            code: error.details.as_ref().and_then(code),
            ..Self::default()
        }
    }

    /// `{error: {type, message, details}, request_id}`, and what others make of it: `{error: "…"}`, `{message}`,
    /// `{detail}`, `{detail: [{loc, msg}]}`, or a bare string.
    pub fn from_json(value: &Value) -> Self {
        let error = value.get("error").unwrap_or(value);
        let text = |key: &str| error.get(key).or_else(|| value.get(key)).and_then(Value::as_str);
        let message = error.as_str().or_else(|| text("message")).or_else(|| text("detail")).map(str::to_owned);
        let message = message.or_else(|| first_detail(value)).unwrap_or_default();
        // The outer `type` is only ever `error`.
        let kind = error.get("type").and_then(Value::as_str).filter(|kind| *kind != "error").unwrap_or_default();
        Self {
            kind: kind.to_owned(),
            message: one_line(&message),
            code: error.get("details").and_then(code),
            request_id: value.get("request_id").and_then(Value::as_str).map(str::to_owned),
            html: false,
        }
    }

    /// Whether money has run out, which no retry brings back.
    pub fn is_spent_budget(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        let spent = ["spend", "budget", "credit", "billing"].iter().any(|word| code.contains(word));
        spent || self.kind == "billing_error" || self.message.contains("credit balance is too low")
    }
}

fn code(details: &Value) -> Option<String> {
    details.get("error_code")?.as_str().map(str::to_owned)
}

/// The first complaint of a server that checks bodies with `FastAPI`, as vLLM does: `[{loc: ["body", "tools"], msg}]`.
fn first_detail(value: &Value) -> Option<String> {
    let detail = value.get("detail")?.get(0)?;
    let message = detail.get("msg")?.as_str()?;
    let place: Vec<&str> = detail.get("loc")?.as_array()?.iter().filter_map(Value::as_str).collect();
    Some(format!("{}: {message}", place.join(".")))
}

fn title(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let inner = lower.find("<title").and_then(|start| {
        let from = start + lower[start..].find('>')? + 1;
        let to = from + lower[from..].find("</title")?;
        Some(&html[from..to])
    });
    one_line(inner.unwrap_or_default())
}

/// One line without control characters, cut at a sensible length.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > LONGEST {
            let mut short: String = line.chars().take(LONGEST).collect();
            short.push('…');
            return short;
        }
    }
    line
}

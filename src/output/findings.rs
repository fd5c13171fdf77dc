//! Findings of a review, as a model reports them: checked, and counted in the lines that the prompt numbered.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::workspace::Severity;

/// A longer message is cut.
const LONGEST_MESSAGE: usize = 1000;

/// A longer category is none.
const LONGEST_CATEGORY: usize = 40;

/// Something that is wrong in the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The first line that it is about, from 1.
    pub start_line: usize,
    /// The last one, included.
    pub end_line: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is, in a word or two, such as `off-by-one`.
    pub category: String,
    /// What is wrong and what comes of it.
    pub message: String,
    /// Whole lines that mend it in the place of those that it is about; empty to take them away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

impl Finding {
    /// Whether it says what another one says: of the same kind, at the same lines, about the same names, and with no
    /// replacement that the other one does not have.
    pub fn repeats(&self, other: &Self) -> bool {
        let place = |it: &Self| (it.start_line, it.end_line, it.category.clone());
        place(self) == place(other)
            && names(&self.message) == names(&other.message)
            && (self.replacement.is_none() || self.replacement == other.replacement)
    }

    /// Reads the arguments of one report about the lines `first` to `last`.
    ///
    /// # Errors
    /// One sentence that the model can act on.
    pub fn read(value: &Value, (first, last): (usize, usize)) -> Result<Self, String> {
        let Some(fields) = value.as_object() else { return Err("A finding is an object.".to_owned()) };
        let line = |key: &str| {
            let number = fields.get(key).and_then(Value::as_u64).and_then(|line| usize::try_from(line).ok());
            let number = number.ok_or_else(|| format!("`{key}` must be the number of a line."))?;
            let is_inside = first <= number && number <= last;
            is_inside.then_some(number).ok_or_else(|| format!("`{key}` is {number}; the lines are {first} to {last}."))
        };
        let (start_line, end_line) = (line("start_line")?, line("end_line")?);
        if end_line < start_line {
            return Err(format!("`end_line` ({end_line}) is before `start_line` ({start_line})."));
        }
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let severity = match text("severity").map(str::to_lowercase).as_deref() {
            Some("error") => Severity::Error,
            Some("warning") => Severity::Warning,
            Some("information" | "info" | "note") => Severity::Information,
            Some("hint") => Severity::Hint,
            _ => return Err("`severity` must be `error`, `warning`, `information` or `hint`.".to_owned()),
        };
        let category = text("category").map(kebab).filter(|word| !word.is_empty() && word.len() <= LONGEST_CATEGORY);
        let category = category.ok_or("`category` must be one or two words, such as `off-by-one`.")?;
        let message = text("message").ok_or("`message` must say what is wrong.")?;
        let replacement = match fields.get("replacement") {
            None | Some(Value::Null) => None,
            Some(Value::String(code)) => Some(code.trim_end_matches(['\n', '\r']).to_owned()),
            Some(_) => return Err("`replacement` must be text: whole lines of code.".to_owned()),
        };
        Ok(Self {
            start_line,
            end_line,
            severity,
            category,
            message: message.chars().take(LONGEST_MESSAGE).collect(),
            replacement,
        })
    }
}

/// What stands in backticks.
fn names(message: &str) -> BTreeSet<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// A review as Markdown to read and to ask on about: a finding after the other, and what was said in the end.
pub fn page(findings: &[Finding], summary: &str, fence: &str) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.start_line, finding.end_line));
    let mut parts: Vec<String> = sorted.into_iter().map(|finding| finding.section(fence)).collect();
    if parts.is_empty() {
        parts.push("Nothing was found.".to_owned());
    }
    parts.extend((!summary.is_empty()).then(|| summary.to_owned()));
    parts.join("\n\n")
}

impl Finding {
    fn section(&self, fence: &str) -> String {
        let Self { start_line, end_line, severity, category, message, replacement } = self;
        let lines = if start_line == end_line {
            format!("Line {start_line}")
        } else {
            format!("Lines {start_line}-{end_line}")
        };
        let head = format!("**{lines}**, {} (`{category}`): {message}", severity.as_str());
        match replacement.as_deref() {
            None => head,
            Some("") => format!("{head}\n\nThese lines would go."),
            Some(code) => {
                let ticks = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                let mark = "`".repeat(ticks.max(2) + 1);
                format!("{head}\n\n{mark}{fence}\n{code}\n{mark}")
            }
        }
    }
}

/// The findings of an answer that could not report them by calls: the objects of its fenced `json` array.
pub fn in_answer(answer: &str) -> Option<Vec<Value>> {
    let mut rest = answer;
    while let Some(at) = rest.find("```") {
        let open = &rest[at..];
        let fence = open.len() - open.trim_start_matches('`').len();
        let (info, body) = open[fence..].split_once('\n')?;
        let close =
            body.find(&format!("\n{}", &open[..fence])).or_else(|| body.starts_with(&open[..fence]).then_some(0))?;
        if matches!(info.trim().to_lowercase().as_str(), "json" | "")
            && let Ok(Value::Array(found)) = serde_json::from_str(&body[..close])
        {
            return Some(found);
        }
        rest = &body[close..].trim_start_matches('\n')[fence..];
    }
    match serde_json::from_str(answer.trim()) {
        Ok(Value::Array(found)) => Some(found),
        _ => None,
    }
}

/// Words in small letters with hyphens between.
fn kebab(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(change: &[(&str, Value)]) -> Result<Finding, String> {
        let mut value = json!({
            "start_line": 12, "end_line": 13, "severity": "warning", "category": "off-by-one", "message": "It stops early.",
        });
        for (key, to) in change {
            value[*key] = to.clone();
        }
        Finding::read(&value, (10, 20))
    }

    #[test]
    fn a_finding_is_read_with_some_leniency() {
        let plain = one(&[]).unwrap();
        assert_eq!((plain.start_line, plain.end_line, plain.replacement.clone()), (12, 13, None));
        for (key, value) in [
            ("severity", json!("Warning")),
            ("category", json!("Off by one")),
            ("message", json!("  It stops early.\n")),
            ("replacement", Value::Null),
            ("confidence", json!(0.9)),
        ] {
            assert_eq!(one(&[(key, value.clone())]).as_ref(), Ok(&plain), "{key} {value}");
        }
        let mended = one(&[("replacement", json!("    return 1\n"))]).unwrap();
        assert_eq!(mended.replacement.as_deref(), Some("    return 1"));
    }

    #[test]
    fn a_malformed_finding_is_refused_in_words_that_help() {
        for (key, value, word) in [
            ("start_line", json!(9), "the lines are 10 to 20"),
            ("end_line", json!(21), "the lines are 10 to 20"),
            ("end_line", json!(11), "before"),
            ("start_line", json!("12"), "number of a line"),
            ("start_line", json!(-1), "number of a line"),
            ("severity", json!("fatal"), "`severity` must be"),
            ("category", json!(""), "`category` must be"),
            ("category", json!("a ".repeat(50)), "`category` must be"),
            ("message", json!("  "), "`message` must"),
            ("message", json!(["x"]), "`message` must"),
            ("replacement", json!(["x"]), "`replacement` must be text"),
        ] {
            let reason = one(&[(key, value.clone())]).unwrap_err();
            assert!(reason.contains(word), "{key} {value}: {reason}");
        }
        assert!(Finding::read(&json!("x"), (1, 2)).is_err());
    }

    #[test]
    fn what_is_said_again_in_other_words_is_one_finding() {
        let message = |text: &str| one(&[("message", json!(text))]).unwrap();
        let first = message("`limit` is never used.");
        let mended = |code: &str| Finding { replacement: Some(code.to_owned()), ..first.clone() };
        for (second, again) in [
            (message("The parameter `limit` is ignored by the body."), true),
            (message("`seen` is never used."), false),
            (one(&[("message", json!("`limit` is never used.")), ("end_line", json!(14))]).unwrap(), false),
            (one(&[("message", json!("`limit` is never used.")), ("category", json!("dead code"))]).unwrap(), false),
            (mended("x"), false),
        ] {
            assert_eq!(second.repeats(&first), again, "{second:?}");
        }
        assert!(first.repeats(&mended("x")), "nothing new");
        assert!(mended("x").repeats(&mended("x")) && !mended("y").repeats(&mended("x")));
    }

    #[test]
    fn a_review_can_be_read() {
        let found = [
            Finding { start_line: 12, end_line: 14, replacement: Some("x = \"```\"".to_owned()), ..one(&[]).unwrap() },
            Finding { start_line: 3, end_line: 3, replacement: Some(String::new()), ..one(&[]).unwrap() },
        ];
        expect_test::expect![[r#"
            **Line 3**, warning (`off-by-one`): It stops early.

            These lines would go.

            **Lines 12-14**, warning (`off-by-one`): It stops early.

            ````python
            x = "```"
            ````

            Look at line 3 first."#]]
        .assert_eq(&page(&found, "Look at line 3 first.", "python"));
        assert_eq!(page(&[], "", "python"), "Nothing was found.");
    }

    #[test]
    fn findings_are_found_in_an_answer_of_a_server_without_tools() {
        let two = "[{\"a\": 1}, {\"a\": 2}]";
        for (answer, expected) in [
            (format!("```json\n{two}\n```\nTwo."), Some(2)),
            (format!("Look:\n```python\n[1]\n```\n\n````json\n{two}\n````"), Some(2)),
            (format!(" {two}\n"), Some(2)),
            ("```json\n[]\n```".to_owned(), Some(0)),
            ("```json\n{}\n```".to_owned(), None),
            ("```json\n[".to_owned(), None),
            ("Nothing is wrong.".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(in_answer(&answer).map(|found| found.len()), expected, "{answer}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_read(answer in "[`\\[\\]{}a1\n json]{0,60}") {
            in_answer(&answer);
        }
    }
}

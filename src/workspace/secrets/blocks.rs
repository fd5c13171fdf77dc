//! Secrets that are known by what stands around them: private keys, Kubernetes' `Secret`, command lines of curl.

use std::ops::Range;
use std::sync::OnceLock;

use regex::Regex;

use super::{Secret, judge, window};

/// A private key whose first mark, `-----BEGIN`, ends at `at`. Each of its lines is a secret of its own, so that the text
/// keeps its lines and their indentation.
pub(super) fn private_key(text: &str, at: usize, found: &mut Vec<Secret>) {
    const MARK: &str = "-----";
    let rest = window(text, at);
    let Some(end) = rest.find(MARK) else { return };
    let title = &rest[..end];
    if title.len() > 100 || title.contains('\n') || !title.to_ascii_uppercase().contains("PRIVATE KEY") {
        return;
    }
    let body = &rest[end + MARK.len()..];
    let (body, is_whole) = body.find("-----END").map_or((body, false), |end| (&body[..end], true));
    let begin = at + end + MARK.len();
    let mut offset = begin;
    for (index, line) in body.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        let Some(run) = longest_run(line) else {
            continue;
        };
        let alone = line.trim().len() == run.len();
        if !is_whole && index > 0 && (run.len() < 40 || line.trim().len() > run.len() + 8) {
            // Cut off: what follows is something else.
            return;
        }
        if line.contains(": ") || run.len() < 8 && !alone || !is_whole && run.len() < 40 {
            continue;
        }
        found.push(Secret { span: start + run.start..start + run.end, kind: "private key" });
    }
}

/// The longest piece of Base64 in a line, without the `\n` that a text of a programming language has at its ends.
fn longest_run(line: &str) -> Option<Range<usize>> {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\\".contains(&byte);
    let mut best: Option<Range<usize>> = None;
    let mut start = None;
    for (at, byte) in line.bytes().chain([b' ']).enumerate() {
        match (start, is_inside(byte)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let run = trimmed(line, from..at);
                if best.as_ref().is_none_or(|best| run.len() >= best.len()) && !run.is_empty() {
                    best = Some(run);
                }
                start = None;
            }
            _ => {}
        }
    }
    best
}

fn trimmed(line: &str, run: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = run;
    while let Some(rest) = line[start..end].strip_prefix("\\n").or_else(|| line[start..end].strip_prefix("\\r")) {
        start = end - rest.len();
    }
    while let Some(rest) = line[start..end].strip_suffix("\\n").or_else(|| line[start..end].strip_suffix("\\r")) {
        end = start + rest.len();
    }
    while line[start..end].ends_with('\\') {
        end -= 1;
    }
    start..end
}

/// The values of a Kubernetes manifest whose `kind:` begins at `at`, if it is a `Secret`.
pub(super) fn kubernetes(text: &str, at: usize, found: &mut Vec<Secret>) {
    let kind = text[at + "kind:".len()..].trim_start_matches([' ', '\t', '"', '\'']);
    let is_secret = kind.get(..6).is_some_and(|it| it.eq_ignore_ascii_case("secret"))
        && !kind.as_bytes().get(6).is_some_and(u8::is_ascii_alphanumeric);
    if !is_secret {
        return;
    }
    let begin = text[..at].rfind("\n---").map_or(0, |it| it + 1);
    let end = text[at..].find("\n---").map_or(text.len(), |it| at + it);
    let mut offset = begin;
    // How far the entry with the values is indented, while in it.
    let mut inside: Option<usize> = None;
    for line in text[begin..end].split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if inside.is_some_and(|outer| indent <= outer) {
            inside = None;
        }
        let Some(_) = inside else {
            inside = matches!(content, "data:" | "stringData:").then_some(indent);
            continue;
        };
        // A line of a longer text has no name.
        let value = content.split_once(':').map_or(content, |(_, value)| value);
        let value = value.trim().trim_matches(['"', '\'']);
        if value.len() < 6 || judge::is_stand_in(value) || value.contains(char::is_whitespace) {
            continue;
        }
        let from = start + line.rfind(value).unwrap_or_default();
        found.push(Secret { span: from..from + value.len(), kind: "value of a Kubernetes secret" });
    }
}

/// The passwords and tokens of a command line of curl that begins at `at`.
pub(super) fn curl(text: &str, at: usize, found: &mut Vec<Secret>) {
    static LOGIN: OnceLock<Option<Regex>> = OnceLock::new();
    let Some(login) = LOGIN.get_or_init(|| {
        let login = r#"(?:\s-u|\s--user)[= ]*["']?[^\s:"']*:(?P<a>[^\s"']{3,})"#;
        let header = r"(?i:authorization:[ \t]*(?:(?:basic|bearer|token|apikey)[ \t]+)?|x-[a-z-]*(?:key|token):[ \t]*)(?P<b>[\w=~@.+/-]{8,})";
        Regex::new(&format!("{login}|{header}")).ok()
    }) else {
        return;
    };
    let rest = window(text, at);
    let lines = rest.split_inclusive('\n').scan(true, |goes_on, line| {
        let now = *goes_on;
        *goes_on = line.trim_end().ends_with('\\');
        now.then_some(line.len())
    });
    let command = &rest[..lines.sum()];
    for captures in login.captures_iter(command) {
        let Some(secret) = captures.name("a").or_else(|| captures.name("b")) else { continue };
        if judge::is_stand_in(secret.as_str()) || secret.as_str().contains('$') {
            continue;
        }
        found.push(Secret { span: at + secret.start()..at + secret.end(), kind: "password on a command line" });
    }
}

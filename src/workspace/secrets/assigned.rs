//! Values that are given to a name, and passwords in addresses.

use std::ops::Range;

use super::named::Strength;
use super::{REACH, Secret, is_word, judge, window};

/// What a password is called.
pub(super) const PASSWORD: &str = "password";

/// What a secret is called of which nothing is known but its name.
pub(super) const TELLING: &str = "secret with a telling name";

/// What a name is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) span: Range<usize>,
    pub(super) quoted: bool,
}

/// The value that follows a name, of which `name` is a part: `name = "value"`, `"name": value`, `set("name", "value")`,
/// `<name>value</name>`, `--name value`, `name: str = "value"`, in whatever language.
pub(super) fn value(text: &str, name: Range<usize>) -> Option<Value> {
    let bytes = text.as_bytes();
    let mut at = name.end;
    at += count(bytes, at, 40, |byte| is_word(byte) || byte == b'.' || byte == b'-');
    at += count(bytes, at, 4, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b')' | b'\\'));
    let spaces = count(bytes, at, 24, |byte| byte == b' ' || byte == b'\t');
    at += spaces;
    if text[at..].starts_with("value=") {
        at += "value".len();
    }
    let operators =
        count(bytes, at, 3, |byte| matches!(byte, b'=' | b':' | b'>' | b'|' | b'?' | b',' | b'(' | b'!' | b'~'));
    if operators == 0 {
        // An option of a command line, or a scheme of HTTP.
        let line = text[..name.start].rfind(['\n', ' ', '"', '\'']).map_or(0, |it| it + 1);
        let is_option = text[line..].starts_with("--");
        let is_scheme = text[name.clone()].eq_ignore_ascii_case("bearer");
        if spaces == 0 || !(is_option || is_scheme) {
            return None;
        }
    }
    at += operators;
    if operators == 1 && bytes[at - 1] == b':' {
        at += annotation(&text[at..]);
    }
    at += count(bytes, at, 24, |byte| byte == b' ' || byte == b'\t');
    if bytes.get(at) == Some(&b'\n') || text[at..].starts_with("\r\n") {
        at += count(bytes, at, 80, |byte| byte.is_ascii_whitespace());
        // Only a text stands alone on the next line.
        if !matches!(bytes.get(at), Some(b'"' | b'\'' | b'`')) {
            return None;
        }
    }
    let prefix = count(bytes, at, 2, |byte| {
        matches!(byte, b'r' | b'b' | b'f' | b'u' | b'R' | b'B' | b'F' | b'U' | b'L' | b'$' | b'@')
    });
    if matches!(bytes.get(at + prefix), Some(b'"' | b'\'' | b'`')) {
        at += prefix;
    }
    read(text, at)
}

/// The value that begins here.
fn read(text: &str, at: usize) -> Option<Value> {
    let rest = window(text, at);
    let escaped = rest.starts_with("\\\"") || rest.starts_with("\\'");
    let quote = rest.as_bytes().get(usize::from(escaped)).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let Some(quote) = quote else {
        let end = rest.find(|it: char| it.is_whitespace() || "\"'`,;&<>(){}[]|\\".contains(it)).unwrap_or(rest.len());
        let ends_well = rest[end..].chars().next().is_none_or(|it| it.is_whitespace() || "\"'`,;&<)}]\\".contains(it));
        let end = rest[..end].trim_end_matches(['.', ':']).len();
        return (end > 0 && ends_well).then_some(Value { span: at..at + end, quoted: false });
    };
    let opening = rest.bytes().skip(usize::from(escaped)).take(3).take_while(|byte| *byte == quote).count();
    // Two are an empty text.
    let opening = if opening == 2 { return None } else { opening + usize::from(escaped) };
    let inside = &rest[opening..];
    let mut end = None;
    let mut bytes = inside.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => break,
            b'\\' if escaped => {
                end = Some(at);
                break;
            }
            b'\\' => {
                bytes.next();
            }
            byte if byte == quote => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let mut from = 0;
    for scheme in ["Bearer ", "Basic ", "Token ", "bearer ", "basic ", "token ", "ApiKey "] {
        if inside.starts_with(scheme) {
            from = scheme.len();
        }
    }
    let start = at + opening;
    end.filter(|end| *end > from && inside.is_char_boundary(*end))
        .map(|end| Value { span: start + from..start + end, quoted: true })
}

/// The length of a type behind a name, as in `key: &str = "…"`, with its `=`; 0 if there is none.
fn annotation(rest: &str) -> usize {
    let line = rest.lines().next().unwrap_or_default();
    let Some(at) = line.find(" = ").or_else(|| line.find(" =")) else { return 0 };
    let is_type = at < 60 && line[..at].bytes().all(|byte| is_word(byte) || b" .&<>[]'|?,:*".contains(&byte));
    if is_type { at + 2 } else { 0 }
}

/// The secret that is given a name which tells of one.
pub(super) fn telling(text: &str, name: Range<usize>, strength: Strength) -> Option<Secret> {
    if !is_part_of_name(text, &name, strength) {
        return None;
    }
    let value = value(text, name.clone())?;
    let said = &text[value.span.clone()];
    if said.len() > REACH / 2 || judge::is_stand_in(said) || judge::is_date(said) || said.contains(char::is_whitespace)
    {
        return None;
    }
    let whole_line = || value.quoted || is_setting(text, &name, &value.span);
    let digits = said.bytes().filter(u8::is_ascii_digit).count();
    let entropy = judge::entropy(said);
    let is_secret = match strength {
        Strength::Password => whole_line() && is_password(said, value.quoted),
        Strength::Secret => {
            let (length, bits, fewest) = if value.quoted { (12, 3.0, 2) } else { (16, 3.3, 3) };
            let random = digits >= fewest || said.len() >= 20 && judge::is_gibberish(said);
            said.len() >= length && entropy >= bits && random && is_token(said)
        }
        Strength::Key => {
            whole_line()
                && said.len() >= 20
                && entropy >= 3.3
                && digits >= 3
                && judge::changes(said) >= 6
                && is_token(said)
        }
    };
    let kind = if strength == Strength::Password { PASSWORD } else { TELLING };
    is_secret.then_some(Secret { span: value.span, kind })
}

/// Whether what was found is the name or a word of it: `key` is in `apiKey`, but not in `monkey`, `auth` not in `author`.
fn is_part_of_name(text: &str, name: &Range<usize>, strength: Strength) -> bool {
    let bytes = text.as_bytes();
    let goes_on = |at: usize, one: u8| {
        bytes.get(at).is_some_and(|next| {
            next.is_ascii_lowercase() && one.is_ascii_lowercase()
                || next.is_ascii_uppercase() && one.is_ascii_uppercase()
        })
    };
    let last = bytes[name.end - 1];
    let plural = matches!(bytes.get(name.end), Some(b's' | b'S'));
    if goes_on(name.end + usize::from(plural), last) {
        // `authorization` is the name of a header.
        return text[name.start..].get(..13).is_some_and(|it| it.eq_ignore_ascii_case("authorization"));
    }
    let first = bytes[name.start];
    let inside = name.start > 0 && {
        let before = bytes[name.start - 1];
        before.is_ascii_lowercase() && first.is_ascii_lowercase()
            || before.is_ascii_uppercase() && first.is_ascii_uppercase()
    };
    let mut begin = name.start.saturating_sub(8);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    let is_public = text[begin..name.start].to_ascii_lowercase().contains("pub");
    !(is_public && strength != Strength::Password || inside && strength == Strength::Key)
}

/// Whether a value without quotes is a line of settings rather than code: nothing but the name stands before it, nothing
/// behind it.
fn is_setting(text: &str, name: &Range<usize>, value: &Range<usize>) -> bool {
    let line = text[..name.start].rfind('\n').map_or(0, |it| it + 1);
    let before = text[line..name.start].trim_start().trim_start_matches("export ").trim_start_matches("- ");
    let behind = text[value.end..].lines().next().unwrap_or_default().trim();
    let is_option = before.contains("--");
    (is_option || before.bytes().all(|byte| is_word(byte) || b".-\"' ".contains(&byte)))
        && (is_option || behind.is_empty() || behind.starts_with('#') || behind.starts_with("</"))
}

fn is_password(said: &str, quoted: bool) -> bool {
    let letters = said.bytes().filter(u8::is_ascii_alphabetic).count();
    let signs = said.bytes().filter(|byte| b"!@#$%^&*?+=~".contains(byte)).count();
    let varied = judge::has_digit(said) || signs > 0 || judge::is_gibberish(said);
    let is_path = said.starts_with(['/', '.', '#', '[']) || said.contains("://") || said.contains('(');
    let parts = said.split(['_', '-', '.', ':', '/']).count();
    let shortest = if quoted { 6 } else { 8 };
    said.len() >= shortest
        && said.len() <= 256
        && letters > 0
        && varied
        && judge::entropy(said) >= 2.0
        && !is_path
        && !(parts > 1 && judge::is_wordy(said))
        && (quoted || judge::has_digit(said) && !judge::is_wordy(said) || signs > 0 && parts == 1)
}

/// Whether a value is made as tokens are, and not of words, paths or numbers.
fn is_token(said: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.+/=~%!@#$^&*:|".contains(&byte);
    said.bytes().all(alphabet)
        && (judge::is_mixed(said) || judge::is_gibberish(said))
        && !said.contains("://")
        && !said.starts_with(['/', '.', '#', '@'])
        && !judge::is_wordy(said)
        && judge::changes(said) >= 3
}

/// The password of an address, whose host or user begins at `at`: `scheme://user:password@host`.
pub(super) fn address(text: &str, at: usize) -> Option<Secret> {
    let rest = window(text, at);
    let end = rest.find(|it: char| it.is_whitespace() || "\"'`<>\\,".contains(it)).unwrap_or(rest.len());
    let authority = rest[..end].split(['/', '?']).next().unwrap_or_default();
    // A password may have what should have been escaped.
    let (login, _) = authority.rsplit_once('@').or_else(|| rest[..end].rsplit_once('@'))?;
    let (user, password) = login.split_once(':')?;
    let is_port = password
        .split(['/', '?'])
        .next()
        .is_some_and(|port| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()))
        && login.contains('/');
    let fits = (4..=256).contains(&password.len()) && !user.contains(['/', '?', '(', '{', '$']) && !is_port;
    if !fits || password.contains(['(', '{', '$', '[']) || judge::is_stand_in(password) {
        return None;
    }
    let start = at + user.len() + 1;
    Some(Secret { span: start..start + password.len(), kind: "password in an address" })
}

fn count(bytes: &[u8], at: usize, most: usize, fits: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().take(most).take_while(|byte| fits(**byte)).count()
}

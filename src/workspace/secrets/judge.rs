//! Whether a value looks like a secret, like a word, or like what stands in for a secret.

/// Values that everybody uses where no secret is.
const STAND_INS: &[&str] = &[
    "admin",
    "anonymous",
    "bar",
    "baz",
    "changeit",
    "changeme",
    "default",
    "demo",
    "dummy",
    "example",
    "fake",
    "foo",
    "foobar",
    "guest",
    "insert",
    "key",
    "localhost",
    "mock",
    "mypass",
    "mypassword",
    "mysql",
    "none",
    "null",
    "pass",
    "passwd",
    "password",
    "placeholder",
    "postgres",
    "pwd",
    "qwerty",
    "redacted",
    "replaceme",
    "root",
    "sample",
    "secret",
    "test",
    "testing",
    "testtest",
    "token",
    "todo",
    "undefined",
    "user",
    "username",
    "value",
    "abc",
    "abcd",
    "abcdef",
    "letmein",
    "welcome",
    "hello",
    "string",
];

/// Parts of values that stand for something else.
const SIGNS: &[&str] = &[
    "${",
    "{{",
    "}}",
    "$(",
    "%(",
    "%s",
    "<%",
    "#{",
    "{0}",
    "...",
    "…",
    "***",
    "xxxx",
    "XXXX",
    "your-",
    "your_",
    "YOUR_",
    "YOUR-",
    "_here",
    "-here",
    "_HERE",
    "EXAMPLE",
    "example",
    "placeholder",
    "changeme",
    "0123456789",
    "1234567890",
    "123456",
    "abcdefgh",
    "ABCDEFGH",
    "deadbeef",
    "DEADBEEF",
    "ASIDE_SECRET_",
];

/// Whether a value only stands for a secret: a variable, a template, a made-up word.
pub(super) fn is_stand_in(value: &str) -> bool {
    if value.starts_with('$') && value[1..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || value.starts_with('<') && value.ends_with('>')
        || value.starts_with('{') && value.ends_with('}')
        || value.starts_with('%') && value.ends_with('%')
        || SIGNS.iter().any(|sign| value.contains(sign))
    {
        return true;
    }
    let word = value.trim_matches(|it: char| !it.is_ascii_alphabetic()).to_ascii_lowercase();
    word.is_empty() && value.len() < 6 || STAND_INS.contains(&word.as_str())
}

/// Whether a value is few characters over and over.
pub(super) fn is_monotonous(value: &str) -> bool {
    entropy(value) < 2.0
}

/// Whether letters and digits are in it.
pub(super) fn is_mixed(value: &str) -> bool {
    has_digit(value) && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

pub(super) fn has_digit(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a value reads as words, perhaps with numbers behind them: `refresh-token`, `sha256`, `/api/v2/keys`.
pub(super) fn is_wordy(value: &str) -> bool {
    value.split(|it: char| !it.is_ascii_alphanumeric()).all(|part| {
        let letters = part.trim_end_matches(|it: char| it.is_ascii_digit());
        let digits = part.len() - letters.len();
        digits <= 4 && !has_digit(letters) && !is_gibberish(letters)
    })
}

/// Whether letters are no words of any language: hardly a vowel, consonants in long rows, or cases thrown together.
pub(super) fn is_gibberish(value: &str) -> bool {
    let letters: Vec<u8> = value.bytes().filter(u8::is_ascii_alphabetic).collect();
    if letters.len() < 6 {
        return false;
    }
    let is_vowel = |byte: &&u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let vowels = letters.iter().filter(is_vowel).count();
    let longest = letters.split(|byte| is_vowel(&byte)).map(<[u8]>::len).max().unwrap_or_default();
    let bumps = letters.windows(2).filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count();
    vowels * 6 < letters.len() || longest >= 6 || bumps * 5 > letters.len()
}

/// How often letters, capitals and digits alternate.
pub(super) fn changes(value: &str) -> usize {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let bytes: Vec<u8> = value.bytes().filter(|byte| class(*byte) < 3).collect();
    bytes.windows(2).filter(|two| class(two[0]) != class(two[1])).count()
}

/// Whether a value is a moment, as in `token_expires: "2026-01-01T00:00:00Z"`.
pub(super) fn is_date(value: &str) -> bool {
    let shape: Vec<u8> = value.bytes().take(8).map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect();
    shape.starts_with(b"0000-00-") || shape.starts_with(b"0000/00/")
}

/// Shannon's entropy of a value, in bits a byte.
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value.bytes() {
        counts[usize::from(byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a value has some kilobytes at most")]
    let length = value.len().max(1) as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

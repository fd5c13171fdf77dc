//! A deterministic stand-in for the tokenizer, which is not public.
//!
//! Text is cut where byte-pair encodings tend to cut: short words with their leading space, parts of long words, up to three
//! digits, pairs of punctuation, a line break with its indentation. Prose comes out at about four characters a token and code
//! at about three, as with the real one; any single text may be a third off.

/// Cuts text into pieces of one token each.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = piece_length(rest)?;
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        Some(piece)
    })
}

/// The tokens of a text; newer models cut about 30 % finer (`dense`).
pub(super) fn count(text: &str, dense: bool) -> u64 {
    scale(pieces(text).count() as u64, dense)
}

/// What `tokens` of the older tokenizer are in a model's own.
pub(super) fn scale(tokens: u64, dense: bool) -> u64 {
    if dense { (tokens * 13).div_ceil(10) } else { tokens }
}

/// How many bytes the first piece has; none when nothing is left.
fn piece_length(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let second = chars.next();
    let (lead, head) = match second {
        Some(second) if first == ' ' && second.is_alphabetic() => (1, second),
        _ => (0, first),
    };
    let body = &text[lead..];
    let length = match head {
        'a'..='z' | 'A'..='Z' => word(body),
        '0'..='9' => run(body, 3, |c| c.is_ascii_digit()),
        '\n' | '\r' => line_break(body),
        c if c.is_whitespace() => run(body, 16, |c| c == ' ' || c == '\t').max(c.len_utf8()),
        c if c.is_ascii() => run(body, 2, |c| c.is_ascii_punctuation()).max(1),
        c if c.is_alphabetic() && u32::from(c) < 0x2E80 => {
            run(body, 2, |c| c.is_alphabetic() && !c.is_ascii() && u32::from(c) < 0x2E80)
        }
        c => c.len_utf8(),
    };
    Some(lead + length)
}

/// The bytes of at most `most` characters that are of a kind.
fn run(text: &str, most: usize, of_kind: impl Fn(char) -> bool) -> usize {
    text.chars().take(most).take_while(|c| of_kind(*c)).map(char::len_utf8).sum()
}

/// A word up to eight letters, six of a longer one, or a part of `camelCase`.
fn word(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let part = text.as_bytes()[..letters]
        .windows(2)
        .position(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .map_or(letters, |hump| hump + 1);
    if part <= 8 { part } else { 6 }
}

/// A line break and the white space behind it, in which indentation is.
fn line_break(text: &str) -> usize {
    let end = if text.starts_with("\r\n") { 2 } else { 1 };
    end + run(&text[end..], 16, |c| c == ' ' || c == '\t')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_where_a_tokenizer_would() {
        let cut = |text| pieces(text).collect::<Vec<_>>();
        assert_eq!(
            cut("def add(a, b):\n    return a"),
            ["def", " add", "(", "a", ",", " b", "):", "\n    ", "return", " a"]
        );
        assert_eq!(cut("parseHttpRequest 12345"), ["parse", "Http", "Request", " ", "123", "45"]);
        assert_eq!(cut("internationalization"), ["intern", "ationa", "lization"]);
        assert_eq!(cut("größe 東京\r\n\r\n"), ["gr", "öß", "e", " 東", "京", "\r\n", "\r\n"]);
    }

    #[test]
    fn newer_models_count_thirty_percent_more() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!((count(text, false), count(text, true)), (10, 13));
        assert_eq!(count("", true), 0);
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(text in "\\PC*|(?s).{0,60}") {
            prop_assert_eq!(pieces(&text).collect::<String>(), text.clone());
            prop_assert!(pieces(&text).all(|piece| !piece.is_empty()));
        }
    }
}

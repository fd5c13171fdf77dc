//! How many tokens a text will be, without asking anyone.
//!
//! Estimates decide where a breakpoint pays and whether a document fits; bills are made of what the API reports.

use crate::claude::models::Model;

/// About how many tokens `text` is to `model`.
///
/// Walks the text in runs as tokenizers do: a short word is a token together with the space before it, a long one several,
/// a few digits or equal marks are one, and scripts without spaces take a token a character.
pub fn estimate_tokens(text: &str, model: &Model) -> u64 {
    estimate_beyond(text, model, u64::MAX)
}

/// The same, but that a text of more than `enough` tokens is taken to go on as it began.
pub(super) fn estimate_beyond(text: &str, model: &Model, enough: u64) -> u64 {
    let (counted, bytes) = runs(text, enough);
    let tokens = if bytes < text.len() { counted * text.len() as u64 / bytes.max(1) as u64 } else { counted };
    // The newer tokenizer gives about 30 % more.
    if model.dense_tokenizer { tokens + tokens * 3 / 10 } else { tokens }
}

/// The kinds of runs; every other ASCII character is a kind of its own, named by itself.
const LOWER: u8 = 128;
const UPPER: u8 = 129;
const DIGIT: u8 = 130;
const SPACE: u8 = 131;
const NEWLINE: u8 = 132;
/// Characters of two bytes: the letters of most alphabets.
const OTHER_LETTER: u8 = 133;
/// CJK, emoji and everything else that is three bytes or more.
const WIDE: u8 = 134;
/// Not the first byte of a character.
const INSIDE: u8 = 135;

/// The kind that a byte begins.
const KINDS: [u8; 256] = {
    let mut kinds = [WIDE; 256];
    let mut byte = 0;
    while byte < 0xE0 {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t' => SPACE,
            b'\n' | b'\r' => NEWLINE,
            0..=0x7F => byte,
            0x80..=0xBF => INSIDE,
            _ => OTHER_LETTER,
        };
        byte += 1;
    }
    kinds
};

/// The tokens of so much of a text as has `enough`, and how many bytes that is.
fn runs(text: &str, enough: u64) -> (u64, usize) {
    let mut tokens = 0;
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first().filter(|_| tokens < enough) {
        let mut kind = KINDS[usize::from(*first)];
        let mut end = end_of_run(rest, 1, kind);
        // A capital begins a word, as in `TokenCount`.
        if kind == UPPER && end == 1 && rest.get(1).is_some_and(u8::is_ascii_lowercase) {
            kind = LOWER;
            end = end_of_run(rest, 2, kind);
        }
        let (run, behind) = rest.split_at(end);
        let inside = |byte: &&u8| KINDS[usize::from(**byte)] == INSIDE;
        let length = if kind >= OTHER_LETTER { end - run.iter().filter(inside).count() } else { end };
        tokens += run_tokens(kind, length as u64);
        rest = behind;
    }
    (tokens, text.len() - rest.len())
}

/// Where the run ends that goes on at `from`, in bytes.
fn end_of_run(bytes: &[u8], from: usize, kind: u8) -> usize {
    let goes_on = |byte: &&u8| {
        let next = KINDS[usize::from(**byte)];
        next == kind || next == INSIDE
    };
    from + bytes[from..].iter().take_while(goes_on).count()
}

fn run_tokens(kind: u8, length: u64) -> u64 {
    match kind {
        LOWER => length.div_ceil(7),
        UPPER | DIGIT | OTHER_LETTER => length.div_ceil(3),
        // A single space belongs to the word behind it; indentation is one token however deep it usually gets.
        SPACE => u64::from(length > 1) + length / 16,
        WIDE => length + length / 4,
        _ => length.div_ceil(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    fn tokens(model: &str, text: &str) -> u64 {
        estimate_tokens(text, models::find(model).unwrap())
    }

    #[test]
    fn code_and_prose_are_three_to_five_characters_a_token() {
        let code =
            "def load_inventory(path, *, strict=True):\n    with open(path) as file:\n        return json.load(file)\n";
        let prose = "The quick brown fox jumps over the lazy dog, and nobody in the village is surprised any more.\n";
        for (text, least, most) in [(code, 2.5, 4.2), (prose, 3.8, 5.5)] {
            let count = u32::try_from(tokens("claude-sonnet-4-5", text)).unwrap();
            let ratio = f64::from(u32::try_from(text.len()).unwrap()) / f64::from(count);
            assert!((least..=most).contains(&ratio), "{ratio} characters a token in {text:?}");
        }
    }

    #[test]
    fn what_is_large_is_taken_to_go_on_as_it_began() {
        let model = models::find("claude-sonnet-5-5").unwrap();
        let text = "let total = prices.iter().sum::<f64>();\n".repeat(1000);
        let whole = estimate_tokens(&text, model);
        let beyond = |enough| estimate_beyond(&text, model, enough);
        assert_eq!(beyond(whole), whole);
        for enough in [1000, 5000] {
            assert!(beyond(enough).abs_diff(whole) < whole / 100, "{} and {whole}", beyond(enough));
        }
        assert_eq!(estimate_beyond("", model, 0), 0);
    }

    #[test]
    fn scripts_without_spaces_take_a_token_a_character_or_more() {
        assert!(tokens("claude-sonnet-4-5", "在庫を読み込む") >= 7);
        assert!(tokens("claude-sonnet-4-5", "👩🏽‍💻") >= 3);
    }

    #[test]
    fn the_newer_tokenizer_gives_thirty_percent_more() {
        let text = "let total = prices.iter().sum::<f64>();\n".repeat(100);
        let (old, new) = (tokens("claude-sonnet-4-5", &text), tokens("claude-sonnet-5-5", &text));
        assert_eq!(new, old + old * 3 / 10);
    }

    proptest::proptest! {
        #[test]
        fn more_text_is_never_fewer_tokens(a in ".{0,80}", b in ".{0,80}") {
            let whole = format!("{a}{b}");
            // Joined, the runs at the seam may become one; nothing else can get lost.
            assert!(tokens("claude-sonnet-4-5", &whole) + 2 >= tokens("claude-sonnet-4-5", &a));
            assert!(tokens("claude-sonnet-4-5", &whole) <= tokens("claude-sonnet-4-5", &a) + tokens("claude-sonnet-4-5", &b) + 1);
        }

        #[test]
        fn a_text_that_is_not_empty_has_tokens(text in "\\S{1,40}") {
            assert!(tokens("claude-sonnet-4-5", &text) > 0);
        }
    }
}

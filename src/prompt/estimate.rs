//! How many tokens a text will be, without asking anyone.
//!
//! Estimates decide where a breakpoint pays and whether a document fits; bills are made of what the API reports.

use crate::claude::models::Model;

/// About how many tokens `text` is to `model`.
///
/// Walks the text in runs as tokenizers do: a short word is a token together with the space before it, a long one several,
/// a few digits or equal marks are one, and scripts without spaces take a token a character.
pub fn estimate_tokens(text: &str, model: &Model) -> u64 {
    let tokens = runs(text);
    // The newer tokenizer gives about 30 % more.
    if model.dense_tokenizer { tokens + tokens * 3 / 10 } else { tokens }
}

/// The kinds of runs, and how many characters of one make a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Lower,
    Upper,
    Digit,
    Space,
    Newline,
    Mark(char),
    OtherLetter,
    Wide,
}

impl Run {
    fn of(char: char) -> Self {
        match char {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '0'..='9' => Self::Digit,
            '\n' | '\r' => Self::Newline,
            ' ' | '\t' => Self::Space,
            _ if char.is_ascii() => Self::Mark(char),
            // CJK, emoji and everything else that is three bytes or more.
            _ if char.len_utf8() > 2 => Self::Wide,
            _ => Self::OtherLetter,
        }
    }

    fn tokens(self, length: u64) -> u64 {
        match self {
            Self::Lower => length.div_ceil(7),
            Self::Upper | Self::Digit | Self::OtherLetter => length.div_ceil(3),
            // A single space belongs to the word behind it; indentation is one token however deep it usually gets.
            Self::Space => u64::from(length > 1) + length / 16,
            Self::Newline | Self::Mark(_) => length.div_ceil(4),
            Self::Wide => length + length / 4,
        }
    }
}

fn runs(text: &str) -> u64 {
    let mut tokens = 0;
    let mut current: Option<(Run, u64)> = None;
    for char in text.chars() {
        let run = Run::of(char);
        match &mut current {
            Some((kind, length)) if *kind == run => *length += 1,
            // A capital begins a word, as in `TokenCount`.
            Some((kind @ Run::Upper, 1)) if run == Run::Lower => {
                *kind = Run::Lower;
                current = Some((Run::Lower, 2));
            }
            _ => {
                if let Some((kind, length)) = current {
                    tokens += kind.tokens(length);
                }
                current = Some((run, 1));
            }
        }
    }
    tokens + current.map_or(0, |(kind, length)| kind.tokens(length))
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

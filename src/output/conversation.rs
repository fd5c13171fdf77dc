//! How an explanation grows: a question is written under it, and the answer comes below.

use super::edit::TextEdit;
use super::explanation::{Explanation, Turn, is_footer, section};
use crate::workspace::Span;

/// The question that was written under an explanation, as its place in the document's text: what stands behind the line that
/// ends the last answer, whatever the user or a formatter changed above. `None` if there is none.
pub fn question(text: &str, explanation: &Explanation) -> Option<Span> {
    let start = behind_last_footer(text, explanation)?;
    let question = text[start..].trim();
    (!question.is_empty()).then(|| {
        let start = start + text[start..].len() - text[start..].trim_start().len();
        start..start + question.len()
    })
}

/// Where the last line about an answer's making ends: it is the first behind a rule.
fn behind_last_footer(text: &str, explanation: &Explanation) -> Option<usize> {
    let (mut end, mut found, mut behind_rule) = (0, None, false);
    for line in text.split_inclusive('\n') {
        end += line.len();
        match line.trim() {
            "---" => behind_rule = true,
            "" => {}
            line => {
                if behind_rule && is_footer(line, explanation) {
                    found = Some(end);
                }
                behind_rule = false;
            }
        }
    }
    found
}

/// Where a question stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Written there, and still as it was asked.
    Written(Span),
    /// Written there, and changed since.
    Changed(Span),
    /// Not there: it was asked by other means.
    Elsewhere,
}

/// The edits that bring a turn into the document of its conversation: the question becomes a quotation and the answer
/// follows it. What the user wrote meanwhile stays.
pub fn grow(text: &str, asked: &Asked, turn: &Turn) -> Vec<TextEdit> {
    let section = section(turn);
    match asked {
        Asked::Written(span) => {
            let quoted = quoted(&text[span.clone()]);
            let mut edits: Vec<TextEdit> = line_starts(text, span)
                .map(|(at, line)| TextEdit { span: at..at, text: if line.is_empty() { ">" } else { "> " }.to_owned() })
                .collect();
            let before = &text[..span.start];
            // A quotation begins behind an empty line.
            if before[before.trim_end().len()..].matches('\n').count() < 2
                && let Some(first) = edits.first_mut()
            {
                first.text.insert(0, '\n');
            }
            let rest = section.strip_prefix(&quoted).unwrap_or(&section);
            edits.push(TextEdit { span: span.end..end_of_blank(text, span.end), text: rest.to_owned() });
            edits
        }
        Asked::Changed(span) => vec![TextEdit { span: span.end..span.end, text: format!("\n\n{section}") }],
        Asked::Elsewhere => {
            let end = text.trim_end().len();
            vec![TextEdit { span: end..text.len(), text: format!("\n\n{section}") }]
        }
    }
}

/// A question as a quotation.
pub(super) fn quoted(question: &str) -> String {
    let lines = question.lines().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") });
    lines.collect::<Vec<_>>().join("\n")
}

fn line_starts<'a>(text: &'a str, span: &Span) -> impl Iterator<Item = (usize, &'a str)> {
    let mut at = span.start;
    text[span.clone()].split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// The end of the text, if nothing but white space is left.
fn end_of_blank(text: &str, from: usize) -> usize {
    if text[from..].trim().is_empty() { text.len() } else { from }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::super::edit::apply;
    use super::super::explanation::document;
    use super::*;

    fn explanation(turns: &[Turn]) -> Explanation {
        Explanation {
            id: "1-2-3".to_owned(),
            action: "Explain `load`".to_owned(),
            markdown: "It loads.\n\n---\n\nm · 1 in\n\nAnd more.".to_owned(),
            model: "m".to_owned(),
            usage: "1 in".to_owned(),
            turns: turns.to_vec(),
            ..Explanation::default()
        }
    }

    fn turn(question: &str) -> Turn {
        Turn {
            question: question.to_owned(),
            markdown: "Because.".to_owned(),
            model: "m".to_owned(),
            usage: "2 in".to_owned(),
            simulated: false,
            thinking: String::new(),
        }
    }

    #[test]
    fn the_question_is_what_stands_under_the_last_answer() {
        let page = document(&explanation(&[]));
        let asked = |text: &str, turns: &[Turn]| {
            let span = question(text, &explanation(turns))?;
            Some(text[span].to_owned())
        };
        assert_eq!(asked(&page, &[]), None);
        assert_eq!(asked(&format!("{page}\n\n \n"), &[]), None);
        assert_eq!(asked(&format!("{page}\nWhy?\n"), &[]).as_deref(), Some("Why?"));
        assert_eq!(asked(&format!("{page}Why?\n\nAnd how?  \n\n"), &[]).as_deref(), Some("Why?\n\nAnd how?"));
        let changed = page.replacen("It loads.", "It *loads*.", 1);
        assert_eq!(asked(&format!("{changed}\nWhy?\n"), &[]).as_deref(), Some("Why?"));
        let other = Explanation { usage: "told in other words".to_owned(), ..explanation(&[]) };
        let span = question(&format!("{page}\nWhy?\n"), &other).unwrap();
        assert_eq!(span.len(), 4, "the bill is not always told in the same words");
        let turns = [turn("Why?")];
        let longer = document(&explanation(&turns));
        assert_eq!(asked(&longer, &turns), None);
        assert_eq!(asked(&format!("{longer}\r\nWhen?\r\n"), &turns).as_deref(), Some("When?"));
        assert_eq!(asked("Something else.\n", &[]), None, "no line of the explanation is left");
    }

    #[test]
    fn the_page_grows_by_question_and_answer() {
        let page = format!("{}\nWhy?\n\nReally?\n", document(&explanation(&[])));
        let span = question(&page, &explanation(&[])).unwrap();
        let turn = turn("Why?\n\nReally?");
        let grown = apply(&page, &grow(&page, &Asked::Written(span.clone()), &turn));
        assert_eq!(grown, document(&explanation(std::slice::from_ref(&turn))));
        expect![[r"
            # Explain `load`

            It loads.

            ---

            m · 1 in

            And more.

            ---

            m · 1 in

            > Why?
            >
            > Really?

            Because.

            ---

            m · 2 in
        "]]
        .assert_eq(&grown);
        let changed = page.replace("Really?", "Really so?");
        let grown = apply(&changed, &grow(&changed, &Asked::Changed(span.start..changed.trim_end().len()), &turn));
        assert!(grown.contains("Really so?\n\n> Why?\n>\n> Really?\n\nBecause."), "{grown}");
        let page = document(&explanation(&[]));
        let grown = apply(&page, &grow(&page, &Asked::Elsewhere, &turn));
        assert_eq!(grown, document(&explanation(&[turn])));
    }

    proptest! {
        #[test]
        fn what_was_asked_is_found_and_never_lost(
            written in "[a-z#> \n`*é-]{0,40}[a-z?]", blank in "[ \n]{0,4}", behind in "[ \n]{0,3}"
        ) {
            let written = written.trim();
            let page = document(&explanation(&[]));
            let text = format!("{page}{blank}{written}{behind}");
            let span = question(&text, &explanation(&[])).unwrap();
            prop_assert_eq!(&text[span.clone()], written);
            let turn = turn(written);
            let grown = apply(&text, &grow(&text, &Asked::Written(span), &turn));
            prop_assert_eq!(question(&grown, &explanation(&[turn])), None);
        }
    }
}

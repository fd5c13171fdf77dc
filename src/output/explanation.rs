//! The document that an explanation is: what was asked, the answer, what it cost.

use super::conversation;
pub use super::markdown::{LineTail, sanitize};
use crate::unseen::turns;

/// An explanation to be shown or stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Its id in the ledger.
    pub id: String,
    /// The title of the action, such as `Explain`.
    pub action: String,
    /// What the action worked on: the name of a function, or the selected lines in words.
    pub subject: String,
    /// Where that is, such as `src/a.py:12-30`.
    pub place: String,
    /// What was asked, in the user's words; empty where the action says it all.
    pub question: String,
    /// The answer, as the model wrote it.
    pub markdown: String,
    /// What the model let be seen of its thinking, where that is to be shown.
    pub thinking: String,
    /// The model that wrote it.
    pub model: String,
    /// Tokens, cache share and money in one line.
    pub usage: String,
    /// Whether the answer comes from the simulator and not from a model.
    pub simulated: bool,
    /// What was asked about it since.
    pub turns: Vec<Turn>,
}

/// A question about an explanation, and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The question, in the user's words.
    pub question: String,
    /// The answer, as the model wrote it.
    pub markdown: String,
    /// The model that wrote it.
    pub model: String,
    /// Tokens, cache share and money in one line.
    pub usage: String,
    /// Whether the answer comes from the simulator and not from a model.
    pub simulated: bool,
    /// What the model let be seen of its thinking, where that is to be shown.
    pub thinking: String,
}

impl Explanation {
    /// The title in one line: the action and what it worked on.
    pub fn title(&self) -> String {
        match self.subject.as_str() {
            "" => self.action.clone(),
            subject => format!("{} {subject}", self.action),
        }
    }
}

/// The Markdown file for an explanation: a heading, the question if there was one, the answer made harmless, and a line about its making; then, in the same
/// way, each question and its answer.
pub fn document(explanation: &Explanation) -> String {
    let mut heading = heading(&explanation.title());
    if !explanation.place.is_empty() {
        heading = format!("{heading} — {}", code(&explanation.place));
    }
    let answer = readable(&explanation.markdown);
    let footer = footer(&explanation.model, &explanation.usage, explanation.simulated);
    let thinking = thought(&explanation.thinking);
    let question = match explanation.question.trim() {
        "" => String::new(),
        question => format!("{}\n\n", conversation::quoted(question)),
    };
    let first = format!("# {heading}\n\n{question}{answer}{thinking}\n\n---\n\n{footer}\n");
    explanation.turns.iter().fold(first, |text, turn| text + "\n" + &section(turn))
}

/// A question and its answer, as they stand under an explanation.
pub(super) fn section(turn: &Turn) -> String {
    let question = conversation::quoted(turn.question.trim());
    let footer = footer(&turn.model, &turn.usage, turn.simulated);
    format!("{question}\n\n{}{}\n\n---\n\n{footer}\n", readable(&turn.markdown), thought(&turn.thinking))
}

/// Whether a line is one about the making of an answer of this explanation.
pub(super) fn is_footer(line: &str, explanation: &Explanation) -> bool {
    let models = explanation.turns.iter().map(|turn| &turn.model).chain([&explanation.model]);
    let mut begins = models.filter(|model| !model.is_empty()).map(|model| escaped(model));
    line.starts_with(SIMULATED) || begins.any(|model| line.starts_with(&model))
}

/// What an answer that no model wrote is marked with.
const SIMULATED: &str = "**Simulated**: no model wrote this";

fn footer(model: &str, usage: &str, simulated: bool) -> String {
    let mark = simulated.then(|| SIMULATED.to_owned());
    let parts = [model, usage].into_iter().filter(|part| !part.is_empty()).map(escaped);
    mark.into_iter().chain(parts).collect::<Vec<_>>().join(" · ")
}

/// The name of an explanation's file: says what is in it, and no other explanation has it.
pub fn file_name(explanation: &Explanation) -> String {
    let words = explanation.title().to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).take(6);
    format!("{}-{}.md", words.collect::<Vec<_>>().join("-"), explanation.id)
}

/// The id of the explanation in a file of this name: the last three numbers of it.
pub fn id_in(file_name: &str) -> Option<&str> {
    let stem = file_name.strip_suffix(".md")?;
    let (at, _) = stem.rmatch_indices('-').nth(2).or_else(|| stem.rmatch_indices('-').nth(1).map(|_| (0, "")))?;
    let id = stem[at..].trim_start_matches('-');
    let mut parts = 0;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let numbers = id.split('-').inspect(|_| parts += 1).all(is_number);
    (numbers && parts == 3).then_some(id)
}

/// What the model thought, as a section behind the answer: editors that fold Markdown fold it by its heading, and in all
/// others it is a quotation that can be passed over. Empty when nothing is to be shown.
pub fn thought(thinking: &str) -> String {
    if thinking.trim().is_empty() {
        return String::new();
    }
    let quoted: Vec<String> =
        readable(thinking).lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
    format!("\n\n## What the model thought\n\n{}", quoted.join("\n"))
}

/// A title as Markdown that shows just it, with the names that it has in backticks as inline code.
fn heading(title: &str) -> String {
    let parts: Vec<&str> = title.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // One backtick has no partner.
        return escaped(title);
    }
    let shown = parts.iter().enumerate().map(|(index, part)| match index % 2 {
        0 => escaped(part),
        _ if part.trim().is_empty() => escaped(&format!("`{part}`")),
        _ => code(part),
    });
    shown.collect()
}

/// A model's Markdown, or the beginning of it, made harmless and whole: showing it loads nothing, and no code block
/// stays open.
pub fn readable(markdown: &str) -> String {
    closed(sanitize(markdown.trim()))
}

/// `text` as Markdown that shows just it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '&' | '|' => {
                out.push('\\');
                out.push(char);
            }
            _ => out.push(legible(char)),
        }
    }
    out
}

/// Names of files may have anything in them: what would steer who shows it, or turn the writing, is only shown to be there.
fn legible(char: char) -> char {
    if char.is_control() || turns(char) { char::REPLACEMENT_CHARACTER } else { char }
}

/// `text` as inline code.
fn code(text: &str) -> String {
    let text: String = text.replace(['\n', '\r', '\t'], " ").chars().map(legible).collect();
    let mut runs = text.split(|char| char != '`').map(str::len);
    let ticks = "`".repeat(runs.by_ref().max().unwrap_or(0) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// `markdown` with its last code block closed, which an answer that was cut leaves open.
fn closed(mut markdown: String) -> String {
    let mut open: Option<&str> = None;
    for line in markdown.lines() {
        let rest = line.trim_start();
        let sign = rest.chars().next().unwrap_or(' ');
        let length = rest.len() - rest.trim_start_matches(sign).len();
        if !matches!(sign, '`' | '~') || length < 3 {
            continue;
        }
        let (fence, info) = rest.split_at(length);
        open = match open {
            None if sign == '`' && info.contains('`') => None,
            None => Some(fence),
            Some(begun) if begun.starts_with(sign) && length >= begun.len() && info.trim().is_empty() => None,
            begun => begun,
        };
    }
    if let Some(fence) = open.map(str::to_owned) {
        markdown.push('\n');
        markdown.push_str(&fence);
    }
    markdown
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn explanation() -> Explanation {
        Explanation {
            id: "e1".to_owned(),
            action: "Explain".to_owned(),
            subject: "__init__".to_owned(),
            place: "src/a.py:12-30".to_owned(),
            markdown: "It *sets up* `x`.\n\n![p](https://a.example/p.png)\n".to_owned(),
            thinking: String::new(),
            model: "claude-sonnet-5-5".to_owned(),
            usage: "12.3k in · 91% from cache · 410 out · $0.0023".to_owned(),
            simulated: false,
            question: String::new(),
            turns: Vec::new(),
        }
    }

    #[test]
    fn a_question_stands_above_its_answer() {
        let asked = Explanation { question: "Why?\n\nReally?".to_owned(), ..explanation() };
        let shown = document(&asked);
        assert!(shown.contains("12-30`\n\n> Why?\n>\n> Really?\n\nIt *sets up* `x`.\n"), "{shown}");
    }

    #[test]
    fn a_files_name_tells_its_explanation() {
        let explanation = Explanation { id: "019ab-1f-0".to_owned(), ..explanation() };
        let name = file_name(&explanation);
        assert_eq!(name, "explain-init-019ab-1f-0.md");
        assert_eq!(id_in(&name), Some("019ab-1f-0"));
        assert_eq!(
            id_in(&file_name(&Explanation { action: "μ".to_owned(), subject: String::new(), ..explanation })),
            Some("019ab-1f-0")
        );
        assert_eq!(id_in("019ab-1f-0.md"), Some("019ab-1f-0"));
        for other in ["notes.md", "a-b.md", "read-me-now-please.md", "x-019ab-1f-0.txt", "x-019ab-1f-0-proposal.md", ""]
        {
            assert_eq!(id_in(other), None, "{other}");
        }
    }

    #[test]
    fn the_document_has_heading_answer_and_footer() {
        expect![[r"
            # Explain \_\_init\_\_ — `src/a.py:12-30`

            It *sets up* `x`.

            [p](https://a.example/p.png)

            ---

            claude-sonnet-5-5 · 12.3k in · 91% from cache · 410 out · $0.0023
        "]]
        .assert_eq(&document(&explanation()));
    }

    #[test]
    fn what_was_thought_is_a_quotation_behind_the_answer() {
        let thinking = "First the branches.\n\n```py\nx = 1\n".to_owned();
        expect![[r"
            # Explain \_\_init\_\_ — `src/a.py:12-30`

            It *sets up* `x`.

            [p](https://a.example/p.png)

            ## What the model thought

            > First the branches.
            >
            > ```py
            > x = 1
            > ```

            ---

            claude-sonnet-5-5 · 12.3k in · 91% from cache · 410 out · $0.0023
        "]]
        .assert_eq(&document(&Explanation { thinking, ..explanation() }));
    }

    #[test]
    fn names_in_a_title_stay_names() {
        let cases = [
            ("Explain `restock_report`", "Explain `restock_report`"),
            ("Explain `a*b` and _c_", "Explain `a*b` and \\_c\\_"),
            ("Explain lines 3-8", "Explain lines 3-8"),
            ("Explain `odd", "Explain \\`odd"),
            ("Explain ``x``", "Explain \\`\\`x\\`\\`"),
            ("Explain `a\nb`", "Explain `a b`"),
        ];
        for (title, shown) in cases {
            assert_eq!(heading(title), shown);
        }
    }

    #[test]
    fn a_simulated_answer_says_so_and_a_cut_one_is_closed() {
        let cut = Explanation {
            simulated: true,
            markdown: "So:\n\n````py\nx = 1\n```".to_owned(),
            subject: String::new(),
            place: String::new(),
            usage: String::new(),
            ..explanation()
        };
        expect![[r"
            # Explain

            So:

            ````py
            x = 1
            ```
            ````

            ---

            **Simulated**: no model wrote this · claude-sonnet-5-5
        "]]
        .assert_eq(&document(&cut));
    }

    #[test]
    fn names_are_shown_as_they_are() {
        assert_eq!(escaped("a<b>![c]\nd"), "a\\<b\\>\\!\\[c\\] d");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
    }
}

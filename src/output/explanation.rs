//! The document that an explanation is: what was asked, the answer, what it cost.

pub use super::markdown::{LineTail, sanitize};

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
    /// The answer, as the model wrote it.
    pub markdown: String,
    /// The model that wrote it.
    pub model: String,
    /// Tokens, cache share and money in one line.
    pub usage: String,
    /// Whether the answer comes from the simulator and not from a model.
    pub simulated: bool,
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

/// The Markdown file for an explanation: a heading, the answer made harmless, and a line about its making.
pub fn document(explanation: &Explanation) -> String {
    let mut heading = heading(&explanation.title());
    if !explanation.place.is_empty() {
        heading = format!("{heading} — {}", code(&explanation.place));
    }
    let mut footer: Vec<String> = Vec::new();
    if explanation.simulated {
        footer.push("**Simulated**: no model wrote this".to_owned());
    }
    footer.extend(
        [&explanation.model, &explanation.usage].into_iter().filter(|part| !part.is_empty()).map(|part| escaped(part)),
    );
    let answer = readable(&explanation.markdown);
    format!("# {heading}\n\n{answer}\n\n---\n\n{}\n", footer.join(" · "))
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
            _ => out.push(char),
        }
    }
    out
}

/// `text` as inline code.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
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
            model: "claude-sonnet-5-5".to_owned(),
            usage: "12.3k in · 91% from cache · 410 out · $0.0023".to_owned(),
            simulated: false,
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

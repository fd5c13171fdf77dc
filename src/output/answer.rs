//! The code blocks of an answer: one with the code, at most some with imports, and a note around them.

use crate::output::lines::{indentation, lines};

/// An answer to an action that edits: what stands in the place of the selection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditAnswer {
    /// The code of the one code block, lines ended by `\n`, without the last line's end.
    pub replacement: String,
    /// Lines of the blocks whose info string ends in `imports`, as written, blank ones left out.
    pub imports: Vec<String>,
    /// What was said outside the code blocks, for the user to read.
    pub note: Option<String>,
}

/// An answer to an action that adds tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestsAnswer {
    /// What is to be added, imports first, lines ended by `\n`, without the last line's end.
    pub code: String,
    /// What was said outside the code block, for the user to read.
    pub note: Option<String>,
}

/// Why an answer cannot be applied, in words that a repair request can quote to the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadAnswer {
    /// One or two sentences about what is wrong and what is wanted.
    pub reason: String,
}

impl BadAnswer {
    /// An answer that is wrong for `reason`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Whether an answer that may be an explanation or an edit says that it is an edit: a code block's info string ends in
/// `edit`.
pub fn is_edit(answer: &str) -> bool {
    match blocks(answer) {
        Ok(Blocks { blocks, .. }) => blocks.iter().any(Block::is_edit),
        // It is not whole; what it was to be can be told all the same.
        Err(_) => lines(answer).filter_map(|line| Fence::read(line.content)).any(|fence| ends_in(fence.info, "edit")),
    }
}

/// Reads the answer to an action that edits. Where code blocks are marked as edits, others are examples.
///
/// # Errors
/// When there is not exactly one code block beside those with imports, or one is empty or not closed.
pub fn edit_answer(answer: &str) -> Result<EditAnswer, BadAnswer> {
    let Parts { code, imports, note } = parts(answer)?;
    Ok(EditAnswer { replacement: code, imports, note })
}

/// As [`edit_answer`], for a selection that may be taken away altogether: then the one code block is empty.
///
/// # Errors
/// As [`edit_answer`], but for a code block that is empty.
pub fn edit_answer_or_removal(answer: &str) -> Result<EditAnswer, BadAnswer> {
    let Parts { code, imports, note } = parts_of(answer, true)?;
    Ok(EditAnswer { replacement: code, imports, note })
}

/// Reads the answer to an action that adds tests. Blocks with imports are put in front of the code.
///
/// # Errors
/// As [`edit_answer`].
pub fn tests_answer(answer: &str) -> Result<TestsAnswer, BadAnswer> {
    let Parts { code, mut imports, note } = parts(answer)?;
    if !imports.is_empty() {
        imports.push(String::new());
    }
    imports.push(code);
    Ok(TestsAnswer { code: imports.join("\n"), note })
}

struct Parts {
    code: String,
    imports: Vec<String>,
    note: Option<String>,
}

fn parts(answer: &str) -> Result<Parts, BadAnswer> {
    parts_of(answer, false)
}

fn parts_of(answer: &str, may_be_empty: bool) -> Result<Parts, BadAnswer> {
    if answer.trim().is_empty() {
        return Err(BadAnswer::new("The answer is empty. It must hold one fenced code block."));
    }
    let Blocks { blocks, note } = blocks(answer)?;
    let (imports, mut code): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(Block::holds_imports);
    if code.iter().any(Block::is_edit) {
        code.retain(Block::is_edit);
    }
    let code = match <[Block; 1]>::try_from(code) {
        Ok([block]) => block.lines,
        Err(none) if none.is_empty() && imports.is_empty() => {
            return Err(BadAnswer::new("The answer holds no fenced code block. The code must stand in one."));
        }
        Err(none) if none.is_empty() => {
            return Err(BadAnswer::new(
                "The answer holds imports only. The code must stand in a code block before them.",
            ));
        }
        Err(several) => {
            return Err(BadAnswer::new(format!(
                "The answer holds {} code blocks, and exactly one is wanted. When the code itself holds lines that \
                 begin with a fence, the fence around it must be longer than those.",
                several.len()
            )));
        }
    };
    let first = code.iter().position(|line| !line.trim().is_empty());
    let last = code.iter().rposition(|line| !line.trim().is_empty());
    let code = match (first, last) {
        (Some(first), Some(last)) => code[first..=last].join("\n"),
        _ if may_be_empty => String::new(),
        _ => return Err(BadAnswer::new("The code block is empty.")),
    };
    let imports = imports.into_iter().flat_map(|block| block.lines).filter(|line| !line.trim().is_empty()).collect();
    Ok(Parts { code, imports, note })
}

struct Block {
    info: String,
    lines: Vec<String>,
}

impl Block {
    fn holds_imports(&self) -> bool {
        ends_in(&self.info, "imports")
    }

    fn is_edit(&self) -> bool {
        ends_in(&self.info, "edit")
    }
}

/// Whether an info string's last word is this one.
fn ends_in(info: &str, word: &str) -> bool {
    let info = info.to_ascii_lowercase();
    info.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|char: char| char.is_alphanumeric()))
}

struct Blocks {
    blocks: Vec<Block>,
    note: Option<String>,
}

/// A line that may begin or end a code block.
struct Fence<'a> {
    indentation: usize,
    sign: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let rest = line.trim_start_matches([' ', '\t']);
        let sign = rest.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
        let info = rest.trim_start_matches(sign);
        let length = rest.len() - info.len();
        let info = info.trim();
        // A backtick in the info string makes it inline code, as CommonMark says.
        let fence = length >= 3 && !(sign == '`' && info.contains('`'));
        fence.then_some(Self { indentation: line.len() - rest.len(), sign, length, info })
    }

    /// Whether this line can end a block that `open` began. A deeper line is code: nobody indents a closing fence
    /// further than the opening one, but documentation comments do hold indented fences.
    fn closes(&self, open: &Fence<'_>) -> bool {
        self.sign == open.sign
            && self.length >= open.length
            && self.info.is_empty()
            && self.indentation <= open.indentation
    }

    /// Whether this line begins a block inside the block that `open` began, though its fence is not shorter.
    fn nests(&self, open: &Fence<'_>) -> bool {
        self.sign == open.sign
            && self.length >= open.length
            && !self.info.is_empty()
            && self.indentation <= open.indentation
    }
}

fn blocks(answer: &str) -> Result<Blocks, BadAnswer> {
    let mut blocks = Vec::new();
    let mut prose: Vec<Vec<&str>> = vec![Vec::new()];
    let mut open: Option<(Fence<'_>, usize, Block)> = None;
    for line in lines(answer).map(|line| line.content) {
        let fence = Fence::read(line);
        match (&mut open, fence) {
            (None, Some(fence)) => {
                let block = Block { info: fence.info.to_owned(), lines: Vec::new() };
                open = Some((fence, 0, block));
            }
            (None, None) => {
                if let Some(part) = prose.last_mut() {
                    part.push(line);
                }
            }
            (Some((outer, 0, _)), Some(fence)) if fence.closes(outer) => {
                blocks.extend(open.take().map(|(_, _, block)| block));
                prose.push(Vec::new());
            }
            (Some((outer, depth, block)), fence) => {
                if let Some(fence) = fence {
                    if fence.closes(outer) {
                        *depth -= 1;
                    } else if fence.nests(outer) {
                        *depth += 1;
                    }
                }
                let own = indentation(line).len().min(outer.indentation);
                block.lines.push(line[own..].to_owned());
            }
        }
    }
    if open.is_some() {
        return Err(BadAnswer::new(
            "A code block is not closed. Each must end with a fence like the one it begins with.",
        ));
    }
    let introduced = blocks.len();
    let note: Vec<String> = prose
        .iter()
        .enumerate()
        .map(|(index, part)| if index < introduced { without_lead_in(part) } else { part.join("\n").trim().to_owned() })
        .filter(|part| !part.is_empty())
        .collect();
    Ok(Blocks { blocks, note: (!note.is_empty()).then(|| note.join("\n\n")) })
}

/// The prose in front of a code block without a last line that only announces it ("Here is the code:").
fn without_lead_in(part: &[&str]) -> String {
    let text = part.join("\n");
    let text = text.trim();
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    if last.trim_end().ends_with(':') { before.trim_end().to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, replacement: &str, imports: &[&str], note: Option<&str>) {
        let found = edit_answer(answer).unwrap();
        assert_eq!(found.replacement, replacement, "{answer}");
        assert_eq!(found.imports, imports, "{answer}");
        assert_eq!(found.note.as_deref(), note, "{answer}");
        // How the lines of the answer end makes no difference.
        for end in ["\r\n", "\r"] {
            assert_eq!(edit_answer(&answer.replace('\n', end)).unwrap(), found, "{answer}");
        }
    }

    fn bad(answer: &str, word: &str) {
        let reason = edit_answer(answer).unwrap_err().reason;
        assert!(reason.contains(word), "{answer:?}: {reason}");
    }

    #[test]
    fn one_block_is_the_code() {
        check("```\nx\n```", "x", &[], None);
        check("```python\nx = 1\ny = 2\n```\n", "x = 1\ny = 2", &[], None);
        check("~~~py\nx\n~~~", "x", &[], None);
        check("``` python title=\"a b\"\nx\n```   ", "x", &[], None);
        check("```py\n\n\n    indented\n\n    more\n\n```", "    indented\n\n    more", &[], None);
        check("  ```py\n  x\n    y\n z\n  ```", "x\n  y\nz", &[], None);
    }

    #[test]
    fn a_fence_within_the_code_does_not_end_it() {
        check("````md\n```py\nx\n```\n````", "```py\nx\n```", &[], None);
        check("~~~md\n```py\nx\n```\n~~~", "```py\nx\n```", &[], None);
        check("```md\n```py\nx\n```\n```", "```py\nx\n```", &[], None);
        check("```md\ntext\n```py\nx\n```\n```sh\ny\n```\n```", "text\n```py\nx\n```\n```sh\ny\n```", &[], None);
        check(
            "```py\n\"\"\"\n    ```\n    x\n    ```\n\"\"\"\n```",
            "\"\"\"\n    ```\n    x\n    ```\n\"\"\"",
            &[],
            None,
        );
        check("```rust\n/// ```\n/// x\n/// ```\n```", "/// ```\n/// x\n/// ```", &[], None);
        check("```py\nx = '```'\n```", "x = '```'", &[], None);
        check("```js\n`` `a` ``\n```", "`` `a` ``", &[], None);
    }

    #[test]
    fn imports_are_a_block_of_their_own() {
        check("```py\nx\n```\n```py imports\nimport a\n\nimport b\n```", "x", &["import a", "import b"], None);
        check("```imports\nimport a\n```\n```py\nx\n```", "x", &["import a"], None);
        check("```py\nx\n```\n```py:imports\nimport a\n```", "x", &["import a"], None);
        check("```py\nx\n```\n```py imports\n```", "x", &[], None);
        check(
            "```js\nx\n```\n```js imports\nimport {\n  a,\n} from 'b'\n```",
            "x",
            &["import {", "  a,", "} from 'b'"],
            None,
        );
        check("```reimports\nx\n```", "x", &[], None);
    }

    #[test]
    fn what_stands_around_is_a_note() {
        check("Here is the code:\n\n```py\nx\n```", "x", &[], None);
        check("I changed b.\nThe code:\n```py\nx\n```", "x", &[], Some("I changed b."));
        check("```py\nx\n```\n\nMind the `y`.\n", "x", &[], Some("Mind the `y`."));
        check("Before.\n```py\nx\n```\nImports:\n```imports\ni\n```\nAfter:", "x", &["i"], Some("Before.\n\nAfter:"));
    }

    #[test]
    fn a_wrong_form_says_what_is_wrong() {
        bad("", "empty");
        bad(" \n ", "empty");
        bad("x = 1", "no fenced code block");
        bad("`x = 1`", "no fenced code block");
        bad("```py\nx = 1", "not closed");
        bad("```py\nx = 1\n~~~", "not closed");
        bad("````py\nx = 1\n```", "not closed");
        bad("```py\nx\n```\n```py imports\nimport a", "not closed");
        bad("```py\nx\n```py imports\nimport a\n```", "not closed");
        bad("```py\n\n```", "code block is empty");
        bad("```py imports\nimport a\n```", "imports only");
        bad("```py\nx\n```\nor\n```py\ny\n```", "2 code blocks");
        bad("```md\na\n```\nb\n```\nc\n```", "2 code blocks");
    }

    #[test]
    fn only_what_may_be_taken_away_has_an_empty_block() {
        for answer in ["```py\n```", "```py\n\n  \n```\nGone."] {
            bad(answer, "empty");
            assert_eq!(edit_answer_or_removal(answer).unwrap().replacement, "");
        }
        assert_eq!(edit_answer_or_removal("```\nx\n```").unwrap().replacement, "x");
        assert!(edit_answer_or_removal("Gone.").is_err() && edit_answer_or_removal("").is_err());
    }

    #[test]
    fn tests_begin_with_their_imports() {
        let answer = "Two tests:\n```py\ndef test_a():\n    pass\n```\n```py imports\nimport a\n```\nRun them.";
        let found = tests_answer(answer).unwrap();
        assert_eq!(found.code, "import a\n\ndef test_a():\n    pass");
        assert_eq!(found.note.as_deref(), Some("Run them."));
        assert_eq!(tests_answer("```\nx\n```").unwrap().code, "x");
        assert!(tests_answer("none").is_err());
    }

    proptest::proptest! {
        #[test]
        fn code_in_a_long_fence_comes_back(code in "([a-z`~ ]{0,8}\n){0,6}[a-z]") {
            let answer = format!("``````````\n{code}\n``````````\n");
            let found = edit_answer(&answer).unwrap();
            proptest::prop_assert_eq!(found.replacement.trim(), code.trim());
        }

        #[test]
        fn no_answer_panics(answer in "[`~a\n\r é]{0,40}") {
            let _ = edit_answer(&answer);
        }
    }

    #[test]
    fn an_answer_says_whether_it_is_an_edit() {
        for (answer, expected) in [
            ("It is so.", false),
            ("Like:\n\n```python\nx = 1\n```", false),
            ("```python edit\nx = 1\n```", true),
            ("```edit\nx\n```", true),
            ("```credit\nx\n```", false),
            ("````md\n```python edit\nx\n```\n````", false),
            ("```python edit\nx = 1", true),
            ("Write ```python edit``` in front.", false),
        ] {
            assert_eq!(is_edit(answer), expected, "{answer}");
        }
        let answer = edit_answer(
            "```python edit\nx = 1\n```\n\nSuch as:\n\n```python\nf()\n```\n```python imports\nimport a\n```",
        )
        .unwrap();
        assert_eq!((answer.replacement.as_str(), answer.imports), ("x = 1", vec!["import a".to_owned()]));
    }
}

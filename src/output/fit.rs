//! A replacement cut to the selection: what models repeat of the text around it is taken off, where that is sure.

use std::collections::HashSet;

use super::answer::BadAnswer;
use super::lines::{line_start, lines, next_line};
use crate::workspace::Span;

/// Of this many lines around the selection, an answer that repeats most is for the whole file.
const FEW_LINES: usize = 4;

/// `replacement` without line numbers, and without copies of the lines before and after the selection.
///
/// Only exact copies that adjoin the selection are taken off, and only where what remains looks more like the
/// selection than what is taken.
///
/// # Errors
/// When the replacement holds most of the file around the selection with changes, so that cutting it would lose some.
pub fn fit(document: &str, selection: Span, replacement: &str) -> Result<String, BadAnswer> {
    let old: Vec<&str> = contents(&document[selection.clone()]);
    let mut new: Vec<&str> = contents(replacement);
    if numbered(&old).is_none()
        && let Some(unnumbered) = numbered(&new)
    {
        new = unnumbered;
    }
    let (before, after) = around(document, &selection);
    let first = old.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or("");
    let last = old.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or("");
    let head = overlap(&before, &new);
    let head = if is_copy(&new[..head], &new[head..], first) { head } else { 0 };
    let after_backwards: Vec<&str> = after.iter().rev().copied().collect();
    let new_backwards: Vec<&str> = new[head..].iter().rev().copied().collect();
    let tail = overlap(&after_backwards, &new_backwards);
    let tail = if is_copy(&new_backwards[..tail], &new_backwards[tail..], last) { tail } else { 0 };

    let kept = &new[head..new.len() - tail];
    let outside: Vec<&str> = before.iter().chain(&after).copied().filter(|line| is_telling(line)).collect();
    if outside.len() > FEW_LINES {
        let (old, kept): (HashSet<&str>, HashSet<&str>) = (old.into_iter().collect(), kept.iter().copied().collect());
        let repeated = outside.iter().filter(|line| !old.contains(*line) && kept.contains(*line)).count();
        if repeated * 5 >= outside.len() * 4 {
            return Err(BadAnswer::new(
                "The answer repeats the file around the selection. It must hold the replacement of the selected \
                 lines and nothing else.",
            ));
        }
    }
    Ok(kept.join("\n"))
}

fn contents(text: &str) -> Vec<&str> {
    lines(text).map(|line| line.content).collect()
}

/// The whole lines before and after the selection; none on a side where it divides a line.
fn around<'a>(document: &'a str, selection: &Span) -> (Vec<&'a str>, Vec<&'a str>) {
    let begun = line_start(document, selection.start);
    let before = document[begun..selection.start].trim().is_empty();
    let ended = if line_start(document, selection.end) == selection.end {
        selection.end
    } else {
        next_line(document, selection.end)
    };
    let after = document[selection.end..ended].trim().is_empty();
    let before = if before { contents(&document[..begun]) } else { Vec::new() };
    let after = if after { contents(&document[ended..]) } else { Vec::new() };
    (before, after)
}

/// How many lines `new` begins with that are the last of `before`: the most there are. Linear in both.
fn overlap(before: &[&str], new: &[&str]) -> usize {
    // The prefix function of `new` followed by `before`, where nothing equals the `None` between them.
    let tail = &before[before.len().saturating_sub(new.len())..];
    let sequence: Vec<Option<&str>> = new
        .iter()
        .map(|line| Some(line.trim_end()))
        .chain([None])
        .chain(tail.iter().map(|line| Some(line.trim_end())))
        .collect();
    let mut prefix = vec![0; sequence.len()];
    for at in 1..sequence.len() {
        let mut length: usize = prefix[at - 1];
        while length > 0 && sequence[at] != sequence[length] {
            length = prefix[length - 1];
        }
        prefix[at] = if sequence[at] == sequence[length] { length + 1 } else { 0 };
    }
    if tail.is_empty() { 0 } else { prefix.last().copied().unwrap_or(0) }
}

/// Whether `copied` is context and `rest` is the answer: the context says something, and the selection's outermost
/// line is found again in the rest rather than in the context.
fn is_copy(copied: &[&str], rest: &[&str], outermost: &str) -> bool {
    let likeness = |lines: &[&str]| lines.iter().map(|line| shared(line.trim(), outermost)).max().unwrap_or(0);
    copied.iter().any(|line| is_telling(line)) && likeness(rest) > likeness(copied)
}

fn shared(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// Whether a line is more than a brace, a bracket or an `end`.
fn is_telling(line: &str) -> bool {
    line.chars().filter(|char| char.is_alphanumeric()).count() > 3
}

/// The lines without the numbers in front, if all of them are numbered in order ("12 | code", "12: code", "12\tcode").
fn numbered<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut expected: Option<usize> = None;
    let mut mark: Option<char> = None;
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let rest = line.trim_start();
        let digits = rest.len() - rest.trim_start_matches(|char: char| char.is_ascii_digit()).len();
        let number: usize = rest[..digits].parse().ok()?;
        let code = rest[digits..].trim_start_matches(' ');
        let sign = code.chars().next().filter(|sign| matches!(sign, '|' | ':' | '\t' | '│' | '→'))?;
        if expected.is_some_and(|expected| expected != number) || mark.is_some_and(|mark| mark != sign) {
            return None;
        }
        expected = Some(number + 1);
        mark = Some(sign);
        let code = &code[sign.len_utf8()..];
        out.push(if sign == '\t' { code } else { code.strip_prefix(' ').unwrap_or(code) });
    }
    (lines.len() > 1).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fits a replacement to what stands between the two `$` of a text.
    fn fitted(marked: &str, replacement: &str) -> Result<String, BadAnswer> {
        let parts: Vec<&str> = marked.split('$').collect();
        let [before, inside, after] = parts[..] else { panic!("two marks are needed: {marked}") };
        fit(&[before, inside, after].concat(), before.len()..before.len() + inside.len(), replacement)
    }

    fn check(marked: &str, replacement: &str, expected: &str) {
        assert_eq!(fitted(marked, replacement).unwrap(), expected, "{marked}");
        // The line ends of the file make no difference.
        assert_eq!(fitted(&marked.replace('\n', "\r\n"), replacement).unwrap(), expected, "{marked}");
    }

    const FILE: &str = "import os\n\nlimit = 10\n\n$def area(a, b):\n    return a * b\n$\ndef other():\n    pass\n";
    const ANSWER: &str = "def area(a: int, b: int) -> int:\n    return a * b";

    #[test]
    fn what_is_only_the_selection_stays() {
        check(FILE, ANSWER, ANSWER);
        check("$a$", "b", "b");
        check("x = 1\n$y = 2\n$", "y: int = 2", "y: int = 2");
        // The line before is repeated on purpose: nothing in the rest looks more like the selection.
        check("push(1)\n$push(2)\n$", "push(1)\npush(2)", "push(2)");
        check("push(1)\n$a = 2\n$", "push(1)\npush(1)", "push(1)\npush(1)");
        check("}\n$fn a() {\n}\n$}\n", "}\nfn a() {\n}\n}", "}\nfn a() {\n}\n}");
    }

    #[test]
    fn copies_of_the_lines_around_are_taken_off() {
        check(FILE, &format!("limit = 10\n\n{ANSWER}"), ANSWER);
        check(FILE, &format!("{ANSWER}\n\ndef other():\n    pass"), ANSWER);
        let whole = format!("import os\n\nlimit = 10\n\n{ANSWER}\n\ndef other():\n    pass\n");
        check(FILE, &whole, ANSWER);
        // A selection that ends at the line's end, and one that begins behind the indentation.
        check(&FILE.replace("* b\n$", "* b$\n"), &whole, ANSWER);
        let method = "class A:\n    $def f(self):\n        pass$\n    limit = 1\n";
        check(method, "class A:\n    def f(self) -> None:\n        pass", "    def f(self) -> None:\n        pass");
        check(
            method,
            "    def f(self) -> None:\n        pass\n    limit = 1",
            "    def f(self) -> None:\n        pass",
        );
    }

    #[test]
    fn a_changed_file_is_refused() {
        let file = "import os\nimport sys\n\nlimit = 10\nother = 20\nthird = 30\n\n$def area(a):\n    return a\n$";
        let answer = "import os\nimport sys\nimport typing\n\nlimit = 10\nother = 20\nthird = 30\n\ndef area(a: int):\n    return a\n";
        assert!(fitted(file, answer).unwrap_err().reason.contains("repeats the file"));
    }

    #[test]
    fn line_numbers_are_taken_off() {
        check("$a\n  b\n$", "1 | a\n2 |   b", "a\n  b");
        check("$a\n  b\n$", " 9: a\n10:   b", "a\n  b");
        check("$a\n  b\n$", "12\ta\n13\t  b", "a\n  b");
        check("$1: a\n2: b\n$", "1: a\n2: c", "1: a\n2: c");
        check("$a\n$", "1: a\n3: c", "1: a\n3: c");
        check("$a\n$", "1: a\nc", "1: a\nc");
        check("$a\n$", "1: a", "1: a");
    }

    proptest::proptest! {
        #[test]
        fn what_remains_is_part_of_the_answer(
            document in "([ab]{4}\n|\\}\n|\n){0,12}",
            from in 0_usize..60,
            to in 0_usize..60,
            answer in "([ab]{4}\n|\\}\n|\n){1,12}",
        ) {
            let (from, to) = (from.min(document.len()), to.min(document.len()));
            let selection = from.min(to)..from.max(to);
            if let Ok(found) = fit(&document, selection, &answer) {
                proptest::prop_assert!(answer.contains(&found));
            }
        }
    }
}

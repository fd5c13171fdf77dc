//! An edit to read: unified diff text that `patch` and `git apply` take.

use std::fmt::Write as _;

use similar::{DiffOp, group_diff_ops};

use super::hunks::diff;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The unified diff from `old` to `new`, both the text of `path`; empty when they are equal. An `old` that is empty is
/// shown as a file that did not exist.
///
/// Only `\n` divides lines here, since this is what `patch` knows: a `\r` before it belongs to its line.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    // A tab ends a name with spaces, as in git's diffs.
    let tab = if path.contains(char::is_whitespace) { "\t" } else { "" };
    let from = if old.is_empty() { "/dev/null".to_owned() } else { format!("a/{path}{tab}") };
    let mut out = format!("--- {from}\n+++ b/{path}{tab}\n");
    for group in group_diff_ops(diff(&old_lines, &new_lines), CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let old_range = first.old_range().start..last.old_range().end;
        let new_range = first.new_range().start..last.new_range().end;
        let _ = writeln!(out, "@@ -{} +{} @@", range(&old_range), range(&new_range));
        for op in &group {
            if matches!(op, DiffOp::Equal { .. }) {
                write_lines(&mut out, ' ', &old_lines[op.old_range()]);
            } else {
                write_lines(&mut out, '-', &old_lines[op.old_range()]);
                write_lines(&mut out, '+', &new_lines[op.new_range()]);
            }
        }
    }
    out
}

/// A range of lines in a hunk's header: 1-based, with the line before for an empty one.
fn range(lines: &std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn write_lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(unified("a", "x\n", "x\n"), "");
    }

    #[test]
    fn a_change_has_three_lines_of_context() {
        expect![[r"
            --- a/src/a.py
            +++ b/src/a.py
            @@ -2,7 +2,7 @@
             2
             3
             4
            -5
            +five
             6
             7
             8
        "]]
        .assert_eq(&unified("src/a.py", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"));
    }

    #[test]
    fn a_new_file_and_a_missing_newline_are_marked() {
        expect![[r"
            --- /dev/null
            +++ b/my file	
            @@ -0,0 +1 @@
            +x
            \ No newline at end of file
        "]]
        .assert_eq(&unified("my file", "", "x"));
        expect![[r"
            --- a/f
            +++ b/f
            @@ -1,2 +1,2 @@
             a
            -b
            \ No newline at end of file
            +b
        "]]
        .assert_eq(&unified("f", "a\nb", "a\nb\n"));
    }

    /// Applies a diff by its hunk headers alone, as `patch` does.
    fn patched(old: &str, diff: &str) -> String {
        let old: Vec<&str> = old.split_inclusive('\n').collect();
        let mut out = String::new();
        let mut at = 0;
        let mut last_sign = ' ';
        for line in diff.split_inclusive('\n').skip(2) {
            let (sign, rest) = line.split_at(1);
            match sign {
                "@" => {
                    let numbers = rest.split(' ').nth(1).unwrap().trim_start_matches('-');
                    let (start, count) = numbers.split_once(',').unwrap_or((numbers, "1"));
                    let start: usize = start.parse().unwrap();
                    let from = if count == "0" { start } else { start - 1 };
                    out.extend(old[at..from].iter().copied());
                    at = from;
                }
                "\\" if last_sign != '-' => out.truncate(out.len() - 1),
                "\\" => {}
                "+" => out.push_str(rest),
                " " => {
                    out.push_str(rest);
                    at += 1;
                }
                "-" => at += 1,
                _ => panic!("not a line of a diff: {line:?}"),
            }
            last_sign = sign.chars().next().unwrap();
        }
        out.extend(old[at..].iter().copied());
        out
    }

    proptest::proptest! {
        #[test]
        fn a_patch_gives_the_new_text(
            old in "([ab]{0,2}(\n|\r\n)){0,20}[ab]{0,2}",
            new in "([ab]{0,2}(\n|\r\n)){0,20}[ab]{0,2}",
        ) {
            proptest::prop_assume!(old != new);
            proptest::prop_assert_eq!(patched(&old, &unified("f", &old, &new)), new);
        }
    }
}

//! The part of a text that imports are looked for in.

use super::place::is_settled;
use super::statements::Family;
use crate::output::lines::{line_start, lines, next_line};
use crate::workspace::Language;
use crate::workspace::syntax::Parsed;

/// A beginning longer than this is not worth it: of a text that was parsed, only what changed is parsed anew.
const SHORT: usize = 16 * 1024;

/// Of a longer text that was not parsed only this much is.
const LONG: usize = 512 * 1024;

/// The beginning of a text up to behind its last import and the first item after it, parsed. `None` if there is no such
/// place: if it is far down, or the text is written so that it cannot be seen.
pub(super) fn of<'a>(family: Family, language: &'a Language, text: &'a str) -> Option<Parsed<'a>> {
    let end = end(family, text).filter(|end| *end <= SHORT)?;
    let head = Parsed::new(language, &text[..end]);
    // Cut in the middle of something, it has errors.
    let whole = head.tree().is_some_and(|tree| !tree.root_node().has_error() && is_settled(family, tree, head.text()));
    whole.then_some(head)
}

/// A text that was parsed, or of a very long one that was not its beginning.
pub(super) fn of_parsed<'a>(document: &Parsed<'a>) -> Parsed<'a> {
    let text = document.text();
    if text.len() <= LONG || document.is_parsed() && document.tree().is_some() {
        // The tree, if there is none yet, is kept for whoever needs it next.
        document.tree();
        return document.clone();
    }
    let end = text.bytes().take(LONG).rposition(|byte| byte == b'\n').map_or(0, |at| at + 1);
    Parsed::new(document.language(), &text[..end])
}

/// Where an item begins, after a blank line, behind the last line that may belong to an import and another item.
fn end(family: Family, text: &str) -> Option<usize> {
    let mut at = behind_imports(family, text)?;
    let (mut items, mut blank, mut in_string) = (0, false, false);
    for line in lines(&text[at..]) {
        let begins =
            !in_string && line.content.starts_with(|char: char| char.is_alphabetic() || matches!(char, '@' | '_'));
        if begins && blank && items > 0 {
            return Some(at);
        }
        items += usize::from(begins);
        blank = line.is_blank();
        if family == Family::Python {
            let quotes = ["\"\"\"", "'''"].iter().map(|quote| line.content.matches(quote).count());
            in_string ^= quotes.sum::<usize>() % 2 == 1;
        }
        at += line.len();
        if at > SHORT {
            return None;
        }
    }
    None
}

/// Where the last line ends that holds a word of an import; the beginning if there is none.
fn behind_imports(family: Family, text: &str) -> Option<usize> {
    let words: &[&str] = match family {
        Family::Python => &["import", "TYPE_CHECKING"],
        Family::EcmaScript => &["import", "require"],
        Family::Go | Family::Java => &["import"],
        // Their words are part of too many others, or imports stand within something.
        _ => return None,
    };
    // What is indented in Python belongs to something else.
    let counts = |at: usize| family != Family::Python || !text[line_start(text, at)..].starts_with([' ', '\t']);
    let last = words.iter().filter_map(|word| text.rmatch_indices(word).map(|(at, _)| at).find(|at| counts(*at))).max();
    Some(last.map_or(0, |last| next_line(text, last)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::imports::place::leading_part;
    use crate::output::imports::statements::read;
    use crate::workspace::language;

    fn check(id: &str, text: &str, expected: Option<&str>) {
        let language = language::by_id(id);
        let family = Family::of(language).unwrap();
        assert_eq!(of(family, language, text).as_ref().map(Parsed::text), expected, "{text}");
    }

    #[test]
    fn the_beginning_ends_behind_the_first_item() {
        let (head, rest) = ("import a\n\ndef f():\n    import b\n\n", "@c\ndef g():\n    pass\n");
        check("python", &format!("{head}{rest}"), Some(head));
        let head = "\"\"\"Says.\n\nThis text.\n\nAnd this.\n\"\"\"\nx = 1\n\n";
        check("python", &format!("{head}y = 2\n"), Some(head));
        let head = "import { a } from 'b';\n\nconst x = {\n\n};\n\n";
        check("typescript", &format!("{head}function f() {{}}\n"), Some(head));
    }

    #[test]
    fn what_does_not_tell_is_no_beginning() {
        check("python", "import a\n\ndef f():\n    import b\n", None);
        check("python", "# a\n\n# b\n\n\"doc\"\n", None);
        check("python", "def f():\n    pass\n\ndef g():\n    pass\n\nimport a\n", None);
        check("python", &format!("x = 1\n{}\n\ny = 1\n", "# a\n".repeat(SHORT / 4)), None);
        // Places within a string.
        check("python", "x = 'y' \"\"\" '''\n\nb\n\nc\"\"\"\n\nd\n", None);
        check("typescript", "const x = `\n\na\n\nb\n\nc`;\n\nlet y;\n", None);
        check("rust", "use a;\n\nfn f() {}\n\nfn g() {}\n", None);
    }

    /// What can stand in a file, in any order.
    fn pieces(id: &str) -> &'static [&'static str] {
        match id {
            "python" => &[
                "import os\n",
                "from a import (\n    b,\n\n    c,\n)\n",
                "from __future__ import annotations\n",
                "if TYPE_CHECKING:\n    import d\n\n    from e import f\n",
                "else:\n    pass\n",
                "def f():\n    import g\n\n    return 1\n\n",
                "@h\n",
                "class A:\n    pass\n\n",
                "\"\"\"Doc\n\nimport i\n\nj\n\"\"\"\n",
                "x = '''\n\ny\n\nz\n'''\n",
                "x = (\n\ny)\n",
                "# import k\n",
                "#!l\n",
                "x = 1; import m\n",
                "\n",
                "\r\n",
            ],
            "typescript" => &[
                "import { a } from 'b';\n",
                "import {\n  c,\n\n  d,\n} from 'e';\n",
                "const f =\n  require('g');\n",
                "function h() {\n  return 1;\n\n}\n\n",
                "'use strict';\n",
                "const i = `\n\nj\n\nk`;\n",
                "/* import\n\nj\n\nl */\n",
                "// k\n",
                "@l\n",
                "class M {}\n\n",
                "if (n) {\n\n",
                "}\n",
                "else {}\n",
                "\n",
            ],
            _ => &[
                "package a\n",
                "import \"b\"\n",
                "import (\n\t\"c\"\n\n\t\"d\"\n)\n",
                "func e() {\n\n}\n\n",
                "var f = `\n\ng\n\nh`\n",
                "/*\n\ng\n\nh */\n",
                "// h\n",
                "type i struct {\n\n}\n\n",
                "\n",
            ],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_beginning_tells_what_the_whole_tells(
            id in prop::sample::select(vec!["python", "typescript", "go"]),
            chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..14),
        ) {
            let text: String = chosen.iter().map(|index| *index.get(pieces(id))).collect();
            let language = language::by_id(id);
            let family = Family::of(language).unwrap();
            if let Some(head) = of(family, language, &text) {
                let whole = Parsed::new(language, &text);
                let found = |parsed: &Parsed<'_>| {
                    let tree = parsed.tree().unwrap();
                    let mut imports = read(family, tree, parsed.text());
                    imports.others.clear();
                    format!("{imports:?} {:?}", leading_part(family, tree, parsed.text()))
                };
                // What does not parse as a whole is read in pieces that depend on what follows.
                if !whole.tree().unwrap().root_node().has_error() {
                    prop_assert_eq!(found(&head), found(&whole), "{}", text);
                }
            }
        }
    }
}

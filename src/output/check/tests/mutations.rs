//! Whatever else an edit changes, wherever it does, is refused: a correct edit, and one harm done to it.

use std::collections::HashSet;

use super::{documentation, hints, of_edits, verdict};
use crate::output::check::stream::Stream;
use crate::output::check::{Comparison, Promise, Verdict};
use crate::workspace::language;
use crate::workspace::syntax::tree as parse;

/// All accepted edits: promise, language, before, after.
fn edits() -> impl Iterator<Item = (Promise, &'static str, &'static str, &'static str)> {
    let hints = hints::CASES.iter().map(|(id, before, after)| (Promise::TypeHints, *id, *before, *after));
    let documentation =
        documentation::CASES.iter().map(|(id, before, after)| (Promise::Documentation, *id, *before, *after));
    hints.chain(documentation)
}

/// Where the tokens of the code stand, and the comments.
fn places(promise: Promise, id: &str, text: &str) -> (Vec<std::ops::Range<usize>>, Vec<std::ops::Range<usize>>) {
    let language = language::by_id(id);
    let tree = parse(language, text).unwrap();
    let stream = Stream::read(promise, language.grammar.unwrap(), &tree, text);
    let token = |start: usize, of: &str| (text[start..].starts_with(of)).then(|| start..start + of.len());
    (
        stream.tokens.iter().filter_map(|found| token(found.start, found.text)).collect(),
        stream.comments.iter().map(|found| found.start..found.start + found.text.len()).collect(),
    )
}

#[track_caller]
fn caught(promise: Promise, id: &str, before: &str, after: &str, what: &str) {
    let comparison = Comparison::new(language::by_id(id), before, after);
    if !comparison.new_syntax_errors().is_empty() {
        return;
    }
    let verdict = comparison.verdict(promise);
    assert_eq!(of_edits(promise, id, before, after), verdict, "{promise:?} {id}: {what}\n{after}");
    assert!(matches!(verdict, Verdict::Broken(_)), "{promise:?} {id}: {what} got through\n{after}");
}

fn with(text: &str, span: std::ops::Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..span.start], &text[span.end..])
}

/// Another text for a token, of the same kind where that can be had.
fn changed(token: &str) -> String {
    let operators = ["<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "<", ">", "=", "."];
    if let Some(at) = operators.iter().position(|operator| *operator == token) {
        return operators[(at + 1) % operators.len()].to_owned();
    }
    if token.parse::<f64>().is_ok() {
        return format!("{token}1");
    }
    match token.chars().next_back() {
        Some(char) if char.is_alphanumeric() => format!("{token}z"),
        _ => format!("{token} z"),
    }
}

#[test]
fn a_token_lost_doubled_swapped_or_changed() {
    let mut count = 0;
    for (promise, id, before, after) in edits() {
        let (tokens, _) = places(promise, id, after);
        for (index, span) in tokens.iter().enumerate() {
            let token = &after[span.clone()];
            let mut check = |mutant: String, what: &str| {
                if mutant == after {
                    return;
                }
                caught(promise, id, before, &mutant, &format!("`{token}` {what}"));
                count += 1;
            };
            check(with(after, span.clone(), ""), "lost");
            check(with(after, span.clone(), &format!("{token} {token}")), "doubled");
            check(with(after, span.clone(), &changed(token)), "changed");
            if let Some(next) = tokens.get(index + 1).filter(|next| after[(*next).clone()] != *token) {
                let swapped = format!("{}{}{token}", &after[next.clone()], &after[span.end..next.start]);
                check(with(after, span.start..next.end, &swapped), "swapped with the next");
            }
        }
    }
    assert!(count > 5_000, "{count}");
}

#[test]
fn a_line_of_code_lost_doubled_or_swapped() {
    for (promise, id, _, after) in edits() {
        let (tokens, _) = places(promise, id, after);
        let lines: Vec<&str> = after.split_inclusive('\n').collect();
        let mut start = 0;
        let spans: Vec<_> = lines
            .iter()
            .map(|line| {
                (start, {
                    start += line.len();
                    start
                })
            })
            .map(|(from, to)| from..to)
            .collect();
        let code: Vec<usize> =
            (0..lines.len()).filter(|line| tokens.iter().any(|token| spans[*line].contains(&token.start))).collect();
        for &line in &code {
            caught(promise, id, after, &with(after, spans[line].clone(), ""), "a line lost");
            caught(promise, id, after, &with(after, spans[line].clone(), &lines[line].repeat(2)), "a line doubled");
        }
        for pair in code.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if lines[first].trim() == lines[second].trim() {
                continue;
            }
            let between = &after[spans[first].end..spans[second].start];
            let swapped = format!("{}{between}{}", lines[second], lines[first]);
            caught(promise, id, after, &with(after, spans[first].start..spans[second].end, &swapped), "lines swapped");
        }
    }
}

#[test]
fn a_comment_lost() {
    for (promise, id, before, after) in edits() {
        let (_, comments) = places(promise, id, before);
        let lines: HashSet<&str> = before.lines().map(str::trim).collect();
        for span in comments {
            let comment = &before[span.clone()];
            // Alone on its lines or not, and without another one in front or behind that stands for it.
            assert!(lines.contains(comment.lines().next().unwrap().trim()) || before.contains(comment));
            caught(promise, id, before, &with(before, span.clone(), ""), &format!("{comment} lost"));
            if after.matches(comment).count() == 1 && promise == Promise::TypeHints {
                caught(promise, id, before, &after.replace(comment, ""), &format!("{comment} lost on the way"));
            }
        }
    }
}

/// Per language: what harm looks like, as a text of the documented cases and what becomes of it.
const HARM: &[(&str, &[(&str, &str)])] = &[
    (
        "python",
        &[
            ("mode='r'", "mode='w'"),
            ("(path, mode='r')", "(mode='r', path=None)"),
            ("*args, **kw", "args, kw"),
            ("**kw", "*kw"),
            ("async def load", "def load"),
            ("return await os", "return os"),
            ("path >= mode", "path > mode"),
            ("not path", "path"),
            ("    return x\n", ""),
            ("    x = not path\n    return x\n", "        x = not path\n        return x\n"),
            ("    x = not path\n", "        x = not path\n"),
            ("import os\n", "import os.path as os\n"),
            ("import os\n", "import os, sys\n"),
            ("\"a\\n b\"", "\"a\\n  b\""),
            ("\"a\\n b\"", "b\"a\\n b\""),
            ("self.name}", "self.name }!"),
            ("size = 1", "size = 2"),
            ("    def label", "    @property\n    def label"),
            ("    x = not path\n", "    print(path)\n    x = not path\n"),
            ("    x = not path\n", "    \"a statement\"\n    x = not path\n"),
            ("# noqa: X", "# noqa"),
            ("# noqa: X", ""),
            ("# Copyright Us", "# Copyright Them"),
            ("# Never empty\n", ""),
            ("LEVEL = 5\n", "LEVEL = 5  # type: ignore\n"),
        ],
    ),
    (
        "javascript",
        &[
            ("'use strict';\n", ""),
            ("static #count", "#count"),
            ("async add", "add"),
            ("await this", "this"),
            ("...rest", "rest"),
            ("(id, ...rest)", "(rest, ...id)"),
            ("{ id, rest }", "{ rest, id }"),
            ("if (!id)", "if (id)"),
            ("n / 2", "n * 2"),
            ("return await", "return\n      await"),
            ("`x ${a}  y`", "`x ${a} y`"),
            ("'./a.js'", "'./b.js'"),
            ("const half", "let half"),
            ("const half", "export const half"),
            ("// eslint-disable-next-line no-console\n", ""),
            ("no-console", "no-alert"),
            ("console.log", "console.warn"),
            ("return await this", "return /* a\n b */ await this"),
        ],
    ),
    (
        "typescript",
        &[
            ("private readonly", "private"),
            ("private readonly", "public readonly"),
            ("public static", "public"),
            ("abstract class", "class"),
            ("Line[]", "Kind[]"),
            ("count?: number", "count: number"),
            ("b = 2", "b = 3"),
            ("a: number, b = 2", "b = 2, a: number"),
            ("a <= b", "a < b"),
            ("-a", "a"),
            ("A = 1", "A = 2"),
            ("Cart<T>", "Cart<U>"),
        ],
    ),
    (
        "typescriptreact",
        &[
            ("<boolean>", ""),
            ("{on} x", "{on}  x"),
            ("\"a\"", "\"b\""),
            ("name && <b>", "name || <b>"),
            ("(false)", "(true)"),
        ],
    ),
    (
        "rust",
        &[
            ("#![allow(dead_code)]\n", ""),
            ("Debug, Clone", "Debug"),
            ("pub const fn", "pub fn"),
            ("pub const fn", "const fn"),
            ("&self, rate: f64", "rate: f64, &self"),
            ("&'static str", "&str"),
            ("!= 0", "== 0"),
            ("&& !self", "&& self"),
            ("return Some(1);", "Some(1);"),
            ("'a', _", "'c', _"),
            ("        None\n", "        panic!();\n        None\n"),
            ("let x = match", "let y = match"),
            ("        // SAFETY: none\n", ""),
            ("use std::fmt;", "use std::fmt::Display;"),
        ],
    ),
    (
        "go",
        &[
            ("//go:build linux", "//go:build windows"),
            ("//go:build linux", "// go:build linux"),
            ("package cart", "//go:generate x\npackage cart"),
            ("(l *Line)", "(l Line)"),
            ("xs ...int", "xs []int"),
            ("defer fmt", "fmt"),
            ("`json:\"id\"`", "`json:\"ID\"`"),
            ("x > i", "x >= i"),
            ("return x, nil", "return nil, x"),
            ("Max = 10", "Max = 11"),
            ("i, x := range", "i, x = range"),
            ("// Total sums all of them up.\n", ""),
            ("return x, nil", "return /* a\n*/ x, nil"),
        ],
    ),
    (
        "java",
        &[
            ("@Override\n", "\n"),
            ("synchronized ", ""),
            ("private static final", "private final"),
            ("private static", "public static"),
            ("public final class", "public class"),
            ("List<T> lines, int... more", "int... more, List<T> lines"),
            ("int... more", "int more"),
            (">= MAX", "> MAX"),
            ("\"a\" + 'b'", "\"a\" + 'c'"),
            ("* 2", "+ 2"),
            (" throws IllegalStateException", ""),
            ("// NOSONAR", ""),
            ("import java.util.List;", "import java.util.*;"),
        ],
    ),
    (
        "c",
        &[
            ("#define MAX 10", "#define MAX 11"),
            ("#include <stdio.h>\n", ""),
            ("static int", "int"),
            ("const int *xs", "int *xs"),
            ("int *xs, unsigned n", "unsigned n, int *xs"),
            ("n-- > 0", "--n > 0"),
            ("+=", "-="),
            ("0x0f", "0x0e"),
            ("'a' : -1", "-1 : 'a'"),
            ("while (n-- > 0)\n", "while (n-- > 0);\n"),
            ("/* Copyright (c) Us */\n", ""),
        ],
    ),
    (
        "cpp",
        &[
            ("#pragma once\n", ""),
            ("final : public Base", ": public Base"),
            ("public Base", "private Base"),
            ("explicit ", ""),
            ("virtual ", ""),
            ("= default", "= delete"),
            ("[[nodiscard]] ", ""),
            ("const noexcept", "noexcept"),
            ("n_ << 2", "n_ >> 2"),
            ("n = 1", "n = 2"),
            ("private:\n", "protected:\n"),
            ("// NOLINT", "// lint"),
            ("n_{n}", "n_(n)"),
        ],
    ),
    (
        "ruby",
        &[
            ("# frozen_string_literal: true\n", ""),
            ("# frozen_string_literal: true", "# frozen_string_literal: false"),
            ("< Base", "< Other"),
            ("count: 1", "count: 2"),
            ("*rest, &block", "rest, &block"),
            ("&block", "block"),
            ("unless id", "if id"),
            ("\"no #{id} x\"", "\"no #{id}  x\""),
            ("&& count", "|| count"),
            ("    private\n", ""),
            ("    private\n", "    protected\n"),
            ("self.make", "make"),
            ("%w[a b]", "%w[a  c]"),
            ("x.to_sym", "x.to_s"),
            ("# rubocop:disable X", ""),
            ("yield id", "yield"),
        ],
    ),
    (
        "php",
        &[
            ("declare(strict_types=1);\n", ""),
            ("final class", "class"),
            ("private const", "public const"),
            ("private array", "array"),
            ("?int", "int"),
            ("public static", "public"),
            ("int &$a", "int $a"),
            ("string ...$more", "string $more"),
            ("<= self", "< self"),
            ("!$more", "$more"),
            ("\"x $a y\"", "\"x $a  y\""),
            ("?? 'b'", "?: 'b'"),
            (". \"x", ".= \"x"),
            ("     * The total.\n", "     * The total.\n     * @ORM\\Column(type=\"x\")\n"),
        ],
    ),
    (
        "lua",
        &[
            ("local M = {}\n", "M = {}\n"),
            ("local sum", "sum"),
            ("M:total", "M.total"),
            ("(list, ...)", "(..., list)"),
            ("x ~= nil", "x == nil"),
            ("x >= 2", "x > 2"),
            ("sum + x", "sum - x"),
            (".. 'a'", ".. 'b'"),
            ("return sum, not list", "return not list, sum"),
            ("not list", "list"),
            ("-- luacheck: ignore", ""),
            ("ipairs", "pairs"),
            ("--- Carts.\n", "---@diagnostic disable\n--- Carts.\n"),
        ],
    ),
    (
        "shellscript",
        &[
            ("#!/bin/bash\n", "#!/bin/sh\n"),
            ("#!/bin/bash\n", ""),
            ("set -euo pipefail\n", ""),
            ("-euo", "-eu"),
            ("\"$1\"", "$1"),
            ("${@:2}", "${@:1}"),
            ("-gt 3", "-ge 3"),
            ("&& -f", "|| -f"),
            ("\"$n  x\"", "\"$n x\""),
            ("| sort -u", "| sort"),
            (">\"$out\"", ">>\"$out\""),
            ("    return 1\n", ""),
            ("  a $n\n", " a $n\n"),
            ("<<EOF", "<<'EOF'"),
            ("  # shellcheck disable=SC2086\n", ""),
            ("SC2086", "SC2087"),
        ],
    ),
];

#[test]
fn every_class_of_harm_in_every_language() {
    let languages: HashSet<&str> = HARM.iter().map(|(id, _)| *id).collect();
    assert_eq!(languages.len(), 13);
    for (id, harms) in HARM {
        for (language, before, after) in documentation::CASES.iter().filter(|case| case.0 == *id) {
            for (old, new) in *harms {
                assert!(after.contains(old), "{id}: {old}");
                let mutant = after.replacen(old, new, 1);
                assert_ne!(mutant, *after, "{id}: {old}");
                caught(Promise::Documentation, language, before, &mutant, &format!("`{old}` as `{new}`"));
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_panics(before in "[a-z(){}:=#/*'\" \n\r\té@]{0,60}", after in "[a-z(){}:=#/*'\" \n\r\té@]{0,60}") {
        for (promise, id, ..) in edits() {
            let _ = verdict(promise, id, &before, &after);
        }
    }

    #[test]
    fn a_text_keeps_its_own_promises(text in "[a-z(){}:=#/*'\" \n\té@]{0,80}") {
        for (promise, id, ..) in edits() {
            proptest::prop_assert_eq!(verdict(promise, id, &text, &text), Verdict::Kept);
        }
    }
}

//! Correct documentation is accepted.

use super::{accepted, refused};
use crate::output::check::Promise::Documentation;

/// Per language, code without documentation and with it.
pub(super) const CASES: &[(&str, &str, &str)] = &[
    (
        "python",
        "# Copyright Us\nimport os\n\nLEVEL = 5\n\n\nclass Item:\n    size = 1\n\n    def label(self, *args, **kw):\n        # Never empty\n        return f\"{self.name}\" + \"a\\n b\"\n\n\nasync def load(path, mode='r'):  # noqa: X\n    \"\"\"Load.\"\"\"\n    if path >= mode:\n        return await os.open(path)\n    x = not path\n    return x\n",
        "# Copyright Us\n\"\"\"Items and how they load.\"\"\"\nimport os\n\nLEVEL = 5\n\"\"\"When it is low.\"\"\"\n\n\nclass Item:\n    \"\"\"An item.\"\"\"\n\n    size = 1\n    #: Its size.\n\n    def label(self, *args, **kw):\n        r\"\"\"The name.\n\n        Never \\n.\n        \"\"\"\n        # Never empty\n        return f\"{self.name}\" + \"a\\n b\"\n\n\nasync def load(path, mode='r'):  # noqa: X\n    \"\"\"Load what is at ``path``.\n\n    Args:\n        path: Where.\n    \"\"\"\n    if path >= mode:\n        # It is there.\n        return await os.open(path)\n    x = not path\n    return x\n",
    ),
    (
        "javascript",
        "'use strict';\nimport { a } from './a.js';\n// eslint-disable-next-line no-console\nconsole.log(`x ${a}  y`);\n\nexport class Cart {\n  static #count = 0;\n  async add(id, ...rest) {\n    if (!id) throw new RangeError(id);\n    return await this.lines.push({ id, rest });\n  }\n}\nconst half = n => n / 2;\n",
        "'use strict';\nimport { a } from './a.js';\n// eslint-disable-next-line no-console\nconsole.log(`x ${a}  y`);\n\n/** What was chosen. */\nexport class Cart {\n  static #count = 0;\n  /**\n   * Adds a line.\n   *\n   * @param {string} id - of the product\n   * @throws {RangeError} Without one.\n   */\n  async add(id, ...rest) {\n    if (!id) throw new RangeError(id);\n    // The order counts.\n    return await this.lines.push({ id, rest });\n  }\n}\n/** Half of `n`. */\nconst half = n => n / 2;\n",
    ),
    (
        "typescript",
        "export interface Line { id: string; count?: number }\nexport enum Kind { A = 1, B }\nexport abstract class Cart<T> {\n  private readonly lines: Line[] = [];\n  public static total(a: number, b = 2): number {\n    return a <= b ? a + b : -a;\n  }\n}\n",
        "/** A line. */\nexport interface Line {\n  /** Of the product. */\n  id: string; count?: number }\nexport enum Kind { A = 1, B }\n/**\n * A cart.\n */\nexport abstract class Cart<T> {\n  /** All lines. */\n  private readonly lines: Line[] = [];\n  /** The total. */\n  public static total(a: number, b = 2): number {\n    return a <= b ? a + b : -a;\n  }\n}\n",
    ),
    (
        "typescriptreact",
        "export function Row({ name }: Props) {\n  const [on, setOn] = useState<boolean>(false);\n  return <li className=\"a\">{name && <b>{on} x</b>}</li>;\n}\n",
        "/** A row. */\nexport function Row({ name }: Props) {\n  // Off at first.\n  const [on, setOn] = useState<boolean>(false);\n  return <li className=\"a\">{name && <b>{on} x</b>}</li>;\n}\n",
    ),
    (
        "rust",
        "//! A crate.\n#![allow(dead_code)]\nuse std::fmt;\n\n#[derive(Debug, Clone)]\npub struct Cart { lines: Vec<u32>, name: &'static str }\n\nimpl Cart {\n    pub const fn total(&self, rate: f64) -> Option<u32> {\n        // SAFETY: none\n        if self.lines.len() != 0 && !self.name.is_empty() { return Some(1); }\n        let x = match rate { 0.0 => 'a', _ => 'b' };\n        None\n    }\n}\n",
        "//! A crate for carts.\n#![allow(dead_code)]\nuse std::fmt;\n\n/// A cart.\n#[derive(Debug, Clone)]\npub struct Cart {\n    /// What is in it.\n    lines: Vec<u32>, name: &'static str }\n\nimpl Cart {\n    /// The total.\n    ///\n    /// # Examples\n    /// ```\n    /// let x = 1;\n    /// ```\n    pub const fn total(&self, rate: f64) -> Option<u32> {\n        // SAFETY: none\n        if self.lines.len() != 0 && !self.name.is_empty() { return Some(1); }\n        let x = match rate { 0.0 => 'a', _ => 'b' };\n        None\n    }\n}\n",
    ),
    (
        "go",
        "//go:build linux\n\npackage cart\n\nimport \"fmt\"\n\nconst Max = 10\n\ntype Line struct {\n\tID string `json:\"id\"`\n}\n\n// Total is wrong.\nfunc (l *Line) Total(xs ...int) (int, error) {\n\tdefer fmt.Println(\"x\")\n\tfor i, x := range xs {\n\t\tif x > i {\n\t\t\treturn x, nil\n\t\t}\n\t}\n\treturn 0, nil\n}\n",
        "//go:build linux\n\n// Package cart has carts.\npackage cart\n\nimport \"fmt\"\n\n// Max is the limit.\nconst Max = 10\n\n// Line is a line.\ntype Line struct {\n\t// ID is unique.\n\tID string `json:\"id\"`\n}\n\n// Total sums all of them up.\nfunc (l *Line) Total(xs ...int) (int, error) {\n\tdefer fmt.Println(\"x\")\n\t// The first wins.\n\tfor i, x := range xs {\n\t\tif x > i {\n\t\t\treturn x, nil\n\t\t}\n\t}\n\treturn 0, nil\n}\n",
    ),
    (
        "java",
        "package shop;\n\nimport java.util.List;\n\npublic final class Cart<T> {\n    private static final int MAX = 10; // NOSONAR\n\n    @Override\n    public synchronized int total(List<T> lines, int... more) throws IllegalStateException {\n        if (lines.size() >= MAX) { throw new IllegalStateException(\"a\" + 'b'); }\n        return lines.size() * 2;\n    }\n}\n",
        "package shop;\n\nimport java.util.List;\n\n/**\n * A cart.\n *\n * @param <T> the lines\n */\npublic final class Cart<T> {\n    /** How many. */\n    private static final int MAX = 10; // NOSONAR\n\n    /** {@inheritDoc} */\n    @Override\n    public synchronized int total(List<T> lines, int... more) throws IllegalStateException {\n        // Too many.\n        if (lines.size() >= MAX) { throw new IllegalStateException(\"a\" + 'b'); }\n        return lines.size() * 2;\n    }\n}\n",
    ),
    (
        "c",
        "/* Copyright (c) Us */\n#ifndef A_H\n#define A_H\n#include <stdio.h>\n#define MAX 10\n\nstruct line { int id; char *name; };\n\nstatic int total(const int *xs, unsigned n)\n{\n\tint sum = 0;\n\twhile (n-- > 0)\n\t\tsum += xs[n] & 0x0f;\n\treturn sum == 3 ? 'a' : -1;\n}\n#endif\n",
        "/* Copyright (c) Us */\n#ifndef A_H\n#define A_H\n#include <stdio.h>\n#define MAX 10 // at most\n\n/** A line. */\nstruct line { int id; /**< Its id. */ char *name; };\n\n/**\n * The total.\n * @param n how many\n */\nstatic int total(const int *xs, unsigned n)\n{\n\tint sum = 0;\n\t/* From the end. */\n\twhile (n-- > 0)\n\t\tsum += xs[n] & 0x0f;\n\treturn sum == 3 ? 'a' : -1;\n}\n#endif\n",
    ),
    (
        "cpp",
        "#pragma once\n#include <vector>\nnamespace shop {\ntemplate <typename T>\nclass Cart final : public Base {\npublic:\n  explicit Cart(int n = 1) : n_{n} {}\n  virtual ~Cart() = default;\n  [[nodiscard]] auto total() const noexcept -> int { return n_ << 2; } // NOLINT\nprivate:\n  int n_;\n};\n}\n",
        "#pragma once\n#include <vector>\n/// The shop.\nnamespace shop {\n/// A cart.\n/// @tparam T a line\ntemplate <typename T>\nclass Cart final : public Base {\npublic:\n  /// Makes one.\n  explicit Cart(int n = 1) : n_{n} {}\n  virtual ~Cart() = default;\n  /// The total.\n  [[nodiscard]] auto total() const noexcept -> int { return n_ << 2; } // NOLINT\nprivate:\n  int n_; ///< How many.\n};\n}\n",
    ),
    (
        "ruby",
        "# frozen_string_literal: true\n\nrequire 'set'\n\nmodule Shop\n  class Cart < Base\n    attr_reader :lines\n    MAX = 10\n\n    def add(id, count: 1, *rest, &block)\n      raise ArgumentError, \"no #{id} x\" unless id # rubocop:disable X\n      @lines << { id: id, count: count }\n      yield id if block_given? && count > 1\n      %w[a b].map { |x| x.to_sym }\n    end\n\n    private\n\n    def self.make = new\n  end\nend\n",
        "# frozen_string_literal: true\n\nrequire 'set'\n\n# The shop.\nmodule Shop\n  # A cart.\n  class Cart < Base\n    # @return [Array] what is in it\n    attr_reader :lines\n    # At most.\n    MAX = 10\n\n    # Adds a line.\n    #\n    # @param id [String] of the product\n    def add(id, count: 1, *rest, &block)\n      raise ArgumentError, \"no #{id} x\" unless id # rubocop:disable X\n      # In order.\n      @lines << { id: id, count: count }\n      yield id if block_given? && count > 1\n      %w[a b].map { |x| x.to_sym }\n    end\n\n    private\n\n    # Makes one.\n    def self.make = new\n  end\nend\n",
    ),
    (
        "php",
        "<?php\ndeclare(strict_types=1);\n\nnamespace Shop;\n\nfinal class Cart implements \\Countable\n{\n    private const MAX = 10;\n\n    public function __construct(private array $lines = [], ?int $n = null) {}\n\n    public static function total(int &$a, string ...$more): int\n    {\n        if ($a <= self::MAX && !$more) { return $a . \"x $a y\"; }\n        return count($more) ?? 'b';\n    }\n}\n",
        "<?php\ndeclare(strict_types=1);\n\nnamespace Shop;\n\n/**\n * A cart.\n */\nfinal class Cart implements \\Countable\n{\n    /** At most. */\n    private const MAX = 10;\n\n    public function __construct(private array $lines = [], ?int $n = null) {}\n\n    /**\n     * The total.\n     *\n     * @param int $a the first\n     */\n    public static function total(int &$a, string ...$more): int\n    {\n        // The rest.\n        if ($a <= self::MAX && !$more) { return $a . \"x $a y\"; }\n        return count($more) ?? 'b';\n    }\n}\n",
    ),
    (
        "lua",
        "local M = {}\n\nM.max = 10\n\nfunction M:total(list, ...)\n  local sum = 0 -- luacheck: ignore\n  for i, x in ipairs(list) do\n    if x ~= nil and x >= 2 then sum = sum + x .. 'a' end\n  end\n  return sum, not list\nend\n\nreturn M\n",
        "--- Carts.\nlocal M = {}\n\n-- At most.\nM.max = 10\n\n--- The total.\n---@param list number[] all of them\nfunction M:total(list, ...)\n  local sum = 0 -- luacheck: ignore\n  --[[ In\n  order. ]]\n  for i, x in ipairs(list) do\n    if x ~= nil and x >= 2 then sum = sum + x .. 'a' end\n  end\n  return sum, not list\nend\n\nreturn M\n",
    ),
    (
        "shellscript",
        "#!/bin/bash\nset -euo pipefail\n\ntotal() {\n  local n=\"$1\" rest=(\"${@:2}\")\n  # shellcheck disable=SC2086\n  if [[ $n -gt 3 && -f $n ]]; then\n    echo \"$n  x\" | sort -u >\"$out\"\n    return 1\n  fi\n  cat <<EOF\n  a $n\nEOF\n}\n\ntotal \"$@\"\n",
        "#!/bin/bash\n# Totals.\nset -euo pipefail\n\n# The total.\n# Arguments: how many, and the rest.\ntotal() {\n  local n=\"$1\" rest=(\"${@:2}\")\n  # shellcheck disable=SC2086\n  if [[ $n -gt 3 && -f $n ]]; then\n    # Sorted.\n    echo \"$n  x\" | sort -u >\"$out\"\n    return 1\n  fi\n  cat <<EOF\n  a $n\nEOF\n}\n\ntotal \"$@\"\n",
    ),
];

#[test]
fn correct_documentation_is_accepted_in_every_language() {
    let languages: std::collections::HashSet<&str> = CASES.iter().map(|(id, ..)| *id).collect();
    assert_eq!(languages.len(), 13);
    for (id, before, after) in CASES {
        accepted(Documentation, id, before, after);
        accepted(Documentation, id, &before.replace('\n', "\r\n"), &after.replace('\n', "\r\n"));
        accepted(Documentation, id, after, after);
    }
}

#[test]
fn a_file_that_the_grammar_does_not_know_all_of() {
    let before = "BEGIN(x)\n#ifdef A\n  { 1,\n#endif\n};\nint f(void) MACRO(a, ) {\n\treturn \"a  b\";\n}\n";
    let after = "BEGIN(x)\n#ifdef A\n  { 1,\n#endif // A\n};\n\n/** Does.\n * It.\n */\nint f(void) MACRO(a, ) {\n\t/* So. */\n\treturn \"a  b\";\n}\n";
    accepted(Documentation, "c", before, after);
    for (old, new) in [("a  b", "a b"), ("{ 1,", "{ 2,"), ("#ifdef A\n", ""), ("f(void)", "/* a */ g(void)")] {
        refused(Documentation, "c", before, &after.replacen(old, new, 1), &[]);
    }
    refused(Documentation, "c", after, before, &["is gone"]);
}

#[test]
fn macros_that_the_grammar_reads_one_way_or_another() {
    let before = "#pragma once\n\nNAMESPACE_BEGIN(NAMESPACE)\n\nNAMESPACE_BEGIN(detail)\n\nWARNING_PUSH\nWARNING_DISABLE(\"-Wx\")\n\nState *get_state();\n\nNAMESPACE_END(detail)\n";
    let after = before.replace("State *get", "// The state of\n// this thread.\nState *get");
    accepted(Documentation, "cpp", before, &after);
    for (old, new) in
        [("get_state", "get_stat"), ("\"-Wx\"", "\"-W x\""), ("State *", "State "), ("// this", "/* this")]
    {
        let harmed = after.replace(old, new);
        let comparison =
            crate::output::check::Comparison::new(crate::workspace::language::by_id("cpp"), before, &harmed);
        let kept = comparison.verdict(Documentation) == crate::output::check::Verdict::Kept;
        assert!(!comparison.new_syntax_errors().is_empty() || !kept, "{harmed}");
    }
}

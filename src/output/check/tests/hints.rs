//! Correct hints are accepted.

use super::accepted;
use crate::output::check::Promise::TypeHints;

/// Per language, code without hints and with them.
pub(super) const CASES: &[(&str, &str, &str)] = &[
    ("python", PYTHON.0, PYTHON.1),
    ("python", REWRAPPED.0, REWRAPPED.1),
    ("python", GUARDED.0, GUARDED.1),
    ("typescript", TYPESCRIPT.0, TYPESCRIPT.1),
    ("typescriptreact", TSX.0, TSX.1),
    ("javascript", JAVASCRIPT.0, JAVASCRIPT.1),
    ("ruby", RUBY.0, RUBY.1),
    ("php", PHP.0, PHP.1),
    ("lua", LUA.0, LUA.1),
];

const PYTHON: (&str, &str) = (
    r#"#!/usr/bin/env python3
"""Stock."""
import re
from functools import lru_cache, wraps

LOW = 5
cache = {}  # by name


class Item:
    kind = "item"

    def __init__(self, name, price, *tags, quantity=0, **more):
        self.name = name
        self.tags = []  # noqa: X

    @property
    def label(self):
        return f"{self.name:>{LOW}} {self.price!r}"

    @staticmethod
    async def load(path, *, strict=False):
        async with open(path) as file:
            return [line async for line in file if line != "\n  "]

    def twin(self):
        return Item(self.name, 0)


@lru_cache(maxsize=None)
def find(items, key=lambda item: item.name, /):
    best = None
    for item in items:
        if best is None or key(item) > key(best):
            best = item
    return best
"#,
    r#"#!/usr/bin/env python3
"""Stock."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import Any, Literal

LOW: int = 5
cache: dict[str, "Item"] = {}  # by name


class Item:
    price: float
    kind: Literal["item", "other thing"] = "item"

    def __init__(self, name: str, price: float, *tags: str, quantity: int = 0, **more: Any) -> None:
        self.name: str = name
        self.tags: list[str] = []  # noqa: X

    @property
    def label(self) -> str:
        return f"{self.name:>{LOW}} {self.price!r}"

    @staticmethod
    async def load(path: str, *, strict: bool = False) -> list[str]:
        async with open(path) as file:
            return [line async for line in file if line != "\n  "]

    def twin(self) -> Item:
        return Item(self.name, 0)


@lru_cache(maxsize=None)
def find(items: Iterable[Item], key: Callable[[Item], str] = lambda item: item.name, /) -> Item | None:
    best: Item | None = None
    for item in items:
        if best is None or key(item) > key(best):
            best = item
    return best
"#,
);

const REWRAPPED: (&str, &str) = (
    "def load(path, mode='r', encoding=None):\n    return (path, mode)\n\n\ndef old(a, b):\n    return a + b\n",
    "def load(\n    path: str,\n    mode: str = 'r',\n    encoding: str | None = None,\n) -> tuple[str, str]:\n    return (path, mode)\n\n\ndef old(a, b):\n    # type: (int, int) -> int\n    return a + b\n",
);

const GUARDED: (&str, &str) = (
    "import logging\n\n\ndef run(app, first, after):\n    def inner(x):\n        return x\n    return inner\n\n\nclass Later:\n    pass\n",
    "import logging\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from app import App\n\n\ndef run(app: \"App\", first: 'list[Later]', after: logging.Logger) -> object:\n    def inner(x: Later) -> Later:\n        return x\n    return inner\n\n\nclass Later:\n    pass\n",
);

const TYPESCRIPT: (&str, &str) = (
    r"import { parse } from './parse';

export class Cart<T> {
  private lines = new Map();
  total;
  late;

  constructor(readonly owner, private rate = 1) {}

  static async load(url = '', options) {
    const found = await fetch(url);
    return found.json();
  }

  get size() { return this.lines.size; }
}

export const twice = x => x * 2;
export const pick = async (items, at = 0) => items[at] ?? null;
function first(list) {
  let seen;
  for (const entry of list) { seen = entry as Entry; }
  return seen!;
}
try { first([]); } catch (error) { throw error; }
",
    r"import type { Entry } from './entry';
import { parse, type Node as Tree } from './parse';

export class Cart<T> {
  private lines: Map<string, Tree> = new Map<string, Tree>();
  total: number;
  late!: Date;

  constructor(readonly owner: string, private rate: number = 1) {}

  static async load(url: string = '', options?: RequestInit): Promise<unknown> {
    const found: Response = await fetch(url);
    return found.json();
  }

  get size(): number { return this.lines.size; }
}

export const twice = (x: number): number => x * 2;
export const pick = async <T,>(items: readonly T[], at: number = 0): Promise<T | null> => items[at] ?? null;
function first<E extends Entry>(
  list: Iterable<E>,
): E {
  let seen: E | undefined;
  for (const entry of list) { seen = entry as Entry; }
  return seen!;
}
try { first([]); } catch (error: unknown) { throw error; }
",
);

const TSX: (&str, &str) = (
    "export function Row({ name, on }) {\n  return <li onClick={event => on(event)}>a  {name} b</li>;\n}\n",
    "export function Row({ name, on }: { name: string; on: (event: React.MouseEvent) => void }): JSX.Element {\n  return <li onClick={(event: React.MouseEvent) => on(event)}>a  {name} b</li>;\n}\n",
);

const JAVASCRIPT: (&str, &str) = (
    r"/** Adds.
 * @param a - the first
 */
function add(a, b = 1) { return a + b; }

// Plain.
class Cart {
  items = [];
  /** Known. */
  remove(id) { return this.items.filter(item => item.id !== id); }
}
",
    r"/** Adds.
 * @param {number} a - the first
 * @param {number} [b=1]
 * @returns {number}
 */
function add(a, b = 1) { return a + b; }

// Plain.
class Cart {
  /** @type {Array<{ id: string }>} */
  items = [];
  /**
   * Known.
   * @param {string} id
   * @returns {Array<{
   *   id: string
   * }>}
   */
  remove(id) { return this.items.filter(item => item.id !== id); }
}
",
);

const RUBY: (&str, &str) = (
    "# frozen_string_literal: true\n\nclass Cart\n  # Adds a line.\n  # @param id the id\n  def add(id, count = 1, *rest)\n    @lines << [id, count]\n    self\n  end\n\n  def size\n    @lines.size\n  end\nend\n",
    "# frozen_string_literal: true\n\nclass Cart\n  # Adds a line.\n  # @param id [String] the id\n  # @param [Integer] count\n  # @return [Cart]\n  def add(id, count = 1, *rest)\n    @lines << [id, count]\n    self\n  end\n\n  #: () -> Integer\n  def size\n    @lines.size\n  end\nend\n",
);

const PHP: (&str, &str) = (
    "<?php\n\nnamespace App;\n\nuse App\\Model\\User;\n\nclass Cart\n{\n    private $lines = [];\n\n    /** Adds a line. */\n    public function add(User $user, $count = 1, ...$more)\n    {\n        $this->lines[] = [\"$user->name x\", $count];\n        return $this;\n    }\n}\n",
    "<?php\n\nnamespace App;\n\nuse App\\Model\\User;\n\nclass Cart\n{\n    /** @var array<int, array{0: string, 1: int}> */\n    private $lines = [];\n\n    /**\n     * Adds a line.\n     *\n     * @param User $user\n     * @param int|float $count\n     * @param \\DateTimeInterface ...$more\n     * @return Cart\n     */\n    public function add(User $user, $count = 1, ...$more)\n    {\n        $this->lines[] = [\"$user->name x\", $count];\n        return $this;\n    }\n}\n",
);

const LUA: (&str, &str) = (
    "-- A module.\nlocal M = {}\n\n--- Joins.\nfunction M.join(list, sep)\n  return table.concat(list, sep or [[\n  , ]])\nend\n\nlocal cache = {}\n\nreturn M\n",
    "-- A module.\n---@class Joiner\nlocal M = {}\n\n--- Joins.\n---@param list string[]\n---@param sep? string|fun(a: string): string\n---@return string\nfunction M.join(list, sep)\n  return table.concat(list, sep or [[\n  , ]])\nend\n\n---@type table<string, Joiner>\nlocal cache = {}\n\nreturn M\n",
);

#[test]
fn correct_hints_are_accepted() {
    for (id, before, after) in CASES {
        accepted(TypeHints, id, before, after);
        // The same with the other line ends.
        accepted(TypeHints, id, &before.replace('\n', "\r\n"), &after.replace('\n', "\r\n"));
        accepted(TypeHints, id, after, after);
    }
}

#[test]
fn hints_where_nothing_reads_them() {
    let check = |before, after| accepted(TypeHints, "python", before, after);
    check(
        "import click\n@click.command()\ndef f(a): pass\n",
        "import click\n@click.command()\ndef f(a: int) -> None: pass\n",
    );
    check(
        "def deco(f): return f\n@deco\ndef f(a): pass\n",
        "def deco(f): return f\n@deco\ndef f(a: int) -> None: pass\n",
    );
    check("class E(ValueError):\n    code = 1\n", "class E(ValueError):\n    code: int = 1\n");
    check("class A: pass\nclass B(A):\n    code = 1\n", "class A: pass\nclass B(A):\n    code: int = 1\n");
    check(
        "@dataclass\nclass A:\n    a: int\n    def f(self): return 1\n",
        "@dataclass\nclass A:\n    a: int\n    def f(self) -> int: return 1\n",
    );
    check("def f():\n    x = None\n    x = 1\n", "def f() -> None:\n    x: int | None\n    x = None\n    x = 1\n");
    check("from m import *\ndef f(a): pass\n", "from m import *\ndef f(a: Foreign): pass\n");
    check("from m import A\ndef f(a): pass\n", "from m import A, B\ndef f(a: B): pass\n");
    check("def f(x): return x\n", "def f[T](x: T) -> T: return x\n");
    check(
        "import typing as t\ndef f(x): return x\n",
        "import typing as t\ndef f(x: t.Annotated[int, \"a b\"]) -> t.Literal[\"c\"]: return x\n",
    );
}

#[test]
fn a_decorator_with_a_comment_behind_it() {
    let before = "class A:\n    @property  # type: ignore[override]\n    def f(self): return 1\n";
    accepted(TypeHints, "python", before, &before.replace("(self)", "(self) -> int"));
}

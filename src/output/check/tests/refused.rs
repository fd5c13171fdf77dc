//! Annotations that act, name nothing, or bring something along are refused, with the reason.

use super::{accepted, refused};
use crate::output::check::Promise::{Documentation, TypeHints};
use crate::output::check::{Verdict, only_adds};
use crate::output::edit::TextEdit;
use crate::workspace::language;

#[test]
fn annotations_of_python_that_are_read() {
    let check = |before: &str, after: &str, words: &[&str]| refused(TypeHints, "python", before, after, words);
    check(
        "@dataclass\nclass A:\n    a = 1\n",
        "@dataclass\nclass A:\n    a: int = 1\n",
        &["line 3", "`@dataclass`", "`int`"],
    );
    check("class A(BaseModel):\n    a = 1\n", "class A(BaseModel):\n    a: int = 1\n", &["`BaseModel`"]);
    check(
        "class A(BaseModel):\n    b: int\nclass B(A):\n    a = 1\n",
        "class A(BaseModel):\n    b: int\nclass B(A):\n    a: int = 1\n",
        &["`BaseModel`", "line 4"],
    );
    check("class A(x.Base):\n    a = 1\n", "class A(x.Base):\n    a: int = 1\n", &["`x.Base`"]);
    check("class A(metaclass=Meta):\n    a = 1\n", "class A(metaclass=Meta):\n    a: int = 1\n", &["`Meta`"]);
    check("@attr.s\nclass A:\n    a = 1\n", "@attr.s\nclass A:\n    a: int = 1\n", &["`@attr.s`"]);
    check("@singledispatch\ndef f(a): pass\n", "@singledispatch\ndef f(a: int): pass\n", &["`@singledispatch`"]);
    check("@f.register\ndef _(a): pass\n", "@f.register\ndef _(a: int): pass\n", &["`@f.register`"]);
    check("@app.get('/')\ndef f(a): pass\n", "@app.get('/')\ndef f(a) -> int: pass\n", &["`@app.get`", "line 2"]);
    check("@app.command()\ndef f(a): pass\n", "@app.command()\ndef f(a: int): pass\n", &["`@app.command`"]);
    check("def f(a): pass\ntyper.run(f)\n", "def f(a: int): pass\ntyper.run(f)\n", &["`typer.run`"]);
    check(
        "@plugin\nclass A:\n    def f(self): pass\n",
        "@plugin\nclass A:\n    def f(self) -> None: pass\n",
        &["`@plugin`"],
    );
    check(
        "import typing\ndef f(a): return typing.get_type_hints(f)\n",
        "import typing\ndef f(a: int): return typing.get_type_hints(f)\n",
        &["get_type_hints`"],
    );
    check(
        "@app.get('/')\ndef f(a: int): pass\ndef g(a): pass\n",
        "from __future__ import annotations\n@app.get('/')\ndef f(a: int): pass\ndef g(a: int): pass\n",
        &["`@app.get`", "turns all annotations into text"],
    );
}

#[test]
fn annotations_of_python_that_name_nothing() {
    let check = |after: &str, words: &[&str]| {
        let before = "import os\nX = 1\ndef f(a):\n    b = 1\nclass A:\n    def g(self): pass\n";
        refused(TypeHints, "python", before, after, words);
    };
    check(
        "import os\nX = 1\ndef f(a: Foo):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["`Foo`", "neither defined nor imported", "line 3"],
    );
    check("import os\nX = 1\ndef f(a: 'list[Foo]'):\n    b = 1\nclass A:\n    def g(self): pass\n", &["`Foo`"]);
    check("import os\nX = 1\ndef f(a):\n    b: Foo = 1\nclass A:\n    def g(self): pass\n", &["`Foo`"]);
    check(
        "import os\nX = 1\ndef f(a: A):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["`A` is not defined yet", "quotes"],
    );
    check(
        "import os\nX = 1\ndef f(a):\n    b = 1\nclass A:\n    def g(self) -> A: pass\n",
        &["`A` is not defined yet"],
    );
    check(
        "import os\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from m import M\nX = 1\ndef f(a: M):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["`M`", "type checkers only"],
    );
    check(
        "import os\nfrom m import M\nX = 1\ndef f(a: M):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["`from m import M`", "if TYPE_CHECKING:"],
    );
    check(
        "import os\nfrom typing import Any\nX = 1\ndef f(a: int):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["no annotation uses"],
    );
    check(
        "import os\nimport antigravity\nX = 1\ndef f(a: antigravity.A):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["antigravity"],
    );
    check(
        "import os\nfrom __future__ import division\nX = 1\ndef f(a: int):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["changes how the code runs"],
    );
    check(
        "import os\nfrom typing import Any as X\nX = 1\ndef f(a: X):\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["the name of something else"],
    );
    check(
        "import os\nX = 1\ndef f(a):\n    c: int\n    b = 1\nclass A:\n    def g(self): pass\n",
        &["`c`", "variable of that function"],
    );
    check("X = 1\ndef f(a: int):\n    b = 1\nclass A:\n    def g(self): pass\n", &["`import os` is gone"]);
    refused(
        TypeHints,
        "python",
        "def f():\n    global x\n    x = 1\n",
        "def f():\n    global x\n    x: int = 1\n",
        &["global"],
    );
    refused(TypeHints, "python", "a = b = 1\n", "a: int = b = 1\n", &["several targets"]);
    refused(TypeHints, "python", "a, b = 1, 2\n", "a, b: int = 1, 2\n", &["several targets"]);
    refused(
        TypeHints,
        "python",
        "T = 1\n",
        "from typing import TypeVar\nT = 1\nU = TypeVar('U')\n",
        &["`U = TypeVar('U')` was added"],
    );
    refused(TypeHints, "python", "def f(a: int): pass\n", "def f(a): pass\n", &["takes an annotation away", "`int`"]);
    refused(
        TypeHints,
        "python",
        "def f(a): pass\n",
        "def f(a: int):\n    \"\"\"New.\"\"\"\n    pass\n",
        &["was added"],
    );
    refused(TypeHints, "python", "def f(a): pass\n", "# New.\ndef f(a: int): pass\n", &["comment `New.` was added"]);
    refused(
        TypeHints,
        "python",
        "def f(a): pass\n",
        "def f(a: int): pass  # type: ignore\n",
        &["for a tool", "was added"],
    );
}

#[test]
fn annotations_of_other_languages() {
    let check = |id: &str, before: &str, after: &str, words: &[&str]| refused(TypeHints, id, before, after, words);
    check("typescript", "function f(a) {}\n", "function f(a: Foo) {}\n", &["`Foo`", "neither defined nor imported"]);
    check(
        "typescript",
        "function f(a) {}\n",
        "import { Foo } from './foo';\nfunction f(a: Foo) {}\n",
        &["import type"],
    );
    check("typescript", "function f(a) {}\n", "import './foo';\nfunction f(a: string) {}\n", &["no annotation uses"]);
    check("typescript", "const a = f();\n", "const a = f() as string;\n", &["`as string` was added"]);
    check("typescript", "const a = f();\n", "const a = f()!;\n", &["`!` was added"]);
    check("typescript", "const a = f() as A<B>;\n", "const a = f() as A<C>;\n", &["`B` became `C`"]);
    check("typescript", "type A = Map<string, B>;\n", "type A = Map<string, C>;\n", &["`B` became `C`"]);
    check(
        "typescript",
        "class A { constructor(a) {} }\n",
        "class A { constructor(private a: string) {} }\n",
        &["`private` was added"],
    );
    check("typescript", "class A { }\n", "class A { a: string; }\n", &["was added"]);
    check("typescript", "function f(a) {}\n", "interface B {}\nfunction f(a: B) {}\n", &["`interface B {}` was added"]);
    check(
        "typescript",
        "@Injectable()\nclass A { constructor(a) {} }\n",
        "@Injectable()\nclass A { constructor(a: string) {} }\n",
        &["`@Injectable()`"],
    );
    check("typescript", "class A { @Column() a = 1; }\n", "class A { @Column() a: number = 1; }\n", &["`@Column()`"]);
    check("typescript", "class A { @Get() a(b) {} }\n", "class A { @Get() a(b: string) {} }\n", &["`@Get()`"]);
    check("javascript", "function f(a) {}\n", "/** @param {Foo} a */\nfunction f(a) {}\n", &["`Foo`"]);
    check(
        "javascript",
        "function f(a) {}\n",
        "/** @param {string} a - the name */\nfunction f(a) {}\n",
        &["comment", "was added"],
    );
    check(
        "javascript",
        "function f(a) {}\n",
        "// @ts-check\n/** @param {string} a */\nfunction f(a) {}\n",
        &["@ts-check", "was added"],
    );
    check(
        "php",
        "<?php\nfunction f($a) {}\n",
        "<?php\nfunction f(int $a) {}\n",
        &["`int`", "line 2", "PHP checks and converts"],
    );
    check(
        "php",
        "<?php\nfunction f($a) {}\n",
        "<?php\nfunction f($a): ?int {}\n",
        &["`?int`", "PHP checks and converts"],
    );
    check(
        "php",
        "<?php\nclass A { private $a; }\n",
        "<?php\nclass A { private ?int $a; }\n",
        &["PHP checks and converts"],
    );
    check(
        "php",
        "<?php\nfunction f($a) {}\n",
        "<?php\n/** @param User $a */\nfunction f($a) {}\n",
        &["`User`", "neither defined"],
    );
    check(
        "php",
        "<?php\n/** A. @param int $a it */\nfunction f($a) {}\n",
        "<?php\n/** @param int $a it */\nfunction f($a) {}\n",
        &["became"],
    );
    check(
        "ruby",
        "class A\n  def f(a) = a\nend\n",
        "class A\n  sig { params(a: Integer).returns(Integer) }\n  def f(a) = a\nend\n",
        &["code that runs"],
    );
    check("ruby", "def f(a) = a\n", "# @param a [User]\ndef f(a) = a\n", &["`User`"]);
    check("lua", "local function f(a) end\n", "---@param a User\nlocal function f(a) end\n", &["`User`"]);
    check("lua", "local function f(a) end\n", "---@param a string the name\nlocal function f(a) end\n", &["was added"]);
}

#[test]
fn documentation_that_does_more() {
    let check = |id: &str, before: &str, after: &str, words: &[&str]| refused(Documentation, id, before, after, words);
    check(
        "python",
        "\"\"\"Usage: x\"\"\"\nprint(__doc__)\n",
        "\"\"\"Usage: y\"\"\"\nprint(__doc__)\n",
        &["__doc__", "line 2"],
    );
    check("python", "def f():\n    \"\"\"Old.\"\"\"\n    pass\n", "def f():\n    pass\n", &["is gone"]);
    check("python", "def f():\n    pass\n", "def f():\n    \"\"\"New.\"\"\"\n", &["`pass` is gone"]);
    check("python", "def f():\n    pass\n", "def f():\n    f\"New.\"\n    pass\n", &["was added"]);
    check("python", "def f():\n    pass\n", "def f():\n    pass\n    \"New.\"\n", &["was added"]);
    check("python", "x = 1\n", "def f(a: int):\n    x = 1\n", &["was added"]);
    check("python", "# TODO: speed\nx = 1\n", "# speed\nx = 1\n", &["TODO"]);
    check("python", "x = 1  # noqa\ny = 2\n", "x = 1\n# noqa\ny = 2\n", &["noqa"]);
    check("python", "if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n", &["`c`", "line 3", "indentation"]);
    check(
        "go",
        "package a\n\n// #include <x.h>\nimport \"C\"\n",
        "package a\n\n// #include <y.h>\nimport \"C\"\n",
        &["#include"],
    );
    check("c", "#define A 1\n", "#define A 1 + 1\n", &["`1` became `1 + 1`"]);
    check("rust", "/// A.\nfn a() {}\n", "fn a() {}\n", &["`/// A.` is gone"]);
}

#[test]
fn tests_are_only_added() {
    let check = |id: &str, before: &str, at: usize, end: usize, text: &str| {
        let edit = TextEdit { span: at..end, text: text.to_owned() };
        only_adds(language::by_id(id), before, &[edit])
    };
    let text = "import a\n\n\nclass TestA:\n    def test_a(self):\n        assert a\n        assert b\n";
    let end = text.len();
    assert_eq!(check("python", text, end, end, "\n\ndef test_b(): pass\n"), Verdict::Kept);
    assert_eq!(check("python", text, 8, 8, ", b"), Verdict::Kept);
    assert_eq!(check("python", text, end - 1, end - 1, "\n\n    def test_b(self): pass"), Verdict::Kept);
    assert!(matches!(check("python", text, end - 2, end - 1, "c"), Verdict::Broken(_)));
    let within = text.find("        assert b").unwrap();
    assert!(matches!(check("python", text, within, within, "        assert c\n"), Verdict::Broken(_)));
    let spec = "describe('a', () => {\n  it('b', () => {\n    x();\n    y('c');\n  });\n});\n";
    let at = |part: &str| spec.find(part).unwrap();
    assert_eq!(check("javascript", spec, at("\n});"), at("\n});"), "\n  it('d', () => {});"), Verdict::Kept);
    assert!(matches!(check("javascript", spec, at("    y"), at("    y"), "    z();\n"), Verdict::Broken(_)));
    assert!(matches!(check("javascript", spec, at("b'"), at("b'"), "z"), Verdict::Broken(_)));
}

#[test]
fn comments_in_what_is_erased() {
    let check = |id: &str, before: &str, after: &str, words: &[&str]| refused(TypeHints, id, before, after, words);
    let guarded = "import typing as t\nif t.TYPE_CHECKING:  # pragma: no cover\n    # Heavy\n    from a import B\ndef f(b): pass\n";
    let hinted = guarded.replace("f(b)", "f(b: 'B')");
    accepted(TypeHints, "python", guarded, &hinted);
    check("python", guarded, &hinted.replace("  # pragma: no cover", ""), &["pragma: no cover", "is gone"]);
    check("python", guarded, &hinted.replace("pragma: no cover", "none"), &["pragma: no cover"]);
    check("python", guarded, &hinted.replace("    # Heavy\n", ""), &["Heavy"]);
    let listed = "from a import (\n    b,  # noqa: X\n    # The other\n    c,\n)\n";
    check("python", listed, &listed.replace("  # noqa: X", ""), &["noqa: X"]);
    check("python", listed, &listed.replace("    # The other\n", ""), &["The other"]);
    let imports = "import {\n  // The one\n  a,\n} from './a';\nlet x = a;\n";
    check("typescript", imports, &imports.replace("  // The one\n", "").replace("x =", "x: number ="), &["The one"]);
    let typed = "function f(a: /* seconds */ number) {}\n";
    check("typescript", typed, &typed.replace("/* seconds */ ", ""), &["seconds"]);
}

#[test]
fn types_in_comments_that_are_gone() {
    let check = |id: &str, before: &str, after: &str| refused(TypeHints, id, before, after, &["it takes a type away"]);
    check("lua", "--- @type string[]\nlocal a = {}\n", "local a = {}\n");
    check(
        "lua",
        "--- @class A\nlocal A = {}\n---@param b B\nfunction A.f(b) end\n",
        "local A = {}\n---@param b B\nfunction A.f(b) end\n",
    );
    check(
        "php",
        "<?php\nclass A {\n    /** @var int */\n    private $a;\n}\n",
        "<?php\nclass A {\n    private $a;\n}\n",
    );
    check(
        "javascript",
        "/**\n * @param {string} a\n * @param {string} b\n */\nfunction f(a, b) {}\n",
        "/**\n * @param {number} a\n */\nfunction f(a, b) {}\n",
    );
    check("lua", "--- @class A\nlocal A = {}\n", "--- @type table\nlocal A = {}\n");
    check("lua", "local a = f() --[[@as B]]\n", "local a = f()\n");
    check("ruby", "#: (Integer) -> String\ndef f(a) = a.to_s\n", "def f(a) = a.to_s\n");
}

#[test]
fn an_import_that_is_there_already() {
    let before = "import { A } from './a';\nlet x = new A();\n";
    for import in ["import { A } from './a';\n", "import type { A } from './a';\n", "import { type A } from './b';\n"] {
        let after = format!("{import}{}", before.replace("x =", "x: A ="));
        refused(TypeHints, "typescript", before, &after, &["`A` is imported already"]);
    }
}

#[test]
fn comments_at_the_end_of_a_macro() {
    let before = "#define A 1 // Of the first version\n#define B 2\n";
    refused(Documentation, "c", before, &before.replace(" // Of the first version", ""), &["first version", "is gone"]);
    refused(Documentation, "c", before, &before.replace("Of the first version", "So"), &["is gone"]);
    refused(Documentation, "c", before, &before.replace("B 2", "B 2 // NOLINT"), &["NOLINT", "was added"]);
}

#[test]
fn a_line_that_goes_on_in_a_directive_of_the_preprocessor() {
    let before = "#if A\n#    error \\\n        \"no\"\n#endif\nint x;\n";
    let after = format!("/** It. */\n{before}").replace("error \\\n", "error \n");
    for id in ["c", "cpp"] {
        let language = language::by_id(id);
        let comparison = crate::output::check::Comparison::new(language, before, &after);
        let caught = !comparison.new_syntax_errors().is_empty()
            || matches!(comparison.verdict(Documentation), Verdict::Broken(_));
        assert!(caught, "{id}");
    }
}

#[test]
fn a_line_break_that_ends_a_statement() {
    for (id, before, old, new) in [
        ("javascript", "function f(a) {\n  return a.b(1);\n}\n", "return a", "return\n    a"),
        ("typescript", "function f(a) {\n  return previous.concat([a]);\n}\n", "return p", "return\n  p"),
        ("javascript", "function f(a) {\n  throw a;\n}\n", "throw a", "throw\n  a"),
        ("javascript", "let a = 1, b = 2;\na\nb++\n", "b++", "b\n++"),
    ] {
        let after = before.replace(old, new);
        let comparison = crate::output::check::Comparison::new(language::by_id(id), before, &after);
        let caught = !comparison.new_syntax_errors().is_empty()
            || matches!(comparison.verdict(Documentation), Verdict::Broken(_));
        assert!(caught, "{after}");
    }
}

use super::*;
use crate::output::edit::apply;
use crate::workspace::language;

fn place(inline: bool) -> TestPlace {
    TestPlace { path: "t".into(), exists: true, framework: "x", inline, import_hint: String::new() }
}

fn added(id: &str, existing: &str, code: &str) -> (String, TestsEdit) {
    let inline = id == "rust";
    let found = add_tests(Some(existing), &place(inline), language::by_id(id), code).unwrap();
    (apply(existing, &found.edits), found)
}

/// What is expected, and that every existing line is there afterwards, in order, whatever the line ends.
fn check(id: &str, existing: &str, code: &str, expected: &str) {
    for end in ["\n", "\r\n"] {
        let existing = existing.replace('\n', end);
        let (text, edits) = added(id, &existing, code);
        assert_eq!(text.replace(end, "\n"), expected, "{id}: {edits:?}");
        assert_eq!(text.matches('\n').count(), text.matches(end).count(), "{id}: {edits:?}");
        let (again, edits) = added(id, &text, code);
        assert_eq!(again, text, "{id}: what was added once is not added again: {edits:?}");
    }
}

#[test]
fn a_new_file_is_the_code() {
    for existing in [None, Some(""), Some("\n")] {
        let found =
            add_tests(existing, &place(false), language::by_id("python"), "\nimport a\n\ndef test_a():\n    pass\n\n")
                .unwrap();
        assert_eq!(apply(existing.unwrap_or(""), &found.edits), "import a\n\ndef test_a():\n    pass\n");
    }
    let found = add_tests(None, &place(false), language::by_id("php"), "it('a');").unwrap();
    assert_eq!(apply("", &found.edits), "<?php\n\nit('a');\n");
    assert!(add_tests(None, &place(false), language::by_id("python"), "\n \n").is_err());
}

#[test]
fn python() {
    check(
        "python",
        "import os\n\nfrom shop import a\n\n\ndef test_a():\n    assert a() == 1\n",
        "from shop import a, b\n\n\ndef test_b():\n    assert b() == 2\n\n\n# Twice.\ndef test_c():\n    pass",
        "import os\n\nfrom shop import a, b\n\n\ndef test_a():\n    assert a() == 1\n\n\ndef test_b():\n    assert b() == 2\n\n\n# Twice.\ndef test_c():\n    pass\n",
    );
    check(
        "python",
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        pass\n\n\nif __name__ == \"__main__\":\n    unittest.main()\n",
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        pass\n\n    def test_b(self):\n        pass\n\n\nclass TestB(unittest.TestCase):\n    def test_c(self):\n        pass\n\n\nif __name__ == \"__main__\":\n    unittest.main()\n",
        "import unittest\n\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        pass\n\n    def test_b(self):\n        pass\n\n\nclass TestB(unittest.TestCase):\n    def test_c(self):\n        pass\n\n\nif __name__ == \"__main__\":\n    unittest.main()\n",
    );
    check(
        "python",
        "def test_a():\n    pass",
        "def test_b():\n    pass",
        "def test_a():\n    pass\n\n\ndef test_b():\n    pass",
    );
}

#[test]
fn imports_come_before_tests_where_a_file_has_nothing_else() {
    check(
        "python",
        "import os\n",
        "import re\n\n\ndef test_a():\n    pass\n",
        "import os\nimport re\n\n\ndef test_a():\n    pass\n",
    );
    check(
        "python",
        "if __name__ == \"__main__\":\n    main()\n",
        "def test_a():\n    pass\n",
        "def test_a():\n    pass\n\n\nif __name__ == \"__main__\":\n    main()\n",
    );
    check("csharp", "using A;\n", "using B;\n\nclass C {}\n", "using A;\nusing B;\n\nclass C {}\n");
}

#[test]
fn names_are_not_repeated() {
    let existing = "def test_a():\n    assert a() == 1\n\n\ndef test_b():\n    pass\n";
    let (text, found) = added("python", existing, "def test_a():\n    assert a() == 2\n\n\ndef test_b():\n    pass\n");
    assert_eq!(text, format!("{existing}\n\ndef test_a_2():\n    assert a() == 2\n"));
    assert_eq!(found.renamed, [("test_a".to_owned(), "test_a_2".to_owned())]);
    assert_eq!(found.skipped, ["test_b"]);
    assert_eq!(found.note().unwrap(), "already there: test_b; renamed: test_a to test_a_2");

    let (text, _) = added("javascript", "test('a', () => {\n  f();\n});\n", "test('a', () => {\n  g();\n});\n");
    assert_eq!(text, "test('a', () => {\n  f();\n});\n\ntest('a (2)', () => {\n  g();\n});\n");

    let (text, _) = added("cpp", "TEST(A, B) {\n  f();\n}\n", "TEST(A, B) {\n  g();\n}\n");
    assert_eq!(text, "TEST(A, B) {\n  f();\n}\n\nTEST(A, B2) {\n  g();\n}\n");

    let bad =
        add_tests(Some("X = 1\n"), &place(false), language::by_id("python"), "X = 2\n\n\ndef test_x():\n    pass\n");
    assert!(bad.unwrap_err().reason.contains("`X`"));
}

#[test]
fn rust_modules() {
    check(
        "rust",
        "fn a() {}\n",
        "use std::fmt;\n\n#[test]\nfn a_works() {\n    let x = \"\nkept\";\n    a();\n}\n",
        "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fmt;\n\n    #[test]\n    fn a_works() {\n        let x = \"\nkept\";\n        a();\n    }\n}\n",
    );
    check(
        "rust",
        "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn a_works() {\n        a();\n    }\n}\n\nfn after() {}\n",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fmt;\n\n    /// Again.\n    #[test]\n    fn a_works_twice() {\n        a();\n    }\n}\n",
        "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fmt;\n\n    #[test]\n    fn a_works() {\n        a();\n    }\n\n    /// Again.\n    #[test]\n    fn a_works_twice() {\n        a();\n    }\n}\n\nfn after() {}\n",
    );
    check(
        "rust",
        "#[cfg(test)]\nmod tests {}\n",
        "#[test]\nfn b() {}\n",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n}\n",
    );
}

#[test]
fn classes_and_blocks_take_in_what_they_lack() {
    check(
        "java",
        "package a;\n\nimport org.junit.Test;\n\nclass ATest {\n    @Test\n    void one() {\n    }\n}\n",
        "package a;\n\nimport java.util.List;\nimport org.junit.Test;\n\nclass ATest {\n  @Test\n  void two() {\n  }\n}\n",
        "package a;\n\nimport org.junit.Test;\nimport java.util.List;\n\nclass ATest {\n    @Test\n    void one() {\n    }\n\n    @Test\n    void two() {\n    }\n}\n",
    );
    check(
        "go",
        "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n\ta()\n}\n",
        "package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestB(t *testing.T) {\n\tb(os.Args)\n}\n",
        "package a\n\nimport \"testing\"\nimport \"os\"\n\nfunc TestA(t *testing.T) {\n\ta()\n}\n\nfunc TestB(t *testing.T) {\n\tb(os.Args)\n}\n",
    );
    check(
        "ruby",
        "require 'a'\n\nRSpec.describe A do\n  it 'one' do\n    a\n  end\nend\n",
        "require 'a'\nrequire 'b'\n\nRSpec.describe A do\n  it 'two' do\n    b\n  end\nend\n",
        "require 'a'\nrequire 'b'\n\nRSpec.describe A do\n  it 'one' do\n    a\n  end\n\n  it 'two' do\n    b\n  end\nend\n",
    );
    check(
        "ruby",
        "class ATest < Minitest::Test\n  def test_a\n    a\n  end\nend\n",
        "class ATest < Minitest::Test\n  def test_b\n    b\n  end\nend\n",
        "class ATest < Minitest::Test\n  def test_a\n    a\n  end\n\n  def test_b\n    b\n  end\nend\n",
    );
    check(
        "ruby",
        "RSpec.describe A do\n  it 'one' do\n  end\nend\n",
        "RSpec.describe B do\n  it 'two' do\n  end\nend\n",
        "RSpec.describe A do\n  it 'one' do\n  end\nend\n\nRSpec.describe B do\n  it 'two' do\n  end\nend\n",
    );
    for id in ["javascript", "typescript"] {
        check(
            id,
            "import { expect, test } from 'vitest';\nimport { a } from './a';\n\ndescribe('a', () => {\n  test('one', () => {\n    a();\n  });\n});\n",
            "import { expect, it } from 'vitest';\nimport { a, b } from './a';\n\ndescribe('a', () => {\n  it('two', () => {\n    b();\n  });\n});\n\ndescribe('b', () => {});\n",
            "import { expect, test, it } from 'vitest';\nimport { a, b } from './a';\n\ndescribe('a', () => {\n  test('one', () => {\n    a();\n  });\n\n  it('two', () => {\n    b();\n  });\n});\n\ndescribe('b', () => {});\n",
        );
    }
    check(
        "php",
        "<?php\n\nuse A\\B;\n\nclass BTest extends TestCase\n{\n    public function testA(): void\n    {\n    }\n}\n",
        "<?php\n\nuse A\\B;\nuse A\\C;\n\nclass BTest extends TestCase\n{\n    public function testB(): void\n    {\n    }\n}\n",
        "<?php\n\nuse A\\B;\nuse A\\C;\n\nclass BTest extends TestCase\n{\n    public function testA(): void\n    {\n    }\n\n    public function testB(): void\n    {\n    }\n}\n",
    );
    check(
        "lua",
        "local a = require(\"a\")\n\ndescribe(\"a\", function()\n  it(\"one\", function()\n  end)\nend)\n",
        "local a = require(\"a\")\n\ndescribe(\"a\", function()\n  it(\"two\", function()\n  end)\nend)\n",
        "local a = require(\"a\")\n\ndescribe(\"a\", function()\n  it(\"one\", function()\n  end)\n\n  it(\"two\", function()\n  end)\nend)\n",
    );
}

#[test]
fn languages_without_a_grammar() {
    check(
        "csharp",
        "using Xunit;\n\npublic class ATest\n{\n    [Fact]\n    public void One() { }\n}\n",
        "using System;\nusing Xunit;\n\npublic class ATest\n{\n    [Fact]\n    public void Two() { }\n}\n",
        "using Xunit;\nusing System;\n\npublic class ATest\n{\n    [Fact]\n    public void One() { }\n\n    [Fact]\n    public void Two() { }\n}\n",
    );
    let (text, _) = added("elixir", "test \"a\" do\nend\n", "test \"b\" do\nend");
    assert_eq!(text, "test \"a\" do\nend\n\ntest \"b\" do\nend\n");
}

/// Pieces of test files, whole and broken, of several languages.
const PIECES: [&str; 24] = [
    "import a\n",
    "from a import b, c\n",
    "if TYPE_CHECKING:\n    from a import b\n",
    "def test_a():\n    pass\n",
    "class A:\n    def test_b(self):\n        \"\"\"é\n  x\"\"\"\n",
    "class A {\n  void a() {}\n}\n",
    "package a\n",
    "import (\n\t\"os\"\n)\n",
    "func TestA(t *testing.T) {\n",
    "}\n",
    "use a::{b, c};\n",
    "#[cfg(test)]\nmod tests {\n    use super::*;\n",
    "#[test]\nfn a() {}\n",
    "import { a } from 'b';\n",
    "describe('a', () => {\n",
    "it('b', () => {});\n",
    "});\n",
    "RSpec.describe A do\n",
    "end\n",
    "<?php\n",
    "// 👍🏽\n",
    "# é\n",
    "\n",
    "\"\"\"",
];

fn file() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    (prop::collection::vec(prop::sample::select(&PIECES[..]), 0..7), prop::sample::select(&["\n", "\r\n", "\r"][..]))
        .prop_map(|(pieces, end)| pieces.concat().replace('\n', end))
}

proptest::proptest! {
    #[test]
    fn existing_code_never_changes(existing in file(), code in file(), id in proptest::sample::select(
        &["python", "javascript", "typescript", "rust", "go", "java", "ruby", "php", "c", "cpp", "lua", "shellscript", "csharp"][..],
    )) {
        let language = language::by_id(id);
        let blank = existing.trim().is_empty();
        if let Ok(found) = add_tests(Some(&existing), &place(id == "rust"), language, &code) {
            let mut at = 0;
            for edit in &found.edits {
                proptest::prop_assert!(blank || edit.span.is_empty(), "{edit:?}");
                proptest::prop_assert!(existing.is_char_boundary(edit.span.start) && edit.span.start >= at);
                at = edit.span.end;
            }
            apply(&existing, &found.edits);
        }
        let imports: Vec<String> = code.lines().map(str::to_owned).collect();
        for edit in merge_imports(&existing, language, &imports) {
            proptest::prop_assert!(edit.span.is_empty() && existing.is_char_boundary(edit.span.start), "{edit:?}");
        }
    }
}

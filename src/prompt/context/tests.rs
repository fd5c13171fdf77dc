//! Small workspaces as text: `//- /path` begins a file, and the selection is between two `$0`.

mod resolving;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::workspace::syntax::Syntax;
use crate::workspace::test_files::Files;
use crate::workspace::{Diagnostic, Severity, Span, language};

/// Above every fixture, so that something is outside of the workspace.
const ROOT: &str = "/w";

/// A workspace in memory that remembers what was asked of it.
struct Fixture {
    files: BTreeMap<PathBuf, String>,
    document: PathBuf,
    selection: Span,
    asked: RefCell<Vec<PathBuf>>,
}

impl Fixture {
    fn parse(text: &str) -> Self {
        let mut files = BTreeMap::new();
        let mut document = None;
        for part in text.split("//- ").skip(1) {
            let (path, text) = part.split_once('\n').unwrap();
            // `/../x` is outside.
            let path = crate::workspace::roots::normalized(&Path::new(ROOT).join(path.trim().trim_start_matches('/')));
            let mut text = text.to_owned();
            if let Some(start) = text.find("$0") {
                text.replace_range(start..start + 2, "");
                let end = text.find("$0").expect("a selection has an end");
                text.replace_range(end..end + 2, "");
                document = Some((path.clone(), start..end));
            }
            files.insert(path, text);
        }
        let (document, selection) = document.expect("something is selected");
        Self { files, document, selection, asked: RefCell::default() }
    }

    fn text(&self) -> &str {
        &self.files[&self.document]
    }

    fn around(&self, action: &'static str) -> Around<'_> {
        Around {
            redact: true,
            action,
            root: Path::new(ROOT),
            path: &self.document,
            language: language::by_path(&self.document),
            text: self.text(),
            syntax: Box::new(|| Syntax::parse(language::by_path(&self.document), self.text())),
            selection: self.selection.clone(),
            document_is_whole: true,
            has_tests: false,
            diagnostics: &[],
            max_tokens: None,
        }
    }
}

impl Files for Fixture {
    fn exists(&self, path: &Path) -> bool {
        self.asked.borrow_mut().push(path.to_owned());
        self.files.keys().any(|file| file.starts_with(path))
    }

    fn read_to_string(&self, path: &Path) -> Option<String> {
        self.asked.borrow_mut().push(path.to_owned());
        self.files.get(path).cloned()
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        self.asked.borrow_mut().push(folder.to_owned());
        let below = self.files.keys().filter_map(|file| file.strip_prefix(folder).ok());
        let mut names: Vec<_> =
            below.filter_map(|file| Some(file.iter().next()?.to_string_lossy().into_owned())).collect();
        names.dedup();
        names
    }
}

/// Four bytes a token: the real estimate is tested elsewhere.
fn tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}

fn check_around(fixture: &Fixture, around: &Around<'_>, expected: &Expect) {
    let context = gather(around, fixture, &tokens);
    expected.assert_eq(&block(&context).unwrap_or_default());
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes values to be given away")]
fn check(action: &'static str, fixture: &str, expected: Expect) {
    let fixture = Fixture::parse(fixture);
    check_around(&fixture, &fixture.around(action), &expected);
}

const INVENTORY: &str = r#"
//- /shop/__init__.py
//- /shop/inventory.py
from .models import Item, Supplier
from .prices import parse_price, CURRENCIES
import json

$0def restock(rows, supplier: Supplier):
    """Rows that are to be ordered again."""
    items = [Item(row["name"], parse_price(row["price"])) for row in rows]
    return [item for item in items if item.low and supplier.has(item)]
$0

def nightly():
    rows = json.load(open("rows.json"))
    for item in restock(
        rows, Supplier("acme")
    ):
        print(item)


class Job:
    def run(self, rows):
        return restock(rows, self.supplier) or restock([], None)
//- /shop/prices.py
CURRENCIES = {"EUR": "€"}

def parse_price(text):
    """A price in cents.

    Empty texts are zero.
    """
    return int(float(text or 0) * 100)
//- /shop/models.py
from dataclasses import dataclass

@dataclass
class Item:
    """Something to sell."""
    name: str
    price: int
    stock: int = 0

    @property
    def low(self) -> bool:
        """Whether there is too little of it."""
        return self.stock < 3

class Supplier:
    def __init__(self, name):
        self.name = name
//- /tests/test_prices.py
import pytest

from shop.prices import parse_price


@pytest.mark.parametrize("text, cents", [("1.5", 150), ("", 0)])
def test_cents(text, cents):
    assert parse_price(text) == cents
"#;

#[test]
fn an_explanation_sees_what_is_called_whole() {
    check(
        "explain",
        INVENTORY,
        expect![[r#"
        <definition name="Supplier" path="shop/models.py" lines="15-17">
        class Supplier:
            def __init__(self, name):
                self.name = name
        </definition>

        <definition name="Item" path="shop/models.py" lines="3-13">
        @dataclass
        class Item:
            """Something to sell."""
            name: str
            price: int
            stock: int = 0

            @property
            def low(self) -> bool:
                """Whether there is too little of it."""
                return self.stock < 3
        </definition>

        <definition name="parse_price" path="shop/prices.py" lines="3-8">
        def parse_price(text):
            """A price in cents.

            Empty texts are zero.
            """
            return int(float(text or 0) * 100)
        </definition>

        <caller name="nightly" path="shop/inventory.py" lines="13-15">
            for item in restock(
                rows, Supplier("acme")
            ):
        </caller>

        <caller name="run" path="shop/inventory.py" lines="21-21">
                return restock(rows, self.supplier) or restock([], None)
        </caller>"#]],
    );
}

#[test]
fn types_need_signatures_and_callers() {
    check(
        "add-type-hints",
        INVENTORY,
        expect![[r#"
        <definition name="Supplier" path="shop/models.py" lines="15-17" shown="outline">
        class Supplier:
            def __init__(self, name):
                …
        </definition>

        <definition name="Item" path="shop/models.py" lines="3-13" shown="outline">
        @dataclass
        class Item:
            """Something to sell."""
            name: str
            price: int
            stock: int = 0

            @property
            def low(self) -> bool:
                …
        </definition>

        <definition name="parse_price" path="shop/prices.py" lines="3-8" shown="signature">
        def parse_price(text):
            """A price in cents.

            Empty texts are zero.
            """
        </definition>

        <caller name="nightly" path="shop/inventory.py" lines="13-15">
            for item in restock(
                rows, Supplier("acme")
            ):
        </caller>

        <caller name="run" path="shop/inventory.py" lines="21-21">
                return restock(rows, self.supplier) or restock([], None)
        </caller>"#]],
    );
}

#[test]
fn documentation_needs_little() {
    check(
        "document",
        INVENTORY,
        expect![[r#"
        <definition name="Supplier" path="shop/models.py" lines="15-17" shown="outline">
        class Supplier:
            def __init__(self, name):
                …
        </definition>

        <definition name="Item" path="shop/models.py" lines="3-13" shown="outline">
        @dataclass
        class Item:
            """Something to sell."""
            name: str
            price: int
            stock: int = 0

            @property
            def low(self) -> bool:
                …
        </definition>

        <definition name="parse_price" path="shop/prices.py" lines="3-8" shown="signature">
        def parse_price(text):
            """A price in cents.

            Empty texts are zero.
            """
        </definition>"#]],
    );
}

#[test]
fn a_test_from_elsewhere_shows_the_style() {
    let fixture = Fixture::parse(INVENTORY);
    let context = gather(&fixture.around("write-tests"), &fixture, &tokens);
    let example = context.pieces.iter().find(|piece| piece.kind == PieceKind::Example).unwrap();
    expect![[r#"
        <example path="tests/test_prices.py" lines="1-8">
        import pytest

        from shop.prices import parse_price


        @pytest.mark.parametrize("text, cents", [("1.5", 150), ("", 0)])
        def test_cents(text, cents):
            assert parse_price(text) == cents
        </example>"#]]
    .assert_eq(&example.wrapped());
    let around = Around { has_tests: true, ..fixture.around("write-tests") };
    let context = gather(&around, &fixture, &tokens);
    assert!(context.pieces.iter().all(|piece| piece.kind != PieceKind::Example));
}

#[test]
fn a_large_class_is_shown_without_the_bodies_of_its_methods() {
    let methods = (0..30).fold(String::new(), |methods, number| {
        methods + &format!("\n    /** The {number}th. */\n    step{number}(value: number): number {{\n        return value + {number};\n    }}\n")
    });
    let fixture = format!(
        "//- /a.ts\nimport {{ Machine }} from './machine';\n$0function run(m: Machine) {{ return m.step1(2); }}\n$0\n\
         //- /machine.ts\n/** Steps. */\nexport class Machine {{\n    private state = 0;\n{methods}}}\n"
    );
    let fixture = Fixture::parse(&fixture);
    let context = gather(&fixture.around("explain"), &fixture, &tokens);
    let [machine] = context.pieces.as_slice() else { panic!("{context:?}") };
    assert_eq!(machine.form, Form::Outline);
    assert!(
        machine.text.starts_with("/** Steps. */\nexport class Machine {\n    private state = 0;\n"),
        "{}",
        machine.text
    );
    assert!(machine.text.contains("    /** The 7th. */\n    step7(value: number): number { … }\n"), "{}", machine.text);
    assert!(!machine.text.contains("return"), "{}", machine.text);
}

#[test]
fn what_is_left_out_of_a_large_document_is_looked_up_in_it() {
    let fixture = Fixture::parse(
        "//- /a.py\ndef helper(x):\n    return x\n\nclass A:\n    def b(self):\n        return 1\n\n\
         $0    def c(self):\n        return helper(self.b())\n$0",
    );
    let around = Around { document_is_whole: false, ..fixture.around("explain") };
    check_around(
        &fixture,
        &around,
        &expect![[r#"
        <definition name="helper" path="a.py" lines="1-2">
        def helper(x):
            return x
        </definition>

        <definition name="b" path="a.py" lines="5-6">
            def b(self):
                return 1
        </definition>"#]],
    );
    check_around(&fixture, &fixture.around("explain"), &expect![[""]]);
}

#[test]
fn complaints_about_the_selection_are_named_the_worst_first() {
    let fixture = Fixture::parse("//- /a.py\nx = 1\n$0y = x + z\n$0w = q\n");
    let one = |from: &str, severity, message: &str, source: &str| {
        let start = fixture.text().find(from).unwrap();
        Diagnostic { span: start..start + from.len(), severity, message: message.into(), source: source.into() }
    };
    let diagnostics = [
        one("y", Severity::Hint, "unused", ""),
        one("z", Severity::Error, "`z` is not defined", "pyright(reportUndefinedVariable)"),
        one("z", Severity::Error, "`z` is not defined", "pyright(reportUndefinedVariable)"),
        one("q", Severity::Error, "elsewhere", ""),
        one("+", Severity::Warning, &"long ".repeat(400), "lint"),
    ];
    let around = Around { diagnostics: &diagnostics, ..fixture.around("explain") };
    let context = gather(&around, &fixture, &tokens);
    let texts: Vec<_> = context.pieces.iter().map(|piece| piece.text.chars().take(60).collect::<String>()).collect();
    assert_eq!(
        texts,
        [
            "error, pyright(reportUndefinedVariable): `z` is not defined",
            "warning, lint: long long long long long long long long long ",
            "hint: unused",
        ]
    );
    assert!(context.pieces[1].text.ends_with('…') && context.pieces[1].text.chars().count() < 700);
    assert_eq!(context.pieces[0].lines, (2, 2));
}

#[test]
fn what_is_to_be_fixed_is_there_whatever_the_budget() {
    let fixture = Fixture::parse("//- /a.py\nx = 1\n$0y = x + z\n$0w = q\n");
    let at = fixture.text().find('z').unwrap();
    let message = "long ".repeat(100);
    let diagnostics = [Diagnostic { span: at..at + 1, severity: Severity::Error, message, source: "lint".into() }];
    for (action, expected) in [("fix", 1), ("explain", 0)] {
        for max_tokens in [Some(0), Some(10)] {
            let around = Around { diagnostics: &diagnostics, max_tokens, ..fixture.around(action) };
            assert_eq!(gather(&around, &fixture, &tokens).pieces.len(), expected, "{action}");
        }
    }
    let around = Around { diagnostics: &diagnostics, ..fixture.around("fix") };
    let context = gather(&around, &fixture, &tokens);
    let piece = block(&context).unwrap();
    assert!(piece.starts_with("<diagnostic name=\"z\" path=\"a.py\" lines=\"2-2\">\nerror, lint: long"), "{piece}");
}

#[test]
fn nothing_outside_of_the_workspace_is_asked_for() {
    let mut count = 0;
    for fixture in [
        "//- /a/b.py\nfrom ...secret import key\nfrom ....x import y\n$0key(y)\n$0//- /../secret.py\ndef key(x): pass\n",
        "//- /a.ts\nimport { key } from '../secret';\n$0key();\n$0//- /../secret.ts\nexport function key() {}\n",
        "//- /a.rb\nrequire_relative '../../w/../secret'\n$0key(1)\n$0//- /../secret.rb\ndef key(x)\nend\n",
        "//- /a.c\n#include \"../secret.h\"\n$0int f(void) { return key(); }\n$0//- /../secret.h\nint key(void);\n",
        "//- /tsconfig.json\n{\"extends\": \"../t.json\", \"compilerOptions\": {\"paths\": {\"@/*\": [\"../*\"]}}}\n\
         //- /a.ts\nimport { key } from '@/secret';\n$0key();\n$0//- /../secret.ts\nexport function key() {}\n//- /../t.json\n{}\n",
        "//- /Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\nsecret = { path = \"../secret\" }\n//- /src/lib.rs\n\
         use secret::key;\n$0fn f() { key() }\n$0//- /../secret/Cargo.toml\n[package]\nname = \"secret\"\n\
         //- /../secret/src/lib.rs\npub fn key() {}\n",
    ] {
        let fixture = Fixture::parse(fixture);
        let context = gather(&fixture.around("explain"), &fixture, &tokens);
        assert_eq!(context.pieces, [], "{:?}", fixture.document);
        let asked = fixture.asked.borrow();
        let outside: Vec<_> = asked.iter().filter(|path| !path.starts_with(ROOT)).collect();
        assert!(outside.is_empty(), "{outside:?}");
        count += asked.len();
    }
    assert!(count > 0, "something was asked for");
}

#[test]
fn modules_that_import_each_other_come_to_an_end() {
    check(
        "explain",
        "//- /a.py\nfrom b import *\n$0missing(1)\n$0//- /b.py\nfrom c import *\nfrom a import *\n//- /c.py\nfrom b import *\n",
        expect![[""]],
    );
}

#[test]
fn without_a_budget_nothing_is_read() {
    let fixture = Fixture::parse(INVENTORY);
    let around = Around { max_tokens: Some(0), ..fixture.around("explain") };
    assert_eq!(gather(&around, &fixture, &tokens), Context::default());
    assert_eq!(fixture.asked.borrow().len(), 0);
}

fn budgets() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..2000, Just(100_000)]
}

proptest! {
    #[test]
    fn a_context_is_never_over_its_budget_and_always_the_same(
        budget in budgets(), action in prop::sample::select(vec!["explain", "write-tests", "add-type-hints", "document", "other"])
    ) {
        let gathered = || {
            let fixture = Fixture::parse(INVENTORY);
            let around = Around { max_tokens: Some(budget), ..fixture.around(action) };
            gather(&around, &fixture, &tokens)
        };
        let context = gathered();
        let text = block(&context).unwrap_or_default();
        prop_assert!(tokens(&text) <= budget, "{} of {budget}", tokens(&text));
        prop_assert_eq!(&context, &gathered());
    }

    #[test]
    fn any_selection_of_any_text_has_a_context(
        path in prop::sample::select(vec!["a.py", "a.ts", "a.rs", "a.go", "a.java", "a.c", "a.cpp", "a.rb", "a.php", "a.lua", "a.sh", "a.txt"]),
        text in "((from|import|use|require|#include|crate|::|\\.|\"|'|;|\\(|\\)|\\{|\\}|\\*|<\\?php|\n| |a|B|super|self|é|😀)){0,60}",
        ends in any::<(prop::sample::Index, prop::sample::Index)>(), whole in any::<bool>(),
    ) {
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let (a, b) = (*ends.0.get(&bounds), *ends.1.get(&bounds));
        let document = Path::new(ROOT).join(path);
        let fixture = Fixture {
            files: [(document.clone(), text)].into(), document, selection: a.min(b)..a.max(b), asked: RefCell::default(),
        };
        let around = Around { document_is_whole: whole, ..fixture.around("explain") };
        gather(&around, &fixture, &tokens);
        prop_assert!(fixture.asked.borrow().iter().all(|path| path.starts_with(ROOT)));
    }
}

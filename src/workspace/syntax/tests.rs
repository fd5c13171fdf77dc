#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use ropey::Rope;

use super::*;
use crate::workspace::language::{all, by_id};

/// Shows the items of a text: kind, name, lines, signature, parameters.
fn outline(id: &str, text: &str, expected: &Expect) {
    let syntax = Syntax::parse(by_id(id), text).unwrap();
    assert_eq!(syntax.errors(), Vec::<Span>::new(), "{id}");
    let items = syntax.items();
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let mut out = String::new();
    for item in &items {
        let mut depth = 0;
        let mut at = item;
        while let Some(parent) = at.parent {
            at = &items[parent];
            depth += 1;
        }
        assert_eq!(&text[item.name_span.clone()], item.name);
        let signature = text[item.signature.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        out += &"  ".repeat(depth);
        let (first, last) = (line(item.span.start), line(item.span.end));
        write!(out, "{:?} {} {first}-{last} `{signature}`", item.kind, item.name).unwrap();
        for parameter in syntax.parameters(item) {
            let typed = if parameter.has_type { ":" } else { "" };
            let default = parameter.default.map(|span| format!("={}", &text[span])).unwrap_or_default();
            write!(out, " {}{typed}{default}", parameter.name).unwrap();
        }
        if let Some(returned) = syntax.return_type(item) {
            write!(out, " -> {}", &text[returned]).unwrap();
        }
        out.push('\n');
    }
    expected.assert_eq(&out);
}

/// `$0` is the cursor, `«` and `»` are what it is in.
fn check(id: &str, marked: &str) {
    let offset = marked.replace(['«', '»'], "").find("$0").unwrap();
    let text = marked.replace("$0", "").replace(['«', '»'], "");
    let span = enclosing(by_id(id), &Rope::from_str(&text), offset);
    let mut shown = text.clone();
    shown.insert(span.end, '»');
    shown.insert(span.start, '«');
    assert_eq!(shown, marked.replace("$0", ""), "{id}, cursor at {offset}");
}

#[test]
fn python() {
    outline(
        "python",
        r#"
import os
LIMIT: int = 3
# Attached.
@cache
@app.route("/x")  # why
async def f(a, /, b=1, *args, c: int, d: str = "x", **more) -> dict[str, int]:
    """Doc."""
    inner = 1
    def g(): pass

# Not attached.

class A(Base):
    x = 1

    @property
    def p(self):
        return 1
"#,
        &expect![[r#"
            Constant LIMIT 3-3 `LIMIT: int = 3`
            Function f 4-10 `async def f(a, /, b=1, *args, c: int, d: str = "x", **more) -> dict[str, int]:` a b=1 args c: d:="x" more -> dict[str, int]
              Function g 10-10 `def g():`
            Class A 14-19 `class A(Base):`
              Constant x 15-15 `x = 1`
              Method p 17-19 `def p(self):` self
        "#]],
    );
}

#[test]
fn rust() {
    outline(
        "rust",
        "
use std::io;
/// Doc.
#[derive(Debug)]
pub struct S<T> { a: T }

// Far away.

/// More.
impl<T> Display for S<T> {
    const N: usize = 1;
    /// Doc.
    #[inline]
    pub fn f(&self, (a, b): (u8, u8), mut c: &str) -> io::Result<()> { let x = |y: u8| y; Ok(()) }
}
trait T { fn g(&self); }
enum E { A }
mod tests {
    #[test]
    fn t() {}
}
macro_rules! m { () => {} }
",
        &expect![[r#"
            Struct S 3-5 `pub struct S<T>`
            Class S<T> 9-15 `impl<T> Display for S<T>`
              Constant N 11-11 `const N: usize = 1;`
              Method f 12-14 `pub fn f(&self, (a, b): (u8, u8), mut c: &str) -> io::Result<()>` self: (a, b): c: -> io::Result<()>
            Interface T 16-16 `trait T`
              Method g 16-16 `fn g(&self);` self:
            Enum E 17-17 `enum E`
            Module tests 18-21 `mod tests`
              Function t 19-20 `fn t()`
            Other m 22-22 `macro_rules! m { () => {} }`
        "#]],
    );
}

#[test]
fn typescript() {
    let text = "
import a from 'a';
/** Doc. */
@Component({})
export class A<T> extends B {
  x = 1;
  /** Method. */
  @Input()
  async m(this: A, a: string, b?: number, c = 1, ...rest: T[]): Promise<void> {}
  handler = (e: Event) => { };
}
export default function f(x, { y }, z = 2) { return x }
// Arrow.
export const g = async (a: number): Promise<number> => a, h = 1;
export const one = x => x;
const K = 3;
interface I { m(a: string): void; n: number }
type U = string | number;
enum E { A }
namespace N { export function q() {} }
declare function d(a: string): void;
";
    outline(
        "typescript",
        text,
        &expect![[r#"
        Class A 3-11 `export class A<T> extends B`
          Method m 7-9 `async m(this: A, a: string, b?: number, c = 1, ...rest: T[]): Promise<void>` this: a: b: c=1 rest: -> Promise<void>
          Method handler 10-10 `handler = (e: Event) =>` e:
        Function f 12-12 `export default function f(x, { y }, z = 2)` x { y } z=2
        Function g 14-14 `g = async (a: number): Promise<number> =>` a: -> Promise<number>
        Constant h 14-14 `h = 1`
        Function one 15-15 `export const one = x =>` x
        Constant K 16-16 `const K = 3;`
        Interface I 17-17 `interface I`
          Method m 17-17 `m(a: string): void` a: -> void
        Other U 18-18 `type U = string | number;`
        Enum E 19-19 `enum E`
        Module N 20-20 `namespace N`
          Function q 20-20 `export function q()`
        Function d 21-21 `declare function d(a: string): void;` a: -> void
    "#]],
    );
    outline(
        "javascriptreact",
        "
/** @param {string} a */
export const View = ({ a }) => <div>{a}</div>;
module.exports = { run: function (x) { return x }, go(y) {} };
class C { static #p = 1; h = () => 1; get v() { return 1 } }
",
        &expect![[r#"
            Function View 2-3 `export const View = ({ a }) =>` { a }
            Function run 4-4 `run: function (x)` x
            Method go 4-4 `go(y)` y
            Class C 5-5 `class C`
              Method h 5-5 `h = () =>`
              Method v 5-5 `get v()`
        "#]],
    );
    outline(
        "typescriptreact",
        "export function V(p: P): JSX.Element { return <b/>; }\n",
        &expect![[r#"
        Function V 1-1 `export function V(p: P): JSX.Element` p: -> JSX.Element
    "#]],
    );
}

#[test]
fn go_and_java() {
    outline(
        "go",
        "package p

// S is.
type S struct { a int }

type (
	// I is.
	I interface { M() }
	N = int
)

const C = 1

// M does.
func (s *S) M(a, b int, c ...string) (int, error) {
	return 0, nil
}
",
        &expect![[r#"
            Struct S 3-4 `type S struct { a int }`
            Interface I 7-8 `I interface { M() }`
            Other N 9-9 `N = int`
            Constant C 12-12 `const C = 1`
            Method M 14-17 `func (s *S) M(a, b int, c ...string) (int, error)` a: b: c: -> (int, error)
        "#]],
    );
    outline(
        "java",
        "package p;
/** Doc. */
@Entity
public final class A extends B {
    /** M. */
    @Override
    public int m(final int a, String... b) throws E { return 1; }
    A(int x) {}
    interface I { void q(); }
    enum E { X }
}
record R(int a) {}
",
        &expect![[r#"
            Class A 2-11 `public final class A extends B`
              Method m 5-7 `public int m(final int a, String... b) throws E` a: b: -> int
              Method A 8-8 `A(int x)` x:
              Interface I 9-9 `interface I`
                Method q 9-9 `void q();` -> void
              Enum E 10-10 `enum E`
            Struct R 12-12 `record R(int a)`
        "#]],
    );
}

#[test]
fn c_and_cpp() {
    outline(
        "c",
        "#include <a.h>
/* Doc. */
struct S { int a; };
typedef struct { int b; } T;
enum E { A };
static char *f(const char *a, int b[], void (*cb)(int));
/* Far. */

int *
g(void)
{
    struct S s;
    return 0;
}
",
        &expect![[r#"
            Struct S 2-3 `struct S`
            Struct T 4-4 `typedef struct { int b; } T;`
            Enum E 5-5 `enum E`
            Function f 6-6 `static char *f(const char *a, int b[], void (*cb)(int));` a: b: cb: -> char
            Function g 9-14 `int * g(void)` -> int
        "#]],
    );
    outline(
        "cpp",
        "namespace n {
/// Doc.
template <typename T>
class A : public B {
public:
    A(int x = 1);
    ~A();
    virtual int &m(const T &a) const = 0;
    bool operator==(const A &o) { return true; }
    int field;
};
}
int n::A<int>::m(int a) { int x(y()); auto f = [](int x) { return x; }; return 1; }
",
        &expect![[r#"
            Module n 1-12 `namespace n`
              Class A 2-11 `template <typename T> class A : public B`
                Method A 6-6 `A(int x = 1);` x:=1
                Method ~A 7-7 `~A();`
                Method m 8-8 `virtual int &m(const T &a) const = 0;` a: -> int
                Method operator== 9-9 `bool operator==(const A &o)` o: -> bool
            Function n::A<int>::m 13-13 `int n::A<int>::m(int a)` a: -> int
        "#]],
    );
}

#[test]
fn ruby_php_lua_bash() {
    outline(
        "ruby",
        "
# Doc.
module M
  LIMIT = 3
  class A < B
    attr_reader :x
    # Method.
    def m(a, b = 1, *c, d:, e: 2, **f, &g)
      a
    end
    def self.s = 1
  end
end
def top
end
",
        &expect![[r#"
            Module M 2-13 `module M`
              Constant LIMIT 4-4 `LIMIT = 3`
              Class A 5-12 `class A < B`
                Method m 7-10 `def m(a, b = 1, *c, d:, e: 2, **f, &g)` a b=1 c d e=2 f g
                Method s 11-11 `def self.s =`
            Function top 14-15 `def top`
        "#]],
    );
    outline(
        "php",
        "<?php
namespace App;
/** Doc. */
#[Attr]
final class A {
    /** M. */
    public function m(int $a, $b = 1, ?string ...$c): ?int { return 1; }
}
function f(&$x) {}
interface I { public function q(); }
enum E { case X; }
",
        &expect![[r#"
            Class A 3-8 `final class A`
              Method m 6-7 `public function m(int $a, $b = 1, ?string ...$c): ?int` a: b=1 c: -> ?int
            Function f 9-9 `function f(&$x)` x
            Interface I 10-10 `interface I`
              Method q 10-10 `public function q();`
            Enum E 11-11 `enum E`
        "#]],
    );
    outline(
        "lua",
        "
--- Doc.
local function f(a, b, ...) return a end
function M.g(x) end
function M:h() end
M.k = function(y) end
local z = 1
return { run = function(q) end }
",
        &expect![[r#"
            Function f 2-3 `local function f(a, b, ...)` a b ...
            Function M.g 4-4 `function M.g(x)` x
            Function M:h 5-5 `function M:h()`
            Function M.k 6-6 `M.k = function(y)` y
            Constant z 7-7 `local z = 1`
            Function run 8-8 `run = function(q)` q
        "#]],
    );
    outline(
        "shellscript",
        "#!/bin/sh\n\n# Doc.\nf() {\n  echo\n}\nfunction g { :; }\n",
        &expect![[r#"
        Function f 3-6 `f()`
        Function g 7-7 `function g`
    "#]],
    );
}

#[test]
fn the_cursor_is_in_the_innermost_item() {
    check("python", "x = 1\n\n«# Doc.\n@a\n@b\ndef f():\n    if x:\n        re$0turn 1»\n\ny = 2\n");
    check("python", "class A:\n    x = 1\n\n«    def f(self):\n        pass$0»\n\n    def g(self): pass\n");
    check("python", "class A:\n«    @p$0roperty\n    def f(self):\n        pass»\n");
    check("python", "class A:\n«  $0  def f(self):\n        pass»\n");
    check("python", "«class A:\n    x = 1$0\n\n    def f(self):\n        pass»\n");
    check("rust", "mod m {\n«    /// D$0oc.\n    #[inline]\n    fn f() {}»\n\n    fn g() {}\n}\n");
    check("rust", "mod m {\n    fn f() {}\n$0\n«    fn g() {}»\n}\n");
    check("rust", "«impl A {\n    fn f() {}\n$0\n    fn g() {}\n}»\n");
    check("typescript", "import x from 'x';\n\n«/** Doc. */\nexport const f = () => {\n  $0\n};»\n");
    check("typescript", "«export d$0efault class A {\n  m() {}\n}»\n");
    check("go", "«// F does.\nfunc F() {\n\tx := func() { $0 }\n}»\n\nfunc G() {}\n");
    check("java", "class A {\n«    @Override\n    void m() {\n    }$0»\n}\n");
    check("cpp", "«template <class T>\nvoid f(T a) {$0\n}»\n");
    check("php", "<?php\n\n«#[A]\nfunction f() {\n  $0\n}»\n");
    check("ruby", "class A\n«  # Doc.\n  def m$0\n  end»\nend\n");
    check("lua", "«--- Doc.\nlocal function f()\n  $0return 1\nend»\n");
    check("shellscript", "«f() {\n  $0echo\n}»\n");
}

#[test]
fn where_there_is_no_item_it_is_the_nearest_block() {
    check("python", "import a\n\n\n«x = [\n    1,$0\n]»\n\nf(x)\n");
    check("python", "«import a\nimport b$0»\n\ndef f(): pass\n");
    check("python", "def f(): pass\n«y = f()$0»\n");
    check("python", "def f():\n    pass\n\n\n$0\n\n«def g():\n    pass»\n");
    check("python", "«if __name__ == '__main__':\n    a()\n\n    b($0)»\n");
    check(
        "javascript",
        "describe('a', () => {\n«  it('b', () => {\n    expect(1);$0\n  });»\n\n  it('c', () => {});\n});\n",
    );
    check("ruby", "describe A do\n«  it 'b' do\n    x $0\n  end»\nend\n");
    check("rust", "«»$0");
    check("python", "  \n«»$0\n");
}

#[test]
fn without_a_grammar_it_is_a_block_by_indentation() {
    let kotlin = "package p\n\nclass A {\n«    // Doc.\n    @Test\n    fun f() {\n        if (x) {\n            y()$0\n        }\n\n        z()\n    }»\n\n    fun g() {}\n}\n";
    check("kotlin", kotlin);
    check("kotlin", "«class A {\n    val x = 1$0\n\n    fun g() {}\n}»\n");
    check("csharp", "namespace N\n{\n«    void M()\n    {\n        x();$0\n\n        y();\n    }»\n\n    int z;\n}\n");
    check("elixir", "defmodule A do\n«  @doc \"x\"\n  def f(x) do\n    x$0\n  end»\nend\n");
    check("haskell", "import A\n\n«f x =\n  g x$0\n  where\n    g = 1»\n\nh = 2\n");
    check("plaintext", "One.\nTwo.\n\n«Three.\nFo$0ur.»\n\nFive.\n");
    check("plaintext", "One.\n\n$0\n«Two.»\n");
    check("markdown", "«# Title$0»\r\n\r\ntext\r\n");
    check("zig", "«fn f() void {\n}$0»\n\nfn g() void {}\n");
}

#[test]
fn errors_are_where_the_text_does_not_parse() {
    let errors = |id: &str, text: &str| Syntax::parse(by_id(id), text).unwrap().errors();
    assert!(errors("python", "def f(:\n    pass\n").iter().any(|span| span.contains(&6) || span.start == 6));
    assert_eq!(errors("rust", "fn f() { 1 + }"), vec![12..12; 1]);
    assert_eq!(errors("javascript", "f(1"), vec![0..3; 1]);
    assert_eq!(errors("go", "package p\n"), Vec::<Span>::new());
    assert!(Syntax::parse(by_id("kotlin"), "fun f() {}").is_none());
}

#[test]
fn deep_nesting_is_walked_without_recursion() {
    let depth = 4000;
    let text = format!("x = {}{}", "[".repeat(depth), "]".repeat(depth));
    if let Some(syntax) = Syntax::parse(by_id("python"), text.clone()) {
        assert_eq!(syntax.items().len(), 1);
        assert!(syntax.errors().len() < depth);
    }
    assert_eq!(enclosing(by_id("python"), &Rope::from_str(&text), depth), 0..text.len());
}

fn scrap() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "def f(a=1):\n",
            "    ",
            "\t",
            "\n",
            "\r\n",
            "\r",
            "class A {",
            "}",
            "(",
            ")",
            "fn x(&self) -> u8 {",
            "end\n",
            "/* ",
            "*/",
            "// c\n",
            "# c\n",
            "\"",
            "'",
            "`",
            "function f(",
            "if ",
            "do\n",
            "@a\n",
            "export ",
            "<?php ",
            "=>",
            "é👍🏽",
            "\u{2028}",
            "template<",
            "struct S;",
            "x = ",
            "\0",
            "#[a]\n",
            "{",
            ";",
            "::",
            "->",
            "type ",
        ])
        .prop_map(String::from),
        ".{0,5}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// For every language, on any text, at any offset.
    #[test]
    fn nothing_panics_and_every_span_is_in_the_text(text in scrap()) {
        let rope = Rope::from_str(&text);
        let plain = [by_id("kotlin"), by_id("plaintext")];
        for language in all().iter().filter(|language| language.grammar.is_some()).chain(plain) {
            for offset in (0..=text.len() + 1).step_by(7) {
                let span = enclosing(language, &rope, offset);
                prop_assert!(text.get(span).is_some());
            }
            let Some(syntax) = Syntax::parse(language, text.as_str()) else { continue };
            for item in syntax.items() {
                for span in [&item.span, &item.name_span, &item.signature] {
                    prop_assert!(text.get(span.clone()).is_some(), "{:?}", item);
                }
                prop_assert!(item.span.start <= item.name_span.start && item.name_span.end <= item.span.end, "{:?}", item);
                for parameter in syntax.parameters(&item) {
                    prop_assert!(text.get(parameter.span).is_some());
                }
                syntax.return_type(&item);
            }
            syntax.errors();
        }
    }
}

#[test]
fn characters_that_the_scanner_of_bash_cannot_take_do_not_reach_it() {
    let bash = by_id("shellscript");
    for text in ["echo {😀", "echo {1😀..3}", "é() {\n  echo {𐍈..𐍈}\n}\n", "{\u{10FFFF}"] {
        let syntax = Syntax::parse(bash, text).expect("Bash has a grammar");
        assert_eq!(syntax.text(), text, "the text itself stays");
    }
    let text = "größe() {\n  echo 😀\n}\n";
    let items = Syntax::parse(bash, text).expect("Bash has a grammar").items();
    assert_eq!(items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["größe"]);
}

#[test]
fn a_carriage_return_ends_a_line_in_any_language() {
    for (id, text) in [("python", "def f():\r    a = 1\r    return a\r"), ("javascript", "// one\ra()\rb()\r")] {
        let syntax = Syntax::parse(by_id(id), text).unwrap();
        assert!(syntax.errors().is_empty(), "{id}");
        assert_eq!(syntax.text(), text);
    }
}

#![allow(clippy::needless_raw_string_hashes, clippy::needless_pass_by_value, reason = "`expect!` is written this way")]

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;
use crate::output::answer::{edit_answer, tests_answer};
use crate::prompt::tags;
use crate::workspace::language;

/// A request as the prompt builder lays it out. `path` tells the language; the selection is the whole text.
fn request(action: &str, path: &str, text: &str, tests: Option<(&str, &str)>) -> Value {
    request_for(action, path, text, text, tests)
}

fn request_for(action: &str, path: &str, text: &str, selection: &str, tests: Option<(&str, &str)>) -> Value {
    let language = language::by_path(std::path::Path::new(path)).id;
    let at = text.find(selection).unwrap();
    let first = text[..at].matches('\n').count() + 1;
    let lines = format!("{first}-{}", first + selection.trim_end().matches('\n').count());
    let place = [("path", path), ("language", language), ("lines", lines.as_str())];
    let mut blocks = vec![tags::wrap("document", &place[..2], text)];
    if let Some((path, framework)) = tests {
        blocks.push(tags::wrap("tests", &[("path", path), ("framework", framework), ("exists", "false")], ""));
    }
    blocks.push(tags::wrap("selection", &place, selection));
    blocks.push(tags::wrap("task", &[("action", action)], "Do it. Form: edit."));
    let blocks: Vec<Value> = blocks.iter().map(|block| json!({"type": "text", "text": block})).collect();
    json!({"messages": [{"role": "user", "content": blocks}]})
}

fn answer(request: &Value) -> String {
    let reply = reply(request);
    let [super::super::reply::Part::Text(text)] = reply.parts.as_slice() else { panic!("{reply:?}") };
    assert!(text.to_lowercase().contains("simulated"), "not marked: {text}");
    text.clone()
}

fn edit(action: &str, path: &str, text: &str) -> String {
    edit_answer(&answer(&request(action, path, text, None))).unwrap().replacement
}

fn check_edit(action: &str, path: &str, text: &str, expected: Expect) {
    expected.assert_eq(&edit(action, path, text));
}

fn check_tests(path: &str, text: &str, tests: (&str, &str), expected: Expect) {
    expected.assert_eq(&tests_answer(&answer(&request("write-tests", path, text, Some(tests)))).unwrap().code);
}

const SHOP: &str = r#"LEVEL = 5


class Item:
    def __init__(self, name, price, quantity=0, tags=None):
        self.name = name

    def runs_low(self, level=LEVEL):
        return self.quantity <= level

    @property
    def label(self):
        return "x"

    @classmethod
    def free(cls, name=""):
        return cls(name, 0)


def parse(text, currency="€", *, strict=False, **more):
    """Parse it."""
    if not text:
        return None
    return round(float(text.casefold()), 2)


def items(rows):
    for row in rows:
        yield Item(row)


async def answer(): return 42


def stop(reason=()):
    raise ValueError(reason)
"#;

#[test]
fn hints_python() {
    check_edit(
        "add-type-hints",
        "shop.py",
        SHOP,
        expect![[r#"
            LEVEL = 5


            class Item:
                def __init__(self, name, price, quantity: int = 0, tags=None) -> None:
                    self.name = name

                def runs_low(self, level: int = LEVEL) -> bool:
                    return self.quantity <= level

                @property
                def label(self) -> str:
                    return "x"

                @classmethod
                def free(cls, name: str = ""):
                    return cls(name, 0)


            def parse(text: str, currency: str = "€", *, strict: bool = False, **more) -> float | None:
                """Parse it."""
                if not text:
                    return None
                return round(float(text.casefold()), 2)


            def items(rows) -> Iterator[Item]:
                for row in rows:
                    yield Item(row)


            async def answer() -> int: return 42


            def stop(reason=()):
                raise ValueError(reason)"#]],
    );
}

#[test]
fn hints_follow_variables_that_hold_one_type() {
    let text = "def f(a):\n    found = {}\n    for x in a:\n        found[x] = 1\n    return found\n\n\n\
                def g(a):\n    n = {}\n    n = []\n    return n\n\n\n\
                def h(a):\n    hits = [x for x in a]\n    return sorted(hits)[:3]\n\n\n\
                def i(a):\n    text = ''\n    text += a\n    return text\n\n\n\
                def j(a):\n    b = a * 2\n    a = b * 2\n    a = a + ''\n    return a\n";
    let hinted = edit("add-type-hints", "a.py", text);
    let heads: Vec<&str> = hinted.lines().filter(|line| line.starts_with("def ")).collect();
    assert_eq!(heads, ["def f(a) -> dict:", "def g(a):", "def h(a) -> list:", "def i(a):", "def j(a):"]);
}

#[test]
fn hints_bring_their_imports() {
    let answer = edit_answer(&answer(&request("add-type-hints", "shop.py", SHOP, None))).unwrap();
    assert_eq!(answer.imports, ["from collections.abc import Iterator"]);
}

#[test]
fn hints_typescript() {
    let text = "export class Cart {\n  add(product, quantity = 1) {\n    return this.lines > quantity;\n  }\n  async load(url = '') {\n    await get(url);\n  }\n}\n\nexport const half = (n = 2) => { return n / 2; };\n";
    check_edit(
        "add-type-hints",
        "cart.ts",
        text,
        expect![[r#"
        export class Cart {
          add(product, quantity: number = 1): boolean {
            return this.lines > quantity;
          }
          async load(url: string = ''): Promise<void> {
            await get(url);
          }
        }

        export const half = (n: number = 2): number => { return n / 2; };"#]],
    );
}

#[test]
fn hints_in_comments() {
    let text = "export class Cart {\n  remove(id, quantity = 1) {\n    if (!id) return false;\n    return true;\n  }\n}\n\n/** Known. */\nexport function known(a = 1) {}\n";
    check_edit(
        "add-type-hints",
        "cart.js",
        text,
        expect![[r#"
        export class Cart {
          /**
           * @param {number} [quantity=1]
           * @returns {boolean}
           */
          remove(id, quantity = 1) {
            if (!id) return false;
            return true;
          }
        }

        /** Known. */
        export function known(a = 1) {}"#]],
    );
    check_edit(
        "add-type-hints",
        "a.rb",
        "def add(a, b = 1, *rest)\n  a + b\nend\n",
        expect![[r#"
        # @param b [Integer]
        def add(a, b = 1, *rest)
          a + b
        end"#]],
    );
    check_edit(
        "add-type-hints",
        "a.php",
        "<?php\nfunction add($a, $b = 1.5) {\n    return true;\n}\n",
        expect![[r#"
            <?php
            /**
             * @param float $b
             * @return bool
             */
            function add($a, $b = 1.5) {
                return true;
            }"#]],
    );
    check_edit(
        "add-type-hints",
        "a.lua",
        "local function join(list)\n  return table.concat(list)\nend\n",
        expect![[r#"
            ---@return string
            local function join(list)
              return table.concat(list)
            end"#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case a language")]
fn documents_each_language() {
    let cases = [
        (
            "shop.py",
            SHOP,
            expect![[r#"
                LEVEL = 5


                class Item:
                    """Item."""

                    def __init__(self, name, price, quantity=0, tags=None):
                        """Create a new Item.

                        Args:
                            quantity: Defaults to ``0``.
                            tags: Defaults to ``None``.
                        """
                        self.name = name

                    def runs_low(self, level=LEVEL):
                        """Runs low.

                        Args:
                            level: Defaults to ``LEVEL``.
                        """
                        return self.quantity <= level

                    @property
                    def label(self):
                        """Label."""
                        return "x"

                    @classmethod
                    def free(cls, name=""):
                        """Free."""
                        return cls(name, 0)


                def parse(text, currency="€", *, strict=False, **more):
                    """Parse it."""
                    if not text:
                        return None
                    return round(float(text.casefold()), 2)


                def items(rows):
                    """Items."""
                    for row in rows:
                        yield Item(row)


                async def answer(): return 42


                def stop(reason=()):
                    """Stop.

                    Args:
                        reason: Defaults to ``()``.

                    Raises:
                        ValueError: If it cannot be done.
                    """
                    raise ValueError(reason)"#]],
        ),
        (
            "a.js",
            "export class Cart {\n  addLine(id, count = 1) {\n    if (!id) throw new RangeError(id);\n  }\n}\n",
            expect![[r#"
                /** Cart. */
                export class Cart {
                  /**
                   * Add line.
                   *
                   * @param count - Defaults to `1`.
                   * @throws RangeError
                   */
                  addLine(id, count = 1) {
                    if (!id) throw new RangeError(id);
                  }
                }"#]],
        ),
        (
            "a.rs",
            "#[derive(Debug)]\npub struct Cart;\n\nimpl Cart {\n    pub fn total(&self) -> u32 {\n        0\n    }\n}\n",
            expect![[r#"
                /// Cart.
                #[derive(Debug)]
                pub struct Cart;

                impl Cart {
                    /// Total.
                    pub fn total(&self) -> u32 {
                        0
                    }
                }"#]],
        ),
        (
            "a.go",
            "package a\n\nfunc Total(lines []int) int {\n\treturn 0\n}\n",
            expect![[r#"
                package a

                // Total does what its name says.
                func Total(lines []int) int {
                	return 0
                }"#]],
        ),
        (
            "A.java",
            "class A {\n    int total(int a) {\n        throw new IllegalStateException();\n    }\n}\n",
            expect![[r#"
                /** A. */
                class A {
                    /**
                     * Total.
                     *
                     * @throws IllegalStateException if it cannot be done.
                     */
                    int total(int a) {
                        throw new IllegalStateException();
                    }
                }"#]],
        ),
        (
            "a.c",
            "int total(int a)\n{\n\treturn a;\n}\n",
            expect![[r#"
            /** Total. */
            int total(int a)
            {
            	return a;
            }"#]],
        ),
        (
            "a.rb",
            "class Cart\n  def total(a = 1)\n    raise ArgumentError\n  end\nend\n",
            expect![[r#"
            # Cart.
            class Cart
              # Total.
              #
              # @param a Defaults to 1.
              def total(a = 1)
                raise ArgumentError
              end
            end"#]],
        ),
        (
            "a.php",
            "<?php\nfunction total($a = 1) {\n    return 1;\n}\n",
            expect![[r#"
            <?php
            /** Total. */
            function total($a = 1) {
                return 1;
            }"#]],
        ),
        (
            "a.lua",
            "local function total(a)\n  return 1\nend\n",
            expect![[r#"
            --- Total.
            local function total(a)
              return 1
            end"#]],
        ),
        (
            "a.sh",
            "total() {\n  echo 1\n}\n",
            expect![[r#"
            # Total.
            total() {
              echo 1
            }"#]],
        ),
    ];
    for (path, text, expected) in cases {
        check_edit("document", path, text, expected);
    }
}

#[test]
fn tests_python() {
    check_tests(
        "shop.py",
        SHOP,
        ("test_shop.py", "pytest"),
        expect![[r#"
            import inspect

            from shop import Item, parse, items, answer, stop


            def test_item_init_takes_its_parameters():
                assert list(inspect.signature(Item.__init__).parameters) == ["self", "name", "price", "quantity", "tags"]
                assert inspect.signature(Item.__init__).parameters["quantity"].default == 0


            def test_item_runs_low_takes_its_parameters():
                assert list(inspect.signature(Item.runs_low).parameters) == ["self", "level"]


            def test_item_label_takes_its_parameters():
                assert hasattr(Item, "label")


            def test_item_free_takes_its_parameters():
                assert list(inspect.signature(Item.free).parameters) == ["name"]
                assert inspect.signature(Item.free).parameters["name"].default == ""


            def test_parse_takes_its_parameters():
                assert list(inspect.signature(parse).parameters) == ["text", "currency", "strict", "more"]
                assert inspect.signature(parse).parameters["currency"].default == "€"
                assert inspect.signature(parse).parameters["strict"].default is False


            def test_items_takes_its_parameters():
                assert list(inspect.signature(items).parameters) == ["rows"]


            def test_answer_takes_its_parameters():
                assert list(inspect.signature(answer).parameters) == []


            def test_stop_takes_its_parameters():
                assert list(inspect.signature(stop).parameters) == ["reason"]"#]],
    );
    check_tests(
        "src/shop.py",
        "def one():\n    return 1\n",
        ("tests/test_shop.py", "unittest"),
        expect![[r#"
        import inspect
        import unittest

        from shop import one


        class ShopTests(unittest.TestCase):
            def test_one_takes_its_parameters(self):
                self.assertEqual(list(inspect.signature(one).parameters), [])
                self.assertEqual(one(), 1)"#]],
    );
}

#[test]
fn tests_javascript() {
    let text = "export class Cart {\n  constructor() {}\n  add(id, count = 1) {}\n  static of(...all) {}\n  #hidden() {}\n}\nexport function one() { return 1; }\nfunction inner() {}\n";
    check_tests(
        "src/cart.js",
        text,
        ("src/cart.test.js", "vitest"),
        expect![[r#"
            import { describe, expect, it } from "vitest";

            import { Cart, one } from "./cart.js";

            describe("Cart.prototype.add", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof Cart.prototype.add).toBe("function");
                expect(Cart.prototype.add.length).toBe(1);
              });
            });

            describe("Cart.of", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof Cart.of).toBe("function");
                expect(Cart.of.length).toBe(0);
              });
            });

            describe("one", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof one).toBe("function");
                expect(one.length).toBe(0);
                expect(one()).toBe(1);
              });
            });"#]],
    );
    check_tests(
        "src/cart.ts",
        text,
        ("test/cart.test.ts", "jest"),
        expect![[r#"
            import { Cart, one } from "../src/cart";

            describe("Cart.prototype.add", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof Cart.prototype.add).toBe("function");
                expect(Cart.prototype.add.length).toBe(1);
              });
            });

            describe("Cart.of", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof Cart.of).toBe("function");
                expect(Cart.of.length).toBe(0);
              });
            });

            describe("one", () => {
              it("is a function that asks for its parameters", () => {
                expect(typeof one).toBe("function");
                expect(one.length).toBe(0);
                expect(one()).toBe(1);
              });
            });"#]],
    );
    let text = "function one() { return 'a'; }\nmodule.exports = { one };\n";
    check_tests(
        "one.js",
        text,
        ("one.test.js", "node:test"),
        expect![[r#"
            const assert = require("node:assert/strict");
            const { describe, it } = require("node:test");

            const { one } = require("./one.js");

            describe("one", () => {
              it("is a function that asks for its parameters", () => {
                assert.strictEqual(typeof one, "function");
                assert.strictEqual(one.length, 0);
                assert.strictEqual(one(), 'a');
              });
            });"#]],
    );
}

#[test]
fn tests_compiled_languages() {
    let rust = "pub fn price(text: &str, rate: f64) -> Option<f64> {\n    None\n}\npub fn any<T>(t: T) {}\npub struct Cart;\nimpl Cart {\n    pub fn new() -> Self {\n        Cart\n    }\n    fn add(&mut self, n: u32) -> &Self {\n        self\n    }\n}\n";
    check_tests(
        "src/lib.rs",
        rust,
        ("src/lib.rs", "cargo test"),
        expect![[r#"
            use super::*;

            #[test]
            fn price_has_its_signature() {
                let function: fn(&str, f64) -> Option<f64> = price;
                assert_eq!(std::mem::size_of_val(&function), std::mem::size_of::<usize>());
            }

            #[test]
            fn cart_new_has_its_signature() {
                let function: fn() -> Cart = Cart::new;
                assert_eq!(std::mem::size_of_val(&function), std::mem::size_of::<usize>());
            }

            #[test]
            fn cart_add_has_its_signature() {
                let function: fn(&mut Cart, u32) -> &Cart = Cart::add;
                assert_eq!(std::mem::size_of_val(&function), std::mem::size_of::<usize>());
            }"#]],
    );
    let go =
        "package shop\n\nfunc Price(a, b int, c ...string) int {\n\treturn 1\n}\n\nfunc (c *Cart) Add(n int) {\n}\n";
    check_tests(
        "shop.go",
        go,
        ("shop_test.go", "testing"),
        expect![[r#"
        package shop

        import (
        	"reflect"
        	"testing"
        )

        func TestPriceTakesItsParameters(t *testing.T) {
        	function := reflect.TypeOf(Price)
        	if function.NumIn() != 3 {
        		t.Errorf("Price takes %d parameters, not 3", function.NumIn())
        	}
        }

        func TestAddTakesItsParameters(t *testing.T) {
        	function := reflect.TypeOf((*Cart).Add)
        	if function.NumIn() != 2 {
        		t.Errorf("(*Cart).Add takes %d parameters, not 2", function.NumIn())
        	}
        }"#]],
    );
    let java = "package shop;\n\nclass Cart {\n    Cart() {}\n    int total(int a, int b) { return 1; }\n}\n";
    check_tests(
        "Cart.java",
        java,
        ("CartTest.java", "JUnit 5"),
        expect![[r#"
        package shop;

        import static org.junit.jupiter.api.Assertions.assertTrue;

        import java.util.Arrays;
        import org.junit.jupiter.api.Test;

        class CartTest {
            @Test
            void totalTakesItsParameters() {
                assertTrue(Arrays.stream(Cart.class.getDeclaredMethods())
                    .anyMatch(method -> method.getName().equals("total") && method.getParameterCount() == 2));
            }
        }"#]],
    );
}

#[test]
fn tests_scripts() {
    let ruby = "class Cart\n  def add(id, count: 1, **more)\n  end\n  def self.of(all)\n  end\nend\n";
    check_tests(
        "lib/cart.rb",
        ruby,
        ("spec/cart_spec.rb", "RSpec"),
        expect![[r#"
        require_relative "../lib/cart"

        RSpec.describe "Cart" do
          it "takes the parameters of add" do
            expect(Cart.instance_method(:add).parameters.map(&:last)).to eq([:id, :count, :more])
          end

          it "takes the parameters of of" do
            expect(Cart.method(:of).parameters.map(&:last)).to eq([:all])
          end
        end"#]],
    );
    check_tests(
        "lib/cart.rb",
        "def one(a = 1)\nend\n",
        ("test/cart_test.rb", "minitest"),
        expect![[r#"
        require "minitest/autorun"
        require_relative "../lib/cart"

        class CartTest < Minitest::Test
          def test_one_takes_its_parameters
            assert_equal [:a], method(:one).parameters.map(&:last)
          end
        end"#]],
    );
    let php = "<?php\nnamespace Shop;\nclass Cart {\n    function add($a, $b = 1) {}\n}\n";
    check_tests(
        "src/Cart.php",
        php,
        ("tests/CartTest.php", "PHPUnit"),
        expect![[r#"
        <?php

        use PHPUnit\Framework\TestCase;

        require_once __DIR__ . '/../src/Cart.php';

        final class CartTest extends TestCase
        {
            public function testAddTakesItsParameters(): void
            {
                $this->assertSame(2, (new \ReflectionMethod('Shop\Cart', 'add'))->getNumberOfParameters());
            }
        }"#]],
    );
    let lua = "local M = {}\nfunction M.add(a) end\nlocal function hidden() end\nreturn M\n";
    check_tests(
        "cart.lua",
        lua,
        ("spec/cart_spec.lua", "busted"),
        expect![[r#"
        local M = require("cart")

        describe("cart", function()
          it("has a function to add", function()
            assert.is_function(M.add)
          end)
        end)"#]],
    );
    check_tests(
        "a.sh",
        "total() {\n  echo 1\n}\n",
        ("a.bats", "bats"),
        expect![[r#"
        @test "total is defined" {
          run grep -E "^[[:space:]]*(function[[:space:]]+)?total[[:space:]]*(\(\))?" "$BATS_TEST_DIRNAME/a.sh"
          [ "$status" -eq 0 ]
        }"#]],
    );
    check_tests(
        "a.c",
        "int total(int a)\n{\n\treturn a;\n}\n",
        ("test_a.c", ""),
        expect![[r#"
        // Tests of a.c go here.
        // - total"#]],
    );
}

#[test]
fn explains_as_an_outline() {
    let request = request_for("explain", "shop.py", SHOP, &SHOP[SHOP.find("def parse").unwrap()..], None);
    expect![[r#"
        These 17 lines of `shop.py` (Python) define 4 functions.

        ### `parse`

        A function; by its name: Parse.

        - Takes `text`, `currency` (`"€"` unless given), `strict` (`False` unless given), `more`.
        - Returns `None`, `round(float(text.casefold()), 2)`.
        - Has one branch.
        - Calls `round`, `float`, `text.casefold`.

        ### `items`

        A function; by its name: Items.

        - Takes `rows`.
        - Yields `Item(row)`, one after the other.
        - Has one loop.
        - Calls `Item`.

        ### `answer`

        A function; by its name: Answer.

        - Takes no parameters.
        - Returns `42`.

        ### `stop`

        A function; by its name: Stop.

        - Takes `reason` (`()` unless given).
        - Fails with `ValueError`.
        - Calls `ValueError`.

        *Simulated answer: no model has read this code. It is an outline made from the code's syntax.*"#]]
    .assert_eq(&answer(&request));
    let part = request_for("explain", "shop.py", SHOP, "        return None", None);
    expect![[r#"
        This line of `shop.py` (Python) is part of `parse`.

        ### `parse`

        A function; by its name: Parse.

        - Takes `text`, `currency` (`"€"` unless given), `strict` (`False` unless given), `more`.
        - Returns `None`, `round(float(text.casefold()), 2)`.
        - Has one branch.
        - Calls `round`, `float`, `text.casefold`.

        *Simulated answer: no model has read this code. It is an outline made from the code's syntax.*"#]]
    .assert_eq(&answer(&part));
    let prose = request_for("explain", "a.txt", "Hello\nthere\n", "Hello\nthere\n", None);
    expect![[r#"
        These 2 lines of `a.txt` (Plain text) are part of something larger, or not code with names of its own.

        It begins with `Hello` and ends with `there`.

        *Simulated answer: no model has read this code. It is an outline made from the code's syntax.*"#]]
    .assert_eq(&answer(&prose));
}

#[test]
fn a_selection_keeps_every_byte_but_the_hints() {
    let text = SHOP.replace('\n', "\r\n");
    let selection = &text[text.find("    def runs_low").unwrap()..text.find("    @property").unwrap()];
    let answered = answer(&request_for("add-type-hints", "shop.py", &text, selection, None));
    assert!(answered.contains("    def runs_low(self, level: int = LEVEL) -> bool:\r\n"), "{answered}");
    let unknown = answer(&request("add-type-hints", "a.ex", "def f(x), do: x\n", None));
    assert_eq!(edit_answer(&unknown).unwrap().replacement, "def f(x), do: x");
    let fences = answer(&request("document", "a.md", "```js\n1\n```\n", None));
    assert_eq!(edit_answer(&fences).unwrap().replacement, "```js\n1\n```");
}

#[test]
fn a_selection_without_its_document_is_enough() {
    let mut request = request_for(
        "add-type-hints",
        "shop.py",
        SHOP,
        "    def runs_low(self, level=LEVEL):\n        return self.quantity <= level\n",
        None,
    );
    request["messages"][0]["content"].as_array_mut().unwrap().remove(0);
    assert!(answer(&request).contains("level=LEVEL) -> bool"), "{}", answer(&request));
}

#[test]
fn other_requests_have_honest_answers() {
    let free = json!({"messages": [{"role": "user", "content": "What is a monad?"}]});
    assert!(answer(&free).contains("no model has read the request"));
    let unknown = request("translate", "shop.py", SHOP, None);
    assert_eq!(edit_answer(&answer(&unknown)).unwrap().replacement, SHOP.trim_end());
    assert_eq!(action(&unknown).as_deref(), Some("translate"));
    assert_eq!(action(&free), None);
}

const SAMPLES: [(&str, &str); 9] = [
    ("shop.py", SHOP),
    (
        "a.js",
        "export class Größe {\n  remove(id, n = 1) {\n    return !id;\n  }\n}\nexport const f = async (a = 'é') => {\n  return a;\n};\n",
    ),
    ("a.ts", "export function f(a = 1, b?: string) {\n  if (b) return null;\n  return `${a}`;\n}\n"),
    ("a.rs", "/// Ü.\npub struct A;\n\nimpl A {\n    pub fn f(&self, x: &str) -> usize {\n        x.len()\n    }\n}\n"),
    ("a.go", "package a\n\n// B is 🦀.\nfunc B(x int) int {\n\treturn x\n}\n\nfunc C() {}\n"),
    ("A.java", "class A {\n    int f(int a) {\n        return a;\n    }\n}\n"),
    ("a.rb", "class A\n  def f(a, b = 'x')\n    raise E unless a\n  end\nend\n"),
    ("a.php", "<?php\nclass A {\n    function f($a, $b = 1) {\n        return $a ? 'x' : 'y';\n    }\n}\n"),
    ("a.lua", "local M = {}\nfunction M.f(a)\n  return 1\nend\nreturn M\n"),
];

fn is_subsequence<'a>(few: impl Iterator<Item = &'a str>, many: &str) -> bool {
    // White space at the end of an answer is not kept.
    let mut many = many.lines().map(str::trim_end);
    few.map(str::trim_end).filter(|line| !line.is_empty()).all(|line| many.any(|other| other == line))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever is selected, the answer has its form, and documentation only ever adds lines.
    #[test]
    fn any_selection_gets_an_answer_of_its_form(sample in 0..SAMPLES.len(), from in 0..500usize, to in 0..500usize, crlf: bool) {
        let (path, text) = SAMPLES[sample];
        let text = if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        let at = |wish: usize| (0..=wish.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (start, end) = (at(from.min(to)), at(from.max(to)));
        let selection = &text[start..end];
        proptest::prop_assume!(!selection.trim().is_empty());
        for with_document in [true, false] {
            let ask = |action: &str| {
                let mut request = request_for(action, path, &text, selection, Some(("test_it", "pytest")));
                if !with_document {
                    request["messages"][0]["content"].as_array_mut().unwrap().remove(0);
                }
                answer(&request)
            };
            ask("explain");
            tests_answer(&ask("write-tests")).unwrap();
            let before: Vec<&str> = selection.lines().collect();
            let documented = edit_answer(&ask("document")).unwrap().replacement;
            proptest::prop_assert!(is_subsequence(before.iter().copied().skip(1), &documented), "{documented}");
            let hinted = edit_answer(&ask("add-type-hints")).unwrap().replacement;
            if !matches!(path, "shop.py" | "a.ts") {
                proptest::prop_assert!(is_subsequence(before.iter().copied().skip(1), &hinted), "{hinted}");
            }
        }
    }
}

/// A request to fix what is reported at the line of each word.
fn fix(path: &str, text: &str, selection: &str, reports: &[(&str, &str)]) -> String {
    let mut request = request_for("fix", path, text, selection, None);
    let reports: Vec<String> = reports
        .iter()
        .map(|(word, message)| {
            let line = 1 + text[..text.find(word).unwrap()].matches('\n').count();
            tags::wrap(
                "diagnostic",
                &[("path", path), ("lines", &format!("{line}-{line}"))],
                &format!("error, tool(X): {message}"),
            )
        })
        .collect();
    let content = request["messages"][0]["content"].as_array_mut().unwrap();
    content.insert(1, json!({"type": "text", "text": reports.join("\n\n")}));
    answer(&request)
}

#[test]
fn fixes_what_the_report_tells_how_to() {
    for (path, text, reports, expected, imports) in [
        (
            "a.py",
            "def f(path):\n    return pth.read()\n",
            &[("pth", "Undefined name `pth`")][..],
            "def f(path):\n    return path.read()",
            &[][..],
        ),
        (
            "a.py",
            "def f(x):\n    return opne(x)\n",
            &[("opne", "\"opne\" is not defined")],
            "def f(x):\n    return open(x)",
            &[],
        ),
        (
            "a.py",
            "def f(x):\n    return json.dumps(x)\n",
            &[("json", "\"json\" is not defined")],
            "def f(x):\n    return json.dumps(x)",
            &["import json"],
        ),
        (
            "a.py",
            "import os, sys\n\nsys.exit()\n",
            &[("os", "`os` imported but unused")],
            "import sys\n\nsys.exit()",
            &[],
        ),
        (
            "a.py",
            "import os\nimport sys\n\nsys.exit()\n",
            &[("os", "`os` imported but unused")],
            "import sys\n\nsys.exit()",
            &[],
        ),
        (
            "a.py",
            "from a import b, c as d, e\n\nb(e)\n",
            &[("from", "'a.d' imported but unused")],
            "from a import b, e\n\nb(e)",
            &[],
        ),
        (
            "a.ts",
            "import { a, b } from './x';\n\na();\n",
            &[("import", "'b' is declared but its value is never read.")],
            "import { a } from './x';\n\na();",
            &[],
        ),
        (
            "a.py",
            "def f(x):\n    if x == None:\n        pass\n    elif x != None:\n        pass\n",
            &[
                ("x ==", "Comparison to `None` should be `cond is None`"),
                ("x !=", "Comparison to `None` should be `cond is not None`"),
            ],
            "def f(x):\n    if x is None:\n        pass\n    elif x is not None:\n        pass",
            &[],
        ),
        (
            "a.py",
            "try:\n    f()\nexcept:\n    pass\n",
            &[("except", "Do not use bare `except`")],
            "try:\n    f()\nexcept Exception:\n    pass",
            &[],
        ),
    ] {
        let found = edit_answer(&fix(path, text, text, reports)).unwrap();
        assert_eq!(
            (found.replacement.as_str(), found.imports.as_slice()),
            (expected, &imports.iter().map(|import| (*import).to_owned()).collect::<Vec<_>>()[..]),
            "{text}"
        );
    }
}

#[test]
fn a_report_that_it_cannot_fix_is_named_and_nothing_changes() {
    let text = "def f(x):\n    return x + 'a'\n";
    let said = fix("a.py", text, text, &[("return", "Operator + not supported for types")]);
    let found = edit_answer(&said).unwrap();
    assert_eq!(found.replacement, text.trim_end());
    assert!(found.note.unwrap().contains("cannot repair \"Operator + not supported for types\""), "{said}");
}

/// A question about a text, with the tools that there are.
fn question(action: &str, question: &str, tools: &[&str]) -> Value {
    let mut request = request("ask", "src/a.py", "def load(path):\n    return path\n", None);
    let task = format!("Answer it.\n\n{}", tags::wrap("question", &[], question));
    request["messages"][0]["content"][2]["text"] = json!(tags::wrap("task", &[("action", action)], &task));
    request["tools"] = tools.iter().map(|name| json!({"name": name})).collect();
    request
}

#[test]
fn a_question_that_names_something_leads_to_tools() {
    let calls = |asked: &str, tools: &[&str]| {
        let reply = reply(&question("ask", asked, tools));
        let calls = reply.parts.iter().filter_map(|part| match part {
            super::super::reply::Part::ToolUse { name, input, .. } => Some(format!("{name} {}", json!(input))),
            _ => None,
        });
        calls.collect::<Vec<_>>().join("; ")
    };
    let all = ["read_file", "search", "find_definition"];
    let both =
        |name: &str, word: &str| format!(r#"find_definition {{"name":"{name}"}}; search {{"pattern":"\\b{word}\\b"}}"#);
    assert_eq!(calls("Who calls load_items?", &all), both("load_items", "load_items"));
    assert_eq!(calls("What is Store.load() for?", &all), both("Store.load", "load"));
    assert_eq!(calls("What does `load` do?", &all), both("load", "load"));
    assert_eq!(calls("Does it fit src/store.py?", &all), r#"read_file {"path":"src/store.py"}"#);
    assert_eq!(calls("Who calls load_items?", &["search"]), r#"search {"pattern":"\\bload_items\\b"}"#);
    assert_eq!(calls("Who calls load_items?", &[]), "");
    assert_eq!(calls("Why is that so, e.g. here?", &all), "");
}

#[test]
fn results_become_the_answer() {
    let mut request = question("follow-up", "Who calls load_items?", &["search"]);
    let result = |text: &str, is_error: bool| json!({"type": "tool_result", "content": text, "is_error": is_error});
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": []}));
    messages
        .push(json!({"role": "user", "content": [result("a.py:1: ```load_items()```", false), result("No.", true)]}));
    expect![[r#"
        This answer is **simulated**: no model has read the question.

        What the tools gave:

        ````text
        a.py:1: ```load_items()```
        ````

        - a tool failed: No."#]]
    .assert_eq(&answer(&request));
}

#[test]
fn a_wish_becomes_a_comment_in_an_edit() {
    let text = answer(&question("ask", "Add a cache", &[]));
    assert!(crate::output::answer::is_edit(&text), "{text}");
    expect!["# Simulated: Add a cache\ndef load(path):\n    return path"]
        .assert_eq(&edit_answer(&text).unwrap().replacement);
    let text = answer(&question("ask", "What is it?", &[]));
    assert!(!crate::output::answer::is_edit(&text) && text.contains("load"), "{text}");
    assert!(!crate::output::answer::is_edit(&answer(&question("follow-up", "Add a cache", &[]))));
}

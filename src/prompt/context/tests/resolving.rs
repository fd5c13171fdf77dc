//! What leads where, language by language.

use super::*;

/// The definitions that are found, as `name path:lines`.
fn leads(fixture: &str) -> Vec<String> {
    let fixture = Fixture::parse(fixture);
    let context = gather(&fixture.around("explain"), &fixture, &tokens);
    let definitions = context.pieces.iter().filter(|piece| piece.kind == PieceKind::Definition);
    definitions.map(|piece| format!("{} {}:{}", piece.name, piece.path, piece.lines.0)).collect()
}

fn check(table: &[(&str, &str, &[&str])]) {
    let mut wrong = Vec::new();
    for (what, fixture, expected) in table {
        let found = leads(fixture);
        if found != *expected {
            wrong.push(format!("{what}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn python() {
    check(&[
        (
            "a package from its top",
            "//- /app/__init__.py\n//- /app/main.py\nfrom app.store import load\n$0load(1)\n$0//- /app/store.py\ndef load(x): pass\n",
            &["load app/store.py:1"],
        ),
        (
            "the src layout, from a test",
            "//- /tests/test_a.py\nfrom app.store import load as l\n$0l(1)\n$0//- /src/app/store.py\n\ndef load(x): pass\n",
            &["load src/app/store.py:2"],
        ),
        (
            "relative, with a parent",
            "//- /app/a/b.py\nfrom ..c import f\nfrom . import d\n$0f(d.g(1))\n$0//- /app/c.py\ndef f(x): pass\n//- /app/a/d.py\ndef g(x): pass\n",
            &["f app/c.py:1", "g app/a/d.py:1"],
        ),
        (
            "a module by its whole name, and under another",
            "//- /m.py\nimport a.b\nimport c as k\n$0a.b.f(k.g())\n$0//- /a/b.py\ndef f(x): pass\n//- /c.py\ndef g(): pass\n",
            &["f a/b.py:1", "g c.py:1"],
        ),
        (
            "what a package passes on",
            "//- /m.py\nfrom pkg import load, Store\n$0Store(load())\n$0//- /pkg/__init__.py\nfrom .core import *\nfrom .store import Inner as Store\n\
             //- /pkg/core.py\ndef load(): pass\n//- /pkg/store.py\nclass Inner: pass\n",
            &["Inner pkg/store.py:1", "load pkg/core.py:1"],
        ),
        (
            "a method of a class, and the class around it",
            "//- /m.py\nfrom s import Store\n$0Store.open(1)\n$0//- /s.py\nclass Store:\n    x = 1\n    def open(self): pass\n",
            &["open s.py:3", "Store s.py:1"],
        ),
        (
            "imports in functions and for type checkers, constants, other people's packages",
            "//- /m.py\nimport numpy as np\nif TYPE_CHECKING:\n    from t import T\n$0def f(a: 'T', b: T):\n    from c import LIMIT\n    return np.array(LIMIT)\n$0\
             //- /t.py\nclass T: pass\n//- /c.py\nLIMIT = 3\n",
            &["T t.py:1", "LIMIT c.py:1"],
        ),
        ("names of its own", "//- /m.py\ndef g(): pass\n$0g(1)\n$0//- /g.py\ndef g(): pass\n", &[]),
    ]);
}

#[test]
fn javascript_and_typescript() {
    check(&[
        (
            "named, default, namespace",
            "//- /src/a.ts\nimport d, { b as c } from './b';\nimport * as n from './n';\n$0c(d(n.e()));\n$0//- /src/b.ts\nexport function b() {}\nexport default function main() {}\n\
             //- /src/n/index.ts\nexport const e = () => 1;\n",
            &["b src/b.ts:1", "main src/b.ts:2", "e src/n/index.ts:1"],
        ),
        (
            "a default by name, an ending that is not there yet",
            "//- /a.ts\nimport X from './x.js';\nimport { Y } from './y';\n$0new X(Y);\n$0//- /x.ts\nclass X {}\nexport default X;\n//- /y.tsx\nexport class Y {}\n",
            &["X x.ts:1", "Y y.tsx:1"],
        ),
        (
            "what is passed on",
            "//- /a.ts\nimport { f, g } from './lib';\n$0f(g());\n$0//- /lib/index.ts\nexport { h as f } from './h';\nexport * from './g';\n//- /lib/h.ts\nexport function h() {}\n\
             //- /lib/g.ts\nexport function g() {}\n",
            &["h lib/h.ts:1", "g lib/g.ts:1"],
        ),
        (
            "paths of a tsconfig that extends another",
            "//- /app/a.tsx\nimport { B } from '@/ui/b';\nimport { z } from 'base/z';\n$0const x = <B z={z()}/>;\n$0//- /tsconfig.base.json\n{ /* all */ \"compilerOptions\": { \"baseUrl\": \".\", \"paths\": {\"@/*\": [\"app/*\",],}, } }\n\
             //- /app/tsconfig.json\n{\"extends\": \"../tsconfig.base\"}\n//- /app/ui/b.tsx\nexport function B() {}\n//- /base/z.ts\nexport function z() {}\n",
            &["B app/ui/b.tsx:1", "z base/z.ts:1"],
        ),
        (
            "require",
            "//- /a.js\nconst { load, save: s } = require('./s');\nconst util = require('./util');\nconst one = require('./s').one;\n$0load(s(util.pad(one())));\n$0//- /s.js\nfunction load() {}\nfunction save() {}\n\
             exports.one = 1;\nfunction one() {}\nmodule.exports = { load, save, one };\n//- /util.js\nmodule.exports.pad = 1;\nfunction pad() {}\n",
            &["load s.js:1", "save s.js:2", "pad util.js:2", "one s.js:4"],
        ),
        (
            "types",
            "//- /a.ts\nimport type { T } from './t';\n$0function f(x: T): T['a'] { return x.a; }\n$0//- /t.ts\n/** A t. */\nexport interface T { a: number }\n",
            &["T t.ts:1"],
        ),
    ]);
}

#[test]
fn rust() {
    check(&[
        (
            "crate, super, self, and paths that are written out",
            "//- /Cargo.toml\n[package]\nname = \"shop-api\"\n//- /src/lib.rs\nmod a; mod store;\npub fn top() {}\n//- /src/a/mod.rs\nmod b;\npub fn up() {}\n\
             //- /src/a/b.rs\nuse crate::store::{self, Store, inner::deep};\nuse super::up;\n$0fn f(s: Store) { store::load(up()); deep(); crate::top(); super::super::top(); }\n$0\
             //- /src/store.rs\npub mod inner;\npub struct Store { x: u8 }\npub fn load() {}\n//- /src/store/inner.rs\npub fn deep() {}\n",
            &[
                "Store src/store.rs:2",
                "load src/store.rs:3",
                "up src/a/mod.rs:2",
                "deep src/store/inner.rs:1",
                "top src/lib.rs:2",
            ],
        ),
        (
            "a method in an impl, with the type it is of",
            "//- /Cargo.toml\n[package]\nname = \"a\"\n//- /src/main.rs\nmod m;\nuse m::Store;\n$0fn f() { Store::open(1); }\n$0//- /src/m.rs\npub struct Store<T> { x: T }\nimpl<T> Store<T> {\n    pub fn open(x: T) {}\n}\n",
            &["open src/m.rs:3", "Store src/m.rs:1"],
        ),
        (
            "the crate by its name, from a test and from beside it",
            "//- /Cargo.toml\n[workspace]\nmembers = [\"x\", \"y\"]\n[workspace.dependencies]\nmy-x = { path = \"x\" }\n//- /x/Cargo.toml\n[package]\nname = \"my-x\"\n//- /x/src/lib.rs\npub use inner::g;\nmod inner;\n\
             //- /x/src/inner.rs\npub fn g() {}\n//- /y/Cargo.toml\n[package]\nname = \"y\"\n[dependencies]\nmy-x = { workspace = true }\n//- /y/src/lib.rs\npub fn own() {}\n//- /y/tests/t.rs\nuse my_x::g;\n$0fn t() { g(); y::own(); }\n$0",
            &["g x/src/inner.rs:1", "own y/src/lib.rs:1"],
        ),
        (
            "everything of a module, also from an inline one",
            "//- /Cargo.toml\n[package]\nname = \"a\"\n//- /src/lib.rs\nmod p;\nuse p::*;\nmod tests {\n    use super::*;\n    $0fn t() { q(); }\n$0}\n//- /src/p.rs\npub fn q() {}\n",
            &["q src/p.rs:1"],
        ),
    ]);
}

#[test]
fn go() {
    check(&[
        (
            "by the module's path, and the rest of the package",
            "//- /go.mod\nmodule example.com/shop\n//- /cmd/main.go\npackage main\nimport (\n\t\"fmt\"\n\tst \"example.com/shop/store\"\n\t\"example.com/shop/v2/x\"\n)\n$0func run(c Config) { fmt.Println(st.Load(helper(c)), x.Y()) }\n$0\
             //- /cmd/config.go\npackage main\n// Config is read at the start.\ntype Config struct{ A int }\n//- /cmd/util.go\npackage main\nfunc helper(c Config) int { return c.A }\n\
             //- /store/store.go\npackage store\nfunc Load(n int) int { return n }\n//- /v2/x/x.go\npackage x\nfunc Y() {}\n//- /store/store_test.go\npackage store\nfunc Load() {}\n",
            &["Config cmd/config.go:2", "Load store/store.go:2", "helper cmd/util.go:2", "Y v2/x/x.go:2"],
        ),
        (
            "other people's modules",
            "//- /go.mod\nmodule a\n//- /m.go\npackage a\nimport \"ab/x\"\n$0func f() { x.Y() }\n$0//- /b/x/x.go\npackage x\nfunc Y() {}\n",
            &[],
        ),
    ]);
}

#[test]
fn java() {
    check(&[(
        "imports, static ones, the same package, all of a package, from the tests",
        "//- /core/src/test/java/com/acme/OrderTest.java\npackage com.acme;\nimport com.acme.model.Item;\nimport static com.acme.util.Money.cents;\nimport com.acme.all.*;\n\
         $0class OrderTest { void t() { new Order(new Item(), cents(1), Wide.of()); } }\n$0//- /core/src/main/java/com/acme/Order.java\npackage com.acme;\npublic class Order {}\n\
         //- /core/src/main/java/com/acme/model/Item.java\npackage com.acme.model;\npublic record Item() {}\n//- /util/src/main/java/com/acme/util/Money.java\npackage com.acme.util;\nclass Money {\n  static int cents(int x) { return x; }\n}\n\
         //- /core/src/main/java/com/acme/all/Wide.java\npackage com.acme.all;\nclass Wide {\n  static int of() { return 1; }\n}\n",
        &[
            "Order core/src/main/java/com/acme/Order.java:2",
            "Item core/src/main/java/com/acme/model/Item.java:2",
            "cents util/src/main/java/com/acme/util/Money.java:3",
            "of core/src/main/java/com/acme/all/Wide.java:3",
            "Wide core/src/main/java/com/acme/all/Wide.java:2",
        ],
    )]);
}

#[test]
fn c_and_cpp() {
    check(&[
        (
            "headers beside, above, and through another header",
            "//- /src/main.c\n#include <stdio.h>\n#include \"util.h\"\n#include \"shop/item.h\"\n$0int f(struct item *i) { return add(i->n, scale(2)); }\n$0//- /src/util.h\n/* Adds. */\nint add(int a, int b);\n\
             //- /include/shop/item.h\n#include \"math.h\"\nstruct item { int n; };\n//- /include/shop/math.h\nint scale(int x);\n",
            &["item include/shop/item.h:2", "add src/util.h:1", "scale include/shop/math.h:1"],
        ),
        (
            "classes in namespaces",
            "//- /a.cpp\n#include \"store.hpp\"\n$0int f() { shop::Store s; return shop::load(s); }\n$0//- /store.hpp\nnamespace shop {\nclass Store {\npublic:\n  int n;\n};\nint load(const Store &s);\n}\n",
            &["Store store.hpp:2", "load store.hpp:6"],
        ),
    ]);
}

#[test]
fn ruby() {
    check(&[
        (
            "require_relative and require",
            "//- /lib/shop.rb\nrequire 'shop/item'\nrequire_relative 'shop/prices'\nrequire 'json'\n$0def total(rows)\n  rows.map { |r| Shop::Item.new(parse_price(r)) }\nend\n$0\
             //- /lib/shop/item.rb\nmodule Shop\n  class Item\n  end\nend\n//- /lib/shop/prices.rb\ndef parse_price(text)\n  text.to_i\nend\n",
            &["Item lib/shop/item.rb:2", "parse_price lib/shop/prices.rb:1"],
        ),
        (
            "constants that are loaded by their names",
            "//- /app/models/order.rb\n$0class Order\n  def x\n    Billing::LineItem.build(self)\n  end\nend\n$0//- /app/services/billing/line_item.rb\nmodule Billing\n  class LineItem\n    def self.build(o)\n    end\n  end\nend\n",
            &["build app/services/billing/line_item.rb:3", "LineItem app/services/billing/line_item.rb:2"],
        ),
    ]);
}

#[test]
fn php() {
    check(&[(
        "psr-4, groups, the same namespace, a file by its path",
        "//- /composer.json\n{\"autoload\": {\"psr-4\": {\"App\\\\\": \"src/\"}}}\n//- /src/Orders/Service.php\n<?php\nnamespace App\\Orders;\nuse App\\Models\\{User, Item as Thing};\nuse App\\Money;\nrequire_once __DIR__ . '/helpers.php';\n\
         $0function run(User $u, Thing $t) { return round_up(Money::of($u), new Basket($t)); }\n$0//- /src/Models/User.php\n<?php\nnamespace App\\Models;\nclass User {}\n//- /src/Models/Item.php\n<?php\nnamespace App\\Models;\nclass Item {}\n\
         //- /src/Money.php\n<?php\nnamespace App;\nclass Money {\n  static function of($u) {}\n}\n//- /src/Orders/Basket.php\n<?php\nnamespace App\\Orders;\nclass Basket {}\n//- /src/Orders/helpers.php\n<?php\nfunction round_up($x) {}\n",
        &[
            "User src/Models/User.php:3",
            "Item src/Models/Item.php:3",
            "round_up src/Orders/helpers.php:2",
            "of src/Money.php:4",
            "Basket src/Orders/Basket.php:3",
            "Money src/Money.php:3",
        ],
    )]);
}

#[test]
fn lua() {
    check(&[(
        "require, with and without parentheses",
        "//- /main.lua\nlocal store = require(\"shop.store\")\nlocal pad = require 'shop.text'.pad\n$0local function run()\n  return store.load(pad(1)), store.Item:new()\nend\n$0\
         //- /lua/shop/store.lua\nlocal M = {}\nfunction M.load(x) return x end\nM.Item = {}\nreturn M\n//- /lua/shop/text.lua\nlocal M = {}\nM.pad = function(x) return x end\nreturn M\n",
        &["M.load lua/shop/store.lua:2", "M.pad lua/shop/text.lua:2", "M.Item lua/shop/store.lua:3"],
    )]);
}

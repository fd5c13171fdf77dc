#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::workspace::language::by_path;

/// Files that are only in memory; the folders are those that the paths tell.
struct Tree(BTreeMap<PathBuf, String>);

impl Files for Tree {
    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file.starts_with(path))
    }

    fn read_to_string(&self, path: &Path) -> Option<String> {
        self.0.get(path).cloned()
    }

    fn list(&self, folder: &Path) -> Vec<String> {
        let below = self.0.keys().filter_map(|file| file.strip_prefix(folder).ok());
        let mut names: Vec<_> =
            below.filter_map(|below| Some(below.components().next()?.as_os_str().to_str()?.to_owned())).collect();
        names.dedup();
        names
    }
}

/// Files as `path: text` lines below `/r`; shows the place of the tests of `source`.
fn place(source: &str, files: &str) -> String {
    let mut tree = BTreeMap::from([(Path::new("/r").join(source), String::new())]);
    for line in files.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (path, text) = line.split_once(": ").unwrap_or((line, ""));
        tree.insert(Path::new("/r").join(path), text.replace("\\n", "\n"));
    }
    let source = Path::new("/r").join(source);
    let place = test_place(&source, by_path(&source), Some(Path::new("/r")), &Tree(tree.clone()));
    assert_eq!(place.exists, tree.contains_key(&place.path));
    let path = place.path.strip_prefix("/r").unwrap().to_str().unwrap().to_owned();
    let inline = if place.inline { " inline" } else { "" };
    let exists = if place.exists { " exists" } else { "" };
    format!("{path} [{}]{inline}{exists} | {}", place.framework, place.import_hint.replace('\n', " ; "))
}

fn check(cases: &[(&str, &str)], expected: &Expect) {
    let shown: Vec<_> = cases.iter().map(|(source, files)| place(source, files) + "\n").collect();
    expected.assert_eq(&shown.concat());
}

#[test]
fn python() {
    check(
        &[
            ("inventory.py", ""),
            ("examples/inventory.py", "Cargo.toml\n tests/cli.rs"),
            ("inventory.py", "tests/__init__.py"),
            ("pkg/inventory.py", "pyproject.toml: [project]"),
            ("src/shop/cart.py", "pyproject.toml: pytest\n src/shop/__init__.py\n tests/test_other.py: import pytest"),
            (
                "src/shop/sub/cart.py",
                "pyproject.toml\n src/shop/__init__.py\n src/shop/sub/__init__.py\n tests/shop/test_a.py: import unittest",
            ),
            ("shop/cart.py", "setup.py\n shop/a.py\n shop/test_a.py: import unittest"),
            ("shop/cart.py", "setup.py\n shop/a.py\n shop/a_test.py"),
            ("shop/cart.py", "setup.py\n tests/test_cart.py: import unittest"),
            ("app/cart.py", "app/tests/test_models.py: from django.test import TestCase\n manage.py"),
            ("sub/cart.py", "sub/pyproject.toml\n sub/tests/__init__.py"),
            ("tests/test_cart.py", "pyproject.toml: pytest"),
        ],
        &expect![[r#"
            test_inventory.py [pytest] | from inventory import NAME
            examples/test_inventory.py [pytest] | from inventory import NAME
            tests/test_inventory.py [pytest] | from inventory import NAME
            tests/test_inventory.py [pytest] | from pkg.inventory import NAME
            tests/test_cart.py [pytest] | from shop.cart import NAME
            tests/shop/sub/test_cart.py [unittest] | from shop.sub.cart import NAME
            shop/test_cart.py [unittest] | from shop.cart import NAME
            shop/cart_test.py [pytest] | from shop.cart import NAME
            tests/test_cart.py [unittest] exists | from shop.cart import NAME
            app/tests/test_cart.py [unittest] | from app.cart import NAME
            sub/tests/test_cart.py [pytest] | from cart import NAME
            tests/test_cart.py [pytest] exists | The file is a test file already; it imports what it needs.
        "#]],
    );
}

#[test]
fn javascript_and_typescript() {
    check(
        &[
            ("cart.js", "cart.js: module.exports = { add }"),
            ("src/cart.ts", "package.json: {\"devDependencies\": {\"vitest\": \"1\"}}"),
            ("src/cart.tsx", "package.json: {\"devDependencies\": {\"jest\": \"1\"}}\n src/__tests__/a.test.tsx"),
            ("src/a/cart.js", "package.json: {\"type\": \"module\", \"devDependencies\": {\"mocha\": \"1\"}}"),
            (
                "src/a/cart.js",
                "package.json: {\"type\": \"module\", \"scripts\": {\"test\": \"node --test\"}}\n test/b/x.test.js: import 'node:test'",
            ),
            (
                "src/cart.ts",
                "package.json: {}\n src/other.spec.ts: import { it } from 'vitest'\n src/cart.ts: export default function f() {}",
            ),
            (
                "packages/a/src/cart.ts",
                "package.json: {\"devDependencies\": {\"jest\": \"1\"}}\n packages/a/package.json: {}",
            ),
            ("lib/cart.cjs", "package.json: {}\n tests/unit/x.test.cjs"),
            ("src/cart.test.ts", "package.json: {\"devDependencies\": {\"vitest\": \"1\"}}"),
        ],
        &expect![[r#"
            cart.test.js [node:test] | const { NAME } = require("./cart");
            src/cart.test.ts [vitest] | import { NAME } from "./cart";
            src/__tests__/cart.test.tsx [jest] | import { NAME } from "../cart";
            test/a/cart.test.js [mocha] | import { NAME } from "../../src/a/cart.js";
            test/a/cart.test.js [node:test] | import { NAME } from "../../src/a/cart.js";
            src/cart.spec.ts [vitest] | import NAME from "./cart";
            packages/a/src/cart.test.ts [jest] | import { NAME } from "./cart";
            tests/cart.test.cjs [node:test] | const { NAME } = require("../lib/cart.cjs");
            src/cart.test.ts [vitest] exists | The file is a test file already; it imports what it needs.
        "#]],
    );
}

#[test]
fn rust() {
    check(
        &[
            ("src/cart.rs", "Cargo.toml: [package]\\nname = \"my-shop\"\n src/lib.rs"),
            ("src/cart.rs", "Cargo.toml: [package]\\nname = \"my-shop\"\n src/lib.rs\n tests/all.rs"),
            ("src/a/cart.rs", "Cargo.toml: [lib]\\nname = \"shop\"\n src/lib.rs\n tests/cart.rs"),
            ("src/cart.rs", "Cargo.toml: [package]\\nname = \"s\"\n src/lib.rs: #[cfg(test)]\n tests/all.rs"),
            ("src/cart.rs", "Cargo.toml\n src/cart.rs: fn f() {}\\n#[cfg(test)]\\nmod tests;\n src/cart/tests.rs"),
            ("src/main.rs", "Cargo.toml\n tests/cli.rs"),
            ("tests/cli.rs", "Cargo.toml"),
        ],
        &expect![[r#"
            src/cart.rs [cargo test] inline exists | use super::*;
            tests/cart.rs [cargo test] | use my_shop::cart::NAME;
            tests/cart.rs [cargo test] exists | use shop::a::cart::NAME;
            src/cart.rs [cargo test] inline exists | use super::*;
            src/cart/tests.rs [cargo test] exists | use super::*;
            src/main.rs [cargo test] inline exists | use super::*;
            tests/cli.rs [cargo test] exists | The file is a test file already; it imports what it needs.
        "#]],
    );
}

#[test]
fn go_and_java() {
    check(
        &[
            ("cart/cart.go", "go.mod\n cart/cart.go: package cart"),
            ("cart/cart.go", "go.mod\n cart/cart.go: package cart\n cart/cart_test.go: stretchr/testify"),
            ("src/main/java/a/Cart.java", "pom.xml: junit-jupiter\n src/main/java/a/Cart.java: package a;"),
            ("src/main/java/a/Cart.java", "pom.xml: <artifactId>junit</artifactId>\n src/test/java/b/OtherTests.java"),
            ("core/src/main/java/a/Cart.java", "build.gradle\n core/build.gradle: useJUnitPlatform()"),
            ("src/main/kotlin/a/Cart.kt", "build.gradle.kts: kotlin(\"test\")\n src/main/kotlin/a/Cart.kt: package a"),
            ("Cart.java", ""),
        ],
        &expect![[r#"
            cart/cart_test.go [testing] | package cart (the same package: nothing to import)
            cart/cart_test.go [testify] exists | package cart (the same package: nothing to import)
            src/test/java/a/CartTest.java [JUnit 5] | package a (the same package: nothing to import)
            src/test/java/a/CartTests.java [JUnit 4] | The default package: nothing to import.
            core/src/test/java/a/CartTest.java [JUnit 5] | The default package: nothing to import.
            src/test/kotlin/a/CartTest.kt [kotlin.test] | package a (the same package: nothing to import)
            CartTest.java [JUnit 5] | The default package: nothing to import.
        "#]],
    );
}

#[test]
fn ruby() {
    check(
        &[
            ("cart.rb", ""),
            ("lib/shop/cart.rb", "Gemfile: gem 'rspec'\n spec/spec_helper.rb"),
            ("app/models/cart.rb", "Gemfile\n .rspec\n spec/rails_helper.rb\n config/application.rb"),
            ("app/models/cart.rb", "Gemfile\n test/test_helper.rb\n test/models/user_test.rb\n config/application.rb"),
            ("lib/shop/cart.rb", "shop.gemspec\n test/shop/test_other.rb"),
        ],
        &expect![[r#"
            cart_test.rb [minitest] | require_relative "cart"
            spec/shop/cart_spec.rb [RSpec] | require "spec_helper" ; require "shop/cart"
            spec/models/cart_spec.rb [RSpec] | require "rails_helper"
            test/models/cart_test.rb [minitest] | require "test_helper"
            test/shop/test_cart.rb [minitest] | require_relative "../../lib/shop/cart"
        "#]],
    );
}

#[test]
fn others_by_path() {
    check(
        &[
            (
                "src/Shop/Cart.cs",
                "src/Shop/Shop.csproj\n tests/Shop.Tests/Shop.Tests.csproj: <PackageReference Include=\"NUnit\"/>\n src/Shop/Cart.cs: namespace Shop;",
            ),
            ("Cart.cs", "Shop.csproj"),
            ("src/Cart.php", "composer.json\n src/Cart.php: <?php\\nnamespace App\\Shop;"),
            ("app/Models/Cart.php", "composer.json: pestphp/pest\n tests/Unit/AT.php\n tests/Unit/XTest.php"),
            ("src/cart.cpp", "CMakeLists.txt: find_package(GTest)\n include/cart.hpp"),
            ("src/cart.cpp", "CMakeLists.txt: Catch2\n tests/a_test.cpp"),
            ("src/cart.c", "Makefile\n src/cart.h"),
            ("lib/shop/cart.ex", "mix.exs"),
            ("Sources/Shop/Cart.swift", "Package.swift\n Tests/ShopTests/XTests.swift: import Testing"),
            ("src/shop/cart.lua", "shop-1.rockspec\n spec/a_spec.lua"),
            ("bin/run.sh", "test/a.bats"),
            ("lib/cart.dart", "pubspec.yaml"),
            ("cart.zig", ""),
        ],
        &expect![[r#"
            tests/Shop.Tests/CartTests.cs [NUnit] | using Shop;
            CartTests.cs [xUnit] | The global namespace: nothing to import.
            tests/CartTest.php [PHPUnit] | use App\Shop\NAME;
            tests/Unit/Models/CartTest.php [Pest] | require_once __DIR__ . '/../../../app/Models/Cart.php';
            tests/test_cart.cpp [GoogleTest] | #include "cart.hpp"
            tests/cart_test.cpp [Catch2] | #include "../src/cart.cpp"
            tests/test_cart.c [assert.h] | #include "cart.h"
            test/shop/cart_test.exs [ExUnit] | Modules are used by their full name: nothing to import.
            Tests/CartTests.swift [Swift Testing] | @testable import Shop
            spec/shop/cart_spec.lua [busted] | local NAME = require("shop.cart")
            test/run.bats [Bats] | source "$BATS_TEST_DIRNAME/../bin/run.sh"
            test/cart_test.dart [package:test] | import '../lib/cart.dart';
            cart_test.zig [the language's own test framework] | The source is ./cart.zig as seen from the test file.
        "#]],
    );
}

#[test]
fn nothing_is_placed_outside_of_the_root() {
    let source = Path::new("/r/project/src/cart.py");
    let tree = Tree(BTreeMap::from([
        (source.to_owned(), String::new()),
        (PathBuf::from("/r/pyproject.toml"), "pytest".to_owned()),
        (PathBuf::from("/r/tests/test_a.py"), "pytest".to_owned()),
    ]));
    let root = Path::new("/r/project/src");
    assert_eq!(test_place(source, by_path(source), Some(root), &tree).path, root.join("test_cart.py"));
    // A root that the source is not in says nothing.
    let place = test_place(source, by_path(source), Some(Path::new("/other")), &tree);
    assert_eq!(place.path, Path::new("/r/tests/test_cart.py"));
}

#[test]
fn real_files_are_seen_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let source = write("shop/cart.py", "def f(): pass\n");
    write("pyproject.toml", "[tool.pytest.ini_options]\n");
    let there = write("tests/test_cart.py", "import pytest\n");
    let place = test_place(&source, by_path(&source), Some(folder.path()), &RealFiles);
    assert_eq!((place.path, place.exists, place.import_hint.as_str()), (there, true, "from shop.cart import NAME"));
}

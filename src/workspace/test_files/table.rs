//! Frameworks, how a project tells that it uses one, and where its tests go. Rows are tried from top to bottom; the
//! last of a language is the one for a project that tells nothing.

/// A framework and its customs.
pub(super) struct Convention {
    /// Families of languages, see `Language::family`.
    pub(super) languages: &'static [&'static str],
    /// What prompts and messages call it.
    pub(super) framework: &'static str,
    /// What tells that a project uses it.
    pub(super) signs: &'static [Sign],
    /// Where its tests go; the first is the default.
    pub(super) places: &'static [Place],
}

/// Something that tells a framework.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    /// A file of the project.
    File(&'static str),
    /// A word in a file of the project; a name that begins with `*` is an ending.
    Text(&'static str, &'static str),
    /// A word in one of the tests that there are.
    Test(&'static str),
}

/// A folder and a file name, in which `{stem}` and `{ext}` stand for those of the source and `{Stem}` for the stem
/// with a capital.
pub(super) struct Place {
    pub(super) folder: Folder,
    pub(super) file: &'static str,
}

/// A folder for tests.
#[derive(Clone, Copy)]
pub(super) enum Folder {
    /// The source's own.
    Beside,
    /// One in the source's own.
    Within(&'static str),
    /// One at the top of the project, with the source's folders repeated in it.
    Mirror(&'static str),
    /// One at the top of the project, without folders.
    Flat(&'static str),
    /// The source's own, with a part of its path replaced.
    Swap(&'static str, &'static str),
}

use Folder::{Beside, Flat, Mirror, Swap, Within};
use Sign::{File, Test, Text};

const fn place(folder: Folder, file: &'static str) -> Place {
    Place { folder, file }
}

/// Folders that hold nothing but sources, left out of a mirrored path.
pub(super) const SOURCE_FOLDERS: &[&str] = &["src", "lib", "app", "source", "Sources", "lua"];

/// Folders that hold tests.
pub(super) const TEST_FOLDERS: &[&str] = &["test", "tests", "spec", "specs", "__tests__", "Tests", "t"];

/// Files at the top of a project, by family.
pub(super) const MANIFESTS: &[(&str, &[&str])] = &[
    (
        "python",
        &[
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
            "tox.ini",
            "pytest.ini",
            "requirements.txt",
            "Pipfile",
            "manage.py",
        ],
    ),
    ("javascript", &["package.json", "deno.json"]),
    ("typescript", &["package.json", "deno.json"]),
    ("rust", &["Cargo.toml"]),
    ("go", &["go.mod"]),
    ("java", &["pom.xml", "build.gradle", "build.gradle.kts"]),
    ("kotlin", &["pom.xml", "build.gradle", "build.gradle.kts"]),
    ("scala", &["build.sbt", "pom.xml"]),
    ("ruby", &["Gemfile", "Rakefile", "*.gemspec", ".rspec"]),
    ("php", &["composer.json", "phpunit.xml", "phpunit.xml.dist"]),
    ("csharp", &["*.csproj", "*.sln"]),
    ("c", &["CMakeLists.txt", "meson.build", "Makefile"]),
    ("cpp", &["CMakeLists.txt", "meson.build", "Makefile"]),
    ("elixir", &["mix.exs"]),
    ("swift", &["Package.swift"]),
    ("lua", &["*.rockspec", ".busted"]),
    ("dart", &["pubspec.yaml"]),
];

const PYTEST: &[Place] = &[
    place(Flat("tests"), "test_{stem}.{ext}"),
    place(Mirror("tests"), "test_{stem}.{ext}"),
    place(Mirror("test"), "test_{stem}.{ext}"),
    place(Flat("test"), "test_{stem}.{ext}"),
    place(Within("tests"), "test_{stem}.{ext}"),
    place(Beside, "test_{stem}.{ext}"),
    place(Beside, "{stem}_test.{ext}"),
];

const SCRIPT: &[Place] = &[
    place(Beside, "{stem}.test.{ext}"),
    place(Beside, "{stem}.spec.{ext}"),
    place(Within("__tests__"), "{stem}.test.{ext}"),
    place(Within("__tests__"), "{stem}.{ext}"),
    place(Mirror("tests"), "{stem}.test.{ext}"),
    place(Mirror("test"), "{stem}.test.{ext}"),
    place(Mirror("tests"), "{stem}.spec.{ext}"),
    place(Mirror("test"), "{stem}.spec.{ext}"),
    place(Mirror("__tests__"), "{stem}.test.{ext}"),
    place(Mirror("spec"), "{stem}.spec.{ext}"),
    place(Mirror("test"), "{stem}.{ext}"),
];

const MOCHA: &[Place] = &[
    place(Mirror("test"), "{stem}.test.{ext}"),
    place(Mirror("test"), "{stem}.spec.{ext}"),
    place(Mirror("test"), "{stem}.{ext}"),
    place(Beside, "{stem}.test.{ext}"),
    place(Beside, "{stem}.spec.{ext}"),
    place(Mirror("tests"), "{stem}.test.{ext}"),
];

const JAVA: &[Place] = &[
    place(Swap("src/main", "src/test"), "{stem}Test.{ext}"),
    place(Swap("src/main", "src/test"), "{stem}Tests.{ext}"),
    place(Swap("src/main", "src/test"), "Test{stem}.{ext}"),
    place(Mirror("test"), "{stem}Test.{ext}"),
    place(Beside, "{stem}Test.{ext}"),
];

const RSPEC: &[Place] = &[
    place(Mirror("spec"), "{stem}_spec.{ext}"),
    place(Flat("spec"), "{stem}_spec.{ext}"),
    place(Beside, "{stem}_spec.{ext}"),
];

const MINITEST: &[Place] = &[
    place(Mirror("test"), "{stem}_test.{ext}"),
    place(Mirror("test"), "test_{stem}.{ext}"),
    place(Flat("test"), "{stem}_test.{ext}"),
    place(Flat("test"), "test_{stem}.{ext}"),
    place(Beside, "{stem}_test.{ext}"),
];

const PHPUNIT: &[Place] = &[
    place(Mirror("tests"), "{Stem}Test.php"),
    place(Mirror("tests/Unit"), "{Stem}Test.php"),
    place(Flat("tests"), "{Stem}Test.php"),
    place(Mirror("test"), "{Stem}Test.php"),
    place(Beside, "{Stem}Test.php"),
];

const C: &[Place] = &[
    place(Flat("tests"), "test_{stem}.{ext}"),
    place(Flat("tests"), "{stem}_test.{ext}"),
    place(Flat("test"), "test_{stem}.{ext}"),
    place(Flat("test"), "{stem}_test.{ext}"),
    place(Beside, "{stem}_test.{ext}"),
];

const SWIFT: &[Place] = &[place(Flat("Tests"), "{stem}Tests.swift"), place(Beside, "{stem}Tests.swift")];

const JS: &[&str] = &["javascript"];
const SCRIPTS: &[&str] = &["javascript", "typescript"];

const fn row(
    languages: &'static [&'static str],
    framework: &'static str,
    signs: &'static [Sign],
    places: &'static [Place],
) -> Convention {
    Convention { languages, framework, signs, places }
}

pub(super) static CONVENTIONS: &[Convention] = &[
    row(
        &["python"],
        "pytest",
        &[
            File("pytest.ini"),
            File("conftest.py"),
            File("tests/conftest.py"),
            Text("pyproject.toml", "pytest"),
            Text("setup.cfg", "pytest"),
            Text("setup.py", "pytest"),
            Text("tox.ini", "pytest"),
            Text("Pipfile", "pytest"),
            Text("*requirements.txt", "pytest"),
            Text("requirements-dev.txt", "pytest"),
            Text("requirements-test.txt", "pytest"),
            Test("pytest"),
        ],
        PYTEST,
    ),
    row(&["python"], "unittest", &[Test("unittest"), Test("django.test")], PYTEST),
    row(&["python"], "pytest", &[], PYTEST),
    row(
        SCRIPTS,
        "vitest",
        &[Text("package.json", "\"vitest\""), Test("from \"vitest\""), Test("from 'vitest'")],
        SCRIPT,
    ),
    row(
        SCRIPTS,
        "jest",
        &[
            Text("package.json", "\"jest\""),
            Text("package.json", "\"ts-jest\""),
            File("jest.config.js"),
            File("jest.config.ts"),
        ],
        SCRIPT,
    ),
    row(
        SCRIPTS,
        "mocha",
        &[Text("package.json", "\"mocha\""), File(".mocharc.json"), File(".mocharc.js"), File(".mocharc.yml")],
        MOCHA,
    ),
    row(
        SCRIPTS,
        "node:test",
        &[Text("package.json", "node --test"), Text("package.json", "--test"), Test("node:test")],
        SCRIPT,
    ),
    row(JS, "node:test", &[], SCRIPT),
    row(&["typescript"], "vitest", &[], SCRIPT),
    row(&["go"], "testify", &[Test("stretchr/testify")], &[place(Beside, "{stem}_test.go")]),
    row(&["go"], "testing", &[], &[place(Beside, "{stem}_test.go")]),
    row(
        &["java", "kotlin"],
        "JUnit 5",
        &[
            Test("org.junit.jupiter"),
            Text("pom.xml", "junit-jupiter"),
            Text("build.gradle", "junit-jupiter"),
            Text("build.gradle", "useJUnitPlatform"),
            Text("build.gradle.kts", "junit-jupiter"),
            Text("build.gradle.kts", "useJUnitPlatform"),
        ],
        JAVA,
    ),
    row(
        &["java", "kotlin"],
        "JUnit 4",
        &[
            Test("org.junit.Test"),
            Text("pom.xml", "<artifactId>junit</artifactId>"),
            Text("build.gradle", "junit:junit"),
            Text("build.gradle.kts", "junit:junit"),
        ],
        JAVA,
    ),
    row(&["kotlin"], "kotlin.test", &[Test("kotlin.test"), Text("build.gradle.kts", "kotlin(\"test\")")], JAVA),
    row(&["java"], "JUnit 5", &[], JAVA),
    row(&["kotlin"], "kotlin.test", &[], JAVA),
    row(
        &["ruby"],
        "RSpec",
        &[
            File(".rspec"),
            File("spec/spec_helper.rb"),
            Text("Gemfile", "rspec"),
            Text("*.gemspec", "rspec"),
            Test("describe"),
        ],
        RSPEC,
    ),
    row(&["ruby"], "minitest", &[], MINITEST),
    row(&["php"], "Pest", &[Text("composer.json", "pestphp/pest"), File("tests/Pest.php")], PHPUNIT),
    row(&["php"], "PHPUnit", &[], PHPUNIT),
    row(&["csharp"], "NUnit", &[Test("NUnit.Framework")], &[place(Beside, "{stem}Tests.cs")]),
    row(&["csharp"], "MSTest", &[Test("Microsoft.VisualStudio.TestTools")], &[place(Beside, "{stem}Tests.cs")]),
    row(&["csharp"], "xUnit", &[], &[place(Beside, "{stem}Tests.cs")]),
    row(
        &["cpp", "c"],
        "Catch2",
        &[Text("CMakeLists.txt", "Catch2"), Text("tests/CMakeLists.txt", "Catch2"), Test("catch2/")],
        C,
    ),
    row(
        &["cpp", "c"],
        "GoogleTest",
        &[
            Text("CMakeLists.txt", "gtest"),
            Text("CMakeLists.txt", "GTest"),
            Text("tests/CMakeLists.txt", "GTest"),
            Test("gtest/gtest.h"),
        ],
        C,
    ),
    row(&["cpp"], "GoogleTest", &[], C),
    row(&["c"], "assert.h", &[], C),
    row(&["elixir"], "ExUnit", &[], &[place(Mirror("test"), "{stem}_test.exs"), place(Beside, "{stem}_test.exs")]),
    row(&["swift"], "Swift Testing", &[Test("import Testing")], SWIFT),
    row(&["swift"], "XCTest", &[], SWIFT),
    row(&["lua"], "busted", &[], &[place(Mirror("spec"), "{stem}_spec.lua"), place(Beside, "{stem}_spec.lua")]),
    row(
        &["dart"],
        "package:test",
        &[],
        &[place(Mirror("test"), "{stem}_test.dart"), place(Beside, "{stem}_test.dart")],
    ),
    row(
        &["scala"],
        "munit",
        &[Text("build.sbt", "munit")],
        &[place(Swap("src/main", "src/test"), "{stem}Suite.scala"), place(Beside, "{stem}Suite.scala")],
    ),
    row(
        &["scala"],
        "ScalaTest",
        &[],
        &[place(Swap("src/main", "src/test"), "{stem}Spec.scala"), place(Beside, "{stem}Spec.scala")],
    ),
    row(
        &["shellscript"],
        "Bats",
        &[],
        &[place(Flat("test"), "{stem}.bats"), place(Flat("tests"), "{stem}.bats"), place(Beside, "{stem}.bats")],
    ),
];

/// For languages without a row.
pub(super) static OTHER: Convention = row(
    &[],
    "the language's own test framework",
    &[],
    &[
        place(Flat("tests"), "{stem}_test.{ext}"),
        place(Flat("test"), "{stem}_test.{ext}"),
        place(Beside, "{stem}_test.{ext}"),
    ],
);

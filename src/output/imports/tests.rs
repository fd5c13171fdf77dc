use super::*;
use crate::output::edit::apply;
use crate::workspace::language;

fn check(id: &str, document: &str, imports: &str, expected: &str) {
    let imports: Vec<String> = imports.lines().map(str::to_owned).collect();
    let language = language::by_id(id);
    for end in ["\n", "\r\n"] {
        let document = document.replace('\n', end);
        // A text of one line says nothing about line ends.
        let end = if document.contains(end) { end } else { "\n" };
        let edits = merge_imports(&document, language, &imports);
        let merged = apply(&document, &edits);
        assert_eq!(merged.replace(end, "\n"), expected, "{edits:?}");
        assert_eq!(merged.matches('\n').count(), merged.matches(end).count(), "{edits:?}");
        for pair in edits.windows(2) {
            assert!(pair[0].span.end <= pair[1].span.start, "{edits:?}");
        }
        let again = merge_imports(&merged, language, &imports);
        assert_eq!(again, [], "what was merged once is not merged again");
    }
}

#[test]
fn python() {
    for (document, imports, expected) in [
        ("x = 1\n", "import os", "import os\n\nx = 1\n"),
        ("", "import os", "import os\n"),
        ("import os\n\nx = 1\n", "import os", "import os\n\nx = 1\n"),
        ("import os\n\nx = 1\n", "import sys", "import os\nimport sys\n\nx = 1\n"),
        ("import os, sys\nx = 1\n", "import sys", "import os, sys\nx = 1\n"),
        ("from a import b\n", "from a import c", "from a import b, c\n"),
        ("from a import b  # kept\n", "from a import b, c, d", "from a import b, c, d  # kept\n"),
        ("from a import (\n    b,\n)\n", "from a import c, d", "from a import (\n    b,\n    c,\n    d,\n)\n"),
        ("from a import (\n    b\n)\n", "from a import (\n    c,\n)", "from a import (\n    b,\n    c\n)\n"),
        ("from a import b as c\n", "from a import b", "from a import b as c, b\n"),
        ("from a import *\n", "from a import b", "from a import *\nfrom a import b\n"),
        ("import a\n", "import b, a", "import a\nimport b\n"),
        (
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\"\"\"Doc.\n\nMore.\"\"\"\n\nx = 1\n",
            "import os",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\"\"\"Doc.\n\nMore.\"\"\"\n\nimport os\n\nx = 1\n",
        ),
        ("# Licence.\n\nx = 1\n", "import os", "# Licence.\n\nimport os\n\nx = 1\n"),
        ("# About x.\nx = 1\n", "import os", "import os\n\n# About x.\nx = 1\n"),
        (
            "\"\"\"Doc.\"\"\"\n\nimport os\n",
            "from __future__ import annotations\nimport re",
            "\"\"\"Doc.\"\"\"\nfrom __future__ import annotations\n\nimport os\nimport re\n",
        ),
        (
            "from __future__ import annotations\nimport os\n",
            "from __future__ import division",
            "from __future__ import annotations, division\nimport os\n",
        ),
        (
            "x = 1\n",
            "import os\nfrom __future__ import annotations",
            "from __future__ import annotations\nimport os\n\nx = 1\n",
        ),
        (
            "import os\n",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import B",
            "import os\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from a import B\n",
        ),
        (
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n  from a import B\n\nx = 1\n",
            "if TYPE_CHECKING:\n    from a import B, C\n    from d import E",
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n  from a import B, C\n  from d import E\n\nx = 1\n",
        ),
        (
            "if TYPE_CHECKING:\n    from a import B\n",
            "from a import B",
            "if TYPE_CHECKING:\n    from a import B\nfrom a import B\n",
        ),
        ("from a import B\n", "if TYPE_CHECKING:\n    from a import B", "from a import B\n"),
        ("import a\n", "T = TypeVar(\"T\")", "import a\nT = TypeVar(\"T\")\n"),
        ("x = 1", "import os", "import os\n\nx = 1"),
        ("import a", "import os", "import a\nimport os"),
        ("import a\n", "    import os\n    import re", "import a\nimport os\nimport re\n"),
    ] {
        check("python", document, imports, expected);
    }
}

#[test]
fn ecmascript() {
    for (document, imports, expected) in [
        ("let x;\n", "import a from 'a';", "import a from 'a';\n\nlet x;\n"),
        ("import { a } from 'm';\n", "import { b } from \"m\";", "import { a, b } from 'm';\n"),
        ("import {\n  a,\n} from 'm';\n", "import { a, b } from 'm'", "import {\n  a,\n  b,\n} from 'm';\n"),
        ("import D from 'm';\n", "import { b, c } from 'm'", "import D, { b, c } from 'm';\n"),
        ("import D from 'm';\n", "import D, { b } from 'm'", "import D, { b } from 'm';\n"),
        ("import * as N from 'm';\n", "import { b } from 'm';", "import * as N from 'm';\nimport { b } from 'm';\n"),
        ("import { a } from 'm';\n", "import N, { a } from 'm';", "import { a } from 'm';\nimport N from 'm';\n"),
        ("import 'm';\n", "import 'm';\nimport 'n';", "import 'm';\nimport 'n';\n"),
        (
            "// eslint-disable\n\n'use client';\nrun();\n",
            "import a from 'a';",
            "// eslint-disable\n\n'use client';\n\nimport a from 'a';\n\nrun();\n",
        ),
        ("const a = require('a');\n", "const b = require('b');", "const a = require('a');\nconst b = require('b');\n"),
        (
            "const { a } = require('m');\n",
            "const { a, b } = require('m');",
            "const { a } = require('m');\nconst { b } = require('m');\n",
        ),
        ("const { a } = require('m')\n", "const { a } = require(\"m\");", "const { a } = require('m')\n"),
    ] {
        check("javascript", document, imports, expected);
        check("typescript", document, imports, expected);
    }
    for (document, imports, expected) in [
        (
            "import { a } from 'm';\n",
            "import type { B } from 'm';",
            "import { a } from 'm';\nimport type { B } from 'm';\n",
        ),
        ("import type { A } from 'm';\n", "import type { B } from 'm';", "import type { A, B } from 'm';\n"),
        ("import { type A, b } from 'm';\n", "import { type C } from 'm';", "import { type A, b, type C } from 'm';\n"),
        ("import { A } from 'm';\n", "import type { A } from 'm';", "import { A } from 'm';\n"),
        (
            "import type D from 'm';\n",
            "import type { A } from 'm';",
            "import type D from 'm';\nimport type { A } from 'm';\n",
        ),
    ] {
        check("typescript", document, imports, expected);
        check("typescriptreact", document, imports, expected);
    }
}

#[test]
fn rust() {
    for (document, imports, expected) in [
        ("fn main() {}\n", "use std::fmt;", "use std::fmt;\n\nfn main() {}\n"),
        (
            "//! Doc.\n\n#![allow(x)]\n\nfn main() {}\n",
            "use std::fmt;",
            "//! Doc.\n\n#![allow(x)]\n\nuse std::fmt;\n\nfn main() {}\n",
        ),
        (
            "use std::collections::{HashMap, BTreeMap};\n",
            "use std::collections::HashMap;\nuse std::fmt;",
            "use std::collections::{HashMap, BTreeMap};\nuse std::fmt;\n",
        ),
        (
            "use a::{self, b::{c, d}};\n",
            "use a;\nuse a::b::d;\nuse a::{b::c, e};",
            "use a::{self, b::{c, d}};\nuse a::e;\n",
        ),
        ("use a::*;\n", "use a::b;", "use a::*;\n"),
        ("#[cfg(test)]\nuse a::b;\n\nfn f() {}\n", "use a::b;", "#[cfg(test)]\nuse a::b;\nuse a::b;\n\nfn f() {}\n"),
        (
            "mod x;\nuse a::b;\nmod y;\nfn f() {}\n",
            "use c::d as e;",
            "mod x;\nuse a::b;\nuse c::d as e;\nmod y;\nfn f() {}\n",
        ),
        ("/// About f.\nfn f() {}\n", "use a::b;", "use a::b;\n\n/// About f.\nfn f() {}\n"),
    ] {
        check("rust", document, imports, expected);
    }
}

#[test]
fn go() {
    for (document, imports, expected) in [
        ("package a\n\nfunc f() {}\n", "import \"os\"", "package a\n\nimport \"os\"\n\nfunc f() {}\n"),
        ("package a\n\nimport \"os\"\n", "import \"fmt\"", "package a\n\nimport \"os\"\nimport \"fmt\"\n"),
        ("package a\n\nimport (\n\t\"os\"\n)\n", "\"fmt\"\n\"os\"", "package a\n\nimport (\n\t\"os\"\n\t\"fmt\"\n)\n"),
        (
            "package a\n\nimport (\n\t\"os\"\n\n\t\"a.b/c\"\n)\n",
            "import (\n\t\"fmt\"\n\tx \"a.b/d\"\n)",
            "package a\n\nimport (\n\t\"os\"\n\t\"fmt\"\n\n\t\"a.b/c\"\n\tx \"a.b/d\"\n)\n",
        ),
        (
            "package a\n\nimport (\n\t\"os\"\n)\n",
            "import \"a.b/c\"",
            "package a\n\nimport (\n\t\"os\"\n\n\t\"a.b/c\"\n)\n",
        ),
    ] {
        check("go", document, imports, expected);
    }
}

#[test]
fn others() {
    for (id, document, imports, expected) in [
        (
            "java",
            "package a;\n\nclass A {}\n",
            "import java.util.List;",
            "package a;\n\nimport java.util.List;\n\nclass A {}\n",
        ),
        (
            "java",
            "import java.util.*;\n\nclass A {}\n",
            "import java.util.List;\nimport java.io.File;",
            "import java.util.*;\nimport java.io.File;\n\nclass A {}\n",
        ),
        (
            "ruby",
            "# frozen_string_literal: true\n\nclass A\nend\n",
            "require 'set'",
            "# frozen_string_literal: true\n\nrequire 'set'\n\nclass A\nend\n",
        ),
        (
            "ruby",
            "require \"set\"\n\nclass A\nend\n",
            "require 'set'\nrequire_relative 'b'",
            "require \"set\"\nrequire_relative 'b'\n\nclass A\nend\n",
        ),
        (
            "php",
            "<?php\n\nnamespace A;\n\nfunction f() {}\n",
            "use B\\C;",
            "<?php\n\nnamespace A;\n\nuse B\\C;\n\nfunction f() {}\n",
        ),
        (
            "php",
            "<?php\n\nuse B\\{C, D};\n\nfunction f() {}\n",
            "use B\\C;\nuse B\\E;\nuse function B\\f;",
            "<?php\n\nuse B\\{C, D};\nuse B\\E;\nuse function B\\f;\n\nfunction f() {}\n",
        ),
        ("c", "/* Licence. */\n\nint x;\n", "#include <stdio.h>", "/* Licence. */\n\n#include <stdio.h>\n\nint x;\n"),
        (
            "c",
            "#ifndef A_H\n#define A_H\n\nint x;\n\n#endif\n",
            "#include <stdio.h>",
            "#ifndef A_H\n#define A_H\n\n#include <stdio.h>\n\nint x;\n\n#endif\n",
        ),
        (
            "cpp",
            "#pragma once\n#include <a>\n\nint x;\n",
            "#include <a>\n#include \"b.h\"",
            "#pragma once\n#include <a>\n#include \"b.h\"\n\nint x;\n",
        ),
        (
            "lua",
            "local a = require(\"a\")\n\nreturn {}\n",
            "local a = require('a')\nlocal b = require(\"b\")",
            "local a = require(\"a\")\nlocal b = require(\"b\")\n\nreturn {}\n",
        ),
        (
            "shellscript",
            "#!/bin/sh\nset -e\n\nrun\n",
            "source ./lib.sh",
            "#!/bin/sh\nset -e\n\nsource ./lib.sh\n\nrun\n",
        ),
        ("plaintext", "#!/bin/x\nuse a\nrun\n", "use a\nuse b", "#!/bin/x\nuse a\nuse b\nrun\n"),
    ] {
        check(id, document, imports, expected);
    }
}

//! The table of languages: a row each, in the order in which a file's name is looked up.
//!
//! Ids are those of the protocol's specification where it has one, else those that editors have settled on. Aliases
//! are other ids in use (Vim's and Emacs' names among them) and info strings of fenced code.

use super::{Grammar, Language};

/// Text of no language that is known: everything works, by indentation and blank lines.
pub static PLAIN: Language = plain();

/// All languages. [`PLAIN`] is the last.
pub(super) static LANGUAGES: &[Language] = &[
    Language {
        id: "shellscript",
        aliases: &["sh", "bash", "zsh", "ksh", "shell"],
        name: "Shell",
        extensions: &["sh", "bash", "zsh", "ksh", "bats"],
        file_names: &[".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".envrc", "PKGBUILD"],
        grammar: Some(Grammar::Bash),
        line_comment: Some("#"),
        programming: true,
        fence: "bash",
        ..NONE
    },
    Language {
        id: "c",
        name: "C",
        extensions: &["c", "h"],
        grammar: Some(Grammar::C),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "c",
        ..NONE
    },
    Language {
        id: "cpp",
        aliases: &["c++", "cplusplus", "cxx"],
        name: "C++",
        extensions: &["cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "tpp", "inl", "cppm", "ixx"],
        grammar: Some(Grammar::Cpp),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "cpp",
        ..NONE
    },
    Language {
        id: "go",
        aliases: &["golang"],
        name: "Go",
        extensions: &["go"],
        grammar: Some(Grammar::Go),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "go",
        ..NONE
    },
    Language {
        id: "java",
        name: "Java",
        extensions: &["java"],
        grammar: Some(Grammar::Java),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "java",
        ..NONE
    },
    Language {
        id: "javascript",
        aliases: &["js", "node"],
        name: "JavaScript",
        extensions: &["js", "mjs", "cjs", "es6"],
        file_names: &["Jakefile"],
        grammar: Some(Grammar::JavaScript),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "javascript",
    },
    Language {
        id: "javascriptreact",
        aliases: &["jsx", "rjsx", "js-jsx", "javascript.jsx"],
        name: "JavaScript JSX",
        extensions: &["jsx"],
        grammar: Some(Grammar::JavaScript),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "jsx",
        ..NONE
    },
    Language {
        id: "lua",
        name: "Lua",
        extensions: &["lua", "rockspec"],
        file_names: &[".luacheckrc", ".busted"],
        grammar: Some(Grammar::Lua),
        line_comment: Some("--"),
        block_comment: Some(("--[[", "]]")),
        optional_types: true,
        programming: true,
        fence: "lua",
        ..NONE
    },
    Language {
        id: "php",
        name: "PHP",
        extensions: &["php", "phtml", "php8", "php7"],
        grammar: Some(Grammar::Php),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "php",
        ..NONE
    },
    Language {
        id: "python",
        aliases: &["py", "python3"],
        name: "Python",
        extensions: &["py", "pyi", "pyw"],
        file_names: &["SConstruct", "SConscript"],
        grammar: Some(Grammar::Python),
        line_comment: Some("#"),
        optional_types: true,
        programming: true,
        fence: "python",
        ..NONE
    },
    Language {
        id: "ruby",
        aliases: &["rb", "enh-ruby"],
        name: "Ruby",
        extensions: &["rb", "rake", "gemspec", "ru", "rbw"],
        file_names: &["Gemfile", "Rakefile", "Vagrantfile", "Brewfile", "Guardfile", "Capfile", "Podfile", "Fastfile"],
        grammar: Some(Grammar::Ruby),
        line_comment: Some("#"),
        block_comment: Some(("=begin", "=end")),
        optional_types: true,
        programming: true,
        fence: "ruby",
    },
    Language {
        id: "rust",
        aliases: &["rs", "rustic"],
        name: "Rust",
        extensions: &["rs"],
        grammar: Some(Grammar::Rust),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "rust",
        ..NONE
    },
    Language {
        id: "typescriptreact",
        aliases: &["tsx", "typescript.tsx", "typescript-tsx"],
        name: "TypeScript JSX",
        extensions: &["tsx"],
        grammar: Some(Grammar::Tsx),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "tsx",
        ..NONE
    },
    Language {
        id: "typescript",
        aliases: &["ts"],
        name: "TypeScript",
        extensions: &["ts", "mts", "cts"],
        grammar: Some(Grammar::TypeScript),
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "typescript",
        ..NONE
    },
    Language {
        id: "ada",
        name: "Ada",
        extensions: &["adb", "ads"],
        line_comment: Some("--"),
        programming: true,
        fence: "ada",
        ..NONE
    },
    Language {
        id: "abap",
        name: "ABAP",
        extensions: &["abap"],
        line_comment: Some("\""),
        programming: true,
        fence: "abap",
        ..NONE
    },
    Language {
        id: "bat",
        aliases: &["dosbatch", "cmd", "batch"],
        name: "Batch",
        extensions: &["bat", "cmd"],
        line_comment: Some("rem "),
        programming: true,
        fence: "bat",
        ..NONE
    },
    Language {
        id: "clojure",
        aliases: &["clj", "clojurescript", "clojurec"],
        name: "Clojure",
        extensions: &["clj", "cljs", "cljc", "edn", "bb"],
        line_comment: Some(";"),
        programming: true,
        fence: "clojure",
        ..NONE
    },
    Language {
        id: "cmake",
        name: "CMake",
        extensions: &["cmake"],
        file_names: &["CMakeLists.txt"],
        line_comment: Some("#"),
        block_comment: Some(("#[[", "]]")),
        programming: true,
        fence: "cmake",
        ..NONE
    },
    Language {
        id: "coffeescript",
        aliases: &["coffee"],
        name: "CoffeeScript",
        extensions: &["coffee"],
        file_names: &["Cakefile"],
        line_comment: Some("#"),
        block_comment: Some(("###", "###")),
        programming: true,
        fence: "coffeescript",
        ..NONE
    },
    Language {
        id: "csharp",
        aliases: &["cs", "c#"],
        name: "C#",
        extensions: &["cs", "csx"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "csharp",
        ..NONE
    },
    Language {
        id: "crystal",
        name: "Crystal",
        extensions: &["cr"],
        line_comment: Some("#"),
        optional_types: true,
        programming: true,
        fence: "crystal",
        ..NONE
    },
    Language {
        id: "cuda-cpp",
        aliases: &["cuda"],
        name: "CUDA C++",
        extensions: &["cu", "cuh"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "cuda",
        ..NONE
    },
    Language {
        id: "d",
        name: "D",
        extensions: &["d", "di"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "d",
        ..NONE
    },
    Language {
        id: "dart",
        name: "Dart",
        extensions: &["dart"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "dart",
        ..NONE
    },
    Language {
        id: "pascal",
        aliases: &["delphi"],
        name: "Pascal",
        extensions: &["pas", "pp", "dpr", "lpr"],
        line_comment: Some("//"),
        block_comment: Some(("{", "}")),
        programming: true,
        fence: "pascal",
        ..NONE
    },
    Language {
        id: "elixir",
        aliases: &["ex"],
        name: "Elixir",
        extensions: &["ex", "exs"],
        file_names: &["mix.lock"],
        line_comment: Some("#"),
        optional_types: true,
        programming: true,
        fence: "elixir",
        ..NONE
    },
    Language {
        id: "elm",
        name: "Elm",
        extensions: &["elm"],
        line_comment: Some("--"),
        block_comment: Some(("{-", "-}")),
        optional_types: true,
        programming: true,
        fence: "elm",
        ..NONE
    },
    Language {
        id: "erlang",
        name: "Erlang",
        extensions: &["erl", "hrl", "escript"],
        file_names: &["rebar.config"],
        line_comment: Some("%"),
        optional_types: true,
        programming: true,
        fence: "erlang",
        ..NONE
    },
    Language {
        id: "fish",
        name: "Fish",
        extensions: &["fish"],
        line_comment: Some("#"),
        programming: true,
        fence: "fish",
        ..NONE
    },
    Language {
        id: "fortran",
        aliases: &["fortran-modern"],
        name: "Fortran",
        extensions: &["f90", "f95", "f03", "f08", "f", "for", "f77"],
        line_comment: Some("!"),
        programming: true,
        fence: "fortran",
        ..NONE
    },
    Language {
        id: "fsharp",
        aliases: &["f#"],
        name: "F#",
        extensions: &["fs", "fsi", "fsx"],
        line_comment: Some("//"),
        block_comment: Some(("(*", "*)")),
        optional_types: true,
        programming: true,
        fence: "fsharp",
        ..NONE
    },
    Language {
        id: "gdscript",
        aliases: &["gdscript3"],
        name: "GDScript",
        extensions: &["gd"],
        line_comment: Some("#"),
        optional_types: true,
        programming: true,
        fence: "gdscript",
        ..NONE
    },
    Language {
        id: "gleam",
        name: "Gleam",
        extensions: &["gleam"],
        line_comment: Some("//"),
        optional_types: true,
        programming: true,
        fence: "gleam",
        ..NONE
    },
    Language {
        id: "glsl",
        name: "GLSL",
        extensions: &["glsl", "vert", "frag", "geom", "comp"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "glsl",
        ..NONE
    },
    Language {
        id: "groovy",
        aliases: &["gradle"],
        name: "Groovy",
        extensions: &["groovy", "gradle", "gvy"],
        file_names: &["Jenkinsfile"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "groovy",
        ..NONE
    },
    Language {
        id: "haskell",
        aliases: &["lhaskell"],
        name: "Haskell",
        extensions: &["hs", "lhs"],
        line_comment: Some("--"),
        block_comment: Some(("{-", "-}")),
        optional_types: true,
        programming: true,
        fence: "haskell",
        ..NONE
    },
    Language {
        id: "haxe",
        name: "Haxe",
        extensions: &["hx"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "haxe",
        ..NONE
    },
    Language {
        id: "julia",
        name: "Julia",
        extensions: &["jl"],
        line_comment: Some("#"),
        block_comment: Some(("#=", "=#")),
        optional_types: true,
        programming: true,
        fence: "julia",
        ..NONE
    },
    Language {
        id: "kotlin",
        aliases: &["kt"],
        name: "Kotlin",
        extensions: &["kt", "kts"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "kotlin",
        ..NONE
    },
    Language {
        id: "lisp",
        aliases: &["commonlisp", "common-lisp"],
        name: "Common Lisp",
        extensions: &["lisp", "lsp", "cl", "asd"],
        line_comment: Some(";"),
        block_comment: Some(("#|", "|#")),
        programming: true,
        fence: "lisp",
        ..NONE
    },
    Language {
        id: "emacs-lisp",
        aliases: &["elisp", "lisp-interaction"],
        name: "Emacs Lisp",
        extensions: &["el"],
        file_names: &[".emacs"],
        line_comment: Some(";"),
        programming: true,
        fence: "elisp",
        ..NONE
    },
    Language {
        id: "matlab",
        aliases: &["octave"],
        name: "MATLAB",
        line_comment: Some("%"),
        block_comment: Some(("%{", "%}")),
        programming: true,
        fence: "matlab",
        ..NONE
    },
    Language {
        id: "nim",
        name: "Nim",
        extensions: &["nim", "nims", "nimble"],
        line_comment: Some("#"),
        block_comment: Some(("#[", "]#")),
        programming: true,
        fence: "nim",
        ..NONE
    },
    Language {
        id: "nix",
        name: "Nix",
        extensions: &["nix"],
        line_comment: Some("#"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "nix",
        ..NONE
    },
    Language {
        id: "objective-c",
        aliases: &["objc", "objectivec"],
        name: "Objective-C",
        extensions: &["m"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "objectivec",
        ..NONE
    },
    Language {
        id: "objective-cpp",
        aliases: &["objcpp", "objectivecpp", "objective-c++"],
        name: "Objective-C++",
        extensions: &["mm"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "objectivec",
        ..NONE
    },
    Language {
        id: "ocaml",
        aliases: &["ocamlinterface", "ml"],
        name: "OCaml",
        extensions: &["ml", "mli"],
        block_comment: Some(("(*", "*)")),
        optional_types: true,
        programming: true,
        fence: "ocaml",
        ..NONE
    },
    Language {
        id: "odin",
        name: "Odin",
        extensions: &["odin"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "odin",
        ..NONE
    },
    Language {
        id: "perl",
        aliases: &["perl5"],
        name: "Perl",
        extensions: &["pl", "pm", "t", "psgi"],
        file_names: &["cpanfile"],
        line_comment: Some("#"),
        programming: true,
        fence: "perl",
        ..NONE
    },
    Language {
        id: "perl6",
        aliases: &["raku"],
        name: "Raku",
        extensions: &["raku", "rakumod", "p6", "pm6"],
        line_comment: Some("#"),
        optional_types: true,
        programming: true,
        fence: "raku",
        ..NONE
    },
    Language {
        id: "powershell",
        aliases: &["ps1", "pwsh"],
        name: "PowerShell",
        extensions: &["ps1", "psm1", "psd1"],
        line_comment: Some("#"),
        block_comment: Some(("<#", "#>")),
        optional_types: true,
        programming: true,
        fence: "powershell",
        ..NONE
    },
    Language {
        id: "prolog",
        name: "Prolog",
        extensions: &["pro", "plt"],
        line_comment: Some("%"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "prolog",
        ..NONE
    },
    Language {
        id: "purescript",
        name: "PureScript",
        extensions: &["purs"],
        line_comment: Some("--"),
        block_comment: Some(("{-", "-}")),
        optional_types: true,
        programming: true,
        fence: "purescript",
        ..NONE
    },
    Language {
        id: "r",
        aliases: &["rlang", "ess-r"],
        name: "R",
        extensions: &["r"],
        file_names: &[".Rprofile"],
        line_comment: Some("#"),
        programming: true,
        fence: "r",
        ..NONE
    },
    Language {
        id: "racket",
        name: "Racket",
        extensions: &["rkt"],
        line_comment: Some(";"),
        block_comment: Some(("#|", "|#")),
        programming: true,
        fence: "racket",
        ..NONE
    },
    Language {
        id: "reason",
        aliases: &["reasonml"],
        name: "Reason",
        extensions: &["re", "rei"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        optional_types: true,
        programming: true,
        fence: "reason",
        ..NONE
    },
    Language {
        id: "scala",
        name: "Scala",
        extensions: &["scala", "sbt", "sc"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "scala",
        ..NONE
    },
    Language {
        id: "scheme",
        name: "Scheme",
        extensions: &["scm", "ss", "sld"],
        line_comment: Some(";"),
        block_comment: Some(("#|", "|#")),
        programming: true,
        fence: "scheme",
        ..NONE
    },
    Language {
        id: "solidity",
        name: "Solidity",
        extensions: &["sol"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "solidity",
        ..NONE
    },
    Language {
        id: "sql",
        aliases: &["mysql", "plsql", "pgsql", "postgres"],
        name: "SQL",
        extensions: &["sql", "ddl"],
        line_comment: Some("--"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "sql",
        ..NONE
    },
    Language {
        id: "svelte",
        name: "Svelte",
        extensions: &["svelte"],
        line_comment: Some("//"),
        block_comment: Some(("<!--", "-->")),
        optional_types: true,
        programming: true,
        fence: "svelte",
        ..NONE
    },
    Language {
        id: "swift",
        name: "Swift",
        extensions: &["swift"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "swift",
        ..NONE
    },
    Language {
        id: "tcl",
        name: "Tcl",
        extensions: &["tcl"],
        line_comment: Some("#"),
        programming: true,
        fence: "tcl",
        ..NONE
    },
    Language {
        id: "vb",
        aliases: &["vbnet", "visualbasic"],
        name: "Visual Basic",
        extensions: &["vb", "bas", "vbs"],
        line_comment: Some("'"),
        programming: true,
        fence: "vb",
        ..NONE
    },
    Language {
        id: "verilog",
        aliases: &["systemverilog"],
        name: "Verilog",
        extensions: &["v", "sv", "svh", "vh"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "verilog",
        ..NONE
    },
    Language {
        id: "vhdl",
        name: "VHDL",
        extensions: &["vhd", "vhdl"],
        line_comment: Some("--"),
        programming: true,
        fence: "vhdl",
        ..NONE
    },
    Language {
        id: "vim",
        aliases: &["viml", "vimscript"],
        name: "Vim script",
        extensions: &["vim"],
        file_names: &["vimrc", ".vimrc"],
        line_comment: Some("\""),
        programming: true,
        fence: "vim",
        ..NONE
    },
    Language {
        id: "vue",
        name: "Vue",
        extensions: &["vue"],
        line_comment: Some("//"),
        block_comment: Some(("<!--", "-->")),
        optional_types: true,
        programming: true,
        fence: "vue",
        ..NONE
    },
    Language {
        id: "astro",
        name: "Astro",
        extensions: &["astro"],
        line_comment: Some("//"),
        block_comment: Some(("<!--", "-->")),
        optional_types: true,
        programming: true,
        fence: "astro",
        ..NONE
    },
    Language {
        id: "wgsl",
        name: "WGSL",
        extensions: &["wgsl"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        programming: true,
        fence: "wgsl",
        ..NONE
    },
    Language {
        id: "zig",
        name: "Zig",
        extensions: &["zig", "zon"],
        line_comment: Some("//"),
        programming: true,
        fence: "zig",
        ..NONE
    },
    Language {
        id: "assembly",
        aliases: &["asm", "nasm", "gas"],
        name: "Assembly",
        extensions: &["asm", "s", "nasm"],
        line_comment: Some(";"),
        programming: true,
        fence: "asm",
        ..NONE
    },
    Language {
        id: "awk",
        aliases: &["gawk"],
        name: "AWK",
        extensions: &["awk"],
        line_comment: Some("#"),
        programming: true,
        fence: "awk",
        ..NONE
    },
    Language {
        id: "makefile",
        aliases: &["make"],
        name: "Makefile",
        extensions: &["mk", "mak"],
        file_names: &["Makefile", "makefile", "GNUmakefile"],
        line_comment: Some("#"),
        programming: true,
        fence: "makefile",
        ..NONE
    },
    Language {
        id: "dockerfile",
        aliases: &["docker", "containerfile"],
        name: "Dockerfile",
        extensions: &["dockerfile"],
        file_names: &["Dockerfile", "Containerfile"],
        line_comment: Some("#"),
        fence: "dockerfile",
        ..NONE
    },
    Language {
        id: "just",
        name: "Just",
        extensions: &["just"],
        file_names: &["justfile", "Justfile", ".justfile"],
        line_comment: Some("#"),
        fence: "just",
        ..NONE
    },
    Language {
        id: "terraform",
        aliases: &["tf", "hcl", "terraform-vars", "opentofu"],
        name: "Terraform",
        extensions: &["tf", "tfvars", "hcl", "tofu"],
        line_comment: Some("#"),
        block_comment: Some(("/*", "*/")),
        fence: "hcl",
        ..NONE
    },
    Language {
        id: "graphql",
        aliases: &["gql"],
        name: "GraphQL",
        extensions: &["graphql", "gql"],
        line_comment: Some("#"),
        fence: "graphql",
        ..NONE
    },
    Language {
        id: "proto",
        aliases: &["protobuf", "proto3"],
        name: "Protocol Buffers",
        extensions: &["proto"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "protobuf",
        ..NONE
    },
    Language {
        id: "bibtex",
        aliases: &["bib"],
        name: "BibTeX",
        extensions: &["bib"],
        line_comment: Some("%"),
        fence: "bibtex",
        ..NONE
    },
    Language {
        id: "blade",
        name: "Blade",
        extensions: &["blade.php"],
        block_comment: Some(("{{--", "--}}")),
        fence: "blade",
        ..NONE
    },
    Language { id: "css", name: "CSS", extensions: &["css"], block_comment: Some(("/*", "*/")), fence: "css", ..NONE },
    Language {
        id: "scss",
        name: "SCSS",
        extensions: &["scss"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "scss",
        ..NONE
    },
    Language { id: "sass", name: "Sass", extensions: &["sass"], line_comment: Some("//"), fence: "sass", ..NONE },
    Language {
        id: "less",
        name: "Less",
        extensions: &["less"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "less",
        ..NONE
    },
    Language {
        id: "stylus",
        name: "Stylus",
        extensions: &["styl"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "stylus",
        ..NONE
    },
    Language {
        id: "html",
        aliases: &["xhtml"],
        name: "HTML",
        extensions: &["html", "htm", "xhtml"],
        block_comment: Some(("<!--", "-->")),
        fence: "html",
        ..NONE
    },
    Language {
        id: "handlebars",
        aliases: &["hbs", "mustache"],
        name: "Handlebars",
        extensions: &["hbs", "handlebars", "mustache"],
        block_comment: Some(("{{!--", "--}}")),
        fence: "handlebars",
        ..NONE
    },
    Language {
        id: "eex",
        aliases: &["html-eex", "heex", "eelixir", "phoenix-heex"],
        name: "EEx",
        extensions: &["eex", "heex", "leex"],
        block_comment: Some(("<!--", "-->")),
        fence: "heex",
        ..NONE
    },
    Language {
        id: "erb",
        aliases: &["html.erb", "eruby"],
        name: "ERB",
        extensions: &["erb"],
        block_comment: Some(("<%#", "%>")),
        fence: "erb",
        ..NONE
    },
    Language {
        id: "jade",
        aliases: &["pug"],
        name: "Pug",
        extensions: &["pug", "jade"],
        line_comment: Some("//"),
        fence: "pug",
        ..NONE
    },
    Language { id: "haml", name: "Haml", extensions: &["haml"], line_comment: Some("-#"), fence: "haml", ..NONE },
    Language {
        id: "razor",
        aliases: &["aspnetcorerazor", "cshtml"],
        name: "Razor",
        extensions: &["cshtml", "razor"],
        block_comment: Some(("@*", "*@")),
        fence: "razor",
        ..NONE
    },
    Language {
        id: "xml",
        aliases: &["xsd", "svg"],
        name: "XML",
        extensions: &["xml", "xsd", "svg", "plist", "csproj", "fsproj", "vbproj", "props", "targets"],
        block_comment: Some(("<!--", "-->")),
        fence: "xml",
        ..NONE
    },
    Language {
        id: "xsl",
        aliases: &["xslt"],
        name: "XSLT",
        extensions: &["xsl", "xslt"],
        block_comment: Some(("<!--", "-->")),
        fence: "xml",
        ..NONE
    },
    Language {
        id: "json",
        name: "JSON",
        extensions: &["json", "webmanifest"],
        file_names: &[".prettierrc", ".babelrc", "composer.lock"],
        fence: "json",
        ..NONE
    },
    Language {
        id: "jsonc",
        aliases: &["json5", "jsonl"],
        name: "JSON with comments",
        extensions: &["jsonc", "json5"],
        file_names: &["tsconfig.json", "jsconfig.json"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "jsonc",
        ..NONE
    },
    Language {
        id: "yaml",
        aliases: &["yml", "docker-compose", "yaml.docker-compose", "yaml.ansible"],
        name: "YAML",
        extensions: &["yaml", "yml"],
        file_names: &[".clang-format"],
        line_comment: Some("#"),
        fence: "yaml",
        ..NONE
    },
    Language {
        id: "toml",
        name: "TOML",
        extensions: &["toml"],
        file_names: &["Cargo.lock", "poetry.lock", "uv.lock", "Pipfile"],
        line_comment: Some("#"),
        fence: "toml",
        ..NONE
    },
    Language {
        id: "ini",
        aliases: &["dosini", "properties", "conf", "editorconfig"],
        name: "INI",
        extensions: &["ini", "cfg", "conf", "properties", "editorconfig"],
        file_names: &[".gitconfig", ".editorconfig"],
        line_comment: Some(";"),
        fence: "ini",
        ..NONE
    },
    Language {
        id: "dotenv",
        aliases: &["env"],
        name: "Environment file",
        extensions: &["env"],
        file_names: &[".env"],
        line_comment: Some("#"),
        fence: "dotenv",
        ..NONE
    },
    Language {
        id: "ignore",
        aliases: &["gitignore"],
        name: "Ignore file",
        extensions: &["gitignore", "dockerignore"],
        file_names: &[".gitignore", ".dockerignore", ".npmignore"],
        line_comment: Some("#"),
        fence: "gitignore",
        ..NONE
    },
    Language { id: "diff", aliases: &["patch"], name: "Diff", extensions: &["diff", "patch"], fence: "diff", ..NONE },
    Language {
        id: "git-commit",
        aliases: &["gitcommit"],
        name: "Git commit message",
        file_names: &["COMMIT_EDITMSG", "MERGE_MSG"],
        line_comment: Some("#"),
        fence: "text",
        ..NONE
    },
    Language {
        id: "git-rebase",
        aliases: &["gitrebase"],
        name: "Git rebase list",
        file_names: &["git-rebase-todo"],
        line_comment: Some("#"),
        fence: "text",
        ..NONE
    },
    Language {
        id: "latex",
        aliases: &["tex", "plaintex", "context"],
        name: "LaTeX",
        extensions: &["tex", "sty", "cls", "ltx"],
        line_comment: Some("%"),
        fence: "latex",
        ..NONE
    },
    Language {
        id: "typst",
        name: "Typst",
        extensions: &["typ"],
        line_comment: Some("//"),
        block_comment: Some(("/*", "*/")),
        fence: "typst",
        ..NONE
    },
    Language {
        id: "markdown",
        aliases: &["md", "gfm", "pandoc", "quarto", "rmd", "rmarkdown", "mdx"],
        name: "Markdown",
        extensions: &["md", "markdown", "mdx", "qmd", "rmd"],
        block_comment: Some(("<!--", "-->")),
        fence: "markdown",
        ..NONE
    },
    Language {
        id: "restructuredtext",
        aliases: &["rst"],
        name: "reStructuredText",
        extensions: &["rst"],
        line_comment: Some(".."),
        fence: "rst",
        ..NONE
    },
    Language {
        id: "asciidoc",
        aliases: &["adoc"],
        name: "AsciiDoc",
        extensions: &["adoc", "asciidoc"],
        line_comment: Some("//"),
        fence: "asciidoc",
        ..NONE
    },
    Language { id: "org", name: "Org", extensions: &["org"], line_comment: Some("#"), fence: "org", ..NONE },
    Language { id: "log", name: "Log", extensions: &["log"], fence: "text", ..NONE },
    Language { id: "csv", aliases: &["tsv"], name: "CSV", extensions: &["csv", "tsv"], fence: "csv", ..NONE },
    plain(),
];

/// What a row that leaves something out has.
const NONE: Language = Language { aliases: &[], extensions: &[], ..plain() };

const fn plain() -> Language {
    Language {
        id: "plaintext",
        aliases: &["text", "txt", "plain", "fundamental"],
        name: "Plain text",
        extensions: &["txt", "text"],
        file_names: &[],
        grammar: None,
        line_comment: None,
        block_comment: None,
        optional_types: false,
        programming: false,
        fence: "text",
    }
}

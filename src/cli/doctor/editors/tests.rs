//! Made-up homes, and what is said about the editors in them.

// Where files are differs from system to system.
#![cfg(target_os = "linux")]
#![expect(
    clippy::needless_raw_string_hashes,
    clippy::needless_pass_by_value,
    reason = "expect-test writes and takes them"
)]

use std::os::unix::fs::PermissionsExt as _;

use expect_test::{Expect, expect};

use super::*;
use crate::cli::doctor::print;

/// A home with these files; what ends in `*` is a program.
fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name.trim_end_matches('*'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if name.ends_with('*') {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    home
}

fn checks(home: &Path, only: Option<Editor>) -> Vec<Check> {
    let path = |name: &str| home.join(name).display().to_string();
    let env = Environment::from_pairs([("HOME", path("")), ("PATH", path("bin"))]);
    look(&env, Some(home.join("project")), only)
}

fn shown(home: &Path, only: Option<Editor>) -> String {
    let mut out = Vec::new();
    print(&mut out, &checks(home, only)).unwrap();
    let text = String::from_utf8(out).unwrap().replace(&home.display().to_string(), "~");
    let text = text.replace(&own_path(), ", such as ASIDE");
    // A line at the margin: without one, `expect!` takes the indentation of all lines for its own.
    format!("{}.\n", anstream::adapter::strip_str(&text))
}

fn check(files: &[(&str, &str)], expected: Expect) {
    let mut all = vec![("bin/aside*", "")];
    all.extend(files);
    expected.assert_eq(&shown(home(&all).path(), None));
}

#[test]
fn what_every_page_says_is_what_is_printed() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (editor, pages) in [
        (Editor::Neovim, &["docs/editors/neovim.md", "editors/neovim/README.md"] as &[&str]),
        (Editor::Helix, &["editors/helix/languages.toml"]),
        (Editor::Vscode, &["docs/editors/vscode.md"]),
        (Editor::Emacs, &["editors/emacs/README.md"]),
        (Editor::Kakoune, &["docs/editors/others.md"]),
        (Editor::Kate, &["docs/editors/others.md"]),
    ] {
        let snippet = editor.snippet().unwrap();
        let read = |page: &&str| std::fs::read_to_string(top.join(page)).ok();
        let has = |page: String| page.replace("\r\n", "\n").contains(snippet.text.trim());
        assert!(pages.iter().filter_map(read).any(has), "{editor:?}: {pages:?} says something else");
    }
}

#[test]
fn snippets_are_right_themselves() {
    let files = [
        (".config/nvim/init.lua", Editor::Neovim.snippet().unwrap().text),
        (".config/helix/languages.toml", Editor::Helix.snippet().unwrap().text),
        (".config/helix/config.toml", "[editor.lsp]\ndisplay-progress-messages = true\n"),
        (".vscode/extensions/aside.aside-0.1.0-linux-x64/package.json", "{}"),
        (".emacs.d/init.el", Editor::Emacs.snippet().unwrap().text),
        (".config/kak/kakrc", Editor::Kakoune.snippet().unwrap().text),
        (".config/kate/lspclient/settings.json", Editor::Kate.snippet().unwrap().text),
    ];
    check(
        &files,
        expect![[r#"
                 ok  Neovim   set up
                 ok  Helix    set up for python
                 ok  VS Code  the extension is installed (0.1.0-linux-x64)
                 ok  Emacs    named in ~/.emacs.d/init.el
                 ok  Kakoune  named in ~/.config/kak/kakrc
                 ok  Kate     set up for python
            .
        "#]],
    );
}

#[test]
fn nothing_here() {
    assert_eq!(checks(home(&[]).path(), None), []);
}

#[test]
fn an_editor_that_is_not_set_up() {
    check(
        &[("bin/hx*", "")],
        expect![[r#"
            warning  Helix  Aside is not set up in it
                            → Put this into ~/.config/helix/languages.toml:

            [language-server.aside]
            command = "aside"
            args = ["serve"]

            [[language]]
            name = "python"
            language-servers = ["ty", "ruff", "jedi", "pylsp", "aside"]

            .
        "#]],
    );
    let zed = (
        ".config/zed/settings.json",
        "// mine\n{\"lsp\": {\"aside\": {\"binary\": {\"path\": \"aside\", \"arguments\": [\"serve\"],},},},}",
    );
    check(
        &[("bin/hx*", ""), zed],
        expect![[r#"
            skipped  Helix  Aside is not set up in it
                            → `aside doctor --editor helix` says more.
                 ok  Zed    set up in ~/.config/zed/settings.json
            .
        "#]],
    );
}

#[test]
fn one_editor_that_was_asked_for() {
    expect![[r#"
        warning  Neovim  Aside is not set up in it
                         → Put this into ~/.config/nvim/init.lua:

        vim.lsp.config("aside", {
          cmd = { "aside", "serve" },
          root_markers = { ".git" },
        })
        vim.lsp.enable("aside")

        .
    "#]]
    .assert_eq(&shown(home(&[]).path(), Some(Editor::Neovim)));
}

#[test]
fn helix() {
    let languages = "[language-server.aside]\ncommand = \"aside\"\nargs = [\"serve\"]\ncomand = \"x\"\n\
                     [language-server.aside.config]\nmodle = \"m\"\napi.base_url = \"https://example.com\"\n\
                     [[language]]\nname = \"go\"\nlanguage-servers = [{ name = \"aside\", only-features = [\"hover\"] }]\n";
    check(
        &[(".config/helix/languages.toml", languages)],
        expect![[r#"
            warning  Helix  ~/.config/helix/languages.toml:4:1: Helix knows no `comand`; did you mean `command`?
             failed  Helix  ~/.config/helix/languages.toml:5:24: `api.base_url` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
                            → `aside config schema --editor` has all keys.
             failed  Helix  ~/.config/helix/languages.toml:5:24: there is no `modle`; did you mean `model`?
                            → `aside config schema --editor` has all keys.
             failed  Helix  `go` keeps Aside from its code actions, which is where all it does is offered
                            → Add `code-action` to `only-features`, or take it out of `except-features`.
            warning  Helix  progress is a spinner only: what Aside writes and what it cost is not shown
                            → Set `display-progress-messages = true` below `[editor.lsp]` in ~/.config/helix/config.toml.
            .
        "#]],
    );
    check(
        &[(".config/helix/languages.toml", "[language-server.aside]\ncommand = \"aside serve\"\n")],
        expect![[r#"
             failed  Helix  ~/.config/helix/languages.toml:2:1: `aside serve` is not on the PATH
                            → The command is the program alone; `serve` is an argument.
             failed  Helix  no language lists `aside` in its `language-servers`, so it never starts
                            → Put this into ~/.config/helix/languages.toml:

            [language-server.aside]
            command = "aside"
            args = ["serve"]

            [[language]]
            name = "python"
            language-servers = ["ty", "ruff", "jedi", "pylsp", "aside"]

            .
        "#]],
    );
    check(
        &[(".config/helix/languages.toml", "[language-server.aside]\n  command = \"aside\n")],
        expect![[r#"
             failed  Helix  ~/.config/helix/languages.toml:2:19: not TOML: invalid basic string, expected `"`
                            → Helix then takes nothing of this file.
            .
        "#]],
    );
}

#[test]
fn vscode() {
    let own = "{\n  // where\n  \"aside.server.path\": \"/nowhere/aside\",\n  \"aside.server.pth\": \"\",\n\
               \"aside.api.baseUrl\": \"https://example.com\", \"aside.api.baseURI\": \"x\",\n\
               \"aside.cache.tll\": \"1h\",\n  \"aside.api.keyCommand\": \"sk-ant-s3cret\",\n}\n";
    let projects = "{\"aside.api.baseUrl\": \"https://example.com\", \"aside.server.path\": \"x\"}";
    let files = [
        (".vscode/extensions/aside.aside-0.1.0/package.json", "{}"),
        (".config/Code/User/settings.json", own),
        ("project/.vscode/settings.json", projects),
    ];
    check(
        &files,
        expect![[r#"
             failed  VS Code  ~/.config/Code/User/settings.json:3:3: there is no program `/nowhere/aside`
                              → Add its folder to PATH, or write the full path, such as ASIDE.
             failed  VS Code  ~/.config/Code/User/settings.json:4:3: there is no `aside.server.pth`; did you mean `aside.server.path`?
             failed  VS Code  ~/.config/Code/User/settings.json:5:45: there is no `api.baseURI`; did you mean `api.baseUrl`?
                              → `aside config schema --editor` has all keys.
             failed  VS Code  ~/.config/Code/User/settings.json:6:1: there is no `cache.tll`; did you mean `cache.ttl`?
                              → `aside config schema --editor` has all keys.
             failed  VS Code  ~/.config/Code/User/settings.json:7:3: `api.keyCommand` takes a list of texts, not that
                              → `aside config schema --editor` has all keys.
             failed  VS Code  ~/project/.vscode/settings.json:1:2: `api.baseUrl` does not count here, where a repository could set it: it would choose where your code and your key are sent. Set it in your own file (`aside config path`)
                              → `aside config schema --editor` has all keys.
             failed  VS Code  ~/project/.vscode/settings.json:1:46: `aside.server.path` does not count here, where a repository could set it
                              → Set it in your own settings.
            .
        "#]],
    );
    check(
        &[(".config/Code/User/settings.json", "{\n  \"é\": 1 \"aside.model\": 2\n}")],
        expect![[r#"
             failed  VS Code  ~/.config/Code/User/settings.json:2:10: not JSON: expected `,` or `}`
            warning  VS Code  Aside is not set up in it
                              → Run this where Aside's sources are:

            code --install-extension "$(scripts/package-vscode)"

            .
        "#]],
    );
}

#[test]
fn neovim() {
    let init = "-- vim.lsp.enable('aside')\nvim.lsp.config('aside', {\n  cmd = { 'asside', 'serve' },\n\
                settings = { aside = { hover = { mode = 'of' }, budget = { dailyUsd = 9 } } },\n})\n";
    check(
        &[(".config/nvim/lua/plugins/ai.lua", init)],
        expect![[r#"
             failed  Neovim  ~/.config/nvim/lua/plugins/ai.lua:2:1: `asside` is not on the PATH
                             → Add its folder to PATH, or write the full path, such as ASIDE.
             failed  Neovim  ~/.config/nvim/lua/plugins/ai.lua:2:1: `hover.mode` is one of `cached`, `off`, `ask`, not "of"; did you mean `off`?
                             → `aside config schema --editor` has all keys.
             failed  Neovim  ~/.config/nvim/lua/plugins/ai.lua:2:1: `budget.dailyUsd` does not count here, where a repository could set it: it would choose how much you spend. Set it in your own file (`aside config path`)
                             → `aside config schema --editor` has all keys.
             failed  Neovim  `aside` is configured and not enabled
                             → Add `vim.lsp.enable("aside")`.
            .
        "#]],
    );
    check(
        &[(".config/nvim/init.lua", "vim.lsp.enable({ 'lua_ls', 'aside' })")],
        expect![[r#"
             failed  Neovim  `aside` is enabled, and nothing says how to start it
                             → Put this into ~/.config/nvim/init.lua:

            vim.lsp.config("aside", {
              cmd = { "aside", "serve" },
              root_markers = { ".git" },
            })
            vim.lsp.enable("aside")

            .
        "#]],
    );
    let preset = [
        (".config/nvim/lsp/aside.lua", "return { cmd = { vim.env.ASIDE, 'serve' }"),
        (".config/nvim/init.lua", "vim.lsp.enable('aside')"),
    ];
    check(
        &preset,
        expect![[r#"
            warning  Neovim  ~/.config/nvim/lsp/aside.lua:1:42: this does not look like Lua
            .
        "#]],
    );
    let plugin = "vim.opt.runtimepath:append(vim.fn.expand('~/aside/editors/neovim'))\n\
                  require(\"aside\").setup({ simulate = true, settings = { cache = { ttl = '2h' } } })\n";
    check(
        &[(".config/nvim/init.lua", plugin)],
        expect![[r#"
             failed  Neovim  ~/.config/nvim/init.lua:2:1: `cache.ttl` is one of `auto`, `5m`, `1h`, not "2h"; did you mean `1h`?
                             → `aside config schema --editor` has all keys.
            .
        "#]],
    );
    let lazy =
        "return { { dir = '~/aside/editors/neovim', name = 'aside', lazy = false, opts = { simulate = true } } }";
    check(
        &[(".config/nvim/lua/plugins/aside.lua", lazy)],
        expect![[r#"
                 ok  Neovim  the plugin is set up
            .
        "#]],
    );
    check(
        &[(".local/share/nvim/lazy/aside/editors/neovim/plugin/aside.lua", "")],
        expect![[r#"
                 ok  Neovim  the plugin is installed in ~/.local/share/nvim/lazy/aside/editors/neovim
            .
        "#]],
    );
}

#[test]
fn others() {
    let files = [
        (
            ".emacs.d/init.el",
            ";; \"aside\"\n(add-to-list 'eglot-server-programs '(python-mode . (\"aside\" \"serve\")))",
        ),
        (".config/kak/kakrc", "# set-option global lsp_servers aside"),
        (".config/kate/lspclient/settings.json", r#"{"servers": {"python": {"command": ["/opt/aside", "serve"]}}}"#),
    ];
    check(
        &files,
        expect![[r#"
                 ok  Emacs    named in ~/.emacs.d/init.el
            skipped  Kakoune  Aside is not set up in it
                              → `aside doctor --editor kakoune` says more.
             failed  Kate     ~/.config/kate/lspclient/settings.json: there is no program `/opt/aside`
                              → Add its folder to PATH, or write the full path, such as ASIDE.
            .
        "#]],
    );
}

#[test]
fn what_is_not_the_users_is_not_read() {
    let outside = home(&[("settings.toml", "[language-server.aside]\ncommand = \"secret\"\n")]);
    let home = home(&[(".config/helix/config.toml", ""), ("dotfiles/init.el", "(\"aside\" eglot)")]);
    let link = |from: PathBuf, to: &str| {
        let to = home.path().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(from, to).unwrap();
    };
    link(outside.path().join("settings.toml"), ".config/helix/languages.toml");
    link(home.path().join("dotfiles/init.el"), ".emacs");
    link("/dev/zero".into(), ".config/kate/lspclient/settings.json");
    std::fs::create_dir_all(home.path().join(".config/zed")).unwrap();
    std::fs::write(home.path().join(".config/zed/settings.json"), vec![b' '; 1024 * 1024 + 1]).unwrap();
    expect![[r#"
        skipped  Helix  ~/.config/helix/languages.toml was not looked into: it is a link that leads elsewhere
         failed  Emacs  ~/.emacs: `aside` is not on the PATH
                        → Add its folder to PATH, or write the full path, such as ASIDE.
        skipped  Zed    ~/.config/zed/settings.json was not looked into: it is larger than 1 MB
        skipped  Kate   ~/.config/kate/lspclient/settings.json was not looked into: it is not a file
        .
    "#]]
    .assert_eq(&shown(home.path(), None));
}

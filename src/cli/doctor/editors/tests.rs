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
        (Editor::Kakoune, &["docs/editors/kakoune.md"]),
        (Editor::Vim, &["docs/editors/vim.md"]),
        (Editor::Kate, &["docs/editors/kate.md"]),
    ] {
        let snippet = editor.snippet().unwrap();
        let read = |page: &&str| std::fs::read_to_string(top.join(page)).ok();
        let has = |page: String| page.replace("\r\n", "\n").contains(snippet.text.trim());
        assert!(pages.iter().filter_map(read).any(has), "{editor:?}: {pages:?} says something else");
    }
}

#[test]
fn the_plugins_options_are_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/neovim/lua/aside/config.lua");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, checks) = text.split_once("local checks = {\n").unwrap();
    let (checks, _) = checks.split_once("\n}\n").unwrap();
    let keys = checks.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut keys: Vec<&str> = keys.filter_map(|line| line.trim().split_once(" =")).map(|(key, _)| key).collect();
    keys.sort_unstable();
    let below = neovim::OF_THE_WINDOW.map(|name| format!("[\"window.{name}\"]"));
    let mut known: Vec<&str> = neovim::OPTIONS.into_iter().chain(below.iter().map(String::as_str)).collect();
    known.sort_unstable();
    assert_eq!(known, keys);
}

#[test]
fn snippets_are_right_themselves() {
    let files = [
        (".config/nvim/init.lua", Editor::Neovim.snippet().unwrap().text),
        (".config/helix/languages.toml", Editor::Helix.snippet().unwrap().text),
        (".config/helix/config.toml", "[editor.lsp]\ndisplay-progress-messages = true\n"),
        (".vscode/extensions/aside.aside-0.1.0-linux-x64/package.json", "{}"),
        (".emacs.d/init.el", Editor::Emacs.snippet().unwrap().text),
        (".config/kak/kakrc", &format!("eval %sh{{kak-lsp}}\n{}lsp-enable\n", Editor::Kakoune.snippet().unwrap().text)),
        (".vimrc", Editor::Vim.snippet().unwrap().text),
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
                 ok  Vim      set up for python, with ALE
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
    let extension = (".local/share/zed/extensions/installed/aside/extension.toml", "");
    check(
        &[("bin/hx*", ""), zed, extension],
        expect![[r#"
            skipped  Helix  Aside is not set up in it
                            → `aside doctor --editor helix` says more.
                 ok  Zed    the extension is installed
            .
        "#]],
    );
    check(
        &[zed],
        expect![[r#"
         failed  Zed  ~/.config/zed/settings.json has settings for Aside, and its extension is not installed
                      → Run `zed: install dev extension` in Zed, and choose the folder editors/zed of Aside's sources.
        .
    "#]],
    );
    check(
        &[("bin/zeditor*", "")],
        expect![[r#"
        warning  Zed  Aside is not set up in it
                      → Run `zed: install dev extension` in Zed, and choose the folder editors/zed of Aside's sources.
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
        &[(".config/nvim/init.lua", plugin), ("aside/editors/neovim/plugin/aside.lua", "")],
        expect![[r#"
             failed  Neovim  ~/.config/nvim/init.lua:2:1: `cache.ttl` is one of `auto`, `5m`, `1h`, not "2h"; did you mean `1h`?
                             → `aside config schema --editor` has all keys.
            .
        "#]],
    );
    let lazy =
        "return { { dir = '~/aside/editors/neovim', name = 'aside', lazy = false, opts = { simulate = true } } }";
    let there = ("aside/editors/neovim/plugin/aside.lua", "");
    check(
        &[(".config/nvim/lua/plugins/aside.lua", lazy), there],
        expect![[r#"
                 ok  Neovim  the plugin is set up
            .
        "#]],
    );
    let wrong = "return {\n  { 'x/y', opts = { a = 1 } },\n  { dir = '~/asid/editors/neovim', name = 'aside', opts = {\n\
                 simulated = true, cmd = { 'asside' }, window = { with = 3 }, settings = { modle = '' } } },\n}\n";
    check(
        &[(".config/nvim/lua/plugins/aside.lua", wrong), there],
        expect![[r#"
         failed  Neovim  ~/.config/nvim/lua/plugins/aside.lua:3:3: the plugin is not in ~/asid/editors/neovim
                         → It is the folder editors/neovim of a clone of the repository.
         failed  Neovim  ~/.config/nvim/lua/plugins/aside.lua:3:3: `asside` is not on the PATH
                         → Add its folder to PATH, or write the full path, such as ASIDE.
         failed  Neovim  ~/.config/nvim/lua/plugins/aside.lua:3:3: there is no `modle`; did you mean `model`?
                         → `aside config schema --editor` has all keys.
         failed  Neovim  ~/.config/nvim/lua/plugins/aside.lua:3:3: the plugin has no option `simulated`; did you mean `simulate`?
                         → `:help aside-options` has all.
         failed  Neovim  ~/.config/nvim/lua/plugins/aside.lua:3:3: the plugin has no option `window.with`
                         → `:help aside-options` has all.
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
        (".vimrc", "set hidden"),
        (".config/kate/lspclient/settings.json", r#"{"servers": {"python": {"command": ["/opt/aside", "serve"]}}}"#),
    ];
    check(
        &files,
        expect![[r#"
                 ok  Emacs    named in ~/.emacs.d/init.el
            skipped  Kakoune  Aside is not set up in it
                              → `aside doctor --editor kakoune` says more.
            skipped  Vim      Aside is not set up in it
                              → `aside doctor --editor vim` says more.
             failed  Kate     ~/.config/kate/lspclient/settings.json: there is no program `/opt/aside`
                              → Add its folder to PATH, or write the full path, such as ASIDE.
            warning  Kate     Kate does not say that it applies edits, so they arrive as documents
                              → Add `"initializationOptions": {"edits": {"assumeApply": true}}` to it.
            .
        "#]],
    );
}

#[test]
fn emacs() {
    let good = "(add-hook 'x #'y) ; )\n(setq a ?\\( b \"(\\\"\")\n";
    let eglot =
        |program: &str| format!("{good}(with-eval-after-load 'eglot\n  (add-to-list 'x '(python-mode {program})))\n");
    check(
        &[(".emacs", &eglot("\"aside\" \"serve\""))],
        expect![[r#"
             ok  Emacs  named in ~/.emacs
        .
    "#]],
    );
    check(
        &[(".emacs", &eglot("\"aside\""))],
        expect![[r#"
         failed  Emacs  ~/.emacs:4:33: the server's first argument is not `serve`
                        → The server is started by `aside serve`.
        .
    "#]],
    );
    check(
        &[(".emacs.d/init.el", &eglot("\"aside\" \"serve\"").replace(")))", "))"))],
        expect![[r#"
         failed  Emacs  ~/.emacs.d/init.el:3:1: the parentheses do not match
                        → Emacs then stops reading the file there: `M-x check-parens` goes to the place.
        .
    "#]],
    );
    check(
        &[(".emacs.d/init.el", &eglot("\"aside\" \"serve\"").replace(")))", "))))"))],
        expect![[r#"
         failed  Emacs  ~/.emacs.d/init.el:4:51: the parentheses do not match
                        → Emacs then stops reading the file there: `M-x check-parens` goes to the place.
        .
    "#]],
    );
}

#[test]
fn kakoune() {
    let good = Editor::Kakoune.snippet().unwrap().text;
    let wrong = good.replace("command =", "comand =").replace("\"serve\"", "\"server\"");
    check(
        &[(".config/kak/kakrc", &format!("eval %sh{{kak-lsp}}\n# x\n{wrong}"))],
        expect![[r#"
         failed  Kakoune  ~/.config/kak/kakrc:5:9: kak-lsp knows no `comand`; did you mean `command`?
                          → kak-lsp then starts no server at all.
         failed  Kakoune  ~/.config/kak/kakrc:5:9: the server's first argument is not `serve`
                          → The server is started by `aside serve`.
        warning  Kakoune  ~/.config/kak/kakrc: `lsp-enable` is missing
                          → Behind `eval %sh{kak-lsp}`, `lsp-enable` starts the servers of a buffer.
        .
    "#]],
    );
    check(
        &[(".config/kak/kakrc", &format!("{}lsp-enable", good.replace("[\"serve\"]", "serve")))],
        expect![[r#"
         failed  Kakoune  ~/.config/kak/kakrc:6:16: not TOML: string values must be quoted, expected literal string
                          → Put this into ~/.config/kak/kakrc:

        hook -group aside global BufSetOption filetype=(python|markdown) %{
            set-option -add buffer lsp_servers %{
                [aside]
                root_globs = [".git"]
                command = "aside"
                args = ["serve"]
            }
        }

        .
    "#]],
    );
    let older = "[language.python]\nfiletypes = [\"python\"]\n[language_server.aside]\nargs = [\"serve\"]\n\
                 [language_server.aside.settings]\nmodle = \"\"\n";
    check(
        &[(".config/kak-lsp/kak-lsp.toml", older)],
        expect![[r#"
         failed  Kakoune  ~/.config/kak-lsp/kak-lsp.toml: there is no `modle`; did you mean `model`?
                          → `aside config schema --editor` has all keys.
        .
    "#]],
    );
}

#[test]
fn vim() {
    let good = Editor::Vim.snippet().unwrap().text;
    let wrong = good.replace("'lsp': 'stdio', ", "").replace("%e serve", "%e").replace("': ['aside']", "': ['ruff']");
    let wrong = wrong.replace("assumeApply", "assume");
    check(
        &[(".vimrc", &format!("\" mine\nset nocompatible\n{wrong}"))],
        expect![[r#"
         failed  Vim  ~/.vimrc:3:1: ALE starts no server without `lsp`
                      → Put this into ~/.vimrc:

        call ale#linter#Define('python', {'name': 'aside', 'lsp': 'stdio', 'executable': 'aside', 'command': '%e serve',
          \ 'project_root': {buffer -> fnamemodify(bufname(buffer), ':p:h')},
          \ 'initialization_options': {'edits': {'assumeApply': v:true}}})
        let g:ale_linters = {'python': ['aside']}

         failed  Vim  ~/.vimrc:3:1: the server's first argument is not `serve`
                      → The server is started by `aside serve`.
         failed  Vim  ~/.vimrc:3:1: `g:ale_linters` does not name `aside` for python, so it never starts
                      → Add it there: `'python': ['aside']`.
        warning  Vim  ALE does not say that it applies edits, so they arrive as documents
                      → Add `'initialization_options': {'edits': {'assumeApply': v:true}}` to it.
        .
    "#]],
    );
    let told = (".config/aside/config.toml", "[edits]\nassume_apply = true\n");
    check(
        &[(".vimrc", &good.replace("assumeApply", "assume")), told],
        expect![[r#"
             ok  Vim  set up for python, with ALE
        .
    "#]],
    );
    let coc = "{ \"languageserver\": { \"aside\": { \"command\": \"aside\", \"args\": [\"--stdio\"],\n\
               // mine\n\"settings\": {\"modle\": \"\"} } } }";
    check(
        &[(".vim/coc-settings.json", coc)],
        expect![[r#"
         failed  Vim  ~/.vim/coc-settings.json: the server's first argument is not `serve`
                      → The server is started by `aside serve`.
         failed  Vim  ~/.vim/coc-settings.json: `filetypes` is missing, so coc never starts it
                      → Such as `"filetypes": ["python"]`.
         failed  Vim  ~/.vim/coc-settings.json: there is no `modle`; did you mean `model`?
                      → `aside config schema --editor` has all keys.
        .
    "#]],
    );
    let coc =
        coc.replace("\"--stdio\"", "\"serve\"").replace("\"settings\": {\"modle\": \"\"}", "\"filetypes\": [\"go\"]");
    check(
        &[(".vim/coc-settings.json", &coc)],
        expect![[r#"
             ok  Vim  set up for go, with coc
        .
    "#]],
    );
}

#[test]
fn what_is_not_the_users_is_not_read() {
    let outside = home(&[("settings.toml", "[language-server.aside]\ncommand = \"secret\"\n")]);
    let home = home(&[(".config/helix/config.toml", ""), ("dotfiles/init.el", "(\"aside\" \"serve\" eglot)")]);
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
         failed  Emacs  ~/.emacs:1:2: `aside` is not on the PATH
                        → Add its folder to PATH, or write the full path, such as ASIDE.
        skipped  Zed    ~/.config/zed/settings.json was not looked into: it is larger than 1 MB
        skipped  Kate   ~/.config/kate/lspclient/settings.json was not looked into: it is not a file
        .
    "#]]
    .assert_eq(&shown(home.path(), None));
}

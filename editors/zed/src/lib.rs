//! Tells Zed how Aside is started. Everything else is in the server.

use zed_extension_api::settings::{CommandSettings, LspSettings};
use zed_extension_api::{self as zed, Command, LanguageServerId, Worktree, serde_json};

struct Aside;

impl zed::Extension for Aside {
    fn new() -> Self {
        Self
    }

    /// `lsp.aside.binary` in the user's settings, or `aside` by the `PATH`.
    fn language_server_command(&mut self, server: &LanguageServerId, worktree: &Worktree) -> zed::Result<Command> {
        let binary = settings(server, worktree).and_then(|settings| settings.binary);
        let CommandSettings { path, arguments, env } =
            binary.unwrap_or(CommandSettings { path: None, arguments: None, env: None });
        let command = path.or_else(|| worktree.which("aside")).ok_or(
            "`aside` is not on the PATH. Install it with `cargo install --path .` in a clone of Aside, or set \
             `lsp.aside.binary.path`.",
        )?;
        let args = arguments.unwrap_or_else(|| vec!["serve".to_owned()]);
        // The key mostly stands in what the user's shell sets.
        let env = worktree.shell_env().into_iter().chain(env.into_iter().flatten()).collect();
        Ok(Command { command, args, env })
    }

    fn language_server_initialization_options(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> zed::Result<Option<serde_json::Value>> {
        Ok(settings(server, worktree).and_then(|settings| settings.initialization_options))
    }

    /// `lsp.aside.settings`, as the section that the server asks for.
    fn language_server_workspace_configuration(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> zed::Result<Option<serde_json::Value>> {
        let settings = settings(server, worktree).and_then(|settings| settings.settings);
        Ok(settings.map(|settings| serde_json::json!({ "aside": settings })))
    }
}

fn settings(server: &LanguageServerId, worktree: &Worktree) -> Option<LspSettings> {
    LspSettings::for_worktree(server.as_ref(), worktree).ok()
}

zed::register_extension!(Aside);

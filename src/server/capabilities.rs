//! What the client can do, read once, and what the server offers in turn.

use lsp_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProvider, CodeActionTag, CodeLensOptions,
    DiagnosticOptions, DiagnosticProvider, ExecuteCommandOptions, HoverProvider, LspAny, MarkupKind,
    PositionEncodingKind, ResourceOperationKind, Save, ServerCapabilities, TextDocumentContent,
    TextDocumentContentOptions, TextDocumentSync, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};

use super::ext;
use super::findings::{REPAIR_KIND, SOURCE};
use crate::actions;
use crate::workspace::positions::Encoding;

/// What the client can do, as far as Aside asks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent announcement of the client")]
pub(super) struct Capabilities {
    /// How it counts characters, as negotiated.
    pub(super) encoding: Encoding,
    /// It takes progress that the server starts.
    pub(super) work_done_progress: bool,
    /// It opens documents when asked.
    pub(super) show_document: bool,
    /// It applies edits when asked.
    pub(super) apply_edit: bool,
    /// It creates files as part of an edit.
    pub(super) create_file: bool,
    /// It asks its user before it makes changes that are marked so.
    pub(super) confirms_changes: bool,
    /// It answers `workspace/configuration`.
    pub(super) configuration: bool,
    /// It asks its user a question when told to.
    pub(super) message_requests: bool,
    /// It can be asked to tell of files that change.
    pub(super) watches_files: bool,
    /// It asks for the content of documents that exist only here.
    pub(super) virtual_documents: bool,
    /// It marks code actions that a language model makes.
    pub(super) action_tags: bool,
    /// It shows code actions that are more than a command.
    pub(super) code_action_literals: bool,
    /// It shows commands above lines of code.
    pub(super) code_lens: bool,
    /// It asks for its code lenses again when told to.
    pub(super) code_lens_refresh: bool,
    /// Its hovers render Markdown; one that does not say so is taken to.
    pub(super) markdown_hover: bool,
    /// It does not hold the version of an edit against a document whose version is 0. Its next one is larger than 1.
    pub(super) unchecked_zero: bool,
    /// It asks for diagnostics, and does not want to be told of them.
    pub(super) pulls_diagnostics: bool,
    /// It asks for its diagnostics again when told to.
    pub(super) diagnostic_refresh: bool,
    /// It wants `aside/stream`.
    pub(super) stream: bool,
    /// It wants `aside/status`.
    pub(super) status: bool,
    /// It shows proposed edits itself.
    pub(super) preview: bool,
    /// It asks its user for a prompt where an action wants one.
    pub(super) prompt: bool,
}

impl Capabilities {
    /// Reads the announcement.
    pub(super) fn new(client: &ClientCapabilities) -> Self {
        let window = client.window.as_ref();
        let workspace = client.workspace.as_ref();
        let action = client.text_document.as_ref().and_then(|document| document.code_action.as_ref());
        let hover = client.text_document.as_ref().and_then(|document| document.hover.as_ref());
        let hover_formats = hover.and_then(|hover| hover.content_format.as_deref());
        let edit = workspace.and_then(|workspace| workspace.workspace_edit.as_ref());
        let operations = edit.and_then(|edit| edit.resource_operations.as_deref()).unwrap_or_default();
        let own = |name: &str| {
            let aside = client.experimental.as_ref().and_then(|experimental| experimental.get("aside"));
            aside.and_then(|aside| aside.get(name)).and_then(LspAny::as_bool).unwrap_or(false)
        };
        Self {
            encoding: encoding(client),
            work_done_progress: window.and_then(|window| window.work_done_progress).unwrap_or(false),
            show_document: window.and_then(|window| window.show_document.as_ref()).is_some_and(|show| show.support),
            apply_edit: workspace.and_then(|workspace| workspace.apply_edit).unwrap_or(false),
            create_file: operations.contains(&ResourceOperationKind::Create),
            confirms_changes: edit.is_some_and(|edit| edit.change_annotation_support.is_some()),
            configuration: workspace.and_then(|workspace| workspace.configuration).unwrap_or(false),
            message_requests: window.is_some_and(|window| window.show_message.is_some()),
            watches_files: workspace
                .and_then(|workspace| workspace.did_change_watched_files.as_ref())
                .and_then(|files| files.dynamic_registration)
                .unwrap_or(false),
            virtual_documents: workspace.is_some_and(|workspace| workspace.text_document_content.is_some()),
            action_tags: action
                .and_then(|action| action.tag_support.as_ref())
                .is_some_and(|tags| tags.value_set.contains(&CodeActionTag::LLMGenerated)),
            code_action_literals: action.is_some_and(|action| action.code_action_literal_support.is_some()),
            code_lens: client.text_document.as_ref().is_some_and(|document| document.code_lens.is_some()),
            code_lens_refresh: workspace
                .and_then(|workspace| workspace.code_lens.as_ref())
                .and_then(|lens| lens.refresh_support)
                .unwrap_or(false),
            pulls_diagnostics: client
                .text_document
                .as_ref()
                .is_some_and(|document| document.diagnostic.is_some() && document.publish_diagnostics.is_none()),
            diagnostic_refresh: workspace
                .and_then(|workspace| workspace.diagnostics.as_ref())
                .and_then(|diagnostics| diagnostics.refresh_support)
                .unwrap_or(false),
            markdown_hover: hover_formats.is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            unchecked_zero: false,
            stream: own("stream"),
            status: own("status"),
            preview: own("preview"),
            prompt: own("prompt"),
        }
    }

    /// What the client's name tells besides.
    pub(super) fn of_client(self, name: &str) -> Self {
        Self { unchecked_zero: name == "Neovim", ..self }
    }

    /// Before `initialize`: nothing.
    pub(super) fn none() -> Self {
        Self::new(&ClientCapabilities::default())
    }
}

/// The first of the client's encodings that the server knows, which is any of the three; UTF-16 when it names none.
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client.general.as_ref().and_then(|general| general.position_encodings.as_deref()).unwrap_or_default();
    let known = offered.iter().find_map(|kind| match kind {
        PositionEncodingKind::UTF8 => Some(Encoding::Utf8),
        PositionEncodingKind::UTF16 => Some(Encoding::Utf16),
        PositionEncodingKind::UTF32 => Some(Encoding::Utf32),
        PositionEncodingKind::Custom(_) => None,
    });
    known.unwrap_or(Encoding::Utf16)
}

/// What the server offers to this client.
pub(super) fn server_capabilities(client: &Capabilities) -> ServerCapabilities {
    let encoding = match client.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
        Encoding::Utf32 => PositionEncodingKind::UTF32,
    };
    // Users' own actions come later, below these.
    let own = ["refactor.aside", "refactor.rewrite.aside", "quickfix.aside"];
    let kinds = actions::catalogue().iter().map(|action| action.kind.as_str()).chain(own).chain([REPAIR_KIND]);
    let kinds = kinds.map(|kind| CodeActionKind::from(kind.to_owned())).collect();
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            save: Some(Save::Bool(true)),
            ..TextDocumentSyncOptions::default()
        })),
        diagnostic_provider: client.pulls_diagnostics.then(|| {
            DiagnosticProvider::DiagnosticOptions(DiagnosticOptions {
                identifier: Some(SOURCE.to_owned()),
                inter_file_dependencies: false,
                workspace_diagnostics: false,
                ..DiagnosticOptions::default()
            })
        }),
        hover_provider: Some(HoverProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(kinds),
            ..CodeActionOptions::default()
        })),
        // The settings say later whether there are any, and some editors never ask a server that did not offer them.
        code_lens_provider: client.code_lens.then(CodeLensOptions::default),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: ext::COMMANDS.iter().map(|command| (*command).to_owned()).collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(true.into()),
            }),
            file_operations: None,
            text_document_content: client.virtual_documents.then(|| {
                TextDocumentContent::Options(TextDocumentContentOptions {
                    schemes: vec![ext::EXPLANATION_SCHEME.to_owned()],
                })
            }),
        }),
        ..ServerCapabilities::default()
    }
}

//! Choosing what is worth its tokens: what the selection names first, and only what fits, whole.

use std::borrow::Cow;
use std::path::Path;
use std::rc::Rc;

use super::{Context, Form, Piece, PieceKind};
use crate::prompt::document::{Lines, WHOLE_DOCUMENT_TOKENS};
use crate::workspace::references::{
    Definition, Name, Project, Role, Source, callers, definitions, names, own_definitions,
};
use crate::workspace::roots::relative;
use crate::workspace::secrets::beginning;
use crate::workspace::syntax::{ItemKind, Syntax};
use crate::workspace::test_files::{Files, nearest_tests};
use crate::workspace::{Diagnostic, Language, Span};

/// What is known of a selection's surroundings.
pub struct Around<'a> {
    /// The action's id.
    pub action: &'a str,
    /// The workspace folder; nothing outside of it is read.
    pub root: &'a Path,
    /// The document's path; it need not be saved.
    pub path: &'a Path,
    /// Its language.
    pub language: &'static Language,
    /// Its text.
    pub text: &'a str,
    /// The same, parsed, as far as it can be.
    pub syntax: Box<dyn Fn() -> Option<Syntax> + 'a>,
    /// What is selected.
    pub selection: Span,
    /// Whether the model sees the whole document; else definitions from it are worth sending too.
    pub document_is_whole: bool,
    /// Whether there is a test file to add to, which the model sees; else a test from elsewhere shows the style.
    pub has_tests: bool,
    /// Whether secrets are kept back (`privacy.redact`).
    pub redact: bool,
    /// What other tools say about the document.
    pub diagnostics: &'a [Diagnostic],
    /// The most tokens of context; `None` leaves it to the action.
    pub max_tokens: Option<u64>,
}

/// What an action wants to know, in the order in which it may take from the budget.
struct Policy {
    action: &'static str,
    tokens: u64,
    wants: &'static [Want],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// What is defined elsewhere, whole where it is short.
    Definitions,
    /// The same, without bodies.
    Signatures,
    Callers,
    Example,
    Diagnostics,
}

/// Explanations and tests depend on what is called; types on signatures and on what callers pass; documentation mostly on
/// the code itself.
static POLICIES: &[Policy] = &[
    Policy { action: "explain", tokens: 3000, wants: &[Want::Diagnostics, Want::Definitions, Want::Callers] },
    Policy { action: "write-tests", tokens: 4000, wants: &[Want::Definitions, Want::Example, Want::Callers] },
    Policy { action: "add-type-hints", tokens: 2500, wants: &[Want::Callers, Want::Diagnostics, Want::Signatures] },
    Policy { action: "document", tokens: 1000, wants: &[Want::Signatures] },
    Policy { action: "simplify", tokens: 2000, wants: &[Want::Diagnostics, Want::Signatures, Want::Callers] },
    Policy { action: "review", tokens: 4000, wants: &[Want::Diagnostics, Want::Definitions, Want::Callers] },
    Policy { action: FIX, tokens: 4000, wants: &[Want::Diagnostics, Want::Definitions, Want::Callers] },
    Policy { action: "implement", tokens: 4000, wants: &[Want::Definitions, Want::Callers, Want::Diagnostics] },
];

/// What other tools say is this action's task, and no context that could be left out.
const FIX: &str = "fix";

/// For actions that are not named above.
static OTHERS: Policy =
    Policy { action: "", tokens: 3000, wants: &[Want::Diagnostics, Want::Definitions, Want::Callers] };

/// A definition with more lines is shown without the bodies of its members, or without its own.
const MAX_WHOLE_LINES: usize = 40;

/// No single piece takes more than this share of the budget, so that one large class does not crowd out all the others.
const LARGEST_SHARE: u64 = 2;

/// So many names of a selection are looked up.
const MAX_NAMES: usize = 120;

/// No definition with its tags is smaller.
const LEAST_TOKENS: u64 = 25;

const MAX_CALLERS: usize = 6;
const MAX_DIAGNOSTICS: usize = 10;

/// A message is cut here; what compilers say beyond it is rarely about the selection.
const MAX_MESSAGE_CHARS: usize = 600;

/// How much of a test file shows the style: its head, and as many tests as fit into this share of the budget.
const EXAMPLE_SHARE: u64 = 4;

/// Files larger than this are not looked into for an example.
const MAX_EXAMPLE_BYTES: usize = 64 * 1024;

/// Whether an action has a use for what other tools say.
pub fn wants_diagnostics(action: &str) -> bool {
    policy(action).wants.contains(&Want::Diagnostics)
}

/// Whether a document is so large that it may be sent as an excerpt. A guess that is cheap: where it is wrong, a few
/// definitions are sent twice.
pub fn may_be_excerpt(text: &str) -> bool {
    text.len() as u64 / 3 > WHOLE_DOCUMENT_TOKENS
}

fn policy(action: &str) -> &'static Policy {
    POLICIES.iter().find(|policy| policy.action == action).unwrap_or(&OTHERS)
}

/// The context of a selection, within its budget by the estimate `tokens`. Equal inputs give equal contexts.
pub fn gather(around: &Around<'_>, files: &dyn Files, tokens: &dyn Fn(&str) -> u64) -> Context {
    let policy = policy(around.action);
    let budget = around.max_tokens.unwrap_or(policy.tokens);
    let mut basket = Basket { budget, left: budget, pieces: Vec::new(), tokens };
    // Whoever only warms the cache selects nothing.
    if around.selection.is_empty() {
        return Context::default();
    }
    if around.action == FIX {
        basket.pieces.extend(diagnosed(around));
    }
    if budget == 0 {
        return Context { pieces: basket.pieces };
    }
    let project = Project::new(around.root, files);
    let wants_code = policy.wants.iter().any(|want| *want != Want::Diagnostics);
    let syntax = if wants_code { (around.syntax)() } else { None };
    let source = syntax.map(|syntax| project.put(Source::new(around.path, around.language, syntax)));
    for want in policy.wants {
        match (want, &source) {
            (Want::Diagnostics, _) if around.action == FIX => {}
            (Want::Diagnostics, _) => {
                for piece in diagnosed(around) {
                    basket.take([piece], budget / LARGEST_SHARE);
                }
            }
            (Want::Definitions, Some(source)) => defined(around, &project, source, true, &mut basket),
            (Want::Signatures, Some(source)) => defined(around, &project, source, false, &mut basket),
            (Want::Callers, Some(source)) => called(around, source, &mut basket),
            (Want::Example, Some(_)) => example(around, &project, files, &mut basket),
            (_, None) => {}
        }
    }
    let mut pieces = basket.pieces;
    // What came first is what mattered most; the reader is served better by one kind after the other.
    pieces.sort_by_key(|piece| piece.kind);
    Context { pieces }
}

/// What was taken, and what may still be.
struct Basket<'a> {
    budget: u64,
    left: u64,
    pieces: Vec<Piece>,
    tokens: &'a dyn Fn(&str) -> u64,
}

impl Basket<'_> {
    /// Takes the first of several forms of one thing that fits; whether one did.
    fn take(&mut self, forms: impl IntoIterator<Item = Piece>, most: u64) -> bool {
        for piece in forms {
            // With the line that separates it from the next.
            let tokens = (self.tokens)(&piece.wrapped()) + 1;
            if tokens <= self.left.min(most) {
                self.left -= tokens;
                self.pieces.push(piece);
                return true;
            }
        }
        false
    }
}

impl Basket<'_> {
    /// Leaves out of the piece that was taken last what only the rest of its file tells to be a secret; `span` is where
    /// in it a form of the piece stands. An outline is all that matters of its item, so it tells by itself.
    fn without_secrets(&mut self, source: &Source, redact: bool, span: impl Fn(Form) -> Span) {
        let Some(piece) = self.pieces.last_mut().filter(|piece| redact && piece.form != Form::Outline) else { return };
        if let Cow::Owned(left) = source.whole().piece(span(piece.form)) {
            piece.text = left;
        }
    }
}

fn lines(text: &str, span: &Span) -> (usize, usize) {
    let lines = Lines::of(text, span);
    (lines.first, lines.last)
}

fn defined(around: &Around<'_>, project: &Project<'_>, source: &Rc<Source>, whole: bool, basket: &mut Basket<'_>) {
    let mut used: Vec<Name> = names(&source.syntax, &around.selection);
    used.truncate(MAX_NAMES);
    // What is called or is a type says most; among equals the first.
    used.sort_by_key(|name| name.role == Role::Value);
    let mut taken: Vec<(std::path::PathBuf, Span)> = Vec::new();
    let mut later = Vec::new();
    for name in &used {
        // What does not fit need not be found.
        if basket.left < LEAST_TOKENS {
            return;
        }
        let own = if around.document_is_whole { Vec::new() } else { own_definitions(source, name, &around.selection) };
        let found = if own.is_empty() { definitions(project, source, name) } else { own };
        let mut found = found.into_iter();
        if let Some(definition) = found.next() {
            take_definition(around, &definition, whole, basket, &mut taken);
        }
        later.extend(found);
    }
    // The classes around what was used come after everything that was.
    for definition in later {
        take_definition(around, &definition, false, basket, &mut taken);
    }
}

fn take_definition(
    around: &Around<'_>,
    definition: &Definition,
    whole: bool,
    basket: &mut Basket<'_>,
    taken: &mut Vec<(std::path::PathBuf, Span)>,
) {
    let span = definition.span();
    let covers = |(path, earlier): &(std::path::PathBuf, Span)| {
        path == definition.path() && earlier.start <= span.start && span.end <= earlier.end
    };
    if taken.iter().any(covers) {
        return;
    }
    let text = definition.source.text();
    let lines = lines(text, &span);
    let piece = |form, text| Piece {
        kind: PieceKind::Definition,
        path: relative(definition.path(), around.root),
        lines,
        name: definition.item().name.clone(),
        form,
        text,
    };
    let is_short = lines.1 - lines.0 < MAX_WHOLE_LINES;
    let is_code = matches!(definition.item().kind, ItemKind::Function | ItemKind::Method);
    // Without a body there is nothing to leave out, and fields are what a type is.
    let is_bare = definition.item().body.is_none();
    let outline = definition.outline();
    let mut forms = Vec::with_capacity(3);
    if is_bare || (is_short && (whole || (!is_code && outline.is_none()))) {
        forms.push(piece(Form::Whole, definition.whole()));
    }
    if !is_code && let Some(outline) = outline {
        forms.push(piece(Form::Outline, outline));
    }
    forms.push(piece(Form::Signature, definition.signature()));
    if basket.take(forms, basket.budget / LARGEST_SHARE) {
        basket.without_secrets(&definition.source, around.redact, |form| match form {
            Form::Signature => definition.signature_span(),
            _ => definition.span(),
        });
        taken.push((definition.path().to_owned(), span));
    }
}

fn called(around: &Around<'_>, source: &Source, basket: &mut Basket<'_>) {
    for caller in callers(source, &around.selection).into_iter().take(MAX_CALLERS) {
        let piece = Piece {
            kind: PieceKind::Caller,
            path: relative(around.path, around.root),
            lines: lines(around.text, &caller.span),
            name: caller.within,
            form: Form::Whole,
            text: around.text[caller.span.clone()].to_owned(),
        };
        if basket.take([piece], basket.budget / LARGEST_SHARE) {
            basket.without_secrets(source, around.redact, |_| caller.span.clone());
        }
    }
}

/// The beginning of the nearest test of the same language, up to a few whole tests.
fn example(around: &Around<'_>, project: &Project<'_>, files: &dyn Files, basket: &mut Basket<'_>) {
    if around.has_tests {
        return;
    }
    let same = |path: &&std::path::PathBuf| path.extension() == around.path.extension();
    let tests = nearest_tests(around.path, around.language, Some(around.root), files);
    let found = tests.iter().filter(same).take(3).filter_map(|path| project.source(path));
    for test in found.filter(|test| test.text().len() <= MAX_EXAMPLE_BYTES) {
        let most = basket.budget / EXAMPLE_SHARE;
        let ends = test.items.iter().filter(|item| item.parent.is_none()).map(|item| item.span.end);
        // Suites that are calls, such as `describe`, are no items: the file has to fit as it is.
        let ends: Vec<usize> = ends.chain([test.text().trim_end().len()]).collect();
        let forms = ends.iter().rev().map(|end| {
            let span = 0..*end;
            let form = if *end >= test.text().trim_end().len() { Form::Whole } else { Form::Excerpt };
            Piece {
                kind: PieceKind::Example,
                path: relative(&test.path, around.root),
                lines: lines(test.text(), &span),
                name: String::new(),
                form,
                text: test.text()[span].to_owned(),
            }
        });
        if basket.take(forms, most) {
            let length = basket.pieces.last().map_or(0, |piece| piece.text.len());
            basket.without_secrets(&test, around.redact, |_| 0..length);
            return;
        }
    }
}

/// What other tools say about the selection, the worst first.
fn diagnosed(around: &Around<'_>) -> Vec<Piece> {
    let selection = &around.selection;
    let touches = |span: &Span| span.start < selection.end && selection.start < span.end.max(span.start + 1);
    let mut found: Vec<&Diagnostic> = around.diagnostics.iter().filter(|one| touches(&one.span)).collect();
    found.sort_by(|a, b| {
        let key = |one: &Diagnostic| (one.severity, one.span.start, one.span.end);
        key(a).cmp(&key(b)).then_with(|| (&a.message, &a.source).cmp(&(&b.message, &b.source)))
    });
    found.dedup();
    let piece = |one: &Diagnostic| {
        let mut message = beginning(&one.message, MAX_MESSAGE_CHARS).to_owned();
        if message.len() < one.message.len() {
            message.push('…');
        }
        let source = if one.source.is_empty() { String::new() } else { format!(", {}", one.source) };
        Piece {
            kind: PieceKind::Diagnostic,
            path: relative(around.path, around.root),
            lines: lines(around.text, &one.span),
            name: if around.action == FIX { pointed_at(around.text, &one.span) } else { String::new() },
            form: Form::Whole,
            text: format!("{}{source}: {message}", one.severity.as_str()),
        }
    };
    found.into_iter().take(MAX_DIAGNOSTICS).map(piece).collect()
}

/// What a complaint points at, where that is a piece of one line: a line may hold several that are alike.
fn pointed_at(text: &str, span: &Span) -> String {
    const LONGEST: usize = 80;
    let code = &text[span.clone()];
    if code.contains(['\n', '\r']) || code.chars().count() > LONGEST { String::new() } else { code.trim().to_owned() }
}

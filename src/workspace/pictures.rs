//! Links to pictures: where they are in a text, where they lead, and where their alternative text stands.
//!
//! The menu asks at every move of a cursor, so only the neighbourhood of the selection is looked at, and nothing is parsed
//! that is not a link.

mod escape;
mod markdown;
mod tag;
#[cfg(test)]
mod tests;

use ropey::Rope;

use super::positions::floor_char_boundary;
use super::{Language, Span};

/// So many bytes before and behind the selection are looked at.
const NEIGHBOURHOOD: usize = 8 * 1024;

/// More than this is no place in a text.
const LONGEST_SELECTION: usize = 64 * 1024;

/// A link to a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureLink {
    /// All of it, from `![` or `<img` or `url(` on.
    pub span: Span,
    /// Where the picture is: an address or a path, as the text has it but for its escapes.
    pub target: String,
    /// Where its alternative text stands; none where there can be none.
    pub alternative: Option<Alternative>,
}

/// The place of an alternative text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// What is to be replaced; empty where there is no such text yet.
    pub span: Span,
    form: Form,
    /// The text is inside of a JSON string.
    in_json: bool,
}

/// How an alternative text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Between the brackets of Markdown.
    Markdown,
    /// As the value of an attribute, between these quotes.
    Value(char),
    /// With quotes of its own.
    Quoted,
    /// As an attribute that is not there yet, behind another one.
    Attribute,
}

/// What a language's links look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Markdown,
    /// Markdown in the strings of a notebook's file.
    Notebook,
    Tags,
    Style,
}

/// What the API takes a picture to be, by the endings of names that say something else.
const OTHER_ENDINGS: &[&str] = &[
    "svg", "svgz", "avif", "bmp", "ico", "tif", "tiff", "heic", "heif", "jxl", "psd", "pdf", "mp4", "webm", "mov",
    "woff", "woff2", "ttf", "otf", "eot", "css", "scss", "less",
];

impl PictureLink {
    /// The link with another alternative text, which is escaped for its place.
    pub fn described(&self, text: &str, alternative: &str) -> Option<String> {
        let place = self.alternative.as_ref()?;
        let written = place.written(alternative);
        Some(format!("{}{written}{}", &text[self.span.start..place.span.start], &text[place.span.end..self.span.end]))
    }

    /// Whether the name does not speak against a picture of a kind that models see.
    pub fn may_be_seen(&self) -> bool {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
        !ending.is_some_and(|ending| OTHER_ENDINGS.iter().any(|other| other.eq_ignore_ascii_case(ending)))
    }

    /// The last part of where it leads, to name it by.
    pub fn name(&self) -> &str {
        let path = self.target.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        path.rsplit('/').next().unwrap_or_default()
    }
}

impl Alternative {
    fn written(&self, alternative: &str) -> String {
        let text = match self.form {
            Form::Markdown => escape::markdown(alternative),
            Form::Value(quote) => escape::attribute(alternative, quote),
            Form::Quoted => format!("\"{}\"", escape::attribute(alternative, '"')),
            Form::Attribute => format!(" alt=\"{}\"", escape::attribute(alternative, '"')),
        };
        if self.in_json { escape::json(&text) } else { text }
    }
}

/// Whether texts of a language, or of a file with this path, can have links to pictures.
pub fn has_links(language: &Language, path: &str) -> bool {
    dialect(language, path).is_some()
}

fn dialect(language: &Language, path: &str) -> Option<Dialect> {
    match language.id {
        _ if path.to_ascii_lowercase().ends_with(".ipynb") && language.id != "markdown" => Some(Dialect::Notebook),
        "markdown" => Some(Dialect::Markdown),
        "html" | "vue" | "svelte" | "astro" | "handlebars" | "blade" | "eex" | "erb" | "razor" | "php"
        | "javascriptreact" | "typescriptreact" => Some(Dialect::Tags),
        "css" | "scss" | "less" | "stylus" => Some(Dialect::Style),
        _ => None,
    }
}

/// The one link that a selection touches, or that is on the line of a cursor.
pub fn link_at(language: &Language, path: &str, text: &Rope, selection: &Span) -> Option<PictureLink> {
    let dialect = dialect(language, path)?;
    if selection.len() > LONGEST_SELECTION {
        return None;
    }
    let start = floor_char_boundary(text, selection.start.saturating_sub(NEIGHBOURHOOD));
    let end = floor_char_boundary(text, (selection.end + NEIGHBOURHOOD).min(text.len_bytes()));
    let near = text.byte_slice(start..end).to_string();
    let found = links(dialect, &near, start);
    let touched: Vec<_> =
        found.iter().filter(|link| link.span.start <= selection.end && selection.start <= link.span.end).collect();
    let on_line: Vec<_> = {
        let line = |offset: usize| text.byte_to_line(offset);
        let (first, last) = (line(selection.start), line(selection.end));
        found.iter().filter(|link| line(link.span.start) <= last && first <= line(link.span.end)).collect()
    };
    let is_inside = |link: &&&PictureLink| link.span.start <= selection.start && selection.end < link.span.end;
    let link = match (touched.as_slice(), on_line.as_slice()) {
        ([only], _) | ([], [only]) => *only,
        // Of two links that meet, the one that the cursor stands on.
        (several, _) => several.iter().find(is_inside).copied()?,
    };
    let mut link = link.clone();
    if let Some(label) = link.target.strip_prefix('[') {
        link.target = markdown::definition(&text.to_string(), label, &link.span)?;
    }
    Some(link)
}

/// All links of a text whose first byte is `base` of the document. The target of one that names a definition is `[` and the
/// definition's label.
fn links(dialect: Dialect, text: &str, base: usize) -> Vec<PictureLink> {
    let mut found = match dialect {
        Dialect::Markdown => {
            let tags = tag::links(text);
            let is_in_tag = |at: usize| tags.iter().any(|tag| tag.span.start < at && at < tag.span.end);
            let mut found = markdown::links(text, false);
            // Markdown reads tags before brackets: what is inside of one neither opens a link nor closes it.
            found.retain(|link| !is_in_tag(link.span.start) && !is_in_tag(link.span.end));
            found.extend(tags);
            found
        }
        Dialect::Notebook => markdown::links(text, true),
        Dialect::Tags => tag::links(text),
        Dialect::Style => style(text),
    };
    let moved = |span: &mut Span| *span = span.start + base..span.end + base;
    for link in &mut found {
        moved(&mut link.span);
        if let Some(alternative) = &mut link.alternative {
            moved(&mut alternative.span);
        }
    }
    found
}

/// `url(…)`, with quotes or without.
fn style(text: &str) -> Vec<PictureLink> {
    let mut found = Vec::new();
    for (start, open) in text.match_indices("url(") {
        let inner = start + open.len();
        let rest = &text[inner..];
        let blanks = rest.len() - rest.trim_start().len();
        let quote = rest.trim_start().chars().next().filter(|c| matches!(c, '"' | '\''));
        let from = blanks + usize::from(quote.is_some());
        let Some(length) = rest[from..].find(|c| Some(c) == quote || (quote.is_none() && c == ')') || c == '\n') else {
            continue;
        };
        let target = rest[from..from + length].trim();
        let Some(close) = rest[from + length..].find(')') else { continue };
        if !target.is_empty() && !target.starts_with('#') {
            found.push(PictureLink {
                span: start..inner + from + length + close + 1,
                target: target.to_owned(),
                alternative: None,
            });
        }
    }
    found
}

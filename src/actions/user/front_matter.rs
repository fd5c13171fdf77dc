//! Front matter: YAML between two lines of dashes, as far as it is a list of keys with values or lists of values. Anchors,
//! tags and nesting have no use here, so there is nothing that could grow.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::Problem;

/// A file in its two parts.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// The keys, in order.
    pub(super) entries: Vec<Entry>,
    /// What stands below.
    pub(super) body: &'a str,
    /// The line of the file, from 0, that the body begins with.
    pub(super) first_line: usize,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Text,
    pub(super) value: Value,
}

/// What a key has.
#[derive(Debug)]
pub(super) enum Value {
    One(Text),
    Many(Vec<Text>),
    /// Something that no key takes.
    Other,
}

/// A word of the file, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) word: String,
    line: usize,
    columns: Range<usize>,
}

impl Text {
    /// Something that is wrong here.
    pub(super) fn problem(&self, message: String) -> Problem {
        Problem { line: self.line, columns: self.columns.clone(), message }
    }
}

/// Takes a file apart.
pub(super) fn front_matter(text: &str) -> Result<Parts<'_>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_mark = |line: &str| line.trim_end() == "---";
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_mark(line)) else {
        return Err(Problem::whole(
            "an action begins with front matter: a line `---`, keys such as `title: check the SQL`, and a line `---`",
        ));
    };
    let start = first.len();
    let mut end = start;
    for (count, line) in (1..).zip(lines) {
        if is_mark(line) {
            let entries = entries(&text[start..end])?;
            return Ok(Parts { entries, body: &text[end + line.len()..], first_line: count + 1 });
        }
        end += line.len();
    }
    Err(Problem::whole("the front matter has no end: a line `---` behind its last key"))
}

fn entries(yaml: &str) -> Result<Vec<Entry>, Problem> {
    let mut events = Parser::new_from_str(yaml).map(|next| {
        next.map_err(|error| {
            let (line, column) = place(error.marker().line(), error.marker().col());
            Problem { line, columns: column..column + 1, message: format!("this is not YAML: {}", error.info()) }
        })
    });
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(next) = events.next() {
        let (event, span) = next?;
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
            // Comments alone are an empty value.
            Event::Scalar(value, ..) if value.is_empty() || value == "~" => {}
            Event::MappingStart(..) if entries.is_empty() => {
                while let Some(key) = node(&mut events)? {
                    let Node::One(key) = key else { return Err(key.text().problem(NOT_KEYS.to_owned())) };
                    if entries.iter().any(|known| known.key.word == key.word) {
                        return Err(key.problem(format!("`{}` is there already", key.word.escape_debug())));
                    }
                    let value = node(&mut events)?.map_or_else(|| Value::Other, value);
                    entries.push(Entry { key, value });
                }
            }
            _ => return Err(text(&span, "").problem(NOT_KEYS.to_owned())),
        }
    }
    Ok(entries)
}

/// They could make much of little, and what they would save is a word.
const ANCHORS: &str = "anchors and aliases have no use here";

/// A value of the YAML.
enum Node {
    One(Text),
    Many(Text, Vec<Node>),
    Section(Text),
}

impl Node {
    fn text(&self) -> &Text {
        match self {
            Self::One(text) | Self::Many(text, _) | Self::Section(text) => text,
        }
    }
}

/// The next value; none at the end of what it would be in. The parser limits how deep values may be nested.
fn node<'i>(events: &mut impl Iterator<Item = Result<(Event<'i>, Span), Problem>>) -> Result<Option<Node>, Problem> {
    let Some(next) = events.next() else { return Ok(None) };
    let (event, span) = next?;
    let here = |value: &str| text(&span, value);
    // Of those that have none it is 0.
    if let Event::Scalar(_, _, 1.., _) | Event::SequenceStart(_, 1.., _) | Event::MappingStart(_, 1.., _) = event {
        return Err(here("").problem(ANCHORS.to_owned()));
    }
    Ok(Some(match event {
        // The parser's word for a value that is not there.
        Event::Scalar(value, ScalarStyle::Plain, ..) if value == "~" => Node::One(here("")),
        Event::Scalar(value, ..) => Node::One(here(&value)),
        Event::SequenceStart(..) => {
            let mut nodes = Vec::new();
            while let Some(inner) = node(events)? {
                nodes.push(inner);
            }
            Node::Many(here(""), nodes)
        }
        Event::MappingStart(..) => {
            while node(events)?.is_some() {}
            Node::Section(here(""))
        }
        Event::SequenceEnd | Event::MappingEnd => return Ok(None),
        _ => return Err(here("").problem(ANCHORS.to_owned())),
    }))
}

/// What a value is to a key.
fn value(node: Node) -> Value {
    match node {
        Node::One(text) => Value::One(text),
        Node::Section(_) => Value::Other,
        Node::Many(_, nodes) => {
            let texts = nodes.into_iter().map(|node| if let Node::One(text) = node { Some(text) } else { None });
            texts.collect::<Option<Vec<_>>>().map_or(Value::Other, Value::Many)
        }
    }
}

const NOT_KEYS: &str = "front matter is a list of keys, such as `title: check the SQL`";

fn text(span: &Span, text: &str) -> Text {
    let (line, start) = place(span.start.line(), span.start.col());
    let (last, end) = place(span.end.line(), span.end.col());
    let end = if last == line { end } else { start };
    Text { word: text.to_owned(), line, columns: start..end.max(start) }
}

/// A place of the YAML in the file: the first line is the dashes. The parser counts lines from 1 and columns from 0.
fn place(line: usize, column: usize) -> (usize, usize) {
    (line.max(1), column)
}

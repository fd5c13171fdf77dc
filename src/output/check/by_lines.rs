//! A text as its lines, for files that the grammar does not know all of: there, a comment more or less can change how
//! the rest is read, though it is the same code.

use super::stream::{Comment, Event, Stream, Token};
use crate::output::lines::lines;

/// The same text with its lines, without comments, as tokens. What is erased beside comments is not known here.
pub(super) fn by_lines<'a>(stream: &Stream<'a>) -> Stream<'a> {
    let mut out = Stream {
        text: stream.text,
        root: stream.root,
        events: Vec::new(),
        tokens: Vec::new(),
        comments: Vec::new(),
        annotations: Vec::new(),
        imports: Vec::new(),
        definitions: Vec::new(),
    };
    let mut comments = stream.comments.iter().peekable();
    let mut begun = 0;
    while begun < stream.text.len() {
        let end = begun + lines(&stream.text[begun..]).next().map_or(0, |line| line.len());
        let mut pieces: Vec<&str> = Vec::new();
        let mut at = begun;
        let mut line_end = end;
        while let Some(comment) = comments.next_if(|comment| comment.start < line_end) {
            pieces.extend(code(&stream.text[at..comment.start.max(at)], pieces.is_empty()));
            let anchor = out.tokens.len() + usize::from(!pieces.is_empty());
            out.comments.push(Comment { anchor, ..comment.clone() });
            at = (comment.start + comment.text.len()).max(at);
            // What follows a comment of several lines goes on as the line that it began in.
            line_end = at + lines(&stream.text[at..]).next().map_or(0, |line| line.len());
        }
        line_end = line_end.max(at);
        pieces.extend(code(&stream.text[at..line_end], pieces.is_empty()));
        for piece in pieces {
            push(&mut out, piece);
        }
        let blank = stream.text[begun..line_end].trim().is_empty();
        if blank && is_text(stream, begun) {
            push(&mut out, &stream.text[begun..line_end]);
        }
        begun = line_end.max(begun + 1);
    }
    out
}

/// The code in a part of a line, with its indentation if it begins the line.
fn code(part: &str, first: bool) -> Option<&str> {
    let code = if first { part.trim_end() } else { part.trim() };
    (!code.trim().is_empty()).then_some(code)
}

fn push<'a>(out: &mut Stream<'a>, text: &'a str) {
    let start = text.as_ptr() as usize - out.text.as_ptr() as usize;
    out.events.push(Event::Token);
    out.tokens.push(Token { kind: 0, text, start });
}

/// Whether a place is within a token of several lines, where a blank line is text.
fn is_text(stream: &Stream<'_>, at: usize) -> bool {
    let next = stream.tokens.partition_point(|token| token.start <= at);
    let token = next.checked_sub(1).and_then(|index| stream.tokens.get(index));
    token.is_some_and(|token| at < token.start + token.text.len())
}

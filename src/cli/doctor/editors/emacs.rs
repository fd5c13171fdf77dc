//! Emacs: `"aside"` in one of the files it starts with, for eglot or lsp-mode.

use super::{Editor, Findings, Home, Status, at, place};

const EMACS: Editor = Editor::Emacs;

pub(super) fn look(home: &Home<'_>, findings: &mut Findings) {
    let files = [
        home.at(".emacs"),
        home.at(".emacs.el"),
        home.at(".emacs.d/init.el"),
        home.config("emacs/init.el"),
        home.config("doom/config.el"),
    ];
    for path in files.into_iter().flatten() {
        let Some(text) = findings.read(EMACS, home, &path) else { continue };
        findings.present = true;
        let lisp = read(&text);
        let Some(program) = lisp.strings.iter().position(|(_, string)| string == "aside") else { continue };
        if findings.set_up || !["eglot", "lsp-"].iter().any(|client| lisp.code.contains(client)) {
            continue;
        }
        findings.set_up = true;
        let here = at(&path, place(&text, lisp.strings[program].0));
        let next = lisp.strings.get(program + 1).map(|(_, string)| string.as_str());
        let before = findings.checks.len();
        if let Some(offset) = lisp.unbalanced {
            let message = format!("{}: the parentheses do not match", at(&path, place(&text, offset)));
            findings.say(EMACS, Status::Failed, message).advice =
                Some("Emacs then stops reading the file there: `M-x check-parens` goes to the place.".to_owned());
        }
        findings.command(EMACS, home, &here, "aside", Some(&next.into_iter().collect::<Vec<_>>()));
        if findings.checks.len() == before {
            findings.say(EMACS, Status::Ok, format!("named in {}", path.display()));
        }
    }
}

/// What a file of Lisp says, as far as it takes no reader.
struct Lisp {
    /// The text without its comments.
    code: String,
    /// The strings, with their places.
    strings: Vec<(usize, String)>,
    /// Where a parenthesis closes what was not opened; the last top-level form that is never closed.
    unbalanced: Option<usize>,
}

fn read(text: &str) -> Lisp {
    let mut lisp = Lisp { code: String::new(), strings: Vec::new(), unbalanced: None };
    let mut open: Vec<usize> = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        match character {
            ';' => while characters.next_if(|(_, next)| *next != '\n').is_some() {},
            '"' => {
                let mut string = String::new();
                while let Some((_, inner)) = characters.next_if(|(_, next)| *next != '"') {
                    string.push(inner);
                    if inner == '\\' {
                        string.extend(characters.next().map(|(_, escaped)| escaped));
                    }
                }
                if characters.next().is_none() {
                    lisp.unbalanced = lisp.unbalanced.or(Some(offset));
                }
                lisp.strings.push((offset, string));
            }
            // A character, such as `?(`; in the middle of a symbol it is a letter like any other.
            '?' if !lisp.code.ends_with(|last: char| last.is_alphanumeric() || last == '-') => {
                if let Some((_, '\\')) = characters.next() {
                    characters.next();
                }
            }
            '\\' => drop(characters.next()),
            '(' | '[' => open.push(offset),
            ')' | ']' if open.pop().is_none() => lisp.unbalanced = lisp.unbalanced.or(Some(offset)),
            _ => {}
        }
        lisp.code.push(character);
    }
    lisp.unbalanced = lisp.unbalanced.or(open.first().copied());
    lisp
}

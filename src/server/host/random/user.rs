//! The user: opens documents, types, undoes, cuts and pastes, closes and opens again, and decides.

use serde_json::json;

use super::Play;
use super::editor::{Manner, OpenDoc, Reports, Sent};
use super::model::{Cell, lines, text_of};

const LANGUAGES: [(&str, &str); 7] = [
    ("plaintext", "txt"),
    ("plaintext", "txt"),
    ("plaintext", "txt"),
    ("plaintext", "txt"),
    ("python", "py"),
    ("javascript", "js"),
    ("go", "go"),
];

impl Play<'_> {
    pub(super) fn open_another(&mut self) {
        let n = self.editor.docs.len();
        let (language, extension) = self.random.pick(&LANGUAGES);
        let end = self.random.pick(&["\n", "\n", "\r\n", "\r"]);
        let mixed = self.random.once_in(6);
        let text = self.invent(language, end, mixed);
        let statement = match language {
            "plaintext" => ["", " 👍"],
            "python" => ["", "()"],
            _ => ["", "();"],
        };
        self.shapes.push((end, mixed, statement, language == "plaintext"));
        let name = format!("{}/{n}.{extension}", self.seed);
        let cells = self.ids.cells(&text);
        self.editor.docs.push(OpenDoc {
            uri: self.it.uri(&name).to_string(),
            language,
            version: i32::from(!self.editor.zero),
            open: true,
            text,
            cells,
            history: Vec::new(),
            astray: false,
        });
        self.note(format!("opens {n}, {language}: {:?}", self.editor.docs[n].text));
        self.editor.open(n);
    }

    /// A document in which no two words are the same.
    fn invent(&mut self, language: &str, end: &str, mixed: bool) -> String {
        let indentation = self.random.pick(&["\t", "    ", "  "]);
        let mut all: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(3) {
            self.words += 1;
            let n = self.words;
            let body = 1 + self.random.below(4);
            let mut inner = |line: &str| {
                self.words += 1;
                format!("{indentation}{}", line.replace('#', &self.words.to_string()))
            };
            match language {
                "python" => {
                    all.push(format!("def f{n}(a{n}, b{n}):"));
                    all.extend((0..body).map(|_| inner("x# = 'é👍#' + y#")));
                    all.push(inner("return z#"));
                }
                "javascript" => {
                    all.push(format!("function f{n}(a{n}, b{n}) {{"));
                    all.extend((0..body).map(|_| inner("const x# = 'é👍#' + y#;")));
                    all.extend([inner("return z#;"), "}".to_owned()]);
                }
                "go" => {
                    all.push(format!("func f{n}(a{n} int) int {{"));
                    all.extend((0..body).map(|_| inner("x# := \"é👍#\" + y#")));
                    all.extend([inner("return z#"), "}".to_owned()]);
                }
                _ => {
                    for deep in 0..body {
                        let line = inner("w# v# 👨‍👩‍👧 t# = s#.");
                        all.push(format!("{}{}", indentation.repeat(deep / 2), line.trim_start()));
                    }
                }
            }
            all.extend((0..self.random.below(3)).map(|_| String::new()));
        }
        let mut text = String::new();
        let last = all.len() - 1;
        for (at, line) in all.iter().enumerate() {
            text.push_str(line);
            let own = if mixed { self.random.pick(&["\n", "\r\n"]) } else { end };
            if at < last || !self.random.once_in(3) {
                text.push_str(own);
            }
        }
        text
    }

    pub(super) fn user_types(&mut self) {
        let doc = self.random.below(self.editor.docs.len());
        if self.editor.docs[doc].astray {
            return;
        }
        if !self.editor.docs[doc].open {
            return self.open_again(doc);
        }
        *self.typed.entry(doc).or_default() += 1;
        match self.random.below(16) {
            0 => {
                self.note(format!("user: undo in {doc}"));
                self.editor.undo(doc);
            }
            1 if self.random.once_in(3) => {
                self.note(format!("user: close {doc}"));
                self.closed.insert(doc);
                self.editor.docs[doc].open = false;
                self.editor.say(Sent::Close { doc });
            }
            2 | 3 => {
                let from = self.place(doc);
                // Within a line: of two that become one nobody can say which it is.
                let cells = &self.editor.docs[doc].cells;
                let end = |cell: &Cell| matches!(cell.char, '\n' | '\r');
                let line = cells[from..].iter().position(end).map_or(cells.len(), |length| from + length);
                let to = (from + 1 + self.random.below(9)).min(line);
                self.write(doc, from..to, &[]);
            }
            4 => self.carry_away_and_back(doc),
            _ => {
                let at = self.place(doc);
                let text = self.typing(doc);
                let begins = at == 0 || matches!(self.editor.docs[doc].cells[at - 1].char, '\n' | '\r');
                // In front of a selection it would be an indentation, which what is added to it gets, too.
                let text = if begins { text.trim_start_matches(' ') } else { &text }.to_owned();
                let cells = self.ids.cells(&text);
                self.write(doc, at..at, &cells);
            }
        }
    }

    fn typing(&mut self, doc: usize) -> String {
        self.words += 1;
        let word = format!("u{}", self.words);
        let end = self.shapes[doc].0;
        match self.random.below(6) {
            0 => end.to_owned(),
            1 => format!("{end}{word}"),
            2 => format!("{word}{end}"),
            3 => "🦀".to_owned(),
            4 => " ".to_owned(),
            _ => word,
        }
    }

    /// A place for the cursor: anywhere, or at an edge of a selection.
    fn place(&mut self, doc: usize) -> usize {
        let edges: Vec<usize> = {
            let cells = &self.editor.docs[doc].cells;
            let jobs = self.jobs.iter().filter(|job| job.doc == doc && !job.done);
            jobs.flat_map(|job| job.work.edges(cells)).collect()
        };
        let mut at = if !edges.is_empty() && self.random.once_in(3) {
            self.random.pick(&edges)
        } else {
            self.random.below(self.editor.docs[doc].cells.len() + 1)
        };
        while !self.is_place(doc, at) {
            at -= 1;
        }
        at
    }

    fn is_place(&self, doc: usize, at: usize) -> bool {
        let cells = &self.editor.docs[doc].cells;
        let char = |at: usize| cells.get(at).map(|cell| cell.char);
        at == 0 || !(char(at - 1) == Some('\r') && char(at) == Some('\n'))
    }

    /// Writes, unless two line ends would become one by it, or an editor that reports differences could not tell the new
    /// letters from those beside them.
    fn write(&mut self, doc: usize, range: std::ops::Range<usize>, new: &[Cell]) {
        let cells = &self.editor.docs[doc].cells;
        let before = range.start.checked_sub(1).map(|at| cells[at].char);
        let after = cells.get(range.end).map(|cell| cell.char);
        let first = new.first().map(|cell| cell.char).or(after);
        let last = new.last().map(|cell| cell.char).or(before);
        if before == Some('\r') && first == Some('\n') || last == Some('\r') && after == Some('\n') {
            return;
        }
        let alike = |new: Option<char>, old: Option<char>| new == old && new.is_some_and(char::is_alphanumeric);
        let inserts = range.is_empty() && !new.is_empty() && self.editor.reports != Reports::Each;
        if inserts && (alike(first, after) || alike(last, before)) {
            return;
        }
        self.note(format!("user: {range:?} of {doc} becomes {:?}", text_of(new)));
        self.editor.write(doc, range, new);
    }

    /// Cuts a few lines and puts them back where they were.
    fn carry_away_and_back(&mut self, doc: usize) {
        let cells = self.editor.docs[doc].cells.clone();
        let all = lines(&cells);
        if all.is_empty() {
            return;
        }
        let first = self.random.below(all.len());
        let last = (first + self.random.below(5)).min(all.len() - 1);
        let cut = all[first].start..all[last].end;
        self.write(doc, cut.clone(), &[]);
        if self.editor.docs[doc].cells.len() < cells.len() {
            self.write(doc, cut.start..cut.start, &cells[cut.clone()]);
        }
    }

    pub(super) fn open_again(&mut self, doc: usize) {
        let state = &mut self.editor.docs[doc];
        state.open = true;
        state.version = i32::from(!self.editor.zero);
        // Somebody may have changed the file meanwhile.
        if self.random.once_in(2) {
            self.words += 1;
            let end = self.shapes[doc].0;
            let cells = self.ids.cells(&format!("u{}{end}", self.words));
            let state = &mut self.editor.docs[doc];
            state.cells.splice(0..0, cells);
            state.text = text_of(&state.cells);
            state.history.clear();
        }
        self.note(format!("user: open {doc} again: {:?}", self.editor.docs[doc].text));
        self.editor.open(doc);
    }

    pub(super) fn user_decides(&mut self) {
        let yes = !self.random.once_in(3);
        if let Some(request) = self.asked.pop_front() {
            if yes {
                return self.make(request, Manner::Applies);
            }
            if let Some(job) = self.job_of(&request) {
                self.jobs[job].rejected = true;
            }
            let says = self.random.pick(&[json!({"applied": true}), json!({"applied": false})]);
            self.note(format!("user: no in the editor, which says {says}"));
            self.editor.say(Sent::Answer { request, body: Ok(says) });
        } else if let Some(name) = self.proposals.pop() {
            self.note(format!("user: {} to {name}", if yes { "yes" } else { "no" }));
            let decided = self.it.session().state().proposals.decide(Some(&name), yes);
            let job = self.jobs.iter_mut().find(|job| job.name == name).expect("it is a job's");
            job.rejected |= decided && !yes;
        }
    }
}

//! What a fix is to repair: the complaints of other tools, or the user's word in their place.

use crate::error::{Error, ErrorKind};
use crate::workspace::{Diagnostic, Severity, Snapshot, Span};

/// Longer words of the user's are cut: they stand for a message, not for a log.
const LONGEST_WORDS: usize = 4000;

/// What is to be repaired, and the user's wish beside it.
///
/// Of what was told only errors and warnings count, unless there is nothing else. Where nothing was told, the user's words
/// are taken for a complaint about the `place`, or about its line if it is a point. Fails with `config` where there are
/// none either.
pub fn to_fix(
    snapshot: &Snapshot,
    place: &Span,
    told: Vec<Diagnostic>,
    words: Option<String>,
) -> Result<(Vec<Diagnostic>, Option<String>), Error> {
    let is_serious = |one: &Diagnostic| one.severity <= Severity::Warning;
    if !told.is_empty() {
        let only_serious = told.iter().any(is_serious);
        return Ok((told.into_iter().filter(|one| !only_serious || is_serious(one)).collect(), words));
    }
    let Some(words) = words.as_deref().map(str::trim).filter(|words| !words.is_empty()) else {
        return Err(Error::new(ErrorKind::Config, "There is nothing to fix: no error or warning was named.").hint(
            "Run it from the menu on a line that another tool complains about, or say with a prompt what is wrong there.",
        ));
    };
    let said = Diagnostic {
        span: if place.is_empty() { line_of(snapshot, place.start) } else { place.clone() },
        severity: Severity::Error,
        message: words.chars().take(LONGEST_WORDS).collect(),
        source: String::new(),
    };
    Ok((vec![said], None))
}

/// Whether every line with something on it in `selection` is one that a complaint is about.
pub(super) fn are_about_all_of(text: &str, selection: &Span, reports: &[Diagnostic]) -> bool {
    let mut at = selection.start;
    text[selection.clone()].split_inclusive('\n').all(|line| {
        let span = at..at + line.len();
        at = span.end;
        let is_reported =
            |one: &Diagnostic| one.span.start < span.end && span.start < one.span.end.max(one.span.start + 1);
        line.trim().is_empty() || reports.iter().any(is_reported)
    })
}

/// The text of the line that an offset is in, without white space around it.
fn line_of(snapshot: &Snapshot, offset: usize) -> Span {
    let text = &snapshot.text;
    let line = text.byte_to_line(offset);
    let start = text.line_to_byte(line);
    let content = text.line(line).to_string();
    let begins = start + (content.len() - content.trim_start().len());
    begins..begins.max(start + content.trim_end().len())
}

#[cfg(test)]
mod tests {
    use ropey::Rope;

    use super::*;
    use crate::workspace::language;

    const TEXT: &str = "import os\n\n\ndef load(path):\n    return opne(path)\n";

    fn snapshot() -> Snapshot {
        let uri = "file:///a.py".parse().expect("a URI");
        Snapshot::new(uri, None, language::by_id("python"), None, Rope::from_str(TEXT))
    }

    fn told(severity: Severity) -> Diagnostic {
        Diagnostic { span: 0..9, severity, message: severity.as_str().to_owned(), source: String::new() }
    }

    fn messages(told: Vec<Diagnostic>) -> Vec<String> {
        let (reports, _) = to_fix(&snapshot(), &(0..0), told, None).expect("there is something to fix");
        reports.into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn errors_and_warnings_count_and_what_is_less_only_alone() {
        use Severity::{Error, Hint, Information, Warning};
        assert_eq!(messages([Hint, Error, Information, Warning].map(told).to_vec()), ["error", "warning"]);
        assert_eq!(messages([Hint, Information].map(told).to_vec()), ["hint", "information"]);
    }

    #[test]
    fn the_users_words_stand_for_a_complaint_where_there_is_none() {
        let at = TEXT.find("opne").expect("it is there");
        let (reports, wish) =
            to_fix(&snapshot(), &(at..at), Vec::new(), Some(" no `opne` ".to_owned())).expect("words");
        assert_eq!((reports[0].message.as_str(), &TEXT[reports[0].span.clone()]), ("no `opne`", "return opne(path)"));
        assert_eq!(wish, None, "they are not said twice");
        let (reports, _) = to_fix(&snapshot(), &(at..at + 4), Vec::new(), Some("no".to_owned())).expect("words");
        assert_eq!(&TEXT[reports[0].span.clone()], "opne");
        let (_, wish) =
            to_fix(&snapshot(), &(0..0), vec![told(Severity::Error)], Some("gently".to_owned())).expect("told");
        assert_eq!(wish.as_deref(), Some("gently"));
        for words in [None, Some(" \n".to_owned())] {
            let error = to_fix(&snapshot(), &(0..0), Vec::new(), words).expect_err("nothing is wrong");
            assert_eq!(error.kind, ErrorKind::Config);
        }
    }

    #[test]
    fn all_of_a_selection_may_go_only_if_all_of_it_is_reported() {
        let about = |span: Span| vec![Diagnostic { span, ..told(Severity::Warning) }];
        for (selection, reports, expected) in [
            (0..10, about(7..9), true),
            (0..11, about(7..9), true),
            (12..TEXT.len(), about(40..44), false),
            (12..TEXT.len(), about(12..TEXT.len()), true),
            (0..10, Vec::new(), false),
            (0..10, about(9..9), true),
        ] {
            assert_eq!(are_about_all_of(TEXT, &selection, &reports), expected, "{selection:?} {reports:?}");
        }
    }
}

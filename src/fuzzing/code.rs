//! Code in any language, be it code or not: what is found in it is where it is said to be, an answer changes the selection
//! only, and a tree that followed an edit tells the same as one that was made anew.

use ropey::Rope;

use super::{Choices, texts};
use crate::output::answer::EditAnswer;
use crate::output::check::{Comparison, Promise, Verdict};
use crate::output::edit::{apply, plan};
use crate::workspace::language::{self, Language};
use crate::workspace::references::{imports, names};
use crate::workspace::syntax::{Parsed, Syntax, enclosing};

pub(super) fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let (Some(kind), Some(start), Some(length)) = (choices.byte(), choices.byte(), choices.byte()) else { return };
    let languages: Vec<&Language> = language::all().iter().filter(|language| language.grammar.is_some()).collect();
    let language = languages[usize::from(kind) % languages.len()];
    let [text, replacement, added] = texts(choices.0);
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let selection = boundary(start.into())..boundary(usize::from(start) + usize::from(length));
    let around = enclosing(language, &Rope::from_str(&text), selection.start);
    assert!(text.get(around.clone()).is_some(), "{around:?} in {text:?}");
    shape(language, &text);

    let mut answer = EditAnswer { replacement, imports: Vec::new(), note: None };
    if let Ok(edits) = plan(&text, selection.clone(), language, &answer) {
        let after = apply(&text, &edits);
        assert!(after.starts_with(&text[..selection.start]) && after.ends_with(&text[selection.end..]), "{after:?}");
        let (anew, followed) = (
            Comparison::new(language, &text, &after),
            Comparison::of_edits(Parsed::new(language, &text), &edits, &after),
        );
        assert_eq!(anew.new_syntax_errors(), followed.new_syntax_errors());
        for promise in [Promise::TypeHints, Promise::Documentation] {
            let verdict = anew.verdict(promise);
            assert_eq!(verdict, followed.verdict(promise));
            assert!(after != text || matches!(verdict, Verdict::Kept | Verdict::Unknown(_)), "{verdict:?}");
        }
    }
    answer.imports = added.lines().map(str::to_owned).collect();
    if let Ok(edits) = plan(&text, selection, language, &answer) {
        assert!(edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{edits:?}");
        apply(&text, &edits);
    }
}

fn shape(language: &Language, text: &str) {
    let Some(syntax) = Syntax::parse(language, text) else { return };
    let items = syntax.items();
    for (index, item) in items.iter().enumerate() {
        for span in [&item.span, &item.name_span, &item.signature].into_iter().chain(&item.body) {
            assert!(text.get(span.clone()).is_some(), "{item:?} in {text:?}");
        }
        assert!(item.span.start <= item.name_span.start && item.name_span.end <= item.span.end, "{item:?}");
        assert!(item.parent.is_none_or(|parent| parent < index), "{item:?}");
        let parameters = syntax.parameters(item);
        let spans = parameters.iter().flat_map(|it| [Some(it.span.clone()), it.default.clone()]).flatten();
        for span in spans.chain(syntax.return_type(item)) {
            assert!(text.get(span.clone()).is_some(), "{span:?} in {text:?}");
        }
    }
    for span in syntax.errors() {
        assert!(text.get(span.clone()).is_some(), "{span:?} in {text:?}");
    }
    imports(&syntax, language.family());
    names(&syntax, &(0..text.len()));
}

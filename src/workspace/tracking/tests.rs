use proptest::prelude::*;
use ropey::Rope;
use url::Url;

use super::*;
use crate::workspace::{Change, Document};

fn document(text: &str) -> Document {
    Document::new(Url::parse("file:///p/a.py").unwrap(), "python", 1, text)
}

/// Takes the text between `[` and `]` as tracked, applies changes, and shows where the range is then, with `!` behind
/// it if its content differs.
fn follow(marked: &str, changes: &[Change]) -> String {
    let start = marked.find('[').unwrap();
    let end = marked.find(']').unwrap() - 1;
    let mut document = document(&marked.replace(['[', ']'], ""));
    let id = document.track(start..end);
    for change in changes {
        document.apply(change.clone());
    }
    let Tracked { span, touched } = document.tracked(id).unwrap();
    let mut text = document.text().to_string();
    text.insert_str(span.end, if touched { "]!" } else { "]" });
    text.insert(span.start, '[');
    text
}

fn span(range: Span, new: &str) -> Change {
    Change::Span(range, new.to_owned())
}

fn full(new: &str) -> Change {
    Change::Full(new.to_owned())
}

#[test]
fn typing_at_the_edges_stays_outside() {
    assert_eq!(follow("a[bc]d", &[span(1..1, "x")]), "ax[bc]d");
    assert_eq!(follow("a[bc]d", &[span(3..3, "x")]), "a[bc]xd");
    assert_eq!(follow("a[bc]d", &[span(2..2, "x")]), "a[bxc]!d");
    assert_eq!(follow("a[]d", &[span(1..1, "x")]), "ax[]d");
}

#[test]
fn deletions_take_what_they_take() {
    assert_eq!(follow("ab[cd]ef", &[span(0..2, "")]), "[cd]ef");
    assert_eq!(follow("ab[cd]ef", &[span(1..3, "")]), "a[d]!ef");
    assert_eq!(follow("ab[cd]ef", &[span(3..5, "")]), "ab[c]!f");
    assert_eq!(follow("ab[cd]ef", &[span(1..5, "")]), "a[]!f");
    assert_eq!(follow("ab[cd]ef", &[span(2..4, "")]), "ab[]!ef");
}

#[test]
fn replacements_inside_stay_inside_and_those_over_an_edge_outside() {
    assert_eq!(follow("ab[cd]ef", &[span(2..4, "xyz")]), "ab[xyz]!ef");
    assert_eq!(follow("ab[cd]ef", &[span(2..3, "xyz")]), "ab[xyzd]!ef");
    assert_eq!(follow("ab[cd]ef", &[span(3..4, "xyz")]), "ab[cxyz]!ef");
    assert_eq!(follow("ab[cd]ef", &[span(1..3, "xyz")]), "axyz[d]!ef");
    assert_eq!(follow("ab[cd]ef", &[span(3..5, "xyz")]), "ab[c]!xyzf");
    assert_eq!(follow("ab[cd]ef", &[span(0..6, "xyz")]), "xyz[]!");
}

#[test]
fn what_an_editor_sends_too_much_is_cut_off() {
    // A whole line for one word beside the range, as some editors do.
    assert_eq!(follow("x = [f(1)] # no\n", &[span(0..13, "yy = f(1) # no")]), "yy = [f(1)] # no\n");
    assert_eq!(follow("x = [f(1)] # no\n", &[span(0..13, "yy = f(1) # yes")]), "yy = [f(1)] # yes\n");
}

#[test]
fn a_whole_new_text_is_compared_by_lines() {
    assert_eq!(follow("a\n[b\n]c\n", &[full("a\nb\nc\n")]), "a\n[b\n]c\n");
    assert_eq!(follow("a\n[b\n]c\nd\n", &[full("new\na\nb\nc\nmore\n")]), "new\na\n[b\n]c\nmore\n");
    assert_eq!(follow("a\n[b\n]c\nd\n", &[full("new\na\nB\nc\nmore\n")]), "new\na\n[B\n]!c\nmore\n");
    assert_eq!(follow("a[b]c", &[full("")]), "[]!");
}

#[test]
fn content_decides_not_the_event() {
    assert_eq!(follow("a[bc]d", &[span(2..2, "x"), span(2..3, "")]), "a[bc]d");
    assert_eq!(follow("a[bc]d", &[span(1..3, "bc")]), "a[bc]d");
}

#[test]
fn undo_gives_a_changed_range_back_what_was_cut_off_its_edges() {
    let typed = span(2..2, "x");
    assert_eq!(follow("a[b\nc\n]d", &[typed.clone(), span(4..6, ""), span(4..4, "c\n")]), "a[bx\nc\n]!d");
    assert_eq!(follow("a[b\nc\n]d", &[typed.clone(), span(1..3, ""), span(1..1, "bx")]), "a[bx\nc\n]!d");
    assert_eq!(follow("a[b\nc\n]d", &[typed.clone(), span(0..7, ""), span(0..0, "abx\nc\nd")]), "a[bx\nc\n]!d");
    let steps = [typed.clone(), span(5..6, ""), span(4..5, ""), span(4..4, "c"), span(5..5, "\n")];
    assert_eq!(follow("a[b\nc\n]d", &steps), "a[bx\nc\n]!d");
    // Other text stays outside.
    assert_eq!(follow("a[b\nc\n]d", &[typed, span(4..6, ""), span(4..4, "e\n")]), "a[bx\n]!e\nd");
}

#[test]
fn undo_gives_back_what_a_deletion_took() {
    assert_eq!(follow("ab[cd]ef", &[span(2..4, ""), span(2..2, "cd")]), "ab[cd]ef");
    assert_eq!(follow("ab[cd]ef", &[span(1..3, ""), span(1..1, "bc")]), "ab[cd]ef");
    assert_eq!(follow("ab[cd]ef", &[span(3..5, ""), span(3..3, "de")]), "ab[cd]ef");
    assert_eq!(follow("cd[cd]cd", &[span(0..6, ""), span(0..0, "cdcdcd")]), "cd[cd]cd");
    assert_eq!(follow("ab[cd]ef", &[span(0..6, "new"), span(0..3, "abcdef")]), "ab[cd]ef");
}

/// A text with the two anchors as things of their own between the characters.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Start,
    End,
    Char(char),
}

fn model_replace(tokens: &mut Vec<Token>, removed: &Span, new: &str) {
    let (mut left, mut right, mut anchors) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at, mut taken_outside, mut taken_inside) = (0, [false, false], false);
    let mut passed = [false, false];
    for token in tokens.drain(..) {
        match token {
            Token::Char(c) => {
                if at < removed.start {
                    left.append(&mut anchors);
                    left.push(token);
                } else if at < removed.end {
                    match passed {
                        [false, _] => taken_outside[0] = true,
                        [true, false] => taken_inside = true,
                        [true, true] => taken_outside[1] = true,
                    }
                } else {
                    right.push(token);
                }
                at += c.len_utf8();
            }
            anchor => {
                passed[usize::from(anchor == Token::End)] = true;
                if at < removed.start {
                    left.push(anchor);
                } else if at <= removed.end && right.is_empty() {
                    anchors.push(anchor);
                } else {
                    right.push(anchor);
                }
            }
        }
    }
    let new = new.chars().map(Token::Char);
    // Where among the anchors at this place the new text goes.
    let before = match (removed.is_empty(), anchors.as_slice()) {
        (true, [Token::End]) => 1,
        (true, _) | (false, []) => 0,
        (false, _) if taken_inside && taken_outside == [false, false] => {
            usize::from(anchors.first() == Some(&Token::Start))
        }
        (false, _) if taken_outside[0] => 0,
        (false, _) => anchors.len(),
    };
    // An end anchor that only touches a removal on its right stays before it, and so on: see the match above.
    let before = match (removed.is_empty(), anchors.as_slice()) {
        (false, [Token::End]) if taken_outside[0] || !taken_inside => anchors.len(),
        (false, [Token::End]) if taken_outside[1] => anchors.len(),
        _ => before,
    };
    tokens.extend(left);
    tokens.extend(&anchors[..before]);
    tokens.extend(new);
    tokens.extend(&anchors[before..]);
    tokens.extend(right);
}

fn model_span(tokens: &[Token]) -> Span {
    let place = |anchor| {
        let before = tokens.iter().take_while(|token| **token != anchor);
        before.map(|token| if let Token::Char(c) = token { c.len_utf8() } else { 0 }).sum()
    };
    place(Token::Start)..place(Token::End)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn anchors_move_as_things_between_the_characters_do(
        text in "[a-dµ👍]{0,12}",
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[x-zµ]{0,4}"), 1..8),
    ) {
        let place = |text: &str, index: &prop::sample::Index| {
            let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            places[index.index(places.len())]
        };
        let (a, b) = (place(&text, &ends.0), place(&text, &ends.1));
        let mut now = a.min(b)..a.max(b);
        let mut tokens = Vec::new();
        for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
            if at == now.start { tokens.push(Token::Start); }
            if at == now.end { tokens.push(Token::End); }
            if at < text.len() { tokens.push(Token::Char(c)); }
        }
        let mut text = text;
        for (from, to, new) in changes {
            let (a, b) = (place(&text, &from), place(&text, &to));
            let removed = a.min(b)..a.max(b);
            now = moved(&now, &removed, new.len());
            model_replace(&mut tokens, &removed, &new);
            text.replace_range(removed, &new);
            prop_assert_eq!(&now, &model_span(&tokens), "in {:?}", text);
        }
    }

    /// Hunks are a way of making the replacement, so that anchors that follow them end up in the text that there is.
    #[test]
    fn hunks_add_up_to_the_replacement(
        old in "[ab \n]{0,24}é?[ab \n]{0,24}",
        new in "[ab \n]{0,24}é?[ab \n]{0,24}",
    ) {
        let rope = Rope::from_str(&old);
        let hunks = hunks::hunks(&rope, &(0..old.len()), &new, &|_| true);
        let (mut kept, mut to, mut last) = (0, 0, 0);
        for hunk in &hunks {
            let equal = hunk.removed.start - last;
            prop_assert_eq!(&old[last..hunk.removed.start], &new[to..to + equal]);
            to += equal + hunk.inserted;
            last = hunk.removed.end;
            kept += equal;
        }
        prop_assert_eq!(&old[last..], &new[to..]);
        prop_assert!(kept <= old.len());
    }

    /// Whatever happens around a range, by single changes and by whole new texts, it is where its text is.
    #[test]
    fn a_range_stays_with_its_text(
        changes in prop::collection::vec(
            (any::<bool>(), any::<bool>(), any::<prop::sample::Index>(), 0_usize..9, "[ab\n é]{0,9}"), 1..12),
    ) {
        let kept = "def kept(ß):\n    return ß\n";
        let (mut before, mut after) = ("import a\n\n".to_owned(), "\nb = 1\n".to_owned());
        let mut document = document(&format!("{before}{kept}{after}"));
        let id = document.track(before.len()..before.len() + kept.len());
        for (whole, front, at, removed, new) in changes {
            let side = if front { &mut before } else { &mut after };
            let places: Vec<_> = side.char_indices().map(|(at, _)| at).chain([side.len()]).collect();
            let from = at.index(places.len());
            let range = places[from]..places[(from + removed).min(places.len() - 1)];
            side.replace_range(range.clone(), &new);
            let shift = if front { 0 } else { before.len() + kept.len() };
            document.apply(if whole {
                Change::Full(format!("{before}{kept}{after}"))
            } else {
                Change::Span(range.start + shift..range.end + shift, new)
            });
            let expected = Tracked { span: before.len()..before.len() + kept.len(), touched: false };
            prop_assert_eq!(document.tracked(id).unwrap(), expected, "in {:?}", document.text());
        }
    }

    #[test]
    fn a_change_and_its_undo_leave_the_range_as_it_was(
        text in "[a-h\n]{4,20}",
        ends in (0_usize..20, 1_usize..20),
        change in (0_usize..20, 0_usize..20, "[x-z]{0,9}"),
    ) {
        let start = ends.0.min(text.len() - 1);
        let tracked = start..(start + ends.1).min(text.len());
        let from = change.0.min(text.len());
        let removed = from..(from + change.1).min(text.len());
        let mut document = document(&text);
        let id = document.track(tracked.clone());
        document.apply(Change::Span(removed.clone(), change.2.clone()));
        document.apply(Change::Span(from..from + change.2.len(), text[removed].to_owned()));
        let now = document.tracked(id).unwrap();
        prop_assert!(!now.touched);
        if text.matches(&text[tracked.clone()]).count() == 1 {
            prop_assert_eq!(now.span, tracked);
        }
    }
}

//! What came out, as tables.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Case, Pair};

/// If more than this share is refused by design, the checks are no use, whatever the reasons.
const MOST_REFUSED_PERCENT: usize = 10;
/// How many languages the promises are kept in.
const LEAST_LANGUAGES: [(&str, usize); 2] = [("hints", 5), ("documentation", 10)];

/// What the checks said of one pair or one mutant.
pub(crate) struct Outcome {
    language: String,
    promise: String,
    /// The class of harm; `None` for a pair that is to be accepted.
    class: Option<String>,
    file: String,
    verdict: Judged,
    /// Where it is and what was said.
    description: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Judged {
    Right,
    /// Refused, for a reason that was known before.
    ByDesign(String),
    Wrong,
}

impl Outcome {
    /// A pair, and why it is refused if it is.
    pub(crate) fn pair(case: &Case, pair: &Pair, place: &str, refusal: Option<String>) -> Self {
        let verdict = match (&refusal, &pair.design) {
            (None, _) => Judged::Right,
            (Some(_), Some(design)) => Judged::ByDesign(design.clone()),
            (Some(_), None) => Judged::Wrong,
        };
        Self::new(case, pair, None, verdict, format!("{place}: {}", refusal.unwrap_or_default()))
    }

    /// A text that harm was done to, and why it is refused if it is.
    pub(crate) fn mutant(case: &Case, pair: &Pair, place: &str, class: &str, refusal: Option<String>) -> Self {
        let verdict = if refusal.is_some() { Judged::Right } else { Judged::Wrong };
        Self::new(case, pair, Some(class.to_owned()), verdict, place.to_owned())
    }

    fn new(case: &Case, pair: &Pair, class: Option<String>, verdict: Judged, description: String) -> Self {
        Self {
            language: case.language.clone(),
            promise: pair.promise.clone(),
            class,
            file: format!("{} {}", case.package, case.file),
            verdict,
            description,
        }
    }
}

/// All outcomes so far.
#[derive(Default)]
pub(crate) struct Report {
    outcomes: Vec<Outcome>,
}

/// Of how many so many were judged right.
#[derive(Clone, Copy, Default)]
struct Share {
    right: usize,
    by_design: usize,
    all: usize,
}

impl Report {
    /// Takes in what a file gave.
    pub(crate) fn add(&mut self, outcomes: Vec<Outcome>) {
        self.outcomes.extend(outcomes);
    }

    /// Whether all is as it must be.
    pub(crate) fn is_good(&self) -> bool {
        self.complaints().is_empty()
    }

    /// The tables, what went wrong, and the closing line. With `show`, the refused pairs and the harm that got through
    /// whose description has these words.
    pub(crate) fn to_text(&self, show: Option<&str>) -> String {
        let mut out = String::new();
        self.pairs_table(&mut out);
        self.classes_table(&mut out);
        self.reasons(&mut out);
        const MOST: usize = 40;
        let mut wrong: Vec<&Outcome> = self
            .outcomes
            .iter()
            .filter(|outcome| match show {
                Some(words) => outcome.verdict != Judged::Right && outcome.description.contains(words),
                None => outcome.verdict == Judged::Wrong,
            })
            .collect();
        wrong.sort_by(|a, b| (&a.language, &a.description).cmp(&(&b.language, &b.description)));
        for outcome in wrong.iter().take(MOST) {
            let what = if outcome.class.is_some() { "got through" } else { "refused" };
            let _ = writeln!(out, "{what}: {}: {}", outcome.language, outcome.description);
        }
        if wrong.len() > MOST {
            let _ = writeln!(out, "and {} more", wrong.len() - MOST);
        }
        let complaints = self.complaints();
        for complaint in &complaints {
            let _ = writeln!(out, "BAD: {complaint}");
        }
        let cells = self.shares(|outcome| (outcome.language.clone(), outcome.promise.clone(), outcome.class.clone()));
        let bad = cells.values().filter(|share| share.right + share.by_design < share.all).count();
        let failed = bad.max(usize::from(!complaints.is_empty()));
        let _ = writeln!(out, "{} passed, {failed} failed", cells.len() - bad);
        out
    }

    fn shares<'a, K: Ord>(&'a self, key: impl Fn(&'a Outcome) -> K) -> BTreeMap<K, Share> {
        let mut shares = BTreeMap::<K, Share>::new();
        for outcome in &self.outcomes {
            let share = shares.entry(key(outcome)).or_default();
            share.all += 1;
            share.right += usize::from(outcome.verdict == Judged::Right);
            share.by_design += usize::from(matches!(outcome.verdict, Judged::ByDesign(_)));
        }
        shares
    }

    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (promise, least) in LEAST_LANGUAGES {
            let rows = self.shares(|outcome| (&*outcome.promise, outcome.class.is_some(), &*outcome.language));
            let languages = rows.keys().filter(|(of, mutant, _)| *of == promise && *mutant).count();
            if languages < least {
                complaints.push(format!("{promise} in {languages} languages only, which should be {least}"));
            }
            for ((_, mutants, language), share) in rows.iter().filter(|((of, ..), _)| *of == promise) {
                if *mutants && share.right < share.all {
                    complaints.push(format!("{language}, {promise}: {} mutants got through", share.all - share.right));
                } else if share.right + share.by_design < share.all {
                    let wrong = share.all - share.right - share.by_design;
                    complaints.push(format!("{language}, {promise}: {wrong} correct edits were refused"));
                }
            }
            let all = self.shares(|outcome| (&*outcome.promise, outcome.class.is_some()));
            let pairs = all.get(&(promise, false)).copied().unwrap_or_default();
            if pairs.by_design * 100 > pairs.all * MOST_REFUSED_PERCENT {
                complaints
                    .push(format!("{promise}: {} of {} correct edits refused by design", pairs.by_design, pairs.all));
            }
        }
        complaints
    }

    fn pairs_table(&self, out: &mut String) {
        let files = |language: &str| {
            let of = self.outcomes.iter().filter(|outcome| outcome.language == language).map(|outcome| &outcome.file);
            of.collect::<std::collections::BTreeSet<_>>().len()
        };
        let cell =
            |share: Option<&Share>| share.map_or("-".to_owned(), |share| format!("{}/{}", share.right, share.all));
        let rows = self.shares(|outcome| (outcome.language.clone(), outcome.promise.clone(), outcome.class.is_some()));
        let languages: std::collections::BTreeSet<_> = rows.keys().map(|(language, ..)| language.clone()).collect();
        let _ = writeln!(
            out,
            "{:<16}{:>6}{:>18}{:>18}{:>22}{:>22}",
            "language", "files", "hints accepted", "harm refused", "documents accepted", "harm refused"
        );
        for language in languages {
            let at = |promise: &str, mutants| cell(rows.get(&(language.clone(), promise.to_owned(), mutants)));
            let _ = writeln!(
                out,
                "{language:<16}{:>6}{:>18}{:>18}{:>22}{:>22}",
                files(&language),
                at("hints", false),
                at("hints", true),
                at("documentation", false),
                at("documentation", true)
            );
        }
        let all = self.shares(|outcome| (outcome.promise.clone(), outcome.class.is_some()));
        let at = |promise: &str, mutants| cell(all.get(&(promise.to_owned(), mutants)));
        let _ = writeln!(
            out,
            "{:<16}{:>6}{:>18}{:>18}{:>22}{:>22}\n",
            "all",
            self.outcomes.iter().map(|outcome| &outcome.file).collect::<std::collections::BTreeSet<_>>().len(),
            at("hints", false),
            at("hints", true),
            at("documentation", false),
            at("documentation", true)
        );
    }

    fn classes_table(&self, out: &mut String) {
        let classes = self.shares(|outcome| (outcome.class.clone(), outcome.language.clone()));
        let mut names: Vec<&String> = classes.keys().filter_map(|(class, _)| class.as_ref()).collect();
        names.dedup();
        let _ = writeln!(out, "{:<24}{:>16}  languages", "harm", "refused");
        for name in names {
            let of = classes.iter().filter(|((class, _), _)| class.as_ref() == Some(name));
            let (mut all, mut right, mut languages) = (0, 0, 0);
            for (_, share) in of {
                all += share.all;
                right += share.right;
                languages += 1;
            }
            let _ = writeln!(out, "{name:<24}{:>16}{languages:>11}", format!("{right}/{all}"));
        }
        out.push('\n');
    }

    fn reasons(&self, out: &mut String) {
        let mut reasons = BTreeMap::<(&str, &str, &str), usize>::new();
        for outcome in &self.outcomes {
            if let Judged::ByDesign(reason) = &outcome.verdict {
                *reasons.entry((&outcome.promise, &outcome.language, reason)).or_default() += 1;
            }
        }
        for ((promise, language, reason), count) in reasons {
            let _ = writeln!(out, "refused by design: {count:>4} {promise} of {language}: {reason}");
        }
        out.push('\n');
    }
}

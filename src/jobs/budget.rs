//! Budgets: looked at before a request is sent, and kept by all processes together through the ledger.
//!
//! A request reserves what it is expected to take until it has ended. When the money is there but others have reserved it,
//! it waits for them, since most take less than they might; when it is not there, it is refused. Simulated requests are
//! held against what was simulated, so that a budget can be tried without an account and a trial uses up no real one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::claude::models::Model;
use crate::claude::usage::{Tokens, cost};
use crate::claude::words::{dollars, percent};
use crate::config::Budget;
use crate::error::{Error, ErrorKind};
use crate::ledger::reservations::{Decision, Limit, Spent};
use crate::ledger::{day_start, month_start};

/// A reservation whose process was killed counts for so long; no answer takes longer.
pub(super) const EXPIRY: SignedDuration = SignedDuration::from_mins(15);

/// The share of a budget from which on the user is warned.
const WARN_AT: f64 = 0.8;

/// So many of an action's newest answers say how long the next may be.
pub(super) const SAMPLE: u32 = 20;

/// What the runs of a process share about budgets.
#[derive(Debug)]
pub struct Budgets {
    /// Where a user raises them.
    file: PathBuf,
    /// What was said already.
    said: Mutex<BTreeSet<Said>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// Most of a budget is spent, in the day or month that begins here.
    Near(Period, Date),
    /// The model's price is not known.
    Unpriced(String),
}

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Period {
    Day,
    Month,
}

/// A budget in the day or month of a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cap {
    period: Period,
    pub(super) limit: Limit,
    begins: Date,
}

/// What becomes of a request that there is no money for right now.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It would fit if those who run took nothing: worth waiting for them.
    Wait,
    /// It does not fit.
    Refuse(Error),
}

impl Period {
    fn key(self) -> &'static str {
        match self {
            Self::Day => "budget.daily_usd",
            Self::Month => "budget.monthly_usd",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Day => "today",
            Self::Month => "this month",
        }
    }
}

/// The budgets that hold at `now`, where the user is.
pub(super) fn caps(budget: &Budget, now: Timestamp, zone: &TimeZone) -> Vec<Cap> {
    let cap = |period, usd: Option<f64>, since: Timestamp| {
        usd.map(|usd| Cap { period, limit: Limit { since, usd }, begins: since.to_zoned(zone.clone()).date() })
    };
    [
        cap(Period::Day, budget.daily_usd, day_start(now, zone)),
        cap(Period::Month, budget.monthly_usd, month_start(now, zone)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many tokens an answer may well have: more than nine of ten of the action's newest, or before there are any a quarter
/// of the most there may be.
pub(super) fn likely_output(mut recent: Vec<u64>, max_tokens: u32) -> u64 {
    recent.sort_unstable();
    let most = u64::from(max_tokens);
    match recent.len() {
        0 => most / 4,
        count => recent[(count * 9 / 10).min(count - 1)].min(most),
    }
}

/// What a request is expected to take, in dollars; none when the price is not known.
pub(super) fn estimate(model: &Model, input: Tokens, output: u64) -> Option<f64> {
    cost(model, &Tokens { output, ..input }, false).map(|cost| cost.usd)
}

/// What becomes of a request that got no reservation; at the `last` look it does not wait for others any more.
pub(super) fn judge(
    caps: &[Cap],
    decision: &Decision,
    usd: f64,
    config_file: &Path,
    simulated: bool,
    last: bool,
) -> Verdict {
    let over = |spent: &Spent, cap: &Cap| {
        let reserved = if last { spent.reserved_usd } else { 0.0 };
        spent.usd + reserved + usd > cap.limit.usd
    };
    // The longer period first: raising the day's would not help then.
    let Some((cap, spent)) = caps.iter().zip(&decision.spent).rev().find(|(cap, spent)| over(spent, cap)) else {
        return Verdict::Wait;
    };
    Verdict::Refuse(refusal(*cap, *spent, usd, config_file, simulated))
}

/// The refusal, with the amounts and the way out.
pub(super) fn refusal(cap: Cap, spent: Spent, usd: f64, config_file: &Path, simulated: bool) -> Error {
    let kind = if simulated { "simulated " } else { "" };
    let running = if spent.reserved_usd > 0.0 {
        format!(" and {} may be taken by what runs", dollars(spent.reserved_usd))
    } else {
        String::new()
    };
    let over = match cap.period {
        Period::Day => "or wait until tomorrow",
        Period::Month => "or wait until next month",
    };
    Error::new(
        ErrorKind::Budget,
        format!(
            "The {kind}budget for {} does not allow this: {} of {} are spent{running}, and this would take about {}.",
            cap.period.name(),
            dollars(spent.usd),
            dollars(cap.limit.usd),
            dollars(usd)
        ),
    )
    .hint(format!("Raise `{}` in {}, {over}.", cap.period.key(), config_file.display()))
}

impl Budgets {
    /// Nothing was said yet; budgets are raised in `config_file`.
    pub fn new(config_file: PathBuf) -> Self {
        Self { file: config_file, said: Mutex::default() }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The warning that most of a budget is spent: once a day or month.
    pub(super) fn warning(&self, caps: &[Cap], spent: &[Spent]) -> Option<String> {
        let (cap, spent) = caps.iter().zip(spent).find(|(cap, spent)| {
            spent.usd >= WARN_AT * cap.limit.usd && self.is_news(Said::Near(cap.period, cap.begins))
        })?;
        let share = if cap.limit.usd > 0.0 { percent(spent.usd / cap.limit.usd) } else { "all".to_owned() };
        Some(format!(
            "{share} of the budget for {} is spent: {} of {} (`{}` in {}).",
            cap.period.name(),
            dollars(spent.usd),
            dollars(cap.limit.usd),
            cap.period.key(),
            self.file.display()
        ))
    }

    /// That a budget cannot be kept for this model: once.
    pub(super) fn unpriced(&self, model: &Model) -> Option<String> {
        self.is_news(Said::Unpriced(model.id.clone())).then(|| {
            format!("The price of {} is not known, so what it takes is not held against your budget.", model.id)
        })
    }

    fn is_news(&self, what: Said) -> bool {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    const FILE: &str = "/home/me/.config/aside/config.toml";

    fn caps_at(daily: Option<f64>, monthly: Option<f64>, now: &str) -> Vec<Cap> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        caps(&Budget { daily_usd: daily, monthly_usd: monthly }, now.parse().unwrap(), &zone)
    }

    fn decision(spent: &[(f64, f64)]) -> Decision {
        let spent = spent.iter().map(|(usd, reserved_usd)| Spent { usd: *usd, reserved_usd: *reserved_usd }).collect();
        Decision { reservation: None, spent }
    }

    #[test]
    fn a_day_and_a_month_are_the_users() {
        let caps = caps_at(Some(5.0), Some(50.0), "2026-11-30T23:30:00Z");
        let since: Vec<_> = caps.iter().map(|cap| cap.limit.since.to_string()).collect();
        assert_eq!(since, ["2026-11-30T23:00:00Z", "2026-11-30T23:00:00Z"], "December has begun in Berlin");
        assert_eq!(caps_at(None, None, "2026-11-30T23:30:00Z"), []);
        assert_eq!(caps_at(None, Some(1.0), "2026-11-30T12:00:00Z")[0].begins.to_string(), "2026-11-01");
    }

    #[test]
    fn the_likely_output_is_long_for_the_action() {
        assert_eq!(likely_output(Vec::new(), 16_000), 4_000);
        assert_eq!(likely_output(vec![300], 16_000), 300);
        assert_eq!(likely_output((1..=20).map(|n| n * 100).collect(), 16_000), 1_900);
        assert_eq!(likely_output(vec![9_000], 1_000), 1_000, "no longer than it may be");
    }

    #[test]
    fn an_estimate_needs_a_price() {
        let tokens = Tokens { input: 1_000_000, ..Tokens::default() };
        let known = estimate(&models::lookup("claude-sonnet-5-5"), tokens, 100_000).unwrap();
        assert!((known - 3.0).abs() < 1e-9, "{known}");
        assert_eq!(estimate(&models::lookup("llama-9"), tokens, 100_000), None);
    }

    #[test]
    fn who_is_only_in_the_way_of_others_waits() {
        let caps = caps_at(Some(1.0), None, "2026-11-23T10:00:00Z");
        let judge = |last| judge(&caps, &decision(&[(0.5, 0.45)]), 0.1, Path::new(FILE), false, last);
        assert_eq!(judge(false), Verdict::Wait);
        assert!(matches!(judge(true), Verdict::Refuse(_)), "but not for ever");
    }

    #[test]
    fn a_refusal_names_the_amounts_and_the_way_out() {
        let caps = caps_at(Some(1.0), Some(20.0), "2026-11-23T10:00:00Z");
        let judge = |spent: &[(f64, f64)], simulated| match judge(
            &caps,
            &decision(spent),
            0.05,
            Path::new(FILE),
            simulated,
            false,
        ) {
            Verdict::Refuse(error) => (error.kind, error.sentence()),
            Verdict::Wait => panic!("refused"),
        };
        let (kind, day) = judge(&[(0.98, 0.0), (3.0, 0.0)], false);
        assert_eq!(kind, ErrorKind::Budget);
        assert_eq!(
            day,
            "The budget for today does not allow this: $0.9800 of $1.00 are spent, and this would take about $0.0500. \
             Raise `budget.daily_usd` in /home/me/.config/aside/config.toml, or wait until tomorrow."
        );
        let (_, month) = judge(&[(0.98, 0.02), (19.99, 0.02)], true);
        assert_eq!(
            month,
            "The simulated budget for this month does not allow this: $19.99 of $20.00 are spent and $0.0200 may be taken \
             by what runs, and this would take about $0.0500. \
             Raise `budget.monthly_usd` in /home/me/.config/aside/config.toml, or wait until next month."
        );
    }

    #[test]
    fn most_of_a_budget_is_said_once_a_day() {
        let budgets = Budgets::new(FILE.into());
        let monday = caps_at(Some(1.0), None, "2026-11-23T10:00:00Z");
        let spent = |usd| [Spent { usd, reserved_usd: 0.0 }];
        assert_eq!(budgets.warning(&monday, &spent(0.79)), None);
        assert_eq!(
            budgets.warning(&monday, &spent(0.8)).as_deref(),
            Some(
                "80% of the budget for today is spent: $0.8000 of $1.00 (`budget.daily_usd` in \
                 /home/me/.config/aside/config.toml)."
            )
        );
        assert_eq!(budgets.warning(&monday, &spent(0.9)), None, "said");
        let tuesday = caps_at(Some(1.0), None, "2026-11-24T10:00:00Z");
        assert!(budgets.warning(&tuesday, &spent(0.9)).is_some(), "a new day");
    }

    #[test]
    fn a_price_that_is_not_known_is_said_once_a_model() {
        let budgets = Budgets::new(FILE.into());
        assert!(budgets.unpriced(&models::lookup("llama-9")).is_some_and(|text| text.contains("llama-9")));
        assert_eq!(budgets.unpriced(&models::lookup("llama-9")), None);
        assert!(budgets.unpriced(&models::lookup("llama-10")).is_some());
    }
}

//! Sums over time as bars and a line: where everything stands, in units of the picture.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

use super::super::report::{Report, money};
use crate::claude::words::{amount, percent};
use crate::ledger::Totals;

const WIDTH: f64 = 1000.0;
/// Where bars begin; to the left stand the numbers of the lines.
const LEFT: f64 = 64.0;
/// And where they end: the last day's name needs room.
const RIGHT: f64 = 980.0;
const TOP: f64 = 10.0;
/// The zero of the bars, and of the line.
const COSTS_BOTTOM: f64 = 220.0;
const RATES_BOTTOM: f64 = 130.0;
/// Below the zero stand the days.
const LABELS: f64 = 28.0;

/// No more bars than can be told apart.
const MOST_BARS: i64 = 62;
/// Days of a broken clock would make more of any length; then only what was used is shown.
const MOST_EMPTY: usize = 400;
const MOST_TICKS: usize = 9;

/// A chart of bars.
#[derive(Serialize)]
pub(super) struct Chart {
    /// `day`, `week`, `month` or `year`.
    unit: &'static str,
    /// All of it in a sentence.
    summary: String,
    /// What the lower part of a bar is.
    paid_name: &'static str,
    has_money: bool,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
    lines: Vec<Line>,
    bins: Vec<Bin>,
    ticks: Vec<Tick>,
}

/// A line across, with its number.
#[derive(Serialize)]
struct Line {
    y: f64,
    text: String,
}

/// A name below a bar.
#[derive(Serialize)]
struct Tick {
    x: f64,
    text: String,
}

#[derive(Serialize)]
struct Bin {
    title: String,
    x: f64,
    /// From one bar to the next.
    step: f64,
    parts: Vec<Part>,
    #[serde(skip)]
    totals: Totals,
}

/// One part of a bar.
#[derive(Serialize)]
struct Part {
    class: &'static str,
    path: String,
}

/// The line of the share that came from the cache.
#[derive(Serialize)]
pub(super) struct Rates {
    summary: String,
    height: f64,
    bottom: f64,
    lines: Vec<Line>,
    path: String,
    dots: Vec<Dot>,
    radius: f64,
}

#[derive(Serialize)]
struct Dot {
    x: f64,
    y: f64,
    title: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The shortest of which not too many are needed.
    fn new(first: Date, last: Date) -> Self {
        let days = (last - first).get_days();
        match i64::from(days) + 1 {
            days if days <= MOST_BARS => Self::Day,
            days if days <= MOST_BARS * 7 => Self::Week,
            days if days <= MOST_BARS * 30 => Self::Month,
            _ => Self::Year,
        }
    }

    fn start(self, date: Date) -> Date {
        match self {
            Self::Day => date,
            Self::Week => date.checked_sub(i64::from(date.weekday().since(Weekday::Monday)).days()).unwrap_or(date),
            Self::Month => date.first_of_month(),
            Self::Year => date.first_of_year(),
        }
    }

    fn next(self, start: Date) -> Option<Date> {
        let span = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Year => 1.year(),
        };
        start.checked_add(span).ok()
    }

    fn label(self, start: Date) -> String {
        match self {
            Self::Day | Self::Week => start.strftime("%b %-d").to_string(),
            Self::Month => start.strftime("%b %Y").to_string(),
            Self::Year => start.year().to_string(),
        }
    }

    fn title(self, start: Date) -> String {
        match self {
            Self::Day => start.strftime("%A, %Y-%m-%d").to_string(),
            Self::Week => format!("Week from {start}"),
            Self::Month => start.strftime("%B %Y").to_string(),
            Self::Year => start.year().to_string(),
        }
    }
}

/// The sums of each unit of the time, also of those in which there was nothing.
fn binned(report: &Report) -> (Unit, Vec<(Date, Totals)>) {
    let days = report.days.iter().filter_map(|row| Some((row.day.as_deref()?.parse::<Date>().ok()?, row.totals)));
    let days: Vec<(Date, Totals)> = days.collect();
    let today = report.now.date();
    let since = report.since.map(|since| since.to_zoned(report.now.time_zone().clone()).date());
    let first = days.iter().map(|(day, _)| *day).chain(since).min().unwrap_or(today);
    let last = days.iter().map(|(day, _)| *day).chain([today]).max().unwrap_or(today);
    let unit = Unit::new(first, last);
    let mut bins: BTreeMap<Date, Totals> = BTreeMap::new();
    for (day, totals) in days {
        *bins.entry(unit.start(day)).or_default() += totals;
    }
    let mut empty = Vec::new();
    let mut next = Some(unit.start(first));
    while let Some(start) = next.filter(|start| *start <= last && empty.len() <= MOST_EMPTY) {
        empty.push(start);
        next = unit.next(start);
    }
    if empty.len() <= MOST_EMPTY {
        for start in empty {
            bins.entry(start).or_default();
        }
    }
    (unit, bins.into_iter().collect())
}

/// What was paid and saved over time; tokens, where no price is known.
#[expect(clippy::cast_precision_loss, reason = "lengths in a picture")]
pub(super) fn costs(report: &Report) -> Chart {
    let (unit, bins) = binned(report);
    let has_money = bins.iter().any(|(_, totals)| totals.known_cost_usd > 0.0);
    let parts = |totals: &Totals| {
        if has_money {
            (totals.known_cost_usd, totals.known_saved_usd.max(0.0))
        } else {
            ((totals.tokens.total_input() + totals.tokens.output) as f64, 0.0)
        }
    };
    let most = bins.iter().map(|(_, totals)| parts(totals)).map(|(paid, saved)| paid + saved).fold(0.0, f64::max);
    let scale = Axis::new(most);
    let y = |value: f64| tenths(COSTS_BOTTOM - (COSTS_BOTTOM - TOP) * value / scale.top);
    let step = (RIGHT - LEFT) / bins.len().max(1) as f64;
    let bar = (step * 0.72).min(46.0);
    let every = bins.len().div_ceil(MOST_TICKS).max(1);
    let mut chart = Chart {
        unit: unit.name(),
        summary: summary(report, unit),
        paid_name: if has_money { "paid" } else { "tokens" },
        has_money,
        width: WIDTH,
        height: COSTS_BOTTOM + LABELS,
        left: LEFT,
        right: RIGHT,
        bottom: COSTS_BOTTOM,
        lines: scale.steps().map(|value| Line { y: y(value), text: scale.text(value, has_money) }).collect(),
        bins: Vec::new(),
        ticks: Vec::new(),
    };
    for (index, (start, totals)) in bins.iter().enumerate() {
        let x = LEFT + step * index as f64;
        let (paid, saved) = parts(totals);
        let left = x + (step - bar) / 2.0;
        let mut drawn = Vec::new();
        if paid > 0.0 {
            drawn.push(Part { class: "paid", path: column(left, bar, y(0.0), y(paid), saved <= 0.0) });
        }
        if saved > 0.0 {
            drawn.push(Part { class: "saved", path: column(left, bar, y(paid), y(paid + saved), true) });
        }
        if index % every == (bins.len() - 1) % every {
            chart.ticks.push(Tick { x: tenths(x + step / 2.0), text: unit.label(*start) });
        }
        chart.bins.push(Bin {
            title: told(unit, *start, totals),
            x: tenths(x),
            step: tenths(step),
            parts: drawn,
            totals: *totals,
        });
    }
    chart
}

/// The share that came from the cache, over the bars of `chart`.
pub(super) fn rates(chart: &Chart) -> Rates {
    let y = |rate: f64| tenths(RATES_BOTTOM - (RATES_BOTTOM - TOP) * rate);
    let mut path = String::new();
    let mut dots = Vec::new();
    let mut joined = false;
    for bin in &chart.bins {
        let Some(rate) = bin.totals.tokens.cache_hit_rate() else {
            joined = false;
            continue;
        };
        let (x, y) = (tenths(bin.x + bin.step / 2.0), y(rate));
        let _ = write!(path, "{}{x} {y}", if joined { "L" } else { "M" });
        joined = true;
        dots.push(Dot { x, y, title: bin.title.clone() });
    }
    let total: Totals = chart.bins.iter().fold(Totals::default(), |mut sum, bin| {
        sum += bin.totals;
        sum
    });
    let whole = total.tokens.cache_hit_rate().map_or_else(|| "nothing was sent".to_owned(), percent);
    Rates {
        summary: format!("Share of the input that was read from the cache, by {}; over all: {whole}.", chart.unit),
        height: RATES_BOTTOM + LABELS,
        bottom: RATES_BOTTOM,
        lines: [0.0, 0.5, 1.0].map(|rate| Line { y: y(rate), text: percent(rate) }).into(),
        path,
        radius: if dots.len() > 31 { 2.5 } else { 3.5 },
        dots,
    }
}

fn summary(report: &Report, unit: Unit) -> String {
    let total = &report.total;
    let requests = if total.attempts == 1 { "1 request".to_owned() } else { format!("{} requests", total.attempts) };
    format!(
        "{requests} for {}, {} saved by the cache, by {}.",
        money(total.known_cost_usd, total),
        money(total.known_saved_usd, total),
        unit.name()
    )
}

/// What a bar says when someone points at it.
fn told(unit: Unit, start: Date, totals: &Totals) -> String {
    if totals.attempts == 0 {
        return format!("{}: nothing", unit.title(start));
    }
    let rate = totals.tokens.cache_hit_rate().map(|rate| format!(", {} from cache", percent(rate))).unwrap_or_default();
    format!(
        "{}: {} paid, {} saved{rate}, {} requests, {} tokens in, {} out",
        unit.title(start),
        money(totals.known_cost_usd, totals),
        money(totals.known_saved_usd, totals),
        totals.attempts,
        amount(totals.tokens.total_input()),
        amount(totals.tokens.output)
    )
}

/// A column from `bottom` up to `top`, its upper corners rounded where it ends the bar.
fn column(left: f64, width: f64, bottom: f64, top: f64, ends: bool) -> String {
    let radius = if ends { (bottom - top).min(width / 2.0).min(4.0) } else { 0.0 };
    let (left, right) = (tenths(left), tenths(left + width));
    let [inner_left, inner_right, below] = [left + radius, right - radius, top + radius].map(tenths);
    if radius <= 0.0 {
        return format!("M{left} {bottom}V{top}H{right}V{bottom}Z");
    }
    format!(
        "M{left} {bottom}V{below}Q{left} {top} {inner_left} {top}H{inner_right}Q{right} {top} {right} {below}V{bottom}Z"
    )
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Numbers of a scale that people can read: steps of 1, 2 or 5 times a power of ten.
struct Axis {
    step: f64,
    top: f64,
}

impl Axis {
    fn new(most: f64) -> Self {
        if most <= 0.0 {
            return Self { step: 1.0, top: 1.0 };
        }
        let power = 10_f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| step * 4.0 >= most);
        let step = step.unwrap_or(power * 10.0);
        // A millionth less, so that what fits but for its rounding does.
        Self { step, top: step * (most / step - 1e-6).ceil().max(1.0) }
    }

    fn steps(&self) -> impl Iterator<Item = f64> {
        let (step, count) = (self.step, (self.top / self.step).round());
        (0..=4).map(f64::from).filter(move |index| *index <= count).map(move |index| index * step)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tokens, zero or more")]
    fn text(&self, value: f64, is_money: bool) -> String {
        if !is_money {
            return amount(value.round() as u64);
        }
        // Whole dollars or cents, and only below them more.
        let decimals = match (-self.step.log10().floor()).clamp(0.0, 9.0) as usize {
            0 => 0,
            decimals => decimals.max(2),
        };
        format!("${value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_above_what_they_show_in_few_round_steps() {
        for (most, expected) in [
            (0.0, "$0 $1"),
            (0.000_012, "$0.000000 $0.000005 $0.000010 $0.000015"),
            (0.037, "$0.00 $0.01 $0.02 $0.03 $0.04"),
            (1.0, "$0.00 $0.50 $1.00"),
            (4.0, "$0 $1 $2 $3 $4"),
            (4.1, "$0 $2 $4 $6"),
            (1234.0, "$0 $500 $1000 $1500"),
        ] {
            let axis = Axis::new(most);
            let shown: Vec<_> = axis.steps().map(|value| axis.text(value, true)).collect();
            assert_eq!(shown.join(" "), expected, "{most}");
            assert!(axis.top >= most * 0.999_99);
        }
    }

    #[test]
    fn time_is_cut_into_few_parts() {
        let date = |text: &str| text.parse::<Date>().unwrap();
        for (first, last, unit, start) in [
            ("2026-11-23", "2026-11-23", "day", "2026-11-23"),
            ("2026-09-23", "2026-11-23", "day", "2026-11-23"),
            ("2026-09-22", "2026-11-24", "week", "2026-11-23"),
            ("2025-09-22", "2026-11-24", "week", "2026-11-23"),
            ("2024-09-22", "2026-11-24", "month", "2026-11-01"),
            ("1970-01-01", "2026-11-24", "year", "2026-01-01"),
            ("-009999-01-01", "9999-12-31", "year", "9999-01-01"),
        ] {
            let cut = Unit::new(date(first), date(last));
            assert_eq!((cut.name(), cut.start(date(last)).to_string()), (unit, start.to_owned()), "{first} {last}");
        }
    }
}

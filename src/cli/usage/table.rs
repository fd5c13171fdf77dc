//! The report in a terminal: a table with bars.

use std::io::{self, Write};

use clap::ValueEnum as _;
use unicode_width::UnicodeWidthStr as _;

use super::report::{Report, against_full_price, dearest_first, fully_saved, meaning, money, remarks};
use super::{Grouping, name};
use crate::claude::words::{amount, percent};
use crate::cli::terminal::{BOLD, DIM, GOOD, NAME};
use crate::ledger::{Totals, UsageRow};

const HEAD: [&str; 6] = ["requests", "in", "from cache", "out", "cost", "saved"];

/// Columns that a narrow terminal has no room for, in the order in which they go: out, in, requests.
const LEAST_NEEDED: [usize; 3] = [3, 1, 0];

const SAVED_BY_BATCHES: &str = "half the price and the cache";

/// A longer bar shows nothing more.
const LONGEST_BAR: usize = 40;
/// A shorter one shows nothing at all.
const SHORTEST_BAR: usize = 8;
/// Names are not cut shorter.
const SHORTEST_NAME: usize = 12;

/// Prints the table; `width` is the terminal's, in columns, where there is a terminal.
pub(super) fn print(out: &mut impl Write, by: Grouping, report: &Report, width: Option<usize>) -> io::Result<()> {
    let batches;
    let (rows, total) = if by == Grouping::Batch {
        batches = against_full_price(&report.batches);
        (&batches[..], fully_saved(report.total(by)))
    } else {
        (report.rows(by), report.total)
    };
    if rows.is_empty() {
        let nothing = if by == Grouping::Batch { "Nothing was used in batches." } else { "Nothing was used." };
        return writeln!(out, "{nothing}");
    }
    let rows = if by == Grouping::Day { rows.iter().collect() } else { dearest_first(rows) };
    let cells: Vec<[String; 6]> = rows.iter().map(|row| cells(&row.totals)).chain([cells(&total)]).collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| cells.iter().map(|row| row[column].width()).chain([HEAD[column].width()]).max().unwrap_or(0))
        .collect();
    let mut columns: Vec<usize> = (0..HEAD.len()).collect();
    for least in LEAST_NEEDED {
        let needed = SHORTEST_NAME + columns.iter().map(|column| widths[*column] + 2).sum::<usize>();
        if width.is_some_and(|width| width < needed) {
            columns.retain(|column| *column != least);
        }
    }
    let numbers: usize = columns.iter().map(|column| widths[*column] + 2).sum();
    let names: Vec<String> = rows.iter().map(|row| name(row)).collect();
    let longest = names.iter().map(|name| name.width()).chain([7]).max().unwrap_or_default();
    let names_width = match width {
        Some(width) => longest.min(width.saturating_sub(numbers).max(SHORTEST_NAME)),
        None => longest,
    };
    let left = width.map_or(LONGEST_BAR, |width| width.saturating_sub(names_width + numbers + 2).min(LONGEST_BAR));
    let scale = (left >= SHORTEST_BAR).then(|| Scale::new(&rows, left));
    let line = |name: &str, cells: &[String]| {
        use std::fmt::Write as _;
        let mut line = fitted(name, names_width);
        for column in &columns {
            let cell = &cells[*column];
            let _ = write!(line, "  {}{cell}", " ".repeat(widths[*column].saturating_sub(cell.width())));
        }
        line
    };
    let title = by.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    writeln!(out, "{BOLD}{}{BOLD:#}", line(&title, &HEAD.map(str::to_owned)))?;
    for ((row, name), cells) in rows.iter().zip(&names).zip(&cells) {
        write!(out, "{}", line(name, cells))?;
        let (paid, saved) = scale.as_ref().map(|scale| scale.bars(&row.totals)).unwrap_or_default();
        if !paid.is_empty() || !saved.is_empty() {
            write!(out, "  {NAME}{paid}{NAME:#}{GOOD}{saved}{GOOD:#}")?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{BOLD}{}{BOLD:#}", line("total", &cells[cells.len() - 1]))?;
    if let Some(scale) = &scale {
        writeln!(out, "{}", scale.legend(if by == Grouping::Batch { SAVED_BY_BATCHES } else { "the cache" }))?;
    }
    if by == Grouping::Batch {
        // Why the cache was missed is not found out for what is sent all at once, and half the price is in the rows.
        let rest = Totals { batch_cost_usd: 0.0, ..total };
        return remarks(&rest).iter().try_for_each(|remark| writeln!(out, "{DIM}{remark}{DIM:#}"));
    }
    misses(out, &report.misses)?;
    for remark in remarks(&report.total) {
        writeln!(out, "{DIM}{remark}{DIM:#}")?;
    }
    Ok(())
}

fn misses(out: &mut impl Write, rows: &[UsageRow]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<&UsageRow> = rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.totals.attempts));
    let names: Vec<String> = rows.iter().map(|row| name(row)).collect();
    let counts: Vec<String> = rows.iter().map(|row| row.totals.attempts.to_string()).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or_default();
    let count_width = counts.iter().map(String::len).max().unwrap_or_default();
    writeln!(out, "\n{BOLD}why the cache was missed{BOLD:#}")?;
    for ((name, count), row) in names.iter().zip(&counts).zip(&rows) {
        let reason = row.miss_reason.as_deref().unwrap_or_default();
        writeln!(out, "{}  {count:>count_width$}  {DIM}{}{DIM:#}", fitted(name, width), meaning(reason))?;
    }
    writeln!(out)
}

/// The name in exactly so many columns; a longer one loses its beginning, as the end of a path tells more.
fn fitted(name: &str, width: usize) -> String {
    let mut shown = name.to_owned();
    while shown.width() > width {
        let mut rest = shown.chars();
        rest.next();
        // The mark takes a column, and once it is there it is what goes and comes back.
        let rest: String = if shown.starts_with('…') { rest.skip(1).collect() } else { rest.collect() };
        shown = format!("…{rest}");
    }
    let padding = width - shown.width();
    shown + &" ".repeat(padding)
}

fn cells(totals: &Totals) -> [String; 6] {
    [
        totals.attempts.to_string(),
        amount(totals.tokens.total_input()),
        totals.tokens.cache_hit_rate().map_or_else(|| "-".to_owned(), percent),
        amount(totals.tokens.output),
        money(totals.known_cost_usd, totals),
        money(totals.known_saved_usd, totals),
    ]
}

/// What bars stand for, and how long the longest is.
enum Scale {
    /// What was paid and behind it what was saved: so many dollars are so many columns.
    Dollars { most: f64, columns: usize },
    /// All tokens, where no price is known.
    Tokens { most: f64, columns: usize },
}

impl Scale {
    fn new(rows: &[&UsageRow], columns: usize) -> Self {
        let most = |of: fn(&Totals) -> f64| rows.iter().map(|row| of(&row.totals)).fold(0.0, f64::max);
        match most(|totals| totals.known_cost_usd + totals.known_saved_usd.max(0.0)) {
            most if most > 0.0 => Self::Dollars { most, columns },
            _ => Self::Tokens { most: most(tokens), columns },
        }
    }

    fn bars(&self, totals: &Totals) -> (String, String) {
        match self {
            Self::Dollars { most, columns } => {
                let paid = bar(totals.known_cost_usd, *most, *columns);
                let whole = bar(totals.known_cost_usd + totals.known_saved_usd.max(0.0), *most, *columns);
                let saved = whole.chars().count().saturating_sub(paid.chars().count());
                (paid, "░".repeat(saved))
            }
            Self::Tokens { most, columns } => (bar(tokens(totals), *most, *columns), String::new()),
        }
    }

    fn legend(&self, by: &str) -> String {
        match self {
            Self::Dollars { .. } => format!("{NAME}█{NAME:#} paid  {GOOD}░{GOOD:#} saved by {by}"),
            Self::Tokens { .. } => format!("{NAME}█{NAME:#} tokens"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
fn tokens(totals: &Totals) -> f64 {
    (totals.tokens.total_input() + totals.tokens.output) as f64
}

/// A bar in eighths of a column; what is there at all is seen.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length on the screen, between 0 and some hundred"
)]
fn bar(value: f64, most: f64, columns: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value <= 0.0 || most <= 0.0 {
        return String::new();
    }
    let eighths = ((value / most).min(1.0) * (columns * 8) as f64).round().max(1.0) as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

    use expect_test::{Expect, expect};

    use super::*;
    use crate::claude::usage::Tokens;
    use crate::ledger::Ledger;

    fn totals(input: u64, read: u64, cost: f64, unpriced: u64) -> Totals {
        Totals {
            attempts: 3,
            tokens: Tokens { input, cache_read: read, output: 410, ..Tokens::default() },
            known_cost_usd: cost,
            known_saved_usd: 0.5 - cost,
            unpriced,
            ..Totals::default()
        }
    }

    fn report() -> Report {
        let now = "2026-11-23T12:00:00+00:00[UTC]".parse().unwrap();
        Report::read(&Ledger::in_memory(), None, now).unwrap()
    }

    fn check(by: Grouping, report: &Report, width: Option<usize>, expected: &Expect) {
        let mut out = Vec::new();
        print(&mut out, by, report, width).unwrap();
        let shown = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        if let Some(width) = width {
            let rows = shown.lines().take_while(|line| !line.starts_with("total"));
            rows.for_each(|line| assert!(line.width() <= width, "{line}"));
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn nothing() {
        check(
            Grouping::Day,
            &report(),
            None,
            &expect![[r#"
            Nothing was used.
        "#]],
        );
    }

    #[test]
    fn models_dearest_first() {
        let row = |name: &str, totals| UsageRow { model: Some(name.into()), totals, ..UsageRow::default() };
        let miss = |reason: &str, attempts| UsageRow {
            miss_reason: Some(reason.into()),
            totals: Totals { attempts, ..Totals::default() },
            ..UsageRow::default()
        };
        let models = vec![
            row("claude-sonnet-5-5", totals(1200, 10_800, 0.0123, 0)),
            row("größer\u{1b}[31m", totals(0, 0, 1.5, 2)),
        ];
        let misses = vec![miss("expired", 2), miss("first", 12)];
        let total = Totals { simulated_cost_usd: 0.25, partial: 1, ..totals(1200, 10_800, 1.5123, 2) };
        let report = Report { total, models, misses, ..report() };
        check(
            Grouping::Model,
            &report,
            None,
            &expect![[r#"
            model              requests     in  from cache  out       cost       saved
            größer␛[31m               3      0           -  410  $1.50 + ?  -$1.00 + ?  ████████████████████████████████████████
            claude-sonnet-5-5         3  12.0k         90%  410    $0.0123     $0.4877  ▍░░░░░░░░░░░░░
            total                     3  12.0k         90%  410  $1.51 + ?  -$1.01 + ?
            █ paid  ░ saved by the cache

            why the cache was missed
            first    12  nothing that begins like this had been sent before
            expired   2  what was cached had outlived its five minutes or its hour

            2 requests are of a model whose price is not known; ? stands for that. `prices.NAME` sets it.
            1 request was cut short: output until then is billed, but was not reported and is missing here.
            $0.2500 of the cost was simulated: nobody pays it.
        "#]],
        );
        check(
            Grouping::Model,
            &report,
            Some(72),
            &expect![[r#"
            model            requests     in  from cache  out       cost       saved
            größer␛[31m             3      0           -  410  $1.50 + ?  -$1.00 + ?
            …ude-sonnet-5-5         3  12.0k         90%  410    $0.0123     $0.4877
            total                   3  12.0k         90%  410  $1.51 + ?  -$1.01 + ?

            why the cache was missed
            first    12  nothing that begins like this had been sent before
            expired   2  what was cached had outlived its five minutes or its hour

            2 requests are of a model whose price is not known; ? stands for that. `prices.NAME` sets it.
            1 request was cut short: output until then is billed, but was not reported and is missing here.
            $0.2500 of the cost was simulated: nobody pays it.
        "#]],
        );
        check(
            Grouping::Model,
            &report,
            Some(48),
            &expect![[r#"
            model          from cache       cost       saved
            größer␛[31m             -  $1.50 + ?  -$1.00 + ?
            …e-sonnet-5-5         90%    $0.0123     $0.4877
            total                 90%  $1.51 + ?  -$1.01 + ?

            why the cache was missed
            first    12  nothing that begins like this had been sent before
            expired   2  what was cached had outlived its five minutes or its hour

            2 requests are of a model whose price is not known; ? stands for that. `prices.NAME` sets it.
            1 request was cut short: output until then is billed, but was not reported and is missing here.
            $0.2500 of the cost was simulated: nobody pays it.
        "#]],
        );
    }

    #[test]
    fn batches_against_the_full_price() {
        let batches = [("b6ace85dd3", "document", Some(6), 0.25), ("b0000000aa", "explain", None, 0.5)].map(
            |(id, action, items, cost)| UsageRow {
                batch: Some(id.into()),
                action: Some(action.into()),
                items,
                totals: Totals { batch_cost_usd: cost, known_saved_usd: 0.01, ..totals(900, 100, cost, 0) },
                ..UsageRow::default()
            },
        );
        let total = Totals { simulated_cost_usd: 0.25, batch_cost_usd: 0.75, ..totals(5000, 0, 4.0, 0) };
        check(
            Grouping::Batch,
            &Report { total, batches: batches.to_vec(), ..report() },
            Some(110),
            &expect![[r#"
            batch                         requests    in  from cache  out     cost    saved
            b0000000aa explain                   3  1.0k         10%  410  $0.5000  $0.5200  ██████████████▎░░░░░░░░░░░░░░
            b6ace85dd3 document, 6 items         3  1.0k         10%  410  $0.2500  $0.2700  ███████▏░░░░░░░
            total                                6  2.0k         10%  820  $0.7500  $0.7900
            █ paid  ░ saved by half the price and the cache
        "#]],
        );
        check(
            Grouping::Batch,
            &report(),
            None,
            &expect![[r#"
            Nothing was used in batches.
        "#]],
        );
    }

    #[test]
    fn days_in_their_order() {
        let row = |day: &str, totals| UsageRow { day: Some(day.into()), totals, ..UsageRow::default() };
        let unknown = Totals { known_saved_usd: 0.0, ..totals(900, 0, 0.0, 1) };
        let days = vec![row("2026-11-21", totals(900, 100, 0.01, 0)), row("2026-11-22", totals(9, 1, 0.3, 0))];
        check(
            Grouping::Day,
            &Report { total: totals(909, 101, 0.31, 0), days, ..report() },
            Some(100),
            &expect![[r#"
            day         requests    in  from cache  out     cost    saved
            2026-11-21         3  1.0k         10%  410  $0.0100  $0.4900  ▊░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            2026-11-22         3    10         10%  410  $0.3000  $0.2000  ██████████████████████▎░░░░░░░░░░░░░░
            total              3  1.0k         10%  410  $0.3100  $0.1900
            █ paid  ░ saved by the cache
        "#]],
        );
        let days = vec![row("2026-11-21", unknown)];
        check(
            Grouping::Day,
            &Report { total: unknown, days, ..report() },
            Some(100),
            &expect![[r#"
                day         requests   in  from cache  out  cost  saved
                2026-11-21         3  900          0%  410     ?      ?  ████████████████████████████████████████
                total              3  900          0%  410     ?      ?
                █ tokens
                1 request is of a model whose price is not known; ? stands for that. `prices.NAME` sets it.
            "#]],
        );
    }

    #[test]
    fn names_fit() {
        for (name, width, expected) in [
            ("shop", 6, "shop  "),
            ("/home/me/a/long/path/shop", 12, "…g/path/shop"),
            ("買い物の計算", 8, "…の計算 "),
            ("shop", 4, "shop"),
        ] {
            assert_eq!(fitted(name, width), expected);
        }
    }
}

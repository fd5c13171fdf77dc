//! `aside usage`: what it took and what it cost.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned, civil};
use serde_json::json;

use super::Invocation;
use super::terminal::{self, BOLD, DIM, WARNING};
use crate::claude::words::{amount, dollars, percent};
use crate::ledger::{By, Ledger, Totals, UsageRow, day_start};

/// Arguments of `aside usage`.
#[derive(Debug, Args)]
pub struct UsageArgs {
    /// From when on: a day (2026-11-23), `today`, `month`, or a span that ends now (12h, 7d, 4w) [default: ever]
    #[arg(long, value_name = "D", value_parser = Since::parse)]
    pub since: Option<Since>,
    /// What a row is about
    #[arg(long, value_enum, default_value_t = Grouping::Day)]
    pub by: Grouping,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Grouping {
    /// A day of local time
    Day,
    /// An action
    Action,
    /// A model
    Model,
    /// A workspace folder
    Project,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Day => Self::Day,
            Grouping::Action => Self::Action,
            Grouping::Model => Self::Model,
            Grouping::Project => Self::Project,
        }
    }
}

/// The beginning of a report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Since {
    /// The beginning of a day of local time.
    Day(civil::Date),
    /// The beginning of today.
    Today,
    /// The beginning of this month.
    Month,
    /// So many hours ago.
    Hours(u32),
    /// The beginning of the day so many days ago; 1 is today.
    Days(u32),
}

impl Since {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(date) = text.parse::<civil::Date>() {
            return Ok(Self::Day(date));
        }
        match text {
            "today" => return Ok(Self::Today),
            "month" => return Ok(Self::Month),
            _ => {}
        }
        let wrong = || "not a day (2026-11-23), `today`, `month` or a span such as 12h, 7d, 4w".to_owned();
        let unit = text.chars().next_back().ok_or_else(wrong)?;
        let count: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
        // A century is more than any ledger holds.
        match unit {
            'h' if count <= 24 * 36_525 => Ok(Self::Hours(count)),
            'd' if (1..=36_525).contains(&count) => Ok(Self::Days(count)),
            'w' if (1..=5_200).contains(&count) => Ok(Self::Days(count * 7)),
            _ => Err(wrong()),
        }
    }

    /// The moment, seen from `now`.
    fn moment(self, now: &Zoned) -> Timestamp {
        let zone = now.time_zone();
        let start = |date: civil::Date| match date.to_zoned(zone.clone()) {
            Ok(midnight) => midnight.timestamp(),
            Err(_) => Timestamp::MIN,
        };
        let back = |span: Span| now.checked_sub(span).map_or(Timestamp::MIN, |moment| moment.timestamp());
        match self {
            Self::Day(date) => start(date),
            Self::Today => day_start(now.timestamp(), zone),
            Self::Month => start(now.date().first_of_month()),
            Self::Hours(hours) => back(i64::from(hours).hours()),
            Self::Days(days) => day_start(back((i64::from(days) - 1).days()), zone),
        }
    }
}

/// Prints the report.
pub fn run(args: &UsageArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let file = invocation.paths.ledger();
    // Looking must not make a ledger where none is.
    let ledger = if file.exists() { Ledger::lazy(file) } else { Ledger::in_memory() };
    let since = args.since.map(|since| since.moment(&Zoned::now().with_time_zone(TimeZone::system())));
    let (total, rows) = (ledger.totals(since)?, ledger.rows(since, args.by.into())?);
    if let Some(warning) = ledger.take_warning() {
        writeln!(terminal::stderr(), "{WARNING}warning{WARNING:#}: {}", warning.message)?;
    }
    if args.json {
        terminal::print_json(&json!({ "since": since.map(|since| since.to_string()), "total": total, "rows": rows }))?;
    } else {
        print_table(&mut terminal::stdout(), args.by, &total, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

const HEAD: [&str; 6] = ["requests", "in", "from cache", "out", "cost", "saved"];

fn print_table(out: &mut impl Write, by: Grouping, total: &Totals, rows: &[UsageRow]) -> std::io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "Nothing was used.");
    }
    let names: Vec<&str> = rows.iter().map(|row| name(by, row)).collect();
    let cells: Vec<[String; 6]> = rows.iter().map(|row| cells(&row.totals)).chain([cells(total)]).collect();
    let name_width = names.iter().map(|name| name.chars().count()).chain([7]).max().unwrap_or_default();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            cells.iter().map(|row| row[column].chars().count()).chain([HEAD[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let line = |name: &str, cells: &[String]| {
        use std::fmt::Write as _;
        let mut line = format!("{name:<name_width$}");
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(line, "  {cell:>width$}");
        }
        line
    };
    let title = by.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    writeln!(out, "{BOLD}{}{BOLD:#}", line(&title, &HEAD.map(str::to_owned)))?;
    for (name, cells) in names.iter().zip(&cells) {
        writeln!(out, "{}", line(name, cells))?;
    }
    writeln!(out, "{BOLD}{}{BOLD:#}", line("total", &cells[cells.len() - 1]))?;
    if total.unpriced > 0 {
        writeln!(
            out,
            "{DIM}{} requests are of models whose price is not known; ? stands for them.{DIM:#}",
            total.unpriced
        )?;
    }
    if total.simulated_cost_usd > 0.0 {
        writeln!(out, "{DIM}{} of the cost was simulated: nobody pays it.{DIM:#}", dollars(total.simulated_cost_usd))?;
    }
    Ok(())
}

fn name(by: Grouping, row: &UsageRow) -> &str {
    let name = match by {
        Grouping::Day => &row.day,
        Grouping::Action => &row.action,
        Grouping::Model => &row.model,
        Grouping::Project => &row.project,
    };
    name.as_deref().filter(|name| !name.is_empty()).unwrap_or("(none)")
}

fn cells(totals: &Totals) -> [String; 6] {
    // A sum that leaves something out is marked, never passed off as the whole.
    let money = |known: f64| {
        let negative = if known < 0.0 { "-" } else { "" };
        let more = if totals.unpriced > 0 { " + ?" } else { "" };
        format!("{negative}{}{more}", dollars(known.abs()))
    };
    [
        totals.attempts.to_string(),
        amount(totals.tokens.total_input()),
        totals.tokens.cache_hit_rate().map_or_else(|| "-".to_owned(), percent),
        amount(totals.tokens.output),
        money(totals.known_cost_usd),
        money(totals.known_saved_usd),
    ]
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

    use expect_test::expect;

    use super::*;
    use crate::claude::usage::Tokens;

    #[test]
    fn since_forms() {
        let now: Zoned = "2026-03-29T12:30:00+02:00[Europe/Berlin]".parse().unwrap();
        for (text, moment) in [
            ("2026-03-01", "2026-02-28T23:00:00Z"),
            ("today", "2026-03-28T23:00:00Z"),
            ("1d", "2026-03-28T23:00:00Z"),
            ("month", "2026-02-28T23:00:00Z"),
            ("12h", "2026-03-28T22:30:00Z"),
            // The clocks were changed on the 29th: days are calendar days.
            ("2d", "2026-03-27T23:00:00Z"),
            ("1w", "2026-03-22T23:00:00Z"),
        ] {
            assert_eq!(Since::parse(text).unwrap().moment(&now).to_string(), moment, "{text}");
        }
        for text in ["", "d", "0d", "-1d", "yesterday", "2026-02-30", "99999999d", "7é", "1.5h"] {
            Since::parse(text).unwrap_err();
        }
    }

    #[test]
    fn table() {
        let totals = |input, read, cost, unpriced| Totals {
            attempts: 3,
            tokens: Tokens { input, cache_read: read, output: 410, ..Tokens::default() },
            known_cost_usd: cost,
            known_saved_usd: 0.5 - cost,
            unpriced,
            ..Totals::default()
        };
        let row = |name: &str, totals| UsageRow { model: Some(name.into()), totals, ..UsageRow::default() };
        let rows = [row("claude-sonnet-5-5", totals(1200, 10_800, 0.0123, 0)), row("größer", totals(0, 0, 1.5, 2))];
        let total = Totals { simulated_cost_usd: 0.25, ..totals(1200, 10_800, 1.5123, 2) };
        let mut out = Vec::new();
        print_table(&mut out, Grouping::Model, &total, &rows).unwrap();
        expect![[r#"
            model              requests     in  from cache  out       cost       saved
            claude-sonnet-5-5         3  12.0k         90%  410    $0.0123     $0.4877
            größer                    3      0           -  410  $1.50 + ?  -$1.00 + ?
            total                     3  12.0k         90%  410  $1.51 + ?  -$1.01 + ?
            2 requests are of models whose price is not known; ? stands for them.
            $0.2500 of the cost was simulated: nobody pays it.
        "#]]
        .assert_eq(&anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string());
    }
}

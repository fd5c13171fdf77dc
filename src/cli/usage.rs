//! `aside usage`: what it took and what it cost.

mod page;
mod report;
mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned, civil};
use serde_json::json;

use super::Invocation;
use super::terminal::{self, WARNING};
use crate::ledger::{By, Ledger, UsageRow, day_start};
use report::Report;

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
    /// Write a page with charts to this file; it needs no network and can be sent to others
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
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
    /// A batch; only what went out in batches
    Batch,
}

impl From<Grouping> for By {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Day => Self::Day,
            Grouping::Action => Self::Action,
            Grouping::Model => Self::Model,
            Grouping::Project => Self::Project,
            Grouping::Batch => Self::Batch,
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

/// Prints the report, and writes the page if one is asked for.
pub fn run(args: &UsageArgs, invocation: &Invocation) -> anyhow::Result<ExitCode> {
    let file = Ledger::lazy(invocation.paths.ledger());
    // Looking must not make a ledger where none is.
    let ledger = if file.is_new() { Ledger::in_memory() } else { file };
    let now = Zoned::now().with_time_zone(TimeZone::system());
    let report = Report::read(&ledger, args.since.map(|since| since.moment(&now)), now)?;
    if let Some(warning) = ledger.take_warning() {
        writeln!(terminal::stderr(), "{WARNING}warning{WARNING:#}: {}", warning.message)?;
    }
    if let Some(path) = &args.html {
        std::fs::write(path, page::render(&report)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        terminal::print_json(&json!({
            "since": report.since.map(|since| since.to_string()),
            "total": report.total(args.by),
            "rows": report.rows(args.by),
            "misses": report.misses,
        }))?;
    } else if let Some(path) = &args.html {
        writeln!(terminal::stdout(), "Wrote {}.", path.display())?;
    } else {
        table::print(&mut terminal::stdout(), args.by, &report, terminal::width())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a row is about, as people read it.
fn name(row: &UsageRow) -> String {
    let parts = [&row.day, &row.action, &row.model, &row.project, &row.miss_reason];
    let name = match &row.batch {
        Some(batch) => {
            let items = match row.items {
                None => String::new(),
                Some(1) => ", 1 item".to_owned(),
                Some(items) => format!(", {items} items"),
            };
            format!("{batch} {}{items}", row.action.as_deref().unwrap_or_default())
        }
        None => parts.into_iter().flatten().next().cloned().unwrap_or_default(),
    };
    // Names come from repositories and servers: what would steer a terminal is shown instead.
    let shown = terminal::visible(&name).replace(['\n', '\r', '\t'], "␤");
    if shown.is_empty() { "(none)".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

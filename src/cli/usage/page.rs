//! The report as one page for a browser: no script, no font, no picture, no address but its own. The style is named by its
//! hash in a policy that forbids everything else, so not even a name out of the ledger could load or run anything.

mod chart;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use self::chart::{Chart, Rates};
use super::name;
use super::report::{Report, against_full_price, dearest_first, meaning, money, remarks};
use crate::claude::words::{amount, percent};
use crate::error::{Error, ErrorKind};
use crate::ledger::{Totals, UsageRow};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The columns of numbers in every table of sums.
const COLUMNS: [&str; 6] = ["Requests", "Input", "From cache", "Output", "Cost", "Saved"];

/// Nobody reads further than this; the dearest are shown, the others counted.
const MOST_ROWS: usize = 40;

/// The page. The same report gives the same bytes.
pub(super) fn render(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let chart = chart::costs(report);
    let page = Page {
        style: STYLE,
        style_hash: BASE64_STANDARD.encode(Sha256::digest(STYLE)),
        version: env!("CARGO_PKG_VERSION"),
        period: period(report),
        made: report.now.strftime("%Y-%m-%d %H:%M %Z").to_string(),
        empty: report.total.attempts == 0,
        cards: cards(&report.total),
        remarks: remarks(&report.total),
        columns: COLUMNS,
        rates: chart::rates(&chart),
        chart,
        days: report.days.iter().map(|row| Row::new(row, 0.0)).collect(),
        total: cells(&report.total),
        tables: tables(report),
        misses: misses(report),
    };
    environment
        .render_named_str("page.html", TEMPLATE, Serde(page))
        .map_err(|error| Error::new(ErrorKind::Internal, format!("The page could not be made: {error:#}.")))
}

/// What the template is filled with.
#[derive(Serialize)]
struct Page {
    style: &'static str,
    style_hash: String,
    version: &'static str,
    period: String,
    made: String,
    empty: bool,
    cards: Vec<Card>,
    remarks: Vec<String>,
    columns: [&'static str; 6],
    chart: Chart,
    rates: Rates,
    days: Vec<Row>,
    total: Vec<Cell>,
    tables: Vec<Table>,
    misses: Vec<Miss>,
}

/// `2026-11-01 to 2026-11-23`.
fn period(report: &Report) -> String {
    let end = report.now.date();
    let first = report.days.first().and_then(|row| row.day.clone());
    let begin = report.since.map(|since| since.to_zoned(report.now.time_zone().clone()).date().to_string());
    match begin.or(first) {
        Some(begin) if begin == end.to_string() => begin,
        Some(begin) => format!("{begin} to {end}"),
        None => format!("until {end}"),
    }
}

/// A number as programs read it, in full, and as people do.
#[derive(Serialize)]
struct Cell {
    value: String,
    text: String,
}

#[derive(Serialize)]
struct Table {
    id: &'static str,
    title: &'static str,
    /// What a row is about.
    what: &'static str,
    lead: &'static str,
    rows: Vec<Row>,
    left_out: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// Lengths of the bar's parts, in percent of the longest bar.
    paid: f64,
    saved: f64,
    cells: Vec<Cell>,
}

impl Row {
    fn new(row: &UsageRow, longest: f64) -> Self {
        let totals = &row.totals;
        let part = |value: f64| if longest > 0.0 { (value / longest * 1000.0).round() / 10.0 } else { 0.0 };
        Self {
            name: name(row),
            paid: part(totals.known_cost_usd),
            saved: part(totals.known_saved_usd.max(0.0)),
            cells: cells(totals),
        }
    }
}

fn cells(totals: &Totals) -> Vec<Cell> {
    let count = |count: u64| Cell { value: count.to_string(), text: amount(count) };
    vec![
        Cell { value: totals.attempts.to_string(), text: totals.attempts.to_string() },
        count(totals.tokens.total_input()),
        rate(totals),
        count(totals.tokens.output),
        Cell { value: known(totals.cost_usd()), text: money(totals.known_cost_usd, totals) },
        Cell { value: known(totals.saved_usd()), text: money(totals.known_saved_usd, totals) },
    ]
}

fn rate(totals: &Totals) -> Cell {
    let rate = totals.tokens.cache_hit_rate();
    Cell { value: known(rate), text: rate.map_or_else(|| "–".to_owned(), percent) }
}

/// As JSON has it.
fn known(value: Option<f64>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

#[derive(Serialize)]
struct Card {
    name: &'static str,
    value: String,
    text: String,
    note: String,
    good: bool,
}

fn cards(total: &Totals) -> Vec<Card> {
    let card = |name, cell: Cell, note: String| Card { name, value: cell.value, text: cell.text, note, good: false };
    let mut numbers = cells(total).into_iter();
    let mut next = || numbers.next().unwrap_or(Cell { value: String::new(), text: String::new() });
    let (requests, input, rate, output, cost, saved) = (next(), next(), next(), next(), next(), next());
    let uncached = total.known_cost_usd + total.known_saved_usd;
    let without = format!("{} without a cache", money(uncached, total));
    let share = (uncached > 0.0 && total.known_saved_usd > 0.0)
        .then(|| format!("{} of the price without a cache", percent(total.known_saved_usd / uncached)));
    let tokens = total.tokens;
    let good = total.known_saved_usd > 0.0;
    let thinking = match tokens.thinking {
        0 => String::new(),
        thinking => format!("{} of it thinking", amount(thinking)),
    };
    vec![
        card("Cost", cost, without),
        Card { good, ..card("Saved", saved, share.unwrap_or_default()) },
        card("From cache", rate, format!("{} tokens read", amount(tokens.cache_read))),
        card("Requests", requests, String::new()),
        card("Tokens in", input, format!("{} written to the cache", amount(tokens.cache_write()))),
        card("Tokens out", output, thinking),
    ]
}

fn tables(report: &Report) -> Vec<Table> {
    let batches = against_full_price(&report.batches);
    [
        ("action", "By action", "Action", "", &report.actions),
        ("model", "By model", "Model", "Each model has a cache of its own.", &report.models),
        ("project", "By project", "Folder", "", &report.projects),
        ("batch", "By batch", "Batch", "What is saved is told against the full price without a cache.", &batches),
    ]
    .into_iter()
    .filter(|(.., rows)| !rows.is_empty())
    .map(|(id, title, what, lead, rows)| {
        let rows = dearest_first(rows);
        let whole = |row: &&UsageRow| row.totals.known_cost_usd + row.totals.known_saved_usd.max(0.0);
        let longest = rows.iter().map(whole).fold(0.0, f64::max);
        let more = rows.len().saturating_sub(MOST_ROWS);
        let left_out =
            if more > 0 { format!("{more} more, each of them cheaper, are in the total.") } else { String::new() };
        let rows = rows.into_iter().take(MOST_ROWS).map(|row| Row::new(row, longest)).collect();
        Table { id, title, what, lead, rows, left_out }
    })
    .collect()
}

#[derive(Serialize)]
struct Miss {
    name: String,
    /// In percent of the most frequent.
    share: f64,
    cells: Vec<Cell>,
    meaning: &'static str,
}

#[expect(clippy::cast_precision_loss, reason = "a length on the page")]
fn misses(report: &Report) -> Vec<Miss> {
    let most = report.misses.iter().map(|row| row.totals.attempts).max().unwrap_or(1).max(1);
    let mut rows: Vec<&UsageRow> = report.misses.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.totals.attempts));
    rows.into_iter()
        .map(|row| {
            let missed = row.totals.tokens.total_input() - row.totals.tokens.cache_read;
            let requests = row.totals.attempts;
            Miss {
                name: name(row),
                share: (requests as f64 / most as f64 * 1000.0).round() / 10.0,
                cells: vec![
                    Cell { value: requests.to_string(), text: requests.to_string() },
                    Cell { value: missed.to_string(), text: amount(missed) },
                ],
                meaning: meaning(row.miss_reason.as_deref().unwrap_or_default()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;

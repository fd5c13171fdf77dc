use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::claude::models;
use crate::claude::usage::Tokens;
use crate::ledger::{Attempt, Ledger};

fn attempt(day: &str, action: &str, model: &str, project: &str) -> Attempt {
    let tokens = Tokens { input: 1200, cache_read: 11_000, cache_write_5m: 800, output: 410, ..Tokens::default() };
    let attempt = Attempt {
        action: action.into(),
        language: "python".into(),
        project: Some(project.into()),
        model: model.into(),
        tokens,
        started: day.parse().unwrap(),
        outcome: "ok".into(),
        miss_reason: Some("document".into()),
        ..Attempt::default()
    };
    attempt.priced(&models::lookup(model))
}

fn page(attempts: &[Attempt]) -> String {
    let ledger = Ledger::in_memory();
    for attempt in attempts {
        ledger.record(attempt).unwrap();
    }
    let now = "2026-11-23T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
    render(&Report::read(&ledger, None, now).unwrap()).unwrap()
}

/// The names of all elements, in order.
fn elements(page: &str) -> Vec<&str> {
    let name = |rest: &str| rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    page.split('<')
        .skip(1)
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|rest| &rest[..name(rest)])
        .collect()
}

/// What a browser would fetch, run or follow.
fn assert_alone(page: &str) {
    for element in elements(page) {
        assert!(
            !matches!(element, "script" | "link" | "img" | "iframe" | "a" | "use" | "image" | "object" | "base"),
            "{element}"
        );
    }
    for bad in ["src=", "href=", "http:", "https:", "url(", "@import", "javascript:", " style=\""] {
        assert!(!page.contains(bad), "{bad}");
    }
}

#[test]
fn one_policy_names_the_one_style() {
    let page = page(&[attempt("2026-11-20T08:00:00Z", "explain", "claude-sonnet-5-5", "/home/me/shop")]);
    assert_alone(&page);
    let (_, rest) = page.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(page.contains(&format!("default-src 'none'; style-src 'sha256-{hash}';")), "{}", &page[..400]);
    assert_eq!(elements(&page).iter().filter(|name| **name == "style").count(), 1);
}

#[test]
fn numbers_stand_in_full_beside_the_rounded_ones() {
    let attempt = attempt("2026-11-20T08:00:00Z", "explain", "claude-sonnet-5-5", "/home/me/shop");
    let page = page(&[attempt.clone(), attempt.clone()]);
    let cost = 2.0 * attempt.cost_usd.unwrap();
    assert!(page.contains(&format!("<data value=\"{cost}\">")), "{cost}");
    assert!(page.contains("<data value=\"26000\">26.0k</data>"));
    assert!(page.contains("the document changed") && page.contains("2026-11-20 to 2026-11-23"));
}

#[test]
fn a_batch_has_a_row_of_its_own() {
    let live = attempt("2026-11-20T08:00:00Z", "explain", "claude-sonnet-5-5", "/home/me/shop");
    let batch = Attempt { job: "b6ace85dd3".into(), batch: true, ..live.clone() };
    let batch = batch.priced(&models::lookup("claude-sonnet-5-5"));
    assert!(!page(std::slice::from_ref(&live)).contains("By batch"));
    let page = page(&[live.clone(), batch.clone(), batch.clone()]);
    assert_alone(&page);
    let (_, table) = page.split_once("<table id=\"batch\"").unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    assert!(table.contains("b6ace85dd3 explain") && !table.contains("shop"), "{table}");
    // Two of them cost as much as the single one, and the saving is against what two single ones would without a cache.
    let (paid, saved) = (live.cost_usd.unwrap(), live.cost_usd.unwrap() + 2.0 * live.saved_usd.unwrap());
    let values: Vec<f64> =
        table.split("<data value=\"").skip(1).filter_map(|it| it.split('"').next()?.parse().ok()).collect();
    assert!((values[4] - paid).abs() < 1e-12 && (values[5] - saved).abs() < 1e-12, "{values:?} {paid} {saved}");
}

#[test]
fn nothing_is_a_page_too() {
    let page = page(&[]);
    assert_alone(&page);
    assert!(page.contains("Nothing was used.") && !page.contains("<svg") && !page.contains("NaN"));
}

#[test]
fn hostile_names_stay_names() {
    let hostile =
        "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}{% raw %}\u{202e}\u{1b}[31m\0";
    let plain = page(&[attempt("2026-11-20T08:00:00Z", "a", "b", "c")]);
    let attacked = page(&[attempt("2026-11-20T08:00:00Z", hostile, hostile, hostile)]);
    assert_eq!(elements(&plain), elements(&attacked));
    assert!(attacked.contains("&lt;script&gt;") && !attacked.contains('\u{1b}') && !attacked.contains('\0'));
    assert!(attacked.contains("{{ 7*7 }}"), "nobody evaluates it");
}

#[test]
fn many_projects_are_cut_and_counted() {
    let attempts: Vec<_> = (0..100)
        .map(|number| attempt("2026-11-20T08:00:00Z", "explain", "claude-sonnet-5-5", &format!("/p/{number}")))
        .collect();
    let page = page(&attempts);
    assert!(page.contains("60 more, each of them cheaper, are in the total."));
    assert_eq!(page.matches("<bdi>&#x2f;p&#x2f;").count(), 40);
}

#[test]
fn a_broken_clock_does_not_blow_up_the_page() {
    let page = page(&[
        attempt("-009000-01-01T00:00:00Z", "explain", "claude-sonnet-5-5", "/p"),
        attempt("9998-01-01T00:00:00Z", "explain", "claude-sonnet-5-5", "/p"),
    ]);
    assert!(page.len() < 40_000, "{} bytes", page.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_number_of_a_picture_is_one(
        rows in prop::collection::vec((0_i64..900, 0_u64..3_000_000, 0_u64..3_000_000, 0_usize..100), 0..40)
    ) {
        let first: jiff::civil::Date = "2024-06-01".parse().unwrap();
        let attempts: Vec<_> = rows
            .into_iter()
            .map(|(day, input, read, model)| {
                let day = first.checked_add(day.days()).unwrap();
                let model = &models::all()[model % models::all().len()].id;
                let mut attempt = attempt(&format!("{day}T08:00:00Z"), "explain", model, "/p");
                attempt.tokens = Tokens { input, cache_read: read, cache_write_1h: read, ..Tokens::default() };
                attempt.priced(&models::lookup(model))
            })
            .collect();
        let page = page(&attempts);
        prop_assert!(!page.contains("NaN") && !page.contains("inf\""));
        for part in page.split(&[' ', '>'][..]).filter(|part| part.starts_with("width=\"") || part.starts_with("x=\"") || part.starts_with("y1=\"")) {
            let number = part.split('"').nth(1).unwrap();
            if let Ok(number) = number.parse::<f64>() {
                prop_assert!((0.0..=1000.5).contains(&number), "{part}");
            }
        }
    }
}

//! The rest of an explanation that broke off: what a user has to know to decide about it.

use super::order::Order;
use super::report::Report;
use crate::claude::models::Model;
use crate::claude::usage::{Tokens, cost};
use crate::claude::words::{amount, dollars};
use crate::ledger::UsageReport;
use crate::prompt::estimate_tokens;

/// Whether the model shall go on with an explanation that broke off: what happened, what is there, and what it costs.
pub fn ask_for_rest(order: &Order, report: &Report, begun: &str) -> String {
    let what = report.error.as_ref().map_or("The answer broke off.", |error| &error.message);
    let model = order.settings.model_data(&report.model);
    let sent = report.usage.as_ref().map(UsageReport::tokens).filter(|tokens| tokens.total_input() > 0);
    let again = sent.map(|sent| again(&sent, begun, &model)).unwrap_or_default();
    format!(
        "{}: {what} What came of it is kept. To go on, the prompt is sent once more{again}, and only the rest is written.",
        order.title(),
    )
}

/// How much is sent once more, and for how much: what is in the cache by now is read from there.
fn again(sent: &Tokens, begun: &str, model: &Model) -> String {
    let cached = sent.cache_read + sent.cache_write();
    let input = sent.input + estimate_tokens(begun, model);
    let tokens = Tokens { input, cache_read: cached, ..Tokens::default() };
    let money = match cost(model, &tokens, false) {
        Some(cost) if cached > 0 => format!(", {} while the cache has it", dollars(cost.usd)),
        Some(cost) => format!(", {}", dollars(cost.usd)),
        None => String::new(),
    };
    format!(" (about {} tokens{money})", amount(tokens.total_input()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::claude::models;

    #[test]
    fn says_how_much_goes_out_again_and_what_that_costs() {
        let known = models::find("claude-sonnet-5-5").expect("it is in the table");
        let unknown = Model { prices: None, ..known.clone() };
        let cached = Tokens { input: 200, cache_read: 9_000, cache_write_5m: 1_000, output: 60, ..Tokens::default() };
        let plain = Tokens { input: 1_200, output: 60, ..Tokens::default() };
        let begun = "It walks over the lines of an order.";
        let said = |tokens, model: &Model| again(tokens, begun, model);
        expect![" (about 10.2k tokens, $0.0014 while the cache has it)"].assert_eq(&said(&cached, known));
        expect![" (about 1.2k tokens, $0.0024)"].assert_eq(&said(&plain, known));
        expect![" (about 1.2k tokens)"].assert_eq(&said(&plain, &unknown));
    }
}

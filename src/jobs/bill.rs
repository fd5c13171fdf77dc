//! What a job's requests took: seen while they run, and summed when they have ended.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::claude::client::Progress;
use crate::claude::models::Model;
use crate::claude::usage::{Cost, Tokens, cost};
use crate::error::ErrorKind;
use crate::ledger::{Attempt, UsageReport};
use crate::prompt::diagnosis::MissReason;
use crate::prompt::estimate_tokens;

/// What was seen of a request while it ran: all there is when it is cut or cancelled.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) attempts: u32,
    /// When the newest attempt was sent, by the calendar and by a clock.
    pub(super) sent: Option<(Timestamp, Instant)>,
    pub(super) begun: bool,
    pub(super) tokens: Tokens,
    /// What was made since the tokens were reported.
    pub(super) unreported: String,
    pub(super) request_id: Option<String>,
    /// From sending the attempt to its first text.
    pub(super) first_token: Option<Duration>,
    /// Why less was read from the cache than could have been.
    pub(super) miss: Option<MissReason>,
    /// Attempts that failed and were repeated; those that had begun to answer are billed all the same.
    pub(super) broken: Vec<Broken>,
}

/// What an attempt had reported when it broke.
pub(super) struct Broken {
    /// It had begun to answer.
    pub(super) begun: bool,
    pub(super) kind: ErrorKind,
    pub(super) sent: Timestamp,
    pub(super) took: Duration,
    pub(super) first_token: Option<Duration>,
    pub(super) tokens: Tokens,
    pub(super) request_id: Option<String>,
    pub(super) miss: Option<MissReason>,
}

impl Seen {
    /// Takes in what happened; a new attempt makes what came before void.
    pub(super) fn take_in(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Sent { attempt } => {
                let broken = std::mem::take(&mut self.broken);
                let sent = Some((Timestamp::now(), Instant::now()));
                *self = Self { attempts: *attempt, sent, broken, ..Self::default() };
            }
            Progress::Waiting { reason, partial, .. } => {
                let (sent, clock) = self.sent.unwrap_or_else(|| (Timestamp::now(), Instant::now()));
                self.broken.push(Broken {
                    begun: partial.is_some(),
                    kind: reason.kind,
                    sent,
                    took: clock.elapsed(),
                    first_token: self.first_token.take(),
                    tokens: partial.map(|partial| partial.tokens).unwrap_or_default(),
                    request_id: partial
                        .and_then(|partial| partial.request_id.clone())
                        .or_else(|| reason.request_id.clone()),
                    miss: self.miss.take(),
                });
            }
            Progress::Started { message, request_id, .. } => {
                self.begun = true;
                self.tokens = Tokens::from(&message.usage);
                self.request_id = request_id.map(str::to_owned);
            }
            Progress::Usage(tokens) => {
                self.tokens = *tokens;
                self.unreported.clear();
            }
            Progress::ToolInput { json, .. } => self.unreported.push_str(json),
            Progress::Text(text) | Progress::Thinking(text) => {
                self.unreported.push_str(text);
                let sent = self.sent;
                self.first_token = self.first_token.or_else(|| sent.map(|(_, clock)| clock.elapsed()));
            }
            _ => {}
        }
    }

    /// About what the output cost that was made and not reported, because the request was cut before its end; none when
    /// there is none, or no price. Thinking that nobody was shown is not in it.
    pub(super) fn unreported_usd(&self, model: &Model) -> Option<f64> {
        let made = estimate_tokens(&self.unreported, model);
        let reported = cost(model, &self.tokens, false)?.usd;
        let all = cost(model, &Tokens { output: self.tokens.output + made, ..self.tokens }, false)?.usd;
        (made > 0).then_some(all - reported)
    }
}

/// What all requests of a job took together.
#[derive(Default)]
pub(super) struct Bill {
    pub(super) requests: u32,
    pub(super) tokens: Tokens,
    pub(super) usd: f64,
    pub(super) uncached_usd: f64,
    pub(super) priced: bool,
    pub(super) request_id: Option<String>,
    pub(super) partial: bool,
    /// Of the first request that read less than could have been.
    pub(super) miss: Option<String>,
}

impl Bill {
    /// Adds an attempt; one that never began to answer took nothing.
    pub(super) fn add(&mut self, attempt: &Attempt) {
        self.partial |= attempt.partial;
        self.request_id = attempt.request_id.clone().or(self.request_id.take());
        if attempt.tokens == Tokens::default() {
            return;
        }
        self.tokens += attempt.tokens;
        self.miss = self.miss.take().or_else(|| attempt.miss_reason.clone());
        self.priced = attempt.cost_usd.is_some() && (self.requests == 0 || self.priced);
        self.requests += 1;
        let usd = attempt.cost_usd.unwrap_or_default();
        self.usd += usd;
        self.uncached_usd += usd + attempt.saved_usd.unwrap_or_default();
    }

    /// The bill as users see it; none when nothing was taken.
    pub(super) fn report(&self, model: &Model) -> Option<UsageReport> {
        let cost = self.priced.then_some(Cost { usd: self.usd, uncached_usd: self.uncached_usd });
        (self.requests > 0).then(|| {
            let report = UsageReport::new(&model.id, &self.tokens, cost).request_id(self.request_id.clone());
            report.miss_reason(self.miss.clone()).partial(self.partial)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude::models;

    fn attempt(tokens: Tokens, cost_usd: Option<f64>, id: &str) -> Attempt {
        Attempt {
            tokens,
            cost_usd,
            saved_usd: cost_usd.map(|usd| usd / 2.0),
            request_id: Some(id.to_owned()),
            ..Attempt::default()
        }
    }

    #[test]
    fn what_was_made_since_the_last_report_is_reckoned_by_its_text() {
        let model = models::lookup("claude-sonnet-5-5");
        let mut seen = Seen::default();
        let answer = "It loads the inventory of a shop, line by line, and sums what is there. ".repeat(20);
        assert_eq!(seen.unreported_usd(&model), None);
        seen.take_in(&Progress::Text(&answer));
        let price = model.prices.expect("known").output / 1e6;
        let tokens = seen.unreported_usd(&model).expect("a price") / price;
        assert!((200.0..500.0).contains(&tokens), "{tokens} for {} characters", answer.len());
        seen.take_in(&Progress::ToolInput { index: 1, json: &answer });
        assert!(seen.unreported_usd(&model).is_some_and(|usd| usd > 1.9 * tokens * price));
        assert_eq!(seen.unreported_usd(&models::lookup("llama-9")), None, "never guessed");
        seen.take_in(&Progress::Usage(Tokens { output: 700, ..Tokens::default() }));
        assert_eq!(seen.unreported_usd(&model), None, "reported");
        seen.take_in(&Progress::Thinking(&answer));
        seen.take_in(&Progress::Sent { attempt: 2 });
        assert_eq!(seen.unreported_usd(&model), None, "another attempt");
    }

    #[test]
    fn sums_what_was_answered_and_knows_no_price_as_soon_as_one_is_missing() {
        let model = models::lookup("claude-sonnet-5-5");
        let tokens = Tokens { input: 10, output: 5, ..Tokens::default() };
        let mut bill = Bill::default();
        assert!(bill.report(&model).is_none(), "nothing was sent");
        bill.add(&attempt(Tokens::default(), None, "failed"));
        assert!(bill.report(&model).is_none(), "a failed attempt took nothing");
        bill.add(&attempt(tokens, Some(0.5), "one"));
        bill.add(&attempt(tokens, Some(0.25), "two"));
        let report = bill.report(&model).expect("two answers");
        assert_eq!((report.input_tokens, report.output_tokens), (20, 10));
        assert_eq!((report.cost_usd, report.saved_usd), (Some(0.75), Some(0.375)));
        assert_eq!(report.request_id.as_deref(), Some("two"));
        bill.add(&attempt(tokens, None, "three"));
        let report = bill.report(&model).expect("three answers");
        assert_eq!((report.cost_usd, report.saved_usd), (None, None), "never guessed");
    }
}

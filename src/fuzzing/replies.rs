//! What a server answers that is no stream: any status, headers and body become an error in one line and a wait that is
//! bounded; batches, models and messages are read or refused, and their numbers never end anything.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;

use super::{Choices, texts};
use crate::claude::batches::{Batch, BatchLine, BatchResult};
use crate::claude::errors::{Fault, Place};
use crate::claude::rate::RateHeaders;
use crate::claude::types::{ErrorResponse, MessageResponse, ModelInfo, Page};
use crate::claude::usage::{Tokens, cost};
use crate::claude::{models, retry};

/// A message quotes no more than some hundred characters of anybody.
const LONGEST_MESSAGE: usize = 1000;

pub(super) fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let (Some(high), Some(low)) = (choices.byte(), choices.byte()) else { return };
    let status = 300 + (u16::from(high) * 256 + u16::from(low)) % 300;
    let [lines, model, body] = texts(choices.0);
    let mut headers = HeaderMap::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(':')).take(64) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::from_str(value.trim())) {
            headers.append(name, value);
        }
    }
    let place = Place { host: "api.example", doubled_version: false, model: Some("claude-sonnet-5-5") };
    let fault = Fault::from_body(body.as_bytes());
    let error = place.status(status, &headers, &fault);
    let is_line = !error.message.contains(char::is_control) && error.message.chars().count() < LONGEST_MESSAGE;
    assert!(is_line && error.hint.is_some(), "{error:?}");
    let verdict = retry::of_status(status, &headers, &fault, SystemTime::UNIX_EPOCH);
    let delay = verdict.delay(1, 0.0);
    assert!(delay.is_none_or(|delay| delay <= retry::LONGEST_WAIT), "{delay:?}");
    if let retry::Verdict::TooLong(wait) = verdict {
        Place::told_to_wait(error, wait);
    }
    let rate = RateHeaders::new(&headers);
    let day = Duration::from_secs(24 * 60 * 60);
    for limit in [&rate.requests, &rate.tokens, &rate.input_tokens, &rate.output_tokens] {
        assert!(limit.full_in.is_none_or(|full| full <= day), "{limit:?}");
    }
    rate.tightest();
    models::nearest(&model);
    models::lookup(&model);
    bodies(&body);
}

fn bodies(body: &str) {
    if let Some(message) = read::<MessageResponse>(body) {
        counted(&message);
    }
    if let Some(BatchLine { result: BatchResult::Succeeded { message }, .. }) = read::<BatchLine>(body) {
        counted(&message);
    }
    if let Some(batch) = read::<Batch>(body) {
        batch.total();
    }
    for info in read::<Page<ModelInfo>>(body).into_iter().flat_map(|page| page.data) {
        let model = models::lookup(&info.id).into_owned().with_info(&info);
        assert_eq!(model.id, info.id);
    }
    read::<ErrorResponse>(body);
}

fn counted(message: &MessageResponse) {
    let tokens = Tokens::from(&message.usage);
    let rate = tokens.cache_hit_rate();
    assert!(rate.is_none_or(|rate| (0.0..=1.0).contains(&rate)), "{tokens:?}");
    for model in models::all() {
        let cost = cost(model, &tokens, false);
        assert!(cost.is_none_or(|cost| cost.usd.is_finite() && cost.usd >= 0.0), "{cost:?}");
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

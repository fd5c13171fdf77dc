//! From what went wrong to an error a user can act on.

mod fault;
mod transport;

use std::{borrow::Cow, time::Duration};

use http::HeaderMap;

pub use self::fault::Fault;
use super::{models, retry, types::ApiError};
use crate::error::{Error, ErrorKind};

/// What errors name: whom was asked, and for which model.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Host and port of the base URL, without credentials.
    pub host: &'a str,
    /// The path prefix of the base URL ends in `/v1`, which makes every address wrong.
    pub doubled_version: bool,
    /// The model asked for; `None` for requests without one.
    pub model: Option<&'a str>,
}

impl Place<'_> {
    /// The error of an answer with this status and body.
    pub fn status(&self, status: u16, headers: &HeaderMap, fault: &Fault) -> Error {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let id = header("request-id").or_else(|| fault.request_id.clone());
        if (300..400).contains(&status) {
            return self.redirect(header("location").as_deref()).request_id(id);
        }
        self.explain(status, fault).request_id(id)
    }

    /// The error of an `error` event.
    pub fn event(&self, error: &ApiError, request_id: Option<&str>) -> Error {
        let fault = Fault::from_event(error);
        self.explain(retry::status_of(&fault.kind), &fault).request_id(request_id.map(str::to_owned))
    }

    /// A limit that the server wants kept for longer than anyone waits for it.
    pub fn told_to_wait(error: Error, wait: Duration) -> Error {
        let seconds = wait.as_secs();
        let time =
            if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) };
        error.hint(format!("The server asks to wait {time}; try again then."))
    }

    /// Nothing came, not even a sign of life, for this long.
    pub fn silent(&self, limit: Duration, begun: bool) -> Error {
        let host = self.host;
        let message = if begun {
            format!("{host} fell silent for {} s in the middle of the answer.", limit.as_secs_f64())
        } else {
            format!("{host} did not begin to answer within {} s.", limit.as_secs_f64())
        };
        Error::new(ErrorKind::Timeout, message).hint("Try again, or raise `api.timeout_secs` for a slow server.")
    }

    /// The stream ended, or broke, without `message_stop`.
    pub fn cut(&self) -> Error {
        Error::new(ErrorKind::Network, format!("The answer of {} ended before it was complete.", self.host))
            .hint("Try again; if it happens often, look at proxies between here and there.")
    }

    /// An answer that does not follow the API.
    pub fn not_the_api(&self, what: &str) -> Error {
        Error::new(ErrorKind::BadAnswer, format!("{} does not answer as the Messages API does: {what}.", self.host))
            .hint("Check `api.base_url` (ANTHROPIC_BASE_URL).")
    }

    /// The server knows messages at most, and no batches.
    pub fn no_batches(&self) -> Error {
        let host = self.host;
        let hint = if self.doubled_version {
            "`api.base_url` ends in /v1, but paths begin with /v1 already: leave it out."
        } else {
            "Most local servers and gateways have none: `aside act` asks about one file after the other."
        };
        Error::new(ErrorKind::Config, format!("{host} has no Message Batches.")).hint(hint)
    }

    /// The body is larger than the API takes.
    pub fn too_large(&self) -> Error {
        Error::new(ErrorKind::TooLong, "The request is larger than the API takes.")
            .hint("Select less code, or leave large files out.")
    }

    fn redirect(&self, location: Option<&str>) -> Error {
        let target = location.and_then(|location| url::Url::parse(location).ok());
        let target = target.as_ref().and_then(|url| url.host_str()).unwrap_or("another address");
        Error::new(ErrorKind::Config, format!("{} redirects to {target}, which is not followed.", self.host))
            .hint("Your key and code go only where you sent them: set `api.base_url` to the final address.")
    }

    fn explain(&self, status: u16, fault: &Fault) -> Error {
        let host = self.host;
        let said = said(fault, status);
        let error = |kind, message: String| Error::new(kind, message);
        if status != 402 && fault.is_spent_budget() {
            return error(ErrorKind::Budget, format!("The account's money is spent{said}"))
                .hint("Raise the spending limit or add credit in the Claude Console, or use another key.");
        }
        match status {
            401 => error(ErrorKind::Credentials, format!("{host} does not accept the key{said}")).hint(
                "Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or `api.key_command`); --simulate works without one.",
            ),
            402 => error(ErrorKind::Budget, format!("{host} asks for payment{said}"))
                .hint("Check the account's billing in the Claude Console."),
            403 if fault.html => error(ErrorKind::Permission, format!("Something in front of {host} refuses the request{said}"))
                .hint("A proxy, firewall or sign-in page answered, not the API: check HTTPS_PROXY and `api.base_url`."),
            403 => error(ErrorKind::Permission, format!("The key may not do this{said}"))
                .hint("Use a key of a workspace that may use this model and feature."),
            404 => self.not_found(fault, &said),
            405 | 501 => self.wrong_address(&said),
            407 => error(ErrorKind::Network, format!("The proxy asks for a sign-in{said}"))
                .hint("Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT."),
            408 | 504 => error(ErrorKind::Timeout, format!("{host} took too long{said}"))
                .hint("Try again; a shorter selection or a smaller model answers faster."),
            409 => error(ErrorKind::Overloaded, format!("{host} could not do this just now{said}")).hint("Try again."),
            413 => self.too_large(),
            429 => error(ErrorKind::RateLimit, format!("Too many requests or tokens a minute{said}"))
                .hint("Try again in a minute, or run fewer actions at once (`max_running`)."),
            529 | 503 => error(ErrorKind::Overloaded, format!("{host} is overloaded{said}"))
                .hint("Try again in a minute, or use another model."),
            502 => error(ErrorKind::Network, format!("A gateway in front of {host} got no answer{said}"))
                .hint("Try again; a local server or gateway may still be starting."),
            500.. => error(ErrorKind::Overloaded, format!("{host} failed{said}")).hint("Try again in a minute."),
            _ if is_too_long(&fault.message) => error(ErrorKind::TooLong, format!("The prompt is too long{said}"))
                .hint("Select less code, or use a model with a larger context."),
            400 | 422 => error(ErrorKind::Config, format!("{host} refuses the request{said}"))
                .hint("Check `model`, `max_output_tokens`, `thinking.*` and `api.version` against what the server takes."),
            _ => error(ErrorKind::Network, format!("{host} answered in an unexpected way{said}"))
                .hint("Check `api.base_url` and proxies."),
        }
    }

    /// A model, or an address, that the server does not have.
    fn not_found(&self, fault: &Fault, said: &str) -> Error {
        let host = self.host;
        let Some(id) = self.model.filter(|_| fault.kind == "not_found_error" || fault.message.contains("model")) else {
            // The API's own word for a batch, or anything else with an id, that is not there.
            return match fault.kind.as_str() {
                "not_found_error" => Error::new(ErrorKind::Config, format!("{host} does not have it{said}"))
                    .hint("Check the id, and that the key belongs to the workspace that made it."),
                _ => self.wrong_address(said),
            };
        };
        let known = models::find(id);
        if let Some((model, successor)) = known.and_then(|model| Some((model, model.successor.as_deref()?))) {
            let message = match (model.lifecycle, &model.retires) {
                (models::Lifecycle::Retired, Some(day)) => format!("The model {id} was retired on {day}{said}"),
                (_, Some(day)) => format!("The model {id} is retired from {day} on{said}"),
                (_, None) => format!("The model {id} is retired{said}"),
            };
            return Error::new(ErrorKind::Config, message).hint(format!("Set `model` to its successor {successor}."));
        }
        let error = Error::new(ErrorKind::Config, format!("{host} has no model {id}{said}"));
        let near = models::nearest(id);
        error.hint(match near.as_slice() {
            _ if known.is_some() => format!("{host} does not serve it, or not to this key: set another `model`."),
            [] => "Set `model` to one that the server has; `aside doctor` lists them.".to_owned(),
            near => format!("Did you mean {}? Set `model`.", near.join(", ")),
        })
    }

    fn wrong_address(&self, said: &str) -> Error {
        let host = self.host;
        let hint: Cow<'_, str> = if self.doubled_version {
            "`api.base_url` ends in /v1, but paths begin with /v1 already: leave it out.".into()
        } else {
            "Check `api.base_url` (ANTHROPIC_BASE_URL): /v1/messages is appended to it.".into()
        };
        Error::new(ErrorKind::Config, format!("{host} has no Messages API at this address{said}")).hint(hint)
    }
}

/// The end of a message: what the server said, or at least its status.
fn said(fault: &Fault, status: u16) -> String {
    if fault.message.is_empty() {
        return format!(" (status {status}).");
    }
    let dot = if fault.message.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!(" (status {status}): {}{dot}", fault.message)
}

fn is_too_long(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["prompt is too long", "exceed context limit", "context length", "context window", "maximum context"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests;

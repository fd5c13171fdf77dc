//! Breakpoints: where they may be, how many, and in which order.

use serde_json::Value;

use super::super::failure::Failure;
use super::super::prompt::{self, Breakpoint};
use super::object::Object;
use crate::claude::types::Ttl;

/// The most breakpoints of a request.
const MOST: usize = 4;

/// Checks every `cache_control` of the request.
pub(super) fn breakpoints(body: &Value) -> Result<(), Failure> {
    for block in prompt::blocks(body) {
        if let Some(control) = block.cache_control() {
            life(control, &format!("{}.cache_control", block.place))?;
        }
    }
    if let Some(control) = body.get("cache_control").filter(|control| !control.is_null()) {
        life(control, "cache_control")?;
    }

    let breakpoints = prompt::breakpoints(body).map_err(Failure::invalid)?;
    if breakpoints.len() > MOST {
        return Err(Failure::invalid(format!(
            "A maximum of {MOST} blocks with cache_control may be provided. Found {}.",
            breakpoints.len()
        )));
    }
    in_order(&breakpoints)
}

fn life(control: &Value, place: &str) -> Result<(), Failure> {
    let control = Object::new(control, place, &["type", "ttl"])?;
    control.tag(&["ephemeral"])?;
    control.optional_word("ttl", &["5m", "1h"]).map(drop)
}

fn in_order(breakpoints: &[Breakpoint]) -> Result<(), Failure> {
    let shorter = breakpoints.iter().position(|breakpoint| breakpoint.ttl == Ttl::FiveMinutes);
    let behind = shorter.map_or(&[][..], |shorter| &breakpoints[shorter..]);
    match behind.iter().find(|breakpoint| breakpoint.ttl == Ttl::OneHour) {
        Some(late) => Err(Failure::invalid(format!(
            "{}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note \
             that blocks are processed in the following order: `tools`, `system`, `messages`.",
            late.place
        ))),
        None => Ok(()),
    }
}

//! Asking for the rest of an answer that reached its limit of tokens.

use crate::claude::types::{ContentBlock, Message, MessageRequest, Role};

/// What the model is told. Prefilling its turn, which was the way once, is refused since 4.6.
pub const GO_ON: &str = "Your answer reached its limit of length. Go on exactly where it ends, with the very next character: repeat \
                         nothing, introduce nothing, and do not open a code fence that is open already.";

/// The request for what comes behind `answer`, which was cut. Everything up to it is the same bytes, so it is read from the
/// cache.
pub fn go_on(request: &MessageRequest, answer: &str) -> MessageRequest {
    let mut request = request.clone();
    // Servers refuse turns of the assistant that end in white space, if not all of them and not everywhere.
    let said = Message { role: Role::Assistant, content: vec![ContentBlock::text(answer.trim_end())] };
    let asked = Message { role: Role::User, content: vec![ContentBlock::text(GO_ON)] };
    request.messages.extend([said, asked]);
    request
}

//! Asking again, once, when an answer does not have its form.

use super::Plan;
use crate::actions::ResultForm;
use crate::claude::types::{ContentBlock, Message, MessageRequest, Role};

/// The request that shows the model its answer and what is wrong with it (one sentence, such as `there is no fenced code
/// block`), and asks for the whole answer anew. The prefix up to the task is the same bytes, so it is read from the cache.
pub fn repair(plan: &Plan, answer: &str, reason: &str) -> MessageRequest {
    let mut request = plan.request.clone();
    let reason = reason.trim().trim_end_matches('.');
    let form = match plan.form {
        ResultForm::Edit => {
            "one fenced code block with the complete replacement of the selection and nothing else of the file, and, only if \
             the replacement needs imports that the file does not have, a second fenced block whose info string ends in \
             `imports`"
        }
        ResultForm::Answer => {
            "an explanation in Markdown, or one fenced code block whose info string ends in `edit` with the complete \
             replacement of the selection and nothing else of the file, and, only if the replacement needs imports that the \
             file does not have, a second fenced block whose info string ends in `imports`"
        }
        ResultForm::Tests => "one fenced code block with exactly what is to be added to the test file, imports first",
        ResultForm::NewFile => "one fenced code block with the whole content of the new file",
        ResultForm::Explanation | ResultForm::Diagnostics | ResultForm::Control => "the form that the task asks for",
    };
    let complaint = format!(
        "This answer cannot be used: {reason}. Nothing of it was applied. Answer the task again, completely, in its form: \
         {form}. Close every fence. Do not comment on the mistake."
    );
    if answer.trim().is_empty() {
        // An empty turn is refused, and two turns of one role in a row are better avoided.
        if let Some(last) = request.messages.last_mut() {
            last.content.push(ContentBlock::text(format!("An earlier answer to this was empty. {complaint}")));
        }
    } else {
        // The API refuses a last turn of the assistant that ends in white space; others are spared it too.
        let said = Message { role: Role::Assistant, content: vec![ContentBlock::text(answer.trim_end())] };
        let asked = Message { role: Role::User, content: vec![ContentBlock::text(complaint)] };
        request.messages.extend([said, asked]);
    }
    request
}

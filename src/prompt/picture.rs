//! The request about a picture: the picture, the link to it, and what stands around the link.
//!
//! It goes to the fast model and shares nothing with other requests: pictures end a common prefix, and a page does not have to
//! be read whole to describe one of its pictures.

use super::compose::{self, Block, Draft};
use super::{Input, LayerName, Memo, Plan, instruction, tags};
use crate::actions::ResultForm;
use crate::claude::images::Picture;
use crate::claude::types::{ContentBlock, Message, Role};
use crate::error::Error;

const SYSTEM: &str = include_str!("picture.md");

/// So many bytes of the text around the link are shown, half of them before it.
const SURROUNDINGS: usize = 4000;

/// The request about a picture that `input`'s selection links to. Fails with `config` when the action's template is wrong.
pub fn picture(input: &Input<'_>, picture: &Picture) -> Result<Plan, Error> {
    let (mut request, mut notes) = compose::request(input);
    let root = compose::root(input, &request);
    let blocks = [surroundings(input), instruction::selection(input, false), instruction::task(input)?];
    let block = |text: String| Block::new(text, input.model);
    let drafts = [
        Draft { name: LayerName::System, blocks: vec![block(SYSTEM.trim_end().to_owned())] },
        Draft { name: LayerName::Instruction, blocks: blocks.map(block).into() },
    ];
    let none = [None; 2];
    let mut layers = compose::layers(&drafts, &none, root, input.scale);
    layers[1].estimated_tokens += picture.tokens();
    layers[1].blocks += 1;
    let (system, mut content) = compose::assemble(&drafts, &none);
    content.insert(0, ContentBlock::Image { source: picture.source.clone(), cache_control: None });
    request.system = system;
    request.messages = vec![Message { role: Role::User, content }];
    notes.push(format!("What is looked at: {}.", picture.words));
    let uncorrected = drafts.iter().map(Draft::tokens).sum::<u64>() + picture.tokens();
    let estimated = layers.iter().map(|layer| layer.estimated_tokens).sum();
    Ok(Plan {
        request,
        estimated_input_tokens: estimated,
        uncorrected_input_tokens: uncorrected,
        input_limit: compose::input_limit(input),
        layers,
        // Whatever it becomes, it is no replacement of the selection.
        form: ResultForm::Explanation,
        notes,
        memo: Memo::alone(estimated),
    })
}

/// Whole lines around the link.
fn surroundings(input: &Input<'_>) -> String {
    let text = input.text;
    let boundary = |at: usize| (0..=at).rfind(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let before = boundary(input.selection.start.saturating_sub(SURROUNDINGS / 2));
    let behind = boundary((input.selection.end + SURROUNDINGS / 2).min(text.len()));
    let start = if before == 0 {
        0
    } else {
        text[before..input.selection.start].find('\n').map_or(before, |at| before + at + 1)
    };
    let end = if behind == text.len() {
        behind
    } else {
        text[input.selection.end..behind].rfind('\n').map_or(behind, |at| input.selection.end + at)
    };
    let attributes = [("path", input.path), ("language", input.language.id), ("excerpt", "true")];
    tags::wrap("document", &attributes, &text[start..end.max(start)])
}

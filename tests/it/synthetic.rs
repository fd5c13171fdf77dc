//! Histories for sessions, where no network is.

use crate::sessions::{Dice, History};

/// Histories that nobody wrote: modules of functions, of which each version changes a few.
pub(crate) fn synthetic(files: usize, versions: usize) -> Vec<History> {
    let file = |file: usize| {
        let mut dice = Dice(file as u64);
        let mut functions: Vec<String> = (0..10 + file % 3 * 8).map(|number| function(number, 0)).collect();
        let mut texts = Vec::new();
        for version in 0..versions {
            let head = format!("\"\"\"Module {file}.\"\"\"\nimport json\nimport os\n\n\n");
            texts.push(head + &functions.join("\n\n"));
            for _ in 0..6 {
                let at = dice.below(functions.len());
                functions[at] = function(at, version + 1);
            }
            let at = dice.below(functions.len());
            functions.insert(at, function(functions.len() + 100, version));
        }
        History { path: format!("src/module_{file}.py"), versions: texts }
    };
    (0..files).map(file).collect()
}

fn function(number: usize, version: usize) -> String {
    let step = |step| format!("    value_{step} = transform(first, {step}, {version}) + second * {number}\n");
    let steps = (0..4 + number % 9).map(step).collect::<Vec<_>>().concat();
    format!(
        "def compute_{number}(first, second=1):\n    \"\"\"Computes number {number}.\"\"\"\n{steps}    return value_0\n"
    )
}

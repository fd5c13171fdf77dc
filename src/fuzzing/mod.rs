//! What must hold for whatever bytes come from outside: one function a target, which panics where it does not.
//!
//! `scripts/fuzz` feeds them with what a fuzzer makes up (the program is in `fuzz/`, with the words that a target's inputs
//! are made of); the tests feed them with what is in `fuzz/corpus`.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a panic is how a check says no")]

mod addresses;
mod answer;
mod calls;
mod changes;
mod code;
mod config;
mod frames;
mod front_matter;
mod ignore;
mod image;
mod merge;
mod pictures;
mod replies;
mod seam;
mod secrets;
mod sse;

/// A property of all inputs.
pub type Check = fn(&[u8]);

/// The targets, by their names and those of their folders in `fuzz/corpus`. `scripts/fuzz` reads them here.
pub const TARGETS: &[(&str, Check)] = &[
    ("addresses", addresses::check),
    ("answer", answer::check),
    ("calls", calls::check),
    ("changes", changes::check),
    ("code", code::check),
    ("config", config::check),
    ("frames", frames::check),
    ("front_matter", front_matter::check),
    ("ignore", ignore::check),
    ("image", image::check),
    ("merge", merge::check),
    ("pictures", pictures::check),
    ("replies", replies::check),
    ("seam", seam::check),
    ("secrets", secrets::check),
    ("sse", sse::check),
];

/// Checks one input of a target.
///
/// Panics if what must hold does not, or if there is no such target.
pub fn check(target: &str, data: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap_or_else(|| panic!("no target {target}"));
    check(data);
}

/// Bytes as the choices of a test: numbers and texts, until there are no more.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A text with its length in front, in bytes.
    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// Texts with a record separator between them; those that are missing are empty.
fn texts<const N: usize>(data: &[u8]) -> [String; N] {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(N, '\u{1e}').map(str::to_owned);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The bytes in one piece, byte by byte, and in pieces of `size`.
fn cuts(data: &[u8], size: u8) -> [Vec<&[u8]>; 3] {
    [vec![data], data.chunks(1).collect(), data.chunks(usize::from(size).max(2)).collect()]
}

/// A text in pieces of so many characters.
fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(size).collect();
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// Runs what waits for nothing but its input.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without threads");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Kept inputs: seeds, one for each path that the fuzzer found, and all that ever failed.
    #[test]
    fn everything_kept_holds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, check) in TARGETS {
            let files = std::fs::read_dir(folder.join(name)).unwrap();
            let mut inputs = 0;
            for file in files {
                let path = file.unwrap().path();
                let data = std::fs::read(&path).unwrap();
                if let Err(panic) = std::panic::catch_unwind(|| check(&data)) {
                    eprintln!("the input was {}", path.display());
                    std::panic::resume_unwind(panic);
                }
                inputs += 1;
            }
            assert!(inputs > 2, "{name} has {inputs} inputs");
        }
    }

    #[test]
    fn what_is_kept_belongs_to_a_target() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for kind in ["corpus", "words"] {
            for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
                let name = entry.unwrap().file_name();
                assert!(TARGETS.iter().any(|(target, _)| *target == name), "{kind}: {}", name.display());
            }
        }
    }
}

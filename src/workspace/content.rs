//! Which files are text that an action can work on, and reading them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// The largest document, in bytes, that actions work on. It is far above what a model can read, and low enough that
/// parsing stays interactive.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// How much of a file is looked at to tell text from binary, as git does.
const SNIFFED_BYTES: usize = 8000;

/// Whether these bytes look like a binary file: a NUL byte near the beginning.
pub fn is_probably_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(SNIFFED_BYTES).any(|&byte| byte == 0)
}

/// Reads a file as UTF-8 text, without a byte-order mark's meaning and never lossily. What is no file, such as a pipe or a
/// device, is not even opened, as that may wait for ever.
///
/// # Errors
/// Of kind `config`, each naming the file and what to do: missing, a directory or something else that is no file, not
/// readable, larger than [`MAX_DOCUMENT_BYTES`], binary, or not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let metadata = path.metadata().map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Error::new(ErrorKind::Config, format!("{} is not a file.", path.display()))
            .hint("Actions work on files, not on pipes and devices."));
    }
    read_any(path)
}

/// As [`read_text`], also from a pipe that somebody named, and then as long as it lasts.
pub fn read_any(path: &Path) -> Result<String, Error> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Config, format!("{shown} is a directory.")).hint("Name one file in it."));
    }
    if metadata.len() > MAX_DOCUMENT_BYTES as u64 {
        return Err(too_large(&shown.to_string(), metadata.len()));
    }
    let mut bytes = Vec::new();
    // A pipe or device has no length beforehand: never read more than what is allowed, plus one byte to notice.
    file.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    text_from(&shown.to_string(), bytes)
}

/// Takes bytes, read from a file or standard input, as UTF-8 text; `name` is what errors call them.
///
/// # Errors
/// Of kind `config`: too large, binary, or not UTF-8.
pub fn text_from(name: &str, bytes: Vec<u8>) -> Result<String, Error> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(too_large(name, bytes.len() as u64));
    }
    if is_probably_binary(&bytes) {
        return Err(binary(name));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::Config, format!("{name} is not UTF-8 text (byte {at})."))
            .hint("Convert it to UTF-8 first, for example with iconv.")
    })
}

/// The error for a document that is larger than [`MAX_DOCUMENT_BYTES`].
pub fn too_large(name: &str, bytes: u64) -> Error {
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    Error::new(
        ErrorKind::TooLong,
        format!(
            "{name} is too large: {} MiB, and actions take up to {} MiB.",
            mib(bytes),
            mib(MAX_DOCUMENT_BYTES as u64)
        ),
    )
    .hint("Copy the part you want to work on into a file of its own.")
}

/// The error for a document that is not text.
pub fn binary(name: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{name} is a binary file.")).hint("Actions work on text files only.")
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            Error::new(ErrorKind::Config, format!("{shown} does not exist.")).hint("Check the path.")
        }
        io::ErrorKind::PermissionDenied => Error::new(ErrorKind::Config, format!("{shown} may not be read."))
            .hint("Check the permissions of the file and its folders."),
        _ => Error::new(ErrorKind::Config, format!("{shown} cannot be read: {error}.")),
    }
}

//! The body of a batch, written to a file while it grows: it may be larger than what is to be in memory.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use super::BatchRequest;
use crate::error::{Error, ErrorKind};

/// The most requests of a batch.
pub const MOST_REQUESTS: usize = 100_000;
/// The largest body of a batch, in bytes: 256 MB, by the smaller of the two things that may mean.
pub const LARGEST_BATCH: u64 = 256_000_000;

const BEGIN: &[u8] = b"{\"requests\":[";
const END: &[u8] = b"]}";

/// The requests of a batch as they are sent, in a file that has no name and ends with the process.
#[derive(Debug)]
pub struct BatchBody {
    file: BufWriter<File>,
    bytes: u64,
    ids: HashSet<String>,
    pub(super) model: Option<String>,
    most_requests: usize,
    most_bytes: u64,
}

impl BatchBody {
    /// A body without requests, for as many as the API takes.
    pub fn new() -> Result<Self, Error> {
        Self::within(MOST_REQUESTS, LARGEST_BATCH)
    }

    /// A body without requests, for at most so many of them and so many bytes.
    pub fn within(most_requests: usize, most_bytes: u64) -> Result<Self, Error> {
        let mut file = BufWriter::new(tempfile::tempfile().map_err(|error| unwritable(&error))?);
        file.write_all(BEGIN).map_err(|error| unwritable(&error))?;
        Ok(Self { file, bytes: BEGIN.len() as u64, ids: HashSet::new(), model: None, most_requests, most_bytes })
    }

    /// Adds a request; `false` when there is no room for it any more.
    ///
    /// # Errors
    /// What the API would refuse, or accept and answer wrongly, and a disk that will not have it.
    pub fn push(&mut self, request: &BatchRequest) -> Result<bool, Error> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Config, what));
        let BatchRequest { custom_id, params } = request;
        let is_plain = custom_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !is_plain || !(1..=64).contains(&custom_id.len()) {
            return wrong(format!("`{}` is no id for a request of a batch.", custom_id.escape_debug()));
        }
        if params.stream || params.max_tokens.unwrap_or(0) == 0 {
            return wrong(format!(
                "The request `{custom_id}` cannot be part of a batch: it streams or asks for no answer."
            ));
        }
        if self.ids.contains(custom_id) {
            return wrong(format!("Two requests of the batch have the id `{custom_id}`."));
        }
        let text = serde_json::to_vec(request)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("The request has no JSON form: {error}.")))?;
        let comma: &[u8] = if self.ids.is_empty() { b"" } else { b"," };
        let grown = self.bytes + (comma.len() + text.len()) as u64;
        if self.ids.len() >= self.most_requests || grown + END.len() as u64 > self.most_bytes {
            return Ok(false);
        }
        self.file.write_all(comma).and_then(|()| self.file.write_all(&text)).map_err(|error| unwritable(&error))?;
        self.bytes = grown;
        self.model.get_or_insert_with(|| params.model.clone());
        self.ids.insert(custom_id.clone());
        Ok(true)
    }

    /// Writes the end; nothing can be added any more.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.most_requests = 0;
        self.file.write_all(END).and_then(|()| self.file.flush()).map_err(|error| unwritable(&error))?;
        self.bytes += END.len() as u64;
        Ok(())
    }

    /// How many requests it has.
    pub fn count(&self) -> usize {
        self.ids.len()
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether it has no requests.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The file, once it is finished.
    pub(super) fn closed(&self) -> Result<File, Error> {
        if self.most_requests > 0 {
            return Err(Error::new(ErrorKind::Internal, "A batch is to be sent that was not finished."));
        }
        self.file.get_ref().try_clone().map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("The batch could not be written to a temporary file: {error}."))
        .hint("Make room in the folder for temporary files, or set TMPDIR to another one.")
}

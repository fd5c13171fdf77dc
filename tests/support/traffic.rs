//! Frames on the wire, and a record of them for a judge outside these tests.
//!
//! When `ASIDE_TEST_TRAFFIC` names a folder, every client writes one file of lines
//! `{"dir": "c2s" | "s2c", "msg": …}` into it. The files of clients that break the protocol on purpose
//! end in `.rude.jsonl`: only what the server said in them can be judged.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// Where records go, if anybody asked for them.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("ASIDE_TEST_TRAFFIC")?);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

/// A name for a record, after the test that makes it.
pub(crate) fn record_name(suffix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
    format!("{test}-{}.{suffix}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// One client's record, or nothing when none was asked for.
pub(crate) struct Traffic(Option<Mutex<File>>);

impl Traffic {
    pub(crate) fn new(rude: bool) -> Self {
        let suffix = if rude { "rude.jsonl" } else { "jsonl" };
        Self(folder().map(|folder| Mutex::new(File::create(folder.join(record_name(suffix))).unwrap())))
    }

    /// To be called before a message is sent and after one was received: then the order of lines is causal.
    pub(crate) fn note(&self, direction: &str, message: &Value) {
        if let Some(file) = &self.0 {
            let line = format!("{}\n", json!({"dir": direction, "msg": message}));
            file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        }
    }
}

/// Writes one message with its header.
pub(crate) fn write_frame(out: &mut impl Write, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    write!(out, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    out.flush()
}

/// Reads one message. `None` at the end of input between two messages; anything that is not a frame is an error.
pub(crate) fn read_frame(input: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut length = None;
    let mut first = true;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return if first { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        first = false;
        let line = line.strip_suffix("\r\n").ok_or_else(|| invalid(format!("no header line: {line:?}")))?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid(format!("no header: {line:?}")))?;
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse::<usize>().map_err(|error| invalid(error.to_string()))?);
        }
    }
    let mut body = vec![0; length.ok_or_else(|| invalid("a header without Content-Length".into()))?];
    input.read_exact(&mut body)?;
    serde_json::from_slice(&body).map(Some).map_err(|error| invalid(error.to_string()))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

//! Just enough HTTP/1.1 to ask the simulator a question, and to stand between the program and an API and write down
//! what they say to each other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::traffic;

/// A limit for what hangs, not a measure of speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The JSON at `path` of the server at `base`.
pub(crate) fn get_json(base: &Url, path: &str) -> Value {
    let mut stream = TcpStream::connect(address(base)).expect("the server answers");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address(base)).unwrap();
    let (head, body) = read_message(&mut BufReader::new(stream)).unwrap();
    assert!(head[0].contains(" 200"), "{}", head[0]);
    serde_json::from_slice(&body).unwrap()
}

fn address(base: &Url) -> SocketAddr {
    base.socket_addrs(|| None).unwrap()[0]
}

/// The first line and headers, and the body.
fn read_message(input: &mut impl BufRead) -> std::io::Result<(Vec<String>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() && !head.is_empty() {
            break;
        }
        head.push(line.to_owned());
    }
    let mut body = Vec::new();
    match header(&head, "content-length") {
        Some(length) => {
            body.resize(length.parse().unwrap(), 0);
            input.read_exact(&mut body)?;
        }
        None if head[0].starts_with("HTTP/") => drop(input.read_to_end(&mut body)?),
        None => {}
    }
    Ok((head, body))
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// One request and its answer, as they went over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Such as `POST /v1/messages`.
    pub(crate) target: String,
    pub(crate) headers: Vec<String>,
    /// The body, to the byte.
    pub(crate) body: String,
    pub(crate) request: Value,
    pub(crate) status: u16,
    /// The JSON body, or the events of a stream.
    pub(crate) response: Vec<Value>,
}

/// Where an answer waits in the middle, behind its first words, until it is told to go on.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        drop(self.opened.wait_timeout_while(self.open.lock().unwrap(), PATIENCE, |open| !*open).unwrap());
    }
}

/// A proxy in front of an API. Stops taking connections when dropped.
pub(crate) struct Recorder {
    pub(crate) url: Url,
    gate: Option<Arc<Gate>>,
    exchanges: Arc<(Mutex<Vec<Exchange>>, Condvar)>,
    address: SocketAddr,
}

impl Recorder {
    pub(crate) fn start(upstream: &Url) -> Self {
        Self::new(upstream, None)
    }

    /// Lets the first words of every answer through and holds the rest back until [`Recorder::release`].
    pub(crate) fn holding(upstream: &Url) -> Self {
        Self::new(upstream, Some(Arc::default()))
    }

    /// Lets everything through that was held back, and all that comes.
    pub(crate) fn release(&self) {
        let gate = self.gate.as_ref().expect("something is held back");
        *gate.open.lock().unwrap() = true;
        gate.opened.notify_all();
    }

    fn new(upstream: &Url, gate: Option<Arc<Gate>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let exchanges = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (upstream, list) = (address(upstream), Arc::clone(&exchanges));
        let gates = gate.clone();
        let record = traffic::folder().map(|folder| folder.join(traffic::record_name("api.jsonl")));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (list, record, gate) = (Arc::clone(&list), record.clone(), gates.clone());
                std::thread::spawn(move || {
                    // A side that goes away in the middle is what some tests are about.
                    if let Ok(exchange) = relay(connection, upstream, gate.as_deref())
                        // That one goes beside the first message, and comes when it comes.
                        && !exchange.target.starts_with("GET /v1/models")
                    {
                        let (list, completed) = &*list;
                        let mut list = list.lock().unwrap();
                        if let Some(path) = record {
                            note(&path, &exchange);
                        }
                        list.push(exchange);
                        completed.notify_all();
                    }
                });
            }
        });
        Self { url: Url::parse(&format!("http://{local}")).unwrap(), gate, exchanges, address: local }
    }

    /// What went through, in the order of completion, when at least `count` exchanges are complete. The program may know
    /// an answer's end before the connection's, so the last exchange may take a moment longer than its result.
    pub(crate) fn exchanges(&self, count: usize) -> Vec<Exchange> {
        let (list, completed) = &*self.exchanges;
        let wait = completed.wait_timeout_while(list.lock().unwrap(), PATIENCE, |list| list.len() < count).unwrap();
        assert!(!wait.1.timed_out(), "{} of {count} exchanges", wait.0.len());
        wait.0.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // The listener's thread ends with the process; this only keeps it from waiting in `accept` for ever.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay(client: TcpStream, upstream: SocketAddr, mut gate: Option<&Gate>) -> std::io::Result<Exchange> {
    let (head, body) = read_message(&mut BufReader::new(client.try_clone()?))?;
    let mut server = TcpStream::connect(upstream)?;
    // One exchange a connection: then the end of the answer is the end of the connection.
    let kept = head.iter().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let kept: Vec<_> = kept.map(String::as_str).chain(["connection: close", "", ""]).collect();
    server.write_all(kept.join("\r\n").as_bytes())?;
    server.write_all(&body)?;
    let (mut answer, mut buffer, mut out, mut sent) = (Vec::new(), [0; 16 * 1024], client, 0);
    loop {
        let read = server.read(&mut buffer)?;
        answer.extend_from_slice(&buffer[..read]);
        if let Some(held) = gate
            && let Some(words) = first_words(&answer)
        {
            gate = None;
            if out.write_all(&answer[sent..words]).is_ok() {
                sent = words;
                held.pass();
            }
        }
        if out.write_all(&answer[sent..]).is_err() {
            // Whoever asked has gone: so must the request.
            server.shutdown(Shutdown::Both)?;
            break;
        }
        sent = answer.len();
        if read == 0 {
            break;
        }
    }
    let _ = out.shutdown(Shutdown::Both);
    Ok(exchange(head, &body, &answer))
}

/// The end of the first event that carries text.
fn first_words(answer: &[u8]) -> Option<usize> {
    let find =
        |from: usize, what: &[u8]| Some(answer[from..].windows(what.len()).position(|bytes| bytes == what)? + from);
    Some(find(find(0, b"\"text_delta\"")?, b"\n\n")? + 2)
}

fn exchange(head: Vec<String>, body: &[u8], answer: &[u8]) -> Exchange {
    let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let answer_head: Vec<String> = String::from_utf8_lossy(&answer[..at]).lines().map(str::to_owned).collect();
    let mut payload = answer[at..].to_vec();
    if header(&answer_head, "transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        payload = unchunk(&payload);
    }
    let text = String::from_utf8_lossy(&payload);
    let response = match serde_json::from_str(&text) {
        Ok(value) => vec![value],
        Err(_) => text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter_map(|data| serde_json::from_str(data.trim_start()).ok())
            .collect(),
    };
    let status = answer_head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let target = head[0].rsplit_once(' ').map_or("", |(target, _)| target).to_owned();
    let request = serde_json::from_slice(body).unwrap_or(Value::Null);
    let body = String::from_utf8_lossy(body).into_owned();
    Exchange { target, headers: head[1..].to_vec(), body, request, status, response }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(at) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).ok().and_then(|hex| usize::from_str_radix(hex.trim(), 16).ok());
        let Some(size @ 1..) = size else { break };
        let end = (at + 2 + size).min(rest.len());
        out.extend_from_slice(&rest[at + 2..end]);
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    out
}

fn note(path: &std::path::Path, exchange: &Exchange) {
    let line = json!({
        "target": exchange.target,
        "request": exchange.request,
        "status": exchange.status,
        "response": exchange.response,
    });
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

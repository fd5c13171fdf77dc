//! A TCP server that does to each connection what a script says, byte by byte: all that a real API, a gateway or a cable
//! can do to a client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use url::Url;

/// What the server does next with a connection. At the end of a script it closes it in order.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Vec<u8>),
    /// These bytes again and again, until the client goes away or there were so many.
    Repeat(Vec<u8>, usize),
    /// One byte at a time, with this pause behind each.
    Drip(Vec<u8>, Duration),
    Sleep(Duration),
    /// Nothing more, until the client goes away.
    Hang,
    /// Closes with a reset instead of an orderly end.
    Reset,
}

/// What happens to one connection.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Whether the request is read first.
    pub(crate) listens: bool,
    pub(crate) acts: Vec<Act>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

/// Listens until dropped.
pub(crate) struct Scripted {
    pub(crate) url: Url,
    state: Arc<State>,
    /// Ends everything with it.
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    scripts: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Asked>>,
    connections: Mutex<usize>,
    gone: Mutex<usize>,
}

impl Scripted {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { url, state, _runtime: runtime }
    }

    /// From now on connections get these scripts, one each; what is left of others is forgotten, and so are requests.
    pub(crate) fn play(&self, scripts: Vec<Script>) {
        *self.state.scripts.lock().unwrap() = scripts.into();
        self.state.asked.lock().unwrap().clear();
        *self.state.connections.lock().unwrap() = 0;
        *self.state.gone.lock().unwrap() = 0;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// Waits until somebody has asked for something.
    pub(crate) fn wait_asked(&self) {
        wait_until("nobody asks", || !self.state.asked.lock().unwrap().is_empty());
    }

    /// Waits until so many clients have left connections that hang; `what` says where.
    pub(crate) fn wait_gone(&self, count: usize, what: &str) {
        let gone = || *self.state.gone.lock().unwrap() >= count;
        wait_until(&format!("{what}: the client holds on to the connection"), gone);
    }
}

/// Waits for what must come; a limit for what hangs, not a measure of speed.
pub(crate) fn wait_until(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

async fn serve(mut socket: TcpStream, state: Arc<State>) {
    let _ = socket.set_nodelay(true);
    // Beside its requests for messages a client asks what models there are. This server does not tell, and does not count it.
    let mut first = [0; 4];
    while matches!(socket.peek(&mut first).await, Ok(1..4)) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if first == *b"GET " {
        if read_request(&mut socket).await.is_some() {
            let _ = socket.write_all(b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        }
        return;
    }
    *state.connections.lock().unwrap() += 1;
    let script = state.scripts.lock().unwrap().pop_front();
    let script = script.unwrap_or_else(|| Script::new(vec![status(418, "", r#"{"error":"nothing is scripted"}"#)]));
    if script.listens {
        let Some(asked) = read_request(&mut socket).await else { return };
        state.asked.lock().unwrap().push(asked);
    }
    for act in script.acts {
        let sent = match act {
            Act::Send(bytes) => socket.write_all(&bytes).await,
            Act::Repeat(bytes, times) => {
                let mut sent = Ok(());
                for _ in 0..times {
                    sent = socket.write_all(&bytes).await;
                    if sent.is_err() {
                        break;
                    }
                }
                sent
            }
            Act::Drip(bytes, pause) => {
                let mut sent = Ok(());
                for byte in bytes {
                    sent = socket.write_all(&[byte]).await;
                    if sent.is_err() {
                        break;
                    }
                    tokio::time::sleep(pause).await;
                }
                sent
            }
            Act::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Act::Hang => {
                let mut bytes = [0; 1024];
                while matches!(socket.read(&mut bytes).await, Ok(1..)) {}
                *state.gone.lock().unwrap() += 1;
                return;
            }
            Act::Reset => {
                let _ = socket.set_zero_linger();
                return;
            }
        };
        if sent.is_err() {
            *state.gone.lock().unwrap() += 1;
            return;
        }
    }
    let _ = socket.shutdown().await;
}

async fn read_request(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while bytes.len() < head_end + length.unwrap_or(0) {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Asked { head, body: bytes.split_off(head_end), at: Instant::now() })
}

impl Script {
    /// Reads the request, then does this.
    pub(crate) fn new(acts: Vec<Act>) -> Self {
        Self { listens: true, acts }
    }

    /// Does not even read the request.
    pub(crate) fn deaf(acts: Vec<Act>) -> Self {
        Self { listens: false, acts }
    }
}

/// Bytes.
pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// A whole answer; `headers` are lines.
pub(crate) fn status(status: u16, headers: &str, body: &str) -> Act {
    let headers: String = headers.lines().flat_map(|line| [line.trim(), "\r\n"]).collect();
    let length = body.len();
    send(format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"))
}

/// A refusal as the API words it.
pub(crate) fn refusal(code: u16, kind: &str, headers: &str) -> Act {
    let body = json!({"type": "error", "error": {"type": kind, "message": "So it is"}, "request_id": "req_body"});
    status(code, headers, &body.to_string())
}

/// The head of a stream that ends with its connection.
pub(crate) fn head() -> Act {
    send(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
         request-id: req_1\r\n\r\n",
    )
}

/// One event.
pub(crate) fn event(json: &Value) -> Act {
    send(bytes_of(json))
}

/// One event's bytes.
pub(crate) fn bytes_of(json: &Value) -> Vec<u8> {
    format!("event: {}\ndata: {json}\n\n", json["type"].as_str().unwrap()).into_bytes()
}

pub(crate) fn start() -> Act {
    event(&json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 105, "output_tokens": 1},
    }}))
}

pub(crate) fn block() -> Act {
    event(&json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}))
}

pub(crate) fn text(text: &str) -> Act {
    event(&text_event(text))
}

pub(crate) fn text_event(text: &str) -> Value {
    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
}

pub(crate) fn error_event(kind: &str) -> Act {
    event(&json!({"type": "error", "error": {"type": kind, "message": "So it is"}}))
}

/// What ends an answer.
pub(crate) fn end() -> Vec<Act> {
    vec![
        event(&json!({"type": "content_block_stop", "index": 0})),
        event(&json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}})),
        event(&json!({"type": "message_stop"})),
    ]
}

/// A whole good answer.
pub(crate) fn answer(words: &str) -> Script {
    Script::new([vec![head(), start(), block(), text(words)], end()].concat())
}

//! Drives the built server over stdio as an editor does, and prints how long it takes.
//!
//! `cargo bench --bench server` builds with optimizations and prints one line a figure: median, 99th percentile and worst.
//! `ASIDE_BENCH_BIN` names another program to drive, such as one that was built before a change.
//! These are wall-clock times of a whole process; on a busy machine compare runs, not single numbers.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a benchmark prints, and ends where its ground is not as it must be"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let all: [(&str, fn()); 5] =
        [("start", start), ("changes", changes), ("memory", memory), ("code_action", code_action), ("stream", stream)];
    for (name, bench) in all {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            bench();
        }
    }
}

/// From spawning the process to the answer of `initialize`.
fn start() {
    let mut times = Vec::new();
    for _ in 0..40 {
        let begun = Instant::now();
        let mut server = Server::spawn(&[]);
        server.initialize(json!({}));
        times.push(begun.elapsed());
        server.quit();
    }
    print("spawn to initialize", times);
}

/// One-character changes in a 2 MB document, all sent at once, then `shutdown`.
fn changes() {
    let mut times = Vec::new();
    let mut used = None;
    for _ in 0..7 {
        let mut server = Server::spawn(&[]);
        server.initialize(json!({}));
        server.open(&large_document());
        server.request("aside/usage", Value::Null);
        let mut frames = Vec::new();
        for number in 0..20_000u32 {
            let place = json!({ "line": number % 40_000, "character": number % 30 });
            let params = json!({
                "textDocument": { "uri": URI, "version": number + 2 },
                "contentChanges": [{ "range": { "start": place, "end": place }, "text": "x" }],
            });
            frames.extend(frame(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params })));
        }
        let begun = Instant::now();
        server.stdin.write_all(&frames).expect("the server reads");
        server.request("shutdown", Value::Null);
        times.push(begun.elapsed());
        used = used.max(cpu_time(server.process.id()));
        server.quit();
    }
    print("20,000 changes in 2 MB, then shutdown", times);
    print_cpu_time(used, 20_000, "change");
}

/// Resident memory of a server with nothing open, a second after it started.
fn memory() {
    let mut server = Server::spawn(&[]);
    server.initialize(json!({}));
    std::thread::sleep(Duration::from_secs(1));
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap_or_default();
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("VmRSS: unknown");
    println!("{:<44} {}", "idle memory", resident.trim_start_matches("VmRSS:").trim());
    server.quit();
}

/// The answer to `textDocument/codeAction` for a selection in a 2 MB document.
fn code_action() {
    let mut server = Server::spawn(&[]);
    server.initialize(json!({}));
    server.open(&large_document());
    let mut times = Vec::new();
    for number in 0..2_000u32 {
        let range = json!({
            "start": { "line": number * 19, "character": 0 },
            "end": { "line": number * 19 + 10, "character": 0 },
        });
        let params = json!({ "textDocument": { "uri": URI }, "range": range, "context": { "diagnostics": [] } });
        let begun = Instant::now();
        let menu = server.request("textDocument/codeAction", params);
        times.push(begun.elapsed());
        assert!(menu["result"].as_array().is_some_and(|menu| !menu.is_empty()), "there is a menu: {menu}");
    }
    print("code action in 2 MB", times);
    server.quit();
}

/// From the moment before a text delta is written to the server's socket to the moment its `aside/stream` notification was
/// read, with 20 streams of 50 deltas a second each.
///
/// First as independent answers come: each stream has gaps of its own, of 0 to 40 ms. Then the worst there can be: all 20
/// deltas at once, every 20 ms, so that the last of them waits for the work of all. One thread plays all streams and one
/// reads, so that the server competes with two threads and not with 21.
fn stream() {
    play_streams("delta to notification, 20 streams", |random| Duration::from_micros(random % 40_000));
    play_streams("the same, 20 deltas at once", |_| Duration::from_millis(20));
}

fn play_streams(what: &str, gap: fn(u64) -> Duration) {
    const STREAMS: usize = 20;
    const DELTAS: usize = 250;
    let zero = Instant::now();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || play(&listener, STREAMS, DELTAS, zero, gap));
    let mut server = Server::spawn(&[("ANTHROPIC_BASE_URL", &base_url), ("ANTHROPIC_API_KEY", "benchmark")]);
    server.initialize(json!({ "maxRunning": STREAMS }));
    let functions: Vec<_> = (0..STREAMS).map(|n| format!("def f{n}(a, b):\n    return a + b + {n}\n\n\n")).collect();
    let text = functions.concat();
    server.open(&text);
    for number in 0..STREAMS {
        let range = json!({
            "start": { "line": number * 4, "character": 0 },
            "end": { "line": number * 4 + 2, "character": 0 },
        });
        let run = json!({ "action": "explain", "uri": URI, "range": range });
        server.send("workspace/executeCommand", json!({ "command": "aside.run", "arguments": [run] }), true);
    }
    let mut times = Vec::new();
    let mut ended = 0;
    while ended < STREAMS {
        let message = server.receive();
        let read = server.stdout.read - zero;
        if message["method"] != "aside/stream" {
            continue;
        }
        match message["params"]["kind"].as_str() {
            Some("text") => {
                let stamps = message["params"]["text"].as_str().unwrap_or_default().split_whitespace();
                let sent = stamps.filter_map(|stamp| stamp.parse().ok()).map(Duration::from_nanos);
                times.extend(sent.map(|sent| read.saturating_sub(sent)));
            }
            Some("end") => {
                assert_eq!(message["params"]["outcome"], "shown", "{message}");
                ended += 1;
            }
            _ => {}
        }
    }
    assert_eq!(times.len(), STREAMS * DELTAS, "every delta arrived");
    print(what, times);
    if let Some(used) = cpu_time(server.process.id()) {
        println!(
            "{:<44} {:>8.1} µs a delta",
            "  processor time of the server",
            used.as_secs_f64() * 1e6 / f64::from(u32::try_from(STREAMS * DELTAS).expect("a few thousand"))
        );
    }
    server.quit();
}

/// Waits for that many requests, then plays an answer to each, whose text is the time at which each delta was sent.
fn play(listener: &TcpListener, streams: usize, deltas: usize, zero: Instant, gap: fn(u64) -> Duration) {
    let mut connections: Vec<TcpStream> = (0..streams)
        .map(|_| {
            loop {
                let (mut connection, _) = listener.accept().expect("a connection");
                connection.set_nodelay(true).expect("a socket option");
                if read_request(&connection).starts_with("POST ") {
                    break connection;
                }
                // Aside asks what models there are.
                let nothing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                connection.write_all(nothing).expect("the server reads");
            }
        })
        .collect();
    let usage = json!({ "input_tokens": 10, "output_tokens": 1 });
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    let block = json!({ "type": "text", "text": "" });
    for connection in &mut connections {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        connection.write_all(head.as_bytes()).expect("the server reads");
        send(connection, &json!({ "type": "message_start", "message": message }));
        send(connection, &json!({ "type": "content_block_start", "index": 0, "content_block": block }));
    }
    // A linear congruential generator, so that every run plays the same.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let begun = Instant::now() + Duration::from_millis(100);
    let mut schedule = Vec::new();
    for stream in 0..streams {
        let mut due = begun;
        for _ in 0..deltas {
            due += gap(random());
            schedule.push((due, stream));
        }
    }
    schedule.sort_unstable();
    for (due, stream) in schedule {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let text = format!("{} ", zero.elapsed().as_nanos());
        let delta = json!({ "type": "text_delta", "text": text });
        send(&mut connections[stream], &json!({ "type": "content_block_delta", "index": 0, "delta": delta }));
    }
    for connection in &mut connections {
        send(connection, &json!({ "type": "content_block_stop", "index": 0 }));
        let stop = json!({ "stop_reason": "end_turn", "stop_sequence": null });
        send(connection, &json!({ "type": "message_delta", "delta": stop, "usage": { "output_tokens": deltas } }));
        send(connection, &json!({ "type": "message_stop" }));
    }
}

/// What a process took of the processors so far, where the system tells it.
fn cpu_time(process: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let times = threads.flatten().filter_map(|thread| {
        let schedule = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedule.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    });
    Some(times.sum())
}

/// Reads a request; its first line.
fn read_request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    let mut first = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a request");
        if first.is_empty() {
            first.clone_from(&line);
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line == "\r\n" {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    first
}

fn send(connection: &mut TcpStream, event: &Value) {
    let name = event["type"].as_str().unwrap_or_default();
    connection.write_all(format!("event: {name}\ndata: {event}\n\n").as_bytes()).expect("the server reads");
}

const URI: &str = "file:///bench/large.py";

/// 2 MB of plausible Python.
fn large_document() -> String {
    let mut text = String::new();
    while text.len() < 2_000_000 {
        let number = text.len();
        let function =
            format!("def f_{number}(first, second=1):\n    total = first + second * {number}\n    return total\n\n");
        text.push_str(&function);
    }
    text
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let index = ((times.len() - 1) as f64 * share).round() as usize;
        times[index].as_secs_f64() * 1000.0
    };
    println!("{what:<44} median {:>8.3} ms   p99 {:>8.3} ms   worst {:>8.3} ms", at(0.5), at(0.99), at(1.0));
}

/// What the server took of the processors from its start, for each of what it was made to do. Unlike the times above this
/// depends little on what else the machine does.
fn print_cpu_time(used: Option<Duration>, count: usize, one: &str) {
    if let Some(used) = used {
        #[expect(clippy::cast_precision_loss)]
        let each = used.as_secs_f64() * 1e6 / count as f64;
        println!("{:<44} {each:>8.1} µs a {one}", "  processor time of the server");
    }
}

/// A pipe that remembers when it was read from last.
struct Output {
    pipe: BufReader<ChildStdout>,
    read: Instant,
}

impl Output {
    fn line(&mut self) -> String {
        let mut line = String::new();
        while !line.ends_with('\n') {
            line.push(char::from(self.byte()));
        }
        line
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.exact(&mut byte);
        byte[0]
    }

    fn exact(&mut self, mut wanted: &mut [u8]) {
        while !wanted.is_empty() {
            let waits = self.pipe.buffer().is_empty();
            let length = self.pipe.read(wanted).expect("a pipe");
            assert!(length > 0, "the server ended");
            wanted = &mut wanted[length..];
            if waits {
                self.read = Instant::now();
            }
        }
    }
}

struct Server {
    process: Child,
    stdin: ChildStdin,
    stdout: Output,
    next_id: i64,
    _home: tempfile::TempDir,
}

impl Server {
    fn spawn(environment: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let program = std::env::var_os("ASIDE_BENCH_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_aside").into());
        let mut process = Command::new(program)
            .arg("serve")
            .env_clear()
            .env("HOME", home.path())
            .env("ASIDE_DATA_DIR", home.path().join("data"))
            .env("ASIDE_CACHE_DIR", home.path().join("cache"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stdin = process.stdin.take().expect("a pipe");
        let pipe = BufReader::with_capacity(1 << 16, process.stdout.take().expect("a pipe"));
        let stdout = Output { pipe, read: Instant::now() };
        Self { process, stdin, stdout, next_id: 0, _home: home }
    }

    fn initialize(&mut self, options: Value) {
        let capabilities = json!({
            "textDocument": { "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } } },
            "experimental": { "aside": { "stream": true } },
        });
        let params = json!({
            "processId": null, "rootUri": null, "capabilities": capabilities, "initializationOptions": options,
        });
        self.request("initialize", params);
        self.send("initialized", json!({}), false);
    }

    fn open(&mut self, text: &str) {
        let document = json!({ "uri": URI, "languageId": "python", "version": 1, "text": text });
        self.send("textDocument/didOpen", json!({ "textDocument": document }), false);
    }

    /// Sends a request and reads up to its answer.
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.send(method, params, true);
        loop {
            let message = self.receive();
            if message["id"] == self.next_id && message.get("method").is_none() {
                return message;
            }
        }
    }

    fn send(&mut self, method: &str, params: Value, answered: bool) {
        let mut message = json!({ "jsonrpc": "2.0", "method": method });
        if !params.is_null() {
            message["params"] = params;
        }
        if answered {
            self.next_id += 1;
            message["id"] = json!(self.next_id);
        }
        self.stdin.write_all(&frame(&message)).expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let line = self.stdout.line();
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stdout.exact(&mut body);
        serde_json::from_slice(&body).expect("JSON")
    }

    fn quit(mut self) {
        drop(self.stdin);
        self.process.wait().expect("the server ends");
    }
}

fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

//! A scripted HTTP server: one reply a connection, in order. A reply left over fails the test.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// What the server does with a connection after it has read the request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Send(String),
    Sleep(Duration),
    /// Say nothing more until the client goes away.
    Hang,
    /// Close with a reset instead of an orderly end.
    Reset,
}

pub(super) struct Server {
    pub(super) url: Url,
    replies: Arc<Mutex<Vec<Vec<Act>>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    gone: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    /// `POST /v1/messages`.
    pub(super) line: String,
    /// Lowercase names.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Server {
    pub(super) async fn start(replies: impl IntoIterator<Item = Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let mut replies: Vec<Vec<Act>> = replies.into_iter().collect();
        replies.reverse();
        let replies = Arc::new(Mutex::new(replies));
        let (requests, gone) = (Arc::default(), Arc::default());
        let shared = (Arc::clone(&replies), Arc::clone(&requests), Arc::clone(&gone));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (replies, requests, gone) = shared.clone();
                tokio::spawn(async move { serve(socket, &replies, &requests, &gone).await });
            }
        });
        Self { url, replies, requests, gone, task }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until a client has left a hanging connection.
    pub(super) async fn client_gone(&self) {
        while *self.gone.lock().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        if !std::thread::panicking() {
            let left = self.replies.lock().unwrap().len();
            assert_eq!(left, 0, "replies that nobody asked for");
        }
    }
}

async fn serve(
    mut socket: TcpStream,
    replies: &Mutex<Vec<Vec<Act>>>,
    requests: &Mutex<Vec<Request>>,
    gone: &Mutex<usize>,
) {
    let Some(request) = read_request(&mut socket).await else { return };
    requests.lock().unwrap().push(request);
    let reply = replies.lock().unwrap().pop();
    let reply = reply.unwrap_or_else(|| respond(418, "", r#"{"error":"no reply is scripted for this request"}"#));
    for act in reply {
        match act {
            Act::Send(text) => {
                if socket.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
                let _ = socket.flush().await;
            }
            Act::Sleep(time) => tokio::time::sleep(time).await,
            Act::Hang => {
                let mut byte = [0];
                while matches!(socket.read(&mut byte).await, Ok(1..)) {}
                *gone.lock().unwrap() += 1;
                return;
            }
            Act::Reset => {
                socket.set_zero_linger().unwrap();
                return;
            }
        }
    }
    let _ = socket.shutdown().await;
}

async fn read_request(socket: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    while bytes.len() < head_end + 4 + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[head_end + 4..].to_vec()).unwrap();
    Some(Request { line, headers, body })
}

/// A whole reply; `headers` are lines.
pub(super) fn respond(status: u16, headers: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let headers: String = headers.lines().flat_map(|line| [line, "\r\n"]).collect();
    vec![Act::Send(format!(
        "HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))]
}

/// The head of a stream; its body ends with the connection.
pub(super) fn stream_head() -> Act {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                request-id: req_1\r\nanthropic-ratelimit-requests-remaining: 9\r\n\r\n";
    Act::Send(head.to_owned())
}

/// One event.
pub(super) fn event(json: &serde_json::Value) -> Act {
    Act::Send(format!("event: {}\ndata: {json}\n\n", json["type"].as_str().unwrap()))
}

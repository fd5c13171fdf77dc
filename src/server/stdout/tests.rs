use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::*;

/// The messages in an output, which has nothing else in it.
fn messages(mut output: &[u8]) -> Vec<Value> {
    let mut found = Vec::new();
    while !output.is_empty() {
        let end = output.windows(4).position(|window| window == b"\r\n\r\n").expect("a header");
        let head = std::str::from_utf8(&output[..end]).expect("a header");
        let length: usize = head.strip_prefix("Content-Length: ").expect("a length").parse().expect("a length");
        let (body, rest) = output[end + 4..].split_at(length);
        found.push(serde_json::from_slice(body).expect("JSON"));
        output = rest;
    }
    found
}

#[tokio::test]
async fn a_notification_leaves_at_once() {
    let (near, mut far) = tokio::io::duplex(1 << 10);
    let outlet = Outlet::over(near);
    assert!(outlet.is_clear());
    outlet.send("a/b", &json!({ "é": "\n" }));
    outlet.cleared().await;
    let mut output = vec![0; 1 << 10];
    let length = far.read(&mut output).await.expect("it is open");
    assert_eq!(messages(&output[..length]), [json!({ "jsonrpc": "2.0", "method": "a/b", "params": { "é": "\n" } })]);
}

#[tokio::test]
async fn the_framework_waits_for_a_slow_client_and_then_goes_on() {
    const PIECE: usize = 1 << 17;
    let (near, mut far) = tokio::io::duplex(PIECE / 2);
    let mut outlet = Outlet::over(near);
    let mut written = 0;
    while outlet.0.lock().waiting.len() < ROOM {
        outlet.write_all(&vec![b'a'; PIECE]).await.expect("there is room");
        written += PIECE;
        tokio::task::yield_now().await;
        assert!(!outlet.is_clear(), "jobs wait already");
    }
    assert!(written <= ROOM + 3 * PIECE, "{written}");
    assert!(tokio::time::timeout(Duration::from_millis(1), outlet.write_all(b"b")).await.is_err());
    let reader = tokio::spawn(async move {
        let mut output = vec![0; written];
        far.read_exact(&mut output).await.expect("it is open");
        far
    });
    outlet.write_all(b"b").await.expect("it is open");
    outlet.shutdown().await.expect("it is open");
    let mut far = reader.await.expect("it does not panic");
    assert_eq!(far.read_u8().await.expect("it is open"), b'b');
}

#[tokio::test]
async fn a_client_that_is_gone_stops_nobody() {
    let (near, far) = tokio::io::duplex(8);
    let mut outlet = Outlet::over(near);
    outlet.send("a", &"x".repeat(100));
    drop(far);
    outlet.cleared().await;
    outlet.send("a", &"x".repeat(100));
    assert!(outlet.is_clear(), "nothing is kept for nobody");
    assert_eq!(outlet.write_all(b"b").await.expect_err("nobody reads").kind(), io::ErrorKind::BrokenPipe);
    outlet.flush().await.expect("there is nothing to flush");
}

/// Three feeds and the framework write messages of these sizes at once, to a client that reads when it likes.
#[cfg(unix)]
fn told(near: OwnedFd, mut far: impl io::Read + Send + 'static, sizes: &[usize]) -> Vec<Value> {
    let client = std::thread::spawn(move || {
        let mut output = Vec::new();
        let mut chunk = vec![0; 1 << 15];
        while let Ok(length @ 1..) = far.read(&mut chunk) {
            output.extend_from_slice(&chunk[..length]);
            std::thread::yield_now();
        }
        output
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    runtime.block_on(async {
        let pipe = Pipe::of(near).expect("it can be used").expect("it is one");
        let mut outlet = Outlet::new(Some(pipe), tokio::io::sink());
        let feeds = (0..3).map(|feed| {
            let (outlet, sizes) = (outlet.clone(), sizes.to_vec());
            tokio::spawn(async move {
                for (number, size) in sizes.into_iter().enumerate() {
                    outlet.cleared().await;
                    outlet.send("feed", &json!([feed, number, "x".repeat(size)]));
                }
            })
        });
        let feeds: Vec<_> = feeds.collect();
        for (number, size) in sizes.iter().enumerate() {
            let body = json!({ "params": [3, number, "x".repeat(*size)] }).to_string();
            let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            outlet.write_all(frame.as_bytes()).await.expect("somebody reads");
        }
        for feed in feeds {
            feed.await.expect("it does not panic");
        }
        outlet.shutdown().await.expect("somebody reads");
    });
    // With the runtime ends the task that writes, and with that the pipe is closed.
    drop(runtime);
    messages(&client.join().expect("it does not panic"))
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn frames_stay_whole_and_in_order(sizes in prop::collection::vec(0_usize..200_000, 1..12), socket: bool) {
        let found = if socket {
            let (near, far) = std::os::unix::net::UnixStream::pair().expect("sockets");
            told(near.into(), far, &sizes)
        } else {
            let (far, near) = io::pipe().expect("a pipe");
            told(near.into(), far, &sizes)
        };
        prop_assert_eq!(found.len(), sizes.len() * 4);
        for source in 0..4_u64 {
            let own: Vec<_> = found.iter().map(|message| &message["params"]).filter(|own| own[0] == source).collect();
            let lengths: Vec<_> = own.iter().map(|own| own[2].as_str().map_or(0, str::len)).collect();
            prop_assert_eq!(&lengths, &sizes);
            prop_assert!(own.iter().enumerate().all(|(number, own)| own[1] == number));
        }
    }
}

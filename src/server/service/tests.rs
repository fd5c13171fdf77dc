use std::convert::Infallible;
use std::time::Duration;

use lsp_types::LspAny;
use serde_json::json;

use super::*;

/// A backend whose methods are named after what they do; `log` has what took effect, in order.
#[derive(Clone, Default)]
struct Mock {
    log: Arc<Mutex<Vec<String>>>,
    dropped: Arc<AtomicBool>,
}

struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Service<Request> for Mock {
    type Response = Option<Response>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Reply<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Mock { log, dropped } = self.clone();
        async move {
            let (method, id, params) = request.into_parts();
            let mut result = params.clone().unwrap_or_default();
            match &*method {
                "note" => log.lock().unwrap().push(result.to_string()),
                "read" => result = json!(log.lock().unwrap().clone()),
                "panic" => panic!("as asked"),
                "for ever" => {
                    let _dropped = Dropped(dropped);
                    std::future::pending::<()>().await;
                }
                "workspace/executeCommand" => {
                    request_token().cancelled().await;
                    tokio::task::yield_now().await;
                    result = json!("cancelled");
                }
                _ => {}
            }
            Ok(id.map(|id| Response::from_ok(id, result)))
        }
        .boxed()
    }
}

struct Fixture {
    wire: Wire<Mock>,
    mock: Mock,
    life: Life,
    end: CancellationToken,
}

impl Fixture {
    fn new() -> Self {
        let (mock, life, end) = (Mock::default(), Life::default(), CancellationToken::new());
        Self { wire: Wire::new(mock.clone(), life.clone(), end.clone()), mock, life, end }
    }

    fn notify(&mut self, method: &'static str, params: LspAny) {
        // The answer of a notification is nothing, and nobody has to wait for its effect.
        drop(self.wire.call(Request::build(method).params(params).finish()));
    }

    fn request(&mut self, id: i64, method: &'static str, params: LspAny) -> BoxFuture<'static, Reply<Infallible>> {
        self.wire.call(Request::build(method).params(params).id(id).finish())
    }

    fn is_idle(&self) -> bool {
        lock(&self.wire.pending).is_empty()
    }
}

/// The result, or the error's code.
async fn answer(reply: BoxFuture<'static, Reply<Infallible>>) -> std::result::Result<LspAny, i64> {
    let Ok(reply) = tokio::time::timeout(Duration::from_secs(60), reply).await.expect("an answer");
    let (_, result) = reply.expect("requests are answered").into_parts();
    result.map_err(|error| error.code.code())
}

#[tokio::test]
async fn notifications_take_effect_in_wire_order_and_requests_see_it() {
    let mut it = Fixture::new();
    let mut reads = Vec::new();
    for number in 0..100 {
        it.notify("note", json!(number));
        reads.push(it.request(number, "read", json!({})));
    }
    for (number, read) in reads.into_iter().enumerate() {
        let seen = answer(read).await.expect("a result");
        assert_eq!(seen.as_array().map(Vec::len), Some(number + 1), "the state as it was when the request came");
        assert_eq!(seen[number], json!(number.to_string()));
    }
}

#[tokio::test]
async fn a_cancelled_request_is_dropped_and_answered_once() {
    let mut it = Fixture::new();
    let reply = it.request(7, "for ever", json!({}));
    it.notify("$/cancelRequest", json!({"id": "7"}));
    it.notify("$/cancelRequest", json!({"id": 8}));
    it.notify("$/cancelRequest", json!({"id": 7.5}));
    it.notify("$/cancelRequest", json!({}));
    tokio::task::yield_now().await;
    assert!(!it.mock.dropped.load(Ordering::Acquire), "another one was meant");
    it.notify("$/cancelRequest", json!({"id": 7}));
    assert_eq!(answer(reply).await, Err(-32800));
    assert!(it.mock.dropped.load(Ordering::Acquire) && it.is_idle());
    it.notify("$/cancelRequest", json!({"id": 7}));
}

#[tokio::test]
async fn a_cancelled_run_has_a_result_and_other_commands_an_error() {
    let mut it = Fixture::new();
    let run = it.request(1, "workspace/executeCommand", json!({"command": "aside.run"}));
    let other = it.request(2, "workspace/executeCommand", json!({"command": "aside.usage"}));
    for id in [1, 2] {
        it.notify("$/cancelRequest", json!({"id": id}));
    }
    assert_eq!(answer(run).await, Ok(json!("cancelled")));
    assert_eq!(answer(other).await, Err(-32800));
    assert!(it.is_idle());
}

#[tokio::test]
async fn a_panic_is_an_error_of_that_request_only() {
    let mut it = Fixture::new();
    let reply = it.request(1, "panic", json!({}));
    assert_eq!(answer(reply).await, Err(-32603));
    it.notify("panic", json!({}));
    let reply = it.request(2, "echo", json!({"a": 1}));
    assert_eq!(answer(reply).await, Ok(json!({"a": 1})));
    assert!(it.is_idle());
}

#[tokio::test]
async fn the_end_cancels_everything() {
    let mut it = Fixture::new();
    let replies = [
        it.request(1, "for ever", json!({})),
        it.request(2, "workspace/executeCommand", json!({"command": "aside.run"})),
    ];
    it.end.cancel();
    let [waiting, run] = replies;
    assert_eq!(answer(waiting).await, Err(-32800));
    assert_eq!(answer(run).await, Ok(json!("cancelled")));
}

#[tokio::test]
async fn methods_without_params_take_any() {
    let mut it = Fixture::new();
    for params in [json!(null), json!({}), json!([])] {
        for method in ["shutdown", "aside/usage"] {
            let reply = it.request(1, method, params.clone());
            assert_eq!(answer(reply).await, Ok(LspAny::Null), "{method} {params}");
        }
    }
    let reply = it.request(2, "echo", json!({}));
    assert_eq!(answer(reply).await, Ok(json!({})), "others keep theirs");
}

#[tokio::test]
async fn exit_codes_are_the_protocols() {
    for (messages, code) in [(vec!["exit"], 1), (vec!["shutdown", "exit"], 0), (vec!["shutdown"], 0), (vec![], 0)] {
        let mut it = Fixture::new();
        for method in &messages {
            it.notify(method, LspAny::Null);
        }
        assert_eq!(it.life.exit_code(), code, "{messages:?}");
        assert_eq!(it.end.is_cancelled(), messages.contains(&"exit"));
    }
}

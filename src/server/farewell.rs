//! The way to the client, once it said goodbye: it is still told things, but asked for nothing.
//!
//! Between `shutdown` and `exit` a client answers no more, and some take a question then for a mistake of the server's. What
//! asks is spread over tasks of their own (the settings, the files to watch, a job's progress), and none of them can know that
//! `shutdown` came in just before. So it is decided here, where all they say leaves in one line.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::{Sink, Stream};
use tower_lsp::jsonrpc::{Error, Request, Response};
use tower_lsp::{ClientSocket, Loopback};

use crate::jobs::Registry;

type RequestStream = <ClientSocket as Loopback>::RequestStream;
type ResponseSink = <ClientSocket as Loopback>::ResponseSink;

/// The framework's connection to the client, which refuses the server's own requests when the registry is closed.
pub(super) struct Farewell {
    socket: ClientSocket,
    registry: Registry,
}

impl Farewell {
    pub(super) fn new(socket: ClientSocket, registry: Registry) -> Self {
        Self { socket, registry }
    }
}

impl Loopback for Farewell {
    type RequestStream = Requests;
    type ResponseSink = Answers;

    fn split(self) -> (Requests, Answers) {
        let (said, answers) = self.socket.split();
        let answers = Answers(Arc::new(Mutex::new(answers)));
        (Requests { said, answers: answers.clone(), registry: self.registry }, answers)
    }
}

/// What the server says to the client.
pub(super) struct Requests {
    said: RequestStream,
    answers: Answers,
    registry: Registry,
}

impl Stream for Requests {
    type Item = Request;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Request>> {
        loop {
            let polled = Pin::new(&mut self.said).poll_next(cx);
            let Poll::Ready(Some(request)) = &polled else { return polled };
            let Some(id) = request.id().filter(|_| self.registry.is_closed()) else { return polled };
            tracing::debug!(method = request.method(), "not asked: the client is leaving");
            // Whoever asked does not wait for an answer that cannot come. The error says that nobody is there any more.
            let refused = Response::from_error(id.clone(), Error::request_cancelled());
            let _ = Pin::new(&mut *self.answers.lock()).start_send(refused);
        }
    }
}

/// Where the client's answers go.
#[derive(Clone)]
pub(super) struct Answers(Arc<Mutex<ResponseSink>>);

impl Answers {
    fn lock(&self) -> MutexGuard<'_, ResponseSink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink<Response> for Answers {
    type Error = <ResponseSink as Sink<Response>>::Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut *self.lock()).poll_ready(cx)
    }

    fn start_send(self: Pin<&mut Self>, answer: Response) -> Result<(), Self::Error> {
        Pin::new(&mut *self.lock()).start_send(answer)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut *self.lock()).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use lsp_types::{MessageType, ProgressToken};
    use serde_json::json;

    use super::super::test_client::TestClient;
    use super::*;

    #[tokio::test]
    async fn who_leaves_is_told_things_and_asked_for_nothing() {
        let (client, other_end) = TestClient::connect().await;
        let registry = Registry::default();
        let (mut requests, mut answers) = other_end.farewell(registry.clone());

        let ask = || client.create_work_done_progress(ProgressToken::Int(1));
        let answer = async |requests: &mut Requests, answers: &mut Answers| {
            let request = requests.next().await.unwrap();
            let answer = Response::from_ok(request.id().unwrap().clone(), json!(null));
            Pin::new(answers).start_send(answer).unwrap();
        };
        let (before, ()) = futures::join!(ask(), answer(&mut requests, &mut answers));
        assert!(before.is_ok(), "{before:?}");

        registry.close();
        let (refused, (), told) =
            futures::join!(ask(), client.show_message(MessageType::Info, "over"), requests.next());
        assert_eq!(told.unwrap().method(), "window/showMessage", "what was asked is left out");
        assert_eq!(refused.unwrap_err().code, Error::request_cancelled().code, "and not waited for");
    }
}

//! Routes, credentials and headers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Router, ServiceExt};
use futures::{StreamExt as _, stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tower::Layer as _;

use super::failure::Failure;
use super::plain;
use super::playback::Probe;
use super::scenario::{StallPlace, Step};
use super::state::State;
use super::{batches, messages, models};
use crate::hash::hex;

/// The largest body of `/v1/messages`.
const BODY_LIMIT: usize = 32 << 20;

/// Versions of the API that are spoken.
const VERSIONS: [&str; 3] = ["2023-01-01", "2023-06-01", "2026-10-21"];

/// Serves until the future is dropped.
pub(super) async fn serve(listener: TcpListener, routes: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // Without this, small writes wait for the acknowledgement of earlier ones, and every stream stutters.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    // Around the routes, not among them: those are chosen by the path as it is here.
    let app = middleware::map_request(tidy_path).layer(routes);
    let _ = axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await;
}

/// Takes out the slashes that a base URL with one at its end leaves: `//v1/messages`.
async fn tidy_path(mut request: Request) -> Request {
    let uri = request.uri();
    let path = uri.path();
    if path.contains("//") || (path.len() > 1 && path.ends_with('/')) {
        let mut tidy: String = path.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
        if let Some(query) = uri.query() {
            tidy = format!("{tidy}?{query}");
        }
        if let Ok(tidy) = tidy.parse() {
            *request.uri_mut() = tidy;
        }
    }
    request
}

/// Everything the simulator answers to.
pub(super) fn routes(state: Arc<State>) -> Router {
    let api = Router::new()
        .route("/v1/messages", post(messages::create))
        .route("/v1/messages/count_tokens", post(messages::count_tokens))
        .route("/v1/messages/batches", post(batches::create).get(batches::list))
        .route("/v1/messages/batches/{id}", get(batches::get).delete(batches::delete))
        .route("/v1/messages/batches/{id}/cancel", post(batches::cancel))
        .route("/v1/messages/batches/{id}/results", get(batches::results))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::get))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), script))
        .layer(middleware::from_fn(authenticate));
    Router::new()
        .merge(api)
        .route("/", get(welcome))
        .route("/__simulator/account", get(account))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&state), plain::narrow))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), identify))
        .with_state(state)
}

/// Who asks, and under which version of the API; put into the request by [`authenticate`].
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The request's own id, sent as `request-id`.
    pub(super) request_id: RequestId,
    /// The start of the key's SHA-256.
    pub(super) key: String,
    /// Whether the request speaks `2026-10-21` or later.
    pub(super) new_version: bool,
}

/// The request's own id.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Gives every answer its `request-id`, also those of paths that do not exist.
async fn identify(Shared(state): Shared<Arc<State>>, mut request: Request, next: Next) -> Response {
    let id = state.id("req");
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.entry("request-id").or_insert(id);
    }
    headers
        .entry(header::SERVER)
        .or_insert(HeaderValue::from_static(concat!("aside-simulator/", env!("CARGO_PKG_VERSION"))));
    response
}

/// Plays steps of a scenario for everything but messages, which look at their scenario themselves.
async fn script(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == "/v1/messages" {
        return next.run(request).await;
    }
    let Some(step) = state.step(&Probe { path, body: &Value::Null, action: None }) else {
        return next.run(request).await;
    };
    messages::stall_before_headers(&state, &step).await;
    if step.is_failure() {
        let id = request_id(&request);
        // Who still writes when the connection is closed may never read the answer.
        let _ = to_bytes(request.into_body(), batches::BODY_LIMIT).await;
        return messages::scripted(&step, &id);
    }
    let mut response = next.run(request).await;
    messages::add_headers(response.headers_mut(), &step);
    disturbed(&state, response, &step).await
}

/// An answer whose head is there, and whose body comes late, or not whole: what was asked for is done all the same.
async fn disturbed(state: &Arc<State>, response: Response, step: &Step) -> Response {
    let late = step.stall.filter(|stall| stall.at == StallPlace::FirstEvent);
    if late.is_none() && step.cut.is_none() {
        return response;
    }
    let (head, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let state = Arc::clone(state);
    let cut = step.cut;
    let beginning = async move {
        if let Some(stall) = late {
            let _stalled = state.stalled();
            match stall.ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
        }
        let length = cut.map_or(whole.len(), |cut| usize::try_from(cut.after_bytes.unwrap_or(0)).unwrap_or(usize::MAX));
        Ok(whole.slice(..length.min(whole.len())))
    };
    let end = stream::iter(cut).then(|_| async {
        // What was written before must leave before the connection is torn down.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::from_parts(head, Body::from_stream(stream::once(beginning).chain(end)))
}

/// Lets requests with a key and a version through.
async fn authenticate(mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let key = match key(request.headers()) {
        Ok(key) => key,
        Err(failure) => return refuse(&failure, &id),
    };
    let new_version = match version(request.headers()) {
        Ok(new_version) => new_version,
        Err(failure) => return refuse(&failure, &id),
    };
    request.extensions_mut().insert(Caller { request_id: RequestId(id), key, new_version });
    next.run(request).await
}

/// The identity that caches and limits are kept by; any key will do, but there must be one.
fn key(headers: &HeaderMap) -> Result<String, Failure> {
    let refused = |message: &str| Failure::new(StatusCode::UNAUTHORIZED, message);
    let key = if let Some(key) = headers.get("x-api-key") {
        key.as_bytes()
    } else if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let text = authorization.as_bytes();
        let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
        scheme.map(|_| &text[7..]).ok_or_else(|| refused("Invalid authorization header: expected `Bearer TOKEN`"))?
    } else {
        return Err(refused("x-api-key header is required"));
    };
    if key.trim_ascii().is_empty() {
        return Err(refused("invalid x-api-key"));
    }
    Ok(hex(&Sha256::digest(key.trim_ascii())[..8]))
}

fn version(headers: &HeaderMap) -> Result<bool, Failure> {
    let version =
        headers.get("anthropic-version").ok_or_else(|| Failure::invalid("anthropic-version: header is required"))?;
    let version = version.to_str().unwrap_or_default();
    if VERSIONS.contains(&version) {
        Ok(version >= "2026-10-21")
    } else {
        Err(Failure::invalid(format!("anthropic-version: \"{version}\" is not a valid version")))
    }
}

/// The request's body as JSON.
pub(super) async fn json_body(body: Body, limit: usize) -> Result<Value, Failure> {
    let bytes: Bytes = to_bytes(body, limit).await.map_err(|error| {
        let message = error.to_string();
        if message.contains("length limit") {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Request exceeds the maximum size")
        } else {
            Failure::invalid(format!("The request body could not be read: {message}"))
        }
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::invalid(format!("The request body is not valid JSON: {error}")))
}

/// The body of a message request.
pub(super) async fn message_body(body: Body) -> Result<Value, Failure> {
    json_body(body, BODY_LIMIT).await
}

/// An error answer.
pub(super) fn refuse(failure: &Failure, request_id: &str) -> Response {
    (failure.status, axum::Json(failure.body(request_id))).into_response()
}

async fn unknown_path(request: Request) -> Response {
    refuse(&Failure::not_found("Not Found"), &request_id(&request))
}

async fn wrong_method(method: Method, request: Request) -> Response {
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("Method Not Allowed: {method}"));
    refuse(&failure, &request_id(&request))
}

async fn welcome() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], include_str!("welcome.txt"))
}

async fn account(Shared(state): Shared<Arc<State>>) -> Response {
    axum::Json(state.account()).into_response()
}

fn request_id(request: &Request) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

//! A server behind TLS, with whatever certificate a test wants. It speaks HTTP/2 frame by frame, as a script says: what
//! only frames can do to a client.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use url::Url;

use super::scripted::Act;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    Good,
    /// Its authority is not one of the client's.
    OfNobody,
    Expired,
    /// To a client whose clock is behind, each new one is that.
    NotYet,
    OfAnotherHost,
}

/// What is sent on the stream of a request, or on its connection.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// The beginning of a good answer.
    Headers,
    Data(Vec<u8>),
    /// The end of the answer.
    End,
    /// `RST_STREAM` with this code.
    Reset(u32),
    /// `GOAWAY` with this code; the request's stream is done all the same, or it was never looked at.
    GoAway {
        code: u32,
        takes: bool,
    },
    Sleep(Duration),
    /// Ends the connection.
    Close,
}

/// What each request for a message gets, in order.
type Scripts = VecDeque<Vec<Frame>>;

/// Listens until dropped.
pub(crate) struct Secure {
    pub(crate) url: Url,
    /// The authority that a client has to trust, as a PEM file.
    pub(crate) authority: PathBuf,
    state: Arc<State>,
    _runtime: Runtime,
}

#[derive(Default)]
struct State {
    scripts: Mutex<Scripts>,
    asked: Mutex<usize>,
}

impl Secure {
    /// `folder` is where the authority's file goes.
    pub(crate) fn start(folder: &Path, certificate: Certificate) -> Self {
        let (server, authority) = identity(certificate);
        let file = folder.join("authority.pem");
        std::fs::write(&file, authority).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = Url::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let acceptor = TlsAcceptor::from(Arc::new(server));
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        let _ = serve(stream, state).await;
                    }
                });
            }
        });
        Self { url, authority: file, state, _runtime: runtime }
    }

    /// From now on requests for messages get these scripts, one each.
    pub(crate) fn play(&self, scripts: Vec<Vec<Frame>>) {
        *self.state.scripts.lock().unwrap() = scripts.into();
        *self.state.asked.lock().unwrap() = 0;
    }

    /// How often it was asked for a message.
    pub(crate) fn asked(&self) -> usize {
        *self.state.asked.lock().unwrap()
    }
}

/// A server's side of TLS, and its authority in PEM form.
fn identity(certificate: Certificate) -> (rustls::ServerConfig, String) {
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (Issuer::new(params, key), pem)
    };
    let (issuer, pem) = authority("Aside's tests");
    let trusted = if certificate == Certificate::OfNobody { authority("Somebody else").1 } else { pem };
    let host = if certificate == Certificate::OfAnotherHost { "elsewhere.example" } else { "127.0.0.1" };
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    match certificate {
        Certificate::Expired => params.not_after = date_time_ymd(2001, 2, 3),
        Certificate::NotYet => params.not_before = date_time_ymd(4000, 5, 6),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let chain = vec![params.signed_by(&key, &issuer).unwrap().der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (config, trusted)
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW: u8 = 8;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` and `content-type: text/event-stream`.
const GOOD: &[u8] = b"\x88\x0f\x10\x11text/event-stream";
/// `:status: 404`.
const NOT_FOUND: &[u8] = b"\x8d";

type Writer = Arc<tokio::sync::Mutex<WriteHalf<TlsStream<TcpStream>>>>;

async fn serve(stream: TlsStream<TcpStream>, state: Arc<State>) -> std::io::Result<()> {
    let (mut reader, writer) = tokio::io::split(stream);
    let writer = Arc::new(tokio::sync::Mutex::new(writer));
    let mut preface = [0; 24];
    reader.read_exact(&mut preface).await?;
    write(&writer, SETTINGS, 0, 0, &[]).await?;
    loop {
        let (kind, flags, stream, payload) = read(&mut reader).await?;
        match kind {
            SETTINGS if flags & ACK == 0 => write(&writer, SETTINGS, ACK, 0, &[]).await?,
            PING if flags & ACK == 0 => write(&writer, PING, ACK, 0, &payload).await?,
            // Beside its requests for messages, which have a body, a client asks what models there are.
            HEADERS if flags & END_STREAM != 0 => {
                write(&writer, HEADERS, END_HEADERS | END_STREAM, stream, NOT_FOUND).await?;
            }
            DATA => {
                if !payload.is_empty() {
                    let more = u32::try_from(payload.len()).unwrap_or(1).to_be_bytes();
                    write(&writer, WINDOW, 0, 0, &more).await?;
                    write(&writer, WINDOW, 0, stream, &more).await?;
                }
                if flags & END_STREAM != 0 {
                    *state.asked.lock().unwrap() += 1;
                    let script = state.scripts.lock().unwrap().pop_front().unwrap_or_default();
                    let writer = Arc::clone(&writer);
                    tokio::spawn(async move { play(&writer, stream, script).await });
                }
            }
            _ => {}
        }
    }
}

async fn play(writer: &Writer, stream: u32, script: Vec<Frame>) -> std::io::Result<()> {
    for frame in script {
        match frame {
            Frame::Headers => write(writer, HEADERS, END_HEADERS, stream, GOOD).await?,
            Frame::Data(bytes) => write(writer, DATA, 0, stream, &bytes).await?,
            Frame::End => write(writer, DATA, END_STREAM, stream, &[]).await?,
            Frame::Reset(code) => write(writer, RESET, 0, stream, &code.to_be_bytes()).await?,
            Frame::GoAway { code, takes } => {
                let last = if takes { stream } else { 0 };
                write(writer, GO_AWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()).await?;
            }
            Frame::Sleep(time) => tokio::time::sleep(time).await,
            Frame::Close => writer.lock().await.shutdown().await?,
        }
    }
    Ok(())
}

async fn write(writer: &Writer, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    let mut writer = writer.lock().await;
    writer.write_all(&frame).await?;
    writer.flush().await
}

async fn read(reader: &mut ReadHalf<TlsStream<TcpStream>>) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    reader.read_exact(&mut payload).await?;
    Ok((head[3], head[4], stream, payload))
}

/// The same as bytes of a TCP connection, in frames; pauses stay.
pub(crate) fn framed(acts: Vec<Act>) -> Vec<Frame> {
    let frames = acts.into_iter().map(|act| match act {
        Act::Send(bytes) => Frame::Data(bytes),
        Act::Sleep(time) => Frame::Sleep(time),
        other => panic!("{other:?} is nothing for a frame"),
    });
    frames.collect()
}

/// A whole good answer.
pub(crate) fn answer(words: &str) -> Vec<Frame> {
    use super::scripted::{block, end, start, text};
    let events = [vec![start(), block(), text(words)], end()].concat();
    [vec![Frame::Headers], framed(events), vec![Frame::End]].concat()
}

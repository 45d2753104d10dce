//! Requests over HTTP: each is the host's to allow, and so is each address that its host's name stands for.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, pki_types::ServerName};
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use crate::grants::tell;
use crate::network::Gate;
use crate::state::State;

type Store<'a> = StoreContextMut<'a, State>;
type Answer = (std::result::Result<Resource<HostFutureIncomingResponse>, ErrorCode>,);
type Done = Box<dyn Future<Output = std::result::Result<(), Error>> + Send>;
type Response = std::result::Result<(http::Response<WasiBody>, Done), Error>;

/// Where the guest names no patience of its own.
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);
const RESPONSE_PATIENCE: Duration = Duration::from_secs(600);
/// Of what the host keeps for a guest: a piece of a body on its way out, what was read ahead, one set of fields.
const CHUNK_MAX: usize = 64 * 1024;
const READ_AHEAD_MAX: usize = 64 * 1024;
const FIELDS_MAX: usize = 64 * 1024;

/// Whom a request is for.
struct Target {
    host: String,
    port: u16,
}

impl Target {
    /// The one reading of it: what is asked about is what is connected to.
    fn new(authority: &Authority, secure: bool) -> Target {
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Target {
            host: bare.unwrap_or(host).to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
        }
    }

    fn of_request(request: &HostOutgoingRequest) -> Option<Target> {
        let secure = !matches!(request.scheme, Some(types::Scheme::Http));
        let authority = request.authority.as_deref()?.parse().ok()?;
        Some(Target::new(&authority, secure))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What a store needs for `wasi:http`.
pub struct Requests {
    context: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks {
    gate: Gate,
}

impl Requests {
    pub fn new(gate: Gate) -> Requests {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_MAX);
        Requests {
            context,
            hooks: Hooks { gate },
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.requests.hooks,
            table: &mut self.table,
            ctx: &mut self.requests.context,
        }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Done,
    ) -> Box<dyn Future<Output = Response> + Send> {
        Box::new(send(self.gate.clone(), request, options.unwrap_or_default()))
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_MAX
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        match error.kind() {
            std::io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
            std::io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
            _ => ErrorCode::DestinationUnavailable,
        }
    }

    fn p2_error_from_tls(&mut self, error: &std::io::Error) -> ErrorCode {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => ErrorCode::TlsCertificateError,
            _ => ErrorCode::TlsProtocolError,
        }
    }
}

fn no_such_name() -> Error {
    Error::DnsError {
        rcode: None,
        info_code: None,
    }
}

/// A connection to one of the target's addresses that the host allows.
async fn connect(gate: &Gate, target: &Target) -> std::result::Result<TcpStream, Error> {
    let addresses = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let addresses: Vec<SocketAddr> = addresses.map_err(|_| no_such_name())?.collect();
    let mut failure = no_such_name();
    for address in addresses {
        if !gate.may_reach(&target.host, address) {
            failure = Error::DestinationIpProhibited;
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = Error::Connect(error),
        }
    }
    Err(failure)
}

/// Trusts whom the machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise, as with other programs.
fn tls() -> Option<TlsConnector> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(Arc::new(config))
    });
    config.clone().map(TlsConnector::from)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn open(gate: &Gate, target: &Target, secure: bool) -> std::result::Result<Box<dyn Stream>, Error> {
    let stream = connect(gate, target).await?;
    if !secure {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let connector = tls().ok_or(Error::ConfigurationError)?;
    Ok(Box::new(connector.connect(name, stream).await.map_err(Error::Tls)?))
}

async fn send(gate: Gate, mut request: http::Request<WasiBody>, options: RequestOptions) -> Response {
    let secure = request.uri().scheme() == Some(&Scheme::HTTPS);
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?;
    let target = Target::new(authority, secure);

    let (mut sender, connection) = timeout(options.connect_timeout.unwrap_or(CONNECT_PATIENCE), async {
        let stream = open(&gate, &target, secure).await?;
        let mut client = http1::Builder::new();
        client.max_buf_size(READ_AHEAD_MAX);
        client.handshake(TokioIo::new(stream)).await.map_err(Error::from)
    })
    .await
    .map_err(|_| Error::ConnectionTimeout)??;
    // Ends with whoever waits for the response.
    let connection = spawn(connection);

    // To the server itself a request names its path alone: the host stands in a field of its own.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    let patience = options.first_byte_timeout.unwrap_or(RESPONSE_PATIENCE);
    let response = timeout(patience, sender.send_request(request))
        .await
        .map_err(|_| Error::ConnectionReadTimeout)??;

    let patience = options.between_bytes_timeout.unwrap_or(RESPONSE_PATIENCE);
    let response = response.map(|body| Patient::new(body, patience).boxed_unsync());
    Ok((response, Box::new(async { Ok(connection.await?) })))
}

/// A body that fails once nothing came for so long.
struct Patient {
    body: hyper::body::Incoming,
    patience: Duration,
    end: Pin<Box<Sleep>>,
}

impl Patient {
    fn new(body: hyper::body::Incoming, patience: Duration) -> Patient {
        Patient {
            body,
            patience,
            end: Box::pin(sleep(patience)),
        }
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let end = Instant::now() + self.patience;
            self.end.as_mut().reset(end);
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let over = self.end.as_mut().poll(context);
        over.map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request that names nobody is wasmtime-wasi-http's to refuse.
fn handle(
    mut store: Store<'_>,
    request: Resource<HostOutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> Result<Answer> {
    if let Some(target) = Target::of_request(store.data().table.get(&request)?) {
        let allowed = store.data().may_request(&target.host, target.port);
        let function = "outgoing-handler.handle";
        tell(&store, "http-client", function, &target.to_string(), allowed)?;
        if !allowed {
            let table = &mut store.data_mut().table;
            table.delete(request)?;
            if let Some(options) = options {
                table.delete(options)?;
            }
            return Ok((Err(ErrorCode::HttpRequestDenied),));
        }
    }
    // Without a path it is the root that is meant, which the engine takes for no URI.
    let named = store.data_mut().table.get_mut(&request)?;
    named.path_with_query.get_or_insert_with(|| "/".to_owned());
    match store.data_mut().http().handle(request, options) {
        Ok(response) => Ok((Ok(response),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// The version is wasmtime-wasi-http's: with another this would stand beside its function, not in its place.
/// Requires: WASI is in the linker.
pub fn add(linker: &mut Linker<State>) -> Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    linker.instance("wasi:http/outgoing-handler@0.2.12")?.func_wrap(
        "handle",
        |store: Store<'_>, (request, options): (Resource<HostOutgoingRequest>, Option<Resource<RequestOptions>>)| {
            handle(store, request, options)
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

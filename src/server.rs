//! The HTTP server: accepts connections, holds them to limits of time and number, ends them in order.
//!
//! Owns: the listeners, their TLS, the connections, the limits that hold for every route, panics of a request.
//! Does not own: any route.

use std::any::Any;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, Entry};
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use model::worker::Stop;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

mod deadline;
mod frames;
mod idle;
mod opening;
pub mod tls;

pub use deadline::BodyTimeout;
use deadline::DeadlineBody;
use frames::FullFrames;
use idle::Connections;
use opening::Opening;
use tls::Tls;

/// What every connection is held to.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once of each listener. For a further one that closes on which nothing is asked for longest; it waits in the
    /// listener's queue if something is asked on all.
    pub connections: usize,
    /// The time that the handshake of TLS may take.
    pub handshake_timeout: Duration,
    /// The time a client may take to send the head of a request; an idle connection is closed after it too.
    pub header_timeout: Duration,
    /// The time a client may take to send the body of a request. Whoever has a route that waits longer makes it longer.
    pub body_timeout: BodyTimeout,
    /// The time that requests in flight have once the server is told to stop.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 1024,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            body_timeout: BodyTimeout::new(Duration::from_secs(60)),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Streams of one HTTP/2 connection, the bytes of a request's head, and how often a silent HTTP/2 client is asked for
/// life.
const HTTP2_STREAMS: u32 = 128;
const HEAD_BYTES: usize = 16 << 10;
const HTTP2_KEEPALIVE: Duration = Duration::from_secs(20);

/// An address that is served, and what is there.
#[derive(Debug)]
pub struct Listener {
    /// Bound already.
    pub socket: TcpListener,
    /// What is there, in a few words; nothing for the one where everything is.
    pub what: &'static str,
    /// Its routes.
    pub router: Router,
}

/// Serves all listeners, behind TLS if there is a certificate, until told to stop; then answers what is in flight and
/// returns.
pub async fn run(listeners: Vec<Listener>, tls: Option<Tls>, limits: Limits, stop: Stop) {
    let served = listeners.into_iter().map(|listener| serve(listener, tls.clone(), &limits, stop.clone()));
    futures::future::join_all(served).await;
}

async fn serve(listener: Listener, tls: Option<Tls>, limits: &Limits, stop: Stop) {
    let Listener { socket, router, .. } = listener;
    let router = router.layer(CatchPanicLayer::custom(panicked));
    let (room, places) = (Arc::new(Semaphore::new(limits.connections)), Connections::default());
    let mut connections = JoinSet::new();
    let builder = Arc::new(builder(limits));
    loop {
        let (stream, peer) = tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: others have to close first.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.stopped() => break,
        };
        let permit = tokio::select! {
            permit = make_room(&room, &places) => permit,
            () = stop.stopped() => break,
        };
        // Answers leave here in pieces as large as they get: waiting to fill a packet only adds time.
        let _ = stream.set_nodelay(true);
        let (builder, router, places) = (builder.clone(), router.clone(), places.clone());
        let (tls, limits, stop) = (tls.clone(), limits.clone(), stop.clone());
        connections.spawn(async move {
            let ended = match tls {
                None => served(&builder, stream, peer, router, &limits, &places, &stop).await,
                Some(tls) => match shake_hands(&tls, stream, limits.handshake_timeout, &stop).await {
                    Ok(stream) => served(&builder, stream, peer, router, &limits, &places, &stop).await,
                    Err(error) => Err(error.into()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "connection ended early");
            }
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(socket);
    let drain = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drain).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests in flight took too long and are cut off");
    }
    connections.shutdown().await;
}

/// Waits for a place; an idle connection has to make it, if there is none.
async fn make_room(room: &Arc<Semaphore>, places: &Connections) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = room.clone().try_acquire_owned() {
            return permit;
        }
        let has_told = places.close_one();
        tokio::select! {
            // The semaphore is never closed, so the permit always comes.
            Ok(permit) = room.clone().acquire_owned() => return permit,
            () = places.became_idle(), if !has_told => {}
        }
    }
}

/// Begins TLS. No request is in flight before that is done, so it ends when the server stops.
async fn shake_hands(
    tls: &Tls,
    stream: TcpStream,
    timeout: Duration,
    stop: &Stop,
) -> std::io::Result<TlsStream<TcpStream>> {
    tokio::select! {
        done = tokio::time::timeout(timeout, tls.acceptor().accept(stream)) => done?,
        () = stop.stopped() => Err(std::io::ErrorKind::ConnectionAborted.into()),
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(4 * HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HTTP2_KEEPALIVE)
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEAD_BYTES as u32);
    builder
}

/// Serves a connection until it ends, or is to close because another one needs its place or the server stops: then what
/// was asked on it is still answered.
async fn served<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    builder: &auto::Builder<TokioExecutor>,
    stream: S,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    places: &Connections,
    stop: &Stop,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (body_timeout, place) = (limits.body_timeout.clone(), places.place());
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(|body| Body::new(DeadlineBody::new(body, body_timeout.get())));
        request.extensions_mut().insert(ConnectInfo(peer));
        // Whoever prints headers, now or later, prints no secret.
        if let Entry::Occupied(mut credentials) = request.headers_mut().entry(AUTHORIZATION) {
            credentials.iter_mut().for_each(|value| value.set_sensitive(true));
        }
        let (answer, in_flight) = (router.clone().oneshot(request), place.begin());
        async move {
            let answer = answer.await?.map(FullFrames);
            drop(in_flight);
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = Opening::within(stream, limits.header_timeout);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = place.closes() => {}
        () = stop.stopped() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// A panic in a request is a fault of this program: logged by the panic hook, told to the client, survived.
fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    let error = model::Error::internal("the request hit a fault of the server, its log has more");
    query::Error::from(error).into_response()
}

#[cfg(test)]
mod tests;

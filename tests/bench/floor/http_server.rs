//! A hyper server that reads the body, reads the envelope, and writes a result, on either runtime.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use smol::LocalExecutor;
use smol_hyper::rt::FuturesIo;
use tokio::net::TcpListener;

use super::initialize_result;
use crate::messages::{self, ParamsRef, RequestRef};

/// Serves for ever, one connection a task.
pub(crate) async fn serve(listener: TcpListener) {
    loop {
        let (stream, _): (_, SocketAddr) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async { drop(connection.await) });
    }
}

/// The same on smol.
pub(crate) async fn serve_on_smol(listener: smol::net::TcpListener) {
    let executor = LocalExecutor::new();
    let accepting = async {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), service_fn(answer));
            executor.spawn(async { drop(connection.await) }).detach();
        }
    };
    executor.run(accepting).await
}

/// Answers one request.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::POST {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return Ok(response);
    }
    let body = read(request.into_body()).await;
    // Validated as a whole, and not string by string.
    let body = std::str::from_utf8(&body).expect("UTF-8");
    let call: RequestRef<'_> = serde_json::from_str(body).expect("a message");
    assert_eq!(call.jsonrpc, "2.0");
    let text = match (call.method, call.id) {
        ("tools/call", Some(id)) => {
            let params = call.params.expect("parameters").get();
            let params: ParamsRef<'_> = serde_json::from_str(params).expect("parameters");
            assert!(params.name == "echo" && params.meta.is_none_or(|meta| meta.get().starts_with('{')));
            let mut out = Vec::with_capacity(params.arguments.text.len() + 156);
            messages::write_response(&mut out, id, params.arguments.text);
            out
        }
        ("initialize", Some(id)) => initialize_result(id).into_bytes(),
        _ => Vec::new(),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    if call.id.is_none() {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(response)
}

/// The body, which is not copied where it comes in one piece.
async fn read(mut body: Incoming) -> Bytes {
    let Some(first) = body.frame().await else {
        return Bytes::new();
    };
    let first = first.expect("a body").into_data().expect("no trailers");
    match body.is_end_stream() {
        true => first,
        false => {
            // As much as its length says, at once.
            let rest = body.size_hint().lower() as usize;
            let mut whole = Vec::with_capacity(first.len() + rest);
            whole.extend_from_slice(&first);
            drop(first);
            while let Some(frame) = body.frame().await {
                whole.extend_from_slice(&frame.expect("a body").into_data().expect("no trailers"));
            }
            whole.into()
        }
    }
}

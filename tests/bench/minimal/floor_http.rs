//! The least that answers `tools/call` over HTTP.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

#[derive(Deserialize)]
struct Call<'a> {
    id: Option<u64>,
    method: &'a str,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    arguments: Arguments<'a>,
}

#[derive(Default, Deserialize)]
struct Arguments<'a> {
    city: &'a str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let call: Call<'_> = serde_json::from_slice(&body).expect("a message");
    let result = match (call.method, call.params) {
        ("tools/call", Some(params)) => {
            let text = serde_json::to_string(&format!("Sunny in {}", params.arguments.city)).expect("text");
            format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#)
        }
        _ => "{}".to_owned(),
    };
    let text = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, call.id.unwrap_or_default());
    Ok(Response::new(Full::new(text.into())))
}

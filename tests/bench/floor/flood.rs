//! Servers that report progress, and do nothing else: over HTTP by a body that takes from a channel, over pipes with the
//! standard library alone.

use std::convert::Infallible;
use std::io::{BufRead, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, channel};

use super::initialize_result;
use crate::messages;

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(default)]
    id: Option<u64>,
    method: &'a str,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(default)]
    arguments: Count,
    #[serde(rename = "_meta", borrow)]
    meta: Option<Meta<'a>>,
}

#[derive(Default, Deserialize)]
struct Count {
    to: u64,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(rename = "progressToken")]
    token: &'a str,
}

/// Serves for ever, one connection a task.
pub(crate) async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Events>, Infallible> {
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let call: Call<'_> = serde_json::from_slice(&body).expect("a message");
    let (id, params) = (call.id.expect("an id"), call.params.expect("parameters"));
    let (number, token) = (params.arguments.to, params.meta.expect("a token").token.to_owned());
    let (sender, receiver) = channel(64);
    tokio::spawn(async move {
        for n in 1..=number {
            let mut event = Vec::with_capacity(144);
            event.extend_from_slice(b"data: ");
            write_progress(&mut event, &token, n);
            event.extend_from_slice(b"\n\n");
            sender.send(event.into()).await.expect("a client");
        }
        let mut event = b"data: ".to_vec();
        messages::write_response(&mut event, id, "done");
        event.extend_from_slice(b"\n\n");
        sender.send(event.into()).await.expect("a client");
    });
    let mut response = Response::new(Events(receiver));
    let events = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, events);
    Ok(response)
}

struct Events(Receiver<Bytes>);

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

/// Serves until the input ends, and writes each message by itself.
pub(crate) fn serve_stdio() {
    let (mut input, output) = (std::io::stdin().lock(), std::io::stdout());
    let mut output = std::fs::File::from(
        std::os::fd::AsFd::as_fd(&output)
            .try_clone_to_owned()
            .expect("a stream"),
    );
    let (mut line, mut out) = (String::new(), Vec::new());
    while input.read_line(&mut line).expect("a pipe") > 0 {
        let call: Call<'_> = serde_json::from_str(&line).expect("a message");
        match (call.method, call.id, call.params) {
            ("initialize", Some(id), _) => out.extend(initialize_result(id).into_bytes()),
            ("tools/call", Some(id), Some(params)) => {
                let token = params.meta.expect("a token").token;
                for n in 1..=params.arguments.to {
                    out.clear();
                    write_progress(&mut out, token, n);
                    out.push(b'\n');
                    output.write_all(&out).expect("a pipe");
                }
                out.clear();
                messages::write_response(&mut out, id, "done");
            }
            _ => {}
        }
        if !out.is_empty() {
            out.push(b'\n');
            output.write_all(&out).expect("a pipe");
            out.clear();
        }
        line.clear();
    }
}

fn write_progress(out: &mut Vec<u8>, token: &str, n: u64) {
    let written = write!(
        out,
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"{token}","progress":{n}}}}}"#
    );
    written.expect("room");
}

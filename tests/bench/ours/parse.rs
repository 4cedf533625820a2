//! A message read to its typed form, as a server and a client do it.

use std::hint::black_box;

use bytes::Bytes;
use mcp_proto::Limits;
use mcp_proto::jsonrpc::{Incoming, Message, Peek, RawJson, parse};
use mcp_proto::model::CallToolResult;

use crate::messages::{self, Echo, Era, TEXT};

/// The envelope, what the server looks at in the parameters, and the arguments of the tool.
pub(crate) fn request(era: Era) -> impl FnMut(u64) {
    let bytes = Bytes::from(messages::request(7, era.meta().as_deref()));
    let limits = Limits::default();
    move |times| {
        for _ in 0..times {
            let message = parse(black_box(bytes.clone()), &limits);
            let Ok(Incoming::Single(Message::Request(request))) = message else {
                panic!("no request")
            };
            let params = request.params.as_ref().expect("parameters");
            let (peek, meta) = Peek::with_meta(params).expect("parameters");
            assert_eq!(peek.name.as_deref(), Some("echo"));
            let arguments: Echo = serde_json::from_str(peek.arguments.expect("arguments")).expect("arguments");
            black_box((&request.id, arguments.text, meta));
        }
    }
}

/// The envelope and the result.
pub(crate) fn response() -> impl FnMut(u64) {
    let bytes = Bytes::from(messages::response(7, TEXT));
    let limits = Limits::default();
    move |times| {
        for _ in 0..times {
            let message = parse(black_box(bytes.clone()), &limits);
            let Ok(Incoming::Single(Message::Response(response))) = message else {
                panic!("no response")
            };
            let result: RawJson = response.outcome.expect("a result");
            let result: CallToolResult = result.decode().expect("a tool result");
            black_box(result);
        }
    }
}

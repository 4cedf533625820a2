//! The machines alone, bytes moved by hand: what the layers of the core cost without handles and runtime.

use mcp_proto::client::{ClientConfig, ClientEvent, Mode, StreamClient};
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ToolsCapability};
use mcp_proto::rpc::CallOptions;
use mcp_proto::server::{ResultBody, ServerConfig, ServerEvent, StreamServer};
use mcp_proto::{Revision, Time};

use crate::messages::{CallTool, Echo, Era, ParamsRef, TEXT};

/// The driver's clock. No time passes.
const NOW: Time = Time::ORIGIN;

/// Round trips with `window` calls in flight.
pub(crate) fn round_trips(era: Era, window: usize) -> impl FnMut(u64) {
    let mut pair = Pair::new(era);
    pair.exchange(1);
    move |times| {
        let mut left = times;
        while left > 0 {
            let batch = left.min(window as u64);
            pair.exchange(batch);
            left -= batch;
        }
    }
}

struct Pair {
    client: StreamClient,
    server: StreamServer,
}

impl Pair {
    fn new(era: Era) -> Self {
        let tools = ServerCapabilities::default().with_tools(ToolsCapability::default());
        let server = ServerConfig::new(Implementation::new("bench", "1.0.0")).with_capabilities(tools);
        Self {
            client: StreamClient::new(client_config(era)),
            server: StreamServer::new(server),
        }
    }

    fn exchange(&mut self, calls: u64) {
        for _ in 0..calls {
            let call = CallTool {
                name: "echo",
                arguments: Echo { text: TEXT },
            };
            let params = Params::from_serialize(&call).expect("parameters");
            let sent = self
                .client
                .client()
                .call(Method::CallTool, params, CallOptions::default());
            sent.expect("room for a call");
        }
        let mut answered = 0;
        while answered < calls {
            while let Some(bytes) = self.client.poll_transmit(NOW) {
                self.server.receive_bytes(NOW, bytes);
            }
            self.serve();
            while let Some(bytes) = self.server.poll_transmit(NOW) {
                self.client.receive_bytes(NOW, bytes);
            }
            answered += self.take();
        }
    }

    /// What the application of the server does.
    fn serve(&mut self) {
        while let Some(event) = self.server.poll_event() {
            let ServerEvent::Request(request) = event else {
                continue;
            };
            let params: ParamsRef<'_> = request
                .params
                .as_ref()
                .expect("parameters")
                .decode_borrowed()
                .expect("parameters");
            assert_eq!(params.name, "echo");
            let result = CallToolResult::text(params.arguments.text);
            let body = ResultBody::from_serialize(&result).expect("a result");
            self.server.respond(request.token, Ok(body));
        }
    }

    /// What the application of the client does. Gives the number of answers.
    fn take(&mut self) -> u64 {
        let mut answers = 0;
        while let Some(event) = self.client.poll_event() {
            if let ClientEvent::Reply { outcome, .. } = event {
                check(&outcome.expect("a result").decode().expect("a result"));
                answers += 1;
            }
        }
        answers
    }
}

/// A client that knows which era it wants.
pub(crate) fn client_config(era: Era) -> ClientConfig {
    let config = ClientConfig::new(Implementation::new("bench", "1.0.0"));
    let mode = match era {
        Era::Legacy => Mode::Legacy(Revision::LATEST_LEGACY),
        Era::Modern => Mode::Modern,
    };
    config.with_mode(mode)
}

pub(crate) fn check(result: &CallToolResult) {
    let Some(ContentBlock::Text(content)) = result.content.first() else {
        panic!("no text")
    };
    assert_eq!(content.text, TEXT);
}

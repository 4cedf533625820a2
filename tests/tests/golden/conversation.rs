//! One conversation, step by step.

use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::CallOptions;
use mcp_tests::pair::{HttpLink, Pair, PairLink, StreamLink};
use serde_json::json;

/// How to read a conversation on a byte stream.
pub(crate) const LINES_OF_STREAMS: &str = "# \"> \" before a line to the server, \"< \" before one to the client.";
/// How to read a conversation over HTTP.
pub(crate) const LINES_OF_HTTP: &str = "\
# \"> \" before what goes to the server, \"< \" before what goes to the client. Each exchange has its own connection.
# Headers in the order of their names, without those that an HTTP library adds, such as Content-Length and Date.";

/// A conversation as it is written down.
pub(crate) struct Conversation<L> {
    pair: Pair<L>,
    text: String,
    /// How much of the transcript is written down.
    seen: usize,
}

impl<L: PairLink> Conversation<L> {
    pub(crate) fn new(pair: Pair<L>) -> Self {
        Self {
            pair,
            text: String::new(),
            seen: 0,
        }
    }

    /// What every revision can say.
    pub(crate) fn hold(&mut self, revision: Revision) {
        self.step("The two sides learn of each other.", |pair| {
            pair.link.client().connect()
        });
        self.step("The tools.", |pair| {
            pair.call("tools/list", json!({}));
        });
        self.step("A call with progress.", |pair| {
            let options = CallOptions::new().with_progress();
            pair.call_tool_with("steps", json!({ "steps": 2 }), options);
        });
        if revision.has_initialize() {
            self.step("The client asks whether the server is there.", |pair| {
                pair.call("ping", json!({}));
            });
        }
        self.step("A call that the client cancels after a second.", |pair| {
            let call = pair.call_tool("mute", json!({}));
            pair.drive_for(Duration::from_secs(1));
            pair.cancel(call);
        });
        self.step("A tool that does not exist.", |pair| {
            pair.call_tool("nothing", json!({}));
        });
        self.step("A method that does not exist.", |pair| {
            pair.call("tools/nothing", json!({}));
        });
        self.pair.check_quiet();
    }

    /// Writes down what is said because of `act`.
    fn step(&mut self, title: &str, act: impl FnOnce(&mut Pair<L>)) {
        act(&mut self.pair);
        self.pair.drive();
        let said = self.pair.link.transcript();
        let new = said[self.seen..].trim_end();
        self.text.push_str(&format!("\n# {title}\n{new}\n"));
        self.seen = said.len();
    }

    /// The whole, behind a head.
    pub(crate) fn finish(self, title: &str, how: &str) -> String {
        format!("# {title}.\n{how}\n{}", self.text)
    }
}

impl Conversation<StreamLink> {
    pub(crate) fn server_pings(&mut self) {
        self.step("The server asks whether the client is there.", |pair| {
            pair.link.ask(Method::Ping, Params::NONE).expect("it may");
        });
    }
}

impl Conversation<StreamLink> {
    /// Batches are read and answered where the revision has them; the client itself sends none.
    pub(crate) fn batch(&mut self) {
        self.step("A batch, of another client than ours.", |pair| {
            pair.say(concat!(
                r#"[{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"slow","arguments":{"text":"a"}}},"#,
                r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"},"#,
                r#"{"jsonrpc":"2.0","id":"quick","method":"ping"},1]"#,
            ));
        });
    }
}

impl Conversation<HttpLink> {
    pub(crate) fn close(&mut self) {
        self.step("The client closes.", Pair::close);
    }
}

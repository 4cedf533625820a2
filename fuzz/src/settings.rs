//! Small limits, so that they are reached, and who the two sides are.

use std::time::Duration;

use arbitrary::Arbitrary;
use mcp_proto::client::{ClientConfig, Mode, Prior};
use mcp_proto::model::{
    ClientCapabilities, Implementation, PromptsCapability, ResourcesCapability, RootsCapability, ServerCapabilities,
    ToolsCapability,
};
use mcp_proto::rpc::CallOptions;
use mcp_proto::server::ServerConfig;
use mcp_proto::{Limits, Revision};

/// Most bytes of one side's outbox.
pub const OUTBOX: usize = 4096;

pub fn limits() -> Limits {
    Limits::default()
        .with_line_bytes(1024)
        .with_body_bytes(2048)
        .with_error_body_bytes(512)
        .with_event_bytes(1024)
        .with_depth(16)
        .with_id_bytes(64)
        .with_batch_messages(4)
        .with_pending_calls(8)
        .with_requests_in_progress(4)
        .with_outbox_bytes(OUTBOX)
        .with_notifications(16)
        .with_total_bytes(2 * OUTBOX)
        .with_junk_reports(4)
        .with_sessions(4)
        .with_abandoned_requests(2)
        .with_streams_per_session(4)
}

/// How a client begins.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Start {
    Auto,
    Modern,
    Legacy(u8),
    Prior(u8),
}

pub fn client(start: Start) -> ClientConfig {
    let revision = |index: u8| Revision::ALL[usize::from(index) % Revision::ALL.len()];
    let mut config = ClientConfig::new(Implementation::new("f", "1"));
    match start {
        Start::Auto => {}
        Start::Modern => config.mode = Mode::Modern,
        Start::Legacy(index) => config.mode = Mode::Legacy(revision(index)),
        Start::Prior(index) => config.prior = Some(Prior::new(revision(index))),
    }
    config.capabilities = ClientCapabilities::default().with_roots(RootsCapability::default());
    config.limits = limits();
    config
}

pub fn server() -> ServerConfig {
    let capabilities = ServerCapabilities::default()
        .with_tools(ToolsCapability::default().with_list_changed(true))
        .with_prompts(PromptsCapability::default())
        .with_resources(ResourcesCapability::default().with_subscribe(true));
    let server = ServerConfig::new(Implementation::new("f", "1"));
    server.with_capabilities(capabilities).with_limits(limits())
}

/// How long a pause is: nearly always less than anything waits.
pub fn pause(length: u8) -> Duration {
    match length {
        0..0xF0 => Duration::from_millis(length.into()),
        0xF0.. => Duration::from_secs(u64::from(length - 0xEF) * 8),
    }
}

/// Something that ends a connection. Most of them do nothing, so that not every sequence of operations is short.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct End(u8);

impl End {
    /// Which of `kinds` ends it is, where it is one.
    pub fn kind(self, kinds: u8) -> Option<u8> {
        (u8::MAX - self.0 < kinds).then_some(u8::MAX - self.0)
    }
}

/// Options of a call.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Options {
    Default,
    Progress,
    Timeout(u8),
}

impl From<Options> for CallOptions {
    fn from(options: Options) -> Self {
        match options {
            Options::Default => Self::default(),
            Options::Progress => Self::new().with_progress(),
            Options::Timeout(seconds) => Self::new().with_timeout(Duration::from_secs(seconds.into())),
        }
    }
}

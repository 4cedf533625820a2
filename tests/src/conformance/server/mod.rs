//! The server fixture: every tool, prompt and resource that the suite asks for.
//!
//! One file per area of the protocol: each adds what it offers to the builder.

mod asking;
mod content;
mod logging;
mod prompts;
mod resources;
mod rounds;
mod schemas;
mod triggers;

use std::time::Duration;

use mcp_proto::handle::Server;
use mcp_proto::http::server::{HttpConfig, ReplyForm, Resumption, SsePaths};
use mcp_proto::model::{Json, PromptsCapability, ResourcesCapability, ServerCapabilities, ToolsCapability};

pub use logging::Sleep;

/// The server. The first tool in its list can be called without arguments, as the suite wants it.
pub fn fixture(sleep: &Sleep) -> Server {
    let builder = Server::builder("mcp-conformance-server", env!("CARGO_PKG_VERSION")).capabilities(capabilities());
    let builder = content::tools(builder);
    let builder = logging::tools(builder, sleep);
    let builder = asking::tools(builder);
    let builder = rounds::offers(builder);
    let builder = schemas::tools(builder);
    let builder = triggers::tools(builder);
    let builder = resources::resources(builder);
    prompts::prompts(builder).build()
}

/// Answers are streams, which can be resumed, and there is HTTP+SSE beside them.
pub fn http() -> HttpConfig {
    HttpConfig::default()
        .http_sse(SsePaths::default())
        .reply(ReplyForm::Sse)
        .resumable(Resumption::default().with_retry(Duration::from_millis(500)))
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities::default()
        .with_tools(ToolsCapability::default().with_list_changed(true))
        .with_prompts(PromptsCapability::default().with_list_changed(true))
        .with_resources(ResourcesCapability::default().with_subscribe(true))
        .with_logging(Json::empty_object())
        .with_completions(Json::empty_object())
}

//! What every adapter hands on to applications.

pub use mcp_proto;
pub use mcp_proto::client::ClientConfig;
pub use mcp_proto::handle::server::{Context, Handler, ToolError, ToolOutput};
#[cfg(feature = "schema")]
pub use mcp_proto::handle::server::{NoArgs, Structured};
pub use mcp_proto::handle::{Client, Server, Session, Sessions};

pub use crate::{ConnectError, Resolver};

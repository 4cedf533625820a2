//! Servers of ours for what an echo does not show.

use mcp_proto::Limits;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, ToolError};
use mcp_proto::jsonrpc::RawJson;
use mcp_proto::model::{Json, Tool};

use crate::messages::Echo;

/// What the tool that reports progress takes.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Count {
    /// How far to count.
    to: u32,
}

/// Counts, and reports each number as progress; with the limits that everybody has.
pub(crate) fn flood() -> Server {
    Server::builder("bench", "1.0.0")
        .tool(
            "count",
            "Reports each number as progress",
            |count: Count, context: Context| async move {
                for n in 1..=count.to {
                    context.progress(f64::from(n), None, None).await;
                }
                Ok::<_, ToolError>("done")
            },
        )
        .build()
}

/// An echo that keeps as many sessions as there are made.
pub(crate) fn of_many_sessions() -> Server {
    let most = 10_000_000;
    let limits = Limits::default().with_sessions(most).with_sessions_per_principal(most);
    Server::builder("bench", "1.0.0")
        .limits(limits)
        .tool("echo", "Says it again", |echo: Echo| async move {
            Ok::<_, ToolError>(echo.text)
        })
        .build()
}

/// An echo of large texts, which it takes as its own.
pub(crate) fn large() -> Server {
    Server::builder("bench", "1.0.0")
        .limits(room())
        .tool("echo", "Says it again", |echo: Echo| async move {
            Ok::<_, ToolError>(echo.text)
        })
        .build()
}

/// The same, where the text stays in the body until it is copied into the result.
pub(crate) fn large_borrowed() -> Server {
    let echo = |arguments: RawJson, _: Context| async move {
        let echo: Echo<&str> = arguments
            .decode_borrowed()
            .map_err(|error| ToolError::text(error.to_string()))?;
        Ok(echo.text.to_owned())
    };
    Server::builder("bench", "1.0.0")
        .limits(room())
        .raw_tool(Tool::new("echo", Json::empty_object()), echo)
        .build()
}

/// For bodies of 16 MiB and what is around them.
fn room() -> Limits {
    Limits::default().with_body_bytes(32 << 20).with_outbox_bytes(64 << 20)
}

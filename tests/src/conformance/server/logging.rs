//! Tools that say things before they answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mcp_proto::handle::server::{Context, NoArgs, ServerBuilder};
use mcp_proto::model::LoggingLevel;

/// How a tool waits, on the runtime that the fixture runs on.
pub type Sleep = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

const PAUSE: Duration = Duration::from_millis(50);

pub(super) fn tools(builder: ServerBuilder, sleep: &Sleep) -> ServerBuilder {
    let (between_logs, between_reports, before_answer) = (sleep.clone(), sleep.clone(), sleep.clone());
    builder
        .tool(
            "test_logging_tool",
            "Logs a message",
            |_: NoArgs, context: Context| async move {
                context.log(LoggingLevel::Info, None, "The tool runs").await;
                Ok("Logged")
            },
        )
        .tool(
            "test_tool_with_logging",
            "Logs while it runs",
            move |_: NoArgs, context: Context| {
                let sleep = between_logs.clone();
                async move {
                    for text in [
                        "Tool execution started",
                        "Tool processing data",
                        "Tool execution completed",
                    ] {
                        context.log(LoggingLevel::Info, None, text).await;
                        sleep(PAUSE).await;
                    }
                    Ok("Tool with logging executed successfully")
                }
            },
        )
        .tool(
            "test_tool_with_progress",
            "Reports progress",
            move |_: NoArgs, context: Context| {
                let sleep = between_reports.clone();
                async move {
                    for progress in [0.0, 50.0, 100.0] {
                        context.progress(progress, 100.0, None).await;
                        sleep(PAUSE).await;
                    }
                    Ok("Tool with progress executed successfully")
                }
            },
        )
        .tool(
            "test_reconnection",
            "Has its client come back for the answer",
            move |_: NoArgs, context: Context| {
                let sleep = before_answer.clone();
                async move {
                    context.close_stream();
                    sleep(PAUSE).await;
                    Ok("The client came back")
                }
            },
        )
}

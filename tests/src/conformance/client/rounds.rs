//! Calls in rounds (2026-07-28, Multi Round-Trip Requests).

use futures_util::future::try_join_all;
use mcp_proto::handle::Client;
use serde_json::json;

use super::tools::succeeded;
use crate::conformance::Failure;

/// Tools with a state and without one, one that asks nothing, and one that leaves out `resultType`, at the same time: what
/// belongs to one call is not sent with another.
pub(super) async fn with_and_without_state(client: &Client) -> Result<(), Failure> {
    client.list_tools().await?;
    let calls = [
        "test_mrtr_echo_state",
        "test_mrtr_no_state",
        "test_mrtr_unrelated",
        "test_mrtr_no_result_type",
    ]
    .map(|name| async move { succeeded(name, &client.call_tool(name, json!({})).await?) });
    try_join_all(calls).await.map(drop)
}

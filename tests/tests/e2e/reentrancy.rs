//! Tools that call their own server through the client that called them.

use futures_util::future::try_join_all;
use mcp_tests::world::everywhere;
use serde_json::json;

#[test]
fn a_tool_calls_itself_a_hundred_deep() {
    everywhere(async |world| {
        let result = world.client.call_tool("nest", json!({"number": 100})).await.unwrap();
        assert_eq!(result.content[0].as_text(), Some("100"));
    });
}

#[test]
fn two_hundred_tools_call_a_tool_at_once() {
    everywhere(async |world| {
        let texts: Vec<_> = (0..200).map(|number| number.to_string()).collect();
        let calls = texts
            .iter()
            .map(|text| world.client.call_tool("relay", json!({ "text": text })));
        for (text, result) in texts.iter().zip(try_join_all(calls).await.unwrap()) {
            assert_eq!(result.content[0].as_text(), Some(text.as_str()));
        }
    });
}

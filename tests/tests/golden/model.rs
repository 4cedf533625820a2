//! The messages of a conversation, read with the types of the model.

use std::collections::BTreeMap;
use std::fmt::Debug;

use mcp_proto::Limits;
use mcp_proto::jsonrpc::{Incoming, Message, RawJson, parse};
use mcp_proto::model::{
    CallToolParams, CallToolResult, CancelledParams, DiscoverResult, EmptyResult, InitializeParams, InitializeResult,
    ListToolsResult, NotificationParams, PaginatedParams, ProgressParams, RequestParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads every message of a conversation; how many there were.
///
/// # Errors
/// What is wrong with one of them.
pub(crate) fn check(conversation: &str) -> Result<usize, String> {
    let mut asked = BTreeMap::new();
    let mut count = 0;
    for line in conversation.lines() {
        let Some((is_up, text)) = message_in(line) else {
            continue;
        };
        let message = match parse(String::from(text).into(), &Limits::default()) {
            Ok(Incoming::Single(message)) => message,
            other => return Err(format!("{other:?} in {line}")),
        };
        check_message(&mut asked, is_up, &message).map_err(|error| format!("{error} in {line}"))?;
        count += 1;
    }
    Ok(count)
}

/// The JSON in a line, and whether it goes to the server.
fn message_in(line: &str) -> Option<(bool, &str)> {
    let (direction, rest) = line.split_at_checked(2)?;
    let text = rest.strip_prefix("data: ").unwrap_or(rest);
    text.starts_with('{').then_some((direction == "> ", text))
}

fn check_message(asked: &mut BTreeMap<(bool, String), String>, is_up: bool, message: &Message) -> Result<(), String> {
    match message {
        Message::Request(request) => {
            let method = String::from(request.method.as_str());
            check_params(&method, request.params.as_ref())?;
            asked.insert((is_up, request.id.to_string()), method);
            Ok(())
        }
        Message::Notification(notification) => check_params(notification.method.as_str(), notification.params.as_ref()),
        Message::Response(response) => {
            let id = response.id.as_ref().ok_or("a response without an id")?;
            let method = asked.remove(&(!is_up, id.to_string())).ok_or("a response to nothing")?;
            response
                .outcome
                .as_ref()
                .map_or(Ok(()), |result| check_result(&method, result))
        }
    }
}

fn check_params(method: &str, params: Option<&RawJson>) -> Result<(), String> {
    let Some(params) = params else { return Ok(()) };
    match method {
        "initialize" => check_as::<InitializeParams>(params),
        "server/discover" | "ping" | "tools/nothing" => check_as::<RequestParams>(params),
        "notifications/initialized" => check_as::<NotificationParams>(params),
        "notifications/progress" => check_as::<ProgressParams>(params),
        "notifications/cancelled" => check_as::<CancelledParams>(params),
        "tools/list" => check_as::<PaginatedParams>(params),
        "tools/call" => check_as::<CallToolParams>(params),
        other => Err(format!("nobody expects {other}")),
    }
}

fn check_result(method: &str, result: &RawJson) -> Result<(), String> {
    match method {
        "initialize" => check_as::<InitializeResult>(result),
        "server/discover" => check_as::<DiscoverResult>(result),
        "tools/list" => check_as::<ListToolsResult>(result),
        "tools/call" => check_as::<CallToolResult>(result),
        "ping" => check_as::<EmptyResult>(result),
        other => Err(format!("nobody expects a result of {other}")),
    }
}

/// Reads a value, finds no field that its type does not know, and writes the same again.
fn check_as<T: DeserializeOwned + Serialize + Debug>(json: &RawJson) -> Result<(), String> {
    let value: T = json.decode().map_err(|error| error.to_string())?;
    let shown = format!("{value:?}");
    // A field that is not known, or not of its type, is kept in an `Extra` somewhere in there.
    if shown.contains("Extra(Some") {
        return Err(format!("a field that the model does not have: {shown}"));
    }
    let written = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    let read: serde_json::Value = json.decode().map_err(|error| error.to_string())?;
    if written != read {
        return Err(format!("written again it is {written}"));
    }
    Ok(())
}

/// The check can fail.
#[test]
fn what_the_model_does_not_have_is_found() {
    let line = |params: &str| format!(r#"> {{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    assert_eq!(check(&line(r#"{"name":"x"}"#)), Ok(1));
    for wrong in [
        r#"{"name":"x","nothing":1}"#,
        r#"{"name":5}"#,
        r#"{"name":"x","task":{"more":1}}"#,
    ] {
        assert!(check(&line(wrong)).is_err(), "{wrong}");
    }
    assert!(
        check(r#"< {"jsonrpc":"2.0","id":1,"result":{}}"#).is_err(),
        "nobody asked"
    );
}

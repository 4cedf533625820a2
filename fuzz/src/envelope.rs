//! The JSON-RPC envelope.
//!
//! What is read as a message is JSON within the limits, is kept byte for byte, and says the same when it is written
//! again from its parts. What is refused has an error that can be answered.

use bytes::Bytes;
use mcp_proto::Limits;
use mcp_proto::jsonrpc::{
    self, Id, Incoming, Message, Peek, RawJson, encode_error, encode_notification, encode_request, encode_result,
};

/// The first byte is the deepest nesting, the rest is the text.
pub fn run(data: &[u8]) {
    let Some((depth, text)) = data.split_first() else {
        return;
    };
    let limits = Limits::default()
        .with_depth(usize::from(*depth))
        .with_id_bytes(64)
        .with_batch_messages(8);
    match jsonrpc::parse(Bytes::copy_from_slice(text), &limits) {
        Ok(Incoming::Single(message)) => {
            assert_eq!(message.text().as_bytes(), text);
            whole(&message, &limits);
        }
        Ok(Incoming::Batch(batch)) => {
            assert!((1..=limits.batch_messages).contains(&batch.len()));
            for message in batch.messages().flatten() {
                whole(&message, &limits);
            }
        }
        Err(error) => {
            let answer = encode_error(error.id(), &error.to_error());
            assert!(matches!(single(&answer), Some(Message::Response(_))));
        }
    }
}

fn whole(message: &Message, limits: &Limits) {
    let text = message.text().as_bytes();
    serde_json::from_slice::<&serde_json::value::RawValue>(text).expect("a message is JSON");
    assert!(depth(text) <= limits.depth);
    let again = single(&encode(message)).expect("what is written is a message");
    match (message, again) {
        (Message::Request(old), Message::Request(new)) => {
            assert_eq!((&old.id, &old.method), (&new.id, &new.method));
            assert_eq!(raw(old.params.as_ref()), raw(new.params.as_ref()));
            id(&old.id, limits);
            peek(old.params.as_ref());
        }
        (Message::Notification(old), Message::Notification(new)) => {
            assert_eq!(old.method, new.method);
            assert_eq!(raw(old.params.as_ref()), raw(new.params.as_ref()));
            peek(old.params.as_ref());
        }
        (Message::Response(old), Message::Response(new)) => {
            assert_eq!(old.id, new.id);
            assert_eq!(old.outcome.as_ref().ok(), new.outcome.as_ref().ok());
            assert_eq!(old.outcome.as_ref().err(), new.outcome.as_ref().err());
        }
        (old, new) => panic!("{old:?} became {new:?}"),
    }
}

fn encode(message: &Message) -> Vec<u8> {
    match message {
        Message::Request(request) => encode_request(&request.id, request.method.as_str(), raw(request.params.as_ref())),
        Message::Notification(notification) => {
            encode_notification(notification.method.as_str(), raw(notification.params.as_ref()))
        }
        Message::Response(response) => match (&response.id, &response.outcome) {
            (Some(id), Ok(result)) => encode_result(id, result.as_bytes()),
            (id, Err(error)) => encode_error(id.as_ref(), error),
            (None, Ok(_)) => panic!("a result without an id"),
        },
    }
}

fn raw(params: Option<&RawJson>) -> &[u8] {
    params.map(RawJson::as_bytes).unwrap_or_default()
}

fn single(text: &[u8]) -> Option<Message> {
    match jsonrpc::parse(Bytes::copy_from_slice(text), &Limits::default()) {
        Ok(Incoming::Single(message)) => Some(message),
        _ => None,
    }
}

fn id(id: &Id, limits: &Limits) {
    assert!(id.to_string().len() <= 6 * limits.id_bytes + 2);
    if let Some(number) = id.as_integer() {
        assert_eq!(Id::from(number), *id);
    }
}

/// Looking at parameters goes as far as it goes.
fn peek(params: Option<&RawJson>) {
    if let Some(params) = params
        && let Ok(peek) = Peek::of(params)
    {
        let _ = (peek.raw_meta(), peek.meta());
    }
}

/// How deep the arrays and objects of a JSON text are nested.
fn depth(json: &[u8]) -> usize {
    let (mut open, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                open += 1;
                deepest = open.max(deepest);
            }
            b']' | b'}' if !in_string => open -= 1,
            _ => {}
        }
    }
    deepest
}

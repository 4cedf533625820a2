//! Writing messages: the envelope by hand around parts that are JSON already.

use alloc::vec::Vec;

use super::{ErrorObject, Id, Params};

/// Room for everything of an envelope but its variable parts.
const ENVELOPE: usize = 64;

/// A request. `params` is a JSON object, or empty for none.
pub fn encode_request(id: &Id, method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + method.len() + params.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_id(&mut out, id);
    write_method(&mut out, method, params);
    out
}

/// A notification. `params` is a JSON object, or empty for none.
pub fn encode_notification(method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + method.len() + params.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0""#);
    write_method(&mut out, method, params);
    out
}

/// A response with a result, which is a JSON value.
pub fn encode_result(id: &Id, result: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + result.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_id(&mut out, id);
    out.extend_from_slice(br#","result":"#);
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// A response with an error. Without an id where none could be read: JSON-RPC writes `null` there, the
/// schemas from 2025-11-25 on leave it out, and `null` is what every reader accepts.
pub fn encode_error(id: Option<&Id>, error: &ErrorObject) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * ENVELOPE + error.message.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    match id {
        Some(id) => write_id(&mut out, id),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","error":"#);
    write_json(&mut out, error);
    out.push(b'}');
    out
}

/// A request whose `_meta` gets `members` added.
pub(crate) fn encode_request_with(id: &Id, method: &str, params: &Params, members: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + method.len() + params.size() + members.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_id(&mut out, id);
    write_method_with(&mut out, method, params, members);
    out
}

/// A notification whose `_meta` gets `members` added.
pub(crate) fn encode_notification_with(method: &str, params: &Params, members: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + method.len() + params.size() + members.len());
    out.extend_from_slice(br#"{"jsonrpc":"2.0""#);
    write_method_with(&mut out, method, params, members);
    out
}

fn write_method(out: &mut Vec<u8>, method: &str, params: &[u8]) {
    out.extend_from_slice(br#","method":"#);
    write_string(out, method);
    if !params.is_empty() {
        out.extend_from_slice(br#","params":"#);
        out.extend_from_slice(params);
    }
    out.push(b'}');
}

fn write_method_with(out: &mut Vec<u8>, method: &str, params: &Params, members: &[u8]) {
    out.extend_from_slice(br#","method":"#);
    write_string(out, method);
    if params.as_raw().is_some() || !members.is_empty() {
        out.extend_from_slice(br#","params":"#);
        params.write(out, members);
    }
    out.push(b'}');
}

pub(crate) fn write_id(out: &mut Vec<u8>, id: &Id) {
    match id.as_integer() {
        Some(value) if id.is_plain_integer() => write_integer(out, value),
        _ => write_json(out, id),
    }
}

fn write_integer(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut rest = value.unsigned_abs();
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// Appends a string. One with nothing to escape, as nearly all are, is copied as it is.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let is_escaped = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    // No early exit: that is what lets the comparison run on whole vectors.
    if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        return write_json(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Appends the JSON form of a value that always has one.
pub(crate) fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    #[cfg(feature = "std")]
    let written = serde_json::to_writer(&mut *out, value).is_ok();
    #[cfg(not(feature = "std"))]
    let written = match serde_json::to_vec(value) {
        Ok(bytes) => {
            out.extend_from_slice(&bytes);
            true
        }
        Err(_) => false,
    };
    debug_assert!(written, "strings, ids and error objects always have a JSON form");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::jsonrpc::{ErrorCode, Incoming, Message, parse};

    fn read(bytes: Vec<u8>) -> Message {
        match parse(bytes.into(), &Limits::default()) {
            Ok(Incoming::Single(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for id in [
            Id::from(0),
            Id::from(-1),
            Id::from(i64::MIN),
            Id::from(i64::MAX),
            Id::from("a\"\n"),
        ] {
            let Message::Request(request) = read(encode_request(&id, "odd \"method\"", br#"{"x":1}"#)) else {
                panic!()
            };
            assert_eq!((request.id, request.method.as_str()), (id.clone(), "odd \"method\""));
            let Message::Response(response) = read(encode_result(&id, b"{}")) else {
                panic!()
            };
            assert_eq!(response.id, Some(id));
        }
        let Message::Notification(note) = read(encode_notification("n", b"")) else {
            panic!()
        };
        assert!(note.params.is_none());
    }

    #[test]
    fn strings_are_written_as_the_serializer_does() {
        let long = "x".repeat(70);
        for text in [
            "",
            "plain",
            "ü\u{7f}",
            "a\"b",
            "a\\b",
            "\u{1f}",
            "\n",
            &long,
            &(long.clone() + "\""),
        ] {
            let mut out = Vec::new();
            write_string(&mut out, text);
            assert_eq!(out, serde_json::to_vec(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn an_error_without_an_id_says_null() {
        let error = ErrorObject::new(ErrorCode::PARSE_ERROR, "no").with_data(&["d"]);
        assert_eq!(
            encode_error(None, &error),
            br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","data":["d"]}}"#
        );
    }
}

//! Writing messages: the envelope by hand around parts that are JSON already.

use alloc::vec::Vec;

use super::{ErrorObject, Id, Params};
use crate::method::Method;
use crate::wire::scan;

/// Room for everything of an envelope but its variable parts.
const ENVELOPE: usize = 64;

/// A request. `params` is a JSON object, or empty for none.
pub fn encode_request(id: &Id, method: &str, params: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENVELOPE + method.len() + params.len());
    // The id comes early, where a reader finds it that has no room for the rest (see `Head`).
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

/// `notifications/cancelled` of the request with this id: the one notification that both sides write by themselves.
pub(crate) fn encode_cancelled(id: &Id, reason: Option<&str>) -> Vec<u8> {
    let mut params = Vec::with_capacity(64);
    params.extend_from_slice(br#"{"requestId":"#);
    write_id(&mut params, id);
    if let Some(reason) = reason {
        params.extend_from_slice(br#","reason":"#);
        write_json(&mut params, reason);
    }
    params.push(b'}');
    encode_notification(Method::CancelledNotification.as_str(), &params)
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
    // `i64::MIN` has no positive counterpart among its own.
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
    out.push(b'"');
    match is_literal(text) {
        true => out.extend_from_slice(text.as_bytes()),
        false => write_escaped(out, text.as_bytes()),
    }
    out.push(b'"');
}

/// Whether nothing of a string has to be escaped in JSON.
pub(crate) fn is_literal(text: &str) -> bool {
    // No early exit: that is what lets the comparison run on whole vectors.
    !text.bytes().fold(false, |any, byte| any | is_escaped(byte))
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Appends the inside of a string in which something has to be escaped: in words, as most have nothing of it.
fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    // Most escapes have one byte more than what they stand for.
    out.reserve(
        text.len()
            .saturating_add(scan::count_by(text, is_escaped))
            .saturating_add(1),
    );
    let (words, rest) = text.as_chunks::<8>();
    for word in words {
        match is_word_escaped(u64::from_ne_bytes(*word)) {
            false => out.extend_from_slice(word),
            true => word.iter().for_each(|byte| write_byte(out, *byte)),
        }
    }
    rest.iter().for_each(|byte| write_byte(out, *byte));
}

/// Whether any byte of a word has to be escaped: [`is_escaped`], eight at a time.
fn is_word_escaped(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    // A borrow may mark a byte that is innocent, but only above one that is not: whether there is any is exact.
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7) != 0
}

/// Appends one byte of a string, escaped where it has to be, as the serializer does.
fn write_byte(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        0..=0x1f => {
            let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
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
    use alloc::string::String;

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
            &long.replace("xxxx", "x\n\u{0}ü"),
            &(0..0x80_u8).map(char::from).collect::<String>(),
        ] {
            let mut out = Vec::new();
            write_string(&mut out, text);
            assert_eq!(out, serde_json::to_vec(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn whatever_has_to_be_escaped_is_found_at_every_place_of_a_word() {
        for byte in 0..0x80_u8 {
            for at in 0..24 {
                let mut text = "\u{7f}\u{80} !#[]".repeat(2).into_bytes();
                text.truncate(23);
                text.insert(at.min(text.len()), byte);
                let Ok(text) = core::str::from_utf8(&text) else {
                    continue;
                };
                let mut out = Vec::new();
                write_string(&mut out, text);
                assert_eq!(out, serde_json::to_vec(text).unwrap(), "{text:?}");
            }
        }
    }

    #[test]
    fn whatever_has_to_be_escaped_is_found_beside_any_other_byte() {
        for filler in (0x20..0x7f_u8).filter(|byte| !is_escaped(*byte)) {
            for byte in (0..0x80_u8).filter(|byte| is_escaped(*byte)) {
                for at in [0, 3, 7] {
                    let mut text = [filler; 8];
                    text[at] = byte;
                    let text = core::str::from_utf8(&text).unwrap();
                    let mut out = Vec::new();
                    write_string(&mut out, text);
                    assert_eq!(out, serde_json::to_vec(text).unwrap(), "{text:?}");
                }
            }
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

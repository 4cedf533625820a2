//! What two requests are compared by.

use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

/// A short digest of what is asked, to notice that an ask has changed from one run of a handler to the next.
///
/// FNV-1a: it guards against mistakes of the author alone. Both sides of the comparison are the server's own, and the one
/// that the client carries is sealed.
pub(super) fn digest(method: &str, params: &[u8]) -> u64 {
    let bytes = method.bytes().chain([0]).chain(params.iter().copied());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Writes an object so that the order of its members and the blanks between them do not matter: a client, or a proxy on
/// the way, may write the same parameters in another way when it repeats a request.
pub(super) fn canonical(object: &Map<String, Value>, leave_out: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    write_object(&mut out, object, leave_out);
    out
}

fn write_object(out: &mut Vec<u8>, object: &Map<String, Value>, leave_out: &[&str]) {
    // Sorted here and not by the map, whose order is a feature that any crate may switch on.
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    members.retain(|(key, _)| !leave_out.contains(&key.as_str()));
    members.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (key, value) in members {
        write_text(out, key);
        out.push(b':');
        write(out, value);
        out.push(b',');
    }
    out.push(b'}');
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(object) => write_object(out, object, &[]),
        Value::Array(values) => {
            out.push(b'[');
            for value in values {
                write(out, value);
                out.push(b',');
            }
            out.push(b']');
        }
        Value::String(text) => write_text(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            out.extend_from_slice(alloc::string::ToString::to_string(value).as_bytes());
        }
    }
}

/// With its length before it, so that no text can end early.
fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<u8> {
        canonical(&serde_json::from_str(text).unwrap(), &["_meta"])
    }

    #[test]
    fn order_blanks_and_what_is_left_out_do_not_count() {
        let one = written(r#"{"name":"x","arguments":{"a":1,"b":[true,null,{"c":"d"}]},"_meta":{"z":1}}"#);
        let other = written(r#"{ "arguments" : {"b":[true, null,{"c":"\u0064"}],"a":1}, "name":"x" }"#);
        assert_eq!(one, other);
    }

    #[test]
    fn whatever_else_differs_counts() {
        let all = [
            "{}",
            r#"{"name":"x"}"#,
            r#"{"name":"xy"}"#,
            r#"{"name":["x"]}"#,
            r#"{"name":["x","y"]}"#,
            r#"{"name":[["x"],"y"]}"#,
            r#"{"name":1}"#,
            r#"{"name":"1"}"#,
            r#"{"name":null}"#,
            r#"{"name":{"_meta":1}}"#,
            r#"{"name":{"a":{},"b":1}}"#,
            r#"{"name":{"a":{"b":1}}}"#,
        ];
        for (at, one) in all.iter().enumerate() {
            for other in all.get(at + 1..).unwrap_or_default() {
                assert_ne!(written(one), written(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_digest_tells_requests_apart() {
        assert_eq!(digest("a", b"{}"), digest("a", b"{}"));
        assert_ne!(digest("a", b"{}"), digest("b", b"{}"));
        assert_ne!(digest("a", b"{}"), digest("a", b"{ }"));
    }
}

//! The codec of the MCP headers.
//!
//! Any text survives a header; what is written is a legal header value; headers that mirror the arguments of a tool
//! agree with them, as far as these can be said in headers.

use http::HeaderValue;
use mcp_proto::wire::header::{self, HeaderMismatch, ParamHeaders, decode_value, encode_value};
use serde_json::Value;

/// The largest integer that a header says.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The parts of the input, cut at 0xFF: a text, a raw header value, the schema of a tool, its arguments.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == 0xFF);
    let mut part = || parts.next().unwrap_or_default();
    let (text, value, schema, arguments) = (part(), part(), part(), part());
    if let Ok(text) = std::str::from_utf8(text) {
        value_of(text);
    }
    if let Ok(text) = decode_value(value) {
        value_of(&text);
    }
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let _ = header::check_standard([value], [value], "tools/call", text(schema));
    let _ = header::check_protocol_version([value, value], "2026-07-28");
    if let (Some(schema), arguments) = (text(schema), text(arguments)) {
        params(schema, arguments, value);
    }
}

fn value_of(text: &str) {
    let value = encode_value(text);
    HeaderValue::from_str(&value).expect("a legal header value");
    assert_eq!(value.trim(), value);
    assert_eq!(decode_value(value.as_bytes()).as_deref(), Ok(text));
    // White space around a header value is no part of it.
    let padded = format!("\t {value}  ");
    assert_eq!(decode_value(padded.as_bytes()).as_deref(), Ok(text));
    assert_eq!(header::check_name([value.as_bytes()], Some(text)), Ok(()));
}

fn params(schema: &str, arguments: Option<&str>, stray: &[u8]) {
    let Ok(params) = ParamHeaders::from_schema(schema) else {
        return;
    };
    for name in params.header_names() {
        http::HeaderName::from_bytes(name.as_bytes()).expect("a legal header name");
    }
    let values = params.values(arguments);
    for (_, value) in &values {
        HeaderValue::from_str(value).expect("a legal header value");
    }
    let mirrored = |name: &str| {
        let found = values.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_bytes())
    };
    // What is no JSON is refused, whatever the headers say.
    if let Ok(value) = arguments.map_or(Ok(Value::Null), serde_json::from_str) {
        match params.validate(arguments, mirrored) {
            Ok(()) => {}
            Err(HeaderMismatch::Missing { header }) => {
                assert!(mirrored(&header).is_none(), "{header} is there");
                assert!(members(&value).any(is_unspeakable), "{header} could have been said");
            }
            Err(mismatch) => panic!("{mismatch}"),
        }
    }
    let _ = params.validate(arguments, |_| [stray]);
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(|object| object.values())
}

/// Whether a value, or one in it, cannot be said in a header: a call with it goes out without, and is refused. An object
/// may be a value that is annotated, or one on the way there.
fn is_unspeakable(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) => true,
        Value::Number(number) => number
            .as_f64()
            .is_none_or(|number| number.fract() != 0.0 || number.abs() > MAX_SAFE_INTEGER),
        _ => false,
    }
}

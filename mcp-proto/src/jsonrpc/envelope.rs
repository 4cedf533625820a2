//! Reading the envelope: one pass, borrowed, exact keys, no key twice.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::message::{Batch, Incoming, Message, Notification, Request, Response};
use super::peek::Text;
use super::{Id, InvalidMessage, ParseError, RawJson};
use crate::limits::Limits;
use crate::method::MethodName;
use crate::wire::scan;

/// Reads one line, body or event as a message or a batch.
///
/// Whether a batch is allowed is the caller's to decide: it depends on the revision.
///
/// # Errors
/// [`ParseError`] where the bytes are not UTF-8, not JSON, nested too deeply, or no JSON-RPC message.
pub fn parse(bytes: Bytes, limits: &Limits) -> Result<Incoming, ParseError> {
    let text = core::str::from_utf8(&bytes).map_err(|_| ParseError::NotUtf8)?;
    if is_deeper_than(text.as_bytes(), limits.depth) {
        return Err(ParseError::TooDeep);
    }
    if text.trim_ascii_start().starts_with('[') {
        return batch(&bytes, text, limits).map(Incoming::Batch);
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| syntax_or("not an object", &error))?;
    envelope
        .into_message(&bytes, limits)
        .map(Incoming::Single)
        .map_err(ParseError::Invalid)
}

/// Reads one message of a batch, known to be JSON.
pub(super) fn message(item: RawJson, limits: &Limits) -> Result<Message, InvalidMessage> {
    let bytes = item.into_bytes();
    let envelope: Envelope<'_> = serde_json::from_slice(&bytes).map_err(|_| invalid(None, "not an object"))?;
    envelope.into_message(&bytes, limits)
}

fn batch(bytes: &Bytes, text: &str, limits: &Limits) -> Result<Batch, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let items = deserializer
        .deserialize_seq(Items {
            most: limits.batch_messages,
        })
        .and_then(|items| deserializer.end().map(|()| items))
        .map_err(|error| syntax_or("not a message", &error))?
        .ok_or(ParseError::BatchTooLong)?;
    if items.is_empty() {
        return Err(ParseError::EmptyBatch);
    }
    let items = items.into_iter().map(|raw| slice(bytes, raw)).collect();
    Ok(Batch {
        items,
        id_bytes: limits.id_bytes,
    })
}

fn syntax_or(reason: &'static str, error: &serde_json::Error) -> ParseError {
    match error.classify() {
        Category::Data => ParseError::Invalid(invalid(None, reason)),
        _ => ParseError::NotJson(error.to_string().into()),
    }
}

fn invalid(id: Option<Id>, reason: &'static str) -> InvalidMessage {
    InvalidMessage {
        id,
        is_reply: false,
        reason,
    }
}

fn slice(bytes: &Bytes, raw: &RawValue) -> RawJson {
    RawJson::from_valid(bytes.slice_ref(raw.get().as_bytes()))
}

/// Whether arrays and objects are nested deeper than `most`, without recursion.
///
/// Counting the opening brackets is quick and settles nearly every message; only one with more of them
/// than the bound is walked.
fn is_deeper_than(text: &[u8], most: usize) -> bool {
    openers(text) > most && deepest(text) > most
}

/// How many opening brackets there are.
fn openers(text: &[u8]) -> usize {
    scan::count_by(text, |byte| byte | 0x20 == b'{') // `[` and `{` differ in this bit alone
}

fn deepest(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The members of a message that JSON-RPC knows.
#[derive(Default)]
struct Envelope<'a> {
    version: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    fault: Option<&'static str>,
}

impl Envelope<'_> {
    fn into_message(self, bytes: &Bytes, limits: &Limits) -> Result<Message, InvalidMessage> {
        let is_reply = self.method.is_none();
        let id = self.read_id(limits);
        let known_id = id.as_ref().ok().cloned().flatten();
        let fail = |reason| InvalidMessage {
            id: known_id.clone(),
            is_reply,
            reason,
        };
        if let Some(fault) = self.fault {
            return Err(fail(fault));
        }
        if self.version.and_then(string).as_deref() != Some("2.0") {
            return Err(fail("jsonrpc is not \"2.0\""));
        }
        let id = id.map_err(fail)?;
        let text = RawJson::from_valid(bytes.clone());
        let Some(method) = self.method else {
            return self.into_response(bytes, id, text).map_err(fail);
        };
        if self.result.is_some() || self.error.is_some() {
            return Err(fail("a method beside a result or an error"));
        }
        let method = MethodName::from(&*string(method).ok_or_else(|| fail("method is not a string"))?);
        let params = match self.params.map(|raw| (raw, raw.get().as_bytes().first())) {
            None => None,
            Some((raw, _)) if raw.get() == "null" => None,
            Some((raw, Some(b'{'))) => Some(slice(bytes, raw)),
            Some(_) => return Err(fail("params is not an object")),
        };
        Ok(match id {
            Some(id) => Message::Request(Request {
                id,
                method,
                params,
                text,
            }),
            None if self.id.is_some() => return Err(fail("the id of a request is null")),
            None => Message::Notification(Notification { method, params, text }),
        })
    }

    fn into_response(self, bytes: &Bytes, id: Option<Id>, text: RawJson) -> Result<Message, &'static str> {
        let outcome = match (self.result, self.error) {
            (Some(result), None) if id.is_some() => Ok(slice(bytes, result)),
            (Some(_), None) => return Err("a result without an id"),
            (None, Some(error)) => Err(serde_json::from_str(error.get()).map_err(|_| "error is not an error object")?),
            (Some(_), Some(_)) => return Err("a result beside an error"),
            (None, None) => return Err("neither method nor result nor error"),
        };
        Ok(Message::Response(Response { id, outcome, text }))
    }

    /// The id; `None` where it is absent or null.
    fn read_id(&self, limits: &Limits) -> Result<Option<Id>, &'static str> {
        match self.id.map(RawValue::get) {
            None | Some("null") => Ok(None),
            Some(text) if text.len() > limits.id_bytes => Err("the id is too long"),
            Some(text) => Id::from_json(text)
                .map(Some)
                .ok_or("the id is neither a string nor an integer"),
        }
    }
}

/// The string that a value is; not copied where it has no escapes.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(raw.get()).ok().map(|Text(text)| text)
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            let slot = match &*key {
                "jsonrpc" => &mut envelope.version,
                "id" => &mut envelope.id,
                "method" => &mut envelope.method,
                "params" => &mut envelope.params,
                "result" => &mut envelope.result,
                "error" => &mut envelope.error,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                envelope.fault = Some("a key occurs twice");
            }
        }
        Ok(envelope)
    }
}

/// The items of a batch; `None` where there are too many.
struct Items {
    most: usize,
}

impl<'de> Visitor<'de> for Items {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() == self.most {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            items.push(item);
        }
        Ok(Some(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn read(text: &str) -> Result<Incoming, ParseError> {
        parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
    }

    fn single(text: &str) -> Message {
        match read(text) {
            Ok(Incoming::Single(message)) => message,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn reason(text: &str) -> &'static str {
        match read(text) {
            Err(ParseError::Invalid(invalid)) => invalid.reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_request_keeps_its_raw_parts() {
        let text = r#" {"params" : { "a":[1, 2] }, "id":"x","jsonrpc":"2.0","method":"tools/call","extra":1} "#;
        let Message::Request(request) = single(text) else {
            panic!()
        };
        assert_eq!(request.id, Id::from("x"));
        assert_eq!(request.method.as_str(), "tools/call");
        assert_eq!(request.params.unwrap().as_str(), r#"{ "a":[1, 2] }"#);
        assert_eq!(request.text.as_str(), text);
    }

    #[test]
    fn keys_match_exactly_and_escapes_do_not_hide_one() {
        assert_eq!(
            reason(r#"{"jsonrpc":"2.0","id":1,"Method":"ping"}"#),
            "neither method nor result nor error"
        );
        assert_eq!(
            reason(r#"{"jsonrpc":"2.0","id":1,"method":"a","m\u0065thod":"b"}"#),
            "a key occurs twice"
        );
        assert_eq!(
            reason("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\\u0000\":\"a\"}"),
            "neither method nor result nor error"
        );
    }

    #[test]
    fn duplicate_keys_are_rejected_with_the_id() {
        let Err(error) = read(r#"{"jsonrpc":"2.0","method":"a","method":"a","id":9}"#) else {
            panic!()
        };
        assert_eq!(error.id(), Some(&Id::from(9)));
        for key in [
            "jsonrpc\":\"2.0",
            "id\":\"1",
            "params\":\"1",
            "result\":\"1",
            "error\":\"1",
        ] {
            assert_eq!(
                reason(&format!(r#"{{"jsonrpc":"2.0","{key}","{key}"}}"#)),
                "a key occurs twice",
                "{key}"
            );
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        for (text, why) in [
            (r#"{"id":1,"method":"a"}"#, "jsonrpc is not \"2.0\""),
            (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, "jsonrpc is not \"2.0\""),
            (r#"{"jsonrpc":2.0,"id":1,"method":"a"}"#, "jsonrpc is not \"2.0\""),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
                "the id of a request is null",
            ),
            (
                r#"{"jsonrpc":"2.0","id":{},"method":"a"}"#,
                "the id is neither a string nor an integer",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#,
                "the id is neither a string nor an integer",
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "method is not a string"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#,
                "params is not an object",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
                "a method beside a result or an error",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
                "a result beside an error",
            ),
            (r#"{"jsonrpc":"2.0","result":{}}"#, "a result without an id"),
            (r#"{"jsonrpc":"2.0","id":1,"error":5}"#, "error is not an error object"),
            ("42", "not an object"),
            ("\"text\"", "not an object"),
            ("null", "not an object"),
        ] {
            assert_eq!(reason(text), why, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_says_so() {
        for text in [
            "",
            "{",
            "{\"jsonrpc\":\"2.0\"",
            "hello",
            "{}{}",
            "[",
            "[1,]",
            "[{\"id\":}]",
            "[1] x",
        ] {
            assert!(
                matches!(read(text), Err(ParseError::NotJson(_))),
                "{text}: {:?}",
                read(text)
            );
        }
        assert!(matches!(
            parse(Bytes::from_static(b"\"\xff\""), &Limits::default()),
            Err(ParseError::NotUtf8)
        ));
    }

    #[test]
    fn null_params_are_no_params() {
        let Message::Notification(note) = single(r#"{"jsonrpc":"2.0","method":"n","params":null}"#) else {
            panic!()
        };
        assert!(note.params.is_none());
    }

    #[test]
    fn responses() {
        let Message::Response(ok) = single(r#"{"jsonrpc":"2.0","id":1,"result":{"x":1.0}}"#) else {
            panic!()
        };
        assert_eq!(ok.outcome.unwrap().as_str(), r#"{"x":1.0}"#);
        let Message::Response(err) =
            single(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m","data":[1, 2]}}"#)
        else {
            panic!()
        };
        assert_eq!(err.id, None);
        assert_eq!(err.outcome.unwrap_err().data.unwrap().as_str(), "[1, 2]");
    }

    #[test]
    fn depth_is_bounded_before_anything_recurses() {
        let deep = |n: usize| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"x":{}{}}}}}"#,
                "[".repeat(n),
                "]".repeat(n)
            )
        };
        assert!(read(&deep(98)).is_ok());
        assert_eq!(read(&deep(99)).unwrap_err(), ParseError::TooDeep);
        assert_eq!(read(&deep(10_000)).unwrap_err(), ParseError::TooDeep);
        // Brackets in strings, and many that are not nested, do not count.
        let flat = format!(
            r#"{{"jsonrpc":"2.0","method":"a","params":{{"x":[{}0],"y":"{}\"[["}}}}"#,
            "[],".repeat(500),
            "[".repeat(500)
        );
        assert!(read(&flat).is_ok());
    }

    #[test]
    fn batches_are_bounded_and_their_items_stand_alone() {
        let Ok(Incoming::Batch(batch)) = read(r#"[{"jsonrpc":"2.0","method":"a"}, 5, {"jsonrpc":"2.0","id":3}]"#)
        else {
            panic!()
        };
        assert_eq!(batch.len(), 3);
        let results: Vec<_> = batch.messages().collect();
        assert!(matches!(results[0], Ok(Message::Notification(_))));
        assert!(results[1].is_err());
        assert_eq!(results[2].as_ref().unwrap_err().id, Some(Id::from(3)));
        assert_eq!(read("[]").unwrap_err(), ParseError::EmptyBatch);
        let many: String = core::iter::repeat_n("1", 101).collect::<Vec<_>>().join(",");
        assert_eq!(read(&format!("[{many}]")).unwrap_err(), ParseError::BatchTooLong);
    }

    #[test]
    fn an_endless_id_is_no_id() {
        let text = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"a"}}"#, "x".repeat(2_000));
        assert_eq!(reason(&text), "the id is too long");
    }
}

//! Reading one line, body or event.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::ParseError;
use super::batch::{Batch, Incoming};
use super::envelope::{Envelope, invalid, slice};
use crate::limits::Limits;
use crate::wire::outline::Outline;
use crate::wire::{BOM, scan};

/// Reads one line, body or event as a message or a batch.
///
/// Whether a batch is allowed is the caller's to decide: it depends on the revision.
///
/// # Errors
/// [`ParseError`] where the bytes are not UTF-8, not JSON, nested too deeply, or no JSON-RPC message.
pub fn parse(bytes: Bytes, limits: &Limits) -> Result<Incoming, ParseError> {
    parse_shared(&bytes, limits)
}

/// [`parse`] for those who want the text where it is no message.
pub(crate) fn parse_shared(bytes: &Bytes, limits: &Limits) -> Result<Incoming, ParseError> {
    read(bytes, limits).or_else(|error| look_again(bytes, limits, error))
}

/// The text could not be read as it is.
#[cold]
fn look_again(bytes: &Bytes, limits: &Limits, error: ParseError) -> Result<Incoming, ParseError> {
    // RFC 8259, 8.1: a parser MAY ignore a byte order mark. Some peers write one at the beginning of each line.
    let text = without_marks(bytes);
    let read = match text.len() < bytes.len() {
        true => read(&bytes.slice_ref(text), limits),
        false => Err(error),
    };
    read.map_err(|error| match error {
        // There it is known already what it was meant as.
        ParseError::Invalid(_) => error,
        error => error.with_outline(&Outline::of(text), limits.id_bytes),
    })
}

/// The text behind the byte order marks: more than one where the stream has one at its beginning and each line, too.
fn without_marks(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = text.strip_prefix(BOM) {
        text = rest;
    }
    text
}

fn read(bytes: &Bytes, limits: &Limits) -> Result<Incoming, ParseError> {
    let text = core::str::from_utf8(bytes).map_err(|_| ParseError::NotUtf8)?;
    // Before the parser, which recurses.
    if is_deeper_than(text.as_bytes(), limits.depth) {
        return Err(ParseError::TooDeep);
    }
    if text.trim_ascii_start().starts_with('[') {
        return batch(bytes, text, limits).map(Incoming::Batch);
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| syntax_or("not an object", &error))?;
    envelope
        .into_message(bytes, limits)
        .map(Incoming::Single)
        .map_err(ParseError::Invalid)
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
        // It is JSON all the same: −32600, and not −32700 (JSON-RPC 2.0, 5.1).
        Category::Data => ParseError::Invalid(invalid(None, reason)),
        _ => ParseError::NotJson(error.to_string().into()),
    }
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
            // What is no JSON may close what was never opened; the parser says so afterwards.
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
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
                // To the end without keeping it: what is no JSON is told so, however long it is.
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
    use crate::jsonrpc::{Id, Message};
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

    /// Why a text cannot be read, whatever can be told of it.
    fn fault(text: &str) -> ParseError {
        match read(text) {
            Err(ParseError::Broken(broken)) => broken.fault,
            Err(error) => error,
            Ok(incoming) => panic!("{text}: {incoming:?}"),
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
                matches!(fault(text), ParseError::NotJson(_)),
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

    /// Peers that write every member that there may be, most of them null.
    #[test]
    fn a_member_that_is_null_is_not_there() {
        let outcome = |members: &str| match single(&format!(r#"{{"jsonrpc":"2.0","id":1,{members}}}"#)) {
            Message::Response(response) => response.outcome.map(|result| String::from(result.as_str())),
            other => panic!("{members}: {other:?}"),
        };
        let failed = || Err(crate::jsonrpc::ErrorObject::internal("m"));
        for (members, expected) in [
            (r#""result":{"a":1},"error":null"#, Ok("{\"a\":1}".into())),
            (
                r#""error":null,"result":{"a":1},"method":null,"params":null"#,
                Ok("{\"a\":1}".into()),
            ),
            (r#""result":null,"error":{"code":-32603,"message":"m"}"#, failed()),
            (r#""error":{"code":-32603,"message":"m"},"result":null"#, failed()),
            (r#""result":null"#, Ok("null".into())),
            (r#""result":null,"error":null"#, Ok("null".into())),
        ] {
            assert_eq!(outcome(members), expected, "{members}");
        }
        let nulls = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null,"result":null,"error":null}"#;
        assert!(matches!(single(nulls), Message::Request(_)));
        assert_eq!(
            reason(r#"{"jsonrpc":"2.0","id":1,"error":null}"#),
            "error is not an error object"
        );
        assert_eq!(
            reason(r#"{"jsonrpc":"2.0","id":1,"method":null}"#),
            "neither method nor result nor error"
        );
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
        assert_eq!(fault(&deep(99)), ParseError::TooDeep);
        assert_eq!(read(&deep(99)).unwrap_err().id(), Some(&Id::from(1)));
        assert_eq!(fault(&deep(10_000)), ParseError::TooDeep);
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

    #[test]
    fn brackets_count_for_the_depth_where_they_nest_and_nowhere_else() {
        // Three levels are those of the message, its parameters and the array.
        let limits = Limits::default().with_depth(5);
        for (value, fits) in [
            ("[[1]]", true),
            ("[[1]],[]", true),
            ("[[[]]]", false),
            (r#"{"a":{}}"#, true),
            (r#"{"a":{"b":[]}}"#, false),
            ("[],[],[],[],[],[]", true),
            (r#""[[[[[[""#, true),
            (r#""\"[[[[[[""#, true),
            (r#""\\",[[[1]]]"#, false),
            (r#""]]]]",[[[1]]]"#, false),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":[{value}]}}}}"#);
            let is_too_deep = match parse(text.clone().into(), &limits) {
                Err(ParseError::Broken(broken)) => broken.fault == ParseError::TooDeep,
                Err(error) => error == ParseError::TooDeep,
                Ok(_) => false,
            };
            assert_eq!(is_too_deep, !fits, "{text}");
        }
    }

    #[test]
    fn nothing_but_brackets_is_too_deep() {
        for bracket in ["[", "{"] {
            assert_eq!(fault(&bracket.repeat(10_000)), ParseError::TooDeep);
        }
        let most = Limits::default().depth;
        assert!(!is_deeper_than("[".repeat(most).as_bytes(), most));
        assert!(is_deeper_than("[".repeat(most + 1).as_bytes(), most));
    }

    #[test]
    fn the_ids_of_a_batch_are_bounded_each() {
        let text = r#"[{"jsonrpc":"2.0","id":"abc","method":"m"},{"jsonrpc":"2.0","id":"abcd","method":"m"}]"#;
        let limits = Limits {
            id_bytes: 5,
            ..Limits::default()
        };
        let Ok(Incoming::Batch(batch)) = parse(text.into(), &limits) else {
            panic!()
        };
        let read: Vec<bool> = batch.messages().map(|message| message.is_ok()).collect();
        assert_eq!(read, [true, false]);
    }
}

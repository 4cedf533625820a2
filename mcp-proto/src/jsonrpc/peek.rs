//! Looking into `params` without decoding them.

use alloc::borrow::Cow;
use core::fmt;
use core::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::walk::Walk;
use super::{DecodeError, Id, RawJson};
use crate::shown::shown;

/// A string that borrows from the input where it has no escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.into())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The members of `params` that routing, headers and policies need; everything else is skipped.
///
/// A member that occurs twice is an error: a gateway that peeks and a server that decodes must see one
/// and the same value.
///
/// ```
/// use mcp_proto::jsonrpc::{Peek, RawJson};
///
/// let params = RawJson::parse(r#"{"name":"echo","arguments":{"x":1},"_meta":{"progressToken":7}}"#)?;
/// let peek = Peek::of(&params)?;
/// assert_eq!(peek.name.as_deref(), Some("echo"));
/// assert_eq!(peek.meta()?.progress_token, Some(7.into()));
/// # Ok::<(), mcp_proto::jsonrpc::DecodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Peek<'a> {
    /// `name`, of a tool or a prompt.
    pub name: Option<Cow<'a, str>>,
    /// `uri`, of a resource.
    pub uri: Option<Cow<'a, str>>,
    /// `taskId`.
    pub task_id: Option<Cow<'a, str>>,
    /// `arguments`, as they came.
    pub arguments: Option<&'a str>,
    /// `progressToken`, of a progress notification.
    pub progress_token: Option<Id>,
    /// `progress`, of a progress notification, as it came.
    pub progress: Option<&'a str>,
    /// `requestId`, of a cancellation.
    pub request_id: Option<Id>,
    meta: Option<&'a str>,
}

shown!(Peek<'_> { name, progress_token, request_id });

impl<'a> Peek<'a> {
    /// How far a progress notification says that its call is.
    pub(crate) fn reached(&self) -> Option<f64> {
        self.progress?.parse().ok()
    }

    /// Looks into `params`.
    ///
    /// # Errors
    /// [`DecodeError`] where `params` is not an object, one of the members is of another type or occurs twice.
    pub fn of(params: &'a RawJson) -> Result<Self, DecodeError> {
        let (mut peek, mut meta) = (Self::default(), PeekMeta::default());
        match peek.walk(&mut meta, params.as_str()) {
            Some(()) => Ok(peek),
            // What the walk does not understand, such as an escape in a key, is for the parser, whose word counts.
            None => params.decode_borrowed(),
        }
    }

    /// Looks into `params` and their `_meta`, both in one go.
    ///
    /// # Errors
    /// Those of [`of`](Self::of) and [`meta`](Self::meta).
    #[inline]
    pub fn with_meta(params: &'a RawJson) -> Result<(Self, PeekMeta<'a>), DecodeError> {
        let (mut peek, mut meta) = (Self::default(), PeekMeta::default());
        if peek.walk(&mut meta, params.as_str()).is_some() {
            return Ok((peek, meta));
        }
        let peek: Self = params.decode_borrowed()?;
        peek.meta().map(|meta| (peek, meta))
    }

    /// Finds the members, and those of `_meta`, without reading them. `None` where anything is unusual, be it wrong or
    /// an escape: then the parser has the word, and what was found is nothing.
    // In place, since both are large, and every request has them.
    fn walk(&mut self, meta: &mut PeekMeta<'a>, params: &'a str) -> Option<()> {
        let mut walk = Walk::of(params.as_bytes())?;
        while let Some(key) = walk.key()? {
            match key {
                b"name" => fill(&mut self.name, walk.string().and_then(|at| borrow(params, at)))?,
                b"uri" => fill(&mut self.uri, walk.string().and_then(|at| borrow(params, at)))?,
                b"taskId" => fill(&mut self.task_id, walk.string().and_then(|at| borrow(params, at)))?,
                b"arguments" => fill(&mut self.arguments, walk.value().and_then(|at| params.get(at)))?,
                b"progressToken" => fill(&mut self.progress_token, walk.value().and_then(|at| id(params, at)))?,
                b"progress" => fill(&mut self.progress, walk.value().and_then(|at| params.get(at)))?,
                b"requestId" => fill(&mut self.request_id, walk.value().and_then(|at| id(params, at)))?,
                b"_meta" => {
                    let mut inner = walk.enter()?;
                    meta.walk(params, &mut inner)?;
                    fill(&mut self.meta, params.get(walk.leave(&inner)))?;
                }
                _ => {
                    let _ = walk.value()?;
                }
            }
        }
        Some(())
    }

    /// `_meta`, as it came.
    pub fn raw_meta(&self) -> Option<&'a str> {
        self.meta
    }

    /// The reserved members of `_meta`.
    ///
    /// # Errors
    /// [`DecodeError`] where `_meta` is not an object, one of the members is of another type or occurs twice.
    pub fn meta(&self) -> Result<PeekMeta<'a>, DecodeError> {
        match self.meta {
            None => Ok(PeekMeta::default()),
            Some(text) => {
                let mut meta = PeekMeta::default();
                match Walk::of(text.as_bytes()).and_then(|mut walk| meta.walk(text, &mut walk)) {
                    Some(()) => Ok(meta),
                    None => serde_json::from_str(text).map_err(|error| DecodeError::new(&error)),
                }
            }
        }
    }
}

/// The members of `_meta` that the protocol itself reads.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeekMeta<'a> {
    /// `progressToken`.
    pub progress_token: Option<Id>,
    /// `io.modelcontextprotocol/protocolVersion`.
    pub protocol_version: Option<Cow<'a, str>>,
    /// `io.modelcontextprotocol/clientInfo`, as it came.
    pub client_info: Option<&'a str>,
    /// `io.modelcontextprotocol/clientCapabilities`, as it came.
    pub client_capabilities: Option<&'a str>,
    /// `io.modelcontextprotocol/logLevel`.
    pub log_level: Option<Cow<'a, str>>,
    /// `io.modelcontextprotocol/subscriptionId`, as it came.
    pub subscription_id: Option<&'a str>,
}

shown!(PeekMeta<'_> { progress_token, protocol_version, log_level });

impl<'a> PeekMeta<'a> {
    /// As [`Peek::walk`], with the text that is walked through.
    fn walk(&mut self, text: &'a str, walk: &mut Walk<'a>) -> Option<()> {
        while let Some(key) = walk.key()? {
            match key {
                b"progressToken" => fill(&mut self.progress_token, walk.value().and_then(|at| id(text, at)))?,
                b"io.modelcontextprotocol/protocolVersion" => {
                    fill(
                        &mut self.protocol_version,
                        walk.string().and_then(|at| borrow(text, at)),
                    )?;
                }
                b"io.modelcontextprotocol/clientInfo" => {
                    fill(&mut self.client_info, walk.value().and_then(|at| text.get(at)))?;
                }
                b"io.modelcontextprotocol/clientCapabilities" => {
                    fill(&mut self.client_capabilities, walk.value().and_then(|at| text.get(at)))?;
                }
                b"io.modelcontextprotocol/logLevel" => {
                    fill(&mut self.log_level, walk.string().and_then(|at| borrow(text, at)))?;
                }
                b"io.modelcontextprotocol/subscriptionId" => {
                    fill(&mut self.subscription_id, walk.value().and_then(|at| text.get(at)))?;
                }
                _ => {
                    let _ = walk.value()?;
                }
            }
        }
        Some(())
    }
}

fn borrow(text: &str, at: Range<usize>) -> Option<Cow<'_, str>> {
    text.get(at).map(Cow::Borrowed)
}

fn id(text: &str, at: Range<usize>) -> Option<Id> {
    text.get(at).and_then(Id::from_json)
}

/// Fills `slot` with what there is, once.
fn fill<T>(slot: &mut Option<T>, value: Option<T>) -> Option<()> {
    match slot {
        // A key that occurs twice ends the walk: the parser says what is wrong.
        Some(_) => None,
        None => {
            *slot = Some(value?);
            Some(())
        }
    }
}

/// Fills `slot` unless it is filled already.
fn once<T, E: Error>(slot: &mut Option<T>, key: &'static str, value: Option<T>) -> Result<(), E> {
    match slot {
        Some(_) => Err(E::duplicate_field(key)),
        None => {
            *slot = value;
            Ok(())
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Peek<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PeekVisitor)
    }
}

struct PeekVisitor;

impl<'de> Visitor<'de> for PeekVisitor {
    type Value = Peek<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("params")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut peek = Peek::default();
        let mut meta_seen = false;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "name" => once(&mut peek.name, "name", text(&mut map)?)?,
                "uri" => once(&mut peek.uri, "uri", text(&mut map)?)?,
                "taskId" => once(&mut peek.task_id, "taskId", text(&mut map)?)?,
                "arguments" => once(&mut peek.arguments, "arguments", raw(&mut map)?)?,
                "progressToken" => once(&mut peek.progress_token, "progressToken", map.next_value()?)?,
                "progress" => once(&mut peek.progress, "progress", raw(&mut map)?)?,
                "requestId" => once(&mut peek.request_id, "requestId", map.next_value()?)?,
                "_meta" => {
                    if core::mem::replace(&mut meta_seen, true) {
                        return Err(A::Error::duplicate_field("_meta"));
                    }
                    let value: &'de RawValue = map.next_value()?;
                    // Some peers write null where there is none.
                    peek.meta = Some(value.get()).filter(|meta| *meta != "null");
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(peek)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for PeekMeta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetaVisitor)
    }
}

struct MetaVisitor;

impl<'de> Visitor<'de> for MetaVisitor {
    type Value = PeekMeta<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_meta")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut meta = PeekMeta::default();
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "progressToken" => once(&mut meta.progress_token, "progressToken", map.next_value()?)?,
                "io.modelcontextprotocol/protocolVersion" => {
                    once(&mut meta.protocol_version, "protocolVersion", text(&mut map)?)?;
                }
                "io.modelcontextprotocol/clientInfo" => once(&mut meta.client_info, "clientInfo", raw(&mut map)?)?,
                "io.modelcontextprotocol/clientCapabilities" => {
                    once(&mut meta.client_capabilities, "clientCapabilities", raw(&mut map)?)?;
                }
                "io.modelcontextprotocol/logLevel" => once(&mut meta.log_level, "logLevel", text(&mut map)?)?,
                "io.modelcontextprotocol/subscriptionId" => {
                    once(&mut meta.subscription_id, "subscriptionId", raw(&mut map)?)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(meta)
    }
}

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    map.next_value::<Text<'de>>().map(|Text(text)| Some(text))
}

fn raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<&'de str>, A::Error> {
    map.next_value::<&'de RawValue>().map(|raw| Some(raw.get()))
}

/// The `resultType` of a result, without decoding the rest.
pub(crate) fn result_type(result: &RawJson) -> Result<Option<Cow<'_, str>>, DecodeError> {
    // Where it comes first, as most servers write it, the rest is not looked at.
    if result.as_bytes().starts_with(br#"{"resultType":"complete""#) {
        return Ok(Some(Cow::Borrowed("complete")));
    }
    match walk_to_result_type(result.as_bytes()) {
        Some(kind) => Ok(kind.map(Cow::Borrowed)),
        None => result.decode_borrowed().map(|ResultType(kind)| kind),
    }
}

/// As [`Peek::walk`].
fn walk_to_result_type(result: &[u8]) -> Option<Option<&str>> {
    let (mut kind, mut walk) = (None, Walk::of(result)?);
    while let Some(key) = walk.key()? {
        match key {
            b"resultType" => {
                let text = walk.string().and_then(|at| result.get(at));
                fill(&mut kind, text.and_then(|text| core::str::from_utf8(text).ok()))?;
            }
            _ => {
                let _ = walk.value()?;
            }
        }
    }
    Some(kind)
}

struct ResultType<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for ResultType<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = ResultType<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a result object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut kind = None;
                while let Some(Text(key)) = map.next_key()? {
                    if &*key == "resultType" {
                        once(&mut kind, "resultType", text(&mut map)?)?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(ResultType(kind))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    /// Members of parameters and of `_meta`, right and wrong.
    fn members() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "name",
            "uri",
            "taskId",
            "arguments",
            "progressToken",
            "requestId",
            "_meta",
            r"n\u0061me",
            "x",
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientInfo",
            "io.modelcontextprotocol/clientCapabilities",
            "io.modelcontextprotocol/logLevel",
            "io.modelcontextprotocol/subscriptionId",
        ]);
        let value = prop::sample::select(vec![
            "null",
            "\"\"",
            "\"a\"",
            "\"ü\"",
            r#""\"}\\""#,
            "7",
            "1.0",
            "1.5",
            "{ }",
            "[{}, \"]\"]",
            r#"{"name":"in"}"#,
        ]);
        let member = (key, "[ \n]{0,2}", value)
            .prop_map(|(key, blank, value)| format!("{blank}\"{key}\"{blank}:{blank}{value}{blank}"));
        prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
    }

    proptest! {
        #![proptest_config(crate::wire::cuts::repeatable())]

        #[test]
        fn what_is_found_on_a_walk_is_what_the_parser_reads(text in members()) {
            for text in [&text, &format!("{{\"name\":\"a\",\"_meta\" : {text} }}")] {
                let (mut walked, mut meta) = (Peek::default(), PeekMeta::default());
                if walked.walk(&mut meta, text).is_some() {
                    let parsed: Peek<'_> = serde_json::from_str(text).expect("right");
                    prop_assert_eq!(&walked, &parsed);
                    prop_assert_eq!(meta, parsed.meta().expect("right"));
                }
            }
        }
    }

    #[test]
    fn a_member_that_occurs_twice_is_an_error() {
        for text in [
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a","n\u0061me":"b"}"#,
            r#"{"_meta":null,"_meta":{}}"#,
            r#"{"arguments":{},"arguments":{}}"#,
        ] {
            assert!(Peek::of(&RawJson::parse(text).unwrap()).is_err(), "{text}");
        }
        let twice = RawJson::parse(r#"{"_meta":{"progressToken":1,"progressToken":1}}"#).unwrap();
        assert!(Peek::of(&twice).unwrap().meta().is_err());
    }

    #[test]
    fn wrong_types_are_errors_and_unknown_members_are_not() {
        assert!(Peek::of(&RawJson::parse(r#"{"name":5}"#).unwrap()).is_err());
        assert!(Peek::of(&RawJson::parse("[]").unwrap()).is_err());
        let peek = RawJson::parse(r#"{"x":{"name":1},"name":"a\n","_meta":{"y":[]}}"#).unwrap();
        let peek = Peek::of(&peek).unwrap();
        assert_eq!(peek.name.as_deref(), Some("a\n"));
        assert!(peek.meta().unwrap().protocol_version.is_none());
    }

    #[test]
    fn the_parser_reads_every_member_that_is_found_on_a_walk() {
        let text = r#"{"name":"n","uri":"u","taskId":"t","arguments":{"a":1},"progressToken":1,"progress":0.5,"requestId":2,"_meta":{"progressToken":"p","io.modelcontextprotocol/protocolVersion":"v","io.modelcontextprotocol/clientInfo":{"name":"c"},"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"debug","io.modelcontextprotocol/subscriptionId":3}}"#;
        let (mut walked, mut meta) = (Peek::default(), PeekMeta::default());
        assert_eq!(walked.walk(&mut meta, text), Some(()));
        let parsed: Peek<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(walked, parsed);
        assert_eq!(meta, serde_json::from_str(walked.raw_meta().unwrap()).unwrap());
        assert!(parsed.progress == Some("0.5") && meta.subscription_id == Some("3"));
        assert!(meta.client_info == Some(r#"{"name":"c"}"#) && meta.client_capabilities == Some("{}"));
    }
}

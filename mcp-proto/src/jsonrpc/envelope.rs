//! The envelope of one message: one pass, borrowed, exact keys, no key twice.

use alloc::borrow::Cow;
use core::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::message::{Message, Notification, Request, Response};
use super::peek::Text;
use super::{Id, InvalidMessage, RawJson};
use crate::limits::Limits;
use crate::method::MethodName;

/// Reads one message of a batch, known to be JSON.
pub(super) fn message(item: RawJson, limits: &Limits) -> Result<Message, InvalidMessage> {
    let bytes = item.into_bytes();
    let envelope: Envelope<'_> = serde_json::from_slice(&bytes).map_err(|_| invalid(None, "not an object"))?;
    envelope.into_message(&bytes, limits)
}

pub(super) fn invalid(id: Option<Id>, reason: &'static str) -> InvalidMessage {
    InvalidMessage {
        id,
        is_reply: false,
        has_method: false,
        reason,
    }
}

pub(super) fn slice(bytes: &Bytes, raw: &RawValue) -> RawJson {
    RawJson::from_valid(bytes.slice_ref(raw.get().as_bytes()))
}

/// The members of a message that JSON-RPC knows.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    version: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    fault: Option<&'static str>,
}

impl Envelope<'_> {
    pub(super) fn into_message(mut self, bytes: &Bytes, limits: &Limits) -> Result<Message, InvalidMessage> {
        self.drop_nulls();
        let is_reply = self.method.is_none() && (self.result.is_some() || self.error.is_some());
        let has_method = self.method.is_some();
        let id = self.read_id(limits);
        // Also for what is refused below: whoever waits for this id learns that nothing else will come.
        let known_id = id.as_ref().ok().cloned().flatten();
        let fail = |reason| InvalidMessage {
            id: known_id.clone(),
            is_reply,
            has_method,
            reason,
        };
        if let Some(fault) = self.fault {
            return Err(fail(fault));
        }
        // After the fault: of a key that occurs twice it is not known which one counts.
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
            // Some peers write null where there is none.
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
            // MCP forbids what JSON-RPC only advises against (2025-11-25, Overview, Requests: MUST NOT be null).
            None if self.id.is_some() => return Err(fail("the id of a request is null")),
            None => Message::Notification(Notification { method, params, text }),
        })
    }

    /// What is null beside another is not there: some peers write every member that there may be. A result that is null
    /// and alone stays, as does such an error.
    fn drop_nulls(&mut self) {
        let is_null = |raw: &&RawValue| raw.get() == "null";
        self.method = self.method.filter(|raw| !is_null(raw));
        if self.error.is_some() && (self.method.is_some() || self.result.is_some()) {
            self.error = self.error.filter(|raw| !is_null(raw));
        }
        if self.result.is_some() && (self.method.is_some() || self.error.is_some()) {
            self.result = self.result.filter(|raw| !is_null(raw));
        }
    }

    fn into_response(self, bytes: &Bytes, id: Option<Id>, text: RawJson) -> Result<Message, &'static str> {
        let outcome = match (self.result, self.error) {
            (Some(result), None) if id.is_some() => Ok(slice(bytes, result)),
            (Some(_), None) => return Err("a result without an id"),
            // An id is not needed: a peer answers so what it could not read (JSON-RPC 2.0, 5).
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
                // Kept until the end: the id may come later, and the error has to carry it.
                envelope.fault = Some("a key occurs twice");
            }
        }
        Ok(envelope)
    }
}

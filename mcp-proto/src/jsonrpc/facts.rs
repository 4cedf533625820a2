//! One look into the parameters of a request, shared by everyone who needs it.

use alloc::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use super::peek::Text;
use super::{DecodeError, Peek, PeekMeta, RawJson};

/// What the parameters of a request say before they are decoded.
pub(crate) struct Facts<'a> {
    params: Option<&'a RawJson>,
    /// The members that are looked at, and `_meta`; the error where one of them is not as it should be.
    pub(crate) seen: Result<(Peek<'a>, PeekMeta<'a>), DecodeError>,
}

impl<'a> Facts<'a> {
    #[inline]
    pub(crate) fn of(params: Option<&'a RawJson>) -> Self {
        let seen = match params {
            None => Ok((Peek::default(), PeekMeta::default())),
            Some(params) => Peek::with_meta(params),
        };
        Self { params, seen }
    }

    /// `_meta` as it came.
    pub(crate) fn raw_meta(&self) -> Option<RawJson> {
        let (peek, _) = self.seen.as_ref().ok()?;
        Some(self.params?.slice(peek.raw_meta()?))
    }

    /// The protocol version that `_meta` names, where something else is not as it should be.
    pub(crate) fn stray_version(&self) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct Stray<'a> {
            #[serde(rename = "_meta", borrow)]
            meta: StrayMeta<'a>,
        }
        #[derive(Deserialize)]
        struct StrayMeta<'a> {
            #[serde(rename = "io.modelcontextprotocol/protocolVersion", borrow)]
            version: Text<'a>,
        }
        // A request of the modern era is to be known as one whatever else is wrong with it.
        let stray: Stray<'a> = self.params?.decode_borrowed().ok()?;
        Some(stray.meta.version.0)
    }

    /// `name` and `arguments`, so that a call of a tool need not look for them again.
    pub(crate) fn called(&self) -> Called {
        let Ok((peek, _)) = &self.seen else {
            return Called::default();
        };
        let name = match (&peek.name, self.params) {
            // Only a name without escapes stands as such in the parameters, to be shared with them.
            (Some(Cow::Borrowed(name)), Some(params)) => Some(params.slice(name).into_bytes()),
            (Some(name), _) => Some(Bytes::copy_from_slice(name.as_bytes())),
            (None, _) => None,
        };
        let arguments = self.params.zip(peek.arguments);
        Called {
            name,
            arguments: arguments.map(|(params, raw)| params.slice(raw)),
        }
    }
}

/// `name` and `arguments` of the parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Called {
    /// UTF-8.
    pub(crate) name: Option<Bytes>,
    pub(crate) arguments: Option<RawJson>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn the_version_is_found_whatever_else_is_wrong() {
        let version = |text: &str| {
            let raw = RawJson::parse(String::from(text)).unwrap();
            let facts = Facts::of(Some(&raw));
            assert!(facts.seen.is_err());
            facts.stray_version().map(Cow::into_owned)
        };
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        let wrong = alloc::format!(r#"{{"name":5,{meta}}}"#);
        assert_eq!(version(&wrong).as_deref(), Some("2026-07-28"));
        assert_eq!(version(r#"{"name":5}"#), None);
        assert_eq!(
            version(r#"{"name":5,"_meta":{"io.modelcontextprotocol/protocolVersion":1}}"#),
            None
        );
        assert!(Facts::of(None).stray_version().is_none());
    }
}

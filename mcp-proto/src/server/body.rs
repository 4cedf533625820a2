//! Results on their way out, and what each era adds to them or takes away.

use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ServerConfig;
use crate::jsonrpc::{DecodeError, Id, Members, RawJson, Text, offset, write_id, write_json, write_object};
use crate::revision::Revision;
use crate::wire::splice::{self, put_around};

/// The key under which a server names itself in `_meta` (2026-07-28, Overview, Per-response protocol fields).
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The result of a request: a JSON object, kept as text.
///
/// It is written for the revision of the request: 2026-07-28 wants `resultType`, `serverInfo` in `_meta` and
/// caching hints, and gets those that the result does not have itself; earlier revisions know neither
/// `resultType` nor caching hints, and do not see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultBody {
    json: RawJson,
    /// Whether none of the members that depend on the era is in there.
    plain: bool,
}

impl ResultBody {
    /// The empty object.
    pub const EMPTY: Self = Self {
        json: RawJson::empty_object(),
        plain: true,
    };

    /// Takes an object as it is.
    ///
    /// # Errors
    /// [`DecodeError`] where `json` is not an object.
    pub fn from_raw(json: RawJson) -> Result<Self, DecodeError> {
        match json.as_bytes().first() {
            Some(b'{') => Ok(Self { json, plain: false }),
            _ => Err(DecodeError::new(&"a result must be an object")),
        }
    }

    /// Serializes `value`, which has to be an object.
    ///
    /// # Errors
    /// [`DecodeError`] where it has no JSON form or another one.
    pub fn from_serialize<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, DecodeError> {
        Self::from_raw(RawJson::from_serialize(value)?)
    }

    /// An object that is known to have no `resultType`, `_meta`, `ttlMs` or `cacheScope`.
    pub(crate) fn plain(json: RawJson) -> Self {
        Self { json, plain: true }
    }

    /// The object.
    pub fn as_raw(&self) -> &RawJson {
        &self.json
    }

    /// The same, to be cached by nobody, whatever it says itself.
    pub(crate) fn uncached(self) -> Self {
        let seen: Seen<'_> = self.json.decode_borrowed().unwrap_or_default();
        if seen.result_type.is_some_and(|raw| raw != r#""complete""#) {
            return self;
        }
        let members = Members::of(self.json.as_str()).unwrap_or_default();
        let kept = (members.iter()).filter(|member| !matches!(&*member.key, "ttlMs" | "cacheScope"));
        let mut out = Vec::with_capacity(64 + self.json.as_bytes().len());
        write_object(
            &mut out,
            br#""ttlMs":0,"cacheScope":"private""#,
            kept.map(|member| member.text),
        );
        Self {
            json: RawJson::from_valid(out.into()),
            plain: false,
        }
    }

    /// The response with this result. A large one stays in its memory, where nobody else has it.
    pub(crate) fn into_response(self, config: &ServerConfig, revision: Revision, cacheable: bool, id: &Id) -> Vec<u8> {
        let seen = match self.plain {
            true => Seen::default(),
            false => self.json.decode_borrowed().unwrap_or_default(),
        };
        // A small one is copied behind its envelope; a large one is moved within its own memory, without a second
        // buffer.
        let length = self.json.as_bytes().len();
        let mut out = Vec::with_capacity(256 + if length < splice::LARGE { length } else { 0 });
        out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        write_id(&mut out, id);
        out.extend_from_slice(br#","result":"#);
        let written = match revision.is_stateless() {
            true => self.write_modern(&mut out, config, cacheable, &seen),
            false => self.write_legacy(&mut out, &seen),
        };
        let json = self.json.into_bytes();
        // What others hold as well cannot be written into.
        if length < splice::LARGE || !json.is_unique() {
            out.reserve_exact(length.saturating_sub(written).saturating_add(1));
            out.extend_from_slice(json.get(written..).unwrap_or_default());
            out.push(b'}');
            return out;
        }
        let mut whole = Vec::from(json);
        put_around(&mut whole, written, &out, b"}");
        whole
    }

    /// 2026-07-28: a result MUST have a `resultType` (Overview, Responses), SHOULD name the server in `_meta`
    /// (Per-response protocol fields), and where it is complete and cacheable MUST have caching hints (Caching).
    ///
    /// Gives how much of the result is written: the rest follows as it is.
    fn write_modern(&self, out: &mut Vec<u8>, config: &ServerConfig, cacheable: bool, seen: &Seen<'_>) -> usize {
        out.push(b'{');
        if seen.result_type.is_none() {
            out.extend_from_slice(br#""resultType":"complete","#);
        }
        // An `input_required` result is no answer yet: there is nothing to be cached.
        if cacheable && seen.result_type.is_none_or(|raw| raw == r#""complete""#) {
            write_hints(out, config, seen);
        }
        let Some(meta) = seen.meta else {
            return self.splice(out, config);
        };
        self.put_into_meta(out, config, meta)
    }

    /// Names the server in the `_meta` that the result has itself, unless that names one; everything else stays as it
    /// is.
    fn put_into_meta(&self, out: &mut Vec<u8>, config: &ServerConfig, meta: &str) -> usize {
        let Some(start) = offset(self.json.as_str(), meta) else {
            return 1;
        };
        let members = Members::of(meta).unwrap_or_default();
        // What the application says of itself stands.
        if meta.starts_with('{') && members.iter().any(|member| member.key == SERVER_INFO) {
            return 1;
        }
        out.extend_from_slice(self.json.as_bytes().get(1..start).unwrap_or_default());
        let mut info = Vec::new();
        write_server_info(&mut info, config);
        write_object(out, &info, members.iter().map(|member| member.text));
        start + meta.len()
    }

    /// Writes a `_meta` that names the server, after which the members follow as they are, to the end of the object.
    fn splice(&self, out: &mut Vec<u8>, config: &ServerConfig) -> usize {
        out.extend_from_slice(br#""_meta":{"#);
        write_server_info(out, config);
        out.push(b'}');
        // An empty object has nothing to be parted from by a comma.
        let rest = self.json.as_bytes().get(1..).unwrap_or_default();
        if rest.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'}') {
            out.push(b',');
        }
        1
    }

    /// Up to 2025-11-25: as it is, without what those revisions do not know. Gives how much of it is written.
    fn write_legacy(&self, out: &mut Vec<u8>, seen: &Seen<'_>) -> usize {
        if seen.result_type.is_none() && !seen.ttl && !seen.scope {
            return 0;
        }
        let members = Members::of(self.json.as_str()).unwrap_or_default();
        // An application may serve both eras with one result: older clients do not get what they have no word for.
        let kept = members
            .iter()
            .filter(|member| !matches!(&*member.key, "resultType" | "ttlMs" | "cacheScope"));
        write_object(out, b"", kept.map(|member| member.text));
        self.json.as_bytes().len()
    }
}

impl Default for ResultBody {
    fn default() -> Self {
        Self::EMPTY
    }
}

fn write_hints(out: &mut Vec<u8>, config: &ServerConfig, seen: &Seen<'_>) {
    if !seen.ttl {
        out.extend_from_slice(br#""ttlMs":"#);
        write_json(out, &config.cache().ttl_ms);
        out.push(b',');
    }
    if !seen.scope {
        out.extend_from_slice(br#""cacheScope":"#);
        write_json(out, &config.cache().scope);
        out.push(b',');
    }
}

fn write_server_info(out: &mut Vec<u8>, config: &ServerConfig) {
    out.extend_from_slice(br#""io.modelcontextprotocol/serverInfo":"#);
    out.extend_from_slice(config.info_json().as_bytes());
}

/// Which of the members that depend on the era a result has.
#[derive(Default)]
struct Seen<'a> {
    result_type: Option<&'a str>,
    meta: Option<&'a str>,
    ttl: bool,
    scope: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Seen<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeenVisitor;
        impl<'de> Visitor<'de> for SeenVisitor {
            type Value = Seen<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a result")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut seen = Seen::default();
                while let Some(Text(key)) = map.next_key()? {
                    let value: &'de RawValue = map.next_value()?;
                    match &*key {
                        "resultType" => seen.result_type = Some(value.get()),
                        "_meta" => seen.meta = Some(value.get()),
                        "ttlMs" => seen.ttl = true,
                        "cacheScope" => seen.scope = true,
                        _ => {}
                    }
                }
                Ok(seen)
            }
        }
        deserializer.deserialize_map(SeenVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Implementation;
    use alloc::string::String;

    fn written(revision: Revision, cacheable: bool, result: &str) -> String {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let body = ResultBody::from_raw(RawJson::parse(String::from(result)).unwrap()).unwrap();
        let response =
            String::from_utf8(body.clone().into_response(&config, revision, cacheable, &Id::from(1))).unwrap();
        let plain = ResultBody::plain(body.json).into_response(&config, revision, cacheable, &Id::from(1));
        if !["resultType", "_meta", "ttlMs", "cacheScope"]
            .iter()
            .any(|key| result.contains(key))
        {
            assert_eq!(String::from_utf8(plain).unwrap(), response);
        }
        let _: serde_json::Value = serde_json::from_str(&response).unwrap();
        let result = response.strip_prefix(r#"{"jsonrpc":"2.0","id":1,"result":"#).unwrap();
        String::from(result.strip_suffix('}').unwrap())
    }

    fn modern(cacheable: bool, result: &str) -> String {
        written(Revision::V2026_07_28, cacheable, result)
    }

    #[test]
    fn a_modern_result_gets_what_it_lacks() {
        const INFO: &str = r#""io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}"#;
        for empty in ["{}", "{ }"] {
            let expected = alloc::format!(r#"{{"resultType":"complete","_meta":{{{INFO}}}}}"#);
            assert_eq!(modern(false, empty).replace(' ', ""), expected);
        }
        assert_eq!(
            modern(true, r#"{"tools":[]}"#),
            alloc::format!(
                r#"{{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{{{INFO}}},"tools":[]}}"#
            )
        );
        assert_eq!(
            modern(true, r#"{"ttlMs":5,"_meta":{"a":1},"cacheScope":"public","x":1.0}"#),
            alloc::format!(
                r#"{{"resultType":"complete","ttlMs":5,"_meta":{{{INFO},"a":1}},"cacheScope":"public","x":1.0}}"#
            )
        );
    }

    #[test]
    fn what_a_modern_result_says_itself_stands() {
        let input_required =
            r#"{"resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"me"}}}"#;
        assert_eq!(modern(true, input_required), input_required, "and no caching hints");
    }

    #[test]
    fn what_is_made_with_input_is_cached_by_nobody() {
        let uncached = |text: &str| {
            let body = ResultBody::from_raw(RawJson::parse(String::from(text)).unwrap()).unwrap();
            String::from(body.uncached().as_raw().as_str())
        };
        assert_eq!(
            uncached(r#"{"contents":[],"ttlMs":5,"cacheScope":"public"}"#),
            r#"{"ttlMs":0,"cacheScope":"private","contents":[]}"#
        );
        assert_eq!(uncached("{}"), r#"{"ttlMs":0,"cacheScope":"private"}"#);
        let asks = r#"{"resultType":"input_required","requestState":"x"}"#;
        assert_eq!(uncached(asks), asks, "there is nothing to be cached");
    }

    #[test]
    fn a_legacy_result_has_no_modern_members() {
        for revision in Revision::ALL.into_iter().filter(|revision| revision.has_initialize()) {
            assert_eq!(written(revision, true, r#"{"x": [1.0]}"#), r#"{"x": [1.0]}"#);
            let result = r#"{"ttlMs":5,"a":1,"resultType":"complete","_meta":{"b":2},"cacheScope":"public"}"#;
            assert_eq!(written(revision, true, result), r#"{"a":1,"_meta":{"b":2}}"#);
            assert_eq!(written(revision, true, r#"{"resultType":"complete"}"#), "{}");
        }
    }

    #[test]
    fn a_large_result_stays_where_it_is_unless_somebody_else_has_it() {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let large = alloc::format!(r#"{{"x":"{}"}}"#, "y".repeat(splice::LARGE));
        for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
            let mut text = Vec::with_capacity(large.len() + 1000);
            text.extend_from_slice(large.as_bytes());
            let place = text.as_ptr();
            let body = ResultBody::plain(RawJson::from_valid(text.into()));
            let shared = body.clone();
            let copy = body.into_response(&config, revision, false, &Id::from(1));
            assert_ne!(copy.as_ptr(), place);
            assert_eq!(shared.as_raw().as_str(), large);
            let response = shared.into_response(&config, revision, false, &Id::from(1));
            assert_eq!((response.as_ptr(), &response), (place, &copy));
            let _: serde_json::Value = serde_json::from_slice(&response).unwrap();
        }
    }

    #[test]
    fn only_objects_are_results() {
        for text in ["null", "[]", "1"] {
            assert!(ResultBody::from_raw(RawJson::parse(text).unwrap()).is_err());
        }
    }
}

//! Parameters on their way out: an object, and the `_meta` that the connection adds to it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::members::{Member, Members, offset, write_object};
use super::peek::Text;
use super::{DecodeError, RawJson};
use crate::model::{Json, Map};
use crate::wire::scan;

/// The parameters of an outgoing request or notification.
///
/// An object, kept as JSON text. What the connection has to add to `_meta` (version, capabilities,
/// progress token) is spliced in when the message is written, so nothing is decoded and encoded again.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    /// `None` where there are no members.
    object: Option<RawJson>,
    has_meta: bool,
    /// Whether the first member is `name`, and the only one of that key.
    is_named: bool,
}

impl Params {
    /// No parameters.
    pub const NONE: Self = Self {
        object: None,
        has_meta: false,
        is_named: false,
    };

    /// Serializes `value`, which has to be an object (or nothing: `()`, `None`).
    ///
    /// # Errors
    /// [`DecodeError`] where it is something else.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, DecodeError> {
        Self::from_raw(RawJson::from_serialize(value)?)
    }

    /// Takes an object, or `null` for no parameters, as it is.
    ///
    /// # Errors
    /// [`DecodeError`] where it is something else, where `_meta` is, and where that occurs twice.
    pub fn from_raw(json: RawJson) -> Result<Self, DecodeError> {
        let text = json.as_bytes();
        // Neither says anything: both are left out.
        if text == b"null" || text == b"{}" {
            return Ok(Self::NONE);
        }
        if text.first() != Some(&b'{') {
            return Err(DecodeError::new(&"params must be an object"));
        }
        // A quick look for the word, then a proper one for the member; `\u` could hide it.
        let may_have_meta = scan::contains(b"_meta\"", text) || scan::contains(b"\\u", text);
        let has_meta = may_have_meta && json.decode_borrowed::<Meta<'_>>()?.0.is_some();
        let empty = text.iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
        Ok(Self {
            object: (!empty).then_some(json),
            has_meta,
            is_named: false,
        })
    }

    /// An object that was written here: `name`, a string, comes first and occurs once, and none of the others is `_meta`.
    #[cfg(feature = "handle")]
    pub(crate) fn of_named(object: RawJson) -> Self {
        Self {
            object: Some(object),
            has_meta: false,
            is_named: true,
        }
    }

    /// The same parameters for another round: with these answers, and with what the server wants back, in place of those
    /// that were in there.
    pub(crate) fn answering(&self, answers: Option<&Map<Json>>, state: Option<&RawJson>) -> Self {
        let text = self.object.as_ref().map_or("{}", RawJson::as_str);
        let members = Members::of(text).unwrap_or_default();
        let kept = members
            .iter()
            .filter(|it| !matches!(&*it.key, "inputResponses" | "requestState"));
        let mut texts: Vec<String> = kept.map(|it| it.text.into()).collect();
        if let Some(answers) = answers.and_then(|answers| RawJson::from_serialize(answers).ok()) {
            texts.push(format!(r#""inputResponses":{}"#, answers.as_str()));
        }
        if let Some(state) = state {
            texts.push(format!(r#""requestState":{}"#, state.as_str()));
        }
        let mut object = Vec::with_capacity(text.len());
        write_object(&mut object, b"", texts.iter().map(String::as_str));
        Self {
            object: (!texts.is_empty()).then(|| RawJson::from_valid(object.into())),
            has_meta: self.has_meta,
            is_named: self.is_named,
        }
    }

    /// `name`, where that is known to come first, and has no escapes.
    pub(crate) fn leading_name(&self) -> Option<&str> {
        let bytes = self.object.as_ref().filter(|_| self.is_named)?.as_bytes();
        let inside = bytes.strip_prefix(br#"{"name":""#)?;
        let (name, rest) = inside.split_at_checked(scan::find_quote_or_escape(inside)?)?;
        core::str::from_utf8(name).ok().filter(|_| rest.starts_with(b"\""))
    }

    /// The object, where there are any parameters.
    pub fn as_raw(&self) -> Option<&RawJson> {
        self.object.as_ref()
    }

    /// How many bytes the object has.
    pub(crate) fn size(&self) -> usize {
        self.object.as_ref().map_or(0, |object| object.as_bytes().len())
    }

    /// Writes the object with `members` added to its `_meta`.
    ///
    /// `members` is the inside of a JSON object (`"key":value,…`), possibly empty. A member that the
    /// parameters carry themselves under the same key is replaced. What `_meta` says of its writer (`protocolVersion`,
    /// `clientInfo`, `clientCapabilities`, `subscriptionId` and `progressToken`) is left out where `members` does not
    /// say it: parameters that come from somebody else are not sent in his name. Everything else stays as it is, blanks
    /// and order included.
    pub(crate) fn write(&self, out: &mut Vec<u8>, members: &[u8]) {
        let Some(object) = &self.object else {
            if !members.is_empty() {
                out.extend_from_slice(b"{\"_meta\":{");
                out.extend_from_slice(members);
                out.extend_from_slice(b"}}");
            }
            return;
        };
        if self.has_meta {
            merge(out, object, members);
        } else if members.is_empty() {
            out.extend_from_slice(object.as_bytes());
        } else {
            // In front: what follows is copied in one piece, without a look for its end.
            out.extend_from_slice(b"{\"_meta\":{");
            out.extend_from_slice(members);
            out.extend_from_slice(b"},");
            out.extend_from_slice(object.as_bytes().get(1..).unwrap_or_default());
        }
    }
}

/// What `_meta` says of this side alone: who writes it, in which revision, for which subscription, and under which token
/// it wants to hear of progress. In parameters that an application forwards, somebody else has said it of himself.
const OWN: [&str; 5] = [
    "progressToken",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/subscriptionId",
];

/// Writes `object` with `members` put before the members of its `_meta`, without those that are this side's own or have
/// the same keys, and with every other byte as it came.
fn merge(out: &mut Vec<u8>, object: &RawJson, members: &[u8]) {
    // It was found when the parameters were taken in; were it not, they would go as they are.
    let Ok(Meta(Some(meta))) = object.decode_borrowed() else {
        return out.extend_from_slice(object.as_bytes());
    };
    let start = offset(object.as_str(), meta).unwrap_or_default();
    let object = object.as_str();
    let before = object.get(..start).unwrap_or_default();
    let after = object.get(start + meta.len()..).unwrap_or_default();
    let own = Members::of(meta).unwrap_or_default();
    let mut added = Vec::new();
    write_object(&mut added, members, core::iter::empty());
    let added = core::str::from_utf8(&added)
        .ok()
        .and_then(Members::of)
        .unwrap_or_default();
    let is_kept =
        |member: &&Member<'_>| !OWN.contains(&&*member.key) && !added.iter().any(|other| other.key == member.key);
    let has_lost = !own.iter().all(|member| is_kept(&member));
    if members.is_empty() && has_lost && own.iter().find(is_kept).is_none() {
        // Some peers refuse an empty `_meta`: one that has nothing left goes as a whole.
        let whole = Members::of(object).unwrap_or_default();
        let others = whole.iter().filter(|member| member.key != "_meta");
        return write_object(out, b"", others.map(|member| member.text));
    }
    out.extend_from_slice(before.as_bytes());
    match members.is_empty() && !has_lost {
        true => out.extend_from_slice(meta.as_bytes()),
        false => write_object(out, members, own.iter().filter(is_kept).map(|member| member.text)),
    }
    out.extend_from_slice(after.as_bytes());
}

/// The `_meta` of an object. A null one counts, so that it does not stand beside the one that is written.
struct Meta<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Meta<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Meta<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = None;
                while let Some(Text(key)) = map.next_key()? {
                    if &*key != "_meta" {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let meta: &'de RawValue = map.next_value()?;
                    if !meta.get().starts_with('{') && meta.get() != "null" {
                        return Err(A::Error::custom("_meta must be an object"));
                    }
                    if found.replace(meta.get()).is_some() {
                        return Err(A::Error::duplicate_field("_meta"));
                    }
                }
                Ok(Meta(found))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Says how long they are, and not what: there may be secrets in them.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.object.as_ref().map_or(0, |object| object.as_bytes().len());
        write!(f, "Params({length} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    fn written(params: &str, members: &str) -> String {
        let mut out = Vec::new();
        Params::from_raw(RawJson::parse(params.as_bytes().to_vec()).unwrap())
            .unwrap()
            .write(&mut out, members.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn meta_is_spliced_in() {
        assert_eq!(written("{}", ""), "");
        assert_eq!(written("null", r#""a":1"#), r#"{"_meta":{"a":1}}"#);
        assert_eq!(written("{ }", r#""a":1"#), r#"{"_meta":{"a":1}}"#);
        assert_eq!(written(r#"{"x":1.0}"#, ""), r#"{"x":1.0}"#);
        assert_eq!(written(r#"{"x":1.0}"#, r#""a":1"#), r#"{"_meta":{"a":1},"x":1.0}"#);
    }

    #[test]
    fn the_callers_own_meta_is_kept() {
        assert_eq!(
            written(r#"{"x":1,"_meta":{"mine":[1, 2],"a":0}}"#, r#""a":1"#),
            r#"{"x":1,"_meta":{"a":1,"mine":[1, 2]}}"#
        );
        assert_eq!(
            written(r#"{"_m\u0065ta":{"mine":1}}"#, r#""a":1"#),
            r#"{"_m\u0065ta":{"a":1,"mine":1}}"#
        );
        assert_eq!(
            written(r#"{"text":"\"_meta\""}"#, r#""a":1"#),
            r#"{"_meta":{"a":1},"text":"\"_meta\""}"#
        );
    }

    #[test]
    fn what_somebody_else_says_of_himself_is_not_sent() {
        for key in OWN {
            let escaped = format!("{}\\u{:04x}", &key[..key.len() - 1], key.as_bytes()[key.len() - 1]);
            for key in [key, &escaped] {
                assert_eq!(
                    written(
                        &format!("{{ \"x\":1.0 ,\t\"_meta\" : {{\"{key}\" : {{}} , \"a\": 1}}}}"),
                        ""
                    ),
                    "{ \"x\":1.0 ,\t\"_meta\" : { \"a\": 1}}"
                );
                assert_eq!(
                    written(
                        &format!("{{\"_meta\":{{\"a\":1,\"{key}\":[\"x\"],\"b\":2}}}}"),
                        r#""progressToken":7"#
                    ),
                    r#"{"_meta":{"progressToken":7,"a":1,"b":2}}"#
                );
                // Elsewhere it is a word like any other.
                let other = format!("{{\"{key}\":1,\"_meta\":{{\"a\":{{\"{key}\":1}}}}}}");
                assert_eq!(written(&other, ""), other);
            }
        }
    }

    #[test]
    fn a_meta_that_has_nothing_left_goes_as_a_whole() {
        assert_eq!(
            written(r#"{"x":1, "_meta":{"progressToken":7} ,"y":2}"#, ""),
            r#"{"x":1,"y":2}"#
        );
        assert_eq!(written(r#"{"_meta":{"progressToken":7}}"#, ""), "{}");
        for empty in [r#"{"_meta":{},"x":1}"#, r#"{"_meta":null}"#] {
            assert_eq!(written(empty, ""), empty, "it was empty when it came");
        }
    }

    /// One member: its key as it is written, and its text with that key and blanks.
    fn member(key: impl Strategy<Value = String>) -> impl Strategy<Value = (String, String)> {
        let blank = || prop::sample::select(vec!["", " ", "\n\t", "\r  "]);
        let value = prop::sample::select(vec![
            "1.0",
            "-0e+1",
            "{ \"_meta\":{\"progressToken\" :[{}]} }",
            "[ ]",
            r#""},{\"_meta\":""#,
            r#""\u0065\\""#,
            "null",
        ]);
        (key, blank(), blank(), value, blank(), blank()).prop_map(|(key, a, b, value, c, d)| {
            let text = format!("{a}\"{key}\"{b}:{c}{value}{d}");
            (key, text)
        })
    }

    fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
        texts.into_iter().collect::<Vec<_>>().join(",")
    }

    proptest! {
        #![proptest_config(crate::wire::cuts::repeatable())]

        /// The model knows the parts before they are put together, and so has nothing to read.
        #[test]
        fn whatever_is_forwarded_only_what_is_of_this_side_changes(
            before in prop::collection::vec(member("[a-z{},]{1,3}".prop_map(|key| key)), 0..4),
            after in prop::collection::vec(member("[a-z{},]{1,3}".prop_map(|key| key)), 0..4),
            inside in prop::option::of(prop::collection::vec(
                member(prop_oneof![
                    "[a-z{},]{1,3}",
                    prop::sample::select(OWN.to_vec()).prop_map(String::from),
                    Just(String::from(r"progr\u0065ssToken")),
                    Just(String::from("io.modelcontextprotocol/logLevel")),
                ]),
                0..5,
            )),
            members in prop::sample::select(vec![
                "",
                r#""progressToken":7"#,
                r#""io.modelcontextprotocol/logLevel":"debug""#,
                r#""io.modelcontextprotocol/clientInfo":{"progressToken":1},"progressToken":"t""#,
            ]),
        ) {
            let object = |meta: Option<String>| {
                let texts = before.iter().map(|(_, text)| text.clone());
                let meta = meta.map(|inside| format!("\t\"_meta\" :{inside}\n"));
                let texts: Vec<_> = texts.chain(meta).chain(after.iter().map(|(_, text)| text.clone())).collect();
                format!("{{{}}}", texts.join(","))
            };
            let sent = object(inside.as_ref().map(|inside| format!("{{{}}}", joined(inside.iter().map(|(_, text)| &**text)))));
            let is_own = |key: &str| OWN.contains(&key) || key.contains('\\') || members.contains(&format!("\"{key}\":"));
            let kept: Vec<&str> = inside.iter().flatten().filter(|(key, _)| !is_own(key)).map(|(_, text)| &**text).collect();
            let has_lost = inside.iter().flatten().count() > kept.len();
            let whole = match &inside {
                None if members.is_empty() => sent.clone(),
                None if before.is_empty() && after.is_empty() => format!("{{\"_meta\":{{{members}}}}}"),
                None => format!("{{\"_meta\":{{{members}}},{}", &sent[1..]),
                Some(_) if members.is_empty() && has_lost && kept.is_empty() => object(None),
                Some(_) => object(Some(format!("{{{}}}", joined(Some(members).filter(|text| !text.is_empty()).into_iter().chain(kept))))),
            };
            let whole = if whole == "{}" && inside.is_none() { String::new() } else { whole };
            prop_assert_eq!(written(&sent, members), whole);
        }

        #[test]
        fn whatever_comes_nothing_panics_and_what_is_written_is_an_object(
            text in r#"(\{|"_meta"|:|,|\}|"progressToken"|"a"|\[|\]|null|1| ){0,24}"#,
        ) {
            let params = RawJson::parse(text.into_bytes()).and_then(Params::from_raw);
            if let Ok(params) = params {
                for members in ["", r#""progressToken":1"#] {
                    let mut out = Vec::new();
                    params.write(&mut out, members.as_bytes());
                    prop_assert!(out.is_empty() || serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&out).is_ok());
                }
            }
        }
    }

    #[test]
    fn a_null_meta_does_not_stand_beside_the_one_that_is_written() {
        assert_eq!(
            written(r#"{"_meta":null,"x":1}"#, r#""a":1"#),
            r#"{"_meta":{"a":1},"x":1}"#
        );
        for text in [r#"{"_meta":5}"#, r#"{"_meta":{},"_meta":{}}"#] {
            assert!(Params::from_raw(RawJson::parse(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn other_members_are_not_judged() {
        assert_eq!(
            written(r#"{"name":5,"my_meta":"\u0061"}"#, ""),
            r#"{"name":5,"my_meta":"\u0061"}"#
        );
    }

    #[test]
    fn only_objects_are_params() {
        for text in ["[]", "1", "\"x\"", "true"] {
            assert!(Params::from_raw(RawJson::parse(text).unwrap()).is_err(), "{text}");
        }
        assert_eq!(Params::from_serialize(&()).unwrap(), Params::NONE);
    }

    #[test]
    fn debug_says_how_long_they_are_and_nothing_of_what_they_say() {
        let params = Params::from_serialize(&serde_json::json!({"password": "hunter2"})).unwrap();
        let shown = alloc::format!("{:?}", crate::rpc::SendError::Blocked(params));
        assert_eq!(shown, "Blocked(Params(22 bytes))");
    }
}

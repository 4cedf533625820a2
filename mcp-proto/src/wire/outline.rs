//! What can be told of a message that cannot be read.

use alloc::string::String;
use alloc::vec::Vec;

use super::scan;

/// Most bytes of a key that are kept: those of the longest one that counts, each as an escape.
const KEY: usize = 6 * "method".len();
/// Most bytes of an id that are kept. What is longer is no id.
const ID: usize = 1 << 10;

/// The outline of one JSON object, however broken: whether it has an id, a method, a result or an error.
///
/// It takes the bytes in pieces and keeps none of them but a key or an id, so that a message that is too long to be kept
/// can be followed to its end. It looks at each byte once, never recurses, and goes on behind what is no JSON: bytes that
/// are no UTF-8, words that are no values, control characters, a missing end.
///
/// It is careful where it matters: a text that does not begin as an object has no outline, a key counts where a comma or
/// the opening brace is before it and a colon behind it, and at the top level alone. Else a line of a log that quotes a
/// message would pass for the message.
///
/// A member that is null is none, but for a result or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    place: Place,
    is_object: bool,
    /// How deep inside the value at the top level.
    depth: usize,
    escaped: bool,
    key: Key,
    /// The key or the value that is being read, as far as it can matter.
    text: Vec<u8>,
    id: IdText,
    has_method: bool,
    has_outcome: bool,
}

/// Where in the object the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before the opening brace.
    #[default]
    Start,
    /// Behind the opening brace.
    Opened,
    /// Before a key.
    Member,
    /// In a key.
    Key,
    /// Behind a key.
    Colon,
    /// Before a value.
    Value,
    /// In a string at the top level.
    String,
    /// In a number or a word at the top level.
    Scalar,
    /// In an array or an object.
    Nested,
    /// In a string in there.
    NestedString,
    /// Behind a value.
    After,
    /// In a string that is not where one may be.
    StrayString,
    /// Behind the object, or in what is none.
    End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Key {
    #[default]
    Other,
    Id,
    Method,
    Outcome,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum IdText {
    #[default]
    None,
    One(Vec<u8>),
    /// There are two: which one counts cannot be told.
    Ambiguous,
}

impl Outline {
    /// The outline of a text that is there as a whole.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut outline = Self::default();
        outline.push(text);
        outline
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.place != Place::End {
            rest = self.step(rest);
        }
    }

    /// Takes the next bytes, up to where it [is told](Self::is_told) what the object is: so a message need not have
    /// come to its end, and what is told does not depend on how it was cut.
    pub fn push_until_told(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_told() {
            rest = self.step(rest);
        }
    }

    /// Whether it begins as an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.is_object
    }

    /// Whether it is known whose it is and what, or that it is nothing.
    #[must_use]
    pub fn is_told(&self) -> bool {
        let is_named = matches!(self.id, IdText::One(_)) && (self.has_method || self.has_outcome);
        self.place == Place::End || is_named
    }

    /// The JSON text of the id, where there is one, and one alone.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.id {
            IdText::One(text) => core::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Whether there is a `method`.
    #[must_use]
    pub fn has_method(&self) -> bool {
        self.has_method
    }

    /// Whether there is a `result` or an `error`.
    #[must_use]
    pub fn has_outcome(&self) -> bool {
        self.has_outcome
    }

    /// Whether it is shaped like a reply: a result or an error, and no method.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.has_outcome && !self.has_method
    }

    /// Takes the next byte, or the rest of a string: what follows it.
    fn step<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match (self.place, bytes.split_first()) {
            (Place::String | Place::NestedString | Place::StrayString, _) => self.in_string(bytes),
            (_, Some((&byte, after))) => {
                self.take(byte);
                after
            }
            (_, None) => bytes,
        }
    }

    /// Takes a byte outside the strings that are passed over.
    fn take(&mut self, byte: u8) {
        match self.place {
            // A byte order mark, too, may stand before the object.
            Place::Start => match byte {
                b'{' => self.place = Place::Opened,
                b' ' | b'\t' | b'\n' | b'\r' | 0xEF | 0xBB | 0xBF => {}
                _ => self.place = Place::End,
            },
            Place::Opened => match byte {
                b'"' => self.begin_key(),
                b' ' | b'\t' | b'\n' | b'\r' => {}
                // `{}`, or no object at all.
                _ => self.place = Place::End,
            },
            Place::Member => match byte {
                b'"' => self.begin_key(),
                _ => self.stray(byte, Place::Member),
            },
            Place::Key => self.in_key(byte),
            Place::Colon => match byte {
                b':' => {
                    // Whatever its value is, and however much of it is there.
                    self.has_outcome |= self.key == Key::Outcome;
                    self.place = Place::Value;
                }
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'"' => self.begin_key(),
                // It was no key. Another may still come.
                _ => self.stray(byte, Place::Member),
            },
            Place::Value => self.begin_value(byte),
            Place::Scalar => self.in_scalar(byte),
            Place::Nested => match byte {
                b'"' => self.place = Place::NestedString,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.place = Place::After;
                    }
                }
                _ => {}
            },
            Place::After => self.stray(byte, Place::After),
            Place::String | Place::NestedString | Place::StrayString | Place::End => {}
        }
    }

    /// Between members: what is neither a comma nor the end is passed over.
    fn stray(&mut self, byte: u8, place: Place) {
        self.place = match byte {
            b',' => Place::Member,
            b'}' => Place::End,
            b'"' => Place::StrayString,
            b'{' | b'[' => {
                self.depth = 1;
                Place::Nested
            }
            _ => place,
        };
    }

    fn begin_key(&mut self) {
        self.is_object = true;
        self.text.clear();
        self.escaped = false;
        self.place = Place::Key;
    }

    fn in_key(&mut self, byte: u8) {
        if byte == b'"' && !self.escaped {
            self.key = key(&self.text);
            self.text.clear();
            self.place = Place::Colon;
            return;
        }
        self.escaped = byte == b'\\' && !self.escaped;
        self.keep(byte, KEY);
    }

    fn begin_value(&mut self, byte: u8) {
        self.text.clear();
        self.escaped = false;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => {
                self.keep(byte, ID);
                // Also where its end is missing.
                self.has_method |= self.key == Key::Method;
                self.place = Place::String;
            }
            b'{' | b'[' => {
                self.has_method |= self.key == Key::Method;
                self.depth = 1;
                self.place = Place::Nested;
            }
            b',' | b'}' => self.stray(byte, Place::After),
            _ => {
                self.place = Place::Scalar;
                self.in_scalar(byte);
            }
        }
    }

    fn in_scalar(&mut self, byte: u8) {
        match byte {
            // Where CR belongs to the end of a line, it may be gone already.
            b'\r' => {}
            b',' | b'}' | b' ' | b'\t' | b'\n' => {
                // Only now: what ends with the text may go on behind the cut, and `12` be `123`.
                if self.text != b"null" {
                    self.has_method |= self.key == Key::Method;
                    self.name();
                }
                self.place = Place::After;
                self.take(byte);
            }
            b'"' | b'{' | b'[' => self.stray(byte, Place::After),
            _ => self.keep(byte, ID),
        }
    }

    /// Passes over the rest of a string, as far as it is there: what follows it.
    fn in_string<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if core::mem::take(&mut self.escaped) {
            let (first, rest) = bytes.split_at(bytes.len().min(1));
            self.keep_string(first);
            return rest;
        }
        let Some(at) = scan::find_quote_or_escape(bytes) else {
            self.keep_string(bytes);
            return &[];
        };
        let (passed, rest) = bytes.split_at(at + 1);
        self.keep_string(passed);
        match passed.last() {
            Some(b'\\') => self.escaped = true,
            _ => self.end_string(),
        }
        rest
    }

    fn end_string(&mut self) {
        self.place = match self.place {
            Place::NestedString => Place::Nested,
            _ => {
                if self.place == Place::String {
                    self.name();
                }
                Place::After
            }
        };
    }

    fn keep_string(&mut self, bytes: &[u8]) {
        if self.place == Place::String && self.key == Key::Id {
            // One more, which says that it is too long.
            let room = (ID + 1).saturating_sub(self.text.len());
            let kept = bytes.get(..bytes.len().min(room)).unwrap_or_default();
            self.text.extend_from_slice(kept);
        }
    }

    fn keep(&mut self, byte: u8, most: usize) {
        // One more, which says that it is too long.
        if self.text.len() <= most {
            self.text.push(byte);
        }
    }

    /// The value that ends here may be the id.
    fn name(&mut self) {
        if self.key == Key::Id {
            let text = core::mem::take(&mut self.text);
            self.id = match self.id {
                IdText::None if text.len() <= ID => IdText::One(text),
                _ => IdText::Ambiguous,
            };
        }
    }
}

/// Which key this is, escapes resolved.
fn key(text: &[u8]) -> Key {
    if !text.contains(&b'\\') {
        return known(text);
    }
    let quoted = [b"\"", text, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or(Key::Other, |key| known(key.as_bytes()))
}

fn known(key: &[u8]) -> Key {
    match key {
        b"id" => Key::Id,
        b"method" => Key::Method,
        b"result" | b"error" => Key::Outcome,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::cuts;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    /// Id, method, outcome.
    fn seen(text: impl AsRef<[u8]>) -> (Option<String>, bool, bool) {
        let outline = Outline::of(text.as_ref());
        let id = outline.id().map(ToString::to_string);
        (id, outline.has_method(), outline.has_outcome())
    }

    fn reply(id: &str) -> (Option<String>, bool, bool) {
        (Some(id.into()), false, true)
    }

    #[test]
    fn a_reply_is_seen_however_it_is_broken() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"result":{"a":NaN,"b":[1,]},"id":1}"#,
            r#"{"error":{"code":1},"id":1}"#,
            r#"{"id":1,"result":{"content":[{"te"#,
            r#"{"id":1,"result":"#,
            r#"{"id":1,"result":"cut"#,
            "{\"result\":{\"text\":\"\u{1}\t\"},\"id\" : 1 }",
            r#"{"jsonrpc":"2.0",2026-01-01 INFO "tools/call" took 3 ms "id":1,"result":{}}"#,
            r#"{"result":{"a":[INFO] x},"id":1}"#,
            r#"{"id":1,"result":{}} and then some"#,
            r#"{"\u0069d":1,"r\u0065sult":1"#,
            r#"{"id":1,"method":null,"result":{}}"#,
            "\u{feff} {\"id\":1,\"result\":{}}",
            "{\"id\":1\r,\"result\":{}}\r",
            r#"{"a":["]}"],"id":1,"result":{}}"#,
            r#"{"a\"":1,"id":1,"result":{}}"#,
            r#"{"a" "id":1,"result":{}}"#,
            r#"{"a\\":1,"id":1,"result":{}}"#,
            r#"{"id":,"id":1,"result":{}}"#,
            r#"{"id":1,"method":,"result":{}}"#,
        ] {
            assert_eq!(seen(text), reply("1"), "{text}");
        }
        assert_eq!(seen(b"{\"result\":\"\xff\xfe\",\"id\":\"a\\\"b\"}"), reply(r#""a\"b""#));
    }

    #[test]
    fn what_quotes_a_message_is_none() {
        let none = (None, false, false);
        for text in [
            "",
            "INFO got {\"id\":1,\"result\":{}}",
            r#"[{"id":1,"result":{}}]"#,
            r#"{ got "id":1, "result":{} }"#,
            r#"{'id':1,'result':{}}"#,
            r#"{"msg":"{\"id\":1,\"result\":{}}"}"#,
            r#"{"data":{"id":1,"result":{}}}"#,
            r#"{} {"id":1,"result":{}}"#,
            r#"{"at":12} {"id":1,"result":{}}"#,
            r#"{"sent":yes "id":1}"#,
        ] {
            assert_eq!(seen(text), none, "{text}");
        }
        assert!(!seen(r#"{"id":1,"level":"debug"}"#).2);
        assert_eq!(seen(r#"{"id":1,"id":2,"result":{}}"#).0, None, "which of the two?");
        assert_eq!(seen(r#"{"result":{},"id":12"#).0, None, "a cut number is no id");
        assert_eq!(seen(r#"{"result":{},"id":"ab"#).0, None, "nor is a cut string");
        assert!(seen(r#"{"id":1,"result":{},"method":"m"}"#).1);
        let with_id = |length: usize| format!(r#"{{"id":"{}","result":1}}"#, "x".repeat(length - 2));
        assert_eq!(seen(with_id(ID + 1)).0, None);
        assert_eq!(seen(with_id(ID)).0.map(|id| id.len()), Some(ID));
    }

    #[test]
    fn behind_a_value_only_a_comma_leads_to_a_member() {
        let named = (Some("1".into()), false, false);
        for text in [
            r#"{"id":1},"result":{}}"#,
            r#"{"id":1 ","result":{}}"#,
            r#"{"id":1 {"a":2,"result":3},"x":1}"#,
            r#"{"id":1 [2,"result":3],"x":1}"#,
        ] {
            assert_eq!(seen(text), named, "{text}");
        }
    }

    #[test]
    fn a_key_may_be_written_in_escapes_alone() {
        let method: String = "method".bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        assert_eq!(method.len(), KEY);
        assert!(seen(format!(r#"{{"{method}":"m"}}"#)).1);
    }

    #[test]
    fn it_is_told_early_and_holds_little() {
        let mut outline = Outline::default();
        outline.push_until_told(br#"{"jsonrpc":"2.0","result":""#);
        for _ in 0..1_000 {
            outline.push_until_told(&[b'x'; 1_000]);
            assert!(!outline.is_told() && outline.text.capacity() <= 64);
        }
        outline.push_until_told(br#"","id":7,"method":"late"}"#);
        assert!(outline.is_told() && !outline.has_method());
        assert_eq!(outline.id(), Some("7"));
    }

    /// What a parser says of an object that is none the worse.
    fn model(text: &str) -> (Option<String>, bool, bool) {
        let value: crate::jsonrpc::RawJson = crate::jsonrpc::RawJson::parse(String::from(text)).unwrap();
        let members = crate::jsonrpc::Members::of(value.as_str()).unwrap();
        let named = |name: &str| {
            let found = members.iter().filter(|it| it.key == name);
            found.map(|it| it.value.to_string()).collect::<Vec<_>>()
        };
        let is_id = |id: &String| id != "null" && !id.starts_with(['{', '[']);
        let ids: Vec<_> = named("id").into_iter().filter(is_id).collect();
        let id = Some(ids).filter(|ids| ids.len() == 1).and_then(|mut ids| ids.pop());
        let has_method = named("method").iter().any(|value| value != "null");
        let has_outcome = !named("result").is_empty() || !named("error").is_empty();
        (id, has_method, has_outcome)
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = r#"null|true|-1\.5e3|[1-9][0-9]{0,2}|"([a-z{}\[\],:]|\\\\|\\"|\\n|\\u0069){0,6}""#;
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec(inner, 0..3).prop_map(|items| {
                    let members: Vec<_> = items.iter().map(|it| format!("\"id\": {it}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    fn object() -> impl Strategy<Value = String> {
        let key = r#"id|method|result|error|params|\\u0069d|jsonrpc"#;
        prop::collection::vec((key, value()), 0..6).prop_map(|members| {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("\"{key}\" : {value}"))
                .collect();
            format!(" {{ {} }}", members.join(" , "))
        })
    }

    proptest! {
        #![proptest_config(cuts::repeatable())]

        #[test]
        fn of_what_can_be_read_it_says_what_the_parser_says(text in object()) {
            prop_assert_eq!(seen(&text), model(&text));
        }

        #[test]
        fn what_is_cut_off_is_all_that_is_missing(text in object(), at in 0_usize..200) {
            let (id, has_method, has_outcome) = seen(&text);
            let part = seen(&text.as_bytes()[..at.min(text.len())]);
            let ids = text.matches("d\" :").count();
            prop_assert!(part.0.is_none() || part.0 == id || ids > 1);
            prop_assert!(part.1 <= has_method && part.2 <= has_outcome);
        }

        #[test]
        fn cuts_make_no_difference(text in r#"\{?["{}\[\],: \\a1]{0,10}("id":1|"result"|"method":"m")?["{}\[\],: \\a1]{0,10}("id"|"error":)?[",}1]{0,4}"#) {
            for pieces in cuts::all(text.as_bytes(), 3) {
                let (mut whole, mut early, mut once) = (Outline::default(), Outline::default(), Outline::default());
                once.push_until_told(text.as_bytes());
                for piece in pieces {
                    whole.push(piece);
                    early.push_until_told(piece);
                }
                prop_assert_eq!(&whole, &Outline::of(text.as_bytes()));
                prop_assert_eq!(&early, &once);
            }
        }
    }
}

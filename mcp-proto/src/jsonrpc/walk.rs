//! From member to member of an object that is known to be JSON.

use core::ops::Range;

use crate::wire::scan;

/// A walk through the members of an object in their order.
///
/// Everything that is looked into here has been read before, as a part of its message, and so is valid: where a value
/// ends can be told by its brackets and quotes alone, without reading it again. Nothing relies on it, though: what is
/// not as expected ends the walk, as does a key with escapes, and whoever walks asks the parser instead.
///
/// On bytes: only who takes a value as text pays for its being looked at as such.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    /// Behind the last value, or before the one whose key was told last.
    at: usize,
    is_first: bool,
}

impl<'a> Walk<'a> {
    /// Begins at the first member. `None` where `bytes` are no object.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        Self::from(bytes, 0)
    }

    fn from(bytes: &'a [u8], start: usize) -> Option<Self> {
        (bytes.get(start) == Some(&b'{')).then_some(Self {
            bytes,
            at: start + 1,
            is_first: true,
        })
    }

    /// The key of the next member, whose value has to be taken next, or `Some(None)` at the end of the object. `None`
    /// where the walk ends early.
    pub(super) fn key(&mut self) -> Option<Option<&'a [u8]>> {
        let bytes = self.bytes;
        let mut at = skip_blanks(bytes, self.at);
        match bytes.get(at)? {
            b'}' => {
                self.at = at + 1;
                return Some(None);
            }
            b',' if !self.is_first => at = skip_blanks(bytes, at + 1),
            b'"' if self.is_first => {}
            _ => return None,
        }
        self.is_first = false;
        let (end, is_plain) = string_end(bytes, at)?;
        let colon = skip_blanks(bytes, end);
        // A key with escapes may be any key, which the parser tells.
        if !is_plain || bytes.get(colon) != Some(&b':') {
            return None;
        }
        self.at = skip_blanks(bytes, colon + 1);
        Some(Some(bytes.get(at + 1..end - 1)?))
    }

    /// Where the value is.
    pub(super) fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.at = value_end(self.bytes, start)?;
        Some(start..self.at)
    }

    /// Where the inside of the value is, where that is a string without escapes.
    pub(super) fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let (end, is_plain) = string_end(self.bytes, start)?;
        self.at = end;
        is_plain.then_some(start + 1..end - 1)
    }

    /// The members of the value, where it is an object: it ends where that walk does, which is to be told by
    /// [`leave`](Self::leave).
    pub(super) fn enter(&self) -> Option<Self> {
        Self::from(self.bytes, self.at)
    }

    /// Where the value is that has been walked through.
    pub(super) fn leave(&mut self, inner: &Self) -> Range<usize> {
        let start = core::mem::replace(&mut self.at, inner.at);
        start..self.at
    }
}

#[inline]
fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The end of the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at).map(|(end, _)| end),
        b'{' | b'[' => nested_end(bytes, at),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            let length = bytes.get(at..)?.iter().position(is_end)?;
            // Nothing is no value: of `{"a":}` the parser is to say what is wrong.
            (length > 0).then_some(at + length)
        }
    }
}

/// The end of the array or object that begins at `at`, without recursion.
fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                (at, _) = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            // Which closes which need not be compared: the parser has done that.
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of the string that begins at `at`, and whether there are no escapes in it.
fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let (mut at, mut is_plain) = (at + 1, true);
    loop {
        at += scan::find_quote_or_escape(bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((at + 1, is_plain));
        }
        is_plain = false;
        // What is escaped goes with its escape: it may be a quote, and ends nothing.
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::members::Pairs;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn walked(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut walk = Walk::of(text.as_bytes())?;
        let mut members = Vec::new();
        while let Some(key) = walk.key()? {
            // Both ways lead to the same place.
            let value = match walk.enter() {
                Some(mut inner) => {
                    while inner.key()?.is_some() {
                        inner.value()?;
                    }
                    walk.leave(&inner)
                }
                None => walk.value()?,
            };
            members.push((core::str::from_utf8(key).ok()?, text.get(value)?));
        }
        Some(members)
    }

    #[test]
    fn members_are_what_the_parser_says_they_are() {
        let text = r#"{ "a" : 1.0e+1 ,"b,}":"}\",\\" ,"c": [{"d\\":"]"}, [ ]],"":{"x":{}} , "e":null}"#;
        assert_eq!(
            walked(text).unwrap(),
            [
                ("a", "1.0e+1"),
                ("b,}", r#""}\",\\""#),
                ("c", r#"[{"d\\":"]"}, [ ]]"#),
                ("", r#"{"x":{}}"#),
                ("e", "null")
            ]
        );
        assert_eq!(walked("{ }"), Some(Vec::new()));
        assert_eq!(walked(r#"{"\u0061":1}"#), None, "a key with escapes");
    }

    #[test]
    fn what_is_not_as_expected_ends_the_walk() {
        for text in [
            "",
            "[]",
            "null",
            "{",
            "{\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,\"a\":1}",
            "{\"a\" 1}",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{\"a\":[}",
            "{\"a\":[1}",
            "{1:1}",
            "{}x",
            "{\"a\":1 \"b\":2}",
            "{\"a\":]}",
        ] {
            let _ = walked(text);
        }
        assert_eq!(walked("{\"a\":1 \"b\":2}"), None);
        assert_eq!(walked("{\"a\":1,}"), None);
    }

    proptest! {
        #![proptest_config(crate::wire::cuts::repeatable())]

        #[test]
        fn whatever_the_parser_accepts_is_walked_alike(
            text in r#"\{( |"a"|"b\\"|:|,|\{|\}|\[|\]|1|-0\.5e3|true|"ü,"|\n){0,24}\}"#,
        ) {
            if let Ok(Pairs(members)) = serde_json::from_str::<Pairs<'_>>(&text) {
                match walked(&text) {
                    Some(walked) => {
                        let members: Vec<_> = members.iter().map(|(key, value)| (&**key, *value)).collect();
                        prop_assert_eq!(walked, members);
                    }
                    None => prop_assert!(text.contains('\\')),
                }
            }
        }
    }
}

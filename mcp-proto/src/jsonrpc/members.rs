//! The members of a JSON object where they stand.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::peek::Text;

/// The members of an object in their order, and the text that each of them takes, so that an object can be written
/// again without some of them while every other byte stays as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member<'a> {
    /// Its key, escapes resolved.
    pub(crate) key: Cow<'a, str>,
    /// Its value as it came.
    pub(crate) value: &'a str,
    /// All between the commas or braces around it, blanks included.
    pub(crate) text: &'a str,
}

impl<'a> Members<'a> {
    /// Reads an object; `None` where it is none.
    pub(crate) fn of(object: &'a str) -> Option<Self> {
        let pairs: Pairs<'a> = serde_json::from_str(object).ok()?;
        let mut at = object.find('{')? + 1;
        let mut members = Vec::with_capacity(pairs.0.len());
        for (key, value) in pairs.0 {
            // Blanks alone stand between a value and the comma or brace that ends its member.
            let after = offset(object, value)?.checked_add(value.len())?;
            let end = after + object.get(after..)?.find([',', '}'])?;
            members.push(Member {
                key,
                value,
                text: object.get(at..end)?,
            });
            at = end + 1;
        }
        Some(Self(members))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Member<'a>> {
        self.0.iter()
    }
}

/// Where `part` begins in `whole`, of which it is a slice.
pub(crate) fn offset(whole: &str, part: &str) -> Option<usize> {
    // By address, as serde hands out slices of the text without their places.
    (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)
}

/// Writes members as an object: `first`, the inside of one, possibly empty, and then the texts of others.
pub(crate) fn write_object<'a>(out: &mut Vec<u8>, first: &[u8], texts: impl Iterator<Item = &'a str>) {
    out.push(b'{');
    out.extend_from_slice(first);
    let mut before = !first.is_empty();
    for text in texts {
        if core::mem::replace(&mut before, true) {
            out.push(b',');
        }
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'}');
}

/// Keys and values in their order.
pub(super) struct Pairs<'a>(pub(super) Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(Text(key)) = map.next_key()? {
                    // One that occurs twice is there twice: what is written again loses nothing.
                    pairs.push((key, map.next_value::<&RawValue>()?.get()));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn each_member_has_its_text_from_comma_to_comma() {
        let object = " { \"a\" : 1 ,\n\"b,}\":\"},\" , \"\\u0063\":[{\"d\":{}}]} ";
        let members = Members::of(object).unwrap();
        let seen: Vec<_> = members
            .iter()
            .map(|member| (&*member.key, member.value, member.text))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", "1", " \"a\" : 1 "),
                ("b,}", "\"},\"", "\n\"b,}\":\"},\" "),
                ("c", "[{\"d\":{}}]", " \"\\u0063\":[{\"d\":{}}]"),
            ]
        );
        let mut out = Vec::new();
        write_object(&mut out, b"", members.iter().map(|member| member.text));
        assert_eq!(String::from_utf8(out).unwrap(), object.trim());
    }

    #[test]
    fn what_is_no_object_has_none() {
        for text in ["", "null", "[1]", "\"{\"", "{", "{\"a\"", "{\"a\":1,}"] {
            assert_eq!(Members::of(text), None, "{text}");
        }
        assert_eq!(Members::of("{ }"), Some(Members::default()));
    }
}

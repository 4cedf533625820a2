//! JSON-RPC ids.

use alloc::boxed::Box;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The id of a request: a string or an integer, never null.
///
/// Two ids are the same where their values are: `1` and `1.0` are one id, `1` and `"1"` are two. An id is
/// written back as it was sent, so a peer that wrote `1.0` reads `1.0`.
#[derive(Clone)]
pub struct Id(Repr);

#[derive(Clone)]
enum Repr {
    Integer(i64),
    /// Boxed, because it is rare and would make every other id larger.
    Number(Box<Number>),
    String(Box<str>),
}

/// An integer written in another way, or too large.
#[derive(Clone)]
struct Number {
    /// Its value, where it has one.
    value: Option<i64>,
    text: Box<str>,
}

/// What two ids are compared by.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key<'a> {
    Integer(i64),
    Number(&'a str),
    String(&'a str),
}

impl Id {
    /// Reads an id from its JSON text. `None` where it is neither a string nor an integer.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let first = *text.as_bytes().first()?;
        if first == b'"' {
            let text: Box<str> = serde_json::from_str(text).ok()?;
            return Some(Self(Repr::String(text)));
        }
        if let Ok(value) = text.parse::<i64>() {
            // "-0" and "007" do not survive a round trip; JSON allows the first.
            return Some(match text == "-0" {
                true => Self::number(Some(0), text),
                false => Self(Repr::Integer(value)),
            });
        }
        if first != b'-' && !first.is_ascii_digit() {
            return None;
        }
        // Beyond 64 bits it is compared by its digits, or two ids would become one.
        if !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return Some(Self::number(None, text));
        }
        let value = integral(text.parse().ok()?)?;
        Some(Self::number(Some(value), text))
    }

    fn number(value: Option<i64>, text: &str) -> Self {
        let text = text.into();
        Self(Repr::Number(Box::new(Number { value, text })))
    }

    /// The integer, where the id is one that fits.
    pub fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Repr::Integer(value) => Some(*value),
            Repr::Number(number) => number.value,
            Repr::String(_) => None,
        }
    }

    /// The string, where the id is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the id is written as the plain digits of its integer.
    pub(crate) fn is_plain_integer(&self) -> bool {
        matches!(self.0, Repr::Integer(_))
    }

    fn key(&self) -> Key<'_> {
        match &self.0 {
            Repr::Integer(value) => Key::Integer(*value),
            Repr::Number(number) => match number.value {
                // A peer that writes `1.0` may be answered by one that writes `1`.
                Some(value) => Key::Integer(value),
                None => Key::Number(&number.text),
            },
            Repr::String(text) => Key::String(text),
        }
    }
}

/// The integer that a float stands for, where it is one that a double represents exactly.
fn integral(value: f64) -> Option<i64> {
    // From there on one double stands for several integers, and two ids would become one.
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let truncated = value as i64;
    (value.abs() <= EXACT && truncated as f64 == value).then_some(truncated)
}

impl From<i64> for Id {
    fn from(value: i64) -> Self {
        Self(Repr::Integer(value))
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(Repr::String(text.into()))
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(value) => write!(f, "{value}"),
            Repr::Number(number) => f.write_str(&number.text),
            Repr::String(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Integer(value) => serializer.serialize_i64(*value),
            Repr::String(text) => serializer.serialize_str(text),
            Repr::Number(number) => {
                let raw: &RawValue = serde_json::from_str(&number.text).map_err(serde::ser::Error::custom)?;
                raw.serialize(serializer)
            }
        }
    }
}

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // By its text, as a number read as one would not be written back as it came.
        Self::from_json(raw.get()).ok_or_else(|| serde::de::Error::custom("an id is a string or an integer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn id(text: &str) -> Id {
        Id::from_json(text).unwrap()
    }

    #[test]
    fn an_integral_float_is_the_integer_and_echoed_as_sent() {
        assert_eq!(id("1.0"), id("1"));
        assert_eq!(id("1e2"), Id::from(100));
        assert_eq!(serde_json::to_string(&id("1.0")).unwrap(), "1.0");
        assert_eq!(id("-0"), id("0"));
        assert_eq!(id("-0").to_string(), "-0");
    }

    #[test]
    fn a_string_is_never_a_number() {
        assert_ne!(id("\"1\""), id("1"));
        assert_eq!(id(r#""\u0061""#), Id::from("a"));
    }

    #[test]
    fn huge_integers_keep_their_digits() {
        let huge = id("18446744073709551616");
        assert_eq!(huge.to_string(), "18446744073709551616");
        assert_ne!(huge, id("18446744073709551617"));
        assert_eq!(huge.as_integer(), None);
    }

    #[test]
    fn an_id_is_no_larger_than_a_string() {
        assert!(size_of::<Id>() <= size_of::<alloc::string::String>());
    }

    #[test]
    fn everything_else_is_no_id() {
        for text in ["null", "true", "1.5", "[1]", "{}", "1e400", "9007199254740993.5"] {
            assert!(Id::from_json(text).is_none(), "{text}");
        }
    }

    #[test]
    fn ids_have_one_order_and_equal_ones_one_hash() {
        use std::hash::{BuildHasher, RandomState};
        assert!(id("1") < id("2") && id("2") > id("1.0"));
        let state = RandomState::new();
        assert_eq!(state.hash_one(id("1")), state.hash_one(id("1.0")));
        assert_ne!(state.hash_one(id("1")), state.hash_one(id("2")));
    }
}

//! Typed values from texts under names: variables of a URI, arguments of a prompt.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Reads a value from texts under names. A text is read as what the type wants: a text, a number, a bool, a variant
/// without fields.
pub(super) fn from_texts<T: DeserializeOwned>(texts: &[(String, String)]) -> Result<T, Error> {
    let entries = texts.iter().map(|(name, text)| (name.as_str(), Text(text)));
    T::deserialize(Texts(entries.collect()))
}

/// All of them: a map, and nothing for a type that takes nothing.
struct Texts<'a>(Vec<(&'a str, Text<'a>)>);

impl<'de> Deserializer<'de> for Texts<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(MapDeserializer::new(self.0.into_iter()))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl IntoDeserializer<'_, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $ty:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$ty>() {
                Ok(value) => visitor.$visit(value),
                // The text itself may be a secret, and the client has it.
                Err(error) => Err(Error::custom(error)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    parsed! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: serde::de::value::StrDeserializer<'_, Error> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Units {
        Metric,
        Imperial,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Id(u64);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Wanted {
        id: Id,
        city: String,
        units: Option<Units>,
        precise: Option<bool>,
        days: Option<f32>,
    }

    fn read(texts: &[(&str, &str)]) -> Result<Wanted, String> {
        let texts: Vec<_> = texts
            .iter()
            .map(|(name, text)| ((*name).into(), (*text).into()))
            .collect();
        from_texts(&texts).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_are_read_as_what_the_type_wants() {
        let all = [
            ("id", "7"),
            ("city", "42"),
            ("units", "metric"),
            ("precise", "true"),
            ("days", "1.5"),
        ];
        let wanted = Wanted {
            id: Id(7),
            city: "42".into(),
            units: Some(Units::Metric),
            precise: Some(true),
            days: Some(1.5),
        };
        assert_eq!(read(&all), Ok(wanted));
        assert!(read(&all[..2]).is_ok());
        assert_eq!(read(&all[..1]), Err("missing field `city`".into()));
        assert_eq!(
            read(&[("id", "x"), ("city", "")]),
            Err("invalid digit found in string".into())
        );
        assert!(from_texts::<()>(&[]).is_ok());
    }
}

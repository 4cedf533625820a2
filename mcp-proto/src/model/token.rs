//! Values that one side makes up and the other hands back: request ids and progress tokens.

use alloc::boxed::Box;
use core::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::object::integral;

macro_rules! token {
    ($(#[$attr:meta])* $name:ident) => {
        $(#[$attr])*
        ///
        /// A string or an integer; an integer may be written as a float (`1.0`).
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            /// An integer.
            Integer(i64),
            /// A string.
            String(Box<str>),
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self::Integer(value)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::String(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Integer(value) => write!(f, "{value}"),
                    Self::String(text) => f.write_str(text),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Integer(value) => serializer.serialize_i64(*value),
                    Self::String(text) => serializer.serialize_str(text),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TokenVisitor;

                impl Visitor<'_> for TokenVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a string or an integer")
                    }

                    fn visit_i64<E: de::Error>(self, value: i64) -> Result<$name, E> {
                        Ok(value.into())
                    }

                    fn visit_u64<E: de::Error>(self, value: u64) -> Result<$name, E> {
                        i64::try_from(value)
                            .map($name::Integer)
                            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
                    }

                    fn visit_f64<E: de::Error>(self, value: f64) -> Result<$name, E> {
                        integral(value)
                            .map($name::Integer)
                            .ok_or_else(|| E::invalid_type(de::Unexpected::Float(value), &self))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok(text.into())
                    }
                }

                deserializer.deserialize_any(TokenVisitor)
            }
        }
    };
}

token! {
    /// The id of a request, where parameters or metadata name one.
    RequestId
}

token! {
    /// What ties progress notifications to the request that asked for them.
    ProgressToken
}

//! Schemas of the fields of a form.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json::Json;
use super::object::object;
use super::open_enum::open_enum;

/// The schema of a field of a form.
///
/// A schema that is none of these, or has a fault, is kept whole.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PrimitiveSchema {
    /// A text.
    String(StringSchema),
    /// A number.
    Number(NumberSchema),
    /// Yes or no.
    Boolean(BooleanSchema),
    /// One of several texts.
    SingleSelect(SingleSelectSchema),
    /// Any of several texts. Since 2025-11-25.
    MultiSelect(MultiSelectSchema),
    /// Any other schema.
    Other(Json),
}

macro_rules! variants {
    ($($variant:ident($ty:ident),)*) => {
        $(
            impl From<$ty> for PrimitiveSchema {
                fn from(schema: $ty) -> Self {
                    Self::$variant(schema)
                }
            }
        )*

        impl Serialize for PrimitiveSchema {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(schema) => schema.serialize(serializer),)*
                    Self::Other(json) => json.serialize(serializer),
                }
            }
        }
    };
}

variants! {
    String(StringSchema),
    Number(NumberSchema),
    Boolean(BooleanSchema),
    SingleSelect(SingleSelectSchema),
    MultiSelect(MultiSelectSchema),
}

impl<'de> Deserialize<'de> for PrimitiveSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        if !json.is_object() {
            return Err(D::Error::custom("a schema must be an object"));
        }
        Ok(Self::typed(&json).unwrap_or(Self::Other(json)))
    }
}

impl PrimitiveSchema {
    fn typed(json: &Json) -> Option<Self> {
        let shape: Shape = json.decode().ok()?;
        match &*shape.kind {
            "string" if shape.values.is_some() || shape.one_of.is_some() => json.decode().ok().map(Self::SingleSelect),
            "string" => json.decode().ok().map(Self::String),
            "number" | "integer" => json.decode().ok().map(Self::Number),
            "boolean" => json.decode().ok().map(Self::Boolean),
            "array" => json.decode().ok().map(Self::MultiSelect),
            _ => None,
        }
    }
}

/// What the kinds of schemas are told apart by.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "enum")]
    values: Option<IgnoredAny>,
    #[serde(rename = "oneOf")]
    one_of: Option<IgnoredAny>,
}

object! {
    /// A text.
    pub struct StringSchema["type" = "string"] {
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What to fill in.
        "description" => description (with_description): optional String,
        /// The least number of characters.
        "minLength" => min_length (with_min_length): integer_hint u64,
        /// The greatest number of characters.
        "maxLength" => max_length (with_max_length): integer_hint u64,
        /// What kind of text.
        "format" => format (with_format): optional StringFormat,
        /// What stands there first. Since 2025-11-25.
        "default" => default (with_default): optional String,
    }
}

open_enum! {
    /// What kind of text.
    pub enum StringFormat {
        /// An e-mail address.
        Email = "email",
        /// A URI.
        Uri = "uri",
        /// A day.
        Date = "date",
        /// A point in time.
        DateTime = "date-time",
    }
}

object! {
    /// A number.
    pub struct NumberSchema {
        required {
            /// `number` or `integer`.
            "type" => kind: plain String,
        }
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What to fill in.
        "description" => description (with_description): optional String,
        /// The least value.
        "minimum" => minimum (with_minimum): optional_number f64,
        /// The greatest value.
        "maximum" => maximum (with_maximum): optional_number f64,
        /// What stands there first. Since 2025-11-25.
        "default" => default (with_default): optional_number f64,
    }
}

impl NumberSchema {
    /// Any number.
    pub fn number() -> Self {
        Self::new("number")
    }

    /// A whole number.
    pub fn integer() -> Self {
        Self::new("integer")
    }
}

object! {
    /// Yes or no.
    pub struct BooleanSchema["type" = "boolean"] {
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What to fill in.
        "description" => description (with_description): optional String,
        /// What stands there first.
        "default" => default (with_default): optional bool,
    }
}

object! {
    /// One of several texts: `values`, with or without names, or `one_of`.
    pub struct SingleSelectSchema["type" = "string"] {
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What to fill in.
        "description" => description (with_description): optional String,
        /// The texts.
        "enum" => values (with_values): optional Vec<String>,
        /// The names for people of `values`, in the same order. Deprecated since 2025-11-25.
        "enumNames" => names (with_names): optional Vec<String>,
        /// The texts with their names for people. Since 2025-11-25.
        "oneOf" => one_of (with_one_of): optional Vec<EnumOption>,
        /// What is chosen first. Since 2025-11-25.
        "default" => default (with_default): optional String,
    }
}

impl SingleSelectSchema {
    /// One of these texts.
    pub fn of(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::default().with_values(texts(values))
    }

    /// One of these texts, each with its name for people. Since 2025-11-25.
    pub fn titled(options: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self::default().with_one_of(titled(options))
    }
}

fn texts(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}

fn titled(options: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Vec<EnumOption> {
    let option = |(value, title): (_, _)| EnumOption::new(value, title);
    options.into_iter().map(option).collect()
}

object! {
    /// A text with its name for people.
    pub struct EnumOption {
        required {
            /// The text.
            "const" => value: plain String,
            /// The name for people.
            "title" => title: plain String,
        }
    }
}

object! {
    /// Any of several texts. Since 2025-11-25.
    pub struct MultiSelectSchema["type" = "array"] {
        required {
            /// The texts.
            "items" => items: plain EnumItems,
        }
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What to fill in.
        "description" => description (with_description): optional String,
        /// The least number of choices.
        "minItems" => min_items (with_min_items): integer_hint u64,
        /// The greatest number of choices.
        "maxItems" => max_items (with_max_items): integer_hint u64,
        /// What is chosen first.
        "default" => default (with_default): optional Vec<String>,
    }
}

impl MultiSelectSchema {
    /// Any of these texts.
    pub fn of(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(
            EnumItems::default()
                .with_kind(String::from("string"))
                .with_values(texts(values)),
        )
    }

    /// Any of these texts, each with its name for people.
    pub fn titled(options: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self::new(EnumItems::default().with_any_of(titled(options)))
    }
}

object! {
    /// The texts to choose any of: `values` or `any_of`.
    pub struct EnumItems {
        /// `string`, beside `values`.
        "type" => kind (with_kind): optional String,
        /// The texts.
        "enum" => values (with_values): optional Vec<String>,
        /// The texts with their names for people.
        "anyOf" => any_of (with_any_of): optional Vec<EnumOption>,
    }
}

//! Whether what a user filled in is what a form asks for.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::Value;

use super::elicitation::ElicitSchema;
use super::json::Json;
use super::map::Map;
use super::primitive::{
    EnumItems, EnumOption, MultiSelectSchema, NumberSchema, PrimitiveSchema, SingleSelectSchema, StringFormat,
    StringSchema,
};

/// Why what was filled in is not what the form asks for. It names the field, and never what was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormError {
    /// It is no JSON object.
    NotAnObject,
    /// A field that must be filled in is not there.
    Missing(Box<str>),
    /// A field is there that the form does not have, and does not allow.
    Unknown(Box<str>),
    /// What is in a field is not what its schema says.
    Unfit {
        /// The field.
        field: Box<str>,
        /// What should be there.
        expected: &'static str,
    },
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("what was filled in is no object"),
            Self::Missing(field) => write!(f, "the field {field:?} must be filled in"),
            Self::Unknown(field) => write!(f, "the form has no field {field:?}"),
            Self::Unfit { field, expected } => write!(f, "the field {field:?} must be {expected}"),
        }
    }
}

impl core::error::Error for FormError {}

impl ElicitSchema {
    /// What was filled in, with the defaults of the schema for what was not (2025-11-25, Elicitation, Requested Schema), if
    /// all of it is what the form asks for. What is there already stays as it is, order included.
    ///
    /// A field with a schema of a kind that is not known here takes anything. A `pattern`, which the prose of the specification
    /// shows and its schema does not have, is carried and not checked.
    ///
    /// ```
    /// use mcp_proto::model::{ElicitSchema, Json, NumberSchema, StringSchema};
    ///
    /// let form = ElicitSchema::default()
    ///     .required("name", StringSchema::default())
    ///     .optional("age", NumberSchema::integer().with_default(30.0));
    /// let filled = form.fill_in(Some(&Json::parse(r#"{"name":"Ada"}"#)?))?;
    /// assert_eq!(filled.as_str(), r#"{"name":"Ada","age":30}"#);
    /// assert!(form.fill_in(None).is_err());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first field that is not as it should be.
    pub fn fill_in(&self, content: Option<&Json>) -> Result<Json, FormError> {
        let mut filled: Map<Value> = match content {
            Some(content) => content.decode().map_err(|_| FormError::NotAnObject)?,
            None => Map::new(),
        };
        let mut has_added = content.is_none();
        for (name, schema) in self.properties.iter() {
            if !filled.contains_key(name)
                && let Some(default) = default_of(schema)
            {
                filled.insert(name, default);
                has_added = true;
            }
        }
        self.check(&filled)?;
        match content {
            Some(content) if !has_added => Ok(content.clone()),
            _ => Json::from_serialize(&filled).map_err(|_| FormError::NotAnObject),
        }
    }

    fn check(&self, filled: &Map<Value>) -> Result<(), FormError> {
        let required = self.required.iter().flatten();
        if let Some(missing) = required.into_iter().find(|name| !filled.contains_key(name)) {
            return Err(FormError::Missing(missing.as_str().into()));
        }
        // A schema allows others unless it says that it does not.
        let is_closed = self
            .extra
            .get("additionalProperties")
            .is_some_and(|it| it.as_str() == "false");
        for (name, value) in filled.iter() {
            match self.properties.get(name) {
                Some(schema) => {
                    if let Err(expected) = fits(schema, value) {
                        let field = name.into();
                        return Err(FormError::Unfit { field, expected });
                    }
                }
                None if is_closed => return Err(FormError::Unknown(name.into())),
                None => {}
            }
        }
        Ok(())
    }
}

/// What stands in a field first.
fn default_of(schema: &PrimitiveSchema) -> Option<Value> {
    match schema {
        PrimitiveSchema::String(schema) => schema.default.clone().map(Value::from),
        PrimitiveSchema::Number(schema) => schema.default.map(number),
        PrimitiveSchema::Boolean(schema) => schema.default.map(Value::from),
        PrimitiveSchema::SingleSelect(schema) => schema.default.clone().map(Value::from),
        PrimitiveSchema::MultiSelect(schema) => schema.default.clone().map(Value::from),
        PrimitiveSchema::Other(_) => None,
    }
}

/// A number without a fraction is written without a point: servers read it into an integer.
fn number(value: f64) -> Value {
    let whole = value as i64;
    // Both ways: beyond 2^53 an `f64` may stand for several integers.
    match whole as f64 == value && whole.unsigned_abs() <= 1 << 53 {
        true => Value::from(whole),
        false => Value::from(value),
    }
}

/// Whether `value` is what `schema` wants; else what that is.
fn fits(schema: &PrimitiveSchema, value: &Value) -> Result<(), &'static str> {
    match schema {
        PrimitiveSchema::String(schema) => text(schema, value),
        PrimitiveSchema::Number(schema) => figure(schema, value),
        PrimitiveSchema::Boolean(_) => demand(value.is_boolean(), "true or false"),
        PrimitiveSchema::SingleSelect(schema) => choice(schema, value),
        PrimitiveSchema::MultiSelect(schema) => choices(schema, value),
        PrimitiveSchema::Other(_) => Ok(()),
    }
}

fn demand(holds: bool, expected: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(expected) }
}

fn text(schema: &StringSchema, value: &Value) -> Result<(), &'static str> {
    let text = value.as_str().ok_or("a text")?;
    // JSON Schema counts characters, and not bytes.
    let length = text.chars().count() as u64;
    demand(schema.min_length.is_none_or(|least| length >= least), "a longer text")?;
    demand(schema.max_length.is_none_or(|most| length <= most), "a shorter text")?;
    match &schema.format {
        Some(StringFormat::Email) => demand(is_email(text), "an e-mail address"),
        Some(StringFormat::Uri) => demand(is_uri(text), "a URI"),
        Some(StringFormat::Date) => demand(is_date(text), "a date (YYYY-MM-DD)"),
        Some(StringFormat::DateTime) => demand(is_date_time(text), "a date with a time (RFC 3339)"),
        // A format that is not known says nothing.
        _ => Ok(()),
    }
}

fn figure(schema: &NumberSchema, value: &Value) -> Result<(), &'static str> {
    let figure = value.as_f64().ok_or("a number")?;
    // 5.0 is an integer in JSON Schema.
    demand(schema.kind != "integer" || figure % 1.0 == 0.0, "a whole number")?;
    demand(schema.minimum.is_none_or(|least| figure >= least), "a greater number")?;
    demand(schema.maximum.is_none_or(|most| figure <= most), "a smaller number")
}

fn choice(schema: &SingleSelectSchema, value: &Value) -> Result<(), &'static str> {
    let chosen = value.as_str().ok_or("one of the choices")?;
    let is_offered = is_offered(schema.values.as_ref(), schema.one_of.as_ref(), chosen);
    demand(is_offered, "one of the choices")
}

fn choices(schema: &MultiSelectSchema, value: &Value) -> Result<(), &'static str> {
    let chosen = value.as_array().ok_or("a list of the choices")?;
    let EnumItems { values, any_of, .. } = &schema.items;
    let fits = |it: &Value| {
        it.as_str()
            .is_some_and(|it| is_offered(values.as_ref(), any_of.as_ref(), it))
    };
    demand(chosen.iter().all(fits), "a list of the choices")?;
    let count = chosen.len() as u64;
    demand(schema.min_items.is_none_or(|least| count >= least), "more choices")?;
    demand(schema.max_items.is_none_or(|most| count <= most), "fewer choices")
}

/// Whether a choice is among the plain ones, or among those with a name. Where there are neither, any is.
fn is_offered(plain: Option<&Vec<String>>, named: Option<&Vec<EnumOption>>, chosen: &str) -> bool {
    let is_plain = plain.is_none_or(|values| values.iter().any(|value| value == chosen));
    is_plain && named.is_none_or(|options| options.iter().any(|option| option.value == chosen))
}

fn is_email(text: &str) -> bool {
    let is_clean = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    text.rsplit_once('@')
        .is_some_and(|(name, host)| is_clean(name) && is_clean(host) && !host.contains('@'))
}

fn is_uri(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    text.split_once(':').is_some_and(|(scheme, rest)| {
        is_scheme(scheme) && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = figures(text, '-', [4, 2, 2]) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else {
        return false;
    };
    let (time, is_offset) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, true),
        None => match time.rsplit_once(['+', '-']) {
            Some((time, offset)) => {
                let offset = figures(offset, ':', [2, 2]);
                (time, offset.is_some_and(|[hours, minutes]| hours < 24 && minutes < 60))
            }
            None => return false,
        },
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let time = figures(time, ':', [2, 2, 2]);
    // The 60th second is one that is inserted (RFC 3339, 5.7).
    let is_time = time.is_some_and(|[hours, minutes, seconds]| hours < 24 && minutes < 60 && seconds <= 60);
    is_date(date) && is_offset && is_fraction && is_time
}

/// Numbers of so many digits, with `separator` between them.
fn figures<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut figures = [0; N];
    let mut parts = text.split(separator);
    for (figure, digits) in figures.iter_mut().zip(digits) {
        let part = parts.next()?;
        let is_figure = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        *figure = part.parse().ok().filter(|_| is_figure)?;
    }
    parts.next().is_none().then_some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(schema: &str, content: &str) -> Result<String, FormError> {
        let schema: ElicitSchema = Json::parse(schema).unwrap().decode().unwrap();
        schema
            .fill_in(Some(&Json::parse(content).unwrap()))
            .map(Json::into_string)
    }

    /// One field called `a`.
    fn field(schema: &str, value: &str) -> Result<(), &'static str> {
        let schema = alloc::format!(r#"{{"type":"object","properties":{{"a":{schema}}}}}"#);
        match filled(&schema, &alloc::format!(r#"{{"a":{value}}}"#)) {
            Ok(_) => Ok(()),
            Err(FormError::Unfit { expected, .. }) => Err(expected),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn every_shape_of_a_choice_is_checked() {
        let shapes = [
            (r#"{"type":"string","enum":["x","y"]}"#, r#""x""#, r#""z""#),
            (
                r#"{"type":"string","enum":["x","y"],"enumNames":["An X","A Y"]}"#,
                r#""y""#,
                r#""An X""#,
            ),
            (
                r#"{"type":"string","oneOf":[{"const":"x","title":"An X"}]}"#,
                r#""x""#,
                r#""An X""#,
            ),
            (
                r#"{"type":"array","items":{"type":"string","enum":["x","y"]},"minItems":1,"maxItems":2}"#,
                r#"["x","y"]"#,
                r#"["x","z"]"#,
            ),
            (
                r#"{"type":"array","items":{"anyOf":[{"const":"x","title":"An X"}]},"minItems":1}"#,
                r#"["x"]"#,
                "[]",
            ),
        ];
        for (schema, good, bad) in shapes {
            assert_eq!(field(schema, good), Ok(()), "{schema}");
            assert!(field(schema, bad).is_err(), "{schema}");
            assert!(field(schema, "1").is_err(), "{schema}");
        }
    }

    #[test]
    fn texts_and_numbers_are_held_to_their_bounds() {
        assert_eq!(
            field(r#"{"type":"string","minLength":2,"maxLength":3}"#, r#""äöü""#),
            Ok(())
        );
        assert_eq!(
            field(r#"{"type":"string","minLength":2}"#, r#""ä""#),
            Err("a longer text")
        );
        assert_eq!(
            field(r#"{"type":"string","maxLength":2}"#, r#""abc""#),
            Err("a shorter text")
        );
        assert_eq!(field(r#"{"type":"integer"}"#, "5.0"), Ok(()));
        assert_eq!(field(r#"{"type":"integer"}"#, "5.5"), Err("a whole number"));
        assert_eq!(
            field(r#"{"type":"number","minimum":1}"#, "0.5"),
            Err("a greater number")
        );
        assert_eq!(field(r#"{"type":"number","maximum":1}"#, "2"), Err("a smaller number"));
        assert_eq!(field(r#"{"type":"boolean"}"#, r#""true""#), Err("true or false"));
        assert_eq!(field(r#"{"type":"object"}"#, "{}"), Ok(()), "of no kind that is known");
    }

    #[test]
    fn formats_are_those_of_their_names() {
        let format = |name: &str, value: &str| {
            let schema = alloc::format!(r#"{{"type":"string","format":"{name}"}}"#);
            field(&schema, &alloc::format!("{value:?}")).is_ok()
        };
        for (name, good, bad) in [
            ("email", "a.b@example.org", "a@b@"),
            ("uri", "urn:x", "no scheme:"),
            ("date", "2024-02-29", "2023-02-29"),
            ("date", "2024-12-31", "2024-13-01"),
            ("date-time", "2024-02-29T23:59:60.5Z", "2024-02-29T24:00:00Z"),
            ("date-time", "2024-02-29t01:02:03+05:30", "2024-02-29T01:02:03"),
            ("phone", "anything", ""),
        ] {
            assert!(format(name, good), "{name} {good}");
            assert!(bad.is_empty() || !format(name, bad), "{name} {bad}");
        }
    }

    #[test]
    fn defaults_stand_for_what_is_absent_and_required_fields_must_be_there() {
        let schema = r#"{"type":"object","required":["name"],"properties":{
            "name":{"type":"string"},
            "n":{"type":"integer","default":7},
            "b":{"type":"boolean","default":false},
            "s":{"type":"string","default":"x"},
            "e":{"type":"string","enum":["p","q"],"default":"q"},
            "m":{"type":"array","items":{"type":"string","enum":["p"]},"default":["p"]}}}"#;
        assert_eq!(
            filled(schema, r#"{"name":"a", "n": 1}"#).unwrap(),
            r#"{"name":"a","n":1,"b":false,"s":"x","e":"q","m":["p"]}"#
        );
        assert_eq!(filled(schema, "{}"), Err(FormError::Missing("name".into())));
        assert_eq!(filled(schema, "[]"), Err(FormError::NotAnObject));
    }

    #[test]
    fn what_the_form_does_not_have_is_refused_where_it_says_so() {
        let open = r#"{"type":"object","properties":{}}"#;
        let closed = r#"{"type":"object","properties":{},"additionalProperties":false}"#;
        assert_eq!(filled(open, r#"{"a": 1}"#).unwrap(), r#"{"a": 1}"#, "byte for byte");
        assert_eq!(filled(closed, r#"{"a":1}"#), Err(FormError::Unknown("a".into())));
    }
}

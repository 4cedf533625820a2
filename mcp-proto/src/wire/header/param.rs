//! Tool parameters in headers (2026-07-28, basic/transports/streamable-http, "Custom Headers from Tool Parameters").

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Number, Value};

use super::standard::only;
use super::value::{decode_value, encode_value};
use super::{HeaderMismatch, ParamHeaderError, schema};

/// The largest integer that every JSON implementation keeps exactly: 2^53 - 1.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The parameters of one tool that are mirrored into headers. Made once per tool definition.
///
/// ```
/// use mcp_proto::wire::header::ParamHeaders;
///
/// let schema = r#"{"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}"#;
/// let params = ParamHeaders::from_schema(schema).unwrap();
/// let arguments = Some(r#"{"region": "us-west1"}"#);
/// assert_eq!(params.values(arguments), [("Mcp-Param-Region".into(), "us-west1".into())]);
///
/// assert!(params.validate(arguments, |_| [&b"us-west1"[..]]).is_ok());
/// assert!(params.validate(arguments, |_| [&b"us-east1"[..]]).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamHeaders {
    params: Vec<Param>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    /// The full name of the header.
    header: String,
    /// The keys that lead to the value in the arguments.
    path: Vec<Box<str>>,
}

impl ParamHeaders {
    /// Reads the `x-mcp-header` annotations of an `inputSchema`, a JSON text.
    ///
    /// `"type": ["string", "null"]` and the like are accepted as primitive, since the specification says what happens
    /// to a parameter that is null. Values under `const`, `enum`, `default` and `examples` are data and not searched.
    ///
    /// # Errors
    ///
    /// An annotation violates a constraint: a client on Streamable HTTP MUST then exclude the tool from its list.
    pub fn from_schema(input_schema: &str) -> Result<Self, ParamHeaderError> {
        let annotations = schema::annotations(input_schema)?;
        let param = |found: schema::Annotation| Param {
            header: format!("Mcp-Param-{}", found.name),
            path: found.path,
        };
        Ok(Self {
            params: annotations.into_iter().map(param).collect(),
        })
    }

    /// Whether the tool has no annotated parameter: no headers to send, nothing to validate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The full names of the headers, such as `Mcp-Param-Region`.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().map(|param| param.header.as_str())
    }

    /// For the client: full name and encoded value of each header that goes with a call with these arguments, a JSON
    /// text.
    ///
    /// A parameter that is absent or null has no header. Neither has one whose value cannot be said in a header: an
    /// object, an array, a number that is not an integer from −2^53+1 to 2^53−1. It does not fit the annotation
    /// then, and the server will refuse the call.
    #[must_use]
    pub fn values(&self, arguments: Option<&str>) -> Vec<(String, String)> {
        if self.is_empty() {
            return Vec::new();
        }
        // What cannot be read mirrors nothing: the server is to refuse it, and not this side.
        let arguments: Value = arguments
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let header = |param: &Param| {
            let text = header_text(param.value_in(&arguments)?)?;
            Some((param.header.clone(), encode_value(&text).into_owned()))
        };
        self.params.iter().filter_map(header).collect()
    }

    /// For the server: compares the headers of a call with its arguments, a JSON text. `values_of` gives all raw
    /// values of the header with a name, which is to be looked up without regard to case.
    ///
    /// Each parameter that has a value needs exactly one header with the same value, decoded; each one that is absent
    /// or null must have none. Numbers are compared as numbers: `42.0` and `42` are equal. Other `Mcp-Param-` headers
    /// are not looked at.
    ///
    /// # Errors
    ///
    /// The first mismatch, in the order of the parameters' paths.
    pub fn validate<'a, V>(&self, arguments: Option<&str>, values_of: impl Fn(&str) -> V) -> Result<(), HeaderMismatch>
    where
        V: IntoIterator<Item = &'a [u8]>,
    {
        if self.is_empty() {
            return Ok(());
        }
        let arguments: Value = match arguments {
            Some(text) => serde_json::from_str(text).map_err(|_| HeaderMismatch::Arguments)?,
            None => Value::Null,
        };
        self.params
            .iter()
            .try_for_each(|param| param.check(&arguments, values_of(&param.header)))
    }
}

impl Param {
    /// The value at the path, unless it is null.
    fn value_in<'v>(&self, arguments: &'v Value) -> Option<&'v Value> {
        let value = self
            .path
            .iter()
            .try_fold(arguments, |value, key| value.as_object()?.get(&**key))?;
        Some(value).filter(|value| !value.is_null())
    }

    fn check<'a>(&self, arguments: &Value, values: impl IntoIterator<Item = &'a [u8]>) -> Result<(), HeaderMismatch> {
        let header = || Cow::Owned(self.header.clone());
        let (value, body) = match (only(header, values)?, self.value_in(arguments)) {
            (None, None) => return Ok(()),
            (Some(_), None) => return Err(HeaderMismatch::Unexpected { header: header() }),
            (None, Some(_)) => return Err(HeaderMismatch::Missing { header: header() }),
            (Some(value), Some(body)) => (value, body),
        };
        let value = decode_value(value).map_err(|reason| HeaderMismatch::Invalid {
            header: header(),
            reason,
        })?;
        if matches(&value, body) {
            return Ok(());
        }
        let body = header_text(body).unwrap_or_else(|| Cow::Owned(body.to_string()));
        Err(HeaderMismatch::different(header(), &value, &body))
    }
}

/// What a header says for a value; `None` if it cannot be said.
fn header_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(number) => safe_integer(number).map(|integer| Cow::Owned(integer.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn matches(header: &str, body: &Value) -> bool {
    match body {
        Value::Number(number) => {
            let header = serde_json::from_str(header)
                .ok()
                .and_then(|number| safe_integer(&number));
            header.is_some() && header == safe_integer(number)
        }
        _ => header_text(body).is_some_and(|text| text == header),
    }
}

/// The integer that a JSON number stands for, however it is written, if it is in the safe range.
fn safe_integer(number: &Number) -> Option<i64> {
    let integer = match number.as_i64() {
        Some(integer) => integer,
        None => {
            let float = number.as_f64()?;
            // Truncates, and saturates far outside of the safe range.
            let integer = float as i64;
            #[expect(clippy::float_cmp, reason = "exactly equal is what is asked")]
            let exact = integer as f64 == float;
            exact.then_some(integer)?
        }
    };
    (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER)
        .contains(&integer)
        .then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::header::HeaderValueError;
    use proptest::prelude::*;
    use serde_json::json;

    fn params() -> ParamHeaders {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "count": {"type": "integer", "x-mcp-header": "Count"},
            "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
            "where": {"type": "object", "properties": {"city": {"type": "string", "x-mcp-header": "City"}}},
            "query": {"type": "string"},
        }});
        ParamHeaders::from_schema(&schema.to_string()).unwrap()
    }

    fn sent(arguments: Value) -> Vec<(String, String)> {
        params().values(Some(&arguments.to_string()))
    }

    fn received(arguments: Value, headers: &[(&str, &str)]) -> Result<(), HeaderMismatch> {
        let values_of = |name: &str| -> Vec<&[u8]> {
            headers
                .iter()
                .filter(|header| header.0.eq_ignore_ascii_case(name))
                .map(|header| header.1.as_bytes())
                .collect()
        };
        params().validate(Some(&arguments.to_string()), values_of)
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn the_client_mirrors_what_is_there() {
        let arguments = json!({"region": "世", "count": -7, "dry": false, "where": {"city": "Bern"}, "query": "q"});
        assert_eq!(
            sent(arguments),
            [
                header("Mcp-Param-Count", "-7"),
                header("Mcp-Param-Dry-Run", "false"),
                header("Mcp-Param-Region", "=?base64?5LiW?="),
                header("Mcp-Param-City", "Bern"),
            ]
        );
        assert_eq!(sent(json!({"region": ""})), [header("Mcp-Param-Region", "")]);
        assert_eq!(sent(json!({"region": null, "where": null})), []);
        assert_eq!(sent(json!({"where": "Bern"})), []);
        assert_eq!(sent(json!({"where": [{"city": "Bern"}]})), []);
        assert_eq!(params().values(None), []);
        assert_eq!(params().values(Some("{")), []);
    }

    #[test]
    fn integers_are_decimal_and_in_the_safe_range() {
        for (number, text) in [
            ("0", Some("0")),
            ("-0", Some("0")),
            ("42.0", Some("42")),
            ("4.2e1", Some("42")),
            ("9007199254740991", Some("9007199254740991")),
            ("-9007199254740991", Some("-9007199254740991")),
            ("9007199254740992", None),
            ("-9007199254740992", None),
            ("18446744073709551615", None),
            ("1e300", None),
            ("-1e300", None),
            ("42.5", None),
        ] {
            let values = params().values(Some(&format!("{{\"count\":{number}}}")));
            assert_eq!(values.first().map(|header| header.1.as_str()), text, "{number}");
        }
    }

    #[test]
    fn the_server_accepts_what_agrees() {
        for (arguments, headers) in [
            (json!({}), &[][..]),
            (json!({"region": null, "query": "q"}), &[("Mcp-Param-Unknown", "\n")]),
            (
                json!({"region": "Hello"}),
                &[("mcp-param-region", "=?base64?SGVsbG8=?=")],
            ),
            (json!({"region": "Hello"}), &[("MCP-PARAM-REGION", " Hello ")]),
            (json!({"region": "SGVsbG8="}), &[("Mcp-Param-Region", "SGVsbG8=")]),
            (
                json!({"region": "=?base64?SGVsbG8="}),
                &[("Mcp-Param-Region", "=?base64?SGVsbG8=")],
            ),
            (json!({"region": ""}), &[("Mcp-Param-Region", "")]),
            (json!({"count": 42}), &[("Mcp-Param-Count", "42.0")]),
            (json!({"count": 42.0}), &[("Mcp-Param-Count", "42")]),
            (json!({"count": 0}), &[("Mcp-Param-Count", "-0")]),
            (json!({"dry": true}), &[("Mcp-Param-Dry-Run", "true")]),
            (json!({"where": {"city": "Bern"}}), &[("Mcp-Param-City", "Bern")]),
        ] {
            assert_eq!(received(arguments.clone(), headers), Ok(()), "{arguments} {headers:?}");
        }
        assert_eq!(params().validate(None, |_| []), Ok(()));
    }

    #[test]
    fn the_server_rejects_what_does_not() {
        let name = |name: &str| Cow::<'static, str>::Owned(format!("Mcp-Param-{name}"));
        let missing = |header| HeaderMismatch::Missing { header: name(header) };
        let unexpected = |header| HeaderMismatch::Unexpected { header: name(header) };
        let different = |header, value, body| HeaderMismatch::different(name(header), value, body);
        let invalid = |reason| HeaderMismatch::Invalid {
            header: name("Region"),
            reason,
        };
        for (arguments, headers, expected) in [
            (json!({"region": "a"}), &[][..], missing("Region")),
            (json!({"region": ["a"]}), &[], missing("Region")),
            (
                json!({"region": null}),
                &[("Mcp-Param-Region", "a")],
                unexpected("Region"),
            ),
            (
                json!({"region": null}),
                &[("Mcp-Param-Region", "null")],
                unexpected("Region"),
            ),
            (json!({}), &[("Mcp-Param-Region", "")], unexpected("Region")),
            (
                json!({"where": "Bern"}),
                &[("Mcp-Param-City", "Bern")],
                unexpected("City"),
            ),
            (
                json!({"region": "a"}),
                &[("Mcp-Param-Region", "A")],
                different("Region", "A", "a"),
            ),
            (
                json!({"region": "a b"}),
                &[("Mcp-Param-Region", "a  b")],
                different("Region", "a  b", "a b"),
            ),
            (
                json!({"region": ["a"]}),
                &[("Mcp-Param-Region", "[\"a\"]")],
                different("Region", "[\"a\"]", "[\"a\"]"),
            ),
            (
                json!({"count": 42}),
                &[("Mcp-Param-Count", "43")],
                different("Count", "43", "42"),
            ),
            (
                json!({"count": 42}),
                &[("Mcp-Param-Count", "042")],
                different("Count", "042", "42"),
            ),
            (
                json!({"count": 42}),
                &[("Mcp-Param-Count", "+42")],
                different("Count", "+42", "42"),
            ),
            (
                json!({"count": 42.5}),
                &[("Mcp-Param-Count", "42.5")],
                different("Count", "42.5", "42.5"),
            ),
            (
                json!({"count": 1_u64 << 53}),
                &[("Mcp-Param-Count", "9007199254740992")],
                different("Count", "9007199254740992", "9007199254740992"),
            ),
            (
                json!({"dry": true}),
                &[("Mcp-Param-Dry-Run", "True")],
                different("Dry-Run", "True", "true"),
            ),
            (
                json!({"region": "a"}),
                &[("Mcp-Param-Region", "a"), ("mcp-param-region", "a")],
                HeaderMismatch::Duplicate { header: name("Region") },
            ),
            (
                json!({"region": "Hello"}),
                &[("Mcp-Param-Region", "=?base64?SGVsbG8?=")],
                invalid(HeaderValueError::InvalidBase64),
            ),
            (
                json!({"region": "世"}),
                &[("Mcp-Param-Region", "世")],
                invalid(HeaderValueError::InvalidCharacter),
            ),
        ] {
            assert_eq!(
                received(arguments.clone(), headers),
                Err(expected),
                "{arguments} {headers:?}"
            );
        }
    }

    #[test]
    fn arguments_that_cannot_be_read_are_not_waved_through() {
        let deep = format!("{{\"region\":\"a\",\"x\":{}", "[".repeat(100_000));
        assert_eq!(params().validate(Some(&deep), |_| []), Err(HeaderMismatch::Arguments));
        assert_eq!(ParamHeaders::default().validate(Some(&deep), |_| []), Ok(()));
    }

    proptest! {
        #![proptest_config(crate::wire::cuts::repeatable())]

        #[test]
        fn what_the_client_sends_the_server_accepts(
            region in any::<String>(),
            count in -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER,
            dry in any::<bool>(),
        ) {
            let arguments = json!({"region": region, "count": count, "dry": dry});
            let headers = sent(arguments.clone());
            prop_assert_eq!(headers.len(), 3);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            prop_assert_eq!(received(arguments, &headers), Ok(()));
        }
    }

    #[test]
    fn the_names_of_the_headers_are_known() {
        let params = params();
        let mut names: Vec<&str> = params.header_names().collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "Mcp-Param-City",
                "Mcp-Param-Count",
                "Mcp-Param-Dry-Run",
                "Mcp-Param-Region"
            ]
        );
        assert!(!params.is_empty());
    }
}

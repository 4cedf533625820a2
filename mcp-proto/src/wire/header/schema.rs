//! Finding `x-mcp-header` annotations in an input schema (2026-07-28, basic/transports/streamable-http, "Schema
//! Extension").

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

const ANNOTATION: &str = "x-mcp-header";

/// Why the annotations of a tool are invalid. A client that speaks Streamable HTTP leaves the tool out of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamHeaderError {
    /// The schema is no JSON text, or nested too deep.
    InvalidSchema,
    /// An annotation is not a string.
    NotAString,
    /// An annotation is empty or has characters that a header name cannot have.
    InvalidName(String),
    /// Two annotations are equal but for case.
    Duplicate(String),
    /// An annotated parameter is not declared as `string`, `integer` or `boolean`.
    NotPrimitive(String),
    /// An annotation is not on a property reached through `properties` alone.
    Unreachable,
}

impl fmt::Display for ParamHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSchema => f.write_str("the input schema cannot be read"),
            Self::NotAString => write!(f, "{ANNOTATION} is not a string"),
            Self::InvalidName(name) => write!(f, "{ANNOTATION} {name:?} is not a header name"),
            Self::Duplicate(name) => write!(f, "{ANNOTATION} {name:?} occurs twice"),
            Self::NotPrimitive(name) => {
                write!(
                    f,
                    "{ANNOTATION} {name:?} is on a parameter that is not a string, integer or boolean"
                )
            }
            Self::Unreachable => write!(f, "{ANNOTATION} is not on a property reached through properties alone"),
        }
    }
}

impl core::error::Error for ParamHeaderError {}

/// One annotated parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Annotation {
    /// The keys that lead to the value in the arguments.
    pub(super) path: Vec<Box<str>>,
    /// The name, as annotated.
    pub(super) name: String,
}

/// Where a schema stands.
#[derive(Clone)]
enum Place<'a> {
    /// Reached from the root through these properties.
    Path(Vec<&'a str>),
    /// Reached in any other way.
    Elsewhere,
}

impl<'a> Place<'a> {
    fn property(&self, name: &'a str) -> Self {
        match self {
            Self::Path(path) => Self::Path(path.iter().copied().chain([name]).collect()),
            Self::Elsewhere => Self::Elsewhere,
        }
    }
}

/// All annotations of a schema, in the order of their paths.
pub(super) fn annotations(schema: &str) -> Result<Vec<Annotation>, ParamHeaderError> {
    // Few tools have any. A key could be spelt with an escape, and every such spelling has a `\u`.
    if !schema.contains(ANNOTATION) && !schema.contains("\\u") {
        return Ok(Vec::new());
    }
    let root: Value = serde_json::from_str(schema).map_err(|_| ParamHeaderError::InvalidSchema)?;
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    // A stack of our own instead of recursion: the schema comes from the peer.
    let mut stack = Vec::from([(Place::Path(Vec::new()), &root)]);
    while let Some((place, value)) = stack.pop() {
        match value {
            Value::Array(values) => stack.extend(values.iter().map(|value| (Place::Elsewhere, value))),
            Value::Object(schema) => {
                if let Some(annotation) = annotation(&place, schema)? {
                    // As names of headers they are the same (RFC 9110, 5.1).
                    if !names.insert(annotation.name.to_ascii_lowercase()) {
                        return Err(ParamHeaderError::Duplicate(annotation.name));
                    }
                    found.push(annotation);
                }
                push_subschemas(&mut stack, &place, schema);
            }
            _ => {}
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The annotation of a schema itself.
fn annotation(place: &Place<'_>, schema: &Map<String, Value>) -> Result<Option<Annotation>, ParamHeaderError> {
    let Some(name) = schema.get(ANNOTATION) else {
        return Ok(None);
    };
    let path = match place {
        Place::Path(path) if !path.is_empty() => path.iter().map(|&key| key.into()).collect(),
        _ => return Err(ParamHeaderError::Unreachable),
    };
    let name = name.as_str().ok_or(ParamHeaderError::NotAString)?;
    if name.is_empty() || !name.bytes().all(is_tchar) {
        return Err(ParamHeaderError::InvalidName(name.into()));
    }
    if !is_primitive(schema.get("type")) {
        return Err(ParamHeaderError::NotPrimitive(name.into()));
    }
    Ok(Some(Annotation {
        path,
        name: name.into(),
    }))
}

fn push_subschemas<'a>(stack: &mut Vec<(Place<'a>, &'a Value)>, place: &Place<'a>, schema: &'a Map<String, Value>) {
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            // Instance data, no schemas.
            ("const" | "enum" | "default" | "examples", _) => {}
            // Maps whose keys are names, not keywords.
            ("properties", Value::Object(members)) => {
                stack.extend(members.iter().map(|(name, member)| (place.property(name), member)));
            }
            ("patternProperties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(members)) => {
                stack.extend(members.values().map(|member| (Place::Elsewhere, member)));
            }
            // Everything else, known or not: an annotation in there is in the wrong place.
            (_, Value::Object(_) | Value::Array(_)) => stack.push((Place::Elsewhere, value)),
            _ => {}
        }
    }
}

/// RFC 9110, 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// One of the three types, or one of them and `null`: a parameter that is null is sent without a header.
fn is_primitive(declared: Option<&Value>) -> bool {
    let primitive = |name: &Value| matches!(name.as_str(), Some("string" | "integer" | "boolean"));
    match declared {
        Some(Value::Array(names)) => {
            let mut others = names.iter().filter(|name| name.as_str() != Some("null"));
            others.next().is_some_and(primitive) && others.next().is_none()
        }
        Some(name) => primitive(name),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use serde_json::json;

    /// The names for a schema with these properties.
    fn names(properties: Value) -> Result<Vec<String>, ParamHeaderError> {
        of(&json!({"type": "object", "properties": properties}))
    }

    fn of(schema: &Value) -> Result<Vec<String>, ParamHeaderError> {
        let path = |found: &Annotation| format!("{}={}", found.path.join("/"), found.name);
        annotations(&format!("{schema}")).map(|found| found.iter().map(path).collect())
    }

    #[test]
    fn valid_annotations() {
        let string = json!({"type": "string", "x-mcp-header": "A"});
        assert_eq!(names(json!({})).unwrap(), [""; 0]);
        assert_eq!(names(json!({"a": string})).unwrap(), ["a=A"]);
        assert_eq!(
            names(json!({"x": {"type": "object", "properties": {"y": string}}})).unwrap(),
            ["x/y=A"]
        );
        assert_eq!(
            names(json!({"properties": {"properties": {"properties": string}}})).unwrap(),
            ["properties/properties=A"]
        );
        assert_eq!(
            names(json!({"b": {"type": "boolean", "x-mcp-header": "B!#$%&'*+-.^_`|~9"},
                         "a": {"type": ["integer", "null"], "x-mcp-header": "A"}}))
            .unwrap(),
            ["a=A", "b=B!#$%&'*+-.^_`|~9"]
        );
    }

    #[test]
    fn keys_and_data_that_only_look_like_annotations() {
        assert_eq!(names(json!({"x-mcp-header": {"type": "string"}})).unwrap(), [""; 0]);
        for keyword in ["const", "default", "enum", "examples"] {
            assert_eq!(
                names(json!({"a": {keyword: [{"x-mcp-header": "A"}]}})).unwrap(),
                [""; 0]
            );
        }
        let schema = json!({"description": "x-mcp-header \u{1F980}", "$defs": {"x-mcp-header": {"type": "string"}}});
        assert_eq!(of(&schema).unwrap(), [""; 0]);
    }

    #[test]
    fn invalid_names() {
        for name in [
            "",
            "My Region",
            "Region:Primary",
            "Région",
            "a\r\nb",
            "a\tb",
            "a\u{7F}",
            "a/b",
            "(a)",
            "a,b",
        ] {
            let result = names(json!({"a": {"type": "string", "x-mcp-header": name}}));
            assert_eq!(result, Err(ParamHeaderError::InvalidName(name.into())));
        }
        for name in [json!(1), json!(null), json!(true), json!(["A"]), json!({"a": "A"})] {
            assert_eq!(
                names(json!({"a": {"type": "string", "x-mcp-header": name}})),
                Err(ParamHeaderError::NotAString)
            );
        }
        for other in ["Region", "REGION"] {
            let nested = json!({"properties": {"b": {"type": "string", "x-mcp-header": other}}});
            let result = names(json!({"a": {"type": "string", "x-mcp-header": "Region"}, "n": nested}));
            assert!(matches!(result, Err(ParamHeaderError::Duplicate(_))), "{result:?}");
        }
    }

    #[test]
    fn only_primitive_types() {
        for declared in [
            json!("object"),
            json!("array"),
            json!("null"),
            json!("number"),
            json!(["string", "integer"]),
            json!(["null"]),
            json!([]),
            json!(["number", "null"]),
            json!(3),
            json!("String"),
        ] {
            let result = names(json!({"a": {"type": declared, "x-mcp-header": "A"}}));
            assert_eq!(result, Err(ParamHeaderError::NotPrimitive("A".into())), "{declared}");
        }
        assert_eq!(
            names(json!({"a": {"x-mcp-header": "A"}})),
            Err(ParamHeaderError::NotPrimitive("A".into()))
        );
    }

    #[test]
    fn only_statically_reachable_properties() {
        let string = json!({"type": "string", "x-mcp-header": "A"});
        let object = json!({"properties": {"a": string}});
        for schema in [
            string.clone(),
            json!({"items": string}),
            json!({"items": object}),
            json!({"properties": {"l": {"items": object}}}),
            json!({"prefixItems": [object]}),
            json!({"allOf": [object]}),
            json!({"properties": {"l": {"oneOf": [string]}}}),
            json!({"anyOf": [{"properties": {"l": object}}]}),
            json!({"not": object}),
            json!({"if": object}),
            json!({"then": object}),
            json!({"else": object}),
            json!({"$defs": {"d": object}}),
            json!({"$defs": {"d": string}, "properties": {"l": {"$ref": "#/$defs/d"}}}),
            json!({"additionalProperties": string}),
            json!({"patternProperties": {"^a": string}}),
            json!({"dependentSchemas": {"a": object}}),
            json!({"contains": string}),
            json!({"x-unknown": {"deep": [string]}}),
        ] {
            assert_eq!(of(&schema), Err(ParamHeaderError::Unreachable), "{schema}");
        }
    }

    #[test]
    fn hostile_schemas() {
        let deep = "{\"properties\":{\"x-mcp-header\":".repeat(100_000);
        assert_eq!(annotations(&deep), Err(ParamHeaderError::InvalidSchema));
        assert_eq!(annotations("x-mcp-header"), Err(ParamHeaderError::InvalidSchema));
        assert_eq!(annotations("[\"x-mcp-header\"]"), Ok(Vec::new()));
        let escaped = r#"{"properties":{"a":{"type":"string","x\u002dmcp-header":"A b"}}}"#;
        assert_eq!(annotations(escaped), Err(ParamHeaderError::InvalidName("A b".into())));
    }
}

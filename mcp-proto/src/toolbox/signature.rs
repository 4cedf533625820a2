//! What an application expects the arguments of a tool to be.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Json, Tool};

/// What an application expects the arguments of a tool to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signature {
    /// These arguments, by name: the tool takes each of them, and wants no other.
    Inputs(BTreeSet<String>),
    /// This schema. What is for people does not count: titles, descriptions, comments and examples.
    Schema(Json),
}

/// What is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// The names of arguments.
    Inputs {
        /// Those that were expected and that the tool does not take.
        unknown: Box<[Box<str>]>,
        /// Those that the tool wants and that were not expected.
        required: Box<[Box<str>]>,
    },
    /// The schemas differ.
    Schema {
        /// Where, as a JSON pointer.
        at: Box<str>,
    },
}

impl Signature {
    /// The arguments of these names.
    pub fn inputs<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::Inputs(names.into_iter().map(Into::into).collect())
    }

    /// Compares it with the tool of the server.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn check(&self, tool: &Tool) -> Result<(), Mismatch> {
        // Numbers out of range, or nested too deep: what it wants is not known.
        let unreadable = |_| Mismatch::Schema { at: "".into() };
        let actual: Value = tool.input_schema.decode().map_err(unreadable)?;
        match self {
            Self::Inputs(names) => check_inputs(names, &actual),
            Self::Schema(expected) => {
                let expected: Value = expected.decode().map_err(unreadable)?;
                match difference(&expected, &actual) {
                    None => Ok(()),
                    Some(at) => Err(Mismatch::Schema { at }),
                }
            }
        }
    }
}

fn check_inputs(names: &BTreeSet<String>, schema: &Value) -> Result<(), Mismatch> {
    let properties = schema.get("properties").and_then(Value::as_object);
    // A schema may say nothing of its properties, and then takes any.
    let takes_others = schema.get("additionalProperties") != Some(&Value::Bool(false))
        && (properties.is_none() || schema.get("additionalProperties").is_some());
    let is_known = |name: &String| takes_others || properties.is_some_and(|known| known.contains_key(name));
    let unknown: Box<[Box<str>]> = boxed(names.iter().filter(|name| !is_known(name)).map(String::as_str));
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let required = boxed(required.filter(|name| !names.contains(*name)));
    match unknown.is_empty() && required.is_empty() {
        true => Ok(()),
        false => Err(Mismatch::Inputs { unknown, required }),
    }
}

fn boxed<'a>(names: impl Iterator<Item = &'a str>) -> Box<[Box<str>]> {
    names.map(Into::into).collect()
}

/// What a value stands for within a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Schema,
    /// An object whose values are schemas; its keys are names.
    Named,
    /// An array of schemas.
    List,
    Plain,
}

/// The words of JSON Schema that say nothing of what is valid.
const FOR_PEOPLE: [&str; 6] = ["$schema", "$comment", "title", "description", "examples", "deprecated"];

impl Role {
    /// The role of the value of `key`.
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Named, _) => Self::Schema,
            (Self::Schema, "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas") => {
                Self::Named
            }
            (Self::Schema, "allOf" | "anyOf" | "oneOf" | "prefixItems") => Self::List,
            (
                Self::Schema,
                "items"
                | "additionalProperties"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
            ) => Self::Schema,
            _ => Self::Plain,
        }
    }
}

/// Where two schemas differ. Works through a list, not by recursion: one of them is the server's.
fn difference(expected: &Value, actual: &Value) -> Option<Box<str>> {
    let mut work = vec![(String::new(), Role::Schema, expected, actual)];
    while let Some((at, role, expected, actual)) = work.pop() {
        match (expected, actual) {
            (Value::Object(left), Value::Object(right)) => {
                let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys.into_iter().filter(|key| counts(role, key)) {
                    // In this order: else the `~` of a `~1` would be replaced again (RFC 6901, 3).
                    let inner = alloc::format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    match (left.get(key), right.get(key)) {
                        (Some(left), Some(right)) => work.push((inner, role.of(key), left, right)),
                        _ => return Some(inner.into()),
                    }
                }
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                let role = if role == Role::List { Role::Schema } else { Role::Plain };
                let pairs = left.iter().zip(right).enumerate();
                work.extend(pairs.map(|(n, (left, right))| (alloc::format!("{at}/{n}"), role, left, right)));
            }
            (left, right) if left.is_object() || left.is_array() || left != right => return Some(at.into()),
            _ => {}
        }
    }
    None
}

fn counts(role: Role, key: &str) -> bool {
    role != Role::Schema || !FOR_PEOPLE.contains(&key)
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inputs { unknown, required } => {
                f.write_str("its arguments are not those expected:")?;
                if !unknown.is_empty() {
                    write!(f, " it does not take {unknown:?}")?;
                }
                if !required.is_empty() {
                    write!(f, " it wants {required:?}")?;
                }
                Ok(())
            }
            Self::Schema { at } => write!(f, "its input schema is not the one expected, at {at:?}"),
        }
    }
}

impl core::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(schema: Value) -> Tool {
        Tool::new("t", Json::from(schema))
    }

    fn inputs(names: &[&str], schema: Value) -> Option<[Vec<Box<str>>; 2]> {
        match Signature::inputs(names.iter().copied()).check(&tool(schema)) {
            Ok(()) => None,
            Err(Mismatch::Inputs { unknown, required }) => Some([unknown.into(), required.into()]),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_of_arguments_are_compared_with_what_the_schema_says() {
        let schema = json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]});
        assert_eq!(inputs(&["a", "b"], schema.clone()), None);
        assert_eq!(inputs(&["a"], schema.clone()), None);
        let mismatch = inputs(&["b", "c"], schema.clone()).unwrap();
        assert_eq!(mismatch, [vec!["c".into()], vec!["a".into()]]);
        let mut open = schema;
        open["additionalProperties"] = json!({"type": "string"});
        assert_eq!(inputs(&["a", "c"], open.clone()), None);
        open["additionalProperties"] = json!(false);
        assert!(inputs(&["a", "c"], open).is_some());
    }

    #[test]
    fn a_schema_without_properties_takes_any_and_a_broken_one_too() {
        assert_eq!(inputs(&["a"], json!({"type": "object"})), None);
        assert_eq!(inputs(&["a"], json!(true)), None);
        assert_eq!(inputs(&["a"], json!({"properties": 5, "required": "a"})), None);
        assert!(inputs(&["a"], json!({"type": "object", "additionalProperties": false})).is_some());
        assert_eq!(
            inputs(&[], json!({"type": "object", "additionalProperties": false})),
            None
        );
    }

    #[test]
    fn schemas_are_compared_without_what_is_for_people() {
        let ours = json!({"type": "object", "properties": {"title": {"type": "string", "description": "x"}}, "required": ["title"]});
        let signature = Signature::Schema(ours.clone().into());
        let mut theirs = ours;
        theirs["title"] = json!("Args");
        theirs["properties"]["title"]["description"] = json!("y");
        assert_eq!(signature.check(&tool(theirs.clone())), Ok(()));
        theirs["properties"]["title"]["type"] = json!("number");
        let at = |at: &str| Err(Mismatch::Schema { at: at.into() });
        assert_eq!(signature.check(&tool(theirs.clone())), at("/properties/title/type"));
        theirs["properties"] = json!({"a/b": {}});
        assert_eq!(signature.check(&tool(theirs)), at("/properties/a~1b"));
    }

    #[test]
    fn a_property_named_as_a_word_for_people_counts() {
        let signature = Signature::Schema(json!({"properties": {"title": {}}}).into());
        assert!(signature.check(&tool(json!({"properties": {}}))).is_err());
        let lists = Signature::Schema(json!({"anyOf": [{"title": "a"}, {"enum": [1, 2]}]}).into());
        assert_eq!(lists.check(&tool(json!({"anyOf": [{}, {"enum": [1, 2]}]}))), Ok(()));
        assert!(lists.check(&tool(json!({"anyOf": [{}, {"enum": [2, 1]}]}))).is_err());
    }

    #[test]
    fn it_is_kept_as_json() {
        for signature in [
            Signature::inputs(["a"]),
            Signature::Schema(Json::parse(r#"{"b":1.0}"#).unwrap()),
        ] {
            let text = serde_json::to_string(&signature).unwrap();
            assert_eq!(serde_json::from_str::<Signature>(&text).unwrap(), signature, "{text}");
        }
    }

    #[test]
    fn a_schema_that_cannot_be_read_is_not_as_expected() {
        let deep = alloc::format!("{}{}", "[".repeat(200), "]".repeat(200));
        for odd in ["1e999", &deep] {
            let schema = alloc::format!(r#"{{"type":"object","required":["x"],"default":{odd}}}"#);
            let Ok(schema) = Json::parse(&schema) else { continue };
            let tool = Tool::new("t", schema.clone());
            for signature in [
                Signature::inputs(["a"]),
                Signature::inputs([""; 0]),
                Signature::Schema(schema),
            ] {
                assert!(signature.check(&tool).is_err(), "{odd} {signature:?}");
            }
        }
    }
}

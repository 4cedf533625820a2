//! Whether an answer is one to what was asked.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::jsonrpc::RawJson;
use crate::method::Method;

/// Whether `answer` fits what was asked with `params`, apart from its shape: a form that was accepted has the fields that
/// it must have, each of its kind.
///
/// What does not fit is asked for again (2026-07-28, Multi Round-Trip Requests, Error Handling: SHOULD).
pub(super) fn fits(method: Method, params: &RawJson, answer: &RawJson) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        action: alloc::string::String,
        content: Option<Value>,
    }
    #[derive(Deserialize)]
    struct Params {
        #[serde(rename = "requestedSchema")]
        schema: Option<Map<alloc::string::String, Value>>,
    }
    if method != Method::Elicit {
        return true;
    }
    let Ok(answer) = answer.decode::<Answer>() else {
        return false;
    };
    match answer.action.as_str() {
        "accept" => {}
        "decline" | "cancel" => return true,
        _ => return false,
    }
    let Ok(Params { schema: Some(schema) }) = params.decode() else {
        // By a visit of a URL: there is nothing to be filled in.
        return true;
    };
    match answer.content {
        Some(Value::Object(content)) => fills(&schema, &content),
        // A form without fields that must be there.
        None => fills(&schema, &Map::new()),
        Some(_) => false,
    }
}

fn fills(schema: &Map<alloc::string::String, Value>, content: &Map<alloc::string::String, Value>) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    let has = |name: &Value| name.as_str().is_none_or(|name| content.contains_key(name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_kind = |(name, value): (&alloc::string::String, &Value)| {
        let property = properties.and_then(|properties| properties.get(name));
        property.is_none_or(|property| is_of(property, value))
    };
    required.is_none_or(|required| required.iter().all(has)) && content.iter().all(is_kind)
}

/// Whether a value is of the kind that the schema of a field says; a schema of another kind says nothing here.
fn is_of(schema: &Value, value: &Value) -> bool {
    let is_one = |of: &Value, value: &Value| {
        let listed = of.get("enum").and_then(Value::as_array);
        let titled = of.get("oneOf").or_else(|| of.get("anyOf")).and_then(Value::as_array);
        listed.is_none_or(|listed| listed.contains(value))
            && titled.is_none_or(|titled| titled.iter().any(|one| one.get("const") == Some(value)))
    };
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => value.is_string() && is_one(schema, value),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        // JSON knows no integers: 3.0 is one.
        Some("integer") => value.as_f64().is_some_and(|value| value % 1.0 == 0.0),
        Some("array") => value.as_array().is_some_and(|values| {
            let items = schema.get("items").unwrap_or(&Value::Null);
            values.iter().all(|value| value.is_string() && is_one(items, value))
        }),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_is_accepted_is_filled_in() {
        let schema = r#"{"requestedSchema":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},
            "age":{"type":"integer"},"ok":{"type":"boolean"},"one":{"type":"string","enum":["a","b"]},
            "titled":{"type":"string","oneOf":[{"const":"x","title":"X"}]},
            "many":{"type":"array","items":{"type":"string","enum":["a"]}},"odd":{"type":"odd"}}}}"#;
        let params = RawJson::parse(schema).unwrap();
        for (answer, expected) in [
            (r#"{"action":"accept","content":{"name":"a"}}"#, true),
            (
                r#"{"action":"accept","content":{"name":"a","age":3.0,"ok":true,"one":"b","titled":"x","many":["a"]}}"#,
                true,
            ),
            (r#"{"action":"accept","content":{"name":"a","more":1,"odd":{}}}"#, true),
            (r#"{"action":"accept","content":{"name":1}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","age":1.5}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","ok":"yes"}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","one":"c"}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","titled":"y"}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","many":["b"]}}"#, false),
            (r#"{"action":"accept","content":{"name":"a","many":"a"}}"#, false),
            (r#"{"action":"accept","content":{}}"#, false),
            (r#"{"action":"accept","content":[]}"#, false),
            (r#"{"action":"accept"}"#, false),
            (r#"{"action":"decline"}"#, true),
            (r#"{"action":"cancel"}"#, true),
            (r#"{"action":"perhaps"}"#, false),
            ("12345", false),
            ("null", false),
            ("{}", false),
        ] {
            let answer = RawJson::parse(answer).unwrap();
            assert_eq!(fits(Method::Elicit, &params, &answer), expected, "{answer}");
        }
        let url = RawJson::parse(r#"{"mode":"url","url":"https://x","message":"m"}"#).unwrap();
        assert!(fits(
            Method::Elicit,
            &url,
            &RawJson::parse(r#"{"action":"accept"}"#).unwrap()
        ));
        assert!(fits(Method::ListRoots, &params, &RawJson::parse("1").unwrap()));
    }
}

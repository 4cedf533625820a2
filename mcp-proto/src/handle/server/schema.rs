//! JSON schemas of Rust types, draft 2020-12.

use alloc::string::{String, ToString};

use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The schema of the arguments of a tool: always one of an object (Tools, Data Types: MUST).
pub(super) fn of_arguments<T: JsonSchema>() -> String {
    let mut schema = schema::<T>(Contract::Deserialize);
    let takes_nothing = schema.get("type").and_then(Value::as_str) == Some("null");
    if takes_nothing || schema.as_object().is_none() {
        schema = Schema::default();
    }
    if takes_nothing {
        // 2026-07-28, Tools, Data Types: recommended for tools without parameters.
        schema.insert("additionalProperties".into(), false.into());
    }
    schema.insert("type".into(), "object".into());
    schema.to_value().to_string()
}

/// The schema of what a tool returns as data.
pub(super) fn of_output<T: JsonSchema>() -> String {
    schema::<T>(Contract::Serialize).to_value().to_string()
}

/// Without `$schema`: 2020-12 is what MCP assumes.
fn schema<T: JsonSchema>(contract: Contract) -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.contract = contract;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::server::NoArgs;

    #[test]
    fn of_no_arguments_nothing_is_said_to_the_model() {
        let schema: Value = serde_json::from_str(&of_arguments::<NoArgs>()).unwrap();
        assert_eq!(
            schema,
            serde_json::json!({"title": "NoArgs", "type": "object", "additionalProperties": false})
        );
    }
}

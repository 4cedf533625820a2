//! Tools whose schemas matter to the letter.

use mcp_proto::handle::server::{Context, ServerBuilder};
use mcp_proto::jsonrpc::RawJson;
use mcp_proto::model::{Json, Tool};
use serde_json::{Value, json};

pub(super) fn tools(builder: ServerBuilder) -> ServerBuilder {
    let every_keyword = tool(
        "json_schema_2020_12_tool",
        "Has a schema with many keywords",
        &every_keyword(),
    );
    let mirrored = tool(
        "test_custom_header",
        "Has an argument that travels in a header as well",
        &mirrored(),
    );
    builder
        .raw_tool(every_keyword, |arguments: RawJson, _: Context| async move {
            Ok(format!("Called with {}", arguments.as_str()))
        })
        .raw_tool(mirrored, |arguments: RawJson, _: Context| async move {
            Ok(format!("Called with {}", arguments.as_str()))
        })
}

fn tool(name: &str, description: &str, schema: &Value) -> Tool {
    Tool::new(
        name,
        Json::from_serialize(schema).unwrap_or_else(|_| Json::empty_object()),
    )
    .with_description(String::from(description))
}

fn every_keyword() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

fn mirrored() -> Value {
    json!({"type": "object", "properties": {"value": {"type": "string", "x-mcp-header": "Value"}}})
}

use alloc::string::ToString;

use super::{fault, rewrite, round_trip};
use crate::method::{ClientCapability, ServerCapability};
use crate::model::{
    CacheScope, CallToolParams, CallToolResult, ClientCapabilities, ElicitParams, ElicitSchema, Implementation, Json,
    ListToolsResult, LoggingLevel, Map, NumberSchema, PrimitiveSchema, ProgressParams, ProgressToken, ResourceContents,
    ResultType, ServerCapabilities, StringSchema, Tool,
};

#[test]
fn a_required_field_is_missed() {
    assert!(fault::<Tool>(r#"{"name":"t"}"#).contains("missing field `inputSchema`"));
    assert!(fault::<Implementation>(r#"{"name":"t","version":1}"#).contains("invalid type"));
    assert!(fault::<Tool>("[]").contains("an object (Tool)"));
    assert!(fault::<CallToolParams>(r#"{"name":"a","name":"b"}"#).contains("duplicate field `name`"));
}

#[test]
fn null_is_absent_but_for_data() {
    assert_eq!(
        rewrite::<CallToolParams>(r#"{"name":"a","arguments":null,"requestState":null}"#),
        r#"{"name":"a"}"#
    );
    let result: CallToolResult = round_trip(r#"{"content":[],"structuredContent":null}"#);
    assert_eq!(result.structured_content, Some(Json::null()));
}

#[test]
fn a_tool_result_without_content_is_read() {
    assert_eq!(
        rewrite::<CallToolResult>(r#"{"structuredContent":{"a":1}}"#),
        r#"{"content":[],"structuredContent":{"a":1}}"#
    );
}

/// rust-sdk#1094: an `input_required` result was taken for an empty result of a tool.
#[test]
fn the_type_of_a_result_is_known_before_it_is_decoded() {
    let of = ResultType::of_result;
    assert_eq!(of(r#"{"content":[]}"#), Ok(None));
    assert_eq!(
        of(r#"{"_meta":{},"resultType":"input_required"}"#),
        Ok(Some(ResultType::InputRequired))
    );
    assert_eq!(of(r#"{"resultType":"x"}"#), Ok(Some(ResultType::Other("x".into()))));
    assert!(of(r#"{"resultType":1}"#).is_err());
    assert!(of(r#"["input_required"]"#).is_err());
}

#[test]
fn arguments_and_schemas_keep_their_text() {
    round_trip::<CallToolParams>(r#"{"name":"t","arguments":{"z":1.0,"a":12345678901234567890123,"b":"\u00e9"}}"#);
    round_trip::<Tool>(
        r#"{"name":"t","inputSchema":{"type":"object","required":["b","a"],"$defs":{"z":{},"a":true}}}"#,
    );
}

#[test]
fn integers_may_be_written_as_floats() {
    let result: ListToolsResult = serde_json::from_str(r#"{"tools":[],"ttlMs":3e3,"cacheScope":"public"}"#).unwrap();
    assert_eq!(
        (result.ttl_ms, result.cache_scope),
        (Some(3000), Some(CacheScope::Public))
    );
    let progress: ProgressParams = serde_json::from_str(r#"{"progressToken":7.0,"progress":1,"total":2.5}"#).unwrap();
    assert_eq!(progress.progress_token, ProgressToken::Integer(7));
    assert_eq!(
        serde_json::to_string(&progress).unwrap(),
        r#"{"progressToken":7,"progress":1,"total":2.5}"#
    );
    for text in [
        r#"{"progressToken":7.5,"progress":1}"#,
        r#"{"progressToken":null,"progress":1}"#,
    ] {
        assert!(fault::<ProgressParams>(text).contains("a string or an integer"));
    }
    assert!(
        fault::<ProgressParams>(r#"{"progressToken":18446744073709551615,"progress":1}"#).contains("invalid value")
    );
}

#[test]
fn a_fault_in_a_hint_is_kept_aside() {
    let text = r#"{"tools":[],"ttlMs":-1,"cacheScope":[]}"#;
    let result: ListToolsResult = round_trip(text);
    assert_eq!((result.ttl_ms, &result.cache_scope), (None, &None));
    let set = ListToolsResult {
        ttl_ms: Some(5),
        ..result
    };
    assert_eq!(
        serde_json::to_string(&set).unwrap(),
        r#"{"tools":[],"ttlMs":5,"cacheScope":[]}"#
    );
    let text = r#"{"name":"t","inputSchema":{},"annotations":{"readOnlyHint":"yes","destructiveHint":true}}"#;
    let tool: Tool = serde_json::from_str(text).unwrap();
    let annotations = tool.annotations.unwrap();
    assert_eq!(
        (annotations.read_only_hint, annotations.destructive_hint),
        (None, Some(true))
    );
}

#[test]
fn levels_are_ordered_by_severity() {
    assert!(LoggingLevel::Debug < LoggingLevel::Info);
    assert!(LoggingLevel::Alert < LoggingLevel::Emergency);
    assert!(LoggingLevel::Emergency < LoggingLevel::from("x"));
    assert_eq!(LoggingLevel::from("warning"), LoggingLevel::Warning);
    assert_eq!(LoggingLevel::Warning.to_string(), "warning");
    assert!(fault::<LoggingLevel>("4").contains("a string (LoggingLevel)"));
}

#[test]
fn maps_keep_their_order_and_reject_doubles() {
    let map: Map<u8> = round_trip(r#"{"z":1,"a":2,"m":3}"#);
    assert_eq!(map.get("m"), Some(&3));
    assert!(fault::<Map<u8>>(r#"{"a":1,"b":2,"a":3}"#).contains("duplicate key \"a\""));
}

#[test]
fn capabilities_answer_the_table_of_methods() {
    let client: ClientCapabilities =
        round_trip(r#"{"roots":{"listChanged":true},"sampling":{"tools":{}},"elicitation":{"url":{}},"x":1}"#);
    assert!(client.has(ClientCapability::RootsListChanged));
    assert!(client.has(ClientCapability::ElicitationUrl));
    assert!(!client.has(ClientCapability::Tasks));
    assert!(!client.elicitation.unwrap().has_form());
    let server: ServerCapabilities =
        round_trip(r#"{"tools":{},"resources":{"subscribe":true},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#);
    assert!(server.has(ServerCapability::Tools) && !server.has(ServerCapability::ToolsListChanged));
    assert!(server.has(ServerCapability::ResourcesSubscribe) && !server.has(ServerCapability::Prompts));
    assert!(server.has(ServerCapability::Tasks) && !server.has(ServerCapability::TasksList));
}

#[test]
fn elicitation_without_a_mode_is_a_form() {
    let form: ElicitParams = round_trip(
        r#"{"message":"m","requestedSchema":{"type":"object","properties":{"z":{"type":"string","format":"email"},"a":{"type":"integer","minimum":1},"s":{"type":"string","enum":["x"],"enumNames":["X"]},"m":{"type":"array","items":{"anyOf":[{"const":"c","title":"t"}]}},"o":{"type":"object"}},"required":["z"]}}"#,
    );
    let ElicitParams::Form(form) = form else { panic!() };
    let kinds: alloc::vec::Vec<_> = form
        .requested_schema
        .properties
        .into_iter()
        .map(|(_, schema)| schema)
        .collect();
    assert!(matches!(
        kinds[..],
        [
            PrimitiveSchema::String(_),
            PrimitiveSchema::Number(_),
            PrimitiveSchema::SingleSelect(_),
            PrimitiveSchema::MultiSelect(_),
            PrimitiveSchema::Other(_)
        ]
    ));
    assert!(matches!(
        round_trip(r#"{"mode":"url","message":"m","url":"https://a.b/","elicitationId":"1"}"#),
        ElicitParams::Url(_)
    ));
    assert!(matches!(
        round_trip(r#"{"mode":"x-voice","message":5}"#),
        ElicitParams::Other(_)
    ));
    assert!(fault::<ElicitParams>(r#"{"mode":"url","message":"m"}"#).contains("missing field `url`"));
    assert!(fault::<ElicitParams>("[]").contains("an object"));
}

#[test]
fn forms_are_easily_made() {
    let schema = ElicitSchema::default()
        .required("name", StringSchema::default())
        .optional("age", NumberSchema::integer());
    assert_eq!(
        serde_json::to_string(&ElicitParams::form("m", schema)).unwrap(),
        r#"{"message":"m","requestedSchema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name"]}}"#
    );
    assert_eq!(
        serde_json::to_string(&ElicitParams::url("m", "u")).unwrap(),
        r#"{"mode":"url","message":"m","url":"u"}"#
    );
}

#[test]
fn contents_of_both_kinds_are_text() {
    let contents: ResourceContents = round_trip(r#"{"uri":"a:b","text":"t","blob":"AA=="}"#);
    assert!(matches!(contents, ResourceContents::Text(_)));
}

#[test]
fn results_are_easily_made() {
    let text = |result: &CallToolResult| serde_json::to_string(result).unwrap();
    assert_eq!(
        text(&CallToolResult::text("a")),
        r#"{"content":[{"type":"text","text":"a"}]}"#
    );
    assert_eq!(
        text(&CallToolResult::error("a")),
        r#"{"content":[{"type":"text","text":"a"}],"isError":true}"#
    );
    assert_eq!(
        text(&CallToolResult::structured(&[1]).unwrap()),
        r#"{"content":[{"type":"text","text":"[1]"}],"structuredContent":[1]}"#
    );
}

use alloc::string::String;

use super::{fault, round_trip};
use crate::model::{
    CallToolResult, ContentBlock, CreateMessageResult, Json, PromptMessage, Role, SamplingContent, SamplingMessage,
};

#[test]
fn each_kind_survives_with_what_is_unknown() {
    for text in [
        r#"{"type":"text","text":"a\n\u0007","annotations":{"audience":["user"],"priority":0.5},"_meta":{"k":1.0},"x":{"b":1,"a":[1e3]}}"#,
        r#"{"type":"image","data":"AA==","mimeType":"image/png","annotations":{"lastModified":"2025-01-12T15:00:58Z"},"x":1}"#,
        r#"{"type":"audio","data":"AA==","mimeType":"audio/wav","_meta":{"a/b":null},"x":null}"#,
        r#"{"type":"resource_link","uri":"a:b","name":"n","title":"t","description":"d","mimeType":"m","size":3,"icons":[{"src":"s","sizes":["any"],"theme":"dark","x":1}],"annotations":{"priority":1},"_meta":{"k":1},"x":[]}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","text":"t","mimeType":"m","_meta":{"k":1},"x":1},"x":2}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","blob":"AA=="}}"#,
        r#"{"type":"tool_use","id":"1","name":"n","input":{"b":1,"a":2},"x":1}"#,
        r#"{"type":"tool_result","toolUseId":"1","content":[{"type":"text","text":"t"}],"structuredContent":null,"isError":false,"x":1}"#,
    ] {
        assert!(!matches!(round_trip(text), ContentBlock::Other(_)), "{text}");
    }
}

#[test]
fn an_unknown_kind_is_kept_whole() {
    let text = r#"{"type":"x-video","text":5,"nested":{"b":1.0,"a":[]}}"#;
    let ContentBlock::Other(json) = round_trip(text) else {
        panic!()
    };
    assert_eq!(json.as_str(), text);
    round_trip::<ContentBlock>(r#"{"text":5,"type":"x-video"}"#);
    let odd = r#"{"type":"a\"b\\c","k\"":1}"#;
    assert!(matches!(round_trip(odd), ContentBlock::Other(_)));
}

#[test]
fn the_kind_may_come_at_any_place() {
    let block: ContentBlock =
        serde_json::from_str(r#"{"annotations":{"audience":["user"]},"text":"t","x":1,"type":"text"}"#).unwrap();
    let ContentBlock::Text(content) = block else { panic!() };
    assert_eq!(content.text, "t");
    assert_eq!(content.extra.get("x").map(Json::as_str), Some("1"));
    assert_eq!(content.annotations.unwrap().audience.unwrap(), [Role::User]);
}

#[test]
fn faults_are_errors() {
    assert!(fault::<ContentBlock>("{}").contains("missing field `type`"));
    assert!(fault::<ContentBlock>(r#"{"text":"t"}"#).contains("missing field `type`"));
    assert!(fault::<ContentBlock>(r#"{"type":1}"#).contains("invalid type"));
    assert!(fault::<ContentBlock>(r#"{"type":"text"}"#).contains("missing field `text`"));
    assert!(fault::<ContentBlock>(r#"{"type":"text","text":null}"#).contains("invalid type"));
    assert!(fault::<ContentBlock>(r#"{"type":"text","text":"a","text":"b"}"#).contains("duplicate field `text`"));
    assert!(fault::<ContentBlock>(r#"{"type":"text","type":"image","text":"a"}"#).contains("the string \"text\""));
    assert!(fault::<ContentBlock>(r#"{"text":"a","type":"text","type":"image"}"#).contains("the string \"text\""));
    assert!(fault::<ContentBlock>(r#"["text"]"#).contains("an object"));
    assert!(fault::<ContentBlock>(r#"{"type":"resource","resource":{"uri":"a:b"}}"#).contains("`text` or `blob`"));
}

/// openai/codex#29002: one unknown word in an annotation made a whole tool result unreadable.
#[test]
fn a_fault_in_an_annotation_fails_nothing() {
    let text = concat!(
        r#"{"content":[{"type":"text","text":"t","annotations":{"priority":0.5,"audience":["agent"]}},"#,
        r#"{"type":"text","text":"u","annotations":{"audience":[7],"priority":"high"}},"#,
        r#"{"type":"text","text":"v","annotations":"none"}]}"#
    );
    let result: CallToolResult = serde_json::from_str(text).unwrap();
    let [
        ContentBlock::Text(first),
        ContentBlock::Text(second),
        ContentBlock::Text(third),
    ] = &result.content[..]
    else {
        panic!()
    };
    let audience = first.annotations.as_ref().unwrap().audience.as_ref().unwrap();
    assert_eq!(audience[..], [Role::Other("agent".into())]);
    let second = second.annotations.as_ref().unwrap();
    assert_eq!((&second.audience, &second.priority), (&None, &None));
    assert_eq!(second.extra.get("priority").map(Json::as_str), Some("\"high\""));
    assert_eq!(third.annotations, None);
    let written = serde_json::to_string(&result).unwrap();
    for kept in [
        r#""audience":["agent"]"#,
        r#""audience":[7]"#,
        r#""priority":"high""#,
        r#""annotations":"none""#,
    ] {
        assert!(written.contains(kept), "{kept} in {written}");
    }
}

#[test]
fn sampled_content_is_one_block_or_several() {
    let one = r#"{"role":"user","content":{"type":"text","text":"t"},"_meta":{"k":1},"x":1}"#;
    let message: SamplingMessage = round_trip(one);
    assert_eq!(message.content.blocks(), [ContentBlock::text("t")]);
    let many = r#"{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"n","input":{}},{"type":"x"}],"model":"m","stopReason":"toolUse"}"#;
    let result: CreateMessageResult = round_trip(many);
    assert_eq!(result.content.blocks().len(), 2);
    assert_eq!(SamplingContent::from(ContentBlock::text("t")).into_blocks().len(), 1);
    assert!(fault::<SamplingMessage>(r#"{"role":"user","content":"t"}"#).contains("content block"));
    round_trip::<PromptMessage>(r#"{"role":"x-system","content":{"type":"text","text":"t"}}"#);
}

#[test]
fn tool_results_do_not_nest() {
    let text =
        r#"{"type":"tool_result","toolUseId":"1","content":[{"type":"tool_result","toolUseId":"2","content":[]}]}"#;
    let ContentBlock::ToolResult(content) = round_trip(text) else {
        panic!()
    };
    assert!(matches!(content.content[..], [ContentBlock::Other(_)]));

    let mut deep = String::new();
    for _ in 0..50_000 {
        deep.push_str(r#"{"content":["#);
    }
    for _ in 0..50_000 {
        deep.push_str(r#"],"toolUseId":"1","type":"tool_result"}"#);
    }
    // Read or refused, but neither endless nor out of stack.
    let _ = serde_json::from_str::<ContentBlock>(&deep);
}

#[test]
fn sizes_stay_small() {
    assert!(size_of::<ContentBlock>() <= 72, "{}", size_of::<ContentBlock>());
}

use super::{fault, rewrite, round_trip};
use crate::model::{
    CallToolParams, ClientCapabilities, Implementation, Json, LoggingLevel, Meta, ProgressToken, RequestId,
    RequestParams, meta_key,
};

#[test]
fn an_empty_meta_is_never_written() {
    assert_eq!(rewrite::<RequestParams>(r#"{"_meta":{}}"#), "{}");
    assert_eq!(rewrite::<RequestParams>(r#"{"_meta":null}"#), "{}");
    let params = CallToolParams {
        meta: Some(Meta::new()),
        ..CallToolParams::new("t")
    };
    assert_eq!(serde_json::to_string(&params).unwrap(), r#"{"name":"t"}"#);
}

#[test]
fn values_keep_order_and_text() {
    let text = r#"{"_meta":{"z":1.0,"progressToken":"p","a/b":{"y":1e2,"x":null},"z":2}}"#;
    let params: RequestParams = round_trip(text);
    let meta = params.meta.unwrap();
    assert_eq!(meta.len(), 4);
    assert_eq!(meta.get("a/b").map(Json::as_str), Some(r#"{"y":1e2,"x":null}"#));
}

#[test]
fn a_reserved_key_is_not_there_twice() {
    let text = r#"{"_meta":{"progressToken":1,"x":0,"progressToken":2}}"#;
    assert!(fault::<RequestParams>(text).contains("duplicate field `progressToken`"));
    assert!(fault::<RequestParams>(r#"{"_meta":{},"_meta":{}}"#).contains("duplicate field `_meta`"));
    assert!(fault::<RequestParams>(r#"{"_meta":[]}"#).contains("an object (_meta)"));
    assert!(fault::<RequestParams>(r#"{"_meta":"x"}"#).contains("an object (_meta)"));
}

#[test]
fn reserved_keys_are_typed() {
    let mut meta = Meta::new();
    meta.set_progress_token(&7.into());
    meta.set_protocol_version(&"2026-07-28".into());
    meta.set_client_info(&Implementation::new("c", "1"));
    meta.set_client_capabilities(&ClientCapabilities::default());
    meta.set_log_level(&LoggingLevel::Notice);
    meta.set_subscription_id(&RequestId::from("s"));
    assert_eq!(meta.progress_token(), Ok(Some(ProgressToken::Integer(7))));
    assert_eq!(meta.protocol_version(), Ok(Some("2026-07-28".into())));
    assert_eq!(meta.client_info(), Ok(Some(Implementation::new("c", "1"))));
    assert_eq!(meta.client_capabilities(), Ok(Some(ClientCapabilities::default())));
    assert_eq!(meta.log_level(), Ok(Some(LoggingLevel::Notice)));
    assert_eq!(meta.subscription_id(), Ok(Some("s".into())));
    assert_eq!(meta.server_info(), Ok(None));
    meta.insert(meta_key::SERVER_INFO, Json::null());
    assert!(meta.server_info().is_err());
    assert_eq!(meta.remove(meta_key::SERVER_INFO), Some(Json::null()));
    assert_eq!(meta.len(), 6);
    assert!(meta.iter().all(|(key, _)| meta_key::RESERVED.contains(&key)));
}

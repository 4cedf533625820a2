//! Round trips of literal JSON, the rules of fields, and the kinds of content.

mod content;
mod fields;
mod meta;
mod round_trip;
mod task;

use core::fmt::Debug;

use alloc::string::String;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads `text` and writes it again.
fn rewrite<T: Serialize + DeserializeOwned>(text: &str) -> String {
    let value: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    serde_json::to_string(&value).unwrap()
}

/// Reads `text` as a `T` from a string, from bytes behind a raw value and from a parsed value: all are equal, and
/// written they are `text` again.
#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> T {
    let value: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    let raw: alloc::boxed::Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::from_str::<T>(raw.get()).unwrap(), value);
    assert_eq!(
        super::Json::from_serialize(&value).unwrap().decode::<T>().unwrap(),
        value
    );
    value
}

/// The error of reading `text` as a `T`.
#[track_caller]
fn fault<T: DeserializeOwned + Debug>(text: &str) -> String {
    alloc::string::ToString::to_string(&serde_json::from_str::<T>(text).unwrap_err())
}

/// Every request and notification type has the names that the table of methods gives it.
#[test]
fn types_agree_with_the_table_of_methods() {
    use crate::method::{Kind, Method};

    let last = |name: &'static str| name.rsplit("::").next();
    let mut methods = alloc::vec::Vec::new();
    for (method, params, result) in super::request::types() {
        assert_eq!(last(params), Some(method.params_type()), "{method}");
        assert_eq!(last(result), method.result_type(), "{method}");
        assert_eq!(method.kind(), Kind::Request);
        methods.push(method);
    }
    for (method, params) in super::notification::types() {
        assert_eq!(last(params), Some(method.params_type()), "{method}");
        assert_eq!(method.kind(), Kind::Notification);
        methods.push(method);
    }
    assert_eq!(methods, Method::ALL);
}

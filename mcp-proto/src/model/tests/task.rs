use super::{fault, round_trip};
use crate::model::{
    CallToolResult, CancelTaskResult, CreateTaskResult, GetTaskPayloadResult, GetTaskResult, InputRequest,
    InputRequiredResult, ResultType, Task, TaskStatus, TaskStatusParams, Ttl, request,
};

#[test]
fn a_task_in_both_revisions() {
    let legacy: Task = round_trip(
        r#"{"taskId":"t","status":"working","createdAt":"c","lastUpdatedAt":"u","ttl":null,"pollInterval":5,"x":1}"#,
    );
    assert_eq!(
        (legacy.lifetime(), legacy.interval_ms()),
        (Some(Ttl::Unlimited), Some(5))
    );
    let modern: Task = round_trip(
        r#"{"taskId":"t","status":"failed","createdAt":"c","lastUpdatedAt":"u","ttlMs":60000,"pollIntervalMs":5,"error":{"code":-32603,"message":"m","data":null,"x":1}}"#,
    );
    assert_eq!(
        (modern.lifetime(), modern.interval_ms()),
        (Some(Ttl::Millis(60_000)), Some(5))
    );
    assert!(modern.status.is_terminal());
    assert!(!TaskStatus::from("x-paused").is_terminal());
    assert!(fault::<Task>(r#"{"taskId":"t","status":"working"}"#).contains("missing field `createdAt`"));
}

#[test]
fn a_flat_result_is_a_task_and_more() {
    let text = r#"{"resultType":"complete","taskId":"t","status":"completed","createdAt":"c","lastUpdatedAt":"u","ttlMs":null,"result":{"content":[]},"x":1,"_meta":{"k":1}}"#;
    let result: GetTaskResult = round_trip(text);
    assert_eq!(result.result_type, Some(ResultType::Complete));
    assert_eq!(result.task.ttl_ms, Some(Ttl::Unlimited));
    round_trip::<TaskStatusParams>(
        r#"{"taskId":"t","status":"x","createdAt":"c","lastUpdatedAt":"u","_meta":{"k":1}}"#,
    );
    let twice = text.replace(r#""x":1"#, r#""resultType":"task""#);
    assert!(fault::<GetTaskResult>(&twice).contains("duplicate field `resultType`"));
}

#[test]
fn cancelling_returns_a_task_or_nothing() {
    assert_eq!(
        round_trip::<CancelTaskResult>(r#"{"resultType":"complete","x":1}"#).task,
        None
    );
    let text = r#"{"taskId":"t","status":"cancelled","createdAt":"c","lastUpdatedAt":"u","ttl":1,"x":1}"#;
    assert!(round_trip::<CancelTaskResult>(text).task.is_some());
    assert!(fault::<CancelTaskResult>(r#"{"taskId":"t"}"#).contains("missing field"));
}

#[test]
fn a_new_task_is_nested_or_flat() {
    let task = r#""taskId":"t","status":"working","createdAt":"c","lastUpdatedAt":"u","ttlMs":1"#;
    let nested: CreateTaskResult = round_trip(&alloc::format!(r#"{{"task":{{{task}}},"_meta":{{"k":1}},"x":1}}"#));
    let flat: CreateTaskResult = round_trip(&alloc::format!(r#"{{"resultType":"task",{task},"x":1}}"#));
    assert_eq!(nested.task.task_id, flat.task.task_id);
    assert!(fault::<CreateTaskResult>(r#"{"content":[]}"#).contains("missing field `task`"));
}

#[test]
fn a_payload_is_the_result_of_the_request() {
    let text =
        r#"{"content":[{"type":"text","text":"t"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}}"#;
    let payload: GetTaskPayloadResult = round_trip(text);
    assert_eq!(payload.decode::<CallToolResult>().unwrap(), CallToolResult::text("t"));
    assert_eq!(payload.meta.unwrap().related_task().unwrap().unwrap().task_id, "t");
    assert!(GetTaskPayloadResult::from_result(&1).is_err());
}

#[test]
fn input_requests_are_decoded_by_method() {
    let text = r#"{"resultType":"input_required","inputRequests":{"z":{"method":"roots/list","x":1},"a":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"s"}"#;
    let result: InputRequiredResult = round_trip(text);
    let requests = result.input_requests.unwrap();
    let roots = requests.get("z").unwrap();
    assert!(roots.params_of::<request::ListRoots>().unwrap().is_ok());
    assert!(roots.params_of::<request::Elicit>().is_none());
    let elicit = requests.get("a").unwrap();
    let params = elicit.params_of::<request::Elicit>().unwrap().unwrap();
    assert_eq!(InputRequest::elicit(&params).unwrap(), *elicit);
    assert!(fault::<InputRequiredResult>(r#"{"requestState":"s"}"#).contains("missing field `resultType`"));
}

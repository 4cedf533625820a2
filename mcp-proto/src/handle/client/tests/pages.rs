//! Lists page by page, and results that are kept.

use super::*;
use crate::model::CacheScope;
use crate::rpc::SendError;

fn answer_to(pump: &ClientPump, request: &Value, result: &Value) {
    let mut result = result.clone();
    result["resultType"] = json!("complete");
    answer(pump, &json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
}

fn page(names: &[&str], next: Option<&str>, ttl: u64, scope: &str) -> Value {
    let prompts: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    let mut page = json!({"prompts": prompts, "ttlMs": ttl, "cacheScope": scope});
    if let Some(next) = next {
        page["nextCursor"] = json!(next);
    }
    page
}

#[test]
fn a_list_is_awaited_whole_with_the_least_that_its_pages_say() {
    let (client, pump) = modern();
    let mut all = pin!(client.list_prompts().into_future());
    assert!(poll(all.as_mut()).is_pending());
    let first = written(&pump).remove(0);
    assert_eq!(first["method"], "prompts/list");
    answer_to(&pump, &first, &page(&["a", "b"], Some("2"), 9_000, "public"));
    assert!(poll(all.as_mut()).is_pending());
    let second = written(&pump).remove(0);
    assert_eq!(second["params"]["cursor"], "2");
    answer_to(&pump, &second, &page(&["c"], None, 5_000, "private"));
    let Poll::Ready(Ok(listed)) = poll(all.as_mut()) else {
        panic!()
    };
    let names: Vec<_> = listed.iter().map(|prompt| prompt.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        (listed.ttl(), listed.scope()),
        (Duration::from_secs(5), CacheScope::Private)
    );
}

#[test]
fn pages_come_one_by_one_and_a_circle_of_cursors_is_an_error() {
    let (client, pump) = modern();
    let mut pages = client.list_prompts();
    let mut next = |pump: &ClientPump, expected: Option<&str>, answer: Value| {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(pages.poll_next(cx).is_pending());
        let request = written(pump).remove(0);
        assert_eq!(request["params"]["cursor"].as_str(), expected);
        answer_to(pump, &request, &answer);
        pages.poll_next(cx)
    };
    let first = next(&pump, None, page(&["a"], Some("2"), 0, "private"));
    assert!(matches!(first, Poll::Ready(Some(Ok(prompts))) if prompts.len() == 1));
    let circle = next(&pump, Some("2"), page(&["b"], Some("2"), 0, "private"));
    assert!(matches!(circle, Poll::Ready(Some(Err(CallError::InvalidReply(_))))));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(
        matches!(pages.poll_next(cx), Poll::Ready(None)),
        "after an error there is nothing more"
    );
}

#[test]
fn what_is_fresh_is_not_asked_again_until_it_changes_or_its_time_is_over() {
    let (client, pump) = modern();
    let read = |is_kept: bool| {
        let mut read = Box::pin(client.read_resource("a:1"));
        let _ = poll(read.as_mut());
        let sent = written(&pump);
        assert_eq!(sent.is_empty(), is_kept);
        if let Some(request) = sent.first() {
            answer_to(
                &pump,
                request,
                &json!({"contents": [{"uri": "a:1", "text": "x"}], "ttlMs": 5_000}),
            );
        }
        let Poll::Ready(Ok(result)) = poll(read.as_mut()) else {
            panic!()
        };
        assert_eq!(result.contents.len(), 1);
    };
    read(false);
    read(true);
    let updated = json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "a:1"}});
    answer(&pump, &updated);
    read(false);
    read(true);
    assert_eq!(pump.deadline(), Some(at(5)), "the only thing that waits for anything");
    pump.handle_timeout(at(5));
    read(false);
    client.forget_results();
    read(false);
    // Whoever says so is not served from what is kept.
    let mut fresh = pin!(client.read_resource("a:1").uncached());
    assert!(poll(fresh.as_mut()).is_pending());
    assert_eq!(written(&pump).len(), 1);
}

#[test]
fn the_arguments_of_a_prompt_are_strings_or_it_is_not_sent() {
    let (client, pump) = modern();
    let mut call = pin!(client.get_prompt("greet", json!({"name": "x"})));
    assert!(poll(call.as_mut()).is_pending());
    let sent = written(&pump);
    assert_eq!(sent[0]["params"]["name"], "greet");
    assert_eq!(sent[0]["params"]["arguments"], json!({"name": "x"}));
    let mut call = pin!(client.get_prompt("greet", json!({"name": 1})));
    let refused = poll(call.as_mut());
    assert!(matches!(
        refused,
        Poll::Ready(Err(CallError::Refused(SendError::InvalidParams(_))))
    ));
    let mut call = pin!(client.get_prompt("greet", ()));
    assert!(poll(call.as_mut()).is_pending());
    assert!(written(&pump)[0]["params"].get("arguments").is_none());
}

//! A call has one time-out, whatever requests it takes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Mutex;

use super::{World, named, run};
use crate::client::{Mode, ToolList};
use crate::handle::client::Answered;
use crate::jsonrpc::{ErrorCode, ErrorObject, Notification, RawJson};
use crate::rpc::{CallError, CallOptions, Phase};
use crate::toolbox::{CallRequest, NotificationStream, RemoteTool, SourceFuture, ToolCallError, ToolSource, Toolbox};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A request, how long it may take, and how much of that is spent.
type Asked = (&'static str, Option<Duration>, Duration);

/// A server that takes its time, and what was asked of it.
#[derive(Clone, Debug)]
struct Slow {
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Its list, or the time after which it is not waited for any more.
    lists: Result<ToolList, Duration>,
    takes: Duration,
}

#[derive(Debug)]
struct Silent;

impl NotificationStream for Silent {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Notification>> {
        Poll::Pending
    }

    fn missed(&self) -> u64 {
        0
    }
}

impl ToolSource for Slow {
    fn call(&self, request: CallRequest) -> SourceFuture<RawJson> {
        self.asked
            .lock()
            .unwrap()
            .push(("call", request.options.timeout, request.spent));
        let refused = ErrorObject::new(ErrorCode::INVALID_PARAMS, "no");
        let answered = Answered {
            outcome: Err(CallError::Rpc(refused)),
            spent: request.spent + self.takes,
        };
        Box::pin(async { answered })
    }

    fn tools(&self, options: CallOptions, spent: Duration) -> SourceFuture<ToolList> {
        self.asked.lock().unwrap().push(("list", options.timeout, spent));
        let phase = Phase::Request;
        let outcome = self.lists.clone().map_err(|after| CallError::Timeout { phase, after });
        let spent = spent + self.takes;
        Box::pin(async move { Answered::new(outcome, spent) })
    }

    fn forget_tools(&self) {}

    fn notifications(&self) -> Box<dyn NotificationStream> {
        Box::new(Silent)
    }
}

/// One that has this tool, and takes so long for everything.
fn slow(tool: &str, takes: Duration) -> Slow {
    let (client, mut world) = World::new(Mode::Modern, named("slow", &[tool]));
    let list = run(&mut [&mut world], client.list_tools()).unwrap();
    Slow {
        asked: Arc::default(),
        lists: Ok(list),
        takes,
    }
}

fn asked(slow: &Slow) -> Vec<Asked> {
    core::mem::take(&mut *slow.asked.lock().unwrap())
}

#[test]
fn what_finding_the_tool_took_is_taken_off_what_the_call_gets() {
    let timeout = Some(secs(10));
    let (first, second) = (slow("echo", secs(2)), slow("other", secs(3)));
    let toolbox = Toolbox::builder()
        .server("a", first.clone())
        .server("b", second.clone())
        .build();
    let outcome = run(&mut [], toolbox.call("echo", ()).timeout(secs(10)));
    assert!(matches!(outcome, Err(ToolCallError::Call { .. })), "{outcome:?}");
    // They are asked at once, and all are waited for; then the call; then the list once more.
    assert_eq!(asked(&second), vec![("list", timeout, secs(0))]);
    assert_eq!(
        asked(&first),
        vec![
            ("list", timeout, secs(0)),
            ("call", timeout, secs(3)),
            ("list", timeout, secs(5))
        ]
    );
}

#[test]
fn a_server_whose_list_does_not_come_in_time_takes_all_of_it() {
    let first = slow("echo", secs(2));
    let second = Slow {
        lists: Err(secs(10)),
        ..slow("other", secs(0))
    };
    let toolbox = Toolbox::builder()
        .server("a", first.clone())
        .server("b", second)
        .build();
    drop(run(&mut [], toolbox.call("echo", ()).timeout(secs(10))));
    assert_eq!(asked(&first)[1], ("call", Some(secs(10)), secs(10)));
}

#[test]
fn what_the_call_took_is_taken_off_what_the_look_at_the_list_gets() {
    let source = slow("other", secs(4));
    let tool = RemoteTool::new(source.clone(), "echo");
    let outcome = run(&mut [], tool.call(()).timeout(secs(10)));
    assert!(matches!(outcome, Err(ToolCallError::Find(_))), "{outcome:?}");
    let timeout = Some(secs(10));
    assert_eq!(
        asked(&source),
        vec![("call", timeout, secs(0)), ("list", timeout, secs(4))]
    );
}

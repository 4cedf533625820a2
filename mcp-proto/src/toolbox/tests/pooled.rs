//! A box over sessions of a pool.

use alloc::boxed::Box;
use core::pin::Pin;

use super::*;
use crate::handle::Timer;
use crate::handle::sessions::{Connected, Sessions};
use crate::rpc::CallError;
use crate::sessions::SessionsConfig;
use crate::toolbox::{ServerTools, Toolbox, ToolboxChanges};

struct NoTime;

impl Timer for NoTime {
    fn now(&self) -> Time {
        Time::ORIGIN
    }

    fn poll(&mut self, _: &mut Context<'_>, _: Option<Time>) -> Poll<()> {
        Poll::Pending
    }
}

/// A pool whose keys are the names of servers with one tool, `a`, and how many connections were made.
struct Pool {
    sessions: Sessions<String>,
    driver: Pin<Box<dyn Future<Output = ()>>>,
    made: Arc<AtomicUsize>,
}

impl Pool {
    fn new(mode: Mode) -> Self {
        let made = Arc::new(AtomicUsize::default());
        let counted = made.clone();
        let connect = move |name: &String| {
            counted.fetch_add(1, Ordering::Relaxed);
            let (client, mut world) = World::new(mode, named(name, &["a"]));
            let driver = poll_fn(move |cx| world.crossing.poll(cx, Time::ORIGIN, |_, _| Poll::Pending));
            core::future::ready(Ok(Connected::new(client, driver)))
        };
        let (sessions, driver) = Sessions::new(SessionsConfig::default(), connect);
        let driver = Box::pin(driver.run(NoTime));
        Self { sessions, driver, made }
    }

    fn toolbox(&self) -> Toolbox {
        let tools = |name: &str| ServerTools::new(self.sessions.session(name)).prefix(format!("{name}_"));
        Toolbox::builder()
            .server("one", tools("one"))
            .server("two", tools("two"))
            .build()
    }

    fn run<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let cx = &mut Context::from_waker(Waker::noop());
        for _ in 0..1_000 {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            assert!(self.driver.as_mut().poll(cx).is_pending());
        }
        panic!("it hangs");
    }

    /// What has changed by the time that nothing goes on any more.
    fn changed(&mut self, changes: &mut ToolboxChanges) -> Vec<String> {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut changed = Vec::new();
        for _ in 0..20 {
            if let Poll::Ready(Some(server)) = changes.poll_next(cx) {
                changed.push(server.into());
            }
            assert!(self.driver.as_mut().poll(cx).is_pending());
        }
        changed
    }
}

#[test]
fn a_box_over_sessions_connects_when_it_is_used_and_again_when_they_are_gone() {
    for mode in ERAS {
        let mut pool = Pool::new(mode);
        let toolbox = pool.toolbox();
        assert_eq!((pool.made.load(Ordering::Relaxed), pool.sessions.len()), (0, 0));
        let result = pool.run(toolbox.call("two_a", ())).unwrap();
        assert_eq!(
            (result.to_text().as_str(), pool.made.load(Ordering::Relaxed)),
            ("two.a", 1)
        );
        let list = pool.run(toolbox.list());
        assert_eq!((list.tools.len(), list.problems.len()), (2, 0));
        assert_eq!(pool.made.load(Ordering::Relaxed), 2);
        pool.sessions.evict("two");
        let result = pool.run(toolbox.call("two_a", ()).idempotent()).unwrap();
        assert_eq!(
            (result.to_text().as_str(), pool.made.load(Ordering::Relaxed)),
            ("two.a", 3)
        );
    }
}

#[test]
fn the_tools_of_a_session_that_is_gone_may_have_changed() {
    let mut pool = Pool::new(ERAS[1]);
    let toolbox = pool.toolbox();
    pool.run(toolbox.list());
    let mut changes = toolbox.changes();
    assert!(pool.changed(&mut changes).is_empty());
    pool.sessions.evict("one");
    assert_eq!(pool.changed(&mut changes), ["one"]);
    pool.run(toolbox.list());
    assert!(pool.changed(&mut changes).is_empty());
}

#[test]
fn a_subscription_that_cannot_be_made_is_told() {
    let connect = |_: &String| core::future::ready(Err(CallError::Unreachable("down".into())));
    let (sessions, driver) = Sessions::<String>::new(SessionsConfig::default(), connect);
    let toolbox = Toolbox::builder().server("s", sessions.session("s")).build();
    let driver = Box::pin(driver.run(NoTime));
    let made = Arc::default();
    let mut pool = Pool { sessions, driver, made };
    let mut changes = toolbox.changes();
    assert_eq!(pool.changed(&mut changes), ["s"], "nothing will be heard of it");
}

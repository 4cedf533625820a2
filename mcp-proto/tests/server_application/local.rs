//! Servers of one thread, on an executor of one thread.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::thread;

use mcp_proto::Time;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::server::{Context, LocalServer, NoArgs, State};
use mcp_proto::handle::{Client, Crossing};
use serde_json::json;

/// Gives way once.
async fn turn() {
    let mut asked = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn server(seen: &Rc<RefCell<Vec<String>>>, kept: &Rc<RefCell<Option<Context>>>) -> LocalServer {
    let (seen, kept) = (seen.clone(), kept.clone());
    LocalServer::builder("local", "1")
        .state(Rc::new(Cell::new(0u32)))
        .tool(
            "count",
            "Counts",
            |State(count): State<Rc<Cell<u32>>>, _: NoArgs| async move {
                let here = Rc::new(count.get());
                turn().await;
                count.set(*here + 1);
                count.get().to_string()
            },
        )
        .tool("keep", "Keeps its context", move |context: Context| {
            *kept.borrow_mut() = Some(context);
            "kept"
        })
        .resource("local://seen", "Seen", move || {
            seen.borrow_mut().push("read".into());
            "text"
        })
        .prompt("ask", "Asks", || async { Ok("what?") })
        .with(|builder| builder.title("Local").tool("plain", "May go anywhere", || "plain"))
        .build()
}

/// Runs `work` beside a connection to the server, all on this thread.
fn run<T>(server: &LocalServer, work: impl AsyncFnOnce(Client) -> T) -> T {
    let (client, pump) = Client::over_stream(ClientConfig::named("test", "1").with_mode(Mode::Modern));
    let mut crossing = Crossing::new(pump, server.pump());
    let mut work = pin!(work(client));
    let cx = &mut TaskContext::from_waker(Waker::noop());
    let done = (0..1_000).find_map(|_| match work.as_mut().poll(cx) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => {
            let _ = crossing.poll(cx, Time::ORIGIN, |_, _| Poll::Pending);
            None
        }
    });
    done.expect("it ends")
}

#[test]
fn closures_state_and_futures_of_one_thread_are_served() {
    let (seen, kept) = <(Rc<RefCell<Vec<String>>>, Rc<RefCell<Option<Context>>>)>::default();
    let server = server(&seen, &kept);
    run(&server, async |client| {
        for expected in ["1", "2"] {
            let result = client.call_tool("count", json!({})).await.unwrap();
            assert_eq!(result.to_text(), expected);
        }
        assert_eq!(client.call_tool("plain", json!({})).await.unwrap().to_text(), "plain");
        let read = client
            .request::<mcp_proto::model::request::ReadResource>(&mcp_proto::model::ReadResourceParams::new(
                "local://seen",
            ))
            .await
            .unwrap();
        assert_eq!(read.contents.len(), 1);
    });
    assert_eq!(*seen.borrow(), ["read"]);
    assert_eq!(server.config().info().title.as_deref(), Some("Local"));
}

/// A context may be the last that holds the server, and go anywhere.
#[test]
fn the_end_of_a_local_server_on_another_thread_harms_nobody() {
    let (seen, kept) = <(Rc<RefCell<Vec<String>>>, Rc<RefCell<Option<Context>>>)>::default();
    let server = server(&seen, &kept);
    run(&server, async |client| {
        client.call_tool("keep", json!({})).await.unwrap()
    });
    let context = kept.borrow_mut().take().unwrap();
    drop(server);
    thread::spawn(move || drop(context)).join().expect("no panic");
}

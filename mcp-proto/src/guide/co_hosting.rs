//! Co-hosting a server and its client.
//!
//! An application hosts an MCP server and calls it as an MCP client: in one process, on one event loop, often on one
//! thread. An agent that is offered its own tools does so, and so does a gateway, or a tool that is made of other tools.
//!
//! This is where MCP software hangs. The first call has to make the session. Where making it *blocks*, the thread that
//! waits for the handshake is the thread that would have to answer it: the call fails when its time is up, and
//! everything else in the application stands still until then. Moving the blocking function to a worker thread does not
//! cure this, it only moves the number: each call in flight now holds a worker, and where there are forty of them, the
//! fortieth tool that calls a tool waits for ever.
//!
//! # The rule
//!
//! **Hold no bounded resource across a call in flight.**
//!
//! | what is held while a call is in flight | bound | what hangs |
//! |---|---|---|
//! | the event loop | 1 | the first call |
//! | a lock | 1 | the first tool that calls a tool |
//! | a slot for requests | a few | a fan of as many tools that call a tool, or a nest of that depth |
//! | a worker thread | tens | the same |
//! | a connection of a pool | a hundred | the same |
//!
//! The calls that have what they need wait for the calls that do not get it. It makes no difference how large the bound
//! is, only when it is met. The crates keep the rule; the rest of this page is about how, and what is left for the
//! application to do.
//!
//! # Creating a session is a sequence of state transitions
//!
//! No verb of a client waits in place. A call queues what it has to say, and is a future like any other; the handshake is
//! part of its first await, and the machine goes through it message by message, as they come. Here are an application
//! and a server in one thread, without any runtime; what a runtime would poll is polled by hand:
//!
//! ```
//! use std::pin::pin;
//! use std::task::{Context, Poll, Waker};
//!
//! use mcp_proto::Time;
//! use mcp_proto::handle::Crossing;
//! use mcp_proto::client::ClientConfig;
//! use mcp_proto::handle::{Client, Server};
//! use serde_json::json;
//! # use std::future::Future;
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Echo { text: String }
//!
//! let server = Server::builder("app", "1.0.0")
//!     .tool("echo", "Gives the text back", |args: Echo| async move { Ok(args.text) })
//!     .build();
//! let (client, pump) = Client::over_stream(ClientConfig::named("app", "1.0.0"));
//! // The driver of both ends. On a runtime it is spawned.
//! let mut driver = Crossing::new(pump, server.pump());
//! let mut drive = |cx: &mut Context<'_>| drop(driver.poll(cx, Time::ORIGIN, |_, _| Poll::Pending));
//!
//! let mut call = pin!(client.call_tool("echo", json!({"text": "hello"})));
//! let cx = &mut Context::from_waker(Waker::noop());
//! // Nothing has been said yet, and there is no session. The call gives the thread back.
//! assert!(call.as_mut().poll(cx).is_pending());
//! // So the same thread can be the server: it answers the handshake, runs the tool, and answers the call.
//! drive(cx);
//! let Poll::Ready(result) = call.as_mut().poll(cx) else { panic!("it hangs") };
//! assert_eq!(result?.content[0].as_text(), Some("hello"));
//! # Ok::<(), mcp_proto::rpc::CallError>(())
//! ```
//!
//! The creation belongs to the connection, and not to the call that happened to come first: whoever comes meanwhile waits
//! for the same handshake, and whoever drops their call takes nothing from the others. That is also true of the
//! sessions of a pool, which are created once for each key ([`Sessions`]).
//!
//! # A tool may call its own server
//!
//! A handler is a future, too, and its calls go through the same client as everybody else's. A call in flight is an entry
//! in a table and holds nothing else, so a nest may be as deep as there is memory, up to
//! [`Limits`](crate::Limits), which end in an error at once:
//!
//! ```
//! # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
//! # use mcp_proto::{Time, client::ClientConfig, handle::{Client, Server, Crossing, server::ToolError}};
//! # use serde_json::json;
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Nest { depth: u32 }
//! let (client, pump) = Client::over_stream(ClientConfig::named("app", "1.0.0"));
//!
//! let own = client.clone();
//! let server = Server::builder("app", "1.0.0")
//!     .tool("nest", "Calls itself, and counts the levels", move |args: Nest| {
//!         let client = own.clone();
//!         async move {
//!             if args.depth == 0 {
//!                 return Ok(String::from("0"));
//!             }
//!             let below = client.call_tool("nest", json!({"depth": args.depth - 1})).await?;
//!             let below: u32 = below.content[0].as_text().unwrap_or_default().parse()?;
//!             Ok::<_, ToolError>((below + 1).to_string())
//!         }
//!     })
//!     .build();
//!
//! # let mut driver = Crossing::new(pump, server.pump());
//! # let mut drive = |cx: &mut Context<'_>| drop(driver.poll(cx, Time::ORIGIN, |_, _| Poll::Pending));
//! let mut call = pin!(client.call_tool("nest", json!({"depth": 1_000})));
//! let cx = &mut Context::from_waker(Waker::noop());
//! let result = loop {
//!     match call.as_mut().poll(cx) {
//!         Poll::Ready(result) => break result,
//!         Poll::Pending => drive(cx),
//!     }
//! };
//! assert_eq!(result?.content[0].as_text(), Some("1000"));
//! # Ok::<(), mcp_proto::rpc::CallError>(())
//! ```
//!
//! A server whose tools hold a client of its own keeps that client alive: [`close`](crate::handle::Client::close) it when
//! the application ends, rather than waiting for the last handle to be dropped.
//!
//! # What an application must not do
//!
//! ## Wait in place
//!
//! No `block_on` in a handler, in a route, or in anything else that an executor polls; no `thread::sleep`, no waiting for
//! a channel or a condition variable. The thread that waits is the one that would have to make the answer:
//!
//! ```
//! # use std::{future::Future, pin::pin, task::{Context, Waker}};
//! # use mcp_proto::client::ClientConfig;
//! # use mcp_proto::handle::Client;
//! # let (client, pump) = Client::over_stream(ClientConfig::named("app", "1.0.0"));
//! let mut call = pin!(client.call_tool("echo", ()));
//! let cx = &mut Context::from_waker(Waker::noop());
//! // What `block_on` does where the driver runs on the same thread: nobody else gets a turn, so nothing can change.
//! for _ in 0..1_000 {
//!     assert!(call.as_mut().poll(cx).is_pending());
//! }
//! # drop(pump);
//! ```
//!
//! The crates give no occasion for it. There is no blocking form of any verb, and no result without an await:
//!
//! ```compile_fail,E0599
//! # fn handler(client: mcp_proto::handle::Client) {
//! let content = client.call_tool("echo", ()).unwrap().content;
//! # }
//! ```
//!
//! ```
//! # async fn handler(client: mcp_proto::handle::Client) {
//! let content = client.call_tool("echo", ()).await.unwrap().content;
//! # }
//! ```
//!
//! Code that is not async gets a thread of its own, outside of the executor, and blocks there.
//!
//! ## Hold something bounded across a call
//!
//! A lock that is held over an await, a permit of a semaphore, a connection of a database pool, a worker of a thread
//! pool: whatever a handler holds while it awaits a call, the handlers below it may need. Take it before the call and
//! give it back, or take it after. Where there has to be a cap on what a tool does, let it refuse instead of waiting:
//!
//! ```
//! # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
//! # use mcp_proto::{Time, client::ClientConfig, handle::{Client, Server, Crossing, server::ToolError}};
//! # use serde_json::json;
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Nest { depth: u32 }
//! use std::sync::{Arc, Mutex};
//!
//! # let (client, pump) = Client::over_stream(ClientConfig::named("app", "1.0.0"));
//! let cap = Arc::new(Mutex::new(())); // only one at a time
//! # let own = client.clone();
//! let server = Server::builder("app", "1.0.0")
//!     .tool("nest", "Does something costly, then calls itself", move |args: Nest| {
//!         let (client, cap) = (own.clone(), cap.clone());
//!         async move {
//!             {
//!                 // At once or not at all, and given back before the call.
//!                 let _costly = cap.try_lock().map_err(|_| ToolError::text("busy: try again"))?;
//!             }
//!             if args.depth > 0 {
//!                 client.call_tool("nest", json!({"depth": args.depth - 1})).await?;
//!             }
//!             Ok::<_, ToolError>("done")
//!         }
//!     })
//!     .build();
//! # let mut driver = Crossing::new(pump, server.pump());
//! # let mut drive = |cx: &mut Context<'_>| drop(driver.poll(cx, Time::ORIGIN, |_, _| Poll::Pending));
//! # let mut call = pin!(client.call_tool("nest", json!({"depth": 10})));
//! # let cx = &mut Context::from_waker(Waker::noop());
//! # let result = loop {
//! #     match call.as_mut().poll(cx) {
//! #         Poll::Ready(result) => break result.unwrap(),
//! #         Poll::Pending => drive(cx),
//! #     }
//! # };
//! # assert_eq!(result.content[0].as_text(), Some("done"));
//! ```
//!
//! And this is what becomes of a permit that is waited for: the same nest, which hangs at its bound. Here three permits
//! let it be two calls deep, and no deeper:
//!
//! ```
//! # use std::{future::{Future, poll_fn}, pin::pin, task::{Context, Poll, Waker}};
//! # use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
//! # use mcp_proto::{Time, client::ClientConfig, handle::{Client, Server, Crossing, server::ToolError}};
//! # use serde_json::json;
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Nest { depth: u32 }
//! # #[derive(Clone)]
//! # struct Semaphore(Arc<AtomicUsize>);
//! # impl Semaphore {
//! #     fn new(permits: usize) -> Self { Self(Arc::new(AtomicUsize::new(permits))) }
//! #     async fn acquire(&self) -> Permit {
//! #         poll_fn(|cx| {
//! #             cx.waker().wake_by_ref();
//! #             match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
//! #                 Ok(_) => Poll::Ready(Permit(self.clone())),
//! #                 Err(_) => Poll::Pending,
//! #             }
//! #         }).await
//! #     }
//! # }
//! # struct Permit(Semaphore);
//! # impl Drop for Permit { fn drop(&mut self) { self.0.0.fetch_add(1, Ordering::Relaxed); } }
//! # let (client, pump) = Client::over_stream(ClientConfig::named("app", "1.0.0"));
//! let permits = Semaphore::new(3);
//! # let own = client.clone();
//! let server = Server::builder("app", "1.0.0")
//!     .tool("nest", "Holds a permit while it calls itself", move |args: Nest| {
//!         let (client, permits) = (own.clone(), permits.clone());
//!         async move {
//!             let _held = permits.acquire().await; // wrong: it is held across the call below
//!             if args.depth > 0 {
//!                 client.call_tool("nest", json!({"depth": args.depth - 1})).await?;
//!             }
//!             Ok::<_, ToolError>("done")
//!         }
//!     })
//!     .build();
//!
//! # let mut driver = Crossing::new(pump, server.pump());
//! # let mut drive = |cx: &mut Context<'_>| drop(driver.poll(cx, Time::ORIGIN, |_, _| Poll::Pending));
//! # let cx = &mut Context::from_waker(Waker::noop());
//! let mut ends = |depth: u32| {
//!     let mut call = pin!(client.call_tool("nest", json!({"depth": depth})));
//!     (0..100).any(|_| {
//!         drive(cx);
//!         call.as_mut().poll(cx).is_ready()
//!     })
//! };
//! assert!(ends(2));
//! assert!(!ends(3));
//! ```
//!
//! Even then there is an end: every call has a deadline ([`Timeouts`](crate::Timeouts)), so that what an application
//! has tied into a knot comes undone as an error, and dropping a call gives up what hangs below it.
//!
//! # What the crates do for it
//!
//! - **The thread.** Every future gives it back after a bounded piece of work: some messages and some handlers at a time,
//!   however many there are. One message is one piece. Nothing is spawned for a call, and handlers run in the driver of
//!   their connection.
//! - **Connections.** Over HTTP/1.1 each call in flight has a connection of its own. The client opens as many as there are
//!   calls, and keeps none of the calls waiting for another one to end; over HTTP/2 it opens a further connection where
//!   the streams of the others are in use. A byte stream, or a connection in memory, is one for all calls.
//! - **Caps.** Where a limit is set, reaching it is an error of that call, at once.
//! - **Sessions.** [`Sessions`] keeps one for each key: created once, whoever asks and however many; a creation that
//!   fails reaches all who wait for it. A session that its server has forgotten is created again, once, and only what is
//!   safe to be sent again is sent again.
//! - **Tools.** A [`Toolbox`] reads the list of tools once for all who ask, and holds nothing while one of them is called.
//!
//! # What is left to look at
//!
//! - **File descriptors.** Both ends of each connection are in this process: a thousand calls in flight over HTTP/1.1 are
//!   two thousand descriptors, and 1,024 is a common soft limit. Raise it when the application starts.
//! - **The backlog of the listener.** What calls itself five hundred times at once connects as often. A listener that lets
//!   128 connections wait, as those of the standard library do, loses some of them for a second. Tokio's let more wait,
//!   and so do the adapters where they serve; who accepts by hand sees to it.
//! - **The order of starting.** A client can be made before anything listens: nothing is sent before the first call. A
//!   call that is made too early fails as unreachable, and the next one connects.
//! - **The order of ending.** Close the client while the server is still being polled, so that the goodbye is heard; then
//!   end the server.
//! - **A server that needs itself to say hello.** What answers `initialize` must not wait for a call through the
//!   session that is just being made. Both end at the deadline of the handshake, and the client is usable after it.
//!
//! # The whole of it, measured
//!
//! Both adapters have the same application as an example: one thread, which serves MCP over HTTP and calls itself, with
//! the first call, a hundred first calls at once, a tool that calls itself a thousand deep, five hundred tools that call a
//! tool, a server that forgets its sessions, a call that is given up, and the longest time that a future holds the thread:
//!
//! ```sh
//! cargo run --release -p mcp-tokio --example self_call
//! cargo run --release -p mcp-smol --example self_call
//! ```
//!
//! [`Sessions`]: crate::handle::Sessions
//! [`Toolbox`]: crate::toolbox::Toolbox

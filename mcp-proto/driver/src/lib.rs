//! For authors of adapters: what drivers of `mcp-proto` are made of, whatever their runtime.
//!
//! [`mcp_proto`] is the protocol, as machines and as futures without IO; an adapter moves bytes and deadlines between it
//! and a runtime. What every adapter does in the same way is here, and what only a runtime can say is asked of the
//! adapter. Applications need an adapter, such as `mcp-tokio` or `mcp-smol`, and not this crate.
//!
//! - Any driver: a [`Timer`](mcp_proto::handle::Timer), the clock and deadline of the adapter, and [`SpareTimer`], one for
//!   many deadlines; [`Nursery`], futures that are handed in by what runs beside them; [`Closing`], which tells what runs
//!   to end.
//! - Byte streams: [`Lanes`] drives one connection.
//! - Stored transports: [`Resolver`] says what to connect to.
//! - Child processes, with the feature `child`.
//! - HTTP, with the feature `http`: a whole client but for its connections, and all that a server does beside IO.
//!
//! # Writing an adapter
//!
//! 1. Implement [`Clock`] for the clock of the runtime: its [`timer`](Clock::timer) is the
//!    [`Timer`](mcp_proto::handle::Timer) of every driver.
//! 2. Byte streams: give [`drive_steps`] a closure that does one [`Step`] on a stream of the runtime. Listeners accept,
//!    bear failures by [`rest_after`], and end their connections with [`Serving`].
//! 3. Children: implement `child::Process` for a child of the runtime, and drive it with `child::client_over_child`.
//! 4. HTTP: implement `http::Network` for the sockets of the runtime and `http::ServerRuntime` for the runtime itself;
//!    `http::client_over_http` is the client then, and `http::Connections` serves what a listener accepts.
//!
//! Every future here is polled by whoever drives it, and nothing is spawned behind its back; dropping it ends what it
//! drives. A runtime of one thread that sleeps between polls, and a client and a server on two pipes in memory:
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::future::Future;
//! use std::io;
//! use std::pin::{Pin, pin};
//! use std::sync::{Arc, Mutex};
//! use std::task::{Context, Poll, Wake, Waker};
//! use std::thread::{self, Thread};
//! use std::time::Instant;
//!
//! use mcp_driver::{Clock, Nursery, Step, drive_steps, make_room};
//! use mcp_proto::Time;
//! use mcp_proto::client::ClientConfig;
//! use mcp_proto::handle::{Client, Pump, Server};
//!
//! /// The clock of the runtime, and whom to wake when.
//! #[derive(Clone)]
//! struct Sleeper(Instant, Arc<Mutex<BTreeMap<Time, Vec<Waker>>>>);
//!
//! struct Sleep(Sleeper, Time);
//!
//! impl Future for Sleep {
//!     type Output = ();
//!
//!     fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
//!         let Self(sleeper, at) = &*self;
//!         if *at <= sleeper.now() {
//!             return Poll::Ready(());
//!         }
//!         let mut alarms = sleeper.1.lock().unwrap();
//!         let wakers = alarms.entry(*at).or_default();
//!         wakers.retain(|waker| !waker.will_wake(cx.waker()));
//!         wakers.push(cx.waker().clone());
//!         Poll::Pending
//!     }
//! }
//!
//! impl Clock for Sleeper {
//!     type Sleep = Sleep;
//!
//!     fn now(&self) -> Time {
//!         Time::since_origin(self.0.elapsed())
//!     }
//!
//!     fn sleep_until(&self, at: Time) -> Sleep {
//!         Sleep(self.clone(), at)
//!     }
//!
//!     fn reset(&self, sleep: &mut Sleep, at: Time) {
//!         sleep.1 = at;
//!     }
//! }
//!
//! struct Unpark(Thread);
//!
//! impl Wake for Unpark {
//!     fn wake(self: Arc<Self>) {
//!         self.0.unpark();
//!     }
//! }
//!
//! /// The whole runtime: polls when it is woken, and sleeps until the next deadline.
//! fn block_on<T>(sleeper: &Sleeper, future: impl Future<Output = T>) -> T {
//!     let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unpark(thread::current()))));
//!     loop {
//!         if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
//!             return value;
//!         }
//!         let next = sleeper.1.lock().unwrap().keys().next().copied();
//!         match next {
//!             Some(at) => thread::park_timeout(at.since(sleeper.now())),
//!             None => thread::park(),
//!         }
//!         let later = sleeper.1.lock().unwrap().split_off(&sleeper.now());
//!         let due = std::mem::replace(&mut *sleeper.1.lock().unwrap(), later);
//!         due.into_values().flatten().for_each(Waker::wake);
//!     }
//! }
//!
//! /// One direction of a stream.
//! #[derive(Default)]
//! struct Pipe {
//!     bytes: Vec<u8>,
//!     is_closed: bool,
//!     reader: Option<Waker>,
//! }
//!
//! type Shared = Arc<Mutex<Pipe>>;
//!
//! /// What every adapter gives for byte streams: a pump, driven over a stream of the runtime.
//! async fn drive(pump: impl Pump, clock: Sleeper, (input, output): (Shared, Shared)) -> io::Result<()> {
//!     drive_steps(pump, clock.timer(), move |cx, step| {
//!         match step {
//!             Step::Read(buffer) => {
//!                 let mut pipe = input.lock().unwrap();
//!                 if pipe.bytes.is_empty() && !pipe.is_closed {
//!                     pipe.reader = Some(cx.waker().clone());
//!                     return Poll::Pending;
//!                 }
//!                 let room = make_room(buffer);
//!                 let length = room.len().min(pipe.bytes.len());
//!                 room[..length].copy_from_slice(&pipe.bytes[..length]);
//!                 pipe.bytes.drain(..length);
//!                 return Poll::Ready(Ok(length));
//!             }
//!             Step::Write(bytes) => output.lock().unwrap().bytes.extend_from_slice(bytes),
//!             Step::Flush => return Poll::Ready(Ok(0)),
//!             Step::Close => output.lock().unwrap().is_closed = true,
//!         }
//!         if let Some(reader) = output.lock().unwrap().reader.take() {
//!             reader.wake();
//!         }
//!         Poll::Ready(Ok(if let Step::Write(bytes) = step { bytes.len() } else { 0 }))
//!     })
//!     .await
//! }
//!
//! let clock = Sleeper(Instant::now(), Arc::default());
//! let (up, down) = (Shared::default(), Shared::default());
//! let server = Server::builder("weather", "1.0.0").build();
//! let (client, pump) = Client::over_stream(ClientConfig::named("host", "1.0.0"));
//! // Nobody spawns here: both drivers are polled beside the application.
//! let mut nursery = Nursery::new();
//! let (ours, theirs) = (drive(pump, clock.clone(), (down.clone(), up.clone())), drive(server.pump(), clock.clone(), (up, down)));
//! nursery.spawner().spawn(async { ours.await.unwrap() });
//! nursery.spawner().spawn(async { theirs.await.unwrap() });
//! assert!(block_on(&clock, nursery.run(client.ready())).is_ok());
//! ```
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;

pub mod application;
#[cfg(feature = "child")]
pub mod child;
mod clock;
mod closing;
mod connect_error;
#[cfg(test)]
mod count;
#[cfg(unix)]
pub mod descriptor;
mod grace;
#[cfg(feature = "http")]
pub mod http;
mod lanes;
mod nursery;
mod resolver;
mod serving;
mod spare;
#[cfg(unix)]
mod stdio;

pub use clock::{Clock, ClockTimer, FAR, wait, within};
pub use closing::{Closing, Watch, either, end_upon, unless};
pub use connect_error::ConnectError;
pub use lanes::{Failure, LEAST_READ_BYTES, Lanes, READ_BYTES, Step, drive_steps, make_room};
pub use nursery::{Nursery, Spawner};
#[cfg(feature = "http")]
pub use resolver::HttpFiles;
pub use resolver::{Resolved, Resolver, Route, reached, unsupported};
pub use serving::{Serving, rest_after, serve_until};
pub use spare::{Deadline, SpareTimer};
#[cfg(unix)]
pub use stdio::{StandardStream, serve_stdio};

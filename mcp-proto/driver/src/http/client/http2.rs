//! Clients of HTTP/2.

use std::future::{Future, poll_fn};
use std::pin::Pin;

use http::Version;
use hyper::client::conn::http2::Builder;
use hyper::rt::{Executor, Read, Write};

use super::capacity::{Capacity, Http2Terms};
use super::connector::{BoxFuture, Connected, describe};
use super::sender::Sender;
use super::tap::{Look, tap};
use crate::http::timers::Timers;
use crate::{Clock, Nursery, Spawner};

/// Makes a connection of a stream, and waits until it bears a request.
pub(super) async fn connect<S>(stream: S, look: Look<S>, clock: impl Clock) -> Result<Connected<Sender>, Box<str>>
where
    S: Read + Write + Unpin + Send + 'static,
{
    let (nursery, capacity, terms) = (Nursery::new(), Capacity::unknown(), Http2Terms::STANDARD);
    let (stream, watch) = tap(stream, look);
    let handshake = Builder::new(Spawning(nursery.spawner()))
        .timer(Timers::new(clock))
        // None before the server has said how many: a stream too many is refused, and its request sent twice.
        .initial_max_send_streams(0)
        .initial_stream_window_size(terms.stream_window)
        .initial_connection_window_size(terms.connection_window)
        .keep_alive_interval(terms.ping_interval)
        .keep_alive_timeout(terms.ping_timeout)
        .handshake(stream)
        .await;
    let (sender, mut connection) = handshake.map_err(|error| describe(&error))?;
    let (told, turns) = (capacity.clone(), watch.gauge.clone());
    let mut connection: BoxFuture<()> = Box::pin(nursery.run_out(poll_fn(move |cx| {
        turns.begin_turn();
        let outcome = Pin::new(&mut connection).poll(cx);
        told.set(connection.current_max_send_streams());
        outcome.map(drop)
    })));
    // A server of HTTP/1 never says, and ends the connection.
    if !capacity.known(&mut connection).await {
        return Err("the server does not speak HTTP/2".into());
    }
    Ok(Connected {
        sender: Sender::Http2(sender, watch),
        connection,
        version: Version::HTTP_2,
        capacity,
    })
}

/// Has what hyper spawns polled with its connection.
#[derive(Clone)]
struct Spawning(Spawner);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawning {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

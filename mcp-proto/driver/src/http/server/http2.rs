//! Connections of HTTP/2.

use core::future::Future;

use hyper::rt::{Executor, Read, Write};
use hyper::server::conn::http2::Builder;
use hyper::service::{Service, service_fn};

use super::options::{HEAD_BYTES, ServeOptions};
use super::runtime::ServerRuntime;
use super::service::HttpService;
use super::streams::Streams;
use crate::http::timers::Timers;
use crate::{Clock, FAR, Nursery, Spawner, Watch};

/// Answers the requests on a connection.
pub(super) async fn serve<R, S>(stream: S, service: HttpService<R>, options: &ServeOptions, closing: Watch)
where
    R: ServerRuntime,
    S: Read + Write + Send + Unpin + 'static,
{
    let (mut nursery, streams) = (Nursery::new(), Streams::new());
    let clock = service.clock().clone();
    // Hyper adds it to an instant, which must not overflow.
    let patience = options.write_timeout.map(|most| most.min(FAR));
    let spawning = Spawning(service.runtime().clone(), nursery.spawner(), streams.clone());
    let connection = Builder::new(spawning)
        .timer(Timers::new(clock.clone()))
        // A connection without data is no sign that its client is gone: it is asked.
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience.unwrap_or(FAR))
        .max_concurrent_streams(options.max_streams)
        .max_header_list_size(HEAD_BYTES)
        .serve_connection(
            stream,
            service_fn(|request| {
                let (response, streams) = (service.call(request), streams.clone());
                async move { response.await.map(|response| response.map(|body| streams.watch(body))) }
            }),
        );
    let timer = || clock.timer();
    let running = streams.run(connection, |it| it.graceful_shutdown(), closing, timer, options);
    // Streams that a runtime has beside the connection end with it.
    nursery.run(running).await;
}

/// Spawns the streams of a connection, which end with it.
#[derive(Clone)]
struct Spawning<R>(R, Spawner, Streams);

impl<R: ServerRuntime, F: Future<Output = ()> + Send + 'static> Executor<F> for Spawning<R> {
    fn execute(&self, stream: F) {
        self.0.spawn(self.2.count(stream), &self.1);
    }
}

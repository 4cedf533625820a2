//! Connections of HTTP/2.

use std::future::Future;

use hyper::rt::{Executor, Read, Write};
use hyper::server::conn::http2::Builder;
use hyper::service::{Service, service_fn};
use mcp_driver::http::{HEAD_BYTES, Streams};
use mcp_driver::{Nursery, Spawner};

use super::super::bridge::Timers;
use super::connection::Terms;
use super::service::McpService;
use crate::clock::FAR;

/// Answers the requests on a connection.
pub(super) async fn serve<S>(terms: &Terms, stream: S, service: McpService)
where
    S: Read + Write + Send + Unpin + 'static,
{
    let streams = Streams::new();
    let mut nursery = Nursery::new();
    let patience = terms.options.write_timeout.map(|most| most.min(FAR));
    let connection = Builder::new(Spawning(nursery.spawner(), streams.clone()))
        .timer(Timers::new(service.clock()))
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience.unwrap_or(FAR))
        .max_concurrent_streams(terms.options.max_streams)
        .max_header_list_size(HEAD_BYTES)
        .serve_connection(
            stream,
            service_fn(|request| {
                let (response, streams) = (service.call(request), streams.clone());
                async move { response.await.map(|response| response.map(|body| streams.watch(body))) }
            }),
        );
    let (closing, timer) = (terms.closing.watch(), || service.timer());
    let running = streams.run(connection, |it| it.graceful_shutdown(), closing, timer, &terms.options);
    nursery.run(running).await;
}

/// Has the streams of a connection polled with it.
#[derive(Clone)]
struct Spawning(Spawner, Streams);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawning {
    fn execute(&self, stream: F) {
        self.0.spawn(self.1.count(stream));
    }
}

//! The same hyper server on smol.

use hyper::server::conn::http1;
use hyper::service::service_fn;
use smol::LocalExecutor;
use smol::net::TcpListener;
use smol_hyper::rt::FuturesIo;

use super::http_server::answer;

/// Serves for ever, one connection a task.
pub(crate) async fn serve(listener: TcpListener) {
    let executor = LocalExecutor::new();
    let accepting = async {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), service_fn(answer));
            executor.spawn(async { drop(connection.await) }).detach();
        }
    };
    executor.run(accepting).await
}

//! A crowd that comes before the listener has accepted anyone.
#![cfg(unix)]

use std::future::{Future, poll_fn};
use std::net::{Ipv4Addr, TcpStream};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use mcp_smol::Server;
use mcp_smol::http::serve;
use smol::net::TcpListener;

/// More than the 128 that wait behind a listener of the standard library.
const CROWD: usize = 300;

#[test]
fn a_burst_of_connections_is_not_turned_away() {
    smol::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder("test", "1").build();
        let mut serving = pin!(serve(listener, server));
        // Polled once, the server listens; while this thread connects, it accepts nobody.
        let began = poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx).is_pending())).await;
        assert!(began);
        // The system would drop one too many, and try again after a second.
        let patience = Duration::from_millis(900);
        let crowd: Vec<_> = (0..CROWD)
            .map(|_| TcpStream::connect_timeout(&address, patience).unwrap())
            .collect();
        assert_eq!(crowd.len(), CROWD);
    });
}

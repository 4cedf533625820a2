//! A peer that speaks no protocol at all: it writes bytes and reads bytes, and blocks.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// How long it waits for the next byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends `request` on a connection of its own; everything that comes back until the server closes it.
///
/// # Panics
/// Where nobody listens.
pub fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut write = stream.try_clone().expect("a socket");
    let mut response = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A server that refuses a request need not read all of it.
            let _ = write.write_all(request);
        });
        let _ = stream.read_to_end(&mut response);
        let _ = stream.shutdown(Shutdown::Both);
    });
    String::from_utf8_lossy(&response).into_owned()
}

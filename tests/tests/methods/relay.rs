//! What stands between a client and its server, and remembers what each of them has said.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use mcp_proto::method::Side;

/// What both sides have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<[Vec<u8>; 2]>>);

impl Seen {
    /// The methods of the messages that this side has sent, and of what it has asked for inside of results.
    pub(crate) fn methods(&self, side: Side) -> BTreeSet<String> {
        let said = self.0.lock().unwrap()[usize::from(side == Side::Server)].clone();
        let said = String::from_utf8_lossy(&said).into_owned();
        let after = said.split(r#""method":""#).skip(1);
        after
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect()
    }

    fn note(&self, side: Side, bytes: &[u8]) {
        self.0.lock().unwrap()[usize::from(side == Side::Server)].extend_from_slice(bytes);
    }
}

/// The two ends of a socket with somebody in between: the client's and the server's.
pub(crate) fn pair(seen: &Seen) -> [UnixStream; 2] {
    let (client, near) = UnixStream::pair().unwrap();
    let (far, server) = UnixStream::pair().unwrap();
    let clone = |stream: &UnixStream| stream.try_clone().unwrap();
    let end = |stream: &UnixStream| {
        let _ = stream.shutdown(Shutdown::Write);
    };
    carry(seen, Side::Client, clone(&near), clone(&far), end);
    carry(seen, Side::Server, far, near, end);
    [client, server]
}

/// The port before a port: what connects to it is led to the other.
pub(crate) fn before(port: u16, seen: &Seen) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let seen = seen.clone();
    // It ends with the process: there are as many as there are conversations.
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
                break;
            };
            let clone = |stream: &TcpStream| stream.try_clone().unwrap();
            let end = |stream: &TcpStream| {
                let _ = stream.shutdown(Shutdown::Write);
            };
            carry(&seen, Side::Client, clone(&near), clone(&far), end);
            carry(&seen, Side::Server, far, near, end);
        }
    });
    own
}

/// Carries what `side` says to the other, until it has said everything.
fn carry<S: Read + Write + Send + 'static>(
    seen: &Seen,
    side: Side,
    mut from: S,
    mut to: S,
    end: impl Fn(&S) + Send + 'static,
) {
    let seen = seen.clone();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            seen.note(side, &buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        end(&to);
    });
}

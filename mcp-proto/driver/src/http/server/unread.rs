//! Clients that are there no more, as the system sees them.

use core::time::Duration;
use std::os::fd::AsFd;

/// The most that the system takes, in milliseconds: it keeps an `int`.
#[cfg(any(target_os = "linux", target_os = "android"))]
const MOST: u32 = i32::MAX as u32;

/// Has the system give up a connection whose peer has acknowledged nothing for `most` (RFC 5482). What is written is
/// taken by the system for minutes after a client's address has gone, and a keep-alive comment always finds room.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn give_up_unread(socket: &impl AsFd, most: Duration) {
    // Zero would be the system's own idea of it, which is a quarter of an hour.
    let millis = u32::try_from(most.as_millis()).unwrap_or(u32::MAX).clamp(1, MOST);
    // It fails where the socket is none of TCP, or the client is gone already, which the first read tells.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(socket, millis);
}

/// Has the system ask the peer of a silent connection whether it is there, and give it up where it has not answered for
/// `most`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn give_up_unread(socket: &impl AsFd, most: Duration) {
    use rustix::net::sockopt;

    // Four times in all; the system counts in seconds.
    let part = (most / 4).max(Duration::from_secs(1));
    let _ = sockopt::set_socket_keepalive(socket, true);
    #[cfg(not(any(target_os = "openbsd", target_os = "haiku", target_os = "nto")))]
    {
        let _ = sockopt::set_tcp_keepidle(socket, part);
        let _ = sockopt::set_tcp_keepintvl(socket, part);
        let _ = sockopt::set_tcp_keepcnt(socket, 3);
    }
    #[cfg(any(target_os = "openbsd", target_os = "haiku", target_os = "nto"))]
    let _ = part;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_client_whose_address_has_gone_is_given_up_in_the_time_said() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        for (most, expected) in [
            (Duration::from_secs(60), 60_000),
            (Duration::ZERO, 1),
            (Duration::MAX, i32::MAX as u32),
        ] {
            give_up_unread(&accepted, most);
            assert_eq!(rustix::net::sockopt::tcp_user_timeout(&accepted).unwrap(), expected);
        }
    }
}

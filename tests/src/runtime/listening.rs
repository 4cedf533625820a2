//! Sockets of the standard library, ready to be handed to any runtime.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;

/// A listener on a port of its own, and the URL of `/mcp` there.
///
/// # Panics
/// Where there is none.
pub fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    rustix::net::listen(&listener, BACKLOG).expect("a listener");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    (listener, url)
}

/// A listener on a Unix socket of its own, and its path. The file stays until it is removed.
///
/// # Panics
/// Where there is none.
pub fn listen_unix() -> (UnixListener, PathBuf) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mcp-tests-{}-{number}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).expect("a socket");
    listener.set_nonblocking(true).expect("a socket");
    (listener, path)
}

/// Lets the process have as many files as the system allows it: each level of a nest over HTTP holds two.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

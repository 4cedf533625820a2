//! A server of others on a port of this machine.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(30);

/// A server of others that listens, ended when it is dropped with all that it has started.
pub(crate) struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    /// Starts a program that listens on the port which the variable `PORT` names.
    pub(crate) fn start(command: &mcp_driver::child::Command) -> Self {
        Self::start_on(|_| command.clone())
    }

    /// Starts a program that is told where to listen.
    pub(crate) fn start_on(command: impl FnOnce(SocketAddr) -> mcp_driver::child::Command) -> Self {
        let address = free();
        let command = command(address);
        let mut child = Command::new(command.program())
            .args(command.arguments())
            .env("PORT", address.port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a program");
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().expect("a child").is_none(), "it has ended");
            assert!(begun.elapsed() < START, "it does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }

    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// An address that nothing listens on at this moment.
fn free() -> SocketAddr {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    probe.local_addr().expect("an address")
}

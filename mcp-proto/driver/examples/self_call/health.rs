//! A plain route of the application, asked all the time by somebody else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::host::Failure;

/// How often `/health` is asked.
const BEAT: Duration = Duration::from_millis(1);

/// Asks for `/health` all the time, and remembers the slowest answer.
pub(crate) struct Health {
    is_over: Arc<AtomicBool>,
    poller: JoinHandle<io::Result<Duration>>,
}

impl Health {
    /// Begins.
    pub(crate) fn watch(address: SocketAddr) -> io::Result<Self> {
        let mut connection = Connection::open(address)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let poller = thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let asked = Instant::now();
                connection.request("GET", "/health")?;
                worst = worst.max(asked.elapsed());
                thread::sleep(BEAT.saturating_sub(asked.elapsed()));
            }
            Ok(worst)
        });
        Ok(Self { is_over, poller })
    }

    /// Ends: the slowest answer.
    pub(crate) fn worst(self) -> Result<Duration, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        let worst = self.poller.join().map_err(|_| "the poller of /health panicked")?;
        worst.map_err(|error| format!("/health: {error}").into())
    }
}

//! A server in a thread of its own, on a runtime of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use smol::channel::{self, Sender};

use super::{Probe, Transport, Wire, server};
use crate::runtime::{Address, Flavour};

/// A server that runs elsewhere in this process. It ends with the value.
#[derive(Debug)]
pub struct Remote {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Remote {
    /// Starts the server of the scenarios.
    ///
    /// # Panics
    /// Where it does not come up.
    pub fn start(flavour: Flavour, transport: Transport, probe: &Arc<Probe>, wire: &Wire) -> (Address, Self) {
        let (stop, stopped) = channel::bounded::<()>(1);
        let (found, address) = channel::bounded(1);
        let (probe, wire) = (Arc::clone(probe), wire.clone());
        let thread = thread::spawn(move || {
            flavour.run(async |runtime| {
                let (address, mut serving) = transport.serve(runtime, &server(&probe, flavour), &wire);
                found.send(address).await.expect("somebody waits for it");
                // Nothing is ever sent: the channel closes.
                let _ = stopped.recv().await;
                serving.stop().await;
            });
        });
        let address = address.recv_blocking().expect("the server runs");
        let remote = Self {
            stop: Some(stop),
            thread: Some(thread),
        };
        (address, remote)
    }

    /// Stops it, and waits until the runtime is gone.
    ///
    /// # Panics
    /// Where the server has panicked.
    pub fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server has not panicked");
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

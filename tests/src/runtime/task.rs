//! Something that runs, and can be stopped.

use std::pin::pin;

use futures_util::future::select;
use smol::channel::{self, Receiver, Sender};

use super::futures::Driver;

/// One or more futures that run on a runtime. Dropping the value stops them, without waiting for it.
#[derive(Debug)]
pub struct Task {
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Task {
    /// Hands all of them to `spawn`.
    pub(super) fn start(futures: impl IntoIterator<Item = Driver>, mut spawn: impl FnMut(Driver)) -> Self {
        let (stop, stopped) = channel::bounded::<()>(1);
        let (running, ended) = channel::bounded::<()>(1);
        for future in futures {
            let (running, stopped) = (running.clone(), stopped.clone());
            spawn(Box::pin(async move {
                let _running = running;
                // Nothing is ever sent: the channel closes.
                select(future, pin!(stopped.recv())).await;
            }));
        }
        Self {
            stop: Some(stop),
            ended,
        }
    }

    /// Stops it, and waits until all its futures are dropped.
    pub async fn stop(&mut self) {
        self.stop = None;
        self.end().await;
    }

    /// Waits until all its futures have come to their end.
    pub async fn end(&mut self) {
        let _ = self.ended.recv().await;
    }
}

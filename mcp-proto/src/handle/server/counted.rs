//! An exchange whose queue is counted.

use alloc::boxed::Box;

use super::unread::{Lost, Queued};
use crate::server::http::Exchange;

/// An exchange, and what is queued on it where that is counted with all others of its endpoint: whatever is done to it is
/// done by [`act`](Self::act), which counts.
pub(super) struct Counted {
    exchange: Exchange,
    /// Boxed because few are counted.
    queued: Option<Box<Queued>>,
}

impl Counted {
    /// Not counted yet.
    pub(super) fn new(exchange: Exchange) -> Self {
        Self { exchange, queued: None }
    }

    /// The exchange, as it is.
    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Whatever is done to the exchange. Others may be lost for what it queues: see [`take_lost`](Self::take_lost).
    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Exchange) -> T) -> T {
        let value = act(&mut self.exchange);
        if let Some(queued) = &mut self.queued {
            queued.set(self.exchange.queued_bytes());
        }
        value
    }

    /// What was lost since somebody asked, to be cut off under no lock.
    pub(super) fn take_lost(&mut self) -> Lost {
        let queued = self.queued.as_mut();
        queued.map_or_else(Lost::default, |queued| queued.take_lost())
    }

    /// From now on it is counted, as `queued`.
    pub(super) fn count(&mut self, queued: Queued) {
        self.queued = Some(Box::new(queued));
        self.act(|_| ());
    }

    /// It is lost. Who reads it, and is to go.
    pub(super) fn cut_off(&mut self) -> u32 {
        self.queued.iter_mut().for_each(|queued| queued.cut_off());
        self.exchange.reader()
    }

    /// Whether it was lost, as its client does not read it.
    pub(super) fn is_cut_off(&self) -> bool {
        self.queued.as_ref().is_some_and(|queued| queued.is_cut_off())
    }
}

//! Those who read what the server notifies.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use crate::client::ServerNotification;
use crate::handle::wakers::{Wakers, keep};

/// Those who read what the server notifies, each at its own pace.
///
/// What nobody takes is dropped and counted, and never a reason not to read: a caller may wait for its reply while it
/// reads no notifications.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    next: u64,
    listeners: BTreeMap<u64, Listener>,
    /// How many bytes wait here for someone to take them.
    bytes: usize,
    /// How many notifications have come, those included that were dropped.
    notified: u64,
    /// How many of them were dropped before they came here.
    dropped: u64,
}

#[derive(Debug, Default)]
struct Listener {
    waker: Option<Waker>,
    queue: VecDeque<ServerNotification>,
    missed: u64,
}

impl Listeners {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many notifications have come so far.
    pub(super) fn notified(&self) -> u64 {
        self.notified
    }

    /// A new reader, which has missed so many.
    pub(super) fn insert(&mut self, missed: u64) -> u64 {
        let id = self.next;
        self.next += 1;
        let listener = Listener {
            missed,
            ..Listener::default()
        };
        self.listeners.insert(id, listener);
        id
    }

    /// Stops to read. Gives the waker.
    #[must_use = "it is dropped where no lock is held"]
    pub(super) fn remove(&mut self, listener: u64) -> Option<Waker> {
        let listener = self.listeners.remove(&listener)?;
        self.bytes -= listener.queue.iter().map(weight).sum::<usize>();
        listener.waker
    }

    /// The next notification; `None` where there will be no more. Where it is another task that polls, the waker of the one
    /// before goes to `spent`.
    pub(super) fn poll(
        &mut self,
        listener: u64,
        is_closed: bool,
        cx: &Context<'_>,
        spent: &mut Vec<Waker>,
    ) -> Poll<Option<ServerNotification>> {
        let Some(listener) = self.listeners.get_mut(&listener) else {
            return Poll::Ready(None);
        };
        // Before the close is looked at: what has come is still read.
        match listener.queue.pop_front() {
            Some(notification) => {
                self.bytes -= weight(&notification);
                Poll::Ready(Some(notification))
            }
            None if is_closed => Poll::Ready(None),
            None => {
                spent.extend(keep(&mut listener.waker, cx));
                Poll::Pending
            }
        }
    }

    /// How many notifications a reader has missed because it was slow.
    pub(super) fn missed(&self, listener: u64) -> u64 {
        self.listeners.get(&listener).map_or(0, |listener| listener.missed)
    }

    /// A notification came: each reader keeps up to `most`, and all together no more than `most_bytes`.
    pub(super) fn notify(
        &mut self,
        notification: &ServerNotification,
        most: usize,
        most_bytes: usize,
        woken: &mut Wakers,
    ) {
        let bytes = weight(notification);
        self.notified += 1;
        for listener in self.listeners.values_mut() {
            // For each anew: those before it have taken of the room.
            let fits = self.bytes.saturating_add(bytes) <= most_bytes;
            if fits && listener.queue.len() < most {
                listener.queue.push_back(notification.clone());
                self.bytes += bytes;
            } else {
                listener.missed += 1;
            }
            woken.extend(listener.waker.take());
        }
    }

    /// So many were dropped in all, before they came here: everyone who reads has missed the new ones of them.
    pub(super) fn miss(&mut self, dropped: u64, woken: &mut Wakers) {
        let new = dropped.saturating_sub(core::mem::replace(&mut self.dropped, dropped));
        if new == 0 {
            return;
        }
        self.notified += new;
        for listener in self.listeners.values_mut() {
            listener.missed += new;
            woken.extend(listener.waker.take());
        }
    }

    /// There will be no more.
    pub(super) fn close(&mut self, woken: &mut Wakers) {
        let wakers = self.listeners.values_mut().filter_map(|listener| listener.waker.take());
        wakers.for_each(|waker| woken.push(waker));
    }
}

fn weight(notification: &ServerNotification) -> usize {
    notification.notification.text.as_bytes().len() + size_of::<ServerNotification>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Incoming, Message, parse};
    use crate::limits::Limits;

    fn notification() -> ServerNotification {
        match parse(
            br#"{"jsonrpc":"2.0","method":"x"}"#.as_slice().into(),
            &Limits::default(),
        ) {
            Ok(Incoming::Single(Message::Notification(notification))) => {
                let related = None;
                ServerNotification { notification, related }
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slow_reader_misses_what_others_read() {
        let (mut listeners, mut woken) = (Listeners::default(), Wakers::default());
        let cx = Context::from_waker(Waker::noop());
        let [slow, quick] = [listeners.insert(0), listeners.insert(7)];
        for _ in 0..3 {
            listeners.notify(&notification(), 2, usize::MAX, &mut woken);
            assert!(listeners.poll(quick, false, &cx, &mut Vec::new()).is_ready());
        }
        assert_eq!((listeners.missed(slow), listeners.missed(quick)), (1, 7));
        listeners.miss(5, &mut woken);
        listeners.miss(5, &mut woken);
        assert_eq!((listeners.missed(slow), listeners.notified()), (6, 8));
        assert!(listeners.remove(slow).is_none());
        assert_eq!(listeners.bytes(), 0);
    }

    #[test]
    fn what_has_come_is_read_after_the_end() {
        let (mut listeners, mut woken) = (Listeners::default(), Wakers::default());
        let cx = Context::from_waker(Waker::noop());
        let reader = listeners.insert(0);
        listeners.notify(&notification(), 1, usize::MAX, &mut woken);
        listeners.notify(&notification(), 9, 1, &mut woken);
        listeners.close(&mut woken);
        assert!(matches!(
            listeners.poll(reader, true, &cx, &mut Vec::new()),
            Poll::Ready(Some(_))
        ));
        assert!(matches!(
            listeners.poll(reader, true, &cx, &mut Vec::new()),
            Poll::Ready(None)
        ));
        assert_eq!((listeners.missed(reader), listeners.bytes()), (1, 0));
    }
}

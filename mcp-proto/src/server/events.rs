//! What waits for the application.

use alloc::collections::VecDeque;

use super::event::ServerEvent;

/// The events that the application has not taken, in their order, and about how many bytes they keep.
///
/// It takes whatever it is given: while there is too much nothing more is read from the client.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<ServerEvent>,
    bytes: usize,
}

impl Events {
    pub(super) fn push(&mut self, event: ServerEvent) {
        self.bytes = self.bytes.saturating_add(weight(&event));
        self.queue.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<ServerEvent> {
        let event = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(weight(&event));
        Some(event)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// How many bytes an event keeps. A request counts for nothing here: it is counted until it is answered.
fn weight(event: &ServerEvent) -> usize {
    match event {
        ServerEvent::Notification(notification) => notification.text.as_bytes().len(),
        ServerEvent::Reply {
            outcome: Ok(result), ..
        } => result.as_bytes().len(),
        ServerEvent::Progress { params, .. } => params.as_bytes().len(),
        ServerEvent::Cancelled { reason, .. } => reason.as_deref().map_or(0, str::len),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::RawJson;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};

    #[test]
    fn what_waits_is_counted_until_it_is_taken() {
        let mut calls = Calls::new(1);
        let call = calls.begin(&CallOptions::new(), &Timeouts::default(), ()).unwrap();
        let mut events = Events::default();
        events.push(ServerEvent::Opened);
        assert_eq!((events.len(), events.bytes()), (1, 0));
        let outcome = Ok(RawJson::parse(r#"{"x":1}"#).unwrap());
        events.push(ServerEvent::Reply { call, outcome });
        assert_eq!((events.len(), events.bytes()), (2, 7));
        assert!(matches!(events.pop(), Some(ServerEvent::Opened)));
        assert!(matches!(events.pop(), Some(ServerEvent::Reply { .. })));
        assert!(events.pop().is_none() && events.is_empty() && events.bytes() == 0);
    }
}

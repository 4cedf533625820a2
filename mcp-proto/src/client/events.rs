//! What waits for the application to take it.

use alloc::collections::VecDeque;

use super::event::ClientEvent;

/// What the application has not taken yet, in its order.
///
/// | what comes | is kept | why |
/// |---|---|---|
/// | a notification | up to `most` of them | a server may send them without end, and nobody has to read them |
/// | anything else | always | each belongs to something that the application has begun, or happens once |
///
/// The bytes are counted: whoever reads for the client stops where they are too many.
#[derive(Debug)]
pub(super) struct Events {
    queue: VecDeque<ClientEvent>,
    bytes: usize,
    notifications: usize,
    most: usize,
    dropped: u64,
}

impl Events {
    pub(super) fn new(most_notifications: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            notifications: 0,
            most: most_notifications,
            dropped: 0,
        }
    }

    /// Adds an event. A notification that would be too many is dropped, and counted.
    pub(super) fn push(&mut self, event: ClientEvent) {
        if let ClientEvent::Notification(_) = event {
            // Only these are lost: every other event is one that somebody waits for.
            if self.notifications >= self.most {
                self.dropped += 1;
                return;
            }
            self.notifications += 1;
        }
        self.bytes += weight(&event);
        self.queue.push_back(event);
    }

    /// Takes the oldest.
    pub(super) fn pop(&mut self) -> Option<ClientEvent> {
        let event = self.queue.pop_front()?;
        self.bytes -= weight(&event);
        if let ClientEvent::Notification(_) = event {
            self.notifications -= 1;
        }
        Some(event)
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many notifications were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// How many bytes an event keeps.
fn weight(event: &ClientEvent) -> usize {
    let text = match event {
        ClientEvent::Reply {
            outcome: Ok(result), ..
        } => result.as_bytes().len(),
        ClientEvent::InputRequired { requests, state, .. } => {
            let asked = requests.iter().map(|(key, request)| {
                let params = request.params.as_ref().map_or(0, |params| params.as_str().len());
                key.len() + params + size_of_val(request)
            });
            asked.sum::<usize>() + state.as_ref().map_or(0, |state| state.as_bytes().len())
        }
        ClientEvent::Progress { params, .. } => params.as_bytes().len(),
        ClientEvent::Notification(incoming) => incoming.notification.text.as_bytes().len(),
        ClientEvent::Request(request) => request.request.text.as_bytes().len(),
        _ => 0,
    };
    // Many without a text must count as well.
    text + size_of::<ClientEvent>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::event::ServerNotification;
    use crate::jsonrpc::{Incoming, Message, parse};
    use crate::limits::Limits;

    fn notification() -> ClientEvent {
        let text = br#"{"jsonrpc":"2.0","method":"x"}"#;
        match parse(text.as_slice().into(), &Limits::default()) {
            Ok(Incoming::Single(Message::Notification(notification))) => {
                ClientEvent::Notification(ServerNotification {
                    notification,
                    related: None,
                })
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn notifications_are_bounded_and_nothing_else_is() {
        let mut events = Events::new(2);
        (0..3).for_each(|_| events.push(notification()));
        (0..3).for_each(|_| events.push(ClientEvent::Ready));
        assert_eq!((events.len(), events.dropped()), (5, 1));
        assert!(matches!(events.pop(), Some(ClientEvent::Notification(_))));
        events.push(notification());
        assert_eq!((events.len(), events.dropped()), (5, 1));
    }

    #[test]
    fn what_is_taken_counts_no_more() {
        let mut events = Events::new(9);
        events.push(notification());
        events.push(ClientEvent::Ready);
        assert!(events.bytes() > 2 * size_of::<ClientEvent>());
        while events.pop().is_some() {}
        assert_eq!(events.bytes(), 0);
    }
}

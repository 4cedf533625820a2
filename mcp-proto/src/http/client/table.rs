//! The exchanges that are open.

use super::exchange::{Exchange, ExchangeId, Kind, Response};
use crate::rpc::{CallId, Deadlines, Purpose, Series};
use crate::time::Time;

/// The exchanges that are open, the calls that wait for one, and when one is ended if the server does not end it.
///
/// | what is counted | why |
/// |---|---|
/// | the bytes of all bodies together | many small ones must not fill the memory either |
/// | answers to requests of the server | it must not have its client open any number of connections |
/// | messages that the server has not taken | a server that takes no answers to its own requests could ask without end |
///
/// All follow from the exchanges themselves: whatever changes one goes through [`update`](Self::update).
#[derive(Debug, Default)]
pub(super) struct Table {
    next: u64,
    open: Series<Exchange>,
    by_call: Series<ExchangeId>,
    ends: Deadlines<ExchangeId>,
    untaken: usize,
    answers: usize,
    body_bytes: usize,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many entries there are in all tables, without void ends, of which there are never many.
    pub(super) fn entries(&self) -> usize {
        let ending = self.iter().filter(|(_, exchange)| exchange.until.is_some());
        self.open.len() + self.by_call.len() + ending.count()
    }

    /// What the bodies keep.
    pub(super) fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// How many messages that want no answer have not been taken yet.
    pub(super) fn untaken(&self) -> usize {
        self.untaken
    }

    /// How many exchanges there are for answers to requests of the server.
    pub(super) fn answers(&self) -> usize {
        self.answers
    }

    /// An exchange begins, in the session of this number.
    pub(super) fn begin(&mut self, kind: Kind, in_session: Option<u64>) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        let exchange = Exchange {
            kind,
            in_session,
            until: None,
            resend: None,
            cursor: None,
            response: Response::Awaited,
        };
        self.untaken += usize::from(exchange.is_untaken());
        self.answers += usize::from(kind == Kind::Post(Purpose::Response));
        self.open.insert(id.0, exchange);
        if let Some(call) = kind.call() {
            self.by_call.insert(call.number(), id);
        }
        id
    }

    pub(super) fn get(&self, id: ExchangeId) -> Option<&Exchange> {
        self.open.get(id.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ExchangeId, &Exchange)> {
        self.open
            .iter()
            .map(|(number, exchange)| (ExchangeId(number), exchange))
    }

    /// Changes an exchange; `None` where it is over.
    pub(super) fn update<T>(&mut self, id: ExchangeId, change: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        let exchange = self.open.get_mut(id.0)?;
        // Around every change: the sums are asked for before each read.
        let (was_untaken, size) = (exchange.is_untaken(), exchange.response.size());
        let value = change(exchange);
        self.body_bytes = self.body_bytes - size + exchange.response.size();
        self.untaken = self.untaken + usize::from(exchange.is_untaken()) - usize::from(was_untaken);
        Some(value)
    }

    /// Sees to it that an exchange ends at `until`, if not before.
    pub(super) fn end_at(&mut self, id: ExchangeId, until: Time) {
        let Some(exchange) = self.open.get_mut(id.0) else {
            return;
        };
        // A bound that was set may only come nearer.
        if exchange.until.is_none_or(|old| until < old) {
            exchange.until = Some(until);
            self.ends.add(until, id);
            self.clean();
        }
    }

    /// Forgets an exchange that is over. Gives the call with it that has no answer yet.
    pub(super) fn take(&mut self, id: ExchangeId) -> Option<(Exchange, Option<CallId>)> {
        let exchange = self.open.remove(id.0)?;
        self.body_bytes -= exchange.response.size();
        self.untaken -= usize::from(exchange.is_untaken());
        self.answers -= usize::from(exchange.kind == Kind::Post(Purpose::Response));
        if exchange.until.is_some() {
            self.clean();
        }
        let call = self.leave(id, exchange.kind);
        Some((exchange, call))
    }

    /// The call that an exchange should answer, and has not yet.
    pub(super) fn unanswered(&self, id: ExchangeId, kind: Kind) -> Option<CallId> {
        // A call that was made again has another exchange by now.
        kind.call().filter(|call| self.by_call.get(call.number()) == Some(&id))
    }

    /// The same; it does not wait for the exchange any more.
    pub(super) fn leave(&mut self, id: ExchangeId, kind: Kind) -> Option<CallId> {
        let call = self.unanswered(id, kind)?;
        self.by_call.remove(call.number());
        Some(call)
    }

    /// The exchange that a call waits for; it does not any more.
    pub(super) fn leave_call(&mut self, call: CallId) -> Option<ExchangeId> {
        self.by_call.remove(call.number())
    }

    /// The exchange of `notifications/initialized`.
    pub(super) fn announcement(&self) -> Option<ExchangeId> {
        let is_it = |exchange: &Exchange| exchange.kind == Kind::Post(Purpose::Initialized);
        self.iter().find(|(_, exchange)| is_it(exchange)).map(|(id, _)| id)
    }

    /// An exchange whose time is over.
    pub(super) fn pop_due(&mut self, now: Time) -> Option<ExchangeId> {
        let id = self.ends.pop_due(now)?;
        self.clean();
        Some(id)
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.ends.next()
    }

    fn clean(&mut self) {
        let open = &self.open;
        let counts = |until, id: ExchangeId| open.get(id.0).is_some_and(|exchange| exchange.until == Some(until));
        self.ends.clean(open.len(), counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::rpc::{CallOptions, Calls};
    use bytes::BytesMut;
    use core::time::Duration;

    fn call() -> CallId {
        Calls::new(1).begin_own(&CallOptions::default(), &Timeouts::default(), ())
    }

    fn json(body: &[u8]) -> Response {
        Response::Json {
            status: 200,
            body: BytesMut::from(body),
        }
    }

    #[test]
    fn bodies_and_messages_that_were_not_taken_are_counted() {
        let mut table = Table::default();
        let notification = table.begin(Kind::Post(Purpose::Notification), None);
        let request = table.begin(Kind::Post(Purpose::Call(call())), None);
        assert_eq!(table.untaken(), 1);
        table.update(request, |exchange| exchange.response = json(b"12345"));
        table.update(notification, |exchange| exchange.response = Response::Ignored);
        assert_eq!((table.untaken(), table.body_bytes()), (0, 5));
        table.take(request);
        let unanswered = table.begin(Kind::Post(Purpose::Response), None);
        assert_eq!((table.untaken(), table.body_bytes()), (1, 0));
        table.take(unanswered);
        table.take(notification);
        assert_eq!((table.untaken(), table.entries()), (0, 0));
    }

    #[test]
    fn a_call_that_is_made_again_belongs_to_its_last_exchange() {
        let (mut table, kind) = (Table::default(), Kind::Post(Purpose::Call(call())));
        let first = table.begin(kind, None);
        let second = table.begin(kind, None);
        assert_eq!(table.leave(first, kind), None);
        assert_eq!(table.take(first).unwrap().1, None);
        assert_eq!(table.take(second).unwrap().1, Some(call()));
    }

    #[test]
    fn the_earliest_end_counts() {
        let mut table = Table::default();
        let at = |seconds| Time::since_origin(Duration::from_secs(seconds));
        let [a, b] = [(); 2].map(|()| table.begin(Kind::Delete, None));
        for until in [3, 2, 9] {
            table.end_at(a, at(until));
        }
        table.end_at(b, at(1));
        assert_eq!(
            (table.pop_due(at(2)), table.pop_due(at(2)), table.pop_due(at(9))),
            (Some(b), Some(a), None)
        );
        table.take(a);
        table.end_at(b, at(0));
        table.take(b);
        assert_eq!((table.poll_timeout(), table.entries()), (None, 0));
    }
}

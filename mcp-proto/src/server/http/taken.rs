//! What a session has taken of one request: a message, or a batch.

use alloc::vec::Vec;

use super::exchange::{Exchange, Scope};
use super::rules::Rules;
use super::session::HttpSession;
use crate::http::server::{Accepts, Refusal};
use crate::jsonrpc::{Incoming, InvalidMessage, Message, ParseError};
use crate::server::{ClientRequest, Happening, Received};
use crate::time::Time;

/// The messages of one request, taken by their session.
#[derive(Debug)]
pub struct Taken<R> {
    /// Where the answers go.
    pub exchange: Exchange,
    /// What a handler has to answer, in most cases.
    pub request: Option<ClientRequest>,
    /// The others, in a batch.
    pub more: Vec<ClientRequest>,
    /// What has happened otherwise; where a request is cancelled, with what is remembered of it.
    pub happened: Vec<(Happening, Option<R>)>,
}

impl<R> Taken<R> {
    /// Has a session take what came in one request.
    pub(super) fn of<L>(
        rules: Rules<'_>,
        now: Time,
        session: &mut HttpSession<R, L>,
        incoming: Incoming,
        accepts: Accepts,
        scope: Scope,
    ) -> Self {
        match incoming {
            Incoming::Single(message) => Self::single(rules, now, session, message, accepts, scope),
            Incoming::Batch(batch) => {
                let messages: Vec<_> = batch.messages().collect();
                // Counted first: the answer to the last one known would end the exchange.
                let requests = messages.iter().filter(|message| wants_answer(message)).count();
                let mut taken = Self::new(Exchange::batch(rules, accepts, scope, requests));
                if requests > 0 {
                    taken.exchange.set_resumable(session.next_stream());
                }
                for message in messages {
                    taken.member(rules, now, session, message);
                }
                taken
            }
        }
    }

    /// Has a session take a reply that cannot be read, which is refused all the same.
    pub(super) fn unreadable<L>(rules: Rules<'_>, session: &mut HttpSession<R, L>, error: ParseError) -> Self {
        let received = session.receive_unreadable(&error);
        let mut taken = Self::new(Exchange::refused(rules, None, &Refusal::Unreadable(error)));
        if let Received::Happened(happening) = received {
            taken.happened.push((happening, None));
        }
        taken
    }

    fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            request: None,
            more: Vec::new(),
            happened: Vec::new(),
        }
    }

    fn single<L>(
        rules: Rules<'_>,
        now: Time,
        session: &mut HttpSession<R, L>,
        message: Message,
        accepts: Accepts,
        scope: Scope,
    ) -> Self {
        let is_request = matches!(message, Message::Request(_));
        let mut taken = Self::new(Exchange::new(rules, accepts, scope));
        if is_request {
            taken.exchange.set_resumable(session.next_stream());
        }
        let (received, cancelled) = session.receive(rules.config, now, message);
        match received {
            Received::Request(request) => {
                taken.exchange.expect();
                taken.request = Some(request);
            }
            Received::Respond(answer) => taken.exchange.respond(answer),
            // The session has ended meanwhile.
            Received::Nothing if is_request => {
                taken.exchange = Exchange::refused(rules, None, &Refusal::SessionNotFound);
            }
            Received::Nothing => taken.exchange = Exchange::accepted(rules),
            Received::Happened(happening) => {
                taken.happened.push((happening, cancelled));
                taken.exchange = Exchange::accepted(rules);
            }
        }
        taken
    }

    /// One message of a batch (2025-03-26, Transports, Sending Messages, 3): the answers come together.
    fn member<L>(
        &mut self,
        rules: Rules<'_>,
        now: Time,
        session: &mut HttpSession<R, L>,
        message: Result<Message, InvalidMessage>,
    ) {
        let is_request = matches!(message, Ok(Message::Request(_)));
        let (received, cancelled) = session.receive_batched(rules.config, now, message);
        match received {
            Received::Request(request) => {
                self.exchange.expect();
                self.more.push(request);
            }
            Received::Respond(answer) => self.exchange.respond(answer),
            Received::Happened(happening) => self.happened.push((happening, cancelled)),
            // The session has ended meanwhile.
            Received::Nothing if is_request => self.exchange.respond_nothing(),
            Received::Nothing => {}
        }
    }
}

/// Whether a message of a batch is owed an answer.
fn wants_answer(message: &Result<Message, InvalidMessage>) -> bool {
    match message {
        Ok(message) => matches!(message, Message::Request(_)),
        Err(invalid) => !invalid.is_reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::HttpConfig;
    use crate::jsonrpc::parse;
    use crate::model::Implementation;
    use crate::revision::Revision;
    use crate::server::{LegacySession, ServerConfig};

    /// Status and body of the answer to what comes when the session has just ended.
    fn answer(text: &'static str) -> (u16, alloc::string::String) {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let http = HttpConfig::default();
        let rules = Rules::new(&config, &http, false);
        let machine = LegacySession::operating(&config, Revision::V2025_03_26);
        let mut session: HttpSession<(), ()> = HttpSession::new(machine);
        session.end();
        let incoming = parse(text.into(), config.limits()).unwrap();
        let (now, scope) = (Time::ORIGIN, Scope::Session);
        let mut taken = Taken::of(rules, now, &mut session, incoming, Accepts::BOTH, scope);
        assert!(taken.request.is_none() && taken.more.is_empty() && taken.exchange.is_answered());
        assert!(!taken.exchange.is_finished());
        let head = taken.exchange.poll_head(now).expect("it is answered at once");
        let body = taken.exchange.take_body(now).expect("and as a whole");
        assert!(taken.exchange.is_finished() && taken.exchange.dropped() == 0);
        assert!(taken.exchange.notify(b"late".to_vec()).is_ok() && taken.exchange.dropped() == 1);
        let body = core::str::from_utf8(&body).unwrap().into();
        (head.status.as_u16(), body)
    }

    #[test]
    fn what_comes_when_the_session_has_just_ended_is_answered() {
        let (status, body) = answer(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        assert_eq!(status, 404);
        assert!(body.contains("error"), "{body}");
        let (status, body) = answer(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#);
        assert_eq!((status, body.as_str()), (202, ""));
        let batch =
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"tools/list"}]"#;
        assert_eq!(
            answer(batch),
            (200, "".into()),
            "none is answered, and the stream is over"
        );
    }
}

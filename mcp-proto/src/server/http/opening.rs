//! From an admitted request to its exchange: which era, which session, which handler.

use alloc::string::String;

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use super::exchange::{Exchange, Scope};
use super::rules::Rules;
use super::steps::{
    Beginning, Coming, Deleting, Entering, Listening, Place, Subscribing, Throwaway, check_batch, request_id,
};
use crate::http::server::{Admission, EventId, Head, Posted, Refusal, Route, SessionPolicy, error_response};
use crate::jsonrpc::{ErrorCode, Facts, Id, Incoming, Message, ParseError};
use crate::method::Method;
use crate::modern::server::unsupported;
use crate::server::{Admitted, ClientRequest, admit_seen};
use crate::wire::header::{LAST_EVENT_ID, ParamHeaders};

/// What comes next for a request whose body is there.
///
/// Everything that needs no more than the request itself is decided; where something is shared, the next step says what,
/// so that a threaded driver takes one lock for one step, and never two:
///
/// ```text
///   Opening::of ─┬─▶ Done                                          Exchange
///                ├─▶ Request                                       Exchange, Request        (modern: nothing is shared)
///                ├─▶ Subscribe ── enter(table of subscriptions) ─▶ Exchange
///                ├─▶ Begin ────── check, finish(table of sessions) ▶ Exchange
///                ├─▶ Enter ────── enter(table of sessions) ───────▶ take(that session) ──▶ Taken
///                ├─▶ Throwaway ── take(a session of its own) ─────▶ Taken
///                ├─▶ Listen ───── enter(table of sessions) ───────▶ listen(that session) ─▶ Exchange
///                └─▶ Delete ───── remove(table of sessions) ──────▶ end(that session), Exchange
/// ```
///
/// A step that fails gives the exchange of the refusal.
#[derive(Debug)]
#[must_use = "the client waits for it"]
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart at once, and the large variants are the usual ones"
)]
pub enum Opening<'a> {
    /// Everything is said.
    Done(Exchange),
    /// A handler has to answer it, from nothing but itself.
    Request(Exchange, ClientRequest),
    /// It opens a subscription.
    Subscribe(Subscribing),
    /// It begins a session.
    Begin(Beginning),
    /// It is something in a session.
    Enter(Entering<'a>),
    /// It is something of the legacy era, at an endpoint without sessions.
    Throwaway(Throwaway),
    /// It opens the GET stream of a session.
    Listen(Listening<'a>),
    /// It ends a session.
    Delete(Deleting<'a>),
}

impl<'a> Opening<'a> {
    /// Decides what an admitted request needs. `tools` gives the parameters of a tool that its callers mirror into
    /// HTTP headers, where it has any.
    pub fn of<'t>(
        rules: Rules<'_>,
        admission: &'a Admission,
        parts: &'a Parts,
        body: Bytes,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Self {
        let head = admission.head(parts);
        // Once more after the gate: it may have been shut down while the body was read.
        if let Err(refusal) = rules.check_open() {
            return Self::refused(rules, None, &refusal);
        }
        match admission.route() {
            Route::Post(_) => Self::posted(rules, &head, body, tools),
            Route::Preflight => Self::Done(preflight(rules, parts)),
            // Before the session: what a revision that is not spoken here means by one is not known.
            Route::Get | Route::Delete if !speaks(rules, &head) => Self::Done(unsupported_version(rules, &head, None)),
            Route::Get => Self::placed(rules, &head, |place| {
                let last = last_event(rules, parts);
                Self::Listen(Listening { place, last })
            }),
            Route::Delete => Self::placed(rules, &head, |place| Self::Delete(Deleting(place))),
        }
    }

    /// A step in a session that needs nothing but its place.
    fn placed(rules: Rules<'_>, head: &Head<'a>, step: impl FnOnce(Place<'a>) -> Self) -> Self {
        match Place::of(head) {
            Ok(place) => step(place),
            Err(refusal) => Self::refused(rules, None, &refusal),
        }
    }

    // Each refusal is made where it is found: a step is large, and each `Result` around it would move it once more.
    fn refused(rules: Rules<'_>, id: Option<&Id>, refusal: &Refusal) -> Self {
        Self::Done(Exchange::refused(rules, id, refusal))
    }

    fn posted<'t>(
        rules: Rules<'_>,
        head: &Head<'a>,
        body: Bytes,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Self {
        match Posted::read(head, body, rules.config.limits()) {
            Ok(Posted::Stateless(message)) => Self::stateless(rules, head, message, tools),
            Ok(Posted::Legacy(incoming)) => Self::legacy(rules, head, incoming),
            Err(Refusal::Unreadable(error)) if answers_in_session(rules, head, &error) => {
                Self::placed(rules, head, |place| {
                    Self::Enter(Entering {
                        place,
                        coming: Coming::Unreadable(error),
                        accepts: head.accepts,
                    })
                })
            }
            Err(refusal) => Self::refused(rules, None, &refusal),
        }
    }

    /// A message of the modern era: served from nothing but itself.
    fn stateless<'t>(
        rules: Rules<'_>,
        head: &Head<'a>,
        message: Message,
        tools: impl FnOnce(&str) -> Option<&'t ParamHeaders>,
    ) -> Self {
        let request = match message {
            Message::Request(request) => request,
            // 2026-07-28 defines no notification from client to server over HTTP; one is taken, and means nothing.
            Message::Notification(notification) => {
                let facts = Facts::of(notification.params.as_ref());
                let seen = facts.seen.as_ref().ok();
                let named = seen.and_then(|(_, meta)| meta.protocol_version.as_deref());
                if let Err(refusal) = head.check_version(named) {
                    return Self::refused(rules, None, &refusal);
                }
                return Self::Done(match speaks(rules, head) {
                    true => Exchange::accepted(rules),
                    false => unsupported_version(rules, head, None),
                });
            }
            Message::Response(_) if !speaks(rules, head) => {
                return Self::Done(unsupported_version(rules, head, None));
            }
            Message::Response(_) => {
                let refusal = Refusal::NotAllowedHere("a client sends no responses in this protocol version");
                return Self::refused(rules, None, &refusal);
            }
        };
        let params = request.params.clone();
        let facts = Facts::of(params.as_ref());
        let seen = facts.seen.as_ref().ok();
        let named = seen.and_then(|(_, meta)| meta.protocol_version.as_deref());
        if let Err(refusal) = head.check_version(named) {
            return Self::refused(rules, Some(&request.id), &refusal);
        }
        // Before the method and `_meta`: in a revision that is not spoken here neither means anything.
        if !speaks(rules, head) {
            return Self::Done(unsupported_version(rules, head, Some(&request.id)));
        }
        let mirrored = head.check_mirrored(&request.method, seen.map(|(peek, _)| peek), tools);
        // A version, a method or a `_meta` that is wrong counts before headers that do not fit it.
        let mirrored = mirrored.map_err(|refusal| (request.id.clone(), refusal));
        let admitted = match admit_seen(rules.config, request, &facts) {
            Ok(admitted) => admitted,
            Err(refused) => return Self::Done(Exchange::not_admitted(rules, &refused)),
        };
        if let Err((id, refusal)) = mirrored {
            return Self::refused(rules, Some(&id), &refusal);
        }
        let mut exchange = Exchange::new(rules, head.accepts, Scope::Alone);
        match admitted {
            Admitted::Request(request) => {
                exchange.expect();
                Self::Request(exchange, request)
            }
            Admitted::Respond(message) => {
                exchange.respond(message);
                Self::Done(exchange)
            }
            // There is no other form: a subscription is a stream (2026-07-28, Subscriptions, Opening a Stream).
            Admitted::Listen(subscription) if !head.accepts.sse => {
                Self::refused(rules, Some(subscription.id()), &Refusal::NotAcceptable)
            }
            Admitted::Listen(subscription) => Self::Subscribe(Subscribing {
                subscription,
                exchange,
                holder: head.holder(),
            }),
        }
    }

    /// A message of the legacy era.
    fn legacy(rules: Rules<'_>, head: &Head<'a>, incoming: Incoming) -> Self {
        if !speaks(rules, head) {
            return Self::Done(unsupported_version(rules, head, request_id(&incoming)));
        }
        if !rules
            .config
            .revisions()
            .iter()
            .any(|revision| revision.has_initialize())
        {
            return Self::Done(only_modern(rules, &incoming));
        }
        let initialize = is_initialize(&incoming);
        if rules.http.sessions == SessionPolicy::Stateless {
            // Nothing was agreed on: the header says it, or it is 2025-03-26 (2025-11-25, Protocol Version Header:
            // SHOULD).
            let revision = head.legacy_revision(None, rules.config.revisions());
            let revision = revision.and_then(|revision| check_batch(&incoming, revision));
            return match revision {
                Ok(revision) => Self::Throwaway(Throwaway {
                    incoming,
                    accepts: head.accepts,
                    // `initialize` says in its body what it wants, and may be answered with another revision.
                    agreed: (!initialize).then_some(revision),
                }),
                Err(refusal) => Self::refused(rules, request_id(&incoming), &refusal),
            };
        }
        match (incoming, head.session) {
            // With a session id it is a second handshake, which is for that session to answer.
            (Incoming::Single(message), None) if initialize => Self::Begin(Beginning {
                message,
                accepts: head.accepts,
                holder: head.holder(),
            }),
            (incoming, _) => match Place::of(head) {
                Ok(place) => Self::Enter(Entering {
                    place,
                    coming: Coming::Messages(incoming),
                    accepts: head.accepts,
                }),
                Err(refusal) => Self::refused(rules, request_id(&incoming), &refusal),
            },
        }
    }
}

/// The answer to a browser that asks what a page may send. It is asked for where there is something to be told; nothing is
/// allowed otherwise.
fn preflight(rules: Rules<'_>, parts: &Parts) -> Exchange {
    let cors = rules.http.cors.as_ref();
    let refusal = Refusal::MethodNotAllowed { allow: rules.methods() };
    cors.map_or_else(
        || Exchange::refused(rules, None, &refusal),
        |cors| Exchange::whole(rules, cors.preflight(&parts.headers, rules.methods())),
    )
}

/// The event after which a stream is to go on; no matter what is named where none can.
fn last_event(rules: Rules<'_>, parts: &Parts) -> Option<Result<EventId, Refusal>> {
    rules.http.resumption.as_ref()?;
    let mut values = parts.headers.get_all(LAST_EVENT_ID).iter();
    let first = values.next()?;
    let id = first.to_str().ok().and_then(EventId::parse);
    // Two of them name no event either.
    Some(id.filter(|_| values.next().is_none()).ok_or(Refusal::UnknownEvent))
}

/// Whether what cannot be read is meant as a reply to a call that a session has made. A session is of the legacy era:
/// with a header of another one it is entered by nobody.
fn answers_in_session(rules: Rules<'_>, head: &Head<'_>, error: &ParseError) -> bool {
    let is_reply = error.is_reply() && error.id().is_some();
    is_reply && head.session.is_some() && rules.http.sessions != SessionPolicy::Stateless && speaks(rules, head)
}

/// Whether the version header names a revision that this server speaks, or is not there.
fn speaks(rules: Rules<'_>, head: &Head<'_>) -> bool {
    head.version.is_none()
        || head
            .revision()
            .is_some_and(|revision| rules.config.revisions().contains(&revision))
}

/// A version header that names no revision which this server speaks: the client is told which there are, whatever it
/// has sent (2026-07-28, Streamable HTTP, Protocol Version Header; 2025-11-25, Transports, Protocol Version Header: MUST
/// both).
fn unsupported_version(rules: Rules<'_>, head: &Head<'_>, id: Option<&Id>) -> Exchange {
    let error = unsupported(rules.config.revisions(), head.version.unwrap_or_default());
    Exchange::whole(rules, error_response(StatusCode::BAD_REQUEST, id, &error))
}

/// A legacy client at a server without legacy revisions: it is told which there are
/// (2026-07-28, Versioning, Backward Compatibility: SHOULD).
fn only_modern(rules: Rules<'_>, incoming: &Incoming) -> Exchange {
    let mut error = unsupported(rules.config.revisions(), &wanted(incoming).unwrap_or_default());
    // The header is what is missing (2026-07-28, Streamable HTTP, Protocol Version Header: MUST).
    error.code = ErrorCode::HEADER_MISMATCH;
    let id = request_id(incoming);
    Exchange::whole(rules, error_response(StatusCode::BAD_REQUEST, id, &error))
}

/// The version that an `initialize` asks for.
fn wanted(incoming: &Incoming) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Wanted {
        #[serde(rename = "protocolVersion")]
        protocol_version: String,
    }
    let Incoming::Single(Message::Request(request)) = incoming else {
        return None;
    };
    let wanted: Wanted = request.params.as_ref()?.decode().ok()?;
    Some(wanted.protocol_version)
}

fn is_initialize(incoming: &Incoming) -> bool {
    match incoming {
        Incoming::Single(Message::Request(request)) => request.method.known() == Some(Method::Initialize),
        _ => false,
    }
}

//! Multi round-trip requests: what a server asks of its client while it serves a request, in both eras (2026-07-28, Multi
//! Round-Trip Requests).
//!
//! A handler asks, and reads on when it is answered. In the legacy era each ask is a request of its own. In the modern era
//! there are none: the request is answered with what is asked (`input_required`), the client makes it again with the
//! answers, and the handler is run again from the start, up to the first ask that is not answered yet. [`HandlerRun`] decides
//! which; what has to survive from one run to the next is its state, which the client carries, sealed by
//! a [`Sealer`]. Such state is good for any number of uses, as a request that is made again needs it, or for one
//! ([`Redeem`]): then a store remembers what was used.
//!
//! For those who have handlers of their own, and not those of `handle`: one run of a handler is one [`HandlerRun`].
//!
//! ```
//! use mcp_proto::model::request::Elicit;
//! use mcp_proto::model::{ElicitParams, ElicitResult, ElicitSchema, Implementation};
//! use mcp_proto::server::rounds::{AskReply, HandlerRun, InputAsk, Sealer, Settled};
//! use mcp_proto::server::{Admitted, ResultBody, ServerConfig, admit};
//! use mcp_proto::{Limits, UnixTime, jsonrpc};
//! use mcp_proto::jsonrpc::{Incoming, Message};
//!
//! # fn request(more: &str) -> jsonrpc::Request {
//! #     let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"greet",{more}"_meta":{{
//! #         "io.modelcontextprotocol/protocolVersion":"2026-07-28",
//! #         "io.modelcontextprotocol/clientCapabilities":{{"elicitation":{{}}}}}}}}}}"#);
//! #     match jsonrpc::parse(text.into_bytes().into(), &Limits::default()) {
//! #         Ok(Incoming::Single(Message::Request(request))) => request,
//! #         other => panic!("{other:?}"),
//! #     }
//! # }
//! let config = ServerConfig::new(Implementation::new("greeter", "1"));
//! let mut sealer = Sealer::new(&[], [7; 32]); // random bytes
//! let now = UnixTime::since_epoch(std::time::Duration::from_secs(1_800_000_000));
//!
//! /// One run of a handler: what the client said, or what it is asked.
//! let mut serve = |request| {
//!     let Ok(Admitted::Request(request)) = admit(&config, request) else { unreachable!() };
//!     let mut run = HandlerRun::new(&request.context, &config, None);
//!     let ask = InputAsk::of::<Elicit>(&ElicitParams::form("Your name?", ElicitSchema::default())).unwrap();
//!     let mut place = None;
//!     loop {
//!         // The handler, as far as it comes.
//!         if let AskReply::Answered(answer) = run.ask(&mut place, Some("name"), &ask, |_| true) {
//!             return Err(answer.decode::<ElicitResult>().unwrap().action);
//!         }
//!         match run.settle(now, Some(&mut sealer)) {
//!             Settled::Again => {}
//!             Settled::Over(outcome) => return Ok(outcome.unwrap()),
//!             other => unreachable!("{other:?}"),
//!         }
//!     }
//! };
//! let asked: ResultBody = serve(request("")).unwrap();
//! let asked: mcp_proto::model::InputRequiredResult = asked.as_raw().decode().unwrap();
//! let state = asked.request_state.unwrap();
//! let retry = format!(r#""requestState":"{state}","inputResponses":{{"name":{{"action":"decline"}}}},"#);
//! assert_eq!(serve(request(&retry)).unwrap_err(), mcp_proto::model::ElicitAction::Decline);
//! ```

mod digest;
mod error;
mod fit;
mod key;
mod redeem;
mod refusal;
mod request;
mod retry;
mod run;
mod seal;
mod state;
mod used;

pub use error::AskError;
pub use key::StateKey;
pub use redeem::{Redeem, Redemption, StateId};
pub use refusal::StateRefusal;
pub use request::{InputAsk, InputRequired};
pub(crate) use retry::Asked;
pub use run::{AskReply, HandlerRun, Once, Settled};
pub use seal::Sealer;
pub use used::UsedStates;

#[cfg(test)]
mod tests;

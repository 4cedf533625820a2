//! What a handler asks of its client, and keeps for its next run.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::future::{Future, pending, poll_fn};
use core::task::Poll;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ask, Context};
use crate::jsonrpc::{Params, RawJson};
use crate::method::{Method, Side};
use crate::model::request::{CreateMessage, Elicit, ListRoots};
use crate::model::{
    CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ElicitSchema, ElicitUrlParams,
    ElicitationCompleteParams, ListRootsResult, RequestParams, TypedRequest,
};
use crate::server::rounds::{HandlerRun, InputAsk, Once};
use crate::server::{AskError, InputRequired};

/// What the client has answered to the round before, each under its key. From [`Context::inputs`].
#[derive(Clone, Debug, Default)]
pub struct Inputs(BTreeMap<String, RawJson>);

impl Inputs {
    /// The answer to `key`; `None` where there is none, or not one of this shape: ask again then.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.0.get(key)?.decode().ok()
    }

    /// Whether there is no answer at all, as in the first run.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Asking the client, in both eras; see [`Ask`] for what that means.
impl Context {
    /// Asks the user to fill in a form (since 2025-06-18).
    ///
    /// # Errors
    /// [`AskError`], of the future.
    pub fn elicit(&self, message: impl Into<String>, schema: ElicitSchema) -> Ask<'_, ElicitResult> {
        self.ask::<Elicit>(&ElicitParams::form(message, schema))
    }

    /// Asks the user to visit a URL (since 2025-11-25). Accepted means that the user is on the way; what happens there the
    /// server sees for itself.
    ///
    /// In 2025-11-25 the visit has an id, which no other on this server has, and
    /// [`elicitation_complete`](Self::elicitation_complete) may tell later that it is over. 2026-07-28 has neither.
    ///
    /// # Errors
    /// [`AskError`], of the future.
    pub fn elicit_url(
        &self,
        message: impl Into<String>,
        url: impl Into<String>,
        elicitation_id: impl Into<String>,
    ) -> Ask<'_, ElicitResult> {
        let mut visit = ElicitUrlParams::new(message, url);
        // The id is for telling the end.
        if Method::ElicitationCompleteNotification.is_sent_by(Side::Server, self.revision()) {
            visit.elicitation_id = Some(elicitation_id.into());
        }
        self.ask::<Elicit>(&ElicitParams::Url(visit))
    }

    /// Tells the client that the visit of a URL is over (`notifications/elicitation/complete`), so that it may go on.
    /// Nothing is sent but in 2025-11-25, to a client that visits URLs.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, it has sent nothing.
    pub async fn elicitation_complete(&self, elicitation_id: impl Into<String>) {
        let params = Params::from_serialize(&ElicitationCompleteParams::new(elicitation_id));
        if let Ok(params) = params {
            // Refused where the revision does not have it, or the client has not declared that it visits URLs.
            let _ = self.notify(Method::ElicitationCompleteNotification, params).await;
        }
    }

    /// Asks the language model of the client. Deprecated in 2026-07-28: servers call models of their own.
    ///
    /// # Errors
    /// [`AskError`], of the future.
    pub fn sample(&self, params: &CreateMessageParams) -> Ask<'_, CreateMessageResult> {
        self.ask::<CreateMessage>(params)
    }

    /// Asks for the roots. Deprecated in 2026-07-28: arguments and resource URIs say where to work.
    ///
    /// # Errors
    /// [`AskError`], of the future.
    pub fn list_roots(&self) -> Ask<'_, ListRootsResult> {
        self.ask::<ListRoots>(&RequestParams::default())
    }

    /// Asks by the type of the request, with whatever parameters it has: one of the three that
    /// [`Method::is_input_request`](crate::method::Method::is_input_request) names.
    ///
    /// # Errors
    /// [`AskError`], of the future.
    pub fn ask<R: TypedRequest>(&self, params: &R::Params) -> Ask<'_, R::Result> {
        Ask::new(self, InputAsk::of::<R>(params), RawJson::decode)
    }

    /// Does something that must not happen again when the handler is run again, and gives what it gave: what is written,
    /// paid or sent before a later ask. Its value is kept, sealed, by the client.
    ///
    /// It happens at most once for each state that is delivered: a client that makes a request again *without* its state,
    /// or with an earlier one, makes it happen again. What must never happen twice needs a record of the server's own.
    /// While it happens the run is not ended by an ask beside it.
    ///
    /// # Errors
    /// [`AskError::TooLarge`] where the value cannot be carried ([`Limits::state_bytes`](crate::Limits::state_bytes)): it has
    /// happened then. [`AskError::Invalid`] where it has no JSON form, and [`AskError::Duplicate`] where the same key is
    /// waited for already.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is kept.
    pub async fn once<T>(&self, key: &str, action: impl Future<Output = T>) -> Result<T, AskError>
    where
        T: Serialize + DeserializeOwned,
    {
        let once = |round: &mut HandlerRun| match round.once(key) {
            Once::Wait => None,
            seen => Some(seen),
        };
        match self.look(once).await {
            Once::Done(value) => return Ok(value.decode()?),
            Once::Refused(error) => return Err(error),
            Once::Now | Once::Wait => {}
        }
        // Over in any case, once it is dropped: what was asked meanwhile waits for that.
        let doing = Doing { context: self, key };
        let value = action.await;
        let json = RawJson::from_serialize(&value)?;
        self.with_round(|round| round.keep(key, json))?;
        drop(doing);
        Ok(value)
    }

    /// What the client has answered to the round before: for handlers that are written in steps, which ask with
    /// [`require_input`](Self::require_input).
    pub async fn inputs(&self) -> Inputs {
        self.look(|round| round.given().map(|(inputs, _)| Inputs(inputs.clone())))
            .await
    }

    /// The state that the handler has given to the round before; `None` in the first run.
    ///
    /// # Errors
    /// [`AskError::Invalid`] where it is not of this type.
    pub async fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, AskError> {
        let state = self.look(|round| round.given().map(|(_, state)| state.cloned())).await;
        Ok(state.map(|state| state.decode()).transpose()?)
    }

    /// Ends this step: the client is asked, and the handler is run again with the [`inputs`](Self::inputs) and the
    /// [`state`](Self::state). In the modern era this never returns, and what is left of the handler is dropped. A legacy
    /// client is asked by requests, one after the other, and then it returns with the answers: the handler goes on with its
    /// next step, in a loop.
    ///
    /// # Errors
    /// [`AskError`] where something cannot be asked.
    pub async fn require_input(&self, required: InputRequired) -> Result<Inputs, AskError> {
        let parts = required.into_parts()?;
        let asks = parts.0.clone();
        self.look(|round| round.given().map(|_| ())).await;
        self.with_round(|round| round.step(parts))?;
        if !self.revision().has_server_requests() {
            self.wake_round();
            return pending().await;
        }
        let mut answers = BTreeMap::new();
        for (key, ask) in asks {
            let answer = Ask::new(self, Ok(ask), |raw| Ok(raw.clone())).key(key.clone()).await?;
            answers.insert(String::from(key), answer);
        }
        self.with_round(|round| round.stepped(answers.clone()));
        Ok(Inputs(answers))
    }

    /// Looks at the run until there is something to be seen.
    async fn look<T>(&self, mut look: impl FnMut(&mut HandlerRun) -> Option<T>) -> T {
        poll_fn(|_| match self.with_round(&mut look) {
            Some(seen) => Poll::Ready(seen),
            None => {
                self.wake_round();
                Poll::Pending
            }
        })
        .await
    }
}

/// Something that happens once, while it does.
struct Doing<'a> {
    context: &'a Context,
    key: &'a str,
}

impl Drop for Doing<'_> {
    fn drop(&mut self) {
        self.context.with_round(|round| round.give_up(self.key));
        self.context.wake_round();
    }
}

#[cfg(test)]
mod tests;

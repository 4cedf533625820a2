//! URLs that the user has to visit before a request can be served.

use alloc::vec::Vec;

use super::{Context, ToolError};
use crate::jsonrpc::{ErrorCode, ErrorObject};
use crate::method::ClientCapability;
use crate::model::{ElicitAction, ElicitUrlParams, UrlElicitationRequired};

impl Context {
    /// Has the user visit these URLs before the request goes on, such as those where the server is authorized elsewhere. To
    /// be called while the visits are missing, with `?`.
    ///
    /// | revision | what comes of it |
    /// |---|---|
    /// | 2024-11-05 to 2025-06-18 | an error: their clients cannot be sent anywhere |
    /// | 2025-11-25 | the error −32042 with all of them (Elicitation, URL Elicitation Required Error): the request is made again when the visits are over |
    /// | 2026-07-28 | the user is [asked](Self::elicit_url) for each, and the handler goes on where all were agreed to: what was done there the server learns by its own means |
    ///
    /// # Errors
    /// −32042; −32021 or −32600 where the client has not declared `elicitation.url`; −32603 where one of them has no
    /// [id](ElicitUrlParams::elicitation_id), which 2025-11-25 requires. A user who does not agree is a failure for the model.
    pub async fn require_visits(&self, visits: impl IntoIterator<Item = ElicitUrlParams>) -> Result<(), ToolError> {
        let visits: Vec<_> = visits.into_iter().collect();
        if visits.is_empty() {
            return Ok(());
        }
        self.require(ClientCapability::ElicitationUrl)?;
        if self.revision().has_url_elicitation_error() {
            return Err(required(visits).into());
        }
        for visit in visits {
            let id = visit.elicitation_id.unwrap_or_default();
            let answer = self.elicit_url(visit.message, visit.url, id).await?;
            if answer.action != ElicitAction::Accept {
                return Err(ToolError::text(
                    "the user has not agreed to visit a URL that is needed for this",
                ));
            }
        }
        Ok(())
    }
}

/// The error that asks for visits before a request is made again.
fn required(elicitations: Vec<ElicitUrlParams>) -> ErrorObject {
    if elicitations.iter().any(|it| it.elicitation_id.is_none()) {
        return ErrorObject::internal("an elicitation that is required has no id");
    }
    let error = ErrorObject::new(ErrorCode::URL_ELICITATION_REQUIRED, "a URL has to be visited first");
    error.with_data(&UrlElicitationRequired::new(elicitations))
}

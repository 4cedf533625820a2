//! What the server behind a proxy asks, on its way to the clients before it.

use alloc::sync::Arc;

use super::askers::Askers;
use crate::handle::client::{AnswerContext, ClientHandler};
use crate::handle::server::ServerCall;
use crate::jsonrpc::{ErrorObject, Params, RawJson};
use crate::method::MethodName;
use crate::model::ClientCapabilities;
use crate::proxy;
use crate::rpc::CallOptions;

/// Asks the clients of a proxy what its server wants to know.
pub(super) struct Answers {
    pub(super) askers: Arc<Askers>,
    pub(super) declared: ClientCapabilities,
    /// How a client is asked.
    pub(super) options: CallOptions,
}

impl ClientHandler for Answers {
    fn capabilities(&self) -> ClientCapabilities {
        self.declared.clone()
    }

    async fn request(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        context: AnswerContext,
    ) -> Result<RawJson, ErrorObject> {
        let params = params.map(Params::from_raw).transpose()?.unwrap_or_default();
        let asker = self.askers.find(context.related()).await?;
        if let Some(error) = proxy::refusal(asker.revision) {
            return Err(error);
        }
        let call = ServerCall::new(&*asker.peer, asker.revision, method, Ok(params), |raw| Ok(raw.clone()));
        call.options(self.options.clone()).await.map_err(proxy::failure)
    }
}

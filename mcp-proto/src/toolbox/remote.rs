//! One tool of a server.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use serde::Serialize;

use super::call::ToolCall;
use super::error::{FindToolError, ValidateToolError};
use super::origin::ToolOrigin;
use super::overrides::ToolOverrides;
use super::servers::{Found, Lookup, Servers, find};
use super::signature::Signature;
use super::source::ToolSource;
use super::target::{Target, pick};
use crate::model::Tool;
use crate::rpc::CallOptions;

/// One tool of a server, by its name. Cheap to clone.
///
/// Making one asks nobody and checks nothing: whether there is such a tool shows when it is called, or before that when
/// it is [validated](Self::validate).
#[derive(Clone, Debug)]
pub struct RemoteTool {
    target: Target,
}

impl RemoteTool {
    /// The tool that the server behind `source` calls `name`.
    pub fn new(source: impl ToolSource + 'static, name: impl Into<Box<str>>) -> Self {
        let origin = ToolOrigin {
            server: None,
            tool: name.into(),
        };
        Self {
            target: Target::Known(Found {
                source: Arc::new(source),
                origin,
                overrides: ToolOverrides::default(),
                signature: None,
            }),
        }
    }

    pub(super) fn in_box(servers: Arc<Servers>, name: Box<str>) -> Self {
        Self {
            target: Target::InBox { servers, name },
        }
    }

    /// What the server is called in errors. A tool of a box has the name of its server from there.
    #[must_use]
    pub fn of_server(mut self, server: impl Into<Box<str>>) -> Self {
        if let Target::Known(found) = &mut self.target {
            found.origin.server = Some(server.into());
        }
        self
    }

    /// What is said of the tool in place of its server. A tool of a box has this from there.
    #[must_use]
    pub fn overrides(mut self, overrides: ToolOverrides) -> Self {
        if let Target::Known(found) = &mut self.target {
            found.overrides = overrides;
        }
        self
    }

    /// What its arguments are expected to be, for [`validate`](Self::validate). A tool of a box has this from there.
    #[must_use]
    pub fn expects(mut self, signature: Signature) -> Self {
        if let Target::Known(found) = &mut self.target {
            found.signature = Some(signature);
        }
        self
    }

    /// The name that it is shown and called by here.
    pub fn name(&self) -> &str {
        match &self.target {
            Target::Known(found) => found.overrides.name.as_deref().unwrap_or(&found.origin.tool),
            Target::InBox { name, .. } => name,
        }
    }

    /// Looks whether the server has the tool, with the arguments that are expected, and gives it as it is shown here.
    ///
    /// The list of tools is taken from what is kept where that is fresh.
    ///
    /// # Errors
    /// [`ValidateToolError::Find`] where it is not there or the server cannot be asked, [`ValidateToolError::Mismatch`]
    /// where it is another than expected.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting.
    pub async fn validate(&self) -> Result<Tool, ValidateToolError> {
        let (found, spent) = self.find().await?;
        let list = found.source.tools(CallOptions::default(), spent).await;
        let list = list.outcome.map_err(|error| FindToolError::List {
            server: found.origin.server.clone(),
            error,
        })?;
        let tool = pick(&list, &found.origin)?;
        match found
            .signature
            .as_ref()
            .map_or(Ok(()), |signature| signature.check(tool))
        {
            Ok(()) => Ok(found.overrides.apply(tool)),
            Err(mismatch) => Err(ValidateToolError::Mismatch {
                tool: found.origin,
                mismatch,
            }),
        }
    }

    /// Calls the tool. `arguments` becomes a JSON object; `()` is none.
    pub fn call<A: Serialize>(&self, arguments: A) -> ToolCall {
        ToolCall::new(self.target.clone(), arguments)
    }

    /// The tool, and how much of the time is spent.
    async fn find(&self) -> Result<(Found, Duration), FindToolError> {
        let (servers, name) = match &self.target {
            Target::Known(found) => return Ok((found.clone(), Duration::ZERO)),
            Target::InBox { servers, name } => (servers, name),
        };
        match servers.look_up(name)? {
            Lookup::Found(found) => Ok((found, Duration::ZERO)),
            Lookup::Candidates(candidates) => {
                find(servers.clone(), name.clone(), candidates, CallOptions::default()).await
            }
        }
    }
}

//! One call of what a server offers, and what runs for it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::{Context, Peer, Server, Work};
use crate::jsonrpc::RawJson;
use crate::revision::Revision;
use crate::server::RequestContext;

/// One call of a tool, of a prompt, of a resource or of a completion.
pub struct Invocation {
    pub(crate) arguments: Arguments,
    /// What a resource or a completion is asked for.
    pub(crate) subject: Option<Subject>,
    pub(crate) revision: Revision,
    caller: Caller,
}

/// What a call brings.
pub(crate) enum Arguments {
    /// An object, or nothing.
    Json(Option<RawJson>),
    /// Names and texts: variables of a URI, arguments of a prompt.
    Texts(Vec<(String, String)>),
}

/// What a call is about besides its arguments.
pub(crate) struct Subject {
    /// The URI that is read, or the beginning that is to be completed.
    pub(crate) text: String,
    /// What the resource was declared to be.
    pub(crate) mime_type: Option<String>,
}

/// Who calls.
enum Caller {
    /// So far nobody has asked who.
    Unknown {
        server: Server,
        request: RequestContext,
        peer: Arc<dyn Peer>,
    },
    Known(Context),
    /// Between the two, and left by nobody.
    Gone,
}

impl Invocation {
    pub(crate) fn new(arguments: Arguments, server: Server, request: RequestContext, peer: Arc<dyn Peer>) -> Self {
        Self {
            arguments,
            subject: None,
            revision: request.revision(),
            caller: Caller::Unknown { server, request, peer },
        }
    }

    /// The context, made for the first who wants it: most do not, and it is an allocation.
    pub(crate) fn context(&mut self) -> Option<Context> {
        let context = match mem::replace(&mut self.caller, Caller::Gone) {
            Caller::Unknown { server, request, peer } => Context::new(server, request, peer),
            Caller::Known(context) => context,
            Caller::Gone => return None,
        };
        self.caller = Caller::Known(context.clone());
        Some(context)
    }
}

/// What runs when something is called. It may run several times for one call.
pub(crate) trait Run: Send + Sync {
    fn run(&self, invocation: Invocation) -> Work;
}

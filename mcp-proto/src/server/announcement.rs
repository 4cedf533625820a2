//! What a server tells all its clients.

use super::ServerConfig;
use crate::jsonrpc::Params;
use crate::method::{Kind, Method, MethodName, Side};
use crate::revision::Revision;
use crate::rpc::SendError;

/// A notification for everyone whom it concerns: a list that has changed, a resource that was updated. Made once, and
/// handed to each session and subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub(crate) method: MethodName,
    pub(crate) params: Params,
}

impl Announcement {
    /// An announcement of a server.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] where the method is not a notification of servers, [`SendError::Reserved`] where it is
    /// about one request or the protocol itself, [`SendError::NotSupported`] where its capability was not declared.
    pub fn new(config: &ServerConfig, method: impl Into<MethodName>, params: Params) -> Result<Self, SendError> {
        let method = method.into();
        // The application's own: what it means to which revision only the application knows.
        let Some(known) = method.known() else {
            return Ok(Self { method, params });
        };
        let is_ours = |revision: &Revision| known.is_sent_by(Side::Server, *revision);
        if known.kind() != Kind::Notification || !Revision::ALL.iter().any(is_ours) {
            let revision = Revision::LATEST;
            return Err(SendError::OutOfEra { method, revision });
        }
        if is_reserved(known) {
            return Err(SendError::Reserved { method });
        }
        match config.allows(known) {
            true => Ok(Self { method, params }),
            false => Err(SendError::NotSupported { method }),
        }
    }

    /// A notification that belongs to a request which is served in `revision`, one that is not sent by a verb of its own.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] where the method is not a notification of servers in that revision, or in the modern era not
    /// one that belongs to a request (2026-07-28, Streamable HTTP: MUST relate to it); [`SendError::Reserved`] for progress
    /// and log messages, cancellations and acknowledgements; [`SendError::NotSupported`] where its capability was not
    /// declared.
    #[cfg(feature = "handle")]
    pub(crate) fn about_request(
        config: &ServerConfig,
        revision: Revision,
        method: impl Into<MethodName>,
        params: Params,
    ) -> Result<Self, SendError> {
        let method = method.into();
        let Some(known) = method.known() else {
            return Ok(Self { method, params });
        };
        let is_ours = known.kind() == Kind::Notification && known.is_sent_by(Side::Server, revision);
        let is_reserved = is_reserved(known) || known == Method::LoggingMessageNotification;
        if is_ours && is_reserved {
            return Err(SendError::Reserved { method });
        }
        // Of those that the modern era has, only the reserved ones belong to a request.
        if !is_ours || revision.is_stateless() {
            return Err(SendError::OutOfEra { method, revision });
        }
        match config.allows(known) {
            true => Ok(Self { method, params }),
            false => Err(SendError::NotSupported { method }),
        }
    }

    /// What has happened.
    pub fn method(&self) -> &MethodName {
        &self.method
    }

    /// With what.
    pub fn params(&self) -> &Params {
        &self.params
    }
}

/// Whether a notification of servers is about a request or the protocol itself, so that nobody else is to send it.
fn is_reserved(method: Method) -> bool {
    matches!(
        method,
        Method::ProgressNotification | Method::CancelledNotification | Method::SubscriptionsAcknowledgedNotification
    )
}

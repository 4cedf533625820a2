//! The one notification that both sides write by themselves.

use alloc::vec::Vec;

use crate::jsonrpc::{Id, encode_notification, write_id, write_json};
use crate::method::Method;

/// `notifications/cancelled` of the request with this id.
pub(crate) fn encode_cancelled(id: &Id, reason: Option<&str>) -> Vec<u8> {
    let mut params = Vec::with_capacity(64);
    params.extend_from_slice(br#"{"requestId":"#);
    write_id(&mut params, id);
    if let Some(reason) = reason {
        params.extend_from_slice(br#","reason":"#);
        write_json(&mut params, reason);
    }
    params.push(b'}');
    encode_notification(Method::CancelledNotification.as_str(), &params)
}

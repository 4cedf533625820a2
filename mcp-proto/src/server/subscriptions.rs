//! The subscriptions of one client on a byte stream.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Subscription;
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::rpc::RequestKey;

/// The open subscriptions of one client, each by the request that has opened it and is in progress as long as it is open.
///
/// | a subscription ends | with | why |
/// |---|---|---|
/// | when its client cancels it | nothing | the client knows |
/// | at the end of input | the response | the client ends it (2026-07-28, stdio, Shutdown), and learns that it has ended well (Subscriptions, Graceful Closure: SHOULD) |
/// | when the server ends | a cancellation, then the response | 2026-07-28, Cancellation: MUST send the one; Subscriptions, Graceful Closure: SHOULD send the other |
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    open: BTreeMap<RequestKey, Subscription>,
}

impl Subscriptions {
    /// Opens one: the acknowledgement, which is sent before anything else.
    pub(super) fn open(&mut self, key: RequestKey, subscription: Subscription) -> Vec<u8> {
        let acknowledgement = subscription.acknowledgement();
        self.open.insert(key, subscription);
        acknowledgement
    }

    /// The notification as each of those gets it that asked for it.
    pub(super) fn select(&self, method: Method, params: &Params) -> impl Iterator<Item = Vec<u8>> {
        self.open
            .values()
            .filter_map(move |subscription| subscription.select(method, params))
    }

    /// Ends that of a request; `None` where it has opened none.
    pub(super) fn close(&mut self, key: RequestKey) -> Option<Subscription> {
        self.open.remove(&key)
    }

    /// Ends all of them, oldest first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (RequestKey, Subscription)> + use<> {
        core::mem::take(&mut self.open).into_iter()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::RawJson;
    use crate::model::Implementation;
    use crate::revision::Revision;
    use crate::rpc::Requests;
    use crate::server::{RequestToken, ServerConfig};

    #[test]
    fn each_gets_what_it_has_asked_for_while_it_is_open() {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true}}"#).unwrap();
        let config = ServerConfig::new(Implementation::new("s", "1")).with_capabilities(capabilities);
        let mut requests = Requests::new(9);
        let mut subscriptions = Subscriptions::default();
        let keys = ["{}", r#"{"toolsListChanged":true}"#].map(|wanted| {
            let id = wanted.into();
            let token = RequestToken::new(id, &Method::ListenSubscriptions.into(), Revision::V2026_07_28);
            let params = RawJson::parse(alloc::format!(r#"{{"notifications":{wanted}}}"#)).unwrap();
            let key = requests.begin(token.id()).unwrap();
            let subscription = Subscription::open(&config, token, Some(&params)).unwrap();
            let acknowledgement = subscriptions.open(key, subscription);
            assert!(acknowledgement.starts_with(br#"{"jsonrpc":"2.0","method":"notifications/subscriptions/ack"#));
            key
        });
        let changed = Method::ToolListChangedNotification;
        assert_eq!(subscriptions.select(changed, &Params::NONE).count(), 1);
        assert!(subscriptions.close(keys[1]).is_some() && subscriptions.close(keys[1]).is_none());
        assert_eq!(subscriptions.select(changed, &Params::NONE).count(), 0);
        assert_eq!(subscriptions.drain().map(|(key, _)| key).collect::<Vec<_>>(), [keys[0]]);
        assert_eq!(subscriptions.len(), 0);
    }
}

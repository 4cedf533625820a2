//! `subscriptions/listen`: a request whose answer is a stream of notifications (2026-07-28, Subscriptions).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::uris::Uris;
use super::{Refused, RequestToken, ResultBody, ServerConfig};
use crate::jsonrpc::{ErrorObject, Id, Params, Peek, RawJson, encode_cancelled, encode_notification_with, write_id};
use crate::method::Method;

/// The key under which a notification names its subscription.
const SUBSCRIPTION_ID: &[u8] = br#""io.modelcontextprotocol/subscriptionId":"#;

/// One open subscription.
///
/// Send [`acknowledgement`](Self::acknowledgement) before anything else, then for each notification of the server
/// what [`select`](Self::select) makes of it, and [`into_response`](Self::into_response) at the end unless the
/// client has ended it. Its state belongs to the request, not to a connection.
#[derive(Debug)]
#[must_use = "a subscription has to be acknowledged, and ended"]
pub struct Subscription {
    pub(crate) token: RequestToken,
    filter: Filter,
}

/// The notifications that are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources_list_changed: bool,
    resource_subscriptions: Option<RawJson>,
}

/// The notifications that are honored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    resources_list_changed: bool,
    #[serde(skip_serializing_if = "Uris::is_empty")]
    resource_subscriptions: Uris,
}

impl Subscription {
    /// Opens one, with that part of the filter that the server can honor: what it declares.
    pub(crate) fn open(config: &ServerConfig, token: RequestToken, params: Option<&RawJson>) -> Result<Self, Refused> {
        #[derive(Deserialize)]
        struct Listen {
            notifications: Wanted,
        }
        let wanted = match params.map(RawJson::decode::<Listen>) {
            Some(Ok(listen)) => listen.notifications,
            Some(Err(error)) => return Err(Refused::new(token.id, error.into())),
            None => {
                let error = ErrorObject::invalid_params("notifications is missing");
                return Err(Refused::new(token.id, error));
            }
        };
        let most = config.limits().subscription_uris;
        let uris = wanted.resource_subscriptions.map(|uris| Uris::read(&uris, most));
        // Read even where none will be honored: what is malformed is refused, whatever the server declares.
        let uris = match uris.transpose() {
            Ok(uris) => uris.unwrap_or_default(),
            Err(error) => return Err(Refused::new(token.id, error.into())),
        };
        let filter = Filter {
            tools_list_changed: wanted.tools_list_changed && config.allows(Method::ToolListChangedNotification),
            prompts_list_changed: wanted.prompts_list_changed && config.allows(Method::PromptListChangedNotification),
            resources_list_changed: wanted.resources_list_changed
                && config.allows(Method::ResourceListChangedNotification),
            // Dropped and not refused: the acknowledgement says what is honored.
            resource_subscriptions: match config.allows(Method::ResourceUpdatedNotification) {
                true => uris,
                false => Uris::default(),
            },
        };
        Ok(Self { token, filter })
    }

    /// The id of the request that opened it, which is the id of the subscription.
    pub fn id(&self) -> &Id {
        self.token.id()
    }

    /// About how many bytes it keeps, for as long as it is open.
    pub(crate) fn bytes(&self) -> usize {
        // The client chooses it, at any length that a message may have.
        let id = self.id().as_str().map_or(0, str::len);
        size_of::<Self>() + id + self.filter.resource_subscriptions.bytes()
    }

    /// The first message of the stream (Subscriptions, Acknowledgment: MUST).
    pub fn acknowledgement(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Acknowledged<'a> {
            notifications: &'a Filter,
        }
        let params = Params::from_serialize(&Acknowledged {
            notifications: &self.filter,
        });
        self.tagged(
            Method::SubscriptionsAcknowledgedNotification,
            &params.unwrap_or_default(),
        )
    }

    /// The notification as this subscriber gets it; `None` where it has not asked for it
    /// (Subscriptions, Opening a Stream: MUST NOT send types that were not requested).
    pub fn select(&self, method: Method, params: &Params) -> Option<Vec<u8>> {
        self.wants(method, params).then(|| self.tagged(method, params))
    }

    /// That the server tears it down on a byte stream (2026-07-28, Cancellation: MUST), sent before the response.
    pub fn cancellation(&self) -> Vec<u8> {
        encode_cancelled(self.token.id(), None)
    }

    /// The response that ends it gracefully (Subscriptions, Graceful Closure).
    pub fn into_response(self, config: &ServerConfig) -> Vec<u8> {
        let mut result = Vec::new();
        Params::NONE.write(&mut result, &self.tag());
        let body = RawJson::parse(result).and_then(ResultBody::from_raw);
        self.token.into_response(config, Ok(body.unwrap_or_default()))
    }

    fn wants(&self, method: Method, params: &Params) -> bool {
        match method {
            Method::ToolListChangedNotification => self.filter.tools_list_changed,
            Method::PromptListChangedNotification => self.filter.prompts_list_changed,
            Method::ResourceListChangedNotification => self.filter.resources_list_changed,
            Method::ResourceUpdatedNotification => params
                .as_raw()
                .and_then(|params| Peek::of(params).ok()?.uri)
                .is_some_and(|uri| self.filter.resource_subscriptions.contains(&uri)),
            // Progress and logs belong to a request, and never to a subscription (2026-07-28, Subscriptions).
            _ => false,
        }
    }

    fn tagged(&self, method: Method, params: &Params) -> Vec<u8> {
        encode_notification_with(method.as_str(), params, &self.tag())
    }

    fn tag(&self) -> Vec<u8> {
        let mut tag = Vec::from(SUBSCRIPTION_ID);
        write_id(&mut tag, self.token.id());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Revision;
    use crate::jsonrpc::ErrorCode;
    use crate::method::MethodName;
    use crate::model::Implementation;
    use alloc::string::String;

    fn open(params: &str) -> Result<Subscription, Refused> {
        let capabilities = r#"{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{}}"#;
        let config = ServerConfig::new(Implementation::new("s", "1"))
            .with_capabilities(serde_json::from_str(capabilities).unwrap());
        let method = MethodName::from(Method::ListenSubscriptions);
        let token = RequestToken::new(Id::from("sub"), &method, Revision::V2026_07_28);
        Subscription::open(&config, token, Some(&RawJson::parse(String::from(params)).unwrap()))
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_declared_and_wanted_is_honored() {
        let all = r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a","b"],"new":1}}"#;
        let subscription = open(all).unwrap();
        assert_eq!(
            text(subscription.acknowledgement()),
            concat!(
                r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":"#,
                r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"},"#,
                r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["a","b"]}}}"#
            )
        );
        let nothing = open(r#"{"notifications":{}}"#).unwrap();
        assert!(text(nothing.acknowledgement()).ends_with(r#","notifications":{}}}"#));
    }

    #[test]
    fn a_subscriber_gets_what_it_asked_for_and_nothing_else() {
        let subscription =
            open(r#"{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a"]}}"#).unwrap();
        assert_eq!(
            text(
                subscription
                    .select(Method::ToolListChangedNotification, &Params::NONE)
                    .unwrap()
            ),
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"}}}"#
        );
        let updated = |uri: &str| {
            let params = RawJson::from_serialize(&serde_json::json!({ "uri": uri })).unwrap();
            subscription.select(Method::ResourceUpdatedNotification, &Params::from_raw(params).unwrap())
        };
        assert!(text(updated("a").unwrap()).ends_with(r#"subscriptionId":"sub"},"uri":"a"}}"#));
        assert_eq!(updated("b"), None);
        assert_eq!(
            subscription.select(Method::PromptListChangedNotification, &Params::NONE),
            None
        );
        assert_eq!(
            subscription.select(Method::LoggingMessageNotification, &Params::NONE),
            None
        );
    }

    #[test]
    fn the_end_carries_the_id_of_the_subscription() {
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let response = text(open(r#"{"notifications":{}}"#).unwrap().into_response(&config));
        assert_eq!(
            response,
            concat!(
                r#"{"jsonrpc":"2.0","id":"sub","result":{"resultType":"complete","#,
                r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"},"#,
                r#""io.modelcontextprotocol/subscriptionId":"sub"}}}"#
            )
        );
    }

    #[test]
    fn a_filter_that_is_none_is_invalid() {
        for params in [
            "{}",
            r#"{"notifications":[1]}"#,
            r#"{"notifications":{"toolsListChanged":1}}"#,
        ] {
            let refused = open(params).unwrap_err();
            assert_eq!(refused.error.code, ErrorCode::INVALID_PARAMS, "{params}");
        }
    }
}

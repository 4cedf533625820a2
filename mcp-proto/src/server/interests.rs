//! Which notifications a legacy client wants.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use serde::Deserialize;

use super::ServerConfig;
use super::context::parse_severity;
use super::uris::{Uris, weight};
use crate::jsonrpc::{ErrorObject, Params, Peek, RawJson};
use crate::limits::Limits;
use crate::method::Method;

/// The severity from which on log messages are sent before the client has set a level: `info`.
/// (2025-11-25, Logging: the server MAY decide.)
pub(super) const DEFAULT_SEVERITY: u8 = 1;

/// What a legacy client has asked to hear of: the resources it has subscribed to, and its log level.
///
/// | a notification | is wanted | why |
/// |---|---|---|
/// | an update of a resource | where the client has subscribed to it | 2025-11-25, Resources, Subscriptions |
/// | a log message | from the level on that the client has set | 2025-11-25, Logging, Setting Log Level |
/// | any other | always | there is no way not to want it |
#[derive(Debug)]
pub(super) struct Interests {
    severity: u8,
    /// Boxed because few clients subscribe.
    uris: Option<Box<Uris>>,
}

impl Interests {
    pub(super) fn new() -> Self {
        Self {
            severity: DEFAULT_SEVERITY,
            uris: None,
        }
    }

    /// Whether the client wants this notification.
    pub(super) fn wants(&self, method: Option<Method>, params: &Params) -> bool {
        match method {
            Some(Method::ResourceUpdatedNotification) => {
                let uri = params.as_raw().and_then(|params| Peek::of(params).ok()?.uri);
                uri.is_some_and(|uri| self.has_subscribed(&uri))
            }
            Some(Method::LoggingMessageNotification) => self.wants_log(params),
            _ => true,
        }
    }

    fn wants_log(&self, params: &Params) -> bool {
        let message = params
            .as_raw()
            .and_then(|params| params.decode_borrowed::<Leveled<'_>>().ok());
        message.is_some_and(|message| parse_severity(&message.level).is_ok_and(|severity| severity >= self.severity))
    }

    /// The least severity that is sent; `None` where the server has not said that it logs.
    pub(super) fn log_level(&self, config: &ServerConfig) -> Option<u8> {
        config
            .allows(Method::LoggingMessageNotification)
            .then_some(self.severity)
    }

    /// `logging/setLevel`.
    pub(super) fn set_level(&mut self, config: &ServerConfig, params: Option<&RawJson>) -> Result<(), ErrorObject> {
        if !config.allows(Method::SetLevel) {
            return Err(ErrorObject::method_not_found(Method::SetLevel.as_str()));
        }
        let params = params.ok_or_else(|| ErrorObject::invalid_params("level is missing"))?;
        self.severity = parse_severity(&params.decode_borrowed::<Leveled<'_>>()?.level)?;
        Ok(())
    }

    /// Whether there is room for one more subscription, in number and, with what the others take, in bytes.
    pub(super) fn may_subscribe(&self, limits: &Limits, uri: &str) -> Result<(), ErrorObject> {
        let bytes = self.bytes().saturating_add(weight(uri));
        let has_room = self.len() < limits.subscription_uris && bytes <= limits.total_bytes;
        match has_room || self.has_subscribed(uri) {
            true => Ok(()),
            false => Err(ErrorObject::internal("too many subscriptions")),
        }
    }

    /// Subscribes to a resource. Gives the URI where it is new: it is taken back where the application refuses.
    pub(super) fn subscribe(&mut self, uri: &str) -> Option<Box<str>> {
        self.uris.get_or_insert_default().insert(uri).then(|| uri.into())
    }

    pub(super) fn unsubscribe(&mut self, uri: &str) {
        if let Some(uris) = &mut self.uris {
            uris.remove(uri);
        }
        // Most sessions have none, and one that has none again costs no more than those.
        self.uris.take_if(|uris| uris.is_empty());
    }

    fn has_subscribed(&self, uri: &str) -> bool {
        self.uris.as_ref().is_some_and(|uris| uris.contains(uri))
    }

    /// How many resources it has subscribed to.
    pub(super) fn len(&self) -> usize {
        self.uris.as_ref().map_or(0, |uris| uris.len())
    }

    /// About how many bytes its subscriptions take.
    pub(super) fn bytes(&self) -> usize {
        self.uris.as_ref().map_or(0, |uris| uris.bytes())
    }
}

/// What has a log level.
#[derive(Deserialize)]
struct Leveled<'a> {
    #[serde(borrow)]
    level: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Implementation;
    use alloc::format;

    fn raw(json: &str) -> RawJson {
        RawJson::parse(json.as_bytes().to_vec()).unwrap()
    }

    fn wants(interests: &Interests, method: Method, params: &str) -> bool {
        interests.wants(Some(method), &Params::from_raw(raw(params)).unwrap())
    }

    #[test]
    fn updates_are_wanted_of_what_was_subscribed_to() {
        let mut interests = Interests::new();
        let wants_update = |interests: &Interests, uri: &str| {
            let params = format!(r#"{{"uri":"{uri}"}}"#);
            wants(interests, Method::ResourceUpdatedNotification, &params)
        };
        assert!(!wants_update(&interests, "a"));
        assert_eq!(interests.subscribe("a").as_deref(), Some("a"));
        assert_eq!(interests.subscribe("a"), None, "it is not new");
        assert!(wants_update(&interests, "a") && !wants_update(&interests, "b"));
        assert!(!wants(&interests, Method::ResourceUpdatedNotification, "{}"));
        assert!(wants(&interests, Method::ResourceListChangedNotification, "{}"));
        interests.unsubscribe("a");
        interests.unsubscribe("b");
        assert!(!wants_update(&interests, "a"));
        assert_eq!((interests.len(), interests.bytes()), (0, 0));
    }

    #[test]
    fn subscriptions_are_bounded_in_number_and_bytes() {
        let mut interests = Interests::new();
        let few = Limits {
            subscription_uris: 1,
            ..Limits::default()
        };
        let small = Limits {
            total_bytes: weight("a"),
            ..Limits::default()
        };
        interests.subscribe("a");
        for limits in [few, small] {
            assert!(interests.may_subscribe(&limits, "a").is_ok(), "it takes no more room");
            assert!(interests.may_subscribe(&limits, "b").is_err());
        }
    }

    #[test]
    fn logs_are_wanted_from_the_level_on() {
        let capabilities = serde_json::from_str(r#"{"logging":{}}"#).unwrap();
        let quiet = ServerConfig::new(Implementation::new("s", "1"));
        let config = quiet.clone().with_capabilities(capabilities);
        let mut interests = Interests::new();
        let wants_log = |interests: &Interests, level: &str| {
            let params = format!(r#"{{"level":"{level}","data":1}}"#);
            wants(interests, Method::LoggingMessageNotification, &params)
        };
        assert!(wants_log(&interests, "info") && !wants_log(&interests, "debug"));
        assert!(interests.set_level(&config, Some(&raw(r#"{"level":"error"}"#))).is_ok());
        assert!(interests.set_level(&config, Some(&raw(r#"{"level":"loud"}"#))).is_err());
        assert!(interests.set_level(&config, None).is_err());
        assert!(interests.set_level(&quiet, Some(&raw(r#"{"level":"debug"}"#))).is_err());
        assert!(wants_log(&interests, "error") && !wants_log(&interests, "warning"));
        assert!(!wants_log(&interests, "loud"));
        assert_eq!(
            (interests.log_level(&config), interests.log_level(&quiet)),
            (Some(4), None)
        );
    }
}

//! What an application has set in a legacy session, and wants in the next one too.

use alloc::string::String;
use alloc::vec::Vec;

use crate::jsonrpc::{Params, Peek, RawJson};
use crate::method::Method;

/// Most subscriptions that are remembered; the oldest is forgotten first.
const SUBSCRIPTIONS: usize = 1_024;

/// What the application has subscribed to, and the log level that it has set, as the server has agreed to them.
///
/// A session that is lost takes both along, and the next one knows nothing of them (2025-11-25, Transports, Session
/// Management): they are asked for again.
#[derive(Debug, Default)]
pub(super) struct Standing {
    subscriptions: Vec<(String, Params)>,
    level: Option<Params>,
    /// Whether a session was lost with them.
    is_lost: bool,
}

impl Standing {
    /// A call of the application succeeded.
    pub(super) fn agreed(&mut self, method: Method, params: &Params) {
        match method {
            Method::SetLevel => self.level = Some(params.clone()),
            Method::Subscribe | Method::Unsubscribe => {
                let Some(uri) = params.as_raw().and_then(uri) else {
                    return;
                };
                self.subscriptions.retain(|(other, _)| *other != uri);
                if method == Method::Subscribe {
                    if self.subscriptions.len() >= SUBSCRIPTIONS {
                        self.subscriptions.remove(0);
                    }
                    self.subscriptions.push((uri, params.clone()));
                }
            }
            _ => {}
        }
    }

    /// Whether the application has subscribed to a resource by hand.
    pub(super) fn is_subscribed(&self, uri: &str) -> bool {
        self.subscriptions.iter().any(|(other, _)| other == uri)
    }

    /// The session is gone.
    pub(super) fn lost(&mut self) {
        self.is_lost = true;
    }

    /// A session has begun: what is to be asked for again, once.
    pub(super) fn restored(&mut self) -> Vec<(Method, Params)> {
        if !core::mem::take(&mut self.is_lost) {
            return Vec::new();
        }
        let level = self.level.iter().map(|params| (Method::SetLevel, params.clone()));
        let subscriptions = self.subscriptions.iter();
        level
            .chain(subscriptions.map(|(_, params)| (Method::Subscribe, params.clone())))
            .collect()
    }
}

fn uri(params: &RawJson) -> Option<String> {
    Some(Peek::of(params).ok()?.uri?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn of(uri: &str) -> Params {
        let raw = RawJson::parse(format!(r#"{{"uri":"{uri}"}}"#)).unwrap();
        Params::from_raw(raw).unwrap()
    }

    #[test]
    fn what_stands_is_asked_for_once_in_the_session_after_the_one_that_was_lost() {
        let mut standing = Standing::default();
        for uri in ["a:1", "a:2", "a:1"] {
            standing.agreed(Method::Subscribe, &of(uri));
        }
        standing.agreed(Method::Unsubscribe, &of("a:2"));
        standing.agreed(Method::SetLevel, &of("level"));
        assert!(standing.restored().is_empty(), "nothing was lost");
        standing.lost();
        let methods: Vec<_> = standing.restored().into_iter().map(|(method, _)| method).collect();
        assert_eq!(methods, [Method::SetLevel, Method::Subscribe]);
        assert!(standing.restored().is_empty());
    }

    #[test]
    fn there_is_a_bound() {
        let mut standing = Standing::default();
        (0..2 * SUBSCRIPTIONS).for_each(|at| standing.agreed(Method::Subscribe, &of(&format!("a:{at}"))));
        standing.lost();
        assert_eq!(standing.restored().len(), SUBSCRIPTIONS);
    }
}

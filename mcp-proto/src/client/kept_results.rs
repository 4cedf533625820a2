//! Results that the server lets its client keep (2026-07-28, Caching).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::hints;
use crate::jsonrpc::{Params, Peek, RawJson};
use crate::method::Method;
use crate::time::Time;

/// What the key and the tables cost beside the bytes of a result.
const ENTRY: usize = 256;

/// Results that the server lets its client keep, each under the method and the parameters that it answers
/// (2026-07-28, Caching, Cache Key: "MUST NOT" be served for others).
///
/// They belong to one client, and so to one authorization; whatever their `cacheScope`, nobody else is shown them. The
/// list of tools is not among them: it is kept as a whole.
#[derive(Debug, Default)]
pub(super) struct KeptResults {
    results: BTreeMap<Key, Kept>,
    /// In the order in which they go out of date. The number tells those apart that do so at the same time.
    ends: BTreeMap<(Time, u64), Key>,
    bytes: usize,
    count: u64,
}

/// The parameters as they are written: other spacing is another key, which costs a request and is never wrong.
type Key = (Method, Arc<[u8]>);

#[derive(Debug)]
struct Kept {
    result: RawJson,
    end: (Time, u64),
}

/// A result as far as it matters here. What is wrong with a hint is as if it were not there.
#[derive(Deserialize)]
struct Hinted<'a> {
    #[serde(borrow, default, rename = "ttlMs")]
    ttl_ms: Option<&'a RawValue>,
}

/// The results that may be kept here (2026-07-28, Caching, Cacheable Results).
fn is_cacheable(method: Method) -> bool {
    matches!(
        method,
        Method::ListPrompts | Method::ListResources | Method::ListResourceTemplates | Method::ReadResource
    )
}

impl KeptResults {
    /// The result that is kept for a request. What is out of date is [forgotten](Self::expire) before.
    pub(super) fn find(&self, method: Method, params: &Params) -> Option<&RawJson> {
        self.results.get(&key(method, params)).map(|kept| &kept.result)
    }

    /// A result came at `now`. It is kept as long as it says, within `most` bytes of all: what is out of date first has
    /// to go.
    pub(super) fn keep(&mut self, now: Time, method: Method, params: &Params, result: &RawJson, most: usize) {
        // A retry depends on what is not in the key (2026-07-28, Caching, Cache Key: "MUST NOT be cached").
        if !is_cacheable(method) || is_retry(params) {
            return;
        }
        let key = key(method, params);
        self.remove(&key);
        let ttl = result
            .decode_borrowed::<Hinted<'_>>()
            .ok()
            .and_then(|hinted| hints::ttl(hinted.ttl_ms));
        let Some(ttl) = ttl.filter(|ttl| !ttl.is_zero()) else {
            return;
        };
        let weight = weight(&key, result);
        if weight > most {
            return;
        }
        while self.bytes.saturating_add(weight) > most
            && let Some((_, first)) = self.ends.first_key_value()
        {
            let first = first.clone();
            self.remove(&first);
        }
        self.count += 1;
        let end = (now + ttl, self.count);
        self.bytes += weight;
        self.ends.insert(end, key.clone());
        let result = result.clone();
        self.results.insert(key, Kept { result, end });
    }

    /// The server has notified of a change: what it changes is out of date at once (2026-07-28, Caching, Interaction with
    /// Notifications).
    pub(super) fn changed(&mut self, notified: Method, params: Option<&RawJson>) {
        match notified {
            Method::PromptListChangedNotification => self.forget(|key| key.0 == Method::ListPrompts),
            Method::ResourceListChangedNotification => {
                self.forget(|key| matches!(key.0, Method::ListResources | Method::ListResourceTemplates));
            }
            Method::ResourceUpdatedNotification => {
                // One that does not say which may mean any of them.
                let updated = params.and_then(uri);
                self.forget(|key| {
                    key.0 == Method::ReadResource
                        && updated.as_deref().is_none_or(|updated| is_touched(&key.1, updated))
                });
            }
            _ => {}
        }
    }

    /// A cursor proved invalid: the pages that were kept with it are of another list (2026-07-28, Caching, Interaction
    /// with Pagination: "SHOULD discard all cached pages").
    pub(super) fn distrust(&mut self, method: Method) {
        self.forget(|key| key.0 == method);
    }

    /// Nothing is kept any more.
    pub(super) fn clear(&mut self) {
        *self = Self {
            count: self.count,
            ..Self::default()
        };
    }

    /// Forgets what is not fresh any more (fresh "while `now < t_received + ttlMs`").
    pub(super) fn expire(&mut self, now: Time) {
        while let Some((&(until, _), key)) = self.ends.first_key_value()
            && until <= now
        {
            let key = key.clone();
            self.remove(&key);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.ends.first_key_value().map(|((until, _), _)| *until)
    }

    /// How many are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.results.len()
    }

    /// Their bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget(&mut self, which: impl Fn(&Key) -> bool) {
        let gone: Vec<Key> = self.results.keys().filter(|key| which(key)).cloned().collect();
        for key in gone {
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(kept) = self.results.remove(key) {
            self.ends.remove(&kept.end);
            self.bytes -= weight(key, &kept.result);
        }
    }
}

fn key(method: Method, params: &Params) -> Key {
    let params = params.as_raw().map_or(&[][..], |params| params.as_bytes());
    (method, params.into())
}

fn weight(key: &Key, result: &RawJson) -> usize {
    ENTRY + key.1.len() + result.as_bytes().len()
}

fn is_retry(params: &Params) -> bool {
    #[derive(Deserialize)]
    struct Retry<'a> {
        #[serde(borrow, default, rename = "inputResponses")]
        inputs: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "requestState")]
        state: Option<&'a RawValue>,
    }
    let retry = params.as_raw().map(|params| params.decode_borrowed::<Retry<'_>>());
    match retry {
        Some(Ok(retry)) => retry.inputs.is_some() || retry.state.is_some(),
        // What cannot be read had better not be kept.
        Some(Err(_)) => true,
        None => false,
    }
}

fn uri(params: &RawJson) -> Option<String> {
    Some(Peek::of(params).ok()?.uri?.into_owned())
}

/// Whether reading with these parameters may give something else now. What changed "might be a sub-resource of the one
/// that the client actually subscribed to" (2025-11-25, schema, ResourceUpdatedNotification), and so the other way round.
fn is_touched(params: &[u8], updated: &str) -> bool {
    let read = RawJson::parse(params.to_vec()).ok().and_then(|params| uri(&params));
    read.is_none_or(|read| read.starts_with(updated) || updated.starts_with(&read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use core::time::Duration;

    const MOST: usize = 10_000;

    fn params(text: &str) -> Params {
        Params::from_raw(RawJson::parse(text.as_bytes().to_vec()).unwrap()).unwrap()
    }

    fn read(uri: &str) -> Params {
        params(&format!(r#"{{"uri":"{uri}"}}"#))
    }

    fn result(text: &str) -> RawJson {
        RawJson::parse(text.as_bytes().to_vec()).unwrap()
    }

    fn fresh() -> RawJson {
        result(r#"{"contents":[],"ttlMs":5000}"#)
    }

    #[test]
    fn a_result_is_kept_as_long_as_it_says_for_its_method_and_parameters_alone() {
        let mut kept = KeptResults::default();
        kept.keep(Time::ORIGIN, Method::ReadResource, &read("a:1"), &fresh(), MOST);
        assert!(kept.find(Method::ReadResource, &read("a:1")).is_some());
        assert!(kept.find(Method::ReadResource, &read("a:2")).is_none());
        assert!(kept.find(Method::ListResources, &read("a:1")).is_none());
        let end = Time::ORIGIN + Duration::from_secs(5);
        assert_eq!(kept.poll_timeout(), Some(end));
        kept.expire(end);
        assert_eq!((kept.len(), kept.bytes(), kept.poll_timeout()), (0, 0, None));
    }

    #[test]
    fn what_says_nothing_is_stale_or_answers_a_retry_is_not_kept() {
        let mut kept = KeptResults::default();
        for (method, asked, text) in [
            (Method::ReadResource, r#"{"uri":"a:1"}"#, r#"{"contents":[]}"#),
            (Method::ReadResource, r#"{"uri":"a:1"}"#, r#"{"contents":[],"ttlMs":0}"#),
            (
                Method::ReadResource,
                r#"{"uri":"a:1"}"#,
                r#"{"contents":[],"ttlMs":-5}"#,
            ),
            (
                Method::ReadResource,
                r#"{"uri":"a:1","requestState":"s"}"#,
                r#"{"ttlMs":5000}"#,
            ),
            (
                Method::ReadResource,
                r#"{"uri":"a:1","inputResponses":{}}"#,
                r#"{"ttlMs":5000}"#,
            ),
            (Method::CallTool, r#"{"name":"t"}"#, r#"{"content":[],"ttlMs":5000}"#),
        ] {
            kept.keep(Time::ORIGIN, method, &params(asked), &result(text), MOST);
            assert_eq!(kept.len(), 0, "{asked} {text}");
        }
        // And what was kept before goes with an answer that may not be.
        kept.keep(Time::ORIGIN, Method::ReadResource, &read("a:1"), &fresh(), MOST);
        kept.keep(
            Time::ORIGIN,
            Method::ReadResource,
            &read("a:1"),
            &result(r#"{"contents":[]}"#),
            MOST,
        );
        assert_eq!((kept.len(), kept.bytes()), (0, 0));
    }

    #[test]
    fn a_notification_forgets_what_it_changes_and_nothing_else() {
        let all = [
            (Method::ListPrompts, Params::NONE),
            (Method::ListResources, Params::NONE),
            (Method::ListResourceTemplates, Params::NONE),
            (Method::ReadResource, read("a:dir/file")),
            (Method::ReadResource, read("b:1")),
        ];
        let updated = |uri: &str| result(&format!(r#"{{"uri":"{uri}"}}"#));
        for (notified, params, left) in [
            (Method::PromptListChangedNotification, None, 4),
            (Method::ResourceListChangedNotification, None, 3),
            (Method::ResourceUpdatedNotification, Some(updated("a:dir/file")), 4),
            (Method::ResourceUpdatedNotification, Some(updated("a:dir")), 4),
            (Method::ResourceUpdatedNotification, Some(updated("a:dir/file#part")), 4),
            (Method::ResourceUpdatedNotification, Some(updated("c:")), 5),
            (Method::ResourceUpdatedNotification, None, 3),
            (Method::ToolListChangedNotification, None, 5),
        ] {
            let mut kept = KeptResults::default();
            for (method, params) in &all {
                kept.keep(Time::ORIGIN, *method, params, &fresh(), MOST);
            }
            kept.changed(notified, params.as_ref());
            assert_eq!(kept.len(), left, "{notified:?} {params:?}");
        }
    }

    #[test]
    fn there_is_a_bound_and_what_goes_out_of_date_first_goes() {
        let mut kept = KeptResults::default();
        for at in 0..100_u64 {
            let text = format!(r#"{{"contents":[],"ttlMs":{}}}"#, 1_000 + at);
            kept.keep(
                Time::ORIGIN,
                Method::ReadResource,
                &read(&format!("a:{at}")),
                &result(&text),
                MOST,
            );
            assert!(kept.bytes() <= MOST);
        }
        assert!(kept.find(Method::ReadResource, &read("a:99")).is_some());
        assert!(kept.find(Method::ReadResource, &read("a:0")).is_none());
        let large = result(&format!(r#"{{"contents":["{}"],"ttlMs":9000}}"#, "x".repeat(MOST)));
        let before = kept.len();
        kept.keep(Time::ORIGIN, Method::ReadResource, &read("a:large"), &large, MOST);
        assert_eq!(kept.len(), before, "one that never fits takes nothing along");
    }
}

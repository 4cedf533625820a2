//! What a server says of how long a result may be kept, and by whom (2026-07-28, Caching).

use core::time::Duration;

use serde_json::value::RawValue;

use crate::model::CacheScope;

/// The longest time for which anything is kept because its server says so.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a result is fresh that says this of itself; `None` where it says nothing that can be understood. Negative is
/// none at all (2026-07-28, Caching: "SHOULD … treat it as 0").
pub(super) fn ttl(ttl_ms: Option<&RawValue>) -> Option<Duration> {
    let ms: f64 = serde_json::from_str(ttl_ms?.get()).ok()?;
    // The cast saturates: what is negative becomes 0, what is far too large the longest.
    Some(Duration::from_millis(ms as u64).min(LONGEST_TTL))
}

/// Whether a result may be shown to whoever asks. Absent or unknown is no: rather shown to too few than to too many.
pub(super) fn is_public(cache_scope: Option<&RawValue>) -> bool {
    let scope = cache_scope.and_then(|scope| serde_json::from_str(scope.get()).ok());
    scope == Some(CacheScope::Public)
}

//! How long a server says that it keeps a connection.

use core::time::Duration;

use http::HeaderMap;

/// How much earlier a connection is left: a request that is on its way when the time is over meets a closed connection.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a connection may be kept without a request, by what its last response says (`Keep-Alive: timeout=5`, of RFC 2068,
/// 19.7.1.1, in seconds); `None` where it says nothing.
pub(super) fn keep_alive(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("keep-alive").iter();
    let mut parameters = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    let seconds = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_it = name.trim().eq_ignore_ascii_case("timeout");
        is_it.then(|| value.trim().trim_matches('"').parse().ok())?
    })?;
    let said = Duration::from_secs(seconds);
    // Of a short time, half.
    Some(said.saturating_sub(MARGIN).max(said.min(2 * MARGIN) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_left_before_its_server_closes_it() {
        for (value, kept) in [
            ("timeout=5", Some(4_000)),
            ("timeout=5, max=1000", Some(4_000)),
            ("max=100,Timeout = \"60\"", Some(59_000)),
            ("timeout=2", Some(1_000)),
            ("timeout=1", Some(500)),
            ("timeout=0", Some(0)),
            ("timeout=x", None),
            ("max=5", None),
            ("timeout=-1", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("keep-alive", value.parse().unwrap());
            assert_eq!(keep_alive(&headers), kept.map(Duration::from_millis), "{value}");
        }
        assert_eq!(keep_alive(&HeaderMap::new()), None);
    }
}

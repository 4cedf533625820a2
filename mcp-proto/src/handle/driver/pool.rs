//! Connections of an HTTP client that wait for their next request.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};

use crate::http::client::ExchangeError;
use crate::time::Time;

/// Connections of type `C` that wait, by origin. There may be any number: each exchange has one to itself.
#[derive(Debug)]
pub struct Pool<C> {
    origins: Vec<Origin<C>>,
    idle_timeout: Duration,
}

/// A server, and the connections to it that wait.
#[derive(Debug)]
struct Origin<C> {
    authority: Authority,
    host: HeaderValue,
    /// The one used last is at the back, and is used first.
    idle: VecDeque<Idle<C>>,
}

#[derive(Debug)]
struct Idle<C> {
    connection: C,
    since: Time,
}

/// An origin of a pool, to be used with that pool alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginKey(usize);

impl<C> Pool<C> {
    /// A pool that keeps a connection for `idle_timeout`, and has none yet.
    #[must_use]
    pub fn new(idle_timeout: Duration) -> Self {
        let origins = Vec::new();
        Self { origins, idle_timeout }
    }

    /// Makes a request ready for the wire: its origin, the path alone as its target, and `Host`.
    ///
    /// # Errors
    /// [`ExchangeError::Unreachable`] where the URL names no host, or a scheme other than `http`.
    pub fn address<B>(&mut self, mut request: Request<B>) -> Result<(OriginKey, Request<B>), ExchangeError> {
        let key = self.origin(request.uri())?;
        let target = request.uri().path_and_query().cloned();
        *request.uri_mut() = target.unwrap_or_else(|| PathAndQuery::from_static("/")).into();
        if let Some(origin) = self.origins.get(key.0) {
            request.headers_mut().entry(HOST).or_insert_with(|| origin.host.clone());
        }
        Ok((key, request))
    }

    /// Where an origin is.
    #[must_use]
    pub fn authority(&self, key: OriginKey) -> Option<&Authority> {
        self.origins.get(key.0).map(|origin| &origin.authority)
    }

    /// The connection that was kept last and still is good; those that are not are dropped on the way.
    #[must_use]
    pub fn take(&mut self, key: OriginKey, is_good: impl Fn(&C) -> bool) -> Option<C> {
        let idle = &mut self.origins.get_mut(key.0)?.idle;
        core::iter::from_fn(|| idle.pop_back())
            .map(|idle| idle.connection)
            .find(is_good)
    }

    /// Keeps a connection for the next request.
    pub fn keep(&mut self, key: OriginKey, connection: C, now: Time) {
        if let Some(origin) = self.origins.get_mut(key.0) {
            origin.idle.push_back(Idle { connection, since: now });
        }
    }

    /// Forgets the connections that the server has closed.
    pub fn forget(&mut self, is_closed: impl Fn(&C) -> bool) {
        for origin in &mut self.origins {
            origin.idle.retain(|idle| !is_closed(&idle.connection));
        }
    }

    /// Drops the connections that have waited too long.
    pub fn expire(&mut self, now: Time) {
        let most = self.idle_timeout;
        for origin in &mut self.origins {
            let expired = origin.idle.iter().take_while(|idle| idle.since + most <= now).count();
            origin.idle.drain(..expired);
        }
    }

    /// When [`expire`](Self::expire) wants to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let fronts = self.origins.iter().filter_map(|origin| origin.idle.front());
        fronts.map(|idle| idle.since + self.idle_timeout).min()
    }

    fn origin(&mut self, uri: &Uri) -> Result<OriginKey, ExchangeError> {
        let authority = uri.authority().ok_or_else(|| unreachable("the URL names no host"))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(unreachable("only http URLs can be reached"));
        }
        let known = self.origins.iter().position(|origin| origin.authority == *authority);
        Ok(OriginKey(match known {
            Some(index) => index,
            None => self.add(authority)?,
        }))
    }

    fn add(&mut self, authority: &Authority) -> Result<usize, ExchangeError> {
        // User information is for this side alone.
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| unreachable("the URL names no valid host"))?;
        self.origins.push(Origin {
            authority: authority.clone(),
            host,
            idle: VecDeque::new(),
        });
        Ok(self.origins.len() - 1)
    }
}

fn unreachable(why: impl Into<Box<str>>) -> ExchangeError {
    ExchangeError::Unreachable(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);

    fn addressed(pool: &mut Pool<u8>, url: &str) -> Result<(OriginKey, Request<()>), ExchangeError> {
        pool.address(Request::post(url).body(()).unwrap())
    }

    fn at(seconds: u64) -> Time {
        Time::ORIGIN + Duration::from_secs(seconds)
    }

    #[test]
    fn a_request_names_path_and_host() {
        let mut pool = Pool::new(IDLE);
        let (key, request) = addressed(&mut pool, "http://user:secret@example.com:81/a?b=c").unwrap();
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()[HOST], "example.com:81");
        assert_eq!(pool.authority(key).unwrap().host(), "example.com");
        assert_eq!(addressed(&mut pool, "http://example.com").unwrap().1.uri(), "/");
        for url in ["https://example.com/", "/a"] {
            let outcome = addressed(&mut pool, url);
            assert!(matches!(outcome, Err(ExchangeError::Unreachable(_))), "{url}");
        }
    }

    #[test]
    fn the_last_kept_is_taken_first_and_none_of_another_origin() {
        let mut pool = Pool::new(IDLE);
        let here = addressed(&mut pool, "http://here/").unwrap().0;
        let there = addressed(&mut pool, "http://there/").unwrap().0;
        assert_eq!(addressed(&mut pool, "http://here/again").unwrap().0, here);
        (1..=3).for_each(|connection| pool.keep(here, connection, at(0)));
        assert_eq!(pool.take(there, |_| true), None);
        assert_eq!(pool.take(here, |connection| *connection < 3), Some(2));
        pool.forget(|connection| *connection == 1);
        assert_eq!(pool.take(here, |_| true), None);
    }

    #[test]
    fn a_connection_is_kept_for_its_time() {
        let mut pool = Pool::new(IDLE);
        let key = addressed(&mut pool, "http://here/").unwrap().0;
        assert_eq!(pool.deadline(), None);
        pool.keep(key, 1, at(0));
        pool.keep(key, 2, at(5));
        assert_eq!(pool.deadline(), Some(at(10)));
        pool.expire(at(10));
        assert_eq!(pool.deadline(), Some(at(15)));
        assert_eq!(pool.take(key, |_| true), Some(2));
        assert_eq!(pool.take(key, |_| true), None);
    }
}

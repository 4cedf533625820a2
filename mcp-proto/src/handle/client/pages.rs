//! A list of the server, page by page.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, IntoFuture, poll_fn};
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::call::Call;
use super::shared::Inner;
use crate::client::Cursors;
use crate::jsonrpc::{DecodeError, Params, RawJson, SkippedEntry};
use crate::model::request::{ListPrompts, ListResourceTemplates, ListResources};
use crate::model::{CacheScope, PaginatedParams, Prompt, Resource, ResourceTemplate, TypedRequest};
use crate::rpc::{CallError, CallOptions};

/// A request whose result is a page of a list.
pub trait PagedRequest: TypedRequest<Params = PaginatedParams> + sealed::Sealed {
    /// What is listed.
    type Item: Send + 'static;

    #[doc(hidden)]
    fn open(result: Self::Result) -> Page<Self::Item>;
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
    ttl_ms: Option<u64>,
    scope: Option<CacheScope>,
    bytes: usize,
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! paged {
    ($($request:ident: $item:ident in $items:ident;)*) => {
        $(
            impl sealed::Sealed for $request {}

            impl PagedRequest for $request {
                type Item = $item;

                fn open(result: Self::Result) -> Page<$item> {
                    Page {
                        items: result.$items,
                        next: result.next_cursor,
                        ttl_ms: result.ttl_ms,
                        scope: result.cache_scope,
                        bytes: 0,
                    }
                }
            }
        )*
    };
}

paged! {
    ListPrompts: Prompt in prompts;
    ListResources: Resource in resources;
    ListResourceTemplates: ResourceTemplate in resource_templates;
}

/// A list of the server: page by page with [`next`](Self::next), or all of it by awaiting it.
///
/// Each page is a request, with the options of a call, and is not sent where a page that came before is fresh still
/// (2026-07-28, Caching); [`uncached`](Self::uncached) has all of them sent. There are no more than
/// [`Limits::list_pages`](crate::Limits::list_pages), of no more than
/// [`Limits::total_bytes`](crate::Limits::total_bytes) in all. An entry that cannot be read takes none of the others
/// along: it is an [incident](super::Client::incidents).
///
/// # Errors
/// Those of a call; [`CallError::InvalidReply`] where the pages never end, or are too much. After an error there is
/// nothing more.
///
/// # On drop
/// The request for the page that is on its way is cancelled.
#[must_use = "nothing is asked before it is polled"]
pub struct Pages<R: PagedRequest> {
    inner: Arc<Inner>,
    options: CallOptions,
    cursors: Cursors,
    phase: Phase<R::Item>,
}

enum Phase<T> {
    /// The page that starts there is to be asked for.
    Next(Option<String>),
    /// Boxed: a call is much larger than the rest.
    Asked(Box<Call<Page<T>>>),
    Done,
}

impl<R: PagedRequest> Pages<R> {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        let options = CallOptions::new().with_cache();
        Self {
            inner,
            options,
            cursors: Cursors::default(),
            phase: Phase::Next(None),
        }
    }

    /// How long to wait for each page, in place of [`Timeouts::request`](crate::Timeouts::request).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Has every page asked for, whatever is kept.
    pub fn uncached(mut self) -> Self {
        self.options.cached = false;
        self
    }

    /// The options of the request for each page, in place of those that were set before.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// The entries of the next page; `None` after the last one, or an error.
    ///
    /// # Cancel safety
    /// A page is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Vec<R::Item>, CallError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll, such as a stream of pages.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<R::Item>, CallError>>> {
        let page = ready!(self.poll_page(cx));
        Poll::Ready(page.map(|page| page.map(|page| page.items)))
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Page<R::Item>, CallError>>> {
        loop {
            match &mut self.phase {
                Phase::Next(cursor) => {
                    let cursor = cursor.take();
                    self.phase = Phase::Asked(Box::new(self.ask(cursor)));
                }
                Phase::Asked(call) => {
                    let page = ready!(Pin::new(&mut **call).poll(cx));
                    self.phase = Phase::Done;
                    return Poll::Ready(Some(page.and_then(|page| self.took(page))));
                }
                Phase::Done => return Poll::Ready(None),
            }
        }
    }

    fn ask(&self, cursor: Option<String>) -> Call<Page<R::Item>> {
        let params = match cursor {
            // The same parameters for every first page: what is kept is found by them.
            None => Ok(Params::NONE),
            cursor => Params::from_serialize(&PaginatedParams {
                cursor,
                ..PaginatedParams::default()
            }),
        };
        Call::new(self.inner.clone(), R::METHOD.into(), params, read::<R>).options(self.options.clone())
    }

    fn took(&mut self, mut page: Page<R::Item>) -> Result<Page<R::Item>, CallError> {
        let limits = self.inner.shared.look(|state| state.limits().clone());
        self.cursors.weigh(R::METHOD, page.bytes, &limits)?;
        if let Some(next) = self.cursors.follow(R::METHOD, page.next.take(), &limits)? {
            self.phase = Phase::Next(Some(next));
        }
        Ok(page)
    }

    async fn all(mut self) -> Result<Listed<R::Item>, CallError> {
        let mut listed = Listed {
            items: Vec::new(),
            ttl: None,
            is_public: true,
        };
        let mut is_first = true;
        while let Some(page) = poll_fn(|cx| self.poll_page(cx)).await {
            let page = page?;
            // A page without a word is stale at once (2026-07-28, Caching: "SHOULD assume a default of 0").
            let ttl = Duration::from_millis(page.ttl_ms.unwrap_or(0));
            listed.ttl = Some(listed.ttl.map_or(ttl, |least: Duration| least.min(ttl)));
            listed.is_public &= page.scope == Some(CacheScope::Public);
            match core::mem::take(&mut is_first) {
                // Most lists are one page, which stays where it is.
                true => listed.items = page.items,
                false => listed.items.extend(page.items),
            }
        }
        Ok(listed)
    }
}

fn read<R: PagedRequest>(raw: &RawJson) -> Result<(Page<R::Item>, Vec<SkippedEntry>), DecodeError> {
    let (result, skipped) = raw.decode_leniently::<R::Result>()?;
    let bytes = raw.as_bytes().len();
    let page = Page {
        bytes,
        ..R::open(result)
    };
    Ok((page, skipped))
}

impl<R: PagedRequest> IntoFuture for Pages<R>
where
    Self: Send + 'static,
{
    type Output = Result<Listed<R::Item>, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl<R: PagedRequest> fmt::Debug for Pages<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("method", &R::METHOD)
            .field("cursors", &self.cursors)
            .finish_non_exhaustive()
    }
}

/// All of a list: the entries of every page, in the order of the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    items: Vec<T>,
    ttl: Option<Duration>,
    is_public: bool,
}

impl<T> Listed<T> {
    /// How long the list may be taken for fresh, from when its first page came: the least of what its pages say, and nothing
    /// where one says nothing (2026-07-28, Caching).
    pub fn ttl(&self) -> Duration {
        self.ttl.unwrap_or_default()
    }

    /// Who may be shown it: whoever has the same authorization, unless every page is [`CacheScope::Public`]
    /// (2026-07-28, Caching).
    pub fn scope(&self) -> CacheScope {
        match self.is_public {
            true => CacheScope::Public,
            false => CacheScope::Private,
        }
    }

    /// The entries.
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<T> Deref for Listed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Listed<T> {
    type Item = T;
    type IntoIter = alloc::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Listed<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

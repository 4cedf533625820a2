//! What has a next, for the combinators of `futures` (feature `stream`).

use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::client::{Changes, Incidents, Notifications, PagedRequest, Pages};
use super::sessions::{SessionChanges, SessionIncident, SessionIncidents, SessionNotifications};
use crate::client::{Change, Incident, ServerNotification};
use crate::rpc::CallError;

/// `poll_next` of the same name, which is cancel safe: nothing is taken before it is returned.
macro_rules! streams {
    ($($type:ty $([$($generic:tt)*])? => $item:ty;)*) => {
        $(
            impl $(<$($generic)*>)? Stream for $type {
                type Item = $item;

                fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<$item>> {
                    self.get_mut().poll_next(cx)
                }
            }
        )*
    };
}

pub(crate) use streams;

streams! {
    Changes => Result<Change, CallError>;
    Incidents => Incident;
    Notifications => ServerNotification;
    Pages<R> [R: PagedRequest] => Result<Vec<R::Item>, CallError>;
    SessionChanges<K> [K: Ord + Unpin] => Result<Change, CallError>;
    SessionIncidents<K> [K: Ord + Unpin] => SessionIncident<K>;
    SessionNotifications<K> [K: Ord + Unpin] => ServerNotification;
}

#[cfg(all(test, feature = "testing", feature = "schema"))]
mod tests {
    use alloc::string::String;
    use core::future::poll_fn;
    use core::pin::pin;

    use super::*;
    use crate::handle::Server;
    use crate::model::Resource;
    use crate::testing::Harness;

    /// All that a stream gives, asked as a stream.
    async fn collect<S: Stream>(stream: S) -> Vec<S::Item> {
        let mut stream = pin!(stream);
        let mut items = Vec::new();
        while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            items.push(item);
        }
        items
    }

    #[test]
    fn pages_are_a_stream() {
        let mut builder = Server::builder("s", "1").page_size(2);
        for uri in ["a:1", "a:2", "a:3"] {
            builder = builder.typed_resource(Resource::new(uri, uri), || "text");
        }
        let mut harness = Harness::new(&builder.build());
        let pages = harness.client().list_resources();
        let pages = harness.run(collect(pages));
        let uris: Vec<Vec<String>> = (pages.into_iter())
            .map(|page| page.unwrap().into_iter().map(|resource| resource.uri).collect())
            .collect();
        assert_eq!(uris, [&["a:1", "a:2"][..], &["a:3"]]);
    }

    #[test]
    fn notifications_and_incidents_are_streams_that_end_with_the_connection() {
        let server = Server::builder("s", "1").changing().build();
        let mut harness = Harness::new(&server);
        let client = harness.client();
        harness.run(client.list_tools()).unwrap();
        let (notifications, incidents) = (client.notifications(), client.incidents());
        harness.run(client.close());
        assert_eq!(harness.run(collect(notifications)).len(), 0);
        assert_eq!(harness.run(collect(incidents)).len(), 0);
    }
}

//! The application's own memory of used states.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use crate::handle::sync::{Mutex, lock};
use crate::limits::Limits;
use crate::server::{Redeem, Redemption, UsedStates};
use crate::time::UnixTime;

/// A store that remembers which states of requests were used, for servers of several nodes or whose memory is to outlive a
/// restart: one for all of them. Closures are stores too.
///
/// Of all who redeem the same [id](Redeem::id), at whatever time and on whatever node, one hears
/// [`Redemption::Redeemed`]; the id may be forgotten from [`until`](Redeem::until) on, and not before. A store that fails or
/// has no room says [`Redemption::Unavailable`]. `mcp_proto::testing::check_state_store` (feature `testing`) checks all of
/// that.
///
/// ```
/// use std::collections::HashSet;
/// use std::sync::Mutex;
///
/// use mcp_proto::handle::Server;
/// use mcp_proto::server::{Redeem, Redemption};
///
/// let used = Mutex::new(HashSet::new()); // a table with a unique key, and a job that deletes what is over
/// let server = Server::builder("shop", "1").single_use_state_in(move |redeem: Redeem| {
///     let is_new = used.lock().is_ok_and(|mut used| used.insert(redeem.id));
///     std::future::ready(if is_new { Redemption::Redeemed } else { Redemption::UsedBefore })
/// });
/// # let _ = server.build();
/// ```
pub trait StateStore: Send + Sync + 'static {
    /// Redeems a state. The request that it came with waits for this; nothing else does.
    ///
    /// # Cancel safety
    /// The future is dropped when the request is cancelled: the state is redeemed then, or it is not.
    fn redeem(&self, redeem: Redeem) -> impl Future<Output = Redemption> + Send;
}

impl<F, Fut> StateStore for F
where
    F: Fn(Redeem) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Redemption> + Send,
{
    fn redeem(&self, redeem: Redeem) -> impl Future<Output = Redemption> + Send {
        self(redeem)
    }
}

/// The future of a store.
pub(crate) type Redemptions = Pin<Box<dyn Future<Output = Redemption> + Send>>;

/// What a store says, now or later.
pub(crate) enum Redeeming {
    Now(Redemption),
    Later(Redemptions),
}

/// What a builder is told of it.
#[derive(Default)]
pub(super) enum SingleUse {
    #[default]
    No,
    Here,
    In(Arc<dyn ErasedStateStore>),
}

impl SingleUse {
    pub(super) fn into_uses(self, limits: &Limits) -> Uses {
        match self {
            Self::No => Uses::Any,
            Self::Here => Uses::OnceHere(Mutex::new(UsedStates::new(limits.used_states))),
            Self::In(store) => Uses::Once(store),
        }
    }
}

/// How often state is good.
pub(super) enum Uses {
    /// As often as it comes back in its time.
    Any,
    /// Once, and this node knows of all uses.
    OnceHere(Mutex<UsedStates>),
    /// Once, as a store of the application knows.
    Once(Arc<dyn ErasedStateStore>),
}

impl Uses {
    pub(super) fn redeem(&self, redeem: Redeem, now: UnixTime) -> Redeeming {
        match self {
            // Nobody asks.
            Self::Any => Redeeming::Now(Redemption::Unavailable),
            Self::OnceHere(used) => Redeeming::Now(lock(used).redeem(&redeem, now)),
            Self::Once(store) => Redeeming::Later(store.clone().redeem(redeem)),
        }
    }
}

/// A [`StateStore`] that can be an object.
pub(super) trait ErasedStateStore: Send + Sync {
    fn redeem(self: Arc<Self>, redeem: Redeem) -> Redemptions;
}

impl<S: StateStore> ErasedStateStore for S {
    fn redeem(self: Arc<Self>, redeem: Redeem) -> Redemptions {
        Box::pin(async move { StateStore::redeem(&*self, redeem).await })
    }
}

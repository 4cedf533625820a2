//! The contract of stores.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;

use crate::handle::server::StateStore;
use crate::server::{Redeem, Redemption, StateId};
use crate::time::UnixTime;

/// How many ask for the same state at the same time.
const RIVALS: usize = 32;

/// How long states are good here.
const TIME: Duration = Duration::from_secs(3600);

/// Checks that a [`StateStore`] of one's own does what it has to: in a test of its author, on his runtime, with a store
/// where nobody else is at work.
///
/// - A state is redeemed once, whatever else is said about it, and whichever others are redeemed.
/// - Of many who redeem it at the same time one has it; and where one of them gave up, at most one.
/// - It is remembered as long as it is good.
/// - With `room`, how many states the store is to hold: it holds so many, says [`Redemption::Unavailable`] at some time
///   after them and forgets none of them for it, and has room again when they are over.
///
/// `now` is the time of the clock that the store goes by, and `pass` lets so much time pass on it: on a clock of the test,
/// as this passes more than an hour. It redeems some fifty states at first, and then twice as many as `room`.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::Duration;
///
/// use mcp_proto::UnixTime;
/// use mcp_proto::server::{Redeem, Redemption};
/// use mcp_proto::testing::check_state_store;
///
/// let clock = Mutex::new(UnixTime::since_epoch(Duration::from_secs(1_800_000_000)));
/// let clock: &'static Mutex<UnixTime> = Box::leak(Box::new(clock));
/// let now = || *clock.lock().unwrap();
///
/// let used = Mutex::new(HashMap::new());
/// let store = move |redeem: Redeem| {
///     let mut used = used.lock().unwrap();
///     used.retain(|_, until| *until > now());
///     std::future::ready(match used.insert(redeem.id, redeem.until) {
///         None => Redemption::Redeemed,
///         Some(_) => Redemption::UsedBefore,
///     })
/// };
/// let pass = async |time| *clock.lock().unwrap() = now() + time;
/// # use std::task::{Context, Waker};
/// # fn block_on(mut future: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>) {
/// #     assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// # }
/// block_on(Box::pin(check_state_store(&store, now, pass, None)));
/// ```
///
/// # Panics
/// Where it does not hold, and says what.
pub async fn check_state_store(
    store: &impl StateStore,
    now: impl Fn() -> UnixTime,
    mut pass: impl AsyncFnMut(Duration),
    room: Option<usize>,
) {
    let mut ids = Ids(0);
    once(store, now() + TIME, &mut ids).await;
    one_winner(store, now() + TIME, &mut ids).await;
    remembered(store, now(), &mut pass, &mut ids).await;
    if let Some(room) = room {
        // Nothing of the above is left.
        pass(TIME * 2).await;
        bounded(store, &now, &mut pass, room, &mut ids).await;
    }
}

/// Ids that no other has: only few bytes of them differ.
struct Ids(u64);

impl Ids {
    fn next(&mut self) -> StateId {
        self.0 += 1;
        let mut bytes = [0xA5; 16];
        bytes[4..12].copy_from_slice(&self.0.to_be_bytes());
        StateId::new(bytes)
    }

    /// A state with a name of its own: whatever share of the store a principal has, it has room for one.
    fn state(&mut self, until: UnixTime) -> Redeem {
        let id = self.next();
        Redeem::new(id, until).with_principal(self.0.to_be_bytes())
    }
}

async fn once(store: &impl StateStore, until: UnixTime, ids: &mut Ids) {
    let states: Vec<Redeem> = (0..RIVALS).map(|_| ids.state(until)).collect();
    for state in &states {
        let said = store.redeem(state.clone()).await;
        assert_eq!(said, Redemption::Redeemed, "a state that was not used is redeemed");
    }
    for state in &states {
        let named = state.clone().with_principal(&b"somebody"[..]);
        let longer = Redeem::new(state.id, until + TIME);
        for again in [state.clone(), named, longer] {
            let said = store.redeem(again).await;
            assert_eq!(
                said,
                Redemption::UsedBefore,
                "a state is redeemed once, whatever else is said about it"
            );
        }
    }
}

async fn one_winner(store: &impl StateStore, until: UnixTime, ids: &mut Ids) {
    for _ in 0..8 {
        let state = ids.state(until);
        let said = all((0..RIVALS).map(|_| store.redeem(state.clone()))).await;
        let won = said.iter().filter(|said| **said == Redemption::Redeemed).count();
        assert_eq!(won, 1, "of {RIVALS} who redeem a state at the same time one has it");
    }
    // One that is dropped while it waits has redeemed it or not; the others may not both.
    let state = ids.state(until);
    let mut given_up = Box::pin(store.redeem(state.clone()));
    let first = poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx))).await;
    drop(given_up);
    let said = [store.redeem(state.clone()).await, store.redeem(state).await];
    let before = usize::from(first == Poll::Ready(Redemption::Redeemed));
    let won = before + said.iter().filter(|said| **said == Redemption::Redeemed).count();
    assert!(
        won <= 1,
        "a state that somebody gave up to redeem was redeemed {won} times"
    );
    assert_eq!(
        said[1],
        Redemption::UsedBefore,
        "what was given up is redeemed by the next"
    );
}

async fn remembered(store: &impl StateStore, now: UnixTime, pass: &mut impl AsyncFnMut(Duration), ids: &mut Ids) {
    let second = Duration::from_secs(1);
    let states = [TIME, second * 60].map(|time| ids.state(now + time));
    for state in &states {
        assert_eq!(store.redeem(state.clone()).await, Redemption::Redeemed);
    }
    pass(TIME - second * 2).await;
    let said = store.redeem(states[0].clone()).await;
    assert_eq!(
        said,
        Redemption::UsedBefore,
        "a state is remembered as long as it is good"
    );
}

async fn bounded(
    store: &impl StateStore,
    now: &impl Fn() -> UnixTime,
    pass: &mut impl AsyncFnMut(Duration),
    room: usize,
    ids: &mut Ids,
) {
    let until = now() + TIME;
    let mut held = Vec::new();
    let mut is_full = false;
    for at in 0..room * 2 + 1 {
        let next = ids.state(until);
        match store.redeem(next.clone()).await {
            Redemption::Redeemed => held.push(next),
            Redemption::Unavailable => is_full = true,
            Redemption::UsedBefore => panic!("a state was used before that nobody has used"),
        }
        assert!(
            !is_full || at >= room,
            "there was room for {at} states, and not for {room}"
        );
    }
    assert!(is_full, "a store that holds {room} states has taken {}", held.len());
    for state in &held {
        let said = store.redeem(state.clone()).await;
        assert_eq!(
            said,
            Redemption::UsedBefore,
            "no state is forgotten because there is no room"
        );
    }
    pass(TIME + Duration::from_secs(1)).await;
    let said = store.redeem(ids.state(now() + TIME)).await;
    assert_eq!(said, Redemption::Redeemed, "there is room again when states are over");
}

/// All of them, in one task.
async fn all<F: Future<Output = Redemption>>(futures: impl Iterator<Item = F>) -> Vec<Redemption> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut said = Vec::new();
    poll_fn(|cx| {
        waiting.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(one) => {
                said.push(one);
                false
            }
            Poll::Pending => true,
        });
        match waiting.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::UsedStates;
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::string::String;
    use alloc::sync::Arc;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;

    type Clock = Arc<Mutex<UnixTime>>;

    /// What the check says of the store that `make` gives; nothing where it holds.
    fn check<S: StateStore>(room: Option<usize>, make: impl FnOnce(Clock) -> S) -> Option<String> {
        let clock: Clock = Arc::new(Mutex::new(UnixTime::since_epoch(Duration::from_secs(1_000_000))));
        let now = || *clock.lock().unwrap();
        let pass = async |time| *clock.lock().unwrap() = now() + time;
        let store = make(clock.clone());
        let mut future = pin!(check_state_store(&store, now, pass, room));
        let cx = &mut Context::from_waker(Waker::noop());
        let run = || (0..100_000).any(|_| future.as_mut().poll(cx).is_ready());
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(ended) => (!ended).then(|| "it hangs".into()),
            Err(panic) => Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "?".into())),
        }
    }

    #[track_caller]
    fn breaks<S: StateStore>(what: &str, make: impl FnOnce(Clock) -> S) {
        let said = check(Some(100), make);
        assert!(said.as_deref().is_some_and(|said| said.contains(what)), "{said:?}");
    }

    /// Ready at the second poll, as a store behind a wire.
    async fn a_moment() {
        let mut waited = false;
        poll_fn(|_| match core::mem::replace(&mut waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    #[test]
    fn the_store_in_memory_keeps_the_contract() {
        let said = check(Some(100), |clock| {
            let used = Mutex::new(UsedStates::new(100));
            move |redeem: Redeem| {
                let now = *clock.lock().unwrap();
                core::future::ready(used.lock().unwrap().redeem(&redeem, now))
            }
        });
        assert_eq!(said, None);
    }

    #[test]
    fn a_store_that_takes_its_time_keeps_it() {
        let said = check(None, |_| {
            let used = Arc::new(Mutex::new(BTreeSet::new()));
            move |redeem: Redeem| {
                let used = used.clone();
                async move {
                    a_moment().await;
                    match used.lock().unwrap().insert(redeem.id) {
                        true => Redemption::Redeemed,
                        false => Redemption::UsedBefore,
                    }
                }
            }
        });
        assert_eq!(said, None);
    }

    #[test]
    fn a_store_that_remembers_nothing_breaks_it() {
        breaks("redeemed once", |_| {
            |_: Redeem| core::future::ready(Redemption::Redeemed)
        });
        breaks("whatever else", |_| {
            let used = Mutex::new(Vec::new());
            move |redeem: Redeem| {
                let mut used = used.lock().unwrap();
                let said = match used.contains(&redeem) {
                    true => Redemption::UsedBefore,
                    false => Redemption::Redeemed,
                };
                used.push(redeem);
                core::future::ready(said)
            }
        });
    }

    #[test]
    fn a_store_that_looks_first_and_writes_then_breaks_it() {
        breaks("at the same time", |_| {
            let used = Arc::new(Mutex::new(BTreeSet::new()));
            move |redeem: Redeem| {
                let used = used.clone();
                async move {
                    let was_used = used.lock().unwrap().contains(&redeem.id);
                    a_moment().await;
                    used.lock().unwrap().insert(redeem.id);
                    match was_used {
                        false => Redemption::Redeemed,
                        true => Redemption::UsedBefore,
                    }
                }
            }
        });
    }

    /// A store that holds `most` by `forget`.
    fn forgetful(clock: Clock, forget: fn(&mut BTreeMap<StateId, UnixTime>, UnixTime) -> bool) -> impl StateStore {
        let used = Mutex::new(BTreeMap::new());
        move |redeem: Redeem| {
            let mut used = used.lock().unwrap();
            let has_room = forget(&mut used, *clock.lock().unwrap());
            core::future::ready(match (used.contains_key(&redeem.id), has_room) {
                (true, _) => Redemption::UsedBefore,
                (false, false) => Redemption::Unavailable,
                (false, true) => {
                    used.insert(redeem.id, redeem.until);
                    Redemption::Redeemed
                }
            })
        }
    }

    #[test]
    fn a_store_that_forgets_too_soon_or_never_breaks_it() {
        breaks("as long as it is good", |clock| {
            forgetful(clock, |used, now| {
                used.retain(|_, until| *until > now + Duration::from_secs(60));
                true
            })
        });
        breaks("because there is no room", |clock| {
            forgetful(clock, |used, now| {
                used.retain(|_, until| *until > now);
                let has_room = used.len() < 150;
                if !has_room {
                    used.pop_first();
                }
                has_room
            })
        });
        breaks("has taken", |clock| forgetful(clock, |_, _| true));
        breaks("there was room for", |clock| {
            forgetful(clock, |used, now| {
                used.retain(|_, until| *until > now);
                used.len() < 99
            })
        });
        breaks("room again", |clock| forgetful(clock, |used, _| used.len() < 190));
    }
}

//! The keys of a server, and what was used of what it has sealed.

use super::state_store::{Redeeming, Uses};
use crate::handle::Timer;
use crate::handle::sync::{Mutex, lock};
use crate::server::rounds::{Sealer, Settled};
use crate::server::{Redeem, ServerConfig};
use crate::time::UnixTime;

/// What seals the state of a server's requests, once a driver has brought random bytes, and what knows which was used. The
/// same for all its connections.
pub(super) struct Vault {
    sealer: Mutex<Option<Sealer>>,
    uses: Uses,
}

impl Vault {
    pub(super) fn new(uses: Uses) -> Self {
        let sealer = Mutex::default();
        Self { sealer, uses }
    }

    /// Takes the random bytes of a driver, the first time.
    pub(super) fn open(&self, config: &ServerConfig, timer: &dyn Timer) {
        let mut sealer = lock(&self.sealer);
        if sealer.is_none() {
            *sealer = timer.random().map(|random| Sealer::new(config.state_keys(), random));
        }
    }

    pub(super) fn with(&self, act: &mut dyn FnMut(Option<&mut Sealer>) -> Settled) -> Settled {
        act(lock(&self.sealer).as_mut())
    }

    /// Redeems a state that has come back.
    pub(super) fn redeem(&self, redeem: Redeem, now: UnixTime) -> Redeeming {
        self.uses.redeem(redeem, now)
    }
}

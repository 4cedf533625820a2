//! The keys of a server.

use crate::handle::Timer;
use crate::handle::sync::{Mutex, lock};
use crate::server::{Sealer, ServerConfig};

/// What seals the state of a server's requests, once a driver has brought random bytes. The same for all its connections.
#[derive(Debug, Default)]
pub(super) struct Vault(Mutex<Option<Sealer>>);

impl Vault {
    /// Takes the random bytes of a driver, the first time.
    pub(super) fn open(&self, config: &ServerConfig, timer: &dyn Timer) {
        let mut sealer = lock(&self.0);
        if sealer.is_none() {
            *sealer = timer.random().map(|random| Sealer::new(config.state_keys(), random));
        }
    }

    pub(super) fn with(
        &self,
        act: &mut dyn FnMut(Option<&mut Sealer>) -> crate::server::Settled,
    ) -> crate::server::Settled {
        act(lock(&self.0).as_mut())
    }
}

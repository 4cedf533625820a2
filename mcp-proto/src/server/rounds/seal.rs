//! The seal on what a client carries.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use super::key::StateKey;
use super::redeem::StateId;

/// The form of what is sealed; another one may come.
const VERSION: u8 = 1;

/// How many bytes a nonce has.
const NONCE: usize = 24;

/// Seals state with the first of its keys, and opens what any of them has sealed: XChaCha20-Poly1305, bound to the
/// request it belongs to as associated data. One for all connections of a server.
#[derive(Debug)]
pub struct Sealer {
    keys: Vec<StateKey>,
    /// What tells the nonces of this process from those of others that have the same key.
    prefix: [u8; 16],
    next: u64,
}

impl Sealer {
    /// One with `keys`, or with a key of its own where there are none, so that what it seals is opened by nobody else.
    /// `random` are bytes of a cryptographically secure source, used for nothing else.
    pub fn new(keys: &[StateKey], random: [u8; 32]) -> Self {
        let mut prefix = [0; 16];
        // With a key that nobody else has, counting is enough, and the key is all that is random.
        if !keys.is_empty() {
            prefix.copy_from_slice(random.first_chunk::<16>().unwrap_or(&[0; 16]));
        }
        let keys = match keys.is_empty() {
            true => alloc::vec![StateKey::new(random)],
            false => keys.to_vec(),
        };
        Self { keys, prefix, next: 0 }
    }

    /// Seals `plain` for the request of `binding`. `None` where it cannot be sealed: it is beyond all bounds.
    pub(crate) fn seal(&mut self, binding: &[u8], plain: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE];
        // Never the same twice: random beginnings differ between processes, and the count within one.
        let (prefix, count) = nonce.split_at_mut(self.prefix.len());
        prefix.copy_from_slice(&self.prefix);
        count.copy_from_slice(&self.next.to_le_bytes());
        self.next = self.next.checked_add(1)?;
        let payload = Payload {
            msg: plain,
            aad: binding,
        };
        let sealed = cipher(self.keys.first()?).encrypt(&XNonce::from(nonce), payload).ok()?;
        let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Some(URL_SAFE_NO_PAD.encode(out))
    }

    /// Opens what was sealed for the request of `binding`; `None` where it was not, or not as it stands here.
    pub(crate) fn open(&self, binding: &[u8], sealed: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        if *version != VERSION {
            return None;
        }
        let open = |key| {
            let payload = Payload {
                msg: sealed,
                aad: binding,
            };
            cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()
        };
        self.keys.iter().find_map(open)
    }

    /// What tells something sealed from all else that is: its tag, which nobody can make another seal have.
    pub(crate) fn id(sealed: &str) -> Option<StateId> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        bytes.last_chunk().copied().map(StateId::new)
    }
}

fn cipher(key: &StateKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(key.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    const RANDOM: [u8; 32] = [3; 32];

    #[test]
    fn what_is_sealed_is_opened_for_the_same_request_alone() {
        let mut sealer = Sealer::new(&[], RANDOM);
        let sealed = sealer.seal(b"alice tools/call", b"plain").unwrap();
        assert_eq!(sealer.open(b"alice tools/call", &sealed).unwrap(), b"plain");
        assert_eq!(sealer.open(b"bob tools/call", &sealed), None);
        assert_eq!(sealer.open(b"", &sealed), None);
        assert!(!sealed.contains("plain"));
        assert_eq!(Sealer::new(&[], [4; 32]).open(b"alice tools/call", &sealed), None);
    }

    #[test]
    fn no_byte_of_it_can_be_another() {
        let mut sealer = Sealer::new(&[], RANDOM);
        let sealed = sealer.seal(b"x", b"plain").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(sealer.open(b"x", &URL_SAFE_NO_PAD.encode(&changed)), None, "{at} {bit}");
            }
            assert_eq!(sealer.open(b"x", &URL_SAFE_NO_PAD.encode(&bytes[..at])), None, "{at}");
        }
        for changed in [
            "",
            "AA",
            "-TAMPERED",
            &(sealed.clone() + "-TAMPERED"),
            &(sealed.clone() + "A"),
        ] {
            assert_eq!(sealer.open(b"x", changed), None, "{changed}");
        }
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let [old, new, other] = [1, 2, 3].map(|byte| StateKey::new([byte; 32]));
        let sealed = Sealer::new(core::slice::from_ref(&old), RANDOM)
            .seal(b"x", b"plain")
            .unwrap();
        let rotated = Sealer::new(&[new.clone(), old.clone()], RANDOM);
        assert!(rotated.open(b"x", &sealed).is_some());
        assert!(
            Sealer::new(&[new.clone(), other], RANDOM).open(b"x", &sealed).is_none(),
            "rotated out"
        );
        let sealed = Sealer::new(&[new.clone(), old.clone()], RANDOM)
            .seal(b"x", b"plain")
            .unwrap();
        assert!(Sealer::new(&[old], RANDOM).open(b"x", &sealed).is_none());
        assert!(
            Sealer::new(&[new], [9; 32]).open(b"x", &sealed).is_some(),
            "another node"
        );
    }

    #[test]
    fn no_nonce_is_used_twice() {
        let keys = [StateKey::new([1; 32])];
        let mut seen = BTreeSet::new();
        for random in [[1; 32], [2; 32]] {
            let mut sealer = Sealer::new(&keys, random);
            for _ in 0..100 {
                let sealed = URL_SAFE_NO_PAD.decode(sealer.seal(b"", b"").unwrap()).unwrap();
                assert!(seen.insert(sealed[1..=NONCE].to_vec()));
            }
        }
    }
}

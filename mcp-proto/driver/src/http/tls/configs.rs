//! TLS configurations that are made of files.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use mcp_proto::rpc::CallError;
use mcp_proto::sessions::TlsFiles;

/// Most configurations that are kept. A further one takes the place of another, which is made again when it is needed.
const MOST: usize = 64;

/// TLS configurations, of whatever type an adapter has for them, that are made of the files that transports name. Each is
/// made once, for as long as its files hold the same.
pub struct TlsConfigs<C>(Mutex<BTreeMap<TlsFiles, (TlsPem, C)>>);

/// What files for TLS hold, in PEM.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsPem {
    /// The authorities that are trusted, in place of those that are trusted anyway.
    pub authorities: Option<Vec<u8>>,
    /// The certificate of this side with what it was issued by, and its private key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl<C: Clone> TlsConfigs<C> {
    /// The configuration that is made of these files. They are read each time, and it is made anew where they have
    /// changed: to be called where a thread may be blocked.
    ///
    /// # Errors
    /// [`CallError::Unreachable`] where a file cannot be read, or is none of the kind.
    pub fn load<R: fmt::Display, M: fmt::Display>(
        &self,
        files: &TlsFiles,
        read: impl Fn(&str) -> Result<Vec<u8>, R>,
        make: impl FnOnce(&TlsPem) -> Result<C, M>,
    ) -> Result<C, CallError> {
        let read = |path: &str| read(path).map_err(|error| unreachable(format!("the file {path:?}: {error}")));
        let authorities = files.ca_file().map(read).transpose()?;
        let identity = match files.identity_files() {
            Some((certificate, key)) => Some((read(certificate)?, read(key)?)),
            None => None,
        };
        let pem = TlsPem { authorities, identity };
        // The files are read by now: a slow disk holds up nobody else.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // By what they hold: a certificate is renewed under the same name.
        if let Some((_, config)) = made.get(files).filter(|(before, _)| *before == pem) {
            return Ok(config.clone());
        }
        let config = make(&pem).map_err(|error| unreachable(format!("the files for TLS: {error}")))?;
        if made.len() >= MOST {
            made.pop_first();
        }
        made.insert(files.clone(), (pem, config.clone()));
        Ok(config)
    }
}

fn unreachable(why: alloc::string::String) -> CallError {
    CallError::Unreachable(why.into())
}

impl<C> Default for TlsConfigs<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C> fmt::Debug for TlsConfigs<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfigs").finish_non_exhaustive()
    }
}

/// Shows nothing of a key.
impl fmt::Debug for TlsPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPem")
            .field("has_authorities", &self.authorities.is_some())
            .field("has_identity", &self.identity.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use core::cell::{Cell, RefCell};

    #[test]
    fn a_configuration_is_made_once_until_its_files_change() {
        let files = RefCell::new(BTreeMap::from([("/ca", "ca"), ("/me", "me"), ("/key", "key")]));
        let made = Cell::new(0);
        let configs = TlsConfigs::<String>::default();
        let load = |wanted: &TlsFiles| {
            let read = |path: &str| match files.borrow().get(path) {
                Some(text) => Ok(text.as_bytes().to_vec()),
                None => Err("no such file"),
            };
            configs.load(wanted, read, |pem| {
                made.set(made.get() + 1);
                match &pem.identity {
                    Some((_, key)) if key.is_empty() => Err("no key in it"),
                    _ => Ok(format!("{pem:?} {}", made.get())),
                }
            })
        };
        let trusting = TlsFiles::default().trusting("/ca");
        let mutual = trusting.clone().identified_by("/me", "/key");
        let first = load(&trusting).unwrap();
        for _ in 0..100 {
            assert_eq!(load(&trusting).unwrap(), first);
            assert!(load(&mutual).unwrap().ends_with("has_identity: true } 2"));
        }
        files.borrow_mut().insert("/key", "another");
        assert!(load(&mutual).unwrap().ends_with(" 3") && load(&trusting).unwrap() == first);
        files.borrow_mut().insert("/key", "");
        let error = load(&mutual).unwrap_err();
        assert!(error.to_string().contains("no key in it"), "{error}");
        files.borrow_mut().remove("/ca");
        let error = load(&mutual).unwrap_err();
        assert!(error.to_string().contains("\"/ca\": no such file"), "{error}");
        assert_eq!(made.get(), 4);
    }

    #[test]
    fn no_more_are_kept_than_there_may_be() {
        let configs = TlsConfigs::default();
        for n in 0..3 * MOST {
            let files = TlsFiles::default().trusting(n.to_string());
            let read = |_: &str| Ok::<_, &str>(Vec::new());
            configs.load(&files, read, |_| Ok::<_, &str>(n)).unwrap();
        }
        assert_eq!(configs.0.lock().unwrap().len(), MOST);
    }
}

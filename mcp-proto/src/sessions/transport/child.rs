//! A child process.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Secret, TransportError, TransportTimeouts, mode};
use crate::client::Mode;

/// A server that is started as a child process. Whoever can say what is started can do what this process can: what
/// comes from elsewhere is to be looked at first, and what resolves it has to allow it explicitly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChildTransport {
    command: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    env: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_env: BTreeMap<String, Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    /// Which eras its client speaks, and which revision it proposes; what resolves it says so where `None`. Stored as
    /// `"auto"`, `"modern"`, `"legacy"` (the latest legacy revision) or the name of a revision.
    #[serde(with = "mode", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How long each phase may take.
    #[serde(skip_serializing_if = "TransportTimeouts::is_default")]
    pub timeouts: TransportTimeouts,
}

/// As it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Unchecked {
    command: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    secret_env: BTreeMap<String, Secret>,
    #[serde(default)]
    directory: Option<String>,
    #[serde(default, with = "mode")]
    mode: Option<Mode>,
    #[serde(default)]
    timeouts: TransportTimeouts,
}

impl ChildTransport {
    /// The program `command`, found as the system finds programs.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            secret_env: BTreeMap::new(),
            directory: None,
            mode: None,
            timeouts: TransportTimeouts::default(),
        }
    }

    /// Adds an argument. Arguments can be seen by everyone on the machine: no secrets.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds a variable of the environment.
    ///
    /// # Errors
    /// [`TransportError::Twice`] where it is a secret one already.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Result<Self, TransportError> {
        let name = name.into();
        if self.secret_env.contains_key(&name) {
            return Err(TransportError::Twice(name.into()));
        }
        self.env.insert(name, value.into());
        Ok(self)
    }

    /// Adds a variable of the environment that is shown and stored nowhere but for its name.
    ///
    /// # Errors
    /// [`TransportError::Twice`] where it is a plain one already.
    pub fn secret_env(mut self, name: impl Into<String>, value: Secret) -> Result<Self, TransportError> {
        let name = name.into();
        if self.env.contains_key(&name) {
            return Err(TransportError::Twice(name.into()));
        }
        self.secret_env.insert(name, value);
        Ok(self)
    }

    /// The directory that it starts in, in place of that of this process.
    #[must_use]
    pub fn in_directory(mut self, directory: impl Into<String>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The program.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Its arguments.
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// The variables that may be shown.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// The secret variables.
    pub fn secret_variables(&self) -> &BTreeMap<String, Secret> {
        &self.secret_env
    }

    /// The directory that it starts in.
    pub fn directory(&self) -> Option<&str> {
        self.directory.as_deref()
    }
}

impl TryFrom<Unchecked> for ChildTransport {
    type Error = TransportError;

    fn try_from(stored: Unchecked) -> Result<Self, TransportError> {
        let twice = stored.env.keys().find(|name| stored.secret_env.contains_key(*name));
        if let Some(name) = twice {
            return Err(TransportError::Twice(name.as_str().into()));
        }
        Ok(Self {
            command: stored.command,
            args: stored.args,
            env: stored.env,
            secret_env: stored.secret_env,
            directory: stored.directory,
            mode: stored.mode,
            timeouts: stored.timeouts,
        })
    }
}

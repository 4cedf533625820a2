//! From a transport to what an adapter can connect to.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
#[cfg(any(feature = "child", feature = "tls"))]
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;

#[cfg(feature = "child")]
use crate::child::Command;
#[cfg(feature = "http")]
use crate::http::HttpOptions;
#[cfg(feature = "tls")]
use crate::http::tls::ClientConfigs;
use mcp_proto::handle::client::ClientBuilder;
use mcp_proto::handle::sessions::{Connect, Connected, Connecting, Sessions};
use mcp_proto::handle::{Server, Timer};
use mcp_proto::rpc::CallError;
#[cfg(feature = "child")]
use mcp_proto::sessions::ChildTransport;
#[cfg(any(feature = "child", feature = "http"))]
use mcp_proto::sessions::Secret;
use mcp_proto::sessions::{AttemptTimeouts, SessionKey, SessionsConfig, StreamAddress, Transport};
#[cfg(feature = "http")]
use mcp_proto::sessions::{Authorization, HttpTransport, TlsFiles};

/// What transports are resolved with: who the clients say they are, the servers of this process, whether child
/// processes may be started, and what a stored configuration does not hold.
#[derive(Clone)]
pub struct Resolver {
    client: ClientBuilder,
    servers: BTreeMap<String, Server>,
    #[cfg(feature = "child")]
    children: Option<Prepare>,
    #[cfg(feature = "http")]
    http: HttpOptions,
    #[cfg(feature = "tls")]
    made: Arc<ClientConfigs>,
}

/// What is done to the command of a child before it is started.
#[cfg(feature = "child")]
type Prepare = Arc<dyn Fn(Command) -> Command + Send + Sync>;

/// A transport, resolved: where to connect to, and as whom.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Where to.
    pub route: Route,
    /// As whom, with the timeouts of the transport, and the mode where it has one.
    pub client: ClientBuilder,
}

/// Where to connect to.
#[derive(Clone)]
#[non_exhaustive]
pub enum Route {
    /// To a URL, by Streamable HTTP; with files for TLS, in place of what the options have for that, where there are
    /// any.
    #[cfg(feature = "http")]
    Http(String, Box<HttpOptions>, Option<HttpFiles>),
    /// To a process that is started for it.
    #[cfg(feature = "child")]
    Child(Box<Command>),
    /// To the Unix socket at a path.
    Unix(String),
    /// To a host and a port.
    Tcp(String),
    /// To a server of this process.
    InProcess(Server),
}

/// The files for TLS that a transport names, and what was made of such files before.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct HttpFiles {
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS, its URL is refused"))]
    files: TlsFiles,
    #[cfg(feature = "tls")]
    made: Arc<ClientConfigs>,
}

#[cfg(feature = "tls")]
impl HttpFiles {
    /// Has the options use these files. Reading them blocks: to be called where a thread may be blocked.
    ///
    /// # Errors
    /// [`CallError::Unreachable`] where a file cannot be read, or is none of the kind.
    pub fn apply(&self, options: HttpOptions) -> Result<HttpOptions, CallError> {
        self.made.apply(options, &self.files)
    }
}

impl Resolver {
    /// Clients of this kind, and nothing else; their timeouts are those of the transports, and so is their mode
    /// where a transport has one.
    pub fn new(client: impl Into<ClientBuilder>) -> Self {
        Self {
            client: client.into(),
            servers: BTreeMap::new(),
            #[cfg(feature = "child")]
            children: None,
            #[cfg(feature = "http")]
            http: HttpOptions::default(),
            #[cfg(feature = "tls")]
            made: Arc::default(),
        }
    }

    /// A server of this process, reached as [`Transport::InProcess`] under this name.
    #[must_use]
    pub fn server(mut self, name: impl Into<String>, server: Server) -> Self {
        self.servers.insert(name.into(), server);
        self
    }

    /// Allows transports that start child processes; without it they are refused. Whoever writes such a transport can
    /// do all that this process can. `prepare` says what else is to be known of each: what becomes of its standard
    /// error, what it inherits of the environment; or `|command| command`.
    #[cfg(feature = "child")]
    #[must_use]
    pub fn allow_children(mut self, prepare: impl Fn(Command) -> Command + Send + Sync + 'static) -> Self {
        self.children = Some(Arc::new(prepare));
        self
    }

    /// What HTTP clients do that a transport does not say, such as how they use TLS. Headers of a transport are added to
    /// those in here, and win over them.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// Resolves a transport.
    ///
    /// # Errors
    /// [`CallError::Unreachable`] where a secret is absent, a server of this process is not known, child processes are
    /// not allowed, or the transport is not supported by this build.
    pub fn resolve(&self, transport: &Transport) -> Result<Resolved, CallError> {
        let route = match transport {
            #[cfg(feature = "http")]
            Transport::Http(transport) => {
                let files = transport.tls_files().map(|files| self.files(files));
                Route::Http(String::from(transport.url()), Box::new(self.options(transport)?), files)
            }
            #[cfg(feature = "child")]
            Transport::Child(transport) => Route::Child(Box::new(self.command(transport)?)),
            Transport::Stream(transport) => match &transport.address {
                StreamAddress::Unix(path) => Route::Unix(path.clone()),
                StreamAddress::Tcp(address) => Route::Tcp(address.clone()),
                _ => return Err(unsupported()),
            },
            Transport::InProcess(transport) => {
                let server = self.servers.get(&transport.server).cloned();
                let name = &transport.server;
                Route::InProcess(
                    server.ok_or_else(|| refused(&format!("no server of this process is called {name:?}")))?,
                )
            }
            // Of a later version, or one that this build was made without.
            _ => return Err(unsupported()),
        };
        let client = self
            .client
            .clone()
            .timeouts(transport.timeouts().to_timeouts())
            // What is said of one server counts over what is said of all.
            .mode(transport.mode().unwrap_or(self.client.config().mode));
        Ok(Resolved { route, client })
    }

    /// A pool of sessions with servers that transports name, and the future that drives it in the time of `timer`: `dial`
    /// connects to what they are resolved to.
    ///
    /// # Cancel safety
    /// Dropping the future closes all connections at once; whoever waits for a session learns so.
    pub fn pool<T, D, F>(
        self,
        config: SessionsConfig,
        timer: T,
        dial: D,
    ) -> (Sessions<SessionKey>, impl Future<Output = ()> + use<T, D, F>)
    where
        T: Timer,
        D: Fn(Resolved) -> F + Send + 'static,
        F: Future<Output = Result<Connected, CallError>> + Send + 'static,
    {
        let resolver = self;
        let (sessions, driver) = Sessions::new(config, Dialer { resolver, dial });
        (sessions, driver.run(timer))
    }

    #[cfg(feature = "http")]
    fn files(&self, files: &TlsFiles) -> HttpFiles {
        HttpFiles {
            files: files.clone(),
            #[cfg(feature = "tls")]
            made: self.made.clone(),
        }
    }

    #[cfg(feature = "http")]
    fn options(&self, transport: &HttpTransport) -> Result<HttpOptions, CallError> {
        use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
        let mut options = self.http.clone();
        options.connect_timeout = transport.timeouts.connect;
        let mut insert = |name: &str, value: &str, is_secret: bool| {
            // The name alone: the value may be a secret.
            let invalid = || refused(&format!("{name:?} or its value cannot be a header"));
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
            // No log of headers shows it then, and HTTP/2 keeps it out of its tables (RFC 7541, 7.1.3).
            value.set_sensitive(is_secret);
            options.headers.insert(header, value);
            Ok::<_, CallError>(())
        };
        for (name, value) in transport.headers() {
            insert(name, value, false)?;
        }
        for (name, secret) in transport.secret_headers() {
            insert(name, reveal(name, secret)?, true)?;
        }
        // After the headers: one of that name gives way.
        if let Authorization::Bearer(token) = transport.authorization() {
            let name = AUTHORIZATION.as_str();
            insert(name, &format!("Bearer {}", reveal(name, token)?), true)?;
        }
        Ok(options)
    }

    #[cfg(feature = "child")]
    fn command(&self, transport: &ChildTransport) -> Result<Command, CallError> {
        let prepare = self.children.as_ref();
        let prepare = prepare.ok_or_else(|| refused("child processes are not allowed"))?;
        let mut command = Command::new(transport.command()).args(transport.args());
        for (name, value) in transport.variables() {
            command = command.env(name, value);
        }
        for (name, secret) in transport.secret_variables() {
            command = command.env(name, reveal(name, secret)?);
        }
        if let Some(directory) = transport.directory() {
            command = command.current_dir(directory);
        }
        // Last: the application has the final word on what is started.
        Ok(prepare(command))
    }
}

#[cfg(any(feature = "child", feature = "http"))]
fn reveal<'a>(name: &str, secret: &'a Secret) -> Result<&'a str, CallError> {
    secret
        .reveal()
        .ok_or_else(|| refused(&format!("the secret {name:?} is absent")))
}

/// Why there is no connection: the transport is not supported by this build.
pub fn unsupported() -> CallError {
    refused("the transport is not supported by this build")
}

/// What connecting to `what` has come to.
///
/// # Errors
/// [`CallError::Unreachable`], with what it has failed with.
pub fn reached<T, E: fmt::Display>(what: &str, outcome: Result<T, E>) -> Result<T, CallError> {
    outcome.map_err(|error| refused(&format!("{what}: {error}")))
}

fn refused(why: &str) -> CallError {
    CallError::Unreachable(why.into())
}

struct Dialer<D> {
    resolver: Resolver,
    dial: D,
}

impl<D, F> Connect<SessionKey> for Dialer<D>
where
    D: Fn(Resolved) -> F,
    F: Future<Output = Result<Connected, CallError>> + Send + 'static,
{
    fn connect(&self, key: &SessionKey) -> Connecting {
        match self.resolver.resolve(&key.transport) {
            Ok(resolved) => Box::pin((self.dial)(resolved)),
            // An attempt that fails like any other: all who wait for the session hear why.
            Err(error) => Box::pin(core::future::ready(Err(error))),
        }
    }

    fn timeouts(&self, key: &SessionKey) -> Option<AttemptTimeouts> {
        Some(key.transport.timeouts().to_attempt())
    }
}

/// Shows nothing of the headers that are in it.
impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: alloc::vec::Vec<_> = self.servers.keys().collect();
        f.debug_struct("Resolver")
            .field("servers", &servers)
            .finish_non_exhaustive()
    }
}

/// Shows what kind it is.
impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "http")]
            Self::Http(..) => "Http(..)",
            #[cfg(feature = "child")]
            Self::Child(_) => "Child(..)",
            Self::Unix(_) => "Unix(..)",
            Self::Tcp(_) => "Tcp(..)",
            Self::InProcess(_) => "InProcess(..)",
        })
    }
}

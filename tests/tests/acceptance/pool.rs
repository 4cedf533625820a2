//! Servers for pools of sessions, what they see, and what a process holds.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use mcp_driver::Resolver;
use mcp_proto::Era;
use mcp_proto::handle::{Server, Session, Sessions};
use mcp_proto::http::server::HttpConfig;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::{
    Authorization, HttpTransport, InProcessTransport, SessionKey, SessionsConfig, StreamTransport, Transport,
};
use mcp_proto::toolbox::Toolbox;
use mcp_tests::runtime::{Address, Answer, Runtime, Site, Task, listen};
use mcp_tests::world::{Probe, Transport as Way, Wire, client_config, server, tapped};
use serde_json::json;

/// A server over HTTP that can be stopped and started again, and what it sees.
pub(crate) struct Host {
    pub(crate) url: String,
    pub(crate) wire: Wire,
    pub(crate) probe: Arc<Probe>,
    listener: TcpListener,
    serving: Task,
}

impl Host {
    pub(crate) fn start(runtime: &dyn Runtime) -> Self {
        Self::start_behind(runtime, |mcp| mcp)
    }

    /// With something before it that may answer otherwise.
    pub(crate) fn start_behind(runtime: &dyn Runtime, before: impl FnOnce(Site) -> Site) -> Self {
        let (listener, _) = listen();
        Self::of(runtime, listener, before)
    }

    /// At this address.
    pub(crate) fn start_at(runtime: &dyn Runtime, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self::of(runtime, listener, |mcp| mcp)
    }

    fn of(runtime: &dyn Runtime, listener: TcpListener, before: impl FnOnce(Site) -> Site) -> Self {
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (wire, probe) = (Wire::default(), Arc::new(Probe::default()));
        let serving = serve(runtime, listener.try_clone().unwrap(), &wire, &probe, before);
        Self {
            url,
            wire,
            probe,
            listener,
            serving,
        }
    }

    /// Another process takes its place, that knows nothing of what was.
    pub(crate) async fn restart(&mut self, runtime: &dyn Runtime) {
        self.serving.stop().await;
        // Its clients see that their connections are closed.
        runtime.sleep(Duration::from_millis(20)).await;
        let listener = self.listener.try_clone().unwrap();
        self.serving = serve(runtime, listener, &self.wire, &self.probe, |mcp| mcp);
    }

    /// Nobody listens there any more.
    pub(crate) async fn stop(mut self, runtime: &dyn Runtime) -> SocketAddr {
        self.serving.stop().await;
        let address = self.listener.local_addr().unwrap();
        drop(self);
        // Its clients see that their connections are closed.
        runtime.sleep(Duration::from_millis(20)).await;
        address
    }

    pub(crate) fn http(&self) -> HttpTransport {
        HttpTransport::new(&self.url, Authorization::None).unwrap()
    }

    pub(crate) fn key(&self) -> SessionKey {
        SessionKey::new(self.http())
    }

    /// The key of one of many sessions.
    pub(crate) fn key_of(&self, number: usize) -> SessionKey {
        self.key().of_conversation(number.to_string())
    }
}

fn serve(
    runtime: &dyn Runtime,
    listener: TcpListener,
    wire: &Wire,
    probe: &Arc<Probe>,
    before: impl FnOnce(Site) -> Site,
) -> Task {
    let (mcp, beside) = runtime.service(&server(probe, runtime.flavour()), HttpConfig::default());
    let site = tapped(before(mcp), wire);
    runtime.serve_site(listener, site, beside).unwrap()
}

/// The ways on which a session leads to a server of this process.
pub(crate) const WAYS: [Way; 3] = [Way::Http, Way::Unix, Way::Memory];

/// A server of this process, and a toolbox over a session with it.
pub(crate) struct Place {
    pub(crate) sessions: Sessions<SessionKey>,
    pub(crate) session: Session<SessionKey>,
    pub(crate) toolbox: Toolbox,
    /// What the server has received, where it is [`Way::Mounted`].
    pub(crate) wire: Wire,
    path: Option<PathBuf>,
    _serving: Option<Task>,
}

impl Place {
    pub(crate) fn start(runtime: &dyn Runtime, way: Way, server: Server, resolver: Resolver) -> Self {
        let wire = Wire::default();
        let (address, serving) = match way {
            Way::Memory => (None, None),
            _ => Some(way.serve(runtime, &server, &wire)).unzip(),
        };
        let (transport, path) = match address {
            Some(Address::Http(url)) => (HttpTransport::new(url, Authorization::None).unwrap().into(), None),
            Some(Address::Unix(path)) => (StreamTransport::unix(path.to_str().unwrap()).into(), Some(path)),
            _ => (Transport::from(InProcessTransport::new("own")), None),
        };
        let resolver = resolver.server("own", server);
        let sessions = runtime.sessions(SessionsConfig::default(), resolver).unwrap();
        let session = session(&sessions, transport);
        Self {
            toolbox: Toolbox::builder().server("own", session.clone()).build(),
            sessions,
            session,
            wire,
            path,
            _serving: serving,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// A site that does something about the requests that name this method, before they are answered or in place of it.
pub(crate) fn before<F>(mcp: Site, method: &'static str, act: impl Fn() -> F + Send + Sync + Clone + 'static) -> Site
where
    F: Future<Output = Option<Answer>> + Send + 'static,
{
    let name = format!("\"method\":\"{method}\"");
    Site::new(move |request| {
        let (mcp, act, name) = (mcp.clone(), act.clone(), name.clone());
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            if String::from_utf8_lossy(&body).contains(&name)
                && let Some(answer) = act().await
            {
                return answer;
            }
            mcp.answer(Request::from_parts(head, Full::new(body))).await
        })
    })
}

/// What the first message of a session is called.
pub(crate) fn first_method(era: Era) -> &'static str {
    match era {
        Era::Legacy => "initialize",
        Era::Modern => "tools/call",
    }
}

/// How many handshakes a session takes.
pub(crate) fn handshakes(era: Era) -> usize {
    usize::from(era == Era::Legacy)
}

pub(crate) fn resolver(era: Era) -> Resolver {
    Resolver::new(client_config(era))
}

/// A pool with all defaults.
pub(crate) fn pool(runtime: &dyn Runtime, era: Era) -> Sessions<SessionKey> {
    runtime.sessions(SessionsConfig::default(), resolver(era)).unwrap()
}

pub(crate) async fn echo(session: &Session<SessionKey>) -> Result<(), CallError> {
    let result = session.call_tool("echo", json!({"text": "x"})).await?;
    assert_eq!(result.content[0].as_text(), Some("x"));
    Ok(())
}

/// The session of a transport, for tasks.
pub(crate) fn session(sessions: &Sessions<SessionKey>, transport: impl Into<Transport>) -> Session<SessionKey> {
    sessions.session(SessionKey::new(transport))
}

/// Waits until it is so.
pub(crate) async fn until(runtime: &dyn Runtime, what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        runtime.sleep(Duration::from_millis(2)).await;
    }
    panic!("never: {what}");
}

/// Runs a test in a process of its own: threads, descriptors and memory are those of a process. `test` is its full
/// name.
pub(crate) fn alone(test: &str, run: impl FnOnce()) {
    const ALONE: &str = "MCP_TESTS_ALONE";
    if env::var_os(ALONE).is_some() {
        return run();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let output = command.env(ALONE, "1").output().unwrap();
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    said.lines()
        .filter_map(|line| Some(&line[line.find("acceptance ")?..]))
        .for_each(|line| println!("{line}"));
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{complained}"
    );
}

/// How many descriptors the process has.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// How much memory the process has, in KiB.
pub(crate) fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

//! A page in a real browser that calls tools of a server of another origin: what it may see is for the browser to decide.
//!
//! Behind a feature, as it needs Chromium: `.ci/run browser` installs and runs it.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mcp_proto::http::server::{Cors, HttpConfig, Origins};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::site::{Setup, everywhere};

/// What the page does, once `SERVERS` is replaced by the addresses.
const PAGE: &str = include_str!("browser.html");

/// A browser, killed when it is dropped, and the profile it has for itself.
struct Browser {
    child: Child,
    profile: PathBuf,
}

impl Browser {
    /// Opens a page.
    ///
    /// # Panics
    /// Where there is no Chromium: who runs this wants to know.
    fn open(url: &str) -> Self {
        let profile = std::env::temp_dir().join(format!("mcp-tests-browser-{}", std::process::id()));
        let named = std::env::var("CHROMIUM").ok();
        let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
        for name in named.as_deref().into_iter().chain(names) {
            let child = Command::new(name)
                .args([
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                ])
                .args(["--no-first-run", "--disable-background-networking", "--no-proxy-server"])
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg(url)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            match child {
                Ok(child) => return Self { child, profile },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => panic!("{name} cannot be started: {error}"),
            }
        }
        panic!("there is no Chromium: install it, or say in CHROMIUM where it is");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Serves the page until it has told what it saw.
async fn told(listener: &TcpListener, page: &str) -> Value {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // Browsers open connections in advance, and say nothing on them.
        let asking = tokio::time::timeout(Duration::from_secs(5), request(&mut stream));
        let Ok(Some((line, body))) = asking.await else { continue };
        let (status, answer) = match line.as_str() {
            "GET / HTTP/1.1" => ("200 OK", page),
            "POST /told HTTP/1.1" => ("204 No Content", ""),
            _ => ("404 Not Found", ""),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        let _ = stream.write_all((head + answer).as_bytes()).await;
        if line.starts_with("POST") {
            return serde_json::from_str(&body).expect("what the page saw");
        }
    }
}

/// The first line of a request, and its body.
async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.ok().filter(|read| *read > 0)?;
        text += core::str::from_utf8(&bytes[..read]).ok()?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            return Some((head.lines().next()?.to_owned(), body.to_owned()));
        }
    }
}

#[test]
fn a_page_of_another_origin_calls_a_tool() {
    everywhere(async |serve| {
        let with = |config| {
            serve(Setup {
                config,
                ..Setup::default()
            })
        };
        let shown = with(HttpConfig::default().cors(Cors::default()));
        let silent = with(HttpConfig::default());
        let mut other = HttpConfig::default().cors(Cors::default());
        other.origins = Origins::none().allow("https://app.example.com").expect("an origin");
        let closed = with(other);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = |port: u16| format!("http://localhost:{port}/mcp");
        let servers = [&shown, &silent, &closed].map(|site| url(site.address.port()));
        let page = PAGE.replace("SERVERS", &json!(servers).to_string());
        let browser = Browser::open(&format!("http://{}/", listener.local_addr().expect("an address")));
        let seen = tokio::time::timeout(Duration::from_secs(60), told(&listener, &page));
        let seen = seen.await.expect("a browser that runs the page");
        drop(browser);
        let expected = json!({
            "legacy": {
                "initialize": 200, "session": true, "initialized": 202, "text": "hi", "stream": "text/event-stream",
                "delete": 204, "lost": 404,
            },
            "modern": { "status": 200, "text": "hi", "unknown": [400, -32022] },
            "silent": "TypeError",
            "closed": "TypeError",
        });
        assert_eq!(seen, expected);
    });
}

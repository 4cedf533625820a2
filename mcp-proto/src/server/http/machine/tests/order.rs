//! Any method in any order.

use super::*;

/// What a session is asked, and is not.
const MESSAGES: [&str; 4] = [
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    r#"{"jsonrpc":"2.0","id":0,"result":{}}"#,
    "junk",
];

/// A driver and an application that do as a generator of random numbers says, and what nobody should do as well.
struct Player {
    world: World,
    state: u64,
    ids: Vec<ExchangeId>,
    tokens: Vec<HttpRequestToken>,
    asking: Vec<HttpCallId>,
    names: Vec<String>,
}

impl Player {
    fn new(seed: u64, http: HttpConfig) -> Self {
        let limits = Limits {
            sessions: 3,
            abandoned_requests: 2,
            streams_per_session: 4,
            outbox_bytes: 200,
            ..Limits::default()
        };
        Self {
            world: World::with(limits, http),
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            ids: Vec::new(),
            tokens: Vec::new(),
            asking: Vec::new(),
            names: alloc::vec!["none".into()],
        }
    }

    fn random(&mut self, most: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 8) as usize % most
    }

    fn id(&mut self) -> ExchangeId {
        let at = self.random(self.ids.len().max(1));
        self.ids.get(at).copied().unwrap_or(ExchangeId(99))
    }

    fn in_session(&mut self, method: &str, body: &str) -> Request<Bytes> {
        let at = self.random(self.names.len());
        request(method, &[("mcp-session-id", &self.names[at])], body)
    }

    /// The client's side.
    fn request(&mut self) {
        let number = self.random(4) as u32;
        let request = match self.random(9) {
            0 => post(&[], &initialize(["2025-11-25", "2025-03-26"][number as usize % 2])),
            1 | 2 => self.in_session("POST", &tool(number)),
            3 => self.in_session("POST", &format!("[{},{}]", tool(1), tool(2))),
            4 => self.in_session("GET", ""),
            5 if number == 0 => self.in_session("DELETE", ""),
            6 => modern_tool(),
            7 => modern("subscriptions/listen", r#""notifications":{"toolsListChanged":true},"#),
            _ => self.in_session("POST", MESSAGES[number as usize]),
        };
        let id = match self.random(4) {
            0 => self
                .world
                .server
                .receive_head(self.world.now, request.into_parts().0, Sender::new()),
            _ => self.world.send(request),
        };
        self.ids.push(id);
    }

    /// The driver's side.
    fn drive(&mut self) {
        let (id, now) = (self.id(), self.world.now);
        match self.random(6) {
            0 => self.world.server.receive_body(id, tool(1).as_bytes()),
            1 => self.world.server.receive_end(now, id, || [200; 32]),
            2 => self.world.server.disconnect(now, id),
            3 => {
                let head = self.world.server.poll_head(now, id);
                let name = head.as_ref().and_then(|head| head.headers.get("mcp-session-id"));
                self.names.extend(name.map(|name| String::from(name.to_str().unwrap())));
            }
            4 => drop(self.world.server.poll_frame(now, id)),
            _ => {
                self.world.now = now + Duration::from_secs(self.random(400) as u64);
                self.world.server.handle_timeout(self.world.now);
                assert!(self.world.server.poll_timeout().is_none_or(|due| due > now));
                while self.world.server.poll_ready().is_some() {}
            }
        }
    }

    /// The application's side.
    fn apply(&mut self) {
        let server = &mut self.world.server;
        if let Some(HttpEvent::Request(asked)) = server.poll_event() {
            self.tokens.push(asked.token);
        }
        if self.tokens.is_empty() {
            return;
        }
        let at = self.random(self.tokens.len());
        let server = &mut self.world.server;
        match at % 4 {
            0 => {
                let token = self.tokens.swap_remove(at);
                self.world.answer(token, "{}");
            }
            1 => {
                let (token, options) = (&self.tokens[at], CallOptions::default());
                let _ = server.send_for(token, b"{\"a\":1}".to_vec());
                let asking = server.call(token, Method::ListRoots, Params::NONE, options);
                self.asking.extend(asking);
            }
            2 => self.asking.iter().for_each(|asking| server.cancel(*asking, None)),
            _ => {
                let changed = Method::ToolListChangedNotification;
                server.notify(changed, Params::NONE).unwrap();
            }
        }
    }

    /// Everything ends, and nothing is left.
    fn finish(mut self) {
        let world = &mut self.world;
        world.server.close();
        for token in self.tokens {
            world.answer(token, "{}");
        }
        for id in self.ids {
            world.server.disconnect(world.now, id);
        }
        world.now = world.now + Duration::from_secs(100_000);
        world.server.handle_timeout(world.now);
        while world.server.poll_event().is_some() {}
        assert!(world.is_idle(), "{:?} {:?}", world.server, world.server.kept());
        assert!(world.server.is_finished() && world.server.kept().is_empty());
    }
}

#[test]
fn nothing_panics_and_nothing_is_left_in_any_order() {
    for seed in 0..200 {
        let policy = [SessionPolicy::Stateful, SessionPolicy::Stateless][seed as usize % 2];
        let mut player = Player::new(seed, HttpConfig::default().sessions(policy));
        for _ in 0..500 {
            match player.random(3) {
                0 => player.request(),
                1 => player.drive(),
                _ => player.apply(),
            }
        }
        if seed % 3 == 0 {
            player.world.server.drain();
        }
        player.finish();
    }
}

//! A new revision of the protocol breaks nobody: what is public and may grow cannot be listed exhaustively by others.

use mcp_tests::source::{Exports, Source, Token, public_types, shipped_sources, tokens, workspace};

/// The macros whose types are `#[non_exhaustive]` by themselves.
const MACROS: [&str; 6] = [
    "object",
    "object_with_meta",
    "result_object",
    "cacheable_object",
    "open_enum",
    "tagged",
];

const EFFECT: &str = "an effect: one that is swallowed is a hang";
const TABLE: &str = "a state table: every pair is said";
const FORK: &str = "a fork: what is not taken is a request without an answer";
const JSON_RPC: &str = "JSON-RPC 2.0 is complete";
const SSE: &str = "the standard of server-sent events is complete";
const WRAPPER: &str = "a wrapper, to be taken apart";

/// What is exhaustive on purpose, and why.
const EXHAUSTIVE: [(&str, &str); 48] = [
    ("http::client::action: HttpAction", EFFECT),
    ("http::client::output: Output", EFFECT),
    ("legacy::client: ClientAction", EFFECT),
    ("legacy::server: ServerAction", EFFECT),
    ("modern::client: DiscoveryAction", EFFECT),
    ("sessions::event: PoolAction", EFFECT),
    ("sessions::life: Deed", EFFECT),
    ("client::era: Channel", TABLE),
    ("client::era: Evidence", TABLE),
    ("legacy::client: ClientHandshake", TABLE),
    ("legacy::client: ClientInput", TABLE),
    ("legacy::server: ServerHandshake", TABLE),
    ("legacy::server: ServerInput", TABLE),
    ("modern::client: Discovery", TABLE),
    ("modern::client: DiscoveryInput", TABLE),
    ("sessions::life: LifeInput", TABLE),
    ("client::link: Link", FORK),
    ("client::link: Origin", FORK),
    ("http::server::config: ReplyForm", FORK),
    ("http::server::post: Posted", FORK),
    ("server::admit: Admitted", FORK),
    ("server::received: Received", FORK),
    ("revision: Era", "two ways to live: who asks for it has to know both"),
    ("method: Kind", "a message is answered or not"),
    ("method: Side", "a connection has two ends"),
    ("jsonrpc::error: ErrorCode", JSON_RPC),
    ("jsonrpc::batch: Incoming", JSON_RPC),
    ("jsonrpc::message: Message", JSON_RPC),
    ("jsonrpc::message: Notification", JSON_RPC),
    ("jsonrpc::message: Request", JSON_RPC),
    ("jsonrpc::message: Response", JSON_RPC),
    ("wire::line: Line", "a line is whole or it is too long"),
    ("wire::sse::decode: SseEvent", SSE),
    ("wire::sse::encode: SseFrame", SSE),
    ("http::server::accept: Accepts", "an answer has two forms"),
    ("handle::client::call: Round", "a round has its result or needs input"),
    ("handle::server::output: Structured", WRAPPER),
    ("http::server::reply: Blocked", WRAPPER),
    ("server::http::event: Asker", WRAPPER),
    ("server::http::exchange: Frame", EFFECT),
    ("server::http::exchange: HangUp", FORK),
    ("server::http::opening: Opening", FORK),
    ("server::http::taken: Taken", EFFECT),
    ("server::http::session: End", EFFECT),
    ("server::http::replays: Resuming", FORK),
    ("http::server::replay: EventId", "an id has two parts"),
    ("http::server::replay: Recorded", EFFECT),
    ("http::server::replay: Replayed", EFFECT),
];

#[test]
fn what_may_grow_is_non_exhaustive() {
    let sources = shipped_sources(&workspace().join("mcp-proto/src"));
    let exports = Exports::of(&sources);
    let found: Vec<String> = sources.iter().flat_map(|source| exhaustive(source, &exports)).collect();
    assert!(!found.is_empty(), "the scan misses the crate");
    let is_meant = |name: &str| EXHAUSTIVE.iter().any(|(meant, _)| *meant == name);
    let mut findings: Vec<String> = found.iter().filter(|name| !is_meant(name)).cloned().collect();
    let stale = EXHAUSTIVE
        .iter()
        .filter(|(meant, _)| !found.iter().any(|name| name == meant));
    findings.extend(stale.map(|(meant, _)| format!("not exhaustive any more: {meant}")));
    super::demand_none("`#[non_exhaustive]`, or a reason in the list:", &findings);
}

/// The public enums, and structs with public fields, of one file that others can list exhaustively, as `module: Name`.
fn exhaustive(source: &Source, exports: &Exports) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let mut found = Vec::new();
    for at in public_types(&tokens) {
        let (kind, name) = (tokens[at + 1].text, tokens[at + 2].text);
        let can_be_listed = match kind {
            "enum" => true,
            "struct" => has_public_fields(&tokens[at + 2..]),
            _ => false,
        };
        let may_grow = is_non_exhaustive(&tokens[..at]) || in_macro(&tokens[..at]);
        if can_be_listed && !may_grow && exports.shows(source, name) {
            found.push(format!("{}: {name}", source.module().join("::")));
        }
    }
    found
}

/// Whether one of the attributes that end here says so.
fn is_non_exhaustive(before: &[Token<'_>]) -> bool {
    let mut at = before.len();
    while at > 0 && before[at - 1].text == "]" {
        let Some(open) = (0..at).rev().find(|open| before[*open].text == "#") else {
            return false;
        };
        if before[open..at].iter().any(|token| token.text == "non_exhaustive") {
            return true;
        }
        at = open;
    }
    false
}

/// Whether the innermost brace that is open here is the argument of such a macro.
fn in_macro(before: &[Token<'_>]) -> bool {
    let mut depth = 0usize;
    for at in (0..before.len()).rev() {
        match before[at].text {
            "}" => depth += 1,
            "{" if depth == 0 => {
                return at >= 2 && before[at - 1].text == "!" && MACROS.contains(&before[at - 2].text);
            }
            "{" => depth -= 1,
            _ => {}
        }
    }
    false
}

/// Whether the struct whose name comes first has fields, all of which are public: another has to be made here anyway.
fn has_public_fields(tokens: &[Token<'_>]) -> bool {
    let Some(open) = tokens.iter().position(|token| ["{", "(", ";"].contains(&token.text)) else {
        return false;
    };
    let mut depth = 0usize;
    let mut starts = true;
    let mut public = Vec::new();
    let mut at = open + 1;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "#" => at += tokens[at..].iter().position(|token| token.text == "]").unwrap_or(0),
            "}" | ")" | "]" | ">" if depth == 0 => break,
            "{" | "(" | "[" | "<" => depth += 1,
            "}" | ")" | "]" | ">" => depth -= 1,
            "," if depth == 0 => starts = true,
            _ if starts => {
                public.push(token.text == "pub" && tokens.get(at + 1).is_some_and(|next| next.text != "("));
                starts = false;
            }
            _ => {}
        }
        at += 1;
    }
    tokens[open].text != ";" && !public.is_empty() && public.iter().all(|is_public| *is_public)
}

mod tests {
    use super::*;

    fn run(text: &str) -> Vec<String> {
        let sources = [
            Source::new("lib.rs", "mod a; pub use a::b::A;"),
            Source::new("a/b.rs", text),
        ];
        exhaustive(&sources[1], &Exports::of(&sources))
    }

    #[test]
    fn what_others_can_list_is_found() {
        for text in [
            "pub enum A { B }",
            "#[derive(Debug)] pub struct A { pub b: u8 }",
            "pub struct A { pub b: Vec<(u8, u8)>, /** c */ #[x] pub c: [u8; 2], }",
            "pub struct A(pub u8);",
            "settings! { pub struct A { pub b (with_b): u8, } }",
            "#[non_exhaustive] pub struct A {} pub struct A<T> { pub b: T }",
        ] {
            assert_eq!(run(text), ["a::b: A"], "{text}");
        }
    }

    #[test]
    fn what_others_cannot_list_is_free() {
        for text in [
            "#[non_exhaustive] pub enum A { B }",
            "#[non_exhaustive] #[derive(Debug)] pub struct A { pub b: u8 }",
            "pub struct A { pub b: u8, c: u8 }",
            "pub struct A { pub(crate) b: u8 }",
            "pub struct A(u8); pub struct B; pub(crate) enum C { D }",
            "object! { pub struct A { pub b: u8 } }",
            "#[cfg(test)] mod tests { pub enum A {} }",
            "pub enum Hidden { B }",
        ] {
            assert_eq!(run(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_macros_do_say_so() {
        let text = |file: &str| {
            let path = workspace().join("mcp-proto/src/model").join(file);
            std::fs::read_to_string(path).expect("the macro")
        };
        for file in ["object.rs", "open_enum.rs", "tagged.rs"] {
            assert!(text(file).contains("#[non_exhaustive]"), "{file}");
        }
    }
}

//! Which bytes of a file are code, comment or literal, and which items are for tests alone.

use std::ops::Range;

/// What a byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Code,
    Comment,
    Literal,
}

/// The class of every byte of `text`.
pub(super) fn classify(text: &str) -> Vec<Class> {
    let bytes = text.as_bytes();
    let mut classes = vec![Class::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (class, end) = match piece(bytes, at) {
            Some((class, end)) => (class, end.min(bytes.len())),
            None => (Class::Code, at + 1),
        };
        classes[at..end].fill(class);
        at = end;
    }
    classes
}

/// The comment or literal that starts at `at`, with its end.
fn piece(bytes: &[u8], at: usize) -> Option<(Class, usize)> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        return Some((Class::Comment, at + length));
    }
    if rest.starts_with(b"/*") {
        return Some((Class::Comment, block_comment_end(bytes, at)));
    }
    if at > 0 && is_word(bytes[at - 1]) && rest[0] != b'"' {
        return None;
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix.as_bytes());
        after.is_some_and(|after| opens_literal(after, prefix))
    })?;
    let open = at + prefix.len();
    let end = if bytes[open] == b'\'' {
        character_end(bytes, open)?
    } else if prefix.ends_with('r') {
        raw_string_end(bytes, open)
    } else {
        string_end(bytes, open)
    };
    Some((Class::Literal, end))
}

/// Whether a literal with this prefix goes on with `after`.
fn opens_literal(after: &[u8], prefix: &str) -> bool {
    let hashes = after.iter().take_while(|&&byte| byte == b'#').count();
    match prefix {
        "r" | "br" | "cr" => after.get(hashes) == Some(&b'"'),
        "b" | "" => matches!(after.first(), Some(b'"' | b'\'')),
        _ => after.first() == Some(&b'"'),
    }
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_end(bytes: &[u8], open: usize) -> usize {
    let hashes = bytes[open..].iter().take_while(|&&byte| byte == b'#').count();
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = open + hashes + 1;
    let length = bytes[body..].windows(close.len()).position(|window| window == close);
    length.map_or(bytes.len(), |length| body + length + close.len())
}

/// The end of the character literal that opens at `open`, or `None` where a lifetime does.
fn character_end(bytes: &[u8], open: usize) -> Option<usize> {
    let first = *bytes.get(open + 1)?;
    if first == b'\\' {
        let close = bytes.get(open + 3..)?.iter().position(|&byte| byte == b'\'')?;
        return Some(open + 3 + close + 1);
    }
    let width = match first {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    };
    let close = open + 1 + width;
    (bytes.get(close) == Some(&b'\'')).then_some(close + 1)
}

/// An item that is compiled for tests alone.
pub(super) struct TestItem {
    /// The bytes of the item, its attributes included.
    pub(super) span: Range<usize>,
    /// The name, where the item is a module in a file of its own.
    pub(super) module: Option<String>,
}

/// The items of `code` under `#[cfg(test)]` or `#[cfg(all(test, ..))]`.
pub(super) fn test_items(code: &str) -> Vec<TestItem> {
    let bytes = code.as_bytes();
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes[at..]
        .iter()
        .position(|&byte| byte == b'#')
        .map(|found| at + found)
    {
        at = start + 1;
        let inner = code[at..].starts_with('!');
        let open = at + usize::from(inner);
        if bytes.get(open) != Some(&b'[') {
            continue;
        }
        let close = closing(bytes, open);
        let attribute: String = code[open + 1..close].split_whitespace().collect();
        at = close;
        if !["cfg(test)", "cfg(all(test,", "cfg(all(test)"]
            .iter()
            .any(|test| attribute.starts_with(test))
        {
            continue;
        }
        let end = if inner { bytes.len() } else { item_end(code, close + 1) };
        let item = code[close + 1..end.max(close + 1)].trim();
        items.push(TestItem {
            span: start..end,
            module: module_name(item),
        });
        at = end;
    }
    items
}

/// The end of the item, field or arm that starts at `start`.
fn item_end(code: &str, start: usize) -> usize {
    const ITEMS: [&str; 15] = [
        "pub",
        "fn",
        "mod",
        "use",
        "struct",
        "enum",
        "impl",
        "trait",
        "const",
        "static",
        "type",
        "unsafe",
        "async",
        "extern",
        "macro_rules",
    ];
    let bytes = code.as_bytes();
    let mut at = start;
    while code[at..].trim_start().starts_with('#') {
        let Some(open) = code[at..].find('[') else { break };
        at = closing(bytes, at + open) + 1;
    }
    let word: String = code[at..]
        .trim_start()
        .chars()
        .take_while(|&c| c.is_alphanumeric() || c == '_')
        .collect();
    let ends_at_comma = !ITEMS.contains(&word.as_str()) || code[at..].trim_start()[word.len()..].starts_with(':');
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' => at = closing(bytes, at),
            b'{' => return closing(bytes, at) + 1,
            b';' => return at + 1,
            b',' if ends_at_comma => return at + 1,
            b'}' => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The position of the bracket that closes the one at `open`; the last byte where none does.
fn closing(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len().saturating_sub(1)
}

/// `tests` of the item `pub(crate) mod tests;`.
fn module_name(item: &str) -> Option<String> {
    let (before, name) = item.strip_suffix(';')?.rsplit_once(char::is_whitespace)?;
    let is_module = before.split_whitespace().next_back() == Some("mod");
    is_module.then(|| name.to_owned())
}

/// Whether `byte` may be part of an identifier.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

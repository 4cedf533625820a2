//! What of a text of a peer may be shown to people.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// Most bytes that are kept of a text.
const EXCERPT: usize = 512;

/// The beginning of a text that a peer wrote, made printable.
///
/// `Display` shows it; `Debug` shows how long the text was, and nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    text: Box<str>,
    length: usize,
}

impl Excerpt {
    /// The first 512 bytes of a text. What is not UTF-8, and control characters, are replaced.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let kept = text.get(..text.len().min(EXCERPT)).unwrap_or_default();
        let printable = |char: char| if char.is_control() { ' ' } else { char };
        let kept: String = String::from_utf8_lossy(kept).chars().map(printable).collect();
        Self {
            text: kept.into(),
            length: text.len(),
        }
    }

    /// Of a text of this length, nothing.
    #[must_use]
    pub fn withheld(length: usize) -> Self {
        let text = Box::default();
        Self { text, length }
    }

    /// The excerpt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many bytes the whole text had.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excerpt({} bytes)", self.length)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn an_excerpt_is_short_printable_and_shown_to_nobody_who_debugs() {
        let excerpt = Excerpt::of(&[&b"a\x1b[1m\xff\n"[..], &[b'x'; 9_000]].concat());
        assert!(excerpt.as_str().starts_with("a [1m\u{fffd} xx") && excerpt.as_str().len() < 600);
        assert_eq!(format!("{excerpt:?}"), "Excerpt(9007 bytes)");
    }

    #[test]
    fn what_is_withheld_has_a_length_and_no_text() {
        let withheld = Excerpt::withheld(700);
        assert_eq!((withheld.as_str(), withheld.length()), ("", 700));
        assert_eq!(Excerpt::of(b"abc").length(), 3);
    }
}

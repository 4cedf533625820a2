//! Searches for single bytes, with the `memchr` crate, and what that has nothing for.
//!
//! Its counting takes one byte and no class of bytes, so [`count_by`] is ours; and a searcher of its `memmem` costs more
//! to make (560 instructions for a message of 140 bytes) than [`contains`] costs in all (200), where the first byte of
//! the needle is rare.

/// The offset of the first `needle`.
pub(crate) fn find(needle: u8, haystack: &[u8]) -> Option<usize> {
    let found = memchr::memchr(needle, haystack);
    looked_at(found.map_or(haystack.len(), |at| at + 1));
    found
}

/// The offset of the first CR or LF.
pub(crate) fn find_line_end(haystack: &[u8]) -> Option<usize> {
    let found = memchr::memchr2(b'\n', b'\r', haystack);
    looked_at(found.map_or(haystack.len(), |at| at + 1));
    found
}

/// The offset of the first quote or backslash: inside a string of JSON, of its end or an escape.
pub(crate) fn find_quote_or_escape(haystack: &[u8]) -> Option<usize> {
    memchr::memchr2(b'"', b'\\', haystack)
}

/// The offset of the last `needle`.
pub(crate) fn rfind(needle: u8, haystack: &[u8]) -> Option<usize> {
    let found = memchr::memrchr(needle, haystack);
    looked_at(haystack.len() - found.unwrap_or(0));
    found
}

/// Whether `needle` occurs. Quick where its first byte is rare.
pub(crate) fn contains(needle: &[u8], haystack: &[u8]) -> bool {
    let Some(&first) = needle.first() else { return true };
    let mut rest = haystack;
    while let Some(at) = find(first, rest) {
        let from = rest.get(at..).unwrap_or_default();
        if from.starts_with(needle) {
            return true;
        }
        rest = from.get(1..).unwrap_or_default();
    }
    false
}

/// How many bytes `wanted` accepts. Counted in blocks whose count fits a byte, so that whole vectors are compared.
#[inline(always)]
pub(crate) fn count_by(haystack: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let blocks = haystack.chunks(255).map(|block| {
        block
            .iter()
            .fold(0_u8, |count, byte| count.wrapping_add(u8::from(wanted(*byte))))
    });
    blocks.map(usize::from).sum()
}

/// Counts what the searches look at, where the tests hold decoders to it.
#[inline(always)]
fn looked_at(bytes: usize) {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get() + bytes);
    let _ = bytes;
}

#[cfg(test)]
std::thread_local! {
    static LOOKED_AT: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// How many bytes the searches of this thread look at in `work`.
#[cfg(test)]
pub(crate) fn bytes_looked_at(work: impl FnOnce()) -> usize {
    let before = LOOKED_AT.get();
    work();
    LOOKED_AT.get() - before
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn agree_with_the_naive_search_at_every_offset() {
        for len in 0..100 {
            for at in 0..len {
                let mut hay = vec![b'.'; len];
                hay[at] = b'\n';
                assert_eq!(find(b'\n', &hay), Some(at));
                assert_eq!(rfind(b'\n', &hay), Some(at));
                assert_eq!(find_line_end(&hay), Some(at));
                hay[len - 1] = b'\n';
                hay[0] = b'\n';
                assert_eq!(find(b'\n', &hay), Some(0));
                assert_eq!(rfind(b'\n', &hay), Some(len - 1));
                hay[0] = b'\r';
                assert_eq!(find_line_end(&hay), Some(0));
            }
            assert_eq!(find(b'\n', &vec![b'.'; len]), None);
            let mut hay = vec![b'a'; len];
            assert!(!contains(b"ab", &hay));
            if let Some(last) = hay.last_mut() {
                *last = b'b';
            }
            assert_eq!(contains(b"ab", &hay), len > 1);
            assert_eq!(rfind(b'\n', &vec![b'.'; len]), None);
            assert_eq!(find_line_end(&vec![b'.'; len]), None);
        }
    }
}

//! Texts that get something put around them, where they are.

use alloc::vec::Vec;

/// Texts from this size on are worth the trouble: moving one within its memory takes a fraction of the time that fresh
/// memory for a copy takes.
pub(crate) const LARGE: usize = 64 << 10;

/// Puts `front` in the place of the first `cut` bytes of `text`, and `back` behind it. The text stays where it is, as
/// far as its memory has room.
pub(crate) fn put_around(text: &mut Vec<u8>, cut: usize, front: &[u8], back: &[u8]) {
    let (length, cut) = (text.len(), cut.min(text.len()));
    // Exactly: `reserve` may double what is large already.
    text.reserve_exact(front.len().saturating_add(back.len()));
    match front.len().checked_sub(cut) {
        Some(more) => {
            // Moved within: a second buffer of that size would be another allocation, and a copy.
            text.resize(length + more, 0);
            text.copy_within(cut..length, cut + more);
        }
        None => {
            text.copy_within(cut.., front.len());
            text.truncate(length - (cut - front.len()));
        }
    }
    if let Some(begin) = text.get_mut(..front.len()) {
        begin.copy_from_slice(front);
    }
    text.extend_from_slice(back);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_cut_and_put_the_rest_stays() {
        let text = b"0123456789";
        for cut in 0..=text.len() + 1 {
            for front in ["", "a", "abcd", "abcdefghijklmnopqrst"] {
                for back in ["", "yz"] {
                    let mut out = text.to_vec();
                    put_around(&mut out, cut, front.as_bytes(), back.as_bytes());
                    let rest = text.get(cut..).unwrap_or_default();
                    assert_eq!(
                        out,
                        [front.as_bytes(), rest, back.as_bytes()].concat(),
                        "{cut} {front} {back}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_with_room_stays_where_it_is() {
        let mut out = Vec::with_capacity(100);
        out.extend_from_slice(b"text");
        let place = out.as_ptr();
        put_around(&mut out, 1, b"front", b"back");
        assert_eq!((out.as_ptr(), &out[..]), (place, &b"frontextback"[..]));
    }
}

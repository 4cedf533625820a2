//! Base64 (RFC 4648, section 4): standard alphabet, with padding, one text per byte string.

use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the encoded bytes to `out`.
pub(crate) fn encode_into(out: &mut String, bytes: &[u8]) {
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            out.push(if place <= group.len() {
                digit(bits >> (18 - 6 * place))
            } else {
                '='
            });
        }
    }
}

/// The digit for the lowest six bits.
fn digit(bits: u32) -> char {
    ALPHABET.get((bits & 63) as usize).copied().map_or('=', char::from)
}

/// The bytes that `text` stands for. `None` unless `text` is exactly what [`encode_into`] writes for them: foreign
/// characters, missing or superfluous padding and bits set in the padding are refused.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.get(..text.len() - padding)?.chunks(4) {
        let mut bits = 0;
        for place in 0..4 {
            let value = group.get(place).map_or(Some(0), |&byte| value(byte))?;
            bits = bits << 6 | value;
        }
        let [_, first, second, third] = u32::to_be_bytes(bits);
        let (whole, cut) = match group.len() {
            4 => (3, 0),
            3 => (2, third),
            2 => (1, second | third),
            _ => return None,
        };
        if cut != 0 {
            return None;
        }
        bytes.extend([first, second, third].into_iter().take(whole));
    }
    Some(bytes)
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8]) -> String {
        let mut out = String::new();
        encode_into(&mut out, bytes);
        out
    }

    #[test]
    fn vectors_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded.as_bytes()).as_deref(), Some(plain.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(encode(&all).as_bytes()), Some(all));
    }

    #[test]
    fn only_the_canonical_text_is_accepted() {
        for bad in [
            "Z", "Zg", "Zg=", "Zg===", "Zm9vZg", "=", "==", "====", "A===", "=AAA", "Zg==Zg==", "Zm=v", "Zh==", "Zm9=",
            "Zm8 ", "Zm\n8", "Zm8-", "Zm8_", "Zm8=\n", "Z!==",
        ] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
        }
    }
}

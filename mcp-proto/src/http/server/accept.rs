//! What a client accepts.

use http::HeaderValue;

/// In which of the two forms of an answer a client takes it, by its `Accept` headers.
///
/// A client MUST list both `application/json` and `text/event-stream` (2025-03-26 and later, Sending Messages, 2).
/// Wildcards count, no header at all means everything (RFC 9110, 12.5.1), and one form alone is served where the
/// answer can have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// `application/json`
    pub json: bool,
    /// `text/event-stream`
    pub sse: bool,
}

impl Accepts {
    /// Both forms.
    pub const BOTH: Self = Self { json: true, sse: true };
    /// JSON documents alone.
    pub const JSON: Self = Self { json: true, sse: false };
    /// Event streams alone.
    pub const SSE: Self = Self { json: false, sse: true };
}

/// Reads the `Accept` headers of one request, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AcceptReader {
    seen: bool,
    json: Weight,
    sse: Weight,
}

impl AcceptReader {
    /// Both types have been named.
    const BOTH: Self = Self {
        seen: true,
        json: Weight::NAMED,
        sse: Weight::NAMED,
    };

    pub(super) fn read(&mut self, value: &HeaderValue) {
        // What nearly every client sends. It names both, so that nothing before it counts.
        if value.as_bytes() == b"application/json, text/event-stream" {
            *self = Self::BOTH;
            return;
        }
        self.seen = true;
        for range in value.as_bytes().split(|byte| *byte == b',') {
            self.range(range);
        }
    }

    pub(super) const fn finish(self) -> Accepts {
        match self.seen {
            true => Accepts {
                json: self.json.accepted,
                sse: self.sse.accepted,
            },
            false => Accepts::BOTH,
        }
    }

    fn range(&mut self, range: &[u8]) {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        // Other weights say what is liked better; between two forms that are taken the server chooses (`ReplyForm`).
        let accepted = !parts.any(is_zero_weight);
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        if is(b"application/json") {
            self.json.set(Weight::NAMED.specificity, accepted);
        } else if is(b"text/event-stream") {
            self.sse.set(Weight::NAMED.specificity, accepted);
        } else if is(b"application/*") {
            self.json.set(2, accepted);
        } else if is(b"text/*") {
            self.sse.set(2, accepted);
        } else if is(b"*/*") {
            self.json.set(1, accepted);
            self.sse.set(1, accepted);
        }
    }
}

/// `q=0`, `q=0.`, `q=0.000`: not acceptable.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let [b'q' | b'Q', b'=', value @ ..] = parameter else {
        return false;
    };
    matches!(value, [b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
}

/// Whether a type is accepted, as the most specific range says that speaks of it.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    specificity: u8,
    accepted: bool,
}

impl Weight {
    /// Of a type that is named itself, and accepted.
    const NAMED: Self = Self {
        specificity: 3,
        accepted: true,
    };

    fn set(&mut self, specificity: u8, accepted: bool) {
        // RFC 9110, 12.5.1: the most specific range counts, wherever it stands.
        if specificity >= self.specificity {
            *self = Self { specificity, accepted };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEITHER: Accepts = Accepts {
        json: false,
        sse: false,
    };

    #[test]
    fn the_most_specific_range_decides() {
        for (values, expected) in [
            (&[][..], Accepts::BOTH),
            (&["application/json, text/event-stream"], Accepts::BOTH),
            (&["application/json", "text/event-stream"], Accepts::BOTH),
            (
                &[
                    "application/json, text/event-stream",
                    "text/*;q=0, application/json;q=0",
                ],
                Accepts::SSE,
            ),
            (
                &["application/json;q=0", "application/json, text/event-stream"],
                Accepts::BOTH,
            ),
            (&["Application/JSON;q=0.9,TEXT/Event-Stream"], Accepts::BOTH),
            (&["*/*"], Accepts::BOTH),
            (&["application/*"], Accepts::JSON),
            (&["text/*;q=0.1"], Accepts::SSE),
            (&["application/json"], Accepts::JSON),
            (&["text/event-stream"], Accepts::SSE),
            (&["*/*, text/event-stream;q=0"], Accepts::JSON),
            (&["text/event-stream; q=0.000, */*;q=1"], Accepts::JSON),
            (&["text/event-stream;q=0.001"], Accepts::SSE),
            (&["*/*;q=0"], NEITHER),
            (&["text/html"], NEITHER),
            (&["application/jsonx, xapplication/json, text/event-streams"], NEITHER),
            (&[""], NEITHER),
            (&[",;,=;q=,"], NEITHER),
        ] {
            let mut reader = AcceptReader::default();
            for value in values {
                reader.read(&HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(reader.finish(), expected, "{values:?}");
        }
    }
}

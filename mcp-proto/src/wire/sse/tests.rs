use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::{SseDecoder, SseError, SseEvent, SseFrame, encode_event};
use crate::wire::{cuts, scan};

type Outcome = Result<SseEvent, SseError>;
/// What came out, the last event id, the retry time.
type Seen = (Vec<Outcome>, Option<String>, Option<Duration>);

fn read(limit: usize, pieces: &[&[u8]]) -> Seen {
    let mut decoder = SseDecoder::new(limit);
    let mut outcomes = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(outcome) = decoder.poll_event() {
            outcomes.push(outcome);
        }
        assert!(decoder.buffered() <= limit.max(2));
    }
    (outcomes, decoder.last_event_id().map(String::from), decoder.retry())
}

/// Reads the input in all cuts, which must agree.
fn seen(limit: usize, input: &[u8]) -> Seen {
    let whole = read(limit, &[input]);
    for pieces in cuts::all(input, 11) {
        assert_eq!(read(limit, &pieces), whole, "{pieces:?}");
    }
    whole
}

/// However a long event is cut, each byte is looked at a few times and no more.
#[test]
fn the_work_grows_with_the_event_and_not_with_its_pieces() {
    const LENGTH: usize = 1 << 18;
    let one = [b"data: ", &vec![b'x'; LENGTH][..], b"\n\n"].concat();
    let many = b"data: 0123456789\n".repeat(LENGTH / 17);
    for mut input in [one, many] {
        input.push(b'\n');
        for size in [1, 7, 1 << 10, 1 << 16, input.len()] {
            let pieces: Vec<_> = input.chunks(size).collect();
            let looked_at = scan::bytes_looked_at(|| {
                let (outcomes, ..) = read(2 * LENGTH, &pieces);
                assert!(matches!(&outcomes[..], [Ok(_)]), "{} outcomes", outcomes.len());
            });
            // A search ends with the block that it finds something in.
            assert!(looked_at <= 6 * input.len(), "pieces of {size}: {looked_at} bytes");
        }
    }
}

fn events(input: &[u8]) -> Vec<Outcome> {
    seen(10_000, input).0
}

fn data(text: &str) -> Outcome {
    Ok(SseEvent {
        data: text.to_string().into(),
        ..SseEvent::default()
    })
}

#[test]
fn data_fields() {
    for (input, expected) in [
        ("data: a\n\n", vec![data("a")]),
        ("data:a\n\n", vec![data("a")]),
        ("data:  a \n\n", vec![data(" a ")]),
        ("data:\ta\n\n", vec![data("\ta")]),
        ("data: a:b: c\n\n", vec![data("a:b: c")]),
        ("data: a\ndata: b\n\ndata: c\n\n", vec![data("a\nb"), data("c")]),
        ("data\n\n", vec![data("")]),
        ("data:\n\n", vec![data("")]),
        ("data\ndata\n\n", vec![data("\n")]),
        ("data:\ndata: x\ndata:\n\n", vec![data("\nx\n")]),
        ("data: ä\u{FEFF}世\n\n", vec![data("ä\u{FEFF}世")]),
        ("data: incomplete", vec![]),
        ("data: incomplete\n", vec![]),
        ("data: a\n\ndata: incomplete\n", vec![data("a")]),
        ("", vec![]),
        ("\n\n\n", vec![]),
    ] {
        assert_eq!(events(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn line_ends_of_every_kind() {
    for input in [
        "data: a\r\rdata: b\r\r",
        "data: a\r\n\r\ndata: b\r\n\r\n",
        "data: a\n\r\ndata: b\r\n\r",
        "data: a\r\n\ndata: b\r\n\n",
        "data: a\r\ndata: a\r\r",
    ] {
        let expected = match input.starts_with("data: a\r\ndata: a") {
            true => vec![data("a\na")],
            false => vec![data("a"), data("b")],
        };
        assert_eq!(events(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn the_byte_order_mark_counts_only_at_the_start() {
    assert_eq!(events(b"\xEF\xBB\xBFdata: a\n\n"), [data("a")]);
    assert_eq!(events(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n"), []);
    assert_eq!(
        events(b"data: a\n\n\xEF\xBB\xBFdata: b\n\ndata: c\n\n"),
        [data("a"), data("c")]
    );
    assert_eq!(events(b"\xEF\xBBdata: a\n\ndata: c\n\n"), [data("c")]);
    assert_eq!(events(b"\xEF\xBB\xBF:\ndata: a\n\n"), [data("a")]);
}

#[test]
fn comments_and_unknown_fields_are_ignored() {
    assert_eq!(events(b":\n\n: hi\n\n:\xFF\n\n"), []);
    assert_eq!(events(b"data: a\n: data: b\n:\ndata: c\n\n"), [data("a\nc")]);
    assert_eq!(
        events(b"Data: a\n data: b\ndata : c\nfoo: \xFF\nfoo\nevents: x\ndata: d\n\n"),
        [data("d")]
    );
    assert_eq!(events(b"event: x\n\ndata: a\n\n"), [data("a")]);
}

#[test]
fn event_types() {
    let named = |name: &str| {
        Ok(SseEvent {
            event: Some(name.into()),
            data: "a".into(),
            ..SseEvent::default()
        })
    };
    assert_eq!(events(b"event: endpoint\ndata: a\n\n"), [named("endpoint")]);
    assert_eq!(events(b"event: x\nevent: message\ndata: a\n\n"), [named("message")]);
    assert_eq!(events(b"event: x\nevent\ndata: a\n\n"), [data("a")]);
    assert_eq!(events(b"event: x\ndata: a\n\ndata: a\n\n"), [named("x"), data("a")]);
    assert!(named("message").unwrap().message().is_some());
    assert!(named("endpoint").unwrap().message().is_none());
    assert!(data("").unwrap().message().is_none());
    assert!(data("a").unwrap().message().is_some());
}

#[test]
fn ids() {
    let with_id = |id: &str, text: &str| {
        Ok(SseEvent {
            id: Some(id.into()),
            data: text.to_string().into(),
            ..SseEvent::default()
        })
    };
    let last = |input: &[u8]| seen(1000, input).1;
    assert_eq!(events(b"id: 1\ndata\n\n"), [with_id("1", "")], "priming event");
    assert_eq!(events(b"id: 1\n\n"), [with_id("1", "")], "an id alone is observable");
    assert_eq!(
        events(b"id: 1\nid: 2\ndata: a\n\ndata: b\n\n"),
        [with_id("2", "a"), data("b")]
    );
    assert_eq!(events(b"id: 1\nid: 2\0\ndata: a\n\n"), [with_id("1", "a")], "NUL");
    assert_eq!(last(b"id: 1\ndata: a\n\ndata: b\n\n").as_deref(), Some("1"), "persists");
    assert_eq!(
        last(b"id: 1\n\nid: 2\ndata: a\n").as_deref(),
        Some("1"),
        "incomplete event"
    );
    assert_eq!(last(b"id: 1\n\nid\n\n"), None, "reset");
    assert_eq!(last(b"id: 1\n\nid: \0\n\n").as_deref(), Some("1"), "NUL");
}

#[test]
fn retries() {
    let retry = |input: &[u8]| seen(1000, input).2;
    assert_eq!(retry(b"retry: 1500\n\n"), Some(Duration::from_millis(1500)));
    assert_eq!(
        retry(b"retry: 007\n"),
        Some(Duration::from_millis(7)),
        "needs no blank line"
    );
    assert_eq!(
        retry(b"retry: 99999999999999999999999\n\n"),
        Some(Duration::from_millis(u64::MAX))
    );
    for bad in [
        "retry:\n\n",
        "retry: -1\n\n",
        "retry: 1.5\n\n",
        "retry: 1s\n\n",
        "retry: +1\n\n",
        "retry:  1\n\n",
    ] {
        assert_eq!((bad, retry(bad.as_bytes())), (bad, None));
        assert_eq!(events(bad.as_bytes()), []);
    }
    assert_eq!(
        events(b"retry: 5\n\ndata: a\n\n"),
        [
            Ok(SseEvent {
                retry: Some(Duration::from_millis(5)),
                ..SseEvent::default()
            }),
            data("a")
        ]
    );
}

#[test]
fn invalid_utf8_is_an_error_and_the_stream_survives() {
    for bad in [
        "data: a\\",
        "event: \\\ndata: a",
        "id: \\\ndata: a",
        "id: \\",
        "data: \\\ndata: \\",
    ] {
        let mut input: Vec<u8> = bad
            .bytes()
            .map(|byte| if byte == b'\\' { 0xFF } else { byte })
            .collect();
        input.extend_from_slice(b"\n\ndata: b\n\n");
        assert_eq!(events(&input), [Err(SseError::InvalidUtf8), data("b")], "{bad}");
    }
    // A character must not be put together from two lines.
    assert_eq!(events(b"data: \xC3\ndata: \xA4\n\n"), [Err(SseError::InvalidUtf8)]);
    let (_, last, _) = seen(100, b"id: 3\ndata: \xFF\n\n");
    assert_eq!(last.as_deref(), Some("3"));
}

#[test]
fn too_large_events_are_skipped_to_their_end() {
    let too_large = || Err(SseError::TooLarge { limit: 10 });
    let small = |input: &[u8]| seen(10, input).0;
    assert_eq!(small(b"data: 1234\n\n"), [data("1234")]);
    assert_eq!(small(b"data: 12345\n\ndata: a\n\n"), [too_large(), data("a")]);
    assert_eq!(
        small(b"data: 12345\ndata: more\nid: 1\r\n\r\ndata: a\n\n"),
        [too_large(), data("a")]
    );
    assert_eq!(small(b"data:\ndata:\ndata:\n\ndata: a\n\n"), [too_large(), data("a")]);
    assert_eq!(small(b"data: 12345\n\ndata: 12345\r\r"), [too_large(), too_large()]);
    assert_eq!(small(b"unknown: field\n\ndata: a\n\n"), [too_large(), data("a")]);
    assert_eq!(
        small(b"data: 12\n: a very long comment does not count\n\n"),
        [data("12")]
    );
    assert_eq!(small(b"data: an unfinished line"), [too_large()]);
    assert_eq!(seen(10, b"id: 1\n\nid: 2\ndata: 1234\n\n").1.as_deref(), Some("1"));
}

#[test]
fn endless_lines_and_comments_hold_no_memory() {
    for start in [&b"data: "[..], b": ", b"unknown", b""] {
        let mut decoder = SseDecoder::new(1000);
        decoder.push(start);
        let mut errors = 0;
        for _ in 0..5_000 {
            decoder.push(&[b'x'; 4096]);
            while let Some(outcome) = decoder.poll_event() {
                assert_eq!(outcome, Err(SseError::TooLarge { limit: 1000 }));
                errors += 1;
            }
            assert!(decoder.buffered() <= 1000);
        }
        assert_eq!(errors, usize::from(start != b": "));
        decoder.push(b"\n\ndata: a\n\n");
        assert_eq!(decoder.poll_event(), Some(data("a")));
    }
}

#[test]
fn a_million_data_lines() {
    let input = "data:\n".repeat(1_000_000) + "\ndata: a\n\n";
    let (outcomes, ..) = read(16 << 20, &[input.as_bytes()]);
    assert_eq!(outcomes.len(), 2);
    assert_eq!(outcomes[0].as_ref().unwrap().data.len(), 999_999);
    let (outcomes, ..) = read(1 << 20, &input.as_bytes().chunks(5000).collect::<Vec<_>>());
    assert_eq!(outcomes, [Err(SseError::TooLarge { limit: 1 << 20 }), data("a")]);
}

#[test]
fn one_data_line_is_not_copied_again() {
    let mut decoder = SseDecoder::new(1000);
    decoder.push(b"data: {}\n\ndata: []\n\n");
    let first = decoder.poll_event().unwrap().unwrap().data;
    let second = decoder.poll_event().unwrap().unwrap().data;
    assert_eq!(first.as_ptr() as usize + 10, second.as_ptr() as usize);
}

#[test]
fn restart_forgets_the_incomplete_event_only() {
    let mut decoder = SseDecoder::new(1000);
    decoder.push(b"id: 1\nretry: 5\n\nid: 2\ndata: lost\r");
    assert!(decoder.poll_event().is_some());
    assert!(decoder.poll_event().is_none());
    decoder.restart();
    decoder.push(b"\xEF\xBB\xBFdata: a\n\n");
    assert_eq!(decoder.poll_event(), Some(data("a")));
    assert_eq!(decoder.last_event_id(), Some("1"));
    assert_eq!(decoder.retry(), Some(Duration::from_millis(5)));
}

#[test]
fn what_is_written_is_read_back() {
    let mut prng = cuts::Prng::new(3);
    let mut text = |alphabet: &[char], most: usize| -> String {
        (0..prng.below(most))
            .map(|_| alphabet[prng.below(alphabet.len())])
            .collect()
    };
    for round in 0..300 {
        let event = text(&['a', ' ', ':', 'ä'], 5);
        let id = text(&['1', ' ', ':', '世'], 5);
        let body = text(&['a', ' ', ':', '\r', '\n', '"', '\0', '\u{FEFF}', 'd'], 30);
        let retry = (round % 3 == 0).then(|| Duration::from_millis(round));
        let frame = SseFrame {
            event: Some(&event),
            id: Some(&id),
            retry,
            data: body.as_bytes(),
        };
        let mut out = Vec::new();
        encode_event(&mut out, &frame).unwrap();
        let expected = SseEvent {
            event: Some(event.clone()).filter(|event| !event.is_empty()),
            id: Some(id.clone()),
            retry,
            data: body.replace("\r\n", "\n").replace('\r', "\n").into(),
        };
        assert_eq!(events(&out), [Ok(expected)], "{:?}", String::from_utf8_lossy(&out));
    }
}

#[test]
fn random_bytes_read_the_same_in_all_cuts() {
    let mut prng = cuts::Prng::new(5);
    let words: &[&[u8]] = &[
        b"data",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\n\n",
        b"id",
        b"event",
        b"retry: 1",
        b"x",
        b"\xFF",
        b"\0",
    ];
    for _ in 0..200 {
        let input: Vec<u8> = (0..prng.below(40))
            .flat_map(|_| words[prng.below(words.len())].to_vec())
            .collect();
        seen(prng.below(40), &input);
    }
}

//! A server over pipes with the standard library alone: it reads what there is, reads the envelope of each line, and
//! writes the results of all of them at once.

use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::os::fd::AsFd;

use super::initialize_result;
use crate::messages::{self, ParamsRef, RequestRef};

/// Serves until the input ends.
pub(crate) fn serve() {
    // Without the buffers, and the look for lines, of the standard library's own.
    let own = |stream: std::io::Result<std::os::fd::OwnedFd>| File::from(stream.expect("a stream"));
    let mut input = own(std::io::stdin().as_fd().try_clone_to_owned());
    let mut output = own(std::io::stdout().as_fd().try_clone_to_owned());
    let (mut buffer, mut out) = (vec![0; 64 << 10], Vec::new());
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
        let length = input.read(&mut buffer[filled..]).expect("a pipe");
        if length == 0 {
            return;
        }
        let before = filled;
        filled += length;
        // What came before has no end in it.
        if before == 0 || buffer[before..filled].contains(&b'\n') {
            let whole = answer_lines(&buffer[..filled], &mut out);
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            output.write_all(&out).expect("a pipe");
            out.clear();
        }
    }
}

/// Answers the complete lines. How long they are.
fn answer_lines(buffer: &[u8], out: &mut Vec<u8>) -> usize {
    let mut rest = buffer;
    loop {
        let line = rest;
        let length = rest.skip_until(b'\n').expect("bytes");
        match line[..length].strip_suffix(b"\n") {
            Some(line) => answer(line, out),
            None => return buffer.len() - line.len(),
        }
    }
}

fn answer(line: &[u8], out: &mut Vec<u8>) {
    let call: RequestRef<'_> = serde_json::from_slice(line).expect("a message");
    assert_eq!(call.jsonrpc, "2.0");
    match (call.method, call.id) {
        ("tools/call", Some(id)) => {
            let params = call.params.expect("parameters").get();
            let params: ParamsRef<'_> = serde_json::from_str(params).expect("parameters");
            assert!(params.name == "echo" && params.meta.is_none_or(|meta| meta.get().starts_with('{')));
            messages::write_response(out, id, params.arguments.text);
        }
        ("initialize", Some(id)) => out.extend(initialize_result(id).into_bytes()),
        _ => return,
    }
    out.push(b'\n');
}

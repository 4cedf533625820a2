//! Ways to cut a byte string.

/// The pieces of `input`, cut where `plan` says: each byte of it is the length of one piece, over and over.
pub fn by_plan<'a>(input: &'a [u8], plan: &[u8]) -> Vec<&'a [u8]> {
    let mut rest = input;
    let mut pieces = Vec::new();
    for length in plan.iter().cycle().take(input.len()) {
        let (piece, tail) = rest.split_at(rest.len().min(usize::from(*length) + 1));
        pieces.push(piece);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// `input` whole, byte by byte, and cut by its own first bytes.
pub fn all(input: &[u8]) -> [Vec<&[u8]>; 3] {
    let plan = input.get(..4).unwrap_or(input);
    [vec![input], input.chunks(1).collect(), by_plan(input, plan)]
}

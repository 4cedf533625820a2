//! Ways to cut a byte string into pieces, and other repeatable chance, for the tests of the codecs.

use alloc::vec::Vec;

use proptest::test_runner::{Config, RngSeed};

/// Properties are tried on the same values in every run.
pub(crate) fn repeatable() -> Config {
    Config {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        cases: 500,
        ..Config::default()
    }
}

/// A small seeded generator (xorshift64*), so that a failing case can be repeated.
pub(crate) struct Prng(u64);

impl Prng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A value below `bound`, which is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

/// The input whole, byte by byte, and in 30 random cuts.
pub(crate) fn all(input: &[u8], seed: u64) -> Vec<Vec<&[u8]>> {
    let mut ways = Vec::from([Vec::from([input]), input.chunks(1).collect()]);
    let mut prng = Prng::new(seed);
    for round in 0..30 {
        let mut rest = input;
        let mut cut = Vec::new();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(prng.below(rest.len().min(2 + round * 3) + 1));
            cut.push(piece);
            rest = tail;
        }
        ways.push(cut);
    }
    ways
}

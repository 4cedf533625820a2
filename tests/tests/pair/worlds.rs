//! The same test on every link and in every revision.

use mcp_proto::Revision;
use mcp_tests::network::{Conditions, Cuts};
use mcp_tests::pair::{HttpLink, Pair, PairLink, Setup, StreamLink};

/// A test that any pair has to pass.
pub(crate) trait Test {
    /// What the pair is made of, besides the revision.
    fn setup(setup: Setup) -> Setup {
        setup
    }

    /// The test.
    fn run<L: PairLink>(pair: Pair<L>, revision: Revision);
}

/// Runs a test on both links, in every revision, over a calm network and over one that cuts every byte off.
pub(crate) fn everywhere<T: Test>() {
    for (revision, conditions) in worlds() {
        println!("{revision} on a stream, {:?}", conditions.cuts);
        T::run(stream::<T>(revision, &conditions), revision);
        if revision.has_streamable_http() {
            println!("{revision} over HTTP, {:?}", conditions.cuts);
            T::run(http::<T>(revision, &conditions), revision);
        }
    }
}

fn worlds() -> impl Iterator<Item = (Revision, Conditions)> {
    let pieces = Conditions::CALM.with_cuts(Cuts::Bytes);
    Revision::ALL
        .into_iter()
        .flat_map(move |revision| [(revision, Conditions::CALM), (revision, pieces.clone())])
}

fn stream<T: Test>(revision: Revision, conditions: &Conditions) -> Pair<StreamLink> {
    T::setup(Setup::speaking(revision))
        .conditions(conditions.clone())
        .stream()
}

fn http<T: Test>(revision: Revision, conditions: &Conditions) -> Pair<HttpLink> {
    T::setup(Setup::speaking(revision))
        .conditions(conditions.clone())
        .http()
}

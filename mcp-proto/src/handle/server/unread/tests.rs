//! Streams that are counted with all others.

use super::queued::{SMALL, STEP};
use super::*;
use alloc::sync::Weak;

use crate::Limits;
use crate::handle::sync::Mutex;
use crate::http::server::Remote;

/// A stream that is told of its loss.
#[derive(Default)]
struct Told(Mutex<bool>);

impl Stream for Told {
    fn cut_off(&self) {
        *lock(&self.0) = true;
    }
}

struct World {
    answers: Arc<UnreadAnswers>,
    streams: Vec<(Arc<Told>, Queued)>,
}

impl World {
    fn new(most: usize, streams: u8) -> Self {
        let answers = Arc::new(UnreadAnswers::new(&Limits::default().with_unread_bytes(most)));
        let streams = (0..streams).map(|number| {
            let told = Arc::new(Told::default());
            let stream: Weak<Told> = Arc::downgrade(&told);
            (told, Queued::new(&answers, at(number), stream))
        });
        let streams = streams.collect();
        Self { answers, streams }
    }

    fn set(&mut self, stream: usize, bytes: usize) {
        let queued = &mut self.streams[stream].1;
        queued.set(bytes);
        queued.take_lost().cut_off();
    }

    fn bytes(&self) -> usize {
        lock(&self.answers.0).bodies.bytes()
    }

    fn lost(&self) -> Vec<usize> {
        let is_lost = |(number, (told, _)): (usize, &(Arc<Told>, Queued))| (*lock(&told.0)).then_some(number);
        self.streams.iter().enumerate().filter_map(is_lost).collect()
    }
}

fn at(address: u8) -> Holder {
    Holder::new(None, Remote::new(Some(([10, 0, 0, address], 1).into()), Some(1)))
}

#[test]
fn what_is_queued_is_counted_in_steps_and_a_stream_that_is_read_is_not() {
    let mut world = World::new(10 * STEP, 1);
    for (queued, counted) in [
        (SMALL, 0),
        (0, 0),
        (SMALL + 1, STEP),
        (STEP, STEP),
        (STEP + 1, 2 * STEP),
        (3, 2 * STEP),
        (5 * STEP, 5 * STEP),
        (0, 0),
        (SMALL, 0),
    ] {
        world.set(0, queued);
        assert_eq!(world.bytes(), counted, "{queued}");
    }
    world.set(0, STEP);
    world.streams.clear();
    assert_eq!(world.bytes(), 0);
    assert!(lock(&world.answers.0).streams.is_empty());
}

#[test]
fn the_largest_stream_is_lost_for_one_that_holds_less() {
    let mut world = World::new(10 * STEP, 3);
    world.set(0, 7 * STEP);
    world.set(1, 3 * STEP);
    world.set(2, STEP);
    assert_eq!((world.lost(), world.bytes()), (vec![0], 4 * STEP));
    // Who holds most itself is refused.
    world.set(1, 10 * STEP);
    assert_eq!((world.lost(), world.bytes()), (vec![0, 1], STEP));
}

#[test]
fn answers_and_streams_are_lost_for_each_other() {
    let mut world = World::new(10 * STEP, 2);
    let mut answer = Unread::new(&world.answers, at(9), Bytes::from(vec![0; 8 * STEP]));
    world.set(0, 3 * STEP);
    assert_eq!((answer.take(), world.lost()), (Some(Err(CutOff)), vec![]));
    world.set(0, 8 * STEP);
    let mut answer = Unread::new(&world.answers, at(9), Bytes::from(vec![0; 4 * STEP]));
    assert!(matches!(answer.take(), Some(Ok(_))));
    assert_eq!(world.lost(), [0]);
}

#[test]
fn a_stream_that_was_cut_off_counts_no_more() {
    let mut world = World::new(10 * STEP, 1);
    world.set(0, 11 * STEP);
    assert_eq!(world.lost(), [0]);
    world.streams[0].1.cut_off();
    world.set(0, 5 * STEP);
    assert_eq!((world.bytes(), world.streams[0].1.is_cut_off()), (0, true));
}

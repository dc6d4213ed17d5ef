use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::wire::{SiteName, Topic};

fn health(uptime_s: u32) -> Record {
    Record::Health(Health { uptime_s, disk_free_kb: Some(1 << 40), ..Health::default() })
}

fn person(text: &str) -> Record {
    let (language, asker) = (Language::parse("ny").unwrap(), vec![7; 16]);
    Record::Person(Person { at: None, language, asker, text: text.to_owned() })
}

fn unanswered(text: &str) -> Record {
    let (at, language) = (Some(Timestamp::from_unix_seconds(1)), Language::EN);
    Record::Unanswered(Unanswered { at, language, pseudonym: [3; 8], text: text.to_owned() })
}

fn usage() -> Record {
    let count = Count { channel: 1, language: Language::EN, asked: 9, answered: 7, person: 1 };
    Record::Usage(Usage { from: None, seconds: 3600, counts: vec![count] })
}

#[test]
fn every_record_is_read_as_it_is_written() {
    let cold = Health { temperature_dc: Some(-125), signal_dbm: Some(-97), ..Health::default() };
    for record in
        [health(7), Record::Health(cold), usage(), unanswered("bei?"), person("Nifanye nini?")]
    {
        let bytes = record.encode();
        assert_eq!(Record::decode(record.stream(), &bytes), Some(record.clone()));
        for length in 0..bytes.len() {
            assert_eq!(Record::decode(record.stream(), &bytes[..length]), None);
        }
    }
}

#[test]
fn health_of_an_older_program_is_read() {
    // [null, 7, null, null, -97, null, null, 2]
    let old = [0x88, 0xf6, 0x07, 0xf6, 0xf6, 0x38, 0x60, 0xf6, 0xf6, 0x02];
    let told = Health { uptime_s: 7, signal_dbm: Some(-97), waiting: Some(2), ..Health::default() };
    assert_eq!(Record::decode(Stream::Health, &old), Some(Record::Health(told)));
}

#[test]
fn long_words_are_cut_and_none_are_shown() {
    let long = person(&"é".repeat(MAX_TEXT_BYTES));
    let Some(Record::Person(cut)) = Record::decode(Stream::Person, &long.encode()) else {
        panic!("cut words are a record");
    };
    assert_eq!(cut.text, "é".repeat(MAX_TEXT_BYTES / 2));
    assert!(!format!("{:?} {:?}", person("siri"), unanswered("siri")).contains("siri"));
}

#[test]
fn a_hub_takes_a_stream_in_order() {
    let batch = Batch { floor: 4, records: (4..8).map(|n| (n, vec![n as u8])).collect() };
    assert_eq!(Batch::decode(&batch.encode()), Some(batch.clone()));
    // It had 5 already; below 4 there is nothing any more.
    assert_eq!(batch.after(5), (vec![(6, &[6u8][..]), (7, &[7][..])], 7));
    assert_eq!(batch.after(0).1, 7);
    assert_eq!(batch.after(9), (vec![], 9));
    let holed = Batch { floor: 1, records: vec![(1, vec![]), (3, vec![])] };
    assert_eq!(holed.after(0).1, 1);
    let bare = Batch { floor: 4, records: vec![] };
    assert_eq!(bare.after(0), (vec![], 3));
    for wrong in [vec![(3, vec![])], vec![(5, vec![]), (5, vec![])], vec![(9, vec![]), (8, vec![])]]
    {
        assert_eq!(Batch::decode(&Batch { floor: 4, records: wrong }.encode()), None);
    }
}

/// A box with a queue, and a hub's count of it.
struct Pair {
    queue: Queue,
    saved: Saved,
    now: Timestamp,
    /// What the hub has, by stream.
    hub: Vec<(Stream, u64, Vec<u8>)>,
    sent: usize,
}

fn config() -> Config {
    Config { cap_bytes: 4000, ..Config::new(SiteName::parse("zomba").unwrap()) }
}

impl Pair {
    fn new() -> Self {
        let now = Timestamp::from_unix_seconds(1000);
        let queue = Queue::open(config(), Saved::default(), now);
        Pair { queue, saved: Saved::default(), now, hub: Vec::new(), sent: 0 }
    }

    /// Lets the queue take something in; a message reaches the hub, or its
    /// acknowledgement the box, as `passes` says.
    fn give(&mut self, input: Input<'_>, mut passes: impl FnMut() -> bool) {
        self.queue.handle(input, self.now);
        let mut acks = Vec::new();
        while let Some(output) = self.queue.poll() {
            self.saved.apply(&output);
            let Output::Publish { topic, payload } = output else { continue };
            self.sent += 1;
            let Topic::Telemetry(_, stream) = topic else { panic!("{topic}") };
            assert!(payload.len() <= MAX_MESSAGE_BYTES);
            if !passes() {
                continue;
            }
            let batch = Batch::decode(&payload).unwrap();
            let had = self.hub.iter().filter(|(of, ..)| *of == stream).map(|(_, n, _)| *n).max();
            let (new, through) = batch.after(had.unwrap_or(0));
            for (number, record) in new {
                self.hub.push((stream, number, record.to_vec()));
            }
            if passes() {
                acks.push(Ack(vec![(stream, through)]).encode());
            }
        }
        for ack in acks {
            self.give(Input::Ack(&ack), &mut passes as &mut dyn FnMut() -> bool);
        }
    }

    fn reboot(&mut self) {
        self.queue = Queue::open(config(), self.saved.clone(), self.now);
    }

    fn texts(&self) -> Vec<String> {
        self.hub
            .iter()
            .filter_map(|(stream, _, record)| match Record::decode(*stream, record)? {
                Record::Person(person) => Some(person.text),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn a_persons_question_goes_at_once_and_the_rest_together() {
    let mut pair = Pair::new();
    pair.give(Input::Connected, || true);
    pair.give(Input::Record(&health(1)), || true);
    pair.give(Input::Record(&health(2)), || true);
    assert_eq!(pair.sent, 0);
    pair.give(Input::Record(&person("a")), || true);
    assert_eq!((pair.sent, pair.texts()), (1, vec!["a".to_owned()]));
    pair.now = pair.queue.deadline().unwrap();
    pair.give(Input::Tick, || true);
    assert_eq!((pair.sent, pair.hub.len(), pair.queue.bytes()), (2, 3, 0));
    assert_eq!(pair.queue.deadline(), None);
    assert!(pair.saved.records.is_empty());
}

#[test]
fn over_its_cap_the_least_important_goes_first() {
    let mut pair = Pair::new();
    for number in 0..400 {
        pair.give(Input::Record(&usage()), || true);
        pair.give(Input::Record(&health(number)), || true);
        assert!(pair.queue.bytes() <= 4000);
    }
    pair.give(Input::Record(&person("still here")), || true);
    let kept = |stream| pair.saved.records.keys().filter(|(of, _)| *of == stream).count();
    assert_eq!((kept(Stream::Usage), kept(Stream::Person)), (0, 1));
    let last = pair.saved.records.keys().filter(|(of, _)| *of == Stream::Health).map(|(_, n)| *n);
    assert_eq!(last.max(), Some(400), "the newest stay");
    // What was dropped does not stop the stream.
    pair.give(Input::Connected, || true);
    assert_eq!(pair.queue.bytes(), 0);
}

#[test]
fn a_hub_that_does_not_answer_is_asked_ever_more_seldom() {
    let mut pair = Pair::new();
    pair.give(Input::Connected, || false);
    pair.give(Input::Record(&person("a")), || false);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let due = pair.queue.deadline().unwrap();
        waits.push(due.since(pair.now).as_secs());
        pair.now = due;
        pair.give(Input::Tick, || false);
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    pair.give(Input::Disconnected, || false);
    assert_eq!(pair.queue.deadline(), None);
    pair.give(Input::Connected, || true);
    assert_eq!(pair.texts(), ["a"]);
}

#[test]
fn a_box_that_lost_its_count_goes_on_above_the_hubs() {
    let mut pair = Pair::new();
    for text in ["a", "b", "c"] {
        pair.give(Input::Record(&person(text)), || true);
    }
    pair.give(Input::Connected, || true);
    pair.saved = Saved::default();
    pair.reboot();
    pair.give(Input::Connected, || true);
    pair.give(Input::Record(&person("d")), || true);
    assert_eq!(pair.texts(), ["a", "b", "c", "d"]);
    assert_eq!(pair.saved.forgotten.get(&Stream::Person), Some(&4));
    // Nobody drives the count to its end.
    let mad = Ack(vec![(Stream::Person, u64::MAX)]).encode();
    pair.give(Input::Ack(&mad), || true);
    pair.give(Input::Record(&person("e")), || true);
    assert_eq!(pair.texts().len(), 5);
}

proptest! {
    /// Whatever is lost and however often the power goes, a person's question
    /// arrives once and in order.
    #[test]
    fn nothing_is_lost_or_told_twice(seed in any::<u64>()) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut pair = Pair::new();
        let mut told = Vec::new();
        for step in 0..120 {
            let mut luck = rng.fork();
            let passes = move || luck.u8(0..10) < 6;
            match rng.u8(0..8) {
                0 | 1 if told.len() < 30 => {
                    told.push(format!("{step}"));
                    pair.give(Input::Record(&person(&format!("{step}"))), passes);
                }
                2 => pair.give(Input::Record(&health(step)), passes),
                3 => pair.give(Input::Disconnected, passes),
                4 => pair.reboot(),
                5 => pair.give(Input::Connected, passes),
                _ => {
                    pair.now = pair.queue.deadline().unwrap_or(pair.now + Duration::from_secs(9));
                    pair.give(Input::Tick, passes);
                }
            }
        }
        pair.give(Input::Connected, || true);
        prop_assert_eq!(pair.texts(), told);
        prop_assert_eq!(pair.queue.bytes(), 0);
    }

    #[test]
    fn bytes_from_anywhere_never_panic(
        kind in 8u8..10, bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let framed = [&[kind], bytes.as_slice()].concat();
        if let Some(batch) = Batch::decode(&framed) {
            prop_assert_eq!(Batch::decode(&batch.encode()), Some(batch));
        }
        if let Some(ack) = Ack::decode(&framed) {
            prop_assert_eq!(ack.encode(), framed);
        }
        for stream in Stream::ALL {
            if let Some(record) = Record::decode(stream, &bytes) {
                prop_assert_eq!(Record::decode(stream, &record.encode()), Some(record));
            }
        }
    }
}

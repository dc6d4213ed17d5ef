//! The site's end of telemetry: keeps records until the hub has them, the most
//! important first, and never more than it may.
//!
//! It decides and keeps nothing itself: every [`Output::Save`] and
//! [`Output::Forget`] is carried out before the outputs that follow it, and a
//! queue that is opened again with what was saved goes on where it was.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jibu_types::Timestamp;

use super::{Ack, Batch, MAX_RECORD_BYTES, Record, frame_bytes};
use crate::wire::{SiteName, Stream, Topic};

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// This site.
    pub site: SiteName,
    /// Bytes that are kept at most; past them the oldest record of the least
    /// important stream goes.
    pub cap_bytes: usize,
    /// Bytes of a batch at most, so that one does not hold up what is asked for.
    pub batch_bytes: usize,
    /// How long records are gathered into a batch. A person's question does not
    /// wait.
    pub gather: Duration,
    /// How long the hub may take to acknowledge before a batch is sent again;
    /// then twice as long, to an hour at most.
    pub patience: Duration,
}

impl Config {
    /// The usual settings.
    pub fn new(site: SiteName) -> Self {
        Config {
            site,
            cap_bytes: 256 << 10,
            batch_bytes: 2 << 10,
            gather: Duration::from_secs(60),
            patience: Duration::from_secs(60),
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// There is something to tell.
    Record(&'a Record),
    /// There is a session with the broker.
    Connected,
    /// There is none any more.
    Disconnected,
    /// What came on [`Topic::Ack`].
    Ack(&'a [u8]),
    /// The deadline has passed.
    Tick,
}

/// What must survive a power cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// The stream.
    pub stream: Stream,
    /// The record's number.
    pub number: u64,
    /// Its bytes.
    pub record: Vec<u8>,
}

/// What to do, strictly in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Keep this record over a power cut.
    Save(Save),
    /// Drop the stream's records up to this number, and remember the number.
    Forget {
        /// The stream.
        stream: Stream,
        /// The highest number that is dropped, or was ever.
        through: u64,
    },
    /// Publish at QoS 0.
    Publish {
        /// Where.
        topic: Topic,
        /// The bytes.
        payload: Vec<u8>,
    },
}

/// What was saved: what is left of the records, and up to which number each
/// stream was forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Records by stream and number.
    pub records: BTreeMap<(Stream, u64), Vec<u8>>,
    /// The highest forgotten number of each stream.
    pub forgotten: BTreeMap<Stream, u64>,
}

impl Saved {
    /// Carries out an output, for a store that is a map.
    pub fn apply(&mut self, output: &Output) {
        match output {
            Output::Save(save) => {
                self.records.insert((save.stream, save.number), save.record.clone());
            }
            Output::Forget { stream, through } => {
                self.records.retain(|(of, number), _| of != stream || number > through);
                self.forgotten.insert(*stream, *through);
            }
            Output::Publish { .. } => {}
        }
    }
}

/// The site's queue.
#[derive(Debug)]
pub struct Queue {
    config: Config,
    now: Timestamp,
    connected: bool,
    streams: BTreeMap<Stream, Lane>,
    outputs: VecDeque<Output>,
}

/// What is kept of one stream.
#[derive(Debug, Default)]
struct Lane {
    forgotten: u64,
    records: VecDeque<Vec<u8>>,
    /// When something is to be sent.
    due: Option<Timestamp>,
    /// How often the present batch has been sent in vain.
    tries: u32,
}

impl Queue {
    /// A queue that goes on from what was saved.
    pub fn open(config: Config, saved: Saved, now: Timestamp) -> Self {
        let mut streams: BTreeMap<Stream, Lane> = BTreeMap::new();
        for (stream, through) in saved.forgotten {
            streams.entry(stream).or_default().forgotten = through;
        }
        for ((stream, number), record) in saved.records {
            let lane = streams.entry(stream).or_default();
            // The first that is left says where the stream stands; a hole in
            // what was saved ends it.
            if lane.records.is_empty() {
                lane.forgotten = lane.forgotten.max(number.saturating_sub(1));
            }
            if number == lane.next() {
                lane.records.push_back(record);
            }
        }
        Queue { config, now, connected: false, streams, outputs: VecDeque::new() }
    }

    /// Takes in what happened. Drain [`Queue::poll`] before the next call.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) {
        self.now = self.now.max(now);
        match input {
            Input::Record(record) => self.record(record),
            Input::Connected => {
                self.connected = true;
                for lane in self.streams.values_mut() {
                    (lane.tries, lane.due) = (0, lane.has_some().then_some(self.now));
                }
            }
            Input::Disconnected => self.connected = false,
            Input::Ack(bytes) => self.ack(bytes),
            Input::Tick => {}
        }
        self.send_due();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Queue::handle`] with [`Input::Tick`] if nothing else
    /// happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.streams.values().filter_map(|lane| lane.due).min().filter(|_| self.connected)
    }

    /// Bytes of the records that are kept.
    pub fn bytes(&self) -> usize {
        self.streams.values().flat_map(|lane| &lane.records).map(Vec::len).sum()
    }

    fn record(&mut self, record: &Record) {
        let (stream, bytes) = (record.stream(), record.encode());
        if bytes.len() > MAX_RECORD_BYTES.min(self.config.cap_bytes) {
            return;
        }
        let lane = self.streams.entry(stream).or_default();
        let number = lane.next();
        self.outputs.push_back(Output::Save(Save { stream, number, record: bytes.clone() }));
        lane.records.push_back(bytes);
        let gather = if stream == Stream::Person { Duration::ZERO } else { self.config.gather };
        lane.due = lane.due.or(Some(self.now + gather));
        while self.bytes() > self.config.cap_bytes {
            // The last stream that has something; the new record's own at worst.
            let Some((stream, lane)) =
                self.streams.iter_mut().rev().find(|(_, lane)| lane.has_some())
            else {
                return;
            };
            lane.records.pop_front();
            lane.forgotten += 1;
            let through = lane.forgotten;
            self.outputs.push_back(Output::Forget { stream: *stream, through });
        }
    }

    fn ack(&mut self, bytes: &[u8]) {
        for (stream, through) in Ack::decode(bytes).into_iter().flat_map(|ack| ack.0) {
            let lane = self.streams.entry(stream).or_default();
            let last = lane.next() - 1;
            if through > last {
                self.renumber(stream, through);
                continue;
            }
            if through <= lane.forgotten {
                continue;
            }
            lane.records.drain(..(through - lane.forgotten) as usize);
            lane.forgotten = through;
            lane.tries = 0;
            lane.due = lane.has_some().then_some(self.now);
            self.outputs.push_back(Output::Forget { stream, through });
        }
    }

    /// The hub has had higher numbers of this site than it has given: it lost
    /// its count. What it keeps goes on above.
    fn renumber(&mut self, stream: Stream, through: u64) {
        let lane = self.streams.entry(stream).or_default();
        if through >= u64::MAX / 2 {
            return;
        }
        self.outputs.push_back(Output::Forget { stream, through });
        lane.forgotten = through;
        for (record, number) in lane.records.iter().zip(through + 1..) {
            let record = record.clone();
            self.outputs.push_back(Output::Save(Save { stream, number, record }));
        }
        lane.due = lane.has_some().then_some(self.now);
    }

    fn send_due(&mut self) {
        if !self.connected {
            return;
        }
        for (stream, lane) in &mut self.streams {
            if lane.due.is_none_or(|due| due > self.now) {
                continue;
            }
            lane.due = None;
            let mut bytes = frame_bytes();
            let fits = |record: &&Vec<u8>| {
                bytes += record.len() + 14;
                bytes <= self.config.batch_bytes || bytes == frame_bytes() + record.len() + 14
            };
            let records = lane.records.iter().take_while(fits).cloned();
            let batch = Batch {
                floor: lane.forgotten + 1,
                records: (lane.forgotten + 1..).zip(records).collect(),
            };
            if batch.records.is_empty() {
                continue;
            }
            let wait = self.config.patience * (1 << lane.tries.min(10));
            lane.due = Some(self.now + wait.min(Duration::from_secs(3600)));
            lane.tries += 1;
            let topic = Topic::Telemetry(self.config.site.clone(), *stream);
            self.outputs.push_back(Output::Publish { topic, payload: batch.encode() });
        }
    }
}

impl Lane {
    fn has_some(&self) -> bool {
        !self.records.is_empty()
    }

    /// The number that the next record gets.
    fn next(&self) -> u64 {
        self.forgotten.saturating_add(self.records.len() as u64).saturating_add(1)
    }
}

//! What a site tells its hub besides its state: how the box is, how much is
//! asked, what had no answer, and questions for a person. `WIRE.md` beside this
//! crate has the bytes.
//!
//! ```text
//! Health, Usage, Unanswered, Person ──encode──▶ Queue ──Batch──▶ hub
//!                                     Queue ◀──Ack── hub
//! ```
//!
//! Records are numbered in their stream from 1. A hub takes a stream in order
//! and says up to where it has it; until then a site keeps what fits its cap,
//! and what it had to drop it leaves out below the batch's floor.
//!
//! A telephone number never stands in a record: an asker is called by a token
//! that only the site can resolve, or by a pseudonym.

mod queue;

use jibu_types::{Language, Timestamp};
use minicbor::{Decode, Encode};

pub use self::queue::{Config, Input, Output, Queue, Save, Saved};
use crate::hash::{from_cbor, to_cbor};
use crate::wire::{MAX_MESSAGE_BYTES, Stream, body};

const BATCH: u8 = 0x08;
const ACK: u8 = 0x09;

/// The most bytes of a record.
pub const MAX_RECORD_BYTES: usize = 4096;

/// The most bytes of a person's words in a record.
pub const MAX_TEXT_BYTES: usize = 2048;

/// Records of one stream, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The site has nothing below this number any more.
    pub floor: u64,
    /// Numbers and records. Opaque here: [`Record::decode`] reads them.
    pub records: Vec<(u64, Vec<u8>)>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireRecord<'b> {
    #[n(0)]
    number: u64,
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    record: &'b [u8],
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireBatch<'b> {
    #[n(0)]
    floor: u64,
    #[b(1)]
    records: Vec<WireRecord<'b>>,
}

impl Batch {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let records =
            self.records.iter().map(|(number, record)| WireRecord { number: *number, record });
        let mut bytes = vec![BATCH];
        bytes.append(&mut to_cbor(&WireBatch { floor: self.floor, records: records.collect() }));
        bytes
    }

    /// Reads a message. `None` when it is no batch.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let wire: WireBatch<'_> = from_cbor(body(BATCH, bytes)?)?;
        let rises = wire.records.is_sorted_by(|one, next| one.number < next.number);
        let fits = wire.records.iter().all(|record| {
            record.number >= wire.floor.max(1) && record.record.len() <= MAX_RECORD_BYTES
        });
        let records = wire.records.into_iter().map(|wire| (wire.number, wire.record.to_vec()));
        (rises && fits).then(|| Batch { floor: wire.floor, records: records.collect() })
    }

    /// The records that a hub takes which has the stream up to `through`, and up
    /// to where it then has it.
    pub fn after(&self, through: u64) -> (Vec<(u64, &[u8])>, u64) {
        let mut through = through.max(self.floor.saturating_sub(1));
        let mut new = Vec::new();
        for (number, record) in &self.records {
            if Some(*number) == through.checked_add(1) {
                new.push((*number, record.as_slice()));
                through = *number;
            }
        }
        (new, through)
    }
}

/// Up to which record a hub has streams of a site.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ack(pub Vec<(Stream, u64)>);

impl Ack {
    /// The bytes of the message.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![ACK];
        for (stream, through) in self.0.iter().take(Stream::ALL.len()) {
            bytes.push(*stream as u8);
            bytes.extend(through.to_be_bytes());
        }
        bytes
    }

    /// Reads a message. `None` when it is no acknowledgement.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = body(ACK, bytes)?;
        let mut streams = Vec::new();
        while let Some((item, left)) = rest.split_first_chunk::<9>() {
            let [stream, through @ ..] = *item;
            streams.push((Stream::from_wire(stream)?, u64::from_be_bytes(through)));
            rest = left;
        }
        let fits = rest.is_empty() && (1..=Stream::ALL.len()).contains(&streams.len());
        fits.then_some(Ack(streams))
    }
}

/// A record of one of the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Of [`Stream::Health`].
    Health(Health),
    /// Of [`Stream::Usage`].
    Usage(Usage),
    /// Of [`Stream::Unanswered`].
    Unanswered(Unanswered),
    /// Of [`Stream::Person`].
    Person(Person),
}

/// How a box is. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// When; none where the clock is not set.
    pub at: Option<Timestamp>,
    /// Seconds since it was switched on.
    pub uptime_s: u32,
    /// Room on the disk, in kilobytes.
    pub disk_free_kb: Option<u64>,
    /// How much of the card's life is used, in per cent.
    pub card_wear_percent: Option<u8>,
    /// The modem's signal, in dBm.
    pub signal_dbm: Option<i16>,
    /// How often the power went since the box was made.
    pub power_cuts: Option<u32>,
    /// The processor's temperature, in tenths of a degree Celsius.
    pub temperature_dc: Option<i16>,
    /// Messages that wait to be answered or sent.
    pub waiting: Option<u32>,
    /// The airtime of the SIM that has least, in hundredths of the currency's unit.
    pub airtime: Option<i64>,
    /// Whether somebody should buy airtime for one of the SIMs.
    pub airtime_low: Option<bool>,
}

/// How much was asked in a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// From when; none where the clock was not set.
    pub from: Option<Timestamp>,
    /// How long, in seconds.
    pub seconds: u32,
    /// A line for each channel and language that was used; at most 64.
    pub counts: Vec<Count>,
}

/// A line of [`Usage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// `sms`, `ussd` or `kiosk`, as [`jibu_types::Channel`] counts them: 0, 1, 2.
    pub channel: u8,
    /// The language that was asked in.
    pub language: Language,
    /// Questions.
    pub asked: u32,
    /// Questions that were answered.
    pub answered: u32,
    /// Questions for a person.
    pub person: u32,
}

/// A question that had no answer. Told only where the site's policy allows.
#[derive(Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// When; none where the clock was not set.
    pub at: Option<Timestamp>,
    /// The language that it was asked in.
    pub language: Language,
    /// Stands for whoever asked, so that one person's questions count once.
    /// Nobody can say who it is: the site forgets how it was made.
    pub pseudonym: [u8; 8],
    /// The words, without numbers that look like telephones; at most 2,048 bytes.
    pub text: String,
}

/// A question that a person at the hub is to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// When; none where the clock was not set.
    pub at: Option<Timestamp>,
    /// The language that it was asked in.
    pub language: Language,
    /// What the reply's command names: at most 32 bytes that mean somebody to
    /// the site alone. Never a telephone number.
    pub asker: Vec<u8>,
    /// The words; at most 2,048 bytes.
    pub text: String,
}

/// The words are a person's and are not shown.
impl std::fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unanswered({}, {} bytes)", self.language, self.text.len())
    }
}

/// The words are a person's and are not shown.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({}, {} bytes)", self.language, self.text.len())
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireHealth {
    #[n(0)]
    at_ms: Option<i64>,
    #[n(1)]
    uptime_s: u32,
    #[n(2)]
    disk_free_kb: Option<u64>,
    #[n(3)]
    card_wear_percent: Option<u8>,
    #[n(4)]
    signal_dbm: Option<i16>,
    #[n(5)]
    power_cuts: Option<u32>,
    #[n(6)]
    temperature_dc: Option<i16>,
    #[n(7)]
    waiting: Option<u32>,
    // Programs before these two left them out.
    #[n(8)]
    airtime: Option<i64>,
    #[n(9)]
    airtime_low: Option<bool>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireUsage<'b> {
    #[n(0)]
    from_ms: Option<i64>,
    #[n(1)]
    seconds: u32,
    #[b(2)]
    counts: Vec<WireCount<'b>>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireCount<'b> {
    #[n(0)]
    channel: u8,
    #[b(1)]
    language: &'b str,
    #[n(2)]
    asked: u32,
    #[n(3)]
    answered: u32,
    #[n(4)]
    person: u32,
}

/// An unanswered question with its pseudonym, or a person's with its asker.
#[derive(Encode, Decode)]
#[cbor(array)]
struct WireQuestion<'b> {
    #[n(0)]
    at_ms: Option<i64>,
    #[b(1)]
    language: &'b str,
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    whose: &'b [u8],
    #[b(3)]
    text: &'b str,
}

/// The most lines of a usage record.
const MAX_COUNTS: usize = 64;

impl Record {
    /// The stream that it belongs to.
    pub fn stream(&self) -> Stream {
        match self {
            Record::Health(_) => Stream::Health,
            Record::Usage(_) => Stream::Usage,
            Record::Unanswered(_) => Stream::Unanswered,
            Record::Person(_) => Stream::Person,
        }
    }

    /// The record's bytes, for [`Input::Record`]. Words that are too long are
    /// cut at a character.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Record::Health(health) => to_cbor(&WireHealth {
                at_ms: health.at.map(Timestamp::unix_ms),
                uptime_s: health.uptime_s,
                disk_free_kb: health.disk_free_kb,
                card_wear_percent: health.card_wear_percent,
                signal_dbm: health.signal_dbm,
                power_cuts: health.power_cuts,
                temperature_dc: health.temperature_dc,
                waiting: health.waiting,
                airtime: health.airtime,
                airtime_low: health.airtime_low,
            }),
            Record::Usage(usage) => {
                let counts = usage.counts.iter().take(MAX_COUNTS).map(|count| WireCount {
                    channel: count.channel,
                    language: count.language.as_str(),
                    asked: count.asked,
                    answered: count.answered,
                    person: count.person,
                });
                to_cbor(&WireUsage {
                    from_ms: usage.from.map(Timestamp::unix_ms),
                    seconds: usage.seconds,
                    counts: counts.collect(),
                })
            }
            Record::Unanswered(Unanswered { at, language, pseudonym, text }) => {
                question(*at, language, pseudonym, text)
            }
            Record::Person(Person { at, language, asker, text }) => {
                question(*at, language, asker, text)
            }
        }
    }

    /// Reads a record of a stream. `None` when it is none.
    pub fn decode(stream: Stream, bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_RECORD_BYTES {
            return None;
        }
        let time = |ms: Option<i64>| ms.map(Timestamp::from_unix_ms);
        Some(match stream {
            Stream::Health => {
                let wire: WireHealth = from_cbor(bytes)?;
                Record::Health(Health {
                    at: time(wire.at_ms),
                    uptime_s: wire.uptime_s,
                    disk_free_kb: wire.disk_free_kb,
                    card_wear_percent: wire.card_wear_percent,
                    signal_dbm: wire.signal_dbm,
                    power_cuts: wire.power_cuts,
                    temperature_dc: wire.temperature_dc,
                    waiting: wire.waiting,
                    airtime: wire.airtime,
                    airtime_low: wire.airtime_low,
                })
            }
            Stream::Usage => {
                let wire: WireUsage<'_> = from_cbor(bytes)?;
                let count = |wire: &WireCount<'_>| {
                    Some(Count {
                        channel: wire.channel,
                        language: Language::parse(wire.language).ok()?,
                        asked: wire.asked,
                        answered: wire.answered,
                        person: wire.person,
                    })
                };
                let counts: Vec<Count> = wire.counts.iter().map(count).collect::<Option<_>>()?;
                if counts.len() > MAX_COUNTS {
                    return None;
                }
                Record::Usage(Usage { from: time(wire.from_ms), seconds: wire.seconds, counts })
            }
            Stream::Unanswered | Stream::Person => {
                let wire: WireQuestion<'_> = from_cbor(bytes)?;
                let language = Language::parse(wire.language).ok()?;
                let (at, text) = (time(wire.at_ms), wire.text.to_owned());
                if text.len() > MAX_TEXT_BYTES {
                    return None;
                }
                if stream == Stream::Unanswered {
                    let pseudonym = wire.whose.try_into().ok()?;
                    Record::Unanswered(Unanswered { at, language, pseudonym, text })
                } else {
                    let asker = wire.whose.to_vec();
                    if asker.len() > crate::command::MAX_ASKER_BYTES {
                        return None;
                    }
                    Record::Person(Person { at, language, asker, text })
                }
            }
        })
    }
}

fn question(at: Option<Timestamp>, language: &Language, whose: &[u8], text: &str) -> Vec<u8> {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    let text = end.and_then(|end| text.get(..end)).unwrap_or_default();
    to_cbor(&WireQuestion {
        at_ms: at.map(Timestamp::unix_ms),
        language: language.as_str(),
        whose,
        text,
    })
}

/// What fits one message beside its frame.
pub(crate) const fn frame_bytes() -> usize {
    // Kind, two array heads, floor and the count of records.
    32
}

const _: () = assert!(MAX_RECORD_BYTES + 64 < MAX_MESSAGE_BYTES);

#[cfg(test)]
mod tests;

//! A broker that lies: it drops, repeats, delays, reorders, truncates, changes,
//! mixes up, replays and forges. It cannot sign for the hub.

use std::time::Duration;

use jibu_sync::wire::{Item, Parcel, Topic};
use jibu_sync::{HubKey, Packing, SignedRoot};
use jibu_types::CollectionName;

/// What it did, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Messages that it left alone.
    pub honest: u64,
    /// Messages that it dropped.
    pub dropped: u64,
    /// Messages that came late, and so out of order.
    pub delayed: u64,
    /// Messages that came more than once.
    pub repeated: u64,
    /// Messages that were cut.
    pub truncated: u64,
    /// Messages of which bits were changed.
    pub changed: u64,
    /// Messages in place of which an older one came, from anywhere.
    pub replayed: u64,
    /// Messages that it made up.
    pub forged: u64,
}

impl std::ops::AddAssign for Deeds {
    fn add_assign(&mut self, other: Deeds) {
        self.honest += other.honest;
        self.dropped += other.dropped;
        self.delayed += other.delayed;
        self.repeated += other.repeated;
        self.truncated += other.truncated;
        self.changed += other.changed;
        self.replayed += other.replayed;
        self.forged += other.forged;
    }
}

/// The broker's mind.
#[derive(Debug, Default)]
pub struct Liar {
    /// The share of messages that it does something to.
    pub share: f64,
    /// What passed, to be replayed.
    seen: Vec<(String, Vec<u8>)>,
    /// What it did.
    pub deeds: Deeds,
}

/// A message to pass on: how much later, its topic, its bytes.
pub type Passed = (Duration, String, Vec<u8>);

/// Messages that are remembered.
const MEMORY: usize = 400;

impl Liar {
    /// One that lies about this share of messages.
    pub fn new(share: f64) -> Self {
        Liar { share, ..Liar::default() }
    }

    /// What it passes on in place of a message.
    pub fn pass(&mut self, topic: &str, payload: &[u8], rng: &mut fastrand::Rng) -> Vec<Passed> {
        let honest = || (Duration::ZERO, topic.to_owned(), payload.to_vec());
        if self.share <= 0.0 {
            return vec![honest()];
        }
        if self.seen.len() < MEMORY {
            self.seen.push((topic.to_owned(), payload.to_vec()));
        } else {
            let place = rng.usize(..MEMORY);
            self.seen[place] = (topic.to_owned(), payload.to_vec());
        }
        if rng.f64() >= self.share {
            self.deeds.honest += 1;
            return vec![honest()];
        }
        let late = |rng: &mut fastrand::Rng| Duration::from_millis(rng.u64(..1_200_000));
        match rng.u8(..8) {
            0 => {
                self.deeds.dropped += 1;
                vec![]
            }
            1 => {
                self.deeds.delayed += 1;
                vec![(late(rng), topic.to_owned(), payload.to_vec())]
            }
            2 => {
                self.deeds.repeated += 1;
                let again = (0..rng.usize(1..4)).map(|_| (late(rng), honest().1, honest().2));
                again.chain([honest()]).collect()
            }
            3 => {
                self.deeds.truncated += 1;
                let kept = rng.usize(..=payload.len());
                vec![(Duration::ZERO, topic.to_owned(), payload[..kept].to_vec())]
            }
            4 => {
                self.deeds.changed += 1;
                let mut bytes = payload.to_vec();
                for _ in 0..rng.usize(1..5) {
                    if let Some(byte) = bytes.get_mut(rng.usize(..payload.len().max(1))) {
                        *byte ^= 1 << rng.u8(..8);
                    }
                }
                vec![(Duration::ZERO, topic.to_owned(), bytes)]
            }
            // An older message, on its own topic or on this one.
            5 => {
                self.deeds.replayed += 1;
                let (there, bytes) = self.seen[rng.usize(..self.seen.len())].clone();
                let to = if rng.bool() { there } else { topic.to_owned() };
                vec![(Duration::ZERO, to, bytes), honest()]
            }
            6 => {
                self.deeds.replayed += 1;
                let same: Vec<&Vec<u8>> =
                    self.seen.iter().filter(|(there, _)| there == topic).map(|(_, b)| b).collect();
                let bytes = same.get(rng.usize(..same.len().max(1))).map_or(payload, |b| b);
                vec![(Duration::ZERO, topic.to_owned(), bytes.to_vec())]
            }
            _ => {
                self.deeds.forged += 1;
                let forged = forge(topic, payload, rng);
                let mut all = vec![(Duration::ZERO, topic.to_owned(), forged)];
                all.extend(rng.bool().then(honest));
                all
            }
        }
    }
}

/// A message of the right form and the wrong content.
fn forge(topic: &str, payload: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let noise = |rng: &mut fastrand::Rng, most: usize| -> Vec<u8> {
        let bytes = rng.usize(..most);
        std::iter::repeat_with(|| rng.u8(..)).take(bytes).collect()
    };
    match Topic::parse(topic) {
        // Another key's signature, or another collection, on a higher version.
        Some(Topic::Root(_)) => {
            let genuine = SignedRoot::verify(payload, &crate::text::hub_key().public());
            let Ok(genuine) = genuine else { return noise(rng, 400) };
            let mut root = genuine.root().clone();
            root.version.version += rng.u64(1..1000);
            if rng.bool() {
                let name = CollectionName::parse("other").expect("a name by its form");
                // The hub does sign for other collections.
                root.collection = name;
                SignedRoot::sign(root, &crate::text::hub_key())
            } else {
                SignedRoot::sign(root, &HubKey::from_random([66; 32]))
            }
            .map_or_else(|_| noise(rng, 400), |root| root.as_bytes().to_vec())
        }
        // The right names over other bytes.
        Some(Topic::Chunk { .. } | Topic::Delta { .. }) => {
            let body = noise(rng, 900);
            let packing = [Packing::Stored, Packing::Zstd, Packing::ZstdDictionary];
            let items = Parcel::decode(payload).unwrap_or_default().0.into_iter();
            let items = items.map(|item| Item {
                packing: packing[rng.usize(..3)],
                base: None,
                bytes: &body,
                ..item
            });
            Parcel(items.collect()).encode()
        }
        _ => noise(rng, 300),
    }
}

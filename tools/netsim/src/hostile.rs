//! A broker that lies: it drops, repeats, delays, reorders, truncates, changes,
//! mixes up, replays and forges. It cannot sign for the hub.

use std::time::Duration;

use jibu_sync::wire::{Item, Parcel, Request, Topic};
use jibu_sync::{HubKey, Packing, ShortHash, SignedRoot};
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
                let other = self.seen[rng.usize(..self.seen.len())].1.clone();
                let forged = forge(topic, payload, &other, rng);
                let mut all = vec![(Duration::ZERO, topic.to_owned(), forged)];
                all.extend(rng.bool().then(honest));
                all
            }
        }
    }
}

/// A message of the right form and the wrong content. `other` is an honest one
/// that came before, from anywhere.
fn forge(topic: &str, payload: &[u8], other: &[u8], rng: &mut fastrand::Rng) -> Vec<u8> {
    let noise = |rng: &mut fastrand::Rng, most: usize| -> Vec<u8> {
        let bytes = rng.usize(..most);
        std::iter::repeat_with(|| rng.u8(..)).take(bytes).collect()
    };
    match Topic::parse(topic) {
        Some(Topic::Root(_)) => forge_root(payload, rng).unwrap_or_else(|| noise(rng, 400)),
        // The right names over other bytes.
        Some(Topic::Chunk { .. } | Topic::Delta { .. }) => {
            let body = match rng.u8(..4) {
                0 => bomb(),
                // What is genuine elsewhere: another object, an older version's page.
                1 | 2 => {
                    let others = Parcel::decode(other).unwrap_or_default().0;
                    others.first().map_or_else(|| noise(rng, 900), |item| item.bytes.to_vec())
                }
                _ => noise(rng, 900),
            };
            let names: Vec<ShortHash> =
                Parcel::decode(other).unwrap_or_default().0.iter().map(|item| item.name).collect();
            let packing =
                [Packing::Stored, Packing::Zstd, Packing::ZstdDictionary, Packing::ZstdPrefix];
            let items = Parcel::decode(payload).unwrap_or_default().0.into_iter();
            let items = items.map(|item| {
                let packing = if rng.bool() { item.packing } else { packing[rng.usize(..4)] };
                // A base that is there, that is not, or the object itself.
                let bases = [names.first().copied(), item.base, Some(item.name)];
                let base = bases[rng.usize(..3)].unwrap_or(item.name);
                let base = (packing == Packing::ZstdPrefix).then_some(base);
                let bytes = if rng.u8(..4) > 0 { &body } else { item.bytes };
                Item { packing, base, bytes, ..item }
            });
            let mut items: Vec<Item<'_>> = items.collect();
            rng.shuffle(&mut items);
            Parcel(items).encode()
        }
        // Wants that nobody has: of another version, on another base.
        Some(Topic::Request(_)) => {
            let (one, two) = (Request::decode(payload), Request::decode(other));
            match (one, two) {
                (Some(one), Some(two)) => {
                    let base = if rng.bool() { two.base } else { Some(one.root) };
                    Request { root: one.root, base, needs: two.needs }.encode()
                }
                (Some(one), None) => Request { base: None, ..one }.encode(),
                _ => noise(rng, 300),
            }
        }
        _ => noise(rng, 300),
    }
}

/// A root on a higher version: of another hub, of the hub for another
/// collection, or with the signature or the key of a genuine one.
fn forge_root(payload: &[u8], rng: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let genuine = SignedRoot::verify(payload, &crate::text::hub_key().public()).ok()?;
    let mut root = genuine.root().clone();
    root.version.version += rng.u64(1..1000);
    root.version.epoch += rng.u32(..2);
    if rng.u8(..4) == 0 {
        // The hub does sign for other collections.
        root.collection = CollectionName::parse("other").ok()?;
        let other = SignedRoot::sign(root, &crate::text::hub_key()).ok()?;
        return Some(other.as_bytes().to_vec());
    }
    let mut forged =
        SignedRoot::sign(root, &HubKey::from_random([66; 32])).ok()?.as_bytes().to_vec();
    // The payload, the key and the signature come in this order, the last two
    // of 32 and 64 bytes, each after two that give its length.
    let graft = |forged: &mut [u8], from_end: usize, bytes: usize| {
        let (at, from) = (forged.len() - from_end, payload.len() - from_end);
        forged[at..at + bytes].copy_from_slice(&payload[from..from + bytes]);
    };
    match rng.u8(..4) {
        0 => graft(&mut forged, 64, 64),
        1 => graft(&mut forged, 98, 32),
        2 => {
            graft(&mut forged, 64, 64);
            graft(&mut forged, 98, 32);
        }
        _ => {}
    }
    Some(forged)
}

/// A zstd frame (RFC 8878) that unpacks to 128 MiB of zeros: a window of 8 MiB,
/// and blocks that say one byte 128 KiB times.
fn bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68];
    for block in 0..1024u32 {
        let is_last = u32::from(block == 1023);
        let header = is_last | 1 << 1 | (128 << 10) << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use jibu_types::{IndexVersion, Timestamp};

    use super::*;

    #[test]
    fn no_forged_root_bears_the_hubs_signature_for_the_collection() {
        let mut rng = fastrand::Rng::with_seed(3);
        let texts = crate::text::invent(20, &mut rng);
        let version = IndexVersion { epoch: 1, version: 4 };
        let release = crate::text::release(&texts, version, Timestamp::default(), None);
        let key = crate::text::hub_key().public();
        for _ in 0..200 {
            let forged = forge_root(release.root().as_bytes(), &mut rng).unwrap();
            assert_ne!(forged, release.root().as_bytes());
            if let Ok(root) = SignedRoot::verify(&forged, &key) {
                assert_eq!(root.root().collection.as_str(), "other");
            }
        }
    }
}

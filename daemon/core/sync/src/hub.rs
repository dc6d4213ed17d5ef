//! The hub's end of the protocol: it publishes roots and small updates, and
//! answers everybody who lacks the same object with one message.
//!
//! It knows no sites. Who may read what is the broker's access list's matter;
//! whether a site really said what its state says is for whoever knows its key,
//! and comes in as [`Input::Reported`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jibu_types::{CollectionName, IndexVersion, Timestamp};

use crate::release::{Prepared, Release};
use crate::wire::{MAX_MESSAGE_BYTES, Parcel, Report, Request, SiteName, Topic};
use crate::{ShortHash, manifest};

/// Groups of requests that are gathered at a time; whoever is turned away asks
/// again.
const MAX_WAVES: usize = 4096;

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long requests are gathered, so that one message serves all.
    pub gather: Duration,
    /// How long they are gathered once a release is older than
    /// [`Config::settled_after`]: who asks then is mostly alone.
    pub gather_settled: Duration,
    /// How long after its release most sites have asked for a version.
    pub settled_after: Duration,
    /// Versions of a collection that are kept: sites that have one of them get
    /// what they lack packed on what they have.
    pub kept: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            gather: Duration::from_secs(30),
            gather_settled: Duration::from_secs(5),
            settled_after: Duration::from_secs(3600),
            kept: 8,
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A version was signed, or is read back at the start, the oldest first.
    /// One that is not above its collection's newest is left aside.
    Release(Box<Release>),
    /// A version above the newest that only some sites are told of: requests for
    /// it are answered, and it is announced when it comes as a release.
    Stage(Box<Release>),
    /// The broker is there, perhaps another one that retains nothing.
    Connected,
    /// A message came; all but requests are left aside.
    Message {
        /// Its MQTT topic.
        topic: &'a str,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// A site said what it runs, in its own signature.
    Reported {
        /// Which.
        site: &'a SiteName,
        /// What it said, collection by collection.
        reports: &'a [Report],
    },
    /// The deadline has passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Publish at QoS 1 where it is retained, else at QoS 0. An empty retained
    /// payload clears the topic.
    Publish {
        /// Where.
        topic: Topic,
        /// The bytes.
        payload: Vec<u8>,
        /// Whether the broker keeps it for later subscribers.
        retain: bool,
        /// When the last of those asked for it whom it answers; none for what
        /// is published unasked. A hub of several workers leaves it out when
        /// another has published it since.
        asked: Option<Timestamp>,
    },
    /// A site has had a higher version than this hub knows: the hub was
    /// restored from an old backup, or another hub has its key. Sites take
    /// nothing from this hub until it publishes above `seen`: raise its epoch.
    Behind {
        /// The collection.
        collection: CollectionName,
        /// Who said so.
        site: SiteName,
        /// The version that it has seen.
        seen: IndexVersion,
    },
}

/// What an update costs a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Objects that travel.
    pub objects: usize,
    /// Bytes of root and parcels, topics and transport left out.
    pub bytes: u64,
    /// Messages that carry the objects: one for a small update.
    pub messages: usize,
}

/// The hub's peer.
#[derive(Debug)]
pub struct Hub {
    config: Config,
    now: Timestamp,
    collections: BTreeMap<CollectionName, Versions>,
    waves: BTreeMap<Wave, Due>,
    outputs: VecDeque<Output>,
}

/// A collection's versions, the newest last.
#[derive(Debug, Default)]
struct Versions {
    releases: Vec<Release>,
    /// A version that is not announced yet, or never will be.
    staged: Option<Release>,
    newest_at: Timestamp,
    /// Objects packed on those of older versions.
    prepared: BTreeMap<(ShortHash, usize), Prepared>,
}

/// Requests that one set of messages answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wave {
    collection: CollectionName,
    root: ShortHash,
    base: Option<ShortHash>,
}

#[derive(Debug)]
struct Due {
    at: Timestamp,
    /// Where the wanted objects stand, and when each was asked for last.
    positions: BTreeMap<usize, Timestamp>,
}

impl Hub {
    /// A hub that has published nothing yet. `now` is a steady clock's time.
    pub fn new(config: Config, now: Timestamp) -> Self {
        Hub {
            config,
            now,
            collections: BTreeMap::new(),
            waves: BTreeMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened. Drain [`Hub::poll`] before the next call.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) {
        self.now = self.now.max(now);
        match input {
            Input::Release(release) => self.release(*release),
            Input::Stage(release) => self.stage(*release),
            Input::Connected => {
                let names: Vec<CollectionName> = self.collections.keys().cloned().collect();
                names.iter().for_each(|collection| self.announce(collection));
            }
            Input::Message { topic, payload } => {
                if let Some(Topic::Request(_)) = Topic::parse(topic) {
                    self.request(payload);
                }
            }
            Input::Reported { site, reports } => self.reported(site, reports),
            Input::Tick => {}
        }
        self.send_due();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Hub::handle`] with [`Input::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.waves.values().map(|due| due.at).min()
    }

    /// What it costs a site that has `base` (nothing, if none or one that is no
    /// longer kept) to get the collection's newest version. Pages and segments
    /// of a full copy count as packed in a bundle.
    pub fn cost(&mut self, collection: &CollectionName, base: Option<ShortHash>) -> Option<Cost> {
        let versions = self.collections.get_mut(collection)?;
        let root = versions.releases.last()?.root().as_bytes().len();
        let sizes = versions.lacking(base);
        let objects = sizes.len();
        let bytes: usize = sizes.iter().sum();
        let messages = match bytes + 1 {
            0..=MAX_MESSAGE_BYTES if base.is_some() => usize::from(objects > 0),
            _ => objects,
        };
        Some(Cost { objects, bytes: (root + bytes + messages) as u64, messages })
    }

    fn release(&mut self, release: Release) {
        let collection = release.root().root().collection.clone();
        let versions = self.collections.entry(collection.clone()).or_default();
        let newest = versions.releases.last().map(|newest| newest.root().root().version);
        if newest.is_some_and(|newest| release.root().root().version <= newest) {
            return;
        }
        // Sites that were told of a staged version go on from there.
        let version = release.root().root().version;
        let staged = versions.staged.take_if(|staged| staged.root().root().version <= version);
        let below = staged.filter(|staged| staged.root().root().version < version);
        versions.releases.extend(below);
        versions.releases.push(release);
        versions.newest_at = self.now;
        versions.prepared.clear();
        let dropped = versions.releases.len().saturating_sub(self.config.kept.max(1));
        for old in versions.releases.drain(..dropped) {
            // What only that version's sites could use.
            let topic = Topic::Delta { collection: collection.clone(), base: old.id() };
            self.outputs.push_back(retained(topic, Vec::new()));
        }
        self.announce(&collection);
    }

    fn stage(&mut self, release: Release) {
        let collection = release.root().root().collection.clone();
        let versions = self.collections.entry(collection).or_default();
        let version = release.root().root().version;
        let newest = versions.releases.last().map(|newest| newest.root().root().version);
        if newest < Some(version) {
            versions.staged = Some(release);
            versions.newest_at = self.now;
        }
    }

    /// Publishes the newest root, and for each kept version what its sites lack
    /// if that is one parcel; else an empty one, so that they ask at once.
    fn announce(&mut self, collection: &CollectionName) {
        let Some(versions) = self.collections.get_mut(collection) else { return };
        let Some((newest, older)) = versions.releases.split_last() else { return };
        let payload = newest.root().as_bytes().to_vec();
        let topic = Topic::Root(collection.clone());
        self.outputs.push_back(retained(topic, payload));
        let bases: Vec<ShortHash> = older.iter().rev().map(Release::id).collect();
        for base in bases {
            let payload = versions.parcel(base).unwrap_or_else(|| Parcel::default().encode());
            let topic = Topic::Delta { collection: collection.clone(), base };
            self.outputs.push_back(retained(topic, payload));
        }
    }

    fn request(&mut self, payload: &[u8]) {
        let Some(request) = Request::decode(payload) else { return };
        let of_root = |versions: &Versions| versions.get(request.root).is_some();
        let found = self.collections.iter().find(|(_, versions)| of_root(versions));
        let Some((collection, versions)) = found else { return };
        let Some(release) = versions.get(request.root) else { return };
        let mut positions = BTreeSet::new();
        if request.needs.is_empty() {
            positions.extend(release.position(&release.top()));
        }
        for need in &request.needs {
            let page = release.page(need.page).and_then(|raw| manifest::decode(raw).ok());
            let named = page.iter().flatten().zip(0..);
            let wanted = named.filter(|(_, place)| need.places.contains(*place));
            positions.extend(wanted.filter_map(|(entry, _)| release.position(&entry.name)));
        }
        if positions.is_empty() {
            return;
        }
        let settled = self.now.since(versions.newest_at) >= self.config.settled_after;
        let wait = if settled { self.config.gather_settled } else { self.config.gather };
        let wave = Wave { collection: collection.clone(), root: request.root, base: request.base };
        let at = self.now + wait;
        if self.waves.len() >= MAX_WAVES && !self.waves.contains_key(&wave) {
            return;
        }
        let due = self.waves.entry(wave).or_insert(Due { at, positions: BTreeMap::new() });
        due.positions.extend(positions.into_iter().map(|position| (position, self.now)));
    }

    /// Publishes what the waves that are due want, in the order of a bundle.
    fn send_due(&mut self) {
        while let Some(wave) =
            self.waves.iter().find(|(_, due)| due.at <= self.now).map(|(wave, _)| wave.clone())
        {
            let Some(due) = self.waves.remove(&wave) else { return };
            let Wave { collection, root, base } = wave;
            let Some(versions) = self.collections.get_mut(&collection) else { continue };
            for (position, asked) in due.positions {
                let Some(prepared) = versions.prepare(root, position, base) else { continue };
                let (name, payload) = (prepared.name, Parcel(vec![prepared.item()]).encode());
                let topic = Topic::Chunk { collection: collection.clone(), base, name };
                let asked = Some(asked);
                self.outputs.push_back(Output::Publish { topic, payload, retain: false, asked });
            }
        }
    }

    fn reported(&mut self, site: &SiteName, reports: &[Report]) {
        for report in reports {
            let collection = report.collection.clone();
            let versions = self.collections.get(&collection);
            let newest = versions.and_then(|v| v.staged.as_ref().or(v.releases.last()));
            let newest = newest.map(|release| release.root().root().version);
            let seen = report.newest.max(report.active.map(|(version, _)| version));
            if let (Some(seen), Some(newest)) = (seen, newest)
                && seen > newest
            {
                self.outputs.push_back(Output::Behind { collection, site: site.clone(), seen });
            }
        }
    }
}

/// What is published unasked, and kept by the broker.
fn retained(topic: Topic, payload: Vec<u8>) -> Output {
    Output::Publish { topic, payload, retain: true, asked: None }
}

impl Versions {
    fn get(&self, id: ShortHash) -> Option<&Release> {
        self.releases.iter().chain(&self.staged).find(|release| release.id() == id)
    }

    /// Everything that the newest version has and `base` lacks as one message,
    /// where it fits.
    fn parcel(&mut self, base: ShortHash) -> Option<Vec<u8>> {
        let newest = self.releases.last()?.id();
        let lacking = self.releases.last()?.lacking(self.get(base));
        let mut prepared = Vec::new();
        let mut bytes = 1;
        for position in lacking {
            let one = self.prepare(newest, position, Some(base))?;
            bytes += one.item().encoded_bytes();
            if bytes > MAX_MESSAGE_BYTES {
                return None;
            }
            prepared.push(one);
        }
        let items: Vec<_> = prepared.iter().map(Prepared::item).collect();
        (!items.is_empty()).then(|| Parcel(items).encode())
    }

    /// The encoded items' sizes of what a site that has `base` lacks of the newest.
    fn lacking(&mut self, base: Option<ShortHash>) -> Vec<usize> {
        let Some(newest) = self.releases.last() else { return Vec::new() };
        let id = newest.id();
        let positions = newest.lacking(base.and_then(|base| self.get(base)));
        let prepared = positions.into_iter().filter_map(|at| self.prepare(id, at, base));
        prepared.map(|prepared| prepared.item().encoded_bytes()).collect()
    }

    fn prepare(
        &mut self,
        root: ShortHash,
        position: usize,
        base: Option<ShortHash>,
    ) -> Option<Prepared> {
        let release = self.get(root)?;
        let older = base.and_then(|base| self.get(base)).filter(|older| older.id() != root);
        // Only what is packed on another version is worth remembering, and only
        // for the newest.
        let is_newest = self.releases.last().is_some_and(|newest| newest.id() == root);
        let (Some(base), Some(_), true) = (base, older, is_newest) else {
            return release.prepare(position, older);
        };
        if let Some(prepared) = self.prepared.get(&(base, position)) {
            return Some(prepared.clone());
        }
        let prepared = release.prepare(position, older)?;
        self.prepared.insert((base, position), prepared.clone());
        Some(prepared)
    }
}

//! Fetching one version: what is missing, what was asked for, and what comes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jibu_types::{IndexVersion, Timestamp};

use super::{Output, Save, Site};
use crate::edition::check;
use crate::pack::{Dictionary, unpack, unpack_on};
use crate::tree::{Located, survey};
use crate::wire::{
    Item, MAX_MESSAGE_BYTES, MAX_NEEDS, Need, Parcel, Places, Request, Stall, Topic,
};
use crate::{Hash, ObjectKind, Packing, Shelf, ShortHash, SignedRoot};

/// Objects asked for, or subscribed to, at a time, however small they may be.
const MAX_ASKED: usize = 128;

/// The most bytes asked for at a time.
const MAX_WINDOW: u64 = 32 << 10;

/// How far ahead of what has come a site listens: what others ask for then serves it
/// too, though it asks for less at a time.
const AHEAD: u64 = 2 * MAX_WINDOW;

/// Items that may wait for what they are packed on.
const MAX_PARKED: usize = 64;

/// What a site that has a version waits for the delta that the hub may have
/// published for it, besides the time that the link takes.
const DELTA_GRACE: Duration = Duration::from_secs(15);

/// Without a message for so long, or as long as two take, nothing more is on its way.
const ASK_PAUSE: Duration = Duration::from_secs(4);

/// The longest silence before the same is asked again.
const MAX_SILENCE: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Fetching,
    /// All is there; the caller indexes it and asks its golden queries.
    Trying,
    /// The caller flips.
    Activating,
}

#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) root: SignedRoot,
    pub(super) phase: Phase,
    /// The version that the hub may pack objects on.
    base: Option<ShortHash>,
    /// What is still to come, as far as the pages that are here tell, in the
    /// order in which it is wanted: every one before those that need it.
    missing: Vec<Located>,
    /// The dictionary's parts in order.
    parts: Vec<Hash>,
    /// The dictionary of so many parts.
    dictionary: Option<(usize, Dictionary)>,
    /// What is subscribed to.
    heard: BTreeSet<ShortHash>,
    /// What this site has asked for of it.
    asked: BTreeSet<ShortHash>,
    ask_at: Option<Timestamp>,
    silence_at: Option<Timestamp>,
    /// Requests in a row that brought nothing.
    silences: u32,
    /// Whether the next request repeats what was asked before.
    again: bool,
}

impl Fetch {
    fn new(root: SignedRoot, base: Option<ShortHash>) -> Self {
        Fetch {
            root,
            phase: Phase::Fetching,
            base,
            missing: Vec::new(),
            parts: Vec::new(),
            dictionary: None,
            heard: BTreeSet::new(),
            asked: BTreeSet::new(),
            ask_at: None,
            silence_at: None,
            silences: 0,
            again: false,
        }
    }

    pub(super) fn is_being_tried(&self) -> bool {
        self.phase != Phase::Fetching
    }

    pub(super) fn missing(&self) -> u32 {
        self.missing.len() as u32
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.ask_at.into_iter().chain(self.silence_at).min()
    }

    fn version(&self) -> IndexVersion {
        self.root.root().version
    }

    fn quiet(&mut self) {
        (self.ask_at, self.silence_at) = (None, None);
    }
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Kept,
    /// It needs what has not come yet.
    Waits,
    /// It is not what it says.
    Bad,
    /// Nobody asked for it, or it is here already.
    Unwanted,
}

/// Why there is no dictionary to unpack an object with.
enum NoDictionary {
    /// Parts are still to come.
    NotYet,
    /// Parts that should be on the shelf cannot be read.
    Damaged(Vec<Hash>),
    /// The version has none, or none before this part.
    Never,
}

/// What is known of the link.
#[derive(Debug)]
pub(super) struct Link {
    bytes_per_s: Option<u64>,
    /// Since when, how many bytes, and when the last: messages close together.
    burst: Option<(Timestamp, u64, Timestamp)>,
    /// Packed bytes for 256 bytes before packing, lately.
    packed_of_256: u64,
}

impl Default for Link {
    fn default() -> Self {
        Link { bytes_per_s: None, burst: None, packed_of_256: 90 }
    }
}

impl Link {
    fn arrived(&mut self, bytes: usize, now: Timestamp) {
        let apart = Duration::from_secs(10);
        match &mut self.burst {
            Some((since, sum, last)) if now.since(*last) < apart => {
                (*sum, *last) = (*sum + bytes as u64, now);
                let ms = now.since(*since).as_millis() as u64;
                let rate = (*sum * 1000 / ms.max(500)).max(1);
                let known = self.bytes_per_s.unwrap_or(rate);
                // In a shorter time the rate is at least so high.
                if ms >= 500 {
                    self.bytes_per_s = Some((known * 3 + rate) / 4);
                } else if *sum >= 4 << 10 {
                    self.bytes_per_s = Some(known.max(rate));
                }
            }
            // How long the first of them took nobody knows.
            burst => *burst = Some((now, 0, now)),
        }
    }

    pub(super) fn bytes_per_s(&self) -> Option<u64> {
        self.bytes_per_s
    }

    pub(super) fn pause(&mut self) {
        self.burst = None;
    }

    fn packed(&mut self, packed: usize, raw: usize) {
        let ratio = 256 * packed as u64 / (raw as u64).max(1);
        self.packed_of_256 = ((self.packed_of_256 * 7 + ratio) / 8).clamp(8, 256);
    }

    /// What is asked for at a time: four seconds' worth, so that a short cut of
    /// the link costs little, and a slow link stays free for other things.
    fn window(&self) -> u64 {
        self.bytes_per_s.map_or(8 << 10, |rate| (rate * 4).clamp(4 << 10, MAX_WINDOW))
    }

    fn estimate(&self, located: &Located) -> u64 {
        match located.page {
            Some(_) => u64::from(located.entry.raw_bytes) * self.packed_of_256 / 256 + 32,
            None => 2 << 10,
        }
    }

    fn time_for(&self, bytes: u64) -> Duration {
        Duration::from_millis(bytes * 1000 / self.bytes_per_s.unwrap_or(1000).max(1))
    }
}

/// Whether the hub says that no delta comes: what the version lacks is more than one
/// message holds.
fn is_empty_delta(payload: &[u8]) -> bool {
    Parcel::decode(payload).is_some_and(|parcel| parcel.0.is_empty())
}

impl Site {
    /// Starts on a version. What is on the shelf, what is parked and an early
    /// delta count at once; the rest is asked for a little later.
    pub(super) fn begin(&mut self, root: SignedRoot, shelf: &dyn Shelf) {
        self.drop_fetch();
        let base = self.active_id().filter(|_| self.has_all_of_active(shelf));
        self.fetch = Some(Fetch::new(root, base));
        self.look(shelf);
        let early = self.early.take();
        if let Some(early) = &early {
            self.spent += early.len() as u64;
            self.open_parcel(early, shelf);
        }
        self.retry_parked(shelf);
        self.finish();
        self.resume();
        if early.as_deref().is_some_and(is_empty_delta) {
            self.ask_at_once();
        }
    }

    /// Ends a fetch without its version.
    pub(super) fn drop_fetch(&mut self) {
        self.leave_chunks();
        self.fetch = None;
    }

    /// Ends all subscriptions to objects, and waits for none.
    fn leave_chunks(&mut self) {
        let Some(fetch) = self.fetch.as_mut() else { return };
        fetch.asked.clear();
        let (base, heard) = (fetch.base, std::mem::take(&mut fetch.heard));
        let topics: Vec<Topic> = heard.into_iter().map(|name| self.topic(base, name)).collect();
        self.stale.extend(topics);
        self.leave_soon();
    }

    /// The broker has forgotten what was subscribed to.
    pub(super) fn hear_nothing(&mut self) {
        if let Some(fetch) = &mut self.fetch {
            fetch.heard.clear();
        }
    }

    /// Asks soon for what is missing: a link has come up, or a version was
    /// begun. Others may ask first, and a delta may come by itself.
    pub(super) fn resume(&mut self) {
        let spread = self.config.spread;
        let over_budget = self.stall == Stall::OverBudget;
        let delta = DELTA_GRACE + self.link.time_for(MAX_MESSAGE_BYTES as u64);
        let jitter = self.jitter(spread);
        let now = self.now;
        let Some(fetch) = self.fetching() else { return };
        let fresh = fetch.asked.is_empty() && fetch.base.is_some();
        let grace = if fresh { delta } else { Duration::ZERO };
        fetch.quiet();
        fetch.silences = 0;
        fetch.again = true;
        if !over_budget {
            fetch.ask_at = Some(now + grace + jitter);
        }
    }

    /// No delta comes: others will ask now.
    fn ask_at_once(&mut self) {
        let at = self.now + self.jitter(self.config.spread);
        if let Some(fetch) = self.fetching().filter(|fetch| fetch.asked.is_empty()) {
            fetch.ask_at = fetch.ask_at.map(|planned| planned.min(at));
        }
    }

    pub(super) fn delta(&mut self, payload: &[u8], shelf: &dyn Shelf) {
        if payload.is_empty() || payload.len() > MAX_MESSAGE_BYTES {
            return;
        }
        if is_empty_delta(payload) && self.fetching().is_some() {
            return self.ask_at_once();
        }
        let useful = self.fetching().is_some() && {
            self.spent += payload.len() as u64;
            self.open_parcel(payload, shelf)
        };
        if useful {
            self.progressed();
        } else {
            // Its root may be on the way.
            self.early = Some(payload.to_vec());
        }
    }

    pub(super) fn chunk(&mut self, topic: Topic, payload: &[u8], shelf: &dyn Shelf) {
        let Topic::Chunk { base, name, .. } = topic else { return };
        self.spent += payload.len() as u64;
        self.link.arrived(payload.len(), self.now);
        if self.open_parcel(payload, shelf) {
            self.progressed();
        }
        let is_parked = self.parked.contains_key(&name);
        let waits = self.fetching().is_some_and(|fetch| {
            let is_missing = fetch.missing.iter().any(|at| at.entry.name.short() == name);
            let waits = fetch.base == base && is_missing && !is_parked;
            if waits {
                fetch.heard.insert(name)
            } else {
                fetch.heard.remove(&name)
            };
            waits
        });
        if !waits {
            self.stale.insert(topic);
            self.leave_soon();
        }
    }

    /// Takes what is useful in a message; whether anything was.
    fn open_parcel(&mut self, payload: &[u8], shelf: &dyn Shelf) -> bool {
        let mut useful = false;
        for item in Parcel::decode(payload).unwrap_or_default().0 {
            match self.take(&item, shelf) {
                Taken::Kept => useful = true,
                Taken::Waits if self.parked.len() < MAX_PARKED => {
                    let parcel = Parcel(vec![item]).encode();
                    self.parked.insert(item.name, parcel.clone());
                    self.save(Save::Parked { name: item.name, parcel, spent: self.spent });
                    useful = true;
                }
                Taken::Waits | Taken::Bad | Taken::Unwanted => {}
            }
        }
        if useful {
            self.retry_parked(shelf);
            self.finish();
        }
        useful
    }

    /// Whether the hub may pack objects on those of the active version.
    fn has_all_of_active(&self, shelf: &dyn Shelf) -> bool {
        let Some(active) = &self.active else { return false };
        let survey = survey(active.root().manifest, |name| self.object(name, shelf));
        survey.is_ok_and(|survey| {
            survey.missing.is_empty() && survey.names().all(|name| self.held.contains(&name))
        })
    }

    /// Tries what was parked until nothing fits any more.
    fn retry_parked(&mut self, shelf: &dyn Shelf) {
        loop {
            let mut kept = false;
            for (name, parcel) in self.parked.clone() {
                let item = Parcel::decode(&parcel).unwrap_or_default().0.first().copied();
                let taken = item.map_or(Taken::Bad, |item| self.take(&item, shelf));
                kept |= taken == Taken::Kept;
                if taken == Taken::Bad {
                    self.parked.remove(&name);
                    self.save(Save::Unparked(name));
                    if let Some(fetch) = self.fetching() {
                        // It is wanted again.
                        fetch.asked.remove(&name);
                    }
                }
            }
            if !kept {
                return;
            }
        }
    }

    /// Unpacks an item and keeps it if it is the object that is missing.
    fn take(&mut self, item: &Item<'_>, shelf: &dyn Shelf) -> Taken {
        let Some(fetch) = self.fetching() else { return Taken::Unwanted };
        let wanted = fetch.missing.iter().find(|at| at.entry.name.short() == item.name).copied();
        let Some(wanted) = wanted else { return Taken::Unwanted };
        let (name, limit) = (wanted.entry.name, wanted.entry.raw_bytes as usize);
        let raw = match item.packing {
            Packing::Stored | Packing::Zstd => unpack(item.packing, item.bytes, name, limit, None),
            Packing::ZstdPrefix => {
                let Some(base) = item.base.and_then(|base| self.held_as(base)) else {
                    return Taken::Bad;
                };
                let Some(raw) = self.object(&base, shelf) else {
                    self.lost(&[base], shelf);
                    return Taken::Bad;
                };
                unpack_on(&raw, item.bytes, name, limit)
            }
            Packing::ZstdDictionary => match self.dictionary(&wanted, shelf) {
                Ok(dictionary) => unpack(item.packing, item.bytes, name, limit, Some(dictionary)),
                Err(NoDictionary::Never) => return Taken::Bad,
                Err(NoDictionary::NotYet) => return Taken::Waits,
                Err(NoDictionary::Damaged(parts)) => {
                    self.lost(&parts, shelf);
                    return Taken::Waits;
                }
            },
        };
        let Ok(raw) = raw else { return Taken::Bad };
        self.link.packed(item.bytes.len(), raw.len());
        self.offer(name, raw, shelf);
        Taken::Kept
    }

    /// Keeps an object, whose bytes have its name, if it is missing.
    pub(super) fn offer(&mut self, name: Hash, raw: Vec<u8>, shelf: &dyn Shelf) {
        let Some(fetch) = self.fetching() else { return };
        let (version, base) = (fetch.version(), fetch.base);
        let wanted = fetch.missing.iter().find(|at| at.entry.name == name).copied();
        let Some(wanted) = wanted else { return };
        if !wanted.fits(&raw) || check(&wanted.entry, &raw).is_err() {
            return self.refuse(version, Stall::Faulty);
        }
        fetch.missing.retain(|at| at.entry.name != name);
        fetch.asked.remove(&name.short());
        if fetch.heard.remove(&name.short()) {
            let topic = self.topic(base, name.short());
            self.stale.insert(topic);
            self.leave_soon();
        }
        self.parked.remove(&name.short());
        self.held.insert(name);
        self.fresh.insert(name, raw.clone());
        self.save(Save::Object { name, raw, spent: self.spent });
        if wanted.entry.kind == ObjectKind::Page {
            self.look(shelf);
        }
        self.finish();
    }

    /// Finds what is missing now. Pages come first: only all of them together
    /// say in which order the rest is wanted.
    fn look(&mut self, shelf: &dyn Shelf) {
        let Some(fetch) = self.fetching() else { return };
        let (version, passages) = (fetch.version(), fetch.root.root().passages);
        let manifest = fetch.root.root().manifest;
        let survey = survey(manifest, |name| self.object(name, shelf));
        let survey = survey
            .ok()
            .filter(|survey| !survey.missing.is_empty() || survey.passages() == passages);
        let Some(survey) = survey else { return self.refuse(version, Stall::Faulty) };
        let is_part = |located: &&Located| located.entry.kind == ObjectKind::Shared;
        let parts: Vec<Hash> =
            survey.content.iter().filter(is_part).map(|located| located.entry.name).collect();
        let (missing, parts) = if survey.missing.is_empty() {
            let (first, rest): (Vec<_>, Vec<_>) =
                survey.content.iter().partition::<Vec<&Located>, _>(is_part);
            let all = first.into_iter().chain(rest);
            let missing = all.filter(|at| !self.held.contains(&at.entry.name)).copied();
            (missing.collect(), parts)
        } else {
            (survey.missing, Vec::new())
        };
        if let Some(fetch) = self.fetching() {
            (fetch.missing, fetch.parts) = (missing, parts);
            let wanted: BTreeSet<ShortHash> =
                fetch.missing.iter().map(|at| at.entry.name.short()).collect();
            fetch.asked.retain(|name| wanted.contains(name));
        }
    }

    /// Hands a version over that has come whole.
    fn finish(&mut self) {
        let Some(fetch) = self.fetching().filter(|fetch| fetch.missing.is_empty()) else { return };
        fetch.phase = Phase::Trying;
        fetch.dictionary = None;
        fetch.quiet();
        let root = fetch.root.clone();
        self.outputs.push_back(Output::Stage(root));
    }

    pub(super) fn full(&mut self, name: Hash, shelf: &dyn Shelf) {
        self.lost(&[name], shelf);
        let at = self.now + self.config.space_wait;
        if let Some(fetch) = self.fetching() {
            fetch.quiet();
            fetch.ask_at = Some(at);
            self.stall = Stall::NoSpace;
        }
    }

    pub(super) fn lost(&mut self, names: &[Hash], shelf: &dyn Shelf) {
        self.held.retain(|name| !names.contains(name));
        if self.fetch.as_ref().is_some_and(|fetch| fetch.phase != Phase::Activating) {
            self.leave_chunks();
            if let Some(fetch) = &mut self.fetch {
                fetch.phase = Phase::Fetching;
                fetch.dictionary = None;
                // What is packed on a lost object would be of no use.
                fetch.base = None;
            }
        }
        self.look(shelf);
        self.finish();
        self.resume();
    }

    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowed = self.allowed.saturating_add(bytes);
        self.save(Save::Allowed(self.allowed));
        if self.stall == Stall::OverBudget {
            self.stall = Stall::None;
            self.resume();
        }
    }

    /// Something came: the rest of the window is on its way, and perhaps what others
    /// asked for. When half of it is here and no more comes, the next may set out.
    fn progressed(&mut self) {
        let (now, window) = (self.now, self.link.window());
        let waiting = self.bytes_of(|fetch| &fetch.asked);
        let ahead = self.bytes_of(|fetch| &fetch.heard);
        let pause = self.link.time_for(4 << 10).max(ASK_PAUSE);
        let timeout = self.timeout(0, waiting);
        let stopped = self.is_stopped();
        let Some(fetch) = self.fetching().filter(|_| !stopped) else { return };
        fetch.silences = 0;
        fetch.silence_at = fetch.silence_at.map(|_| now + timeout);
        let asks_anyway = fetch.ask_at.is_some() && fetch.again;
        if asks_anyway {
            return;
        }
        match ahead {
            // Nobody else's request brings anything.
            0 => fetch.ask_at = Some(now),
            _ if waiting * 2 <= window => fetch.ask_at = Some(now + pause),
            _ => {}
        }
        if ahead > 0 && ahead * 2 <= AHEAD {
            self.listen(&[]);
        }
    }

    /// Subscribes to these objects and to what comes next, as far as the budget goes.
    fn listen(&mut self, names: &[ShortHash]) {
        let Some(fetch) = &self.fetch else { return };
        let room = self.config.update_budget.saturating_add(self.allowed);
        let room = room.saturating_sub(self.spent).min(AHEAD);
        let is_new = |name: &ShortHash| !fetch.heard.contains(name);
        let mut new: BTreeSet<ShortHash> = names.iter().copied().filter(is_new).collect();
        let wanted =
            fetch.missing.iter().filter(|at| !self.parked.contains_key(&at.entry.name.short()));
        let mut bytes = 0;
        for located in wanted.take(MAX_ASKED) {
            bytes += self.link.estimate(located);
            if bytes > room {
                break;
            }
            new.extend(Some(located.entry.name.short()).filter(is_new));
        }
        if new.is_empty() {
            return;
        }
        let base = fetch.base;
        let topics: Vec<Topic> = new.iter().map(|name| self.topic(base, *name)).collect();
        self.stale.retain(|topic| !topics.contains(topic));
        if let Some(fetch) = &mut self.fetch {
            fetch.heard.extend(new);
        }
        self.outputs.push_back(Output::Subscribe(topics));
    }

    pub(super) fn keep_asking(&mut self) {
        let now = self.now;
        let Some(fetch) = self.fetch.as_mut().filter(|f| f.phase == Phase::Fetching) else {
            return;
        };
        if !self.connected {
            return;
        }
        if fetch.silence_at.is_some_and(|at| at <= now) {
            fetch.silences = fetch.silences.saturating_add(1);
            fetch.again = true;
            // Perhaps the broker never knew.
            fetch.heard.retain(|name| !fetch.asked.contains(name));
            fetch.ask_at = Some(now);
        }
        if fetch.ask_at.is_some_and(|at| at <= now) {
            self.ask();
        }
    }

    /// Asks for as much as fills the window, and for all of it again after a
    /// silence.
    fn ask(&mut self) {
        let window = self.link.window();
        let Some(fetch) = self.fetch.as_ref() else { return };
        let (mut bytes, mut count) = (0, 0);
        let mut pages = BTreeMap::<Option<ShortHash>, Places>::new();
        let mut names = Vec::new();
        for located in &fetch.missing {
            let name = located.entry.name.short();
            let asked = fetch.asked.contains(&name);
            if self.parked.contains_key(&name) {
                continue;
            }
            let estimate = self.link.estimate(located);
            // Two at least, or the link's rate would never be seen.
            let full = count >= MAX_ASKED || count >= 2 && bytes + estimate > window;
            if !asked && full {
                continue;
            }
            (bytes, count) = (bytes + estimate, count + 1);
            let room = pages.contains_key(&located.page) || pages.len() < MAX_NEEDS;
            if room && (!asked || fetch.again) {
                pages.entry(located.page).or_default().insert(located.place);
                names.push(name);
            }
        }
        if self.spent + bytes > self.config.update_budget.saturating_add(self.allowed) {
            return self.stop_over_budget();
        }
        let (root, base) = (fetch.root.hash().short(), fetch.base);
        let needs =
            pages.into_iter().filter_map(|(page, places)| Some(Need { page: page?, places }));
        let payload = Request { root, base, needs: needs.collect() }.encode();
        let silences = fetch.silences;
        let at = self.now + self.timeout(silences, bytes);
        let Some(fetch) = self.fetch.as_mut() else { return };
        fetch.ask_at = None;
        fetch.again = false;
        fetch.silence_at = Some(at);
        if names.is_empty() {
            return;
        }
        fetch.asked.extend(&names);
        if self.is_stopped() {
            self.stall = Stall::None;
        }
        self.listen(&names);
        let topic = Topic::Request(self.config.site.clone());
        self.outputs.push_back(Output::Publish { topic, payload });
    }

    /// What is here stays, nothing more is asked for.
    fn stop_over_budget(&mut self) {
        self.stall = Stall::OverBudget;
        let Some(fetch) = self.fetch.as_mut() else { return };
        fetch.quiet();
        self.leave_chunks();
    }

    /// Whether nothing is asked for though something is missing.
    fn is_stopped(&self) -> bool {
        matches!(self.stall, Stall::OverBudget | Stall::NoSpace)
    }

    /// How long a request for so many bytes is waited for, longer after every
    /// silence, and never given up.
    fn timeout(&mut self, silences: u32, bytes: u64) -> Duration {
        let wait = self.config.gather + Duration::from_secs(10) + self.link.time_for(bytes) * 3;
        let wait = (wait * (1 << silences.min(7))).min(MAX_SILENCE);
        wait + self.jitter(wait / 4)
    }

    /// An estimate of what of these has not come.
    fn bytes_of(&self, names: impl Fn(&Fetch) -> &BTreeSet<ShortHash>) -> u64 {
        let Some(fetch) = &self.fetch else { return 0 };
        let waits = |located: &&Located| {
            let name = located.entry.name.short();
            names(fetch).contains(&name) && !self.parked.contains_key(&name)
        };
        fetch.missing.iter().filter(waits).map(|located| self.link.estimate(located)).sum()
    }

    fn topic(&self, base: Option<ShortHash>, name: ShortHash) -> Topic {
        Topic::Chunk { collection: self.config.collection.clone(), base, name }
    }

    /// The whole name of an object that is on the shelf.
    fn held_as(&self, short: ShortHash) -> Option<Hash> {
        let name = self.held.range(Hash::first_of(short)..).next()?;
        (name.short() == short).then_some(*name)
    }

    /// The dictionary that an object may be packed with: the parts before it,
    /// or all of them.
    fn dictionary(
        &mut self,
        located: &Located,
        shelf: &dyn Shelf,
    ) -> Result<&Dictionary, NoDictionary> {
        let Some(fetch) = self.fetch.as_ref() else { return Err(NoDictionary::Never) };
        let part = fetch.parts.iter().position(|part| *part == located.entry.name);
        let count = part.unwrap_or(fetch.parts.len());
        if fetch.dictionary.as_ref().is_none_or(|(known, _)| *known != count) {
            let needed = &fetch.parts[..count];
            if !needed.iter().all(|part| self.held.contains(part)) {
                return Err(NoDictionary::NotYet);
            }
            let (mut parts, mut damaged) = (Vec::new(), Vec::new());
            for part in needed {
                match self.object(part, shelf) {
                    Some(raw) => parts.push(raw),
                    None => damaged.push(*part),
                }
            }
            if !damaged.is_empty() {
                return Err(NoDictionary::Damaged(damaged));
            }
            let dictionary = Dictionary::from_parts(parts).ok_or(NoDictionary::Never)?;
            if let Some(fetch) = self.fetch.as_mut() {
                fetch.dictionary = Some((count, dictionary));
            }
        }
        let dictionary = self.fetch.as_ref().and_then(|fetch| fetch.dictionary.as_ref());
        dictionary.map(|(_, dictionary)| dictionary).ok_or(NoDictionary::Never)
    }

    fn fetching(&mut self) -> Option<&mut Fetch> {
        self.fetch.as_mut().filter(|fetch| fetch.phase == Phase::Fetching)
    }
}

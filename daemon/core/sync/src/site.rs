//! The site's end of the protocol, for one collection: it follows the hub's
//! roots, fetches what it lacks in small windows, and says when a version is
//! whole. It never goes back, never loses what came, and never costs more than
//! it may.
//!
//! It decides and keeps nothing itself. Every [`Output::Save`] is carried out
//! before the outputs that follow it; a site that is opened again with what was
//! saved goes on where it was. Objects are read from the caller's [`Shelf`].
//!
//! Time comes as a steady clock's: it never goes back while the process lives,
//! and its zero does not matter. What the box believes of the calendar is
//! [`Input::Calendar`] and serves for nothing but a warning.

mod fetch;
mod saved;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jibu_types::{CollectionName, IndexVersion, Timestamp};

use crate::wire::{Report, SiteName, Stall, Topic};
use crate::{Bundle, Hash, PublicKey, Shelf, ShortHash, SignedRoot, tree};
use fetch::{Fetch, Link, Phase};
pub use saved::{Save, Saved};

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// The collection that is followed.
    pub collection: CollectionName,
    /// This site.
    pub site: SiteName,
    /// The hub whose signature counts.
    pub hub: PublicKey,
    /// Bytes that an update may bring over the link before it waits for
    /// [`Input::Allow`].
    pub update_budget: u64,
    /// How long the hub gathers requests.
    pub gather: Duration,
    /// Within which sites spread their first request of a version; below
    /// `gather`, so that one wave answers them all.
    pub spread: Duration,
    /// After how long without any root it is asked for again: a push may have
    /// been lost unseen.
    pub recheck: Duration,
    /// How long a full disk is left alone.
    pub space_wait: Duration,
}

impl Config {
    /// The usual settings.
    pub fn new(collection: CollectionName, site: SiteName, hub: PublicKey) -> Self {
        Config {
            collection,
            site,
            hub,
            update_budget: 2 << 20,
            gather: Duration::from_secs(30),
            spread: Duration::from_secs(20),
            recheck: Duration::from_secs(24 * 3600),
            space_wait: Duration::from_secs(15 * 60),
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// There is a session with the broker.
    Connected {
        /// Whether it is the one before, with its subscriptions.
        resumed: bool,
    },
    /// There is none any more.
    Disconnected,
    /// A message came.
    Message {
        /// Its MQTT topic.
        topic: &'a str,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// What the box believes of the calendar; `None` when its clock is not set.
    Calendar(Option<Timestamp>),
    /// A bundle was brought to the box. Whether it may be used, and the words
    /// for whoever brought it, is [`crate::admissible`]'s question; one that may
    /// not, or that comes while another version is being tried, is left aside.
    Bundle(&'a Bundle<'a>),
    /// The staged version answered its golden queries (`true`), or did not or
    /// was faulty.
    Tried(bool),
    /// The flip of [`Output::Activate`] is done.
    Activated,
    /// The disk had no room for this object.
    Full(Hash),
    /// Objects that the shelf should have are missing or damaged.
    Lost(&'a [Hash]),
    /// The present update may cost so many bytes more.
    Allow(u64),
    /// The deadline has passed.
    Tick,
}

/// What to do, strictly in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Keep this over a power cut.
    Save(Save),
    /// Subscribe at QoS 0, retained messages wanted.
    Subscribe(Vec<Topic>),
    /// End subscriptions.
    Unsubscribe(Vec<Topic>),
    /// Publish at QoS 0.
    Publish {
        /// Where.
        topic: Topic,
        /// The bytes.
        payload: Vec<u8>,
    },
    /// All of a version is on the shelf: read it with [`crate::Edition::open`],
    /// index it, ask its golden queries, and say [`Input::Tried`].
    Stage(SignedRoot),
    /// Make the staged version the one that answers, in one transaction, and
    /// say [`Input::Activated`].
    Activate(SignedRoot),
    /// Objects that no version needs any more.
    Forget(Vec<Hash>),
    /// It is at least so late: the hub signed something then. For a box whose
    /// clock was reset; never a reason to set a clock back.
    TimeAtLeast(Timestamp),
    /// What there is to say of the collection has changed.
    Report(Report),
}

/// The site's peer.
#[derive(Debug)]
pub struct Site {
    config: Config,
    now: Timestamp,
    calendar: Option<Timestamp>,
    connected: bool,
    floor: Option<IndexVersion>,
    active: Option<SignedRoot>,
    previous: Option<SignedRoot>,
    /// The highest root that was seen.
    newest: Option<SignedRoot>,
    refused: Option<IndexVersion>,
    stall: Stall,
    held: BTreeSet<Hash>,
    /// Parcel items that wait for what they are packed on.
    parked: BTreeMap<ShortHash, Vec<u8>>,
    spent: u64,
    allowed: u64,
    fetch: Option<Fetch>,
    link: Link,
    /// A delta that came before its root.
    early: Option<Vec<u8>>,
    /// Topics to leave, all at once, then.
    stale: BTreeSet<Topic>,
    stale_at: Option<Timestamp>,
    recheck_at: Option<Timestamp>,
    /// Objects saved in this call: the caller has not stored them yet.
    fresh: BTreeMap<Hash, Vec<u8>>,
    draws: u64,
    reported: Option<Report>,
    outputs: VecDeque<Output>,
}

impl Site {
    /// A site that goes on from what was saved. What it has to say first, such
    /// as that a version is whole, waits in [`Site::poll`].
    pub fn open(config: Config, saved: Saved, shelf: &dyn Shelf, now: Timestamp) -> Self {
        let root = |wire: Option<Vec<u8>>| {
            wire.and_then(|wire| SignedRoot::verify(&wire, &config.hub).ok())
                .filter(|root| root.root().collection == config.collection)
        };
        let (active, previous) = (root(saved.active), root(saved.previous));
        let mut site = Site {
            now,
            calendar: None,
            connected: false,
            floor: saved.floor,
            newest: root(saved.newest),
            active,
            previous,
            refused: saved.refused,
            stall: Stall::None,
            held: saved.objects,
            parked: saved.parked,
            spent: saved.spent,
            allowed: saved.allowed,
            fetch: None,
            link: Link::default(),
            early: None,
            stale: BTreeSet::new(),
            stale_at: None,
            recheck_at: None,
            fresh: BTreeMap::new(),
            draws: 0,
            reported: None,
            outputs: VecDeque::new(),
            config,
        };
        let given_up = site.newest.as_ref().map(|root| root.root().version);
        if given_up.is_some() && given_up == site.refused {
            site.stall = Stall::Refused;
        }
        site.follow(shelf);
        site.fresh.clear();
        site
    }

    /// Takes in what happened. Drain [`Site::poll`] before the next call.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp, shelf: &dyn Shelf) {
        self.now = self.now.max(now);
        match input {
            Input::Connected { resumed } => self.connected(resumed),
            Input::Disconnected => self.disconnected(),
            Input::Message { topic, payload } => self.message(topic, payload, shelf),
            Input::Calendar(calendar) => self.calendar = calendar,
            Input::Bundle(bundle) => self.bundle(bundle, shelf),
            Input::Tried(good) => self.tried(good, shelf),
            Input::Activated => self.activated(shelf),
            Input::Full(name) => self.full(name, shelf),
            Input::Lost(names) => self.lost(names, shelf),
            Input::Allow(bytes) => self.allow(bytes),
            Input::Tick => {}
        }
        self.keep_asking();
        self.leave_stale();
        self.recheck();
        self.report();
        self.fresh.clear();
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Site::handle`] with [`Input::Tick`] if nothing else
    /// happens. Nothing happens by itself without a connection.
    pub fn deadline(&self) -> Option<Timestamp> {
        let fetch = self.fetch.as_ref().and_then(Fetch::deadline);
        let times = [fetch, self.stale_at, self.recheck_at];
        times.into_iter().flatten().min().filter(|_| self.connected)
    }

    /// What there is to say of the collection.
    pub fn status(&self) -> Report {
        let active = self.active.as_ref();
        Report {
            collection: self.config.collection.clone(),
            active: active.map(|root| (root.root().version, root.hash().short())),
            newest: self.seen(),
            missing: self.fetch.as_ref().map_or(0, Fetch::missing),
            spent: self.spent,
            stall: self.stall,
            expired: active.is_some_and(|root| root.root().is_expired(self.calendar)),
        }
    }

    /// Bytes a second that the link has brought lately, where it is known.
    pub fn rate(&self) -> Option<u32> {
        self.link.bytes_per_s().map(|rate| rate.try_into().unwrap_or(u32::MAX))
    }

    /// The highest version that this site has had or has seen a root of.
    fn seen(&self) -> Option<IndexVersion> {
        let newest = self.newest.as_ref().map(|root| root.root().version);
        self.floor.max(self.refused).max(newest)
    }

    fn save(&mut self, save: Save) {
        self.outputs.push_back(Output::Save(save));
    }

    /// An object's bytes, saved already or in this call. `None` when they are
    /// not what was saved.
    fn object(&self, name: &Hash, shelf: &dyn Shelf) -> Option<Vec<u8>> {
        if !self.held.contains(name) {
            return None;
        }
        let stored = || shelf.object(name).filter(|raw| Hash::of(raw) == *name);
        self.fresh.get(name).cloned().or_else(stored)
    }

    fn active_id(&self) -> Option<ShortHash> {
        self.active.as_ref().map(|root| root.hash().short())
    }

    fn delta_topic(&self) -> Option<Topic> {
        let collection = self.config.collection.clone();
        self.active_id().map(|base| Topic::Delta { collection, base })
    }

    fn connected(&mut self, resumed: bool) {
        self.connected = true;
        self.reported = None;
        if !resumed {
            self.hear_nothing();
        }
        let mut topics = vec![Topic::Root(self.config.collection.clone())];
        topics.extend(self.delta_topic());
        self.outputs.push_back(Output::Subscribe(topics));
        self.recheck_at = Some(self.now + self.config.recheck);
        self.stale_at = (!self.stale.is_empty()).then_some(self.now);
        self.resume();
    }

    fn disconnected(&mut self) {
        self.connected = false;
        self.recheck_at = None;
        self.link.pause();
    }

    fn message(&mut self, topic: &str, payload: &[u8], shelf: &dyn Shelf) {
        let Some(topic) = Topic::parse(topic) else { return };
        if topic.collection() != Some(&self.config.collection) {
            return;
        }
        match topic {
            Topic::Root(_) => self.root(payload, shelf),
            Topic::Delta { .. } => self.delta(payload, shelf),
            Topic::Chunk { .. } => self.chunk(topic, payload, shelf),
            _ => {}
        }
    }

    fn root(&mut self, wire: &[u8], shelf: &dyn Shelf) {
        self.recheck_at = Some(self.now + self.config.recheck);
        if self.newest.as_ref().is_some_and(|newest| newest.as_bytes() == wire) {
            return;
        }
        if let Ok(root) = SignedRoot::verify(wire, &self.config.hub)
            && self.admit(&root)
        {
            self.follow(shelf);
        }
    }

    /// Whether a genuine root is the highest so far. It is then remembered as
    /// such.
    fn admit(&mut self, root: &SignedRoot) -> bool {
        if root.root().collection != self.config.collection {
            return false;
        }
        let issued = root.root().issued;
        if self.calendar.is_none_or(|calendar| calendar < issued) {
            self.outputs.push_back(Output::TimeAtLeast(issued));
        }
        let version = Some(root.root().version);
        let known = self.newest.as_ref().filter(|newest| Some(newest.root().version) == version);
        if known.is_some_and(|known| known.hash() != root.hash()) {
            // Which one other sites follow nobody can know: the first stays.
            self.stall = Stall::Conflict;
        }
        let is_first_of_floor = self.newest.is_none() && version >= self.seen();
        if version <= self.seen() && !is_first_of_floor {
            return false;
        }
        self.newest = Some(root.clone());
        (self.spent, self.allowed) = (0, 0);
        self.stall = Stall::None;
        self.save(Save::Newest(root.as_bytes().to_vec()));
        true
    }

    /// Goes for the newest version, unless one is being tried, or there is
    /// nothing to do.
    fn follow(&mut self, shelf: &dyn Shelf) {
        let busy = self.fetch.as_ref().is_some_and(Fetch::is_being_tried);
        let Some(newest) = self.newest.clone().filter(|_| !busy) else { return };
        let version = Some(newest.root().version);
        let active = self.active.as_ref().map(|root| root.root().version);
        if version > active && version > self.refused {
            self.begin(newest, shelf);
        }
    }

    fn bundle(&mut self, bundle: &Bundle<'_>, shelf: &dyn Shelf) {
        let root = bundle.signed_root();
        let version = Some(root.root().version);
        let busy = self.fetch.as_ref().is_some_and(Fetch::is_being_tried);
        let active = self.active.as_ref().map(|active| active.root().version);
        let is_ours = root.root().collection == self.config.collection;
        if !is_ours || busy || version <= active || version < self.floor {
            return;
        }
        self.admit(root);
        let newest = self.newest.as_ref().filter(|newest| Some(newest.root().version) == version);
        if newest.is_some_and(|newest| newest.hash() != root.hash()) {
            return;
        }
        self.begin(root.clone(), shelf);
        for (object, raw) in bundle.objects() {
            self.offer(object.name, raw, shelf);
        }
    }

    fn tried(&mut self, good: bool, shelf: &dyn Shelf) {
        let Some(fetch) = self.fetch.as_mut().filter(|fetch| fetch.phase == Phase::Trying) else {
            return;
        };
        let root = fetch.root.clone();
        let version = root.root().version;
        if good {
            fetch.phase = Phase::Activating;
            // The floor first: after a cut between the two the same version goes
            // on, and never an older one.
            self.floor = self.floor.max(Some(version));
            self.save(Save::Floor(version));
            self.outputs.push_back(Output::Activate(root));
        } else {
            self.refuse(version, Stall::Refused);
            self.follow(shelf);
        }
    }

    /// Gives a version up for good.
    fn refuse(&mut self, version: IndexVersion, why: Stall) {
        self.drop_fetch();
        self.refused = self.refused.max(Some(version));
        self.stall = why;
        self.save(Save::Refused(version));
    }

    fn activated(&mut self, shelf: &dyn Shelf) {
        let activating = self.fetch.take_if(|fetch| fetch.phase == Phase::Activating);
        let Some(fetch) = activating else { return };
        let left = self.delta_topic();
        self.save(Save::Active(fetch.root.as_bytes().to_vec()));
        if self.active.as_ref().is_none_or(|active| active.hash() != fetch.root.hash()) {
            self.previous = self.active.replace(fetch.root);
        }
        if self.stall != Stall::Conflict {
            self.stall = Stall::None;
        }
        for name in std::mem::take(&mut self.parked).into_keys() {
            self.save(Save::Unparked(name));
        }
        let entered = self.delta_topic();
        if entered != left {
            self.stale.extend(left);
            if self.connected {
                self.outputs.push_back(Output::Subscribe(entered.into_iter().collect()));
            }
            self.leave_soon();
        }
        self.forget(shelf);
        self.follow(shelf);
    }

    /// Lets go what neither the active version, the one before nor the one to
    /// come needs.
    fn forget(&mut self, shelf: &dyn Shelf) {
        let roots = [&self.active, &self.previous, &self.newest];
        let mut needed = BTreeSet::new();
        for root in roots.into_iter().flatten() {
            let survey = tree::survey(root.root().manifest, |name| self.object(name, shelf));
            needed.extend(survey.iter().flat_map(tree::Survey::names));
        }
        let gone: Vec<Hash> = self.held.difference(&needed).copied().collect();
        if !gone.is_empty() {
            self.held = &self.held & &needed;
            self.outputs.push_back(Output::Forget(gone));
        }
    }

    /// Something between zero and `span`, different for each site and each time.
    fn jitter(&mut self, span: Duration) -> Duration {
        self.draws += 1;
        let draw = format!("{}/{}/{}", self.config.site, self.config.collection, self.draws);
        let salt = self.newest.as_ref().map(|root| root.hash());
        let salt = salt.as_ref().map_or(&[][..], |hash| hash.as_bytes());
        let share = Hash::of(&[draw.as_bytes(), salt].concat()).leading() >> 48;
        span.mul_f64(share as f64 / 65536.0)
    }

    /// Topics are left a little later and together.
    fn leave_soon(&mut self) {
        if !self.stale.is_empty() {
            self.stale_at.get_or_insert(self.now + Duration::from_secs(5));
        }
    }

    fn leave_stale(&mut self) {
        if self.connected && self.stale_at.is_some_and(|at| at <= self.now) {
            self.stale_at = None;
            let topics: Vec<Topic> = std::mem::take(&mut self.stale).into_iter().collect();
            if !topics.is_empty() {
                self.outputs.push_back(Output::Unsubscribe(topics));
            }
        }
    }

    fn recheck(&mut self) {
        if self.connected && self.recheck_at.is_some_and(|at| at <= self.now) {
            self.recheck_at = Some(self.now + self.config.recheck);
            let root = Topic::Root(self.config.collection.clone());
            self.outputs.push_back(Output::Subscribe(vec![root]));
        }
    }

    /// Says what has changed but for mere progress, which [`Site::status`] tells
    /// whoever wants to know.
    fn report(&mut self) {
        let same = |report: &Report, new: &Report| {
            let Report { active, newest, stall, expired, .. } = report;
            (active, newest, stall, expired) == (&new.active, &new.newest, &new.stall, &new.expired)
        };
        let report = self.status();
        // A version on its way is said with the one that it becomes.
        let on_its_way = self.fetch.is_some() && report.stall == Stall::None;
        let first = self.reported.is_none();
        if self.connected
            && (first || !on_its_way)
            && !self.reported.as_ref().is_some_and(|reported| same(reported, &report))
        {
            self.reported = Some(report.clone());
            self.outputs.push_back(Output::Report(report));
        }
    }
}

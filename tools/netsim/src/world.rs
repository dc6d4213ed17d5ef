//! A hub, a broker and sites in virtual time. The peers are the real ones; the
//! world carries out what they say, as a hub and boxes would, and checks what
//! must always hold.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use jibu_sync::site::{self, Save, Saved, Site};
use jibu_sync::wire::{Report, SiteName, State, Topic};
use jibu_sync::{Edition, Hash, Release, Shelf, ShortHash, SignedRoot, SiteKey, hub};
use jibu_types::{IndexVersion, Timestamp};

use crate::hostile::Liar;
use crate::link::{Flight, LinkModel, SETUP_BYTES, Stream, Traffic};
use crate::text::{collection, hub_key};

/// How a world is made.
#[derive(Debug, Clone)]
pub struct Setting {
    /// How many sites.
    pub sites: usize,
    /// The link of each.
    pub link: LinkModel,
    /// The share of messages that the broker does something to.
    pub lies: f64,
    /// How long a site takes to index a version and ask its golden queries.
    pub trying: Duration,
    /// Bytes that an update may cost a site.
    pub update_budget: u64,
    /// How often the broker has forgotten a session when its site comes back.
    pub forgotten: f64,
    /// Whether a box's clock says anything after a power cut: nothing, 1970, a
    /// century ahead, or the time.
    pub wrong_clocks: bool,
}

impl Setting {
    /// One site, an honest broker, this link.
    pub fn new(link: LinkModel) -> Self {
        Setting {
            sites: 1,
            link,
            lies: 0.0,
            trying: Duration::from_secs(20),
            update_budget: 64 << 20,
            forgotten: 0.25,
            wrong_clocks: false,
        }
    }
}

/// What a site has been through.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Versions that it came to answer from, and when.
    pub activated: Vec<(Timestamp, IndexVersion)>,
    /// Bytes towards it.
    pub down: Traffic,
    /// Bytes from it.
    pub up: Traffic,
    /// How often chunks of an object began to arrive.
    pub fetched: BTreeMap<Topic, u32>,
    /// How often it lost power.
    pub cuts: u32,
    /// Chunks that had begun to arrive and were not kept when it lost power: the
    /// most that one cut cost, and all together.
    pub lost: (usize, usize),
    /// Sessions that it set up.
    pub sessions: u32,
}

/// What left and reached the hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubTraffic {
    /// Messages that it published.
    pub published: u64,
    /// Their bytes with topics.
    pub published_bytes: u64,
    /// Requests and states that it got.
    pub received: u64,
    /// Their bytes with topics.
    pub received_bytes: u64,
    /// Times that a site said it had seen more than the hub has.
    pub behind: u64,
}

impl std::ops::Sub for HubTraffic {
    type Output = HubTraffic;

    fn sub(self, other: HubTraffic) -> HubTraffic {
        HubTraffic {
            published: self.published - other.published,
            published_bytes: self.published_bytes - other.published_bytes,
            received: self.received - other.received,
            received_bytes: self.received_bytes - other.received_bytes,
            behind: self.behind - other.behind,
        }
    }
}

/// The simulated world.
pub struct World {
    now: Timestamp,
    queue: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    events: u64,
    rng: fastrand::Rng,
    setting: Setting,
    hub: hub::Hub,
    /// What the hub sent and got.
    pub hub_traffic: HubTraffic,
    hub_timer: Option<Timestamp>,
    /// What the broker does to messages.
    pub liar: Liar,
    retained: BTreeMap<String, Rc<[u8]>>,
    subscribers: HashMap<String, BTreeSet<usize>>,
    stations: Vec<Station>,
    /// The sites by name.
    numbers: HashMap<SiteName, usize>,
    /// Objects by name, shared by all shelves.
    pool: HashMap<Hash, Rc<[u8]>>,
    /// What the hub has published, by version: its root and a digest of its
    /// passages.
    published: BTreeMap<IndexVersion, (SignedRoot, Hash)>,
    /// How often each version was flipped to.
    flips: BTreeMap<IndexVersion, usize>,
    /// Editions that were read and found right, so that a fleet's need not be.
    verified: BTreeSet<Hash>,
}

/// A site's box.
struct Station {
    name: SiteName,
    site: Option<Site>,
    saved: Saved,
    /// Counts power-ons: what was under way in another life does not count.
    life: u32,
    /// When this life began: its steady clock's zero.
    on_since: Timestamp,
    /// Counts sessions, likewise.
    session: u32,
    linked: bool,
    connected: bool,
    down: Stream,
    up: Stream,
    flights: Vec<(Flight, bool, Option<Topic>)>,
    /// Chunks that have begun to arrive in this life.
    begun: BTreeSet<Topic>,
    timer: Option<Timestamp>,
    staged: Option<SignedRoot>,
    activating: Option<SignedRoot>,
    answering: Option<SignedRoot>,
    history: History,
    /// States that it has signed in this life.
    states: u32,
    /// The highest counter of its states that the hub has taken.
    heard: u64,
    /// The power goes after so many more outputs.
    cut_after: Option<u32>,
    /// How long it is off then.
    off_for: Duration,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Power(usize, bool),
    Link(usize, bool),
    Session(usize, u32),
    Down(usize, u32, String, Rc<[u8]>),
    Up(usize, u32, Upward),
    ToHub(String, Vec<u8>),
    Timer(usize, u32),
    Tried(usize, u32, bool),
    Activated(usize, u32),
    HubTimer,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Upward {
    Subscribe(Vec<Topic>),
    Unsubscribe(Vec<Topic>),
    Publish(Topic, Vec<u8>),
}

/// The shelf of one station.
struct ShelfOf<'a> {
    names: &'a BTreeSet<Hash>,
    pool: &'a HashMap<Hash, Rc<[u8]>>,
}

impl Shelf for ShelfOf<'_> {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        self.names.contains(name).then(|| self.pool.get(name).map(|raw| raw.to_vec()))?
    }
}

impl World {
    /// A world at noon of some day, its sites switched on and connecting over
    /// the first seconds.
    pub fn new(setting: Setting, seed: u64) -> Self {
        let now = Timestamp::from_unix_seconds(1_795_348_800);
        let mut rng = fastrand::Rng::with_seed(seed);
        let liar = Liar::new(setting.lies);
        let name = |number| SiteName::parse(&format!("site-{number}")).expect("a name by its form");
        let stations = (0..setting.sites).map(|number| Station {
            name: name(number),
            site: None,
            saved: Saved::default(),
            life: 0,
            on_since: now,
            session: 0,
            linked: true,
            connected: false,
            down: Stream::new(setting.link.down),
            up: Stream::new(setting.link.up),
            flights: Vec::new(),
            begun: BTreeSet::new(),
            timer: None,
            staged: None,
            activating: None,
            answering: None,
            history: History::default(),
            states: 0,
            heard: 0,
            cut_after: None,
            off_for: Duration::ZERO,
        });
        let mut world = World {
            now,
            queue: BinaryHeap::new(),
            events: 0,
            hub: hub::Hub::new(hub::Config::default(), now),
            hub_traffic: HubTraffic::default(),
            hub_timer: None,
            liar,
            retained: BTreeMap::new(),
            subscribers: HashMap::new(),
            stations: stations.collect(),
            numbers: (0..setting.sites).map(|number| (name(number), number)).collect(),
            pool: HashMap::new(),
            published: BTreeMap::new(),
            flips: BTreeMap::new(),
            verified: BTreeSet::new(),
            setting,
            rng: fastrand::Rng::with_seed(0),
        };
        for number in 0..world.stations.len() {
            let at = now + Duration::from_millis(rng.u64(..10_000));
            world.at(at, Event::Power(number, true));
        }
        world.rng = rng;
        world
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What a site has been through.
    pub fn history(&self, site: usize) -> &History {
        &self.stations[site].history
    }

    /// The version that a site answers from.
    pub fn answers_from(&self, site: usize) -> Option<IndexVersion> {
        self.stations[site].answering.as_ref().map(|root| root.root().version)
    }

    /// What a site says of itself, where it is on.
    pub fn status(&self, site: usize) -> Option<Report> {
        self.stations[site].site.as_ref().map(Site::status)
    }

    /// How many sites answer from this version.
    pub fn converged(&self, version: IndexVersion) -> usize {
        (0..self.stations.len()).filter(|site| self.answers_from(*site) == Some(version)).count()
    }

    /// How many sites have come to answer from this version since they were
    /// made.
    pub fn flipped(&self, version: IndexVersion) -> usize {
        self.flips.get(&version).copied().unwrap_or_default()
    }

    /// Gives every site a release as if it had long had it, the hub too.
    pub fn preload(&mut self, release: &Release) {
        let root = release.root();
        for (name, raw) in release.objects() {
            self.pool.insert(name, raw.into());
        }
        let saved = Saved {
            floor: Some(root.root().version),
            active: Some(root.as_bytes().to_vec()),
            newest: Some(root.as_bytes().to_vec()),
            objects: release.objects().map(|(name, _)| name).collect(),
            ..Saved::default()
        };
        for station in &mut self.stations {
            station.saved = saved.clone();
            station.answering = Some(root.clone());
        }
        self.publish(release.clone());
    }

    /// Has the hub publish a release.
    pub fn publish(&mut self, release: Release) {
        let root = release.root().clone();
        let digest = digest(&release);
        self.published.insert(root.root().version, (root, digest));
        self.hub.handle(hub::Input::Release(Box::new(release)), self.now);
        self.drain_hub();
    }

    /// Has another hub take the first one's place, which knows of these releases
    /// only: a backup that was restored. The broker retains what it had.
    pub fn restore_hub(&mut self, releases: &[Release]) {
        self.hub = hub::Hub::new(hub::Config::default(), self.now);
        self.hub_timer = None;
        for release in releases {
            self.hub.handle(hub::Input::Release(Box::new(release.clone())), self.now);
        }
        self.drain_hub();
    }

    /// Whether a site is trying a version that is whole, or is about to flip.
    pub fn is_trying(&self, site: usize) -> bool {
        self.stations[site].staged.is_some()
    }

    /// What the newest version costs a site that has `base`.
    pub fn cost(&mut self, base: Option<&SignedRoot>) -> hub::Cost {
        let base = base.map(|root| root.hash().short());
        self.hub.cost(&collection(), base).unwrap_or_default()
    }

    /// Cuts a site's power at a time, for a while.
    pub fn cut_power(&mut self, site: usize, at: Timestamp, off: Duration) {
        self.at(at, Event::Power(site, false));
        self.at(at + off, Event::Power(site, true));
    }

    /// Cuts a site's power between two things that its peer wants done.
    pub fn cut_power_after(&mut self, site: usize, outputs: u32, off: Duration) {
        self.stations[site].cut_after = Some(outputs);
        self.stations[site].off_for = off;
    }

    /// Takes a site's link away at a time, for a while.
    pub fn cut_link(&mut self, site: usize, at: Timestamp, off: Duration) {
        self.at(at, Event::Link(site, false));
        self.at(at + off, Event::Link(site, true));
    }

    /// Lets time pass until `done`, or until `limit` has passed; whether it was
    /// done.
    ///
    /// # Panics
    /// When something is activated that the hub did not publish, or that is
    /// older than what was active.
    pub fn run(&mut self, limit: Duration, done: impl Fn(&World) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            let Some(Reverse((at, _, _))) = self.queue.peek() else {
                self.now = end;
                return done(self);
            };
            if *at > end {
                self.now = end;
                return done(self);
            }
            let Some(Reverse((at, _, event))) = self.queue.pop() else { return false };
            self.now = at;
            self.happen(event);
        }
        true
    }

    fn at(&mut self, at: Timestamp, event: Event) {
        self.events += 1;
        self.queue.push(Reverse((at, self.events, event)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Power(site, true) => self.power_on(site),
            Event::Power(site, false) => self.power_off(site),
            Event::Link(site, linked) => {
                self.stations[site].linked = linked;
                if linked {
                    self.dial(site);
                } else if self.hang_up(site) {
                    self.drive(site, site::Input::Disconnected);
                }
            }
            Event::Session(site, session) => {
                let station = &mut self.stations[site];
                if station.session == session && station.linked && station.site.is_some() {
                    station.connected = true;
                    station.history.sessions += 1;
                    let resumed = self.rng.f64() >= self.setting.forgotten;
                    if !resumed {
                        for sites in self.subscribers.values_mut() {
                            sites.remove(&site);
                        }
                    }
                    // A hostile broker says so too when it has forgotten.
                    let said = resumed || self.liar.share > 0.0;
                    self.drive(site, site::Input::Connected { resumed: said });
                }
            }
            Event::Down(site, session, topic, payload) => {
                if self.stations[site].session == session && self.stations[site].connected {
                    self.land(site);
                    let (topic, payload) = (&topic, &payload);
                    self.drive(site, site::Input::Message { topic, payload });
                }
            }
            Event::Up(site, session, message) => {
                if self.stations[site].session == session && self.stations[site].connected {
                    self.land(site);
                    self.broker(site, message);
                }
            }
            Event::ToHub(topic, payload) => {
                self.hub_traffic.received += 1;
                self.hub_traffic.received_bytes += (topic.len() + payload.len()) as u64;
                self.reach_hub(&topic, &payload);
                self.drain_hub();
            }
            Event::Timer(site, life) => {
                let station = &mut self.stations[site];
                if station.life == life && station.timer.is_some_and(|at| at <= self.now) {
                    station.timer = None;
                    self.drive(site, site::Input::Tick);
                }
            }
            Event::Tried(site, life, good) => {
                if self.stations[site].life == life {
                    self.drive(site, site::Input::Tried(good));
                }
            }
            Event::Activated(site, life) => {
                if self.stations[site].life == life {
                    self.flip(site);
                    self.drive(site, site::Input::Activated);
                }
            }
            Event::HubTimer => {
                self.hub_timer = None;
                self.hub.handle(hub::Input::Tick, self.now);
                self.drain_hub();
            }
        }
    }

    fn power_on(&mut self, site: usize) {
        let station = &mut self.stations[site];
        if station.site.is_some() {
            return;
        }
        station.life += 1;
        station.on_since = self.now;
        station.states = 0;
        let key = hub_key().public();
        let mut config = site::Config::new(collection(), station.name.clone(), key);
        config.update_budget = self.setting.update_budget;
        let shelf = ShelfOf { names: &station.saved.objects, pool: &self.pool };
        let opened = Site::open(config, station.saved.clone(), &shelf, Timestamp::default());
        station.site = Some(opened);
        if self.setting.wrong_clocks {
            let century = Duration::from_secs(100 * 365 * 24 * 3600);
            let says = [None, Some(Timestamp::default()), Some(self.now + century), Some(self.now)];
            let calendar = says[self.rng.usize(..says.len())];
            self.drive(site, site::Input::Calendar(calendar));
        }
        self.drive(site, site::Input::Tick);
        self.dial(site);
    }

    fn power_off(&mut self, site: usize) {
        if self.stations[site].site.is_none() {
            return;
        }
        self.hang_up(site);
        let station = &mut self.stations[site];
        station.site = None;
        station.life += 1;
        let saved = &station.saved;
        let kept: BTreeSet<ShortHash> =
            saved.objects.iter().map(Hash::short).chain(saved.parked.keys().copied()).collect();
        let is_lost = |topic: &Topic| match topic {
            Topic::Chunk { name, .. } => !kept.contains(name),
            _ => false,
        };
        let lost = std::mem::take(&mut station.begun).iter().filter(|topic| is_lost(topic)).count();
        let (most, all) = station.history.lost;
        station.history.lost = (most.max(lost), all + lost);
        station.history.cuts += 1;
        (station.timer, station.staged, station.activating) = (None, None, None);
        station.cut_after = None;
    }

    /// Sets a session up where there is power and a link.
    fn dial(&mut self, site: usize) {
        let (now, mut rng) = (self.now, self.rng.fork());
        let station = &mut self.stations[site];
        if station.site.is_none() || !station.linked || station.connected {
            return;
        }
        station.session += 1;
        let setup = Traffic { setup: SETUP_BYTES, ..Traffic::default() };
        let (flight, _) = station.down.send(setup, now, &mut rng);
        station.flights.push((flight, true, None));
        let session = station.session;
        self.at(flight.arrives, Event::Session(site, session));
    }

    /// The hub takes a state that the site has signed and that is above those
    /// before it, and the core whatever else there is.
    fn reach_hub(&mut self, topic: &str, payload: &[u8]) {
        let Some(Topic::State(name)) = Topic::parse(topic) else {
            return self.hub.handle(hub::Input::Message { topic, payload }, self.now);
        };
        let Some(at) = self.numbers.get(&name).copied() else { return };
        let Ok(state) = State::verify(payload, &name, &site_key(at).public()) else { return };
        let station = &mut self.stations[at];
        if state.counter > station.heard {
            station.heard = state.counter;
            let reports = &state.reports;
            self.hub.handle(hub::Input::Reported { site: &name, reports }, self.now);
        }
    }

    /// Ends the session and what is under way in it; whether there was one.
    fn hang_up(&mut self, site: usize) -> bool {
        let now = self.now;
        let station = &mut self.stations[site];
        for (flight, is_down, chunk) in std::mem::take(&mut station.flights) {
            let traffic = flight.traffic_at(now);
            let sum = if is_down { &mut station.history.down } else { &mut station.history.up };
            *sum += traffic;
            if let Some(chunk) = chunk.filter(|_| traffic.application() > 0) {
                station.begun.insert(chunk.clone());
                *station.history.fetched.entry(chunk).or_default() += 1;
            }
        }
        station.down.reset(now);
        station.up.reset(now);
        station.session += 1;
        std::mem::take(&mut station.connected)
    }

    /// Counts what has arrived.
    fn land(&mut self, site: usize) {
        let now = self.now;
        let Station { flights, history, begun, .. } = &mut self.stations[site];
        flights.retain(|(flight, is_down, chunk)| {
            if flight.arrives > now {
                return true;
            }
            let sum = if *is_down { &mut history.down } else { &mut history.up };
            *sum += flight.traffic_at(now);
            if let Some(chunk) = chunk {
                begun.insert(chunk.clone());
                *history.fetched.entry(chunk.clone()).or_default() += 1;
            }
            false
        });
    }

    /// Lets a site's peer take something in, and carries out what it wants.
    fn drive(&mut self, site: usize, input: site::Input<'_>) {
        let station = &mut self.stations[site];
        let Some(peer) = station.site.as_mut() else { return };
        let shelf = ShelfOf { names: &station.saved.objects, pool: &self.pool };
        let now = Timestamp::default() + self.now.since(station.on_since);
        peer.handle(input, now, &shelf);
        while let Some(output) = self.stations[site].site.as_mut().and_then(Site::poll) {
            self.carry_out(site, output);
            if let Some(left) = self.stations[site].cut_after.as_mut() {
                match left.checked_sub(1) {
                    Some(fewer) => *left = fewer,
                    None => {
                        let on = self.now + self.stations[site].off_for;
                        self.power_off(site);
                        return self.at(on, Event::Power(site, true));
                    }
                }
            }
        }
        let station = &mut self.stations[site];
        let deadline = station.site.as_ref().and_then(Site::deadline);
        let deadline = deadline.map(|at| station.on_since + at.since(Timestamp::default()));
        if let Some(at) = deadline
            && station.timer.is_none_or(|timer| at < timer)
        {
            station.timer = Some(at);
            let life = station.life;
            self.at(at, Event::Timer(site, life));
        }
    }

    fn carry_out(&mut self, site: usize, output: site::Output) {
        use site::Output;
        let life = self.stations[site].life;
        match output {
            Output::Save(save) => {
                match &save {
                    Save::Object { name, raw, .. } => {
                        assert_eq!(Hash::of(raw), *name, "an object was kept under another's name");
                        self.pool.entry(*name).or_insert_with(|| raw.as_slice().into());
                    }
                    Save::Newest(root) | Save::Active(root) => {
                        let version = self.version_of(root);
                        assert!(version.is_some(), "a root was kept that the hub did not publish");
                        let saved = &self.stations[site].saved;
                        let newest = saved.newest.as_ref().and_then(|root| self.version_of(root));
                        if matches!(save, Save::Newest(_)) {
                            assert!(version >= newest.max(saved.floor), "an older root was kept");
                        }
                    }
                    Save::Floor(version) | Save::Refused(version) => {
                        assert!(self.published.contains_key(version), "{version} is nobody's");
                    }
                    Save::Parked { .. } | Save::Unparked(_) | Save::Allowed(_) => {}
                }
                self.stations[site].saved.apply(&save);
            }
            Output::Subscribe(topics) => self.upward(site, Upward::Subscribe(topics)),
            Output::Unsubscribe(topics) => self.upward(site, Upward::Unsubscribe(topics)),
            Output::Publish { topic, payload } => {
                self.upward(site, Upward::Publish(topic, payload));
            }
            Output::Report(report) => {
                let station = &mut self.stations[site];
                station.states += 1;
                let state = State {
                    counter: State::counter(station.life, station.states),
                    online: true,
                    done: 0,
                    rate: station.site.as_ref().and_then(Site::rate),
                    reports: vec![report],
                };
                let name = station.name.clone();
                let payload = state.sign(&name, &site_key(site));
                self.upward(site, Upward::Publish(Topic::State(name), payload));
            }
            Output::Stage(root) => {
                self.check(site, &root);
                self.stations[site].staged = Some(root);
                let at = self.now + self.setting.trying;
                self.at(at, Event::Tried(site, life, true));
            }
            Output::Activate(root) => {
                assert_eq!(self.stations[site].staged.as_ref(), Some(&root), "not what was tried");
                self.stations[site].activating = Some(root);
                let at = self.now + Duration::from_millis(50);
                self.at(at, Event::Activated(site, life));
            }
            Output::Forget(names) => self.stations[site].saved.forget(&names),
            Output::TimeAtLeast(time) => {
                let said = self.published.values().any(|(root, _)| root.root().issued == time);
                assert!(said, "a time that the hub did not sign");
            }
        }
    }

    /// The version of a root that the hub has published.
    fn version_of(&self, root: &[u8]) -> Option<IndexVersion> {
        let of_root = |(known, _): &&(SignedRoot, Hash)| known.as_bytes() == root;
        self.published.values().find(of_root).map(|(root, _)| root.root().version)
    }

    /// A staged version is one that the hub published, and whole.
    fn check(&mut self, site: usize, root: &SignedRoot) {
        let (genuine, digest) =
            self.published.get(&root.root().version).expect("a version that was never published");
        assert_eq!(genuine, root, "a root that the hub did not sign");
        let saved = &self.stations[site].saved;
        let shelf = ShelfOf { names: &saved.objects, pool: &self.pool };
        // A fleet's shelves hold the same objects: their content is compared once.
        if self.verified.insert(root.hash()) || self.stations.len() < 100 {
            let edition = Edition::open(root, &shelf).expect("a staged version is whole");
            let found = edition
                .passages(&shelf)
                .map(|passage| passage.expect("a shelf that has not changed").text)
                .collect::<Vec<_>>();
            assert_eq!(Hash::of(found.join("\n").as_bytes()), *digest, "other passages");
        }
        let answering = self.stations[site].answering.as_ref();
        let before = answering.map(|root| root.root().version);
        assert!(Some(root.root().version) >= before, "{before:?} was to go back");
    }

    /// The box answers from the new version from now on.
    fn flip(&mut self, site: usize) {
        let now = self.now;
        let station = &mut self.stations[site];
        let Some(root) = station.activating.take() else { return };
        let version = root.root().version;
        assert_eq!(station.saved.floor, Some(version), "the floor comes first");
        station.staged = None;
        station.history.activated.push((now, version));
        *self.flips.entry(version).or_default() += 1;
        station.answering = Some(root);
    }

    fn upward(&mut self, site: usize, message: Upward) {
        if !self.stations[site].connected {
            return;
        }
        let lengths = |topics: &[Topic]| -> (u64, u64) {
            let bytes = topics.iter().map(|topic| topic.to_string().len() as u64).sum();
            (bytes, topics.len() as u64)
        };
        // What MQTT 5 adds to topics and payload, and how it acknowledges.
        let (traffic, ack) = match &message {
            Upward::Subscribe(topics) => {
                let (bytes, count) = lengths(topics);
                (Traffic::packet(0, bytes, 6 + 3 * count), Some(5 + count))
            }
            Upward::Unsubscribe(topics) => {
                let (bytes, count) = lengths(topics);
                (Traffic::packet(0, bytes, 6 + 2 * count), Some(5 + count))
            }
            Upward::Publish(topic, payload) => {
                let (bytes, _) = lengths(std::slice::from_ref(topic));
                (Traffic::packet(payload.len() as u64, bytes, 6), None)
            }
        };
        let (now, mut rng) = (self.now, self.rng.fork());
        let station = &mut self.stations[site];
        let (flight, acks) = station.up.send(traffic, now, &mut rng);
        station.flights.push((flight, false, None));
        station.history.down.tcp_ip += acks;
        if let Some(ack) = ack {
            station.history.down += Traffic::packet(0, 0, ack);
        }
        let session = station.session;
        self.at(flight.arrives, Event::Up(site, session, message));
    }

    /// What reaches the broker from a site.
    fn broker(&mut self, site: usize, message: Upward) {
        match message {
            Upward::Subscribe(topics) => {
                for topic in topics.iter().map(Topic::to_string) {
                    self.subscribers.entry(topic.clone()).or_default().insert(site);
                    if let Some(payload) = self.retained.get(&topic).cloned() {
                        self.deliver(site, &topic, &payload);
                    }
                }
            }
            Upward::Unsubscribe(topics) => {
                for topic in topics.iter().map(Topic::to_string) {
                    if let Some(sites) = self.subscribers.get_mut(&topic) {
                        sites.remove(&site);
                        if sites.is_empty() {
                            self.subscribers.remove(&topic);
                        }
                    }
                }
            }
            Upward::Publish(topic, payload) => {
                let topic = topic.to_string();
                for (late, topic, payload) in self.liar.pass(&topic, &payload, &mut self.rng) {
                    self.at(self.now + late, Event::ToHub(topic, payload));
                }
            }
        }
    }

    /// Sends a message down a site's link, or what the broker makes of it.
    fn deliver(&mut self, site: usize, topic: &str, payload: &Rc<[u8]>) {
        if !self.stations[site].connected {
            return;
        }
        if self.liar.share <= 0.0 {
            return self.downward(site, topic.to_owned(), Rc::clone(payload), Duration::ZERO);
        }
        for (late, topic, payload) in self.liar.pass(topic, payload, &mut self.rng) {
            self.downward(site, topic, payload.into(), late);
        }
    }

    fn downward(&mut self, site: usize, topic: String, payload: Rc<[u8]>, late: Duration) {
        let (now, mut rng) = (self.now + late, self.rng.fork());
        let station = &mut self.stations[site];
        let traffic = Traffic::packet(payload.len() as u64, topic.len() as u64, 6);
        // What comes late does not hold up what follows it.
        let (flight, acks) = match late.is_zero() {
            true => station.down.send(traffic, now, &mut rng),
            false => station.down.clone().send(traffic, now, &mut rng),
        };
        let chunk = Topic::parse(&topic).filter(|topic| matches!(topic, Topic::Chunk { .. }));
        station.flights.push((flight, true, chunk));
        station.history.up.tcp_ip += acks;
        let session = station.session;
        self.at(flight.arrives, Event::Down(site, session, topic, payload));
    }

    fn drain_hub(&mut self) {
        while let Some(output) = self.hub.poll() {
            match output {
                hub::Output::Publish { topic, payload, retain, .. } => {
                    let topic = topic.to_string();
                    self.hub_traffic.published += 1;
                    self.hub_traffic.published_bytes += (topic.len() + payload.len()) as u64;
                    let payload: Rc<[u8]> = payload.into();
                    match (retain, payload.is_empty()) {
                        (true, true) => drop(self.retained.remove(&topic)),
                        (true, false) => {
                            drop(self.retained.insert(topic.clone(), Rc::clone(&payload)));
                        }
                        (false, _) => {}
                    }
                    let sites = self.subscribers.get(&topic);
                    let sites: Vec<usize> = sites.into_iter().flatten().copied().collect();
                    for site in sites {
                        self.deliver(site, &topic, &payload);
                    }
                }
                hub::Output::Behind { .. } => self.hub_traffic.behind += 1,
            }
        }
        if let Some(at) = self.hub.deadline()
            && self.hub_timer.is_none_or(|timer| at < timer)
        {
            self.hub_timer = Some(at);
            self.at(at, Event::HubTimer);
        }
    }
}

fn site_key(number: usize) -> SiteKey {
    SiteKey::from_random(*Hash::of(&number.to_be_bytes()).as_bytes())
}

/// A digest of a release's passages.
fn digest(release: &Release) -> Hash {
    let shelf = Objects(release.objects().map(|(name, raw)| (name, raw.to_vec())).collect());
    let edition = Edition::open(release.root(), &shelf).expect("a release is whole");
    let texts = edition.passages(&shelf).map(|passage| passage.expect("it is there").text);
    Hash::of(texts.collect::<Vec<_>>().join("\n").as_bytes())
}

struct Objects(HashMap<Hash, Vec<u8>>);

impl Shelf for Objects {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        self.0.get(name).cloned()
    }
}

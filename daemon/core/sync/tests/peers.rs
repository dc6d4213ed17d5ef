//! Hub and sites by themselves: messages arrive at once, and a test says what
//! is lost, cut or full. Links, lies and fleets are `tools/netsim`'s.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use expect_test::expect;
use jibu_sync::site::{self, Output, Save, Saved, Site};
use jibu_sync::wire::{Parcel, Report, SiteName, Stall, State, Topic};
use jibu_sync::{
    Body, Content, Document, Edition, Hash, HubKey, Release, Shelf, SignedRoot, SiteKey, Snapshot,
    bundle, hub,
};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};

/// Objects by name, as a site keeps them.
#[derive(Default)]
struct Objects(RefCell<HashMap<Hash, Vec<u8>>>);

impl Shelf for Objects {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }
}

fn key() -> HubKey {
    HubKey::from_random([3; 32])
}

fn name() -> CollectionName {
    CollectionName::parse("health").unwrap()
}

/// Passages of an invented language; `edits` puts words into some of them.
fn content(passages: usize, edits: &[usize]) -> Content {
    let mut rng = fastrand::Rng::with_seed(5);
    let mut text = |place: usize| {
        let mut text = String::new();
        while text.len() < 500 {
            let mut word = fastrand::Rng::with_seed(2000f64.powf(rng.f64()) as u64);
            (0..word.usize(2..9)).for_each(|_| text.push(word.char('a'..='z')));
            text.push(' ');
        }
        let edit = edits.iter().filter(|edit| **edit == place).count();
        if edit > 0 { text.replacen(' ', &format!(" changed {edit} "), 1) } else { text }
    };
    let texts: Vec<String> = (0..passages).map(&mut text).collect();
    let documents = texts.chunks(10).enumerate().map(|(number, texts)| Document {
        path: format!("{number:03}.md"),
        title: format!("Document {number}"),
        language: Language::EN,
        source_url: None,
        date: None,
        licence: None,
        reviewed: None,
        passages: texts.iter().map(|text| Body { section: vec![], text: text.clone() }).collect(),
    });
    Content { collection: name(), documents: documents.collect(), golden: vec![] }
}

fn bundled(content: Content, version: u64, expires: Option<Timestamp>) -> Vec<u8> {
    let snapshot = Snapshot::build(content).unwrap();
    let issued = Timestamp::from_unix_seconds(1_000_000 + version as i64);
    let version = IndexVersion { epoch: 1, version };
    let root = snapshot.root(version, None, issued, expires);
    bundle::write(&SignedRoot::sign(root, &key()).unwrap(), &snapshot).unwrap()
}

fn release(content: Content, version: u64) -> Release {
    Release::open(&bundled(content, version, None), &key().public()).unwrap()
}

struct Node {
    site: Site,
    saved: Saved,
    shelf: Objects,
    subscribed: BTreeSet<String>,
    connected: bool,
    /// What the golden queries will say.
    good: bool,
    /// Objects that still fit the disk.
    room: usize,
    reports: Vec<Report>,
    activated: Vec<u64>,
}

struct Net {
    now: Timestamp,
    start: Timestamp,
    hub: hub::Hub,
    retained: BTreeMap<String, Vec<u8>>,
    nodes: Vec<Node>,
    /// Topics of which nothing passes.
    lost: fn(&Topic) -> bool,
    log: String,
    /// Bytes of payloads towards sites.
    bytes: usize,
    behind: usize,
    /// States that sites have sent.
    states: u32,
}

fn site_key() -> SiteKey {
    SiteKey::from_random([4; 32])
}

fn config(number: usize) -> site::Config {
    let site = SiteName::parse(&format!("site-{number}")).unwrap();
    site::Config::new(name(), site, key().public())
}

impl Net {
    fn new(sites: usize) -> Self {
        let now = Timestamp::from_unix_seconds(500);
        let node = |number| {
            let shelf = Objects::default();
            Node {
                site: Site::open(config(number), Saved::default(), &shelf, now),
                saved: Saved::default(),
                shelf,
                subscribed: BTreeSet::new(),
                connected: false,
                good: true,
                room: usize::MAX,
                reports: vec![],
                activated: vec![],
            }
        };
        let mut net = Net {
            now,
            start: now,
            hub: hub::Hub::new(hub::Config { kept: 3, ..hub::Config::default() }, now),
            retained: BTreeMap::new(),
            nodes: (0..sites).map(node).collect(),
            lost: |_| false,
            log: String::new(),
            bytes: 0,
            behind: 0,
            states: 0,
        };
        (0..sites).for_each(|number| net.connect(number));
        net
    }

    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        let seconds = self.now.since(self.start).as_secs();
        self.log.push_str(&format!("{seconds:>4}s {line}\n"));
    }

    fn connect(&mut self, number: usize) {
        self.nodes[number].connected = true;
        self.give(number, site::Input::Connected { resumed: true });
    }

    fn disconnect(&mut self, number: usize) {
        self.nodes[number].connected = false;
        self.give(number, site::Input::Disconnected);
    }

    /// The box loses power; subscriptions outlive the session.
    fn restart(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        node.site = Site::open(config(number), node.saved.clone(), &node.shelf, self.now);
        self.give(number, site::Input::Tick);
        self.connect(number);
    }

    fn publish(&mut self, release: Release) {
        self.hub.handle(hub::Input::Release(Box::new(release)), self.now);
        self.drain_hub();
    }

    fn give(&mut self, number: usize, input: site::Input<'_>) {
        let node = &mut self.nodes[number];
        node.site.handle(input, self.now, &node.shelf);
        while let Some(output) = self.nodes[number].site.poll() {
            self.carry_out(number, output);
        }
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        let node = &mut self.nodes[number];
        match output {
            Output::Save(save) => {
                if let Save::Object { name, raw, .. } = &save {
                    assert_eq!(Hash::of(raw), *name);
                    let Some(room) = node.room.checked_sub(1) else {
                        return self.give(number, site::Input::Full(*name));
                    };
                    node.room = room;
                    node.shelf.0.borrow_mut().insert(*name, raw.clone());
                }
                node.saved.apply(&save);
            }
            Output::Subscribe(topics) => {
                for topic in topics {
                    self.say(format_args!("site {number} subscribes {topic}"));
                    self.nodes[number].subscribed.insert(topic.to_string());
                    if let Some(payload) = self.retained.get(&topic.to_string()).cloned() {
                        self.deliver(number, &topic, &payload);
                    }
                }
            }
            Output::Unsubscribe(topics) => {
                for topic in topics {
                    self.say(format_args!("site {number} leaves {topic}"));
                    self.nodes[number].subscribed.remove(&topic.to_string());
                }
            }
            Output::Publish { topic, payload } => self.send(number, &topic, &payload),
            Output::Report(report) => {
                self.states += 1;
                let state = State {
                    counter: State::counter(1, self.states),
                    online: true,
                    done: 0,
                    rate: self.nodes[number].site.rate(),
                    reports: vec![report.clone()],
                };
                let (topic, name) = (state_topic(number), config(number).site);
                self.nodes[number].reports.push(report);
                self.send(number, &topic, &state.sign(&name, &site_key()));
            }
            Output::Stage(root) => {
                let version = root.root().version;
                self.say(format_args!("site {number} stages {version}"));
                let node = &self.nodes[number];
                let input = match Edition::open(&root, &node.shelf) {
                    Ok(_) => site::Input::Tried(node.good),
                    Err(jibu_sync::EditionError::Lost(names)) => {
                        return self.give(number, site::Input::Lost(&names));
                    }
                    Err(_) => site::Input::Tried(false),
                };
                self.give(number, input);
            }
            Output::Activate(root) => {
                let version = root.root().version;
                self.say(format_args!("site {number} activates {version}"));
                let node = &mut self.nodes[number];
                assert_eq!(node.saved.floor, Some(version), "the floor comes first");
                node.activated.push(version.version);
                self.give(number, site::Input::Activated);
            }
            Output::Forget(names) => {
                node.saved.forget(&names);
                node.shelf.0.borrow_mut().retain(|name, _| !names.contains(name));
            }
            Output::TimeAtLeast(time) => self.say(format_args!("it is {time} at least")),
        }
    }

    fn send(&mut self, number: usize, topic: &Topic, payload: &[u8]) {
        let sent = self.nodes[number].connected && !(self.lost)(topic);
        self.say(format_args!("site {number} > {topic} {} bytes", payload.len()));
        if sent {
            match topic {
                Topic::State(site) => {
                    let state = State::verify(payload, site, &site_key().public()).unwrap();
                    let reports = &state.reports;
                    self.hub.handle(hub::Input::Reported { site, reports }, self.now);
                }
                other => {
                    let topic = &other.to_string();
                    self.hub.handle(hub::Input::Message { topic, payload }, self.now);
                }
            }
            self.drain_hub();
        }
    }

    fn drain_hub(&mut self) {
        while let Some(output) = self.hub.poll() {
            match output {
                hub::Output::Publish { topic, payload, retain, .. } => {
                    self.say(format_args!("hub > {topic} {} bytes", payload.len()));
                    if retain {
                        self.retained.insert(topic.to_string(), payload.clone());
                    }
                    for number in 0..self.nodes.len() {
                        if self.nodes[number].subscribed.contains(&topic.to_string()) {
                            self.deliver(number, &topic, &payload);
                        }
                    }
                }
                hub::Output::Behind { .. } => self.behind += 1,
            }
        }
    }

    fn deliver(&mut self, number: usize, topic: &Topic, payload: &[u8]) {
        if self.nodes[number].connected && !(self.lost)(topic) && !payload.is_empty() {
            self.bytes += payload.len();
            let topic = topic.to_string();
            self.give(number, site::Input::Message { topic: &topic, payload });
        }
    }

    /// Lets time pass.
    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let hub = self.hub.deadline();
            let sites = self.nodes.iter().filter_map(|node| node.site.deadline());
            let Some(next) = sites.chain(hub).min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.hub.handle(hub::Input::Tick, self.now);
            self.drain_hub();
            for number in 0..self.nodes.len() {
                if self.nodes[number].site.deadline().is_some_and(|at| at <= self.now) {
                    self.give(number, site::Input::Tick);
                }
            }
        }
        self.now = end;
    }

    fn runs(&self, number: usize) -> Option<u64> {
        self.nodes[number].site.status().active.map(|(version, _)| version.version)
    }

    fn stall(&self, number: usize) -> Stall {
        self.nodes[number].site.status().stall
    }
}

fn state_topic(number: usize) -> Topic {
    Topic::State(SiteName::parse(&format!("site-{number}")).unwrap())
}

fn is_data(topic: &Topic) -> bool {
    matches!(topic, Topic::Chunk { .. } | Topic::Delta { .. })
}

const HOUR: Duration = Duration::from_secs(3600);

/// The log with every short hash as the letters a, b, c …
fn plain(log: &str) -> String {
    let mut known: Vec<String> = Vec::new();
    let words = log.split_inclusive(['/', ' ', '\n']).map(|word| {
        let bare = word.trim_end_matches(['/', ' ', '\n']);
        if bare.len() != 16 || !bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            return word.to_owned();
        }
        let place = known.iter().position(|hash| hash == bare).unwrap_or(known.len());
        if place == known.len() {
            known.push(bare.to_owned());
        }
        word.replace(bare, &char::from(b'a' + place as u8).to_string())
    });
    words.collect()
}

#[test]
fn a_first_sync_then_an_edit() {
    let mut net = Net::new(1);
    net.publish(release(content(20, &[]), 1));
    net.run(HOUR);
    net.say(format_args!("--"));
    net.publish(release(content(20, &[7]), 2));
    net.run(HOUR);
    expect![[r#"
           0s site 0 subscribes jibu/1/c/health/root
           0s site 0 > jibu/1/s/site-0/state 93 bytes
           0s hub > jibu/1/c/health/root 165 bytes
           0s it is 1970-01-12T13:46:41Z at least
           9s site 0 subscribes jibu/1/c/health/k/0/a
           9s site 0 > jibu/1/s/site-0/req 17 bytes
          39s hub > jibu/1/c/health/k/0/a 54 bytes
          39s site 0 subscribes jibu/1/c/health/k/0/b
          39s site 0 > jibu/1/s/site-0/req 27 bytes
          44s site 0 leaves jibu/1/c/health/k/0/a
          69s hub > jibu/1/c/health/k/0/b 4024 bytes
          69s site 0 stages 1.1
          69s site 0 activates 1.1
          69s site 0 subscribes jibu/1/c/health/d/c
          69s site 0 > jibu/1/s/site-0/state 108 bytes
          74s site 0 leaves jibu/1/c/health/k/0/b
        3600s --
        3600s hub > jibu/1/c/health/root 165 bytes
        3600s it is 1970-01-12T13:46:42Z at least
        3600s hub > jibu/1/c/health/d/c 111 bytes
        3600s site 0 stages 1.2
        3600s site 0 activates 1.2
        3600s site 0 subscribes jibu/1/c/health/d/d
        3600s site 0 > jibu/1/s/site-0/state 107 bytes
        3605s site 0 leaves jibu/1/c/health/d/c
    "#]]
    .assert_eq(&plain(&net.log));
    assert_eq!(net.runs(0), Some(2));
}

#[test]
fn one_message_serves_all_who_ask() {
    let mut net = Net::new(30);
    net.publish(release(content(250, &[]), 1));
    net.run(HOUR);
    assert!((0..30).all(|number| net.runs(number) == Some(1)));
    let chunks = net.log.lines().filter(|line| line.contains("hub > ") && line.contains("/k/0/"));
    let topics: Vec<&str> = chunks.map(|line| line.split(' ').nth_back(2).unwrap()).collect();
    let once: BTreeSet<&str> = topics.iter().copied().collect();
    assert!(topics.len() > 5);
    assert_eq!(topics.len(), once.len(), "a chunk left the hub twice: {}", plain(&net.log));
}

#[test]
fn what_came_stays_over_power_cuts() {
    let mut net = Net::new(1);
    net.publish(release(content(150, &[]), 1));
    for _ in 0..40 {
        net.run(Duration::from_secs(17));
        net.restart(0);
    }
    net.run(HOUR);
    assert_eq!(net.runs(0), Some(1));
    let whole: usize = release(content(150, &[]), 1).root().root().bytes as usize;
    assert!(net.bytes < whole * 11 / 10 + 40 * 300, "{} bytes of {whole}", net.bytes);
}

#[test]
fn a_roll_back_is_a_higher_version_and_fetches_nothing() {
    let mut net = Net::new(1);
    for (version, edits) in [(1, &[][..]), (2, &[3, 90])] {
        net.publish(release(content(100, edits), version));
        net.run(HOUR);
    }
    let before = net.bytes;
    net.lost = is_data;
    net.publish(release(content(100, &[]), 3));
    net.run(HOUR);
    assert_eq!(net.runs(0), Some(3));
    assert!(net.bytes - before < 400, "the root alone");
}

#[test]
fn a_site_never_goes_back() {
    let mut net = Net::new(1);
    let old = release(content(20, &[]), 1);
    net.publish(old.clone());
    net.run(HOUR);
    net.publish(release(content(20, &[1]), 2));
    net.run(HOUR);
    let root = Topic::Root(name());
    net.deliver(0, &root, old.root().as_bytes());
    net.run(HOUR);
    net.restart(0);
    net.deliver(0, &root, old.root().as_bytes());
    let stick = bundled(content(20, &[]), 1, None);
    let stick = bundle::read(&stick, &key().public()).unwrap();
    net.give(0, site::Input::Bundle(&stick));
    net.run(HOUR);
    assert_eq!(net.nodes[0].activated, [1, 2]);
    assert_eq!(net.stall(0), Stall::None);
}

#[test]
fn of_two_roots_of_one_version_the_first_stays() {
    let mut net = Net::new(1);
    net.publish(release(content(20, &[]), 1));
    net.run(HOUR);
    let other = release(content(20, &[1]), 1);
    net.deliver(0, &Topic::Root(name()), other.root().as_bytes());
    net.run(HOUR);
    assert_eq!(net.nodes[0].activated, [1]);
    assert_eq!(net.nodes[0].reports.last().unwrap().stall, Stall::Conflict);
}

#[test]
fn a_staged_version_is_for_who_was_told() {
    let mut net = Net::new(2);
    net.publish(release(content(100, &[]), 1));
    net.run(HOUR);
    let staged = release(content(100, &[1, 30, 60, 90]), 2);
    let root = staged.root().clone();
    net.hub.handle(hub::Input::Stage(Box::new(staged)), net.now);
    net.drain_hub();
    net.run(HOUR);
    assert_eq!((net.runs(0), net.runs(1)), (Some(1), Some(1)));
    // The hub's command hands it to one of them.
    net.deliver(0, &Topic::Root(name()), root.as_bytes());
    net.run(HOUR);
    assert_eq!((net.runs(0), net.runs(1), net.behind), (Some(2), Some(1), 0));
    // It is stopped: old content comes back above it, to both.
    net.publish(release(content(100, &[]), 3));
    net.run(HOUR);
    assert_eq!((net.runs(0), net.runs(1)), (Some(3), Some(3)));
    // Another is staged, and promoted.
    let next = || release(content(100, &[2]), 4);
    net.hub.handle(hub::Input::Stage(Box::new(next())), net.now);
    net.deliver(1, &Topic::Root(name()), next().root().as_bytes());
    net.run(HOUR);
    assert_eq!((net.runs(0), net.runs(1)), (Some(3), Some(4)));
    net.publish(next());
    net.run(HOUR);
    assert_eq!((net.runs(0), net.runs(1)), (Some(4), Some(4)));
}

#[test]
fn an_update_over_its_budget_waits_for_leave() {
    let mut net = Net::new(1);
    let tight = site::Config { update_budget: 9_000, ..config(0) };
    let node = &mut net.nodes[0];
    node.site = Site::open(tight, Saved::default(), &node.shelf, net.now);
    net.connect(0);
    net.publish(release(content(100, &[]), 1));
    net.run(HOUR * 30);
    assert_eq!((net.runs(0), net.stall(0)), (None, Stall::OverBudget));
    assert!(net.bytes <= 9_000 + 8_192 + 300, "{} bytes", net.bytes);
    assert_eq!(net.nodes[0].reports.last().unwrap().stall, Stall::OverBudget);
    net.give(0, site::Input::Allow(100_000));
    net.run(HOUR);
    assert_eq!((net.runs(0), net.stall(0)), (Some(1), Stall::None));
}

#[test]
fn a_full_disk_is_left_alone_for_a_while() {
    let mut net = Net::new(1);
    net.nodes[0].room = 3;
    net.publish(release(content(100, &[]), 1));
    net.run(HOUR);
    assert_eq!((net.runs(0), net.stall(0)), (None, Stall::NoSpace));
    assert_eq!(net.nodes[0].reports.last().unwrap().stall, Stall::NoSpace);
    net.nodes[0].room = usize::MAX;
    net.run(HOUR);
    assert_eq!((net.runs(0), net.stall(0)), (Some(1), Stall::None));
}

#[test]
fn a_damaged_object_is_fetched_again() {
    let mut net = Net::new(1);
    net.publish(release(content(100, &[]), 1));
    net.run(HOUR);
    for raw in net.nodes[0].shelf.0.borrow_mut().values_mut().filter(|raw| raw[0] != 1).take(2) {
        raw.reverse();
    }
    net.publish(release(content(100, &[5]), 2));
    net.run(HOUR);
    assert_eq!(net.runs(0), Some(2));
}

#[test]
fn a_stick_completes_what_a_link_began() {
    let mut net = Net::new(1);
    net.publish(release(content(300, &[]), 1));
    net.run(Duration::from_secs(130));
    let begun = net.nodes[0].saved.objects.len();
    assert!(begun > 2 && net.runs(0).is_none());
    net.disconnect(0);
    let stick = bundled(content(300, &[]), 1, None);
    net.give(0, site::Input::Bundle(&bundle::read(&stick, &key().public()).unwrap()));
    assert_eq!(net.runs(0), Some(1));
    // And a stick with a later version is no obstacle to the link.
    let stick = bundled(content(300, &[9]), 2, None);
    net.give(0, site::Input::Bundle(&bundle::read(&stick, &key().public()).unwrap()));
    net.connect(0);
    net.publish(release(content(300, &[9, 20]), 3));
    net.run(HOUR);
    assert_eq!(net.nodes[0].activated, [1, 2, 3]);
}

#[test]
fn a_stick_may_be_older_than_what_is_on_its_way() {
    let mut net = Net::new(1);
    net.lost = is_data;
    net.publish(release(content(60, &[1]), 2));
    net.run(HOUR);
    let stick = bundled(content(60, &[]), 1, None);
    net.give(0, site::Input::Bundle(&bundle::read(&stick, &key().public()).unwrap()));
    assert_eq!(net.runs(0), Some(1));
    net.lost = |_| false;
    net.run(HOUR * 2);
    assert_eq!(net.runs(0), Some(2));
}

#[test]
fn a_version_that_fails_is_not_tried_again_but_the_next_is() {
    let mut net = Net::new(1);
    net.publish(release(content(20, &[]), 1));
    net.run(HOUR);
    net.nodes[0].good = false;
    net.publish(release(content(20, &[1]), 2));
    net.run(HOUR);
    net.restart(0);
    net.run(HOUR * 30);
    assert_eq!((net.runs(0), net.stall(0)), (Some(1), Stall::Refused));
    assert_eq!(net.log.matches("stages 1.2").count(), 1);
    net.nodes[0].good = true;
    net.publish(release(content(20, &[2]), 3));
    net.run(HOUR);
    assert_eq!((net.runs(0), net.stall(0)), (Some(3), Stall::None));
}

#[test]
fn a_delta_may_come_before_its_root() {
    let mut net = Net::new(1);
    net.publish(release(content(20, &[]), 1));
    net.run(HOUR);
    net.lost = |topic| !matches!(topic, Topic::Delta { .. });
    let second = release(content(20, &[1]), 2);
    net.publish(second.clone());
    net.run(HOUR);
    assert_eq!(net.runs(0), Some(1));
    net.lost = |_| true;
    net.give(
        0,
        site::Input::Message {
            topic: &Topic::Root(name()).to_string(),
            payload: second.root().as_bytes(),
        },
    );
    assert_eq!(net.runs(0), Some(2));
}

#[test]
fn a_site_that_was_off_for_long_catches_up_without_a_clock() {
    let mut net = Net::new(1);
    net.publish(release(content(60, &[]), 1));
    net.run(HOUR);
    net.disconnect(0);
    for version in 2..9 {
        net.publish(release(content(60, &[1, version as usize]), version));
        net.run(HOUR * 24 * 13);
    }
    // The clock begins at zero again, and its old version is no longer kept.
    net.give(0, site::Input::Calendar(None));
    net.now = Timestamp::from_unix_seconds(0);
    net.hub.handle(hub::Input::Connected, Timestamp::from_unix_seconds(9_000_000));
    net.restart(0);
    net.now = Timestamp::from_unix_seconds(9_000_000);
    net.run(HOUR);
    assert_eq!(net.runs(0), Some(8));
    assert!(net.log.contains("it is 1970-01-12T13:46:48Z at least"));
}

#[test]
fn expiry_is_a_warning_of_boxes_that_know_the_time() {
    let mut net = Net::new(1);
    let at = Timestamp::from_unix_seconds;
    let bytes = bundled(content(20, &[]), 1, Some(at(2_000_000)));
    net.publish(Release::open(&bytes, &key().public()).unwrap());
    net.run(HOUR);
    assert!(!net.nodes[0].site.status().expired);
    net.give(0, site::Input::Calendar(Some(at(3_000_000))));
    assert!(net.nodes[0].reports.last().unwrap().expired);
    assert_eq!(net.runs(0), Some(1));
    net.give(0, site::Input::Calendar(None));
    assert!(!net.nodes[0].site.status().expired);
}

#[test]
fn a_lost_push_is_noticed_within_a_day() {
    let mut net = Net::new(1);
    net.run(HOUR);
    net.lost = |topic| matches!(topic, Topic::Root(_));
    net.publish(release(content(20, &[]), 1));
    net.lost = |_| false;
    net.run(HOUR * 25);
    assert_eq!(net.runs(0), Some(1));
}

#[test]
fn silence_is_met_with_patience_and_never_given_up() {
    let mut net = Net::new(1);
    net.lost = |topic| matches!(topic, Topic::Chunk { .. });
    net.publish(release(content(20, &[]), 1));
    net.run(HOUR * 24 * 7);
    let asked = net.log.matches("site-0/req").count();
    assert!((100..300).contains(&asked), "{asked} requests in a week of silence");
    net.lost = |_| false;
    net.run(HOUR * 2);
    assert_eq!(net.runs(0), Some(1));
}

#[test]
fn a_hub_from_an_old_backup_is_told_so() {
    let mut net = Net::new(1);
    net.publish(release(content(20, &[]), 1));
    net.publish(release(content(20, &[1]), 2));
    net.run(HOUR);
    net.hub = hub::Hub::new(hub::Config::default(), net.now);
    net.publish(release(content(20, &[]), 1));
    net.disconnect(0);
    net.connect(0);
    net.run(HOUR);
    assert_eq!(net.nodes[0].activated, [2]);
    assert!(net.behind > 0);
}

#[test]
fn the_cost_is_known_before_release() {
    let mut net = Net::new(1);
    let first = release(content(100, &[]), 1);
    net.publish(first.clone());
    net.run(HOUR);
    let full = net.hub.cost(&name(), None).unwrap();
    let came: usize = net.bytes;
    assert!((full.bytes as usize).abs_diff(came) < 20, "{full:?}, {came} came");
    let mut next = hub::Hub::new(hub::Config::default(), net.now);
    let second = release(content(100, &[50]), 2);
    for release in [first.clone(), second.clone()] {
        next.handle(hub::Input::Release(Box::new(release)), net.now);
    }
    let edit = next.cost(&name(), Some(first.id())).unwrap();
    net.bytes = 0;
    net.publish(second);
    net.run(HOUR);
    assert_eq!(edit.bytes as usize, net.bytes);
    assert_eq!(edit.messages, 1);
    assert!(edit.bytes < 900, "{edit:?}");
}

#[test]
fn a_forged_chunk_is_not_kept_and_does_not_stop_the_genuine_one() {
    let mut net = Net::new(1);
    net.lost = |topic| matches!(topic, Topic::Chunk { .. });
    let genuine = release(content(20, &[]), 1);
    net.publish(genuine.clone());
    net.run(Duration::from_secs(60));
    let top = genuine.root().root().manifest.short();
    let topic = Topic::Chunk { collection: name(), base: None, name: top };
    let forged = jibu_sync::wire::Item {
        name: top,
        packing: jibu_sync::Packing::Stored,
        base: None,
        bytes: b"\x01\x80",
    };
    let payload = Parcel(vec![forged]).encode();
    net.give(0, site::Input::Message { topic: &topic.to_string(), payload: &payload });
    assert!(net.nodes[0].saved.objects.is_empty());
    net.lost = |_| false;
    net.run(HOUR * 2);
    assert_eq!(net.runs(0), Some(1));
}

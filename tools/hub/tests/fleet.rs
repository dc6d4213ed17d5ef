//! Boxes and workers together, over a broker that is a map: the sites' peers and
//! the hub's service as they run, one worker killed in the middle.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[macro_use]
mod desk;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use desk::{Desk, health, now};
use jibu_hub::service::{self, Service};
use jibu_hub::{Hub, SiteSettings};
use jibu_sync::enrol::Claim;
use jibu_sync::site::{self, Save, Saved, Site};
use jibu_sync::wire::{SiteName, State, Topic};
use jibu_sync::{Edition, Hash, PublicKey, Shelf, SiteKey};
use jibu_types::Timestamp;

on_both! {
    a_fleet_converges_though_a_worker_dies
}

#[derive(Default)]
struct Objects(RefCell<HashMap<Hash, Vec<u8>>>);

impl Shelf for Objects {
    fn object(&self, name: &Hash) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }
}

struct Station {
    name: SiteName,
    key: SiteKey,
    peer: Site,
    saved: Saved,
    shelf: Objects,
    subscribed: BTreeSet<String>,
    states: u32,
}

struct Fleet {
    now: Timestamp,
    workers: Vec<Option<Service>>,
    boxes: Vec<Station>,
    retained: BTreeMap<String, Vec<u8>>,
    /// What is under way: from a box to the hub, or from the hub to all.
    upward: VecDeque<(String, Vec<u8>)>,
    downward: VecDeque<(String, Vec<u8>)>,
    turn: usize,
    /// How often each chunk left.
    chunks: BTreeMap<String, usize>,
}

impl Fleet {
    fn new(desk: &Desk, boxes: usize) -> Self {
        let mut hub = desk.hub();
        let key = hub.public_key();
        let boxes = (0..boxes).map(|number| station(&mut hub, key, number)).collect();
        let worker = |number: usize| {
            let config = service::Config {
                shares: true,
                ..service::Config::new(&format!("worker-{number}"))
            };
            Some(Service::new(desk.hub(), config, now()).unwrap())
        };
        let mut fleet = Fleet {
            now: now(),
            workers: (0..2).map(worker).collect(),
            boxes,
            retained: BTreeMap::new(),
            upward: VecDeque::new(),
            downward: VecDeque::new(),
            turn: 0,
            chunks: BTreeMap::new(),
        };
        (0..2).for_each(|number| fleet.work(number, service::Input::Connected));
        for number in 0..fleet.boxes.len() {
            fleet.drive(number, site::Input::Connected { resumed: true });
        }
        fleet
    }

    fn work(&mut self, number: usize, input: service::Input<'_>) {
        let Some(worker) = self.workers[number].as_mut() else { return };
        worker.handle(input, self.now).unwrap();
        while let Some(output) = worker.poll() {
            if let service::Output::Publish { topic, payload, retain } = output {
                if retain {
                    self.retained.insert(topic.clone(), payload.clone());
                } else if topic.contains("/k/") {
                    *self.chunks.entry(topic.clone()).or_default() += 1;
                }
                self.downward.push_back((topic, payload));
            }
        }
    }

    fn drive(&mut self, number: usize, input: site::Input<'_>) {
        let Fleet { boxes, retained, upward, .. } = self;
        let station = &mut boxes[number];
        let mut inputs = vec![];
        station.peer.handle(input, self.now, &station.shelf);
        while let Some(output) = station.peer.poll() {
            match output {
                site::Output::Save(save) => {
                    if let Save::Object { name, raw, .. } = &save {
                        station.shelf.0.borrow_mut().insert(*name, raw.clone());
                    }
                    station.saved.apply(&save);
                }
                site::Output::Subscribe(topics) => {
                    for topic in topics.iter().map(Topic::to_string) {
                        let kept = retained.get(&topic).cloned();
                        station.subscribed.insert(topic.clone());
                        inputs.extend(kept.map(|payload| (topic, payload)));
                    }
                }
                site::Output::Unsubscribe(topics) => {
                    topics.iter().for_each(|topic| {
                        station.subscribed.remove(&topic.to_string());
                    });
                }
                site::Output::Publish { topic, payload } => {
                    upward.push_back((topic.to_string(), payload));
                }
                site::Output::Report(report) => {
                    station.states += 1;
                    let state = State {
                        counter: State::counter(1, station.states),
                        online: true,
                        done: 0,
                        rate: station.peer.rate(),
                        reports: vec![report],
                    };
                    let payload = state.sign(&station.name, &station.key);
                    upward.push_back((Topic::State(station.name.clone()).to_string(), payload));
                }
                site::Output::Stage(root) => {
                    Edition::open(&root, &station.shelf).unwrap();
                    station.peer.handle(site::Input::Tried(true), self.now, &station.shelf);
                }
                site::Output::Activate(_) => {
                    station.peer.handle(site::Input::Activated, self.now, &station.shelf);
                }
                site::Output::Forget(names) => station.saved.forget(&names),
                site::Output::TimeAtLeast(_) => {}
            }
        }
        for (topic, payload) in inputs {
            self.drive(number, site::Input::Message { topic: &topic, payload: &payload });
        }
    }

    /// Delivers what is under way: to one worker each, or to who subscribed.
    fn deliver(&mut self) {
        loop {
            if let Some((topic, payload)) = self.upward.pop_front() {
                let alive = (0..self.workers.len()).filter(|n| self.workers[*n].is_some());
                let alive: Vec<usize> = alive.collect();
                self.turn += 1;
                let number = alive[self.turn % alive.len()];
                self.work(number, service::Input::Message { topic: &topic, payload: &payload });
            } else if let Some((topic, payload)) = self.downward.pop_front() {
                for number in 0..self.boxes.len() {
                    if self.boxes[number].subscribed.contains(&topic) && !payload.is_empty() {
                        let (topic, payload) = (topic.as_str(), payload.as_slice());
                        self.drive(number, site::Input::Message { topic, payload });
                    }
                }
            } else {
                return;
            }
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.deliver();
            let workers = self.workers.iter().flatten().map(Service::deadline);
            let boxes = self.boxes.iter().filter_map(|station| station.peer.deadline());
            let Some(next) = workers.chain(boxes).min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            for number in 0..self.workers.len() {
                let due = self.workers[number].as_ref().is_some_and(|w| w.deadline() <= self.now);
                if due {
                    self.work(number, service::Input::Tick);
                }
            }
            for number in 0..self.boxes.len() {
                if self.boxes[number].peer.deadline().is_some_and(|at| at <= self.now) {
                    self.drive(number, site::Input::Tick);
                }
            }
        }
        self.now = end;
    }
}

/// A box that is enrolled.
fn station(hub: &mut Hub, hub_key: PublicKey, number: usize) -> Station {
    let name = SiteName::parse(&format!("site-{number}")).unwrap();
    let key = SiteKey::from_random([number as u8 + 1; 32]);
    let until = now() + Duration::from_secs(3600);
    let invitation = hub.add_site(&name, &SiteSettings::default(), until, now()).unwrap();
    let claim = Claim { site: name.clone(), key: key.public(), nonce: [1; 16] };
    hub.answer_claim(&claim.enrol(&key, &invitation), now()).unwrap().unwrap();
    let config = site::Config::new(health(), name.clone(), hub_key);
    let shelf = Objects::default();
    let peer = Site::open(config, Saved::default(), &shelf, now());
    let (saved, subscribed) = (Saved::default(), BTreeSet::new());
    Station { name, key, peer, saved, shelf, subscribed, states: 0 }
}

fn text(changed: usize) -> String {
    let word = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..500u64)
        .map(|rule| {
            let first = if rule < changed as u64 { "Changed rule" } else { "Rule" };
            let words: Vec<String> = (0..12).map(|n| word(rule * 100 + n)).collect();
            format!("{first} {rule}: {}.\n\n", words.join(" "))
        })
        .collect()
}

fn a_fleet_converges_though_a_worker_dies(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, &text(0));
    let mut fleet = Fleet::new(desk, 12);
    fleet.run(Duration::from_secs(3600));
    let active = |hub: &mut Hub, version: &str| {
        let sites = hub.sites(now()).unwrap();
        let has = |site: &&jibu_hub::SiteSummary| {
            site.reports.iter().any(|report| report.active.as_deref() == Some(version))
        };
        sites.iter().filter(has).count()
    };
    assert_eq!(active(&mut hub, "1.1"), 12);
    let often = |fleet: &Fleet| fleet.chunks.values().filter(|count| **count > 1).count();
    assert!(fleet.chunks.len() > 5, "{} chunks", fleet.chunks.len());
    assert_eq!(often(&fleet), 0, "each chunk leaves once for all: {:?}", fleet.chunks);

    // A large change; the worker that announces it dies while boxes fetch it.
    desk.publish(&mut hub, &text(400));
    fleet.run(Duration::from_secs(50));
    fleet.workers[0] = None;
    fleet.run(Duration::from_secs(4 * 3600));
    assert_eq!(active(&mut hub, "1.2"), 12);
    assert!(often(&fleet) * 4 < fleet.chunks.len(), "{:?}", fleet.chunks);
}

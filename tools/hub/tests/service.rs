//! Workers at a broker that is a map: what they publish, answer and leave to
//! each other. On SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[macro_use]
mod desk;

use std::collections::BTreeMap;
use std::time::Duration;

use desk::{Desk, health, now, version};
use jibu_hub::service::{Config, Input, Output, Service};
use jibu_hub::{Hub, SiteSettings};
use jibu_sync::command::{self, Command};
use jibu_sync::enrol::{Claim, Grant};
use jibu_sync::telemetry::{Ack, Batch, Person, Record, Unanswered};
use jibu_sync::wire::{Report, Request, SiteName, Stall, State, Stream, Topic};
use jibu_sync::{Hash, SiteKey};
use jibu_types::{Language, Timestamp};

on_both! {
    what_is_published_is_retained_and_not_said_twice
    each_chunk_leaves_once_and_a_dead_worker_holds_nothing
    another_worker_takes_over_what_is_retained
    telemetry_is_kept_once_and_acknowledged
    a_command_stands_until_it_is_done
    a_site_enrols_over_the_broker
    a_site_that_has_seen_more_is_reported
    an_answer_reaches_who_asked_and_who_asks_next
}

/// A broker with its workers. A message to all goes to the worker that is named.
struct Net<'d> {
    desk: &'d Desk,
    workers: Vec<Option<Service>>,
    retained: BTreeMap<String, Vec<u8>>,
    now: Timestamp,
    /// What was published, the newest last, by worker.
    said: Vec<(usize, String, Vec<u8>)>,
    notes: Vec<String>,
}

impl<'d> Net<'d> {
    fn new(desk: &'d Desk, workers: usize) -> Self {
        let mut net = Net {
            desk,
            workers: Vec::new(),
            retained: BTreeMap::new(),
            now: now(),
            said: Vec::new(),
            notes: Vec::new(),
        };
        for _ in 0..workers {
            net.start();
        }
        net
    }

    /// Starts a worker and connects it.
    fn start(&mut self) {
        let number = self.workers.len();
        let config = Config { shares: true, ..Config::new(&format!("worker-{number}")) };
        let service = Service::new(self.desk.hub(), config, self.now).unwrap();
        self.workers.push(Some(service));
        self.give(number, Input::Connected);
    }

    fn give(&mut self, number: usize, input: Input<'_>) {
        let Some(service) = self.workers[number].as_mut() else { return };
        service.handle(input, self.now).unwrap();
        let outputs: Vec<Output> = std::iter::from_fn(|| service.poll()).collect();
        for output in outputs {
            match output {
                Output::Subscribe(topics) => {
                    let plain = topics.iter().any(|topic| topic == "jibu/1/c/+/root");
                    for (topic, payload) in self.retained.clone().into_iter().filter(|_| plain) {
                        self.give(number, Input::Message { topic: &topic, payload: &payload });
                    }
                }
                Output::Publish { topic, payload, retain } => {
                    match (retain, payload.is_empty()) {
                        (true, true) => drop(self.retained.remove(&topic)),
                        (true, false) => drop(self.retained.insert(topic.clone(), payload.clone())),
                        (false, _) => {}
                    }
                    self.said.push((number, topic, payload));
                }
                Output::AccessChanged => {}
                Output::Note(words) => self.notes.push(words),
            }
        }
    }

    fn send(&mut self, number: usize, topic: &Topic, payload: &[u8]) {
        self.give(number, Input::Message { topic: &topic.to_string(), payload });
    }

    /// Lets time pass for all workers.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let deadlines = self.workers.iter().enumerate().filter_map(|(number, worker)| {
                worker.as_ref().map(|worker| (worker.deadline().max(self.now), number))
            });
            match deadlines.min() {
                Some((at, number)) if at <= end => {
                    // A deadline that is due is never in the past twice.
                    self.now = at;
                    self.give(number, Input::Tick);
                    let next = self.workers[number].as_ref().unwrap().deadline();
                    assert!(next > at, "worker {number} does not get on");
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// The topics that were published since the last call.
    fn topics(&mut self) -> Vec<String> {
        self.said.drain(..).map(|(_, topic, _)| topic).collect()
    }
}

fn site(name: &str) -> SiteName {
    SiteName::parse(name).unwrap()
}

fn key() -> SiteKey {
    SiteKey::from_random([5; 32])
}

fn enrol(hub: &mut Hub, name: &str, settings: &SiteSettings) {
    let (name, until) = (site(name), now() + Duration::from_secs(86_400));
    let invitation = hub.add_site(&name, settings, until, now()).unwrap();
    let claim = Claim { site: name, key: key().public(), nonce: [1; 16] };
    assert!(hub.answer_claim(&claim.enrol(&key(), &invitation), now()).unwrap().is_some());
}

fn state(number: u32, done: u64, reports: Vec<Report>) -> Vec<u8> {
    let counter = State::counter(1, number);
    State { counter, online: true, done, rate: None, reports }.sign(&site("zomba"), &key())
}

fn what_is_published_is_retained_and_not_said_twice(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    desk.publish(&mut hub, "Boil the water well.");
    let mut net = Net::new(desk, 1);
    assert!(net.topics().is_empty(), "it asks the broker first");
    net.pass(10);
    let (root, delta) = (net.retained.keys().next_back().unwrap().clone(), net.retained.len());
    assert_eq!((root.as_str(), delta), ("jibu/1/c/health/root", 2));
    assert_eq!(net.topics().len(), 2);
    // A worker that starts again finds everything there.
    net.workers[0] = None;
    net.start();
    net.pass(40);
    assert!(net.topics().is_empty());
    // A version that another process publishes is seen and announced.
    desk.publish(&mut hub, "Boil the water for a minute.");
    net.pass(10);
    assert_eq!(net.topics().len(), 3, "a root and two deltas");
    // A broker that lost everything gets it again; one that was lied to, too.
    let whole = net.retained.clone();
    net.retained.clear();
    net.give(1, Input::Disconnected);
    net.give(1, Input::Connected);
    net.pass(10);
    assert_eq!(net.retained, whole);
    net.give(1, Input::Message { topic: "jibu/1/c/health/root", payload: b"forged" });
    net.topics();
    net.pass(60);
    assert_eq!(net.topics(), ["jibu/1/c/health/root"]);
    // A delta that nobody serves any more is cleared.
    let stale = "jibu/1/c/health/d/00112233445566ff".to_owned();
    net.retained.insert(stale.clone(), vec![1]);
    net.give(1, Input::Disconnected);
    net.give(1, Input::Connected);
    net.pass(10);
    assert_eq!(net.topics(), [stale]);
}

fn each_chunk_leaves_once_and_a_dead_worker_holds_nothing(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    let root = hub.releases(&health()).unwrap()[0].id();
    let mut net = Net::new(desk, 2);
    net.pass(10);
    net.topics();
    let request = Request { root, base: None, needs: vec![] }.encode();
    // Both workers get requests for the same page within one gathering.
    for (after, number, name) in [(0, 0, "a"), (5, 1, "b"), (10, 0, "c")] {
        net.pass(after);
        net.send(number, &Topic::Request(site(name)), &request);
    }
    net.pass(60);
    let sent = net.topics();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].starts_with("jibu/1/c/health/k/0/"), "{sent:?}");
    // One that claims it and dies before it is out: who waits asks again.
    net.send(0, &Topic::Request(site("a")), &request);
    net.now = net.workers[0].as_ref().unwrap().deadline().max(net.now + Duration::from_secs(31));
    net.workers[0].as_mut().unwrap().handle(Input::Tick, net.now).unwrap();
    net.workers[0] = None;
    net.send(1, &Topic::Request(site("a")), &request);
    net.pass(60);
    assert_eq!(net.topics().iter().filter(|topic| topic.contains("/k/")).count(), 1);
}

fn another_worker_takes_over_what_is_retained(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    let mut net = Net::new(desk, 2);
    net.pass(20);
    let by: Vec<usize> = net.said.drain(..).map(|(number, ..)| number).collect();
    assert_eq!(by, [0], "one of them announces");
    net.workers[0] = None;
    desk.publish(&mut hub, "Boil the water well.");
    net.pass(20);
    assert!(net.topics().is_empty(), "the lease holds");
    net.pass(30);
    let by: Vec<usize> = net.said.iter().map(|(number, ..)| *number).collect();
    assert_eq!(by, [1, 1], "a root and a delta");
}

fn telemetry_is_kept_once_and_acknowledged(desk: &Desk) {
    let mut hub = desk.hub();
    enrol(&mut hub, "zomba", &SiteSettings::default());
    let mut net = Net::new(desk, 2);
    net.pass(10);
    let person = |text: &str| {
        let (language, text) = (Language::EN, text.to_owned());
        Record::Person(Person { at: None, language, asker: vec![7; 16], text }).encode()
    };
    let batch = |from: u64, texts: &[&str]| Batch {
        floor: from,
        records: (from..).zip(texts.iter().map(|text| person(text))).collect(),
    };
    let topic = Topic::Telemetry(site("zomba"), Stream::Person);
    let acked = |net: &mut Net<'_>| {
        let (_, topic, payload) = net.said.pop().unwrap();
        assert_eq!(topic, "jibu/1/s/zomba/ack");
        Ack::decode(&payload).unwrap().0
    };
    net.send(0, &topic, &batch(1, &["a", "b"]).encode());
    assert_eq!(acked(&mut net), [(Stream::Person, 2)]);
    // The acknowledgement was lost, and the batch comes again, to the other.
    net.send(1, &topic, &batch(1, &["a", "b", "c"]).encode());
    assert_eq!(acked(&mut net), [(Stream::Person, 3)]);
    net.send(0, &topic, &batch(2, &["b"]).encode());
    assert_eq!(acked(&mut net), [(Stream::Person, 3)]);
    let questions = hub.questions(false).unwrap();
    let texts: Vec<&str> = questions.iter().map(|question| question.text.as_str()).collect();
    assert_eq!(texts, ["a", "b", "c"]);
    assert!(net.notes[0].contains("zomba has questions for a person"), "{:?}", net.notes);

    // What a policy does not allow is not kept, though it is acknowledged.
    let told = Unanswered {
        at: None,
        language: Language::EN,
        pseudonym: [1; 8],
        text: "price of maize".to_owned(),
    };
    let batch = |from| Batch {
        floor: from,
        records: vec![(from, Record::Unanswered(told.clone()).encode())],
    };
    let topic = Topic::Telemetry(site("zomba"), Stream::Unanswered);
    net.send(0, &topic, &batch(1).encode());
    assert_eq!(acked(&mut net), [(Stream::Unanswered, 1)]);
    assert_eq!(hub.questions(false).unwrap().len(), 3);
    let allowed = SiteSettings { tells_unanswered: Some(true), ..SiteSettings::default() };
    hub.set_site(&site("zomba"), &allowed).unwrap();
    net.send(0, &topic, &batch(2).encode());
    assert_eq!(hub.questions(false).unwrap().len(), 4);
    // Nobody else is listened to, and rubbish is not acknowledged.
    net.said.clear();
    net.send(0, &Topic::Telemetry(site("nobody"), Stream::Person), &batch(1).encode());
    net.send(0, &topic, b"\x08rubbish");
    assert!(net.said.is_empty());
}

fn a_command_stands_until_it_is_done(desk: &Desk) {
    let mut hub = desk.hub();
    enrol(&mut hub, "zomba", &SiteSettings::default());
    let mut net = Net::new(desk, 2);
    net.pass(10);
    let reply = Command::Reply { asker: vec![7; 16], text: "Come on Monday.".to_owned() };
    hub.command(&site("zomba"), &reply).unwrap();
    hub.command(&site("zomba"), &Command::RenewKey).unwrap();
    net.pass(10);
    let topic = "jibu/1/s/zomba/cmd";
    let told = |net: &Net<'_>| {
        let bytes = net.retained.get(topic)?;
        command::verify(bytes, &site("zomba"), &desk.hub().public_key())
    };
    let commands = told(&net).unwrap();
    assert_eq!((commands[0].number, &commands[0].command), (1, &reply));
    assert_eq!(net.topics(), [topic], "once for both workers");
    // Done as the site says, to whichever worker.
    net.send(1, &Topic::State(site("zomba")), &state(0, 1, vec![]));
    net.pass(10);
    assert_eq!(told(&net).unwrap()[0].number, 2);
    net.send(0, &Topic::State(site("zomba")), &state(1, 2, vec![]));
    net.pass(10);
    assert_eq!(told(&net), None);
    assert!(!net.retained.contains_key(topic));
    hub.command(&site("zomba"), &reply).unwrap();
    net.pass(10);
    assert_eq!(told(&net).unwrap()[0].number, 3, "a number is never given again");
}

fn a_site_enrols_over_the_broker(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    let until = now() + Duration::from_secs(86_400);
    let name = site("zomba");
    let invitation = hub.add_site(&name, &SiteSettings::default(), until, now()).unwrap();
    let mut net = Net::new(desk, 1);
    let claim = Claim { site: name.clone(), key: key().public(), nonce: [3; 16] };
    net.said.clear();
    net.send(0, &Topic::Enrol(name.clone()), &claim.enrol(&key(), &invitation));
    let (_, topic, reply) = net.said.pop().unwrap();
    assert_eq!(topic, "jibu/1/e/zomba/reply");
    let grant = Grant::open(&reply, &claim, &invitation).unwrap();
    assert_eq!(grant.collections, [health()]);
    net.send(0, &Topic::Renew(name), &claim.renew(&key(), &key()));
    let (_, topic, reply) = net.said.pop().unwrap();
    assert_eq!(topic, "jibu/1/s/zomba/renewed");
    assert!(Grant::verify(&reply, &claim, &hub.public_key()).is_some());
    net.send(0, &Topic::Enrol(site("nobody")), b"\x04rubbish");
    assert!(net.said.is_empty());
}

fn a_site_that_has_seen_more_is_reported(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    enrol(&mut hub, "zomba", &SiteSettings::default());
    let mut net = Net::new(desk, 1);
    let report = Report {
        collection: health(),
        active: Some((version(1, 57), Hash::of(b"root").short())),
        newest: Some(version(1, 57)),
        missing: 0,
        spent: 0,
        stall: Stall::None,
        expired: false,
    };
    net.send(0, &Topic::State(site("zomba")), &state(0, 0, vec![report.clone()]));
    assert!(net.notes[0].contains("--above 1.57"), "{:?}", net.notes);
    desk.ingest(&mut hub, "Boil the water well.");
    let refused = hub.draft(&health(), &jibu_hub::Terms::default(), now()).unwrap_err();
    assert!(refused.to_string().contains("zomba has had version 1.57"), "{refused}");
    // A forged one says nothing.
    net.notes.clear();
    let mut forged = state(1, 0, vec![report]);
    *forged.last_mut().unwrap() ^= 1;
    net.send(0, &Topic::State(site("zomba")), &forged);
    assert!(net.notes.is_empty());
}

fn an_answer_reaches_who_asked_and_who_asks_next(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    enrol(&mut hub, "zomba", &SiteSettings::default());
    let mut net = Net::new(desk, 1);
    let (language, text) = (Language::EN, "where do i  get a\0 passport".to_owned());
    let person = Record::Person(Person { at: None, language, asker: vec![9; 16], text });
    let batch = Batch { floor: 1, records: vec![(1, person.encode())] };
    net.send(0, &Topic::Telemetry(site("zomba"), Stream::Person), &batch.encode());
    let question = hub.questions(false).unwrap().remove(0);
    assert!(question.for_a_person && !format!("{question:?}").contains("passport"));
    let id = question.id;

    assert!(hub.answer(id, " ", None, None, now()).is_err());
    assert!(hub.answer(id, &"x".repeat(2000), None, None, now()).is_err());
    assert!(hub.answer(id + 1, "x", None, None, now()).is_err());
    let words = "At the district office, on Mondays.";
    hub.answer(id, words, Some(&health()), Some("Where do I get a passport?"), now()).unwrap();
    assert!(hub.questions(false).unwrap().is_empty());
    assert_eq!(hub.questions(true).unwrap()[0].answer.as_deref(), Some(words));
    net.pass(10);
    let commands = net.retained.get("jibu/1/s/zomba/cmd").unwrap();
    let commands = command::verify(commands, &site("zomba"), &hub.public_key()).unwrap();
    let reply = Command::Reply { asker: vec![9; 16], text: words.to_owned() };
    assert_eq!(commands.iter().map(|told| &told.command).collect::<Vec<_>>(), [&reply]);
    // Worded better for the collection, it is not sent a second time.
    hub.answer(id, "At the office.", Some(&health()), None, now()).unwrap();
    net.pass(10);
    let again = net.retained.get("jibu/1/s/zomba/cmd").unwrap();
    assert_eq!(command::verify(again, &site("zomba"), &hub.public_key()).unwrap().len(), 1);

    // The passage survives a prune, and is in the next version.
    let note = desk.folder.path().join("note.md");
    let pruned = hub.ingest(&health(), &[note], None, true).unwrap();
    assert!(pruned.removed.is_empty() && pruned.documents == 2, "{pruned:?}");
    let draft = hub.draft(&health(), &jibu_hub::Terms::default(), now()).unwrap();
    hub.record(&draft).unwrap();
    let file = desk.folder.path().join("out.jibu");
    hub.bundle(&health(), &file, now()).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let bundle = jibu_sync::bundle::read(&bytes, &hub.public_key()).unwrap();
    let answer = bundle.passages().find(|passage| passage.document == format!("answers/{id}"));
    let answer = answer.unwrap();
    assert_eq!(
        (answer.title.as_str(), answer.text.as_str()),
        ("where do i get a passport", "At the office.")
    );
}

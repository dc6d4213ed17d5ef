use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jibu_mqtt::{Command, Config, Event, Handle, Message, QoS};
use jibu_sync::command::{self, Numbered};
use jibu_sync::site::{self, Input, Output, Save, Saved, Site};
use jibu_sync::telemetry::{self, Queue, Record};
use jibu_sync::wire::{Report, SiteName, State, Topic};
use jibu_sync::{Edition, EditionError};
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use crate::Enrolled;
use crate::shelf::{Objects, Pool};

/// How a hub gathers and how sites spread; the two belong together.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long the hub gathers requests.
    pub gather: Duration,
    /// Within which sites spread their first request of a version.
    pub spread: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { gather: Duration::from_secs(30), spread: Duration::from_secs(20) }
    }
}

/// A running site. It ends when this is dropped.
#[derive(Debug)]
pub struct Member {
    /// What it is called.
    pub site: SiteName,
    seen: Arc<Mutex<Seen>>,
    orders: UnboundedSender<Order>,
}

/// What a site has seen so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether there is a session with the broker.
    pub connected: bool,
    /// Sessions so far.
    pub sessions: u32,
    /// Why there was no session last.
    pub reason: Option<String>,
    /// The version of each collection that would answer, and since when.
    pub active: BTreeMap<CollectionName, (IndexVersion, Instant)>,
    /// Bytes of the collections' messages, topics included.
    pub bytes: u64,
    /// When each message of the collections came, by topic; of a [`watch`] only.
    pub messages: BTreeMap<String, Vec<Instant>>,
    /// Replies of people: for whom, and the words.
    pub replies: Vec<(Vec<u8>, String)>,
    /// Whether the hub has all that was told.
    pub told_all: bool,
}

#[derive(Debug)]
enum Order {
    Tell(Record),
}

/// Follows its collections at the broker of this port, on the present runtime.
///
/// # Errors
/// When the certificates cannot be used.
pub fn start(own: Enrolled, port: u16, pace: Pace, pool: &Pool) -> anyhow::Result<Member> {
    begin(own, port, Some(pace), pool)
}

/// Follows nothing, and counts every message of its collections, whoever asked
/// for it.
///
/// # Errors
/// When the certificates cannot be used.
pub fn watch(own: Enrolled, port: u16) -> anyhow::Result<Member> {
    begin(own, port, None, &Pool::default())
}

fn begin(own: Enrolled, port: u16, pace: Option<Pace>, pool: &Pool) -> anyhow::Result<Member> {
    let site = own.grant.site.clone();
    let mut config = Config::new(own.broker(port)?, site.as_str());
    config.last_will = Some(last_will(&own, 1, 0));
    config.reconnect_at_most = Duration::from_secs(10);
    let handle = jibu_mqtt::spawn(config);
    let (orders, ordered) = unbounded_channel();
    let seen = Arc::new(Mutex::new(Seen { told_all: true, ..Seen::default() }));
    let began = Instant::now();
    let follower = |pace: Pace, collection: &CollectionName| {
        let config = site::Config {
            gather: pace.gather,
            spread: pace.spread,
            ..site::Config::new(collection.clone(), site.clone(), own.grant.hub)
        };
        let shelf = Objects::default();
        let peer = Site::open(config, Saved::default(), &shelf, Timestamp::default());
        (collection.clone(), Follower { peer, shelf })
    };
    let life = Life {
        followers: pace
            .into_iter()
            .flat_map(|pace| own.grant.collections.iter().map(move |name| (pace, name)))
            .map(|(pace, name)| follower(pace, name))
            .collect(),
        queue: Queue::open(
            telemetry::Config::new(site.clone()),
            telemetry::Saved::default(),
            Timestamp::default(),
        ),
        told: telemetry::Saved::default(),
        reports: BTreeMap::new(),
        pool: pool.clone(),
        seen: Arc::clone(&seen),
        out: VecDeque::new(),
        watches: pace.is_none(),
        began,
        session: 0,
        stated: 0,
        done: 0,
        own,
    };
    tokio::spawn(life.live(handle, ordered));
    Ok(Member { site, seen, orders })
}

impl Member {
    /// What it has seen; looked at shortly.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the hub something.
    pub fn tell(&self, record: Record) {
        self.seen().told_all = false;
        // It is gone only with the runtime.
        let _ = self.orders.send(Order::Tell(record));
    }

    /// Whether it has this version of the collection.
    pub fn has(&self, collection: &CollectionName, version: IndexVersion) -> bool {
        self.seen().active.get(collection).is_some_and(|(active, _)| *active == version)
    }
}

struct Follower {
    peer: Site,
    shelf: Objects,
}

struct Life {
    own: Enrolled,
    followers: BTreeMap<CollectionName, Follower>,
    queue: Queue,
    told: telemetry::Saved,
    reports: BTreeMap<CollectionName, Report>,
    pool: Pool,
    seen: Arc<Mutex<Seen>>,
    /// What waits for the connection.
    out: VecDeque<Command>,
    watches: bool,
    began: Instant,
    session: u32,
    stated: u32,
    done: u64,
}

impl Life {
    async fn live(mut self, mut handle: Handle, mut orders: UnboundedReceiver<Order>) {
        loop {
            let wait = self.wait();
            tokio::select! {
                event = handle.events.recv() => match event {
                    Some(event) => self.event(event),
                    None => return,
                },
                order = orders.recv() => match order {
                    Some(order) => self.order(order),
                    None => return,
                },
                room = handle.commands.reserve(), if !self.out.is_empty() => {
                    let (Ok(room), Some(command)) = (room, self.out.pop_front()) else { return };
                    room.send(command);
                }
                () = sleep(wait) => {
                    self.all(|| Input::Tick);
                    self.tell(telemetry::Input::Tick);
                }
            }
        }
    }

    fn wait(&self) -> Duration {
        let peers = self.followers.values().filter_map(|follower| follower.peer.deadline());
        let next = peers.chain(self.queue.deadline()).min();
        let now = self.steady();
        next.map_or(Duration::from_secs(3600), |at| {
            if at > now { at.since(now) } else { Duration::ZERO }
        })
    }

    fn steady(&self) -> Timestamp {
        Timestamp::default() + self.began.elapsed()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&mut self, order: Order) {
        let Order::Tell(record) = order;
        self.tell(telemetry::Input::Record(&record));
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected { resumed } => {
                {
                    let mut seen = self.seen();
                    seen.connected = true;
                    seen.sessions += 1;
                }
                self.session += 1;
                self.stated = 0;
                let will = last_will(&self.own, self.session + 1, self.done);
                self.out.push_back(Command::LastWill(will));
                let site = &self.own.grant.site;
                let topics = [Topic::Ack(site.clone()), Topic::Command(site.clone())];
                let topics = topics.iter().map(ToString::to_string).collect();
                self.out.push_back(Command::Subscribe(topics, QoS::AtMostOnce));
                let calendar = SystemTime::now().duration_since(UNIX_EPOCH).ok();
                let calendar = calendar.map(|since| Timestamp::default() + since);
                if self.watches {
                    let all = self.own.grant.collections.iter();
                    let topics = all.map(|name| format!("jibu/1/c/{name}/#")).collect();
                    self.out.push_back(Command::Subscribe(topics, QoS::AtMostOnce));
                }
                self.all(|| Input::Calendar(calendar));
                self.all(|| Input::Connected { resumed });
                self.tell(telemetry::Input::Connected);
            }
            Event::Disconnected { reason, .. } => {
                let was_connected = {
                    let mut seen = self.seen();
                    seen.reason = Some(reason);
                    std::mem::take(&mut seen.connected)
                };
                self.out.clear();
                if was_connected {
                    self.all(|| Input::Disconnected);
                    self.tell(telemetry::Input::Disconnected);
                }
            }
            Event::Message { topic, payload } => self.message(&topic, &payload),
        }
    }

    fn message(&mut self, topic: &str, payload: &[u8]) {
        let parsed = Topic::parse(topic);
        match &parsed {
            Some(Topic::Ack(_)) => return self.tell(telemetry::Input::Ack(payload)),
            Some(Topic::Command(_)) => return self.commanded(payload),
            _ => {}
        }
        let Some(collection) = parsed.as_ref().and_then(Topic::collection) else { return };
        let watches = self.watches;
        {
            let mut seen = self.seen();
            seen.bytes += (topic.len() + payload.len()) as u64;
            if watches && !payload.is_empty() {
                seen.messages.entry(topic.to_owned()).or_default().push(Instant::now());
            }
        }
        self.give(collection, Input::Message { topic, payload });
    }

    fn commanded(&mut self, payload: &[u8]) {
        let (site, hub) = (&self.own.grant.site, &self.own.grant.hub);
        let before = self.done;
        for Numbered { number, command } in
            command::verify(payload, site, hub).into_iter().flatten()
        {
            if number <= self.done {
                continue;
            }
            self.done = number;
            if let command::Command::Reply { asker, text } = command {
                self.seen().replies.push((asker, text));
            }
        }
        if self.done > before {
            self.state();
        }
    }

    fn tell(&mut self, input: telemetry::Input<'_>) {
        let steady = self.steady();
        self.queue.handle(input, steady);
        while let Some(output) = self.queue.poll() {
            self.told.apply(&output);
            if let telemetry::Output::Publish { topic, payload } = output {
                self.out.push_back(publish(&topic, payload, false));
            }
        }
        let told_all = self.told.records.is_empty();
        self.seen().told_all = told_all;
    }

    fn all(&mut self, input: impl Fn() -> Input<'static>) {
        for collection in self.followers.keys().cloned().collect::<Vec<_>>() {
            self.give(&collection, input());
        }
    }

    fn give(&mut self, collection: &CollectionName, input: Input<'_>) {
        let now = self.steady();
        let Some(mut follower) = self.followers.remove(collection) else { return };
        follower.peer.handle(input, now, &follower.shelf);
        while let Some(output) = follower.peer.poll() {
            self.carry_out(collection, &mut follower, output, now);
        }
        self.followers.insert(collection.clone(), follower);
    }

    fn carry_out(
        &mut self,
        collection: &CollectionName,
        Follower { peer, shelf }: &mut Follower,
        output: Output,
        now: Timestamp,
    ) {
        let names = |topics: Vec<Topic>| topics.iter().map(ToString::to_string).collect();
        match output {
            Output::Save(Save::Object { name, raw, .. }) => shelf.keep(&self.pool, name, &raw),
            // The peer lives as long as its shelf.
            Output::Save(_) | Output::TimeAtLeast(_) => {}
            Output::Forget(objects) => shelf.forget(&objects),
            Output::Subscribe(topics) => {
                self.out.push_back(Command::Subscribe(names(topics), QoS::AtMostOnce));
            }
            Output::Unsubscribe(topics) => {
                self.out.push_back(Command::Unsubscribe(names(topics)));
            }
            Output::Publish { topic, payload } => {
                self.out.push_back(publish(&topic, payload, false));
            }
            Output::Stage(root) => match Edition::open(&root, shelf) {
                Ok(_) => peer.handle(Input::Tried(true), now, shelf),
                Err(EditionError::Lost(names)) => peer.handle(Input::Lost(&names), now, shelf),
                Err(EditionError::Faulty(_)) => peer.handle(Input::Tried(false), now, shelf),
            },
            Output::Activate(root) => {
                let active = (root.root().version, Instant::now());
                self.seen().active.insert(collection.clone(), active);
                peer.handle(Input::Activated, now, shelf);
            }
            Output::Report(report) => {
                self.reports.insert(collection.clone(), report);
                self.state();
            }
        }
    }

    /// Says what it runs, in its signature.
    fn state(&mut self) {
        let counter = State::counter(self.session, self.stated);
        self.stated += 1;
        let reports = self.reports.values().cloned().collect();
        let state = State { counter, online: true, done: self.done, rate: None, reports };
        let site = &self.own.grant.site;
        let payload = state.sign(site, &self.own.key);
        self.out.push_back(publish(&Topic::State(site.clone()), payload, true));
    }
}

/// What the hub reads when the site goes away without a word.
fn last_will(own: &Enrolled, session: u32, done: u64) -> Message {
    let counter = State::counter(session, State::WILL);
    let will = State { counter, online: false, done, rate: None, reports: Vec::new() };
    let site = &own.grant.site;
    let (topic, payload) = (Topic::State(site.clone()).to_string(), will.sign(site, &own.key));
    Message { topic, payload, qos: QoS::AtMostOnce, retain: true }
}

fn publish(topic: &Topic, payload: Vec<u8>, retain: bool) -> Command {
    let topic = topic.to_string();
    Command::Publish(Message { topic, payload, qos: QoS::AtMostOnce, retain })
}

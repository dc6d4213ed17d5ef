//! The hub at its broker: serves what is published, takes in what sites say,
//! and answers. It knows no socket: the shell around it subscribes, publishes
//! and waits.
//!
//! ```text
//! broker ──Message──▶ Service ──Publish, Subscribe──▶ broker
//!                        │ states, telemetry, claims ▶ Hub (the state)
//!                        └ requests ▶ jibu_sync::hub::Hub
//! ```
//!
//! Several workers may share one state and one broker. Requests, states and
//! telemetry come to one of them each (`$share`). A chunk leaves once: each
//! worker claims it in the state for all who have asked by then, so that a
//! worker that dies leaves nothing locked; who asked it in vain asks again.
//! What is retained is one worker's task, the one that has the lease; it looks
//! first what the broker has, and publishes only what is missing or different,
//! since every connected site pays for it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jibu_sync::hub;
use jibu_sync::wire::{SiteName, Stream, Topic};
use jibu_types::{CollectionName, IndexVersion, Timestamp};

use crate::hub::while_;
use crate::state::values;
use crate::{Hub, HubError};

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of this worker, another for each.
    pub worker: String,
    /// Whether there are others on the same broker and state.
    pub shares: bool,
    /// How often it is looked whether something was published or changed.
    pub look: Duration,
    /// How long the broker is given to say what it retains.
    pub settle: Duration,
    /// How long the lease holds of a worker that says nothing more.
    pub lease: Duration,
    /// The sync peer's own settings.
    pub peer: hub::Config,
}

impl Config {
    /// The usual settings.
    pub fn new(worker: &str) -> Self {
        Config {
            worker: worker.to_owned(),
            shares: false,
            look: Duration::from_secs(5),
            settle: Duration::from_secs(3),
            lease: Duration::from_secs(30),
            peer: hub::Config::default(),
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// There is a session with the broker, without any subscription.
    Connected,
    /// There is none any more.
    Disconnected,
    /// A message came.
    Message {
        /// Its topic.
        topic: &'a str,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// The deadline has passed.
    Tick,
}

/// What to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Subscribe to these topic filters at QoS 1, retained messages wanted.
    Subscribe(Vec<String>),
    /// Publish: at QoS 1 where it is retained, else at QoS 0.
    Publish {
        /// Where.
        topic: String,
        /// The bytes.
        payload: Vec<u8>,
        /// Whether the broker keeps it.
        retain: bool,
    },
    /// Who may connect or read has changed: a broker of the hub's own looks
    /// again.
    AccessChanged,
    /// A sentence for the admin.
    Note(String),
}

/// One worker.
#[derive(Debug)]
pub struct Service {
    hub: Hub,
    config: Config,
    peer: hub::Hub,
    now: Timestamp,
    connected: bool,
    /// The newest version of each collection that the peer has.
    known: BTreeMap<CollectionName, IndexVersion>,
    /// What the broker should retain, and what it does as far as is known.
    wanted: BTreeMap<String, Vec<u8>>,
    retained: BTreeMap<String, Vec<u8>>,
    /// Sites whose command topic is to be looked at.
    commanded: BTreeSet<SiteName>,
    /// Until when this worker has the lease.
    leads_until: Option<Timestamp>,
    /// When what is retained is compared next.
    compare_at: Option<Timestamp>,
    look_at: Timestamp,
    changes: Option<i64>,
    outputs: VecDeque<Output>,
}

/// What every worker hears; with others, each message comes to one of them.
const SHARED: [&str; 5] = [
    "jibu/1/s/+/req",
    "jibu/1/s/+/state",
    "jibu/1/s/+/telemetry/+",
    "jibu/1/s/+/renew",
    "jibu/1/e/+/ask",
];

/// What the worker with the lease hears besides: what the broker retains.
const RETAINED: [&str; 4] =
    ["jibu/1/c/+/root", "jibu/1/c/+/d/+", "jibu/1/s/+/cmd", "jibu/1/s/+/state"];

impl Service {
    /// A worker of this hub, with what is published already.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn new(hub: Hub, config: Config, now: Timestamp) -> Result<Self, HubError> {
        let mut service = Service {
            peer: hub::Hub::new(config.peer.clone(), now),
            hub,
            config,
            now,
            connected: false,
            known: BTreeMap::new(),
            wanted: BTreeMap::new(),
            retained: BTreeMap::new(),
            commanded: BTreeSet::new(),
            leads_until: None,
            compare_at: None,
            look_at: now,
            changes: None,
            outputs: VecDeque::new(),
        };
        service.look()?;
        Ok(service)
    }

    /// The hub's state, for whoever answers an admin meanwhile.
    pub fn hub(&mut self) -> &mut Hub {
        &mut self.hub
    }

    /// Takes in what happened; `now` is the calendar's time, and the workers'
    /// clocks agree within seconds. Drain [`Service::poll`] before the next call.
    ///
    /// # Errors
    /// When the state cannot be read or written: the message is lost, as if it
    /// had never come, and the next call may go well.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) -> Result<(), HubError> {
        self.now = self.now.max(now);
        match input {
            Input::Connected => self.connected()?,
            Input::Disconnected => {
                self.connected = false;
                self.compare_at = None;
            }
            Input::Message { topic, payload } => self.message(topic, payload)?,
            Input::Tick => {}
        }
        if self.now >= self.look_at {
            self.look_at = self.now + self.config.look;
            self.look()?;
        }
        self.peer.handle(hub::Input::Tick, self.now);
        self.drain_peer()?;
        self.compare()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Service::handle`] with [`Input::Tick`] if nothing else
    /// happens.
    pub fn deadline(&self) -> Timestamp {
        let times = [Some(self.look_at), self.peer.deadline(), self.compare_at];
        times.into_iter().flatten().min().unwrap_or(self.look_at)
    }

    fn connected(&mut self) -> Result<(), HubError> {
        self.connected = true;
        self.retained.clear();
        let group = |topic: &&str| match self.config.shares {
            true => format!("$share/hub/{topic}"),
            false => (*topic).to_owned(),
        };
        self.outputs.push_back(Output::Subscribe(SHARED.iter().map(group).collect()));
        self.leads_until = None;
        self.lead()
    }

    /// Takes the lease or keeps it. A new leader asks the broker what it retains.
    fn lead(&mut self) -> Result<(), HubError> {
        if !self.connected {
            return Ok(());
        }
        let until = self.now + self.config.lease;
        if !self.hub.lease("retained", &self.config.worker, self.now, until)? {
            self.leads_until = None;
            self.compare_at = None;
            return Ok(());
        }
        if self.leads_until.is_none() {
            self.outputs
                .push_back(Output::Subscribe(RETAINED.iter().map(|t| (*t).to_owned()).collect()));
            self.commanded.extend(self.hub.commanded_sites()?);
            self.compare_at = Some(self.now + self.config.settle);
        }
        self.leads_until = Some(until);
        Ok(())
    }

    fn message(&mut self, topic: &str, payload: &[u8]) -> Result<(), HubError> {
        let now = self.now;
        match Topic::parse(topic) {
            Some(Topic::Request(_)) => {
                self.peer.handle(hub::Input::Message { topic, payload }, now);
            }
            Some(Topic::State(site)) => self.state(&site, payload)?,
            Some(Topic::Telemetry(site, stream)) => {
                if let Some(ack) = self.hub.take_telemetry(&site, stream, payload, now)? {
                    self.publish(Topic::Ack(site.clone()), ack);
                    if stream == Stream::Person {
                        let words =
                            format!("{site} has questions for a person: `jibu-hub questions`");
                        self.outputs.push_back(Output::Note(words));
                    }
                }
            }
            Some(topic @ (Topic::Enrol(_) | Topic::Renew(_))) => {
                if let Some(reply) = self.hub.answer_claim(payload, now)? {
                    self.publish(answer_of(&topic), reply);
                    self.outputs.push_back(Output::AccessChanged);
                }
            }
            Some(Topic::Root(_) | Topic::Delta { .. } | Topic::Command(_)) => {
                let before = match payload.is_empty() {
                    true => self.retained.remove(topic),
                    false => self.retained.insert(topic.to_owned(), payload.to_vec()),
                };
                // Our own words come back, also those that cleared a topic; another's
                // are put right, not at once, so that two who disagree do not shout.
                if before.unwrap_or_default() != payload && self.compare_at.is_none() {
                    self.compare_at = Some(now + self.config.settle * 10);
                }
                if let Some(Topic::Command(site)) = Topic::parse(topic) {
                    self.commanded.insert(site);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn state(&mut self, site: &SiteName, payload: &[u8]) -> Result<(), HubError> {
        let Some(state) = self.hub.hear(site, payload, self.now)? else { return Ok(()) };
        self.commanded.insert(site.clone());
        self.peer.handle(hub::Input::Reported { site, reports: &state.reports }, self.now);
        Ok(())
    }

    /// Looks whether something was published, or sites or commands changed.
    fn look(&mut self) -> Result<(), HubError> {
        self.lead()?;
        if self.leads_until.is_some() {
            let notes = self.hub.step_rollouts(self.now)?;
            self.outputs.extend(notes.into_iter().map(Output::Note));
        }
        let changes = self.hub.changes()?;
        if self.changes == Some(changes) {
            return Ok(());
        }
        for name in self.hub.collection_names()? {
            let staged = self.hub.staged_release(&name)?;
            let newest = self.hub.newest_version(&name)?;
            if newest > self.known.get(&name).copied() {
                for release in self.hub.releases(&name)? {
                    self.known.insert(name.clone(), release.root().root().version);
                    self.peer.handle(hub::Input::Release(Box::new(release)), self.now);
                }
            }
            if let Some(staged) = staged {
                self.peer.handle(hub::Input::Stage(Box::new(staged)), self.now);
            }
        }
        self.drain_peer()?;
        self.commanded.extend(self.hub.commanded_sites()?);
        // What a site has done may have come to another worker.
        self.commanded.extend(self.retained.keys().filter_map(|topic| match Topic::parse(topic) {
            Some(Topic::Command(site)) => Some(site),
            _ => None,
        }));
        if self.leads_until.is_some() {
            self.compare_at = Some(self.compare_at.map_or(self.now, |at| at.max(self.now)));
        }
        if self.changes.is_some() {
            self.outputs.push_back(Output::AccessChanged);
        }
        self.changes = Some(changes);
        Ok(())
    }

    /// Carries out what the peer wants: retained messages are remembered, chunks
    /// are sent by whoever claims them first.
    fn drain_peer(&mut self) -> Result<(), HubError> {
        let mut chunks = Vec::new();
        while let Some(output) = self.peer.poll() {
            match output {
                hub::Output::Publish { topic, payload, retain: true, .. } => {
                    self.wanted.insert(topic.to_string(), payload);
                }
                hub::Output::Publish { topic, payload, asked, .. } => {
                    chunks.push((topic.to_string(), payload, asked.unwrap_or(self.now)));
                }
                hub::Output::Behind { collection, site, seen } => {
                    if self.hub.note_behind(&collection, site.as_str(), seen)? {
                        self.outputs.push_back(Output::Note(format!(
                            "{site} has had version {seen} of \"{collection}\", which this hub \
                             does not know: `jibu-hub publish {collection} --above {seen}`"
                        )));
                    }
                }
            }
        }
        let ours = match self.config.shares && !chunks.is_empty() {
            true => {
                let asked = chunks.iter().map(|(topic, _, asked)| (topic.as_str(), *asked));
                self.hub.claim_chunks(&asked.collect::<Vec<_>>(), self.now)?
            }
            false => vec![true; chunks.len()],
        };
        for ((topic, payload, _), is_ours) in chunks.into_iter().zip(ours) {
            if is_ours {
                self.outputs.push_back(Output::Publish { topic, payload, retain: false });
            }
        }
        Ok(())
    }

    /// Publishes what the broker should retain and does not, when it is time.
    fn compare(&mut self) -> Result<(), HubError> {
        if self.leads_until.is_none() {
            self.compare_at = None;
            return Ok(());
        }
        match self.compare_at {
            Some(at) if at > self.now => return Ok(()),
            Some(_) => self.compare_retained(),
            None => {}
        }
        self.compare_at = None;
        self.send_commands()
    }

    fn compare_retained(&mut self) {
        let mut differ: Vec<(String, Vec<u8>)> = Vec::new();
        for (topic, payload) in &self.wanted {
            let there = self.retained.get(topic).map(Vec::as_slice).unwrap_or_default();
            if there != payload.as_slice() {
                differ.push((topic.clone(), payload.clone()));
            }
        }
        // Deltas for versions that were dropped while nobody was here.
        let is_delta = |topic: &&String| matches!(Topic::parse(topic), Some(Topic::Delta { .. }));
        let stale = self.retained.keys().filter(is_delta);
        let stale = stale.filter(|topic| !self.wanted.contains_key(*topic));
        differ.extend(stale.map(|topic| (topic.clone(), Vec::new())));
        for (topic, payload) in differ {
            self.retain(topic, payload);
        }
        // What is cleared once need not be remembered.
        self.wanted.retain(|_, payload| !payload.is_empty());
    }

    fn send_commands(&mut self) -> Result<(), HubError> {
        for site in std::mem::take(&mut self.commanded) {
            let payload = self.hub.commands_for(&site)?;
            let topic = Topic::Command(site).to_string();
            let there = self.retained.get(&topic).map(Vec::as_slice).unwrap_or_default();
            if there != payload.as_slice() {
                self.retain(topic, payload);
            }
        }
        Ok(())
    }

    fn retain(&mut self, topic: String, payload: Vec<u8>) {
        match payload.is_empty() {
            true => self.retained.remove(&topic),
            false => self.retained.insert(topic.clone(), payload.clone()),
        };
        self.outputs.push_back(Output::Publish { topic, payload, retain: true });
    }

    fn publish(&mut self, topic: Topic, payload: Vec<u8>) {
        let topic = topic.to_string();
        self.outputs.push_back(Output::Publish { topic, payload, retain: false });
    }
}

/// Where a claim is answered.
fn answer_of(topic: &Topic) -> Topic {
    match topic {
        Topic::Enrol(site) => Topic::Enrolled(site.clone()),
        Topic::Renew(site) => Topic::Renewed(site.clone()),
        other => other.clone(),
    }
}

impl Hub {
    /// Takes a task for a worker until then, or keeps it; whether it has it.
    fn lease(
        &mut self,
        task: &str,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, HubError> {
        let doing = while_("taking a lease");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let taken = transaction
            .execute(
                "INSERT INTO lease (task, worker, until_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (task) DO UPDATE
                 SET worker = excluded.worker, until_ms = excluded.until_ms
                 WHERE lease.worker = excluded.worker OR lease.until_ms < ?4",
                values![task, worker, until.unix_ms(), now.unix_ms()],
            )
            .map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        Ok(taken > 0)
    }

    /// Claims chunks: each is this worker's if nobody has sent it since it was
    /// last asked for.
    fn claim_chunks(
        &mut self,
        chunks: &[(&str, Timestamp)],
        now: Timestamp,
    ) -> Result<Vec<bool>, HubError> {
        let doing = while_("claiming chunks");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let mut ours = Vec::new();
        for (topic, asked) in chunks {
            let claimed = transaction
                .execute(
                    "INSERT INTO sent (topic, at_ms) VALUES (?1, ?2)
                     ON CONFLICT (topic) DO UPDATE SET at_ms = excluded.at_ms
                     WHERE sent.at_ms <= ?3",
                    values![*topic, now.unix_ms(), asked.unix_ms()],
                )
                .map_err(&doing)?;
            ours.push(claimed > 0);
        }
        // Who still waits for what was sent a day ago asks again.
        let day = Duration::from_secs(86_400);
        transaction
            .execute("DELETE FROM sent WHERE at_ms < ?1", values![(now - day).unix_ms()])
            .map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        Ok(ours)
    }

    /// A number that is another after everything that workers must look at.
    fn changes(&mut self) -> Result<i64, HubError> {
        let doing = while_("looking for changes");
        let rows = self.database.query("SELECT changes FROM hub", values![]).map_err(&doing)?;
        rows.first().ok_or(HubError::DamagedRow("hub"))?.get(0).map_err(&doing)
    }
}

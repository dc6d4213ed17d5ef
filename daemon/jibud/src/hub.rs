//! The link to the hub: one thread that hands messages and time to the
//! collections' followers, and their wishes to the connection.

pub mod credentials;
pub mod enrol;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jibu_mqtt::{Broker, Command, Event, Message, QoS};
use jibu_sync::PublicKey;
use jibu_sync::site::Input;
use jibu_sync::wire::{Report, SiteName, State, Topic};
use jibu_types::{CollectionName, Timestamp};
use tokio::sync::mpsc::Sender;

use self::credentials::{Credentials, CredentialsError};
use crate::clock::now;
use crate::config::{Config, Link};
use crate::index::follower::{Follower, Stores, Wish};
use crate::library::Engine;
use crate::vitals::Vitals;

/// How often it is looked whether somebody else has changed what answers, and a
/// follower that failed is opened anew.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Before this program was written no clock can be right.
const WRITTEN: i64 = 1_763_000_000_000;

/// Who this site is to its hub, and whose signature counts; a site that was not
/// enrolled has no name there.
///
/// # Errors
/// When no hub is trusted yet, or the enrolment is damaged or another hub's than
/// the configuration's.
pub fn trusted(config: &Config) -> anyhow::Result<(SiteName, PublicKey)> {
    match (Credentials::read(&config.credentials), config.hub_key) {
        (Ok(own), Some(key)) if key != own.hub => bail!(
            "hub.public_key is not the key of the hub that this site is enrolled at: take it out \
             of the configuration, or enrol again"
        ),
        (Ok(own), _) => Ok((own.site, own.hub)),
        (Err(CredentialsError::None(_)), Some(key)) => Ok((SiteName::parse("unenrolled")?, key)),
        (Err(CredentialsError::None(_)), None) => bail!(
            "no hub is trusted yet: enrol (jibud enrol), or put what `jibu-hub init` prints into \
             hub.public_key of the configuration"
        ),
        (Err(error), _) => Err(error.into()),
    }
}

/// Connects and follows, on the present tokio runtime and a thread of its own.
///
/// # Errors
/// When the site is not enrolled, or a store cannot be opened. A broker may come
/// later.
pub fn start(
    config: &Arc<Config>,
    link: &Link,
    engine: &Arc<Engine>,
    vitals: &Arc<Vitals>,
) -> anyhow::Result<()> {
    let trusted = trusted(config)?;
    let own = Credentials::read(&config.credentials)?;
    let mut stores = Stores::open(config)?;
    let session = stores.next_session()?;

    let tls = if link.with_tls { Some(own.tls()?) } else { None };
    let broker = Broker { host: link.host.clone(), port: link.port, tls };
    let mut connection = jibu_mqtt::Config::new(broker, own.site.as_str());
    connection.keep_alive = jibu_mqtt::keep_alive(link.rate);
    connection.last_will = Some(last_will(&own, session));
    let mut handle = jibu_mqtt::spawn(connection);
    // The connection never waits for the thread, which may be embedding.
    let (tell, events) = channel();
    tokio::spawn(async move {
        while let Some(event) = handle.events.recv().await {
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    let following = Following {
        config: Arc::clone(config),
        engine: Arc::clone(engine),
        vitals: Arc::clone(vitals),
        rate: link.rate.map(|bits| bits / 8),
        own,
        trusted,
        stores,
        followers: BTreeMap::new(),
        reports: BTreeMap::new(),
        commands: handle.commands,
        events,
        began: Instant::now(),
        looked: None,
        connected: false,
        session,
        next_session: session,
        stated: 0,
    };
    std::thread::Builder::new()
        .name("hub".into())
        .spawn(|| following.run())
        .context("no thread could be started")?;
    Ok(())
}

struct Following {
    config: Arc<Config>,
    engine: Arc<Engine>,
    vitals: Arc<Vitals>,
    own: Credentials,
    trusted: (SiteName, PublicKey),
    /// Bytes a second.
    rate: Option<u32>,
    stores: Stores,
    followers: BTreeMap<CollectionName, Follower>,
    reports: BTreeMap<CollectionName, Report>,
    commands: Sender<Command>,
    events: Receiver<Event>,
    began: Instant,
    looked: Option<Instant>,
    connected: bool,
    /// The present session, and the one whose last will is signed already.
    session: u32,
    next_session: u32,
    /// States of this session.
    stated: u32,
}

impl Following {
    fn run(mut self) {
        loop {
            if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
                self.looked = Some(Instant::now());
                self.look();
            }
            match self.events.recv_timeout(self.wait()) {
                Ok(event) => self.event(event),
                Err(RecvTimeoutError::Timeout) => self.all(|| Input::Tick),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // What came before a deadline is handled before it: a trial may have
            // taken minutes.
            while let Ok(event) = self.events.try_recv() {
                self.event(event);
            }
        }
    }

    fn steady(&self) -> Timestamp {
        Timestamp::default() + self.began.elapsed()
    }

    fn wait(&self) -> Duration {
        let next = self.followers.values().filter_map(Follower::deadline).min();
        let now = self.steady();
        let until =
            next.map_or(LOOK_EVERY, |at| if at > now { at.since(now) } else { Duration::ZERO });
        until.min(LOOK_EVERY)
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected => {
                self.connected = true;
                self.vitals.hub_link(Ok(()));
                tracing::info!("connected to the hub");
                self.begin_session();
                self.all(|| Input::Connected);
            }
            Event::Message { topic, payload } => {
                let collection = Topic::parse(&topic).and_then(|t| t.collection().cloned());
                if let Some(collection) = collection {
                    self.give(&collection, Input::Message { topic: &topic, payload: &payload });
                }
            }
            Event::Disconnected { reason, retry_in } => {
                if self.connected {
                    self.connected = false;
                    self.all(|| Input::Disconnected);
                }
                tracing::info!(reason, retry_in_s = retry_in.as_secs(), "no link to the hub");
                self.vitals.hub_link(Err(reason));
            }
        }
    }

    /// Opens what is not followed yet or was overtaken, and tells the calendar.
    fn look(&mut self) {
        let calendar = Some(now()).filter(|now| now.unix_ms() > WRITTEN);
        for collection in self.own.collections.clone() {
            let follower = self.followers.get(&collection);
            let is_overtaken = follower.is_some_and(|follower| {
                follower.is_overtaken(&self.stores).unwrap_or_else(|error| {
                    tracing::warn!(%error, "the index cannot be looked at");
                    false
                })
            });
            if follower.is_some() && !is_overtaken {
                self.give(&collection, Input::Calendar(calendar));
                continue;
            }
            let steady = self.steady();
            let opened = Follower::open(
                Arc::clone(&self.config),
                Arc::clone(&self.engine),
                collection.clone(),
                self.trusted.clone(),
                &mut self.stores,
                steady,
            );
            match opened {
                Ok(follower) => {
                    self.followers.insert(collection.clone(), follower);
                    self.give(&collection, Input::Calendar(calendar));
                    if self.connected {
                        self.give(&collection, Input::Connected);
                    }
                }
                Err(error) => {
                    tracing::error!(%collection, "cannot be followed: {error:#}");
                }
            }
        }
    }

    fn all(&mut self, input: impl Fn() -> Input<'static>) {
        let collections: Vec<CollectionName> = self.followers.keys().cloned().collect();
        for collection in collections {
            self.give(&collection, input());
        }
    }

    fn give(&mut self, collection: &CollectionName, input: Input<'_>) {
        let steady = self.steady();
        let Some(follower) = self.followers.get_mut(collection) else { return };
        let handled = follower.handle(input, steady, &mut self.stores);
        let wishes = follower.wishes();
        self.vitals.collection(follower.status());
        if let Err(error) = handled {
            tracing::error!(%collection, "following failed, tried again soon: {error:#}");
            self.followers.remove(collection);
            return;
        }
        wishes.into_iter().for_each(|wish| self.grant(wish));
    }

    fn grant(&mut self, wish: Wish) {
        let names = |topics: Vec<Topic>| topics.iter().map(ToString::to_string).collect();
        let command = match wish {
            Wish::Subscribe(topics) => Command::Subscribe(names(topics), QoS::AtMostOnce),
            Wish::Unsubscribe(topics) => Command::Unsubscribe(names(topics)),
            Wish::Publish { topic, payload } => publish(&topic, payload, false),
            Wish::Report(report) => {
                self.reports.insert(report.collection.clone(), report);
                self.state()
            }
        };
        self.command(command);
    }

    /// The last will of this session is signed already; the next one's is signed
    /// now, because the connection may break and come back without asking.
    fn begin_session(&mut self) {
        self.session = self.next_session;
        self.stated = 0;
        match self.stores.next_session() {
            Ok(next) => {
                self.next_session = next;
                self.command(Command::LastWill(last_will(&self.own, next)));
            }
            Err(error) => tracing::error!(%error, "the session's number cannot be kept"),
        }
    }

    /// What this site says of itself, in its signature.
    fn state(&mut self) -> Command {
        let counter = State::counter(self.session, self.stated);
        self.stated += 1;
        let reports = self.reports.values().cloned().collect();
        let state = State { counter, online: true, done: 0, rate: self.rate, reports };
        let payload = state.sign(&self.own.site, &self.own.key);
        publish(&Topic::State(self.own.site.clone()), payload, true)
    }

    fn command(&self, command: Command) {
        // It is gone only when the daemon ends.
        let _ = self.commands.blocking_send(command);
    }
}

/// What the hub reads when this site goes away without a word.
fn last_will(own: &Credentials, session: u32) -> Message {
    let counter = State::counter(session, State::WILL);
    let will = State { counter, online: false, done: 0, rate: None, reports: Vec::new() };
    let topic = Topic::State(own.site.clone()).to_string();
    let payload = will.sign(&own.site, &own.key);
    Message { topic, payload, qos: QoS::AtMostOnce, retain: true }
}

fn publish(topic: &Topic, payload: Vec<u8>, retain: bool) -> Command {
    let topic = topic.to_string();
    Command::Publish(Message { topic, payload, qos: QoS::AtMostOnce, retain })
}

//! The link to the hub: one thread that hands messages and time to the
//! collections' followers, and their wishes to the connection.

pub mod credentials;
pub mod enrol;
mod telling;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use jibu_answer::{Medium, Words};
use jibu_mqtt::{Broker, Command, Event, Message, QoS};
use jibu_spool::{AnswerSummary, MessageId, ModemName};
use jibu_store::Asker;
use jibu_sync::command::{self, Numbered};
use jibu_sync::enrol::Grant;
use jibu_sync::site::Input;
use jibu_sync::wire::{Report, SiteName, State, Topic};
use jibu_sync::{PublicKey, telemetry};
use jibu_types::{Channel, CollectionName, Timestamp};
use tokio::sync::mpsc::Sender;

use self::credentials::{Credentials, CredentialsError, claim};
use self::telling::Telling;
use crate::clock::{calendar, now};
use crate::config::{Address, Config, Link};
use crate::index::follower::{Follower, Stores, Wish};
use crate::library::Engine;
use crate::sms;
use crate::spooling::{self, Commanded, DONE};
use crate::vitals::Vitals;

/// How often it is looked whether somebody else has changed what answers, and a
/// follower that failed is opened anew.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How long the hub is given to answer a renewal before it is asked again.
const RENEW_AGAIN: Duration = Duration::from_secs(300);

/// How long the spool may take to save a message.
const SAVE: Duration = Duration::from_secs(20);

/// What the thread is told.
pub enum Told {
    /// The connection has something to tell.
    Link(Event),
    /// Somebody wishes for a person, about this question.
    Person {
        /// Who.
        asker: Asker,
        /// The question.
        text: String,
    },
    /// A question had no answer.
    Unanswered {
        /// Whose.
        asker: Asker,
        /// The question.
        text: String,
    },
}

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

/// Connects and follows, on the present tokio runtime and a thread of its own;
/// `spool` gets the replies of the hub's people.
///
/// # Errors
/// When the site is not enrolled, or a store cannot be opened. A broker may come
/// later.
pub fn start(
    config: &Arc<Config>,
    link: &Link,
    engine: &Arc<Engine>,
    vitals: &Arc<Vitals>,
    spool: mpsc::Sender<spooling::Told>,
) -> anyhow::Result<mpsc::Sender<Told>> {
    let trusted = trusted(config)?;
    let own = Credentials::read(&config.credentials)?;
    let mut stores = Stores::open(config)?;
    let session = stores.next_session()?;

    let done = stores.state().setting(DONE)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let began = Instant::now();
    let telling = Telling::open(own.site.clone(), stores.state(), Timestamp::default())?;
    let (tell, told) = channel();
    let runtime = tokio::runtime::Handle::current();
    let commands = connect(&runtime, link, &own, (session, done), tell.clone())?;
    let following = Following {
        config: Arc::clone(config),
        engine: Arc::clone(engine),
        vitals: Arc::clone(vitals),
        link: link.clone(),
        runtime,
        tell: tell.clone(),
        spool,
        telling,
        done,
        own,
        trusted,
        stores,
        followers: BTreeMap::new(),
        reports: BTreeMap::new(),
        commands,
        told,
        began,
        looked: None,
        connected: false,
        session,
        next_session: session,
        stated: 0,
        renew_at: Timestamp::default(),
    };
    std::thread::Builder::new()
        .name("hub".into())
        .spawn(|| following.run())
        .context("no thread could be started")?;
    Ok(tell)
}

/// Connects with what the enrolment gave, the last will of this session signed.
fn connect(
    runtime: &tokio::runtime::Handle,
    link: &Link,
    own: &Credentials,
    (session, done): (u32, u64),
    tell: mpsc::Sender<Told>,
) -> anyhow::Result<Sender<Command>> {
    let Address { host, port, with_tls } = link.address.clone();
    let tls = if with_tls { Some(own.tls()?) } else { None };
    let broker = Broker { host, port, tls };
    let mut connection = jibu_mqtt::Config::new(broker, own.site.as_str());
    connection.keep_alive = jibu_mqtt::keep_alive(link.rate);
    connection.last_will = Some(last_will(own, session, done));
    let _inside = runtime.enter();
    let mut handle = jibu_mqtt::spawn(connection);
    // The connection never waits for the thread, which may be embedding.
    runtime.spawn(async move {
        while let Some(event) = handle.events.recv().await {
            if tell.send(Told::Link(event)).is_err() {
                return;
            }
        }
    });
    Ok(handle.commands)
}

struct Following {
    config: Arc<Config>,
    engine: Arc<Engine>,
    vitals: Arc<Vitals>,
    own: Credentials,
    trusted: (SiteName, PublicKey),
    link: Link,
    runtime: tokio::runtime::Handle,
    tell: mpsc::Sender<Told>,
    spool: mpsc::Sender<spooling::Told>,
    telling: Telling,
    /// The highest command that was carried out.
    done: u64,
    stores: Stores,
    followers: BTreeMap<CollectionName, Follower>,
    reports: BTreeMap<CollectionName, Report>,
    commands: Sender<Command>,
    told: Receiver<Told>,
    began: Instant,
    looked: Option<Instant>,
    connected: bool,
    /// The present session, and the one whose last will is signed already.
    session: u32,
    next_session: u32,
    /// States of this session.
    stated: u32,
    /// When a renewal is asked for at the earliest.
    renew_at: Timestamp,
}

impl Following {
    fn run(mut self) {
        loop {
            if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
                self.looked = Some(Instant::now());
                self.look();
            }
            match self.told.recv_timeout(self.wait()) {
                Ok(told) => self.told(told),
                Err(RecvTimeoutError::Timeout) => self.all(|| Input::Tick),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.renew_in_time();
            // What came before a deadline is handled before it: a trial may have
            // taken minutes.
            while let Ok(told) = self.told.try_recv() {
                self.told(told);
            }
            let steady = self.steady();
            let state = self.stores.state();
            let ticked = self.telling.tick(&self.config, &self.vitals, steady, state);
            self.publish_told(ticked);
        }
    }

    fn told(&mut self, told: Told) {
        let steady = self.steady();
        let state = self.stores.state();
        let done = match told {
            Told::Link(event) => return self.event(event),
            Told::Person { asker, text } => self.telling.person(&asker, text, steady, state),
            Told::Unanswered { asker, text } => {
                self.telling.unanswered(&asker, &text, steady, state)
            }
        };
        self.publish_told(done);
    }

    fn tell_queue(&mut self, input: telemetry::Input<'_>) {
        let steady = self.steady();
        let done = self.telling.handle(input, steady, self.stores.state());
        self.publish_told(done);
    }

    fn publish_told(&mut self, done: anyhow::Result<()>) {
        if let Err(error) = done {
            tracing::error!("what the hub is to be told cannot be kept: {error:#}");
        }
        for (topic, payload) in self.telling.published() {
            self.command(publish(&topic, payload, false));
        }
    }

    fn steady(&self) -> Timestamp {
        Timestamp::default() + self.began.elapsed()
    }

    fn wait(&self) -> Duration {
        let followers = self.followers.values().filter_map(Follower::deadline);
        let next = followers.chain(self.telling.deadline()).min();
        let now = self.steady();
        let until =
            next.map_or(LOOK_EVERY, |at| if at > now { at.since(now) } else { Duration::ZERO });
        until.min(LOOK_EVERY).min(self.until_renewal())
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected { resumed } => {
                self.connected = true;
                self.vitals.hub_link(Ok(()));
                tracing::info!("connected to the hub");
                self.begin_session();
                self.all(|| Input::Connected { resumed });
                let site = &self.own.site;
                let topics = [Topic::Ack(site.clone()), Topic::Renewed(site.clone())];
                let topics = topics.iter().map(ToString::to_string).collect();
                self.command(Command::Subscribe(topics, QoS::AtMostOnce));
                let commands = vec![Topic::Command(self.own.site.clone()).to_string()];
                self.command(Command::Subscribe(commands, QoS::AtLeastOnce));
                self.tell_queue(telemetry::Input::Connected);
                self.renew_at = self.steady();
            }
            Event::Message { topic, payload } => {
                let parsed = Topic::parse(&topic);
                if let Some(collection) = parsed.as_ref().and_then(Topic::collection).cloned() {
                    self.give(&collection, Input::Message { topic: &topic, payload: &payload });
                }
                match parsed {
                    Some(Topic::Ack(_)) => self.tell_queue(telemetry::Input::Ack(&payload)),
                    Some(Topic::Command(_)) => self.commanded(&payload),
                    Some(Topic::Renewed(_)) => self.renewed(&payload),
                    _ => {}
                }
            }
            Event::Disconnected { reason, retry_in } => {
                if self.connected {
                    self.connected = false;
                    self.all(|| Input::Disconnected);
                    self.tell_queue(telemetry::Input::Disconnected);
                }
                tracing::info!(reason, retry_in_s = retry_in.as_secs(), "no link to the hub");
                self.vitals.hub_link(Err(reason));
            }
        }
    }

    /// Opens what is not followed yet or was overtaken, and tells the calendar.
    fn look(&mut self) {
        let calendar = calendar();
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
                        self.give(&collection, Input::Connected { resumed: false });
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
                self.command(Command::LastWill(last_will(&self.own, next, self.done)));
            }
            Err(error) => tracing::error!(%error, "the session's number cannot be kept"),
        }
    }

    /// What this site says of itself, in its signature.
    fn state(&mut self) -> Command {
        let counter = State::counter(self.session, self.stated);
        self.stated += 1;
        let reports = self.reports.values().cloned().collect();
        // What the link was seen to bring, or else what is said of it.
        let measured = self.followers.values().filter_map(Follower::rate).max();
        let rate = measured.or(self.link.rate.map(|bits| bits / 8));
        let state = State { counter, online: true, done: self.done, rate, reports };
        let payload = state.sign(&self.own.site, &self.own.key);
        publish(&Topic::State(self.own.site.clone()), payload, true)
    }

    /// Carries out what the hub wants and was not done before.
    fn commanded(&mut self, payload: &[u8]) {
        let Some(list) = command::verify(payload, &self.own.site, &self.own.hub) else {
            if !payload.is_empty() {
                tracing::warn!("a command that the hub did not sign for this site");
            }
            return;
        };
        let before = self.done;
        for Numbered { number, command } in list {
            if number <= self.done {
                continue;
            }
            if let Err(error) = self.carry_out(number, &command) {
                tracing::error!(number, "a command was not carried out: {error:#}");
                break;
            }
            if let Err(error) = self.stores.state().set_setting(DONE, &number.to_string()) {
                tracing::error!(%error, "a command's number cannot be kept");
                break;
            }
            self.done = number;
        }
        if self.done > before {
            let state = self.state();
            self.command(state);
        }
    }

    fn carry_out(&mut self, number: u64, command: &command::Command) -> anyhow::Result<()> {
        match command {
            command::Command::Reply { asker, text } => self.reply(number, asker, text),
            command::Command::RenewKey => self.renew(),
            command::Command::Follow { root } => {
                self.follow(root);
                Ok(())
            }
            command::Command::Policy { unanswered } => {
                self.telling.set_policy(*unanswered, self.stores.state())
            }
        }
    }

    /// Takes a version that only some sites are to have yet.
    fn follow(&mut self, root: &[u8]) {
        // Whichever collection the root is of takes it: it is signed.
        for collection in self.followers.keys().cloned().collect::<Vec<_>>() {
            let topic = Topic::Root(collection.clone()).to_string();
            self.give(&collection, Input::Message { topic: &topic, payload: root });
        }
    }

    /// Sends a person's reply to whoever asked.
    fn reply(&mut self, number: u64, asker: &[u8], text: &str) -> anyhow::Result<()> {
        let asker = self.stores.state().asker(asker)?;
        // Nobody can be told; the hub need not say it again.
        let (Some(asker), Some(modem)) = (asker, self.config.first_sender()) else {
            tracing::warn!("a reply is for nobody that this box knows");
            return Ok(());
        };
        // In place of a message's number, so that neighbouring replies differ.
        let seed = MessageId(now().unix_ms());
        let sms = &self.config.sms;
        let text = sms.cheapest(text, Words::Quoted(asker.language));
        let pdus = sms::pdus(sms, seed, &asker.number, &[text])?;
        tracing::info!(to = %asker.number, parts = pdus.len(), "a person's reply");
        let summary = AnswerSummary {
            kind: "person's reply".into(),
            language: asker.language.to_string(),
            details: serde_json::json!({ "parts": pdus.len() }).to_string(),
        };
        let modem = ModemName(modem.to_owned());
        let (channel, recipient) = (Channel::Sms, asker.number);
        // The spool saves it and the command's number together.
        let (saved, heard) = mpsc::channel();
        let command = Some(Commanded { number, saved });
        let follows = spooling::Told::Follows { channel, modem, recipient, pdus, summary, command };
        self.spool.send(follows).context("the spool has ended")?;
        heard.recv_timeout(SAVE).context("the spool could not save the reply yet")
    }

    /// How long it is until the certificate is to be renewed: when a third of its
    /// time is left. A box without a clock keeps it: the hub can tell it to renew.
    fn until_renewal(&self) -> Duration {
        let Some(now) = calendar().filter(|_| self.connected) else { return Duration::MAX };
        let asked = self.renew_at.since(self.steady());
        self.own.renew_from().since(now).max(asked)
    }

    fn renew_in_time(&mut self) {
        if self.until_renewal() > Duration::ZERO {
            return;
        }
        self.renew_at = self.steady() + RENEW_AGAIN;
        tracing::info!(until = %self.own.until, "the certificate is to be renewed");
        if let Err(error) = self.renew() {
            tracing::error!("the certificate cannot be renewed: {error:#}");
        }
    }

    /// Asks for a certificate of a new key, which the present one vouches for.
    fn renew(&mut self) -> anyhow::Result<()> {
        let (key, claim) = claim(&self.config.credentials, &self.own.site)?;
        let payload = claim.renew(&key, &self.own.key);
        self.command(publish(&Topic::Renew(self.own.site.clone()), payload, false));
        Ok(())
    }

    /// Takes the new certificate and comes back with it.
    fn renewed(&mut self, payload: &[u8]) {
        let folder = &self.config.credentials;
        let taken = (|| {
            let (key, claim) = claim(folder, &self.own.site)?;
            let Some(grant) = Grant::verify(payload, &claim, &self.own.hub) else {
                return Ok(false);
            };
            Credentials::keep(folder, &key, &grant)?;
            self.own = Credentials::read(folder)?;
            let begun = (self.next_session, self.done);
            let (runtime, tell) = (&self.runtime, self.tell.clone());
            self.commands = connect(runtime, &self.link, &self.own, begun, tell)?;
            anyhow::Ok(true)
        })();
        match taken {
            Ok(true) => {
                tracing::info!(until = %self.own.until, "the certificate is renewed");
                self.connected = false;
                self.all(|| Input::Disconnected);
                self.tell_queue(telemetry::Input::Disconnected);
            }
            Ok(false) => {}
            Err(error) => tracing::error!("the certificate was not renewed: {error:#}"),
        }
    }

    fn command(&self, command: Command) {
        // It is gone only when the daemon ends.
        let _ = self.commands.blocking_send(command);
    }
}

/// What the hub reads when this site goes away without a word.
fn last_will(own: &Credentials, session: u32, done: u64) -> Message {
    let counter = State::counter(session, State::WILL);
    let will = State { counter, online: false, done, rate: None, reports: Vec::new() };
    let topic = Topic::State(own.site.clone()).to_string();
    let payload = will.sign(&own.site, &own.key);
    Message { topic, payload, qos: QoS::AtMostOnce, retain: true }
}

fn publish(topic: &Topic, payload: Vec<u8>, retain: bool) -> Command {
    let topic = topic.to_string();
    Command::Publish(Message { topic, payload, qos: QoS::AtMostOnce, retain })
}

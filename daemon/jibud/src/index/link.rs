//! Follows the hub over MQTT: one thread that hands messages and time to the
//! collections' followers, and their wishes to the connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use jibu_mqtt::{Command, Event, Message, QoS};
use jibu_sync::PublicKey;
use jibu_sync::site::Input;
use jibu_sync::wire::{Report, Topic, encode_state};
use jibu_types::{CollectionName, Timestamp};
use tokio::sync::mpsc::Sender;

use super::follower::{Follower, Stores, Wish};
use crate::clock::now;
use crate::config::{Config, Link};
use crate::library::Engine;
use crate::vitals::Vitals;

/// How often it is looked whether somebody else has changed what answers, and a
/// follower that failed is opened anew.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Before this program was written no clock can be right.
const WRITTEN: i64 = 1_763_000_000_000;

/// Connects and follows, on the present tokio runtime and a thread of its own.
///
/// # Errors
/// When the stores cannot be opened or no thread be started. A broker may come
/// later.
pub fn start(
    config: &Arc<Config>,
    link: Link,
    hub: PublicKey,
    engine: &Arc<Engine>,
    vitals: &Arc<Vitals>,
) -> anyhow::Result<()> {
    let mut connection = jibu_mqtt::Config::new(link.broker.clone(), link.site.as_str());
    connection.keep_alive = link.keep_alive;
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
        stores: Stores::open(config)?,
        link,
        hub,
        followers: BTreeMap::new(),
        reports: BTreeMap::new(),
        commands: handle.commands,
        events,
        began: Instant::now(),
        looked: None,
        connected: false,
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
    stores: Stores,
    link: Link,
    hub: PublicKey,
    followers: BTreeMap<CollectionName, Follower>,
    reports: BTreeMap<CollectionName, Report>,
    commands: Sender<Command>,
    events: Receiver<Event>,
    began: Instant,
    looked: Option<Instant>,
    connected: bool,
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
        for collection in self.link.collections.clone() {
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
                self.hub,
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
                let reports: Vec<Report> = self.reports.values().cloned().collect();
                publish(&Topic::State(self.link.site.clone()), encode_state(&reports), true)
            }
        };
        // It is gone only when the daemon ends.
        let _ = self.commands.blocking_send(command);
    }
}

fn publish(topic: &Topic, payload: Vec<u8>, retain: bool) -> Command {
    let topic = topic.to_string();
    Command::Publish(Message { topic, payload, qos: QoS::AtMostOnce, retain })
}

//! What its users see of a connection.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::Tls;

/// How surely a message arrives (MQTT v5 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QoS {
    /// Once at most.
    AtMostOnce,
    /// Once at least, while the connection holds.
    AtLeastOnce,
}

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where.
    pub topic: String,
    /// The bytes.
    pub payload: Vec<u8>,
    /// How surely.
    pub qos: QoS,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
}

/// Where the broker is.
#[derive(Debug, Clone)]
pub struct Broker {
    /// A name or an address.
    pub host: String,
    /// The port: by custom 8883 with TLS, 1883 without.
    pub port: u16,
    /// How the two know each other; `None` for a broker on this machine.
    pub tls: Option<Tls>,
}

/// A name and a password.
#[derive(Clone)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password, shown nowhere.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A connection, as configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The broker.
    pub broker: Broker,
    /// The client identifier: one connection at a time has it.
    pub client: String,
    /// For brokers that ask.
    pub credentials: Option<Credentials>,
    /// What the broker publishes when this end goes away without a word;
    /// [`Command::LastWill`] changes it.
    pub last_will: Option<Message>,
    /// After how long a silent end is taken for gone; see [`keep_alive`].
    pub keep_alive: Duration,
    /// How long the broker keeps subscriptions and unread QoS 1 messages.
    pub session_expiry: Duration,
    /// How long connecting may take.
    pub open_timeout: Duration,
    /// The longest wait between two tries to connect. The first is a second or
    /// so, and they grow.
    pub reconnect_at_most: Duration,
    /// The largest packet that is taken, in bytes.
    pub max_packet: u32,
}

impl Config {
    /// The usual values.
    pub fn new(broker: Broker, client: impl Into<String>) -> Self {
        Config {
            broker,
            client: client.into(),
            credentials: None,
            last_will: None,
            keep_alive: keep_alive(None),
            session_expiry: Duration::from_secs(7 * 24 * 3600),
            open_timeout: Duration::from_secs(60),
            reconnect_at_most: Duration::from_secs(15 * 60),
            max_packet: 10 * 1024,
        }
    }
}

/// A keep-alive for a link of so many bits per second: a ping waits behind all
/// that is on its way, and the client does not count traffic as life, so a window
/// of 32 KiB must pass four times over. Five minutes at least: a ping costs some
/// 200 bytes with TLS, and the mobile networks' translators forget a connection
/// that is silent for longer.
pub fn keep_alive(bits_per_second: Option<u32>) -> Duration {
    const WINDOW_BITS: u64 = 32 * 1024 * 8;
    let window = bits_per_second.map_or(0, |rate| WINDOW_BITS / u64::from(rate.max(1)));
    Duration::from_secs((4 * window).clamp(300, 3600))
}

/// A running connection. Dropping `commands` ends it with a DISCONNECT; what was
/// commanded before is sent first.
#[derive(Debug)]
pub struct Handle {
    /// What to do.
    pub commands: mpsc::Sender<Command>,
    /// What happened. A listener that is slow slows the connection down.
    pub events: mpsc::Receiver<Event>,
}

/// What to do. While there is no connection all but the last will is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Publish a message.
    Publish(Message),
    /// Subscribe to topic filters; retained messages come, though they may have
    /// come before.
    Subscribe(Vec<String>, QoS),
    /// End subscriptions.
    Unsubscribe(Vec<String>),
    /// The last will of the next connection.
    LastWill(Message),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The broker has taken the connection: subscribe now, and publish what it
    /// should know.
    Connected {
        /// Whether it has kept the session before, with its subscriptions.
        resumed: bool,
    },
    /// A message came.
    Message {
        /// Its topic.
        topic: String,
        /// Its bytes.
        payload: Vec<u8>,
    },
    /// There is no connection.
    Disconnected {
        /// Why, and what to do where something can be done.
        reason: String,
        /// When the next try comes.
        retry_in: Duration,
    },
}

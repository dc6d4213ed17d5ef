//! What an installation may set.

use std::time::Duration;

use crate::Tls;

/// The service centre's side of a message that never left is `jibu-modem`'s too.
pub use jibu_modem::{Command, Event, Handle};

/// One SMSC, as configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name by which logs and the spool know it.
    pub name: String,
    /// A name or an address.
    pub host: String,
    /// By custom 2775.
    pub port: u16,
    /// TLS below SMPP; none where a private line or a VPN hides what is said.
    pub tls: Option<Tls>,
    /// Who binds (SMPP 3.4 §5.2.1): at most 15 characters.
    pub system_id: String,
    /// Its password (§5.2.2).
    pub password: Password,
    /// The kind of system that the operator wants to see (§5.2.3); mostly empty.
    pub system_type: String,
    /// Over how many connections.
    pub bind: Bind,
    /// What messages are sent from: our number, a short code or a name. Empty
    /// leaves it to the SMSC.
    pub source: String,
    /// Its type of number and numbering plan (§5.2.5, §5.2.6).
    pub source_type: (u8, u8),
    /// Which destination addresses are ours (§5.2.7); mostly empty.
    pub address_range: String,
    /// What the SMSC takes `data_coding` 0 for.
    pub alphabet: DefaultAlphabet,
    /// After how much silence `enquire_link` asks whether the link still stands.
    pub enquire_every: Duration,
    /// How long the SMSC may take to answer; after that the connection is given up.
    pub response_timeout: Duration,
    /// How long the connection may take to open.
    pub open_timeout: Duration,
    /// The longest wait between two tries to connect; the first is a second or so.
    pub reconnect_at_most: Duration,
    /// Messages (SMSC octet and SMS-DELIVER, as [`Event::Incoming`] gave them) of
    /// which nobody knows whether the SMSC has our response: those that were
    /// committed before the start and whose answer has not left.
    pub in_doubt: Vec<Vec<u8>>,
}

impl Config {
    /// The usual values for an SMSC.
    pub fn new(name: impl Into<String>, host: impl Into<String>, port: u16) -> Self {
        Config {
            name: name.into(),
            host: host.into(),
            port,
            tls: None,
            system_id: String::new(),
            password: Password::default(),
            system_type: String::new(),
            bind: Bind::Transceiver,
            source: String::new(),
            source_type: (0, 0),
            address_range: String::new(),
            alphabet: DefaultAlphabet::Gsm7,
            enquire_every: Duration::from_secs(30),
            response_timeout: Duration::from_secs(60),
            open_timeout: Duration::from_secs(15),
            reconnect_at_most: Duration::from_secs(60),
            in_doubt: Vec::new(),
        }
    }
}

/// Over how many connections messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bind {
    /// One for both directions (`bind_transceiver`, SMPP 3.4 §4.1.5).
    #[default]
    Transceiver,
    /// One to send and one to receive (`bind_transmitter`, `bind_receiver`). Where
    /// one is lost, both are made again.
    Pair,
}

/// What the SMSC takes `data_coding` 0, "SMSC default alphabet", for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, a character an octet. What has an octet above 127 cannot be
    /// that, and is read as Latin-1.
    #[default]
    Gsm7,
    /// ISO 8859-1. Characters that it lacks leave as `?`.
    Latin1,
    /// ASCII. Characters that it lacks leave as `?`.
    Ascii,
}

/// A password. It never prints itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

/// Why a text is no password for SMPP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has 1 to 64 printable ASCII characters; SMPP 3.4 itself allows 8")]
pub struct PasswordError;

impl Password {
    /// Checks a password. More than the eight characters of §5.2.2 are let
    /// through, because some SMSCs want them.
    ///
    /// # Errors
    /// When it is empty, longer than 64, or holds anything but printable ASCII.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| (32..127).contains(&b));
        if fits { Ok(Password(text.to_owned())) } else { Err(PasswordError) }
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(****)")
    }
}

//! `[hub]`: whose versions are accepted, and the link to it.

use std::path::PathBuf;

use jibu_sync::PublicKey;
use serde::Deserialize;

use super::{Check, ConfigError, quoted};

/// The link to the hub. Who this site is and what it follows stands in its
/// enrolment.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where its broker is.
    pub address: Address,
    /// Bytes that an update may cost before somebody allows more.
    pub update_budget: u64,
    /// The link's rate in bits per second, where it is known.
    pub rate: Option<u32>,
}

/// Where a broker is: `mqtts://HOST:PORT`, or `mqtt://` without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an address.
    pub host: String,
    /// Its port; by custom 8883, and 1883 without TLS.
    pub port: u16,
    /// Whether what is said is hidden from who listens.
    pub with_tls: bool,
}

impl Address {
    /// Reads the text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (with_tls, rest) = match text.split_once("://") {
            Some(("mqtts", rest)) => (true, rest.trim_end_matches('/')),
            Some(("mqtt", rest)) => (false, rest.trim_end_matches('/')),
            _ => return Err("it begins with mqtts://, or mqtt:// on this machine"),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| "the port is a number")?),
            None => (rest, if with_tls { 8883 } else { 1883 }),
        };
        if host.is_empty() {
            return Err("a name or an address is wanted");
        }
        Ok(Address { host: host.trim_matches(['[', ']']).to_owned(), port, with_tls })
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    public_key: Option<String>,
    broker: Option<String>,
    pub(super) credentials: Option<PathBuf>,
    rate_kbit: Option<u32>,
    update_budget_kb: u32,
}

impl Default for Raw {
    fn default() -> Self {
        Raw {
            public_key: None,
            broker: None,
            credentials: None,
            rate_kbit: None,
            update_budget_kb: 2048,
        }
    }
}

impl Check<'_> {
    /// The hub's key and the link to it, each where it is configured.
    pub(super) fn hub(&self, raw: &Raw) -> Result<(Option<PublicKey>, Option<Link>), ConfigError> {
        let key = raw.public_key.as_deref().map(|text| {
            text.parse().map_err(|error| {
                const EXAMPLE: &str = "\"what `jibu-hub init` prints\"";
                self.refuse("hub.public_key", quoted(text), error, EXAMPLE)
            })
        });
        let key = key.transpose()?;
        if raw.rate_kbit == Some(0) {
            let why = "no link is that slow";
            return Err(self.refuse("hub.rate_kbit", 0, why, "32"));
        }
        if raw.update_budget_kb == 0 {
            let why = "nothing could ever be fetched";
            return Err(self.refuse("hub.update_budget_kb", 0, why, "2048"));
        }
        let link = raw.broker.as_deref().map(|address| {
            Ok(Link {
                address: self.broker(address)?,
                update_budget: u64::from(raw.update_budget_kb) * 1024,
                rate: raw.rate_kbit.map(|kbit| kbit.saturating_mul(1000)),
            })
        });
        Ok((key, link.transpose()?))
    }

    fn broker(&self, text: &str) -> Result<Address, ConfigError> {
        const EXAMPLE: &str = "\"mqtts://hub.example.org:8883\"";
        let refuse = |why: &str| self.refuse("hub.broker", quoted(text), why, EXAMPLE);
        let address = Address::parse(text).map_err(refuse)?;
        if !address.with_tls && !matches!(address.host.as_str(), "localhost" | "127.0.0.1" | "::1")
        {
            return Err(refuse("without TLS the broker must be on this machine"));
        }
        Ok(address)
    }
}

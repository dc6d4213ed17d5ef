//! `[hub]`: whose versions are accepted, and the link to it.

use std::path::PathBuf;
use std::time::Duration;

use jibu_mqtt::{Broker, Tls};
use jibu_sync::PublicKey;
use jibu_sync::wire::SiteName;
use jibu_types::CollectionName;
use serde::Deserialize;

use super::{Check, ConfigError, quoted};

/// The link to the hub.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where its broker is.
    pub broker: Broker,
    /// What this site is called there.
    pub site: SiteName,
    /// The collections that are followed.
    pub collections: Vec<CollectionName>,
    /// Bytes that an update may cost before somebody allows more.
    pub update_budget: u64,
    /// After how long a silent end is taken for gone.
    pub keep_alive: Duration,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    public_key: Option<String>,
    broker: Option<String>,
    site: Option<String>,
    credentials: PathBuf,
    collections: Vec<String>,
    rate_kbit: Option<u32>,
    update_budget_kb: u32,
}

impl Default for Raw {
    fn default() -> Self {
        Raw {
            public_key: None,
            broker: None,
            site: None,
            credentials: "credentials".into(),
            collections: Vec::new(),
            rate_kbit: None,
            update_budget_kb: 2048,
        }
    }
}

impl Check<'_> {
    /// The hub's key and the link to it, each where it is configured.
    pub(super) fn hub(&self, raw: Raw) -> Result<(Option<PublicKey>, Option<Link>), ConfigError> {
        let key = raw.public_key.as_deref().map(|text| {
            text.parse().map_err(|error| {
                const EXAMPLE: &str = "\"what `jibu-hub init` prints\"";
                self.refuse("hub.public_key", quoted(text), error, EXAMPLE)
            })
        });
        let key = key.transpose()?;
        let Some(address) = raw.broker.as_deref() else { return Ok((key, None)) };
        if key.is_none() {
            let why = "a broker is named, and no hub is trusted";
            return Err(self.refuse("hub.public_key", "(none)", why, "\"hub-…\""));
        }
        let Some(name) = raw.site.as_deref() else {
            let why = "a broker is named, and this site has no name there";
            return Err(self.refuse("hub.site", "(none)", why, "\"mangochi-2\""));
        };
        let site = SiteName::parse(name)
            .map_err(|error| self.refuse("hub.site", quoted(name), error, "\"mangochi-2\""))?;
        let collections: Vec<CollectionName> = raw
            .collections
            .iter()
            .map(|name| {
                CollectionName::parse(name).map_err(|error| {
                    self.refuse("hub.collections", quoted(name), error, "[\"health-sw\"]")
                })
            })
            .collect::<Result<_, _>>()?;
        if collections.is_empty() {
            let why = "a broker is named, and nothing is to be fetched from it";
            return Err(self.refuse("hub.collections", "[]", why, "[\"health-sw\"]"));
        }
        if raw.rate_kbit == Some(0) {
            let why = "no link is that slow";
            return Err(self.refuse("hub.rate_kbit", 0, why, "32"));
        }
        if raw.update_budget_kb == 0 {
            let why = "nothing could ever be fetched";
            return Err(self.refuse("hub.update_budget_kb", 0, why, "2048"));
        }
        let rate = raw.rate_kbit.map(|kbit| kbit.saturating_mul(1000));
        let link = Link {
            broker: self.broker(address, &self.folder.join(raw.credentials))?,
            site,
            collections,
            update_budget: u64::from(raw.update_budget_kb) * 1024,
            keep_alive: jibu_mqtt::keep_alive(rate),
        };
        Ok((key, Some(link)))
    }

    fn broker(&self, address: &str, credentials: &std::path::Path) -> Result<Broker, ConfigError> {
        const KEY: &str = "hub.broker";
        const EXAMPLE: &str = "\"mqtts://hub.example.org:8883\"";
        let refuse = |why: &str| self.refuse(KEY, quoted(address), why, EXAMPLE);
        let (with_tls, rest) = match address.split_once("://") {
            Some(("mqtts", rest)) => (true, rest),
            Some(("mqtt", rest)) => (false, rest),
            _ => return Err(refuse("it begins with mqtts://, or mqtt:// on this machine")),
        };
        let (host, port) = match rest.trim_end_matches('/').rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| refuse("the port is a number"))?;
                (host, port)
            }
            None => (rest.trim_end_matches('/'), if with_tls { 8883 } else { 1883 }),
        };
        if host.is_empty() {
            return Err(refuse("a name or an address is wanted"));
        }
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if !with_tls && !is_here {
            return Err(refuse("without TLS the broker must be on this machine"));
        }
        let tls = with_tls.then(|| self.tls(credentials)).transpose()?;
        Ok(Broker { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
    }

    /// Reads what an enrolment left.
    fn tls(&self, credentials: &std::path::Path) -> Result<Tls, ConfigError> {
        let shown = quoted(&credentials.display().to_string());
        let refuse = |why: String| self.refuse("hub.credentials", &shown, why, "\"credentials\"");
        let read = |name: &str| {
            std::fs::read(credentials.join(name)).map_err(|error| {
                refuse(format!("{name} cannot be read ({error}): enrol first, with `jibud enrol`"))
            })
        };
        let (authority, chain, key) = (read("ca.pem")?, read("site.pem")?, read("site.key")?);
        Tls::new(&authority, Some((&chain, &key))).map_err(|error| refuse(error.to_string()))
    }
}

//! `hub.toml` in the hub's folder: what an admin may set. A hub without one has
//! its state in `hub.db` beside it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::authority::DAY;
use crate::state::{Database, DatabaseError, Postgres, Sqlite};

/// What `hub.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) state: Place,
    /// What prices are in, such as `MWK`.
    pub(crate) currency: Option<String>,
    /// How long a site's certificate is good. A site renews it when a third is left.
    pub(crate) certificate: Duration,
    pub(crate) broker: Broker,
    /// How long requests are gathered, where it is said.
    pub(crate) gather: Option<Duration>,
}

/// Where sites meet the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broker {
    /// A broker that the hub brings along, at this address and under these names.
    Own { listen: SocketAddr, hosts: Vec<String> },
    /// One that is there: its address, and the file of the authority that signed
    /// its certificate, where that is not the hub's own.
    Other { host: String, port: u16, with_tls: bool, authority: Option<PathBuf>, shared: bool },
}

/// Where the state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The file `hub.db`.
    File(PathBuf),
    /// A PostgreSQL database, in libpq's words.
    Postgres(String),
}

/// What is wrong with `hub.toml`.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It is there and cannot be read.
    #[error("{} cannot be read: look at its owner and permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be understood.
    #[error(
        "{}: {problem} (for example: [state] and on the next line postgres = \
         \"host=/run/postgresql user=jibu dbname=jibu\")",
        path.display()
    )]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, and in which line.
        problem: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    state: RawState,
    #[serde(default)]
    broker: RawBroker,
    currency: Option<String>,
    certificate_days: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawState {
    postgres: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawBroker {
    gather_s: Option<u32>,
    listen: Option<SocketAddr>,
    hosts: Option<Vec<String>>,
    url: Option<String>,
    authority: Option<PathBuf>,
    #[serde(default)]
    shared: bool,
}

impl Settings {
    /// Reads `hub.toml` in `folder`, if there is one.
    pub(crate) fn read(folder: &Path) -> Result<Self, SettingsError> {
        let path = folder.join("hub.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        Self::parse(&text, folder).map_err(|problem| SettingsError::Form { path, problem })
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            // The line itself may hold a password.
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        let state = match raw.state.postgres {
            None => Place::File(folder.join("hub.db")),
            Some(words) if words.parse::<postgres::Config>().is_ok() => Place::Postgres(words),
            Some(_) => return Err("[state] postgres is no list of key=value".to_owned()),
        };
        let gather = raw.broker.gather_s.map(|s| Duration::from_secs(s.into()));
        let days = raw.certificate_days.unwrap_or(400.0);
        if !(days > 0.0 && days <= 36_500.0) {
            return Err("certificate_days is a number of days, such as 400".to_owned());
        }
        let certificate = DAY.mul_f64(days);
        let broker = broker(raw.broker, folder)?;
        Ok(Settings { state, currency: raw.currency, certificate, broker, gather })
    }
}

fn broker(raw: RawBroker, folder: &Path) -> Result<Broker, String> {
    let RawBroker { gather_s: _, listen, hosts, url, authority, shared } = raw;
    let Some(url) = url else {
        if authority.is_some() || shared {
            return Err("[broker] authority and shared go with a url".to_owned());
        }
        return Ok(Broker::Own {
            listen: listen.unwrap_or(SocketAddr::from(([0, 0, 0, 0], 8883))),
            hosts: hosts.unwrap_or_else(|| vec!["localhost".to_owned()]),
        });
    };
    if listen.is_some() || hosts.is_some() {
        return Err("[broker] has either a url, or listen and hosts".to_owned());
    }
    let wrong = || "[broker] url is mqtts://HOST:PORT, or mqtt://HOST:PORT".to_owned();
    let (with_tls, rest) = match url.split_once("://") {
        Some(("mqtts", rest)) => (true, rest.trim_end_matches('/')),
        Some(("mqtt", rest)) => (false, rest.trim_end_matches('/')),
        _ => return Err(wrong()),
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (rest, if with_tls { 8883 } else { 1883 }),
    };
    if host.is_empty() {
        return Err(wrong());
    }
    let authority = authority.map(|path| folder.join(path));
    Ok(Broker::Other { host: host.to_owned(), port, with_tls, authority, shared })
}

impl Place {
    /// Whether a hub's tables are there.
    pub(crate) fn is_begun(&self) -> Result<bool, DatabaseError> {
        match self {
            Place::File(path) => Ok(path.exists()),
            Place::Postgres(words) => Postgres::is_begun(words),
        }
    }

    /// Opens the state; its tables are made where there are none.
    pub(crate) fn open(&self) -> Result<Box<dyn Database>, DatabaseError> {
        Ok(match self {
            Place::File(path) => Box::new(Sqlite::open(path)?),
            Place::Postgres(words) => Box::new(Postgres::open(words)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_the_hubs_own_or_another() {
        let broker =
            |text| Settings::parse(text, Path::new("hub-data")).map(|settings| settings.broker);
        let own =
            Broker::Own { listen: ([0, 0, 0, 0], 8883).into(), hosts: vec!["localhost".into()] };
        assert_eq!(broker(""), Ok(own));
        let other = |with_tls, port, shared| Broker::Other {
            host: "b.example.org".into(),
            port,
            with_tls,
            authority: None,
            shared,
        };
        assert_eq!(
            broker("[broker]\nurl = \"mqtts://b.example.org\""),
            Ok(other(true, 8883, false))
        );
        let shared = "[broker]\nurl = \"mqtt://b.example.org:1884/\"\nshared = true";
        assert_eq!(broker(shared), Ok(other(false, 1884, true)));
        for (wrong, names) in [
            ("[broker]\nurl = \"b.example.org\"", "url"),
            ("[broker]\nurl = \"mqtts://:1\"", "url"),
            ("[broker]\nurl = \"mqtts://b\"\nhosts = [\"b\"]", "either"),
            ("[broker]\nshared = true", "url"),
            ("[broker]\nlisten = \"8883\"", "line 2"),
        ] {
            assert!(broker(wrong).unwrap_err().contains(names), "{wrong}");
        }
    }

    #[test]
    fn settings_are_read_or_the_line_is_named() {
        let folder = Path::new("hub-data");
        let state = |text| Settings::parse(text, folder).map(|settings| settings.state);
        assert_eq!(state(""), Ok(Place::File(folder.join("hub.db"))));
        let words = "host=/run/postgresql user=jibu";
        let text = format!("# shared\n[state]\npostgres = \"{words}\"\n");
        assert_eq!(state(&text), Ok(Place::Postgres(words.to_owned())));
        let days = |text| {
            Settings::parse(text, folder)
                .map(|settings| settings.certificate / DAY.as_secs() as u32)
        };
        assert_eq!(days(""), Ok(Duration::from_secs(400)));
        assert_eq!(days("certificate_days = 0.5"), Ok(Duration::from_millis(500)));
        assert!(days("certificate_days = 0").is_err());
        assert!(days("certificate_days = nan").is_err());
        let unknown = state("[state]\npostgras = \"x\"\n").unwrap_err();
        assert!(unknown.starts_with("line 2: ") && unknown.contains("postgras"), "{unknown}");
        let secret = state("[state]\npostgres = \"password=tulip host\"\n").unwrap_err();
        assert!(!secret.contains("tulip"), "{secret}");
    }
}

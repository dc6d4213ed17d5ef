//! `hub.toml` in the hub's folder: what an admin may set. A hub without one has
//! its state in `hub.db` beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::state::{Database, DatabaseError, Postgres, Sqlite};

/// What `hub.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) state: Place,
    /// What prices are in, such as `MWK`.
    pub(crate) currency: Option<String>,
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
    currency: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawState {
    postgres: Option<String>,
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
        Ok(Settings { state, currency: raw.currency })
    }
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
    fn settings_are_read_or_the_line_is_named() {
        let folder = Path::new("hub-data");
        let state = |text| Settings::parse(text, folder).map(|settings| settings.state);
        assert_eq!(state(""), Ok(Place::File(folder.join("hub.db"))));
        let words = "host=/run/postgresql user=jibu";
        let text = format!("# shared\n[state]\npostgres = \"{words}\"\n");
        assert_eq!(state(&text), Ok(Place::Postgres(words.to_owned())));
        let unknown = state("[state]\npostgras = \"x\"\n").unwrap_err();
        assert!(unknown.starts_with("line 2: ") && unknown.contains("postgras"), "{unknown}");
        let secret = state("[state]\npostgres = \"password=tulip host\"\n").unwrap_err();
        assert!(!secret.contains("tulip"), "{secret}");
    }
}

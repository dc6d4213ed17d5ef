//! A hub in a temporary folder, with its state in SQLite or in PostgreSQL.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::path::PathBuf;

use jibu_hub::state::{Database, Postgres, Sqlite};
use jibu_hub::{Hub, Terms};
use jibu_tests::Postgres as Server;
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use tempfile::TempDir;

/// Runs a test's `story` once with each kind of state.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite { $(
            #[test]
            fn $name() { super::$name(&crate::desk::Desk::with_sqlite()); }
        )* }
        mod postgresql { $(
            #[test]
            fn $name() { super::$name(&crate::desk::Desk::with_postgres()); }
        )* }
    };
}

/// A hub's folder, documents beside it, and the server where there is one.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) server: Option<Server>,
}

impl Desk {
    pub(crate) fn with_sqlite() -> Self {
        Desk { folder: TempDir::new().unwrap(), server: None }
    }

    pub(crate) fn with_postgres() -> Self {
        let server = Server::start().unwrap();
        let desk = Desk { folder: TempDir::new().unwrap(), server: Some(server) };
        fs::create_dir_all(desk.data()).unwrap();
        let words = desk.server.as_ref().map(Server::words).unwrap();
        fs::write(desk.data().join("hub.toml"), format!("[state]\npostgres = \"{words}\"\n"))
            .unwrap();
        desk
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> Box<dyn Database> {
        match &self.server {
            Some(server) => Box::new(Postgres::open(&server.words()).unwrap()),
            None => {
                fs::create_dir_all(self.data()).unwrap();
                Box::new(Sqlite::open(&self.data().join("hub.db")).unwrap())
            }
        }
    }

    pub(crate) fn hub(&self) -> Hub {
        Hub::init(&self.data(), None).unwrap().0
    }

    /// Takes one document with these words in.
    pub(crate) fn ingest(&self, hub: &mut Hub, words: &str) {
        let file = self.folder.path().join("note.md");
        fs::write(&file, format!("---\nlanguage: en\n---\n# Note\n\n{words}\n")).unwrap();
        let report = hub.ingest(&health(), &[file], None, false).unwrap();
        assert!(report.faults.is_empty(), "{report:?}");
    }

    /// Makes and records the version of these words.
    pub(crate) fn publish(&self, hub: &mut Hub, words: &str) -> IndexVersion {
        self.ingest(hub, words);
        let draft = hub.draft(&health(), &Terms::default(), now()).unwrap();
        hub.record(&draft).unwrap();
        draft.version()
    }
}

pub(crate) fn health() -> CollectionName {
    CollectionName::parse("health").unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_760_000_000)
}

pub(crate) fn version(epoch: u32, version: u64) -> IndexVersion {
    IndexVersion { epoch, version }
}

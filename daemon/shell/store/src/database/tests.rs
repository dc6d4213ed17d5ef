use std::io::{Seek, SeekFrom, Write};

use super::*;
use crate::{ContentReader, ContentStore, ErrorKind, StateReader, StateStore};

fn both() -> [&'static Schema; 2] {
    [&crate::state::SCHEMA, &crate::content::SCHEMA]
}

fn dump(connection: &Connection) -> Vec<(String, Option<String>)> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

/// A file as the program of an older version left it.
fn older(schema: &Schema, path: &Path, version: usize) {
    register_sqlite_vec();
    let connection = Connection::open(path).unwrap();
    for step in &schema.migrations[..version] {
        connection.execute_batch(step).unwrap();
    }
    if version > 0 {
        connection.pragma_update(None, "application_id", schema.application_id).unwrap();
    }
    connection.pragma_update(None, "user_version", version as i64).unwrap();
}

#[test]
fn every_older_version_becomes_the_newest() {
    for schema in both() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = dump(&schema.open(&folder.path().join("fresh")).unwrap());
        assert!(!fresh.is_empty());
        for version in 0..=schema.migrations.len() {
            let path = folder.path().join(format!("v{version}"));
            older(schema, &path, version);
            let migrated = schema.open(&path).unwrap();
            assert_eq!(dump(&migrated), fresh, "{} version {version}", schema.name);
            assert_eq!(super::version(&migrated).unwrap(), schema.newest());
        }
    }
}

#[test]
fn a_step_that_fails_leaves_the_version_before_it() {
    const BROKEN: Schema = Schema {
        migrations: &[
            "CREATE TABLE first (a)",
            "CREATE TABLE second (a); INSERT INTO nowhere VALUES (1)",
        ],
        ..crate::state::SCHEMA
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let error = BROKEN.open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Migrate { to: 2, .. }), "{error}");
    let left = Connection::open(&path).unwrap();
    assert_eq!(version(&left).unwrap(), 1);
    assert_eq!(dump(&left).len(), 1);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    for schema in both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        drop(schema.open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        for error in [schema.open(&path).unwrap_err(), schema.open_read_only(&path).unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("version 99") && text.contains("install"), "{text}");
            assert_eq!(error.kind(), ErrorKind::GiveUp);
        }
    }
}

#[test]
fn a_reader_waits_for_the_writer_to_bring_the_file_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    older(&crate::state::SCHEMA, &path, 0);
    assert!(matches!(StateReader::open(&path).unwrap_err(), StoreError::Older { .. }));
    let missing = ContentReader::open(folder.path().join("none.db")).unwrap_err();
    assert!(matches!(missing, StoreError::Open { .. }), "{missing}");
}

#[test]
fn the_two_files_are_not_confused() {
    let folder = tempfile::tempdir().unwrap();
    let (state, content) = (folder.path().join("state.db"), folder.path().join("content.db"));
    drop(StateStore::open(&state).unwrap());
    drop(ContentStore::open(&content).unwrap());
    let error = StateStore::open(&content).unwrap_err().to_string();
    assert!(error.contains("not a state.db"), "{error}");
    assert!(matches!(ContentStore::open(&state).unwrap_err(), StoreError::Foreign { .. }));
    assert!(matches!(ContentReader::open(&state).unwrap_err(), StoreError::Foreign { .. }));
    let stranger = folder.path().join("music.db");
    Connection::open(&stranger).unwrap().execute_batch("CREATE TABLE album (a)").unwrap();
    assert!(matches!(StateStore::open(&stranger).unwrap_err(), StoreError::Foreign { .. }));
}

#[test]
fn a_damaged_file_is_named_with_what_to_do_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "this is no database, but it is long enough to be read as one. ".repeat(99),
    )
    .unwrap();
    let error = StateStore::open(&text).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("Stop jibud and move state.db"), "{error}");
    assert_eq!(error.kind(), ErrorKind::GiveUp);

    // A page in the middle is overwritten, as a worn card does it.
    let path = folder.path().join("state.db");
    let mut store = StateStore::open(&path).unwrap();
    for n in 0..2000 {
        let details = serde_json::json!({ "n": n, "pad": "x".repeat(100) });
        store.record(jibu_types::Timestamp::default(), "test", &details).unwrap();
    }
    drop(store);
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let middle = file.metadata().unwrap().len() / 2 / 4096 * 4096;
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[0xA5; 4096]).unwrap();
    drop(file);
    let before = std::fs::read(&path).unwrap();
    let error = StateStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_folder_that_is_not_there_is_said_in_a_sentence() {
    let error = StateStore::open("/nonexistent/jibu/state.db").unwrap_err();
    assert!(error.to_string().contains("the folder must exist"), "{error}");
    assert_eq!(error.kind(), ErrorKind::TryLater);
}

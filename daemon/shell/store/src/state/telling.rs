//! What the hub is to be told, and whom its replies are for.

use std::collections::BTreeMap;

use jibu_sync::telemetry::{Output, Save, Saved};
use jibu_sync::wire::Stream;
use jibu_types::{Language, PhoneNumber, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// Whoever wished for a person at the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Their number.
    pub number: PhoneNumber,
    /// The language that they asked in.
    pub language: Language,
}

pub(super) fn keep(connection: &Connection, output: &Output) -> rusqlite::Result<()> {
    match output {
        Output::Save(Save { stream, number, record }) => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO telemetry (stream, number, record) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![*stream as u8, number.cast_signed(), record])?;
        }
        Output::Forget { stream, through } => {
            let values = params![*stream as u8, through.cast_signed()];
            connection
                .prepare_cached("DELETE FROM telemetry WHERE stream = ?1 AND number <= ?2")?
                .execute(values)?;
            connection
                .prepare_cached(
                    "INSERT INTO told (stream, through) VALUES (?1, ?2)
                     ON CONFLICT (stream) DO UPDATE SET through = ?2",
                )?
                .execute(values)?;
        }
        Output::Publish { .. } => {}
    }
    Ok(())
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<Saved> {
    let mut records = BTreeMap::new();
    let mut statement =
        connection.prepare_cached("SELECT stream, number, record FROM telemetry")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(stream) = Stream::from_wire(row.get(0)?) {
            records.insert((stream, row.get::<_, i64>(1)?.cast_unsigned()), row.get(2)?);
        }
    }
    let mut forgotten = BTreeMap::new();
    let mut statement = connection.prepare_cached("SELECT stream, through FROM told")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(stream) = Stream::from_wire(row.get(0)?) {
            forgotten.insert(stream, row.get::<_, i64>(1)?.cast_unsigned());
        }
    }
    Ok(Saved { records, forgotten })
}

pub(super) fn keep_asker(
    connection: &Connection,
    token: &[u8],
    asker: &Asker,
    at: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO asker (token, number, language, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![token, asker.number.reveal(), asker.language.as_str(), at.unix_ms()])
        .map(drop)
}

pub(super) fn asker(connection: &Connection, token: &[u8]) -> rusqlite::Result<Option<Asker>> {
    let found = connection
        .prepare_cached("SELECT number, language FROM asker WHERE token = ?1")?
        .query_row([token], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    // Rows are ours: what does not parse was not written by us.
    Ok(found.and_then(|(number, language)| {
        Some(Asker {
            number: PhoneNumber::parse(&number).ok()?,
            language: Language::parse(&language).ok()?,
        })
    }))
}

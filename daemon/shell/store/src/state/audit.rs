//! The audit trail: entries are added and never changed, and each is chained to
//! the one before it by a hash, so that a change from outside shows.

use jibu_types::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::row::unreadable;
use crate::StoreError;
use crate::error::Doing;

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Its number, from 1.
    pub id: i64,
    /// When it happened, by the box's clock.
    pub at: Timestamp,
    /// What: `answer`, `index-activated` …
    pub event: String,
    /// What belongs to it.
    pub details: serde_json::Value,
}

pub(super) fn append(
    transaction: &Connection,
    at: Timestamp,
    event: &str,
    details: &str,
) -> rusqlite::Result<()> {
    let last: Option<[u8; 32]> = transaction
        .prepare_cached("SELECT chain FROM audit ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let chain = link(last.unwrap_or_default(), at.unix_ms(), event, details);
    transaction
        .prepare_cached("INSERT INTO audit (at, event, details, chain) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![at.unix_ms(), event, details, chain])?;
    Ok(())
}

pub(super) fn newest(connection: &Connection, count: usize) -> Result<Vec<AuditEntry>, StoreError> {
    const DOING: &str = "read the audit trail";
    let mut statement = connection
        .prepare_cached("SELECT id, at, event, details FROM audit ORDER BY id DESC LIMIT ?1")
        .doing(DOING)?;
    let mut rows = statement.query([i64::try_from(count).unwrap_or(i64::MAX)]).doing(DOING)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().doing(DOING)? {
        let columns = (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)))();
        let (id, at, event, details) = columns.doing(DOING)?;
        let details =
            serde_json::from_str(&details).map_err(|error| unreadable("audit entry", id, error))?;
        entries.push(AuditEntry { id, at: Timestamp::from_unix_ms(at), event, details });
    }
    Ok(entries)
}

pub(super) fn verify(connection: &Connection) -> Result<u64, StoreError> {
    const DOING: &str = "read the audit trail";
    let mut statement = connection
        .prepare("SELECT id, at, event, details, chain FROM audit ORDER BY id")
        .doing(DOING)?;
    let mut rows = statement.query([]).doing(DOING)?;
    let (mut before, mut entries) = ([0; 32], 0);
    while let Some(row) = rows.next().doing(DOING)? {
        let columns = (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))();
        let (entry, at, event, details, chain): (i64, i64, String, String, [u8; 32]) =
            columns.doing(DOING)?;
        before = link(before, at, &event, &details);
        if chain != before {
            return Err(StoreError::AuditBroken { entry });
        }
        entries += 1;
    }
    Ok(entries)
}

fn link(before: [u8; 32], at: i64, event: &str, details: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("jibu audit trail 1");
    hasher.update(&before);
    hasher.update(&at.to_le_bytes());
    for text in [event, details] {
        hasher.update(&text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}

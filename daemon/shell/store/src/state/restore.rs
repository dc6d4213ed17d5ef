//! What the spool is told at start.

use std::time::Duration;

use jibu_spool::{
    MessageId, MessageRow, ModemName, PartId, PartRow, Restored, Segment, SegmentKey,
};
use jibu_types::{Channel, PhoneNumber, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::row::{group, number, part_state, read_message_state, unreadable};
use crate::StoreError;
use crate::error::Doing;

const DOING: &str = "read the spool";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn restore(
    snapshot: &Connection,
    now: Timestamp,
    remember_keys: Duration,
    await_reports: Duration,
) -> Result<Restored, StoreError> {
    let keys = list(
        snapshot,
        "SELECT message, address, sent_at, tpdu_hash FROM segment WHERE seen_at >= ?1 ORDER BY id",
        [(now - remember_keys).unix_ms()],
        |row| Ok(Ok((key(row, 1)?, MessageId(row.get(0)?)))),
    )?;
    let messages = messages(snapshot, "WHERE state IN ('gathering', 'received')", [])?;
    let incomplete = self::messages(
        snapshot,
        "WHERE received_at >= ?1 AND state IN ('received', 'answered')
           AND (SELECT count(DISTINCT group_part) < max(group_total)
                FROM segment WHERE message = message.id)",
        [(now - DAY).unix_ms()],
    )?;
    let parts = list(
        snapshot,
        "SELECT id, message, sequence, modem, recipient, pdu, attempts,
                state, at, sending_modem, slot_storage, slot_index, reference, why
         FROM part WHERE state IN ('ready', 'sending')
            OR (at >= ?1 AND (state = 'sent'
                              OR state IN ('delivered', 'failed') AND reference IS NOT NULL))
         ORDER BY id",
        [(now - await_reports).unix_ms()],
        part,
    )?;
    let answered = list(
        snapshot,
        "SELECT id, sender, modem, answered_at FROM message
         WHERE answered_at >= ?1 AND sender IS NOT NULL ORDER BY answered_at",
        [(now - DAY).unix_ms()],
        |row| {
            let (modem, at) = (ModemName(row.get(2)?), Timestamp::from_unix_ms(row.get(3)?));
            Ok(recipient(row, 1)?
                .map(|number| (number, modem, at))
                .map_err(in_row("message", row.get(0)?)))
        },
    )?;
    Ok(Restored {
        last_message: highest(snapshot, "message")?,
        last_part: highest(snapshot, "part")?,
        keys,
        messages,
        incomplete,
        parts,
        answered,
    })
}

/// Messages with their segments, oldest first.
fn messages(
    snapshot: &Connection,
    filter: &str,
    values: impl Params,
) -> Result<Vec<MessageRow>, StoreError> {
    let sql = format!(
        "SELECT id, channel, modem, sender, received_at, state, ignore_reason
         FROM message {filter} ORDER BY id"
    );
    let mut messages = list(snapshot, &sql, values, message)?;
    for message in &mut messages {
        message.segments = list(
            snapshot,
            "SELECT id, address, sent_at, tpdu_hash, sender, pdu,
                    group_reference, group_wide, group_total, group_part
             FROM segment WHERE message = ?1 ORDER BY id",
            [message.id.0],
            segment,
        )?;
    }
    Ok(messages)
}

/// The highest id ever given in an AUTOINCREMENT table.
fn highest(snapshot: &Connection, table: &str) -> Result<i64, StoreError> {
    let found = snapshot
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")
        .and_then(|mut s| s.query_row([table], |row| row.get(0)).optional())
        .doing(DOING)?;
    Ok(found.unwrap_or(0))
}

fn list<T>(
    snapshot: &Connection,
    sql: &str,
    values: impl Params,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Result<T, StoreError>>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = snapshot.prepare_cached(sql).doing(DOING)?;
    let mut rows = statement.query(values).doing(DOING)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().doing(DOING)? {
        found.push(read(row).doing(DOING)??);
    }
    Ok(found)
}

fn key(row: &Row<'_>, first: usize) -> rusqlite::Result<SegmentKey> {
    Ok(SegmentKey {
        sender: row.get(first)?,
        sent_at: Timestamp::from_unix_ms(row.get(first + 1)?),
        tpdu_hash: row.get(first + 2)?,
    })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Result<MessageRow, StoreError>> {
    let id: i64 = row.get(0)?;
    let (channel, state): (String, String) = (row.get(1)?, row.get(5)?);
    let reason: Option<String> = row.get(6)?;
    let modem = ModemName(row.get(2)?);
    let sender = number(row.get(3)?);
    let received_at = Timestamp::from_unix_ms(row.get(4)?);
    Ok((|| {
        Ok(MessageRow {
            id: MessageId(id),
            channel: channel.parse::<Channel>()?,
            modem,
            sender: sender?,
            received_at,
            state: read_message_state(&state, reason.as_deref())?,
            segments: Vec::new(),
        })
    })()
    .map_err(in_row("message", id)))
}

fn segment(row: &Row<'_>) -> rusqlite::Result<Result<Segment, StoreError>> {
    let (key, pdu, group) = (key(row, 1)?, row.get(5)?, group(row, 6)?);
    Ok(number(row.get(4)?)
        .map(|sender| Segment { key, sender, group, pdu })
        .map_err(in_row("segment", row.get(0)?)))
}

fn part(row: &Row<'_>) -> rusqlite::Result<Result<PartRow, StoreError>> {
    let id: i64 = row.get(0)?;
    let (message, sequence, modem) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (recipient, pdu, attempts) = (recipient(row, 4)?, row.get(5)?, row.get(6)?);
    let state = part_state(row, 7)?;
    Ok((|| {
        Ok(PartRow {
            id: PartId(id),
            message: MessageId(message),
            sequence,
            modem: ModemName(modem),
            recipient: recipient?,
            pdu,
            attempts,
            state: state?,
        })
    })()
    .map_err(in_row("part", id)))
}

fn recipient(row: &Row<'_>, column: usize) -> rusqlite::Result<Result<PhoneNumber, String>> {
    let text: String = row.get(column)?;
    Ok(PhoneNumber::parse(&text).map_err(|error| error.to_string()))
}

fn in_row(table: &'static str, row: i64) -> impl FnOnce(String) -> StoreError {
    move |found| unreadable(table, row, found)
}

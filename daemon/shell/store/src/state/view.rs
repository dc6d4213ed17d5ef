//! Messages and figures for people and programs that watch the box.

use std::collections::BTreeMap;

use jibu_spool::MessageId;
use jibu_types::{PhoneNumber, Timestamp};
use rusqlite::{Connection, Row};
use serde::Serialize;

use crate::StoreError;
use crate::error::Doing;

const DOING: &str = "read the messages";

/// Which messages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFilter {
    /// The one of this id.
    Id(MessageId),
    /// So many of the newest, newest first.
    Newest(usize),
}

/// A message as it may be shown: its numbers masked, nobody's words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageView {
    /// The row.
    pub id: i64,
    /// `sms`, `ussd` or `kiosk`.
    pub channel: String,
    /// The modem that it came through.
    pub modem: String,
    /// Who sent it, masked; none for a name such as an operator's.
    pub sender: Option<String>,
    /// When the first segment was kept.
    pub received_at: Timestamp,
    /// `gathering`, `received`, `answered` or `ignored`.
    pub state: String,
    /// Why it was ignored: `not_a_person`, `quota` or `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_reason: Option<String>,
    /// How many segments came.
    pub segments: u64,
    /// How many there should be.
    pub segments_wanted: u64,
    /// What was answered.
    pub answer: Option<AnswerView>,
    /// The answer's parts.
    pub parts: Vec<PartView>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerView {
    /// When.
    pub at: Timestamp,
    /// `found`, `choose`, `unknown`, `urgent`, or the command that was obeyed.
    pub kind: String,
    /// The language answered in.
    pub language: String,
    /// The citations, the index version and the probability.
    pub details: serde_json::Value,
}

/// An outbound part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartView {
    /// The row.
    pub id: i64,
    /// Its place in the answer, from 0.
    pub sequence: u16,
    /// The modem to send it by.
    pub modem: String,
    /// To whom, masked.
    pub recipient: String,
    /// `ready`, `sending`, `sent`, `delivered` or `failed`.
    pub state: String,
    /// Since when; for `ready`, when it may be tried.
    pub at: Timestamp,
    /// How many times it was tried.
    pub attempts: u32,
    /// The message reference, where the modem told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<u8>,
    /// The last error in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How many rows there are of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages by state.
    pub messages: BTreeMap<String, u64>,
    /// Outbound parts by state.
    pub parts: BTreeMap<String, u64>,
    /// Audit entries by event.
    pub events: BTreeMap<String, u64>,
}

pub(super) fn messages(
    snapshot: &Connection,
    filter: MessageFilter,
) -> Result<Vec<MessageView>, StoreError> {
    const COLUMNS: &str = "SELECT id, channel, modem, sender, received_at, state, ignore_reason,
        answered_at, answer_kind, answer_language, answer_details,
        (SELECT count(*) FROM segment WHERE message = message.id),
        (SELECT coalesce(max(group_total), 1) FROM segment WHERE message = message.id)
        FROM message";
    let (rest, value) = match filter {
        MessageFilter::Id(id) => ("WHERE id = ?1", id.0),
        MessageFilter::Newest(count) => {
            ("ORDER BY id DESC LIMIT ?1", i64::try_from(count).unwrap_or(i64::MAX))
        }
    };
    let mut statement = snapshot.prepare_cached(&format!("{COLUMNS} {rest}")).doing(DOING)?;
    let mut found: Vec<MessageView> =
        statement.query_map([value], message).and_then(Iterator::collect).doing(DOING)?;
    let mut statement = snapshot
        .prepare_cached(
            "SELECT id, sequence, modem, recipient, state, at, attempts, reference, why
             FROM part WHERE message = ?1 ORDER BY sequence",
        )
        .doing(DOING)?;
    for view in &mut found {
        view.parts =
            statement.query_map([view.id], part).and_then(Iterator::collect).doing(DOING)?;
    }
    Ok(found)
}

fn message(row: &Row<'_>) -> rusqlite::Result<MessageView> {
    let sender: Option<String> = row.get(3)?;
    let answered_at: Option<i64> = row.get(7)?;
    let kind: Option<String> = row.get(8)?;
    let answer = match answered_at.zip(kind) {
        None => None,
        Some((at, kind)) => {
            let details: String = row.get(10)?;
            Some(AnswerView {
                at: Timestamp::from_unix_ms(at),
                kind,
                language: row.get(9)?,
                details: serde_json::from_str(&details).unwrap_or_else(|_| details.into()),
            })
        }
    };
    Ok(MessageView {
        id: row.get(0)?,
        channel: row.get(1)?,
        modem: row.get(2)?,
        sender: sender.map(|sender| masked(&sender)),
        received_at: Timestamp::from_unix_ms(row.get(4)?),
        state: row.get(5)?,
        ignore_reason: row.get(6)?,
        segments: row.get(11)?,
        segments_wanted: row.get(12)?,
        answer,
        parts: Vec::new(),
    })
}

fn part(row: &Row<'_>) -> rusqlite::Result<PartView> {
    let recipient: String = row.get(3)?;
    Ok(PartView {
        id: row.get(0)?,
        sequence: row.get(1)?,
        modem: row.get(2)?,
        recipient: masked(&recipient),
        state: row.get(4)?,
        at: Timestamp::from_unix_ms(row.get(5)?),
        attempts: row.get(6)?,
        reference: row.get(7)?,
        why: row.get(8)?,
    })
}

pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    let by = |sql: &str| -> rusqlite::Result<BTreeMap<String, u64>> {
        connection
            .prepare_cached(sql)?
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?)))?
            .collect()
    };
    Ok(Counts {
        messages: by("SELECT state, count(*) FROM message GROUP BY state")?,
        parts: by("SELECT state, count(*) FROM part GROUP BY state")?,
        events: by("SELECT event, count(*) FROM audit GROUP BY event")?,
    })
}

/// A kept number as it may be shown.
fn masked(number: &str) -> String {
    PhoneNumber::parse(number).map_or_else(|_| "…".to_owned(), |number| number.to_string())
}

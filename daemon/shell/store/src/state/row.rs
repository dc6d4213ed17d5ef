//! The spool's values as columns, both ways.

use jibu_spool::{Group, IgnoreReason, MessageState, ModemName, PartState, Slot};
use jibu_types::{PhoneNumber, Timestamp};
use rusqlite::Row;

use crate::StoreError;

/// SQLite's integers are signed; the bits are kept.
pub(crate) fn version_to_sql(version: u64) -> i64 {
    version.cast_signed()
}

pub(crate) fn version_from_sql(version: i64) -> u64 {
    version.cast_unsigned()
}

/// A row that does not hold what this program writes.
pub(super) fn unreadable(table: &'static str, row: i64, found: impl ToString) -> StoreError {
    StoreError::Row { table, row, found: found.to_string() }
}

/// The columns `state, ignore_reason` of a message.
pub(super) fn message_state(state: &MessageState) -> (&'static str, Option<&'static str>) {
    match state {
        MessageState::Gathering => ("gathering", None),
        MessageState::Received => ("received", None),
        MessageState::Answered => ("answered", None),
        MessageState::Ignored(reason) => ("ignored", Some(ignore_reason(*reason))),
    }
}

fn ignore_reason(reason: IgnoreReason) -> &'static str {
    match reason {
        IgnoreReason::NotAPerson => "not_a_person",
        IgnoreReason::Quota => "quota",
        IgnoreReason::Unreadable => "unreadable",
    }
}

/// Reads the columns `state, ignore_reason` of a message.
pub(super) fn read_message_state(
    state: &str,
    reason: Option<&str>,
) -> Result<MessageState, String> {
    match (state, reason) {
        ("gathering", _) => Ok(MessageState::Gathering),
        ("received", _) => Ok(MessageState::Received),
        ("answered", _) => Ok(MessageState::Answered),
        ("ignored", Some("not_a_person")) => Ok(MessageState::Ignored(IgnoreReason::NotAPerson)),
        ("ignored", Some("quota")) => Ok(MessageState::Ignored(IgnoreReason::Quota)),
        ("ignored", Some("unreadable")) => Ok(MessageState::Ignored(IgnoreReason::Unreadable)),
        (state, reason) => Err(format!("the state is \"{state}\" ({reason:?})")),
    }
}

/// A part's state as columns.
pub(super) struct PartColumns<'a> {
    pub(super) state: &'static str,
    pub(super) at: Timestamp,
    pub(super) modem: Option<&'a str>,
    pub(super) slot: Option<&'a Slot>,
    pub(super) reference: Option<u8>,
    pub(super) why: Option<&'a str>,
}

impl<'a> From<&'a PartState> for PartColumns<'a> {
    fn from(state: &'a PartState) -> Self {
        let blank = |state, at| PartColumns {
            state,
            at,
            modem: None,
            slot: None,
            reference: None,
            why: None,
        };
        match state {
            PartState::Ready { not_before } => blank("ready", *not_before),
            PartState::Sending { modem, slot, since } => PartColumns {
                modem: Some(&modem.0),
                slot: slot.as_ref(),
                ..blank("sending", *since)
            },
            PartState::Sent { reference, at } => {
                PartColumns { reference: *reference, ..blank("sent", *at) }
            }
            PartState::Delivered { reference, at } => {
                PartColumns { reference: *reference, ..blank("delivered", *at) }
            }
            PartState::Failed { reference, at, why } => {
                PartColumns { reference: *reference, why: Some(why), ..blank("failed", *at) }
            }
        }
    }
}

/// Reads the columns `state, at, sending_modem, slot_storage, slot_index,
/// reference, why`, which begin at `first`.
pub(super) fn part_state(
    row: &Row<'_>,
    first: usize,
) -> rusqlite::Result<Result<PartState, String>> {
    let state: String = row.get(first)?;
    let at = Timestamp::from_unix_ms(row.get(first + 1)?);
    Ok(match state.as_str() {
        "ready" => Ok(PartState::Ready { not_before: at }),
        "sending" => {
            let storage: Option<String> = row.get(first + 3)?;
            let index: Option<u16> = row.get(first + 4)?;
            let slot = storage.zip(index).map(|(storage, index)| Slot { storage, index });
            match row.get(first + 2)? {
                Some(modem) => Ok(PartState::Sending { modem: ModemName(modem), slot, since: at }),
                None => Err("it is being sent, and by no modem".to_owned()),
            }
        }
        "sent" => Ok(PartState::Sent { reference: row.get(first + 5)?, at }),
        "delivered" => Ok(PartState::Delivered { reference: row.get(first + 5)?, at }),
        "failed" => {
            let why: Option<String> = row.get(first + 6)?;
            let reference = row.get(first + 5)?;
            Ok(PartState::Failed { reference, at, why: why.unwrap_or_default() })
        }
        other => Err(format!("the state is \"{other}\"")),
    })
}

/// Reads the columns `group_reference, group_wide, group_total, group_part`,
/// which begin at `first`.
pub(super) fn group(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Group>> {
    let reference: Option<u16> = row.get(first)?;
    let Some(reference) = reference else { return Ok(None) };
    Ok(Some(Group {
        reference,
        wide: row.get(first + 1)?,
        total: row.get(first + 2)?,
        part: row.get(first + 3)?,
    }))
}

/// Reads a number that this program kept. The error does not repeat it.
pub(super) fn number(text: Option<String>) -> Result<Option<PhoneNumber>, String> {
    text.map(|text| PhoneNumber::parse(&text)).transpose().map_err(|error| error.to_string())
}

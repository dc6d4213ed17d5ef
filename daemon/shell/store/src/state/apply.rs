//! The spool's changes as statements.

use jibu_spool::{Change, MessageId, MessageRow, MessageState, PartRow, Segment, SegmentKey};
use jibu_types::{PhoneNumber, Timestamp};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::row::{PartColumns, message_state};
use crate::StoreError;
use crate::error::Doing;

pub(super) fn change(
    transaction: &Connection,
    now: Timestamp,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::AddMessage(message) => add_message(transaction, now, message),
        Change::AddSegment { message, segment } => add_segment(transaction, now, *message, segment),
        Change::SetMessage { message, state } => set_message(transaction, now, *message, state),
        Change::Summarise { message, at, summary } => {
            let changed = run(
                transaction,
                "UPDATE message SET answered_at = ?2, answer_kind = ?3, answer_language = ?4,
                        answer_details = ?5 WHERE id = ?1",
                params![message.0, at.unix_ms(), summary.kind, summary.language, summary.details],
            )?;
            found("message", message.0, changed)?;
            // `details` is the caller's JSON; where it is none, its words are
            // kept as a JSON string, so that every entry of the trail is JSON.
            let details: serde_json::Value = serde_json::from_str(&summary.details)
                .unwrap_or_else(|_| summary.details.as_str().into());
            let entry = serde_json::json!({
                "message": message.0,
                "kind": summary.kind,
                "language": summary.language,
                "details": details,
            });
            super::audit::append(transaction, *at, "answer", &entry.to_string())
                .doing("write the audit trail")
        }
        Change::AddPart(part) => add_part(transaction, part),
        Change::SetPart { part, attempts, state } => {
            let columns = PartColumns::from(state);
            let changed = run(
                transaction,
                "UPDATE part SET attempts = ?2, state = ?3, at = ?4, sending_modem = ?5,
                        slot_storage = ?6, slot_index = ?7, reference = ?8, why = ?9
                 WHERE id = ?1",
                params![
                    part.0,
                    attempts,
                    columns.state,
                    columns.at.unix_ms(),
                    columns.modem,
                    columns.slot.map(|slot| &slot.storage),
                    columns.slot.map(|slot| slot.index),
                    columns.reference,
                    columns.why,
                ],
            )?;
            found("part", part.0, changed)
        }
        Change::KeepConversation { number, at, state } => run(
            transaction,
            "INSERT INTO conversation (number, at, state) VALUES (?1, ?2, ?3)
             ON CONFLICT (number) DO UPDATE SET at = ?2, state = ?3",
            params![number.reveal(), at.unix_ms(), state],
        )
        .map(drop),
    }
}

/// Marks the keys in `changes` that are kept already as seen now.
pub(super) fn see_again(
    transaction: &Connection,
    now: Timestamp,
    changes: &[Change],
) -> Result<(), StoreError> {
    let segments = changes.iter().flat_map(|change| match change {
        Change::AddMessage(message) => message.segments.as_slice(),
        Change::AddSegment { segment, .. } => std::slice::from_ref(segment),
        _ => &[],
    });
    for SegmentKey { sender, sent_at, tpdu_hash } in segments.map(|segment| &segment.key) {
        run(
            transaction,
            "UPDATE segment SET seen_at = ?4
             WHERE address = ?1 AND sent_at = ?2 AND tpdu_hash = ?3",
            params![sender, sent_at.unix_ms(), tpdu_hash, now.unix_ms()],
        )?;
    }
    Ok(())
}

fn add_message(
    transaction: &Connection,
    now: Timestamp,
    message: &MessageRow,
) -> Result<(), StoreError> {
    let (state, reason) = message_state(&message.state);
    run(
        transaction,
        "INSERT INTO message (id, channel, modem, sender, received_at, state, ignore_reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            message.id.0,
            message.channel.as_str(),
            message.modem.0,
            message.sender.as_ref().map(PhoneNumber::reveal),
            message.received_at.unix_ms(),
            state,
            reason,
        ],
    )?;
    message
        .segments
        .iter()
        .try_for_each(|segment| add_segment(transaction, now, message.id, segment))
}

fn add_segment(
    transaction: &Connection,
    now: Timestamp,
    message: MessageId,
    segment: &Segment,
) -> Result<(), StoreError> {
    let SegmentKey { sender, sent_at, tpdu_hash } = &segment.key;
    let kept_in = transaction
        .prepare_cached(
            "SELECT message FROM segment
             WHERE address = ?1 AND sent_at = ?2 AND tpdu_hash = ?3",
        )
        .and_then(|mut s| {
            s.query_row(params![sender, sent_at.unix_ms(), tpdu_hash], |row| row.get(0)).optional()
        })
        .doing("look for a segment")?;
    if let Some(kept_in) = kept_in {
        return Err(StoreError::SegmentKnown { kept_in: MessageId(kept_in) });
    }
    let group = segment.group;
    run(
        transaction,
        "INSERT INTO segment (message, address, sent_at, tpdu_hash, sender, group_reference,
                              group_wide, group_total, group_part, pdu, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            message.0,
            sender,
            sent_at.unix_ms(),
            tpdu_hash,
            segment.sender.as_ref().map(PhoneNumber::reveal),
            group.map(|group| group.reference),
            group.map(|group| group.wide),
            group.map(|group| group.total),
            group.map(|group| group.part),
            segment.pdu,
            now.unix_ms(),
        ],
    )
    .map(drop)
}

fn set_message(
    transaction: &Connection,
    now: Timestamp,
    message: MessageId,
    state: &MessageState,
) -> Result<(), StoreError> {
    let (name, reason) = message_state(state);
    // An answer that is not summarised still counts for the day's quota.
    let answered_at = (*state == MessageState::Answered).then_some(now.unix_ms());
    let changed = run(
        transaction,
        "UPDATE message SET state = ?2, ignore_reason = ?3,
                answered_at = coalesce(answered_at, ?4) WHERE id = ?1",
        params![message.0, name, reason, answered_at],
    )?;
    found("message", message.0, changed)
}

fn add_part(transaction: &Connection, part: &PartRow) -> Result<(), StoreError> {
    let columns = PartColumns::from(&part.state);
    run(
        transaction,
        "INSERT INTO part (id, message, sequence, modem, recipient, pdu, attempts, state, at,
                           sending_modem, slot_storage, slot_index, reference, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            part.id.0,
            part.message.0,
            part.sequence,
            part.modem.0,
            part.recipient.reveal(),
            part.pdu,
            part.attempts,
            columns.state,
            columns.at.unix_ms(),
            columns.modem,
            columns.slot.map(|slot| &slot.storage),
            columns.slot.map(|slot| slot.index),
            columns.reference,
            columns.why,
        ],
    )
    .map(drop)
}

fn run(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values))
        .doing("save the spool's changes")
}

fn found(table: &'static str, row: i64, changed: usize) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::NoRow { table, row }) } else { Ok(()) }
}

//! SQLite's fault loop: operation 1 fails, then 2, then 3, until a save
//! survives untouched; after each, nothing is lost and nothing half done.

use jibu_spool::{
    AnswerSummary, Group, MessageId, MessageRow, MessageState, ModemName, PartId, PartRow,
    PartState, Segment, SegmentKey, Slot,
};
use jibu_types::Channel;

use super::*;
use crate::ErrorKind;

const LONG: Duration = Duration::from_secs(30 * 24 * 3600);

/// One long question's way through the spool, save by save.
fn saves() -> Vec<Vec<Change>> {
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let number = PhoneNumber::parse("+265991234567").unwrap();
    let modem = ModemName("a".into());
    let segment = |n: u8| Segment {
        key: SegmentKey { sender: "+265991234567".into(), sent_at: now, tpdu_hash: [n; 32] },
        sender: Some(number.clone()),
        group: Some(Group { reference: 4, wide: false, total: 2, part: n }),
        pdu: vec![n; 160],
    };
    let part = |n: u16| PartRow {
        id: PartId(i64::from(n) + 1),
        message: MessageId(1),
        sequence: n,
        modem: modem.clone(),
        recipient: number.clone(),
        pdu: vec![7; 160],
        attempts: 0,
        state: PartState::Ready { not_before: now },
    };
    let set_part = |state| Change::SetPart { part: PartId(1), attempts: 1, state };
    let sending = |slot| PartState::Sending { modem: modem.clone(), slot, since: now };
    vec![
        vec![Change::AddMessage(MessageRow {
            id: MessageId(1),
            channel: Channel::Sms,
            modem: modem.clone(),
            sender: Some(number.clone()),
            received_at: now,
            state: MessageState::Gathering,
            segments: vec![segment(1)],
        })],
        vec![
            Change::AddSegment { message: MessageId(1), segment: segment(2) },
            Change::SetMessage { message: MessageId(1), state: MessageState::Received },
        ],
        vec![
            Change::SetMessage { message: MessageId(1), state: MessageState::Answered },
            Change::Summarise {
                message: MessageId(1),
                at: now,
                summary: AnswerSummary {
                    kind: "found".into(),
                    language: "en".into(),
                    details: "{}".into(),
                },
            },
            Change::AddPart(part(0)),
            Change::AddPart(part(1)),
            Change::KeepConversation { number: number.clone(), at: now, state: "{}".into() },
        ],
        vec![set_part(sending(None))],
        vec![set_part(sending(Some(Slot { storage: "SM".into(), index: 3 })))],
        vec![set_part(PartState::Sent { reference: Some(9), at: now })],
        vec![set_part(PartState::Delivered { reference: Some(9), at: now })],
    ]
}

/// Everything that a store says of itself.
fn picture(store: &StateStore) -> impl PartialEq + std::fmt::Debug + use<> {
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let number = PhoneNumber::parse("+265991234567").unwrap();
    (
        store.restore(now, LONG, LONG).unwrap(),
        store.messages(MessageFilter::Newest(99)).unwrap(),
        store.conversation(&number).unwrap(),
        store.verify_audit().unwrap(),
    )
}

/// Runs the saves; before each, `fault` makes it fail at step 1, 2, 3 … until
/// it goes through. Gives the number of failures.
fn loop_over_faults(
    kind: ErrorKind,
    fault: impl Fn(&mut StateStore, u64),
    clear: impl Fn(&mut StateStore),
    may_be_unknown: bool,
) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let mut store = StateStore::open(folder.path().join("state.db")).unwrap();
    let mut untouched = StateStore::open(folder.path().join("untouched.db")).unwrap();
    let mut failures = 0;
    for changes in saves() {
        let before = picture(&untouched);
        untouched.apply(Timestamp::default(), &changes).unwrap();
        let after = picture(&untouched);
        for step in 1.. {
            fault(&mut store, step);
            let applied = store.apply(Timestamp::default(), &changes);
            clear(&mut store);
            let Err(error) = applied else { break };
            failures += 1;
            assert_eq!(error.kind(), kind, "{error:?}");
            let now = picture(&store);
            if may_be_unknown && now == after {
                break;
            }
            assert_eq!(now, before, "half done at step {step}");
        }
        assert_eq!(picture(&store), after);
    }
    assert_eq!(store.quick_check().unwrap(), None);
    failures
}

/// Interrupts the save at its instruction `step`, and at those after it as long
/// as `lasts` says so.
fn interrupt(lasts: bool) -> u64 {
    loop_over_faults(
        ErrorKind::TryAgain,
        |store, step| {
            let mut instruction = 0;
            let handler = move || {
                instruction += 1;
                instruction == step || (lasts && instruction > step)
            };
            store.reader.connection.progress_handler(1, Some(handler)).unwrap();
        },
        |store| store.reader.connection.progress_handler(0, None::<fn() -> bool>).unwrap(),
        lasts,
    )
}

#[test]
fn a_save_that_is_cut_off_at_any_instruction_is_undone() {
    let failures = interrupt(false);
    assert!(failures > 500, "{failures} instructions failed");
}

/// Here a save may be in the file although its error says otherwise: nothing
/// could be asked any more. It is never there by half.
#[test]
fn a_save_whose_undoing_is_cut_off_too_is_undone_later() {
    let failures = interrupt(true);
    assert!(failures > 500, "{failures} instructions failed");
}

#[test]
fn a_save_that_fills_the_disk_is_undone_and_may_be_tried_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = StateStore::open(folder.path().join("state.db")).unwrap();
    let pages: i64 =
        store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let Change::AddMessage(first) = saves().remove(0).remove(0) else {
        panic!("a message comes first")
    };
    // So many that every table and index needs new pages.
    let changes: Vec<Change> = (1..=200)
        .map(|id| {
            let mut row = first.clone();
            row.id = MessageId(id);
            row.segments[0].key.tpdu_hash = *blake3::hash(&id.to_le_bytes()).as_bytes();
            Change::AddMessage(row)
        })
        .collect();
    let before = picture(&store);
    let mut failures = 0;
    loop {
        store.connection.pragma_update(None, "max_page_count", pages + failures).unwrap();
        match store.apply(Timestamp::default(), &changes) {
            Ok(()) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TryLater, "{error:?}");
                assert!(error.to_string().contains("the disk is full"), "{error}");
                assert_eq!(picture(&store), before);
                failures += 1;
            }
        }
    }
    assert!(failures > 10, "the disk was full {failures} times");
    let restored = store.restore(Timestamp::default(), LONG, LONG).unwrap();
    assert_eq!(restored.messages.len(), 200);
}

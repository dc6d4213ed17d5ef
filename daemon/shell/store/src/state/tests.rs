use jibu_spool::{
    AnswerSummary, Group, IgnoreReason, MessageId, MessageRow, MessageState, ModemName, PartId,
    PartRow, PartState, Segment, SegmentKey, Slot,
};
use jibu_types::Channel;
use rusqlite::Connection;

use super::*;
use crate::ErrorKind;

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_700_000_000_000 + ms)
}

fn number() -> PhoneNumber {
    PhoneNumber::parse("+265991234567").unwrap()
}

fn modem() -> ModemName {
    ModemName("a".into())
}

fn segment(name: u8, group: Option<Group>) -> Segment {
    let key =
        SegmentKey { sender: number().reveal().into(), sent_at: at(0), tpdu_hash: [name; 32] };
    Segment { key, sender: Some(number()), group, pdu: vec![name, 1, 2] }
}

fn message(id: i64, state: MessageState, segments: Vec<Segment>) -> MessageRow {
    MessageRow {
        id: MessageId(id),
        channel: Channel::Sms,
        modem: modem(),
        sender: Some(number()),
        received_at: at(id),
        state,
        segments,
    }
}

fn part(id: i64, message: i64, state: PartState) -> PartRow {
    PartRow {
        id: PartId(id),
        message: MessageId(message),
        sequence: u16::try_from(id).unwrap(),
        modem: modem(),
        recipient: number(),
        pdu: vec![9, 9],
        attempts: 0,
        state,
    }
}

fn summary() -> AnswerSummary {
    AnswerSummary {
        kind: "found".into(),
        language: "sw".into(),
        details: r#"{"passage":7}"#.into(),
    }
}

fn store() -> (tempfile::TempDir, StateStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = StateStore::open(folder.path().join("state.db")).unwrap();
    (folder, store)
}

#[test]
fn a_message_is_unanswered_until_a_part_of_its_answer_left() {
    let (_folder, mut store) = store();
    let mut changes: Vec<Change> = (1..=5)
        .map(|id| {
            let state = if id == 1 { MessageState::Received } else { MessageState::Answered };
            Change::AddMessage(message(id, state, vec![segment(id as u8, None)]))
        })
        .collect();
    let states = [
        PartState::Ready { not_before: at(1) },
        PartState::Sent { reference: Some(1), at: at(1) },
        PartState::Failed { reference: None, at: at(1), why: "no".into() },
    ];
    changes.extend((3i64..).zip(states).map(|(id, state)| Change::AddPart(part(id, id, state))));
    store.apply(at(9), &changes).unwrap();
    let found = |modem, since| -> Vec<u8> {
        let pdus = store.unanswered_pdus(modem, since).unwrap();
        pdus.into_iter().map(|pdu| pdu[0]).collect()
    };
    assert_eq!(found("a", at(0)), [1, 2, 3]);
    assert_eq!(found("a", at(3)), [3]);
    assert!(found("b", at(0)).is_empty());
}

#[test]
fn what_is_saved_is_restored() {
    let (folder, mut store) = store();
    let half = Some(Group { reference: 700, wide: true, total: 2, part: 2 });
    let open = message(1, MessageState::Gathering, vec![segment(1, half)]);
    let asked = message(2, MessageState::Received, vec![segment(2, None)]);
    let slot = Some(Slot { storage: "SM".into(), index: 5 });
    let states = [
        PartState::Ready { not_before: at(10) },
        PartState::Sending { modem: modem(), slot, since: at(11) },
        PartState::Sending { modem: modem(), slot: None, since: at(12) },
        PartState::Sent { reference: Some(255), at: at(13) },
        PartState::Delivered { reference: Some(254), at: at(14) },
        PartState::Failed { reference: Some(253), at: at(14), why: "status 0x41".into() },
        PartState::Failed { reference: None, at: at(15), why: "+CMS ERROR: 38".into() },
    ];
    let parts: Vec<PartRow> = (1..).zip(states).map(|(id, state)| part(id, 3, state)).collect();
    let mut changes = vec![
        Change::AddMessage(open.clone()),
        Change::AddMessage(asked.clone()),
        Change::AddMessage(message(3, MessageState::Received, vec![segment(3, None)])),
        Change::SetMessage { message: MessageId(3), state: MessageState::Answered },
        Change::Summarise { message: MessageId(3), at: at(5), summary: summary() },
        Change::KeepConversation { number: number(), at: at(5), state: "{}".into() },
    ];
    changes.extend(parts.iter().cloned().map(Change::AddPart));
    store.apply(at(6), &changes).unwrap();
    drop(store);

    let store = StateStore::open(folder.path().join("state.db")).unwrap();
    let restored = store.restore(at(20), MONTH, MONTH).unwrap();
    assert_eq!((restored.last_message, restored.last_part), (3, 7));
    assert_eq!(restored.keys.len(), 3);
    assert_eq!(restored.messages, [open, asked]);
    assert_eq!(restored.parts, parts[..6]);
    assert_eq!(restored.answered, [(number(), modem(), at(5))]);
    assert_eq!(store.conversation(&number()).unwrap().as_deref(), Some("{}"));
}

#[test]
fn a_setting_is_kept_with_the_changes_or_not_at_all() {
    let (_folder, mut store) = store();
    let add = Change::AddMessage(message(1, MessageState::Answered, vec![]));
    let nothing = Change::SetMessage { message: MessageId(9), state: MessageState::Answered };
    let both = [add.clone(), nothing];
    assert!(store.apply_with(at(1), &both, Some(("done", "7"))).is_err());
    assert_eq!(store.setting("done").unwrap(), None);
    store.apply_with(at(1), &[add], Some(("done", "7"))).unwrap();
    assert_eq!(store.setting("done").unwrap().as_deref(), Some("7"));
}

#[test]
fn a_message_that_went_on_without_a_part_is_restored_for_a_day() {
    let (_folder, mut store) = store();
    let half = |part| Some(Group { reference: 7, wide: false, total: 2, part });
    let row = message(1, MessageState::Answered, vec![segment(1, half(2))]);
    store.apply(at(1), &[Change::AddMessage(row.clone())]).unwrap();
    let incomplete = |store: &StateStore, now| store.restore(now, MONTH, MONTH).unwrap().incomplete;
    assert_eq!(incomplete(&store, at(2)), [row]);
    assert!(incomplete(&store, at(2) + Duration::from_secs(24 * 3600)).is_empty());
    // The same part again, of another submission, does not make it whole.
    let again = segment(2, half(2));
    let add = |segment| Change::AddSegment { message: MessageId(1), segment };
    store.apply(at(2), &[add(again)]).unwrap();
    assert_eq!(incomplete(&store, at(2)).len(), 1);
    store.apply(at(3), &[add(segment(3, half(1)))]).unwrap();
    assert!(incomplete(&store, at(3)).is_empty());
}

#[test]
fn a_known_key_makes_no_second_message_and_is_remembered_anew() {
    let (_folder, mut store) = store();
    let first = message(1, MessageState::Received, vec![segment(1, None)]);
    store.apply(at(0), &[Change::AddMessage(first)]).unwrap();
    let later = at(0) + MONTH + MONTH;
    assert!(store.restore(later, MONTH, MONTH).unwrap().keys.is_empty());

    let second = message(2, MessageState::Received, vec![segment(1, None)]);
    let error = store.apply(later, &[Change::AddMessage(second)]).unwrap_err();
    assert!(matches!(error, StoreError::SegmentKnown { kept_in: MessageId(1) }), "{error}");
    assert_eq!(error.kind(), ErrorKind::GiveUp);
    let restored = store.restore(later, MONTH, MONTH).unwrap();
    assert_eq!(restored.messages.len(), 1);
    assert_eq!(restored.keys, [(segment(1, None).key, MessageId(1))]);
}

#[test]
fn a_change_to_a_row_that_is_not_there_undoes_its_save() {
    let (_folder, mut store) = store();
    let row = message(1, MessageState::Received, vec![segment(1, None)]);
    let state = PartState::Ready { not_before: at(0) };
    for lost in [
        Change::SetMessage { message: MessageId(9), state: MessageState::Answered },
        Change::Summarise { message: MessageId(9), at: at(0), summary: summary() },
        Change::SetPart { part: PartId(9), attempts: 1, state: state.clone() },
        Change::AddPart(part(1, 9, state.clone())),
        Change::AddSegment { message: MessageId(9), segment: segment(2, None) },
    ] {
        store.apply(at(0), &[Change::AddMessage(row.clone()), lost]).unwrap_err();
        let restored = store.restore(at(0), MONTH, MONTH).unwrap();
        assert_eq!(restored, Restored::default());
        assert_eq!(store.verify_audit().unwrap(), 0);
    }
}

#[test]
fn a_view_shows_no_number_and_no_words() {
    let (_folder, mut store) = store();
    let ready = PartState::Ready { not_before: at(2) };
    store
        .apply(
            at(1),
            &[
                Change::AddMessage(message(1, MessageState::Received, vec![segment(1, None)])),
                Change::SetMessage { message: MessageId(1), state: MessageState::Answered },
                Change::Summarise { message: MessageId(1), at: at(2), summary: summary() },
                Change::AddPart(part(1, 1, ready)),
                Change::AddMessage(message(
                    2,
                    MessageState::Ignored(IgnoreReason::Quota),
                    vec![segment(2, None)],
                )),
            ],
        )
        .unwrap();
    let views = store.messages(MessageFilter::Newest(10)).unwrap();
    assert_eq!(views.iter().map(|view| view.id).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(views[0].ignore_reason.as_deref(), Some("quota"));
    let one = store.messages(MessageFilter::Id(MessageId(1))).unwrap();
    assert_eq!(one, views[1..]);
    let json = serde_json::to_string(&one).unwrap();
    assert!(!json.contains("99123"), "{json}");
    assert_eq!(one[0].sender.as_deref(), Some("…67"));
    assert_eq!(one[0].parts[0].recipient, "…67");
    assert_eq!(one[0].answer.as_ref().unwrap().details["passage"], 7);

    let counts = store.counts().unwrap();
    assert_eq!(counts.messages["answered"], 1);
    assert_eq!(counts.messages["ignored"], 1);
    assert_eq!(counts.parts["ready"], 1);
    assert_eq!(counts.events["answer"], 1);
}

#[test]
fn the_audit_trail_only_grows_and_shows_a_change_from_outside() {
    let (folder, mut store) = store();
    for kind in ["found", "unknown", "found"] {
        store
            .record(at(1), "answer", &serde_json::json!({"channel": "kiosk", "kind": kind}))
            .unwrap();
    }
    assert_eq!(store.counts().unwrap().events["answer"], 3);
    assert_eq!(store.verify_audit().unwrap(), 3);
    assert_eq!(store.audit(1).unwrap()[0].details["kind"], "found");

    let outside = Connection::open(folder.path().join("state.db")).unwrap();
    outside.execute("DELETE FROM audit", []).unwrap_err();
    outside.execute("UPDATE audit SET event = 'x'", []).unwrap_err();
    outside.execute_batch("DROP TRIGGER audit_keeps_its_words").unwrap();
    outside.execute("UPDATE audit SET at = at + 1 WHERE id = 2", []).unwrap();
    let error = store.verify_audit().unwrap_err();
    assert!(matches!(error, StoreError::AuditBroken { entry: 2 }), "{error}");
}

#[test]
fn a_floor_never_sinks() {
    let (_folder, mut store) = store();
    let health = CollectionName::parse("health").unwrap();
    let version = |epoch, version| IndexVersion { epoch, version };
    assert_eq!(store.floor(&health).unwrap(), None);
    store.raise_floor(&health, version(1, u64::MAX)).unwrap();
    store.raise_floor(&health, version(2, 0)).unwrap();
    store.raise_floor(&health, version(2, 0)).unwrap();
    let error = store.raise_floor(&health, version(1, 7)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "health 1.7 is older than 2.0, which this box has accepted already"
    );
    assert_eq!(store.floor(&health).unwrap(), Some(version(2, 0)));
}

#[test]
fn what_is_done_with_is_forgotten_and_its_ids_are_not_used_again() {
    let (_folder, mut store) = store();
    let sent = PartState::Delivered { reference: Some(3), at: at(3) };
    let waiting = PartState::Ready { not_before: at(3) };
    let answered = |id: i64, state| {
        let name = u8::try_from(id).unwrap();
        [
            Change::AddMessage(message(id, MessageState::Answered, vec![segment(name, None)])),
            Change::AddPart(part(id, id, state)),
        ]
    };
    store.apply(at(3), &answered(1, waiting)).unwrap();
    store.apply(at(3), &answered(2, sent)).unwrap();
    assert_eq!(store.prune(at(3)).unwrap(), 0);
    assert_eq!(store.prune(at(4)).unwrap(), 1);
    let restored = store.restore(at(4), MONTH, MONTH).unwrap();
    assert_eq!((restored.last_message, restored.last_part), (2, 2));
    assert_eq!(restored.keys.len(), 1);
}

#[test]
fn a_reader_sees_what_the_writer_saved_and_cannot_write() {
    let (folder, mut store) = store();
    let reader = StateReader::open(folder.path().join("state.db")).unwrap();
    store.set_setting("site", "mzuzu").unwrap();
    store.set_setting("site", "zomba").unwrap();
    assert_eq!(reader.setting("site").unwrap().as_deref(), Some("zomba"));
    reader.connection.execute("DELETE FROM setting", []).unwrap_err();
    store.checkpoint().unwrap();
    assert_eq!(reader.quick_check().unwrap(), None);
}

#[test]
fn a_row_that_cannot_be_read_is_named_without_its_words() {
    let (folder, mut store) = store();
    let row = message(1, MessageState::Received, vec![segment(1, None)]);
    store.apply(at(0), &[Change::AddMessage(row)]).unwrap();
    let outside = Connection::open(folder.path().join("state.db")).unwrap();
    outside.execute("UPDATE message SET sender = 'Chikondi'", []).unwrap();
    let error = store.restore(at(0), MONTH, MONTH).unwrap_err().to_string();
    assert!(error.starts_with("message 1 cannot be read"), "{error}");
    assert!(!error.contains("Chikondi"));
}

#[test]
fn how_far_a_collection_is_followed_is_kept_and_a_refusal_never_goes_down() {
    let (_folder, mut store) = store();
    let health = CollectionName::parse("health").unwrap();
    let version = |version| IndexVersion { epoch: 1, version };
    assert_eq!(store.followed(&health).unwrap(), Followed::default());
    for save in [
        Save::Newest(vec![7]),
        Save::Allowed(500),
        Save::Refused(version(3)),
        Save::Refused(version(2)),
        Save::Floor(version(1)),
    ] {
        store.follow(&health, &save).unwrap();
    }
    let expected = Followed { newest: Some(vec![7]), refused: Some(version(3)), allowed: 500 };
    assert_eq!(store.followed(&health).unwrap(), expected);
    assert_eq!(store.floor(&health).unwrap(), Some(version(1)));
    // What an update may cost is said of that update alone.
    store.follow(&health, &Save::Newest(vec![8])).unwrap();
    let expected = Followed { newest: Some(vec![8]), allowed: 0, ..expected };
    assert_eq!(store.followed(&health).unwrap(), expected);
    assert!(store.follow(&health, &Save::Floor(version(0))).is_err());
}

#[test]
fn what_the_hub_is_to_be_told_waits_and_an_asker_is_found_by_a_token() {
    use jibu_sync::telemetry::{Output, Save};
    use jibu_sync::wire::Stream;
    let (_folder, mut store) = store();
    let save =
        |number| Output::Save(Save { stream: Stream::Person, number, record: vec![number as u8] });
    let mut expected = telemetry::Saved::default();
    let forget = Output::Forget { stream: Stream::Person, through: 2 };
    for output in [save(1), save(2), save(3), forget] {
        store.keep_telemetry(&output).unwrap();
        expected.apply(&output);
        assert_eq!(store.telemetry().unwrap(), expected);
    }
    let asker = Asker { number: number(), language: jibu_types::Language::EN };
    store.keep_asker(&[1, 2], &asker, at(1)).unwrap();
    assert_eq!(store.asker(&[1, 2]).unwrap(), Some(asker));
    assert_eq!(store.asker(&[1]).unwrap(), None);
    store.prune(at(1)).unwrap();
    assert!(store.asker(&[1, 2]).unwrap().is_some());
    store.prune(at(2)).unwrap();
    assert_eq!(store.asker(&[1, 2]).unwrap(), None);
}

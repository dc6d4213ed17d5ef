//! What the spool does in single situations.

use std::time::Duration;

use jibu_spool::{
    AnswerSummary, Change, Config, Group, IgnoreReason, Input, MessageId, MessageState, ModemName,
    Output, PartId, PartState, QuietHours, ReportOutcome, Restored, Segment, SegmentKey, Slot,
    Spool, StoredPart, Ticket, Verdict,
};
use jibu_types::{Channel, PhoneNumber, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn modem() -> ModemName {
    ModemName("gsm".into())
}

fn spool() -> Spool {
    let mut spool = Spool::new(Config::default(), Restored::default(), at(0));
    let ready = Input::ModemReady { modem: modem(), keeps_parts: true, stored: vec![] };
    drain(&mut spool, ready, 0);
    spool
}

fn drain(spool: &mut Spool, input: Input, seconds: i64) -> Vec<Output> {
    spool.handle(input, at(seconds));
    std::iter::from_fn(|| spool.poll()).collect()
}

fn sms(sender: &str, hash: u8, group: Option<Group>) -> Input {
    let key = SegmentKey { sender: sender.into(), sent_at: at(0), tpdu_hash: [hash; 32] };
    let sender = PhoneNumber::parse(sender).ok();
    let ticket = Ticket(u64::from(hash));
    Input::Arrived {
        modem: modem(),
        ticket,
        segment: Segment { key, sender, group, pdu: vec![hash] },
    }
}

fn answer(message: i64, pages: u8) -> Input {
    Input::Answered {
        message: MessageId(message),
        pdus: (0..pages).map(|page| vec![page]).collect(),
        summary: AnswerSummary {
            kind: "found".into(),
            language: "en".into(),
            details: "{}".into(),
        },
        conversation: None,
    }
}

fn part(of: u8, part: u8) -> Option<Group> {
    Some(Group { reference: 0, wide: false, total: of, part })
}

fn asked(outputs: &[Output]) -> Vec<(i64, usize, usize)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Ask { message, pdus, missing, .. } => Some((message.0, pdus.len(), *missing)),
            _ => None,
        })
        .collect()
}

fn sent(outputs: &[Output]) -> Vec<i64> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send { part, .. } => Some(part.0),
            _ => None,
        })
        .collect()
}

fn states(outputs: &[Output]) -> Vec<PartState> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Save(changes) => Some(changes),
            _ => None,
        })
        .flatten()
        .filter_map(|change| match change {
            Change::SetPart { state, .. } => Some(state.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_is_kept_before_it_is_erased_and_asked() {
    let outputs = drain(&mut spool(), sms("+265991234567", 1, None), 1);
    assert!(matches!(outputs[..], [Output::Save(_), Output::Ask { .. }, Output::Erase { .. }]));
}

#[test]
fn the_copy_that_a_power_cut_leaves_on_the_sim_is_only_erased() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991234567", 1, None), 1);
    let again = drain(&mut spool, sms("+265991234567", 1, None), 2);
    assert!(matches!(again[..], [Output::Erase { .. }]));
}

#[test]
fn parts_may_come_in_any_order_and_twice() {
    let mut spool = spool();
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 3, part(3, 3)), 1)), []);
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 1, part(3, 1)), 2)), []);
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 3, part(3, 3)), 3)), []);
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 2, part(3, 2)), 4)), [(1, 3, 0)]);
}

#[test]
fn one_reference_of_two_senders_makes_two_messages() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, part(2, 1)), 1);
    drain(&mut spool, sms("+265992", 2, part(2, 1)), 1);
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 3, part(2, 2)), 2)), [(1, 2, 0)]);
    assert_eq!(asked(&drain(&mut spool, sms("+265992", 4, part(2, 2)), 2)), [(2, 2, 0)]);
}

#[test]
fn missing_parts_are_waited_for_and_then_the_rest_is_asked() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, part(2, 2)), 1);
    assert_eq!(spool.deadline(), Some(at(601)));
    assert_eq!(asked(&drain(&mut spool, Input::Tick, 601)), [(1, 1, 1)]);
    drain(&mut spool, answer(1, 1), 602);
    let late = drain(&mut spool, sms("+265991", 2, part(2, 1)), 700);
    assert_eq!(asked(&late), []);
    assert!(matches!(late[..], [Output::Save(_), Output::Erase { .. }]));
}

#[test]
fn a_phone_that_gives_every_message_the_same_reference_is_answered_each_time() {
    let mut spool = spool();
    let sms_at = |hash: u8, group, seconds: i64| {
        let Input::Arrived { modem, ticket, mut segment } = sms("+265991", hash, group) else {
            panic!("it is one");
        };
        segment.key.sent_at = at(seconds);
        Input::Arrived { modem, ticket, segment }
    };
    // The first message misses its second part, and goes on without it.
    drain(&mut spool, sms_at(1, part(2, 1), 1), 1);
    assert_eq!(asked(&drain(&mut spool, Input::Tick, 601)), [(1, 1, 1)]);
    // Two hours later the next one, whose parts come in the wrong order.
    drain(&mut spool, sms_at(2, part(2, 2), 7_200), 7_201);
    assert_eq!(asked(&drain(&mut spool, sms_at(3, part(2, 1), 7_200), 7_202)), [(2, 2, 0)]);
    // A box that was off gets parts of two messages at once.
    drain(&mut spool, sms_at(4, part(2, 1), 20_000), 40_000);
    drain(&mut spool, sms_at(5, part(2, 2), 30_000), 40_000);
    assert_eq!(asked(&drain(&mut spool, sms_at(6, part(2, 1), 30_000), 40_000)), [(4, 2, 0)]);
}

#[test]
fn names_short_codes_and_our_own_numbers_are_never_answered() {
    let own = PhoneNumber::parse("+265990000000").unwrap();
    let config = Config { never_answer: vec![own], ..Config::default() };
    for sender in ["MPESA", "50131", "+265990000000"] {
        let mut spool = Spool::new(config.clone(), Restored::default(), at(0));
        let outputs = drain(&mut spool, sms(sender, 1, None), 1);
        let Output::Save(changes) = &outputs[0] else { panic!("{outputs:?}") };
        let Change::AddMessage(row) = &changes[0] else { panic!("{changes:?}") };
        assert_eq!(row.state, MessageState::Ignored(IgnoreReason::NotAPerson), "{sender}");
        assert_eq!(asked(&outputs), []);
    }
}

#[test]
fn a_sender_has_a_quota_a_day() {
    let config = Config { answers_per_day: 2, ..Config::default() };
    let mut spool = Spool::new(config, Restored::default(), at(0));
    for hash in 1..=2 {
        assert_eq!(asked(&drain(&mut spool, sms("+265991", hash, None), 10)).len(), 1);
        drain(&mut spool, answer(i64::from(hash), 1), 10);
    }
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 3, None), 11)), []);
    assert_eq!(asked(&drain(&mut spool, sms("+265992", 4, None), 11)).len(), 1);
    assert_eq!(asked(&drain(&mut spool, sms("+265991", 5, None), 10 + 86_400)).len(), 1);
}

#[test]
fn pages_leave_in_reading_order_one_at_a_time() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, None), 1);
    assert_eq!(sent(&drain(&mut spool, answer(1, 2), 2)), [1]);
    let done = Input::Sent { part: PartId(1), reference: Some(9), slot: None };
    assert_eq!(sent(&drain(&mut spool, done, 3)), [2]);
}

#[test]
fn a_failed_page_holds_back_the_pages_behind_it_but_not_other_people() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, None), 1);
    drain(&mut spool, sms("+265992", 2, None), 1);
    drain(&mut spool, answer(1, 2), 2);
    drain(&mut spool, answer(2, 1), 2);
    let failed = Input::SendFailed {
        part: PartId(1),
        verdict: Verdict::Retry,
        why: "+CMS ERROR: 42".into(),
        slot: None,
    };
    assert_eq!(sent(&drain(&mut spool, failed, 3)), [3]);
    let done = Input::Sent { part: PartId(3), reference: Some(1), slot: None };
    assert_eq!(sent(&drain(&mut spool, done, 4)), []);
    assert_eq!(spool.deadline(), Some(at(3 + 5)));
    assert_eq!(sent(&drain(&mut spool, Input::Tick, 8)), [1]);
}

#[test]
fn what_can_never_be_sent_is_given_up_the_second_time_with_the_rest_of_its_answer() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, None), 1);
    drain(&mut spool, answer(1, 3), 2);
    let failed = || Input::SendFailed {
        part: PartId(1),
        verdict: Verdict::GiveUp,
        why: "+CMS ERROR: 30".into(),
        slot: None,
    };
    // "+CMS ERROR: 30" may be what was left of 302.
    assert_eq!(states(&drain(&mut spool, failed(), 3)).len(), 1);
    assert_eq!(sent(&drain(&mut spool, Input::Tick, 8)), [1]);
    let outputs = drain(&mut spool, failed(), 9);
    assert_eq!(states(&outputs).len(), 3);
    assert!(states(&outputs).iter().all(|state| matches!(state, PartState::Failed { .. })));
    assert_eq!(spool.unsent(), 0);
    assert_eq!(spool.deadline(), None);
}

#[test]
fn a_report_may_overtake_the_reply_to_the_sending() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991234567", 1, None), 1);
    drain(&mut spool, answer(1, 1), 2);
    let report = Input::Report {
        modem: modem(),
        ticket: Ticket(9),
        recipient: PhoneNumber::parse("0991234567").unwrap(),
        reference: 77,
        outcome: ReportOutcome::Delivered,
    };
    assert_eq!(states(&drain(&mut spool, report, 3)), []);
    let done = Input::Sent { part: PartId(1), reference: Some(77), slot: None };
    let after = states(&drain(&mut spool, done, 4));
    assert_eq!(after.last(), Some(&PartState::Delivered { reference: Some(77), at: at(4) }));
}

#[test]
fn a_report_that_comes_before_the_modem_is_ready_settles_a_part_in_doubt() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, None), 1);
    drain(&mut spool, answer(1, 1), 2);
    drain(&mut spool, Input::ModemLost { modem: modem() }, 3);
    let report = Input::Report {
        modem: modem(),
        ticket: Ticket(9),
        recipient: PhoneNumber::parse("+265991").unwrap(),
        reference: 58,
        outcome: ReportOutcome::Delivered,
    };
    drain(&mut spool, report, 7200);
    let ready = Input::ModemReady { modem: modem(), keeps_parts: false, stored: vec![] };
    let after = states(&drain(&mut spool, ready, 7201));
    assert_eq!(after.last(), Some(&PartState::Delivered { reference: Some(58), at: at(7201) }));
    assert_eq!(sent(&drain(&mut spool, Input::Tick, 9000)), []);
}

#[test]
fn a_report_that_is_shown_again_settles_no_other_part() {
    let mut spool = spool();
    let report = || Input::Report {
        modem: modem(),
        ticket: Ticket(9),
        recipient: PhoneNumber::parse("+265991").unwrap(),
        reference: 17,
        outcome: ReportOutcome::Delivered,
    };
    let ready = || Input::ModemReady { modem: modem(), keeps_parts: false, stored: vec![] };
    drain(&mut spool, sms("+265991", 1, None), 1);
    drain(&mut spool, answer(1, 2), 2);
    let done = Input::Sent { part: PartId(1), reference: Some(17), slot: None };
    assert_eq!(sent(&drain(&mut spool, done, 3)), [2]);
    assert_eq!(states(&drain(&mut spool, report(), 4)).len(), 1);
    // While the second part is with the modem, and when its fate is not known.
    assert_eq!(states(&drain(&mut spool, report(), 5)), []);
    drain(&mut spool, Input::ModemLost { modem: modem() }, 6);
    assert_eq!(states(&drain(&mut spool, report(), 7)), []);
    assert_eq!(states(&drain(&mut spool, ready(), 8)), []);
    assert_eq!(states(&drain(&mut spool, report(), 9)), []);
    let later = 8 + Config::default().unknown_fate_wait.as_secs() as i64;
    assert_eq!(sent(&drain(&mut spool, Input::Tick, later)), [2]);
}

#[test]
fn nothing_is_sent_while_the_modem_is_away() {
    let mut spool = spool();
    drain(&mut spool, Input::ModemLost { modem: modem() }, 1);
    drain(&mut spool, sms("+265991", 1, None), 1);
    assert_eq!(sent(&drain(&mut spool, answer(1, 1), 2)), []);
    assert_eq!(spool.deadline(), None);
    let ready = Input::ModemReady { modem: modem(), keeps_parts: true, stored: vec![] };
    assert_eq!(sent(&drain(&mut spool, ready, 60)), [1]);
}

#[test]
fn without_evidence_a_part_is_sent_again_after_a_wait() {
    let mut spool = spool();
    drain(&mut spool, sms("+265991", 1, None), 1);
    drain(&mut spool, answer(1, 1), 2);
    drain(&mut spool, Input::ModemLost { modem: modem() }, 3);
    let ready = Input::ModemReady { modem: modem(), keeps_parts: false, stored: vec![] };
    assert_eq!(sent(&drain(&mut spool, ready, 4)), []);
    // From its return: while it was away no report could come.
    let wait = Config::default().unknown_fate_wait;
    assert_eq!(spool.deadline(), Some(at(4) + wait));
    spool.handle(Input::Tick, at(4) + wait);
    let outputs: Vec<Output> = std::iter::from_fn(|| spool.poll()).collect();
    assert_eq!(sent(&outputs), [1]);
    assert!(wait > Duration::from_secs(30), "a report needs time to come");
}

#[test]
fn a_copy_that_stands_elsewhere_than_the_modem_said_is_still_evidence() {
    // A modem that restarted without a word writes to another storage.
    let (here, there) =
        (Slot { storage: "ME".into(), index: 5 }, Slot { storage: "SM".into(), index: 5 });
    let mut spool = spool();
    drain(&mut spool, sms("+265991234567", 1, None), 1);
    assert_eq!(sent(&drain(&mut spool, answer(1, 1), 2)), [1]);
    drain(&mut spool, Input::Written { part: PartId(1), slot: here }, 3);
    drain(&mut spool, Input::ModemLost { modem: modem() }, 4);
    let copy = StoredPart { slot: there.clone(), pdu: vec![0], sent: true };
    let ready = Input::ModemReady { modem: modem(), keeps_parts: true, stored: vec![copy] };
    let outputs = drain(&mut spool, ready, 5);
    assert_eq!(states(&outputs), [PartState::Sent { reference: None, at: at(5) }]);
    assert!(outputs.contains(&Output::Forget { modem: modem(), slot: there }));
}

fn reason(outputs: &[Output]) -> Option<IgnoreReason> {
    let Some(Output::Save(changes)) = outputs.first() else { panic!("{outputs:?}") };
    let Some(Change::AddMessage(row)) = changes.first() else { panic!("{changes:?}") };
    match row.state {
        MessageState::Ignored(reason) => Some(reason),
        _ => None,
    }
}

#[test]
fn a_sim_and_all_sims_together_spend_no_more_than_a_day_allows() {
    let other = ModemName("other".into());
    let config =
        Config { answers_per_day_and_modem: 2, answers_per_day_in_all: 3, ..Config::default() };
    // One answer before the restart counts.
    let before = (PhoneNumber::parse("+265990").unwrap(), modem(), at(0));
    let restored = Restored { answered: vec![before], ..Restored::default() };
    let mut spool = Spool::new(config, restored, at(10));
    let by = |modem: &ModemName, sender: &str, hash: u8| match sms(sender, hash, None) {
        Input::Arrived { ticket, segment, .. } => {
            Input::Arrived { modem: modem.clone(), ticket, segment }
        }
        _ => unreachable!(),
    };
    assert_eq!(reason(&drain(&mut spool, by(&modem(), "+265991", 1), 11)), None);
    // The second waits for its answer still, and counts.
    let spent = drain(&mut spool, by(&modem(), "+265992", 2), 12);
    assert_eq!(reason(&spent), Some(IgnoreReason::Quota));
    assert_eq!(reason(&drain(&mut spool, by(&other, "+265993", 3), 13)), None);
    drain(&mut spool, answer(1, 1), 14);
    drain(&mut spool, answer(3, 1), 14);
    let spent = drain(&mut spool, by(&other, "+265994", 4), 15);
    assert_eq!(reason(&spent), Some(IgnoreReason::Quota), "three in all");
    assert_eq!(reason(&drain(&mut spool, by(&other, "+265995", 5), 86_414)), None, "a day later");
}

/// 22:00 to 05:00, UTC.
fn quiet() -> Config {
    let hours = QuietHours { from_minute: 1320, to_minute: 300, utc_offset_minutes: 0 };
    Config { quiet: Some(hours), ..Config::default() }
}

const ELEVEN_AT_NIGHT: i64 = 23 * 3600;
const FIVE_IN_THE_MORNING: i64 = 29 * 3600;

fn ready() -> Input {
    Input::ModemReady { modem: modem(), keeps_parts: true, stored: vec![] }
}

#[test]
fn who_asks_at_night_is_answered_and_who_asked_long_ago_sleeps() {
    let mut spool = Spool::new(quiet(), Restored::default(), at(ELEVEN_AT_NIGHT));
    drain(&mut spool, ready(), ELEVEN_AT_NIGHT);
    drain(&mut spool, sms("+265991", 1, None), ELEVEN_AT_NIGHT + 1);
    let outputs = drain(&mut spool, answer(1, 1), ELEVEN_AT_NIGHT + 2);
    assert_eq!(sent(&outputs), [1]);

    let done = Input::Sent { part: PartId(1), reference: None, slot: None };
    drain(&mut spool, done, ELEVEN_AT_NIGHT + 3);

    // The modem is away for an hour.
    drain(&mut spool, Input::ModemLost { modem: modem() }, ELEVEN_AT_NIGHT + 3);
    drain(&mut spool, sms("+265992", 2, None), ELEVEN_AT_NIGHT + 4);
    drain(&mut spool, answer(2, 2), ELEVEN_AT_NIGHT + 5);
    assert_eq!(sent(&drain(&mut spool, ready(), ELEVEN_AT_NIGHT + 3605)), []);
    assert_eq!(spool.deadline(), Some(at(FIVE_IN_THE_MORNING)));
    assert_eq!(sent(&drain(&mut spool, Input::Tick, FIVE_IN_THE_MORNING)), [2]);
}

#[test]
fn an_urgent_answer_leaves_at_any_hour() {
    let mut spool = Spool::new(quiet(), Restored::default(), at(ELEVEN_AT_NIGHT));
    drain(&mut spool, sms("+265991", 1, None), ELEVEN_AT_NIGHT + 1);
    let Input::Answered { message, pdus, mut summary, conversation } = answer(1, 1) else {
        unreachable!()
    };
    summary.kind = "urgent".into();
    let urgent = Input::Answered { message, pdus, summary, conversation };
    drain(&mut spool, urgent, ELEVEN_AT_NIGHT + 2);
    assert_eq!(sent(&drain(&mut spool, ready(), ELEVEN_AT_NIGHT + 4000)), [1]);
}

#[test]
fn an_answer_from_ussd_follows_by_sms_within_the_quota() {
    let config = Config { answers_per_day: 1, ..Config::default() };
    let mut spool = Spool::new(config, Restored::default(), at(0));
    drain(&mut spool, ready(), 0);
    let follows = || {
        let Input::Answered { pdus, summary, .. } = answer(0, 2) else { unreachable!() };
        let recipient = PhoneNumber::parse("+265991").unwrap();
        Input::Follows { modem: modem(), recipient, channel: Channel::Ussd, pdus, summary }
    };
    let outputs = drain(&mut spool, follows(), 1);
    assert!(matches!(outputs[0], Output::Save(_)), "kept before it is sent");
    assert_eq!(sent(&outputs), [1]);
    let again = drain(&mut spool, follows(), 2);
    assert_eq!(reason(&again), Some(IgnoreReason::Quota));
    assert_eq!(spool.unsent(), 2);
}

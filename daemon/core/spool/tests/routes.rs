//! Several modems: by which one an answer leaves.

use std::time::Duration;

use jibu_spool::{
    AnswerSummary, Config, IgnoreReason, Input, MessageId, MessageState, ModemName, Output, PartId,
    Restored, Route, Segment, SegmentKey, Spool, Ticket, Verdict,
};
use jibu_types::{PhoneNumber, Timestamp};

fn name(modem: &str) -> ModemName {
    ModemName(modem.into())
}

struct Stage {
    spool: Spool,
    asked: u8,
}

impl Stage {
    fn new(config: Config) -> Self {
        let now = Timestamp::from_unix_seconds(0);
        Stage { spool: Spool::new(config, Restored::default(), now), asked: 0 }
    }

    fn handle(&mut self, input: Input, seconds: i64) -> Vec<Output> {
        self.spool.handle(input, Timestamp::from_unix_seconds(seconds));
        std::iter::from_fn(|| self.spool.poll()).collect()
    }

    /// What is sent when this happens: the modem and the part.
    fn sends(&mut self, input: Input, seconds: i64) -> Vec<(String, i64)> {
        let outputs = self.handle(input, seconds).into_iter();
        let sent = outputs.filter_map(|output| match output {
            Output::Send { modem, part, .. } => Some((modem.0, part.0)),
            _ => None,
        });
        sent.collect()
    }

    fn ready(&mut self, modem: &str, seconds: i64) -> Vec<(String, i64)> {
        let ready = Input::ModemReady { modem: name(modem), keeps_parts: true, stored: vec![] };
        self.sends(ready, seconds)
    }

    fn lost(&mut self, modem: &str, seconds: i64) {
        self.handle(Input::ModemLost { modem: name(modem) }, seconds);
    }

    /// A question through a modem and its answer of one part.
    fn answer(&mut self, modem: &str, sender: &str, seconds: i64) -> Vec<(String, i64)> {
        self.asked += 1;
        let key = SegmentKey {
            sender: sender.into(),
            sent_at: Timestamp::default(),
            tpdu_hash: [self.asked; 32],
        };
        let number = PhoneNumber::parse(sender).ok();
        let segment = Segment { key, sender: number, group: None, pdu: vec![self.asked] };
        let ticket = Ticket(u64::from(self.asked));
        self.handle(Input::Arrived { modem: name(modem), ticket, segment }, seconds);
        let answered = Input::Answered {
            message: MessageId(i64::from(self.asked)),
            pdus: vec![vec![self.asked]],
            summary: AnswerSummary {
                kind: "found".into(),
                language: "en".into(),
                details: "{}".into(),
            },
            conversation: None,
        };
        self.sends(answered, seconds)
    }

    fn sent(&mut self, part: i64, seconds: i64) -> Vec<(String, i64)> {
        self.sends(Input::Sent { part: PartId(part), reference: None, slot: None }, seconds)
    }
}

fn to(modem: &str, part: i64) -> Vec<(String, i64)> {
    vec![(modem.to_owned(), part)]
}

fn routed() -> Config {
    let route = |prefix: &str, modem| Route { prefix: prefix.into(), modem: name(modem) };
    Config { routes: vec![route("2659", "airtel"), route("26588", "tnm")], ..Config::default() }
}

#[test]
fn an_answer_leaves_by_the_modem_that_was_asked_unless_a_prefix_says_otherwise() {
    let mut stage = Stage::new(routed());
    stage.ready("airtel", 0);
    stage.ready("tnm", 0);
    assert_eq!(stage.answer("airtel", "+265881234567", 1), to("tnm", 1));
    assert_eq!(stage.answer("tnm", "+265991234567", 1), to("airtel", 2));
    stage.sent(1, 2);
    stage.sent(2, 2);
    // No route: by which it came.
    assert_eq!(stage.answer("tnm", "+255712345678", 3), to("tnm", 3));
}

#[test]
fn the_longest_prefix_counts() {
    let mut config = routed();
    config.routes.push(Route { prefix: "265995".into(), modem: name("tnm") });
    let mut stage = Stage::new(config);
    stage.ready("airtel", 0);
    stage.ready("tnm", 0);
    assert_eq!(stage.answer("airtel", "+265995000000", 1), to("tnm", 1));
}

#[test]
fn a_modem_that_stays_away_is_stood_in_for_and_has_its_own_again_when_it_is_back() {
    let mut stage = Stage::new(Config::default());
    stage.ready("airtel", 0);
    stage.ready("tnm", 0);
    stage.lost("airtel", 10);
    assert_eq!(stage.answer("airtel", "+265991234567", 20), []);
    stage.lost("airtel", 200);
    // Five minutes from the first loss, not from the last.
    let deadline = Timestamp::from_unix_seconds(10) + Duration::from_secs(300);
    assert_eq!(stage.spool.deadline(), Some(deadline));
    assert_eq!(stage.sends(Input::Tick, 309), []);
    assert_eq!(stage.sends(Input::Tick, 310), to("tnm", 1));
    // What fails there is tried again, by whichever is there.
    let failed = Input::SendFailed {
        part: PartId(1),
        verdict: Verdict::Retry,
        why: "busy".into(),
        slot: None,
    };
    assert_eq!(stage.sends(failed, 311), []);
    assert_eq!(stage.ready("airtel", 312), []);
    assert_eq!(stage.sends(Input::Tick, 320), to("airtel", 1));
    assert_eq!(stage.answer("airtel", "+265992222222", 321), [], "one at a time");
    assert_eq!(stage.sent(1, 322), to("airtel", 2));
}

#[test]
fn a_modem_without_network_is_stood_in_for_by_one_that_has_it() {
    let mut stage = Stage::new(Config::default());
    let network = |modem, registered| Input::Network { modem: name(modem), registered };
    stage.ready("airtel", 0);
    stage.ready("tnm", 0);
    stage.handle(network("airtel", false), 10);
    stage.handle(network("airtel", false), 200);
    // It is tried; the network may be there before anybody has noticed.
    assert_eq!(stage.answer("airtel", "+265991234567", 20), to("airtel", 1));
    let refused = |part| Input::SendFailed {
        part: PartId(part),
        verdict: Verdict::Later,
        why: "no network".into(),
        slot: None,
    };
    assert_eq!(stage.sends(refused(1), 25), []);
    assert_eq!(stage.sends(Input::Tick, 145), to("airtel", 1));
    assert_eq!(stage.sends(refused(1), 146), []);
    assert_eq!(stage.sends(Input::Tick, 746), to("tnm", 1));
    stage.sent(1, 747);

    // Nobody has a network: each keeps trying its own.
    stage.handle(network("tnm", false), 750);
    assert_eq!(stage.answer("airtel", "+265992222222", 751), to("airtel", 2));
    assert_eq!(stage.sends(refused(2), 752), []);
    assert_eq!(stage.sends(network("tnm", true), 753), []);
    assert_eq!(stage.sends(Input::Tick, 872), to("tnm", 2));
    // And it has its own again.
    stage.sent(2, 873);
    stage.handle(network("airtel", true), 874);
    assert_eq!(stage.answer("airtel", "+265993333333", 875), to("airtel", 3));
}

#[test]
fn one_that_never_came_is_stood_in_for_and_a_busy_stand_in_takes_one_at_a_time() {
    let mut stage = Stage::new(Config::default());
    stage.ready("tnm", 0);
    stage.answer("airtel", "+265991", 1);
    stage.answer("airtel", "+265992", 1);
    assert_eq!(stage.sends(Input::Tick, 299), []);
    assert_eq!(stage.sends(Input::Tick, 300), to("tnm", 1));
    assert_eq!(stage.spool.deadline(), None, "the modem's next event is waited for");
    assert_eq!(stage.sent(1, 301), to("tnm", 2));
}

#[test]
fn the_quota_is_that_of_the_sim_that_pays() {
    let mut stage = Stage::new(Config { answers_per_day_and_modem: 1, ..routed() });
    stage.ready("airtel", 0);
    stage.ready("tnm", 0);
    assert_eq!(stage.answer("airtel", "+265881234567", 1), to("tnm", 1));
    stage.sent(1, 2);
    assert_eq!(stage.answer("airtel", "+265991234567", 3), to("airtel", 2));
    let key =
        SegmentKey { sender: "+265887".into(), sent_at: Timestamp::default(), tpdu_hash: [9; 32] };
    let sender = PhoneNumber::parse("+265887").ok();
    let segment = Segment { key, sender, group: None, pdu: vec![9] };
    let arrived = Input::Arrived { modem: name("airtel"), ticket: Ticket(9), segment };
    let outputs = stage.handle(arrived, 4);
    let ignored = outputs.iter().any(|output| match output {
        Output::Save(changes) => changes.iter().any(|change| match change {
            jibu_spool::Change::AddMessage(row) => {
                row.state == MessageState::Ignored(IgnoreReason::Quota)
            }
            _ => false,
        }),
        _ => false,
    });
    assert!(ignored, "tnm pays, and has paid");
}

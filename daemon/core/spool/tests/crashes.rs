//! The power is cut after every single step, and after every pair of steps, of a
//! run in which people ask and are answered: nothing is lost, nothing is sent twice.

#![allow(clippy::unwrap_used, reason = "a broken world should fail loudly")]
use std::collections::{BTreeMap, VecDeque};

use jibu_spool::{
    AnswerSummary, Change, Config, Group, Input, MessageRow, MessageState, ModemName, Output,
    PartId, PartRow, PartState, ReportOutcome, Restored, Segment, SegmentKey, Slot, Spool,
    StoredPart, Ticket,
};
use jibu_types::{PhoneNumber, Timestamp};

/// What survives a power cut in the box: committed rows.
#[derive(Default)]
struct Rows {
    messages: BTreeMap<i64, MessageRow>,
    parts: BTreeMap<i64, PartRow>,
}

impl Rows {
    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::AddMessage(row) => {
                    assert!(self.messages.insert(row.id.0, row).is_none(), "an id was given twice");
                }
                Change::AddSegment { message, segment } => {
                    self.messages.get_mut(&message.0).unwrap().segments.push(segment);
                }
                Change::SetMessage { message, state } => {
                    self.messages.get_mut(&message.0).unwrap().state = state;
                }
                Change::AddPart(row) => {
                    assert!(self.parts.insert(row.id.0, row).is_none(), "an id was given twice");
                }
                Change::SetPart { part, attempts, state } => {
                    let row = self.parts.get_mut(&part.0).unwrap();
                    (row.attempts, row.state) = (attempts, state);
                }
                Change::Summarise { .. } | Change::KeepConversation { .. } => {}
            }
        }
    }

    fn restore(&self) -> Restored {
        let waiting = |row: &&MessageRow| {
            matches!(row.state, MessageState::Gathering | MessageState::Received)
        };
        let keys = self
            .messages
            .values()
            .flat_map(|row| row.segments.iter().map(move |segment| (segment.key.clone(), row.id)));
        Restored {
            last_message: self.messages.keys().last().copied().unwrap_or(0),
            last_part: self.parts.keys().last().copied().unwrap_or(0),
            keys: keys.collect(),
            messages: self.messages.values().filter(waiting).cloned().collect(),
            incomplete: Vec::new(),
            parts: self
                .parts
                .values()
                .filter(|row| {
                    !matches!(row.state, PartState::Delivered { .. } | PartState::Failed { .. })
                })
                .cloned()
                .collect(),
            answered: Vec::new(),
        }
    }
}

/// What survives a power cut of the box in the modem: its storage, and what the
/// network has taken.
struct Modem {
    keeps_parts: bool,
    inbox: BTreeMap<u16, Segment>,
    outbox: BTreeMap<u16, (Vec<u8>, bool)>,
    air: Vec<Vec<u8>>,
    reports: VecDeque<(PhoneNumber, u8)>,
}

/// What the modem driver, which dies with the box, still has to do.
enum Errand {
    Write(PartId, Vec<u8>),
    Transmit(PartId, u16),
    TransmitDirectly(PartId, Vec<u8>),
    Tell(Input),
    Answer(jibu_spool::MessageId, Vec<Vec<u8>>),
}

struct World {
    rows: Rows,
    modem: Modem,
    spool: Spool,
    errands: VecDeque<Errand>,
    now: Timestamp,
    steps: usize,
    cuts: Vec<usize>,
}

fn modem_name() -> ModemName {
    ModemName("gsm".into())
}

fn number(index: u16) -> PhoneNumber {
    PhoneNumber::parse(&format!("+2659912345{index:02}")).unwrap()
}

fn slot(index: u16) -> Slot {
    Slot { storage: "SM".into(), index }
}

fn segment(sender: u16, group: Option<Group>) -> Segment {
    let mut tpdu_hash = [0; 32];
    tpdu_hash[0] = sender as u8;
    tpdu_hash[1] = group.map_or(0, |g| g.part);
    Segment {
        key: SegmentKey {
            sender: number(sender).reveal().into(),
            sent_at: Timestamp::from_unix_seconds(1_000),
            tpdu_hash,
        },
        sender: Some(number(sender)),
        group,
        pdu: vec![sender as u8, group.map_or(0, |g| g.part)],
    }
}

/// Three people: a short question, a question in two parts that come in the
/// wrong order, and one whose answer takes two parts.
fn questions() -> BTreeMap<u16, Segment> {
    let half = |part| Some(Group { reference: 7, wide: false, total: 2, part });
    [
        (1, segment(1, None)),
        (2, segment(2, half(2))),
        (3, segment(2, half(1))),
        (4, segment(3, None)),
    ]
    .into()
}

fn answer_to(first_pdu: &[u8]) -> Vec<Vec<u8>> {
    let asker = first_pdu[0];
    let pages = if asker == 3 { 2 } else { 1 };
    (0..pages).map(|page| vec![b'A', asker, page]).collect()
}

impl World {
    fn new(keeps_parts: bool, cuts: Vec<usize>) -> World {
        let now = Timestamp::from_unix_seconds(2_000);
        World {
            rows: Rows::default(),
            modem: Modem {
                keeps_parts,
                inbox: questions(),
                outbox: BTreeMap::new(),
                air: Vec::new(),
                reports: VecDeque::new(),
            },
            spool: Spool::new(Config::default(), Restored::default(), now),
            errands: VecDeque::new(),
            now,
            steps: 0,
            cuts,
        }
    }

    /// Runs until there is nothing left to do; gives the number of steps taken.
    fn run(mut self) -> (Self, usize) {
        self.boot();
        for _ in 0..10_000 {
            if !self.step() {
                let steps = self.steps;
                return (self, steps);
            }
        }
        panic!("the run does not come to an end");
    }

    fn boot(&mut self) {
        self.errands.clear();
        self.spool = Spool::new(Config::default(), self.rows.restore(), self.now);
        let stored = self.modem.outbox.iter().map(|(index, (pdu, sent))| StoredPart {
            slot: slot(*index),
            pdu: pdu.clone(),
            sent: *sent,
        });
        self.errands.push_back(Errand::Tell(Input::ModemReady {
            modem: modem_name(),
            keeps_parts: self.modem.keeps_parts,
            stored: stored.collect(),
        }));
        for (index, segment) in &self.modem.inbox {
            self.errands.push_back(Errand::Tell(Input::Arrived {
                modem: modem_name(),
                ticket: Ticket(u64::from(*index)),
                segment: segment.clone(),
            }));
        }
    }

    /// Takes one step of the outside world, or cuts the power. False at the end.
    fn step(&mut self) -> bool {
        if self.cuts.contains(&self.steps) {
            self.steps += 1;
            self.now = self.now + std::time::Duration::from_secs(1);
            self.boot();
            return true;
        }
        let went_on = match self.spool.poll() {
            Some(output) => {
                self.carry_out(output);
                true
            }
            None => self.run_errand(),
        };
        self.steps += usize::from(went_on);
        went_on
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Save(changes) => self.rows.apply(changes),
            Output::Erase { ticket, .. } => {
                self.modem.inbox.retain(|index, _| u64::from(*index) != ticket.0);
            }
            Output::Ask { message, pdus, missing, .. } => {
                assert_eq!(missing, 0);
                self.errands.push_back(Errand::Answer(message, answer_to(&pdus[0])));
            }
            Output::Send { part, pdu, .. } if self.modem.keeps_parts => {
                self.errands.push_back(Errand::Write(part, pdu));
            }
            Output::Send { part, pdu, .. } => {
                self.errands.push_back(Errand::TransmitDirectly(part, pdu));
            }
            Output::Resume { part, slot, .. } => {
                self.errands.push_back(Errand::Transmit(part, slot.index));
            }
            Output::Forget { slot, .. } => {
                self.modem.outbox.remove(&slot.index);
            }
        }
    }

    fn run_errand(&mut self) -> bool {
        let errand = match self.errands.pop_front() {
            Some(errand) => errand,
            None => match self.modem.reports.pop_front() {
                Some((recipient, reference)) => Errand::Tell(Input::Report {
                    modem: modem_name(),
                    ticket: Ticket(1_000),
                    recipient,
                    reference,
                    outcome: ReportOutcome::Delivered,
                }),
                None => match self.spool.deadline() {
                    Some(at) if at > self.now => {
                        self.now = at;
                        Errand::Tell(Input::Tick)
                    }
                    Some(_) => panic!("a deadline stays in the past"),
                    None => return false,
                },
            },
        };
        match errand {
            Errand::Write(part, pdu) => {
                let index = (10..).find(|i| !self.modem.outbox.contains_key(i)).unwrap();
                self.modem.outbox.insert(index, (pdu, false));
                self.errands.push_front(Errand::Transmit(part, index));
                self.errands.push_front(Errand::Tell(Input::Written { part, slot: slot(index) }));
            }
            Errand::Transmit(part, index) => {
                let copy = self.modem.outbox.get_mut(&index).unwrap();
                copy.1 = true;
                let pdu = copy.0.clone();
                let reference = Some(self.transmit(pdu));
                let slot = Some(slot(index));
                self.errands.push_front(Errand::Tell(Input::Sent { part, reference, slot }));
            }
            Errand::TransmitDirectly(part, pdu) => {
                let reference = Some(self.transmit(pdu));
                self.errands.push_front(Errand::Tell(Input::Sent { part, reference, slot: None }));
            }
            Errand::Tell(input) => self.spool.handle(input, self.now),
            Errand::Answer(message, pdus) => {
                let summary = AnswerSummary {
                    kind: "found".into(),
                    language: "en".into(),
                    details: "{}".into(),
                };
                let conversation = Some("{}".into());
                let answered = Input::Answered { message, pdus, summary, conversation };
                self.spool.handle(answered, self.now);
            }
        }
        true
    }

    fn transmit(&mut self, pdu: Vec<u8>) -> u8 {
        let reference = u8::try_from(self.modem.air.len()).unwrap();
        self.modem.reports.push_back((number(u16::from(pdu[1])), reference));
        self.modem.air.push(pdu);
        reference
    }
}

fn expected() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = [1u8, 2, 3].iter().flat_map(|asker| answer_to(&[*asker])).collect();
    all.sort();
    all
}

fn check(keeps_parts: bool, cuts: Vec<usize>) -> usize {
    let (world, steps) = World::new(keeps_parts, cuts.clone()).run();
    let mut air = world.modem.air.clone();
    air.sort();
    assert_eq!(air, expected(), "cut after {cuts:?}, modem keeps parts: {keeps_parts}");
    assert!(world.modem.inbox.is_empty(), "an answered message is left on the SIM: {cuts:?}");
    assert!(world.modem.outbox.is_empty(), "a sent copy is left in the modem: {cuts:?}");
    assert!(
        world.rows.messages.values().all(|row| row.state == MessageState::Answered),
        "cut after {cuts:?}"
    );
    steps
}

#[test]
fn without_cuts_everyone_is_answered_once() {
    check(true, vec![]);
    check(false, vec![]);
}

#[test]
fn after_any_two_cuts_everyone_is_answered_exactly_once_by_a_modem_that_keeps_parts() {
    let steps = check(true, vec![]);
    let mut runs = 0;
    for first in 0..steps {
        let with_one = check(true, vec![first]);
        for second in first + 1..with_one {
            check(true, vec![first, second]);
            runs += 1;
        }
    }
    assert!(runs > 1_000, "only {runs} pairs of cuts were tried");
}

#[test]
fn after_a_cut_a_status_report_settles_what_a_modem_without_copies_sent() {
    let steps = check(false, vec![]);
    for cut in 0..steps {
        check(false, vec![cut]);
    }
}

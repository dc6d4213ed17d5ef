//! A run in which people ask and are answered, explored exhaustively: at every
//! step the power may be cut, every writing and sending may be refused or its
//! reply lost, every report may get lost. All executions with up to so many such
//! deviations are tried: nothing is lost, nothing is sent twice.

#![allow(clippy::unwrap_used, reason = "a broken world should fail loudly")]
use std::collections::{BTreeMap, VecDeque};

use jibu_spool::{
    AnswerSummary, Change, Config, Group, Input, MessageRow, MessageState, ModemName, Output,
    PartId, PartRow, PartState, ReportOutcome, Restored, Segment, SegmentKey, Slot, Spool,
    StoredPart, Ticket, Verdict,
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
                    !matches!(
                        row.state,
                        PartState::Delivered { reference: None, .. }
                            | PartState::Failed { reference: None, .. }
                    )
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
    /// The modem is initialised for the so-manieth time.
    Ready(u32, Vec<StoredPart>),
    Answer(jibu_spool::MessageId, Vec<Vec<u8>>),
}

/// What happens where several things can: 0 is what usually does. The script says
/// what to choose first; after it nothing unusual happens.
#[derive(Default)]
struct Choices {
    script: Vec<usize>,
    /// How many possibilities there were at each point so far.
    arities: Vec<usize>,
}

impl Choices {
    fn choose(&mut self, arity: usize) -> usize {
        let chosen = self.script.get(self.arities.len()).copied().unwrap_or(0);
        self.arities.push(arity);
        chosen
    }
}

/// What may go wrong in a run.
#[derive(Clone, Copy)]
struct Setting {
    /// Whether the modem stores parts before it sends them.
    keeps_parts: bool,
    /// Whether writing and sending may be refused, and replies get lost.
    replies_fail: bool,
    /// Whether status reports may get lost.
    reports_fail: bool,
}

struct World {
    rows: Rows,
    modem: Modem,
    spool: Spool,
    errands: VecDeque<Errand>,
    now: Timestamp,
    setting: Setting,
    choices: Choices,
    /// Initialisations of the modem, and the last one that the spool has heard of: a
    /// part that is given for an earlier one is dropped.
    session: u32,
    heard_of: u32,
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
    fn new(setting: Setting, script: Vec<usize>) -> World {
        let now = Timestamp::from_unix_seconds(2_000);
        World {
            rows: Rows::default(),
            modem: Modem {
                keeps_parts: setting.keeps_parts,
                inbox: questions(),
                outbox: BTreeMap::new(),
                air: Vec::new(),
                reports: VecDeque::new(),
            },
            spool: Spool::new(Config::default(), Restored::default(), now),
            errands: VecDeque::new(),
            now,
            setting,
            choices: Choices { script, arities: Vec::new() },
            session: 0,
            heard_of: 0,
        }
    }

    /// Runs until there is nothing left to do.
    fn run(mut self) -> Self {
        self.boot();
        for _ in 0..10_000 {
            if !self.step() {
                return self;
            }
        }
        panic!("the run does not come to an end");
    }

    fn boot(&mut self) {
        self.errands.clear();
        self.session += 1;
        self.spool = Spool::new(Config::default(), self.rows.restore(), self.now);
        let ready = self.ready();
        self.errands.push_back(ready);
        for (index, segment) in &self.modem.inbox {
            self.errands.push_back(Errand::Tell(Input::Arrived {
                modem: modem_name(),
                ticket: Ticket(u64::from(*index)),
                segment: segment.clone(),
            }));
        }
    }

    /// The modem is initialised, and shows what it stores.
    fn ready(&self) -> Errand {
        let stored = self.modem.outbox.iter().map(|(index, (pdu, sent))| StoredPart {
            slot: slot(*index),
            pdu: pdu.clone(),
            sent: *sent,
        });
        Errand::Ready(self.session, stored.collect())
    }

    /// A reply was lost: the driver begins anew with the modem.
    fn new_session(&mut self) {
        self.session += 1;
        let dies = |errand: &Errand| {
            matches!(
                errand,
                Errand::Write(..) | Errand::Transmit(..) | Errand::TransmitDirectly(..)
            )
        };
        self.errands.retain(|errand| !dies(errand));
        let ready = self.ready();
        self.errands.push_front(ready);
        self.errands.push_front(Errand::Tell(Input::ModemLost { modem: modem_name() }));
    }

    /// Whether a writing or sending goes well (0), is refused (1), or has no reply
    /// although it was done (2) or because it was not done (3).
    fn reply(&mut self) -> usize {
        if self.setting.replies_fail { self.choices.choose(4) } else { 0 }
    }

    /// Takes one step of the outside world, or cuts the power. False at the end.
    fn step(&mut self) -> bool {
        let output = self.spool.poll();
        let nothing_is_left = output.is_none()
            && self.errands.is_empty()
            && self.modem.reports.is_empty()
            && self.spool.deadline().is_none();
        if nothing_is_left {
            return false;
        }
        if self.choices.choose(2) == 1 {
            self.now = self.now + std::time::Duration::from_secs(1);
            self.boot();
            return true;
        }
        match output {
            Some(output) => {
                self.carry_out(output);
                true
            }
            None => self.run_errand(),
        }
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
            Output::Send { .. } | Output::Resume { .. } if self.heard_of != self.session => {}
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
                Some(_) if self.setting.reports_fail && self.choices.choose(2) == 1 => return true,
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
                let reply = self.reply();
                if matches!(reply, 0 | 2) {
                    self.modem.outbox.insert(index, (pdu, false));
                }
                match reply {
                    0 => {
                        let written = Input::Written { part, slot: slot(index) };
                        self.errands.push_front(Errand::Transmit(part, index));
                        self.errands.push_front(Errand::Tell(written));
                    }
                    1 => self.refused(part, None),
                    // The driver knows that what was only written was not sent.
                    _ => {
                        self.new_session();
                        self.refused(part, None);
                    }
                }
            }
            Errand::Transmit(part, index) => {
                let reply = self.reply();
                let copy = self.modem.outbox.get_mut(&index).unwrap();
                let mut reference = None;
                if matches!(reply, 0 | 2) {
                    copy.1 = true;
                    let pdu = copy.0.clone();
                    reference = Some(self.transmit(pdu));
                }
                let slot = Some(slot(index));
                match reply {
                    0 => {
                        let sent = Input::Sent { part, reference, slot };
                        self.errands.push_front(Errand::Tell(sent));
                    }
                    1 => self.refused(part, slot),
                    _ => self.new_session(),
                }
            }
            Errand::TransmitDirectly(part, pdu) => {
                let reply = self.reply();
                let reference = matches!(reply, 0 | 2).then(|| self.transmit(pdu));
                match reply {
                    0 => {
                        let sent = Input::Sent { part, reference, slot: None };
                        self.errands.push_front(Errand::Tell(sent));
                    }
                    1 => self.refused(part, None),
                    _ => self.new_session(),
                }
            }
            Errand::Tell(input) => self.spool.handle(input, self.now),
            Errand::Ready(session, stored) => {
                self.heard_of = session;
                let (modem, keeps_parts) = (modem_name(), self.modem.keeps_parts);
                self.spool.handle(Input::ModemReady { modem, keeps_parts, stored }, self.now);
            }
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

    fn refused(&mut self, part: PartId, slot: Option<Slot>) {
        let why = "no reason".to_owned();
        let failed = Input::SendFailed { part, verdict: Verdict::Retry, why, slot };
        self.errands.push_front(Errand::Tell(failed));
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

/// What everybody must have got: each part once, or at least once.
fn check(world: &World, at_least: bool) {
    let script = &world.choices.script;
    let mut air = world.modem.air.clone();
    air.sort();
    if at_least {
        air.dedup();
    }
    assert_eq!(air, expected(), "{script:?}");
    assert!(world.modem.inbox.is_empty(), "an answered message is left on the SIM: {script:?}");
    assert!(world.modem.outbox.is_empty(), "a copy is left in the modem: {script:?}");
    let answered = world.rows.messages.values().all(|row| row.state == MessageState::Answered);
    assert!(answered, "{script:?}");
}

/// Tries every execution with up to so many deviations; gives their number.
fn explore(setting: Setting, deviations: usize, at_least: bool) -> usize {
    let mut runs = 0;
    let mut scripts = vec![(Vec::new(), deviations)];
    while let Some((script, left)) = scripts.pop() {
        let from = script.len();
        let world = World::new(setting, script).run();
        check(&world, at_least);
        runs += 1;
        if left == 0 {
            continue;
        }
        let Choices { script, arities } = world.choices;
        for (at, arity) in arities.into_iter().enumerate().skip(from) {
            for other in 1..arity {
                let mut next = script.clone();
                next.resize(at, 0);
                next.push(other);
                scripts.push((next, left - 1));
            }
        }
    }
    runs
}

const KEEPS: Setting = Setting { keeps_parts: true, replies_fail: true, reports_fail: true };

#[test]
fn whatever_goes_wrong_twice_everyone_is_answered_once_by_a_modem_that_keeps_parts() {
    let runs = explore(KEEPS, 2, false);
    assert!(runs > 5_000, "only {runs} executions");
}

/// Minutes; `cargo test -p jibu-spool --test crashes -- --ignored --nocapture`.
#[test]
#[ignore = "tries hundreds of thousands of executions"]
fn whatever_goes_wrong_three_times_everyone_is_answered_once_by_a_modem_that_keeps_parts() {
    println!("{} executions", explore(KEEPS, 3, false));
}

#[test]
fn without_copies_status_reports_settle_what_cuts_and_lost_replies_left_in_doubt() {
    let setting = Setting { keeps_parts: false, replies_fail: true, reports_fail: false };
    assert!(explore(setting, 1, false) > 50);
}

#[test]
fn without_copies_and_reports_nothing_is_lost() {
    let setting = Setting { keeps_parts: false, ..KEEPS };
    assert!(explore(setting, 2, true) > 2_000);
}

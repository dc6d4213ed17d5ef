//! The spool: received → answered → sent; nothing lost, nothing answered twice.
//!
//! It decides and keeps nothing itself: every decision goes out as a
//! [`Output::Save`] before the outside sees its consequence, so a process killed
//! between any two outputs starts again from the rows and does the right thing.
//! Whoever drives it carries out the outputs strictly in order, and goes past a
//! `Save` only once it is committed.
//!
//! It does not know what a PDU means or what an answer says; `daemon/jibud`
//! decodes, asks and encodes.

mod inbound;
mod machines;
mod outbound;
mod parts;
mod quiet;
mod rows;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use jibu_types::{Channel, PhoneNumber, Timestamp};

use self::parts::Parts;
pub use machines::{Machines, Suspicion};
pub use quiet::QuietHours;
pub use rows::*;

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long the missing parts of a concatenated message are waited for,
    /// counted from the first part that came.
    pub gather_wait: Duration,
    /// For how long a segment is recognised when it is read again.
    pub remember_keys: Duration,
    /// For how long a status report is waited for.
    pub await_reports: Duration,
    /// How long a part of unknown fate, sent by a modem that keeps no copy,
    /// waits for a status report before it is sent again.
    pub unknown_fate_wait: Duration,
    /// Waits between tries of a part; the last one is repeated.
    pub retry_waits: Vec<Duration>,
    /// After how many tries a part is given up.
    pub max_attempts: u32,
    /// Answers to one sender within 24 hours.
    pub answers_per_day: u32,
    /// Answers through one modem within 24 hours: what its SIM may spend.
    pub answers_per_day_and_modem: u32,
    /// Answers to everybody within 24 hours.
    pub answers_per_day_in_all: u32,
    /// When late answers wait for the morning.
    pub quiet: Option<QuietHours>,
    /// Numbers that are never answered: our own SIMs and operators' services.
    pub never_answer: Vec<PhoneNumber>,
    /// By which modem answers leave; others leave by the one that was asked.
    pub routes: Vec<Route>,
    /// How long a modem may be away, or out of its network, before its parts leave
    /// by another one.
    pub fail_over_after: Duration,
}

/// Answers to some numbers leave by a certain modem, whichever was asked:
/// operators charge less within their own network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The digits that the number begins with in international form, without `+`.
    /// The longest one counts.
    pub prefix: String,
    /// The modem.
    pub modem: ModemName,
}

impl Default for Config {
    fn default() -> Self {
        let minutes = |m: u64| Duration::from_secs(60 * m);
        Config {
            gather_wait: minutes(10),
            remember_keys: minutes(60 * 24 * 30),
            await_reports: minutes(60 * 24 * 3),
            unknown_fate_wait: minutes(2),
            retry_waits: vec![
                Duration::from_secs(5),
                Duration::from_secs(30),
                minutes(2),
                minutes(10),
                minutes(60),
            ],
            max_attempts: 20,
            answers_per_day: 50,
            answers_per_day_and_modem: u32::MAX,
            answers_per_day_in_all: u32::MAX,
            quiet: None,
            never_answer: Vec::new(),
            routes: Vec::new(),
            fail_over_after: minutes(5),
        }
    }
}

impl Config {
    /// The modem by which answers to a number leave: a route's, or the one asked.
    fn route<'a>(&'a self, recipient: &PhoneNumber, asked: &'a ModemName) -> &'a ModemName {
        let digits = recipient.digits();
        let fitting = self.routes.iter().filter(|route| digits.starts_with(&route.prefix));
        fitting.max_by_key(|route| route.prefix.len()).map_or(asked, |route| &route.modem)
    }
}

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A modem showed an incoming SMS-DELIVER.
    Arrived {
        /// Which modem.
        modem: ModemName,
        /// How to let it go.
        ticket: Ticket,
        /// What it is.
        segment: Segment,
    },
    /// A modem showed something that could not be decoded.
    Unreadable {
        /// Which modem.
        modem: ModemName,
        /// How to let it go.
        ticket: Ticket,
        /// A hash over the bytes in place of a TPDU's identity.
        key: SegmentKey,
        /// The bytes.
        pdu: Vec<u8>,
    },
    /// A modem showed a status report.
    Report {
        /// Which modem.
        modem: ModemName,
        /// How to let it go.
        ticket: Ticket,
        /// To whom the part was sent.
        recipient: PhoneNumber,
        /// The message reference that the modem gave to the part.
        reference: u8,
        /// What it says.
        outcome: ReportOutcome,
    },
    /// The answer to a message was found.
    Answered {
        /// The message.
        message: MessageId,
        /// SMS-SUBMIT PDUs in order; none where silence is the answer.
        pdus: Vec<Vec<u8>>,
        /// For the audit trail.
        summary: AnswerSummary,
        /// The conversation's new state, kept in the same transaction.
        conversation: Option<String>,
    },
    /// An answer that was given elsewhere is to go by SMS, because its reader
    /// chose so.
    Follows {
        /// By which modem.
        modem: ModemName,
        /// To whom.
        recipient: PhoneNumber,
        /// Where it was asked for.
        channel: Channel,
        /// SMS-SUBMIT PDUs in order.
        pdus: Vec<Vec<u8>>,
        /// For the audit trail.
        summary: AnswerSummary,
    },
    /// A modem is initialised, and shows the outgoing parts that it stores.
    ModemReady {
        /// Which modem.
        modem: ModemName,
        /// Whether its storage is evidence: it keeps every part that it is
        /// given, marked unsent or sent.
        keeps_parts: bool,
        /// What it stores.
        stored: Vec<StoredPart>,
    },
    /// A modem went away; what was given to it has an unknown fate.
    ModemLost {
        /// Which modem.
        modem: ModemName,
    },
    /// A modem is in its network, or out of it.
    Network {
        /// Which modem.
        modem: ModemName,
        /// Whether messages can go.
        registered: bool,
    },
    /// A modem wrote a part to its storage and is about to send it.
    Written {
        /// The part.
        part: PartId,
        /// Where.
        slot: Slot,
    },
    /// A modem sent a part.
    Sent {
        /// The part.
        part: PartId,
        /// The message reference; none when the modem's reply was lost and its
        /// storage says that it was sent.
        reference: Option<u8>,
        /// Where its copy stands.
        slot: Option<Slot>,
    },
    /// A modem did not send a part.
    SendFailed {
        /// The part.
        part: PartId,
        /// Whether trying again makes sense.
        verdict: Verdict,
        /// The error in words.
        why: String,
        /// Where its copy stands.
        slot: Option<Slot>,
    },
    /// Time has passed.
    Tick,
}

/// What a status report says (TS 23.040 §9.2.3.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportOutcome {
    /// It arrived.
    Delivered,
    /// The service centre is still trying.
    Trying,
    /// It will not arrive.
    Failed {
        /// The status octet.
        status: u8,
    },
}

/// What a sending error means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again soon.
    Retry,
    /// Try again after a while.
    Later,
    /// It will never work. Believed the second time: a line that was broken on its
    /// way, to the modem or back, reads like that too.
    GiveUp,
}

/// An outgoing part in a modem's storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Where.
    pub slot: Slot,
    /// SMSC octet and SMS-SUBMIT, in the form of [`PartRow::pdu`]: without the
    /// SMSC and the message reference that a modem may fill in.
    pub pdu: Vec<u8>,
    /// Whether it reads `STO SENT`.
    pub sent: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Commit these changes in one transaction before going on.
    Save(Vec<Change>),
    /// Let the modem delete an incoming message, or acknowledge it to the
    /// network: its row is committed.
    Erase {
        /// Which modem.
        modem: ModemName,
        /// Which message.
        ticket: Ticket,
    },
    /// Find the answer; [`Input::Answered`] brings it.
    Ask {
        /// The message.
        message: MessageId,
        /// Who asks.
        sender: PhoneNumber,
        /// The segments' PDUs in order of their part numbers.
        pdus: Vec<Vec<u8>>,
        /// How many parts never came.
        missing: usize,
    },
    /// Send a part.
    Send {
        /// By which modem.
        modem: ModemName,
        /// The part.
        part: PartId,
        /// SMSC octet and SMS-SUBMIT.
        pdu: Vec<u8>,
    },
    /// Send a part that the modem already stores.
    Resume {
        /// By which modem.
        modem: ModemName,
        /// The part.
        part: PartId,
        /// Where.
        slot: Slot,
    },
    /// Delete a stored outgoing part, whose fate is committed.
    Forget {
        /// Which modem.
        modem: ModemName,
        /// Where.
        slot: Slot,
    },
}

/// A modem that is initialised.
#[derive(Debug, Clone, Copy)]
struct ModemState {
    keeps_parts: bool,
    busy: bool,
    /// Since when it is there.
    since: Timestamp,
}

/// The spool. See the [crate] documentation for how it is driven.
#[derive(Debug)]
pub struct Spool {
    config: Config,
    outputs: VecDeque<Output>,
    last_message: i64,
    last_part: i64,
    keys: HashMap<SegmentKey, Timestamp>,
    messages: BTreeMap<MessageId, MessageRow>,
    /// Messages answered although parts were missing, for the parts that come late.
    closed_groups: HashMap<inbound::GroupKey, inbound::Closed>,
    parts: Parts,
    answered: HashMap<PhoneNumber, VecDeque<Timestamp>>,
    answered_by: HashMap<ModemName, VecDeque<Timestamp>>,
    /// Until when answers may leave in quiet hours.
    awake: HashMap<MessageId, Timestamp>,
    modems: HashMap<ModemName, ModemState>,
    /// Since when modems that were there are away; the others never were.
    away: HashMap<ModemName, Timestamp>,
    /// Since when modems are out of their network.
    unregistered: HashMap<ModemName, Timestamp>,
    started: Timestamp,
    early_reports: VecDeque<outbound::EarlyReport>,
    /// Parts of which a modem has said once that they can never be sent.
    refused: HashSet<PartId>,
    /// When the old was forgotten last.
    forgot_at: Timestamp,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often what is too old to matter is looked for.
const FORGETS_EVERY: Duration = Duration::from_secs(60);

/// For how long somebody who has asked is taken to be awake.
const AWAKE: Duration = Duration::from_secs(30 * 60);
/// For how long an urgent answer leaves at any hour.
const URGENT: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl Spool {
    /// Starts from the rows that were kept. Messages that were not answered yet
    /// are asked again; parts go on once their modem is ready.
    pub fn new(config: Config, restored: Restored, now: Timestamp) -> Self {
        let mut answered: HashMap<PhoneNumber, VecDeque<Timestamp>> = HashMap::new();
        let mut answered_by: HashMap<ModemName, VecDeque<Timestamp>> = HashMap::new();
        for (number, modem, at) in restored.answered {
            let modem = config.route(&number, &modem).clone();
            answered.entry(number).or_default().push_back(at);
            answered_by.entry(modem).or_default().push_back(at);
        }
        // What a restart finds may be urgent, which no row says: rather at night
        // than too late.
        let awake = restored.parts.iter().map(|row| (row.message, now + AWAKE)).collect();
        let mut spool = Spool {
            config,
            outputs: VecDeque::new(),
            last_message: restored.last_message,
            last_part: restored.last_part,
            keys: restored.keys.into_iter().map(|(key, _)| (key, now)).collect(),
            messages: restored.messages.into_iter().map(|row| (row.id, row)).collect(),
            closed_groups: HashMap::new(),
            parts: restored.parts.into_iter().collect(),
            answered,
            answered_by,
            awake,
            modems: HashMap::new(),
            away: HashMap::new(),
            unregistered: HashMap::new(),
            started: now,
            early_reports: VecDeque::new(),
            refused: HashSet::new(),
            forgot_at: now,
        };
        for row in restored.incomplete {
            spool.close_group(&row, row.received_at);
        }
        let unanswered: Vec<MessageId> = spool
            .messages
            .values()
            .filter(|row| row.state == MessageState::Received)
            .map(|row| row.id)
            .collect();
        for message in unanswered {
            spool.ask(message);
        }
        spool.pass_time(now);
        spool
    }

    /// Takes in what happened. Drain [`Spool::poll`] before the next call.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Arrived { modem, ticket, segment } => self.arrived(modem, ticket, segment, now),
            Input::Unreadable { modem, ticket, key, pdu } => {
                self.unreadable(modem, ticket, key, pdu, now);
            }
            Input::Answered { message, pdus, summary, conversation } => {
                self.found(message, pdus, summary, conversation, now);
            }
            Input::Follows { modem, recipient, channel, pdus, summary } => {
                self.follows(modem, recipient, channel, pdus, summary, now);
            }
            Input::Report { modem, ticket, recipient, reference, outcome } => {
                self.report(modem, ticket, &recipient, reference, outcome, now);
            }
            Input::ModemReady { modem, keeps_parts, stored } => {
                self.modem_ready(modem, keeps_parts, stored, now);
            }
            Input::ModemLost { modem } => {
                self.modems.remove(&modem);
                // It may be lost again and again before it is ready.
                self.away.entry(modem).or_insert(now);
            }
            Input::Network { modem, registered: true } => {
                self.unregistered.remove(&modem);
            }
            Input::Network { modem, registered: false } => {
                self.unregistered.entry(modem).or_insert(now);
            }
            Input::Written { part, slot } => self.written(part, slot),
            Input::Sent { part, reference, slot } => self.sent(part, reference, slot, now),
            Input::SendFailed { part, verdict, why, slot } => {
                self.send_failed(part, verdict, why, slot, now);
            }
            Input::Tick => {}
        }
        self.pass_time(now);
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.gather_deadlines().chain(self.send_deadlines()).min()
    }

    /// How many messages wait for their answer.
    pub fn unanswered(&self) -> usize {
        self.messages.len()
    }

    /// How many parts wait to be sent.
    pub fn unsent(&self) -> usize {
        self.parts.open_count()
    }

    fn pass_time(&mut self, now: Timestamp) {
        self.close_stale_groups(now);
        self.release_unknown_fates(now);
        self.send_what_can_be_sent(now);
        self.forget_old(now);
    }

    /// Looks through all that is remembered, so it does that now and then only.
    fn forget_old(&mut self, now: Timestamp) {
        let clock_went_back = now < self.forgot_at;
        if now.since(self.forgot_at) < FORGETS_EVERY && !clock_went_back {
            return;
        }
        self.forgot_at = now;
        let (remember, reports) = (self.config.remember_keys, self.config.await_reports);
        self.keys.retain(|_, seen| now.since(*seen) < remember);
        self.closed_groups.retain(|_, closed| now.since(closed.at) < DAY);
        self.parts.forget(|state| match state {
            PartState::Sent { at, .. }
            | PartState::Delivered { reference: Some(_), at }
            | PartState::Failed { reference: Some(_), at, .. } => now.since(*at) < reports,
            _ => false,
        });
        let a_day_of = |times: &mut VecDeque<Timestamp>| {
            while times.front().is_some_and(|at| now.since(*at) >= DAY) {
                times.pop_front();
            }
            !times.is_empty()
        };
        self.answered.retain(|_, times| a_day_of(times));
        self.answered_by.retain(|_, times| a_day_of(times));
        self.awake.retain(|_, until| *until > now);
    }

    fn save(&mut self, changes: Vec<Change>) {
        self.outputs.push_back(Output::Save(changes));
    }
}

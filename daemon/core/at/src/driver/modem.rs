//! What is known about the modem, shared by everything that talks to it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jibu_types::Timestamp;

use super::api::*;
use crate::dialogue::{Line, Request};
use crate::parameters;
use crate::slot::fingerprint;
use crate::{Held, Slot, StorageName};

/// Far more messages than any storage holds; what comes beyond them is told again
/// with each sweep instead of being remembered.
const MOST_SLOTS: usize = 4096;

/// Announcements that wait to be read. Beyond that a sweep finds the rest.
const MOST_ANNOUNCED: usize = 64;

/// Without announcements, looking often is the only way to answer soon.
const SWEEP_UNANNOUNCED: Duration = Duration::from_secs(5);

/// After so many disagreements in a row a modem is taken to name its storages
/// otherwise than they are chosen.
const DISAGREEMENTS_BELIEVED: u32 = 3;

/// However often an installation wants something done.
pub(super) const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A message that came.
    Incoming {
        /// Over its PDU.
        fingerprint: u64,
        /// Whether [`Event::Incoming`] was told in this session.
        told: bool,
    },
    /// A message to be sent.
    Outgoing {
        /// It.
        pdu: Vec<u8>,
        /// STO SENT rather than STO UNSENT.
        sent: bool,
    },
}

/// Whether the configured PIN may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PinState {
    /// It was not tried.
    Untried,
    /// It was sent, and the answer is not known.
    Tried,
    /// It is right.
    Accepted,
    /// It is wrong.
    Refused,
}

/// Whether messages can be sent through the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StorageUse {
    /// As far as is known.
    Usable,
    /// It has no room now.
    Full,
    /// The modem cannot.
    Unsupported,
}

/// A send whose fate the next initialisation must settle.
#[derive(Debug, Clone, Copy)]
pub(super) struct InDoubt {
    pub(super) id: i64,
    pub(super) slot: Slot,
    /// From a late answer.
    pub(super) reference: Option<u8>,
}

/// Something to let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// An incoming message.
    Incoming(Held),
    /// A stored outgoing message.
    Outgoing(Slot),
}

/// A message to send.
#[derive(Debug, Clone)]
pub(super) enum Outgoing {
    /// By its bytes.
    Pdu { id: i64, pdu: Vec<u8> },
    /// By its place.
    Stored { id: i64, slot: Slot },
}

impl Outgoing {
    pub(super) fn id(&self) -> i64 {
        match self {
            Outgoing::Pdu { id, .. } | Outgoing::Stored { id, .. } => *id,
        }
    }
}

/// What is to be said by USSD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Utterance {
    /// A string, as command lines of which one is enough.
    Say(Vec<String>),
    /// The end of the session.
    End,
}

/// See the [module](self) documentation.
pub(super) struct Modem {
    pub(super) config: Config,
    pub(super) outputs: VecDeque<Output>,

    pub(super) session: u32,
    /// Initialised: jobs may run.
    pub(super) is_ready: bool,
    pub(super) fault: Option<Fault>,

    pub(super) identity: Identity,
    pub(super) pin: PinState,
    /// ATE0 was obeyed, so an echo means that the modem restarted.
    pub(super) is_echo_off: bool,
    /// Direct deliveries must be acknowledged (+CSMS: 1).
    pub(super) acknowledges: bool,
    pub(super) announces: bool,
    pub(super) reports: bool,
    pub(super) has_service_centre: Option<bool>,
    /// None without USSD.
    pub(super) charset: Option<Charset>,

    /// Whether +CPMS chooses storages; a modem with one storage may not know it.
    pub(super) selects: bool,
    /// What +CMGL, +CMGR and +CMGD work on now.
    pub(super) selected: Option<StorageName>,
    /// What is swept.
    pub(super) readable: Vec<StorageName>,
    /// Where +CMGW writes.
    pub(super) writes_to: StorageName,
    /// Where incoming messages are stored.
    pub(super) receives_in: StorageName,
    usage: Option<(u16, u16)>,

    /// Whether +CMGW and +CMSS are used.
    pub(super) stores_before_sending: bool,
    /// Refusals of +CMGW, with none obeyed between.
    pub(super) write_refusals: u32,
    pub(super) storage: StorageUse,
    /// Whether all places where outgoing messages may stand were read in this session.
    pub(super) is_evidence_read: bool,
    /// The storages were chosen in this session.
    pub(super) has_chosen_storages: bool,
    /// How often in a row +CPMS? named other storages than those that were chosen.
    storages_disagreed: u32,
    /// Whether a stored message that was sent says so; learnt from the first one.
    pub(super) marks_sent: Option<bool>,

    pub(super) slots: BTreeMap<Slot, Content>,
    pub(super) announced: VecDeque<Slot>,
    pub(super) sends: VecDeque<Outgoing>,
    pub(super) releases: VecDeque<Release>,
    pub(super) ussd: VecDeque<Utterance>,
    /// Copies that could not be deleted, until the next sweep.
    pub(super) postponed: Vec<Release>,
    pub(super) in_doubt: Option<InDoubt>,
    /// The direct delivery that waits for its acknowledgement.
    pub(super) unacknowledged: Option<u64>,
    last_direct: u64,

    pub(super) sweep_at: Timestamp,
    pub(super) status_at: Timestamp,
    registration: Option<Registration>,
}

impl Modem {
    pub(super) fn new(config: Config) -> Self {
        Modem {
            config,
            outputs: VecDeque::new(),
            session: 0,
            is_ready: false,
            fault: None,
            identity: Identity::default(),
            pin: PinState::Untried,
            is_echo_off: false,
            acknowledges: false,
            announces: false,
            reports: false,
            has_service_centre: None,
            charset: None,
            selects: true,
            selected: None,
            readable: Vec::new(),
            writes_to: StorageName::SM,
            receives_in: StorageName::SM,
            usage: None,
            stores_before_sending: false,
            write_refusals: 0,
            storage: StorageUse::Usable,
            is_evidence_read: true,
            has_chosen_storages: false,
            storages_disagreed: 0,
            marks_sent: None,
            slots: BTreeMap::new(),
            announced: VecDeque::new(),
            sends: VecDeque::new(),
            releases: VecDeque::new(),
            ussd: VecDeque::new(),
            postponed: Vec::new(),
            in_doubt: None,
            unacknowledged: None,
            last_direct: 0,
            sweep_at: Timestamp::default(),
            status_at: Timestamp::default(),
            registration: None,
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells a fault once, until another or none is there.
    pub(super) fn set_fault(&mut self, fault: Fault) {
        let nothing_new = matches!(fault, Fault::Silent | Fault::Hanging);
        if self.fault == Some(Fault::GivenUp) && nothing_new {
            return;
        }
        if self.fault.replace(fault) != Some(fault) {
            self.tell(Event::Fault(fault));
        }
    }

    /// The modem must be initialised again: nothing said about it holds any more.
    pub(super) fn leave_session(&mut self) {
        self.is_ready = false;
        self.is_echo_off = false;
        self.is_evidence_read = true;
        self.has_chosen_storages = false;
        self.selected = None;
        self.selects = true;
        self.usage = None;
        self.registration = None;
        self.unacknowledged = None;
        self.announced.clear();
        for content in self.slots.values_mut() {
            if let Content::Incoming { told, .. } = content {
                *told = false;
            }
        }
        let said = std::mem::take(&mut self.ussd);
        for _ in said.iter().filter(|utterance| **utterance != Utterance::End) {
            self.tell(Event::UssdFailed(SendError::NotReady));
        }
        for send in std::mem::take(&mut self.sends) {
            self.send_failed(send.id(), SendError::NotReady, None);
        }
    }

    /// The modem told who made it. What was learnt about another one is forgotten.
    pub(super) fn is(&mut self, mut identity: Identity) {
        let known = &self.identity;
        let fields = [
            (&mut identity.manufacturer, &known.manufacturer),
            (&mut identity.model, &known.model),
            (&mut identity.revision, &known.revision),
            (&mut identity.imei_tail, &known.imei_tail),
        ];
        for (told, known) in fields {
            // An answer that was lost is no other modem.
            if told.is_empty() {
                told.clone_from(known);
            }
        }
        if self.identity != identity {
            self.identity = identity;
            self.storage = StorageUse::Usable;
            self.write_refusals = 0;
            self.marks_sent = None;
        }
    }

    pub(super) fn send_failed(&mut self, id: i64, error: SendError, slot: Option<Slot>) {
        self.tell(Event::SendFailed { id, error, slot });
    }

    /// A message stands in a slot, as +CMGL or +CMGR shows it.
    pub(super) fn found(&mut self, slot: Slot, status: &str, pdu: Vec<u8>) {
        let content = match status {
            "2" | "STO UNSENT" => Content::Outgoing { pdu, sent: false },
            "3" | "STO SENT" => Content::Outgoing { pdu, sent: true },
            // A status that no standard names must not lose a message.
            _ => {
                let fingerprint = fingerprint(&pdu);
                let known = Content::Incoming { fingerprint, told: true };
                if self.slots.get(&slot) != Some(&known) {
                    let held = Held::Stored { slot, fingerprint };
                    self.tell(Event::Incoming { held, pdu: Pdu(pdu) });
                }
                known
            }
        };
        if self.slots.len() < MOST_SLOTS || self.slots.contains_key(&slot) {
            self.slots.insert(slot, content);
        }
    }

    /// A message was announced (+CMTI, +CDSI).
    pub(super) fn announced(&mut self, line: &Line, now: Timestamp) {
        let fields = parameters::of(&line.text);
        let storage = fields.first().and_then(|name| StorageName::parse(name).ok());
        let slot = storage
            .filter(|storage| self.readable.contains(storage))
            .zip(parameters::number(&fields, 1))
            .map(|(storage, index)| Slot { storage, index });
        match slot {
            Some(slot) if self.announced.contains(&slot) => {}
            Some(slot) if self.announced.len() < MOST_ANNOUNCED => self.announced.push_back(slot),
            _ => self.sweep_at = now,
        }
    }

    /// A message was delivered directly (+CMT, +CDS).
    pub(super) fn delivered(&mut self, pdu: Vec<u8>) {
        self.last_direct += 1;
        let serial = self.last_direct;
        self.unacknowledged = Some(serial);
        self.tell(Event::Incoming { held: Held::Direct { serial }, pdu: Pdu(pdu) });
    }

    /// Reads a +CREG, +CGREG or +CEREG line, an answer (`n,stat`) or unsolicited (`stat`).
    pub(super) fn registration_of(line: &str) -> Option<Registration> {
        let fields = parameters::of(line);
        let digit = |at: usize| fields.get(at).filter(|f| f.len() == 1)?.parse::<u8>().ok();
        Some(match digit(1).or(digit(0))? {
            0 => Registration::Idle,
            1 | 6 | 9 => Registration::Home,
            2 => Registration::Searching,
            3 => Registration::Denied,
            5 | 7 | 10 => Registration::Roaming,
            _ => Registration::Unknown,
        })
    }

    pub(super) fn set_registration(&mut self, registration: Registration) {
        if self.registration.replace(registration) != Some(registration) {
            self.tell(Event::Registration(registration));
        }
    }

    /// Reads what +CPMS answers when storages are chosen: used and total of each.
    pub(super) fn note_usage(&mut self, line: &str) {
        let fields = parameters::of(line);
        let (used, capacity) = (parameters::number(&fields, 4), parameters::number(&fields, 5));
        let Some((used, capacity)) = used.zip(capacity) else { return };
        if self.usage.replace((used, capacity)) != Some((used, capacity)) {
            let name = self.receives_in;
            self.tell(Event::Storage { name, used, capacity });
        }
    }

    /// Whether what +CPMS? answers names other storages than those that were
    /// chosen. A make that calls them otherwise each time is left alone in the end.
    pub(super) fn has_forgotten_storages(&mut self, line: &str) -> bool {
        let fields = parameters::of(line);
        let name = |at: usize| fields.get(at).and_then(|name| StorageName::parse(name).ok());
        let differs = match (name(3), name(6)) {
            (Some(writes_to), Some(receives_in)) => {
                writes_to != self.writes_to || receives_in != self.receives_in
            }
            _ => false,
        };
        self.storages_disagreed = if differs { self.storages_disagreed + 1 } else { 0 };
        (1..=DISAGREEMENTS_BELIEVED).contains(&self.storages_disagreed)
    }

    pub(super) fn sweep_done(&mut self, now: Timestamp) {
        self.releases.extend(std::mem::take(&mut self.postponed));
        let interval = if self.announces {
            self.config.sweep_interval
        } else {
            self.config.sweep_interval.min(SWEEP_UNANNOUNCED)
        };
        self.sweep_at = now + interval.max(SHORTEST_INTERVAL);
    }

    /// Says what became of the send that was in flight when the last session ended.
    pub(super) fn settle_doubt(&mut self) {
        let Some(InDoubt { id, slot, reference }) = self.in_doubt.take() else { return };
        let event = match self.slots.get(&slot) {
            _ if reference.is_some() => Event::Sent { id, reference, slot: Some(slot) },
            Some(Content::Outgoing { sent: true, .. }) => {
                Event::Sent { id, reference: None, slot: Some(slot) }
            }
            Some(Content::Outgoing { sent: false, .. }) if self.marks_sent != Some(false) => {
                Event::SendFailed { id, error: SendError::TimedOut, slot: Some(slot) }
            }
            _ => Event::SendUnknown { id },
        };
        self.tell(event);
    }

    pub(super) fn stored(&self) -> Vec<Stored> {
        let outgoing = self.slots.iter().filter_map(|(slot, content)| match content {
            Content::Outgoing { pdu, sent } => {
                Some(Stored { slot: *slot, pdu: Pdu(pdu.clone()), sent: *sent })
            }
            Content::Incoming { .. } => None,
        });
        outgoing.collect()
    }

    // How the commonest commands are asked.

    pub(super) fn plain(&self, line: impl Into<String>) -> Request {
        Request::plain(line, self.config.command_timeout)
    }

    pub(super) fn lines(&self, line: impl Into<String>, prefix: &'static str) -> Request {
        Request::lines(line, prefix, self.config.command_timeout)
    }

    pub(super) fn proof(&self, line: impl Into<String>, prefix: &'static str) -> Request {
        Request::proof(line, prefix, self.config.command_timeout)
    }

    pub(super) fn text(&self, line: impl Into<String>, prefix: &'static str) -> Request {
        Request::text(line, prefix, self.config.command_timeout)
    }

    /// Chooses what +CMGL, +CMGR and +CMGD work on.
    pub(super) fn choose(&self, storage: StorageName) -> Request {
        Request::lines(format!("AT+CPMS=\"{storage}\""), "+CPMS:", self.patience())
    }

    pub(super) fn read(&self, index: u16) -> Request {
        Request::pdus(format!("AT+CMGR={index}"), "+CMGR:", self.patience())
    }

    /// For commands that touch the SIM, which is slow.
    pub(super) fn patience(&self) -> Duration {
        self.config.command_timeout * 3
    }
}

//! The modem's memory: settings, SIM card, stored messages, its network.
//!
//! Nothing here takes time or waits; [`crate::Simulator`] gives it both.

use std::time::Duration;

use crate::at::Charset;
use crate::network::Network;
use crate::profile::{Defaults, Profile};
use crate::store::{Memory, Status, Store, Stored};

/// A line of a reply without its line ends. Bytes, because text mode may print
/// GSM characters as they are.
pub type Line = Vec<u8>;

/// How a command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// These lines and `OK`.
    Done(Vec<Line>),
    /// An error.
    Failed(Failure),
    /// The prompt: what follows is a message.
    Prompt(Entry),
}

impl Reply {
    /// `OK` alone.
    pub const OK: Reply = Reply::Done(Vec::new());

    /// One line and `OK`.
    pub fn line(line: impl Into<Line>) -> Self {
        Reply::Done(vec![line.into()])
    }
}

/// How a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// `ERROR`
    Error,
    /// `+CME ERROR: n` (TS 27.007 §9.2)
    Cme(u16),
    /// `+CMS ERROR: n` (TS 27.005 §3.2.5)
    Cms(u16),
}

/// A message that is being entered after the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happens to it.
    pub purpose: Purpose,
    /// In PDU mode the octets that the TPDU was announced to have; in text mode
    /// the address.
    pub announced: Announced,
}

/// What happens to an entered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// +CMGS
    Send,
    /// +CMGW
    Write(Status),
}

/// What the command before the prompt said of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announced {
    /// PDU mode: octets without the service centre's address.
    Length(usize),
    /// Text mode: the address, if any.
    Address(Option<String>),
}

/// What a command sets going besides its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The modem restarts.
    Reset,
    /// A USSD code, or an answer in a session: its text and coding scheme.
    Ussd(String, u8),
    /// The host ended the USSD session.
    UssdEnd,
    /// The SIM is open now; registration begins.
    Unlocked,
    /// A place for a message became free, or the host can take one.
    Room,
    /// The message at this position of the on-air list was sent.
    Sent(usize),
    /// The radio was switched on.
    RadioOn,
    /// The host accepted (or refused) a directly routed message.
    Acknowledged(bool),
    /// Indications that were held back are wanted now.
    Flush,
}

/// The SIM's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The PIN.
    pub pin: String,
    /// The PUK.
    pub puk: String,
    /// Whether the PIN is asked for after power on.
    pub locked_at_start: bool,
    /// Where it stands.
    pub state: CardState,
}

/// Where the SIM's lock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardState {
    /// Open.
    Ready,
    /// Waits for the PIN; so many tries are left.
    Pin(u8),
    /// Waits for the PUK; so many tries are left.
    Puk(u8),
    /// Blocked for good.
    Blocked,
    /// No card.
    Absent,
}

/// Settings that a restart puts back.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// ATE
    pub echo: bool,
    /// ATQ: no result codes.
    pub quiet: bool,
    /// ATV: words instead of numbers.
    pub verbose: bool,
    /// +CMEE
    pub errors: u8,
    /// +CMGF: text mode.
    pub text_mode: bool,
    /// +CSDH: text mode shows header values.
    pub show_header: bool,
    /// +CSMS: 1 asks for acknowledgement of directly routed messages.
    pub service: u8,
    /// +CNMI: mode, mt, bm, ds, bfr.
    pub indications: [u8; 5],
    /// +CPMS: read and delete, write and send, receive.
    pub memories: [Memory; 3],
    /// +CSMP: first octet, validity, protocol, coding.
    pub parameters: [u8; 4],
    /// +CSCS
    pub charset: Charset,
    /// +CREG
    pub registration_lines: u8,
    /// +CGREG
    pub packet_lines: u8,
    /// +CEREG
    pub lte_lines: u8,
    /// +CUSD
    pub ussd_lines: u8,
    /// +COPS: format of the operator's name.
    pub operator_format: u8,
    /// +COPS: 0 automatic, 2 deregistered.
    pub operator_mode: u8,
    /// +CLIP
    pub caller_lines: u8,
    /// +CRC
    pub ring_lines: u8,
    /// +CTZU and +CTZR
    pub zone: [u8; 2],
    /// +CMMS
    pub more_messages: u8,
    /// +CFUN
    pub function: u8,
}

impl Settings {
    /// As after power on.
    pub fn new(profile: &Profile) -> Self {
        let Defaults { echo, errors } = profile.defaults;
        Settings {
            echo,
            quiet: false,
            verbose: true,
            errors,
            text_mode: false,
            show_header: false,
            service: 0,
            indications: [0, 0, 0, 0, 0],
            memories: profile.storage.preferred,
            parameters: [17, 167, 0, 0],
            charset: Charset::Ira,
            registration_lines: 0,
            packet_lines: 0,
            lte_lines: 0,
            ussd_lines: 0,
            operator_format: 0,
            operator_mode: 0,
            caller_lines: 0,
            ring_lines: 0,
            zone: [0, 0],
            more_messages: 0,
            function: 1,
        }
    }
}

/// The modem without its line.
#[derive(Debug, Clone)]
pub struct Modem {
    /// What make it is.
    pub profile: Profile,
    /// Settings that a restart puts back.
    pub settings: Settings,
    /// The SIM's lock.
    pub card: Card,
    /// The service centre's address on the SIM.
    pub service_centre: String,
    /// Stored messages.
    pub store: Store,
    /// The network it is on.
    pub network: Network,
    /// The +CREG state it is in.
    pub registration: u8,
    /// Whether messages can be read, written and sent yet.
    pub messages_ready: bool,
    /// TP-MR of the next message (TS 23.040 §9.2.3.6).
    pub next_reference: u8,
    /// What the last commands set going.
    pub effects: Vec<Effect>,
    /// The time of the command under way.
    pub now: Duration,
}

impl Modem {
    /// A modem that has been on for a while: registered and ready.
    pub fn new(profile: Profile, network: Network, next_reference: u8) -> Self {
        Modem {
            settings: Settings::new(&profile),
            card: Card {
                pin: "1234".to_owned(),
                puk: "12345678".to_owned(),
                locked_at_start: false,
                state: CardState::Ready,
            },
            service_centre: network.service_centre.clone(),
            store: Store::new(&profile.storage),
            registration: network.grants,
            network,
            messages_ready: true,
            next_reference,
            effects: Vec::new(),
            now: Duration::ZERO,
            profile,
        }
    }

    /// As after power on: settings gone, SIM locked if it has a PIN, not
    /// registered. What the SIM and the module keep stays.
    pub fn restart(&mut self) {
        self.settings = Settings::new(&self.profile);
        if self.card.locked_at_start && self.card.state == CardState::Ready {
            self.card.state = CardState::Pin(3);
        }
        self.registration = 0;
        self.messages_ready = false;
        self.effects.clear();
    }

    /// Whether messages can come and go.
    pub fn is_in_service(&self) -> bool {
        self.messages_ready
            && self.card.state == CardState::Ready
            && self.settings.function == 1
            && matches!(self.registration, 1 | 5)
    }

    /// Where a message from the network goes, by +CNMI (TS 27.005 §3.4.1).
    /// `None`: there is no room, so the network must keep it.
    pub fn receive(&mut self, pdu: Vec<u8>) -> Option<Received> {
        let tpdu = crate::codec::split_service_centre(&pdu).map_or(&pdu[..], |(_, tpdu)| tpdu);
        let is_report = tpdu.first().is_some_and(|first| first & 3 == 2);
        let [_, route, _, report_route, _] = self.settings.indications;
        if is_report {
            return match report_route {
                1 => Some(Received::Direct(pdu)),
                2 => {
                    let memory = if self.store.capacity(Memory::Sr) > 0 {
                        Memory::Sr
                    } else {
                        self.settings.memories[2]
                    };
                    self.keep(memory, pdu, true)
                }
                _ => Some(Received::Dropped),
            };
        }
        let class = crate::codec::decode_deliver(tpdu).ok().and_then(|d| class_of(d.coding));
        let direct = match (route, class) {
            // Class 2 belongs on the SIM whatever the host asked for.
            (2, Some(2)) => false,
            (2, _) | (3, Some(3)) => true,
            _ => false,
        };
        if direct {
            return Some(Received::Direct(pdu));
        }
        self.keep(self.settings.memories[2], pdu, route != 0)
    }

    fn keep(&mut self, memory: Memory, pdu: Vec<u8>, told: bool) -> Option<Received> {
        let stored = Stored { status: Status::RecUnread, pdu };
        let (memory, index) = self.store.add(memory, stored)?;
        Some(if told { Received::Indicated(memory, index) } else { Received::Stored })
    }
}

/// What became of a message from the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is in storage and the host is not told.
    Stored,
    /// It is in storage and the host is told where.
    Indicated(Memory, usize),
    /// It goes to the host and nowhere else.
    Direct(Vec<u8>),
    /// Nobody wants it.
    Dropped,
}

/// The message class in a TP-DCS (TS 23.038 §4).
fn class_of(coding: u8) -> Option<u8> {
    match coding >> 4 {
        0x1 | 0x3 | 0x5 | 0x7 | 0xf => Some(coding & 3),
        _ => None,
    }
}

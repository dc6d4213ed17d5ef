//! The dialogue with an SMSC over its one or two connections: it decides, and
//! neither reads, writes nor looks at a clock. [`Dialogue::handle`] takes what
//! happened, [`Dialogue::poll`] says what to do, [`Dialogue::deadline`] when to
//! come back.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use jibu_gsm::Address;
use jibu_modem::{Command, Event, Held, Identity, ModemError, Pdu, Registration, SendError};
use jibu_types::Timestamp;

use crate::doubt::Doubts;
use crate::pdu::{self, Delivery, Frame, id};
use crate::receipt::{self, Ids, Read};
use crate::{Bind, Config, incoming, outgoing, status};

/// Messages that may wait for their commit; more are to be delivered again.
const MOST_HELD: usize = 128;
/// Messages that may wait for the SMSC's response. The spool sends one at a time.
const WINDOW: usize = 10;
/// How soon after our response it is asked whether the SMSC has read it.
const CONFIRM_AFTER: Duration = Duration::from_secs(1);

/// Something happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The connections stand, as many as [`roles`] has.
    Opened,
    /// A PDU came on a connection, at so many seconds of the box's clock.
    Frame { wire: usize, frame: Frame, clock: i64 },
    /// The connections are gone.
    Closed,
    /// Somebody wants something done.
    Command(Command),
    /// Time has passed.
    Tick,
}

/// What to do about it.
#[derive(Debug)]
pub(crate) enum Output {
    /// Write to a connection.
    Write { wire: usize, frame: Frame },
    /// Tell whoever listens.
    Event(Event),
    /// Close the connections; `Input::Closed` follows.
    Close { reason: String, wants_a_person: bool },
}

/// What each connection binds as, the one to send first.
pub(crate) fn roles(bind: Bind) -> &'static [u32] {
    match bind {
        Bind::Transceiver => &[id::BIND_TRANSCEIVER],
        Bind::Pair => &[id::BIND_TRANSMITTER, id::BIND_RECEIVER],
    }
}

/// The connection that messages leave by.
const SENDING: usize = 0;

/// A connection.
#[derive(Debug)]
struct Wire {
    role: u32,
    bound: bool,
    heard: Timestamp,
    /// When the SMSC is to be asked whether it read our responses.
    confirm_at: Option<Timestamp>,
    /// A bind or an `enquire_link` without a response: its number and what until.
    asked: Option<(u32, Timestamp)>,
}

/// A `submit_sm` without a response.
#[derive(Debug)]
struct Flight {
    id: i64,
    recipient: Address,
    until: Timestamp,
}

/// A `deliver_sm` without a response.
#[derive(Debug)]
struct Owed {
    wire: usize,
    command: u32,
    sequence: u32,
    /// How many TPDUs of it are not erased.
    left: usize,
}

#[derive(Debug)]
pub(crate) struct Dialogue {
    config: Config,
    outputs: VecDeque<Output>,
    wires: Vec<Wire>,
    session: u32,
    is_ready: bool,
    /// The `sequence_number` of our next request, over all connections.
    next: u32,
    flights: BTreeMap<u32, Flight>,
    owed: HashMap<u64, Owed>,
    /// What each `Held::Direct` belongs to.
    held: HashMap<u64, u64>,
    serials: u64,
    doubts: Doubts,
    ids: Ids,
    smsc: String,
}

impl Dialogue {
    pub(crate) fn new(config: Config) -> Self {
        Dialogue {
            doubts: Doubts::new(&config.in_doubt),
            config,
            outputs: VecDeque::new(),
            wires: Vec::new(),
            session: 0,
            is_ready: false,
            next: 1,
            flights: BTreeMap::new(),
            owed: HashMap::new(),
            held: HashMap::new(),
            serials: 0,
            ids: Ids::default(),
            smsc: String::new(),
        }
    }

    /// Takes in what happened. Drain [`Dialogue::poll`] before the next call.
    pub(crate) fn handle(&mut self, input: Input, now: Timestamp) {
        match input {
            Input::Opened => self.opened(now),
            Input::Frame { wire, frame, clock } => self.frame(wire, frame, clock, now),
            Input::Closed => self.closed(),
            Input::Command(command) => self.command(command, now),
            Input::Tick => {}
        }
        self.pass_time(now);
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`] if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let wires = self.wires.iter().map(|wire| self.wire_deadline(wire));
        wires.chain(self.flights.values().map(|flight| flight.until)).min()
    }

    fn wire_deadline(&self, wire: &Wire) -> Timestamp {
        let quiet = wire.heard + self.config.enquire_every;
        match wire.asked {
            Some((_, until)) => until,
            None => wire.confirm_at.map_or(quiet, |at| at.min(quiet)),
        }
    }

    fn opened(&mut self, now: Timestamp) {
        for (wire, role) in roles(self.config.bind).iter().enumerate() {
            let sequence = self.request(wire, *role, pdu::bind(&self.config));
            self.wires.push(Wire {
                role: *role,
                bound: false,
                heard: now,
                confirm_at: None,
                asked: Some((sequence, now + self.config.response_timeout)),
            });
        }
    }

    fn closed(&mut self) {
        self.wires.clear();
        self.is_ready = false;
        self.owed.clear();
        self.held.clear();
        self.doubts.lost();
        for Flight { id, .. } in std::mem::take(&mut self.flights).into_values() {
            self.tell(Event::SendUnknown { id });
        }
    }

    fn pass_time(&mut self, now: Timestamp) {
        if self.flights.values().any(|flight| flight.until <= now) {
            return self.close("the SMSC does not answer submit_sm");
        }
        for at in 0..self.wires.len() {
            let Some(wire) = self.wires.get(at) else { return };
            if self.wire_deadline(wire) > now {
                continue;
            }
            if wire.asked.is_some() {
                return match wire.bound {
                    true => self.close("the SMSC does not answer enquire_link"),
                    false => self.close(
                        "the SMSC does not answer the bind: look at smpp.host, smpp.port and \
                         whether it wants TLS (smpp.tls_authority)",
                    ),
                };
            }
            let sequence = self.request(at, id::ENQUIRE_LINK, Vec::new());
            let until = now + self.config.response_timeout;
            if let Some(wire) = self.wires.get_mut(at) {
                wire.asked = Some((sequence, until));
                wire.confirm_at = None;
            }
        }
    }

    fn frame(&mut self, at: usize, frame: Frame, clock: i64, now: Timestamp) {
        let Some(wire) = self.wires.get_mut(at) else { return };
        wire.heard = now;
        let (bound, role) = (wire.bound, wire.role);
        if frame.command & id::RESPONSE != 0 {
            let was_asked = wire.asked.is_some_and(|(sequence, _)| sequence == frame.sequence);
            if was_asked {
                wire.asked = None;
                if !bound {
                    return self.bind_answered(at, role, &frame, now);
                }
            }
            let flight = self.flights.remove(&frame.sequence);
            if was_asked || flight.is_some() {
                self.confirmed(at, frame.sequence);
            }
            if let Some(flight) = flight {
                self.submit_answered(flight, &frame);
            }
            return;
        }
        match frame.command {
            id::ENQUIRE_LINK => self.respond(at, &frame, status::OK, Vec::new()),
            id::UNBIND => {
                self.respond(at, &frame, status::OK, Vec::new());
                self.close("the SMSC ended the session (unbind)");
            }
            id::DELIVER_SM | id::DATA_SM if bound => self.delivered(at, frame, clock, now),
            id::DELIVER_SM | id::DATA_SM => {
                self.respond(at, &frame, status::NOT_BOUND, vec![0]);
            }
            id::ALERT_NOTIFICATION | id::OUTBIND => {}
            _ => {
                let (status, sequence) = (status::INVALID_COMMAND, frame.sequence);
                let command = id::GENERIC_NACK;
                self.write(at, Frame { command, status, sequence, body: Vec::new() });
            }
        }
    }

    fn bind_answered(&mut self, at: usize, role: u32, frame: &Frame, now: Timestamp) {
        let refused = match frame.command {
            id::GENERIC_NACK if frame.status == status::OK => status::INVALID_COMMAND,
            id::GENERIC_NACK => frame.status,
            command if command == role | id::RESPONSE => frame.status,
            _ => return self.close("the SMSC answers the bind with something else"),
        };
        if refused != status::OK {
            let wants_a_person = status::wants_a_person(refused);
            let reason = status::bind_refused(refused);
            self.outputs.push_back(Output::Close { reason, wants_a_person });
            return;
        }
        if let Some(wire) = self.wires.get_mut(at) {
            wire.bound = true;
        }
        self.smsc = pdu::first_string(&frame.body).chars().take(16).collect();
        self.doubts.bound(now);
        if self.wires.iter().all(|wire| wire.bound) {
            self.is_ready = true;
            self.session = self.session.wrapping_add(1);
            self.tell(Event::Ready {
                session: self.session,
                identity: Identity {
                    manufacturer: "SMPP 3.4".into(),
                    model: self.smsc.clone(),
                    ..Identity::default()
                },
                stored: Vec::new(),
                keeps_parts: false,
                announces: true,
                reports: true,
                has_service_centre: Some(true),
                ussd: false,
            });
            self.tell(Event::Registration(Registration::Home));
        }
    }

    /// The SMSC answered a request, so it has read what was written before.
    fn confirmed(&mut self, at: usize, sequence: u32) {
        self.doubts.confirmed(at, sequence);
        if !self.doubts.waits_for(at)
            && let Some(wire) = self.wires.get_mut(at)
        {
            wire.confirm_at = None;
        }
    }

    fn submit_answered(&mut self, flight: Flight, frame: &Frame) {
        let Flight { id, recipient, .. } = flight;
        if frame.status == status::OK && frame.command != id::GENERIC_NACK {
            let reference = self.ids.sent(&pdu::first_string(&frame.body), recipient);
            self.tell(Event::Sent { id, reference, slot: None });
        } else {
            let refused = match frame.status {
                status::OK => status::INVALID_COMMAND,
                refused => refused,
            };
            let error = status::send_error(refused);
            self.tell(Event::SendFailed { id, error, slot: None });
        }
    }

    fn delivered(&mut self, at: usize, frame: Frame, clock: i64, now: Timestamp) {
        if self.owed.len() >= MOST_HELD {
            return self.respond(at, &frame, status::TRY_AGAIN, vec![0]);
        }
        self.serials += 1;
        let delivery = self.serials;
        let Some(pdus) = self.pdus(delivery, &frame, clock, now) else {
            return self.respond(at, &frame, status::OK, vec![0]);
        };
        let Frame { command, sequence, .. } = frame;
        let owed = Owed { wire: at, command, sequence, left: pdus.len() };
        self.owed.insert(delivery, owed);
        for octets in pdus {
            self.serials += 1;
            let serial = self.serials;
            self.held.insert(serial, delivery);
            self.tell(Event::Incoming { held: Held::Direct { serial }, pdu: Pdu(octets) });
        }
    }

    /// The TPDUs that a delivery comes to; none where nobody need see it.
    fn pdus(
        &mut self,
        delivery: u64,
        frame: &Frame,
        clock: i64,
        now: Timestamp,
    ) -> Option<Vec<Vec<u8>>> {
        let unreadable = || vec![incoming::unreadable(frame)];
        let Ok(read) = Delivery::decode(frame) else { return Some(unreadable()) };
        if receipt::is_receipt(&read) {
            return match receipt::read(&read, &mut self.ids) {
                Ok(Read::Report(pdu)) => Some(vec![pdu]),
                Ok(Read::Again) => None,
                Err(_) => Some(unreadable()),
            };
        }
        // Acknowledgements by the recipient's phone are never asked for, so what is
        // marked as one is somebody's message with a wrong mark.
        let pdus = incoming::delivers(&read, self.config.alphabet).and_then(|delivers| {
            let pdu_of = |deliver| self.doubts.pdu_of(&deliver, delivery, clock, now);
            delivers.into_iter().map(pdu_of).collect()
        });
        Some(pdus.unwrap_or_else(|_| unreadable()))
    }

    fn command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Send { id, session, pdu } => self.send(id, session, &pdu, now),
            Command::Resume { id, session, .. } => {
                if session == self.session {
                    self.tell(Event::SendFailed { id, error: SendError::NotStored, slot: None });
                }
            }
            Command::Erase { held } => self.erase(held, now),
            Command::Forget { slot } => self.tell(Event::Forgotten { slot }),
            Command::Status => {
                let registration = match self.is_ready {
                    true => Registration::Home,
                    false => Registration::Searching,
                };
                self.tell(Event::Registration(registration));
            }
            // "The modem does not support this."
            Command::Ussd { .. } => {
                let error = SendError::Refused(ModemError::Cme(4));
                self.tell(Event::UssdFailed { error });
            }
            Command::EndUssd => {}
        }
    }

    fn send(&mut self, id: i64, session: u32, pdu: &[u8], now: Timestamp) {
        if session != self.session {
            return;
        }
        let submission = match (self.is_ready, self.flights.len() < WINDOW) {
            (false, _) => Err(SendError::NotReady),
            (true, false) => Err(SendError::Busy),
            (true, true) => outgoing::submit(pdu, &self.config),
        };
        match submission {
            Ok((body, recipient)) => {
                let sequence = self.request(SENDING, id::SUBMIT_SM, body);
                let until = now + self.config.response_timeout;
                self.flights.insert(sequence, Flight { id, recipient, until });
            }
            Err(error) => self.tell(Event::SendFailed { id, error, slot: None }),
        }
    }

    fn erase(&mut self, held: Held, now: Timestamp) {
        if let Held::Direct { serial } = held
            && let Some(delivery) = self.held.remove(&serial)
            && let Some(owed) = self.owed.get_mut(&delivery)
        {
            owed.left = owed.left.saturating_sub(1);
            if owed.left == 0
                && let Some(Owed { wire, command, sequence, .. }) = self.owed.remove(&delivery)
            {
                let command = command | id::RESPONSE;
                let frame = Frame { command, status: status::OK, sequence, body: vec![0] };
                self.write(wire, frame);
                self.doubts.answered(delivery, wire, self.next, now);
                if let Some(wire) = self.wires.get_mut(wire).filter(|w| w.confirm_at.is_none()) {
                    wire.confirm_at = Some(now + CONFIRM_AFTER);
                }
            }
        }
        self.tell(Event::Erased { held });
    }

    fn request(&mut self, wire: usize, command: u32, body: Vec<u8>) -> u32 {
        let sequence = self.next;
        // 1 to 0x7FFFFFFF (§5.1.4).
        self.next = if sequence >= 0x7FFF_FFFF { 1 } else { sequence + 1 };
        self.write(wire, Frame::request(command, sequence, body));
        sequence
    }

    fn respond(&mut self, wire: usize, to: &Frame, status: u32, body: Vec<u8>) {
        let (command, sequence) = (to.command | id::RESPONSE, to.sequence);
        self.write(wire, Frame { command, status, sequence, body });
    }

    fn write(&mut self, wire: usize, frame: Frame) {
        self.outputs.push_back(Output::Write { wire, frame });
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn close(&mut self, reason: &str) {
        let reason = reason.to_owned();
        self.outputs.push_back(Output::Close { reason, wants_a_person: false });
    }
}

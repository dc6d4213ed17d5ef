//! Reading what the modem stores: all of it, or one message.

use std::collections::BTreeSet;
use std::time::Duration;

use jibu_types::Timestamp;

use super::api::Interruption;
use super::modem::{Content, Modem, StorageUse};
use super::task::{Answer, Step, Task};
use crate::dialogue::{Line, Request};
use crate::parameters;
use crate::{ModemError, Slot, StorageName};

/// A SIM takes its time to show its messages, and then shows them in bursts.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a storage that is refused is asked again, and after how long: at
/// start it says what became of the messages that were being sent.
const REFUSALS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// How often a list that is too short is asked for again.
const LISTINGS: u32 = 3;

/// How often a message that came in pieces is read again at most. It is taken as
/// it is when two readings agree.
const READINGS: u32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Select,
    List,
    Doubtful,
}

/// Reads all storages (+CMGL=4) and tells what is new.
pub(super) struct Sweep {
    storages: Vec<StorageName>,
    at: usize,
    stage: Stage,
    /// How many messages +CPMS counts.
    used: usize,
    seen: BTreeSet<Slot>,
    /// In the list before, if that was too short.
    seen_before: Option<BTreeSet<Slot>>,
    /// Messages whose line came in pieces, to be read one by one.
    doubtful: Vec<(u16, Read)>,
    listings: u32,
    refusals: u32,
    /// A refusal is waited out.
    pauses: bool,
    /// Messages can be sent through the storage again.
    has_room_again: bool,
}

impl Sweep {
    pub(super) fn new(modem: &Modem) -> Self {
        Sweep {
            storages: modem.readable.clone(),
            at: 0,
            stage: Stage::Select,
            used: 0,
            seen: BTreeSet::new(),
            seen_before: None,
            doubtful: Vec::new(),
            listings: 0,
            refusals: 0,
            pauses: false,
            has_room_again: false,
        }
    }

    fn begin(&mut self, stage: Stage) {
        self.stage = stage;
        if stage != Stage::Doubtful {
            self.seen.clear();
            self.doubtful.clear();
        }
    }

    fn next_storage(&mut self) {
        self.at += 1;
        self.listings = 0;
        self.refusals = 0;
        self.seen_before = None;
        self.begin(Stage::Select);
    }

    /// A storage cannot be read now: tries again, in the end goes on without it.
    fn refused(&mut self, modem: &mut Modem, storage: StorageName, answer: &Answer) {
        let is_for_ever = answer.error().is_some_and(ModemError::is_unsupported);
        self.refusals += 1;
        if self.refusals <= REFUSALS && !is_for_ever {
            self.pauses = true;
            return;
        }
        if !modem.is_ready {
            // What stood there in an earlier session is no evidence any more.
            modem.slots.retain(|slot, _| slot.storage != storage);
            if !is_for_ever || storage == modem.writes_to {
                self.not_all_read(modem, storage);
            }
        }
        self.next_storage();
    }

    fn is_short(&self) -> bool {
        self.seen.len() < self.used && self.seen_before.as_ref() != Some(&self.seen)
    }

    fn not_all_read(&self, modem: &mut Modem, storage: StorageName) {
        // Messages may have been written elsewhere than now; reports never are.
        if storage != StorageName::SR {
            modem.is_evidence_read = false;
        }
    }

    fn take(&mut self, modem: &mut Modem, storage: StorageName, answer: &Answer) {
        match self.stage {
            Stage::Select => match answer.result {
                Ok(()) => {
                    modem.selected = Some(storage);
                    let line = answer.line().unwrap_or_default();
                    let fields = parameters::of(line);
                    self.used = parameters::number(&fields, 0).unwrap_or_default();
                    let capacity: usize = parameters::number(&fields, 1).unwrap_or_default();
                    if storage == modem.writes_to && modem.storage == StorageUse::Full {
                        self.has_room_again = self.used < capacity;
                    }
                    modem.note_usage(line);
                    self.begin(Stage::List);
                }
                Err(_) => {
                    modem.selected = None;
                    self.refused(modem, storage, answer);
                }
            },
            Stage::List if answer.result.is_err() => self.refused(modem, storage, answer),
            // An entry that vanished on the wire would be missed for long.
            // Two lists that agree are right, whatever +CPMS counted.
            Stage::List if self.is_short() && self.listings < LISTINGS => {
                self.seen_before = Some(std::mem::take(&mut self.seen));
                self.begin(Stage::List);
            }
            Stage::List => {
                if self.is_short() {
                    self.not_all_read(modem, storage);
                }
                self.seen_before = None;
                let seen = std::mem::take(&mut self.seen);
                modem.slots.retain(|slot, _| slot.storage != storage || seen.contains(slot));
                self.begin(Stage::Doubtful);
            }
            Stage::Doubtful => {
                if let Some((_, read)) = self.doubtful.last_mut()
                    && read.take(modem, answer)
                {
                    self.doubtful.pop();
                    if answer.error().is_some_and(|error| !error.is_empty_slot()) {
                        self.not_all_read(modem, storage);
                    }
                }
            }
        }
    }
}

impl Task for Sweep {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, now: Timestamp) -> Step {
        if let (Some(answer), Some(storage)) = (answer, self.storages.get(self.at).copied()) {
            self.take(modem, storage, &answer);
        }
        if std::mem::take(&mut self.pauses) {
            return Step::Wait(PAUSE);
        }
        loop {
            let Some(storage) = self.storages.get(self.at).copied() else {
                modem.sweep_done(now);
                if self.has_room_again && modem.is_ready {
                    modem.storage = StorageUse::Usable;
                    return Step::Restart(Interruption::StorageHasRoom);
                }
                return Step::Done;
            };
            match self.stage {
                Stage::Select if modem.selects => {
                    return Step::Ask(modem.choose(storage));
                }
                Stage::Select => self.begin(Stage::List),
                Stage::List => {
                    self.begin(Stage::List);
                    self.listings += 1;
                    let list = Request::pdus("AT+CMGL=4", "+CMGL:", LIST_TIMEOUT);
                    return Step::AskIn(storage, list);
                }
                Stage::Doubtful => match self.doubtful.last() {
                    Some((index, _)) => return Step::AskIn(storage, modem.read(*index)),
                    None => self.next_storage(),
                },
            }
        }
    }

    fn line(&mut self, modem: &mut Modem, line: Line) -> Option<Line> {
        if self.stage != Stage::List {
            return Some(line);
        }
        let storage = *self.storages.get(self.at)?;
        let fields = parameters::of(&line.text);
        let index = parameters::number(&fields, 0)?;
        let slot = Slot { storage, index };
        self.seen.insert(slot);
        match line.pdu {
            Some(pdu) if line.whole => {
                modem.found(slot, fields.get(1).copied().unwrap_or_default(), pdu);
            }
            _ => self.doubtful.push((index, Read::new(slot))),
        }
        None
    }
}

/// Reads one message (+CMGR).
pub(super) struct Read {
    slot: Slot,
    readings: u32,
    /// What came in pieces last time.
    before: Option<(String, Vec<u8>)>,
}

impl Read {
    pub(super) fn new(slot: Slot) -> Self {
        Read { slot, readings: 0, before: None }
    }

    pub(super) fn ask(&self, modem: &Modem) -> Step {
        Step::AskIn(self.slot.storage, modem.read(self.slot.index))
    }

    /// Whether the answer settles what stands there.
    pub(super) fn take(&mut self, modem: &mut Modem, answer: &Answer) -> bool {
        self.readings += 1;
        let last = self.readings >= READINGS;
        if let Some(error) = answer.error() {
            if error.is_empty_slot() {
                modem.slots.remove(&self.slot);
            }
            return last || error.is_empty_slot();
        }
        // Some modems answer OK alone for a slot with nothing in it.
        let Some(line) = answer.lines.first() else {
            modem.slots.remove(&self.slot);
            return true;
        };
        let pdu = line.pdu.clone().unwrap_or_default();
        let read = (line.text.clone(), pdu);
        if line.whole || self.before.as_ref() == Some(&read) {
            let fields = parameters::of(&line.text);
            let status = fields.first().copied().unwrap_or_default();
            modem.found(self.slot, status, read.1);
            return true;
        }
        // What differs from reading to reading was damaged on the way.
        self.before = Some(read);
        last
    }
}

impl Task for Read {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        if let Some(answer) = answer
            && self.take(modem, &answer)
        {
            return Step::Done;
        }
        self.ask(modem)
    }
}

/// Whether a slot is known to hold an outgoing message, and whether it was sent.
pub(super) fn outgoing(modem: &Modem, slot: Slot) -> Option<bool> {
    match modem.slots.get(&slot)? {
        Content::Outgoing { sent, .. } => Some(*sent),
        Content::Incoming { .. } => None,
    }
}

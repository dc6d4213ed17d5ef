//! Reading what the modem stores: all of it, or one message.

use std::collections::BTreeSet;
use std::time::Duration;

use jibu_types::Timestamp;

use super::api::Interruption;
use super::modem::{Content, Modem, StorageUse};
use super::task::{Answer, Step, Task};
use crate::dialogue::{Line, Request};
use crate::parameters;
use crate::{Slot, StorageName};

/// A SIM takes its time to show its messages, and then shows them in bursts.
const LIST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a message that came in pieces is read again.
const READINGS: u32 = 3;

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
    /// Messages whose line came in pieces, to be read one by one.
    doubtful: Vec<(u16, Read)>,
    listed_twice: bool,
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
            doubtful: Vec::new(),
            listed_twice: false,
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
        self.listed_twice = false;
        self.begin(Stage::Select);
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
                // This storage cannot be reached now.
                Err(_) => {
                    modem.selected = None;
                    self.next_storage();
                }
            },
            Stage::List if answer.result.is_err() => self.next_storage(),
            // An entry that vanished on the wire would be missed for long.
            Stage::List if self.seen.len() < self.used && !self.listed_twice => {
                self.listed_twice = true;
                self.begin(Stage::List);
            }
            Stage::List => {
                let seen = std::mem::take(&mut self.seen);
                modem.slots.retain(|slot, _| slot.storage != storage || seen.contains(slot));
                self.begin(Stage::Doubtful);
            }
            Stage::Doubtful => {
                if let Some((_, read)) = self.doubtful.last_mut()
                    && read.take(modem, answer)
                {
                    self.doubtful.pop();
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
}

impl Read {
    pub(super) fn new(slot: Slot) -> Self {
        Read { slot, readings: 0 }
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
        if line.whole || last {
            let fields = parameters::of(&line.text);
            let status = fields.first().copied().unwrap_or_default();
            modem.found(self.slot, status, line.pdu.clone().unwrap_or_default());
            return true;
        }
        false
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

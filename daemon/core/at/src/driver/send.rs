//! Sending one message, so that at every moment its fate can be told.

use jibu_types::Timestamp;

use super::api::{Event, Interruption, SendError};
use super::modem::{Content, InDoubt, Modem, Outgoing, StorageUse};
use super::sweep::outgoing;
use super::task::{Answer, Step, Task};
use crate::dialogue::Request;
use crate::parameters;
use crate::{ModemError, Slot};

/// The largest TPDU that a modem takes, with room to spare (TS 23.040 §9.2.3.16:
/// 140 octets of user data).
const LONGEST_TPDU: usize = 255;

/// Refusals of +CMGW, with none obeyed between, after which the storage is left
/// alone: sending without evidence is better than not sending.
const REFUSALS_BELIEVED: u32 = 2;

#[derive(Debug, Clone)]
enum Stage {
    /// Not begun.
    Begin(Outgoing),
    /// +CMGW.
    Write { pdu: Vec<u8> },
    /// +CMSS.
    Dispatch { slot: Slot },
    /// +CMSS ran out of time or was refused: the storage is asked.
    Fate { slot: Slot, error: SendError },
    /// It was sent: does the storage say so?
    Learn,
    /// +CMGS.
    Direct { pdu: Vec<u8> },
    /// +CMGW or +CMGS ran out of time.
    Lost { direct: bool, pdu_written: bool },
    /// Answered.
    Over,
}

/// Sends one message and answers it exactly once.
pub(super) struct Send {
    id: i64,
    stage: Stage,
    late_reference: Option<u8>,
}

impl Send {
    pub(super) fn new(message: Outgoing) -> Self {
        Send { id: message.id(), stage: Stage::Begin(message), late_reference: None }
    }

    fn begin(&mut self, modem: &mut Modem, message: &Outgoing) -> Option<Step> {
        match message {
            Outgoing::Stored { slot, .. } => match outgoing(modem, *slot) {
                Some(true) => Some(self.sent(modem, None, Some(*slot))),
                Some(false) if slot.storage == modem.writes_to && modem.stores_before_sending => {
                    self.stage = Stage::Dispatch { slot: *slot };
                    None
                }
                _ => Some(self.failed(modem, SendError::NotStored, None)),
            },
            Outgoing::Pdu { pdu, .. } if tpdu_length(pdu).is_none() => {
                Some(self.failed(modem, SendError::Malformed, None))
            }
            Outgoing::Pdu { pdu, .. } => {
                let pdu = pdu.clone();
                self.stage = if modem.stores_before_sending {
                    Stage::Write { pdu }
                } else {
                    Stage::Direct { pdu }
                };
                None
            }
        }
    }

    fn take(&mut self, modem: &mut Modem, answer: &Answer) -> Option<Step> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Write { pdu } => self.written(modem, pdu, answer),
            Stage::Dispatch { slot } => match answer.error() {
                // The place that +CMGW told was not the one.
                Some(error) if error.is_empty_slot() => {
                    modem.slots.remove(&slot);
                    self.failed(modem, SendError::NotStored, None);
                    Some(Step::Restart(Interruption::PlaceUnknown))
                }
                Some(error) if modem.marks_sent == Some(false) && !is_network_timeout(error) => {
                    Some(self.failed(modem, SendError::Refused(error), Some(slot)))
                }
                // An error is no proof: modems give one for what the network took.
                Some(error) => {
                    self.stage = Stage::Fate { slot, error: SendError::Refused(error) };
                    None
                }
                None => Some(self.sent(modem, number_of(answer), Some(slot))),
            },
            Stage::Fate { slot, error } => Some(self.fate(modem, slot, error, answer)),
            Stage::Learn => {
                let status = answer.line().map(parameters::of);
                let status = status.as_ref().and_then(|fields| fields.first()).copied();
                if matches!(status, Some("2" | "3" | "STO UNSENT" | "STO SENT")) {
                    modem.marks_sent = Some(matches!(status, Some("3" | "STO SENT")));
                }
                Some(Step::Done)
            }
            Stage::Direct { .. } => Some(match answer.error() {
                Some(error) => self.failed(modem, SendError::Refused(error), None),
                None => self.sent(modem, number_of(answer), None),
            }),
            stage @ (Stage::Begin(_) | Stage::Lost { .. } | Stage::Over) => {
                self.stage = stage;
                None
            }
        }
    }

    fn written(&mut self, modem: &mut Modem, pdu: Vec<u8>, answer: &Answer) -> Option<Step> {
        let Some(error) = answer.error() else {
            modem.write_refusals = 0;
            let Some(index) = number_of(answer) else {
                self.failed(modem, SendError::Refused(ModemError::Plain), None);
                return Some(Step::Restart(Interruption::PlaceUnknown));
            };
            let slot = Slot { storage: modem.writes_to, index };
            // A digit was lost on the way, and another message stands there.
            if modem.slots.contains_key(&slot) {
                self.failed(modem, SendError::Refused(ModemError::Plain), None);
                return Some(Step::Restart(Interruption::PlaceUnknown));
            }
            modem.slots.insert(slot, Content::Outgoing { pdu, sent: false });
            modem.tell(Event::Written { id: self.id, slot });
            self.stage = Stage::Dispatch { slot };
            return None;
        };
        self.failed(modem, SendError::Refused(error), None);
        if !error.is_full() && !error.is_unsupported() {
            return Some(Step::Done);
        }
        modem.write_refusals += 1;
        if modem.write_refusals < REFUSALS_BELIEVED {
            return Some(Step::Done);
        }
        modem.write_refusals = 0;
        modem.storage = if error.is_full() { StorageUse::Full } else { StorageUse::Unsupported };
        Some(Step::Restart(Interruption::StorageRefuses))
    }

    fn fate(&mut self, modem: &mut Modem, slot: Slot, error: SendError, answer: &Answer) -> Step {
        let status = answer.line().map(parameters::of);
        let status = status.as_ref().and_then(|fields| fields.first()).copied();
        match status {
            Some("3" | "STO SENT") => self.sent(modem, None, Some(slot)),
            Some("2" | "STO UNSENT") if modem.marks_sent != Some(false) => {
                self.failed(modem, error, Some(slot))
            }
            _ => self.unknown(modem),
        }
    }

    fn sent(&mut self, modem: &mut Modem, reference: Option<u8>, slot: Option<Slot>) -> Step {
        self.stage = Stage::Over;
        if let Some(Content::Outgoing { sent, .. }) = slot.and_then(|s| modem.slots.get_mut(&s)) {
            *sent = true;
        }
        modem.tell(Event::Sent { id: self.id, reference, slot });
        match slot {
            Some(slot) if modem.marks_sent.is_none() && reference.is_some() => {
                self.stage = Stage::Learn;
                Step::AskIn(slot.storage, modem.read(slot.index))
            }
            _ => Step::Done,
        }
    }

    /// A new session follows, so that whoever waits for certainty gets what there is.
    fn unknown(&mut self, modem: &mut Modem) -> Step {
        self.stage = Stage::Over;
        modem.tell(Event::SendUnknown { id: self.id });
        Step::Restart(Interruption::FateUnknown)
    }

    fn failed(&mut self, modem: &mut Modem, error: SendError, slot: Option<Slot>) -> Step {
        self.stage = Stage::Over;
        modem.send_failed(self.id, error, slot);
        Step::Done
    }
}

impl Task for Send {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        let step = match answer {
            Some(answer) => self.take(modem, &answer),
            None => match self.stage.clone() {
                Stage::Begin(message) => self.begin(modem, &message),
                _ => None,
            },
        };
        if let Some(step) = step {
            return step;
        }
        let timeout = modem.config.command_timeout;
        match self.stage.clone() {
            Stage::Write { pdu } => {
                let line = format!("AT+CMGW={}", tpdu_length(&pdu).unwrap_or_default());
                Step::Ask(Request::proof(line, "+CMGW:", timeout).with_pdu(&pdu, modem.patience()))
            }
            Stage::Dispatch { slot } => {
                let line = format!("AT+CMSS={}", slot.index);
                Step::Ask(Request::proof(line, "+CMSS:", modem.config.send_timeout))
            }
            Stage::Fate { slot, .. } => match self.late_reference {
                Some(reference) => self.sent(modem, Some(reference), Some(slot)),
                None => Step::AskIn(slot.storage, modem.read(slot.index)),
            },
            Stage::Direct { pdu } => {
                let line = format!("AT+CMGS={}", tpdu_length(&pdu).unwrap_or_default());
                let request = Request::proof(line, "+CMGS:", timeout);
                Step::Ask(request.with_pdu(&pdu, modem.config.send_timeout))
            }
            Stage::Lost { direct: true, pdu_written: true } => match self.late_reference {
                Some(reference) => self.sent(modem, Some(reference), None),
                None => self.unknown(modem),
            },
            // A copy may stand somewhere, never sent; the next initialisation shows it.
            Stage::Lost { direct: false, pdu_written: true } => {
                self.failed(modem, SendError::TimedOut, None);
                Step::Restart(Interruption::PlaceUnknown)
            }
            Stage::Lost { .. } => self.failed(modem, SendError::TimedOut, None),
            Stage::Begin(_) | Stage::Learn | Stage::Over => Step::Done,
        }
    }

    fn timed_out(&mut self, pdu_written: bool) -> bool {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Write { .. } => Stage::Lost { direct: false, pdu_written },
            Stage::Direct { .. } => Stage::Lost { direct: true, pdu_written },
            Stage::Dispatch { slot } => Stage::Fate { slot, error: SendError::TimedOut },
            Stage::Learn => Stage::Over,
            stage => stage,
        };
        false
    }

    fn late_reference(&mut self, reference: u8) {
        if matches!(self.stage, Stage::Fate { .. } | Stage::Lost { direct: true, .. }) {
            self.late_reference = Some(reference);
        }
    }

    fn abandon(&mut self, modem: &mut Modem, pdu_written: bool) {
        let reference = self.late_reference;
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Dispatch { slot } | Stage::Fate { slot, .. } => {
                modem.in_doubt = Some(InDoubt { id: self.id, slot, reference });
            }
            Stage::Lost { direct: true, pdu_written: true } => {
                modem.tell(Event::SendUnknown { id: self.id });
            }
            Stage::Direct { .. } if pdu_written => modem.tell(Event::SendUnknown { id: self.id }),
            Stage::Begin(_) | Stage::Write { .. } | Stage::Direct { .. } | Stage::Lost { .. } => {
                modem.send_failed(self.id, SendError::NotReady, None);
            }
            Stage::Learn | Stage::Over => {}
        }
    }
}

fn is_network_timeout(error: ModemError) -> bool {
    matches!(error, ModemError::Cms(332) | ModemError::Cme(31))
}

/// The length that +CMGW and +CMGS want: without the service centre's field.
fn tpdu_length(pdu: &[u8]) -> Option<usize> {
    let centre = usize::from(*pdu.first()?) + 1;
    let length = pdu.len().checked_sub(centre)?;
    (1..=LONGEST_TPDU).contains(&length).then_some(length)
}

/// The number in `+CMGW: 7` or `+CMSS: 12`.
fn number_of<T: std::str::FromStr>(answer: &Answer) -> Option<T> {
    parameters::number(&parameters::of(answer.line()?), 0)
}

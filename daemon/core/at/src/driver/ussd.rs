//! Saying something in a USSD session (+CUSD, TS 27.007 §7.15).
//!
//! What the network says comes as an unsolicited line, before `OK` or long after
//! it, and is told as [`Event::Ussd`].

use std::collections::VecDeque;

use jibu_types::Timestamp;

use super::api::{Event, SendError};
use super::modem::{Modem, Utterance};
use super::task::{Answer, Step, Task};
use crate::dialogue::Request;

/// Says one thing; makers write the string differently, so there may be several
/// ways to say it.
pub(super) struct Say {
    ways: VecDeque<String>,
    /// How many ways were refused.
    refused: usize,
    asked: bool,
    heard: bool,
    /// Nobody waits to hear what becomes of the end of a session.
    is_end: bool,
}

impl Say {
    pub(super) fn new(utterance: Utterance) -> Self {
        let (ways, is_end) = match utterance {
            Utterance::Say(ways) => (ways, false),
            Utterance::End => (vec!["AT+CUSD=2".to_owned()], true),
        };
        Say { ways: ways.into(), refused: 0, asked: false, heard: false, is_end }
    }

    fn tell(&self, modem: &mut Modem, event: Event) -> Step {
        if !self.is_end {
            modem.tell(event);
        }
        Step::Done
    }

    fn failed(&self, modem: &mut Modem, error: SendError) -> Step {
        self.tell(modem, Event::UssdFailed(error))
    }
}

impl Task for Say {
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, _now: Timestamp) -> Step {
        match answer {
            Some(answer) => match answer.error() {
                None => return self.tell(modem, Event::UssdSaid { way: self.refused }),
                Some(error) if error.is_unsupported() && self.ways.len() > 1 => {
                    self.ways.pop_front();
                    self.refused += 1;
                }
                Some(error) => return self.failed(modem, SendError::Refused(error)),
            },
            // The modem had to be woken. Some answer a code only with the network's
            // reply, which then says enough; saying it twice might cost twice.
            None if self.asked && self.heard => return Step::Done,
            None if self.asked => return self.failed(modem, SendError::TimedOut),
            None => {}
        }
        let Some(way) = self.ways.front() else {
            return self.failed(modem, SendError::Malformed);
        };
        self.asked = true;
        Step::Ask(Request::plain(way.clone(), modem.patience()).secret())
    }

    fn timed_out(&mut self, _pdu_written: bool) -> bool {
        self.heard
    }

    fn ussd_came(&mut self) {
        self.heard |= self.asked;
    }

    fn abandon(&mut self, modem: &mut Modem, _pdu_written: bool) {
        self.failed(modem, SendError::NotReady);
    }
}

//! How a procedure of several commands is written down.

use std::time::Duration;

use jibu_types::Timestamp;

use super::api::Interruption;
use super::modem::Modem;
use crate::dialogue::{Line, Request};
use crate::{ModemError, StorageName};

/// A procedure. It asks one thing after another; the driver carries answers and
/// interruptions to it.
pub(super) trait Task: Send {
    /// What comes next. `answer` answers what was asked before; without it the
    /// procedure begins, or goes on after the modem had to be woken: then what was
    /// asked last is asked again, unless [`Task::timed_out`] decided otherwise.
    fn next(&mut self, modem: &mut Modem, answer: Option<Answer>, now: Timestamp) -> Step;

    /// Takes a line of a long answer as it comes. What is given back is collected
    /// for [`Task::next`].
    fn line(&mut self, _modem: &mut Modem, line: Line) -> Option<Line> {
        Some(line)
    }

    /// What was asked last had no answer in time. Whether the procedure can do
    /// without it; otherwise it is taken for a sign that the modem hangs.
    fn timed_out(&mut self, _pdu_written: bool) -> bool {
        false
    }

    /// The reference of a sent message came after its time.
    fn late_reference(&mut self, _reference: u8) {}

    /// The network said something in a USSD session.
    fn ussd_came(&mut self) {}

    /// The procedure ends here, unfinished: the modem is initialised again, or gone.
    fn abandon(&mut self, _modem: &mut Modem, _pdu_written: bool) {}
}

/// How a command ended, and its lines.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: Result<(), Failure>,
    pub(super) lines: Vec<Line>,
}

/// Why a command failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The modem said so.
    Refused(ModemError),
    /// The modem said nothing. Only the waking sees this.
    Silent,
}

impl Answer {
    /// The first line, if the command succeeded.
    pub(super) fn line(&self) -> Option<&str> {
        self.result.ok()?;
        self.lines.first().map(|line| line.text.as_str())
    }

    pub(super) fn error(&self) -> Option<ModemError> {
        match self.result {
            Ok(()) => None,
            Err(Failure::Refused(error)) => Some(error),
            Err(Failure::Silent) => Some(ModemError::Plain),
        }
    }
}

/// What a procedure wants next.
pub(super) enum Step {
    /// Ask the modem.
    Ask(Request),
    /// Ask the modem after choosing a storage.
    AskIn(StorageName, Request),
    /// Let time pass.
    Wait(Duration),
    /// Send ESC, and wait until the modem has been quiet for a moment.
    Escape,
    /// Wait until the modem has been quiet for a moment.
    Quiet,
    /// Carry out another procedure first.
    Run(Box<dyn Task>),
    /// This procedure is complete.
    Done,
    /// The modem must be initialised again.
    Restart(Interruption),
}

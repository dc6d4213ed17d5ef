//! Getting back in step with a modem that may be in the middle of anything.
//!
//! The last process may have been killed inside a prompt, or while the network
//! had not yet answered +CMSS; or a command of ours ran out of time. ESC ends a
//! prompt. AT is repeated until something answers. Late results of earlier
//! commands may still come, so the proof is a command whose answer must show a
//! line of its own. A modem works off its commands in order: when the proof is
//! there, nothing earlier is outstanding, in particular no sending.
//!
//! A modem that was silent may have restarted without a word. If the storages
//! are not those that were chosen, it forgot everything else as well.

use std::time::Duration;

use jibu_types::Timestamp;

use super::api::{Fault, Interruption};
use super::modem::Modem;
use super::task::{Answer, Failure, Step};
use crate::dialogue::Request;

/// AT is answered at once, or not at all.
const ATTENTION: Duration = Duration::from_secs(1);

/// After this long a technician is told.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// Two, taken in turns, so that the late answer to one is no answer to the other.
const PROOFS: [(&str, &str); 2] = [("AT+CMEE?", "+CMEE:"), ("AT+CSQ", "+CSQ:")];

/// A modem that refuses both proofs this often answers, at least.
const REFUSALS_BELIEVED: u32 = 4;

#[derive(Debug, Clone, Copy)]
enum Stage {
    Escape,
    Attention,
    Attended,
    Prove,
    Proved,
    Verified,
}

/// The waking.
#[derive(Debug)]
pub(super) struct Wake {
    stage: Stage,
    attempts: u32,
    proofs: usize,
    refusals: u32,
    since: Timestamp,
}

impl Wake {
    pub(super) fn new(now: Timestamp) -> Self {
        Wake { stage: Stage::Escape, attempts: 0, proofs: 0, refusals: 0, since: now }
    }

    /// The modem shows a prompt: what was asked last went into a message.
    pub(super) fn escape_again(&mut self) {
        self.stage = Stage::Escape;
    }

    pub(super) fn next(
        &mut self,
        modem: &mut Modem,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Step {
        let result = answer.as_ref().map(|answer| answer.result);
        match (self.stage, result) {
            (Stage::Attended, Some(Err(Failure::Silent))) => {
                self.attempts += 1;
                self.stage =
                    if self.attempts.is_multiple_of(4) { Stage::Escape } else { Stage::Attention };
                self.complain(modem, now);
            }
            (Stage::Attended, Some(_)) => {
                self.stage = Stage::Prove;
                return Step::Quiet;
            }
            (Stage::Proved, Some(Ok(()))) => {
                if !modem.has_chosen_storages {
                    return Step::Done;
                }
                self.stage = Stage::Verified;
                return Step::Ask(modem.lines("AT+CPMS?", "+CPMS:"));
            }
            (Stage::Verified, Some(Ok(()))) => {
                modem.selected = None;
                let line = answer.as_ref().and_then(Answer::line).unwrap_or_default();
                return match modem.has_forgotten_storages(line) {
                    true => Step::Restart(Interruption::Restarted),
                    false => Step::Done,
                };
            }
            (Stage::Verified, Some(Err(Failure::Refused(_)))) => {
                modem.selected = None;
                return Step::Done;
            }
            (Stage::Proved, Some(Err(Failure::Refused(_)))) => {
                self.refusals += 1;
                if self.refusals >= REFUSALS_BELIEVED {
                    return Step::Done;
                }
                self.stage = Stage::Prove;
                return Step::Quiet;
            }
            (Stage::Proved | Stage::Verified, Some(Err(Failure::Silent))) => {
                self.attempts += 1;
                self.stage = Stage::Escape;
                self.complain(modem, now);
            }
            _ => {}
        }
        match self.stage {
            Stage::Escape => {
                self.stage = Stage::Attention;
                Step::Escape
            }
            Stage::Attention | Stage::Attended => {
                self.stage = Stage::Attended;
                // Somebody may have switched results off or to numbers.
                let line = if self.attempts % 4 == 3 { "ATQ0V1E0" } else { "AT" };
                let patience = if now.since(self.since) < SILENT_AFTER { 1 } else { 3 };
                Step::Ask(Request::plain(line, ATTENTION * patience))
            }
            Stage::Prove | Stage::Proved | Stage::Verified => {
                self.stage = Stage::Proved;
                let (line, prefix) = PROOFS[self.proofs % PROOFS.len()];
                self.proofs += 1;
                Step::Ask(Request::proof(line, prefix, modem.config.command_timeout))
            }
        }
    }

    fn complain(&self, modem: &mut Modem, now: Timestamp) {
        if now.since(self.since) >= SILENT_AFTER {
            modem.set_fault(Fault::Silent);
        }
    }
}

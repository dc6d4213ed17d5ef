//! The modem procedure: what is said to a modem, and what its answers mean.
//!
//! The driver keeps a modem initialised, reads what it stores, sends what it is
//! given, and gets back in step after a time-out, a restart of the modem or a kill
//! of this process in the middle of anything. See [`Event`] for what it promises.
//!
//! A procedure of several commands is a [`Task`]; one runs at a time, and may
//! carry out another first. [`Wake`] goes before all of them.

mod api;
mod ladder;
mod modem;
mod release;
mod send;
mod setup;
mod sim;
mod status;
mod storage;
mod sweep;
mod task;
#[cfg(test)]
mod tests;
mod ussd;
mod wake;

use std::time::Duration;

use jibu_types::Timestamp;

pub use api::*;
use ladder::{Ladder, Rung};
use modem::{Modem, Outgoing, Release, StorageUse, Utterance};
use release::LetGo;
use send::Send;
use setup::Setup;
use status::Status;
use sweep::{Read, Sweep};
use task::{Answer, Failure, Step, Task};
use ussd::Say;
use wake::Wake;

use crate::dialogue::{self, Dialogue, FinalResult, Line, Outcome, Request};
use crate::{ModemError, StorageName, parameters};

/// How long a modem says nothing before it is taken to have finished.
const QUIET: Duration = Duration::from_millis(250);

/// A modem that announces without pause is never quiet.
const QUIET_AT_LAST: Duration = Duration::from_secs(3);

/// Time-outs in a row after which a modem is initialised again, and after which
/// more is done about it.
const STRIKES_TO_RESTART: u32 = 3;
const STRIKES_TO_CLIMB: u32 = 6;

/// A modem that restarts itself says OK first, and nothing for a while after.
const RESTARTS_FOR: Duration = Duration::from_secs(5);

/// An answer that is not read line by line is short.
const MOST_LINES: usize = 32;

/// One is in flight; more than a few waiting are a mistake of the caller.
const MOST_SENDS: usize = 16;

/// A SIM has one USSD session at a time.
const MOST_USSD: usize = 4;

/// More than any storage holds.
const MOST_RELEASES: usize = 4096;

/// Says that the modem has started: what it was told is forgotten.
const STARTED: &[&str] = &["RDY", "START", "^SYSSTART", "*ATREADY"];

/// Says that the SIM is not there any more.
const SIM_GONE: &[&str] = &["+CPIN: NOT READY", "+CPIN: NOT INSERTED", "+CPIN: REMOVED"];

/// What the driver waits for when no command runs.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    Until(Timestamp),
    Quiet { since: Timestamp },
}

/// See the [module](self) documentation.
pub struct Driver {
    modem: Modem,
    dialogue: Dialogue,
    is_open: bool,
    wake: Option<Wake>,
    /// The procedure that runs is the last; those before it wait for it.
    tasks: Vec<Box<dyn Task>>,
    /// A storage that is being chosen, and the command that waits for it.
    choosing: Option<(StorageName, Request)>,
    lines: Vec<Line>,
    answer: Option<Answer>,
    waiting: Option<Waiting>,
    last_byte: Timestamp,
    strikes: u32,
    ladder: Ladder,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver whose port is not open yet.
    pub fn new(config: Config) -> Self {
        Driver {
            ladder: Ladder::new(config.silence_before_reset),
            modem: Modem::new(config),
            dialogue: Dialogue::new(),
            is_open: false,
            wake: None,
            tasks: Vec::new(),
            choosing: None,
            lines: Vec::new(),
            answer: None,
            waiting: None,
            last_byte: Timestamp::default(),
            strikes: 0,
        }
    }

    /// Takes in what happened. Drain [`Driver::poll`] before the next call.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) {
        match input {
            Input::Opened => {
                self.is_open = true;
                self.dialogue = Dialogue::new();
                self.modem.storage = StorageUse::Usable;
                self.start_over(now);
            }
            Input::Closed => {
                self.is_open = false;
                self.leave(now);
            }
            Input::Bytes(bytes) => {
                self.last_byte = now;
                self.dialogue.handle(dialogue::Input::Bytes(bytes), now);
            }
            Input::Command(command) => self.command(command, now),
            Input::Tick => self.dialogue.handle(dialogue::Input::Tick, now),
        }
        if self.is_open {
            self.digest(now);
            self.run(now);
        }
    }

    /// Who made the modem, as far as it has told.
    pub fn identity(&self) -> &Identity {
        &self.modem.identity
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.modem.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        if !self.is_open {
            return None;
        }
        let dialogue = self.dialogue.deadline();
        if self.dialogue.is_busy() {
            return dialogue;
        }
        let own = match self.waiting {
            Some(Waiting::Until(moment)) => Some(moment),
            Some(Waiting::Quiet { since }) => Some(self.quiet_at(since)),
            None if self.modem.is_ready => Some(self.modem.sweep_at.min(self.modem.status_at)),
            None => None,
        };
        own.into_iter().chain(dialogue).min()
    }

    fn quiet_at(&self, since: Timestamp) -> Timestamp {
        (self.last_byte.max(since) + QUIET).min(since + QUIET_AT_LAST)
    }

    fn command(&mut self, command: Command, now: Timestamp) {
        let modem = &mut self.modem;
        let (session, message) = match command {
            Command::Send { id, session, pdu } => (session, Outgoing::Pdu { id, pdu }),
            Command::Resume { id, session, slot } => (session, Outgoing::Stored { id, slot }),
            Command::Erase { held } => return Self::release(modem, Release::Incoming(held)),
            Command::Forget { slot } => return Self::release(modem, Release::Outgoing(slot)),
            Command::Status => {
                modem.status_at = now;
                return;
            }
            Command::Ussd { ways } => return Self::ussd(modem, Utterance::Say(ways)),
            Command::EndUssd => return Self::ussd(modem, Utterance::End),
        };
        if !modem.is_ready {
            modem.send_failed(message.id(), SendError::NotReady, None);
        } else if session != modem.session {
            // Given before the caller saw that a new session began; `Ready` told
            // what became of it, and an answer would be taken for a later send's.
        } else if modem.sends.len() >= MOST_SENDS {
            modem.send_failed(message.id(), SendError::Busy, None);
        } else {
            modem.sends.push_back(message);
        }
    }

    fn ussd(modem: &mut Modem, utterance: Utterance) {
        let error = match () {
            () if !modem.is_ready => SendError::NotReady,
            () if modem.ussd.len() >= MOST_USSD => SendError::Busy,
            () => return modem.ussd.push_back(utterance),
        };
        if utterance != Utterance::End {
            modem.tell(Event::UssdFailed(error));
        }
    }

    fn release(modem: &mut Modem, release: Release) {
        if modem.releases.len() < MOST_RELEASES && !modem.releases.contains(&release) {
            modem.releases.push_back(release);
        }
    }

    /// Carries what the dialogue made of the bytes to whom it concerns.
    fn digest(&mut self, now: Timestamp) {
        while let Some(output) = self.dialogue.poll() {
            match output {
                dialogue::Output::Write(bytes) => {
                    self.modem.outputs.push_back(Output::Write(bytes));
                }
                dialogue::Output::Line(line) => self.line(line),
                dialogue::Output::Done(outcome) => self.done(outcome, now),
                dialogue::Output::Unsolicited(line) => self.unsolicited(&line, now),
                dialogue::Output::Echo => {
                    if self.modem.is_ready && self.modem.is_echo_off {
                        self.restart(Interruption::Restarted, now);
                    }
                    // ATE0 was obeyed in words only.
                    self.modem.is_echo_off = false;
                }
                dialogue::Output::StrayPrompt => self.stray_prompt(now),
                dialogue::Output::StrayResult(_) => {}
            }
        }
    }

    fn line(&mut self, line: Line) {
        let own = self.wake.is_some() || self.choosing.is_some();
        let line = match self.tasks.last_mut() {
            Some(task) if !own => task.line(&mut self.modem, line),
            _ => Some(line),
        };
        if self.lines.len() < MOST_LINES {
            self.lines.extend(line);
        }
    }

    fn done(&mut self, outcome: Outcome, now: Timestamp) {
        let lines = std::mem::take(&mut self.lines);
        let result = match outcome {
            Outcome::Final(FinalResult::Ok) => Ok(()),
            Outcome::Final(FinalResult::Error(error)) => Err(Failure::Refused(error)),
            // The dialogue keeps results of calls to itself.
            Outcome::Final(_) => Err(Failure::Refused(ModemError::Plain)),
            Outcome::TimedOut { .. } if self.wake.is_some() => Err(Failure::Silent),
            Outcome::TimedOut { pdu_written } => return self.silence(pdu_written, now),
        };
        let answer = Answer { result, lines };
        let Some((storage, request)) = self.choosing.take() else {
            self.answer = Some(answer);
            return;
        };
        match answer.result {
            Ok(()) => {
                self.modem.selected = Some(storage);
                self.modem.note_usage(answer.line().unwrap_or_default());
                self.dialogue.handle(dialogue::Input::Ask(request), now);
            }
            Err(_) => {
                self.modem.selected = None;
                self.answer = Some(Answer { result: answer.result, lines: Vec::new() });
            }
        }
    }

    /// A command had no answer: gets back in step, then goes on with the same
    /// procedure; in the end begins anew.
    fn silence(&mut self, pdu_written: bool, now: Timestamp) {
        self.choosing = None;
        let forgiven = self.tasks.last_mut().is_some_and(|task| task.timed_out(pdu_written));
        if forgiven {
            self.strikes = 0;
            return self.wake_up(now);
        }
        self.strikes += 1;
        if self.strikes >= STRIKES_TO_CLIMB {
            self.strikes = 0;
            self.modem.set_fault(Fault::Hanging);
            self.restart(Interruption::Unanswered, now);
            if self.ladder.may_climb(now) {
                self.climb(now);
            }
        } else if self.strikes.is_multiple_of(STRIKES_TO_RESTART) {
            self.restart(Interruption::Unanswered, now);
        } else {
            self.wake_up(now);
        }
    }

    fn wake_up(&mut self, now: Timestamp) {
        self.ladder.trouble(now);
        self.wake = Some(Wake::new(now));
    }

    /// Does the next thing about a modem that does not come back.
    fn climb(&mut self, now: Timestamp) {
        match self.ladder.climb(now) {
            Rung::Restart => {
                self.modem.tell(Event::Restarting);
                self.restart(Interruption::Unanswered, now);
                self.modem.outputs.push_back(Output::Write(b"AT+CFUN=1,1\r".to_vec()));
                self.waiting = Some(Waiting::Until(now + RESTARTS_FOR));
            }
            Rung::CutPower => self.modem.tell(Event::ResetWanted),
            Rung::GiveUp => {
                self.modem.set_fault(Fault::GivenUp);
                self.modem.tell(Event::ResetWanted);
            }
        }
    }

    /// What was asked last went into a message that nobody wants.
    fn stray_prompt(&mut self, now: Timestamp) {
        match &mut self.wake {
            Some(wake) => wake.escape_again(),
            None => {
                if let Some(task) = self.tasks.last_mut().filter(|_| self.dialogue.is_busy()) {
                    task.timed_out(false);
                }
                self.choosing = None;
                self.answer = None;
                self.lines.clear();
                self.wake_up(now);
            }
        }
        self.waiting = None;
        self.dialogue.handle(dialogue::Input::Forget, now);
    }

    fn unsolicited(&mut self, line: &Line, now: Timestamp) {
        let text = line.text.as_str();
        if STARTED.iter().any(|word| text.starts_with(word)) {
            self.modem.storage = StorageUse::Usable;
            self.restart(Interruption::Restarted, now);
        } else if SIM_GONE.iter().any(|word| text.starts_with(word)) {
            self.restart(Interruption::SimGone, now);
        } else if text.starts_with("+CMTI:") || text.starts_with("+CDSI:") {
            self.modem.announced(line, now);
        } else if text.starts_with("+CMT:") || text.starts_with("+CDS:") {
            match &line.pdu {
                Some(pdu) => self.modem.delivered(pdu.clone()),
                None => self.modem.sweep_at = now,
            }
        } else if text.starts_with("+CUSD:") {
            for task in &mut self.tasks {
                task.ussd_came();
            }
            self.modem.tell(Event::Ussd(UssdLine(line.text.clone())));
        } else if text.starts_with("+CREG:") {
            if let Some(registration) = Modem::registration_of(text) {
                self.modem.set_registration(registration);
            }
        } else if text.starts_with("+CMSS:") || text.starts_with("+CMGS:") {
            self.late_reference(text);
        } else if text.contains("FULL") {
            self.modem.sweep_at = now;
        }
    }

    fn late_reference(&mut self, text: &str) {
        let Some(reference) = parameters::number(&parameters::of(text), 0) else { return };
        for task in &mut self.tasks {
            task.late_reference(reference);
        }
        if let Some(doubt) = &mut self.modem.in_doubt {
            doubt.reference = Some(reference);
        }
    }

    /// The modem must be initialised again.
    fn restart(&mut self, why: Interruption, now: Timestamp) {
        if self.modem.is_ready {
            self.modem.tell(Event::Interrupted(why));
        }
        self.start_over(now);
    }

    fn start_over(&mut self, now: Timestamp) {
        self.leave(now);
        self.wake_up(now);
        self.tasks.push(Box::new(Setup::new()));
    }

    fn leave(&mut self, now: Timestamp) {
        let pdu_written = self.dialogue.is_pdu_written();
        if self.modem.is_ready {
            self.ladder.is_lost(now);
        }
        while let Some(mut task) = self.tasks.pop() {
            task.abandon(&mut self.modem, pdu_written);
        }
        self.modem.leave_session();
        self.dialogue.handle(dialogue::Input::Forget, now);
        self.wake = None;
        self.choosing = None;
        self.lines.clear();
        self.answer = None;
        self.waiting = None;
    }

    /// Goes on until something must be waited for.
    fn run(&mut self, now: Timestamp) {
        while !self.dialogue.is_busy() {
            match self.waiting {
                Some(Waiting::Until(moment)) if moment > now => return,
                Some(Waiting::Quiet { since }) if self.quiet_at(since) > now => return,
                _ => self.waiting = None,
            }
            if self.wake.is_some() && self.ladder.is_due(now) {
                self.climb(now);
                continue;
            }
            let Some(step) = self.step(now) else { return };
            self.take(step, now);
            self.digest(now);
        }
    }

    fn step(&mut self, now: Timestamp) -> Option<Step> {
        let answer = self.answer.take();
        if let Some(wake) = &mut self.wake {
            return Some(wake.next(&mut self.modem, answer, now));
        }
        if self.tasks.is_empty() {
            let job = self.next_job(now)?;
            self.tasks.push(job);
        }
        let task = self.tasks.last_mut()?;
        Some(task.next(&mut self.modem, answer, now))
    }

    fn take(&mut self, step: Step, now: Timestamp) {
        match step {
            Step::Ask(request) => self.dialogue.handle(dialogue::Input::Ask(request), now),
            Step::AskIn(storage, request) => {
                let modem = &self.modem;
                if modem.selected == Some(storage) || !modem.selects {
                    self.dialogue.handle(dialogue::Input::Ask(request), now);
                } else {
                    let choose = modem.choose(storage);
                    self.choosing = Some((storage, request));
                    self.dialogue.handle(dialogue::Input::Ask(choose), now);
                }
            }
            Step::Wait(pause) => self.waiting = Some(Waiting::Until(now + pause)),
            Step::Escape => {
                self.dialogue.handle(dialogue::Input::Escape, now);
                self.waiting = Some(Waiting::Quiet { since: now });
            }
            Step::Quiet => self.waiting = Some(Waiting::Quiet { since: now }),
            Step::Run(task) => self.tasks.push(task),
            Step::Done if self.wake.is_some() => self.wake = None,
            Step::Done => {
                self.tasks.pop();
                if self.tasks.is_empty() {
                    self.strikes = 0;
                }
                if self.modem.is_ready {
                    self.ladder.is_well(now);
                }
            }
            Step::Restart(why) => self.restart(why, now),
        }
    }

    /// Reading and erasing go before sending: they are quick, and make room. At
    /// the other end of a USSD session somebody waits, and not for long.
    fn next_job(&mut self, now: Timestamp) -> Option<Box<dyn Task>> {
        let modem = &mut self.modem;
        if !modem.is_ready {
            return None;
        }
        if let Some(utterance) = modem.ussd.pop_front() {
            return Some(Box::new(Say::new(utterance)));
        }
        if let Some(release) = modem.releases.pop_front() {
            return Some(Box::new(LetGo::new(release)));
        }
        if let Some(slot) = modem.announced.pop_front() {
            return Some(Box::new(Read::new(slot)));
        }
        if modem.sweep_at <= now {
            return Some(Box::new(Sweep::new(modem)));
        }
        if let Some(message) = modem.sends.pop_front() {
            return Some(Box::new(Send::new(message)));
        }
        if modem.status_at <= now {
            return Some(Box::new(Status::new()));
        }
        None
    }
}

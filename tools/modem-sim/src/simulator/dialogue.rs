//! Bytes to commands, replies to bytes.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Event, Output, Power, Reader, Running, Simulator, Step};
use crate::at::{self, Command, Submission};
use crate::fault::{Fault, FaultKind};
use crate::modem::{Effect, Failure, Line, Reply};
use crate::transcript::Side;

/// Bytes that wait while a command runs; a UART loses what comes beyond.
const INPUT_ROOM: usize = 8_192;
/// The longest command line that modems take.
const LINE_ROOM: usize = 1_024;
/// The most bytes that a message after the prompt can have.
const MESSAGE_ROOM: usize = 4_096;

impl Simulator {
    /// Bytes from the host join the queue, if the modem is awake to take them.
    pub(super) fn take_input(&mut self, bytes: &[u8]) {
        if self.power == Power::Starting {
            return;
        }
        let room = INPUT_ROOM.saturating_sub(self.input.len());
        self.input.extend(bytes.iter().take(room));
    }

    /// Reads queued bytes until a command runs or none are left.
    pub(super) fn read_on(&mut self) {
        while self.power == Power::On && self.running.is_none() {
            let Some(byte) = self.input.pop_front() else { return };
            self.read(byte);
        }
    }

    fn read(&mut self, byte: u8) {
        if self.modem.settings.echo {
            self.send(&[byte]);
        }
        match &mut self.reader {
            Reader::Command(line) => match byte {
                b'\r' => {
                    let line = std::mem::take(line);
                    self.run_line(line);
                }
                b'\n' => {}
                0x08 | 0x7f => {
                    line.pop();
                }
                // A/ needs no carriage return (V.250 §5.2.4).
                b'/' if line.eq_ignore_ascii_case(b"A") => {
                    line.clear();
                    let again = self.line_before.clone();
                    self.run_line(again);
                }
                _ if line.len() < LINE_ROOM => line.push(byte),
                _ => {}
            },
            Reader::Prompt(_, body) => match byte {
                0x1a => self.end_of_message(),
                0x1b => {
                    let body = [std::mem::take(body), vec![byte]].concat();
                    self.transcript.push(self.now, Side::Host, &body);
                    self.reader = Reader::Command(Vec::new());
                    self.start(Step::Command(nothing()), VecDeque::new(), None);
                }
                b'\r' if self.modem.settings.text_mode => {
                    body.push(b'\n');
                    self.send(b"\r\n> ");
                }
                _ if body.len() < MESSAGE_ROOM => body.push(byte),
                _ => {}
            },
        }
    }

    /// A command line is complete. What stands before its `AT` is noise.
    fn run_line(&mut self, line: Vec<u8>) {
        let Some(at) = line.windows(2).position(|two| two.eq_ignore_ascii_case(b"AT")) else {
            if !line.is_empty() {
                self.transcript.push(self.now, Side::Host, &line);
            }
            return;
        };
        self.transcript.push(self.now, Side::Host, &line);
        self.line_before = line.get(at..).unwrap_or_default().to_vec();
        let body = String::from_utf8_lossy(line.get(at + 2..).unwrap_or_default()).into_owned();
        match at::parse(&body) {
            Some(commands) => {
                let mut rest = VecDeque::from(commands);
                let first = rest.pop_front().unwrap_or_else(nothing);
                self.begin(first, rest, Vec::new());
            }
            None => {
                let step = Step::Refused(Failure::Error);
                self.start(step, VecDeque::new(), None);
            }
        }
    }

    /// Starts a command of the line, with what may go wrong with it.
    fn begin(&mut self, command: Command, rest: VecDeque<Command>, lines: Vec<Line>) {
        let fault = self.fault_for(&command.text, announces_prompt(&command));
        if self.noise.echo > 0.0 && self.rng.f64() < self.noise.echo {
            self.modem.settings.echo = true;
        }
        self.start(Step::Command(command), rest, fault);
        if let Some(running) = &mut self.running {
            running.lines = lines;
        }
    }

    /// The message after the prompt is complete.
    fn end_of_message(&mut self) {
        let empty = Reader::Command(Vec::new());
        let Reader::Prompt(entry, body) = std::mem::replace(&mut self.reader, empty) else {
            return;
        };
        let shown = [body.clone(), vec![0x1a]].concat();
        self.transcript.push(self.now, Side::Host, &shown);
        let name = match entry.purpose {
            crate::modem::Purpose::Send => "+CMGS",
            crate::modem::Purpose::Write(_) => "+CMGW",
        };
        let fault = self.fault_for(name, false);
        let step = match at::enter(&self.modem, &entry, &body) {
            Ok(submission) => Step::Submission(submission),
            Err(failure) => Step::Refused(failure),
        };
        self.start(step, VecDeque::new(), fault);
    }

    fn fault_for(&mut self, command: &str, at_prompt: bool) -> Option<Fault> {
        let planned = self
            .faults
            .iter_mut()
            .find_map(|fault| fault.strikes(command, at_prompt).then(|| fault.clone()));
        self.faults.retain(|fault| fault.count > 0);
        planned.or_else(|| self.noise.roll(&mut self.rng))
    }

    fn start(&mut self, step: Step, rest: VecDeque<Command>, fault: Option<Fault>) {
        let timing = self.modem.profile.timing;
        let range = match &step {
            Step::Submission(Submission::Send(_)) => timing.send_ms,
            Step::Command(command) if command.name == "+CMSS" => timing.send_ms,
            Step::Command(command) if is_scan(command) => [3_000, 8_000],
            _ => timing.command_ms,
        };
        let mut delay = self.delay(range);
        let mut hangs = None;
        match &fault {
            Some(Fault { kind: FaultKind::Delay, ms, .. }) => delay += Duration::from_millis(*ms),
            Some(Fault { kind: FaultKind::Hang, after: false, ms, .. }) => hangs = Some(*ms),
            _ => {}
        }
        self.running =
            Some(Running { current: step, rest, lines: Vec::new(), fault, printing: false });
        self.at(self.now.saturating_add(delay), Event::Finish);
        if let Some(ms) = hangs {
            self.hang(ms);
        }
    }

    fn hang(&mut self, ms: u64) {
        self.note("modem hangs");
        if ms == 0 {
            self.power = Power::Hung(None);
        } else {
            let until = self.now.saturating_add(Duration::from_millis(ms));
            self.power = Power::Hung(Some(until));
            self.at(until, Event::Wake);
        }
    }

    /// The step under way has taken its time: let it take effect and reply.
    pub(super) fn finish(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        self.modem.now = self.now;
        let fault = running.fault.take();
        let kind = fault.as_ref().map(|fault| fault.kind);
        let code = fault.as_ref().map_or(500, |fault| fault.code);
        let failure = match kind {
            Some(FaultKind::Error) => Some(Failure::Error),
            Some(FaultKind::CmsError) => Some(Failure::Cms(code)),
            Some(FaultKind::CmeError) => Some(Failure::Cme(code)),
            _ => None,
        };
        let spared = fault.as_ref().is_some_and(|fault| {
            let stops = failure.is_some() || matches!(kind, Some(FaultKind::Reset));
            stops && !fault.after
        });
        if kind == Some(FaultKind::Reset) && spared {
            return self.restart();
        }
        let reply = match (spared, running.current) {
            (true, _) => Reply::OK,
            (_, Step::Command(command)) if command.name.is_empty() => Reply::OK,
            (_, Step::Command(command)) => at::execute(&mut self.modem, &command),
            (_, Step::Submission(submission)) => at::transmit(&mut self.modem, submission),
            (_, Step::Refused(failure)) => Reply::Failed(failure),
        };
        let reply = failure.map_or(reply, Reply::Failed);
        let restarts = self.settle_effects();
        match kind {
            Some(FaultKind::Reset) => return self.restart(),
            Some(FaultKind::DropReply) => return self.note("reply lost"),
            Some(FaultKind::Unplug) => {
                return self.unplug(fault.map_or(0, |fault| fault.ms));
            }
            _ => {}
        }
        let hangs = match fault {
            Some(Fault { kind: FaultKind::Hang, after: true, ms, .. }) => Some(ms),
            _ => None,
        };
        match reply {
            Reply::Prompt(entry) => {
                self.transcript.push(self.now, Side::Modem, b"> ");
                self.send(b"\r\n> ");
                self.reader = Reader::Prompt(entry, Vec::new());
            }
            Reply::Failed(failure) => {
                let code = at::failure_words(&self.modem, failure);
                self.reply(running.lines, code, kind);
            }
            Reply::Done(lines) => {
                running.lines.extend(lines);
                match running.rest.pop_front() {
                    Some(next) => self.begin(next, running.rest, running.lines),
                    None => {
                        let settings = &self.modem.settings;
                        let words = if settings.verbose { b"OK".to_vec() } else { b"0".to_vec() };
                        let code = (!settings.quiet).then_some(words);
                        self.reply(running.lines, code, kind);
                    }
                }
            }
        }
        if restarts {
            // The OK still goes out.
            self.after_ms([100, 300], Event::Restart);
        }
        if let Some(ms) = hangs {
            self.hang(ms);
        }
    }

    /// What commands set going. Says whether the modem restarts.
    fn settle_effects(&mut self) -> bool {
        let mut restarts = false;
        for effect in std::mem::take(&mut self.modem.effects) {
            match effect {
                Effect::Reset => restarts = true,
                Effect::Ussd(text, coding) => self.ussd_said(text, coding),
                Effect::UssdEnd => self.ussd_ended(),
                Effect::Unlocked => {
                    self.announce(vec![b"+CPIN: READY".to_vec()]);
                    self.unlocked();
                }
                Effect::Room => self.after_ms([500, 2_000], Event::Retry),
                Effect::RadioOn => {
                    self.modem.registration = 2;
                    self.after_ms([1_000, 4_000], Event::Registered);
                }
                Effect::Sent(position) => self.went_out(position),
                Effect::Acknowledged(accepted) => self.acknowledged(accepted),
                Effect::Flush => self.flush_indications(),
            }
        }
        restarts
    }

    /// Prints a reply, line by line at the speed of the line.
    fn reply(&mut self, lines: Vec<Line>, code: Option<Line>, fault: Option<FaultKind>) {
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        let verbose = self.modem.settings.verbose;
        for (number, line) in lines.iter().enumerate() {
            self.transcript.push(self.now, Side::Modem, line);
            let start: &[u8] = if number == 0 && verbose { b"\r\n" } else { b"" };
            pieces.push([start, line, b"\r\n"].concat());
        }
        if let Some(code) = code {
            self.transcript.push(self.now, Side::Modem, &code);
            pieces.push(match verbose {
                true => [b"\r\n", code.as_slice(), b"\r\n"].concat(),
                false => [code.as_slice(), b"\r"].concat(),
            });
        }
        match fault {
            Some(FaultKind::Partial) => {
                self.note("reply breaks off");
                let whole = pieces.concat();
                pieces = vec![whole.get(..whole.len() / 2).unwrap_or_default().to_vec()];
            }
            Some(FaultKind::Garble) => {
                self.note("reply garbled");
                for byte in pieces.iter_mut().flatten() {
                    if self.rng.u8(..8) == 0 {
                        *byte = self.rng.u8(..);
                    }
                }
            }
            _ => {}
        }
        if pieces.is_empty() {
            pieces.push(Vec::new());
        }
        self.running = Some(Running {
            current: Step::Command(nothing()),
            rest: VecDeque::new(),
            lines: Vec::new(),
            fault: None,
            printing: true,
        });
        let mut at = self.now;
        let last = pieces.len() - 1;
        for (number, piece) in pieces.into_iter().enumerate() {
            let length = piece.len();
            self.at(at, Event::Print(piece, number == last));
            at = at.saturating_add(self.line_time(length));
        }
    }

    /// A piece of a reply goes out, with what may come between the pieces.
    pub(super) fn print(&mut self, piece: Vec<u8>, last: bool) {
        if self.noise.urc > 0.0 && self.rng.f64() < self.noise.urc {
            match self.held.pop_front() {
                Some(lines) => self.say_now(&lines),
                None => self.say_noise(),
            }
        }
        self.send(&piece);
        if last {
            self.running = None;
            self.release_held();
        }
    }

    /// Unsolicited lines go out when no reply is being printed and no message
    /// entered; they wait otherwise.
    pub(super) fn announce(&mut self, lines: Vec<Line>) {
        let printing = self.running.as_ref().is_some_and(|running| running.printing);
        if printing || matches!(self.reader, Reader::Prompt(..)) {
            self.held.push_back(lines);
        } else {
            self.say_now(&lines);
        }
    }

    pub(super) fn release_held(&mut self) {
        if matches!(self.reader, Reader::Prompt(..)) {
            return;
        }
        while let Some(lines) = self.held.pop_front() {
            self.say_now(&lines);
        }
    }

    /// Prints unsolicited lines at once.
    pub(super) fn say_now(&mut self, lines: &[Line]) {
        let mut bytes = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            self.transcript.push(self.now, Side::Modem, line);
            let start: &[u8] = if number == 0 { b"\r\n" } else { b"" };
            bytes.extend([start, line, b"\r\n"].concat());
        }
        self.send(&bytes);
    }

    /// Bytes leave the modem: to the host, or into the buffer of nobody.
    fn send(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if !self.listening {
            let room = self.modem.profile.unread_bytes.saturating_sub(self.unread.len());
            self.unread.extend(bytes.iter().take(room));
            return;
        }
        let cut = match self.noise.split > 0.0 && self.rng.f64() < self.noise.split {
            true => self.rng.usize(..bytes.len()),
            false => 0,
        };
        let (first, second) = bytes.split_at(cut);
        for piece in [first, second] {
            if !piece.is_empty() {
                self.outputs.push_back(Output::Bytes(piece.to_vec()));
            }
        }
    }

    /// How long bytes take on the line.
    fn line_time(&mut self, bytes: usize) -> Duration {
        let baud = u64::from(self.modem.profile.baud);
        if baud == 0 {
            return Duration::ZERO;
        }
        let bits = u64::try_from(bytes).unwrap_or(0).saturating_mul(10);
        let micros = bits.saturating_mul(1_000_000) / baud;
        Duration::from_micros(micros).mul_f64(self.time_scale.min(1e3))
    }
}

/// A command that does nothing, as an empty line or a cancelled message.
fn nothing() -> Command {
    Command { name: String::new(), form: at::Form::Execute, text: String::new() }
}

fn announces_prompt(command: &Command) -> bool {
    matches!(command.name.as_str(), "+CMGS" | "+CMGW") && command.form != at::Form::Test
}

/// Whether the command makes the modem look for networks.
fn is_scan(command: &Command) -> bool {
    command.name == "+COPS" && command.form == at::Form::Test
}

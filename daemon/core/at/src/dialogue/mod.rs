//! The AT dialogue: commands out, answers and unsolicited lines in.
//!
//! It tells apart what stands mixed on one wire: the echo, the lines of an
//! answer, the final result, the prompt, and what the modem says by itself, which
//! may stand anywhere, even between the two lines of a stored message. It knows
//! no procedure; [`driver`](crate::driver) does.

mod digest;
mod request;
mod result;
#[cfg(test)]
mod tests;
mod ussd;

use std::collections::VecDeque;
use std::time::Duration;

use jibu_types::Timestamp;

use digest::{Digester, Token};
use request::Expect;
pub use request::Request;
pub use result::FinalResult;
use ussd::OpenString;

use crate::parameters;

/// However steadily lines come, an answer that takes this many time-outs is none.
const PATIENCE: u32 = 10;

const CTRL_Z: u8 = 0x1A;
const ESCAPE: u8 = 0x1B;

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// Bytes came from the modem.
    Bytes(&'a [u8]),
    /// Ask this. A request that is still running is forgotten.
    Ask(Request),
    /// Forget the running request.
    Forget,
    /// Forget the running request and send ESC, which ends a prompt.
    Escape,
    /// Time has passed.
    Tick,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write these bytes to the port.
    Write(Vec<u8>),
    /// A line of the answer.
    Line(Line),
    /// The answer is complete.
    Done(Outcome),
    /// The modem said this by itself.
    Unsolicited(Line),
    /// A final result that answers nothing which was asked.
    StrayResult(FinalResult),
    /// A prompt that nobody waits for: the modem takes what comes next for a message.
    StrayPrompt,
    /// The modem echoed a command.
    Echo,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// By a final result.
    Final(FinalResult),
    /// Not in time. Its result may still come.
    TimedOut {
        /// Whether the prompt came and the PDU was written.
        pdu_written: bool,
    },
}

/// A line, and the PDU that follows it where one belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub text: String,
    /// The PDU.
    pub pdu: Option<Vec<u8>>,
    /// Whether the PDU is as long as the line says.
    pub whole: bool,
}

impl std::fmt::Debug for Line {
    /// What stands in a line may be a person's, so it is named but not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.text.split(':').next().filter(|name| name.starts_with(['+', '^']));
        write!(f, "{}", name.unwrap_or("text"))?;
        self.pdu.as_ref().map_or(Ok(()), |pdu| write!(f, " with {} bytes", pdu.len()))
    }
}

/// The first line of a pair, waiting for its PDU.
#[derive(Debug)]
struct Header {
    text: String,
    length: usize,
}

impl Header {
    /// Whether a PDU is as long as the header says: the length leaves out the
    /// service centre's field (TS 27.005 §3.1); cell broadcasts have none.
    fn fits(&self, pdu: &[u8]) -> bool {
        let centre = pdu.first().map_or(0, |octets| usize::from(*octets) + 1);
        pdu.len() == self.length.saturating_add(centre)
            || (self.text.starts_with("+CBM:") && pdu.len() == self.length)
    }

    fn with(self, pdu: Vec<u8>) -> Line {
        let whole = self.fits(&pdu);
        Line { text: self.text, pdu: Some(pdu), whole }
    }

    fn alone(self) -> Line {
        Line { text: self.text, pdu: None, whole: false }
    }
}

/// The running request.
#[derive(Debug)]
struct Running {
    request: Request,
    pdu_written: bool,
    answered: bool,
    header: Option<Header>,
    deadline: Timestamp,
    last_deadline: Timestamp,
}

impl Running {
    fn extend(&mut self, now: Timestamp) {
        let timeout = match &self.request.payload {
            Some(payload) if self.pdu_written => payload.timeout,
            _ => self.request.timeout,
        };
        self.deadline = (now + timeout).min(self.last_deadline);
    }
}

/// See the [module](self) documentation.
#[derive(Debug, Default)]
pub struct Dialogue {
    digester: Digester,
    running: Option<Running>,
    /// The first line of an unsolicited pair.
    header: Option<Header>,
    /// A +CUSD string that goes on in the next line.
    ussd: Option<OpenString>,
    outputs: VecDeque<Output>,
}

impl Dialogue {
    /// A dialogue about which nothing is known.
    pub fn new() -> Self {
        Dialogue::default()
    }

    /// Takes in what happened. Drain [`Dialogue::poll`] before the next call.
    pub fn handle(&mut self, input: Input<'_>, now: Timestamp) {
        match input {
            Input::Bytes(bytes) => {
                for byte in bytes {
                    match self.digester.push(*byte) {
                        Some(Token::Line(line)) => self.line(line, now),
                        Some(Token::Prompt) => self.prompt(now),
                        None => {}
                    }
                }
            }
            Input::Ask(request) => self.ask(request, now),
            Input::Forget => self.running = None,
            Input::Escape => {
                self.running = None;
                self.outputs.push_back(Output::Write(vec![ESCAPE]));
            }
            Input::Tick => {}
        }
        if let Some(open) = self.ussd.take_if(|open| open.ends_at() <= now) {
            self.own_line(open.text);
        }
        if let Some(running) = self.running.take_if(|running| running.deadline <= now) {
            let pdu_written = running.pdu_written;
            self.outputs.push_back(Output::Done(Outcome::TimedOut { pdu_written }));
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        let running = self.running.as_ref().map(|running| running.deadline);
        running.into_iter().chain(self.ussd.as_ref().map(OpenString::ends_at)).min()
    }

    /// Whether a request is running.
    pub fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a request is running whose PDU was written.
    pub fn is_pdu_written(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.pdu_written)
    }

    /// How many bytes of input are kept.
    #[cfg(test)]
    fn held(&self) -> usize {
        let running = self.running.as_ref().and_then(|running| running.header.as_ref());
        let headers = [running, self.header.as_ref()];
        let headers: usize = headers.iter().flatten().map(|header| header.text.len()).sum();
        self.digester.held() + headers + self.ussd.as_ref().map_or(0, |open| open.text.len())
    }

    fn ask(&mut self, request: Request, now: Timestamp) {
        let mut bytes = request.line.clone().into_bytes();
        bytes.push(b'\r');
        self.outputs.push_back(Output::Write(bytes));

        let whole =
            request.timeout + request.payload.as_ref().map_or(Duration::ZERO, |p| p.timeout);
        self.running = Some(Running {
            deadline: now + request.timeout,
            last_deadline: now + whole.saturating_mul(PATIENCE),
            request,
            pdu_written: false,
            answered: false,
            header: None,
        });
    }

    fn prompt(&mut self, now: Timestamp) {
        let awaited = self
            .running
            .as_ref()
            .is_some_and(|running| running.request.payload.is_some() && !running.pdu_written);
        if let Some(open) = &mut self.ussd
            && !awaited
        {
            return open.goes_on(">", now);
        }
        match &mut self.running {
            Some(Running {
                request: Request { payload: Some(_), .. }, pdu_written: true, ..
            }) => {}
            Some(running) => match &running.request.payload {
                Some(payload) => {
                    let mut bytes = payload.hex.clone().into_bytes();
                    bytes.push(CTRL_Z);
                    self.outputs.push_back(Output::Write(bytes));
                    running.pdu_written = true;
                    running.extend(now);
                }
                None => self.outputs.push_back(Output::StrayPrompt),
            },
            None => self.outputs.push_back(Output::StrayPrompt),
        }
    }

    fn line(&mut self, text: String, now: Timestamp) {
        if let Some(mut open) = self.ussd.take() {
            let answers = self.running.as_ref().is_some_and(|running| {
                let result = FinalResult::parse(&text);
                result.is_some_and(|result| !result.is_about_a_call())
                    || text.starts_with('+') && is_answer(running.request.expect, &text)
            });
            if !answers && !ussd::ends_a_string(&text) {
                open.goes_on(&text, now);
                match open.is_complete() {
                    true => self.own_line(open.text),
                    false => self.ussd = Some(open),
                }
                return;
            }
            self.own_line(open.text);
        }
        if self.is_echo(&text) {
            self.outputs.push_back(Output::Echo);
            return;
        }
        if let Some(result) = FinalResult::parse(&text) {
            self.final_result(result, text);
            return;
        }
        if let Some(pdu) = hex_octets(&text)
            && let Some(owner) = self.owner_of(&pdu)
        {
            self.complete(owner, pdu, now);
            return;
        }
        self.text(text, now);
    }

    fn is_echo(&self, text: &str) -> bool {
        let command = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AT"));
        let written = self.running.as_ref().filter(|running| running.pdu_written);
        let payload = written.and_then(|running| running.request.payload.as_ref());
        command || payload.is_some_and(|payload| payload.hex.eq_ignore_ascii_case(text))
    }

    fn final_result(&mut self, result: FinalResult, text: String) {
        // Jibu places no calls, so whoever hung up was a caller.
        if result.is_about_a_call() {
            return self.own_line(text);
        }
        let answers = self.running.as_ref().is_some_and(|running| {
            let proven = running.answered || !matches!(running.request.expect, Expect::Proof(_));
            let given = running.pdu_written || running.request.payload.is_none();
            result != FinalResult::Ok || (proven && given)
        });
        if !answers {
            self.outputs.push_back(Output::StrayResult(result));
            return;
        }
        if let Some(header) = self.running.take().and_then(|running| running.header) {
            self.outputs.push_back(Output::Line(header.alone()));
        }
        self.outputs.push_back(Output::Done(Outcome::Final(result)));
    }

    /// To which header a PDU belongs. An unsolicited pair is printed in one piece,
    /// also in the middle of an answer's pair, so it comes first if the length fits.
    fn owner_of(&self, pdu: &[u8]) -> Option<Owner> {
        let answer = self.running.as_ref().and_then(|running| running.header.as_ref());
        match (answer, &self.header) {
            (Some(answer), Some(own)) if answer.fits(pdu) && !own.fits(pdu) => Some(Owner::Answer),
            (_, Some(own)) if own.fits(pdu) => Some(Owner::Modem),
            (Some(_), _) => Some(Owner::Answer),
            (None, Some(_)) => Some(Owner::Modem),
            (None, None) => None,
        }
    }

    fn complete(&mut self, owner: Owner, pdu: Vec<u8>, now: Timestamp) {
        match owner {
            Owner::Answer => {
                let Some(running) = &mut self.running else { return };
                running.extend(now);
                let line = running.header.take().map(|header| Output::Line(header.with(pdu)));
                self.outputs.extend(line);
            }
            Owner::Modem => {
                let line = self.header.take().map(|header| Output::Unsolicited(header.with(pdu)));
                self.outputs.extend(line);
            }
        }
    }

    fn text(&mut self, text: String, now: Timestamp) {
        let header = |text: &str| {
            let length = parameters::of(text).last().and_then(|last| last.parse().ok())?;
            Some(Header { text: text.to_owned(), length })
        };
        match &mut self.running {
            Some(running) if is_answer(running.request.expect, &text) => {
                running.extend(now);
                running.answered = true;
                // A slot may hold nothing: its header is followed by an empty line.
                let before = running.header.take().map(|header| Output::Line(header.alone()));
                self.outputs.extend(before);
                let has_pdu = matches!(running.request.expect, Expect::Pdus(_));
                if has_pdu {
                    running.header = header(&text);
                }
                if running.header.is_none() {
                    // A first line that does not say how long its PDU is was damaged.
                    let line = Line { text, pdu: None, whole: !has_pdu };
                    self.outputs.push_back(Output::Line(line));
                }
            }
            _ if PAIRS.iter().any(|prefix| text.starts_with(prefix)) => {
                let before = self.header.take().map(|header| Output::Unsolicited(header.alone()));
                self.outputs.extend(before);
                self.header = header(&text);
                if self.header.is_none() {
                    let line = Line { text, pdu: None, whole: false };
                    self.outputs.push_back(Output::Unsolicited(line));
                }
            }
            _ => match OpenString::begins(&text, now) {
                Some(open) => self.ussd = Some(open),
                None => self.own_line(text),
            },
        }
    }

    /// A line that the modem said by itself.
    fn own_line(&mut self, text: String) {
        self.outputs.push_back(Output::Unsolicited(Line { text, pdu: None, whole: true }));
    }
}

enum Owner {
    Answer,
    Modem,
}

/// Unsolicited lines that a PDU follows.
const PAIRS: &[&str] = &["+CMT:", "+CDS:", "+CBM:"];

/// Unsolicited lines that look like free text.
const WORDS: &[&str] = &[
    "RING",
    "RDY",
    "START",
    "Call Ready",
    "SMS Ready",
    "SMS DONE",
    "PB DONE",
    "NORMAL POWER DOWN",
    "POWERED DOWN",
    "UNDER-VOLTAGE",
    "OVER-VOLTAGE",
    "MODEM:",
    "POWER ON",
];

fn is_answer(expect: Expect, text: &str) -> bool {
    match expect {
        Expect::Nothing => false,
        Expect::Lines(prefix) | Expect::Proof(prefix) | Expect::Pdus(prefix) => {
            text.starts_with(prefix)
        }
        Expect::Text(prefix) => {
            let signed = text.starts_with(['+', '^', '*', '%', '$', '#', '!', '&']);
            let word = WORDS.iter().any(|word| text.starts_with(word));
            // `MISSED_CALL: …`, `VOICE CALL: BEGIN`; a name such as `Revision:` is mixed.
            let shouted = text.split_once(':').is_some_and(|(name, _)| {
                name.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b' ' | b'_'))
            });
            text.starts_with(prefix) || !(signed || word || shouted)
        }
    }
}

fn hex_octets(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok()
}

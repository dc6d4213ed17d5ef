//! The modem in time: its line, its events, what goes wrong.
//!
//! No clock and no IO: [`Simulator::handle`] is told what happened and when,
//! [`Simulator::poll`] says what to do about it, and [`Simulator::deadline`]
//! when to come back. A second of virtual time costs nothing.

mod dialogue;
mod requests;
mod weather;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use crate::at::{Command, Submission};
use crate::control::Request;
use crate::fault::{Fault, Noise};
use crate::modem::{Entry, Line, Modem};
use crate::network::Network;
use crate::profile::{Bus, Profile};
use crate::transcript::{Side, Transcript};

/// Who asked something over the control socket.
pub type ClientId = u64;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The host wrote these.
    Bytes(&'a [u8]),
    /// The host opened the port.
    Opened,
    /// The host closed the port, or died.
    Closed,
    /// A test asks for something.
    Request(ClientId, Request),
    /// Time went by.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Give these to the host.
    Bytes(Vec<u8>),
    /// Answer a request.
    Answer(ClientId, Value),
    /// Take the port away.
    Unplug,
    /// Bring the port back.
    Plug,
    /// End.
    Quit,
}

/// How a simulation begins.
#[derive(Debug, Clone)]
pub struct Options {
    /// The make.
    pub profile: Profile,
    /// The seed of everything random.
    pub seed: u64,
    /// All simulated delays are multiplied by this.
    pub time_scale: f64,
    /// Unix time at the start, for time stamps.
    pub started_at: i64,
    /// The PIN that the SIM asks for at the start.
    pub pin: Option<String>,
    /// Whether the modem is switched on only now, rather than long ago.
    pub cold: bool,
    /// What goes wrong by chance.
    pub noise: Noise,
}

impl Options {
    /// A modem of this make that has been on for a while, at full speed.
    pub fn new(profile: Profile, seed: u64) -> Self {
        Options {
            profile,
            seed,
            time_scale: 1.0,
            started_at: 1_796_227_091,
            pin: None,
            cold: false,
            noise: Noise::default(),
        }
    }
}

/// A modem with its network.
pub struct Simulator {
    modem: Modem,
    rng: fastrand::Rng,
    seed: u64,
    time_scale: f64,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    event_count: u64,
    outputs: VecDeque<Output>,
    transcript: Transcript,
    faults: Vec<Fault>,
    noise: Noise,
    waiters: Vec<Waiter>,

    power: Power,
    /// Whether the host has the port open.
    listening: bool,
    /// Output that nobody has read, up to the size of the profile's buffer.
    unread: Vec<u8>,
    input: VecDeque<u8>,
    reader: Reader,
    line_before: Vec<u8>,
    running: Option<Running>,
    /// Unsolicited lines that wait for the end of a reply or of the prompt.
    held: VecDeque<Vec<Line>>,
    /// Indications that +CNMI mode 0 keeps back.
    buffered: VecDeque<Vec<Line>>,
    /// A directly routed message that waits for +CNMA.
    unacknowledged: Option<Vec<u8>>,
}

/// Whether the modem is awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Starting,
    /// Until this time, or until a reset.
    Hung(Option<Duration>),
}

/// What the bytes from the host mean at the moment.
#[derive(Debug)]
enum Reader {
    /// A command line.
    Command(Vec<u8>),
    /// A message.
    Prompt(Entry, Vec<u8>),
}

/// A command line under way.
#[derive(Debug)]
struct Running {
    current: Step,
    rest: VecDeque<Command>,
    lines: Vec<Line>,
    fault: Option<Fault>,
    /// The reply is being printed; lines follow one another.
    printing: bool,
}

#[derive(Debug)]
enum Step {
    Command(Command),
    Submission(Submission),
    /// What was entered after the prompt is refused.
    Refused(crate::modem::Failure),
}

#[derive(Debug)]
enum Event {
    /// The step under way has taken its time.
    Finish,
    /// A piece of a reply goes out; the last one ends the command.
    Print(Vec<u8>, bool),
    /// A message reaches the mobile.
    Arrive(Vec<u8>),
    /// The service centre tries again.
    Retry,
    /// The network answers a USSD code.
    UssdAnswer(String),
    /// A line that the modem prints while it starts.
    BootLine(String),
    /// The restart that the host asked for.
    Restart,
    /// Starting is over.
    Started,
    /// The network lets the mobile in.
    Registered,
    /// The SIM's messages can be used.
    MessagesReady,
    /// No +CNMA came in time.
    AcknowledgementTimeout,
    /// The modem feels like talking.
    Chatter,
    /// The hang is over.
    Wake,
    /// The port comes back.
    Plug,
    /// A request has waited long enough.
    GiveUp(ClientId),
}

#[derive(Debug)]
struct Waiter {
    client: ClientId,
    count: usize,
    to: Option<String>,
}

impl Simulator {
    /// The modem at time zero.
    pub fn new(options: Options) -> Self {
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let network = Network::new(options.started_at);
        let mut modem = Modem::new(options.profile, network, rng.u8(..));
        if let Some(pin) = options.pin {
            modem.card.pin = pin;
            modem.card.locked_at_start = true;
        }
        let locked = modem.card.locked_at_start;
        let mut simulator = Simulator {
            modem,
            rng,
            seed: options.seed,
            time_scale: options.time_scale.max(0.0),
            now: Duration::ZERO,
            events: BTreeMap::new(),
            event_count: 0,
            outputs: VecDeque::new(),
            transcript: Transcript::default(),
            faults: Vec::new(),
            noise: options.noise,
            waiters: Vec::new(),
            power: Power::On,
            listening: false,
            unread: Vec::new(),
            input: VecDeque::new(),
            reader: Reader::Command(Vec::new()),
            line_before: Vec::new(),
            running: None,
            held: VecDeque::new(),
            buffered: VecDeque::new(),
            unacknowledged: None,
        };
        if options.cold {
            simulator.begin_start(false);
        } else if locked {
            simulator.modem.restart();
        }
        simulator.plan_chatter();
        simulator
    }

    /// Something happened at `now`, the time since the start. Time never goes
    /// back: an earlier `now` counts as the latest one.
    pub fn handle(&mut self, input: Input<'_>, now: Duration) {
        self.advance(now);
        match input {
            Input::Tick => {}
            Input::Opened => {
                self.listening = true;
                self.note("host opened the port");
                let unread = std::mem::take(&mut self.unread);
                if !unread.is_empty() {
                    self.outputs.push_back(Output::Bytes(unread));
                }
            }
            Input::Closed => {
                if self.listening {
                    self.note("host closed the port");
                }
                self.listening = false;
            }
            Input::Bytes(bytes) => self.take_input(bytes),
            Input::Request(client, request) => {
                if let Some(answer) = self.answer(client, request) {
                    self.outputs.push_back(Output::Answer(client, answer));
                }
            }
        }
        self.read_on();
        self.advance(now);
    }

    /// What to do next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When something will happen by itself.
    pub fn deadline(&self) -> Option<Duration> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// The dialogue so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Everything that the mobile sent, put together.
    pub fn sent(&self) -> Vec<crate::sent::SentMessage> {
        crate::sent::reassemble(&self.modem.network.on_air)
    }

    /// What the mobile sent since the last call, for whoever keeps the account
    /// himself: a simulation of days does not keep it all. The status reports of
    /// these still come.
    pub fn take_on_air(&mut self) -> Vec<crate::sent::OnAir> {
        std::mem::take(&mut self.modem.network.on_air)
    }

    /// The modem, to look at.
    pub fn modem(&self) -> &Modem {
        &self.modem
    }

    /// A client went away: nobody waits for its answers.
    pub fn forget(&mut self, client: ClientId) {
        self.waiters.retain(|waiter| waiter.client != client);
    }

    /// Lets everything happen that is due until `now`.
    fn advance(&mut self, now: Duration) {
        let now = now.max(self.now);
        while let Some(((at, _), _)) = self.events.first_key_value()
            && *at <= now
            && let Some(((at, _), event)) = self.events.pop_first()
        {
            self.now = at.max(self.now);
            self.happen(event);
            self.read_on();
        }
        self.now = now;
    }

    fn happen(&mut self, event: Event) {
        // A hung modem does nothing; its affairs go on when it wakes, and a
        // reset forgets them.
        if let Power::Hung(until) = self.power
            && !matches!(event, Event::Wake | Event::GiveUp(_) | Event::Plug)
        {
            let at = until.unwrap_or(self.now.saturating_add(Duration::from_millis(250)));
            self.at(at.max(self.now), event);
            return;
        }
        match event {
            Event::Finish => self.finish(),
            Event::Print(bytes, last) => self.print(bytes, last),
            Event::Arrive(pdu) => self.arrive(pdu),
            Event::Retry => self.retry(),
            Event::UssdAnswer(code) => self.answer_ussd(&code),
            Event::BootLine(line) => {
                if !line.starts_with("+CPIN")
                    || self.modem.card.state == crate::modem::CardState::Ready
                {
                    self.say_now(&[line.into_bytes()]);
                }
            }
            Event::Restart => self.restart(),
            Event::Started => self.started(),
            Event::Registered => self.registered(),
            Event::MessagesReady => {
                self.modem.messages_ready = true;
                self.after_ms([200, 800], Event::Retry);
            }
            Event::AcknowledgementTimeout => self.acknowledgement_timeout(),
            Event::Chatter => self.chatter(),
            Event::Wake => {
                if let Power::Hung(Some(_)) = self.power {
                    self.power = Power::On;
                    self.note("modem works again");
                }
            }
            Event::Plug => self.outputs.push_back(Output::Plug),
            Event::GiveUp(client) => {
                if self.waiters.iter().any(|waiter| waiter.client == client) {
                    self.forget(client);
                    let answer = self.sent_answer(None, Some("timeout"));
                    self.outputs.push_back(Output::Answer(client, answer));
                }
            }
        }
    }

    /// Schedules an event at a time.
    fn at(&mut self, at: Duration, event: Event) {
        self.event_count += 1;
        self.events.insert((at, self.event_count), event);
    }

    /// Schedules an event after a simulated delay.
    fn after_ms(&mut self, range: [u64; 2], event: Event) {
        let delay = self.delay(range);
        self.at(self.now.saturating_add(delay), event);
    }

    /// A random time in a range of milliseconds, scaled.
    fn delay(&mut self, [least, most]: [u64; 2]) -> Duration {
        let millis = self.rng.u64(least..=most.max(least));
        // Long enough for anything, and far from overflow.
        let seconds = millis as f64 / 1_000.0 * self.time_scale;
        Duration::try_from_secs_f64(seconds.min(1e9)).unwrap_or(Duration::ZERO)
    }

    fn note(&mut self, text: &str) {
        self.transcript.push(self.now, Side::Event, text.as_bytes());
    }

    /// The power goes and comes: what ran is gone, what is stored stays.
    fn restart(&mut self) {
        self.note("modem restarts");
        self.begin_start(self.modem.profile.bus == Bus::Usb);
    }

    fn begin_start(&mut self, leaves_bus: bool) {
        self.events.retain(|_, event| {
            matches!(
                event,
                Event::Arrive(_) | Event::Retry | Event::GiveUp(_) | Event::Chatter | Event::Plug
            )
        });
        self.modem.restart();
        self.power = Power::Starting;
        self.input.clear();
        self.reader = Reader::Command(Vec::new());
        self.line_before.clear();
        self.running = None;
        self.held.clear();
        self.buffered.clear();
        self.unread.clear();
        if let Some(pdu) = self.unacknowledged.take() {
            self.modem.network.waiting.push_front(pdu);
        }

        let boot_ms = self.modem.profile.timing.boot_ms;
        if leaves_bus {
            self.outputs.push_back(Output::Unplug);
            self.after_ms([boot_ms / 2, boot_ms / 2], Event::Plug);
        }
        let lines = self.modem.profile.boot.lines.clone();
        let count = u64::try_from(lines.len()).unwrap_or(1).max(1);
        for (number, line) in (1..).zip(lines) {
            let at = boot_ms / 2 + boot_ms / 2 * number / count;
            self.after_ms([at, at], Event::BootLine(line));
        }
        self.after_ms([boot_ms, boot_ms], Event::Started);
    }

    fn started(&mut self) {
        self.power = Power::On;
        self.note("modem has started");
        self.unlocked();
    }

    /// The SIM is open: register and read it.
    fn unlocked(&mut self) {
        if self.modem.card.state != crate::modem::CardState::Ready {
            return;
        }
        self.modem.registration = 2;
        self.after_ms([300, 1_500], Event::MessagesReady);
        self.after_ms([500, 3_000], Event::Registered);
    }

    /// The network's present verdict on the mobile.
    fn registered(&mut self) {
        let on = self.modem.settings.function == 1
            && self.modem.settings.operator_mode != 2
            && self.modem.card.state == crate::modem::CardState::Ready;
        let state = if on { self.modem.network.grants } else { 0 };
        if state != self.modem.registration {
            self.modem.registration = state;
            let settings = &self.modem.settings;
            let line = match settings.registration_lines {
                0 => None,
                1 => Some(format!("+CREG: {state}")),
                _ => Some(format!("+CREG: {state},\"00C3\",\"0000A1B2\"")),
            };
            if let Some(line) = line {
                self.announce(vec![line.into_bytes()]);
            }
        }
        if matches!(state, 1 | 5) {
            self.after_ms([300, 1_000], Event::Retry);
        }
    }
}

#[cfg(test)]
mod tests;

//! A modem, its port, and the driver at the other end of it.

use std::time::Duration;

use jibu_at::driver::{self, Driver, Event};
use jibu_modem_sim::control::Request;
use jibu_modem_sim::{Input, OnAir, Options, Output, Simulator};
use jibu_spool::ModemName;
use jibu_types::Timestamp;
use serde_json::Value;

use crate::fuse::{Fuse, Moment, PowerCut};

/// The first wait before a port is opened again, and the longest, as in
/// `daemon/shell/modem`.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
const REOPEN_AT_MOST: Duration = Duration::from_secs(30);

/// The only client of the simulator's control requests.
const CLIENT: u64 = 1;

/// What the box hears of a modem, as `jibu_modem::Event` has it.
#[derive(Debug, PartialEq)]
pub(crate) enum Word {
    /// The driver tells.
    Event(Event),
    /// The port is gone, or does not open.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Open,
    /// Opened again then.
    Closed(Duration),
}

/// One modem and how the box is connected to it.
pub(crate) struct Line {
    pub(crate) name: ModemName,
    sim: Simulator,
    /// None while the box has no power.
    driver: Option<Driver>,
    port: Port,
    plugged: bool,
    pause: Duration,
    was_ready: bool,
    /// Whether the last command that sends was +CMGS rather than +CMSS.
    direct: bool,
    heard: Vec<Word>,
}

/// The driver's time. It only has to go forward.
fn driver_time(now: Duration) -> Timestamp {
    Timestamp::default() + now
}

fn from_driver_time(at: Timestamp) -> Duration {
    at.since(Timestamp::default())
}

impl Line {
    pub(crate) fn new(name: ModemName, options: Options) -> Self {
        Line {
            name,
            sim: Simulator::new(options),
            driver: None,
            port: Port::Closed(Duration::ZERO),
            plugged: true,
            pause: REOPEN_AFTER,
            was_ready: false,
            direct: false,
            heard: Vec::new(),
        }
    }

    pub(crate) fn sim(&self) -> &Simulator {
        &self.sim
    }

    /// The box starts.
    pub(crate) fn start(&mut self, config: driver::Config, now: Duration) {
        self.driver = Some(Driver::new(config));
        self.port = Port::Closed(now);
        self.pause = REOPEN_AFTER;
        self.was_ready = false;
    }

    /// The box loses its power. The modem may have its own.
    pub(crate) fn stop(&mut self, now: Duration) {
        self.driver = None;
        self.heard.clear();
        self.sim.handle(Input::Closed, now);
    }

    /// Asks the simulator for something.
    pub(crate) fn ask(&mut self, request: Request, now: Duration) -> Value {
        self.sim.handle(Input::Request(CLIENT, request), now);
        let mut answer = Value::Null;
        // The answer is the last thing; what the modem did first stays in line.
        let mut others = Vec::new();
        while let Some(output) = self.sim.poll() {
            match output {
                Output::Answer(_, value) => answer = value,
                other => others.push(other),
            }
        }
        for output in others {
            self.take(output, now);
        }
        answer
    }

    pub(crate) fn command(&mut self, command: driver::Command, now: Duration) {
        if let Some(driver) = &mut self.driver {
            driver.handle(driver::Input::Command(command), driver_time(now));
        }
    }

    /// Bytes that another program writes to the modem.
    pub(crate) fn foreign_bytes(&mut self, bytes: &[u8], now: Duration) {
        self.sim.handle(Input::Opened, now);
        self.sim.handle(Input::Bytes(bytes), now);
        self.sim.handle(Input::Closed, now);
        self.port = Port::Closed(now);
    }

    /// Bytes that nobody sent.
    pub(crate) fn static_noise(&mut self, bytes: &[u8], now: Duration) {
        if let (Port::Open, Some(driver)) = (self.port, &mut self.driver) {
            driver.handle(driver::Input::Bytes(bytes), driver_time(now));
        }
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        let driver = self.driver.as_ref();
        let reopen = match self.port {
            Port::Closed(at) if driver.is_some() => Some(at),
            _ => None,
        };
        let driver = driver.and_then(Driver::deadline).map(from_driver_time);
        [self.sim.deadline(), driver, reopen].into_iter().flatten().min()
    }

    /// Lets everything happen that is due.
    pub(crate) fn run(
        &mut self,
        now: Duration,
        fuse: &mut Fuse,
        rng: &mut fastrand::Rng,
    ) -> Result<(), PowerCut> {
        if self.sim.deadline().is_some_and(|at| at <= now) {
            self.sim.handle(Input::Tick, now);
        }
        if let (Port::Closed(at), Some(_)) = (self.port, &self.driver)
            && at <= now
        {
            self.open(now);
        }
        if let Some(driver) = &mut self.driver
            && driver.deadline().is_some_and(|at| at <= driver_time(now))
        {
            driver.handle(driver::Input::Tick, driver_time(now));
        }
        self.exchange(now, fuse, rng)
    }

    fn open(&mut self, now: Duration) {
        if self.plugged {
            self.port = Port::Open;
            self.sim.handle(Input::Opened, now);
            if let Some(driver) = &mut self.driver {
                driver.handle(driver::Input::Opened, driver_time(now));
            }
        } else {
            self.closed(now);
        }
    }

    fn closed(&mut self, now: Duration) {
        // What the driver had to say of the end comes first.
        while let Some(output) = self.driver.as_mut().and_then(Driver::poll) {
            if let driver::Output::Event(event) = output {
                self.heard.push(Word::Event(event));
            }
        }
        self.heard.push(Word::Lost);
        if std::mem::take(&mut self.was_ready) {
            self.pause = REOPEN_AFTER;
        }
        self.port = Port::Closed(now + self.pause);
        self.pause = (self.pause * 2).min(REOPEN_AT_MOST);
    }

    /// Carries bytes both ways until both sides are silent.
    fn exchange(
        &mut self,
        now: Duration,
        fuse: &mut Fuse,
        rng: &mut fastrand::Rng,
    ) -> Result<(), PowerCut> {
        loop {
            if let Some(output) = self.sim.poll() {
                self.take(output, now);
            } else if let Some(output) = self.driver.as_mut().and_then(Driver::poll) {
                match output {
                    driver::Output::Write(bytes) => self.write(&bytes, now, fuse, rng)?,
                    driver::Output::Event(event) => {
                        self.was_ready |= matches!(event, Event::Ready(_));
                        self.heard.push(Word::Event(event));
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn write(
        &mut self,
        bytes: &[u8],
        now: Duration,
        fuse: &mut Fuse,
        rng: &mut fastrand::Rng,
    ) -> Result<(), PowerCut> {
        if self.port != Port::Open {
            return Ok(());
        }
        if let Err(cut) = fuse.pass(Moment::InCommand) {
            let written = bytes.get(..rng.usize(..=bytes.len())).unwrap_or_default();
            self.sim.handle(Input::Bytes(written), now);
            return Err(cut);
        }
        match bytes {
            [b'A', b'T', b'+', b'C', b'M', b'G', b'S', ..] => self.direct = true,
            [b'A', b'T', b'+', b'C', b'M', b'S', b'S', ..] => self.direct = false,
            _ => {}
        }
        self.sim.handle(Input::Bytes(bytes), now);
        Ok(())
    }

    fn take(&mut self, output: Output, now: Duration) {
        match output {
            Output::Bytes(bytes) => {
                if let (Port::Open, Some(driver)) = (self.port, &mut self.driver) {
                    driver.handle(driver::Input::Bytes(&bytes), driver_time(now));
                }
            }
            Output::Unplug => {
                self.plugged = false;
                if self.port == Port::Open
                    && let Some(driver) = &mut self.driver
                {
                    driver.handle(driver::Input::Closed, driver_time(now));
                    self.sim.handle(Input::Closed, now);
                    self.closed(now);
                }
            }
            Output::Plug => self.plugged = true,
            Output::Answer(..) | Output::Quit => {}
        }
    }

    /// What the driver told since the last call.
    pub(crate) fn heard(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.heard)
    }

    /// What went on the air since the last call, and whether by +CMGS.
    pub(crate) fn on_air(&mut self) -> (Vec<OnAir>, bool) {
        (self.sim.take_on_air(), self.direct)
    }
}

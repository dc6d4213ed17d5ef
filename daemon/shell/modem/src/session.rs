//! The loop around the driver: bytes and time in, bytes and events out.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use jibu_at::driver::{self, Driver, Input, Output};
use jibu_types::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::port::{Opening, close};
use crate::strings::Strings;
use crate::{Command, Config, Event, Handle, Identity, stored};

/// Events that may wait for a slow listener before the port is read no further.
const MOST_EVENTS: usize = 256;

/// A port that takes no bytes for so long is as good as gone.
const WRITE_STALLED: Duration = Duration::from_secs(30);

/// The first wait before a port is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// How often it is looked whether a port that was not there has appeared.
const LOOK_FOR_PORT: Duration = Duration::from_millis(500);

/// Runs a modem in a task of its own, for ever.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn spawn(config: Config) -> Handle {
    let (command_sender, command_receiver) = mpsc::channel(64);
    let (event_sender, event_receiver) = mpsc::channel(64);
    tokio::spawn(Session::new(config, command_receiver, event_sender).run());
    Handle { commands: command_sender, events: event_receiver }
}

/// Nobody listens any more.
struct Abandoned;

/// Why a port is of no use any more.
enum End {
    Lost(String),
    Abandoned,
}

struct Session {
    config: Config,
    commands: mpsc::Receiver<Command>,
    listener: mpsc::Sender<Event>,
    driver: Driver,
    events: VecDeque<Event>,
    bytes: VecDeque<u8>,
    /// Time for the driver, which must not run backwards as the box's clock may.
    began: Instant,
    was_ready: bool,
    identity: Identity,
    strings: Strings,
}

impl Session {
    fn new(
        config: Config,
        commands: mpsc::Receiver<Command>,
        listener: mpsc::Sender<Event>,
    ) -> Self {
        let driver = Driver::new(driver::Config {
            pin: config.pin.clone(),
            via: config.via,
            storage: config.storage,
            command_timeout: config.command_timeout,
            send_timeout: config.send_timeout,
            sweep_interval: config.sweep_interval,
            signal_interval: config.signal_interval,
            silence_before_reset: config.silence_before_reset,
            ussd: config.ussd,
        });
        Session {
            strings: Strings::new(config.ussd_form),
            config,
            commands,
            listener,
            driver,
            events: VecDeque::new(),
            bytes: VecDeque::new(),
            began: Instant::now(),
            was_ready: false,
            identity: Identity::default(),
        }
    }

    async fn run(mut self) {
        let mut opening = Opening::default();
        let mut pause = REOPEN_AFTER;
        loop {
            let reason = match opening.open(&self.config).await {
                Ok((port, path)) => {
                    tracing::info!(modem = self.config.name, port = %path.display(), "port open");
                    self.events.push_back(Event::Opened { port: path });
                    match self.talk(port).await {
                        End::Lost(reason) => reason,
                        End::Abandoned => return,
                    }
                }
                Err(reason) => reason,
            };
            if std::mem::take(&mut self.was_ready) {
                pause = REOPEN_AFTER;
            }
            self.events.push_back(Event::Lost { reason, retry_in: pause });
            if self.idle(pause).await.is_err() {
                return;
            }
            pause = (pause * 2).min(self.config.reopen_at_most.max(REOPEN_AFTER));
        }
    }

    /// Talks to the modem until the port is gone.
    async fn talk(&mut self, port: tokio_serial::SerialStream) -> End {
        let (mut reader, mut writer) = tokio::io::split(port);
        let listener = self.listener.clone();
        let mut buffer = [0; 1024];
        self.bytes.clear();
        self.step(Input::Opened);
        let mut writing_since = Instant::now();
        let end = loop {
            if self.bytes.is_empty() {
                writing_since = Instant::now();
            } else if writing_since.elapsed() >= WRITE_STALLED {
                break End::Lost("the modem takes no bytes from the port".to_owned());
            }
            let wake = self.wake();
            let (pending, _) = self.bytes.as_slices();
            tokio::select! {
                read = reader.read(&mut buffer), if self.events.len() < MOST_EVENTS => {
                    match read {
                        // A hang-up: tokio-serial goes on giving nothing for ever.
                        Ok(0) => break End::Lost("the modem hung up".to_owned()),
                        Ok(length) => {
                            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                            self.step(Input::Bytes(&bytes));
                        }
                        Err(error) if passing(&error) => {}
                        Err(error) => break End::Lost(format!("the port cannot be read: {error}")),
                    }
                }
                written = writer.write(pending), if !pending.is_empty() => match written {
                    Ok(length) => {
                        self.bytes.drain(..length);
                        writing_since = Instant::now();
                    }
                    Err(error) if passing(&error) => {}
                    Err(error) => break End::Lost(format!("the port cannot be written: {error}")),
                },
                permit = listener.reserve(), if !self.events.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.events.pop_front() {
                            permit.send(event);
                        }
                    }
                    Err(_) => return End::Abandoned,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return End::Abandoned,
                },
                () = tokio::time::sleep_until(wake) => self.step(Input::Tick),
            }
        };
        self.step(Input::Closed);
        close(reader.unsplit(writer));
        end
    }

    /// Waits without a port, no longer than until one appears.
    async fn idle(&mut self, pause: Duration) -> Result<(), Abandoned> {
        let until = Instant::now() + pause;
        let listener = self.listener.clone();
        let was_there = self.config.port.exists();
        let mut look = tokio::time::interval(LOOK_FOR_PORT);
        loop {
            tokio::select! {
                permit = listener.reserve(), if !self.events.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.events.pop_front() {
                            permit.send(event);
                        }
                    }
                    Err(_) => return Err(Abandoned),
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return Err(Abandoned),
                },
                _ = look.tick() => {
                    if !was_there && self.config.port.exists() {
                        return Ok(());
                    }
                }
                () = tokio::time::sleep_until(until) => return Ok(()),
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::default() + self.began.elapsed()
    }

    /// When the driver or a stalled write wants to be looked at.
    fn wake(&self) -> Instant {
        let far = Instant::now() + WRITE_STALLED;
        let deadline = self
            .driver
            .deadline()
            .map(|deadline| self.began + deadline.since(Timestamp::default()));
        deadline.map_or(far, |deadline| deadline.min(far))
    }

    fn command(&mut self, command: Command) {
        let command = match command {
            Command::Send { id, session, pdu } => driver::Command::Send { id, session, pdu },
            Command::Resume { id, session, slot } => driver::Command::Resume { id, session, slot },
            Command::Erase { held } => driver::Command::Erase { held },
            Command::Forget { slot } => driver::Command::Forget { slot },
            Command::Status => driver::Command::Status,
            Command::Ussd { text } => driver::Command::Ussd { ways: self.strings.ways(&text) },
            Command::EndUssd => driver::Command::EndUssd,
        };
        self.step(Input::Command(command));
    }

    fn step(&mut self, input: Input<'_>) {
        let now = self.now();
        self.driver.handle(input, now);
        while let Some(output) = self.driver.poll() {
            match output {
                Output::Write(bytes) => self.bytes.extend(bytes),
                Output::Event(event) => {
                    self.tell_identity();
                    if let Some(event) = self.told(event) {
                        tracing::debug!(modem = self.config.name, ?event);
                        self.events.push_back(event);
                    }
                }
            }
        }
    }

    /// A modem that never becomes ready has a name all the same.
    fn tell_identity(&mut self) {
        let identity = self.driver.identity();
        if *identity != self.identity {
            self.identity = identity.clone();
            self.events.push_back(Event::Identified(self.identity.clone()));
        }
    }

    /// In a thread of its own: a key is held for seconds.
    fn press_power_key(&self) {
        let Some(key) = self.config.power_key.clone() else { return };
        let listener = self.listener.clone();
        tokio::task::spawn_blocking(move || {
            // Nobody listens any more when the daemon ends.
            let _ = listener.blocking_send(Event::PowerCut(key.press()));
        });
    }

    /// Nothing where it concerns only this crate.
    fn told(&mut self, event: driver::Event) -> Option<Event> {
        Some(match event {
            driver::Event::Ready(ready) => {
                self.was_ready = true;
                self.strings.ready(&ready.identity.manufacturer, ready.ussd);
                Event::Ready {
                    session: ready.session,
                    identity: ready.identity,
                    stored: ready.stored.into_iter().map(stored::as_given).collect(),
                    keeps_parts: ready.keeps_parts,
                    announces: ready.announces,
                    reports: ready.reports,
                    has_service_centre: ready.has_service_centre,
                    ussd: ready.ussd.is_some(),
                }
            }
            driver::Event::Incoming { held, pdu } => Event::Incoming { held, pdu },
            driver::Event::Written { id, slot } => Event::Written { id, slot },
            driver::Event::Sent { id, reference, slot } => Event::Sent { id, reference, slot },
            driver::Event::SendFailed { id, error, slot } => Event::SendFailed { id, error, slot },
            driver::Event::SendUnknown { id } => Event::SendUnknown { id },
            driver::Event::Erased { held } => Event::Erased { held },
            driver::Event::Forgotten { slot } => Event::Forgotten { slot },
            driver::Event::Signal(signal) => Event::Signal(signal),
            driver::Event::Registration(registration) => Event::Registration(registration),
            driver::Event::Storage { name, used, capacity } => {
                Event::Storage { name, used, capacity }
            }
            driver::Event::Interrupted(why) => {
                Event::Lost { reason: why.to_string(), retry_in: Duration::ZERO }
            }
            driver::Event::Fault(fault) => Event::Fault(fault),
            driver::Event::Restarting => Event::Restarting,
            driver::Event::ResetWanted => {
                self.press_power_key();
                Event::ResetWanted
            }
            driver::Event::Ussd(line) => match self.strings.read(&line.0) {
                Ok(ussd) => Event::Ussd(ussd),
                Err(error) => {
                    tracing::warn!(modem = self.config.name, %error, "a +CUSD line is not read");
                    return None;
                }
            },
            driver::Event::UssdSaid { way } => {
                self.strings.said(way);
                return None;
            }
            driver::Event::UssdFailed(error) => Event::UssdFailed { error },
        })
    }
}

/// Whether an error of the port says nothing about its end.
fn passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

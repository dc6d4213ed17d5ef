//! The task around the dialogue: connections, time and channels.

use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jibu_types::Timestamp;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;

use crate::dialogue::{self, Dialogue, Input, Output};
use crate::pdu::{Frame, Frames, id};
use crate::{Command, Config, Event, Handle};

/// The first wait before the SMSC is called again.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// A session that held so long was a good one: the next wait is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(30);
/// A connection that takes no bytes for so long is as good as gone.
const WRITE_STALLED: Duration = Duration::from_secs(30);
/// PDUs that may wait for a connection that takes none.
const MOST_UNWRITTEN: usize = 512;
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs the link to an SMSC in a task of its own, for ever. Dropping the handle,
/// or its `commands`, ends it with an `unbind`.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn spawn(config: Config) -> Handle {
    let (command_sender, commands) = mpsc::channel(64);
    let (listener, event_receiver) = mpsc::channel(64);
    let session = Session {
        dialogue: Dialogue::new(config.clone()),
        config: Arc::new(config),
        commands,
        listener,
        events: VecDeque::new(),
        began: Instant::now(),
    };
    tokio::spawn(session.run());
    Handle { commands: command_sender, events: event_receiver }
}

/// Nobody listens any more.
struct Abandoned;

/// Why connections are of no use any more.
struct Lost {
    reason: String,
    /// Calling again soon is useless, and may lock the account.
    wants_a_person: bool,
}

impl From<String> for Lost {
    fn from(reason: String) -> Self {
        Lost { reason, wants_a_person: false }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What the tasks of a connection tell.
enum Heard {
    Frame(usize, Frame),
    Gone(String),
}

struct Session {
    config: Arc<Config>,
    commands: mpsc::Receiver<Command>,
    listener: mpsc::Sender<Event>,
    dialogue: Dialogue,
    events: VecDeque<Event>,
    /// Time for the dialogue, which must not run backwards as the box's clock may.
    began: Instant,
}

impl Session {
    async fn run(mut self) {
        let mut pause = RECONNECT_AFTER;
        loop {
            let begun = Instant::now();
            let Ok(lost) = self.once().await else { return };
            let at_most = self.config.reconnect_at_most.max(RECONNECT_AFTER);
            if lost.wants_a_person {
                pause = at_most;
            } else if begun.elapsed() >= GOOD_AFTER {
                pause = RECONNECT_AFTER;
            }
            // Sites that lost one SMSC together do not come back together.
            let retry_in = pause.mul_f64(0.5 + fastrand::f64()).min(at_most);
            self.events.push_back(Event::Lost { reason: lost.reason, retry_in });
            let Ok(()) = self.meanwhile(tokio::time::sleep(retry_in)).await else { return };
            pause = (pause * 2).min(at_most);
        }
    }

    /// From the call to the loss.
    async fn once(&mut self) -> Result<Lost, Abandoned> {
        let config = Arc::clone(&self.config);
        let calling = async {
            let mut streams = Vec::new();
            for _ in dialogue::roles(config.bind) {
                streams.push(connect(&config).await?);
            }
            Ok(streams)
        };
        let lost = match self.meanwhile(calling).await? {
            Ok(streams) => self.talk(streams).await?,
            Err(lost) => lost,
        };
        self.dialogue.handle(Input::Closed, self.now());
        self.drain(&[]);
        Ok(lost)
    }

    /// Waits for something else; what is told and commanded goes on.
    async fn meanwhile<T>(&mut self, other: impl Future<Output = T>) -> Result<T, Abandoned> {
        let mut other = pin!(other);
        let listener = self.listener.clone();
        loop {
            tokio::select! {
                done = &mut other => return Ok(done),
                permit = listener.reserve(), if !self.events.is_empty() => {
                    self.tell(permit.map_err(|_| Abandoned)?);
                }
                command = self.commands.recv() => {
                    self.step(Input::Command(command.ok_or(Abandoned)?), &[]);
                }
            }
        }
    }

    /// Talks to the SMSC until it is lost.
    async fn talk(&mut self, streams: Vec<Box<dyn Stream>>) -> Result<Lost, Abandoned> {
        let (heard, mut hears) = mpsc::channel(64);
        let wires: Vec<Wire> = (0..)
            .zip(streams)
            .map(|(number, stream)| Wire::start(number, stream, &heard))
            .collect();
        let listener = self.listener.clone();
        let mut lost = self.step(Input::Opened, &wires);
        loop {
            if let Some(lost) = lost {
                return Ok(lost);
            }
            let far = Instant::now() + WRITE_STALLED;
            let deadline = self.dialogue.deadline();
            let wake = deadline.map(|at| self.began + at.since(Timestamp::default()));
            lost = tokio::select! {
                heard = hears.recv() => match heard {
                    Some(Heard::Frame(wire, frame)) => {
                        tracing::trace!(smsc = self.config.name, wire, ?frame, "came");
                        self.step(Input::Frame { wire, frame, clock: clock() }, &wires)
                    }
                    Some(Heard::Gone(reason)) => Some(reason.into()),
                    None => Some("the connections are gone".to_owned().into()),
                },
                permit = listener.reserve(), if !self.events.is_empty() => match permit {
                    Ok(permit) => {
                        self.tell(permit);
                        None
                    }
                    Err(_) => return self.farewell(wires).await,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.step(Input::Command(command), &wires),
                    None => return self.farewell(wires).await,
                },
                () = sleep_until(wake.map_or(far, |wake| wake.min(far))) => {
                    self.step(Input::Tick, &wires)
                }
            };
        }
    }

    /// Whoever leaves without a word is taken for bound until its SMSC notices.
    async fn farewell(&mut self, wires: Vec<Wire>) -> Result<Lost, Abandoned> {
        for wire in wires {
            // What cannot be written any more need not be.
            let _ = wire.writer.try_send(Frame::request(id::UNBIND, 0x7FFF_FFFF, Vec::new()));
            let Wire { reading, writer, writing } = wire;
            drop(writer);
            let _ = timeout(FAREWELL, writing).await;
            reading.0.abort();
        }
        Err(Abandoned)
    }

    fn step(&mut self, input: Input, wires: &[Wire]) -> Option<Lost> {
        self.dialogue.handle(input, self.now());
        self.drain(wires)
    }

    fn drain(&mut self, wires: &[Wire]) -> Option<Lost> {
        let mut lost = None;
        while let Some(output) = self.dialogue.poll() {
            match output {
                Output::Write { wire, frame } => {
                    tracing::trace!(smsc = self.config.name, wire, ?frame, "leaves");
                    let written = wires.get(wire).map(|wire| wire.writer.try_send(frame));
                    if matches!(written, Some(Err(_))) {
                        let reason = "the SMSC takes no bytes any more".to_owned();
                        lost = lost.or(Some(reason.into()));
                    }
                }
                Output::Event(event) => {
                    tracing::debug!(smsc = self.config.name, ?event);
                    self.events.push_back(event);
                }
                Output::Close { reason, wants_a_person } => {
                    lost = lost.or(Some(Lost { reason, wants_a_person }));
                }
            }
        }
        lost
    }

    fn tell(&mut self, permit: mpsc::Permit<'_, Event>) {
        if let Some(event) = self.events.pop_front() {
            permit.send(event);
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::default() + self.began.elapsed()
    }
}

/// The box's clock, in seconds.
fn clock() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

async fn connect(config: &Config) -> Result<Box<dyn Stream>, Lost> {
    let Config { host, port, .. } = config;
    let opening = TcpStream::connect((host.as_str(), *port));
    let stream = match timeout(config.open_timeout, opening).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let reason = format!("{host}:{port} (smpp.host, smpp.port) does not open: {error}");
            return Err(reason.into());
        }
        Err(_) => {
            let reason = format!(
                "{host}:{port} (smpp.host, smpp.port) does not answer: does the operator let this \
                 box's address in?"
            );
            return Err(reason.into());
        }
    };
    // It costs a little bandwidth to have answers at once.
    let _ = stream.set_nodelay(true);
    let Some(tls) = &config.tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(host.clone())
        .map_err(|_| format!("smpp.host = \"{host}\" is no name that a certificate can have"))?;
    let shaking = TlsConnector::from(Arc::clone(&tls.config)).connect(name, stream);
    match timeout(config.open_timeout, shaking).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(format!(
            "no TLS with {host}:{port}: {error} (is smpp.tls_authority the operator's, and \
             smpp.port the one with TLS?)"
        )
        .into()),
        Err(_) => {
            Err(format!("{host}:{port} does not answer in TLS: is it the port with TLS?").into())
        }
    }
}

/// A connection: a task reads, a task writes.
struct Wire {
    reading: Reading,
    writer: mpsc::Sender<Frame>,
    writing: JoinHandle<()>,
}

/// Ends with the connection; what is to be written still is.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Wire {
    fn start(number: usize, stream: Box<dyn Stream>, heard: &mpsc::Sender<Heard>) -> Wire {
        let (reader, writer) = tokio::io::split(stream);
        let (sender, frames) = mpsc::channel(MOST_UNWRITTEN);
        Wire {
            reading: Reading(tokio::spawn(read(number, reader, heard.clone()))),
            writer: sender,
            writing: tokio::spawn(write(writer, frames, heard.clone())),
        }
    }
}

async fn read(wire: usize, mut reader: ReadHalf<Box<dyn Stream>>, heard: mpsc::Sender<Heard>) {
    let mut frames = Frames::default();
    let mut buffer = [0; 4096];
    let reason = loop {
        match reader.read(&mut buffer).await {
            Ok(0) => break "the SMSC closed the connection".to_owned(),
            Ok(length) => frames.push(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break format!("the connection broke: {error}"),
        }
        let out_of_step = loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    if heard.send(Heard::Frame(wire, frame)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        if out_of_step {
            break "what the SMSC says is no SMPP: look at smpp.port, and whether it wants TLS \
                   (smpp.tls_authority)"
                .to_owned();
        }
    };
    // Nobody to tell means that the connection was given up.
    let _ = heard.send(Heard::Gone(reason)).await;
}

async fn write(
    mut writer: WriteHalf<Box<dyn Stream>>,
    mut frames: mpsc::Receiver<Frame>,
    heard: mpsc::Sender<Heard>,
) {
    while let Some(frame) = frames.recv().await {
        let octets = frame.encode();
        let writing = async {
            writer.write_all(&octets).await?;
            writer.flush().await
        };
        let reason = match timeout(WRITE_STALLED, writing).await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => format!("the connection broke: {error}"),
            Err(_) => "the SMSC takes no bytes any more".to_owned(),
        };
        // Nobody to tell means that the connection was given up.
        let _ = heard.send(Heard::Gone(reason)).await;
        return;
    }
    let _ = timeout(FAREWELL, writer.shutdown()).await;
}

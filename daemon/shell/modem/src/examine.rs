//! Looking at a modem as a technician would: what it is, what it lacks, and
//! whether it sends.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::port::Opening;
use crate::{
    Command, Config, Event, Fault, Handle, Identity, Registration, SendError, StorageName, Ussd,
    spawn,
};

/// How long a modem may take to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(60);
/// How long it may look for its network after that.
const REGISTRATION: Duration = Duration::from_secs(20);
/// How long the network may take to reply to a code.
const REPLY: Duration = Duration::from_secs(60);
/// How long it may take to accept a message: the driver's own patience and some.
const SENDING: Duration = Duration::from_secs(180);

/// What is to be tried beyond looking.
#[derive(Debug, Clone, Default)]
pub struct Errand {
    /// A USSD code to dial, for the balance.
    pub code: Option<String>,
    /// A message to send: SMSC octet and SMS-SUBMIT.
    pub pdu: Option<Vec<u8>>,
}

/// What was seen. What is missing was not reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examination {
    /// The port that was opened.
    pub port: Option<PathBuf>,
    /// Why the port is of no use.
    pub lost: Option<String>,
    /// Where modems answer, if the configured port was of no use.
    pub elsewhere: Vec<PathBuf>,
    /// Who made it.
    pub identity: Option<Identity>,
    /// What somebody must do first.
    pub fault: Option<Fault>,
    /// Whether it is initialised: its SIM is open, and its storages were read.
    pub is_ready: bool,
    /// Where it stands with the network.
    pub registration: Option<Registration>,
    /// Received power in dBm; none within where it hears nothing.
    pub signal: Option<Option<i16>>,
    /// The storage for incoming messages, how many are in it and how many fit.
    pub storage: Option<(StorageName, u16, u16)>,
    /// Whether a service centre is set, where the modem says.
    pub has_service_centre: Option<bool>,
    /// Whether a power cut leaves evidence of what was sent.
    pub keeps_parts: bool,
    /// What the network said to the code; nothing within where it said nothing.
    pub reply: Option<Option<String>>,
    /// What became of the message: its reference, or why it was not sent.
    pub sent: Option<Result<Option<u8>, SendError>>,
}

/// Opens a modem as the daemon would, looks at it and runs the errand. No message
/// is erased, and the copy of the one that was sent is.
///
/// # Panics
/// Outside of a tokio runtime.
pub async fn examine(config: Config, errand: Errand) -> Examination {
    let mut seen = Examination::default();
    let mut modem = spawn(Config { ussd: config.ussd || errand.code.is_some(), ..config.clone() });
    let mut session = 0;
    let deadline = Instant::now() + INTRODUCTION;
    while let Some(event) = next(&mut modem, deadline).await {
        if let Event::Ready { session: begun, .. } = &event {
            session = *begun;
        }
        seen.take(event);
        if seen.is_ready || seen.fault.is_some() || seen.lost.is_some() {
            break;
        }
    }
    if seen.is_ready {
        wait_for_network(&mut modem, &mut seen).await;
        if let Some(text) = errand.code {
            seen.reply = Some(ask(&mut modem, text).await);
        }
        if let Some(pdu) = errand.pdu {
            seen.sent = Some(send(&mut modem, session, pdu).await);
        }
    }
    drop(modem);
    let silent = matches!(seen.fault, Some(Fault::Silent));
    if (seen.lost.is_some() || silent) && config.imei.is_none() {
        seen.elsewhere = Opening::default().with_modems(&config).await;
        seen.elsewhere.retain(|path| path.canonicalize().ok() != config.port.canonicalize().ok());
    }
    seen
}

async fn next(modem: &mut Handle, deadline: Instant) -> Option<Event> {
    tokio::time::timeout_at(deadline, modem.events.recv()).await.ok().flatten()
}

impl Examination {
    fn take(&mut self, event: Event) {
        match event {
            Event::Opened { port } => self.port = Some(port),
            Event::Lost { reason, .. } => self.lost = Some(reason),
            Event::Identified(identity) => self.identity = Some(identity),
            Event::Fault(fault) => self.fault = Some(fault),
            Event::Ready { identity, has_service_centre, keeps_parts, .. } => {
                self.is_ready = true;
                self.identity = Some(identity);
                self.has_service_centre = has_service_centre;
                self.keeps_parts = keeps_parts;
            }
            Event::Registration(registration) => self.registration = Some(registration),
            Event::Signal(signal) => self.signal = Some(signal.dbm),
            Event::Storage { name, used, capacity } => self.storage = Some((name, used, capacity)),
            _ => {}
        }
    }
}

/// A modem that was just switched on is still looking.
async fn wait_for_network(modem: &mut Handle, seen: &mut Examination) {
    let deadline = Instant::now() + REGISTRATION;
    let looks = |seen: &Examination| {
        let states = [Registration::Searching, Registration::Unknown];
        seen.registration.is_none_or(|registration| states.contains(&registration))
    };
    while looks(seen) {
        let Some(event) = next(modem, deadline).await else { return };
        seen.take(event);
    }
}

async fn ask(modem: &mut Handle, text: String) -> Option<String> {
    modem.commands.send(Command::Ussd { text }).await.ok()?;
    let deadline = Instant::now() + REPLY;
    loop {
        match next(modem, deadline).await? {
            Event::Ussd(Ussd { text, mode, .. }) => {
                if mode == crate::Mode::ActionNeeded {
                    modem.commands.send(Command::EndUssd).await.ok()?;
                }
                return text;
            }
            Event::UssdFailed { .. } | Event::Lost { .. } => return None,
            _ => {}
        }
    }
}

async fn send(modem: &mut Handle, session: u32, pdu: Vec<u8>) -> Result<Option<u8>, SendError> {
    const ID: i64 = 1;
    let command = Command::Send { id: ID, session, pdu };
    let deadline = Instant::now() + SENDING;
    if modem.commands.send(command).await.is_err() {
        return Err(SendError::NotReady);
    }
    let (result, slot) = loop {
        match next(modem, deadline).await {
            Some(Event::Sent { id: ID, reference, slot }) => break (Ok(reference), slot),
            Some(Event::SendFailed { id: ID, error, slot }) => break (Err(error), slot),
            Some(Event::SendUnknown { id: ID }) | None => return Err(SendError::TimedOut),
            Some(_) => {}
        }
    };
    if let Some(slot) = slot
        && modem.commands.send(Command::Forget { slot }).await.is_ok()
    {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Some(event) = next(modem, deadline).await {
            if matches!(event, Event::Forgotten { .. }) {
                break;
            }
        }
    }
    result
}

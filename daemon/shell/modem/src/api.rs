//! What `jibud` sees of a modem.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use jibu_at::driver::{
    Fault, Identity, Pdu, Pin, PinError, Registration, SendError, SendVia, Signal, Stored,
};
pub use jibu_at::{Held, ModemError, Remedy, Slot, StorageName, StorageNameError};
pub use jibu_gsm::ussd::{Mode, RequestForm, Ussd};
use tokio::sync::mpsc;

use crate::PowerKey;

/// One modem, as configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name by which logs and the spool know it.
    pub name: String,
    /// The serial port, such as `/dev/serial/by-id/…` or a pseudo-terminal.
    pub port: PathBuf,
    /// The modem's IMEI, fifteen digits: whatever the port is called, only this one
    /// is spoken to, and it is looked for where it is not on `port`.
    pub imei: Option<String>,
    /// Where it is looked for, in this order.
    pub search_in: Vec<PathBuf>,
    /// What cuts its power.
    pub power_key: Option<Arc<dyn PowerKey>>,
    /// How long it may be silent before its power is cut.
    pub silence_before_reset: Duration,
    /// Bits per second.
    pub baud_rate: u32,
    /// The SIM's PIN, where it asks for one.
    pub pin: Option<Pin>,
    /// By which way messages leave.
    pub via: SendVia,
    /// Where messages are stored; the larger of ME and SM when not said.
    pub storage: Option<StorageName>,
    /// How long an ordinary command may be without an answer; those that touch the
    /// SIM get three times as long.
    pub command_timeout: Duration,
    /// How long the network may take to accept a message.
    pub send_timeout: Duration,
    /// How often all storages are read even if nothing was announced.
    pub sweep_interval: Duration,
    /// How often signal and registration are asked for.
    pub signal_interval: Duration,
    /// Whether USSD is wanted.
    pub ussd: bool,
    /// How USSD strings are written; found out where not said.
    pub ussd_form: Option<RequestForm>,
    /// How long opening the port may take.
    pub open_timeout: Duration,
    /// The longest wait between two tries to open the port; the first is a second
    /// or so, and they grow.
    pub reopen_at_most: Duration,
}

impl Config {
    /// The usual values for a modem on a port.
    pub fn new(name: impl Into<String>, port: impl Into<PathBuf>) -> Self {
        let driver = jibu_at::driver::Config::default();
        Config {
            name: name.into(),
            port: port.into(),
            imei: None,
            search_in: vec!["/dev/serial/by-id".into(), "/dev".into()],
            power_key: None,
            silence_before_reset: driver.silence_before_reset,
            baud_rate: 115_200,
            pin: driver.pin,
            via: driver.via,
            storage: driver.storage,
            command_timeout: driver.command_timeout,
            send_timeout: driver.send_timeout,
            sweep_interval: driver.sweep_interval,
            signal_interval: driver.signal_interval,
            ussd: driver.ussd,
            ussd_form: None,
            open_timeout: Duration::from_secs(5),
            reopen_at_most: Duration::from_secs(30),
        }
    }
}

/// A running modem. Dropping it, or its `commands`, ends the task behind it after
/// what it is doing; nothing is lost by that, as by any other kind of end.
#[derive(Debug)]
pub struct Handle {
    /// What the modem shall do.
    pub commands: mpsc::Sender<Command>,
    /// What the modem tells. A listener that is slow slows the modem down; it
    /// loses nothing.
    pub events: mpsc::Receiver<Event>,
}

/// What a modem can be asked to do.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a message.
    Send {
        /// Comes back in the answer.
        id: i64,
        /// As the last [`Event::Ready`] gave it.
        session: u32,
        /// SMSC octet and SMS-SUBMIT.
        pdu: Vec<u8>,
    },
    /// Send a message that is already stored.
    Resume {
        /// Comes back in the answer.
        id: i64,
        /// As the last [`Event::Ready`] gave it.
        session: u32,
        /// Where it stands.
        slot: Slot,
    },
    /// Let an incoming message go: it is safe elsewhere.
    Erase {
        /// As [`Event::Incoming`] gave it.
        held: Held,
    },
    /// Delete a stored outgoing message.
    Forget {
        /// Where it stands.
        slot: Slot,
    },
    /// Ask for signal and registration now.
    Status,
    /// Dial a USSD code, or answer in a session. What the network says to it comes
    /// as [`Event::Ussd`], or [`Event::UssdFailed`] where it was not asked.
    Ussd {
        /// The code or the page.
        text: String,
    },
    /// End the USSD session.
    EndUssd,
}

impl std::fmt::Debug for Command {
    /// Leaves out what a person reads.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Command::Send { id, pdu, .. } => write!(f, "Send {{ id: {id}, {} bytes }}", pdu.len()),
            Command::Resume { id, slot, .. } => write!(f, "Resume {{ id: {id}, slot: {slot} }}"),
            Command::Erase { held } => write!(f, "Erase {{ {held:?} }}"),
            Command::Forget { slot } => write!(f, "Forget {{ slot: {slot} }}"),
            Command::Status => f.write_str("Status"),
            Command::Ussd { text } => write!(f, "Ussd {{ {} bytes }}", text.len()),
            Command::EndUssd => f.write_str("EndUssd"),
        }
    }
}

/// What a modem tells.
///
/// * [`Event::Ready`] comes after each initialisation, before any message is sent.
/// * Every stored incoming message is told at least once after each
///   initialisation until it is erased, and none is erased unless
///   [`Command::Erase`] says so.
/// * Exactly one of `Sent`, `SendFailed` and `SendUnknown` answers each
///   [`Command::Send`] and [`Command::Resume`]. Messages leave one at a time. A
///   message in flight when the modem is lost is answered before the next `Ready`.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The port is open.
    Opened {
        /// Which; another one than configured where the IMEI says so.
        port: PathBuf,
    },
    /// The modem told who made it; comes before [`Event::Ready`] and before a fault.
    Identified(Identity),
    /// The modem is initialised, and every storage was read.
    Ready {
        /// Counts initialisations; goes into [`Command::Send`] and
        /// [`Command::Resume`]. A send that names an earlier one was given before
        /// this event was seen; it is dropped without an answer, because `stored`
        /// says what became of it.
        session: u32,
        /// Who made it.
        identity: Identity,
        /// The outgoing messages in its storages. Modems write the service centre
        /// and the message reference into the stored copy; here both are put back
        /// to what [`Command::Send`] usually carries: an empty service centre and
        /// reference 0.
        stored: Vec<Stored>,
        /// Whether the storage is evidence: each message is written there before it
        /// is sent, stays until it is forgotten, and says whether it was sent.
        keeps_parts: bool,
        /// Whether new messages are announced; they are looked for often otherwise.
        announces: bool,
        /// Whether status reports come.
        reports: bool,
        /// Whether a service centre is set on the SIM; none when the modem does not
        /// say.
        has_service_centre: Option<bool>,
        /// Whether it knows USSD, and USSD is wanted.
        ussd: bool,
    },
    /// A message or a status report came, or stands in a storage.
    Incoming {
        /// Give this back with [`Command::Erase`] once the message is safe.
        held: Held,
        /// SMSC octet and TPDU.
        pdu: Pdu,
    },
    /// A message was written to the storage and is about to be sent.
    Written {
        /// Which.
        id: i64,
        /// Where it stands.
        slot: Slot,
    },
    /// The network accepted a message.
    Sent {
        /// Which.
        id: i64,
        /// The message reference that its status report will carry; none when the
        /// modem's answer was lost and its storage says that it was sent.
        reference: Option<u8>,
        /// Where its copy stands.
        slot: Option<Slot>,
    },
    /// A message was not sent.
    SendFailed {
        /// Which.
        id: i64,
        /// Why; [`SendError::remedy`] says whether to try again.
        error: SendError,
        /// Where its copy stands.
        slot: Option<Slot>,
    },
    /// Nobody can say whether a message was sent. A new `Ready` follows by itself,
    /// and shows its copy if one is stored.
    SendUnknown {
        /// Which.
        id: i64,
    },
    /// An incoming message was let go.
    Erased {
        /// Which.
        held: Held,
    },
    /// A stored outgoing message was deleted.
    Forgotten {
        /// Where it stood.
        slot: Slot,
    },
    /// The network said something in a USSD session.
    Ussd(Ussd),
    /// What was to be said by USSD was not.
    UssdFailed {
        /// Why.
        error: SendError,
    },
    /// How well the modem hears the network; told at each interval.
    Signal(Signal),
    /// Where the modem stands with the network; told when it changes.
    Registration(Registration),
    /// How full the storage for incoming messages is; told when it changes.
    Storage {
        /// Which.
        name: StorageName,
        /// Messages in it.
        used: u16,
        /// Messages that fit.
        capacity: u16,
    },
    /// The port is gone or could not be opened, or the modem must be initialised
    /// again. It is tried again by itself; nothing is sent until the next `Ready`.
    Lost {
        /// Why, for the technician.
        reason: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// Somebody must do something before messages flow. Its text is a sentence for
    /// the technician.
    Fault(Fault),
    /// The modem does not come back, and is told to restart itself.
    Restarting,
    /// The modem is beyond what commands can mend: its power must be cut. Where
    /// [`Config::power_key`] is there, that is done, and [`Event::PowerCut`] follows.
    ResetWanted,
    /// The modem's power was cut, or why not.
    PowerCut(Result<(), String>),
}

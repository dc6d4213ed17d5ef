//! What goes into the driver and what comes out of it.

use std::time::Duration;

use crate::{Held, ModemError, Remedy, Slot, StorageName};

/// A SIM's PIN. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// Why a text is no PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a PIN has four to eight digits")]
pub struct PinError;

impl Pin {
    /// Checks a PIN (TS 31.101 §9.5.1).
    ///
    /// # Errors
    /// When it is not four to eight digits.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let fits = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(Pin(text.to_owned())) } else { Err(PinError) }
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(****)")
    }
}

/// By which way a message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendVia {
    /// Written to the modem's storage and sent from there (+CMGW, +CMSS): a power
    /// cut leaves STO UNSENT or STO SENT behind as evidence.
    #[default]
    Storage,
    /// Sent directly (+CMGS): faster, and after a cut nobody knows.
    Direct,
}

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct Config {
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
    /// How often all storages are read even if nothing was announced, because an
    /// announcement can get lost.
    pub sweep_interval: Duration,
    /// How often signal and registration are asked for.
    pub signal_interval: Duration,
    /// How long a modem may be silent before its power is cut. A third of that
    /// before it is told to restart itself.
    pub silence_before_reset: Duration,
    /// Whether USSD is wanted: its lines are switched on (+CUSD=1), and strings
    /// are written in UCS-2 where the modem knows that (+CSCS).
    pub ussd: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            pin: None,
            via: SendVia::Storage,
            storage: None,
            command_timeout: Duration::from_secs(5),
            send_timeout: Duration::from_secs(120),
            sweep_interval: Duration::from_secs(60),
            signal_interval: Duration::from_secs(60),
            silence_before_reset: Duration::from_secs(90),
            ussd: false,
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The port is open; what the modem is in the middle of is unknown.
    Opened,
    /// Bytes came from the modem.
    Bytes(&'a [u8]),
    /// The port is gone.
    Closed,
    /// Somebody wants something done.
    Command(Command),
    /// Time has passed.
    Tick,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Write these bytes to the port.
    Write(Vec<u8>),
    /// Tell whoever listens.
    Event(Event),
}

/// What the driver can be asked to do.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Send a message.
    Send {
        /// Comes back in the answer.
        id: i64,
        /// As the last [`Ready`] gave it.
        session: u32,
        /// SMSC octet and SMS-SUBMIT.
        pdu: Vec<u8>,
    },
    /// Send a message that is already stored.
    Resume {
        /// Comes back in the answer.
        id: i64,
        /// As the last [`Ready`] gave it.
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
    /// Say something in a USSD session, or begin one. [`Event::UssdSaid`] or
    /// [`Event::UssdFailed`] answers.
    Ussd {
        /// Whole command lines that say the same in different forms; the next one
        /// is tried where the modem does not understand the one before.
        ways: Vec<String>,
    },
    /// End the USSD session.
    EndUssd,
}

impl std::fmt::Debug for Command {
    /// Leaves the message's bytes out: they hold a number and what a person reads.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Command::Send { id, pdu, .. } => write!(f, "Send {{ id: {id}, {} bytes }}", pdu.len()),
            Command::Resume { id, slot, .. } => write!(f, "Resume {{ id: {id}, slot: {slot} }}"),
            Command::Erase { held } => write!(f, "Erase {{ {held:?} }}"),
            Command::Forget { slot } => write!(f, "Forget {{ slot: {slot} }}"),
            Command::Status => f.write_str("Status"),
            Command::Ussd { ways } => write!(f, "Ussd {{ {} ways }}", ways.len()),
            Command::EndUssd => f.write_str("EndUssd"),
        }
    }
}

/// What the driver tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The modem is initialised, and every storage was read. Comes after each
    /// initialisation, and before any message is sent.
    Ready(Ready),
    /// A message came, or stands in a storage. After each initialisation every
    /// stored message is told again until it is erased.
    Incoming {
        /// Give this back to let the message go.
        held: Held,
        /// What it is.
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
        /// Why.
        error: SendError,
        /// Where its copy stands.
        slot: Option<Slot>,
    },
    /// Nobody can say whether a message was sent. A new session follows.
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
    Ussd(UssdLine),
    /// The modem took what was to be said by USSD.
    UssdSaid {
        /// Which of the ways it took, from 0.
        way: usize,
    },
    /// What was to be said by USSD was not.
    UssdFailed(SendError),
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
    /// The modem must be initialised again; nothing is sent until the next `Ready`.
    Interrupted(Interruption),
    /// Somebody must do something before messages flow; told when it changes.
    Fault(Fault),
    /// The modem does not come back, and is told to restart itself (+CFUN=1,1).
    Restarting,
    /// The modem is beyond what commands can mend: cut its power or press its power
    /// key. Comes again, ever more rarely, while that does not help.
    ResetWanted,
}

/// A PDU as the modem printed it: SMSC octet and TPDU, not looked into.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdu(pub Vec<u8>);

impl std::fmt::Debug for Pdu {
    /// A PDU holds a number and a text, so its bytes stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pdu({} bytes)", self.0.len())
    }
}

/// A `+CUSD` line as the modem printed it, not looked into.
#[derive(Clone, PartialEq, Eq)]
pub struct UssdLine(pub String);

impl std::fmt::Debug for UssdLine {
    /// What somebody entered stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UssdLine({} bytes)", self.0.len())
    }
}

/// How strings are written between a modem's quotation marks (+CSCS, TS 27.007
/// §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// As text.
    Plain,
    /// As hexadecimal UTF-16.
    Ucs2,
}

/// What is known once a modem is initialised.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// Counts initialisations. A send that names an earlier one was given before
    /// this event was seen; it is dropped without an answer, because `stored` says
    /// what became of it.
    pub session: u32,
    /// Who made it.
    pub identity: Identity,
    /// The outgoing messages in all storages.
    pub stored: Vec<Stored>,
    /// Whether the storage is evidence: each message is written there before it
    /// is sent, stays until it is forgotten, and says whether it was sent.
    pub keeps_parts: bool,
    /// Whether new messages are announced; they are looked for often otherwise.
    pub announces: bool,
    /// Whether status reports come.
    pub reports: bool,
    /// Whether a service centre is set on the SIM; none when the modem does not say.
    pub has_service_centre: Option<bool>,
    /// How USSD strings are written; none where the modem knows no USSD, or none
    /// is wanted.
    pub ussd: Option<Charset>,
}

/// Who made a modem.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// +CGMI.
    pub manufacturer: String,
    /// +CGMM.
    pub model: String,
    /// +CGMR.
    pub revision: String,
    /// The last two digits of +CGSN: an IMEI follows a person's purchase.
    pub imei_tail: String,
}

/// A stored outgoing message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub slot: Slot,
    /// What it is.
    pub pdu: Pdu,
    /// Whether it was sent: STO SENT rather than STO UNSENT.
    pub sent: bool,
}

/// How well the modem hears the network (+CSQ, TS 27.007 §8.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Received power in dBm, -113 to -51; none when not detectable.
    pub dbm: Option<i16>,
}

/// Where the modem stands with the network (+CREG, TS 27.007 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Not registered, and not looking.
    Idle,
    /// In the home network.
    Home,
    /// Looking for a network.
    Searching,
    /// The network refused the SIM.
    Denied,
    /// The modem cannot tell.
    Unknown,
    /// In another operator's network.
    Roaming,
}

impl Registration {
    /// Whether messages can go.
    pub fn is_registered(self) -> bool {
        matches!(self, Registration::Home | Registration::Roaming)
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The modem or the network refused it.
    #[error("{0}")]
    Refused(ModemError),
    /// A service centre that is spoken to without a modem refused it.
    #[error("the service centre refused it with status {status:#06x}: {meaning}")]
    ServiceCentre {
        /// Its number for the reason.
        status: u32,
        /// What that means.
        meaning: &'static str,
        /// What to do about it.
        remedy: Remedy,
    },
    /// The modem did not answer in time, and its storage says that it was not sent.
    #[error("the modem did not answer in time")]
    TimedOut,
    /// The modem is not initialised.
    #[error("the modem is not ready")]
    NotReady,
    /// Other messages are waiting already.
    #[error("the modem has messages to send already")]
    Busy,
    /// The slot that was named holds no outgoing message.
    #[error("the modem no longer stores the message there")]
    NotStored,
    /// The bytes are no PDU: too short, or too long for one message.
    #[error("the PDU is not complete")]
    Malformed,
}

impl SendError {
    /// What to do about it.
    pub fn remedy(self) -> Remedy {
        match self {
            SendError::Refused(error) => error.remedy(),
            SendError::ServiceCentre { remedy, .. } => remedy,
            SendError::TimedOut | SendError::NotReady | SendError::Busy | SendError::NotStored => {
                Remedy::Retry
            }
            SendError::Malformed => Remedy::GiveUp,
        }
    }
}

/// Why a modem that worked must be initialised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// It forgot its settings.
    #[error("the modem restarted by itself")]
    Restarted,
    /// The SIM was pulled, or lost its contact.
    #[error("the SIM is gone")]
    SimGone,
    /// Commands go unanswered.
    #[error("the modem stopped answering")]
    Unanswered,
    /// It takes no message to be stored.
    #[error("the modem's storage takes no messages; they are sent directly for now")]
    StorageRefuses,
    /// It takes messages to be stored again.
    #[error("the modem's storage has room again; messages are sent through it")]
    StorageHasRoom,
    /// Nobody can say whether a message was sent.
    #[error("the modem did not say whether it sent a message")]
    FateUnknown,
    /// Its answer to the writing of a message was lost, and with it the place.
    #[error("the modem did not say where it stored a message")]
    PlaceUnknown,
}

/// What somebody must do before messages flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing comes from the modem.
    #[error("the modem does not answer; look at its power, its cable and the port's name")]
    Silent,
    /// The modem answers, but commands get stuck again and again.
    #[error("the modem gets stuck again and again; cut its power for ten seconds")]
    Hanging,
    /// Its power was cut, and it does not come back.
    #[error(
        "the modem does not come back, also after its power was cut; look at its power supply and \
         cable, or replace it"
    )]
    GivenUp,
    /// No SIM.
    #[error("there is no SIM in the modem, or it does not make contact")]
    SimMissing,
    /// The SIM does not work.
    #[error("the SIM failed; clean its contacts or replace it")]
    SimFailed,
    /// A PIN is wanted and none is configured.
    #[error("the SIM wants its PIN; set `pin` for this modem in jibu.toml")]
    PinMissing,
    /// The configured PIN was refused.
    #[error(
        "the SIM refused the PIN in jibu.toml; it is not tried again, because a third wrong one \
         locks the SIM: correct `pin` and restart"
    )]
    PinRefused,
    /// A wrong PIN was entered some time before.
    #[error(
        "a wrong PIN was entered before and {tries} tries are left; put the SIM in a phone, enter \
         its PIN there once, and put it back"
    )]
    PinTriesSpent {
        /// How many are left.
        tries: u8,
    },
    /// The SIM is locked.
    #[error("the SIM is locked and wants its PUK; put it in a phone and enter the PUK there")]
    PukWanted,
    /// The modem takes only SIMs of one operator.
    #[error("the modem is locked to another operator's SIM")]
    NetworkLocked,
    /// The modem only knows text mode.
    #[error("the modem has no PDU mode (AT+CMGF=0); another modem is needed")]
    NoPduMode,
    /// A step of the initialisation keeps failing.
    #[error("the modem does not become ready: {0}")]
    NotReady(ModemError),
}

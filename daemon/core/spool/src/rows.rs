//! What the spool keeps: the rows of `state.db` as values.
//!
//! The spool decides which rows change; `daemon/shell/store` writes them, all
//! changes of one [`Save`](crate::Output::Save) in one transaction.

use jibu_types::{Channel, PhoneNumber, Timestamp};

/// A message's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub i64);

/// An outbound part's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(pub i64);

/// A modem by its name in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModemName(pub String);

/// A place in a modem's message storage (TS 27.005 §3.2.3), such as `SM` 5.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// `SM`, `ME`, `MT`, `SR` …
    pub storage: String,
    /// The index that +CMGL printed.
    pub index: u16,
}

/// An incoming message that a modem, or the network behind it, keeps until it is
/// let go. Whoever drives the spool gives each showing a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What makes an incoming TPDU the same one when it is read again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SegmentKey {
    /// The originating address as it stood in the TPDU, names included.
    pub sender: String,
    /// The service-centre time stamp.
    pub sent_at: Timestamp,
    /// A hash over the TPDU, which holds the two fields above as well.
    pub tpdu_hash: [u8; 32],
}

/// To which concatenated message a segment belongs (TS 23.040 §9.2.3.24.1 and .8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Group {
    /// The concatenation reference.
    pub reference: u16,
    /// Whether it is a 16-bit reference; 8- and 16-bit ones are different spaces.
    pub wide: bool,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is, counted from 1.
    pub part: u8,
}

/// One incoming SMS-DELIVER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its identity.
    pub key: SegmentKey,
    /// Whom to answer; none for names such as an operator's.
    pub sender: Option<PhoneNumber>,
    /// Its place in a longer message.
    pub group: Option<Group>,
    /// The PDU as the modem gave it.
    pub pdu: Vec<u8>,
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageState {
    /// Parts of a concatenated message are missing.
    Gathering,
    /// Complete, or as complete as it will get; the answer is being found.
    Received,
    /// The answer's parts are in the spool.
    Answered,
    /// Kept, and not answered.
    Ignored(IgnoreReason),
}

/// Why a message gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoreReason {
    /// It came from a name, a short code or one of our own numbers.
    NotAPerson,
    /// The sender, the SIM or everybody together had all the answers that a day allows.
    Quota,
    /// The PDU could not be decoded.
    Unreadable,
}

/// A message's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The row.
    pub id: MessageId,
    /// By which channel it came.
    pub channel: Channel,
    /// The modem that it came through, and by which the answer leaves.
    pub modem: ModemName,
    /// Whom to answer.
    pub sender: Option<PhoneNumber>,
    /// When the first segment was kept.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: MessageState,
    /// Its segments so far, in order of arrival.
    pub segments: Vec<Segment>,
}

/// What the audit trail keeps of an answer: nothing that a person said.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSummary {
    /// `found`, `choose`, `unknown`, `urgent`, or the command that was obeyed.
    pub kind: String,
    /// The language answered in.
    pub language: String,
    /// The citations, the index version and the probability, as JSON.
    pub details: String,
}

/// Where an outbound part stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartState {
    /// Waiting for its turn, at the earliest at `not_before`.
    Ready {
        /// When it may be tried.
        not_before: Timestamp,
    },
    /// Given to a modem; its fate is unknown until the modem, its storage or a
    /// status report tells.
    Sending {
        /// Which modem.
        modem: ModemName,
        /// Where the modem keeps it, once +CMGW has said so.
        slot: Option<Slot>,
        /// When it was given.
        since: Timestamp,
    },
    /// On the air.
    Sent {
        /// The message reference, where the modem told it.
        reference: Option<u8>,
        /// When.
        at: Timestamp,
    },
    /// The status report says that it arrived.
    Delivered {
        /// The report's, by which it is known when it is shown again.
        reference: Option<u8>,
        /// When.
        at: Timestamp,
    },
    /// Given up.
    Failed {
        /// The report's, where one said so.
        reference: Option<u8>,
        /// When.
        at: Timestamp,
        /// The last error in words: a +CMS code or the report's status.
        why: String,
    },
}

/// An outbound part's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRow {
    /// The row.
    pub id: PartId,
    /// The message that it answers.
    pub message: MessageId,
    /// Its place in the answer, from 0.
    pub sequence: u16,
    /// The modem to send it by.
    pub modem: ModemName,
    /// To whom.
    pub recipient: PhoneNumber,
    /// SMSC octet and SMS-SUBMIT.
    pub pdu: Vec<u8>,
    /// How many times it was tried.
    pub attempts: u32,
    /// Where it stands.
    pub state: PartState,
}

/// One change to the rows. Changes of one save are applied together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new message, with the segments that it has.
    AddMessage(MessageRow),
    /// One more segment of a message.
    AddSegment {
        /// The message.
        message: MessageId,
        /// The segment.
        segment: Segment,
    },
    /// A message moved on.
    SetMessage {
        /// The message.
        message: MessageId,
        /// Where it stands now.
        state: MessageState,
    },
    /// What was answered; goes with `SetMessage` to `Answered`.
    Summarise {
        /// The message.
        message: MessageId,
        /// When.
        at: Timestamp,
        /// What.
        summary: AnswerSummary,
    },
    /// A new outbound part.
    AddPart(PartRow),
    /// An outbound part moved on.
    SetPart {
        /// The part.
        part: PartId,
        /// Tries so far.
        attempts: u32,
        /// Where it stands now.
        state: PartState,
    },
    /// The state of the conversation with a person, opaque here.
    KeepConversation {
        /// With whom.
        number: PhoneNumber,
        /// When.
        at: Timestamp,
        /// The state as JSON.
        state: String,
    },
}

/// What was in `state.db` at start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// The highest message id ever given; 0 in a new file.
    pub last_message: i64,
    /// The highest part id ever given; 0 in a new file.
    pub last_part: i64,
    /// Segments kept within `Config::remember_keys`, with their message.
    pub keys: Vec<(SegmentKey, MessageId)>,
    /// Messages in `Gathering` or `Received`, oldest first, with their segments.
    pub messages: Vec<MessageRow>,
    /// Messages received within the last day that went on although parts of them
    /// were missing, with their segments: a late part belongs to them.
    pub incomplete: Vec<MessageRow>,
    /// Parts in `Ready`, `Sending`, and within `Config::await_reports` those in
    /// `Sent` and those that a status report settled, oldest first.
    pub parts: Vec<PartRow>,
    /// Who was answered within the last day, through which modem, and when.
    pub answered: Vec<(PhoneNumber, ModemName, Timestamp)>,
}

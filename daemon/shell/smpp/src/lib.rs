//! Short messages by SMPP 3.4, as a client of an operator's SMSC.
//!
//! [`spawn`] gives the [`Handle`](jibu_modem::Handle) that a modem has, so
//! whoever moves messages need not know which of the two it speaks to. What comes
//! is put into the TPDUs that a modem would have printed and what leaves is taken
//! out of them: alphabets, parts, names as senders and hostile bytes are
//! `jibu-gsm`'s here as there.
//!
//! # What is promised
//!
//! * A `deliver_sm` is answered when [`Command::Erase`](jibu_modem::Command::Erase)
//!   says that it is committed, and not before: what a cut loses, the SMSC
//!   delivers again.
//! * A message that is delivered again after a cut is the same message, and equal
//!   texts that a person sends one after the other are two. SMPP gives a message
//!   no time and no name, so each gets the moment of its arrival as the time of
//!   the service centre; only as long as it is in doubt whether the SMSC has our
//!   answer does an equal text take that time over, once. The doubt ends when the
//!   SMSC answers something that was said after it on the same connection, which
//!   an `enquire_link` a second later sees to, or an hour after the next bind. Over
//!   a restart [`Config::in_doubt`] carries the messages whose answer has not left.
//!   Whoever sends an equal text during the doubt is answered once for both.
//! * A `submit_sm` without a response when the connection dies is of unknown fate,
//!   as with a modem that keeps no parts: its receipt settles it, else it is sent
//!   again.
//! * Receipts find their message by the message id, of which a hash serves as the
//!   message reference (TP-MR). SMSCs that write the id in hexadecimal here and in
//!   decimal there are understood for messages sent since the start.
//!
//! # What is not here
//!
//! USSD, and anything about slots: an SMSC has neither. Text in the SMPP codings
//! for Japanese, Cyrillic, Hebrew and Korean is kept as data: phones send UCS-2
//! for those. GSM 7-bit text that is packed into `short_message` is not
//! recognised; nearly all SMSCs write a character an octet.
//!
//! gammu-smsd's database as a fall-back for exotic phones was left out: killed
//! between reading a message and deleting it, it delivers two copies, and it
//! knows no stored parts, so neither promise of the spool would hold. A phone that
//! only gammu can speak to is better replaced by a modem.
//!
//! # Why a codec of our own
//!
//! `rusmpp` ends or loses its place in the stream at the first PDU that breaks a
//! rule (an address of 21 characters, a message id that is not ASCII), and an SMSC
//! delivers such a message again and again, so that one of them would keep all
//! others out. It examines this codec in `tests/`.

mod api;
mod dialogue;
mod doubt;
mod examine;
mod incoming;
mod outgoing;
mod pdu;
mod receipt;
mod session;
mod status;
mod tls;
mod translate;

pub use api::*;
pub use examine::examine;
pub use session::spawn;
pub use tls::{Tls, TlsError};
pub use translate::translate;

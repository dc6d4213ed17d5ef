//! The simulator's own SMS codec (TS 23.040, TS 23.038).
//!
//! It shares no code with the daemon's codec on purpose: a mistake that stood
//! in both would pass every end-to-end test.

pub mod alphabet;
mod compose;
mod national;
mod text;
mod time;
mod tpdu;

pub use compose::{Draft, deliver_parts, submit};
pub use text::{Alphabet, Concatenation, Element, UserData};
pub use time::ServiceTime;
pub use tpdu::{
    Address, Deliver, StatusReport, Submit, decode_deliver, decode_status_report, decode_submit,
    encode_deliver, encode_status_report, encode_submit, service_centre, split_service_centre,
    with_reference,
};

/// Why octets are no message, or a message no octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The octets end inside a field.
    #[error("the octets end inside {0}")]
    Short(&'static str),
    /// More octets than the length fields account for.
    #[error("{0} octets stand after the end of the message")]
    Surplus(usize),
    /// Another message type than the one that was asked for.
    #[error("the message type is not {0}")]
    Kind(&'static str),
    /// An address with a length or digit that no address has.
    #[error("an address of {0} digits or with a sign that no number has")]
    Address(usize),
    /// A text longer than 255 parts.
    #[error("the text needs {0} parts; a message has at most 255")]
    TooLong(usize),
    /// The text has characters that the alphabet asked for lacks.
    #[error("the text does not fit the alphabet asked for")]
    Alphabet,
}

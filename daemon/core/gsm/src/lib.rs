//! Short messages and USSD strings, as octets and as what they mean.
//!
//! Reads and writes the TPDUs of 3GPP TS 23.040 and the alphabets of TS 23.038,
//! cuts outgoing text into parts and joins incoming ones. All of it is plain
//! functions from bytes to values and back: the dialogue with the modem is
//! `jibu-at`'s, what to do with a message is `jibu-spool`'s.
//!
//! * [`Pdu::decode_incoming`]: what a modem printed, as a message or a report;
//! * [`assemble`]: the parts of a message, as its text;
//! * [`submit_parts`]: a text, as the PDUs that carry it; [`parts_needed`]:
//!   what it costs; [`plain()`]: the same with cheaper characters;
//! * [`ussd`]: `+CUSD` lines and `AT+CUSD` commands;
//! * [`describe`]: all of it spread out for a technician.
//!
//! Octets from the air can say anything: decoding returns an error and never
//! panics.

mod address;
pub mod alphabet;
mod assemble;
mod coding;
mod compose;
mod deliver;
pub mod describe;
mod error;
mod header;
mod pdu;
mod plain;
mod report;
mod submit;
mod time;
mod user_data;
pub mod ussd;
mod wire;

pub use address::{Address, NumberingPlan, TypeOfNumber};
pub use alphabet::{NationalLanguage, Shift};
pub use assemble::{Assembly, Content, assemble};
pub use coding::{Alphabet, Class, DataCoding, Waiting};
pub use compose::{
    Encoding, Layout, Plan, Shifts, SubmitOptions, SubmitPart, parts_needed, split, submit,
    submit_parts,
};
pub use deliver::{Deliver, Group};
pub use describe::Description;
pub use error::{DecodeError, EncodeError, Field};
pub use header::{Concat, ConcatReference, Element, Ports, UserDataHeader};
pub use pdu::{Direction, Incoming, MessageType, Pdu, Tpdu};
pub use plain::{Letters, plain};
pub use report::{Outcome, Parameters, Status, StatusReport};
pub use submit::Submit;
pub use time::{ServiceCentreTime, ValidityPeriod};
pub use user_data::{Body, MAX_OCTETS, MAX_SEPTETS, UserData};

//! A GSM modem on a serial port.
//!
//! Here `jibu-at`, which knows how to talk to a modem, meets `jibu-gsm`, which
//! knows what messages mean. This crate opens the port, hands bytes and time to
//! the driver, and opens the port again, for ever, when it goes away.

mod api;
mod examine;
mod port;
mod power;
mod search;
mod session;
mod stored;
mod strings;

pub use api::*;
pub use examine::{Errand, Examination, examine};
pub use power::{Hook, PowerKey};
pub use session::spawn;
pub use stored::as_given;

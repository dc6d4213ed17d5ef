//! Talking to a GSM modem: the AT dialogue (V.250, TS 27.005, TS 27.007) and the
//! procedure on top of it.
//!
//! PDUs are bytes here; `daemon/core/gsm` knows what they mean, and
//! `daemon/shell/modem` brings the two together over a serial port.

pub mod dialogue;
pub mod driver;
mod fault;
mod parameters;
mod slot;

pub use fault::{ModemError, Remedy};
pub use slot::{Held, Slot, StorageName, StorageNameError};

//! A GSM modem on a pseudo-terminal, with a network behind it.
//!
//! It stands in for real modems in tests and demonstrations: slow,
//! interrupting, lossy, and reproducible from its seed. It shares no code with
//! the daemon, so a misreading of the standards cannot pass at both ends.
//!
//! [`Simulator`] is the modem without clock and IO, for tests in virtual time;
//! [`Server`] puts it on a pseudo-terminal with a control socket; [`Client`]
//! talks to that socket.

pub mod at;
mod client;
pub mod codec;
pub mod control;
mod fault;
pub mod modem;
pub mod network;
pub mod profile;
mod pty;
mod sent;
mod server;
mod simulator;
pub mod store;
mod transcript;

pub use client::{Client, ClientError};
pub use fault::{Fault, FaultKind, Noise};
pub use profile::Profile;
pub use sent::{OnAir, SentMessage, SentPart};
pub use server::{Server, ServerError, ServerHandle};
pub use simulator::{ClientId, Input, Options, Output, Simulator};
pub use transcript::{Entry, Side, Transcript};

//! The daemon: what runs together, and what connects it.
//!
//! It reads the configuration, opens the stores and the models, starts a task
//! for each modem, the thread that moves messages and the one that answers, those
//! of the USSD sessions, the one that follows the hub, and the web server; and it
//! holds the commands of `jibud`. Decisions live in `daemon/core`, the outside in
//! `daemon/shell`.

pub mod answering;
pub mod board;
pub mod clock;
pub mod commands;
pub mod config;
pub mod hub;
pub mod index;
pub mod library;
pub mod run;
pub mod site;
pub mod sms;
pub mod spooling;
pub mod ussd;
pub mod vitals;

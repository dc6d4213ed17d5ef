//! A connection to an MQTT v5 broker that comes back for ever.
//!
//! It knows no topics and keeps no messages. What must not be lost is kept and
//! said again by whoever has it: a command that is given while there is no
//! connection goes nowhere, and [`Event::Connected`] is the moment to subscribe
//! and to publish anew. So every connection begins with a fresh event loop, and
//! none can be stuck in what the one before it left (rumqtt#1014, rumqtt#1056).

mod api;
mod reason;
mod session;
mod tls;

pub use api::{Broker, Command, Config, Credentials, Event, Handle, Message, QoS, keep_alive};
pub use session::spawn;
pub use tls::{Identity, Tls, TlsError};

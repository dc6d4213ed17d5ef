//! The broker that a hub brings along: rumqttd, which listens on this machine
//! alone, and before it a gate that sites come through.
//!
//! rumqttd knows neither who may write where nor who was revoked. The gate does:
//! it asks for a certificate, looks its owner up in the [`Roll`], holds each
//! packet against what that site may do ([`Access`]), and hands it on. A fleet
//! past one machine has a broker of its own, which the hub gives the same rules
//! as a file (`jibu-hub export`).

mod access;
mod frame;
mod gate;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

pub use access::{Access, Fingerprint, Roll};
pub use gate::{Gate, GateError};

/// The name by which the gate and the hub's own workers come in.
const USER: &str = "hub";

/// A running rumqttd. It ends with the process.
#[derive(Clone)]
pub struct Embedded {
    address: SocketAddr,
    password: String,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Starts rumqttd on a free port of the loopback, for whoever has this
    /// password, and waits until it listens.
    ///
    /// # Errors
    /// When no port or thread is to be had, or it does not come up.
    pub fn start(password: String) -> io::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let server = rumqttd::ServerSettings {
            name: "sites".into(),
            listen: address,
            tls: None,
            next_connection_delay_ms: 1,
            connections: rumqttd::ConnectionSettings {
                connection_timeout_ms: 60_000,
                max_payload_size: MAX_PACKET,
                max_inflight_count: 100,
                auth: Some(HashMap::from([(USER.to_owned(), password.clone())])),
                external_auth: None,
                dynamic_filters: false,
            },
        };
        let config = rumqttd::Config {
            router: rumqttd::RouterConfig {
                max_connections: 20_000,
                max_outgoing_packet_count: 200,
                // Chunks are wanted by whoever is there; nothing is kept for others.
                max_segment_size: 1 << 20,
                max_segment_count: 4,
                ..rumqttd::RouterConfig::default()
            },
            v5: Some(HashMap::from([("sites".to_owned(), server)])),
            ..rumqttd::Config::default()
        };
        std::thread::Builder::new().name("broker".into()).spawn(move || {
            if let Err(error) = rumqttd::Broker::new(config).start() {
                tracing::error!(%error, "the broker has ended");
            }
        })?;
        let begun = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not listen"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Embedded { address, password })
    }

    /// How one of the hub's own workers connects.
    pub fn connection(&self, client: &str) -> jibu_mqtt::Config {
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        let mut config =
            jibu_mqtt::Config::new(jibu_mqtt::Broker { host, port, tls: None }, client);
        let (user, password) = (USER.to_owned(), self.password.clone());
        config.credentials = Some(jibu_mqtt::Credentials { user, password });
        config.reconnect_at_most = Duration::from_secs(5);
        config
    }
}

/// The largest packet that passes, in bytes: twice the protocol's largest message.
const MAX_PACKET: usize = 20 * 1024;

//! `jibu-hub serve`: a [`Service`] at its broker, which is the hub's own or
//! another. What it decides is the service's; here are the connection, the clock
//! and the end.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use jibu_mqtt::{Command, Event, Message, QoS, Tls};
use jibu_types::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::broker::{Access, Embedded, Gate, GateError, Roll};
use crate::hub::while_;
use crate::key;
use crate::service::{Config, Input, Output, Service};
use crate::settings::{Broker, Settings};
use crate::state::values;
use crate::{Hub, HubError};

/// Why the hub cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The hub's state or settings.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The gate before its own broker.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Its own broker, or the threads.
    #[error("the broker or the threads around it could not be started")]
    Start(#[source] std::io::Error),
    /// The certificates for another broker.
    #[error("[broker] in hub.toml: the certificates cannot be used")]
    Tls(#[from] jibu_mqtt::TlsError),
    /// The authority's file.
    #[error("[broker] authority in hub.toml: {} cannot be read", path.display())]
    Authority {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

enum Told {
    Broker(Event),
    End,
}

/// Serves until SIGTERM or Ctrl-C. Several may serve one state at one broker.
///
/// # Errors
/// When it cannot begin. A broker may come later, and a state that fails
/// meanwhile is asked again.
pub fn serve(folder: &Path, clock: impl Fn() -> Timestamp) -> Result<(), ServeError> {
    let settings = Settings::read(folder).map_err(HubError::from)?;
    let mut hub = Hub::open(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ServeError::Start)?;
    let _inside = runtime.enter();

    let worker = format!("hub-{}", random()?);
    // Who may do what at the hub's own broker; another one has it from an export.
    let mut roll = None;
    let mut config = Config::new(&worker);
    if let Some(gather) = settings.gather {
        config.peer.gather = gather;
        config.peer.gather_settled = gather.min(config.peer.gather_settled);
    }
    let mut connection = match settings.broker {
        Broker::Own { listen, hosts } => {
            let sites = Arc::new(Roll::default());
            sites.replace(hub.roll(clock())?);
            let own = hub.broker_identity(&hosts, clock())?;
            let broker = Embedded::start(random()?).map_err(ServeError::Start)?;
            let authority = hub.authority_pem()?;
            let gate = Gate::new(
                &authority,
                &own.certificate,
                &own.key,
                Arc::clone(&sites),
                broker.clone(),
            )?;
            let address = runtime.block_on(gate.open(listen))?;
            roll = Some(sites);
            tracing::info!(%address, hosts = hosts.join(" "), "sites may come");
            broker.connection(&worker)
        }
        Broker::Other { host, port, with_tls, authority, shared } => {
            config.shares = shared;
            let tls = match with_tls {
                true => Some(other_tls(&hub, authority.as_deref(), clock())?),
                false => None,
            };
            jibu_mqtt::Config::new(jibu_mqtt::Broker { host, port, tls }, &worker)
        }
    };
    // A worker that comes back has another name; what its session missed, others
    // have done, or sites say again.
    connection.session_expiry = Duration::ZERO;
    connection.reconnect_at_most = Duration::from_secs(15);

    let mut handle = jibu_mqtt::spawn(connection);
    let (tell, told) = channel();
    let ender = tell.clone();
    runtime.spawn(async move {
        while let Some(event) = handle.events.recv().await {
            if tell.send(Told::Broker(event)).is_err() {
                return;
            }
        }
    });
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Start)?;
    runtime.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        let _ = ender.send(Told::End);
    });

    let mut service = Service::new(hub, config, clock())?;
    loop {
        let now = clock();
        let deadline = service.deadline();
        let wait = if deadline > now { deadline.since(now) } else { Duration::ZERO };
        // A clock that is set while it waits makes it wait no longer than this.
        let input = match told.recv_timeout(wait.min(Duration::from_secs(30))) {
            Ok(Told::End) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(Told::Broker(event)) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
        };
        let input = match &input {
            None => Input::Tick,
            Some(Event::Connected { .. }) => {
                tracing::info!("connected to the broker");
                Input::Connected
            }
            Some(Event::Message { topic, payload }) => Input::Message { topic, payload },
            Some(Event::Disconnected { reason, .. }) => {
                tracing::warn!(reason, "no broker");
                Input::Disconnected
            }
        };
        if let Err(error) = service.handle(input, clock()) {
            tracing::error!("{}", crate::cli::sentence(&error));
            // The state may be away for a while.
            std::thread::sleep(Duration::from_millis(500));
        }
        while let Some(output) = service.poll() {
            let command = match output {
                Output::Subscribe(topics) => Command::Subscribe(topics, QoS::AtLeastOnce),
                Output::Publish { topic, payload, retain } => {
                    let qos = if retain { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                    Command::Publish(Message { topic, payload, qos, retain })
                }
                Output::AccessChanged => {
                    let Some(roll) = &roll else { continue };
                    match service.hub().roll(clock()) {
                        Ok(sites) => roll.replace(sites),
                        Err(error) => tracing::error!("{}", crate::cli::sentence(&error)),
                    }
                    continue;
                }
                Output::Note(words) => {
                    tracing::warn!("{words}");
                    continue;
                }
            };
            // It is gone only when the process ends.
            let _ = handle.commands.blocking_send(command);
        }
    }
    drop(handle.commands);
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(())
}

/// How a worker and a broker that is not the hub's own know each other.
fn other_tls(hub: &Hub, authority: Option<&Path>, now: Timestamp) -> Result<Tls, ServeError> {
    let authority = match authority {
        None => hub.authority_pem()?.into_bytes(),
        Some(path) => std::fs::read(path)
            .map_err(|source| ServeError::Authority { path: path.to_owned(), source })?,
    };
    let own = hub.worker_identity(now)?;
    let own = jibu_mqtt::Identity::from_pem(own.certificate.as_bytes(), own.key.as_bytes())?;
    Ok(Tls::from_pem(&authority, Some(own))?)
}

/// Sixteen hexadecimal digits that nobody guesses.
fn random() -> Result<String, HubError> {
    let mut bytes = [0; 16];
    key::fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Hub {
    /// Who may come in and what each may do, by the serial numbers of the
    /// certificates that are good.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn roll(&mut self, now: Timestamp) -> Result<HashMap<Vec<u8>, Access>, HubError> {
        let accesses = self.access(now)?.into_iter().map(|one| (one.client.clone(), one));
        let accesses: HashMap<String, Access> = accesses.collect();
        let doing = while_("reading certificates");
        let sql = "SELECT serial, site FROM certificate
                   WHERE revoked_ms IS NULL AND until_ms >= ?1";
        let rows = self.database.query(sql, values![now.unix_ms()]).map_err(&doing)?;
        let mut roll = HashMap::new();
        for row in &rows {
            let site: String = row.get(1).map_err(&doing)?;
            if let Some(access) = accesses.get(&site) {
                roll.insert(row.get(0).map_err(&doing)?, access.clone());
            }
        }
        Ok(roll)
    }
}

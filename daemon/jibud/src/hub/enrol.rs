//! Becoming a site of a hub: this box makes a key, shows an invitation, and gets
//! a certificate; over the link or by files on a stick.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use jibu_mqtt::{Broker, Command, Event, Message, QoS, Tls};
use jibu_sync::enrol::{Grant, Invitation};
use jibu_sync::wire::Topic;
use tokio::time::{Instant, timeout_at};

use super::credentials::{Credentials, claim};
use crate::config::{Address, Config};

/// How long a hub may take over a bad link.
const PATIENCE: Duration = Duration::from_secs(300);
/// After how long the request is said again.
const AGAIN: Duration = Duration::from_secs(20);

/// The message that a stick carries to the hub.
///
/// # Errors
/// When the credentials' folder cannot be written.
pub fn request(config: &Config, invitation: &Invitation) -> anyhow::Result<Vec<u8>> {
    let (key, claim) = claim(&config.credentials, &invitation.site)?;
    Ok(claim.enrol(&key, invitation))
}

/// Takes what a stick brought back.
///
/// # Errors
/// When it is not the answer to this box's request.
pub fn accept(config: &Config, invitation: &Invitation, bytes: &[u8]) -> anyhow::Result<Grant> {
    let grant = open(&config.credentials, invitation, bytes)?;
    grant.context(
        "this is not the answer to this box's request: make the request again with --request, and \
         carry that file to the hub",
    )
}

/// Asks over the link.
///
/// # Errors
/// When the hub does not answer, or answers that it does not know the invitation,
/// which is the same to a box that must not be told more.
pub fn over_link(
    config: &Config,
    broker: &Address,
    invitation: &Invitation,
) -> anyhow::Result<Grant> {
    let asked = request(config, invitation)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let granted = runtime.block_on(ask(config, broker, invitation, &asked));
    runtime.shutdown_background();
    granted
}

async fn ask(
    config: &Config,
    broker: &Address,
    invitation: &Invitation,
    asked: &[u8],
) -> anyhow::Result<Grant> {
    let site = &invitation.site;
    // Who the hub is shows in its answer, which only it can seal.
    let tls = if broker.with_tls { Some(Tls::with_anybody()?) } else { None };
    let broker = Broker { host: broker.host.clone(), port: broker.port, tls };
    // The name under which a broker lets strangers in (the hub's README).
    let mut connection = jibu_mqtt::Config::new(broker, format!("enrol:{site}"));
    connection.reconnect_at_most = AGAIN;
    connection.session_expiry = Duration::ZERO;
    let mut handle = jibu_mqtt::spawn(connection);
    let say = Command::Publish(Message {
        topic: Topic::Enrol(site.clone()).to_string(),
        payload: asked.to_vec(),
        qos: QoS::AtMostOnce,
        retain: false,
    });
    let listen =
        Command::Subscribe(vec![Topic::Enrolled(site.clone()).to_string()], QoS::AtMostOnce);

    let end = Instant::now() + PATIENCE;
    let (mut again, mut connected) = (end, false);
    let mut why = "nothing was heard of the broker".to_owned();
    loop {
        let Ok(event) = timeout_at(again.min(end), handle.events.recv()).await else {
            if Instant::now() >= end {
                bail!("{why}");
            }
            if connected {
                handle.commands.send(say.clone()).await?;
            }
            again = Instant::now() + AGAIN;
            continue;
        };
        match event.context("the connection has ended")? {
            Event::Connected { .. } => {
                connected = true;
                why = "the hub did not answer: is it running, and is the invitation still good \
                       (`jibu-hub site list` there)?"
                    .into();
                handle.commands.send(listen.clone()).await?;
                handle.commands.send(say.clone()).await?;
                again = Instant::now() + AGAIN;
            }
            Event::Message { payload, .. } => {
                // Anybody may write something here: what is no answer is passed over.
                if let Some(grant) = open(&config.credentials, invitation, &payload)? {
                    return Ok(grant);
                }
            }
            Event::Disconnected { reason, .. } => {
                connected = false;
                tracing::info!(reason, "no link");
                why = reason;
            }
        }
    }
}

fn open(
    credentials: &Path,
    invitation: &Invitation,
    bytes: &[u8],
) -> anyhow::Result<Option<Grant>> {
    let (key, claim) = claim(credentials, &invitation.site)?;
    let grant = Grant::open(bytes, &claim, invitation);
    if let Some(grant) = &grant {
        Credentials::keep(credentials, &key, grant)?;
    }
    Ok(grant)
}

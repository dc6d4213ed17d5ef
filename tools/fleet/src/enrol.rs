use std::time::Duration;

use anyhow::{Context, bail};
use jibu_mqtt::{Broker, Command, Config, Event, Identity, Message, QoS, Tls};
use jibu_sync::SiteKey;
use jibu_sync::enrol::{Claim, Grant, Invitation};
use jibu_sync::wire::Topic;
use jibu_tests::Stage;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// A site that its hub knows.
#[derive(Debug)]
pub struct Enrolled {
    pub(crate) key: SiteKey,
    /// What the hub gave it.
    pub grant: Grant,
}

/// Becomes a site of a hub at the door for strangers, over a connection of its own.
///
/// # Errors
/// When no answer comes within `patience`.
pub async fn enrol(
    invitation: &Invitation,
    door: Broker,
    patience: Duration,
) -> anyhow::Result<Enrolled> {
    const AGAIN: Duration = Duration::from_secs(20);
    let site = &invitation.site;
    let (mut seed, mut nonce) = ([0; 32], [0; 16]);
    getrandom::fill(&mut seed).context("there is no randomness")?;
    getrandom::fill(&mut nonce).context("there is no randomness")?;
    let key = SiteKey::from_random(seed);
    let claim = Claim { site: site.clone(), key: key.public(), nonce };

    let mut config = Config::new(door, format!("enrol:{site}"));
    config.session_expiry = Duration::ZERO;
    config.reconnect_at_most = AGAIN;
    let mut handle = jibu_mqtt::spawn(config);
    let listen = vec![Topic::Enrolled(site.clone()).to_string()];
    let say = Command::Publish(Message {
        topic: Topic::Enrol(site.clone()).to_string(),
        payload: claim.enrol(&key, invitation),
        qos: QoS::AtMostOnce,
        retain: false,
    });
    let end = Instant::now() + patience;
    let mut again = end;
    let mut why = "the hub did not answer".to_owned();
    loop {
        match timeout_at(again.min(end), handle.events.recv()).await {
            Err(_) if Instant::now() >= end => bail!("{site} was not enrolled: {why}"),
            Err(_) => handle.commands.send(say.clone()).await?,
            Ok(event) => match event.context("the connection has ended")? {
                Event::Connected { .. } => {
                    let listen = Command::Subscribe(listen.clone(), QoS::AtMostOnce);
                    handle.commands.send(listen).await?;
                    handle.commands.send(say.clone()).await?;
                }
                Event::Message { payload, .. } => {
                    if let Some(grant) = Grant::open(&payload, &claim, invitation) {
                        return Ok(Enrolled { key, grant });
                    }
                }
                Event::Disconnected { reason, .. } => why = reason,
            },
        }
        again = Instant::now() + AGAIN;
    }
}

/// Takes sites in at a stage's hub, which is serving, has them enrol over its
/// broker, 64 at a time, and tells the broker of them.
///
/// # Errors
/// When the hub refuses or does not answer.
pub async fn enlist(stage: &Stage, names: &[String]) -> anyhow::Result<Vec<Enrolled>> {
    const PATIENCE: Duration = Duration::from_secs(120);
    let door = match &stage.mosquitto {
        None => {
            let tls = Some(Tls::with_anybody()?);
            Broker { host: "localhost".into(), port: stage.broker_port(), tls }
        }
        Some(mosquitto) => {
            Broker { host: "localhost".into(), port: mosquitto.strangers, tls: None }
        }
    };
    let mut enrolled = Vec::new();
    for names in names.chunks(64) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut claims = JoinSet::new();
        for invitation in stage.invite(&names)? {
            let (invitation, door) = (Invitation::parse(&invitation)?, door.clone());
            claims.spawn(async move { enrol(&invitation, door, PATIENCE).await });
        }
        while let Some(done) = claims.join_next().await {
            enrolled.push(done??);
        }
    }
    stage.tell_broker()?;
    Ok(enrolled)
}

impl Enrolled {
    /// The broker at this port of this machine, as the site meets it.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn broker(&self, port: u16) -> anyhow::Result<Broker> {
        let own = Identity::from_der(self.grant.certificate.clone(), self.key.reveal_pkcs8())?;
        let tls = Tls::from_der(self.grant.authority.clone(), Some(own))?;
        Ok(Broker { host: "localhost".into(), port, tls: Some(tls) })
    }
}

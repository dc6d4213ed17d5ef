//! The task behind a connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS as WireQoS;
use rumqttc::v5::mqttbytes::v5::{Filter, LastWill, Packet, SubscribeReasonCode as Code};
use rumqttc::v5::{AsyncClient, ClientError, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::api::{Command, Config, Event, Handle, Message, QoS};
use crate::reason;

/// Messages that wait for the socket at most; with packets of 10 KiB, 160 KiB.
const IN_FLIGHT: usize = 16;
/// The first wait after a connection was lost.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// A connection that held so long was a good one: the next wait is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// Starts a connection, on the present tokio runtime.
pub fn spawn(config: Config) -> Handle {
    let (commands, received) = mpsc::channel(IN_FLIGHT);
    let (listener, events) = mpsc::channel(64);
    tokio::spawn(run(config, received, listener));
    Handle { commands, events }
}

async fn run(
    mut config: Config,
    mut commands: mpsc::Receiver<Command>,
    listener: mpsc::Sender<Event>,
) {
    let mut pause = RECONNECT_AFTER;
    loop {
        let begun = Instant::now();
        let Some(reason) = connection(&mut config, &mut commands, &listener).await else { return };
        if begun.elapsed() >= GOOD_AFTER {
            pause = RECONNECT_AFTER;
        }
        // Sites that lost one broker together do not come back together.
        let retry_in = pause.mul_f64(0.5 + fastrand::f64());
        let event = Event::Disconnected { reason, retry_in };
        if listener.send(event).await.is_err()
            || idle(&mut config, &mut commands, retry_in).await.is_err()
        {
            return;
        }
        pause = (pause * 2).min(config.reconnect_at_most.max(RECONNECT_AFTER));
    }
}

/// One connection, from its first packet to its end. `None` when nobody wants one
/// any more.
async fn connection(
    config: &mut Config,
    commands: &mut mpsc::Receiver<Command>,
    listener: &mpsc::Sender<Event>,
) -> Option<String> {
    let (client, mut events) = AsyncClient::new(options(config), IN_FLIGHT);
    let connected = AtomicBool::new(false);
    let patience = config.open_timeout + 2 * config.keep_alive;
    let ended = tokio::select! {
        ended = listen(&mut events, listener, patience, &connected) => ended,
        () = obey(&client, commands, &mut config.last_will, &connected) => End::Abandoned,
    };
    match ended {
        End::Lost(reason) => Some(reason),
        End::Abandoned => {
            let _ = client.try_disconnect();
            if connected.load(Ordering::Relaxed) {
                // What was commanded leaves before the DISCONNECT, if it leaves soon.
                let _ = timeout(Duration::from_secs(5), drain(&mut events)).await;
            }
            None
        }
    }
}

async fn drain(events: &mut EventLoop) {
    loop {
        if events.poll().await.is_err() {
            return;
        }
    }
}

enum End {
    Lost(String),
    Abandoned,
}

/// Turns the event loop until it fails, or is silent although its own pings
/// should have made a noise: then it is stuck and is thrown away.
async fn listen(
    events: &mut EventLoop,
    listener: &mpsc::Sender<Event>,
    patience: Duration,
    connected: &AtomicBool,
) -> End {
    loop {
        let polled = match timeout(patience, events.poll()).await {
            Ok(polled) => polled,
            Err(_) => return End::Lost("the connection was stuck".into()),
        };
        let event = match polled {
            Ok(rumqttc::v5::Event::Incoming(Packet::ConnAck(answer))) => {
                connected.store(true, Ordering::Relaxed);
                Event::Connected { resumed: answer.session_present }
            }
            Ok(rumqttc::v5::Event::Incoming(Packet::Publish(publish))) => Event::Message {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: publish.payload.to_vec(),
            },
            Ok(rumqttc::v5::Event::Incoming(Packet::SubAck(answer))) => {
                let refused =
                    answer.return_codes.iter().filter(|code| !matches!(code, Code::Success(_)));
                if refused.clone().next().is_some() {
                    let topics = refused.count();
                    tracing::warn!(topics, "the broker refuses subscriptions: ask its admin");
                }
                continue;
            }
            Ok(_) => continue,
            Err(error) => return End::Lost(reason::sentence(&error)),
        };
        if listener.send(event).await.is_err() {
            return End::Abandoned;
        }
    }
}

/// Carries out commands until nobody gives any more.
async fn obey(
    client: &AsyncClient,
    commands: &mut mpsc::Receiver<Command>,
    last_will: &mut Option<Message>,
    connected: &AtomicBool,
) {
    while let Some(command) = commands.recv().await {
        if let Command::LastWill(message) = command {
            *last_will = Some(message);
            continue;
        }
        if !connected.load(Ordering::Relaxed) {
            tracing::debug!("not connected: a command was dropped");
            continue;
        }
        // It fails only when the event loop is gone, which `listen` reports.
        if let Err(error) = carry_out(client, command).await {
            tracing::debug!(%error, "a command was dropped");
        }
    }
}

async fn carry_out(client: &AsyncClient, command: Command) -> Result<(), ClientError> {
    match command {
        Command::Publish(Message { topic, payload, qos, retain }) => {
            client.publish(topic, wire(qos), retain, payload).await
        }
        Command::Subscribe(topics, qos) => {
            client
                .subscribe_many(topics.into_iter().map(|topic| Filter::new(topic, wire(qos))))
                .await
        }
        Command::Unsubscribe(topics) => {
            for topic in topics {
                client.unsubscribe(topic).await?;
            }
            Ok(())
        }
        // It concerns the next connection, not this one.
        Command::LastWill(_) => Ok(()),
    }
}

/// Waits without a connection. An error when nobody wants one any more.
async fn idle(
    config: &mut Config,
    commands: &mut mpsc::Receiver<Command>,
    pause: Duration,
) -> Result<(), ()> {
    let until = Instant::now() + pause;
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::LastWill(message)) => config.last_will = Some(message),
                Some(_) => {}
                None => return Err(()),
            },
            () = sleep_until(until) => return Ok(()),
        }
    }
}

fn options(config: &Config) -> MqttOptions {
    let broker = &config.broker;
    let mut options = MqttOptions::new(&config.client, &broker.host, broker.port);
    options
        // The client takes no less.
        .set_keep_alive(config.keep_alive.max(Duration::from_secs(5)))
        .set_clean_start(false)
        .set_session_expiry_interval(u32::try_from(config.session_expiry.as_secs()).ok())
        .set_connection_timeout(config.open_timeout.as_secs())
        // The client keeps a place for each from the beginning: 13 MB for 65,535.
        .set_outgoing_inflight_upper_limit(IN_FLIGHT as u16)
        .set_max_packet_size(Some(config.max_packet));
    if let Some(tls) = &broker.tls {
        let tls = TlsConfiguration::Rustls(tls.config.clone());
        options.set_transport(Transport::tls_with_config(tls));
    }
    if let Some(credentials) = &config.credentials {
        options.set_credentials(&credentials.user, &credentials.password);
    }
    if let Some(Message { topic, payload, qos, retain }) = &config.last_will {
        options.set_last_will(LastWill::new(topic, payload.clone(), wire(*qos), *retain, None));
    }
    options
}

fn wire(qos: QoS) -> WireQoS {
    match qos {
        QoS::AtMostOnce => WireQoS::AtMostOnce,
        QoS::AtLeastOnce => WireQoS::AtLeastOnce,
    }
}

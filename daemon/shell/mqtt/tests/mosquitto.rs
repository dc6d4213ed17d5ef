//! The connection against Debian's mosquitto, and against things that are no broker.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use jibu_mqtt::{Broker, Command, Config, Event, Handle, Identity, Message, QoS, Tls, TlsError};
use tokio::time::{sleep, timeout};

struct Mosquitto(Child);

impl Mosquitto {
    fn start(folder: &Path, port: u16, more: &str) -> Self {
        let config = folder.join("mosquitto.conf");
        let text =
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{more}\n");
        std::fs::write(&config, text).unwrap();
        let child = Process::new("mosquitto")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("mosquitto is installed (apt install mosquitto)");
        Mosquitto(child)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(port: u16, client: &str) -> Config {
    let broker = Broker { host: "127.0.0.1".into(), port, tls: None };
    let mut config = Config::new(broker, client);
    config.open_timeout = Duration::from_secs(5);
    config.reconnect_at_most = Duration::from_secs(1);
    config
}

async fn next(handle: &mut Handle) -> Event {
    timeout(Duration::from_secs(30), handle.events.recv()).await.expect("an event").expect("open")
}

/// The next event that is no try that failed.
async fn until_connected(handle: &mut Handle) {
    let mut last = None;
    for _ in 0..30 {
        last = Some(next(handle).await);
        if matches!(last, Some(Event::Connected { .. })) {
            return;
        }
    }
    panic!("no connection in thirty tries; the last: {last:?}");
}

fn message(topic: &str, payload: &str, retain: bool) -> Message {
    Message { topic: topic.into(), payload: payload.into(), qos: QoS::AtLeastOnce, retain }
}

#[tokio::test]
async fn a_message_goes_from_one_client_to_the_other_and_a_retained_one_waits() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let _broker = Mosquitto::start(folder.path(), port, "");
    let mut hub = jibu_mqtt::spawn(config(port, "hub"));
    until_connected(&mut hub).await;
    hub.commands.send(Command::Publish(message("a/root", "one", true))).await.unwrap();
    sleep(Duration::from_millis(300)).await;

    let mut site = jibu_mqtt::spawn(config(port, "site"));
    until_connected(&mut site).await;
    let topics = vec!["a/root".to_owned(), "a/k/+".to_owned()];
    site.commands.send(Command::Subscribe(topics, QoS::AtMostOnce)).await.unwrap();
    let got = |topic: &str, payload: &[u8]| Event::Message {
        topic: topic.into(),
        payload: payload.into(),
    };
    assert_eq!(next(&mut site).await, got("a/root", b"one"));

    // The largest message of the protocol passes.
    let large = "x".repeat(9 * 1024);
    hub.commands.send(Command::Publish(message("a/k/7", &large, false))).await.unwrap();
    assert_eq!(next(&mut site).await, got("a/k/7", large.as_bytes()));
    site.commands.send(Command::Unsubscribe(vec!["a/k/+".to_owned()])).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    hub.commands.send(Command::Publish(message("a/k/8", "not for it", false))).await.unwrap();
    hub.commands.send(Command::Publish(message("a/root", "two", true))).await.unwrap();
    assert_eq!(next(&mut site).await, got("a/root", b"two"));
}

#[tokio::test]
async fn a_broker_that_goes_away_and_comes_back_is_met_again_and_the_will_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let broker = Mosquitto::start(folder.path(), port, "");
    let mut watcher = jibu_mqtt::spawn(config(port, "watcher"));
    until_connected(&mut watcher).await;
    drop(broker);
    assert!(matches!(next(&mut watcher).await, Event::Disconnected { .. }));
    // What is said now is said to nobody, and does not come later.
    watcher.commands.send(Command::Publish(message("lost", "lost", true))).await.unwrap();
    let _broker = Mosquitto::start(folder.path(), port, "");
    until_connected(&mut watcher).await;
    let topics = vec!["will".to_owned(), "lost".to_owned()];
    watcher.commands.send(Command::Subscribe(topics, QoS::AtMostOnce)).await.unwrap();

    let mut config = config(port, "site");
    config.last_will = Some(message("will", "gone", false));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut site = {
        let _inside = runtime.enter();
        jibu_mqtt::spawn(config)
    };
    until_connected(&mut site).await;
    // The process dies: its socket closes without a word.
    runtime.shutdown_background();
    let gone = Event::Message { topic: "will".into(), payload: b"gone".to_vec() };
    assert_eq!(next(&mut watcher).await, gone);
}

#[tokio::test]
async fn what_is_no_broker_is_named_as_such() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut one = config(silent.local_addr().unwrap().port(), "a");
    one.open_timeout = Duration::from_secs(1);
    let mut handle = jibu_mqtt::spawn(one);
    let Event::Disconnected { reason, .. } = next(&mut handle).await else { panic!() };
    assert!(reason.contains("did not answer in time"), "{reason}");

    let babbler = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = babbler.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = babbler.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400\r\n\r\n").await;
        }
    });
    let mut handle = jibu_mqtt::spawn(config(port, "b"));
    assert!(matches!(next(&mut handle).await, Event::Disconnected { .. }));

    let mut handle = jibu_mqtt::spawn(config(free_port(), "c"));
    let Event::Disconnected { reason, .. } = next(&mut handle).await else { panic!() };
    assert!(reason.contains("nothing listens"), "{reason}");
}

/// A connection whose network swallows everything after the handshake is thrown
/// away, and a new one is made.
#[tokio::test]
async fn a_stuck_connection_is_replaced() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            // CONNACK: no session, success, no properties. Then silence.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, &[0x20, 3, 0, 0, 0]).await;
            kept.push(socket);
            let _ = told.send(());
        }
    });
    let mut config = config(port, "site");
    config.keep_alive = Duration::from_secs(5);
    let mut handle = jibu_mqtt::spawn(config);
    assert!(matches!(next(&mut handle).await, Event::Connected { .. }));
    let Event::Disconnected { reason, .. } = next(&mut handle).await else { panic!() };
    assert!(reason.contains("pings") || reason.contains("stuck"), "{reason}");
    assert!(matches!(next(&mut handle).await, Event::Connected { .. }));
    assert!(accepted.recv().await.is_some() && accepted.recv().await.is_some());
}

struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Authority { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// Certificate and key as PEM.
    fn sign(&self, name: &str) -> (String, String) {
        // OpenSSL does not read the form in which ring writes Ed25519 keys.
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn tls(authorities: &str, chain: &str, key: &str) -> Result<Tls, TlsError> {
    let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes())?;
    Tls::from_pem(authorities.as_bytes(), Some(identity))
}

#[tokio::test]
async fn certificates_of_both_ends_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("the hub");
    let (chain, key) = authority.sign("localhost");
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    file("ca.pem", &authority.certificate.pem());
    file("broker.pem", &chain);
    file("broker.key", &key);
    // mosquitto, started by root, reads its files as the user "mosquitto".
    Process::new("chmod").args(["-R", "a+rX"]).arg(folder.path()).status().unwrap();
    let port = free_port();
    let at = folder.path().display();
    let _broker = Mosquitto::start(
        folder.path(),
        port,
        &format!(
            "cafile {at}/ca.pem\ncertfile {at}/broker.pem\nkeyfile {at}/broker.key\n\
             require_certificate true\nuse_identity_as_username true"
        ),
    );
    let with = |tls: Tls| {
        let mut config = config(port, "mangochi-2");
        config.broker = Broker { host: "localhost".into(), port, tls: Some(tls) };
        config
    };
    let ca = authority.certificate.pem();
    let (chain, key) = authority.sign("mangochi-2");
    let own = tls(&ca, &chain, &key).unwrap();
    let mut site = jibu_mqtt::spawn(with(own));
    until_connected(&mut site).await;

    let refused = async |tls: Tls| {
        let mut site = jibu_mqtt::spawn(with(tls));
        let Event::Disconnected { reason, .. } = next(&mut site).await else { panic!() };
        reason
    };
    let stranger = Authority::new("another hub");
    let (chain, key) = stranger.sign("mangochi-2");
    let strange = tls(&ca, &chain, &key).unwrap();
    let why = refused(strange).await;
    assert!(why.contains("certificate") || why.contains("cut"), "{why}");
    let why = refused(Tls::from_pem(ca.as_bytes(), None).unwrap()).await;
    assert!(why.contains("certificate") || why.contains("cut"), "{why}");
    let why = refused(Tls::from_pem(stranger.certificate.pem().as_bytes(), None).unwrap()).await;
    assert!(why.contains("ca.pem"), "{why}");
}

#[test]
fn files_that_are_no_certificates_are_refused_by_what_is_wrong() {
    let authority = Authority::new("the hub");
    let ca = authority.certificate.pem();
    let (chain, key) = authority.sign("a");
    let (_, other_key) = authority.sign("b");
    let why = |authorities: &str, chain: &str, key: &str| {
        tls(authorities, chain, key).unwrap_err().to_string()
    };
    assert!(why("", &chain, &key).contains("authority"));
    assert!(why("rubbish", &chain, &key).contains("authority"));
    assert!(why(&ca, &key, &key).contains("no certificate"));
    assert!(why(&ca, &chain, &chain).contains("no private key"));
    assert!(why(&ca, &chain, &other_key).contains("do not fit"));
}

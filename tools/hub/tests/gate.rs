//! Sites come through the gate to the hub's own broker, and no further than they may.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jibu_hub::broker::{Access, Embedded, Gate, Roll};
use jibu_mqtt::{Broker, Command, Config, Event, Handle, Identity, Message, QoS, Tls};
use jibu_sync::wire::SiteName;
use jibu_types::CollectionName;
use tokio::time::timeout;

struct Authority {
    pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

/// A certificate in PEM with its serial number, and its key.
struct Signed {
    certificate: String,
    key: String,
    serial: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: rcgen::Issuer::new(params, key) }
    }

    fn sign(&self, name: &str) -> Signed {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        let serial = [&[0x41], name.as_bytes()].concat();
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem(), serial }
    }
}

struct Stage {
    authority: Authority,
    roll: Arc<Roll>,
    embedded: Embedded,
    address: SocketAddr,
}

impl Stage {
    async fn new() -> Self {
        let authority = Authority::new();
        let embedded = Embedded::start("a password of one run".into()).unwrap();
        let own = authority.sign("localhost");
        let roll = Arc::new(Roll::default());
        let gate = Gate::new(
            &authority.pem,
            &own.certificate,
            &own.key,
            Arc::clone(&roll),
            embedded.clone(),
        );
        let address = gate.unwrap().open(([127, 0, 0, 1], 0).into()).await.unwrap();
        Stage { authority, roll, embedded, address }
    }

    fn site(&self, client: &str, signed: &Signed) -> Handle {
        let own = Identity::from_pem(signed.certificate.as_bytes(), signed.key.as_bytes());
        let tls = Tls::from_pem(self.authority.pem.as_bytes(), Some(own.unwrap())).unwrap();
        let broker = Broker { host: "localhost".into(), port: self.address.port(), tls: Some(tls) };
        jibu_mqtt::spawn(Config::new(broker, client))
    }

    fn enlist(&self, sites: &[(&str, &Signed)]) {
        let collections = [CollectionName::parse("health").unwrap()];
        let entry = |(name, signed): &(&str, &Signed)| {
            let site = SiteName::parse(name).unwrap();
            (signed.serial.clone(), Access::of_site(&site, &collections))
        };
        self.roll.replace(sites.iter().map(entry).collect::<HashMap<_, _>>());
    }
}

async fn next(handle: &mut Handle) -> Event {
    timeout(Duration::from_secs(30), handle.events.recv()).await.expect("an event").unwrap()
}

async fn subscribe(handle: &Handle, filter: &str) {
    let command = Command::Subscribe(vec![filter.into()], QoS::AtMostOnce);
    handle.commands.send(command).await.unwrap();
}

async fn publish(handle: &Handle, topic: &str, payload: &str) {
    let (topic, payload) = (topic.into(), payload.into());
    let message = Message { topic, payload, qos: QoS::AtLeastOnce, retain: true };
    handle.commands.send(Command::Publish(message)).await.unwrap();
}

fn message(topic: &str, payload: &str) -> Event {
    Event::Message { topic: topic.into(), payload: payload.into() }
}

#[tokio::test]
async fn a_site_reads_its_collections_and_writes_its_own_topics() {
    let stage = Stage::new().await;
    let (one, two) = (stage.authority.sign("one"), stage.authority.sign("two"));
    stage.enlist(&[("one", &one), ("two", &two)]);
    let mut hub = jibu_mqtt::spawn(stage.embedded.connection("hub-1"));
    assert!(matches!(next(&mut hub).await, Event::Connected { .. }));
    subscribe(&hub, "jibu/1/s/+/req").await;
    publish(&hub, "jibu/1/c/health/root", "root").await;
    publish(&hub, "jibu/1/c/secret/root", "secret").await;

    let mut site = stage.site("one", &one);
    assert!(matches!(next(&mut site).await, Event::Connected { .. }));
    // What it may not read it does not get, and the connection stays.
    subscribe(&site, "jibu/1/c/secret/root").await;
    subscribe(&site, "jibu/1/s/two/#").await;
    subscribe(&site, "jibu/1/c/health/root").await;
    assert_eq!(next(&mut site).await, message("jibu/1/c/health/root", "root"));
    publish(&site, "jibu/1/s/one/req", "mine").await;
    assert_eq!(next(&mut hub).await, message("jibu/1/s/one/req", "mine"));

    // Writing elsewhere ends it, and reaches nobody.
    publish(&site, "jibu/1/s/two/req", "not mine").await;
    assert!(matches!(next(&mut site).await, Event::Disconnected { .. }));
    let mut other = stage.site("two", &two);
    assert!(matches!(next(&mut other).await, Event::Connected { .. }));
    publish(&other, "jibu/1/s/two/req", "really").await;
    assert_eq!(next(&mut hub).await, message("jibu/1/s/two/req", "really"));
}

#[tokio::test]
async fn whoever_is_not_on_the_roll_stays_outside_and_whoever_is_taken_off_goes() {
    let stage = Stage::new().await;
    let (one, stranger) = (stage.authority.sign("one"), stage.authority.sign("stranger"));
    stage.enlist(&[("one", &one)]);
    let mut refused = stage.site("stranger", &stranger);
    assert!(matches!(next(&mut refused).await, Event::Disconnected { .. }));
    let mut under_another_name = stage.site("two", &one);
    assert!(matches!(next(&mut under_another_name).await, Event::Disconnected { .. }));

    let mut site = stage.site("one", &one);
    assert!(matches!(next(&mut site).await, Event::Connected { .. }));
    stage.enlist(&[]);
    assert!(matches!(next(&mut site).await, Event::Disconnected { .. }));
}

#[tokio::test]
async fn a_stranger_reaches_the_enrolment_and_nothing_else() {
    let stage = Stage::new().await;
    let mut hub = jibu_mqtt::spawn(stage.embedded.connection("hub-1"));
    assert!(matches!(next(&mut hub).await, Event::Connected { .. }));
    subscribe(&hub, "jibu/1/#").await;
    let stranger = |client: &str| {
        let tls = Some(Tls::with_anybody().unwrap());
        let broker = Broker { host: "localhost".into(), port: stage.address.port(), tls };
        jibu_mqtt::spawn(Config::new(broker, client))
    };
    let mut as_a_site = stranger("one");
    assert!(matches!(next(&mut as_a_site).await, Event::Disconnected { .. }));

    let mut enrolling = stranger("enrol:one");
    assert!(matches!(next(&mut enrolling).await, Event::Connected { .. }));
    subscribe(&enrolling, "jibu/1/#").await;
    subscribe(&enrolling, "jibu/1/e/one/reply").await;
    publish(&enrolling, "jibu/1/e/one/ask", "please").await;
    assert_eq!(next(&mut hub).await, message("jibu/1/e/one/ask", "please"));
    publish(&hub, "jibu/1/e/one/reply", "here").await;
    assert_eq!(next(&mut enrolling).await, message("jibu/1/e/one/reply", "here"));
    publish(&enrolling, "jibu/1/s/one/state", "I am one").await;
    assert!(matches!(next(&mut enrolling).await, Event::Disconnected { .. }));
}

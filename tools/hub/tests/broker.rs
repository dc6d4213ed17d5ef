//! What `site export` writes, as mosquitto understands it: who may connect, and
//! what each may read and write.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(unused_macros, reason = "the desk's macro is for other test programs")]

mod desk;

use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use desk::{Desk, now};
use jibu_hub::{Hub, SiteSettings};
use jibu_sync::SiteKey;
use jibu_sync::enrol::{Claim, Grant};
use jibu_sync::wire::SiteName;
use jibu_tests::Mosquitto;
use jibu_types::CollectionName;

struct Broker {
    desk: Desk,
    mosquitto: Mosquitto,
}

impl Broker {
    fn start(desk: Desk) -> Self {
        let mosquitto = Mosquitto::start(&desk.folder.path().join("out")).unwrap();
        Broker { desk, mosquitto }
    }

    /// The options of a client with the identity `name`, or with none.
    fn client(&self, program: &str, name: Option<&str>) -> Command {
        let out = self.desk.folder.path().join("out");
        let mut command = Command::new(program);
        command.args(["-V", "5", "-h", "localhost"]).current_dir(out);
        match name {
            Some(name) => {
                let (pem, key) = (format!("{name}.pem"), format!("{name}.key.pem"));
                command.args(["-p", &self.mosquitto.port.to_string(), "--cafile", "ca.pem"]);
                command.args(["--cert", &pem, "--key", &key]);
            }
            None => drop(command.args(["-p", &self.mosquitto.strangers.to_string()])),
        }
        command
    }

    /// Whether the broker lets `name` publish to a topic.
    fn writes(&self, name: Option<&str>, topic: &str) -> bool {
        let mut publish = self.client("mosquitto_pub", name);
        let Output { status, stderr, .. } =
            publish.args(["-q", "1", "-t", topic, "-m", "x"]).output().unwrap();
        let said = String::from_utf8_lossy(&stderr);
        let refused = said.contains("Not authorized") || said.contains("not authorised");
        assert!(refused || status.success(), "{name:?} {topic}: {said}");
        !refused
    }

    /// Those of `topics` that reach `name` when the hub publishes to all.
    fn reads(&self, name: Option<&str>, topics: &[&str]) -> Vec<String> {
        for topic in topics {
            let mut publish = self.client("mosquitto_pub", Some("hub"));
            let sent = publish.args(["-q", "1", "-r", "-t", topic, "-m", "x"]).output().unwrap();
            assert!(sent.status.success(), "{sent:?}");
        }
        let mut subscribe = self.client("mosquitto_sub", name);
        let got = subscribe.args(["-W", "2", "-F", "%t", "-t", "#"]).output().unwrap();
        // A broker that grants nothing of a pattern may refuse it as a whole.
        let mut heard: Vec<String> =
            String::from_utf8(got.stdout).unwrap().lines().map(str::to_owned).collect();
        heard.sort();
        heard
    }
}

/// Takes a site in, and writes its certificate and key where clients find them.
fn enrol(desk: &Desk, hub: &mut Hub, name: &str, groups: &[&str]) {
    let site = SiteName::parse(name).unwrap();
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    let settings = SiteSettings { groups: Some(groups), ..SiteSettings::default() };
    let until = now() + Duration::from_secs(86_400 * 3650);
    let invitation = hub.add_site(&site, &settings, until, now()).unwrap();
    let key = SiteKey::from_random([name.len() as u8; 32]);
    let claim = Claim { site, key: key.public(), nonce: [1; 16] };
    let reply = hub.answer_claim(&claim.enrol(&key, &invitation), today()).unwrap().unwrap();
    let grant = Grant::open(&reply, &claim, &invitation).unwrap();
    let out = desk.folder.path().join("out");
    fs::create_dir_all(&out).unwrap();
    for (der, kind, pem) in [
        (grant.certificate, "x509", format!("{name}.pem")),
        (key.reveal_pkcs8(), "pkey", format!("{name}.key.pem")),
    ] {
        fs::write(out.join("der"), der).unwrap();
        let mut convert = Command::new("openssl");
        convert.args([kind, "-inform", "der", "-in", "der", "-out", &pem]).current_dir(&out);
        assert!(convert.output().unwrap().status.success());
    }
}

/// Certificates are tried against this machine's clock.
fn today() -> jibu_types::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    jibu_types::Timestamp::from_unix_seconds(since.as_secs() as i64)
}

#[test]
fn a_site_reads_and_writes_its_own_topics_only() {
    let desk = Desk::with_sqlite();
    let mut hub = desk.hub();
    desk.ingest(&mut hub, "Boil the water.");
    let staff = CollectionName::parse("staff").unwrap();
    let note = desk.folder.path().join("note.md");
    hub.ingest(&staff, &[note], None, false).unwrap();
    hub.entitle(&staff, &["clinics".to_owned()]).unwrap();
    enrol(&desk, &mut hub, "zomba", &[]);
    enrol(&desk, &mut hub, "mangochi-2", &["clinics"]);
    enrol(&desk, &mut hub, "lost", &[]);
    hub.revoke_site(&SiteName::parse("lost").unwrap(), today()).unwrap();
    let out = desk.folder.path().join("out");
    hub.export(&out, &["localhost".to_owned()], today()).unwrap();
    let broker = Broker::start(desk);

    let (zomba, mangochi) = (Some("zomba"), Some("mangochi-2"));
    for below in ["req", "state", "telemetry/health", "renew"] {
        assert!(broker.writes(zomba, &format!("jibu/1/s/zomba/{below}")), "{below}");
        assert!(!broker.writes(zomba, &format!("jibu/1/s/mangochi-2/{below}")), "{below}");
        assert!(!broker.writes(mangochi, &format!("jibu/1/s/zomba/{below}")), "{below}");
    }
    for topic in [
        "jibu/1/s/zomba/cmd",
        "jibu/1/s/zomba/ack",
        "jibu/1/c/health/root",
        "jibu/1/c/staff/root",
        "jibu/1/e/zomba/reply",
        "jibu/1/s/zomba/telemetry/health/more",
        "elsewhere",
    ] {
        assert!(!broker.writes(zomba, topic), "{topic}");
        assert_eq!(broker.writes(Some("hub"), topic), topic != "elsewhere", "{topic}");
    }
    let topics = [
        "jibu/1/c/health/k/0/00112233445566ff",
        "jibu/1/c/health/root",
        "jibu/1/c/staff/root",
        "jibu/1/s/mangochi-2/ack",
        "jibu/1/s/mangochi-2/cmd",
        "jibu/1/s/zomba/ack",
        "jibu/1/s/zomba/cmd",
        "jibu/1/s/zomba/renewed",
    ];
    let common = [topics[0], topics[1]];
    let own = |more: &[&str]| -> Vec<String> {
        common.iter().chain(more).map(|topic| (*topic).to_owned()).collect()
    };
    assert_eq!(broker.reads(zomba, &topics), own(&topics[5..8]));
    assert_eq!(broker.reads(mangochi, &topics), own(&topics[2..5]));
    // Who has no certificate may enrol.
    assert!(broker.writes(None, "jibu/1/e/new/ask"));
    assert!(!broker.writes(None, "jibu/1/s/zomba/req"));
    assert!(!broker.writes(None, "jibu/1/e/new/reply"));
    let answers = ["jibu/1/c/health/root", "jibu/1/e/new/reply"];
    assert_eq!(broker.reads(None, &answers), ["jibu/1/e/new/reply"]);
    // A revoked certificate opens nothing, and a made-up one neither.
    let mut lost = broker.client("mosquitto_pub", Some("lost"));
    let refused = lost.args(["-t", "jibu/1/s/lost/req", "-m", "x"]).output().unwrap();
    assert!(!refused.status.success(), "{refused:?}");
}

//! The hub's broker, a site that enrols and follows, a change that reaches it, and
//! a site that is shut out.

use std::time::{Duration, Instant};

use jibu_tests::{Footing, Stage, run};

use crate::documents;

const NOTICE: &str = "---\nlanguage: en\n---\n# Opening hours of the service centre\n\n\
    The service centre opens at 8:00 and closes at 16:00 from Monday to Friday.\n";
const QUESTION: &str = "When does the service centre open?";

fn ask(stage: &Stage, question: &str) -> String {
    run(&mut stage.jibud(&["ask", question, "--channel", "sms", "--json"])).unwrap()
}

/// Waits until it is so, or fails with both logs.
fn until(stage: &Stage, patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < patience,
            "{what} did not come to be; jibud said:\n{}\nthe hub said:\n{}",
            stage.log(),
            std::fs::read_to_string(stage.path("hub.log")).unwrap_or_default(),
        );
        std::thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn a_site_enrols_fetches_follows_a_change_and_is_shut_out() {
    const PATIENCE: Duration = Duration::from_secs(180);
    let stage = Stage::new(None).unwrap();
    let notices = stage.path("notices");
    std::fs::create_dir(&notices).unwrap();
    std::fs::write(notices.join("hours.md"), NOTICE).unwrap();
    stage.publish("local", &notices).unwrap();
    stage.publish("health", &documents()).unwrap();
    let _hub = stage.serve().unwrap();
    stage.configure_with(&stage.link(), "").unwrap();
    let said = stage.enrol("mangochi-2").unwrap();
    assert!(said.contains("health") && said.contains("local"), "{said}");

    // Everything comes over the link.
    let _daemon = stage.daemon().unwrap();
    let active = || stage.versions().unwrap_or_default();
    until(&stage, PATIENCE, "both collections", || {
        let list = active();
        list.contains("health 1.1: active") && list.contains("local 1.1: active")
    });
    assert!(ask(&stage, QUESTION).contains("8:00"), "{}", ask(&stage, QUESTION));

    // A change comes by itself, and the hub learns what the site runs, signed.
    let status = || run(&mut stage.hub(&["site", "list", "--json"])).unwrap();
    std::fs::write(notices.join("hours.md"), NOTICE.replace("8:00", "7:30")).unwrap();
    stage.publish("local", &notices).unwrap();
    until(&stage, PATIENCE, "the new version", || active().contains("local 1.2: active"));
    assert!(ask(&stage, QUESTION).contains("7:30"), "{}", ask(&stage, QUESTION));
    until(&stage, PATIENCE, "the site's word of it", || status().contains("\"active\": \"1.2\""));

    // Whoever is revoked gets nothing new.
    run(&mut stage.hub(&["site", "revoke", "mangochi-2"])).unwrap();
    until(&stage, PATIENCE, "the end of its link", || stage.log().contains("no link to the hub"));
    std::fs::write(notices.join("hours.md"), NOTICE.replace("8:00", "9:15")).unwrap();
    stage.publish("local", &notices).unwrap();
    std::thread::sleep(Duration::from_secs(10));
    assert!(!active().contains("local 1.3"), "{}", active());
    assert!(ask(&stage, QUESTION).contains("7:30"));
}

#[test]
fn a_box_enrols_and_follows_at_mosquitto() {
    let stage = Stage::on(Footing::Mosquitto).unwrap();
    let notices = stage.path("notices");
    std::fs::create_dir(&notices).unwrap();
    std::fs::write(notices.join("hours.md"), NOTICE).unwrap();
    stage.publish("local", &notices).unwrap();
    let _hub = stage.serve().unwrap();
    stage.configure_with(&stage.link(), "").unwrap();
    let said = stage.enrol("mangochi-2").unwrap();
    assert!(said.contains("local"), "{said}");
    let _daemon = stage.daemon().unwrap();
    until(&stage, Duration::from_secs(120), "the collection", || {
        stage.versions().unwrap_or_default().contains("local 1.1: active")
    });
}

#[test]
fn a_certificate_is_renewed_in_time_and_the_old_one_opens_nothing() {
    const LIFE: Duration = Duration::from_secs(60);
    let mut stage = Stage::new(None).unwrap();
    stage.certificates = Some(LIFE);
    let notices = stage.path("notices");
    std::fs::create_dir(&notices).unwrap();
    std::fs::write(notices.join("hours.md"), NOTICE).unwrap();
    stage.publish("local", &notices).unwrap();
    let _hub = stage.serve().unwrap();
    stage.configure_with(&stage.link(), "").unwrap();
    stage.enrol("mangochi-2").unwrap();
    let old = Credentials::of(&stage);
    let _daemon = stage.daemon().unwrap();
    until(&stage, LIFE, "another certificate", || {
        Credentials::of(&stage).grant["certificate"] != old.grant["certificate"]
    });
    let connections = || stage.log().matches("connected to the hub").count();
    until(&stage, LIFE, "a connection with it", || connections() >= 2);

    // The old one is refused although it has not run out.
    let refused = (0..20).find_map(|_| {
        std::thread::sleep(Duration::from_millis(250));
        old.refusal(stage.broker_port())
    });
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(refused.is_some(), "the old certificate still lets in");
    assert!((since.as_millis() as i64) < old.grant["until_ms"].as_i64().unwrap(), "{refused:?}");

    // The new one holds past the end of the first.
    std::thread::sleep(LIFE / 2);
    let list = run(&mut stage.hub(&["site", "list"])).unwrap();
    assert!(list.contains("mangochi-2: online"), "{list}");
}

/// A small disk for the site, full but for so many kilobytes; `None` where this
/// user may not mount one.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(stage: &Stage) -> Option<Self> {
        let folder = stage.path("site");
        std::fs::create_dir_all(&folder).unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&folder);
        match run(&mut mount) {
            Ok(_) => Some(Disk(folder)),
            Err(error) => {
                println!("skipped, no disk can be mounted: {error}");
                None
            }
        }
    }

    fn fill(&self, leave_kb: u64) {
        let space = rustix::fs::statvfs(&self.0).unwrap();
        let free = space.f_bavail * space.f_frsize;
        std::fs::write(self.filler(), vec![1; (free - leave_kb * 1024) as usize]).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> std::path::PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a daemon may still end there.
        let _ = run(std::process::Command::new("umount").arg("-l").arg(&self.0));
    }
}

#[test]
fn a_full_disk_is_named_loses_nothing_and_goes_on_with_room() {
    const PATIENCE: Duration = Duration::from_secs(120);
    let stage = Stage::new(None).unwrap();
    let Some(disk) = Disk::mount(&stage) else { return };
    let notices = stage.path("notices");
    std::fs::create_dir(&notices).unwrap();
    std::fs::write(notices.join("hours.md"), NOTICE).unwrap();
    let bundle = stage.bundle("local", &notices).unwrap();
    let health = stage.bundle("health", &documents()).unwrap();
    let _hub = stage.serve().unwrap();
    stage.configure_with(&stage.link(), "").unwrap();
    stage.enrol("mangochi-2").unwrap();
    stage.import(&bundle).unwrap();

    // A bundle, at several points at which the room ends.
    for leave_kb in [0, 64, 256] {
        disk.fill(leave_kb);
        let refused = stage.import(&health).unwrap_err().to_string();
        assert!(refused.contains("the disk is full"), "{leave_kb} kB left: {refused}");
        disk.make_room();
        let list = stage.versions().unwrap();
        assert!(list.contains("local 1.1: active"), "{list}");
        assert!(!list.contains("health 1.1: active"), "{list}");
        run(&mut stage.jibud(&["index", "verify"])).unwrap();
    }

    // Over the link: the box keeps answering, says what is wrong, and goes on.
    disk.fill(128);
    let mut daemon = stage.daemon().unwrap();
    until(&stage, PATIENCE, "the sentence", || stage.log().contains("full"));
    std::thread::sleep(Duration::from_secs(5));
    assert!(daemon.ended().unwrap().is_none());
    daemon.kill().unwrap();
    disk.make_room();
    let _daemon = stage.daemon().unwrap();
    until(&stage, PATIENCE, "both collections", || {
        let list = stage.versions().unwrap_or_default();
        list.contains("health 1.1: active") && list.contains("local 1.1: active")
    });
}

/// What makes a box a site, as `jibud` keeps it.
struct Credentials {
    key: jibu_sync::SiteKey,
    grant: serde_json::Value,
}

impl Credentials {
    fn of(stage: &Stage) -> Self {
        let read = |name| {
            std::fs::read_to_string(stage.path("site").join("credentials").join(name)).unwrap()
        };
        // The two are replaced one after the other; only the grant is compared.
        let key = jibu_sync::SiteKey::parse(read("site.key").trim()).unwrap();
        Credentials { key, grant: serde_json::from_str(&read("grant.json")).unwrap() }
    }

    /// Why the hub's gate does not let it in; `None` when it does.
    fn refusal(&self, port: u16) -> Option<String> {
        use jibu_mqtt::{Broker, Config, Event, Identity, Tls};
        let der = |name: &str| hex::decode(self.grant[name].as_str().unwrap()).unwrap();
        let own = Identity::from_der(der("certificate"), self.key.reveal_pkcs8()).unwrap();
        let tls = Tls::from_der(der("authority"), Some(own)).unwrap();
        let broker = Broker { host: "localhost".into(), port, tls: Some(tls) };
        let site = self.grant["site"].as_str().unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            match jibu_mqtt::spawn(Config::new(broker, site)).events.recv().await.unwrap() {
                Event::Disconnected { reason, .. } => Some(reason),
                _ => None,
            }
        })
    }
}

#[test]
fn a_box_without_a_link_enrols_by_a_stick() {
    let stage = Stage::new(None).unwrap();
    stage.publish("health", &documents()).unwrap();
    stage.configure("").unwrap();
    let said = run(&mut stage.hub(&["site", "add", "blantyre"])).unwrap();
    let invitation = said.split_whitespace().find(|word| word.starts_with("blantyre:")).unwrap();
    let (request, answer) = (stage.path("request"), stage.path("answer"));
    let enrol = |option: &str, file: &std::path::Path| {
        run(&mut stage.jibud(&["enrol", invitation, option, file.to_str().unwrap()]))
    };
    enrol("--request", &request).unwrap();
    run(stage.hub(&["site", "enrol"]).arg(&request).arg("--out").arg(&answer)).unwrap();

    // What is not the answer is refused, and changes nothing.
    let refused = enrol("--answer", &request).unwrap_err().to_string();
    assert!(refused.contains("not the answer"), "{refused}");
    let said = enrol("--answer", &answer).unwrap();
    assert!(said.contains("blantyre") && said.contains("health"), "{said}");
    let list = run(&mut stage.hub(&["site", "list"])).unwrap();
    assert!(list.contains("blantyre"), "{list}");
}

#[test]
fn a_question_for_a_person_travels_is_answered_and_the_next_asker_gets_it() {
    const PATIENCE: Duration = Duration::from_secs(120);
    const ASKED: &str = "Where can I register my motorcycle in Zomba?";
    let stage = Stage::new(None).unwrap();
    let bundle = stage.bundle("health", &documents()).unwrap();
    let _hub = stage.serve().unwrap();
    stage.configure_with(&stage.link(), "").unwrap();
    stage.enrol("zomba").unwrap();
    stage.import(&bundle).unwrap();
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "9"]).unwrap();
    let mut daemon = stage.daemon().unwrap();

    let asker = "+265991234567";
    for (at, text) in [ASKED, "PERSON"].into_iter().enumerate() {
        modem.control.deliver(asker, text).unwrap();
        until(&stage, PATIENCE, text, || modem.sent_to(asker).unwrap().len() > at);
    }
    assert!(modem.sent_to(asker).unwrap()[1].contains("passed your question to a person"));
    let questions = || run(&mut stage.hub(&["questions", "--json"])).unwrap();
    until(&stage, PATIENCE, "the question at the hub", || questions().contains(ASKED));
    let list: serde_json::Value = serde_json::from_str(&questions()).unwrap();
    assert!(!questions().contains("991234567"), "{list}");
    let id = list[0]["id"].to_string();

    let answer = "Register a motorcycle at the road traffic office in Zomba, beside the market.";
    let answered = ["answer", &id, "--text", answer, "--collection", "health"];
    run(&mut stage.hub(&answered)).unwrap();
    until(&stage, PATIENCE, "the reply on the asker's phone", || {
        modem.sent_to(asker).unwrap().iter().any(|text| text.contains("beside the market"))
    });

    // It is a passage now: whoever asks next gets it, and the first no second time.
    run(&mut stage.hub(&["publish", "health"])).unwrap();
    until(&stage, PATIENCE, "the new version", || {
        stage.versions().unwrap_or_default().contains("health 1.2: active")
    });
    let next = "+265997654321";
    modem.control.deliver(next, ASKED).unwrap();
    let heard = modem.wait_for(next, &mut daemon, PATIENCE).unwrap();
    assert!(heard.contains("road traffic office"), "{heard}");
    let replies = modem.sent_to(asker).unwrap();
    assert_eq!(replies.iter().filter(|text| text.contains("market")).count(), 1, "{replies:?}");
    assert!(!stage.log().contains("motorcycle") && !stage.log().contains("991234567"));
}

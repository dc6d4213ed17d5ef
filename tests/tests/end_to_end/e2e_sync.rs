//! One story of hub and sites on every footing that a hub may have: enrolment,
//! two collections, a change, a worker killed in the middle of a large one, a
//! question for a person, a site that is shut out, a broker that forgets. The
//! hub, the broker and PostgreSQL are the real programs; the sites are
//! `jibu-fleet`'s, so that the story takes no models.

use std::path::Path;
use std::time::{Duration, Instant};

use jibu_fleet::{Member, Pace, Pool, enlist, start, text, watch};
use jibu_sync::telemetry::{Person, Record};
use jibu_tests::{Footing, Running, Stage, run};
use jibu_types::{CollectionName, IndexVersion, Language};
use tokio::runtime::Runtime;

/// Side by side, because most of it is waiting.
#[test]
fn sites_follow_their_hub_on_every_footing() {
    std::thread::scope(|threads| {
        threads.spawn(|| Scene::open(Footing::Own, 1).play());
        threads.spawn(|| Scene::open(Footing::Mosquitto, 1).play());
        threads.spawn(|| Scene::open(Footing::MosquittoAndPostgres, 2).play());
    });
}

#[test]
fn a_hub_from_an_old_backup_says_what_to_do_and_goes_on() {
    let mut scene = Scene::open(Footing::Own, 1);
    scene.until("the first sync", |scene| scene.all_have("notices", 1));
    let (hub, backup) = (scene.stage.path("hub"), scene.stage.path("backup"));
    scene.workers.clear();
    copy(&hub, &backup);
    scene.workers.push(scene.stage.serve().unwrap());
    for version in [2, 3] {
        scene.publish("notices", &text::document(3, version));
        scene.until("a change", |scene| scene.all_have("notices", version as u64));
    }
    scene.workers.clear();
    std::fs::remove_dir_all(&hub).unwrap();
    copy(&backup, &hub);
    scene.workers.push(scene.stage.serve().unwrap());

    const WAY_OUT: &str = "jibu-hub publish notices --above 1.3";
    let log = || std::fs::read_to_string(scene.stage.path("hub.log")).unwrap();
    scene.until("the hub's warning", |_| log().contains(WAY_OUT));
    let publish = |more: &[&str]| run(scene.stage.hub(&["publish", "notices"]).args(more));
    scene.ingest("notices", &text::document(4, 0));
    let refused = publish(&[]).unwrap_err().to_string();
    assert!(refused.contains(WAY_OUT), "{refused}");
    publish(&["--above", "1.3"]).unwrap();
    let (notices, version) = (CollectionName::parse("notices").unwrap(), version(2, 1));
    scene.until("the new epoch", |s| s.sites.iter().all(|site| site.has(&notices, version)));
}

#[test]
fn publishers_at_once_are_told_and_lose_nothing() {
    let stage = Stage::new(None).unwrap();
    let document = |number: usize| {
        let folder = stage.path(&format!("folder-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{number}.md")), text::document(1 + number, 0)).unwrap();
        folder
    };
    stage.publish("notices", &document(0)).unwrap();
    let folders: Vec<_> = (1..5).map(document).collect();
    std::thread::scope(|threads| {
        for folder in &folders {
            threads.spawn(|| match stage.publish("notices", folder) {
                Ok(_) => {}
                // Another was quicker; its version has this document or the next will.
                Err(error) => assert!(error.to_string().contains("publish"), "{error}"),
            });
        }
    });
    run(&mut stage.hub(&["publish", "notices"])).unwrap();
    let list = run(&mut stage.hub(&["list"])).unwrap();
    assert!(list.contains("5 documents"), "{list}");
    let bundle = stage.path("bundle");
    let again = run(stage.hub(&["bundle", "notices", "--out"]).arg(&bundle)).unwrap();
    assert!(again.contains("(unchanged)"), "{again}");
}

const PATIENCE: Duration = Duration::from_secs(120);
const GATHER: Duration = Duration::from_secs(1);
const SITES: usize = 6;

struct Scene {
    /// Ends before the stage goes.
    runtime: Runtime,
    workers: Vec<Running>,
    sites: Vec<Member>,
    watcher: Option<Member>,
    stage: Stage,
}

impl Scene {
    /// A hub with two collections, its workers serving, and sites that are enrolled.
    fn open(footing: Footing, workers: usize) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut stage = Stage::on(footing).unwrap();
        stage.gather_s = GATHER.as_secs() as u32;
        let mut scene =
            Scene { runtime, workers: Vec::new(), sites: Vec::new(), watcher: None, stage };
        scene.publish("health", &text::document(200, 0));
        scene.publish("notices", &text::document(3, 0));
        scene.workers = (0..workers).map(|_| scene.stage.serve().unwrap()).collect();

        let names: Vec<String> = (0..=SITES).map(|number| format!("site-{number}")).collect();
        let mut enrolled = scene.runtime.block_on(enlist(&scene.stage, &names)).unwrap();
        let _inside = scene.runtime.enter();
        let port = scene.stage.broker_port();
        scene.watcher = Some(watch(enrolled.remove(0), port).unwrap());
        scene.until("the watcher's connection", |scene| scene.watcher().seen().connected);
        let pace = Pace { gather: GATHER, spread: GATHER / 2 };
        let pool = Pool::default();
        scene.sites =
            enrolled.into_iter().map(|own| start(own, port, pace, &pool).unwrap()).collect();
        scene
    }

    fn play(mut self) {
        self.until("the first sync", |s| s.all_have("health", 1) && s.all_have("notices", 1));
        let chunks = self.chunks();
        assert!(chunks > 5, "{chunks} chunks");
        self.assert_that_no_chunk_was_sent_by_two();

        // A small change costs no request.
        self.publish("notices", &text::document(3, 1));
        self.until("a small change", |scene| scene.all_have("notices", 2));
        self.assert_that_no_chunk_was_sent_by_two();

        // The worker that began a large change is killed over it. Edits alone, of
        // nearly every passage, would fit one message.
        let before = self.chunks();
        self.publish("health", &text::document(400, 190));
        self.until("a chunk of the large change", |scene| scene.chunks() > before);
        self.workers.remove(0).kill().unwrap();
        if self.workers.is_empty() {
            self.workers.push(self.stage.serve().unwrap());
        }
        self.until("a large change", |scene| scene.all_have("health", 2));
        self.assert_that_no_chunk_was_sent_by_two();

        self.ask_a_person();
        self.shut_out();
    }

    fn ask_a_person(&self) {
        const ASKED: &str = "Where is the market?";
        let (language, asker) = (Language::parse("en").unwrap(), b"somebody".to_vec());
        let text = ASKED.to_owned();
        self.sites[1].tell(Record::Person(Person { at: None, language, asker, text }));
        let questions = || run(&mut self.stage.hub(&["questions", "--json"])).unwrap();
        self.until("the question at the hub", |_| questions().contains(ASKED));
        let list: serde_json::Value = serde_json::from_str(&questions()).unwrap();
        let (id, site) = (list[0]["id"].to_string(), list[0]["site"].as_str().unwrap());
        assert_eq!((list.as_array().unwrap().len(), site), (1, self.sites[1].site.as_str()));
        run(&mut self.stage.hub(&["answer", &id, "--text", "Behind the school."])).unwrap();
        let reply = (b"somebody".to_vec(), "Behind the school.".to_owned());
        self.until("the reply", |s| s.sites[1].seen().replies == [reply.clone()]);
        self.until("the hub's acknowledgement", |s| s.sites[1].seen().told_all);
        assert!(self.sites.iter().all(|site| site.seen().replies.len() <= 1));
    }

    /// A revoked site gets nothing new, over the connection that it has and over
    /// another; a broker that has forgotten all is told all again.
    fn shut_out(&mut self) {
        let revoked = self.sites[0].site.to_string();
        run(&mut self.stage.hub(&["site", "revoke", &revoked])).unwrap();
        self.stage.tell_broker().unwrap();
        if self.stage.mosquitto.is_none() {
            self.until("the end of its link", |scene| !scene.sites[0].seen().connected);
        }
        self.publish("notices", &text::document(3, 2));
        self.until("a change for the others", |scene| scene.others_have("notices", 3));
        if let Some(mosquitto) = self.stage.mosquitto.as_mut() {
            mosquitto.restart().unwrap();
            self.until("a refusal", |scene| {
                let seen = scene.sites[0].seen();
                let reason = seen.reason.clone().unwrap_or_default();
                !seen.connected && reason.contains("certificate")
            });
            self.publish("notices", &text::document(3, 3));
            self.until("a change after all", |scene| scene.others_have("notices", 4));
        }
        let notices = CollectionName::parse("notices").unwrap();
        assert!(self.sites[0].has(&notices, version(1, 2)));
    }

    fn publish(&self, collection: &str, document: &str) {
        self.ingest(collection, document);
        run(&mut self.stage.hub(&["publish", collection])).unwrap();
    }

    fn ingest(&self, collection: &str, document: &str) {
        let folder = self.stage.path(collection);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("handbook.md"), document).unwrap();
        run(self.stage.hub(&["ingest", collection]).arg(&folder)).unwrap();
    }

    fn watcher(&self) -> &Member {
        self.watcher.as_ref().unwrap()
    }

    /// Chunks that have left so far.
    fn chunks(&self) -> usize {
        self.watcher().seen().messages.keys().filter(|topic| topic.contains("/k/")).count()
    }

    /// Who asks for a chunk after it was sent gets it again, a gathering later.
    /// Closer together two workers have sent it.
    fn assert_that_no_chunk_was_sent_by_two(&self) {
        for (topic, came) in &self.watcher().seen().messages {
            let apart = came.windows(2).map(|pair| pair[1] - pair[0]);
            let closest = apart.min().unwrap_or(Duration::MAX);
            let is_chunk = topic.contains("/k/");
            assert!(!is_chunk || closest > GATHER / 2, "{topic} came again after {closest:?}");
        }
    }

    fn all_have(&self, collection: &str, version: u64) -> bool {
        self.have(&self.sites, collection, version)
    }

    fn others_have(&self, collection: &str, version: u64) -> bool {
        self.have(&self.sites[1..], collection, version)
    }

    fn have(&self, sites: &[Member], collection: &str, number: u64) -> bool {
        let collection = CollectionName::parse(collection).unwrap();
        sites.iter().all(|site| site.has(&collection, version(1, number)))
    }

    /// Waits until it is so, or fails with what the hub and the sites said.
    fn until(&self, what: &str, is_so: impl Fn(&Scene) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not come to be; the hub said:\n{}\nthe sites: {:#?}",
                std::fs::read_to_string(self.stage.path("hub.log")).unwrap_or_default(),
                self.sites.iter().map(|site| (&site.site, site.seen())).collect::<Vec<_>>(),
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn version(epoch: u32, version: u64) -> IndexVersion {
    IndexVersion { epoch, version }
}

/// Copies a hub's folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

//! The hub as an admin meets it: the program, its folder and its sentences.

#![allow(clippy::unwrap_used, reason = "a desk that cannot be set up should fail loudly")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jibu_sync::{PublicKey, bundle};
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Desk { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_jibu-hub"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that ends with 1.
    fn fault(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// The title, section and text of each passage of a bundle.
    fn passages(&self, file: &str) -> Vec<String> {
        let key = PublicKey::parse(&self.ok(&["init"])).unwrap();
        let bytes = fs::read(self.path(file)).unwrap();
        let bundle = bundle::read(&bytes, &key).unwrap();
        bundle.passages().map(|p| format!("{} {} | {}", p.language, p.heading(), p.text)).collect()
    }
}

const MALARIA: &str = "---\ntitle: Malaria\nlanguage: sw\n---\n# Malaria\n\nHoma ni dalili.\n";

fn standing() -> Desk {
    let desk = Desk::new();
    desk.write("docs/sw/malaria.md", MALARIA)
        .write("docs/en/fees.csv", "# title: Fees\nservice,fee\nBirth,free\nDeath,20 shillings\n")
        .write("docs/en/page.html", "<html><title>Water</title><h1>Water</h1><p>Boil it.")
        .write("docs/fr/note.txt", "Eau potable\n\nFaites bouillir l'eau.\n")
        .write("docs/README.md", "About these files.")
        .write("docs/image.png", [0x89, 0x50])
        .write(
            "docs/golden.toml",
            "[[golden]]\nquestion = \"homa\"\nlanguage = \"sw\"\ndocument = \"sw/malaria.md\"\n",
        );
    desk
}

#[test]
fn documents_go_in_and_a_bundle_comes_out() {
    let desk = standing();
    let said = desk.ok(&["ingest", "health", "docs"]);
    assert!(said.contains("a new hub in hub-data") && said.contains("hub.public_key"), "{said}");
    assert!(said.contains("left aside, no kind of document: ") && said.contains("image.png"));
    assert!(said.contains("health: 4 added, 0 changed, 0 unchanged, 0 removed"), "{said}");
    assert!(said.contains("4 documents, 5 passages and 1 golden query"), "{said}");

    let said = desk.ok(&["bundle", "health", "--out", "health.jibu"]);
    assert!(said.starts_with("health version 1.1 (new): 4 documents, 5 passages, 1 golden query"));
    assert_eq!(
        desk.passages("health.jibu"),
        [
            "en Fees | Service: Birth. Fee: free.",
            "en Fees | Service: Death. Fee: 20 shillings.",
            "en Water | Boil it.",
            "fr Eau potable | Faites bouillir l'eau.",
            "sw Malaria | Homa ni dalili.",
        ]
    );
    let said = desk.ok(&["list"]);
    assert!(said.starts_with(
        "health: 4 documents, 5 passages, 1 golden query, en fr sw (version 1.1 of 2"
    ));
}

#[test]
fn the_same_content_gives_the_same_file_and_other_content_the_next_version() {
    let desk = standing();
    desk.ok(&["ingest", "health", "docs"]);
    desk.ok(&["bundle", "health", "--out", "one.jibu"]);
    let again = desk.json(&["ingest", "health", "docs", "--json"]);
    assert_eq!(again["unchanged"], 4);
    let report = desk.json(&["bundle", "health", "--out", "two.jibu", "--json"]);
    assert_eq!(
        (report["version"].as_str(), report["is_new"].as_bool()),
        (Some("1.1"), Some(false))
    );
    assert_eq!(fs::read(desk.path("one.jibu")).unwrap(), fs::read(desk.path("two.jibu")).unwrap());

    desk.write("docs/sw/malaria.md", MALARIA.replace("Homa", "Baridi"));
    let report = desk.json(&["ingest", "health", "docs/sw/malaria.md", "--json"]);
    assert_eq!(report["changed"], serde_json::json!(["sw/malaria.md"]));
    let report = desk.json(&["bundle", "health", "--out", "three.jibu", "--json"]);
    assert_eq!((report["version"].as_str(), report["is_new"].as_bool()), (Some("1.2"), Some(true)));
    assert!(desk.passages("three.jibu").contains(&"sw Malaria | Baridi ni dalili.".to_owned()));
    // The old content, too, comes back as a higher version.
    desk.write("docs/sw/malaria.md", MALARIA).ok(&["ingest", "health", "docs"]);
    assert_eq!(desk.json(&["bundle", "health", "--out", "f", "--json"])["version"], "1.3");
}

#[test]
fn what_disappears_is_kept_until_it_is_pruned() {
    let desk = standing();
    desk.ok(&["ingest", "health", "docs"]);
    fs::remove_file(desk.path("docs/en/page.html")).unwrap();
    let said = desk.ok(&["ingest", "health", "docs"]);
    assert!(said.contains("no longer in its folder, kept (--prune takes it out): en/page.html"));
    let report = desk.json(&["ingest", "health", "docs", "--prune", "--json"]);
    assert_eq!(report["removed"], serde_json::json!(["en/page.html"]));
    assert_eq!(report["documents"], 3);
}

#[test]
fn bad_files_are_named_and_the_others_are_taken() {
    let desk = standing();
    desk.write("docs/sw/latin1.txt", b"Malaria\n\ncaf\xe9 na chai")
        .write("docs/sw/key.md", "---\ntitle: A\nauthor: B\n---\nText.")
        .write("docs/en/rows.csv", "a,b\n1,2\n1,2,3\n")
        .write("docs/en/empty.md", "\n")
        .write("docs/nowhere.md", "Words in some language.")
        .write("docs/en/page2.htm.toml", "author = \"B\"")
        .write("docs/en/page2.htm", "<p>words");
    let output = desk.run(&["ingest", "health", "docs", "missing.md"]);
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    for (file, sentence) in [
        ("latin1.txt", "byte 13 (line 3) is not UTF-8: save the file as UTF-8"),
        ("key.md", "line 3: \"author\" is not a known key: use title, language"),
        ("rows.csv", "line 3: the row has 3 fields and the header has 2"),
        ("empty.md", "there is no text in it"),
        ("nowhere.md", "its language is not known: write `language: …`"),
        ("page2.htm", "its front matter page2.htm.toml: line 1: \"author\" is not a known key"),
        ("missing.md", "it cannot be opened"),
    ] {
        let line = err.lines().find(|line| line.contains(&format!("{file}: ")));
        assert!(line.is_some_and(|line| line.contains(sentence)), "{file}: {err}");
    }
    assert!(err.contains("7 faults: correct"), "{err}");
    assert!(out.contains("health: 4 added"), "{out}");
    // A file that is spoilt later stays as it was.
    desk.write("docs/sw/malaria.md", b"\xff\xfe").run(&["ingest", "health", "docs", "--prune"]);
    assert_eq!(desk.json(&["list", "--json"])[0]["documents"], 4);
    let said = desk.ok(&["ingest", "health", "docs/nowhere.md", "--lang", "en"]);
    assert!(said.contains("1 added"), "{said}");
}

#[test]
fn mistakes_get_a_sentence() {
    let desk = standing();
    let no_hub = desk.fault(&["bundle", "health", "--out", "f"]);
    assert!(
        no_hub.contains("there is no hub in hub-data: make one with `jibu-hub init`"),
        "{no_hub}"
    );
    desk.ok(&["ingest", "health", "docs"]);
    let unknown = desk.fault(&["bundle", "helth", "--out", "f"]);
    assert!(unknown.contains("no collection \"helth\" here (there are health)"), "{unknown}");
    let folder = desk.fault(&["bundle", "health", "--out", "no/such/f"]);
    assert!(folder.contains("no/such/f cannot be written"), "{folder}");
    assert_eq!(desk.run(&["bundle", "health"]).status.code(), Some(2));
    assert_eq!(desk.run(&["ingest", "Health!", "docs"]).status.code(), Some(2));
    desk.write(
        "more/golden.toml",
        "[[golden]]\nquestion = \"q\"\nlanguage = \"en\"\ndocument = \"x.md\"",
    );
    let lost = desk.fault(&["ingest", "health", "more"]);
    assert!(lost.contains("the golden query \"q\" wants this document"), "{lost}");
    let refused = desk.fault(&["bundle", "health", "--out", "f"]);
    assert!(refused.contains("wants the document \"x.md\", which is not in the collection"));
    assert!(!desk.path("f").exists());
}

#[test]
fn the_hub_keeps_its_key_and_does_not_go_on_without_it() {
    let desk = standing();
    let said = desk.ok(&["init"]);
    let key = said.lines().find(|line| line.contains("hub-") && line.starts_with("  ")).unwrap();
    assert!(PublicKey::parse(key.trim()).is_ok(), "{said}");
    assert_eq!(desk.ok(&["init"]).trim(), key.trim());
    assert!(desk.fault(&["init", "--epoch", "2"]).contains("exists already, with epoch 1"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = desk.path("hub-data/hub.key");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(desk.fault(&["list"]).contains("others may read the hub's key (mode 644)"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    remove_database(&desk.path("hub-data"));
    assert!(desk.fault(&["ingest", "health", "docs"]).contains("has lost its database"));
    desk.ok(&["init", "--epoch", "2"]);
    desk.ok(&["ingest", "health", "docs"]);
    let report = desk.json(&["bundle", "health", "--out", "f", "--json"]);
    assert_eq!(report["version"], "2.1");
    fs::remove_file(desk.path("hub-data/hub.key")).unwrap();
    assert!(desk.fault(&["list"]).contains("has lost its key"));
}

#[test]
fn an_admin_invites_sets_publishes_and_revokes() {
    let desk = standing();
    desk.ok(&["ingest", "health", "docs"]);
    let said = desk.ok(&[
        "site",
        "add",
        "mangochi-2",
        "--group",
        "clinics",
        "--language",
        "sw",
        "--rate-kbit",
        "32",
        "--price-per-mb",
        "12.5",
        "--budget-kb",
        "200",
    ]);
    let code = said.lines().nth(1).unwrap().trim();
    assert!(jibu_sync::enrol::Invitation::parse(code).is_ok(), "{said}");
    desk.ok(&["site", "invite", "mangochi-2", "--out", "invitation.toml"]);
    let file = fs::read_to_string(desk.path("invitation.toml")).unwrap();
    let file: toml::Table = file.parse().unwrap();
    assert!(file["authority"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let invitation =
        jibu_sync::enrol::Invitation::parse(file["invitation"].as_str().unwrap()).unwrap();

    // The site's request comes on a stick, and its answer goes back on it.
    let key = jibu_sync::SiteKey::from_random([7; 32]);
    let claim = jibu_sync::enrol::Claim {
        site: invitation.site.clone(),
        key: key.public(),
        nonce: [1; 16],
    };
    desk.write("request", claim.enrol(&key, &invitation));
    desk.ok(&["site", "enrol", "request", "--out", "reply"]);
    let reply = fs::read(desk.path("reply")).unwrap();
    assert!(jibu_sync::enrol::Grant::open(&reply, &claim, &invitation).is_some());
    desk.write("request", b"rubbish");
    assert!(desk.fault(&["site", "enrol", "request", "--out", "reply"]).contains("no request of"));

    let said = desk.ok(&["publish", "health", "--dry-run"]);
    assert!(said.starts_with("health version 1.1 (would be published): 5 passages"), "{said}");
    assert!(said.contains("mangochi-2 (has nothing): ") && !said.contains("price"));
    assert_eq!(desk.json(&["list", "--json"])[0]["version"], serde_json::Value::Null);
    desk.write("hub-data/hub.toml", "currency = \"MWK\"\n");
    let said = desk.ok(&["publish", "health"]);
    assert!(said.contains("(published)") && said.contains(" MWK\n"), "{said}");
    desk.write("docs/sw/malaria.md", MALARIA.replace("Homa", "Baridi"));
    desk.ok(&["ingest", "health", "docs"]);
    desk.ok(&["site", "set", "mangochi-2", "--budget-kb", "1"]);
    let refused = desk.fault(&["publish", "health"]);
    assert!(refused.contains("1 site more than their budget (mangochi-2: "), "{refused}");
    desk.ok(&["publish", "health", "--over-budget"]);
    let said = desk.ok(&["publish", "health", "--over-budget", "--roll-back-to", "1.1"]);
    assert!(said.starts_with("health version 1.3 (published)"), "{said}");
    assert!(desk.ok(&["publish", "health"]).contains("version 1.3 (unchanged)"));
    assert!(desk.fault(&["publish", "health", "--roll-back-to", "1.9"]).contains("choose one of"));
    assert_eq!(desk.run(&["publish", "health", "--above", "seven"]).status.code(), Some(2));

    let listed = desk.json(&["site", "list", "--json"]);
    assert_eq!(listed[0]["standing"], "enrolled");
    assert_eq!(listed[0]["collections"], serde_json::json!(["health"]));
    desk.ok(&["entitle", "health", "--group", "schools"]);
    assert_eq!(desk.json(&["site", "list", "--json"])[0]["collections"], serde_json::json!([]));
    let said = desk.ok(&["site", "revoke", "mangochi-2"]);
    assert!(said.contains("jibu-hub site export"), "{said}");
    assert!(desk.ok(&["site", "list"]).starts_with("mangochi-2: revoked"));
    assert!(desk.fault(&["site", "revoke", "nowhere"]).contains("there is no site \"nowhere\""));
    assert_eq!(desk.run(&["site", "add", "Mangochi 2"]).status.code(), Some(2));
    let said = desk.ok(&["site", "export", "broker", "--broker", "localhost"]);
    assert!(said.contains("mosquitto.conf written: 0 sites may connect, 1 certificate may not"));
    assert!(desk.ok(&["questions"]).contains("no question waits"));
    assert!(desk.fault(&["answer", "3", "--text", "x"]).contains("there is no question 3"));
}

fn remove_database(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("hub.db") {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn the_starter_collection_can_be_published() {
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("starter");
    let desk = Desk::new();
    let report = desk.json(&["ingest", "starter", starter.to_str().unwrap(), "--json"]);
    assert!(report["passages"].as_u64().unwrap() >= 120, "{report}");
    assert!(report["golden"].as_u64().unwrap() > 0, "{report}");
    desk.ok(&["bundle", "starter", "--out", "starter.jibu"]);
    assert!(desk.passages("starter.jibu").len() >= 120);
}

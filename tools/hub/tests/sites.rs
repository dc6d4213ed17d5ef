//! Sites as the hub knows them: invited, enrolled, renewed, revoked, entitled,
//! and what each says and costs. On SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[macro_use]
mod desk;

use std::fs;
use std::process::Command;
use std::time::Duration;

use desk::{Desk, health, now, version};
use jibu_hub::{Hub, HubError, SiteSettings, Standing, Terms};
use jibu_sync::enrol::{Claim, Grant, Invitation};
use jibu_sync::telemetry::{Batch, Count, Health, Record, Unanswered, Usage};
use jibu_sync::wire::{Report, SiteName, Stall, State};
use jibu_sync::{Hash, ShortHash, SiteKey};
use jibu_types::{CollectionName, Language, Timestamp};

on_both! {
    a_site_enrols_once_with_its_invitation
    an_invitation_runs_out
    a_lost_answer_can_be_asked_for_again
    a_renewed_key_takes_over_when_it_speaks
    a_revoked_site_has_no_say
    a_state_is_taken_once_and_from_its_site
    sites_read_what_their_groups_and_languages_allow
    an_update_past_a_budget_is_refused
    certificates_are_what_openssl_believes
    a_site_is_shown_as_it_told
}

const DAY: Duration = Duration::from_secs(86_400);

fn site(name: &str) -> SiteName {
    SiteName::parse(name).unwrap()
}

fn key(number: u8) -> SiteKey {
    SiteKey::from_random([number; 32])
}

fn claim(name: &str, key: &SiteKey) -> Claim {
    Claim { site: site(name), key: key.public(), nonce: [7; 16] }
}

fn add(hub: &mut Hub, name: &str, settings: &SiteSettings) -> Invitation {
    hub.add_site(&site(name), settings, now() + DAY * 7, now()).unwrap()
}

/// Takes a site in that has this key, and gives what it got.
fn enrol(hub: &mut Hub, name: &str, key: &SiteKey, settings: &SiteSettings) -> Grant {
    let invitation = add(hub, name, settings);
    let claim = claim(name, key);
    let reply = hub.answer_claim(&claim.enrol(key, &invitation), now()).unwrap().unwrap();
    Grant::open(&reply, &claim, &invitation).unwrap()
}

fn standing(hub: &mut Hub, name: &str, at: Timestamp) -> Standing {
    let sites = hub.sites(at).unwrap();
    sites.iter().find(|summary| summary.site == name).unwrap().standing
}

fn state(session: u32, number: u32, reports: Vec<Report>) -> State {
    let counter = State::counter(session, number);
    State { counter, online: true, done: 0, rate: None, reports }
}

fn report(active: u64, root: ShortHash) -> Report {
    Report {
        collection: health(),
        active: Some((version(1, active), root)),
        newest: Some(version(1, active)),
        missing: 0,
        spent: 812,
        stall: Stall::None,
        expired: false,
    }
}

fn a_site_enrols_once_with_its_invitation(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    let invitation = add(&mut hub, "mangochi-2", &SiteSettings::default());
    assert_eq!(standing(&mut hub, "mangochi-2", now()), Standing::Invited);
    // What is printed is what a person types at the site.
    let typed = Invitation::parse(&invitation.reveal()).unwrap();
    let (mine, claim) = (key(1), claim("mangochi-2", &key(1)));
    let wrong = Invitation::new(site("mangochi-2"), [9; 10]);
    assert_eq!(hub.answer_claim(&claim.enrol(&mine, &wrong), now()).unwrap(), None);
    assert_eq!(hub.answer_claim(b"\x04nonsense", now()).unwrap(), None);

    let reply = hub.answer_claim(&claim.enrol(&mine, &typed), now()).unwrap().unwrap();
    let grant = Grant::open(&reply, &claim, &typed).unwrap();
    assert_eq!((grant.hub, &grant.collections), (hub.public_key(), &vec![health()]));
    assert_eq!(grant.until, now() + DAY * 400);
    assert_eq!(standing(&mut hub, "mangochi-2", now()), Standing::Enrolled);
    // Whoever finds the paper afterwards gets nothing.
    let thief = Claim { key: key(2).public(), ..claim };
    assert_eq!(hub.answer_claim(&thief.enrol(&key(2), &typed), now()).unwrap(), None);

    let twice =
        hub.add_site(&site("mangochi-2"), &SiteSettings::default(), now(), now()).unwrap_err();
    assert!(matches!(twice, HubError::SiteExists(_)));
    let reserved = hub.add_site(&site("hub"), &SiteSettings::default(), now(), now());
    assert!(matches!(reserved, Err(HubError::ReservedName)));
}

fn an_invitation_runs_out(desk: &Desk) {
    let mut hub = desk.hub();
    let invitation = add(&mut hub, "zomba", &SiteSettings::default());
    let asked = claim("zomba", &key(1)).enrol(&key(1), &invitation);
    let late = now() + DAY * 8;
    assert_eq!(standing(&mut hub, "zomba", late), Standing::Lapsed);
    assert_eq!(hub.answer_claim(&asked, late).unwrap(), None);
    let second = hub.invite_site(&site("zomba"), late + DAY).unwrap();
    assert_ne!(second, invitation);
    assert_eq!(hub.answer_claim(&asked, late).unwrap(), None);
    let asked = claim("zomba", &key(1)).enrol(&key(1), &second);
    assert!(hub.answer_claim(&asked, late).unwrap().is_some());
    let nobody = hub.invite_site(&site("nobody"), late).unwrap_err().to_string();
    assert!(nobody.contains("there is no site \"nobody\""), "{nobody}");
}

fn a_lost_answer_can_be_asked_for_again(desk: &Desk) {
    let mut hub = desk.hub();
    let invitation = add(&mut hub, "zomba", &SiteSettings::default());
    let claim = claim("zomba", &key(1));
    let asked = claim.enrol(&key(1), &invitation);
    for _ in 0..2 {
        let reply = hub.answer_claim(&asked, now()).unwrap().unwrap();
        assert!(Grant::open(&reply, &claim, &invitation).is_some());
    }
    // Neither certificate is on the list of revoked ones: the first may have come.
    let report = hub.export(&desk.folder.path().join("out"), &[], now()).unwrap();
    assert_eq!((report.sites, report.revoked), (1, 0));
}

fn a_renewed_key_takes_over_when_it_speaks(desk: &Desk) {
    let mut hub = desk.hub();
    let name = site("zomba");
    enrol(&mut hub, "zomba", &key(1), &SiteSettings::default());
    let spoken = |hub: &mut Hub, number: u32, by: u8| {
        let said = state(1, number, vec![]).sign(&name, &key(by));
        hub.hear(&name, &said, now()).unwrap().is_some()
    };
    assert!(spoken(&mut hub, 0, 1));
    let claim = claim("zomba", &key(2));
    let asked = claim.renew(&key(2), &key(1));
    assert_eq!(hub.answer_claim(&claim.renew(&key(2), &key(3)), now()).unwrap(), None);
    // The answer is lost twice; the site goes on with its old key meanwhile.
    for number in 1..3 {
        let reply = hub.answer_claim(&asked, now() + DAY).unwrap().unwrap();
        assert!(Grant::verify(&reply, &claim, &hub.public_key()).is_some());
        assert!(spoken(&mut hub, number, 1));
    }
    let export = |hub: &mut Hub| hub.export(&desk.folder.path().join("out"), &[], now()).unwrap();
    assert_eq!(export(&mut hub).revoked, 0);
    assert!(spoken(&mut hub, 3, 2));
    assert!(!spoken(&mut hub, 4, 1), "the old key is worth nothing now");
    assert_eq!(export(&mut hub).revoked, 1);
    assert_eq!(hub.answer_claim(&asked, now() + DAY).unwrap(), None);
}

fn a_revoked_site_has_no_say(desk: &Desk) {
    let mut hub = desk.hub();
    let name = site("zomba");
    enrol(&mut hub, "zomba", &key(1), &SiteSettings::default());
    enrol(&mut hub, "mangochi-2", &key(2), &SiteSettings::default());
    hub.revoke_site(&name, now()).unwrap();
    assert_eq!(standing(&mut hub, "zomba", now()), Standing::Revoked);
    let said = state(1, 0, vec![]).sign(&name, &key(1));
    assert_eq!(hub.hear(&name, &said, now()).unwrap(), None);
    let renewal = claim("zomba", &key(1)).renew(&key(1), &key(1));
    assert_eq!(hub.answer_claim(&renewal, now()).unwrap(), None);
    let out = desk.folder.path().join("out");
    let report = hub.export(&out, &[], now()).unwrap();
    assert_eq!((report.sites, report.revoked), (1, 1));
    let acl = fs::read_to_string(out.join("acl")).unwrap();
    assert!(acl.contains("user mangochi-2") && !acl.contains("zomba"), "{acl}");
    // It comes back with another invitation and counts from the beginning.
    let invitation = hub.invite_site(&name, now() + DAY).unwrap();
    let asked = claim("zomba", &key(3)).enrol(&key(3), &invitation);
    assert!(hub.answer_claim(&asked, now()).unwrap().is_some());
    let said = state(1, 0, vec![]).sign(&name, &key(3));
    assert!(hub.hear(&name, &said, now()).unwrap().is_some());
    assert!(matches!(hub.revoke_site(&site("nobody"), now()), Err(HubError::NoSite(_))));
}

fn a_state_is_taken_once_and_from_its_site(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    desk.publish(&mut hub, "Boil the water well.");
    let (zomba, mangochi) = (site("zomba"), site("mangochi-2"));
    enrol(&mut hub, "zomba", &key(1), &SiteSettings::default());
    enrol(&mut hub, "mangochi-2", &key(2), &SiteSettings::default());
    let root = Hash::of(b"root").short();
    let said = state(3, 1, vec![report(1, root)]).sign(&zomba, &key(1));
    assert_eq!(hub.hear(&mangochi, &said, now()).unwrap(), None);
    assert!(hub.hear(&zomba, &said, now()).unwrap().is_some());
    assert_eq!(hub.hear(&zomba, &said, now()).unwrap(), None, "said once");
    let older = state(2, State::WILL, vec![]).sign(&zomba, &key(1));
    assert_eq!(hub.hear(&zomba, &older, now()).unwrap(), None);
    let find = |hub: &mut Hub| {
        let mut sites = hub.sites(now()).unwrap();
        sites.retain(|summary| summary.site == "zomba");
        sites.remove(0)
    };
    let summary = find(&mut hub);
    assert!(summary.online && summary.rate_kbit.is_none());
    let reported = &summary.reports[0];
    assert_eq!(
        (reported.wanted.as_deref(), reported.active.as_deref(), reported.spent),
        (Some("1.2"), Some("1.1"), 812)
    );
    // The last will says no more than that it is gone.
    let will = State { online: false, rate: Some(4000), ..state(3, State::WILL, vec![]) };
    assert!(hub.hear(&zomba, &will.sign(&zomba, &key(1)), now()).unwrap().is_some());
    let summary = find(&mut hub);
    assert_eq!((summary.online, summary.rate_kbit), (false, Some(32)));
    assert_eq!(summary.reports.len(), 1);
    let refused = Report { stall: Stall::Refused, ..report(1, root) };
    let said = state(4, 0, vec![refused]).sign(&zomba, &key(1));
    assert!(hub.hear(&zomba, &said, now()).unwrap().is_some());
    assert_eq!(find(&mut hub).reports[0].stall, Some("failed its golden queries, went back"));
}

fn sites_read_what_their_groups_and_languages_allow(desk: &Desk) {
    let mut hub = desk.hub();
    desk.ingest(&mut hub, "Boil the water.");
    let staff = CollectionName::parse("staff").unwrap();
    let file = desk.folder.path().join("maji.md");
    fs::write(&file, "---\nlanguage: sw\n---\n# Maji\n\nChemsha maji.\n").unwrap();
    hub.ingest(&staff, &[file], None, false).unwrap();
    hub.entitle(&staff, &["clinics".to_owned()]).unwrap();
    let settings = |groups: &[&str], languages: &[&str]| SiteSettings {
        groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        languages: Some(languages.iter().map(|code| Language::parse(code).unwrap()).collect()),
        ..SiteSettings::default()
    };
    let mut reads = |name: &str, groups: &[&str], languages: &[&str]| {
        let grant = enrol(&mut hub, name, &key(name.len() as u8), &settings(groups, languages));
        grant.collections.iter().map(|c| c.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(reads("a", &[], &[]), ["health"]);
    assert_eq!(reads("bb", &["schools", "clinics"], &[]), ["health", "staff"]);
    assert_eq!(reads("ccc", &["clinics"], &["sw"]), ["staff"]);
    assert_eq!(reads("dddd", &["clinics"], &["fr"]), Vec::<String>::new());
    assert_eq!(reads("eeeee", &[], &["sw", "en"]), ["health"]);
    let out = desk.folder.path().join("out");
    hub.export(&out, &[], now()).unwrap();
    let acl = fs::read_to_string(out.join("acl")).unwrap();
    let of = |name: &str| {
        let begin = acl.split_once(&format!("\nuser {name}\n")).unwrap().1;
        begin.split("\nuser ").next().unwrap().to_owned()
    };
    assert!(of("ccc").contains("topic read jibu/1/c/staff/#") && !of("ccc").contains("health"));
    assert!(
        of("ccc")
            .lines()
            .all(|line| line.contains("/s/ccc/") || line.contains("/c/staff/") || line.is_empty())
    );
    hub.entitle(&staff, &[]).unwrap();
    let sites = hub.sites(now()).unwrap();
    assert_eq!(sites[0].collections.len(), 2);
}

fn an_update_past_a_budget_is_refused(desk: &Desk) {
    let mut hub = desk.hub();
    let rules = |first: &str| {
        let rule = |n: u64| format!("Rule {n}: {:x}.\n\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        format!("{first}\n\n{}", (1..200).map(rule).collect::<String>())
    };
    desk.publish(&mut hub, &rules("Boil the water."));
    let root = hub.releases(&health()).unwrap()[0].id();
    let settings = SiteSettings {
        rate_kbit: Some(16),
        price_per_mb: Some(12_500),
        budget_kb: Some(1),
        ..SiteSettings::default()
    };
    let name = site("zomba");
    enrol(&mut hub, "zomba", &key(1), &settings);
    add(&mut hub, "invited", &settings);
    desk.ingest(&mut hub, &rules("Boil the water well."));
    let publish = |hub: &mut Hub, dry: bool, over: bool| {
        hub.publish(&health(), &Terms::default(), dry, over, now())
    };
    // It has nothing yet: a whole copy.
    let tried = publish(&mut hub, true, false).unwrap();
    assert!(tried.is_dry_run && tried.is_new);
    assert_eq!((tried.version.as_str(), tried.sites.len()), ("1.2", 1));
    let cost = &tried.sites[0];
    assert!(cost.over_budget && cost.from.is_none(), "{cost:?}");
    assert_eq!(cost.seconds, Some((cost.bytes * 8).div_ceil(16_000)));
    assert_eq!(cost.price, Some((cost.bytes * 12_500).div_ceil(1_000_000)));
    let refused = publish(&mut hub, false, false).unwrap_err().to_string();
    assert!(refused.contains("zomba: ") && refused.contains("--over-budget"), "{refused}");
    assert_eq!(hub.releases(&health()).unwrap().len(), 1);
    // It has the version before: a delta is cheaper.
    let said = state(1, 0, vec![report(1, root)]).sign(&name, &key(1));
    hub.hear(&name, &said, now()).unwrap().unwrap();
    let less = publish(&mut hub, true, false).unwrap().sites.remove(0);
    assert!(less.bytes * 3 < cost.bytes, "{less:?} {cost:?}");
    assert_eq!(less.from.as_deref(), Some("1.1"));
    assert!(publish(&mut hub, false, true).unwrap().is_new);
    assert_eq!(hub.releases(&health()).unwrap().len(), 2);
    // Who has the newest pays nothing.
    let newest = hub.releases(&health()).unwrap()[1].id();
    let said = state(1, 1, vec![report(2, newest)]).sign(&name, &key(1));
    hub.hear(&name, &said, now()).unwrap().unwrap();
    let nothing = publish(&mut hub, false, false).unwrap();
    assert_eq!((nothing.is_new, nothing.sites[0].bytes), (false, 0));
}

/// The certificates, the list of revoked ones and their chain, by another's code.
fn certificates_are_what_openssl_believes(desk: &Desk) {
    let mut hub = desk.hub();
    let out = desk.folder.path().join("out");
    let pem = |grant: &Grant, name: &str| {
        let der = out.join(format!("{name}.der"));
        fs::create_dir_all(&out).unwrap();
        fs::write(&der, &grant.certificate).unwrap();
        openssl(&out, &["x509", "-inform", "der", "-in", &format!("{name}.der"), "-out", name])
            .unwrap();
    };
    pem(&enrol(&mut hub, "zomba", &key(1), &SiteSettings::default()), "zomba");
    pem(&enrol(&mut hub, "mangochi-2", &key(2), &SiteSettings::default()), "mangochi-2");
    hub.revoke_site(&site("zomba"), now()).unwrap();
    hub.export(&out, &["localhost".to_owned(), "127.0.0.1".to_owned()], now()).unwrap();
    let at = now().unix_ms() / 1000 + 60;
    let verify = |name: &str, purpose: &str, at: i64| {
        let at = at.to_string();
        openssl(
            &out,
            &[
                "verify",
                "-attime",
                &at,
                "-purpose",
                purpose,
                "-CAfile",
                "ca.pem",
                "-CRLfile",
                "crl.pem",
                "-crl_check",
                name,
            ],
        )
    };
    verify("mangochi-2", "sslclient", at).unwrap();
    verify("hub.pem", "sslclient", at).unwrap();
    verify("broker.pem", "sslserver", at).unwrap();
    // A box whose clock was reset.
    verify("broker.pem", "sslserver", 86_400).unwrap();
    assert!(verify("zomba", "sslclient", at).unwrap_err().contains("certificate revoked"));
    assert!(verify("mangochi-2", "sslserver", at).is_err(), "a site is no broker");
    let late = at + 401 * 86_400;
    assert!(verify("mangochi-2", "sslclient", late).unwrap_err().contains("expired"));
    let subject = openssl(&out, &["x509", "-in", "mangochi-2", "-noout", "-subject"]).unwrap();
    assert_eq!(subject.trim().replace(' ', ""), "subject=CN=mangochi-2");
    // The site's own key belongs to the certificate.
    fs::write(out.join("key.der"), key(2).reveal_pkcs8()).unwrap();
    let of_key = openssl(&out, &["pkey", "-inform", "der", "-in", "key.der", "-pubout"]).unwrap();
    let of_certificate =
        openssl(&out, &["x509", "-in", "mangochi-2", "-noout", "-pubkey"]).unwrap();
    assert_eq!(of_key, of_certificate);
}

fn openssl(folder: &std::path::Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl is not installed: `apt-get install openssl`");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text([output.stdout, output.stderr].concat()))
    }
}

fn a_site_is_shown_as_it_told(desk: &Desk) {
    let mut hub = desk.hub();
    let zomba = site("zomba");
    let settings = SiteSettings { tells_unanswered: Some(true), ..SiteSettings::default() };
    enrol(&mut hub, "zomba", &key(1), &settings);
    let nothing = hub.condition(&zomba, now()).unwrap();
    assert_eq!((nothing.health, nothing.usage, nothing.unanswered), (None, vec![], 0));
    assert!(matches!(hub.condition(&site("blantyre"), now()), Err(HubError::NoSite(_))));

    let tell = |hub: &mut Hub, number: u64, record: Record, at: Timestamp| {
        let records = vec![(number, record.encode())];
        let batch = Batch { floor: number, records }.encode();
        hub.take_telemetry(&zomba, record.stream(), &batch, at).unwrap().unwrap();
    };
    let health = |cuts| {
        Record::Health(Health { power_cuts: Some(cuts), airtime: Some(9_995), ..Health::default() })
    };
    tell(&mut hub, 1, health(3), now());
    tell(&mut hub, 2, health(4), now() + DAY);
    let usage = |asked| {
        let language = Language::parse("ny").unwrap();
        let counts = vec![Count { channel: 0, language, asked, answered: asked - 1, person: 0 }];
        Record::Usage(Usage { from: None, seconds: 86_400, counts })
    };
    // The first is older than what is added up.
    for (number, asked) in [(1, 100), (2, 5), (3, 7)] {
        tell(&mut hub, number, usage(asked), now() + DAY * (number as u32 * 20));
    }
    let unanswered = |text: &str, person| {
        let (language, text) = (Language::EN, text.to_owned());
        Record::Unanswered(Unanswered { at: None, language, pseudonym: [person; 8], text })
    };
    for (number, (text, person)) in [("a", 1), ("b", 2), ("c", 1)].into_iter().enumerate() {
        tell(&mut hub, number as u64 + 1, unanswered(text, person), now());
    }
    let shown = hub.condition(&zomba, now() + DAY * 60).unwrap();
    let health = shown.health.unwrap();
    assert_eq!((health.power_cuts, health.airtime, health.at), (Some(4), Some(9_995), None));
    let usage = &shown.usage[0];
    assert_eq!((shown.usage.len(), usage.channel, usage.asked, usage.answered), (1, "sms", 12, 10));
    assert_eq!((shown.unanswered, shown.unanswered_askers), (3, 2));
}

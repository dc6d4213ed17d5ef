//! What the hub's state promises, held against SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[macro_use]
mod desk;

use std::fs;
use std::path::Path;
use std::time::Duration;

use desk::{Desk, health, now, version};
use jibu_hub::state::{Database, DatabaseError, Value};
use jibu_hub::{Hub, HubError, Terms};
use jibu_sync::hub;
use jibu_types::IndexVersion;

on_both! {
    values_come_back_as_they_went
    what_is_not_committed_is_gone
    a_name_is_there_once
    writers_stand_in_a_row
    texts_are_ordered_by_their_bytes
    a_later_program_is_not_overruled
    a_version_is_one_publishers
    publishers_that_race_number_without_gaps
    a_restarted_hub_serves_what_it_served
    a_roll_back_is_a_higher_version_and_stays
    a_hub_from_an_old_backup_says_what_to_do
    a_hub_is_begun_once
}

const ADD: &str = "INSERT INTO collection (name) VALUES (?1)";
const NAMES: &str = "SELECT name FROM collection ORDER BY name";

fn names(database: &mut dyn Database) -> Vec<String> {
    database.query(NAMES, &[]).unwrap().iter().map(|row| row.get(0).unwrap()).collect()
}

fn add(database: &mut dyn Database, names: &[&str]) {
    let mut transaction = database.begin().unwrap();
    for name in names {
        assert_eq!(transaction.execute(ADD, &[Value::from(*name)]).unwrap(), 1);
    }
    transaction.commit().unwrap();
}

fn values_come_back_as_they_went(desk: &Desk) {
    let mut database = desk.database();
    add(&mut *database, &["health"]);
    let blob: Vec<u8> = (0..=255).collect();
    let mut transaction = database.begin().unwrap();
    let sql = "INSERT INTO release (collection, epoch, version, root, bundle)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    for (epoch, version, bundle) in [(i64::MIN, 0, None), (1, i64::MAX, Some(Vec::new()))] {
        let values =
            ["health".into(), epoch.into(), version.into(), blob.clone().into(), bundle.into()];
        transaction.execute(sql, &values).unwrap();
    }
    transaction.commit().unwrap();
    let sql = "SELECT epoch, version, root, bundle FROM release WHERE root = ?1 ORDER BY epoch";
    let rows = database.query(sql, &[blob.clone().into()]).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].0, [i64::MIN.into(), 0i64.into(), blob.clone().into(), Value::Null]);
    assert_eq!(rows[1].get::<Option<Vec<u8>>>(3).unwrap(), Some(vec![]));
    assert_eq!(rows[1].get::<u64>(1).unwrap(), i64::MAX as u64);
    // A column is not taken for another kind.
    assert!(matches!(rows[0].get::<u64>(0), Err(DatabaseError::Damaged(_))));
    assert!(matches!(rows[0].get::<String>(1), Err(DatabaseError::Damaged(_))));
    assert!(matches!(rows[0].get::<i64>(9), Err(DatabaseError::Damaged(_))));
}

fn what_is_not_committed_is_gone(desk: &Desk) {
    let mut database = desk.database();
    add(&mut *database, &["kept"]);
    let mut transaction = database.begin().unwrap();
    transaction.execute(ADD, &["lost".into()]).unwrap();
    assert_eq!(transaction.query(NAMES, &[]).unwrap().len(), 2);
    drop(transaction);
    assert_eq!(names(&mut *database), ["kept"]);
    assert_eq!(names(&mut *database.another().unwrap()), ["kept"]);
}

fn a_name_is_there_once(desk: &Desk) {
    let mut database = desk.database();
    add(&mut *database, &["health"]);
    let mut transaction = database.begin().unwrap();
    assert!(transaction.execute(ADD, &["health".into()]).is_err());
    drop(transaction);
    let mut transaction = database.begin().unwrap();
    let sql = "INSERT INTO collection (name) VALUES (?1) ON CONFLICT DO NOTHING";
    assert_eq!(transaction.execute(sql, &["health".into()]).unwrap(), 0);
    assert_eq!(transaction.execute(sql, &["services".into()]).unwrap(), 1);
    transaction.commit().unwrap();
    assert_eq!(names(&mut *database), ["health", "services"]);
}

fn writers_stand_in_a_row(desk: &Desk) {
    let mut first = desk.database();
    let mut second = first.another().unwrap();
    // PostgreSQL's lock is on the hub's own table, which is there.
    let mut open = first.begin().unwrap();
    open.execute(ADD, &["first".into()]).unwrap();
    let waiting = std::thread::spawn(move || {
        let mut transaction = second.begin().unwrap();
        // What the first wrote before is seen here.
        let count = transaction.query(NAMES, &[]).unwrap().len();
        transaction.execute(ADD, &["second".into()]).unwrap();
        transaction.commit().unwrap();
        count
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!waiting.is_finished());
    open.commit().unwrap();
    assert_eq!(waiting.join().unwrap(), 1);
    assert_eq!(names(&mut *first), ["first", "second"]);
}

fn texts_are_ordered_by_their_bytes(desk: &Desk) {
    let mut database = desk.database();
    add(&mut *database, &["b", "É", "a-b", "ab", "B", "a/b", "é"]);
    assert_eq!(names(&mut *database), ["B", "a-b", "a/b", "ab", "b", "É", "é"]);
}

fn a_later_program_is_not_overruled(desk: &Desk) {
    drop(desk.hub());
    match &desk.server {
        Some(server) => {
            let mut client = postgres::Client::connect(&server.words(), postgres::NoTls).unwrap();
            client.execute("UPDATE schema_version SET version = 999", &[]).unwrap();
        }
        None => {
            let file = rusqlite::Connection::open(desk.data().join("hub.db")).unwrap();
            file.pragma_update(None, "user_version", 999).unwrap();
        }
    }
    let Err(HubError::Database { source: DatabaseError::Later, .. }) = Hub::open(&desk.data())
    else {
        panic!("a later program's tables were taken");
    };
}

fn a_version_is_one_publishers(desk: &Desk) {
    let (mut one, mut two) = (desk.hub(), desk.hub());
    assert_eq!(desk.publish(&mut one, "Boil the water."), version(1, 1));
    desk.ingest(&mut one, "Boil the water twice.");
    let first = one.draft(&health(), &Terms::default(), now()).unwrap();
    let second = two.draft(&health(), &Terms::default(), now()).unwrap();
    assert_eq!((first.version(), second.version()), (version(1, 2), version(1, 2)));
    one.record(&first).unwrap();
    let refused = two.record(&second).unwrap_err();
    assert!(refused.to_string().contains("has published version 1.2 of \"health\" meanwhile"));
    // Whose content is the same finds it published already.
    let again = two.draft(&health(), &Terms::default(), now()).unwrap();
    assert_eq!(again.version(), version(1, 2));
    assert_eq!(two.releases(&health()).unwrap().len(), 2);
}

fn publishers_that_race_number_without_gaps(desk: &Desk) {
    desk.publish(&mut desk.hub(), "Boil the water.");
    let data = desk.data();
    let publisher = |days: i64| {
        let data = data.clone();
        std::thread::spawn(move || {
            let mut hub = Hub::open(&data).unwrap();
            let (mut made, mut refused) = (Vec::new(), 0);
            while made.len() < 6 {
                let expires = Some(now() + Duration::from_secs(86_400 * (days as u64 + 1)));
                let terms = Terms { expires, ..Terms::default() };
                let draft = hub.draft(&health(), &terms, now()).unwrap();
                match hub.record(&draft) {
                    Ok(()) => made.push(draft.version()),
                    Err(HubError::OtherPublisher { .. }) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            (made, refused)
        })
    };
    let racers: Vec<_> = (0..3).map(publisher).collect();
    let mut made: Vec<IndexVersion> =
        racers.into_iter().flat_map(|racer| racer.join().unwrap().0).collect();
    made.sort();
    assert_eq!(made, (2..=19).map(|number| version(1, number)).collect::<Vec<_>>());
}

fn a_restarted_hub_serves_what_it_served(desk: &Desk) {
    let mut hub = desk.hub();
    for number in 1..=12 {
        desk.publish(&mut hub, &format!("Boil the water for {number} minutes."));
    }
    let before = hub.releases(&health()).unwrap();
    drop(hub);
    let after = Hub::open(&desk.data()).unwrap().releases(&health()).unwrap();
    let versions = |releases: &[jibu_sync::Release]| -> Vec<u64> {
        releases.iter().map(|release| release.root().root().version.version).collect()
    };
    assert_eq!(versions(&after), (3..=12).collect::<Vec<_>>());
    assert_eq!(versions(&after), versions(&before));
    let published = |releases: Vec<jibu_sync::Release>| {
        let mut peer = hub::Hub::new(hub::Config::default(), now());
        for release in releases {
            peer.handle(hub::Input::Release(Box::new(release)), now());
            while peer.poll().is_some() {}
        }
        peer.handle(hub::Input::Connected, now());
        std::iter::from_fn(move || peer.poll()).collect::<Vec<_>>()
    };
    let (before, after) = (published(before), published(after));
    assert_eq!(before, after);
    // The root and what sites of the seven versions before lack.
    assert_eq!(after.len(), 8);
}

fn a_roll_back_is_a_higher_version_and_stays(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    desk.publish(&mut hub, "Drink the water as it is.");
    let back = Terms { roll_back_to: Some(version(1, 1)), ..Terms::default() };
    let draft = hub.draft(&health(), &back, now()).unwrap();
    hub.record(&draft).unwrap();
    assert_eq!(draft.version(), version(1, 3));
    let releases = hub.releases(&health()).unwrap();
    let manifest = |at: usize| releases[at].root().root().manifest;
    assert_eq!(manifest(2), manifest(0));
    assert_ne!(manifest(2), manifest(1));
    assert_eq!(releases[2].root().root().previous, Some(releases[1].root().hash()));
    // The documents are still the bad ones, and are not published by mistake.
    let same = hub.draft(&health(), &Terms::default(), now()).unwrap();
    assert_eq!(same.version(), version(1, 3));
    assert_eq!(desk.publish(&mut hub, "Boil the water well."), version(1, 4));
    let lost = Terms { roll_back_to: Some(version(1, 9)), ..Terms::default() };
    let refused = hub.draft(&health(), &lost, now()).unwrap_err().to_string();
    assert!(refused.contains("version 1.9 of \"health\" is not kept: choose one of 1.1, 1.2"));
}

fn a_hub_from_an_old_backup_says_what_to_do(desk: &Desk) {
    let mut hub = desk.hub();
    desk.publish(&mut hub, "Boil the water.");
    hub.note_behind(&health(), "mangochi-2", version(1, 57)).unwrap();
    hub.note_behind(&health(), "zomba", version(1, 41)).unwrap();
    desk.ingest(&mut hub, "Boil the water twice.");
    let refused = hub.draft(&health(), &Terms::default(), now()).unwrap_err().to_string();
    for part in ["mangochi-2 has had version 1.57", "old backup", "--above 1.57"] {
        assert!(refused.contains(part), "{refused}");
    }
    let above = |seen| Terms { above: Some(seen), ..Terms::default() };
    assert!(hub.draft(&health(), &above(version(1, 41)), now()).is_err());
    let draft = hub.draft(&health(), &above(version(1, 57)), now()).unwrap();
    assert_eq!(draft.version(), version(2, 1));
    hub.record(&draft).unwrap();
    assert_eq!(desk.publish(&mut hub, "Boil the water well."), version(2, 2));
    // The old versions still serve those who have them.
    assert_eq!(hub.releases(&health()).unwrap().len(), 3);
}

fn a_hub_is_begun_once(desk: &Desk) {
    let Err(HubError::NoHub(_)) = Hub::open(&desk.data()) else { panic!("out of nothing") };
    let (hub, is_new) = Hub::init(&desk.data(), None).unwrap();
    assert!(is_new);
    let key = hub.public_key();
    drop(hub);
    let (hub, is_new) = Hub::init(&desk.data(), None).unwrap();
    assert!(!is_new && hub.public_key() == key);
    drop(hub);
    let key_file = desk.data().join("hub.key");
    move_away(&key_file);
    let Err(HubError::LostKey(_)) = Hub::init(&desk.data(), None) else {
        panic!("a hub without its key")
    };
}

fn move_away(file: &Path) {
    fs::rename(file, file.with_extension("away")).unwrap();
}

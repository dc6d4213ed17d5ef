use std::time::Duration;

use jibu_sync::site::Save;
use jibu_sync::{Hash, Shelf as _};
use jibu_types::{Embedding, Language, Passage, PassageId};

use super::*;

const MODEL: ModelHash = ModelHash([1; 32]);

fn collection(name: &str) -> CollectionName {
    CollectionName::parse(name).unwrap()
}

fn passage(name: &str, text: &str) -> Passage {
    Passage {
        collection: collection("health"),
        document: format!("{name}.md"),
        title: name.into(),
        section: vec!["Treatment".into(), "At home".into()],
        language: Language::EN,
        source_url: None,
        date: None,
        text: text.into(),
    }
}

fn info(version: u64) -> EditionInfo {
    EditionInfo {
        collection: collection("health"),
        version: IndexVersion { epoch: 1, version },
        model_hash: MODEL,
        golden: vec![GoldenQuery {
            question: "what about fever".into(),
            document: "Malaria.md".into(),
        }],
        root: None,
    }
}

/// A unit vector that points along one axis, and a little along the next.
fn axis(n: usize) -> Embedding {
    let mut values = vec![0.0; Embedding::WIDTH];
    values[n % Embedding::WIDTH] = 1.0;
    values[(n + 1) % Embedding::WIDTH] = 0.1;
    Embedding::normalised(values).unwrap()
}

fn embed_all(store: &mut ContentStore, edition: EditionId) {
    loop {
        let missing = store.missing_embeddings(edition, 2).unwrap();
        if missing.is_empty() {
            return;
        }
        let embeddings: Vec<_> = missing.iter().map(|(id, p)| (*id, axis(p.text.len()))).collect();
        store.put_embeddings(&embeddings).unwrap();
    }
}

fn publish(store: &mut ContentStore, version: u64, passages: &[Passage]) -> EditionId {
    let edition = store.stage(&info(version), passages.to_vec()).unwrap();
    embed_all(store, edition);
    store.activate(Timestamp::from_unix_ms(5), edition, MODEL).unwrap();
    edition
}

fn store() -> (tempfile::TempDir, ContentStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ContentStore::open(folder.path().join("content.db")).unwrap();
    (folder, store)
}

fn three() -> Vec<Passage> {
    vec![
        passage("Malaria", "Fever and chills: go to the clinic on the first day."),
        passage("Cholera", "Watery diarrhoea: drink oral rehydration salts at once, and go."),
        passage("Kipindupindu", "Kunywa maji yaliyochemshwa na ule chakula kilichopikwa vizuri."),
    ]
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn titles(store: &ContentReader, hits: &[jibu_types::Hit]) -> Vec<String> {
    let ids: Vec<PassageId> = hits.iter().map(|hit| hit.passage).collect();
    store.passages(&ids).unwrap().into_iter().map(|(_, passage)| passage.title).collect()
}

#[test]
fn an_edition_is_found_by_words_by_trigrams_and_by_vector() {
    let (_folder, mut store) = store();
    let mut all = three();
    let section = Passage { date: jibu_types::Date::parse("2026-01-31").ok(), ..all[0].clone() };
    all[0] = section.clone();
    publish(&mut store, 1, &all);

    let hits = store.search_words(&words(&["FÉVER", "clinic"]), 5).unwrap();
    assert_eq!(titles(&store, &hits), ["Malaria"]);
    assert!(hits[0].score > 0.0);
    assert_eq!(store.passage(hits[0].passage).unwrap(), Some(section));
    // Both stems are inside other words.
    let hits = store.search_trigrams("chemsha pika", 5).unwrap();
    assert_eq!(titles(&store, &hits), ["Kipindupindu"]);
    let hits = store.search_dense(&axis(all[1].text.len()), 2).unwrap();
    assert_eq!(titles(&store, &hits)[0], "Cholera");
    assert!((hits[0].score - 1.0).abs() < 1e-3, "{hits:?}");
    assert!(hits[1].score < hits[0].score);

    assert_eq!(store.passage_count().unwrap(), 3);
    assert_eq!(store.languages().unwrap(), [Language::EN]);
    let version = store.index_version(&collection("health")).unwrap();
    assert_eq!(version, Some(IndexVersion { epoch: 1, version: 1 }));
    assert_eq!(
        store.document_frequencies(&words(&["go", "Clinic", "?", "zz"])).unwrap(),
        [2, 1, 0, 0]
    );
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn any_string_may_be_searched_for() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    let hostile = [
        "",
        " ",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        "fever AND",
        "\"",
        "\"\"",
        "fever\"",
        "heading:",
        "{heading body}: x",
        "*",
        "fev*",
        "^fever",
        "fever\0\" OR \"clinic",
        "\0",
        "😀",
        "a😀b",
        "+",
        "-",
        "'; DROP TABLE passage;--",
        "\u{301}",
        "ﷺ",
        "ß",
        "İ",
        "(((((((",
        "\\",
    ];
    for text in hostile {
        let one = [text.to_owned()];
        store.search_words(&one, 5).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        store.search_trigrams(text, 5).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        store.document_frequencies(&one).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        store.is_in_some_passage(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        store.is_used_in(text, Language::EN).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        for letter in text.chars().take(1) {
            store.terms_beginning_with(letter).unwrap_or_else(|e| panic!("{letter:?}: {e}"));
        }
    }
    store.search_words(&hostile.map(str::to_owned), 5).unwrap();
    store.search_trigrams(&hostile.join(" "), 5).unwrap();
    let long: String = (0..20_000u32).filter_map(|i| char::from_u32(0x4E00 + i)).collect();
    store.search_trigrams(&long, 5).unwrap();
    store.search_words(&vec![long; 100], 5).unwrap();
    let many: Vec<String> = (0..5000).map(|i| format!("w{i}")).collect();
    store.search_words(&many, 5).unwrap();

    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..500 {
        let text: String = (0..rng.usize(0..12))
            .map(|_| match rng.u8(0..3) {
                0 => rng.char(..),
                1 => char::from(rng.u8(0..128)),
                _ => *rng.choice(&['"', '*', '(', ')', '^', ':', '\0', 'a', '\'']).unwrap(),
            })
            .collect();
        store
            .search_words(std::slice::from_ref(&text), 3)
            .unwrap_or_else(|e| panic!("{text:?}: {e}"));
        store.search_trigrams(&text, 3).unwrap_or_else(|e| panic!("{text:?}: {e}"));
    }
}

#[test]
fn a_term_with_a_mark_inside_is_a_phrase() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &[passage("N", "Ng'ombe anahitaji maji."), passage("M", "Ng na ombe.")]);
    let hits = store.search_words(&words(&["ng'ombe"]), 5).unwrap();
    assert_eq!(titles(&store, &hits)[0], "N");
}

#[test]
fn the_words_of_the_index_are_known_by_letter_and_language() {
    let (_folder, mut store) = store();
    let mut swahili = passage("Homa", "Mtoto mwenye homa anywe maji.");
    swahili.language = Language::SW;
    let english = passage("Fever", "Hot children have a fever. The fever is high.");
    publish(&mut store, 1, &[swahili, english]);
    let terms = store.terms_beginning_with('h').unwrap();
    let terms: Vec<(&str, u64)> = terms.iter().map(|(term, n)| (term.as_str(), *n)).collect();
    assert_eq!(terms, [("have", 1), ("high", 1), ("homa", 1), ("home", 2), ("hot", 1)]);
    assert_eq!(store.terms_beginning_with('z').unwrap(), []);
    let fever = store.terms_beginning_with('f').unwrap();
    assert_eq!(fever, [("fever".to_owned(), 1)], "two times in one passage");
    assert!(store.is_in_some_passage("homa").unwrap());
    assert!(!store.is_in_some_passage("hom").unwrap());
    assert!(store.is_used_in("homa", Language::SW).unwrap());
    assert!(!store.is_used_in("homa", Language::EN).unwrap());
}

#[test]
fn field_weights_move_the_ranking() {
    let (_folder, mut store) = store();
    let heading = passage("Fever", "Something else is said here in so many words.");
    let body = passage("Other", "A fever of three days, a fever of four, a fever of five.");
    publish(&mut store, 1, &[heading, body]);
    let first = |heading, body| {
        let weights = FieldWeights { heading, body };
        let hits = store.search_words_in(Scope::Active, weights, &words(&["fever"]), 1).unwrap();
        titles(&store, &hits).remove(0)
    };
    assert_eq!(first(10.0, 1.0), "Fever");
    assert_eq!(first(0.0, 1.0), "Other");
}

#[test]
fn editions_share_what_they_have_in_common() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    let mut changed = three();
    changed[0].text.push_str(" Take a test.");
    let edition = store.stage(&info(2), changed.clone()).unwrap();
    let missing = store.missing_embeddings(edition, 100).unwrap();
    assert_eq!(missing.iter().map(|(_, p)| p).collect::<Vec<_>>(), [&changed[0]]);

    // Until the flip, the active edition answers, and a scope sees the staged one.
    let test = words(&["test"]);
    assert!(store.search_words(&test, 5).unwrap().is_empty());
    let scope = Scope::Edition(edition);
    let weights = FieldWeights::default();
    assert_eq!(store.search_words_in(scope, weights, &test, 5).unwrap().len(), 1);
    assert_eq!(store.search_trigrams_in(scope, weights, 9, "test", 5).unwrap().len(), 1);
    assert_eq!(store.search_dense_in(scope, &axis(3), 9).unwrap().len(), 2);
    embed_all(&mut store, edition);
    assert_eq!(store.search_dense_in(scope, &axis(3), 9).unwrap().len(), 3);
    assert_eq!(store.search_dense(&axis(3), 9).unwrap().len(), 3);
    assert_eq!(store.golden(edition).unwrap(), info(2).golden);
    store.activate(Timestamp::from_unix_ms(9), edition, MODEL).unwrap();
    assert_eq!(store.search_words(&test, 5).unwrap().len(), 1);
    let rows = |store: &ContentStore, table: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        store.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(rows(&store, "passage"), 4);

    // The third version drops the first, with what nobody else has.
    publish(&mut store, 3, &changed[..1]);
    assert_eq!(rows(&store, "passage"), 3);
    publish(&mut store, 4, &changed[..1]);
    for table in ["passage", "vector", "word_docsize", "trigram_docsize", "vector_rowids"] {
        assert_eq!(rows(&store, table), 1, "{table}");
    }
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn an_import_that_was_cut_off_goes_on() {
    let (folder, mut store) = store();
    let edition = store.stage(&info(1), three()).unwrap();
    let missing = store.missing_embeddings(edition, 2).unwrap();
    store.put_embeddings(&[(missing[0].0, axis(1))]).unwrap();
    drop(store);

    let mut store = ContentStore::open(folder.path().join("content.db")).unwrap();
    assert_eq!(store.stage(&info(1), three()).unwrap(), edition);
    assert_eq!(store.editions().unwrap()[0].missing, 2);
    // Another version takes its place, and keeps the work that was done.
    let next = store.stage(&info(2), three()).unwrap();
    assert_ne!(next, edition);
    assert_eq!(store.editions().unwrap().len(), 1);
    assert_eq!(store.editions().unwrap()[0].missing, 2);
    let error = store.activate(Timestamp::from_unix_ms(1), next, MODEL).unwrap_err();
    assert_eq!(error.to_string(), "health 1.2 still lacks the embeddings of 2 passages");
    // The same embedding twice, and one for a passage that is gone, do no harm.
    let all = store.missing_embeddings(next, 9).unwrap();
    let put: Vec<_> = [&all[0], &all[1], &all[0]].map(|(id, _)| (*id, axis(2))).to_vec();
    store.put_embeddings(&put).unwrap();
    store.put_embeddings(&[(PassageId(999), axis(2))]).unwrap();
    store.activate(Timestamp::from_unix_ms(1), next, MODEL).unwrap();
    assert_eq!(store.verify().unwrap(), []);
    // Active already: nothing to do, and nothing lost.
    assert_eq!(store.stage(&info(2), three()).unwrap(), next);
    store.activate(Timestamp::from_unix_ms(2), next, MODEL).unwrap();
    assert_eq!(store.editions().unwrap()[0].activated_at, Some(Timestamp::from_unix_ms(1)));
}

#[test]
fn another_model_means_other_vectors() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    let other = ModelHash([2; 32]);
    let edition = store.stage(&EditionInfo { model_hash: other, ..info(1) }, three()).unwrap();
    assert_eq!(store.missing_embeddings(edition, 9).unwrap().len(), 3);
    embed_all(&mut store, edition);
    let error = store.activate(Timestamp::default(), edition, MODEL).unwrap_err();
    assert!(matches!(error, StoreError::OtherModel { .. }), "{error}");
    assert_eq!(store.search_dense(&axis(1), 9).unwrap().len(), 3);
    store.activate(Timestamp::default(), edition, other).unwrap();
    assert_eq!(store.search_dense(&axis(1), 9).unwrap().len(), 3);
    let narrow = Embedding::normalised(vec![1.0; 12]).unwrap();
    let error = store.search_dense(&narrow, 1).unwrap_err();
    assert!(matches!(error, StoreError::Width { wanted: 384, found: 12 }), "{error}");
}

#[test]
fn an_admin_can_go_back_and_forth() {
    let (_folder, mut store) = store();
    let health = collection("health");
    let now = Timestamp::from_unix_ms(77);
    let error = store.revert(now, &health).unwrap_err();
    assert_eq!(error.to_string(), "health has no earlier version to go back to");
    publish(&mut store, 1, &three()[..2]);
    publish(&mut store, 2, &three());
    assert_eq!(store.revert(now, &health).unwrap().version, 1);
    assert_eq!(store.passage_count().unwrap(), 2);
    assert_eq!(store.revert(now, &health).unwrap().version, 2);
    assert_eq!(store.passage_count().unwrap(), 3);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn a_refused_edition_leaves_its_reason_and_nothing_else() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three()[..1]);
    let edition = store.stage(&info(2), three()).unwrap();
    embed_all(&mut store, edition);
    store.fail(edition, "golden query 1 of 1 was not answered from Malaria.md").unwrap();
    assert_eq!(store.passage_count().unwrap(), 1);
    let editions = store.editions().unwrap();
    assert_eq!(editions[1].state, EditionState::Failed);
    assert_eq!(editions[1].passages, 0);
    assert!(editions[1].failure.as_ref().unwrap().contains("Malaria.md"));
    assert_eq!(store.active_editions().unwrap(), editions[..1]);
    let error = store.activate(Timestamp::default(), edition, MODEL).unwrap_err();
    assert!(matches!(error, StoreError::NotStaged { .. }), "{error}");
    // It may be tried again, under a new id.
    let again = store.stage(&info(2), three()).unwrap();
    assert_ne!(again, edition);
    assert!(matches!(store.fail(EditionId(99), "").unwrap_err(), StoreError::NoEdition(_)));
}

#[test]
fn collections_stand_side_by_side() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    let land = EditionInfo { collection: collection("land"), ..info(1) };
    let error = store.stage(&land, three()).unwrap_err();
    assert!(matches!(error, StoreError::OtherCollection { .. }), "{error}");
    let title = Passage {
        collection: collection("land"),
        language: Language::FR,
        ..passage("Titre", "Le clinic du titre foncier.")
    };
    let edition = store.stage(&land, [title.clone(), title]).unwrap();
    embed_all(&mut store, edition);
    store.activate(Timestamp::default(), edition, MODEL).unwrap();
    assert_eq!(store.passage_count().unwrap(), 4);
    assert_eq!(store.search_words(&words(&["clinic"]), 9).unwrap().len(), 2);
    assert_eq!(store.languages().unwrap(), [Language::EN, Language::FR]);
    let outline = store.outline().unwrap();
    let titles: Vec<&str> = outline.iter().map(|of| of.title.as_str()).collect();
    assert_eq!(titles, ["Cholera", "Kipindupindu", "Malaria", "Titre"]);
    assert_eq!(outline[3].language, Language::FR);
    assert_eq!(outline[3].headings, ["At home"], "each is listed once");
}

#[test]
fn a_snapshot_does_not_see_a_flip() {
    let (folder, mut store) = store();
    publish(&mut store, 1, &three()[..1]);
    let mut reader = ContentReader::open(folder.path().join("content.db")).unwrap();
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(snapshot.passage_count().unwrap(), 1);
    publish(&mut store, 2, &three()[1..]);
    publish(&mut store, 3, &three()[1..2]);
    let hits = snapshot.search_words(&words(&["fever"]), 5).unwrap();
    assert_eq!(titles(&snapshot, &hits), ["Malaria"]);
    assert_eq!(snapshot.search_dense(&axis(1), 5).unwrap().len(), 1);
    drop(snapshot);
    assert!(reader.search_words(&words(&["fever"]), 5).unwrap().is_empty());
    assert_eq!(reader.passage(hits[0].passage).unwrap(), None);
    assert_eq!(reader.passages(&[hits[0].passage]).unwrap(), []);
}

/// Every flip changes all passages, so a mixture of two versions would show.
#[test]
fn readers_see_whole_versions_while_versions_change() {
    let (folder, mut store) = store();
    let edition_of = |version: u64| -> Vec<Passage> {
        (0..5)
            .map(|n| passage(&format!("v{version}"), &format!("Common words {version} {n}")))
            .collect()
    };
    publish(&mut store, 0, &edition_of(0));
    let path = folder.path().join("content.db");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reader = ContentReader::open(&path).unwrap();
                    let mut versions = std::collections::BTreeSet::new();
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let snapshot = reader.snapshot().unwrap();
                        let title = format!(
                            "v{}",
                            snapshot.index_version(&collection("health")).unwrap().unwrap().version
                        );
                        let by_words = snapshot.search_words(&words(&["common"]), 99).unwrap();
                        let by_trigrams = snapshot.search_trigrams("common", 99).unwrap();
                        let by_vector = snapshot.search_dense(&axis(3), 99).unwrap();
                        for hits in [by_words, by_trigrams, by_vector] {
                            assert_eq!(titles(&snapshot, &hits), vec![title.clone(); 5]);
                        }
                        versions.insert(title);
                    }
                    versions.len()
                })
            })
            .collect();
        for version in 1..40 {
            publish(&mut store, version, &edition_of(version));
            std::thread::sleep(Duration::from_millis(2));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 1, "a reader saw only one version");
        }
    });
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn verify_finds_what_is_missing_and_what_was_changed() {
    let (folder, mut store) = store();
    publish(&mut store, 1, &three());
    let ids: Vec<PassageId> =
        store.search_dense(&axis(1), 9).unwrap().iter().map(|hit| hit.passage).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    let outside = rusqlite::Connection::open(folder.path().join("content.db")).unwrap();
    outside.execute("DELETE FROM word WHERE rowid = ?1", [sorted[0].0]).unwrap();
    outside.execute("DELETE FROM vector WHERE passage = ?1", [sorted[1].0]).unwrap();
    outside.execute("UPDATE passage SET text = 'x' WHERE id = ?1", [sorted[2].0]).unwrap();
    assert_eq!(
        store.verify().unwrap(),
        [
            Finding::NotIndexed { passage: sorted[0], index: "word" },
            Finding::NotIndexed { passage: sorted[1], index: "vector" },
            Finding::Altered { passage: sorted[2] },
        ]
    );
}

#[test]
fn tidying_changes_no_result() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    let search = |store: &ContentStore| {
        (
            store.search_words(&words(&["fever", "go", "maji"]), 9).unwrap(),
            store.search_trigrams("feverish chemsha", 9).unwrap(),
            store.search_dense(&axis(60), 9).unwrap(),
        )
    };
    let before = search(&store);
    store.tidy().unwrap();
    assert_eq!(search(&store), before);
    assert_eq!(store.verify().unwrap(), []);
}

/// One passage in every chunk's worth stays, so that no chunk becomes empty.
#[test]
fn tidying_closes_the_holes_between_the_vectors() {
    let (_folder, mut store) = store();
    let mut version = 1;
    let mut kept: Vec<Passage> = Vec::new();
    for _ in 0..6 {
        let filler = (0..127).map(|n| passage("Filler", &format!("words {version} {n}")));
        kept.push(passage("Kept", &format!("these words stay {version}")));
        let all: Vec<Passage> = kept.iter().cloned().chain(filler).collect();
        publish(&mut store, version, &all);
        version += 1;
    }
    publish(&mut store, version, &kept);
    publish(&mut store, version + 1, &kept);
    let chunks = |store: &ContentStore| -> u64 {
        let sql = "SELECT count(*) FROM vector_chunks";
        store.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert!(chunks(&store) >= 5, "{} chunks", chunks(&store));
    let before = store.search_dense(&axis(17), 9).unwrap();
    assert_eq!(before.len(), 6);
    store.tidy().unwrap();
    assert_eq!(chunks(&store), 1);
    assert_eq!(store.search_dense(&axis(17), 9).unwrap(), before);
    assert_eq!(store.verify().unwrap(), []);
}

/// What everybody says tells nothing, but is better than nothing.
#[test]
fn a_word_of_every_passage_is_found_when_there_is_no_other() {
    let (_folder, mut store) = store();
    publish(&mut store, 1, &three());
    assert_eq!(store.search_words(&words(&["treatment"]), 9).unwrap().len(), 3);
    assert_eq!(store.search_words(&words(&["treatment", "fever"]), 9).unwrap().len(), 1);
    assert_eq!(store.search_trigrams("treatment", 9).unwrap().len(), 3);
}

#[test]
fn what_was_fetched_is_found_again_and_only_in_its_collection() {
    let (_folder, mut store) = store();
    let (health, land) = (collection("health"), collection("land"));
    let raw = b"an object".to_vec();
    let name = Hash::of(&raw);
    let (waits, parcel) = (Hash::of(b"later"), vec![1, 2, 3]);
    store.keep(&health, &Save::Parked { name: name.short(), parcel: vec![9], spent: 5 }).unwrap();
    store.keep(&health, &Save::Parked { name: waits.short(), parcel, spent: 7 }).unwrap();
    store.keep(&health, &Save::Object { name, raw: raw.clone(), spent: 12 }).unwrap();

    // The object came: what was parked for it is gone.
    let fetched = store.fetched(&health).unwrap();
    assert_eq!(fetched.objects, [name].into());
    assert_eq!(fetched.parked, [(waits.short(), vec![1, 2, 3])].into());
    assert_eq!(fetched.spent, 12);
    assert_eq!(store.objects(&health).object(&name), Some(raw));
    assert_eq!(store.objects(&land).object(&name), None);
    assert_eq!(store.fetched(&land).unwrap(), Fetched::default());

    // A new root begins at nothing spent, and what is forgotten is gone.
    store.keep(&health, &Save::Newest(vec![1])).unwrap();
    store.keep(&health, &Save::Unparked(waits.short())).unwrap();
    store.forget(&health, &[name]).unwrap();
    assert_eq!(store.fetched(&health).unwrap(), Fetched::default());
}

#[test]
fn an_edition_keeps_the_root_that_it_came_with() {
    let (_folder, mut store) = store();
    let signed = |version: u64| EditionInfo { root: Some(vec![version as u8]), ..info(version) };
    let health = info(1).collection;
    for version in [1, 2] {
        let edition = store.stage(&signed(version), three()).unwrap();
        embed_all(&mut store, edition);
        store.activate(Timestamp::from_unix_ms(5), edition, MODEL).unwrap();
    }
    let root = |store: &ContentStore, state| store.root(&health, state).unwrap();
    assert_eq!(root(&store, EditionState::Active), Some(vec![2]));
    assert_eq!(root(&store, EditionState::Previous), Some(vec![1]));
    store.revert(Timestamp::from_unix_ms(6), &health).unwrap();
    assert_eq!(root(&store, EditionState::Active), Some(vec![1]));
    assert_eq!(root(&store, EditionState::Staged), None);
}

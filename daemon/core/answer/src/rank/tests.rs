use jibu_types::{CollectionName, Language};
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/ranking.json"));
/// What the recipe computed with the shipped parameters.
const GOLDEN: &str = include_str!("golden.json");

fn shipped() -> Ranker {
    Ranker::new(serde_json::from_str(SHIPPED).unwrap()).unwrap()
}

fn passage(heading: &str, text: &str) -> Passage {
    Passage {
        collection: CollectionName::parse("test").unwrap(),
        document: String::new(),
        title: heading.into(),
        section: Vec::new(),
        language: Language::EN,
        source_url: None,
        date: None,
        text: text.into(),
    }
}

fn hits(list: &Value) -> Vec<Hit> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|hit| Hit {
            passage: PassageId(hit[0].as_i64().unwrap()),
            score: hit[1].as_f64().unwrap(),
        })
        .collect()
}

#[test]
fn the_daemon_and_the_recipe_compute_the_same() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let passages: Vec<(PassageId, Passage)> = (0i64..)
        .zip(golden["passages"].as_array().unwrap())
        .map(|(at, p)| (PassageId(at), passage(p[0].as_str().unwrap(), p[1].as_str().unwrap())))
        .collect();
    let ranker = shipped();
    for case in golden["cases"].as_array().unwrap() {
        let question = case["question"].as_str().unwrap();
        let language = Language::parse(case["language"].as_str().unwrap()).unwrap();
        let query = Query::analyse(question, language);
        let asked: Vec<&str> =
            case["query_words"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        assert_eq!(query.words, asked, "{question}: did the stop words change? Run the recipe");
        let frequencies: Vec<u64> =
            case["frequencies"].as_array().unwrap().iter().map(|f| f.as_u64().unwrap()).collect();
        let evidence = Evidence {
            words: &hits(&case["words"]),
            trigrams: &hits(&case["trigrams"]),
            dense: &hits(&case["dense"]),
            frequencies: &frequencies,
            passage_count: passages.len() as u64,
            passages: &passages,
        };
        let ranked = ranker.rank(&query, &evidence);
        assert_eq!(ranked.len(), case["ranked"].as_array().unwrap().len(), "{question}");
        assert_near(&ranked, &case["ranked"], question);
        let reread = ranker.reread(&evidence, ranked, &readings(&golden["readings"]));
        assert_near(&reread, &case["reread"], question);
    }
}

fn readings(list: &Value) -> Vec<Option<Reading>> {
    let number = |v: &Value| v.as_f64().unwrap() as f32;
    let reading = |r: &Value| Reading {
        relevance: number(&r[0]),
        answered: number(&r[1]),
        span: Some(jibu_types::Span { range: 0..1, probability: number(&r[2]) }),
    };
    list.as_array().unwrap().iter().map(|r| Some(reading(r))).collect()
}

/// The first of the ranked are the wanted ones, up to the last digits of f32.
fn assert_near(ranked: &[Ranked], wanted: &Value, question: &str) {
    for (ranked, wanted) in ranked.iter().zip(wanted.as_array().unwrap()) {
        assert_eq!(ranked.passage.0, wanted[0].as_i64().unwrap(), "{question}");
        let near = |a: f64, b: &Value| (a - b.as_f64().unwrap()).abs() < 1e-5;
        assert!(near(ranked.score, &wanted[1]), "{question}: {ranked:?} {wanted}");
        assert!(near(ranked.probability, &wanted[2]), "{question}: {ranked:?} {wanted}");
    }
}

#[test]
fn what_was_not_read_comes_behind() {
    let passages: Vec<(PassageId, Passage)> =
        (0..3).map(|id| (PassageId(id), passage("", "fever"))).collect();
    let hits: Vec<Hit> =
        (0..3).map(|id| Hit { passage: PassageId(id), score: 0.9 - id as f64 * 0.01 }).collect();
    let query = Query::analyse("fever", Language::EN);
    let evidence = Evidence {
        words: &hits,
        trigrams: &hits,
        dense: &hits,
        frequencies: &[3],
        passage_count: 3,
        passages: &passages,
    };
    let ranker = shipped();
    let ranked = ranker.rank(&query, &evidence);
    let reading = |relevance| Some(Reading { relevance, answered: relevance, span: None });
    let reread = ranker.reread(&evidence, ranked.clone(), &[reading(-9.0), None, reading(9.0)]);
    assert_eq!(reread.iter().map(|r| r.passage.0).collect::<Vec<_>>(), [2, 0, 1]);
    assert!(reread.is_sorted_by(|a, b| a.score >= b.score && a.probability >= b.probability));
    // Without any reading the order stays.
    assert_eq!(ranker.reread(&evidence, ranked.clone(), &[]), ranked);
}

#[test]
fn nothing_found_is_nothing_ranked() {
    let query = Query::analyse("malaria", Language::EN);
    let evidence = Evidence {
        words: &[],
        trigrams: &[],
        dense: &[],
        frequencies: &[0],
        passage_count: 0,
        passages: &[],
    };
    assert_eq!(shipped().rank(&query, &evidence), []);
}

#[test]
fn a_passage_that_all_three_put_first_is_first_and_likelier_than_a_lone_guess() {
    let query = Query::analyse("malaria clinic", Language::EN);
    let passages = [
        (PassageId(1), passage("Malaria", "The malaria clinic opens on Monday.")),
        (PassageId(2), passage("Goats", "A goat needs shade and water.")),
    ];
    let hit = |id, score| Hit { passage: PassageId(id), score };
    let evidence = Evidence {
        words: &[hit(1, 7.0), hit(2, 0.5)],
        trigrams: &[hit(1, 20.0), hit(2, 2.0)],
        dense: &[hit(1, 0.92), hit(2, 0.79)],
        frequencies: &[2, 3],
        passage_count: 500,
        passages: &passages,
    };
    let agreed = shipped().rank(&query, &evidence);
    assert_eq!(agreed[0].passage, PassageId(1));
    let guess = Evidence {
        words: &[],
        trigrams: &[],
        dense: &[hit(2, 0.79), hit(1, 0.785)],
        frequencies: &[0, 0],
        passages: &[],
        ..evidence
    };
    let alone = shipped().rank(&query, &guess);
    let thresholds = *shipped().thresholds();
    assert!(agreed[0].probability > thresholds.sure, "{agreed:?}");
    assert!(alone[0].probability < thresholds.found, "{alone:?}");
    assert!(agreed[0].probability > alone[0].probability + 0.4, "{agreed:?} {alone:?}");
}

#[test]
fn parameters_that_cannot_be_meant_are_refused() {
    let good: Parameters = serde_json::from_str(SHIPPED).unwrap();
    let mut bad = good.clone();
    bad.weights.remove(&Signal::Words);
    assert_eq!(Ranker::new(bad), Err(ParametersError::Missing(Signal::Words)));
    let mut bad = good.clone();
    bad.calibration.lead = f64::NAN;
    assert_eq!(Ranker::new(bad), Err(ParametersError::NotFinite));
    let mut bad = good.clone();
    bad.thresholds.found = 1.5;
    assert_eq!(Ranker::new(bad), Err(ParametersError::OutOfRange("thresholds")));
    let mut bad = good;
    bad.search.depth = 0;
    assert_eq!(Ranker::new(bad), Err(ParametersError::OutOfRange("search.depth")));
    let unknown = SHIPPED.replace("\"depth\"", "\"deep\"");
    assert!(serde_json::from_str::<Parameters>(&unknown).is_err());
}

fn any_hits() -> impl Strategy<Value = Vec<Hit>> {
    prop::collection::vec((0i64..20, -1.0f64..50.0), 0..12).prop_map(|pairs| {
        let mut seen = HashSet::new();
        let mut hits: Vec<Hit> = pairs
            .into_iter()
            .filter(|(id, _)| seen.insert(*id))
            .map(|(id, score)| Hit { passage: PassageId(id), score })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits
    })
}

proptest! {
    #[test]
    fn whatever_was_found_is_ranked_once_and_in_order(
        words in any_hits(),
        trigrams in any_hits(),
        dense in any_hits(),
        frequencies in prop::collection::vec(any::<u64>(), 0..4),
        passage_count in any::<u64>(),
        text in ".{0,40}",
    ) {
        let query = Query::analyse("malaria clinic hours", Language::EN);
        let passages = [(PassageId(3), passage("Clinic", &text))];
        let ranked = shipped().rank(&query, &Evidence {
            words: &words,
            trigrams: &trigrams,
            dense: &dense,
            frequencies: &frequencies,
            passage_count,
            passages: &passages,
        });
        let mut expected = Evidence::candidates(&words, &trigrams, &dense);
        let mut found: Vec<PassageId> = ranked.iter().map(|r| r.passage).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
        prop_assert!(ranked.iter().all(|r| r.score.is_finite()));
        prop_assert!(ranked.iter().all(|r| (0.0..=1.0).contains(&r.probability)));
        prop_assert!(ranked.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert!(ranked.is_sorted_by(|a, b| a.probability >= b.probability));
    }
}

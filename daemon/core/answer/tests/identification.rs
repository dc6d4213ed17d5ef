//! How well the built-in identifier knows a language by five words: measured on
//! translations that it was not made from, half of them without accents.
//!
//! The figures: `cargo test -p jibu-answer --test identification -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test reads its data")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use jibu_answer::{CONFIDENT, identify, text::fold};
use jibu_types::Language;

const OFFERED: [Language; 5] =
    [Language::EN, Language::SW, Language::FR, Language::PT, Language::NY];
/// Per language: enough for a figure with two digits.
const SAMPLES: usize = 1500;

#[derive(Default)]
struct Count {
    all: f64,
    right: f64,
    believed: f64,
    believed_right: f64,
}

#[test]
fn nine_in_ten_fragments_of_five_words_are_known() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/train/bitext_extra.jsonl.gz");
    let Ok(file) = std::fs::File::open(&data) else {
        println!("skipped: the sentence pairs are not beside this checkout");
        return;
    };
    let mut counts: BTreeMap<Language, Count> = BTreeMap::new();
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    for (at, line) in lines.map_while(Result::ok).enumerate() {
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        // English stands beside every translation; a few are enough.
        let own = row["lang"].as_str().and_then(|code| Language::parse(code).ok());
        let english = (at % 97 == 0).then_some((Language::EN, &row["en"]));
        for (language, text) in own.map(|own| (own, &row["text"])).into_iter().chain(english) {
            let words: Vec<&str> = text.as_str().unwrap_or_default().split_whitespace().collect();
            let count = counts.entry(language).or_default();
            if !OFFERED.contains(&language) || words.len() < 5 || count.all >= SAMPLES as f64 {
                continue;
            }
            let start = at % (words.len() - 4);
            let mut fragment = words[start..start + 5].join(" ");
            if at % 2 == 0 {
                fragment = fold(&fragment);
            }
            let found = identify(&fragment, &OFFERED);
            let right = f64::from(found.is_some_and(|found| found.language == language));
            let believed = f64::from(found.is_some_and(|found| found.confidence >= CONFIDENT));
            count.all += 1.0;
            count.right += right;
            count.believed += believed;
            count.believed_right += right * believed;
        }
    }
    for language in OFFERED {
        let count = &counts[&language];
        let (right, believed) = (count.right / count.all, count.believed_right / count.believed);
        println!(
            "{language}: {} fragments, {:.1} % right; believed {:.1} %, of these {:.1} % right",
            count.all,
            100.0 * right,
            100.0 * count.believed / count.all,
            100.0 * believed,
        );
        assert!(right > 0.88, "{language} {right}");
        assert!(believed > 0.93, "{language} {believed}");
    }
}

use proptest::prelude::*;

use super::*;

/// A small vocabulary in the form that the recipe writes.
fn tokenizer(pieces: &[(&str, f64)]) -> Tokenizer {
    try_tokenizer(pieces, "Nmt").unwrap()
}

fn try_tokenizer(pieces: &[(&str, f64)], first: &str) -> Result<Tokenizer, String> {
    let special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)];
    let vocab: Vec<_> = special.iter().chain(pieces).collect();
    let added: Vec<_> = special
        .iter()
        .zip(0..)
        .map(|((content, _), id)| serde_json::json!({ "id": id, "content": content }))
        .collect();
    let json = serde_json::json!({
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence", "normalizers": [{ "type": first }, { "type": "NFKC" }]
        },
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "WhitespaceSplit" },
            {
                "type": "Metaspace", "replacement": "\u{2581}",
                "prepend_scheme": "always", "split": true
            },
        ] },
        "model": { "type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": vocab },
    });
    Tokenizer::build(json.to_string().as_bytes())
}

const PIECES: &[(&str, f64)] = &[
    ("\u{2581}", -2.0),   // 4
    ("a", -3.0),          // 5
    ("b", -3.5),          // 6
    ("ab", -4.0),         // 7
    ("\u{2581}ab", -9.0), // 8
    ("fi", -4.0),         // 9
    ("é", -5.0),          // 10
];

#[test]
fn the_most_probable_segmentation_wins() {
    let tokenizer = tokenizer(PIECES);
    assert_eq!(tokenizer.encode("ab", 99), [0, 4, 7, 2]);
    assert_eq!(tokenizer.encode("aab  b", 99), [0, 4, 5, 7, 4, 6, 2]);
}

#[test]
fn of_equals_the_longer_first_piece_wins() {
    let tokenizer = tokenizer(&[("\u{2581}", -1.0), ("a", -1.0), ("\u{2581}a", -2.0)]);
    assert_eq!(tokenizer.encode("a", 99), [0, 6, 2]);
}

#[test]
fn a_run_of_unknown_characters_is_one_token() {
    let tokenizer = tokenizer(PIECES);
    assert_eq!(tokenizer.encode("東京a東 東", 99), [0, 4, 3, 5, 3, 4, 3, 2]);
}

#[test]
fn text_is_normalised_first() {
    let tokenizer = tokenizer(PIECES);
    // A ligature, a composed accent, a full-width letter, a control character,
    // a zero-width space and a character that is unknown but is white space.
    let text = "\u{fb01} e\u{301} \u{ff41}\u{7}b\u{200b}a\u{85}\u{feff}";
    assert_eq!(tokenizer.encode(text, 99), [0, 4, 9, 4, 10, 4, 7, 4, 5, 2]);
}

#[test]
fn nothing_is_two_ends() {
    let tokenizer = tokenizer(PIECES);
    for text in ["", " ", "\n\u{2581}\u{0b}"] {
        assert_eq!(tokenizer.encode(text, 99), [0, 2], "{text:?}");
    }
}

#[test]
fn a_text_cannot_spell_a_special_token() {
    let tokens = tokenizer(PIECES).encode("</s> <s>a", 99);
    assert_eq!(tokens, [0, 4, 3, 4, 3, 5, 2]);
}

#[test]
fn what_is_beyond_the_limit_is_cut() {
    let tokenizer = tokenizer(PIECES);
    assert_eq!(tokenizer.encode(&"ab ".repeat(1_000), 6), [0, 4, 7, 4, 7, 2]);
    assert_eq!(tokenizer.encode(&"ab".repeat(100_000), 6), [0, 4, 7, 7, 7, 2]);
    assert_eq!(tokenizer.encode("ab", 2), [0, 2]);
    assert_eq!(tokenizer.encode("ab", 0), [0, 2]);
}

#[test]
fn another_tokenizer_is_refused() {
    assert!(try_tokenizer(PIECES, "NFKC").unwrap_err().contains("Nmt"));
    assert!(try_tokenizer(PIECES, "Lowercase").is_err());
    assert!(try_tokenizer(&[("a", -1.0), ("a", -2.0)], "Nmt").is_err());
    assert!(Tokenizer::build(b"{}").is_err());
}

proptest! {
    #[test]
    fn any_text_has_tokens(text in any::<String>(), limit in 0usize..40) {
        let tokens = tokenizer(PIECES).encode(&text, limit);
        prop_assert!(tokens.len() <= limit.max(2));
        prop_assert_eq!((tokens[0], tokens[tokens.len() - 1]), (0, 2));
        prop_assert!(tokens[1..tokens.len() - 1].iter().all(|t| (3..11).contains(t)));
    }

    #[test]
    fn places_go_with_the_same_tokens(text in any::<String>(), limit in 0usize..40) {
        let tokenizer = tokenizer(PIECES);
        let (tokens, places): (Vec<u32>, Vec<_>) =
            tokenizer.encode_with_places(&text, limit).into_iter().unzip();
        prop_assert_eq!(tokens, tokenizer.encode(&text, limit));
        prop_assert!(places.iter().all(|place| text.get(place.clone()).is_some()));
        prop_assert!(places.is_sorted_by_key(|place| place.start));
    }

    #[test]
    fn known_letters_are_all_covered(text in "[ab]{1,60}") {
        let letters: usize = tokenizer(PIECES)
            .encode(&text, 999)
            .iter()
            .map(|token| match token { 5 | 6 => 1, 7 | 8 => 2, _ => 0 })
            .sum();
        prop_assert_eq!(letters, text.len());
    }
}

#[test]
fn tokens_know_their_bytes() {
    let tokenizer = tokenizer(PIECES);
    let found = tokenizer.encode_with_places("a  abé", 99);
    let wanted = [(0, 0..0), (4, 0..0), (5, 0..1), (4, 3..3), (7, 3..5), (10, 5..7), (2, 7..7)];
    assert_eq!(found, wanted);
    // The ligature becomes two letters: its token stands for the word.
    assert_eq!(tokenizer.encode_with_places("aﬁ", 99)[2..4], [(5, 0..4), (9, 0..4)]);
    assert_eq!(tokenizer.encode_with_places("日本a", 99)[2..4], [(3, 0..6), (5, 6..7)]);
}

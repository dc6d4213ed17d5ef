//! Documents to send: prose of an invented language whose words are as uneven in
//! use as real ones (Zipf's law), so that it compresses about as well.

use fastrand::Rng;

/// A Markdown document of so many sections of about 600 characters, a passage
/// each. Those below `changed` end with another sentence.
pub fn document(sections: usize, changed: usize) -> String {
    let mut text = "---\nlanguage: en\n---\n# Handbook\n".to_owned();
    for section in 0..sections {
        let mut rng = Rng::with_seed(section as u64);
        text.push_str(&format!("\n## Section {section}\n\n"));
        let begin = text.len();
        while text.len() - begin < 560 {
            text.push_str(&sentence(&mut rng));
        }
        if section < changed {
            text.push_str(&sentence(&mut rng));
        }
        text.push('\n');
    }
    text
}

fn sentence(rng: &mut Rng) -> String {
    let words: Vec<String> = (0..rng.usize(6..16)).map(|_| word(rng)).collect();
    format!("The {}. ", words.join(" "))
}

/// One of some ten thousand words, the n-th about n times as rare as the first.
fn word(rng: &mut Rng) -> String {
    let rank = 10_000f64.powf(rng.f64()) as u64;
    let mut letters = Rng::with_seed(rank);
    let syllables = 1 + rank.ilog10() as usize;
    (0..syllables).map(|_| SYLLABLES[letters.usize(..SYLLABLES.len())]).collect()
}

const SYLLABLES: [&str; 32] = [
    "ba", "che", "di", "fo", "gu", "ha", "ji", "ka", "le", "mo", "nu", "pa", "ri", "sho", "ta",
    "ve", "wa", "yo", "zi", "nga", "mwe", "ki", "ndo", "to", "li", "ma", "si", "u", "en", "ra",
    "tha", "vyo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_touches_its_sections_alone() {
        let (old, new) = (document(20, 0), document(20, 3));
        let differ = old.lines().zip(new.lines()).filter(|(old, new)| old != new).count();
        assert_eq!(differ, 3);
        assert_eq!(old, document(20, 0));
    }
}

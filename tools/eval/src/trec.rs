//! TREC runs: `qid Q0 docid rank score tag`.

use std::io::{self, Write};

/// The last column: which system ranked.
const TAG: &str = "jibu";

/// Writes one question's ranking, best first.
///
/// Scorers order by score and read it as f32, so a score that would not be
/// below the one before is lowered until it is.
///
/// # Errors
/// When `out` refuses.
pub fn write(out: &mut impl Write, question: &str, ranking: &[(String, f64)]) -> io::Result<()> {
    let mut before = f32::INFINITY;
    for (at, (document, score)) in ranking.iter().enumerate() {
        let score = (*score as f32).min(before.next_down());
        writeln!(out, "{question} Q0 {document} {} {score} {TAG}", at + 1)?;
        before = score;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_keep_their_order() {
        let mut out = Vec::new();
        let ranking = [("a", 2.0), ("b", 2.0), ("c", 2.0 + 1e-12), ("d", -1.0)];
        write(&mut out, "q", &ranking.map(|(id, score)| (id.to_owned(), score))).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "q Q0 a 1 2 jibu\nq Q0 b 2 1.9999999 jibu\nq Q0 c 3 1.9999998 jibu\nq Q0 d 4 -1 jibu\n"
        );
    }
}

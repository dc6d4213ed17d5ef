//! Whether to answer, to ask back, or to say that nothing is known.

use jibu_types::{IndexVersion, Passage, PassageId, Span};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, EmergencyLine, Grounded, Topic};
use crate::query::Query;
use crate::rank::Part;
use crate::text::fold;

/// The most topics that a menu offers: what a person can hold in mind and one
/// SMS can hold in lines.
pub const MENU_TOPICS: usize = 4;

/// Where the borders lie between answering, asking back and saying nothing.
/// They belong to the model that gives the probabilities and come with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// From here on the best passage is the answer, whatever stands next to it.
    pub sure: f64,
    /// From here on the best passage is the answer when it leads.
    pub found: f64,
    /// From here on the best passage is worth asking about: a menu is offered.
    pub choose: f64,
    /// The lead over the next topic, in probability, that makes a menu needless.
    pub lead: f64,
}

impl Thresholds {
    /// Whether they are probabilities in the right order.
    pub fn is_consistent(&self) -> bool {
        let ordered = [0.0, self.choose, self.found, self.sure, 1.0];
        ordered.is_sorted() && (0.0..=1.0).contains(&self.lead)
    }
}

/// A retrieved passage with what the ranking thinks of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'a> {
    /// The passage's row.
    pub id: PassageId,
    /// The passage.
    pub passage: &'a Passage,
    /// The state of its collection's index.
    pub index_version: IndexVersion,
    /// How likely it answers the question, 0 to 1, calibrated.
    pub probability: f64,
    /// Which half of the answer it can be; none where the answer has no halves.
    pub part: Option<Part>,
    /// The words in it that answer, as a reader sees it.
    pub span: Option<&'a Span>,
}

impl Candidate<'_> {
    /// Whether its span alone decides which sentence answers, so that nobody
    /// needs to compare the sentences with the question.
    pub fn is_settled(&self) -> bool {
        // What a sentence looks like is worth one minus this at most.
        const HALF: f32 = 0.5;
        self.span.is_some_and(|span| span.probability >= HALF)
    }
}

/// What to do with the candidates; positions are those of the slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This one answers, and a second one says the other half.
    Found(usize, Option<usize>),
    /// These may be meant, the best first; one to [`MENU_TOPICS`] of them.
    Choose(Vec<usize>),
    /// None is good enough.
    Unknown,
}

/// Decides on candidates that come best first.
pub fn decide(query: &Query, candidates: &[Candidate<'_>], thresholds: &Thresholds) -> Decision {
    let Some(best) = candidates.first() else { return Decision::Unknown };
    let is_other_half = |candidate: &Candidate<'_>| {
        best.part.is_some() && candidate.part.is_some() && candidate.part != best.part
    };
    // In danger nobody has time for a menu or a second half. NaN is below every
    // threshold.
    if query.danger.is_some() && best.probability >= thresholds.found {
        return Decision::Found(0, None);
    }
    let beside =
        candidates.iter().position(|c| is_other_half(c) && c.probability >= thresholds.found);
    if best.probability >= thresholds.sure {
        return Decision::Found(0, beside);
    }
    if best.probability >= thresholds.found {
        let least = thresholds.choose.max(best.probability - thresholds.lead);
        // The other half is no rival.
        let is_rival = |c: &Candidate<'_>| c.probability >= least && !is_other_half(c);
        return match topics_from(candidates, &is_rival) {
            topics if topics.len() > 1 => Decision::Choose(topics),
            _ => Decision::Found(0, beside),
        };
    }
    if best.probability >= thresholds.choose {
        // Not sure enough to answer, and too good to be silent about: the asker
        // knows which topic was meant, if one was.
        let least = best.probability * WORTH_A_LINE;
        return match topics_from(candidates, &|c| c.probability >= least) {
            topics if topics.is_empty() => Decision::Unknown,
            topics => Decision::Choose(topics),
        };
    }
    Decision::Unknown
}

/// Beside a topic that may be meant, those count that are this share as likely.
const WORTH_A_LINE: f64 = 0.5;

impl Decision {
    /// Turns the decision into an answer. `ground` picks the sentences of a
    /// candidate that was found; it is called at most twice.
    ///
    /// Where the question speaks of danger, the emergency line is the answer,
    /// with the passage when one was found; a menu has no place there.
    pub fn into_answer<'a>(
        self,
        query: &Query,
        candidates: &[Candidate<'a>],
        mut ground: impl FnMut(&Candidate<'a>) -> Grounded,
    ) -> Answer {
        let found = match &self {
            Decision::Found(at, beside) => candidates.get(*at).map(|candidate| {
                let mut found = ground(candidate);
                let beside = beside.and_then(|at| candidates.get(at));
                found.beside = beside.map(|candidate| Box::new(ground(candidate)));
                found
            }),
            Decision::Choose(_) | Decision::Unknown => None,
        };
        match (query.danger, found, self) {
            (Some(danger), found, _) => Answer::Urgent(EmergencyLine { danger, found }),
            (None, Some(grounded), _) => Answer::Found(grounded),
            (None, None, Decision::Choose(chosen)) => Answer::Choose(topics(
                &chosen.iter().filter_map(|at| candidates.get(*at)).collect::<Vec<_>>(),
            )),
            (None, None, _) => Answer::Unknown,
        }
    }
}

/// The candidates that count, one for each heading.
fn topics_from(
    candidates: &[Candidate<'_>],
    counts: &dyn Fn(&Candidate<'_>) -> bool,
) -> Vec<usize> {
    let mut headings: Vec<String> = Vec::new();
    let mut topics = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let heading = fold(&candidate.passage.heading());
        if counts(candidate)
            && !heading.is_empty()
            && !headings.contains(&heading)
            && topics.len() < MENU_TOPICS
        {
            headings.push(heading);
            topics.push(at);
        }
    }
    topics
}

/// Menu lines: the innermost heading, with what stands above it where that
/// alone would not tell two lines apart.
fn topics(candidates: &[&Candidate<'_>]) -> Vec<Topic> {
    let innermost = |passage: &Passage| {
        passage.section.iter().rev().chain([&passage.title]).find(|s| !s.is_empty()).cloned()
    };
    let labels: Vec<String> =
        candidates.iter().map(|c| innermost(c.passage).unwrap_or_default()).collect();
    candidates
        .iter()
        .zip(&labels)
        .map(|(candidate, label)| {
            let shared = labels.iter().filter(|other| fold(other) == fold(label)).count() > 1;
            let heading = candidate.passage.heading();
            let label = if shared { heading.replace(" › ", ": ") } else { label.clone() };
            Topic { passage: candidate.id, heading, label }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jibu_types::{CollectionName, Language};
    use proptest::prelude::*;

    const THRESHOLDS: Thresholds = Thresholds { sure: 0.9, found: 0.6, choose: 0.35, lead: 0.15 };

    fn passage(title: &str, section: &[&str]) -> Passage {
        Passage {
            collection: CollectionName::parse("guides").unwrap(),
            document: "a.md".into(),
            title: title.into(),
            section: section.iter().map(|s| (*s).to_owned()).collect(),
            language: Language::EN,
            source_url: None,
            date: None,
            text: "Text.".into(),
        }
    }

    fn candidates<'a>(passages: &'a [Passage], probabilities: &[f64]) -> Vec<Candidate<'a>> {
        let version = IndexVersion::default();
        let rows = passages.iter().zip(probabilities).zip(1..);
        rows.map(|((passage, probability), id)| Candidate {
            id: PassageId(id),
            passage,
            index_version: version,
            probability: *probability,
            part: None,
            span: None,
        })
        .collect()
    }

    fn decided(question: &str, probabilities: &[f64]) -> Decision {
        let passages = [
            passage("Births", &["Fees"]),
            passage("Births", &["Fees"]),
            passage("Deaths", &["Fees"]),
            passage("Births", &["Papers"]),
        ];
        let query = Query::analyse(question, Language::EN);
        decide(&query, &candidates(&passages, probabilities), &THRESHOLDS)
    }

    #[test]
    fn what_is_sure_or_leads_is_found() {
        assert_eq!(decided("fees", &[0.95, 0.1, 0.94]), Decision::Found(0, None));
        assert_eq!(decided("fees", &[0.7, 0.69, 0.5]), Decision::Found(0, None));
    }

    #[test]
    fn close_topics_are_a_menu_with_each_heading_once() {
        assert_eq!(decided("fees", &[0.7, 0.69, 0.65, 0.6]), Decision::Choose(vec![0, 2, 3]));
        assert_eq!(decided("fees", &[0.4, 0.2, 0.38]), Decision::Choose(vec![0, 2]));
    }

    #[test]
    fn what_may_be_meant_is_asked_about_also_when_it_is_alone() {
        assert_eq!(decided("fees", &[0.5, 0.5, 0.1]), Decision::Choose(vec![0]));
        assert_eq!(decided("fees", &[0.5, 0.5, 0.3]), Decision::Choose(vec![0, 2]));
    }

    #[test]
    fn what_is_not_good_enough_is_unknown() {
        assert_eq!(decided("fees", &[]), Decision::Unknown);
        assert_eq!(decided("fees", &[0.3, 0.3, 0.2]), Decision::Unknown);
        assert_eq!(decided("fees", &[f64::NAN, f64::NAN]), Decision::Unknown);
    }

    #[test]
    fn in_danger_the_best_is_taken_without_a_menu() {
        assert_eq!(decided("he drank bleach", &[0.7, 0.69, 0.65]), Decision::Found(0, None));
    }

    fn with_halves(question: &str, found: &[(f64, Option<Part>)]) -> Decision {
        let passages: Vec<Passage> =
            found.iter().enumerate().map(|(at, _)| passage("Births", &[&at.to_string()])).collect();
        let probabilities: Vec<f64> = found.iter().map(|(probability, _)| *probability).collect();
        let mut candidates = candidates(&passages, &probabilities);
        for (candidate, (_, part)) in candidates.iter_mut().zip(found) {
            candidate.part = *part;
        }
        decide(&Query::analyse(question, Language::EN), &candidates, &THRESHOLDS)
    }

    #[test]
    fn the_other_half_stands_beside_and_is_no_rival() {
        let (own, general) = (Some(Part::Own), Some(Part::General));
        let found = [(0.7, own), (0.2, own), (0.69, general), (0.68, general)];
        assert_eq!(with_halves("fees", &found), Decision::Found(0, Some(2)));
        assert_eq!(
            with_halves("fees", &[(0.95, general), (0.7, own)]),
            Decision::Found(0, Some(1))
        );
        // Not likely enough, of the same half, or of none.
        let lone = [(0.95, own), (0.5, general), (0.9, own), (0.9, None)];
        assert_eq!(with_halves("fees", &lone), Decision::Found(0, None));
        assert_eq!(with_halves("he drank bleach", &found), Decision::Found(0, None));
        // Two sections of the named work are a menu.
        let unclear = [(0.7, own), (0.69, general), (0.68, own)];
        assert_eq!(with_halves("fees", &unclear), Decision::Choose(vec![0, 2]));
    }

    #[test]
    fn lines_of_a_menu_can_be_told_apart() {
        let passages =
            [passage("Births", &["Fees"]), passage("Deaths", &["Fees"]), passage("Land", &[])];
        let query = Query::analyse("fees", Language::EN);
        let candidates = candidates(&passages, &[0.5, 0.5, 0.45]);
        let decision = decide(&query, &candidates, &THRESHOLDS);
        let Answer::Choose(topics) =
            decision.into_answer(&query, &candidates, |_| unreachable!("nothing was found"))
        else {
            panic!("three topics are close")
        };
        let labels: Vec<&str> = topics.iter().map(|topic| topic.label.as_str()).collect();
        assert_eq!(labels, ["Births: Fees", "Deaths: Fees", "Land"]);
    }

    #[test]
    fn thresholds_are_checked() {
        assert!(THRESHOLDS.is_consistent());
        assert!(!Thresholds { choose: 0.7, ..THRESHOLDS }.is_consistent());
        assert!(!Thresholds { sure: f64::NAN, ..THRESHOLDS }.is_consistent());
    }

    proptest! {
        #[test]
        fn a_decision_names_candidates_only(probabilities in prop::collection::vec(0.0f64..1.0, 0..4)) {
            match decided("fees", &probabilities) {
                Decision::Found(at, _) => prop_assert!(at < probabilities.len()),
                Decision::Choose(chosen) => {
                    prop_assert!((1..=MENU_TOPICS).contains(&chosen.len()));
                    prop_assert!(chosen.iter().all(|at| *at < probabilities.len()));
                }
                Decision::Unknown => {}
            }
        }
    }
}

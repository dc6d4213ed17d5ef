//! Whether to answer, to ask back, or to say that nothing is known.

use jibu_types::{IndexVersion, Passage, PassageId};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, EmergencyLine, Grounded, Topic};
use crate::query::Query;
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
}

/// What to do with the candidates; positions are those of the slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This one answers.
    Found(usize),
    /// These may be meant, the best first; one to [`MENU_TOPICS`] of them.
    Choose(Vec<usize>),
    /// None is good enough.
    Unknown,
}

/// Decides on candidates that come best first.
pub fn decide(query: &Query, candidates: &[Candidate<'_>], thresholds: &Thresholds) -> Decision {
    let Some(best) = candidates.first() else { return Decision::Unknown };
    // In danger nobody has time for a menu. NaN is below every threshold.
    let enough = if query.danger.is_some() { thresholds.found } else { thresholds.sure };
    if best.probability >= enough {
        return Decision::Found(0);
    }
    if best.probability >= thresholds.found {
        let rivals = thresholds.choose.max(best.probability - thresholds.lead);
        return match topics_from(candidates, rivals) {
            topics if topics.len() > 1 => Decision::Choose(topics),
            _ => Decision::Found(0),
        };
    }
    if best.probability >= thresholds.choose {
        // Not sure enough to answer, and too good to be silent about: the asker
        // knows which topic was meant, if one was.
        return match topics_from(candidates, best.probability * WORTH_A_LINE) {
            topics if topics.is_empty() => Decision::Unknown,
            topics => Decision::Choose(topics),
        };
    }
    Decision::Unknown
}

/// Beside a topic that may be meant, those count that are this share as likely.
const WORTH_A_LINE: f64 = 0.5;

impl Decision {
    /// Turns the decision into an answer. `ground` picks the sentences of the
    /// one candidate that was found; it is called at most once.
    ///
    /// Where the question speaks of danger, the emergency line is the answer,
    /// with the passage when one was found; a menu has no place there.
    pub fn into_answer<'a>(
        self,
        query: &Query,
        candidates: &[Candidate<'a>],
        ground: impl FnOnce(&Candidate<'a>) -> Grounded,
    ) -> Answer {
        let found = match &self {
            Decision::Found(at) => candidates.get(*at).map(ground),
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

/// The candidates of at least this probability, one for each heading.
fn topics_from(candidates: &[Candidate<'_>], least: f64) -> Vec<usize> {
    let mut headings: Vec<String> = Vec::new();
    let mut topics = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        let heading = fold(&candidate.passage.heading());
        if candidate.probability >= least
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
        assert_eq!(decided("fees", &[0.95, 0.1, 0.94]), Decision::Found(0));
        assert_eq!(decided("fees", &[0.7, 0.69, 0.5]), Decision::Found(0));
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
        assert_eq!(decided("he drank bleach", &[0.7, 0.69, 0.65]), Decision::Found(0));
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
                Decision::Found(at) => prop_assert!(at < probabilities.len()),
                Decision::Choose(chosen) => {
                    prop_assert!((1..=MENU_TOPICS).contains(&chosen.len()));
                    prop_assert!(chosen.iter().all(|at| *at < probabilities.len()));
                }
                Decision::Unknown => {}
            }
        }
    }
}

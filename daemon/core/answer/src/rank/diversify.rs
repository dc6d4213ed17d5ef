//! Puts what holds for a whole kind beside what holds for the one that was
//! named.
//!
//! "Which storage rules apply to the measles vaccine?" names a work, the leaflet
//! of one vaccine, and is answered by it and by the handbook on all vaccines.
//! In every search the name outweighs the rest: the handbook does not have it
//! and is not found, and within the leaflet, where all passages have it, it
//! tells nothing. So the rest of the question is searched for by itself
//! ([`Named::rest`]), and [`diversify`] puts what that finds between what the
//! whole question found.
//!
//! Scores do not tell a general work from one on another subject; the titles
//! do, and the sections, and references from one work to the other:
//!
//! * works of one *kind* share a word of their names: measles *vaccine*, polio
//!   *vaccine*; a passage of another work of the kind is about something else;
//! * a *general* work is none of the kind, speaks of it, and has a section with
//!   the title of one of the kind's: both have "Storage";
//! * the named work *refers* to it, if a sentence has most of its name. Only
//!   then does it belong into an answer ([`Part`]); otherwise it is only shown
//!   further up.

use std::collections::{HashMap, HashSet};

use jibu_types::{Passage, PassageId};

use crate::languages;
use crate::query::Query;
use crate::sentences::sentences;
use crate::text::words;

/// A ranked passage.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// Its row.
    pub id: PassageId,
    /// The passage.
    pub passage: &'a Passage,
    /// How likely it answers what was searched for, 0 to 1.
    pub probability: f64,
}

/// Which half of the answer a passage can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the work says that the question names.
    Own,
    /// What holds for the whole kind, in a work that the named one refers to.
    General,
}

/// A place in the new order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Which passage.
    pub id: PassageId,
    /// Which half of the answer it can be; none where there are no halves.
    pub part: Option<Part>,
    /// How likely it answers. That of a passage which only the rest of the
    /// question brought up is for the rest.
    pub probability: f64,
}

/// A question that names one work among several of a kind.
#[derive(Debug, Clone)]
pub struct Named {
    name: Name,
    /// The words that works of its kind have in their names.
    kind: Vec<String>,
    rest: Query,
}

/// The content words of a work's name, folded, in order.
type Name = Vec<String>;

/// So many others whose names share a word make a kind.
const OTHERS: usize = 2;

impl Named {
    /// The work that a question names, if the passages found for it, best
    /// first, show that it is one of a kind.
    pub fn of(query: &Query, found: &[Listed<'_>]) -> Option<Named> {
        let ignored = ignored(query);
        let mut names: Vec<Name> = Vec::new();
        for listed in found {
            let path = path(listed.passage);
            let name = name(&path, &ignored);
            // Without sections no two works can be compared.
            if path.len() > 1 && !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        let asked: Vec<String> = words(&query.text).collect();
        names.iter().find_map(|name| {
            let sharing = |word: &String| {
                names.iter().filter(|other| *other != name && has(other, word)).count()
            };
            let kind: Vec<String> =
                name.iter().filter(|word| sharing(word) >= OTHERS).cloned().collect();
            let mut own = name.iter().filter(|word| sharing(word) == 0).peekable();
            let is_named = own.peek().is_some() && own.all(|word| has(&asked, word));
            if kind.is_empty() || !is_named || query.words.iter().all(|word| has(name, word)) {
                return None;
            }
            let rest = query.text.split(' ').filter(|token| {
                let mut words = words(token).peekable();
                words.peek().is_none() || !words.all(|word| has(name, &word))
            });
            let rest = rest.collect::<Vec<_>>().join(" ");
            Some(Named { name: name.clone(), kind, rest: Query::analyse(&rest, query.language) })
        })
    }

    /// The question without the name, to be searched for as well.
    pub fn rest(&self) -> &Query {
        &self.rest
    }
}

/// The order of `found`, with passages of `aside`, which [`Named::rest`] found,
/// between its first ten; the first one keeps its place. Nothing changes where
/// no general work answers the rest about as well as the named one does.
pub fn diversify(named: &Named, found: &[Listed<'_>], aside: &[Listed<'_>]) -> Vec<Place> {
    let works = Works::of(named, found.iter().chain(aside));
    let own: Vec<_> = aside.iter().filter(|l| works.name(l) == named.name).collect();
    let general = works.general_in_turn(aside);
    // As in a menu: what is half as likely is worth a place.
    const WORTH_A_PLACE: f64 = 0.5;
    let least = own.first().map_or(0.0, |own| own.probability * WORTH_A_PLACE);
    let is_worth = general.first().is_some_and(|general| general.probability >= least);
    if !is_worth {
        let place = |l: &Listed<'_>| Place { id: l.id, part: None, probability: l.probability };
        return found.iter().map(place).collect();
    }

    // A general work is asked for the rest only; the others for everything.
    let mut probabilities: HashMap<PassageId, f64> =
        aside.iter().map(|listed| (listed.id, listed.probability)).collect();
    for (at, listed) in found.iter().enumerate() {
        if at == 0 || !works.general.contains(&works.name(listed)) {
            probabilities.insert(listed.id, listed.probability);
        }
    }
    let mut places = Vec::with_capacity(found.len());
    let mut seen = HashSet::new();
    let mut take = |listed: &Listed<'_>| {
        let is_new = seen.insert(listed.id);
        if is_new {
            let name = works.name(listed);
            let part = match name == named.name {
                true => Some(Part::Own),
                false => works.referred.contains(&name).then_some(Part::General),
            };
            let probability = probabilities.get(&listed.id).copied();
            let probability = probability.unwrap_or(listed.probability);
            places.push(Place { id: listed.id, part, probability });
        }
        is_new
    };
    // The best two of the whole question, then by turns.
    const TURNS: [Turn; 10] = {
        use Turn::{Found, General, Own};
        [Found, Found, General, Own, General, Found, General, Own, General, Found]
    };
    let mut found = found.iter();
    let (mut own, mut general) = (own.into_iter(), general.into_iter());
    for turn in TURNS {
        let taken = match turn {
            Turn::Found => false,
            Turn::General => general.any(&mut take),
            Turn::Own => own.any(&mut take),
        };
        if !taken {
            found.any(&mut take);
        }
    }
    for listed in found {
        take(listed);
    }
    places
}

#[derive(Clone, Copy)]
enum Turn {
    Found,
    Own,
    General,
}

/// What the passages that were found show about their works.
struct Works {
    ignored: HashSet<&'static str>,
    /// Those that are none of the kind, speak of it and have a section like
    /// one of its.
    general: HashSet<Name>,
    /// Those among them that the named one refers to.
    referred: HashSet<Name>,
}

impl Works {
    fn of<'a>(named: &Named, listed: impl Iterator<Item = &'a Listed<'a>>) -> Self {
        let ignored = ignored(&named.rest);
        let mut titles_of_kind = HashSet::new();
        let mut own_sentences: HashSet<Vec<String>> = HashSet::new();
        let mut others: HashMap<Name, HashSet<String>> = HashMap::new();
        let mut speaking: HashSet<Name> = HashSet::new();
        for Listed { passage, .. } in listed {
            let path = path(passage);
            let name = name(&path, &ignored);
            if name == named.name {
                let ranges = sentences(&passage.text).into_iter();
                own_sentences.extend(ranges.map(|range| words(&passage.text[range]).collect()));
            }
            if named.kind.iter().any(|word| has(&name, word)) {
                titles_of_kind.extend(titles(&path));
                continue;
            }
            let said: Vec<String> = words(&passage.text).collect();
            if named.kind.iter().all(|word| has(&said, word)) {
                speaking.insert(name.clone());
            }
            others.entry(name).or_default().extend(titles(&path));
        }
        others
            .retain(|name, titles| speaking.contains(name) && !titles.is_disjoint(&titles_of_kind));
        let general: HashSet<Name> = others.into_keys().collect();
        let is_referred = |name: &&Name| own_sentences.iter().any(|said| refers(said, name));
        let referred = general.iter().filter(is_referred).cloned().collect();
        Works { ignored, general, referred }
    }

    fn name(&self, listed: &Listed<'_>) -> Name {
        name(&path(listed.passage), &self.ignored)
    }

    /// Passages of general works: the best of each, then the second of each.
    fn general_in_turn<'a>(&self, listed: &'a [Listed<'a>]) -> Vec<&'a Listed<'a>> {
        let mut counts: HashMap<Name, usize> = HashMap::new();
        let mut rounds: Vec<(usize, &Listed<'_>)> = Vec::new();
        for listed in with_sections_behind(listed) {
            let name = self.name(listed);
            if self.general.contains(&name) {
                let count = counts.entry(name).or_default();
                rounds.push((*count, listed));
                *count += 1;
            }
        }
        rounds.sort_by_key(|(round, _)| *round);
        rounds.into_iter().map(|(_, listed)| listed).collect()
    }
}

/// The passages in their order, but behind the opening of a section the best of its
/// parts: the one says that there are rules, the other which.
fn with_sections_behind<'a>(listed: &'a [Listed<'a>]) -> Vec<&'a Listed<'a>> {
    let paths: Vec<Vec<&str>> = listed.iter().map(|listed| path(listed.passage)).collect();
    let mut order: Vec<usize> = Vec::with_capacity(listed.len());
    let mut seen = vec![false; listed.len()];
    for at in 0..listed.len() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        order.push(at);
        let is_part = |part: &usize| {
            let (whole, part) = (&paths[at], &paths[*part]);
            whole.len() > 1 && part.len() > whole.len() && part.starts_with(whole)
        };
        let part = (at + 1..listed.len()).find(|part| !seen[*part] && is_part(part));
        if let Some(part) = part {
            seen[part] = true;
            order.push(part);
        }
    }
    order.into_iter().map(|at| &listed[at]).collect()
}

/// Whether a sentence has more than half of a name's words, and two at least.
fn refers(sentence: &[String], name: &[String]) -> bool {
    let common = name.iter().filter(|word| has(sentence, word)).count();
    common >= 2 && common * 2 > name.len()
}

/// The headings above a passage, the name of its work first. Some files keep
/// the whole path in the title.
fn path(passage: &Passage) -> Vec<&str> {
    let split = passage.title.split(" > ").flat_map(|part| part.split(" › "));
    let path = split.chain(passage.section.iter().map(String::as_str));
    path.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn name(path: &[&str], ignored: &HashSet<&str>) -> Name {
    let all = path.first().map(|name| words(name)).into_iter().flatten();
    all.filter(|word| !ignored.contains(word.as_str())).collect()
}

/// The titles below the work's name, folded, without their numbers.
fn titles<'a>(path: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    path.iter().skip(1).filter_map(|title| {
        let is_number = |word: &String| word.chars().all(char::is_numeric);
        let title: Vec<String> = words(title).skip_while(is_number).collect();
        (!title.is_empty()).then(|| title.join(" "))
    })
}

/// The words that carry no topic in the question's language.
fn ignored(query: &Query) -> HashSet<&'static str> {
    let pack = languages::pack(query.language);
    pack.map_or_else(HashSet::new, |pack| pack.stop_words.split_whitespace().collect())
}

/// Whether a word is among others, in this form or another: what begins alike
/// for most of its letters, and four at least.
fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|other| {
        let pairs = word.chars().zip(other.chars());
        let shared = pairs.take_while(|(a, b)| a == b).count();
        let longer = word.chars().count().max(other.chars().count());
        word == other || (shared >= 4 && shared * 10 > longer * 6)
    })
}

#[cfg(test)]
#[path = "diversify_tests.rs"]
mod tests;

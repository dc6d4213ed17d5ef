//! Which sentences of a passage answer the question.
//!
//! The shortest run that makes sense by itself: a list item keeps the line that
//! introduces it, steps that are numbered stay together, a table row keeps its
//! name, "it" keeps what it stands for, and a warning that follows is not left
//! off. A reader may say which words answer; they are quoted with their
//! sentence, because bare words have lost their "not" and their "if".

use std::collections::HashSet;
use std::ops::Range;

use jibu_types::{Language, Span};

use crate::answer::{Citation, Grounded};
use crate::cut::is_number;
use crate::decide::Candidate;
use crate::languages::{self, opens};
use crate::query::{Query, trigrams};
use crate::sentences::{list_marker, sentences};
use crate::text::words;

/// Picks the sentences of a candidate that answer the question.
///
/// `cosines` are those of the question with each of [`sentences()`] of the
/// passage's text, in order; without them, or when their number differs, words
/// alone decide. The likelier the candidate's span is, the more it counts
/// against what the sentences look like. `fits` says whether a text has room in
/// the channel; a run is not made longer than that, but one sentence is always
/// given.
pub fn excerpt(
    query: &Query,
    candidate: &Candidate<'_>,
    cosines: Option<&[f32]>,
    fits: &dyn Fn(&str) -> bool,
) -> Grounded {
    let text = candidate.passage.text.as_str();
    let language = candidate.passage.language;
    let ranges = sentences(text);
    let cosines = cosines.filter(|given| given.len() == ranges.len());
    // NaN is no probability.
    let is_usable = |span: &&Span| span.probability > 0.0 && text.get(span.range.clone()).is_some();
    let span = candidate.span.filter(is_usable);
    let mut key = None;
    let units = if is_row(text, &ranges) {
        fields(text, &ranges, query, cosines, span)
    } else {
        let units = units(text, &ranges, cosines);
        let heading: Vec<String> = words(&candidate.passage.heading()).collect();
        let scores = scores(text, &units, query, &heading, cosines.is_some());
        let run = match span.and_then(|span| Some((&span.range, held(&units, &scores, span)?))) {
            Some((span, held)) => {
                let unit = units[held.start].range.clone();
                let inside = unit.start.max(span.start)..unit.end.min(span.end);
                key = (held.len() == 1).then_some(inside);
                let exact = wants_quantity(query) && names_quantity(&text[span.clone()]);
                run_around(text, &units, &scores, held, exact, language, fits)
            }
            None => run(text, &units, &scores, language, fits),
        };
        run.into_iter().filter_map(|at| Some(units.get(at)?.range.clone())).collect()
    };
    Grounded {
        citation: Citation::of(
            candidate.passage,
            candidate.id,
            candidate.index_version,
            candidate.probability,
        ),
        spans: merged(text, units),
        key,
        language,
        text: text.to_owned(),
        beside: None,
    }
}

/// Ranges with nothing but space between them become one.
fn merged(text: &str, ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if text[last.end..range.start].trim().is_empty() => last.end = range.end,
            _ => out.push(range),
        }
    }
    out
}

/// What is taken or left as a whole: a sentence, or a list item with all its
/// sentences.
struct Unit {
    range: Range<usize>,
    kind: Kind,
    /// The best cosine of its sentences.
    cosine: f32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prose,
    /// A list item behind a bullet.
    Item,
    /// A list item behind a number: one step of several.
    Step,
    /// Announces what follows and says nothing itself: a heading, a question.
    Announcement,
}

impl Kind {
    fn is_listed(self) -> bool {
        matches!(self, Kind::Item | Kind::Step)
    }
}

fn units(text: &str, ranges: &[Range<usize>], cosines: Option<&[f32]>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (at, range) in ranges.iter().enumerate() {
        let cosine = cosines.and_then(|given| given.get(at)).copied().unwrap_or(0.0);
        let sentence = &text[range.clone()];
        let own_line = text[..range.start].trim_end_matches(' ').ends_with('\n');
        let kind = kind(sentence, at + 1 == ranges.len());
        match units.last_mut() {
            // A second sentence on an item's line.
            Some(unit) if unit.kind.is_listed() && !own_line && !kind.is_listed() => {
                unit.range.end = range.end;
                unit.cosine = unit.cosine.max(cosine);
            }
            _ => units.push(Unit { range: range.clone(), kind, cosine }),
        }
    }
    units
}

fn kind(sentence: &str, last: bool) -> Kind {
    const HEADING: usize = 60;
    if list_marker(sentence).is_some() {
        let marker = sentence.trim_start_matches('(');
        let counted = marker.starts_with(|c: char| c.is_ascii_digit());
        return if counted { Kind::Step } else { Kind::Item };
    }
    let short = sentence.chars().count() <= HEADING;
    let open = sentence.ends_with(|c: char| c.is_alphanumeric());
    if !last && (is_question(sentence) || (short && open)) {
        Kind::Announcement
    } else {
        Kind::Prose
    }
}

/// How well each unit answers, 0 to about 1; only comparable within a passage.
fn scores(
    text: &str,
    units: &[Unit],
    query: &Query,
    heading: &[String],
    with_cosines: bool,
) -> Vec<f64> {
    let unit_words: Vec<Vec<String>> =
        units.iter().map(|unit| words(&text[unit.range.clone()]).collect()).collect();
    let overlaps = overlaps(&query.words, heading, &unit_words);
    let wants_quantity = wants_quantity(query);
    let (low, high) = units.iter().fold((f32::MAX, f32::MIN), |(low, high), unit| {
        (low.min(unit.cosine), high.max(unit.cosine))
    });
    // Cosines of one passage's sentences lie close together; a spread below
    // this says little.
    const TELLING_SPREAD: f32 = 0.04;
    let spread = (high - low).max(TELLING_SPREAD);
    let mut scores: Vec<f64> = Vec::with_capacity(units.len());
    let mut inherited = 0.0;
    for (at, (unit, overlap)) in units.iter().zip(overlaps).enumerate() {
        let mut score = overlap;
        if with_cosines && spread.is_finite() {
            score = 0.4 * overlap + 0.6 * f64::from((unit.cosine - low) / spread);
        }
        if wants_quantity && unit_words[at].iter().any(|word| is_number(word)) {
            score += 0.15;
        }
        // What comes first is more often the point.
        score += 0.05 * (1.0 - at as f64 / units.len() as f64);
        score += inherited;
        // The answer to a question stands behind it.
        inherited = 0.0;
        if unit.kind == Kind::Announcement {
            inherited = 0.5 * score;
            score *= 0.2;
        }
        scores.push(if score.is_finite() { score } else { 0.0 });
    }
    scores
}

/// Whether a text holds a number, in digits or as a word.
fn names_quantity(text: &str) -> bool {
    words(text).any(|word| is_number(&word))
}

/// The share of the question's words that each text has, rarer words counting
/// more. A word that the heading has as well found the passage, and says less
/// about which of its sentences was meant.
fn overlaps(query_words: &[String], heading: &[String], texts: &[Vec<String>]) -> Vec<f64> {
    const IN_HEADING: f64 = 0.4;
    let mut sums = vec![0.0; texts.len()];
    let mut total = 0.0;
    for word in query_words {
        let found: Vec<f64> = texts
            .iter()
            .map(|text| text.iter().map(|other| similarity(word, other)).fold(0.0, f64::max))
            .collect();
        let frequency: f64 = found.iter().sum();
        let mut weight = (1.0 + texts.len() as f64 / (1.0 + frequency)).ln();
        if heading.iter().any(|other| similarity(word, other) > 0.0) {
            weight *= IN_HEADING;
        }
        total += weight;
        for (sum, found) in sums.iter_mut().zip(found) {
            *sum += weight * found;
        }
    }
    sums.into_iter().map(|sum| if total > 0.0 { sum / total } else { 0.0 }).collect()
}

/// How alike two folded words are, 0 to 1: the same, of one stem, or misspelt.
fn similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let (shorter, longer) = (short.chars().count(), long.chars().count());
    if shorter < 4 {
        return 0.0;
    }
    let same =
        |pairs: &mut dyn Iterator<Item = (char, char)>| pairs.take_while(|(a, b)| a == b).count();
    let prefix = same(&mut a.chars().zip(b.chars()));
    let suffix = same(&mut a.chars().rev().zip(b.chars().rev()));
    if prefix >= 4 && prefix * 10 >= longer * 6 {
        return 0.8;
    }
    // Bantu verbs and nouns change in front: kuzaliwa, alizaliwa.
    if suffix >= 5 && suffix * 10 >= longer * 6 {
        return 0.7;
    }
    let ours: HashSet<String> = trigrams(a).collect();
    let shared = trigrams(b).filter(|trigram| ours.contains(trigram)).count() as f64;
    let dice = 2.0 * shared / (shorter + longer - 4) as f64;
    if dice >= 0.5 { 0.6 * dice.min(1.0) } else { 0.0 }
}

fn wants_quantity(query: &Query) -> bool {
    let Some(pack) = languages::pack(query.language) else { return false };
    words(&query.text).any(|word| pack.quantity.contains(&word.as_str()))
}

/// The units that hold a span, where it outweighs what they look like.
fn held(units: &[Unit], scores: &[f64], span: &Span) -> Option<Range<usize>> {
    let touches =
        |unit: &Unit| unit.range.start < span.range.end && span.range.start < unit.range.end;
    let start = units.iter().position(touches)?;
    let end = start + units[start..].iter().take_while(|unit| touches(unit)).count();
    let weight = f64::from(span.probability).clamp(0.0, 1.0);
    let weighed = |at: usize| {
        let held = if (start..end).contains(&at) { weight } else { 0.0 };
        (1.0 - weight) * scores[at].min(1.0) + held
    };
    let all: Vec<f64> = (0..units.len()).map(weighed).collect();
    best(&all, 0..units.len()).filter(|at| (start..end).contains(at)).map(|_| start..end)
}

/// The units around those that hold the answer. `exact` is an answer of one
/// item: an amount that was asked for.
fn run_around(
    text: &str,
    units: &[Unit],
    scores: &[f64],
    held: Range<usize>,
    exact: bool,
    language: Language,
    fits: &dyn Fn(&str) -> bool,
) -> Vec<usize> {
    let listed = held.clone().find(|at| units[*at].kind.is_listed());
    if let Some(at) = listed.filter(|_| exact) {
        let lead = List::around(text, units, at).lead.filter(|lead| *lead < held.start);
        return lead.into_iter().chain(held).collect();
    }
    if let Some(run) = list_run(text, units, scores, &held, fits) {
        return run;
    }
    let room = |run: &Range<usize>| fits(slice(text, units, run));
    // Amounts beside each other that fit the question too hold for different
    // people or places; one of them alone misleads.
    let amount = |at: usize| names_quantity(unit_text(text, units, at));
    let enough = 0.4 * held.clone().map(|at| scores[at]).fold(0.0, f64::max);
    let amounts = held.clone().any(amount);
    let good = |at: usize| amounts && amount(at) && scores[at] >= enough;
    let run = completed(text, units, held, language, &room, &good);
    // A line of its own above a paragraph says for whom it holds: "Adults".
    let above = units[..run.start].iter().rposition(|unit| unit.kind != Kind::Prose);
    let label = above.filter(|at| {
        units[*at].kind == Kind::Announcement && !is_question(unit_text(text, units, *at))
    });
    label.into_iter().chain(run).collect()
}

/// The run of units around the best one.
fn run(
    text: &str,
    units: &[Unit],
    scores: &[f64],
    language: Language,
    fits: &dyn Fn(&str) -> bool,
) -> Vec<usize> {
    let Some(seed) = best(scores, 0..units.len()) else { return Vec::new() };
    if let Some(run) = list_run(text, units, scores, &(seed..seed + 1), fits) {
        return run;
    }
    let room = |run: &Range<usize>| fits(slice(text, units, run));
    let enough = 0.8 * scores[seed];
    completed(text, units, seed..seed + 1, language, &room, &|at| scores[at] >= enough).collect()
}

/// A run with what it leans on, the warnings behind it, and neighbours that are
/// `good` as well.
fn completed(
    text: &str,
    units: &[Unit],
    mut run: Range<usize>,
    language: Language,
    room: &dyn Fn(&Range<usize>) -> bool,
    good: &dyn Fn(usize) -> bool,
) -> Range<usize> {
    // Three sentences are what one message holds.
    let most = run.len() + 2;
    let pack = languages::pack(language);
    while run.len() < most {
        let before = run.start.checked_sub(1).filter(|at| {
            let leans =
                pack.is_some_and(|pack| leans(pack.leaning, unit_text(text, units, run.start)));
            let kind = units[*at].kind;
            kind != Kind::Announcement && !kind.is_listed() && (leans || good(*at))
        });
        if let Some(wider) = before.map(|at| at..run.end).filter(room) {
            run = wider;
            continue;
        }
        let after = Some(run.end).filter(|at| *at < units.len()).filter(|at| {
            let warns = pack.is_some_and(|pack| leans(pack.caveats, unit_text(text, units, *at)));
            units[*at].kind == Kind::Prose && (warns || good(*at))
        });
        match after.map(|at| run.start..at + 1).filter(room) {
            Some(wider) => run = wider,
            None => break,
        }
    }
    run
}

fn best(scores: &[f64], among: Range<usize>) -> Option<usize> {
    // The first of equals.
    among.rev().filter(|at| *at < scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
}

fn unit_text<'t>(text: &'t str, units: &[Unit], at: usize) -> &'t str {
    &text[units[at].range.clone()]
}

fn slice<'t>(text: &'t str, units: &[Unit], run: &Range<usize>) -> &'t str {
    let start = units.get(run.start).map_or(0, |unit| unit.range.start);
    let end = run.end.checked_sub(1).and_then(|at| units.get(at)).map_or(start, |u| u.range.end);
    &text[start..end]
}

/// A list with the line that introduces it.
struct List {
    lead: Option<usize>,
    items: Range<usize>,
}

impl List {
    /// The list that an item belongs to.
    fn around(text: &str, units: &[Unit], item: usize) -> List {
        let listed = |at: &usize| units.get(*at).is_some_and(|unit| unit.kind.is_listed());
        let start = (0..=item).rev().take_while(listed).last().unwrap_or(item);
        let end = (item..units.len()).take_while(listed).last().map_or(item, |at| at + 1);
        let introduces = |at: &usize| {
            unit_text(text, units, *at).ends_with(':') || units[*at].kind == Kind::Announcement
        };
        List { lead: start.checked_sub(1).filter(introduces), items: start..end }
    }
}

/// The units where the seed is in a list or introduces one.
fn list_run(
    text: &str,
    units: &[Unit],
    scores: &[f64],
    seed: &Range<usize>,
    fits: &dyn Fn(&str) -> bool,
) -> Option<Vec<usize>> {
    let listed = |at: usize| units.get(at).is_some_and(|unit| unit.kind.is_listed());
    let introduces = !listed(seed.start) && listed(seed.start + 1) && {
        let sentence = unit_text(text, units, seed.start);
        sentence.ends_with(':') || units[seed.start].kind == Kind::Announcement
    };
    let first = if introduces { seed.start + 1 } else { seed.start };
    if !listed(first) {
        return None;
    }
    let list = List::around(text, units, first);
    let whole = list.lead.unwrap_or(list.items.start)..list.items.end;
    // Steps have an order and a beginning; what does not fit comes as MORE.
    if introduces || units[first].kind == Kind::Step {
        return Some(whole.collect());
    }
    let rivals = list.items.clone().filter(|at| !seed.contains(at)).map(|at| scores[at]);
    let singled_out = scores[seed.start] > 2.0 * rivals.fold(0.0, f64::max);
    if !singled_out && (list.lead.is_some() || fits(slice(text, units, &whole))) {
        return Some(whole.collect());
    }
    // Without its lead-in an item could say the contrary: "Never give:".
    Some(list.lead.into_iter().chain(seed.clone()).collect())
}

/// Whether a sentence begins with one of these words; `*` stands for any end.
fn leans(openers: &[&str], sentence: &str) -> bool {
    opens(openers, &words(sentence).take(2).collect::<Vec<_>>())
}

fn is_question(sentence: &str) -> bool {
    sentence.ends_with(['?', '؟', '፧', '？'])
}

/// Whether a passage is a table row: "Name: Kasungu clinic. Opens: 7.30."
fn is_row(text: &str, ranges: &[Range<usize>]) -> bool {
    let fields = ranges.iter().filter(|range| field_label(&text[(*range).clone()]).is_some());
    ranges.len() >= 2 && fields.count() * 3 >= ranges.len() * 2
}

fn field_label(sentence: &str) -> Option<&str> {
    const LABEL: usize = 40;
    let (label, value) = sentence.split_once(": ")?;
    let is_label =
        !label.is_empty() && label.chars().count() <= LABEL && !label.contains(['.', ',']);
    (is_label && !value.trim().is_empty() && list_marker(sentence).is_none()).then_some(label)
}

/// The fields of a row that are asked for, behind the first, which names the
/// row; all of them where none stands out.
fn fields(
    text: &str,
    ranges: &[Range<usize>],
    query: &Query,
    cosines: Option<&[f32]>,
    span: Option<&Span>,
) -> Vec<Range<usize>> {
    let Some((name, rest)) = ranges.split_first() else { return Vec::new() };
    // A field's further sentences go with it.
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut name = name.clone();
    for range in rest {
        let is_field = field_label(&text[range.clone()]).is_some();
        match groups.last_mut() {
            Some(group) if !is_field => group.end = range.end,
            None if !is_field => name.end = range.end,
            _ => groups.push(range.clone()),
        }
    }
    let named: Vec<String> = words(&text[name.clone()]).collect();
    let asked: Vec<String> = query
        .words
        .iter()
        .filter(|word| named.iter().all(|other| similarity(word, other) == 0.0))
        .cloned()
        .collect();
    let field_words: Vec<Vec<String>> =
        groups.iter().map(|group| words(&text[group.clone()]).collect()).collect();
    let cosine_of = |group: &Range<usize>| {
        let inside = ranges.iter().zip(cosines.unwrap_or_default());
        inside
            .filter(|(range, _)| range.start >= group.start && range.end <= group.end)
            .map(|(_, cosine)| f64::from(*cosine))
            .fold(0.0, f64::max)
    };
    let mean = groups.iter().map(cosine_of).sum::<f64>() / groups.len().max(1) as f64;
    // A cosine this far above the row's mean stands out like a word in common.
    const TELLING: f64 = 0.05;
    let scores: Vec<f64> = overlaps(&asked, &[], &field_words)
        .into_iter()
        .zip(&groups)
        .map(|(overlap, group)| {
            let above = if cosines.is_some() { (cosine_of(group) - mean) / TELLING } else { 0.0 };
            let look = overlap + 0.3 * above.clamp(0.0, 1.0);
            let Some(span) = span else { return look };
            let weight = f64::from(span.probability).clamp(0.0, 1.0);
            let touches = group.start < span.range.end && span.range.start < group.end;
            (1.0 - weight) * look + if touches { weight } else { 0.0 }
        })
        .collect();
    let top = scores.iter().copied().fold(0.0, f64::max);
    const STANDS_OUT: f64 = 0.25;
    let chosen =
        groups.into_iter().zip(scores).filter(|(_, score)| top < STANDS_OUT || *score >= 0.5 * top);
    std::iter::once(name).chain(chosen.map(|(group, _)| group)).collect()
}

#[cfg(test)]
#[path = "excerpt_tests.rs"]
mod tests;

//! SQuAD: questions with the passage that each is asked about, predictions out.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, bail};
use jibu_answer::text::normalise_line;
use jibu_types::Reading;
use jibud::library::Engine;
use serde::Deserialize;

use crate::beir::open;
use crate::parallel::in_parallel;

/// A SQuAD file, 1.1 or 2.0; its gold answers are for the scorer.
#[derive(Debug, Deserialize)]
pub struct Squad {
    data: Vec<Article>,
}

#[derive(Debug, Deserialize)]
struct Article {
    #[serde(default)]
    title: String,
    paragraphs: Vec<Paragraph>,
}

#[derive(Debug, Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Asked>,
}

#[derive(Debug, Deserialize)]
struct Asked {
    id: String,
    question: String,
}

/// A question and the passage that it is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'a> {
    /// What predictions name it by.
    pub id: &'a str,
    /// The question.
    pub text: String,
    /// The passage's title, often empty.
    pub title: &'a str,
    /// The passage.
    pub context: &'a str,
}

/// What the reader makes of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction<'a> {
    /// The words of the passage that answer; none where it abstains.
    pub text: &'a str,
    /// How likely the passage does not answer, 0 to 1, where half of all do.
    pub no_answer: f64,
}

impl Squad {
    /// Reads a file, gzip or not.
    ///
    /// # Errors
    /// When it cannot be read, is no SQuAD (the error names the place), or two
    /// questions have one id.
    pub fn read(path: &Path) -> anyhow::Result<Squad> {
        let doing = || format!("read {} as SQuAD", path.display());
        let mut bytes = Vec::new();
        open(path)?.read_to_end(&mut bytes).with_context(doing)?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let mut squad: Squad = serde_path_to_error::deserialize(&mut json).with_context(doing)?;
        json.end().with_context(doing)?;

        let mut seen = HashSet::new();
        for question in squad.questions() {
            if !seen.insert(question.id) {
                bail!("{}: the id {:?} stands there twice", path.display(), question.id);
            }
        }
        for article in &mut squad.data {
            // SQuAD names an article as its address does.
            article.title = article.title.replace('_', " ");
        }
        Ok(squad)
    }

    /// All questions, in the file's order.
    pub fn questions(&self) -> impl Iterator<Item = Question<'_>> {
        let paragraphs = self.data.iter().flat_map(|article| {
            article.paragraphs.iter().map(|paragraph| (article.title.as_str(), paragraph))
        });
        paragraphs.flat_map(|(title, Paragraph { context, qas })| {
            qas.iter().map(move |asked| Question {
                id: &asked.id,
                text: normalise_line(&asked.question),
                title,
                context,
            })
        })
    }
}

/// From this probability on a passage is taken to answer.
const EVEN: f64 = 0.5;

/// Reads each question's passage for it; predictions in the questions' order.
/// With `always` it never abstains while the passage has words.
///
/// # Errors
/// When the model refuses.
pub fn answer<'a>(
    engine: &Engine,
    questions: &[Question<'a>],
    always: bool,
    threads: usize,
) -> anyhow::Result<Vec<Prediction<'a>>> {
    in_parallel(
        questions,
        threads,
        || Ok(()),
        |(), question| {
            let Question { id, text, title, context } = question;
            let reading = engine.models().reader().read(text, title, context);
            let reading = reading.with_context(|| format!("read for the question {id}"))?;
            let answers = engine.ranker().answers_alone(&reading);
            Ok(prediction(context, &reading, answers, always))
        },
    )
}

fn prediction<'a>(
    context: &'a str,
    reading: &Reading,
    answers: f64,
    always: bool,
) -> Prediction<'a> {
    let Some(span) = &reading.span else { return Prediction { text: "", no_answer: 1.0 } };
    let text = if always || answers >= EVEN { quote(context, &span.range) } else { "" };
    Prediction { text, no_answer: 1.0 - answers }
}

/// A span as a person would quote it: no separators at its ends, no part of a
/// number, and no half of a pair of brackets or quotation marks.
fn quote<'a>(context: &'a str, span: &Range<usize>) -> &'a str {
    let pairs = pairs(context);
    let near = |gap| context.get(gap).is_some_and(|gap: &str| gap.trim().is_empty());
    let mut quoted = whole_numbers(context, trimmed(context, span.clone()));
    loop {
        let Range { start, end } = quoted;
        let inside = |mark: &Range<usize>| start <= mark.start && mark.end <= end;
        let mended = pairs.iter().find_map(|(open, close)| match (inside(open), inside(close)) {
            (true, false) if near(end..close.start) && open.start > start => Some(start..close.end),
            (false, true) if near(open.end..start) && close.end < end => Some(open.start..end),
            (true, false) => Some(longer(start..open.start, open.end..end)),
            (false, true) => Some(longer(start..close.start, close.end..end)),
            _ => None,
        });
        match mended {
            Some(mended) => quoted = trimmed(context, mended),
            None => return &context[quoted],
        }
    }
}

/// The range with the whole of the numbers that it begins and ends with.
fn whole_numbers(context: &str, range: Range<usize>) -> Range<usize> {
    const POINTS: [char; 2] = ['.', ','];
    let digit = char::is_numeric;
    let part = |c: char| digit(c) || POINTS.contains(&c);
    let (before, text, after) =
        (&context[..range.start], &context[range.clone()], &context[range.end..]);
    let Range { mut start, mut end } = range;
    if text.trim_start_matches(POINTS).starts_with(digit) {
        let head = &before[before.trim_end_matches(part).len()..];
        start -= head.trim_start_matches(POINTS).len();
    }
    if text.ends_with(digit) {
        let tail = &after[..after.len() - after.trim_start_matches(part).len()];
        end += tail.trim_end_matches(POINTS).len();
    }
    start..end
}

/// The range without spaces and separators at its ends.
fn trimmed(context: &str, range: Range<usize>) -> Range<usize> {
    const SEPARATORS: &str = ".,;:!?…-–—·•،؛؟۔।॥።፣፤፥፦፧፨។៕៖、。，；：！？";
    let loose = |c: char| c.is_whitespace() || SEPARATORS.contains(c);
    let Some(text) = context.get(range.clone()) else { return 0..0 };

    let kept = text.trim_end_matches(loose);
    let (rest, after) = text.split_at(kept.len());
    // The last full stop of an initialism, as in "U.S.", is its own.
    let initialism = kept.rsplit_once('.').is_some_and(|(_, last)| {
        last.chars().count() == 1 && last.chars().all(char::is_alphabetic)
    });
    let end = range.start + rest.len() + usize::from(initialism && after.starts_with('.'));

    let kept = rest.trim_start_matches(loose);
    let before = &rest[..rest.len() - kept.len()];
    // So is a number's sign or decimal point.
    let sign = before.chars().last().filter(|c| ['-', '–', '.'].contains(c));
    let sign = sign.filter(|_| kept.starts_with(|c: char| c.is_numeric()));
    let start = range.start + before.len() - sign.map_or(0, char::len_utf8);
    start..end
}

/// The brackets and quotation marks of a text that belong together. What has no
/// partner, such as the bracket of "a)", is none.
fn pairs(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let mut pairs = Vec::new();
    let mut open: Vec<(Range<usize>, char)> = Vec::new();
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let mark = at..at + c.len_utf8();
        if let Some(partner) = open.iter().rposition(|(_, closer)| *closer == c) {
            pairs.extend(open.drain(partner..).next().map(|(opener, _)| (opener, mark)));
        } else if let Some(closer) = closer(c) {
            // A straight mark after a word or a number opens nothing: 5".
            if c != '"' || !before.is_alphanumeric() {
                open.push((mark, closer));
            }
        }
        before = c;
    }
    pairs
}

fn closer(opener: char) -> Option<char> {
    Some(match opener {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '（' => '）',
        '"' => '"',
        '“' => '”',
        '„' => '“',
        '«' => '»',
        '「' => '」',
        '『' => '』',
        _ => return None,
    })
}

fn longer(a: Range<usize>, b: Range<usize>) -> Range<usize> {
    if b.len() > a.len() { b } else { a }
}

#[cfg(test)]
mod tests;

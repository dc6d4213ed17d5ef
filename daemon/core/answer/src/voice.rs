//! The replies that are Jibu's own words, in one language.

use jibu_types::Language;

use crate::answer::Citation;
use crate::compose::{self, Budget, upper};
use crate::conversation::{Reply, ReplyKind, Site};
use crate::danger::Danger;
use crate::languages::{self, Pack, fill};
use crate::text::clip;

/// Jibu speaking one language within one budget.
pub(crate) struct Voice<'a> {
    pub(crate) site: &'a Site,
    language: Language,
    pub(crate) pack: &'static Pack,
    pub(crate) budget: &'a Budget<'a>,
}

impl<'a> Voice<'a> {
    pub(crate) fn new(site: &'a Site, language: Language, budget: &'a Budget<'a>) -> Self {
        let pack = languages::spoken(language, site.default_language);
        Voice { site, language, pack, budget }
    }

    pub(crate) fn phrases(&self) -> &'static languages::Phrases {
        &self.pack.phrases
    }

    pub(crate) fn page(&self, kind: ReplyKind, page: String) -> Reply {
        Reply { pages: vec![page], kind, language: self.language, citations: Vec::new() }
    }

    pub(crate) fn reply(&self, kind: ReplyKind, must: &[&str], may: &[&str]) -> Reply {
        self.page(kind, compose::say(must, may, self.budget))
    }

    // These are the service's published numbers, not a sender's.
    fn emergency(&self, phrase: &str) -> String {
        let number = self.site.emergency_number.as_ref();
        number.map_or_else(String::new, |number| fill(phrase, &[("number", number.reveal())]))
    }

    fn human(&self, phrase: &str) -> Option<String> {
        let number = self.site.person_number.as_ref()?;
        Some(fill(phrase, &[("number", number.reveal())]))
    }

    pub(crate) fn help(&self) -> Reply {
        let commands = &self.pack.commands;
        let said = fill(
            self.phrases().help,
            &[
                ("service", &self.site.service_name),
                ("more", &upper(commands.more)),
                ("why", &upper(commands.why)),
                ("lang", &upper(commands.lang)),
                ("person", &upper(commands.person)),
                ("stop", &upper(commands.stop)),
            ],
        );
        let danger = self.emergency(self.phrases().help_danger);
        self.reply(ReplyKind::Help, &with(&said, &danger), &[])
    }

    /// `has_asked`: there is a question that a person can be asked.
    pub(crate) fn person(&self, has_asked: bool) -> Reply {
        let number = self.human(self.phrases().person);
        let asked = (self.site.asks_people && has_asked).then_some(self.phrases().person_asked);
        let said: Vec<&str> = match (asked, number.as_deref()) {
            (None, None) => vec![self.phrases().person_unset],
            (asked, number) => asked.into_iter().chain(number).collect(),
        };
        self.reply(ReplyKind::Person, &said, &[])
    }

    pub(crate) fn unknown(&self) -> Reply {
        let person = self.human(self.phrases().ask_person).unwrap_or_default();
        self.reply(ReplyKind::Unknown, &with(self.phrases().unknown, &person), &[])
    }

    pub(crate) fn not_understood(&self) -> Reply {
        let example = self.phrases().example;
        let said = fill(self.phrases().not_understood, &[("example", example)]);
        self.reply(ReplyKind::NotUnderstood, &[&said], &[])
    }

    pub(crate) fn language_list(&self) -> Reply {
        let names = self.site.languages.iter().map(|language| match languages::pack(*language) {
            Some(pack) => format!("{language} {}", pack.name),
            None => language.to_string(),
        });
        let codes = names.collect::<Vec<_>>().join(", ");
        let verb = upper(self.pack.commands.lang);
        let said = fill(self.phrases().language_list, &[("lang", &verb), ("codes", &codes)]);
        self.reply(ReplyKind::Language, &[&said], &[])
    }

    pub(crate) fn urgent(&self, danger: Danger) -> String {
        let line = match danger {
            Danger::Medical => self.phrases().urgent_medical,
            Danger::SelfHarm => self.phrases().urgent_self_harm,
            Danger::Violence => self.phrases().urgent_violence,
        };
        let call = self.emergency(self.phrases().urgent_call);
        if call.is_empty() { line.to_owned() } else { format!("{call} {line}") }
    }

    pub(crate) fn why(&self, citations: &[Citation]) -> Reply {
        let phrases = self.phrases();
        let joined = |parts: &mut dyn Iterator<Item = String>, mark: &str| {
            let mut parts: Vec<String> = parts.collect();
            parts.dedup();
            parts.join(mark)
        };
        let from = joined(&mut citations.iter().map(source), "; ");
        let from = fill(phrases.why, &[("source", &from)]);
        let dates = citations.iter().filter_map(|citation| citation.date);
        let date = match joined(&mut dates.map(|date| date.to_string()), ", ") {
            none if none.is_empty() => phrases.why_no_date.to_owned(),
            dates => fill(phrases.why_date, &[("date", &dates)]),
        };
        let least = citations.iter().map(|citation| citation.probability).fold(1.0, f64::min);
        let must = [from.as_str(), &date, self.sureness(least), phrases.machine];
        let mut urls: Vec<&str> =
            citations.iter().filter_map(|citation| citation.source_url.as_deref()).collect();
        urls.retain(|url| !url.is_empty());
        urls.dedup();
        self.reply(ReplyKind::Why, &must, &urls)
    }

    /// A probability in words.
    fn sureness(&self, probability: f64) -> &'static str {
        if probability >= 0.85 {
            self.phrases().sure
        } else if probability >= 0.6 {
            self.phrases().fairly_sure
        } else {
            self.phrases().not_sure
        }
    }
}

/// Where an answer comes from, in one line.
fn source(citation: &Citation) -> String {
    const MOST_CHARS: usize = 90;
    let mut parts = vec![citation.title.as_str()];
    parts.extend(citation.section.iter().map(String::as_str).filter(|s| *s != citation.title));
    parts.retain(|part| !part.is_empty());
    let name = if parts.is_empty() { citation.document.clone() } else { parts.join(", ") };
    clip(&name, MOST_CHARS).trim_end_matches(['.', ',', ' ']).to_owned()
}

/// A sentence, and another where there is one.
fn with<'a>(said: &'a str, more: &'a str) -> Vec<&'a str> {
    if more.is_empty() { vec![said] } else { vec![said, more] }
}

//! What one sender and Jibu have going on: the language, an open menu, the rest
//! of an answer, whether messages are wanted at all.
//!
//! A [`Conversation`] is a small value that is kept with the answer in one
//! transaction. [`Conversation::receive`] takes a message and says what to do;
//! where that is a search, [`Conversation::answer`] puts what was found into a
//! reply. Neither knows where the message came from nor what time it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jibu_types::{Language, PhoneNumber, Timestamp};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Citation, Grounded, Topic};
use crate::compose::{self, Budget, upper};
use crate::identify::{Identified, LanguageModel, settle};
use crate::intent::{Intent, intent};
use crate::languages::{self, fill};
use crate::query::Query;
use crate::text::{fold, normalise_line};
use crate::voice::Voice;

/// What all conversations of a site share.
#[derive(Debug, Clone)]
pub struct Site {
    /// How the service calls itself.
    pub service_name: String,
    /// The languages that people may choose, in the order in which they are
    /// listed.
    pub languages: Vec<Language>,
    /// The language for somebody of whom nothing is known.
    pub default_language: Language,
    /// The number to call in danger.
    pub emergency_number: Option<PhoneNumber>,
    /// Whether a question for a person travels to one, whose reply comes by SMS.
    pub asks_people: bool,
    /// The number of a person who answers questions.
    pub person_number: Option<PhoneNumber>,
    /// How a text's language is identified.
    pub identifier: Identifier,
}

/// A function that identifies the language of a text among some.
#[derive(Clone)]
pub struct Identifier(Arc<Identify>);

type Identify = dyn Fn(&str, &[Language]) -> Option<Identified> + Send + Sync;

impl Identifier {
    /// Identifies with this function.
    pub fn new(
        function: impl Fn(&str, &[Language]) -> Option<Identified> + Send + Sync + 'static,
    ) -> Self {
        Identifier(Arc::new(function))
    }

    /// The likeliest of the offered languages.
    pub fn identify(&self, text: &str, offered: &[Language]) -> Option<Identified> {
        (self.0)(text, offered)
    }
}

impl Default for Identifier {
    /// Identifies nothing.
    fn default() -> Self {
        Identifier::new(|_, _| None)
    }
}

impl From<Arc<LanguageModel>> for Identifier {
    fn from(model: Arc<LanguageModel>) -> Self {
        Identifier::new(move |text, offered| model.identify(text, offered))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identifier")
    }
}

/// What to do with a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this.
    Reply(Reply),
    /// Look for an answer, then call [`Conversation::answer`].
    Search(Query),
    /// The sender chose a topic from a menu: answer the query from its passage,
    /// then call [`Conversation::answer`]. Where the passage is gone, or its
    /// heading is another, search for the query instead.
    Open {
        /// What was chosen.
        topic: Topic,
        /// The question that the menu was about.
        query: Query,
    },
    /// Send nothing.
    Silent,
}

/// What goes back to the sender.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The texts to send now, each within the budget where its words allow it.
    /// The rest of a long answer waits for MORE.
    pub pages: Vec<String>,
    /// What kind of reply it is.
    pub kind: ReplyKind,
    /// The language of Jibu's own words in it.
    pub language: Language,
    /// What it rests on.
    pub citations: Vec<Citation>,
}

impl Reply {
    /// Says above its first page that parts of the message never came; a danger
    /// goes before that.
    pub fn say_incomplete(&mut self, site: &Site) {
        let phrases = &languages::spoken(self.language, site.default_language).phrases;
        if let Some(first) = self.pages.first_mut().filter(|_| self.kind != ReplyKind::Urgent) {
            *first = format!("{}\n{first}", phrases.incomplete);
        }
    }
}

/// The kinds of replies, for the audit trail and for `--json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// An answer from a document.
    Found,
    /// A menu of topics.
    Choose,
    /// Nothing is known.
    Unknown,
    /// An emergency line, with or without an answer.
    Urgent,
    /// What can be sent.
    Help,
    /// The rest of an answer.
    More,
    /// Where the last answer came from.
    Why,
    /// About languages.
    Language,
    /// Messages end.
    Stop,
    /// Messages begin again.
    Start,
    /// About reaching a person.
    Person,
    /// The message could not be read, or a number led nowhere.
    NotUnderstood,
}

impl ReplyKind {
    /// The name in JSON and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            ReplyKind::Found => "found",
            ReplyKind::Choose => "choose",
            ReplyKind::Unknown => "unknown",
            ReplyKind::Urgent => "urgent",
            ReplyKind::Help => "help",
            ReplyKind::More => "more",
            ReplyKind::Why => "why",
            ReplyKind::Language => "language",
            ReplyKind::Stop => "stop",
            ReplyKind::Start => "start",
            ReplyKind::Person => "person",
            ReplyKind::NotUnderstood => "not_understood",
        }
    }
}

/// One sender's conversation.
///
/// `Debug` shows no question and no answer.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// The language that was chosen with LANG.
    chosen: Option<Language>,
    /// The language of the last question or command.
    last: Option<Language>,
    /// STOP was sent, and no START since.
    stopped: bool,
    menu: Option<Menu>,
    rest: Option<Rest>,
    cited: Option<Cited>,
    /// When a person was last asked for.
    person_wished: Option<Timestamp>,
    /// The last question: what PERSON hands on.
    asked: Option<Asked>,
}

/// A question that was asked.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Asked {
    text: String,
    language: Language,
    at: Timestamp,
}

/// A menu that waits for a number.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Menu {
    question: String,
    language: Language,
    topics: Vec<Topic>,
    at: Timestamp,
}

/// The pages that wait for MORE, the next one first.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Rest {
    pages: Vec<String>,
    #[serde(default)]
    citations: Vec<Citation>,
    at: Timestamp,
}

/// What WHY explains.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Cited {
    #[serde(default)]
    citations: Vec<Citation>,
    at: Timestamp,
}

/// How long a menu waits for its number. A number that comes later was probably
/// not meant for it.
pub const MENU_LIFE: Duration = Duration::from_secs(24 * 3600);

/// How long MORE and WHY remember the last answer.
pub const ANSWER_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("chosen", &self.chosen)
            .field("last", &self.last)
            .field("stopped", &self.stopped)
            .field("menu", &self.menu.as_ref().map(|menu| menu.topics.len()))
            .field("rest", &self.rest.as_ref().map(|rest| rest.pages.len()))
            .field("person_wished", &self.person_wished)
            .finish_non_exhaustive()
    }
}

impl Conversation {
    /// Whether the sender wants no messages.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// When the sender last asked for a person, if ever.
    pub fn person_wished(&self) -> Option<Timestamp> {
        self.person_wished
    }

    /// The last question and its language, while its answer is remembered: what a
    /// person is asked who is wished for now.
    pub fn last_question(&self, now: Timestamp) -> Option<(&str, Language)> {
        let asked = self.asked.as_ref().filter(|asked| now.since(asked.at) < ANSWER_LIFE)?;
        Some((&asked.text, asked.language))
    }

    /// The pages that wait for MORE, the next one first.
    pub fn waiting(&self) -> &[String] {
        self.rest.as_ref().map_or(&[], |rest| &rest.pages)
    }

    /// Takes a message, whatever it holds.
    pub fn receive(
        &mut self,
        text: &str,
        now: Timestamp,
        site: &Site,
        budget: &Budget<'_>,
    ) -> Step {
        self.forget_old(now);
        let heard = intent(text);
        if self.stopped && heard.intent != Intent::Start {
            return Step::Silent;
        }
        let hint = heard.language.filter(|language| site.languages.contains(language));
        self.last = hint.or(self.last);
        let language = self.chosen.or(self.last).unwrap_or(site.default_language);
        let voice = Voice::new(site, language, budget);
        match heard.intent {
            Intent::Help => Step::Reply(voice.help()),
            Intent::More => Step::Reply(self.more(&voice)),
            Intent::Why => Step::Reply(self.why(&voice)),
            Intent::Lang(wanted) => Step::Reply(self.choose_language(wanted, &voice)),
            Intent::Stop => {
                let said = fill(
                    voice.phrases().stopped,
                    &[
                        ("service", &site.service_name),
                        ("start", &upper(voice.pack.commands.start)),
                    ],
                );
                (self.stopped, self.menu, self.rest) = (true, None, None);
                Step::Reply(voice.reply(ReplyKind::Stop, &[&said], &[]))
            }
            Intent::Start => {
                self.stopped = false;
                let said = fill(voice.phrases().started, &[("service", &site.service_name)]);
                Step::Reply(voice.reply(ReplyKind::Start, &[&said], &[]))
            }
            Intent::Person => {
                self.person_wished = Some(now);
                Step::Reply(voice.person(self.last_question(now).is_some()))
            }
            Intent::Number(number) => self.pick(number, &voice),
            Intent::Thanks => Step::Silent,
            Intent::Nothing => Step::Reply(voice.not_understood()),
            Intent::Question => self.ask(text, site),
        }
    }

    /// Puts an answer to `query` into a reply and remembers what MORE, WHY and a
    /// number will refer to.
    pub fn answer(
        &mut self,
        query: &Query,
        answer: Answer,
        now: Timestamp,
        site: &Site,
        budget: &Budget<'_>,
    ) -> Reply {
        let voice = Voice::new(site, query.language, budget);
        self.last = Some(query.language);
        let text = query.text.clone();
        self.asked = Some(Asked { text, language: query.language, at: now });
        self.rest = None;
        self.cited = answer.grounded().map(|found| Cited { citations: citations(found), at: now });
        // A topic that was opened leaves its menu open for another number.
        if self.menu.as_ref().is_some_and(|menu| menu.question != query.text) {
            self.menu = None;
        }
        match answer {
            Answer::Found(grounded) => {
                let pages = compose::pages(&grounded, None, voice.pack, budget);
                self.keep_rest(pages, citations(&grounded), now, ReplyKind::Found, &voice)
            }
            Answer::Urgent(line) => {
                let said = voice.urgent(line.danger);
                match line.found {
                    Some(grounded) => {
                        let pages = compose::pages(&grounded, Some(&said), voice.pack, budget);
                        self.keep_rest(pages, citations(&grounded), now, ReplyKind::Urgent, &voice)
                    }
                    None => voice.reply(ReplyKind::Urgent, &[&said], &[]),
                }
            }
            Answer::Choose(topics) if !topics.is_empty() => {
                let intro = |_| voice.phrases().choose.to_owned();
                let (page, shown) = compose::menu(&intro, &topics, budget);
                let topics = topics.into_iter().take(shown).collect();
                let (question, language) = (query.text.clone(), query.language);
                self.menu = Some(Menu { question, language, topics, at: now });
                voice.page(ReplyKind::Choose, page)
            }
            Answer::Choose(_) | Answer::Unknown => voice.unknown(),
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.menu.take_if(|menu| now.since(menu.at) >= MENU_LIFE);
        self.rest.take_if(|rest| now.since(rest.at) >= ANSWER_LIFE);
        self.cited.take_if(|cited| now.since(cited.at) >= ANSWER_LIFE);
    }

    fn ask(&self, text: &str, site: &Site) -> Step {
        let line = normalise_line(text);
        // Somebody may copy a menu's line instead of its number.
        if let Some(step) = self.menu.as_ref().and_then(|menu| {
            let typed = fold(&line);
            menu.topics.iter().find(|topic| fold(&topic.label) == typed).map(|t| menu.open(t))
        }) {
            return step;
        }
        let identified = site.identifier.identify(&line, &site.languages);
        let language = settle(self.chosen, identified, self.last, site.default_language);
        Step::Search(Query::analyse(&line, language))
    }

    fn pick(&self, number: u32, voice: &Voice<'_>) -> Step {
        let Some(menu) = &self.menu else {
            return Step::Reply(voice.reply(
                ReplyKind::NotUnderstood,
                &[voice.phrases().no_menu],
                &[],
            ));
        };
        let at = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
        if let Some(topic) = at.and_then(|at| menu.topics.get(at)) {
            return menu.open(topic);
        }
        let intro =
            |count: usize| fill(voice.phrases().choose_again, &[("count", &count.to_string())]);
        let (page, _) = compose::menu(&intro, &menu.topics, voice.budget);
        Step::Reply(voice.page(ReplyKind::Choose, page))
    }

    fn more(&mut self, voice: &Voice<'_>) -> Reply {
        let Some(rest) = &mut self.rest else {
            return voice.reply(ReplyKind::More, &[voice.phrases().nothing_more], &[]);
        };
        let mut reply = voice.page(ReplyKind::More, rest.pages.remove(0));
        reply.citations = rest.citations.clone();
        self.rest.take_if(|rest| rest.pages.is_empty());
        reply
    }

    fn keep_rest(
        &mut self,
        pages: Vec<String>,
        citations: Vec<Citation>,
        at: Timestamp,
        kind: ReplyKind,
        voice: &Voice<'_>,
    ) -> Reply {
        let mut pages = pages.into_iter();
        let mut reply = voice.page(kind, pages.next().unwrap_or_default());
        let pages: Vec<String> = pages.collect();
        reply.citations = citations.clone();
        self.rest = (!pages.is_empty()).then_some(Rest { pages, citations, at });
        reply
    }

    fn why(&self, voice: &Voice<'_>) -> Reply {
        let citations = self.cited.as_ref().map_or(&[][..], |cited| &cited.citations);
        if citations.is_empty() {
            return voice.reply(ReplyKind::Why, &[voice.phrases().why_nothing], &[]);
        }
        let mut reply = voice.why(citations);
        reply.citations = citations.to_vec();
        reply
    }

    fn choose_language(&mut self, wanted: Option<Language>, voice: &Voice<'_>) -> Reply {
        match wanted.filter(|language| voice.site.languages.contains(language)) {
            Some(language) => {
                self.chosen = Some(language);
                let voice = Voice::new(voice.site, language, voice.budget);
                voice.reply(ReplyKind::Language, &[voice.phrases().language_set], &[])
            }
            None => voice.language_list(),
        }
    }
}

/// The citations of an answer's halves.
fn citations(grounded: &Grounded) -> Vec<Citation> {
    grounded.halves().map(|half| half.citation.clone()).collect()
}

impl Menu {
    fn open(&self, topic: &Topic) -> Step {
        let query = Query::analyse(&self.question, self.language);
        Step::Open { topic: topic.clone(), query }
    }
}

//! USSD through a gateway and on modems: sessions to questions, answers to pages.
//!
//! One thread owns the sessions and never waits for an answer ([`menus`]); another
//! one looks answers up. Menus, pages and patience are decided in `core/ussd`, who
//! may call in `shell/web`, what a modem takes in `shell/modem`.

mod menus;
mod on_modem;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use jibu_answer::{Answer, Budget, Conversation, Grounded, Site, Step};
use jibu_gsm::{Shift, alphabet};
use jibu_modem::Command;
use jibu_store::Outline;
use jibu_types::{Channel, Language};
use jibu_ussd::{Limits, QuestionId, Reply, Topic};
use jibu_web::AskError;
use jibu_web::ussd::{Call, Page};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender as ModemSender;
use tokio::sync::oneshot;

use crate::answering::site;
use crate::clock::now;
use crate::config::Config;
use crate::library::Library;
use crate::spooling::Told;
use crate::vitals::Vitals;
use menus::Menus;
use on_modem::OnModem;

/// So many questions wait at most; whoever comes then is told to try again,
/// which is better than an answer after everybody has hung up.
const MOST_WAITING: usize = 32;
/// How often it is looked whether the index is another one.
const LOOK_FOR_TOPICS: Duration = Duration::from_secs(30);

/// The sessions as the web server and the modems see them.
#[derive(Clone)]
pub struct Gateway(Sender<Event>);

/// What the sessions' thread is told.
enum Event {
    /// The gateway called and waits for a page.
    Called(Call, oneshot::Sender<Page>),
    /// A modem told something.
    Modem(String, jibu_modem::Event),
    /// An answer was looked up.
    Answered { question: QuestionId, reply: Reply, conversation: Option<String> },
    /// What the index speaks of.
    Topics(Vec<Topic>),
}

/// Starts the two threads. They end with the daemon.
///
/// # Errors
/// When the system gives no thread.
pub fn start(
    config: Arc<Config>,
    library: Library,
    modems: &HashMap<String, ModemSender<Command>>,
    vitals: Arc<Vitals>,
    told: Sender<Told>,
) -> anyhow::Result<Gateway> {
    let (tell, events) = channel();
    let (ask, questions) = sync_channel(MOST_WAITING);
    let on_modems = config.modems.iter().filter(|modem| modem.driver.ussd).filter_map(|modem| {
        let name = &modem.driver.name;
        let commands = modems.get(name)?.clone();
        let on_modem = OnModem::new(modem, commands, Arc::clone(&vitals), told.clone());
        Some((name.clone(), on_modem))
    });
    let menus = Menus::new(Arc::clone(&config), on_modems.collect(), events, ask, told.clone());
    let answering = Answering {
        config,
        library,
        questions,
        sessions: tell.clone(),
        vitals,
        told,
        versions: BTreeMap::new(),
    };
    let spawn = |name: &str| std::thread::Builder::new().name(name.into());
    spawn("ussd").spawn(|| menus.run()).context("the USSD sessions cannot be started")?;
    spawn("ussd-answers").spawn(|| answering.run()).context("USSD answers cannot be started")?;
    Ok(Gateway(tell))
}

fn sessions_config(config: &Config) -> jibu_ussd::Config {
    let mut limits = Limits::new(septets);
    limits.septets = config.ussd.page_characters;
    limits.units = config.ussd.page_characters_ucs2;
    jibu_ussd::Config {
        service_name: config.name.clone(),
        sms: config.ussd.by_sms && config.first_sender().is_some(),
        ..jibu_ussd::Config::new(config.languages.clone(), limits)
    }
}

/// The septets of a text in the GSM 7-bit alphabet; none where it needs UCS-2.
fn septets(text: &str) -> Option<usize> {
    alphabet::to_septets(text, Shift::NONE).map(|septets| septets.len())
}

/// A topic is a document, its questions are its headings.
fn topics(outline: Vec<Outline>, languages: &[Language]) -> Vec<Topic> {
    let mut topics: Vec<Topic> = Vec::new();
    for Outline { language, title, headings } in outline {
        if !languages.contains(&language) || title.trim().is_empty() {
            continue;
        }
        let known =
            topics.iter_mut().find(|topic| topic.language == language && topic.title == title);
        match known {
            Some(topic) => topic.questions.extend(headings),
            None => topics.push(Topic { language, title, questions: headings }),
        }
    }
    topics
}

impl Gateway {
    /// A modem told something.
    pub fn modem_says(&self, modem: &str, event: jibu_modem::Event) {
        // The sessions end with the daemon only.
        let _ = self.0.send(Event::Modem(modem.to_owned(), event));
    }
}

impl jibu_web::ussd::Sessions for Gateway {
    async fn call(&self, call: Call) -> Result<Page, AskError> {
        let gone = || AskError::TryAgain("the sessions have ended".into());
        let (show, shown) = oneshot::channel();
        self.0.send(Event::Called(call, show)).map_err(|_| gone())?;
        shown.await.map_err(|_| gone())
    }
}

/// A question from a session.
struct Question {
    id: QuestionId,
    text: String,
    language: Option<Language>,
    conversation: Option<String>,
}

/// The thread that looks answers up.
struct Answering {
    config: Arc<Config>,
    library: Library,
    questions: Receiver<Question>,
    sessions: Sender<Event>,
    vitals: Arc<Vitals>,
    told: Sender<Told>,
    /// Of which index the sessions know the topics.
    versions: BTreeMap<String, String>,
}

/// What a session keeps for its next question.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// The language of the menu when the conversation was told.
    language: Option<Language>,
    conversation: Conversation,
}

impl Answering {
    fn run(mut self) {
        let site = site(&self.config, self.library.engine());
        loop {
            self.tell_topics();
            let question = match self.questions.recv_timeout(LOOK_FOR_TOPICS) {
                Ok(question) => question,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let id = question.id;
            let (reply, conversation) = match self.answer(&site, question) {
                Ok((reply, conversation)) => (reply, Some(conversation)),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(question = id.0, error, "a USSD question was not answered");
                    (Reply::Failed, None)
                }
            };
            let answered = Event::Answered { question: id, reply, conversation };
            if self.sessions.send(answered).is_err() {
                return;
            }
        }
    }

    /// Tells what can be chosen, if the index is another one than before.
    fn tell_topics(&mut self) {
        if !self.config.ussd.topics {
            return;
        }
        let look = |library: &Library| anyhow::Ok((library.versions()?, library.outline()?));
        match self.library.versions() {
            Ok(versions) if versions == self.versions => {}
            _ => match look(&self.library) {
                Ok((versions, outline)) => {
                    self.versions = versions;
                    let topics = topics(outline, &self.config.languages);
                    // The sessions end with the daemon only.
                    let _ = self.sessions.send(Event::Topics(topics));
                }
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "no topics for USSD menus");
                }
            },
        }
    }

    /// What was found, and the conversation's new state.
    fn answer(&mut self, site: &Site, question: Question) -> anyhow::Result<(Reply, String)> {
        let begun = Instant::now();
        let mut kept = read(question.conversation.as_deref());
        kept.speak(question.language, site);
        let conversation = &mut kept.conversation;

        // Two screens answer; the passage follows for whoever reads on.
        let screens = |text: &str| text.chars().count().div_ceil(182);
        let excerpt = Budget { parts: 2, medium: &screens };
        // The sessions turn pages, so that no length is too much; but an alphabet
        // with 70 characters a page costs more than one with 182.
        let alphabets = |text: &str| if septets(text).is_some() { 1 } else { 2 };
        let whole = Budget { parts: 2, medium: &alphabets };
        let (query, answer) = match conversation.receive(&question.text, now(), site, &whole) {
            Step::Search(query) => {
                let (answer, _) = self.library.answer(&query, &excerpt)?;
                (query, answer)
            }
            Step::Open { topic, query } => {
                let (answer, _) = self.library.open_topic(&topic, &query, &excerpt)?;
                (query, answer)
            }
            Step::Reply(reply) => return self.tell(reply, &[], &[], &kept, begun),
            // Somebody who thanks still looks at a page.
            Step::Silent => {
                return match conversation.receive("HELP", now(), site, &whole) {
                    Step::Reply(reply) => self.tell(reply, &[], &[], &kept, begun),
                    _ => anyhow::bail!("nothing can be said"),
                };
            }
        };
        let labels: Vec<String> = match &answer {
            Answer::Choose(topics) => topics.iter().map(|topic| topic.label.clone()).collect(),
            _ => Vec::new(),
        };
        let passages = passages(&answer);
        let reply = conversation.answer(&query, trimmed(answer), now(), site, &whole);
        self.tell(reply, &passages, &labels, &kept, begun)
    }

    fn tell(
        &self,
        reply: jibu_answer::Reply,
        passages: &[String],
        labels: &[String],
        kept: &Kept,
        begun: Instant,
    ) -> anyhow::Result<(Reply, String)> {
        let kind = reply.kind.as_str();
        self.vitals.answered(Channel::Ussd, reply.language, kind, begun.elapsed());
        tracing::info!(kind, ms = begun.elapsed().as_millis(), "answered by USSD");
        let details = serde_json::json!({
            "channel": Channel::Ussd.as_str(),
            "kind": kind,
            "language": reply.language,
            "passages": reply.citations.iter().map(|c| c.passage.0).collect::<Vec<_>>(),
        });
        // The spool thread ends with the daemon only.
        let _ = self.told.send(Told::Record { event: "asked by USSD", details });
        let language = reply.language;
        let reply = match labels {
            [] => {
                // By SMS the passages stay away: each part is paid.
                let brief = reply.pages.join("\n");
                let mut text = reply.pages;
                text.extend_from_slice(passages);
                Reply::Text { text: text.join("\n"), brief: Some(brief), language }
            }
            labels => Reply::Choose { labels: labels.to_vec(), language },
        };
        Ok((reply, serde_json::to_string(kept)?))
    }
}

/// A state that an older program wrote begins anew, and so does somebody who has
/// sent STOP: who dials wants to hear something.
fn read(state: Option<&str>) -> Kept {
    let kept: Kept = state.and_then(|state| serde_json::from_str(state).ok()).unwrap_or_default();
    if kept.conversation.is_stopped() { Kept::default() } else { kept }
}

impl Kept {
    /// Tells the conversation which language was chosen in the menu; once, so that
    /// what is written later, `LANG fr`, counts until another one is chosen.
    fn speak(&mut self, chosen: Option<Language>, site: &Site) {
        if self.language == chosen {
            return;
        }
        self.language = chosen;
        if let Some(language) = chosen {
            let nothing = |_: &str| 0;
            let budget = Budget { parts: 0, medium: &nothing };
            self.conversation.receive(&format!("LANG {language}"), now(), site, &budget);
        }
    }
}

/// The passages that an answer's words were taken from, in their own order and
/// under their own headings. Where the words are a passage's beginning, what
/// follows is enough.
fn passages(answer: &Answer) -> Vec<String> {
    let halves = answer.grounded().into_iter().flat_map(Grounded::halves);
    let passages = halves.map(|half| {
        let text = half.text.trim_end();
        let beginning = match half.spans.as_slice() {
            [span] if span.start == 0 => span.end,
            _ => 0,
        };
        match (beginning, half.citation.section.last()) {
            (0, Some(heading)) => format!("{heading}\n{text}"),
            (at, _) => text.get(at..).unwrap_or_default().trim_start().to_owned(),
        }
    });
    passages.filter(|passage| !passage.is_empty()).collect()
}

/// An answer without what its passages say beside it, which would otherwise wait
/// for MORE: here that word turns the page.
fn trimmed(answer: Answer) -> Answer {
    match answer {
        Answer::Found(grounded) => Answer::Found(only_words(grounded)),
        Answer::Urgent(mut line) => {
            line.found = line.found.map(only_words);
            Answer::Urgent(line)
        }
        Answer::Choose(_) | Answer::Unknown => answer,
    }
}

fn only_words(grounded: Grounded) -> Grounded {
    let mut text = String::new();
    let mut end = None;
    for span in &grounded.spans {
        let Some(words) = grounded.text.get(span.clone()) else { continue };
        match end.and_then(|end| grounded.text.get(end..span.start)) {
            None => {}
            Some(between) if between.contains('\n') => text.push('\n'),
            Some(between) if between.trim().is_empty() => text.push_str(between),
            Some(_) => text.push_str(" ... "),
        }
        text.push_str(words);
        end = Some(span.end);
    }
    let whole = 0..text.len();
    let beside = grounded.beside.map(|beside| Box::new(only_words(*beside)));
    Grounded { text, spans: vec![whole], key: None, beside, ..grounded }
}

#[cfg(test)]
mod tests {
    use jibu_answer::{Citation, Identifier};
    use jibu_types::{IndexVersion, PassageId};

    use super::*;

    fn grounded(text: &str, answering: &[&str]) -> Grounded {
        let span = |words: &&str| {
            let start = text.find(words).unwrap();
            start..start + words.len()
        };
        Grounded {
            citation: Citation {
                collection: "health".parse().unwrap(),
                passage: PassageId(1),
                document: "water.md".into(),
                title: "Água segura".into(),
                section: vec!["Boiling water".into()],
                source_url: None,
                date: None,
                index_version: IndexVersion::default(),
                probability: 0.9,
            },
            text: text.into(),
            spans: answering.iter().map(span).collect(),
            key: None,
            language: Language::EN,
            beside: None,
        }
    }

    fn site() -> Site {
        Site {
            service_name: "Jibu".into(),
            languages: vec![Language::EN, Language::SW],
            default_language: Language::EN,
            emergency_number: None,
            asks_people: false,
            person_number: None,
            identifier: Identifier::default(),
        }
    }

    #[test]
    fn an_answer_is_its_words_and_its_source_and_never_asks_for_more() {
        let text = "Water may be dirty. Boil it for one minute. Then cool it. Keep it covered.\n\
                    Wash your hands.";
        let answer =
            Answer::Found(grounded(text, &["Boil it for one minute.", "Keep it covered."]));
        assert_eq!(passages(&answer), [format!("Boiling water\n{text}")]);
        let rest = |answering| passages(&Answer::Found(grounded("Boil it. Cool it.\n", answering)));
        assert_eq!(rest(&["Boil it."]), ["Cool it."]);
        assert!(rest(&["Boil it. Cool it."]).is_empty());
        let (mut conversation, site) = (Conversation::default(), site());
        let alphabets = |text: &str| if septets(text).is_some() { 1 } else { 2 };
        let budget = Budget { parts: 2, medium: &alphabets };
        let Step::Search(query) = conversation.receive("How long to boil?", now(), &site, &budget)
        else {
            panic!("it is a question");
        };
        let reply = conversation.answer(&query, trimmed(answer), now(), &site, &budget);
        // The source's name is ours to write so that the page stays cheap.
        let words = "Boil it for one minute. ... Keep it covered.";
        assert_eq!(reply.pages, [format!("{words}\nSource: Agua segura")]);
        assert!(conversation.waiting().is_empty());
    }

    #[test]
    fn a_document_is_a_topic_and_its_headings_are_questions() {
        let of = |language, title: &str, headings: &[&str]| Outline {
            language,
            title: title.into(),
            headings: headings.iter().map(|heading| (*heading).to_owned()).collect(),
        };
        let outline = vec![
            of(Language::EN, "Burns", &["Cool it"]),
            of(Language::SW, "Homa", &[]),
            of(Language::FR, "Brûlures", &["Refroidir"]),
            of(Language::EN, "Burns", &["Never do"]),
            of(Language::EN, " ", &["Nothing"]),
        ];
        let topics = topics(outline, &[Language::EN, Language::SW]);
        let shown: Vec<_> = topics.iter().map(|t| (t.title.as_str(), t.questions.len())).collect();
        assert_eq!(shown, [("Burns", 2), ("Homa", 0)]);
    }

    #[test]
    fn the_menus_language_counts_until_another_is_written() {
        let site = site();
        let nothing = |_: &str| 1;
        let budget = Budget { parts: 2, medium: &nothing };
        let language_of = |kept: &mut Kept, text: &str| {
            kept.speak(Some(Language::SW), &site);
            match kept.conversation.receive(text, now(), &site, &budget) {
                Step::Search(query) => query.language,
                Step::Reply(reply) => reply.language,
                other => panic!("{other:?}"),
            }
        };
        let mut kept = read(Some("written by an older program"));
        assert_eq!(language_of(&mut kept, "boil water how long"), Language::SW);
        assert_eq!(language_of(&mut kept, "LANG en"), Language::EN);
        let mut kept = read(Some(&serde_json::to_string(&kept).unwrap()));
        assert_eq!(language_of(&mut kept, "boil water how long"), Language::EN);
    }

    #[test]
    fn somebody_who_sent_stop_and_dials_again_is_heard() {
        let (site, cost) = (site(), |_: &str| 1);
        let mut kept = Kept::default();
        kept.conversation.receive("STOP", now(), &site, &Budget { parts: 2, medium: &cost });
        assert!(kept.conversation.is_stopped());
        let kept = read(Some(&serde_json::to_string(&kept).unwrap()));
        assert!(!kept.conversation.is_stopped());
    }
}

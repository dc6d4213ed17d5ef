//! The thread that answers messages: a conversation, the library, and back to
//! the spool. And the one-off question of the kiosk and the command line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use jibu_answer::{Answer, Budget, Conversation, Grounded, Query, Reply, ReplyKind, Site, Step};
use jibu_spool::{AnswerSummary, Machines};
use jibu_store::Asker;
use jibu_types::{Channel, Language};
use jibu_web::{Asked, Citation, Question};

use crate::clock::now;
use crate::config::Config;
use crate::hub;
use crate::library::{Engine, Found, Library, Retrieved};
use crate::sms;
use crate::spooling::{Job, Told};
use crate::vitals::Vitals;

/// What all conversations of this site share.
pub fn site(config: &Config, engine: &Engine) -> Site {
    Site {
        service_name: config.name.clone(),
        languages: config.languages.clone(),
        default_language: config.default_language(),
        emergency_number: config.emergency_number.clone(),
        asks_people: false,
        person_number: config.person_number.clone(),
        identifier: engine.identifier(),
    }
}

/// What a person gets, and what it rests on.
#[derive(Debug)]
struct Turn {
    /// None where silence is the answer.
    reply: Option<Reply>,
    answer: Option<Answer>,
    found: Found,
}

/// Takes a message through a conversation.
fn turn(
    library: &mut Library,
    conversation: &mut Conversation,
    site: &Site,
    budget: &Budget<'_>,
    text: &str,
) -> anyhow::Result<Turn> {
    let take = |query: &Query, answered: (Answer, Found), conversation: &mut Conversation| {
        let (answer, found) = answered;
        let reply = conversation.answer(query, answer.clone(), now(), site, budget);
        Turn { reply: Some(reply), answer: Some(answer), found }
    };
    Ok(match conversation.receive(text, now(), site, budget) {
        Step::Silent => Turn { reply: None, answer: None, found: Found::default() },
        Step::Reply(reply) => Turn { reply: Some(reply), answer: None, found: Found::default() },
        Step::Search(query) => {
            let answered = library.answer(&query, budget)?;
            take(&query, answered, conversation)
        }
        Step::Open { topic, query } => {
            let answered = library.open_topic(&topic, &query, budget)?;
            take(&query, answered, conversation)
        }
    })
}

/// Answers the spool's messages until it is gone.
pub struct Answering {
    /// The configuration.
    pub config: Arc<Config>,
    /// The index.
    pub library: Library,
    /// Where messages come from.
    pub jobs: Receiver<Job>,
    /// Where answers go.
    pub told: Sender<Told>,
    /// Where they are counted.
    pub vitals: Arc<Vitals>,
    /// Who writes like a machine.
    pub machines: Machines,
    /// Where the hub's questions go; none without a link to it.
    pub hub: Option<Sender<hub::Told>>,
}

impl Answering {
    /// Runs until nobody asks any more.
    pub fn run(mut self) {
        let mut site = site(&self.config, self.library.engine());
        site.asks_people = self.hub.is_some();
        while let Ok(job) = self.jobs.recv() {
            let begun = Instant::now();
            let answered = self.answer(&site, &job).unwrap_or_else(|error| {
                tracing::error!(
                    message = job.message.0,
                    error = format!("{error:#}"),
                    "not answered"
                );
                self.apology(&site, &job)
            });
            if let Told::Answered { summary, .. } = &answered {
                let language = Language::parse(&summary.language);
                let language = language.unwrap_or(self.config.default_language());
                self.vitals.answered(Channel::Sms, language, &summary.kind, begun.elapsed());
                tracing::info!(
                    message = job.message.0,
                    kind = summary.kind,
                    ms = begun.elapsed().as_millis(),
                    "answered"
                );
            }
            if self.told.send(answered).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, site: &Site, job: &Job) -> anyhow::Result<Told> {
        let text = sms::text(&job.pdus);
        if let Some(suspicion) = self.machines.hear(&job.sender, &text, now()) {
            return Ok(silence(job, site, suspicion.as_str()));
        }
        let mut conversation = read(job.conversation.as_deref());
        let budget = sms::budget(&self.config.sms);
        let mut turn = turn(&mut self.library, &mut conversation, site, &budget, &text)?;
        if let Some(reply) = turn.reply.as_mut().filter(|_| job.missing > 0) {
            reply.say_incomplete(site);
        }
        self.tell_hub(job, &conversation, &turn);
        for page in turn.reply.iter().flat_map(|reply| &reply.pages) {
            self.machines.say(&job.sender, page, now());
        }
        self.told(job, &conversation, turn)
    }

    /// Hands the last question on where a person was wished for, and tells one that
    /// had no answer; the hub's thread knows what the site's policy allows.
    fn tell_hub(&self, job: &Job, conversation: &Conversation, turn: &Turn) {
        let (Some(hub), Some(reply)) = (&self.hub, &turn.reply) else { return };
        let Some((text, language)) = conversation.last_question(now()) else { return };
        let text = text.to_owned();
        let asker = Asker { number: job.sender.clone(), language };
        let told = match reply.kind {
            ReplyKind::Person => hub::Told::Person { asker, text },
            ReplyKind::Unknown => hub::Told::Unanswered { asker, text },
            _ => return,
        };
        // The hub's thread may not have come up; the number to call was given.
        let _ = hub.send(told);
    }

    fn told(&self, job: &Job, conversation: &Conversation, turn: Turn) -> anyhow::Result<Told> {
        let pages = turn.reply.as_ref().map_or(&[][..], |reply| &reply.pages);
        let pdus = sms::pdus(&self.config.sms, job.message, &job.sender, pages)?;
        let details = serde_json::json!({
            "citations": turn.reply.as_ref().map(|reply| &reply.citations),
            "parts": pdus.len(),
            "timings_ms": turn.found.timings,
        });
        let language =
            turn.reply.as_ref().map(|r| r.language).unwrap_or(self.config.default_language());
        Ok(Told::Answered {
            message: job.message,
            pdus,
            summary: AnswerSummary {
                kind: turn.reply.as_ref().map_or("silent", |r| r.kind.as_str()).to_owned(),
                language: language.to_string(),
                details: details.to_string(),
            },
            conversation: Some(serde_json::to_string(conversation)?),
        })
    }

    /// When the index or the models fail, a person still hears something: that
    /// nothing is known, and whom to call.
    fn apology(&self, site: &Site, job: &Job) -> Told {
        let mut conversation = read(job.conversation.as_deref());
        let budget = sms::budget(&self.config.sms);
        let query = Query::analyse("", self.config.default_language());
        let reply = conversation.answer(&query, Answer::Unknown, now(), site, &budget);
        let turn = Turn { reply: Some(reply), answer: None, found: Found::default() };
        self.told(job, &conversation, turn).unwrap_or_else(|error| {
            // Nothing can be sent to this number; the message is closed all the same.
            tracing::error!(message = job.message.0, %error, "no reply can be written");
            silence(job, site, "failed")
        })
    }
}

/// A message is closed without a word; the audit trail says why.
fn silence(job: &Job, site: &Site, kind: &str) -> Told {
    Told::Answered {
        message: job.message,
        pdus: Vec::new(),
        summary: AnswerSummary {
            kind: kind.to_owned(),
            language: site.default_language.to_string(),
            details: "{}".into(),
        },
        conversation: None,
    }
}

/// A conversation that an older program wrote and this one cannot read begins anew.
fn read(state: Option<&str>) -> Conversation {
    state.and_then(|state| serde_json::from_str(state).ok()).unwrap_or_default()
}

/// Answers one question without a conversation: the kiosk's and the command
/// line's.
///
/// # Errors
/// When the store or the embedder refuses.
pub fn ask_once(
    library: &mut Library,
    config: &Config,
    question: &Question,
) -> anyhow::Result<Asked> {
    let begun = Instant::now();
    let mut site = site(config, library.engine());
    if let Some(language) = question.language {
        // What the asker chose is neither guessed nor outside the configured ones.
        site.default_language = language;
        site.identifier = jibu_answer::Identifier::default();
    }
    // One screen of 182 characters (TS 23.038 in a USSD string's 160 octets).
    let screens = |text: &str| text.chars().count().div_ceil(182);
    // A kiosk has room; an answer is still an answer and not the passage.
    let kiosk = |text: &str| text.chars().count().div_ceil(600);
    let budget = match question.channel {
        Channel::Sms => sms::budget(&config.sms),
        Channel::Ussd => Budget { parts: 1, medium: &screens },
        Channel::Kiosk => Budget { parts: 1, medium: &kiosk },
    };
    let mut conversation = Conversation::default();
    let turn = turn(library, &mut conversation, &site, &budget, &question.text)?;
    let versions = library.versions()?;
    let mut asked = asked(turn, &conversation, config, versions);
    asked.timings_ms.insert("total".into(), begun.elapsed().as_secs_f64() * 1000.0);
    Ok(asked)
}

fn asked(
    turn: Turn,
    conversation: &Conversation,
    config: &Config,
    index_version: BTreeMap<String, String>,
) -> Asked {
    let Turn { reply, answer, found } = turn;
    let (kind, language) = match &reply {
        Some(reply) => (reply.kind.as_str(), reply.language),
        None => ("silent", config.default_language()),
    };
    let mut pages = reply.map(|reply| reply.pages).unwrap_or_default();
    pages.extend_from_slice(conversation.waiting());
    let grounded = answer.as_ref().and_then(Answer::grounded);
    let words = grounded.map(words).unwrap_or_else(|| pages.join("\n"));
    let mut candidates = found.candidates;
    match &answer {
        // What may be meant, and nothing that was left off the menu.
        Some(Answer::Choose(topics)) => {
            candidates.retain(|candidate| topics.iter().any(|topic| topic.passage == candidate.id))
        }
        // What is not known rests on nothing.
        Some(Answer::Unknown) | None => candidates.clear(),
        Some(Answer::Found(_) | Answer::Urgent(_)) => {}
    }
    Asked {
        answer: words,
        kind: kind.to_owned(),
        pages,
        language,
        citations: candidates.into_iter().map(|c| citation(c, grounded)).collect(),
        index_version,
        timings_ms: found.timings,
    }
}

/// The documents' own words that answer.
fn words(grounded: &Grounded) -> String {
    let spans = grounded
        .halves()
        .flat_map(|half| half.spans.iter().filter_map(|span| half.text.get(span.clone())));
    spans.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn citation(candidate: Retrieved, grounded: Option<&Grounded>) -> Citation {
    let mut halves = grounded.into_iter().flat_map(Grounded::halves);
    let marks =
        halves.find(|half| half.citation.passage == candidate.id).map(|half| half.spans.clone());
    let passage = candidate.passage;
    Citation {
        collection: passage.collection.to_string(),
        passage: candidate.id.0,
        title: passage.heading(),
        score: candidate.probability,
        document: passage.document,
        source_url: passage.source_url,
        date: passage.date.map(|date| date.to_string()),
        text: passage.text,
        marks: marks.unwrap_or_default(),
    }
}

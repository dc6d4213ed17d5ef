//! The thread of the USSD sessions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError};
use std::time::Duration;

use jibu_answer::{Medium, Words};
use jibu_spool::{AnswerSummary, MessageId, ModemName};
use jibu_types::{Channel, Language, PhoneNumber};
use jibu_ussd::{Exchange, Heard, Input, Line, Output, Reply, Sessions, Topic};
use jibu_web::ussd::Page;
use tokio::sync::oneshot;

use super::on_modem::{FromModem, OnModem};
use super::{Event, Question, sessions_config};
use crate::clock::now;
use crate::config::Config;
use crate::sms;
use crate::spooling::Told;

/// How long the thread sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(60);

/// Who waits for a page.
enum Waiting {
    Gateway(oneshot::Sender<Page>),
    Modem(String),
}

/// The sessions with everything that they move.
pub(super) struct Menus {
    config: Arc<Config>,
    sessions: Sessions,
    waiting: HashMap<Exchange, Waiting>,
    exchanges: u64,
    modems: HashMap<String, OnModem>,
    topics: Vec<Topic>,
    events: Receiver<Event>,
    ask: SyncSender<Question>,
    told: Sender<Told>,
}

impl Menus {
    pub(super) fn new(
        config: Arc<Config>,
        modems: HashMap<String, OnModem>,
        events: Receiver<Event>,
        ask: SyncSender<Question>,
        told: Sender<Told>,
    ) -> Self {
        Menus {
            sessions: Sessions::new(sessions_config(&config)),
            config,
            waiting: HashMap::new(),
            exchanges: 0,
            modems,
            topics: Vec::new(),
            events,
            ask,
            told,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let on_modems = self.modems.values().filter_map(OnModem::deadline);
            let deadline = self.sessions.deadline().into_iter().chain(on_modems).min();
            let wait = deadline.map_or(IDLE, |at| at.since(now()));
            match self.events.recv_timeout(wait) {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {
                    self.modems.values_mut().for_each(|modem| modem.tick(now()));
                    self.handle(Input::Tick);
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Called(call, show) => {
                let exchange = self.exchange(Waiting::Gateway(show));
                self.handle(Input::Request {
                    exchange,
                    line: Line::Gateway(call.session),
                    caller: call.caller,
                    heard: Heard::History(call.text),
                });
            }
            Event::Modem(name, event) => {
                let Some(modem) = self.modems.get_mut(&name) else { return };
                for heard in modem.says(event, now()) {
                    let line = Line::Modem(name.clone());
                    let input = match heard {
                        FromModem::Dropped => Input::Dropped { line },
                        FromModem::Entry(text) => {
                            let exchange = self.exchange(Waiting::Modem(name.clone()));
                            let heard = Heard::Entry(text);
                            Input::Request { exchange, line, caller: None, heard }
                        }
                    };
                    self.handle(input);
                }
            }
            Event::Answered { question, reply, conversation } => {
                self.handle(Input::Answered { question, reply, conversation });
            }
            Event::Topics(topics) => {
                self.topics.clone_from(&topics);
                self.sessions.set_topics(topics);
            }
        }
    }

    fn exchange(&mut self, waiting: Waiting) -> Exchange {
        self.exchanges += 1;
        let exchange = Exchange(self.exchanges);
        self.waiting.insert(exchange, waiting);
        exchange
    }

    fn handle(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.sessions.handle(input, now());
            while let Some(output) = self.sessions.poll() {
                inputs.extend(self.carry_out(output));
            }
        }
    }

    /// Does one thing; gives what became of a question that was not taken.
    fn carry_out(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Show { exchange, page, ends } => match self.waiting.remove(&exchange) {
                // The gateway may have given up; its next call shows the page.
                Some(Waiting::Gateway(show)) => {
                    let _ = show.send(Page { text: page, ends });
                }
                Some(Waiting::Modem(name)) => {
                    if let Some(modem) = self.modems.get_mut(&name) {
                        modem.show(page, now());
                    }
                }
                None => {}
            },
            Output::Ask { question, text, topic, language, conversation } => {
                let text = self.in_full(text, topic.as_deref());
                let asked = Question { id: question, text, language, conversation };
                if let Err(refused) = self.ask.try_send(asked) {
                    match refused {
                        TrySendError::Full(_) => tracing::warn!("too many USSD questions wait"),
                        TrySendError::Disconnected(_) => {
                            tracing::error!("the thread of the USSD answers has ended");
                        }
                    }
                    let (reply, conversation) = (Reply::Failed, None);
                    return Some(Input::Answered { question, reply, conversation });
                }
            }
            Output::Sms { to, text, language } => self.send(to, text, language),
        }
        None
    }

    /// A heading alone may not say what it is about.
    fn in_full(&self, text: String, topic: Option<&str>) -> String {
        let of_topic = |known: &&Topic| Some(known.title.as_str()) == topic;
        match self.topics.iter().filter(of_topic).any(|known| known.questions.contains(&text)) {
            true => format!("{}: {text}", topic.unwrap_or_default()),
            false => text,
        }
    }

    /// The answer follows by SMS.
    fn send(&self, to: PhoneNumber, text: String, language: Option<Language>) {
        let Some(modem) = self.config.first_sender() else { return };
        // In place of a message's number, so that neighbouring answers differ.
        let seed = MessageId(now().unix_ms());
        let language = language.unwrap_or(self.config.default_language());
        let text = self.config.sms.cheapest(&text, Words::Quoted(language));
        let pdus = match sms::pdus(&self.config.sms, seed, &to, &[text]) {
            Ok(pdus) => pdus,
            Err(error) => return tracing::error!(%to, %error, "an answer cannot go by SMS"),
        };
        tracing::info!(%to, parts = pdus.len(), "the answer follows by SMS");
        let summary = AnswerSummary {
            kind: "by SMS".into(),
            language: language.to_string(),
            details: serde_json::json!({ "parts": pdus.len() }).to_string(),
        };
        let modem = ModemName(modem.to_owned());
        // The spool thread ends with the daemon only.
        let _ = self.told.send(Told::Follows {
            channel: Channel::Ussd,
            modem,
            recipient: to,
            pdus,
            summary,
            command: None,
        });
    }
}

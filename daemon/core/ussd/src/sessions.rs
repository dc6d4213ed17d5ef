//! All sessions: who is who, what is new in a gateway's history, who waits.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jibu_types::{PhoneNumber, Timestamp};

use crate::session::{Search, Session, Want};
use crate::{Config, Exchange, Heard, Input, Line, Output, QuestionId, Reply, Topic};

/// A gateway's history is no longer than this; what is beyond is not looked at.
const LONGEST_HISTORY: usize = 4096;
/// As many entries as somebody can dial at once, `*384*1*2*3#`.
const DIALLED_AT_ONCE: usize = 8;

/// The sessions. Drain [`Sessions::poll`] before the next [`Sessions::handle`].
pub struct Sessions {
    config: Config,
    outputs: VecDeque<Output>,
    sessions: BTreeMap<u64, Session>,
    /// Whose answer goes by SMS once it is found.
    owed: HashMap<QuestionId, Owed>,
    last_session: u64,
    last_question: u64,
}

struct Owed {
    to: PhoneNumber,
    language: Option<jibu_types::Language>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("sessions", &self.sessions.len())
            .field("owed", &self.owed.len())
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// No session yet.
    pub fn new(config: Config) -> Self {
        Sessions {
            config,
            outputs: VecDeque::new(),
            sessions: BTreeMap::new(),
            owed: HashMap::new(),
            last_session: 0,
            last_question: 0,
        }
    }

    /// What can be chosen has changed. Somebody who looks at a menu now finds out
    /// when they choose what is gone.
    pub fn set_topics(&mut self, topics: Vec<Topic>) {
        self.config.topics = topics;
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        self.forget_old(now);
        match input {
            Input::Request { exchange, line, caller, heard } => {
                self.requested(exchange, line, caller, heard, now);
            }
            Input::Answered { question, reply, conversation } => {
                self.answered(question, reply, conversation, now);
            }
            Input::Dropped { line } => self.dropped(&line),
            Input::Tick => {}
        }
        self.calm_the_waiting(now);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`] if nothing else happens.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.sessions
            .values()
            .map(|session| {
                let forgotten = session.touched + self.config.resume_within;
                match &session.search {
                    Some(search) if !session.waiting.is_empty() => {
                        forgotten.min(search.patience_ends)
                    }
                    _ => forgotten,
                }
            })
            .min()
    }

    /// How many sessions are remembered.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether no session is remembered.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    fn requested(
        &mut self,
        exchange: Exchange,
        line: Line,
        caller: Option<PhoneNumber>,
        heard: Heard,
        now: Timestamp,
    ) {
        let (id, is_new_line) = self.find(&line, &caller, &heard, now);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.touched = now;
        session.waiting.push(exchange);
        match heard {
            Heard::Entry(_) if is_new_line => {}
            Heard::Entry(text) => session.queue.push_back(text),
            Heard::History(text) => {
                let text = clip(&text).to_owned();
                if is_new_line {
                    // Dialled at once, or the beginning was lost in a restart.
                    let entries = text.split('*').filter(|_| !text.is_empty());
                    session.queue.extend(entries.take(DIALLED_AT_ONCE).map(str::to_owned));
                } else if let Some(entry) = entry_since(&session.history, &text) {
                    session.queue.push_back(entry.to_owned());
                }
                session.history = text;
            }
        }
        if let Some(search) = &mut session.search {
            search.patience_ends = now + self.config.answer_wait;
        }
        self.go_on(id, now);
    }

    /// The session of a request, and whether its line is new to it.
    fn find(
        &mut self,
        line: &Line,
        caller: &Option<PhoneNumber>,
        heard: &Heard,
        now: Timestamp,
    ) -> (u64, bool) {
        let of_line = self
            .sessions
            .iter()
            .find(|(_, session)| session.line.as_ref() == Some(line))
            .map(|(id, session)| (*id, caller.is_none() || session.caller == *caller));
        match of_line {
            Some((id, true)) => return (id, false),
            // A gateway that gives one name to two people.
            Some((id, false)) => self.detach(id),
            None => {}
        }
        // Entries that came with the dialling begin at the beginning.
        let may_resume = match heard {
            Heard::Entry(_) => true,
            Heard::History(text) => text.is_empty(),
        };
        let theirs = self
            .sessions
            .iter()
            .find(|(_, session)| caller.is_some() && session.caller == *caller)
            .map(|(id, _)| *id);
        if let Some(id) = theirs {
            if may_resume && let Some(session) = self.sessions.get_mut(&id) {
                // A phone has one session at a time: the one before is over.
                session.line = Some(line.clone());
                session.history.clear();
                session.queue.clear();
                Self::release(&mut self.outputs, session);
                return (id, true);
            }
            self.end(id);
        }
        if self.sessions.len() >= self.config.most_sessions.max(1) {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.touched);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                self.end(id);
            }
        }
        self.last_session += 1;
        let session = Session::new(line.clone(), caller.clone(), &self.config, now);
        self.sessions.insert(self.last_session, session);
        (self.last_session, true)
    }

    /// Takes entries until something must be looked up or a page is due.
    fn go_on(&mut self, id: u64, now: Timestamp) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        while session.search.as_ref().is_none_or(|search| search.told) {
            let Some(entry) = session.queue.pop_front() else { break };
            match session.enter(&entry, &self.config) {
                None => {}
                Some(Want::Ask(text)) => {
                    self.last_question += 1;
                    let question = QuestionId(self.last_question);
                    session.search = Some(Search {
                        question,
                        patience_ends: now + self.config.answer_wait,
                        told: false,
                    });
                    self.outputs.push_back(Output::Ask {
                        question,
                        text,
                        topic: session.topic().map(str::to_owned),
                        language: session.language,
                        conversation: session.conversation.clone(),
                    });
                }
                Some(Want::SendText(text)) => {
                    if let Some(to) = session.caller.clone() {
                        self.outputs.push_back(Output::Sms {
                            to,
                            text,
                            language: session.language,
                        });
                    }
                    return self.take_leave(id);
                }
                Some(Want::SendSought) => {
                    if let (Some(to), Some(search)) = (session.caller.clone(), &session.search) {
                        let owed = Owed { to, language: session.language };
                        self.owed.insert(search.question, owed);
                    }
                    return self.take_leave(id);
                }
            }
        }
        if session.search.is_none() && !session.waiting.is_empty() {
            let page = session.page(&self.config);
            Self::show(&mut self.outputs, session, &page, false);
        }
    }

    fn take_leave(&mut self, id: u64) {
        if let Some(mut session) = self.sessions.remove(&id) {
            let page = session.farewell(&self.config);
            Self::show(&mut self.outputs, &mut session, &page, true);
        }
    }

    fn answered(
        &mut self,
        question: QuestionId,
        reply: Reply,
        conversation: Option<String>,
        now: Timestamp,
    ) {
        if let Some(Owed { to, language }) = self.owed.remove(&question) {
            let text = match reply {
                Reply::Text { text, brief, .. } => brief.unwrap_or(text),
                Reply::Choose { labels, .. } => labels.join("\n"),
                // Nothing is sent that would only cost: the phone shows who was asked.
                Reply::Failed => return,
            };
            self.outputs.push_back(Output::Sms { to, text, language });
            return;
        }
        // A question that was given up or replaced has no session any more.
        let asked = |session: &Session| {
            session.search.as_ref().is_some_and(|search| search.question == question)
        };
        let Some((id, session)) = self.sessions.iter_mut().find(|(_, session)| asked(session))
        else {
            return;
        };
        let id = *id;
        session.conversation = conversation.or(session.conversation.take());
        session.answered(reply, &self.config);
        self.go_on(id, now);
    }

    fn dropped(&mut self, line: &Line) {
        let of_line = self.sessions.iter().find(|(_, s)| s.line.as_ref() == Some(line));
        if let Some(id) = of_line.map(|(id, _)| *id) {
            self.detach(id);
        }
    }

    /// The line is gone. Without a number nobody can be known again.
    fn detach(&mut self, id: u64) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.caller.is_none() {
            return self.end(id);
        }
        session.line = None;
        session.history.clear();
        session.queue.clear();
        Self::release(&mut self.outputs, session);
    }

    fn end(&mut self, id: u64) {
        if let Some(mut session) = self.sessions.remove(&id) {
            Self::release(&mut self.outputs, &mut session);
        }
    }

    /// A request whose session has gone elsewhere still gets its page.
    fn release(outputs: &mut VecDeque<Output>, session: &mut Session) {
        Self::show(outputs, session, "", true);
    }

    fn show(outputs: &mut VecDeque<Output>, session: &mut Session, page: &str, ends: bool) {
        for exchange in session.waiting.drain(..) {
            outputs.push_back(Output::Show { exchange, page: page.to_owned(), ends });
        }
    }

    /// Tells those who have waited long enough that the answer is looked for.
    fn calm_the_waiting(&mut self, now: Timestamp) {
        for session in self.sessions.values_mut() {
            let Some(search) = &mut session.search else { continue };
            if session.waiting.is_empty() || search.patience_ends > now {
                continue;
            }
            search.told = true;
            // What is entered from here on answers the page that says so.
            session.queue.clear();
            let page = session.page(&self.config);
            Self::show(&mut self.outputs, session, &page, false);
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        let old: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| now.since(session.touched) >= self.config.resume_within)
            .map(|(id, _)| *id)
            .collect();
        for id in old {
            self.end(id);
        }
    }
}

/// What was entered since `before`; nothing where a gateway asks again for the
/// page that it did not get.
fn entry_since<'t>(before: &str, text: &'t str) -> Option<&'t str> {
    if text == before || text.is_empty() {
        return None;
    }
    let longer = match before.is_empty() {
        true => Some(text),
        // What was entered may hold a `*` itself.
        false => text.strip_prefix(before).and_then(|rest| rest.strip_prefix('*')),
    };
    // A gateway that sends the last entry alone, or has lost the beginning.
    Some(longer.unwrap_or_else(|| text.rsplit('*').next().unwrap_or(text)))
}

fn clip(text: &str) -> &str {
    let end = text.floor_char_boundary(LONGEST_HISTORY);
    &text[..end]
}

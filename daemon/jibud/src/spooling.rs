//! Carries out what `core/spool` decides: rows to the store, commands to the
//! modems, questions to the answering thread. One thread, strictly in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use jibu_modem::{Command, Event, Held, Registration, Remedy};
use jibu_spool::{
    AnswerSummary, Input, MessageId, ModemName, Output, PartId, Spool, StoredPart, Ticket, Verdict,
};
use jibu_store::{ErrorKind, StateStore};
use jibu_types::{Channel, PhoneNumber, Timestamp};
use tokio::sync::mpsc::Sender as ModemSender;

use crate::clock::now;
use crate::sms;
use crate::vitals::Vitals;

/// A message whose answer is wanted.
#[derive(Debug)]
pub struct Job {
    /// Which message.
    pub message: MessageId,
    /// Who asks.
    pub sender: PhoneNumber,
    /// What came, in PDUs.
    pub pdus: Vec<Vec<u8>>,
    /// How many parts of it never came.
    pub missing: usize,
    /// The state of the conversation so far.
    pub conversation: Option<String>,
}

/// What the spool thread is told.
#[derive(Debug)]
pub enum Told {
    /// A modem has something to tell.
    Modem(ModemName, Event),
    /// An answer was found.
    Answered {
        /// To which message.
        message: MessageId,
        /// What leaves.
        pdus: Vec<Vec<u8>>,
        /// For the audit trail.
        summary: AnswerSummary,
        /// The conversation's new state.
        conversation: Option<String>,
    },
    /// A text that answers no SMS goes by SMS: an answer whose reader chose so, or
    /// a person's reply.
    Follows {
        /// Where it was asked.
        channel: Channel,
        /// By which modem.
        modem: ModemName,
        /// To whom.
        recipient: PhoneNumber,
        /// What leaves.
        pdus: Vec<Vec<u8>>,
        /// For the audit trail.
        summary: AnswerSummary,
        /// Where the hub commanded it.
        command: Option<Commanded>,
    },
    /// Something to be written to the audit trail.
    Record {
        /// What happened.
        event: &'static str,
        /// With whom or what, without anybody's words.
        details: serde_json::Value,
    },
}

/// A message that the hub commanded: saved together with the command's number, so
/// that it is sent once however often the command comes.
#[derive(Debug)]
pub struct Commanded {
    /// The command.
    pub number: u64,
    /// Hears when it is saved.
    pub saved: Sender<()>,
}

/// The setting with the number of the last command of the hub that was done.
pub const DONE: &str = "hub command";

/// How long the thread sleeps at most, so that the watchdog sees it alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often a save that failed is tried again.
const RETRY_SAVE: Duration = Duration::from_secs(2);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// For how long messages are kept: longer than the spool remembers their keys.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The spool with everything that it moves.
pub struct Spooling {
    spool: Spool,
    store: StateStore,
    modems: HashMap<ModemName, ModemSender<Command>>,
    /// Which initialisation of each modem the spool has seen last.
    sessions: HashMap<ModemName, u32>,
    answering: Sender<Job>,
    told: Receiver<Told>,
    vitals: Arc<Vitals>,
    held: HashMap<Ticket, Held>,
    tickets: u64,
    /// Questions go out one at a time, so that two messages of one person never
    /// work on the same state of their conversation.
    waiting: VecDeque<Job>,
    asking: bool,
    housekept: Timestamp,
    /// The command whose message the next save has.
    saves_command: Option<u64>,
}

impl Spooling {
    /// Puts the parts together; [`Spooling::run`] sets them in motion.
    pub fn new(
        spool: Spool,
        store: StateStore,
        modems: HashMap<ModemName, ModemSender<Command>>,
        answering: Sender<Job>,
        told: Receiver<Told>,
        vitals: Arc<Vitals>,
    ) -> Self {
        Spooling {
            spool,
            store,
            modems,
            sessions: HashMap::new(),
            answering,
            told,
            vitals,
            held: HashMap::new(),
            tickets: 0,
            waiting: VecDeque::new(),
            asking: false,
            housekept: Timestamp::default(),
            saves_command: None,
        }
    }

    /// Runs until nobody is left who could tell anything.
    pub fn run(mut self) {
        self.drain();
        loop {
            self.vitals.spool_is_alive(self.spool.unanswered(), self.spool.unsent());
            let until_deadline = self.spool.deadline().map(|at| at.since(now()));
            let wait = until_deadline.unwrap_or(HEARTBEAT).min(HEARTBEAT);
            match self.told.recv_timeout(wait) {
                Ok(told) => self.take(told),
                Err(RecvTimeoutError::Timeout) => {
                    self.spool.handle(Input::Tick, now());
                    self.keep_house();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.drain();
        }
    }

    /// Once a day, when nothing else is to be done: forget old messages, and
    /// bring the write-ahead log back into the file.
    fn keep_house(&mut self) {
        if now().since(self.housekept) < DAY {
            return;
        }
        self.housekept = now();
        let kept = self.store.prune(now() - KEPT).and_then(|gone| {
            tracing::info!(gone, "old messages forgotten");
            self.store.checkpoint()
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "housekeeping of state.db failed; it is tried again tomorrow");
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Modem(modem, event) => self.modem_says(modem, event),
            Told::Answered { message, pdus, summary, conversation } => {
                self.asking = false;
                let answered = Input::Answered { message, pdus, summary, conversation };
                self.spool.handle(answered, now());
            }
            Told::Follows { channel, modem, recipient, pdus, summary, command } => {
                let follows = Input::Follows { modem, recipient, channel, pdus, summary };
                match command {
                    None => self.spool.handle(follows, now()),
                    Some(commanded) => self.commanded(follows, &commanded),
                }
            }
            Told::Record { event, details } => {
                if let Err(error) = self.store.record(now(), event, &details) {
                    tracing::error!(%error, event, "the audit trail cannot be written");
                }
            }
        }
    }

    /// Hands over what the hub commanded, unless that was done before.
    fn commanded(&mut self, follows: Input, Commanded { number, saved }: &Commanded) {
        let done = match self.store.setting(DONE) {
            Ok(text) => text.and_then(|text| text.parse().ok()).unwrap_or(0u64),
            // The hub says it again.
            Err(error) => return tracing::error!(%error, number, "a command is left undone"),
        };
        if *number > done {
            self.saves_command = Some(*number);
            self.spool.handle(follows, now());
            self.drain();
        }
        // Whoever waits may have given up.
        let _ = saved.send(());
    }

    fn modem_says(&mut self, modem: ModemName, event: Event) {
        self.vitals.modem_says(&modem, &event);
        let input = match event {
            Event::Ready { session, identity, stored, keeps_parts, reports, .. } => {
                self.sessions.insert(modem.clone(), session);
                tracing::info!(modem = modem.0, ?identity, keeps_parts, reports, "modem ready");
                let stored = stored.into_iter().map(|part| StoredPart {
                    slot: spool_slot(&part.slot),
                    pdu: part.pdu.0,
                    sent: part.sent,
                });
                Input::ModemReady { modem, keeps_parts, stored: stored.collect() }
            }
            Event::Incoming { held, pdu } => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.held.insert(ticket, held);
                sms::incoming(modem, ticket, &pdu.0)
            }
            Event::Written { id, slot } => {
                Input::Written { part: PartId(id), slot: spool_slot(&slot) }
            }
            Event::Sent { id, reference, slot } => {
                Input::Sent { part: PartId(id), reference, slot: slot.as_ref().map(spool_slot) }
            }
            Event::SendFailed { id, error, slot } => {
                tracing::warn!(modem = modem.0, part = id, %error, "a part was not sent");
                Input::SendFailed {
                    part: PartId(id),
                    verdict: match error.remedy() {
                        Remedy::Retry => Verdict::Retry,
                        Remedy::Later => Verdict::Later,
                        Remedy::GiveUp => Verdict::GiveUp,
                    },
                    why: error.to_string(),
                    slot: slot.as_ref().map(spool_slot),
                }
            }
            Event::SendUnknown { id } => {
                tracing::warn!(modem = modem.0, part = id, "the fate of a part is unknown");
                return;
            }
            Event::Lost { reason, retry_in } => {
                tracing::warn!(modem = modem.0, reason, ?retry_in, "modem lost");
                Input::ModemLost { modem }
            }
            // One that cannot tell may well have it.
            Event::Registration(Registration::Unknown) => return,
            Event::Registration(registration) => {
                Input::Network { modem, registered: registration.is_registered() }
            }
            Event::Fault(fault) => {
                tracing::error!(modem = modem.0, %fault, "the modem needs somebody");
                return;
            }
            Event::Restarting => {
                tracing::warn!(modem = modem.0, "the modem is told to restart");
                return;
            }
            Event::ResetWanted => {
                tracing::error!(modem = modem.0, "the modem must be switched off and on");
                return;
            }
            Event::PowerCut(Ok(())) => {
                tracing::warn!(modem = modem.0, "the modem's power was cut");
                return;
            }
            Event::PowerCut(Err(error)) => {
                tracing::error!(modem = modem.0, error, "the modem's power was not cut");
                return;
            }
            // These go to the thread of the USSD sessions.
            Event::Ussd(_) | Event::UssdFailed { .. } => return,
            Event::Opened { .. }
            | Event::Identified(_)
            | Event::Erased { .. }
            | Event::Forgotten { .. }
            | Event::Signal(_)
            | Event::Storage { .. } => return,
        };
        self.spool.handle(input, now());
    }

    fn drain(&mut self) {
        while let Some(output) = self.spool.poll() {
            self.carry_out(output);
        }
        if !self.asking
            && let Some(job) = self.waiting.pop_front()
        {
            self.ask(job);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Save(changes) => self.save(&changes),
            Output::Erase { modem, ticket } => {
                if let Some(held) = self.held.remove(&ticket) {
                    self.command(&modem, Command::Erase { held });
                }
            }
            Output::Ask { message, sender, pdus, missing } => {
                tracing::info!(message = message.0, sender = %sender, missing, "asked");
                let conversation = None;
                self.waiting.push_back(Job { message, sender, pdus, missing, conversation });
            }
            Output::Send { modem, part, pdu } => {
                let session = self.session(&modem);
                self.command(&modem, Command::Send { id: part.0, session, pdu });
            }
            Output::Resume { modem, part, slot } => match modem_slot(&slot) {
                Some(slot) => {
                    let session = self.session(&modem);
                    self.command(&modem, Command::Resume { id: part.0, session, slot });
                }
                None => tracing::error!(part = part.0, "a part lies in a storage without a name"),
            },
            Output::Forget { modem, slot } => {
                if let Some(slot) = modem_slot(&slot) {
                    self.command(&modem, Command::Forget { slot });
                }
            }
        }
    }

    /// Goes on only when the rows are on the disk. Until then the messages stay
    /// where they are, in the modem, and the rest of the daemon goes on.
    fn save(&mut self, changes: &[jibu_spool::Change]) {
        let number = self.saves_command.take().map(|number| number.to_string());
        let setting = number.as_deref().map(|number| (DONE, number));
        loop {
            match self.store.apply_with(now(), changes, setting) {
                Ok(()) => {
                    self.vitals.store_works(true);
                    return;
                }
                // A copy older than the spool remembers, or a file that cannot be
                // written any more: what the spool believes is not what is on the
                // disk. Nothing may be sent on that; the next start reads the rows.
                Err(error) if error.kind() == ErrorKind::GiveUp => {
                    tracing::error!(%error, "the daemon ends to begin anew from state.db");
                    std::process::exit(1);
                }
                Err(error) => {
                    tracing::error!(%error, "state.db cannot be written now; trying again");
                    self.vitals.store_works(false);
                    self.vitals.spool_is_alive(self.spool.unanswered(), self.spool.unsent());
                    std::thread::sleep(RETRY_SAVE);
                }
            }
        }
    }

    fn ask(&mut self, mut job: Job) {
        job.conversation = self.store.conversation(&job.sender).unwrap_or_else(|error| {
            tracing::error!(%error, message = job.message.0, "the conversation cannot be read");
            None
        });
        self.asking = self.answering.send(job).is_ok();
    }

    fn session(&self, modem: &ModemName) -> u32 {
        self.sessions.get(modem).copied().unwrap_or_default()
    }

    fn command(&self, modem: &ModemName, command: Command) {
        let Some(commands) = self.modems.get(modem) else {
            tracing::error!(modem = modem.0, "a message belongs to a modem that is not configured");
            return;
        };
        if commands.blocking_send(command).is_err() {
            tracing::error!(modem = modem.0, "the modem's task has ended");
        }
    }
}

fn spool_slot(slot: &jibu_modem::Slot) -> jibu_spool::Slot {
    jibu_spool::Slot { storage: slot.storage.as_str().to_owned(), index: slot.index }
}

fn modem_slot(slot: &jibu_spool::Slot) -> Option<jibu_modem::Slot> {
    let storage = jibu_modem::StorageName::parse(&slot.storage).ok()?;
    Some(jibu_modem::Slot { storage, index: slot.index })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_the_hub_commands_is_handed_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        let command = |numbers: &[u64]| {
            let store = StateStore::open(&file).unwrap();
            let config = jibu_spool::Config::default();
            let (remember, reports) = (config.remember_keys, config.await_reports);
            let restored = store.restore(now(), remember, reports).unwrap();
            let spool = Spool::new(config, restored, now());
            let (tell, told) = channel();
            let (answering, _jobs) = channel();
            let vitals = Arc::new(Vitals::new([]));
            let spooling = Spooling::new(spool, store, HashMap::new(), answering, told, vitals);
            let (saved, heard) = channel();
            for number in numbers {
                let command = Some(Commanded { number: *number, saved: saved.clone() });
                let summary = AnswerSummary {
                    kind: "person's reply".into(),
                    language: "en".into(),
                    details: "{}".into(),
                };
                let follows = Told::Follows {
                    channel: Channel::Sms,
                    modem: ModemName("gsm".into()),
                    recipient: PhoneNumber::parse("+265991234567").unwrap(),
                    pdus: vec![vec![1, 2, 3]],
                    summary,
                    command,
                };
                tell.send(follows).unwrap();
            }
            drop((tell, saved));
            spooling.run();
            assert_eq!(heard.iter().count(), numbers.len());
        };
        command(&[3, 3]);
        // After a cut the hub, which has not heard that it is done, says it again.
        command(&[3, 4]);
        let store = StateStore::open(&file).unwrap();
        assert_eq!(store.setting(DONE).unwrap().as_deref(), Some("4"));
        let messages = store.messages(jibu_store::MessageFilter::Newest(9)).unwrap();
        assert_eq!(messages.len(), 2);
    }
}

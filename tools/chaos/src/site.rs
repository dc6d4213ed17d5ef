//! The box: spool and store, wired as `daemon/jibud/src/spooling.rs` wires them,
//! with a trivial answerer in place of the models.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use jibu_at::driver::{Command, Event, Registration};
use jibu_at::{Held, Remedy};
use jibu_modem::as_given;
use jibu_spool::{
    AnswerSummary, Config, Input, Machines, MessageId, ModemName, Output, PartId, Spool,
    StoredPart, Ticket, Verdict,
};
use jibu_store::{ErrorKind, StateStore};
use jibu_types::{PhoneNumber, Timestamp};

use crate::fuse::{Fuse, Moment, PowerCut};
use crate::sms;
use crate::words;

/// Why the box stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The power is gone.
    Power(PowerCut),
    /// The daemon ends by itself to begin anew from its rows.
    Restart,
    /// The store refused what it must take.
    Broken(anyhow::Error),
}

impl From<PowerCut> for Stop {
    fn from(cut: PowerCut) -> Self {
        Stop::Power(cut)
    }
}

/// A question on its way to the answerer.
struct Job {
    message: MessageId,
    sender: PhoneNumber,
    pdus: Vec<Vec<u8>>,
}

/// A command for a modem.
pub(crate) struct Errand {
    pub(crate) modem: usize,
    pub(crate) command: Command,
}

/// What the box does in all its lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) saves: u64,
    pub(crate) asked: u64,
    pub(crate) silent: u64,
    pub(crate) resumed: u64,
    pub(crate) refused: u64,
    pub(crate) sessions: u64,
    pub(crate) resets_wanted: u64,
}

/// The box while it has power.
pub(crate) struct Site {
    spool: Spool,
    store: StateStore,
    modems: Vec<ModemName>,
    sessions: Vec<u32>,
    keeps_parts: Vec<bool>,
    /// The part that each modem was given, until its fate is committed.
    in_flight: Vec<Option<PartId>>,
    held: HashMap<Ticket, (usize, Held)>,
    tickets: u64,
    waiting: VecDeque<Job>,
    asking: Option<(Duration, Job)>,
    machines: Machines,
    errands: VecDeque<Errand>,
    /// Parts that were given to a modem: their PDUs, for the account.
    given: Vec<(PartId, Vec<u8>)>,
    pub(crate) tally: Tally,
}

pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("state.db")
}

impl Site {
    /// Starts from what the file holds.
    pub(crate) fn start(
        folder: &Path,
        config: &Config,
        modems: Vec<ModemName>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let store = StateStore::open(file(folder)).context("state.db does not open")?;
        let restored = store
            .restore(now, config.remember_keys, config.await_reports)
            .context("state.db cannot be read")?;
        let count = modems.len();
        Ok(Site {
            spool: Spool::new(config.clone(), restored, now),
            store,
            modems,
            sessions: vec![0; count],
            keeps_parts: vec![false; count],
            in_flight: vec![None; count],
            held: HashMap::new(),
            tickets: 0,
            waiting: VecDeque::new(),
            asking: None,
            machines: Machines::new(),
            errands: VecDeque::new(),
            given: Vec::new(),
            tally: Tally::default(),
        })
    }

    pub(crate) fn store(&self) -> &StateStore {
        &self.store
    }

    /// Forgets messages older than `kept`, and brings the log into the file.
    pub(crate) fn keep_house(&mut self, now: Timestamp, kept: Duration) -> anyhow::Result<()> {
        self.store.prune(now - kept).context("state.db cannot be pruned")?;
        self.store.checkpoint().context("state.db cannot be checkpointed")
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.spool.unanswered() == 0 && self.spool.unsent() == 0
    }

    pub(crate) fn backlog(&self) -> usize {
        self.spool.unanswered() + self.spool.unsent()
    }

    pub(crate) fn spool_deadline(&self) -> Option<Timestamp> {
        self.spool.deadline()
    }

    /// When the answerer has the answer.
    pub(crate) fn answer_at(&self) -> Option<Duration> {
        self.asking.as_ref().map(|(at, _)| *at)
    }

    pub(crate) fn errands(&mut self) -> VecDeque<Errand> {
        std::mem::take(&mut self.errands)
    }

    pub(crate) fn given(&mut self) -> Vec<(PartId, Vec<u8>)> {
        std::mem::take(&mut self.given)
    }

    /// Parts that a modem without copies has and of which nothing is known.
    pub(crate) fn in_flight_without_copy(&self) -> impl Iterator<Item = PartId> + '_ {
        let without = self.in_flight.iter().zip(&self.keeps_parts).filter(|(_, keeps)| !**keeps);
        without.filter_map(|(part, _)| *part)
    }

    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.spool.handle(Input::Tick, now);
    }

    /// A modem tells something. Gives the part of which nobody knows more.
    pub(crate) fn told(&mut self, modem: usize, event: Event, now: Timestamp) -> Option<PartId> {
        let name = self.modems.get(modem).cloned()?;
        let slot = |slot: jibu_at::Slot| jibu_spool::Slot {
            storage: slot.storage.as_str().to_owned(),
            index: slot.index,
        };
        let mut unknown = None;
        let input = match event {
            Event::Ready(ready) => {
                self.tally.sessions += 1;
                self.sessions[modem] = ready.session;
                self.keeps_parts[modem] = ready.keeps_parts;
                self.in_flight[modem] = None;
                let stored = ready.stored.into_iter().map(as_given).map(|part| StoredPart {
                    slot: slot(part.slot),
                    pdu: part.pdu.0,
                    sent: part.sent,
                });
                let keeps_parts = ready.keeps_parts;
                Input::ModemReady { modem: name, keeps_parts, stored: stored.collect() }
            }
            Event::Incoming { held, pdu } => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.held.insert(ticket, (modem, held));
                sms::incoming(name, ticket, &pdu.0)
            }
            Event::Written { id, slot: place } => {
                Input::Written { part: PartId(id), slot: slot(place) }
            }
            Event::Sent { id, reference, slot: place } => {
                self.in_flight[modem] = None;
                Input::Sent { part: PartId(id), reference, slot: place.map(slot) }
            }
            Event::SendFailed { id, error, slot: place } => {
                self.in_flight[modem] = None;
                self.tally.refused += 1;
                Input::SendFailed {
                    part: PartId(id),
                    verdict: match error.remedy() {
                        Remedy::Retry => Verdict::Retry,
                        Remedy::Later => Verdict::Later,
                        Remedy::GiveUp => Verdict::GiveUp,
                    },
                    why: error.to_string(),
                    slot: place.map(slot),
                }
            }
            Event::SendUnknown { id } => {
                self.in_flight[modem] = None;
                unknown = Some(PartId(id));
                return unknown;
            }
            Event::Interrupted(_) => Input::ModemLost { modem: name },
            Event::Registration(Registration::Unknown) => return None,
            Event::Registration(registration) => {
                Input::Network { modem: name, registered: registration.is_registered() }
            }
            Event::ResetWanted => {
                self.tally.resets_wanted += 1;
                return None;
            }
            Event::Erased { .. }
            | Event::Forgotten { .. }
            | Event::Signal(_)
            | Event::Storage { .. }
            | Event::Restarting
            | Event::Ussd(_)
            | Event::UssdSaid { .. }
            | Event::UssdFailed(_)
            | Event::Fault(_) => return None,
        };
        self.spool.handle(input, now);
        unknown
    }

    /// The port of a modem is gone.
    pub(crate) fn lost(&mut self, modem: usize, now: Timestamp) {
        if let Some(name) = self.modems.get(modem).cloned() {
            self.spool.handle(Input::ModemLost { modem: name }, now);
        }
    }

    /// Carries out what the spool wants, strictly in order, as far as the power lasts.
    pub(crate) fn drain(
        &mut self,
        now: Duration,
        clock: Timestamp,
        fuse: &mut Fuse,
        rng: &mut fastrand::Rng,
    ) -> Result<(), Stop> {
        while let Some(output) = self.spool.poll() {
            self.carry_out(output, clock, fuse)?;
        }
        if self.asking.is_none()
            && let Some(job) = self.waiting.pop_front()
        {
            // Mostly as long as the models take; sometimes much longer.
            let took = if rng.u8(..50) == 0 { rng.u64(5_000..60_000) } else { rng.u64(100..2_000) };
            self.asking = Some((now + Duration::from_millis(took), job));
        }
        Ok(())
    }

    fn carry_out(&mut self, output: Output, clock: Timestamp, fuse: &mut Fuse) -> Result<(), Stop> {
        match output {
            Output::Save(changes) => {
                fuse.pass(Moment::BeforeCommit)?;
                match self.store.apply(clock, &changes) {
                    Ok(()) => self.tally.saves += 1,
                    Err(error) if error.kind() == ErrorKind::GiveUp => return Err(Stop::Restart),
                    Err(error) => return Err(Stop::Broken(error.into())),
                }
                fuse.pass(Moment::AfterCommit)?;
            }
            Output::Ask { message, sender, pdus, .. } => {
                self.tally.asked += 1;
                self.waiting.push_back(Job { message, sender, pdus });
            }
            Output::Erase { ticket, .. } => {
                if let Some((modem, held)) = self.held.remove(&ticket) {
                    self.command(modem, Command::Erase { held }, fuse)?;
                }
            }
            Output::Send { modem, part, pdu } => {
                let Some(modem) = self.index(&modem) else { return Ok(()) };
                self.given.push((part, pdu.clone()));
                self.in_flight[modem] = Some(part);
                let session = self.sessions[modem];
                self.command(modem, Command::Send { id: part.0, session, pdu }, fuse)?;
            }
            Output::Resume { modem, part, slot } => {
                let Some((modem, slot)) = self.index(&modem).zip(modem_slot(&slot)) else {
                    return Ok(());
                };
                self.tally.resumed += 1;
                self.in_flight[modem] = Some(part);
                let session = self.sessions[modem];
                self.command(modem, Command::Resume { id: part.0, session, slot }, fuse)?;
            }
            Output::Forget { modem, slot } => {
                if let Some((modem, slot)) = self.index(&modem).zip(modem_slot(&slot)) {
                    self.command(modem, Command::Forget { slot }, fuse)?;
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, modem: usize, command: Command, fuse: &mut Fuse) -> Result<(), Stop> {
        fuse.pass(Moment::BeforeCommand)?;
        self.errands.push_back(Errand { modem, command });
        Ok(())
    }

    fn index(&self, modem: &ModemName) -> Option<usize> {
        self.modems.iter().position(|name| name == modem)
    }

    /// The answerer is done with its question.
    pub(crate) fn answer(&mut self, clock: Timestamp, rng: &mut fastrand::Rng) {
        let Some((_, job)) = self.asking.take() else { return };
        let text = sms::text(&job.pdus);
        let suspected = self.machines.hear(&job.sender, &text, clock).is_some();
        let serial = words::serial(&text).filter(|_| !suspected);
        let (kind, pdus) = match serial {
            None => {
                self.tally.silent += 1;
                ("silent", Vec::new())
            }
            Some(serial) => {
                let parts = *rng.choice(&[1, 1, 1, 1, 1, 1, 1, 2, 2, 3]).unwrap_or(&1);
                let answer = words::answer(serial, parts, rng.u8(..10) == 0);
                self.machines.say(&job.sender, &answer, clock);
                ("found", sms::pdus(job.message, &job.sender, &answer).unwrap_or_default())
            }
        };
        let summary = AnswerSummary {
            kind: kind.to_owned(),
            language: "en".to_owned(),
            details: "{}".to_owned(),
        };
        let message = job.message;
        let answered = Input::Answered { message, pdus, summary, conversation: None };
        self.spool.handle(answered, clock);
    }
}

fn modem_slot(slot: &jibu_spool::Slot) -> Option<jibu_at::Slot> {
    let storage = jibu_at::StorageName::parse(&slot.storage).ok()?;
    Some(jibu_at::Slot { storage, index: slot.index })
}

//! Everything together, in virtual time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jibu_at::driver::{self, Event, SendError, SendVia};
use jibu_modem_sim::codec::{Concatenation, decode_submit, split_service_centre};
use jibu_modem_sim::control::{Nothing, Request};
use jibu_modem_sim::store::{Memory, Status};
use jibu_modem_sim::{Options, Profile};
use jibu_spool::{Config, ModemName, PartId};
use jibu_store::Counts;
use jibu_types::{PhoneNumber, Timestamp};

use crate::fuse::{Fuse, Moment, PowerCut};
use crate::ledger::{Ledger, Verdict};
use crate::line::{Line, Word};
use crate::people::{self, Delivery, Kind, People};
use crate::site::{self, Site, Stop, Tally};
use crate::sky::Sky;
use crate::words::{self, Serial};

/// A run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many messages people send.
    pub messages: u32,
    /// How often the box loses its power.
    pub cuts: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// The makes of the modems, one each.
    pub profiles: Vec<String>,
    /// By which way messages leave.
    pub via: SendVia,
    /// Where state.db lies.
    pub folder: PathBuf,
    /// Whether anything goes wrong but the power.
    pub troubles: bool,
    /// The only trouble that there is, instead of all in turn.
    pub only: Option<Sky>,
    /// How many people there are.
    pub people: u32,
    /// The mean time between two messages at one modem.
    pub pause: Duration,
    /// After how long the spool and the store forget; as a real box where not said.
    pub forget_after: Option<Duration>,
    /// A message whose story goes to stderr.
    pub trace: Option<Serial>,
}

impl Plan {
    /// A run with one modem of the standards' kind.
    pub fn new(messages: u32, cuts: u32, seed: u64, folder: impl Into<PathBuf>) -> Self {
        Plan {
            messages,
            cuts,
            seed,
            profiles: vec!["generic".to_owned()],
            via: SendVia::Storage,
            folder: folder.into(),
            troubles: true,
            only: None,
            people: (messages / 4).clamp(50, 500_000),
            pause: Duration::from_millis(3_500),
            forget_after: None,
            trace: None,
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The accounts.
    pub verdict: Verdict,
    /// Messages by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Cuts by moment.
    pub cuts: BTreeMap<Moment, u64>,
    /// Troubles by kind.
    pub skies: BTreeMap<Sky, u64>,
    /// Parts that the network took.
    pub on_air: u64,
    /// Saves that were committed.
    pub saves: u64,
    /// Initialisations of modems.
    pub sessions: u64,
    /// Power keys pressed because a driver asked for it.
    pub power_keys: u64,
    /// Sendings that were refused or ran out of time.
    pub refused: u64,
    /// Stored parts that were sent on after an interruption.
    pub resumed: u64,
    /// Times at which the daemon ended by itself to begin anew.
    pub restarts: u64,
    /// Received messages that were left on the modems.
    pub left_received: u64,
    /// Outgoing copies that were left on the modems.
    pub left_copies: u64,
    /// Virtual time.
    pub lasted: Duration,
    /// What became of the messages that went wrong.
    pub stories: Vec<String>,
}

impl Report {
    /// Whether it went as it must. A copy that is left costs a place until the next
    /// start, and nobody anything else.
    pub fn is_clean(&self) -> bool {
        self.verdict.is_clean() && self.left_received == 0
    }
}

/// Unix time at the start.
const STARTED_AT: i64 = 1_796_227_091;
/// How many messages may wait at one modem before people's patience ends.
const MOST_OPEN: usize = 60;
/// How many messages come at once when a SIM has hardly any room.
const CROWD: u32 = 25;
/// How long a technician takes to press a power key.
const POWER_KEY: Duration = Duration::from_secs(5);
/// After the last message and the last trouble everything must be settled in this
/// time: the spool waits up to an hour between two tries.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// For how long a machine is answered before it is certain never to stop.
const MOST_REPLIES: u32 = 60;
/// A run that stands still in time has lost its way.
const MOST_STEPS_AT_ONCE: u32 = 200_000;

/// The site, the modems and the people.
pub struct World {
    plan: Plan,
    config: Config,
    now: Duration,
    standing: u32,
    rng: fastrand::Rng,
    lines: Vec<Line>,
    rooms: Vec<(usize, usize)>,
    site: Option<Site>,
    /// When the box gets its power back.
    power_at: Option<Duration>,
    /// The box's clock is behind by so much, until then.
    clock_behind: Option<(Duration, Duration)>,
    fuse: Fuse,
    /// After so many messages the power goes; the last is the next.
    cuts_left: Vec<u32>,
    cut_at: Option<Duration>,
    /// What modems told and the spool has not heard yet.
    told: VecDeque<(Duration, usize, Word)>,
    /// What modems shall do and have not heard yet.
    errands: VecDeque<(Duration, usize, driver::Command)>,
    parts: HashMap<PartId, (Serial, u8)>,
    ledger: Ledger,
    people: People,
    sent: u32,
    next_message: Duration,
    posts: BTreeMap<(Duration, u64), (usize, Delivery)>,
    post_count: u64,
    machines: HashMap<Serial, (Kind, u32)>,
    skies: Vec<(Sky, Duration)>,
    static_at: Vec<Duration>,
    keys: Vec<Option<Duration>>,
    report: Report,
    tally: Tally,
    /// How much of each line's transcript was seen.
    traced: Vec<usize>,
}

impl World {
    /// Everything at its start.
    ///
    /// # Errors
    /// When there is no such profile, or state.db does not open.
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        ensure!(!plan.profiles.is_empty(), "at least one modem is needed");
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let mut lines = Vec::new();
        let mut rooms = Vec::new();
        for (number, name) in plan.profiles.iter().enumerate() {
            let profile = Profile::load(name)?;
            rooms.push((profile.storage.sm, profile.storage.me));
            let mut options = Options::new(profile, rng.u64(..));
            options.started_at = STARTED_AT;
            lines.push(Line::new(ModemName(format!("gsm{}", number + 1)), options));
        }
        let mut config = Config {
            never_answer: vec![PhoneNumber::parse(people::OURS).context("our own number")?],
            ..Config::default()
        };
        if let Some(span) = plan.forget_after {
            config.remember_keys = span;
            config.await_reports = span;
        }
        let mut cuts_left: Vec<u32> =
            (0..plan.cuts).map(|_| rng.u32(..plan.messages.max(1))).collect();
        cuts_left.sort_unstable_by(|a, b| b.cmp(a));
        let (count, wait) = (lines.len(), config.gather_wait);
        let mut world = World {
            config,
            now: Duration::ZERO,
            standing: 0,
            rng,
            lines,
            rooms,
            site: None,
            power_at: Some(Duration::ZERO),
            clock_behind: None,
            fuse: Fuse::default(),
            cuts_left,
            cut_at: None,
            told: VecDeque::new(),
            errands: VecDeque::new(),
            parts: HashMap::new(),
            ledger: Ledger::default(),
            people: People { count: plan.people, wait, references: HashMap::new() },
            sent: 0,
            next_message: Duration::from_secs(5),
            posts: BTreeMap::new(),
            post_count: 0,
            machines: HashMap::new(),
            skies: vec![(Sky::Calm, Duration::from_secs(60)); count],
            static_at: vec![Duration::ZERO; count],
            keys: vec![None; count],
            report: Report {
                verdict: Verdict::default(),
                kinds: BTreeMap::new(),
                cuts: BTreeMap::new(),
                skies: BTreeMap::new(),
                on_air: 0,
                saves: 0,
                sessions: 0,
                power_keys: 0,
                refused: 0,
                resumed: 0,
                restarts: 0,
                left_received: 0,
                left_copies: 0,
                lasted: Duration::ZERO,
                stories: Vec::new(),
            },
            tally: Tally::default(),
            traced: vec![0; count],
            plan,
        };
        world.power_on()?;
        Ok(world)
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// When the store refuses, or time stands still.
    pub fn run(mut self) -> anyhow::Result<Report> {
        while self.sent < self.plan.messages || !self.cuts_are_over() {
            self.step()?;
        }
        self.plan.troubles = false;
        for line in 0..self.lines.len() {
            self.change_sky(line, Sky::Calm);
        }
        let end = self.now + PATIENCE;
        while self.now < end && !(self.ledger.is_settled() && self.is_idle()) {
            self.step()?;
        }
        // The last copies are erased, the last reports come.
        let end = self.now + Duration::from_secs(900);
        while self.now < end {
            self.step()?;
        }
        self.finish()
    }

    fn cuts_are_over(&self) -> bool {
        self.cuts_left.is_empty() && self.cut_at.is_none() && !self.fuse.is_lit()
    }

    fn is_idle(&self) -> bool {
        self.posts.is_empty() && self.site.as_ref().is_some_and(Site::is_idle)
    }

    /// Lets so much virtual time go by.
    ///
    /// # Errors
    /// As [`World::run`].
    pub fn run_for(&mut self, span: Duration) -> anyhow::Result<()> {
        let end = self.now + span;
        while self.now < end {
            self.step()?;
        }
        Ok(())
    }

    /// Forgets accounts settled before `span` ago, so that a long run stays small.
    pub fn close_accounts(&mut self, span: Duration) {
        let before = self.now.saturating_sub(span);
        self.ledger.close(before);
        self.machines.retain(|serial, _| self.ledger.account(*serial).is_some());
        let ledger = &self.ledger;
        self.parts.retain(|_, (serial, _)| ledger.account(*serial).is_some());
        self.machines.shrink_to_fit();
        self.parts.shrink_to_fit();
    }

    /// Asks the simulator of a modem for something: a message of one's own, say.
    pub fn ask(&mut self, line: usize, request: Request) -> serde_json::Value {
        match self.lines.get_mut(line) {
            Some(line) => line.ask(request, self.now),
            None => serde_json::Value::Null,
        }
    }

    /// What an earlier program left at a modem's port before the box is started.
    pub fn somebody_wrote(&mut self, line: usize, bytes: &[u8]) {
        if let Some(line) = self.lines.get_mut(line) {
            line.foreign_bytes(bytes, self.now);
        }
    }

    /// Messages, parts and audit entries of state.db by their state.
    ///
    /// # Errors
    /// When the store refuses, or the box has no power.
    pub fn counts(&self) -> anyhow::Result<Counts> {
        let site = self.site.as_ref().context("the box has no power")?;
        Ok(site.store().counts()?)
    }

    /// How many received messages lie on the modems.
    pub fn lying(&self) -> usize {
        let stores = self.lines.iter().map(|line| &line.sim().modem().store);
        stores.map(|store| store.list(Memory::Mt).len() + store.list(Memory::Sr).len()).sum()
    }

    /// Where the accounts stand.
    pub fn verdict(&self) -> Verdict {
        self.ledger.verdict()
    }

    /// Rows of state.db: messages, parts, and entries of the audit trail.
    ///
    /// # Errors
    /// When the store refuses, or the box has no power.
    pub fn rows(&self) -> anyhow::Result<[u64; 3]> {
        let counts = self.counts()?;
        let sum = |of: &BTreeMap<String, u64>| of.values().sum();
        Ok([sum(&counts.messages), sum(&counts.parts), sum(&counts.events)])
    }

    /// How many messages people have sent.
    pub fn messages(&self) -> u32 {
        self.sent
    }

    /// What waits in the spool.
    pub fn backlog(&self) -> usize {
        self.site.as_ref().map_or(0, Site::backlog)
    }

    fn finish(mut self) -> anyhow::Result<Report> {
        if let Some(site) = self.site.take() {
            self.add(site.tally);
            if let Some(found) = site.store().quick_check()? {
                bail!("state.db is damaged: {found}");
            }
            site.store().verify_audit().context("the audit trail")?;
        }
        for line in &self.lines {
            for memory in [Memory::Sm, Memory::Me, Memory::Sr] {
                for (_, message) in line.sim().modem().store.list(memory) {
                    match message.status {
                        Status::RecRead | Status::RecUnread => self.report.left_received += 1,
                        Status::StoSent | Status::StoUnsent => self.report.left_copies += 1,
                    }
                }
            }
        }
        self.report.verdict = self.ledger.verdict();
        let verdict = &self.report.verdict;
        let wrong = [&verdict.lost, &verdict.doubled, &verdict.wrongly].into_iter().flatten();
        self.report.stories = wrong.map(|serial| self.ledger.story(*serial)).collect();
        self.report.lasted = self.now;
        let tally = self.tally;
        self.report.saves = tally.saves;
        self.report.sessions = tally.sessions;
        self.report.refused = tally.refused;
        self.report.resumed = tally.resumed;
        Ok(self.report)
    }

    fn add(&mut self, tally: Tally) {
        self.tally.saves += tally.saves;
        self.tally.asked += tally.asked;
        self.tally.silent += tally.silent;
        self.tally.resumed += tally.resumed;
        self.tally.refused += tally.refused;
        self.tally.sessions += tally.sessions;
        self.tally.resets_wanted += tally.resets_wanted;
    }

    /// What the box takes the time for.
    fn clock(&self) -> Timestamp {
        let behind = match self.clock_behind {
            Some((behind, until)) if self.now < until => behind,
            _ => Duration::ZERO,
        };
        Timestamp::from_unix_seconds(STARTED_AT) + self.now - behind
    }

    fn span_to(&self, at: Timestamp) -> Duration {
        self.now + at.since(self.clock())
    }

    /// Goes to the next thing that happens, and lets it happen.
    fn step(&mut self) -> anyhow::Result<()> {
        let next = self.next_event();
        if next > self.now {
            self.now = next;
            self.standing = 0;
        } else {
            self.standing += 1;
            ensure!(self.standing < MOST_STEPS_AT_ONCE, "time stands still at {:?}", self.now);
        }
        self.people_write();
        self.plan_cuts();
        self.weather();
        match self.box_works() {
            Ok(()) => {}
            Err(Stop::Power(cut)) => self.power_off(cut)?,
            Err(Stop::Restart) => self.restart()?,
            Err(Stop::Broken(error)) => return Err(error.context("state.db refused a save")),
        }
        if self.power_at.is_some_and(|at| at <= self.now) {
            self.power_on()?;
        }
        self.account();
        self.trace();
        Ok(())
    }

    fn next_event(&self) -> Duration {
        let mut next = self.now + Duration::from_secs(60);
        let mut at = |moment: Option<Duration>| {
            if let Some(moment) = moment {
                next = next.min(moment);
            }
        };
        if self.sent < self.plan.messages {
            at(Some(self.next_message));
        }
        at(self.posts.keys().next().map(|(moment, _)| *moment));
        for line in 0..self.lines.len() {
            at(self.lines[line].deadline());
            at(self.keys[line]);
            if self.plan.troubles {
                at(Some(self.skies[line].1));
            }
            if self.skies[line].0 == Sky::Static {
                at(Some(self.static_at[line]));
            }
        }
        at(self.cut_at.filter(|_| self.site.is_some()));
        at(self.power_at);
        at(self.told.front().map(|(moment, ..)| *moment));
        at(self.errands.front().map(|(moment, ..)| *moment));
        if let Some(site) = &self.site {
            at(site.answer_at());
            at(site.spool_deadline().map(|moment| self.span_to(moment)));
        }
        next.max(self.now)
    }

    fn people_write(&mut self) {
        while let Some(((at, number), _)) = self.posts.first_key_value()
            && *at <= self.now
        {
            let key = (*at, *number);
            if let Some((line, delivery)) = self.posts.remove(&key) {
                self.deliver(line, delivery);
            }
        }
        if self.sent >= self.plan.messages || self.next_message > self.now {
            return;
        }
        let lines = u32::try_from(self.lines.len()).unwrap_or(1);
        let pause = self.plan.pause / lines;
        self.next_message = self.now + pause.mul_f64(-(1.0 - self.rng.f64()).ln().max(-20.0));
        if self.ledger.open() < MOST_OPEN * self.lines.len() {
            let line = self.rng.usize(..self.lines.len());
            self.somebody_writes(line);
        }
    }

    fn somebody_writes(&mut self, line: usize) {
        let serial = self.sent;
        self.sent += 1;
        let time = self.lines[line].sim().modem().network.time(self.now);
        let message = people::next(serial, &mut self.people, self.now, time, &mut self.rng);
        *self.report.kinds.entry(message.kind).or_default() += 1;
        if matches!(message.kind, Kind::Echo | Kind::AutoReply) {
            self.machines.insert(serial, (message.kind, 0));
        }
        self.ledger.expect(serial, message.account);
        for (later, delivery) in message.deliveries {
            if later.is_zero() {
                self.deliver(line, delivery);
            } else {
                self.post(self.now + later, line, delivery);
            }
        }
    }

    /// The next cut is due after so many messages, or when all were sent.
    fn plan_cuts(&mut self) {
        let due = |at: &u32| *at < self.sent || self.sent >= self.plan.messages;
        let is_planned = self.cut_at.is_some() || self.fuse.is_lit();
        if !is_planned && self.cuts_left.last().is_some_and(due) {
            self.cuts_left.pop();
            self.cut_at = Some(self.now + Duration::from_millis(self.rng.u64(..20_000)));
        }
    }

    fn post(&mut self, at: Duration, line: usize, delivery: Delivery) {
        self.post_count += 1;
        self.posts.insert((at, self.post_count), (line, delivery));
    }

    fn deliver(&mut self, line: usize, delivery: Delivery) {
        let request = match delivery {
            Delivery::Text(deliver) => Request::Deliver(deliver),
            Delivery::Pdu(pdu) => Request::DeliverPdu(pdu),
        };
        let answer = self.lines[line].ask(request, self.now);
        debug_assert!(answer.get("ok").is_some(), "{answer}");
    }

    fn weather(&mut self) {
        for line in 0..self.lines.len() {
            if self.keys[line].is_some_and(|at| at <= self.now) {
                self.keys[line] = None;
                self.report.power_keys += 1;
                self.lines[line].ask(Request::Reset(Nothing {}), self.now);
            }
            if self.plan.troubles && self.skies[line].1 <= self.now {
                let sky = self.plan.only.unwrap_or_else(|| Sky::any(&mut self.rng));
                *self.report.skies.entry(sky).or_default() += 1;
                self.change_sky(line, sky);
            }
            if self.skies[line].0 == Sky::Static && self.static_at[line] <= self.now {
                let bytes: Vec<u8> = (0..self.rng.usize(1..60)).map(|_| self.rng.u8(..)).collect();
                self.lines[line].static_noise(&bytes, self.now);
                let pause = Duration::from_millis(self.rng.u64(20..3_000));
                self.static_at[line] = self.now + pause;
            }
        }
    }

    fn change_sky(&mut self, line: usize, sky: Sky) {
        let requests = sky.requests(self.rooms[line], &mut self.rng);
        for request in requests {
            self.lines[line].ask(request, self.now);
        }
        self.skies[line] = (sky, self.now + Sky::lasts(&mut self.rng));
        if sky == Sky::FullSim && self.ledger.open() < MOST_OPEN * self.lines.len() {
            for _ in 0..CROWD.min(self.plan.messages - self.sent) {
                self.somebody_writes(line);
            }
        }
    }

    /// Modems, spool and answerer do what is due.
    fn box_works(&mut self) -> Result<(), Stop> {
        if self.cut_at.is_some_and(|at| at <= self.now) && self.site.is_some() {
            self.cut_at = None;
            // Half of the cuts come at the clock's moment, half so many steps later.
            if self.rng.bool() {
                return Err(PowerCut(Moment::Anywhere).into());
            }
            let steps = self.rng.u32(..30);
            self.fuse.light(steps);
        }
        for line in 0..self.lines.len() {
            if self.lines[line].deadline().is_some_and(|at| at <= self.now) {
                self.lines[line].run(self.now, &mut self.fuse, &mut self.rng)?;
            }
            self.listen(line);
        }
        let clock = self.clock();
        while self.errands.front().is_some_and(|(at, ..)| *at <= self.now)
            && let Some((_, line, command)) = self.errands.pop_front()
        {
            self.lines[line].command(command, self.now);
            self.lines[line].run(self.now, &mut self.fuse, &mut self.rng)?;
            self.listen(line);
        }
        if self.site.is_none() {
            return Ok(());
        }
        while self.told.front().is_some_and(|(at, ..)| *at <= self.now) {
            self.fuse.pass(Moment::BeforeEvent)?;
            let Some((_, line, word)) = self.told.pop_front() else { break };
            self.hear(line, word, clock)?;
        }
        let Some(site) = &mut self.site else { return Ok(()) };
        if site.answer_at().is_some_and(|at| at <= self.now) {
            site.answer(clock, &mut self.rng);
            self.drain(clock)?;
        }
        let Some(site) = &mut self.site else { return Ok(()) };
        if site.spool_deadline().is_some_and(|at| at <= clock) {
            site.tick(clock);
            self.drain(clock)?;
        }
        Ok(())
    }

    fn hear(&mut self, line: usize, word: Word, clock: Timestamp) -> Result<(), Stop> {
        if word == Word::Event(Event::ResetWanted) && self.keys[line].is_none() {
            self.keys[line] = Some(self.now + POWER_KEY);
        }
        if let Word::Event(Event::SendFailed { id, error: SendError::Refused(_), .. }) = &word
            && let Some((serial, part)) = self.parts.get(&PartId(*id)).copied()
        {
            self.ledger.refused(serial, part);
        }
        let Some(site) = &mut self.site else { return Ok(()) };
        let unknown = match word {
            Word::Event(event) => site.told(line, event, clock),
            Word::Lost => {
                site.lost(line, clock);
                None
            }
        };
        if let Some((serial, part)) = unknown.and_then(|part| self.parts.get(&part)).copied() {
            self.ledger.unknown(serial, part);
        }
        self.drain(clock)
    }

    fn drain(&mut self, clock: Timestamp) -> Result<(), Stop> {
        let Some(site) = &mut self.site else { return Ok(()) };
        let drained = site.drain(self.now, clock, &mut self.fuse, &mut self.rng);
        for (part, pdu) in site.given() {
            if let Some(whose) = whose(&pdu) {
                self.parts.insert(part, whose);
            }
        }
        let errands = site.errands();
        for errand in errands {
            // The modem's task is woken a moment later.
            let earliest = self.errands.back().map_or(Duration::ZERO, |(at, ..)| *at);
            let at = (self.now + Duration::from_micros(self.rng.u64(..3_000))).max(earliest);
            self.errands.push_back((at, errand.modem, errand.command));
        }
        drained
    }

    /// What the driver told goes to the spool, mostly at once; a slow disk makes
    /// it wait.
    fn listen(&mut self, line: usize) {
        for word in self.lines[line].heard() {
            let earliest = self.told.back().map_or(Duration::ZERO, |(at, ..)| *at);
            let wait = match self.rng.u16(..2_000) {
                0 => Duration::from_millis(self.rng.u64(..8_000)),
                _ => Duration::from_micros(self.rng.u64(..5_000)),
            };
            self.told.push_back(((self.now + wait).max(earliest), line, word));
        }
    }

    /// The network's side goes into the accounts.
    fn account(&mut self) {
        for line in 0..self.lines.len() {
            let (sent, direct) = self.lines[line].on_air();
            for one in sent {
                self.report.on_air += 1;
                let place = one.submit.data.concatenation();
                let place = place.map_or((1, 1), |Concatenation { part, total, .. }| (part, total));
                let serial = words::serial(&one.submit.data.text);
                let to = one.submit.destination.to_string();
                let found = self.ledger.on_air(serial, &to, place, direct, one.at);
                let Some((serial, account)) = found else { continue };
                let from = account.sender.clone();
                if place.0 == place.1
                    && let Some((kind, replies)) = self.machines.get_mut(&serial)
                    && *replies < MOST_REPLIES
                {
                    *replies += 1;
                    let text = &one.submit.data.text;
                    let reply = people::reply_of_machine(*kind, serial, &from, text);
                    let at = self.now + Duration::from_millis(self.rng.u64(500..15_000));
                    self.post(at, line, reply);
                }
            }
        }
    }

    fn power_off(&mut self, cut: PowerCut) -> anyhow::Result<()> {
        *self.report.cuts.entry(cut.0).or_default() += 1;
        if let Some(site) = &self.site {
            let parts: Vec<PartId> = site.in_flight_without_copy().collect();
            for part in parts {
                if let Some((serial, number)) = self.parts.get(&part).copied() {
                    self.ledger.unknown(serial, number);
                }
            }
        }
        self.stop()?;
        let takes_modems = self.rng.bool();
        for line in &mut self.lines {
            line.stop(self.now);
            if takes_modems {
                line.ask(Request::Reset(Nothing {}), self.now);
            }
        }
        let off = match self.rng.u8(..100) {
            0..=74 => Duration::from_millis(self.rng.u64(300..20_000)),
            75..=96 => Duration::from_secs(self.rng.u64(20..900)),
            _ => Duration::from_secs(self.rng.u64(900..14_400)),
        };
        self.power_at = Some(self.now + off);
        // A box without a battery for its clock wakes in the past, until the
        // network tells the time.
        if self.rng.u8(..10) == 0 {
            let behind = off + Duration::from_secs(self.rng.u64(..3_600));
            let until = self.now + off + Duration::from_secs(self.rng.u64(10..1_800));
            self.clock_behind = Some((behind, until));
        }
        Ok(())
    }

    /// The daemon ends; the modems stay as they are.
    fn restart(&mut self) -> anyhow::Result<()> {
        self.report.restarts += 1;
        self.stop()?;
        for line in &mut self.lines {
            line.stop(self.now);
        }
        self.power_at = Some(self.now + Duration::from_secs(2));
        Ok(())
    }

    /// What was not committed is gone.
    fn stop(&mut self) -> anyhow::Result<()> {
        self.told.clear();
        self.errands.clear();
        let Some(site) = self.site.take() else { return Ok(()) };
        self.add(site.tally);
        let log = self.plan.folder.join("state.db-wal");
        let kept = std::fs::read(&log).ok();
        // Closing brings the log into the file, which a power cut does not: half
        // the time the log is put back, with a torn write behind it.
        drop(site);
        if let Some(mut kept) = kept.filter(|kept| !kept.is_empty() && self.rng.bool()) {
            kept.extend((0..self.rng.usize(..6_000)).map(|_| self.rng.u8(..)));
            std::fs::write(&log, kept).with_context(|| format!("{}", log.display()))?;
        }
        Ok(())
    }

    fn power_on(&mut self) -> anyhow::Result<()> {
        self.power_at = None;
        let clock = self.clock();
        let modems = self.lines.iter().map(|line| line.name.clone()).collect();
        self.site = Some(Site::start(&self.plan.folder, &self.config, modems, clock)?);
        for line in &mut self.lines {
            let config = driver::Config { via: self.plan.via, ..driver::Config::default() };
            line.start(config, self.now);
        }
        match self.drain(clock) {
            Ok(()) => Ok(()),
            Err(Stop::Power(cut)) => self.power_off(cut),
            Err(Stop::Restart) => self.restart(),
            Err(Stop::Broken(error)) => Err(error),
        }
    }

    /// Forgets what is older than the plan says, as the daemon does each day.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn keep_house(&mut self) -> anyhow::Result<()> {
        let clock = self.clock();
        if let (Some(site), Some(span)) = (&mut self.site, self.plan.forget_after) {
            site.keep_house(clock, span)?;
        }
        Ok(())
    }

    /// The folder that state.db lies in.
    pub fn folder(&self) -> &Path {
        &self.plan.folder
    }

    /// What the lines carry while somebody wants to know a message's story.
    #[allow(clippy::print_stderr, reason = "asked for with --trace")]
    fn trace(&mut self) {
        let Some(serial) = self.plan.trace else { return };
        let account = self.ledger.account(serial);
        let shown = account.is_some_and(|a| self.now < a.sent_at + Duration::from_secs(7_200));
        for (line, from) in self.lines.iter().zip(&mut self.traced) {
            let transcript = line.sim().transcript();
            for entry in transcript.since(*from).filter(|_| shown) {
                eprintln!("{} {entry}", line.name.0);
            }
            *from = transcript.total();
        }
    }
}

/// Whose part a PDU is: the message and the part's number.
fn whose(pdu: &[u8]) -> Option<(Serial, u8)> {
    let (_, tpdu) = split_service_centre(pdu).ok()?;
    let submit = decode_submit(tpdu).ok()?;
    let part = submit.data.concatenation().map_or(1, |place| place.part);
    Some((words::serial(&submit.data.text)?, part))
}

/// A fresh folder's state.db must be new.
///
/// # Errors
/// When there is one already.
pub fn is_fresh(folder: &Path) -> anyhow::Result<()> {
    let file = site::file(folder);
    ensure!(!file.exists(), "{} exists; name an empty folder", file.display());
    Ok(())
}

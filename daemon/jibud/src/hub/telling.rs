//! What this box tells its hub besides what it runs: how it is, how much is asked,
//! what had no answer where the policy allows it, and questions for a person.

use std::time::Duration;

use anyhow::Context;
use jibu_store::{Asker, StateStore};
use jibu_sync::telemetry::{self, Input, Output, Person, Queue, Record, Unanswered, Usage};
use jibu_sync::wire::{SiteName, Topic};
use jibu_types::Timestamp;

use crate::clock::calendar;
use crate::config::Config;
use crate::vitals::Vitals;

/// How often the hub hears how the box is, and how much was asked.
const HEALTH_EVERY: Duration = Duration::from_secs(6 * 3600);
const USAGE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The name of the setting that a hub's policy changes.
const POLICY: &str = "hub policy unanswered";

/// What is told, kept until the hub has it.
#[derive(Debug)]
pub(super) struct Telling {
    queue: Queue,
    /// Makes pseudonyms; it is forgotten when the daemon ends.
    salt: [u8; 32],
    tells_unanswered: bool,
    health_at: Timestamp,
    usage_since: Timestamp,
    /// Whether the hub was told last that airtime is low.
    told_low: bool,
    published: Vec<(Topic, Vec<u8>)>,
}

impl Telling {
    /// Goes on from what was kept.
    pub(super) fn open(
        site: SiteName,
        state: &StateStore,
        steady: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).context("there is no randomness")?;
        Ok(Telling {
            queue: Queue::open(telemetry::Config::new(site), state.telemetry()?, steady),
            salt,
            tells_unanswered: state.setting(POLICY)?.as_deref() == Some("yes"),
            health_at: steady,
            usage_since: steady,
            told_low: false,
            published: Vec::new(),
        })
    }

    /// What is to be published at QoS 0, in order.
    pub(super) fn published(&mut self) -> Vec<(Topic, Vec<u8>)> {
        std::mem::take(&mut self.published)
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let usage_at = self.usage_since + USAGE_EVERY;
        [self.queue.deadline(), Some(self.health_at), Some(usage_at)].into_iter().flatten().min()
    }

    /// Hands something to the queue and carries out what it wants kept.
    pub(super) fn handle(
        &mut self,
        input: Input<'_>,
        steady: Timestamp,
        state: &mut StateStore,
    ) -> anyhow::Result<()> {
        self.queue.handle(input, steady);
        while let Some(output) = self.queue.poll() {
            match output {
                Output::Publish { topic, payload } => self.published.push((topic, payload)),
                kept => state.keep_telemetry(&kept)?,
            }
        }
        Ok(())
    }

    /// What is due by the clock.
    pub(super) fn tick(
        &mut self,
        config: &Config,
        vitals: &Vitals,
        steady: Timestamp,
        state: &mut StateStore,
    ) -> anyhow::Result<()> {
        // Somebody must buy airtime before it is gone: that is told at once.
        let low = vitals.airtime_is_low();
        if steady >= self.health_at || low != self.told_low {
            self.told_low = low;
            self.health_at = steady + HEALTH_EVERY;
            let space = rustix::fs::statvfs(&config.data).ok();
            let free = space.map(|s| s.f_bavail.saturating_mul(s.f_frsize) / 1000);
            let record = Record::Health(vitals.telemetry(free));
            self.handle(Input::Record(&record), steady, state)?;
        }
        let seconds = steady.since(self.usage_since);
        if seconds >= USAGE_EVERY {
            self.usage_since = steady;
            let counts = vitals.take_usage();
            let from = calendar().map(|now| now - seconds);
            let seconds = u32::try_from(seconds.as_secs()).unwrap_or(u32::MAX);
            let record = Record::Usage(Usage { from, seconds, counts });
            self.handle(Input::Record(&record), steady, state)?;
        }
        self.handle(Input::Tick, steady, state)
    }

    /// Somebody wishes for a person.
    pub(super) fn person(
        &mut self,
        asker: &Asker,
        text: String,
        steady: Timestamp,
        state: &mut StateStore,
    ) -> anyhow::Result<()> {
        let mut token = [0; 16];
        getrandom::fill(&mut token).context("there is no randomness")?;
        state.keep_asker(&token, asker, crate::clock::now())?;
        let (at, language) = (calendar(), asker.language);
        let record = Record::Person(Person { at, language, asker: token.to_vec(), text });
        self.handle(Input::Record(&record), steady, state)
    }

    /// A question had no answer. It is told only where the hub's policy says so.
    pub(super) fn unanswered(
        &mut self,
        asker: &Asker,
        text: &str,
        steady: Timestamp,
        state: &mut StateStore,
    ) -> anyhow::Result<()> {
        if !self.tells_unanswered {
            return Ok(());
        }
        let whole = blake3::keyed_hash(&self.salt, asker.number.reveal().as_bytes());
        let mut pseudonym = [0; 8];
        pseudonym.iter_mut().zip(whole.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
        let text = without_numbers(text);
        let (at, language) = (calendar(), asker.language);
        let record = Record::Unanswered(Unanswered { at, language, pseudonym, text });
        self.handle(Input::Record(&record), steady, state)
    }

    /// What the hub's policy allows from now on.
    pub(super) fn set_policy(
        &mut self,
        tells_unanswered: bool,
        state: &mut StateStore,
    ) -> anyhow::Result<()> {
        state.set_setting(POLICY, if tells_unanswered { "yes" } else { "no" })?;
        self.tells_unanswered = tells_unanswered;
        Ok(())
    }
}

/// The text with every run of digits that could be a telephone's, blanks and
/// hyphens inside it not counted, as `#`.
fn without_numbers(text: &str) -> String {
    const SHORTEST: usize = 6;
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let put = |run: &mut String, out: &mut String| {
        match run.chars().filter(char::is_ascii_digit).count() >= SHORTEST {
            true => {
                let kept = run.trim_end_matches([' ', '-', '.']);
                out.push('#');
                out.push_str(run.get(kept.len()..).unwrap_or_default());
            }
            false => out.push_str(run),
        }
        run.clear();
    };
    for c in text.chars() {
        let continues = !run.is_empty() && matches!(c, ' ' | '-' | '.' | '(' | ')');
        if c.is_ascii_digit() || c == '+' || continues {
            run.push(c);
        } else {
            put(&mut run, &mut out);
            out.push(c);
        }
    }
    put(&mut run, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephones_number_is_taken_out_and_an_amount_stays() {
        for (text, told) in [
            ("call me on +265 991 234-567 please", "call me on # please"),
            ("0991234567", "#"),
            ("2 tablets every 12 hours, 500 mg", "2 tablets every 12 hours, 500 mg"),
            ("in 2024 and 2025 there", "in 2024 and 2025 there"),
        ] {
            assert_eq!(without_numbers(text), told);
        }
    }
}

//! A version in steps: some sites first, then a share of all, then everybody;
//! and no further when too many of them give it up.
//!
//! What to do next is decided in [`decide`], from values; the state and the
//! commands to sites are the rest. `WIRE.md` of `jibu-sync` says how a root
//! reaches some sites only.

use std::time::Duration;

use jibu_sync::command::Command;
use jibu_sync::wire::SiteName;
use jibu_sync::{Hash, Release, Root};
use jibu_types::{CollectionName, IndexVersion, Timestamp};
use serde::{Deserialize, Serialize};

use crate::hub::while_;
use crate::release::version_of;
use crate::sites::{Standing, raise_changes};
use crate::state::{DatabaseError, Row, Transaction, values};
use crate::told::tell;
use crate::{Hub, HubError};

/// How a version is rolled out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The sites that get it first, by their names or their groups.
    pub canaries: Vec<String>,
    /// The shares of all sites that get it after them, in per cent and rising.
    pub steps: Vec<u8>,
    /// How long each step lasts at least, in seconds.
    pub wait_s: u64,
    /// It stops when more than this share of the sites that have been told gave
    /// the version up, in per cent.
    pub max_failures: u8,
}

/// What has become of the version at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has not been told.
    Untold,
    /// It has been told, and is on its way.
    Pending,
    /// It answers from the version.
    Active,
    /// It gave the version up: its golden queries failed, or it was faulty.
    Failed,
}

/// A site as a decision sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub site: SiteName,
    /// Whether it is of the first.
    pub is_canary: bool,
    /// Its place among a hundred, by chance and always the same for one version.
    pub place: u8,
    /// What has become of it.
    pub outcome: Outcome,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Tell these sites.
    Tell(Vec<SiteName>),
    /// Nothing yet.
    Wait,
    /// The next step begins.
    Advance,
    /// Everybody gets it.
    Promote,
    /// Too many gave it up: nobody else gets it.
    Stop {
        /// How many.
        failed: usize,
        /// Of how many that were told.
        told: usize,
    },
}

/// Decides what comes next of a roll-out whose step `step` (0 is the canaries')
/// began so long ago.
pub fn decide(plan: &Plan, step: usize, lasted: Duration, sites: &[Candidate]) -> Decision {
    let count = |outcome| sites.iter().filter(|site| site.outcome == outcome).count();
    let (pending, active, failed) =
        (count(Outcome::Pending), count(Outcome::Active), count(Outcome::Failed));
    let told = pending + active + failed;
    if failed * 100 > told * usize::from(plan.max_failures) {
        return Decision::Stop { failed, told };
    }
    let share = step.checked_sub(1).and_then(|step| plan.steps.get(step)).copied().unwrap_or(0);
    let turn = |site: &&Candidate| site.is_canary || site.place < share;
    let untold = sites.iter().filter(turn).filter(|site| site.outcome == Outcome::Untold);
    let untold: Vec<SiteName> = untold.map(|site| site.site.clone()).collect();
    if !untold.is_empty() {
        return Decision::Tell(untold);
    }
    // Sites that are off for weeks must not hold up the others: half will do.
    let enough = (active + failed) * 2 >= told;
    let is_over = told == 0 || (enough && lasted >= Duration::from_secs(plan.wait_s));
    match (is_over, step < plan.steps.len()) {
        (false, _) => Decision::Wait,
        (true, true) => Decision::Advance,
        (true, false) => Decision::Promote,
    }
}

/// A roll-out in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolloutSummary {
    /// The collection.
    pub collection: CollectionName,
    /// The version.
    pub version: String,
    /// `running`, `stopped` or `done`.
    pub state: String,
    /// Which step it is in; 0 is the canaries'.
    pub step: usize,
    /// How many there are after the canaries'.
    pub steps: usize,
    /// Sites that have been told.
    pub told: usize,
    /// Those that answer from it.
    pub active: usize,
    /// Those that gave it up.
    pub failed: usize,
    /// Sites in all.
    pub sites: usize,
}

/// A roll-out as it is kept.
#[derive(Debug, Clone)]
struct Rollout {
    collection: CollectionName,
    version: IndexVersion,
    plan: Plan,
    step: usize,
    step_began: Timestamp,
    state: String,
}

impl Hub {
    /// Every collection's last roll-out.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn rollouts(&mut self, now: Timestamp) -> Result<Vec<RolloutSummary>, HubError> {
        let rollouts = self.all_rollouts()?;
        let mut summaries = Vec::new();
        for rollout in rollouts {
            let sites = self.candidates(&rollout, now)?;
            let count = |wanted: &[Outcome]| {
                sites.iter().filter(|site| wanted.contains(&site.outcome)).count()
            };
            summaries.push(RolloutSummary {
                collection: rollout.collection,
                version: rollout.version.to_string(),
                state: rollout.state,
                step: rollout.step,
                steps: rollout.plan.steps.len(),
                told: count(&[Outcome::Pending, Outcome::Active, Outcome::Failed]),
                active: count(&[Outcome::Active]),
                failed: count(&[Outcome::Failed]),
                sites: sites.len(),
            });
        }
        Ok(summaries)
    }

    /// Ends a roll-out: with `everybody` all sites get the version, else nobody
    /// else does.
    ///
    /// # Errors
    /// When none is running.
    pub fn end_rollout(
        &mut self,
        collection: &CollectionName,
        everybody: bool,
    ) -> Result<(), HubError> {
        let doing = while_("ending a roll-out");
        let name = collection.as_str();
        let state = if everybody { "done" } else { "stopped" };
        let mut transaction = self.database.begin().map_err(&doing)?;
        let sql = "UPDATE rollout SET state = ?2 WHERE collection = ?1 AND state = 'running'";
        if transaction.execute(sql, values![name, state]).map_err(&doing)? == 0 {
            return Err(HubError::NoRollout(collection.clone()));
        }
        if everybody {
            transaction
                .execute(
                    "UPDATE release SET staged = 0 WHERE collection = ?1 AND (epoch, version) =
                          (SELECT epoch, version FROM rollout WHERE collection = ?1)",
                    values![name],
                )
                .map_err(&doing)?;
        }
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }

    /// Takes every running roll-out as far as it may go now. Gives sentences for
    /// the admin.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn step_rollouts(&mut self, now: Timestamp) -> Result<Vec<String>, HubError> {
        let mut notes = Vec::new();
        let running = self.all_rollouts()?.into_iter().filter(|rollout| rollout.state == "running");
        for rollout in running.collect::<Vec<_>>() {
            let sites = self.candidates(&rollout, now)?;
            let lasted = now.since(rollout.step_began);
            let Rollout { collection, version, .. } = &rollout;
            match decide(&rollout.plan, rollout.step, lasted, &sites) {
                Decision::Wait => {}
                Decision::Tell(sites) => self.tell_root(&rollout, &sites, now)?,
                Decision::Advance => self.advance(&rollout, now)?,
                Decision::Promote => {
                    self.end_rollout(collection, true)?;
                    notes.push(format!("version {version} of \"{collection}\" goes to every site"));
                }
                Decision::Stop { failed, told } => {
                    self.end_rollout(collection, false)?;
                    notes.push(format!(
                        "the roll-out of version {version} of \"{collection}\" is stopped: {failed} \
                         of {told} sites gave it up. Correct the documents, or bring an older \
                         version back with `jibu-hub publish {collection} --roll-back-to VERSION`"
                    ));
                }
            }
        }
        Ok(notes)
    }

    /// Whether a roll-out of the collection is running.
    pub(crate) fn is_rolling_out(&mut self, collection: &CollectionName) -> Result<bool, HubError> {
        let doing = while_("reading a roll-out");
        let sql = "SELECT 1 FROM rollout WHERE collection = ?1 AND state = 'running'";
        let rows = self.database.query(sql, values![collection.as_str()]).map_err(&doing)?;
        Ok(!rows.is_empty())
    }

    /// The version that a running roll-out is of.
    pub(crate) fn staged_release(
        &mut self,
        collection: &CollectionName,
    ) -> Result<Option<Release>, HubError> {
        let doing = while_("reading a roll-out");
        let sql = "SELECT r.bundle FROM release r JOIN rollout o
                   ON r.collection = o.collection AND r.epoch = o.epoch AND r.version = o.version
                   WHERE o.collection = ?1 AND o.state = 'running' AND r.bundle IS NOT NULL";
        let rows = self.database.query(sql, values![collection.as_str()]).map_err(&doing)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let bytes: Vec<u8> = row.get(0).map_err(&doing)?;
        let release = Release::open(&bytes, &self.public_key());
        release.map(Some).map_err(|_| HubError::DamagedRow("release"))
    }

    fn all_rollouts(&mut self) -> Result<Vec<Rollout>, HubError> {
        let doing = while_("reading roll-outs");
        let sql = "SELECT epoch, version, collection, plan, step, step_ms, state
                   FROM rollout ORDER BY collection";
        let rows = self.database.query(sql, values![]).map_err(&doing)?;
        let read = |row: &Row| -> Result<Rollout, DatabaseError> {
            const DAMAGED: DatabaseError = DatabaseError::Damaged("rollout");
            let step: u64 = row.get(4)?;
            Ok(Rollout {
                version: version_of(row)?,
                collection: CollectionName::parse(&row.get::<String>(2)?).map_err(|_| DAMAGED)?,
                plan: serde_json::from_str(&row.get::<String>(3)?).map_err(|_| DAMAGED)?,
                step: usize::try_from(step).map_err(|_| DAMAGED)?,
                step_began: Timestamp::from_unix_ms(row.get(5)?),
                state: row.get(6)?,
            })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(&doing)
    }

    /// The sites that may read the collection, and what has become of the
    /// version at each.
    fn candidates(
        &mut self,
        rollout: &Rollout,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, HubError> {
        let doing = while_("reading who has been told");
        let name = rollout.collection.as_str();
        let rows = self
            .database
            .query("SELECT site FROM rollout_site WHERE collection = ?1", values![name])
            .map_err(&doing)?;
        let told: Vec<String> =
            rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>().map_err(&doing)?;
        let version = rollout.version.to_string();
        let mut candidates = Vec::new();
        for site in self.sites(now)? {
            if site.standing != Standing::Enrolled
                || !site.collections.contains(&rollout.collection)
            {
                continue;
            }
            let report = site.reports.iter().find(|report| report.collection == name);
            let outcome = match report {
                _ if !told.contains(&site.site) => Outcome::Untold,
                Some(report) if report.active.as_ref() == Some(&version) => Outcome::Active,
                Some(report) if report.gave_up && report.newest.as_ref() == Some(&version) => {
                    Outcome::Failed
                }
                _ => Outcome::Pending,
            };
            let canaries = &rollout.plan.canaries;
            let is_canary =
                canaries.contains(&site.site) || site.groups.iter().any(|g| canaries.contains(g));
            let place = Hash::of(format!("{version} {}", site.site).as_bytes());
            let [first, second, ..] = *place.as_bytes();
            let place = (u16::from_be_bytes([first, second]) % 100) as u8;
            let site = SiteName::parse(&site.site).map_err(|_| HubError::DamagedRow("site"))?;
            candidates.push(Candidate { site, is_canary, place, outcome });
        }
        Ok(candidates)
    }

    /// Commands sites to follow the version's root.
    fn tell_root(
        &mut self,
        rollout: &Rollout,
        sites: &[SiteName],
        now: Timestamp,
    ) -> Result<(), HubError> {
        let doing = while_("telling sites of a version");
        let name = rollout.collection.as_str();
        let mut transaction = self.database.begin().map_err(&doing)?;
        let sql = "SELECT root FROM release
                   WHERE collection = ?1 AND epoch = ?2 AND version = ?3";
        let IndexVersion { epoch, version } = rollout.version;
        let rows = transaction.query(sql, values![name, epoch, version]).map_err(&doing)?;
        let root = rows.first().ok_or(HubError::DamagedRow("rollout"))?.get(0).map_err(&doing)?;
        let command = Command::Follow { root };
        for site in sites {
            tell(&mut *transaction, site, &command).map_err(&doing)?;
            transaction
                .execute(
                    "INSERT INTO rollout_site (collection, site, told_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO NOTHING",
                    values![name, site.as_str(), now.unix_ms()],
                )
                .map_err(&doing)?;
        }
        transaction.commit().map_err(&doing)
    }

    fn advance(&mut self, rollout: &Rollout, now: Timestamp) -> Result<(), HubError> {
        let doing = while_("going on with a roll-out");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let sql = "UPDATE rollout SET step = step + 1, step_ms = ?2
                   WHERE collection = ?1 AND step = ?3 AND state = 'running'";
        let name = rollout.collection.as_str();
        transaction.execute(sql, values![name, now.unix_ms(), rollout.step]).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }
}

/// Begins the roll-out of a version that is recorded in the same transaction.
pub(crate) fn begin(
    transaction: &mut dyn Transaction,
    root: &Root,
    plan: &Plan,
) -> Result<(), DatabaseError> {
    let name = root.collection.as_str();
    transaction.execute("DELETE FROM rollout_site WHERE collection = ?1", values![name])?;
    transaction.execute("DELETE FROM rollout WHERE collection = ?1", values![name])?;
    let plan = serde_json::to_string(plan).map_err(|_| DatabaseError::Damaged("rollout"))?;
    transaction.execute(
        "INSERT INTO rollout (collection, epoch, version, plan, step, step_ms, state)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 'running')",
        values![name, root.version.epoch, root.version.version, plan, root.issued.unix_ms()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            canaries: vec!["zomba".to_owned()],
            steps: vec![10, 50],
            wait_s: 3600,
            max_failures: 10,
        }
    }

    /// A hundred sites, one at each place; the first five are canaries.
    fn fleet(outcome: impl Fn(usize) -> Outcome) -> Vec<Candidate> {
        (0..100usize)
            .map(|number| Candidate {
                site: SiteName::parse(&format!("site-{number}")).unwrap(),
                is_canary: number < 5,
                place: 99 - number as u8,
                outcome: outcome(number),
            })
            .collect()
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn canaries_go_first_then_shares_then_everybody() {
        let mut sites = fleet(|_| Outcome::Untold);
        let mut told = Vec::new();
        for step in 0..3 {
            let Decision::Tell(names) = decide(&plan(), step, HOUR, &sites) else {
                panic!("step {step}")
            };
            told.push(names.len());
            for site in sites.iter_mut().filter(|site| names.contains(&site.site)) {
                site.outcome = Outcome::Pending;
            }
            assert_eq!(decide(&plan(), step, HOUR * 24, &sites), Decision::Wait, "nobody has it");
            for site in sites.iter_mut().filter(|site| names.contains(&site.site)) {
                site.outcome = Outcome::Active;
            }
            assert_eq!(decide(&plan(), step, HOUR / 2, &sites), Decision::Wait, "too early");
            let next = if step < 2 { Decision::Advance } else { Decision::Promote };
            assert_eq!(decide(&plan(), step, HOUR, &sites), next);
        }
        assert_eq!(told, [5, 10, 40]);
    }

    #[test]
    fn too_many_failures_stop_it_at_once() {
        let failing = |count: usize| {
            fleet(move |number| match number {
                _ if number < count => Outcome::Failed,
                0..20 => Outcome::Active,
                _ => Outcome::Untold,
            })
        };
        assert_eq!(
            decide(&plan(), 1, Duration::ZERO, &failing(3)),
            Decision::Stop { failed: 3, told: 20 }
        );
        assert!(!matches!(decide(&plan(), 1, HOUR, &failing(2)), Decision::Stop { .. }));
    }

    #[test]
    fn sites_that_are_off_do_not_hold_up_the_others() {
        let half = |active: usize| {
            fleet(move |number| match number {
                _ if number < active => Outcome::Active,
                0..5 => Outcome::Pending,
                _ => Outcome::Untold,
            })
        };
        assert_eq!(decide(&plan(), 0, HOUR, &half(2)), Decision::Wait);
        assert_eq!(decide(&plan(), 0, HOUR, &half(3)), Decision::Advance);
        // Without any canary the first step is over before it begins.
        let none: Vec<Candidate> = fleet(|_| Outcome::Untold)
            .into_iter()
            .map(|site| Candidate { is_canary: false, ..site })
            .collect();
        assert_eq!(decide(&plan(), 0, Duration::ZERO, &none), Decision::Advance);
    }
}

//! What is played, and what is measured in it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use jibu_sync::Release;
use jibu_types::{IndexVersion, Timestamp};

use crate::hostile::Deeds;
use crate::link::{LinkModel, Traffic};
use crate::text;
use crate::world::{HubTraffic, Setting, World};

/// Longer than any honest update takes here.
const LONG: Duration = Duration::from_secs(30 * 24 * 3600);

/// After the flip: until reports and unsubscriptions are through.
const AFTER: Duration = Duration::from_secs(120);

/// What one update took.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    /// Towards the site.
    pub down: Traffic,
    /// From the site.
    pub up: Traffic,
    /// From the hub's publication, or the site's first start, to the flip.
    pub took: Duration,
}

impl Update {
    /// Payload in both directions: what the peers wrote.
    pub fn payload(&self) -> u64 {
        self.down.payload + self.up.payload
    }

    /// With topics, MQTT and TLS.
    pub fn application(&self) -> u64 {
        self.down.application() + self.up.application()
    }

    /// All bytes but the sessions' set-ups.
    pub fn total(&self) -> u64 {
        self.down.total() + self.up.total()
    }
}

/// How a version differs from the one before.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// So many passages have another sentence in their middle.
    Edited(usize),
    /// So many passages are other ones.
    Rewritten(usize),
}

/// Some versions of one collection, each a change of the one before.
#[derive(Debug, Clone)]
pub struct Story {
    /// The releases, from version 1 on.
    pub releases: Vec<Release>,
}

impl Story {
    /// A first version of these passages, and one more for each change.
    pub fn new(passages: &[String], changes: &[Change], seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut passages = passages.to_vec();
        let first = version(1, 1);
        let mut releases = vec![text::release(&passages, first, issued(first), None)];
        for (change, number) in changes.iter().zip(2..) {
            let version = version(1, number);
            match *change {
                Change::Edited(count) => text::edit(&mut passages, count, &mut rng),
                Change::Rewritten(count) => text::rewrite(&mut passages, count, &mut rng),
            }
            let mut release = text::release(&passages, version, issued(version), releases.last());
            releases.iter().for_each(|base| release.pack_ahead(base));
            releases.push(release);
        }
        Story { releases }
    }

    /// The version of a release, counted from 0.
    pub fn version(&self, at: usize) -> IndexVersion {
        self.releases[at].root().root().version
    }
}

fn version(epoch: u32, version: u64) -> IndexVersion {
    IndexVersion { epoch, version }
}

fn issued(version: IndexVersion) -> Timestamp {
    let day = Duration::from_secs(24 * 3600);
    Timestamp::from_unix_seconds(1_795_000_000) + day * version.version as u32
}

/// Publishes a release and lets a world with one site take it over.
///
/// # Errors
/// When the site does not get there.
pub fn update(world: &mut World, release: &Release) -> anyhow::Result<Update> {
    let version = release.root().root().version;
    let (start, before) = (world.now(), world.history(0).clone());
    world.publish(release.clone());
    let done = world.run(LONG, |world| world.answers_from(0) == Some(version));
    ensure!(done, "the site did not get to version {version}: {:?}", world.status(0));
    let took = world.now().since(start);
    world.run(AFTER, |_| false);
    let after = world.history(0);
    Ok(Update { down: after.down - before.down, up: after.up - before.up, took })
}

/// A first sync and each later version on one link.
///
/// # Errors
/// As [`update`].
pub fn costs(story: &Story, link: LinkModel, seed: u64) -> anyhow::Result<Vec<Update>> {
    let mut world = World::new(Setting::new(link), seed);
    // Sessions are set up before anything is there.
    world.run(Duration::from_secs(60), |_| false);
    story.releases.iter().map(|release| update(&mut world, release)).collect()
}

/// A first sync over a link with an outage of so long in its middle.
///
/// # Errors
/// As [`update`].
pub fn outage(story: &Story, link: LinkModel, off: Duration, seed: u64) -> anyhow::Result<Update> {
    let mut world = World::new(Setting::new(link), seed);
    world.run(Duration::from_secs(60), |_| false);
    if !off.is_zero() {
        world.cut_link(0, world.now() + Duration::from_secs(150), off);
    }
    update(&mut world, &story.releases[0])
}

/// What power cuts in a first sync cost.
#[derive(Debug, Clone, Copy)]
pub struct Cuts {
    /// How many there were.
    pub cuts: u32,
    /// Chunks that began to arrive though they had done so before.
    pub twice: u32,
    /// The most chunks that had begun to arrive and that one cut lost.
    pub most_lost: usize,
    /// The bytes.
    pub update: Update,
}

/// A first sync with so many power cuts: at random moments of it, in the middle
/// of what a peer wants done, and at the end while the version is tried and
/// flipped to.
///
/// # Errors
/// As [`update`], or when there were fewer cuts.
pub fn cuts(story: &Story, link: LinkModel, cuts: u32, seed: u64) -> anyhow::Result<Cuts> {
    let whole = outage(story, link, Duration::ZERO, seed)?.down.payload;
    let mut world = World::new(Setting::new(link), seed);
    let mut rng = fastrand::Rng::with_seed(seed ^ 0xc075);
    let mut up_to = |ms: u64| Duration::from_millis(rng.u64(..=ms));
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xd1ce);
    world.run(Duration::from_secs(60), |_| false);
    let start = world.now();
    let version = story.version(0);
    world.publish(story.releases[0].clone());
    let is_done = |world: &World| world.answers_from(0) == Some(version);

    // Moments as shares of what comes, else most would fall into the pauses in
    // which the hub gathers requests.
    let trying = cuts / 10;
    let mut marks: Vec<u64> = (trying..cuts).map(|_| dice.u64(..whole * 9 / 10)).collect();
    marks.sort_unstable();
    let marks = marks.into_iter().map(Some).chain((0..trying).map(|_| None));
    for (number, mark) in (1..).zip(marks) {
        world.run(LONG, |world| match mark {
            Some(mark) => world.history(0).down.payload >= mark || is_done(world),
            None => world.is_trying(0) || is_done(world),
        });
        let pause = match mark {
            // Some fall into the pauses all the same.
            Some(mark) if mark < whole / 2 && dice.u8(..4) == 0 => up_to(40_000),
            Some(_) => up_to(3_000),
            None => up_to(19_000),
        };
        world.run(pause, |_| false);
        let off = Duration::from_millis(500) + up_to(30_000);
        // The last one falls into the flip or beside it.
        let between_outputs = if mark.is_some() { dice.bool() } else { number == cuts };
        if between_outputs {
            world.cut_power_after(0, dice.u32(..5), off);
        } else {
            world.cut_power(0, world.now(), off);
        }
        let happened = world.run(LONG, |world| world.history(0).cuts == number);
        ensure!(happened, "cut {number} came too late: {:?}", world.status(0));
        world.run(off + Duration::from_secs(1), |_| false);
    }
    let runs = |world: &World| {
        let active = world.status(0).and_then(|status| status.active);
        is_done(world) && active.is_some_and(|(active, _)| active == version)
    };
    let done = world.run(LONG, runs);
    ensure!(done, "the site did not get there: {:?}", world.status(0));
    let took = world.now().since(start);
    let history = world.history(0);
    let twice = history.fetched.values().map(|count| count - 1).sum();
    let update = Update { down: history.down, up: history.up, took };
    Ok(Cuts { cuts: history.cuts, twice, most_lost: history.lost.0, update })
}

/// A site that is switched off for so long after the story's first version,
/// while the hub publishes the others evenly, and comes back with a clock that
/// says 1970: what it takes to catch up.
///
/// # Errors
/// As [`update`].
pub fn absent(story: &Story, link: LinkModel, off: Duration, seed: u64) -> anyhow::Result<Update> {
    let mut world = World::new(Setting { wrong_clocks: true, ..Setting::new(link) }, seed);
    world.run(Duration::from_secs(60), |_| false);
    let (first, later) = story.releases.split_first().context("a story has a first version")?;
    update(&mut world, first)?;
    let before = world.history(0).clone();
    let back = world.now() + off;
    world.cut_power(0, world.now(), off);
    for release in later {
        world.run(off / (later.len() as u32 + 1), |_| false);
        world.publish(release.clone());
    }
    world.run(back.since(world.now()), |_| false);
    let newest = story.version(later.len());
    let done = world.run(LONG, |world| world.answers_from(0) == Some(newest));
    ensure!(done, "the site did not get to version {newest}: {:?}", world.status(0));
    let took = world.now().since(back);
    world.run(AFTER, |_| false);
    let after = world.history(0);
    Ok(Update { down: after.down - before.down, up: after.up - before.up, took })
}

/// What came of a hub that was restored from an old backup.
#[derive(Debug, Clone, Copy)]
pub struct Backup {
    /// States that told the hub of a version that it does not know.
    pub behind: u64,
    /// From the publication in a higher epoch until all sites had it.
    pub took: Duration,
}

/// Sites have the whole story when the hub is restored from a backup that has
/// its first version only. Nobody goes back, every site that meets the hub says
/// what it has seen, and what the hub then publishes in a higher epoch reaches
/// everybody.
///
/// # Errors
/// When one of these is not so.
pub fn backup(story: &Story, link: LinkModel, sites: usize, seed: u64) -> anyhow::Result<Backup> {
    let mut world = World::new(Setting { sites, ..Setting::new(link) }, seed);
    for (at, release) in story.releases.iter().enumerate() {
        world.publish(release.clone());
        let done = world.run(LONG, |world| world.converged(story.version(at)) == sites);
        ensure!(done, "not all sites got to version {}", story.version(at));
    }
    let newest = story.version(story.releases.len() - 1);
    let before = world.hub_traffic.behind;
    world.restore_hub(&story.releases[..1]);
    let minute = Duration::from_secs(60);
    (0..sites).for_each(|site| world.cut_link(site, world.now() + minute, minute));
    world.run(Duration::from_secs(24 * 3600), |_| false);
    let behind = world.hub_traffic.behind - before;
    ensure!(behind >= sites as u64, "{behind} of {sites} sites said what they have");
    ensure!(world.converged(newest) == sites, "a site went back");

    let again = version(2, 1);
    let content = text::invent(100, &mut fastrand::Rng::with_seed(seed ^ 0xbac));
    let release = text::release(&content, again, issued(newest), story.releases.first());
    let start = world.now();
    world.publish(release);
    let done = world.run(LONG, |world| world.converged(again) == sites);
    ensure!(done, "not all sites got to version {again}");
    Ok(Backup { behind, took: world.now().since(start) })
}

/// How a fleet took over a version.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// From publication until so many in a hundred had flipped: 50, 95, 100.
    pub took: [Duration; 3],
    /// What left and reached the hub.
    pub hub: HubTraffic,
    /// Seconds since publication and the share converged, to draw.
    pub curve: Vec<(f64, f64)>,
}

/// Sites that have the story's first version take its second over, some of them
/// off at first.
///
/// # Errors
/// When one does not get there.
pub fn fleet(
    story: &Story,
    link: LinkModel,
    sites: usize,
    off: f64,
    seed: u64,
) -> anyhow::Result<Fleet> {
    let setting = Setting { sites, ..Setting::new(link) };
    let mut world = World::new(setting, seed);
    let mut rng = fastrand::Rng::with_seed(seed ^ 0xf1ee7);
    world.preload(&story.releases[0]);
    world.run(Duration::from_secs(300), |_| false);
    let start = world.now();
    for site in 0..sites {
        if rng.f64() < off {
            let back = Duration::from_secs(rng.u64(60..24 * 3600));
            world.cut_link(site, start, back);
        }
    }
    let before = world.hub_traffic;
    let version = story.version(1);
    world.publish(story.releases[1].clone());
    let mut curve = vec![(0.0, 0.0)];
    let mut took = Vec::new();
    for share in 1..=100usize {
        let wanted = (sites * share).div_ceil(100);
        ensure!(
            world.run(LONG, |world| world.flipped(version) >= wanted),
            "{} of {sites} got to version {version}",
            world.flipped(version)
        );
        let now = world.now().since(start);
        curve.push((now.as_secs_f64(), share as f64 / 100.0));
        if [50, 95, 100].contains(&share) {
            took.push(now);
        }
    }
    world.run(AFTER, |_| false);
    let took: [Duration; 3] = took.try_into().ok().context("three shares were asked for")?;
    Ok(Fleet { took, hub: world.hub_traffic - before, curve })
}

/// What a lying broker did, and what came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hostile {
    /// What it did.
    pub deeds: Deeds,
    /// From the last publication to the flip.
    pub took: Duration,
}

/// Sites behind a broker that lies about a share of the messages, with power
/// cuts and outages, while the hub publishes the whole story over two days. What
/// is activated is checked in the world; in the end every site answers from the
/// newest version.
///
/// # Errors
/// When a site never gets there.
pub fn hostile(story: &Story, seed: u64) -> anyhow::Result<Hostile> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0xbad);
    let link = LinkModel::new(rng.u64(8..256), rng.u64(8..128), rng.f64() * 0.2);
    let lies = 0.1 + 0.5 * rng.f64();
    let setting =
        Setting { sites: rng.usize(1..4), lies, wrong_clocks: true, ..Setting::new(link) };
    let sites = setting.sites;
    let mut world = World::new(setting, seed);
    for site in 0..sites {
        for _ in 0..rng.usize(..4) {
            let at = world.now() + Duration::from_secs(rng.u64(..48 * 3600));
            let off = Duration::from_secs(rng.u64(1..4 * 3600));
            if rng.bool() {
                world.cut_power(site, at, off);
            } else {
                world.cut_link(site, at, off);
            }
        }
    }
    for release in &story.releases {
        world.publish(release.clone());
        if rng.bool() {
            let off = Duration::from_secs(rng.u64(1..600));
            world.cut_power_after(rng.usize(..sites), rng.u32(..20), off);
        }
        let pause = Duration::from_secs(rng.u64(..24 * 3600));
        world.run(pause, |_| false);
    }
    let (start, newest) = (world.now(), story.version(story.releases.len() - 1));
    let done = world.run(LONG * 4, |world| world.converged(newest) == sites);
    let states: Vec<_> = (0..sites).map(|site| world.status(site)).collect();
    ensure!(done, "seed {seed}: not all sites got to version {newest}: {states:?}");
    Ok(Hostile { deeds: world.liar.deeds, took: world.now().since(start) })
}

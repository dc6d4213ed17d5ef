//! `jibu-fleet`: a hub, a broker and thousands of sites on this machine, all
//! wanting the same, and what that costs.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use jibu_fleet::{Member, Pace, Pool, enlist, start, text, watch};
use jibu_tests::{Footing, Running, Stage, run};
use jibu_types::{CollectionName, IndexVersion};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::time::sleep;

/// Real sessions of thousands of sites with one hub: mutual TLS, MQTT and the sync
/// peers as they run on a box, their objects in memory.
#[derive(Debug, Parser)]
#[command(name = "jibu-fleet", version)]
struct Options {
    /// Sites.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    sites: u32,
    /// Passages of some 600 characters in the collection.
    #[arg(long, default_value_t = 1000)]
    passages: usize,
    /// How many of them change at last.
    #[arg(long, default_value_t = 100)]
    changed: usize,
    /// How long the hub gathers requests, in seconds; sites spread theirs over
    /// two thirds of it.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    gather_s: u32,
    /// Sessions that begin in a second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    per_second: u32,
    /// The hub's broker.
    #[arg(long, value_enum, default_value = "mosquitto")]
    broker: Broker,
    /// How long the sites may take for a version, in minutes.
    #[arg(long, default_value_t = 20)]
    patience_min: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Broker {
    /// The one that the hub brings along.
    Own,
    /// mosquitto, by the access list that the hub writes.
    Mosquitto,
}

/// The collection that they all follow.
const COLLECTION: &str = "handbook";

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    make_room(u64::from(options.sites) + 200)?;
    tokio::runtime::Runtime::new()?.block_on(play(&options))
}

/// Each session is an open file of this program and of the broker, which inherits
/// the limit.
fn make_room(files: u64) -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < files) {
        bail!(
            "{files} files must be open at once, and the limit is {}: raise it (`ulimit -Hn {files}` \
             as root, or LimitNOFILE= of the service), or take fewer --sites",
            limit.maximum.unwrap_or_default()
        );
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files cannot be raised")
}

async fn play(options: &Options) -> anyhow::Result<()> {
    let footing = match options.broker {
        Broker::Own => Footing::Own,
        Broker::Mosquitto => Footing::Mosquitto,
    };
    let mut stage = Stage::on(footing)?;
    stage.gather_s = options.gather_s;
    write(&stage, &text::document(options.passages, 0))?;
    let hub = stage.serve()?;
    let mut processes = vec![Process::of("hub", &hub)];
    processes.extend(stage.mosquitto.as_ref().map(|broker| Process::new("mosquitto", broker.id())));

    say(&format!("{} sites enrol", options.sites))?;
    let begun = Instant::now();
    let names: Vec<String> = (0..=options.sites).map(|number| format!("site-{number}")).collect();
    let mut enrolled = enlist(&stage, &names).await?;
    let mut rows = vec![Row::taken("enrolment", begun, &mut processes)];

    say("they connect")?;
    let begun = Instant::now();
    let port = stage.broker_port();
    let (one, rest) = (enrolled.pop().context("no site enrolled")?, enrolled);
    let watcher = watch(one, port)?;
    let gather = Duration::from_secs(options.gather_s.into());
    let (pace, pool) = (Pace { gather, spread: gather * 2 / 3 }, Pool::default());
    let mut sites = Vec::new();
    for own in rest {
        sites.push(start(own, port, pace, &pool)?);
        sleep(Duration::from_secs(1) / options.per_second).await;
    }
    until(options, "every session", || {
        watcher.seen().connected && sites.iter().all(|site| site.seen().connected)
    })
    .await?;
    // What each says of itself reaches the hub, too.
    sleep(Duration::from_secs(5)).await;
    rows.push(Row::taken("sessions", begun, &mut processes));

    let few = options.passages.min(1);
    for (number, what, changed) in
        [(1, "first sync", 0), (2, "1 passage edited", few), (3, "more edited", options.changed)]
    {
        say(what)?;
        if number > 1 {
            write(&stage, &text::document(options.passages, changed))?;
        }
        let what = match number {
            3 => format!("{changed} passages edited"),
            _ => what.to_owned(),
        };
        let version = IndexVersion { epoch: 1, version: number };
        rows.push(update(options, &stage, &sites, &watcher, version, &what, &mut processes).await?);
    }
    let sessions: u32 = sites.iter().map(|site| site.seen().sessions).sum();
    report(&rows, sessions, sites.len())
}

/// Publishes a version, waits until every site has it, and says what it took.
async fn update(
    options: &Options,
    stage: &Stage,
    sites: &[Member],
    watcher: &Member,
    version: IndexVersion,
    what: &str,
    processes: &mut [Process],
) -> anyhow::Result<Row> {
    watcher.seen().messages.clear();
    let bytes_before = watcher.seen().bytes;
    run(&mut stage.hub(&["publish", COLLECTION, "--over-budget"]))?;
    let begun = Instant::now();
    let collection = CollectionName::parse(COLLECTION)?;
    until(options, what, || sites.iter().all(|site| site.has(&collection, version))).await?;
    let mut row = Row::taken(what, begun, processes);
    let mut times: Vec<Duration> = sites
        .iter()
        .filter_map(|site| site.seen().active.get(&collection).map(|(_, at)| *at - begun))
        .collect();
    times.sort_unstable();
    let share = |percent: usize| times.get((times.len() * percent).div_ceil(100) - 1).copied();
    row.half = share(50);
    row.most = share(95);
    row.all = share(100);
    let seen = watcher.seen();
    let messages = || seen.messages.iter().filter(|(topic, _)| !topic.ends_with("/root"));
    row.objects = messages().count();
    row.messages = messages().map(|(_, came)| came.len()).sum();
    row.bytes = seen.bytes - bytes_before;
    Ok(row)
}

fn write(stage: &Stage, document: &str) -> anyhow::Result<()> {
    let folder = stage.path(COLLECTION);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("handbook.md"), document)?;
    run(stage.hub(&["ingest", COLLECTION]).arg(&folder)).map(drop)
}

async fn until(options: &Options, what: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(60 * options.patience_min);
    while !is_so() {
        if Instant::now() > end {
            bail!("{what}: not within {} minutes", options.patience_min);
        }
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// What a step took.
struct Row {
    what: String,
    took: Duration,
    half: Option<Duration>,
    most: Option<Duration>,
    all: Option<Duration>,
    /// Different chunks and deltas that left the hub, and how many of them.
    objects: usize,
    messages: usize,
    /// Bytes that left the hub for everybody, topics included.
    bytes: u64,
    /// Of each process: seconds of processor, and megabytes at most so far.
    processes: Vec<(&'static str, f64, u64)>,
}

impl Row {
    fn taken(what: &str, begun: Instant, processes: &mut [Process]) -> Self {
        Row {
            what: what.to_owned(),
            took: begun.elapsed(),
            half: None,
            most: None,
            all: None,
            objects: 0,
            messages: 0,
            bytes: 0,
            processes: processes.iter_mut().map(Process::spent).collect(),
        }
    }
}

struct Process {
    name: &'static str,
    id: u32,
    seconds: f64,
}

impl Process {
    fn of(name: &'static str, running: &Running) -> Self {
        Process::new(name, running.id())
    }

    fn new(name: &'static str, id: u32) -> Self {
        Process { name, id, seconds: 0.0 }
    }

    /// Seconds of processor since the last call, and the most megabytes so far.
    fn spent(&mut self) -> (&'static str, f64, u64) {
        let file = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/{name}", self.id)).unwrap_or_default()
        };
        // proc(5): user and system time are the 12th and 13th after the name, in
        // hundredths of a second.
        let stat = file("stat");
        let times = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        let seconds: f64 = times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0;
        let status = file("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        let spent = seconds - self.seconds;
        self.seconds = seconds;
        (self.name, spent, kilobytes.unwrap_or(0u64) / 1024)
    }
}

fn say(what: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{what} …")
}

fn report(rows: &[Row], sessions: u32, sites: usize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    write!(
        out,
        "| | seconds | half, 95 %, all after | chunks and deltas: different, sent | bytes sent"
    )?;
    for (name, ..) in rows.first().map(|row| row.processes.as_slice()).unwrap_or_default() {
        write!(out, " | {name}: CPU s, MiB")?;
    }
    writeln!(out, " |\n|---|---:|{}", "---:|".repeat(3 + rows[0].processes.len()))?;
    for row in rows {
        write!(out, "| {} | {:.1} |", row.what, row.took.as_secs_f64())?;
        match (row.half, row.most, row.all) {
            (Some(half), Some(most), Some(all)) => write!(
                out,
                " {:.1}, {:.1}, {:.1} s | {}, {} | {} |",
                half.as_secs_f64(),
                most.as_secs_f64(),
                all.as_secs_f64(),
                row.objects,
                row.messages,
                row.bytes
            )?,
            _ => write!(out, " | | |")?,
        }
        for (_, seconds, megabytes) in &row.processes {
            write!(out, " {seconds:.1}, {megabytes} |")?;
        }
        writeln!(out)?;
    }
    let again = sessions as usize - sites;
    writeln!(out, "\n{sites} sites; {again} sessions were lost and made again")?;
    Ok(())
}

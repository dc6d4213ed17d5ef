//! `jibu-netsim`: what index sync costs and withstands, in virtual time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use jibu_netsim::scenario::{self, Change, Story, Update};
use jibu_netsim::{LinkModel, Traffic, text};

/// Plays hub, broker and sites in virtual time over bad links, with the real
/// peers of jibu-sync, and prints what it cost as a table. The same seed gives
/// the same figures.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// The seed of everything random.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,

    /// Passages of 600 characters in the first version.
    #[arg(long, global = true, default_value_t = 1000)]
    passages: usize,

    /// Takes the passages from a BEIR corpus (JSON lines with "text", gzip
    /// accepted) instead of inventing them.
    #[arg(long, global = true, value_name = "FILE")]
    corpus: Option<PathBuf>,

    /// Towards the site, kbit/s.
    #[arg(long, global = true, default_value_t = 32)]
    down: u64,

    /// From the site, kbit/s.
    #[arg(long, global = true, default_value_t = 16)]
    up: u64,

    /// Packets lost each way, in a hundred.
    #[arg(long, global = true, default_value_t = 20)]
    loss: u32,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// A first sync, one edited passage, and one passage in a hundred edited, on
    /// a link without loss.
    Cost,
    /// A first sync on the lossy link with an outage, against the same without
    /// loss.
    Lossy {
        /// The outage, minutes.
        #[arg(long, default_value_t = 60)]
        outage: u64,
    },
    /// A first sync with power cuts at random moments.
    Cuts {
        /// How many.
        #[arg(long, default_value_t = 50)]
        cuts: u32,
    },
    /// A site that is off while versions are published, and comes back with a
    /// clock that says 1970.
    Absent {
        /// For how many days.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// A hub that is restored from an old backup, then publishes in a higher
    /// epoch.
    Backup {
        /// How many sites.
        #[arg(long, default_value_t = 20)]
        sites: usize,
    },
    /// Many sites that all want the same update.
    Fleet {
        /// How many.
        #[arg(long, default_value_t = 1000)]
        sites: usize,
        /// Passages that the update changes.
        #[arg(long, default_value_t = 10)]
        changed: usize,
        /// Puts wholly other passages in their place, where without it they get
        /// one other sentence.
        #[arg(long)]
        rewritten: bool,
        /// Sites in a hundred that are away at first, for up to a day.
        #[arg(long, default_value_t = 0)]
        away: u32,
        /// Draws how they converge, as SVG.
        #[arg(long, value_name = "FILE")]
        plot: Option<PathBuf>,
    },
    /// A broker that drops, repeats, reorders, truncates, changes, replays and
    /// forges, over many seeds.
    Hostile {
        /// How many seeds, from --seed on.
        #[arg(long, default_value_t = 100)]
        seeds: u64,
    },
}

fn main() -> ExitCode {
    let Arguments { scenario, common } = Arguments::parse();
    match play(&scenario, &common) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jibu-netsim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(scenario: &Scenario, common: &Common) -> anyhow::Result<()> {
    let Common { seed, passages, down, up, .. } = *common;
    if common.loss > 90 {
        bail!("--loss {}: 0 to 90 in a hundred", common.loss);
    }
    let clean = LinkModel::new(down, up, 0.0);
    let lossy = LinkModel::new(down, up, f64::from(common.loss) / 100.0);
    println!("seed {seed}; {down}/{up} kbit/s, {} % loss each way where lossy", common.loss);
    let texts = |count| match &common.corpus {
        Some(path) => text::read(path, count),
        None => Ok(text::invent(count, &mut fastrand::Rng::with_seed(seed))),
    };
    match scenario {
        Scenario::Cost => {
            let percent = (passages / 100).max(1);
            let story =
                Story::new(&texts(passages)?, &[Change::Edited(1), Change::Edited(percent)], seed);
            let updates = scenario::costs(&story, clean, seed)?;
            header();
            let names = [
                format!("first sync of {passages} passages"),
                "1 passage edited".to_owned(),
                format!("{percent} passages edited"),
            ];
            names.iter().zip(&updates).for_each(|(name, update)| row(name, update));
            within("first sync, payload", updates[0].payload(), 200 * passages as u64)?;
            within("1 edited, with topics, MQTT and TLS", updates[1].application(), 1500)?;
            within("1 % edited, payload", updates[2].payload(), updates[0].payload() * 3 / 100)
        }
        Scenario::Lossy { outage } => {
            let story = Story::new(&texts(passages)?, &[], seed);
            let off = Duration::from_secs(outage * 60);
            let without = scenario::outage(&story, clean, Duration::ZERO, seed)?;
            let with = scenario::outage(&story, lossy, off, seed)?;
            header();
            row("without loss", &without);
            row(&format!("lossy, {outage} min outage"), &with);
            within("bytes, lossy", with.total(), without.total() * 135 / 100)
        }
        Scenario::Cuts { cuts } => {
            let story = Story::new(&texts(passages)?, &[], seed);
            let cut = scenario::cuts(&story, clean, *cuts, seed)?;
            header();
            row(&format!("{} power cuts", cut.cuts), &cut.update);
            within("power cuts missing", (cuts - cut.cuts).into(), 0)?;
            within("chunks that came twice", cut.twice.into(), cut.cuts.into())?;
            within("most chunks that one cut lost", cut.most_lost as u64, 1)
        }
        Scenario::Absent { days } => {
            // More versions than the hub keeps: nothing can be packed on the site's.
            let changes = [Change::Edited(3); 10];
            let story = Story::new(&texts(passages)?, &changes, seed);
            let off = Duration::from_secs(u64::from(*days) * 24 * 3600);
            let update = scenario::absent(&story, lossy, off, seed)?;
            header();
            row(&format!("{} versions later", changes.len()), &update);
            Ok(())
        }
        Scenario::Backup { sites } => {
            let story = Story::new(&texts(passages)?, &[Change::Edited(3); 2], seed);
            let backup = scenario::backup(&story, lossy, *sites, seed)?;
            println!("{sites} sites: none went back, {} states said what they have", backup.behind);
            println!("what came in a higher epoch: all had it after {} s", backup.took.as_secs());
            Ok(())
        }
        Scenario::Fleet { sites, changed, rewritten, away, plot } => {
            let change = match rewritten {
                true => Change::Rewritten(*changed),
                false => Change::Edited(*changed),
            };
            let story = Story::new(&texts(passages)?, &[change], seed);
            let share = f64::from(*away) / 100.0;
            let fleet = scenario::fleet(&story, lossy, *sites, share, seed)?;
            let [half, most, all] = fleet.took.map(|took| took.as_secs());
            println!("{sites} sites, {change:?} passages, {away} % away at first");
            println!("converged: 50 % {half} s, 95 % {most} s, all {all} s after publication");
            let hub = fleet.hub;
            println!("hub: {} messages of {} bytes out", hub.published, hub.published_bytes);
            println!("     {} messages of {} bytes in", hub.received, hub.received_bytes);
            match plot {
                Some(path) => std::fs::write(path, draw(&fleet.curve))
                    .with_context(|| format!("writing {}", path.display())),
                None => Ok(()),
            }
        }
        Scenario::Hostile { seeds } => {
            let changes = [
                Change::Edited(1),
                Change::Rewritten(130),
                Change::Edited(6),
                Change::Rewritten(1),
            ];
            let story = Story::new(&texts(passages.clamp(130, 160))?, &changes, seed);
            let mut sum = scenario::Hostile::default();
            for seed in seed..seed + seeds {
                let one = scenario::hostile(&story, seed)?;
                sum.deeds += one.deeds;
                sum.took = sum.took.max(one.took);
            }
            println!("{seeds} seeds: every site ended at the newest version, none went back,");
            println!("and nothing but what the hub signed was activated");
            println!("slowest after the last publication: {} h", sum.took.as_secs() / 3600);
            println!("{:#?}", sum.deeds);
            Ok(())
        }
    }
}

fn header() {
    println!(
        "{:<32}{:>9}{:>9}{:>8}{:>8}{:>9}{:>9}{:>9}{:>8}",
        "bytes, both ways", "payload", "topics", "MQTT", "TLS", "TCP/IP", "resent", "total", "s"
    );
}

fn row(name: &str, update: &Update) {
    let mut sum: Traffic = update.down;
    sum += update.up;
    println!(
        "{name:<32}{:>9}{:>9}{:>8}{:>8}{:>9}{:>9}{:>9}{:>8}",
        sum.payload,
        sum.topics,
        sum.mqtt,
        sum.tls,
        sum.tcp_ip,
        sum.resent,
        sum.total(),
        update.took.as_secs()
    );
}

/// Prints a figure beside its bound.
fn within(what: &str, found: u64, most: u64) -> anyhow::Result<()> {
    println!("{what}: {found} (at most {most})");
    if found > most {
        bail!("{what}: {found} is more than {most}");
    }
    Ok(())
}

/// The share of sites that have converged over time, as a picture.
fn draw(curve: &[(f64, f64)]) -> String {
    let end = curve.last().map_or(1.0, |(at, _)| at.max(1.0));
    let place = |at: f64, share: f64| (60.0 + at / end * 520.0, 320.0 - share * 280.0);
    let points: Vec<String> = curve
        .iter()
        .map(|(at, share)| {
            let (x, y) = place(*at, *share);
            format!("{x:.1},{y:.1}")
        })
        .collect();
    let mut marks = String::new();
    for share in [0.5, 0.95, 1.0] {
        let (_, y) = place(0.0, share);
        let label = share * 100.0;
        marks.push_str(&format!(
            "<line x1=\"60\" x2=\"580\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ccc\"/>\
             <text x=\"10\" y=\"{y:.1}\">{label:.0} %</text>"
        ));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"620\" height=\"370\" \
         font-family=\"sans-serif\" font-size=\"13\">{marks}\
         <polyline fill=\"none\" stroke=\"#06c\" stroke-width=\"2\" points=\"{}\"/>\
         <text x=\"60\" y=\"345\">0 s</text><text x=\"520\" y=\"345\">{end:.0} s</text>\
         <text x=\"180\" y=\"365\">sites converged after publication</text></svg>\n",
        points.join(" ")
    )
}

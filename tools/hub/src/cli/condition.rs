//! `jibu-hub site show`: a site in sentences.

use std::io::{self, Write};

use super::show::{counted, duration, kilobytes};
use super::site::show_sites;
use crate::condition::{SiteCondition, SiteHealth, SiteUsage, USAGE_DAYS};

pub(super) fn show(site: &SiteCondition, out: &mut dyn Write) -> io::Result<()> {
    show_sites(std::slice::from_ref(&site.summary), out)?;
    match &site.health {
        None => writeln!(out, "  its health: not told yet")?,
        Some(health) => show_health(health, out)?,
    }
    for line in &site.usage {
        let SiteUsage { channel, language, asked, answered, person } = line;
        writeln!(
            out,
            "  in {USAGE_DAYS} days by {channel} in {language}: {asked} asked, {answered} answered, \
             {person} for a person"
        )?;
    }
    let counted = |count: u64, noun: &str| counted(usize::try_from(count).unwrap_or(0), noun);
    if site.unanswered > 0 {
        let people = match site.unanswered_askers {
            1 => "one person".to_owned(),
            many => format!("{many} people"),
        };
        let questions = counted(site.unanswered, "question");
        writeln!(out, "  without an answer: {questions} of {people} (`jibu-hub questions`)")?;
    }
    if site.waiting_for_a_person > 0 {
        let questions = counted(site.waiting_for_a_person, "question");
        writeln!(out, "  waiting for a person: {questions} (`jibu-hub questions`)")?;
    }
    Ok(())
}

fn show_health(health: &SiteHealth, out: &mut dyn Write) -> io::Result<()> {
    let mut words = vec![format!("up {}", duration(health.uptime_s.into()))];
    let mut say = |known: Option<String>| words.extend(known);
    say(health.disk_free_kb.map(|kb| format!("{} free on the disk", kilobytes(kb * 1000))));
    say(health.card_wear_percent.map(|percent| match percent {
        90.. => format!("{percent} % of the card's life used: bring another card"),
        _ => format!("at most {percent} % of the card's life used"),
    }));
    say(health.signal_dbm.map(|dbm| format!("signal {dbm} dBm")));
    say(health.power_cuts.map(|cuts| format!("{} of power", counted(cuts as usize, "cut"))));
    say(health.temperature_dc.map(|tenths| format!("{:.1} °C", f64::from(tenths) / 10.0)));
    say(health.waiting.map(|waiting| format!("{} waiting", counted(waiting as usize, "message"))));
    say(health.airtime.map(|hundredths| {
        let low = if health.airtime_low == Some(true) { ": buy airtime" } else { "" };
        format!("airtime {:.2}{low}", hundredths as f64 / 100.0)
    }));
    say(match health.clock_behind_s {
        None => Some("its clock is not set".to_owned()),
        // What waited for a link is older than its message.
        Some(behind) if behind < -60 => Some(format!("its clock is {} s ahead", -behind)),
        Some(_) => None,
    });
    let at = health.at.as_deref().unwrap_or(&health.heard);
    writeln!(out, "  its health of {at}: {}", words.join(", "))
}

//! Results as sentences.

use std::io::{self, Write};

use jibu_types::Language;
use serde::Serialize;

use super::Cli;
use crate::{
    BundleReport, CollectionSummary, ExportReport, Hub, IngestReport, PublishReport, Question,
    RolloutSummary, SiteCost,
};

pub(super) fn print<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

pub(super) fn greet(cli: &Cli, hub: &Hub, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "a new hub in {folder}\n\
         its public key, for hub.public_key of every site:\n  {key}\n\
         keep {folder}/hub.key secret and keep a backup of the folder",
        folder = cli.data.display(),
        key = hub.public_key(),
    )
}

pub(super) fn show_ingest(
    report: &IngestReport,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<()> {
    for fault in &report.faults {
        writeln!(err, "{}: {}", fault.path, fault.problem)?;
    }
    for path in &report.skipped {
        writeln!(out, "left aside, no kind of document: {path}")?;
    }
    for path in &report.missing {
        writeln!(out, "no longer in its folder, kept (--prune takes it out): {path}")?;
    }
    let IngestReport { collection, added, changed, unchanged, removed, faults, .. } = report;
    writeln!(
        out,
        "{collection}: {} added, {} changed, {unchanged} unchanged, {} removed",
        added.len(),
        changed.len(),
        removed.len(),
    )?;
    let repeated = match report.repeated {
        0 => String::new(),
        count => format!(" ({count} that stand twice left out)"),
    };
    writeln!(
        out,
        "it now has {}, {}{repeated} and {}",
        counted(report.documents, "document"),
        counted(report.passages, "passage"),
        counted(report.golden, "golden query"),
    )?;
    if !faults.is_empty() {
        writeln!(err, "{}: correct and ingest again", counted(faults.len(), "fault"))?;
    }
    Ok(())
}

pub(super) fn show_bundle(report: &BundleReport, out: &mut dyn Write) -> io::Result<()> {
    let news = if report.is_new { "new" } else { "unchanged" };
    writeln!(
        out,
        "{} version {} ({news}): {}, {}, {}",
        report.collection,
        report.version,
        counted(report.documents, "document"),
        counted(usize::try_from(report.passages).unwrap_or(usize::MAX), "passage"),
        counted(report.golden, "golden query"),
    )?;
    writeln!(out, "{}: {} bytes", report.file.display(), report.bytes)?;
    writeln!(out, "signed by {}", report.public_key)
}

pub(super) fn show_publish(report: &PublishReport, out: &mut dyn Write) -> io::Result<()> {
    let PublishReport { collection, version, full_bytes, .. } = report;
    let news = match (report.is_dry_run, report.is_new) {
        (true, true) => "would be published",
        (false, true) => "published",
        (_, false) => "unchanged",
    };
    let passages = usize::try_from(report.passages).unwrap_or(usize::MAX);
    writeln!(
        out,
        "{collection} version {version} ({news}): {}, a first copy {}",
        counted(passages, "passage"),
        kilobytes(*full_bytes),
    )?;
    for cost in &report.sites {
        let SiteCost { site, from, bytes, seconds, price, over_budget } = cost;
        let from =
            from.as_ref().map_or("nothing".to_owned(), |version| format!("version {version}"));
        let time = seconds.map_or("link not known".to_owned(), duration);
        let currency = report.currency.as_deref().unwrap_or_default();
        let money = price.map_or("price not known".to_owned(), |price| money(price, currency));
        let over = if *over_budget { ", over its budget" } else { "" };
        writeln!(out, "  {site} (has {from}): {}, {time}, {money}{over}", kilobytes(*bytes))?;
    }
    let bytes = report.sites.iter().map(|cost| cost.bytes).sum();
    writeln!(out, "{}, {} together", counted(report.sites.len(), "site"), kilobytes(bytes))
}

pub(super) fn show_export(report: &ExportReport, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{} written: {} may connect, {} may not any more",
        report.files.join(", "),
        counted(report.sites, "site"),
        counted(report.revoked, "certificate"),
    )
}

pub(super) fn show_questions(questions: &[Question], out: &mut dyn Write) -> io::Result<()> {
    if questions.is_empty() {
        return writeln!(out, "no question waits for an answer");
    }
    for question in questions {
        let Question { id, site, for_a_person, taken, language, text, answer, .. } = question;
        let kind = if *for_a_person { "for a person" } else { "had no answer" };
        writeln!(out, "{id} ({site}, {language}, {taken}, {kind}): {text}")?;
        if let Some(answer) = answer {
            writeln!(out, "  answered: {answer}")?;
        }
    }
    Ok(())
}

pub(super) fn show_rollouts(list: &[RolloutSummary], out: &mut dyn Write) -> io::Result<()> {
    if list.is_empty() {
        return writeln!(
            out,
            "no roll-outs: `jibu-hub publish COLLECTION --canary SITE` begins one"
        );
    }
    for rollout in list {
        let RolloutSummary { collection, version, state, step, steps, .. } = rollout;
        let RolloutSummary { told, active, failed, sites, .. } = rollout;
        writeln!(
            out,
            "{collection} version {version}: {state}, step {step} of {steps}; told {told} of {} \
             sites, {active} have it, {failed} gave it up",
            sites,
        )?;
    }
    Ok(())
}

pub(super) fn show_answered(question: &Question, out: &mut dyn Write) -> io::Result<()> {
    if question.for_a_person {
        writeln!(out, "{}: {} is told to send the reply", question.id, question.site)?;
    }
    if let Some(collection) = &question.collection {
        writeln!(
            out,
            "{}: in \"{collection}\" from its next version on: `jibu-hub publish {collection}`",
            question.id
        )?;
    }
    Ok(())
}

/// Bytes as people read them.
pub(super) fn kilobytes(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{}.{} kB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// Thousandths as an amount.
pub(super) fn money(thousandths: u64, currency: &str) -> String {
    let amount = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    format!("{amount} {currency}").trim_end().to_owned()
}

pub(super) fn show_list(list: &[CollectionSummary], out: &mut dyn Write) -> io::Result<()> {
    if list.is_empty() {
        return writeln!(out, "no collections yet: `jibu-hub ingest COLLECTION PATH…` makes one");
    }
    for collection in list {
        let languages: Vec<&str> = collection.languages.iter().map(Language::as_str).collect();
        let version = match (&collection.version, &collection.issued) {
            (Some(version), Some(issued)) => format!("version {version} of {issued}"),
            _ => "not bundled yet".to_owned(),
        };
        writeln!(
            out,
            "{}: {}, {}, {}, {} ({version})",
            collection.collection,
            counted(collection.documents, "document"),
            counted(collection.passages, "passage"),
            counted(collection.golden, "golden query"),
            languages.join(" "),
        )?;
    }
    Ok(())
}

pub(crate) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

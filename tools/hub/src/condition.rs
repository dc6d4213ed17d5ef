//! How a site is, from what it told: its health, how much it is asked, and what
//! had no answer.

use std::collections::BTreeMap;

use jibu_sync::telemetry::{Count, Health, Record};
use jibu_sync::wire::{SiteName, Stream};
use jibu_types::{Language, Timestamp};
use serde::Serialize;

use crate::authority::DAY;
use crate::hub::while_;
use crate::sites::SiteSummary;
use crate::state::values;
use crate::{Hub, HubError};

/// Days of usage that are added up.
pub(crate) const USAGE_DAYS: u32 = 30;

/// A site with what it told of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteCondition {
    /// How it stands, and what it should run and runs.
    #[serde(flatten)]
    pub summary: SiteSummary,
    /// How it was when it last said so.
    pub health: Option<SiteHealth>,
    /// What was asked in the last 30 days.
    pub usage: Vec<SiteUsage>,
    /// Questions that had no answer and were not answered since, in all.
    pub unanswered: u64,
    /// People who asked them, as far as their pseudonyms tell.
    pub unanswered_askers: u64,
    /// Questions for a person that wait for a reply.
    pub waiting_for_a_person: u64,
}

/// A site's health as it told it. What is not known there is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteHealth {
    /// When the hub heard it.
    pub heard: String,
    /// When it was so, by the site's clock; none where that is not set.
    pub at: Option<String>,
    /// Seconds by which the site's clock was behind the hub's when it was heard;
    /// a record may have waited for a link.
    pub clock_behind_s: Option<i64>,
    /// Seconds since the daemon started.
    pub uptime_s: u32,
    /// Room on the disk, in kilobytes.
    pub disk_free_kb: Option<u64>,
    /// How much of the card's life is used at most, in per cent.
    pub card_wear_percent: Option<u8>,
    /// The modem's signal, in dBm.
    pub signal_dbm: Option<i16>,
    /// How often the power went since the box was made.
    pub power_cuts: Option<u32>,
    /// The processor's temperature, in tenths of a degree Celsius.
    pub temperature_dc: Option<i16>,
    /// Messages that wait to be answered or sent.
    pub waiting: Option<u32>,
    /// The airtime of the SIM that has least, in hundredths.
    pub airtime: Option<i64>,
    /// Whether somebody should buy airtime.
    pub airtime_low: Option<bool>,
}

/// How much was asked on a channel in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteUsage {
    /// `sms`, `ussd` or `kiosk`.
    pub channel: &'static str,
    /// The language.
    pub language: Language,
    /// Questions.
    pub asked: u64,
    /// Questions that were answered.
    pub answered: u64,
    /// Questions for a person.
    pub person: u64,
}

impl Hub {
    /// A site with all that it told of itself.
    ///
    /// # Errors
    /// When there is no such site, or the state cannot be read.
    pub fn condition(
        &mut self,
        site: &SiteName,
        now: Timestamp,
    ) -> Result<SiteCondition, HubError> {
        let mut sites = self.sites(now)?.into_iter();
        let summary = sites.find(|summary| summary.site == site.as_str());
        let summary = summary.ok_or_else(|| HubError::NoSite(site.clone()))?;
        let doing = while_("reading questions");
        let sql = "SELECT stream, count(*), count(DISTINCT whose) FROM question
                   WHERE site = ?1 AND answered_ms IS NULL GROUP BY stream";
        let mut questions: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for row in self.database.query(sql, values![site.as_str()]).map_err(&doing)? {
            let counts = (row.get(1).map_err(&doing)?, row.get(2).map_err(&doing)?);
            questions.insert(row.get(0).map_err(&doing)?, counts);
        }
        let of = |stream: Stream| questions.get(stream.as_str()).copied().unwrap_or_default();
        let (unanswered, unanswered_askers) = of(Stream::Unanswered);
        Ok(SiteCondition {
            summary,
            health: self.health(site)?,
            usage: self.usage(site, now - DAY * USAGE_DAYS)?,
            unanswered,
            unanswered_askers,
            waiting_for_a_person: of(Stream::Person).0,
        })
    }

    fn health(&mut self, site: &SiteName) -> Result<Option<SiteHealth>, HubError> {
        let doing = while_("reading a site's health");
        let sql = "SELECT taken_ms, record FROM telemetry WHERE site = ?1 AND stream = ?2
                   ORDER BY taken_ms DESC, id DESC LIMIT 1";
        let values = values![site.as_str(), Stream::Health.as_str()];
        let rows = self.database.query(sql, values).map_err(&doing)?;
        let Some(row) = rows.first() else { return Ok(None) };
        let heard = Timestamp::from_unix_ms(row.get(0).map_err(&doing)?);
        let record: Vec<u8> = row.get(1).map_err(&doing)?;
        let Some(Record::Health(told)) = Record::decode(Stream::Health, &record) else {
            return Err(HubError::DamagedRow("telemetry"));
        };
        let Health { at, uptime_s, disk_free_kb, card_wear_percent, signal_dbm, .. } = told;
        let Health { power_cuts, temperature_dc, waiting, airtime, airtime_low, .. } = told;
        Ok(Some(SiteHealth {
            heard: heard.to_string(),
            at: at.map(|at| at.to_string()),
            clock_behind_s: at.map(|at| (heard.unix_ms() - at.unix_ms()) / 1000),
            uptime_s,
            disk_free_kb,
            card_wear_percent,
            signal_dbm,
            power_cuts,
            temperature_dc,
            waiting,
            airtime,
            airtime_low,
        }))
    }

    fn usage(&mut self, site: &SiteName, since: Timestamp) -> Result<Vec<SiteUsage>, HubError> {
        let doing = while_("reading a site's usage");
        let sql = "SELECT record FROM telemetry
                   WHERE site = ?1 AND stream = ?2 AND taken_ms >= ?3";
        let values = values![site.as_str(), Stream::Usage.as_str(), since.unix_ms()];
        let mut sums: BTreeMap<(u8, Language), [u64; 3]> = BTreeMap::new();
        for row in self.database.query(sql, values).map_err(&doing)? {
            let record: Vec<u8> = row.get(0).map_err(&doing)?;
            let Some(Record::Usage(told)) = Record::decode(Stream::Usage, &record) else {
                return Err(HubError::DamagedRow("telemetry"));
            };
            for Count { channel, language, asked, answered, person } in told.counts {
                let sum = sums.entry((channel, language)).or_default();
                let counts = [asked, answered, person];
                sum.iter_mut().zip(counts).for_each(|(sum, n)| *sum += u64::from(n));
            }
        }
        let line = |((channel, language), [asked, answered, person]): (_, [u64; 3])| SiteUsage {
            channel: match channel {
                0 => "sms",
                1 => "ussd",
                2 => "kiosk",
                _ => "other",
            },
            language,
            asked,
            answered,
            person,
        };
        Ok(sums.into_iter().map(line).collect())
    }
}

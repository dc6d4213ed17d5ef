//! The sites that a hub knows: who is invited, enrolled or revoked, what each
//! may read, and what each last said of itself.

use jibu_sync::enrol::Invitation;
use jibu_sync::wire::{Report, SiteName, Stall, State};
use jibu_sync::{ShortHash, SitePublicKey};
use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};
use serde::Serialize;

use crate::authority::{WORKER, invitation};
use crate::claims::revoke_certificates;
use crate::hub::{collection, while_};
use crate::key;
use crate::state::{DatabaseError, Row, Transaction, Value, values};
use crate::{Hub, HubError};

/// What an admin may set of a site; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteSettings {
    /// The groups that it belongs to.
    pub groups: Option<Vec<String>>,
    /// The languages that it answers in; none for all.
    pub languages: Option<Vec<Language>>,
    /// What its link is said to bring, in kbit/s.
    pub rate_kbit: Option<u32>,
    /// What a megabyte costs, in thousandths of the hub's currency.
    pub price_per_mb: Option<u32>,
    /// Kilobytes that an update may bring; 0 for no limit.
    pub budget_kb: Option<u32>,
    /// Whether it may tell questions that had no answer.
    pub tells_unanswered: Option<bool>,
}

/// How a site stands to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It may enrol with its invitation.
    Invited,
    /// Its invitation has run out unused.
    Lapsed,
    /// It has a certificate.
    Enrolled,
    /// It gets nothing any more.
    Revoked,
}

/// A site in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteSummary {
    /// Its name.
    pub site: String,
    /// How it stands to the hub.
    pub standing: Standing,
    /// Its groups.
    pub groups: Vec<String>,
    /// The languages that it answers in; none for all.
    pub languages: Vec<Language>,
    /// The collections that it may read.
    pub collections: Vec<CollectionName>,
    /// Whether it was connected when it was last heard of.
    pub online: bool,
    /// When that was.
    pub heard: Option<String>,
    /// Until when its certificate is good.
    pub certified_until: Option<String>,
    /// What its link brings, in kbit/s: as it measured, or else as was set.
    pub rate_kbit: Option<u64>,
    /// What a megabyte costs, in thousandths.
    pub price_per_mb: Option<u64>,
    /// Kilobytes that an update may bring.
    pub budget_kb: Option<u64>,
    /// Whether it may tell questions that had no answer.
    pub tells_unanswered: bool,
    /// What it last said of its collections.
    pub reports: Vec<SiteReport>,
}

/// What a site runs of a collection, beside what it should run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteReport {
    /// The collection.
    pub collection: String,
    /// The hub's newest version.
    pub wanted: Option<String>,
    /// What the site answers from, by its own signature.
    pub active: Option<String>,
    /// The highest version that it has seen.
    pub newest: Option<String>,
    /// Objects that it lacks.
    pub missing: u64,
    /// Bytes that the present update has cost.
    pub spent: u64,
    /// Why it does not go on.
    pub stall: Option<&'static str>,
    /// Whether what it answers from has expired.
    pub expired: bool,
    /// Whether it gave the newest version up: its golden queries failed, or it
    /// was faulty.
    #[serde(skip)]
    pub(crate) gave_up: bool,
    /// The active root's short hash.
    #[serde(skip)]
    pub(crate) root: Option<ShortHash>,
}

/// A site's row.
#[derive(Debug, Clone)]
pub(crate) struct SiteRow {
    pub(crate) name: SiteName,
    pub(crate) salt: Option<Vec<u8>>,
    pub(crate) invited_until: Option<Timestamp>,
    pub(crate) claimed: Option<SitePublicKey>,
    pub(crate) public_key: Option<SitePublicKey>,
    pub(crate) old_key: Option<SitePublicKey>,
    pub(crate) certified_until: Option<Timestamp>,
    revoked: Option<Timestamp>,
    pub(crate) groups: Vec<String>,
    pub(crate) languages: Vec<Language>,
    rate_kbit: Option<u64>,
    pub(crate) price_per_mb: Option<u64>,
    pub(crate) budget_kb: Option<u64>,
    pub(crate) tells_unanswered: bool,
    online: bool,
    rate: Option<u64>,
    heard: Option<Timestamp>,
}

const COLUMNS: &str = "name, salt, invited_until_ms, claimed, public_key, old_key,
    certified_until_ms, revoked_ms, member_of, languages, rate_kbit, price_per_mb, budget_kb,
    tells_unanswered, online, rate, heard_ms";

impl SiteRow {
    fn read(row: &Row) -> Result<Self, DatabaseError> {
        const DAMAGED: DatabaseError = DatabaseError::Damaged("site");
        let name: String = row.get(0)?;
        let time = |at| Ok(row.get::<Option<i64>>(at)?.map(Timestamp::from_unix_ms));
        let key = |at| -> Result<Option<SitePublicKey>, DatabaseError> {
            let Some(bytes) = row.get::<Option<Vec<u8>>>(at)? else { return Ok(None) };
            let key = bytes.try_into().ok().and_then(SitePublicKey::from_bytes);
            key.map(Some).ok_or(DAMAGED)
        };
        let list = |at| -> Result<Vec<String>, DatabaseError> {
            serde_json::from_str(&row.get::<String>(at)?).map_err(|_| DAMAGED)
        };
        let languages = list(9)?.iter().map(|code| Language::parse(code)).collect::<Result<_, _>>();
        Ok(SiteRow {
            name: SiteName::parse(&name).map_err(|_| DAMAGED)?,
            salt: row.get(1)?,
            invited_until: time(2)?,
            claimed: key(3)?,
            public_key: key(4)?,
            old_key: key(5)?,
            certified_until: time(6)?,
            revoked: time(7)?,
            groups: list(8)?,
            languages: languages.map_err(|_| DAMAGED)?,
            rate_kbit: row.get(10)?,
            price_per_mb: row.get(11)?,
            budget_kb: row.get(12)?,
            tells_unanswered: row.get(13)?,
            online: row.get(14)?,
            rate: row.get(15)?,
            heard: time(16)?,
        })
    }

    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        match (self.revoked, self.public_key) {
            (Some(_), _) => Standing::Revoked,
            (None, Some(_)) => Standing::Enrolled,
            (None, None) if self.invited_until >= Some(now) => Standing::Invited,
            (None, None) => Standing::Lapsed,
        }
    }

    /// What its link brings, in kbit/s.
    pub(crate) fn rate_kbit(&self) -> Option<u64> {
        let measured = self.rate.map(|bytes| (bytes * 8).div_ceil(1000));
        measured.filter(|rate| *rate > 0).or(self.rate_kbit)
    }
}

impl Hub {
    /// Takes a site in and invites it.
    ///
    /// # Errors
    /// When there is one of this name, or the name is the hub's own.
    pub fn add_site(
        &mut self,
        site: &SiteName,
        settings: &SiteSettings,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Invitation, HubError> {
        if site.as_str() == WORKER {
            return Err(HubError::ReservedName);
        }
        let doing = while_("adding a site");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let added = transaction
            .execute(
                "INSERT INTO site (name, added_ms, member_of, languages) VALUES (?1, ?2, '[]', '[]')
                 ON CONFLICT DO NOTHING",
                values![site.as_str(), now.unix_ms()],
            )
            .map_err(&doing)?;
        if added == 0 {
            return Err(HubError::SiteExists(site.clone()));
        }
        transaction.commit().map_err(&doing)?;
        self.set_site(site, settings)?;
        self.invite_site(site, until)
    }

    /// Invites a site anew: one that has not enrolled in time, or lost its key,
    /// or was revoked. What it has goes on until the invitation is used.
    ///
    /// # Errors
    /// When there is no such site.
    pub fn invite_site(
        &mut self,
        site: &SiteName,
        until: Timestamp,
    ) -> Result<Invitation, HubError> {
        let mut salt = [0; 16];
        key::fill_random(&mut salt)?;
        self.change_site(
            site,
            "UPDATE site SET salt = ?2, invited_until_ms = ?3, claimed = NULL WHERE name = ?1",
            values![site.as_str(), salt.as_slice(), until.unix_ms()],
        )?;
        Ok(invitation(&self.key, site, &salt))
    }

    /// Sets what is set of a site.
    ///
    /// # Errors
    /// When there is no such site.
    pub fn set_site(&mut self, site: &SiteName, settings: &SiteSettings) -> Result<(), HubError> {
        let json = |list: Vec<String>| serde_json::Value::from(list).to_string();
        let codes = |list: &Vec<Language>| list.iter().map(|l| l.as_str().to_owned()).collect();
        self.change_site(
            site,
            "UPDATE site SET
                member_of = coalesce(?2, member_of), languages = coalesce(?3, languages),
                rate_kbit = coalesce(?4, rate_kbit), price_per_mb = coalesce(?5, price_per_mb),
                budget_kb = CASE WHEN ?6 = 0 THEN NULL ELSE coalesce(?6, budget_kb) END,
                tells_unanswered = coalesce(?7, tells_unanswered)
             WHERE name = ?1",
            values![
                site.as_str(),
                settings.groups.clone().map(json),
                settings.languages.as_ref().map(codes).map(json),
                settings.rate_kbit,
                settings.price_per_mb,
                settings.budget_kb,
                settings.tells_unanswered,
            ],
        )
    }

    /// Revokes a site: its certificates, its invitation, its say. The broker
    /// learns of it from the next export, or at once where the hub is it.
    ///
    /// # Errors
    /// When there is no such site.
    pub fn revoke_site(&mut self, site: &SiteName, now: Timestamp) -> Result<(), HubError> {
        let doing = while_("revoking a site");
        let mut transaction = self.database.begin().map_err(&doing)?;
        revoke_certificates(&mut *transaction, site, now).map_err(&doing)?;
        let sql = "UPDATE site SET revoked_ms = ?2, public_key = NULL, old_key = NULL,
                   certified_until_ms = NULL, salt = NULL, invited_until_ms = NULL, online = 0
                   WHERE name = ?1";
        let changed = transaction.execute(sql, values![site.as_str(), now.unix_ms()]);
        if changed.map_err(&doing)? == 0 {
            return Err(HubError::NoSite(site.clone()));
        }
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }

    /// The groups that may read a collection; none for every site.
    ///
    /// # Errors
    /// When there is no such collection.
    pub fn entitle(
        &mut self,
        collection: &CollectionName,
        groups: &[String],
    ) -> Result<(), HubError> {
        let names = self.collection_names()?;
        if !names.contains(collection) {
            return Err(crate::hub::no_collection(collection, &names));
        }
        let doing = while_("entitling groups");
        let name = collection.as_str();
        let mut transaction = self.database.begin().map_err(&doing)?;
        transaction
            .execute("DELETE FROM entitlement WHERE collection = ?1", values![name])
            .map_err(&doing)?;
        for group in groups {
            transaction
                .execute(
                    "INSERT INTO entitlement (collection, member_of) VALUES (?1, ?2)
                     ON CONFLICT DO NOTHING",
                    values![name, group],
                )
                .map_err(&doing)?;
        }
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }

    /// Every site, by name.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn sites(&mut self, now: Timestamp) -> Result<Vec<SiteSummary>, HubError> {
        let rows = self.site_rows()?;
        let readers = self.readers()?;
        let newest = self.newest_versions()?;
        let mut reports = self.reports(&newest)?;
        let summary = |row: SiteRow| SiteSummary {
            standing: row.standing(now),
            collections: readers.of(&row),
            rate_kbit: row.rate_kbit(),
            reports: reports
                .extract_if(.., |(site, _)| *site == row.name)
                .map(|(_, r)| r)
                .collect(),
            site: row.name.as_str().to_owned(),
            groups: row.groups,
            languages: row.languages,
            online: row.online,
            heard: row.heard.map(|at| at.to_string()),
            certified_until: row.certified_until.map(|at| at.to_string()),
            price_per_mb: row.price_per_mb,
            budget_kb: row.budget_kb,
            tells_unanswered: row.tells_unanswered,
        };
        Ok(rows.into_iter().map(summary).collect())
    }

    /// Takes in a state that a site is said to have sent. `None` for one that is
    /// not its own, or not above the last.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub fn hear(
        &mut self,
        site: &SiteName,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Option<State>, HubError> {
        let Some(row) = self.site_row(site)? else { return Ok(None) };
        let signed_by = |key: Option<SitePublicKey>| {
            key.and_then(|key| State::verify(payload, site, &key).ok())
        };
        let (state, is_present) = match signed_by(row.public_key) {
            Some(state) => (state, true),
            None => match signed_by(row.old_key) {
                Some(state) => (state, false),
                None => return Ok(None),
            },
        };
        let doing = while_("recording what a site said");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let taken = transaction
            .execute(
                "UPDATE site SET counter = ?2, online = ?3, done = ?4,
                    rate = coalesce(?5, rate), heard_ms = ?6,
                    old_key = CASE WHEN ?7 = 1 THEN NULL ELSE old_key END
                 WHERE name = ?1 AND counter < ?2",
                values![
                    site.as_str(),
                    state.counter,
                    state.online,
                    state.done,
                    state.rate,
                    now.unix_ms(),
                    is_present,
                ],
            )
            .map_err(&doing)?;
        if taken == 0 {
            return Ok(None);
        }
        if is_present && row.old_key.is_some() {
            // It has its new certificate: those before are for nobody now.
            transaction
                .execute(
                    "UPDATE certificate SET revoked_ms = ?2
                     WHERE site = ?1 AND revoked_ms IS NULL AND until_ms < ?3",
                    values![
                        site.as_str(),
                        now.unix_ms(),
                        row.certified_until.map(Timestamp::unix_ms),
                    ],
                )
                .map_err(&doing)?;
        }
        crate::told::done(&mut *transaction, site, state.done).map_err(&doing)?;
        for report in &state.reports {
            record_report(&mut *transaction, site, report).map_err(&doing)?;
        }
        transaction.commit().map_err(&doing)?;
        Ok(Some(state))
    }

    pub(crate) fn site_rows(&mut self) -> Result<Vec<SiteRow>, HubError> {
        let doing = while_("reading sites");
        let sql = format!("SELECT {COLUMNS} FROM site ORDER BY name");
        let rows = self.database.query(&sql, values![]).map_err(&doing)?;
        rows.iter().map(SiteRow::read).collect::<Result<_, _>>().map_err(&doing)
    }

    pub(crate) fn site_row(&mut self, site: &SiteName) -> Result<Option<SiteRow>, HubError> {
        let doing = while_("reading a site");
        let sql = format!("SELECT {COLUMNS} FROM site WHERE name = ?1");
        let rows = self.database.query(&sql, values![site.as_str()]).map_err(&doing)?;
        rows.first().map(SiteRow::read).transpose().map_err(&doing)
    }

    /// Who may read which collection.
    pub(crate) fn readers(&mut self) -> Result<Readers, HubError> {
        let doing = while_("reading entitlements");
        let mut readers: Vec<Reader> = Vec::new();
        for name in self.collection_names()? {
            readers.push(Reader { name, groups: Vec::new(), languages: Vec::new() });
        }
        let sql = "SELECT collection, member_of FROM entitlement";
        for row in self.database.query(sql, values![]).map_err(&doing)? {
            let name = collection(&row.get::<String>(0).map_err(&doing)?)?;
            let group: String = row.get(1).map_err(&doing)?;
            let of_name = readers.iter_mut().filter(|reader| reader.name == name);
            of_name.for_each(|reader| reader.groups.push(group.clone()));
        }
        let sql = "SELECT DISTINCT collection, language FROM document";
        for row in self.database.query(sql, values![]).map_err(&doing)? {
            let name = collection(&row.get::<String>(0).map_err(&doing)?)?;
            let language = Language::parse(&row.get::<String>(1).map_err(&doing)?)
                .map_err(|_| HubError::DamagedRow("document"))?;
            let of_name = readers.iter_mut().filter(|reader| reader.name == name);
            of_name.for_each(|reader| reader.languages.push(language));
        }
        Ok(Readers(readers))
    }

    /// The newest version of each collection that has one.
    fn newest_versions(&mut self) -> Result<Vec<(String, IndexVersion)>, HubError> {
        let doing = while_("reading versions");
        let sql = "SELECT epoch, version, collection FROM release WHERE staged = 0
                   ORDER BY epoch, version";
        let mut newest: Vec<(String, IndexVersion)> = Vec::new();
        for row in self.database.query(sql, values![]).map_err(&doing)? {
            let name: String = row.get(2).map_err(&doing)?;
            newest.retain(|(other, _)| *other != name);
            newest.push((name, crate::release::version_of(&row).map_err(&doing)?));
        }
        Ok(newest)
    }

    /// What every site last said.
    fn reports(
        &mut self,
        newest: &[(String, IndexVersion)],
    ) -> Result<Vec<(SiteName, SiteReport)>, HubError> {
        let doing = while_("reading reports");
        let sql = "SELECT site, collection, epoch, version, root, newest_epoch, newest_version,
                   missing, spent, stall, expired FROM report ORDER BY site, collection";
        let rows = self.database.query(sql, values![]).map_err(&doing)?;
        let report = |row: &Row| -> Result<(SiteName, SiteReport), DatabaseError> {
            let version = |at| -> Result<Option<IndexVersion>, DatabaseError> {
                let (epoch, version): (Option<u32>, Option<u64>) = (row.get(at)?, row.get(at + 1)?);
                Ok(epoch.zip(version).map(|(epoch, version)| IndexVersion { epoch, version }))
            };
            let site = SiteName::parse(&row.get::<String>(0)?);
            let collection: String = row.get(1)?;
            let wanted = newest.iter().find(|(name, _)| *name == collection);
            let root: Option<String> = row.get(4)?;
            let stall: u32 = row.get(9)?;
            let stall = u8::try_from(stall).ok().and_then(Stall::from_wire);
            let report = SiteReport {
                wanted: wanted.map(|(_, version)| version.to_string()),
                collection,
                active: version(2)?.map(|version| version.to_string()),
                newest: version(5)?.map(|version| version.to_string()),
                missing: row.get(7)?,
                spent: row.get(8)?,
                stall: stall.and_then(words),
                gave_up: matches!(stall, Some(Stall::Refused | Stall::Faulty)),
                expired: row.get(10)?,
                root: root.as_deref().and_then(ShortHash::parse),
            };
            Ok((site.map_err(|_| DatabaseError::Damaged("report"))?, report))
        };
        rows.iter().map(report).collect::<Result<_, _>>().map_err(&doing)
    }

    fn change_site(
        &mut self,
        site: &SiteName,
        sql: &str,
        values: &[Value],
    ) -> Result<(), HubError> {
        let doing = while_("changing a site");
        let mut transaction = self.database.begin().map_err(&doing)?;
        if transaction.execute(sql, values).map_err(&doing)? == 0 {
            return Err(HubError::NoSite(site.clone()));
        }
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }
}

/// Who may read which collection: groups and languages.
pub(crate) struct Readers(Vec<Reader>);

struct Reader {
    name: CollectionName,
    groups: Vec<String>,
    languages: Vec<Language>,
}

impl Readers {
    /// The collections that a site may read, by name: those that are open to
    /// one of its groups, and have one of its languages.
    pub(crate) fn of(&self, site: &SiteRow) -> Vec<CollectionName> {
        let may = |reader: &&Reader| {
            let group = reader.groups.is_empty()
                || reader.groups.iter().any(|group| site.groups.contains(group));
            let language = site.languages.is_empty()
                || reader.languages.iter().any(|language| site.languages.contains(language));
            group && language
        };
        self.0.iter().filter(may).map(|reader| reader.name.clone()).collect()
    }
}

/// Why a site does not go on, in words.
fn words(stall: Stall) -> Option<&'static str> {
    match stall {
        Stall::None => None,
        Stall::OverBudget => Some("over its budget"),
        Stall::NoSpace => Some("disk full"),
        Stall::Refused => Some("failed its golden queries, went back"),
        Stall::Faulty => Some("faulty version"),
        Stall::Conflict => Some("two roots of one version"),
    }
}

fn record_report(
    transaction: &mut dyn Transaction,
    site: &SiteName,
    report: &Report,
) -> Result<(), DatabaseError> {
    let active = report.active;
    transaction.execute(
        "INSERT INTO report (site, collection, epoch, version, root, newest_epoch, newest_version,
            missing, spent, stall, expired)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (site, collection) DO UPDATE SET
            epoch = excluded.epoch, version = excluded.version, root = excluded.root,
            newest_epoch = excluded.newest_epoch, newest_version = excluded.newest_version,
            missing = excluded.missing, spent = excluded.spent, stall = excluded.stall,
            expired = excluded.expired",
        values![
            site.as_str(),
            report.collection.as_str(),
            active.map(|(version, _)| version.epoch),
            active.map(|(version, _)| version.version),
            active.map(|(_, root)| root.to_string()),
            report.newest.map(|version| version.epoch),
            report.newest.map(|version| version.version),
            report.missing,
            report.spent,
            report.stall as u32,
            report.expired,
        ],
    )?;
    Ok(())
}

/// Tells running workers that there is something new.
pub(crate) fn raise_changes(transaction: &mut dyn Transaction) -> Result<(), DatabaseError> {
    transaction.execute("UPDATE hub SET changes = changes + 1", values![]).map(drop)
}

//! What sites tell, and what the hub tells them to do.

use std::time::Duration;

use jibu_sync::command::{self, Command, Numbered};
use jibu_sync::telemetry::{Ack, Batch, Record};
use jibu_sync::wire::{SiteName, Stream};
use jibu_types::Timestamp;

use crate::hub::while_;
use crate::sites::{SiteRow, Standing, raise_changes};
use crate::state::{DatabaseError, Transaction, values};
use crate::{Hub, HubError};

/// How long health and usage are kept: a year and a little, to compare.
const KEPT: Duration = Duration::from_secs(400 * 86_400);

impl Hub {
    /// Takes a batch of telemetry in, and gives the acknowledgement. `None` for
    /// what is none, or of a site that is not enrolled.
    ///
    /// # Errors
    /// When the state cannot be written; then nothing is acknowledged.
    pub fn take_telemetry(
        &mut self,
        site: &SiteName,
        stream: Stream,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, HubError> {
        let Some(batch) = Batch::decode(payload) else { return Ok(None) };
        let row = self.site_row(site)?.filter(|row| row.standing(now) == Standing::Enrolled);
        let Some(row) = row else { return Ok(None) };
        let doing = while_("recording telemetry");
        let mut transaction = self.database.begin().map_err(&doing)?;
        let through = through(&mut *transaction, site, stream).map_err(&doing)?;
        let (records, now_through) = batch.after(through);
        for (_, record) in records {
            take(&mut *transaction, &row, stream, record, now).map_err(&doing)?;
        }
        if now_through > through {
            transaction
                .execute(
                    "INSERT INTO told (site, stream, through) VALUES (?1, ?2, ?3)
                     ON CONFLICT (site, stream) DO UPDATE SET through = excluded.through",
                    values![site.as_str(), stream.as_str(), now_through],
                )
                .map_err(&doing)?;
        }
        transaction.commit().map_err(&doing)?;
        Ok(Some(Ack(vec![(stream, now_through)]).encode()))
    }

    /// Tells a site to do something: it stays told until the site says that it
    /// is done.
    ///
    /// # Errors
    /// When there is no such site, or the state cannot be written.
    pub fn command(&mut self, site: &SiteName, command: &Command) -> Result<(), HubError> {
        let doing = while_("recording a command");
        let mut transaction = self.database.begin().map_err(&doing)?;
        if !tell(&mut *transaction, site, command).map_err(&doing)? {
            return Err(HubError::NoSite(site.clone()));
        }
        transaction.commit().map_err(&doing)
    }

    /// What stands on a site's command topic: empty when there is nothing.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn commands_for(&mut self, site: &SiteName) -> Result<Vec<u8>, HubError> {
        let doing = while_("reading commands");
        let sql = "SELECT number, command FROM command WHERE site = ?1 ORDER BY number LIMIT ?2";
        let limit = command::MAX_COMMANDS;
        let rows = self.database.query(sql, values![site.as_str(), limit]).map_err(&doing)?;
        let numbered = |row: &crate::state::Row| -> Result<Numbered, DatabaseError> {
            let command = Command::decode(&row.get::<Vec<u8>>(1)?);
            let command = command.ok_or(DatabaseError::Damaged("command"))?;
            Ok(Numbered { number: row.get(0)?, command })
        };
        let commands: Vec<Numbered> =
            rows.iter().map(numbered).collect::<Result<_, _>>().map_err(&doing)?;
        Ok(command::sign(&commands, site, &self.key))
    }

    /// The sites that have something to do.
    pub(crate) fn commanded_sites(&mut self) -> Result<Vec<SiteName>, HubError> {
        let doing = while_("reading commands");
        let sql = "SELECT DISTINCT site FROM command ORDER BY site";
        let rows = self.database.query(sql, values![]).map_err(&doing)?;
        rows.iter()
            .map(|row| {
                let name: String = row.get(0).map_err(&doing)?;
                SiteName::parse(&name).map_err(|_| HubError::DamagedRow("command"))
            })
            .collect()
    }
}

/// Adds a command for a site; whether there is such a site.
pub(crate) fn tell(
    transaction: &mut dyn Transaction,
    site: &SiteName,
    command: &Command,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT s.done, (SELECT max(number) FROM command WHERE site = s.name)
               FROM site s WHERE s.name = ?1";
    let rows = transaction.query(sql, values![site.as_str()])?;
    let Some(row) = rows.first() else { return Ok(false) };
    // Above all that the site has done, and all that it was told.
    let told: Option<u64> = row.get(1)?;
    let number = row.get::<u64>(0)?.max(told.unwrap_or(0)).saturating_add(1);
    transaction.execute(
        "INSERT INTO command (site, number, command) VALUES (?1, ?2, ?3)",
        values![site.as_str(), number, command.encode()],
    )?;
    raise_changes(transaction)?;
    Ok(true)
}

/// Takes out what a site has done.
pub(crate) fn done(
    transaction: &mut dyn Transaction,
    site: &SiteName,
    through: u64,
) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM command WHERE site = ?1 AND number <= ?2";
    if transaction.execute(sql, values![site.as_str(), through])? > 0 {
        raise_changes(transaction)?;
    }
    Ok(())
}

fn through(
    transaction: &mut dyn Transaction,
    site: &SiteName,
    stream: Stream,
) -> Result<u64, DatabaseError> {
    let sql = "SELECT through FROM told WHERE site = ?1 AND stream = ?2";
    let rows = transaction.query(sql, values![site.as_str(), stream.as_str()])?;
    rows.first().map_or(Ok(0), |row| row.get(0))
}

/// Keeps one record. What cannot be read is passed over: it would come again
/// for ever.
fn take(
    transaction: &mut dyn Transaction,
    site: &SiteRow,
    stream: Stream,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let (language, text, whose) = match Record::decode(stream, bytes) {
        None => return Ok(()),
        Some(Record::Health(_) | Record::Usage(_)) => {
            transaction.execute(
                "INSERT INTO telemetry (site, stream, taken_ms, record) VALUES (?1, ?2, ?3, ?4)",
                values![site.name.as_str(), stream.as_str(), now.unix_ms(), bytes],
            )?;
            transaction.execute(
                "DELETE FROM telemetry WHERE site = ?1 AND stream = ?2 AND taken_ms < ?3",
                values![site.name.as_str(), stream.as_str(), (now - KEPT).unix_ms()],
            )?;
            return Ok(());
        }
        Some(Record::Unanswered(_)) if !site.tells_unanswered => return Ok(()),
        Some(Record::Unanswered(told)) => (told.language, told.text, told.pseudonym.to_vec()),
        Some(Record::Person(told)) => (told.language, told.text, told.asker),
    };
    transaction.execute(
        "INSERT INTO question (site, stream, taken_ms, language, text, whose)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        values![
            site.name.as_str(),
            stream.as_str(),
            now.unix_ms(),
            language.as_str(),
            // PostgreSQL's texts have no zero byte.
            text.replace('\0', ""),
            whose,
        ],
    )?;
    Ok(())
}

//! What a broker needs to let sites in and keep them apart: written for
//! mosquitto, and readable for others.

use std::path::Path;

use jibu_types::Timestamp;
use serde::Serialize;

use crate::authority::{Authority, DAY, Identity};
use crate::broker::Access;
use crate::hub::while_;
use crate::release::replace;
use crate::sites::Standing;
use crate::state::values;
use crate::{Hub, HubError};

/// Days that the broker's and the hub's own certificates are good for.
const BROKER_DAYS: u32 = 3650;

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// The files.
    pub files: Vec<String>,
    /// Sites that may connect.
    pub sites: usize,
    /// Certificates that may not.
    pub revoked: usize,
}

impl Hub {
    /// Writes the authority's certificate, the list of revoked certificates, the
    /// access list and the hub's own identity into a folder; with `hosts` also
    /// an identity of the broker, and settings for mosquitto.
    ///
    /// # Errors
    /// When the state cannot be read or a file not written.
    pub fn export(
        &mut self,
        folder: &Path,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<ExportReport, HubError> {
        let authority = Authority::of(&self.key)?;
        let revoked = self.revoked_certificates(now)?;
        let worker = self.worker_identity(now)?;
        let access = self.access(now)?;
        let mut files = vec![
            ("ca.pem", authority.pem(), false),
            ("crl.pem", self.revocation_list(now)?, false),
            ("acl", access_list(&access), false),
            ("hub.pem", worker.certificate, false),
            ("hub.key.pem", worker.key, true),
        ];
        if !hosts.is_empty() {
            let broker = self.broker_identity(hosts, now)?;
            files.push(("broker.pem", broker.certificate, false));
            files.push(("broker.key.pem", broker.key, true));
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            files.push(("mosquitto.conf", mosquitto(&folder), false));
        }
        std::fs::create_dir_all(folder)
            .map_err(|source| HubError::Folder { path: folder.to_owned(), source })?;
        for (name, content, is_secret) in &files {
            let path = folder.join(name);
            replace(&path, content.as_bytes(), *is_secret)
                .map_err(|source| HubError::Output { path, source })?;
        }
        let files = files.into_iter().map(|(name, ..)| name.to_owned()).collect();
        Ok(ExportReport { files, sites: access.len(), revoked: revoked.len() })
    }

    /// The certificate of whoever signs sites and the broker, as PEM.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn authority_pem(&self) -> Result<String, HubError> {
        Ok(Authority::of(&self.key)?.pem())
    }

    /// The identity with which this hub's workers connect to a broker.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn worker_identity(&self, now: Timestamp) -> Result<Identity, HubError> {
        let until = now + DAY * BROKER_DAYS;
        Ok(Authority::of(&self.key)?.certify_worker(&self.key, until)?)
    }

    /// The identity of a broker with these host names or addresses.
    ///
    /// # Errors
    /// When a name is none.
    pub fn broker_identity(&self, hosts: &[String], now: Timestamp) -> Result<Identity, HubError> {
        let until = now + DAY * BROKER_DAYS;
        Ok(Authority::of(&self.key)?.certify_broker(&self.key, hosts, until)?)
    }

    /// What each enrolled site may read and write at a broker. Whoever is not
    /// named may do nothing, but for enrolling.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn access(&mut self, now: Timestamp) -> Result<Vec<Access>, HubError> {
        let readers = self.readers()?;
        let rows = self.site_rows()?;
        let enrolled = rows.iter().filter(|row| row.standing(now) == Standing::Enrolled);
        Ok(enrolled.map(|row| Access::of_site(&row.name, &readers.of(row))).collect())
    }

    /// The list of revoked certificates, as PEM.
    ///
    /// # Errors
    /// When the state cannot be read or the list not made.
    pub fn revocation_list(&mut self, now: Timestamp) -> Result<String, HubError> {
        let revoked = self.revoked_certificates(now)?;
        // Whole milliseconds grow from one list to the next.
        let number = u64::try_from(now.unix_ms()).unwrap_or_default();
        Ok(Authority::of(&self.key)?.revoked(&revoked, number, now)?)
    }

    /// Certificates that were revoked before they ran out: the serial number and
    /// when.
    fn revoked_certificates(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<(Vec<u8>, Timestamp)>, HubError> {
        let doing = while_("reading revoked certificates");
        let sql = "SELECT serial, revoked_ms FROM certificate
                   WHERE revoked_ms IS NOT NULL AND until_ms >= ?1 ORDER BY revoked_ms, serial";
        let rows = self.database.query(sql, values![now.unix_ms()]).map_err(&doing)?;
        rows.iter()
            .map(|row| {
                let at = Timestamp::from_unix_ms(row.get(1).map_err(&doing)?);
                Ok((row.get(0).map_err(&doing)?, at))
            })
            .collect()
    }
}

/// mosquitto's access list.
fn access_list(all: &[Access]) -> String {
    let mut acl = "\
# Written by `jibu-hub site export`; changes here are lost.
# Whoever has no certificate may enrol, and nothing else.
topic write jibu/1/e/+/ask
topic read jibu/1/e/+/reply

user hub
topic readwrite jibu/1/#
"
    .to_owned();
    for Access { client, writes, reads } in all {
        acl.push_str(&format!("\nuser {client}\n"));
        writes.iter().for_each(|topic| acl.push_str(&format!("topic write {topic}\n")));
        reads.iter().for_each(|topic| acl.push_str(&format!("topic read {topic}\n")));
    }
    acl
}

/// Settings for a mosquitto whose user may read the folder.
fn mosquitto(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "\
# Written by `jibu-hub site export`. After another export: kill -HUP for the
# access list, a restart for certificates and the list of revoked ones.
per_listener_settings true
max_packet_size 16384
persistence true

# Sites and the hub's workers, each by its certificate.
listener 8883
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key.pem
crlfile {folder}/crl.pem
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file {folder}/acl

# Sites that have an invitation and no certificate yet. What they say here is
# sealed and no secret, so that this listener needs no TLS.
listener 8884
allow_anonymous true
acl_file {folder}/acl
"
    )
}

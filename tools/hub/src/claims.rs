//! Certificates: who shows an invitation or an old key gets one.

use jibu_sync::SitePublicKey;
use jibu_sync::enrol::{Asked, Claim, Grant};
use jibu_sync::wire::SiteName;
use jibu_types::Timestamp;

use crate::authority::{Authority, invitation, positive};
use crate::hub::while_;
use crate::key;
use crate::sites::raise_changes;
use crate::state::{DatabaseError, Transaction, values};
use crate::{Hub, HubError};

impl Hub {
    /// Answers an enrolment or a renewal, wherever it came from. `None` for one
    /// that does not deserve an answer.
    ///
    /// # Errors
    /// When the state cannot be written, or nothing can be certified.
    pub fn answer_claim(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, HubError> {
        let Some(asked) = Asked::decode(bytes) else { return Ok(None) };
        let Some(row) = self.site_row(asked.site())? else { return Ok(None) };
        if !asked.is_invited() {
            let holds = |key: &Option<SitePublicKey>| key.and_then(|key| asked.renewed_by(&key));
            let Some(claim) = holds(&row.public_key).or_else(|| {
                // The answer to the same renewal was lost.
                holds(&row.old_key).filter(|claim| Some(claim.key) == row.public_key)
            }) else {
                return Ok(None);
            };
            // The old key holds until the site shows that it has the answer.
            let old = row.public_key.filter(|key| *key != claim.key).or(row.old_key);
            let claim = claim.clone();
            return Ok(Some(self.grant(&claim, old, false, now)?.sign(&self.key)));
        }
        let (Some(salt), true) = (&row.salt, row.invited_until >= Some(now)) else {
            return Ok(None);
        };
        let invitation = invitation(&self.key, &row.name, salt);
        let Some(claim) = asked.invited_by(&invitation) else { return Ok(None) };
        if row.claimed.is_some_and(|claimed| claimed != claim.key) {
            return Ok(None);
        }
        let is_new = row.public_key != Some(claim.key);
        let claim = claim.clone();
        Ok(Some(self.grant(&claim, None, is_new, now)?.seal(&invitation)))
    }

    /// Certifies a claim that was found good. With `is_new` whoever had the
    /// site's name before has it no more.
    fn grant(
        &mut self,
        claim: &Claim,
        old_key: Option<SitePublicKey>,
        is_new: bool,
        now: Timestamp,
    ) -> Result<Grant, HubError> {
        let authority = Authority::of(&self.key)?;
        let mut serial = [0; 16];
        key::fill_random(&mut serial)?;
        let serial = positive(&serial);
        let until = now + self.certificate;
        let certificate = authority.certify_site(&claim.site, claim.key, &serial, until)?;
        let doing = while_("recording a certificate");
        let site = claim.site.as_str();
        let key = claim.key.to_bytes();
        let mut transaction = self.database.begin().map_err(&doing)?;
        if is_new {
            revoke_certificates(&mut *transaction, &claim.site, now).map_err(&doing)?;
            // A new box counts its records from the beginning.
            transaction
                .execute("DELETE FROM told WHERE site = ?1", values![site])
                .map_err(&doing)?;
        }
        transaction
            .execute(
                "INSERT INTO certificate (serial, site, until_ms) VALUES (?1, ?2, ?3)",
                values![serial, site, until.unix_ms()],
            )
            .map_err(&doing)?;
        transaction
            .execute(
                "UPDATE site SET public_key = ?2, old_key = ?3, certified_until_ms = ?4,
                    claimed = ?2, revoked_ms = NULL,
                    counter = CASE WHEN ?5 = 1 THEN 0 ELSE counter END
                 WHERE name = ?1",
                values![
                    site,
                    key.as_slice(),
                    old_key.map(|key| key.to_bytes().to_vec()),
                    until.unix_ms(),
                    is_new,
                ],
            )
            .map_err(&doing)?;
        raise_changes(&mut *transaction).map_err(&doing)?;
        transaction.commit().map_err(&doing)?;
        let collections = match self.site_row(&claim.site)? {
            Some(row) => self.readers()?.of(&row),
            None => Vec::new(),
        };
        Ok(Grant {
            site: claim.site.clone(),
            nonce: claim.nonce,
            certificate,
            authority: authority.der(),
            hub: self.public_key(),
            until,
            collections,
        })
    }
}

/// Puts all of a site's certificates on the list of revoked ones.
pub(crate) fn revoke_certificates(
    transaction: &mut dyn Transaction,
    site: &SiteName,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE certificate SET revoked_ms = ?2 WHERE site = ?1 AND revoked_ms IS NULL";
    transaction.execute(sql, values![site.as_str(), now.unix_ms()]).map(drop)
}

//! The hub as a certificate authority: whoever it signs may speak to the broker.
//!
//! Its key follows from the hub's own, so that there is one secret to keep, and
//! workers that share a hub key sign alike. Nothing begins later than 1970: a
//! box whose clock was reset must still be able to connect. Keys are Ed25519.

use jibu_sync::enrol::Invitation;
use jibu_sync::wire::SiteName;
use jibu_sync::{HubKey, SiteKey, SitePublicKey};
use jibu_types::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData, RevokedCertParams, SerialNumber, SignatureAlgorithm,
};
use time::OffsetDateTime;

/// What a certificate cannot be made of.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be certified: look at its name (an example: hub.example.org)")]
pub struct AuthorityError {
    /// Whose certificate it was to be.
    pub what: String,
    /// Why.
    pub source: rcgen::Error,
}

/// Signs for one hub.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate with the key that belongs to it, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The key: whoever reads it can be taken for its owner.
    pub key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// A public key, for a certificate whose key the hub does not have.
struct Raw([u8; 32]);

impl PublicKeyData for Raw {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl Authority {
    pub(crate) fn of(key: &HubKey) -> Result<Self, AuthorityError> {
        let make = || {
            let pair = pair(key.derive("certificate authority", b""))?;
            let mut params = named(&format!("Jibu hub {}", key.public().short()));
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.not_after = rcgen::date_time_ymd(2125, 1, 1);
            params.serial_number = Some(SerialNumber::from(1));
            let certificate = params.self_signed(&pair)?;
            Ok(Authority { issuer: Issuer::new(params, pair), certificate })
        };
        make().map_err(|source| AuthorityError { what: "the hub".to_owned(), source })
    }

    /// The authority's own certificate, in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// The authority's own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A site's certificate in DER: its common name is the site's.
    pub(crate) fn certify_site(
        &self,
        site: &SiteName,
        key: SitePublicKey,
        serial: &[u8],
        until: Timestamp,
    ) -> Result<Vec<u8>, AuthorityError> {
        let mut params = named(site.as_str());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_after = moment(until);
        params.serial_number = Some(SerialNumber::from_slice(serial));
        params.use_authority_key_identifier_extension = true;
        let signed = params.signed_by(&Raw(key.to_bytes()), &self.issuer);
        let signed =
            signed.map_err(|source| AuthorityError { what: format!("the site {site}"), source })?;
        Ok(signed.der().to_vec())
    }

    /// A broker's identity for these host names or addresses.
    pub(crate) fn certify_broker(
        &self,
        key: &HubKey,
        hosts: &[String],
        until: Timestamp,
    ) -> Result<Identity, AuthorityError> {
        let make = || {
            let mut params = CertificateParams::new(hosts.to_vec())?;
            params.distinguished_name = name(hosts.first().map_or("broker", String::as_str));
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            self.identify(params, key.derive("broker", hosts.join(" ").as_bytes()), until)
        };
        make().map_err(|source| AuthorityError { what: hosts.join(", "), source })
    }

    /// The identity with which the hub's workers speak to the broker.
    pub(crate) fn certify_worker(
        &self,
        key: &HubKey,
        until: Timestamp,
    ) -> Result<Identity, AuthorityError> {
        let mut params = named(WORKER);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.identify(params, key.derive("worker", b""), until)
            .map_err(|source| AuthorityError { what: WORKER.to_owned(), source })
    }

    fn identify(
        &self,
        mut params: CertificateParams,
        seed: [u8; 32],
        until: Timestamp,
    ) -> Result<Identity, rcgen::Error> {
        params.not_before = rcgen::date_time_ymd(1970, 1, 1);
        params.not_after = moment(until);
        params.serial_number = Some(SerialNumber::from_slice(&positive(&seed)));
        params.use_authority_key_identifier_extension = true;
        let pair = pair(seed)?;
        let certificate = params.signed_by(&pair, &self.issuer)?.pem();
        Ok(Identity { certificate, key: pair.serialize_pem() })
    }

    /// The list of revoked certificates, as PEM: each by its serial number and
    /// the moment when it was revoked.
    pub(crate) fn revoked(
        &self,
        revoked: &[(Vec<u8>, Timestamp)],
        number: u64,
        now: Timestamp,
    ) -> Result<String, AuthorityError> {
        let entries = revoked.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: moment(*at),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(1970, 1, 1),
            // A list that ran out would shut every site out.
            next_update: moment(now + DAY * 3650),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: entries.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)
            .and_then(|list| list.pem())
            .map_err(|source| AuthorityError { what: "the list of revoked sites".into(), source })
    }
}

/// The name that the hub's workers have at the broker. No site may have it.
pub(crate) const WORKER: &str = "hub";

pub(crate) const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// The invitation that follows from a random salt: the state keeps the salt, and
/// without the hub's key nobody can make the code of it.
pub(crate) fn invitation(key: &HubKey, site: &SiteName, salt: &[u8]) -> Invitation {
    let derived = key.derive("invitation", &[salt, site.as_str().as_bytes()].concat());
    let mut secret = [0; Invitation::SECRET_BYTES];
    secret.iter_mut().zip(derived).for_each(|(slot, byte)| *slot = byte);
    Invitation::new(site.clone(), secret)
}

/// Sixteen bytes of a serial number above zero.
pub(crate) fn positive(bytes: &[u8]) -> Vec<u8> {
    let mut serial: Vec<u8> = bytes.iter().copied().take(16).collect();
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    serial
}

fn pair(seed: [u8; 32]) -> Result<KeyPair, rcgen::Error> {
    KeyPair::try_from(SiteKey::from_random(seed).reveal_pkcs8())
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(common_name);
    params.not_before = rcgen::date_time_ymd(1970, 1, 1);
    params
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn moment(at: Timestamp) -> OffsetDateTime {
    let seconds = at.unix_ms().div_euclid(1000);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

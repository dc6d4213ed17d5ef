//! What makes this box a site of its hub: the key that it made and what the hub
//! granted, two files in one folder.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jibu_mqtt::{Identity, Tls, TlsError};
use jibu_sync::enrol::{Claim, Grant};
use jibu_sync::wire::SiteName;
use jibu_sync::{PublicKey, SiteKey};
use jibu_types::{CollectionName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::calendar;

const KEY: &str = "site.key";
const GRANT: &str = "grant.json";
const PENDING: &str = "pending.json";

/// A site's key with what its hub granted.
#[derive(Debug)]
pub struct Credentials {
    /// What this site is called at its hub.
    pub site: SiteName,
    /// Signs what it says, and is its certificate's.
    pub key: SiteKey,
    /// The key of its hub.
    pub hub: PublicKey,
    /// The collections that it may read.
    pub collections: Vec<CollectionName>,
    /// Until when the certificate is good.
    pub until: Timestamp,
    /// When it came, as far as was known then.
    since: Option<Timestamp>,
    certificate: Vec<u8>,
    authority: Vec<u8>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// This box was never enrolled.
    #[error("{} holds no enrolment: ask the hub's admin for an invitation and run \
             `jibud enrol INVITATION`", .0.display())]
    None(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used: look at its owner and permissions", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} is damaged ({problem}): bring its backup, or enrol again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong; never the key itself.
        problem: String,
    },
}

/// `grant.json`.
#[derive(Serialize, Deserialize)]
struct Kept {
    site: String,
    hub: String,
    collections: Vec<CollectionName>,
    /// Milliseconds since 1970.
    until_ms: i64,
    /// When it came, if the clock was set.
    since_ms: Option<i64>,
    /// X.509 in DER, in hexadecimal digits.
    certificate: String,
    authority: String,
}

/// `pending.json`: a claim that was made and not yet granted.
#[derive(Serialize, Deserialize)]
struct Asked {
    site: String,
    key: String,
    nonce: String,
}

impl Credentials {
    /// Reads what an enrolment left in `folder`.
    ///
    /// # Errors
    /// See [`CredentialsError`].
    pub fn read(folder: &Path) -> Result<Self, CredentialsError> {
        let (key_path, path) = (folder.join(KEY), folder.join(GRANT));
        let Some(grant) = read(&path)? else {
            return Err(CredentialsError::None(folder.to_owned()));
        };
        let damaged = |problem: &str| CredentialsError::Damaged {
            path: path.clone(),
            problem: problem.into(),
        };
        let key = read(&key_path)?.ok_or_else(|| damaged("its site.key is not there"))?;
        let key = SiteKey::parse(key.trim()).map_err(|error| CredentialsError::Damaged {
            path: key_path,
            problem: error.to_string(),
        })?;
        let kept: Kept =
            serde_json::from_str(&grant).map_err(|error| damaged(&error.to_string()))?;
        let bytes = |text: &str| hex::decode(text).map_err(|_| damaged("a certificate is cut"));
        Ok(Credentials {
            site: SiteName::parse(&kept.site).map_err(|error| damaged(&error.to_string()))?,
            key,
            hub: kept.hub.parse().map_err(|_| damaged("the hub's key"))?,
            collections: kept.collections,
            until: Timestamp::from_unix_ms(kept.until_ms),
            since: kept.since_ms.map(Timestamp::from_unix_ms),
            certificate: bytes(&kept.certificate)?,
            authority: bytes(&kept.authority)?,
        })
    }

    /// Keeps what the hub granted to the claim of `key`, in place of what was
    /// there; the claim is no longer pending.
    ///
    /// # Errors
    /// [`CredentialsError::File`].
    pub fn keep(folder: &Path, key: &SiteKey, grant: &Grant) -> Result<(), CredentialsError> {
        let kept = Kept {
            site: grant.site.to_string(),
            hub: grant.hub.to_string(),
            collections: grant.collections.clone(),
            until_ms: grant.until.unix_ms(),
            since_ms: calendar().map(Timestamp::unix_ms),
            certificate: hex::encode(&grant.certificate),
            authority: hex::encode(&grant.authority),
        };
        write(&folder.join(KEY), &key.reveal())?;
        write(&folder.join(GRANT), &json(&kept))?;
        match fs::remove_file(folder.join(PENDING)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(CredentialsError::File { path: folder.join(PENDING), source })
            }
            _ => Ok(()),
        }
    }

    /// When a third of the certificate's time is left: of the hub's usual 400
    /// days, where it is not known when it came.
    pub fn renew_from(&self) -> Timestamp {
        const USUAL: Duration = Duration::from_secs(400 * 24 * 3600);
        let life = self.since.map_or(USUAL, |since| self.until.since(since));
        self.until - life / 3
    }

    /// How the broker and this site know each other.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn tls(&self) -> Result<Tls, TlsError> {
        let own = Identity::from_der(self.certificate.clone(), self.key.reveal_pkcs8())?;
        Tls::from_der(self.authority.clone(), Some(own))
    }
}

/// A claim that waits for its grant, with the key that it is of. A claim of
/// another site in `folder` is given up.
///
/// # Errors
/// When the folder cannot be written, or there is no randomness.
pub fn claim(folder: &Path, site: &SiteName) -> Result<(SiteKey, Claim), CredentialsError> {
    let path = folder.join(PENDING);
    if let Some(text) = read(&path)? {
        let asked: Option<Asked> = serde_json::from_str(&text).ok();
        let known = asked.filter(|asked| asked.site == site.as_str()).and_then(|asked| {
            let nonce = <[u8; 16]>::try_from(hex::decode(&asked.nonce).ok()?).ok()?;
            Some((SiteKey::parse(&asked.key).ok()?, nonce))
        });
        if let Some((key, nonce)) = known {
            let claim = Claim { site: site.clone(), key: key.public(), nonce };
            return Ok((key, claim));
        }
    }
    let (mut seed, mut nonce) = ([0; 32], [0; 16]);
    for bytes in [&mut seed[..], &mut nonce[..]] {
        getrandom::fill(bytes).map_err(|error| CredentialsError::File {
            path: path.clone(),
            source: io::Error::other(error.to_string()),
        })?;
    }
    let key = SiteKey::from_random(seed);
    let asked = Asked { site: site.to_string(), key: key.reveal(), nonce: hex::encode(nonce) };
    write(&path, &json(&asked))?;
    let claim = Claim { site: site.clone(), key: key.public(), nonce };
    Ok((key, claim))
}

fn json(value: &impl Serialize) -> String {
    // Texts and numbers always have a form in JSON.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn read(path: &Path) -> Result<Option<String>, CredentialsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CredentialsError::File { path: path.to_owned(), source }),
    }
}

/// Replaces a file that nobody else may read, whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), CredentialsError> {
    let failed = |source| CredentialsError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_waits_and_its_grant_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let site = SiteName::parse("mangochi-2").unwrap();
        let none = Credentials::read(folder.path()).unwrap_err().to_string();
        assert!(none.contains("jibud enrol"), "{none}");

        let (key, first) = claim(folder.path(), &site).unwrap();
        let (_, again) = claim(folder.path(), &site).unwrap();
        assert_eq!(first, again, "a lost reply is asked for with the same claim");
        let (_, other) = claim(folder.path(), &SiteName::parse("blantyre").unwrap()).unwrap();
        assert_ne!(first.key, other.key);

        let hub = jibu_sync::HubKey::from_random([7; 32]);
        let grant = Grant {
            site: site.clone(),
            nonce: first.nonce,
            certificate: vec![1, 2, 255],
            authority: vec![3],
            hub: hub.public(),
            until: Timestamp::from_unix_ms(9),
            collections: vec![CollectionName::parse("health").unwrap()],
        };
        Credentials::keep(folder.path(), &key, &grant).unwrap();
        let found = Credentials::read(folder.path()).unwrap();
        assert!(found.renew_from() <= found.until);
        assert_eq!((found.site, found.hub), (site, hub.public()));
        assert_eq!((found.certificate, found.authority), (vec![1, 2, 255], vec![3]));
        assert_eq!(found.key.public(), key.public());
        assert!(!folder.path().join(PENDING).exists());
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        fs::write(folder.path().join(GRANT), "{").unwrap();
        let damaged = Credentials::read(folder.path()).unwrap_err().to_string();
        assert!(damaged.contains("grant.json is damaged"), "{damaged}");
    }
}

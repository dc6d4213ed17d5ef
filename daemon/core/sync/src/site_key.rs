use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::base32;
use crate::key::{KeyError, is_signed};
use crate::wire::SiteName;

/// A site's key (Ed25519, RFC 8032): signs what the site says of itself, and is
/// the key of its TLS certificate. It is made at the site and never leaves it;
/// `Debug` shows the public half only.
#[derive(Clone)]
pub struct SiteKey(SigningKey);

/// What a hub knows of a site: the key that the site signs with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SitePublicKey([u8; 32]);

const SECRET_PREFIX: &str = "sitesecret-";
const PUBLIC_PREFIX: &str = "site-";

/// `OneAsymmetricKey` (RFC 5958) up to the 32 bytes of an Ed25519 secret
/// (RFC 8410 §7).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// `SubjectPublicKeyInfo` (RFC 5280 §4.1) up to the 32 bytes of an Ed25519 key
/// (RFC 8410 §4).
const SPKI_HEAD: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl SiteKey {
    /// The key that follows from 32 random bytes, which the caller takes from
    /// the operating system.
    pub fn from_random(seed: [u8; 32]) -> Self {
        SiteKey(SigningKey::from_bytes(&seed))
    }

    /// The half that the hub is given.
    pub fn public(&self) -> SitePublicKey {
        SitePublicKey(self.0.verifying_key().to_bytes())
    }

    /// The text for the site's key file. Whoever reads it can speak as the site.
    pub fn reveal(&self) -> String {
        base32::write(SECRET_PREFIX, self.0.as_bytes())
    }

    /// The key as a TLS library takes it: PKCS #8 in DER. As secret as
    /// [`SiteKey::reveal`].
    pub fn reveal_pkcs8(&self) -> Vec<u8> {
        [PKCS8_HEAD.as_slice(), self.0.as_bytes()].concat()
    }

    /// Reads what [`SiteKey::reveal`] wrote.
    ///
    /// # Errors
    /// When the text has another form or its checksum does not fit.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        base32::read(SECRET_PREFIX, text).map(Self::from_random).ok_or(KeyError::Site)
    }

    /// The signature on what `site` says.
    pub(crate) fn sign(&self, context: &[u8], site: &SiteName, says: &[u8]) -> [u8; 64] {
        self.0.sign(&[context, &statement(site, says)].concat()).to_bytes()
    }
}

impl SitePublicKey {
    /// The key by its 32 bytes, where they are a usable key.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        (!key.is_weak()).then_some(SitePublicKey(bytes))
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The key as a certificate holds it: `SubjectPublicKeyInfo` in DER.
    pub fn to_spki(&self) -> Vec<u8> {
        [SPKI_HEAD.as_slice(), &self.0].concat()
    }

    /// Whether `signature` is this key's on what `site` says.
    pub(crate) fn has_signed(
        &self,
        context: &[u8],
        site: &SiteName,
        says: &[u8],
        signature: &[u8; 64],
    ) -> bool {
        is_signed(&self.0, context, &statement(site, says), signature)
    }
}

/// What is signed after the context: the site's name after its length in one
/// byte, then what it says. What one site said is never another's.
fn statement(site: &SiteName, says: &[u8]) -> Vec<u8> {
    let name = site.as_str().as_bytes();
    // A site's name has at most 64 bytes.
    [&[name.len() as u8], name, says].concat()
}

impl std::fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SiteKey({})", self.public())
    }
}

impl std::fmt::Display for SitePublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base32::write(PUBLIC_PREFIX, &self.0))
    }
}

impl std::fmt::Debug for SitePublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SitePublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written_and_debug_keeps_it() {
        let key = SiteKey::from_random([7; 32]);
        assert_eq!(SiteKey::parse(&key.reveal()).unwrap().public(), key.public());
        assert!(matches!(SiteKey::parse(&key.public().to_string()), Err(KeyError::Site)));
        assert!(!format!("{key:?}").contains(&key.reveal()[11..21]));
    }

    #[test]
    fn what_one_site_signed_is_not_anothers() {
        let key = SiteKey::from_random([7; 32]);
        let site = |name: &str| SiteName::parse(name).unwrap();
        let signature = key.sign(b"state\0", &site("zomba"), b"1");
        let signed = |context: &[u8], name: &str, says: &[u8]| {
            key.public().has_signed(context, &site(name), says, &signature)
        };
        assert!(signed(b"state\0", "zomba", b"1"));
        assert!(!signed(b"other\0", "zomba", b"1"));
        assert!(!signed(b"state\0", "zomba1", b""));
        assert!(!signed(b"state\0", "zomb", b"a1"));
    }

    /// The forms of RFC 8410 §10.1 and §10.3.
    #[test]
    fn tls_forms_are_those_of_rfc_8410() {
        let seed = [
            0xd4, 0xee, 0x72, 0xdb, 0xf9, 0x13, 0x58, 0x4a, 0xd5, 0xb6, 0xd8, 0xf1, 0xf7, 0x69,
            0xf8, 0xad, 0x3a, 0xfe, 0x7c, 0x28, 0xcb, 0xf1, 0xd4, 0xfb, 0xe0, 0x97, 0xa8, 0x8f,
            0x44, 0x75, 0x58, 0x42,
        ];
        let key = SiteKey::from_random(seed);
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(
            hex(key.reveal_pkcs8()),
            "302e020100300506032b657004220420\
             d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
        );
        assert_eq!(
            hex(key.public().to_spki()),
            "302a300506032b6570032100\
             19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
        );
    }
}

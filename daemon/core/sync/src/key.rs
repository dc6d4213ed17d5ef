use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::base32;

/// A hub's signing key (Ed25519, RFC 8032). It never leaves the hub; `Debug`
/// shows the public half only.
#[derive(Clone)]
pub struct HubKey(SigningKey);

/// What sites know of a hub: the key that its roots must be signed with.
///
/// Written as `hub-` and 56 letters (base32 of the key and a checksum).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the form or not the checksum of a public key.
    #[error(
        "this is not a hub's public key: \"hub-\" and 56 letters and digits are wanted, as \
         `jibu-hub init` prints them (one letter may be mistyped or missing)"
    )]
    Public,
    /// Not the form or not the checksum of a secret key.
    #[error("this is not a hub's secret key: the key file is damaged, restore it from its backup")]
    Secret,
    /// Not the form or not the checksum of a site's secret key.
    #[error("this is not a site's key: the key file is damaged, enrol the site again")]
    Site,
}

const PUBLIC_PREFIX: &str = "hub-";
const SECRET_PREFIX: &str = "hubsecret-";

/// Stands before a root's bytes when they are signed, so that a signature on
/// one kind of statement is never good for another.
const ROOT_CONTEXT: &[u8] = b"jibu root 1\0";

impl HubKey {
    /// The key that follows from 32 random bytes, which the caller takes from
    /// the operating system.
    pub fn from_random(seed: [u8; 32]) -> Self {
        HubKey(SigningKey::from_bytes(&seed))
    }

    /// The half that sites are given.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The text for the hub's key file. Whoever reads it can sign for the hub.
    pub fn reveal(&self) -> String {
        base32::write(SECRET_PREFIX, self.0.as_bytes())
    }

    /// Reads what [`HubKey::reveal`] wrote.
    ///
    /// # Errors
    /// When the text has another form or its checksum does not fit.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        base32::read(SECRET_PREFIX, text).map(Self::from_random).ok_or(KeyError::Secret)
    }

    /// The signature on a root's bytes.
    pub(crate) fn sign_root(&self, root: &[u8]) -> [u8; 64] {
        self.sign(ROOT_CONTEXT, root)
    }

    /// The signature on a statement of the kind that `context` names.
    pub(crate) fn sign(&self, context: &[u8], statement: &[u8]) -> [u8; 64] {
        self.0.sign(&[context, statement].concat()).to_bytes()
    }

    /// Another secret of this hub, which only whoever has the key can make
    /// again: 32 bytes for one `purpose` and `input`. Neither says anything of
    /// the key.
    pub fn derive(&self, purpose: &str, input: &[u8]) -> [u8; 32] {
        let key = blake3::derive_key("jibu 1 hub key derived", self.0.as_bytes());
        let mut hasher = blake3::Hasher::new_keyed(&key);
        // The length keeps the two apart.
        hasher.update(&(purpose.len() as u64).to_be_bytes());
        hasher.update(purpose.as_bytes()).update(input);
        *hasher.finalize().as_bytes()
    }
}

impl std::fmt::Debug for HubKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubKey({})", self.public())
    }
}

impl PublicKey {
    /// Reads `hub-…`; case and surrounding blanks do not matter.
    ///
    /// # Errors
    /// When the text has another form, its checksum does not fit, or the bytes
    /// are no point of the curve.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        base32::read(PUBLIC_PREFIX, text).and_then(Self::from_bytes).ok_or(KeyError::Public)
    }

    /// The key by its 32 bytes, where they are a usable key.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        (!key.is_weak()).then_some(PublicKey(bytes))
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The last four letters, for a sentence in which the whole key would be in
    /// the way.
    pub fn short(&self) -> String {
        let text = self.to_string();
        format!("…{}", &text[text.len().saturating_sub(4)..])
    }

    /// Whether `signature` is this key's on a root's bytes.
    pub(crate) fn has_signed_root(&self, root: &[u8], signature: &[u8; 64]) -> bool {
        self.has_signed(ROOT_CONTEXT, root, signature)
    }

    /// Whether `signature` is this key's on a statement of the kind that
    /// `context` names.
    pub(crate) fn has_signed(
        &self,
        context: &[u8],
        statement: &[u8],
        signature: &[u8; 64],
    ) -> bool {
        is_signed(&self.0, context, statement, signature)
    }
}

/// Whether `signature` is the key's on a statement of the kind that `context`
/// names.
pub(crate) fn is_signed(
    key: &[u8; 32],
    context: &[u8],
    statement: &[u8],
    signature: &[u8; 64],
) -> bool {
    let signature = Signature::from_bytes(signature);
    let statement = [context, statement].concat();
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(&statement, &signature).is_ok())
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base32::write(PUBLIC_PREFIX, &self.to_bytes()))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl std::str::FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PublicKey::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let key = HubKey::from_random([7; 32]);
        let public = key.public();
        assert_eq!(PublicKey::parse(&public.to_string()), Ok(public));
        assert_eq!(HubKey::parse(&key.reveal()).unwrap().public(), public);
        assert!(public.to_string().ends_with(&public.short()[3..]));
    }

    #[test]
    fn one_kind_of_key_is_not_taken_for_the_other() {
        let key = HubKey::from_random([7; 32]);
        assert_eq!(PublicKey::parse(&key.reveal()), Err(KeyError::Public));
        assert!(matches!(HubKey::parse(&key.public().to_string()), Err(KeyError::Secret)));
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        let key = HubKey::from_random([7; 32]);
        assert!(!format!("{key:?}").contains(&key.reveal()[10..20]));
    }

    #[test]
    fn a_signature_is_good_for_its_bytes_and_key_only() {
        let key = HubKey::from_random([7; 32]);
        let signature = key.sign_root(b"root");
        assert!(key.public().has_signed_root(b"root", &signature));
        assert!(!key.public().has_signed_root(b"Root", &signature));
        let other = HubKey::from_random([8; 32]).public();
        assert!(!other.has_signed_root(b"root", &signature));
    }

    #[test]
    fn a_derived_secret_is_of_its_purpose_input_and_key() {
        let key = HubKey::from_random([7; 32]);
        let secret = key.derive("codes", b"mangochi-2");
        assert_eq!(secret, key.derive("codes", b"mangochi-2"));
        let others = [
            key.derive("code", b"smangochi-2"),
            key.derive("codes", b"mangochi"),
            HubKey::from_random([8; 32]).derive("codes", b"mangochi-2"),
        ];
        assert!(others.iter().all(|other| *other != secret));
    }
}

use jibu_types::{CollectionName, IndexVersion, Language, Timestamp};
use minicbor::{Decode, Encode};

use crate::hash::{from_cbor, to_cbor};
use crate::{Hash, HubKey, PublicKey};

/// What a hub says of one version of a collection. Everything else is reached
/// from here by hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The collection.
    pub collection: CollectionName,
    /// This version. A site never goes to a lower one.
    pub version: IndexVersion,
    /// The [`SignedRoot::hash`] of the version before.
    pub previous: Option<Hash>,
    /// The manifest's top page: the Merkle root over everything.
    pub manifest: Hash,
    /// The bytes of all objects as packed by the hub: what a first sync costs
    /// before the envelope.
    pub bytes: u64,
    /// How many passages there are.
    pub passages: u64,
    /// The dictionary that the objects may be packed with.
    pub dictionary: Option<Hash>,
    /// The embedding model that a site should use, where the hub insists.
    pub model: Option<Hash>,
    /// When the hub signed this.
    pub issued: Timestamp,
    /// When the hub wants the site to worry about having nothing newer. A
    /// warning, never a reason to stop answering.
    pub expires: Option<Timestamp>,
    /// The languages of the documents, in order and each once.
    pub languages: Vec<Language>,
}

/// A root with the hub's signature, in the bytes that travel: at most
/// [`SignedRoot::MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRoot {
    root: Root,
    payload: Vec<u8>,
    wire: Vec<u8>,
}

/// Why bytes are no root that a site may believe, or a root cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// The bytes cannot be read as a root of this format.
    #[error("the root cannot be read: it is damaged, or another program wrote it")]
    Malformed,
    /// A later format.
    #[error(
        "the root has format {0} and this program knows format {known}: update this program",
        known = SignedRoot::FORMAT
    )]
    Format(u32),
    /// Signed, but by another key than the expected one.
    #[error(
        "the root was signed by another hub (key {}): take one from your own hub (key {}), \
         or set hub.public_key",
        found.short(),
        expected.short()
    )]
    OtherHub {
        /// The key that signed it.
        found: PublicKey,
        /// The key that was asked for.
        expected: PublicKey,
    },
    /// The signature is nobody's.
    #[error("the root's signature does not fit: it was changed after your hub signed it")]
    Signature,
    /// More bytes than a root may have.
    #[error(
        "the root has {0} bytes and may have {max}: name fewer languages",
        max = SignedRoot::MAX_BYTES
    )]
    TooLong(usize),
}

/// The order of fields is part of the format; see FORMAT.md.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Payload<'b> {
    #[n(0)]
    format: u32,
    #[b(1)]
    collection: &'b str,
    #[n(2)]
    epoch: u32,
    #[n(3)]
    version: u64,
    #[n(4)]
    previous: Option<Hash>,
    #[n(5)]
    manifest: Hash,
    #[n(6)]
    bytes: u64,
    #[n(7)]
    passages: u64,
    #[n(8)]
    dictionary: Option<Hash>,
    #[n(9)]
    model: Option<Hash>,
    #[n(10)]
    issued_ms: i64,
    #[n(11)]
    expires_ms: Option<i64>,
    #[b(12)]
    languages: Vec<&'b str>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Envelope<'b> {
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    payload: &'b [u8],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    signature: [u8; 64],
}

impl SignedRoot {
    /// The format that this program writes and reads.
    pub const FORMAT: u32 = 1;

    /// The most bytes that a signed root may have, so that it fits one small
    /// MQTT packet.
    pub const MAX_BYTES: usize = 1024;

    /// Signs a root.
    ///
    /// # Errors
    /// [`RootError::TooLong`].
    pub fn sign(root: Root, key: &HubKey) -> Result<Self, RootError> {
        let payload = root.to_payload();
        let wire = to_cbor(&Envelope {
            payload: &payload,
            key: key.public().to_bytes(),
            signature: key.sign_root(&payload),
        });
        if wire.len() > Self::MAX_BYTES {
            return Err(RootError::TooLong(wire.len()));
        }
        Ok(SignedRoot { root, payload, wire })
    }

    /// Reads a root and checks that `expected` signed it.
    ///
    /// # Errors
    /// When the bytes are no root of this format, or another key signed it, or
    /// none did.
    pub fn verify(wire: &[u8], expected: &PublicKey) -> Result<Self, RootError> {
        if wire.len() > Self::MAX_BYTES {
            return Err(RootError::TooLong(wire.len()));
        }
        let envelope: Envelope<'_> = from_cbor(wire).ok_or(RootError::Malformed)?;
        if !expected.has_signed_root(envelope.payload, &envelope.signature) {
            let found = PublicKey::from_bytes(envelope.key)
                .filter(|key| key != expected)
                .filter(|key| key.has_signed_root(envelope.payload, &envelope.signature));
            return Err(match found {
                Some(found) => RootError::OtherHub { found, expected: *expected },
                None => RootError::Signature,
            });
        }
        // A root has one form on the wire, so that its bytes can be compared.
        if envelope.key != expected.to_bytes() || to_cbor(&envelope) != wire {
            return Err(RootError::Malformed);
        }
        let root = Root::from_payload(envelope.payload)?;
        Ok(SignedRoot { root, payload: envelope.payload.to_vec(), wire: wire.to_vec() })
    }

    /// What the hub says.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The bytes that travel.
    pub fn as_bytes(&self) -> &[u8] {
        &self.wire
    }

    /// The hash of the signed statement, by which the next version names this one.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.payload)
    }
}

impl Root {
    /// Whether `now` is past the root's expiry. A site whose clock is not set
    /// has no `now` and worries about nothing.
    pub fn is_expired(&self, now: Option<Timestamp>) -> bool {
        matches!((self.expires, now), (Some(expires), Some(now)) if now > expires)
    }

    fn to_payload(&self) -> Vec<u8> {
        to_cbor(&Payload {
            format: SignedRoot::FORMAT,
            collection: self.collection.as_str(),
            epoch: self.version.epoch,
            version: self.version.version,
            previous: self.previous,
            manifest: self.manifest,
            bytes: self.bytes,
            passages: self.passages,
            dictionary: self.dictionary,
            model: self.model,
            issued_ms: self.issued.unix_ms(),
            expires_ms: self.expires.map(Timestamp::unix_ms),
            languages: self.languages.iter().map(Language::as_str).collect(),
        })
    }

    pub(crate) fn from_payload(bytes: &[u8]) -> Result<Self, RootError> {
        // The format comes first and alone, so that a later one is named as
        // such whatever else it changed.
        let mut decoder = minicbor::Decoder::new(bytes);
        let format =
            decoder.array().and_then(|_| decoder.u32()).map_err(|_| RootError::Malformed)?;
        if format != SignedRoot::FORMAT {
            return Err(RootError::Format(format));
        }
        let payload: Payload<'_> = from_cbor(bytes).ok_or(RootError::Malformed)?;
        let languages = payload.languages.iter().map(|code| Language::parse(code));
        Ok(Root {
            collection: CollectionName::parse(payload.collection)
                .map_err(|_| RootError::Malformed)?,
            version: IndexVersion { epoch: payload.epoch, version: payload.version },
            previous: payload.previous,
            manifest: payload.manifest,
            bytes: payload.bytes,
            passages: payload.passages,
            dictionary: payload.dictionary,
            model: payload.model,
            issued: Timestamp::from_unix_ms(payload.issued_ms),
            expires: payload.expires_ms.map(Timestamp::from_unix_ms),
            languages: languages.collect::<Result<_, _>>().map_err(|_| RootError::Malformed)?,
        })
    }
}

/// How a root stands to what a site runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// A higher version: take it.
    Newer,
    /// The version that the site has already.
    Same,
}

/// The root is older than what the site has seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "version {offered} of \"{collection}\" is older than version {current}, which this box has \
     had: take a newer bundle (to bring old content back, let the hub publish it as a new version)"
)]
pub struct TooOld {
    /// The collection.
    pub collection: CollectionName,
    /// The highest version that the site has seen.
    pub current: IndexVersion,
    /// The version that the root names.
    pub offered: IndexVersion,
}

/// Whether a site whose highest version of the root's collection was `current`
/// may take `root`. A site only ever moves forward; what an admin rolls back
/// comes as a higher version that names old content.
///
/// # Errors
/// When the root is of an older version.
pub fn admissible(current: Option<IndexVersion>, root: &Root) -> Result<Admission, TooOld> {
    match current {
        Some(current) if root.version < current => {
            Err(TooOld { collection: root.collection.clone(), current, offered: root.version })
        }
        Some(current) if root.version == current => Ok(Admission::Same),
        _ => Ok(Admission::Newer),
    }
}

//! How a site becomes known to a hub: it shows a one-time code and its public
//! key, and gets a certificate. `WIRE.md` beside this crate has the bytes.
//!
//! ```text
//! hub:  Invitation (site, code) ──on paper or a stick──▶ site
//! site: Claim::enrol(key, code) ──▶ hub: Asked::decode, Asked::verify(code)
//! hub:  Grant::seal(code) ──▶ site: Grant::open(claim, code)
//! ```
//!
//! Both messages carry a code computed with the one-time code (BLAKE3 keyed), so
//! that the way between may be read and changed by anybody: what they hold is
//! no secret. A site that has a certificate renews it, for its own or a new
//! key, with its old key ([`Claim::renew`]), and the hub signs what it answers.
//!
//! Who is invited, for how long, and what a certificate is made of is the hub's
//! matter. A hub says nothing to whoever shows a wrong code.

use jibu_types::{CollectionName, Timestamp};
use minicbor::{Decode, Encode};

use crate::hash::{from_cbor, to_cbor};
use crate::wire::{SiteName, body};
use crate::{HubKey, PublicKey, SiteKey, SitePublicKey, base32};

const ENROL: u8 = 0x04;
const ENROLLED: u8 = 0x05;
const RENEW: u8 = 0x06;
const RENEWED: u8 = 0x07;

/// Stand before what is signed or sealed.
const CLAIM: &[u8] = b"jibu claim 1\0";
const RENEWAL: &[u8] = b"jibu renewal 1\0";
const GRANT: &[u8] = b"jibu grant 1\0";

/// The most collections in a grant.
const MAX_COLLECTIONS: usize = 64;

/// What a person carries to a site: its name and a one-time code of 80 bits,
/// written `mangochi-2:abcd-efgh-ijkl-mnop-qrst`.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The site.
    pub site: SiteName,
    secret: [u8; Invitation::SECRET_BYTES],
}

/// Why a text is no invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no invitation: a site's name, a colon and 20 letters and digits are wanted, as \
     `jibu-hub site add` prints them (one may be mistyped or missing)"
)]
pub struct InvitationError;

impl Invitation {
    /// Bytes of a secret: 80 bits that nobody guesses in the days that they hold.
    pub const SECRET_BYTES: usize = 10;

    /// The invitation of a site with a secret that the hub made.
    pub fn new(site: SiteName, secret: [u8; Self::SECRET_BYTES]) -> Self {
        Invitation { site, secret }
    }

    /// Reads what [`Invitation::reveal`] wrote; case, blanks and hyphens in the
    /// code do not matter.
    ///
    /// # Errors
    /// When the text has another form, or a letter of it is wrong.
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let (site, code) = text.trim().split_once(':').ok_or(InvitationError)?;
        let site = SiteName::parse(&site.trim().to_ascii_lowercase());
        let site = site.map_err(|_| InvitationError)?;
        let letters: String = code
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            // What is easily taken for a letter of the alphabet.
            .map(|c| match c.to_ascii_lowercase() {
                '0' => 'o',
                '1' => 'l',
                '8' => 'b',
                other => other,
            })
            .collect();
        let secret = letters.get(..16).and_then(base32::decode).ok_or(InvitationError)?;
        let secret = secret.try_into().map_err(|_| InvitationError)?;
        let invitation = Invitation { site, secret };
        if invitation.letters() == letters { Ok(invitation) } else { Err(InvitationError) }
    }

    /// The text to carry. Whoever reads it can become this site.
    pub fn reveal(&self) -> String {
        let mut text = format!("{}:", self.site);
        for (place, letter) in self.letters().chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }

    /// The secret's 16 letters and 4 that show a wrong one, or a wrong name.
    fn letters(&self) -> String {
        let check = blake3::derive_key("jibu 1 invitation check", &self.material());
        let mut letters = base32::encode(&self.secret);
        letters.extend(base32::encode(&check).chars().take(4));
        letters
    }

    fn material(&self) -> Vec<u8> {
        [&self.secret, self.site.as_str().as_bytes()].concat()
    }

    /// The seal on a message of the kind that `context` names.
    fn seal(&self, context: &[u8], message: &[u8]) -> blake3::Hash {
        let key = blake3::derive_key("jibu 1 invitation", &self.material());
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(context).update(message).finalize()
    }

    /// Whether the seal is this invitation's, in a time that says nothing of
    /// where it differs.
    fn has_sealed(&self, context: &[u8], message: &[u8], seal: &[u8; 32]) -> bool {
        self.seal(context, message) == blake3::Hash::from_bytes(*seal)
    }
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({})", self.site)
    }
}

/// What a site wants to have certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The site.
    pub site: SiteName,
    /// The key that the certificate is to be of.
    pub key: SitePublicKey,
    /// Random bytes of this one request, by which its answer is known.
    pub nonce: [u8; 16],
}

/// A request that has the form of one: whom it is said to be of, which the hub
/// needs to look the site up.
#[derive(Debug, Clone)]
pub struct Asked<'b> {
    claim: Claim,
    /// The bytes that are signed with the new key, and sealed or signed again.
    signed: &'b [u8],
    proof: Proof,
}

#[derive(Debug, Clone, Copy)]
enum Proof {
    Seal([u8; 32]),
    OldKey([u8; 64]),
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireClaim<'b> {
    #[b(0)]
    site: &'b str,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    key: [u8; 32],
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 16],
}

impl Claim {
    /// The message of a site that shows its invitation. `key` is that of the
    /// claim.
    pub fn enrol(&self, key: &SiteKey, invitation: &Invitation) -> Vec<u8> {
        let mut bytes = self.signed(ENROL, key);
        let seal = invitation.seal(CLAIM, &bytes);
        bytes.extend(seal.as_bytes());
        bytes
    }

    /// The message of a site that the hub knows by `old`, for the key of the
    /// claim, which may be the same.
    pub fn renew(&self, key: &SiteKey, old: &SiteKey) -> Vec<u8> {
        let mut bytes = self.signed(RENEW, key);
        let proof = old.sign(RENEWAL, &self.site, &bytes);
        bytes.extend(proof);
        bytes
    }

    /// The claim and the signature that shows that the site has its key.
    fn signed(&self, kind: u8, key: &SiteKey) -> Vec<u8> {
        let mut bytes = vec![kind];
        bytes.append(&mut to_cbor(&WireClaim {
            site: self.site.as_str(),
            key: self.key.to_bytes(),
            nonce: self.nonce,
        }));
        let signature = key.sign(CLAIM, &self.site, &bytes);
        bytes.extend(signature);
        bytes
    }
}

impl<'b> Asked<'b> {
    /// Reads either message. `None` when it is no request, or the site does not
    /// have the key that it names.
    pub fn decode(bytes: &'b [u8]) -> Option<Self> {
        let (signed, proof) = match *bytes.first()? {
            ENROL => {
                let (signed, seal) = bytes.split_last_chunk::<32>()?;
                (signed, Proof::Seal(*seal))
            }
            RENEW => {
                let (signed, signature) = bytes.split_last_chunk::<64>()?;
                (signed, Proof::OldKey(*signature))
            }
            _ => return None,
        };
        let (said, signature) = signed.split_last_chunk::<64>()?;
        let wire: WireClaim<'_> = from_cbor(body(*bytes.first()?, said)?)?;
        let site = SiteName::parse(wire.site).ok()?;
        let key = SitePublicKey::from_bytes(wire.key)?;
        let claim = Claim { site, key, nonce: wire.nonce };
        let has_key = key.has_signed(CLAIM, &claim.site, said, signature);
        has_key.then_some(Asked { claim, signed, proof })
    }

    /// The site that it is said to be of.
    pub fn site(&self) -> &SiteName {
        &self.claim.site
    }

    /// Whether the site shows an invitation; it renews with an old key otherwise.
    pub fn is_invited(&self) -> bool {
        matches!(self.proof, Proof::Seal(_))
    }

    /// The claim, where the site has shown this invitation.
    pub fn invited_by(&self, invitation: &Invitation) -> Option<&Claim> {
        let Proof::Seal(seal) = &self.proof else { return None };
        let is_ours = invitation.site == self.claim.site;
        (is_ours && invitation.has_sealed(CLAIM, self.signed, seal)).then_some(&self.claim)
    }

    /// The claim, where the site has this old key.
    pub fn renewed_by(&self, old: &SitePublicKey) -> Option<&Claim> {
        let Proof::OldKey(signature) = &self.proof else { return None };
        let signed = old.has_signed(RENEWAL, &self.claim.site, self.signed, signature);
        signed.then_some(&self.claim)
    }
}

/// What a hub gives a site that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The site.
    pub site: SiteName,
    /// The claim's.
    pub nonce: [u8; 16],
    /// The site's certificate: X.509 in DER.
    pub certificate: Vec<u8>,
    /// The certificate of whoever signed it, which also signed the broker's:
    /// X.509 in DER.
    pub authority: Vec<u8>,
    /// The key that the hub's roots and commands are signed with.
    pub hub: PublicKey,
    /// Until when the certificate is good; the site renews it before.
    pub until: Timestamp,
    /// The collections that the site may read; at most 64.
    pub collections: Vec<CollectionName>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireGrant<'b> {
    #[b(0)]
    site: &'b str,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 16],
    #[b(2)]
    #[cbor(with = "minicbor::bytes")]
    certificate: &'b [u8],
    #[b(3)]
    #[cbor(with = "minicbor::bytes")]
    authority: &'b [u8],
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    hub: [u8; 32],
    #[n(5)]
    until_ms: i64,
    #[b(6)]
    collections: Vec<&'b str>,
}

impl Grant {
    /// The answer to a site that showed this invitation.
    pub fn seal(&self, invitation: &Invitation) -> Vec<u8> {
        let mut bytes = self.encode(ENROLLED);
        let seal = invitation.seal(GRANT, &bytes);
        bytes.extend(seal.as_bytes());
        bytes
    }

    /// The answer to a site that has renewed.
    pub fn sign(&self, key: &HubKey) -> Vec<u8> {
        let mut bytes = self.encode(RENEWED);
        let signature = key.sign(GRANT, &bytes);
        bytes.extend(signature);
        bytes
    }

    /// Reads the answer to `claim`, made with `invitation`. `None` for whatever
    /// else came.
    pub fn open(bytes: &[u8], claim: &Claim, invitation: &Invitation) -> Option<Self> {
        let (sealed, seal) = bytes.split_last_chunk::<32>()?;
        let grant = Self::decode(ENROLLED, sealed)?;
        let genuine = invitation.has_sealed(GRANT, sealed, seal);
        (genuine && grant.answers(claim)).then_some(grant)
    }

    /// Reads the answer to `claim`, made by a site that knows its hub. `None`
    /// for whatever else came.
    pub fn verify(bytes: &[u8], claim: &Claim, hub: &PublicKey) -> Option<Self> {
        let (signed, signature) = bytes.split_last_chunk::<64>()?;
        let grant = Self::decode(RENEWED, signed)?;
        let genuine = hub.has_signed(GRANT, signed, signature) && grant.hub == *hub;
        (genuine && grant.answers(claim)).then_some(grant)
    }

    fn answers(&self, claim: &Claim) -> bool {
        (&self.site, self.nonce) == (&claim.site, claim.nonce)
    }

    fn encode(&self, kind: u8) -> Vec<u8> {
        let collections = self.collections.iter().take(MAX_COLLECTIONS);
        let mut bytes = vec![kind];
        bytes.append(&mut to_cbor(&WireGrant {
            site: self.site.as_str(),
            nonce: self.nonce,
            certificate: &self.certificate,
            authority: &self.authority,
            hub: self.hub.to_bytes(),
            until_ms: self.until.unix_ms(),
            collections: collections.map(CollectionName::as_str).collect(),
        }));
        bytes
    }

    pub(crate) fn decode(kind: u8, bytes: &[u8]) -> Option<Self> {
        let wire: WireGrant<'_> = from_cbor(body(kind, bytes)?)?;
        if wire.collections.len() > MAX_COLLECTIONS {
            return None;
        }
        let collections = wire.collections.into_iter().map(CollectionName::parse);
        Some(Grant {
            site: SiteName::parse(wire.site).ok()?,
            nonce: wire.nonce,
            certificate: wire.certificate.to_vec(),
            authority: wire.authority.to_vec(),
            hub: PublicKey::from_bytes(wire.hub)?,
            until: Timestamp::from_unix_ms(wire.until_ms),
            collections: collections.collect::<Result<_, _>>().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;

use jibu_types::CollectionName;

use crate::ShortHash;

const PREFIX: &str = "jibu/1/";

/// A site's name: 1 to 64 of `a-z`, `0-9` and `-`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName(Box<str>);

/// Why a text is no site's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a site's name: 1 to 64 lower-case letters, digits and hyphens, beginning \
     with a letter (an example: mangochi-2)"
)]
pub struct SiteNameError(pub String);

impl SiteName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, SiteNameError> {
        let fits = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(SiteName(text.into())) } else { Err(SiteNameError(text.into())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SiteName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a message belongs. `Display` writes the MQTT topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A collection's newest signed root; retained.
    Root(CollectionName),
    /// What a site that has all of `base` lacks of the newest version, where
    /// that fits one parcel; retained.
    Delta {
        /// The collection.
        collection: CollectionName,
        /// The short hash of the root that the site has.
        base: ShortHash,
    },
    /// An object that somebody asked for.
    Chunk {
        /// The collection.
        collection: CollectionName,
        /// The short hash of the root that the askers have, if any: the object
        /// may be packed on theirs.
        base: Option<ShortHash>,
        /// The object.
        name: ShortHash,
    },
    /// A site's requests.
    Request(SiteName),
    /// What a site runs; retained.
    State(SiteName),
    /// Records that a site tells the hub, in batches.
    Telemetry(SiteName, Stream),
    /// Up to which record the hub has a site's telemetry.
    Ack(SiteName),
    /// What the hub wants a site to do; retained.
    Command(SiteName),
    /// A site that is known asks for another certificate.
    Renew(SiteName),
    /// The certificate.
    Renewed(SiteName),
    /// A site that is not known yet shows its one-time code.
    Enrol(SiteName),
    /// What it needs from then on.
    Enrolled(SiteName),
}

/// What telemetry is of. The number is its place of importance: the first is
/// sent first and dropped last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Questions that a person at the hub is to answer.
    Person = 0,
    /// How the box is.
    Health = 1,
    /// Questions that had no answer.
    Unanswered = 2,
    /// How much was asked.
    Usage = 3,
}

impl Stream {
    /// Every stream, the most important first.
    pub const ALL: [Stream; 4] =
        [Stream::Person, Stream::Health, Stream::Unanswered, Stream::Usage];

    /// Its name on topics.
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Person => "person",
            Stream::Health => "health",
            Stream::Unanswered => "unanswered",
            Stream::Usage => "usage",
        }
    }

    /// The stream of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Stream::ALL.into_iter().find(|stream| stream.as_str() == text)
    }

    /// The stream of a number on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        Stream::ALL.into_iter().find(|stream| *stream as u8 == number)
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Topic {
    /// Reads a topic. `None` for anything else than `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix(PREFIX)?.split('/').collect();
        let collection = |name: &str| CollectionName::parse(name).ok();
        match *parts {
            ["c", name, "root"] => Some(Topic::Root(collection(name)?)),
            ["c", name, "d", base] => {
                let base = ShortHash::parse(base)?;
                Some(Topic::Delta { collection: collection(name)?, base })
            }
            ["c", collection_name, "k", base, name] => Some(Topic::Chunk {
                collection: collection(collection_name)?,
                base: if base == "0" { None } else { Some(ShortHash::parse(base)?) },
                name: ShortHash::parse(name)?,
            }),
            ["s", site, "telemetry", stream] => {
                Some(Topic::Telemetry(SiteName::parse(site).ok()?, Stream::parse(stream)?))
            }
            [above @ ("s" | "e"), site, below] => {
                let of = match (above, below) {
                    ("s", "req") => Topic::Request,
                    ("s", "state") => Topic::State,
                    ("s", "ack") => Topic::Ack,
                    ("s", "cmd") => Topic::Command,
                    ("s", "renew") => Topic::Renew,
                    ("s", "renewed") => Topic::Renewed,
                    ("e", "ask") => Topic::Enrol,
                    ("e", "reply") => Topic::Enrolled,
                    _ => return None,
                };
                Some(of(SiteName::parse(site).ok()?))
            }
            _ => None,
        }
    }

    /// The collection, where the topic is one's.
    pub fn collection(&self) -> Option<&CollectionName> {
        match self {
            Topic::Root(collection)
            | Topic::Delta { collection, .. }
            | Topic::Chunk { collection, .. } => Some(collection),
            _ => None,
        }
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(PREFIX)?;
        match self {
            Topic::Root(collection) => write!(f, "c/{collection}/root"),
            Topic::Delta { collection, base } => write!(f, "c/{collection}/d/{base}"),
            Topic::Chunk { collection, base: None, name } => write!(f, "c/{collection}/k/0/{name}"),
            Topic::Chunk { collection, base: Some(base), name } => {
                write!(f, "c/{collection}/k/{base}/{name}")
            }
            Topic::Request(site) => write!(f, "s/{site}/req"),
            Topic::State(site) => write!(f, "s/{site}/state"),
            Topic::Telemetry(site, stream) => write!(f, "s/{site}/telemetry/{stream}"),
            Topic::Ack(site) => write!(f, "s/{site}/ack"),
            Topic::Command(site) => write!(f, "s/{site}/cmd"),
            Topic::Renew(site) => write!(f, "s/{site}/renew"),
            Topic::Renewed(site) => write!(f, "s/{site}/renewed"),
            Topic::Enrol(site) => write!(f, "e/{site}/ask"),
            Topic::Enrolled(site) => write!(f, "e/{site}/reply"),
        }
    }
}

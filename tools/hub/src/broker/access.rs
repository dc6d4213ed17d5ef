use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use jibu_sync::wire::{SiteName, Topic};
use jibu_types::CollectionName;

/// What a client may do at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A site that the hub knows: it writes below its own topics, reads what is
    /// for it, and the collections that it is entitled to.
    Site {
        /// The site: it connects under this name alone.
        site: SiteName,
        /// What it may read.
        collections: BTreeSet<CollectionName>,
    },
    /// Somebody without a certificate who says to be this site: the enrolment's
    /// topics, and no other.
    Stranger(SiteName),
}

/// Stands before the name under which a stranger connects; no site's name has it,
/// so a stranger never takes a site's session over.
const STRANGER: &str = "enrol:";

impl Access {
    /// Of somebody without a certificate, by the name that the client gives.
    pub fn stranger(client: &str) -> Option<Self> {
        let site = SiteName::parse(client.strip_prefix(STRANGER)?).ok()?;
        Some(Access::Stranger(site))
    }

    /// The client identifier that it must connect with.
    pub fn client(&self) -> String {
        match self {
            Access::Site { site, .. } => site.to_string(),
            Access::Stranger(site) => format!("{STRANGER}{site}"),
        }
    }

    /// Whether it may publish there.
    pub fn may_publish(&self, topic: &str) -> bool {
        match (self, Topic::parse(topic)) {
            (
                Access::Site { site, .. },
                Some(
                    Topic::Request(of)
                    | Topic::State(of)
                    | Topic::Telemetry(of, _)
                    | Topic::Renew(of),
                ),
            ) => of == *site,
            (Access::Stranger(site), Some(Topic::Enrol(of))) => of == *site,
            _ => false,
        }
    }

    /// Whether it may subscribe to a topic filter.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        let (site, collections) = match self {
            Access::Site { site, collections } => (site, collections),
            Access::Stranger(site) => {
                return Topic::parse(filter) == Some(Topic::Enrolled(site.clone()));
            }
        };
        let own = filter.strip_prefix("jibu/1/s/").and_then(|rest| rest.split_once('/'));
        if own.is_some_and(|(name, below)| name == site.as_str() && !below.is_empty()) {
            return true;
        }
        let collection = filter.strip_prefix("jibu/1/c/").and_then(|rest| rest.split_once('/'));
        // A name holds no wildcard, so a filter that matches others is not one.
        collection.is_some_and(|(name, _)| collections.iter().any(|own| own.as_str() == name))
    }
}

/// The BLAKE3 hash of a certificate in DER.
pub type Fingerprint = [u8; 32];

/// Who may come in, by certificate. Whoever is taken off loses the connection.
#[derive(Debug, Default)]
pub struct Roll(RwLock<HashMap<Fingerprint, Access>>);

impl Roll {
    /// Sets who may come in from now on.
    pub fn replace(&self, sites: HashMap<Fingerprint, Access>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sites;
    }

    /// What the owner of a certificate may do; `None` for nobody we know.
    pub fn access(&self, certificate: &Fingerprint) -> Option<Access> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(certificate).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_writes_its_own_topics_and_reads_its_own_and_its_collections() {
        let access = Access::Site {
            site: SiteName::parse("mangochi-2").unwrap(),
            collections: [CollectionName::parse("health-sw").unwrap()].into(),
        };
        for (topic, allowed) in [
            ("jibu/1/s/mangochi-2/req", true),
            ("jibu/1/s/mangochi-2/state", true),
            ("jibu/1/s/mangochi-2/renew", true),
            ("jibu/1/s/mangochi-2/telemetry/health", true),
            ("jibu/1/s/mangochi-2/telemetry/a/b", false),
            ("jibu/1/s/mangochi-2/cmd", false),
            ("jibu/1/s/mangochi-2/ack", false),
            ("jibu/1/s/mangochi-20/req", false),
            ("jibu/1/s/mangochi/req", false),
            ("jibu/1/c/health-sw/root", false),
            ("jibu/1/e/mangochi-2/ask", false),
            ("$SYS/broker", false),
            ("", false),
        ] {
            assert_eq!(access.may_publish(topic), allowed, "publish {topic}");
        }
        for (filter, allowed) in [
            ("jibu/1/s/mangochi-2/cmd", true),
            ("jibu/1/s/mangochi-2/#", true),
            ("jibu/1/s/mangochi-2/", false),
            ("jibu/1/s/+/cmd", false),
            ("jibu/1/s/blantyre/cmd", false),
            ("jibu/1/c/health-sw/root", true),
            ("jibu/1/c/health-sw/k/0/0123456789abcdef", true),
            ("jibu/1/c/health-sw/#", true),
            ("jibu/1/c/health-en/root", false),
            ("jibu/1/c/+/root", false),
            ("jibu/1/c/#", false),
            ("jibu/#", false),
            ("#", false),
            ("$share/hub/jibu/1/s/+/req", false),
        ] {
            assert_eq!(access.may_subscribe(filter), allowed, "subscribe {filter}");
        }
    }

    #[test]
    fn a_stranger_enrols_and_does_nothing_else() {
        assert_eq!(Access::stranger("mangochi-2"), None);
        let access = Access::stranger("enrol:mangochi-2").unwrap();
        assert_eq!(access.client(), "enrol:mangochi-2");
        assert!(access.may_publish("jibu/1/e/mangochi-2/ask"));
        assert!(access.may_subscribe("jibu/1/e/mangochi-2/reply"));
        for other in ["jibu/1/s/mangochi-2/req", "jibu/1/e/blantyre/ask", "jibu/1/e/+/reply", "#"] {
            assert!(!access.may_publish(other) && !access.may_subscribe(other), "{other}");
        }
        assert!(!access.may_subscribe("jibu/1/c/health/root"));
    }
}

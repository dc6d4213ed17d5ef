use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use jibu_sync::wire::SiteName;
use jibu_types::CollectionName;

/// What a site may do at a broker: write below its own topics, read what is for
/// it, and read the collections that it is entitled to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The site: it connects under this name alone.
    pub site: SiteName,
    /// What it may read.
    pub collections: BTreeSet<CollectionName>,
}

/// What sites write below `jibu/1/s/SITE/`; the rest is the hub's to write.
const WRITTEN_BY_SITES: [&str; 3] = ["req", "state", "telemetry/"];

impl Access {
    /// Whether it may publish there.
    pub fn may_publish(&self, topic: &str) -> bool {
        let Some(below) = self.own(topic) else { return false };
        WRITTEN_BY_SITES.iter().any(|allowed| match allowed.strip_suffix('/') {
            Some(_) => below.strip_prefix(allowed).is_some_and(|stream| !stream.contains('/')),
            None => below == *allowed,
        })
    }

    /// Whether it may subscribe to a topic filter.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        if let Some(below) = self.own(filter) {
            return !below.is_empty();
        }
        let collection =
            filter.strip_prefix("jibu/1/c/").and_then(|rest| rest.split_once('/')).map(|(c, _)| c);
        // A name holds no wildcard, so a filter that matches others is not one.
        collection.is_some_and(|name| self.collections.iter().any(|own| own.as_str() == name))
    }

    fn own<'t>(&self, topic: &'t str) -> Option<&'t str> {
        topic.strip_prefix("jibu/1/s/")?.strip_prefix(self.site.as_str())?.strip_prefix('/')
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
        let access = Access {
            site: SiteName::parse("mangochi-2").unwrap(),
            collections: [CollectionName::parse("health-sw").unwrap()].into(),
        };
        for (topic, allowed) in [
            ("jibu/1/s/mangochi-2/req", true),
            ("jibu/1/s/mangochi-2/state", true),
            ("jibu/1/s/mangochi-2/telemetry/health", true),
            ("jibu/1/s/mangochi-2/telemetry/a/b", false),
            ("jibu/1/s/mangochi-2/cmd", false),
            ("jibu/1/s/mangochi-2/ack", false),
            ("jibu/1/s/mangochi-20/req", false),
            ("jibu/1/s/mangochi/req", false),
            ("jibu/1/c/health-sw/root", false),
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
}

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jibu_sync::wire::SiteName;
use jibu_types::CollectionName;

/// What a client may do at a broker, as MQTT topic filters (MQTT v5 §4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The name that it connects under: a site's is its certificate's, too.
    pub client: String,
    /// Where it may publish.
    pub writes: Vec<String>,
    /// What it may subscribe to.
    pub reads: Vec<String>,
}

/// Stands before the name under which a stranger connects; no site's name has it,
/// so a stranger never takes a site's session over.
const STRANGER: &str = "enrol:";

impl Access {
    /// A site that the hub knows writes below its own topics, and reads what is
    /// for it and the collections that it is entitled to.
    pub fn of_site(site: &SiteName, collections: &[CollectionName]) -> Self {
        let own = |below: &&str| format!("jibu/1/s/{site}/{below}");
        let collections = collections.iter().map(|name| format!("jibu/1/c/{name}/#"));
        Access {
            client: site.to_string(),
            writes: ["req", "state", "telemetry/+", "renew"].iter().map(own).collect(),
            reads: ["ack", "cmd", "renewed"].iter().map(own).chain(collections).collect(),
        }
    }

    /// Somebody without a certificate reaches the enrolment of the site that the
    /// client's name says, and nothing else. `None` when it says none.
    pub fn of_stranger(client: &str) -> Option<Self> {
        let site = SiteName::parse(client.strip_prefix(STRANGER)?).ok()?;
        Some(Access {
            client: client.to_owned(),
            writes: vec![format!("jibu/1/e/{site}/ask")],
            reads: vec![format!("jibu/1/e/{site}/reply")],
        })
    }

    /// Whether it may publish there.
    pub fn may_publish(&self, topic: &str) -> bool {
        let is_filter = topic.contains(['+', '#']);
        !is_filter && self.writes.iter().any(|allowed| covers(allowed, topic))
    }

    /// Whether all that a topic filter matches may be read.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        self.reads.iter().any(|allowed| covers(allowed, filter))
    }
}

/// Whether whatever `filter` matches is matched by `allowed`.
fn covers(allowed: &str, filter: &str) -> bool {
    let mut filter = filter.split('/');
    for level in allowed.split('/') {
        match (level, filter.next()) {
            ("#", Some(_)) => return true,
            ("+", Some(level)) if level != "#" => {}
            (one, Some(other)) if one == other => {}
            _ => return false,
        }
    }
    filter.next().is_none()
}

/// Who may come in, by the serial number of a certificate that the hub's
/// authority signed. Whoever is taken off loses the connection.
#[derive(Debug, Default)]
pub struct Roll(RwLock<HashMap<Vec<u8>, Access>>);

impl Roll {
    /// Sets who may come in from now on.
    pub fn replace(&self, sites: HashMap<Vec<u8>, Access>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sites;
    }

    /// What the owner of a certificate may do; `None` for nobody we know.
    pub fn access(&self, serial: &[u8]) -> Option<Access> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(serial).cloned()
    }
}

/// The serial number of a certificate in DER (RFC 5280 §4.1): the integer after
/// the version at the beginning of what is signed.
pub(super) fn serial(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xA0;
    const INTEGER: u8 = 0x02;
    let (signed, _) = element(certificate, SEQUENCE)?;
    let (fields, _) = element(signed, SEQUENCE)?;
    let fields = element(fields, VERSION).map_or(fields, |(_, rest)| rest);
    element(fields, INTEGER).map(|(number, _)| number)
}

/// The content of the element of this tag at the beginning, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ ..=0x7F => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_writes_its_own_topics_and_reads_its_own_and_its_collections() {
        let site = SiteName::parse("mangochi-2").unwrap();
        let access = Access::of_site(&site, &[CollectionName::parse("health-sw").unwrap()]);
        for (topic, allowed) in [
            ("jibu/1/s/mangochi-2/req", true),
            ("jibu/1/s/mangochi-2/state", true),
            ("jibu/1/s/mangochi-2/renew", true),
            ("jibu/1/s/mangochi-2/telemetry/health", true),
            ("jibu/1/s/mangochi-2/telemetry/a/b", false),
            ("jibu/1/s/mangochi-2/telemetry/+", false),
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
            ("jibu/1/s/mangochi-2/#", false),
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
    fn a_serial_number_is_read_and_what_is_no_certificate_has_none() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["a".repeat(200)]).unwrap();
        let number = [0x41, 2, 3, 255];
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&number));
        let certificate = params.self_signed(&key).unwrap();
        assert_eq!(serial(certificate.der()), Some(&number[..]));
        for cut in 0..40 {
            assert!(serial(&certificate.der()[..cut]).is_none());
        }
        assert_eq!(serial(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]), None);
        assert_eq!(serial(b"no certificate"), None);
    }

    #[test]
    fn a_stranger_enrols_and_does_nothing_else() {
        assert_eq!(Access::of_stranger("mangochi-2"), None);
        assert_eq!(Access::of_stranger("enrol:+"), None);
        let access = Access::of_stranger("enrol:mangochi-2").unwrap();
        assert!(access.may_publish("jibu/1/e/mangochi-2/ask"));
        assert!(access.may_subscribe("jibu/1/e/mangochi-2/reply"));
        for other in ["jibu/1/s/mangochi-2/req", "jibu/1/e/blantyre/ask", "jibu/1/e/+/reply", "#"] {
            assert!(!access.may_publish(other) && !access.may_subscribe(other), "{other}");
        }
        assert!(!access.may_subscribe("jibu/1/c/health/root"));
    }
}

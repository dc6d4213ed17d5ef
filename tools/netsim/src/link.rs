//! A link as a modem gives it: a stream in each direction with a rate, a
//! delay, and packets that are lost and sent again.

use std::time::Duration;

use jibu_types::Timestamp;

/// What one direction of a link is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Way {
    /// Bits a second.
    pub bits_per_s: u64,
    /// From one end to the other.
    pub delay: Duration,
    /// The share of packets that are lost, below one.
    pub loss: f64,
}

/// Both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkModel {
    /// From the broker to the site.
    pub down: Way,
    /// From the site to the broker.
    pub up: Way,
}

impl LinkModel {
    /// A link of these rates in kbit/s and this loss both ways, with a delay of
    /// 300 ms each way.
    pub fn new(down_kbit: u64, up_kbit: u64, loss: f64) -> Self {
        let delay = Duration::from_millis(300);
        let way = |kbit: u64| Way { bits_per_s: kbit * 1000, delay, loss };
        LinkModel { down: way(down_kbit), up: way(up_kbit) }
    }
}

/// Bytes of an MQTT session's set-up with TLS 1.3 and certificates, measured
/// with rumqttc and mosquitto.
pub const SETUP_BYTES: u64 = 4_900;

/// What a TLS 1.3 record adds.
const TLS_RECORD: u64 = 22;
/// TCP and IPv4 headers with time stamps.
const TCP_IP: u64 = 52;
/// Payload of a TCP segment on a mobile network.
const SEGMENT: u64 = 1_348;

/// Bytes that went over a link in one direction, by what they were for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What the peers wrote.
    pub payload: u64,
    /// MQTT topics.
    pub topics: u64,
    /// The rest of MQTT's packets, acknowledgements of subscriptions included.
    pub mqtt: u64,
    /// TLS records.
    pub tls: u64,
    /// TCP and IP headers, and acknowledgements of what went the other way.
    pub tcp_ip: u64,
    /// Packets sent again after a loss.
    pub resent: u64,
    /// Set-ups of sessions.
    pub setup: u64,
}

impl Traffic {
    /// An MQTT packet.
    pub fn packet(payload: u64, topics: u64, mqtt: u64) -> Self {
        Traffic { payload, topics, mqtt, tls: TLS_RECORD, ..Traffic::default() }
    }

    /// What the application and its protocols wrote: all but TCP, IP, what was
    /// sent again, and set-ups.
    pub fn application(&self) -> u64 {
        self.payload + self.topics + self.mqtt + self.tls
    }

    /// All bytes but the set-ups'.
    pub fn total(&self) -> u64 {
        self.application() + self.tcp_ip + self.resent
    }

    /// The share `part / whole` of these bytes, rounded down.
    fn share(&self, part: u64, whole: u64) -> Self {
        let cut = |bytes: u64| bytes * part / whole.max(1);
        Traffic {
            payload: cut(self.payload),
            topics: cut(self.topics),
            mqtt: cut(self.mqtt),
            tls: cut(self.tls),
            tcp_ip: cut(self.tcp_ip),
            resent: cut(self.resent),
            setup: cut(self.setup),
        }
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, other: Traffic) {
        self.payload += other.payload;
        self.topics += other.topics;
        self.mqtt += other.mqtt;
        self.tls += other.tls;
        self.tcp_ip += other.tcp_ip;
        self.resent += other.resent;
        self.setup += other.setup;
    }
}

impl std::ops::Sub for Traffic {
    type Output = Traffic;

    fn sub(self, other: Traffic) -> Traffic {
        Traffic {
            payload: self.payload - other.payload,
            topics: self.topics - other.topics,
            mqtt: self.mqtt - other.mqtt,
            tls: self.tls - other.tls,
            tcp_ip: self.tcp_ip - other.tcp_ip,
            resent: self.resent - other.resent,
            setup: self.setup - other.setup,
        }
    }
}

/// A packet under way.
#[derive(Debug, Clone, Copy)]
pub struct Flight {
    start: Timestamp,
    sent: Timestamp,
    /// When all of it is at the other end.
    pub arrives: Timestamp,
    traffic: Traffic,
}

impl Flight {
    /// What has been on the link at `now`.
    pub fn traffic_at(&self, now: Timestamp) -> Traffic {
        let whole = self.sent.since(self.start).as_millis() as u64;
        let part = now.since(self.start).as_millis() as u64;
        if now >= self.sent { self.traffic } else { self.traffic.share(part, whole) }
    }
}

/// One direction in use: packets follow each other.
#[derive(Debug, Clone)]
pub struct Stream {
    way: Way,
    free_at: Timestamp,
}

impl Stream {
    /// An idle direction.
    pub fn new(way: Way) -> Self {
        Stream { way, free_at: Timestamp::default() }
    }

    /// Sends a packet behind those that are being sent. Gives its flight, and
    /// the bytes of acknowledgements that go the other way for it.
    pub fn send(
        &mut self,
        mut traffic: Traffic,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> (Flight, u64) {
        let mut left = traffic.application() + traffic.setup;
        let (mut segments, mut tail_losses) = (0, 0);
        while left > 0 {
            let bytes = left.min(SEGMENT);
            left -= bytes;
            segments += 1;
            tail_losses = 0;
            while self.way.loss > 0.0 && rng.f64() < self.way.loss {
                traffic.resent += bytes + TCP_IP;
                tail_losses += 1;
            }
        }
        traffic.tcp_ip += segments * TCP_IP;
        let start = self.free_at.max(now);
        let bits = (traffic.total() + traffic.setup) * 8;
        let sent = start + Duration::from_millis(bits * 1000 / self.way.bits_per_s.max(1));
        self.free_at = sent;
        // A lost last segment is noticed only after a round trip.
        let arrives = sent + self.way.delay * (1 + 2 * tail_losses);
        (Flight { start, sent, arrives, traffic }, segments.div_ceil(2) * TCP_IP)
    }

    /// The session is gone, and what waited with it.
    pub fn reset(&mut self, now: Timestamp) {
        self.free_at = now;
    }
}

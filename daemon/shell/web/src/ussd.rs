//! A USSD gateway's call-back: `sessionId, serviceCode, phoneNumber, text` as a
//! form, `CON …` or `END …` as the answer.
//!
//! Whoever can reach the port could ask in anybody's name, so a call shows a
//! shared secret and comes from a listed address. What the page says comes from
//! [`Sessions`].

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jibu_types::PhoneNumber;
use serde::Deserialize;

use crate::{AskError, harden, refusal};

/// One call of a gateway. `Debug` shows no text.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The gateway's name for the session.
    pub session: String,
    /// What was dialled, `*384*77#`.
    pub service_code: String,
    /// Who dialled; none where the gateway does not say.
    pub caller: Option<PhoneNumber>,
    /// Everything entered so far, joined by `*`; empty at first.
    pub text: String,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({:?}, {} bytes)", self.caller, self.text.len())
    }
}

/// What the caller sees next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The page.
    pub text: String,
    /// Whether the session ends with it.
    pub ends: bool,
}

/// What stands behind the call-back.
pub trait Sessions: Clone + Send + Sync + 'static {
    /// Takes in one call. A gateway waits for about ten seconds.
    fn call(&self, call: Call) -> impl Future<Output = Result<Page, AskError>> + Send;
}

/// Who may call.
#[derive(Clone)]
pub struct Access {
    secret: String,
    addresses: Vec<Network>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Why an access rule was refused. The secret is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// It could be guessed.
    #[error("the secret is shorter than {} characters", Access::SHORTEST_SECRET)]
    Secret,
    /// It is no address.
    #[error("\"{0}\" is no address or network (an example: 196.0.2.0/24)")]
    Network(String),
}

impl Access {
    /// The fewest characters of a secret.
    pub const SHORTEST_SECRET: usize = 16;

    /// A secret, and the addresses or networks that gateways call from
    /// (`196.0.2.7`, `2001:db8::/32`); none for any.
    ///
    /// # Errors
    /// When the secret is short or an address is none.
    pub fn new(secret: &str, addresses: &[String]) -> Result<Self, AccessError> {
        if secret.chars().count() < Self::SHORTEST_SECRET {
            return Err(AccessError::Secret);
        }
        let addresses = addresses.iter().map(|text| Network::parse(text)).collect::<Result<_, _>>();
        Ok(Access { secret: secret.to_owned(), addresses: addresses? })
    }

    fn knows(&self, shown: &str) -> bool {
        // Every byte is looked at, so that the time taken tells nothing.
        let differing = self.secret.bytes().zip(shown.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        self.secret.len() == shown.len() && differing == 0
    }

    fn admits(&self, address: Option<IpAddr>) -> bool {
        self.addresses.is_empty()
            || address.is_some_and(|address| self.addresses.iter().any(|net| net.holds(address)))
    }
}

/// An address with the length of its prefix (RFC 4632, RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, AccessError> {
        let wrong = || AccessError::Network(text.to_owned());
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(wrong()) } else { Ok(Network { address, bits }) }
    }

    fn holds(&self, other: IpAddr) -> bool {
        // A socket for both families shows an IPv4 address as ::ffff:a.b.c.d.
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let differing = u32::from(a) ^ u32::from(b);
                differing.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let differing = u128::from(a) ^ u128::from(b);
                differing.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// How much a gateway may ask. The defaults are far above what people do with
/// their thumbs.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Calls of one caller in a minute.
    pub per_caller: u32,
    /// Calls in a minute.
    pub in_all: u32,
    /// Calls that are being worked on at a time.
    pub at_once: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Rates { per_caller: 40, in_all: 1200, at_once: 64 }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// The largest form; a history of 4,096 bytes may be written in three times as many.
const LARGEST_FORM: usize = 16 * 1024;
const LONGEST_NAME: usize = 128;
const LONGEST_TEXT: usize = 4096;

/// The route `/ussd`. With a list of addresses the server must know who calls:
/// serve with `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn routes<S: Sessions>(sessions: S, access: Access, rates: Rates) -> Router {
    let door = Door { sessions, access: Arc::new(access), gauge: Arc::new(Gauge::new(rates)) };
    Router::new()
        .route("/ussd", post(call::<S>))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(axum::middleware::map_response(harden))
        .with_state(door)
}

#[derive(Clone)]
struct Door<S> {
    sessions: S,
    access: Arc<Access>,
    gauge: Arc<Gauge>,
}

/// All optional, so that what is missing is named in a sentence.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Fields {
    session_id: String,
    service_code: String,
    phone_number: String,
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Shown {
    key: String,
}

async fn call<S: Sessions>(
    State(door): State<Door<S>>,
    Query(shown): Query<Shown>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let address = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if !door.access.admits(address) {
        let why = "this address is not on the list web.ussd.addresses";
        return refusal(StatusCode::FORBIDDEN, why);
    }
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !door.access.knows(bearer.unwrap_or(&shown.key).trim()) {
        let why = "the shared secret is missing or wrong: send it as \"Authorization: Bearer …\" \
                   or as /ussd?key=…";
        return refusal(StatusCode::UNAUTHORIZED, why);
    }
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => return refusal(rejection.status(), &rejection.body_text()),
    };
    let call = match fields.read() {
        Ok(call) => call,
        Err(sentence) => return refusal(StatusCode::BAD_REQUEST, &sentence),
    };
    let who = call.caller.as_ref().map_or(call.session.as_str(), PhoneNumber::digits).to_owned();
    let Some(_working) = door.gauge.admit(&who, Instant::now()) else {
        let why = "too many calls: wait for a minute";
        let retry = [(header::RETRY_AFTER, "60")];
        return (retry, refusal(StatusCode::TOO_MANY_REQUESTS, why)).into_response();
    };
    match door.sessions.call(call).await {
        Ok(Page { text, ends }) => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            let word = if ends { "END" } else { "CON" };
            (headers, format!("{word} {text}")).into_response()
        }
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

impl Fields {
    fn read(self) -> Result<Call, String> {
        if self.session_id.is_empty() {
            return Err("\"sessionId\" is missing".into());
        }
        for (name, value, most) in [
            ("sessionId", &self.session_id, LONGEST_NAME),
            ("serviceCode", &self.service_code, LONGEST_NAME),
            ("text", &self.text, LONGEST_TEXT),
        ] {
            if value.len() > most {
                return Err(format!("\"{name}\" is longer than {most} bytes"));
            }
        }
        let number = self.phone_number.as_str();
        let caller = match number.trim() {
            "" => None,
            // A `+` that was not escaped reads as a space in a form.
            digits if number.starts_with(' ') && !digits.starts_with('+') => {
                Some(PhoneNumber::parse(&format!("+{digits}")))
            }
            digits => Some(PhoneNumber::parse(digits)),
        };
        let caller = caller.transpose().map_err(|error| format!("\"phoneNumber\": {error}"))?;
        let Fields { session_id: session, service_code, text, .. } = self;
        Ok(Call { session, service_code, caller, text })
    }
}

/// Counts calls by the minute, and those that are being worked on.
struct Gauge {
    rates: Rates,
    working: AtomicUsize,
    minute: Mutex<Minute>,
}

struct Minute {
    since: Instant,
    in_all: u32,
    by_caller: HashMap<String, u32>,
}

/// A call that is being worked on; it ends when this is dropped, and so also
/// when the gateway hangs up.
struct Working<'g>(&'g Gauge);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gauge {
    fn new(rates: Rates) -> Self {
        let minute = Minute { since: Instant::now(), in_all: 0, by_caller: HashMap::new() };
        Gauge { rates, working: AtomicUsize::new(0), minute: Mutex::new(minute) }
    }

    fn admit(&self, caller: &str, now: Instant) -> Option<Working<'_>> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(minute.since) >= MINUTE {
            *minute = Minute { since: now, in_all: 0, by_caller: HashMap::new() };
        }
        // Nothing is kept of who comes beyond the limit, so the map stays small.
        if minute.in_all >= self.rates.in_all {
            return None;
        }
        let theirs = minute.by_caller.entry(caller.to_owned()).or_default();
        if *theirs >= self.rates.per_caller {
            return None;
        }
        *theirs += 1;
        minute.in_all += 1;
        let working = Working(self);
        (self.working.fetch_add(1, Ordering::Relaxed) < self.rates.at_once).then_some(working)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_in_either_writing() {
        let holds = |network: &str, address: &str| {
            Network::parse(network).unwrap().holds(address.parse().unwrap())
        };
        assert!(holds("196.0.2.0/24", "196.0.2.255"));
        assert!(holds("196.0.2.0/24", "::ffff:196.0.2.1"));
        assert!(!holds("196.0.2.0/24", "196.0.3.1"));
        assert!(holds("196.0.2.7", "196.0.2.7"));
        assert!(!holds("196.0.2.7", "196.0.2.6"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1") && !holds("2001:db8::/32", "2001:db9::1"));
        for wrong in ["", "196.0.2", "196.0.2.0/33", "196.0.2.0/x", "gateway.example"] {
            assert_eq!(Network::parse(wrong), Err(AccessError::Network(wrong.into())));
        }
    }

    #[test]
    fn a_secret_is_compared_whole_and_shown_nowhere() {
        let access = Access::new("0123456789abcdef", &[]).unwrap();
        assert!(access.knows("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0"] {
            assert!(!access.knows(wrong), "{wrong}");
        }
        assert!(!format!("{access:?}").contains("0123"));
        assert_eq!(Access::new("short", &[]).unwrap_err(), AccessError::Secret);
    }

    #[test]
    fn a_caller_and_all_callers_have_their_minute() {
        let gauge = Gauge::new(Rates { per_caller: 2, in_all: 3, at_once: 1 });
        let now = Instant::now();
        let first = gauge.admit("a", now);
        assert!(first.is_some());
        assert!(gauge.admit("b", now).is_none(), "one at a time");
        drop(first);
        assert!(gauge.admit("a", now).is_some());
        assert!(gauge.admit("a", now).is_none(), "two of one caller");
        assert!(gauge.admit("c", now).is_none(), "three in all");
        assert!(gauge.admit("a", now + MINUTE).is_some());
    }
}

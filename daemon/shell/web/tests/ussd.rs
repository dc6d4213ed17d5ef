//! The call-back over a real socket.

#![allow(clippy::unwrap_used, reason = "a broken server should fail loudly")]

use std::net::SocketAddr;

use jibu_web::AskError;
use jibu_web::ussd::{Access, Call, Page, Rates, Sessions};

const SECRET: &str = "only-the-gateway-knows";

/// Says what it heard.
#[derive(Clone)]
struct Echo;

impl Sessions for Echo {
    async fn call(&self, call: Call) -> Result<Page, AskError> {
        if call.text == "busy" {
            return Err(AskError::TryAgain("the index is being replaced".into()));
        }
        let caller = call.caller.as_ref().map_or("nobody", |number| number.reveal());
        let text = format!("{} {} {} {}", call.session, call.service_code, caller, call.text);
        Ok(Page { text, ends: call.text.ends_with('8') })
    }
}

/// Serves on a free port and gives its address.
fn serve(addresses: &[&str], rates: Rates) -> String {
    let addresses: Vec<String> = addresses.iter().map(|text| (*text).to_owned()).collect();
    let access = Access::new(SECRET, &addresses).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().to_string()).unwrap();
            let routes = jibu_web::ussd::routes(Echo, access, rates);
            let service = routes.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.unwrap();
        });
    });
    format!("http://{}", told.recv().unwrap())
}

fn post(url: &str, bearer: Option<&str>, body: &str) -> (u16, String) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(url).header("Content-Type", "application/x-www-form-urlencoded");
    if let Some(secret) = bearer {
        request = request.header("Authorization", &format!("Bearer {secret}"));
    }
    let mut response = request.send(body).unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

const FORM: &str =
    "sessionId=s1&serviceCode=*384%2377%23&phoneNumber=%2B265991234567&text=1*boil+water";

#[test]
fn a_call_is_a_form_and_a_page_is_con_or_end() {
    let url = format!("{}/ussd", serve(&[], Rates::default()));
    let (status, body) = post(&url, Some(SECRET), FORM);
    assert_eq!((status, body.as_str()), (200, "CON s1 *384#77# +265991234567 1*boil water"));
    let (_, body) = post(&url, Some(SECRET), "sessionId=s1&phoneNumber=+265991234567&text=8");
    assert_eq!(body, "END s1  +265991234567 8", "a plus that was not escaped");
    let (_, body) = post(&url, Some(SECRET), "sessionId=s1&networkCode=65001");
    assert_eq!(body, "CON s1  nobody ");
}

#[test]
fn a_stranger_is_refused_before_anything_is_read() {
    let url = format!("{}/ussd", serve(&["127.0.0.0/8"], Rates::default()));
    assert_eq!(post(&url, None, FORM).0, 401);
    assert_eq!(post(&url, Some("only-the-gateway-know"), FORM).0, 401);
    assert_eq!(post(&url, Some(SECRET), FORM).0, 200);
    assert_eq!(post(&format!("{url}?key={SECRET}"), None, FORM).0, 200);
    assert_eq!(post(&format!("{url}?key=x"), None, "not=read").0, 401);
    // The right secret from the wrong place.
    let elsewhere = format!("{}/ussd", serve(&["196.0.2.0/24", "::1"], Rates::default()));
    let (status, body) = post(&elsewhere, Some(SECRET), FORM);
    assert_eq!(status, 403);
    assert!(body.contains("addresses") && !body.contains(SECRET), "{body}");
}

#[test]
fn what_is_wrong_with_a_call_is_said_in_a_sentence() {
    let url = format!("{}/ussd", serve(&[], Rates::default()));
    let long = format!("sessionId=s&text={}", "a".repeat(5000));
    let huge = format!("sessionId=s&text={}", "a".repeat(20_000));
    for (body, status, word) in [
        ("", 400, "sessionId"),
        ("text=1", 400, "sessionId"),
        ("sessionId=s&phoneNumber=MPESA", 400, "phoneNumber"),
        ("sessionId=s&text=busy", 503, "being replaced"),
        (long.as_str(), 400, "longer than 4096"),
        (huge.as_str(), 413, ""),
    ] {
        let (got, said) = post(&url, Some(SECRET), body);
        assert_eq!(got, status, "{said}");
        assert!(said.contains(word), "{said}");
    }
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let json = agent
        .post(&url)
        .header("Content-Type", "application/json")
        .header("Authorization", &format!("Bearer {SECRET}"))
        .send("{}")
        .unwrap();
    assert_eq!(json.status().as_u16(), 415);
    assert_eq!(agent.get(&url).call().unwrap().status().as_u16(), 405);
}

#[test]
fn a_gateway_that_runs_wild_is_slowed() {
    let rates = Rates { per_caller: 3, in_all: 5, ..Rates::default() };
    let url = format!("{}/ussd", serve(&[], rates));
    let of = |number: u32| format!("sessionId=s&phoneNumber=%2B26599000000{number}&text=");
    let statuses: Vec<u16> =
        [1, 1, 1, 1, 2, 2, 3].map(|who| post(&url, Some(SECRET), &of(who)).0).to_vec();
    assert_eq!(statuses, [200, 200, 200, 429, 200, 200, 429]);
}

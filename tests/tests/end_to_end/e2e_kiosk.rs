//! The kiosk in Debian's Chromium.

use std::process::Command;
use std::time::{Duration, Instant};

use jibu_tests::Running;

use crate::{PATIENCE, stage};

pub(crate) fn get(url: &str) -> String {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

pub(crate) fn wait_for_kiosk(base: &str, daemon: &mut Running) {
    let begun = Instant::now();
    while ureq::get(base).call().is_err() {
        assert!(daemon.ended().unwrap().is_none(), "jibud ended");
        assert!(begun.elapsed() < PATIENCE, "no kiosk at {base}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_health_worker_sees_the_answer_marked_in_its_passage() {
    let stage = stage();
    let _modem = stage.modem(&["--time-scale", "0.05"]).unwrap();
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    wait_for_kiosk(&base, &mut daemon);

    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
        .args(["--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("{base}/?question=How+long+do+I+boil+water%3F&language=en"))
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    let marked = page.split("<mark>").nth(1).and_then(|rest| rest.split("</mark>").next());
    let marked = marked.unwrap_or_else(|| panic!("nothing is marked: {page}"));
    assert!(marked.contains("one minute"), "{marked}");
    assert!(page.contains("<article>") && page.contains("Source"), "{page}");

    let metrics = get(&format!("{base}/metrics"));
    assert!(
        metrics.contains("jibu_answers_total{channel=\"kiosk\",kind=\"found\"} 1"),
        "{metrics}"
    );
}

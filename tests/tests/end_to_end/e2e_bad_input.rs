//! What goes wrong around a box gets a sentence that says what, and what to do.

use std::process::Command;

use crate::{documents, stage};
use jibu_tests::{Stage, root};

/// Exit status and stderr.
fn fails(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_damaged_bundle_and_another_hubs_bundle_change_nothing() {
    let stage = stage();
    let before = jibu_tests::run(&mut stage.jibud(&["index", "list"])).unwrap();
    let bundle = stage.path("health.bundle");
    let whole = std::fs::read(&bundle).unwrap();

    let refused = |bytes: &[u8]| {
        let file = stage.path("bad.bundle");
        std::fs::write(&file, bytes).unwrap();
        let mut import = stage.jibud(&["index", "import"]);
        import.arg(&file);
        fails(import)
    };
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        let (code, said) = refused(&whole[..cut]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("was not imported"), "{said}");
    }
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert_eq!(refused(&flipped).0, 1);

    let other = Stage::new(None).unwrap();
    let foreign = other.bundle("health", &documents()).unwrap();
    let (code, said) = refused(&std::fs::read(foreign).unwrap());
    assert_eq!(code, 1);
    assert!(said.contains("another hub"), "{said}");

    assert_eq!(jibu_tests::run(&mut stage.jibud(&["index", "list"])).unwrap(), before);
    jibu_tests::run(&mut stage.jibud(&["index", "verify"])).unwrap();
}

#[test]
fn an_unknown_key_a_missing_model_and_a_missing_index_are_named() {
    let stage = Stage::new(None).unwrap();
    stage.configure("[sms]\nmax_prats = 3\n").unwrap();
    let (code, said) = fails(stage.jibud(&["run"]));
    assert_eq!(code, 1);
    assert!(said.contains("max_prats") && said.contains("jibu.toml"), "{said}");

    stage.configure("").unwrap();
    let (code, said) = fails(stage.jibud(&["ask", "fever"]));
    assert_eq!(code, 1);
    assert!(said.contains("jibud index import"), "{said}");

    let models = stage.path("models");
    std::fs::create_dir(&models).unwrap();
    for file in ["manifest.toml", "tokenizer.json", "embedder.onnx", "ranking.json"] {
        std::fs::copy(root().join("models").join(file), models.join(file)).unwrap();
    }
    let text = std::fs::read_to_string(stage.path("jibu.toml")).unwrap();
    let text = text.replace(&format!("{:?}", root().join("models")), &format!("{models:?}"));
    std::fs::write(stage.path("jibu.toml"), text).unwrap();
    let (code, said) = fails(stage.jibud(&["run"]));
    assert_eq!(code, 1);
    assert!(said.contains("embedding.q4"), "{said}");

    let (code, _) = fails(stage.jibud(&["no-such-command"]));
    assert_eq!(code, 2);
}

#[test]
fn without_its_modem_the_box_still_answers_at_the_kiosk() {
    let stage = stage();
    let mut daemon = stage.daemon().unwrap();
    let base = format!("http://127.0.0.1:{}", stage.port);
    crate::e2e_kiosk::wait_for_kiosk(&base, &mut daemon);
    let asked = crate::e2e_kiosk::get(&format!("{base}/api/ask?question=boil+water"));
    assert!(asked.contains("one minute"), "{asked}");
    let health = crate::e2e_kiosk::get(&format!("{base}/healthz"));
    assert!(health.contains("modem simulated"), "{health}");

    // A technician is told which port, and what to do.
    let output = stage.jibud(&["status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_full_disk_stops_nothing_but_what_needs_it() {
    let stage = stage();
    // A limit on the size of files is what a full disk looks like from inside.
    let mut limited = Command::new("bash");
    let jibud = stage.jibud(&["run"]);
    limited
        .current_dir(root())
        .args(["-c", "ulimit -f 64; trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(jibud.get_program())
        .args(jibud.get_args())
        .stderr(std::fs::File::create(stage.path("limited.log")).unwrap());
    let mut modem = stage.modem(&["--time-scale", "0.05", "--seed", "5"]).unwrap();
    for person in 0..40 {
        modem.control.deliver(&format!("+2659910000{person:02}"), "HELP").unwrap();
    }
    let mut daemon = jibu_tests::Running::start(&mut limited).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(15));
    assert!(daemon.ended().unwrap().is_none(), "a full disk ended the daemon");
    daemon.kill().unwrap();

    // With room again, everybody is answered once.
    let mut daemon = stage.daemon().unwrap();
    for person in 0..40 {
        let number = format!("+2659910000{person:02}");
        modem.wait_for(&number, &mut daemon, crate::PATIENCE).unwrap();
        assert_eq!(modem.sent_to(&number).unwrap().len(), 1, "{number}");
    }
}

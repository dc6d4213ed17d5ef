use super::*;

const SMALLEST: &str = "[site]\ndata = \"d\"\nmodels = \"m\"\nlanguages = [\"en\"]\n";

fn refusal(text: &str) -> String {
    Config::parse(text, Path::new("/etc/jibu/jibu.toml")).unwrap_err().to_string()
}

#[test]
fn paths_count_from_the_file() {
    let config = Config::parse(SMALLEST, Path::new("/etc/jibu/jibu.toml")).unwrap();
    assert_eq!(config.state_db(), Path::new("/etc/jibu/d/state.db"));
    assert_eq!(config.languages, [Language::EN]);
}

#[test]
fn the_example_is_a_configuration() {
    let example = include_str!("../../jibu.example.toml");
    let config = Config::parse(example, Path::new("jibu.toml")).unwrap();
    assert_eq!(config.modems.len(), 1);
    // Every key stands there, those that are optional behind a `#`.
    let uncommented: String = example
        .lines()
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.split_once(" = ").is_some_and(|(k, _)| !k.contains(' ')) => {
                Some(rest)
            }
            Some(_) => None,
            None => Some(line),
        })
        .map(|line| format!("{line}\n"))
        .collect();
    for key in [
        "name",
        "data",
        "models",
        "languages",
        "emergency_number",
        "person_number",
        "public_key",
        "broker",
        "credentials",
        "rate_kbit",
        "update_budget_kb",
        "max_parts",
        "gather_wait_minutes",
        "answers_per_day",
        "answers_per_day_and_modem",
        "answers_per_day_in_all",
        "quiet_hours",
        "status_reports",
        "national_shifts",
        "transliterate",
        "listen",
        "secret",
        "addresses",
        "port",
        "baud_rate",
        "pin",
        "send_via",
        "storage",
        "number",
        "lamp",
        "imei",
        "prefixes",
        "fail_over_minutes",
        "power_key",
        "topics",
        "by_sms",
        "page_characters",
        "page_characters_ucs2",
        "ussd",
        "ussd_form",
        "code",
        "pattern",
        "every_hours",
        "low",
        "filter",
        "host",
        "tls_authority",
        "system_id",
        "password",
        "password_file",
        "system_type",
        "bind",
        "source",
        "source_ton",
        "source_npi",
        "address_range",
        "alphabet",
        "enquire_seconds",
    ] {
        assert!(
            uncommented.lines().any(|line| line.starts_with(&format!("{key} = "))),
            "{key} is not in the example"
        );
    }
}

#[test]
fn an_unknown_key_is_refused_by_name_and_line() {
    let said = refusal(&format!("{SMALLEST}langauges = [\"sw\"]\n"));
    assert!(said.contains("langauges") && said.contains("line 5"), "{said}");
}

fn airtime(code: &str, pattern: &str, low: f64) -> String {
    format!(
        "[[modem]]\nname = \"a\"\nport = \"p\"\n[modem.airtime]\ncode = {code:?}\n\
         pattern = {pattern:?}\nlow = {low:?}"
    )
}

#[test]
fn airtime_switches_ussd_on_and_answers_no_sessions() {
    let text = format!("{SMALLEST}{}\n", airtime("*137#", "MK {balance}", 99.95));
    let config = Config::parse(&text, Path::new("jibu.toml")).unwrap();
    let modem = &config.modems[0];
    assert!(modem.driver.ussd && !modem.serves_ussd);
    assert_eq!(modem.airtime.as_ref().unwrap().low, Balance(9995));
}

const SMSC: &str = "[[smpp]]\nname = \"o\"\nhost = \"h\"\nsystem_id = \"jibu\"\n";

#[test]
fn an_smsc_has_a_password_and_a_source_by_its_form() {
    let text = |rest: &str| format!("{SMALLEST}{SMSC}password = \"abcdefgh\"\n{rest}\n");
    let parsed = |rest: &str| Config::parse(&text(rest), Path::new("jibu.toml")).unwrap();
    for (source, address, kind) in [
        ("", "", (0, 0)),
        ("+265991234500", "265991234500", (1, 1)),
        ("50131", "50131", (0, 1)),
        ("JIBU", "JIBU", (5, 0)),
    ] {
        let config = parsed(&format!("source = {source:?}"));
        let smpp = &config.smpp[0];
        assert_eq!((smpp.link.source.as_str(), smpp.link.source_type), (address, kind));
        assert_eq!(smpp.number.is_some(), !matches!(source, "" | "JIBU"));
        assert_eq!(config.first_sender(), Some("o"));
    }
    let asked = parsed("source = \"50131\"\nsource_ton = 3\nsource_npi = 0");
    assert_eq!(asked.smpp[0].link.source_type, (3, 0));
    assert!(!format!("{asked:?}").contains("abcdefgh"));

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "abcdefgh\n").unwrap();
    let text = format!("{SMALLEST}{SMSC}password_file = \"secret\"\n");
    let read = Config::parse(&text, &folder.path().join("jibu.toml")).unwrap();
    assert_eq!(read.smpp[0].link.password, asked.smpp[0].link.password);
}

#[test]
fn a_senseless_smsc_is_refused_by_its_key() {
    for (rest, words) in [
        ("", ["smpp.password", "password_file"]),
        ("password = \"\"", ["smpp.password", "printable"]),
        ("password_file = \"nowhere\"", ["smpp.password_file", "nowhere"]),
        ("password = \"p\"\nbind = \"x\"", ["smpp.bind", "pair"]),
        ("password = \"p\"\nalphabet = \"x\"", ["smpp.alphabet", "latin1"]),
        ("password = \"p\"\nsource = \"A very long name\"", ["smpp.source", "11"]),
        ("password = \"p\"\nsource_ton = 40", ["smpp.source_ton", "31"]),
        ("password = \"p\"\ntls_authority = \"nowhere\"", ["smpp.tls_authority", "nowhere"]),
        ("password = \"p\"\nenquire_seconds = 1", ["smpp.enquire_seconds", "30"]),
        ("password = \"p\"\nprefixes = [\"099\"]", ["smpp.prefixes", "+26599"]),
        ("password = \"p\"\n[[modem]]\nname = \"o\"\nport = \"p\"", ["smpp.name", "another"]),
        (
            "password = \"p\"\nalphabet = \"ascii\"\n[sms]\nnational_shifts = true",
            ["smpp.alphabet", "national_shifts"],
        ),
        ("password = 4711", ["line", "not shown"]),
    ] {
        let said = refusal(&format!("{SMALLEST}{SMSC}{rest}\n"));
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains("4711"), "{said}");
    }
}

#[test]
fn a_senseless_value_is_refused_with_an_example() {
    for (line, words) in [
        ("[web]\nlisten = \"8080\"", ["web.listen", "127.0.0.1:8080"]),
        ("[sms]\nmax_parts = 0", ["sms.max_parts = 0", "1 to 10"]),
        ("[sms]\nanswers_per_day_in_all = 0", ["sms.answers_per_day_in_all", "500"]),
        ("[sms]\nquiet_hours = \"21:00-06:00\"", ["sms.quiet_hours", "+02:00"]),
        ("[sms]\nquiet_hours = \"21-6 +02:00\"", ["sms.quiet_hours", "times of the day"]),
        ("[sms]\nquiet_hours = \"06:00-06:00 +00:00\"", ["sms.quiet_hours", "they begin"]),
        ("[web.ussd]\naddresses = [\"::1\"]", ["web.ussd.secret", "openssl"]),
        (
            "[web.ussd]\nsecret = \"0123456789abcdef\"\naddresses = [\"here\"]",
            ["web.ussd.addresses", "196.0.2.0/24"],
        ),
        (
            "[web]\nlisten = \"\"\n[web.ussd]\nsecret = \"0123456789abcdef\"",
            ["web.listen", "gateways"],
        ),
        ("[hub]\npublic_key = \"x\"", ["hub.public_key", "jibu-hub init"]),
        ("[hub]\nbroker = \"hub.example.org\"", ["hub.broker", "mqtts://"]),
        ("[hub]\nbroker = \"mqtt://h:1883\"", ["hub.broker", "without TLS"]),
        ("[hub]\nrate_kbit = 0", ["hub.rate_kbit", "32"]),
        ("[[modem]]\nname = \"a\"\nport = \"p\"\nsend_via = \"x\"", ["send_via", "direct"]),
        ("[[modem]]\nname = \"a\"\nport = \"p\"\nnumber = \"MPESA\"", ["number", "digit"]),
        ("[[modem]]\nname = \"a\"\nport = \"p\"\nussd_form = \"x\"", ["ussd_form", "packed"]),
        ("[[modem]]\nname = \"a\"\nport = \"p\"\nimei = \"12\"", ["modem.imei", "fifteen"]),
        (
            "[[modem]]\nname = \"a\"\nport = \"p\"\nprefixes = [\"099\"]",
            ["modem.prefixes", "+26599"],
        ),
        ("[ussd]\npage_characters = 200", ["ussd.page_characters", "182"]),
        ("[ussd]\npage_characters_ucs2 = 20", ["ussd.page_characters_ucs2", "60 to 80"]),
        (&airtime("abc", "{balance}", 1.0), ["modem.airtime.code", "*137#"]),
        (&airtime("*1#", "balance", 1.0), ["modem.airtime.pattern", "MWK"]),
        (&airtime("*1#", "{balance}", -1.0), ["modem.airtime.low", "currency"]),
    ] {
        let said = refusal(&format!("{SMALLEST}{line}\n"));
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    let said = refusal("[site]\ndata = \"d\"\nmodels = \"m\"\nlanguages = [\"swahili\"]\n");
    assert!(said.contains("site.languages") && said.contains("swahili"), "{said}");
}

#[test]
fn quiet_hours_are_local_and_may_go_over_midnight() {
    let quiet = |from_minute, to_minute, utc_offset_minutes| {
        Some(QuietHours { from_minute, to_minute, utc_offset_minutes })
    };
    assert_eq!(quiet_hours("21:00-06:00 +02:00"), quiet(1260, 360, 120));
    assert_eq!(quiet_hours(" 00:30-05:59  -03:30 "), quiet(30, 359, -210));
    for wrong in ["", "21:00", "24:00-06:00 +00:00", "9:00-10:00 +00:00", "21:00-06:00 02:00"] {
        assert_eq!(quiet_hours(wrong), None, "{wrong}");
    }
}

#[test]
fn neither_a_pin_nor_a_number_nor_a_secret_is_repeated_in_an_error() {
    let secret = refusal(&format!("{SMALLEST}[web.ussd]\nsecret = \"too-short\"\n"));
    assert!(secret.contains("web.ussd.secret") && !secret.contains("too-short"), "{secret}");
    let pin =
        refusal(&format!("{SMALLEST}[[modem]]\nname = \"a\"\nport = \"p\"\npin = \"12x4\"\n"));
    assert!(!pin.contains("12x4"), "{pin}");
    for broken in ["pin = 4711", "pin = \"4711", "secret = 4711"] {
        let shown = refusal(&format!("{SMALLEST}[[modem]]\n{broken}\n"));
        assert!(shown.contains("line") && !shown.contains("4711"), "{shown}");
    }
}

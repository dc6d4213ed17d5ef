//! Transcripts: what a person sends, what Jibu sends back.
//!
//! `>` is the person, `<` is Jibu, with the number of SMS parts. Lines that
//! begin with a dot are directions: `.later 25h` lets time pass.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use expect_test::{Expect, expect};
use jibu_answer::{
    Answer, Budget, Candidate, Conversation, Decision, LanguageModel, Query, Site, Step,
    Thresholds, decide, excerpt, normalise,
};
use jibu_types::{
    CollectionName, Date, IndexVersion, Language, Passage, PassageId, PhoneNumber, Timestamp,
};

fn passage(language: Language, title: &str, section: &str, text: &str) -> Passage {
    Passage {
        collection: CollectionName::parse("guides").unwrap(),
        document: format!("{title}.md"),
        title: title.into(),
        section: vec![section.into()],
        language,
        source_url: Some("https://example.org/guide".into()),
        date: Some(Date::parse("2024-03-01").unwrap()),
        text: normalise(text),
    }
}

fn library() -> Vec<Passage> {
    vec![
        passage(
            Language::EN,
            "Births and deaths",
            "Birth certificate",
            "A birth certificate is free within six weeks of the birth. After six weeks a certificate \
             costs a fee at the district office. Bring these papers:\n- the child's health passport\n\
             - the mother's identity card\n- a letter from the village head",
        ),
        passage(
            Language::EN,
            "Births and deaths",
            "Death certificate",
            "A death certificate is given by the district office. Bring the hospital's letter.",
        ),
        passage(
            Language::EN,
            "Snake bites",
            "First aid",
            "Keep the person who was bitten by a snake still and calm. Do not cut the bite. Do not tie \
             the limb. Carry the person to the nearest hospital.",
        ),
        passage(
            Language::EN,
            "Clean water",
            "Boiling",
            "Bring the water to a rolling boil and let it boil for one minute. Above 2000 m let it boil \
             for three minutes. Let it cool in a covered pot. Pour it into a clean can with a narrow \
             neck. Do not put hands or cups into it. Wash the can with soap once a week. Water that \
             looks cloudy is first poured through a clean cloth, and left to stand until it is clear.",
        ),
        passage(
            Language::SW,
            "Usajili wa vizazi",
            "Cheti cha kuzaliwa",
            "Cheti cha kuzaliwa hutolewa bure ndani ya siku 90. Leta kadi ya kliniki na kitambulisho \
             cha mzazi. Baada ya siku 90 kuna ada ya kuchelewa.",
        ),
        passage(
            Language::FR,
            "Eau potable",
            "Faire bouillir",
            "Faites bouillir l'eau à gros bouillons pendant une minute. Laissez-la refroidir dans un \
             récipient couvert. Ne mettez pas les mains dedans.",
        ),
        passage(
            Language::PT,
            "Registo civil",
            "Certidão de nascimento",
            "A certidão de nascimento pede-se na conservatória. O registo é gratuito até aos 120 dias. \
             Leve o cartão de saúde da criança.",
        ),
        passage(
            Language::NY,
            "Malungo",
            "Zizindikiro",
            "Zizindikiro za malungo ndi kutentha thupi, kuzizira ndi kupweteka mutu. Pitani kuchipatala \
             tsiku loyamba la kutentha thupi.",
        ),
        passage(
            Language::EN,
            "Clinics",
            "Kasungu",
            "Clinic: Mtunthama. Opens: 7.30. Phone: +265 1 253 400. Days: Monday to Friday.",
        ),
    ]
}

/// How many of the question's words a passage has. Ranking proper is somebody
/// else's; a story only needs an order.
fn probability(query: &Query, passage: &Passage) -> f64 {
    let text = Query::analyse(&format!("{} {}", passage.heading(), passage.text), query.language);
    let hits = query.words.iter().filter(|word| {
        let stem: String = word.chars().take(5).collect();
        text.words.iter().any(|other| other.starts_with(&stem))
    });
    0.95 * hits.count() as f64 / query.words.len().max(1) as f64
}

fn sms(text: &str) -> usize {
    const BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
    let basic = text.chars().all(|c| (c.is_ascii() && c != '`') || BASIC.contains(c));
    let (one, each) = if basic { (160, 153) } else { (70, 67) };
    let length = text.chars().count();
    if length <= one { 1 } else { length.div_ceil(each) }
}

static IDENTIFIER: LazyLock<Arc<LanguageModel>> = LazyLock::new(|| {
    let shipped =
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../models/language.bin"));
    Arc::new(LanguageModel::read(shipped).unwrap())
});

fn site() -> Site {
    Site {
        service_name: "Jibu".into(),
        languages: vec![Language::EN, Language::SW, Language::FR, Language::PT, Language::NY],
        default_language: Language::EN,
        emergency_number: Some(PhoneNumber::parse("112").unwrap()),
        asks_people: false,
        person_number: Some(PhoneNumber::parse("0800 123 456").unwrap()),
        identifier: IDENTIFIER.clone().into(),
    }
}

const THRESHOLDS: Thresholds = Thresholds { sure: 0.96, found: 0.6, choose: 0.4, lead: 0.1 };

fn answer(query: &Query, library: &[Passage], only: Option<PassageId>) -> Answer {
    let mut candidates: Vec<Candidate<'_>> = library
        .iter()
        .zip(1..)
        .map(|(passage, id)| Candidate {
            id: PassageId(id),
            passage,
            index_version: IndexVersion { epoch: 1, version: 1 },
            probability: probability(query, passage),
            part: None,
            span: None,
        })
        .filter(|candidate| only.is_none_or(|id| candidate.id == id))
        .collect();
    candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let decision = if only.is_some() {
        Decision::Found(0, None)
    } else {
        decide(query, &candidates, &THRESHOLDS)
    };
    let fits = |text: &str| sms(text) <= 2;
    decision.into_answer(query, &candidates, |candidate| excerpt(query, candidate, None, &fits))
}

fn check_at(site: &Site, parts: usize, story: &str, expected: Expect) {
    let library = library();
    let budget = Budget { parts, medium: &sms };
    let mut now = Timestamp::from_unix_seconds(1_795_000_000);
    let mut stored = serde_json::to_string(&Conversation::default()).unwrap();
    let mut transcript = String::new();
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(hours) = line.strip_prefix(".later ").and_then(|h| h.strip_suffix('h')) {
            now = now + Duration::from_secs(3600 * hours.parse::<u64>().unwrap());
            writeln!(transcript, "{line}").unwrap();
            continue;
        }
        // It is kept as JSON between two messages, as it is in the store.
        let mut conversation: Conversation = serde_json::from_str(&stored).unwrap();
        let reply = match conversation.receive(line, now, site, &budget) {
            Step::Reply(reply) => Some(reply),
            Step::Search(query) => {
                let answer = answer(&query, &library, None);
                Some(conversation.answer(&query, answer, now, site, &budget))
            }
            Step::Open { topic, query } => {
                let answer = answer(&query, &library, Some(topic.passage));
                Some(conversation.answer(&query, answer, now, site, &budget))
            }
            Step::Silent => None,
        };
        writeln!(transcript, "> {line}").unwrap();
        match reply {
            None => writeln!(transcript, "  (nothing)").unwrap(),
            Some(reply) => {
                for page in &reply.pages {
                    let page_lines = page.replace('\n', "\n  ");
                    let (kind, parts) = (reply.kind.as_str(), sms(page));
                    writeln!(transcript, "< {page_lines}\n  ({kind}, {}, {parts})", reply.language)
                        .unwrap();
                }
            }
        }
        stored = serde_json::to_string(&conversation).unwrap();
    }
    expected.assert_eq(&transcript);
}

fn check(story: &str, expected: Expect) {
    check_at(&site(), 2, story, expected);
}

#[test]
fn a_question_in_english_with_more_and_why() {
    check(
        "
        how long to boil water
        MORE
        more
        why?
        thanks
        ",
        expect![[r#"
            > how long to boil water
            < Bring the water to a rolling boil and let it boil for one minute. Above 2000 m let it boil for three minutes.
              Source: Clean water 2024
              Send MORE for the rest.
              (found, en, 1)
            > MORE
            < Let it cool in a covered pot. Pour it into a clean can with a narrow neck. Do not put hands or cups into it. Wash the can with soap once a week. Water that looks cloudy is first poured through a clean cloth, and left to stand until it is clear.
              (more, en, 2)
            > more
            < That was all. You can send a new question.
              (more, en, 1)
            > why?
            < The answer is from: Clean water, Boiling. Date: 2024-03-01. I think that it fits your question, but I am not certain. A machine chose it. No person checked it.
              (why, en, 1)
            > thanks
              (nothing)
        "#]],
    );
}

#[test]
fn an_answer_of_two_halves_names_both_its_sources() {
    let library = library();
    let candidate = |at: usize| Candidate {
        id: PassageId(at as i64 + 1),
        passage: &library[at],
        index_version: IndexVersion { epoch: 1, version: 1 },
        probability: 0.9 - 0.1 * at as f64,
        part: None,
        span: None,
    };
    let query = Query::analyse("papers for a certificate", Language::EN);
    let candidates = [candidate(0), candidate(1)];
    let answer = Decision::Found(0, Some(1))
        .into_answer(&query, &candidates, |candidate| excerpt(&query, candidate, None, &|_| true));
    let (site, budget) = (site(), Budget { parts: 3, medium: &sms });
    let now = Timestamp::from_unix_seconds(1_795_000_000);
    let mut conversation = Conversation::default();
    let found = conversation.answer(&query, answer, now, &site, &budget);
    let Step::Reply(why) = conversation.receive("why", now, &site, &budget) else {
        panic!("WHY is answered")
    };
    expect![[r#"
        Bring these papers:
        - the child's health passport
        - the mother's identity card
        - a letter from the village head
        Source: Births and deaths 2024
        A death certificate is given by the district office.
        Source: Births and deaths 2024
        Send MORE for the rest.

        The answer is from: Births and deaths, Birth certificate; Births and deaths, Death certificate. Date: 2024-03-01. I think that it fits your question, but I am not certain. A machine chose it. No person checked it. https://example.org/guide"#]].assert_eq(&[found.pages, why.pages].concat().join("\n\n"));
    assert_eq!((found.citations.len(), why.citations.len()), (2, 2));
}

#[test]
fn a_question_in_swahili() {
    check(
        "
        habari
        cheti cha kuzaliwa ni bei gani
        kwa nini
        zaidi
        MTU
        kuhusu samaki wa baharini
        ",
        expect![[r#"
            > habari
            < Jibu: tuma swali lako. ZAIDI: sehemu iliyobaki. KWANINI: chanzo. LUGHA: badili lugha. MTU: ongea na mtu. ACHA: sitisha. Ukiwa hatarini piga 112.
              (help, sw, 1)
            > cheti cha kuzaliwa ni bei gani
            < Cheti cha kuzaliwa hutolewa bure ndani ya siku 90. Leta kadi ya kliniki na kitambulisho cha mzazi.
              Chanzo: Usajili wa vizazi 2024
              (found, sw, 1)
            > kwa nini
            < Jibu limetoka: Usajili wa vizazi, Cheti cha kuzaliwa. Tarehe: 2024-03-01. Nadhani linafaa swali lako, lakini sina hakika kamili. Limechaguliwa na mashine. Hakuna mtu aliyelikagua. https://example.org/guide
              (why, sw, 2)
            > zaidi
            < Baada ya siku 90 kuna ada ya kuchelewa.
              (more, sw, 1)
            > MTU
            < Mimi ni mashine. Kuongea na mtu, piga 0800123456. Nimeandika ombi lako, lakini bado siwezi kulipeleka.
              (person, sw, 1)
            > kuhusu samaki wa baharini
            < Samahani, sijui. Nyaraka zangu hazijibu swali hili. Jaribu kwa maneno mengine. Kumuuliza mtu, piga 0800123456.
              (unknown, sw, 1)
        "#]],
    );
}

#[test]
fn a_question_in_french() {
    check(
        "
        comment faire bouillir l'eau pour boire ?
        POURQUOI ?
        suite
        quel est le prix du poisson
        personne
        ",
        expect![[r#"
            > comment faire bouillir l'eau pour boire ?
            < Faites bouillir l'eau à gros bouillons pendant une minute. Laissez-la refroidir dans un récipient couvert.
              Source : Eau potable 2024
              (found, fr, 1)
            > POURQUOI ?
            < La réponse vient de : Eau potable, Faire bouillir. Date : 2024-03-01. Je pense qu'elle répond à votre question, mais je n'en suis pas certain. Une machine l'a choisie. Personne ne l'a vérifiée. https://example.org/guide
              (why, fr, 2)
            > suite
            < Ne mettez pas les mains dedans.
              (more, fr, 1)
            > quel est le prix du poisson
            < Désolé, je ne sais pas. Mes documents n'y répondent pas. Essayez avec d'autres mots. Pour demander à une personne, appelez le 0800123456.
              (unknown, fr, 1)
            > personne
            < Je suis une machine. Pour parler à une personne, appelez le 0800123456. J'ai noté votre demande, mais je ne peux pas encore la transmettre.
              (person, fr, 1)
        "#]],
    );
}

#[test]
fn a_question_in_portuguese() {
    check(
        "
        como pedir a certidao de nascimento
        porquê
        ajuda
        qual o preço do peixe na praia
        parar
        começar
        ",
        expect![[r#"
            > como pedir a certidao de nascimento
            < A certidão de nascimento pede-se na conservatória. O registo é gratuito até aos 120 dias.
              Fonte: Registo civil 2024
              (found, pt, 2)
            > porquê
            < A resposta vem de: Registo civil, Certidao de nascimento. Data: 2024-03-01. Penso que serve para a sua pergunta, mas nao tenho a certeza. Foi uma maquina que a escolheu. Nenhuma pessoa a verificou. https://example.org/guide
              (why, pt, 2)
            > ajuda
            < Jibu: envie a sua pergunta. MAIS: o resto. PORQUE: a fonte. LINGUA: outra lingua. PESSOA: falar com alguem. PARAR: terminar. Em perigo, ligue 112.
              (help, pt, 1)
            > qual o preço do peixe na praia
            < Desculpe, nao sei. Os meus documentos nao respondem a isto. Tente com outras palavras. Para perguntar a uma pessoa, ligue 0800123456.
              (unknown, pt, 1)
            > parar
            < Não vai receber mais mensagens de Jibu. Para voltar, envie COMECAR.
              (stop, pt, 1)
            > começar
            < Bem-vindo de volta a Jibu. Envie a sua pergunta.
              (start, pt, 1)
        "#]],
    );
}

#[test]
fn a_question_in_chichewa() {
    check(
        "
        zizindikiro za malungo ndi ziti
        chifukwa
        thandizo
        nsomba ndi ndalama zingati kumsika
        munthu
        ",
        expect![[r#"
            > zizindikiro za malungo ndi ziti
            < Zizindikiro za malungo ndi kutentha thupi, kuzizira ndi kupweteka mutu. Pitani kuchipatala tsiku loyamba la kutentha thupi.
              Kuchokera: Malungo 2024
              (found, ny, 1)
            > chifukwa
            < Yankho lachokera: Malungo, Zizindikiro. Tsiku: 2024-03-01. Ndikuganiza kuti likugwirizana ndi funso lanu, koma sindikutsimikiza. Lasankhidwa ndi makina. Palibe munthu amene waliona. https://example.org/guide
              (why, ny, 2)
            > thandizo
            < Jibu: tumizani funso. ZAMBIRI: zotsala. CHIFUKWA: gwero. CHILANKHULO: kusintha. MUNTHU: kulankhula naye. SIYANI: kusiya. Pangozi imbani 112.
              (help, ny, 1)
            > nsomba ndi ndalama zingati kumsika
            < Pepani, sindikudziwa. Zolemba zanga sizikuyankha zimenezi. Yesani ndi mawu ena. Kuti mufunse munthu, imbani 0800123456.
              (unknown, ny, 1)
            > munthu
            < Ine ndine makina. Kuti mulankhule ndi munthu, imbani 0800123456. Ndalemba pempho lanu, koma sindingathe kulipereka panopa.
              (person, ny, 1)
        "#]],
    );
}

#[test]
fn a_menu_waits_a_day_for_its_number() {
    check(
        "
        certificate
        7
        2
        1
        Death certificate
        how long to boil water
        2
        certificate
        .later 25h
        2
        ",
        expect![[r#"
            > certificate
            < Which one? Send the number:
              1 Birth certificate
              2 Death certificate
              3 Certidao de nascimento
              (choose, en, 1)
            > 7
            < Please send a number from 1 to 3:
              1 Birth certificate
              2 Death certificate
              3 Certidao de nascimento
              (choose, en, 1)
            > 2
            < A death certificate is given by the district office. Bring the hospital's letter.
              Source: Births and deaths 2024
              (found, en, 1)
            > 1
            < A birth certificate is free within six weeks of the birth. After six weeks a certificate costs a fee at the district office.
              Source: Births and deaths 2024
              (found, en, 1)
            > Death certificate
            < A death certificate is given by the district office. Bring the hospital's letter.
              Source: Births and deaths 2024
              (found, en, 1)
            > how long to boil water
            < Bring the water to a rolling boil and let it boil for one minute. Above 2000 m let it boil for three minutes.
              Source: Clean water 2024
              Send MORE for the rest.
              (found, en, 1)
            > 2
            < There is no list to choose from now. Please send your question in words.
              (not_understood, en, 1)
            > certificate
            < Which one? Send the number:
              1 Birth certificate
              2 Death certificate
              3 Certidao de nascimento
              (choose, en, 1)
            .later 25h
            > 2
            < There is no list to choose from now. Please send your question in words.
              (not_understood, en, 1)
        "#]],
    );
}

#[test]
fn danger_is_answered_with_the_emergency_line_first() {
    check(
        "
        my son was bitten by a snake
        mtoto ana degedege
        I want to kill myself
        ",
        expect![[r#"
            > my son was bitten by a snake
            < CALL 112. If somebody is in danger now: get help, go to the nearest health centre.
              Keep the person who was bitten by a snake still and calm. Do not cut the bite. Do not tie the limb. Carry the person to the nearest hospital.
              Source: Snake bites 2024
              (urgent, en, 2)
            > mtoto ana degedege
            < PIGA 112. Kama mtu yuko hatarini sasa: omba msaada, nenda kituo cha afya kilicho karibu.
              (urgent, sw, 1)
            > I want to kill myself
            < CALL 112. You are not alone. Please talk now to somebody you trust or to a health worker.
              (urgent, en, 1)
        "#]],
    );
}

#[test]
fn a_language_can_be_chosen() {
    check(
        "
        LANG
        lang sw
        how to get a birth certificate
        lang xx
        English
        ",
        expect![[r#"
            > LANG
            < Send LANG and a language: en English, sw Kiswahili, fr Francais, pt Portugues, ny Chichewa.
              (language, en, 1)
            > lang sw
            < Sasa ninaandika kwa Kiswahili.
              (language, sw, 1)
            > how to get a birth certificate
            < Unataka lipi? Tuma namba:
              1 Birth certificate
              2 Death certificate
              3 First aid
              4 Boiling
              (choose, sw, 1)
            > lang xx
            < Tuma LUGHA na lugha: en English, sw Kiswahili, fr Francais, pt Portugues, ny Chichewa.
              (language, sw, 1)
            > English
            < I write in English now.
              (language, en, 1)
        "#]],
    );
}

#[test]
fn after_stop_only_start_is_heard() {
    check(
        "
        STOP
        stop
        how long to boil water
        HELP
        START
        stop bleeding how
        ",
        expect![[r#"
            > STOP
            < You get no more messages from Jibu. To come back, send START.
              (stop, en, 1)
            > stop
              (nothing)
            > how long to boil water
              (nothing)
            > HELP
              (nothing)
            > START
            < Welcome back to Jibu. Send your question.
              (start, en, 1)
            > stop bleeding how
            < CALL 112. If somebody is in danger now: get help, go to the nearest health centre.
              (urgent, en, 1)
        "#]],
    );
}

#[test]
fn what_is_no_question_gets_a_short_hint() {
    check(
        "
        .
        x
        🙂🙂🙂
        5
        MORE
        WHY
        help
        ?
        ",
        expect![[r#"
            > .
            < I cannot read a question in this. Write it in a few words, like: How do I register a birth?
              (not_understood, en, 1)
            > x
            < I cannot read a question in this. Write it in a few words, like: How do I register a birth?
              (not_understood, en, 1)
            > 🙂🙂🙂
            < I cannot read a question in this. Write it in a few words, like: How do I register a birth?
              (not_understood, en, 1)
            > 5
            < There is no list to choose from now. Please send your question in words.
              (not_understood, en, 1)
            > MORE
            < That was all. You can send a new question.
              (more, en, 1)
            > WHY
            < I have not answered anything yet. Please send a question.
              (why, en, 1)
            > help
            < Jibu: send your question in your own words. MORE: the rest. WHY: the source. LANG: language. PERSON: talk to a person. STOP: end. In danger call 112.
              (help, en, 1)
            > ?
            < Jibu: send your question in your own words. MORE: the rest. WHY: the source. LANG: language. PERSON: talk to a person. STOP: end. In danger call 112.
              (help, en, 1)
        "#]],
    );
}

#[test]
fn a_table_row_gives_the_field_that_was_asked_for() {
    check(
        "
        phone of Mtunthama clinic
        ",
        expect![[r#"
            > phone of Mtunthama clinic
            < Clinic: Mtunthama.
              Phone: +265 1 253 400. Days: Monday to Friday.
              Source: Clinics 2024
              Send MORE for the rest.
              (found, en, 1)
        "#]],
    );
}

#[test]
fn one_part_is_enough_for_the_thrifty() {
    check_at(
        &site(),
        1,
        "
        what papers for a birth certificate
        more
        more
        ",
        expect![[r#"
            > what papers for a birth certificate
            < Bring these papers:
              - the child's health passport
              - the mother's identity card
              - a letter from the village head
              Source: Births and deaths 2024
              (found, en, 1)
            > more
            < A birth certificate is free within six weeks of the birth. After six weeks a certificate costs a fee at the district office.
              (more, en, 1)
            > more
            < That was all. You can send a new question.
              (more, en, 1)
        "#]],
    );
}

#[test]
fn where_a_hub_has_people_the_last_question_goes_to_one() {
    let linked = Site { asks_people: true, person_number: None, ..site() };
    check_at(
        &linked,
        2,
        "
        person
        where do fish sleep
        person
        ",
        expect![[r#"
            > person
            < I am a machine. I noted that you want a person, but I cannot pass it on yet. Please ask at the service centre.
              (person, en, 1)
            > where do fish sleep
            < Sorry, I do not know. My documents do not answer this. Try it in other words.
              (unknown, en, 1)
            > person
            < I passed your question to a person. The reply comes by SMS.
              (person, en, 1)
        "#]],
    );
}

#[test]
fn a_site_without_numbers_does_not_promise_any() {
    let bare = Site { emergency_number: None, person_number: None, ..site() };
    check_at(
        &bare,
        2,
        "
        person
        my child has convulsions
        where do fish sleep
        help
        ",
        expect![[r#"
            > person
            < I am a machine. I noted that you want a person, but I cannot pass it on yet. Please ask at the service centre.
              (person, en, 1)
            > my child has convulsions
            < If somebody is in danger now: get help, go to the nearest health centre.
              (urgent, en, 1)
            > where do fish sleep
            < Sorry, I do not know. My documents do not answer this. Try it in other words.
              (unknown, en, 1)
            > help
            < Jibu: send your question in your own words. MORE: the rest. WHY: the source. LANG: language. PERSON: talk to a person. STOP: end.
              (help, en, 1)
        "#]],
    );
}

#[test]
fn long_and_broken_texts_are_answered_or_refused_but_never_panic() {
    let (site, budget) = (site(), Budget { parts: 2, medium: &sms });
    let now = Timestamp::from_unix_ms(0);
    let mut conversation = Conversation::default();
    let long = "water ".repeat(900);
    let unbroken = "ዐ".repeat(5000);
    for text in ["", "\0\u{1}\u{7f}", &long, &unbroken, "\u{202e}\u{200d}", "{number} %s"] {
        match conversation.receive(text, now, &site, &budget) {
            Step::Search(query) => {
                assert!(query.text.chars().count() <= Query::MOST_CHARS);
                let reply = conversation.answer(&query, Answer::Unknown, now, &site, &budget);
                assert_eq!(reply.pages.len(), 1);
            }
            Step::Reply(reply) => assert!(!reply.pages.is_empty()),
            Step::Open { .. } | Step::Silent => {
                panic!("nothing was open, and no thanks were given")
            }
        }
    }
}

#[test]
fn a_stored_conversation_of_an_older_version_is_read() {
    let conversation: Conversation = serde_json::from_str(
        r#"{"stopped":true,"cited":{"at":0,"citation":{}},"something_new":1}"#,
    )
    .unwrap();
    assert!(conversation.is_stopped());
    assert!(!format!("{conversation:?}").contains("question"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_dialogue_ends_without_a_panic(texts in proptest::collection::vec(
        proptest::prop_oneof![
            proptest::prelude::any::<String>(),
            "(certificate|MORE|why|2|stop|start|lang (sw|fr|zz)|person|boil water|thanks)",
        ],
        0..12,
    )) {
        let (site, library, budget) = (site(), library(), Budget { parts: 2, medium: &sms });
        let mut conversation = Conversation::default();
        for (text, hour) in texts.iter().zip(0..) {
            let now = Timestamp::from_unix_seconds(3600 * hour);
            let (query, only) = match conversation.receive(text, now, &site, &budget) {
                Step::Search(query) => (query, None),
                Step::Open { topic, query } => (query, Some(topic.passage)),
                Step::Reply(_) | Step::Silent => continue,
            };
            let reply = conversation.answer(&query, answer(&query, &library, only), now, &site, &budget);
            proptest::prop_assert!(reply.pages.iter().all(|page| !page.is_empty()));
        }
    }
}

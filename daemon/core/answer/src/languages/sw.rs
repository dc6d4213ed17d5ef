//! Swahili. Not yet checked by a speaker.

use jibu_types::Language;

use super::{Commands, Pack, Phrases};
use crate::danger::Danger;

#[rustfmt::skip]
pub(super) static PACK: Pack = Pack {
    language: Language::SW,
    name: "Kiswahili",
    names: &["kiswahili", "swahili", "chiswahili", "suaili"],
    commands: Commands {
        help: &["msaada", "usaidizi", "maelezo", "menyu"],
        more: &["zaidi", "endelea", "inayofuata"],
        why: &["kwanini", "kwa nini", "mbona", "chanzo"],
        lang: &["lugha"],
        stop: &["acha", "simama", "komesha", "sitisha"],
        start: &["anza", "anzisha", "rudisha"],
        person: &["mtu", "mhudumu", "ongea na mtu"],
        greeting: &["habari", "hujambo", "jambo", "mambo", "salamu", "shikamoo", "habari yako",
            "habari za asubuhi", "habari za leo"],
        thanks: &["asante", "asante sana", "ahsante", "ahsante sana", "sawa", "shukrani"],
    },
    numbers: ["moja", "mbili", "tatu", "nne"],
    stop_words: "ya wa za la na kwa ni cha vya pa ku katika kutoka kama au lakini bali pia tu sana \
        hii hiyo hizi hizo huyu huyo hawa hao hili hilo haya hayo hiki hicho vile hivi hivyo yangu \
        wangu langu changu zangu yako wako lako yake wake lake zake yetu wetu yao wao mimi wewe yeye \
        sisi ninyi nini gani nani wapi lini je vipi namna jinsi ngapi kwani kwamba ili kuwa ina ana \
        nina una tuna wana kuna hakuna si sio ndio ndiyo hapana tafadhali naomba nataka ninataka \
        nahitaji ninahitaji naweza ninaweza nawezaje ninawezaje anaweza inaweza lazima nifanye \
        nifanyeje mtu watu kitu mambo hapa pale huko kila baada kabla wakati bila hadi mpaka",
    short_forms: &[("cjui", "sijui"), ("cku", "siku"), ("cna", "sina"), ("cwezi", "siwezi"),
        ("kbs", "kabisa"), ("lkn", "lakini"), ("nn", "nini"), ("vp", "vipi"), ("wp", "wapi"),
        ("ww", "wewe"), ("xana", "sana"), ("xasa", "sasa"), ("xaxa", "sasa"), ("xjui", "sijui"),
        ("xna", "sina")],
    courtesies: &["habari", "habari yako", "habari zenu", "habari za leo", "habari za asubuhi",
        "habari za jioni", "hujambo", "hamjambo", "shikamoo", "salamu", "samahani", "tafadhali",
        "naomba", "naomba kujua", "naomba kuuliza", "naomba msaada", "nataka kujua",
        "ninataka kujua", "ningependa kujua", "nilitaka kujua", "nina swali", "swali langu ni",
        "niambie", "nieleze", "nisaidie", "naomba unisaidie", "asante", "asante sana", "ahsante",
        "ahsante sana", "nashukuru", "mungu akubariki"],
    addresses: &["daktari", "dokta", "mganga", "ndugu", "bwana", "dada", "rafiki", "jibu"],
    quantity: &["ngapi", "bei", "ada", "gharama", "lini", "saa", "namba", "nambari", "simu", "siku",
        "umri", "muda", "mwaka", "miaka", "kiasi", "kipimo", "dozi", "shilingi", "pesa"],
    leaning: &["hii", "hiyo", "hizi", "huyu", "hawa", "hao", "lakini", "hata hivyo", "pia", "kisha",
        "halafu", "ikiwa", "kama", "isipokuwa", "vinginevyo", "usi", "badala", "hivyo"],
    caveats: &["lakini", "usi*", "isipokuwa", "hata hivyo", "kamwe", "epuka", "acha", "si", "sio"],
    negations: &["si", "sio", "siyo", "hapana", "bila", "kamwe", "hakuna", "wala", "usi*", "msi*", "asi*",
        "wasi*", "tusi*", "hau*", "hai*", "haw*", "haku*", "hatu*", "ham*", "hazi*", "chini", "zaidi",
        "angalau", "tu", "pungufu"],
    conditions: &["ikiwa", "kama", "endapo", "iwapo", "isipokuwa", "hadi", "mpaka", "kabla", "baada",
        "wakati", "unapo*", "anapo*", "wanapo*", "inapo*", "kati", "ndani", "ambaye", "ambao",
        "vinginevyo", "badala", "epuka", "acha", "aki*", "waki*", "uki*", "tuki*", "iki*", "ziki*"],
    asides: &["kwa sababu", "kwa kuwa", "kwani", "ambayo", "ambazo", "ambacho", "ambalo", "kwa mfano",
        "ikiwemo", "yaani"],
    danger: &[
        (Danger::Medical, &[
            "degedege", "*poteza fahamu", "*potewa fahamu", "hana_fahamu", "*zimia", "*zirai",
            "hapumui", "hawezi kupumua", "siwezi kupumua", "*shindwa kupumua", "damu_nyingi",
            "*tokwa damu", "*tapika damu", "*kohoa damu", "nyoka *uma", "*umwa nyoka",
            "*gongwa nyoka", "*umwa mbwa", "sumu", "*kunywa mafuta", "*meza betri", "*kabwa koo",
            "maumivu_ya kifua", "mshtuko_wa moyo", "ameungua", "*zama maji", "kifafa",
        ]),
        (Danger::SelfHarm, &["kujiua", "*jiua", "nijiue", "kujidhuru", "nataka_kufa", "ninataka_kufa"]),
        (Danger::Violence, &[
            "amebakwa", "nimebakwa", "kubakwa", "ananipiga", "amenipiga", "anapigwa", "*lawiti*",
            "ukatili",
        ]),
    ],
    phrases: Phrases {
        help: "{service}: tuma swali lako. {more}: sehemu iliyobaki. {why}: chanzo. {lang}: badili \
            lugha. {person}: ongea na mtu. {stop}: sitisha.",
        help_danger: "Ukiwa hatarini piga {number}.",
        source: "Chanzo: {source}",
        more: "Tuma {more} kupata sehemu iliyobaki.",
        nothing_more: "Hayo ndiyo yote. Unaweza kutuma swali jipya.",
        choose: "Unataka lipi? Tuma namba:",
        choose_again: "Tafadhali tuma namba kuanzia 1 hadi {count}:",
        no_menu: "Hakuna orodha ya kuchagua sasa. Tafadhali tuma swali lako kwa maneno.",
        incomplete: "Sehemu ya ujumbe wako haijanifikia.",
        unknown: "Samahani, sijui. Nyaraka zangu hazijibu swali hili. Jaribu kwa maneno mengine.",
        ask_person: "Kumuuliza mtu, piga {number}.",
        why: "Jibu limetoka: {source}.",
        why_date: "Tarehe: {date}.",
        why_no_date: "Halina tarehe.",
        sure: "Nina hakika kiasi kwamba linafaa swali lako.",
        fairly_sure: "Nadhani linafaa swali lako, lakini sina hakika kamili.",
        not_sure: "Sina hakika kwamba linafaa swali lako. Tafadhali muulize mtu pia.",
        machine: "Limechaguliwa na mashine. Hakuna mtu aliyelikagua.",
        why_nothing: "Bado sijajibu chochote. Tafadhali tuma swali.",
        language_set: "Sasa ninaandika kwa Kiswahili.",
        language_list: "Tuma {lang} na lugha: {codes}.",
        stopped: "Hutapata ujumbe tena kutoka {service}. Kurudi, tuma {start}.",
        started: "Karibu tena {service}. Tuma swali lako.",
        person: "Mimi ni mashine. Kuongea na mtu, piga {number}. Nimeandika ombi lako, lakini bado \
            siwezi kulipeleka.",
        person_unset: "Mimi ni mashine. Nimeandika kwamba unataka mtu, lakini bado siwezi kupeleka \
            ombi lako. Tafadhali uliza kwenye kituo cha huduma.",
        person_asked: "Nimepeleka swali lako kwa mtu. Jibu litakuja kwa SMS.",
        not_understood: "Sioni swali katika ujumbe huu. Andika kwa maneno machache, kama: {example}",
        example: "Nawezaje kusajili kuzaliwa?",
        urgent_medical: "Kama mtu yuko hatarini sasa: omba msaada, nenda kituo cha afya kilicho karibu.",
        urgent_self_harm: "Hauko peke yako. Tafadhali ongea sasa na mtu unayemwamini au mhudumu wa afya.",
        urgent_violence: "Kama uko hatarini sasa: nenda mahali ambapo watu wanaweza kukusaidia.",
        urgent_call: "PIGA {number}.",
    },
};

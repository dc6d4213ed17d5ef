//! Chichewa (Nyanja). Not yet checked by a speaker.

use jibu_types::Language;

use super::{Commands, Pack, Phrases};
use crate::danger::Danger;

#[rustfmt::skip]
pub(super) static PACK: Pack = Pack {
    language: Language::NY,
    name: "Chichewa",
    names: &["chichewa", "chewa", "nyanja", "chinyanja", "cinyanja", "nya"],
    commands: Commands {
        help: &["thandizo", "chithandizo", "malangizo"],
        more: &["zambiri", "pitirizani", "pitiriza", "zina"],
        why: &["chifukwa", "chifukwa chiyani", "chifukwa chani", "gwero"],
        lang: &["chilankhulo", "chiyankhulo"],
        stop: &["siyani", "lekani", "leka", "imani", "siya"],
        start: &["yambani", "yamba", "yambaninso"],
        person: &["munthu", "kulankhula ndi munthu"],
        greeting: &["moni", "muli bwanji", "mwadzuka bwanji", "mwaswera bwanji", "bwanji", "wawa"],
        thanks: &["zikomo", "zikomo kwambiri", "chabwino", "zikomo kwambili"],
    },
    numbers: ["chimodzi", "ziwiri", "zitatu", "zinayi"],
    stop_words: "ndi wa ya za cha la mu ku pa kwa kuti koma kapena ngati pamene kuchokera mpaka kuyambira \
        komanso ndipo kwambiri chabe basi ichi icho izi izo uyu uyo awa awo iyi iyo uwu ili ilo apa apo \
        kuno uko muno changa yanga wanga langa zanga anga chanu yanu wanu zanu anu chake yake wake zake \
        ake chathu yathu wathu zathu chawo yawo wawo zawo ine iwe iye ife inu iwo chiyani chani bwanji \
        kuti liti ndani nchiyani ndichiyani ali ndili muli tili ndine ndife alipo kodi chonde ndikufuna \
        ndifuna tikufuna ndingathe ndingachite ndingapeze ndiyenera ayenera muyenera osati ayi inde \
        zonse onse wonse yense aliyense chilichonse zina wina ena lina china pokha pambuyo asanafike \
        kaye tsopano monga zimene amene yomwe omwe zomwe chomwe",
    short_forms: &[],
    courtesies: &["moni", "muli bwanji", "mwadzuka bwanji", "mwaswera bwanji", "pepani", "chonde",
        "ndikufuna kudziwa", "ndimafuna kudziwa", "ndili ndi funso", "funso langa ndi",
        "ndiuzeni", "tandiuzani", "ndithandizeni", "tandithandizani", "zikomo", "zikomo kwambiri",
        "zikomo kwambili", "ndathokoza"],
    addresses: &["dokotala", "adokotala", "bwana", "achimwene", "achemwali", "jibu"],
    quantity: &["zingati", "ndalama", "mtengo", "liti", "nthawi", "nambala", "foni", "masiku", "zaka",
        "angati", "ingati", "mochuluka", "kwacha", "malipiro", "mlingo", "tsiku"],
    leaning: &["izi", "ichi", "iwo", "iye", "koma", "komabe", "komanso", "ndipo", "kenako", "ngati",
        "kupanda", "kupatula", "osa", "musa", "choncho", "apo"],
    caveats: &["koma", "komabe", "osa*", "musa*", "kupatula", "pewani", "osati"],
    negations: &["osati", "ayi", "osa*", "musa*", "asa*", "usa*", "sa*", "si*", "popanda", "palibe",
        "kapena", "kuposa", "yekha", "chabe"],
    conditions: &["ngati", "pokhapokha", "kupatula", "pamene", "mpaka", "asana*", "atatha", "pambuyo",
        "pakati", "mukama*", "akama*", "ukama*", "pewani", "siyani", "amene"],
    asides: &["chifukwa", "popeza", "monga", "mwachitsanzo", "kutanthauza"],
    danger: &[
        (Danger::Medical, &[
            "*komoka", "*komokere", "khunyu", "*kunyuka", "sakupuma", "sangapume", "*lephera kupuma",
            "*lephera kupumira", "*vutika kupuma", "magazi_ambiri", "*taya magazi", "*sanza magazi",
            "njoka *lum*", "*lum* njoka", "galu *lum*", "*lum* galu", "poizoni", "chiphe",
            "wamwa_mankhwala ophera", "anamwa_mankhwala ophera", "wamira", "akumira", "wapsa moto",
            "wapsa kwambiri", "mtima *ima",
        ]),
        (Danger::SelfHarm, &["kudzipha", "ndidziphe", "ndikufuna_kufa", "*kudzivulaza", "adziphe"]),
        (Danger::Violence, &[
            "kugwiriridwa", "wagwiriridwa", "anagwiriridwa", "kugwirira_mkazi", "akundimenya",
            "amandimenya", "wandimenya", "*nkhanza",
        ]),
    ],
    phrases: Phrases {
        help: "{service}: tumizani funso. {more}: zotsala. {why}: gwero. {lang}: kusintha. {person}: \
            kulankhula naye. {stop}: kusiya.",
        help_danger: "Pangozi imbani {number}.",
        source: "Kuchokera: {source}",
        more: "Tumizani {more} kuti mulandire zotsala.",
        nothing_more: "Zathera pomwepa. Mutha kutumiza funso lina.",
        choose: "Mukufuna iti? Tumizani nambala:",
        choose_again: "Chonde tumizani nambala kuyambira 1 mpaka {count}:",
        no_menu: "Palibe mndandanda wosankha panopa. Chonde tumizani funso lanu m'mawu.",
        incomplete: "Gawo lina la uthenga wanu silinafike.",
        unknown: "Pepani, sindikudziwa. Zolemba zanga sizikuyankha zimenezi. Yesani ndi mawu ena.",
        ask_person: "Kuti mufunse munthu, imbani {number}.",
        why: "Yankho lachokera: {source}.",
        why_date: "Tsiku: {date}.",
        why_no_date: "Palibe tsiku.",
        sure: "Ndikukhulupirira kuti likugwirizana ndi funso lanu.",
        fairly_sure: "Ndikuganiza kuti likugwirizana ndi funso lanu, koma sindikutsimikiza.",
        not_sure: "Sindikutsimikiza kuti likugwirizana ndi funso lanu. Chonde funsaninso munthu.",
        machine: "Lasankhidwa ndi makina. Palibe munthu amene waliona.",
        why_nothing: "Sindinayankhe kanthu. Chonde tumizani funso.",
        language_set: "Tsopano ndikulemba m'Chichewa.",
        language_list: "Tumizani {lang} ndi chilankhulo: {codes}.",
        stopped: "Simulandiranso mauthenga a {service}. Kuti mubwerere, tumizani {start}.",
        started: "Takulandiraninso ku {service}. Tumizani funso lanu.",
        person: "Ine ndine makina. Kuti mulankhule ndi munthu, imbani {number}. Ndalemba pempho lanu, \
            koma sindingathe kulipereka panopa.",
        person_unset: "Ine ndine makina. Ndalemba kuti mukufuna munthu, koma sindingathe kupereka \
            pempholi panopa. Chonde funsani kumalo a chithandizo.",
        person_asked: "Ndapereka funso lanu kwa munthu. Yankho lidzabwera pa SMS.",
        not_understood: "Sindikuona funso mu uthengawu. Lembani m'mawu ochepa, monga: {example}",
        example: "Ndingalembetse bwanji kubadwa?",
        urgent_medical: "Ngati munthu ali pangozi tsopano: itanani anthu, pitani kuchipatala chapafupi.",
        urgent_self_harm: "Simuli nokha. Chonde lankhulani tsopano ndi munthu amene mumamukhulupirira \
            kapena wachipatala.",
        urgent_violence: "Ngati muli pangozi tsopano: pitani kumene kuli anthu okuthandizani.",
        urgent_call: "IMBANI {number}.",
    },
};

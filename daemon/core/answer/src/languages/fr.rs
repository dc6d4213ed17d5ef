//! French. Not yet checked by a speaker.

use jibu_types::Language;

use super::{Commands, Pack, Phrases};
use crate::danger::Danger;

#[rustfmt::skip]
pub(super) static PACK: Pack = Pack {
    language: Language::FR,
    name: "Français",
    names: &["francais", "french", "frances", "kifaransa", "chifalansa"],
    commands: Commands {
        help: &["aide", "infos", "menu", "mode d'emploi"],
        more: &["suite", "plus", "la suite", "encore", "suivant"],
        why: &["pourquoi", "source"],
        lang: &["langue"],
        stop: &["arret", "arreter", "stop", "desabonner"],
        start: &["reprendre", "debut", "commencer", "demarrer"],
        person: &["personne", "humain", "conseiller", "parler a une personne"],
        greeting: &["bonjour", "bonsoir", "salut", "coucou", "allo"],
        thanks: &["merci", "merci beaucoup", "d'accord", "ok merci"],
    },
    numbers: ["un", "deux", "trois", "quatre"],
    stop_words: "a afin ai ainsi alors apres as au aucun aussi autre aux avant avec avez avoir avons \
        c ca car ce cela celle celui ces cet cette ceux chaque chez comme comment d dans de depuis \
        des dois doit donc dont du elle elles en encore entre est et etait ete etre eux faire fait \
        faut font il ils j je l la le les leur leurs lors lui m ma mais me meme mes moi mon n ne ni \
        nos notre nous on ont ou par parce pas peu peut peuvent peux plus plusieurs pour pourquoi \
        pouvez puis puisje qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si \
        sii son sont sous sur t ta te tes toi ton tous tout toute toutes tres tu un une va vers veux \
        voici vos votre voudrais vous y svp bonjour merci combien obtenir savoir besoin",
    short_forms: &[("auj", "aujourd'hui"), ("avt", "avant"), ("bcoup", "beaucoup"),
        ("bcp", "beaucoup"), ("cmnt", "comment"), ("cmt", "comment"), ("coment", "comment"),
        ("dmn", "demain"), ("ds", "dans"), ("jr", "jour"), ("jrs", "jours"), ("kan", "quand"),
        ("kand", "quand"), ("ke", "que"), ("kel", "quel"), ("kelle", "quelle"), ("ki", "qui"),
        ("koi", "quoi"), ("koment", "comment"), ("lgtps", "longtemps"), ("msg", "message"),
        ("pb", "problème"), ("pbs", "problèmes"), ("pk", "pourquoi"), ("pkoi", "pourquoi"),
        ("pq", "pourquoi"), ("pr", "pour"), ("prkoi", "pourquoi"), ("qd", "quand"),
        ("qqch", "quelque chose"), ("qqn", "quelqu'un"), ("tjr", "toujours"), ("tjrs", "toujours"),
        ("tps", "temps"), ("ts", "tous"), ("tt", "tout"), ("tte", "toute")],
    courtesies: &["bonjour", "bonsoir", "salut", "coucou", "allo", "excusez moi", "pardon", "svp", "stp",
        "s il vous plait", "s il te plait", "je voudrais savoir", "je veux savoir",
        "j aimerais savoir", "je voulais savoir", "je voudrais demander", "j ai une question",
        "ma question est", "dites moi", "dis moi", "aidez moi", "aide moi", "pouvez vous me dire",
        "pouvez vous m aider", "merci", "merci beaucoup", "merci bien", "merci d avance"],
    addresses: &["docteur", "doc", "monsieur", "madame", "infirmier", "infirmiere", "jibu"],
    quantity: &["combien", "prix", "cout", "coute", "frais", "tarif", "quand", "heure", "heures",
        "numero", "telephone", "age", "jours", "delai", "temps", "dose", "montant", "francs", "ans"],
    leaning: &["il", "elle", "ils", "elles", "cela", "ce", "ceci", "cette", "ces", "celui", "mais",
        "cependant", "toutefois", "aussi", "ensuite", "puis", "sinon", "sauf", "si", "donc", "ne",
        "n'", "en outre", "ainsi"],
    caveats: &["mais", "cependant", "toutefois", "ne", "sauf", "jamais", "evitez", "n", "attention"],
    negations: &["ne", "n", "pas", "jamais", "sans", "ni", "aucun", "aucune", "non", "plus", "moins",
        "que", "seulement", "sous", "sur", "au", "avant"],
    conditions: &["si", "sauf", "quand", "lorsque", "lorsqu", "tant", "jusqu", "jusque", "apres",
        "pendant", "entre", "chez", "dont", "qui", "sinon", "plutot", "des", "evitez", "arretez",
        "excepte", "condition", "cas"],
    asides: &["car", "parce", "puisque", "puisqu", "afin", "notamment", "par exemple", "ce qui",
        "c est"],
    danger: &[
        (Danger::Medical, &[
            "convuls*", "inconscien*", "perdu connaissance", "perte connaissance", "evanoui*",
            "respire_pas", "respire_plus", "peut_pas respirer", "peux_pas respirer",
            "mal_a respirer", "difficulte* respir*", "hemorragi*", "saign* beaucoup",
            "saign* abondan*", "saign* arrete*", "arreter saign*", "vomi* sang", "crach* sang",
            "mord* serpent*", "serpent* mord*", "morsure*", "empoisonn*", "poison*", "intoxication*",
            "overdose*", "aval* petrole", "bu petrole", "aval* javel", "bu javel", "aval* pesticide*",
            "aval* pile*", "etouff*", "crise_cardiaque", "douleur* poitrine", "noyade", "se_noie",
            "noye", "electrocut*", "brulure* grave*", "gravement brul*",
        ]),
        (Danger::SelfHarm, &[
            "suicid*", "me_tuer", "me_suicider", "envie_de mourir", "veux_mourir", "veut_mourir",
            "me_faire du_mal", "en_finir avec vie",
        ]),
        (Danger::Violence, &[
            "viol", "violee", "violer", "me_bat", "me_frappe", "m_a_frappe*", "agresse*", "agression*",
            "violence* conjugale*", "poignarde*",
        ]),
    ],
    phrases: Phrases {
        help: "{service} : envoyez votre question. {more} : le reste. {why} : la source. {lang} : autre \
            langue. {person} : parler à quelqu'un. {stop} : finir.",
        help_danger: "En danger, appelez le {number}.",
        source: "Source : {source}",
        more: "Envoyez {more} pour le reste.",
        nothing_more: "C'est tout. Vous pouvez envoyer une nouvelle question.",
        choose: "Lequel ? Envoyez le numéro :",
        choose_again: "Envoyez un numéro de 1 à {count} :",
        no_menu: "Il n'y a pas de liste pour choisir. Envoyez votre question avec des mots.",
        incomplete: "Une partie de votre message manque.",
        unknown: "Désolé, je ne sais pas. Mes documents n'y répondent pas. Essayez avec d'autres mots.",
        ask_person: "Pour demander à une personne, appelez le {number}.",
        why: "La réponse vient de : {source}.",
        why_date: "Date : {date}.",
        why_no_date: "Sans date.",
        sure: "Je suis assez sûr qu'elle répond à votre question.",
        fairly_sure: "Je pense qu'elle répond à votre question, mais je n'en suis pas certain.",
        not_sure: "Je ne suis pas sûr qu'elle réponde à votre question. Demandez aussi à quelqu'un.",
        machine: "Une machine l'a choisie. Personne ne l'a vérifiée.",
        why_nothing: "Je n'ai encore rien répondu. Envoyez une question.",
        language_set: "J'écris maintenant en français.",
        language_list: "Envoyez {lang} et une langue : {codes}.",
        stopped: "Vous ne recevrez plus de messages de {service}. Pour revenir, envoyez {start}.",
        started: "{service} est de retour. Envoyez votre question.",
        person: "Je suis une machine. Pour parler à une personne, appelez le {number}. J'ai noté \
            votre demande, mais je ne peux pas encore la transmettre.",
        person_unset: "Je suis une machine. J'ai noté que vous voulez une personne, mais je ne peux \
            pas encore le transmettre. Demandez au centre de services.",
        person_asked: "J'ai transmis votre question à une personne. La réponse viendra par SMS.",
        not_understood: "Je ne vois pas de question. Écrivez quelques mots, par exemple : {example}",
        example: "Comment déclarer une naissance ?",
        urgent_medical: "Si quelqu'un est en danger maintenant : cherchez de l'aide, allez au centre \
            de santé le plus proche.",
        urgent_self_harm: "Vous n'êtes pas seul. Parlez maintenant à quelqu'un de confiance ou à un \
            agent de santé.",
        urgent_violence: "Si vous êtes en danger maintenant : allez là où l'on peut vous aider.",
        urgent_call: "APPELEZ LE {number}.",
    },
};

//! Portuguese, as it is written in Africa. Not yet checked by a speaker.

use jibu_types::Language;

use super::{Commands, Pack, Phrases};
use crate::danger::Danger;

#[rustfmt::skip]
pub(super) static PACK: Pack = Pack {
    language: Language::PT,
    name: "Português",
    names: &["portugues", "portuguese", "portugais", "kireno", "chipwitikizi"],
    commands: Commands {
        help: &["ajuda", "informacao", "menu", "como usar"],
        more: &["mais", "continuar", "continua", "o resto", "seguinte"],
        why: &["porque", "por que", "porque e que", "fonte"],
        lang: &["lingua", "idioma"],
        stop: &["parar", "pare", "cancelar", "sair"],
        start: &["comecar", "iniciar", "voltar"],
        person: &["pessoa", "humano", "atendente", "falar com uma pessoa"],
        greeting: &["ola", "oi", "bom dia", "boa tarde", "boa noite"],
        thanks: &["obrigado", "obrigada", "muito obrigado", "muito obrigada", "esta bem"],
    },
    numbers: ["um", "dois", "tres", "quatro"],
    stop_words: "a ao aos aquela aquele aqui as ate cada com como d da das de dela dele deles depois \
        desde deste do dos e ela elas ele eles em entre era essa esse esta estao estar estas este \
        estes estou eu faco fazer foi for gostaria ha isso isto ja la lhe lhes mais mas me mesmo meu \
        meus minha minhas muito na nao nas nem no nos nossa nosso nossos num numa o onde ou os para \
        pela pelas pelo pelos pode podem podemos por porque posso preciso precisa quais qual quando \
        quanto quantos que quem quero se seja sem ser seu seus si so sobre sao sua suas tambem te \
        tem temos tenho ter teu tu tua um uma umas uns voce voces saber favor obter conseguir deve \
        devo ai",
    short_forms: &[("agr", "agora"), ("bb", "bebê"), ("cmo", "como"), ("dps", "depois"),
        ("fzr", "fazer"), ("hj", "hoje"), ("msm", "mesmo"), ("mt", "muito"), ("mta", "muita"),
        ("mto", "muito"), ("naum", "não"), ("ond", "onde"), ("oq", "o que"), ("pq", "porque"),
        ("qd", "quando"), ("qdo", "quando"), ("qm", "quem"), ("qnd", "quando"),
        ("qnto", "quanto"), ("qto", "quanto"), ("qts", "quantos"), ("tbm", "também"),
        ("tds", "todos"), ("vc", "você"), ("vcs", "vocês"), ("vzs", "vezes")],
    courtesies: &["ola", "oi", "bom dia", "boa tarde", "boa noite", "desculpe", "com licenca", "por favor",
        "faz favor", "pf", "pfv", "quero saber", "queria saber", "gostaria de saber",
        "eu gostaria de saber", "eu quero saber", "quero perguntar", "tenho uma pergunta",
        "a minha pergunta e", "diga me", "pode me dizer", "podem me dizer", "ajude me", "me ajude",
        "obrigado", "obrigada", "muito obrigado", "muito obrigada"],
    addresses: &["doutor", "doutora", "dr", "senhor", "senhora", "enfermeiro", "enfermeira", "jibu"],
    quantity: &["quanto", "quantos", "quanta", "quantas", "preco", "custo", "custa", "taxa", "valor",
        "quando", "hora", "horas", "horario", "numero", "telefone", "idade", "dias", "prazo", "tempo",
        "dose", "meticais", "anos"],
    leaning: &["ele", "ela", "eles", "elas", "isto", "isso", "este", "esta", "estes", "estas", "esse",
        "mas", "porem", "contudo", "tambem", "depois", "senao", "exceto", "excepto", "se", "entao",
        "nao", "nunca", "alem disso"],
    caveats: &["mas", "porem", "contudo", "nao", "nunca", "exceto", "excepto", "evite", "atencao", "salvo"],
    negations: &["nao", "nunca", "sem", "nem", "nenhum", "nenhuma", "jamais", "so", "menos", "mais",
        "apenas", "ate", "antes", "abaixo", "acima"],
    conditions: &["se", "caso", "quando", "enquanto", "exceto", "excepto", "salvo", "depois", "durante",
        "entre", "quem", "senao", "evite", "pare", "desde", "dentro", "apos"],
    asides: &["porque", "pois", "para que", "por exemplo", "incluindo", "o que", "a qual", "o qual",
        "ou seja"],
    danger: &[
        (Danger::Medical, &[
            "convuls*", "inconscient*", "desmai*", "perdeu consciencia", "perdeu sentidos",
            "perda consciencia", "nao_respira", "nao_consegue respirar", "nao_consigo respirar",
            "dificuldade* respirar", "falta_de_ar", "hemorragi*", "sangra* muito", "sangr* parar",
            "sangramento*", "perde* sangue", "vomit* sangue", "toss* sangue", "mord* cobra*",
            "cobra* mord*", "mordedura*", "picad* cobra", "cobra picou", "mord* cao", "cao mord*",
            "envenen*", "veneno*", "overdose*", "bebeu petroleo", "bebeu lixivia", "engol* pilha*",
            "engol* petroleo", "sufoc*", "engasg*", "ataque_cardiaco", "dor* peito", "afog*",
            "electrocut*", "eletrocut*", "queimadura* grave*", "queimou* muito",
        ]),
        (Danger::SelfHarm, &[
            "suicid*", "me_matar", "matar_me", "quero_morrer", "quer_morrer", "acabar minha_vida",
        ]),
        (Danger::Violence, &[
            "violada", "violacao", "violaram*", "estupr*", "me_bate", "bate_me", "bateu_me", "espanc*",
            "agredid*", "esfaque*", "violencia domestica",
        ]),
    ],
    phrases: Phrases {
        help: "{service}: envie a sua pergunta. {more}: o resto. {why}: a fonte. {lang}: outra língua. \
            {person}: falar com alguém. {stop}: terminar.",
        help_danger: "Em perigo, ligue {number}.",
        source: "Fonte: {source}",
        more: "Envie {more} para o resto.",
        nothing_more: "É tudo. Pode enviar uma nova pergunta.",
        choose: "Qual deles? Envie o número:",
        choose_again: "Envie um número de 1 a {count}:",
        no_menu: "Agora não há lista para escolher. Envie a sua pergunta com palavras.",
        incomplete: "Falta uma parte da sua mensagem.",
        unknown: "Desculpe, não sei. Os meus documentos não respondem a isto. Tente com outras palavras.",
        ask_person: "Para perguntar a uma pessoa, ligue {number}.",
        why: "A resposta vem de: {source}.",
        why_date: "Data: {date}.",
        why_no_date: "Não tem data.",
        sure: "Tenho bastante certeza de que serve para a sua pergunta.",
        fairly_sure: "Penso que serve para a sua pergunta, mas não tenho a certeza.",
        not_sure: "Não tenho a certeza de que sirva para a sua pergunta. Pergunte também a alguém.",
        machine: "Foi uma máquina que a escolheu. Nenhuma pessoa a verificou.",
        why_nothing: "Ainda não respondi a nada. Envie uma pergunta.",
        language_set: "Agora escrevo em português.",
        language_list: "Envie {lang} e uma língua: {codes}.",
        stopped: "Não vai receber mais mensagens de {service}. Para voltar, envie {start}.",
        started: "Bem-vindo de volta a {service}. Envie a sua pergunta.",
        person: "Eu sou uma máquina. Para falar com uma pessoa, ligue {number}. Tomei nota do seu \
            pedido, mas ainda não o posso passar.",
        person_unset: "Eu sou uma máquina. Tomei nota de que quer uma pessoa, mas ainda não o posso \
            passar. Pergunte no centro de serviços.",
        person_asked: "Passei a sua pergunta a uma pessoa. A resposta virá por SMS.",
        not_understood: "Não vejo aqui uma pergunta. Escreva em poucas palavras, como: {example}",
        example: "Como registar um nascimento?",
        urgent_medical: "Se alguém está em perigo agora: peça ajuda, vá ao centro de saúde mais próximo.",
        urgent_self_harm: "Não está só. Fale agora com alguém em quem confia ou com um agente de saúde.",
        urgent_violence: "Se está em perigo agora: vá para onde alguém o possa ajudar.",
        urgent_call: "LIGUE {number}.",
    },
};

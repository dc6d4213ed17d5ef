//! The kiosk's few fixed words. Swahili, French, Portuguese and Chichewa were
//! not checked by a speaker yet.

use jibu_types::Language;

/// The words of the kiosk page in one language.
pub(crate) struct Labels {
    pub(crate) language: &'static str,
    pub(crate) own_name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) ask: &'static str,
    pub(crate) source: &'static str,
    pub(crate) as_of: &'static str,
    pub(crate) perhaps: &'static str,
    pub(crate) machine: &'static str,
    pub(crate) again: &'static str,
}

/// The words in this language, or in English where they are not known.
pub(crate) fn labels(language: Language) -> &'static Labels {
    let code = language.as_str();
    ALL.iter().find(|labels| labels.language == code).unwrap_or(&ALL[0])
}

const ALL: [Labels; 5] = [
    Labels {
        language: "en",
        own_name: "English",
        title: "Ask a question",
        hint: "Write your question here",
        ask: "Ask",
        source: "Source",
        as_of: "as of",
        perhaps: "I am not sure. Perhaps one of these helps:",
        machine: "A machine found this in the documents of this box. If in doubt, ask a person.",
        again: "Please try again in a moment.",
    },
    Labels {
        language: "sw",
        own_name: "Kiswahili",
        title: "Uliza swali",
        hint: "Andika swali lako hapa",
        ask: "Uliza",
        source: "Chanzo",
        as_of: "tarehe",
        perhaps: "Sina hakika. Labda mojawapo ya haya yatasaidia:",
        machine: "Mashine imepata haya katika hati za kisanduku hiki. Ukiwa na shaka, muulize mtu.",
        again: "Tafadhali jaribu tena baada ya muda mfupi.",
    },
    Labels {
        language: "fr",
        own_name: "Français",
        title: "Posez une question",
        hint: "Écrivez votre question ici",
        ask: "Demander",
        source: "Source",
        as_of: "du",
        perhaps: "Je ne suis pas sûr. L'un de ces textes aide peut-être :",
        machine: "Une machine a trouvé ceci dans les documents de cette boîte. En cas de doute, \
                  demandez à une personne.",
        again: "Veuillez réessayer dans un instant.",
    },
    Labels {
        language: "pt",
        own_name: "Português",
        title: "Faça uma pergunta",
        hint: "Escreva aqui a sua pergunta",
        ask: "Perguntar",
        source: "Fonte",
        as_of: "de",
        perhaps: "Não tenho a certeza. Talvez um destes textos ajude:",
        machine: "Uma máquina encontrou isto nos documentos desta caixa. Em caso de dúvida, pergunte a \
                  uma pessoa.",
        again: "Tente de novo daqui a pouco.",
    },
    Labels {
        language: "ny",
        own_name: "Chichewa",
        title: "Funsani funso",
        hint: "Lembani funso lanu pano",
        ask: "Funsani",
        source: "Kochokera",
        as_of: "tsiku",
        perhaps: "Sindikutsimikiza. Mwina chimodzi mwa izi chithandiza:",
        machine: "Makina apeza izi m'zikalata za m'bokosi lino. Ngati mukukayika, funsani munthu.",
        again: "Chonde yesaninso pakapita kanthawi.",
    },
];

//! The national language tables of TS 23.038 Annex A.
//!
//! A table is a list of runs: the code of the first character, then the
//! characters of consecutive codes. A code that no run covers is not assigned.
//!
//! Letters that Unicode normalisation would take apart, and combining marks
//! that it would put in another order, are written as escapes.

/// Runs of consecutive codes.
pub(super) type Table = &'static [(u8, &'static str)];

/// The character that a table assigns to a code.
pub(super) fn look_up(table: Table, code: u8) -> Option<char> {
    table.iter().find_map(|(first, characters)| {
        let offset = code.checked_sub(*first)?;
        characters.chars().nth(usize::from(offset))
    })
}

/// The locking shift table of a national language identifier (A.3), or `None`
/// where the standard has none and the default alphabet stands.
pub(super) fn locking(language: u8) -> Option<Table> {
    Some(match language {
        1 => TURKISH_LOCKING,
        3 => PORTUGUESE_LOCKING,
        4 => BENGALI_LOCKING,
        5 => GUJARATI_LOCKING,
        6 => HINDI_LOCKING,
        7 => KANNADA_LOCKING,
        8 => MALAYALAM_LOCKING,
        9 => ORIYA_LOCKING,
        10 => PUNJABI_LOCKING,
        11 => TAMIL_LOCKING,
        12 => TELUGU_LOCKING,
        13 => URDU_LOCKING,
        _ => return None,
    })
}

/// The single shift table of a national language identifier (A.2), or `None`
/// where the default extension table stands.
pub(super) fn single(language: u8) -> Option<Table> {
    Some(match language {
        1 => TURKISH_SINGLE,
        2 => SPANISH_SINGLE,
        3 => PORTUGUESE_SINGLE,
        4 => BENGALI_SINGLE,
        5 => GUJARATI_SINGLE,
        6 => HINDI_SINGLE,
        7 => KANNADA_SINGLE,
        8 => MALAYALAM_SINGLE,
        9 => ORIYA_SINGLE,
        10 => PUNJABI_SINGLE,
        11 => TAMIL_SINGLE,
        12 => TELUGU_SINGLE,
        13 => URDU_SINGLE,
        _ => return None,
    })
}

/// The default extension table (§6.2.1.1).
pub(super) const EXTENSION: Table = &[
    (0x0a, "\u{c}"),
    (0x14, "^"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|"),
    (0x65, "€"),
];

const TURKISH_LOCKING: Table = &[
    (0x00, "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ"),
    (0x1c, "ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"),
    (0x40, "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"),
    (0x60, "çabcdefghijklmnopqrstuvwxyzäöñüà"),
];

const PORTUGUESE_LOCKING: Table = &[
    (0x00, "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|"),
    (0x1c, "ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"),
    (0x40, "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§"),
    (0x60, "~abcdefghijklmnopqrstuvwxyzãõ`üà"),
];

const BENGALI_LOCKING: Table = &[
    (0x00, "ঁংঃঅআইঈউঊঋ\nঌ"),
    (0x0d, "\r"),
    (0x0f, "এঐ"),
    (0x13, "ওঔকখগঘঙচ"),
    (0x1c, "ছজঝঞ !টঠডঢণত)(থদ,ধ.ন0123456789:;"),
    (0x3d, "পফ?বভমযর"),
    (0x46, "ল"),
    (0x4a, "শষসহ়ঽািীুূৃৄ"),
    (0x59, "েৈ"),
    (0x5d, "োৌ্ৎabcdefghijklmnopqrstuvwxyzৗ\u{9dc}\u{9dd}ৰৱ"),
];

const GUJARATI_LOCKING: Table = &[
    (0x00, "ઁંઃઅઆઇઈઉઊઋ\nઌઍ\r"),
    (0x0f, "એઐઑ"),
    (0x13, "ઓઔકખગઘઙચ"),
    (0x1c, "છજઝઞ !ટઠડઢણત)(થદ,ધ.ન0123456789:;"),
    (0x3d, "પફ?બભમયર"),
    (0x46, "લળ"),
    (0x49, "વશષસહ઼ઽાિીુૂૃૄૅ"),
    (0x59, "ેૈૉ"),
    (0x5d, "ોૌ્ૐabcdefghijklmnopqrstuvwxyzૠૡૢૣ૱"),
];

const HINDI_LOCKING: Table = &[
    (0x00, "ँंःअआइईउऊऋ\nऌऍ\rऎएऐऑऒओऔकखगघङच"),
    (0x1c, "छजझञ !टठडढणत)(थद,ध.न0123456789:;ऩपफ?"),
    (0x40, "बभमयरऱलळऴवशषसह़ऽािीुूृॄॅॆेैॉॊोौ्"),
    (0x60, "ॐabcdefghijklmnopqrstuvwxyzॲॻॼॾॿ"),
];

// 0x22 is U+0CAA in the standard's table, where U+0C9F U+0CA0 U+0CA1 would be
// the letters in order; senders follow the standard.
const KANNADA_LOCKING: Table = &[
    (0x01, "ಂಃಅಆಇಈಉಊಋ\nಌ"),
    (0x0d, "\r"),
    (0x0e, "ಎಏಐ"),
    (0x12, "ಒಓಔಕಖಗಘಙಚ"),
    (0x1c, "ಛಜಝಞ !ಟಠಪಢಣತ)(ಥದ,ಧ.ನ0123456789:;"),
    (0x3d, "ಪಫ?ಬಭಮಯರಱಲಳ"),
    (0x49, "ವಶಷಸಹ಼ಽಾಿೀುೂೃೄ"),
    (0x58, "ೆೇೈ"),
    (0x5c, "ೊೋೌ್ೕabcdefghijklmnopqrstuvwxyzೖೠೡೢೣ"),
];

const MALAYALAM_LOCKING: Table = &[
    (0x01, "ംഃഅആഇഈഉഊഋ\nഌ"),
    (0x0d, "\r"),
    (0x0e, "എഏഐ"),
    (0x12, "ഒഓഔകഖഗഘങച"),
    (0x1c, "ഛജഝഞ !ടഠഡഢണത)(ഥദ,ധ.ന0123456789:;"),
    (0x3d, "പഫ?ബഭമയരറലളഴവശഷസഹ"),
    (0x4f, "ഽാിീുൂൃൄ"),
    (0x58, "െേൈ"),
    (0x5c, "ൊോൌ്ൗabcdefghijklmnopqrstuvwxyzൠൡൢൣ൹"),
];

const ORIYA_LOCKING: Table = &[
    (0x00, "ଁଂଃଅଆଇଈଉଊଋ\nଌ"),
    (0x0d, "\r"),
    (0x0f, "ଏଐ"),
    (0x13, "ଓଔକଖଗଘଙଚ"),
    (0x1c, "ଛଜଝଞ !ଟଠଡଢଣତ)(ଥଦ,ଧ.ନ0123456789:;"),
    (0x3d, "ପଫ?ବଭମଯର"),
    (0x46, "ଲଳ"),
    (0x49, "ଵଶଷସହ଼ଽାିୀୁୂୃୄ"),
    (0x59, "େୈ"),
    (0x5d, "ୋୌ୍ୖabcdefghijklmnopqrstuvwxyzୗୠୡୢୣ"),
];

const PUNJABI_LOCKING: Table = &[
    (0x00, "ਁਂਃਅਆਇਈਉਊ"),
    (0x0a, "\n"),
    (0x0d, "\r"),
    (0x0f, "ਏਐ"),
    (0x13, "ਓਔਕਖਗਘਙਚ"),
    (0x1c, "ਛਜਝਞ !ਟਠਡਢਣਤ)(ਥਦ,ਧ.ਨ0123456789:;"),
    (0x3d, "ਪਫ?ਬਭਮਯਰ"),
    (0x46, "ਲ\u{a33}"),
    (0x49, "ਵ\u{a36}"),
    (0x4c, "ਸਹ਼"),
    (0x50, "ਾਿੀੁੂ"),
    (0x59, "ੇੈ"),
    (0x5d, "ੋੌ੍ੑabcdefghijklmnopqrstuvwxyzੰੱੲੳੴ"),
];

const TAMIL_LOCKING: Table = &[
    (0x01, "ஂஃஅஆஇஈஉஊ"),
    (0x0a, "\n"),
    (0x0d, "\rஎஏஐ"),
    (0x12, "ஒஓஔக"),
    (0x19, "ஙச"),
    (0x1d, "ஜ"),
    (0x1f, "ஞ !ட"),
    (0x26, "ணத)("),
    (0x2c, ","),
    (0x2e, ".ந0123456789:;னப"),
    (0x3f, "?"),
    (0x42, "மயரறலளழவஶஷஸஹ"),
    (0x50, "ாிீுூ"),
    (0x58, "ெேை"),
    (0x5c, "ொோௌ்ௐabcdefghijklmnopqrstuvwxyzௗ௰௱௲௹"),
];

const TELUGU_LOCKING: Table = &[
    (0x00, "ఁంఃఅఆఇఈఉఊఋ\nఌ"),
    (0x0d, "\rఎఏఐ"),
    (0x12, "ఒఓఔకఖగఘఙచ"),
    (0x1c, "ఛజఝఞ !టఠడఢణత)(థద,ధ.న0123456789:;"),
    (0x3d, "పఫ?బభమయరఱలళ"),
    (0x49, "వశషసహ"),
    (0x4f, "ఽాిీుూృౄ"),
    (0x58, "ెేై"),
    (0x5c, "ొోౌ్ౕabcdefghijklmnopqrstuvwxyzౖౠౡౢౣ"),
];

const URDU_LOCKING: Table = &[
    (0x00, "اآبٻڀپڦتۂٿ\nٹٽ\rٺټثجځڄڃڅچڇحخد"),
    (0x1c, "ڌڈډڊ !ڏڍذرڑړ)(ڙز,ږ.ژ0123456789:;ښسش?"),
    (0x40, "صضطظعفقکڪګگڳڱلمنںڻڼوۄەہھءیېے\u{64d}\u{650}\u{64f}\u{657}\u{654}"),
    (0x61, "abcdefghijklmnopqrstuvwxyz\u{655}\u{651}\u{653}\u{656}\u{670}"),
];

const TURKISH_SINGLE: Table = &[
    (0x0a, "\u{c}"),
    (0x14, "^"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|"),
    (0x47, "Ğ"),
    (0x49, "İ"),
    (0x53, "Ş"),
    (0x63, "ç"),
    (0x65, "€"),
    (0x67, "ğ"),
    (0x69, "ı"),
    (0x73, "ş"),
];

const SPANISH_SINGLE: Table = &[
    (0x09, "ç\u{c}"),
    (0x14, "^"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|Á"),
    (0x49, "Í"),
    (0x4f, "Ó"),
    (0x55, "Ú"),
    (0x61, "á"),
    (0x65, "€"),
    (0x69, "í"),
    (0x6f, "ó"),
    (0x75, "ú"),
];

const PORTUGUESE_SINGLE: Table = &[
    (0x05, "ê"),
    (0x09, "ç\u{c}Ôô"),
    (0x0e, "Áá"),
    (0x12, "ΦΓ^ΩΠΨΣΘ"),
    (0x1f, "Ê"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|À"),
    (0x49, "Í"),
    (0x4f, "Ó"),
    (0x55, "Ú"),
    (0x5b, "ÃÕ"),
    (0x61, "Â"),
    (0x65, "€"),
    (0x69, "í"),
    (0x6f, "ó"),
    (0x75, "ú"),
    (0x7b, "ãõ"),
    (0x7f, "â"),
];

// The single shift tables of the Indic languages share their Latin part: the
// signs up to 0x1b, the brackets, and the capitals that the locking tables
// leave out.
macro_rules! indic_single {
    ($($native:expr),+ $(,)?) => {
        &[
            (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
            (0x0e, "-/<=>¡^¡_#*"),
            $($native,)+
            (0x28, "{}"),
            (0x2f, "\\"),
            (0x3c, "[~]"),
            (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            (0x65, "€"),
        ]
    };
}

const BENGALI_SINGLE: Table =
    indic_single![(0x19, "০১"), (0x1c, "২৩৪৫৬৭৮৯\u{9df}ৠৡৢ"), (0x2a, "ৣ৲৳৴৵"), (0x30, "৶৷৸৹৺")];
const GUJARATI_SINGLE: Table = indic_single![(0x19, "।॥"), (0x1c, "૦૧૨૩૪૫૬૭૮૯")];
const HINDI_SINGLE: Table = indic_single![
    (0x19, "।॥"),
    (0x1c, "०१२३४५६७८९\u{951}\u{952}"),
    (0x2a, "\u{953}\u{954}\u{958}\u{959}\u{95a}"),
    (0x30, "\u{95b}\u{95c}\u{95d}\u{95e}\u{95f}ॠॡॢॣ॰ॱ"),
];
const KANNADA_SINGLE: Table = indic_single![(0x19, "।॥"), (0x1c, "೦೧೨೩೪೫೬೭೮೯ೞೱ"), (0x2a, "ೲ")];
const MALAYALAM_SINGLE: Table =
    indic_single![(0x19, "।॥"), (0x1c, "൦൧൨൩൪൫൬൭൮൯൰൱"), (0x2a, "൲൳൴൵ൺ"), (0x30, "ൻർൽൾൿ"),];
const ORIYA_SINGLE: Table =
    indic_single![(0x19, "।॥"), (0x1c, "୦୧୨୩୪୫୬୭୮୯\u{b5c}\u{b5d}"), (0x2a, "ୟ୰ୱ")];
const PUNJABI_SINGLE: Table =
    indic_single![(0x19, "।॥"), (0x1c, "੦੧੨੩੪੫੬੭੮੯\u{a59}\u{a5a}"), (0x2a, "\u{a5b}ੜ\u{a5e}ੵ")];
const TAMIL_SINGLE: Table = indic_single![(0x19, "।॥"), (0x1c, "௦௧௨௩௪௫௬௭௮௯௳௴"), (0x2a, "௵௶௷௸௺")];
const TELUGU_SINGLE: Table = indic_single![(0x1c, "౦౧౨౩౪౫౬౭౮౯ౘౙ"), (0x2a, "౸౹౺౻౼"), (0x30, "౽౾౿")];
const URDU_SINGLE: Table = indic_single![
    (0x19, "؀؁"),
    (0x1c, "۰۱۲۳۴۵۶۷۸۹،؍"),
    (0x2a, "\u{60e}\u{60f}\u{610}\u{611}\u{612}"),
    (0x30, "\u{613}\u{614}؛؟ـ\u{652}\u{658}٫٬ٲٳۍ"),
    (0x3f, "۔"),
];

//! The character tables of TS 23.038 §6.2.1 and annex A, as the standard
//! prints them. Marks and right-to-left letters stand as escapes, so that an
//! editor shows each table in its order.

/// The character at each of the 128 codes; `None` where the standard has none
/// and at the escape code.
pub(super) type Table = [Option<char>; 128];

/// A full table from its 128 characters in order; `·` stands for no character
/// and `␛` for the escape code.
const fn table(characters: &str) -> Table {
    let mut filled = [None; 128];
    fill(&mut filled, 0, characters);
    filled
}

/// A table with gaps, from runs of characters and the code of each run's first.
const fn sparse(runs: &[(usize, &str)]) -> Table {
    let mut filled = [None; 128];
    let mut run = 0;
    while run < runs.len() {
        fill(&mut filled, runs[run].0, runs[run].1);
        run += 1;
    }
    filled
}

/// Runs while compiling only: a table of a wrong length does not build.
const fn fill(table: &mut Table, first: usize, characters: &str) {
    let bytes = characters.as_bytes();
    let (mut at, mut code) = (0, first);
    while at < bytes.len() {
        let lead = bytes[at] as u32;
        let (length, mut scalar) = match lead {
            0..0x80 => (1, lead),
            0x80..0xe0 => (2, lead & 0x1f),
            _ => (3, lead & 0x0f),
        };
        let mut next = 1;
        while next < length {
            scalar = scalar << 6 | (bytes[at + next] & 0x3f) as u32;
            next += 1;
        }
        table[code] = match char::from_u32(scalar) {
            Some('·' | '␛') => None,
            other => other,
        };
        at += length;
        code += 1;
    }
}

/// The GSM 7-bit default alphabet (TS 23.038 §6.2.1).
pub(super) static DEFAULT: Table = table(
    "@£$¥èéùìòÇ\nØø\rÅå\
     Δ_ΦΓΛΩΠΨΣΘΞ␛ÆæßÉ\
     \x20!\"#¤%&'()*+,-./\
     0123456789:;<=>?\
     ¡ABCDEFGHIJKLMNO\
     PQRSTUVWXYZÄÖÑÜ§\
     ¿abcdefghijklmno\
     pqrstuvwxyzäöñüà",
);

/// Turkish, locking (TS 23.038 §A.3.1).
pub(super) static TURKISH_LOCKING: Table = table(
    "@£$¥€éùıòÇ\nĞğ\rÅå\
     Δ_ΦΓΛΩΠΨΣΘΞ␛ŞşßÉ\
     \x20!\"#¤%&'()*+,-./\
     0123456789:;<=>?\
     İABCDEFGHIJKLMNO\
     PQRSTUVWXYZÄÖÑÜ§\
     çabcdefghijklmno\
     pqrstuvwxyzäöñüà",
);

/// Portuguese, locking (TS 23.038 §A.3.3).
pub(super) static PORTUGUESE_LOCKING: Table = table(
    "@£$¥êéúíóç\nÔô\rÁá\
     Δ_ªÇÀ∞^\\€Ó|␛ÂâÊÉ\
     \x20!\"#º%&'()*+,-./\
     0123456789:;<=>?\
     ÍABCDEFGHIJKLMNO\
     PQRSTUVWXYZÃÕÚÜ§\
     ~abcdefghijklmno\
     pqrstuvwxyzãõ`üà",
);

/// Bengali, locking (TS 23.038 §A.3.4).
pub(super) static BENGALI_LOCKING: Table = table(
    "\u{981}\u{982}\u{983}অআইঈউঊঋ\nঌ·\r·এ\
     ঐ··ওঔকখগঘঙচ␛ছজঝঞ\
     \x20!টঠডঢণত)(থদ,ধ.ন\
     0123456789:;·পফ?\
     বভমযর·ল···শষসহ\u{9bc}ঽ\
     \u{9be}\u{9bf}\u{9c0}\u{9c1}\u{9c2}\u{9c3}\u{9c4}··\u{9c7}\u{9c8}··\u{9cb}\u{9cc}\u{9cd}\
     ৎabcdefghijklmno\
     pqrstuvwxyz\u{9d7}\u{9dc}\u{9dd}ৰৱ",
);

/// Gujarati, locking (TS 23.038 §A.3.5).
pub(super) static GUJARATI_LOCKING: Table = table(
    "\u{a81}\u{a82}\u{a83}અઆઇઈઉઊઋ\nઌઍ\r·એ\
     ઐઑ·ઓઔકખગઘઙચ␛છજઝઞ\
     \x20!ટઠડઢણત)(થદ,ધ.ન\
     0123456789:;·પફ?\
     બભમયર·લળ·વશષસહ\u{abc}ઽ\
     \u{abe}\u{abf}\u{ac0}\u{ac1}\u{ac2}\u{ac3}\u{ac4}\u{ac5}·\u{ac7}\u{ac8}\u{ac9}·\u{acb}\u{acc}\u{acd}\
     ૐabcdefghijklmno\
     pqrstuvwxyzૠૡ\u{ae2}\u{ae3}૱",
);

/// Hindi, locking (TS 23.038 §A.3.6).
pub(super) static HINDI_LOCKING: Table = table(
    "\u{901}\u{902}\u{903}अआइईउऊऋ\nऌऍ\rऎए\
     ऐऑऒओऔकखगघङच␛छजझञ\
     \x20!टठडढणत)(थद,ध.न\
     0123456789:;ऩपफ?\
     बभमयरऱलळऴवशषसह\u{93c}ऽ\
     \u{93e}\u{93f}\u{940}\u{941}\u{942}\u{943}\u{944}\u{945}\u{946}\u{947}\u{948}\u{949}\u{94a}\u{94b}\u{94c}\u{94d}\
     ॐabcdefghijklmno\
     pqrstuvwxyzॲॻॼॾॿ",
);

/// Kannada, locking (TS 23.038 §A.3.7).
pub(super) static KANNADA_LOCKING: Table = table(
    "·\u{c82}\u{c83}ಅಆಇಈಉಊಋ\nಌ·\rಎಏ\
     ಐ·ಒಓಔಕಖಗಘಙಚ␛ಛಜಝಞ\
     \x20!ಟಠಪಢಣತ)(ಥದ,ಧ.ನ\
     0123456789:;·ಪಫ?\
     ಬಭಮಯರಱಲಳ·ವಶಷಸಹ\u{cbc}ಽ\
     \u{cbe}\u{cbf}\u{cc0}\u{cc1}\u{cc2}\u{cc3}\u{cc4}·\u{cc6}\u{cc7}\u{cc8}·\u{cca}\u{ccb}\u{ccc}\u{ccd}\
     \u{cd5}abcdefghijklmno\
     pqrstuvwxyz\u{cd6}ೠೡ\u{ce2}\u{ce3}",
);

/// Malayalam, locking (TS 23.038 §A.3.8).
pub(super) static MALAYALAM_LOCKING: Table = table(
    "·\u{d02}\u{d03}അആഇഈഉഊഋ\nഌ·\rഎഏ\
     ഐ·ഒഓഔകഖഗഘങച␛ഛജഝഞ\
     \x20!ടഠഡഢണത)(ഥദ,ധ.ന\
     0123456789:;·പഫ?\
     ബഭമയരറലളഴവശഷസഹ·ഽ\
     \u{d3e}\u{d3f}\u{d40}\u{d41}\u{d42}\u{d43}\u{d44}·\u{d46}\u{d47}\u{d48}·\u{d4a}\u{d4b}\u{d4c}\u{d4d}\
     \u{d57}abcdefghijklmno\
     pqrstuvwxyzൠൡ\u{d62}\u{d63}൹",
);

/// Oriya, locking (TS 23.038 §A.3.9).
pub(super) static ORIYA_LOCKING: Table = table(
    "\u{b01}\u{b02}\u{b03}ଅଆଇଈଉଊଋ\nଌ·\r·ଏ\
     ଐ··ଓଔକଖଗଘଙଚ␛ଛଜଝଞ\
     \x20!ଟଠଡଢଣତ)(ଥଦ,ଧ.ନ\
     0123456789:;·ପଫ?\
     ବଭମଯର·ଲ··ଵଶଷସହ\u{b3c}ଽ\
     \u{b3e}\u{b3f}\u{b40}\u{b41}\u{b42}\u{b43}\u{b44}··\u{b47}\u{b48}··\u{b4b}\u{b4c}\u{b4d}\
     \u{b56}abcdefghijklmno\
     pqrstuvwxyz\u{b57}ୠୡ\u{b62}\u{b63}",
);

/// Punjabi, locking (TS 23.038 §A.3.10).
pub(super) static PUNJABI_LOCKING: Table = table(
    "\u{a01}\u{a02}\u{a03}ਅਆਇਈਉਊ·\n··\r·ਏ\
     ਐ··ਓਔਕਖਗਘਙਚ␛ਛਜਝਞ\
     \x20!ਟਠਡਢਣਤ)(ਥਦ,ਧ.ਨ\
     0123456789:;·ਪਫ?\
     ਬਭਮਯਰ·ਲ\u{a33}·ਵ\u{a36}·ਸਹ\u{a3c}·\
     \u{a3e}\u{a3f}\u{a40}\u{a41}\u{a42}····\u{a47}\u{a48}··\u{a4b}\u{a4c}\u{a4d}\
     \u{a51}abcdefghijklmno\
     pqrstuvwxyz\u{a70}\u{a71}ੲੳੴ",
);

/// Tamil, locking (TS 23.038 §A.3.11).
pub(super) static TAMIL_LOCKING: Table = table(
    "·\u{b82}ஃஅஆஇஈஉஊ·\n··\rஎஏ\
     ஐ·ஒஓஔக···ஙச␛·ஜ·ஞ\
     \x20!ட···ணத)(··,·.ந\
     0123456789:;னப·?\
     ··மயரறலளழவஶஷஸஹ··\
     \u{bbe}\u{bbf}\u{bc0}\u{bc1}\u{bc2}···\u{bc6}\u{bc7}\u{bc8}·\u{bca}\u{bcb}\u{bcc}\u{bcd}\
     ௐabcdefghijklmno\
     pqrstuvwxyz\u{bd7}௰௱௲௹",
);

/// Telugu, locking (TS 23.038 §A.3.12).
pub(super) static TELUGU_LOCKING: Table = table(
    "\u{c01}\u{c02}\u{c03}అఆఇఈఉఊఋ\nఌ·\rఎఏ\
     ఐ·ఒఓఔకఖగఘఙచ␛ఛజఝఞ\
     \x20!టఠడఢణత)(థద,ధ.న\
     0123456789:;·పఫ?\
     బభమయరఱలళ·వశషసహ·ఽ\
     \u{c3e}\u{c3f}\u{c40}\u{c41}\u{c42}\u{c43}\u{c44}·\u{c46}\u{c47}\u{c48}·\u{c4a}\u{c4b}\u{c4c}\u{c4d}\
     \u{c55}abcdefghijklmno\
     pqrstuvwxyz\u{c56}ౠౡ\u{c62}\u{c63}",
);

/// Urdu, locking (TS 23.038 §A.3.13).
pub(super) static URDU_LOCKING: Table = table(
    "\u{627}\u{622}\u{628}\u{67b}\u{680}\u{67e}\u{6a6}\u{62a}\u{6c2}\u{67f}\n\u{679}\u{67d}\r\u{67a}\u{67c}\
     \u{62b}\u{62c}\u{681}\u{684}\u{683}\u{685}\u{686}\u{687}\u{62d}\u{62e}\u{62f}␛\u{68c}\u{688}\u{689}\u{68a}\
     \x20!\u{68f}\u{68d}\u{630}\u{631}\u{691}\u{693})(\u{699}\u{632},\u{696}.\u{698}\
     0123456789:;\u{69a}\u{633}\u{634}?\
     \u{635}\u{636}\u{637}\u{638}\u{639}\u{641}\u{642}\u{6a9}\u{6aa}\u{6ab}\u{6af}\u{6b3}\u{6b1}\u{644}\u{645}\u{646}\
     \u{6ba}\u{6bb}\u{6bc}\u{648}\u{6c4}\u{6d5}\u{6c1}\u{6be}\u{621}\u{6cc}\u{6d0}\u{6d2}\u{64d}\u{650}\u{64f}\u{657}\
     \u{654}abcdefghijklmno\
     pqrstuvwxyz\u{655}\u{651}\u{653}\u{656}\u{670}",
);

/// The extension of the default alphabet (TS 23.038 §6.2.1.1).
pub(super) static DEFAULT_EXTENSION: Table = sparse(&[
    (0x0a, "\u{c}"),
    (0x14, "^"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|"),
    (0x65, "€"),
]);

/// Turkish, single (TS 23.038 §A.2.1).
pub(super) static TURKISH_SINGLE: Table = sparse(&[
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
]);

/// Spanish, single (TS 23.038 §A.2.2).
pub(super) static SPANISH_SINGLE: Table = sparse(&[
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
]);

/// Portuguese, single (TS 23.038 §A.2.3).
pub(super) static PORTUGUESE_SINGLE: Table = sparse(&[
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
]);

/// Bengali, single (TS 23.038 §A.2.4).
pub(super) static BENGALI_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*০১"),
    (0x1c, "২৩৪৫৬৭৮৯\u{9df}ৠৡ\u{9e2}{}\u{9e3}৲৳৴৵\\৶৷৸৹৺"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Gujarati, single (TS 23.038 §A.2.5).
pub(super) static GUJARATI_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "૦૧૨૩૪૫૬૭૮૯"),
    (0x28, "{}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Hindi, single (TS 23.038 §A.2.6).
pub(super) static HINDI_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (
        0x1c,
        "०१२३४५६७८९\u{951}\u{952}{}\u{953}\u{954}\u{958}\u{959}\u{95a}\\\u{95b}\u{95c}\u{95d}\u{95e}\u{95f}ॠॡ\u{962}\u{963}॰ॱ",
    ),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Kannada, single (TS 23.038 §A.2.7).
pub(super) static KANNADA_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "೦೧೨೩೪೫೬೭೮೯ೞೱ{}ೲ"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Malayalam, single (TS 23.038 §A.2.8).
pub(super) static MALAYALAM_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "൦൧൨൩൪൫൬൭൮൯൰൱{}൲൳൴൵ൺ\\ൻർൽൾൿ"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Oriya, single (TS 23.038 §A.2.9).
pub(super) static ORIYA_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "୦୧୨୩୪୫୬୭୮୯\u{b5c}\u{b5d}{}ୟ୰ୱ"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Punjabi, single (TS 23.038 §A.2.10).
pub(super) static PUNJABI_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "੦੧੨੩੪੫੬੭੮੯\u{a59}\u{a5a}{}\u{a5b}ੜ\u{a5e}\u{a75}"),
    (0x2f, "\\"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Tamil, single (TS 23.038 §A.2.11).
pub(super) static TAMIL_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*।॥"),
    (0x1c, "௦௧௨௩௪௫௬௭௮௯௳௴{}௵௶௷௸௺\\"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Telugu, single (TS 23.038 §A.2.12).
pub(super) static TELUGU_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*"),
    (0x1c, "౦౧౨౩౪౫౬౭౮౯ౘౙ{}౸౹౺౻౼\\౽౾౿"),
    (0x3c, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (0x65, "€"),
]);

/// Urdu, single (TS 23.038 §A.2.13).
pub(super) static URDU_SINGLE: Table = sparse(&[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0e, "-/<=>¡^¡_#*\u{600}\u{601}"),
    (
        0x1c,
        "\u{6f0}\u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}\u{6f6}\u{6f7}\u{6f8}\u{6f9}\u{60c}\u{60d}{}\u{60e}\u{60f}\u{610}\u{611}\u{612}\\\u{613}\u{614}\u{61b}\u{61f}\u{640}\u{652}\u{658}\u{66b}\u{66c}\u{672}\u{673}\u{6cd}[~]\u{6d4}|ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    ),
    (0x65, "€"),
]);

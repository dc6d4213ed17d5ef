use std::path::Path;

use jibu_types::Language;

/// The two-letter codes of ISO 639-1, and three-letter codes of ISO 639-3 for
/// languages that have no other and that Jibu is likely to meet. A folder whose
/// name is none of these (`doc`, `img`) says nothing about its files' language.
#[rustfmt::skip]
const FOLDERS: &[&str] = &[
    "aa", "ab", "ae", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be", "bg", "bi",
    "bm", "bn", "bo", "br", "bs", "ca", "ce", "ch", "co", "cr", "cs", "cu", "cv", "cy", "da", "de",
    "dv", "dz", "ee", "el", "en", "eo", "es", "et", "eu", "fa", "ff", "fi", "fj", "fo", "fr", "fy",
    "ga", "gd", "gl", "gn", "gu", "gv", "ha", "he", "hi", "ho", "hr", "ht", "hu", "hy", "hz", "ia",
    "id", "ie", "ig", "ii", "ik", "io", "is", "it", "iu", "ja", "jv", "ka", "kg", "ki", "kj", "kk",
    "kl", "km", "kn", "ko", "kr", "ks", "ku", "kv", "kw", "ky", "la", "lb", "lg", "li", "ln", "lo",
    "lt", "lu", "lv", "mg", "mh", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "na", "nb", "nd",
    "ne", "ng", "nl", "nn", "no", "nr", "nv", "ny", "oc", "oj", "om", "or", "os", "pa", "pi", "pl",
    "ps", "pt", "qu", "rm", "rn", "ro", "ru", "rw", "sa", "sc", "sd", "se", "sg", "si", "sk", "sl",
    "sm", "sn", "so", "sq", "sr", "ss", "st", "su", "sv", "sw", "ta", "te", "tg", "th", "ti", "tk",
    "tl", "tn", "to", "tr", "ts", "tt", "tw", "ty", "ug", "uk", "ur", "uz", "ve", "vi", "vo", "wa",
    "wo", "xh", "yi", "yo", "za", "zh", "zu",
    "ach", "bem", "bci", "ceb", "cgg", "dag", "dyo", "dyu", "efi", "fat", "fon", "fuv", "gaa", "guz",
    "hil", "kam", "kbp", "kde", "kln", "kri", "lgg", "loz", "lua", "lue", "luo", "luy", "mas", "men",
    "mer", "mos", "naq", "nqo", "nso", "nus", "nyn", "pcm", "rng", "sid", "srr", "suk", "tem", "teo",
    "tiv", "toi", "tpi", "tum", "umb", "vmw", "wal", "xog", "yao",
];

/// The language that the folder nearest to the file is named after:
/// `health/sw/malaria.md` is Swahili.
pub(crate) fn of_folder(path: &Path) -> Option<Language> {
    let folders = path.parent()?.components().rev();
    let mut codes = folders.filter_map(|folder| folder.as_os_str().to_str());
    codes.find(|name| FOLDERS.contains(name)).and_then(|code| Language::parse(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_with_a_code_counts() {
        let language = |path| of_folder(Path::new(path)).map(|l| l.to_string());
        assert_eq!(language("health/sw/malaria.md").as_deref(), Some("sw"));
        assert_eq!(language("en/health/fon/a/malaria.md").as_deref(), Some("fon"));
        assert_eq!(language("sw.md"), None);
        assert_eq!(language("doc/img/Sw/malaria.md"), None);
    }

    #[test]
    fn every_folder_name_is_a_language() {
        for code in FOLDERS {
            assert!(Language::parse(code).is_ok_and(|language| language.as_str() == *code));
        }
    }
}

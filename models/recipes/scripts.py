"""Which writing system a character belongs to, from its Unicode name.

Python's `unicodedata` has no Script property, but a letter's name begins with
its script ("ETHIOPIC SYLLABLE HA"). Characters that many scripts share
(punctuation, ASCII digits, symbols, combining marks) have no script here and
are always kept.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# The first word of a character's name, and the Unicode script that it means.
SCRIPT_OF_WORD = {
    "LATIN": "Latin", "GREEK": "Greek", "COPTIC": "Coptic", "CYRILLIC": "Cyrillic",
    "ARMENIAN": "Armenian", "HEBREW": "Hebrew", "ARABIC": "Arabic", "ARABIC-INDIC": "Arabic",
    "SYRIAC": "Syriac", "THAANA": "Thaana", "NKO": "Nko", "DEVANAGARI": "Devanagari",
    "VEDIC": "Devanagari", "BENGALI": "Bengali", "GURMUKHI": "Gurmukhi", "GUJARATI": "Gujarati",
    "ORIYA": "Oriya", "TAMIL": "Tamil", "TELUGU": "Telugu", "KANNADA": "Kannada",
    "MALAYALAM": "Malayalam", "SINHALA": "Sinhala", "THAI": "Thai", "LAO": "Lao",
    "TIBETAN": "Tibetan", "MYANMAR": "Myanmar", "GEORGIAN": "Georgian", "HANGUL": "Hangul",
    "ETHIOPIC": "Ethiopic", "CHEROKEE": "Cherokee", "CANADIAN": "Canadian_Aboriginal",
    "OGHAM": "Ogham", "RUNIC": "Runic", "KHMER": "Khmer", "MONGOLIAN": "Mongolian",
    "LIMBU": "Limbu", "CHAM": "Cham", "PHAGS-PA": "Phags_Pa", "GOTHIC": "Gothic",
    "BOPOMOFO": "Bopomofo", "HIRAGANA": "Hiragana", "KATAKANA": "Katakana",
    "KATAKANA-HIRAGANA": "Katakana", "CJK": "Han", "IDEOGRAPHIC": "Han", "HANGZHOU": "Han",
    "KANGXI": "Han", "TIFINAGH": "Tifinagh", "VAI": "Vai", "BAMUM": "Bamum", "ADLAM": "Adlam",
    "JAVANESE": "Javanese", "BALINESE": "Balinese", "SUNDANESE": "Sundanese", "YI": "Yi",
}  # fmt: skip
SCRIPTS = sorted(set(SCRIPT_OF_WORD.values()))

# Shared by the scripts of India although named after one of them.
SHARED = {"\u0964", "\u0965"}


@lru_cache(maxsize=None)
def script(character: str) -> str | None:
    """The character's script; None for one that scripts share."""
    if character in SHARED:
        return None
    name = unicodedata.name(character, "")
    word, _, rest = name.partition(" ")
    if word == "EXTENDED":
        word = rest.partition(" ")[0]
    return SCRIPT_OF_WORD.get(word)

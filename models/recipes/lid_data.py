"""Short messages out of the sentences and questions of `shared/train`.

A message is one to six words cut from a sentence, at its start or anywhere, of
one language in one script; many are misspelt as in SMS.
"""

from __future__ import annotations

import random
import string
from collections import Counter
from pathlib import Path

from corpus import held_out, rows
from lid_features import Word, main_script, words
from noise import Abbreviations, noisy
from ranking_evidence import fold

# The codes of FLORES-200, of AfriQA and of variants that a site offers as one.
SAME = {
    "nya": "ny", "swh": "sw", "amh": "am", "khm": "km", "hin": "hi", "fra": "fr", "por": "pt", "spa": "es",
    "arb": "ar", "hau": "ha", "zul": "zu", "xho": "xh", "sna": "sn", "kin": "rw", "lug": "lg", "som": "so",
    "ibo": "ig", "yor": "yo", "wol": "wo", "lin": "ln", "mya": "my", "npi": "ne", "ben": "bn", "tam": "ta",
    "urd": "ur", "vie": "vi", "tha": "th", "ind": "id", "rus": "ru", "twi": "tw", "ak": "tw", "arz": "ar",
    "ary": "ar", "arq": "ar",
}  # fmt: skip
# The twelve that the project is built for; their messages are drawn more often.
CHOSEN = ("am", "en", "fr", "ha", "hi", "km", "ny", "pt", "rw", "sw", "yo", "zu")
# Shilha stands in Arabic letters here, which nearly nobody writes it in.
LEFT_OUT = {"shi"}
# Letters at random (ISO 639: no linguistic content).
GIBBERISH = "zxx"
FEWEST = 400
MOST = 12_000

# Sources of the bitext whose sentences are questions.
QUESTIONS = {"afriqa-queries", "mintaka-dev", "belebele-q"}
# Reading data whose passages are in another language than its questions.
TRANSLATED = {"afriqa-train"}
# Their terms are uncertain, and there is enough English.
UNCERTAIN = {"squadshifts-reddit", "squadshifts-amazon"}

LENGTHS = {1: 0.22, 2: 0.24, 3: 0.2, 4: 0.16, 5: 0.12, 6: 0.06}
AT_START = 0.35
MOST_QUESTIONS = 0.4
ENOUGH_QUESTIONS = 600
NOISY = 0.4
MISSPELT = (0.15, 0.3, 0.45)
BARE = 0.5
# Letters that a keypad lacks and folding keeps, and what is typed instead.
PLAIN = str.maketrans("ɗɓƙƴŋɛɔɖƒɣʋɲđıøłƊƁƘƳŊƐƆƉ", "dbkyneodfgvndiolDBKYNEOD")


class Texts:
    """What is written in each language."""

    def __init__(self) -> None:
        self.sentences: dict[str, list[str]] = {}
        self.questions: dict[str, list[str]] = {}
        self.sources: dict[str, set[str]] = {}
        """The tags of a language's rows."""

    def add(self, source: str, language: str, text: str, question: bool) -> None:
        language = language.replace("_", "-").partition("-")[0]
        language = SAME.get(language, language)
        if language not in LEFT_OUT:
            self.sources.setdefault(language, set()).add(source)
            (self.questions if question else self.sentences).setdefault(language, []).append(text)

    def size(self, language: str) -> int:
        return sum(len(of.get(language, [])) for of in (self.questions, self.sentences))


def read(folder: Path) -> tuple[Texts, Texts]:
    """The texts for training, and those held out."""
    parts = Texts(), Texts()
    seen = set()
    for file in ("bitext_train", "bitext_extra"):
        for row in rows(folder, file):
            part, source = parts[held_out(row["en"])], row["src"]
            part.add(source, row["lang"], row["text"], source in QUESTIONS)
            if row["en"] not in seen:
                seen.add(row["en"])
                part.add(source, "en", row["en"], source in QUESTIONS)
    for file, passage in (("reader_train", "context"), ("reader_extra", "context"), ("pairs_extra", "passage")):
        for row in rows(folder, file):
            source, key = row["src"].removesuffix("+neg"), (row["lang"], row["question"])
            # In the pairs with English passages the question stands a second time.
            if "2en" in source or source in UNCERTAIN or key in seen:
                continue
            seen.add(key)
            part = parts[held_out(row[passage])]
            part.add(source, row["lang"], row["question"], True)
            # Of English there is enough.
            if row["lang"] != "en" and source not in TRANSLATED and row[passage] not in seen:
                seen.add(row[passage])
                part.add(source, row["lang"], row[passage], False)
    return parts


def languages(texts: Texts) -> dict[str, str]:
    """The languages to tell apart, with their scripts: those with enough text whose
    script another one shares, and gibberish."""
    every = {language for of in (texts.questions, texts.sentences) for language in of}
    scripts = {}
    for language in sorted(every):
        if texts.size(language) >= FEWEST:
            some = (texts.sentences.get(language) or texts.questions[language])[:300]
            scripts[language] = main_script(" ".join(some))
    shared = Counter(scripts.values())
    return {language: of for language, of in scripts.items() if shared[of] > 1} | {GIBBERISH: "Latin"}


class Messages:
    """Draws messages from texts."""

    def __init__(self, rng: random.Random, texts: Texts, scripts: dict[str, str], abbreviations: Abbreviations) -> None:
        self.rng, self.texts, self.scripts, self.abbreviations = rng, texts, scripts, abbreviations

    def draw(self, language: str, noise: float = NOISY, length: int | None = None) -> list[Word]:
        """The words of one message."""
        if language == GIBBERISH:
            return self.mashed()
        questions = self.texts.questions.get(language, [])
        sentences = self.texts.sentences.get(language, [])
        asked = min(MOST_QUESTIONS, len(questions) / ENOUGH_QUESTIONS) if sentences else 1.0
        while True:
            text = self.rng.choice(questions if self.rng.random() < asked else sentences)
            if found := words(self.typed(language, self.cut(text, length), noise), self.scripts[language]):
                return found

    def cut(self, text: str, length: int | None = None) -> str:
        parts = text.split()
        length = length or self.rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
        most = max(0, len(parts) - length)
        start = 0 if self.rng.random() < AT_START else self.rng.randint(0, most)
        return " ".join(parts[start : start + length])

    def typed(self, language: str, text: str, noise: float) -> str:
        if self.scripts[language] != "Latin":
            return text
        if self.rng.random() < BARE:
            text = fold(text.translate(PLAIN))
        if self.rng.random() < noise:
            abbreviations = self.abbreviations if language == "en" else {}
            text = noisy(self.rng, text, abbreviations, self.rng.choice(MISSPELT))
        return text

    def mashed(self) -> list[Word]:
        lengths = [self.rng.randint(3, 8) for _ in range(self.rng.randint(1, 4))]
        return [("".join(self.rng.choices(string.ascii_lowercase, k=length)),) for length in lengths]

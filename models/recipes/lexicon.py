"""Gathers the words that are spelt as they should be: `lexicon.bin`.

    apt-get install wamerican-large wbritish-large
    python models/recipes/lexicon.py --train ../shared/train --english /usr/share/dict/american-english-large /usr/share/dict/british-english-large --out models/

A set of words as a Bloom filter (Bloom 1970, CACM 13(7)): a word of the set is
always found, one of a hundred others as well. `daemon/core/answer/src/spelling/lexicon.rs`
describes the file.
"""

from __future__ import annotations

import argparse
import struct
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import manifest
from corpus import held_out, rows
from manifest import MODELS
from ranking_evidence import words

MAGIC, VERSION = b"JBLX", 1
HASHES, BITS_A_WORD = 7, 10
# Questions are spelt anew in these; of others there is too little text to tell a
# rare word, or a rare form of one, from a misspelt one.
LANGUAGES = ("en", "es", "fr", "ha", "ny", "pt", "rw", "sn", "sw", "xh", "yo", "zu")
SAME = {
    "nya": "ny", "swh": "sw", "fra": "fr", "por": "pt", "spa": "es", "hau": "ha", "zul": "zu", "xho": "xh",
    "sna": "sn", "kin": "rw", "yor": "yo",
}  # fmt: skip
# Of English there is so much text that a word which stands in it once is as likely
# a slip; not where people write about medicine.
FEWEST_ENGLISH = 2
MEDICAL = ("medquad", "pubmedqa", "tico19", "mmlu-health")
# Their terms are uncertain, and there is enough English.
UNCERTAIN = {"squadshifts-reddit", "squadshifts-amazon"}
SCOWL = "scowl"
RECIPE = "python models/recipes/lexicon.py --train ../shared/train --english /usr/share/dict/american-english-large /usr/share/dict/british-english-large --out models/"


class Lexicon:
    """Words as the daemon looks them up."""

    def __init__(self, languages: Iterable[str], kept: Iterable[str]) -> None:
        every = sorted(set(kept))
        self.languages, self.bits = tuple(languages), BITS_A_WORD * len(every)
        self.filter = bytearray((self.bits + 7) // 8)
        for word in every:
            for at in self.places(word):
                self.filter[at >> 3] |= 1 << (at & 7)

    @classmethod
    def read(cls, data: bytes) -> Lexicon:
        made = cls((), ())
        magic, version, count, hashes, made.bits = struct.unpack_from("<4s4I", data)
        if (magic, version, hashes) != (MAGIC, VERSION, HASHES):
            raise ValueError("no lexicon of this version")
        codes = struct.iter_unpack("4s", data[20 : 20 + 4 * count])
        made.languages = tuple(code.rstrip(b"\0").decode() for (code,) in codes)
        made.filter = bytearray(data[20 + 4 * count :])
        return made

    def write(self) -> bytes:
        head = struct.pack("<4s4I", MAGIC, VERSION, len(self.languages), HASHES, self.bits)
        return head + b"".join(struct.pack("4s", code.encode()) for code in self.languages) + self.filter

    def __contains__(self, word: str) -> bool:
        return all(self.filter[at >> 3] >> (at & 7) & 1 for at in self.places(word))

    def places(self, word: str) -> list[int]:
        """The bits of a word, by two hashes (Kirsch and Mitzenmacher 2008)."""
        first = hashed(word.encode())
        second = first >> 32 | 1
        return [((first + i * second & 0xFFFF_FFFF) * self.bits) >> 32 for i in range(HASHES)]


def hashed(data: bytes) -> int:
    """FNV-1a of 64 bits, its high bits mixed into all others (murmur3's finaliser)."""
    value = 0xCBF2_9CE4_8422_2325
    for byte in data:
        value = (value ^ byte) * 0x100_0000_01B3 & 0xFFFF_FFFF_FFFF_FFFF
    for factor in (0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53):
        value = (value ^ value >> 33) * factor & 0xFFFF_FFFF_FFFF_FFFF
    return value ^ value >> 33


class Text:
    """How often each word stands in the texts of a language."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {language: Counter() for language in LANGUAGES}
        self.medical: set[str] = set()
        self.sources: set[str] = set()
        self.seen: set[str] = set()

    def add(self, source: str, language: str, text: str) -> None:
        language = language.replace("_", "-").partition("-")[0]
        language = SAME.get(language, language)
        if language not in self.counts or text in self.seen:
            return
        self.seen.add(text)
        self.sources.add(source)
        found = words(text)
        self.counts[language].update(found)
        if source.startswith(MEDICAL):
            self.medical.update(found)

    def kept(self) -> set[str]:
        english = {word for word, count in self.counts["en"].items() if count >= FEWEST_ENGLISH}
        others = (counts for language, counts in self.counts.items() if language != "en")
        return english.union(self.medical, *others)


def read(folder: Path) -> Text:
    """All text of the training data but what is held out."""
    text = Text()
    for file in ("bitext_train", "bitext_extra"):
        for row in rows(folder, file):
            if not held_out(row["en"]):
                text.add(row["src"], row["lang"], row["text"])
                text.add(row["src"], "en", row["en"])
    for file, passage in (("reader_train", "context"), ("reader_extra", "context"), ("pairs_extra", "passage")):
        for row in rows(folder, file):
            source = row["src"].removesuffix("+neg")
            if source in UNCERTAIN or held_out(row[passage]):
                continue
            text.add(source, row["lang"], row["question"])
            # Of pairs across languages the passage is English, or French, or not said.
            if "2en" in source:
                text.add(source, "en", row[passage])
            elif not source.startswith("afriqa"):
                text.add(source, row["lang"], row[passage])
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--english", type=Path, nargs="+", required=True, help="lists of English words, one a line")
    parser.add_argument("--out", type=Path, default=MODELS, help="the folder that gets lexicon.bin")
    given = parser.parse_args()

    text = read(given.train)
    listed = {word for file in given.english for line in file.read_text().splitlines() for word in words(line.removesuffix("'s"))}
    kept = {word for word in text.kept() | listed if word.isalpha()}
    lexicon = Lexicon(LANGUAGES, kept)
    artefact = manifest.Artefact(
        name="spelling.lexicon", file="lexicon.bin",
        shape=f"Bloom filter of {len(kept)} words of {len(LANGUAGES)} languages",
        licence="CC-BY-SA-4.0", source="gathered by the recipe",
        original="none: gathered from texts and word lists", recipe=RECIPE,
        card="lexicon.md", data=manifest.sources(text.sources | {SCOWL}),
    )  # fmt: skip
    manifest.write(given.out, artefact, lexicon.write())
    print(artefact.shape, {language: len(counts) for language, counts in text.counts.items()})


if __name__ == "__main__":
    main()

"""Learns what words of other languages are in English: `glossary.bin`.

    python models/recipes/glossary.py --train ../shared/train --more MORE --out models/

MORE has the Greek sentences (`greek.py`). Which word of a sentence is which of its translation, by IBM's first model (Brown et
al. 1993, "The Mathematics of Statistical Machine Translation", Computational
Linguistics 19(2), §4.4): a few rounds of expectation maximisation over sentences and
their English, language by language. Of each word the likeliest English words are
kept. A form that no sentence had is looked up by its last letters, which prefixes
leave as they are, and by its first ones (`stems`): these are learnt in the same way.
`daemon/core/answer/src/gloss.rs` describes the file, and says a question with
it as `Glossary.said` does here.
"""

from __future__ import annotations

import argparse
import dataclasses
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import manifest
from corpus import held_out, rows
from lexicon import hashed
from manifest import MODELS
from ranking_evidence import MOST_WORDS, STOP_WORDS, words
from ranking_pools import Pool

MAGIC, VERSION = b"JBGL", 1
# Those that `language.bin` tells apart and that have two thousand sentences or more.
LANGUAGES = (
    "af", "am", "ar", "bem", "bho", "bm", "el", "es", "fr", "ha", "hi", "id", "ig", "km", "lg", "ln", "ne", "nso", "ny", "om",
    "pt", "rw", "sn", "so", "ss", "st", "sw", "ti", "tn", "ts", "ve", "wo", "xh", "yo", "zu",
)  # fmt: skip
SAME = {
    "amh": "am", "arb": "ar", "fra": "fr", "hau": "ha", "hin": "hi", "ibo": "ig", "ind": "id", "khm": "km", "kin": "rw",
    "ell": "el", "lin": "ln", "lug": "lg", "npi": "ne", "nya": "ny", "por": "pt", "sna": "sn", "som": "so", "spa": "es", "swh": "sw",
    "wol": "wo", "xho": "xh", "yor": "yo", "zul": "zu",
}  # fmt: skip
ROUNDS = 8
# What a word must be worth before its counts are believed.
PRIOR = 0.5
LONGEST = 60
# So few words are a term of a word list, which nobody is asked about.
TERM = 2
# A word has so many glosses at most, none less likely than this, or than such a share
# of the likeliest, stop words among them.
KEPT, LEAST, BESIDE = 3, 0.12, 0.5
# A stem has so many letters, and says what it says less surely.
STEM, LEAST_OF_STEM = 6, 0.3
# A question's word is said by so many English ones.
SAID = 2
NONE = 0xFFFF
RECIPE = "python models/recipes/glossary.py --train ../shared/train --more MORE --out models/"

Pair = tuple[list[str], list[str]]


class Glossary:
    """English words for words of other languages, as the daemon looks them up."""

    def __init__(self, data: bytes) -> None:
        magic, version, languages, entries, english = struct.unpack_from("<4s4I", data)
        if (magic, version) != (MAGIC, VERSION):
            raise ValueError("no glossary of this version")
        at = 20
        heads = list(struct.iter_unpack("<4s2I", data[at : at + 12 * languages]))
        at += 12 * languages
        self.of_language = {code.rstrip(b"\0").decode(): (begin, end) for code, begin, end in heads}
        table = np.frombuffer(data, np.dtype([("hash", "<u4"), ("glosses", "<u2", KEPT)]), entries, at)
        self.hashes, self.glosses = table["hash"], table["glosses"]
        at += table.nbytes
        ends = np.frombuffer(data, "<u4", english, at)
        blob = data[at + ends.nbytes :]
        self.english = [blob[a:b].decode() for a, b in zip([0, *ends[:-1]], ends)]

    def of(self, language: str, word: str) -> list[str]:
        """The English of a folded word, likeliest first; of its stems where it has none."""
        own = self.of_language.get(base(language), (0, 0))
        return self.entry(own, word) or list(dict.fromkeys(gloss for stem in stems(word) for gloss in self.entry(own, stem)))

    def entry(self, own: tuple[int, int], key: str) -> list[str]:
        begin, end = own
        hash_ = np.uint32(hashed(key.encode()) & 0xFFFF_FFFF)
        at = begin + int(np.searchsorted(self.hashes[begin:end], hash_))
        found = self.glosses[at] if at < end and self.hashes[at] == hash_ else ()
        return [self.english[i] for i in found if i != NONE]

    def said(self, text: str, asked: list[str], language: str, known: Callable[[str], bool]) -> tuple[str, list[str]]:
        """A question and its words with English in the place of words that no passage has:
        after the text, where embedder and reader take it along, and instead of the words."""
        stop = STOP_WORDS.get(base(language), set())
        english = {}
        for word in dict.fromkeys([*words(text), *asked]):
            if word not in stop and not known(word):
                english[word] = [gloss for gloss in self.of(language, word) if known(gloss)][:SAID]
        glosses = dict.fromkeys(gloss for said in english.values() for gloss in said)
        instead = dict.fromkeys(w for word in asked for w in english.get(word) or [word])
        return " ".join([text, *glosses]), list(instead)[:MOST_WORDS]


def glossed(pool: Pool, glossary: Glossary) -> Pool:
    """The pool with its questions in its passages' words."""
    known = pool.words()
    said = [
        glossary.said(question, asked, language, known.__contains__)
        for question, asked, language in zip(pool.questions, pool.asked, pool.languages)
    ]
    return dataclasses.replace(pool, questions=[text for text, _ in said], asked=[asked for _, asked in said])


def base(language: str) -> str:
    code = language.replace("_", "-").partition("-")[0]
    return SAME.get(code, code)


def stems(word: str) -> list[str]:
    """A long word's last letters and its first ones."""
    return [f"~{word[-STEM:]}", f"{word[:STEM]}~"] if len(word) > STEM else []


def half(text: str) -> int:
    """One of two halves, by a text's hash."""
    return hashed(text.strip().encode()) & 1


def pairs(folder: Path, more: Path | None = None, without: int | None = None) -> Iterator[tuple[str, str, Pair]]:
    """Source, language, and the words of a sentence and of its English.

    No sentence that is held out, and none that is a question about a passage that is:
    rankings are fitted on those. None of a half, where one is named.
    """
    asked = set()
    for file, passage in (("reader_train", "context"), ("reader_extra", "context"), ("pairs_extra", "passage")):
        asked |= {row["question"].strip() for row in rows(folder, file) if held_out(row[passage])}
    files = [(folder, "bitext_train"), (folder, "bitext_extra"), *([(more, "bitext_more")] if more else [])]
    for row in (row for place, file in files for row in rows(place, file)):
        language = base(row["lang"])
        if language not in LANGUAGES or row["text"].strip() in asked or half(row["text"]) == without:
            continue
        both = words(row["text"]), words(row["en"])
        kept = len(both[1]) <= TERM or not held_out(row["en"])
        if kept and all(0 < len(side) <= LONGEST for side in both):
            yield row["src"], language, both


def learnt(sentences: list[Pair], least: float = LEAST) -> dict[str, list[tuple[float, str]]]:
    """Of each word its English words with their probability, likeliest first."""
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    mine, english, place, places = [], [], [], 0
    for text, translation in sentences:
        # 0 stands for what no word of the sentence says.
        some = np.array([0, *(ours.setdefault(word, len(ours) + 1) for word in dict.fromkeys(text))])
        each = np.array([theirs.setdefault(word, len(theirs)) for word in translation])
        mine.append(np.tile(some, len(each)))
        english.append(np.repeat(each, len(some)))
        place.append(np.repeat(np.arange(places, places + len(each)), len(some)))
        places += len(each)
    place = np.concatenate(place)
    every, which = np.unique(np.concatenate(mine) * len(theirs) + np.concatenate(english), return_inverse=True)
    word, its = np.divmod(every, len(theirs))
    chance = np.ones(len(every))
    for _ in range(ROUNDS):
        share = chance[which]
        share /= np.bincount(place, share)[place]
        count = np.bincount(which, share, len(every))
        chance = count / (np.bincount(word, count)[word] + PRIOR)
    names, translations = [None, *ours], list(theirs)
    most = np.zeros(len(names))
    np.maximum.at(most, word, chance)
    found: dict[str, list[tuple[float, str]]] = {}
    for at in np.flatnonzero((chance >= np.maximum(least, most[word] * BESIDE)) & (word > 0)):
        gloss = translations[its[at]]
        if gloss not in STOP_WORDS["en"] and len(gloss) > 1:
            found.setdefault(names[word[at]], []).append((float(chance[at]), gloss))
    return {name: sorted(glosses, key=lambda g: (-g[0], g[1]))[:KEPT] for name, glosses in found.items()}


def tables(folder: Path, more: Path | None = None, without: int | None = None) -> tuple[dict[str, dict[str, list[tuple[float, str]]]], set[str]]:
    """What is learnt of each language, and the sources it is learnt from."""
    sentences: dict[str, list[Pair]] = {}
    used = set()
    for source, language, both in pairs(folder, more, without):
        used.add(source)
        sentences.setdefault(language, []).append(both)
    found = {}
    for language, its in sorted(sentences.items()):
        stemmed = [([stem for word in text for stem in stems(word)], english) for text, english in its]
        found[language] = learnt(its) | learnt([pair for pair in stemmed if pair[0]], LEAST_OF_STEM)
    return found, used


def crossed(folder: Path) -> list[Glossary]:
    """For questions of each half a glossary that was learnt from the other alone: what a
    training sees is not said better than what a site is asked."""
    return [Glossary(written(tables(folder, without=without)[0])) for without in (0, 1)]


def written(tables: dict[str, dict[str, list[tuple[float, str]]]]) -> bytes:
    """The file of tables by language."""
    english = sorted({gloss for table in tables.values() for glosses in table.values() for _, gloss in glosses})
    if len(english) >= NONE:
        raise ValueError(f"{len(english)} English words do not fit into 16 bits")
    number = {gloss: at for at, gloss in enumerate(english)}
    heads, entries, begin = [], [], 0
    for language, table in sorted(tables.items()):
        by_hash = {hashed(word.encode()) & 0xFFFF_FFFF: [number[g] for _, g in glosses] for word, glosses in table.items()}
        entries += [struct.pack(f"<I{KEPT}H", key, *glosses, *[NONE] * (KEPT - len(glosses))) for key, glosses in sorted(by_hash.items())]
        heads.append(struct.pack("<4s2I", language.encode(), begin, len(entries)))
        begin = len(entries)
    blob, ends = b"", []
    for gloss in english:
        blob += gloss.encode()
        ends.append(len(blob))
    head = struct.pack("<4s4I", MAGIC, VERSION, len(heads), len(entries), len(english))
    return head + b"".join(heads) + b"".join(entries) + struct.pack(f"<{len(ends)}I", *ends) + blob


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--more", type=Path, help="the folder that greek.py filled")
    parser.add_argument("--out", type=Path, default=MODELS, help="the folder that gets glossary.bin")
    given = parser.parse_args()

    learnt_of, used = tables(given.train, given.more)
    print({language: len(table) for language, table in learnt_of.items()})
    artefact = manifest.Artefact(
        name="gloss.glossary", file="glossary.bin",
        shape=f"{sum(map(len, learnt_of.values()))} words and stems of {len(learnt_of)} languages, up to {KEPT} English words each",
        licence="CC-BY-SA-4.0", source="learnt by the recipe", original="none: learnt from sentences and their translations",
        recipe=RECIPE, card="glossary.md", data=manifest.sources(used),
    )  # fmt: skip
    manifest.write(given.out, artefact, written(learnt_of))


if __name__ == "__main__":
    main()

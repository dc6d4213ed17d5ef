"""Text as the language identifier sees it, and the file that it reads.

The same steps as `daemon/core/answer/src/identify`, whose module `model.rs`
describes the file: words are folded, those with accents also taken as they are
written; every run of one to five of a word's letters (the spaces around it
counted) and every longer word is hashed to a row.
"""

from __future__ import annotations

import struct
import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from scipy import sparse

from ranking_evidence import fold
from scripts import script

Word = tuple[str, ...]
"""A word folded; one with accents a second time as it is written."""

LONGEST = 5
MAGIC, VERSION = b"JBLI", 1

# The script's names in `scripts.py` and in ISO 15924.
ISO_15924 = {
    "Arabic": "Arab", "Bengali": "Beng", "Cyrillic": "Cyrl", "Devanagari": "Deva", "Ethiopic": "Ethi",
    "Latin": "Latn",
}  # fmt: skip


def main_script(text: str) -> str | None:
    """The script of most letters."""
    counts = Counter(script(c) for c in text if c.isalpha())
    counts.pop(None, None)
    return max(counts, key=lambda name: (counts[name], name), default=None)


def words(text: str, of_script: str) -> list[Word]:
    """The words of a text that have a letter of the script."""
    return [word for token in text.split() for word in words_of(token, of_script)]


@lru_cache(maxsize=1 << 20)
def words_of(token: str, of_script: str) -> tuple[Word, ...]:
    found = []
    for is_word, letters in groupby(token, in_word):
        word = "".join(letters)
        if is_word and any(script(c) == of_script for c in word if c.isalpha()):
            folded, written = fold(word), unicodedata.normalize("NFC", word.lower())
            found.append((folded,) if folded == written else (folded, written))
    return tuple(found)


def in_word(c: str) -> bool:
    return c.isalnum() or unicodedata.category(c).startswith("M") or c in "\u200c\u200d"


def ngrams(every: list[str], buckets: int) -> sparse.csr_matrix:
    """How often a word has the n-grams of a bucket, `[words, buckets]`."""
    letters = np.frombuffer((" " + " ".join(every) + " ").encode("utf-32-le"), np.uint32)
    space = letters == ord(" ")
    # The space before a word counts as the word's.
    word = np.cumsum(space) - 1
    after = np.append(np.flatnonzero(space)[1:], len(letters) - 1)
    last = after[np.minimum(word, len(every) - 1)]
    at = np.arange(len(letters))
    hashes = np.full(len(letters), 2166136261, np.uint32)
    rows, found = [], []
    for n in range(1, LONGEST + 1):
        count = len(letters) - n + 1
        if count <= 0:
            break
        hashes = (hashes[:count] ^ letters[n - 1 :]) * np.uint32(16777619)
        whole = (at[:count] + n - 1 <= last[:count]) & (word[:count] < len(every))
        if n == 1:
            whole &= ~space
        rows.append(word[:count][whole])
        found.append(hashes[whole])
    long = [i for i, text in enumerate(every) if len(text) + 2 > LONGEST]
    rows.append(np.array(long, np.int64))
    found.append(np.array([whole_word(every[i]) for i in long], np.uint32))
    mixed = np.concatenate(found)
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    columns = (mixed.astype(np.uint64) * np.uint64(buckets)) >> np.uint64(32)
    ones = np.ones(len(columns), np.float32)
    return sparse.csr_matrix((ones, (np.concatenate(rows), columns.astype(np.int64))), (len(every), buckets))


def whole_word(word: str) -> int:
    value = 2166136261
    for letter in f" {word} ":
        value = ((value ^ ord(letter)) * 16777619) & 0xFFFFFFFF
    return value


def counts(texts: list[list[Word]], buckets: int) -> sparse.csr_matrix:
    """How often each text has the n-grams of a bucket, `[texts, buckets]`."""
    known: dict[str, int] = {}
    ids, ends = [], [0]
    for text in texts:
        ids += [known.setdefault(form, len(known)) for word in text for form in word]
        ends.append(len(ids))
    of_forms = sparse.csr_matrix((np.ones(len(ids), np.float32), ids, ends), (len(texts), len(known)))
    return (of_forms @ ngrams(list(known), buckets)).astype(np.float32)


def totals(every: sparse.csr_matrix) -> np.ndarray:
    """How many n-grams each text has, `[texts]`."""
    return np.maximum(np.asarray(every.sum(1)).ravel(), 1)


@dataclass
class Model:
    """A classifier as it stands in the file."""

    languages: list[str]
    scripts: list[str]
    """Of each language, as `scripts.py` names it."""
    rows: np.ndarray
    """i8 `[buckets, width]`."""
    step: float
    weights: np.ndarray
    """f32 `[width, languages]`."""
    bias: np.ndarray
    power: float = 0.5
    """The sum of a text's rows is divided by their number to this power."""
    silent: float = 0.0
    """How likely a word says nothing of its language."""

    def evidence(self, texts: list[list[Word]]) -> tuple[np.ndarray, np.ndarray]:
        """What the n-grams of texts say for every language, summed up,
        `[texts, languages]`, and their number, `[texts, 1]`."""
        every = counts(texts, len(self.rows))
        sums = every.astype(np.float64) @ self.rows.astype(np.float64) * self.step
        return sums @ self.weights.astype(np.float64), totals(every)[:, None].astype(np.float64)

    def prior(self, scripts: list[str], offered: Collection[str], elsewhere: float) -> np.ndarray:
        """How likely each language is for texts of these scripts, where a share of
        all texts is in no offered language. `[texts, languages]`"""
        expected = np.array([language in offered for language in self.languages])
        known = {}
        for of in set(scripts):
            written = np.array(self.scripts) == of
            shares = np.zeros(len(written))
            for among, share in ((written & expected, 1 - elsewhere), (written & ~expected, elsewhere)):
                shares[among] = share / max(1, among.sum())
            known[of] = shares / shares.sum()
        return np.array([known[of] for of in scripts])

    def chances(self, texts: list[list[Word]], prior: np.ndarray) -> np.ndarray:
        """The same once the texts are read."""
        said, total = self.evidence(texts)
        silent = self.silent ** np.array([len(text) for text in texts])
        return posterior(prior, said / total**self.power + self.bias, silent)

    def write(self) -> bytes:
        buckets, width = self.rows.shape
        entries = (
            language.encode().ljust(4, b"\0") + ISO_15924[of].encode() + struct.pack("<f", bias)
            for language, of, bias in zip(self.languages, self.scripts, self.bias)
        )
        sizes = len(self.languages), buckets, width
        head = struct.pack("<4s4I3f", MAGIC, VERSION, *sizes, self.step, self.power, self.silent)
        return head + b"".join(entries) + self.weights.T.astype("<f4").tobytes() + self.rows.tobytes()


def posterior(prior: np.ndarray, scores: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """How likely each language is, where a text says nothing with the chance
    `silent`. `[texts, languages]`"""
    odds = np.where(prior > 0, scores, -np.inf)
    chances = prior * np.exp(odds - odds.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    return prior * silent[:, None] + chances * (1 - silent[:, None])

"""Words that stand in no passage, spelt as the passages spell them: the formulas of
`daemon/core/answer/src/spelling.rs`. Short forms are written out by its own lists.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections import Counter
from collections.abc import Callable

from lexicon import Lexicon
from ranking_evidence import of_packs, words
from ranking_pools import Pool

SHORTEST, KNOWN = 3, 0.2
SLIGHT, SWAPPED, ERROR = 0.35, 0.7, 1.0
LETTERS_PER_ERROR, MOST, ERROR_ODDS = 5.0, 1.75, 3.0
LENGTHS = (0.6, 2.5)
VOWELS = frozenset("aeiouy")
SHORT_FORMS = {
    language: dict(re.findall(r'\("([^"]+)", "([^"]+)"\)', found))
    for language, (found,) in of_packs(r"(?s)short_forms: &\[(.*?)\],\n").items()
}


def spelt(pool: Pool, lexicon: Lexicon) -> Pool:
    """The pool with its questions as its passages spell them."""
    asked = [(written_out(question, language), language) for question, language in zip(pool.questions, pool.languages)]
    index = Words(pool, lexicon)
    restored = [question if pool.across else index.restored(question, language) for question, language in asked]
    return dataclasses.replace(pool, questions=restored, asked=[])


def written_out(question: str, language: str) -> str:
    """As `short_forms.rs`."""
    meant, names = SHORT_FORMS.get(language, {}), names_of(question)
    return with_words(question, lambda word: None if word in names else meant.get(word))


class Words:
    """The words of a pool's passages with the numbers of passages that hold them."""

    def __init__(self, pool: Pool, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.counts = Counter(
            word for heading, text in zip(pool.headings, pool.passages) for word in set(words(f"{heading} {text}"))
        )
        self.by_letter: dict[str, list[tuple[str, int, frozenset[str]]]] = {}
        for term, count in self.counts.items():
            if term.isalpha():
                self.by_letter.setdefault(term[0], []).append((term, count, frozenset(term)))
        self.nearest = functools.cache(self.look_for)

    def restored(self, question: str, language: str) -> str:
        if language not in self.lexicon.languages:
            return question
        asked = [word for word in dict.fromkeys(words(question)) if len(word) >= SHORTEST]
        if sum(word in self.counts for word in asked) < KNOWN * len(asked):
            return question
        names = names_of(question)

        def meant(word: str) -> str | None:
            misspelt = len(word) >= SHORTEST and word not in self.counts and word.isalpha() and word not in names and word not in self.lexicon
            return self.nearest(word) if misspelt else None

        return with_words(question, meant)

    def look_for(self, typed: str) -> str | None:
        """The word of the passages that was likeliest meant."""
        likely, letters = [], frozenset(typed)
        for term, count, its in self.by_letter.get(typed[0], []):
            most = min(len(term) / LETTERS_PER_ERROR, MOST)
            if not LENGTHS[0] <= len(term) / len(typed) <= LENGTHS[1] or max(len(letters - its), len(its - letters - VOWELS)) > most:
                continue
            found = cost(typed, term, most)
            if found <= most:
                likely.append((ERROR_ODDS * found - math.log(count), term))
        return min(likely)[1] if likely else None


def runs(text: str) -> list[str]:
    """The words and what stands between them, in turn."""
    found, inside = [""], False
    for c in text:
        if bool(words(c)) != inside:
            found.append("")
            inside = not inside
        found[-1] += c
    return found


def names_of(text: str) -> set[str]:
    """Words with a capital letter that are not the first; none of a text in capitals."""
    if not any(c.islower() for c in text):
        return set()
    return {word for run in runs(text)[3::2] if run[0].isupper() for word in words(run)}


def with_words(text: str, other: Callable[[str], str | None]) -> str:
    """The text with other words in the place of some, which are asked for folded."""
    return "".join(next((o for word in words(run) if (o := other(word))), run) for run in runs(text))


def cost(typed: str, meant: str, most: float) -> float:
    """What the errors between two words cost; infinite once it is above `most`."""
    missing = [
        SLIGHT if at > 0 and (c in VOWELS or c == meant[at - 1]) else ERROR for at, c in enumerate(meant)
    ]  # fmt: skip
    before, above = [], [0.0]
    for price in missing:
        above.append(above[-1] + price)
    for i, letter in enumerate(typed):
        extra = SLIGHT if i > 0 and letter == typed[i - 1] else ERROR
        row = [above[0] + extra]
        for j, other in enumerate(meant):
            best = min(above[j] + (0.0 if letter == other else ERROR), row[j] + missing[j], above[j + 1] + extra)
            if i > 0 and j > 0 and letter == meant[j - 1] and typed[i - 1] == other:
                best = min(best, before[j - 1] + SWAPPED)
            row.append(best)
        if min(row) > most and min(above) > most:
            return math.inf
        before, above = above, row
    return above[-1]

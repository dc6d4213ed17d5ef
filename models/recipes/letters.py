"""Words in letters that no passage is written in, in Latin ones, as
`daemon/core/answer/src/letters.rs` writes them.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter

from anyascii import anyascii

from ranking_evidence import MOST_WORDS, words
from ranking_pools import Pool

STRAY, SHORTEST = 12, 4


def in_latin(pool: Pool) -> Pool:
    """The pool, looking for Latin letters where its passages are not written in the questions'."""
    known = pool.words()
    begun = Counter(word[0] for word in known)

    def written(word: str) -> list[str]:
        if word in known or begun[word[0]] > STRAY or not word[0].isalpha() or "LATIN" in unicodedata.name(word[0], ""):
            return [word]
        return [heard for heard in words(anyascii(word)) if len(heard) >= SHORTEST] or [word]

    asked = [list(dict.fromkeys(w for word in of for w in written(word)))[:MOST_WORDS] for of in pool.asked]
    return dataclasses.replace(pool, asked=asked)

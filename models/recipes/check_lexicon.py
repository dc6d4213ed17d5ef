"""What spelling anew by lexicon and passages changes, on pools that no model saw.

    python models/recipes/check_lexicon.py --train ../shared/train

Of each pool a line, its questions as they are and misspelt as SMS are (`noise.py`):
how many questions as they are were changed; of the misspelt words that the
passages have how many were put right, made another word, left; and in how many of
a hundred questions BM25 by words and trigrams, as shares of their best, puts an
answering passage first, without and with it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lexicon import Lexicon
from noise import Abbreviations, noisy
from ranking_evidence import MODELS, Collection, query_trigrams, query_words, words
from ranking_pools import Pool, pools
from ranking_spelling import SHORTEST, Words

SEED = 5
MOST = 300


class Searches:
    """BM25 by words and by trigrams over a pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.collection = Collection(pool.headings, pool.passages, np.zeros((len(pool.passages), 1)))

    def hits_at_1(self, questions: Sequence[str]) -> float:
        asked = zip(map(query_words, questions, self.pool.languages), self.pool.relevant)
        return 100 * float(np.mean([not relevant.isdisjoint(self.best(of, 1)) for of, relevant in asked]))

    def best(self, asked: list[str], count: int) -> list[int]:
        """The first passages for some words, by the sum of both scores as shares of their best."""
        scores: Counter[int] = Counter()
        for table, terms in (("word", asked), ("trigram", query_trigrams(asked))):
            hits = self.collection.full_text(table, terms)
            for at, score in hits:
                scores[at] += score / hits[0][1]
        return [at for at, _ in scores.most_common(count)]


def outcomes(index: Words, meant: Sequence[str], typed: Sequence[str]) -> Counter[str]:
    """What becomes of misspelt words that the passages have."""
    found: Counter[str] = Counter()
    for question, other in zip(meant, typed):
        pairs = zip(question.lower().rstrip("?").split(), other.split())
        for wanted, (word,) in ((words(a), words(b)) for a, b in pairs if len(words(b)) == 1):
            if len(word) < SHORTEST or wanted == [word] or len(wanted) != 1 or wanted[0] not in index.counts:
                continue
            if word in index.counts or not word.isalpha():
                continue
            given = None if word in index.lexicon else index.nearest(word)
            found["left" if given is None else "right" if given == wanted[0] else "wrong"] += 1
    return found


def report(pool: Pool, lexicon: Lexicon, abbreviations: Abbreviations) -> str:
    index, searches, rng = Words(pool, lexicon), Searches(pool), random.Random(SEED)

    def restored(questions: Sequence[str]) -> list[str]:
        return [index.restored(question, of) for question, of in zip(questions, pool.languages)]

    typed = [noisy(rng, question, abbreviations if of == "en" else {}) for question, of in zip(pool.questions, pool.languages)]
    changed = sum(a != b for a, b in zip(pool.questions, restored(pool.questions)))
    words_of = outcomes(index, pool.questions, typed)
    hits = [searches.hits_at_1(of) for of in (pool.questions, restored(pool.questions), typed, restored(typed))]
    counts = " / ".join(str(words_of[of]) for of in ("right", "wrong", "left"))
    return "| {} | {} of {} | {} | {:.1f} → {:.1f} | {:.1f} → {:.1f} |".format(pool.name, changed, len(pool.questions), counts, *hits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    given = parser.parse_args()

    lexicon = Lexicon.read((MODELS / "lexicon.bin").read_bytes())
    abbreviations = json.loads((given.train / "sms_abbreviations.json").read_text())
    for pool in pools(given.train):
        if not pool.across and not pool.name.endswith("-sms") and set(pool.languages) <= set(lexicon.languages):
            pool.questions, pool.languages, pool.relevant = (of[:MOST] for of in (pool.questions, pool.languages, pool.relevant))
            print(report(pool, lexicon, abbreviations), flush=True)


if __name__ == "__main__":
    main()

"""What the glossary does for questions in another language than the passages.

    python models/recipes/check_glossary.py --train ../shared/train

Prints the tables of models/glossary.md: of held-out sentences how much of their
translation is said; and of the pools whose passages are in another language
(`ranking_pools.py`) in how many of a hundred questions each search puts an
answering passage first, without and with glosses.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from check_lexicon import Searches
from corpus import held_out, rows
from glossary import SAID, Glossary, base, glossed
from ranking_evidence import MODELS, STOP_WORDS, Embedder, prompt_passage, prompt_query, words
from ranking_pools import Pool, pools

SEED = 7
MOST, LEAST = 400, 40


def said(glossary: Glossary, folder: Path) -> str:
    """A row a language: sentences, glosses that stand in the translation, words of it that are said, in %."""
    by_language: dict[str, list[tuple[list[str], set[str]]]] = {}
    for file in ("bitext_train", "bitext_extra"):
        for row in rows(folder, file):
            if held_out(row["en"]) and base(row["lang"]) in glossary.of_language:
                english = set(words(row["en"])) - STOP_WORDS["en"]
                by_language.setdefault(base(row["lang"]), []).append((words(row["text"]), english))
    found = []
    for language, sentences in sorted(by_language.items()):
        random.Random(SEED).shuffle(sentences)
        right = all_said = wanted = 0
        for text, english in sentences[:MOST]:
            glosses = {g for w in set(text) for g in glossary.of(language, w)[:SAID]} | set(text) & english
            right, all_said, wanted = right + len(glosses & english), all_said + len(glosses), wanted + len(english)
        found.append(f"| {language} | {min(MOST, len(sentences))} | {100 * right / all_said:.0f} | {100 * right / wanted:.0f} |")
    return "\n".join(found)


def hits(pool: Pool, embedder: Embedder) -> list[tuple[bool, bool]]:
    """Of each question whether words and trigrams, and the cosine, put an answering passage first."""
    searches = Searches(pool)
    passages = embedder.all([prompt_passage(h, t) for h, t in zip(pool.headings, pool.passages)])
    nearest = (embedder.all([prompt_query(q) for q in pool.questions]) @ passages.T).argmax(1)
    return [
        (not relevant.isdisjoint(searches.best(asked, 1)), int(near) in relevant)
        for asked, relevant, near in zip(pool.asked, pool.relevant, nearest)
    ]


def row(name: str, before: Sequence[tuple[bool, bool]], after: Sequence[tuple[bool, bool]]) -> str:
    cells = [100 * np.mean(of, axis=0) for of in (before, after)]
    return f"| {name} | {len(before)} | " + " | ".join(f"{a:.1f} → {b:.1f}" for a, b in zip(*cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    given = parser.parse_args()

    glossary = Glossary((MODELS / "glossary.bin").read_bytes())
    print(said(glossary, given.train), "\n", flush=True)
    embedder = Embedder()
    by_language: dict[str, list] = {}
    for pool in pools(given.train):
        if pool.across:
            before, after = hits(pool, embedder), hits(glossed(pool, glossary), embedder)
            print(row(pool.name, before, after), flush=True)
            for language, *of in zip(pool.languages, before, after):
                by_language.setdefault(base(language), []).append(of)
    for language, of in sorted(by_language.items()):
        if len(of) >= LEAST:
            print(row(language, *zip(*of)))


if __name__ == "__main__":
    main()

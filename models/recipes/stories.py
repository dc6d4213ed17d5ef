"""What people tell around a question, made of sentences that say something."""

from __future__ import annotations

import random
from pathlib import Path

import corpus

SOURCES = ("tatoeba", "african-storybook", "pratham-books")
# A language must have so many sentences; a question with its story has so many
# words at most.
FEWEST, MOST_WORDS = 50, 48


class Stories:
    """Statements by language; those that are held out, or all others."""

    def __init__(self, folder: Path, held_out: bool = False) -> None:
        found: dict[str, set[str]] = {}
        for file in ("bitext_train", "bitext_extra"):
            for row in corpus.rows(folder, file):
                if row["src"] in SOURCES and corpus.held_out(row["en"]) == held_out:
                    for language, text in ((row["lang"], row["text"]), ("en", row["en"])):
                        if "?" not in text and 4 <= len(text.split()) <= 18:
                            found.setdefault(language, set()).add(text.strip())
        self.sentences = {of: sorted(texts) for of, texts in found.items() if len(texts) >= FEWEST}

    def around(self, dice: random.Random, text: str, language: str, share: float = 1.0) -> str:
        """A share of the questions as people ask who tell their story first, or after it."""
        sentences = self.sentences.get(language)
        if not sentences or dice.random() >= share:
            return text
        before, after = dice.choice(((1, 0), (1, 0), (2, 0), (0, 1), (1, 1)))
        told = " ".join([*dice.sample(sentences, before), text, *dice.sample(sentences, after)])
        return told if len(told.split()) <= MOST_WORDS else text

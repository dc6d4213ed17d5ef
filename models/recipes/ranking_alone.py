"""How likely a passage answers a question that was given by itself.

Fitted on held-out reading questions: each with its passage, and as often with
one that only looks as if it answered (`unanswerable.py`, and the passages that
the data itself marks as wrong).
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

import corpus
from embedder import DEFAULT_SCRIPTS
from ranking_reading import Reader
from unanswerable import twisted, without_answer

SEED = 9
READINGS = ("intercept", "relevance", "answered", "span")
MOST_OF_A_SOURCE, LONGEST = 25, 1000


def examples(folder: Path) -> list[tuple[str, str, bool]]:
    """Question, passage, and whether it answers."""
    rng = random.Random(SEED)
    scripts = frozenset(DEFAULT_SCRIPTS.split(","))
    kinds: dict[tuple[str, str], list[dict]] = {}
    for file in ("reader_train", "reader_extra"):
        for row in corpus.rows(folder, file):
            if corpus.held_out(row["context"]) and len(row["context"]) <= LONGEST and corpus.readable(row["question"] + row["context"], scripts):
                kinds.setdefault((row["src"], row["lang"]), []).append(row)
    found = []
    for _, rows in sorted(kinds.items()):
        for row in rng.sample(rows, min(MOST_OF_A_SOURCE, len(rows))):
            question, passage, answer = row["question"].strip(), row["context"], row["answer"]
            found.append((question, passage, bool(answer)))
            if not answer:
                continue
            if rng.random() < 0.5:
                rest = without_answer(passage, (row["start"], row["start"] + len(answer)))
                found += [(question, rest, False)] if rest else []
            elif other := twisted(rng, question, passage, answer, row["lang"] == "en"):
                found.append((other, passage, False))
    return found


def readings(reader: Reader, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the reader says of each `[examples, READINGS]`, whether it answers, and its weight."""
    asked = examples(folder)
    reader.read_ahead([(question, "", passage) for question, passage, _ in asked])
    x = np.array([[1.0, *reader.read(question, "", passage)] for question, passage, _ in asked])
    right = np.array([answers for _, _, answers in asked], float)
    share = np.where(right == 1, 0.5 / right.sum(), 0.5 / (1 - right).sum())
    return x, right, share

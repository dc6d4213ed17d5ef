"""What speaks for each candidate: the formulas of `daemon/core/answer/src/rank`.

`golden.json` there holds both to the same figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ranking_evidence import words

SIGNALS = (
    "cosine", "standing", "words", "trigrams", "coverage", "adjacency", "words_place",
    "trigrams_place", "dense_place",
)  # fmt: skip
COSINE, STANDING, COVERAGE, ADJACENCY = (SIGNALS.index(s) for s in ("cosine", "standing", "coverage", "adjacency"))
TRUSTS = ("always", "unknown", "agreement")
LOOKED_AT = 10
MOST_LEAD = 6.0
CALIBRATION = (
    "intercept", "lead", "share", "cosine", "standing", "coverage", "adjacency", "unknown", "agreement",
)  # fmt: skip

Hits = list[tuple[int, float]]


@dataclass(frozen=True)
class Evidence:
    """What the searches found for one question, each list best first."""

    query_words: list[str]
    words: Hits
    trigrams: Hits
    dense: Hits
    frequencies: list[int]
    passage_count: int


@dataclass(frozen=True)
class Judged:
    """The candidates of one question."""

    candidates: list[int]
    signals: np.ndarray
    """`[candidates, signals]`"""
    context: np.ndarray
    """1, what is unknown, how far the sides agree."""

    def features(self) -> np.ndarray:
        """Every signal times every trust, `[candidates, signals * trusts]`."""
        return (self.signals[:, :, None] * self.context).reshape(len(self.candidates), -1)


class Texts:
    """The words of a collection's passages, cut once."""

    def __init__(self, headings: list[str], texts: list[str]) -> None:
        self.passages = list(zip(headings, texts))
        self.cut: dict[int, tuple[set[str], set[tuple[str, str]]]] = {}

    def of(self, passage: int) -> tuple[set[str], set[tuple[str, str]]]:
        """The stems of a passage, and the pairs of words that are near each other."""
        if passage not in self.cut:
            heading, text = self.passages[passage]
            body = words(text)
            near = {pair for distance in (1, 2, 3) for pair in zip(body, body[distance:])}
            self.cut[passage] = ({stem(w) for w in words(heading) + body}, near)
        return self.cut[passage]


def stem(word: str) -> str:
    return word[:5]


def rarity(frequency: int, passages: int) -> float:
    odds = (passages - frequency + 0.5) / (frequency + 0.5)
    return max(1e-6, math.log(odds)) if odds > 0 else 1e-6


def judge(evidence: Evidence, texts: Texts) -> Judged:
    """The signals of every candidate."""
    rarities = [rarity(f, evidence.passage_count) for f in evidence.frequencies]
    whole = sum(rarities)
    known = sum(r for r, f in zip(rarities, evidence.frequencies) if f > 0)
    common = {i for i, _ in evidence.trigrams[:LOOKED_AT]} & {i for i, _ in evidence.dense[:LOOKED_AT]}
    context = np.array([1.0, 1 - known / whole if whole > 0 else 1.0, len(common) / LOOKED_AT])

    sides = (evidence.words, evidence.trigrams, evidence.dense)
    place_of = [{i: at for at, (i, _) in enumerate(side)} for side in sides]
    score_of = [dict(side) for side in sides]
    best = [side[0][1] if side else 0.0 for side in sides]
    cosines = np.array([score for _, score in evidence.dense] or [0.0])
    mean, deviation, last = cosines.mean(), max(cosines.std(), 1e-4), cosines[-1]
    pairs = set(zip(evidence.query_words, evidence.query_words[1:]))

    candidates = list(dict.fromkeys(i for side in sides for i, _ in side))
    rows = []
    for i in candidates:
        cosine = score_of[2].get(i, last)
        stems, near = texts.of(i)
        covered = sum(r for r, w in zip(rarities, evidence.query_words) if stem(w) in stems)
        share = [score_of[s].get(i, 0.0) / best[s] if best[s] > 0 else 0.0 for s in (0, 1)]
        place = [1 / (1 + place_of[s][i]) if i in place_of[s] else 0.0 for s in (0, 1, 2)]
        rows.append([
            (cosine - 0.85) * 20, (cosine - mean) / deviation, *share,
            covered / whole if whole > 0 else 0.0, len(pairs & near) / len(pairs) if pairs else 0.0, *place,
        ])  # fmt: skip
    return Judged(candidates, np.array(rows).reshape(len(rows), len(SIGNALS)), context)


def standings(judged: Judged, scores: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """What a probability is made of, for the first `count` in order, `[count, CALIBRATION]`."""
    best = scores[order[0]]
    crowd = math.log(np.exp(scores - best).sum())
    rows = []
    for at, i in enumerate(order[:count]):
        rival = order[1 if at == 0 else 0] if len(order) > 1 else None
        lead = MOST_LEAD if rival is None else np.clip(scores[i] - scores[rival], -MOST_LEAD, MOST_LEAD)
        own = judged.signals[i]
        rows.append([
            1, lead, scores[i] - best - crowd, own[COSINE], own[STANDING], own[COVERAGE], own[ADJACENCY],
            judged.context[1], judged.context[2],
        ])  # fmt: skip
    return np.array(rows)

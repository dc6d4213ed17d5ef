"""Fits how the daemon ranks passages, and how sure it is of the first.

    python models/recipes/ranking.py --train ../shared/train --out models/

Writes ranking.json with its entry in manifest.toml, and the golden example that
holds the daemon to the same arithmetic. Nothing here reads an evaluation set.

The order: a conditional logit over the candidates of a question, the signals
times how far each is trusted; convex, fitted by Newton's method, every pool
with the same weight. The probability: a logistic curve over how a candidate
stands among the others, fitted on every question twice, with the passages that
answer it and without them. The thresholds: the lowest probabilities from which
on the first passage was right in the wanted share of the fitted questions.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np

import manifest
import ranking_golden
from ranking_evidence import MODELS, Collection, Embedder, prompt_passage, prompt_query, query_trigrams, query_words
from ranking_pools import Pool, pools
from ranking_signals import CALIBRATION, SIGNALS, TRUSTS, Evidence, Judged, Texts, judge, standings

DEPTH = 50
SEED = 2
# How often the first passage must be right from a threshold on. The fitted pools
# know one right passage for most questions and count the others that answer too
# as wrong; in the pools that are looked at only, the same thresholds are right
# about eight times in a hundred more often (the table that is printed).
SURE, FOUND = 0.87, 0.80
# From this share of the least chance of an answer on, the asker is asked back.
ASK = 0.6
# The best is not clear when the next topic is within this share of it.
LEAD = 1 / 3
# How many of a question's first candidates the calibration looks at.
LOOKED_AT = 5
# One question in three has no answer in the pool.
UNANSWERABLE = 0.5
# The sources of the pools that are fitted (`ranking_pools.py`), as data.toml names them.
DATA = (
    "tydiqa", "afriqa", "squad", "piaf", "amqa", "squad-pt", "faquad", "pira",
    "boolq", "belebele", "medquad", "pubmedqa", "tico19", "ntrex",
)  # fmt: skip


class Examples:
    """The judged questions of one pool, padded to arrays."""

    def __init__(self, pool: Pool, judged: list[Judged], relevant: list[set[int]]) -> None:
        self.pool, self.judged, self.relevant = pool, judged, relevant
        most = max(len(j.candidates) for j in judged)
        self.features = np.zeros((len(judged), most, len(SIGNALS) * len(TRUSTS)), np.float32)
        self.there = np.zeros((len(judged), most), bool)
        self.right = np.zeros((len(judged), most))
        for at, (j, answers) in enumerate(zip(judged, relevant)):
            n = len(j.candidates)
            self.features[at, :n] = j.features()
            self.there[at, :n] = True
            self.right[at, :n] = [c in answers for c in j.candidates]

    def hits_at_1(self, weights: np.ndarray) -> float:
        scores = np.where(self.there, self.features @ weights, -np.inf)
        return float(np.take_along_axis(self.right, scores.argmax(1)[:, None], 1).mean())


def examine(pool: Pool, embedder: Embedder) -> tuple[Examples, Examples]:
    """A pool's questions as they are, and with the answering passages taken away."""
    prompts = [prompt_passage(h, t) for h, t in zip(pool.headings, pool.passages)]
    collection = Collection(pool.headings, pool.passages, embedder.all(prompts))
    texts = Texts(pool.headings, pool.passages)
    whole, without = [], []
    vectors = embedder.all([prompt_query(q) for q in pool.questions])
    for question, language, relevant, vector in zip(pool.questions, pool.languages, pool.relevant, vectors):
        asked = query_words(question, language)
        hits = (
            collection.full_text("word", asked),
            collection.full_text("trigram", query_trigrams(asked)),
            collection.dense(vector),
        )
        frequencies = [collection.frequency(word) for word in asked]
        for kept, into in ((lambda i: True, whole), (lambda i: i not in relevant, without)):
            sides = ([hit for hit in side if kept(hit[0])][:DEPTH] for side in hits)
            into.append(judge(Evidence(asked, *sides, frequencies, len(pool.passages)), texts))
    return Examples(pool, whole, pool.relevant), Examples(pool, without, [set()] * len(without))


def fit_weights(fitted: list[Examples], ridge: float = 1e-3, steps: int = 40) -> np.ndarray:
    """The weights that make the answering passages most likely."""
    size = len(SIGNALS) * len(TRUSTS)
    weights = np.zeros(size)
    for _ in range(steps):
        gradient, hessian = ridge * weights, ridge * np.eye(size)
        for e in fitted:
            use = e.right.sum(1) > 0
            x, there, right = e.features[use], e.there[use], e.right[use]
            scores = np.where(there, x @ weights, -np.inf)
            chance = np.exp(scores - scores.max(1, keepdims=True))
            chance /= chance.sum(1, keepdims=True)
            wanted = right / right.sum(1, keepdims=True)
            share = 1 / len(x) / len(fitted)
            gradient = gradient + share * np.einsum("qc,qcf->f", (chance - wanted).astype(np.float32), x)
            mean = np.einsum("qc,qcf->qf", chance.astype(np.float32), x)
            spread = (x * np.sqrt(chance)[..., None].astype(np.float32)).reshape(-1, size)
            hessian = hessian + share * (spread.T @ spread - mean.T @ mean)
        step = np.linalg.solve(hessian, gradient)
        # The first steps from nothing overshoot.
        weights = weights - step * min(1.0, 3.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            break
    return weights


def only(signal: str) -> np.ndarray:
    """Weights that trust one signal alone."""
    weights = np.zeros(len(SIGNALS) * len(TRUSTS))
    weights[SIGNALS.index(signal) * len(TRUSTS)] = 1
    return weights


def outcomes(e: Examples, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the first few of each question: standings, whether right, whether first."""
    rows, right, first = [], [], []
    for j, answers in zip(e.judged, e.relevant):
        if not j.candidates:
            continue
        scores = j.features() @ weights
        order = np.argsort(-scores, kind="stable")
        rows.append(standings(j, scores, order, LOOKED_AT))
        right += [j.candidates[i] in answers for i in order[:LOOKED_AT]]
        first += [at == 0 for at in range(len(rows[-1]))]
    return np.concatenate(rows), np.array(right, float), np.array(first)


def fit_logistic(x: np.ndarray, y: np.ndarray, share: np.ndarray, ridge: float = 1e-3) -> np.ndarray:
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        chance = logistic(x @ weights)
        gradient = x.T @ (share * (chance - y)) + ridge * weights
        hessian = (x * (share * chance * (1 - chance))[:, None]).T @ x + ridge * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def logistic(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(odds, -40, 40)))


def threshold(chance: np.ndarray, right: np.ndarray, share: np.ndarray, wanted: float) -> float:
    """The lowest probability from which on so many are right, in hundredths."""
    for percent in range(5, 100):
        over = chance >= percent / 100
        if over.any() and np.average(right[over], weights=share[over]) >= wanted:
            return percent / 100
    return 0.99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--out", type=Path, default=MODELS, help="the folder that gets ranking.json")
    parser.add_argument("--only", help="a comma-separated choice of pools, for a quick look")
    given = parser.parse_args()

    embedder = Embedder()
    chosen = pools(given.train, SEED)
    if given.only:
        chosen = [p for p in chosen if p.name in given.only.split(",")]
    examined = []
    for p in chosen:
        examined.append(examine(p, embedder))
        print(f"{p.name}: {len(p.questions)} questions, {len(p.passages)} passages", flush=True)
    fitted = [pair for pair in examined if not pair[0].pool.held_out]
    weights = fit_weights([whole for whole, _ in fitted]).round(4)

    for whole, _ in examined:
        alone = "  ".join(f"{name} {100 * whole.hits_at_1(only(name)):5.1f}" for name in ("words", "trigrams", "cosine"))
        note = "looked at only" if whole.pool.held_out else ""
        print(f"{whole.pool.name:22} {alone}  together {100 * whole.hits_at_1(weights):5.1f}  {note}")

    def gathered(pairs):
        parts, shares = [], []
        for pair in pairs:
            for e, times in zip(pair, (1.0, UNANSWERABLE)):
                parts.append(outcomes(e, weights))
                shares.append(np.full(len(parts[-1][0]), times / len(e.judged)))
        x, right, first = (np.concatenate(columns) for columns in zip(*parts))
        return x, right, first, np.concatenate(shares)

    x, right, first, share = gathered(fitted)
    calibration = fit_logistic(x, right, share).round(4)
    chance = logistic(x @ calibration)
    top = chance[first], right[first], share[first]
    found = threshold(*top, FOUND)
    thresholds = {
        "sure": threshold(*top, SURE),
        "found": found,
        "choose": round(found * ASK, 2),
        "lead": round(found * LEAD, 2),
    }
    for name, pairs in (("fitted", fitted), ("looked at only", [p for p in examined if p[0].pool.held_out])):
        if not pairs:
            continue
        x, right, first, share = gathered(pairs)
        chance = logistic(x @ calibration)
        print(f"\n{name}: of the first passages with at least this probability, how many are right")
        for border in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
            over = first & (chance >= border)
            if over.any():
                print(f"  {border}: {np.average(right[over], weights=share[over]):.3f} of {share[over].sum() / share[first].sum():.3f} of all")

    parameters = {
        "fitting": {
            "recipe": "python models/recipes/ranking.py --train ../shared/train --out models/",
            "pools": [whole.pool.name for whole, _ in fitted],
            "questions": sum(len(whole.judged) for whole, _ in fitted),
            "encoder": hashlib.sha256((MODELS / "embedder.onnx").read_bytes()).hexdigest(),
        },
        "search": {"depth": DEPTH},
        "weights": {
            signal: dict(zip(TRUSTS, map(float, weights[at * len(TRUSTS) :])))
            for at, signal in enumerate(SIGNALS)
        },
        "calibration": dict(zip(CALIBRATION, map(float, calibration))),
        "thresholds": thresholds,
    }
    print("\n" + json.dumps(parameters["thresholds"]))
    data = json.dumps(parameters, indent=2) + "\n"
    artefact = manifest.Artefact(
        name="ranking.parameters", file="ranking.json",
        shape=f"{len(SIGNALS)} signals x {len(TRUSTS)} trusts, {len(CALIBRATION)} for the calibration",
        licence="CC-BY-SA-4.0", source="fitted by the recipe on the pools that the file names",
        original="question and passage data, named in models/data.toml",
        recipe=parameters["fitting"]["recipe"], card="ranking.md", data=DATA,
    )  # fmt: skip
    manifest.write(given.out, artefact, data.encode())
    ranking_golden.write(embedder, weights, calibration)


if __name__ == "__main__":
    main()

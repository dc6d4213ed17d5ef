"""Fits how the daemon ranks passages, and how sure it is of the first.

    python models/recipes/ranking.py --train ../shared/train --out models/

Writes ranking.json with its entry in manifest.toml, and the golden example that
holds the daemon to the same arithmetic. Nothing here reads an evaluation set.

The order before reading: a conditional logit over the candidates of a question, the signals
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import manifest
import ranking_alone
import ranking_golden
import ranking_reading
from glossary import Glossary, glossed
from letters import in_latin
from lexicon import Lexicon
from ranking_evidence import MODELS, Collection, Embedder, prompt_passage, prompt_query, query_trigrams
from ranking_pools import Pool, pools
from ranking_reading import READINGS, Reader, read_first
from ranking_signals import CALIBRATION, SIGNALS, TRUSTS, Evidence, Judged, Texts, judge, standings
from ranking_spelling import spelt

DEPTH = 50
SEED = 2
# How often the first passage must be right from a threshold on. The fitted pools
# know one right passage for most questions and count the others that answer too
# as wrong; in the pools that are looked at only, the same thresholds are right
# about eight times in a hundred more often (the table that is printed).
SURE, FOUND = 0.87, 0.80
# Whatever the share: a passage that is likelier wrong than right is no answer, and
# nobody is sure of one that is wrong in one of four cases.
LEAST_SURE, LEAST_FOUND = 0.75, 0.5
# From this share of the least chance of an answer on, the asker is asked back.
ASK = 0.6
# The best is not clear when the next topic is within this share of it.
LEAD = 1 / 3
# How many of a question's first candidates the calibration looks at.
LOOKED_AT = 5
# One question in three has no answer in the pool.
UNANSWERABLE = 0.5
# How many of a question's first candidates are read, and of how many questions a pool.
READ = 8
READ_QUESTIONS = 80
# The sources of the pools that are fitted (`ranking_pools.py`), as data.toml names them.
DATA = (
    "tydiqa", "afriqa", "squad", "piaf", "amqa", "squad-pt", "faquad", "pira",
    "boolq", "belebele", "medquad", "pubmedqa", "tico19", "ntrex",
)  # fmt: skip


class Examples:
    """The questions of one pool with what is known of their candidates, padded to arrays."""

    def __init__(self, pool: Pool, judged: list[Judged] | list[ranking_reading.Read], relevant: list[set[int]], signals: int) -> None:
        self.pool, self.judged, self.relevant = pool, judged, relevant
        most = max(len(j.candidates) for j in judged)
        self.features = np.zeros((len(judged), most, signals * len(TRUSTS)), np.float32)
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
    for asked, relevant, vector in zip(pool.asked, pool.relevant, vectors):
        hits = (
            collection.full_text("word", asked),
            collection.full_text("trigram", query_trigrams(asked)),
            collection.dense(vector),
        )
        frequencies = [collection.frequency(word) for word in asked]
        for kept, into in ((lambda i: True, whole), (lambda i: i not in relevant, without)):
            sides = ([hit for hit in side if kept(hit[0])][:DEPTH] for side in hits)
            into.append(judge(Evidence(asked, *sides, frequencies, len(pool.passages)), texts))
    n = len(SIGNALS)
    return Examples(pool, whole, pool.relevant, n), Examples(pool, without, [set()] * len(without), n)


def fit_weights(fitted: list[Examples], ridge: float = 1e-3, steps: int = 40) -> np.ndarray:
    """The weights that make the answering passages most likely."""
    size = fitted[0].features.shape[-1]
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


def outcomes(e: Examples, weights: np.ndarray, standings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


@dataclass(frozen=True)
class Stage:
    """An order with its probabilities, before or after reading."""

    weights: np.ndarray
    calibration: np.ndarray
    standings: Callable

    def gathered(self, pairs: list[tuple[Examples, Examples]]):
        """The outcomes of pools with and without their answers: chance, right, first, share."""
        x, right, first, share = outcomes_of(pairs, self.weights, self.standings)
        return logistic(x @ self.calibration), right, first, share


def outcomes_of(pairs: list[tuple[Examples, Examples]], weights: np.ndarray, standings):
    parts, shares = [], []
    for pair in pairs:
        for e, times in zip(pair, (1.0, UNANSWERABLE)):
            parts.append(outcomes(e, weights, standings))
            shares.append(np.full(len(parts[-1][0]), times / len(e.judged)))
    x, right, first = (np.concatenate(columns) for columns in zip(*parts))
    return x, right, first, np.concatenate(shares)


def fit(pairs: list[tuple[Examples, Examples]], standings) -> Stage:
    """The order of the pools' candidates, and how likely each answers."""
    fitted = [pair for pair in pairs if not pair[0].pool.held_out]
    weights = fit_weights([whole for whole, _ in fitted]).round(4)
    x, right, _, share = outcomes_of(fitted, weights, standings)
    return Stage(weights, fit_logistic(x, right, share).round(4), standings)


def read(reader: Reader, stage: Stage, pair: tuple[Examples, Examples]) -> tuple[Examples, Examples]:
    """Some questions of a pool, their first candidates read."""
    pool = pair[0].pool
    texts = list(zip(pool.headings, pool.passages))
    some = range(0, len(pool.questions), max(1, -(-len(pool.questions) // READ_QUESTIONS)))
    scores = [[e.judged[at].features() @ stage.weights for at in some] for e in pair]
    orders = [[np.argsort(-s, kind="stable")[:READ] for s in of] for of in scores]
    reader.read_ahead([
        (pool.questions[at], *texts[e.judged[at].candidates[i]])
        for e, of in zip(pair, orders) for at, order in zip(some, of) for i in order
    ])  # fmt: skip
    done = []
    for e, its_scores, its_orders in zip(pair, scores, orders):
        found = []
        for at, s, order in zip(some, its_scores, its_orders):
            chances = logistic(standings(e.judged[at], s, order, len(order)) @ stage.calibration)
            found.append(read_first(reader, pool.questions[at], texts, e.judged[at], order, s, chances))
        done.append(Examples(pool, found, [e.relevant[at] for at in some], len(READINGS)))
    return tuple(done)


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


def fit_alone(reader: Reader, folder: Path) -> dict[str, float]:
    """What speaks for a passage that was given by itself; says how well it tells."""
    x, right, share = ranking_alone.readings(reader, folder)
    weights = fit_logistic(x, right, share).round(4)
    odds = x @ weights
    print(f"\nby itself: {len(x)} pairs, {100 * share[(odds >= 0) == right].sum():.1f} % told rightly, AUROC {auroc(odds, right):.3f}")
    return dict(zip(ranking_alone.READINGS, map(float, weights)))


def auroc(scores: np.ndarray, right: np.ndarray) -> float:
    """How often a right one has the higher score than a wrong one."""
    rights, wrongs = scores[right == 1], scores[right == 0]
    return float((rights[:, None] > wrongs).mean() + (rights[:, None] == wrongs).mean() / 2)


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
    lexicon = Lexicon.read((MODELS / "lexicon.bin").read_bytes())
    glossary = Glossary((MODELS / "glossary.bin").read_bytes())
    chosen = [in_latin(glossed(spelt(p, lexicon), glossary)) for p in chosen]
    examined = []
    for p in chosen:
        examined.append(examine(p, embedder))
        print(f"{p.name}: {len(p.questions)} questions, {len(p.passages)} passages", flush=True)
    examined = [pair for pair in examined if pair[0].judged]
    before = fit(examined, standings)
    reader = Reader(embedder)
    done = []
    for pair in examined:
        done.append(read(reader, before, pair))
        print(f"{pair[0].pool.name}: read", flush=True)
    after = fit(done, ranking_reading.standings)

    for (whole, _), (seen, _) in zip(examined, done):
        singly = "  ".join(f"{name} {100 * whole.hits_at_1(only(name)):5.1f}" for name in ("words", "trigrams", "cosine"))
        note = "looked at only" if whole.pool.held_out else ""
        unread = np.zeros_like(after.weights)
        unread[0] = 1
        print(
            f"{whole.pool.name:22} {singly}  together {100 * whole.hits_at_1(before.weights):5.1f}  of those read "
            f"{100 * seen.hits_at_1(unread):5.1f}, read {100 * seen.hits_at_1(after.weights):5.1f}  {note}"
        )

    fitted = [pair for pair in done if not pair[0].pool.held_out]
    chance, right, first, share = after.gathered(fitted)
    top = chance[first], right[first], share[first]
    found = max(threshold(*top, FOUND), LEAST_FOUND)
    thresholds = {
        "sure": max(threshold(*top, SURE), LEAST_SURE),
        "found": found,
        "choose": round(found * ASK, 2),
        "lead": round(found * LEAD, 2),
    }
    for name, pairs in (("fitted", fitted), ("looked at only", [p for p in done if p[0].pool.held_out])):
        if not pairs:
            continue
        chance, right, first, share = after.gathered(pairs)
        print(f"\n{name}: how likely the first passage is said to answer, and how often it does")
        for low in np.arange(0, 1, 0.1):
            within = first & (chance >= low) & (chance < low + 0.1)
            if within.any():
                said = np.average(chance[within], weights=share[within])
                does = np.average(right[within], weights=share[within])
                print(f"  {said:.3f} {does:.3f}  of {share[within].sum() / share[first].sum():.3f} of all")

    def trusts(weights: np.ndarray, names: tuple[str, ...]) -> dict:
        rows = weights.reshape(len(names), len(TRUSTS))
        return {name: dict(zip(TRUSTS, map(float, row))) for name, row in zip(names, rows)}

    parameters = {
        "fitting": {
            "recipe": "python models/recipes/ranking.py --train ../shared/train --out models/",
            "pools": [whole.pool.name for whole, _ in fitted],
            "questions": sum(len(whole.judged) for whole, _ in examined if not whole.pool.held_out),
            "encoder": hashlib.sha256((MODELS / "embedder.onnx").read_bytes()).hexdigest(),
            "reader": reader.hash,
        },
        "search": {"depth": DEPTH},
        "weights": trusts(before.weights, SIGNALS),
        "calibration": dict(zip(CALIBRATION, map(float, before.calibration))),
        "reading": {
            "most": READ,
            "weights": trusts(after.weights, READINGS),
            "calibration": dict(zip(ranking_reading.CALIBRATION, map(float, after.calibration))),
            "alone": fit_alone(reader, given.train),
        },
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
    ranking_golden.write(embedder, before, after)


if __name__ == "__main__":
    main()

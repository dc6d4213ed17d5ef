"""What the reader says of the first candidates, computed in Python for fitting:
the formulas of `daemon/core/answer/src/rank/reading.rs`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ranking_evidence import CACHE, MODELS, Embedder, prompt_passage, prompt_query, unsigned
from ranking_signals import MOST_LEAD, Judged

# As in jibu-inference.
QUERY_TOKENS, WINDOW, LONGEST_ANSWER = 96, 256, 48
LEAST = 1e-4
READINGS = ("score", "relevance", "answered", "span")
CALIBRATION = ("intercept", "lead", "share", "relevance", "answered", "span", "before", "unknown", "agreement")


class Reader:
    """The shipped reader on the beginning of each passage; readings are kept in the cache folder."""

    def __init__(self, embedder: Embedder) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = (MODELS / "reader.onnx").read_bytes()
        self.session = onnxruntime.InferenceSession(unsigned(graph), options)
        self.embedder = embedder
        self.hash = hashlib.sha256(graph).hexdigest()
        CACHE.mkdir(parents=True, exist_ok=True)
        self.cache = sqlite3.connect(CACHE / f"{self.hash[:16]}-readings.db", isolation_level=None)
        self.cache.execute("CREATE TABLE IF NOT EXISTS reading (text BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID")

    def read(self, question: str, heading: str, text: str) -> list[float]:
        """Relevance, log-odds that it is answered, logarithm of the span's probability."""
        found = self.kept(question, heading, text)
        return found or self.keep((question, heading, text), self.run(question, heading, text))

    def read_ahead(self, asked: list[tuple[str, str, str]]) -> None:
        """Reads on all cores what is not in the cache yet."""
        missing = [key for key in dict.fromkeys(asked) if not self.kept(*key)]
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            for key, found in zip(missing, threads.map(lambda key: self.run(*key), missing)):
                self.keep(key, found)

    def kept(self, *key: str) -> list[float] | None:
        row = self.cache.execute("SELECT value FROM reading WHERE text = ?", (digest(key),)).fetchone()
        return json.loads(row[0]) if row else None

    def keep(self, key: tuple[str, str, str], found: list[float]) -> list[float]:
        self.cache.execute("INSERT OR IGNORE INTO reading VALUES (?, ?)", (digest(key), json.dumps(found)))
        return found

    def inputs(self, question: str, heading: str, text: str) -> tuple[dict[str, np.ndarray], int, list[int]]:
        """What the graph takes, where the passage begins in it, and which of its tokens are the text's own."""
        query = cut(self.embedder.tokenizer.encode(prompt_query(question)).ids, QUERY_TOKENS)
        prompt = prompt_passage(heading, text)
        encoded = self.embedder.tokenizer.encode(prompt)
        ids = query + cut(encoded.ids[1:], WINDOW - len(query))
        shares = np.zeros((len(ids), 2), np.float32)
        shares[: len(query), 0] = 1 / len(query)
        shares[len(query) :, 1] = 1 / (len(ids) - len(query))
        before = len(prompt) - len(text)
        inside = [
            at for at in range(len(ids) - len(query) - 1)
            if encoded.offsets[1 + at][0] >= before and encoded.tokens[1 + at] != "\u2581"
        ]  # fmt: skip
        return {"embeddings": self.embedder.table.of(ids), "shares": shares}, len(query), inside

    def run(self, question: str, heading: str, text: str) -> list[float]:
        inputs, begin, inside = self.inputs(question, heading, text)
        verdict, spans = self.session.run(None, inputs)
        span = best_span(spans[begin:][inside]) if inside else math.log(LEAST)
        return [float(verdict[0]), float(verdict[1]), max(span, math.log(LEAST))]


def digest(key: tuple[str, ...]) -> bytes:
    return hashlib.sha256(json.dumps(list(key)).encode()).digest()


def cut(ids: list[int], limit: int) -> list[int]:
    return ids if len(ids) <= limit else ids[: limit - 1] + ids[-1:]


def best_span(scores: np.ndarray) -> float:
    """The logarithm of the probability of the likeliest span, of scores `[tokens, 2]`."""
    logs = scores - np.log(np.exp(scores - scores.max(0)).sum(0)) - scores.max(0)
    both = np.triu(np.ones((len(logs), len(logs)), bool)) & ~np.triu(np.ones((len(logs), len(logs)), bool), LONGEST_ANSWER)
    return float(np.where(both, logs[:, :1] + logs[None, :, 1], -np.inf).max())


@dataclass(frozen=True)
class Read:
    """The first candidates of one question, read."""

    candidates: list[int]
    signals: np.ndarray
    """`[candidates, READINGS]`"""
    before: np.ndarray
    """The log-odds before reading."""
    context: np.ndarray

    def features(self) -> np.ndarray:
        return (self.signals[:, :, None] * self.context).reshape(len(self.candidates), -1)


def read_first(
    reader: Reader, question: str, texts: list[tuple[str, str]], judged: Judged,
    order: np.ndarray, scores: np.ndarray, chances: np.ndarray,
) -> Read:  # fmt: skip
    """Reads the best, which `order` lists; `chances` are their probabilities."""
    readings = [reader.read(question, *texts[judged.candidates[i]]) for i in order]
    chance = np.clip(np.minimum.accumulate(chances), LEAST, 1 - LEAST)
    return Read(
        [judged.candidates[i] for i in order],
        np.array([[scores[i], *reading] for i, reading in zip(order, readings)]).reshape(-1, len(READINGS)),
        np.log(chance / (1 - chance)), judged.context,
    )  # fmt: skip


def standings(read: Read, scores: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """What a probability is made of, for the first `count` in order, `[count, CALIBRATION]`."""
    best = scores[order[0]]
    crowd = math.log(np.exp(scores - best).sum())
    rows = []
    for at, i in enumerate(order[:count]):
        rival = order[1 if at == 0 else 0] if len(order) > 1 else None
        lead = MOST_LEAD if rival is None else np.clip(scores[i] - scores[rival], -MOST_LEAD, MOST_LEAD)
        _, relevance, answered, span = read.signals[i]
        rows.append([
            1, lead, scores[i] - best - crowd, relevance, answered, span, read.before[i],
            read.context[1], read.context[2],
        ])  # fmt: skip
    return np.array(rows)

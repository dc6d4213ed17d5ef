"""What the daemon's three searches find, computed in Python for fitting.

Tokenisers, weights and limits are those of `daemon/shell/store`, words and stop
words those of `daemon/core/answer`; embeddings come from the shipped artefacts
by ONNX Runtime and are kept in a cache folder by the hash of their text.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from table import Table

MODELS = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "jibu-embeddings"
DEPTH = 100
MOST_WORDS, MOST_TRIGRAMS = 32, 64
# `Limits` of jibu-inference.
PASSAGE_TOKENS, QUERY_TOKENS = 256, 128


class Embedder:
    """The shipped embedder, or another with its vocabulary; unit vectors `[texts, 384]`."""

    def __init__(self, graph: bytes | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = graph or (MODELS / "embedder.onnx").read_bytes()
        self.session = onnxruntime.InferenceSession(unsigned(graph), options)
        self.tokenizer = Tokenizer.from_file(str(MODELS / "tokenizer.json"))
        self.table = Table(MODELS / "embedding.q4")
        self.hash = hashlib.sha256(graph).hexdigest()[:16]

    def inputs(self, text: str) -> dict[str, np.ndarray]:
        """What the graph takes."""
        limit = QUERY_TOKENS if text.startswith("query: ") else PASSAGE_TOKENS
        ids = self.tokenizer.encode(text).ids
        if len(ids) > limit:
            ids = ids[: limit - 1] + ids[-1:]
        return {"embeddings": self.table.of(ids)}

    def one(self, text: str) -> np.ndarray:
        pooled = self.session.run(None, self.inputs(text))[0].reshape(-1)
        return pooled / np.linalg.norm(pooled)

    def all(self, texts: list[str]) -> np.ndarray:
        """The embeddings of the texts, from the cache where they stand there."""
        CACHE.mkdir(parents=True, exist_ok=True)
        cache = sqlite3.connect(CACHE / f"{self.hash}-{PASSAGE_TOKENS}.db", isolation_level=None)
        cache.execute("CREATE TABLE IF NOT EXISTS vector (text BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
        vectors = np.empty((len(texts), self.table.width), np.float32)
        for at, text in enumerate(texts):
            key = hashlib.sha256(text.encode()).digest()
            row = cache.execute("SELECT value FROM vector WHERE text = ?", (key,)).fetchone()
            if row is None:
                vectors[at] = self.one(text)
                cache.execute("INSERT OR IGNORE INTO vector VALUES (?, ?)", (key, vectors[at].tobytes()))
            else:
                vectors[at] = np.frombuffer(row[0], np.float32)
        return vectors


def unsigned(graph: bytes) -> bytes:
    """The graph with activations as uint8 around 128, for which ONNX Runtime has
    fast kernels on x86; every integer product stays the same."""
    import onnx
    from onnx import TensorProto, numpy_helper

    model = onnx.load_from_string(graph)
    model.graph.initializer.extend([
        numpy_helper.from_array(np.array(12582912 - 128, np.float32), "lifted"),
        numpy_helper.from_array(np.array(128, np.uint8), "middle"),
    ])  # fmt: skip
    for node in model.graph.node:
        if node.op_type == "Sub" and node.name.endswith(".rounded"):
            node.input[1] = "lifted"
        if node.op_type == "Cast" and node.name.endswith(".int8"):
            node.attribute[0].i = TensorProto.UINT8
        if node.op_type == "MatMulInteger":
            node.input.append("middle")
    return model.SerializeToString()


def prompt_query(text: str) -> str:
    return f"query: {text}"


def prompt_passage(heading: str, text: str) -> str:
    return f"passage: {heading}\n{text}" if heading else f"passage: {text}"


def fold(text: str) -> str:
    """Lower case, without accents on Latin letters, as `text::fold`."""
    kept, latin = [], False
    for c in unicodedata.normalize("NFD", text.lower()):
        if unicodedata.category(c).startswith("M"):
            if latin:
                continue
        else:
            latin = ord(c) < 0x250
        kept.append(c)
    return unicodedata.normalize("NFC", "".join(kept))


def words(text: str) -> list[str]:
    """Runs of letters, marks and digits, folded, as `text::words`."""
    found, run = [], []
    for c in text + " ":
        if c.isalnum() or unicodedata.category(c).startswith("M") or c in "\u200c\u200d":
            run.append(c)
        elif run:
            found.append(fold("".join(run)))
            run = []
    return found


def of_packs(pattern: str) -> dict[str, list[str]]:
    """What the daemon's source has of each of its languages."""
    folder = MODELS.parent / "daemon/core/answer/src/languages"
    texts = {path.stem: path.read_text() for path in folder.glob("*.rs")}
    return {language: found for language, text in texts.items() if (found := re.findall(pattern, text))}


STOP_WORDS = {language: set(found.replace("\\\n", " ").split()) for language, (found,) in of_packs(r'stop_words: "([^"]*)"').items()}


def query_words(text: str, language: str) -> list[str]:
    """As `Query::analyse`."""
    every = list(dict.fromkeys(words(text)))
    stop = STOP_WORDS.get(language, set())
    return ([w for w in every if w not in stop] or every)[:MOST_WORDS]


def query_trigrams(kept: list[str]) -> list[str]:
    """As `any_trigram` of jibu-store, asked with the words of the query."""
    found = list(dict.fromkeys(w[i : i + 3] for w in kept for i in range(len(w) - 2)))
    n = len(found)
    if n <= MOST_TRIGRAMS:
        return found
    return [t for i, t in enumerate(found) if i * MOST_TRIGRAMS // n != (i + 1) * MOST_TRIGRAMS // n]


class Collection:
    """Passages in FTS5 and as vectors."""

    def __init__(self, headings: list[str], texts: list[str], vectors: np.ndarray) -> None:
        self.headings, self.texts, self.vectors = headings, texts, vectors
        self.words = [words(f"{h} {t}") for h, t in zip(headings, texts)]
        self.heading_words = [set(words(h)) for h in headings]
        self.db = sqlite3.connect(":memory:")
        self.db.execute('CREATE VIRTUAL TABLE word USING fts5(heading, body, tokenize="unicode61 remove_diacritics 2")')
        self.db.execute("CREATE VIRTUAL TABLE trigram USING fts5(heading, body, tokenize='trigram case_sensitive 0')")
        self.db.executemany("INSERT INTO word(rowid, heading, body) VALUES (?,?,?)", zip(range(len(texts)), headings, texts))
        # This SQLite may be older than the trigram tokeniser's remove_diacritics.
        self.db.executemany(
            "INSERT INTO trigram(rowid, heading, body) VALUES (?,?,?)",
            zip(range(len(texts)), map(fold, headings), map(fold, texts)),
        )

    def full_text(self, table: str, terms: list[str]) -> list[tuple[int, float]]:
        query = " OR ".join(f'"{t}"' for t in terms if any(c.isalnum() for c in t))
        if not query:
            return []
        return self.db.execute(
            f"SELECT rowid, -rank FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT ?", (query, DEPTH)
        ).fetchall()

    def frequency(self, word: str) -> int:
        if not any(c.isalnum() for c in word):
            return 0
        return self.db.execute("SELECT count(*) FROM word WHERE word MATCH ?", (f'"{word}"',)).fetchone()[0]

    def dense(self, vector: np.ndarray) -> list[tuple[int, float]]:
        cosines = self.vectors @ vector
        return [(int(i), float(cosines[i])) for i in np.argsort(-cosines)[:DEPTH]]

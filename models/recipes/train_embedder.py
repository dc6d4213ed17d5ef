"""Teaches the embedder that a question lies near its answer in any language.

    python models/recipes/train_embedder.py --train ../shared/train --work WORK

Starts from the recovered multilingual-e5-small and leaves WORK/checkpoint.pt,
which `embedder.py --work` turns into the artefact. A run that was cut goes
on from the last checkpoint. Two kinds of steps alternate, both with InfoNCE
over the batch:

* questions against passages, batches made of clusters of passages that share
  words, so that the others in the batch are hard to tell apart; a share of the
  questions misspelt as SMS are;
* sentences against their English translations, both ways, as question and
  passage in turn; the languages that Jibu is for more often than others.

    … --work SECOND --further WORK

goes on from where `embedder.py` stopped between source and training. Sentences are
then drawn with the sentences around them, which are hard to tell apart, and held
against what the start made of the English ones: other languages move to where
English questions find their passages already (Reimers and Gurevych 2020,
arXiv 2004.09813).

Every seventh passage or sentence is held out (`corpus.py`).
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import corpus
import e5s1
import network
from embedder import DEFAULT_SCRIPTS
from noise import noisy
from ranking_evidence import words
from ranking_pools import topic
from tokens import Tokens
from training import Training, keep_sources, kept_sources, mixed

TEMPERATURE = 0.02
QUERY_TOKENS, PASSAGE_TOKENS, SENTENCE_TOKENS = 48, 144, 64
PAIRS, CLUSTER = 64, 8
SENTENCES = 128
# Of a further run: sentences that stand near each other, and how many are English
# themselves, so that English stays where it is.
NEIGHBOURS, ENGLISH = 8, 0.1
NOISY = 0.3

# How often a row is taken, against 1 for any other.
OFTEN = {
    **dict.fromkeys("sw swh_Latn zu zul_Latn zul ha hau_Latn hau rw kin_Latn ny nya_Latn yo yor_Latn am amh_Ethi km khm_Khmr".split(), 3.0),
    **dict.fromkeys("ti om so som_Latn sn sna_Latn xh xho_Latn ig ibo_Latn lg lug_Latn ln lin_Latn bem bem_Latn tum tum_Latn wo wol_Latn".split(), 1.5),
    **dict.fromkeys("kr nus din ff bm shi aa".split(), 0.3),
}  # fmt: skip
SOURCES = {
    "qamr": 0.05, "boolq": 0.15, "squadshifts-amazon": 0.15, "squadshifts-reddit": 0.15,
    "squadshifts-newwiki": 0.35, "policyqa": 0.2, "squad-reqa-sent": 0.3, "piaf-v1.1": 0.4,
    "squad1.1-train-part": 0.6, "tydiqa-goldp": 1.0, "afriqa-train": 1.0, "belebele": 0.6,
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    source: str
    language: str
    question: str
    passage: str


def pairs(folder: Path, scripts: frozenset[str]) -> list[Pair]:
    """Every question with a passage that answers it."""
    found = []
    for file in ("reader_train", "reader_extra", "pairs_extra"):
        for row in corpus.rows(folder, file):
            passage = row["passage"] if file == "pairs_extra" else row["context"]
            answered = file == "pairs_extra" or row["answer"]
            if not answered or len(passage) < 20 or corpus.held_out(passage):
                continue
            if corpus.readable(row["question"] + passage[:150], scripts):
                if file != "pairs_extra":
                    passage = around(passage, row["start"], row["start"] + len(row["answer"]))
                elif row["src"].startswith("medquad") and (title := topic(row["question"])) and len(passage) % 2:
                    passage = f"{title}\n{passage}"
                found.append(Pair(row["src"], row["lang"], row["question"].strip(), passage))
    return list(dict.fromkeys(found))


def around(text: str, start: int, end: int, most: int = 900) -> str:
    """The part of a long text that holds an answer, from a word's start on."""
    if end <= most:
        return text[:most]
    begin = text.find(" ", max(0, start - most // 2)) + 1
    return text[begin : begin + most]


def clusters(rng: random.Random, all_pairs: list[Pair]) -> list[list[Pair]]:
    """Groups of pairs of one source whose passages share words with one question."""
    made = []
    by_source: dict[tuple[str, str], list[Pair]] = {}
    for pair in all_pairs:
        # Questions of several languages over English passages compete with each other.
        language = "" if pair.source in ("afriqa-train", "belebele-x2en") else pair.language
        by_source.setdefault((pair.source, language), []).append(pair)
    for (source, _), group in sorted(by_source.items()):
        rng.shuffle(group)
        group = group[: int(len(group) * SOURCES.get(source, 0.8)) + 1]
        db = sqlite3.connect(":memory:")
        db.execute('CREATE VIRTUAL TABLE passage USING fts5(body, tokenize="unicode61 remove_diacritics 2")')
        db.executemany("INSERT INTO passage(rowid, body) VALUES (?, ?)", enumerate(p.passage for p in group))
        free = set(range(len(group)))
        for at, pair in enumerate(group):
            if at not in free:
                continue
            query = " OR ".join([f'"{w}"' for w in dict.fromkeys(words(pair.passage)) if len(w) > 4][:16])
            near = db.execute(
                "SELECT rowid FROM passage WHERE passage MATCH ? ORDER BY rank LIMIT 40", (query or '"x"',)
            ).fetchall()
            cluster, seen = [pair], {pair.passage}
            free.discard(at)
            for (other,) in near:
                if other in free and group[other].passage not in seen and len(cluster) < CLUSTER:
                    free.discard(other)
                    seen.add(group[other].passage)
                    cluster.append(group[other])
            made.append(cluster)
    return made


def pair_batches(rng: random.Random, folder: Path, scripts: frozenset[str], count: int) -> list[list[Pair]]:
    """Batches of clusters."""
    made = clusters(rng, pairs(folder, scripts))
    rng.shuffle(made)
    batches, batch = [], []
    for cluster in made:
        batch += cluster
        if len(batch) >= PAIRS:
            batches.append(batch[:PAIRS])
            batch = batch[PAIRS:]
    return [batches[i % len(batches)] for i in range(count)]


def sentence_batches(rng: random.Random, folder: Path, scripts: frozenset[str], count: int) -> list[list[dict]]:
    """Batches of sentence pairs, drawn by how much their language matters here."""
    kept, weights = [], []
    for file in ("bitext_train", "bitext_extra"):
        for row in corpus.rows(folder, file):
            if len(row["text"]) < 12 or corpus.held_out(row["en"]):
                continue
            if corpus.readable(row["text"], scripts):
                kept.append(row)
                # Long sentences teach more than phrases.
                weights.append(OFTEN.get(row["lang"], 1.0) * min(1.0, len(row["en"]) / 60))
    drawn = weighted(rng, weights, count * SENTENCES)
    return [[kept[i] for i in drawn[at : at + SENTENCES]] for at in range(0, len(drawn), SENTENCES)]


def neighbour_batches(rng: random.Random, folder: Path, scripts: frozenset[str], count: int) -> list[list[dict]]:
    """Batches of sentences that stand near each other in their source, each in some language."""
    by_english: dict[tuple[str, str], list[dict]] = {}
    for file in ("bitext_train", "bitext_extra"):
        for row in corpus.rows(folder, file):
            if len(row["text"]) >= 12 and not corpus.held_out(row["en"]) and corpus.readable(row["text"], scripts):
                by_english.setdefault((row["src"], row["en"]), []).append(row)
    sentences = list(by_english.values())

    def weight(row: dict) -> float:
        return OFTEN.get(row["lang"], 1.0)

    # Long sentences teach more than phrases; one in many languages is drawn more than once.
    weights = [min(1.0, len(rows[0]["en"]) / 60) * sum(map(weight, rows)) ** 0.75 for rows in sentences]
    firsts = iter(rng.choices(range(len(sentences)), weights, k=count * SENTENCES // NEIGHBOURS))
    batches = []
    for _ in range(count):
        batch = []
        for first in (next(firsts) for _ in range(SENTENCES // NEIGHBOURS)):
            source = sentences[first][0]["src"]
            near = range(max(0, first - 2 * NEIGHBOURS), min(len(sentences), first + 2 * NEIGHBOURS))
            near = [at for at in near if at != first and sentences[at][0]["src"] == source]
            for at in [first, *rng.sample(near, min(len(near), NEIGHBOURS - 1))]:
                (row,) = rng.choices(sentences[at], [weight(row) for row in sentences[at]])
                batch.append(row | {"text": row["en"]} if rng.random() < ENGLISH else row)
        batches.append(batch)
    return batches


def weighted(rng: random.Random, weights: list[float], count: int) -> list[int]:
    """Positions drawn without repetition, likelier ones first in line."""
    keys = np.random.default_rng(rng.randrange(1 << 32)).random(len(weights)) ** (1 / np.array(weights))
    order = np.argsort(-keys)[:count]
    shuffled = order.tolist()
    rng.shuffle(shuffled)
    return shuffled


def contrast(a: torch.Tensor, b: torch.Tensor, same: torch.Tensor) -> tuple[torch.Tensor, float]:
    """InfoNCE of each row of `a` with its own of `b`; `same` marks other right ones."""
    scores = a @ b.T / TEMPERATURE
    scores = scores.masked_fill(same, -1e4)
    wanted = torch.arange(len(a))
    return F.cross_entropy(scores, wanted), (scores.argmax(1) == wanted).float().mean().item()


def embedded(model: network.Encoder, tokens: Tokens, texts: list[str], limit: int) -> torch.Tensor:
    """Unit vectors; texts of like length are run together to spare padding."""
    ids = tokens.cut(texts, limit)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    half = len(order) // 2
    parts = []
    for part in (order[:half], order[half:]):
        vectors, there = tokens.embedded([ids[i] for i in part])
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(network.mean(model(vectors, there), there))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(parts)[back]


def repeated(texts: list[str]) -> torch.Tensor:
    """Where another row has the same text."""
    equal = np.array(texts)[:, None] == np.array(texts)[None]
    np.fill_diagonal(equal, False)
    return torch.tensor(equal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--models", type=Path, default=Path(__file__).parent.parent, help="the shipped vocabulary")
    parser.add_argument("--work", type=Path, required=True, help="the folder of checkpoints")
    parser.add_argument("--further", type=Path, help="the folder of a first run, to go on from its weights")
    parser.add_argument("--share", type=float, default=0.6, help="how far from the source's weights to the first run's a further one starts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3, help="another for a further run, which else shows the same questions (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument("--rate", type=float, default=8e-5, help="(default: %(default)s)")
    parser.add_argument("--layers", default=",".join(map(str, range(12))), help="layers of the source to start from")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)

    scripts = frozenset(DEFAULT_SCRIPTS.split(","))
    abbreviations = json.loads((given.train / "sms_abbreviations.json").read_text())
    rng = random.Random(given.seed)
    questions = pair_batches(rng, given.train, scripts, given.steps // 2 + 1)
    drawn = neighbour_batches if given.further else sentence_batches
    sentences = drawn(rng, given.train, scripts, given.steps // 2 + 1)
    print(f"{sum(map(len, questions))} question pairs, {sum(map(len, sentences))} sentence pairs", flush=True)

    before = kept_sources(given.further) if given.further else set()
    shown = {p.source for b in questions for p in b} | {row["src"] for b in sentences for row in b}
    keep_sources(given.work, before | shown)

    tokens = Tokens(given.models)
    source = e5s1.download()
    if given.further:
        model = mixed(source, given.further, given.share)
        teacher = mixed(source, given.further, given.share)
    else:
        model = network.Encoder(source, [int(n) for n in given.layers.split(",")])
        teacher = None
    training = Training(model, given.work, given.rate, given.steps)

    def embed(texts: list[str], limit: int) -> torch.Tensor:
        return embedded(model, tokens, texts, limit)

    def english_sides(texts: list[str]) -> torch.Tensor:
        if not teacher:
            return embed(texts, SENTENCE_TOKENS)
        with torch.no_grad():
            return embedded(teacher, tokens, texts, SENTENCE_TOKENS)

    while training.step < given.steps:
        step = training.step
        dice = random.Random(f"{given.seed} {step}")
        if step % 2 == 0:
            batch = questions[step // 2]
            asked = [
                noisy(dice, p.question, abbreviations, dice.uniform(0.1, 0.5)) if dice.random() < NOISY else p.question
                for p in batch
            ]  # fmt: skip
            q = embed([f"query: {text}" for text in asked], QUERY_TOKENS)
            p = embed([f"passage: {pair.passage}" for pair in batch], PASSAGE_TOKENS)
            loss, right = contrast(q, p, repeated([pair.passage for pair in batch]))
            training.apply(loss, questions=loss.item(), question_accuracy=right)
        else:
            batch = sentences[step // 2]
            own, english = zip(*((prompts(dice, row)) for row in batch))
            a, b = embed(list(own), SENTENCE_TOKENS), english_sides(list(english))
            same = repeated([row["en"] for row in batch])
            there, right = contrast(a, b, same)
            back, _ = contrast(b, a, same)
            training.apply((there + back) / 2, sentences=there.item(), sentence_accuracy=right)


def prompts(dice: random.Random, row: dict) -> tuple[str, str]:
    """A sentence and its translation as question and passage, one way or the other."""
    kind = dice.random()
    if kind < 0.6:
        return f"query: {row['text']}", f"passage: {row['en']}"
    if kind < 0.85:
        return f"passage: {row['text']}", f"query: {row['en']}"
    return f"query: {row['text']}", f"query: {row['en']}"


if __name__ == "__main__":
    main()

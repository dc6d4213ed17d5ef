"""Teaches a smaller embedder to give a larger one's vectors.

    python models/recipes/distil_embedder.py --train ../shared/train --teacher WORK --work SMALL

The student starts from some layers of the teacher (`--layers`, Sanh et al. 2019,
arXiv 1910.01108) and learns the teacher's unit vectors of questions, passages,
sentences and translations, misspelt ones included, by their cosine. Leaves
SMALL/checkpoint.pt, which `curve.py` measures. No student is shipped.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from torch import nn

import e5s1
import network
from embedder import DEFAULT_SCRIPTS
from noise import noisy
from tokens import Tokens
from train_embedder import NOISY, PASSAGE_TOKENS, embedded, pair_batches, sentence_batches
from training import Training, keep_sources, mixed

SEED = 11
TEXTS = 96


def texts(rng: random.Random, folder: Path, count: int) -> tuple[list[str], set[str]]:
    """Texts with their prompts, and the sources that they come from."""
    scripts = frozenset(DEFAULT_SCRIPTS.split(","))
    abbreviations = json.loads((folder / "sms_abbreviations.json").read_text())
    pairs = [p for batch in pair_batches(rng, folder, scripts, count // 250 + 1) for p in batch]
    rows = [r for batch in sentence_batches(rng, folder, scripts, count // 500 + 1) for r in batch]
    found = []
    for p in pairs:
        asked = noisy(rng, p.question, abbreviations, 0.3) if rng.random() < NOISY else p.question
        found += [f"query: {asked}", f"passage: {p.passage}"]
    for row in rows:
        found += [f"query: {row['text']}", f"passage: {row['en']}"]
    rng.shuffle(found)
    return found[:count], {p.source for p in pairs} | {row["src"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--models", type=Path, default=Path(__file__).parent.parent, help="the shipped vocabulary")
    parser.add_argument("--teacher", type=Path, required=True, help="the embedder's folder of checkpoints")
    parser.add_argument("--share", type=float, default=0.6, help="as embedder.py takes it (default: %(default)s)")
    parser.add_argument("--work", type=Path, required=True, help="the folder of checkpoints")
    parser.add_argument("--layers", default="0,2,4,6,8,11", help="layers of the teacher to start from (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--rate", type=float, default=2e-4, help="(default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(SEED)

    taught, sources = texts(random.Random(SEED), given.train, given.steps * TEXTS)
    keep_sources(given.work, sources)
    tokens = Tokens(given.models)
    teacher = mixed(e5s1.download(), given.teacher, given.share)
    student = network.Encoder(e5s1.download(), [])
    student.load_state_dict({n: w for n, w in teacher.state_dict().items() if not n.startswith("layers.")})
    student.layers = nn.ModuleList(teacher.layers[int(n)] for n in given.layers.split(","))
    teacher = mixed(e5s1.download(), given.teacher, given.share)
    training = Training(student, given.work, given.rate, given.steps)
    while training.step < given.steps:
        at = training.step * TEXTS % len(taught)
        batch = taught[at : at + TEXTS]
        with torch.no_grad():
            wanted = embedded(teacher, tokens, batch, PASSAGE_TOKENS)
        cosine = (embedded(student, tokens, batch, PASSAGE_TOKENS) * wanted).sum(1).mean()
        training.apply(1 - cosine, cosine=cosine.item())


if __name__ == "__main__":
    main()

"""How well embedders find passages, against the time that they take.

    python models/recipes/curve.py --train ../shared/train WORK SMALL …

For each folder of checkpoints: the graph as the daemon has it (int8), run by ONNX
Runtime on one thread; the share of questions of held-out pools whose passage has
the highest cosine, and the median time of a passage. A line for the original
comes first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

import e5s1
import encoder
import network
from ranking_evidence import Embedder, prompt_passage, prompt_query
from ranking_pools import Pool, pools
from training import mixed, trained

POOLS = ("en-squad", "sw-tydi", "x-en-afriqa", "en-medical", "x-en-sentences")
QUESTIONS = 150


def hit(embedder: Embedder, pool: Pool) -> tuple[float, list[float]]:
    """The share found first in %, and milliseconds for each passage."""
    passages, times = [], []
    for heading, text in zip(pool.headings, pool.passages):
        begun = time.perf_counter()
        passages.append(embedder.one(prompt_passage(heading, text)))
        times.append(1000 * (time.perf_counter() - begun))
    asked = pool.questions[:QUESTIONS]
    vectors = np.array([embedder.one(prompt_query(q)) for q in asked])
    first = (vectors @ np.array(passages).T).argmax(1)
    return 100 * sum(int(f) in r for f, r in zip(first, pool.relevant)) / len(asked), times


def graph(folder: Path | None, share: float) -> tuple[int, bytes]:
    """The layers and the ONNX graph of a training; of the original where there is none."""
    source = e5s1.download()
    if not folder:
        weights = encoder.weights(source)
    elif (layers := number(folder)) == source.layers:
        weights = network.exported(mixed(source, folder, share))
    else:
        student = network.Encoder(source, list(range(layers)))
        student.load_state_dict(trained(folder))
        weights = network.exported(student)
    return len(weights.layers), encoder.embedder(source, weights)


def number(folder: Path) -> int:
    return 1 + max(int(name.split(".")[1]) for name in trained(folder) if name.startswith("layers."))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--share", type=float, default=0.6, help="as embedder.py takes it (default: %(default)s)")
    parser.add_argument("work", type=Path, nargs="*", help="folders of checkpoints")
    given = parser.parse_args()
    chosen = [p for p in pools(given.train) if p.name in POOLS]
    print(f"| embedder | layers | MB | ms a passage | {' | '.join(p.name for p in chosen)} |\n|---|---|---|---|{'---|' * len(chosen)}")
    for folder in (None, *given.work):
        layers, made = graph(folder, given.share)
        results = [hit(Embedder(made), pool) for pool in chosen]
        spent = statistics.median(t for _, times in results for t in times)
        cells = " | ".join(f"{found:.1f}" for found, _ in results)
        print(f"| {folder.name if folder else 'the original'} | {layers} | {len(made) / 1e6:.1f} | {spent:.1f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

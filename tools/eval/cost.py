#!/usr/bin/env python3
"""What one question costs on one core, beside ONNX Runtime on the same graphs.

    python tools/eval/cost.py [--questions 40] [--passages 5000]

jibu-eval asks questions of a collection through the daemon's library, one
thread, eight candidates read; then ONNX Runtime, one thread, runs embedder and
reader on the same questions and the same eight passages, token ids and word
vectors made beforehand. Prints the median milliseconds of each, and their ratio.
The collection is made of the sets in ../shared/eval, one after the other.
Wants a built jibu-eval and models/recipes/requirements.txt.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from check import ROOT, SEED, SETS, missing, write

sys.path.insert(0, str(ROOT / "models" / "recipes"))
# The set that the questions come from is the first.
COLLECTION = ("squad-dev", "medquad", "tydiqa-sw")
READ = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--passages", type=int, default=5000)
    parser.add_argument("--binary", type=Path, help="jibu-eval (default: the one that cargo built)")
    given = parser.parse_args()
    if status := missing(given):
        return status
    passages = [json.loads(line) for name in COLLECTION for line in gzip.open(SETS / name / "corpus.jsonl.gz", "rt")]
    passages = passages[: given.passages]
    with (SETS / COLLECTION[0] / "queries.jsonl").open() as lines:
        asked = random.Random(SEED).sample([json.loads(line) for line in lines], given.questions)
    with tempfile.TemporaryDirectory() as folder:
        ours, found = jibu(given.binary, Path(folder), passages, asked)
    texts = {p["_id"]: (p.get("title", ""), p["text"]) for p in passages}
    peer = onnx_runtime([(q["text"], [texts[i] for i in found[q["_id"]]]) for q in asked])
    print(f"{len(passages):,} passages, {len(asked)} questions, {READ} candidates read, one thread; median ms:")
    for step in sorted(ours[0]):
        print(f"  {step:10} {statistics.median(times[step] for times in ours):8.1f}")
    whole = statistics.median(sum(times.values()) for times in ours)
    theirs = statistics.median(peer)
    print(f"jibu, all steps          {whole:8.1f}\nONNX Runtime, graphs     {theirs:8.1f}\nratio                    {whole / theirs:8.2f}")
    return 0


def jibu(binary: Path, folder: Path, passages: list[dict], asked: list[dict]) -> tuple[list[dict], dict[str, list[str]]]:
    """Milliseconds by step for each question, and the passages that were read."""
    corpus, queries, run, timings = (folder / name for name in ("corpus.jsonl", "queries.jsonl", "run", "timings.jsonl"))
    write(corpus, passages)
    write(queries, asked)
    command = [
        binary, "retrieval", "--corpus", corpus, "--queries", queries, "--run", run, "--mode", "full",
        "-k", str(READ), "--timings", timings, "--models", ROOT / "models", "--threads",
    ]  # fmt: skip
    # The passages are embedded on all cores, beforehand.
    for threads in (os.cpu_count(), 1):
        subprocess.run([*command, str(threads)], check=True, stderr=subprocess.DEVNULL)
    found: dict[str, list[str]] = {}
    for line in run.read_text().splitlines():
        question, _, passage, *_ = line.split()
        found.setdefault(question, []).append(passage)
    return [json.loads(line) for line in timings.read_text().splitlines()], found


def onnx_runtime(asked: list[tuple[str, list[tuple[str, str]]]]) -> list[float]:
    """Milliseconds of the graphs alone for each question."""
    from ranking_evidence import Embedder, prompt_query
    from ranking_reading import Reader

    embedder = Embedder()
    reader = Reader(embedder)
    times = []
    for question, passages in asked:
        graphs = [(embedder.session, embedder.inputs(prompt_query(question)))]
        graphs += [(reader.session, reader.inputs(question, *passage)[0]) for passage in passages]
        begun = time.perf_counter()
        for session, inputs in graphs:
            session.run(None, inputs)
        times.append(1000 * (time.perf_counter() - begun))
    return times


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Scores `jibu-eval retrieval` with ir-measures.

    python tools/eval/check.py --slices    small slices, with floors; a few minutes
    python tools/eval/check.py --all       the table of models/README.md; hours
    python tools/eval/check.py --all --sets squad-dev,medquad --limit 500

The sets are read from ../shared/eval beside the checkout; where they are
missing, nothing is checked and the exit status is 77. Wants ir-measures 0.4.3
(PyPI) and a built jibu-eval (`cargo build -p jibu-eval`).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import groups

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT.parent / "shared" / "eval"
SKIPPED = 77

# Every tenth question over its own passages and as many others as it takes.
# Set, passages, and the least hit@1 in % (what was measured when the floor was
# set, less four: a slice has 80 to 200 questions).
SLICES = [
    ("squad-dev", 400, 89.0),
    ("xquad-es-en", 240, 86.0),
    ("xquad-en", 240, 93.0),
    ("afriqa-zul-en", 240, 72.0),
]
EVERY = 10
# Taken whole: every question with several groups must have one of each in the
# top ten.
GROUPED = ["govstack"]

# The least hit@1 in %, and BM25's on every set.
FLOORS = {"squad-dev": 84.0, "medquad": 60.0, "tydiqa-sw": 77.0, "xquad-es-en": 83.0, "afriqa-hau-en": 66.0, "afriqa-zul-en": 64.0}
MODES = ("words", "trigrams", "dense", "hybrid", "full")
# What the daemon does.
DAEMON = "full"
SEED = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--slices", action="store_true", help="small slices against their floors")
    what.add_argument("--all", action="store_true", help="all sets, as a table")
    parser.add_argument("--sets", help="with --all: a comma-separated choice of sets")
    parser.add_argument("--modes", default=",".join(MODES), help="with --all: a comma-separated choice of modes")
    parser.add_argument("--limit", type=int, help="with --all: at most so many questions a set, drawn with a seed")
    parser.add_argument("--runs", type=Path, help="with --all: a folder to keep the runs in; those that are there are not made again")
    parser.add_argument("--binary", type=Path, help="jibu-eval (default: the one that cargo built)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    if status := missing(given):
        return status
    return slices(given) if given.slices else everything(given)


def slices(given: argparse.Namespace) -> int:
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, passages, floor in SLICES:
            made = Path(folder) / name
            qrels = cut(SETS / name, made, passages)
            evaluate(given, made / "corpus.jsonl", made / "queries.jsonl", made / "run", "full")
            first, ten = score(qrels, made / "run")
            missed = first < floor
            failed |= missed
            print(f"{name:14} {len(qrels):4} questions  hit@1 {first:5.1f}  hit@10 {ten:5.1f}  floor {floor:5.1f}  {'MISSED' if missed else 'ok'}", flush=True)
        for name in GROUPED:
            run = Path(folder) / f"{name}.run"
            evaluate(given, SETS / name / "corpus.jsonl.gz", SETS / name / "queries.jsonl", run, "full")
            failed |= not grouped(SETS / name / "groups-queries.jsonl", run)
    return 1 if failed else 0


def grouped(judged: Path, run: Path) -> bool:
    """Whether the questions with several groups pass; says how many."""
    several, _ = groups.passed(groups.places(judged, run))
    passed = several[0] == several[1]
    print(f"{run.stem:14} {groups.said(several)} questions with several groups have all in the top {groups.DEPTH}  {'ok' if passed else 'MISSED'}", flush=True)
    return passed


def cut(source: Path, made: Path, passages: int) -> dict[str, dict[str, int]]:
    """A small set out of a large one; gives its judgements."""
    made.mkdir()
    judged = judgements(source / "qrels-queries.tsv")
    asked = [json.loads(line) for line in (source / "queries.jsonl").open()]
    asked = [q for q in asked if q["_id"] in judged][::EVERY]
    needed = {document for q in asked for document in judged[q["_id"]]}
    with gzip.open(source / "corpus.jsonl.gz", "rt") as lines:
        documents = [json.loads(line) for line in lines]
    others = [d["_id"] for d in documents if d["_id"] not in needed]
    kept = needed | set(others[: max(0, passages - len(needed))])
    write(made / "corpus.jsonl", [d for d in documents if d["_id"] in kept])
    write(made / "queries.jsonl", asked)
    return {q["_id"]: judged[q["_id"]] for q in asked}


def everything(given: argparse.Namespace) -> int:
    failed = False
    with_groups = []
    languages = []
    modes = given.modes.split(",")
    names = given.sets.split(",") if given.sets else sorted(p.name for p in SETS.iterdir() if p.is_dir())
    print("| set | questions | " + " | ".join(modes) + " |\n|---|---|" + "---|" * len(modes))
    with tempfile.TemporaryDirectory() as folder:
        runs = given.runs or Path(folder)
        runs.mkdir(parents=True, exist_ok=True)
        for name in names:
            for whole in sorted((SETS / name).glob("queries*.jsonl")):
                qrels = judgements(SETS / name / f"qrels-{whole.stem}.tsv")
                asked = [json.loads(line) for line in whole.open()]
                queries = whole
                if given.limit and given.limit < len(asked):
                    asked = random.Random(SEED).sample(asked, given.limit)
                    qrels = {q["_id"]: qrels[q["_id"]] for q in asked if q["_id"] in qrels}
                    queries = runs / f"{name}-{whole.name}"
                    write(queries, asked)
                scores = {}
                for mode in modes:
                    run = runs / f"{name}-{whole.stem}-{mode}.run"
                    if not run.exists():
                        evaluate(given, SETS / name / "corpus.jsonl.gz", queries, run, mode)
                    scores[mode] = score(qrels, run)
                label = name + whole.stem.removeprefix("queries").replace("_", " ")
                missed = False
                if DAEMON in scores:
                    first = scores[DAEMON][0]
                    missed = first < max(scores[m][0] for m in ("words", "trigrams", DAEMON) if m in scores)
                    missed |= whole.stem == "queries" and first < FLOORS.get(name, 0.0)
                    failed |= missed
                    languages += by_language(label, asked, qrels, run)
                    judged = SETS / name / f"groups-{whole.stem}.jsonl"
                    if judged.exists():
                        with_groups.append((judged, run))
                cells = " | ".join(f"{a:.1f} / {b:.1f}" for a, b in scores.values())
                print(f"| {label} | {len(qrels):,} | {cells} |{' MISSED' if missed else ''}", flush=True)
        for judged, run in with_groups:
            failed |= not grouped(judged, run)
    if languages:
        print("\n| set, by language | questions | " + DAEMON + " |\n|---|---|---|")
        print("\n".join(languages))
    return 1 if failed else 0


def by_language(label: str, asked: list[dict], qrels: dict[str, dict[str, int]], run: Path) -> list[str]:
    """A row for each language of a set that has several."""
    of: dict[str, dict[str, dict[str, int]]] = {}
    for q in asked:
        if q["_id"] in qrels:
            of.setdefault(q["lang"], {})[q["_id"]] = qrels[q["_id"]]
    if len(of) < 2:
        return []
    scores = {language: score(judged, run) for language, judged in of.items()}
    return [f"| {label} {language} | {len(of[language]):,} | {a:.1f} / {b:.1f} |" for language, (a, b) in sorted(scores.items())]


def evaluate(given: argparse.Namespace, corpus: Path, queries: Path, run: Path, mode: str) -> None:
    partial = run.with_suffix(".partial")
    command = [
        given.binary, "retrieval", "--corpus", corpus, "--queries", queries, "--run", partial,
        "--mode", mode, "--models", ROOT / "models", "--threads", str(given.threads),
    ]  # fmt: skip
    subprocess.run(command, check=True, stderr=None if given.all else subprocess.DEVNULL)
    partial.rename(run)


def score(qrels: dict[str, dict[str, int]], run: Path) -> tuple[float, float]:
    """hit@1 and hit@10 in %."""
    import ir_measures
    from ir_measures import Success

    found = ir_measures.calc_aggregate([Success @ 1, Success @ 10], qrels, ir_measures.read_trec_run(str(run)))
    return 100 * found[Success @ 1], 100 * found[Success @ 10]


def judgements(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for line in path.read_text().splitlines()[1:]:
        question, document, relevance = line.split("\t")
        judged.setdefault(question, {})[document] = int(relevance)
    return judged


def write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def missing(given: argparse.Namespace) -> int:
    """The exit status where the sets or jibu-eval are not there, else 0."""
    if not SETS.is_dir():
        print(f"skipped: {SETS} is not there")
        return SKIPPED
    given.binary = given.binary or built()
    if not given.binary.exists():
        print(f"{given.binary} is not there: run `cargo build --workspace --all-targets` first", file=sys.stderr)
        return 1
    return 0


def built() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "jibu-eval"


if __name__ == "__main__":
    sys.exit(main())

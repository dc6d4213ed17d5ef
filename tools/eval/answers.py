#!/usr/bin/env python3
"""Scores `jibu-eval answers` with SQuAD's scorer.

    python tools/eval/answers.py --slices    small slices, with floors; a minute or two
    python tools/eval/answers.py --all       the table of models/README.md; long
    python tools/eval/answers.py --all --sets tydiqa-sw,xquad-es --limit 100

Each question is asked about its gold passage. The table has, in %:

    EM, F1         of the answerable questions, with an answer to each of them
    silent         how many of the answerable ones it would rather not answer
    F1, silent     of all questions, when it then says nothing
    AUROC          0 to 1, of the probability that there is an answer

EM and F1 are those of the SQuAD 2.0 scorer in transformers (PyPI): of several
gold answers the best counts; case, ASCII punctuation and English articles do
not, in any language. AUROC is scikit-learn's. The sets are read from
../shared/eval beside the checkout; where they are missing, nothing is checked
and the exit status is 77. Wants tools/eval/requirements.txt and a built
jibu-eval (`cargo build --workspace`).
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
from dataclasses import dataclass
from pathlib import Path

from check import EVERY, ROOT, SETS, judgements, missing

# Every tenth question of a set, and the least that it may reach: what
# `--slices` gave when the floor was set, less 4 (AUROC less 0.04), because a
# slice has 50 to 300 questions.
SLICES = {
    "squad-dev": {"F1": 60.0, "AUROC": 0.62},
    "tydiqa-sw": {"F1": 67.0},
    "xquad-es-en": {"F1": 46.0},
}
COLUMNS = ("EM", "F1", "silent", "F1, silent", "AUROC")
# Its questions have several gold passages, and most have no gold answer.
LEFT_OUT = {"govstack"}
SEED = 7
# What jibu-eval abstains from without --always.
UNSURE = 0.5


@dataclass
class Asked:
    """A question about a passage; without answers where that has none."""

    id: str
    question: str
    answers: list[str]
    passage: dict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--slices", action="store_true", help="small slices against their floors")
    what.add_argument("--all", action="store_true", help="all sets, as a table")
    parser.add_argument("--sets", help="with --all: a comma-separated choice of sets")
    parser.add_argument("--limit", type=int, help="with --all: at most so many questions a set, drawn with a seed")
    parser.add_argument("--keep", type=Path, help="a folder to keep the questions and the predictions in")
    parser.add_argument("--binary", type=Path, help="jibu-eval (default: the one that cargo built)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    if status := missing(given):
        return status
    with tempfile.TemporaryDirectory() as folder:
        given.keep = given.keep or Path(folder)
        given.keep.mkdir(parents=True, exist_ok=True)
        return slices(given) if given.slices else everything(given)


def slices(given: argparse.Namespace) -> int:
    failed = False
    for name, floors in SLICES.items():
        some = asked(SETS / name)[::EVERY]
        scores = measure(given, name, some)
        missed = any(scores[column] < least for column, least in floors.items())
        failed |= missed
        cells = "  ".join(f"{column} {shown(column, scores[column])} floor {shown(column, least)}" for column, least in floors.items())
        print(f"{name:14} {len(some):4} questions  {cells}  {'MISSED' if missed else 'ok'}", flush=True)
    return 1 if failed else 0


def everything(given: argparse.Namespace) -> int:
    names = given.sets.split(",") if given.sets else [p.name for p in SETS.iterdir()]
    print(f"| set | answerable | not | {' | '.join(COLUMNS)} |\n|---|---|---|{'---|' * len(COLUMNS)}")
    for name in sorted(set(names) - LEFT_OUT):
        for answers in sorted((SETS / name).glob("answers-*.jsonl")):
            queries = answers.stem.removeprefix("answers-")
            some = asked(SETS / name, queries)
            if given.limit and given.limit < len(some):
                some = random.Random(SEED).sample(some, given.limit)
            label = name + queries.removeprefix("queries").replace("_", " ")
            scores = measure(given, label.replace(" ", "-"), some)
            answerable = sum(bool(one.answers) for one in some)
            cells = " | ".join(shown(column, scores.get(column)) for column in COLUMNS)
            print(f"| {label} | {answerable:,} | {len(some) - answerable:,} | {cells} |", flush=True)
    return 0


def asked(source: Path, queries: str = "queries") -> list[Asked]:
    """A set's questions with their gold passages, and those that their passage does not answer."""
    passages = {row["_id"]: row for row in rows(source / "corpus.jsonl.gz")}
    gold = judgements(source / f"qrels-{queries}.tsv")
    answers = {row["_id"]: row["answers"] for row in rows(source / f"answers-{queries}.jsonl")}
    found = []
    for row in rows(source / f"{queries}.jsonl"):
        (passage,) = gold[row["_id"]]
        found.append(Asked(row["_id"], row["text"], answers[row["_id"]], passages[passage]))
    unanswerable = source / "unanswerable.jsonl.gz"
    if queries == "queries" and unanswerable.exists():
        found += [Asked(row["query_id"], row["text"], [], passages[row["context_doc"]]) for row in rows(unanswerable)]
    return found


def measure(given: argparse.Namespace, name: str, some: list[Asked]) -> dict[str, float]:
    """Asks and scores; the columns by name."""
    os.environ |= {"TRANSFORMERS_NO_ADVISORY_WARNINGS": "1", "TQDM_DISABLE": "1"}
    from sklearn.metrics import roc_auc_score
    from transformers.data.metrics.squad_metrics import squad_evaluate
    from transformers.data.processors.squad import SquadV2Processor

    squad, predictions, na_probs = (given.keep / f"{name}.{part}.json" for part in ("squad", "predictions", "na-probs"))
    squad.write_text(json.dumps(as_squad(some), ensure_ascii=False))
    command = [
        given.binary, "answers", "--squad", squad, "--predictions", predictions, "--na-probs", na_probs,
        "--always", "--models", ROOT / "models", "--threads", str(given.threads),
    ]  # fmt: skip
    subprocess.run(command, check=True, stderr=None if given.all else subprocess.DEVNULL)

    examples = SquadV2Processor().get_dev_examples(str(given.keep), squad.name)
    said = json.loads(predictions.read_text())
    none = json.loads(na_probs.read_text())
    always = squad_evaluate(examples, said)
    abstaining = squad_evaluate(examples, said, none, UNSURE)
    answerable = [one.id for one in some if one.answers]
    scores = {
        "EM": always["HasAns_exact"],
        "F1": always["HasAns_f1"],
        "silent": 100 * sum(none[one] > UNSURE for one in answerable) / len(answerable),
        "F1, silent": abstaining["f1"],
    }
    if len(answerable) < len(some):
        scores["AUROC"] = roc_auc_score([bool(one.answers) for one in some], [1 - none[one.id] for one in some])
    return scores


def as_squad(some: list[Asked]) -> dict:
    """A SQuAD 2.0 file, a paragraph a passage; an answer that is not in it starts at -1."""
    paragraphs: dict[str, dict] = {}
    for one in some:
        text = one.passage["text"]
        title = one.passage.get("title", "")
        article = paragraphs.setdefault(one.passage["_id"], {"title": title, "paragraphs": [{"context": text, "qas": []}]})
        answers = [{"text": answer, "answer_start": text.find(answer)} for answer in one.answers]
        asked = {"id": one.id, "question": one.question, "is_impossible": not answers, "answers": answers}
        article["paragraphs"][0]["qas"].append(asked)
    return {"version": "v2.0", "data": list(paragraphs.values())}


def rows(path: Path) -> list[dict]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        return [json.loads(line) for line in lines]


def shown(column: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if column == "AUROC" else f"{value:.1f}"


if __name__ == "__main__":
    sys.exit(main())

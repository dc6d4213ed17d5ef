"""What readers make of the passages that the searches find, on pools that no model saw.

    python models/recipes/check_reader.py --train ../shared/train --more MORE --models models [OTHER ...]

Of each folder of models a table with a line for each pool: of the questions whose
answering passage is among the first eight by words and trigrams, in how many of a
hundred the reader's relevance puts one first, and the AUROC of its answerability
among the eight; both for the questions as the daemon has them read, with glosses
(`glossary.py`), and with a story around them (`stories.py`). Then, of questions about
the same held-out passage, the AUROC of the answerability between those that it answers
and those that people wrote so that it does not (`written.py`); and the mean of the
answerability, as the logarithm of the odds, of those that passages with capitals
answer: as they are, in small letters, and with the passage in small letters too.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import corpus
import ranking_evidence
import ranking_reading
from check_lexicon import Searches
from glossary import Glossary, glossed
from ranking_evidence import MODELS, Embedder
from ranking_pools import Pool, pools
from ranking_reading import Reader
from stories import Stories
from written import SQUAD

SEED = 3
QUESTIONS, READ, WRITTEN = 60, 8, 120
POOLS = ("en-squad", "en-medical", "en-newwiki", "fr-piaf", "pt-squad", "sw-tydi", "am-amqa", "x-en-afriqa", "en-squad-sms")


Asks = list[tuple[str, str, str]]
"""Questions, headings and passages."""


@dataclass
class Asked:
    """A question, itself and with its story, and what was found."""

    question: str
    told: str
    passages: list[tuple[str, str]]
    """Heading and text."""
    right: list[bool]


def asked(pool: Pool, stories: Stories) -> list[Asked]:
    dice, searches, found = random.Random(SEED), Searches(pool), []
    for question, words, language, relevant in zip(pool.questions, pool.asked, pool.languages, pool.relevant):
        best = searches.best(words, READ)
        if len(best) < READ or relevant.isdisjoint(best):
            continue
        passages = [(pool.headings[at], pool.passages[at]) for at in best]
        told = stories.around(dice, question, language)
        found.append(Asked(question, told, passages, [at in relevant for at in best]))
        if len(found) == QUESTIONS:
            break
    return found


def figures(reader: Reader, questions: list[str], of: list[Asked]) -> tuple[float, float]:
    """hit@1 in %, and the AUROC."""
    reader.read_ahead([(text, *passage) for text, one in zip(questions, of) for passage in one.passages])
    hits, right, wrong = [], [], []
    for text, one in zip(questions, of):
        readings = [reader.read(text, *passage) for passage in one.passages]
        hits.append(one.right[int(np.argmax([relevance for relevance, _, _ in readings]))])
        for (_, answered, _), answers in zip(readings, one.right):
            (right if answers else wrong).append(answered)
    return 100 * float(np.mean(hits)), float((np.array(right)[:, None] > np.array(wrong)).mean())


def written(train: Path, more: Path) -> dict[str, list[tuple[Asks, Asks]]]:
    """By source, for each of some held-out passages: what it answers, and what people asked that it does not."""
    found: dict[str, dict[str, tuple[Asks, Asks]]] = {}
    for row in corpus.rows(more, "reader_written"):
        if corpus.held_out(row["context"]):
            of = found.setdefault(row["src"], {}).setdefault(row["context"], ([], []))
            of[not row["answer"]].append((row["question"], "", row["context"]))
    for row in corpus.rows(train, "reader_extra"):
        if row["answer"] and (of := found[SQUAD].get(row["context"])):
            of[0].append((row["question"], "", row["context"]))
    dice = random.Random(SEED)
    both = {src: [of for of in by_passage.values() if all(of)] for src, by_passage in found.items()}
    return {src: dice.sample(of, min(WRITTEN, len(of))) for src, of in both.items()}


def small(asked: Asks) -> tuple[Asks, Asks]:
    """The questions in small letters, and their passages too."""
    return [(q.lower(), h, p) for q, h, p in asked], [(q.lower(), h, p.lower()) for q, h, p in asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--models", type=Path, nargs="+", default=[MODELS], help="folders of models (default: the shipped one)")
    parser.add_argument("--more", type=Path, required=True, help="the folder that written.py filled")
    given = parser.parse_args()

    stories = Stories(given.train, held_out=True)
    glossary = Glossary((MODELS / "glossary.bin").read_bytes())
    chosen = {pool.name: asked(glossed(pool, glossary), stories) for pool in pools(given.train) if pool.name in POOLS}
    for folder in given.models:
        ranking_evidence.MODELS = ranking_reading.MODELS = folder
        reader = Reader(Embedder())
        print(f"{folder}\n| pool | questions | hit@1 | with a story | AUROC | with a story |\n|---|---|---|---|---|---|")
        rows = []
        for name in POOLS:
            of = chosen[name]
            plain, told = (figures(reader, texts, of) for texts in ([o.question for o in of], [o.told for o in of]))
            rows.append((plain[0], told[0], plain[1], told[1]))
            print("| {} | {} | {:.1f} | {:.1f} | {:.3f} | {:.3f} |".format(name, len(of), *rows[-1]), flush=True)
        print("| mean | | {:.1f} | {:.1f} | {:.3f} | {:.3f} |".format(*np.mean(rows, axis=0)))
        print("\n| written | passages | AUROC | answered | question small | both small |\n|---|---|---|---|---|---|")
        for src, passages in written(given.train, given.more).items():
            reader.read_ahead([one for both in passages for of in both for one in of])
            pairs = []
            for both in passages:
                right, wrong = (np.array([reader.read(*one)[1] for one in of]) for of in both)
                pairs += (right[:, None] > wrong).ravel().tolist()
            cased = [one for right, _ in passages for one in right if one[2] != one[2].lower()] if src == SQUAD else []
            cells = [f"{np.mean([reader.read(*one)[1] for one in of]):.2f}" if of else "–" for of in (cased, *small(cased))]
            print(f"| {src} | {len(passages)} | {np.mean(pairs):.3f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

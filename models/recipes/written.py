"""More questions that people wrote so that their passage does not answer them.

    git clone https://github.com/haichao592/UnAnsQ CLONES/UnAnsQ
    git clone https://github.com/antest1/SQuAD2-CR CLONES/SQuAD2-CR
    git clone https://github.com/AUT-NLP/PQuAD CLONES/PQuAD
    python models/recipes/written.py --clones CLONES --train ../shared/train --eval ../shared/eval --out MORE

writes MORE/reader_written.jsonl.gz, of the form of reader_train.jsonl.gz. Nothing
that shares eight words in a row with a passage of an evaluation set, or is a question
of one, is kept.

* PQuAD (Darvishi et al. 2023, arXiv 2202.06219): validation and test, Persian.
* SQuAD 2.0's (Rajpurkar et al. 2018, arXiv 1806.03822), put back beside their passages.
  SQuAD2-CR (Lee et al. 2020) has the questions of train without passages; UnAnsQ (Zhu
  et al. 2019, arXiv 1906.06045) pairs some of them with an answerable question about
  the same passage, which the training data has, or with the passage itself, in small
  letters. The rest follow from their identifiers, whose first eight digits are the
  second in which one person began on one passage.

Whoever has SQuAD 2.0 whole needs none of that.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import corpus

SQUAD, PQUAD = "squad2.0-train-written", "pquad"
SHINGLE = 8
# Digits of an identifier that name the second in which a passage was given to a person.
SECOND = 8


class Seen:
    """What stands in the evaluation sets."""

    def __init__(self, folder: Path) -> None:
        self.shingles: set[int] = set()
        self.questions: set[str] = set()
        for file in sorted(folder.glob("*/*.jsonl*")):
            lines = gzip.open(file, "rt") if file.suffix == ".gz" else file.open()
            for row in map(json.loads, lines):
                if file.name.startswith("corpus"):
                    self.shingles.update(shingles(row["text"]))
                elif "text" in row:
                    self.questions.add(plain(row["text"]))

    def passage(self, text: str) -> bool:
        return not self.shingles.isdisjoint(shingles(text))

    def question(self, text: str) -> bool:
        return plain(text) in self.questions


def shingles(text: str) -> Iterator[int]:
    found = re.findall(r"\w+", text.lower())
    return (hash(tuple(found[at : at + SHINGLE])) for at in range(len(found) - SHINGLE + 1))


def plain(text: str) -> str:
    """A text's letters and digits, so that tokenised and whole ones compare."""
    folded = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in folded if c.isalnum())


def whole(text: str) -> str:
    """A tokenised text as people write it."""
    text = re.sub(r" (?=[.,;:!?%)\]])", "", text)
    text = re.sub(r"(?<=[(\[$£#]) ", "", text)
    text = re.sub(r"(?<=\d[.,:]) (?=\d)", "", text)
    text = re.sub(r" ?(['’]) (?=(?:s|t|re|ve|d|m|ll)\b)", r"\1", text)
    text = re.sub(r" (?=n['’]t\b|['’](?:s|re|ve|d|m|ll)\b)", "", text)
    text = re.sub(r"(?<=\w) ([-–/]) (?=\w)", r"\1", text)
    return re.sub(r'" (.*?) "', r'"\1"', text).strip()


def table(lines: Iterable[str]) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def rows_of_pairs(folder: Path, part: str) -> Iterator[tuple[list[str], list[str], list[str] | None]]:
    """Answerable, unanswerable (id, text, first and last token of the answer), and the passage where it is there."""
    files = [folder / "QG" / f"{part}-{kind}.txt" for kind in ("answerable-questions", "unanswerable-questions", "context")]
    passages = table(files[2].open()) if part != "train" else iter(lambda: None, 0)
    for answered, unanswered, passage in zip(table(files[0].open()), table(files[1].open()), passages):
        if len(answered) == len(unanswered) == 4:
            yield answered, unanswered, passage


def squad(clones: Path, train: Path) -> Iterator[dict]:
    """SQuAD 2.0's unanswerable questions, and answerable ones of the passages in small letters."""
    asked: dict[str, str] = {}
    with zipfile.ZipFile(clones / "SQuAD2-CR" / "SQuAD2_CR_20191127.zip") as archive:
        for name in ("extended", "gold_train"):
            with archive.open(f"rationales/word_att_{name}.tsv") as file:
                for line in table(io.TextIOWrapper(file)):
                    asked.setdefault(line[0], line[1])
    del asked["qid"]

    passages: dict[str, str | None] = {}

    def place(identifier: str, passage: str) -> None:
        """Notes the passage of a second; none where two claim it."""
        second = identifier[:SECOND]
        passages[second] = passage if passages.get(second, passage) == passage else None

    known: dict[str, set[str]] = {}
    for file in ("reader_train", "reader_extra"):
        for row in corpus.rows(train, file):
            if row["src"].startswith("squad") and row["lang"] == "en" and row["answer"]:
                known.setdefault(plain(row["question"]), set()).add(row["context"])
    pairs = list(rows_of_pairs(clones / "UnAnsQ", "train"))
    for answered, unanswered, _ in pairs:
        if len(there := known.get(plain(answered[1]), ())) == 1:
            for one in (answered, unanswered):
                place(one[0], next(iter(there)))
    small: set[str] = set()
    for answered, unanswered, (text, *_) in rows_of_pairs(clones / "UnAnsQ", "dev"):
        pairs.append((answered, unanswered, None))
        tokens = text.split(" ")
        passage, first, last = whole(text), int(answered[2]), int(answered[3])
        small.add(passage)
        for one in (answered, unanswered):
            place(one[0], passage)
        # The answer's place is counted in characters, past what the writing moved.
        start, answer = len(whole(" ".join(tokens[:first]))), whole(" ".join(tokens[first : last + 1]))
        start = passage.find(answer, max(0, start - 1))
        if start >= 0:
            yield example(SQUAD, "en", whole(answered[1]), passage, answer, start)
    # A pair is about one passage, so that the one's second tells the other's.
    for _ in range(3):
        for answered, unanswered, _ in pairs:
            for one, other in ((answered, unanswered), (unanswered, answered)):
                if (passage := passages.get(one[0][:SECOND])) and other[0][:SECOND] not in passages:
                    place(other[0], passage)
    for identifier, question in asked.items():
        if passage := passages.get(identifier[:SECOND]):
            question = whole(question)
            yield example(SQUAD, "en", question.lower() if passage in small else question, passage)


def pquad(clones: Path) -> Iterator[dict]:
    for part in ("Validation", "Test"):
        for article in json.loads((clones / "PQuAD" / "Dataset" / f"{part}.json").read_text())["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    answer = min(asked["answers"], key=lambda a: len(a["text"]), default={"text": "", "answer_start": 0})
                    yield example(PQUAD, "fa", asked["question"], paragraph["context"], answer["text"], answer["answer_start"])


def example(src: str, lang: str, question: str, context: str, answer: str = "", start: int = 0) -> dict:
    return {"src": src, "lang": lang, "question": question, "context": context, "answer": answer, "start": start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clones", type=Path, required=True, help="the folder of the three repositories")
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--eval", type=Path, required=True, help="the folder of the evaluation sets, whose texts are left out")
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets reader_written.jsonl.gz")
    given = parser.parse_args()

    seen = Seen(given.eval)
    kept: dict[tuple[str, str], dict] = {}
    found = dropped = 0
    for one in [*squad(given.clones, given.train), *pquad(given.clones)]:
        found += 1
        misplaced = one["context"][one["start"] :][: len(one["answer"])] != one["answer"]
        if misplaced or seen.question(one["question"]) or seen.passage(one["context"]):
            dropped += 1
        else:
            kept.setdefault((one["question"], one["context"]), one)
    corpus.write(given.out, "reader_written", kept.values())
    for src in (SQUAD, PQUAD):
        answers = [bool(one["answer"]) for one in kept.values() if one["src"] == src]
        print(f"{src}: {sum(answers)} answered, {len(answers) - sum(answers)} not")
    print(f"left out {dropped} of {found}")


if __name__ == "__main__":
    main()

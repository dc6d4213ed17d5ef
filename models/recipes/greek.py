"""Greek sentences and words with their English, which the training data lacks.

    git clone https://github.com/MicrosoftTranslator/NTREX CLONES/NTREX
    git clone https://github.com/omwn/omw-data CLONES/omw-data
    apt-get install wordnet-base wordnet-sense-index
    python models/recipes/greek.py --clones CLONES --out MORE

writes MORE/bitext_more.jsonl.gz, of the form of bitext_train.jsonl.gz: NTREX-128's news,
and of the Greek WordNet its words with the English ones of the same sense, and its
explanations with the English ones, which they were translated from. Words of a sense
that is much used stand there more than once; what was extracted from Wiktionary for
the same senses (Bond and Foster 2013) goes with them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import corpus

WORDNET = Path("/usr/share/wordnet")
# As `index.sense` numbers parts of speech; 5 is an adjective beside another.
PARTS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
FILES = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
# Of a sense so many English words, the first of which stands for it the most often; and a
# word so many times, with each two of its uses once more. A phrase stands there once: of
# "foot-and-mouth disease", fever is neither the foot nor the mouth.
WORDS, TIMES = 3, 8


def row(src: str, text: str, english: str) -> dict:
    return {"src": src, "lang": "el", "en": english, "text": text}


def news(clones: Path) -> Iterator[dict]:
    folder = clones / "NTREX" / "NTREX-128"
    greek, english = ((folder / f"newstest2019-{name}.txt").read_text().splitlines() for name in ("ref.ell", "src.eng"))
    return (row("ntrex", *both) for both in zip(greek, english))


def senses() -> Iterator[tuple[str, list[str], str]]:
    """WordNet 3.0's senses: key, words, explanation (wndb(5WN))."""
    for name, part in FILES.items():
        for line in (WORDNET / f"data.{name}").read_text(encoding="latin-1").splitlines():
            if line.startswith("  "):
                continue
            data, _, explained = line.partition(" | ")
            fields = data.split(" ")
            words = [re.sub(r"\(\w+\)$", "", fields[4 + 2 * n]).replace("_", " ") for n in range(int(fields[3], 16))]
            yield f"{fields[0]}-{part}", words, explained.strip().partition('; "')[0]


def uses() -> dict[tuple[str, str], int]:
    """How often each word stands for each sense in texts that people marked (senseidx(5WN))."""
    found = {}
    for line in (WORDNET / "index.sense").read_text().splitlines():
        key, place, _, count = line.split()
        word, _, rest = key.partition("%")
        found[f"{place}-{PARTS[rest[0]]}", word.replace("_", " ")] = int(count)
    return found


def words(clones: Path) -> Iterator[dict]:
    english = {key: (words, explained) for key, words, explained in senses()}
    used = uses()
    seen = set()
    for file in ("ell/wn-data-ell.tab", "wikt/wn-wikt-ell.tab"):
        for line in (clones / "omw-data" / "wns" / file).read_text().splitlines()[1:]:
            key, kind, *_, text = line.split("\t")
            sense = key.replace("-s", "-a")
            names, explained = english.get(sense, ((), ""))
            if kind.endswith("def") and explained:
                yield row("omw-el", text, explained)
            elif kind.endswith("lemma") and (sense, text) not in seen:
                seen.add((sense, text))
                for rank, name in enumerate(names[:WORDS]):
                    times = min(TIMES, WORDS - rank + used.get((sense, name.lower()), 0) // 2)
                    yield from [row("omw-el", text, name)] * (1 if " " in text else times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clones", type=Path, required=True, help="the folder of the two repositories")
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets bitext_more.jsonl.gz")
    given = parser.parse_args()

    found = [*news(given.clones), *words(given.clones)]
    corpus.write(given.out, "bitext_more", found)
    print(f"{len(found)} rows")


if __name__ == "__main__":
    main()

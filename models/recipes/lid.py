#!/usr/bin/env python3
"""Trains the identifier of languages: `language.bin`, with its manifest entry
and its golden example.

    python models/recipes/lid.py --train ../shared/train --out models/

A linear classifier of limited rank over hashed n-grams (`lid_features.py`),
trained on messages cut from sentences (`lid_data.py`) with Adam, then rounded
to 8 bits, then calibrated on sentences that the training did not see. One
thread, no torch; the same bytes each time.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize

import manifest
from lid_data import CHOSEN, FEWEST, MOST, Messages, languages, read
from lid_features import Model, Word, counts, main_script, posterior, totals, words

MODELS = Path(__file__).resolve().parent.parent
RECIPE = "python models/recipes/lid.py --train ../shared/train --out models/"
SEED = 3

BUCKETS, WIDTH = 65_536, 16
MESSAGES = 2_457_600
CHUNK = 40_960
BATCH = 2_048
RATE, WARM_UP = 0.02, 50
DECAYS = 0.9, 0.99
# How much the amount of text decides how often a language is drawn.
FLATTENED = 0.3
CHOSEN_MORE = 4
# Rows are clipped at so many of their standard deviations.
CLIP = 12.0

# As in daemon/core/answer/src/identify.rs.
ELSEWHERE, CONFIDENT = 0.1, 0.7
CALIBRATING = 600


@dataclass
class Weights:
    """The classifier before it is rounded."""

    rows: np.ndarray
    """`[buckets, width]`"""
    weights: np.ndarray
    """`[width, languages]`"""
    bias: np.ndarray


class Adam:
    """Kingma and Ba 2015, for arrays that are changed in place."""

    def __init__(self, parameters: tuple[np.ndarray, ...]) -> None:
        self.parameters = parameters
        self.means = [np.zeros_like(p) for p in parameters]
        self.squares = [np.zeros_like(p) for p in parameters]
        self.step = 0

    def apply(self, gradients: tuple[np.ndarray, ...], rate: float) -> None:
        self.step += 1
        first, second = DECAYS
        for parameter, gradient, mean, square in zip(self.parameters, gradients, self.means, self.squares):
            mean += (1 - first) * (gradient - mean)
            square += (1 - second) * (gradient**2 - square)
            unbiased = np.sqrt(square / (1 - second**self.step)) + 1e-7
            parameter -= rate * mean / (1 - first**self.step) / unbiased


def train(messages: Messages, scripts: dict[str, str], often: np.ndarray, total: int) -> Weights:
    """The classifier of all languages; a message's language is sought among those
    of its script only."""
    rng = np.random.default_rng(SEED)
    known = list(scripts)
    learnt = Weights(
        (rng.standard_normal((BUCKETS, WIDTH)) * 0.05).astype(np.float32),
        (rng.standard_normal((WIDTH, len(known))) * 0.3).astype(np.float32),
        np.zeros(len(known), np.float32),
    )
    adam = Adam((learnt.rows, learnt.weights, learnt.bias))
    same_script = np.array([[scripts[a] == scripts[b] for b in known] for a in known])
    steps = total // CHUNK * -(-CHUNK // BATCH)
    begun = time.monotonic()
    for chunk in range(total // CHUNK):
        drawn = messages.rng.choices(range(len(known)), often, k=CHUNK)
        x, y = counts([messages.draw(known[at]) for at in drawn], BUCKETS), np.array(drawn)
        x.data /= np.repeat(np.sqrt(totals(x)), np.diff(x.indptr))
        losses = []
        for start in range(0, CHUNK, BATCH):
            batch, right = x[start : start + BATCH], y[start : start + BATCH]
            each = np.arange(len(right))
            hidden = batch @ learnt.rows
            odds = np.where(same_script[right], hidden @ learnt.weights + learnt.bias, -np.inf)
            chances = np.exp(odds - odds.max(1, keepdims=True))
            chances /= chances.sum(1, keepdims=True)
            losses.append(-np.log(chances[each, right] + 1e-12).mean())
            chances[each, right] -= 1
            chances /= len(right)
            gradients = batch.T @ (chances @ learnt.weights.T), hidden.T @ chances, chances.sum(0)
            rate = RATE * min(1, (adam.step + 1) / WARM_UP) * (1 - adam.step / steps)
            adam.apply(gradients, rate)
        done = (chunk + 1) * CHUNK
        minutes = (time.monotonic() - begun) / 60
        said = {"messages": done, "of": total, "loss": round(float(np.mean(losses)), 4), "minutes": round(minutes, 1)}
        print(json.dumps(said), flush=True)
    return learnt


def rounded(learnt: Weights, scripts: dict[str, str], often: np.ndarray) -> Model:
    """The classifier in 8 bits; languages are equally likely beforehand."""
    step = CLIP * float(learnt.rows.std()) / 127
    rows = np.clip(np.rint(learnt.rows / step), -127, 127).astype(np.int8)
    bias = learnt.bias - np.log(often / often.sum()).astype(np.float32)
    bias -= bias.mean()
    return Model(list(scripts), list(scripts.values()), rows, float(np.float32(step)), learnt.weights, bias)


@dataclass
class Tried:
    """Messages that the training did not see."""

    texts: list[list[Word]]
    right: list[str]
    length: np.ndarray
    share: np.ndarray
    """How much each counts: together the chosen languages make up all but ELSEWHERE."""

    def prior(self, model: Model) -> np.ndarray:
        """How likely each language is, where the chosen are offered."""
        scripts = dict(zip(model.languages, model.scripts))
        return model.prior([scripts[language] for language in self.right], CHOSEN, ELSEWHERE)


def tried(messages: Messages, scripts: dict[str, str]) -> Tried:
    texts, right, share = [], [], []
    chosen = [language for language in scripts if language in CHOSEN]
    for language in scripts:
        count = CALIBRATING if language in CHOSEN else CALIBRATING // 5
        among = len(chosen) if language in CHOSEN else len(scripts) - len(chosen)
        texts += [messages.draw(language, length=at % 5 + 1) for at in range(count)]
        right += [language] * count
        share += [(1 - ELSEWHERE if language in CHOSEN else ELSEWHERE) / among / count] * count
    return Tried(texts, right, np.array([len(text) for text in texts]), np.array(share))


def calibrate(model: Model, asked: Tried) -> None:
    """Fits how far scores are believed, by the number of n-grams and of words, so
    that the right languages are likeliest."""
    said, total = model.evidence(asked.texts)
    prior = asked.prior(model)
    right = np.array([model.languages.index(language) for language in asked.right])
    each = np.arange(len(right))

    def loss(fitted: np.ndarray) -> float:
        scale, power, silent = np.exp(fitted[0]), fitted[1], 1 / (1 + np.exp(-fitted[2]))
        scores = scale * (said / total**power + model.bias)
        found = posterior(prior, scores, silent**asked.length)
        return float(-(asked.share * np.log(found[each, right] + 1e-12)).sum())

    closely = {"xatol": 1e-3, "fatol": 1e-5}
    fitted = optimize.minimize(loss, [0.0, model.power, -3.0], method="Nelder-Mead", options=closely).x
    # As the file rounds them.
    scale, model.power = np.float32(np.exp(fitted[0])), float(np.float32(fitted[1]))
    model.silent = float(np.float32(1 / (1 + np.exp(-fitted[2]))))
    model.weights, model.bias = model.weights * scale, model.bias * scale
    print(f"scale {scale:.3f}, power {model.power:.3f}, silent {model.silent:.3f}")


def report(model: Model, asked: Tried) -> None:
    found = model.chances(asked.texts, asked.prior(model))
    offered = np.array([language in CHOSEN for language in model.languages])
    best = np.where(offered, found, 0).argmax(1)
    confidence = found[np.arange(len(best)), best]
    names = np.array(asked.right)
    right = np.array(model.languages)[best] == names
    chosen = np.isin(names, CHOSEN)
    for language in sorted(set(names[chosen])):
        print(f"{language} {100 * right[names == language].mean():.1f}", end="  ")
    print(f"\nall {100 * right[chosen].mean():.1f}")
    for n in range(1, 6):
        at = asked.length == n
        believed = at & (confidence >= CONFIDENT)
        of = [
            100 * right[at & chosen].mean(), 100 * asked.share[believed].sum() / asked.share[at].sum(),
            100 * np.average(right[believed], weights=asked.share[believed]),
        ]  # fmt: skip
        print("{} words: right {:.1f}; believed {:.1f}, of these right {:.1f}".format(n, *of))
    print(f"elsewhere, yet believed: {100 * (confidence[~chosen] >= CONFIDENT).mean():.1f}")
    edges = [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 1.01]
    for low, high in zip(edges, edges[1:]):
        at = (confidence >= low) & (confidence < high)
        if at.any():
            mean = [100 * np.average(v[at], weights=asked.share[at]) for v in (confidence, right)]
            print(f"confidence {mean[0]:5.1f}: right {mean[1]:5.1f}, of all {100 * asked.share[at].sum():5.1f}")


GOLDEN = [
    "Nawezaje kupata cheti cha kuzaliwa?", "mwana akutsegula m'mimba", "ngifuna ukwazi ngomuthi",
    "ina zan samu rigakafi", "nta muti mfite", "bawo ni mo se le ri dokita", "የወባ ምልክቶች ምንድን ናቸው",
    "ሕክምና ኣበይ ይርከብ", "बच्चे को बुखार है", "ज्वरो आयो", "où faire un passeport", "PRECO DA CARTA DE CONDUCAO",
    "wat 2 do 4 fever", "malaria", "habari 🙂 doctor", "دواء", "xzqv kwrt",
]  # fmt: skip


def golden(model: Model) -> str:
    """A few texts with what the daemon must say of them where the chosen are offered."""
    offered = np.array([language in CHOSEN for language in model.languages])
    cases = []
    for text in GOLDEN:
        of = main_script(text)
        found = model.chances([words(text, of)], model.prior([of], CHOSEN, ELSEWHERE))[0] * offered
        best = int(found.argmax())
        # No language of the script may be on offer.
        said = {"language": model.languages[best], "confidence": round(float(found[best]), 6)} if found[best] else {}
        cases.append({"text": text} | said)
    return json.dumps(cases, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--train", type=Path, required=True, help="the folder of the training data")
    parser.add_argument("--out", type=Path, default=MODELS, help="the folder that gets language.bin")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="how many to train on (fewer for a quick look)")
    given = parser.parse_args()

    texts, others = read(given.train)
    abbreviations = json.loads((given.train / "sms_abbreviations.json").read_text())
    scripts = languages(texts)
    often = np.array([min(max(texts.size(language), FEWEST), MOST) ** FLATTENED for language in scripts])
    often *= [CHOSEN_MORE if language in CHOSEN else 1 for language in scripts]
    print(len(scripts), "languages:", *scripts, flush=True)
    learnt = train(Messages(random.Random(SEED), texts, scripts, abbreviations), scripts, often, given.messages)
    model = rounded(learnt, scripts, often)

    asked = tried(Messages(random.Random(SEED), others, scripts, abbreviations), scripts)
    calibrate(model, asked)
    report(model, asked)

    tags = {tag for language in scripts for tag in texts.sources.get(language, ())}
    artefact = manifest.Artefact(
        name="language.model", file="language.bin",
        shape=f"{len(scripts)} languages x {WIDTH} x {BUCKETS} hashed n-grams, int8",
        licence="CC-BY-SA-4.0", source="trained by the recipe",
        original="none: trained from scratch", recipe=RECIPE,
        card="language.md", data=manifest.sources(tags),
    )  # fmt: skip
    manifest.write(given.out, artefact, model.write())
    folder = MODELS.parent / "daemon/core/answer/src/identify"
    (folder / "golden.json").write_text(golden(model))


if __name__ == "__main__":
    main()

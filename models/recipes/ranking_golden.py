"""A small example with the figures that the daemon's ranker must reproduce.

Passages and questions are our own, and so are the readings: no model gave them.
The weights are those just fitted, so the file is written together with them.
"""

from __future__ import annotations

import json

import numpy as np

import ranking_reading
from ranking_evidence import MODELS, Collection, Embedder, prompt_passage, prompt_query, query_trigrams, query_words
from ranking_signals import Evidence, Texts, judge, standings
from ranking_spelling import written_out

PASSAGES = [
    ("Birth registration › Where", "Register the birth of a child at the district registrar within 42 days. The first certificate is free of charge."),
    ("Birth registration › Late", "After 42 days a late fee is paid, and two witnesses who know the child must come along."),
    ("Malaria › Danger signs", "A child with fever who cannot drink, who vomits everything or who has fits must go to the health centre at once."),
    ("Cholera › At home", "Boil drinking water, wash hands with soap, and give oral rehydration salts from the first watery stool."),
    ("Kusajili kuzaliwa › Wapi", "Sajili kuzaliwa kwa mtoto kwa msajili wa wilaya ndani ya siku 42. Cheti cha kwanza hakilipiwi."),
    ("Kipindupindu › Nyumbani", "Chemsha maji ya kunywa, nawa mikono kwa sabuni, na mpe mgonjwa maji ya chumvi na sukari."),
    ("Pension vieillesse › Dossier", "Le dossier comprend l'acte de naissance, les certificats de travail et une photo d'identité."),
    ("", "The office is open from Monday to Friday, from 8 in the morning to 4 in the afternoon."),
]  # fmt: skip

QUESTIONS = [
    ("en", "How do I register the birth of my child?"),
    ("en", "chld has fvr n fits wat 2 do"),
    ("sw", "Nifanye nini kuzuia kipindupindu nyumbani?"),
    ("fr", "Où enregistrer la naissance de mon enfant ?"),
    ("en", "What is the price of a bus ticket to the coast?"),
    ("en", "😀 ?"),
]  # fmt: skip


# Relevance, log-odds that it is answered, the span's probability, of the first passages.
READINGS = [(0.4, -1.5, 0.02), (3.1, 2.2, 0.61), (-2.0, -4.0, 0.0)]


def write(embedder: Embedder, before, after) -> None:
    """Takes the two stages that `ranking.py` fitted."""
    headings, texts = map(list, zip(*PASSAGES))
    prompts = [prompt_passage(h, t) for h, t in PASSAGES]
    collection = Collection(headings, texts, embedder.all(prompts))
    cut = Texts(headings, texts)
    cases = []
    for (language, question), vector in zip(QUESTIONS, embedder.all([prompt_query(q) for _, q in QUESTIONS])):
        asked = query_words(written_out(question, language), language)
        # Short lists, so that candidates are missing from some of them.
        evidence = Evidence(
            asked, collection.full_text("word", asked)[:3],
            collection.full_text("trigram", query_trigrams(asked))[:4], collection.dense(vector)[:5],
            [collection.frequency(word) for word in asked], len(texts),
        )  # fmt: skip
        judged = judge(evidence, cut)
        scores = judged.features() @ before.weights
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], judged.candidates[i]))
        odds = standings(judged, scores, np.array(order), len(order)) @ before.calibration
        probabilities = np.minimum.accumulate(1 / (1 + np.exp(-odds)))
        ranked = [[judged.candidates[i], scores[i], p] for i, p in zip(order, probabilities)]
        cases.append({
            "language": language, "question": question, "query_words": asked,
            "words": evidence.words, "trigrams": evidence.trigrams, "dense": evidence.dense,
            "frequencies": evidence.frequencies,
            "ranked": ranked, "reread": reread(judged.context, ranked, after),
        })  # fmt: skip
    path = MODELS.parent / "daemon/core/answer/src/rank/golden.json"
    path.write_text(json.dumps({"passages": PASSAGES, "readings": READINGS, "cases": cases}, ensure_ascii=False, indent=1) + "\n")


def reread(context: np.ndarray, ranked: list[list[float]], after) -> list[list[float]]:
    """The first candidates in their order after reading."""
    first = ranked[: len(READINGS)]
    if not first:
        return []
    least = ranking_reading.LEAST
    chance = np.clip([p for _, _, p in first], least, 1 - least)
    signals = [
        [score, relevance, answered, np.log(max(span, least))]
        for (_, score, _), (relevance, answered, span) in zip(first, READINGS)
    ]  # fmt: skip
    read = ranking_reading.Read([c for c, _, _ in first], np.array(signals), np.log(chance / (1 - chance)), context)
    scores = read.features() @ after.weights
    order = np.argsort(-scores, kind="stable")
    odds = ranking_reading.standings(read, scores, order, len(order)) @ after.calibration
    probabilities = np.minimum.accumulate(1 / (1 + np.exp(-odds)))
    return [[read.candidates[i], scores[i], p] for i, p in zip(order, probabilities)]

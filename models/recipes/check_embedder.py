"""Checks the embedder's artefacts against third parties. Changes nothing.

    python models/recipes/check_embedder.py --models models/ --text FILE ...

1. Token ids: golden.json, the recipe's own tokenizer and the daemon's against
   the PyPI package `tokenizers` reading tokenizer.json, on the golden sentences,
   on every line of the files given (gzip accepted; of JSON lines, every string),
   and on noise made from them. The daemon's are asked for with `cargo run`.
2. Embeddings: embedder.onnx in ONNX Runtime against golden.json.

Ends with 1 when something differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers

from golden import prompt
from table import Table
from vocabulary import Tokenizer, Vocabulary

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
NOISE = list("😀👍🏽👩‍⚕️🇲🇼½№ﬁﷺ①Ａ…‘’\u0301\u0327\u200b\u200d\u00a0\u3000\ufeff\u00ad\u202e\ufffd東か한Ж\x07\x1b\x85\t ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--text", type=Path, nargs="*", default=[])
    parser.add_argument("--lines", type=int, default=5000, help="at most so many of each file")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    golden = json.loads((given.models / "golden.json").read_text())
    lines = [line for path in given.text for line in sample(path, given.lines, given.seed)]
    lines += noisy(lines or [entry["text"] for entry in golden], given.seed)
    # `tokenizers` makes special tokens of text that spells them; the daemon does not.
    lines = [line for line in lines if not any(token in line for token in SPECIAL)]
    wrong = check_tokens(given.models, golden, lines) + check_embeddings(given.models, golden)
    sys.exit(1 if wrong else 0)


def check_tokens(folder: Path, golden: list[dict], lines: list[str]) -> int:
    reference = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    reference.no_truncation()
    reference.no_padding()
    wrong = sum(
        reference.encode(prompt(g["heading"], g["text"])).ids != g["ids"] for g in golden
    )
    print(f"golden sentences: {len(golden)}, of them other ids in `tokenizers`: {wrong}")

    wanted = [window(encoding.ids) for encoding in reference.encode_batch(lines)]
    print(f"lines: {len(lines)}, {sum(map(len, wanted))} tokens")
    own = recipe_tokenizer(folder)
    few = range(0, len(lines), 20)
    differing = [lines[i] for i in few if window(own.encode(lines[i])) != wanted[i]]
    print(f"recipe's tokenizer: {len(differing)} of {len(few)} differ {differing[:3]!r}")
    wrong += len(differing)

    asked = "".join(json.dumps(line) + "\n" for line in lines)
    command = ["cargo", "run", "--quiet", "--package", "jibu-inference", "--example", "tokens", "--", folder]
    answer = subprocess.run(command, input=asked, text=True, stdout=subprocess.PIPE, check=True)
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    differing = [line for line, a, b in zip(lines, found, wanted, strict=True) if a != b]
    print(f"daemon's tokenizer: {len(differing)} of {len(lines)} differ {differing[:3]!r}")
    return wrong + len(differing)


def window(ids: list[int], size: int = 512) -> list[int]:
    """What the model has positions for: the ends stay."""
    return ids if len(ids) <= size else ids[: size - 1] + ids[-1:]


def check_embeddings(folder: Path, golden: list[dict]) -> int:
    session = onnxruntime.InferenceSession(folder / "embedder.onnx")
    table = Table(folder / "embedding.q4")
    cosines = {}
    for entry in golden:
        (pooled,) = session.run(None, {"embeddings": table.of(entry["ids"])})
        right = np.array(entry["embedding"])
        cosine = pooled @ right / np.linalg.norm(pooled) / np.linalg.norm(right)
        cosines.setdefault(entry["language"], []).append(float(cosine))
    for language, found in cosines.items():
        print(f"{language}: cosine to the unquantised model {min(found):.5f}")
    lowest = min(map(min, cosines.values()))
    print(f"lowest of {len(golden)} in {len(cosines)} languages: {lowest:.5f}")
    return int(lowest < 0.995)


def recipe_tokenizer(folder: Path) -> Tokenizer:
    """The recipe's tokenizer, over the vocabulary as it was written."""
    document = json.loads((folder / "tokenizer.json").read_text())
    pieces = [piece for piece, _ in document["model"]["vocab"]]
    bos, pad, eos, unk, mask = (pieces.index(token) for token in SPECIAL)
    scores = np.array([score for _, score in document["model"]["vocab"]])
    return Tokenizer(Vocabulary(pieces, scores, np.arange(len(pieces)), {}, bos, eos, pad, unk, mask))


def sample(path: Path, count: int, seed: int) -> list[str]:
    """Lines of a text file, or the strings in its JSON objects."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        rows = list(file)
    rows = random.Random(seed).sample(rows, min(count, len(rows)))
    if ".jsonl" not in path.suffixes:
        return [row.rstrip("\n") for row in rows]
    return [value for row in rows for value in json.loads(row).values() if isinstance(value, str)]


def noisy(lines: list[str], seed: int) -> list[str]:
    """Lines with odd characters put in, letters dropped and case changed."""
    chance = random.Random(seed)
    out = []
    for line in chance.sample(lines, min(3000, len(lines))):
        text = list(line[:200])
        for _ in range(chance.randint(1, 8)):
            at = chance.randint(0, len(text))
            text[at : at + chance.randint(0, 2)] = chance.choices(NOISE, k=chance.randint(0, 3))
        line = "".join(text)
        out.append(line.upper() if chance.random() < 0.2 else line)
    return out


if __name__ == "__main__":
    main()

"""Makes the reader's artefact out of a training.

    python models/recipes/reader.py --work WORK --out models/

writes reader.onnx, reader_golden.json and the entry in manifest.toml; WORK is the
folder that train_reader.py filled. A run that went on from an artefact may go a part
of the way only (Wortsman et al. 2022, arXiv 2109.01903):

    python models/recipes/reader.py --work WORK --shipped BEFORE --share 0.65 --out models/

Running it again gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import e5s1
import encoder
import golden
import manifest
import network
import reference
import shipped
from tokens import Tokens
from train_reader import LAYERS, Reader, examples
from training import sources_of, trained

NAME = "reader.onnx"
TRAIN = "python models/recipes/train_reader.py --train ../shared/train --start EMBEDDER"


def load(source: e5s1.Source, work: Path, before: Path | None, share: float) -> Reader:
    """The reader as it was trained, or a share of the way to it from the one before."""
    model = Reader(network.Encoder(source, [int(n) for n in LAYERS.split(",")]))
    state = trained(work)
    if before:
        start = shipped.reader(before / NAME, len(model.body.layers))
        state = {name: (1 - share) * start[name].reshape(end.shape) + share * end for name, end in state.items()}
    model.load_state_dict(state)
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="the folder of the training's checkpoints")
    parser.add_argument("--shipped", type=Path, help="the folder of models that the training went on from")
    parser.add_argument("--share", type=float, default=1.0, help="how far to go from these to the trained ones (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets the artefact")
    given = parser.parse_args()

    source = e5s1.download()
    model = load(source, given.work, given.shipped, given.share)
    weights = network.exported(model.body)
    linears = map(network.linear_of, (model.dense, model.verdict, model.span))
    heads = encoder.Heads(network.array(model.kind), *linears, model.margin.item())
    data = encoder.reader(source, weights, heads)
    artefact = manifest.Artefact(
        name="reader.encoder", file=NAME,
        shape=f"embeddings f32 [sequence, {source.hidden}], shares f32 [sequence, 2] -> verdict f32 [2], spans f32 [sequence, 2]; sequence <= {source.positions}",
        licence="CC-BY-SA-4.0",
        source=f"trained from PyPI {e5s1.PACKAGE}=={e5s1.VERSION} sha256:{e5s1.WHEEL_SHA256} {e5s1.MEMBER}",
        original="intfloat/multilingual-e5-small",
        recipe=f"{TRAIN} --work WORK, eight times, each from the one before; reader.md has the options && "
        "python models/recipes/reader.py --work WORK --out models/",
        card="reader.md", data=sources_of(given.work),
    )  # fmt: skip
    manifest.write(given.out, artefact, data)
    print(f"{NAME}: {len(data):,} bytes")
    (given.out / "reader_golden.json").write_text(examples_of(source, weights, heads, Tokens(given.out)))


def examples_of(source: e5s1.Source, weights: encoder.Weights, heads: encoder.Heads, tokens: Tokens) -> str:
    """Questions and passages with what the unquantised model says of them."""
    texts = [(heading, text) for _, heading, text in golden.SENTENCES if heading]
    asked = [text for _, heading, text in golden.SENTENCES if heading is None]
    entries = []
    for n, (heading, text) in enumerate(texts):
        for question in (asked[n], asked[(n + 5) % len(texts)]):
            (example,) = examples(tokens, [(question, f"{heading}\n{text}", None)])
            rows = tokens.table[example.ids].numpy()
            kinds = np.repeat(heads.kind, [example.passage, len(rows) - example.passage], axis=0)
            hidden = reference.encode(source, weights, rows + kinds)
            q, p = hidden[: example.passage].mean(axis=0), hidden[example.passage :].mean(axis=0)
            dense = np.tanh(reference.linear(np.concatenate([q, p, q * p]), heads.dense))
            verdict = reference.linear(dense, heads.verdict)
            spans = reference.linear(hidden, heads.span)
            verdict[1] += heads.margin * (spans[example.passage :].max(axis=0) - spans[0]).sum()
            entry = {
                "question": question, "heading": heading, "text": text, "ids": example.ids,
                "verdict": [round(float(v), 4) for v in verdict],
            }  # fmt: skip
            entries.append(json.dumps(entry, ensure_ascii=False))
    return "[\n" + ",\n".join(entries) + "\n]\n"


if __name__ == "__main__":
    main()

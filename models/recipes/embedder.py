"""Makes the embedder's artefacts out of the pinned source package.

    python models/recipes/embedder.py --out models/

writes embedder.onnx, embedding.q4, tokenizer.json, golden.json and their
entries in manifest.toml. Running it again gives the same bytes.

    python models/recipes/embedder.py --work WORK --out models/

takes the encoder as `train_embedder.py` left it in WORK instead of the source's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import e5s1
import encoder
import golden
import manifest
import table
import vocabulary
from scripts import SCRIPTS

BASE = "intfloat/multilingual-e5-small"
TRAIN = "python models/recipes/train_embedder.py --train ../shared/train"
FURTHER = "--further FIRST --seed 4 --rate 6e-5 --steps 440"
# Together with Latin these are what fits a table below 30 MB.
DEFAULT_SCRIPTS = "Latin,Arabic,Devanagari,Greek,Ethiopic,Tamil,Bengali,Khmer"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets the artefacts")
    parser.add_argument(
        "--scripts", default=DEFAULT_SCRIPTS,
        help=f"Unicode scripts to keep, by name, of {', '.join(SCRIPTS)} (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--spared-letters", default=vocabulary.SPARED_LETTERS,
        help="pieces of several characters that hold one of these are dropped (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, help="the folder of a training's checkpoints")
    parser.add_argument(
        "--share", type=float, default=1.0,
        help="how far from the source's weights to the training's (default: %(default)s)",
    )  # fmt: skip
    given = parser.parse_args()
    chosen = set(given.scripts.split(","))
    if unknown := chosen - set(SCRIPTS):
        parser.error(f"no such script: {', '.join(sorted(unknown))}")

    source = e5s1.download()
    kept = vocabulary.prune(source, chosen, given.spared_letters)
    print(f"{len(kept.pieces)} of {len(source.pieces)} pieces kept:")
    for script, count in kept.counts.items():
        print(f"  {script:12} {count:7}")

    recipe = f"python models/recipes/embedder.py --scripts {given.scripts} --out models/"
    if given.spared_letters != vocabulary.SPARED_LETTERS:
        recipe += f' --spared-letters "{given.spared_letters}"'

    def write(name: str, file: str, shape: str, content: bytes, **others) -> None:
        artefact = manifest.Artefact(**{
            "name": name, "file": file, "shape": shape, "licence": "MIT",
            "source": f"PyPI {e5s1.PACKAGE}=={e5s1.VERSION} sha256:{e5s1.WHEEL_SHA256} {e5s1.MEMBER}",
            "original": BASE, "recipe": recipe, "card": "embedder.md", "data": (BASE.partition("/")[2],),
        } | others)  # fmt: skip
        manifest.write(given.out, artefact, content)
        print(f"{file}: {len(content):,} bytes")

    weights, trained = encoder.weights(source), {}
    if given.work:
        import network
        import training

        weights = network.exported(training.mixed(source, given.work, given.share))
        trained = {
            "licence": "CC-BY-SA-4.0", "data": training.sources_of(given.work),
            "recipe": f"{TRAIN} --work FIRST && {TRAIN} --work WORK {FURTHER} && {recipe} --work WORK --share {given.share}",
        }  # fmt: skip
    width, rows = source.hidden, len(kept.pieces)
    given.out.mkdir(parents=True, exist_ok=True)
    write(
        "embedder.encoder", "embedder.onnx",
        f"embeddings f32 [sequence, {width}] -> pooled f32 [{width}]; sequence <= {source.positions}",
        encoder.embedder(source, weights), **trained,
    )  # fmt: skip
    write(
        "embedder.table", "embedding.q4", f"Q4_0 [{rows}, {width}]",
        table.table(source.blocks("emb.word")[kept.rows]),
    )  # fmt: skip
    write(
        "embedder.tokenizer", "tokenizer.json", f"Unigram, {rows} pieces",
        vocabulary.tokenizer_json(kept).encode(),
    )  # fmt: skip
    (given.out / "golden.json").write_text(golden.golden(source, weights, kept))


if __name__ == "__main__":
    main()

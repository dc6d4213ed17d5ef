"""Takes the weights of a shipped artefact back, so that a training can go on from it.

Checkpoints stay where they were made; what is shipped is everywhere. int8 costs a
weight less than a hundredth of its channel's largest.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

LINEARS = ("qkv", "attention_out", "inner", "outer")
NORMS = ("attention_norm", "output_norm")
HEADS = {"dense": "dense", "verdict": "verdict.row", "span": "spans"}


def reader(path: Path, layers: int) -> dict[str, torch.Tensor]:
    """The state of a `Reader` (`train_reader.py`) as `encoder.reader` wrote it."""
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
    state = body(constants, layers)
    for name, shipped in HEADS.items():
        state |= linear(constants, shipped, name)
    # Readers of before "none of them" have no margin.
    margin = {"margin": constants["margin"][0, 1]} if "margin" in constants else {}
    return tensors(state | margin | {"kind": constants["kind"]})


def body(constants: dict[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    state = {"body.positions": constants["positions"]} | norm(constants, "embedding_norm", "body.embedding_norm")
    for index in range(layers):
        for part in LINEARS:
            state |= linear(constants, f"layer{index}.{part}", f"body.layers.{index}.{part}")
        for part in NORMS:
            state |= norm(constants, f"layer{index}.{part}", f"body.layers.{index}.{part}")
    return state


def linear(constants: dict[str, np.ndarray], name: str, to: str) -> dict[str, np.ndarray]:
    weight = constants[f"{name}.weight"].astype(np.float32) * constants.get(f"{name}.scales", np.float32(1))
    return {f"{to}.weight": weight.T, f"{to}.bias": constants[f"{name}.bias"][0]}


def norm(constants: dict[str, np.ndarray], name: str, to: str) -> dict[str, np.ndarray]:
    return {f"{to}.weight": constants[f"{name}.gain"][0], f"{to}.bias": constants[f"{name}.bias"][0]}


def tensors(state: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()}


def tags(models: Path, name: str) -> set[str]:
    """The `src` tags of the sources that the manifest names for an artefact."""
    entries = tomllib.loads((models / "manifest.toml").read_text())["artefact"]
    (data,) = (entry["data"] for entry in entries if entry["name"] == name)
    sources = tomllib.loads((models / "data.toml").read_text())["source"]
    return {tag for source in sources if source["name"] in data for tag in source["src"]}

"""What the trainings share: the schedule, the optimiser, checkpoints."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import torch
from torch import nn

import manifest
import network
from e5s1 import Source

BASE_NAME = "multilingual-e5-small"
SOURCES = "sources.json"
WARM_UP = 0.06
WEIGHT_DECAY = 0.01


class Training:
    """Steps of AdamW with a linear warm-up and a cosine decay, kept on disk.

    A checkpoint holds weights, optimiser and step; since the batch of a step
    follows from the seed and the step alone, a run that was cut goes on as if
    it had not been.
    """

    def __init__(
        self, module: nn.Module, folder: Path, rate: float, steps: int, every: int = 50,
        quick: list[nn.Parameter] = (),
    ) -> None:  # fmt: skip
        """`quick` parameters start from nothing and learn ten times faster than the others."""
        self.module, self.folder, self.steps, self.every = module, folder, steps, every
        known = {id(p) for p in quick}
        groups = [{"params": [p for p in module.parameters() if id(p) not in known], "rate": rate}]
        if quick:
            groups.append({"params": list(quick), "rate": 10 * rate})
        self.optimiser = torch.optim.AdamW(groups, lr=rate, weight_decay=WEIGHT_DECAY, fused=True)
        self.step = 0
        self.seconds = 0.0
        self.sums: dict[str, list[float]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            kept = torch.load(self.path, weights_only=True)
            module.load_state_dict(kept["module"])
            self.optimiser.load_state_dict(kept["optimiser"])
            self.step, self.seconds = kept["step"], kept["seconds"]
        self.begun = time.monotonic()

    @property
    def path(self) -> Path:
        return self.folder / "checkpoint.pt"

    def apply(self, loss: torch.Tensor, **figures: float) -> None:
        """One step down the loss; figures are averaged into the log."""
        share = self.step / self.steps
        rate = min(1.0, share / WARM_UP) * 0.5 * (1 + math.cos(math.pi * share))
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * max(rate, 0.01)
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        for name, value in {"loss": loss.item(), **figures}.items():
            self.sums.setdefault(name, []).append(value)
        if self.step % self.every == 0 or self.step == self.steps:
            self.save()

    def save(self) -> None:
        now = time.monotonic()
        self.seconds += now - self.begun
        self.begun = now
        means = {name: round(sum(v) / len(v), 4) for name, v in self.sums.items()}
        self.sums.clear()
        line = {"step": self.step, "of": self.steps, "minutes": round(self.seconds / 60, 1), **means}
        print(json.dumps(line), flush=True)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        kept = {
            "module": self.module.state_dict(), "optimiser": self.optimiser.state_dict(),
            "step": self.step, "seconds": self.seconds,
        }  # fmt: skip
        whole = self.path.with_suffix(".new")
        torch.save(kept, whole)
        whole.replace(self.path)


def keep_sources(folder: Path, tags: set[str]) -> None:
    """Notes the `src` tags of the rows that a training takes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SOURCES).write_text(json.dumps(sorted(tags)) + "\n")


def kept_sources(folder: Path) -> set[str]:
    """The tags that were noted."""
    return set(json.loads((folder / SOURCES).read_text()))


def sources_of(folder: Path) -> tuple[str, ...]:
    """What a trained model was learnt from, by the names in data.toml."""
    return (BASE_NAME, *manifest.sources(kept_sources(folder)))


def trained(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a training's last checkpoint."""
    return torch.load(folder / "checkpoint.pt", weights_only=True)["module"]


def mixed(source: Source, folder: Path, share: float) -> network.Encoder:
    """The encoder between the source's (0) and what a training made of it (1).

    In between lies more of what the source knew and the training did not show
    (Wortsman et al. 2022, arXiv 2109.01903).
    """
    module = network.Encoder(source, list(range(source.layers)))
    module.load_state_dict({
        name: before * (1 - share) + after * share
        for (name, before), after in zip(module.state_dict().items(), trained(folder).values())
    })  # fmt: skip
    return module

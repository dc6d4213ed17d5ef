"""Tokens and their embeddings, as the daemon makes them."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer

from table import Table

PAD = 1


class Tokens:
    """The shipped vocabulary and its frozen word table, f32 `[pieces, width]`."""

    def __init__(self, models: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(models / "tokenizer.json"))
        self.table = torch.tensor(Table(models / "embedding.q4").of(slice(None)))

    def cut(self, texts: list[str], limit: int) -> list[list[int]]:
        """The ids of each text, the two that mark its ends included, at most `limit`."""
        found = [e.ids for e in self.tokenizer.encode_batch(texts)]
        return [ids if len(ids) <= limit else ids[: limit - 1] + ids[-1:] for ids in found]

    def embedded(self, ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token embeddings `[batch, sequence, width]`, and which of them are no padding."""
        longest = max(map(len, ids))
        padded = torch.tensor([row + [PAD] * (longest - len(row)) for row in ids])
        there = torch.arange(longest) < torch.tensor([[len(row)] for row in ids])
        return self.table[padded], there

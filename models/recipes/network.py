"""The encoder in PyTorch, for training: the same arithmetic as the ONNX graph.

The word table stays as the package has it, 4-bit and frozen, so that embedder
and reader share one file of it; positions, norms and layers are trained.
Texts are padded to their batch's longest and masked.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import encoder
import e5s1


class Dropout(nn.Module):
    """Dropout whose masks are windows of one drawn in advance: drawing each anew takes an eighth of a step."""

    DRAWN = 1 << 24

    def __init__(self, share: float) -> None:
        super().__init__()
        self.drawn = (torch.rand(self.DRAWN) >= share).to(torch.bfloat16) / (1 - share) if share else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.drawn is None or not self.training:
            return x
        begin = int(torch.randint(self.DRAWN - x.numel(), ()))
        return x * self.drawn[begin : begin + x.numel()].view(x.shape)


class Layer(nn.Module):
    """One transformer layer, normalised after each half."""

    def __init__(self, width: int, feed_forward: int, heads: int, epsilon: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, Dropout(dropout)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.inner = nn.Linear(width, feed_forward)
        self.outer = nn.Linear(feed_forward, width)
        self.output_norm = nn.LayerNorm(width, epsilon)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        batch, sequence, width = x.shape
        qkv = self.qkv(x).view(batch, sequence, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        # The scale 1/sqrt(head size) stands in the query's weights.
        scores = q @ k.transpose(2, 3)
        if mask is not None:
            scores = scores + mask.to(scores.dtype)
        context = scores.softmax(-1).to(v.dtype) @ v
        joined = context.transpose(1, 2).reshape(batch, sequence, width)
        x = self.attention_norm(x + self.dropout(self.attention_out(joined)))
        return self.output_norm(x + self.dropout(self.outer(F.gelu(self.inner(x)))))


class Encoder(nn.Module):
    """Token embeddings `[batch, sequence, width]` to hidden states of the same shape."""

    def __init__(self, source: e5s1.Source, layers: list[int], dropout: float = 0.0) -> None:
        super().__init__()
        weights = encoder.weights(source)
        width = source.hidden
        self.positions = nn.Parameter(torch.tensor(weights.positions))
        self.embedding_norm = nn.LayerNorm(width, source.epsilon)
        load_norm(self.embedding_norm, weights.embedding_norm)
        self.layers = nn.ModuleList()
        for index in layers:
            layer = Layer(width, source.feed_forward, source.heads, source.epsilon, dropout)
            for name in ("qkv", "attention_out", "inner", "outer"):
                load_linear(getattr(layer, name), getattr(weights.layers[index], name))
            for name in ("attention_norm", "output_norm"):
                load_norm(getattr(layer, name), getattr(weights.layers[index], name))
            self.layers.append(layer)

    def forward(self, embedded: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """`there` `[batch, sequence]` is true for tokens and false for padding."""
        x = self.embedding_norm(embedded + self.positions[: embedded.shape[1]])
        mask = None if there.all() else torch.where(there, 0.0, -1e9)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x


def mean(hidden: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """The mean over the tokens, at length 1: a text's embedding."""
    summed = (hidden * there[..., None]).float().sum(1)
    return F.normalize(summed / there.sum(1, keepdim=True), dim=-1)


def exported(module: Encoder) -> encoder.Weights:
    """The trained weights as the ONNX recipe takes them."""
    return encoder.Weights(
        positions=array(module.positions),
        embedding_norm=norm_of(module.embedding_norm),
        layers=[
            encoder.Layer(
                qkv=linear_of(l.qkv), attention_out=linear_of(l.attention_out),
                attention_norm=norm_of(l.attention_norm), inner=linear_of(l.inner),
                outer=linear_of(l.outer), output_norm=norm_of(l.output_norm),
            )
            for l in module.layers
        ],
    )  # fmt: skip


def array(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().float().numpy()


def linear_of(layer: nn.Linear) -> encoder.Linear:
    return encoder.Linear(array(layer.weight).T, array(layer.bias))


def norm_of(layer: nn.LayerNorm) -> encoder.Norm:
    return encoder.Norm(array(layer.weight), array(layer.bias))


def load_linear(layer: nn.Linear, given: encoder.Linear) -> None:
    layer.weight.data.copy_(torch.tensor(given.weight.T.copy()))
    layer.bias.data.copy_(torch.tensor(given.bias))


def load_norm(layer: nn.LayerNorm, given: encoder.Norm) -> None:
    layer.weight.data.copy_(torch.tensor(given.gain))
    layer.bias.data.copy_(torch.tensor(given.bias))

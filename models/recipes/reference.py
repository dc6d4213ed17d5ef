"""The encoders in NumPy, unquantised: what the int8 graph is measured against.

The weights are those of the source, expanded to f32; the arithmetic is f64, so
that the golden vectors do not depend on a machine's BLAS.
"""

from __future__ import annotations

import math

import numpy as np

from e5s1 import Source
from encoder import Linear, Norm, Weights


def embed(source: Source, weights: Weights, tokens: np.ndarray) -> np.ndarray:
    """The unit embedding of one text, from its tokens' embeddings `[sequence, hidden]`."""
    pooled = encode(source, weights, tokens).mean(axis=0)
    return pooled / np.linalg.norm(pooled)


def encode(source: Source, weights: Weights, tokens: np.ndarray) -> np.ndarray:
    """The last hidden states `[sequence, hidden]`."""
    tokens = tokens.astype(np.float64)
    x = norm(tokens + weights.positions[: len(tokens)], weights.embedding_norm, source.epsilon)
    for layer in weights.layers:
        context = attend(linear(x, layer.qkv), source.heads)
        x = norm(x + linear(context, layer.attention_out), layer.attention_norm, source.epsilon)
        inner = gelu(linear(x, layer.inner))
        x = norm(x + linear(inner, layer.outer), layer.output_norm, source.epsilon)
    return x


def linear(x: np.ndarray, l: Linear) -> np.ndarray:
    return x @ l.weight + l.bias


def attend(qkv: np.ndarray, heads: int) -> np.ndarray:
    """Scaled dot-product attention; the scale is in the query's weights."""
    length, width = qkv.shape[0], qkv.shape[1] // 3
    q, k, v = (
        part.reshape(length, heads, -1).transpose(1, 0, 2) for part in np.split(qkv, 3, axis=1)
    )
    scores = q @ k.transpose(0, 2, 1)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    attention = scores / scores.sum(axis=-1, keepdims=True)
    return (attention @ v).transpose(1, 0, 2).reshape(length, width)


def norm(x: np.ndarray, n: Norm, epsilon: float) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + epsilon) * n.gain + n.bias


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + erf(x * math.sqrt(0.5)))


erf = np.vectorize(math.erf, otypes=[np.float64])

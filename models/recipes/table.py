"""The embedding table as a file that the daemon maps into memory.

`embedding.q4`, little-endian: a header of 64 bytes

    "JBQ4", u32 version (1), u32 rows, u32 width, u32 block (32), zeros

and then the rows in the order of the token ids, each `width / block` Q4_0
blocks as in the source, bit for bit: an f16 scale, then 16 bytes whose low
nibbles are elements 0-15 and whose high nibbles are 16-31, each minus 8.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from e5s1 import BLOCK, BLOCK_BYTES, expand

HEADER_BYTES = 64


def table(blocks: np.ndarray) -> bytes:
    """The file's bytes for rows of Q4_0 blocks, `[rows, bytes a row]`."""
    width = blocks.shape[1] // BLOCK_BYTES * BLOCK
    header = struct.pack("<4s4I", b"JBQ4", 1, len(blocks), width, BLOCK)
    return header.ljust(HEADER_BYTES, b"\0") + blocks.tobytes()


class Table:
    """The file, read again."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        rows, self.width = struct.unpack_from("<2I", raw, 8)
        self.blocks = np.frombuffer(raw, np.uint8, offset=HEADER_BYTES).reshape(rows, -1)

    def of(self, ids: list[int] | slice) -> np.ndarray:
        """The tokens' embeddings, f32 `[tokens, width]`."""
        return expand(self.blocks[ids]).reshape(-1, self.width)

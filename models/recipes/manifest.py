"""`manifest.toml`: what each artefact is, and the hash that the daemon insists on."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

HEAD = """\
# Written by the recipes in recipes/. The daemon opens an artefact only when its
# hash is the one given here.
"""


@dataclass(frozen=True)
class Artefact:
    """One file that the daemon runs, with where it comes from."""

    name: str
    file: str
    shape: str
    licence: str
    source: str
    original: str
    recipe: str


def write(folder: Path, artefact: Artefact, data: bytes) -> None:
    """Writes the file and its entry; the entries of other recipes stay."""
    (folder / artefact.file).write_bytes(data)
    path = folder / "manifest.toml"
    entries = tomllib.loads(path.read_text())["artefact"] if path.exists() else []
    entry = vars(artefact) | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    names = [e["name"] for e in entries]
    if artefact.name in names:
        entries[names.index(artefact.name)] = entry
    else:
        entries.append(entry)
    path.write_text(HEAD + "".join(map(render, entries)))


def render(entry: dict) -> str:
    """An entry as TOML; a JSON string or integer is a TOML one too."""
    order = ("name", "file", "sha256", "bytes", "shape", "licence", "source", "original", "recipe")
    lines = "".join(f"{key} = {json.dumps(entry[key], ensure_ascii=False)}\n" for key in order)
    return f"\n[[artefact]]\n{lines}"

"""`manifest.toml`: what each artefact is, and the hash that the daemon insists on.

    python models/recipes/manifest.py ranking.parameters

prints the rows of the artefact's data for its card.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent
HEAD = """\
# Written by the recipes in recipes/. The daemon opens an artefact only when its
# hash is the one given here; `jibu-eval openness` checks the rest. `data` names
# entries of data.toml.
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
    card: str
    """A Markdown file beside the manifest, in the form that README.md gives."""
    data: tuple[str, ...]
    """What the parameters were learnt from: names in data.toml, of models too."""


def sources(tags: Iterable[str]) -> tuple[str, ...]:
    """The names in data.toml of the sources whose rows carry these `src` tags."""
    wanted = {tag.removesuffix("+neg") for tag in tags}
    known = tomllib.loads((MODELS / "data.toml").read_text())["source"]
    if unknown := wanted - {tag for source in known for tag in source["src"]}:
        raise ValueError(f"models/data.toml has no source for the rows tagged {', '.join(sorted(unknown))}")
    return tuple(source["name"] for source in known if wanted & set(source["src"]))


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
    """An entry as TOML; a JSON string, integer or list of strings is a TOML one too."""
    order = [field.name for field in fields(Artefact)]
    order[2:2] = ["sha256", "bytes"]
    lines = "".join(f"{key} = {json.dumps(entry[key], ensure_ascii=False)}\n" for key in order if key in entry)
    return f"\n[[artefact]]\n{lines}"


def card_rows(name: str) -> str:
    """The sources of an artefact as rows of a Markdown table."""
    entries = tomllib.loads((MODELS / "manifest.toml").read_text())["artefact"]
    known = tomllib.loads((MODELS / "data.toml").read_text())
    named = {entry["name"]: entry for kind in ("base", "source") for entry in known[kind]}
    chosen = [named[data] for entry in entries if entry["name"] == name for data in entry["data"]]
    return "".join(f"| [{e['title']}]({e['from']}) | {e['licence']} |\n" for e in chosen)


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        print(card_rows(wanted), end="")

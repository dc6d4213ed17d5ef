"""Text as somebody in a hurry types it on a keypad."""

from __future__ import annotations

import random

Abbreviations = dict[str, dict[str, int]]
"""Of a word its spellings in real SMS, with how often each was counted."""


def noisy(rng: random.Random, text: str, abbreviations: Abbreviations, share: float = 0.45) -> str:
    """Abbreviates words and misspells `share` of the longer ones."""
    words = []
    for word in text.lower().rstrip("?").split():
        core = word.strip(".,;:!?\"'()")
        if core in abbreviations and rng.random() < 0.7:
            spellings = abbreviations[core]
            word = rng.choices(list(spellings), list(spellings.values()))[0]
        elif core.isalpha() and len(core) > 3 and rng.random() < share:
            kind, at = rng.randrange(5), rng.randrange(1, len(core) - 1)
            if kind == 0:
                word = core[:at] + core[at + 1 :]
            elif kind == 1:
                word = core[:at] + core[at + 1] + core[at] + core[at + 2 :]
            elif kind == 2:
                word = core[0] + "".join(c for c in core[1:-1] if c not in "aeiou") + core[-1]
            elif kind == 3:
                word = core[:at] + core[at] + core[at:]
            else:
                word = core[:at] + rng.choice("abcdefghijklmnoprstuvwyz") + core[at + 1 :]
        words.append(word)
    return " ".join(words)

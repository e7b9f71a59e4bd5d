"""What a person may have meant by a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 3
LEAST = 3  # letters of a word that is looked for inside of names


def near(word: str, known: Iterable[str]) -> list[str]:
    """The known names that are most like the word, the likest first, at most three.

    Upper case, `-` for `_` and a missing or additional part of the name count little.
    """
    plain: dict[str, str] = {}
    for name in known:
        if name == word:  # it is known, and what was wanted is something else
            continue
        plain.setdefault(_plain(name), name)
    asked = _plain(word)
    matches = get_close_matches(asked, plain, SHOWN, 0.7)
    if len(asked) >= LEAST:
        matches += sorted((p for p in plain if asked in p), key=lambda p: (not p.startswith(asked), len(p), p))
        matches += [p for p in get_close_matches(asked, plain, SHOWN, 0.6) if p[0] == asked[0]]
    return [plain[p] for p in dict.fromkeys(matches)][:SHOWN]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`Did you mean a, b?` where a known name is like the word; then what else helps, if anything does."""
    names = near(word, known)
    question = f"Did you mean {', '.join(names)}?" if names else ""
    return " ".join(filter(None, (question, otherwise)))


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")

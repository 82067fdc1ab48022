"""The known name nearest to a mistyped one, for messages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name of ``known`` most like ``name`` regardless of case; None when none is alike."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``nearest is `x```, or the list of what is known when nothing is alike."""
    names = tuple(known)
    found = nearest(name, names)
    return f"nearest is `{found}`" if found else f"known are {', '.join(f'`{each}`' for each in names) or 'none'}"

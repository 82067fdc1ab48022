"""What names the rows of a company: one digest over all tables, whatever the order of the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from features.contract import TABLES


def digest_of(tables: Mapping[str, tuple[Sequence[str], Sequence[int]]]) -> str:
    """Return the SHA-256 of tables given by their columns (without ``known_at``) and ``Tables.sums``.

    Sums of parts of a table may be added up before, number by number.
    """
    content = hashlib.sha256()
    for name in (each for each in TABLES if each in tables):
        columns, sums = tables[name]
        named = ",".join((*sorted(columns), "known_at"))
        content.update(f"{name}({named})={'/'.join(str(each) for each in sums)}\n".encode())
    return content.hexdigest()

"""The digest of rows that were counted part by part is that of all rows at once."""

from __future__ import annotations

from random import Random

from features.accepted import accepted
from features.digest import digest_of
from tests.oracle.companies import company, taken_in


def test_sums_of_parts_add_up_to_the_digest_of_the_whole() -> None:
    whole = taken_in(company(Random(4)))
    sums = {}
    for name in whole.names:
        rows = whole.arrow(name, (*whole.columns(name), "known_at"))
        parts = [accepted({name: rows.slice(start, 40)}) for start in range(0, len(rows), 40)]
        sums[name] = whole.columns(name), [sum(each) for each in zip(*(part.sums(name) for part in parts), strict=True)]
    assert len(sums) > 1
    assert digest_of(sums) == whole.digest
    assert digest_of({**sums, "orders": (sums["orders"][0], [0, 0, 0])}) != whole.digest

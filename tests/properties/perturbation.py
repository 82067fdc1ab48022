"""Changes to a company that nobody could know of before a cutoff: whatever they do, no feature may move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from features.history import History, load_history
from tests.oracle.companies import Company, Row, company, day_of, known_of, new_rows, some_cutoffs, taken_in

LATER_FACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {"paid_on": ()},
    "complaints": {"closed_on": ("goodwill_amount", "satisfied")},
    "contracts": {"ends_on": (), "cancelled_on": ()},
    "customers": {"since": ()},
}
"""Per table: a date on which a row that is known already changes, and the columns known only from then on."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One company as it was and with its future changed; nothing known before ``cutoff`` differs."""

    cutoff: date
    before: History
    after: History


def trials(seed: int, *, count: int) -> list[Trial]:
    """Return so many trials; one change of the future is looked at from its own cutoff and from earlier ones."""
    random, made = Random(seed), list[Trial]()
    while len(made) < count:
        plain = company(random)
        before = load_history(taken_in(plain))
        for _ in range(4):
            cutoffs = some_cutoffs(random, plain, count=4)[-3:]
            after = load_history(taken_in(perturbed(random, plain, cutoffs[-1])))
            made += [Trial(cutoff=cutoff, before=before, after=after) for cutoff in cutoffs]
    return made[:count]


def perturbed(random: Random, made: Company, cutoff: date) -> Company:
    """Insert, delete, change and duplicate rows known on or after ``cutoff``, in every table."""
    changed: dict[str, list[Row]] = {}
    for table, rows in made.items():
        known = [dict(row) for row in rows if known_of(table, row) < cutoff]
        late = [dict(row) for row in rows if known_of(table, row) >= cutoff]
        for change in (deleted, altered, duplicated, inserted):
            late = change(random, table, late, cutoff)
        kept = [_with_another_future(random, table, row, cutoff) for row in known]
        changed[table] = [*kept, *late]
        random.shuffle(changed[table])
    return changed


def deleted(random: Random, table: str, late: list[Row], cutoff: date) -> list[Row]:
    """Return about two thirds of the late rows."""
    return [row for row in late if random.random() < 0.66]


def altered(random: Random, table: str, late: list[Row], cutoff: date) -> list[Row]:
    """Replace what every third late row says; it stays late."""
    return [_other(random, table, row, cutoff) if random.random() < 0.33 else row for row in late]


def duplicated(random: Random, table: str, late: list[Row], cutoff: date) -> list[Row]:
    """Repeat up to three late rows exactly."""
    return late + [dict(row) for row in random.sample(late, min(len(late), random.randrange(4)))]


def inserted(random: Random, table: str, late: list[Row], cutoff: date) -> list[Row]:
    """Add late events of old and of new customers, dated before, on and after the cutoff."""
    customers = [f"K{number:03d}" for number in range(-2, 14)]
    rows = [row for _ in range(12) for row in new_rows(random, table, random.choice(customers))]
    return late + [{**row, "known_at": _late(random, table, row, cutoff)} for row in rows]


CHANGES: tuple[Callable[[Random, str, list[Row], date], list[Row]], ...] = (deleted, altered, duplicated, inserted)


def _late(random: Random, table: str, row: Row, cutoff: date) -> date:
    """Return a day of knowledge on or after the cutoff, the cutoff itself in every second case."""
    first = cutoff + timedelta(days=random.choice((0, 0, 0, 1, 30, 400)))
    return max(first, day_of(table, row))


def _other(random: Random, table: str, row: Row, cutoff: date) -> Row:
    other: Row = {**row, **new_rows(random, table, row["customer_id"])[0]}
    key = {"complaints": "complaint_id", "contacts": "contact_id", "orders": "order_id"}.get(table)
    return {**other, "known_at": _late(random, table, other, cutoff), **({key: row[key]} if key else {})}


def _with_another_future(random: Random, table: str, row: Row, cutoff: date) -> Row:
    """Change what a known row says about days on or after the cutoff: settled, ended or cancelled then."""
    for later, dependents in LATER_FACTS.get(table, {}).items():
        if row[later] is None or row[later] >= cutoff:
            day = max(cutoff, day_of(table, row)) + timedelta(days=random.choice((0, 1, 90)))
            told: dict[str, Any] = {later: random.choice((None, day))}
            told |= {name: new_rows(random, table, row["customer_id"])[0][name] for name in dependents}
            row = {**row, **told}
    return row

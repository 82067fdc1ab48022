"""The naive norms: what is usual in the company at one cutoff, from the plain rows of all who had bought by then."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.known import YEAR, Snapshot, mean, ratio, total, within


@dataclass(frozen=True, kw_only=True)
class Norms:
    """Norms of the company; None where nothing can be said. Turnover in cents."""

    season_share: float | None
    days_to_close: float | None
    days_to_answer: float | None
    discount: float | None
    days_late: float | None
    a_turnover: int | None
    b_turnover: int | None
    contacts: tuple[float | None, float | None, float | None]
    told: dict[str, dict[str, float]]

    def class_of(self, turnover: int) -> int:
        """Return 0 for class A, 1 for B, 2 for C, by turnover of 364 days."""
        if self.a_turnover is None or self.b_turnover is None:
            return 2
        return 0 if turnover >= self.a_turnover else 1 if turnover >= self.b_turnover else 2


def norms_of(snapshots: Sequence[Snapshot]) -> Norms:
    """Return the norms learned from the snapshots of all customers at one cutoff."""
    from tests.oracle.naive_complaints import answers
    from tests.oracle.naive_losses import told_of
    from tests.oracle.naive_payments import paid_within
    from tests.oracle.naive_prices import priced_within

    bought = [each for each in snapshots if each.purchases]
    closed = [row for each in bought for row in within(each, each.settlements, YEAR)]
    answered = [row["waited"] for each in bought for row in within(each, answers(each), YEAR)]
    priced = [row for each in bought for row in priced_within(each, YEAR)]
    turnovers = [sum(row["amount"] for row in within(each, each.bookings, YEAR)) for each in bought]
    borders = _border(turnovers, 0.8), _border(turnovers, 0.95)
    norms = Norms(
        season_share=_season_share(bought),
        days_to_close=mean([(row["closed_on"] - row["opened"]).days for row in closed]),
        days_to_answer=mean(answered),
        discount=ratio(total(priced, "given"), total(priced, "listed")),
        days_late=mean([(row["paid"] - row["due"]).days for each in bought for row in paid_within(each, YEAR)]),
        a_turnover=borders[0],
        b_turnover=borders[1],
        contacts=(None, None, None),
        told=told_of(bought),
    )
    spoken: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for each, turnover in zip(bought, turnovers, strict=True):
        if turnover > 0:
            spoken[norms.class_of(turnover)].append(len(within(each, each.contacts, YEAR)))
    return Norms(**{**vars(norms), "contacts": tuple(mean(counts) for counts in spoken.values())})


def _season_share(bought: Sequence[Snapshot]) -> float | None:
    season = sum(row["amount"] for each in bought for row in within(each, each.bookings, 91, ago=YEAR))
    year = sum(row["amount"] for each in bought for row in within(each, each.bookings, YEAR, ago=91))
    return season / year if year > 0 else None


def _border(turnovers: list[int], share: float) -> int | None:
    """Least turnover of the fewest customers, the largest first, who together bring this share."""
    ranked = sorted((each for each in turnovers if each > 0), reverse=True)
    reached = itertools.accumulate(ranked)
    return next((each for each, so_far in zip(ranked, reached, strict=True) if so_far >= share * sum(ranked)), None)

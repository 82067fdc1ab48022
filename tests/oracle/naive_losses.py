"""The naive features of the group losses; customers count as active for 180 days, the default."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from tests.oracle.known import FEATURES, Row, Snapshot, Value, age_of_last, naive

ACTIVE_DAYS, GRACE_DAYS = 180, 30
CAUSES = ("price", "service", "quality", "delivery", "contact_person", "competitor")


def _note(snapshot: Snapshot) -> Row | None:
    """The last loss noted, of a customer who is silent for too long and has not bought since."""
    silent, noted = age_of_last(snapshot, snapshot.purchases), age_of_last(snapshot, snapshot.losses)
    if silent is None or noted is None or silent <= ACTIVE_DAYS or noted - silent >= GRACE_DAYS:
        return None
    return _last(snapshot)


def _last(snapshot: Snapshot) -> Row | None:
    """The last loss noted; of one day the note that was known last, then in the order of what they say."""
    return max(
        snapshot.losses,
        key=lambda row: (row["day"], row["known"], _opinion(row), row["source"] != "inferred", _cause(row)),
        default=None,
    )


def _cause(row: Row) -> int:
    reason = (row["reason"] or "").lower()
    return CAUSES.index(reason) + 1 if reason in CAUSES else 0


def _opinion(row: Row) -> int:
    """Rows of one day lie in the order no opinion, hopeless, winnable."""
    return 0 if row["winnable"] is None else 1 + int(row["winnable"])


@naive("losses")
def winnable(snapshot: Snapshot) -> Value:
    note = _note(snapshot)
    return None if note is None else {0: 0, 1: -1, 2: 1}[_opinion(note)]


@naive("losses")
def losses_told(snapshot: Snapshot) -> Value:
    note = _note(snapshot)
    return None if note is None else int(note["source"] != "inferred")


# --- What comparable customers told ---------------------------------------------------------------------------------


def peer_group(snapshot: Snapshot, fact: str) -> str:
    """The group in which a customer is compared; empty where it is not known."""
    master = snapshot.customer or {}
    text = (master.get("postcode" if fact == "region" else fact) or "").strip()
    return text[:2] if fact == "region" else text.lower()


def told_cause(snapshot: Snapshot) -> str:
    """The cause a customer told about the last loss, if it is one of two years; else empty."""
    note = _last(snapshot)
    if note is None or note["source"] == "inferred" or snapshot.age(note) > 728:
        return ""
    return CAUSES[_cause(note) - 1] if _cause(note) else ""


def told_of(bought: Sequence[Snapshot]) -> dict[str, dict[str, float]]:
    """Share per cause: under "" that of all, under "fact=group" how far the group departs from it."""
    found: dict[str, dict[str, float]] = {cause: {} for cause in CAUSES}
    for cause in CAUSES:
        told = [told_cause(each) == cause for each in bought]
        found[cause][""] = sum(told) / len(bought) if bought else 0.0
        for fact in ("industry", "size", "region"):
            groups: dict[str, list[bool]] = {}
            for each, has in zip(bought, told, strict=True):
                if peer_group(each, fact):
                    groups.setdefault(peer_group(each, fact), []).append(has)
            found[cause] |= {f"{fact}={group}": apart for group, apart in _departures(groups).items()}
    return found


def _departures(groups: dict[str, list[bool]]) -> dict[str, float]:
    """Kleinman's moments, in fractions."""
    count = sum(len(each) for each in groups.values())
    told = sum(sum(each) for each in groups.values())
    if told in (0, count):
        return dict.fromkeys(groups, 0.0)
    share = Fraction(told, count)
    rates = {group: Fraction(sum(each), len(each)) for group, each in groups.items()}
    spread = sum(len(groups[group]) * (rate - share) ** 2 for group, rate in rates.items()) / (share * (1 - share))
    free = len(groups) - 1
    spare = count - Fraction(sum(len(each) ** 2 for each in groups.values()), count)
    if spare <= free:
        return dict.fromkeys(groups, 0.0)
    between = min(max((spread - free) / (spare - free), Fraction(0)), Fraction(1))
    weights = {group: len(each) * between / (1 - between + len(each) * between) for group, each in groups.items()}
    return {group: float(weights[group] * (rate - share)) for group, rate in rates.items()}


def _others(snapshot: Snapshot, cause: str) -> Value:
    known = snapshot.norms.told[cause]
    groups = (f"{fact}={peer_group(snapshot, fact)}" for fact in ("industry", "size", "region"))
    return float(max(known[""] + sum(known.get(group, 0.0) for group in groups), 0.0))


FEATURES.update({f"losses__others_{cause}": partial(_others, cause=cause) for cause in CAUSES})

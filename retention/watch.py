"""The watch over every customer: from the state before and what is known this morning to the state now.

    watched   active, not on the list
    listed    on the early-warning list
    waiting   at risk enough for the list, but others have more at stake
    resting   left the list or was worked on; is left in peace until ``rest_until``
    barred    may not be contacted through any channel
    lost      no longer active; frozen until the next purchase
    returned  active again after a loss, for one run

A customer comes on the list at ``enter_odds`` and leaves it below ``leave_odds``: between the two nothing changes
(hysteresis). Time is an argument; the same state and the same facts give the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention.segments import odds_ratio

State = Literal["watched", "listed", "waiting", "resting", "barred", "lost", "returned"]
DAYS = ("since", "listed_since", "last_listed_on", "rest_until", "lost_on")
STATE_COLUMNS = ("state", *DAYS)
"""What is remembered of a customer: the state; the first cutoff of it; the first cutoff of the unbroken row of lists
(missing when not listed); the last cutoff on a list; the day the rest ends; the day of the loss."""
FACTS = ("is_active", "probability", "stake", "may_contact", "worked_on", "lost_on")
"""What is known of a customer this morning, see :func:`move`."""

Mask = NDArray[np.bool_]
Days = NDArray[np.datetime64]
_NEVER = np.datetime64("NaT", "D")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a customer comes on the list and leaves it.

    Attributes
    ----------
    size : int
        Most customers on the list.
    enter_odds, leave_odds : float
        Odds of a loss over the odds of the base rate: on the list from the first on, off it below the second.
    hold_share : float
        A listed customer's stake counts so much more when places are scarce (0.25 is 25 %).
    rest_days : int
        Days without a new listing after leaving the list or having been worked on.
    """

    size: int
    enter_odds: float
    leave_odds: float
    hold_share: float
    rest_days: int


def nobody_yet() -> pd.DataFrame:
    """Return the states before the first run: none."""
    columns: dict[str, Any] = {"state": pd.Series(dtype="str"), **{day: pd.Series(dtype="M8[s]") for day in DAYS}}
    return pd.DataFrame(columns, index=pd.Index([], name="customer_id", dtype="str"))


def move(before: pd.DataFrame, facts: pd.DataFrame, *, cutoff: date, base_rate: float, rules: Rules) -> pd.DataFrame:
    """Return the state of every customer at ``cutoff``.

    Parameters
    ----------
    before : DataFrame with ``STATE_COLUMNS``, index customer_id
        States at the run before; who is missing is new.
    facts : DataFrame with ``FACTS``, index customer_id
        is_active: in the cohort of the active. probability: chance of loss, missing when not active. stake: what is at
        stake [currency], the order of the list. may_contact: through one channel at least. worked_on: last day a
        measure reached the customer, before ``cutoff``. lost_on: day of the loss, of those who are not active.
    cutoff : date
    base_rate : float in [0, 1]
        Share of the cohort that is lost.
    rules : Rules

    Returns
    -------
    DataFrame with ``STATE_COLUMNS``, index as ``facts``
    """
    day = np.datetime64(cutoff, "D")
    known = before.reindex(facts.index)
    was, rest = known["state"].astype(object).to_numpy(), _rest(known, facts, rules)
    ratio = odds_ratio(facts["probability"].to_numpy(np.float64), base_rate=base_rate)
    aim = _aims(was, facts, ratio, is_resting=day < rest, rules=rules)
    state = _within_size(aim, was, facts, rules)
    fell = (state == "resting") & ~(day < rest)
    rest_until = np.where(fell, day + np.timedelta64(rules.rest_days, "D"), rest)
    return _remembered(known, facts, state, day=day, rest_until=rest_until)


def _rest(known: pd.DataFrame, facts: pd.DataFrame, rules: Rules) -> Days:
    """Day the rest ends: the later of what was decided before and ``rest_days`` after the last work."""
    worked = _days(facts["worked_on"]) + np.timedelta64(rules.rest_days, "D")
    return np.fmax(_days(known["rest_until"]), worked)


def _aims(
    was: NDArray[np.object_], facts: pd.DataFrame, ratio: NDArray[np.float64], *, is_resting: Mask, rules: Rules
) -> NDArray[np.object_]:
    """Return the state each would take if the list had no end; the first condition that holds decides."""
    was_listed = was == "listed"
    may_contact = facts["may_contact"].to_numpy(bool)
    rests = rules.rest_days > 0
    order: list[tuple[State, Mask]] = [
        ("lost", ~facts["is_active"].to_numpy(bool)),
        ("returned", was == "lost"),
        ("barred", ~may_contact),
        ("resting", is_resting),
        ("listed", was_listed & (ratio >= rules.leave_odds)),
        ("resting", was_listed & rests),
        ("listed", ~was_listed & (ratio >= rules.enter_odds)),
    ]
    aims: NDArray[np.object_] = np.select(
        [holds for _, holds in order],
        [np.array(state, dtype=object) for state, _ in order],
        np.array("watched", object),
    )
    return aims


def _within_size(
    aim: NDArray[np.object_], was: NDArray[np.object_], facts: pd.DataFrame, rules: Rules
) -> NDArray[np.object_]:
    """Return the states with the places given to those with most at stake; the others wait."""
    stake = np.nan_to_num(facts["stake"].to_numpy(np.float64), nan=-np.inf)
    claim = np.where((was == "listed") & (stake > 0), stake * (1 + rules.hold_share), stake)
    rows = np.flatnonzero(aim == "listed")
    falling = rows[np.lexsort((facts.index.to_numpy(dtype=object)[rows].astype("U"), -claim[rows]))]
    state = aim.copy()
    state[falling[rules.size :]] = "waiting"
    return state


def _remembered(
    known: pd.DataFrame, facts: pd.DataFrame, state: NDArray[np.object_], *, day: np.datetime64, rest_until: Days
) -> pd.DataFrame:
    is_listed, is_lost = state == "listed", state == "lost"
    stayed = state == known["state"].astype(object).to_numpy()
    lost = np.where(stayed & is_lost, _days(known["lost_on"]), np.fmin(_days(facts["lost_on"]), day))
    columns = {
        "since": np.where(stayed, _days(known["since"]), day),
        "listed_since": np.where(is_listed, np.where(stayed, _days(known["listed_since"]), day), _NEVER),
        "last_listed_on": np.where(is_listed, day, _days(known["last_listed_on"])),
        "rest_until": np.where(is_listed | is_lost | ~(rest_until > day), _NEVER, rest_until),
        "lost_on": np.where(is_lost, np.where(np.isnat(lost), day, lost), _NEVER),
    }
    dated = {name: pd.Series(values.astype("M8[s]"), index=facts.index) for name, values in columns.items()}
    return pd.DataFrame({"state": pd.Series(state, index=facts.index, dtype="str"), **dated})


def _days(column: pd.Series) -> Days:
    return np.asarray(pd.to_datetime(column).to_numpy(), dtype="M8[D]")


def listed_of(states: pd.DataFrame) -> Sequence[str]:
    """Return the customers on the list, in the order of the states."""
    return [str(customer) for customer in states.index[(states["state"] == "listed").to_numpy(bool)]]

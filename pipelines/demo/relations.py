"""What passes between the demo company and its customers: complaints, contacts, feedback."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.demo.clock import DAYS, NEVER, Clock, Floats, Ints, renewals
from pipelines.demo.lives import Lives
from pipelines.demo.orders import FIRST_CUSTOMER
from pipelines.demo.words import (
    CHANNELS,
    COMPLAINT_CATEGORIES,
    FIRST_NAMES,
    KINDS,
    SURNAMES,
    TOPICS_IN,
    TOPICS_OUT,
    worded,
)

GAP, PERSON, UNRESOLVED, SERVICE = (
    KINDS.index(kind) for kind in ("contact_gap", "contact_person_change", "complaint_unresolved", "service")
)
_TOPICS = (*TOPICS_OUT, *TOPICS_IN, "Reklamation", "Rückgewinnung", "Preisgespräch")
_COMPLAINT, _WIN_BACK, _PRICE = (_TOPICS.index(topic) for topic in ("Reklamation", "Rückgewinnung", "Preisgespräch"))
_PURPOSES = ("sales", "service")


def complaint_rows(rng: np.random.Generator, *, lives: Lives, who: Ints, day: Ints) -> pd.DataFrame:
    """Return complaints as numbers: those that orders bring, and those that the planted incidents bring."""
    chance = np.where(lives.costly, 0.08, 0.022)[who]
    some = rng.random(len(who)) < chance
    rows = [_usual_complaints(rng, who=who[some], day=day[some] + rng.integers(2, 12, int(some.sum())))]
    rows.append(_bad_complaints(rng, lives))
    rows.extend(_service_complaints(rng, lives, nth=nth) for nth in range(3))
    complaints = pd.concat(rows, ignore_index=True)
    complaints = complaints[complaints["day"] < DAYS]
    late = rng.random(len(complaints)) < 0.08
    complaints["known"] = complaints["day"] + np.where(late, rng.integers(8, 35, len(complaints)), 0)
    complaints = complaints[complaints["known"] < DAYS]
    return complaints.sort_values(["day", "who"], kind="stable", ignore_index=True)


def _usual_complaints(rng: np.random.Generator, *, who: Ints, day: Ints) -> pd.DataFrame:
    """Return complaints that are settled within days, mostly to the customer's satisfaction."""
    closed = day + 1 + (rng.standard_gamma(2.0, len(who)) * 4).astype(np.int64)
    severity = rng.choice(np.arange(1, 6), p=[0.3, 0.35, 0.2, 0.1, 0.05], size=len(who))
    return _complaints(rng, who, day, closed=closed, severity=severity, content=np.full(len(who), 0.8))


def _bad_complaints(rng: np.random.Generator, lives: Lives) -> pd.DataFrame:
    """Return the grave complaint that opens an incident: left open or settled late where it loses the customer."""
    who = np.flatnonzero(lives.starts[:, UNRESOLVED] < DAYS)
    day, bites = lives.starts[who, UNRESOLVED], lives.bites[who, UNRESOLVED]
    late = day + np.where(bites, rng.integers(30, 90, len(who)), rng.integers(12, 60, len(who)))
    closed = np.where(rng.random(len(who)) < np.where(bites, 0.6, 0.15), NEVER, late)
    severity = rng.integers(3, 6, len(who))
    return _complaints(rng, who, day, closed=closed, severity=severity, content=np.where(bites, 0.05, 0.35))


def _service_complaints(rng: np.random.Generator, lives: Lives, *, nth: int) -> pd.DataFrame:
    """Return the ``nth`` complaint of each spell of bad service: moderate, slow to be settled."""
    happens = (lives.starts[:, SERVICE] < DAYS) & (rng.random(len(lives)) < (1.0, 0.8, 0.5)[nth])
    who = np.flatnonzero(happens)
    day = lives.starts[who, SERVICE] + nth * rng.integers(14, 32, len(who))
    closed = day + rng.integers(10, 35, len(who))
    severity = rng.integers(2, 5, len(who))
    rows = _complaints(rng, who, day, closed=closed, severity=severity, content=np.full(len(who), 0.25))
    return rows[~lives.is_gone(who, day)]


def _complaints(
    rng: np.random.Generator, who: Ints, day: Ints, *, closed: Ints, severity: Ints, content: Floats
) -> pd.DataFrame:
    satisfied = rng.random(len(who)) < content
    goodwill = np.where(rng.random(len(who)) < 0.3, np.round(rng.gamma(2.0, 30.0, len(who)), 2), 0.0)
    category = rng.integers(0, len(COMPLAINT_CATEGORIES), len(who))
    return pd.DataFrame(
        {"who": who, "day": day, "closed": np.where(closed >= DAYS, NEVER, closed), "severity": severity,
         "satisfied": satisfied, "goodwill": goodwill, "category": category}
    )  # fmt: skip


def complaints_table(rows: pd.DataFrame, *, clock: Clock) -> pd.DataFrame:
    """Return the table ``complaints``; settlement columns are empty where a complaint is still open."""
    is_open = rows["closed"] == NEVER
    return pd.DataFrame(
        {
            "complaint_id": "R" + (50001 + pd.Series(np.arange(len(rows)))).astype("str"),
            "customer_id": FIRST_CUSTOMER + rows["who"],
            "occurred_on": clock.dates(rows["day"].to_numpy()),
            "closed_on": clock.dates(rows["closed"].to_numpy()),
            "category": worded(rows["category"].to_numpy(), COMPLAINT_CATEGORIES),
            "severity": rows["severity"].astype("int64"),
            "goodwill_amount": rows["goodwill"].mask(is_open),
            "satisfied": rows["satisfied"].astype("boolean").mask(is_open),
            "known_at": clock.dates(rows["known"].to_numpy()),
        }
    )


def agents_of(rng: np.random.Generator, *, lives: Lives) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return the first and the second account manager of each customer, and the managers' names (six at least)."""
    team = max(6, len(lives) // 250)
    names = tuple(f"{FIRST_NAMES[i % 20]} {SURNAMES[(7 * i) % 40]}{f' {i // 40 + 1}' * (i > 39)}" for i in range(team))
    first = rng.integers(0, team, len(lives))
    return first, (first + rng.integers(1, team, len(lives))) % team, names


def contact_rows(rng: np.random.Generator, *, clock: Clock, lives: Lives, complaints: pd.DataFrame) -> pd.DataFrame:
    """Return contacts as numbers: visits and calls, enquiries, talks about complaints, attempts to win back."""
    outbound = _outbound(rng, clock=clock, lives=lives)
    inbound = _inbound(rng, clock=clock, lives=lives)
    about = complaints[["who", "known"]].rename(columns={"known": "day"})
    about = about.assign(channel=1, out=False, topic=_COMPLAINT)
    asked = np.flatnonzero(lives.asked < DAYS)
    win_back = pd.DataFrame({"who": asked, "day": lives.asked[asked], "channel": 1, "out": True, "topic": _WIN_BACK})
    contacts = pd.concat([outbound, inbound, about, win_back], ignore_index=True)
    contacts = contacts.sort_values(["day", "who", "topic"], kind="stable", ignore_index=True)
    return contacts.assign(mood=_moods(rng, lives=lives, contacts=contacts))


def _outbound(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return our own contacts: a habit per customer that breaks off in a contact gap and mostly after the loss."""
    rate = np.array([4.0, 6.0, 10.0, 16.0, 1.5])[lives.size] * rng.standard_gamma(5.0, len(lives)) / 5.0
    rate = np.where(lives.costly, 4 * rate, rate)
    who, day = _on_working_days(rng, clock=clock, lives=lives, rate=rate, shape=3.0)
    progress = lives.progress(who, day, GAP)
    in_gap = (progress >= 0) & (progress < 1)
    keep = rng.random(len(who)) < np.where(in_gap, 0.04, np.where(lives.is_gone(who, day), 0.15, 1.0))
    who, day = who[keep], day[keep]
    topic = rng.integers(0, len(TOPICS_OUT), len(who))
    talks = rng.random(len(who)) < 0.6 * (lives.strain(who, day, "price") > 0)
    channel = rng.choice(4, p=[0.35, 0.4, 0.2, 0.05], size=len(who))
    return pd.DataFrame(
        {"who": who, "day": day, "channel": channel, "out": True, "topic": np.where(talks, _PRICE, topic)}
    )


def _inbound(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return the customers' own enquiries: fewer in fading, none after the loss, but as many as ever in a pause."""
    who, day = _on_working_days(rng, clock=clock, lives=lives, rate=4.0 + 0.25 * lives.rate, shape=1.0)
    keep = rng.random(len(who)) < lives.attachment(who, day)
    who, day = who[keep], day[keep]
    topic = len(TOPICS_OUT) + rng.integers(0, len(TOPICS_IN), len(who))
    channel = rng.choice(np.array([1, 2]), p=[0.6, 0.4], size=len(who))
    return pd.DataFrame({"who": who, "day": day, "channel": channel, "out": False, "topic": topic})


def _on_working_days(
    rng: np.random.Generator, *, clock: Clock, lives: Lives, rate: Floats, shape: float
) -> tuple[Ints, Ints]:
    curves, n = clock.season_curves(((1.0,) * 12,)), len(lives)
    group = np.zeros(n, dtype=np.int64)
    return renewals(rng, rate=rate, shape=np.full(n, shape), begin=lives.begin, curves=curves, group=group)


def _moods(rng: np.random.Generator, *, lives: Lives, contacts: pd.DataFrame) -> Floats:
    """Return the mood of each contact, -1 to 1: the satisfaction, with noise; missing where nobody noted it."""
    who, day = contacts["who"].to_numpy(), contacts["day"].to_numpy()
    base = rng.normal(0.35, 0.15, len(lives))[who]
    mood = base + 1.3 * (lives.satisfaction(who, day) - lives.usual[who])
    mood = mood - 0.3 * (contacts["topic"] == _COMPLAINT).to_numpy() + rng.normal(0, 0.25, len(who))
    return np.where(rng.random(len(who)) < 0.15, np.nan, np.round(np.clip(mood, -1, 1), 2))


def contacts_table(
    rows: pd.DataFrame, *, clock: Clock, lives: Lives, agents: tuple[Ints, Ints, tuple[str, ...]]
) -> pd.DataFrame:
    """Return the table ``contacts``; the agent changes on the day of a change of the account manager."""
    first, second, names = agents
    who, day = rows["who"].to_numpy(), rows["day"].to_numpy()
    agent = np.where(day >= lives.starts[who, PERSON], second[who], first[who])
    service = np.isin(rows["topic"], [_COMPLAINT, *range(len(TOPICS_OUT), len(TOPICS_OUT) + 4)])
    return pd.DataFrame(
        {
            "contact_id": 700001 + np.arange(len(rows)),
            "customer_id": FIRST_CUSTOMER + who,
            "occurred_on": clock.dates(day),
            "channel": worded(rows["channel"].to_numpy(), CHANNELS),
            "direction": worded(rows["out"].to_numpy().astype(np.int64), ("in", "out")),
            "agent": worded(agent, names),
            "topic": worded(rows["topic"].to_numpy(), _TOPICS),
            "sentiment": rows["mood"],
            "purpose": worded(service.astype(np.int64), _PURPOSES),
            "known_at": clock.dates(day),
        }
    )

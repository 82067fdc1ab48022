"""Further dealings of the demo company: feedback, service contracts, recorded losses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.demo.clock import DAYS, NEVER, Clock
from pipelines.demo.lives import Lives
from pipelines.demo.orders import FIRST_CUSTOMER
from pipelines.demo.words import COMPETITORS, REASONS, SERVICE_PRODUCTS, worded

_KINDS = ("nps", "csat", "visit")
_COMMENTS = ("", "Alles bestens", "Lieferung dauert zu lange", "Preise steigen zu stark", "Guter Außendienst")


def feedback_table(
    rng: np.random.Generator, *, clock: Clock, lives: Lives, complaints: pd.DataFrame, contacts: pd.DataFrame
) -> pd.DataFrame:
    """Return the table ``feedback``: NPS twice a year, CSAT after settled complaints, moods noted after visits."""
    parts = (_nps(rng, lives), _csat(rng, complaints), _visit_moods(rng, contacts))
    rows = pd.concat(parts, ignore_index=True).sort_values(["day", "who", "kind"], kind="stable", ignore_index=True)
    low = np.where(rows["kind"] == 0, 6, 2)
    comment = np.where(rows["score"] > low, rng.choice([1, 4], len(rows)), rng.choice([2, 3], len(rows)))
    comment = np.where(rng.random(len(rows)) < 0.7, 0, comment)
    return pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + rows["who"],
            "occurred_on": clock.dates(rows["day"].to_numpy()),
            "kind": worded(rows["kind"].to_numpy(), _KINDS),
            "score": rows["score"].astype("int64"),
            "comment": worded(comment, _COMMENTS).replace("", None),
            "known_at": clock.dates(rows["day"].to_numpy()),
        }
    )


def _nps(rng: np.random.Generator, lives: Lives) -> pd.DataFrame:
    """Return NPS answers of a quarter of the buying customers in every half year, 0 to 10."""
    waves = [_nps_wave(rng, lives, day=day) for day in range(100, DAYS - 20, 182)]
    return pd.concat(waves, ignore_index=True)


def _nps_wave(rng: np.random.Generator, lives: Lives, *, day: int) -> pd.DataFrame:
    everyone = np.arange(len(lives))
    sent = np.full(len(lives), day)
    asked = (lives.begin < day - 60) & ~lives.is_gone(everyone, sent) & (rng.random(len(lives)) < 0.3)
    who = np.flatnonzero(asked)
    at = sent[who] + rng.integers(0, 14, len(who))
    score = np.rint(2 + 8.5 * lives.satisfaction(who, at) + rng.normal(0, 1.4, len(who)))
    return pd.DataFrame({"who": who, "day": at, "kind": 0, "score": np.clip(score, 0, 10)})


def _csat(rng: np.random.Generator, complaints: pd.DataFrame) -> pd.DataFrame:
    """Return answers after settled complaints, 1 to 5."""
    rows = complaints[(complaints["closed"] < DAYS - 5) & (rng.random(len(complaints)) < 0.4)]
    score = np.rint(np.where(rows["satisfied"], 4.3, 1.9) + rng.normal(0, 0.6, len(rows)))
    day = np.maximum(rows["closed"], rows["known"]) + rng.integers(0, 5, len(rows))
    frame = pd.DataFrame({"who": rows["who"], "day": day, "kind": 1, "score": np.clip(score, 1, 5)})
    return frame[frame["day"] < DAYS]


def _visit_moods(rng: np.random.Generator, contacts: pd.DataFrame) -> pd.DataFrame:
    """Return the mood noted after some visits, 1 to 5."""
    visits = contacts[(contacts["channel"] == 0) & contacts["mood"].notna() & (rng.random(len(contacts)) < 0.45)]
    score = np.clip(np.rint(3 + 2 * visits["mood"] + rng.normal(0, 0.4, len(visits))), 1, 5)
    return pd.DataFrame({"who": visits["who"], "day": visits["day"], "kind": 2, "score": score})


def contracts_table(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return the table ``contracts``: terms of two years for a quarter of the customers, renewed until they leave."""
    who = np.flatnonzero(rng.random(len(lives)) < np.array([0.15, 0.25, 0.4, 0.6, 0.0])[lives.size])
    first = lives.begin[who] + rng.integers(-600, 300, len(who)) * (lives.since[who] < 0)
    first = first + np.where(lives.since[who] < 0, 0, rng.integers(60, 300, len(who)))
    deal = pd.DataFrame({"who": who, "product": rng.integers(0, 3, len(who)), "amount": rng.gamma(3.0, 30.0, len(who))})
    terms = [deal.assign(starts=first + 730 * term, term=term) for term in range(4)]
    rows = pd.concat(terms, ignore_index=True)
    rows = rows[(rows["starts"] < DAYS) & (rows["starts"] < lives.lost[rows["who"]])]
    rows = rows.sort_values(["starts", "who"], kind="stable", ignore_index=True)
    return _contracts(rng, clock=clock, lives=lives, rows=rows)


def _contracts(rng: np.random.Generator, *, clock: Clock, lives: Lives, rows: pd.DataFrame) -> pd.DataFrame:
    """Return contract terms; notice is given around the loss, and now and then by customers who stay."""
    who, starts = rows["who"].to_numpy(), rows["starts"].to_numpy()
    leaves = lives.lost[who] - rng.integers(-30, 60, len(rows))
    whim = np.where(rng.random(len(rows)) < 0.06, starts + rng.integers(90, 640, len(rows)), NEVER)
    notice = np.minimum(leaves, whim)
    notice = np.where((notice > starts) & (notice < np.minimum(starts + 730, DAYS)), notice, NEVER)
    return pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + who,
            "starts_on": clock.dates(starts),
            "ends_on": clock.dates(starts + 729),
            "agreed_until": clock.dates(starts + 729),
            "cancelled_on": clock.dates(notice),
            "notice_days": rng.choice([30, 90], len(rows)),
            "product": worded(rows["product"].to_numpy(), SERVICE_PRODUCTS),
            "recurring_amount": np.round(20 + rows["amount"] * (1.04 ** rows["term"]), 2),
            "known_at": clock.dates(starts),
        }
    )


def losses_table(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> pd.DataFrame:
    """Return the table ``losses``: six of ten losses, entered 3 to 14 weeks later, the reason not always right."""
    told = (lives.kind >= 0) & (rng.random(len(lives)) < 0.6)
    entered = lives.lost + rng.integers(21, 100, len(lives))
    who = np.flatnonzero(told & (entered < DAYS))
    who = who[np.argsort(entered[who], kind="stable")]
    interview = rng.random(len(who)) < 0.65
    right = rng.random(len(who)) < np.where(interview, 0.85, 0.6)
    reason = np.where(right, lives.kind[who], rng.integers(0, len(REASONS), len(who)))
    rival = np.where(rng.random(len(who)) < 0.45, rng.integers(0, len(COMPETITORS), len(who)), -1)
    guess = np.where(rng.random(len(who)) < 0.85, lives.winnable[who], ~lives.winnable[who])
    return pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + who,
            "occurred_on": clock.dates(lives.lost[who]),
            "reason": worded(reason, REASONS),
            "competitor": worded(np.where(reason >= 5, -1, rival), COMPETITORS),
            "winnable": guess,
            "source": worded((~interview).astype(np.int64), ("interview", "inferred")),
            "known_at": clock.dates(entered[who]),
        }
    )

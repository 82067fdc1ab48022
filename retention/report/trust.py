"""How far the figures of one model can be trusted: its tests on later time, its base, its intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.candidates import LADDER
from models.matured import Matured, Recheck
from retention.report.use import Use, uses_of
from retention.texts import Purpose

Values = NDArray[np.float64]

FEW_CUSTOMERS = 300
"""Below so many customers to learn from, chance moves every figure."""
FEW_OUTCOMES = 50
"""Below so many snapshots of the rarer outcome, too."""
WEAK_AUC = 0.60
"""A ranking below this is little better than chance."""
WIDE_INTERVAL = 0.20
"""From this median width of the 90 % interval on, a probability is only a rough hint."""
STALE_DAYS = 14
"""From so many days without any row before the cutoff on, the data look unfinished."""
_POINTS, _STEPS, _Z90 = 10, 40, 1.6448536269514722


@dataclass(frozen=True, kw_only=True)
class Caution:
    """Something that makes the figures less sure: a key of the texts, with its numbers."""

    key: str
    numbers: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """Customers of similar probability: the mean of it, and the share that came true with its 90 % interval."""

    probability: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Gains:
    """Share of outcomes reached (``up``) by contacting a share of customers (``across``), best first."""

    candidate: str
    across: tuple[float, ...]
    up: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The model against the rival that ranks best: difference of AUC with its 95 % interval; ``says`` what follows."""

    says: str
    rival: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What is known about one model; ``width`` is the median width of its 90 % intervals, None without scores."""

    purpose: Purpose
    chosen: str
    remark: str
    metrics: Mapping[str, Mapping[str, float]]
    rivals: Mapping[str, Mapping[str, float]]
    verdict: Verdict | None
    tests: tuple[date, ...]
    training_cutoffs: tuple[date, ...]
    snapshots: int
    customers: int
    outcomes: int
    width: float | None
    reliability: tuple[Point, ...]
    gains: tuple[Gains, ...]
    warnings: tuple[Caution, ...]
    uses: tuple[Use, ...] = ()
    matured: Recheck | None = None

    @property
    def own(self) -> Mapping[str, float] | None:
        """Metrics of the chosen candidate on later time."""
        return self.metrics.get(self.chosen)


def trust_in(
    purpose: Purpose,
    *,
    evidence: Mapping[str, Any],
    folds: pd.DataFrame,
    scores: pd.DataFrame,
    challenger: Mapping[str, Any] = MappingProxyType({}),
    matured: Recheck | None = None,
) -> Trust:
    """Return what is known about the model of ``purpose``.

    Parameters
    ----------
    purpose : {"churn", "return"}
    evidence : mapping
        As ``models.ladder.train`` states it; may be empty.
    folds : DataFrame
        purpose, candidate, label, probability of every tested snapshot; may be empty.
    scores : DataFrame
        probability_low, probability_high of those who are scored now.
    challenger : mapping, optional
        The same of a newer model that is not in use, with its ``cutoff``.
    matured : Recheck, optional
        What has become of earlier promises; drift beyond chance is the first of the warnings.
    """
    tested = folds[(folds["purpose"] == purpose).to_numpy(dtype=bool)]
    chosen = str(evidence.get("chosen", ""))
    width = (scores["probability_high"] - scores["probability_low"]).median() if len(scores) else None
    return Trust(
        purpose=purpose,
        chosen=chosen,
        remark=str(evidence.get("remark", "")),
        metrics=_ordered(evidence.get("metrics", {})),
        rivals=dict(evidence.get("rivals", {})),
        verdict=_verdict(evidence),
        tests=_days(evidence.get("tests", ())),
        training_cutoffs=_days(evidence.get("training_cutoffs", ())),
        snapshots=int(evidence.get("snapshots", 0)),
        customers=int(evidence.get("customers", 0)),
        outcomes=_outcomes(evidence),
        width=None if width is None else float(width),
        reliability=reliability_of(tested[(tested["candidate"] == chosen).to_numpy(dtype=bool)]),
        gains=_all_gains(tested),
        warnings=(*drift_in(matured, purpose), *_warnings(evidence, width)),
        uses=uses_of(evidence, challenger),
        matured=matured,
    )


def drift_in(matured: Recheck | None, purpose: Purpose) -> tuple[Caution, ...]:
    """Return what has drifted beyond chance over the matured cutoffs: the level, the slope, or both."""
    pooled = None if matured is None else matured.pooled
    return () if pooled is None else tuple(_drifts(pooled, purpose))


def _drifts(pooled: Matured, purpose: Purpose) -> Iterator[Caution]:
    numbers = {"promised": pooled.promised, "share": pooled.share, "slope": pooled.slope}
    more, good = pooled.share > pooled.promised, purpose == "return"
    if pooled.level_drifts:
        yield Caution(key="drift_more" if more else "drift_less", numbers=numbers)
    if pooled.level_drifts and more == good:
        yield Caution(key="drift_measures", numbers={})
    if pooled.slope_drifts:
        yield Caution(key="drift_apart" if pooled.slope < 1 else "drift_close", numbers=numbers)


def staleness(last_known: date, *, cutoff: date) -> tuple[Caution, ...]:
    """Return a warning when nothing is known of the days before ``cutoff``."""
    silent = (cutoff - timedelta(days=1) - last_known).days
    return (Caution(key="stale", numbers={"days": silent}),) if silent >= STALE_DAYS else ()


def _ordered(metrics: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
    names = sorted(metrics, key=lambda name: (LADDER.index(name) if name in LADDER else len(LADDER), name))
    return {name: metrics[name] for name in names}


def _verdict(evidence: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict of training's folds; None where nothing was compared."""
    if evidence.get("difference") is None:
        return None
    numbers = {name: float(evidence[name]) for name in ("difference", "low", "high")}
    return Verdict(says=str(evidence["verdict"]), rival=str(evidence["best_rival"]), **numbers)


def _days(texts: Any) -> tuple[date, ...]:
    return tuple(date.fromisoformat(str(text)) for text in texts)


def _outcomes(evidence: Mapping[str, Any]) -> int:
    """Snapshots of the rarer outcome among those learned from."""
    base = evidence.get("base_rate") or 0.0
    return round(int(evidence.get("snapshots", 0)) * min(base, 1 - base))


def _warnings(evidence: Mapping[str, Any], width: float | None) -> tuple[Caution, ...]:
    customers, outcomes = int(evidence.get("customers", 0)), _outcomes(evidence)
    learned = int(evidence.get("snapshots", 0)) > 0
    auc = evidence.get("metrics", {}).get(evidence.get("chosen"), {}).get("auc")
    found = {
        "unlearned": ({}, not learned),
        "no_test": ({}, learned and not evidence.get("tests")),
        "few_customers": ({"customers": customers}, learned and customers < FEW_CUSTOMERS),
        "few_outcomes": ({"outcomes": outcomes}, learned and outcomes < FEW_OUTCOMES),
        "weak_ranking": ({"auc": auc}, auc is not None and auc < WEAK_AUC),
        "wide": ({"width": width}, width is not None and width >= WIDE_INTERVAL),
    }
    return tuple(Caution(key=key, numbers=numbers) for key, (numbers, holds) in found.items() if holds)


def reliability_of(own: pd.DataFrame) -> tuple[Point, ...]:
    """Return up to ten points of equally many snapshots by rising probability; equal probabilities stay together."""
    if own.empty:
        return ()
    probability, label = _columns(own)
    _, at = np.unique(probability, return_inverse=True)
    rows = np.bincount(at)
    middle = (np.cumsum(rows) - rows / 2) / len(probability)
    group = np.minimum((middle * _POINTS).astype(np.int64), _POINTS - 1)[at]
    n = np.bincount(group, minlength=_POINTS)
    sums = np.bincount(group, probability, _POINTS), np.bincount(group, label, _POINTS)
    return tuple(_point(sums[0][place], sums[1][place], int(n[place])) for place in range(_POINTS) if n[place])


def _point(probabilities: float, came_true: float, n: int) -> Point:
    """Interval by Wilson (1927), J. American Statistical Association 22."""
    share, z = came_true / n, _Z90
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Point(
        probability=float(probabilities / n), share=float(share), low=float(middle - half), high=float(middle + half)
    )


def _all_gains(tested: pd.DataFrame) -> tuple[Gains, ...]:
    candidate = tested["candidate"].astype("str")
    names = sorted(set(candidate.unique()), key=lambda name: (LADDER.index(name) if name in LADDER else 99, name))
    parts = ((name, tested[(candidate == name).to_numpy(dtype=bool)]) for name in names)
    return tuple(gains_of(name, part) for name, part in parts if part["label"].any())


def gains_of(name: str, part: pd.DataFrame) -> Gains:
    """Return the curve at ``_STEPS`` shares; equal probabilities are reached together, in any order of rows."""
    probability, label = _columns(part)
    _, at = np.unique(-probability, return_inverse=True)
    rows, found = np.bincount(at), np.bincount(at, label)
    across = np.linspace(0, 1, _STEPS + 1)
    reached = np.concatenate(([0.0], np.cumsum(rows))) / len(label)
    up = np.interp(across, reached, np.concatenate(([0.0], np.cumsum(found))) / label.sum())
    return Gains(candidate=name, across=tuple(across.tolist()), up=tuple(up.tolist()))


def _columns(part: pd.DataFrame) -> tuple[Values, Values]:
    return part["probability"].to_numpy(np.float64), part["label"].to_numpy(np.float64)

"""Promotion: whether a newly trained model (the challenger) takes the place of the one in use (the champion).

The rule is written in ``docs/decisions/0014-promotion.md``. It reads figures that are the same in every run of the same
data; no clock, so that a run with a past cutoff decides as it would have on that morning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from models.calibrate import fit_calibration
from models.churn_model import ChurnModel
from models.metrics import log_losses

MOST_CALIBRATION_ERROR = 0.03
"""Calibration error on later time beyond what chance alone gives [share]."""

LEAST_AGREEMENT = 0.5
"""Rank correlation with the champion on the newest snapshots; below it the lists would be turned over."""

MOST_LEAVES, MOST_BYTES = 100_000, 64 * 2**20
"""Size of a model: what scoring costs grows with it, the same on every machine."""

LEAST_COMPARED = 30
"""Snapshots; fewer say nothing about agreement."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One question of the rule: ``passed`` is None where it cannot be answered, which does not stand in the way."""

    name: str
    passed: bool | None
    reason: str

    def __str__(self) -> str:
        mark = {True: "yes", False: "NO", None: "unknown"}[self.passed]
        return f"{self.name} {mark}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the rule says of a challenger."""

    promoted: bool
    reason: str
    criteria: tuple[Criterion, ...]

    def facts(self) -> dict[str, Any]:
        """Plain values for evidence and tags."""
        return {"promoted": self.promoted, "reason": self.reason, "criteria": [str(each) for each in self.criteria]}


def judge(
    challenger: ChurnModel, champion: ChurnModel | None, *, tested: pd.DataFrame, snapshots: pd.DataFrame
) -> Judgement:
    """Return whether ``challenger`` takes the place of ``champion``.

    Parameters
    ----------
    challenger, champion : ChurnModel
        Of one recipe; champion None is none in use.
    tested : DataFrame
        The challenger's folds, as ``models.ladder.train`` gives them.
    snapshots : DataFrame
        The labelled snapshots it learned from; the champion is asked about those of tested cutoffs.
    """
    criteria = (
        _better(challenger, champion, tested, snapshots),
        _calibrated(challenger),
        _stable(challenger, champion, snapshots),
        _not_slower(challenger),
        _beats_rivals(challenger, champion),
    )
    failed = [each for each in criteria if each.passed is False]
    if champion is None:
        doubts = f", although it fails: {', '.join(each.name for each in failed)}" if failed else ""
        return Judgement(promoted=True, reason=f"there is no champion to keep{doubts}", criteria=criteria)
    reason = f"fails: {'; '.join(each.reason for each in failed)}" if failed else "meets every criterion that is known"
    return Judgement(promoted=not failed, reason=reason, criteria=criteria)


def _better(
    challenger: ChurnModel, champion: ChurnModel | None, tested: pd.DataFrame, snapshots: pd.DataFrame
) -> Criterion:
    """Mean log loss over customers, paired; the champion may lose by one standard error before it has to go."""
    name = "not worse than the champion"
    if champion is None or tested.empty:
        return Criterion(name=name, passed=None, reason="no champion" if champion is None else "nothing was tested")
    own = tested.loc[tested["candidate"] == challenger.evidence["chosen"]]
    compared, how = _champion_on(champion, tested, snapshots)
    if compared.empty:
        return Criterion(name=name, passed=None, reason=f"the champion's step {champion.candidate.name} was not tested")
    behind = (_by_customer(own) - _by_customer(compared)).dropna()
    error = float(behind.std(ddof=1) / np.sqrt(len(behind))) if len(behind) > 1 else 0.0
    mean = float(behind.mean()) if len(behind) else 0.0
    reason = f"log loss {mean:+.4f} against {how} on {len(behind)} customers, standard error {error:.4f}"
    return Criterion(name=name, passed=mean <= error, reason=reason)


def _champion_on(champion: ChurnModel, tested: pd.DataFrame, snapshots: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the champion on the folds: itself where it has not learned from them, else its step of the ladder anew."""
    days = sorted(day for day in set(tested["test"]) if day >= champion.cutoff)
    if not days:
        step = tested.loc[tested["candidate"] == champion.candidate.name]
        return step, f"the champion's step ({champion.candidate.name}) on the same folds"
    return pd.concat(
        [_says(champion, snapshots.loc[snapshots["cutoff"] == day]) for day in days]
    ), "the champion itself"


def _says(model: ChurnModel, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a model says of one tested cutoff, calibrated on it as every candidate is."""
    label, score = rows["label"].to_numpy(np.int8), model.score(rows)["score"].to_numpy(np.float64)
    log_odds = fit_calibration(score, label, n_customers=len(label)).log_odds(score)
    return pd.DataFrame(
        {
            "test": rows["cutoff"].to_numpy(),
            "customer_id": rows["customer_id"].to_numpy(),
            "label": label,
            "probability": special.expit(log_odds),
        }
    )


def _by_customer(part: pd.DataFrame) -> pd.Series[float]:
    loss = log_losses(part["label"].to_numpy(), part["probability"].to_numpy())
    return pd.Series(loss, index=part["customer_id"].to_numpy()).groupby(level=0).mean()


def _calibrated(challenger: ChurnModel) -> Criterion:
    name = "calibrated"
    measured = challenger.evidence.get("metrics", {}).get(challenger.evidence.get("chosen"))
    if not measured:
        return Criterion(name=name, passed=None, reason="nothing was tested")
    found, tests = float(measured["calibration_error"]), max(1, len(challenger.evidence["tests"]))
    most = MOST_CALIBRATION_ERROR + _by_chance(float(measured["base_rate"]), float(measured["n"]) / tests)
    reason = f"calibration error {found:.3f}, at most {most:.3f} with {measured['n'] / tests:.0f} snapshots a test"
    return Criterion(name=name, passed=found <= most, reason=reason)


def _by_chance(rate: float, n_rows: float) -> float:
    """Error over ten bins that a true probability shows: the mean size of a normal deviation in each bin."""
    return float(np.sqrt(2 / np.pi * rate * (1 - rate) * 10 / max(n_rows, 1)))


def _stable(challenger: ChurnModel, champion: ChurnModel | None, snapshots: pd.DataFrame) -> Criterion:
    name = "stable"
    if champion is None or snapshots.empty:
        return Criterion(name=name, passed=None, reason="no champion" if champion is None else "no snapshot")
    newest = snapshots.loc[snapshots["cutoff"] == max(snapshots["cutoff"])]
    if len(newest) < LEAST_COMPARED:
        return Criterion(name=name, passed=None, reason=f"only {len(newest)} snapshots to compare")
    agreement = _agreement(challenger, champion, newest)
    reason = f"rank correlation with the champion {agreement:.2f}, at least {LEAST_AGREEMENT:.2f}"
    return Criterion(name=name, passed=agreement >= LEAST_AGREEMENT, reason=reason)


def _agreement(one: ChurnModel, other: ChurnModel, rows: pd.DataFrame) -> float:
    """Spearman's rank correlation of two models; one that gives all the same score agrees with nothing."""
    first, second = (model.score(rows)["score"].to_numpy(np.float64) for model in (one, other))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def _not_slower(challenger: ChurnModel) -> Criterion:
    files = challenger.to_files()
    leaves = sum(_leaves_in(text) for name, text in files.items() if name.endswith(".txt"))
    size = sum(map(len, files.values()))
    reason = f"{leaves:,} leaves of at most {MOST_LEAVES:,}, {size / 2**20:.1f} MB of at most {MOST_BYTES / 2**20:.0f}"
    return Criterion(name="not slower", passed=leaves <= MOST_LEAVES and size <= MOST_BYTES, reason=reason)


def _leaves_in(text: bytes) -> int:
    lines = (line for line in text.split(b"\n") if line.startswith(b"num_leaves="))
    return sum(int(line.partition(b"=")[2]) for line in lines)


def _beats_rivals(challenger: ChurnModel, champion: ChurnModel | None) -> Criterion:
    """Better than the best rival; where the champion is not either, it is enough not to be worse."""
    name, verdict = "beats the rivals", _verdict(challenger.evidence)
    if verdict == "unknown":
        return Criterion(name=name, passed=None, reason="the backtest does not say")
    reason = f"{verdict} in ranking compared with {challenger.evidence.get('best_rival') or 'the best rival'}"
    if verdict == "level" and champion is not None and _verdict(champion.evidence) != "better":
        return Criterion(name=name, passed=True, reason=f"{reason}, and so is the champion")
    return Criterion(name=name, passed=verdict == "better", reason=reason)


def _verdict(evidence: Mapping[str, Any]) -> str:
    if "verdict" in evidence:
        return str(evidence["verdict"])
    return {True: "better", False: "level"}.get(evidence.get("beats_rivals"), "unknown")  # type: ignore[arg-type]

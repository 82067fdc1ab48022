"""A trained forecast of margins: a step, its spread, how long customers stay; as files and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from features.errors import ModelError
from models.digest import InFiles
from models.margin.basis import LOGS, Column, Usual, own_margin_share
from models.margin.spread import Spread
from models.margin.steps import MEMBERS, OBJECTIVE, STEPS, Regression, Turnover, names_of
from models.staying import Staying
from models.treetext import require_trees

MANIFEST = "margin.json"
FORMAT = 1
_LEAST_SHARE = 0.02
"""Least margin share that the size of an expectation is reckoned with, for the width of its interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MarginModel(InFiles):
    """What says the margin of the next days for every customer of a matrix.

    ``staying`` is what the same snapshots say about the years after. ``evidence`` says what the choice rests on.
    """

    turnover: Turnover
    spread: Spread
    staying: Staying
    cutoff: date
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def expected(self, matrix: pd.DataFrame, *, days: int) -> pd.DataFrame:
        """Return the expected margin of the next ``days`` days with its 80 % interval.

        Returns
        -------
        DataFrame with the index of ``matrix``: ``margin``, ``margin_low``, ``margin_high`` [currency], never missing
            Expected turnover times the customer's own margin share; negative where that is.
        """
        self._require(matrix)
        turnover, share = self._turnover(matrix, days), own_margin_share(matrix, self.turnover.usual)
        margin = turnover * share
        low, high = self.spread.around(margin, size_of(turnover, share), days=days)
        columns = dict(zip(MARGIN_COLUMNS, (margin, low, high), strict=True))
        return pd.DataFrame(columns, index=matrix.index)

    def _turnover(self, matrix: pd.DataFrame, days: int) -> Column:
        return self.turnover.expected(matrix) * days / self.turnover.days

    def _require(self, matrix: pd.DataFrame) -> None:
        missing = [name for name in self.turnover.columns if name not in matrix.columns]
        if missing:
            raise ModelError(
                f"the matrix lacks {missing[0]} ({len(missing)} in all), which the forecast of margins was trained on;"
                " a table or column has fallen away: bring it back or train again"
            )

    @cached_property
    def _files(self) -> dict[str, bytes]:
        step = self.turnover
        content = {
            "format": FORMAT,
            "step": step.step,
            "days": step.days,
            "usual": asdict(step.usual),
            "level": step.level,
            "regression": None if step.regression is None else asdict(step.regression),
            "columns": list(step.columns),
            "spread": asdict(self.spread),
            "staying": asdict(self.staying),
            "cutoff": self.cutoff.isoformat(),
            "evidence": self.evidence,
        }
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False)
        trees = {f"margin_booster_{place}.txt": tree.encode() for place, tree in enumerate(step.trees)}
        return {MANIFEST: text.encode(), **trees}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, threads: int = 2) -> MarginModel:
        """Return the model stored by ``to_files``; the caller must have verified the files' digests before.

        Raises
        ------
        ModelError
            If a file is missing, added or not what Treue writes.
        """
        try:
            content = json.loads(files[MANIFEST])
            found = cls(
                turnover=_turnover_from(content, files, threads=threads),
                spread=Spread(**{name: tuple(map(float, values)) for name, values in content["spread"].items()}),
                staying=Staying(**content["staying"]),
                cutoff=date.fromisoformat(content["cutoff"]),
                evidence=dict(content["evidence"]),
            )
            is_sound = _is_sound(found)
        except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(f"{MANIFEST} is not what this Treue writes; train again") from error
        if not is_sound:
            raise ModelError(f"{MANIFEST} is not what this Treue writes: its numbers do not fit together; train again")
        return found


MARGIN_COLUMNS = ("margin", "margin_low", "margin_high")


def size_of(turnover: Column, share: Column) -> Column:
    """Return the size of an expectation [currency], above 0: what the width of its interval grows with."""
    return np.asarray(turnover * np.maximum(np.abs(share), _LEAST_SHARE) + 0.01, dtype=np.float64)


def _turnover_from(content: Mapping[str, Any], files: Mapping[str, bytes], *, threads: int) -> Turnover:
    if content["format"] != FORMAT or content["step"] not in STEPS:
        raise ModelError(f"{MANIFEST} has format {content['format']}, this Treue reads {FORMAT}; train again")
    columns, said = tuple(map(str, content["columns"])), content["regression"]
    wanted = [f"margin_booster_{place}.txt" for place in range(MEMBERS if content["step"] == "lightgbm" else 0)]
    if set(files) != {MANIFEST, *wanted}:
        raise ModelError(f"the files of the forecast of margins are not {', '.join([MANIFEST, *wanted])}; train again")
    for name in wanted:
        require_trees(files[name], names_of(columns), where=name, objective=OBJECTIVE)
    return Turnover(
        step=content["step"],
        days=int(content["days"]),
        usual=Usual(**content["usual"]),
        level=float(content["level"]),
        regression=None if said is None else Regression(**{key: _numbers(value) for key, value in said.items()}),
        columns=columns,
        trees=tuple(files[name].decode() for name in wanted),
        threads=threads,
    )


def _is_sound(model: MarginModel) -> bool:
    """Return whether every number is one, and the lists are as long as each other."""
    step, spread, said = model.turnover, model.spread, model.turnover.regression
    weights = () if said is None else (said.means, said.spreads, said.weights)
    numbers = [step.level, *vars(step.usual).values(), model.staying.return_share, model.staying.concentration]
    numbers += [each for part in (*weights, *vars(spread).values()) for each in part]
    numbers += [] if said is None else [said.intercept]
    return (
        all(math.isfinite(each) for each in numbers)
        and step.days > 0
        and (said is None) == (step.step in ("months", "rhythm"))
        and all(len(part) == len(LOGS) for part in weights)
        and len(spread.low) == len(spread.high) == len(spread.edges) + 1
    )


def _numbers(value: Any) -> Any:
    return tuple(map(float, value)) if isinstance(value, list) else float(value)

"""Where things lie in the output folder; the only place that spells the layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.outputs import MANIFEST


@dataclass(frozen=True)
class Places:
    """The output folder of one configuration."""

    root: Path

    @property
    def quarantine(self) -> Path:
        """Refused rows and the balance of every table."""
        return self.root / "quarantine"

    def matrix(self, cutoff: date) -> Path:
        """Features per snapshot."""
        return self._at("matrix", cutoff)

    def backtest(self, cutoff: date) -> Path:
        """What the choice of the model for ``cutoff`` rests on."""
        return self._at("backtest", cutoff)

    def margin(self, cutoff: date) -> Path:
        """The forecast of margins trained for ``cutoff``."""
        return self._at("margin", cutoff)

    def rolling(self, cutoff: date) -> Path:
        """The backtest: past mornings done again and judged by what is known on ``cutoff``."""
        return self._at("backtest/rolling", cutoff)

    def scores(self, cutoff: date) -> Path:
        """Scores with reasons."""
        return self._at("scores", cutoff)

    def matured(self, cutoff: date) -> Path:
        """What became of the promises of earlier cutoffs."""
        return self._at("matured", cutoff)

    def signals(self, cutoff: date) -> Path:
        """Signals per customer, and what each rule was worth."""
        return self._at("signals", cutoff)

    def lists(self, cutoff: date) -> Path:
        """Lists and plan."""
        return self._at("lists", cutoff)

    def history(self, cutoff: date) -> Path:
        """Score, band and state of every customer, revision by revision."""
        return self._at("history", cutoff)

    def losses(self, cutoff: date) -> Path:
        """What is known of lost customers."""
        return self._at("losses", cutoff)

    @property
    def told_losses(self) -> Path:
        """Reasons of losses that were read from forms."""
        return self.root / "losses" / "told.csv"

    def report(self, cutoff: date) -> Path:
        """The report, one page."""
        return self._at("report", cutoff)

    def explain(self, cutoff: date) -> Path:
        """Pages about single customers."""
        return self._at("explain", cutoff)

    @property
    def ledger(self) -> Path:
        """What was sent."""
        return self.root / "ledger.duckdb"

    @property
    def tuning(self) -> Path:
        """Settings tried out in training, with their loss: lines of JSON."""
        return self.root / "tuning.jsonl"

    def finished_before(self, kind: str, cutoff: date) -> Iterator[tuple[date, Path]]:
        """Yield cutoff and folder of every finished partition of ``kind`` earlier than ``cutoff``, oldest first."""
        for folder in sorted((self.root / kind).glob("cutoff=*")):
            day = date.fromisoformat(folder.name.removeprefix("cutoff="))
            if day < cutoff and (folder / MANIFEST).is_file():
                yield day, folder

    def _at(self, kind: str, cutoff: date) -> Path:
        return self.root / kind / f"cutoff={cutoff.isoformat()}"

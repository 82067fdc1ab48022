"""The sets, their test cutoffs, and their purchases as the rivals read them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from models.origins import origins_of
from pipelines.demo.company import demo_company
from pipelines.library import Company

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"

SETS = ("online_retail_90", "resellers", "webshop", "demo", "ibm_telco", "ravenstack")
CONTROL = "ravenstack"
"""Drawn without any signal: whoever finds something there has made it up."""
CONTRACTS = "ibm_telco"
_IN_PEERS = {"online_retail_90": "online_retail", "resellers": "resellers", "webshop": "webshop"}
_DAYS = {"ibm_telco": ("2019-10-15", "2019-11-15", "2019-12-15")}
"""Mornings between the four days on which all its contracts end."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One set: a company, its origins oldest first, and the tables the rivals read.

    Lead is 0 in every set: the rivals know no lead, so all are asked the same.
    """

    name: str
    company: Company
    origins: tuple[date, ...]
    peers: ModuleType | None

    @property
    def horizon_days(self) -> int:
        """Days the labels look at."""
        return self.company.settings.churn.horizon_days

    @property
    def active_days(self) -> int:
        """Days within which the last purchase makes a customer active."""
        return self.company.settings.churn.active_within_days

    @cached_property
    def newest(self) -> date:
        """The morning by whose knowledge everything is judged."""
        return self.company.newest_cutoff()

    @cached_property
    def first_day(self) -> date:
        """Day of the first order."""
        return pd.Timestamp(min(self.tables["orders"]["occurred_on"])).date()

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Accepted rows by table, as the company reads them."""
        checked = self.company.check()
        return {name: checked.table(name) for name in checked.balances.index}

    @cached_property
    def purchases(self) -> pd.DataFrame:
        """customer_id, at_, amount, lines, known_at: one row per purchase, in order of customer and time."""
        if self.peers is not None and self.name in _IN_PEERS:
            found: pd.DataFrame = self.peers.purchases(_IN_PEERS[self.name])
            return found.assign(known_at=found["at_"])
        return purchases_in(self.tables["orders"])

    def known_purchases(self, origin: date) -> pd.DataFrame:
        """Purchases as known on the morning of ``origin``."""
        known = self.purchases.loc[(self.purchases["known_at"] < pd.Timestamp(origin)).to_numpy(dtype=bool)]
        return known.drop(columns="known_at").reset_index(drop=True)

    def of_customers(self, ids: Sequence[str]) -> Contest:
        """Return the same contest in a company that has only these customers."""
        kept = {name: rows.loc[rows["customer_id"].isin(ids)] for name, rows in self.tables.items()}
        tables = {name: rows for name, rows in kept.items() if len(rows)}
        settings = self.company.settings
        small = Company(
            {name: rows.reset_index(drop=True) for name, rows in tables.items()},
            language=settings.language,
            currency=settings.currency,
            timezone=settings.timezone,
            training=settings.training.model_copy(update={"threads": 1}),
            **settings.churn.model_dump(mode="json"),
        )
        part = Contest(name=self.name, company=small, origins=self.origins[-1:], peers=self.peers)
        mine = self.purchases.loc[self.purchases["customer_id"].isin(ids).to_numpy(dtype=bool)]
        part.__dict__["purchases"] = mine.reset_index(drop=True)
        return part


def purchases_in(orders: pd.DataFrame) -> pd.DataFrame:
    """Return one row per order that brought something: what a rival calls a purchase."""
    whole = orders.groupby(["customer_id", "order_id"], sort=True).agg(
        at_=("occurred_on", "min"), amount=("amount", "sum"), lines=("amount", "size"), known_at=("known_at", "max")
    )
    days = {name: pd.to_datetime(whole[name]).dt.tz_localize(None) for name in ("at_", "known_at")}
    rows = whole.assign(**days).reset_index().drop(columns="order_id")
    bought = rows.loc[(rows["amount"] > 0).to_numpy(dtype=bool)]
    return bought.sort_values(["customer_id", "at_"], ignore_index=True)


def open_contest(name: str, peers: ModuleType | None, *, most: int, customers: int, cutoffs: int) -> Contest:
    """Return one set with up to ``most`` origins; ``customers`` and training ``cutoffs`` shape the demo company."""
    company = _company(name, customers=customers, cutoffs=cutoffs)
    chosen = tuple(date.fromisoformat(day) for day in _DAYS.get(name, ()))
    newest = company.newest_cutoff()
    origins = chosen or origins_of(company.cutoffs(newest), company.settings.churn, most=most)
    return Contest(name=name, company=company, origins=origins, peers=peers)


def _company(name: str, *, customers: int, cutoffs: int) -> Company:
    if name == "demo":
        return Company(demo_company(customers=customers).tables, training={"most": cutoffs}, lead_days=0)
    company = Company.from_config(ROOT / "configs" / f"{name}.yaml", root=ROOT)
    without_lead = company.settings.churn.model_copy(update={"lead_days": 0})
    company.settings = company.settings.model_copy(update={"churn": without_lead})
    return company


def said_by_peers(contest: Contest, origin: date, who: Sequence[str], names: Sequence[str]) -> Mapping[str, Any]:
    """Return the scores of the usual ways for these customers, by name; one that cannot be loaded here is left out."""
    if contest.peers is None:
        return {}
    known, index, at = contest.known_purchases(origin), pd.Index(who, name="customer_id"), pd.Timestamp(origin)
    told = {}
    for name in names:
        try:
            with redirect_stdout(StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # lifetimes warns of, and prints, every fit that does not converge
                said = contest.peers.PEERS[name](known, index, at, contest.horizon_days, contest.active_days)
        except ImportError:
            continue
        except Exception as error:  # noqa: BLE001 (whatever a rival stumbles over must not end the contest)
            print(f"{contest.name} {origin}: {name} gave up ({type(error).__name__})")
            continue
        scores = np.asarray(said, dtype=np.float64)
        middle = float(np.nanmedian(scores)) if np.isfinite(scores).any() else 0.5
        told[f"peers_{name}"] = np.where(np.isfinite(scores), scores, middle)
    return told

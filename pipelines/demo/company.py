"""The demo company Nordlicht Werkzeughandel GmbH: a wholesaler of tools, invented, with its truth beside its data.

Everything is drawn from one seed and ends on a fixed day, so the same call gives the same bytes. The tables
are what Treue reads. The truth is what a real firm never gets to see; only tests read it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from features.errors import ConfigError
from features.outputs import write_bytes, write_json
from pipelines.demo.clock import Clock
from pipelines.demo.customers import customers_table
from pipelines.demo.dealings import contracts_table, feedback_table, losses_table
from pipelines.demo.dirt import DIRTY_ROWS
from pipelines.demo.lives import Lives, draw_lives
from pipelines.demo.orders import draw_purchases, orders_table
from pipelines.demo.relations import agents_of, complaint_rows, complaints_table, contact_rows, contacts_table
from pipelines.demo.treatments import treatments_table
from pipelines.demo.truth import README, satisfaction_table, true_effects_by_campaign, truth_table

LAST_DAY = date(2026, 6, 30)
FEWEST_CUSTOMERS = 20


@dataclass(frozen=True, kw_only=True)
class DemoCompany:
    """The demo company: the eight tables of the contract, and the truth.

    Attributes
    ----------
    tables : mapping of table name to DataFrame
        All columns of the contract and ``known_at``, typed and clean; money in EUR.
    truth : DataFrame
        One row per customer: ``customer_id``; ``lost_on`` (NaT: still buying); ``cause`` (a name of ``KINDS`` or
        "none" for a loss that nothing announced; missing: not lost); ``fading_from`` (first day of the traces);
        ``reactivated_on``; ``winnable``; ``orders_per_year`` (habit); ``usual_satisfaction`` (0 to 1);
        ``potential_amount`` [EUR a year]; ``high_potential_small``; ``costs_more_than_it_brings``;
        ``second_account_of`` (a customer_id, or missing) and ``second_account_kind`` ("repeated" or "near");
        ``effect_of_<measure>`` of each past campaign (1: lost through it, -1: kept by it, missing: not in it).
    satisfaction : DataFrame
        ``customer_id``, ``occurred_on``, ``satisfaction`` (hidden, 0 to 1) at the end of each quarter.
    effects : mapping
        The true effect of every past campaign.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: pd.DataFrame
    satisfaction: pd.DataFrame
    effects: Mapping[str, Any]


def demo_company(*, customers: int = 2000, seed: int = 7, last_day: date = LAST_DAY) -> DemoCompany:
    """Return the demo company with ``customers`` customers and four years of events up to ``last_day``.

    Parameters
    ----------
    customers : int
        At least 20.
    seed : int
        Another seed tells another story of the same kind.
    last_day : date
        Last day on which anything happens; never the clock.

    Raises
    ------
    ConfigError
        If there are fewer than 20 customers.
    """
    if customers < FEWEST_CUSTOMERS:
        raise ConfigError(f"expected at least {FEWEST_CUSTOMERS} demo customers, got {customers}; ask for more")
    clock = Clock(last_day=last_day)
    streams = [np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(9)]
    lives = draw_lives(streams[0], customers=customers)
    return DemoCompany(
        tables=MappingProxyType(_tables(streams[1:8], clock=clock, lives=lives)),
        truth=truth_table(streams[8], clock=clock, lives=lives),
        satisfaction=satisfaction_table(clock=clock, lives=lives),
        effects=true_effects_by_campaign(clock=clock, lives=lives),
    )


def write_demo(folder: Path, company: DemoCompany) -> dict[str, Path]:
    """Write ``data/<table>.csv`` and, apart from them, ``truth/`` below ``folder``; return the tables' files by name.

    UTF-8, commas, ISO dates, decimal points, empty for missing. ``DIRTY_ROWS`` stand at the end of each table.
    """
    write_bytes(folder / "truth" / "README.md", README.encode())
    write_bytes(folder / "truth" / "truth.csv", csv_bytes(company.truth))
    write_bytes(folder / "truth" / "satisfaction.csv", csv_bytes(company.satisfaction))
    write_json(folder / "truth" / "effects.json", company.effects)
    return {
        name: write_bytes(folder / "data" / f"{name}.csv", csv_bytes(table) + _dirty_lines(name, tuple(table.columns)))
        for name, table in company.tables.items()
    }


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return ``table`` as CSV with ISO dates; the same table gives the same bytes."""
    import pyarrow as pa
    import pyarrow.csv as pc

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    days = [pa.field(f.name, pa.date32() if pa.types.is_timestamp(f.type) else f.type) for f in arrow.schema]
    buffer = BytesIO()
    buffer.write((",".join(table.columns) + "\n").encode())
    pc.write_csv(arrow.cast(pa.schema(days)), buffer, pc.WriteOptions(include_header=False, quoting_style="needed"))
    return buffer.getvalue()


def _dirty_lines(name: str, columns: tuple[str, ...]) -> bytes:
    text = StringIO()
    csv.DictWriter(text, columns, lineterminator="\n").writerows(DIRTY_ROWS[name])
    return text.getvalue().encode()


def _tables(streams: list[np.random.Generator], *, clock: Clock, lives: Lives) -> dict[str, pd.DataFrame]:
    """Return the eight tables in the order of the contract."""
    who, day = draw_purchases(streams[0], clock=clock, lives=lives)
    orders = orders_table(streams[0], clock=clock, lives=lives, who=who, day=day)
    complaints = complaint_rows(streams[1], lives=lives, who=who, day=day)
    agents = agents_of(streams[2], lives=lives)
    contacts = contact_rows(streams[2], clock=clock, lives=lives, complaints=complaints)
    return {
        "customers": customers_table(streams[3], clock=clock, lives=lives, agents=agents),
        "orders": orders,
        "complaints": complaints_table(complaints, clock=clock),
        "contacts": contacts_table(contacts, clock=clock, lives=lives, agents=agents),
        "feedback": feedback_table(streams[4], clock=clock, lives=lives, complaints=complaints, contacts=contacts),
        "contracts": contracts_table(streams[5], clock=clock, lives=lives),
        "losses": losses_table(streams[6], clock=clock, lives=lives),
        "treatments": treatments_table(streams[6], clock=clock, lives=lives),
    }

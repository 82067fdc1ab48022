"""A company whose tables lie in Spark: the verbs of ``pipelines.library.Company`` on DataFrames of any size."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.catalogue import Catalogue, Group
from features.contract import KNOWN_AT, TABLES
from features.digest import digest_of
from features.errors import ConfigError, LeakageError
from features.ledgers import READINGS
from features.norms import Norms
from features.notes import missing_from
from models.churn_model import ChurnModel
from models.horizons import LOST_COLUMNS
from models.margin import MarginModel
from models.margin.model import MARGIN_COLUMNS
from models.potential import PEER_COLUMNS
from models.value import READ_COLUMNS
from pipelines.build_features import cutoffs_to_learn_from, early_cutoffs_of, facts_of
from pipelines.own_features import catalogue_of
from pipelines.score import COLUMNS, compared, stamped
from pipelines.settings import Settings
from pipelines.spark import rows, workers
from pipelines.spark.columns import NORMS, OF_KIND, SUMMARIES, SUMS, Columns, ddl, matrix_columns
from retention.reasons import MOST

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

ROWS_PER_PARTITION = 200_000
"""Rows of all tables in one partition, where the number of partitions is not given."""


class SparkCompany:
    """A company in Spark, as it was known on the morning of one cutoff.

    Parameters
    ----------
    tables : mapping of table name to DataFrame
        Accepted rows in the columns of the contract (``docs/configuration.md``); ``orders`` is compulsory. Dates are
        dates, numbers doubles or decimals, ids text or whole numbers; further columns are ignored.
    settings : Settings
        Of its sources nothing is read here.
    cutoff : date
        Rows known on or after it do not exist.
    features : groups of features of your own made in a notebook, see ``docs/own_features.md``
    partitions : int, optional
        How many parts the customers are divided into; by default one for about 200,000 rows.

    Raises
    ------
    ConfigError
        If a table or column is unknown, missing or of another type; one line with all that is wrong.
    ContractError
        If a row lacks a compulsory value, or no order was known.

    Notes
    -----
    Which customers share a partition, and how many there are, changes no bit of any result. The rows stay cached
    (memory, then disk) until `close`; as a context manager it closes itself. DataFrames it gave are worked out when
    they are used: use them before.
    """

    def __init__(
        self,
        tables: Mapping[str, DataFrame],
        settings: Settings,
        *,
        cutoff: date,
        features: Sequence[Group] = (),
        partitions: int | None = None,
    ):
        rows.check_tables(tables)
        _check_definition(settings, tables)
        self.settings, self.cutoff = settings, cutoff
        self._catalogue = catalogue_of(settings, groups=features)
        _send_along(self._catalogue)
        self._id_type = rows.id_type(tables["orders"])
        self._dated = frozenset(name for name, frame in tables.items() if "known_at" in frame.columns)
        given = {name: rows.canonical(name, tables[name]) for name in TABLES if name in tables}
        self._counted = rows.count(given, cutoff=cutoff)
        self._tables = {name: rows.as_known(name, frame, cutoff=cutoff) for name, frame in given.items()}
        self._read = {name: frame for name, frame in self._tables.items() if name in READINGS}
        count = sum(self._counted[name].balance.accepted for name in self._read)
        wanted = partitions or -(-count // ROWS_PER_PARTITION)
        self._united = rows.united(self._read).repartition(wanted, "customer_id").persist()
        self._kept = [self._united]
        self._norms: dict[date, Norms] = {}

    def __enter__(self) -> SparkCompany:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the cached rows."""
        for frame in self._kept:
            frame.unpersist()

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of the contract that each table has, and ``known_at`` where it is one of them."""
        return {
            name: tuple(each for each in frame.columns if each != "known_at" or name in self._dated)
            for name, frame in self._tables.items()
        }

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that the tables and columns at hand allow."""
        return tuple(feature.name for feature in self._catalogue.available(self.columns))

    @property
    def known_until(self) -> date:
        """First day of which nothing is known."""
        return min(self.cutoff, self._counted["orders"].last_known + timedelta(days=1))

    @property
    def cutoffs(self) -> tuple[date, ...]:
        """The days whose snapshots may be learned from on the morning of the cutoff, oldest first."""
        first = self._counted["orders"].first
        return cutoffs_to_learn_from(self.settings, first_known=first, known_until=self.known_until)

    @property
    def early_cutoffs(self) -> tuple[date, ...]:
        """The days after ``cutoffs`` of which half the horizon is known on the morning of the cutoff, oldest first."""
        first = self._counted["orders"].first
        return early_cutoffs_of(self.settings, first_known=first, known_until=self.known_until)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rows: that of the embedded run over the same rows."""
        parts = [frame.mapInArrow(partial(workers.sums, table=name), ddl(SUMS)) for name, frame in self._tables.items()]
        found = reduce(lambda one, other: one.unionAll(other), parts).collect()
        sums = {
            name: [sum(int(row[each]) for row in found if row["table"] == name) for each in ("rows", "low", "high")]
            for name in self._tables
        }
        own = {name: [each for each in frame.columns if each != "known_at"] for name, frame in self._tables.items()}
        return digest_of({name: (columns, sums[name]) for name, columns in own.items()})

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest of a matrix says besides its rows."""
        return facts_of(
            self.settings,
            self.columns,
            data=self.digest,
            id_type=self._id_type,
            last_known=self._counted["orders"].last_known,
            learn_from=self.cutoffs,
            early=self.early_cutoffs,
            notes=missing_from(self.columns),
            balances=[asdict(each.balance) for each in self._counted.values()],
        )

    def norms(self, cutoffs: Sequence[date]) -> dict[date, Norms]:
        """Return what is usual in the company at each cutoff."""
        missing = [day for day in cutoffs if day not in self._norms]
        if missing:
            self._require_known(missing)
            work = partial(workers.summaries, share=self._share, cutoffs=missing)
            fitted = self._spread(work, SUMMARIES).groupBy("cutoff").applyInArrow(workers.norms_of, ddl(NORMS))
            self._norms |= {row["cutoff"]: workers.norms_in(row["norms"]) for row in fitted.collect()}
        return {day: self._norms[day] for day in cutoffs}

    def matrix(self, *cutoffs: date) -> DataFrame:
        """Return the snapshots of the cutoffs with all features, and labels where their horizon is finished.

        One row per customer of the cohorts and cutoff, in no order: customer_id, cutoff, cohort, label (missing while
        the horizon is unfinished), then one double per feature (null where it is missing).
        """
        columns = matrix_columns(self.features)
        work = partial(workers.snapshots, share=self._share, task=self._task(cutoffs), columns=columns)
        return self._spread(work, columns)

    def matrices(self, cutoffs: Sequence[date]) -> Iterator[tuple[date, pa.Table]]:
        """Yield each cutoff with its matrix, gathered on the driver and ordered by customer_id."""
        everything = self.matrix(*cutoffs).persist()
        try:
            for day in cutoffs:
                yield day, everything.where(everything["cutoff"] == day).toArrow().sort_by("customer_id")
        finally:
            everything.unpersist()

    def score(self, model: ChurnModel, *, run_id: str = "spark", margin: MarginModel | None = None) -> DataFrame:
        """Return probability with interval, value, segment and reasons of each customer, likeliest first.

        Every executor judges its own customers; value, segment and rank, which need everybody, are worked out on the
        driver from about 200 bytes per customer. ``margin`` is the forecast of margins of active customers.

        Raises
        ------
        LeakageError
            If ``model`` was trained for a later day: it has seen what nobody knew at the cutoff.
        """
        from pyspark.sql import functions as sql

        _require_earlier(model, self.cutoff)
        judged = self._judged(model, margin)
        compared = judged.sparkSession.createDataFrame(self._compared(judged, model, margin))
        constants = stamped(model, self.settings, cutoff=self.cutoff, run_id=run_id)
        scores = judged.drop(*READ_COLUMNS, *MARGIN_COLUMNS).join(compared, "customer_id")
        stamps = {name: sql.lit(value) for name, value in constants.items()}
        return scores.withColumns(stamps).select(*COLUMNS).orderBy("rank")

    def _judged(self, model: ChurnModel, margin: MarginModel | None) -> DataFrame:
        chance = ("probability", "probability_low", "probability_high", "score")
        places = range(1, MOST + 1)
        columns = {
            "customer_id": "string",
            **dict.fromkeys((name for name in READ_COLUMNS if name in self.features), "double"),
            **dict.fromkeys(MARGIN_COLUMNS if margin else (), "double"),
            **dict.fromkeys(chance, "double"),
            **{f"reason_{place}": "string" for place in places},
            **{f"contribution_{place}": "double" for place in places},
            **dict.fromkeys(LOST_COLUMNS, "double"),
        }
        task, files = self._task([self.cutoff]), model.to_files()
        forecast = margin.to_files() if margin else None
        work = partial(
            workers.judgements, share=self._share, task=task, files=files, columns=columns, margin_files=forecast
        )
        judged = self._spread(work, columns).persist()
        self._kept.append(judged)
        return judged

    def _compared(self, judged: DataFrame, model: ChurnModel, margin: MarginModel | None) -> pa.Table:
        chance = ("probability", "probability_low", "probability_high")
        read = (name for name in (*READ_COLUMNS, *MARGIN_COLUMNS) if name in judged.columns)
        names = ["customer_id", *chance, *read]
        slim: pd.DataFrame = judged.select(*names).toArrow().sort_by("customer_id").to_pandas()
        rhythm = self.norms([self.cutoff])[self.cutoff].rhythm
        found = compared(slim, model, rhythm, self.settings, margin=margin, about=self._about)
        return pa.Table.from_pandas(found.assign(customer_id=slim["customer_id"]), preserve_index=False)

    @cached_property
    def _about(self) -> pd.DataFrame | None:
        """Master data by which customers are compared; None without a customers table."""
        if "customers" not in self._tables:
            return None
        customers = self._tables["customers"]
        wanted = [name for name in PEER_COLUMNS if name in customers.columns]
        found: pd.DataFrame = customers.select("customer_id", *wanted).toArrow().sort_by("customer_id").to_pandas()
        return found

    @property
    def _share(self) -> workers.Share:
        return workers.Share(
            tables={name: _types(name, frame.columns) for name, frame in self._read.items()},
            dated=self._dated,
            features=self._catalogue,
            resources=self.settings.resources,
        )

    def _task(self, cutoffs: Sequence[date]) -> workers.Task:
        return workers.Task(norms=self.norms(cutoffs), churn=self.settings.churn, known_until=self.known_until)

    def _spread(self, work: Callable[..., Any], columns: Columns) -> DataFrame:
        return self._united.mapInArrow(work, ddl(columns))

    def _require_known(self, cutoffs: Sequence[date]) -> None:
        late = [day for day in cutoffs if day > self.cutoff]
        if late:
            raise LeakageError(f"rows are known until {self.cutoff} only, got cutoff {late[0]}; open the company later")


def _types(table: str, columns: Sequence[str]) -> Columns:
    """Return the types of a table's columns beside customer_id."""
    kinds = {each.name: each.kind for each in (*TABLES[table].columns, KNOWN_AT)}
    return {each: OF_KIND[kinds[each]] for each in columns if each != "customer_id"}


def _send_along(features: Catalogue) -> None:
    """Let the code of the company's own features travel to the executors, which do not have its files."""
    from pyspark import cloudpickle

    for module in {feature.compute.__module__ for group in features.own_groups for feature in group.features}:
        cloudpickle.register_pickle_by_value(sys.modules[module])


def _check_definition(settings: Settings, tables: Mapping[str, Any]) -> None:
    if settings.churn.definition == "contract" and "contracts" not in tables:
        raise ConfigError("churn.definition: `contract` needs the table contracts; add it or choose inactivity")


def _require_earlier(model: ChurnModel, cutoff: date) -> None:
    if model.cutoff > cutoff:
        raise LeakageError(
            f"the model was trained for {model.cutoff} and has seen what came after {cutoff};"
            f" score {model.cutoff} or later, or train for {cutoff}"
        )

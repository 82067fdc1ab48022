"""Polars: what all cutoffs share is aggregated once by the streaming engine, then each cutoff is a group-by of little.

Shared: orders by customer and stretch of days between two window edges; days of purchase with the gap before them, by
the cutoff from which on they are seen. Rows recorded late stay apart and join a cutoff once they are known; customers
with an order that is booked but not yet known at a cutoff get their gaps anew. Tried and slower: a group-by with
conditions over all rows per cutoff, windows as differences of running sums, the engine in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
from polars import col

from benchmarks.rivals.columns import COLUMNS, QUARTER, REACH, WINDOWS, YEAR, edges

SPAN = 1 << 16
"""Customer and day make one key: ``customer * SPAN + day``."""


def features(folder: Path, cutoffs: Sequence[date]) -> Iterator[pa.Table]:
    """Yield the shared columns, one table per cutoff."""
    orders = _scan(folder, "orders", cents=_cents("amount"), margin=_cents("margin")).collect(engine="streaming")
    ids = orders.select(col("customer_id").unique())
    ids = ids.select(col("customer_id").cast(pl.String), customer=_number())
    complaints, contacts = _complaints(folder), _contacts(folder)  # while the categories of the orders are held
    orders = orders.select(_number().alias("customer"), pl.exclude("customer_id"))
    purchases = _purchases(orders)
    stretches, rhythms = _stretches(orders, cutoffs), _rhythms(purchases, cutoffs)
    late = purchases.filter(col("known") > col("day"))
    for cutoff in cutoffs:
        day = _day_number(cutoff)
        waiting = late.filter(col("day") < day, col("known") >= day)["customer"].unique().sort()
        parts = [
            _rhythm_at(rhythms, purchases, waiting, day),
            _sums_at(stretches, day),
            _complaints_at(complaints, day),
            _contacts_at(contacts, day),
        ]
        yield _joined(pl.collect_all(parts, engine="streaming"), ids)


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


# --- Once, for all cutoffs ------------------------------------------------------------------------------------------


def _scan(folder: Path, name: str, **columns: pl.Expr) -> pl.LazyFrame:
    return pl.scan_parquet(folder / f"{name}.parquet").select(
        col("customer_id").cast(pl.Categorical),
        day=col("occurred_on").cast(pl.Int32),
        known=pl.max_horizontal("known_at", "occurred_on").cast(pl.Int32),
        **columns,
    )


def _cents(name: str) -> pl.Expr:
    return (col(name).fill_null(0) * 100).round().cast(pl.Int64)


def _number() -> pl.Expr:
    return col("customer_id").to_physical().cast(pl.Int64)


def _key(day: str = "day") -> pl.Expr:
    return (col("customer") * SPAN + col(day)).alias("key")


def _unkeyed(rows: pl.LazyFrame, day: str = "day") -> pl.DataFrame:
    """Return the rows in the order of their key, with customer and day in its place."""
    parts = {"customer": (col("key") // SPAN).cast(pl.Int32), day: (col("key") % SPAN).cast(pl.Int32)}
    return rows.sort("key").with_columns(**parts).drop("key").collect(engine="streaming")


def _complaints(folder: Path) -> pl.LazyFrame:
    return _scan(folder, "complaints").with_columns(customer=_number()).collect(engine="streaming").lazy()


def _contacts(folder: Path) -> pl.LazyFrame:
    ways = {f"is_{way}bound": (col("direction") == way).fill_null(value=False) for way in ("in", "out")}
    rows = _scan(folder, "contacts", **ways).with_columns(customer=_number()).drop("customer_id")
    return rows.sort("customer").collect(engine="streaming").lazy()


def _purchases(orders: pl.DataFrame) -> pl.DataFrame:
    """Return customer, day, known and gap of every purchase, sorted by customer and day."""
    rows = orders.lazy().filter(col("cents") > 0).select(_key(), "known").sort("key")
    return _with_gaps(rows).collect(engine="streaming")


def _with_gaps(keyed: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows with the days since the customer's row before; 0 on the first."""
    customer = col("key") // SPAN
    gap = pl.when(customer == customer.shift()).then(col("key") - col("key").shift()).fill_null(0)
    day = (col("key") % SPAN).cast(pl.Int32)
    return keyed.select(customer.cast(pl.Int32).alias("customer"), "known", day=day, gap=gap.cast(pl.Int32))


def _stretches(orders: pl.DataFrame, cutoffs: Sequence[date]) -> pl.LazyFrame:
    """Return sums by customer and stretch, named by its first day; late rows one by one."""
    begins = pl.Series("edge", [_day_number(day) for day in edges(cutoffs)], dtype=pl.Int32).to_frame()
    days = orders.select(col("day").unique()).sort("day")
    edge_of_day = days.join_asof(begins, left_on="day", right_on="edge").drop_nulls().lazy()
    values = {
        "orders": (col("cents") > 0).cast(pl.Int64),
        "cents": col("cents"),
        "sold": col("cents").clip(0),
        "returns": (col("cents") < 0).cast(pl.Int64),
        "margin": col("margin"),
    }
    on_time = orders.lazy().filter(col("known") == col("day")).join(edge_of_day, on="day").group_by(_key("edge"))
    summed = on_time.agg(**{name: value.sum() for name, value in values.items()}, known=pl.lit(0, dtype=pl.Int32))
    late = orders.lazy().filter(col("known") > col("day")).select(_key(), **values, known="known")
    return _unkeyed(pl.concat([summed, late])).lazy()


def _rhythms(purchases: pl.DataFrame, cutoffs: Sequence[date]) -> pl.LazyFrame:
    """Return what sums up the days of purchase by customer and the first cutoff that sees them."""
    steps = pl.Series("cutoff", [_day_number(day) for day in sorted(cutoffs)], dtype=pl.Int32).to_frame()
    known = purchases.select(col("known").unique()).sort("known")
    seen = known.join_asof(steps, left_on="known", right_on="cutoff", strategy="forward", allow_exact_matches=False)
    rows = purchases.lazy().with_columns(col("customer").cast(pl.Int64)).join(seen.drop_nulls().lazy(), on="known")
    return _unkeyed(rows.group_by(_key("cutoff")).agg(**_summary()), "cutoff").lazy()


def _summary() -> dict[str, pl.Expr]:
    gap = col("gap").cast(pl.Int64)
    return {
        "first": col("day").min(),
        "last": col("day").max(),
        "gaps": (gap > 0).sum().cast(pl.Int64),
        "gap_sum": gap.sum(),
        "gap_squares": (gap * gap).sum(),
        "longest": gap.max(),
        "day_and_gap": pl.when(gap > 0).then(col("day") * SPAN + gap).max(),
    }


# --- At a cutoff ----------------------------------------------------------------------------------------------------


def _sums_at(stretches: pl.LazyFrame, cutoff: int) -> pl.LazyFrame:
    """Orders, turnover, returns and margins of every window."""
    within = {days: col("day") >= cutoff - days for days in WINDOWS}
    seen = stretches.filter(col("day") < cutoff, within.pop(REACH), col("known") < cutoff)
    year_before = col("day").is_between(cutoff - YEAR - QUARTER, cutoff - YEAR, closed="left")
    return seen.group_by("customer").agg(
        col("orders").sum().alias("orders_728d"),
        col("cents").sum().alias("turnover_cents_728d"),
        *((col("orders") * inside).sum().alias(f"orders_{days}d") for days, inside in within.items()),
        *((col("cents") * inside).sum().alias(f"turnover_cents_{days}d") for days, inside in within.items()),
        turnover_cents_91d_year_before=(col("cents") * year_before).sum(),
        returns_364d=(col("returns") * within[YEAR]).sum(),
        sold_cents_364d=(col("sold") * within[YEAR]).sum(),
        margin_cents_364d=(col("margin") * within[YEAR]).sum(),
    )


def _rhythm_at(rhythms: pl.LazyFrame, purchases: pl.DataFrame, waiting: pl.Series, cutoff: int) -> pl.LazyFrame:
    """Age and gaps of the days of purchase; those of the customers in ``waiting`` from their known rows alone."""
    begin = purchases["customer"].search_sorted(waiting, "left")
    places = pl.int_ranges(begin, purchases["customer"].search_sorted(waiting, "right"), eager=True)
    known = purchases[places.explode(empty_as_null=False)].lazy().filter(col("known") < cutoff)
    known = known.with_columns(col("customer").cast(pl.Int64)).select(_key(), "known")
    anew = _with_gaps(known).group_by("customer").agg(**_summary())
    settled = rhythms.filter(col("cutoff") <= cutoff, ~col("customer").is_in(waiting.implode()))
    sums, most = col("gaps", "gap_sum", "gap_squares").sum(), col("last", "longest", "day_and_gap").max()
    whole = settled.group_by("customer").agg(col("first").min(), sums, most)
    n = col("gaps")
    return (
        pl.concat([whole, anew], how="diagonal")
        .filter(col("last") >= cutoff - REACH)
        .select(
            "customer",
            recency_days=cutoff - col("last"),
            tenure_days=cutoff - col("first"),
            purchase_days=n + 1,
            gap_mean_days=pl.when(n > 0).then(col("gap_sum") / n),
            gap_sd_days=pl.when(n > 1).then((n * col("gap_squares") - col("gap_sum") ** 2).sqrt() / n),
            gap_longest_days=pl.when(n > 0).then("longest"),
            gap_last_days=pl.when(n > 0).then(col("day_and_gap") % SPAN),
        )
    )


def _complaints_at(complaints: pl.LazyFrame, cutoff: int) -> pl.LazyFrame:
    seen = complaints.filter(col("known") < cutoff).group_by(col("customer").cast(pl.Int32))
    counts = {f"complaints_{days}d": (col("day") >= cutoff - days).sum() for days in (QUARTER, YEAR)}
    return seen.agg(complaint_recency_days=cutoff - col("day").max(), **counts)


def _contacts_at(contacts: pl.LazyFrame, cutoff: int) -> pl.LazyFrame:
    seen = contacts.filter(col("known") < cutoff).group_by(col("customer").cast(pl.Int32))
    counts = {f"contacts_{days}d": (col("day") >= cutoff - days).sum() for days in (28, QUARTER, YEAR)}
    lately = col("day") >= cutoff - QUARTER
    counts |= {f"{way}bound_91d": (col(f"is_{way}bound") & lately).sum() for way in ("in", "out")}
    return seen.agg(contact_recency_days=cutoff - col("day").max(), **counts)


def _joined(parts: Sequence[pl.DataFrame], ids: pl.DataFrame) -> pa.Table:
    """Return all columns in order; what has no row to sum or count is 0."""
    rhythm, *others = (part.lazy() for part in parts)
    plan = rhythm.join(ids.lazy().with_columns(col("customer").cast(pl.Int32)), on="customer")
    for other in others:
        plan = plan.join(other.with_columns(pl.exclude("customer").cast(pl.Int64)), on="customer", how="left")
    plan = plan.with_columns(pl.exclude("^.*recency_days$", "^gap_.*$", "customer_id").fill_null(0)).with_columns(
        returned_cents_364d=col("sold_cents_364d") - col("turnover_cents_364d"),
        lines_364d=col("orders_364d"),
        orders_91d_before=col("orders_182d") - col("orders_91d"),
        turnover_cents_91d_before=col("turnover_cents_182d") - col("turnover_cents_91d"),
    )
    return plan.select("customer_id", col(COLUMNS).cast(pl.Float64)).collect(engine="streaming").to_arrow()

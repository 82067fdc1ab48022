"""What Spark cannot take is said in one line before anything is worked out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.errors import ConfigError, ContractError
from pipelines.settings import settings_from
from pipelines.spark import SparkCompany, session

pytestmark = [
    pytest.mark.slow,
    # PySpark leaves the sockets through which it fetches results to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


def orders(spark: Any, **changed: str) -> Any:
    """Return two orders; ``changed`` gives columns by SQL expression, or takes them out where it is empty."""
    columns = {
        "order_id": "cast(id as string)",
        "customer_id": "id",
        "occurred_on": "date'2024-01-01'",
        "amount": "cast(id + 1 as decimal(9, 2))",
    } | changed
    return spark.range(2).selectExpr(*(f"{value} as {name}" for name, value in columns.items() if value))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"amount": ""}, r"orders: there is no column `amount`, and it is compulsory"),
        ({"amount": "'3'"}, r"orders.amount: expected a double or decimal number, got string"),
        ({"occurred_on": "current_timestamp()"}, r"orders.occurred_on: expected a date: cast times .* got timestamp"),
        ({"customer_id": "cast(id as double)"}, r"orders.customer_id: expected a text, got double"),
    ],
)
def test_a_missing_column_or_wrong_type_is_one_line(spark: Any, changed: dict[str, str], message: str) -> None:
    settings = settings_from({"name": "demo", "sources": {"orders": {"uri": "orders"}}}, place="test")
    with pytest.raises(ConfigError, match=message):
        SparkCompany({"orders": orders(spark, **changed)}, settings, cutoff=date(2024, 6, 1))


def test_unknown_tables_missing_values_and_no_orders_are_one_line(spark: Any) -> None:
    settings = settings_from({"name": "demo", "sources": {"orders": {"uri": "orders"}}}, place="test")
    cutoff = date(2024, 6, 1)
    with pytest.raises(ConfigError, match=r"order: unknown table; nearest is `orders`; orders: the table is compuls"):
        SparkCompany({"order": orders(spark)}, settings, cutoff=cutoff)
    lacking = orders(spark, amount="if(id = 0, double('nan'), 1.5d)")
    with pytest.raises(ContractError, match=r"1 rows of orders lack a compulsory value; Spark takes accepted rows"):
        SparkCompany({"orders": lacking}, settings, cutoff=cutoff)
    with pytest.raises(ContractError, match=r"no order was known before 2023-06-01"):
        SparkCompany({"orders": orders(spark)}, settings, cutoff=date(2023, 6, 1))


def test_a_source_that_maps_rows_is_refused(spark: Any) -> None:
    sources: dict[str, Any] = {"orders": {"uri": "x", "columns": {"amount": "price"}}}
    with pytest.raises(ConfigError, match=r"sources.orders.columns: Spark takes accepted rows"):
        session.sources(spark, settings_from({"name": "demo", "sources": sources}, place="test"))
    sources = {"orders": {"uri": session.TABLE_SCHEME}}
    with pytest.raises(ConfigError, match=r"sources.orders: expected uri of Parquet alone, or uri: pyspark:// and"):
        session.sources(spark, settings_from({"name": "demo", "sources": sources}, place="test"))

"""`treue init`: a commented configuration and empty example tables to start from."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from features.contract import TABLES, Table
from features.errors import ConfigError
from features.outputs import write_bytes

_CONFIG = """\
# Configuration of Treue. Every key, its default and what it does: docs/configuration.md.
# Try it out: treue check --config treue.yaml
name: my-company
language: de              # language of reasons, lists and report: de | en
currency: EUR             # one currency per run
timezone: Europe/Berlin   # the zone in which your days begin
# output: out/my-company  # where everything is written

# Only `orders` is compulsory. A table you leave out takes its features and reasons with it; the report says so.
# uri: a file (.csv, .tsv, .txt, also .gz; .parquet), a folder, a glob, or a database, e.g.
#   uri: postgres://${ERP_USER}:${ERP_PASSWORD}@erp:5432/erp   (credentials only from environment variables)
#   table: sales.orders
# columns: name in Treue: SQL expression over your columns. Columns of the same name need not be listed:
#   amount: Quantity * UnitPrice
#   order_id: '"Order No"'           # names with blanks in double quotes
# where: SQL condition; rows that do not meet it are not read
# read: how text is read: {delimiter: ";", decimal: ",", thousands: ".", date_format: "%d.%m.%Y", encoding: cp1252}
sources:
"""
_REST = """
churn:
  definition: inactivity    # inactivity | decline | contract
  active_within_days: 180   # a customer is active when the last order is at most so old
  lead_days: 14             # days left to act
  horizon_days: 90          # no order in these days is called lost
# features:
#   files: [own_features.py]  # features of your own (docs/own_features.md); the file is run
#   leave_out: [contacts]     # groups or features that are not used
lists:
  early_warning: {size: 200}
  win_back: {size: 100}
plan: {budget: 5000, hours_per_owner: 8, control_share: 0.1}
# export:
#   - {to: file, format: csv, path: crm/}
#   - {to: sql, uri: "postgres://${CRM_USER}:${CRM_PASSWORD}@crm:5432/crm", table: treue_scores}
"""
_README = """\
# Your data for Treue

1. Fill the tables in `data/` (or point `sources` in `treue.yaml` at your own files or database).
   Only `orders.csv` is compulsory; delete from `treue.yaml` the tables you do not have.
2. `treue check --config treue.yaml` says what was read, what was refused and why, and what is missing and costs what.
3. `treue run --config treue.yaml` writes lists and report below `out/`.

Dates as 2024-12-31; net amounts, returns negative; ids as in your CRM; one row per line.

| table | grain | columns (* compulsory) |
|---|---|---|
"""


def write_example(folder: Path) -> tuple[Path, ...]:
    """Write ``treue.yaml``, ``README.md`` and one empty table per table of the contract; return the paths.

    Raises
    ------
    ConfigError
        If one of the files is already there (nothing is written then), or the folder cannot be written.
    """
    files = {folder / "treue.yaml": _config(), folder / "README.md": _readme()}
    files |= {folder / "data" / f"{name}.csv": _header(table) for name, table in TABLES.items()}
    present = next((path for path in files if path.exists()), None)
    if present is not None:
        raise ConfigError(f"{present} is already there; choose an empty folder, nothing was written")
    try:
        return tuple(write_bytes(path, text.encode()) for path, text in files.items())
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); choose another folder") from error


def _config() -> str:
    ordered = sorted(TABLES, key=lambda name: name != "orders")
    return _CONFIG + "".join(f"  {name}:\n    uri: data/{name}.csv\n" for name in ordered) + _REST


def _readme() -> str:
    rows = []
    for table in TABLES.values():
        names = ", ".join(f"{column.name}{'*' if column.required else ''}" for column in table.columns)
        rows.append(f"| {table.name} | {table.grain} | {names} |")
    return _README + "\n".join(rows) + "\n"


def _header(table: Table) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([column.name for column in table.columns])
    return text.getvalue()

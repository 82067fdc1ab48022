"""The ledgers: one file per table, with what is read of it and what is made from its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from features.ledger import Ledger
from features.ledgers import complaints, contacts, contracts, customers, feedback, losses, orders
from features.ledgers.rows import History, Reading

READINGS: Mapping[str, Reading] = {
    reading.table: reading
    for reading in (
        customers.READING,
        orders.READING,
        complaints.READING,
        contacts.READING,
        feedback.READING,
        contracts.READING,
        losses.READING,
    )
}
"""What is read of each table, by table: to read another one, write its file and name it here."""

_MAKERS: Mapping[str, Callable[[History], Ledger]] = {
    name: make for reading in READINGS.values() for name, make in reading.ledgers.items()
}


class Ledgers(Mapping[str, Ledger]):
    """Every ledger that the tables at hand allow, made when it is first asked for."""

    def __init__(self, rows: History):
        self._rows = rows
        self._made: dict[str, Ledger] = {}

    def __getitem__(self, name: str) -> Ledger:
        if name not in self._made:
            if name not in set(self):
                raise KeyError(name)
            self._made[name] = _MAKERS[name](self._rows)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return (name for table, reading in READINGS.items() if table in self._rows for name in reading.ledgers)

    def __len__(self) -> int:
        return sum(1 for _ in self)

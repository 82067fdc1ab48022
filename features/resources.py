"""What a run may take of the machine."""

from __future__ import annotations

from pydantic import Field

from features.section import Section

_BYTES_PER_ROW = 700
"""What an order costs while its part is worked on: rows, ledgers, prefix sums, and the features of its customer."""

_LEAST_ROWS, _MOST_ROWS = 20_000, 400_000


class Resources(Section):
    """What a run may take of the machine."""

    memory_gb: float = Field(
        default=3.0,
        ge=0.5,
        le=1024,
        description="Memory to keep within while tables are taken in and features are built [GB]; what does not fit is"
        " worked on in smaller parts from temporary files. Results do not depend on it.",
    )

    @property
    def rows_per_part(self) -> int:
        """Most orders of one part of the history: a fifth of the memory, so that two may be worked on side by side."""
        return int(min(max(self.memory_gb * 1e9 / 5 / _BYTES_PER_ROW, _LEAST_ROWS), _MOST_ROWS))

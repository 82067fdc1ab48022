"""The figures of weekly lists as tables for people."""

from __future__ import annotations

from collections.abc import Mapping

from models.warning import WarningFigures

HEADINGS = (
    "list", "listed", "turnover", "alarms", "repeated", "false per real", "never warned", "lead (days)", "balance",
)  # fmt: skip


def table(found: Mapping[str, WarningFigures], *, first: str = HEADINGS[0]) -> list[str]:
    """Return the rows of a Markdown table, one per list."""
    rows = [cells(name, each) for name, each in found.items()]
    return [f"| {' | '.join(row)} |" for row in ((first, *HEADINGS[1:]), ["---"] * len(HEADINGS), *rows)]


def cells(name: str, found: WarningFigures) -> tuple[str, ...]:
    return (
        name,
        f"{found.listed:.0f}",
        f"{100 * found.turnover_share:.1f} %",
        str(found.alarms),
        f"{100 * found.repeated_share:.1f} %",
        f"{found.false_per_real:.2f}",
        f"{100 * found.never_warned_share:.1f} % of {found.losses}",
        f"{found.lead_days:.0f} ({found.lead_days_low:.0f} to {found.lead_days_high:.0f})",
        f"{found.balance:.3f}",
    )

"""Results as tables, and as what the last line says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.kundenwert.contest import Result

FORMULA = "average month"
BETTER = 0.05
"""How much larger the share of the best found shall be than the formula's."""
COVERED, TOLERANCE = 0.8, 0.05


def table_of(results: Sequence[Result]) -> str:
    """Return one line per way, morning and horizon."""
    lines = []
    for each in results:
        lines.append(
            f"{each.name}, {each.days} days from {each.morning}: {each.customers} customers, by {each.chosen},"
            f" {each.covered:.1%} inside the 80 % interval"
        )
        lines += [
            f"  {way:24} MAE {said['mae']:12.1f}  rank {said['rank']:6.3f}  best 20 % found {said['best_found']:6.1%}"
            for way, said in each.figures.items()
        ]
    return "\n".join(lines)


def means_of(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Return the mean of each figure over mornings by way; errors relative to ours, so that mornings count alike."""
    ways = set.intersection(*(set(each.figures) for each in results))
    found: dict[str, dict[str, float]] = {}
    for way in sorted(ways):
        said = [each.figures[way] for each in results]
        ours = [each.figures["treue"] for each in results]
        found[way] = {
            "mae": round(float(np.mean([one["mae"] for one in said])), 1),
            "mae_over_treue": round(
                float(np.mean([a["mae"] / max(b["mae"], 1e-9) for a, b in zip(said, ours, strict=True)])), 3
            ),
            "rank": round(float(np.mean([one["rank"] for one in said])), 4),
            "best_found": round(float(np.mean([one["best_found"] for one in said])), 4),
        }
    return found


def figures_of(results: Sequence[Result]) -> dict[str, Any]:
    """Return means per set and horizon, with the coverage on each morning."""
    figures: dict[str, Any] = {}
    for key in _keys(results):
        own = [each for each in results if (each.name, each.days) == key]
        covered = [round(each.covered, 3) for each in own]
        steps = [each.chosen for each in own]
        figures[f"{key[0]} {key[1]}"] = {**means_of(own), "covered": covered, "chosen": steps}
    figures["covered, mean of sets"] = round(float(np.mean([each.covered for each in results])), 3) if results else None
    return figures


def goals_of(results: Sequence[Result]) -> dict[str, bool]:
    """Return per set and horizon whether we are better than each rival in each figure, and cover what we say."""
    goals: dict[str, bool] = {}
    for name, days in _keys(results):
        own = [each for each in results if (each.name, each.days) == (name, days)]
        means, place = means_of(own), f"{name} {days}"
        ours, others = means["treue"], {way: said for way, said in means.items() if way != "treue"}
        goals[f"{place}: MAE below every rival"] = all(said["mae_over_treue"] > 1 for said in others.values())
        goals[f"{place}: rank above every rival"] = all(ours["rank"] > said["rank"] for said in others.values())
        formula = others[FORMULA]["best_found"]
        goals[f"{place}: best found 5 % above the formula"] = ours["best_found"] >= (1 + BETTER) * formula
        covered = float(np.mean([each.covered for each in own]))
        goals[f"{place}: intervals cover 80 % +- 5"] = abs(covered - COVERED) <= TOLERANCE
    return goals


def _keys(results: Sequence[Result]) -> list[tuple[str, int]]:
    return sorted({(each.name, each.days) for each in results})

"""The figures as tables and in plain words, alike for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.worth.measured import BASE, START, Ablation, Figure, Pair
from features.catalogue import GROUPS

CHANCE = 0.5


def tables(found: Ablation) -> list[str]:
    """Return both tables of one set, as aligned lines of Markdown: all groups but one, and sales plus one."""
    everything, base = found.everything, found.base
    columns = found.feature_counts
    left_out = [
        _row(f"without {group}", -columns[group], found.without(group), everything) for group in found.can_be_left_out
    ]
    added = [_row(f"{BASE} + {group}", columns[group], found.on_base(group), base) for group in found.can_be_added]
    return [
        *_aligned([_head("all groups"), _row("all groups", sum(columns.values()), everything), *left_out]),
        "",
        *_aligned([_head(f"{BASE} only"), _row(f"{BASE} only", columns[BASE], base), *added]),
    ]


def reading(found: Ablation) -> list[str]:
    """Return what the tables say, one sentence each, as lines of a Markdown list."""
    worth = {group: _worth(found, group) for group in found.can_be_left_out}
    adds = {group: _adds(found, group) for group in found.can_be_added}
    costs = {group: _costs(found, group) for group in found.can_be_left_out}
    known = [group for group in adds if adds[group] and not worth[group]]
    nothing = [group for group in worth if not (worth[group] or costs[group] or adds.get(group))]
    absent = [group for group in GROUPS if group not in found.groups]
    return [
        _summary(found),
        *([_of_events(found.events)] if found.events else []),
        *(f"- **{group}**: without it {_and(said)}." for group, said in worth.items() if said),
        *(
            f"- **{group}** adds to {BASE} alone ({_and(adds[group])}); beside the others nothing measurable is left."
            for group in known
        ),
        *(f"- **{group}** costs: without it {_and(said)}." for group, said in costs.items() if said),
        *([f"- Worth nothing measurable here: {', '.join(nothing)}."] if nothing else []),
        *([f"- Not in this set: {', '.join(absent)}."] if absent else []),
    ]


def at_a_glance(by_set: Mapping[str, Ablation]) -> list[str]:
    """Return what each group is worth beside all others on each set, as one table: a line per group."""
    rows = [[group, *(_glance(found, group) for found in by_set.values())] for group in GROUPS]
    return _aligned([["without", *by_set], *rows])


def _glance(found: Ablation, group: str) -> str:
    if group not in found.can_be_left_out:
        return ""
    change = found.without(group) - found.everything
    auc = [f"AUC {change.auc.value:+.3f}"] if _is_measurable(change.auc) else []
    share = [f"turnover {100 * change.found.value:+.1f}"] if _is_measurable(change.found) else []
    return ", ".join(auc + share) or "nothing"


def _is_measurable(change: Figure) -> bool:
    return change.low > 0 or change.high < 0


def _summary(found: Ablation) -> str:
    auc, share, base = found.everything.auc, found.everything.found, found.base
    start = "no better than chance" if auc.low <= CHANCE else "measurably better than chance"
    return (
        f"- All groups together rank {start}: AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f}), and"
        f" {100 * share.value:.1f} % of the lost turnover in the first tenth of the list"
        f" ({100 * share.low:.1f} to {100 * share.high:.1f} %). Sales alone: {base.auc.value:.3f} and"
        f" {100 * base.found.value:.1f} %."
    )


def _of_events(events: Pair) -> str:
    """The sentence on all that is neither sales nor rhythm."""
    words = (
        f"AUC {_span(events.auc, 1, 4, sign='+')}, lost turnover found {_span(events.found, 100, 1, sign='+')} points"
    )
    verdict = "worth something" if events.auc.low > 0 or events.found.low > 0 else "worth nothing measurable"
    return f"- What is neither {BASE} nor {START} is together {verdict}: {words}."


def _worth(found: Ablation, group: str) -> list[str]:
    lost = found.everything - found.without(group)
    auc = [f"the AUC falls by {_span(lost.auc, 1, 4)}"] if lost.auc.low > 0 else []
    return auc + (
        [f"the lost turnover found falls by {_span(lost.found, 100, 1)} points"] if lost.found.low > 0 else []
    )


def _costs(found: Ablation, group: str) -> list[str]:
    won = found.without(group) - found.everything
    auc = [f"the AUC rises by {_span(won.auc, 1, 4)}"] if won.auc.low > 0 else []
    return auc + ([f"the lost turnover found rises by {_span(won.found, 100, 1)} points"] if won.found.low > 0 else [])


def _adds(found: Ablation, group: str) -> list[str]:
    won = found.on_base(group) - found.base
    auc = [f"AUC {_span(won.auc, 1, 4, sign='+')}"] if won.auc.low > 0 else []
    return auc + ([f"lost turnover found {_span(won.found, 100, 1, sign='+')} points"] if won.found.low > 0 else [])


def _and(parts: Iterable[str]) -> str:
    return " and ".join(parts)


def _head(reference: str) -> list[str]:
    return ["groups", "columns", "AUC", f"against {reference}", "lost turnover found", f"against {reference}, points"]


def _row(name: str, columns: int, pair: Pair, reference: Pair | None = None) -> list[str]:
    """One line of a table; with a reference its columns are those more or fewer than there."""
    apart = None if reference is None else pair - reference
    return [
        name,
        str(columns) if apart is None else f"{columns:+d}",
        f"{pair.auc.value:.3f}",
        "" if apart is None else _span(apart.auc, 1, 4, sign="+"),
        f"{100 * pair.found.value:.1f} %",
        "" if apart is None else _span(apart.found, 100, 1, sign="+"),
    ]


def _span(figure: Figure, scale: int, digits: int, *, sign: str = "") -> str:
    """Return the value with its 95 % interval; never a minus zero."""
    ends = [round(scale * each, digits) + 0.0 for each in (figure.value, figure.low, figure.high)]
    value, low, high = (f"{each:{sign}.{digits}f}" for each in ends)
    return f"{value} ({low} to {high})"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]

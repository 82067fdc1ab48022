"""The figures of every variant: all groups, all but one, sales alone, sales and one more; and how sure they are.

Every model is ``models.boosting.fit_boosted`` with its proven settings. The start belongs to the group ``rhythm``:
where that group is left out, the trees start from the share of losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.worth.in_time import TimedTest, label_of
from features.matrix import feature_names
from models.boosting import fit_boosted
from models.candidates import SILENT

BASE, START = "sales", "rhythm"
"""The group that every set has, and the one whose column the product starts from."""

LIST_SHARE = 0.1
SEED = 7
Z = 1.959963984540054

Column = NDArray[np.float64]
Groups = frozenset[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A figure at each test cutoff; its mean over them with other customers drawn, and with one member less.

    Differences are paired: the same customers drawn again, the same member left out.
    """

    by_test: Column
    resampled: Column
    left_out: Column

    def __sub__(self, other: Figure) -> Figure:
        return Figure(
            by_test=self.by_test - other.by_test,
            resampled=self.resampled - other.resampled,
            left_out=self.left_out - other.left_out,
        )

    @property
    def value(self) -> float:
        """The mean over the test cutoffs."""
        return float(self.by_test.mean())

    @cached_property
    def error(self) -> float:
        """Standard error: bootstrap over customers, and jackknife over the members' seeds."""
        members = len(self.left_out)
        seeds = (members - 1) / members * float(np.sum((self.left_out - self.left_out.mean()) ** 2))
        return float(np.sqrt(np.nanvar(self.resampled, ddof=1) + seeds))

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.value - Z * self.error

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + Z * self.error


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two figures of a ranking: AUC, and share of the lost turnover in the first tenth of the list."""

    auc: Figure
    found: Figure

    def __sub__(self, other: Pair) -> Pair:
        return Pair(auc=self.auc - other.auc, found=self.found - other.found)


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """All variants of one set, by the groups their trees may use."""

    groups: tuple[str, ...]
    feature_counts: Mapping[str, int]
    by_groups: Mapping[Groups, Pair]

    @property
    def can_be_left_out(self) -> tuple[str, ...]:
        """Groups beside which there are others."""
        return self.groups if len(self.groups) > 1 else ()

    @property
    def can_be_added(self) -> tuple[str, ...]:
        """Groups that can be added to sales."""
        return tuple(group for group in self.groups if group != BASE)

    @property
    def everything(self) -> Pair:
        """The figures with all groups."""
        return self.by_groups[frozenset(self.groups)]

    @property
    def base(self) -> Pair:
        """The figures with sales alone."""
        return self.by_groups[frozenset({BASE})]

    @property
    def events(self) -> Pair | None:
        """What all groups but sales and rhythm are worth together; None where there are no others."""
        purchases = frozenset({BASE, START}) & frozenset(self.groups)
        return self.everything - self.by_groups[purchases] if purchases != frozenset(self.groups) else None

    def without(self, group: str) -> Pair:
        """The figures with all groups but one."""
        return self.by_groups[frozenset(self.groups) - {group}]

    def on_base(self, group: str) -> Pair:
        """The figures with sales and one group."""
        return self.by_groups[frozenset({BASE, group})]


def ablate(tests: Sequence[TimedTest], *, members: int, resamples: int) -> Ablation:
    """Return the figures with all groups, without each, with sales alone, and with sales and each other group."""
    names = feature_names(tests[0].ranked)
    group_of = {name: name.partition("__")[0] for name in names}
    groups = tuple(dict.fromkeys(group_of.values()))
    everything = frozenset(groups)
    asked = [everything, *(everything - {group} for group in groups), *({BASE, group} for group in groups)]
    weights = draws(tests, resamples=resamples)
    by_groups = {
        chosen: _measured(tests, [name for name in names if group_of[name] in chosen], weights, members=members)
        for chosen in dict.fromkeys(frozenset(each) for each in asked if each)
    }
    counts = {group: sum(each == group for each in group_of.values()) for group in groups}
    return Ablation(groups=groups, feature_counts=counts, by_groups=by_groups)


def draws(tests: Sequence[TimedTest], *, resamples: int) -> list[Column]:
    """Return how often each ranked customer counts, shape (1 + resamples, n_ranked) per test; first row as they are.

    A customer drawn twice counts twice at every cutoff: snapshots of one customer are no independent evidence.
    """
    ids = [test.ranked["customer_id"].astype(str).to_numpy() for test in tests]
    everyone, codes = np.unique(np.concatenate(ids), return_inverse=True)
    size = len(everyone)
    drawn = np.random.default_rng(SEED).multinomial(size, np.full(size, 1 / size), size=resamples)
    counts = np.vstack([np.ones((1, size)), drawn])
    ends = np.cumsum([len(each) for each in ids])
    return [counts[:, part] for part in np.split(codes, ends[:-1])]


def _measured(tests: Sequence[TimedTest], columns: list[str], weights: Sequence[Column], *, members: int) -> Pair:
    """Return the two figures of one variant, means over the tests."""
    per_test = [
        _figures_of(test, columns, weight, members=members) for test, weight in zip(tests, weights, strict=True)
    ]
    drawn, fewer = (np.array([each[at] for each in per_test]) for at in (0, 1))
    auc, found = (
        Figure(
            by_test=drawn[:, at, 0],
            resampled=np.nanmean(drawn[:, at, 1:], axis=0),
            left_out=fewer[:, at].mean(axis=0),
        )
        for at in (0, 1)
    )
    return Pair(auc=auc, found=found)


def _figures_of(test: TimedTest, columns: list[str], weight: Column, *, members: int) -> tuple[Column, Column]:
    """Return both figures for all draws, shape (2, 1 + resamples), and without each member, shape (2, members)."""
    said = member_scores(test, columns, members=members)
    label = label_of(test.ranked)
    whole = figures(said.mean(axis=0), label, test.stake, weight)
    fewer = [np.delete(said, member, axis=0).mean(axis=0) for member in range(members)]
    return whole, np.hstack([figures(score, label, test.stake, weight[:1]) for score in fewer])


def member_scores(test: TimedTest, columns: list[str], *, members: int) -> Column:
    """Return the log-odds of each member for the ranked customers, shape (members, n_ranked).

    Without the group ``rhythm`` the column of the start is made constant: then the start is the share of losses, and
    no tree can use it.
    """
    learn, ranked = test.learn[columns], test.ranked[columns]
    if SILENT not in columns:
        learn, ranked = (part.copy().assign(**{SILENT: 0.5}) for part in (learn, ranked))
    model = fit_boosted(learn, label_of(test.learn), lost=True, seed=SEED, members=members)
    x = ranked[list(model.columns)].to_numpy(np.float64)
    trees = [booster.predict(x, raw_score=True, num_threads=model.threads) for booster in model.boosters]
    return np.asarray(trees, dtype=np.float64) + model.start.log_odds(ranked)


def figures(log_odds: Column, lost: NDArray[np.int8], stake: Column, weights: Column) -> Column:
    """Return AUC and share of lost turnover found, shape (2, n_draws), for customers counted ``weights`` times.

    The list is in the order of chance of loss times stake, as the early-warning list is in the order of value at
    risk. Equal scores share their places. NaN where a draw holds only one outcome.

    Examples
    --------
    >>> log_odds, lost = np.array([2.0, 1.0, 0.0, -1.0]), np.array([1, 0, 1, 0], dtype=np.int8)
    >>> figures(log_odds, lost, np.array([300.0, 10.0, 100.0, 10.0]), np.ones((1, 4))).tolist()
    [[0.75], [0.75]]
    """
    at_risk = special.expit(log_odds) * stake
    return np.vstack([_auc(log_odds, lost, weights), _found(at_risk, lost * stake, weights)])


def _auc(score: Column, lost: NDArray[np.int8], weights: Column) -> Column:
    hits, misses = _by_rank(-score, (weights * lost, weights * (1 - lost)))
    above = misses.sum(axis=1, keepdims=True) - np.cumsum(misses, axis=1)
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    return _divided((hits * (above + misses / 2)).sum(axis=1), pairs)


def _found(score: Column, loss: Column, weights: Column) -> Column:
    people, losses = _by_rank(-score, (weights, weights * loss))
    places = np.ceil(np.round(LIST_SHARE * people.sum(axis=1, keepdims=True), 6))
    before = np.cumsum(people, axis=1) - people
    inside = np.clip((places - before) / np.maximum(people, 1e-9), 0, 1)
    return _divided((losses * inside).sum(axis=1), losses.sum(axis=1))


def _by_rank(key: Column, parts: Iterable[Column]) -> list[Column]:
    """Sums of ``parts`` over customers of equal ``key``, ascending, shape (n_draws, n_distinct)."""
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(key[order]) > 0])
    return [np.add.reduceat(part[:, order], starts, axis=1) for part in parts]


def _divided(above: Column, below: Column) -> Column:
    ratio: Column = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return ratio

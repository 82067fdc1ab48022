"""LightGBM's text of trees, checked line by line before LightGBM reads it.

LightGBM trusts its own text: indices out of range make it write past its arrays (CVE-2026-92786). Here every line
must be one that LightGBM writes for our models, every index must lie inside its array, and every tree must be a tree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from features.errors import ModelError

MOST_TREES, MOST_LEAVES = 20_000, 4_096

_FIXED = {"version": "v4", "num_class": "1", "num_tree_per_iteration": "1", "label_index": "0"}
_HEADER = (
    *_FIXED,
    "max_feature_idx",
    "objective",
    "monotone_constraints",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
_PER_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_PER_NODE = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_PER_NODE_TOLD = ("internal_value", "internal_weight", "internal_count")
_TREE = (*_PER_LEAF, *_PER_NODE, *_PER_NODE_TOLD, "num_leaves", "num_cat", "is_linear", "shrinkage")
_CATEGORIES = ("cat_boundaries", "cat_threshold")
_INFO = re.compile(r"none|\[[-+.0-9e]{1,40}:[-+.0-9e]{1,40}\]|-?\d{1,9}(:-?\d{1,9}){0,4096}")
_PARAMETER = re.compile(r"\[([a-z0-9_]{1,60}): ([A-Za-z0-9_.,+\- ]{0,100000})\]")
_PATHS = re.compile(r"data|valid|.*filename|.*_file|machines|input_model|output_.*")
_INTEGER = re.compile(r"-?\d{1,18}")
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,25})?(e[-+]\d{1,3})?")


BINARY = "binary sigmoid:1"
"""How LightGBM writes the objective of a chance."""


def require_trees(text: bytes, columns: Sequence[str], *, where: str, objective: str = BINARY) -> None:
    """Refuse a text that is not what LightGBM writes for one of our models over ``columns`` with this objective.

    Raises
    ------
    ModelError
        If a line is unknown, missing or twice there, a count or index is out of bounds, or a tree is not a tree.
    """
    try:
        told = text.decode("ascii") if all(name.isascii() for name in columns) else text.decode()
        _check(told, columns, objective)
    except (_NotATree, UnicodeDecodeError) as error:
        raise ModelError(f"{where} is not a text of trees that can be read safely: {error}; train again") from None


class _NotATree(ValueError):
    """What is wrong with a text of trees."""


def _check(text: str, columns: Sequence[str], objective: str) -> None:
    first, last = text.find("\nTree=0\n"), text.find("\nend of trees\n")
    header = _header(text[: first if first >= 0 else max(last, 0)], columns, objective)
    if last < 0:
        raise _NotATree("it has no end of trees")
    trees = text[first + 1 : last + 1] if first >= 0 else ""
    sizes = [_integer(size, 1, len(text)) for size in header["tree_sizes"].split()]
    if len(sizes) > MOST_TREES or sum(sizes) != len(trees.encode()):
        raise _NotATree("tree_sizes are not those of its trees")
    at, raw = 0, trees.encode()
    for number, size in enumerate(sizes):
        _check_tree(raw[at : at + size].decode(), number, n_columns=len(columns))
        at += size
    _check_end(text[last + 1 :], columns)


def _header(text: str, columns: Sequence[str], objective: str) -> Mapping[str, str]:
    lines = text.rstrip("\n").split("\n")
    if lines[0] != "tree":
        raise _NotATree("it does not begin with `tree`")
    found = _pairs(lines[1:], _HEADER)
    for key, value in _FIXED.items():
        _require(found.get(key) == value, f"{key} is not {value}")
    _require(found.get("objective") == objective, f"objective is not `{objective}`")
    _require(found.get("max_feature_idx") == str(len(columns) - 1), "max_feature_idx is not that of the columns")
    _require(
        found.get("feature_names") == " ".join(name.replace(" ", "_") for name in columns),
        "feature_names are not the model's columns",
    )
    infos = found.get("feature_infos", "").split(" ")
    _require(len(infos) == len(columns) and all(map(_INFO.fullmatch, infos)), "feature_infos are not one per column")
    constraints = found.get("monotone_constraints", " ".join("0" * len(columns))).split()
    _require(len(constraints) == len(columns) and set(constraints) <= {"-1", "0", "1"}, "monotone_constraints are odd")
    _require("tree_sizes" in found, "tree_sizes are missing")
    return found


def _check_tree(text: str, number: int, *, n_columns: int) -> None:
    lines = [line for line in text.split("\n") if line]
    _require(bool(lines) and lines[0] == f"Tree={number}", f"tree {number} is not where it should be")
    found = _pairs(lines[1:], (*_TREE, *_CATEGORIES))
    _require(set(_TREE) <= set(found), f"tree {number} lacks {min(set(_TREE) - set(found), default='nothing')}")
    leaves, categorical = _integer(found["num_leaves"], 1, MOST_LEAVES), _integer(found["num_cat"], 0, MOST_LEAVES)
    _require(found["is_linear"] == "0", f"tree {number} is linear")
    _number(found["shrinkage"])
    _numbers(found["leaf_value"], leaves)
    for key in ("leaf_weight", "leaf_count"):
        _numbers(found[key], leaves if leaves > 1 or found[key] else 0)
    for key in ("split_gain", *_PER_NODE_TOLD):
        _numbers(found[key], leaves - 1)
    _integers(found["split_feature"], leaves - 1, 0, n_columns - 1)
    kinds = _integers(found["decision_type"], leaves - 1, 0, 15)
    thresholds = _thresholds(found["threshold"], leaves - 1)
    _check_categories(found, categorical, [value for value, kind in zip(thresholds, kinds, strict=True) if kind & 1])
    _check_shape(*(_integers(found[key], leaves - 1, -leaves, leaves - 2) for key in ("left_child", "right_child")))


def _check_categories(found: Mapping[str, str], count: int, thresholds: Sequence[float]) -> None:
    """A split on a category names a set of them; the sets lie one behind the other."""
    _require((count > 0) == ("cat_boundaries" in found) == ("cat_threshold" in found), "categories do not agree")
    _require(sorted(thresholds) == list(range(count)), "a split names a set of categories that is not there")
    if count:
        bounds = _integers(found["cat_boundaries"], count + 1, 0, 10**6)
        _require(bounds[0] == 0 and all(a < b for a, b in pairwise(bounds)), "cat_boundaries fall")
        _integers(found["cat_threshold"], bounds[-1], 0, 2**32 - 1)


def _check_shape(left: Sequence[int], right: Sequence[int]) -> None:
    """Every node and leaf hangs under exactly one node, and a child comes after its parent: no loop, nothing loose."""
    children = [*left, *right]
    _require(len(set(children)) == len(children), "two nodes share a child")
    _require(0 not in children, "a tree turns back to its root")
    later = all(child < 0 or child > node for side in (left, right) for node, child in enumerate(side))
    _require(later, "a node hangs under a later one")


def _check_end(text: str, columns: Sequence[str]) -> None:
    begin, importances, rest = text.partition("\nfeature_importances:\n")
    _require(begin == "end of trees\n" and bool(importances), "what follows the trees is odd")
    counts, parameters, rest = rest.partition("\nparameters:\n")
    _require(bool(parameters), "the parameters are missing")
    for value in _pairs([line for line in counts.split("\n") if line], _as_written(columns)).values():
        _integer(value, 0, 10**9)
    listed, end, last = rest.partition("\nend of parameters\n")
    _require(bool(end) and last == "\npandas_categorical:null\n", "what follows the parameters is odd")
    for line in filter(None, listed.split("\n")):
        found = _PARAMETER.fullmatch(line)
        _require(found is not None, "a line of the parameters is odd")
        _require(found is None or not (found[2] and _PATHS.fullmatch(found[1])), "a parameter names a file or machine")


def _as_written(columns: Sequence[str]) -> list[str]:
    """Return the names as LightGBM writes them, blanks as ``_``."""
    return [name.replace(" ", "_") for name in columns]


def _pairs(lines: Sequence[str], known: Sequence[str]) -> Mapping[str, str]:
    """Return ``key=value`` lines; each key known and there once."""
    names, found = set(known), dict[str, str]()
    for line in lines:
        key, equals, value = line.rpartition("=")
        _require(bool(equals) and key in names and key not in found, f"a line is unknown or twice there: {line[:30]!r}")
        found[key] = value
    return found


def _integers(text: str, count: int, low: int, high: int) -> list[int]:
    found = [_integer(part, low, high) for part in text.split(" ")] if text else []
    _require(len(found) == count, f"expected {count} whole numbers, got {len(found)}")
    return found


def _numbers(text: str, count: int) -> list[float]:
    found = [_number(part) for part in text.split(" ")] if text else []
    _require(len(found) == count, f"expected {count} numbers, got {len(found)}")
    return found


def _thresholds(text: str, count: int) -> list[float]:
    """Numbers, or ``inf`` where a split sends every known value one way and missing ones the other."""
    found = [math.inf if part == "inf" else _number(part) for part in text.split(" ")] if text else []
    _require(len(found) == count, f"expected {count} thresholds, got {len(found)}")
    return found


def _integer(text: str, low: int, high: int) -> int:
    _require(_INTEGER.fullmatch(text) is not None and low <= int(text) <= high, f"{text[:20]!r} is out of bounds")
    return int(text)


def _number(text: str) -> float:
    _require(_NUMBER.fullmatch(text) is not None and math.isfinite(float(text)), f"{text[:20]!r} is no finite number")
    return float(text)


def _require(holds: bool, wrong: str) -> None:
    if not holds:
        raise _NotATree(wrong)

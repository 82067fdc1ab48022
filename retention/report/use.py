"""Why a model is in use or is not: what the rule of promotion said, for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something about the use of a model that a reader should know.

    Attributes
    ----------
    says : {"not_promoted", "doubtful", "forced"}
        A newer model was kept out; the one in use fails the rule but there was no other; it is in use by order.
    reasons : tuple of str
        Reasons of the criteria that failed, as ``models.promotion`` words them.
    cutoff, version : str
        Day and version of the newer model; empty otherwise.
    by, why : str
        Who ordered the use, and why; empty otherwise.
    """

    says: Literal["not_promoted", "doubtful", "forced"]
    reasons: tuple[str, ...]
    cutoff: str = ""
    version: str = ""
    by: str = ""
    why: str = ""


def uses_of(evidence: Mapping[str, Any], challenger: Mapping[str, Any]) -> tuple[Use, ...]:
    """Return what is to be told of the model in use, then of a newer one that is not.

    Parameters
    ----------
    evidence : mapping
        What the backtest of the model in use states; ``promotion`` may be missing.
    challenger : mapping
        What the backtest of a newer model that is not in use states, with its ``cutoff``; empty where there is none.
    """
    return (*_of_champion(evidence.get("promotion", {})), *_of_challenger(challenger))


def _of_champion(promotion: Mapping[str, Any]) -> tuple[Use, ...]:
    failed = failed_in(promotion)
    if not failed:
        return ()
    if "forced_by" in promotion:
        by, why = str(promotion["forced_by"]), str(promotion["forced_why"])
        return (Use(says="forced", reasons=failed, by=by, why=why),)
    return (Use(says="doubtful", reasons=failed),) if promotion["promoted"] else ()


def _of_challenger(stated: Mapping[str, Any]) -> tuple[Use, ...]:
    promotion = stated.get("promotion", {})
    if promotion.get("promoted", True) or "forced_by" in promotion:
        return ()
    cutoff, version = str(stated["cutoff"]), str(stated["model_version"])
    return (Use(says="not_promoted", reasons=failed_in(promotion), cutoff=cutoff, version=version),)


def failed_in(promotion: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the reasons of the criteria that were answered with no.

    Examples
    --------
    >>> failed_in({"criteria": ["stable yes: as before", "calibrated NO: too far off"]})
    ('too far off',)
    """
    found = (re.fullmatch(r".+? NO: (.+)", str(line)) for line in promotion.get("criteria", ()))
    return tuple(match[1] for match in found if match)

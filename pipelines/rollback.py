"""Rolling back: the versions promoted last go out of use, and those before them speak again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from features.errors import ModelError
from models.churn_model import COHORTS, Purpose
from models.registry import RegisteredVersion, Registry
from pipelines.settings import Settings
from pipelines.train import model_name, open_registry


@dataclass(frozen=True, kw_only=True)
class Step:
    """One model's way back: the versions that go out, and the one that speaks then."""

    purpose: Purpose
    out: tuple[RegisteredVersion, ...]
    back: RegisteredVersion


def rollback(
    settings: Settings, cutoff: date, *, to: str | None = None, by: str = "treue rollback", why: str = ""
) -> tuple[Step, ...]:
    """Take out of use what was promoted last, from ``cutoff`` on; runs for earlier cutoffs find what they found before.

    Parameters
    ----------
    settings : Settings
    cutoff : date
        The day it happens; runs for this and later cutoffs use the earlier models, until newer ones are promoted.
    to : str, optional
        Version to go back to: its number in the registry or the first digits of its digest, as outputs name it.
        Without it, the models promoted on the newest day go one step back.
    by, why : str
        Kept with the versions that go out.

    Raises
    ------
    ModelError
        If there is nothing to go back to, or no version in use is called ``to``; nothing has changed then.
    """
    registry = open_registry(settings)
    used = {purpose: _used(registry, model_name(settings, purpose), cutoff) for purpose in COHORTS}
    steps = _steps_to(used, to, cutoff) if to else _one_step(used, cutoff)
    for step in steps:
        registry.files(step.back)  # what shall speak again must be whole before the other goes
    for step in steps:
        registry.put(step.out, "out", on=cutoff, by=by, why=why or f"rolled back to {step.back.digest[:12]}")
    return steps


def _used(registry: Registry, name: str, cutoff: date) -> tuple[RegisteredVersion, ...]:
    """Return the versions in use at ``cutoff`` of the recipe trained last, oldest first."""
    trained = [one for one in registry.versions(name) if one.cutoff <= cutoff]
    if not trained:
        return ()
    newest = max(trained, key=lambda one: (one.cutoff, one.version))
    return registry.in_use(name, cutoff=cutoff, recipe=newest.recipe)


def _one_step(used: Mapping[Purpose, tuple[RegisteredVersion, ...]], cutoff: date) -> tuple[Step, ...]:
    newest = max((versions[-1].cutoff for versions in used.values() if versions), default=None)
    last = {purpose: versions for purpose, versions in used.items() if versions and versions[-1].cutoff == newest}
    without = [versions[-1].label for versions in last.values() if len(versions) == 1]
    if not last or without:
        what = f"{without[0]} is the only one in use" if without else "no model is in use"
        raise ModelError(f"nothing to go back to at {cutoff}: {what}; train another with `treue train`")
    return tuple(Step(purpose=each, out=one[-1:], back=one[-2]) for each, one in last.items())


def _steps_to(used: Mapping[Purpose, tuple[RegisteredVersion, ...]], to: str, cutoff: date) -> tuple[Step, ...]:
    steps = []
    for purpose, versions in used.items():
        places = [at for at, one in enumerate(versions) if to == str(one.version) or _is_digest(to, one.digest)]
        if places and versions[places[-1] + 1 :]:
            steps.append(Step(purpose=purpose, out=versions[places[-1] + 1 :], back=versions[places[-1]]))
    if not steps:
        known = ", ".join(f"{one.digest[:12]} ({one.version})" for versions in used.values() for one in versions[:-1])
        raise ModelError(f"no earlier version in use at {cutoff} is called {to!r}; there are: {known or 'none'}")
    return tuple(steps)


def _is_digest(text: str, digest: str) -> bool:
    return len(text) >= 6 and digest.startswith(text)

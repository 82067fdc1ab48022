"""The usual ways of ``../shared/tools/peers.py``, loaded from where they lie; no copy of them is kept here."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

NAMES = ("recency", "overdue", "bgnbd", "rfm_logit", "hand_lightgbm")
"""Those that run beside our versions; ``bgnbd`` needs lifetimes, which may come by PYTHONPATH."""


def loaded_peers(shared: Path) -> ModuleType | None:
    """Return the module, or nothing (and say so) where it does not lie there."""
    file = shared / "tools" / "peers.py"
    if not file.is_file():
        print("peers left out: ../shared/tools/peers.py is not there; rivals are those built in")
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = importlib.util.spec_from_file_location("peers", file)
        if spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module

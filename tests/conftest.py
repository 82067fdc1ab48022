"""What holds for every test: nothing is sent home, and LightGBM's threads wait asleep."""

from __future__ import annotations

from pipelines.prefect_environment import set_defaults

set_defaults()

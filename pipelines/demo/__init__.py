"""The demo company: an invented firm for ``treue demo``, notebooks and tests, with its truth beside its data."""

from pipelines.demo.command import demo_config, write_demo_data

__all__ = ["demo_config", "write_demo_data"]

"""The early-warning list over many weeks, for ``benchmarks/early_warning.py``."""

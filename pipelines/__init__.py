"""Prefect flows, settings and the command line that compose features, models and retention."""

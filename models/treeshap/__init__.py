"""Exact TreeSHAP for every row: LightGBM's text becomes a plan, worked out once, looked up by row."""

"""The feature groups: one file per source of signal."""

"""Errors a user can act on: one line that says what was expected, what came, where, and what to do."""

from __future__ import annotations


class TreueError(Exception):
    """Base of every error Treue raises on purpose; the command line prints its message and nothing else."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class ConfigError(TreueError):
    """The configuration or the call is wrong."""

    exit_code = 2


class SourceError(TreueError):
    """A file or database cannot be read as configured."""


class ContractError(TreueError):
    """The data break the contract in a way that leaves nothing to work on."""


class FeatureError(TreueError):
    """A feature of the company's own fails, gives what no column may hold, or breaks what every feature promises."""


class LeakageError(TreueError):
    """A step would use what was not yet known at its cutoff."""


class OutputError(TreueError):
    """A result on disk is missing, incomplete or not what its manifest names."""


class ModelError(TreueError):
    """A model is missing, damaged or does not fit the matrix."""


class ExportError(TreueError):
    """A target did not take the rows."""


class Tripwire(TreueError):
    """Something looks so wrong that nothing was sent."""

    exit_code = 3

"""Progress on long work: a bar where a person watches, nothing where nobody does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


def watched(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """Yield ``items`` with a progress bar on a terminal; silently elsewhere."""
    with counted(doing, steps=len(items)) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def counted(doing: str, *, steps: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar of so many steps on a terminal; yield what moves it by one, from any thread."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=steps)
        yield lambda: bar.advance(task)

"""``python -m pipelines.spark features|score --config FILE``, also for ``spark-submit``: see ``docs/spark.md``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli import Config, Cutoff, run_to_exit

app = typer.Typer(
    name="python -m pipelines.spark",
    help="Build features, or score with reasons, on Spark; the folders are those of `treue`, which goes on from them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Master = Annotated[
    str | None,
    typer.Option(help='Address of the cluster, or "local[2]". Default: that of spark-submit.', show_default=False),
]
Partitions = Annotated[
    int | None,
    typer.Option(
        min=1, help="Parts the customers are divided into. Default: one for 200,000 rows.", show_default=False
    ),
]


@app.command()
def features(config: Config, cutoff: Cutoff = None, master: Master = None, partitions: Partitions = None) -> None:
    """Write the matrices of the cutoff and of the cutoffs to learn from."""
    from pipelines.spark import stages

    typer.echo(_done(stages.build_features, config, cutoff, master, partitions))


@app.command()
def score(config: Config, cutoff: Cutoff = None, master: Master = None, partitions: Partitions = None) -> None:
    """Score every customer with the champion; train before, on the driver, when there is none or it is due."""
    from pipelines.spark import stages

    typer.echo(_done(stages.score, config, cutoff, master, partitions))


def _done(stage: Callable[..., Path], config: Path, cutoff: Cutoff, master: Master, partitions: Partitions) -> Path:
    from pipelines.settings import load_settings
    from pipelines.spark.session import company_of, started

    settings = load_settings(config)
    with started(settings.name, master) as session, company_of(session, settings, cutoff, partitions) as company:
        return stage(company)


if __name__ == "__main__":
    run_to_exit(app)

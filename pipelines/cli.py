"""The command line: one verb per stage, one line per error."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ConfigError, ContractError, TreueError

if TYPE_CHECKING:
    from pipelines.settings import Settings

DEBUG = "TREUE_DEBUG"
"""With this variable set, an unexpected error shows its traceback."""

app = typer.Typer(
    name="treue",
    help="Which customers are about to leave, why, what keeping each one is worth, and what to do about it this week.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected YYYY-MM-DD, got {text!r}") from error


Config = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (YAML).", show_default=False)]
Cutoff = Annotated[
    date | None,
    typer.Option(
        parser=_date,
        metavar="YYYY-MM-DD",
        help="Only rows known before this day exist. Default: the day after the last known order.",
        show_default=False,
    ),
]


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Folder to create.")]) -> None:
    """Write a commented configuration and empty example tables."""
    from pipelines.init import write_example

    for path in write_example(folder):
        typer.echo(path)


@app.command()
def check(config: Config, cutoff: Cutoff = None) -> None:
    """Check the tables: what was read, accepted and refused, what is missing and what that costs."""
    from pipelines import show
    from pipelines.check import check as check_tables

    settings = _settings(config)
    show.balances(check_tables(settings, cutoff), settings)


@app.command()
def run(config: Config, cutoff: Cutoff = None) -> None:
    """Do the main job: check, features, train when due, score, lists, plan, report, export."""
    from pipelines import show

    show.run(_flow("run", config, cutoff), _settings(config))


By = Annotated[str, typer.Option(help="Who decides this; kept with the model.", show_default=False)]
Why = Annotated[str, typer.Option(help="Why; kept with the model.", show_default=False)]


@app.command()
def train(
    config: Config,
    cutoff: Cutoff = None,
    force: Annotated[
        bool, typer.Option("--force", help="Use the models whatever the rule says; needs --by, --why.")
    ] = False,
    by: By = "",
    why: Why = "",
) -> None:
    """Build features, choose and fit the models, register them; use them if they meet the rule of promotion."""
    from pipelines import show

    if force and not (by.strip() and why.strip()):
        raise ConfigError("--force needs --by NAME and --why TEXT: who lets the models into use, and why")
    if force:
        show.training(Path(_flow("train", config, cutoff, {"by": by, "why": why})))
    else:
        show.training(Path(_flow("train", config, cutoff)))


@app.command()
def rollback(
    config: Config,
    cutoff: Cutoff = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Version to go back to, as outputs name it. Default: one step back."),
    ] = None,
    by: By = "",
    why: Why = "",
) -> None:
    """Take the models promoted last out of use from the cutoff on; those before them speak again."""
    from pipelines import show
    from pipelines.stages import default_cutoff
    from pipelines.stages import rollback as roll_back

    settings = _settings(config)
    day = cutoff or default_cutoff(settings)
    show.rolled_back(roll_back(settings, day, to=to, by=by or "treue rollback", why=why), day)


@app.command()
def backtest(
    config: Config,
    cutoff: Cutoff = None,
    origins: Annotated[int, typer.Option(min=1, max=24, help="At most so many past mornings.")] = 4,
) -> None:
    """Do past mornings again as training does, and judge every model and every rival by what became of them."""
    from pipelines import show

    show.backtest(Path(_flow("backtest", config, cutoff, origins)))


@app.command()
def score(config: Config, cutoff: Cutoff = None) -> None:
    """Score every customer; train before when there is no model or it is due."""
    typer.echo(_flow("score", config, cutoff))


@app.command()
def signals(config: Config, cutoff: Cutoff = None) -> None:
    """Measure the readable rules on the company's own past: coverage, lift, lead time, false alarms."""
    from pipelines import show

    show.signals(Path(_flow("signals", config, cutoff)), _settings(config))


@app.command()
def lists(config: Config, cutoff: Cutoff = None) -> None:
    """Write lists, plan and report from the scores there are."""
    typer.echo(_flow("publish", config, cutoff))


@app.command()
def report(config: Config, cutoff: Cutoff = None) -> None:
    """Write the report from the lists there are."""
    from pipelines.stages import default_cutoff
    from pipelines.stages import report as write_report

    settings = _settings(config)
    typer.echo(write_report(settings, cutoff or default_cutoff(settings)))


@app.command()
def losses(
    config: Config,
    cutoff: Cutoff = None,
    read: Annotated[
        Path | None,
        typer.Option(metavar="FORM", help="Read a filled form back first; each fault is told.", show_default=False),
    ] = None,
    with_owners: Annotated[
        bool, typer.Option("--with-owners", help="Also tell losses apart by account manager (works council!).")
    ] = False,
) -> None:
    """Learn from lost customers: who, when, why, at what cost; a page, a guide to ask by and a form to fill in."""
    from pipelines import show
    from pipelines.told_losses import read_form_back

    faults: tuple[str, ...] = ()
    if read is not None:
        form = read_form_back(_settings(config), read)
        show.form(form, read)
        faults = form.faults
    show.losses(Path(_flow("losses", config, cutoff, with_owners)))
    if faults:
        raise ContractError(f"{read}: {len(faults)} faults, named above; correct these rows and read the form again")


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Customer number, as in the lists.")],
    config: Config,
    cutoff: Cutoff = None,
) -> None:
    """Explain one customer: chance, reasons, history, what could be done and what must not; here and as a page."""
    from pipelines import show
    from pipelines.explain import explain as explain_customer
    from pipelines.explain import write_page
    from pipelines.stages import default_cutoff

    settings = _settings(config)
    view = explain_customer(settings, cutoff or default_cutoff(settings), customer)
    show.customer(view, write_page(settings, view), settings)


@app.command()
def export(config: Config, cutoff: Cutoff = None) -> None:
    """Deliver scores and lists to the configured targets."""
    from pipelines import show

    show.deliveries(_flow("export", config, cutoff))


@app.command()
def serve(config: Config) -> None:
    """Stay and run nightly scoring, weekly lists and monthly retraining on their schedules."""
    from pipelines.serving import serve as serve_jobs

    _settings(config)
    serve_jobs(config)


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=50, max=1_000_000, help="Customers of the invented company.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed invents another company.")] = 7,
) -> None:
    """Invent a company below out/demo and do the main job for it."""
    from pipelines import show
    from pipelines.demo import demo_config, write_demo_data
    from pipelines.demo.story import story

    typer.echo(f"tables      {write_demo_data(customers=customers, seed=seed)}")
    done, settings = _flow("run", demo_config(), None), _settings(demo_config())
    show.run(done, settings)
    typer.echo(f"\n{story(settings, done['cutoff'])}")


def main() -> None:
    """Run the command line."""
    run_to_exit(app)


def run_to_exit(verbs: typer.Typer) -> None:
    """Run verbs; a known error ends in one line and its exit code, never in a traceback."""
    message, code = "", 0
    try:
        verbs()
    except TreueError as error:
        message, code = str(error), error.exit_code
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        message = f"unexpected {type(error).__name__}: {error}; set {DEBUG}=1 to see where, and tell us"
        code = 1
    if code:
        sys.stderr.write(f"treue: {' '.join(message.split())}\n")
        sys.exit(code)


def _settings(config: Path) -> Settings:
    from pipelines.settings import load_settings

    return load_settings(config)


def _flow(name: str, config: Path, cutoff: date | None, *more: Any) -> Any:
    """Run a flow in this process, quietly; the configuration is checked before Prefect starts."""
    if not config.is_file():
        raise ConfigError(f"{config} does not exist; give --config a file, or write one with `treue init DIR`")
    _settings(config)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")  # what its server says while it is being ended
    if sys.stderr.isatty():
        sys.stderr.write(f"{name}: Prefect is starting, a few seconds …\n")
    from pipelines.flows import FLOWS

    return FLOWS[name](str(config), cutoff, *more)

"""What the command line tells: balances, models, where to look."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.outputs import read_manifest, read_parquet
from pipelines.own_features import catalogue_of_run
from pipelines.places import Places
from pipelines.settings import Settings
from retention.customer.text import customer_text
from retention.customer.view import CustomerView
from retention.formats import number_text
from retention.own_texts import texts_for
from retention.report.signals import shown
from retention.report.words import report_texts

if TYPE_CHECKING:
    from pipelines.rollback import Step
    from retention.losses.form import Form


def balances(facts: Mapping[str, Any], settings: Settings) -> None:
    """Print the balance of every table and what is missing."""
    for each in facts["balances"]:
        parts = f"{each['accepted']:,} accepted + {each['quarantined']:,} quarantined"
        later = f" + {each['later']:,} known later" if each["later"] else ""
        _line(each["table"], f"{each['read']:,} read = {parts}{later}")
    for note in facts["notes"]:
        _line("note", note)
    if any(each["quarantined"] for each in facts["balances"]):
        _line("refused", f"{Places(Path(settings.output)).quarantine} (rule, column and message for every row)")


def training(folder: Path) -> None:
    """Print which candidate speaks for each cohort, and why."""
    for purpose, evidence in json.loads((folder / "metrics.json").read_text()).items():
        chosen = evidence["metrics"].get(evidence["chosen"])
        measured = f"; on later time AUC {chosen['auc']:.3f}, lift at 10 % {chosen['lift_at_10']:.1f}" if chosen else ""
        _line(purpose, f"{evidence['chosen']}: {evidence['remark']}{measured}")
        if evidence.get("difference") is not None:
            _line("verdict", _verdict(evidence))
        if "promotion" in evidence:
            _promotion(evidence["promotion"])


def _promotion(said: Mapping[str, Any]) -> None:
    """Print whether the model went into use and why, with what stood in its way."""
    forced = f"; in use all the same: {said['forced_by']}, {said['forced_why']}" if "forced_by" in said else ""
    _line("", f"{'promoted' if said['promoted'] else 'NOT promoted'}: {said['reason']}{forced}")
    for each in said["criteria"]:
        _line("", f"  {each}")


def rolled_back(steps: Sequence[Step], day: date) -> None:
    """Print which version goes and which speaks again."""
    for step in steps:
        gone = ", ".join(one.digest[:12] for one in step.out)
        _line(step.purpose, f"from {day} on {step.back.digest[:12]} (trained for {step.back.cutoff}) instead of {gone}")


_KINDS = ("delivered", "candidate", "rival")


def backtest(folder: Path) -> None:
    """Print how what was delivered did against the rivals, and where the page lies."""
    for purpose, found in json.loads((folder / "metrics.json").read_text()).items():
        if not found["origins"]:
            _line(purpose, "the history is too short: no past morning has a finished horizon before it and after it")
            continue
        _line(purpose, f"{len(found['origins'])} mornings, {', '.join(found['origins'])}")
        for name, ranking in sorted(
            found["rankings"].items(), key=lambda pair: (_KINDS.index(pair[1]["kind"]), pair[0])
        ):
            _line("", f"{name:<14}{ranking['kind']:<11}{_figures(ranking)}")
        _line("verdict", _verdict(found))
    _line("page", str(folder / "backtest.html"))


def form(found: Form, path: Path) -> None:
    """Print how many rows of a form were read, and every fault in a line."""
    _line("form", f"{path}: {len(found.rows)} rows read, {len(found.faults)} faults")
    for fault in found.faults:
        _line("fault", fault)


def losses(folder: Path) -> None:
    """Print how many customers left, how far inferred reasons can be trusted, and which files to open."""
    facts = read_manifest(folder)
    _line("lost", f"{facts['files']['lost.parquet']['rows']} customers by {facts['cutoff']}")
    if facts["agreement"] is None:
        _line("reasons", "nobody told why in an interview and has an inferred reason as well: nothing to check")
    else:
        _line(
            "reasons",
            f"inferred agree with told in {facts['agreement']:.0%} of {facts['told_and_inferred']}"
            f" ({facts['agreement_low']:.0%} to {facts['agreement_high']:.0%}); the most frequent reason would in"
            f" {facts['agreement_of_guess']:.0%}",
        )
    for name, file in {"page": "losses.html", "guide": "guide.html", "form": "form.csv"}.items():
        _line(name, str(folder / file))


def _figures(ranking: Mapping[str, Any]) -> str:
    mean, (low, high) = ranking["mean"], ranking["interval"]["auc"]
    if mean["auc"] is None:
        return "too few outcomes for a ranking"
    interval = "" if low is None else f" ({low:.3f} to {high:.3f})"
    return f"AUC {mean['auc']:.3f}{interval}, calibration error {mean['calibration_error']:.3f}"


def _verdict(found: Mapping[str, Any]) -> str:
    if found["difference"] is None:
        return "nothing could be compared"
    said = {
        "better": "the model beats every rival",
        "level": "the model does not beat the best rival beyond chance",
        "worse": "a rival is better than the model: use it, or look for what is wrong",
    }[found["verdict"]]
    difference = f"{found['difference']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"
    return f"{said}; AUC against {found['best_rival']} {difference}"


def run(done: Mapping[str, Any], settings: Settings) -> None:
    """Print the whole run: tables, models, lists, report, deliveries."""
    places, cutoff = Places(Path(settings.output)), done["cutoff"]
    _line("cutoff", cutoff.isoformat())
    balances(read_manifest(places.quarantine), settings)
    if places.backtest(cutoff).is_dir():
        training(places.backtest(cutoff))
    scored = read_manifest(Path(done["scores"]))["files"]
    _line(
        "scores",
        f"{done['scores']} ({scored['scores.parquet']['rows']:,} active, {scored['returns.parquet']['rows']:,} lapsed)",
    )
    _line("signals", str(done["signals"]))
    for name, entry in read_manifest(Path(done["lists"]))["files"].items():
        if name.endswith(".csv"):
            _line("list", f"{Path(done['lists']) / name} ({entry['rows']:,} rows)")
    deliveries(done["export"])
    _line("report", f"{done['report']}")


def signals(folder: Path, settings: Settings) -> None:
    """Print what each rule was worth, figures first, then what they mean in words."""
    words, language = report_texts(settings.language), settings.language
    rules = read_parquet(folder, "rules.parquet").to_pandas()
    heads = [words.signals[key] for key in ("signal", "now", "coverage", "lift", "lead_days", "alarms", "announced")]
    rows = [shown(each, words) for each in rules.to_dict("records")]
    cells = [heads, *([row.title, number_text(row.fires_now, language=language), *row.figures] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(heads))]
    for line, verdict in zip(cells, (words.signals["verdict"], *(row.said for row in rows)), strict=True):
        figures = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *figures, verdict]))  # noqa: T201 (the command line's voice)
    _line("signals", str(folder))


def deliveries(records: Sequence[Mapping[str, Any]]) -> None:
    """Print what went where."""
    for record in records:
        counts = [f"{record[key]:,} {key}" for key in ("inserted", "updated", "unchanged") if key in record]
        _line("sent", f"{record['target']}: {record['rows']:,} rows{' (' + ', '.join(counts) + ')' if counts else ''}")


def customer(view: CustomerView, page: Path, settings: Settings) -> None:
    """Print what is known of one customer, and where the page lies."""
    features = catalogue_of_run(settings, read_manifest(Places(Path(settings.output)).scores(view.cutoff)))
    print(customer_text(view, texts=texts_for(features, settings.language)))  # noqa: T201
    _line("page", str(page))


def _line(name: str, text: str) -> None:
    print(f"{name:<12}{text}")  # noqa: T201 (this module is the command line's voice)

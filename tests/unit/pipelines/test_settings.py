"""Reading a configuration: defaults, derived values, the digest."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from features.sources import Source
from pipelines.settings import Settings, load_settings

BASE = "name: my-shop\nsources:\n  orders:\n    uri: orders.csv\n"


def loaded(folder: Path, text: str = BASE) -> Settings:
    (folder / "c.yaml").write_text(text)
    return load_settings(folder / "c.yaml")


def test_the_shortest_config_has_all_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.output == "out/my-shop"
    assert (settings.language, settings.currency, settings.timezone) == ("de", "EUR", "Europe/Berlin")
    assert settings.churn.horizon_days == 90
    assert settings.training.cutoffs == "auto"
    assert (settings.lists.early_warning.size, settings.lists.win_back.size) == (200, 100)
    assert (settings.plan.budget, settings.plan.measures, settings.export) == (5000, None, ())


def test_dates_lists_and_targets_are_read(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        BASE + "training: {cutoffs: [2024-01-01, 2024-02-01]}\n"
        "export:\n- {to: file, path: x}\n- {to: sql, uri: 'postgres://${U}:${P}@h/d', table: a.b}\n",
    )
    assert settings.training.cutoffs == (date(2024, 1, 1), date(2024, 2, 1))
    assert [target.to for target in settings.export] == ["file", "sql"]


def test_settings_made_in_python_are_the_same(tmp_path: Path) -> None:
    assert Settings(name="my-shop", sources={"orders": Source(uri="orders.csv")}) == loaded(tmp_path)


def test_the_digest_sees_what_affects_results_and_nothing_else(tmp_path: Path) -> None:
    digest = loaded(tmp_path).digest
    assert loaded(tmp_path, BASE.replace("my-shop", "other") + "output: x\ntraining: {threads: 1}\n").digest == digest
    assert loaded(tmp_path, BASE + "# a comment\nchurn: {horizon_days: 90}\n").digest == digest
    assert loaded(tmp_path, BASE + "churn: {horizon_days: 91}\n").digest != digest
    assert loaded(tmp_path, BASE + "    where: amount > 0\n").digest == digest  # the rows have a digest of their own

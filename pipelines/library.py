"""The verbs of the command line on pandas tables: three lines train, score and explain.

>>> from pipelines.demo.company import demo_company
>>> from pipelines.library import Company
>>> tables = demo_company(customers=100).tables

>>> company = Company(tables, language="en", training={"threads": 1})
>>> model = company.train("2026-01-01")
>>> scores, reasons = company.score("2026-01-01", model), company.explain("2026-01-01", model)

>>> list(scores.columns[:4])
['customer_id', 'cutoff', 'horizon_end', 'probability']
>>> bool(scores["probability"].between(0, 1).all())
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.catalogue import Catalogue, Group
from features.errors import ConfigError, LeakageError
from features.history import History
from features.intake import Tables, take_in, take_in_frames
from features.matrix import build_matrix, of_cohort, stack
from features.norms import norms_at
from features.proving import Broken, broken_promises
from features.timeline import day_number
from models.backtest import Judged, judge
from models.churn_model import COHORTS, ChurnModel, Purpose
from models.ladder import train as train_ladder
from models.margin import MarginModel, fit_margin
from models.matured import Recheck
from models.settings import Training, Value
from pipelines.as_of import AsOf, Checked
from pipelines.build_features import cutoffs_to_learn_from, early_cutoffs_of
from pipelines.explained import Explained, explained
from pipelines.given import Day, Language, day_given, section_given
from pipelines.matured import recheck_of
from pipelines.mornings import mornings_of
from pipelines.own_features import catalogue_of
from pipelines.score import scored
from pipelines.settings import Settings, load_settings, settings_from
from pipelines.signals import Signals, signals_of
from retention.changes import Known, Tried, best_changes, tried
from retention.levers import levers
from retention.own_texts import texts_for
from retention.reasons import rank_reasons
from retention.sentences import sentences

if TYPE_CHECKING:
    import shap


class Company:
    """A company as pandas tables, in the names of the contract (``docs/configuration.md``).

    Parameters
    ----------
    tables : mapping of table name to DataFrame
        ``orders`` is compulsory (order_id, customer_id, occurred_on, amount); missing tables remove their features.
    language : {"de", "en"}
        Language of the sentences.
    currency, timezone : str
        As in the configuration.
    training, value : sections of the configuration, or mappings such as ``{"most": 12}``, optional
    features : groups of features of your own, see ``docs/own_features.md``
    leave_out : names of groups, measures or features that are not used
    **churn
        Fields of ``churn``: ``horizon_days=90``, ``lead_days=14``, ``active_within_days=180`` and so on.

    Raises
    ------
    ConfigError
        If a table, column, field or value is unknown; one line with all that is wrong.

    Notes
    -----
    Every verb takes a cutoff and behaves as on that morning: rows known on or after it do not exist.
    The tables are taken as they are now: changing a frame later changes nothing here.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        *,
        language: Language = "de",
        currency: str = "EUR",
        timezone: str = "Europe/Berlin",
        training: Training | Mapping[str, Any] | None = None,
        value: Value | Mapping[str, Any] | None = None,
        features: Sequence[Group] = (),
        leave_out: Sequence[str] = (),
        **churn: Any,
    ):
        content = {
            "name": "notebook",
            "language": language,
            "currency": currency,
            "timezone": timezone,
            "sources": {name: {"uri": f"frame {name}"} for name in tables},
            "features": {"leave_out": list(leave_out)},
            "churn": churn,
            "training": section_given(training),
            "value": section_given(value),
        }
        frames = {name: frame.copy(deep=False) for name, frame in tables.items()}
        settings = settings_from(content, place="Company")
        taken = partial(take_in_frames, frames, timezone=settings.timezone)
        self._begin(settings, taken, catalogue_of(settings, groups=features))

    @classmethod
    def from_config(cls, path: Path | str, *, root: Path | str = ".") -> Company:
        """Return the company of a configuration file; relative paths in it start at ``root``. Nothing is written."""
        settings = load_settings(Path(path))
        reads = partial(take_in, settings.sources, timezone=settings.timezone, currency=settings.currency)
        company = cls.__new__(cls)
        company._begin(settings, partial(reads, root=Path(root)), catalogue_of(settings, root=Path(root)))
        return company

    def _begin(self, settings: Settings, take: Callable[..., Tables], features: Catalogue) -> None:
        self.settings, self.features = settings, features
        self._take = take
        self._known: dict[date, AsOf] = {}
        self._trained: dict[tuple[date, Purpose], tuple[ChurnModel, pd.DataFrame]] = {}
        self._margins: dict[date, MarginModel] = {}

    def check(self, cutoff: Day | None = None) -> Checked:
        """Return what became of every row: accepted, quarantined with its reason, or known later than ``cutoff``."""
        return Checked(self._take(cutoff=None if cutoff is None else day_given(cutoff)))

    def newest_cutoff(self) -> date:
        """Return the day after the last known order: the newest morning the tables can speak for."""
        with self._take(cutoff=None) as tables:
            return tables.last_known + timedelta(days=1)

    def history(self, cutoff: Day) -> History:
        """Return the ledgers the features are read from, with the rows known before ``cutoff``."""
        return self._as_of(day_given(cutoff)).history

    def matrix(self, cutoff: Day, *, known_at: Day | None = None) -> pd.DataFrame:
        """Return the snapshots of ``cutoff`` with all features; with labels as far as known on ``known_at``.

        One row per customer of the cohorts, ordered by customer_id; columns
        customer_id, cutoff, cohort, label (missing while the horizon is unfinished), then one per feature.
        """
        day, until = day_given(cutoff), day_given(cutoff if known_at is None else known_at)
        if until < day:
            raise ConfigError(f"known_at: expected {day} or later, the cutoff being {day}, got {until}")
        known = self._as_of(until)
        return known.as_they_came(self._matrix(day, known))

    def prove(self, *cutoffs: Day) -> pd.DataFrame:
        """Put every feature to the test on these mornings; return those that break what every feature promises.

        Columns feature, promise ("future": it knows what came later; "others": it looks at other customers; "asked":
        it depends on who else is asked for), cutoff, customer_id, value, otherwise. No row: all keep their promises.
        """
        history = self._as_of(self.newest_cutoff()).history
        norms = {day: norms_at(history, cutoff=day) for day in map(day_given, cutoffs)}
        found = broken_promises(history, norms=norms, churn=self.settings.churn)
        return pd.DataFrame([vars(each) for each in found], columns=list(Broken.__dataclass_fields__))

    def cutoffs(self, cutoff: Day) -> tuple[date, ...]:
        """Return the days whose snapshots may be learned from on the morning of ``cutoff``, oldest first."""
        known = self._as_of(day_given(cutoff))
        return cutoffs_to_learn_from(self.settings, first_known=known.first, known_until=known.until)

    def early_cutoffs(self, cutoff: Day) -> tuple[date, ...]:
        """Return the days after ``cutoffs(cutoff)`` of which half the horizon is known, oldest first."""
        known = self._as_of(day_given(cutoff))
        return early_cutoffs_of(self.settings, first_known=known.first, known_until=known.until)

    def snapshots(self, cutoff: Day) -> pd.DataFrame:
        """Return the labelled snapshots of all ``cutoffs(cutoff)``, oldest first; columns as in ``matrix``."""
        return self._as_of(day_given(cutoff)).as_they_came(self._snapshots(day_given(cutoff)))

    def train(self, cutoff: Day, *, purpose: Purpose = "churn") -> ChurnModel:
        """Return the model for ``cutoff``; its ``evidence`` says what the choice rests on.

        ``purpose="churn"`` learns the loss of active customers, ``purpose="return"`` the return of lapsed ones.
        """
        return self._train(day_given(cutoff), purpose)[0]

    def backtest(self, cutoff: Day, *, purpose: Purpose = "churn") -> pd.DataFrame:
        """Return how every candidate did in the training for ``cutoff``, on days later than all it had learned from.

        One row per tested snapshot and candidate: test (its cutoff), customer_id, candidate, label, log_odds (said in
        advance), probability (its level moved to that of the day tested on, alike for all candidates: it compares
        them, but promises no level); empty where the history is too short for a test. Training happens once.
        """
        return self._as_of(day_given(cutoff)).as_they_came(self._train(day_given(cutoff), purpose)[1])

    def judged(
        self, cutoff: Day, *, purpose: Purpose = "churn", origins: Sequence[Day] | None = None
    ) -> tuple[Judged, ...]:
        """Return past mornings, done again as training does them and judged by what is known on ``cutoff``.

        What ``treue backtest`` does: ``folds`` (test, customer_id, kind, candidate, label, log_odds, probability as it
        would have been delivered) and ``evidence`` of each; without ``origins`` up to six that the history gives.
        """
        churn, training = self.settings.churn, self.settings.training
        chosen = None if origins is None else [day_given(each) for each in origins]
        mornings = mornings_of(self, day_given(cutoff), purpose, origins=chosen)
        return tuple(judge(morning, purpose=purpose, churn=churn, training=training) for morning in mornings)

    def score(self, cutoff: Day, model: ChurnModel) -> pd.DataFrame:
        """Return probability with interval, value, segment and reasons of each customer, likeliest first.

        Raises
        ------
        LeakageError
            If ``model`` was trained for a later day: it has seen what nobody knew at ``cutoff``.
        """
        known = self._as_of(day_given(cutoff))
        return known.as_they_came(self._scored(day_given(cutoff), model))

    def matured(self, cutoff: Day, scores: Sequence[pd.DataFrame], *, purpose: Purpose = "churn") -> Recheck:
        """Return what has become, as known on ``cutoff``, of what ``score`` gave for earlier cutoffs.

        Raises
        ------
        LeakageError
            If the horizon of one of them is not over on ``cutoff``.
        """
        known, churn = self._as_of(day_given(cutoff)), self.settings.churn
        return recheck_of(known.history, scores, purpose=purpose, churn=churn, known_until=known.until)

    def explain(self, cutoff: Day, model: ChurnModel, *, language: Language | None = None) -> pd.DataFrame:
        """Return up to five sentences per customer, the strongest reason first.

        Index customer_id in the order of ``score``; columns text_1 … text_5, missing where there is no more to say.
        """
        matrix = self._ranked(day_given(cutoff), model).set_index("customer_id")
        told = sentences(
            rank_reasons(model.contributions(matrix), self.features.families),
            matrix,
            texts_for(self.features, language or self.settings.language),
            families=self.features.families,
            purpose=model.purpose,
            currency=self.settings.currency,
        )
        return self._as_of(day_given(cutoff)).as_they_came(told.reset_index()).set_index("customer_id")

    def explain_customer(
        self,
        cutoff: Day,
        model: ChurnModel,
        customer_id: str | int,
        *,
        signals: Signals | None = None,
        language: Language | None = None,
    ) -> Explained:
        """Return everything about one customer of the model's cohort, as ``treue explain`` does; a notebook shows it.

        ``signals`` is what ``signals(cutoff)`` gave. There is no list and no run before: places, plan, and what was
        said earlier stay out.

        Raises
        ------
        ContractError
            If the customer is not of the model's cohort at ``cutoff``; names the nearest ids.
        """
        spoken = self.settings if language is None else self.settings.model_copy(update={"language": language})
        return explained(self, spoken, day_given(cutoff), model, str(customer_id), signals)

    def changes(self, cutoff: Day, model: ChurnModel, *, language: Language | None = None) -> pd.DataFrame:
        """Return what would change each customer's probability: the lever that helps most, scored by the same model.

        Index customer_id in the order of ``score``; would_change (a sentence), lever, probability_if (missing where no
        lever helps). Associations, not promises; channels are not asked for consent here.
        """
        matrix = self._ranked(day_given(cutoff), model).set_index("customer_id")
        outcome = self._tried(day_given(cutoff), model, matrix)
        texts = texts_for(self.features, language or self.settings.language)
        told = best_changes(matrix.index, outcome, purpose=model.purpose, texts=texts)
        return self._as_of(day_given(cutoff)).as_they_came(told.reset_index()).set_index("customer_id")

    def explanation(self, cutoff: Day, model: ChurnModel) -> shap.Explanation:
        """Return the contributions [log-odds] as ``shap.Explanation``, for all of ``shap.plots``.

        Rows in the order of ``score``: row 0 is the likeliest. Base value plus contributions is logit(probability).
        """
        import shap

        matrix = self._ranked(day_given(cutoff), model)
        parts = model.contributions(matrix)
        names = list(model.features)
        return shap.Explanation(
            values=parts[names].to_numpy(),
            base_values=parts["base"].to_numpy(),
            data=matrix[names].to_numpy(),
            feature_names=names,
        )

    def signals(self, cutoff: Day) -> Signals:
        """Return what readable rules are worth here (``.rules``) and which fire on whom (``.firing``)."""
        known = self._as_of(day_given(cutoff))
        matrices = (self._matrix(day, known) for day in (day_given(cutoff), *self.cutoffs(cutoff)))
        return signals_of(self.settings, self.features, now=next(matrices), past=matrices, known_until=known.until)

    def _matrix(self, cutoff: date, known: AsOf) -> pd.DataFrame:
        return build_matrix(known.history, cutoff=cutoff, churn=self.settings.churn, known_until=known.until)

    def _snapshots(self, cutoff: date) -> pd.DataFrame:
        return self._stacked(cutoff, self.cutoffs(cutoff))

    def _learned_from(self, cutoff: date) -> pd.DataFrame:
        """Return the labelled snapshots, then those with an early label."""
        return self._stacked(cutoff, (*self.cutoffs(cutoff), *self.early_cutoffs(cutoff)))

    def _stacked(self, cutoff: date, days: Sequence[date]) -> pd.DataFrame:
        known = self._as_of(cutoff)
        parts = [self._matrix(day, known) for day in days]
        return stack(parts) if parts else self._matrix(cutoff, known).head(0)

    def _train(self, cutoff: date, purpose: Purpose) -> tuple[ChurnModel, pd.DataFrame]:
        if purpose not in COHORTS:
            raise ConfigError(f"purpose: expected one of {', '.join(COHORTS)}, got {purpose!r}")
        if (cutoff, purpose) not in self._trained:
            learn = self._learned_from(cutoff)
            cohort = of_cohort(learn, COHORTS[purpose])
            churn, training = self.settings.churn, self.settings.training
            trained = train_ladder(cohort, purpose=purpose, cutoff=cutoff, churn=churn, training=training)
            self._trained[cutoff, purpose] = trained
            self._margin(cutoff, learn.loc[learn["cutoff"].isin(self.cutoffs(cutoff))])
        return self._trained[cutoff, purpose]

    def _margin(self, cutoff: date, snapshots: pd.DataFrame | None = None) -> MarginModel:
        """Return the forecast of margins trained for ``cutoff``."""
        if cutoff not in self._margins:
            known = self._snapshots(cutoff) if snapshots is None else snapshots
            churn, training, value = self.settings.churn, self.settings.training, self.settings.value
            self._margins[cutoff] = fit_margin(known, cutoff=cutoff, churn=churn, training=training, value=value)
        return self._margins[cutoff]

    def _scored(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        margin = self._margin(model.cutoff) if model.purpose == "churn" and model.cutoff <= cutoff else None
        known = self._as_of(cutoff)
        rhythm = norms_at(known.history, cutoff=cutoff).rhythm
        return scored(
            self._cohort(cutoff, model),
            model,
            rhythm,
            self.settings,
            families=self.features.families,
            cutoff=cutoff,
            run_id="notebook",
            margin=margin,
            about=known.about,
        )

    def _tried(self, cutoff: date, model: ChurnModel, matrix: pd.DataFrame) -> Tried:
        """Return what every lever would do to the customers of ``matrix``, by any channel."""
        history = self._as_of(cutoff).history
        norms = norms_at(history, cutoff=cutoff)
        known = Known(history=history, norms=norms, churn=self.settings.churn, cutoff=day_number(cutoff))
        return tried(matrix, known, model, levers=levers(goodwill_cents=self._as_of(cutoff).goodwill_cents))

    def _ranked(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        """Return the matrix of the model's cohort, likeliest customer first, as ``scored`` orders them."""
        cohort = self._cohort(cutoff, model)
        order = cohort[["customer_id"]].assign(probability=model.score(cohort)["probability"])
        ranked = order.sort_values(["probability", "customer_id"], ascending=[False, True])
        return cohort.loc[ranked.index].reset_index(drop=True)

    def _cohort(self, cutoff: date, model: ChurnModel) -> pd.DataFrame:
        if model.cutoff > cutoff:
            raise LeakageError(
                f"the model was trained for {model.cutoff} and has seen what came after {cutoff};"
                f" score {model.cutoff} or later, or train for {cutoff}"
            )
        return of_cohort(self._matrix(cutoff, self._as_of(cutoff)), COHORTS[model.purpose])

    def _as_of(self, cutoff: date) -> AsOf:
        if cutoff not in self._known:
            self._known = {cutoff: AsOf(self._take(cutoff=cutoff), cutoff, self.features)}
        return self._known[cutoff]

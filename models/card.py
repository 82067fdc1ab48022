"""The model card: what a model is for, what it rests on, how well it did and for whom, and where it ends.

Source of the form: Mitchell et al. (2019), Model Cards for Model Reporting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from features.definition import Churn
from models.churn_model import ChurnModel
from models.folds import LEAST_OUTCOMES
from models.groups import LEAST_SNAPSHOTS, MOST_GROUPS, Group, groups_of
from models.ladder import measured_at
from models.markdown import Words, card_words, cell, table
from models.promotion import Judgement
from models.structure import FORMAT

FEW_CUSTOMERS, FEW_OUTCOMES = 300, 50
"""Below so many customers, or snapshots of the rarer outcome, the card calls the base small."""

Say = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, eq=False)
class CardFacts:
    """All that a card is made from.

    Attributes
    ----------
    company : str
    model : ChurnModel
    tested : DataFrame
        Its folds, as ``models.ladder.train`` gives them.
    churn : Churn
    described : DataFrame
        cutoff, customer_id and columns to group tested snapshots by (``models.groups``).
    tables : mapping of table to accepted rows
    missing_features : int
    last_known : date
    judgement : Judgement
        What the rule of promotion said.
    order : tuple of str, optional
        Who put it into use whatever the rule said, and why.
    digests : mapping
        ``recipe`` and ``data``.
    """

    company: str
    model: ChurnModel
    tested: pd.DataFrame
    churn: Churn
    described: pd.DataFrame
    tables: Mapping[str, int]
    missing_features: int
    last_known: date
    judgement: Judgement
    order: tuple[str, str] | None
    digests: Mapping[str, str]

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What the choice rests on."""
        return self.model.evidence

    @property
    def own(self) -> pd.DataFrame:
        """Tested snapshots of the candidate in use."""
        chosen = (self.tested["candidate"] == self.evidence["chosen"]).to_numpy(dtype=bool)
        return pd.DataFrame(self.tested.loc[chosen])


def model_card(facts: CardFacts, language: str, say: Say = str) -> str:
    """Return the card as Markdown; the same facts give the same text.

    Parameters
    ----------
    facts : CardFacts
    language : {"de", "en"}
    say : callable
        How a remark of the ladder or of the rule of promotion is said in that language.
    """
    words = card_words(language)
    t = words.texts
    purpose = facts.model.purpose
    head = t["head"].format(version=facts.model.version, cutoff=words.day(facts.model.cutoff))
    parts = {
        "purpose": [t["for"][purpose], t["not_for"]],
        "label": [_label(facts, words)],
        "data": _data(facts, words),
        "choice": _choice(facts, words, say),
        "tests": _tests(facts, words),
        "rivals": _rivals(facts, words),
        "groups": _groups(facts, words),
        "limits": ["\n".join(f"- {line}" for line in _limits(facts, words))],
        "reading": [t["read"][purpose]],
        "versions": [_versions(facts, words)],
    }
    body = [f"## {t[name]}\n\n" + "\n\n".join(part) for name, part in parts.items()]
    title = t["title"][purpose].format(company=cell(facts.company))
    return "\n\n".join([f"# {title}", head, *body]) + "\n"


def _label(facts: CardFacts, words: Words) -> str:
    t, churn = words.texts, facts.churn
    numbers = {
        "active": churn.active_within_days,
        "lapsed": churn.lapsed_within_days,
        "lead": churn.lead_days,
        "horizon": churn.horizon_days,
        "share": words.share(churn.decline_share),
    }
    said = [t["cohort"][churn.definition], t["lost"][churn.definition]]
    if facts.model.purpose == "return":
        said = [t["cohort"][churn.definition], t["lapsed"], t["back"]]
    return " ".join(said).format(**numbers)


def _data(facts: CardFacts, words: Words) -> list[str]:
    t, evidence, known = words.texts, facts.evidence, words.day(facts.last_known)
    tables = ", ".join(f"{name} ({words.number(rows)})" for name, rows in sorted(facts.tables.items()))
    counts = {"features": words.number(len(facts.model.features)), "missing": words.number(facts.missing_features)}
    used = t["tables"].format(tables=tables, **counts)
    days = evidence["training_cutoffs"]
    if not days:
        return [t["learned_nothing"].format(known=known), used]
    learned = t["learned"].format(
        snapshots=words.number(evidence["snapshots"]),
        customers=words.number(evidence["customers"]),
        count=len(days),
        first=words.day(days[0]),
        last=words.day(days[-1]),
        rate=words.share(evidence["base_rate"]),
        known=known,
    )
    return [learned, *_early(facts, words), used]


def _early(facts: CardFacts, words: Words) -> list[str]:
    days = facts.evidence.get("early_cutoffs", ())
    if not days:
        return []
    snapshots = words.number(facts.evidence["early_snapshots"])
    return [
        words.texts["learned_early"].format(snapshots=snapshots, first=words.day(days[0]), last=words.day(days[-1]))
    ]


def _choice(facts: CardFacts, words: Words, say: Say) -> list[str]:
    t, chosen = words.texts, facts.evidence["chosen"]
    failed = [say(each.reason) for each in facts.judgement.criteria if each.passed is False]
    speaks = t["speaks"].format(candidate=t["candidates"].get(chosen, chosen), remark=say(facts.evidence["remark"]))
    by, why = (cell(text) for text in facts.order or ("", ""))
    promoted = facts.judgement.promoted
    key = ("doubtful" if failed else "in_use") if promoted else "forced" if facts.order else "not_promoted"
    return [speaks, "\n".join([t["use"][key].format(by=by, why=why), *(f"- {reason}" for reason in failed)])]


_TESTED = ("auc", "average_precision", "log_loss", "lift_at_10", "calibration_error", "calibration_error_as_learned")
_COMPARED = ("auc", "average_precision", "log_loss", "lift_at_10")


def _tests(facts: CardFacts, words: Words) -> list[str]:
    t = words.texts
    if facts.own.empty:
        return [t["no_tests"]]
    found = {words.day(str(day)): measured_at(test) for day, test in facts.own.groupby("test", sort=True)}
    found[t["all_tests"]] = facts.evidence["metrics"][facts.evidence["chosen"]]
    rows = [
        [day, words.number(of["n"]), words.share(of["base_rate"]), *(words.number(of.get(name), 3) for name in _TESTED)]
        for day, of in found.items()
    ]
    return [table(t["test_head"], rows), t["test_note"]]


def _rivals(facts: CardFacts, words: Words) -> list[str]:
    t, evidence = words.texts, facts.evidence
    rows = []
    for name, of in evidence.get("metrics", {}).items():
        shown = t["candidates"].get(name, name)
        rows.append([t["own"].format(name=shown) if name == evidence["chosen"] else shown, *_compared(of, words)])
    for name, of in evidence.get("rivals", {}).items():
        rows.append([t["rival"].format(name=t["rival_names"].get(name, name)), *_compared(of, words)])
    known = evidence.get("difference") is not None
    rival = evidence.get("best_rival", "")
    numbers = {name: words.number(evidence.get(name), 3) for name in ("difference", "low", "high")}
    verdict = t["verdict"][evidence.get("verdict", "unknown") if known else "unknown"]
    said = verdict.format(rival=t["rival_names"].get(rival, rival), **numbers)
    return [*([table(t["rival_head"], rows)] if rows else []), said]


def _compared(of: Mapping[str, float], words: Words) -> list[str]:
    return [words.number(of.get(name), 3) for name in _COMPARED]


def _groups(facts: CardFacts, words: Words) -> list[str]:
    t = words.texts
    groups = groups_of(facts.own, facts.described)
    if not groups:
        return [t["no_groups"]]
    columns = dict.fromkeys(group.column for group in groups)
    parts = [part for column in columns for part in _column([each for each in groups if each.column == column], words)]
    return [*parts, t["group_note"]]


def _column(groups: list[Group], words: Words) -> Iterator[str]:
    """Yield the table of one column, how far its groups lie apart, and those too small for figures."""
    t = words.texts
    large, small = ([each for each in groups if each.is_large is wanted] for wanted in (True, False))
    yield f"### {t['columns'].get(groups[0].column, groups[0].column)}"
    if large:
        yield table(t["group_head"], [_row(each, words) for each in large[:MOST_GROUPS]])
    if len(large) > 1:
        gaps = [100 * (each.foretold - each.base_rate) for each in large]
        found = [each.found_share for each in large]
        yield t["gap"].format(
            low=words.number(min(gaps), 1),
            high=words.number(max(gaps), 1),
            least=words.share(min(found)),
            most=words.share(max(found)),
        )
    if small:
        names = ", ".join(_name(each, words) for each in small[:MOST_GROUPS])
        yield t["small"].format(snapshots=LEAST_SNAPSHOTS, outcomes=LEAST_OUTCOMES, names=names)
    rest = max(0, len(large) - MOST_GROUPS) + max(0, len(small) - MOST_GROUPS)
    if rest:
        yield t["more_groups"].format(n=words.number(rest))


def _row(each: Group, words: Words) -> list[str]:
    shares = (each.base_rate, each.foretold)
    found = (each.top_share, each.found_share)
    name = each.name or str(words.texts["unknown_group"])
    return [
        name,
        words.number(each.n),
        *map(words.share, shares),
        words.number(each.auc, 3),
        *map(words.share, found),
    ]


def _name(each: Group, words: Words) -> str:
    return cell(each.name) or str(words.texts["unknown_group"])


def _limits(facts: CardFacts, words: Words) -> Iterator[str]:
    limit, evidence = words.texts["limit"], facts.evidence
    base = evidence.get("base_rate") or 0.0
    customers, outcomes = evidence["customers"], round(evidence["snapshots"] * min(base, 1 - base))
    yield limit["association"]
    if customers < FEW_CUSTOMERS or outcomes < FEW_OUTCOMES:
        yield limit["few"].format(customers=words.number(customers), outcomes=words.number(outcomes))
    if not evidence.get("tests"):
        yield words.texts["no_tests"]
    yield limit["future"]
    day = evidence.get("level_of")
    yield limit["level"].format(day=words.day(day)) if day else limit["no_level"]
    if facts.missing_features:
        yield limit["missing"].format(missing=words.number(facts.missing_features))
    yield limit["people"]


def _versions(facts: CardFacts, words: Words) -> str:
    named = {"model": facts.model.digest, **facts.digests, "format": str(FORMAT)}
    return "\n".join(f"- {words.texts['digests'].get(name, name)}: `{digest}`" for name, digest in named.items())

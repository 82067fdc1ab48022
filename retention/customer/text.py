"""The customer's page for a terminal: the same facts in lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap

from retention.customer.view import CustomerView, Step
from retention.customer.words import customer_texts, latest_events, timing_lead, writers
from retention.texts import ReasonTexts

WIDTH = 100
"""Longest line [characters]."""
_BAR = 24


def customer_text(view: CustomerView, *, texts: ReasonTexts) -> str:
    """Return the page as text in the language of ``texts``, lines of at most ``WIDTH`` characters."""
    parts = (_head, _timing, _why, _history, _signals, _could, _must_not)
    told = [list(part(view, texts)) for part in parts]
    lines = [line for each in told if each for line in (*each, "")]
    words = customer_texts(texts.language)
    return "\n".join([*lines, *_wrapped(words.say("foot", model=view.model_version, run=view.run_id)), ""])


def _head(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words, write = customer_texts(texts.language), writers(texts.language, view.currency)
    first, last = write["day"](view.horizon_first), write["day"](view.horizon_last)
    headline = f"headline_{view.purpose}"
    yield from _wrapped(words.say(headline, probability=write["share"](view.probability), title=view.title, last=last))
    if view.purpose == "return":
        yield from _wrapped(words.say("lapsed", title=view.title))
    low, high = write["share"](view.low), write["share"](view.high)
    yield from _wrapped(words.say("range", low=low, high=high, first=first, last=last))
    who = [words.say("number", customer=view.customer_id), words.say("owner", owner=view.owner or texts.lists.no_owner)]
    yield from _wrapped(" · ".join(who))
    yield from _wrapped(words.say("state", cutoff=write["day"](view.cutoff)))
    amounts = {name: write["money"](getattr(view, name)) for name in ("value_low", "value_high", "value", "stake")}
    note = words.say("value_note", low=amounts["value_low"], high=amounts["value_high"], segment=view.segment)
    yield f"{words.words['value']}: {amounts['value']} ({note})"
    yield f"{words.words[f'stake_{view.purpose}']}: {amounts['stake']}"
    if view.purpose == "churn" and view.risk_band:
        yield words.say("band", band=texts.lists.risk_bands[view.risk_band])


def _timing(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    if view.timing is None:
        return
    words, write = customer_texts(texts.language), writers(texts.language, view.currency)
    yield _title(words.words["timing"])
    for day, chance, is_told in view.timing.chances:
        notes = {"timing_printed": day == view.horizon_last, "timing_assumed": not is_told}
        note = ", ".join(words.words[name] for name, holds in notes.items() if holds)
        yield f"  {words.say('by_when', last=write['day'](day)):<16} {write['share'](chance):>8}  {note}".rstrip()
    yield from _wrapped(timing_lead(view, words))


def _why(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words, write = customer_texts(texts.language), writers(texts.language, view.currency)
    most = max((abs(step.contribution) for step in view.steps), default=1.0) or 1.0
    yield _title(words.words["reasons"])
    yield f"{'':{_BAR}}  {write['share'](view.start):>8}  {words.words['start']}"
    for step in view.steps:
        told = _wrapped(step.sentence or step.label, WIDTH - _BAR - 12)
        yield f"{_bar(step, most)}  {write['share'](step.after):>8}  {told[0]}"
        yield from (f"{'':{_BAR + 12}}{line}" for line in told[1:])
    yield f"{'':{_BAR}}  {write['share'](view.probability):>8}  {words.words['end']}"


def _bar(step: Step, most: float) -> str:
    """Return a bar that grows to the right where the reason raises the probability, to the left where it lowers it."""
    half = _BAR // 2
    marks = "█" * max(1, round(half * abs(step.contribution) / most))
    return f"{'':{half}}{marks:<{half}}" if step.contribution > 0 else f"{marks:>{half}}{'':{half}}"


def _history(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words, write = customer_texts(texts.language), writers(texts.language, view.currency)
    yield _title(words.words["history"])
    scores = [(day, chance) for day, chance, purpose in view.past.scores if purpose == view.purpose]
    axis = words.words[f"axis_score_{view.purpose}"]
    yield from (f"{write['day'](day)}  {axis} {write['share'](chance)}" for day, chance in scores[-6:])
    events = latest_events(view, words, texts)
    yield from (f"{write['day'](day)}  {what}" for day, what in events)
    if not events:
        yield words.words["history_none"]


def _signals(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words = customer_texts(texts.language).words
    yield _title(words["signals"])
    if view.signals is None:
        yield words["signals_missing"]
        return
    yield from (line for each in view.signals for line in _wrapped(f"- {each}"))
    if not view.signals:
        yield words["signals_none"]


def _could(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words, write = customer_texts(texts.language), writers(texts.language, view.currency)
    yield _title(words.words["could"])
    row = view.listed
    if row is None:
        yield words.words["not_listed"]
    else:
        listed = words.say(f"listed_{view.purpose}", rank=str(row.rank), since=write["day"](row.since), news=row.news)
        done = words.say("planned", measure=row.measure, channel=row.channel) if row.measure else row.note
        yield from _wrapped(f"{listed} {done}".strip())
    yield from _wrapped(f"{view.would_change}." if view.would_change else words.words["change_none"])
    for each in view.levers:
        helps = words.words["helps" if each.helps else "helps_not"]
        yield f"  {write['share'](each.probability_if):>8}  {each.title} ({helps})"


def _must_not(view: CustomerView, texts: ReasonTexts) -> Iterator[str]:
    words = customer_texts(texts.language).words
    yield _title(words["must_not"])
    if view.listed is not None and view.listed.is_control:
        yield from _wrapped(words["control"])
    if not any(each.is_allowed for each in view.channels):
        yield words["all_forbidden"]
    for each in sorted(view.channels, key=lambda each: each.is_allowed):
        ground = f" ({each.ground})" if each.ground else ""
        mark, verdict = ("+", words["may"]) if each.is_allowed else ("x", words["may_not"])
        yield f"{mark} {each.channel}: {verdict}{ground}"
    yield from _wrapped(words["legal"])


def _title(text: str) -> str:
    return f"{text}\n{'-' * len(text)}"


def _wrapped(text: str, width: int = WIDTH) -> list[str]:
    """Return the lines of a text; a number keeps its unit."""
    joined = re.sub(r"(?<=\d) (?=[%€$£¥])", "\u00a0", text)
    return [line.replace("\u00a0", " ") for line in wrap(joined, width)] or [""]

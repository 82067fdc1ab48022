"""The words of a customer's page in one language, read from ``configs/customer.<language>.yaml``, and figures in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

from pydantic import Field

from features.section import Section
from retention.customer.view import Complaint, Contact, CustomerView, Order
from retention.documents import parse_section, shipped
from retention.formats import Language, date_text, rough_money_text, share_text
from retention.texts import ReasonTexts

MOST_EVENTS = 12
"""Events that are told in words, the newest first."""


class CustomerTexts(Section):
    """All words of the page."""

    language: Language = Field(description="Language of the page.")
    words: dict[str, str] = Field(description="Words and sentences by key.")

    def say(self, key: str, **parts: str) -> str:
        """Return a sentence with its parts filled in."""
        return self.words[key].format(**parts)


@cache
def customer_texts(language: Language) -> CustomerTexts:
    """Return the shipped words of ``language``."""
    name = f"customer.{language}.yaml"
    return parse_section(shipped(name), CustomerTexts, where=f"configs/{name}")


def writers(language: Language, currency: str) -> Mapping[str, Callable[[Any], str]]:
    """Return how shares, money and days are written."""
    return {
        "share": lambda value: share_text(value, language=language),
        "money": lambda value: rough_money_text(round(value), language=language, currency=currency),
        "day": lambda value: date_text(value, language=language),
    }


def timing_lead(view: CustomerView, words: CustomerTexts) -> str:
    """Return by when half of the chance falls due, and what makes a loss; empty without a timing."""
    if view.timing is None:
        return ""
    half, last = (date_text(day, language=words.language) for day in (view.timing.half_by, view.horizon_last))
    kind = "timing_silence" if view.timing.silence_days else "timing_contract"
    return f"{words.say('timing_half', half=half, last=last)} {words.say(kind, days=str(view.timing.silence_days))}"


def latest_events(view: CustomerView, words: CustomerTexts, texts: ReasonTexts) -> tuple[tuple[date, str], ...]:
    """Return day and sentence of the newest events, the newest first."""
    every: list[Order | Complaint | Contact] = [*view.past.orders, *view.past.complaints, *view.past.contacts]
    told = [(each.day, _event(each, view, words, texts)) for each in every]
    told += [(day, words.say(f"state_{state}")) for day, state in view.past.states]
    return tuple(sorted(told, key=lambda each: each[0], reverse=True)[:MOST_EVENTS])


def _event(event: Order | Complaint | Contact, view: CustomerView, words: CustomerTexts, texts: ReasonTexts) -> str:
    language = words.language
    if isinstance(event, Order):
        amount = rough_money_text(abs(event.amount), language=language, currency=view.currency)
        return words.say("event_return" if event.amount < 0 else "event_order", amount=amount)
    if isinstance(event, Complaint):
        category = f" ({event.category})" if event.category else ""
        if event.closed is None:
            return words.say("event_complaint_open", category=category)
        return words.say("event_complaint_closed", category=category, closed=date_text(event.closed, language=language))
    kind = f"event_contact_{event.direction}" if event.direction in ("in", "out") else "event_contact"
    how = [texts.lists.channels.get(event.channel, event.channel), event.agent]
    return words.say(kind, how=f" ({', '.join(each for each in how if each)})" if any(how) else "")

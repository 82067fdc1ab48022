"""The customer's page: one HTML file that asks nothing of any network."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from retention.customer import drawing
from retention.customer.view import CustomerView
from retention.customer.words import customer_texts, latest_events, timing_lead, writers
from retention.formats import Language
from retention.texts import ReasonTexts

_STYLES = ("page.css", "customer.css")


def customer_page(view: CustomerView, *, texts: ReasonTexts) -> str:
    """Return the page in the language of ``texts``; the same view gives the same text.

    Parameters
    ----------
    view : CustomerView
    texts : ReasonTexts
        Words of reasons and lists.

    Returns
    -------
    str
        HTML with its style and drawings (inline SVG), without script; its policy forbids any request.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    language: Language = texts.language
    environment = Environment(
        loader=PackageLoader("retention.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(writers(language, view.currency))
    style = "".join(environment.get_template(name).render() for name in _STYLES)
    policy = f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
    return environment.get_template("customer.html.jinja").render(style=style, policy=policy, **_context(view, texts))


def _context(view: CustomerView, texts: ReasonTexts) -> dict[str, Any]:
    words = customer_texts(texts.language)
    return {
        "view": view,
        "texts": texts,
        "w": words.words,
        "say": words.say,
        "language": texts.language,
        "timing_lead": timing_lead(view, words),
        "falls": drawing.waterfall(view),
        "time": drawing.timeline(view.past, view.cutoff, purpose=view.purpose),
        "box": drawing,
        "events": latest_events(view, words, texts),
        "allowed": [each for each in view.channels if each.is_allowed],
        "refused": [each for each in view.channels if not each.is_allowed],
    }

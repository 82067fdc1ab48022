"""Master data of the demo company's customers: names, addresses, consents, owners, gaps and duplicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.demo.clock import DAYS, NEVER, Clock, Flags, Ints
from pipelines.demo.lives import HELPFUL_DAY, Lives
from pipelines.demo.orders import FIRST_CUSTOMER
from pipelines.demo.relations import PERSON
from pipelines.demo.words import (
    BLOCKED_HOURS,
    CHANNELS,
    COUNTRIES,
    FIRST_NAMES,
    INDUSTRIES,
    INDUSTRY_WORDS,
    LEGAL_FORMS,
    PHONE_BLOCKS,
    SIZES,
    SURNAMES,
    worded,
)

_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", " ": "-", ".": ""})
_EVIDENCE = ("Rahmenvertrag", "Formular Messe", "Web-Formular")


def customers_table(
    rng: np.random.Generator, *, clock: Clock, lives: Lives, agents: tuple[Ints, Ints, tuple[str, ...]]
) -> tuple[pd.DataFrame, Ints]:
    """Return the table ``customers`` and, for each customer, the one it is a second account of (-1: none)."""
    n = len(lives)
    private = lives.size == len(SIZES) - 1
    twin = _twins(rng, private=private)
    names, emails, phones, postcodes = _addresses(rng, lives=lives, private=private, twin=twin)
    owner = np.where(lives.starts[:, PERSON] < DAYS, agents[1], agents[0])
    table = pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + np.arange(n),
            "name": names,
            "email": _with_gaps(rng, emails, share=0.06),
            "phone": _with_gaps(rng, phones, share=0.05),
            "postcode": _with_gaps(rng, postcodes, share=0.02),
            "country": worded(rng.choice(4, p=[0.93, 0.03, 0.02, 0.02], size=n), COUNTRIES),
            "type": worded(private.astype(np.int64), ("b2b", "b2c")),
            "industry": worded(np.where(private | (rng.random(n) < 0.05), -1, lives.industry), INDUSTRIES),
            "size": worded(np.where(rng.random(n) < 0.08, -1, lives.size), SIZES),
            "owner": worded(np.where(rng.random(n) < 0.015, -1, owner), agents[2]),
            "preferred_channel": worded(rng.choice(5, p=[0.2, 0.3, 0.25, 0.05, 0.2], size=n) - 1, CHANNELS),
            "since": clock.dates(lives.since),
        }
    )
    return table.assign(**_consents(rng, clock=clock, lives=lives, private=private)), twin


def _twins(rng: np.random.Generator, *, private: Flags) -> Ints:
    """Return the older account of about one customer in a hundred, -1 for the rest."""
    n = len(private)
    older = rng.integers(0, np.maximum(1, np.arange(n)))
    chosen = (rng.random(n) < 0.012) & ~private & ~private[older] & (np.arange(n) > n // 5)
    chosen &= ~chosen[older]
    return np.where(chosen, older, -1)


def _addresses(
    rng: np.random.Generator, *, lives: Lives, private: Flags, twin: Ints
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return names, e-mail addresses, telephone numbers, postcodes; a second account differs in its spelling."""
    surname, first, form = (rng.integers(0, len(words), len(lives)) for words in (SURNAMES, FIRST_NAMES, LEGAL_FORMS))
    block, digits, code = (rng.integers(0, high, len(lives)) for high in (len(PHONE_BLOCKS), 1000, 99998))
    same = np.where(twin >= 0, twin, np.arange(len(lives)))
    surname, first, block, digits, code = (part[same] for part in (surname, first, block, digits, code))
    words = [INDUSTRY_WORDS[i] for i in lives.industry[same]]
    names, emails = [], []
    for i, (word, is_private) in enumerate(zip(words, private, strict=True)):
        person = f"{FIRST_NAMES[first[i]]} {SURNAMES[surname[i]]}"
        names.append(person if is_private else f"{SURNAMES[surname[i]]} {word} {LEGAL_FORMS[form[i]]}")
        host = f"{SURNAMES[surname[i]]}-{word}-{same[i] + 1}".translate(_PLAIN).lower().replace("--", "-")
        emails.append(f"{'post' if is_private else 'einkauf'}@{host}.example")
    phones = [f"{PHONE_BLOCKS[b]} {d:03d}" for b, d in zip(block, digits, strict=True)]
    return names, emails, phones, [f"{1001 + c:05d}" for c in code]


def _with_gaps(rng: np.random.Generator, values: list[str], *, share: float) -> pd.Series[str]:
    return pd.Series(values, dtype="str").mask(rng.random(len(values)) < share)


def _consents(rng: np.random.Generator, *, clock: Clock, lives: Lives, private: Flags) -> dict[str, Any]:
    """Return consent columns: some without evidence, some never asked, a few objections."""
    n = len(lives)
    asked = rng.random(n) < 0.82
    given = np.minimum(np.maximum(lives.since, -2000) + rng.integers(0, 400, n), DAYS - 1)
    phone, email = rng.random(n) < np.where(private, 0.35, 0.78), rng.random(n) < np.where(private, 0.45, 0.66)
    proven = asked & (phone | email) & (rng.random(n) < 0.93)
    number = pd.Series(2000 + np.arange(n)).astype("str")
    evidence = worded(rng.integers(0, len(_EVIDENCE), n), _EVIDENCE) + " " + number
    objection = np.where(rng.random(n) < 0.025, rng.integers(HELPFUL_DAY, DAYS, n), NEVER)
    objection = np.where(objection > lives.begin, objection, NEVER)
    born = clock.dates(-rng.integers(25 * 365, 70 * 365, n))
    return {
        "consent_phone": pd.Series(phone).astype("boolean").mask(~asked),
        "consent_email": pd.Series(email).astype("boolean").mask(~asked),
        "consent_on": clock.dates(np.where(proven, given, NEVER)),
        "consent_evidence": evidence.mask(~proven),
        "objection_on": clock.dates(objection),
        "birthday": pd.Series(np.where(private, born, np.datetime64("NaT"))).astype("datetime64[s]"),
        "blocked_hours": worded(np.where(rng.random(n) < 0.1, rng.integers(0, 5, n), -1), BLOCKED_HOURS),
        "known_at": clock.dates(lives.since),
    }

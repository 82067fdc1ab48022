"""Master data of the demo company's customers: names, addresses, consents, owners, gaps and duplicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.demo.clock import DAYS, NEVER, Clock, Flags, Ints
from pipelines.demo.lives import Lives
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

_RESOLVED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
_PLAIN = str.maketrans({**_RESOLVED, " ": "-", ".": ""})
_LONGEST_FIRST = sorted(LEGAL_FORMS, key=len, reverse=True)
_EVIDENCE = ("Rahmenvertrag", "Formular Messe", "Web-Formular")


def customers_table(
    rng: np.random.Generator, *, clock: Clock, lives: Lives, agents: tuple[Ints, Ints, tuple[str, ...]]
) -> pd.DataFrame:
    """Return the table ``customers``; second accounts are repeated exactly or with another spelling."""
    n = len(lives)
    private = lives.size == len(SIZES) - 1
    owner = np.where(lives.starts[:, PERSON] < DAYS, agents[1], agents[0])
    table = pd.DataFrame(
        {
            "customer_id": FIRST_CUSTOMER + np.arange(n),
            **_addresses(rng, lives=lives, private=private),
            "country": worded(rng.choice(4, p=[0.93, 0.03, 0.02, 0.02], size=n), COUNTRIES),
            "type": worded(private.astype(np.int64), ("b2b", "b2c")),
            "industry": worded(np.where(private | (rng.random(n) < 0.05), -1, lives.industry), INDUSTRIES),
            "size": worded(np.where(rng.random(n) < 0.08, -1, lives.size), SIZES),
            "owner": worded(np.where(rng.random(n) < 0.015, -1, owner), agents[2]),
            "preferred_channel": worded(rng.choice(5, p=[0.2, 0.3, 0.25, 0.05, 0.2], size=n) - 1, CHANNELS),
            "since": clock.dates(lives.since),
        }
    )
    return table.assign(**_consents(rng, clock=clock, lives=lives, private=private))


def _addresses(rng: np.random.Generator, *, lives: Lives, private: Flags) -> dict[str, pd.Series[str]]:
    """Return name, email, phone and postcode; those of a second account are the older one's, maybe respelt."""
    n, same = len(lives), np.where(lives.twin >= 0, lives.twin, np.arange(len(lives)))
    surname, first, form = (rng.integers(0, len(words), n)[same] for words in (SURNAMES, FIRST_NAMES, LEGAL_FORMS))
    block, digits, code = (rng.integers(0, high, n)[same] for high in (len(PHONE_BLOCKS), 1000, 99998))
    words, names, emails = [INDUSTRY_WORDS[i] for i in lives.industry], [], []
    for i, (word, is_private) in enumerate(zip(words, private, strict=True)):
        person = f"{FIRST_NAMES[first[i]]} {SURNAMES[surname[i]]}"
        names.append(person if is_private else f"{SURNAMES[surname[i]]} {word} {LEGAL_FORMS[form[i]]}")
        host = f"{SURNAMES[surname[i]]}-{word}-{same[i] + 1}".translate(_PLAIN).lower().replace("--", "-")
        emails.append(f"{'post' if is_private else 'einkauf'}@{host}.example")
    phones = [f"{PHONE_BLOCKS[b]} {d:03d}" for b, d in zip(block, digits, strict=True)]
    near, way = (lives.twin >= 0) & ~lives.repeated, rng.integers(0, 4, n)
    return {
        "name": pd.Series([respelt(name, w) if o else name for name, o, w in zip(names, near, way, strict=True)]),
        "email": _with_gaps(rng, _elsewhere(emails, near, "einkauf@", "info@"), share=0.06),
        "phone": _with_gaps(rng, _elsewhere(phones, near, "+49 ", "0049-"), share=0.05),
        "postcode": _with_gaps(rng, [f"{1001 + c:05d}" for c in code], share=0.02),
    }


def respelt(name: str, way: int) -> str:
    """Return ``name`` as another clerk would enter it: umlauts resolved, form left out, capitals, a slip of the key.

    >>> [respelt("Möller Bau GmbH", way) for way in range(4)]
    ['Moeller Bau GmbH', 'Möller Bau', 'MÖLLER BAU GMBH', 'Mlöler Bau GmbH']
    """
    slip = name[0] + name[2] + name[1] + name[3:]
    bare = next((name.removesuffix(f" {form}") for form in _LONGEST_FIRST if name.endswith(f" {form}")), name.upper())
    plain = "".join(_RESOLVED.get(letter, letter) for letter in name)
    return (plain if plain != name else slip, bare, name.upper(), slip)[way]


def _elsewhere(texts: list[str], near: Flags, old: str, new: str) -> list[str]:
    return [text.replace(old, new) if is_near else text for text, is_near in zip(texts, near, strict=True)]


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
    objection = np.where(rng.random(n) < 0.025, rng.integers(DAYS // 2, DAYS, n), NEVER)
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

"""How a told reason is understood where features are made: in SQL, by the words of ``configs/loss_reasons.yaml``.

The file is the master; a test holds this list to it. It stands here because features know nothing of retention.
"""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, ...]] = {
    "price": (
        "preis", "konditionen", "rabatt", "teuer", "zu teuer", "kosten", "gebühr", "price", "pricing",
        "expensive", "too expensive", "cost", "charge", "discount", "budget", "affordable", "tariff",
    ),
    "service": (
        "service", "selbstbedienung", "betreu", "erreichbar", "beratung", "rückruf", "hotline",
        "kundendienst", "support", "self-service", "care", "expertise", "advice", "unreachable", "response",
    ),
    "quality": (
        "qualität", "mangel", "mängel", "defekt", "fehlerhaft", "reklamation", "beanstandung", "sortiment",
        "quality", "defect", "faulty", "complaint", "reliability", "product", "feature", "missing features",
        "limited range", "range",
    ),
    "delivery": (
        "liefer", "lieferung", "lieferzeit", "lieferverzug", "verspätung", "falschlieferung", "versand",
        "rücksendung", "deliver", "delivery", "shipping", "late delivery", "wrong delivery", "logistics",
        "out of stock",
    ),
    "contact_person": (
        "ansprechpartner", "betreuerwechsel", "außendienst", "vertreter", "umgangston", "unfreundlich",
        "contact person", "account manager", "attitude", "rude", "sales rep",
    ),
    "competitor": (
        "wettbewerb", "konkurrenz", "mitbewerber", "anderer lieferant", "anderer anbieter", "gewechselt",
        "competitor", "competition", "switched", "other supplier", "better offer",
    ),
    "need_gone": (
        "kein bedarf", "bedarf", "nicht mehr benötigt", "geschäftsaufgabe", "geschlossen", "ruhestand",
        "verstorben", "eingestellt", "no need", "need gone", "no longer needed", "closed down",
        "out of business", "retired", "deceased", "discontinued",
    ),
    "insolvency": (
        "insolven", "konkurs", "zahlungsunfähig", "bankrott", "bankrupt", "liquidation", "receivership",
    ),
    "moved": (
        "umzug", "umgezogen", "verzogen", "weggezogen", "standort verlegt", "moved", "relocat", "moving",
    ),
    "unknown": (
        "unbekannt", "keine angabe", "weiß nicht", "unknown", "don't know", "no answer", "n/a",
    ),
}  # fmt: skip
"""Beginnings of words by which each reason is recognised; the longest that occurs decides."""


def cause_sql(column: str, causes: tuple[str, ...]) -> str:
    """SQL of which of ``causes`` a text means, from 1 on; 0 for any other reason and for what nobody understands."""
    text = f"replace(lower(trim(regexp_replace({column}, '\\s+', ' ', 'g'))), 'ß', 'ss')"
    numbers = {name: number for number, name in enumerate(causes, start=1)}
    names = " ".join(f"WHEN {text} = '{name}' THEN {numbers.get(name, 0)}" for name in WORDS)
    words = sorted(
        ((word, name) for name, own in WORDS.items() for word in own), key=lambda pair: (-len(pair[0]), pair)
    )
    found = " ".join(
        f"WHEN regexp_matches({text}, '{_beginning(word)}') THEN {numbers.get(name, 0)}" for word, name in words
    )
    return f"CASE {names} {found} ELSE 0 END::BIGINT"


def _beginning(word: str) -> str:
    quoted = word.casefold().replace("'", "''").replace("/", "[/]")
    return f"(^|[^\\p{{L}}\\p{{N}}_]){quoted}"

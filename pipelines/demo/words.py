"""Vocabulary of the demo company: industries with their season, names, products and texts.

E-mail domains end in ``.example`` and telephone numbers lie in the blocks that the Bundesnetzagentur keeps
free for films and books, so that nobody real can be reached.
"""

from __future__ import annotations

from types import MappingProxyType

import pandas as pd

from pipelines.demo.clock import Ints

SEASON = MappingProxyType(
    {
        "Metallbau": (0.8, 0.9, 1.1, 1.2, 1.1, 1.1, 1.0, 0.7, 1.2, 1.2, 1.1, 0.6),
        "Elektrohandwerk": (0.9, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 1.1, 1.2, 1.3, 0.9),
        "Sanitär und Heizung": (1.1, 1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.7, 1.3, 1.4, 1.3, 0.8),
        "Bauunternehmen": (0.4, 0.5, 1.2, 1.4, 1.4, 1.3, 1.1, 0.8, 1.3, 1.2, 0.9, 0.5),
        "Maschinenbau": (1.0, 1.0, 1.1, 1.0, 1.0, 1.1, 1.0, 0.7, 1.1, 1.1, 1.1, 0.8),
        "Landtechnik": (0.6, 0.8, 1.4, 1.5, 1.2, 1.1, 1.3, 1.0, 1.1, 0.9, 0.6, 0.5),
        "Schreinerei": (0.9, 1.0, 1.1, 1.1, 1.1, 1.0, 0.9, 0.7, 1.1, 1.2, 1.2, 0.7),
        "Privat": (0.8, 0.8, 1.3, 1.4, 1.2, 1.0, 0.9, 0.8, 1.0, 1.0, 1.0, 0.8),
    }
)
"""Orders by month, January to December, relative to the industry's mean: spring and autumn peaks, quiet August."""

INDUSTRIES = tuple(SEASON)
INDUSTRY_SHARES = (0.20, 0.16, 0.15, 0.14, 0.14, 0.08, 0.13, 0.0)
INDUSTRY_WORDS = ("Metallbau", "Elektro", "Haustechnik", "Bau", "Maschinenbau", "Landtechnik", "Holzwerkstatt", "")

SIZES = ("1-9", "10-49", "50-249", "250+", "privat")
LEGAL_FORMS = ("GmbH", "GmbH & Co. KG", "e.K.", "KG", "AG", "OHG")
SURNAMES = (
    "Petersen", "Hansen", "Schröder", "Brandt", "Möller", "Claasen", "Vogt", "Krüger", "Lindemann", "Jessen",
    "Behrens", "Kröger", "Thomsen", "Bruhn", "Wulf", "Harms", "Siemers", "Lorenzen", "Ahrens", "Großmann",
    "Feddersen", "Kühl", "Matthiesen", "Oldenburg", "Rathje", "Stender", "Timm", "Voß", "Wiese", "Zander",
    "Bäcker", "Dierks", "Ehlers", "Frahm", "Görtz", "Hinrichs", "Iversen", "Jürgens", "Köhler", "Lüders",
)  # fmt: skip
FIRST_NAMES = (
    "Anke", "Björn", "Carla", "Dirk", "Elke", "Frank", "Gesa", "Hauke", "Ines", "Jörg", "Katrin", "Lars",
    "Maren", "Nils", "Okka", "Peer", "Rieke", "Sönke", "Tanja", "Uwe",
)  # fmt: skip
PHONE_BLOCKS = ("+49 30 23125", "+49 69 90009", "+49 40 66969", "+49 221 4710", "+49 89 99998")
COUNTRIES = ("DE", "AT", "DK", "NL")
BLOCKED_HOURS = ("Mo-Fr 6-9 Uhr", "Freitag ab 12 Uhr", "Juli und August", "zur Ernte", "nur nach 16 Uhr")

CATEGORIES = (
    "Handwerkzeug", "Elektrowerkzeug", "Bohren und Fräsen", "Schleifmittel", "Befestigung", "Arbeitsschutz",
    "Messtechnik", "Betriebseinrichtung",
)  # fmt: skip
PRODUCTS_PER_CATEGORY = 12
CATEGORY_PRICES = (18.0, 140.0, 24.0, 9.0, 6.0, 15.0, 85.0, 210.0)

CHANNELS = ("visit", "phone", "email", "letter")
TOPICS_OUT = ("Besuch", "Angebot", "Bedarfsgespräch", "Neuheiten", "Nachfassen")
TOPICS_IN = ("Bestellung", "Lieferstatus", "Technische Frage", "Rechnung", "Anfrage")
COMPLAINT_CATEGORIES = ("Lieferverzug", "Falschlieferung", "Qualität", "Rechnung", "Beratung")
COMPETITORS = ("Werkzeug Süd AG", "Toolnet Online", "Hansa Technikhandel", "Baumarkt-Profi")
SERVICE_PRODUCTS = ("Wartungsvertrag", "Regalservice", "Werkzeugmiete")

KINDS = (
    "complaint_unresolved",
    "contact_gap",
    "price",
    "contact_person_change",
    "service",
    "need_gone",
    "insolvency",
)
"""Planted causes, in the order of the columns of ``Lives.starts``."""

GRIEVANCES = KINDS[:5]
"""Causes that wear the satisfaction down; the others end the need, however satisfied a customer is."""

UNPLANNED = "none"
"""Cause of a loss that nothing announced."""

REASONS = (
    "Reklamation nicht gelöst",
    "Lange nicht betreut",
    "Preis",
    "Wechsel des Ansprechpartners",
    "Lieferung und Service",
    "Kein Bedarf mehr",
    "Insolvenz",
    "Unbekannt",
)
"""What the losses table tells, one for each planted cause and a last one for the rest."""


def worded(codes: Ints, words: tuple[str, ...]) -> pd.Series[str]:
    """Return ``words[codes]`` as text; missing where a code is -1."""
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(words)).astype("str"))

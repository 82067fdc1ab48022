"""The contract of input: eight tables, their grain, their columns and what each column must hold.

Only ``orders`` is compulsory. Every table may also carry ``known_at``, the day a row could be known;
it defaults to the table's own time column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["id", "text", "choice", "date", "money", "number", "share", "flag"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its kind, its bounds and its meaning."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of the contract: ``key`` is unique in it (none: rows may repeat), ``time`` is when a row happened."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    time: str | None = "occurred_on"

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the compulsory columns."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError when the contract has none."""
        return next(column for column in self.columns if column.name == name)


def _id(name: str, meaning: str, *, required: bool = True) -> Column:
    return Column(name=name, kind="id", meaning=meaning, required=required)


def _date(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name=name, kind="date", meaning=meaning, required=required)


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name=name, kind="text", meaning=meaning, required=required)


def _choice(name: str, meaning: str, *choices: str, required: bool = False) -> Column:
    return Column(name=name, kind="choice", meaning=meaning, choices=choices, required=required)


def _money(name: str, meaning: str, *, required: bool = False, low: float | None = None) -> Column:
    return Column(name=name, kind="money", meaning=meaning, required=required, low=low)


def _number(name: str, meaning: str, *, low: float | None = None, high: float | None = None) -> Column:
    return Column(name=name, kind="number", meaning=meaning, low=low, high=high)


def _flag(name: str, meaning: str) -> Column:
    return Column(name=name, kind="flag", meaning=meaning)


_CUSTOMER = _id("customer_id", "The customer, as the CRM numbers it.")
_OCCURRED = _date("occurred_on", "The day it happened.", required=True)

CUSTOMERS = Table(
    name="customers",
    grain="customer",
    key=("customer_id",),
    time=None,
    columns=(
        _CUSTOMER,
        _text("name", "Name shown on lists."),
        _text("email", "E-mail address."),
        _text("phone", "Telephone number."),
        _text("postcode", "Postcode."),
        _text("country", "Country."),
        _choice("type", "Business or consumer; consumers need express consent for telephone.", "b2b", "b2c"),
        _text("industry", "Industry."),
        _text("size", "Size class."),
        _text("owner", "Account manager who acts on the lists."),
        _choice("preferred_channel", "Channel the customer asked for.", "visit", "phone", "email", "letter"),
        _date("since", "Customer since."),
        _flag("consent_phone", "Consent to calls (consumer: express; business: at least presumed). Empty means no."),
        _flag("consent_email", "Consent to e-mail. Empty means no."),
        _date("consent_on", "Day the consent was given."),
        _text("consent_evidence", "Reference to the document that proves the consent."),
        _date("objection_on", "Day of an objection to advertising; from then on nobody contacts this customer."),
        _date("birthday", "Birthday (consumers)."),
        _text("blocked_hours", "Hours or season in which the customer does not want to be contacted."),
    ),
)

ORDERS = Table(
    name="orders",
    grain="order or order line",
    columns=(
        _id("order_id", "The order; lines of one order share it."),
        _CUSTOMER,
        _OCCURRED,
        _money("amount", "Net amount; negative is a return or credit note.", required=True),
        _money("margin", "Contribution margin of the row."),
        _number("quantity", "Pieces; negative on returns."),
        _text("product_id", "Product."),
        _text("category", "Product category."),
        Column(name="discount_share", kind="share", meaning="Discount on list price, 0 to 1.", low=0, high=1),
        _date("due_on", "Day the invoice was due."),
        _date("paid_on", "Day the invoice was paid; counts only from that day on."),
    ),
)

COMPLAINTS = Table(
    name="complaints",
    grain="complaint",
    key=("complaint_id",),
    columns=(
        _id("complaint_id", "The complaint."),
        _CUSTOMER,
        _OCCURRED,
        _date("closed_on", "Day it was settled; counts only from that day on. Empty: open."),
        _text("category", "Cause."),
        _number("severity", "Severity, 1 (slight) to 5 (grave).", low=1, high=5),
        _money("goodwill_amount", "Goodwill granted; counts from closed_on on.", low=0),
        _flag("satisfied", "Satisfied with the settlement; counts from closed_on on."),
    ),
)

CONTACTS = Table(
    name="contacts",
    grain="contact",
    key=("contact_id",),
    columns=(
        _id("contact_id", "The contact."),
        _CUSTOMER,
        _OCCURRED,
        _text("channel", "Channel: visit, phone, email, letter, …"),
        _choice("direction", "in: the customer came to us; out: we came to the customer.", "in", "out"),
        _text("agent", "Who spoke for us."),
        _text("topic", "Topic."),
        _number("sentiment", "Mood, -1 (angry) to 1 (delighted).", low=-1, high=1),
        _text("purpose", "Purpose, e.g. service or sales."),
    ),
)

FEEDBACK = Table(
    name="feedback",
    grain="answer",
    columns=(
        _CUSTOMER,
        _OCCURRED,
        _choice("kind", "nps: 0 to 10; csat: 1 to 5; visit: mood noted after a visit, 1 to 5.", "nps", "csat", "visit"),
        _number("score", "The answer, on the scale of its kind.", low=0, high=10),
        _text("comment", "Comment."),
    ),
)

CONTRACTS = Table(
    name="contracts",
    grain="contract",
    time="starts_on",
    columns=(
        _CUSTOMER,
        _date("starts_on", "First day.", required=True),
        _date("ends_on", "Last day agreed or reached; empty: open-ended."),
        _date("agreed_until", "Last day of the term agreed at signing; known from the start. Empty: no term."),
        _date("cancelled_on", "Day notice was given; counts only from that day on."),
        _number("notice_days", "Period of notice [days].", low=0),
        _text("product", "What the contract is about."),
        _money("recurring_amount", "Amount per month.", low=0),
    ),
)

LOSSES = Table(
    name="losses",
    grain="lost customer",
    columns=(
        _CUSTOMER,
        _OCCURRED,
        _text("reason", "Why the customer left."),
        _text("competitor", "To whom."),
        _flag("winnable", "Worth and able to be won back."),
        _choice("source", "Told by the customer, or inferred.", "interview", "inferred"),
    ),
)

TREATMENTS = Table(
    name="treatments",
    grain="customer × measure × run",
    key=("run_id", "customer_id", "measure"),
    time="assigned_on",
    columns=(
        _id("run_id", "The run that assigned it."),
        _CUSTOMER,
        _text("measure", "The measure.", required=True),
        _choice(
            "arm", "treatment: contacted by plan; control: withheld at random.", "treatment", "control", required=True
        ),
        _date("assigned_on", "Day of assignment.", required=True),
        _date("contacted_on", "Day of contact; empty: not yet."),
        _text("outcome", "Outcome."),
        _money("cost", "What it cost.", low=0),
    ),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (CUSTOMERS, ORDERS, COMPLAINTS, CONTACTS, FEEDBACK, CONTRACTS, LOSSES, TREATMENTS)}
)
"""The eight tables by name."""

KNOWN_AT = _date("known_at", "Day the row could be known; defaults to the table's time column.")
"""The column every table may carry besides its own."""

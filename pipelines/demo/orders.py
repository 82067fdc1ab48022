"""Orders of the demo company: lines with price, discount and payment, and the credit notes that follow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.demo.clock import DAYS, NEVER, Clock, Floats, Ints, renewals
from pipelines.demo.lives import Lives
from pipelines.demo.words import CATEGORIES, CATEGORY_PRICES, INDUSTRIES, PRODUCTS_PER_CATEGORY, SEASON, worded

FIRST_CUSTOMER = 10001
FIRST_ORDER, FIRST_CREDIT = 400001, 9_000_001
TERMS_DAYS = 30


def draw_purchases(rng: np.random.Generator, *, clock: Clock, lives: Lives) -> tuple[Ints, Ints]:
    """Return who buys on which day, sorted by both: the habit, thinned by what happens to the customer."""
    curves = clock.season_curves(tuple(SEASON[name] for name in INDUSTRIES))
    who, day = renewals(
        rng, rate=lives.rate, shape=lives.shape, begin=lives.begin, curves=curves, group=lives.industry
    )  # fmt: skip
    keep = rng.random(len(who)) < lives.appetite(who, day)
    return who[keep], day[keep]


def orders_table(
    rng: np.random.Generator, *, clock: Clock, lives: Lives, who: Ints, day: Ints, margin_share: float = 0.34
) -> pd.DataFrame:
    """Return the table ``orders``: one row per line and per credit note, amounts in EUR net."""
    lines = _lines(rng, lives=lives, who=who, day=day)
    notes = _credits(rng, lives=lives, lines=lines)
    rows = pd.concat([lines, notes], ignore_index=True)
    rows = rows.sort_values(["day", "order"], kind="stable", ignore_index=True)
    return _dressed(rows, clock=clock, margin_share=margin_share)


def _lines(rng: np.random.Generator, *, lives: Lives, who: Ints, day: Ints) -> pd.DataFrame:
    """Return one row per order line, numbered columns only."""
    counts = 1 + rng.poisson(np.where(lives.costly, 0.2, 1.0)[who])
    order = np.repeat(np.arange(len(who)), counts)
    buyer, at = who[order], day[order]
    product = _products(rng, lives=lives, who=buyer)
    pressure = lives.strain(buyer, at, "price", "need_gone")
    price = _price_list()[product]
    worth = _line_worth(lives, buyer) * rng.lognormal(0.0, 0.65, len(order)) * (1 - 0.4 * pressure)
    quantity = np.maximum(1, np.rint(worth / price))
    discount = _discounts(rng, lives=lives, who=buyer, day=at)
    paid, due = _payments(rng, lives=lives, who=who, day=day)
    return pd.DataFrame(
        {
            "order": FIRST_ORDER + _numbers_by_day(day)[order], "who": buyer, "day": at, "product": product,
            "quantity": quantity, "discount": discount, "amount": np.round(quantity * price * (1 - discount), 2),
            "price": price, "due": due[order], "paid": paid[order], "known": at,
        }
    )  # fmt: skip


def _numbers_by_day(day: Ints) -> Ints:
    """Return running numbers in the order of the days, as an ERP gives them."""
    numbers = np.empty(len(day), dtype=np.int64)
    numbers[np.argsort(day, kind="stable")] = np.arange(len(day))
    return numbers


def _price_list() -> Floats:
    """Return the list price of every product [EUR]: a ladder inside each category."""
    ladder = np.geomspace(0.5, 3.0, PRODUCTS_PER_CATEGORY)
    return np.asarray(np.round(np.multiply.outer(np.array(CATEGORY_PRICES), ladder), 2).ravel())


def _products(rng: np.random.Generator, *, lives: Lives, who: Ints) -> Ints:
    """Return products: two categories are a customer's favourites, those of promising ones vary."""
    favourite = rng.integers(0, len(CATEGORIES), (len(lives), 2))
    loyal = rng.random(len(who)) < np.where(lives.promising, 0.2, 0.7)[who]
    category = np.where(loyal, favourite[who, rng.integers(0, 2, len(who))], rng.integers(0, len(CATEGORIES), len(who)))
    return np.asarray(category * PRODUCTS_PER_CATEGORY + rng.integers(0, PRODUCTS_PER_CATEGORY, len(who)))


def _line_worth(lives: Lives, who: Ints) -> Floats:
    """Return the usual worth of a line [EUR]: by size class, small for promising and costly customers."""
    worth = np.array([95.0, 160.0, 300.0, 560.0, 45.0])[lives.size]
    return np.asarray((worth * np.where(lives.promising | lives.costly, 0.4, 1.0))[who])


def _discounts(rng: np.random.Generator, *, lives: Lives, who: Ints, day: Ints) -> Floats:
    """Return the discount of each line, 0 to 0.5: by size, higher when the price is talked about."""
    usual = np.array([0.02, 0.05, 0.09, 0.13, 0.0])[lives.size] + np.where(lives.costly, 0.18, 0.0)
    asked = 0.14 * lives.strain(who, day, "price")
    share = usual[who] + asked + rng.normal(0, 0.015, len(who))
    return np.asarray(np.round(np.clip(share, 0, 0.5), 2), dtype=np.float64)


def _payments(rng: np.random.Generator, *, lives: Lives, who: Ints, day: Ints) -> tuple[Ints, Ints]:
    """Return the day each order is paid and due; NEVER paid when insolvency comes first."""
    habit = rng.normal(-1, 5, len(lives))[who] + rng.gamma(1.2, 3, len(who))
    broke, cross = lives.strain(who, day, "insolvency"), lives.strain(who, day, "price", "complaint_unresolved")
    due = day + TERMS_DAYS
    paid = due + np.rint(np.maximum(-25, habit + 38 * broke + 8 * cross)).astype(np.int64)
    unpaid = (broke > 0.5) & (rng.random(len(who)) < 0.4)
    return np.where(unpaid | (paid >= DAYS), NEVER, paid), due


def _credits(rng: np.random.Generator, *, lives: Lives, lines: pd.DataFrame) -> pd.DataFrame:
    """Return credit notes for some lines; a quarter of them is booked weeks after it happened."""
    who, at = lines["who"].to_numpy(), lines["day"].to_numpy()
    chance = (0.018 + 0.09 * lives.strain(who, at, "service")) * np.where(lives.costly, 4, 1)[who]
    notes = lines[rng.random(len(lines)) < chance].copy()
    notes["day"] += rng.integers(4, 26, len(notes))
    late = np.where(rng.random(len(notes)) < 0.25, rng.integers(12, 60, len(notes)), rng.integers(0, 2, len(notes)))
    notes["known"] = notes["day"] + late
    notes["quantity"] = -np.ceil(notes["quantity"] * rng.uniform(0.3, 1, len(notes)))
    notes["amount"] = np.round(notes["quantity"] * notes["price"] * (1 - notes["discount"]), 2)
    booked: pd.DataFrame = notes[notes["known"] < DAYS]
    return booked.assign(order=FIRST_CREDIT + _numbers_by_day(booked["day"].to_numpy()), due=NEVER, paid=NEVER)


def _dressed(rows: pd.DataFrame, *, clock: Clock, margin_share: float) -> pd.DataFrame:
    """Return numbered rows as the contract's columns."""
    product = rows["product"].to_numpy()
    category = product // PRODUCTS_PER_CATEGORY
    names = [f"{name[:3].upper()}-{100 + i}" for name in CATEGORIES for i in range(PRODUCTS_PER_CATEGORY)]
    cost = rows["quantity"] * rows["price"] * (1 - margin_share)
    return pd.DataFrame(
        {
            "order_id": rows["order"],
            "customer_id": FIRST_CUSTOMER + rows["who"],
            "occurred_on": clock.dates(rows["day"].to_numpy()),
            "amount": rows["amount"],
            "margin": np.round(rows["amount"] - cost, 2),
            "quantity": rows["quantity"].astype("int64"),
            "product_id": worded(product, tuple(names)),
            "category": worded(category, CATEGORIES),
            "discount_share": rows["discount"],
            "due_on": clock.dates(rows["due"].to_numpy()),
            "paid_on": clock.dates(rows["paid"].to_numpy()),
            "known_at": clock.dates(rows["known"].to_numpy()),
        }
    )

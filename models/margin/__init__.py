"""The margin to be expected of a customer: features in, margin per horizon with an interval out.

The turnover is learned (``learning``, ``steps``), the customer's own margin share makes it a margin (``basis``), and
what past forecasts missed by makes its interval (``spread``).
"""

from models.margin.learning import fit_margin
from models.margin.model import MarginModel

__all__ = ["MarginModel", "fit_margin"]

"""Your own bill: read a usage export, price every row at its own day, and look at it from all
sides.

from helpers import bills
usage = bills.read("export.json")
bill = bills.price(usage)
bills.by(bill, "model")
"""

from .explorer import explore
from .pricing import Bill, BillError, Rates, price, usd
from .sources import Usage, read
from .views import anomalies, by, daily, forecast, lifecycle, unpriced, what_if
from .warehouse import price_on, price_parquet, sql

__all__ = [
    "Bill",
    "BillError",
    "Rates",
    "Usage",
    "anomalies",
    "by",
    "daily",
    "explore",
    "forecast",
    "lifecycle",
    "price",
    "price_on",
    "price_parquet",
    "read",
    "sql",
    "unpriced",
    "usd",
    "what_if",
]

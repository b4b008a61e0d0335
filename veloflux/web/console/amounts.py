"""Amounts of money as people write them into forms, and the alerts and caps made of them. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from veloflux.billing.spend.limits import SpendLimits, SpendShown
from veloflux.kit import money
from veloflux.web.console.form import converted

METER_CAP = "meter_cap-"


class Said(NamedTuple):
    """Alerts and caps as the fields of a form say them."""

    alerts: str
    cap: str
    meter_caps: dict[str, str]


def amount_of(text: str, currency: str, field: str) -> int:
    """Minor units of an amount, with a point or a comma before its cents.

    >>> amount_of("29,90", "BRL", "amount"), amount_of(" 29.9 ", "BRL", "amount")
    (2990, 2990)

    :raises InputInvalid: it is none, or has more places than the currency.
    """
    return money.parse(text.strip().replace(",", "."), currency, field)


def spend_limits_of(sent: Mapping[str, str], currency: str) -> SpendLimits:
    """`alerts` with blanks between them, `cap`, and a field `meter_cap-<meter>` each; what is empty is none.

    >>> spend_limits_of({"alerts": "50 99,90", "cap": "", "meter_cap-requests": "20"}, "BRL")
    SpendLimits(alerts=(5000, 9990), cap=None, meter_caps={'requests': 2000})

    :raises InputInvalid: one is no amount, or cannot be.
    """
    caps = {field: text for field, text in sent.items() if field.startswith(METER_CAP) and text.strip()}
    values = {
        "alerts": [amount_of(text, currency, "alerts") for text in sent["alerts"].split()],
        "cap": amount_of(sent["cap"], currency, "cap") if sent["cap"].strip() else None,
        "meter_caps": {field.removeprefix(METER_CAP): amount_of(text, currency, field) for field, text in caps.items()},
    }
    return converted(values, SpendLimits, "alerts")


def said(spend: SpendShown) -> Said:
    """The way back."""
    caps = {meter: _written(amount, spend.currency) for meter, amount in spend.meter_caps.items()}
    alerts = " ".join(_written(amount, spend.currency) for amount in spend.alerts)
    return Said(alerts, "" if spend.cap is None else _written(spend.cap, spend.currency), caps)


def _written(amount: int, currency: str) -> str:
    return str(money.major(amount, currency))

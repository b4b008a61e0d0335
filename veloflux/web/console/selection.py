"""What a form says of quantities and add-ons: a field `quantity-<charge>` or `add_on-<id>` each. Pure."""

from collections.abc import Iterable, Mapping

from veloflux.errors import InputInvalid
from veloflux.plans import Plan
from veloflux.plans.prices import AddOn


def quantities_of(sent: Mapping[str, str], plan: Plan) -> dict[str, int]:
    """How many of each fixed charge of a plan, where a field says it.

    :raises InputInvalid: a field has no whole number.
    """
    return _counts(sent, "quantity", (charge.name for charge in plan.fixed))


def add_ons_of(sent: Mapping[str, str], add_ons: Iterable[AddOn]) -> dict[str, int]:
    """How many of each add-on; those of zero are left out.

    :raises InputInvalid: a field has no whole number.
    """
    counts = _counts(sent, "add_on", (one.id for one in add_ons))
    return {name: count for name, count in counts.items() if count}


def whole_number(text: str, field: str) -> int:
    """
    >>> whole_number(" 12 ", "billing_day")
    12

    :raises InputInvalid: the text of a field is no whole number from 0 to 1,000,000.
    """
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > 1_000_000:
        raise InputInvalid("Write a whole number from 0 to 1,000,000", field=field)
    return int(text)


def _counts(sent: Mapping[str, str], kind: str, names: Iterable[str]) -> dict[str, int]:
    fields = {name: f"{kind}-{name}" for name in names}
    return {name: whole_number(sent[field], field) for name, field in fields.items() if sent.get(field, "").strip()}

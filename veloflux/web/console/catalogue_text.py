"""Prices as the text that operators edit: TOML, the same as of `veloflux plans apply`. Pure.

A form would need rows within rows within rows: currencies of tiers of charges. A text shows a whole price list at once,
can be copied from one plan to another and kept in a repository; that a mistake costs nothing is what its preview is for.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from veloflux.errors import InputInvalid, VeloFluxError
from veloflux.plans import Catalogue, Plan, toml
from veloflux.plans.prices import (
    AddOn,
    Coupon,
    FixedCharge,
    Name,
    Percent,
    Price,
    Quantity,
    Tax,
    UsageCharge,
    check_amounts,
)
from veloflux.plans.terms import TERMS, Terms
from veloflux.tenants.apply_catalogue import Offers

OFFERS: dict[str, type[AddOn | Coupon | Tax]] = {"addons": AddOn, "coupons": Coupon, "taxes": Tax}
K = TypeVar("K")
AT_LINE = re.compile(r"at line ([0-9]+)")
LIKE = {Price: "29.90", Quantity: "1000", Percent: "12.5", Name: "night_watch"}


def terms_text(plan: Plan) -> str:
    """How a plan is billed."""
    values = {name: _plain(getattr(plan, name)) for name in TERMS}
    return toml.written(dict(sorted(values.items(), key=lambda pair: isinstance(pair[1], list))))


def offers_text(of: Catalogue) -> str:
    """Add-ons, coupons and taxes."""
    rows = [(kind, _plain(row)) for kind in OFFERS for row in getattr(of, kind)]
    return "\n".join(f"[[{kind}]]\n{toml.written(row)}" for kind, row in rows)


def read_terms(text: str, plan: Plan) -> Plan:
    """A plan with the terms of a text.

    :raises InputInvalid: they are none; names the line, its field is `text`.
    """
    values = _read(text)
    if strange := [name for name in values if name not in TERMS]:
        raise _fault(text, (strange[0],), f"a plan is not billed by {strange[0]!r}")
    kept = {name: value for name, value in msgspec.to_builtins(plan).items() if name not in TERMS}
    where = f"the plan {plan.id}"
    for at, charge in enumerate(_rows(values, "fixed")):
        _convert(text, ("fixed", at), charge, FixedCharge, lambda of: check_amounts(where, of.prices))
    for at, charge in enumerate(_rows(values, "usage")):
        _convert(text, ("usage", at), charge, UsageCharge, lambda of: of.check(where))
    _convert(text, (), {"id": plan.id, "name": plan.name} | values, Terms)
    return _convert(text, (), kept | values, Plan)


def read_offers(text: str) -> Offers:
    """Add-ons, coupons and taxes of a text.

    :raises InputInvalid: it has others, or none; names the line, its field is `text`.
    """
    values = _read(text)
    if strange := [name for name in values if name not in OFFERS]:
        raise _fault(text, (strange[0],), f"write [[addons]], [[coupons]] or [[taxes]], not {strange[0]!r}")
    found: dict[str, tuple[Any, ...]] = {
        name: tuple(_convert(text, (name, at), row, kind) for at, row in enumerate(_rows(values, name)))
        for name, kind in OFFERS.items()
    }
    return Offers(**found)


def line_changes(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ, each with its sign, and two around them; ("@", "") stands for those left out.

    >>> line_changes("a\\nb\\n", "a\\nc\\n")
    [(' ', 'a'), ('-', 'b'), ('+', 'c')]
    """
    found = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    lines = [(line[0], "" if line[0] == "@" else line[1:]) for line in found]
    return lines[1:]


def _plain(value: Any) -> Any:
    """As JSON has it: lists for tuples."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _read(text: str) -> dict[str, Any]:
    try:
        return toml.read(text.replace("\r\n", "\n"))
    except ValueError as error:
        line = AT_LINE.search(str(error))
        raise InputInvalid(str(error), field="text", line=int(line[1]) if line else text.count("\n") + 1) from None


def _rows(values: dict[str, Any], name: str) -> Iterator[Any]:
    found = values.get(name, [])
    yield from found if isinstance(found, list) else ()


def _convert(text: str, place: toml.Place, values: Any, kind: type[K], check: Callable[[K], None] | None = None) -> K:
    try:
        made = msgspec.convert(values, kind)
        if check:
            check(made)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `")
        raise _fault(text, (*place, *toml.place_of(path.rstrip("`"))), _plainly(fault)) from None
    except VeloFluxError as error:
        raise _fault(text, (*place, *filter(None, [error.extra.get("field")])), str(error)) from None
    return made


def _plainly(fault: str) -> str:
    """What a pattern asks for, in words.

    >>> _plainly("Expected `str`, got `int`"), _plainly(f"Expected `str` matching regex {Price.__metadata__[0].pattern!r}")
    ('Expected `str`, got `int`', 'write a text like "29.90"')
    """
    asked = fault.partition("matching regex ")[2]
    like = next((text for kind, text in LIKE.items() if repr(kind.__metadata__[0].pattern) == asked), "")
    return f'write a text like "{like}"' if like else fault


def _fault(text: str, place: toml.Place, fault: str) -> InputInvalid:
    return InputInvalid(fault, field="text", line=toml.line_of(text, place))

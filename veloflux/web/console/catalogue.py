"""What is measured and sold: the operators' pages of plans and meters."""

from typing import Any, TypeVar, get_args

import msgspec
from litestar import get, post

from veloflux import tenants
from veloflux.errors import InputInvalid
from veloflux.plans import Meter, Plan, pick_meter, read_catalogue
from veloflux.plans.catalogue import Aggregation
from veloflux.web.console import prices
from veloflux.web.console.page import Html, Page
from veloflux.web.console.plan_lines import (
    feature_line,
    quota_line,
    rate_line,
    read_features,
    read_quotas,
    read_rates,
)

PLANS, METERS = "/console/plans", "/console/meters"
Kind = TypeVar("Kind", Plan, Meter)
FIELDS = [field for field in Meter.__struct_fields__ if field != "version"]
OF_THE_WHOLE = ("days_accepted", "quotas", "rates", "value_property", "group_by")
"""Fields that a fault of a whole plan or meter names."""


@get(PLANS, operation_id="console.plans", platform="plans:read")
async def plans(page: Page, plan: str = "") -> Html:
    return await _plans(page, plan)


@post(PLANS, operation_id="console.plans.apply", platform="plans:write")
async def apply(page: Page) -> Html:
    match page.form["part"]:
        case "terms":
            return await prices.apply_terms(page)
        case "offers":
            return await prices.apply_offers(page)
    with page.keeping_form():
        await tenants.put_plan(page.ctx, await _plan(page))
        return page.go(PLANS, done="plans.apply")
    return await _plans(page, page.form["id"] if page.form["known"] else "")


@get(METERS, operation_id="console.meters", platform="plans:read")
async def meters(page: Page, meter: str = "") -> Html:
    return await _meters(page, meter)


@post(METERS, operation_id="console.meters.add", platform="plans:write")
async def add(page: Page) -> Html:
    with page.keeping_form():
        await tenants.add_meter(page.ctx, _meter(page))
        return page.go(METERS, done="meters.add")
    return await _meters(page)


@post(f"{METERS}/{{meter:str}}", operation_id="console.meters.change", platform="plans:write")
async def change(page: Page, meter: str) -> Html:
    with page.keeping_form():
        await tenants.change_meter(page.ctx, meter, _meter(page))
        return page.go(METERS, done="meters.change")
    return await _meters(page, meter)


async def _plans(page: Page, chosen: str) -> Html:
    found = await read_catalogue(page.ctx.db)
    edited = next((plan for plan in found.plans if plan.id == chosen), None)
    return page.show(
        "plans.html",
        at=PLANS if page.problem else "",
        plans=found.plans,
        edited=edited and _as_lines(edited),
        lines={plan.id: _as_lines(plan) for plan in found.plans},
        rollout=await tenants.read_rollout(page.ctx),
    )


async def _meters(page: Page, chosen: str = "") -> Html:
    found = await read_catalogue(page.ctx.db)
    return page.show(
        "meters.html",
        at=METERS if page.problem else "",
        meters=found.meters,
        former=found.former,
        edited=pick_meter(found.meters, chosen) if chosen else None,
        aggregations=get_args(Aggregation),
    )


def _as_lines(plan: Plan) -> dict[str, Any]:
    return msgspec.structs.asdict(plan) | {
        "quotas": "\n".join(map(quota_line, plan.quotas)),
        "rates": "\n".join(map(rate_line, plan.rates)),
        "features": "\n".join(feature_line(name, value) for name, value in plan.features.items()),
    }


async def _plan(page: Page) -> Plan:
    """The plan that a form describes; what the form does not have stays as it is."""
    form = page.form
    id_ = form["id"].strip()
    before = next((plan for plan in (await read_catalogue(page.ctx.db)).plans if plan.id == id_), None)
    if before and not form["known"]:
        raise InputInvalid("There is a plan of this name already; change that one", field="id")
    return _converted(
        (msgspec.structs.asdict(before) if before else {})
        | {
            "id": id_,
            "name": form["name"].strip(),
            "days_accepted": form["days_accepted"],
            "when_exceeded": form["when_exceeded"],
            "quotas": read_quotas(form["quotas"]),
            "rates": read_rates(form["rates"]),
            "features": read_features(form["features"]),
        },
        Plan,
    )


def _meter(page: Page) -> Meter:
    values: dict[str, Any] = {name: page.form[name].strip() for name in FIELDS}
    values["group_by"] = values["group_by"].replace(",", " ").split()
    return _converted(values | {"places": values["places"] or 0}, Meter)


def _converted(values: dict[str, Any], kind: type[Kind]) -> Kind:
    """:raises InputInvalid: the field that msgspec names, or that the fault of the whole is about."""
    try:
        return msgspec.convert(values, kind, strict=False, from_attributes=True)
    except msgspec.ValidationError as error:
        fault, _, place = str(error).partition(" - at `$")
        field = place.strip(".`").partition("[")[0]
        raise InputInvalid(
            fault, field=field or next((word for word in fault.split() if word in OF_THE_WHOLE), "name")
        ) from None


ROUTES = (plans, apply, meters, add, change)

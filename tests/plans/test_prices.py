"""Prices in the catalogue: which contradict themselves, and what makes the next version of a plan."""

from typing import Any

import msgspec
import pytest

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import CurrencyUnknown, InputInvalid, PlanUnknown, PriceInvalid, PriceMissing, VeloFluxError
from veloflux.plans import Catalogue, Plan, catalogue, differences, following, pick_version, read_catalogue
from veloflux.plans.catalogue import parse
from veloflux.plans.prices import AddOn, Coupon, FixedCharge, Tax, UsageCharge, UsagePrice
from veloflux.plans.store import CatalogueText, from_document
from veloflux.plans.terms import TERMS

METERS = """
[[meters]]
name = "requests"
event_type = "http.request"
aggregation = "count"
unit = "count"

[[meters]]
name = "users"
event_type = "http.request"
aggregation = "unique"
value_property = "user"
unit = "user"
"""
PLAN = '[[plans]]\nid = "a"\nname = "A"\n'
BASE = 'fixed = [{ name = "base", prices = { USD = "9" } }]\n'
SETUP = 'setup_fee = { USD = "9.00" }\n'


def usage(price: str = 'unit = "1"', terms: str = "", meter: str = "requests", currency: str = "USD") -> str:
    return f'[[plans.usage]]\nmeter = "{meter}"\n{terms}\nprices = {{ {currency} = {{ {price} }} }}\n'


def tiers(*rows: str) -> str:
    return "tiers = [" + ", ".join(f"{{ {row} }}" for row in rows) + "]"


GRADUATED = 'model = "graduated"'
PERCENTAGE = 'model = "percentage"'
FIVE, TEN, OPEN = 'up_to = "5", unit = "1"', 'up_to = "10", unit = "1"', 'unit = "1"'


@pytest.mark.parametrize(
    ("plan", "error", "fault"),
    [
        pytest.param(
            BASE.replace("USD", "XYZ"),
            CurrencyUnknown,
            "the plan a in its charge base: 'XYZ'",
            id="fixed, unknown currency",
        ),
        pytest.param(
            usage(currency="USX"),
            CurrencyUnknown,
            "the plan a in its charge for requests: 'USX'",
            id="usage, unknown currency",
        ),
        pytest.param(
            SETUP.replace("USD", "XYZ"), CurrencyUnknown, "in its set-up fee: 'XYZ'", id="set-up fee, unknown currency"
        ),
        pytest.param(
            BASE.replace('"9"', '"9.005"'), PriceInvalid, "base costs 9.005 USD, a currency with 2", id="fixed, places"
        ),
        pytest.param(
            BASE.replace('USD = "9"', 'JPY = "9.5"'),
            PriceInvalid,
            "9.5 JPY, a currency with 0",
            id="fixed, places of yen",
        ),
        pytest.param(
            SETUP.replace("9.00", "9.001"), PriceInvalid, "set-up fee costs 9.001 USD", id="set-up fee, places"
        ),
        pytest.param(
            usage('unit = "1", minimum = "0.001"'), PriceInvalid, "requests costs 0.001 USD", id="minimum, places"
        ),
        pytest.param(
            usage('unit = "1", maximum = "0.001"'), PriceInvalid, "requests costs 0.001 USD", id="maximum, places"
        ),
        pytest.param(
            usage('unit = "1", minimum = "2", maximum = "1.99"'),
            PriceInvalid,
            "a minimum above its maximum in USD",
            id="bounds",
        ),
        pytest.param(
            usage(tiers(TEN, FIVE, OPEN), GRADUATED),
            PriceInvalid,
            "a tier up to 5 that overlaps the one up to 10",
            id="tiers that fall",
        ),
        pytest.param(
            usage(tiers(FIVE, FIVE, OPEN), GRADUATED),
            PriceInvalid,
            "a tier up to 5 that overlaps the one up to 5",
            id="tiers that are the same",
        ),
        pytest.param(
            usage(tiers(OPEN, FIVE, OPEN), GRADUATED),
            PriceInvalid,
            "tiers after one without up_to",
            id="tiers after an open one",
        ),
        pytest.param(
            usage(tiers(FIVE, TEN), GRADUATED), PriceInvalid, "has no price beyond 10", id="tiers without an end"
        ),
        pytest.param(
            usage(tiers('up_to = "0"', OPEN), GRADUATED), PriceInvalid, "up to 0 that overlaps", id="a tier of nothing"
        ),
        pytest.param(usage("tiers = []", GRADUATED), PriceInvalid, "has no tiers", id="no tiers"),
        pytest.param(
            usage('unit = "1", ' + tiers(OPEN), GRADUATED),
            PriceInvalid,
            "has unit, which the model graduated does not know",
            id="a unit price of tiers",
        ),
        pytest.param(
            usage(tiers(OPEN)),
            PriceInvalid,
            "has tiers, which the model per_unit does not know",
            id="tiers of a unit price",
        ),
        pytest.param(
            usage('percent = "1"'),
            PriceInvalid,
            "has percent, which the model per_unit does not know",
            id="a percent of units",
        ),
        pytest.param(
            usage(terms='package = "1000"'),
            PriceInvalid,
            "has package, which the model per_unit does not know",
            id="a package of units",
        ),
        pytest.param(
            usage(terms='fees_meter = "requests"'),
            PriceInvalid,
            "has fees_meter, which the model per_unit does not",
            id="fees of units",
        ),
        pytest.param(
            usage(terms="bill_first_tier_when_unused = true"),
            PriceInvalid,
            "has bill_first_tier_when_unused, which",
            id="a first tier of none",
        ),
        pytest.param(usage('fee = "1"', PERCENTAGE), PriceInvalid, "a fee and no fees_meter", id="a fee for nothing"),
        pytest.param(
            usage('unit = "1"', 'model = "package"\npackage = "0"'),
            PriceInvalid,
            "packages of nothing",
            id="empty packages",
        ),
        pytest.param(
            BASE.replace('USD = "9"', ""), PriceMissing, "base has no price in any currency", id="fixed, no price"
        ),
        pytest.param(
            BASE + usage(currency="BRL"),
            PriceMissing,
            "no price in BRL for its charge base",
            id="charges in other currencies",
        ),
        pytest.param(
            BASE + SETUP.replace("USD", "BRL"),
            PriceMissing,
            "no price in BRL for its charge base",
            id="a set-up fee in another currency",
        ),
    ],
)
def test_prices_that_contradict_themselves_are_refused_with_a_code(
    plan: str, error: type[VeloFluxError], fault: str
) -> None:
    with pytest.raises(error, match=fault) as refused:
        parse(METERS + PLAN + plan)
    assert refused.value.code in ("currency_unknown", "price_invalid", "price_missing")
    assert str(refused.value).startswith("the plan a")


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        (BASE.replace('"9"', "9.99"), "Expected `str`, got `float`"),
        (BASE.replace('"9"', '"-9"'), "matching regex"),
        (BASE.replace('"9"', f'"0.{"1" * 13}"'), "matching regex"),
        (BASE.replace("USD", "usd"), "matching regex"),
        (usage() + usage(), "two charges for a meter called requests"),
        (BASE.replace("]\n", ', { name = "base", prices = { USD = "1" } }]\n'), "two fixed charges called base"),
        (usage(meter="bytes"), "unknown meters: bytes"),
        (usage('fee = "1"', f'{PERCENTAGE}\nfees_meter = "payments"'), "unknown meters: payments"),
        (usage(meter="users"), "charges for meters that do not count or sum: users"),
        ("interval_count = 53", "<= 52"),
        ("trial_days = 731", "<= 730"),
        ('interval = "day"', "Invalid enum value"),
        ('\n[[coupons]]\nid = "c"\nname = "C"', "the coupon c takes off a percent or amounts: one of the two"),
        (
            '\n[[coupons]]\nid = "c"\nname = "C"\npercent = "10"\namounts = { USD = "1" }',
            "the coupon c takes off a percent or amounts: one of the two",
        ),
        ('\n[[coupons]]\nid = "c"\nname = "C"\npercent = "101"', "matching regex"),
        ('\n[[coupons]]\nid = "c"\nname = "C"\npercent = "10"\nperiods = 3', "which only the duration periods has"),
        ('\n[[coupons]]\nid = "c"\nname = "C"\npercent = "10"\nplans = ["b"]', "the coupon c names unknown plans: b"),
        (2 * '\n[[taxes]]\nid = "t"\nname = "T"\npercent = "5"', "two taxes called t"),
        (2 * '\n[[addons]]\nid = "s"\nname = "S"\nprices = { USD = "1" }', "two addons called s"),
    ],
)
def test_terms_that_cannot_be_are_refused_and_the_fault_named(addition: str, fault: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=fault):
        parse(METERS + PLAN + addition)


def test_add_ons_and_coupons_have_amounts_of_their_currencies() -> None:
    with pytest.raises(PriceInvalid, match=r"the add-on seats costs 1\.001 USD"):
        AddOn(id="seats", name="Seats", prices={"USD": "1.001"})
    with pytest.raises(PriceMissing, match="the add-on seats has no price"):
        AddOn(id="seats", name="Seats", prices={})
    with pytest.raises(CurrencyUnknown, match="the coupon ten: 'XYZ'"):
        Coupon(id="ten", name="Ten", amounts={"XYZ": "10"})


def test_unit_prices_and_flats_have_up_to_twelve_places_and_zeros_at_the_end_are_none() -> None:
    fine = tiers('up_to = "0.5", unit = "0.000000000001", flat = "0.005"', OPEN)
    [plan] = parse(METERS + PLAN + BASE.replace('"9"', '"9.000"') + usage(fine, GRADUATED)).plans
    assert plan.usage[0].prices["USD"].tiers[0].unit == "0.000000000001"


def test_the_shipped_plans_have_a_price_included_usage_and_overage_in_two_currencies() -> None:
    free, *paid = catalogue().plans
    assert [charge.prices for charge in free.fixed] == [{"BRL": "0", "USD": "0"}]
    for plan in paid:
        assert {currency for charge in plan.fixed for currency in charge.prices} == {"BRL", "USD"}
        assert [(charge.meter, int(charge.included) > 0) for charge in plan.usage] == [("requests", True)]


def shipped(**changes: object) -> Catalogue:
    return msgspec.structs.replace(catalogue(), **changes)


def with_pro(**terms: object) -> Catalogue:
    """The shipped catalogue, whose plan Pro is another one."""
    return shipped(
        plans=tuple(msgspec.structs.replace(one, **terms) if one.id == "pro" else one for one in catalogue().plans)
    )


OTHER_TERMS: dict[str, Any] = {
    "interval": "year",
    "interval_count": 2,
    "trial_days": 14,
    "setup_fee": {"BRL": "50", "USD": "10"},
    "fixed": (FixedCharge(name="base", prices={"BRL": "199", "USD": "39"}),),
    "usage": (),
    "upgrade": "next_invoice",
    "downgrade": "now",
    "calendar": True,
    "service": "1.05",
}


@pytest.mark.parametrize("field", TERMS)
def test_other_terms_make_the_next_version_of_a_plan_and_the_former_one_stays(field: str) -> None:
    present = catalogue()
    after = following(with_pro(**{field: OTHER_TERMS[field]}), present)
    assert [change.words for change in differences(present, after)] == [f"plan pro: new version 2 ({field})"]
    assert pick_version(after, "pro", 2) == after.plans[1]
    assert after.former_plans == (pick_version(after, "pro", 1),) == (present.plans[1],)
    with pytest.raises(PlanUnknown, match="'pro' has no version 3"):
        pick_version(after, "pro", 3)


def test_a_name_and_limits_change_a_plan_in_place_whatever_version_is_asked_for() -> None:
    after = following(with_pro(name="Professional", features={"sso": True}, version=7), catalogue())
    assert [change.words for change in differences(catalogue(), after)] == ["plan pro: changed (name, features)"]
    assert (after.plans[1].version, after.former_plans) == (1, ())


def test_a_plan_that_comes_back_goes_on_with_its_next_version() -> None:
    present = following(with_pro(trial_days=7), catalogue())
    without = following(shipped(plans=(catalogue().plans[0],)), present)
    assert [(plan.id, plan.version) for plan in without.former_plans] == [("pro", 1), ("pro", 2), ("enterprise", 1)]
    back = following(catalogue(), without)
    assert [plan.version for plan in back.plans] == [1, 3, 2]
    assert [change.words for change in differences(without, back)] == ["plan pro: added", "plan enterprise: added"]


def test_add_ons_coupons_and_taxes_that_differ_are_told() -> None:
    seats = AddOn(id="seats", name="Seats", prices={"USD": "5"})
    ten = Coupon(id="ten", name="Ten", percent="10")
    iss = Tax(id="iss", name="ISS", percent="5", countries=("BR",))
    present = shipped(addons=(seats,), coupons=(ten,), taxes=(iss,))
    dearer = msgspec.structs.replace(seats, prices={"USD": "6"})
    renamed = msgspec.structs.replace(iss, id="iss_sp", percent="2.9")
    after = following(shipped(addons=(dearer,), taxes=(renamed,)), present)
    assert [change.words for change in differences(present, after)] == [
        "add-on seats: changed (prices)",
        "coupon ten: removed",
        "tax iss_sp: added",
        "tax iss: removed",
    ]


def test_a_catalogue_that_was_kept_before_there_were_prices_is_read() -> None:
    kept = (
        '{"meters":[{"name":"requests","event_type":"http.request","aggregation":"count","unit":"count"}],'
        '"plans":[{"id":"pro","name":"Pro","quotas":[{"meter":"requests","limit":5}],"features":{"sso":true}}]}'
    )
    found = from_document(CatalogueText(text=kept, version=4))
    assert (found.version, found.plans[0].version, found.plans[0].fixed, found.former_plans) == (4, 1, (), ())
    priced = msgspec.structs.replace(found.plans[0], fixed=(FixedCharge(name="base", prices={"USD": "9"}),))
    after = following(msgspec.structs.replace(found, plans=(priced,)), found)
    assert [change.words for change in differences(found, after)] == ["plan pro: new version 2 (fixed)"]


async def test_versions_of_plans_are_kept_and_followed_in_redis(one_ctx: Context) -> None:
    dearer = FixedCharge(name="base", prices={"BRL": "199", "USD": "39"})
    await tenants.apply_catalogue(one_ctx, with_pro(fixed=(dearer,)))
    found = await read_catalogue(one_ctx.db)
    assert pick_version(found, "pro", 1).fixed == catalogue().plans[1].fixed
    assert pick_version(found, "pro", 2).fixed == (dearer,)
    again = await tenants.apply_catalogue(one_ctx, with_pro(fixed=(dearer,)))
    assert (again.changes, again.version) == ([], 1)


async def test_a_meter_that_a_plan_charges_for_stays_one_that_adds_up(one_ctx: Context) -> None:
    price = UsagePrice(unit="0.000001")
    of_bytes = UsageCharge(meter="bytes", prices={"BRL": price, "USD": price})
    charged = with_pro(usage=(of_bytes,))
    await tenants.apply_catalogue(one_ctx, charged)
    largest = msgspec.structs.replace(catalogue().meters[1], aggregation="max")
    with pytest.raises(InputInvalid, match="charges for meters that do not count or sum: bytes"):
        await tenants.change_meter(one_ctx, "bytes", largest)


def test_a_plan_of_its_own_names_its_meters() -> None:
    price = UsagePrice(percent="2.9", fee="0.30")
    charge = UsageCharge(meter="paid", model="percentage", fees_meter="payments", prices={"USD": price})
    assert Plan(id="a", name="A", usage=(charge,)).meters == {"paid", "payments"}

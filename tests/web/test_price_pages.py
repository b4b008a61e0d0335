"""Prices in the console: a text that is looked at before it is applied, and whose faults name their line."""

import doctest
import html
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast
from tests.web.test_pages import browser, token_of
from veloflux.context import Context
from veloflux.plans import catalogue, pick_plan, read_catalogue, toml
from veloflux.plans.prices import AddOn, Coupon, FixedCharge, Tax
from veloflux.tenants.apply_catalogue import Offers, put_offers
from veloflux.web.console import catalogue_text

PRO = pick_plan(catalogue().plans, "pro")
TEXT = catalogue_text.terms_text(PRO)
DEARER = TEXT.replace('"149.00"', '"159.00"')
COUPON = '[[coupons]]\nid = "ten"\nname = "Ten <b>off"\npercent = "10"\n'


@pytest.fixture
async def olivia(web: str, one_ctx: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's browser."""
    await cast.operator(one_ctx)
    async with browser(web, await token_of(one_ctx, "olivia")) as client:
        yield client


def form(text: str, **fields: str) -> dict[str, str]:
    """What the browser sends, which ends lines as forms do."""
    return {"part": "terms", "id": "pro", "text": text.replace("\n", "\r\n")} | fields


@pytest.mark.parametrize("module", [toml, catalogue_text])
def test_the_worked_examples_hold(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert (outcome.attempted > 0, outcome.failed) == (True, 0)


@pytest.mark.parametrize("plan", catalogue().plans, ids=lambda plan: plan.id)
def test_the_text_of_a_plan_reads_back_as_it_is(plan: catalogue_text.Plan) -> None:
    assert catalogue_text.read_terms(catalogue_text.terms_text(plan), plan) == plan


def test_the_text_of_offers_reads_back_as_it_is() -> None:
    odd = 'Ten "off" \\ \t\x7f é\n[[taxes]]'
    offers = Offers(
        (AddOn(id="phone", name=odd[:40], prices={"BRL": "9.90", "USD": "2"}, recurring=False),),
        (
            Coupon(id="ten", name="Ten", amounts={"BRL": "10"}, plans=("pro", "free")),
            Coupon(id="x", name=odd, percent="5"),
        ),
        (Tax(id="iss", name="ISS", percent="5", countries=("BR",), states=("SP", "RJ")),),
    )
    of = catalogue_text.msgspec.structs.replace(catalogue(), **offers._asdict())
    assert catalogue_text.read_offers(catalogue_text.offers_text(of)) == offers


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ('"149.00"', "149.00", 10),
        ('"149.00"', '"149.001"', 10),
        ('"149.00", USD', '"149.00", XXQ', 10),
        ('included = "100000"', "included = 5", 15),
        ('meter = "requests"', 'meter = "requests"\nmodel = "volume"', 13),
        ('interval = "month"', 'interval = "moon"', 1),
        ("calendar = false", "calender = false", 7),
        ("service = ", "service ", 8),
        ('"149.00" }, {', "[", 10),
        ("fixed = [", "fixed = {", 9),
    ],
)
def test_a_fault_names_its_line(before: str, after: str, line: int) -> None:
    text = TEXT.replace(before, after, 1) if before in TEXT else TEXT.replace('"149.00", USD = "29.00" }', '"149.00"')
    with pytest.raises(catalogue_text.InputInvalid) as refused:
        catalogue_text.read_terms(text, PRO)
    assert refused.value.extra == {"field": "text", "line": line}


async def test_a_price_is_looked_at_and_then_applied_as_the_next_version(
    olivia: httpx2.AsyncClient, one_ctx: Context
) -> None:
    page = (await olivia.get("/console/plans/pro")).text
    assert "R$149.00" in page
    assert 'BRL = "149.00"' in html.unescape(page)
    seen = await olivia.post("/console/plans", data=form(DEARER))
    assert seen.status_code == 200
    assert "becomes version 2" in seen.text
    assert 'name="apply" value="1"' in seen.text
    assert (await read_catalogue(one_ctx.db)).version == 0
    assert (await olivia.post("/console/plans", data=form(DEARER, apply="1"))).status_code == 303
    after = pick_plan((await read_catalogue(one_ctx.db)).plans, "pro")
    assert (after.version, after.fixed[0].prices["BRL"], after.quotas) == (2, "159.00", PRO.quotas)
    shown = (await olivia.get("/console/plans/pro")).text
    assert "Earlier versions" in shown
    assert "R$159.00" in (await olivia.get("/console/plans")).text


async def test_a_text_that_changes_nothing_cannot_be_applied(olivia: httpx2.AsyncClient) -> None:
    seen = await olivia.post("/console/plans", data=form(TEXT))
    assert "Nothing would change" in seen.text
    assert 'name="apply"' not in seen.text


async def test_what_is_wrong_with_a_text_stands_at_it_in_both_languages(
    olivia: httpx2.AsyncClient, one_ctx: Context
) -> None:
    wrong = form(TEXT.replace('"149.00"', "149.00"), apply="1")
    for language, line in (("en", "Line 10:"), ("pt-BR", "Linha 10:")):
        answer = await olivia.post("/console/plans", data=wrong, headers={"accept-language": language})
        assert answer.status_code == 400
        assert line in answer.text[answer.text.index('id="e-text"') :]
    unknown = await olivia.post("/console/plans", data=form(TEXT.replace("requests", "lightning"), apply="1"))
    assert unknown.status_code == 400
    assert "unknown meters: lightning" in unknown.text
    assert (await read_catalogue(one_ctx.db)).version == 0


async def test_a_text_that_was_made_from_an_earlier_catalogue_is_refused(
    olivia: httpx2.AsyncClient, one_ctx: Context
) -> None:
    await olivia.post("/console/plans", data=form(DEARER, apply="1"))
    await put_offers(one_ctx, Offers((), (Coupon(id="ten", name="Ten", percent="10"),), ()))
    late = await olivia.post("/console/plans", data=form(TEXT, apply="1", version="1"))
    assert late.status_code == 409
    assert pick_plan((await read_catalogue(one_ctx.db)).plans, "pro").fixed[0].prices["BRL"] == "159.00"


async def test_coupons_are_written_shown_and_removed(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    assert "There are none yet" in (await olivia.get("/console/offers")).text
    seen = await olivia.post("/console/plans", data=form(COUPON, part="offers", id=""))
    assert "Coupon ten:\nis added" in seen.text
    assert (await olivia.post("/console/plans", data=form(COUPON, part="offers", apply="1"))).status_code == 303
    page = (await olivia.get("/console/offers")).text
    assert "Ten &lt;b&gt;off" in page
    wrong = await olivia.post("/console/plans", data=form(COUPON.replace("10", "1000"), part="offers"))
    assert "Line 4:" in wrong.text
    assert (await olivia.post("/console/plans", data=form("", part="offers", apply="1"))).status_code == 303
    assert (await read_catalogue(one_ctx.db)).coupons == ()


async def test_a_plan_without_a_price_says_how_it_gets_one(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    bare = {"id": "bare", "name": "Bare", "days_accepted": "30", "when_exceeded": "soft", "quotas": "", "rates": ""}
    assert (await olivia.post("/console/plans", data=bare)).status_code == 303
    assert "This plan has no price" in (await olivia.get("/console/plans/bare")).text
    text = 'fixed = [{ name = "base", prices = { BRL = "5" } }]'
    assert (await olivia.post("/console/plans", data=form(text, id="bare", apply="1"))).status_code == 303
    bare_plan = pick_plan((await read_catalogue(one_ctx.db)).plans, "bare")
    assert bare_plan.fixed == (FixedCharge(name="base", prices={"BRL": "5"}),)
    assert (await olivia.get("/console/plans/nothing")).status_code == 400

"""The console's pages of subscriptions, invoices and the ledger: who may sees them, operators change what they
previewed."""

import doctest
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests import cast
from tests.customers import NOON, customer
from tests.ledger.books import write
from tests.web.test_pages import browser, field, token_of
from veloflux import tenants
from veloflux.billing import store
from veloflux.billing.model import Subscription
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.db import keys
from veloflux.kit.money import shown
from veloflux.ledger.entries import Parts, invoice_issued
from veloflux.plans.prices import AddOn, Coupon
from veloflux.tenants.apply_catalogue import Offers, put_offers
from veloflux.web.console import selection

HOME = "/console/t/acme"
PRO = {"plan": "pro", "currency": "USD", "quantity-base": "1"}
AMOUNT = re.compile(r'<td class="end figure nowrap">([^<]+)</td>')


@pytest.fixture
async def acme(one_ctx: Context) -> Context:
    """Acme, a sandbox tenant whose clock stands still."""
    await put_offers(
        one_ctx,
        Offers(
            (AddOn(id="phone", name="Telephone support", prices={"BRL": "99", "USD": "19"}),),
            (Coupon(id="ten", name="Ten off", percent="10", duration="forever"),),
            (),
        ),
    )
    return await customer(one_ctx)


@pytest.fixture
async def olivia(web: str, one_ctx: Context, acme: Context) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's browser."""
    await cast.operator(one_ctx)
    async with browser(web, await token_of(one_ctx, "olivia")) as client:
        yield client


async def one(ctx: Context) -> Subscription:
    [found] = await store.subscriptions(ctx.db, ctx.tenant)
    return found


async def begin(client: httpx2.AsyncClient, **fields: str) -> str:
    """Begin a subscription by the form; gives the path of its page."""
    answer = await client.post(f"{HOME}/subscriptions", data=PRO | fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_numbers_of_a_form_are_read() -> None:
    assert doctest.testmod(selection).failed == 0


async def test_an_empty_page_says_what_to_do_and_offers_the_plans(olivia: httpx2.AsyncClient) -> None:
    page = (await olivia.get(f"{HOME}/subscriptions")).text
    assert "Nothing is subscribed to yet" in page
    assert f"{HOME}/subscriptions?plan=pro#start" in page
    for empty in ("invoices", "ledger"):
        assert f'href="{HOME}/subscriptions"' in (await olivia.get(f"{HOME}/{empty}")).text


async def test_a_subscription_begins_with_what_the_form_says_and_only_once(
    olivia: httpx2.AsyncClient, acme: Context
) -> None:
    form = (await olivia.get(f"{HOME}/subscriptions?plan=pro")).text
    once = re.search(r'name="once" value="([^"]+)"', form)
    assert once
    fields = {"add_on-phone": "2", "coupon-ten": "1", "trial_days": "0", "billing_day": "5", "once": once[1]}
    path = await begin(olivia, **fields)
    assert path == await begin(olivia, **fields)
    begun = await one(acme)
    assert (begun.selection.plan, begun.currency, begun.billing_day) == ("pro", "USD", 5)
    assert begun.selection.add_ons == {"phone": 2}
    assert [redemption.coupon for redemption in begun.coupons] == ["ten"]
    page = (await olivia.get(path)).text
    for said in ("2 \N{MULTIPLICATION SIGN} Telephone support", "Ten off", "It began: Pro"):
        assert said in page
    assert "Pro" in (await olivia.get(f"{HOME}/subscriptions")).text


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        ({"quantity-base": "many"}, "quantity-base"),
        ({"add_on-phone": "-1"}, "add_on-phone"),
        ({"trial_days": "731"}, "trial_days"),
        ({"billing_day": "32"}, "billing_day"),
        ({"currency": "EUR"}, "currency"),
    ],
)
async def test_what_is_wrong_with_a_start_stands_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, fault: dict[str, str], at: str
) -> None:
    answer = await olivia.post(f"{HOME}/subscriptions", data=PRO | fault)
    assert answer.status_code == 400
    assert f'id="e-{at}"' in answer.text
    assert await store.subscriptions(acme.db, acme.tenant) == []


async def test_a_change_is_charged_as_it_was_previewed(olivia: httpx2.AsyncClient, acme: Context) -> None:
    path = await begin(olivia)
    wanted = {"plan": "enterprise", "when": "now", "quantity-base": "1", "add_on-phone": "1"}
    seen = (await olivia.get(path, params=wanted)).text
    assert 'data-action="subscriptions.change"' in seen
    assert 'value="1"' in field(seen, "add_on-phone")
    assert (await one(acme)).selection.plan == "pro"
    assert (await olivia.post(f"{path}/change", data=wanted)).status_code == 303
    [invoice] = [one async for one in store.every_invoice(acme.db, acme.tenant) if one.reason == "change"]
    assert invoice.totals
    for amount in (*(line.amount for line in invoice.lines), invoice.totals.total):
        assert shown(amount, "USD", "en") in AMOUNT.findall(seen)
    assert (await one(acme)).selection.add_ons == {"phone": 1}


async def test_a_change_of_the_next_period_is_planned_and_taken_back(olivia: httpx2.AsyncClient, acme: Context) -> None:
    path = await begin(olivia, **{"add_on-phone": "1"})
    await olivia.post(f"{path}/change", data={"plan": "free", "when": "", "quantity-base": "1", "add_on-phone": "0"})
    planned = (await one(acme)).next_selection
    assert planned
    assert (planned.plan, planned.add_ons) == ("free", {})
    assert "Then Free" in (await olivia.get(f"{HOME}/subscriptions")).text
    page = (await olivia.get(path)).text
    assert "undo_change" in actions_of(page)
    assert "Stay with what there is" in page
    assert (await olivia.post(f"{path}/undo-change")).status_code == 303
    after = await one(acme)
    assert (after.next_selection, after.selection.add_ons) == (None, {"phone": 1})
    after_it = (await olivia.get(path)).text
    assert "undo_change" not in actions_of(after_it)
    assert "The planned change was taken back" in after_it


async def test_a_trial_ends_on_another_day_and_then_now(olivia: httpx2.AsyncClient, acme: Context) -> None:
    """The clock stands at 17 May 2025."""
    path = await begin(olivia, trial_days="14")
    page = (await olivia.get(path)).text
    assert page.count('data-action="subscriptions.set_trial_end"') == 2
    assert "Trial until</dt><dd><time>31 May 2025 12:00" in page
    assert (await olivia.post(f"{path}/trial-end", data={"at": "2025-06-20"})).status_code == 303
    assert ((await one(acme)).status, (await one(acme)).anchor) == ("trialing", "2025-06-20T00:00:00")
    longer = (await olivia.get(path)).text
    assert "Trial until</dt><dd><time>20 Jun 2025 00:00" in longer
    assert "The end of the trial was set" in longer
    assert [found async for found in store.every_invoice(acme.db, acme.tenant)] == []
    assert (await olivia.post(f"{path}/trial-end", data={"when": "now"})).status_code == 303
    assert ((await one(acme)).status, (await one(acme)).trial_end) == ("active", NOON)
    assert len([found async for found in store.every_invoice(acme.db, acme.tenant)]) == 1
    assert "set_trial_end" not in actions_of((await olivia.get(path)).text)


@pytest.mark.parametrize("day", ["soon", "2025-05-17", "2027-05-18"])
async def test_a_day_on_which_a_trial_cannot_end_is_told_at_its_field(
    olivia: httpx2.AsyncClient, acme: Context, day: str
) -> None:
    path = await begin(olivia, trial_days="14")
    before = await one(acme)
    answer = await olivia.post(f"{path}/trial-end", data={"at": day})
    assert answer.status_code == 400
    assert 'id="e-at"' in answer.text
    assert await one(acme) == before


async def test_a_subscription_is_paused_resumed_cancelled_and_begins_anew(
    olivia: httpx2.AsyncClient, acme: Context
) -> None:
    path = await begin(olivia)
    for action, form, status, offered in (
        ("pause", {}, "paused", {"resume", "cancel"}),
        ("resume", {}, "active", {"pause", "cancel", "change"}),
        ("cancel", {"when": "period"}, "active", {"undo_cancel", "pause", "cancel", "change"}),
        ("undo-cancel", {}, "active", {"pause", "cancel", "change"}),
        ("cancel", {"when": "now"}, "cancelled", {"reactivate"}),
        ("reactivate", {}, "active", {"pause", "cancel", "change"}),
    ):
        answer = await olivia.post(f"{path}/{action}", data=form)
        assert answer.status_code == 303, (action, answer.text)
        assert (await one(acme)).status == status
        bounded = set() if status == "cancelled" else {"limit_spend"}
        assert actions_of((await olivia.get(path)).text) == offered | bounded, action


def actions_of(page: str) -> set[str]:
    """What a page offers to do with a subscription; a change is asked for by its preview."""
    posting = set(re.findall(r'data-action="subscriptions\.(\w+)"', page))
    return posting | ({"change"} if "See what would change" in page else set())


async def test_what_the_state_forbids_is_told_on_the_page(olivia: httpx2.AsyncClient) -> None:
    path = await begin(olivia)
    answer = await olivia.post(f"{path}/resume")
    assert answer.status_code == 409
    assert "which does not allow resume" in answer.text
    unknown = await olivia.get(f"{HOME}/subscriptions/sub_0")
    assert unknown.status_code == 404


async def test_a_preview_of_what_cannot_be_says_why(olivia: httpx2.AsyncClient) -> None:
    path = await begin(olivia)
    wrong = await olivia.get(path, params={"plan": "", "quantity-base": "x"})
    assert wrong.status_code == 400
    assert 'aria-invalid="true"' in field(wrong.text, "quantity-base")


async def test_an_owner_sees_it_all_and_changes_nothing(web: str, one_ctx: Context, acme: Context) -> None:
    alice = await cast.person(one_ctx, "alice")
    await cast.join(acme, alice, "owner")
    sub = await start(acme, Start(plan="pro"))
    async with browser(web, await token_of(one_ctx, "alice")) as owner:
        for path in ("subscriptions", f"subscriptions/{sub.id}", "invoices", "ledger"):
            page = await owner.get(f"{HOME}/{path}")
            assert page.status_code == 200
            assert 'data-action="subscriptions.' not in page.text
        assert (await owner.post(f"{HOME}/subscriptions/{sub.id}/cancel")).status_code == 403


async def test_invoices_are_listed_and_shown_with_lines_and_sums(olivia: httpx2.AsyncClient, acme: Context) -> None:
    await begin(olivia, **{"coupon-ten": "1"})
    [invoice] = [one async for one in store.every_invoice(acme.db, acme.tenant)]
    listed = (await olivia.get(f"{HOME}/invoices")).text
    assert f'href="{HOME}/invoices/{invoice.id}">{invoice.number}' in listed
    assert AMOUNT.findall(listed)[0] == "$26.10"
    page = (await olivia.get(f"{HOME}/invoices/{invoice.id}")).text
    for said in ("Pro: base", "Discount: Ten off", "-$2.90", "$26.10 to be paid", "Acme"):
        assert said in page
    portuguese = await olivia.get(f"{HOME}/invoices/{invoice.id}", headers={"accept-language": "pt-BR"})
    assert "US$\N{NO-BREAK SPACE}26,10" in portuguese.text
    assert (await olivia.get(f"{HOME}/invoices/inv_0")).status_code == 404


async def test_the_ledger_shows_balances_and_postings_by_day(olivia: httpx2.AsyncClient, acme: Context) -> None:
    await begin(olivia)
    page = (await olivia.get(f"{HOME}/ledger")).text
    for said in ("Trial balance in USD", "Receivable", "$29.00", "/ledger/balances/export?", "/postings/export?"):
        assert said in page
    for link in re.findall(r'href="(/api/[^"]+)"', page):
        export = await olivia.get(link.replace("&amp;", "&"))
        assert export.status_code == 200
        assert "29.00" in export.text
    before = (await olivia.get(f"{HOME}/ledger?through=2020-01-01")).text
    assert "Trial balance" not in before
    wrong = await olivia.get(f"{HOME}/ledger?through=soon")
    assert wrong.status_code == 400
    assert 'id="e-through"' in wrong.text


async def test_a_ledger_that_is_wrong_says_so(olivia: httpx2.AsyncClient, acme: Context) -> None:
    await write(acme, invoice_issued("inv_1", acme.now(), "USD", Parts(revenue=100)))
    assert "wrong" not in (await olivia.get(f"{HOME}/ledger")).text
    await acme.db.call("HINCRBY", keys.balances(acme.tenant), "receivable|USD", 5)
    page = (await olivia.get(f"{HOME}/ledger")).text
    assert "1 figure of this ledger is wrong" in page
    assert "balance receivable|USD" in page


async def test_a_tenant_that_is_live_has_no_clock_on_its_pages(olivia: httpx2.AsyncClient, one_ctx: Context) -> None:
    await tenants.create_tenant(one_ctx, "Live")
    page = (await olivia.get("/console/t/live/subscriptions")).text
    assert "tenants.set_clock" not in page
    assert "This tenant is live" in (await olivia.get("/console/t/live/clock")).text

"""What an operator takes out of the catalogue does not stop the billing of those who have it."""

from tests.customers import NOON, customer
from veloflux.billing import store
from veloflux.billing.clock import move_clock
from veloflux.billing.subscriptions.start import Start, start
from veloflux.context import Context
from veloflux.kit.clock import DAY_MS
from veloflux.plans.prices import AddOn, Coupon
from veloflux.tenants.apply_catalogue import Offers, put_offers


async def test_who_has_a_removed_add_on_and_coupon_is_billed_without_them(one_ctx: Context) -> None:
    phone = AddOn(id="phone", name="Telephone support", prices={"BRL": "99"})
    await put_offers(one_ctx, Offers((phone,), (Coupon(id="ten", name="Ten", percent="10", duration="forever"),), ()))
    acme = await customer(one_ctx)
    await start(acme, Start(plan="pro", currency="BRL", add_ons={"phone": 1}, coupons=("ten",)))
    await put_offers(one_ctx, Offers((), (), ()))
    await move_clock(acme, "stopped", NOON + 32 * DAY_MS)
    found = await store.invoices(acme.db, acme.tenant, "", 10)
    assert [one.totals and one.totals.net for one in found.items] == [14_900, 22_320]

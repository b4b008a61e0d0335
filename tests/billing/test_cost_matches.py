"""Whatever is used and sold: the cost at the end of a period is what the invoice asks for, and so is the forecast."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.composing import coupon_lists, tax_lists
from tests.billing.spending import END, START, charge, ms, plan, selling
from veloflux.billing.arithmetic.cycle import first_span, start_period
from veloflux.billing.arithmetic.discounts import redeem
from veloflux.billing.arithmetic.lines import net
from veloflux.billing.arithmetic.periods import anchored
from veloflux.billing.arithmetic.usage_lines import Priced, usage_lines
from veloflux.billing.basis import Basis
from veloflux.billing.invoices.issue import composed
from veloflux.billing.model import Invoice, Profile, Selection, Subscription
from veloflux.billing.spend.cost import cost_of, forecast_of, reading
from veloflux.billing.spend.forecast import linear
from veloflux.billing.subscriptions.close_period import rolled
from veloflux.metering import Billed
from veloflux.plans import NO_SCHEDULE
from veloflux.plans.catalogue import Catalogue
from veloflux.tenants import Tenant
from veloflux.tenants.model import TenantRecord

TIERS = {"tiers": [{"up_to": "100", "unit": "0.333", "flat": "5"}, {"unit": "0.01"}]}
CHARGES = [
    charge("calls", "per_unit", {"unit": "0.0015", "minimum": "3"}, included="100"),
    charge("gb", "graduated", TIERS, included="7"),
    charge("geo", "volume", TIERS),
    charge("mail", "package", {"unit": "1.25", "maximum": "50"}, package="100"),
    charge("paid", "percentage", {"percent": "2.9", "fee": "0.3"}, fees_meter="count", free_fees=3),
]
NAMES = ("calls", "gb", "geo", "mail", "paid", "count")
quantities = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 10**6))


def basis_of(catalogue: Catalogue) -> Basis:
    zone = "America/Sao_Paulo"
    acme = Tenant(
        id="ten_x", slug="acme", name="Acme", plan="hybrid", zone=zone, currency="USD", language="en",
        mode="sandbox", created_at=0,
    )  # fmt: skip
    return Basis(acme, TenantRecord(id="rec"), Profile(id=""), catalogue, NO_SCHEDULE)


def subscription(basis: Basis, coupons: list[object]) -> Subscription:
    sub = Subscription(
        id="sub_x",
        status="active",
        currency="USD",
        selection=Selection(plan="hybrid", plan_version=1),
        anchor=anchored(ms(START), basis.tenant.zone).isoformat(),
        period_start=ms(START),
        period_end=ms(START),
        coupons=tuple(redeem(one) for one in coupons),  # type: ignore[arg-type]
        created_at=ms(START),
    )
    offer = basis.offer_of(sub)
    return start_period(sub, offer, first_span(sub, offer, basis.calendar, sub.period_end)).subscription


@given(quantities, coupon_lists, tax_lists, st.sampled_from(["29.99", ""]))
def test_the_cost_at_the_end_is_what_the_invoice_asks(
    used: dict[str, int], coupons: list[object], taxes: list[object], base: str
) -> None:
    rows = [msgspec.structs.replace(one, id=f"c{at}", plans=()) for at, one in enumerate(coupons)]  # type: ignore[type-var]
    sold = selling(plan(*CHARGES, base=base), coupons=tuple(rows))
    sold = msgspec.structs.replace(
        sold,
        taxes=tuple(msgspec.structs.replace(one, id=f"t{at}") for at, one in enumerate(taxes)),  # type: ignore[type-var]
    )
    basis = basis_of(sold)
    sub = msgspec.structs.replace(subscription(basis, rows), cancel_at=ms(END))
    versions = [one for one in sold.meters if one.name in NAMES]
    segments = {name: {ms(START): Billed(of // 2, of - of // 2, 0)} for name, of in used.items()}
    read = reading(basis, sub, ms(END), versions, segments)
    told = cost_of(read)

    step = rolled(basis, sub)
    [phase] = step.phases
    lines = usage_lines(
        Priced(basis.offer_of(sub), phase, {one.name: one for one in versions}),
        {name: Decimal(of) for name, of in used.items()},
    )
    invoice = Invoice(
        id="inv", reason="end", currency="USD", period_start=ms(START), period_end=ms(END), final_at=0, created_at=0,
        lines=(*lines, *step.lines),
    )  # fmt: skip
    document, _ = composed(basis, invoice, sub)
    usage = net(document.lines[: len(lines)])
    assert sum(row.amount for row in told.rows if row.meter) == usage
    advance = sum(one.amount for one in sub.charged)
    assert sum(row.amount for row in told.rows) == advance + usage
    if not base:
        assert told.so_far.after_tax == document.totals.total
    assert told.method == "linear"
    assert told.forecast == told.so_far
    assert forecast_of(read).used == list(read.used)


@given(st.decimals("0", "1e12", places=3), st.integers(1, 10**10), st.integers(1, 10**10), st.integers(0, 6))
def test_a_forecast_is_the_fraction_rounded_once(used: Decimal, first: int, second: int, places: int) -> None:
    elapsed, whole = sorted((first, second))
    found = linear(used, elapsed, whole, places)
    scaled = int(used * 1000) * whole * 10**places  # over 1000 * elapsed
    assert abs(int(found.scaleb(places)) * 1000 * elapsed - scaled) * 2 <= 1000 * elapsed
    assert linear(used, whole, whole, 3) == used

"""Lines, coupons and taxes as hypothesis draws them, and short ways to write them down."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.arithmetic.withholding import Withholding
from veloflux.plans.prices import Coupon, Tax

tried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def percent_off(percent: str, *plans: str, coupon: str = "percent") -> Coupon:
    return Coupon(id=coupon, name="Off", percent=percent, plans=plans)


def amount_off(amount: str, *plans: str, coupon: str = "amount", currency: str = "USD") -> Coupon:
    return Coupon(id=coupon, name="Off", amounts={currency: amount}, plans=plans)


def on_top(percent: str, tax: str = "vat") -> Tax:
    return Tax(id=tax, name=tax.upper(), percent=percent)


def within(percent: str, tax: str = "vat") -> Tax:
    return Tax(id=tax, name=tax.upper(), percent=percent, inclusive=True)


PERCENTS = st.sampled_from(
    ["0", "0.65", "1.5", "4.65", "5", "9.975", "10", "19", "33.333333", "50", "99.999999", "100"]
)
PLANS = st.sampled_from(["", "pro", "free"])
AMOUNTS = st.integers(0, 10**10) | st.sampled_from([0, 1, 2, 3, 99, 100])

charges = st.builds(
    Line,
    kind=st.sampled_from(["fixed", "usage", "flat", "package", "minimum", "setup", "add_on", "item", "debit"]),
    name=st.sampled_from(["Base", "Requests", "Seats"]),
    amount=AMOUNTS,
    plan=PLANS,
)
refunds = st.builds(Line, kind=st.just("credit"), name=st.just("Pro"), amount=AMOUNTS.map(lambda a: -a), plan=PLANS)
line_lists = st.lists(charges, max_size=8) | st.lists(charges | refunds, max_size=8)
percentages = st.builds(lambda percent, plans: percent_off(percent, *plans), PERCENTS, st.lists(PLANS, max_size=2))
amounts = st.builds(
    lambda cents, plans: amount_off(f"{cents // 100}.{cents % 100:02}", *plans),
    st.integers(0, 10**7),
    st.lists(PLANS, max_size=2),
)
coupon_lists = st.lists(percentages | amounts, max_size=4)
tax_lists = st.lists(
    st.builds(Tax, id=st.just("t"), name=st.just("T"), percent=PERCENTS, inclusive=st.booleans()), max_size=3
)
withholding_lists = st.lists(
    st.builds(
        Withholding,
        name=st.just("ISS"),
        percent=PERCENTS,
        services=st.sampled_from([(), ("1.03",), ("1.05", "1.03")]),
        dispensed=st.sampled_from(["0", "10"]),
    ),
    max_size=3,
)
SERVICES = {"pro": "1.03", "": "1.05"}

"""Random lives of a subscription, from zone to zone, prorated by the second or by the day, keep what must always hold.

Periods have neither gap nor overlap, what was used is billed once, a preview is what is charged, the books balance.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.shop import NUMBERS, invoices, ms, on, opened, proven, tenant, used
from tests.customers import of
from veloflux.billing import store
from veloflux.billing.arithmetic.lines import Line
from veloflux.billing.model import Subscription
from veloflux.billing.states import LIVING, RUNNING, SUBSCRIPTION, Status, possible
from veloflux.billing.subscriptions.cancel import cancel, pause, reactivate, resume, undo_cancel
from veloflux.billing.subscriptions.change import ChangeSubscription, change, preview, undo_change
from veloflux.billing.subscriptions.start import Start, start
from veloflux.billing.subscriptions.trial import set_trial_end
from veloflux.billing.zone import set_zone
from veloflux.context import Context
from veloflux.errors import MoveImpossible
from veloflux.kit.clock import DAY_MS

EXAMPLES = 15
FAR = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}
ZONES = ("America/Sao_Paulo", "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "UTC")
MOVES = {
    "pause": pause,
    "resume": resume,
    "reactivate": reactivate,
    "schedule_cancel": cancel,
    "undo_cancel": undo_cancel,
    "undo_change": undo_change,
}
PAID: tuple[Status, ...] = ("active", "past_due")


class Act(NamedTuple):
    """What is done, after so many seconds; `late`: usage of so many seconds before. A trial is to end `number` seconds
    later: 0 is now."""

    wait: int
    what: str
    plan: str = "cents"
    zone: str = ""
    when: str | None = None
    number: int = 0
    late: int = 0


waits = st.one_of(st.just(0), st.integers(1, 86_400), st.integers(86_400, 100 * 86_400))
plans = st.sampled_from(["cents", "dear", "weeks"])
changes = st.tuples(waits, plans, st.sampled_from([None, "now", "next_invoice", "period_end"]))
acts = st.one_of(
    changes.map(lambda found: Act(found[0], "change", plan=found[1], when=found[2])),
    st.tuples(waits, st.sampled_from([None, "now"]), st.integers(0, 5)).map(
        lambda found: Act(found[0], "seats", when=found[1], number=found[2])
    ),
    st.tuples(waits, st.integers(1, 40), st.integers(0, 30 * 86_400)).map(
        lambda found: Act(found[0], "use", number=found[1], late=found[2])
    ),
    st.tuples(waits, waits).map(lambda found: Act(found[0], "set_trial_end", number=found[1])),
    st.tuples(waits, st.sampled_from([*MOVES, "cancel"])).map(lambda found: Act(*found)),
    st.tuples(waits, st.sampled_from(ZONES)).map(lambda found: Act(found[0], "zone", zone=found[1])),
)


class Life:
    """A subscription that is played, and what is known of it without looking at its invoices."""

    def __init__(self, ctx: Context, sub: Subscription) -> None:
        self.ctx, self.id, self.now = ctx, sub.id, sub.created_at
        self.begun = None if sub.status == "trialing" else self.now
        self.ran: list[tuple[int, int]] = []
        self.events: list[tuple[int, int]] = []

    async def sub(self) -> Subscription:
        return await store.subscription(self.ctx, self.id)

    async def wait(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.ctx = await on(self.ctx, self.now)
        await self.look()

    async def look(self) -> None:
        """Notice when it began to be paid for, or stopped."""
        sub = await self.sub()
        if sub.status in PAID and self.begun is None:
            self.begun = sub.trial_end or self.now
        elif sub.status not in PAID and self.begun is not None:
            self.ran.append((self.begun, sub.period_end))
            self.begun = None

    async def do(self, act: Act) -> None:
        await self.wait(act.wait)
        sub = await self.sub()
        match act.what:
            case "use":
                await self.use(act.number, self.now - act.late * 1000 - 1)  # before what may begin at this moment
            case "change":
                await self.changed(sub, ChangeSubscription(plan=act.plan, when=act.when))  # type: ignore[arg-type]
            case "zone":
                self.ctx = of(self.ctx, await set_zone(self.ctx, act.zone))
            case "seats":
                wanted = ChangeSubscription(quantities={"seats": act.number}, when=act.when)  # type: ignore[arg-type]
                await self.changed(sub, wanted)
            case "set_trial_end":
                await self.trial_end_set(sub, self.now + act.number * 1000 if act.number else None)
            case _:
                await self.moved(sub, act.what)
        await self.look()

    async def use(self, number: int, at: int) -> None:
        await used(self.ctx, number, at)
        self.events.append((at, number))

    async def changed(self, sub: Subscription, wanted: ChangeSubscription) -> None:
        if sub.status not in RUNNING:
            return
        said = await preview(self.ctx, self.id, wanted)
        before = {one.id for one in await invoices(self.ctx)}
        after = await change(self.ctx, self.id, wanted)
        made = [one for one in await invoices(self.ctx) if one.id not in before]
        if said.when == "now":
            waited = sub.waiting if made else ()
            assert shown((*said.lines, *waited)) == shown([line for one in made for line in one.lines])
        else:
            assert made == []
        if said.when == "next_invoice":
            assert shown(said.lines) == shown(after.waiting[len(sub.waiting) :])

    async def trial_end_set(self, sub: Subscription, at: int | None) -> None:
        """Ended now it is billed as it would have been, if the minutes that may be left of a calendar's month cost
        anything; else nothing is billed."""
        before = await invoices(self.ctx)
        try:
            after = await set_trial_end(self.ctx, self.id, at)
        except MoveImpossible:
            assert sub.status != "trialing"
            return
        made = (await invoices(self.ctx))[len(before) :]
        assert after.trial_end == (at or self.now)
        costs = any(one.amount for one in after.charged)
        assert (after.status, len(made)) == (
            ("trialing", 0) if at else ("active", int(costs)) if sub.cancel_at is None else ("cancelled", 0)
        )
        assert costs or after.status != "active" or after.period_end - after.period_start < DAY_MS / 24

    async def moved(self, sub: Subscription, what: str) -> None:
        try:
            if what == "cancel":
                await cancel(self.ctx, self.id, now=True)
            else:
                await MOVES[what](self.ctx, self.id)
        except MoveImpossible:
            nothing = {"undo_cancel": sub.cancel_at is None, "undo_change": sub.next_selection is None}
            assert what not in possible(SUBSCRIPTION, sub.status) or nothing.get(what)
            assert await self.sub() == sub

    async def end(self) -> None:
        """Let it run, or stand still, until all that came late is billed; then stop."""
        sub = await self.sub()
        if sub.cancel_at is not None and sub.status in RUNNING:
            await undo_cancel(self.ctx, self.id)
        await self.look()
        if sub.status == "trialing":
            await set_trial_end(self.ctx, self.id, None)
            await self.look()
        await self.wait(33 * 86_400)
        if (await self.sub()).status in LIVING:
            await cancel(self.ctx, self.id, now=True)
        await self.look()
        await self.wait(7_200)

    def expected(self) -> int:
        """How many requests were made while it was paid for."""
        return sum(number for at, number in self.events if any(start <= at < end for start, end in self.ran))

    async def billed(self) -> int:
        """How many were billed, at a cent each."""
        lines = [line for one in await invoices(self.ctx) for line in one.lines]
        return sum(line.amount for line in lines if line.kind in ("usage", "adjustment"))

    async def periods(self) -> list[tuple[int, int]]:
        """Of its invoices, and those that had nothing to bill; without the trial."""
        phases = [phase for one in await invoices(self.ctx) for phase in one.phases]
        spans = [(phase.start, phase.end or 0) for phase in (*phases, *(await self.sub()).idle) if not phase.free]
        return sorted(span for span in spans if span[0] < span[1])


def shown(lines: Sequence[Line]) -> list[tuple[str, str, int, int, int]]:
    """Without what lifts a sum to zero, which a draft has not yet."""
    return [(one.kind, one.name, one.amount, one.start, one.end) for one in lines if one.kind != "balance"]


class Begin(NamedTuple):
    """Where and when a life begins, so many seconds into 2024, how its periods are counted, and its days of trial."""

    zone: str
    proration: str
    second: int
    calendar: bool
    trial_days: int


begins = st.builds(
    Begin,
    st.sampled_from(ZONES),
    st.sampled_from(["second", "day"]),
    st.integers(0, 366 * 86_400),
    st.booleans(),
    st.sampled_from([0, 0, 3, 40]),
)


@settings(max_examples=EXAMPLES, **FAR)  # type: ignore[arg-type]
@given(begins, st.lists(acts, min_size=3, max_size=10))
async def test_any_life(one_ctx: Context, begin: Begin, todo: Sequence[Act]) -> None:
    ctx, name = await opened(one_ctx), f"Acme {next(NUMBERS)}"
    acme = await tenant(ctx, "2024-01-01", name=name, zone=begin.zone, proration=begin.proration)
    acme = await on(acme, ms("2024-01-01") + begin.second * 1000)
    sub = await start(
        acme, Start(plan="cents", calendar=begin.calendar, trial_days=begin.trial_days, coupons=("tenth",))
    )
    life = Life(acme, sub)
    for act in todo:
        await life.do(act)
    await life.end()
    await proven(life.ctx)
    found = await life.periods()
    assert all(first[1] <= second[0] for first, second in pairwise(found)), "periods overlap"
    covered = sum(end - start_ for start_, end in found)
    assert covered == sum(end - start_ for start_, end in life.ran), "a gap between periods"
    assert await life.billed() == life.expected()

"""The default catalogue and the policies compiled from it."""

import msgspec
import pytest

from tests.customers import at, customer, put_policy, quota
from veloflux.context import Context
from veloflux.db import keys
from veloflux.errors import MeterUnknown, PlanUnknown
from veloflux.plans import catalogue, pick_meter, pick_plan
from veloflux.plans.catalogue import parse
from veloflux.plans.policy import compiled, from_text, version

METERS = """
[[meters]]
name = "requests"
event_type = "http.request"
aggregation = "count"
unit = "count"
"""
QUOTA = '{ meter = "requests", limit = 5 }'
RATE = '{ name = "r", meter = "requests", limit = "5/s" }'
LOG = '{ name = "r", meter = "requests", limit = "5000/min", algorithm = "log" }'
BURST = LOG.replace("5000/min", "5/min").replace("}", ", burst = 9 }")
GB = '[[meters]]\nname = "gb"\nevent_type = "e"\naggregation = "sum"\nvalue_property = "gb"\nunit = "GB"\nplaces = 2'
FINE_LOG = LOG.replace("5000", "11").replace("requests", "gb")
FINE_RATE = RATE.replace("5/s", "3000/s").replace("requests", "gb")
USERS = '[[meters]]\nname = "users"\nevent_type = "e"\naggregation = "unique"\nunit = "u"\nvalue_property = "user"'


def test_the_default_catalogue_has_free_pro_and_enterprise_over_two_meters() -> None:
    assert [plan.id for plan in catalogue().plans] == ["free", "pro", "enterprise"]
    assert [meter.name for meter in catalogue().meters] == ["requests", "bytes"]


def test_free_allows_1000_requests_a_month_and_10_a_second_with_a_burst_of_20() -> None:
    policy = compiled(pick_plan(catalogue().plans, "free"), catalogue(), "America/Sao_Paulo", "")
    assert [(quota.meter, quota.limit, quota.period, quota.hard) for quota in policy.quotas] == [
        ("requests", 1000, "month", True)
    ]
    [limit] = policy.rates
    assert (limit.emission_us, limit.tolerance_us) == (100_000, 2_000_000)


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        ('[[plans]]\nid = "a"\nname = "A"\nquotas = [{ meter = "requets", limit = 1 }]', "unknown meters: requets"),
        ('[[plans]]\nid = "a"\nname = "A"\nprice = 1', "unknown field `price`"),
        (
            '[[plans]]\nid = "a"\nname = "A"\ndays_accepted = 36',
            "accepts events for longer than it remembers their ids",
        ),
        ('[[plans]]\nid = "A"\nname = "A"', "matching regex"),
        ('[[plans]]\nid = "a"\nname = "A"\nquotas = [{ meter = "requests", limit = -1 }]', ">= 0"),
        (f'[[plans]]\nid = "a"\nname = "A"\nquotas = [{QUOTA}, {QUOTA}]', "two quotas called requests a month"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{RATE}, {RATE}]', "two rates called r"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{RATE.replace("5/s", "5/week")}]', "matching regex"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{LOG}]', "a log, which ends at 1000"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{FINE_LOG}]\n{GB}', "a log, which ends at 1000"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{RATE.replace("5/s", "300000/s")}]', "too fast for gcra"),
        (f'[[plans]]\nid = "a"\nname = "A"\nrates = [{FINE_RATE}]\n{GB}', "too fast for gcra"),
        (
            f'[[plans]]\nid = "a"\nname = "A"\nrates = [{BURST}]',
            "a burst, which only gcra knows",
        ),
        (
            f'[[plans]]\nid = "a"\nname = "A"\nquotas = [{QUOTA.replace("requests", "users")}]\n{USERS}',
            "do not count or sum: users",
        ),
        (USERS.replace("user", ""), "must name a value_property"),
        ('[[meters]]\nname = "two__parts"\nevent_type = "e"\naggregation = "count"\nunit = "u"', "matching regex"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused_and_the_fault_named(addition: str, fault: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=fault):
        parse(f"{METERS}\n{addition}")


def test_an_unknown_plan_or_meter_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(PlanUnknown, match="free, pro, enterprise"):
        pick_plan(catalogue().plans, "gold")
    with pytest.raises(MeterUnknown, match="requests, bytes"):
        pick_meter(catalogue().meters, "cpu")


async def test_creating_a_tenant_and_moving_its_clock_write_its_policy(ctx: Context) -> None:
    acme = await customer(ctx, plan="pro")
    first = await limits_of(acme)
    await at(acme, 1_748_746_800_000)
    second = await limits_of(acme)
    assert (first["status"], first["clock"], second["clock"]) == ("active", "=1747494000000", "=1748746800000")
    assert from_text(first["policy"]).plan == "pro"
    assert from_text(second["policy"]).clock == second["clock"]
    assert first["version"] == version(first["policy"]) != second["version"] == version(second["policy"])


async def test_a_policy_reads_back_as_it_was_written(one_ctx: Context) -> None:
    acme = await customer(one_ctx)
    policy = await put_policy(acme, quotas=(quota(5, "bytes"),))
    assert from_text((await limits_of(acme))["policy"]) == policy


async def limits_of(ctx: Context) -> dict[str, str]:
    pairs = await ctx.db.call("HGETALL", keys.limits(ctx.tenant))
    return dict(zip(pairs[::2], pairs[1::2], strict=True))

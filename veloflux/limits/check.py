"""May this pass? One round trip decides API key, features, rate limits and quotas, and counts.

Of a meter with groups a check counts the whole alone: it names no group, so what it counts stands in the meter's usage
and quotas, and in none of its groups.
"""

from veloflux.context import Parts
from veloflux.errors import FeatureMissing, InputInvalid, NotSent, RedisFull, Unknown
from veloflux.limits.answer import decision
from veloflux.limits.decide import decide
from veloflux.limits.failure import fail_open
from veloflux.limits.learn import late
from veloflux.limits.model import COST_MAX, Decision, Question
from veloflux.metering.known import known
from veloflux.metering.model import TEXT_MAX


async def check(parts: Parts, tenant: str, asked: Question) -> Decision:
    """Decide and count. An error is no permission; but when Redis is away or late (a setting, 80 ms), a tenant that
    fails open gets `failed_open` instead: it may pass, uncounted, if this process found its API key valid in the last
    5 minutes. So a key that was revoked, or a tenant that was suspended, less long ago passes where Redis is away.

    :raises NotAuthenticated, PermissionDenied: the API key. :raises NotFound: no such tenant.
    :raises FeatureMissing: the plan does not include the feature; nothing was counted.
    :raises MeterUnknown, InputInvalid, IdReused: the question.
    :raises Unavailable: Redis did not answer in time, and it fails closed; ask again with the same id: it counts once.
    """
    validate(asked)
    try:
        asking, told = await decide(parts, tenant, asked)
    except (TimeoutError, NotSent, RedisFull, Unknown) as error:
        if passed := fail_open(known(tenant), tenant, asked):
            return passed
        raise late(parts) if isinstance(error, TimeoutError) else error from None
    feature = asking.frame.features.get(asked.feature) if asked.feature else None
    if asked.feature and not feature:
        raise FeatureMissing(f"The plan does not include the feature {asked.feature}")
    return told if isinstance(told, Decision) else decision(asking, told, feature)


def validate(asked: Question) -> None:
    """:raises InputInvalid: a question that no tenant's policy could answer."""
    if not 0 < asked.cost <= COST_MAX:
        raise InputInvalid(f"cost must be above 0, and at most {COST_MAX}")
    if len(asked.id) > TEXT_MAX or not 0 < len(asked.source) <= TEXT_MAX:
        raise InputInvalid(f"id and source have at most {TEXT_MAX} characters")
    if not (asked.meter or asked.feature):
        raise InputInvalid("Ask about a meter, a feature, or both")

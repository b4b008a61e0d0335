"""What a check answers when Redis does not: a refusal, or, if the tenant's setting says open, that it may pass.

Decided from what this process remembers, since nothing can be read then. What passes is not counted.
"""

import structlog

from veloflux.errors import FeatureMissing
from veloflux.limits.model import Decision, Question
from veloflux.metering.known import Known

LOGGED_EVERY_S = 60.0
log = structlog.get_logger(slice="limits")


class _Passed:
    """How often this process let pass what nobody decided."""

    count = 0


def passed_open() -> int:
    """How often this process let pass what nobody decided."""
    return _Passed.count


def fail_open(state: Known, tenant: str, asked: Question) -> Decision | None:
    """The answer of a tenant that fails open, without figures; None: it fails closed, is unknown here, or its API key
    was not found valid by this process in the last minutes.

    :raises FeatureMissing: the plan, as last read, does not include the feature.
    """
    if not state.policy.fails_open or not (asked.key is None or state.trusts(*asked.key, asked.used_from)):
        return None
    features = state.policy.effective(state.now()).features
    if asked.feature and not features.get(asked.feature):
        raise FeatureMissing(f"The plan does not include the feature {asked.feature}")
    _Passed.count += 1
    if state.says_open(LOGGED_EVERY_S):
        log.warning("check_failed_open", tenant=tenant)
    return Decision(allowed=True, used=None, feature=features.get(asked.feature), failed_open=True)

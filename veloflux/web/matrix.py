"""What each permission opens, from what the routes declare."""

from collections.abc import Mapping
from typing import Any

BESIDE = dict.fromkeys(
    ("limits.check", "limits.reserve", "limits.commit", "limits.release", "events.record"), "usage:write"
)
"""What the routes ask that are served without the framework, by operation."""


def opened(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The operations of the API by the permission that they ask; `rules` has what each operation declares.

    >>> rules = {"roles.list": {"permission": "members:read"}, "console.roles": {"permission": "members:read"}}
    >>> opened(rules)["members:read"]
    ['roles.list']
    """
    found: dict[str, list[str]] = {}
    asked = BESIDE | {operation: rule.get("permission", "") for operation, rule in sorted(rules.items())}
    for operation, permission in sorted(asked.items()):
        if permission and not operation.startswith("console."):
            found.setdefault(permission, []).append(operation)
    return found

"""What is measured and sold, and for how much: the catalogue; a tenant's plan compiled to what the scripts decide with.

The catalogue in force lies in the operators' slot; a policy says by which version of it it was compiled.
"""

from veloflux.plans.catalogue import Catalogue, Meter, Plan, catalogue, pick_meter, pick_plan, pick_version
from veloflux.plans.difference import CatalogueChange, differences, following
from veloflux.plans.overrides import Cap, Override, Overrides
from veloflux.plans.policy import Effective, Policy, QuotaLimit, RateLimit, compiled, read_policy
from veloflux.plans.schedule import NO_SCHEDULE, Schedule, put_schedule
from veloflux.plans.store import (
    CatalogueText,
    find_catalogue,
    find_overrides,
    find_schedule,
    from_document,
    read_catalogue,
    text_of,
)
from veloflux.plans.write_policy import write_policy

__all__ = [
    "NO_SCHEDULE",
    "Cap",
    "Catalogue",
    "CatalogueChange",
    "CatalogueText",
    "Effective",
    "Meter",
    "Override",
    "Overrides",
    "Plan",
    "Policy",
    "QuotaLimit",
    "RateLimit",
    "Schedule",
    "catalogue",
    "compiled",
    "differences",
    "find_catalogue",
    "find_overrides",
    "find_schedule",
    "following",
    "from_document",
    "pick_meter",
    "pick_plan",
    "pick_version",
    "put_schedule",
    "read_catalogue",
    "read_policy",
    "text_of",
    "write_policy",
]

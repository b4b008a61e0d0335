"""What is measured and sold: the catalogue, and a tenant's plan compiled to the policy that the scripts decide with."""

from veloflux.plans.catalogue import Catalogue, Meter, Plan, catalogue, find_meter, find_plan, pick_meter
from veloflux.plans.policy import Policy, RateLimit, write_policy

__all__ = [
    "Catalogue",
    "Meter",
    "Plan",
    "Policy",
    "RateLimit",
    "catalogue",
    "find_meter",
    "find_plan",
    "pick_meter",
    "write_policy",
]

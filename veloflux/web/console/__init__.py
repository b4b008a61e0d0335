"""The console: HTML pages around the same use cases as the API, one file a group of pages.

A page's handler is named `console.<page>`; one that changes something is `console.<operation>` of the API's operation
that does the same, and so is the `data-action` of its form.
"""

from litestar import Router
from litestar.di import Provide

from veloflux.web.console import (
    account,
    api_keys,
    audit,
    catalogue,
    change_email,
    clock,
    doors,
    events,
    factors,
    forgotten_password,
    grants,
    hosted_invoice,
    impersonation,
    invoice,
    invoices,
    jobs,
    limits,
    members,
    oidc,
    outbox,
    passkeys,
    personal_data,
    plan,
    prices,
    reference,
    roles,
    second_factor,
    settings,
    sso,
    subscription,
    subscriptions,
    tenants,
    usage,
    users,
)
from veloflux.web.console.page import provide, respond

__all__ = ["HANDLERS", "ROUTES", "respond"]

HANDLERS = (
    *doors.ROUTES,
    *forgotten_password.ROUTES,
    *tenants.ROUTES,
    *usage.ROUTES,
    *events.ROUTES,
    *limits.ROUTES,
    *members.ROUTES,
    *roles.ROUTES,
    *api_keys.ROUTES,
    *settings.ROUTES,
    *plan.ROUTES,
    *grants.ROUTES,
    *subscriptions.ROUTES,
    *subscription.ROUTES,
    *invoices.ROUTES,
    *invoice.ROUTES,
    *clock.ROUTES,
    *oidc.ROUTES,
    *sso.ROUTES,
    *audit.ROUTES,
    *catalogue.ROUTES,
    *prices.ROUTES,
    *jobs.ROUTES,
    *outbox.ROUTES,
    *users.ROUTES,
    *impersonation.ROUTES,
    *account.ROUTES,
    *change_email.ROUTES,
    *factors.ROUTES,
    *passkeys.ROUTES,
    *second_factor.ROUTES,
    *personal_data.ROUTES,
    *hosted_invoice.ROUTES,
    *reference.ROUTES,
)
ROUTES = (Router("/", route_handlers=HANDLERS, dependencies={"page": Provide(provide)}, include_in_schema=False),)

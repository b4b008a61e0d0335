"""The web process: every route of the product, one line a slice."""

import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from litestar import Litestar, Request, Response, post
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.static_files import create_static_files_router

from veloflux import logs, process, settings, wiring
from veloflux.audit import api as audit
from veloflux.billing import clock_api, profile_api, zone_api
from veloflux.billing.fiscal import api as fiscal_api
from veloflux.billing.invoices import api as invoices_api
from veloflux.billing.invoices import changes_api as invoice_changes_api
from veloflux.billing.spend import api as cost_api
from veloflux.billing.subscriptions import api as subscriptions_api
from veloflux.billing.subscriptions import items_api
from veloflux.billing.wallet import api as wallet_api
from veloflux.db import keys, scripts
from veloflux.errors import NotFound
from veloflux.exports import api as exports
from veloflux.exports import ledger_api as ledger_exports
from veloflux.identity import api as identity
from veloflux.identity import email_api, factors_api, passkeys_api
from veloflux.jobs import api as jobs
from veloflux.ledger import api as ledger
from veloflux.limits import api as limits
from veloflux.limits import credits_api, explain_api, leases_api, plan_api, reservations_api
from veloflux.metering import api as metering
from veloflux.metering import events_api
from veloflux.metering.ingest import ingest
from veloflux.notifications import api as notifications
from veloflux.personal_data import api as personal_data
from veloflux.plans import api as plans
from veloflux.settings import Settings
from veloflux.tenants import api as tenants
from veloflux.tenants import (
    billing_anchor_api,
    catalogue_api,
    failure_policy_api,
    key_api,
    members_api,
    oidc_api,
    origins_api,
    record_api,
    roles_api,
    second_factor_api,
    token_api,
)
from veloflux.users import api as users
from veloflux.web import access, console, cors, counts, openapi, problems, raw, stopping, system
from veloflux.web.application import Application, Handler
from veloflux.web.body import JsonRequest

API: Sequence[HTTPRouteHandler] = (
    *identity.ROUTES,
    *email_api.ROUTES,
    *factors_api.ROUTES,
    *passkeys_api.ROUTES,
    *tenants.ROUTES,
    *members_api.ROUTES,
    *key_api.ROUTES,
    *token_api.ROUTES,
    *roles_api.ROUTES,
    *second_factor_api.ROUTES,
    *failure_policy_api.ROUTES,
    *billing_anchor_api.ROUTES,
    *origins_api.ROUTES,
    *record_api.ROUTES,
    *users.ROUTES,
    *oidc_api.ROUTES,
    *plans.ROUTES,
    *catalogue_api.ROUTES,
    *metering.ROUTES,
    *events_api.ROUTES,
    *limits.ROUTES,
    *explain_api.ROUTES,
    *plan_api.ROUTES,
    *credits_api.ROUTES,
    *leases_api.ROUTES,
    *clock_api.ROUTES,
    *zone_api.ROUTES,
    *subscriptions_api.ROUTES,
    *cost_api.ROUTES,
    *invoices_api.ROUTES,
    *items_api.ROUTES,
    *invoice_changes_api.ROUTES,
    *fiscal_api.ROUTES,
    *wallet_api.ROUTES,
    *profile_api.ROUTES,
    *ledger.ROUTES,
    *exports.ROUTES,
    *ledger_exports.ROUTES,
    *audit.ROUTES,
    *notifications.ROUTES,
    *jobs.ROUTES,
    *personal_data.ROUTES,
)
RAW = {
    ("POST", "/api/check"): ("limits.check", limits.decide),
    ("POST", reservations_api.PATH): ("limits.reserve", reservations_api.reserve_units),
    ("POST", reservations_api.COMMIT): ("limits.commit", reservations_api.commit_units),
    ("POST", reservations_api.RELEASE): ("limits.release", reservations_api.release_units),
    ("POST", "/api/events"): ("events.record", ingest),
}
STATIC = Path(__file__).parent / "static"


def create() -> Application:
    """What Granian serves, in each of its worker processes."""
    chosen = settings.load()
    logs.configure(chosen)
    return application(chosen)


def application(chosen: Settings) -> Application:
    """The application of these settings; connects when the server starts it."""
    routed = litestar(chosen)
    served = {route: raw.serve(operation, core, routed.state) for route, (operation, core) in RAW.items()}
    return Application(cors.answering(cast(Handler, routed)), served, chosen)


def litestar(chosen: Settings) -> Litestar:
    """Every route but those served beside."""
    for handler in (*API, *console.HANDLERS):
        access.check_declared(handler)

    @asynccontextmanager
    async def connected(app: Litestar) -> AsyncIterator[None]:
        async with wiring.build(chosen) as parts, counts.shared(counts.folder_of(chosen.data_dir)):
            app.state.parts = parts
            # What takes the first request's time, where it has little.
            await parts.db.load(scripts.every())
            keys.tags()
            for library in ("webauthn", "httpx2", "joserfc.jwt"):
                importlib.import_module(library)
            process.spare_collector()
            with stopping.in_order():
                yield

    made = Litestar(
        route_handlers=[*API, *system.ROUTES, *console.ROUTES, *_beside(), _static_files()],
        dependencies={"ctx": Provide(access.context_of)},
        exception_handlers={Exception: _respond},
        lifespan=[connected],
        request_class=JsonRequest,
        request_max_body_size=chosen.body_limit,
        openapi_config=openapi.CONFIG,
        logging_config=None,
    )
    made.state.settings = chosen
    return made


def _respond(request: Request[Any, Any, Any], exception: Exception) -> Response[Any]:
    """Programs get a problem document, people a page."""
    to_people = f"{request.scope['path']}/".startswith(("/console/", "/invoices/"))
    return (console.respond if to_people else problems.respond)(request, exception)


def _beside() -> list[HTTPRouteHandler]:
    """Lets the framework know the addresses that are served beside it: it refuses other methods there."""

    async def nothing() -> None:
        raise NotFound("There is nothing at this address; write it without a slash at its end")

    return [post(path, include_in_schema=False)(nothing) for _, path in RAW]


def _static_files() -> Any:
    return create_static_files_router(path="/static", directories=[STATIC], include_in_schema=False)

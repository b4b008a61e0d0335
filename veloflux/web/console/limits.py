"""How a tenant's limits and quotas stand, what is reserved, why a request would be refused, and who is near a limit."""

import msgspec
from litestar import get, post

from veloflux import metering
from veloflux.errors import InputInvalid, VeloFluxError
from veloflux.limits.api import whole
from veloflux.limits.explain import Explanation, explain, read_limits
from veloflux.limits.leases import list_reservations, release_by_hand
from veloflux.limits.model import Question
from veloflux.limits.near import list_near
from veloflux.web.console.page import Html, Page


class Wanted(msgspec.Struct, frozen=True):
    """What the form asks about, as it was typed."""

    meter: str = ""
    cost: str = "1"
    key: str = ""
    address: str = ""
    route: str = ""
    feature: str = ""

    @property
    def question(self) -> Question:
        """:raises InputInvalid: the cost is no number."""
        try:
            cost = whole(float(self.cost.replace(",", ".")))
        except (ValueError, OverflowError):
            raise InputInvalid("Write the cost as a number", field="cost") from None
        return Question(meter=self.meter, cost=cost, address=self.address, route=self.route, feature=self.feature)


@get("/console/t/{tenant:str}/limits", operation_id="console.limits", permission="usage:read")
async def limits(
    page: Page,
    *,
    meter: str = "",
    cost: str = "",
    key: str = "",
    address: str = "",
    route: str = "",
    feature: str = "",
    cursor: str = "",
) -> Html:
    wanted = Wanted(*(text.strip() for text in (meter, cost or "1", key, address, route, feature)))
    return await _show(page, wanted, cursor)


@post(
    "/console/t/{tenant:str}/reservations/{reservation:str}/release",
    operation_id="console.reservations.release",
    permission="usage:write",
)
async def release(page: Page, reservation: str) -> Html:
    with page.keeping_form():
        await release_by_hand(page.ctx, reservation)
        return page.go(f"{page.home}/limits", done="reservations.release")
    return await _show(page, Wanted())


async def _show(page: Page, wanted: Wanted, cursor: str = "") -> Html:
    """The page of limits and reservations; `wanted` is what the form asks about, `cursor` of the reservations."""
    present: list[Explanation] = []
    told, held = None, None
    with page.keeping_form():
        present = await read_limits(page.ctx)
        held = await list_reservations(page.ctx, cursor=cursor)
        told = await _explained(page, wanted)
    return page.show(
        "limits.html",
        at=f"{page.home}/limits" if page.request.method == "POST" else "",
        limits=present,
        meters=await metering.present_meters(page.ctx),
        wanted=wanted,
        told=told,
        held=held,
        now=page.ctx.now(),
    )


async def _explained(page: Page, wanted: Wanted) -> Explanation | None:
    if not (wanted.meter or wanted.feature):
        return None
    try:
        return await explain(page.ctx, wanted.question, wanted.key)
    except VeloFluxError as error:
        if error.status == 404:
            raise InputInvalid("There is no such API key", field="key") from None
        raise


@get("/console/near", operation_id="console.near", platform="tenants:read")
async def near(page: Page) -> Html:
    return page.show("near.html", near=await list_near(page.ctx))


ROUTES = (limits, release, near)

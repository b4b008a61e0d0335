"""Routes of the change of an e-mail address."""

from typing import Annotated

import msgspec
from litestar import post
from msgspec import Meta

from veloflux import identity
from veloflux.context import Context
from veloflux.identity.api import Email, LinkToken, MailAwaited
from veloflux.identity.passwords import LENGTH_MAX


class EmailChangeAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    current: Annotated[
        str,
        Meta(max_length=LENGTH_MAX, description="The present password", examples=["correct horse battery staple"]),
    ]


class EmailChangeLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: LinkToken


class EmailChangeState(msgspec.Struct, frozen=True):
    """`is_done` is false while the link sent to the other address is still to be opened."""

    is_done: bool


@post(
    "/api/auth/email",
    operation_id="auth.email",
    access="person",
    summary="Ask for another e-mail address",
    tags=["auth"],
    status_code=202,
)
async def request_email_change(ctx: Context, data: EmailChangeAsked) -> MailAwaited:
    """Links go to the new and to the present address; the address changes once both are confirmed, within a day.

    If the new address has an account, its owner is told so, and the answer is the same.
    """
    await identity.request_email_change(ctx, data.email, data.current)
    return MailAwaited(data.email)


@post(
    "/api/auth/email/confirm",
    operation_id="auth.email_confirm",
    access="public",
    summary="Confirm a change of address by the token of a link",
    tags=["auth"],
    status_code=200,
)
async def confirm_email_change(ctx: Context, data: EmailChangeLink) -> EmailChangeState:
    """Sessions go on; links that were sent to the old address are void once the change is done."""
    return EmailChangeState(await identity.confirm_email_change(ctx, data.token))


@post(
    "/api/auth/email/refuse",
    operation_id="auth.email_refuse",
    access="public",
    summary="Refuse a change of address by the token of a link",
    tags=["auth"],
    status_code=204,
)
async def refuse_email_change(ctx: Context, data: EmailChangeLink) -> None:
    """Either link can refuse; both are void then."""
    await identity.refuse_email_change(ctx, data.token)


ROUTES = (request_email_change, confirm_email_change, refuse_email_change)

"""Acme with a sign-in provider, and people who come from it."""

from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests import cast
from tests.cast import Cast
from tests.identity.mails import link_in, mails, work
from tests.tenants.lying_provider import CLIENT, SECRET, LyingProvider
from veloflux import identity, tenants
from veloflux.context import Context
from veloflux.identity import SignedIn
from veloflux.kit import ids
from veloflux.tenants import OidcTerms, SignInAnswer, oidc_links

PAGE = "/console/sso/link/"


class Company(NamedTuple):
    """`ctx` is anybody's, `acme` the owner's in Acme."""

    ctx: Context
    people: Cast
    acme: Context
    provider: LyingProvider


def open_to_loopback(ctx: Context) -> Context:
    settings = msgspec.structs.replace(ctx.settings, oidc_private_networks=True)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def company(ctx: Context, provider: LyingProvider) -> Company:
    ctx = open_to_loopback(ctx)
    people = await cast.assemble(ctx)
    acme = await cast.within(people.alice, people.acme)
    await tenants.set_oidc(acme, terms(provider), SECRET)
    return Company(ctx, people, acme, provider)


def terms(provider: LyingProvider, **changes: object) -> OidcTerms:
    plain = OidcTerms(
        issuer=provider.issuer,
        client_id=CLIENT,
        roles={"bosses": "owner", "engineers": "admin", "staff": "viewer"},
        domains=("example.com",),
        enabled=True,
    )
    return msgspec.structs.replace(plain, **changes)


async def come(at: Company, **claims: object) -> SignedIn | None:
    """Sign in as whom the provider says; None: a link was sent."""
    at.provider.claims = claims
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    answer = SignInAnswer(**at.provider.send_back(started.url))
    return (await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser))[1]


async def link_of(at: Company) -> str:
    """The token of the link that was sent last."""
    await work(at.ctx)
    return link_in(next(mail for mail in await mails(at.ctx) if PAGE in mail.text), PAGE)


async def newcomer(at: Company, **claims: object) -> SignedIn:
    """Somebody without an account, from the first sign-in to the second one."""
    assert await come(at, **claims) is None
    await tenants.join_by_oidc_link(cast.fresh(at.ctx), await link_of(at))
    signed_in = await come(at, **claims)
    assert signed_in
    return signed_in


async def oidc_link(acme: Context, email: str) -> str:
    """The token of the link that somebody gets who comes from a tenant's provider for the first time."""
    profile = oidc_links.Profile(identity=ids.new("idn"), email=identity.parse_email(email), name="Of the provider")
    await oidc_links.request_link(acme, profile)
    link = ids.derived("lnk", profile.identity, identity.email_digest(acme, profile.email))
    return oidc_links.token_of(acme.parts.secrets, acme.tenant, link)


def state_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]

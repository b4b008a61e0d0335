"""`veloflux tenants oidc`, and of `veloflux auth` what a first sign-in by a company needs."""

from typing import Annotated

import typer

from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import InputInvalid
from veloflux.identity.ask_secret import LinkTokenFile, TokenFile, ask_secret
from veloflux.identity.commands import as_person
from veloflux.tenants.oidc_connection import redirect_uri
from veloflux.tenants.oidc_model import SCOPES, OidcTerms
from veloflux.tenants.shown import OidcShown
from veloflux.terminal import Json, TenantOption, run, show

app = typer.Typer(no_args_is_help=True)
CONNECTION = ("issuer", "client_id", "domains", "roles", "default_role", "enabled", "redirect_uri")
REPORT = ("issuer", "authorization_endpoint", "token_endpoint", "keys", "redirect_uri")
TENANT = ("id", "slug", "name")
SecretFile = Annotated[
    str, typer.Option(help="File that holds the client secret; empty: the one that it has, or none of a public client")
]


@app.command("show")
def show_oidc(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Show a tenant's sign-in provider, without its secret."""

    async def shown(ctx: Context) -> OidcShown:
        return OidcShown.of(await tenants.show_oidc(ctx), redirect_uri(ctx, ctx.tenant))

    show(run(terminal, shown, tenant=tenant), json=json, columns=CONNECTION)


@app.command("set")
def set_oidc(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    issuer: Annotated[str, typer.Option(help="Address of the provider, exactly as it calls itself")],
    client_id: Annotated[str, typer.Option(help="What the provider calls VeloFlux")],
    domain: Annotated[list[str], typer.Option(help="Domain of addresses that may sign in; repeatable")],
    client_secret_file: SecretFile = "",
    scope: Annotated[list[str], typer.Option(help="What is asked for; repeatable")] = list(SCOPES),  # noqa: B006
    email_claim: Annotated[str, typer.Option(help="Claim that holds the address")] = "email",
    name_claim: Annotated[str, typer.Option(help="Claim that holds the name")] = "name",
    groups_claim: Annotated[str, typer.Option(help="Claim that holds the groups")] = "groups",
    role: Annotated[list[str] | None, typer.Option(help="group=role; of several the first counts; repeatable")] = None,
    default_role: Annotated[str, typer.Option(help="Of who is in none of the groups; empty: refused")] = "",
    enabled: Annotated[bool, typer.Option(help="Whether people may sign in by it")] = True,
    json: Json = False,
) -> None:
    """Set how a tenant's people sign in by its own provider (OpenID Connect)."""
    terms = OidcTerms(
        issuer=issuer,
        client_id=client_id,
        scopes=tuple(scope),
        email_claim=email_claim,
        name_claim=name_claim,
        groups_claim=groups_claim,
        roles=dict(_pair(text) for text in role or ()),
        default_role=default_role,
        domains=tuple(domain),
        enabled=enabled,
    )
    secret = ask_secret(client_secret_file, "Client secret") if client_secret_file else ""

    async def changed(ctx: Context) -> OidcShown:
        return OidcShown.of(await tenants.set_oidc(ctx, terms, secret), redirect_uri(ctx, ctx.tenant))

    show(run(terminal, changed, tenant=tenant), json=json, columns=CONNECTION)


@app.command("remove")
def remove_oidc(terminal: typer.Context, tenant: TenantOption) -> None:
    """Remove a tenant's sign-in provider."""
    run(terminal, tenants.remove_oidc, tenant=tenant)


@app.command("test")
def try_oidc(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Ask a tenant's sign-in provider for its configuration and keys, and say what is wrong."""
    show(run(terminal, tenants.try_oidc, tenant=tenant), json=json, columns=REPORT)


def join(terminal: typer.Context, token_file: LinkTokenFile = "", json: Json = False) -> None:
    """Create the account of a first sign-in by a company, by the token of the link that was sent."""
    token = ask_secret(token_file, "Token")
    show(run(terminal, lambda ctx: tenants.join_by_oidc_link(ctx, token)), json=json, columns=TENANT)


def link(
    terminal: typer.Context, link_token_file: LinkTokenFile = "", token_file: TokenFile = "", json: Json = False
) -> None:
    """Confirm that a company's sign-in is that of the person that a session's token is."""
    token = ask_secret(link_token_file, "Token of the link")
    tenant = as_person(terminal, token_file, lambda ctx: tenants.confirm_oidc_link(ctx, token))
    show(tenant, json=json, columns=TENANT)


def _pair(text: str) -> tuple[str, str]:
    group, equals, role = text.rpartition("=")
    if not equals:
        raise InputInvalid(f"{text[:60]!r} is not of the form group=role", field="roles")
    return group, role

"""`veloflux api-keys`."""

from typing import Annotated

import msgspec
import typer

from veloflux import tenants
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.plans.catalogue import Rate
from veloflux.tenants.api_keys import OVERLAP_MAX_S
from veloflux.tenants.commands import Cursor, Limit
from veloflux.tenants.model import KeyKind, KeyTerms, NewApiKey
from veloflux.tenants.shown import ApiKeyCreated, ApiKeyShown
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)

API_KEY = ("id", "name", "prefix", "role", "kind", "status", "created_at", "expires_at", "used_at")


@app.command("create")
def create_api_key(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    name: Annotated[str, typer.Option(help="Where it will be used")] = "key",
    role: Annotated[str, typer.Option(help="Empty: member, and operator in the platform's tenant")] = "",
    permission: Annotated[list[str] | None, typer.Option(help="One of the role's; none named: all; repeatable")] = None,
    expires_at: Annotated[int | None, typer.Option(help="Epoch ms")] = None,
    address: Annotated[list[str] | None, typer.Option(help="IP network that may use it; repeatable")] = None,
    publishable: Annotated[bool, typer.Option("--publishable", help="For pages: it may record events alone")] = False,
    origin: Annotated[list[str] | None, typer.Option(help="Whose pages may use a publishable key; repeatable")] = None,
    metadata: Annotated[list[str] | None, typer.Option(help="name=value; repeatable")] = None,
    rate: Annotated[
        list[str] | None, typer.Option(help="meter=count/time, such as requests=60/min; repeatable")
    ] = None,
    json: Json = False,
) -> None:
    """Create an API key; it is shown this once."""
    terms = KeyTerms(
        permissions=tuple(permission) if permission else None,
        expires_at=expires_at,
        addresses=tuple(address or ()),
        origins=tuple(origin or ()),
        metadata=dict(_pair(text) for text in metadata or ()),
        rates=tuple(_rate(text) for text in rate or ()),
    )
    kind: KeyKind = "publishable" if publishable else "secret"
    new = run(terminal, lambda ctx: tenants.create_api_key(ctx, name, role, terms, kind), tenant=tenant)
    _show_once(new, json=json)


@app.command("rotate")
def rotate_api_key(
    terminal: typer.Context,
    key: str,
    *,
    tenant: TenantOption,
    overlap_s: Annotated[int, typer.Option(min=0, max=OVERLAP_MAX_S, help="Seconds that the old secret works on")] = 0,
    json: Json = False,
) -> None:
    """Give an API key a successor with the same terms, by its id; the new secret is shown this once."""
    _show_once(run(terminal, lambda ctx: tenants.rotate_api_key(ctx, key, overlap_s), tenant=tenant), json=json)


@app.command("list")
def list_api_keys(
    terminal: typer.Context, tenant: TenantOption, cursor: Cursor = "", limit: Limit = page.LIMIT, json: Json = False
) -> None:
    """List a tenant's API keys, revoked ones too, newest first."""
    found = run(terminal, lambda ctx: tenants.list_api_keys(ctx, cursor, limit), tenant=tenant)
    shown = Page([ApiKeyShown.of(key) for key in found.items], found.next)
    show(shown if json else shown.items, json=json, columns=API_KEY)


@app.command("revoke")
def revoke_api_key(
    terminal: typer.Context,
    key: Annotated[str, typer.Argument(help="Id of the key, with --tenant")] = "",
    *,
    tenant: Annotated[str, typer.Option(help="Slug or id of the tenant")] = "",
    prefix: Annotated[str, typer.Option(help="Instead of both: how a leaked key begins")] = "",
) -> None:
    """Refuse an API key from now on, by its tenant and id, or by its beginning, whosever it is."""
    if prefix and not (key or tenant):
        leaked = run(terminal, lambda ctx: tenants.revoke_leaked_key(ctx, prefix))
        say(f"It was {leaked.key.id}, “{leaked.key.name}”, of {leaked.tenant.slug} ({leaked.tenant.id})")
    elif key and tenant and not prefix:
        run(terminal, lambda ctx: tenants.revoke_api_key(ctx, key), tenant=tenant)
    else:
        raise typer.BadParameter("name a key and --tenant, or --prefix alone")
    say("This key is refused from now on")


def _show_once(new: NewApiKey, *, json: bool) -> None:
    if json:
        show(ApiKeyCreated.of(new), json=True)
    else:
        say("Keep it now; it is not shown again")
        typer.echo(new.token)


def _rate(text: str) -> Rate:
    meter, limit = _pair(text)
    try:
        return msgspec.convert({"name": meter, "meter": meter, "limit": limit}, Rate)
    except msgspec.ValidationError:
        raise typer.BadParameter(f"{text!r} is not like requests=60/min, with s, min, h or d") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not name=value")
    return name, value

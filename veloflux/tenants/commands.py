"""`veloflux tenants`, `members`, `invitations`, `api-keys`, `operator`."""

from typing import Annotated

import typer

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.ask_secret import PasswordFile, TokenFile, ask_secret
from veloflux.identity.commands import as_person
from veloflux.identity.model import Account, Language
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.api_keys import OVERLAP_MAX_S
from veloflux.tenants.clock import ClockMode
from veloflux.tenants.create_tenant import FIRST_PLAN
from veloflux.tenants.model import KeyTerms, Mode, NewApiKey
from veloflux.tenants.shown import ApiKeyCreated, ApiKeyShown, InvitationShown
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
members = typer.Typer(no_args_is_help=True)
invitations = typer.Typer(no_args_is_help=True)
api_keys = typer.Typer(no_args_is_help=True)
operator = typer.Typer(no_args_is_help=True)

Cursor = Annotated[str, typer.Option(help="Go on where an earlier page ended")]
Limit = Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)]
TENANT = ("id", "slug", "name", "plan", "zone", "currency", "language", "mode", "clock", "status")
MEMBER = ("id", "name", "email", "role", "joined_at")
INVITATION = ("id", "email", "role", "status", "expires_at")
API_KEY = ("id", "name", "prefix", "role", "status", "created_at", "expires_at", "used_at")
ACCOUNT = ("id", "name", "email")


@operator.command("create")
def create_operator(
    terminal: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Name of the person")],
    email: Annotated[str, typer.Option(help="E-mail address to sign in with")],
    password_file: PasswordFile = "",
    json: Json = False,
) -> None:
    """Make a person an operator of this installation; who has an account gives its password."""
    password = ask_secret(password_file, "Password")
    user = run(terminal, lambda ctx: tenants.create_operator(ctx, None, name=name, email=email, password=password))
    show(Account(id=user.id, name=user.name, email=user.email), json=json, columns=ACCOUNT)


@app.command("create")
def create(
    terminal: typer.Context,
    name: Annotated[str, typer.Argument(help="Name, as on an invoice")],
    *,
    slug: Annotated[str, typer.Option(help="Short name; empty: made from the name")] = "",
    plan: Annotated[str, typer.Option(help="Plan of the catalogue")] = FIRST_PLAN,
    zone: Annotated[str, typer.Option(help="IANA time zone")] = "America/Sao_Paulo",
    currency: Annotated[str, typer.Option(help="ISO 4217 code")] = "BRL",
    language: Annotated[Language, typer.Option(help="Language of messages")] = "pt-BR",
    mode: Annotated[Mode, typer.Option(help="A sandbox has test keys and a clock that can be moved")] = "live",
    json: Json = False,
) -> None:
    """Create a tenant."""
    tenant = run(
        terminal,
        lambda ctx: tenants.create_tenant(
            ctx, name, slug=slug, plan=plan, zone=zone, currency=currency, language=language, mode=mode
        ),
    )
    show(tenant, json=json, columns=TENANT)


@app.command("list")
def list_tenants(
    terminal: typer.Context,
    cursor: Cursor = "",
    limit: Limit = page.LIMIT,
    archived: Annotated[bool, typer.Option("--archived", help="Those that can be restored instead")] = False,
    json: Json = False,
) -> None:
    """List all tenants, newest first."""
    found = run(terminal, lambda ctx: tenants.list_tenants(ctx, cursor, limit, archived=archived))
    show(found if json else found.items, json=json, columns=TENANT)


@app.command("show")
def show_tenant(terminal: typer.Context, tenant: str, json: Json = False) -> None:
    """Show a tenant."""
    show(run(terminal, lambda ctx: tenants.find(ctx, tenant)), json=json, columns=TENANT)


@app.command("set-clock")
def set_clock(
    terminal: typer.Context,
    mode: Annotated[ClockMode, typer.Argument(help="Real time, running from --at, or stopped at --at")],
    *,
    tenant: TenantOption,
    at: Annotated[int | None, typer.Option(help="Epoch ms")] = None,
    json: Json = False,
) -> None:
    """Set a sandbox tenant's clock."""
    show(run(terminal, lambda ctx: tenants.set_clock(ctx, mode, at), tenant=tenant), json=json, columns=TENANT)


@app.command("rename")
def rename(
    terminal: typer.Context,
    tenant: str,
    *,
    name: Annotated[str, typer.Option(help="Empty: stays as it is")] = "",
    slug: Annotated[str, typer.Option(help="Empty: stays as it is; the old one is free at once")] = "",
    json: Json = False,
) -> None:
    """Give a tenant another name or slug."""
    show(run(terminal, lambda ctx: tenants.rename_tenant(ctx, name, slug), tenant=tenant), json=json, columns=TENANT)


@app.command("suspend")
def suspend(
    terminal: typer.Context,
    tenant: str,
    *,
    reason: Annotated[str, typer.Option(help="Why; the trail keeps it")],
    json: Json = False,
) -> None:
    """Refuse a tenant's members and keys from now on."""
    show(run(terminal, lambda ctx: tenants.suspend_tenant(ctx, reason), tenant=tenant), json=json, columns=TENANT)


@app.command("resume")
def resume(terminal: typer.Context, tenant: str, json: Json = False) -> None:
    """End a tenant's suspension."""
    show(run(terminal, tenants.resume_tenant, tenant=tenant), json=json, columns=TENANT)


@app.command("archive")
def archive(terminal: typer.Context, tenant: str, json: Json = False) -> None:
    """Let a tenant be read and restored, nothing else."""
    show(run(terminal, tenants.archive_tenant, tenant=tenant), json=json, columns=TENANT)


@app.command("delete")
def delete(
    terminal: typer.Context,
    tenant: str,
    *,
    confirm: Annotated[str, typer.Option(help="The tenant's slug once more")],
    json: Json = False,
) -> None:
    """Delete a tenant for good, after days in which it can be restored."""
    made = run(terminal, lambda ctx: tenants.delete_tenant(ctx, confirm), tenant=tenant)
    show(made, json=json, columns=(*TENANT, "delete_at"))


@app.command("restore")
def restore(terminal: typer.Context, tenant: str, json: Json = False) -> None:
    """Take a tenant out of the archive, or off the way to its deletion."""
    show(run(terminal, tenants.restore_tenant, tenant=tenant), json=json, columns=TENANT)


@members.command("list")
def list_members(
    terminal: typer.Context, tenant: TenantOption, cursor: Cursor = "", limit: Limit = page.LIMIT, json: Json = False
) -> None:
    """List a tenant's members, latest first."""
    found = run(terminal, lambda ctx: tenants.list_members(ctx, cursor, limit), tenant=tenant)
    show(found if json else found.items, json=json, columns=MEMBER)


@members.command("remove")
def remove_member(terminal: typer.Context, user: str, tenant: TenantOption) -> None:
    """Remove a member, by the person's id."""
    run(terminal, lambda ctx: tenants.remove_member(ctx, user), tenant=tenant)
    say(f"{user} is no member of {tenant} any more")


@members.command("transfer-ownership")
def transfer_ownership(terminal: typer.Context, user: str, tenant: TenantOption, token_file: TokenFile = "") -> None:
    """Hand the ownership over to another member, by the person's id, as the owner that a session's token is."""

    async def transfer(ctx: Context) -> None:
        await tenants.transfer_ownership(await tenants.authorise(ctx, tenant, "owners:write"), user)

    as_person(terminal, token_file, transfer)
    say(f"{user} is owner of {tenant} now")


@invitations.command("create")
def invite(
    terminal: typer.Context,
    email: str,
    tenant: TenantOption,
    role: Annotated[str, typer.Option(help="owner, admin, member or viewer")] = "member",
    json: Json = False,
) -> None:
    """Invite a person by e-mail; the worker sends the message."""
    made = run(terminal, lambda ctx: tenants.invite(ctx, email, role), tenant=tenant)
    show(InvitationShown.of(made), json=json, columns=INVITATION)


@invitations.command("list")
def list_invitations(
    terminal: typer.Context, tenant: TenantOption, cursor: Cursor = "", limit: Limit = page.LIMIT, json: Json = False
) -> None:
    """List a tenant's invitations, whatever became of them, newest first."""
    found = run(terminal, lambda ctx: tenants.list_invitations(ctx, cursor, limit), tenant=tenant)
    shown = Page([InvitationShown.of(invitation) for invitation in found.items], found.next)
    show(shown if json else shown.items, json=json, columns=INVITATION)


@invitations.command("revoke")
def revoke_invitation(terminal: typer.Context, invitation: str, tenant: TenantOption) -> None:
    """Revoke an invitation, by its id."""
    run(terminal, lambda ctx: tenants.revoke_invitation(ctx, invitation), tenant=tenant)
    say("This invitation cannot be accepted any more")


@invitations.command("accept")
def accept_invitation(
    terminal: typer.Context,
    link: Annotated[str, typer.Argument(help="The invitation's link, or its last part")],
    token_file: TokenFile = "",
    json: Json = False,
) -> None:
    """Accept an invitation as the person that a session's token is."""
    invitation = link.rpartition("/")[2]
    tenant = as_person(terminal, token_file, lambda ctx: tenants.accept_invitation(ctx, invitation))
    show(tenant, json=json, columns=TENANT)


@api_keys.command("create")
def create_api_key(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    name: Annotated[str, typer.Option(help="Where it will be used")] = "key",
    role: Annotated[str, typer.Option(help="Empty: member, and operator in the platform's tenant")] = "",
    permission: Annotated[list[str] | None, typer.Option(help="One of the role's; none named: all; repeatable")] = None,
    expires_at: Annotated[int | None, typer.Option(help="Epoch ms")] = None,
    address: Annotated[list[str] | None, typer.Option(help="IP network that may use it; repeatable")] = None,
    metadata: Annotated[list[str] | None, typer.Option(help="name=value; repeatable")] = None,
    json: Json = False,
) -> None:
    """Create an API key; it is shown this once."""
    terms = KeyTerms(
        permissions=tuple(permission) if permission else None,
        expires_at=expires_at,
        addresses=tuple(address or ()),
        metadata=dict(_pair(text) for text in metadata or ()),
    )
    new = run(terminal, lambda ctx: tenants.create_api_key(ctx, name, role, terms), tenant=tenant)
    _show_once(new, json=json)


@api_keys.command("rotate")
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


@api_keys.command("list")
def list_api_keys(
    terminal: typer.Context, tenant: TenantOption, cursor: Cursor = "", limit: Limit = page.LIMIT, json: Json = False
) -> None:
    """List a tenant's API keys, revoked ones too, newest first."""
    found = run(terminal, lambda ctx: tenants.list_api_keys(ctx, cursor, limit), tenant=tenant)
    shown = Page([ApiKeyShown.of(key) for key in found.items], found.next)
    show(shown if json else shown.items, json=json, columns=API_KEY)


@api_keys.command("revoke")
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


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not name=value")
    return name, value

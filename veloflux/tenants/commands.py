"""`veloflux tenants`, `members`, `invitations`, `operator`; `api-keys` is in key_commands.py."""

from typing import Annotated

import typer

from veloflux import tenants
from veloflux.context import Context
from veloflux.identity.ask_secret import PasswordFile, TokenFile, ask_secret
from veloflux.identity.commands import as_person
from veloflux.identity.model import Account, Language
from veloflux.kit import page
from veloflux.kit.page import Page
from veloflux.tenants.model import Mode
from veloflux.tenants.shown import InvitationShown
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
members = typer.Typer(no_args_is_help=True)
invitations = typer.Typer(no_args_is_help=True)
operator = typer.Typer(no_args_is_help=True)

Cursor = Annotated[str, typer.Option(help="Go on where an earlier page ended")]
InvitationLink = Annotated[str, typer.Argument(help="The invitation's link, or its last part")]
Limit = Annotated[int, typer.Option(min=1, max=page.LIMIT_MAX)]
TENANT = ("id", "slug", "name", "plan", "zone", "currency", "language", "mode", "clock", "status")
MEMBER = ("id", "name", "email", "role", "joined_at")
INVITATION = ("id", "email", "role", "status", "expires_at")
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
    plan: Annotated[str, typer.Option(help="Plan of the catalogue; empty: its first one")] = "",
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


@app.command("require-second-factor")
def require_second_factor(
    terminal: typer.Context,
    tenant: str,
    *,
    required: Annotated[bool, typer.Option("--on/--off", help="Refuse sessions without a second factor")] = True,
    json: Json = False,
) -> None:
    """Require a second factor of the people of a tenant, or no longer."""
    done = run(terminal, lambda ctx: tenants.require_second_factor(ctx, required), tenant=tenant)
    show(done, json=json, columns=TENANT)


@app.command("set-origins")
def set_origins(
    terminal: typer.Context,
    tenant: str,
    origin: Annotated[list[str] | None, typer.Argument(help="https://app.example.com …; none: no page")] = None,
    json: Json = False,
) -> None:
    """List the origins whose pages may use a tenant's keys and tokens, instead of those listed before."""
    show(run(terminal, lambda ctx: tenants.set_origins(ctx, origin or ()), tenant=tenant), json=json, columns=TENANT)


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


@members.command("set-role")
def set_role(
    terminal: typer.Context,
    user: Annotated[str, typer.Argument(help="Id of the person")],
    role: Annotated[
        str, typer.Argument(help="The new one; in the tenant platform operator, support, finance or read-only")
    ],
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Give a member another role; the last owner, or operator, keeps theirs."""
    member = run(terminal, lambda ctx: tenants.set_member_role(ctx, user, role), tenant=tenant)
    show(member, json=json, columns=("id", "role", "joined_at"))


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
    role: Annotated[str, typer.Option(help="owner, admin, member, viewer, or one of the tenant's own")] = "member",
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


@invitations.command("resend")
def resend_invitation(terminal: typer.Context, invitation: str, tenant: TenantOption, json: Json = False) -> None:
    """Send an invitation again, by its id: the new link is good for a week, the one before is void."""
    sent = run(terminal, lambda ctx: tenants.resend_invitation(ctx, invitation), tenant=tenant)
    show(InvitationShown.of(sent), json=json, columns=INVITATION)


@invitations.command("open")
def open_invitation(terminal: typer.Context, link: InvitationLink, json: Json = False) -> None:
    """Show what the link of an invitation leads to."""
    opened = run(terminal, lambda ctx: tenants.open_invitation(ctx, link.rpartition("/")[2]))
    show(InvitationShown.of(opened.invitation), json=json, columns=INVITATION)


@invitations.command("join")
def join_by_invitation(
    terminal: typer.Context,
    link: InvitationLink,
    *,
    name: Annotated[str, typer.Option(help="Name of the person")],
    password_file: PasswordFile = "",
    json: Json = False,
) -> None:
    """Create the account of the invited address and accept."""
    password, token = ask_secret(password_file, "Password"), link.rpartition("/")[2]
    tenant, _ = run(terminal, lambda ctx: tenants.join_by_invitation(ctx, token, name=name, password=password))
    show(tenant, json=json, columns=TENANT)


@invitations.command("accept")
def accept_invitation(
    terminal: typer.Context,
    link: InvitationLink,
    token_file: TokenFile = "",
    json: Json = False,
) -> None:
    """Accept an invitation as the person that a session's token is."""
    invitation = link.rpartition("/")[2]
    tenant = as_person(terminal, token_file, lambda ctx: tenants.accept_invitation(ctx, invitation))
    show(tenant, json=json, columns=TENANT)

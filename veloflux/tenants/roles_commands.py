"""`veloflux roles`."""

from typing import Annotated

import typer

from veloflux import tenants
from veloflux.tenants.shown import RoleShown
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)

ROLE = ("name", "custom", "description", "permissions")
Permissions = Annotated[list[str], typer.Option("--permission", help="What it may do; repeatable")]
Description = Annotated[str, typer.Option(help="What it is for")]


@app.command("list")
def list_roles(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """List a tenant's roles, built in and its own, and what each may do."""
    found = run(terminal, tenants.list_roles, tenant=tenant)
    show([RoleShown.of(role) for role in found], json=json, columns=ROLE)


@app.command("create")
def create_role(
    terminal: typer.Context,
    name: str,
    *,
    tenant: TenantOption,
    permission: Permissions,
    description: Description = "",
    json: Json = False,
) -> None:
    """Create a role of the tenant's own."""
    made = run(terminal, lambda ctx: tenants.create_role(ctx, name, permission, description), tenant=tenant)
    show(RoleShown.of(made), json=json, columns=ROLE)


@app.command("change")
def change_role(
    terminal: typer.Context,
    name: str,
    *,
    tenant: TenantOption,
    permission: Permissions,
    description: Description = "",
    json: Json = False,
) -> None:
    """Give one of the tenant's own roles these permissions instead; who has it may do the new at once."""
    made = run(terminal, lambda ctx: tenants.change_role(ctx, name, permission, description), tenant=tenant)
    show(RoleShown.of(made), json=json, columns=ROLE)


@app.command("delete")
def delete_role(terminal: typer.Context, name: str, tenant: TenantOption) -> None:
    """Delete one of the tenant's own roles; refused while somebody has it."""
    run(terminal, lambda ctx: tenants.delete_role(ctx, name), tenant=tenant)
    say(f"{tenant} has no role {name} any more")

"""`veloflux wallet`, `veloflux payments` and `veloflux billing`: a tenant's money, and how it is billed."""

from typing import Annotated

import msgspec
import typer

from veloflux.billing import store
from veloflux.billing.profile import ProfileTerms, read_profile, set_profile
from veloflux.billing.wallet.credit import Gift, Taken, TopUp, read_wallet
from veloflux.billing.wallet.credit import give as give_credit
from veloflux.billing.wallet.credit import take as take_credit
from veloflux.billing.wallet.credit import top_up as top_up_wallet
from veloflux.errors import InputInvalid
from veloflux.kit import page
from veloflux.terminal import Json, TenantOption, parsed, run, say, show

wallet = typer.Typer(no_args_is_help=True)
payments = typer.Typer(no_args_is_help=True)
profile = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "kind", "invoice", "amount", "currency", "to_wallet", "provider", "fee", "reference", "created_at")
TERMS = ProfileTerms.__struct_fields__
Amount = Annotated[int, typer.Argument(help="Minor units")]
Currency = Annotated[str, typer.Argument(help="ISO 4217, like BRL")]
Reference = Annotated[str, typer.Option(help="What it is for, or the provider's own name of it")]
Once = Annotated[str, typer.Option("--id", help="The same id again is the same payment")]


@payments.command("list")
def list_(
    terminal: typer.Context,
    *,
    tenant: TenantOption,
    cursor: Annotated[str, typer.Option(help="Of the next page, as the page before says")] = "",
    json: Json = False,
) -> None:
    """List money that came or went back, and credit that was given or taken, the newest first."""
    found = run(terminal, lambda ctx: store.payments(ctx.db, ctx.tenant, cursor, page.LIMIT), tenant=tenant)
    show(found if json else found.items, json=json, columns=COLUMNS)
    if found.next and not json:
        say(f"More: --cursor {found.next}")


@wallet.command("show")
def show_(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Show what is in a tenant's wallet, in minor units."""
    show(run(terminal, read_wallet, tenant=tenant), json=json, columns=("currency", "amount"))


@wallet.command()
def top_up(
    terminal: typer.Context,
    amount: Amount,
    currency: Currency,
    *,
    tenant: TenantOption,
    fee: Annotated[int, typer.Option(help="Minor units that the provider keeps")] = 0,
    provider: Annotated[str, typer.Option(help="Who has the money")] = "bank",
    reference: Reference = "",
    once: Once = "",
    json: Json = False,
) -> None:
    """Note money that a tenant paid in advance."""
    values = {"fee": fee, "provider": provider, "reference": reference, "id": once}
    wanted = parsed(TopUp, amount=amount, currency=currency, **values)
    show(run(terminal, lambda ctx: top_up_wallet(ctx, wanted), tenant=tenant), json=json, columns=COLUMNS)


@wallet.command()
def give(
    terminal: typer.Context,
    amount: Amount,
    currency: Currency,
    *,
    tenant: TenantOption,
    expires_at: Annotated[int | None, typer.Option(help="Epoch ms of the tenant's clock; else never")] = None,
    reference: Reference = "",
    once: Once = "",
    json: Json = False,
) -> None:
    """Give a tenant credit that nobody paid for."""
    wanted = parsed(Gift, amount=amount, currency=currency, expires_at=expires_at, reference=reference, id=once)
    show(run(terminal, lambda ctx: give_credit(ctx, wanted), tenant=tenant), json=json, columns=COLUMNS)


@wallet.command()
def take(
    terminal: typer.Context,
    currency: Currency,
    *,
    tenant: TenantOption,
    amount: Annotated[int | None, typer.Option(help="Minor units; else all of it")] = None,
    refunded_by: Annotated[str, typer.Option(help="The provider by which it goes back; else it is void")] = "",
    reference: Reference = "",
    json: Json = False,
) -> None:
    """Take credit out of a wallet: back to the tenant, or without anything for it."""
    wanted = parsed(Taken, currency=currency, amount=amount, refunded_by=refunded_by or None, reference=reference)
    show(run(terminal, lambda ctx: take_credit(ctx, wanted), tenant=tenant), json=json, columns=COLUMNS)


@profile.command("show")
def show_profile(terminal: typer.Context, tenant: TenantOption, json: Json = False) -> None:
    """Show how a tenant is billed."""
    show(run(terminal, read_profile, tenant=tenant), json=json, columns=TERMS)


@profile.command("set")
def set_(
    terminal: typer.Context,
    file: Annotated[typer.FileText, typer.Argument(help="JSON as `veloflux billing show --json` prints it")],
    *,
    tenant: TenantOption,
    json: Json = False,
) -> None:
    """Set how a tenant is billed from its next invoice on; what the file leaves out is as without a word."""
    try:
        wanted = msgspec.json.decode(file.read() or "{}", type=ProfileTerms)
    except msgspec.MsgspecError as error:
        raise InputInvalid(str(error)) from None
    show(run(terminal, lambda ctx: set_profile(ctx, wanted), tenant=tenant), json=json, columns=TERMS)

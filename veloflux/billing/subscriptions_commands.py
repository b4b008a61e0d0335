"""`veloflux subscriptions`: what tenants have subscribed to."""

from typing import Annotated

import msgspec
import typer

from veloflux.billing import cancel as cancelling
from veloflux.billing import change as changing
from veloflux.billing import starting_options as options
from veloflux.billing import store
from veloflux.billing.change import Change
from veloflux.billing.start import Start
from veloflux.billing.start import start as begin
from veloflux.errors import InputInvalid
from veloflux.terminal import Json, TenantOption, run, say, show

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "status", "plan", "currency", "period_start", "period_end", "cancel_at")

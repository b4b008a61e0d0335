"""How tests have somebody erased."""

from typing import Any

import msgspec
import pytest

from tests.identity.mails import work
from veloflux import personal_data
from veloflux.context import Context
from veloflux.errors import VeloFluxError


def without_grace(ctx: Context) -> Context:
    """The same, where a wish to be erased is due at once."""
    settings = msgspec.structs.replace(ctx.settings, erasure_grace_days=0)
    return msgspec.structs.replace(ctx, parts=msgspec.structs.replace(ctx.parts, settings=settings))


async def erase(ctx: Context, user: str) -> None:
    """Erase a person, and do all the work that follows."""
    await personal_data.request_erasure(without_grace(ctx), user)
    await work(ctx)


def crash_once(monkeypatch: pytest.MonkeyPatch, slice_: Any, name: str, *, before: bool) -> None:
    """The process dies at a step, and another one goes on."""
    step, crashes = getattr(slice_, name), ["once"]

    async def crashing(*args: Any) -> Any:
        if crashes and before:
            raise VeloFluxError(crashes.pop())
        answer = await step(*args)
        if crashes:
            raise VeloFluxError(crashes.pop())
        return answer

    monkeypatch.setattr(slice_, name, crashing)

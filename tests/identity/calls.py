"""What Redis is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from veloflux.context import Context


@contextmanager
def calls_of(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The commands that are sent while the body runs, but for loading a script where it is not known yet."""
    sent: list[str] = []
    call = ctx.db._nodes.call
    with monkeypatch.context() as patched:
        patched.setattr(ctx.db._nodes, "call", lambda *args: (sent.append(str(args[1])), call(*args))[1])
        yield sent
        sent[:] = [command for command in sent if command != "EVAL"]

"""The processes of an installation: `veloflux up`, `serve` and `worker`.

`veloflux/__main__.py` runs them without loading the other commands, which takes longer than their own start.
"""

from collections.abc import Iterable

from veloflux import settings
from veloflux.settings import Settings


def up() -> None:
    """Run everything on this machine: embedded Redis (unless REDIS_URL is set), web, worker."""
    from veloflux import up as up_

    chosen = settings.load()
    raise SystemExit(up_.run(chosen, prepare=lambda: _require_redis(chosen), announce=lambda: _setup_line(chosen)))


def serve() -> None:
    """Run the web process: API, console, site."""
    from veloflux.web import serve as serve_

    serve_.main(settings.load())


def worker() -> None:
    """Run a worker: events to handlers, jobs, schedules. Any number of them may run."""
    from veloflux import logs
    from veloflux import worker as worker_

    chosen = settings.load()
    logs.configure(chosen)
    worker_.main(chosen)


PROCESSES = {"up": up, "serve": serve, "worker": worker}


def _require_redis(chosen: Settings) -> None:
    """Connect once, so that an unusable Redis is refused before web and worker start."""
    import uvloop

    from veloflux import wiring

    async def connect() -> None:
        async with wiring.build(chosen):
            pass

    uvloop.run(connect())


def _setup_line(chosen: Settings) -> Iterable[str]:
    """The one-time link to create the operator, as long as there is none."""
    import uvloop

    from veloflux import tenants, wiring
    from veloflux.context import Context, at_terminal

    async def link() -> str | None:
        async with wiring.build(chosen) as parts:
            return await tenants.new_setup_link(Context(parts=parts, actor=at_terminal()))

    made = uvloop.run(link())
    return [f"Create the operator's account (once, within the hour): {made}"] if made else []

"""What the worker writes to people."""

from tests import at_rest
from tests.worker.working import until, working
from veloflux import notifications
from veloflux.context import Context
from veloflux.kit import clock
from veloflux.notifications import OutboxMessage
from veloflux.worker import TABLES


async def work(ctx: Context) -> None:
    """Let a worker do all that is due by now."""

    async def nothing_due_now() -> bool:
        return all(at > clock.now_ms() + clock.HOUR_MS for _, at in await at_rest.first_members(ctx.db))

    async with working(ctx.parts, TABLES):
        await until(nothing_due_now)


async def mails(ctx: Context) -> list[OutboxMessage]:
    return list((await notifications.list_messages(ctx)).items)


def link_in(mail: OutboxMessage, page: str) -> str:
    """The token of the link to a page."""
    [link] = [word for word in mail.text.split() if page in word]
    return link.rpartition("/")[2]

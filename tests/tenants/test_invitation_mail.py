"""From the invitation to its e-mail, by the real worker."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

import pytest

from tests import cast
from tests.worker.working import nothing_due, until, working
from veloflux import notifications, tenants
from veloflux.context import Context
from veloflux.db import keys, streams
from veloflux.db.jobs import Job
from veloflux.identity import Language
from veloflux.tenants import Tenant
from veloflux.transaction import Transaction
from veloflux.worker import TABLES


async def tenant_of(ctx: Context, language: Language = "en", name: str = "Acme") -> tuple[Tenant, Context]:
    made = await tenants.create_tenant(ctx, name, language=language)
    return made, ctx.within(tenants.scope_of(made), tenants.EVERYTHING)


async def work(ctx: Context) -> None:
    async with working(ctx.parts, TABLES):
        await until(lambda: nothing_due(ctx))


def outbox(ctx: Context) -> list[Path]:
    return sorted((ctx.settings.data_dir / "outbox").glob("*"))


def read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), EmailMessage, policy=SMTPUTF8)


async def test_the_worker_writes_an_invitation_once_and_its_link_works(ctx: Context) -> None:
    scene = await cast.assemble(ctx)
    alice = await cast.within(scene.alice, scene.acme)
    await work(ctx)
    before = set(outbox(ctx))
    await tenants.invite(alice, cast.email("mallory"), "viewer")
    assert set(outbox(ctx)) == before
    await work(ctx)
    [path] = set(outbox(ctx)) - before
    message = read(path)
    assert (message["To"], message["Subject"]) == ("mallory@example.com", "Convite para Acme")
    assert message["Message-ID"] == f"<{path.stem}@localhost>"
    [link] = [word for word in message.get_content().split() if word.startswith("http")]
    assert link.startswith(f"{ctx.settings.console_url}/console/invitations/")
    await tenants.accept_invitation(scene.stranger, link.rpartition("/")[2])
    assert await cast.within(scene.stranger, scene.acme)


@pytest.mark.parametrize(
    ("language", "subject"), [("en", "Invitation to Café Zoë 🚀"), ("pt-BR", "Convite para Café Zoë 🚀")]
)
async def test_it_speaks_the_tenants_language(one_ctx: Context, language: Language, subject: str) -> None:
    _, within = await tenant_of(one_ctx, language, "Café Zoë 🚀")
    await tenants.invite(within, "zoë@exämple.com", "member")
    await work(one_ctx)
    [message] = [read(path) for path in outbox(one_ctx)]
    assert message["Subject"] == subject
    assert message["To"] == "zoë@xn--exmple-cua.com"
    assert "Café Zoë 🚀" in message.get_content()


async def test_the_job_run_again_writes_no_second_message(one_ctx: Context) -> None:
    made, within = await tenant_of(one_ctx)
    invitation = await tenants.invite(within, "new@example.com", "member")
    job = Job(
        id="job_1", owner=made.id, kind="send_invitation", payload={"invitation": invitation.id}, run_at=0, created_at=0
    )
    for _ in range(2):
        await tenants.send_invitation(one_ctx, job, Transaction(one_ctx, made.id))
    [message] = (await notifications.list_messages(one_ctx)).items
    assert (message.id, message.to) == ("job_1", "new@example.com")


async def test_the_event_handled_again_makes_the_same_job(one_ctx: Context) -> None:
    made, within = await tenant_of(one_ctx)
    await tenants.invite(within, "new@example.com", "member")
    event = (await streams.after(one_ctx.db, made.id, "", 10))[-1]
    programs = []
    for _ in range(2):
        tx = Transaction(one_ctx, made.id)
        await tenants.mail_invitation(one_ctx, event, tx)
        programs.append(tx.program()[0])
    assert programs[0][3:] == programs[1][3:]


async def test_an_invitation_that_was_revoked_meanwhile_is_not_sent(one_ctx: Context) -> None:
    made, within = await tenant_of(one_ctx)
    invitation = await tenants.invite(within, "new@example.com", "member")
    await tenants.revoke_invitation(within, invitation.id)
    await work(one_ctx)
    assert (await notifications.list_messages(one_ctx)).items == []
    assert await one_ctx.db.call("EXISTS", keys.jobs(made.id)) == 0


async def test_an_outbox_that_cannot_be_written_keeps_the_job(one_ctx: Context) -> None:
    made, within = await tenant_of(one_ctx)
    (one_ctx.settings.data_dir / "outbox").write_text("a file where the folder should be")
    await tenants.invite(within, "new@example.com", "member")
    async with working(one_ctx.parts, TABLES):
        await until(lambda: one_ctx.db.call("EXISTS", keys.jobs(made.id)))
        [job] = await one_ctx.db.call("ZRANGE", keys.jobs(made.id), 0, -1)
        await until(lambda: one_ctx.db.call("HGET", keys.job(made.id, job), "error"))
        (one_ctx.settings.data_dir / "outbox").unlink()
        await until(lambda: nothing_due(one_ctx))
    assert [message.to for message in (await notifications.list_messages(one_ctx)).items] == ["new@example.com"]

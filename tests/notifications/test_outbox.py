import asyncio
import os
from email.message import EmailMessage
from pathlib import Path

import pytest

from veloflux.context import Context
from veloflux.errors import CursorInvalid, NotFound
from veloflux.notifications import compose, list_messages, read_message
from veloflux.settings import Settings


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "hello.en.txt"
    path.write_text("Hello\n{{ name }}\n\nDear {{ name }},\nwelcome.\n")
    return path


def message_to(to: str, template: Path, settings: Settings, id_: str = "job_1", name: str = "Ana") -> EmailMessage:
    return compose(settings, id_, to=to, template=template, name=name)


async def test_what_is_sent_is_listed_latest_first_and_read_by_its_id(one_ctx: Context, template: Path) -> None:
    for number in range(5):
        message = message_to(f"a{number}@example.com", template, one_ctx.settings)
        await one_ctx.parts.mailer.send(f"job_{number}", message)
        os.utime(one_ctx.settings.data_dir / "outbox" / f"job_{number}.eml", (1_000 + number // 2, 1_000 + number // 2))
    seen, cursor = [], ""
    for _ in range(3):
        found = await list_messages(one_ctx, cursor, 2)
        seen, cursor = [*seen, *(one.id for one in found.items)], found.next or ""
    assert (seen, cursor) == (["job_4", "job_3", "job_2", "job_1", "job_0"], "")
    read = await read_message(one_ctx, "job_3")
    assert (read.to, read.subject, read.text) == ("a3@example.com", "Hello Ana", "Dear Ana,\nwelcome.\n")


async def test_sent_many_times_at_once_a_message_is_one_whole_file(one_ctx: Context, template: Path) -> None:
    message = message_to("ana@example.com", template, one_ctx.settings)
    await asyncio.gather(*(one_ctx.parts.mailer.send("job_1", message) for _ in range(8)))
    [path] = (one_ctx.settings.data_dir / "outbox").iterdir()
    assert path.read_bytes() == message.as_bytes()
    later = message_to("ana@example.com", template, one_ctx.settings, name="Ana again")
    await one_ctx.parts.mailer.send("job_1", later)
    assert path.read_bytes() == message.as_bytes()


async def test_a_process_that_died_while_writing_leaves_no_message(one_ctx: Context, template: Path) -> None:
    folder = one_ctx.settings.data_dir / "outbox"
    folder.mkdir()
    (folder / "job_1.part_0").write_text("To: half a mess")
    assert (await list_messages(one_ctx)).items == []
    await one_ctx.parts.mailer.send("job_1", message_to("ana@example.com", template, one_ctx.settings))
    assert [one.id for one in (await list_messages(one_ctx)).items] == ["job_1"]


@pytest.mark.parametrize(
    "id_", ["", "..", "../secret", "job_1/../../secret", "job_9", "/etc/passwd", "JOB_1", "job_1\x00"]
)
async def test_what_is_no_message_is_not_found(one_ctx: Context, id_: str) -> None:
    with pytest.raises(NotFound):
        await read_message(one_ctx, id_)


@pytest.mark.parametrize("cursor", ["%", "e", "😀"])
async def test_a_cursor_of_another_form_is_refused(one_ctx: Context, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        await list_messages(one_ctx, cursor)


async def test_a_name_with_a_line_break_makes_no_header(template: Path) -> None:
    message = message_to("ana@example.com", template, Settings(), name="Ana\r\nBcc: all@example.com")
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Ana Bcc: all@example.com"


async def test_the_message_id_has_the_domain_of_the_console(template: Path) -> None:
    public = Settings(public_url="https://app.example.com")
    assert message_to("ana@example.com", template, public)["Message-ID"] == "<job_1@app.example.com>"
    assert message_to("ana@example.com", template, Settings(host="::1"))["Message-ID"] == "<job_1@localhost>"

"""Everything that the console does can be done by HTTP and at the terminal too."""

import re

import pytest
import typer
from typer.main import get_command

from veloflux import cli
from veloflux.web import app, console
from veloflux.web.templating import HERE

OF_THE_CONSOLE_ALONE = {"language"}
"""What belongs to a browser: programs and terminals have no cookie that holds a language."""
OF_BROWSERS = {"auth.passkey", "passkeys.create"}
"""What only a browser can do: a terminal has no authenticator."""
TEMPLATES = {path.name: path.read_text("utf-8") for path in (HERE / "templates").glob("*.html")}


def written_in_forms() -> set[str]:
    return {action for text in TEMPLATES.values() for action in re.findall(r'data-action="([^"]*)"', text)}


def handled_by_the_console() -> set[str]:
    changing = {handler.operation_id for handler in console.HANDLERS if "POST" in handler.http_methods}
    return {str(operation).removeprefix("console.") for operation in changing}


def operations() -> set[str]:
    return {str(handler.operation_id) for handler in app.API} | {operation for operation, _ in app.RAW.values()}


def commands(group: typer.core.TyperGroup, prefix: str = "") -> set[str]:
    """`api-keys create` as the action that it does: `api_keys.create`."""
    found: set[str] = set()
    for name, command in group.commands.items():
        place = f"{prefix}{name.replace('-', '_')}"
        found |= commands(command, f"{place}.") if isinstance(command, typer.core.TyperGroup) else {place}
    return found


def test_every_form_is_handled_and_every_handler_has_its_form() -> None:
    assert len(written_in_forms()) > 10
    assert written_in_forms() == handled_by_the_console() - OF_THE_CONSOLE_ALONE


@pytest.mark.parametrize("action", sorted(written_in_forms()))
def test_every_action_of_the_console_has_a_route_of_that_name(action: str) -> None:
    assert action in operations()


@pytest.mark.parametrize("action", sorted(written_in_forms() - OF_BROWSERS))
def test_every_action_of_the_console_has_a_command_of_that_name(action: str) -> None:
    assert action in commands(get_command(cli.app))


def test_every_action_that_templates_offer_or_confirm_exists() -> None:
    text = TEMPLATES["_words.html"]
    confirmed = re.findall(r'"(\w+\.\w+)"', text[text.index("macro done_text") : text.index("macro problem_text")])
    offered = {action for text in TEMPLATES.values() for action in re.findall(r'"(\w+\.\w+)" in may', text)}
    assert confirmed
    assert offered
    assert {*confirmed, *offered} <= handled_by_the_console()

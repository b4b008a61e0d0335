"""Commands are the operator's, who sees every tenant: with `--tenant` they see and touch that one and no other."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from tests import image
from tests.wall.factories import COMMAND_WORDS, ENDING, factory_of
from tests.wall.world import World
from veloflux import cli
from veloflux.errors import NotFound

pytestmark = pytest.mark.asyncio(loop_scope="package")

FOREIGN = {"actor"}
"""Options that only narrow a list down: another tenant's id finds nothing, and is no error."""


class Command(NamedTuple):
    """`words` are its name; `needed` its arguments and options, of which `--tenant` is not one."""

    words: tuple[str, ...]
    needed: tuple["typer.core.TyperArgument | typer.core.TyperOption", ...]

    @property
    def operation(self) -> str:
        return ".".join(self.words).replace("-", "_")


def of_a_tenant(group: typer.core.TyperGroup, words: tuple[str, ...] = ()) -> Iterator[Command]:
    """Every command with the option `--tenant`."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from of_a_tenant(command, (*words, name))
        elif any("--tenant" in parameter.opts for parameter in command.params):
            needed = [one for one in command.params if one.required or isinstance(one, typer.core.TyperArgument)]
            yield Command((*words, name), tuple(one for one in needed if "--tenant" not in one.opts))


def line(world: World, command: Command) -> tuple[list[str], bool]:
    """The command for Globex with whatever ids it takes being Acme's; whether it takes any."""
    typed, takes_ids = [*command.words, "--tenant", world.globex.tenant.slug], False
    for parameter in command.needed:
        factory = factory_of(command.operation, parameter.name)
        value = world.values["alice"].get(factory) if factory else COMMAND_WORDS.get(parameter.name)
        assert value is not None, (
            f"{' '.join(command.words)}: {parameter.name!r} has neither a factory (FACTORIES) nor a word that is no id "
            "(COMMAND_WORDS) in tests/wall/factories.py"
        )
        takes_ids = takes_ids or factory is not None
        typed += [value] if isinstance(parameter, typer.core.TyperArgument) else [parameter.opts[0], value]
    for option, value in ENDING.get(command.operation, {}).items():
        typed += [option, value]
    return typed, takes_ids


async def test_a_command_for_one_tenant_neither_shows_nor_touches_another(world: World) -> None:
    environ = {
        "REDIS_URL": world.ctx.db.url,
        "VELOFLUX_REDIS_UNSAFE": "true",
        "VELOFLUX_DATA_DIR": str(world.ctx.settings.data_dir),
    }
    found = list(of_a_tenant(get_command(cli.app)))
    assert len(found) > 10
    before = {key: value for key, value in world.image.settled.items() if world.acme.tenant.id in key}
    for command in found:
        typed, takes_ids = line(world, command)
        prompted = f"{world.tokens['carol']}\n"  # some ask who acts
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, typed, env=environ, input=prompted)
        told = [one for one in world.planted if one in result.output and one not in typed]
        assert told == [], (typed, told)
        if takes_ids:
            assert isinstance(result.exception, NotFound), (typed, result.output, result.exception)
        after = (await image.take(world.ctx.db)).settled
        assert image.differences(before, {key: value for key, value in after.items() if key in before}) == [], typed

"""One world for all tests of this folder, on a Valkey of its own; each test leaves it as it was."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests import image, servers
from tests.wall import world as worlds
from tests.wall.world import World
from veloflux.db import client


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    with servers.standalone() as server:
        db = await client.connect(server.url, 20_000)
        async with worlds.assemble(db, tmp_path_factory.mktemp("wall")) as world:
            yield world
        await db.close()


@pytest_asyncio.fixture(loop_scope="package")
async def world(shared: World) -> AsyncIterator[World]:
    yield shared
    await image.put_back(shared.ctx.db, shared.image)

"""What every test can ask for. `db`, `parts` and `ctx` are on an empty Valkey, once standalone and once as a cluster;
a test that has nothing to do with the cluster asks for `one_db`, `one_parts` or `one_ctx`."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import servers
from veloflux.context import Actor, Context, Parts
from veloflux.db import client
from veloflux.db.client import Db
from veloflux.settings import Settings
from veloflux.wiring import assemble


def pytest_configure() -> None:
    """Tests speak plain HTTP with their own servers; without this each client would first load all certificate
    authorities of the machine, for a tenth of a second.
    """
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = os.devnull


@pytest.fixture(scope="session")
def standalone() -> Iterator[str]:
    """URL of one Valkey."""
    with servers.standalone() as server:
        yield server.url


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """URL of one node of a cluster."""
    with servers.cluster() as nodes:
        yield nodes[0].url


@pytest.fixture(params=["standalone", "cluster"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[Db]:
    async for connected in _empty(request.getfixturevalue(request.param)):
        yield connected


@pytest.fixture
async def one_db(standalone: str) -> AsyncIterator[Db]:
    async for connected in _empty(standalone):
        yield connected


@pytest.fixture
def parts(db: Db, tmp_path: Path) -> Parts:
    return parts_on(db, tmp_path)


@pytest.fixture
def one_parts(one_db: Db, tmp_path: Path) -> Parts:
    return parts_on(one_db, tmp_path)


@pytest.fixture
def ctx(parts: Parts) -> Context:
    return Context(parts=parts, actor=Actor(id="cli:test"))


@pytest.fixture
def one_ctx(one_parts: Parts) -> Context:
    return Context(parts=one_parts, actor=Actor(id="cli:test"))


async def _empty(url: str) -> AsyncIterator[Db]:
    connected = await client.connect(url)
    await connected.every_master("FLUSHALL")
    yield connected
    await connected.close()


def parts_on(db: Db, folder: Path) -> Parts:
    return assemble(Settings(data_dir=folder, redis_url=db.url), db, b"a secret of the tests, 32 bytes!")

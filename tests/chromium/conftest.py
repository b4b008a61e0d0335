"""A real Chromium in front of a real `veloflux up`."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import browser
from tests.chromium.visitor import Visitor

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser.executable(), args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[[str, str], Visitor]]:
    """Open a browser window of somebody's own, in a language; at the end no page may have complained."""
    visitors: list[Visitor] = []

    def open_window(url: str, language: str) -> Visitor:
        visitors.append(Visitor(chromium.new_context(base_url=url, locale=language, timezone_id="America/Sao_Paulo")))
        return visitors[-1]

    yield open_window
    for visitor in visitors:
        visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []

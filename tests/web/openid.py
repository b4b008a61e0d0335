"""`oidc-provider-mock` as a process of its own on loopback, and what people do on its page."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.servers import free_port, wait_for


@contextmanager
def provider(*people: dict[str, Any]) -> Iterator[str]:
    """Run it; gives its issuer. It knows these people by their claims."""
    port = free_port()
    known = [word for claims in people for word in ("--user-claims", json.dumps(claims))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", *known]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url), "the provider")
        yield url
    finally:
        process.terminate()
        process.wait(30)


async def choose(client: httpx2.AsyncClient, page: str, subject: str) -> str:
    """Sign in at the provider's page; gives the address that it sends the browser back to."""
    return str((await client.post(page, data={"sub": subject})).headers["location"])


async def deny(client: httpx2.AsyncClient, page: str) -> str:
    return str((await client.post(page, data={"action": "deny"})).headers["location"])


def text_of(page: str) -> str:
    """What a page says, without the request's id."""
    main = re.sub(r"req_\w+", "", page[page.index("<main") : page.index("</main>")])
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/.well-known/openid-configuration", timeout=2).status_code == 200
    except httpx2.TransportError:
        return False

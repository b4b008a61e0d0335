"""Asks a provider: bounded in time and size, without redirects or proxies, and only where it may be asked."""

import asyncio
import functools
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from veloflux.errors import InputInvalid, ProviderUnusable
from veloflux.kit import network
from veloflux.settings import Settings

TIMEOUT_S = 5.0
ALL_S = 10.0
SIZE_MAX = 262_144
LENGTH_MAX = 500


def check_url(settings: Settings, url: str, field: str = "issuer") -> str:
    """The address if it is one that a provider may have.

    :raises InputInvalid: it is none, or not https.
    """
    try:
        parts = urlsplit(url)
        well_formed = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        well_formed = False
    if not well_formed or not url.isascii() or not url.isprintable() or " " in url or len(url) > LENGTH_MAX:
        raise InputInvalid("This is not an address such as https://login.example.com", field=field)
    if parts.username is not None or parts.fragment:
        raise InputInvalid("A provider's address has no user name and no fragment", field=field)
    if parts.scheme != "https" and not (settings.oidc_private_networks and parts.scheme == "http"):
        raise InputInvalid("A provider's address must use TLS (https)", field=field)
    return url


async def ask(
    settings: Settings, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer: GET, or POST of a form.

    :raises ProviderUnusable: no answer, or not one that can be read.
    """
    import httpx2

    try:
        async with asyncio.timeout(ALL_S):
            status, body = await _exchange(settings, url, form, dict(headers or {}))
    except InputInvalid as error:
        raise ProviderUnusable(str(error)) from None
    except (TimeoutError, OSError, httpx2.HTTPError, httpx2.InvalidURL):
        raise ProviderUnusable(f"The provider does not answer at {url[:200]}") from None
    try:
        return status, msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderUnusable(f"The provider's answer at {url[:200]} (status {status}) is not JSON") from None


async def _exchange(
    settings: Settings, url: str, form: Mapping[str, str] | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    import httpx2

    parts = urlsplit(check_url(settings, url))
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    address = await network.reachable_address(host, port, private=settings.oidc_private_networks)
    async with (
        httpx2.AsyncClient(verify=_tls(), trust_env=False, timeout=TIMEOUT_S) as client,
        client.stream(
            "GET" if form is None else "POST",
            httpx2.URL(url).copy_with(host=address),
            headers={"accept": "application/json", "accept-encoding": "identity", "host": parts.netloc, **headers},
            data=form,
            extensions={"sni_hostname": host},
        ) as answer,
    ):
        body = bytearray()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > SIZE_MAX:
                raise ProviderUnusable(f"The provider's answer at {url[:200]} is larger than {SIZE_MAX} bytes")
        return answer.status_code, bytes(body)


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

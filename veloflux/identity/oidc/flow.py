"""The way to a provider and back: state, nonce and PKCE of one sign-in, and the code that it ends with.

A state is `<time>.<random>.<mac>`; the MAC covers the client and a secret in the browser's cookie. Nonce and verifier
are derived from it. So nothing is written before a provider has sent somebody back, and only then that the state is
used: who asks for sign-ins by the thousand fills no memory (docs/adr/0017).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from urllib.parse import quote_plus, urlencode

import msgspec

from veloflux.context import Parts, Secrets
from veloflux.errors import ProviderUnusable, SignInRefused
from veloflux.identity.oidc import fetch
from veloflux.identity.oidc.provider import Provider
from veloflux.kit import clock, crypto, ids

LIFE_MS = 10 * clock.MINUTE_MS
STATE = re.compile(r"([0-9a-z]{10})\.([0-9a-z]{32})\.([0-9a-f]{64})")
LENGTH_MAX = 2_000


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """As whom a tenant asks its provider; `secret` "" is a public client. Providers know `redirect_uri` beforehand."""

    tenant: str
    issuer: str
    id: str
    secret: str
    redirect_uri: str


class Started(msgspec.Struct, frozen=True):
    """Where to send the browser, and the secret that it keeps until it comes back."""

    url: str
    browser: str


def begin(secrets: Secrets, provider: Provider, client: Client, scopes: Sequence[str]) -> Started:
    """A new sign-in."""
    browser = crypto.new_secret()
    issued = ids.base32(clock.now_ms(), 10)
    unsigned = f"{issued}.{crypto.new_secret()}"
    state = f"{unsigned}.{_mac(secrets, client, unsigned, browser)}"
    challenge = hashlib.sha256(_verifier(secrets, state).encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "nonce": nonce_of(secrets, state),
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    return Started(provider.authorization_endpoint + joint + urlencode(asked), browser)


def take_state(secrets: Secrets, client: Client, state: str, browser: str) -> str:
    """The id under which a state is marked as used, if it is one of this client's, this browser's, and young enough.

    :raises SignInRefused: it is not.
    """
    parsed = STATE.fullmatch(state)
    if parsed is None or not browser:
        raise over()
    unsigned = f"{parsed[1]}.{parsed[2]}"
    if not crypto.equal(_mac(secrets, client, unsigned, browser), parsed[3]):
        raise over()
    if not ids.base32(clock.now_ms() - LIFE_MS, 10) < parsed[1] <= ids.base32(clock.now_ms(), 10):
        raise over()
    return ids.derived("sta", crypto.digest(state))


async def redeem(parts: Parts, provider: Provider, client: Client, *, code: str, state: str) -> str:
    """The ID token that a code is good for.

    :raises SignInRefused: the provider refuses the code. :raises ProviderUnusable: its answer cannot be used.
    """
    if not 1 <= len(code) <= LENGTH_MAX:
        raise over()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": _verifier(parts.secrets, state),
    }
    headers = {}
    methods = provider.token_endpoint_auth_methods_supported
    if not client.secret:
        form["client_id"] = client.id
    elif "client_secret_basic" in methods or "client_secret_post" not in methods:
        headers["authorization"] = _basic(client)
    else:
        form |= {"client_id": client.id, "client_secret": client.secret}
    status, body = await fetch.ask(parts.settings, provider.token_endpoint, form=form, headers=headers)
    if status != 200:
        raise SignInRefused("The provider refused the code of this sign-in. Begin again")
    token = body.get("id_token")
    if not isinstance(token, str):
        raise ProviderUnusable("The provider gave no ID token; the connection's scopes must hold openid")
    return token


def nonce_of(secrets: Secrets, state: str) -> str:
    """What the ID token of this sign-in repeats."""
    return crypto.derive(secrets.of("oidc", "nonce"), state).hex()


def over() -> SignInRefused:
    return SignInRefused("This sign-in is over, or began in another browser. Begin again")


def _verifier(secrets: Secrets, state: str) -> str:
    return crypto.derive(secrets.of("oidc", "verifier"), state).hex()


def _mac(secrets: Secrets, client: Client, unsigned: str, browser: str) -> str:
    parts = (client.tenant, client.issuer, client.id, unsigned, browser)
    return crypto.derive(secrets.of("oidc", "state"), *parts).hex()


def _basic(client: Client) -> str:
    """RFC 6749, 2.3.1: both are form-encoded before they are joined."""
    pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()

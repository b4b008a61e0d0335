"""Is this ID token signed by the provider, for us, for this sign-in, and now? (OpenID Connect Core 1.0, 3.1.3.7)"""

from typing import Any

from veloflux.errors import SignInRefused
from veloflux.identity.oidc.provider import Provider, keys_of
from veloflux.kit import clock, crypto
from veloflux.settings import Settings

Claims = dict[str, Any]
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a key that the provider alone has: neither `none` nor HMAC, whatever the token says of itself."""
LEEWAY_S = 60
AGE_MAX_S = 600
SUBJECT_MAX = 255
TIMES = (("exp", None), ("iat", None), ("nbf", 0))


async def verified(settings: Settings, provider: Provider, client_id: str, nonce: str, token: str) -> Claims:
    """The claims of a token that passes.

    :raises SignInRefused: with what is wrong. :raises ProviderUnusable: the provider's keys cannot be had.
    """
    claims = await _signed(settings, provider, token)
    check(claims, provider.issuer, client_id, nonce, clock.now_ms() // 1000)
    return claims


def check(claims: Claims, issuer: str, client_id: str, nonce: str, now_s: int) -> None:
    """Hold what a token says against what is expected.

    :raises SignInRefused: with what is wrong.
    """
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != issuer:
        raise _refused("it was issued by another provider")
    if not isinstance(audiences, list) or client_id not in audiences:
        raise _refused("it was issued for another application")
    if claims.get("azp", client_id) != client_id or (len(audiences) > 1 and "azp" not in claims):
        raise _refused("another application asked for it")
    if not isinstance(claims.get("nonce"), str) or not crypto.equal(claims["nonce"], nonce):
        raise _refused("it belongs to another sign-in")
    _check_times(claims, now_s)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_MAX:
        raise _refused("it does not say who you are")


def _check_times(claims: Claims, now_s: int) -> None:
    expires, issued, begins = (_time(claims.get(name, absent)) for name, absent in TIMES)
    if now_s >= expires + LEEWAY_S or issued < now_s - AGE_MAX_S:
        raise _refused("its time is over")
    if issued > now_s + LEEWAY_S or begins > now_s + LEEWAY_S:
        raise _refused("its time has not come; the provider's clock or ours is wrong")


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("it does not say when it is valid")
    return value


async def _signed(settings: Settings, provider: Provider, token: str) -> Claims:
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError

    try:
        return jwt.decode(token, await keys_of(settings, provider), algorithms=ALGORITHMS).claims
    except InvalidKeyIdError:
        renewed = await keys_of(settings, provider, renewed=True)
    except (JoseError, ValueError, TypeError):
        raise _unsigned() from None
    try:
        return jwt.decode(token, renewed, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError):
        raise _unsigned() from None


def _unsigned() -> SignInRefused:
    return _refused("the provider did not sign it")


def _refused(why: str) -> SignInRefused:
    return SignInRefused(f"The provider's answer cannot be believed: {why}. Begin again")

"""What is not believed of a provider: forged tokens, answers of others, and ways back that were not begun here."""

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests import cast
from tests.identity.mails import mails, work
from tests.tenants.lying_provider import LyingProvider, lying
from tests.tenants.signing_in import Company, come, company, state_in, terms
from tests.whole_database import settled
from veloflux import tenants
from veloflux.context import Context
from veloflux.errors import NotFound, ProviderUnusable, SignInRefused
from veloflux.identity import oidc
from veloflux.identity.oidc import flow
from veloflux.kit import clock
from veloflux.tenants import SignInAnswer

NOW = clock.now_ms() // 1000
FAULTS = {
    "expired": {"exp": NOW - 61},
    "issued long ago": {"iat": NOW - 3_600},
    "issued tomorrow": {"iat": NOW + 86_400},
    "not yet valid": {"nbf": NOW + 3_600},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "never"},
    "an end that is true": {"exp": True},
    "another issuer": {"iss": "https://accounts.example.com"},
    "another audience": {"aud": "another application"},
    "several audiences and no party": {"aud": ["veloflux", "another application"]},
    "another party": {"aud": ["veloflux", "another"], "azp": "another"},
    "another nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "an unverified address": {"email_verified": False},
    "an address of which nothing is said": {"email_verified": None},
    "an address that is nearly verified": {"email_verified": "true"},
    "an address of another domain": {"email": "ana@example.com.evil.example"},
    "no address": {"email": None},
    "a strange address": {"email": "ana@"},
    "no group that is mapped": {"groups": ["guests"]},
    "groups of another form": {"groups": {"staff": True}},
}


@pytest.fixture
def provider() -> Iterator[LyingProvider]:
    oidc.forget()
    with lying() as started:
        yield started


@pytest.fixture
async def at(one_ctx: Context, provider: LyingProvider) -> Company:
    return await company(one_ctx, provider)


@pytest.mark.parametrize("claims", FAULTS.values(), ids=FAULTS)
async def test_a_token_with_a_fault_lets_nobody_in_and_writes_to_nobody(at: Company, claims: dict[str, Any]) -> None:
    with pytest.raises(SignInRefused):
        await come(at, **claims)
    await work(at.ctx)
    assert await mails(at.ctx) == []
    assert await come(at) is None, "the same without the fault is believed"


def _unsigned(provider: LyingProvider) -> Callable[[dict[str, Any]], str]:
    return lambda claims: f"{_part({'alg': 'none'})}.{_part(claims)}."


def _by_hmac(provider: LyingProvider) -> Callable[[dict[str, Any]], str]:
    """With what everybody knows, the public key, as a shared secret."""

    def sign(claims: dict[str, Any]) -> str:
        text = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
        mac = hmac.digest(provider.key.as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _by_another_key(provider: LyingProvider) -> Callable[[dict[str, Any]], str]:
    other = RSAKey.generate_key(2048, {"kid": "first"})
    return lambda claims: provider.signed(claims, other)


def _by_an_unknown_key(provider: LyingProvider) -> Callable[[dict[str, Any]], str]:
    other = RSAKey.generate_key(2048, {"kid": "second"})
    return lambda claims: provider.signed(claims, other, kid="second")


def _altered(provider: LyingProvider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        head, _, signature = provider.signed(claims).split(".")
        return ".".join((head, provider.signed(claims | {"sub": "0002"}).split(".")[1], signature))

    return sign


@pytest.mark.parametrize("forge", [_unsigned, _by_hmac, _by_another_key, _by_an_unknown_key, _altered])
async def test_a_token_that_the_provider_did_not_sign_is_refused(at: Company, forge: Any) -> None:
    at.provider.sign = forge(at.provider)
    with pytest.raises(SignInRefused):
        await come(at)


async def test_a_token_that_is_none_is_refused(at: Company) -> None:
    for text in ("", "a.b.c", "x" * 10_000, "{}"):
        at.provider.sign = lambda _, text=text: text
        with pytest.raises(SignInRefused):
            await come(at)


async def test_new_keys_are_fetched_when_a_token_names_one_but_not_for_every_forger(
    at: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await come(at)
    at.provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    at.provider.sign = lambda claims: at.provider.signed(claims, kid="second")
    for _ in range(3):
        with pytest.raises(SignInRefused):
            await come(at)
    assert at.provider.asked["/jwks"] == 1
    monkeypatch.setattr(oidc.provider, "REFETCH_S", 0.0)
    await come(at)
    assert at.provider.asked["/jwks"] == 2


async def test_a_way_back_is_taken_once(at: Company) -> None:
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    answer = SignInAnswer(**at.provider.send_back(started.url))
    await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser)
    with pytest.raises(SignInRefused, match="before"):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser)


async def test_a_way_back_that_another_browser_began_is_refused(at: Company) -> None:
    mine, theirs = [await tenants.begin_sso(cast.fresh(at.ctx), "acme") for _ in range(2)]
    for browser in ("", theirs.browser, "a" * 32):
        answer = SignInAnswer(**at.provider.send_back(mine.url))
        with pytest.raises(SignInRefused, match="another browser"):
            await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, browser)
    assert at.provider.forms == []


async def test_a_code_of_another_sign_in_is_worth_nothing(at: Company) -> None:
    """The thief has a code and puts it into a sign-in of their own: the provider misses their verifier."""
    victim, thief = [await tenants.begin_sso(cast.fresh(at.ctx), "acme") for _ in range(2)]
    stolen = SignInAnswer(state=state_in(thief.url), code=at.provider.send_back(victim.url)["code"])
    with pytest.raises(SignInRefused):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, stolen, thief.browser)


async def test_a_way_back_is_over_after_ten_minutes(at: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    answer = SignInAnswer(**at.provider.send_back(started.url))
    later = clock.now_ms() + flow.LIFE_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later)
    with pytest.raises(SignInRefused, match="over"):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser)


@pytest.mark.parametrize("state", ["", "x", "0" * 10 + "." + "a" * 32 + "." + "0" * 64, "a}:b{"])
async def test_a_state_that_we_did_not_make_is_refused(at: Company, state: str) -> None:
    with pytest.raises(SignInRefused):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, SignInAnswer(state=state, code="x"), "a" * 32)


async def test_the_answer_for_one_tenant_is_none_for_another(at: Company) -> None:
    """Globex has the same provider and client; what was begun for Acme does not end there."""
    globex = await cast.within(at.people.carol, at.people.globex)
    await tenants.set_oidc(globex, terms(at.provider), "x")
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    answer = SignInAnswer(**at.provider.send_back(started.url))
    with pytest.raises(SignInRefused):
        await tenants.finish_sso(cast.fresh(at.ctx), globex.tenant, answer, started.browser)


async def test_an_answer_of_another_issuer_is_refused_before_its_code_is_used(at: Company) -> None:
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    mixed_up = SignInAnswer(**at.provider.send_back(started.url), iss="https://evil.example")
    with pytest.raises(SignInRefused, match="another provider"):
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, mixed_up, started.browser)
    assert at.provider.forms == []


@pytest.mark.parametrize("error", ["access_denied", "server_error", "<script>alert(1)</script>"])
async def test_an_error_of_the_provider_is_told_in_our_words(at: Company, error: str) -> None:
    started = await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    answer = SignInAnswer(state=state_in(started.url), error=error)
    with pytest.raises(SignInRefused) as refused:
        await tenants.finish_sso(cast.fresh(at.ctx), at.acme.tenant, answer, started.browser)
    assert error not in str(refused.value)


async def test_asking_for_sign_ins_writes_nothing(at: Company) -> None:
    before = await settled(at.ctx.db)
    for _ in range(5):
        await tenants.begin_sso(cast.fresh(at.ctx), "acme")
    assert await settled(at.ctx.db) == before


async def test_unknown_unconfigured_and_disabled_companies_are_answered_alike(at: Company) -> None:
    await tenants.set_oidc(at.acme, terms(at.provider, enabled=False))
    told = set()
    for slug in ("acme", "globex", "nobodys", "platform", "", "../x", "ten_0"):
        with pytest.raises(NotFound) as refused:
            await tenants.begin_sso(cast.fresh(at.ctx), slug)
        told.add(str(refused.value))
    for tenant in (at.acme.tenant, at.people.globex.id, "ten_1", "ten_0", "x}"):
        with pytest.raises(NotFound) as refused:
            await tenants.finish_sso(cast.fresh(at.ctx), tenant, SignInAnswer(state="x", code="x"), "x")
        told.add(str(refused.value))
    assert len(told) == 1


ISSUER = "https://login.example.com"
WELL_KNOWN = "/.well-known/openid-configuration"
BROKEN = {
    "no configuration": (404, b"{}"),
    "no JSON": (200, b"<html>"),
    "no object": (200, b"[]"),
    "a part": (200, b'{"issuer": "x"}'),
    "too much": (200, b" " * 300_000 + b"{}"),
    "a redirect": (302, b"http://127.0.0.1:1/"),
    "another issuer": (
        200,
        json.dumps(
            {"issuer": ISSUER, "authorization_endpoint": ISSUER, "token_endpoint": ISSUER, "jwks_uri": ISSUER}
        ).encode(),
    ),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_a_broken_provider_is_described_to_who_tests_the_connection(
    at: Company, answer: tuple[int, bytes]
) -> None:
    report = await tenants.try_oidc(at.acme)
    assert (report.issuer, report.keys) == (at.provider.issuer, 1)
    at.provider.answers[WELL_KNOWN] = answer
    with pytest.raises(ProviderUnusable):
        await tenants.try_oidc(at.acme)


async def test_keys_that_cannot_be_read_are_the_providers_fault(at: Company) -> None:
    for body in (b"{}", b'{"keys": []}', b'{"keys": "x"}', b'{"keys": [{"kty": "RSA"}]}', b"x"):
        at.provider.answers["/jwks"] = (200, body)
        with pytest.raises(ProviderUnusable):
            await tenants.try_oidc(at.acme)


async def test_the_secret_travels_in_the_header_as_oauth_has_it(at: Company) -> None:
    await come(at)
    [form], [credentials] = at.provider.forms, at.provider.credentials
    assert "client_secret" not in form
    assert credentials == "Basic dmVsb2ZsdXg6YStjbGllbnQlMjdzK3NlY3JldCUzQSsxMDAlMjU="

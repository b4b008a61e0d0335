"""What a person has beside the password to prove who they are, and a sign-in that waits for it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from veloflux.db.documents import Entity, Owned, Secret

Method = Literal["totp", "passkey", "recovery_code"]


class Totp(Entity, frozen=True, kw_only=True):
    """An authenticator app. `counter` is the number of the last code that was accepted: none up to it is again."""

    sealed: Secret
    counter: int = 0
    created_at: int


class RecoveryCodes(Entity, frozen=True, kw_only=True):
    """Digests of those that were not used."""

    digests: Annotated[tuple[str, ...], Meta(extra={"trail": "secret"})]
    created_at: int


class Passkey(Entity, frozen=True, kw_only=True):
    """`id` is derived from `credential`, the authenticator's own id of it; that and the public key are in base64url.

    `sign_count` is how often it signed, where its authenticator counts; `name` is the person's own.
    """

    name: Owned
    credential: Owned
    public_key: Owned
    sign_count: int
    used_at: int | None = None
    created_at: int


class SignInChallenge(Entity, frozen=True, kw_only=True):
    """A sign-in whose first factors were proved, in the session epoch of then; `refused` counts wrong answers."""

    epoch: int
    proved: tuple[str, ...]
    refused: int = 0


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """All that a person has beside the password."""

    totp: Totp | None = None
    passkeys: tuple[Passkey, ...] = ()
    recovery_codes: RecoveryCodes | None = None

    @property
    def methods(self) -> list[Method]:
        """How the person can prove a second factor; recovery codes stand in for another one."""
        found: list[Method] = ["totp"] if self.totp else []
        if self.passkeys:
            found.append("passkey")
        if found and self.recovery_codes and self.recovery_codes.digests:
            found.append("recovery_code")
        return found


class FactorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody proves a second factor with: the code of an app, a recovery code, or what a passkey signed."""

    code: str = ""
    credential: dict[str, Any] | None = None


class TotpEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """Shown this once: the secret, and the URI that apps read from a QR code."""

    secret: str
    uri: str

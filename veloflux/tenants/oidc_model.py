"""A tenant's sign-in provider, and whom it knows. Times in epoch ms."""

from typing import Annotated

import msgspec

from veloflux.db.documents import OWNED, Entity, Owned, Secret

SCOPES = ("openid", "email", "profile")


class OidcTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a tenant's people sign in by its provider.

    The claims are those of the ID token that hold address, name and groups. `roles` maps a group to a role of the
    tenant; of several the first counts. `default_role` is for everybody else; "" refuses them. `domains` are those of
    the addresses that may sign in.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = SCOPES
    email_claim: str = "email"
    name_claim: str = "name"
    groups_claim: str = "groups"
    roles: dict[str, str] = msgspec.field(default_factory=dict)
    default_role: str = ""
    domains: tuple[str, ...]
    enabled: bool = False


class OidcConnection(Entity, frozen=True, kw_only=True):
    """The fields are as in `OidcTerms`; `client_secret` is sealed under the installation's secret."""

    issuer: Owned
    client_id: Owned
    client_secret: Secret
    scopes: tuple[str, ...]
    email_claim: str
    name_claim: str
    groups_claim: str
    roles: Annotated[dict[str, str], OWNED]
    default_role: str
    domains: Annotated[tuple[str, ...], OWNED]
    enabled: bool
    created_at: int

    @property
    def granted(self) -> set[str]:
        """All roles that somebody can get by it."""
        return {role for role in (*self.roles.values(), self.default_role) if role}


class OidcIdentity(Entity, frozen=True, kw_only=True):
    """Somebody whom the provider knows, and the account that is theirs. `id` is derived from issuer and subject."""

    user: str
    linked_at: int


class OidcLink(Entity, frozen=True, kw_only=True):
    """A first sign-in that its address has to confirm. `user` is the id of the account, if there has to be a new one.

    Masked in the trail, not sealed: within the hour it is gone, and the account keeps what there is to keep.
    """

    identity: str
    user: str
    email: Secret
    name: Secret
    created_at: int


class OidcReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys: int
    redirect_uri: str


class SignInAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider sends the browser back with."""

    state: str = ""
    code: str = ""
    error: str = ""
    iss: str = ""

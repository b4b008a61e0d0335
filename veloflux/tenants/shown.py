"""Invitations, API keys and providers without what nobody needs to see: digests and secrets."""

import msgspec

from veloflux.plans.catalogue import Rate
from veloflux.tenants.leaked_keys import LeakedKey
from veloflux.tenants.model import ApiKey, Invitation, NewApiKey
from veloflux.tenants.oidc_model import OidcConnection, OidcTerms


class InvitationShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times in epoch ms."""

    id: str
    email: str
    role: str
    status: str
    invited_by: str
    sent: int
    accepted_by: str
    created_at: int
    expires_at: int

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationShown":
        return msgspec.convert(invitation, cls, from_attributes=True)


class ApiKeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times in epoch ms."""

    id: str
    name: str
    prefix: str
    role: str
    kind: str
    permissions: tuple[str, ...] | None
    expires_at: int | None
    addresses: tuple[str, ...]
    origins: tuple[str, ...]
    metadata: dict[str, str]
    rates: tuple[Rate, ...]
    used_at: int | None
    successor: str
    status: str
    created_by: str
    created_at: int
    revoked_at: int | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyShown":
        return msgspec.convert(key, cls, from_attributes=True)


class LeakedKeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it was; `tenant` is the id."""

    tenant: str
    slug: str
    key: ApiKeyShown

    @classmethod
    def of(cls, leaked: LeakedKey) -> "LeakedKeyShown":
        return cls(tenant=leaked.tenant.id, slug=leaked.tenant.slug, key=ApiKeyShown.of(leaked.key))


class ApiKeyCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The token is shown this once."""

    token: str
    key: ApiKeyShown

    @classmethod
    def of(cls, new: NewApiKey) -> "ApiKeyCreated":
        return cls(token=new.token, key=ApiKeyShown.of(new.key))


class OidcShown(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in provider without its secret; `id` is "" where a tenant has none. `redirect_uri` is for the provider."""

    id: str
    redirect_uri: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    email_claim: str
    name_claim: str
    groups_claim: str
    roles: dict[str, str]
    default_role: str
    domains: tuple[str, ...]
    enabled: bool

    @classmethod
    def of(cls, connection: OidcConnection | None, redirect_uri: str) -> "OidcShown":
        shown = connection or OidcTerms(issuer="", client_id="", domains=())
        fields = {name: getattr(shown, name) for name in OidcTerms.__struct_fields__}
        return cls(id=connection.id if connection else "", redirect_uri=redirect_uri, **fields)

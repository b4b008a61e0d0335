"""What routes, commands and pages show of a tenant: without what nobody needs to see, such as digests and secrets."""

import msgspec

from veloflux.plans.catalogue import Meter, Rate
from veloflux.tenants import record_fields
from veloflux.tenants.leaked_keys import LeakedKey
from veloflux.tenants.model import ApiKey, Invitation, NewApiKey, NewToken, TenantRecord, Token
from veloflux.tenants.oidc_model import OidcConnection, OidcTerms
from veloflux.tenants.roles import Role


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


class RoleShown(msgspec.Struct, frozen=True, kw_only=True):
    """`custom`: the tenant made it itself, and can change it."""

    name: str
    description: str
    permissions: tuple[str, ...]
    custom: bool

    @classmethod
    def of(cls, role: Role) -> "RoleShown":
        return msgspec.convert(role._asdict(), cls)


class RecordShown(msgspec.Struct, frozen=True, kw_only=True):
    """`tax_id` and `postal_code` as people write them."""

    legal_name: str
    tax_id: str
    billing_email: str
    country: str
    postal_code: str
    street: str
    number: str
    complement: str
    district: str
    city: str
    state: str
    industry: str
    region: str
    metadata: dict[str, str]

    @classmethod
    def of(cls, record: TenantRecord) -> "RecordShown":
        shown = msgspec.convert(record, cls, from_attributes=True)
        return msgspec.structs.replace(
            shown,
            tax_id=record_fields.tax_id_shown(record.tax_id),
            postal_code=record_fields.postal_code_shown(record.postal_code, record.country),
        )


class TokenShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times in epoch ms."""

    id: str
    permissions: tuple[str, ...]
    subject: str
    made_by: str
    created_at: int
    expires_at: int

    @classmethod
    def of(cls, token: Token) -> "TokenShown":
        return msgspec.convert(token, cls, from_attributes=True)


class TokenCreated(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is shown this once; `shown` is what lists have of it."""

    token: str
    shown: TokenShown

    @classmethod
    def of(cls, new: NewToken) -> "TokenCreated":
        return cls(token=new.token, shown=TokenShown.of(new.shown))


class Meters(msgspec.Struct, frozen=True, kw_only=True):
    """`former` has the earlier versions, whose usage stays as it was counted."""

    meters: tuple[Meter, ...]
    former: tuple[Meter, ...]

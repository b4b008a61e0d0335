"""A tenant, its members, invitations and API keys. Times are real, in epoch ms, whatever the tenant's clock shows."""

from typing import Annotated, Literal

import msgspec

from veloflux.db.documents import OWNED, Entity, Owned, Personal, Secret
from veloflux.identity import Language
from veloflux.plans.catalogue import Rate

Mode = Literal["live", "sandbox"]
KeyKind = Literal["secret", "publishable"]
Status = Literal["active", "suspended", "archived", "deleting", "deleted"]
IN_USE = ("active", "suspended")
TO_RESTORE = ("archived", "deleting")


class CustomRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a tenant made itself; its name is the key in `Tenant.roles`."""

    description: str = ""
    permissions: tuple[str, ...]


class Tenant(Entity, frozen=True, kw_only=True):
    """`zone` is an IANA name, `currency` ISO 4217; `clock` see kit.clock; `owners` counts the members that head it.

    `roles` are the tenant's own: whoever reads the tenant to authorise has them without asking again.
    Who deletes a tenant destroys the key by which the trail has sealed what it was called.

    `suspended_for` is the operator's reason, until the suspension ends; `delete_at` is set while `status` is deleting.
    `requires_second_factor` of the sessions of its people. `origins` are those whose pages may use its keys and tokens.
    `subscription` is the one whose plan it has, "" while operators say which. `fails_open`: a check that cannot be
    decided lets pass. On `billing_anchor` (ISO date) a billing period begins, and each month from it; ""
    is the first of the month.
    """

    slug: Personal
    name: Personal
    plan: str = "free"
    subscription: str = ""
    zone: str = "America/Sao_Paulo"
    currency: str = "BRL"
    language: Language = "pt-BR"
    mode: Mode = "live"
    status: Status = "active"
    suspended_for: Personal = ""
    delete_at: int | None = None
    clock: str = ""
    owners: int = 0
    roles: Annotated[dict[str, CustomRole], OWNED] = msgspec.field(default_factory=dict)
    requires_second_factor: bool = False
    origins: Annotated[tuple[str, ...], OWNED] = ()
    fails_open: bool = False
    billing_anchor: str = ""
    created_at: int


class TenantRecord(Entity, frozen=True, kw_only=True):
    """The rest of what is known of a tenant; "" is unknown. `tax_id` is a CNPJ or CPF without its punctuation."""

    legal_name: Personal = ""
    tax_id: Personal = ""
    billing_email: Personal = ""
    country: Personal = "BR"
    postal_code: Personal = ""
    street: Personal = ""
    number: Personal = ""
    complement: Personal = ""
    district: Personal = ""
    city: Personal = ""
    state: Personal = ""
    industry: Personal = ""
    region: Personal = ""
    metadata: Annotated[dict[str, str], OWNED] = msgspec.field(default_factory=dict)


class Member(Entity, frozen=True, kw_only=True):
    """`id` is the person's."""

    role: str
    joined_at: int


class Invitation(Entity, frozen=True, kw_only=True):
    """`email_digest` is that of the only account that may accept; only the link that was sent last counts."""

    email: Personal
    email_digest: Personal
    role: str
    status: Literal["pending", "accepted", "revoked"] = "pending"
    invited_by: str
    sent: int = 1
    accepted_by: str = ""
    created_at: int
    expires_at: int


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an API key is good for: some of its role's permissions (None: all), until when (epoch ms), from where.

    `addresses` are IP networks, `origins` of the web are for publishable keys; none means everywhere. `metadata` is the
    tenant's own. `rates` are limits of this key alone, beside those of the plan.
    """

    permissions: tuple[str, ...] | None = None
    expires_at: int | None = None
    addresses: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    rates: tuple[Rate, ...] = ()


class ApiKey(Entity, frozen=True, kw_only=True):
    """`id` is derived from `digest`, the SHA-256 of the secret; `prefix` is how the token begins.

    The fields of its terms are as in `KeyTerms`. `used_at` is at most a minute late; `successor` is the key that
    rotation put in its place.
    """

    name: Owned
    prefix: str
    digest: Secret
    role: str
    kind: KeyKind = "secret"
    permissions: tuple[str, ...] | None = None
    expires_at: int | None = None
    addresses: Annotated[tuple[str, ...], OWNED] = ()
    origins: Annotated[tuple[str, ...], OWNED] = ()
    metadata: Annotated[dict[str, str], OWNED] = msgspec.field(default_factory=dict)
    rates: tuple[Rate, ...] = ()
    used_at: int | None = None
    successor: str = ""
    status: Literal["active", "revoked"] = "active"
    created_by: str
    created_at: int
    revoked_at: int | None = None


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """The token is shown this once; only a digest of its secret is kept."""

    key: ApiKey
    token: str


class Token(Entity, frozen=True, kw_only=True):
    """`id` is derived from `digest`; `subject` is the tenant's own word for whom it is made for; `made_by` is an API
    key, a member, or who sat at the terminal.
    """

    digest: Secret
    permissions: tuple[str, ...]
    subject: Owned = ""
    made_by: str
    created_at: int
    expires_at: int


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """The token is shown this once."""

    token: str
    shown: Token


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """How far tenants follow a version of the catalogue; `left` have a plan that it lacks, and their former policy.

    Times are epoch ms; `finished_at` is None as long as the walk goes on. `archived` says which list it is in.
    """

    version: int
    done: int = 0
    left: int = 0
    archived: bool = False
    cursor: str = ""
    began_at: int = 0
    finished_at: int | None = None


class MemberProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A member as others see them."""

    id: str
    name: str
    email: str
    role: str
    joined_at: int

"""Every event: its name and its payload. What a commit says here is the audit trail and the outbox in one.

Payloads hold ids, never personal data: names, addresses and e-mails stay in the entities.
"""

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A subclass's `name` is `<noun>.<what happened>`."""

    name: ClassVar[str]


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in its owner's stream.

    `at` is the time of the tenant's clock in epoch ms; `changes` maps `entity id` to `{field: [before, after]}`;
    secrets are masked, and a third element, `"sealed"`, says that both are sealed with the data key of the entity.
    `address` is sealed with the data key of `person`.
    """

    id: str
    owner: str
    name: str
    at: int
    actor: str
    request: str
    data: dict[str, object]
    changes: dict[str, dict[str, list[str | None]]]
    address: str = ""
    person: str = ""


# Jobs


class JobDied(Event, frozen=True, kw_only=True):
    """A job failed for the last time."""

    name = "job.died"
    job: str
    kind: str
    attempts: int


class JobRetried(Event, frozen=True, kw_only=True):
    """Someone sent a dead job back to work."""

    name = "job.retried"
    job: str
    kind: str


# Identity


class RegistrationStarted(Event, frozen=True, kw_only=True):
    """Somebody signed up; the worker sends the link that confirms the address."""

    name = "registration.started"
    registration: str


class RegistrationRepeated(Event, frozen=True, kw_only=True):
    """Somebody signed up with the address of this person, whom the worker tells."""

    name = "registration.repeated"
    user: str


class UserRegistered(Event, frozen=True, kw_only=True):
    """A person came into being, with an address that is theirs."""

    name = "user.registered"
    user: str


class PasswordResetRequested(Event, frozen=True, kw_only=True):
    """Somebody forgot this person's password; the worker sends the link that sets a new one."""

    name = "password_reset.requested"
    link: str


class UserPasswordChanged(Event, frozen=True, kw_only=True):
    """A person has a new password, and is told so; sessions were ended."""

    name = "user.password_changed"

    user: str


class UserPasswordRehashed(Event, frozen=True, kw_only=True):
    """A person logged in whose password was hashed in another way than new ones are; the password is the same."""

    name = "user.password_rehashed"

    user: str


class SessionStarted(Event, frozen=True, kw_only=True):
    """A person logged in; with a new device, from where they were not seen before, they get an e-mail."""

    name = "session.started"
    session: str
    device: str
    new_device: bool


class SessionEnded(Event, frozen=True, kw_only=True):
    """A person logged out, or ended one of their sessions."""

    name = "session.ended"
    session: str


class UserSessionsEnded(Event, frozen=True, kw_only=True):
    """A person ended all their sessions, or all but the one kept."""

    name = "user.sessions_ended"
    user: str
    kept: str


# Tenants


class TenantCreated(Event, frozen=True, kw_only=True):
    """A tenant came into being."""

    name = "tenant.created"
    tenant: str


class TenantClockSet(Event, frozen=True, kw_only=True):
    """A sandbox tenant's clock was moved, stopped, or set back to real time."""

    name = "tenant.clock_set"
    tenant: str
    clock: str


class TenantRenamed(Event, frozen=True, kw_only=True):
    """A tenant has another name or slug; `former_slug` is what it gave up, or ""."""

    name = "tenant.renamed"
    tenant: str
    former_slug: str


class TenantSuspended(Event, frozen=True, kw_only=True):
    """The operator suspended a tenant; the trail has the reason."""

    name = "tenant.suspended"
    tenant: str


class TenantResumed(Event, frozen=True, kw_only=True):
    """The operator ended a suspension."""

    name = "tenant.resumed"
    tenant: str


class TenantArchived(Event, frozen=True, kw_only=True):
    """A tenant can only be read from now on."""

    name = "tenant.archived"
    tenant: str


class TenantDeletionRequested(Event, frozen=True, kw_only=True):
    """A tenant will be deleted at this time (epoch ms) unless it is restored."""

    name = "tenant.deletion_requested"
    tenant: str
    delete_at: int


class TenantRestored(Event, frozen=True, kw_only=True):
    """A tenant came back from the archive, or from the way to its deletion."""

    name = "tenant.restored"
    tenant: str


class TenantDeleted(Event, frozen=True, kw_only=True):
    """A tenant is gone for good; what belongs to it is removed now, and its slug `former_slug` is free."""

    name = "tenant.deleted"
    tenant: str
    former_slug: str


class MemberJoined(Event, frozen=True, kw_only=True):
    """A person became a member."""

    name = "member.joined"
    user: str
    role: str


class MemberRemoved(Event, frozen=True, kw_only=True):
    """A person is a member no longer."""

    name = "member.removed"
    user: str


class OwnershipTransferred(Event, frozen=True, kw_only=True):
    """An owner became admin, and another member owner in their place."""

    name = "ownership.transferred"
    giver: str
    taker: str


class OperatorCreated(Event, frozen=True, kw_only=True):
    """A person became an operator of this installation."""

    name = "operator.created"
    user: str


class InvitationCreated(Event, frozen=True, kw_only=True):
    """Somebody was invited; the worker sends the e-mail."""

    name = "invitation.created"
    invitation: str
    role: str


class InvitationAccepted(Event, frozen=True, kw_only=True):
    """The invited person accepted."""

    name = "invitation.accepted"
    invitation: str
    user: str


class InvitationRevoked(Event, frozen=True, kw_only=True):
    """An invitation can be accepted no longer."""

    name = "invitation.revoked"
    invitation: str


class OidcConnectionSet(Event, frozen=True, kw_only=True):
    """A tenant's connection to its sign-in provider was made, changed, enabled or disabled."""

    name = "oidc.connection_set"
    connection: str


class OidcConnectionRemoved(Event, frozen=True, kw_only=True):
    """A tenant has no connection to a sign-in provider any more."""

    name = "oidc.connection_removed"
    connection: str


class OidcLinkRequested(Event, frozen=True, kw_only=True):
    """Somebody whom a tenant's provider knows signed in for the first time; the worker asks their address."""

    name = "oidc.link_requested"
    link: str


class OidcLinked(Event, frozen=True, kw_only=True):
    """A person confirmed that whom a tenant's provider knows is them."""

    name = "oidc.linked"
    identity: str
    user: str


class MemberRoleMapped(Event, frozen=True, kw_only=True):
    """A member signed in by the tenant's provider, and has the role that follows from what it said."""

    name = "member.role_mapped"
    user: str
    role: str


class ApiKeyCreated(Event, frozen=True, kw_only=True):
    """An API key was made."""

    name = "api_key.created"
    key: str
    role: str


class ApiKeyRotated(Event, frozen=True, kw_only=True):
    """An API key was given a successor, and ends itself: at once, or after the overlap."""

    name = "api_key.rotated"
    key: str
    successor: str


class ApiKeyRevoked(Event, frozen=True, kw_only=True):
    """An API key is refused from now on."""

    name = "api_key.revoked"
    key: str


# Usage


class UsageImported(Event, frozen=True, kw_only=True):
    """An access log was imported, or the part of it until the import was interrupted."""

    name = "usage.imported"
    read: int
    recorded: int
    duplicates: int
    bad: int
    bytes: int
    complete: bool

"""Every Redis key: one function each, whose docstring is its entry in the registry (`docs/data-layout.md`).

It reads `type | life | slice | meaning | whose`. Nobody else spells a key. In braces stands the owner, so that all of
one tenant's (or one person's) data shares one slot of a cluster. A part that could leave its place in a key (`:`, `{`,
`}`) is refused here, before Redis is asked.

`whose` says of whom the key holds something, and what becomes of it when they take their data along or are erased:

    nobody                                                       it holds nothing of a person or tenant
    <person|tenant|owner>: <exported|not exported>; <at their end>   `owner`: of a person or of a tenant

`exported` can leave secrets out: `exported without digest, token`. `not exported` is what tells its subject nothing: an
index, a lease, a wrapped key. At their end a key is `deleted` (of a list or a global key: their entry), `pseudonymised`
(the id stays), `kept` (it holds ids and sealed values alone), or `passing`: its own TTL ends it, within 30 days, and it
holds ids and digests alone. `veloflux/personal_data` walks the keys and does what stands here.
"""

import binascii
import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from veloflux.errors import IdInvalid, NameInvalid
from veloflux.kit.ids import ID

SLOTS = 16_384
WAKE_CHANNEL = "vf:wake"
EVERY_USER = "vf:user:{*}"
"""A glob that only the documents of people match."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
DATE = re.compile(r"\d{4}-\d\d(?:-\d\d)?")
SPAN = re.compile(r"\d{4}-\d\d(?:-\d\d(?:t\d\d)?)?")
QUOTA_PERIOD = re.compile(r"[dmb]\d{4}-\d\d(?:-\d\d)?|life")
PLACE = re.compile(r"<([a-z_]+)>")


class Entry(NamedTuple):
    """One row of the registry."""

    name: str
    pattern: str
    type: str
    life: str
    slice: str
    meaning: str
    whose: str

    @property
    def rule(self) -> "Rule":
        """What stands in `whose`."""
        subject, _, rest = self.whose.partition(": ")
        exported, _, end = rest.partition("; ")
        done, _, without = exported.partition(" without ")
        return Rule(subject, done == "exported", tuple(without.split(", ")) if without else (), end)

    def glob(self, **parts: str) -> str:
        """What matches the names of such keys whose parts are these, the others being any.

        >>> entry("member").glob(user="usr_1")
        'vf:tenant:{*}:member:usr_1'
        """
        assert all(ID.fullmatch(part) for part in parts.values())
        return PLACE.sub(lambda place: parts.get(place[1], "*"), self.pattern)

    def matches(self, key: str) -> bool:
        """Whether a key is one of these."""
        return bool(_matcher(self.pattern).fullmatch(key))


class Rule(NamedTuple):
    """Whose a key is (`nobody`, `person`, `tenant`, `owner`), whether it is exported, without which fields of its hash,
    and what becomes of it at their end."""

    subject: str
    exported: bool
    without: tuple[str, ...]
    end: str


class _Placeholder(str):
    """Stands for a part while the registry is printed."""

    __slots__ = ()


def _id(part: str) -> str:
    if not ID.fullmatch(part) and not isinstance(part, _Placeholder):
        raise IdInvalid(f"{part[:60]!r} is not an id")
    return part


def _name(part: str) -> str:
    if not NAME.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not a name: a letter, then letters, digits and _, all small, at most 64")
    return part


def _date(part: str) -> str:
    if not DATE.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not a date")
    return part


def _span(part: str) -> str:
    if not SPAN.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not a month, a date or an hour")
    return part


def _quota_period(part: str) -> str:
    if not QUOTA_PERIOD.fullmatch(part) and not isinstance(part, _Placeholder):
        raise NameInvalid(f"{part[:60]!r} is not the period of a quota")
    return part


_remembered = functools.lru_cache(10_000, typed=True)  # a placeholder is no owner's id, though it may equal one


def slot(key: str) -> int:
    """The cluster slot of a key, 0 to 16,383 (CRC-16/XMODEM of the hash tag; Redis Cluster specification).

    >>> slot("foo"), slot("x{foo}y")
    (12182, 12182)
    """
    start = key.find("{")
    end = key.find("}", start + 1) if start >= 0 else -1
    return binascii.crc_hqx((key[start + 1 : end] if end > start + 1 else key).encode(), 0) % SLOTS


@functools.cache
def tags() -> tuple[str, ...]:
    """For each slot the smallest number that hashes to it: the hash tag of that slot's due set."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < SLOTS:
        at = binascii.crc_hqx(b"%d" % number, 0) % SLOTS
        if at not in found:
            found[at] = str(number)
        number += 1
    return tuple(found[at] for at in range(SLOTS))


# The installation


def meta() -> str:
    """hash | no ttl | db | version of the data, id of the installation
    | nobody"""
    return "vf:meta"


def name(kind: str, digest: str) -> str:
    """string | no ttl | db | claim on a global name (e-mail, slug): JSON of owner, token, since, state
    | owner: not exported; deleted"""
    return f"vf:name:{_name(kind)}:{_id(digest)}"


@_remembered
def due(owner: str) -> str:
    """zset | no ttl | worker | when to look at an owner's events, or to run its job; one set a cluster slot
    | owner: not exported; deleted"""
    return f"vf:due:{{{owner}}}" if isinstance(owner, _Placeholder) else due_of_slot(slot(_id(owner)))


def due_of_slot(at: int) -> str:
    """The due set of all owners whose keys are in a slot."""
    return f"vf:due:{{{tags()[at]}}}"


def workers() -> str:
    """zset | no ttl | worker | workers by the time they were last seen
    | nobody"""
    return "vf:workers"


def poll_lease() -> str:
    """string | 5 seconds | worker | which worker polls all due sets
    | nobody"""
    return "vf:poll_lease"


def attempts_from(form: str, place: str) -> str:
    """hash | 1 hour | identity | attempts at a form from one address, or invitations of one tenant
    | nobody"""
    return f"vf:attempts:{_name(form)}:{{{_id(place)}}}"


def pace(place: str) -> str:
    """string | until the limit is whole again | identity | the calls of one address that nobody signed for
    | nobody"""
    return f"vf:pace:{{{_id(place)}}}"


def users() -> str:
    """zset | no ttl | identity | every person by the time of registration; kept from events
    | person: not exported; deleted"""
    return "vf:users"


def users_search() -> str:
    """zset | no ttl | identity | e-mails and names, folded, in clear text: `text NUL person`; kept from events
    | person: not exported; deleted"""
    # The one key with personal values outside their person's slot: a search by prefix needs them readable. What a
    # person has here is listed in `user_search`, by which an erasure takes it out.
    return "vf:users:search"


def tenants() -> str:
    """zset | no ttl | tenants | every tenant that is in use, by the time of creation; kept from events
    | tenant: not exported; deleted"""
    return "vf:tenants"


def tenants_archived() -> str:
    """zset | no ttl | tenants | tenants that are archived or wait for deletion, by creation; kept from events
    | tenant: not exported; deleted"""
    return "vf:tenants:archived"


def jobs_dead() -> str:
    """zset | no ttl | worker | dead jobs of all owners, `owner/job`, by the time of death; kept from events
    | owner: not exported; deleted"""
    return "vf:jobs:dead"


def owners_stopped() -> str:
    """zset | no ttl | worker | owners whose events wait for an ordered handler that fails, by the time they stopped
    | owner: not exported; passing"""
    return "vf:outbox:stopped"


def near_limits() -> str:
    """zset | no ttl, entries until their period ends | limits | quotas that are near their limit, `tenant/meter/period`
    of all tenants, by the highest threshold reached; kept from events | tenant: not exported; deleted"""
    return "vf:limits:near"


def near_limits_ends() -> str:
    """zset | no ttl, entries until then | limits | the same quotas, by the end of their period
    | tenant: not exported; deleted"""
    return "vf:limits:near:ends"


def near_member(tenant_: str, meter: str, period: str) -> str:
    """The member of a quota in those lists."""
    return f"{_id(tenant_)}/{_name(meter)}/{_quota_period(period)}"


def ledger_check() -> str:
    """hash | no ttl | ledger | the last check of all ledgers: when, how many postings, how many figures are wrong
    | nobody"""
    return "vf:ledger:check"


def watched_spend() -> str:
    """zset | no ttl | billing | subscriptions with alerts or spend caps, `tenant/subscription` of all tenants; kept
    from events | tenant: not exported; deleted"""
    return "vf:spend:watched"


def watched_member(tenant_: str, subscription: str) -> str:
    """The member of a subscription in that list."""
    return f"{_id(tenant_)}/{_id(subscription)}"


# Any owner: a tenant or a person


@_remembered
def owner(owner: str) -> str:
    """hash | no ttl | tenants, identity | the owner's own document, which also carries its names
    | owner: exported; pseudonymised"""
    kind = "user" if owner.startswith(("usr_", "<user>")) else "tenant|user" if owner == "<owner>" else "tenant"
    return f"vf:{kind}:{{{_id(owner)}}}"


def events(owner_: str) -> str:
    """stream | no ttl | audit | the owner's events in order: audit trail and outbox in one
    | owner: exported; kept"""
    return f"{owner(owner_)}:events"


def done(owner_: str, commit: str) -> str:
    """string | 10 minutes | db | ids of the events of a commit that is done, for its replay
    | owner: not exported; passing"""
    return f"{owner(owner_)}:done:{_id(commit)}"


def outbox(owner_: str) -> str:
    """hash | no ttl | worker | cursor: the last event handled; failures: how often the next one failed; stopped: by
    | owner: not exported; kept"""
    return f"{owner(owner_)}:outbox"


def effect(owner_: str, effect: str) -> str:
    """string | 30 days | worker | an event of another owner has taken effect here: not a second time
    | owner: not exported; passing"""
    return f"{owner(owner_)}:effect:{_id(effect)}"


def fence(owner_: str, token: str) -> str:
    """string | 1 day | db | a claim on a name that may no longer be committed
    | owner: not exported; passing"""
    return f"{owner(owner_)}:fence:{_id(token)}"


def job(owner_: str, job: str) -> str:
    """hash | no ttl, deleted when done | worker | kind, payload, state, attempts, run_at, last error
    | owner: exported; deleted"""
    return f"{owner(owner_)}:job:{_id(job)}"


def jobs(owner_: str) -> str:
    """zset | no ttl | worker | the owner's jobs, waiting and dead, by the time they were made
    | owner: not exported; deleted"""
    return f"{owner(owner_)}:jobs"


def data_key(owner_: str, subject: str) -> str:
    """string | no ttl | audit | key, wrapped, of the personal data of a person or invitation; its end is the erasure
    | owner: not exported; deleted"""
    return f"{owner(owner_)}:data_key:{_id(subject)}"


# A person


def user(user: str) -> str:
    """hash | no ttl | identity | name, e-mail, password hash, status, session epoch
    | person: exported without password_hash, email_digest; pseudonymised"""
    return owner(user)


def registration(user_: str) -> str:
    """hash | 1 day | identity | who signed up: name, e-mail, password hash; until the address is confirmed
    | person: exported without password_hash, email_digest; deleted"""
    return f"{user(user_)}:registration"


def reset_link(user_: str, link: str) -> str:
    """hash | 1 hour, of a new account 7 days | identity | sets a password: the session epoch in which it counts
    | person: exported; deleted"""
    return f"{user(user_)}:reset_link:{_id(link)}"


def email_change(user_: str) -> str:
    """hash | 1 day | identity | the address that a person wants, and which of the two mailboxes has confirmed it
    | person: exported; deleted"""
    return f"{user(user_)}:email_change"


def user_search(user_: str) -> str:
    """set | no ttl | identity | the person's entries in the search index, so that they can be taken out of it
    | person: not exported; deleted"""
    return f"{user(user_)}:search"


def impersonation(user_: str, impersonation: str) -> str:
    """hash | no ttl | identity | who acted as the person, why, until when
    | person: exported; deleted"""
    return f"{user(user_)}:impersonation:{_id(impersonation)}"


def session(user_: str, session: str) -> str:
    """hash | 14 days idle, 90 absolute | identity | one log-in; its id is derived from the SHA-256 of its secret
    | person: exported; deleted"""
    return f"{user(user_)}:session:{_id(session)}"


def sessions(user_: str) -> str:
    """zset | no ttl | identity | a person's sessions by the time of log-in
    | person: not exported; deleted"""
    return f"{user(user_)}:sessions"


def totp(user_: str) -> str:
    """hash | no ttl | identity | secret, sealed, of a person's authenticator app; number of the last code accepted
    | person: exported without sealed; deleted"""
    return f"{user(user_)}:totp"


def totp_pending(user_: str) -> str:
    """hash | 1 hour | identity | an authenticator app that was not confirmed yet
    | person: exported without sealed; deleted"""
    return f"{user(user_)}:totp_pending"


def recovery_codes(user_: str) -> str:
    """hash | no ttl | identity | digests of the recovery codes that a person has left
    | person: exported without digests; deleted"""
    return f"{user(user_)}:recovery_codes"


def passkey(user_: str, passkey: str) -> str:
    """hash | no ttl | identity | a passkey: name, credential id, public key, how often it signed, last use
    | person: exported; deleted"""
    return f"{user(user_)}:passkey:{_id(passkey)}"


def passkeys(user_: str) -> str:
    """zset | no ttl | identity | a person's passkeys by the time they were added
    | person: not exported; deleted"""
    return f"{user(user_)}:passkeys"


def passkey_challenge(user_: str, challenge: str) -> str:
    """string | 5 minutes | identity | a challenge that a passkey has answered: not a second time
    | person: not exported; deleted"""
    return f"{user(user_)}:passkey_challenge:{_id(challenge)}"


def sign_in_challenge(user_: str, challenge: str) -> str:
    """hash | 5 minutes | identity | a sign-in that waits for its second factor; its id is derived from its secret
    | person: not exported; deleted"""
    return f"{user(user_)}:sign_in_challenge:{_id(challenge)}"


def known_places(user_: str) -> str:
    """zset | no ttl | identity | digests of the addresses and devices a person signed in from, by the last time
    | person: exported; deleted"""
    return f"{user(user_)}:places"


def attempts_here(user_: str, form: str, place: str) -> str:
    """hash | 1 hour | identity | attempts at a form for a person, or for nobody, from one address or tenant
    | person: exported; deleted"""
    return f"{user(user_)}:attempts:{_name(form)}:{_id(place)}"


def attempts_elsewhere(user_: str, form: str) -> str:
    """hash | 1 hour | identity | attempts at a form from unknown addresses, or messages to a mailbox
    | person: exported; deleted"""
    return f"{user(user_)}:attempts:{_name(form)}"


def user_tenants(user_: str) -> str:
    """hash | no ttl | tenants | tenant -> role; kept from events, authorises nothing
    | person: exported; deleted"""
    return f"{user(user_)}:tenants"


# A tenant


def tenant(tenant: str) -> str:
    """hash | no ttl | tenants | slug, name, plan, zone, currency, language, mode, status, custom roles
    | tenant: exported; pseudonymised"""
    return owner(tenant)


def tenant_record(tenant_: str) -> str:
    """hash | no ttl | tenants | legal name, CNPJ or CPF, address, billing e-mail, industry, region, metadata
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:record"


def setup(tenant_: str) -> str:
    """string | 1 hour | tenants | SHA-256 of the one-time link that creates the operator
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:setup"


def member(tenant_: str, user_: str) -> str:
    """hash | no ttl | tenants | a person's role in the tenant: the only place that decides it
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:member:{_id(user_)}"


def members(tenant_: str) -> str:
    """zset | no ttl | tenants | a tenant's members by the time they joined
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:members"


def role_holders(tenant_: str, role: str) -> str:
    """zset | no ttl, gone with the last holder | tenants | members, invitations and API keys that have a custom role
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:role_holders:{_name(role)}"


def invitation(tenant_: str, invitation: str) -> str:
    """hash | no ttl | tenants | e-mail, role, status, expiry
    | tenant: exported without email_digest; deleted"""
    return f"{tenant(tenant_)}:invitation:{_id(invitation)}"


def invitations(tenant_: str) -> str:
    """zset | no ttl | tenants | invitations by the time they were made
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:invitations"


def api_key(tenant_: str, api_key: str) -> str:
    """hash | no ttl | tenants | name, prefix, SHA-256 of the secret, role, kind, status, permissions, terms
    | tenant: exported without digest; deleted"""
    return f"{tenant(tenant_)}:api_key:{_id(api_key)}"


def api_keys(tenant_: str) -> str:
    """zset | no ttl | tenants | API keys by the time they were made
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:api_keys"


def oidc(tenant_: str) -> str:
    """hash | no ttl | tenants | sign-in provider: issuer, client, sealed secret, claims, role of each group, domains
    | tenant: exported without client_secret; deleted"""
    return f"{tenant(tenant_)}:oidc"


def oidc_identity(tenant_: str, identity: str) -> str:
    """hash | no ttl | tenants | whose account it is whom the provider knows; id derived from issuer and subject
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:oidc_identity:{_id(identity)}"


def oidc_identities(tenant_: str) -> str:
    """zset | no ttl | tenants | a tenant's linked identities by the time they were linked
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:oidc_identities"


def oidc_link(tenant_: str, link: str) -> str:
    """hash | 1 hour | tenants | a first sign-in that waits for its address to confirm it: identity, e-mail, name
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:oidc_link:{_id(link)}"


def oidc_state(tenant_: str, state: str) -> str:
    """string | 10 minutes | tenants | a way back from the provider that was taken: not a second time
    | tenant: not exported; passing"""
    return f"{tenant(tenant_)}:oidc_state:{_id(state)}"


def token(tenant_: str, token: str) -> str:
    """hash | 1 day at most | tenants | a short-lived token: SHA-256 of its secret, permissions, subject, maker
    | tenant: exported without digest; deleted"""
    return f"{tenant(tenant_)}:token:{_id(token)}"


def tokens(tenant_: str) -> str:
    """zset | no ttl | tenants | short-lived tokens by their end; what is over leaves when the next one is made
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:tokens"


def schedule(tenant_: str, schedule: str) -> str:
    """hash | no ttl | worker | next_at of a schedule
    | nobody"""
    return f"{tenant(tenant_)}:schedule:{_name(schedule)}"


def catalogue(tenant_: str) -> str:
    """hash | no ttl | plans | the catalogue in force, of the operators: version, JSON text
    | nobody"""
    return f"{tenant(tenant_)}:catalogue"


def rollout(tenant_: str) -> str:
    """hash | no ttl | plans | how far the policies of all tenants follow the catalogue: its version, cursor, counts
    | nobody"""
    return f"{tenant(tenant_)}:rollout"


def overrides(tenant_: str) -> str:
    """hash | no ttl | limits | quotas, rates and features that a tenant has beside its plan, each with its end
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:overrides"


def billing_schedule(tenant_: str) -> str:
    """hash | no ttl | limits | the meters that a tenant's subscriptions price, and when periods and phases begin
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:billing_schedule"


def limits(tenant_: str) -> str:
    """hash | no ttl | limits | policy, its version, status, clock, custom roles, and the state of each rate limit
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:limits"


def address_limit(tenant_: str, digest: str) -> str:
    """hash | until its limits are whole again | limits | state of each rate limit of one address
    | tenant: not exported; passing"""
    return f"{tenant(tenant_)}:address:{_id(digest)}"


def counted(tenant_: str, meter: str, period: str) -> str:
    """hash | 400 days, of a day 8, of a lifetime for ever | limits | quota's period: sum, paid by credits, told, opened
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:counted:{_name(meter)}:{_quota_period(period)}"


def credit_state(tenant_: str, meter: str) -> str:
    """hash | no ttl | limits | grant -> amount, what is left, priority, start and expiry
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:credits:{_name(meter)}"


def grant(tenant_: str, grant: str) -> str:
    """hash | no ttl | limits | credits that operators gave, for good, for a time or anew each period
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:grant:{_id(grant)}"


def grants(tenant_: str) -> str:
    """zset | no ttl | limits | grants of credits, by the time they were made
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:grants"


def grants_due(tenant_: str) -> str:
    """zset | no ttl | limits | grants by when their next period is to be made, or an ended one taken out
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:grants_due"


def reservation(tenant_: str, reservation: str) -> str:
    """hash | until a day after its lease | limits | meter, amount, until when, and how it was settled
    | tenant: not exported; passing"""
    return f"{tenant(tenant_)}:reservation:{_id(reservation)}"


def leases(tenant_: str, meter: str) -> str:
    """zset | no ttl, gone with the last | limits | open reservations with their amounts, by the end of the lease
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:leases:{_name(meter)}"


def publishable_limit(tenant_: str, api_key: str, digest: str) -> str:
    """string | until the limit is whole again | tenants | rate limit of a publishable key at one address
    | tenant: not exported; passing"""
    return f"{tenant(tenant_)}:publishable:{_id(api_key)}:{_id(digest)}"


def usage_days(tenant_: str) -> str:
    """zset | no ttl | metering | `meter:date` of each day with usage, by day number since 1970
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:usage"


def usage(tenant_: str, meter: str, date: str) -> str:
    """hash | 90 days from the first event recorded | metering | usage of a UTC day: its quarters of an hour `0` to
    `95`; of avg also their numbers `<quarter>.n`, of weighted_sum the weights until their ends `<quarter>.w`
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:usage:{_name(meter)}:{_date(date)}"


def grouped(tenant_: str, meter: str, group: str, date: str) -> str:
    """hash | 90 days from the first event recorded | metering | the same of one group; `other` is what passed the cap
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:grouped:{_name(meter)}:{_id(group)}:{_date(date)}"


def groups(tenant_: str, meter: str) -> str:
    """hash | no ttl | metering | the groups of a meter, at most 1,000: a digest -> JSON array of their values
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:groups:{_name(meter)}"


def minutes(tenant_: str, meter: str, hour: str) -> str:
    """hash | 8 hours from the first event recorded | metering | usage of a UTC hour: minutes `0` to `59`, as in a day
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:minutes:{_name(meter)}:{_span(hour)}"


def total(tenant_: str, meter: str, month: str) -> str:
    """hash | 400 days from the first event recorded | metering | usage of a month in the tenant's zone: `sum`, of avg
    also `n`, of weighted_sum the weight until its end `w`; `<group>`, `<group>.n`, `<group>.w` of each group
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:total:{_name(meter)}:{_date(month)}"


def changes(tenant_: str, meter: str) -> str:
    """hash | no ttl | metering | sum of the changes of a weighted sum in each month; `<month>.<group>` of each group
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:changes:{_name(meter)}"


def unique(tenant_: str, meter: str, span: str) -> str:
    """set | 8 days of an hour, 90 of a day, 400 of a month | metering | keyed
    digests of up to 1,000 distinct values; gone when there are more, and the estimate counts
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:unique:{_name(meter)}:{_span(span)}"


def unique_of_group(tenant_: str, meter: str, span: str, group: str) -> str:
    """set | 8 days of an hour, 90 of a day, 400 of a month | metering | the same of one group
    | tenant: not exported; deleted"""
    return f"{unique(tenant_, meter, span)}:{_id(group)}"


def estimate(tenant_: str, meter: str, span: str) -> str:
    """string | 8 days of an hour, 90 of a day, 400 of a month | metering | HyperLogLog of
    the distinct values of an hour, day or month
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:estimate:{_name(meter)}:{_span(span)}"


def estimate_of_group(tenant_: str, meter: str, span: str, group: str) -> str:
    """string | 8 days of an hour, 90 of a day, 400 of a month | metering | the same of one group
    | tenant: not exported; deleted"""
    return f"{estimate(tenant_, meter, span)}:{_id(group)}"


def sketch(tenant_: str, meter: str, span: str) -> str:
    """hash | 8 days of an hour, 90 of a day, 400 of a month | metering | DDSketch: bin -> count
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:sketch:{_name(meter)}:{_span(span)}"


def sketch_of_group(tenant_: str, meter: str, span: str, group: str) -> str:
    """hash | 8 days of an hour, 90 of a day, 400 of a month | metering | the same of one group
    | tenant: exported; deleted"""
    return f"{sketch(tenant_, meter, span)}:{_id(group)}"


def adjustments(tenant_: str, meter: str) -> str:
    """hash | no ttl | metering | amounts that came after their month was invoiced: month -> sum, in its places
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:adjustments:{_name(meter)}"


def billing(tenant_: str) -> str:
    """hash | no ttl | billing | how a tenant is billed: proration, taxes, withholdings, days to pay, when unpaid
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:billing"


def subscription(tenant_: str, subscription: str) -> str:
    """hash | no ttl | billing | plan and version, status, period, phases, what was charged, coupons, what waits
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:subscription:{_id(subscription)}"


def subscriptions(tenant_: str) -> str:
    """zset | no ttl | billing | a tenant's subscriptions by the time they were made
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:subscriptions"


def spend(tenant_: str, subscription: str) -> str:
    """hash | no ttl | billing | which alerts and spend caps the running period of a subscription has reached
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:spend:{_id(subscription)}"


def invoice(tenant_: str, invoice: str) -> str:
    """hash | no ttl | billing | status, number, lines, totals, what was paid; the buyer sealed
    | tenant: exported without buyer; kept"""
    return f"{tenant(tenant_)}:invoice:{_id(invoice)}"


def invoices(tenant_: str) -> str:
    """zset | no ttl | billing | a tenant's invoices by the time they were made
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:invoices"


def fiscal(tenant_: str, invoice: str) -> str:
    """hash | no ttl | billing | fiscal document of an invoice: status, number, verification code, attempts, next try
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:fiscal:{_id(invoice)}"


def fiscal_xml(tenant_: str, invoice: str) -> str:
    """string | no ttl | billing | XML of an invoice's fiscal document, compressed and sealed
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:fiscal_xml:{_id(invoice)}"


def fiscal_fake(tenant_: str) -> str:
    """hash | no ttl | billing | of the operators: what the fake provider of fiscal documents has, by id, and its habits
    | nobody"""
    return f"{tenant(tenant_)}:fiscal_fake"


def credit_note(tenant_: str, credit_note: str) -> str:
    """hash | no ttl | billing | what was taken back of an invoice, and where it went
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:credit_note:{_id(credit_note)}"


def credit_notes(tenant_: str) -> str:
    """zset | no ttl | billing | a tenant's credit notes by the time they were made
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:credit_notes"


def payment(tenant_: str, payment: str) -> str:
    """hash | no ttl | billing | money that came or went back: for what, how much, by which provider, its reference
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:payment:{_id(payment)}"


def payments(tenant_: str) -> str:
    """zset | no ttl | billing | a tenant's payments by the time they were made
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:payments"


def overdue(tenant_: str) -> str:
    """zset | no ttl | billing | invoices that could not be collected, by the time at which the last try failed
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:overdue"


def unproven(tenant_: str) -> str:
    """zset | no ttl | billing | invoices of which the tenant withheld what it has not proven yet, by their time
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:unproven"


def charges(tenant_: str) -> str:
    """hash | no ttl | billing | the sandbox's provider of payments: charge -> what it meets, `.asked` -> how often
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:charges"


def invoice_numbers(tenant_: str) -> str:
    """hash | no ttl | billing | last number of each kind of document; the operators, also that of each invoice
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:invoice_numbers"


def deferrals(tenant_: str) -> str:
    """hash | no ttl | billing | revenue that is not earned yet: invoice and line -> amount, service period, released
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:deferrals"


def agenda(tenant_: str) -> str:
    """zset | no ttl | billing | what is to be done about subscriptions and invoices: `<kind>/<id>`, by when it is due
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:agenda"


def billed(tenant_: str, meter: str) -> str:
    """hash | 800 days after each segment's end, once it is closed | metering | what money reads: the start of a segment
    -> sum, `<start>.late` -> what came after it was closed, in the meter's places | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:billed:{_name(meter)}"


def seen(tenant_: str, generation: str, bucket: str) -> str:
    """hash | 70 days (twice the plan's) | metering | events counted: 8 bytes of a digest -> 12 bits of content
    | tenant: not exported; deleted"""
    return f"{tenant(tenant_)}:seen:{_id(generation)}:{_id(bucket)}"


def raw(tenant_: str) -> str:
    """stream | until VELOFLUX_RAW_EVENTS_HOURS after the last one | metering | the newest events as they came
    | tenant: exported; deleted"""
    return f"{tenant(tenant_)}:raw"


def ledger(tenant_: str, month: str) -> str:
    """hash | no ttl | ledger | postings of a UTC month, never changed: posting -> JSON
    of time, document, kind and entries | tenant: exported; kept"""
    return f"{tenant(tenant_)}:ledger:{_date(month)}"


def ledger_months(tenant_: str) -> str:
    """zset | no ttl | ledger | the months that have postings, like 2026-11, by their number since year 0
    | tenant: not exported; kept"""
    return f"{tenant(tenant_)}:ledger"


def balances(tenant_: str) -> str:
    """hash | no ttl | ledger | `<account>|<currency>` -> sum of its entries; `postings` -> how many there are
    | tenant: exported; kept"""
    return f"{tenant(tenant_)}:balances"


@functools.cache
def registry() -> tuple[Entry, ...]:
    """Every key of the product, in the order of this file."""
    module = sys.modules[__name__]
    functions = (inspect.unwrap(f) for _, f in inspect.getmembers(module, inspect.isroutine))
    found = [f for f in functions if _said_of(f).count(" | ") in (3, 4)]
    found.sort(key=lambda f: f.__code__.co_firstlineno)
    return tuple(_entry(f) for f in found)


def entry(name_: str) -> Entry:
    """The entry of the function with this name."""
    return next(entry for entry in registry() if entry.name == name_)


def owner_in(key: str) -> str:
    """The owner whose key it is.

    >>> owner_in("vf:tenant:{ten_1}:member:usr_1")
    'ten_1'
    """
    return key.partition("{")[2].partition("}")[0]


def entry_of(key: str) -> Entry | None:
    """The entry of a key that somebody found; None for one that is not the product's."""
    return next((entry for entry in reversed(registry()) if entry.matches(key)), None)


def _entry(function: Callable[..., str]) -> Entry:
    parts = [_Placeholder(f"<{parameter.rstrip('_')}>") for parameter in inspect.signature(function).parameters]
    type_, life, slice_, meaning, *whose = _said_of(function).split(" | ")
    return Entry(function.__name__, function(*parts), type_, life, slice_, meaning, "".join(whose))


def _said_of(function: Callable[..., str]) -> str:
    return " ".join((function.__doc__ or "").split())


@functools.cache
def _matcher(pattern: str) -> re.Pattern[str]:
    text = re.escape(PLACE.sub("\0", pattern)).replace(re.escape("tenant|user"), "(?:tenant|user)")
    return re.compile(text.replace(re.escape("\0"), "[0-9a-z_-]+"))

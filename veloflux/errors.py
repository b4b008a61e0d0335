"""Every error that VeloFlux can answer with: a stable code, an HTTP status, a sentence for the reader.

VeloFluxError
├── InputInvalid 400            the request itself cannot be understood or accepted
│   ├── SettingInvalid
│   ├── IdInvalid, NameInvalid
│   ├── PasswordCommon
│   ├── CursorInvalid
│   ├── ClockNotMovable
│   ├── PlanUnknown, MeterUnknown
│   ├── CurrencyUnknown, CurrencyMixed, PriceMissing
│   ├── PriceInvalid            a catalogue's prices contradict themselves
│   ├── EventRejected           one event of a batch; the others are counted
│   │   ├── EventMalformed, EventAttributeMissing, EventInvalid
│   │   ├── EventTypeUnknown, EventGroupInvalid
│   │   ├── EventValueInvalid
│   │   │   ├── EventPropertyMissing, EventValueNotNumeric, EventValueNotFinite
│   │   │   └── EventValueTooFine, EventValueTooLarge
│   │   └── EventInFuture, EventTooOld
│   └── CounterOutOfRange
├── NotAuthenticated 401
│   ├── CredentialsWrong
│   ├── SecondFactorRequired, SecondFactorWrong
│   └── LinkExpired
│       └── SignInExpired
├── PermissionDenied 403
│   ├── SecondFactorNeeded
│   ├── AccountDisabled
│   ├── ImpersonationForbids
│   ├── SignInRefused
│   ├── TenantSuspended
│   ├── FeatureMissing
│   └── TenantReadOnly
├── NotFound 404                what is another tenant's is not found either
├── MethodNotAllowed 405        the header Allow names those that are
├── Conflict 409                the state of things forbids it
│   ├── NameTaken, AlreadyMember, LastOwner, AlreadyDone
│   ├── MoveImpossible          what a subscription or an invoice is does not allow it
│   ├── IdReused
│   └── ChangedMeanwhile
├── BodyTooLarge 413
├── MediaTypeUnsupported 415
├── LimitReached 429            with Retry-After
│   ├── QuotaExceeded
│   └── TooManyAttempts
├── ProviderUnusable 502         a tenant's sign-in provider does not answer as it must
├── Unavailable 503             try again, with Retry-After
│   ├── NotSent             nothing reached Redis
│   ├── Unknown             sent, no answer
│   ├── FiscalProviderAway  it may have done what it was asked, or not
│   └── RedisFull
├── CommitRefused 500           a fault of ours: the change itself was malformed
└── StartRefused                no HTTP: ends a command with exit code 1
"""

from typing import Any


class VeloFluxError(Exception):
    """The root. `str(error)` is the sentence that the reader sees, beside it what of `extra` is named in `public`."""

    code = "error"
    status = 500
    public = frozenset({"errors"})

    def __init__(self, sentence: str, **extra: Any) -> None:
        super().__init__(sentence)
        self.extra = extra


class InputInvalid(VeloFluxError):
    """The request cannot be understood or accepted; `errors` names the fields at fault, or `field` the one."""

    code = "input_invalid"
    status = 400


class SettingInvalid(InputInvalid):
    """A setting has a value that it cannot have, or there is no such setting."""

    code = "setting_invalid"


class IdInvalid(InputInvalid):
    """A text that should be an id is none."""

    code = "id_invalid"


class NameInvalid(InputInvalid):
    """A text that should be a name or a date in a key is none."""

    code = "name_invalid"


class PasswordCommon(InputInvalid):
    """The password is one of the common ones."""

    code = "password_common"


class CursorInvalid(InputInvalid):
    """`cursor` is not one that an earlier page gave."""

    code = "cursor_invalid"


class ClockNotMovable(InputInvalid):
    """Only a sandbox tenant's clock can be moved."""

    code = "clock_not_movable"


class PlanUnknown(InputInvalid):
    """The catalogue has no such plan."""

    code = "plan_unknown"


class MeterUnknown(InputInvalid):
    """The catalogue has no such meter."""

    code = "meter_unknown"


class CurrencyUnknown(InputInvalid):
    """ISO 4217 has no such currency."""

    code = "currency_unknown"


class CurrencyMixed(InputInvalid):
    """Two currencies in what has one."""

    code = "currency_mixed"


class PriceMissing(InputInvalid):
    """A plan, an add-on or a coupon has no price in this currency."""

    code = "price_missing"


class PriceInvalid(InputInvalid):
    """A price has too many places, or tiers overlap, leave a gap, or have no end."""

    code = "price_invalid"


class EventRejected(InputInvalid):
    """An event that is not counted."""

    code = "event_rejected"


class EventMalformed(EventRejected):
    """A line, or one of an array, is not JSON."""

    code = "event_malformed"


class EventAttributeMissing(EventRejected):
    """An event has no type or no id, or none of what CloudEvents asks for beside them."""

    code = "event_attribute_missing"


class EventInvalid(EventRejected):
    """An attribute of an event is not what it must be."""

    code = "event_invalid"


class EventTypeUnknown(EventRejected):
    """No meter counts events of this type."""

    code = "event_type_unknown"


class EventGroupInvalid(EventRejected):
    """A property that a meter groups by is an object, an array, or a text of more than 200 characters."""

    code = "event_group_invalid"


class EventValueInvalid(EventRejected):
    """The property whose distinct values a meter counts is an object or an array."""

    code = "event_value_invalid"


class EventPropertyMissing(EventValueInvalid):
    """An event lacks the property that a meter aggregates, or it is null."""

    code = "event_property_missing"


class EventValueNotNumeric(EventValueInvalid):
    """The property that a meter aggregates is no number."""

    code = "event_value_not_numeric"


class EventValueNotFinite(EventValueInvalid):
    """The property that a meter aggregates is infinite, or not a number in the sense of IEEE 754."""

    code = "event_value_not_finite"


class EventValueTooFine(EventValueInvalid):
    """The property that a meter aggregates has more decimal places than the meter."""

    code = "event_value_too_fine"


class EventValueTooLarge(EventValueInvalid):
    """The property that a meter aggregates is larger than can be counted exactly."""

    code = "event_value_too_large"


class EventInFuture(EventRejected):
    """An event's time lies more than five minutes ahead."""

    code = "event_in_future"


class EventTooOld(EventRejected):
    """An event's time lies further back than the plan accepts."""

    code = "event_too_old"


class CounterOutOfRange(InputInvalid):
    """A counter would become larger than it can hold exactly."""

    code = "counter_out_of_range"


class NotAuthenticated(VeloFluxError):
    """No valid session, token or key came with the request."""

    code = "not_authenticated"
    status = 401


class CredentialsWrong(NotAuthenticated):
    """E-mail and password do not belong together."""

    code = "credentials_wrong"


class SecondFactorRequired(NotAuthenticated):
    """The password is right; `challenge` and one of `methods` prove the second factor."""

    code = "second_factor_required"
    public = frozenset({"challenge", "methods", "passkey"})


class SecondFactorWrong(NotAuthenticated):
    """The code or the passkey's answer is not right, or was used before."""

    code = "second_factor_wrong"


class LinkExpired(NotAuthenticated):
    """A one-time link was used, replaced or revoked, or its time is over."""

    code = "link_expired"


class SignInExpired(LinkExpired):
    """A sign-in waited too long for its second factor, was answered wrongly too often, or is done."""

    code = "sign_in_expired"


class PermissionDenied(VeloFluxError):
    """The actor is known, and may not do this."""

    code = "permission_denied"
    status = 403


class SecondFactorNeeded(PermissionDenied):
    """The session was made without a second factor, which this needs: prove one, or add one to the account."""

    code = "second_factor_needed"


class FeatureMissing(PermissionDenied):
    """The tenant's plan does not include a feature; another plan does, or an operator may grant it."""

    code = "feature_missing"


class AccountDisabled(PermissionDenied):
    """An operator disabled this account; told to whoever knows its password."""

    code = "account_disabled"


class ImpersonationForbids(PermissionDenied):
    """Who acts as somebody else may not do what only that person may, or what would outlast it."""

    code = "impersonation_forbids"


class SignInRefused(PermissionDenied):
    """What a tenant's sign-in provider says of a person is not enough to let them in."""

    code = "sign_in_refused"


class OriginRefused(PermissionDenied):
    """The page is of an origin that may not use this key or token: the tenant's settings list those that may."""

    code = "origin_refused"


class TenantSuspended(PermissionDenied):
    """The operator suspended the tenant: its members and keys may do nothing there."""

    code = "tenant_suspended"


class TenantReadOnly(PermissionDenied):
    """The tenant is archived, or waits for its deletion: it can be read and restored, nothing else."""

    code = "tenant_read_only"


class NotFound(VeloFluxError):
    """There is no such thing, or it is another tenant's."""

    code = "not_found"
    status = 404


class MethodNotAllowed(VeloFluxError):
    """The address does not have this method; the header `Allow` names those that it has."""

    code = "method_not_allowed"
    status = 405


class Conflict(VeloFluxError):
    """The state of things forbids it."""

    code = "conflict"
    status = 409


class NameTaken(Conflict):
    """Another account has this e-mail address, another tenant this slug, or another role this name."""

    code = "name_taken"


class AlreadyMember(Conflict):
    """The person is a member already."""

    code = "already_member"


class LastOwner(Conflict):
    """Nobody else could let others into a tenant, or rule the installation."""

    code = "last_owner"


class AlreadyDone(Conflict):
    """It was done before, and can be done once."""

    code = "already_done"


class MoveImpossible(Conflict):
    """What a subscription, an invoice or a credit note is at present does not allow this; `state` says what it is."""

    code = "move_impossible"
    public = frozenset({"state"})


class IdReused(Conflict):
    """The same id came before with other content."""

    code = "id_reused"


class ChangedMeanwhile(Conflict):
    """A commit's expectation failed: `key` holds `actual` where something else was expected."""

    code = "changed_meanwhile"


class BodyTooLarge(VeloFluxError):
    """The body is larger than `VELOFLUX_BODY_LIMIT`."""

    code = "body_too_large"
    status = 413


class MediaTypeUnsupported(VeloFluxError):
    """The body is of a kind that this route does not read."""

    code = "media_type_unsupported"
    status = 415


class LimitReached(VeloFluxError):
    """A rate limit or a quota refuses; `extra["retry_after"]` is in whole seconds."""

    code = "limit_reached"
    status = 429
    public = frozenset({"retry_after"})


class QuotaExceeded(LimitReached):
    """A check was answered no; `extra` has the figures of the answer, `refused_by` and `retry_after`."""

    code = "quota_exceeded"
    public = frozenset(
        {"allowed", "refused_by", "retry_after", "limit", "used", "remaining", "reset_at"}
        | {"overage", "credits", "feature", "rates", "watching"}
    )


class TooManyAttempts(LimitReached):
    """Too many attempts failed; `extra["retry_after"]` is in whole seconds."""

    code = "too_many_attempts"


class ProviderUnusable(VeloFluxError):
    """A tenant's sign-in provider cannot be reached, or does not answer as OpenID Connect has it."""

    code = "provider_unusable"
    status = 502


class Unavailable(VeloFluxError):
    """It cannot be done at this moment; repeat after `Retry-After` seconds."""

    code = "unavailable"
    status = 503


class NotSent(Unavailable):
    """Nothing reached Redis: safe to repeat."""

    code = "redis_away"


class FiscalProviderAway(Unavailable):
    """The provider of fiscal documents did not answer, or none is set; what it was asked it may have done."""

    code = "fiscal_provider_away"


class RedisFull(Unavailable):
    """Redis refuses writes: it is full, or cannot save."""

    code = "redis_full"


class Unknown(Unavailable):
    """Sent, but no answer came: it may have happened; repeat only with the same commit or event id."""

    code = "outcome_unknown"


class CommitRefused(VeloFluxError):
    """A fault of the program: the change itself was malformed, and nothing was written."""

    code = "commit_refused"


class StartRefused(VeloFluxError):
    """A command cannot start; its sentence says what to do. Printed without a trace, exit code 1."""

    code = "start_refused"

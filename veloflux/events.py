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
    `address` is sealed with the data key of `person`. `impersonator` is who acted as the actor, by `impersonation`.
    `subject` is whom the token that acts was made for, sealed with the data key of the owner.
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
    impersonator: str = ""
    impersonation: str = ""
    subject: str = ""


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


class UserCreated(Event, frozen=True, kw_only=True):
    """An operator made this person, who has no password yet; the worker sends the link that sets one."""

    name = "user.created"
    user: str
    link: str


class UserRenamed(Event, frozen=True, kw_only=True):
    """A person has another name."""

    name = "user.renamed"
    user: str


class UserDisabled(Event, frozen=True, kw_only=True):
    """A person's sessions were ended, and none can begin."""

    name = "user.disabled"
    user: str


class UserEnabled(Event, frozen=True, kw_only=True):
    """A person can sign in again."""

    name = "user.enabled"
    user: str


class ImpersonationStarted(Event, frozen=True, kw_only=True):
    """An operator acts as a person until a time (epoch ms); the person gets an e-mail, the trail has the reason."""

    name = "impersonation.started"
    user: str
    impersonation: str
    impersonator: str
    ends_at: int


class ImpersonationEnded(Event, frozen=True, kw_only=True):
    """An operator ended it before its time."""

    name = "impersonation.ended"
    user: str
    impersonation: str


class ImpersonationNoted(Event, frozen=True, kw_only=True):
    """An operator began to act as a member of this tenant."""

    name = "impersonation.noted"
    user: str
    impersonation: str
    impersonator: str


class PasswordResetRequested(Event, frozen=True, kw_only=True):
    """Somebody forgot this person's password; the worker sends the link that sets a new one."""

    name = "password_reset.requested"
    link: str


class UserPasswordChanged(Event, frozen=True, kw_only=True):
    """A person has a new password, and is told so; sessions were ended."""

    name = "user.password_changed"

    user: str


class EmailChangeRequested(Event, frozen=True, kw_only=True):
    """A person wants another e-mail address; the worker sends links to the new and to the present one."""

    name = "email_change.requested"
    change: str


class EmailChangeConfirmed(Event, frozen=True, kw_only=True):
    """One of the two mailboxes has confirmed; `side` is `prove` for the new address, `approve` for the present one."""

    name = "email_change.confirmed"
    change: str
    side: str


class EmailChangeRefused(Event, frozen=True, kw_only=True):
    """One of the two mailboxes has refused; the address stays."""

    name = "email_change.refused"
    change: str


class UserEmailChanged(Event, frozen=True, kw_only=True):
    """A person has another e-mail address, which both mailboxes confirmed; the old one is told and free for others."""

    name = "user.email_changed"
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
    """All sessions of a person were ended, or all but the one kept."""

    name = "user.sessions_ended"
    user: str
    kept: str


class SecondFactorRefused(Event, frozen=True, kw_only=True):
    """Somebody knew this person's password, and not the second factor."""

    name = "second_factor.refused"
    challenge: str


class SignInChallenged(Event, frozen=True, kw_only=True):
    """A person gave the right password and is asked for the second factor."""

    name = "sign_in.challenged"
    challenge: str


class SessionRaised(Event, frozen=True, kw_only=True):
    """A person proved a second factor for the session in use."""

    name = "session.raised"
    session: str
    factor: str


class FactorEnrolled(Event, frozen=True, kw_only=True):
    """A person began to add a factor, which does not count before it is confirmed."""

    name = "factor.enrolled"
    factor: str


class FactorAdded(Event, frozen=True, kw_only=True):
    """A person has another factor to sign in with, and is told so."""

    name = "factor.added"
    factor: str


class FactorRemoved(Event, frozen=True, kw_only=True):
    """A person has a factor less, and is told so."""

    name = "factor.removed"
    factor: str


class PasskeyRenamed(Event, frozen=True, kw_only=True):
    """A person gave a passkey another name."""

    name = "passkey.renamed"
    passkey: str


class PasskeyCopied(Event, frozen=True, kw_only=True):
    """A passkey signed that counts less than it did: somebody has a copy. It was refused, and the person is told."""

    name = "passkey.copied"
    passkey: str


class RecoveryCodesMade(Event, frozen=True, kw_only=True):
    """A person has new recovery codes, and is told so; those before are void."""

    name = "recovery_codes.made"
    user: str


class RecoveryCodeUsed(Event, frozen=True, kw_only=True):
    """Somebody signed in, or proved to be this person, by a recovery code, of which the person is told."""

    name = "recovery_code.used"
    left: int


class UserErasureRequested(Event, frozen=True, kw_only=True):
    """A person will be erased at this time (epoch ms) unless the wish is taken back."""

    name = "user.erasure_requested"
    user: str
    erase_at: int


class UserErasureCancelled(Event, frozen=True, kw_only=True):
    """The wish to be erased was taken back."""

    name = "user.erasure_cancelled"
    user: str


class UserErasureStarted(Event, frozen=True, kw_only=True):
    """The time to take it back is over: the person's sessions ended, and what is kept of them goes now."""

    name = "user.erasure_started"
    user: str


class UserErased(Event, frozen=True, kw_only=True):
    """Of a person only the id is left; what was sealed with their key cannot be read any more."""

    name = "user.erased"
    user: str


# Tenants


class TenantCreated(Event, frozen=True, kw_only=True):
    """A tenant came into being."""

    name = "tenant.created"
    tenant: str


class TenantSecondFactorSet(Event, frozen=True, kw_only=True):
    """A tenant requires a second factor of its people from now on, or no longer."""

    name = "tenant.second_factor_set"
    tenant: str
    required: bool


class TenantOriginsSet(Event, frozen=True, kw_only=True):
    """Pages of other origins may use the tenant's keys and tokens from now on, or no longer."""

    name = "tenant.origins_set"
    tenant: str


class TenantClockSet(Event, frozen=True, kw_only=True):
    """A sandbox tenant's clock was moved, stopped, or set back to real time."""

    name = "tenant.clock_set"
    tenant: str
    clock: str


class TenantRecordChanged(Event, frozen=True, kw_only=True):
    """A tenant's legal name, tax id, address or other detail was changed."""

    name = "tenant.record_changed"
    tenant: str


class TenantRenamed(Event, frozen=True, kw_only=True):
    """A tenant has another name or slug; if it is the slug, the one that it gave up is free."""

    name = "tenant.renamed"
    tenant: str


class TenantFailurePolicySet(Event, frozen=True, kw_only=True):
    """Checks of a tenant that cannot be decided pass from now on, or are refused."""

    name = "tenant.failure_policy_set"
    tenant: str
    fails_open: bool


class TenantBillingAnchorSet(Event, frozen=True, kw_only=True):
    """Billing periods of a tenant begin on another day of the month; the running one is that which the day gives."""

    name = "tenant.billing_anchor_set"
    tenant: str
    anchor: str


class TenantZoneSet(Event, frozen=True, kw_only=True):
    """A tenant has another time zone (IANA name): its days, months and next periods are counted by other clocks."""

    name = "tenant.zone_set"
    tenant: str
    zone: str


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
    """A tenant is gone for good; what belongs to it is removed now, and its slug is free."""

    name = "tenant.deleted"
    tenant: str


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


class InvitationResent(Event, frozen=True, kw_only=True):
    """A new link goes to who was invited; the one before is void."""

    name = "invitation.resent"
    invitation: str


class InvitationAccepted(Event, frozen=True, kw_only=True):
    """The invited person accepted."""

    name = "invitation.accepted"
    invitation: str
    user: str


class InvitationRevoked(Event, frozen=True, kw_only=True):
    """An invitation can be accepted no longer."""

    name = "invitation.revoked"
    invitation: str


class RoleCreated(Event, frozen=True, kw_only=True):
    """A tenant made a role of its own."""

    name = "role.created"
    role: str


class RoleChanged(Event, frozen=True, kw_only=True):
    """A custom role got another description or other permissions; whoever has it may do the new at once."""

    name = "role.changed"
    role: str


class RoleDeleted(Event, frozen=True, kw_only=True):
    """A custom role, which nobody had any more, is gone."""

    name = "role.deleted"
    role: str


class InvitationForgotten(Event, frozen=True, kw_only=True):
    """The invited person was erased: the invitation does not say any more whom it was for, and is void."""

    name = "invitation.forgotten"
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


class OidcForgotten(Event, frozen=True, kw_only=True):
    """The person was erased: the tenant does not know any more whose account it was, nor whose it was to be."""

    name = "oidc.forgotten"
    identity: str


class MemberRoleChanged(Event, frozen=True, kw_only=True):
    """A member of a tenant, or of the platform, was given another role."""

    name = "member.role_changed"
    user: str
    role: str


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


class TokenCreated(Event, frozen=True, kw_only=True):
    """A short-lived token came into being."""

    name = "token.created"
    token: str
    made_by: str


class TokenRevoked(Event, frozen=True, kw_only=True):
    """A short-lived token is refused from now on."""

    name = "token.revoked"
    token: str


# The catalogue


class CatalogueChanged(Event, frozen=True, kw_only=True):
    """Another catalogue is in force; every tenant's policy is compiled anew."""

    name = "catalogue.changed"
    catalogue: int


class PolicyCompiled(Event, frozen=True, kw_only=True):
    """What a version of the catalogue allows holds for this tenant from now on."""

    name = "policy.compiled"
    tenant: str
    catalogue: int


class PlanChanged(Event, frozen=True, kw_only=True):
    """A tenant has another plan, from its next check on."""

    name = "tenant.plan_changed"
    tenant: str
    plan: str
    former: str


class OverrideSet(Event, frozen=True, kw_only=True):
    """A tenant has a quota, rate or feature beside its plan; `until` is epoch ms of its clock."""

    name = "override.set"
    tenant: str
    override: str
    until: int | None


class OverrideRemoved(Event, frozen=True, kw_only=True):
    """What the plan says of it holds again."""

    name = "override.removed"
    tenant: str
    override: str


# Credits


class CreditGranted(Event, frozen=True, kw_only=True):
    """A tenant got credits, in whole units of a meter; of a recurring grant so many each period."""

    name = "credit.granted"
    grant: str
    meter: str
    amount: int


class CreditVoided(Event, frozen=True, kw_only=True):
    """What was left of a grant is gone, and it does not recur any more; what was burned stays."""

    name = "credit.voided"
    grant: str
    meter: str


class CreditRenewed(Event, frozen=True, kw_only=True):
    """A recurring grant has credits for one more period, which begins at `starts_at` (epoch ms)."""

    name = "credit.renewed"
    grant: str
    meter: str
    amount: int
    starts_at: int


# Billing


class BillingProfileChanged(Event, frozen=True, kw_only=True):
    """A tenant is billed in another way from its next invoice on."""

    name = "billing_profile.changed"
    tenant: str


class SubscriptionStarted(Event, frozen=True, kw_only=True):
    """A subscription began, or a trial of it."""

    name = "subscription.started"
    subscription: str
    plan: str
    status: str


class TrialEndSet(Event, frozen=True, kw_only=True):
    """A trial ends at another time, `at` (epoch ms of the tenant's clock)."""

    name = "subscription.trial_end_set"
    subscription: str
    at: int


class TrialEnded(Event, frozen=True, kw_only=True):
    """A trial is over, and the subscription is paid for from now on."""

    name = "subscription.trial_ended"
    subscription: str


class SubscriptionRenewed(Event, frozen=True, kw_only=True):
    """A period ended, and the next one began (epoch ms of the tenant's clock)."""

    name = "subscription.renewed"
    subscription: str
    period_start: int
    period_end: int


class SubscriptionChanged(Event, frozen=True, kw_only=True):
    """A subscription has another plan, other quantities, add-ons or coupons."""

    name = "subscription.changed"
    subscription: str
    plan: str


class SubscriptionChangeScheduled(Event, frozen=True, kw_only=True):
    """A change will hold from the next period on, at `at` (epoch ms of the tenant's clock)."""

    name = "subscription.change_scheduled"
    subscription: str
    plan: str
    at: int


class SubscriptionChangeUndone(Event, frozen=True, kw_only=True):
    """A change that was to hold from the next period on will not be made."""

    name = "subscription.change_undone"
    subscription: str


class SubscriptionItemAdded(Event, frozen=True, kw_only=True):
    """An item of `amount` minor units will be on a subscription's next invoice."""

    name = "subscription.item_added"
    subscription: str
    amount: int


class SubscriptionPaused(Event, frozen=True, kw_only=True):
    """No period runs, and nothing is charged, until it is resumed."""

    name = "subscription.paused"
    subscription: str


class SubscriptionResumed(Event, frozen=True, kw_only=True):
    """A paused subscription goes on, with a new period."""

    name = "subscription.resumed"
    subscription: str


class SubscriptionCancellationScheduled(Event, frozen=True, kw_only=True):
    """A subscription will end at `at` (epoch ms of the tenant's clock)."""

    name = "subscription.cancellation_scheduled"
    subscription: str
    at: int


class SubscriptionCancellationUndone(Event, frozen=True, kw_only=True):
    """A subscription goes on that was to end."""

    name = "subscription.cancellation_undone"
    subscription: str


class SubscriptionEnded(Event, frozen=True, kw_only=True):
    """A subscription was cancelled, or has expired (`status`)."""

    name = "subscription.ended"
    subscription: str
    status: str


class SubscriptionReactivated(Event, frozen=True, kw_only=True):
    """A subscription that had ended begins anew."""

    name = "subscription.reactivated"
    subscription: str


class SubscriptionPastDue(Event, frozen=True, kw_only=True):
    """An invoice of a subscription was not paid in time."""

    name = "subscription.past_due"
    subscription: str
    invoice: str


class SubscriptionPaid(Event, frozen=True, kw_only=True):
    """Nothing of a subscription that was past due is unpaid any more."""

    name = "subscription.paid"
    subscription: str


class InvoiceDrafted(Event, frozen=True, kw_only=True):
    """A period is closed; its invoice waits for late usage until `final_at` (epoch ms of the tenant's clock)."""

    name = "invoice.drafted"
    invoice: str
    final_at: int


class InvoiceDiscarded(Event, frozen=True, kw_only=True):
    """A draft had nothing to ask for, so there is no invoice."""

    name = "invoice.discarded"
    invoice: str


class InvoiceFinalised(Event, frozen=True, kw_only=True):
    """An invoice is final; `net` minor units are what it asks for. `status` says whether it waits for its number."""

    name = "invoice.finalised"
    invoice: str
    status: str
    net: int
    currency: str


class InvoiceNumbered(Event, frozen=True, kw_only=True):
    """An invoice that waited for its number among all of the operator's has it."""

    name = "invoice.numbered"
    invoice: str
    number: str


class InvoiceResent(Event, frozen=True, kw_only=True):
    """Somebody wanted an invoice to be sent again, to the tenant's billing e-mail."""

    name = "invoice.resent"
    invoice: str


class InvoicePaid(Event, frozen=True, kw_only=True):
    """Nothing of an invoice is left to be paid."""

    name = "invoice.paid"
    invoice: str


class InvoicePaymentFailed(Event, frozen=True, kw_only=True):
    """An attempt to collect an invoice failed, for the `attempts`-th time."""

    name = "invoice.payment_failed"
    invoice: str
    attempts: int


class InvoiceOverdue(Event, frozen=True, kw_only=True):
    """All tries to collect an invoice failed, and the days of grace are over."""

    name = "invoice.overdue"
    invoice: str


class InvoiceVoided(Event, frozen=True, kw_only=True):
    """An invoice counts no more, as if it had not been issued; its number stays used."""

    name = "invoice.voided"
    invoice: str


class InvoiceUncollectible(Event, frozen=True, kw_only=True):
    """An invoice was given up."""

    name = "invoice.uncollectible"
    invoice: str


class FiscalDocumentRequested(Event, frozen=True, kw_only=True):
    """An invoice is to have a fiscal document (NFS-e); or, rejected or failed before, to have it after all."""

    name = "fiscal_document.requested"
    invoice: str


class FiscalDocumentPending(Event, frozen=True, kw_only=True):
    """The provider has not answered yet, or is away; it is asked again."""

    name = "fiscal_document.pending"
    invoice: str
    status: str
    attempts: int


class FiscalDocumentIssued(Event, frozen=True, kw_only=True):
    """The provider gave an invoice's fiscal document its number."""

    name = "fiscal_document.issued"
    invoice: str
    number: str


class FiscalDocumentRejected(Event, frozen=True, kw_only=True):
    """The provider refused it (`code`); somebody is to correct the record or the catalogue, and to retry."""

    name = "fiscal_document.rejected"
    invoice: str
    code: str


class FiscalDocumentFailed(Event, frozen=True, kw_only=True):
    """The provider did not answer for days; somebody is to look, and to retry."""

    name = "fiscal_document.failed"
    invoice: str


class FiscalCancellationRequested(Event, frozen=True, kw_only=True):
    """A fiscal document is to be cancelled."""

    name = "fiscal_document.cancellation_requested"
    invoice: str


class FiscalCancellationRefused(Event, frozen=True, kw_only=True):
    """The provider does not cancel a fiscal document (`code`): it goes on to hold."""

    name = "fiscal_document.cancellation_refused"
    invoice: str
    code: str


class FiscalDocumentCancelled(Event, frozen=True, kw_only=True):
    """A fiscal document does not hold, or never came to be."""

    name = "fiscal_document.cancelled"
    invoice: str


class PaymentReceived(Event, frozen=True, kw_only=True):
    """Money came for an invoice; `amount` minor units of its currency, which may be more than was due."""

    name = "payment.received"
    payment: str
    invoice: str
    amount: int
    currency: str


class PaymentPending(Event, frozen=True, kw_only=True):
    """The provider of payments has not said yet whether it could collect an invoice."""

    name = "payment.pending"
    invoice: str


class PaymentRefunded(Event, frozen=True, kw_only=True):
    """Money went back to the tenant."""

    name = "payment.refunded"
    payment: str
    amount: int
    currency: str


class WithheldProven(Event, frozen=True, kw_only=True):
    """A tenant proved that it paid what it withheld of an invoice, in minor units."""

    name = "invoice.withheld_proven"
    invoice: str
    amount: int


class CreditNoteIssued(Event, frozen=True, kw_only=True):
    """Something of an invoice was taken back."""

    name = "credit_note.issued"
    credit_note: str
    invoice: str


class SpendLimitsSet(Event, frozen=True, kw_only=True):
    """A subscription has other alerts and spend caps, or (`watched` false) none any more."""

    name = "spend.limits_set"
    subscription: str
    watched: bool


class SpendAlertReached(Event, frozen=True, kw_only=True):
    """The cost of a subscription's running period has reached an alert's `amount` (minor units); once a period."""

    name = "spend.alert_reached"
    subscription: str
    amount: int
    currency: str
    period_start: int


class SpendForecastReached(Event, frozen=True, kw_only=True):
    """It will have reached the amount at the period's end, if usage goes on as it does; once a period."""

    name = "spend.forecast_reached"
    subscription: str
    amount: int
    currency: str
    period_start: int


class SpendCapBegan(Event, frozen=True, kw_only=True):
    """What a meter costs in the running period, or (`meter` "") all usage, has reached its cap of `amount` minor units:
    checks that would use more are refused from now on."""

    name = "spend.cap_began"
    subscription: str
    meter: str
    amount: int
    currency: str


class SpendCapEnded(Event, frozen=True, kw_only=True):
    """A spend cap refuses nothing any more: another period runs, or it was raised or taken away."""

    name = "spend.cap_ended"
    subscription: str
    meter: str


class SpendQuotasSet(Event, frozen=True, kw_only=True):
    """The quotas that a subscription's spend caps are turned into are others."""

    name = "spend.quotas_set"
    subscription: str
    meters: tuple[str, ...]


class RevenueReleased(Event, frozen=True, kw_only=True):
    """What was billed in advance and is earned until a time (epoch ms of the tenant's clock) is revenue now."""

    name = "revenue.released"
    tenant: str
    until: int


class WalletToppedUp(Event, frozen=True, kw_only=True):
    """A tenant has paid in advance, or was given credit, in minor units."""

    name = "wallet.topped_up"
    tenant: str
    amount: int
    currency: str


class WalletApplied(Event, frozen=True, kw_only=True):
    """The wallet paid of an open invoice, in minor units."""

    name = "wallet.applied"
    invoice: str
    amount: int
    currency: str


class WalletReduced(Event, frozen=True, kw_only=True):
    """Credit was taken out of a wallet, in minor units: voided, or it has expired."""

    name = "wallet.reduced"
    payment: str
    amount: int
    currency: str


# Usage


class QuotaThresholdReached(Event, frozen=True, kw_only=True):
    """So many percent of a quota are used; said by the script that counts, once a period for each threshold.

    `period` is as in the key of its counter: `m2026-11`, `d2026-11-22`, `b2026-11-05`, `life`.
    """

    name = "quota.threshold_reached"
    meter: str
    period: str
    percent: int


class UsageImported(Event, frozen=True, kw_only=True):
    """An access log was imported, or the part of it until the import was interrupted."""

    name = "usage.imported"
    read: int
    recorded: int
    duplicates: int
    bad: int
    bytes: int
    complete: bool

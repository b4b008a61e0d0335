"""`veloflux worker`: events to handlers, jobs, schedules. Any number of workers may run.

The three tables below are all that happens beside requests. A handler is `async (ctx, event, tx)`, a job `async (ctx,
job, tx)`: `tx` is the commit that moves the cursor or ends the job, and takes further effects in the owner's slot with
it. How the work gets done: `loop.py` (claim, stop), `deliver.py` (events), `run_job.py` (jobs), `schedule.py`.
"""

import asyncio
import signal

import uvloop

from veloflux import billing, identity, jobs, limits, metering, personal_data, process, tenants, users
from veloflux.settings import Settings
from veloflux.wiring import build
from veloflux.worker.loop import Pace, Worker
from veloflux.worker.tables import Ordered, Schedule, Tables

__all__ = ["JOBS", "ON_EVENT", "SCHEDULE", "Ordered", "Pace", "Schedule", "Tables", "Worker", "main"]

TABLES = Tables(
    jobs={
        "check_ledgers": billing.check_ledgers,
        "advance_billing": billing.advance_billing,
        "compile_policies": tenants.compile_policies,
        "delete_tenant": tenants.end_tenant,
        "erase_person": personal_data.erase_person,
        "forget_registration": identity.forget_registration,
        "free_email": identity.free_email,
        "prune_usage": metering.prune_usage,
        "renew_credits": limits.renew_credits,
        "send_dunning": billing.send_dunning,
        "send_email_approval": identity.send_email_approval,
        "send_email_changed": identity.send_email_changed,
        "send_email_proof": identity.send_email_proof,
        "send_invoice": billing.send_invoice,
        "send_invitation": tenants.send_invitation,
        "send_oidc_link": tenants.send_oidc_link,
        "send_new_device": identity.send_new_device,
        "send_notice": identity.send_notice,
        "send_reset_link": identity.send_reset_link,
        "send_spend": billing.send_spend,
        "send_verification": identity.send_verification,
        "watch_spend": billing.watch_spend,
    },
    schedule={
        "check_ledgers": Schedule("20 4 * * *", "UTC", "check_ledgers"),
        "prune_usage": Schedule("20 3 * * *", "UTC", "prune_usage"),
        "renew_credits": Schedule("50 * * * *", "UTC", "renew_credits"),
        "watch_spend": Schedule("*/5 * * * *", "UTC", "watch_spend"),
    },
    on_event={
        "email_change.requested": [identity.mail_change_links],
        "factor.added": [identity.mail_notice],
        "factor.removed": [identity.mail_notice],
        "impersonation.started": [identity.mail_notice, users.note_impersonation],
        "invitation.created": [tenants.mail_invitation],
        "invitation.resent": [tenants.mail_invitation],
        "invoice.finalised": [billing.mail_invoice],
        "invoice.numbered": [billing.mail_invoice],
        "job.died": [jobs.list_as_dead],
        "job.retried": [jobs.list_as_waiting],
        "member.joined": [tenants.follow_membership],
        "member.removed": [tenants.follow_membership],
        "member.role_changed": [tenants.follow_membership],
        "member.role_mapped": [tenants.follow_membership],
        "ownership.transferred": [tenants.follow_transfer],
        "passkey.copied": [identity.mail_notice],
        "password_reset.requested": [identity.mail_reset_link],
        "quota.threshold_reached": [limits.note_threshold],
        "recovery_code.used": [identity.mail_notice],
        "recovery_codes.made": [identity.mail_notice],
        "registration.repeated": [identity.mail_notice],
        "registration.started": [identity.mail_verification],
        "session.started": [identity.mail_new_device],
        "spend.alert_reached": [billing.mail_spend],
        "spend.cap_began": [billing.mail_spend],
        "spend.forecast_reached": [billing.mail_spend],
        "spend.limits_set": [billing.note_watched],
        "subscription.changed": [billing.follow_spend],
        "subscription.ended": [billing.follow_spend],
        "subscription.paused": [billing.follow_spend],
        "subscription.reactivated": [billing.follow_spend],
        "subscription.resumed": [billing.follow_spend],
        "subscription.trial_end_set": [billing.follow_spend],
        "tenant.archived": [tenants.index_tenant, billing.end_subscriptions],
        "tenant.clock_set": [limits.follow_calendar, billing.follow_clock],
        "tenant.created": [tenants.index_tenant, tenants.follow_catalogue],
        "tenant.deleted": [
            tenants.index_tenant,
            tenants.release_slug,
            tenants.remove_documents,
            limits.remove_limits,
            limits.forget_near,
            billing.forget_watched,
            metering.remove_usage,
            jobs.remove_jobs,
            tenants.destroy_key,
        ],
        "tenant.deletion_requested": [tenants.index_tenant, billing.end_subscriptions],
        "tenant.renamed": [tenants.release_slug],
        "tenant.restored": [
            tenants.index_tenant,
            tenants.follow_catalogue,
            limits.follow_calendar,
            billing.follow_clock,
        ],
        "user.created": [identity.mail_reset_link],
        "user.email_changed": [identity.mail_former_address, identity.release_former_address, identity.index_user],
        "user.erased": [identity.index_user],
        "user.erasure_requested": [identity.mail_notice],
        "user.password_changed": [identity.mail_notice],
        "user.registered": [identity.index_user],
        "user.renamed": [identity.index_user],
    },
)
JOBS, SCHEDULE, ON_EVENT = TABLES


def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way.

    :raises StartRefused: Redis cannot be used.
    """
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with build(settings) as parts:
        process.spare_collector()
        await Worker(parts, TABLES).run(stop)

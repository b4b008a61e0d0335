"""People: who they are and how they prove it.

- A person's e-mail is a global name: no two accounts have one, however it is spelt (veloflux.db.names).
- Who signs up has no account before the address is proved, and nobody learns by asking whether an address has one.
- Messages that somebody else causes are limited by mailbox, whether or not it has an account (mail_limit.py).
- A password is kept as its argon2id hash, a session as a digest of its token.
- Attempts to sign in are counted before they are made (attempts.py), whether or not there is such an account.
- Who has a second factor is asked for it (second_factor.py); no code is good twice. A session says what was proved.
- A session counts only while its person is active and of the same epoch; one script decides that in one round trip.
- Who acts as somebody else can change none of that person's credentials (impersonation.py).
- What a person may do is decided in tenants (veloflux.tenants), not here.
"""

from veloflux.identity import oidc
from veloflux.identity.administer import (
    create_user,
    disable_user,
    enable_user,
    end_sessions_of,
    remove_factors,
    rename_user,
)
from veloflux.identity.change_password import change_password, require_password
from veloflux.identity.email_address import EmailAddress
from veloflux.identity.email_address import parse as parse_email
from veloflux.identity.email_change import confirm_email_change, refuse_email_change, request_email_change
from veloflux.identity.email_change_mails import (
    mail_change_links,
    mail_former_address,
    proof_message,
    release_former_address,
    send_email_approval,
    send_email_changed,
    send_email_proof,
)
from veloflux.identity.factors import has_second
from veloflux.identity.factors import read as read_factors
from veloflux.identity.handlers import mail_notice, mail_reset_link, mail_verification
from veloflux.identity.impersonation import MINUTES, MINUTES_MAX, start_impersonation, stop_impersonation
from veloflux.identity.jobs import (
    FREE_EMAIL,
    forget_registration,
    free_email,
    send_notice,
    send_reset_link,
    send_verification,
)
from veloflux.identity.mail_limit import admit_invitation
from veloflux.identity.model import Caller, Language, Person, Session, SignedIn, User
from veloflux.identity.new_device_mail import mail_new_device, send_new_device
from veloflux.identity.pacing import admit_address, too_fast
from veloflux.identity.passkeys import (
    add_passkey,
    begin_passkey,
    begin_passkey_log_in,
    begin_step_up,
    log_in_by_passkey,
    remove_passkey,
    rename_passkey,
)
from veloflux.identity.people_index import (
    begins_so,
    index_user,
    list_users,
    project_user,
    rebuild_people_index,
    search_users,
)
from veloflux.identity.recovery_codes import make_recovery_codes
from veloflux.identity.register import NAME_MAX, as_themselves, create, register
from veloflux.identity.reset_password import request_password_reset, reset_password
from veloflux.identity.second_factor import asked_of, finish_log_in, step_up
from veloflux.identity.sessions import (
    authenticate,
    end_session,
    end_sessions,
    list_sessions,
    log_in,
    log_out,
    start_via,
    verify,
)
from veloflux.identity.sign_up import confirm_registration, start_registration
from veloflux.identity.store import email_digest, find_by_email, find_users, last_seen, read_living, read_user
from veloflux.identity.totp import confirm_totp, enrol_totp, remove_totp

__all__ = [
    "FREE_EMAIL",
    "MINUTES",
    "MINUTES_MAX",
    "NAME_MAX",
    "Caller",
    "EmailAddress",
    "Language",
    "Person",
    "Session",
    "SignedIn",
    "User",
    "add_passkey",
    "admit_address",
    "admit_invitation",
    "as_themselves",
    "asked_of",
    "authenticate",
    "begin_passkey",
    "begin_passkey_log_in",
    "begin_step_up",
    "begins_so",
    "change_password",
    "confirm_email_change",
    "confirm_registration",
    "confirm_totp",
    "create",
    "create_user",
    "disable_user",
    "email_digest",
    "enable_user",
    "end_session",
    "end_sessions",
    "end_sessions_of",
    "enrol_totp",
    "find_by_email",
    "find_users",
    "finish_log_in",
    "forget_registration",
    "free_email",
    "has_second",
    "index_user",
    "last_seen",
    "list_sessions",
    "list_users",
    "log_in",
    "log_in_by_passkey",
    "log_out",
    "mail_change_links",
    "mail_former_address",
    "mail_new_device",
    "mail_notice",
    "mail_reset_link",
    "mail_verification",
    "make_recovery_codes",
    "oidc",
    "parse_email",
    "project_user",
    "proof_message",
    "read_factors",
    "read_living",
    "read_user",
    "rebuild_people_index",
    "refuse_email_change",
    "register",
    "release_former_address",
    "remove_factors",
    "remove_passkey",
    "remove_totp",
    "rename_passkey",
    "rename_user",
    "request_email_change",
    "request_password_reset",
    "require_password",
    "reset_password",
    "search_users",
    "send_email_approval",
    "send_email_changed",
    "send_email_proof",
    "send_new_device",
    "send_notice",
    "send_reset_link",
    "send_verification",
    "start_impersonation",
    "start_registration",
    "start_via",
    "step_up",
    "stop_impersonation",
    "too_fast",
    "verify",
]

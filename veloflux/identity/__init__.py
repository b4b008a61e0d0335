"""People: who they are and how they prove it.

- A person's e-mail is a global name: no two accounts have one, however it is spelt (veloflux.db.names).
- Who signs up has no account before the address is proved, and nobody learns by asking whether an address has one.
- A password is kept as its argon2id hash, a session as a digest of its token.
- Attempts to sign in are counted before they are made (attempts.py), whether or not there is such an account.
- A session counts only while its person is active and of the same epoch; one script decides that in one round trip.
- What a person may do is decided in tenants (veloflux.tenants), not here.
"""

from veloflux.identity import oidc
from veloflux.identity.change_password import change_password
from veloflux.identity.email_address import EmailAddress
from veloflux.identity.email_address import parse as parse_email
from veloflux.identity.handlers import index_user, mail_notice, mail_reset_link, mail_verification
from veloflux.identity.jobs import forget_registration, send_notice, send_reset_link, send_verification
from veloflux.identity.model import Language, Person, Session, SignedIn, User
from veloflux.identity.new_device_mail import mail_new_device, send_new_device
from veloflux.identity.register import NAME_MAX, as_themselves, create, register
from veloflux.identity.reset_password import request_password_reset, reset_password
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
from veloflux.identity.store import email_digest, find_by_email, find_users, read_user

__all__ = [
    "NAME_MAX",
    "EmailAddress",
    "Language",
    "Person",
    "Session",
    "SignedIn",
    "User",
    "as_themselves",
    "authenticate",
    "change_password",
    "confirm_registration",
    "create",
    "email_digest",
    "end_session",
    "end_sessions",
    "find_by_email",
    "find_users",
    "forget_registration",
    "index_user",
    "list_sessions",
    "log_in",
    "log_out",
    "mail_new_device",
    "mail_notice",
    "mail_reset_link",
    "mail_verification",
    "oidc",
    "parse_email",
    "read_user",
    "register",
    "request_password_reset",
    "reset_password",
    "send_new_device",
    "send_notice",
    "send_reset_link",
    "send_verification",
    "start_registration",
    "start_via",
    "verify",
]

"""People: who they are and how they prove it.

- A person's e-mail is a global name: no two accounts have one, however it is spelt (veloflux.db.names).
- Who signs up has no account before the address is proved, and nobody learns by asking whether an address has one.
- A password is kept as its argon2id hash, a session as a digest of its token.
- Attempts to sign in are counted before they are made (attempts.py), whether or not there is such an account.
- A session counts only while its person is active and of the same epoch; one script decides that in one round trip.
- Who acts as somebody else can change none of that person's credentials (impersonation.py).
- What a person may do is decided in tenants (veloflux.tenants), not here.
"""

from veloflux.identity.administer import (
    create_user,
    delete_user,
    disable_user,
    enable_user,
    end_sessions_of,
    rename_user,
)
from veloflux.identity.change_password import change_password
from veloflux.identity.email_address import EmailAddress
from veloflux.identity.email_address import parse as parse_email
from veloflux.identity.handlers import mail_notice, mail_reset_link, mail_verification
from veloflux.identity.impersonation import MINUTES, MINUTES_MAX, start_impersonation, stop_impersonation
from veloflux.identity.jobs import forget_registration, send_notice, send_reset_link, send_verification
from veloflux.identity.model import Language, Person, Session, SignedIn, User
from veloflux.identity.new_device_mail import mail_new_device, send_new_device
from veloflux.identity.people_index import begins_so, index_user, list_users, rebuild_people_index, search_users
from veloflux.identity.register import register
from veloflux.identity.reset_password import request_password_reset, reset_password
from veloflux.identity.sessions import authenticate, end_session, end_sessions, list_sessions, log_in, log_out, verify
from veloflux.identity.sign_up import confirm_registration, start_registration
from veloflux.identity.store import email_digest, find_by_email, find_users, last_seen, read_living, read_user

__all__ = [
    "MINUTES",
    "MINUTES_MAX",
    "EmailAddress",
    "Language",
    "Person",
    "Session",
    "SignedIn",
    "User",
    "authenticate",
    "begins_so",
    "change_password",
    "confirm_registration",
    "create_user",
    "delete_user",
    "disable_user",
    "email_digest",
    "enable_user",
    "end_session",
    "end_sessions",
    "end_sessions_of",
    "find_by_email",
    "find_users",
    "forget_registration",
    "index_user",
    "last_seen",
    "list_sessions",
    "list_users",
    "log_in",
    "log_out",
    "mail_new_device",
    "mail_notice",
    "mail_reset_link",
    "mail_verification",
    "parse_email",
    "read_living",
    "read_user",
    "rebuild_people_index",
    "register",
    "rename_user",
    "request_password_reset",
    "reset_password",
    "search_users",
    "send_new_device",
    "send_notice",
    "send_reset_link",
    "send_verification",
    "start_impersonation",
    "start_registration",
    "stop_impersonation",
    "verify",
]

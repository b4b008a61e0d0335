"""People: who they are and how they prove it.

- A person's e-mail is a global name: no two accounts have one, however it is spelt (veloflux.db.names).
- A password is kept as its argon2id hash, a session as a digest of its token.
- Attempts to sign in are counted before they are made (attempts.py), whether or not there is such an account.
- A session counts only while its person is active and of the same epoch; one script decides that in one round trip.
- What a person may do is decided in tenants (veloflux.tenants), not here.
"""

from veloflux.identity.email_address import EmailAddress
from veloflux.identity.email_address import parse as parse_email
from veloflux.identity.index import index_user
from veloflux.identity.model import Language, Person, Session, SignedIn, User
from veloflux.identity.new_device_mail import mail_new_device, send_new_device
from veloflux.identity.register import register
from veloflux.identity.sessions import authenticate, end_session, end_sessions, list_sessions, log_in, log_out, verify
from veloflux.identity.store import email_digest, find_by_email, find_users, read_user

__all__ = [
    "EmailAddress",
    "Language",
    "Person",
    "Session",
    "SignedIn",
    "User",
    "authenticate",
    "email_digest",
    "end_session",
    "end_sessions",
    "find_by_email",
    "find_users",
    "index_user",
    "list_sessions",
    "log_in",
    "log_out",
    "mail_new_device",
    "parse_email",
    "read_user",
    "register",
    "send_new_device",
    "verify",
]

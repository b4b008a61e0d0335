"""People as operators see them: lists, search, and what may be done to an account.

- Nobody does anything to a person who may do more on the platform than they may.
- Members of the platform's tenant are not disabled or deleted: they leave it first, and its last operator stays.
- Who acts as somebody else has no platform role, whatever either of them has.
- A person is not deleted who is the last owner of a tenant.
"""

from veloflux.users.impersonate import authenticate, impersonate, note_impersonation
from veloflux.users.people import (
    PersonShown,
    UserShown,
    create_person,
    delete_person,
    disable_person,
    enable_person,
    end_sessions,
    list_people,
    remove_factors,
    rename_person,
    show_person,
)

__all__ = [
    "PersonShown",
    "UserShown",
    "authenticate",
    "create_person",
    "delete_person",
    "disable_person",
    "enable_person",
    "end_sessions",
    "impersonate",
    "list_people",
    "note_impersonation",
    "remove_factors",
    "rename_person",
    "show_person",
]

"""Tenants: customers with a slug, a plan, members, invitations and API keys; and who may do what in them.

- A tenant's slot alone decides who is a member; the lists elsewhere follow, and authorise nothing.
- A slug is a global name (veloflux.db.names); wherever an id is accepted, a slug is.
- There is always an owner once there was one; the platform's tenant, whose members are the operators, likewise.
- Whoever has no role in a tenant hears that it does not exist.
- Nobody gives or takes a role that may do more than they may themselves.
"""

from veloflux.tenants.access import as_operator, authorise, is_operator
from veloflux.tenants.api_keys import (
    REFUSED,
    authenticate_api_key,
    create_api_key,
    list_api_keys,
    parse_api_key,
    revoke_api_key,
    rotate_api_key,
)
from veloflux.tenants.clock import set_clock
from veloflux.tenants.create_tenant import create_tenant, currencies, zones
from veloflux.tenants.find import find, scope_of
from veloflux.tenants.handlers import (
    follow_membership,
    follow_transfer,
    index_tenant,
    mail_invitation,
    release_slug,
    remove_documents,
)
from veloflux.tenants.invitations import (
    accept_invitation,
    invite,
    list_invitations,
    open_invitation,
    revoke_invitation,
)
from veloflux.tenants.jobs import send_invitation
from veloflux.tenants.key_terms import may_call_from
from veloflux.tenants.leaked_keys import LeakedKey, revoke_leaked_key
from veloflux.tenants.life import (
    archive_tenant,
    closed_by,
    delete_tenant,
    end_tenant,
    restore_tenant,
    resume_tenant,
    suspend_tenant,
)
from veloflux.tenants.list_tenants import list_tenants, tenants_of
from veloflux.tenants.members import list_members, remove_member, transfer_ownership
from veloflux.tenants.model import ApiKey, Invitation, KeyTerms, Member, MemberProfile, NewApiKey, Tenant
from veloflux.tenants.oidc_connection import remove_oidc, set_oidc, show_oidc, try_oidc
from veloflux.tenants.oidc_links import confirm_oidc_link, join_by_oidc_link, open_oidc_link, send_oidc_link
from veloflux.tenants.oidc_model import OidcConnection, OidcTerms, SignInAnswer
from veloflux.tenants.oidc_sign_in import begin_sso, finish_sso
from veloflux.tenants.operator import create_operator, is_setup_token, new_setup_link
from veloflux.tenants.permissions import EVERYTHING, PERMISSIONS, ROLES, roles_of
from veloflux.tenants.rename import rename_tenant

__all__ = [
    "EVERYTHING",
    "PERMISSIONS",
    "REFUSED",
    "ROLES",
    "ApiKey",
    "Invitation",
    "KeyTerms",
    "LeakedKey",
    "Member",
    "MemberProfile",
    "NewApiKey",
    "OidcConnection",
    "OidcTerms",
    "SignInAnswer",
    "Tenant",
    "accept_invitation",
    "archive_tenant",
    "as_operator",
    "authenticate_api_key",
    "authorise",
    "begin_sso",
    "closed_by",
    "confirm_oidc_link",
    "create_api_key",
    "create_operator",
    "create_tenant",
    "currencies",
    "delete_tenant",
    "end_tenant",
    "find",
    "finish_sso",
    "follow_membership",
    "follow_transfer",
    "index_tenant",
    "invite",
    "is_operator",
    "is_setup_token",
    "join_by_oidc_link",
    "list_api_keys",
    "list_invitations",
    "list_members",
    "list_tenants",
    "mail_invitation",
    "may_call_from",
    "new_setup_link",
    "open_invitation",
    "open_oidc_link",
    "parse_api_key",
    "release_slug",
    "remove_documents",
    "remove_member",
    "remove_oidc",
    "rename_tenant",
    "restore_tenant",
    "resume_tenant",
    "revoke_api_key",
    "revoke_invitation",
    "revoke_leaked_key",
    "roles_of",
    "rotate_api_key",
    "scope_of",
    "send_invitation",
    "send_oidc_link",
    "set_clock",
    "set_oidc",
    "show_oidc",
    "suspend_tenant",
    "tenants_of",
    "transfer_ownership",
    "try_oidc",
    "zones",
]

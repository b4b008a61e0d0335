"""Tenants: customers with a slug, a plan, members, invitations and API keys; and who may do what in them.

- A tenant's slot alone decides who is a member; the lists elsewhere follow, and authorise nothing.
- A slug is a global name (veloflux.db.names); wherever an id is accepted, a slug is.
- There is always an owner once there was one; the platform's tenant, whose members are the operators, likewise.
- Whoever has no role in a tenant hears that it does not exist.
- Nobody gives, changes or takes a role that may do more than they may themselves.
"""

from veloflux.tenants.access import (
    admit_program,
    authorise,
    authorise_platform,
    platform_permissions,
    platform_role,
    platform_role_of,
)
from veloflux.tenants.api_keys import (
    REFUSED,
    authenticate_api_key,
    create_api_key,
    find_api_key,
    list_api_keys,
    named_by,
    parse_api_key,
    revoke_api_key,
    rotate_api_key,
)
from veloflux.tenants.apply_catalogue import Applied, add_meter, apply_catalogue, change_meter, put_plan
from veloflux.tenants.billing_anchor import set_billing_anchor
from veloflux.tenants.clock import set_clock
from veloflux.tenants.create_tenant import checked_zone, create_tenant, currencies, zones
from veloflux.tenants.failure_policy import set_failure_policy
from veloflux.tenants.find import find, scope_of
from veloflux.tenants.handlers import (
    destroy_key,
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
    resend_invitation,
    revoke_invitation,
)
from veloflux.tenants.jobs import send_invitation
from veloflux.tenants.join_by_invitation import join_by_invitation
from veloflux.tenants.key_terms import may_call_from
from veloflux.tenants.leaked_keys import LeakedKey, revoke_leaked_key
from veloflux.tenants.leaving import (
    forget_invitations,
    forget_oidc,
    invitations_of,
    leave_all,
    memberships,
    oidc_keys_of,
    refuse_if_last,
)
from veloflux.tenants.life import (
    archive_tenant,
    closed_by,
    delete_tenant,
    end_tenant,
    put_resumed,
    put_suspended,
    restore_tenant,
    resume_tenant,
    suspend_tenant,
)
from veloflux.tenants.list_tenants import every_tenant, list_tenants, memberships_of, tenants_of
from veloflux.tenants.member_role import set_member_role
from veloflux.tenants.members import list_members, remove_member, transfer_ownership
from veloflux.tenants.model import (
    ApiKey,
    Invitation,
    KeyTerms,
    Member,
    MemberProfile,
    NewApiKey,
    Rollout,
    Tenant,
    TenantRecord,
)
from veloflux.tenants.oidc_connection import remove_oidc, set_oidc, show_oidc, try_oidc
from veloflux.tenants.oidc_links import confirm_oidc_link, join_by_oidc_link, open_oidc_link, send_oidc_link
from veloflux.tenants.oidc_model import OidcConnection, OidcTerms, SignInAnswer
from veloflux.tenants.oidc_sign_in import begin_sso, finish_sso
from veloflux.tenants.operator import create_operator, is_setup_token, new_setup_link
from veloflux.tenants.origins import set_origins
from veloflux.tenants.permissions import EVERYTHING, OWNERS, PERMISSIONS, ROLES, permissions_of, roles_of
from veloflux.tenants.publishable import authenticate_publishable_key, is_publishable
from veloflux.tenants.record import RecordChange, change_record, metadata_of, read_record
from veloflux.tenants.rename import rename_tenant
from veloflux.tenants.roles import Role, change_role, create_role, delete_role, list_roles
from veloflux.tenants.rollout import compile_policies, follow_catalogue, read_rollout
from veloflux.tenants.second_factor_policy import require_second_factor
from veloflux.tenants.tokens import create_token, is_token, list_tokens, revoke_token

__all__ = [
    "EVERYTHING",
    "OWNERS",
    "PERMISSIONS",
    "REFUSED",
    "ROLES",
    "ApiKey",
    "Applied",
    "Invitation",
    "KeyTerms",
    "LeakedKey",
    "Member",
    "MemberProfile",
    "NewApiKey",
    "OidcConnection",
    "OidcTerms",
    "RecordChange",
    "Role",
    "Rollout",
    "SignInAnswer",
    "Tenant",
    "TenantRecord",
    "accept_invitation",
    "add_meter",
    "admit_program",
    "apply_catalogue",
    "archive_tenant",
    "authenticate_api_key",
    "authenticate_publishable_key",
    "authorise",
    "authorise_platform",
    "begin_sso",
    "change_meter",
    "change_record",
    "change_role",
    "checked_zone",
    "closed_by",
    "compile_policies",
    "confirm_oidc_link",
    "create_api_key",
    "create_operator",
    "create_role",
    "create_tenant",
    "create_token",
    "currencies",
    "delete_role",
    "delete_tenant",
    "destroy_key",
    "end_tenant",
    "every_tenant",
    "find",
    "find_api_key",
    "finish_sso",
    "follow_catalogue",
    "follow_membership",
    "follow_transfer",
    "forget_invitations",
    "forget_oidc",
    "index_tenant",
    "invitations_of",
    "invite",
    "is_publishable",
    "is_setup_token",
    "is_token",
    "join_by_invitation",
    "join_by_oidc_link",
    "leave_all",
    "list_api_keys",
    "list_invitations",
    "list_members",
    "list_roles",
    "list_tenants",
    "list_tokens",
    "mail_invitation",
    "may_call_from",
    "memberships",
    "memberships_of",
    "metadata_of",
    "named_by",
    "new_setup_link",
    "oidc_keys_of",
    "open_invitation",
    "open_oidc_link",
    "parse_api_key",
    "permissions_of",
    "platform_permissions",
    "platform_role",
    "platform_role_of",
    "put_plan",
    "put_resumed",
    "put_suspended",
    "read_record",
    "read_rollout",
    "refuse_if_last",
    "release_slug",
    "remove_documents",
    "remove_member",
    "remove_oidc",
    "rename_tenant",
    "require_second_factor",
    "resend_invitation",
    "restore_tenant",
    "resume_tenant",
    "revoke_api_key",
    "revoke_invitation",
    "revoke_leaked_key",
    "revoke_token",
    "roles_of",
    "rotate_api_key",
    "scope_of",
    "send_invitation",
    "send_oidc_link",
    "set_billing_anchor",
    "set_clock",
    "set_failure_policy",
    "set_member_role",
    "set_oidc",
    "set_origins",
    "show_oidc",
    "suspend_tenant",
    "tenants_of",
    "transfer_ownership",
    "try_oidc",
    "zones",
]

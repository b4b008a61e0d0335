"""What browsers are asked for passkeys, and whether their answers are true (WebAuthn Level 3)."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from veloflux.identity.factors_model import Passkey
from veloflux.identity.model import User
from veloflux.settings import Settings

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

Options = dict[str, Any]
Credential = dict[str, Any]
NAME = "VeloFlux"


class Registered(NamedTuple):
    """A new credential; id and key in base64url."""

    credential: str
    public_key: str
    sign_count: int


class Asserted(NamedTuple):
    """What an authenticator signed; `is_copy`: it counts less than it did, so another one has its key too."""

    sign_count: int
    is_copy: bool


def relying_party(settings: Settings) -> tuple[str, str]:
    """Id and origin of who asks: the host, and scheme, host and port, at which people reach the console.

    >>> relying_party(Settings(public_url="https://app.example.com/x"))
    ('app.example.com', 'https://app.example.com')
    """
    url = urlsplit(settings.console_url)
    return url.hostname or "", f"{url.scheme}://{url.netloc}"


def is_possible(settings: Settings) -> bool:
    """Whether browsers make passkeys for this host: they do for names, not for addresses."""
    try:
        ip_address(relying_party(settings)[0])
    except ValueError:
        return True
    return False


def creation_options(settings: Settings, user: User, challenge: bytes, known: Sequence[Passkey]) -> Options:
    """What a browser is asked to make a passkey with; those known are not made again."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    rp_id, _ = relying_party(settings)
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=NAME,
        user_name=user.email,
        user_id=user.id.encode(),
        user_display_name=user.name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(known),
    )
    return options_to_json_dict(options)


def request_options(settings: Settings, challenge: bytes, known: Sequence[Passkey] = ()) -> Options:
    """What a browser is asked to sign with one of these passkeys; with none, with any that knows whose it is."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    rp_id, _ = relying_party(settings)
    verification = UserVerificationRequirement.PREFERRED if known else UserVerificationRequirement.REQUIRED
    options = generate_authentication_options(
        rp_id=rp_id, challenge=challenge, allow_credentials=_descriptors(known), user_verification=verification
    )
    return options_to_json_dict(options)


def challenge_in(credential: Credential) -> bytes | None:
    """The challenge that a browser answered; None: this is no answer."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    try:
        return parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge
    except Exception:  # the library lets through whatever malformed text does to the parsers below it
        return None


def user_in(credential: Credential) -> str:
    """The person that a passkey says it belongs to; "" if it does not say so."""
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(credential["response"]["userHandle"]).decode("ascii")
    except Exception:
        return ""


def registered(settings: Settings, credential: Credential, challenge: bytes) -> Registered | None:
    """The passkey that a browser made; None: it is not one for us."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    rp_id, origin = relying_party(settings)
    try:
        made = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=rp_id, expected_origin=origin
        )
    except Exception:
        return None
    key, id_ = bytes_to_base64url(made.credential_public_key), bytes_to_base64url(made.credential_id)
    return Registered(id_, key, made.sign_count)


def asserted(
    settings: Settings, credential: Credential, challenge: bytes, passkey: Passkey, *, verified: bool
) -> Asserted | None:
    """What a passkey signed; None: it did not. `verified`: it must have asked for its owner's finger, face or PIN."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes

    rp_id, origin = relying_party(settings)
    try:
        signed = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=0,  # compared below, where a copy can be told from a forgery
            require_user_verification=verified,
        )
    except Exception:
        return None
    counts = signed.new_sign_count > 0 or passkey.sign_count > 0
    return Asserted(signed.new_sign_count, counts and signed.new_sign_count <= passkey.sign_count)


def _descriptors(known: Sequence[Passkey]) -> list["PublicKeyCredentialDescriptor"]:
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential)) for one in known]

"""An authenticator in software: it makes passkeys and signs with them as browsers tell (ES256, no attestation)."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url

from veloflux.identity.passkey_proof import passkey_id

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey at a place. `count` is how often it signed; `verifies`: it asks for its owner's finger."""

    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin, self.verifies, self.count = origin, verifies, 0
        self._id, self._key, self._user = secrets.token_bytes(16), ec.generate_private_key(ec.SECP256R1()), b""

    @property
    def passkey(self) -> str:
        """The id that its passkey has with us."""
        return passkey_id(bytes_to_base64url(self._id))

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """As navigator.credentials.create."""
        self._user = base64url_to_bytes(options["user"]["id"])
        point = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)}
        attested = bytes(16) + len(self._id).to_bytes(2) + self._id + cbor2.dumps(key)
        data = self._data(options["rp"]["id"], WITH_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        told = self._client_data("webauthn.create", options["challenge"])
        return self._credential(clientDataJSON=told, attestationObject=attestation)

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """As navigator.credentials.get."""
        self.count += 1
        data, told = self._data(options["rpId"], 0), self._client_data("webauthn.get", options["challenge"])
        signed = self._key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(clientDataJSON=told, authenticatorData=data, signature=signed, userHandle=self._user)

    def _data(self, rp_id: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, **response: bytes) -> dict[str, Any]:
        id_ = bytes_to_base64url(self._id)
        told = {name: bytes_to_base64url(value) for name, value in response.items()}
        return {"id": id_, "rawId": id_, "type": "public-key", "response": told, "clientExtensionResults": {}}
